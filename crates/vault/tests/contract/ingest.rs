//! Taking in what others wrote.

use seal::{Envelope, Link, OperationId};
use vault::{Incoming, OutItem, VaultError};

use crate::world::{NOW, World, all, envelopes, incoming, key_of, query, write};

/// What the EMB wrote, for the police: an incident with two notes, shared; another one not shared.
async fn written(world: &World) -> (vault::Vault, tempfile::TempDir, seal::RecordId, seal::RecordId) {
    let (dir, emb) = world.vault("emb").await;
    let shared = write(&emb, world.incident("emb", 1, "Crowd at station 7", &["emb", "police"])).await.record;
    write(&emb, world.note("emb", shared, "Two hundred people")).await;
    let hidden = write(&emb, world.incident("emb", 2, "Register out of date", &["emb"])).await.record;
    write(&emb, world.note("emb", shared, "Dispersed")).await;
    (emb, dir, shared, hidden)
}

#[tokio::test]
async fn whole_envelopes_for_the_audience_links_for_the_rest() {
    let world = World::new();
    let (emb, _dir, shared, hidden) = written(&world).await;
    let (_pdir, police) = world.vault("police").await;
    let outcome = police.ingest(incoming(all(&emb, query("police")).await)).await.unwrap();
    assert_eq!((outcome.links, outcome.entries, outcome.records, outcome.known), (4, 3, 1, 0));
    assert!(outcome.refused.is_empty());
    assert_eq!(police.record(&shared).await.unwrap().unwrap().state().notes.len(), 2);
    assert!(police.record(&hidden).await.unwrap().is_none());
    assert_eq!(police.heads().await.unwrap(), emb.heads().await.unwrap());
    let again = police.ingest(incoming(all(&emb, query("police")).await)).await.unwrap();
    assert_eq!((again.links, again.entries, again.records, again.known), (0, 0, 0, 4));
    assert!(again.touched.is_empty());
    assert_eq!(police.stats().await.unwrap().links, 4);
}

#[tokio::test]
async fn a_body_before_its_wrap_waits_and_opens_later() {
    let world = World::new();
    let (emb, _dir, shared, _) = written(&world).await;
    let (_pdir, police) = world.vault("police").await;
    let mut batch = incoming(all(&emb, query("police")).await);
    let wraps = std::mem::take(&mut batch.wraps);
    let outcome = police.ingest(batch).await.unwrap();
    assert_eq!((outcome.links, outcome.entries), (4, 0));
    assert!(police.record(&shared).await.unwrap().is_none());
    let later = Incoming { wraps, received_ms: NOW, ..Incoming::default() };
    let outcome = police.ingest(later).await.unwrap();
    assert_eq!((outcome.links, outcome.entries, outcome.records), (0, 3, 1));
    assert_eq!(police.record(&shared).await.unwrap().unwrap().entries().len(), 3);
    assert!(police.check(false, &|_, _| {}).await.unwrap().problems.is_empty());
}

#[tokio::test]
async fn a_wrap_before_the_identity_that_opens_it_is_tried_again() {
    let world = World::new();
    let (emb, _dir, shared, _) = written(&world).await;
    let (_pdir, police) = world.vault("police").await;
    police.set_identities(vec![world.member("police").own.clone()]);
    let outcome = police.ingest(incoming(all(&emb, query("police")).await)).await.unwrap();
    assert_eq!((outcome.links, outcome.entries), (4, 0));
    assert!(outcome.refused.is_empty(), "a key for a later epoch of our recipient is no fault: {:?}", outcome.refused);
    world.seat("police", &police);
    police.open_waiting().await.unwrap();
    assert_eq!(police.record(&shared).await.unwrap().unwrap().entries().len(), 3);
}

#[tokio::test]
async fn that_wraps_were_tried_is_remembered_for_these_identities_and_no_others() {
    let world = World::new();
    let (emb, _dir, shared, _) = written(&world).await;
    let (dir, police) = world.vault("police").await;
    let own = || vec![world.member("police").own.clone()];
    police.set_identities(own());
    let outcome = police.ingest(incoming(all(&emb, query("police")).await)).await.unwrap();
    assert_eq!((outcome.links, outcome.entries), (4, 0));
    police.close().await;
    // Opened again with the same: nothing opens, and nothing is lost.
    let police = world.reopen(&dir, "police").await;
    police.set_identities(own());
    police.open_waiting().await.unwrap();
    assert_eq!(police.stats().await.unwrap().entries, 0);
    police.close().await;
    // Opened again with the agency's: whatever was tried before is tried with it.
    let police = world.reopen(&dir, "police").await;
    police.open_waiting().await.unwrap();
    assert_eq!(police.record(&shared).await.unwrap().unwrap().entries().len(), 3);
    police.close().await;
    let police = world.reopen(&dir, "police").await;
    police.open_waiting().await.unwrap();
    assert_eq!(police.stats().await.unwrap().entries, 3);
    assert!(police.check(false, &|_, _| {}).await.unwrap().problems.is_empty());
}

