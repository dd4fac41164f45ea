use logbook::action::{Action, Create, RecordKind};
use logbook::{FieldValue, Fields};
use seal::{ClockConfidence, KdfCost, Passphrase};

use super::*;
use crate::practice::Practice;

const LIST: &str = "code,name,area,lat,lon,expected_by\n\
    0098,École Jules Ferry,Lille,50.6293,3.0571,opening 07:00; turnout 12:00; closing 20:00\n\
    0421,12 rue Chevreul,Lyon 7e,45.7496,4.8455,opening 07:00; turnout 12:00; closing 20:00\n\
    0422,École Berthelot,Lyon 7e,,,opening 07:00; turnout 12:00; closing 20:00\n\
    0733,Gymnase Saint-Symphorien,Metz,,,count 22:00\n\
    1180,Salle des fêtes,Nîmes,,,\n";

async fn emb(root: &tempfile::TempDir) -> Practice {
    let pass = Passphrase::new("practice makes the night shorter".into());
    Practice::found(root.path(), &pass, KdfCost::DRILL).await.unwrap()
}

async fn taken(desk: &Desk, list: &str, day: Option<&str>) -> StationImport {
    desk.take_stations(list.as_bytes(), &StationMapping::default(), day, Arc::new(|_, _| {})).await.unwrap()
}

fn at(text: &str) -> Moment {
    Moment { wall_ms: moment::parse_rfc3339(text).unwrap(), offset_min: 60, clock: ClockConfidence::OsSynced }
}

/// An incident at a station, recorded then.
async fn heard(desk: &Desk, station: &str, when: &str) {
    let mut fields = Fields::new();
    for (name, value) in [("summary", "Queue"), ("category", "ops:queue"), ("station", station)] {
        fields.insert(name.into(), FieldValue::from(value));
    }
    let opening = desk.opening(RecordKind::Incident, fields, Some(station), None, Role::Desk).await.unwrap();
    let mut draft = opening.draft;
    draft.wall_ms = at(when).wall_ms;
    assert!(matches!(&draft.action, Action::Create(Create { kind: RecordKind::Incident, .. })));
    desk.append(vec![draft]).await.unwrap();
}

async fn silent(desk: &Desk, now: &str) -> Vec<(String, String, u64)> {
    let now = at(now);
    let page = desk.silent_by(now, now.wall_ms, 100, 0).await.unwrap();
    assert_eq!(page.total as usize, page.items.len());
    page.items.into_iter().map(|row| (row.station.code, row.expected, row.missed)).collect()
}

fn codes(rows: &[(String, String, u64)]) -> Vec<&str> {
    rows.iter().map(|(code, ..)| code.as_str()).collect()
}

#[tokio::test]
async fn a_list_brought_in_again_changes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let emb = emb(&root).await.emb;
    let first = taken(&emb, LIST, None).await;
    assert_eq!((first.created, first.updated, first.same, first.refused, first.total), (5, 0, 0, 0, 5));
    let again = taken(&emb, LIST, None).await;
    assert_eq!((again.created, again.updated, again.same, again.total), (0, 0, 5, 5));
    let other = LIST.replace("Salle des fêtes", "Halle aux grains") + "9000,New,,,\n";
    let changed = taken(&emb, &other, Some("2026-11-29")).await;
    assert_eq!((changed.created, changed.updated, changed.same, changed.refused), (0, 1, 4, 1));
    assert_eq!(changed.skipped[0].reason, "the row has 5 cells, the header has 6");
    assert_eq!(changed.day.as_deref(), Some("2026-11-29"));
    let found = emb.stations(StationQuery { search: Some("halle".into()), limit: 8, offset: 0 }).await.unwrap();
    assert_eq!((found.total, found.items[0].code.as_str()), (1, "1180"));
    assert_eq!(
        emb.stations(StationQuery { search: Some("fetes".into()), limit: 8, offset: 0 }).await.unwrap().total,
        0
    );
    let plain = StationMapping::default();
    let wrong = emb.take_stations(LIST.as_bytes(), &plain, Some("29.11.2026"), Arc::new(|_, _| {})).await;
    assert!(wrong.is_err());
}

