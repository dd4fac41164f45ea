//! Bad input against the shipped binary: whatever a stick or a network brings is refused with its
//! reason and its exit code, in bounded memory, and changes nothing.

use std::collections::BTreeSet;
use std::io::{Seek, SeekFrom, Write};
use std::net::{TcpStream, UdpSocket};
use std::path::Path;
use std::process::Command;

use exchange::parcel::{Head, ParcelWriter};
use intact_tests::{Chance, Device, Practice, Serving};
use seal::{Hash32, SigningKey};
use serde_json::Value;

/// Above what opening a vault takes: the bound of the contract, key derivation apart.
const MOST_KIB: u64 = 64 * 1024;

/// Everything that a device says it holds.
fn holds(device: &Device) -> (Value, u64) {
    let list = device.must(&["incident", "list", "--limit", "1000"]);
    let digests: Vec<Value> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| device.must(&["incident", "show", row["id"].as_str().unwrap()])["digest"].clone())
        .collect();
    (serde_json::json!([list, digests]), device.sound())
}

/// Runs a command that must fail like this, in bounded memory.
fn refused(device: &Device, arguments: &[&str], exit: i32, what: &str) {
    let (done, peak) = device.measured(arguments);
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(exit), "{what}: {said}");
    assert!(done.stdout.is_empty(), "{what}: a refusal reports nothing done");
    let error = said.lines().find(|line| line.starts_with("{\"error\"")).unwrap_or_else(|| panic!("{what}: {said}"));
    let error: Value = serde_json::from_str(error).unwrap();
    assert!(error["error"]["advice"].as_str().is_some_and(|advice| !advice.is_empty()), "{what}");
    assert!(peak < MOST_KIB, "{what}: {peak} KiB");
}

/// A night's reports from the field, with an exhibit, in a parcel to the institution.
fn parcel(practice: &Practice, name: &str) -> String {
    let field = practice.device("field");
    let made = field.must(&["incident", "log", "--category", "ops:late-opening", "--summary", name]);
    let photo = practice.at("photo.jpg");
    std::fs::write(&photo, vec![7; 300_000]).unwrap();
    field.must(&["exhibit", "add", made["reference"].as_str().unwrap(), &photo]);
    let out = practice.at(&format!("{name}.parcel"));
    field.must(&["parcel", "write", "--to", "emb", "--out", &out]);
    out
}

/// Ways to damage a file's bytes.
fn damages(bytes: &[u8], chance: &mut Chance) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    let mut place = || chance.below(bytes.len() as u64) as usize;
    for _ in 0..15 {
        let at = place();
        all.push((format!("cut at {at}"), bytes[..at].to_vec()));
    }
    for _ in 0..30 {
        let at = place();
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 1 << (at % 8);
        all.push((format!("a flipped bit at {at}"), flipped));
    }
    for _ in 0..5 {
        let (one, two) = (place() / 4096 * 4096, place() / 4096 * 4096);
        let mut swapped = bytes.to_vec();
        let length = 4096.min(bytes.len() - one.max(two));
        for i in 0..length {
            swapped.swap(one + i, two + i);
        }
        if swapped != bytes {
            all.push((format!("pieces at {one} and {two} swapped"), swapped));
        }
    }
    all.push(("something behind it".into(), [bytes, &[0]].concat()));
    all.push(("twice".into(), [bytes, bytes].concat()));
    all.push(("nothing".into(), Vec::new()));
    all.push(("text".into(), b"not a parcel, but a letter".to_vec()));
    all
}

#[test]
fn damaged_parcels_change_nothing() {
    let practice = Practice::found();
    let emb = practice.device("emb");
    let sent = parcel(&practice, "night");
    let before = holds(&emb);
    let bytes = std::fs::read(&sent).unwrap();
    let file = practice.at("damaged.parcel");
    for (what, damaged) in damages(&bytes, &mut Chance::seeded(11)) {
        std::fs::write(&file, damaged).unwrap();
        refused(&emb, &["parcel", "read", &file], 5, &what);
    }
    assert_eq!(holds(&emb), before, "nothing was imported in part");
    // The whole one still goes in.
    assert_eq!(emb.must(&["parcel", "read", &sent])["received"]["entries"], 2);
}

