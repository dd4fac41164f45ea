//! The open vault: one writer, a few readers, caches.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};

use logbook::status::ChainMarks;
use logbook::{Ground, Record, Roster};
use seal::{Hash32, Identity, RecordId};
use tokio::sync::broadcast;
use zeroize::Zeroizing;

use crate::append::{AuthorKeys, Waiting};
use crate::error::{Result, VaultError};
use crate::open::Opened;
use crate::open_records::OpenRecords;
use crate::readers::{self, Readers};
use crate::writer::Writer;

/// Changes that a slow listener may be behind before it must ask for everything anew.
const CHANGES: usize = 256;

/// Set by a migration after which projections must be built anew.
const REBUILD: &str = "rebuild";

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
    pub readers: Readers,
    /// Appends that wait for the writer; whoever gets it commits them all.
    pub queue: Mutex<Vec<Waiting>>,
    pub roster: RwLock<Arc<Roster>>,
    pub marks: RwLock<Arc<ChainMarks>>,
    pub author: RwLock<Option<Arc<AuthorKeys>>>,
    pub identities: RwLock<Arc<Vec<Identity>>>,
    pub records: Mutex<OpenRecords>,
    pub places: Mutex<crate::places::Places>,
    pub changes: broadcast::Sender<Changed>,
    /// Held until the vault is closed or its process ends.
    lock: Mutex<Option<File>>,
}

impl Drop for Inner {
    /// A vault that nobody closed closes its connections here, and waits for them: the threads behind
    /// them use the cipher's library, which a process that ends takes away from under them.
    fn drop(&mut self) {
        let mut connections = self.readers.take();
        connections.extend(self.writer.get_mut().take().map(|writer| writer.connection));
        if connections.is_empty() {
            return;
        }
        // On a thread of its own: this one may be a runtime's, where nothing may be waited for.
        let close = || {
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            runtime.map(|runtime| runtime.block_on(readers::close(connections)))
        };
        if let Ok(closing) = std::thread::Builder::new().spawn(close) {
            drop(closing.join());
        }
    }
}

impl Vault {
    pub(crate) async fn start(dir: &Path, opened: Opened) -> Result<Self> {
        let mut writer = Writer::new(opened.writer).await?;
        let (roster, marks) = crate::chain::load(&mut writer).await?;
        let (changes, _) = broadcast::channel(CHANGES);
        let inner = Inner {
            dir: dir.to_owned(),
            store_id: opened.store_id,
            writer: tokio::sync::Mutex::new(Some(writer)),
            readers: opened.readers,
            queue: Mutex::default(),
            roster: RwLock::new(Arc::new(roster)),
            marks: RwLock::new(Arc::new(marks)),
            author: RwLock::default(),
            identities: RwLock::default(),
            records: Mutex::default(),
            places: Mutex::default(),
            changes,
            lock: Mutex::new(Some(opened.lock)),
        };
        let vault = Self { inner: Arc::new(inner) };
        if vault.setting(REBUILD).await?.is_some() {
            vault.rebuild().await?;
            vault.put(sqlx::query("DELETE FROM setting WHERE name = ?").bind(REBUILD)).await?;
        }
        Ok(vault)
    }

    /// Closes the vault: the write-ahead log is folded into the database.
    pub async fn close(self) {
        self.inner.readers.close().await;
        let writer = self.inner.writer.lock().await.take();
        readers::close(writer.into_iter().map(|writer| writer.connection).collect()).await;
        lock(&self.inner.records).clear();
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

    /// Who writes from here on.
    pub fn set_author(&self, author: AuthorKeys) {
        *write(&self.inner.author) = Some(Arc::new(author));
    }

    /// What opens wraps from here on. Wraps that no identity opened are tried again with the next
    /// batch, or by [`Vault::open_waiting`].
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
        lock(&self.inner.records).get(id)
    }

    pub(crate) fn keep_open(&self, record: Arc<Record>) {
        lock(&self.inner.records).put(record);
    }

    /// Takes a record out of the cache, for a change; until it is kept again, readers wait for the
    /// writer.
    pub(crate) fn take_open(&self, id: &RecordId) -> Option<Arc<Record>> {
        lock(&self.inner.records).take(id)
    }

