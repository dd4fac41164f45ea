//! The store that needs nothing else installed: one SQLite file, and optionally a folder for
//! large batches.
//!
//! One writer task owns the only writing connection and answers in the order of the requests;
//! that is the lock under which seqs are given in commit order. It takes what is waiting into
//! one transaction, so that many posts share one sync to disk. Readers use their own connections
//! (WAL) and never wait for it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::blobs::{self, BlobFolder};
use super::writer::{Command, Writer};
use super::{Item, NewItem, Page, PageLimit, PostOutcome, Quota, RelayStore, StoreError, Swept, Wakers};
use crate::relay::mailbox::MailboxTag;
use crate::relay::wire::Stands;

/// Reading connections: two cores' worth and two to spare for slow disks.
const READERS: u32 = 4;

/// Requests waiting for the writer. Each connection has at most one there, so this is only the
/// point at which connections wait for each other.
const WAITING: usize = 256;

/// How long a connection waits for a lock held by another program, such as a backup.
const BUSY: Duration = Duration::from_secs(5);

/// Mailboxes in a SQLite file.
pub struct SqliteStore {
    readers: SqlitePool,
    writer: mpsc::Sender<Command>,
    blobs: Option<BlobFolder>,
    wakers: Wakers,
    id: [u8; 16],
}

impl SqliteStore {
    /// Opens or creates the store. `fresh_id` (random) becomes the id of a new store and is
    /// ignored by an existing one. Starts the writer task, which ends with the store.
    ///
    /// # Errors
    /// [`StoreError`] if the file or folder cannot be used, or is of a newer version.
    pub async fn open(file: &Path, blob_folder: Option<&Path>, fresh_id: [u8; 16]) -> Result<Self, StoreError> {
        let mut connection = options(file).connect().await?;
        sqlx::migrate!("migrations/relay").run(&mut connection).await?;
        let id = store_id(&mut connection, fresh_id).await?;
        let blobs = match blob_folder {
            Some(path) => Some(open_blobs(path.to_owned(), &mut connection).await?),
            None => None,
        };
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options(file).pragma("query_only", "1"))
            .await?;
        let wakers = Wakers::default();
        let (writer, commands) = mpsc::channel(WAITING);
        tokio::spawn(Writer::new(connection, blobs.clone(), wakers.clone()).run(commands));
        Ok(Self { readers, writer, blobs, wakers, id })
    }

    /// Gives a store that was restored from a backup a new identity, because the seqs after the
    /// backup were given to other batches. Every reader then starts from the beginning. Run it
    /// while no relay uses the file.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn renew_id(file: &Path, fresh_id: [u8; 16]) -> Result<(), StoreError> {
        let mut connection = options(file).create_if_missing(false).connect().await?;
        sqlx::query("UPDATE store SET id = ?").bind(&fresh_id[..]).execute(&mut connection).await?;
        connection.close().await?;
        Ok(())
    }

    /// Finishes what was asked and closes the file; whoever still uses the store is told that it
    /// is closed. Dropping the store does the same without waiting.
    pub async fn close(&self) {
        self.readers.close().await;
        let (done, closed) = oneshot::channel();
        if self.writer.send(Command::Close(done)).await.is_ok() {
            // The writer answers or is gone; closed either way.
            let _ = closed.await;
        }
    }

    async fn ask<T>(
        &self,
        command: Command,
        answer: oneshot::Receiver<Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.writer.send(command).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// One batch by its place. `None` where a sweep removed it meanwhile, or where its file is
    /// lost or damaged: the log says so, the reader goes on, and the gap shows at the next
    /// conversation with anyone else.
    async fn load(&self, mailbox: MailboxTag, seq: i64) -> Result<Option<Item>, StoreError> {
        let row = sqlx::query("SELECT hash, size, body FROM item WHERE mailbox = ? AND seq = ?")
            .bind(&mailbox.0[..])
            .bind(seq)
            .fetch_optional(&self.readers)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let hash = array::<32>(&row, 0)?;
        let size = unsigned(row.try_get(1)?)?;
        let batch = match row.try_get::<Option<Vec<u8>>, _>(2)? {
            Some(body) => body,
            None => match self.load_blob(blobs::name(&mailbox, &hash), size, hash).await {
                Ok(batch) => batch,
                Err(error) => {
                    tracing::error!(size, %error, "a stored batch cannot be read");
                    return Ok(None);
                }
            },
        };
        Ok(Some(Item { seq: unsigned(seq)?, batch }))
    }

    async fn load_blob(&self, name: String, size: u64, hash: [u8; 32]) -> Result<Vec<u8>, StoreError> {
        let folder = self.blobs.clone().ok_or(StoreError::Damaged("no blob folder was given"))?;
        let size = usize::try_from(size).map_err(|_| StoreError::Damaged("size"))?;
        blocking(move || folder.read(&name, size, &hash)).await
    }
}