#[test]
fn a_parcel_that_claims_to_be_huge_costs_no_memory() {
    let practice = Practice::found();
    let emb = practice.device("emb");
    let path = practice.at("huge.parcel");
    let mut file = std::fs::File::create(&path).unwrap();
    let inside: u64 = 2 << 30;
    file.write_all(b"INTACTPARCEL1\n").unwrap();
    file.write_all(&inside.to_be_bytes()).unwrap();
    file.write_all(&[9; 32]).unwrap();
    // Holes take no room on the disk.
    file.seek(SeekFrom::Start(54 + inside - 1)).unwrap();
    file.write_all(&[0]).unwrap();
    refused(&emb, &["parcel", "read", &path], 5, "two gibibytes of nothing");
    file.seek(SeekFrom::Start(14)).unwrap();
    file.write_all(&u64::MAX.to_be_bytes()).unwrap();
    refused(&emb, &["parcel", "read", &path], 5, "a size that no file has");
}

#[test]
fn a_large_exhibit_goes_through_in_little_memory() {
    let practice = Practice::found();
    let (emb, field) = (practice.device("emb"), practice.device("field"));
    let made = field.must(&["incident", "log", "--category", "ops:late-opening", "--summary", "A long film"]);
    let film = practice.at("film.mp4");
    let part: Vec<u8> = (0..1 << 20).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut file = std::fs::File::create(&film).unwrap();
    (0..100).for_each(|_| file.write_all(&part).unwrap());
    let out = practice.at("film.parcel");
    for (device, arguments) in [
        (&field, ["exhibit", "add", made["reference"].as_str().unwrap(), &film].as_slice()),
        (&field, ["parcel", "write", "--to", "emb", "--out", &out].as_slice()),
        (&emb, ["parcel", "read", &out].as_slice()),
    ] {
        let (done, peak) = device.measured(arguments);
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        assert!(peak < MOST_KIB, "{arguments:?}: {peak} KiB");
    }
    let shown = emb.must(&["incident", "show", made["reference"].as_str().unwrap()]);
    let exhibit = shown["exhibits"][0]["id"].as_str().unwrap();
    let back = practice.at("back.mp4");
    emb.must(&["exhibit", "get", made["reference"].as_str().unwrap(), exhibit, "--out", &back]);
    assert!(std::fs::read(&back).unwrap() == std::fs::read(&film).unwrap(), "the film came whole");
}

#[test]
fn parcels_for_others_are_told_apart_from_damage() {
    let practice = Practice::found();
    let emb = practice.device("emb");
    let sent = parcel(&practice, "night");
    let police = practice.device("police");
    let before = (holds(&police), holds(&emb));
    refused(&police, &["parcel", "read", &sent], 3, "addressed to somebody else");
    // Another operation's, sealed to this very recipient by somebody who knows it.
    let path = practice.at("foreign.parcel");
    let key = SigningKey::from_seed(&[3; 32]);
    let head = Head {
        operation: Hash32([5; 32]),
        from: key.device_id(),
        store: Hash32([6; 32]),
        after: 0,
        up_to: 9,
        made_ms: 0,
    };
    let file = std::fs::File::create(&path).unwrap();
    ParcelWriter::start(file, &[recipient(&practice)], &head).unwrap().finish_signed(&key).unwrap();
    refused(&emb, &["parcel", "read", &path], 3, "of another operation");
    assert_eq!((holds(&police), holds(&emb)), before);
}

/// The recipient of the institution, as any member's roster states it.
fn recipient(practice: &Practice) -> seal::Recipient {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let text = std::fs::read_to_string(practice.root.path().join("passphrase")).unwrap();
        let pass = seal::Passphrase::new(text.trim_end().to_owned());
        let vault = vault::Vault::open(&practice.root.path().join("field"), &pass).await.unwrap();
        let roster = vault.roster();
        let emb = roster.agency(&"emb".parse().unwrap()).unwrap();
        emb.key_epochs.into_iter().last().unwrap().1
    })
}

