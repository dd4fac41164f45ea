//! What goes to whom.

use std::collections::{BTreeMap, BTreeSet};

use logbook::action::{Action, GrantTo, Share, Unshare};
use logbook::record_state::Audience;
use seal::{EnvelopeId, RecordId};
use vault::{Draft, Incoming, Origin, OutItem, OutQuery, Vault, Way};

use crate::world::{NOW, World, agency_of, all, envelopes, id, incoming, key_of, query, write};

fn share(world: &World, name: &str, record: RecordId, key: &seal::RecordKey, to: &GrantTo) -> Draft {
    let (grant, wrap) = world.grant(record, key, to);
    let mut draft = world.draft(name, record, Action::Share(Share { grants: vec![grant] }));
    draft.wraps = vec![wrap];
    draft
}

fn counts(items: &[OutItem]) -> (usize, usize, usize, usize) {
    let mut counts = (0, 0, 0, 0);
    for item in items {
        match item {
            OutItem::Roster(_) => counts.0 += 1,
            OutItem::Wrap(..) => counts.1 += 1,
            OutItem::Envelope(_) => counts.2 += 1,
            OutItem::Link(..) => counts.3 += 1,
        }
    }
    counts
}

async fn end(vault: &Vault) -> i64 {
    let query = OutQuery { limit: 1_000_000, ..query("court") };
    vault.outgoing(&query).await.unwrap().next
}

#[tokio::test]
async fn a_grant_sends_the_whole_record_again() {
    let world = World::new();
    let (_dir, emb) = world.vault("emb").await;
    let record = write(&emb, world.incident("emb", 1, "Crowd", &["emb"])).await.record;
    for n in 0..5 {
        write(&emb, world.note("emb", record, &format!("note {n}"))).await;
    }
    let other = write(&emb, world.incident("emb", 2, "Not for the court", &["emb"])).await.record;
    let first = all(&emb, query("court")).await;
    assert_eq!(counts(&first), (world.objects().len(), 0, 0, 7));
    let after = end(&emb).await;
    assert!(all(&emb, OutQuery { after, ..query("court") }).await.is_empty());
    let key = key_of("emb", 1);
    write(&emb, share(&world, "emb", record, &key, &agency_of("court"))).await;
    let next = all(&emb, OutQuery { after, ..query("court") }).await;
    assert_eq!(counts(&next), (0, 1, 7, 0), "the wrap, six entries from before, and the grant");
    let (_cdir, court) = world.vault("court").await;
    court.ingest(incoming(first)).await.unwrap();
    court.ingest(incoming(next)).await.unwrap();
    assert_eq!(court.record(&record).await.unwrap().unwrap().entries().len(), 7);
    assert!(court.record(&other).await.unwrap().is_none());
    // To a device that is no desk, links of other records are not told.
    let device = world.member("emb-2").device();
    let field = OutQuery { to: Audience::Device(device), desk: false, ..query("emb") };
    assert_eq!(counts(&all(&emb, field).await), (world.objects().len(), 0, 0, 0));
}

#[tokio::test]
async fn pages_cover_everything_once_in_causal_order() {
    let world = World::new();
    let (_dir, emb) = world.vault("emb").await;
    let mut records = Vec::new();
    for n in 0..10u32 {
        let mut drafts = vec![world.incident("emb", n, "Crowd", if n % 2 == 0 { &["emb", "court"] } else { &["emb"] })];
        let record = drafts[0].record;
        drafts.extend((0..3).map(|_| world.note("emb", record, "More")));
        emb.append(drafts).await.unwrap();
        records.push(record);
    }
    for limit in [1, 3, 7, 40, 41, 1000] {
        let items = all(&emb, OutQuery { limit, ..query("court") }).await;
        let given: BTreeSet<EnvelopeId> = envelopes(&items).iter().map(|envelope| envelope.id()).collect();
        let links = items.iter().filter(|item| matches!(item, OutItem::Link(..))).count();
        assert_eq!((given.len(), links), (20, 20), "pages of {limit}");
        let mut last: BTreeMap<seal::KeyId, u64> = BTreeMap::new();
        for envelope in envelopes(&items) {
            let key = envelope.key_id().unwrap().unwrap();
            let held = last.insert(key, envelope.link.number).unwrap_or(0);
            assert!(held < envelope.link.number || limit < 1000, "causal within a record");
        }
    }
}

