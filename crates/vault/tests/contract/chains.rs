//! Chains: forks, gaps and rosters that go back.

use logbook::Status;
use seal::{Envelope, EnvelopeId};
use vault::{Incoming, OutItem};

use crate::world::{NOW, World, all, envelopes, incoming, query, write};

#[tokio::test]
async fn heads_stop_at_a_gap_and_go_on_when_it_is_filled() {
    let world = World::new();
    let (_dir, emb) = world.vault("emb").await;
    let record = write(&emb, world.incident("emb", 1, "Crowd", &["emb", "police"])).await.record;
    for n in 0..6 {
        write(&emb, world.note("emb", record, &format!("note {n}"))).await;
    }
    let items = all(&emb, query("police")).await;
    let (_pdir, police) = world.vault("police").await;
    let whole = envelopes(&items);
    let mut batch = incoming(items);
    batch.envelopes = [&whole[..2], &whole[4..]].concat();
    police.ingest(batch).await.unwrap();
    let device = world.member("emb").device();
    assert_eq!(police.heads().await.unwrap(), vec![(device, 2, whole[1].id())]);
    let three = Incoming { envelopes: vec![whole[3].clone()], received_ms: NOW, ..Incoming::default() };
    police.ingest(three).await.unwrap();
    assert_eq!(police.heads().await.unwrap()[0].1, 2);
    let two = Incoming { envelopes: vec![whole[2].clone()], received_ms: NOW, ..Incoming::default() };
    police.ingest(two).await.unwrap();
    assert_eq!(police.heads().await.unwrap(), emb.heads().await.unwrap());
    assert_eq!(police.link_id(&device, 3).await.unwrap(), Some(whole[2].id()));
    assert_eq!(police.links_of(&device).await.unwrap().len(), 7);
}

#[tokio::test]
async fn two_clones_of_a_device_are_seen_and_both_branches_quarantined() {
    let world = World::new();
    let (dir, emb) = world.vault("emb").await;
    let record = write(&emb, world.incident("emb", 1, "Crowd", &["emb", "police"])).await.record;
    write(&emb, world.note("emb", record, "Before the clone")).await;
    emb.close().await;
    let copy = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(copy.path().join("v/blobs")).unwrap();
    for file in ["vault.db", "vault.key"] {
        std::fs::copy(dir.path().join("v").join(file), copy.path().join("v").join(file)).unwrap();
    }
    let (one, two) = (world.reopen(&dir, "emb").await, world.reopen(&copy, "emb").await);
    write(&one, world.note("emb", record, "On the first")).await;
    write(&one, world.note("emb", record, "On the first again")).await;
    write(&two, world.note("emb", record, "On the second")).await;
    for first in [true, false] {
        let (_pdir, police) = world.vault("police").await;
        let (a, b) = if first { (&one, &two) } else { (&two, &one) };
        police.ingest(incoming(all(a, query("police")).await)).await.unwrap();
        police.ingest(incoming(all(b, query("police")).await)).await.unwrap();
        let held = police.record(&record).await.unwrap().unwrap();
        let quarantined = held.entries().iter().filter(|entry| entry.status == Status::Quarantined).count();
        assert_eq!((held.entries().len(), quarantined), (5, 3));
        assert_eq!(held.state().notes.len(), 1);
        // A fork is its author's, no damage of this vault.
        assert_eq!(police.check(false, &|_, _| {}).await.unwrap().problems, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_fork_in_links_alone_is_seen() {
    let world = World::new();
    let (_dir, emb) = world.vault("emb").await;
    let record = write(&emb, world.incident("emb", 1, "Crowd", &["emb", "police"])).await.record;
    write(&emb, world.note("emb", record, "Seen")).await;
    let (_pdir, police) = world.vault("police").await;
    let items = all(&emb, query("police")).await;
    let whole: Vec<Envelope> = envelopes(&items);
    police.ingest(incoming(items)).await.unwrap();
    // A link that names another predecessor than the one that is here.
    let mut link = whole[1].link;
    link.number = 3;
    link.prev = EnvelopeId([7; 32]);
    let signature = link.sign(&world.member("emb").signing);
    police.ingest(incoming(vec![OutItem::Link(link, signature)])).await.unwrap();
    let held = police.record(&record).await.unwrap().unwrap();
    assert_eq!(held.entries()[0].status, Status::Valid);
    assert_eq!(held.entries()[1].status, Status::Quarantined);
}
