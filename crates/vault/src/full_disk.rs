//! A disk that is full: nothing acknowledged is lost, and what did not fit is refused as such.

#[path = "../tests/contract/world.rs"]
mod world;

use self::world::{World, all, incoming, query, write};
use crate::{Vault, VaultError};

/// Lets the database grow by so many pages and no more; -1 lifts the bound.
async fn room(vault: &Vault, pages: i64) {
    let mut guard = vault.writer().await.unwrap();
    let connection = &mut guard.get().unwrap().connection;
    let (held,): (i64,) = sqlx::query_as("PRAGMA page_count").fetch_one(&mut *connection).await.unwrap();
    let most = if pages < 0 { i64::from(u32::MAX) - 1 } else { held + pages };
    sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {most}"))).execute(connection).await.unwrap();
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_the_rest_stays() {
    let world = World::new();
    let (dir, emb) = world.vault("emb").await;
    let record = write(&emb, world.incident("emb", 1, "Crowd", &["emb", "police"])).await.record;
    room(&emb, 4).await;
    let mut kept = 1;
    let refused = loop {
        match emb.append(vec![world.note("emb", record, &"lorem ".repeat(200))]).await {
            Ok(made) => {
                assert_eq!(made[0].number, kept + 1);
                kept += 1;
            }
            Err(error) => break error,
        }
        assert!(kept < 1000, "the bound must be met");
    };
    assert_eq!(refused, VaultError::Full);
    assert_eq!(emb.put_setting("draft", &"x".repeat(100_000)).await.err(), Some(VaultError::Full));
    // What is there can be read, searched and given; the refused entry left no trace.
    assert_eq!(emb.record(&record).await.unwrap().unwrap().entries().len() as u64, kept);
    assert_eq!(emb.stats().await.unwrap().entries, kept);
    assert_eq!(emb.heads().await.unwrap()[0].1, kept);
    assert_eq!(emb.check(false, &|_, _| {}).await.unwrap().problems, Vec::<String>::new());
    drop(emb);
    let emb = world.reopen(&dir, "emb").await;
    let next = write(&emb, world.note("emb", record, "There is room again")).await;
    assert_eq!(next.number, kept + 1);
    assert_eq!(emb.check(false, &|_, _| {}).await.unwrap().problems, Vec::<String>::new());
}

#[tokio::test]
async fn a_batch_that_does_not_fit_is_taken_later() {
    let world = World::new();
    let (_dir, emb) = world.vault("emb").await;
    let mut drafts = vec![world.incident("emb", 1, "Crowd", &["emb", "police"])];
    let record = drafts[0].record;
    drafts.extend((0..100).map(|_| world.note("emb", record, &"lorem ".repeat(100))));
    emb.append(drafts).await.unwrap();
    let items = all(&emb, query("police")).await;
    let (_pdir, police) = world.vault("police").await;
    room(&police, 2).await;
    assert_eq!(police.ingest(incoming(items.clone())).await.err(), Some(VaultError::Full));
    assert_eq!((police.stats().await.unwrap().links, police.heads().await.unwrap().len()), (0, 0));
    room(&police, -1).await;
    let outcome = police.ingest(incoming(items)).await.unwrap();
    assert_eq!((outcome.links, outcome.entries), (101, 101));
    assert_eq!(police.heads().await.unwrap(), emb.heads().await.unwrap());
    assert_eq!(police.check(false, &|_, _| {}).await.unwrap().problems, Vec::<String>::new());
}

#[tokio::test]
async fn a_group_shares_its_fate_only_with_the_disk() {
    let world = World::new();
    let (_dir, emb) = world.vault("emb").await;
    let record = write(&emb, world.incident("emb", 1, "Crowd", &["emb"])).await.record;
    // One that is denied, between two that are not.
    let (one, two, three) = tokio::join!(
        emb.append(vec![world.note("emb", record, "one")]),
        emb.append(vec![world.refer("emb", record, &world::key_of("emb", 1), "emb")]),
        emb.append(vec![world.note("emb", record, "three")]),
    );
    assert!(matches!(two, Err(VaultError::Denied(_))), "{two:?}");
    let mut numbers = [one.unwrap()[0].number, three.unwrap()[0].number];
    numbers.sort_unstable();
    assert_eq!(numbers, [2, 3]);
    assert_eq!(emb.record(&record).await.unwrap().unwrap().entries().len(), 3);
}
