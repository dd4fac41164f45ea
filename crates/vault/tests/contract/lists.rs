//! Lists, search and names.

use logbook::action::{Action, Assign, IncidentState, RecordKind, StateChange};
use vault::{ListQuery, ReferralQuery, Vault, View};

use crate::world::{NOW, World, all, id, incoming, key_of, query, write};

pub fn listing(view: View) -> ListQuery {
    ListQuery { view, ..ListQuery::all(RecordKind::Incident, NOW, 50) }
}

/// How many incidents a search finds.
pub async fn search(vault: &Vault, words: &str) -> u64 {
    let found = vault.list(&ListQuery { search: Some(words.into()), ..listing(View::All) }).await.unwrap();
    assert_eq!(found.total as usize, found.rows.len());
    found.total
}

#[tokio::test]
async fn lists_follow_the_entries_newest_first() {
    let world = World::new();
    let (_dir, emb) = world.vault("emb").await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(write(&emb, world.incident("emb", n, &format!("Station {n}"), &["emb"])).await.record);
    }
    let page = emb.list(&listing(View::All)).await.unwrap();
    assert_eq!(page.total, 5);
    assert_eq!(
        page.rows.iter().map(|row| row.record).collect::<Vec<_>>(),
        ids.iter().rev().copied().collect::<Vec<_>>()
    );
    assert_eq!((page.rows[0].summary.as_str(), page.rows[0].reference.as_str()), ("Station 4", "EMB-0004"));
    let paged = emb.list(&ListQuery { limit: 2, offset: 2, ..listing(View::All) }).await.unwrap();
    assert_eq!((paged.total, paged.rows.len(), paged.rows[0].record), (5, 2, ids[2]));
    let to = |to| Action::State(StateChange { to, reason: None });
    write(&emb, world.draft("emb", ids[0], to(IncidentState::Closed))).await;
    write(&emb, world.draft("emb", ids[1], to(IncidentState::Triaged))).await;
    write(&emb, world.draft("emb", ids[2], Action::Assign(Assign { to: "Unit 7".into() }))).await;
    write(&emb, world.refer("emb", ids[3], &key_of("emb", 3), "police")).await;
    let total = async |query: ListQuery| emb.list(&query).await.unwrap().total;
    assert_eq!(total(listing(View::Open)).await, 4);
    assert_eq!(total(listing(View::New)).await, 3);
    assert_eq!(total(listing(View::Waiting)).await, 1);
    assert_eq!(total(listing(View::Overdue)).await, 0);
    assert_eq!(total(listing(View::Critical)).await, 0);
    assert_eq!(total(ListQuery { assigned: Some("Unit 7".into()), ..listing(View::Mine) }).await, 1);
    assert_eq!(total(ListQuery { state: Some("closed".into()), ..listing(View::All) }).await, 1);
    assert_eq!(total(ListQuery { severity: Some(2), ..listing(View::All) }).await, 5);
    assert_eq!(total(ListQuery { category: Some("ops:none".into()), ..listing(View::All) }).await, 0);
    assert_eq!(total(ListQuery { kind: RecordKind::Complaint, ..listing(View::All) }).await, 0);
    let counts = emb.counts(NOW, "Unit 7").await.unwrap();
    assert_eq!((counts.new, counts.open, counts.critical, counts.unanswered, counts.mine), (3, 4, 0, 1, 1));
    let police = ReferralQuery { outbox: false, ..ReferralQuery::all(&id("police")) };
    let asked = emb.referrals(&police).await.unwrap();
    assert_eq!((asked.len(), asked[0].record, asked[0].state.as_str()), (1, ids[3], "offered"));
    let named = |id: &str| ReferralQuery { named: Some(id.to_owned()), ..police.clone() };
    let id = asked[0].entry.to_string();
    assert_eq!(emb.referrals(&named(&id[..7])).await.unwrap()[0].entry, asked[0].entry, "found by how its id begins");
    for other in [&id[1..9], "%", "_______"] {
        assert!(emb.referrals(&named(other)).await.unwrap().is_empty(), "{other}");
    }
    assert!(emb.referrals(&ReferralQuery { inbox: false, ..police }).await.unwrap().is_empty());
}

#[tokio::test]
async fn search_finds_words_and_takes_nothing_for_an_operator() {
    let world = World::new();
    let (_dir, emb) = world.vault("emb").await;
    let record = write(&emb, world.incident("emb", 1, "Émeute à l'école", &["emb"])).await.record;
    write(&emb, world.note("emb", record, "Badger seen near the box")).await;
    for (words, found) in [
        ("emeute", 1),
        ("ÉCOLE", 1),
        ("badger box", 1),
        ("badger nothing", 0),
        ("EMB-0001", 1),
        ("\"", 0),
        ("   ", 0),
        ("badger OR nothing", 0),
        ("bad*", 0),
        ("text:badger", 0),
        ("NOT", 0),
        ("- ( ) ^ : *", 0),
        ("badger\0", 1),
    ] {
        assert_eq!(search(&emb, words).await, found, "{words:?}");
    }
    assert_eq!(search(&emb, &"badger ".repeat(5000)).await, 1);
}

#[tokio::test]
async fn search_shows_nothing_that_cannot_be_read() {
    let world = World::new();
    let (_dir, emb) = world.vault("emb").await;
    write(&emb, world.incident("emb", 1, "Armadillo", &["emb"])).await;
    write(&emb, world.incident("emb", 2, "Pangolin", &["emb", "police"])).await;
    let (_pdir, police) = world.vault("police").await;
    police.ingest(incoming(all(&emb, query("police")).await)).await.unwrap();
    assert_eq!((search(&police, "armadillo").await, search(&police, "pangolin").await), (0, 1));
    assert_eq!(police.list(&listing(View::All)).await.unwrap().total, 1);
    assert_eq!(police.counts(NOW, "").await.unwrap().open, 1);
}

