//! The table of docs/performance.md, measured here: signed, encrypted, durable, verified strictly.
//! CPU seconds of this process, both ends of an exchange together; key derivation apart.

#![allow(clippy::print_stdout, reason = "a table is what this prints")]

use std::path::Path;
use std::sync::Arc;

use desk::found::AgencyInput;
use desk::wire::BoardQuery;
use desk::{Desk, KdfCost, Passphrase};
use intact_tests::{shared, workload};
use serde_json::json;

/// One line: what, the figure, its unit, its goal.
struct Line {
    work: String,
    value: f64,
    unit: &'static str,
    goal: &'static str,
}

/// CPU seconds of this process so far, user and system.
fn cpu() -> f64 {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}

/// Peak resident memory, MiB.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

fn agency(root: &Path, id: &str, kind: &str) -> AgencyInput {
    AgencyInput {
        id: id.into(),
        kind: kind.into(),
        name: format!("The {id}"),
        operator: "Operator".into(),
        device: format!("{id}-1"),
        root_out: root.join(format!("{id}.root")),
    }
}

/// Strict verifications per CPU-second on this machine now, of one key decoded once: what the goals suppose
/// is 18,500. These machines are shared, so that the other figures mean little without it.
fn yardstick() -> f64 {
    const ROUNDS: u32 = 20_000;
    let key = seal::SigningKey::from_seed(&[7; 32]);
    let (public, signature) = (key.public(), key.sign("bench", &[7; 200]));
    let mut verifier = seal::sign::Verifier::default();
    let before = cpu();
    for _ in 0..ROUNDS {
        verifier.verify("bench", std::hint::black_box(&[7; 200]), &public, &signature).unwrap();
    }
    f64::from(ROUNDS) / (cpu() - before)
}

/// Two agencies that know each other.
async fn pair(root: &Path) -> (Desk, Desk) {
    let pass = pass();
    let (emb, _) =
        Desk::init_at_cost(&root.join("emb"), &pass, "Bench", agency(root, "emb", "emb"), None, true, KdfCost::DRILL)
            .await
            .unwrap();
    let request = root.join("police.request");
    let (police, _) = Desk::request_agency_at_cost(
        &root.join("police"),
        &pass,
        agency(root, "police", "police"),
        &request,
        KdfCost::DRILL,
    )
    .await
    .unwrap();
    emb.admit(&[request], &root.join("emb.root"), &pass, &root.join("w")).await.unwrap();
    police.join(&root.join("w/police.welcome"), None).await.unwrap();
    let police = police.reopened().await.unwrap();
    (emb, police)
}

/// Serves a desk on loopback while `with` goes on at its address.
async fn serving<T>(desk: &Desk, with: impl AsyncFnOnce(std::net::SocketAddr) -> T) -> T {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let server = desk.clone();
    let serving = tokio::spawn(async move {
        let at = |at: std::net::SocketAddr, _: &str| {
            let _ = ready.send(at);
        };
        server
            .serve("127.0.0.1:0".parse().unwrap(), at, async {
                let _ = stopped.await;
            })
            .await
            .unwrap();
    });
    let done = with(is_ready.await.unwrap()).await;
    let _ = stop.send(());
    serving.await.unwrap();
    done
}

/// One exchange over the LAN; gives bytes and CPU seconds, both ends together.
async fn exchange(emb: &Desk, police: &Desk) -> (u64, f64) {
    serving(emb, async |at| {
        let before = cpu();
        let report = police.sync_peer(at, false).await.unwrap();
        (report.bytes.r#in + report.bytes.out, cpu() - before)
    })
    .await
}

/// One end by itself, in a process of its own: everything is fetched, listed, searched and verified.
async fn end(dir: &Path, at: std::net::SocketAddr) {
    let desk = Desk::open(dir, &pass()).await.unwrap();
    desk.sync_peer(at, false).await.unwrap();
    desk.board(query(None)).await.unwrap();
    desk.board(query(Some("ballot"))).await.unwrap();
    assert_eq!(desk.verify_trail(Arc::new(|_, _| {})).await.unwrap().problems, Vec::<String>::new());
    desk.close().await;
    println!("{}", peak_mib());
}

/// Fills the empty vault in `dir` from a desk, in another process; gives that process' peak memory, MiB.
async fn elsewhere(emb: &Desk, dir: &Path) -> f64 {
    serving(emb, async |at| {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.arg("end").arg(dir).arg(at.to_string());
        let done = tokio::task::spawn_blocking(move || child.output()).await.unwrap().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).trim().parse().unwrap()
    })
    .await
}

