//! Connections for reading. They come back the moment that whoever had one is done, without a runtime:
//! a vault that is dropped finds all of them here, and closes them before the process goes on.

use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::{Result, VaultError};
use crate::store::lock;

/// Readers at once: the window's list, an exchange, a check.
const READERS: usize = 3;

/// A few connections, opened when first needed.
pub(crate) struct Readers {
    options: SqliteConnectOptions,
    permits: Semaphore,
    idle: Mutex<Vec<SqliteConnection>>,
}

impl Readers {
    pub(crate) fn new(options: SqliteConnectOptions) -> Self {
        Self { options, permits: Semaphore::new(READERS), idle: Mutex::default() }
    }

    /// One of them, as soon as one is free.
    pub(crate) async fn get(&self) -> Result<Reader<'_>> {
        let closed = || VaultError::Storage("the vault is closed".into());
        let _permit = self.permits.acquire().await.map_err(|_| closed())?;
        let idle = lock(&self.idle).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        Ok(Reader { connection: Some(connection), home: self, _permit })
    }

    /// Lets nobody in any more, waits for those who are, and closes all.
    pub(crate) async fn close(&self) {
        // A closed semaphore cannot be waited for, so all places are taken first.
        let all = self.permits.acquire_many(READERS as u32).await;
        self.permits.close();
        drop(all);
        let connections = std::mem::take(&mut *lock(&self.idle));
        close(connections).await;
    }

    /// Those that are here. Of a vault that nobody has any more, these are all.
    pub(crate) fn take(&mut self) -> Vec<SqliteConnection> {
        std::mem::take(self.idle.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// Closes connections and waits until SQLite let go of them.
pub(crate) async fn close(connections: Vec<SqliteConnection>) {
    for connection in connections {
        // Everything acknowledged is durable already; a failure here loses nothing.
        let _ = connection.close().await;
    }
}

/// A connection, for as long as it is held.
pub(crate) struct Reader<'a> {
    /// There until it is dropped.
    connection: Option<SqliteConnection>,
    home: &'a Readers,
    // Given back after the connection is: fields are dropped after `drop`.
    _permit: SemaphorePermit<'a>,
}

impl Deref for Reader<'_> {
    type Target = SqliteConnection;
    fn deref(&self) -> &SqliteConnection {
        self.connection.as_ref().expect("a reader holds its connection until it is dropped")
    }
}

impl DerefMut for Reader<'_> {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.connection.as_mut().expect("a reader holds its connection until it is dropped")
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        lock(&self.home.idle).extend(self.connection.take());
    }
}
