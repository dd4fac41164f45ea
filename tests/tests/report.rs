//! A night's report: two desks write one text at once, one of them without a network for a while; a
//! number opens its rows; the incoming lead signs the handover. By keyboard alone, in real windows,
//! over a real relay.

use std::path::Path;

use fantoccini::Locator;
use fantoccini::key::Key;
use intact_tests::Device;
use intact_tests::driven::{Running, Timings, Window, open, relay, test_id};

fn key(key: Key) -> String {
    String::from(char::from(key))
}

/// Two desks of the commission and a relay; a few incidents are logged.
fn desks(root: &Path) -> (Device, Device, Running, String) {
    let at = |name: &str| root.join(name).to_str().expect("a plain path").to_owned();
    let (one, two) = (Device::new(root, "joc1"), Device::new(root, "joc2"));
    one.found(root);
    let ask = ["device", "request", "--agency", "emb", "--operator", "Deputy", "--device", "JOC 2", "--roles", "desk"];
    two.must(&[&ask[..], &["--out", &at("joc2.request")]].concat());
    one.must(&["roster", "enrol", &at("joc2.request"), "--out", &at("joc2.welcome")]);
    two.must(&["join", &at("joc2.welcome")]);
    for (severity, summary) in [("4", "Ballot box destroyed with acid"), ("3", "Power out"), ("2", "Long queue")] {
        let log = ["incident", "log", "--category", "ops:suspension", "--station", "0421"];
        one.must(&[&log[..], &["--summary", summary, "--severity", severity]].concat());
    }
    let (relay, url) = relay(root);
    (one, two, relay, url)
}

/// Waits until a text field holds this.
async fn holds(window: &Window, section: &str, text: &str) {
    let want = serde_json::to_string(text).expect("a text is JSON");
    window.until(&format!("document.querySelector(\"{}\")?.value === {want}", test_id(section))).await;
}