impl RelayStore for SqliteStore {
    fn id(&self) -> [u8; 16] {
        self.id
    }

    async fn post(&self, items: Vec<NewItem>, quota: Quota, now: u64) -> Result<Vec<PostOutcome>, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Command::Post { items, quota, now, reply }, answer).await
    }

    async fn read(&self, mailbox: MailboxTag, after: u64, limit: PageLimit, now: u64) -> Result<Page, StoreError> {
        // Sizes first, so that no more than a page of bodies is ever loaded.
        let rows = sqlx::query(
            "SELECT seq, size FROM item WHERE mailbox = ? AND seq > ? AND expires_ms > ?
             ORDER BY seq LIMIT ?",
        )
        .bind(&mailbox.0[..])
        .bind(signed(after))
        .bind(signed(now))
        .bind(i64::from(limit.items).saturating_add(1))
        .fetch_all(&self.readers)
        .await?;
        let mut page = Page { items: Vec::new(), next: after, more: false };
        let mut bytes = 0u64;
        for (index, row) in rows.iter().enumerate() {
            let seq: i64 = row.try_get(0)?;
            bytes = bytes.saturating_add(unsigned(row.try_get(1)?)?);
            if index >= limit.items as usize || (index > 0 && bytes > u64::from(limit.bytes)) {
                page.more = true;
                break;
            }
            page.items.extend(self.load(mailbox, seq).await?);
            page.next = unsigned(seq)?;
        }
        Ok(page)
    }

    async fn stands(&self, mailbox: MailboxTag, now: u64) -> Result<Stands, StoreError> {
        let row = sqlx::query(
            "SELECT coalesce((SELECT last_seq FROM mailbox WHERE tag = ?1), 0),
                    count(*), coalesce(sum(size), 0)
             FROM item WHERE mailbox = ?1 AND expires_ms > ?2",
        )
        .bind(&mailbox.0[..])
        .bind(signed(now))
        .fetch_one(&self.readers)
        .await?;
        Ok(Stands {
            last: unsigned(row.try_get(0)?)?,
            items: unsigned(row.try_get(1)?)?,
            bytes: unsigned(row.try_get(2)?)?,
        })
    }

    async fn sweep(&self, item_life_ms: u64, now: u64) -> Result<Swept, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Command::Sweep { item_life_ms, now, reply }, answer).await
    }

    fn wakers(&self) -> &Wakers {
        &self.wakers
    }
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL: an answer to a post means that a power cut does not lose it.
        .synchronous(SqliteSynchronous::Full)
        // Expiry gives space back to the disk without rewriting the file.
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .foreign_keys(true)
        // Expired batches are overwritten, not only unlinked.
        .pragma("secure_delete", "1")
        .busy_timeout(BUSY)
        // Statements carry no secrets, but a trace of every one helps nobody.
        .disable_statement_logging()
}

async fn store_id(connection: &mut SqliteConnection, fresh: [u8; 16]) -> Result<[u8; 16], StoreError> {
    sqlx::query("INSERT OR IGNORE INTO store (one, id) VALUES (1, ?)")
        .bind(&fresh[..])
        .execute(&mut *connection)
        .await?;
    let row = sqlx::query("SELECT id FROM store").fetch_one(connection).await?;
    array(&row, 0)
}

async fn open_blobs(path: PathBuf, connection: &mut SqliteConnection) -> Result<BlobFolder, StoreError> {
    let rows = sqlx::query("SELECT mailbox, hash FROM item WHERE body IS NULL").fetch_all(connection).await?;
    let mut names = BTreeSet::new();
    for row in &rows {
        names.insert(blobs::name(&MailboxTag(array(row, 0)?), &array(row, 1)?));
    }
    blocking(move || {
        let folder = BlobFolder::open(&path)?;
        let removed = folder.keep_only(&names)?;
        if removed > 0 {
            tracing::info!(removed, "files of unfinished posts removed");
        }
        Ok(folder)
    })
    .await
}

/// Runs file work where it may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(StoreError::Closed),
    }
}

pub(super) fn array<const N: usize>(row: &SqliteRow, at: usize) -> Result<[u8; N], StoreError> {
    let bytes: &[u8] = row.try_get(at)?;
    bytes.try_into().map_err(|_| StoreError::Damaged("a hash or tag has another length"))
}

/// SQLite's integers are signed; what this store writes is never negative.
pub(super) fn unsigned(value: i64) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|_| StoreError::Damaged("a negative number"))
}

/// A cursor or time beyond 2^63 is beyond everything stored, and so is 2^63 − 1.
pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