#[tokio::test]
async fn through_a_relay_only_authors_post_except_to_whom_they_granted() {
    let world = World::new();
    let (_edir, emb) = world.vault("emb").await;
    let record = write(&emb, world.incident("emb", 1, "Crowd", &["emb", "police", "court"])).await.record;
    let (_pdir, police) = world.vault("police").await;
    let batch = incoming(all(&emb, query("police")).await);
    police.ingest(Incoming { origin: Some(Origin::Relay), ..batch }).await.unwrap();
    write(&police, world.note("police", record, "Patrol sent")).await;
    let relayed = OutQuery { through: Way::Relay, ..query("court") };
    let posted = envelopes(&all(&police, relayed.clone()).await);
    assert_eq!(posted.len(), 1, "what came through the relay was posted by its author");
    assert_eq!(posted[0].link.device, world.member("police").device());
    assert_eq!(envelopes(&all(&police, query("court")).await).len(), 2, "directly, everything");
    // An author's own grant sends everything, whoever wrote it.
    let back = incoming(all(&police, query("emb")).await);
    emb.ingest(Incoming { origin: Some(Origin::Relay), ..back }).await.unwrap();
    let field = world.member("emb-2").device();
    let after = end(&emb).await;
    write(&emb, share(&world, "emb", record, &key_of("emb", 1), &GrantTo::Device { id: field })).await;
    let to_field = OutQuery { to: Audience::Device(field), desk: false, after, through: Way::Relay, ..query("emb") };
    assert_eq!(envelopes(&all(&emb, to_field).await).len(), 3);
}

#[tokio::test]
async fn who_was_taken_out_gets_nothing_more() {
    let world = World::new();
    let (_dir, emb) = world.vault("emb").await;
    let record = write(&emb, world.incident("emb", 1, "Crowd", &["emb", "court"])).await.record;
    let unshare = Unshare { agencies: vec![id("court")], devices: Vec::new() };
    write(&emb, world.draft("emb", record, Action::Unshare(unshare))).await;
    let after = end(&emb).await;
    write(&emb, world.note("emb", record, "Among ourselves")).await;
    let items = all(&emb, OutQuery { after, ..query("court") }).await;
    assert_eq!(counts(&items), (0, 0, 0, 1));
}

/// The key under which a body is sealed.
fn sealed_under(items: &[OutItem]) -> Vec<seal::KeyId> {
    envelopes(items).iter().filter_map(|one| one.key_id().expect("a whole body")).collect()
}

#[tokio::test]
async fn what_comes_later_is_sealed_under_no_key_of_who_was_taken_out() {
    let world = World::new();
    let (dir, emb) = world.vault("emb").await;
    let record = write(&emb, world.incident("emb", 1, "Crowd", &["emb", "court"])).await.record;
    let unshare = Unshare { agencies: vec![id("court")], devices: Vec::new() };
    write(&emb, world.draft("emb", record, Action::Unshare(unshare))).await;
    let fresh = key_of("emb", 77);
    let mut again = share(&world, "emb", record, &fresh, &agency_of("emb"));
    again.key = Some(fresh.clone());
    write(&emb, again).await;
    // Who was taken out sends a key of its own for the record, and an old one again: no entry grants them.
    let theirs = key_of("court", 5);
    let strays = [&theirs, &key_of("emb", 1)].map(|key| world.grant(record, key, &agency_of("emb")).1);
    emb.ingest(Incoming { wraps: strays.into(), received_ms: NOW, ..Incoming::default() }).await.unwrap();
    assert_eq!(emb.record_keys(&record).await.unwrap().len(), 3, "it is held, should an entry need it");
    drop(emb);
    let emb = world.reopen(&dir, "emb").await;
    let after = end(&emb).await;
    write(&emb, world.note("emb", record, "Among ourselves")).await;
    let items = all(&emb, OutQuery { after, ..query("emb") }).await;
    assert_eq!(sealed_under(&items), vec![fresh.id(&record)]);
    assert_ne!(theirs.id(&record), fresh.id(&record));
}

#[tokio::test]
async fn holdings_and_asking_by_id() {
    let world = World::new();
    let (_dir, emb) = world.vault("emb").await;
    let record = write(&emb, world.incident("emb", 1, "Crowd", &["emb", "court"])).await.record;
    write(&emb, world.note("emb", record, "More")).await;
    write(&emb, world.incident("emb", 2, "Not for the court", &["emb"])).await;
    let court = Audience::Agency(id("court"));
    let held = emb.holdings(&court, None, true).await.unwrap();
    let stated: Vec<(u64, bool)> = held.iter().map(|one| (one.number, one.whole)).collect();
    assert_eq!(stated, vec![(1, true), (2, true), (3, false)]);
    let held_by_field = emb.holdings(&court, None, false).await.unwrap();
    assert_eq!(held_by_field.len(), 2);
    let mut ids: Vec<EnvelopeId> = held.iter().map(|one| one.id).collect();
    ids.push(EnvelopeId([9; 32]));
    let items = emb.envelopes_by_id(&ids, &court, None, true).await.unwrap();
    assert_eq!(counts(&items), (0, 0, 2, 1));
    let sparse = emb.roster_and_wraps(&OutQuery { after: 0, ..query("court") }).await.unwrap();
    assert_eq!(counts(&sparse.items), (world.objects().len(), 1, 0, 0));
}