#[test]
fn parcels_replayed_and_out_of_order_give_the_same() {
    let practice = Practice::found();
    let (emb, court) = (practice.device("emb"), practice.device("court"));
    let parcels: Vec<String> = ["first", "second", "third"].iter().map(|name| parcel(&practice, name)).collect();
    for index in [2, 0, 2, 1, 1, 0] {
        emb.must(&["parcel", "read", &parcels[index]]);
    }
    let list = emb.must(&["incident", "list", "--limit", "1000"]);
    let summaries: BTreeSet<&str> =
        list["items"].as_array().unwrap().iter().filter_map(|row| row["summary"].as_str()).collect();
    for name in ["first", "second", "third"] {
        assert!(summaries.contains(name), "{name}");
    }
    let held = holds(&emb);
    for index in [0, 1, 2] {
        assert_eq!(emb.must(&["parcel", "read", &parcels[index]])["received"]["entries"], 0, "a replay brings nothing");
    }
    assert_eq!(holds(&emb), held);
    drop(court);
}

#[test]
fn noise_and_strangers_on_the_lan_change_nothing() {
    let (practice, other) = (Practice::found(), Practice::found());
    let (emb, field) = (practice.device("emb"), practice.device("field"));
    field.must(&["incident", "log", "--category", "ops:late-opening", "--summary", "Through the noise"]);
    let serving = Serving::start(&emb);
    let mut chance = Chance::seeded(12);
    // At the door: callers that say things, hang, or leave.
    let mut hanging = Vec::new();
    for round in 0..200u64 {
        let mut caller = TcpStream::connect(&serving.address).unwrap();
        let noise: Vec<u8> = (0..chance.below(4000)).map(|_| chance.below(256) as u8).collect();
        let _ = caller.write_all(&noise);
        if round % 10 == 0 {
            hanging.push(caller);
        }
    }
    // At the endpoint: datagrams that are nothing, and some that look like the beginning of something.
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for round in 0..2000u64 {
        let mut noise: Vec<u8> = (0..=chance.below(1400)).map(|_| chance.below(256) as u8).collect();
        if round % 2 == 0 {
            noise[0] |= 0xc0;
            noise.splice(1..1, [0, 0, 0, 1]);
        }
        let _ = socket.send_to(&noise, &serving.address);
    }
    // Members of another operation call: their rosters do not know who answers.
    for name in ["emb", "field", "police"] {
        refused(&other.device(name), &["sync", "--peer", &serving.address], 3, "a stranger's call");
    }
    let moved = field.must(&["sync", "--peer", &serving.address]);
    assert!(moved["sent"]["entries"].as_u64().unwrap() >= 1, "{moved}");
    assert!(serving.peak_kib() < MOST_KIB, "{} KiB", serving.peak_kib());
    drop(serving);
    drop(hanging);
    let found = emb.must(&["incident", "list", "--search", "noise"]);
    assert_eq!(found["total"], 1);
    emb.sound();
}

#[test]
fn nobody_there_is_said_so() {
    let practice = Practice::found();
    let field = practice.device("field");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    refused(&field, &["sync", "--peer", &format!("127.0.0.1:{port}")], 7, "nobody listens there");
    refused(&field, &["sync", "--relay", &format!("ws://127.0.0.1:{port}")], 7, "no relay listens there");
}

/// Runs itself again in a name space of its own, where a small disk is mounted for it alone.
#[test]
fn a_full_disk_loses_nothing_acknowledged() {
    if let Some(root) = std::env::var_os("INTACT_SMALL_DISK") {
        return inside_a_small_disk(Path::new(&root));
    }
    let root = tempfile::tempdir().unwrap();
    let done = Command::new("unshare")
        .args(["--map-root-user", "--mount", "--"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "a_full_disk_loses_nothing_acknowledged", "--nocapture"])
        .env("INTACT_SMALL_DISK", root.path())
        .output()
        .expect("unshare runs");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}\n{}", String::from_utf8_lossy(&done.stderr));
    assert!(said.contains("1 passed"), "{said}");
}

