//! Clients and a relay over real loopback sockets.

mod relay_common;

use exchange::relay::client::{ClientError, Posted};
use exchange::relay::limits::Limits;
use exchange::relay::wire::RefusalCode;
use relay_common::{DAY, Relay, TOKEN, batch, keys};
use tempfile::tempdir;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_posts_and_the_other_reads() {
    let dir = tempdir().unwrap();
    let relay = Relay::start(dir.path(), Limits::default()).await;
    let (field, desk) = (relay.connect().await, relay.connect().await);
    let mailbox = keys(1);
    let first = field.post(mailbox.tag(), batch("one", 700)).await.unwrap();
    assert_eq!(first, Posted { seq: 1, duplicate: false });
    let again = field.post(mailbox.tag(), batch("one", 700)).await.unwrap();
    assert_eq!(again, Posted { seq: 1, duplicate: true });
    field.post(mailbox.tag(), batch("two", 1 << 20)).await.unwrap();

    let page = desk.read(&mailbox, 0, 100).await.unwrap();
    assert_eq!(page.items[0].batch, batch("one", 700));
    // The first page is full of bytes after one more item at most; go on where it ended.
    let mut items = page.items;
    let (mut next, mut more) = (page.next, page.more);
    while more {
        let page = desk.read(&mailbox, next, 100).await.unwrap();
        items.extend(page.items);
        (next, more) = (page.next, page.more);
    }
    assert_eq!(items.len(), 2);
    assert_eq!(items[1].batch, batch("two", 1 << 20));
    let stands = desk.status(&mailbox).await.unwrap();
    assert_eq!((stands.last, stands.items, stands.bytes), (2, 2, 700 + (1 << 20)));
    let (sent, received) = (field.traffic(), desk.traffic());
    assert!(sent.bytes_out > (1 << 20) && received.bytes_in > (1 << 20));
    assert!(sent.bytes_in < 1000 && received.bytes_out < 2000);
    assert_eq!(desk.store(), [1; 16]);
    field.close().await;
    desk.close().await;
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_reader_gets_what_lies_there_and_what_comes() {
    let dir = tempdir().unwrap();
    let relay = Relay::start(dir.path(), Limits { page_items: 3, ..Limits::default() }).await;
    let (field, desk) = (relay.connect().await, relay.connect().await);
    let mailbox = keys(1);
    for n in 0..10 {
        field.post(mailbox.tag(), batch(&format!("before {n}"), 200)).await.unwrap();
    }
    let mut live = desk.subscribe(&mailbox, 2);
    for seq in 3..=10 {
        let item = live.next().await.unwrap();
        assert_eq!((item.seq, item.batch), (seq, batch(&format!("before {}", seq - 1), 200)));
    }
    // From here on the relay wakes the reader; each is awaited before the next is posted.
    for n in 0..10 {
        let (posted, item) = tokio::join!(field.post(mailbox.tag(), batch(&format!("after {n}"), 50_000)), live.next());
        let (posted, item) = (posted.unwrap(), item.unwrap());
        assert_eq!((item.seq, item.batch), (posted.seq, batch(&format!("after {n}"), 50_000)));
    }
    assert_eq!(live.cursor(), 20);
    // Other mailboxes do not come through.
    field.post(keys(2).tag(), batch("elsewhere", 200)).await.unwrap();
    field.post(mailbox.tag(), batch("last", 200)).await.unwrap();
    assert_eq!(live.next().await.unwrap().batch, batch("last", 200));
    drop(live);
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_consumer_misses_nothing() {
    let dir = tempdir().unwrap();
    let relay = Relay::start(dir.path(), Limits::default()).await;
    let (field, desk) = (relay.connect().await, relay.connect().await);
    let mailbox = keys(1);
    let mut live = desk.subscribe(&mailbox, 0);
    field.post(mailbox.tag(), batch("first", 100)).await.unwrap();
    assert_eq!(live.next().await.unwrap().seq, 1);
    // Far more than is held ahead, while nobody takes anything; the desk's connection works on.
    for n in 0..100 {
        field.post(mailbox.tag(), batch(&format!("burst {n}"), 3000)).await.unwrap();
        desk.status(&mailbox).await.unwrap();
    }
    for seq in 2..=101 {
        assert_eq!(live.next().await.unwrap().seq, seq);
    }
    field.post(mailbox.tag(), batch("live again", 100)).await.unwrap();
    assert_eq!(live.next().await.unwrap().batch, batch("live again", 100));
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_posts_at_once_keep_their_order() {
    let dir = tempdir().unwrap();
    let limits = Limits { outstanding_bytes: 1 << 20, ..Limits::default() };
    let relay = Relay::start(dir.path(), limits).await;
    let (field, mailbox) = (relay.connect().await, keys(1));
    // 400 posts of 20 kB are eight times what may be outstanding.
    let mut posts = Vec::new();
    for n in 0..400 {
        let (field, tag) = (field.clone(), mailbox.tag());
        posts.push(tokio::spawn(async move {
            field.post(tag, batch(&format!("post {n} "), 20_000)).await.map(|posted| posted.seq)
        }));
    }
    let mut seqs = Vec::new();
    for post in posts {
        seqs.push(post.await.unwrap().unwrap());
    }
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=400).collect::<Vec<_>>());
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_expire_by_the_relays_clock() {
    let dir = tempdir().unwrap();
    let relay = Relay::start(dir.path(), Limits::default()).await;
    let (client, mailbox) = (relay.connect().await, keys(1));
    client.post(mailbox.tag(), batch("old", 40_000)).await.unwrap();
    relay.turn_clock(59 * DAY);
    client.post(mailbox.tag(), batch("new", 100)).await.unwrap();
    assert_eq!(client.read(&mailbox, 0, 9).await.unwrap().items.len(), 2);
    relay.turn_clock(DAY);
    let page = client.read(&mailbox, 0, 9).await.unwrap();
    assert_eq!(page.items.iter().map(|i| i.seq).collect::<Vec<_>>(), [2]);
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_loses_no_post_and_says_so() {
    let dir = tempdir().unwrap();
    let relay = Relay::start(dir.path(), Limits::default()).await;
    let (field, mailbox) = (relay.connect().await, keys(1));
    let mut live = field.subscribe(&mailbox, 0);
    let posting = {
        let (field, tag) = (field.clone(), mailbox.tag());
        tokio::spawn(async move {
            let mut answered = 0;
            loop {
                match field.post(tag, batch(&format!("n {answered} "), 50_000)).await {
                    Ok(_) => answered += 1,
                    Err(error) => return (answered, error),
                }
            }
        })
    };
    assert_eq!(live.next().await.unwrap().seq, 1);
    relay.stop().await.unwrap();
    let (answered, error) = posting.await.unwrap();
    assert!(matches!(error.code(), Some(RefusalCode::Closing) | None), "{error}");
    let ended = loop {
        if let Err(error) = live.next().await {
            break error;
        }
    };
    assert!(matches!(ended, ClientError::Refused { .. } | ClientError::Lost(_)), "{ended}");

    let relay = Relay::start(dir.path(), Limits::default()).await;
    let client = relay.connect().await;
    let stands = client.status(&mailbox).await.unwrap();
    assert!(stands.items >= answered, "{} of {answered} are there", stands.items);
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_those_with_the_operation_tag_come_in() {
    let dir = tempdir().unwrap();
    let relay = Relay::start(dir.path(), Limits::default()).await;
    for token in ["", "wrong", &TOKEN[1..]] {
        let refused = relay.try_connect(token).await.err().unwrap();
        assert_eq!(refused.code(), Some(RefusalCode::Access), "{refused}");
    }
    assert!(relay.try_connect(TOKEN).await.is_ok());
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_relay_keeps_nothing_but_what_was_posted() {
    let dir = tempdir().unwrap();
    let relay = Relay::start(dir.path(), Limits::default()).await;
    let (client, mailbox) = (relay.connect().await, keys(0x5a));
    let (small, large) = (batch("sealed small ", 2000), batch("sealed large ", 70_000));
    client.post(mailbox.tag(), small).await.unwrap();
    client.post(mailbox.tag(), large.clone()).await.unwrap();
    assert_eq!(client.read(&mailbox, 0, 1).await.unwrap().items.len(), 1);
    client.close().await;
    relay.stop().await.unwrap();

    let recipient = format!("age1{}", seal::id::to_hex(&[0x5a; 29]));
    let read_key = mailbox.read_key();
    let forbidden: [(&str, &[u8]); 4] = [
        ("the operation tag", TOKEN.as_bytes()),
        ("the recipient", recipient.as_bytes()),
        ("the read key", &read_key),
        ("the reader's address", b"127.0.0.1"),
    ];
    let mut blobs = Vec::new();
    let mut open = vec![dir.path().to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        for (what, needle) in forbidden {
            let found = bytes.windows(needle.len()).any(|window| window == needle);
            assert!(!found, "{} holds {what}", path.display());
        }
        if path.starts_with(dir.path().join("blobs")) {
            blobs.push(bytes);
        }
    }
    assert_eq!(blobs, [large]);
}
