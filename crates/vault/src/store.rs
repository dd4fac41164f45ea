//! The open vault: one writer, a few readers, caches.

use std::collections::HashMap;
use std::fs::File;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};

use logbook::status::ChainMarks;
use logbook::{Ground, Record, Roster};
use lru::LruCache;
use seal::{DeviceId, EnvelopeId, Hash32, Identity, KeyId, RecordId, RecordKey, RosterHash};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use tokio::sync::broadcast;
use zeroize::Zeroizing;

use crate::append::{AuthorKeys, Waiting};
use crate::error::{Result, VaultError};
use crate::open::Opened;

/// Records kept folded in memory: what a desk works on at once, some 100 KiB each at most.
const OPEN_RECORDS: usize = 256;
/// Changes that a slow listener may be behind before it must ask for everything anew.
const CHANGES: usize = 256;

/// Records changed.
#[derive(Debug, Clone)]
pub struct Changed {
    /// Which.
    pub records: Vec<RecordId>,
    /// The commit order reached.
    pub seq: i64,
}

/// A vault. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub dir: PathBuf,
    pub store_id: Hash32,
    pub writer: tokio::sync::Mutex<Option<Writer>>,
    pub readers: SqlitePool,
    /// Appends that wait for the writer; whoever gets it commits them all.
    pub queue: Mutex<Vec<Waiting>>,
    pub roster: RwLock<Arc<Roster>>,
    pub marks: RwLock<Arc<ChainMarks>>,
    pub author: RwLock<Option<Arc<AuthorKeys>>>,
    pub identities: RwLock<Arc<Vec<Identity>>>,
    pub records: Mutex<LruCache<RecordId, Arc<Record>>>,
    pub changes: broadcast::Sender<Changed>,
    /// Held until the vault is closed or its process ends.
    lock: Mutex<Option<File>>,
}

/// What only the writer touches.
pub(crate) struct Writer {
    pub connection: SqliteConnection,
    /// The last commit number given.
    pub seq: i64,
    /// Device numbers in the database.
    pub devices: HashMap<DeviceId, i64>,
    /// The end of each device's chain as far as it is known without a gap.
    pub heads: HashMap<DeviceId, Head>,
    /// Record numbers in the database.
    pub records: LruCache<RecordId, i64>,
    pub next_record: i64,
    /// Record keys lately used.
    pub keys: LruCache<KeyId, (RecordId, RecordKey)>,
    /// The newest key of records lately written to.
    pub newest: LruCache<RecordId, KeyId>,
    /// Hashes of the indexed text of records lately projected.
    pub words: LruCache<RecordId, [u8; 32]>,
    /// The world holds more of our chain than we do.
    pub stale: bool,
}

/// The end of a chain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub number: u64,
    pub id: EnvelopeId,
    pub roster: RosterHash,
}

fn cap(size: usize) -> NonZeroUsize {
    NonZeroUsize::new(size).unwrap_or(NonZeroUsize::MIN)
}