fn inside_a_small_disk(root: &Path) {
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=6m", "none"]).arg(root).status().unwrap();
    assert!(mounted.success());
    let practice = Practice::found();
    let copied = Command::new("cp").arg("-r").arg(practice.root.path().join("emb")).arg(root).status().unwrap();
    assert!(copied.success());
    let emb = Device { dir: root.join("emb"), passphrase: practice.root.path().join("passphrase") };
    // Exhibits, tables and parcels that do not fit leave no trace.
    let outside = tempfile::tempdir().unwrap();
    let photo = outside.path().join("photo.jpg");
    std::fs::write(&photo, vec![1; 8 << 20]).unwrap();
    let first = emb.must(&["incident", "log", "--category", "ops:late-opening", "--summary", "First"]);
    let first = first["reference"].as_str().unwrap();
    refused(&emb, &["exhibit", "add", first, photo.to_str().unwrap()], 8, "an exhibit over the disk");
    let shown = emb.must(&["incident", "show", first]);
    assert_eq!(shown["exhibits"], serde_json::json!([]));
    // Reports, until there is no room.
    let mut acknowledged = vec![first.to_owned()];
    let long = "x".repeat(8000);
    let mut failures = 0;
    while failures < 3 {
        let summary = format!("Report {}", acknowledged.len());
        let log = ["incident", "log", "--category", "ops:late-opening", "--summary", &summary, "--description", &long];
        let done = emb.run(&log);
        match done.status.code() {
            Some(0) => {
                let report: Value = serde_json::from_slice(&done.stdout).unwrap();
                acknowledged.push(report["reference"].as_str().unwrap().to_owned());
            }
            Some(8) => failures += 1,
            other => panic!("{other:?}: {}", String::from_utf8_lossy(&done.stderr)),
        }
        assert!(acknowledged.len() < 2000, "the disk must fill");
    }
    let table = intact_tests::shared().join("data/deco-1989-2011.csv");
    let mapping = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/import/deco.mapping.json");
    let done = emb.run(&["import", "csv", table.to_str().unwrap(), "--mapping", mapping]);
    assert_eq!(done.status.code(), Some(8), "{}", String::from_utf8_lossy(&done.stderr));
    // The full vault opens, shows and checks; all that was acknowledged is in it.
    let list = emb.must(&["incident", "list", "--limit", "100000"]);
    let held: BTreeSet<&str> =
        list["items"].as_array().unwrap().iter().filter_map(|row| row["reference"].as_str()).collect();
    for reference in &acknowledged {
        assert!(held.contains(reference.as_str()), "{reference} was acknowledged and is gone");
    }
    emb.sound();
    // A stick that is full: how much room a full vault's own disk has left depends on what SQLite gave back last.
    let stick = outside.path().join("stick");
    std::fs::create_dir(&stick).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=16k", "none"]).arg(&stick).status().unwrap();
    assert!(mounted.success());
    let parcel = stick.join("out.parcel");
    let done = emb.run(&["parcel", "write", "--to", "police", "--out", parcel.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(8), "{}", String::from_utf8_lossy(&done.stderr));
    for place in [root, stick.as_path()] {
        let left: Vec<_> =
            std::fs::read_dir(place).unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        assert!(left.iter().all(|name| !name.contains("parcel")), "no half parcel is left: {left:?}");
    }
    // Not one byte of room: the vault is read, or says that there is none; what is in it stays.
    let filler = root.join("filler");
    let filled = std::io::copy(&mut std::io::repeat(1), &mut std::fs::File::create(&filler).unwrap());
    assert_eq!(filled.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    let done = emb.run(&["incident", "list", "--limit", "100000"]);
    assert!(matches!(done.status.code(), Some(0 | 8)), "{}", String::from_utf8_lossy(&done.stderr));
    std::fs::remove_file(&filler).unwrap();
    emb.sound();
    // With room again, work goes on.
    let more = Command::new("mount").args(["-o", "remount,size=32m"]).arg(root).status().unwrap();
    assert!(more.success());
    emb.must(&["incident", "log", "--category", "ops:late-opening", "--summary", "Room again"]);
    emb.sound();
    let unmounted = Command::new("umount").args([root, stick.as_path()]).status().unwrap();
    assert!(unmounted.success());
}
