//! Why the vault refused.

use seal::{KeyId, SealError};

/// A refusal. Never carries content, keys or passphrases.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// There is no vault in that folder.
    #[error("there is no vault in that folder")]
    NotAVault,
    /// There is one already.
    #[error("there is a vault in that folder already")]
    AlreadyExists,
    /// Another process has it open.
    #[error("the vault is in use")]
    InUse,
    /// The passphrase does not open it.
    #[error("the passphrase does not open this vault")]
    WrongPassphrase,
    /// It was written by newer software.
    #[error("the vault was written by newer software")]
    NewerSchema,
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// Input or output failed.
    #[error("the vault's storage failed: {0}")]
    Storage(String),
    /// Bytes in it do not hold.
    #[error("the vault is damaged: {0}")]
    Corrupt(String),
    /// A record's key is not here.
    #[error("the key {} of this record is not on this device", .0.short())]
    NoKey(KeyId),
    /// The author may not do this.
    #[error(transparent)]
    Denied(#[from] logbook::authorise::Denied),
    /// What was given is not well-formed.
    #[error("{0}")]
    Invalid(String),
    /// The world holds entries of this device that it does not: it was restored from an old image.
    #[error("other devices hold entries of this device that it does not")]
    StaleClone,
    /// The device is not part of an operation yet.
    #[error("this device is not part of an operation yet")]
    NoAuthor,
}

/// The result of a vault's operation.
pub type Result<T> = std::result::Result<T, VaultError>;

impl From<sqlx::Error> for VaultError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => {
                let code: i32 = database.code().and_then(|code| code.parse().ok()).unwrap_or(0);
                match code & 0xff {
                    13 => Self::Full,
                    // The low byte of every SQLITE_IOERR; a write that fails for want of space says so here too.
                    10 => Self::Storage("input or output error".into()),
                    // SQLCipher says "error" where a page's authentication fails.
                    1 | 11 => Self::Corrupt("a page of the database does not hold".into()),
                    26 => Self::Corrupt("the database cannot be decrypted".into()),
                    5 | 6 => Self::InUse,
                    _ => Self::Storage(format!("database error {code}")),
                }
            }
            sqlx::Error::Io(error) => Self::io(error),
            _ => Self::Storage("the database connection failed".into()),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for VaultError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            sqlx::migrate::MigrateError::VersionMissing(_) | sqlx::migrate::MigrateError::VersionMismatch(_) => {
                Self::NewerSchema
            }
            sqlx::migrate::MigrateError::Execute(error) => error.into(),
            sqlx::migrate::MigrateError::ExecuteMigration(error, _) => error.into(),
            _ => Self::Corrupt("the database's version cannot be read".into()),
        }
    }
}

impl VaultError {
    pub(crate) fn io(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full,
            kind => Self::Storage(kind.to_string()),
        }
    }
}

impl From<std::io::Error> for VaultError {
    fn from(error: std::io::Error) -> Self {
        Self::io(&error)
    }
}

impl From<SealError> for VaultError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Stream(what) if what.contains("full") => Self::Full,
            SealError::Stream(what) => Self::Storage(what),
            other => Self::Invalid(other.to_string()),
        }
    }
}