#[tokio::test]
async fn what_is_silent_at_which_hour() {
    let root = tempfile::tempdir().unwrap();
    let emb = emb(&root).await.emb;
    assert_eq!(silent(&emb, "2026-11-29T13:00:00+01:00").await, []);
    taken(&emb, LIST, Some("2026-11-29")).await;
    heard(&emb, "0098", "2026-11-29T06:40:00+01:00").await;
    heard(&emb, "0421", "2026-11-29T05:40:00+01:00").await;
    heard(&emb, "1180", "2026-11-29T07:40:00+01:00").await;
    assert_eq!(silent(&emb, "2026-11-29T06:59:00+01:00").await, []);
    let seven = silent(&emb, "2026-11-29T07:00:00+01:00").await;
    assert_eq!(codes(&seven), ["0421", "0422"], "an hour and a half early is not the opening");
    assert_eq!(seven[0], ("0421".into(), "opening 07:00".into(), 1));
    heard(&emb, "0421", "2026-11-29T07:30:00+01:00").await;
    assert_eq!(codes(&silent(&emb, "2026-11-29T07:31:00+01:00").await), ["0422"]);
    assert_eq!(codes(&silent(&emb, "2026-11-29T07:29:00+01:00").await), ["0421", "0422"], "as it was then");
    let noon = silent(&emb, "2026-11-29T12:10:00+01:00").await;
    assert_eq!(codes(&noon), ["0422", "0098", "0421"], "the longest silent first");
    assert_eq!((noon[0].1.as_str(), noon[0].2), ("opening 07:00", 2));
    assert_eq!((noon[1].1.as_str(), noon[1].2), ("turnout 12:00", 1));
    heard(&emb, "0422", "2026-11-29T19:30:00+01:00").await;
    let night = silent(&emb, "2026-11-29T22:30:00+01:00").await;
    assert_eq!(codes(&night), ["0098", "0421", "0733"]);
    assert_eq!(codes(&silent(&emb, "2026-11-30T00:30:00+01:00").await), ["0098", "0421", "0733"], "past midnight");
    assert_eq!(silent(&emb, "2026-11-30T23:00:00+01:00").await, [], "the day after");
}

#[tokio::test]
async fn the_count_is_the_lists() {
    let root = tempfile::tempdir().unwrap();
    let practice = emb(&root).await;
    let emb = &practice.emb;
    taken(emb, LIST, None).await;
    taken(&practice.field, LIST, None).await;
    heard(emb, "0098", "2026-11-29T12:05:00+01:00").await;
    for now in ["2026-11-29T07:00:00+01:00", "2026-11-29T12:10:00+01:00", "2026-11-29T21:59:00+01:00"] {
        let now = at(now);
        let page = emb.silent_by(now, i64::MAX, 1, 0).await.unwrap();
        let count = emb.silent_count(now).await.unwrap();
        assert_eq!((count.total, count.since_ms.map(moment::rfc3339)), (page.total, page.since), "{now:?}");
        assert_eq!((page.stations, page.expected, page.items.len()), (5, 4, 1));
        assert_eq!(practice.field.silent_count(now).await.unwrap(), Silence::default());
    }
    let noon = at("2026-11-29T12:10:00+01:00");
    let page = emb.silent_by(noon, i64::MAX, 10, 0).await.unwrap();
    assert_eq!(page.since.as_deref(), Some("2026-11-29T11:00:00.000Z"));
    assert_eq!(page.items.iter().filter(|row| row.station.code == "0098").count(), 0);
    assert_eq!(emb.silent_by(noon, i64::MAX, 2, 1).await.unwrap().items[..], page.items[1..3]);
}
