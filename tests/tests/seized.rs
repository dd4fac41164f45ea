//! A laptop is seized: by keyboard alone one administrator's window revokes it and another's approves,
//! the report says what it could read, and what it writes later stands apart at another institution.

use std::path::Path;

use fantoccini::key::Key;
use intact_tests::driven::{Timings, Window, open, test_id};
use intact_tests::{Device, Serving};
use serde_json::{Value, json};

fn enter() -> String {
    String::from(char::from(Key::Enter))
}

/// The commission's first desk, its field laptop that has logged one incident, and the police, with whom
/// that incident is shared. The commission's second desk has asked and waits.
struct Night {
    joc1: Device,
    joc2: Device,
    field: Device,
    police: Device,
    reference: String,
}

impl Night {
    fn new(root: &Path) -> Self {
        let at = |name: &str| root.join(name).to_str().expect("a plain path").to_owned();
        let [joc1, joc2, field, police] = ["joc1", "joc2", "field", "police"].map(|name| Device::new(root, name));
        joc1.found(root);
        let request =
            ["agency", "request", "--agency", "police", "--kind", "police", "--agency-name", "National Police"];
        let who = ["--operator", "Insp. Marchand", "--device", "K2 desk"];
        let files = [at("police.root"), at("police.request")];
        let [root_file, asked] = [files[0].as_str(), &files[1]];
        police.must(&[&request[..], &who, &["--root-out", root_file, "--out", asked]].concat());
        joc1.must(&["roster", "admit", asked, "--root", &at("emb.root"), "--out", &at("welcome")]);
        police.must(&["join", &at("welcome/police.welcome")]);
        ask(&field, "P. Officer", "Field 12", "field", &at("field.request"));
        joc1.must(&["roster", "enrol", &at("field.request"), "--out", &at("field.welcome")]);
        field.must(&["join", &at("field.welcome")]);
        ask(&joc2, "Deputy", "JOC 2", "desk,admin", &at("joc2.request"));
        let logged = field.must(&[
            "incident",
            "log",
            "--category",
            "ops:box-tampering",
            "--summary",
            "Ballot box destroyed with acid",
            "--severity",
            "4",
            "--station",
            "0421",
        ]);
        let reference = logged["reference"].as_str().expect("a reference").to_owned();
        exchange(&field, &joc1);
        joc1.must(&["share", &reference, "--with", "police"]);
        exchange(&joc1, &police);
        Self { joc1, joc2, field, police, reference }
    }
}

fn ask(device: &Device, operator: &str, name: &str, roles: &str, out: &str) {
    let request = ["device", "request", "--agency", "emb", "--operator", operator, "--device", name];
    device.must(&[&request[..], &["--roles", roles, "--out", out]].concat());
}

/// One exchange on the local network.
fn exchange(from: &Device, with: &Device) -> Value {
    let serving = Serving::start(with);
    from.must(&["sync", "--peer", &serving.address])
}

/// Goes to the Roster screen and walks to a device with `j`.
async fn choose(window: &Window, name: &str) {
    window.press("go").await;
    window.wait_for(&test_id(&format!("device-{name}"))).await;
    for _ in 0..8 {
        window.press("k").await;
    }
    let chosen = format!("[data-testid='device-{name}'][aria-selected='true']");
    for _ in 0..8 {
        if window.client.find(fantoccini::Locator::Css(&chosen)).await.is_ok() {
            return;
        }
        window.press("j").await;
    }
    panic!("j does not come to {name}");
}

/// Enrols the second desk: its id is shown to be compared before anything is signed.
async fn enrol(window: &Window, root: &Path, id: &str) {
    window.press("go").await;
    window.wait_for(&test_id("roster-enrol")).await;
    window.press("n").await;
    window.wait_for(&test_id("enrol-path")).await;
    window.press(root.join("joc2.request").to_str().expect("a plain path")).await;
    window.press(&enter()).await;
    let request = window.text_of(&test_id("request")).await;
    assert!(request.contains("JOC 2") && request.contains("Deputy"), "{request}");
    let shown = window.text_of("dialog .id").await;
    assert_eq!(shown.split_whitespace().collect::<String>(), id);
    window.both("enrol").await;
    window.tab_to("enrol-out").await;
    window.press(root.join("joc2.welcome").to_str().expect("a plain path")).await;
    window.press(&enter()).await;
    window.wait_for(&test_id("enrolled")).await;
    window.press(&String::from(char::from(Key::Escape))).await;
    window.wait_for(&test_id("device-JOC 2")).await;
}