impl Vault {
    pub(crate) async fn start(dir: &Path, opened: Opened) -> Result<Self> {
        let mut writer = Writer {
            connection: opened.writer,
            seq: 0,
            devices: HashMap::new(),
            heads: HashMap::new(),
            records: LruCache::new(cap(65_536)),
            next_record: 1,
            keys: LruCache::new(cap(4096)),
            newest: LruCache::new(cap(4096)),
            words: LruCache::new(cap(4096)),
            stale: false,
        };
        let (roster, marks) = crate::chain::load(&mut writer).await?;
        let (changes, _) = broadcast::channel(CHANGES);
        let inner = Inner {
            dir: dir.to_owned(),
            store_id: opened.store_id,
            writer: tokio::sync::Mutex::new(Some(writer)),
            readers: opened.readers,
            queue: Mutex::new(Vec::new()),
            roster: RwLock::new(Arc::new(roster)),
            marks: RwLock::new(Arc::new(marks)),
            author: RwLock::new(None),
            identities: RwLock::new(Arc::new(Vec::new())),
            records: Mutex::new(LruCache::new(cap(OPEN_RECORDS))),
            changes,
            lock: Mutex::new(Some(opened.lock)),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Closes the vault: the write-ahead log is folded into the database.
    pub async fn close(self) {
        self.inner.readers.close().await;
        if let Some(writer) = self.inner.writer.lock().await.take() {
            // Everything acknowledged is durable already; a failure here loses nothing.
            let _ = writer.connection.close().await;
        }
        // Another process may open it from here on.
        lock(&self.inner.lock).take();
    }

    /// Identifies this store to peers' cursors.
    pub fn store_id(&self) -> Hash32 {
        self.inner.store_id
    }

    /// The roster as it stands.
    pub fn roster(&self) -> Arc<Roster> {
        read(&self.inner.roster).clone()
    }

    pub(crate) fn marks(&self) -> Arc<ChainMarks> {
        read(&self.inner.marks).clone()
    }

    /// Who writes from here on.
    pub fn set_author(&self, author: AuthorKeys) {
        *write(&self.inner.author) = Some(Arc::new(author));
    }

    /// What opens wraps from here on.
    pub fn set_identities(&self, identities: Vec<Identity>) {
        *write(&self.inner.identities) = Arc::new(identities);
    }

    /// Changes as they are committed.
    pub fn subscribe(&self) -> broadcast::Receiver<Changed> {
        self.inner.changes.subscribe()
    }

    pub(crate) fn announce(&self, records: Vec<RecordId>, seq: i64) {
        // Nobody listening is no error.
        let _ = self.inner.changes.send(Changed { records, seq });
    }

    pub(crate) fn cached(&self, id: &RecordId) -> Option<Arc<Record>> {
        lock(&self.inner.records).get(id).cloned()
    }

    pub(crate) fn keep_open(&self, record: Arc<Record>) {
        lock(&self.inner.records).put(record.id(), record);
    }

    pub(crate) fn forget_open(&self, id: &RecordId) {
        lock(&self.inner.records).pop(id);
    }

    /// A secret by name.
    pub async fn secret(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let row: Option<(Vec<u8>,)> = sqlx::query_as("SELECT value FROM secret WHERE name = ?")
            .bind(name)
            .fetch_optional(&self.inner.readers)
            .await?;
        Ok(row.map(|(value,)| Zeroizing::new(value)))
    }

    /// Keeps a secret.
    pub async fn put_secret(&self, name: &str, value: &[u8]) -> Result<()> {
        let mut guard = self.writer().await?;
        sqlx::query("INSERT OR REPLACE INTO secret (name, value) VALUES (?, ?)")
            .bind(name)
            .bind(value)
            .execute(&mut guard.get()?.connection)
            .await?;
        Ok(())
    }

    /// A setting by name.
    pub async fn setting(&self, name: &str) -> Result<Option<String>> {
        let row: Option<(String,)> = sqlx::query_as("SELECT value FROM setting WHERE name = ?")
            .bind(name)
            .fetch_optional(&self.inner.readers)
            .await?;
        Ok(row.map(|(value,)| value))
    }

    /// Keeps a setting.
    pub async fn put_setting(&self, name: &str, value: &str) -> Result<()> {
        let mut guard = self.writer().await?;
        sqlx::query("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)")
            .bind(name)
            .bind(value)
            .execute(&mut guard.get()?.connection)
            .await?;
        Ok(())
    }

    /// A cursor by name; 0 where none was kept.
    pub async fn cursor(&self, name: &str) -> Result<i64> {
        let row: Option<(i64,)> = sqlx::query_as("SELECT value FROM cursor WHERE name = ?")
            .bind(name)
            .fetch_optional(&self.inner.readers)
            .await?;
        Ok(row.map_or(0, |(value,)| value))
    }

    /// All cursors whose names begin so.
    pub async fn cursors(&self, prefix: &str) -> Result<Vec<(String, i64)>> {
        Ok(sqlx::query_as("SELECT name, value FROM cursor WHERE substr(name, 1, length(?1)) = ?1")
            .bind(prefix)
            .fetch_all(&self.inner.readers)
            .await?)
    }

    /// Keeps a cursor.
    pub async fn put_cursor(&self, name: &str, value: i64) -> Result<()> {
        let mut guard = self.writer().await?;
        sqlx::query("INSERT OR REPLACE INTO cursor (name, value) VALUES (?, ?)")
            .bind(name)
            .bind(value)
            .execute(&mut guard.get()?.connection)
            .await?;
        Ok(())
    }

    pub(crate) async fn writer(&self) -> Result<WriterGuard<'_>> {
        Ok(WriterGuard(self.inner.writer.lock().await))
    }
}

/// The writer, while it is held.
pub(crate) struct WriterGuard<'a>(tokio::sync::MutexGuard<'a, Option<Writer>>);

impl WriterGuard<'_> {
    pub(crate) fn get(&mut self) -> Result<&mut Writer> {
        self.0.as_mut().ok_or_else(|| VaultError::Storage("the vault is closed".into()))
    }
}

/// Judging needs both; they are taken together.
pub(crate) struct Grounds {
    pub roster: Arc<Roster>,
    pub marks: Arc<ChainMarks>,
}

impl Grounds {
    pub(crate) fn of(vault: &Vault) -> Self {
        Self { roster: vault.roster(), marks: vault.marks() }
    }
    pub(crate) fn ground(&self) -> Ground<'_> {
        Ground { roster: &self.roster, marks: &self.marks }
    }
}

// A lock is poisoned only by a panic while it is held; what it guards is replaced whole, so it holds.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
pub(crate) fn read<T>(held: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    held.read().unwrap_or_else(std::sync::PoisonError::into_inner)
}
pub(crate) fn write<T>(held: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    held.write().unwrap_or_else(std::sync::PoisonError::into_inner)
}
