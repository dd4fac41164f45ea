//! Making and opening a vault: key file, lock, connections.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use seal::id::to_hex;
use seal::{Hash32, KdfCost, Passphrase, SealError, SealedBox};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};
use zeroize::Zeroizing;

use crate::error::{Result, VaultError};
use crate::readers::Readers;
use crate::store::Vault;

const KEY_FILE: &str = "vault.key";
const DATABASE: &str = "vault.db";
const LOCK: &str = "lock";
/// Empty bytes that are given up when a full disk would keep the vault from being opened: SQLite
/// needs 32 KiB for the index of its write-ahead log.
const RESERVE: &str = "reserve";
const RESERVE_BYTES: usize = 64 * 1024;
/// Bytes of a key file: the box of 32 bytes takes 121.
const MAX_KEY_FILE: u64 = 4096;
/// The vault's folder of sealed exhibits.
pub(crate) const BLOBS: &str = "blobs";

/// What an open vault holds of the file system.
pub(crate) struct Opened {
    pub writer: SqliteConnection,
    pub readers: Readers,
    pub lock: File,
    pub store_id: Hash32,
}

impl Vault {
    /// Makes a vault; the folder may exist, a vault in it may not. `random` fills a buffer.
    pub async fn create(
        dir: &Path,
        passphrase: &Passphrase,
        cost: KdfCost,
        random: &mut (dyn FnMut(&mut [u8]) + Send),
    ) -> Result<Self> {
        std::fs::create_dir_all(dir.join(BLOBS))?;
        private(dir)?;
        let lock = take_lock(dir)?;
        if dir.join(KEY_FILE).exists() {
            return Err(VaultError::AlreadyExists);
        }
        let mut key = Zeroizing::new([0; 32]);
        random(key.as_mut_slice());
        let mut salts = [0; 40];
        random(&mut salts);
        let mut store_id = [0; 32];
        random(&mut store_id);
        let sealed = SealedBox::seal(key.as_slice(), passphrase, cost, &salts)?;
        // The database first: a vault without its key file is none, and can be made again. What an
        // attempt that was broken off left has another key, and goes.
        for left in [DATABASE, "vault.db-wal", "vault.db-shm"] {
            if dir.join(left).exists() {
                std::fs::remove_file(dir.join(left))?;
            }
        }
        let mut writer = migrated(connect(dir, &key, true).await?).await?;
        sqlx::query("INSERT INTO setting (name, value) VALUES ('store.id', ?)")
            .bind(to_hex(&store_id))
            .execute(&mut writer)
            .await?;
        let readers = readers(dir, &key);
        reserve(dir);
        write_key_file(dir, &sealed)?;
        Self::start(dir, Opened { writer, readers, lock, store_id: Hash32(store_id) }).await
    }

    /// Opens a vault.
    pub async fn open(dir: &Path, passphrase: &Passphrase) -> Result<Self> {
        let sealed = key_file(dir)?;
        let lock = take_lock(dir)?;
        let key = match SealedBox::open(&sealed, passphrase) {
            Ok(key) => key,
            Err(SealError::WrongPassphrase) => return Err(VaultError::WrongPassphrase),
            Err(_) => return Err(VaultError::Corrupt("the key file does not hold".into())),
        };
        let key: [u8; 32] = key.as_slice().try_into().map_err(|_| VaultError::Corrupt("the key file".into()))?;
        let key = Zeroizing::new(key);
        let (writer, store_id) = match database(dir, &key).await {
            Err(error @ (VaultError::Storage(_) | VaultError::Full)) if dir.join(RESERVE).exists() => {
                // On a full disk the reserve makes room, once.
                std::fs::remove_file(dir.join(RESERVE))?;
                database(dir, &key).await.map_err(|_| error)?
            }
            other => {
                reserve(dir);
                other?
            }
        };
        let readers = readers(dir, &key);
        Self::start(dir, Opened { writer, readers, lock, store_id }).await
    }
}

async fn database(dir: &Path, key: &[u8; 32]) -> Result<(SqliteConnection, Hash32)> {
    let mut writer = migrated(connect(dir, key, false).await?).await?;
    let store_id: Option<(String,)> =
        sqlx::query_as("SELECT value FROM setting WHERE name = 'store.id'").fetch_optional(&mut writer).await?;
    let store_id = store_id.and_then(|(text,)| text.parse().ok());
    Ok((writer, store_id.ok_or_else(|| VaultError::Corrupt("its id".into()))?))
}

