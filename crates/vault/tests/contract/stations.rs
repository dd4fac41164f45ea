//! Polling stations: type-ahead, and when each was last heard of.

use logbook::action::{Action, Amend};
use logbook::{FieldValue, Fields};
use seal::RecordId;
use vault::{MAX_SCHEDULES, Station, Vault};

use crate::world::{World, write};

fn station(code: &str, name: &str, area: &str) -> Station {
    Station { code: code.into(), name: name.into(), area: area.into(), at_e7: None, hours: String::new() }
}

async fn codes(vault: &Vault, search: &str) -> Vec<String> {
    let page = vault.stations(search, 50, 0).await.unwrap();
    assert_eq!(page.total as usize, page.rows.len(), "{search}");
    page.rows.into_iter().map(|row| row.code).collect()
}

#[tokio::test]
async fn type_ahead_finds_by_code_by_word_and_without_accents() {
    let world = World::new();
    let (_dir, emb) = world.vault("emb").await;
    let list = vec![
        station("0733", "Gymnase Saint-Symphorien", "Metz"),
        station("0421", "École Berthelot", "Lyon 7e"),
        station("0422", "Salle 0733", "Lyon 7e"),
        station("B-12", "مدرسة النور", "بيروت"),
        station("b-13", "Mairie \"annexe\"", "Brest"),
    ];
    let kept = emb.keep_stations(list).await.unwrap();
    assert_eq!((kept.created, kept.updated, kept.same), (5, 0, 0));
    for (search, found) in [
        ("", vec!["0421", "0422", "0733", "B-12", "b-13"]),
        ("04", vec!["0421", "0422"]),
        ("0733", vec!["0733", "0422"]),
        ("b-1", vec!["B-12", "b-13"]),
        ("B-1", vec!["B-12", "b-13"]),
        ("ecole", vec!["0421"]),
        ("ÉCOLE bert", vec!["0421"]),
        ("lyo", vec!["0421", "0422"]),
        ("lyon 0422", vec!["0422"]),
        ("symph metz", vec!["0733"]),
        ("النور", vec!["B-12"]),
        ("annexe\" OR", vec![]),
        ("annexe\"", vec!["b-13"]),
        ("* NEAR(", vec![]),
        ("\u{0}", vec![]),
        ("nowhere", vec![]),
    ] {
        assert_eq!(codes(&emb, search).await, found, "{search}");
    }
    let mut walked = Vec::new();
    for offset in 0..4 {
        let page = emb.stations("0", 1, offset).await.unwrap();
        assert_eq!(page.total, 3);
        walked.extend(page.rows.into_iter().map(|row| row.code));
    }
    assert_eq!(walked, ["0421", "0422", "0733"]);
    assert_eq!(emb.stations("0733", 1, 1).await.unwrap().rows[0].code, "0422", "past the codes come the words");
    assert!(emb.stations("0733", 0, 0).await.unwrap().rows.is_empty());
}

#[tokio::test]
async fn what_is_given_again_is_said_anew_and_found_anew() {
    let world = World::new();
    let (dir, emb) = world.vault("emb").await;
    let first = Station { at_e7: Some((1, 2)), hours: "07:00".into(), ..station("1", "Old hall", "Pau") };
    emb.keep_stations(vec![first.clone()]).await.unwrap();
    let second = Station { name: "New hall".into(), hours: "08:00".into(), ..first.clone() };
    let kept = emb.keep_stations(vec![second.clone(), second.clone()]).await.unwrap();
    assert_eq!((kept.created, kept.updated, kept.same), (0, 1, 1));
    assert_eq!((codes(&emb, "old").await.len(), codes(&emb, "new").await.len()), (0, 1));
    assert_eq!(emb.station("1").await.unwrap(), Some(second.clone()));
    assert_eq!(emb.station("2").await.unwrap(), None);
    let schedules = emb.schedules().await.unwrap();
    assert_eq!(schedules.iter().map(|s| (s.hours.as_str(), s.stations)).collect::<Vec<_>>(), [("08:00", 1)]);
    // Building projections anew leaves the list as it is, and so does opening the vault again.
    assert_eq!(emb.check(true, &|_, _| {}).await.unwrap().problems, Vec::<String>::new());
    emb.close().await;
    let emb = world.reopen(&dir, "emb").await;
    assert_eq!((emb.station("1").await.unwrap(), emb.station_count().await.unwrap()), (Some(second), 1));
}

