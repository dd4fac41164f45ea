//! Many incidents on one board: real events, brought in over and over until there are `INTACT_CROWD` of
//! them (3,048 otherwise; 100,000 for the table in docs/performance.md). What a person waits for is timed
//! inside the page, from the key to the frame that shows it, and kept as a table; nothing fails by the clock.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use fantoccini::key::Key;
use fantoccini::wd::TimeoutConfiguration;
use intact_tests::driven::{Window, open, pictures, test_id};
use intact_tests::{Device, Practice, shared, times};
use serde_json::Value;

/// Writes the list of events, again and again with other ids, until there are `n`.
fn many(out: &Path, n: u64) {
    let script = "import csv,sys\n\
        rows = list(csv.reader(open(sys.argv[1], newline='', encoding='utf-8')))\n\
        out = csv.writer(open(sys.argv[2], 'w', newline='', encoding='utf-8'))\n\
        out.writerow(rows[0])\n\
        for at in range(int(sys.argv[3])):\n\
        \x20   turn, row = divmod(at, len(rows) - 1)\n\
        \x20   row = list(rows[row + 1])\n\
        \x20   row[0] = f'{turn}-{row[0]}' if turn else row[0]\n\
        \x20   out.writerow(row)\n";
    let list = shared().join("data/deco-1989-2011.csv");
    let mut python = Command::new("python3");
    let done = python.arg("-c").arg(script).arg(list).arg(out).arg(n.to_string()).status().expect("python3 runs");
    assert!(done.success(), "the list is written");
}

/// A vault that holds them.
fn filled(practice: &Practice, n: u64) -> Device {
    let device = practice.device("emb");
    let list = practice.root.path().join("events.csv");
    many(&list, n);
    let mapping = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/import/deco.mapping.json");
    let [list, mapping] = [list, mapping].map(|path: PathBuf| path.to_str().expect("a plain path").to_owned());
    let report = device.must(&["import", "csv", &list, "--mapping", &mapping]);
    assert_eq!(report["created"], n, "every event is an incident");
    device
}

/// Words that are searched for: few have them, none has, many have.
const SOUGHT: [&str; 3] = ["ballot", "opposition Jakarta", "Kenya"];

/// What the page measures: each step from the input to the frame after which it is seen.
const MEASURE: &str = r#"
const [sought, done] = arguments;
const frame = () => new Promise((next) => requestAnimationFrame(() => setTimeout(next)));
const list = () => document.querySelector("[role='listbox']");
const count = () => Number(list()?.dataset.count ?? 0);
const until = async (what) => { const begun = performance.now(); for (;;) { await frame(); if (what()) return Math.round(performance.now() - begun); if (performance.now() - begun > 60000) throw new Error(String(what)); } };
/** Rows that ought to be seen in the list's window and are not. */
const blank = () => {
  if (!list()) return false;
  const area = list().getBoundingClientRect();
  const holes = [...list().querySelectorAll('.one')].filter((one) => { const at = one.getBoundingClientRect(); return at.bottom > area.top + 1 && at.top < area.bottom - 1; });
  const wanted = Math.min(Math.floor(area.height / (holes[0]?.offsetHeight || 52)), count());
  return holes.length < wanted || holes.some((one) => one.childElementCount === 0);
};
(async () => {
  const found = {};
  // A steady scroll of a thousand frames, each by a row and a half, then by three windows a second apart.
  const scroll = async (frames, by) => {
    let blanks = 0, worst = 0, before = performance.now();
    const all = [];
    for (let at = 0; at < frames; at += 1) {
      list().scrollTop += by;
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      all.push(now - before); before = now;
      await new Promise((next) => setTimeout(next));
      if (blank()) blanks += 1;
    }
    all.sort((a, b) => a - b);
    return { blanks, median: Math.round(all[Math.floor(all.length / 2)]), late: Math.round(all[Math.floor(all.length * 0.99)]) };
  };
  found.steady = await scroll(600, 78);
  found.fast = await scroll(300, 600);
  list().scrollTop = list().scrollHeight;
  found.end = await until(() => !blank());
  list().scrollTop = 0;
  found.home = await until(() => !blank());
  const field = document.querySelector("[data-testid='search']");
  const search = async (words) => {
    const before = count();
    field.focus(); field.value = words; field.dispatchEvent(new Event('input', { bubbles: true }));
    return until(() => count() !== before && !blank());
  };
  Object.assign(found, { search: [], hits: [], cleared: [] });
  for (const words of sought) { found.search.push(await search(words)); found.hits.push(count()); found.cleared.push(await search('')); }
  const view = async (name) => { const before = count(); document.querySelector(`[data-testid='view-${name}']`).click(); return until(() => count() !== before && (count() === 0 || !blank())); };
  found.views = [await view('critical'), await view('all')];
  done(found);
})().catch((error) => done({ error: String(error) }));
"#;

