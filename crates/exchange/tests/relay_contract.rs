//! What every relay store must do, as one suite. A further store adds one function at the end.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use exchange::relay::mailbox::MailboxTag;
use exchange::relay::store::{Bell, ITEM_COST, NewItem, PageLimit, PostOutcome, Quota, RelayStore, SqliteStore, Swept};

const A: MailboxTag = MailboxTag([0xa1; 32]);
const B: MailboxTag = MailboxTag([0xb2; 32]);
const NOW: u64 = 1_800_000_000_000;
const LIFE: u64 = 60 * 24 * 3600 * 1000;
const QUOTA: Quota = Quota { mailbox_bytes: 1 << 30, mailbox_items: 1 << 20, store_bytes: 1 << 30, item_life_ms: LIFE };
const ALL: PageLimit = PageLimit { items: 10_000, bytes: u32::MAX };

fn batch(text: &str, len: usize) -> Vec<u8> {
    text.bytes().cycle().take(len).collect()
}

fn new(mailbox: MailboxTag, batch: Vec<u8>) -> NewItem {
    NewItem { mailbox, hash: seal::hash::sha256(&batch), batch }
}

async fn post(store: &impl RelayStore, mailbox: MailboxTag, batch: Vec<u8>) -> PostOutcome {
    store.post(vec![new(mailbox, batch)], QUOTA, NOW).await.unwrap()[0]
}

async fn seqs(store: &impl RelayStore, mailbox: MailboxTag, now: u64) -> Vec<u64> {
    store.read(mailbox, 0, ALL, now).await.unwrap().items.iter().map(|i| i.seq).collect()
}

/// Runs every clause on a fresh store each.
async fn suite<S: RelayStore, F: Future<Output = S>>(mut fresh: impl FnMut() -> F) {
    numbers_from_one_in_order(&fresh().await).await;
    the_same_batch_is_stored_once(&fresh().await).await;
    pages_are_bounded_and_go_on(&fresh().await).await;
    quotas_are_kept(&fresh().await).await;
    expired_items_are_gone_and_numbers_go_on(&fresh().await).await;
    empty_mailboxes_are_forgotten_late(&fresh().await).await;
    a_post_wakes_its_mailbox(&fresh().await).await;
    no_reader_skips_a_batch(Arc::new(fresh().await)).await;
}

async fn numbers_from_one_in_order(store: &impl RelayStore) {
    // Sizes on both sides of whatever line a store draws between rows and files.
    let sizes = [1, 1024, 32 * 1024, 32 * 1024 + 1, 1 << 20];
    for (index, size) in sizes.into_iter().enumerate() {
        let expected = PostOutcome::Stored(index as u64 + 1);
        assert_eq!(post(store, A, batch(&format!("a{index}"), size)).await, expected);
    }
    let both = vec![new(B, batch("b", 9)), new(A, batch("last", 9))];
    let outcomes = store.post(both, QUOTA, NOW).await.unwrap();
    assert_eq!(outcomes, [PostOutcome::Stored(1), PostOutcome::Stored(6)]);
    for _ in 0..2 {
        // Twice: reading removes nothing.
        let page = store.read(A, 0, ALL, NOW).await.unwrap();
        assert_eq!((page.items.len(), page.next, page.more), (6, 6, false));
        for (index, size) in sizes.into_iter().enumerate() {
            assert_eq!(page.items[index].batch, batch(&format!("a{index}"), size));
        }
    }
    assert_eq!(seqs(store, B, NOW).await, [1]);
    let stands = store.stands(A, NOW).await.unwrap();
    let bytes = sizes.iter().sum::<usize>() as u64 + 9;
    assert_eq!((stands.last, stands.items, stands.bytes), (6, 6, bytes));
    assert_eq!(store.stands(MailboxTag([0; 32]), NOW).await.unwrap(), Default::default());
}

