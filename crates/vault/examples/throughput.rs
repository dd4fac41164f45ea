//! What a vault costs: entries per CPU second and milliseconds, for a described workload.
//!
//! `cargo run --release -p vault --example throughput [incidents]`; each incident has twenty entries.
//! Signed, encrypted, durable, verified strictly; key derivation apart. The folder is `TMPDIR`'s.

#![allow(clippy::print_stdout, reason = "a table is what this prints")]

#[path = "../tests/contract/world.rs"]
mod world;

use std::time::Instant;

use logbook::action::{Action, Assign, Create, IncidentState, RecordKind, StateChange};
use logbook::{FieldValue, Fields};
use vault::{Draft, ListQuery, OutQuery, Vault, View};
use world::{World, incoming, key_of, query};

/// Incidents in one call: a hundred entries.
const GROUP: usize = 5;
/// Envelopes in a page, as the exchange asks for them.
const PAGE: usize = 512;

/// CPU seconds of this process so far, user and system, to ten milliseconds.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// Peak resident memory, MiB.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// Words that repeat like a language's: a few often, most seldom.
struct Words(u64);

impl Words {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }
    fn text(&mut self, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + 12);
        while text.len() < bytes {
            let common = self.next().is_multiple_of(3);
            let word = self.next() % if common { 60 } else { 5000 };
            text.push_str(&format!("w{}{} ", (b'a' + (word % 26) as u8) as char, word));
        }
        text.truncate(bytes);
        text
    }
}

/// One incident of twenty entries: 12 notes, 4 changes of state, 2 assignments, a referral.
fn incident(world: &World, n: u32, words: &mut Words) -> Vec<Draft> {
    let mut draft = world.incident("emb", n, "", &["emb"]);
    let (record, key) = (draft.record, key_of("emb", n));
    if let Action::Create(create) = &mut draft.action {
        *create = Create { kind: RecordKind::Incident, fields: fields(n, words), ..create.clone() };
    }
    let mut drafts = vec![draft];
    let states =
        [IncidentState::Triaged, IncidentState::Verifying, IncidentState::InProgress, IncidentState::Contained];
    for (at, state) in states.into_iter().enumerate() {
        drafts.push(world.draft("emb", record, Action::State(StateChange { to: state, reason: None })));
        drafts.extend((0..3).map(|_| world.note("emb", record, &words.text(200))));
        if at % 2 == 0 {
            let to = format!("unit {}", words.next() % 40);
            drafts.push(world.draft("emb", record, Action::Assign(Assign { to })));
        }
        if at == 1 {
            drafts.push(world.refer("emb", record, &key, "police"));
        }
    }
    drafts
}

fn fields(n: u32, words: &mut Words) -> Fields {
    let mut fields = Fields::new();
    let mut set = |name: &str, value: FieldValue| fields.insert(name.into(), value);
    for (name, size) in [("summary", 60), ("place", 30), ("district", 12), ("description", 400), ("source", 20)] {
        set(name, words.text(size).into());
    }
    set("category", format!("ops:category-{}", words.next() % 20).into());
    set("station", format!("{:04}", words.next() % 4000).into());
    set("reporter_role", "voter".into());
    set("channel", "app".into());
    set("tlp", "AMBER".into());
    set("severity", (1 + i64::from(n) % 4).into());
    for name in ["voters_affected", "interrupted_min", "lat_e7", "lon_e7"] {
        set(name, ((words.next() % 900) as i64).into());
    }
    fields
}

fn row(work: &str, value: f64, unit: &str) {
    println!("{work:<58} {value:>10.2} {unit}");
}

async fn create(world: &World, vault: &Vault, from: u32, count: u32, words: &mut Words) -> usize {
    let mut made = 0;
    for group in (from..from + count).collect::<Vec<u32>>().chunks(GROUP) {
        let drafts = group.iter().flat_map(|n| incident(world, *n, words)).collect();
        made += vault.append(drafts).await.expect("entries").len();
    }
    made
}

