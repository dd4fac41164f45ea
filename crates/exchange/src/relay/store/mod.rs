//! What the relay needs from a store, whichever it is. One contract, one test suite
//! (`tests/relay_contract.rs`), run against every implementation.

mod blobs;
mod sqlite;
mod wakers;
mod writer;

pub use sqlite::SqliteStore;
pub use wakers::{Bell, Listening, Wakers};

use std::future::Future;

use super::mailbox::MailboxTag;
use super::wire::Stands;

/// What one stored batch costs beside its bytes (row, indexes), counted against the quotas so
/// that a flood of tiny batches cannot fill the disk under them.
pub const ITEM_COST: u64 = 256;

/// A batch to be stored. The caller has checked the hash and the size.
#[derive(Clone, PartialEq, Eq)]
pub struct NewItem {
    /// The mailbox.
    pub mailbox: MailboxTag,
    /// SHA-256 of the batch.
    pub hash: [u8; 32],
    /// The sealed batch, at most 1 MiB.
    pub batch: Vec<u8>,
}

/// The quotas that a store keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Bytes in one mailbox, each item with its [`ITEM_COST`].
    pub mailbox_bytes: u64,
    /// Items in one mailbox.
    pub mailbox_items: u64,
    /// Bytes in the whole store, each item with its [`ITEM_COST`].
    pub store_bytes: u64,
    /// Milliseconds that an item is kept.
    pub item_life_ms: u64,
}

impl From<&super::limits::Limits> for Quota {
    fn from(limits: &super::limits::Limits) -> Self {
        Self {
            mailbox_bytes: limits.mailbox_bytes,
            mailbox_items: limits.mailbox_items,
            store_bytes: limits.store_bytes,
            item_life_ms: limits.item_life_ms(),
        }
    }
}

/// What became of one posted batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostOutcome {
    /// Stored, durable, under this seq.
    Stored(u64),
    /// It was there already, under this seq.
    Duplicate(u64),
    /// Not stored: the mailbox is at its quota.
    MailboxFull,
    /// Not stored: the store is at its quota.
    StoreFull,
}

/// A stored batch.
#[derive(Clone, PartialEq, Eq)]
pub struct Item {
    /// Its place in the mailbox: ascending in the order of becoming durable, from 1.
    pub seq: u64,
    /// The batch as it was posted.
    pub batch: Vec<u8>,
}

/// Number and size; batches are bulky.
impl std::fmt::Debug for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Item({}, {} bytes)", self.seq, self.batch.len())
    }
}

/// Items in ascending seq, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The items.
    pub items: Vec<Item>,
    /// The cursor after this page; the cursor before it where nothing was found.
    pub next: u64,
    /// More lies there already.
    pub more: bool,
}

/// Bounds of one page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimit {
    /// Most items.
    pub items: u32,
    /// Most bytes; the first item is delivered even if it alone is larger.
    pub bytes: u32,
}

/// What a sweep removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Items.
    pub items: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Empty mailboxes forgotten.
    pub mailboxes: u64,
}

/// Why a store could not do its work. Nothing was half done.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk is full.
    #[error("the disk of the relay's store is full")]
    DiskFull,
    /// The database refused or failed.
    #[error("the relay's database failed")]
    Database(#[source] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the relay's database could not be migrated")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A file in the blob folder could not be written, read or removed.
    #[error("the relay's blob folder failed")]
    Blobs(#[source] std::io::Error),
    /// The database holds what this code never writes.
    #[error("the relay's database is damaged: {0}")]
    Damaged(&'static str),
    /// Another post in the same transaction failed, and this one with it; try again.
    #[error("the post was undone together with another one")]
    Undone,
    /// The store was closed.
    #[error("the relay's store is closed")]
    Closed,
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        // SQLITE_FULL is primary result code 13; extended codes keep it in the low byte.
        let full = error
            .as_database_error()
            .and_then(|error| error.code())
            .and_then(|code| code.parse::<i64>().ok())
            .is_some_and(|code| code & 0xff == 13);
        if full { Self::DiskFull } else { Self::Database(error) }
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::Blobs(error),
        }
    }
}

/// Mailboxes of sealed batches. `now` is in Unix milliseconds everywhere.
///
/// The contract: an answer to [`RelayStore::post`] means durable; a mailbox's seqs ascend in the
/// order in which its items become visible, so that a cursor never skips; an expired item is
/// never delivered; a seq is not used twice within a store's life.
pub trait RelayStore: Send + Sync + 'static {
    /// Which store this is. Made new with the store, and whenever it is restored from a backup.
    fn id(&self) -> [u8; 16];

    /// Stores batches in the given order, all in one durable step; one outcome for each.
    ///
    /// # Errors
    /// [`StoreError`], and then none of them was stored.
    fn post(
        &self,
        items: Vec<NewItem>,
        quota: Quota,
        now: u64,
    ) -> impl Future<Output = Result<Vec<PostOutcome>, StoreError>> + Send;

    /// The items of a mailbox after a cursor. An unknown mailbox is an empty one.
    ///
    /// # Errors
    /// [`StoreError`].
    fn read(
        &self,
        mailbox: MailboxTag,
        after: u64,
        limit: PageLimit,
        now: u64,
    ) -> impl Future<Output = Result<Page, StoreError>> + Send;

    /// How a mailbox stands.
    ///
    /// # Errors
    /// [`StoreError`].
    fn stands(&self, mailbox: MailboxTag, now: u64) -> impl Future<Output = Result<Stands, StoreError>> + Send;

    /// Removes what has expired, bytes included, and forgets mailboxes that have been empty for
    /// another item life (their week is then long over, and no cursor into them is used).
    ///
    /// # Errors
    /// [`StoreError`].
    fn sweep(&self, item_life_ms: u64, now: u64) -> impl Future<Output = Result<Swept, StoreError>> + Send;

    /// Who waits for which mailbox. A store rings it after each durable post, its own or (for a
    /// store shared by several relays) another relay's.
    fn wakers(&self) -> &Wakers;
}
