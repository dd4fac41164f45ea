//! Where incidents are.

use logbook::action::{Action, Amend, IncidentState, RecordKind, StateChange};
use logbook::{FieldValue, Fields};
use seal::{EntryId, RecordId};
use vault::{Draft, ListQuery, Point, Vault, View};

use crate::lists::listing;
use crate::world::{World, all, incoming, query, write};

/// A change of coordinates.
fn placing(world: &World, who: &str, record: RecordId, set: &[(&str, i64)]) -> Draft {
    let set: Fields = set.iter().map(|(name, value)| ((*name).to_owned(), FieldValue::Number(*value))).collect();
    world.draft(who, record, Action::Amend(Amend { set, settles: Vec::<EntryId>::new() }))
}

const LYON: [(&str, i64); 2] = [("lat_e7", 457_485_000), ("lon_e7", 48_467_000)];

async fn points(vault: &Vault, view: View) -> (u64, u64, Vec<Point>) {
    let found = vault.points(&listing(view)).await.unwrap();
    (found.total, found.placed, found.points)
}

#[tokio::test]
async fn the_points_are_those_of_the_list_that_have_a_place() {
    let world = World::new();
    let (_dir, emb) = world.vault("emb").await;
    let mut ids = Vec::new();
    for n in 0..4 {
        let record = write(&emb, world.incident("emb", n, &format!("Badger {n}"), &["emb"])).await.record;
        if n > 0 {
            write(&emb, placing(&world, "emb", record, &LYON)).await;
        }
        ids.push(record);
    }
    let (total, placed, found) = points(&emb, View::Open).await;
    assert_eq!((total, placed), (4, 3));
    assert_eq!(found.iter().map(|point| point.record).collect::<Vec<_>>(), [ids[3], ids[2], ids[1]], "newest first");
    assert_eq!((found[0].lat_e7, found[0].lon_e7, found[0].disputed), (457_485_000, 48_467_000, false));
    assert_eq!(
        (found[0].summary.as_str(), found[0].reference.as_str(), found[0].severity),
        ("Badger 3", "EMB-0003", 2)
    );
    let close = StateChange { to: IncidentState::Closed, reason: None };
    write(&emb, world.draft("emb", ids[3], Action::State(close))).await;
    assert_eq!(points(&emb, View::Open).await.1, 2);
    assert_eq!(points(&emb, View::All).await.1, 3);
    assert_eq!(points(&emb, View::Critical).await.0, 0);
    let asked = async |query: ListQuery| emb.points(&query).await.unwrap().points.len();
    assert_eq!(asked(ListQuery { severity: Some(3), ..listing(View::All) }).await, 0);
    assert_eq!(asked(ListQuery { state: Some("closed".into()), ..listing(View::All) }).await, 1);
    assert_eq!(asked(ListQuery { kind: RecordKind::Complaint, ..listing(View::All) }).await, 0);
    for (words, many) in [("badger", 3), ("badger 1", 1), ("badger 0", 0), ("\"", 0)] {
        assert_eq!(asked(ListQuery { search: Some(words.into()), ..listing(View::All) }).await, many, "{words}");
    }
}

#[tokio::test]
async fn what_is_cut_is_counted() {
    let world = World::new();
    let (_dir, emb) = world.vault("emb").await;
    for n in 0..5 {
        let record = write(&emb, world.incident("emb", n, "Crowd", &["emb"])).await.record;
        write(&emb, placing(&world, "emb", record, &LYON)).await;
    }
    for (limit, many) in [(2, 2), (5, 5), (6, 5), (0, 0)] {
        let found = emb.points(&ListQuery { limit, ..listing(View::All) }).await.unwrap();
        assert_eq!((found.total, found.placed, found.points.len()), (5, 5, many), "{limit}");
    }
}

#[tokio::test]
async fn half_a_pair_is_no_place_and_no_place_is_outside_the_globe() {
    let world = World::new();
    let (_dir, emb) = world.vault("emb").await;
    let record = write(&emb, world.incident("emb", 1, "Crowd", &["emb"])).await.record;
    write(&emb, placing(&world, "emb", record, &LYON[..1])).await;
    assert_eq!(points(&emb, View::All).await.1, 0, "a latitude alone");
    for wrong in [[("lat_e7", 900_000_001), ("lon_e7", 0)], [("lat_e7", 0), ("lon_e7", -1_800_000_001)]] {
        let refused = emb.append(vec![placing(&world, "emb", record, &wrong)]).await;
        assert!(refused.is_err(), "{wrong:?}");
    }
    write(&emb, placing(&world, "emb", record, &LYON[1..])).await;
    assert_eq!(points(&emb, View::All).await.1, 1, "the other half came");
}

#[tokio::test]
async fn a_disputed_place_stands_where_the_board_has_it() {
    let world = World::new();
    let (_edir, emb) = world.vault("emb").await;
    let (_pdir, police) = world.vault("police").await;
    let record = write(&emb, world.incident("emb", 1, "Crowd", &["emb", "police"])).await.record;
    police.ingest(incoming(all(&emb, query("police")).await)).await.unwrap();
    write(&emb, placing(&world, "emb", record, &LYON)).await;
    write(&police, placing(&world, "police", record, &[("lat_e7", 10), ("lon_e7", 20)])).await;
    emb.ingest(incoming(all(&police, query("emb")).await)).await.unwrap();
    police.ingest(incoming(all(&emb, query("police")).await)).await.unwrap();
    let (_, _, here) = points(&emb, View::All).await;
    let (_, _, there) = points(&police, View::All).await;
    assert_eq!(here, there);
    assert!(here[0].disputed);
    let held = emb.record(&record).await.unwrap().unwrap();
    let stands = (held.state().number("lat_e7"), held.state().number("lon_e7"));
    assert_eq!(stands, (Some(here[0].lat_e7), Some(here[0].lon_e7)));
}

#[tokio::test]
async fn a_vault_from_before_learns_its_places_when_it_is_opened() {
    let world = World::new();
    let (dir, emb) = world.vault("emb").await;
    let record = write(&emb, world.incident("emb", 1, "Crowd", &["emb"])).await.record;
    write(&emb, placing(&world, "emb", record, &LYON)).await;
    emb.close().await;
    let mut connection = crate::tamper::database(&dir.path().join("v")).await;
    for trigger in ["counted_put", "counted_drop", "counted_move", "heard_put", "heard_drop", "heard_move"] {
        let statement = sqlx::AssertSqlSafe(format!("DROP TRIGGER {trigger}"));
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    }
    for statement in [
        "DROP TABLE counted",
        "DROP TABLE heard",
        "DROP INDEX projection_station",
        "DROP TABLE station_search",
        "DROP TABLE station",
        "DROP TABLE schedule",
        "DROP INDEX projection_placed",
        "ALTER TABLE projection DROP COLUMN words",
        "ALTER TABLE projection DROP COLUMN lat_e7",
        "ALTER TABLE projection DROP COLUMN lon_e7",
        "DELETE FROM _sqlx_migrations WHERE version >= 3",
    ] {
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    }
    sqlx::Connection::close(connection).await.unwrap();
    let emb = world.reopen(&dir, "emb").await;
    assert_eq!(points(&emb, View::All).await.1, 1);
    assert_eq!(emb.check(false, &|_, _| {}).await.unwrap().problems, Vec::<String>::new());
}