/// Fills two vaults in a folder and leaves them there: `keep DIR N`; with `half`, only the first of them.
async fn keep(dir: &Path, n: usize, half: bool) {
    let (emb, police) = pair(dir).await;
    emb.play_workload(&workload(&shared().join("bench/workload.py"), n), &["police"]).await.unwrap();
    if !half {
        exchange(&emb, &police).await;
    }
    emb.close().await;
    police.close().await;
}

/// Fills the empty one from the full one: `full DIR`.
async fn full(dir: &Path) {
    let emb = Desk::open(&dir.join("emb"), &pass()).await.unwrap();
    let police = Desk::open(&dir.join("police"), &pass()).await.unwrap();
    let (bytes, spent) = exchange(&emb, &police).await;
    println!("{spent:.2} CPU-s, {bytes} bytes");
    emb.close().await;
    police.close().await;
}

/// Exchanges 100 new entries between them, again and again, and prints what each time cost:
/// `again DIR ROUNDS`. The first finds both vaults freshly opened.
async fn again(dir: &Path, rounds: usize) {
    let emb = Desk::open(&dir.join("emb"), &pass()).await.unwrap();
    let police = Desk::open(&dir.join("police"), &pass()).await.unwrap();
    let more = workload(&shared().join("bench/workload.py"), 5);
    for _ in 0..rounds {
        emb.play_workload(&more, &["police"]).await.unwrap();
        let (bytes, spent) = exchange(&emb, &police).await;
        println!("{:.1} CPU-ms, {bytes} bytes", spent * 1000.0);
    }
    emb.close().await;
    police.close().await;
}

fn pass() -> Passphrase {
    Passphrase::new("a passphrase for a drill".into())
}