fn key_file(dir: &Path) -> Result<Vec<u8>> {
    use std::io::Read;
    let file = match File::open(dir.join(KEY_FILE)) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(VaultError::NotAVault),
        Err(error) => return Err(error.into()),
    };
    let mut sealed = Vec::new();
    file.take(MAX_KEY_FILE).read_to_end(&mut sealed)?;
    Ok(sealed)
}

fn options(dir: &Path, key: &[u8; 32], create: bool) -> SqliteConnectOptions {
    let raw = Zeroizing::new(format!("\"x'{}'\"", to_hex(key)));
    SqliteConnectOptions::new()
        .filename(dir.join(DATABASE))
        .create_if_missing(create)
        .pragma("key", raw.as_str().to_owned())
        // What it finds wrong comes back as an error; it need not also write to the terminal.
        .pragma("cipher_log_level", "NONE")
        .pragma("temp_store", "MEMORY")
        .pragma("secure_delete", "ON")
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(10))
        // Rows handed over at once between SQLite's thread and ours.
        .row_buffer_size(512)
        .disable_statement_logging()
}

/// Brings the database to the current version. On a thread of its own: the migrator's future cannot
/// be sent between threads in general, and opening a vault must be.
async fn migrated(mut connection: SqliteConnection) -> Result<SqliteConnection> {
    let runtime = tokio::runtime::Handle::current();
    let work = move || -> Result<SqliteConnection> {
        runtime.block_on(async { sqlx::migrate!("./migrations").run(&mut connection).await })?;
        Ok(connection)
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| VaultError::Storage("opening was interrupted".into()))?
}

async fn connect(dir: &Path, key: &[u8; 32], create: bool) -> Result<SqliteConnection> {
    // 8 MiB of pages for the writer: what a batch touches of indexes and search.
    // And every statement of a batch, in each of the sizes of `rows`, stays prepared.
    let options = options(dir, key, create).pragma("cache_size", "-8192").statement_cache_capacity(256);
    Ok(SqliteConnection::connect_with(&options).await?)
}

fn readers(dir: &Path, key: &[u8; 32]) -> Readers {
    // 4 MiB of pages for each reader: the upper levels of every index and the newest rows.
    Readers::new(options(dir, key, false).pragma("cache_size", "-4096").statement_cache_capacity(64).read_only(true))
}

/// One process at a time: an advisory lock that the system releases when the process ends, however.
fn take_lock(dir: &Path) -> Result<File> {
    let lock = OpenOptions::new().create(true).write(true).truncate(false).open(dir.join(LOCK))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => Err(VaultError::InUse),
        Err(std::fs::TryLockError::Error(error)) => Err(error.into()),
    }
}

fn write_key_file(dir: &Path, sealed: &[u8]) -> Result<()> {
    let temporary = dir.join("vault.key.part");
    let mut file = File::create(&temporary)?;
    file.write_all(sealed)?;
    file.sync_all()?;
    std::fs::rename(&temporary, dir.join(KEY_FILE))?;
    sync_folder(dir)
}

/// Makes a rename in a folder durable; on Windows a renamed file is.
pub(crate) fn sync_folder(dir: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(dir)?.sync_all()?;
    }
    Ok(())
}

/// Fills the reserve, where there is room for it.
fn reserve(dir: &Path) {
    let path = dir.join(RESERVE);
    if std::fs::metadata(&path).is_ok_and(|held| held.len() == RESERVE_BYTES as u64) {
        return;
    }
    if std::fs::write(&path, vec![0; RESERVE_BYTES]).is_err() {
        let _ = std::fs::remove_file(&path);
    }
}

/// Whether the folder takes no more bytes.
pub(crate) fn is_full(dir: &Path) -> bool {
    let path = dir.join("room");
    let tried = std::fs::write(&path, [0; 64 * 1024]);
    let _ = std::fs::remove_file(&path);
    tried.is_err_and(|error| matches!(VaultError::io(&error), VaultError::Full))
}

#[cfg(unix)]
fn private(dir: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))?)
}

#[cfg(not(unix))]
fn private(_: &Path) -> Result<()> {
    Ok(())
}
