//! The real window: two instances under a real display, a real relay between their vaults. An
//! incident typed with the keyboard alone on the field laptop appears on the operations centre's
//! board; every screen leaves its picture, dark and light.

use std::path::Path;
use std::time::Duration;

use fantoccini::Locator;
use fantoccini::key::Key;
use intact_tests::driven::{Running, Timings, Window, open, relay, test_id};
use intact_tests::{Device, Practice};
use serde_json::json;

/// An operation of two devices that know each other, and a relay.
fn operation(root: &Path) -> (Device, Device, Running, String) {
    let at = |name: &str| root.join(name).to_str().unwrap().to_owned();
    let (emb, field) = (Device::new(root, "emb"), Device::new(root, "field"));
    emb.found(root);
    let request = at("field.request");
    field.must(&[
        "device",
        "request",
        "--agency",
        "emb",
        "--operator",
        "P. Officer",
        "--device",
        "Field 12",
        "--roles",
        "field",
        "--out",
        &request,
    ]);
    emb.must(&["roster", "enrol", &request, "--out", &at("field.welcome")]);
    field.must(&["join", &at("field.welcome")]);
    let (relay, url) = relay(root);
    (emb, field, relay, url)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_typed_by_keyboard_appears_on_the_other_board() {
    let root = tempfile::tempdir().unwrap();
    let (emb, field, _relay, url) = operation(root.path());
    emb.must(&[
        "incident",
        "log",
        "--category",
        "ops:late-opening",
        "--summary",
        "Station opened late",
        "--severity",
        "2",
        "--station",
        "0733",
    ]);

    // The operations centre unlocks with its passphrase, by keyboard.
    let joc = open(&emb, false).await;
    let passphrase = joc.wait_for(&test_id("unlock-passphrase")).await;
    joc.both("unlock").await;
    let words = std::fs::read_to_string(&emb.passphrase).unwrap();
    passphrase.send_keys(words.trim()).await.unwrap();
    joc.press(&String::from(char::from(Key::Enter))).await;
    joc.wait_for(&test_id("search")).await;
    joc.reach(&url, true).await;
    joc.both("exchange").await;
    joc.press(&String::from(char::from(Key::Escape))).await;
    joc.wait_for("[data-testid^='row-']").await;

    // The field laptop logs with the keyboard alone.
    let laptop = open(&field, true).await;
    laptop.wait_for(&test_id("search")).await;
    laptop.reach(&url, true).await;
    let mut times = Timings::of("ballot box");
    times
        .step("log: the key to the open form", async {
            laptop.press("gl").await;
            laptop.wait_for(&test_id("field-station")).await;
        })
        .await;
    let tab = String::from(char::from(Key::Tab));
    laptop.press("0421 rue Chevreul").await;
    laptop.press(&tab).await;
    // The time is left at "now".
    laptop.press(&tab).await;
    laptop.press("Ballot box destroyed with acid").await;
    laptop.press(&tab).await;
    laptop.press("tampering").await;
    laptop.wait_for("[role='listbox']:not([hidden]) li").await;
    laptop.press(&tab).await;
    laptop.press(" ").await;
    for _ in 0..3 {
        laptop.press(&String::from(char::from(Key::Right))).await;
    }
    laptop.press(&tab).await;
    times
        .step("the last word typed to the draft kept", async {
            laptop.press("None hurt").await;
            laptop.wait_for(&test_id("draft-kept")).await;
        })
        .await;
    laptop.both("log").await;
    let sign = format!("{}{}", char::from(Key::Control), char::from(Key::Enter));
    times
        .step("Ctrl Enter to signed and kept, and its row on the other board", async {
            laptop.press(&sign).await;
            laptop.wait_for(&test_id("signed")).await;
            arrived(&joc).await;
        })
        .await;
    laptop.picture("log-signed-dark.png").await;

    // It appears on the other board by itself, on top.
    let row = joc.wait_for("[data-testid^='row-EMB-0421']").await;
    let text = row.prop("textContent").await.unwrap().unwrap_or_default();
    assert!(text.contains("Ballot box destroyed with acid"), "{text}");
    row.click().await.unwrap();
    joc.both("board").await;
    joc.press(&String::from(char::from(Key::Enter))).await;
    let trail = joc.wait_for(&test_id("tab-trail")).await;
    joc.both("incident").await;
    trail.click().await.unwrap();
    joc.both("trail").await;

    let found = emb_after(joc, &emb).await;
    assert!(found.contains("Ballot box destroyed with acid"));
    laptop.client.close().await.unwrap();
}

/// The new row stands on the operations centre's board.
async fn arrived(joc: &Window) {
    joc.wait_for("[data-testid^='row-EMB-0421']").await;
}

/// Closes a window and asks its vault, now free, what it holds.
async fn emb_after(window: Window, device: &Device) -> String {
    window.closed(device).await;
    let done = device.run(&["incident", "list"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// Every screen of the operations centre on a practice night, with its dialogs, dark and light; the ones
/// that people read most in French and in Arabic too.
#[tokio::test(flavor = "multi_thread")]
async fn every_screen_of_a_night_is_pictured_and_accessible() {
    let practice = Practice::found();
    let window = open(&practice.device("emb"), true).await;
    window.wait_for(&test_id("search")).await;
    let row = window.wait_for("[data-testid='row-EMB-0421-0001']").await;
    row.click().await.unwrap();
    window.both("night-board").await;
    let escape = String::from(char::from(Key::Escape));
    for (key, name) in [("r", "refer"), ("s", "share"), ("n", "note"), ("?", "keys")] {
        window.press(key).await;
        window.wait_for("dialog[open]").await;
        window.both(&format!("night-{name}")).await;
        window.press(&escape).await;
    }
    window.press(&String::from(char::from(Key::Enter))).await;
    let trail = window.wait_for(&test_id("tab-trail")).await;
    window.both("night-incident").await;
    trail.click().await.unwrap();
    window.both("night-trail").await;
    for (keys, name, shows) in
        [("gr", "referrals", "main h2"), ("go", "roster", "main h2"), ("gl", "log", "[data-testid='field-station']")]
    {
        window.press(&escape).await;
        window.press(keys).await;
        window.wait_for(shows).await;
        window.both(&format!("night-{name}")).await;
    }
    window.press(&escape).await;
    window.press("gp").await;
    window.wait_for(&test_id("map-ground")).await;
    window.wait_for("[data-testid^='mark-']").await;
    window.both("night-map").await;
    window.press(&escape).await;
    window.wait_for(&test_id("search")).await;
    window.press("gw").await;
    window.wait_for(&test_id("wallboard")).await;
    window.both("night-wall").await;
    window.press(&escape).await;
    window.wait_for(&test_id("search")).await;
    for language in ["fr", "ar"] {
        let choice = window.wait_for(&test_id("nav-language")).await;
        choice.select_by_value(language).await.unwrap();
        window.wait_for(&format!("html[lang='{language}']")).await;
        window.wait_for(&test_id("nav-here")).await.click().await.unwrap();
        window.wait_for("[data-testid='row-EMB-0421-0001']").await.click().await.unwrap();
        window.both(&format!("night-board-{language}")).await;
        window.wait_for(&test_id("nav-log")).await.click().await.unwrap();
        window.wait_for(&test_id("field-station")).await;
        window.both(&format!("night-log-{language}")).await;
        window.wait_for(&test_id("nav-exchange")).await.click().await.unwrap();
        window.wait_for(&test_id("relay-url")).await;
        window.both(&format!("night-exchange-{language}")).await;
    }
    window.client.close().await.unwrap();
}

/// Logs a ballot box that was tampered with. Its reference.
fn tampered(device: &Device, summary: &str, station: &str) -> String {
    let what = ["--category", "ops:box-tampering", "--summary", summary, "--severity", "2", "--station", station];
    let done = device.must(&[&["incident", "log"][..], &what[..]].concat());
    done["reference"].as_str().unwrap().to_owned()
}

/// Triage by keyboard alone: merge what is the same matter, act on several at once, take steps back.
#[tokio::test(flavor = "multi_thread")]
async fn triage_by_keyboard_merges_marks_and_takes_back() {
    let root = tempfile::tempdir().unwrap();
    let emb = Device::new(root.path(), "emb");
    emb.found(root.path());
    let first = tampered(&emb, "Ballot box destroyed with acid", "0421");
    let elsewhere = tampered(&emb, "Ballot box seal is broken", "0733");
    let again = tampered(&emb, "Box destroyed at the school", "0421");
    let window = open(&emb, true).await;
    let row = |reference: &str| test_id(&format!("row-{reference}"));
    let said = async |words: &str| {
        let xpath = format!("//*[@data-testid='status'][contains(., '{words}')]");
        window
            .client
            .wait()
            .at_most(Duration::from_secs(30))
            .for_element(Locator::XPath(&xpath))
            .await
            .expect("it is said");
    };
    window.wait_for(&row(&again)).await.click().await.unwrap();
    // The other report of that station is proposed, and nothing of another one.
    window.press("d").await;
    window.wait_for(&test_id(&format!("likely-{first}"))).await;
    let other = test_id(&format!("likely-{elsewhere}"));
    assert!(window.client.find(Locator::Css(&other)).await.is_err(), "another station is another matter");
    window.both("duplicate").await;
    let mut times = Timings::of("triage");
    times
        .step("merge: the key to its word", async {
            window.press("1").await;
            said("Duplicate").await;
        })
        .await;
    times
        .step("taken back", async {
            window.press("z").await;
            said("Set back by a later entry").await;
        })
        .await;
    // Two marked, one key.
    window.wait_for(&row(&again)).await.click().await.unwrap();
    window.press(" ").await;
    window.press(" ").await;
    window.wait_for(&test_id("marked")).await;
    window.both("marked").await;
    times
        .step("severity of two marked incidents", async {
            window.press("3").await;
            said("2 incidents").await;
        })
        .await;
    window.press("o").await;
    said("Out of scope").await;
    window.press("z").await;
    said("Set back by a later entry").await;
    let list = emb_after(window, &emb).await;
    for reference in [&first, &elsewhere, &again] {
        assert!(list.contains(reference.as_str()), "{reference} in {list}");
    }
    let links = emb.must(&["incident", "show", &again])["links"].clone();
    assert_eq!(links, json!([]), "the merge was taken back");
    let severities: Vec<_> = [&again, &elsewhere, &first]
        .map(|one| emb.must(&["incident", "show", one])["fields"]["severity"].clone())
        .into();
    assert_eq!(severities, [json!(3), json!(3), json!(2)]);
    emb.sound();
}

/// Keys pressed faster than the window answers: each acts on the incident that it was meant for.
#[tokio::test(flavor = "multi_thread")]
async fn keys_pressed_at_once_act_on_their_own_incidents() {
    let root = tempfile::tempdir().unwrap();
    let emb = Device::new(root.path(), "emb");
    emb.found(root.path());
    let [fourth, third, second, first] =
        ["North gate", "East gate", "South gate", "West gate"].map(|gate| tampered(&emb, gate, "0421"));
    let window = open(&emb, true).await;
    window.wait_for(&test_id(&format!("row-{first}"))).await;
    // The second is Low, the fourth Serious and stays it; the first is out of scope, and so is what comes
    // after it; of the third, something is told.
    window.press("j1jj31z2zkkkoo").await;
    for gone in [&first, &second] {
        window.until(&format!("document.querySelector({}) === null", json!(test_id(&format!("row-{gone}"))))).await;
    }
    window.press("jknNot armed, none hurt").await;
    window.press(&format!("{}{}", char::from(Key::Control), char::from(Key::Enter))).await;
    window.says(".detail", "Not armed").await;
    emb_after(window, &emb).await;
    let of = |reference: &String| {
        let shown = emb.must(&["incident", "show", reference]);
        let told = shown["entries"].to_string().contains("Not armed, none hurt");
        (shown["state"].clone(), shown["fields"]["severity"].clone(), told)
    };
    assert_eq!(
        [&first, &second, &third, &fourth].map(of),
        [
            (json!("out-of-scope"), json!(2), false),
            (json!("out-of-scope"), json!(1), false),
            (json!("new"), json!(2), true),
            (json!("new"), json!(3), false)
        ]
    );
    emb.sound();
}

/// An operator's own map file, chosen by keyboard: its streets are drawn under the marks, and what is no
/// map file is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_map_file_of_ones_own_is_drawn() {
    let practice = Practice::found();
    let emb = practice.device("emb");
    let hex: String = include_str!("town.pmtiles.hex").split_whitespace().collect();
    let bytes = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap());
    let town = practice.at("town.pmtiles");
    std::fs::write(&town, bytes.collect::<Vec<u8>>()).unwrap();
    let other = practice.at("minutes.txt");
    std::fs::write(&other, "no map").unwrap();

    let window = open(&emb, true).await;
    window.wait_for(&test_id("search")).await;
    window.press("gp").await;
    window.wait_for("[data-testid^='mark-']").await;
    // The file's tiles are of the town of the first mark: it is looked at closely.
    window.press("j+++").await;
    let drawn = "document.querySelector('.surface canvas').toDataURL()";
    let keep = format!("window.before = {drawn}");
    let choose = async |path: &str| {
        window.wait_for(&test_id("map-ground-choose")).await.click().await.unwrap();
        window.wait_for(&test_id("ground-path")).await.clear().await.unwrap();
        window.tab_to("ground-path").await;
        window.press(path).await;
        window.press(&String::from(char::from(Key::Enter))).await;
    };
    choose(&other).await;
    window.says("dialog", "no PMTiles archive").await;
    window.both("map-ground-wrong").await;
    window.press(&String::from(char::from(Key::Escape))).await;
    window.client.execute(&keep, vec![]).await.unwrap();
    choose(&town).await;
    window.until(&format!("document.querySelector('dialog') === null && {drawn} !== window.before")).await;
    window.both("map-ground").await;
    window.closed(&emb).await;
    emb.sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_run_asks_what_to_do() {
    let root = tempfile::tempdir().unwrap();
    let window = open(&Device::new(root.path(), "new"), false).await;
    window.wait_for("[data-testid^='first-']").await;
    window.both("first-run").await;
    window.client.close().await.unwrap();
}
