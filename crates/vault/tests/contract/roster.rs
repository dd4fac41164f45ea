//! Roster objects: durable, and what they change is judged again.

use logbook::Status;
use logbook::roster::{Cut, RosterObject};

use crate::lists::search;
use crate::world::{NOW, World, all, incoming, query, write};

#[tokio::test]
async fn the_roster_is_kept_and_known_objects_change_nothing() {
    let world = World::new();
    let (dir, vault) = world.vault("emb").await;
    let again = vault.add_roster(world.objects(), NOW).await.unwrap();
    assert_eq!((again.new, again.refused.len()), (0, 0));
    drop(vault);
    let vault = world.reopen(&dir, "emb").await;
    assert_eq!(vault.roster().objects(), world.objects());
    assert_eq!(vault.roster().operation(), Some(world.operation()));
}

#[tokio::test]
async fn another_operations_roster_is_refused() {
    let world = World::new();
    let (_dir, vault) = world.vault("emb").await;
    let mut epoch = world.roster.epoch().unwrap().clone();
    epoch.operation_name = "Another election".into();
    let other = RosterObject::Epoch(logbook::roster::SignedEpoch::propose(&epoch));
    let _ = vault.add_roster(vec![other], NOW).await;
    assert_eq!(vault.roster().operation(), Some(world.operation()));
}

#[tokio::test]
async fn a_revocation_quarantines_what_comes_after_its_cut() {
    let mut world = World::new();
    let (_dir, emb) = world.vault("emb").await;
    let record = write(&emb, world.incident("emb", 1, "Crowd at station 7", &["emb", "police"])).await.record;
    let good = write(&emb, world.note("emb", record, "Wolverine seen")).await;
    write(&emb, world.note("emb", record, "Platypus seen")).await;
    let (pdir, police) = world.vault("police").await;
    police.ingest(incoming(all(&emb, query("police")).await)).await.unwrap();
    assert_eq!(search(&police, "platypus").await, 1);
    world.revoke("emb", Some(Cut { number: good.number, head: good.envelope }));
    let outcome = police.add_roster(world.objects(), NOW).await.unwrap();
    assert_eq!(outcome.touched, vec![record]);
    let statuses = |record: &logbook::Record| record.entries().iter().map(|e| e.status).collect::<Vec<_>>();
    let expected = vec![Status::Valid, Status::Valid, Status::Quarantined];
    let held = police.record(&record).await.unwrap().unwrap();
    assert_eq!(statuses(&held), expected);
    assert_eq!(held.state().notes.len(), 1);
    assert_eq!((search(&police, "wolverine").await, search(&police, "platypus").await), (1, 0));
    drop(police);
    let police = world.reopen(&pdir, "police").await;
    assert_eq!(statuses(&police.record(&record).await.unwrap().unwrap()), expected);
    assert_eq!((search(&police, "wolverine").await, search(&police, "platypus").await), (1, 0));
    // What the revoked device writes later is kept, shown, and without effect.
    write(&emb, world.note("emb", record, "Capybara seen")).await;
    police.ingest(incoming(all(&emb, query("police")).await)).await.unwrap();
    assert_eq!(police.record(&record).await.unwrap().unwrap().entries().len(), 4);
    assert_eq!(search(&police, "capybara").await, 0);
}

#[tokio::test]
async fn entries_wait_for_the_roster_that_they_cite() {
    let mut world = World::new();
    let before = world.objects();
    // Something changes, so that the EMB cites a roster that the police do not hold yet.
    world.revoke("emb-2", None);
    let (_dir, emb) = world.vault("emb").await;
    let record = write(&emb, world.incident("emb", 1, "Crowd at station 7", &["emb", "police"])).await.record;
    let dir = tempfile::tempdir().unwrap();
    let cost = seal::KdfCost::DRILL;
    let police =
        vault::Vault::create(dir.path(), &crate::world::pass(), cost, &mut crate::world::random(5)).await.unwrap();
    police.add_roster(before, NOW).await.unwrap();
    world.seat("police", &police);
    police.ingest(incoming(all(&emb, query("police")).await)).await.unwrap();
    let held = police.record(&record).await.unwrap().unwrap();
    assert_eq!(held.entries()[0].status, Status::Waiting);
    assert!(!held.state().exists());
    let outcome = police.add_roster(world.objects(), NOW).await.unwrap();
    assert_eq!(outcome.touched, vec![record]);
    assert!(police.record(&record).await.unwrap().unwrap().state().exists());
}