fn query(search: Option<&str>) -> BoardQuery {
    BoardQuery {
        view: Some("open".into()),
        state: None,
        category: Some("ops:suspension".into()).filter(|_| search.is_none()),
        severity: None,
        search: search.map(str::to_owned),
        since: None,
        until: None,
        references: Vec::new(),
        limit: 50,
        offset: 0,
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, dir, at] = arguments.as_slice()
        && word == "end"
    {
        return end(Path::new(dir), at.parse().unwrap()).await;
    }
    match arguments.as_slice() {
        [word, dir, n] if word == "keep" => return keep(Path::new(dir), n.parse().unwrap(), false).await,
        [word, dir, n, half] if word == "keep" && half == "half" => {
            return keep(Path::new(dir), n.parse().unwrap(), true).await;
        }
        [word, dir] if word == "full" => return full(Path::new(dir)).await,
        [word, dir, n] if word == "again" => return again(Path::new(dir), n.parse().unwrap()).await,
        _ => {}
    }
    let large: usize = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(10_000);
    let root = tempfile::tempdir().unwrap();
    let mut lines = Vec::new();
    let mut add = |work: &str, value, unit, goal| lines.push(Line { work: work.to_owned(), value, unit, goal });

    let yard = "yardstick: strict Ed25519 verifications per CPU-second";
    add(yard, yardstick(), "/s", "18,500 where the goals were set");
    let mut peak = 0.0;
    for (n, first) in [(1000usize, true), (large, false)] {
        let folder = root.path().join(if first { "first" } else { "large" });
        std::fs::create_dir_all(&folder).unwrap();
        let (emb, mut police) = pair(&folder).await;
        let incidents = workload(&shared().join("bench/workload.py"), n);
        let before = cpu();
        let entries = emb.play_workload(&incidents, &["police"]).await.unwrap();
        let create = cpu() - before;
        if first {
            let (bytes, spent) = exchange(&emb, &police).await;
            add("create W(1000), entries per CPU-second", entries as f64 / create, "/s", "≥ 6,000 (floor 3,000)");
            add("full sync of W(1000), both ends", spent, "CPU-s", "≤ 2.0 (floor 4)");
            add("full sync of W(1000), bytes", bytes as f64 / 1e6, "MB", "≤ 12");
        } else {
            police.close_by_reference().await;
            drop(police);
            peak = elsewhere(&emb, &folder.join("police")).await;
            police = Desk::open(&folder.join("police"), &pass()).await.unwrap();
        }
        let more = workload(&shared().join("bench/workload.py"), 5);
        emb.play_workload(&more, &["police"]).await.unwrap();
        let (bytes, spent) = exchange(&emb, &police).await;
        add(&format!("100 new entries over W({n})"), spent * 1000.0, "CPU-ms", "≤ 20 (floor 50)");
        add(&format!("… bytes at W({n})"), bytes as f64 / 1000.0, "kB", "≤ 80 (floor 120)");
        if first {
            let diverge = workload(&shared().join("bench/workload.py"), 50);
            emb.play_workload(&diverge, &["police"]).await.unwrap();
            police.play_workload(&diverge, &["emb"]).await.unwrap();
            let (_, spent) = exchange(&emb, &police).await;
            add("diverge 1,000 + 1,000, then converge", spent, "CPU-s", "≤ 0.4");
            let before = cpu();
            let check = emb.verify_trail(Arc::new(|_, _| {})).await.unwrap();
            assert_eq!(check.problems, Vec::<String>::new());
            add(
                "verify the trail, entries per CPU-second",
                check.entries as f64 / (cpu() - before),
                "/s",
                "≥ 16,000 (floor 10,000)",
            );
            let before = cpu();
            let check = emb.check(false, Arc::new(|_, _| {})).await.unwrap();
            assert_eq!(check.problems, Vec::<String>::new());
            add(
                "… and every page, index, list and search, and Automerge's heads",
                check.entries as f64 / (cpu() - before),
                "/s",
                "",
            );
        } else {
            let word = incidents[7]["fields"]["description"]
                .as_str()
                .unwrap_or("")
                .split(' ')
                .next()
                .unwrap_or("a")
                .to_owned();
            for (name, search) in [
                (format!("list W({n}): open, one category, 50 newest"), None),
                (format!("search W({n}): one word"), Some(word.as_str())),
            ] {
                emb.board(query(search)).await.unwrap();
                let before = std::time::Instant::now();
                for _ in 0..100 {
                    emb.board(query(search)).await.unwrap();
                }
                add(&name, before.elapsed().as_secs_f64() * 10.0, "ms", "≤ 1 (floor 5)");
            }
            emb.close_by_reference().await;
            drop(emb);
            let before = std::time::Instant::now();
            let emb = Desk::open(&folder.join("emb"), &pass()).await.unwrap();
            emb.board(query(None)).await.unwrap();
            add(
                &format!("unlock to first row, W({n}), drill KDF"),
                before.elapsed().as_secs_f64() * 1000.0,
                "ms",
                "≤ 12 engine",
            );
            add(
                &format!("peak memory of one end: full sync, list, search and verify W({n})"),
                peak,
                "MiB",
                "≤ 64 (floor 128)",
            );
        }
    }
    add("the yardstick at the end", yardstick(), "/s", "");
    println!("| Work | Here | Goal |\n|---|---:|---|");
    for line in &lines {
        println!("| {} | {:.1} {} | {} |", line.work, line.value, line.unit, line.goal);
    }
    let report: Vec<_> =
        lines.iter().map(|l| json!({ "work": l.work, "value": l.value, "unit": l.unit, "goal": l.goal })).collect();
    let kept = std::env::current_exe().unwrap().with_file_name("bench.json");
    std::fs::write(kept, serde_json::to_string_pretty(&report).unwrap()).unwrap();
}
