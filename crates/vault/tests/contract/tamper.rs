//! The database as someone with the passphrase and bad intent sees it.

use std::path::Path;

use seal::SealedBox;
use seal::id::to_hex;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};

use crate::world::pass;

/// Opens the database of a vault that no one else has open.
pub async fn database(dir: &Path) -> SqliteConnection {
    let sealed = std::fs::read(dir.join("vault.key")).expect("the key file");
    let key = SealedBox::open(&sealed, &pass()).expect("the passphrase");
    let options = SqliteConnectOptions::new()
        .filename(dir.join("vault.db"))
        .pragma("key", format!("\"x'{}'\"", to_hex(&key)))
        .disable_statement_logging();
    SqliteConnection::connect_with(&options).await.expect("the database")
}

/// Runs one statement on it.
pub async fn alter(dir: &Path, statement: &'static str) {
    let mut connection = database(dir).await;
    let done = sqlx::query(statement).execute(&mut connection).await.expect("the statement");
    assert!(done.rows_affected() > 0, "something was altered");
    connection.close().await.expect("closed");
}
