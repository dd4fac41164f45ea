//! `kill -9` at random moments of logging, importing and exchanging: nothing acknowledged is lost,
//! every vault opens, and the check finds nothing.

use std::io::Read;
use std::time::Duration;

use intact_tests::{Chance, Device, shared, times};
use serde_json::Value;

/// Waits a random while, kills, and gives back what the process had said by then.
fn killed(mut child: std::process::Child, chance: &mut Chance, most_ms: u64) -> String {
    // Chance decides when the blow falls; nothing is asserted about time.
    std::thread::park_timeout(Duration::from_millis(chance.below(most_ms)));
    let _ = child.kill();
    let mut said = String::new();
    if let Some(out) = child.stdout.as_mut() {
        let _ = out.read_to_string(&mut said);
    }
    let _ = child.wait();
    said
}

#[test]
fn logging_killed_loses_nothing_acknowledged() {
    let root = tempfile::tempdir().unwrap();
    let emb = Device::new(root.path(), "emb");
    emb.found(root.path());
    let mut chance = Chance::seeded(1);
    let mut acknowledged = Vec::new();
    for round in 0..times("INTACT_KILLS", 10) {
        let summary = format!("Report {round}");
        let child = emb.start(&["incident", "log", "--category", "ops:late-opening", "--summary", &summary]);
        let said = killed(child, &mut chance, 1500);
        if let Ok(report) = serde_json::from_str::<Value>(&said) {
            acknowledged.push(report["reference"].as_str().unwrap_or("?").to_owned());
        }
    }
    let list = emb.must(&["incident", "list", "--limit", "1000"]);
    let rows = list["items"].as_array().unwrap();
    let held: Vec<&str> = rows.iter().filter_map(|row| row["reference"].as_str()).collect();
    for reference in &acknowledged {
        assert!(held.contains(&reference.as_str()), "{reference} was acknowledged and is gone");
    }
    emb.sound();
}

#[test]
fn an_import_killed_and_run_again_ends_the_same() {
    let root = tempfile::tempdir().unwrap();
    let emb = Device::new(root.path(), "emb");
    emb.found(root.path());
    let table = shared().join("data/deco-1989-2011.csv");
    let mapping = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/import/deco.mapping.json");
    let import = ["import", "csv", table.to_str().unwrap(), "--mapping", mapping];
    let mut chance = Chance::seeded(2);
    for _ in 0..times("INTACT_KILLS", 6) {
        killed(emb.start(&import), &mut chance, 3500);
    }
    let last = emb.must(&import);
    assert_eq!(last["skipped"], serde_json::json!([]));
    assert_eq!(last["created"].as_u64().unwrap() + last["updated"].as_u64().unwrap(), 3048);
    let again = emb.must(&import);
    assert_eq!((again["created"].as_u64(), again["updated"].as_u64()), (Some(0), Some(3048)));
    assert_eq!(emb.must(&["incident", "list", "--limit", "1"])["total"], 3048);
    let found = emb.must(&["incident", "list", "--search", "Kenya", "--limit", "1"]);
    assert!(found["total"].as_u64().unwrap() > 50, "{found}");
    emb.sound();
}

#[test]
fn an_exchange_killed_and_run_again_ends_the_same() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name).to_str().unwrap().to_owned();
    let (emb, field) = (Device::new(root.path(), "emb"), Device::new(root.path(), "field"));
    emb.found(root.path());
    let request = at("field.request");
    let ask = [
        "device",
        "request",
        "--agency",
        "emb",
        "--operator",
        "P",
        "--device",
        "F1",
        "--roles",
        "field",
        "--out",
        &request,
    ];
    field.must(&ask);
    emb.must(&["roster", "enrol", &request, "--out", &at("field.welcome")]);
    field.must(&["join", &at("field.welcome")]);
    let mut chance = Chance::seeded(3);
    for round in 0..times("INTACT_KILLS", 4) {
        let summary = format!("Report {round}");
        field.must(&["incident", "log", "--category", "ops:late-opening", "--summary", &summary]);
        let parcel = at(&format!("{round}.parcel"));
        killed(field.start(&["parcel", "write", "--to", "emb", "--out", &parcel]), &mut chance, 1200);
        field.must(&["parcel", "write", "--to", "emb", "--out", &parcel]);
        killed(emb.start(&["parcel", "read", &parcel]), &mut chance, 1500);
        emb.must(&["parcel", "read", &parcel]);
        assert_eq!(emb.must(&["incident", "list", "--limit", "100"])["total"], round + 1);
    }
    emb.sound();
    field.sound();
}