#[tokio::test]
async fn bodies_are_attached_to_links_that_were_counted_before() {
    let world = World::new();
    let (emb, _dir, shared, _) = written(&world).await;
    let (_pdir, police) = world.vault("police").await;
    let batch = incoming(all(&emb, query("police")).await);
    let links = batch.envelopes.iter().map(|envelope| (envelope.link, envelope.signature)).collect();
    let first = Incoming { links, received_ms: NOW, ..Incoming::default() };
    assert_eq!(police.ingest(first).await.unwrap().links, 3);
    let before = police.stats().await.unwrap().seq;
    let outcome = police.ingest(batch).await.unwrap();
    assert_eq!((outcome.links, outcome.entries), (1, 3));
    assert_eq!(police.record(&shared).await.unwrap().unwrap().entries().len(), 3);
    // Their bodies are new to whoever reads from here: they have a later place in the commit order.
    assert!(all(&police, vault::OutQuery { after: before, ..query("police") }).await.len() >= 3);
}

#[tokio::test]
async fn what_does_not_hold_is_refused_and_the_rest_taken() {
    let world = World::new();
    let (emb, _dir, shared, _) = written(&world).await;
    let (_pdir, police) = world.vault("police").await;
    let mut batch = incoming(all(&emb, query("police")).await);
    let good = batch.envelopes.clone();
    let foreign = Link { operation: OperationId([9; 32]), ..good[0].link };
    let signature = foreign.sign(&world.member("emb").signing);
    batch.envelopes.push(Envelope { link: foreign, signature, body: good[0].body.clone() });
    let mut forged = good[1].clone();
    forged.signature.0[3] ^= 1;
    batch.envelopes.insert(0, forged);
    let outcome = police.ingest(batch).await.unwrap();
    assert_eq!(outcome.refused.len(), 2, "{:?}", outcome.refused);
    assert_eq!(outcome.entries, 3);
    assert_eq!(police.record(&shared).await.unwrap().unwrap().entries().len(), 3);
}

/// Anybody's key can sign a link with the highest number that there is.
#[tokio::test]
async fn the_highest_number_is_a_number() {
    let world = World::new();
    let (emb, _dir, _, _) = written(&world).await;
    let stranger = seal::SigningKey::from_seed(&[77; 32]);
    let good = incoming(all(&emb, query("police")).await).envelopes[0].link;
    for number in [i64::MAX as u64, i64::MAX as u64 - 1, 5] {
        let link = Link { device: stranger.device_id(), number, prev: seal::EnvelopeId([9; 32]), ..good };
        let links = vec![(link, link.sign(&stranger))];
        let outcome = emb.ingest(Incoming { links, ..Incoming::default() }).await.unwrap();
        assert_eq!((outcome.links, outcome.refused.len()), (1, 0));
    }
    assert_eq!(emb.check(false, &|_, _| {}).await.unwrap().problems, Vec::<String>::new());
}

#[tokio::test]
async fn a_false_body_does_not_keep_the_true_one_out() {
    let world = World::new();
    let (emb, _dir, shared, _) = written(&world).await;
    let batch = incoming(all(&emb, query("police")).await);
    for wraps_first in [true, false] {
        let (_pdir, police) = world.vault("police").await;
        let mut poisoned = batch.envelopes.clone();
        for envelope in &mut poisoned {
            let body = envelope.body.as_mut().unwrap();
            let last = body.len() - 1;
            body[last] ^= 1;
        }
        let wraps = Incoming { wraps: batch.wraps.clone(), received_ms: NOW, ..Incoming::default() };
        let bodies = Incoming { envelopes: poisoned, received_ms: NOW, ..Incoming::default() };
        let (first, second) = if wraps_first { (wraps, bodies) } else { (bodies, wraps) };
        let one = police.ingest(first).await.unwrap();
        let two = police.ingest(second).await.unwrap();
        assert_eq!(one.refused.len() + two.refused.len(), 3);
        assert_eq!(one.entries + two.entries, 0);
        let again = Incoming { envelopes: batch.envelopes.clone(), received_ms: NOW, ..Incoming::default() };
        assert_eq!(police.ingest(again).await.unwrap().entries, 3);
        assert_eq!(police.record(&shared).await.unwrap().unwrap().entries().len(), 3);
        assert!(police.check(false, &|_, _| {}).await.unwrap().problems.is_empty());
    }
}