/// The memory that the window's processes hold, MiB: the program and the engine's own, what they share
/// counted once (the kernel's proportional set size).
fn memory(device: &Device) -> u64 {
    let here = device.dir.to_str().expect("a plain path");
    // Id, parent, whether it is the program itself, memory in KiB.
    let mut all = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("a list of processes").flatten() {
        let Ok(id) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let read = |name: &str| std::fs::read_to_string(entry.path().join(name)).unwrap_or_default();
        let number = |text: &str, name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            line.split_whitespace().next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(0)
        };
        let command = read("cmdline");
        let ours = command.contains("intact-window") && command.contains(here);
        all.push((id, number(&read("status"), "PPid:"), ours, number(&read("smaps_rollup"), "Pss:")));
    }
    let mut held: Vec<u32> = all.iter().filter(|one| one.2).map(|one| one.0).collect();
    for _ in 0..4 {
        let child = |one: &&(u32, u64, bool, u64)| held.contains(&(one.1 as u32)) && !held.contains(&one.0);
        let children: Vec<u32> = all.iter().filter(child).map(|one| one.0).collect();
        held.extend(children);
    }
    all.iter().filter(|one| held.contains(&one.0)).map(|one| one.3).sum::<u64>() / 1024
}

async fn measured(window: &Window) -> Value {
    let patience = TimeoutConfiguration::new(Some(Duration::from_secs(900)), None, None);
    window.client.update_timeouts(patience).await.expect("the driver takes it");
    let found =
        window.client.execute_async(MEASURE, vec![serde_json::json!(SOUGHT)]).await.expect("the window answers");
    assert!(found.get("error").is_none(), "{found}");
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_of_many_incidents_opens_scrolls_and_finds() {
    let n = times("INTACT_CROWD", 3_048);
    let practice = Practice::found();
    let device = filled(&practice, n);
    let hits: Vec<Value> =
        SOUGHT.iter().map(|words| device.must(&["incident", "list", "--search", words])["total"].clone()).collect();
    let hits = Value::from(hits);
    let window = open(&device, false).await;
    window.wait_for(&test_id("unlock-passphrase")).await;
    // From the answer to the passphrase, whose key takes a second by intent elsewhere, to the first row.
    let watch = "window.seen = {}; const begun = performance.now(); const look = () => { \
        if (document.querySelector(\"[data-testid='search']\")) window.seen.open ??= performance.now(); \
        if (document.querySelector(\"[data-testid^='row-']\")) { requestAnimationFrame(() => { window.seen.row = performance.now(); }); return; } \
        requestAnimationFrame(look); }; look(); \
        document.querySelector('form').addEventListener('submit', () => { window.seen.key = performance.now(); }, true)";
    window.client.execute(watch, vec![]).await.expect("the window answers");
    let words = std::fs::read_to_string(&device.passphrase).expect("a passphrase");
    window.press(words.trim()).await;
    window.press(&String::from(char::from(Key::Enter))).await;
    window.wait_for("[data-testid^='row-']").await;
    let seen = "const done = arguments[0]; const look = () => window.seen.row ? done(window.seen) : setTimeout(look, 25); look()";
    let seen = window.client.execute_async(seen, vec![]).await.expect("the window answers");
    let ms = |name: &str| seen[name].as_f64().unwrap_or(0.0);
    window.wait_for(&test_id("view-all")).await.click().await.expect("a view can be chosen");
    window.wait_for(&format!("[role='listbox'][data-count='{}']", total(&window).await)).await;
    let found = measured(&window).await;
    let held = memory(&device);
    window.picture(&format!("crowd-{n}.png")).await;
    assert_eq!(found["hits"], hits, "the list finds what the command line finds");
    assert!(held > 0, "the window's processes are found");
    keep(n, ms("row") - ms("key"), &found, held);
    window.closed(&device).await;
}

/// How many incidents there are, by the desk's own count.
async fn total(window: &Window) -> u64 {
    let ask = "const done = arguments[0]; window.__TAURI_INTERNALS__.invoke('board', { query: { view: 'all', limit: 1, offset: 0 } }).then((page) => done(page.total))";
    let total = window.client.execute_async(ask, vec![]).await.expect("the window answers");
    total.as_u64().expect("a number")
}

/// The table, beside the pictures.
fn keep(n: u64, opened: f64, found: &Value, held: u64) {
    let mut table = format!("| {n} incidents | |\n|---|---:|\n");
    let mut line = |what: &str, value: String| {
        let _ = writeln!(table, "| {what} | {value} |");
    };
    line("the passphrase's Enter to the first row painted", format!("{opened:.0} ms"));
    let scroll = |name: &str| {
        let part = &found[name];
        format!("median {} ms, 99 % {} ms, {} blank", part["median"], part["late"], part["blanks"])
    };
    line("600 frames, each a row and a half further", scroll("steady"));
    line("300 frames, each eleven rows further", scroll("fast"));
    line("to the last row, and back to the first", format!("{} and {} ms", found["end"], found["home"]));
    line("search typed to the result painted", format!("{} ms ({} found)", found["search"], found["hits"]));
    line("search cleared to the list painted", format!("{} ms", found["cleared"]));
    line("a view chosen to its rows painted", format!("{} ms", found["views"]));
    line("memory of the window's processes together", format!("{held} MiB"));
    std::fs::create_dir_all(pictures()).expect("tables can be kept");
    std::fs::write(pictures().join(format!("crowd-{n}.md")), table).expect("tables can be kept");
}