async fn the_same_batch_is_stored_once(store: &impl RelayStore) {
    let items = ["x", "y", "x"].map(|text| new(A, batch(text, 40_000))).to_vec();
    let outcomes = store.post(items, QUOTA, NOW).await.unwrap();
    use PostOutcome::{Duplicate, Stored};
    assert_eq!(outcomes, [Stored(1), Stored(2), Duplicate(1)]);
    assert_eq!(post(store, A, batch("y", 40_000)).await, Duplicate(2));
    // Another mailbox has its own.
    assert_eq!(post(store, B, batch("x", 40_000)).await, Stored(1));
    assert_eq!(seqs(store, A, NOW).await, [1, 2]);
}

async fn pages_are_bounded_and_go_on(store: &impl RelayStore) {
    for n in 0..5 {
        post(store, A, batch(&n.to_string(), 1000)).await;
    }
    let page = |after, items, bytes| store.read(A, after, PageLimit { items, bytes }, NOW);
    let numbers = |page: &exchange::relay::store::Page| {
        (page.items.iter().map(|i| i.seq).collect::<Vec<_>>(), page.next, page.more)
    };
    assert_eq!(numbers(&page(0, 2, u32::MAX).await.unwrap()), (vec![1, 2], 2, true));
    assert_eq!(numbers(&page(2, 2, u32::MAX).await.unwrap()), (vec![3, 4], 4, true));
    assert_eq!(numbers(&page(3, 2, u32::MAX).await.unwrap()), (vec![4, 5], 5, false));
    assert_eq!(numbers(&page(0, 9, 2999).await.unwrap()), (vec![1, 2], 2, true));
    assert_eq!(numbers(&page(0, 9, 1).await.unwrap()), (vec![1], 1, true));
    assert_eq!(numbers(&page(5, 9, 1).await.unwrap()), (vec![], 5, false));
    assert_eq!(numbers(&page(u64::MAX, 9, 1).await.unwrap()), (vec![], u64::MAX, false));
}

async fn quotas_are_kept(store: &impl RelayStore) {
    let cost = 100 + ITEM_COST;
    let by_items = Quota { mailbox_items: 2, ..QUOTA };
    let by_bytes = Quota { mailbox_bytes: 2 * cost, ..QUOTA };
    let by_store = Quota { store_bytes: 3 * cost, ..QUOTA };
    let outcome = async |mailbox, text: &str, quota| {
        store.post(vec![new(mailbox, batch(text, 100))], quota, NOW).await.unwrap()[0]
    };
    assert_eq!(outcome(A, "1", by_items).await, PostOutcome::Stored(1));
    assert_eq!(outcome(A, "2", by_bytes).await, PostOutcome::Stored(2));
    assert_eq!(outcome(A, "3", by_items).await, PostOutcome::MailboxFull);
    assert_eq!(outcome(A, "3", by_bytes).await, PostOutcome::MailboxFull);
    // What is there is there, full or not.
    assert_eq!(outcome(A, "2", by_items).await, PostOutcome::Duplicate(2));
    assert_eq!(outcome(B, "1", by_store).await, PostOutcome::Stored(1));
    assert_eq!(outcome(B, "2", by_store).await, PostOutcome::StoreFull);
    // A refusal uses up no number and undoes nothing beside it.
    let mixed = vec![new(A, batch("3", 100)), new(B, batch("3", 100))];
    let outcomes = store.post(mixed, Quota { mailbox_items: 2, ..QUOTA }, NOW).await.unwrap();
    assert_eq!(outcomes, [PostOutcome::MailboxFull, PostOutcome::Stored(2)]);
    // Space comes back with expiry.
    store.sweep(LIFE, NOW + LIFE).await.unwrap();
    assert_eq!(outcome(A, "3", by_items).await, PostOutcome::Stored(3));
}

