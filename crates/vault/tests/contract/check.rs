//! Checking and rebuilding.

use vault::{ListQuery, Vault, View};

use crate::lists::listing;
use crate::tamper::alter;
use crate::world::{World, write};

async fn damaged(statement: &'static str) -> Vec<String> {
    let world = World::new();
    let (dir, emb) = world.vault("emb").await;
    for n in 0..3 {
        let record = write(&emb, world.incident("emb", n, "Crowd", &["emb", "police"])).await.record;
        write(&emb, world.note("emb", record, "More")).await;
        write(&emb, world.refer("emb", record, &crate::world::key_of("emb", n), "court")).await;
    }
    assert_eq!(emb.check(false, &|_, _| {}).await.unwrap().problems, Vec::<String>::new());
    emb.close().await;
    alter(&dir.path().join("v"), statement).await;
    let emb = world.reopen(&dir, "emb").await;
    emb.check(false, &|_, _| {}).await.unwrap().problems
}

#[tokio::test]
async fn every_altered_row_is_found() {
    for statement in [
        "UPDATE envelope SET body = (SELECT body FROM envelope WHERE seq = (SELECT MAX(seq) FROM envelope)) WHERE number = 1",
        // The last byte, whatever it is.
        "UPDATE envelope SET body = substr(body, 1, length(body) - 1) || iif(substr(body, -1) = x'00', x'01', x'00') WHERE number = 2",
        "UPDATE envelope SET signature = zeroblob(64) WHERE number = 2",
        "UPDATE envelope SET link = substr(link, 1, 168) || iif(substr(link, -1) = x'00', x'01', x'00') WHERE number = 2",
        "UPDATE envelope SET id = zeroblob(32) WHERE number = 2",
        "UPDATE envelope SET number = 77 WHERE number = 9",
        "UPDATE envelope SET link = x'01' WHERE number = 2",
        "DELETE FROM envelope WHERE number = 5",
        "DELETE FROM envelope WHERE number = 9",
        "UPDATE envelope SET record = 2 WHERE number = 2",
        "UPDATE envelope SET record = 99 WHERE number = 2",
        "UPDATE envelope SET body = NULL, record = NULL WHERE number = 2",
        "UPDATE projection SET state = 'closed', open = 0 WHERE n = 1",
        "UPDATE projection SET severity = 1 WHERE n = 1",
        "UPDATE projection SET summary = 'Nothing happened' WHERE n = 1",
        "UPDATE projection SET assigned = 'Nobody' WHERE n = 1",
        "UPDATE projection SET words = x'00' WHERE n = 1",
        "UPDATE projection SET lat_e7 = 10000000, lon_e7 = 10000000 WHERE n = 1",
        "DELETE FROM projection WHERE n = 1",
        "UPDATE counted SET records = records + 1",
        "DELETE FROM counted",
        "INSERT INTO heard VALUES ('0421', 5)",
        "DELETE FROM key",
        "UPDATE key SET bytes = x'00'",
        "DELETE FROM referral",
        "UPDATE referral SET state = 'accepted'",
        "DELETE FROM audience WHERE who = 'a:police'",
        "INSERT INTO audience (record, who, since_seq, by_me) VALUES (1, 'a:other', 1, 0)",
    ] {
        let problems = damaged(statement).await;
        assert!(!problems.is_empty(), "not found: {statement}");
    }
}

#[tokio::test]
async fn a_rebuild_gives_identical_projections() {
    let world = World::new();
    let (dir, emb) = world.vault("emb").await;
    for n in 0..12u32 {
        let record = write(&emb, world.incident("emb", n, &format!("Crowd {n}"), &["emb"])).await.record;
        write(&emb, world.note("emb", record, "Badger")).await;
        if n % 3 == 0 {
            write(&emb, world.refer("emb", record, &crate::world::key_of("emb", n), "police")).await;
        }
    }
    let before = pictures(&emb).await;
    emb.close().await;
    for statement in [
        "UPDATE projection SET summary = 'x', state = 'closed', open = 0, severity = 1, kind = 'none'",
        "UPDATE counted SET records = records + 3",
        "DELETE FROM referral",
        "INSERT INTO search (search) VALUES ('delete-all')",
        "DELETE FROM projection",
        "DELETE FROM audience",
    ] {
        let mut connection = crate::tamper::database(&dir.path().join("v")).await;
        sqlx::query(statement).execute(&mut connection).await.unwrap();
        sqlx::Connection::close(connection).await.unwrap();
        let emb = world.reopen(&dir, "emb").await;
        assert_ne!(pictures(&emb).await, before, "{statement}");
        let check = emb.check(true, &|_, _| {}).await.unwrap();
        assert_eq!(check.problems, Vec::<String>::new(), "{statement}");
        assert_eq!((check.records, check.entries), (12, 28));
        assert_eq!(pictures(&emb).await, before, "{statement}");
        emb.close().await;
    }
}

/// Everything that lists, search and exchange would show.
async fn pictures(vault: &Vault) -> Vec<String> {
    let mut pictures = Vec::new();
    for view in [View::All, View::Open, View::New, View::Waiting] {
        let page = vault.list(&ListQuery { limit: 1000, ..listing(view) }).await.unwrap();
        pictures.push(format!("{page:?}"));
    }
    let badgers = ListQuery { search: Some("badger".into()), ..listing(View::All) };
    let page = vault.list(&badgers).await.unwrap();
    pictures.push(format!("{} {:?}", page.total, page.rows));
    pictures.push(format!("{:?}", vault.counts(0, "").await.unwrap()));
    pictures.push(format!(
        "{:?}",
        vault.referrals(&vault::ReferralQuery::all(&crate::world::id("police"))).await.unwrap().len()
    ));
    for agency in ["emb", "police"] {
        let given = crate::world::all(vault, crate::world::query(agency)).await;
        pictures.push(format!("{:?}", crate::world::envelopes(&given).len()));
    }
    pictures
}

#[tokio::test]
async fn a_check_does_not_keep_writers_out() {
    let world = World::new();
    let (_dir, emb) = world.vault("emb").await;
    let record = write(&emb, world.incident("emb", 1, "Crowd", &["emb"])).await.record;
    for n in 0..200 {
        write(&emb, world.note("emb", record, &format!("note {n}"))).await;
    }
    let checking = tokio::spawn({
        let emb = emb.clone();
        async move { emb.check(false, &|_, _| {}).await.unwrap() }
    });
    for n in 0..50 {
        write(&emb, world.note("emb", record, &format!("meanwhile {n}"))).await;
    }
    assert_eq!(checking.await.unwrap().problems, Vec::<String>::new());
}