/// Waits until nothing stands there.
async fn gone(window: &Window, selector: &str) {
    window.until(&format!("document.querySelector(\"{selector}\") === null")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_desks_write_one_report_at_once_and_the_incoming_lead_signs() {
    let root = tempfile::tempdir().expect("a folder");
    let (one, two, _relay, url) = desks(root.path());
    let first = open(&one, true).await;
    let mut times = Timings::of("report and handover");
    first.wait_for("[data-testid^='row-']").await;
    first.reach(&url, true).await;
    first.press(&key(Key::Escape)).await;
    first.press("gs").await;
    first.wait_for(&test_id("new-sitrep")).await;
    let situation = test_id("section-situation");
    times
        .step("situation report: n to figures and texts", async {
            first.press("n").await;
            first.wait_for(&situation).await;
        })
        .await;
    assert_eq!(first.text_of(&format!("{} b", test_id("figure-critical"))).await, "1");
    assert_eq!(first.text_of(&format!("{} b", test_id("figure-new"))).await, "3");
    first.press("i").await;
    first.press("Quiet.").await;
    first.wait_for(".section [role='status']").await;
    holds(&first, "section-situation", "Quiet.").await;

    // The other desk fetches it once, and is without a network from then on.
    let second = open(&two, true).await;
    second.wait_for(&test_id("nav-exchange")).await;
    second.reach(&url, false).await;
    second.wait_for("[data-testid='said']:not(:empty)").await;
    second.press(&key(Key::Escape)).await;
    second.press("gs").await;
    second.wait_for(&situation).await;
    holds(&second, "section-situation", "Quiet.").await;

    // Both write, and neither sees the other.
    first.press(" Box replaced.").await;
    second.press("i").await;
    second.press(&format!("{}At 20:41: ", key(Key::Home))).await;
    holds(&first, "section-situation", "Quiet. Box replaced.").await;
    holds(&second, "section-situation", "At 20:41: Quiet.").await;
    let both = "At 20:41: Quiet. Box replaced.";
    second.press(&key(Key::Escape)).await;
    second.reach(&url, true).await;
    times.step("the other's words, from connecting to both texts", holds(&first, "section-situation", both)).await;
    second.press(&key(Key::Escape)).await;
    second.press("gs").await;
    holds(&second, "section-situation", both).await;

    // Live: what one types, the other sees.
    second.press("i").await;
    second.press(&format!("{} Closing.", key(Key::End))).await;
    times
        .step(
            "a word typed at one desk, on the other's screen",
            holds(&first, "section-situation", "At 20:41: Quiet. Box replaced. Closing."),
        )
        .await;
    first.tab_to("sign-prepared").await;
    times
        .step("signed as prepared", async {
            first.press(&key(Key::Enter)).await;
            first.wait_for(&format!("{} li .strong", test_id("signatures"))).await;
        })
        .await;
    first.both("report").await;

    // A number opens its rows.
    first.tab_to("figure-critical").await;
    times
        .step("a figure opens its rows on the board", async {
            first.press(&key(Key::Enter)).await;
            first.wait_for(&test_id("view-free")).await;
            first.wait_for("[data-testid^='row-']").await;
        })
        .await;
    let rows = first.client.find_all(Locator::Css("[data-testid^='row-']")).await.expect("the window answers");
    assert_eq!(rows.len(), 1);
    first.client.find(Locator::Css(&test_id("view-free"))).await.expect("it is there").click().await.expect("a click");
    gone(&first, &test_id("view-free")).await;

    // The shift changes: the incoming lead reads what is open, and signs.
    second.press(&key(Key::Escape)).await;
    second.press("gs").await;
    second.wait_for(&test_id("new-handover")).await;
    times
        .step("handover: h to what is open, overdue and promised", async {
            second.press("h").await;
            second.wait_for(&test_id("sign-taken-over")).await;
        })
        .await;
    second.tab_to("section-notes").await;
    second.press("Generator of 0877 is on its last tank.").await;
    second.tab_to("sign-taken-over").await;
    times
        .step("handover signed by the incoming lead", async {
            second.press(&key(Key::Enter)).await;
            second.wait_for(&format!("{} li .strong", test_id("signatures"))).await;
        })
        .await;
    second.both("handover").await;
    let shown = one_report(&two, second, "EMB-HANDOVER").await;
    assert_eq!(shown["signatures"][0]["capacity"], "taken-over");
    assert_eq!(shown["signatures"][0]["current"], true);
    let notes = shown["sections"].as_array().expect("texts").iter().find(|text| text["name"] == "notes");
    assert_eq!(notes.expect("notes")["text"], "Generator of 0877 is on its last tank.");
    let shown = one_report(&one, first, "EMB-SITREP").await;
    assert_eq!(shown["signatures"][0]["capacity"], "prepared");
}

/// Closes the window, and asks the vault itself.
async fn one_report(device: &Device, window: Window, named: &str) -> serde_json::Value {
    window.closed(device).await;
    device.must(&["report", "show", named])
}

#[test]
fn a_number_keeps_its_rows_and_a_signature_its_text() {
    let root = tempfile::tempdir().expect("a folder");
    let at = |name: &str| root.path().join(name).to_str().expect("a plain path").to_owned();
    let emb = Device::new(root.path(), "emb");
    emb.found(root.path());
    let mut references = Vec::new();
    for (severity, summary) in [("4", "Ballot box destroyed with acid"), ("3", "Power out"), ("1", "Long queue")] {
        let log = ["incident", "log", "--category", "ops:suspension", "--severity", severity, "--summary", summary];
        references.push(emb.must(&log)["reference"].as_str().expect("a reference").to_owned());
    }
    let show = emb.must(&["report", "start", "situation-report"]);
    let figure = |show: &serde_json::Value, name: &str| {
        let found = show["figures"].as_array().expect("figures").iter().find(|figure| figure["name"] == name).cloned();
        found.unwrap_or_default()
    };
    assert_eq!(figure(&show, "new")["count"], 3);
    assert_eq!(figure(&show, "critical")["rows"], serde_json::json!([references[0]]));
    // The numbers stay as they were counted, whatever happens to the incidents.
    emb.must(&["incident", "state", &references[0], "closed", "--reason", "Replaced"]);
    let report = show["row"]["reference"].as_str().expect("a reference");
    assert_eq!(figure(&emb.must(&["report", "show", report]), "critical")["count"], 1);

    let text = at("situation.txt");
    std::fs::write(&text, "Quiet.\n").expect("a file");
    let written = emb.must(&["report", "write", report, "--section", "situation", "--file", &text]);
    assert!(written["entry"].is_string());
    assert!(emb.must(&["report", "write", report, "--section", "situation", "--file", &text])["entry"].is_null());
    emb.must(&["report", "sign", report, "--as", "approved"]);
    assert_eq!(emb.must(&["report", "show", report])["signatures"][0]["current"], true);
    std::fs::write(&text, "Quiet. And so it stays.\n").expect("a file");
    emb.must(&["report", "write", report, "--section", "situation", "--file", &text]);
    assert_eq!(emb.must(&["report", "show", report])["signatures"][0]["current"], false);

    let code = |arguments: &[&str]| emb.run(arguments).status.code();
    assert_eq!(code(&["report", "show", &references[1]]), Some(4), "an incident is no report");
    let backwards = ["--from", "2026-10-04T22:00:00+02:00", "--to", "2026-10-04T21:00:00+02:00"];
    assert_eq!(code(&[&["report", "start", "handover"][..], &backwards].concat()), Some(2));
    std::fs::write(&text, "x".repeat(70_000)).expect("a file");
    assert_eq!(code(&["report", "write", report, "--section", "needs", "--file", &text]), Some(2));
    std::fs::write(&text, "x").expect("a file");
    assert_eq!(code(&["report", "write", report, "--section", "No section", "--file", &text]), Some(2));
    emb.sound();

    // Whoever is in the field writes no report.
    let field = Device::new(root.path(), "field");
    let ask =
        ["device", "request", "--agency", "emb", "--operator", "P. Officer", "--device", "F 12", "--roles", "field"];
    field.must(&[&ask[..], &["--out", &at("field.request")]].concat());
    emb.must(&["roster", "enrol", &at("field.request"), "--out", &at("field.welcome")]);
    field.must(&["join", &at("field.welcome")]);
    assert_eq!(field.run(&["report", "start", "handover"]).status.code(), Some(3));
}
