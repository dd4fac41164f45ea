//! `kill -9` at random moments of logging, importing and exchanging: nothing acknowledged is lost,
//! every vault opens, and the check finds nothing.

use std::io::Read;
use std::time::Duration;

use intact_tests::{Chance, Practice, Serving, shared, times};
use serde_json::{Value, json};

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
    let practice = Practice::found();
    let emb = practice.device("emb");
    let mut chance = Chance::seeded(1);
    let mut acknowledged = Vec::new();
    for round in 0..times("INTACT_KILLS", 20) {
        let summary = format!("Report {round}");
        let child = emb.start(&["incident", "log", "--category", "ops:late-opening", "--summary", &summary]);
        let said = killed(child, &mut chance, 250);
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
    let practice = Practice::found();
    let emb = practice.device("cert");
    let before = emb.must(&["incident", "list", "--limit", "1"])["total"].as_u64().unwrap();
    let table = shared().join("data/deco-1989-2011.csv");
    let mapping = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/import/deco.mapping.json");
    let import = ["import", "csv", table.to_str().unwrap(), "--mapping", mapping];
    let mut chance = Chance::seeded(2);
    for _ in 0..times("INTACT_KILLS", 20) {
        killed(emb.start(&import), &mut chance, 1500);
    }
    let last = emb.must(&import);
    assert_eq!(last["skipped"], json!([]));
    assert_eq!(last["created"].as_u64().unwrap() + last["updated"].as_u64().unwrap(), 3048);
    let again = emb.must(&import);
    assert_eq!((again["created"].as_u64(), again["updated"].as_u64()), (Some(0), Some(3048)));
    assert_eq!(emb.must(&["incident", "list", "--limit", "1"])["total"], before + 3048);
    let found = emb.must(&["incident", "list", "--search", "Kenya", "--limit", "1"]);
    assert!(found["total"].as_u64().unwrap() > 50, "{found}");
    emb.sound();
}

#[test]
fn a_parcel_killed_and_carried_again_ends_the_same() {
    let practice = Practice::found();
    let (emb, field) = (practice.device("emb"), practice.device("field"));
    let before = emb.must(&["incident", "list", "--limit", "1"])["total"].as_u64().unwrap();
    let mut chance = Chance::seeded(3);
    let rounds = times("INTACT_KILLS", 10);
    for round in 0..rounds {
        let summary = format!("Report {round}");
        field.must(&["incident", "log", "--category", "ops:late-opening", "--summary", &summary]);
        let parcel = practice.at("out.parcel");
        killed(field.start(&["parcel", "write", "--to", "emb", "--out", &parcel]), &mut chance, 200);
        field.must(&["parcel", "write", "--to", "emb", "--out", &parcel]);
        killed(emb.start(&["parcel", "read", &parcel]), &mut chance, 200);
        emb.must(&["parcel", "read", &parcel]);
        assert_eq!(emb.must(&["incident", "list", "--limit", "1"])["total"], before + round + 1);
    }
    emb.sound();
    field.sound();
}

#[test]
fn a_conversation_killed_at_either_end_ends_the_same() {
    let practice = Practice::found();
    let (emb, field) = (practice.device("emb"), practice.device("field"));
    let photo = practice.at("photo.jpg");
    std::fs::write(&photo, vec![7; 3_000_000]).unwrap();
    let mut chance = Chance::seeded(4);
    for round in 0..times("INTACT_KILLS", 10) {
        let summary = format!("Report {round}");
        let made = field.must(&["incident", "log", "--category", "ops:late-opening", "--summary", &summary]);
        let reference = made["reference"].as_str().unwrap();
        field.must(&["exhibit", "add", reference, &photo]);
        let serving = Serving::start(&emb);
        let calling = field.start(&["sync", "--peer", &serving.address]);
        if chance.below(2) == 0 {
            killed(calling, &mut chance, 400);
            drop(serving);
        } else {
            std::thread::park_timeout(Duration::from_millis(chance.below(400)));
            drop(serving);
            killed(calling, &mut chance, 1);
        }
        let serving = Serving::start(&emb);
        field.must(&["sync", "--peer", &serving.address]);
        drop(serving);
        let shown = emb.must(&["incident", "show", reference]);
        let there = field.must(&["incident", "show", reference]);
        assert_eq!(shown["digest"], there["digest"]);
        let back = practice.at("back.jpg");
        emb.must(&["exhibit", "get", reference, shown["exhibits"][0]["id"].as_str().unwrap(), "--out", &back]);
        std::fs::remove_file(&back).unwrap();
    }
    emb.sound();
    field.sound();
}
