//! A surge: the scripted night is played at one desk while an operator triages by keyboard at another,
//! in a real window over a real relay. Nothing is lost, and the selected row stays where it is.
//!
//! `INTACT_SPEED` says how many times as fast as it happened; 12 plays 200 reports an hour for an hour
//! in five minutes. How late each report was on the other screen is kept beside the pictures.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use desk::exercise::{NIGHT, Script};
use desk::{Desk, Passphrase};
use intact_tests::driven::{Running, Window, open, pictures, relay};
use intact_tests::{Device, times};
use serde_json::Value;

/// Watches, in the window, frame by frame: when the list's length changed, and whether the selected
/// row moved although no key was pressed.
const WATCH: &str = "
    const seen = window.surge = { arrivals: [], jumps: [], total: -1 };
    let pressed = 0, before = null;
    addEventListener('keydown', () => { pressed = performance.now(); }, true);
    const look = () => {
        const list = document.querySelector('[role=listbox][aria-label]');
        const total = Number(list?.dataset?.count ?? -1);
        if (total !== seen.total) { seen.total = total; seen.arrivals.push([Date.now(), total]); }
        const row = list?.querySelector('[aria-selected=true]');
        const now = row && { id: row.id, top: Math.round(row.getBoundingClientRect().top) };
        const quiet = performance.now() - pressed > 1500;
        if (quiet && before && now && (before.id !== now.id || Math.abs(before.top - now.top) > 2)) seen.jumps.push([before, now]);
        before = now;
        requestAnimationFrame(look);
    };
    look();
";

fn now_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is right").as_millis()
}

/// An exercise of two desks of the commission, and a relay.
fn exercise(root: &Path) -> (Device, Device, Running, String) {
    let at = |name: &str| root.join(name).to_str().expect("a plain path").to_owned();
    let (joc, field) = (Device::new(root, "joc"), Device::new(root, "phones"));
    let init = ["init", "--operation-name", "Drill", "--agency", "emb", "--kind", "emb", "--agency-name", "Commission"];
    joc.must(
        &[&init[..], &["--operator", "Duty", "--device", "JOC 1", "--exercise", "--root-out", &at("emb.root")]]
            .concat(),
    );
    let ask =
        ["device", "request", "--agency", "emb", "--operator", "Phones", "--device", "Phones 1", "--roles", "desk"];
    field.must(&[&ask[..], &["--out", &at("phones.request")]].concat());
    joc.must(&["roster", "enrol", &at("phones.request"), "--out", &at("phones.welcome")]);
    field.must(&["join", &at("phones.welcome")]);
    joc.must(&["incident", "log", "--category", "ops:queue", "--summary", "Long queue", "--severity", "1"]);
    let (relay, url) = relay(root);
    (joc, field, relay, url)
}

/// Goes to the next report above, triages it, and so on until the night is over.
async fn triage(window: &Window, over: impl Fn() -> bool) -> u64 {
    let mut steps = 0;
    while !over() {
        for keys in ["k", "3", "t"] {
            window.press(keys).await;
            steps += 1;
        }
        // A person reads; meanwhile the list must stay where it is.
        let read = "const done = arguments[0]; setTimeout(done, 2500)";
        window.client.execute_async(read, vec![]).await.expect("the window answers");
    }
    steps
}

/// How late each arrival was: from durable at the one desk to the number on the other's screen.
fn late(logged: &[(u128, u64)], arrivals: &Value, before: u64) -> Vec<u128> {
    let arrivals: Vec<(u128, u64)> = arrivals
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (one[0].as_u64().unwrap_or(0).into(), u64::try_from(one[1].as_i64().unwrap_or(0)).unwrap_or(0)))
        .collect();
    let shown = |number: u64| arrivals.iter().find(|(_, total)| *total >= before + number).map(|(at, _)| *at);
    let mut late: Vec<u128> =
        logged.iter().filter_map(|(at, number)| shown(*number).map(|shown| shown.saturating_sub(*at))).collect();
    late.sort_unstable();
    late
}

#[tokio::test(flavor = "multi_thread")]
async fn a_surge_is_triaged_while_it_comes_and_nothing_is_lost() {
    let root = tempfile::tempdir().expect("a folder");
    let (joc, phones, _relay, url) = exercise(root.path());
    let window = open(&joc, true).await;
    window.wait_for("[data-testid^='row-']").await;
    window.reach(&url, true).await;
    window.press(&String::from(char::from(fantoccini::key::Key::Escape))).await;
    window.wait_for("[data-testid^='row-']").await;
    window.client.execute(WATCH, vec![]).await.expect("the window answers");

    let words = std::fs::read_to_string(&phones.passphrase).expect("a passphrase");
    let desk = Desk::open(&phones.dir, &Passphrase::new(words)).await.expect("the vault opens");
    let script = Script::parse(NIGHT).expect("the night is well-formed");
    let speed = times("INTACT_SPEED", 120) as f64;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let carrier = desk.clone();
    let carrying = tokio::spawn(async move {
        let stopped = async { drop(stopped.await) };
        carrier.watch_relay(&url, None, |_| (), stopped).await
    });
    let logged = Arc::new(Mutex::new(Vec::new()));
    let (kept, player) = (logged.clone(), desk.clone());
    let playing = tokio::spawn(async move {
        let told = move |done, _| kept.lock().expect("no panic").push((now_ms(), done));
        player.play(&script, speed, false, std::future::pending(), told).await
    });
    let steps = triage(&window, || playing.is_finished()).await;
    let played = playing.await.expect("no panic").expect("the night is played");
    let total = 1 + played.logged;
    let all = format!(
        "const done = arguments[0]; let left = 800; const look = () => \
         (window.surge.total === {total} || (left -= 1) < 0 ? done(window.surge) : setTimeout(look, 25)); look()"
    );
    let seen = window.client.execute_async(&all, vec![]).await.expect("the window answers");
    window.picture("surge-dark.png").await;
    assert_eq!(seen["total"], total, "everything that was logged is on the other board");
    assert_eq!(seen["jumps"], serde_json::json!([]), "the selected row stays where it is");
    drop(stop);
    drop(carrying.await);
    desk.close().await;
    // Reports alone change the number of rows; notes are counted between them.
    let reports: Vec<(u128, u64)> = {
        let script = Script::parse(NIGHT).expect("the night is well-formed");
        let own = script.injects.iter().filter(|inject| inject.by == "emb");
        let logged = logged.lock().expect("no panic");
        let with = own.zip(logged.iter()).filter(|(inject, _)| inject.log.is_some());
        with.zip(1..).map(|((_, (at, _)), number)| (*at, number)).collect()
    };
    let late = late(&reports, &seen["arrivals"], 1);
    assert_eq!(late.len() as u64, played.logged);
    let table = format!(
        "| surge at {speed} times | {} reports, {steps} keys of triage | median {} ms, 95 % {} ms, latest {} ms |\n",
        played.logged,
        late[late.len() / 2],
        late[late.len() * 95 / 100],
        late[late.len() - 1]
    );
    std::fs::write(pictures().join("timings-surge.md"), table).expect("the table can be kept");
    window.closed(&joc).await;
    let listed = joc.must(&["incident", "list", "--limit", "1"]);
    assert_eq!(listed["total"], total);
    joc.sound();
    phones.sound();
}
