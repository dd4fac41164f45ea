//! The same envelopes give the same records, whatever the order and the splits.

use logbook::action::{Action, Amend, IncidentState, StateChange};
use logbook::digest::digest;
use logbook::roster::{Cut, RosterObject};
use proptest::prelude::*;
use seal::{Envelope, Hash32, RecordId};
use vault::{Draft, Incoming, OutItem, Vault};

use crate::world::{NOW, World, all, incoming, key_of, query, write};

/// What travels, in pieces that may come in any order.
#[derive(Clone)]
enum Piece {
    Item(Box<OutItem>),
    Roster(Vec<RosterObject>),
}

struct Story {
    pieces: Vec<Piece>,
    records: Vec<RecordId>,
    world: World,
}

fn amend(world: &World, name: &str, record: RecordId, place: &str) -> Draft {
    let mut fields = logbook::Fields::new();
    fields.insert("place".into(), place.into());
    world.draft(name, record, Action::Amend(Amend { set: fields, settles: Vec::new() }))
}

/// The EMB and the court write in one record without knowing of each other; the EMB's device is then
/// revoked before its last entries, and forks its chain beyond the cut.
async fn story() -> Story {
    let mut world = World::new();
    let (_one, emb) = world.vault("emb").await;
    let (_two, court) = world.vault("court").await;
    let first = write(&emb, world.incident("emb", 1, "Crowd at station 7", &["emb", "court", "police"])).await.record;
    let second = write(&emb, world.incident("emb", 2, "Register out of date", &["emb"])).await.record;
    court.ingest(incoming(all(&emb, query("court")).await)).await.unwrap();
    write(&emb, amend(&world, "emb", first, "north door")).await;
    write(&court, amend(&world, "court", first, "south door")).await;
    court.ingest(incoming(all(&emb, query("court")).await)).await.unwrap();
    write(&court, world.note("court", first, "Both doors were seen")).await;
    let state = StateChange { to: IncidentState::Triaged, reason: None };
    let last = write(&emb, world.draft("emb", first, Action::State(state))).await;
    write(&emb, world.refer("emb", second, &key_of("emb", 2), "police")).await;
    // A thief's copy of the device goes on from the same place.
    let (_three, thief) = world.vault("emb").await;
    let copy: Vec<Envelope> = all(&emb, query("emb")).await.into_iter().filter_map(whole).collect();
    let before = world.objects();
    world.revoke("emb", Some(Cut { number: last.number, head: last.envelope }));
    let mut items = all(&emb, query("police")).await;
    items.extend(all(&court, query("police")).await);
    items.extend(forked(&world, &copy));
    drop(thief);
    let mut pieces: Vec<Piece> = items
        .into_iter()
        .filter(|item| !matches!(item, OutItem::Roster(_)))
        .map(|item| Piece::Item(Box::new(item)))
        .collect();
    pieces.push(Piece::Roster(before.clone()));
    pieces.push(Piece::Roster(world.objects().into_iter().filter(|object| !before.contains(object)).collect()));
    Story { pieces, records: vec![first, second], world }
}

fn whole(item: OutItem) -> Option<Envelope> {
    if let OutItem::Envelope(envelope) = item { Some(envelope) } else { None }
}

/// A second link of the last number, with the same body commitment under another roster hash.
fn forked(world: &World, copy: &[Envelope]) -> Vec<OutItem> {
    let last = copy.iter().filter(|e| e.link.device == world.member("emb").device()).max_by_key(|e| e.link.number);
    let mut link = last.expect("an entry").link;
    link.roster = copy[0].link.roster;
    link.body[0] ^= 1;
    vec![OutItem::Link(link, link.sign(&world.member("emb").signing))]
}

async fn play(story: &Story, order: &[usize], splits: &[usize]) -> Vec<Option<Hash32>> {
    let dir = tempfile::tempdir().unwrap();
    let seed = &mut crate::world::random(7);
    let at = dir.path().join("v");
    let vault = Vault::create(&at, &crate::world::pass(), seal::KdfCost::DRILL, seed).await.unwrap();
    story.world.seat("police", &vault);
    // The first epoch tells which operation this vault belongs to; everything else may come later.
    let (epochs, _): (Vec<_>, Vec<_>) =
        story.world.objects().into_iter().partition(|object| matches!(object, RosterObject::Epoch(_)));
    vault.add_roster(epochs, NOW).await.unwrap();
    let mut batch = Vec::new();
    for (at, index) in order.iter().enumerate() {
        match &story.pieces[*index] {
            Piece::Item(item) => batch.push((**item).clone()),
            Piece::Roster(objects) => {
                vault.add_roster(objects.clone(), NOW).await.unwrap();
            }
        }
        if splits.contains(&at) {
            take(&vault, std::mem::take(&mut batch)).await;
        }
    }
    take(&vault, batch).await;
    vault.open_waiting().await.unwrap();
    let live = digests(story, &vault).await;
    let check = vault.check(false, &|_, _| {}).await.unwrap();
    assert_eq!(check.problems, Vec::<String>::new());
    // Opened again, it says the same.
    drop(vault);
    let vault = Vault::open(&at, &crate::world::pass()).await.unwrap();
    story.world.seat("police", &vault);
    assert_eq!(digests(story, &vault).await, live);
    live
}

async fn take(vault: &Vault, items: Vec<OutItem>) {
    let outcome = vault.ingest(Incoming { received_ms: NOW, ..incoming(items) }).await.unwrap();
    assert!(outcome.refused.is_empty(), "{:?}", outcome.refused);
}

async fn digests(story: &Story, vault: &Vault) -> Vec<Option<Hash32>> {
    let mut digests = Vec::new();
    for id in &story.records {
        digests.push(vault.record(id).await.unwrap().map(|record| digest(&record)));
    }
    digests
}

#[test]
fn any_order_any_split_one_result() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let story = runtime.block_on(story());
    let straight: Vec<usize> = {
        // Roster first, as a conversation has it.
        let count = story.pieces.len();
        (count - 2..count).chain(0..count - 2).collect()
    };
    let expected = runtime.block_on(play(&story, &straight, &[]));
    assert!(expected.iter().all(Option::is_some));
    let count = story.pieces.len();
    let config = ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() };
    let order = Just((0..count).collect::<Vec<usize>>()).prop_shuffle();
    let splits = prop::collection::vec(0..count, 0..5);
    proptest!(config, |(order in order, splits in splits)| {
        let found = runtime.block_on(play(&story, &order, &splits));
        prop_assert_eq!(&found, &expected);
    });
}