async fn expired_items_are_gone_and_numbers_go_on(store: &impl RelayStore) {
    post(store, A, batch("old", 50_000)).await;
    store.post(vec![new(A, batch("new", 10))], QUOTA, NOW + 1).await.unwrap();
    assert_eq!(seqs(store, A, NOW + LIFE - 1).await, [1, 2]);
    // Gone at the minute, swept or not.
    assert_eq!(seqs(store, A, NOW + LIFE).await, [2]);
    assert_eq!(store.stands(A, NOW + LIFE).await.unwrap().items, 1);
    // The same batch again before the sweep is a new item.
    let again = store.post(vec![new(A, batch("old", 50_000))], QUOTA, NOW + LIFE).await.unwrap();
    assert_eq!(again, [PostOutcome::Stored(3)]);
    let page = store.read(A, 2, ALL, NOW + LIFE).await.unwrap();
    assert_eq!(page.items[0].batch, batch("old", 50_000));
    let swept = store.sweep(LIFE, NOW + LIFE + 1).await.unwrap();
    assert_eq!(swept, Swept { items: 1, bytes: 10, mailboxes: 0 });
    assert_eq!(seqs(store, A, NOW + LIFE + 1).await, [3]);
    let swept = store.sweep(LIFE, NOW + 2 * LIFE).await.unwrap();
    assert_eq!(swept, Swept { items: 1, bytes: 50_000, mailboxes: 0 });
    assert_eq!(store.sweep(LIFE, NOW + 2 * LIFE).await.unwrap(), Swept::default());
    // An empty mailbox keeps its count, or a reader's cursor would skip what comes.
    let later = store.post(vec![new(A, batch("later", 10))], QUOTA, NOW + 2 * LIFE).await.unwrap();
    assert_eq!(later, [PostOutcome::Stored(4)]);
    assert_eq!(store.read(A, 3, ALL, NOW + 2 * LIFE).await.unwrap().items.len(), 1);
}

async fn empty_mailboxes_are_forgotten_late(store: &impl RelayStore) {
    post(store, A, batch("x", 10)).await;
    let sweep = async |at| store.sweep(LIFE, at).await.unwrap().mailboxes;
    assert_eq!(sweep(NOW + LIFE).await, 0);
    assert_eq!(sweep(NOW + 2 * LIFE - 1).await, 0);
    assert_eq!(store.stands(A, NOW + 2 * LIFE).await.unwrap().last, 1);
    assert_eq!(sweep(NOW + 2 * LIFE).await, 1);
    assert_eq!(store.stands(A, NOW + 2 * LIFE).await.unwrap().last, 0);
}

async fn a_post_wakes_its_mailbox(store: &impl RelayStore) {
    let bell = Bell::new();
    let listening = store.wakers().listen(A, &bell);
    post(store, B, batch("x", 10)).await;
    post(store, A, batch("x", 10)).await;
    assert_eq!(bell.wait().await, BTreeSet::from([A]));
    drop(listening);
    assert_eq!(store.wakers().waiting(), 0);
}