/// Page by page from one vault into another; gives back the cursor, and CPU seconds for giving and
/// for taking.
async fn carry(from: &Vault, to: &Vault, after: i64) -> (i64, f64, f64) {
    let mut query = OutQuery { after, limit: PAGE, ..query("police") };
    let (mut giving, mut taking) = (0.0, 0.0);
    loop {
        let start = cpu();
        let page = from.outgoing(&query).await.expect("a page");
        let given = cpu();
        let outcome = to.ingest(incoming(page.items)).await.expect("a batch");
        assert!(outcome.refused.is_empty(), "{:?}", outcome.refused);
        giving += given - start;
        taking += cpu() - given;
        query.after = page.next;
        if page.done {
            return (page.next, giving, taking);
        }
    }
}

async fn timed<T>(work: &str, times: u32, run: impl AsyncFn() -> T) {
    run().await;
    let (start, before) = (Instant::now(), cpu());
    for _ in 0..times {
        run().await;
    }
    let each = start.elapsed().as_secs_f64() * 1000.0 / f64::from(times);
    row(work, each, "ms");
    row("   … of CPU", (cpu() - before) * 1000.0 / f64::from(times), "ms");
}

async fn reading(vault: &Vault, words: &mut Words) {
    let category = Some("ops:category-7".into());
    let open = ListQuery { view: View::Open, category, ..ListQuery::all(RecordKind::Incident, world::NOW, 50) };
    timed("list: open, one category, 50 newest", 200, async || vault.list(&open).await.expect("a list")).await;
    let all = ListQuery { category: None, view: View::All, ..open.clone() };
    timed("list: all, 50 newest", 200, async || vault.list(&all).await.expect("a list")).await;
    timed("counts", 200, async || vault.counts(world::NOW, "x").await.expect("counts")).await;
    for word in [format!("wx{}", 23 + 26 * (words.next() % 150)), "wa0".to_owned()] {
        let search = ListQuery { search: Some(word.clone()), ..all.clone() };
        let found = vault.list(&search).await.expect("a list").total;
        timed(&format!("search: one word, in {found} incidents"), 100, async || {
            vault.list(&search).await.expect("a list")
        })
        .await;
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let count: u32 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(1000);
    let world = World::new();
    let mut words = Words(7);
    let (dir, emb) = world.vault("emb").await;
    let start = cpu();
    let made = create(&world, &emb, 0, count, &mut words).await;
    row(&format!("create {made} entries in hundreds"), made as f64 / (cpu() - start), "entries per CPU-s");
    let (_pdir, police) = world.vault("police").await;
    let (cursor, giving, taking) = carry(&emb, &police, 0).await;
    row("give them", made as f64 / giving, "entries per CPU-s");
    row("take them", made as f64 / taking, "entries per CPU-s");
    create(&world, &emb, count, GROUP as u32, &mut words).await;
    let start = Instant::now();
    carry(&emb, &police, cursor).await;
    row("carry 100 new entries", start.elapsed().as_secs_f64() * 1000.0, "ms");
    latency(&world, &emb).await;
    reading(&emb, &mut words).await;
    let start = cpu();
    let check = emb.check(false, &|_, _| {}).await.expect("a check");
    assert_eq!(check.problems, Vec::<String>::new());
    row("check everything", check.entries as f64 / (cpu() - start), "entries per CPU-s");
    drop(police);
    emb.close().await;
    let start = Instant::now();
    let emb = world.reopen(&dir, "emb").await;
    reading_once(&emb).await;
    row("open to first rows, cheapest key derivation", start.elapsed().as_secs_f64() * 1000.0, "ms");
    row("peak memory", peak(), "MiB");
    let size = std::fs::metadata(dir.path().join("v/vault.db")).map_or(0, |file| file.len());
    row("database, bytes for each entry", size as f64 / made as f64, "B");
}

async fn reading_once(vault: &Vault) {
    let all = ListQuery { view: View::Open, ..ListQuery::all(RecordKind::Incident, world::NOW, 50) };
    vault.list(&all).await.expect("a list");
}

/// One entry at a time, as a person logs.
async fn latency(world: &World, vault: &Vault) {
    let record = world.incident("emb", 0, "", &[]).record;
    let mut times = Vec::new();
    for n in 0..200 {
        let draft = world.note("emb", record, &format!("one note {n}"));
        let start = Instant::now();
        vault.append(vec![draft]).await.expect("an entry");
        times.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    row("one entry, until it is durable: median", times[100], "ms");
    row("one entry, until it is durable: 99th of 100", times[198], "ms");
}