#[tokio::test]
async fn names_resolve_when_they_mean_one() {
    let world = World::new();
    let (_dir, emb) = world.vault("emb").await;
    let one = write(&emb, world.incident("emb", 1, "One", &["emb"])).await.record;
    let two = write(&emb, world.incident("emb", 2, "Two", &["emb"])).await.record;
    let resolve = async |name: &str| emb.resolve(name).await.unwrap();
    assert_eq!(resolve("EMB-0001").await, vec![one]);
    assert_eq!(resolve(&two.to_string()).await, vec![two]);
    assert_eq!(resolve(&two.to_string()[..9]).await, vec![two]);
    assert_eq!(resolve("EMB-").await.len(), 2);
    for nothing in ["", "E", "%", "____", "EMB-0003", "\\", "' OR 1=1"] {
        assert!(resolve(nothing).await.is_empty(), "{nothing:?}");
    }
}

#[tokio::test]
async fn numbers_are_given_once() {
    let world = World::new();
    let (dir, emb) = world.vault("emb").await;
    write(&emb, world.incident("emb", 1, "One", &["emb"])).await;
    assert_eq!(emb.next_reference_number("EMB").await.unwrap(), 2, "a number that is in use is skipped");
    assert_eq!(emb.take_reference_numbers("EMB", 5).await.unwrap(), 3);
    assert_eq!(emb.next_reference_number("EMB-2").await.unwrap(), 1);
    drop(emb);
    let emb = world.reopen(&dir, "emb").await;
    assert_eq!(emb.next_reference_number("EMB").await.unwrap(), 8);
}

#[tokio::test]
async fn a_listener_hears_of_commits() {
    let world = World::new();
    let (_dir, emb) = world.vault("emb").await;
    let mut changes = emb.subscribe();
    let made = write(&emb, world.incident("emb", 1, "One", &["emb"])).await;
    let heard = changes.recv().await.unwrap();
    assert_eq!((heard.records, heard.seq), (vec![made.record], made.seq));
}

#[tokio::test]
async fn what_was_recorded_around_a_time_is_found() {
    let world = World::new();
    let (_dir, emb) = world.vault("emb").await;
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(write(&emb, world.incident("emb", n, &format!("Station {n}"), &["emb"])).await.record);
    }
    let closed = Action::State(StateChange { to: IncidentState::Closed, reason: None });
    write(&emb, world.draft("emb", ids[1], closed)).await;
    let at = emb.row(&ids[0]).await.unwrap().unwrap().created_ms;
    let around = async |at, apart, limit| {
        let rows = emb.recorded_around(RecordKind::Incident, at, apart, limit).await.unwrap();
        let mut found: Vec<_> = rows.into_iter().map(|row| row.record).collect();
        found.sort();
        found
    };
    let mut open = vec![ids[0], ids[2]];
    open.sort();
    assert_eq!(around(at, i64::MAX, 50).await, open, "the closed one is not among them");
    assert_eq!(around(at + 60_000, i64::MAX, 1).await.len(), 1, "the nearest on one side alone");
    assert!(around(at, 0, 50).await.contains(&ids[0]));
    assert_eq!(around(at - 10, 5, 50).await, []);
    assert_eq!(emb.row(&seal::RecordId([9; 16])).await.unwrap().map(|row| row.record), None);
}

#[tokio::test]
async fn a_vault_that_was_just_opened_writes_of_a_record_only_what_differs() {
    let world = World::new();
    let (dir, emb) = world.vault("emb").await;
    let record = write(&emb, world.incident("emb", 0, "Crowd", &["emb"])).await.record;
    write(&emb, world.note("emb", record, "Badger")).await;
    write(&emb, world.refer("emb", record, &key_of("emb", 0), "police")).await;
    emb.close().await;
    let index = async || {
        let mut database = crate::tamper::database(&dir.path().join("v")).await;
        let rows: Vec<(i64, Vec<u8>)> =
            sqlx::query_as("SELECT id, block FROM search_data ORDER BY id").fetch_all(&mut database).await.unwrap();
        sqlx::Connection::close(database).await.unwrap();
        rows
    };
    let before = index().await;
    // Nothing that is searched: the index of words stays as it is, to the byte.
    let emb = world.reopen(&dir, "emb").await;
    write(&emb, world.draft("emb", record, Action::State(StateChange { to: IncidentState::Triaged, reason: None })))
        .await;
    emb.close().await;
    assert_eq!(index().await, before);
    // More words, and then the other shelf: each time in a vault that remembers nothing of the record.
    let emb = world.reopen(&dir, "emb").await;
    write(&emb, world.note("emb", record, "Weasel")).await;
    emb.close().await;
    assert_ne!(index().await, before);
    let emb = world.reopen(&dir, "emb").await;
    write(&emb, world.draft("emb", record, Action::State(StateChange { to: IncidentState::Closed, reason: None })))
        .await;
    for words in ["badger", "weasel", "crowd"] {
        assert_eq!(search(&emb, words).await, 1, "{words}");
    }
    assert_eq!(emb.list(&listing(View::Open)).await.unwrap().total, 0);
    let asked = emb.referrals(&ReferralQuery::all(&id("police"))).await.unwrap();
    assert_eq!((asked.len(), asked[0].state.as_str()), (1, "offered"));
    assert_eq!(emb.check(false, &|_, _| {}).await.unwrap().problems, Vec::<String>::new());
}