/// Many writers at once, and a reader with a cursor: everything arrives once and in order.
async fn no_reader_skips_a_batch<S: RelayStore>(store: Arc<S>) {
    const WRITERS: u64 = 8;
    const EACH: u64 = 25;
    let bell = Bell::new();
    let _listening = store.wakers().listen(A, &bell);
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let store = Arc::clone(&store);
        writers.push(tokio::spawn(async move {
            for n in 0..EACH {
                let size = if n % 5 == 0 { 40_000 } else { 100 };
                post(&*store, A, batch(&format!("{writer}/{n} "), size)).await;
            }
        }));
    }
    let (mut cursor, mut seen) = (0, Vec::new());
    while (seen.len() as u64) < WRITERS * EACH {
        bell.wait().await;
        loop {
            let limit = PageLimit { items: 7, bytes: 100_000 };
            let page = store.read(A, cursor, limit, NOW).await.unwrap();
            cursor = page.next;
            seen.extend(page.items.into_iter().map(|item| item.seq));
            if !page.more {
                break;
            }
        }
    }
    assert_eq!(seen, (1..=WRITERS * EACH).collect::<Vec<_>>());
    for writer in writers {
        writer.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_keeps_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let mut count = 0u8;
    suite(|| {
        count += 1;
        let file = dir.path().join(format!("{count}.sqlite"));
        let id = [count; 16];
        async move { SqliteStore::open(&file, None, id).await.unwrap() }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_with_a_blob_folder_keeps_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let mut count = 0u8;
    suite(|| {
        count += 1;
        let file = dir.path().join(format!("{count}.sqlite"));
        let blobs = dir.path().join(format!("{count}.blobs"));
        async move { SqliteStore::open(&file, Some(&blobs), [1; 16]).await.unwrap() }
    })
    .await;
}

/// Every file below `dir`, with its path relative to it.
fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(file, target).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_survives_a_kill() {
    let (live, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let open =
        async |dir: &Path, id| SqliteStore::open(&dir.join("r.sqlite"), Some(&dir.join("blobs")), id).await.unwrap();
    let store = open(live.path(), [1; 16]).await;
    for n in 0..20 {
        let size = if n % 2 == 0 { 300 } else { 60_000 };
        assert_eq!(post(&store, A, batch(&format!("n {n} "), size)).await, PostOutcome::Stored(n + 1));
    }
    // The store is neither closed nor dropped: these are the files as a killed process leaves
    // them. A half-written blob lies beside them.
    copy(live.path(), killed.path());
    std::fs::create_dir_all(killed.path().join("blobs/ab")).unwrap();
    let half = killed.path().join("blobs/ab").join(format!("ab{}.part", "0".repeat(62)));
    std::fs::write(&half, b"half").unwrap();

    let reopened = open(killed.path(), [2; 16]).await;
    assert_eq!(reopened.id(), [1; 16], "the same store");
    let page = reopened.read(A, 0, ALL, NOW).await.unwrap();
    assert_eq!(page.items.len(), 20);
    for (n, item) in page.items.iter().enumerate() {
        let size = if n % 2 == 0 { 300 } else { 60_000 };
        assert_eq!(item.batch, batch(&format!("n {n} "), size));
    }
    assert_eq!(post(&reopened, A, batch("n 5 ", 60_000)).await, PostOutcome::Duplicate(6));
    assert_eq!(post(&reopened, A, batch("next", 9)).await, PostOutcome::Stored(21));
    assert!(!half.exists(), "unfinished files are cleared away");
    reopened.close().await;
}

#[tokio::test]
async fn a_restored_store_gets_a_new_identity() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("r.sqlite");
    SqliteStore::open(&file, None, [1; 16]).await.unwrap().close().await;
    SqliteStore::renew_id(&file, [7; 16]).await.unwrap();
    assert_eq!(SqliteStore::open(&file, None, [2; 16]).await.unwrap().id(), [7; 16]);
    assert!(SqliteStore::renew_id(&dir.path().join("none"), [1; 16]).await.is_err());
}

#[tokio::test]
async fn a_lost_file_does_not_stop_the_mailbox() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = dir.path().join("blobs");
    let store = SqliteStore::open(&dir.path().join("r.sqlite"), Some(&blobs), [1; 16]).await.unwrap();
    post(&store, A, batch("kept", 10)).await;
    post(&store, A, batch("lost", 50_000)).await;
    post(&store, A, batch("kept too", 10)).await;
    for file in files(&blobs) {
        std::fs::write(file, batch("else", 50_000)).unwrap();
    }
    let page = store.read(A, 0, ALL, NOW).await.unwrap();
    assert_eq!(page.items.iter().map(|i| i.seq).collect::<Vec<_>>(), [1, 3]);
    assert_eq!((page.next, page.more), (3, false));
    let end = store.read(A, 1, PageLimit { items: 1, bytes: 1 }, NOW).await.unwrap();
    assert_eq!((end.items.len(), end.next, end.more), (0, 2, true), "the cursor goes on");
}

#[tokio::test]
async fn expiry_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let store =
        SqliteStore::open(&dir.path().join("r.sqlite"), Some(&dir.path().join("blobs")), [1; 16]).await.unwrap();
    post(&store, A, batch("a small sealed batch ", 900)).await;
    post(&store, A, batch("a large sealed batch ", 90_000)).await;
    store.sweep(LIFE, NOW + LIFE).await.unwrap();
    for file in files(dir.path()) {
        let bytes = std::fs::read(&file).unwrap();
        for needle in [&b"small sealed"[..], b"large sealed"] {
            let found = bytes.windows(needle.len()).any(|window| window == needle);
            assert!(!found, "{} still holds a batch", file.display());
        }
    }
    assert!(files(&dir.path().join("blobs")).is_empty());
    store.close().await;
}