#[tokio::test]
async fn a_body_that_is_no_body_is_refused() {
    let world = World::new();
    let (emb, _dir, ..) = written(&world).await;
    let (_pdir, police) = world.vault("police").await;
    let mut batch = incoming(all(&emb, query("police")).await);
    batch.envelopes[0].body = Some(vec![1, 2, 3]);
    batch.envelopes[1].body = Some(Vec::new());
    batch.envelopes[2].body = Some(vec![0; seal::record_key::MAX_BODY + 1]);
    let outcome = police.ingest(batch).await.unwrap();
    assert_eq!(outcome.refused.len(), 3, "{:?}", outcome.refused);
    assert_eq!(outcome.entries, 0);
}

#[tokio::test]
async fn a_restored_vault_notices_and_writes_no_more() {
    let world = World::new();
    let (emb, _dir, shared, _) = written(&world).await;
    let (_old, restored) = world.vault("emb").await;
    let outcome = restored.ingest(incoming(all(&emb, query("emb")).await)).await.unwrap();
    assert_eq!(outcome.entries, 4);
    let refused = restored.append(vec![world.note("emb", shared, "From the past")]).await;
    assert_eq!(refused.err(), Some(VaultError::StaleClone));
    // It remembers.
    drop(restored);
    let restored = world.reopen(&_old, "emb").await;
    let refused = restored.append(vec![world.note("emb", shared, "From the past")]).await;
    assert_eq!(refused.err(), Some(VaultError::StaleClone));
    // Its own entries that come back to where they were written are no surprise.
    let own = all(&emb, query("emb")).await;
    emb.ingest(incoming(own)).await.unwrap();
    write(&emb, world.note("emb", shared, "Still here")).await;
}

#[tokio::test]
async fn an_answer_travels_back() {
    let world = World::new();
    let (emb, _dir, shared, _) = written(&world).await;
    let (_pdir, police) = world.vault("police").await;
    police.ingest(incoming(all(&emb, query("police")).await)).await.unwrap();
    write(&police, world.note("police", shared, "Patrol on its way")).await;
    let back = all(&police, query("emb")).await;
    assert_eq!(envelopes(&back).len(), 4);
    let outcome = emb.ingest(incoming(back)).await.unwrap();
    assert_eq!((outcome.entries, outcome.known), (1, 4));
    let (here, there) = (emb.record(&shared).await.unwrap().unwrap(), police.record(&shared).await.unwrap().unwrap());
    assert_eq!(logbook::digest::digest(&here), logbook::digest::digest(&there));
}

#[tokio::test]
async fn a_record_as_it_was_received_then() {
    let world = World::new();
    let (emb, _dir, shared, _) = written(&world).await;
    let (_pdir, police) = world.vault("police").await;
    let items = all(&emb, query("police")).await;
    let whole = envelopes(&items);
    let mut batch = incoming(items);
    batch.envelopes = whole[..2].to_vec();
    police.ingest(batch).await.unwrap();
    let late = Incoming { envelopes: whole[2..].to_vec(), received_ms: NOW + 60_000, ..Incoming::default() };
    police.ingest(late).await.unwrap();
    let then = police.record_as_of(&shared, NOW + 59_999).await.unwrap().unwrap();
    assert_eq!(then.entries().len(), 2);
    assert_eq!(police.record_as_of(&shared, NOW + 60_000).await.unwrap().unwrap().entries().len(), 3);
}

#[tokio::test]
async fn keys_of_others_do_not_open_and_do_not_block() {
    let world = World::new();
    let (emb, _dir, shared, _) = written(&world).await;
    let (_pdir, police) = world.vault("police").await;
    // A wrap that says it is for the police, with something else in it.
    let mut batch = incoming(all(&emb, query("police")).await);
    let (to, wrap) = batch.wraps[0].clone();
    let mut false_wrap = wrap.clone();
    let last = false_wrap.sealed.len() - 1;
    false_wrap.sealed[last] ^= 1;
    batch.wraps.insert(0, (to, false_wrap));
    let outcome = police.ingest(batch).await.unwrap();
    assert_eq!(outcome.refused.len(), 1);
    assert_eq!(outcome.entries, 3);
    assert_eq!(police.record_keys(&shared).await.unwrap()[0].as_bytes(), key_of("emb", 1).as_bytes());
    let kept = all(&police, query("police")).await;
    assert_eq!(kept.iter().filter(|item| matches!(item, OutItem::Wrap(..))).count(), 1);
}