    /// Runs work that must not be left half-way, whatever becomes of whoever asked for it.
    pub(crate) async fn wholly<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let done = tokio::spawn(work).await;
        done.unwrap_or_else(|_| Err(VaultError::Storage("the work was broken off".into())))
            .map_err(|e| self.diagnosed(e))
    }

    /// SQLite does not always say that the disk is full; a write to the folder does.
    pub(crate) fn diagnosed(&self, error: VaultError) -> VaultError {
        if matches!(error, VaultError::Storage(_)) && crate::open::is_full(&self.inner.dir) {
            return VaultError::Full;
        }
        error
    }

    /// A secret by name.
    pub async fn secret(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let row: Option<(Vec<u8>,)> = sqlx::query_as("SELECT value FROM secret WHERE name = ?")
            .bind(name)
            .fetch_optional(&mut *self.inner.readers.get().await?)
            .await?;
        Ok(row.map(|(value,)| Zeroizing::new(value)))
    }

    /// Keeps a secret.
    pub async fn put_secret(&self, name: &str, value: &[u8]) -> Result<()> {
        let query = sqlx::query("INSERT OR REPLACE INTO secret (name, value) VALUES (?, ?)");
        self.put(query.bind(name).bind(value)).await
    }

    /// A setting by name.
    pub async fn setting(&self, name: &str) -> Result<Option<String>> {
        let row: Option<(String,)> = sqlx::query_as("SELECT value FROM setting WHERE name = ?")
            .bind(name)
            .fetch_optional(&mut *self.inner.readers.get().await?)
            .await?;
        Ok(row.map(|(value,)| value))
    }

    /// Keeps a setting.
    pub async fn put_setting(&self, name: &str, value: &str) -> Result<()> {
        let query = sqlx::query("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)");
        self.put(query.bind(name).bind(value)).await
    }

    /// A cursor by name; 0 where none was kept.
    pub async fn cursor(&self, name: &str) -> Result<i64> {
        let row: Option<(i64,)> = sqlx::query_as("SELECT value FROM cursor WHERE name = ?")
            .bind(name)
            .fetch_optional(&mut *self.inner.readers.get().await?)
            .await?;
        Ok(row.map_or(0, |(value,)| value))
    }

    /// All cursors whose names begin so.
    pub async fn cursors(&self, prefix: &str) -> Result<Vec<(String, i64)>> {
        Ok(sqlx::query_as("SELECT name, value FROM cursor WHERE substr(name, 1, length(?1)) = ?1")
            .bind(prefix)
            .fetch_all(&mut *self.inner.readers.get().await?)
            .await?)
    }

    /// Keeps a cursor.
    pub async fn put_cursor(&self, name: &str, value: i64) -> Result<()> {
        let query = sqlx::query("INSERT OR REPLACE INTO cursor (name, value) VALUES (?, ?)");
        self.put(query.bind(name).bind(value)).await
    }

    /// One statement is one transaction of its own, whole or not at all.
    pub(crate) async fn put<'q>(
        &self,
        query: sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>,
    ) -> Result<()> {
        let mut guard = self.writer().await?;
        let writer = guard.get()?;
        writer.settle().await?;
        query.execute(&mut writer.connection).await.map_err(|error| self.diagnosed(error.into()))?;
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
#[derive(Clone)]
pub(crate) struct Grounds {
    pub roster: Arc<Roster>,
    pub marks: Arc<ChainMarks>,
}

impl Grounds {
    pub(crate) fn of(vault: &Vault) -> Self {
        Self { roster: vault.roster(), marks: read(&vault.inner.marks).clone() }
    }
    pub(crate) fn ground(&self) -> Ground<'_> {
        Ground { roster: &self.roster, marks: &self.marks }
    }
    /// Makes these the vault's, once what they follow from is committed.
    pub(crate) fn establish(&self, vault: &Vault) {
        *write(&vault.inner.roster) = self.roster.clone();
        *write(&vault.inner.marks) = self.marks.clone();
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