/// The second administrator reads the question and approves.
async fn approve(window: &Window, question: &str, approval: &str) {
    window.press("go").await;
    window.wait_for(&test_id("roster-approve")).await;
    window.press("a").await;
    window.wait_for(&test_id("approve-path")).await;
    window.press(question).await;
    window.press(&enter()).await;
    let asked = window.text_of(&test_id("approval")).await;
    assert!(asked.contains("Field 12") && asked.contains("taken from the car"), "{asked}");
    window.both("approve").await;
    window.tab_to("approve-out").await;
    window.press(approval).await;
    window.press(&enter()).await;
    window.wait_for(&test_id("approved")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seized_laptop_is_revoked_by_keyboard_and_what_it_writes_later_stands_apart() {
    let root = tempfile::tempdir().expect("a folder for tests");
    let at = |name: &str| root.path().join(name).to_str().expect("a plain path").to_owned();
    let night = Night::new(root.path());
    let asked: Value =
        serde_json::from_slice(&std::fs::read(root.path().join("joc2.request")).expect("a request")).expect("JSON");

    let first = open(&night.joc1, true).await;
    first.wait_for(&test_id("search")).await;
    enrol(&first, root.path(), asked["enrol"]["device"].as_str().expect("an id")).await;
    night.joc2.must(&["join", &at("joc2.welcome")]);

    // Choose the device, press x, say why; all that is known is good unless said otherwise.
    choose(&first, "Field 12").await;
    first.both("roster").await;
    let mut times = Timings::of("seized laptop");
    times
        .step("x to the question", async {
            first.press("x").await;
            first.wait_for(&test_id("revoke-reason")).await;
        })
        .await;
    first.press("Laptop taken from the car at 20:50").await;
    let go = format!("{}:enabled", test_id("revoke-go"));
    first.wait_for(&go).await;
    first.both("revoke").await;
    first.press(&format!("{}{}", char::from(Key::Control), char::from(Key::Enter))).await;
    first.wait_for(&test_id("ask-out")).await;
    first.tab_to("ask-out").await;
    first.press(&at("question")).await;
    first.press(&enter()).await;
    first.wait_for("dialog .good:not(:empty)").await;
    first.both("revoke-second").await;

    let second = open(&night.joc2, true).await;
    second.wait_for(&test_id("search")).await;
    approve(&second, &at("question"), &at("approval")).await;
    second.closed(&night.joc2).await;

    first.tab_to("approval-path").await;
    first.press(&at("approval")).await;
    let told = times
        .step("the approval's file to revoked, and what it could read", async {
            first.press(&enter()).await;
            first.text_of(&test_id("reach")).await
        })
        .await;
    assert!(told.contains(&night.reference) && told.contains("it wrote there"), "{told}");
    assert!(told.contains("cannot be taken back") && told.contains("P. Officer"), "{told}");
    first.both("revoke-done").await;
    first.press(&String::from(char::from(Key::Escape))).await;
    first.wait_for("[data-testid='device-Field 12'] .bad").await;
    first.both("roster-revoked").await;
    first.closed(&night.joc1).await;

    later(&night).await;
}

/// The thief writes on; what it hands over is taken, told apart, and counts nowhere.
async fn later(night: &Night) {
    night.field.must(&["incident", "note", &night.reference, "--text", "Nothing happened here"]);
    night.field.must(&["incident", "log", "--category", "ops:x", "--summary", "Made up"]);
    exchange(&night.field, &night.joc1);
    exchange(&night.joc1, &night.police);
    let reach = night.joc1.must(&["device", "reach", "Field 12"]);
    assert_eq!((&reach["total"], &reach["cut"], &reach["apart"]), (&json!(1), &json!(1), &json!(2)), "{reach}");
    assert_eq!(reach["agency_key"], false);

    let window = open(&night.police, true).await;
    let row = window.text_of(&test_id(&format!("row-{}", night.reference))).await;
    assert!(row.contains("after a revocation"), "{row}");
    window.press("j").await;
    window.press(&enter()).await;
    window.wait_for(&test_id("tab-trail")).await;
    let apart = window.text_of(&test_id("apart")).await;
    assert!(apart.contains("written after this device was revoked, not counted"), "{apart}");
    assert!(apart.contains("Nothing happened here"), "{apart}");
    let standing = window.text_of("ol.standing").await;
    assert!(standing.contains("Ballot box destroyed") && !standing.contains("Nothing happened"), "{standing}");
    window.both("apart").await;
    window.press(&String::from(char::from(Key::Right))).await;
    window.wait_for("table [data-testid='apart'], tbody[data-testid='apart']").await;
    window.both("apart-trail").await;
    window.closed(&night.police).await;
    for device in [&night.joc1, &night.police] {
        device.sound();
        let shown = device.must(&["incident", "show", &night.reference]);
        let entries = shown["entries"].as_array().expect("entries");
        let last = entries.iter().find(|entry| entry["text"] == "Nothing happened here").expect("it is never dropped");
        assert_eq!((&last["status"], &last["why"]), (&json!("quarantined"), &json!("revoked")));
    }
}