#[tokio::test]
async fn too_many_lists_of_hours_are_refused_whole() {
    let world = World::new();
    let (_dir, emb) = world.vault("emb").await;
    let many = |n: usize| Station { hours: format!("x{n} 07:00"), ..station(&format!("{n}"), "S", "") };
    assert!(emb.keep_stations((0..=MAX_SCHEDULES).map(many).collect()).await.is_err());
    assert_eq!((emb.station_count().await.unwrap(), emb.schedules().await.unwrap().len()), (0, 0));
    emb.keep_stations((0..10).map(many).collect()).await.unwrap();
    assert_eq!(emb.schedules().await.unwrap().len(), 10);
    // The vault still writes after a refusal.
    write(&emb, world.incident("emb", 1, "Queue", &["emb"])).await;
}

/// Says that an incident is at a station.
async fn placed(world: &World, vault: &Vault, record: RecordId, code: &str) {
    let set = Fields::from([("station".to_owned(), FieldValue::from(code))]);
    write(vault, world.draft("emb", record, Action::Amend(Amend { set, settles: Vec::new() }))).await;
}

#[tokio::test]
async fn any_incident_at_a_station_is_heard() {
    let world = World::new();
    let (_dir, emb) = world.vault("emb").await;
    let with = |code: &str, hours: &str| Station { hours: hours.into(), ..station(code, "S", "") };
    emb.keep_stations(vec![with("1", "07:00"), with("2", "07:00"), with("3", "08:00"), with("4", "")]).await.unwrap();
    let schedules = emb.schedules().await.unwrap();
    let seven = schedules.iter().find(|schedule| schedule.hours == "07:00").unwrap().number;
    let unheard = async |from, until| {
        let rows = emb.unheard(seven, from, until).await.unwrap();
        rows.into_iter().map(|row| (row.code, row.last_ms)).collect::<Vec<_>>()
    };
    assert_eq!(unheard(0, i64::MAX).await, [("1".to_owned(), None), ("2".to_owned(), None)]);
    let record = write(&emb, world.incident("emb", 1, "Queue", &["emb"])).await.record;
    placed(&world, &emb, record, "1").await;
    let other = write(&emb, world.incident("emb", 2, "Queue", &["emb"])).await.record;
    placed(&world, &emb, other, "4").await;
    let at = emb.row(&record).await.unwrap().unwrap().created_ms;
    assert_eq!(unheard(at, i64::MAX).await, [("2".to_owned(), None)]);
    assert_eq!(unheard(at + 1, i64::MAX).await, [("1".to_owned(), Some(at)), ("2".to_owned(), None)]);
    assert_eq!(unheard(0, at - 1).await.len(), 2, "not yet heard then");
    assert_eq!(emb.heard(at).await.unwrap(), [(seven, at)], "a station without hours counts for nothing");
    assert_eq!(emb.heard(at + 1).await.unwrap(), []);
    // Told to be elsewhere: the station it was said to be at was not heard of, and then again it was.
    placed(&world, &emb, record, "3").await;
    let eight = schedules.iter().find(|schedule| schedule.hours == "08:00").unwrap().number;
    assert_eq!(emb.heard(at).await.unwrap(), [(eight, at)]);
    let late = write(&emb, world.incident("emb", 3, "Queue", &["emb"])).await.record;
    placed(&world, &emb, late, "3").await;
    placed(&world, &emb, record, "1").await;
    let mut heard = emb.heard(at).await.unwrap();
    heard.sort();
    let last = emb.row(&late).await.unwrap().unwrap().created_ms;
    assert_eq!(heard, [(seven, at), (eight, last)]);
    assert_eq!(emb.check(false, &|_, _| {}).await.unwrap().problems, Vec::<String>::new());
}