#[tokio::test]
async fn acknowledgements_only_grow() {
    let world = World::new();
    let (_dir, emb) = world.vault("emb").await;
    let police = world.member("police").device();
    emb.put_ack(&police, 5, NOW).await.unwrap();
    emb.put_ack(&police, 3, NOW + 1).await.unwrap();
    assert_eq!(emb.acks().await.unwrap(), vec![(police, 5, NOW + 1)]);
}

#[tokio::test]
async fn exhibits_are_asked_for_resumed_and_verified() {
    let world = World::new();
    let (_dir, emb) = world.vault("emb").await;
    let record = write(&emb, world.incident("emb", 1, "Photo", &["emb", "court"])).await.record;
    let sealed = emb.put_blob(std::io::Cursor::new(vec![5; 300_000])).await.unwrap();
    let exhibit = logbook::action::Exhibit {
        name: "photo.jpg".into(),
        description: None,
        size: sealed.original.size,
        sha256: seal::Hash32(sealed.original.sha256),
        sha512: seal::id::to_hex(&sealed.original.sha512),
        address: sealed.address,
        sealed_size: sealed.sealed_size,
        identity: sealed.identity.to_secret_str().to_string(),
        acquired_ms: NOW,
    };
    write(&emb, world.draft("emb", record, Action::Exhibit(exhibit))).await;
    let (_cdir, court) = world.vault("court").await;
    court.ingest(incoming(all(&emb, query("court")).await)).await.unwrap();
    let (address, total) = (sealed.address, sealed.sealed_size);
    assert_eq!(court.wanted_blobs().await.unwrap(), vec![(address, total, 0)]);
    let bytes = emb.read_blob_part(&address, 0, usize::MAX).await.unwrap();
    let stranger = seal::BlobAddress([1; 32]);
    assert!(court.blob_part(&stranger, 0, 10, &[0; 10]).await.is_err(), "nobody asked for it");
    let half = court.blob_part(&address, 0, total, &bytes[..100_000]).await.unwrap();
    assert_eq!((half.complete, half.next), (false, 100_000));
    let skipped = court.blob_part(&address, 200_000, total, &bytes[200_000..]).await.unwrap();
    assert_eq!((skipped.complete, skipped.next), (false, 100_000));
    assert_eq!(court.wanted_blobs().await.unwrap(), vec![(address, total, 100_000)]);
    let mut bad = bytes[100_000..].to_vec();
    bad[7] ^= 1;
    assert!(court.blob_part(&address, 100_000, total, &bad).await.is_err());
    assert_eq!(court.wanted_blobs().await.unwrap(), vec![(address, total, 0)], "false bytes are thrown away");
    // The process ended between the last byte and the part's taking its place: with false bytes, with true ones.
    let part = court.blob_path(&address).with_file_name(format!("{address}.part"));
    std::fs::write(&part, vec![0; bytes.len()]).unwrap();
    assert_eq!(court.wanted_blobs().await.unwrap(), vec![(address, total, 0)]);
    std::fs::write(&part, &bytes).unwrap();
    assert_eq!(court.wanted_blobs().await.unwrap(), vec![]);
    std::fs::remove_file(court.blob_path(&address)).unwrap();
    assert!(court.blob_part(&address, 0, total, &bytes).await.unwrap().complete);
    assert!(court.has_blob(&address) && court.wanted_blobs().await.unwrap().is_empty());
    assert_eq!(court.check(false, &|_, _| {}).await.unwrap().problems, Vec::<String>::new());
    std::fs::write(court.blob_path(&address), b"other").unwrap();
    assert_eq!(court.check(false, &|_, _| {}).await.unwrap().problems.len(), 1);
}

#[tokio::test]
async fn what_came_from_a_peer_is_not_sent_back_to_it_unless_it_begins_anew() {
    let world = World::new();
    let (_dir, emb) = world.vault("emb").await;
    let record = write(&emb, world.incident("emb", 1, "Crowd", &["emb", "police"])).await.record;
    write(&emb, world.incident("emb", 2, "Not for the police", &["emb"])).await;
    let (_pdir, police) = world.vault("police").await;
    let emb_device = world.member("emb").device();
    let batch = incoming(all(&emb, query("police")).await);
    police.ingest(Incoming { from: Some(emb_device), ..batch }).await.unwrap();
    write(&police, world.note("police", record, "Patrol sent")).await;
    let asked = |after| OutQuery { device: Some(emb_device), after, ..query("emb") };
    let given = counts(&all(&police, asked(1)).await);
    assert_eq!((given.2, given.3), (1, 0), "only what the police wrote");
    // Another device of the same desk gets everything, as does a store that lost what it had.
    let other = OutQuery { device: Some(world.member("emb-2").device()), ..asked(1) };
    assert_eq!(envelopes(&all(&police, other).await).len(), 2);
    assert_eq!(envelopes(&all(&police, OutQuery { limit: 1, ..asked(0) }).await).len(), 2);
}
