//! The one connection that writes, its transactions, and what it knows without asking the database.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use lru::LruCache;
use seal::{DeviceId, EnvelopeId, Identity, KeyId, Link, RecordId, RecordKey, RosterHash};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use crate::error::{Result, VaultError};
use crate::project::Projected;

/// Numbers of records kept at hand: more than a day's, about 70 bytes each.
const RECORDS: usize = 16_384;
/// Keys and projections kept at hand: what a long exchange touches again and again.
const RECENT: usize = 1024;

/// Numbers over the whole vault.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// The last commit number given.
    pub seq: i64,
    /// Links.
    pub links: i64,
    /// Opened entries.
    pub entries: i64,
    /// The number that the next new record gets.
    pub next_record: i64,
}

/// The end of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub number: u64,
    pub id: EnvelopeId,
    pub roster: RosterHash,
}

impl Head {
    pub(crate) fn of(link: &Link) -> Self {
        Self { number: link.number, id: link.id(), roster: link.roster }
    }
}

/// What only the writer touches. Everything in it follows from the database, and is read anew after a
/// transaction was undone.
pub(crate) struct Writer {
    pub connection: SqliteConnection,
    pub tally: Tally,
    /// Device numbers in the database.
    pub devices: HashMap<DeviceId, i64>,
    /// The end of each device's chain as far as it is known without a gap.
    pub heads: HashMap<DeviceId, Head>,
    /// The highest number known of each device, beyond gaps too.
    pub highest: HashMap<DeviceId, u64>,
    /// The identities with which every wrap in the database was tried, and the names it was for.
    pub tried: (Arc<Vec<Identity>>, Vec<String>),
    /// The same as the database remembers it, from before this was opened: see [`tried_as`].
    pub tried_before: Option<String>,
    /// Record numbers in the database.
    pub records: LruCache<RecordId, i64>,
    /// Record keys lately used.
    pub keys: LruCache<KeyId, (RecordId, RecordKey)>,
    /// What stands in the projections of records lately touched.
    pub projected: LruCache<RecordId, Arc<Projected>>,
    /// The world holds more of our chain than we do.
    pub stale: bool,
    /// A transaction is under way; still so after a panic in the middle of one.
    under_way: bool,
}

/// What stands for having tried every wrap in the database with these identities under these names.
pub(crate) fn tried_as(identities: &[Identity], names: &[String]) -> String {
    let recipients: Vec<String> = identities.iter().map(|identity| identity.recipient().as_str().to_owned()).collect();
    let parts: Vec<&[u8]> = recipients.iter().chain(names).map(|part| part.as_bytes()).collect();
    seal::id::to_hex(&seal::hash::tagged("intact/vault/tried/v1", &parts))
}

fn cap(size: usize) -> NonZeroUsize {
    NonZeroUsize::new(size).unwrap_or(NonZeroUsize::MIN)
}

impl Writer {
    /// Reads what it must know.
    pub(crate) async fn new(connection: SqliteConnection) -> Result<Self> {
        let mut writer = Self {
            connection,
            tally: Tally::default(),
            devices: HashMap::new(),
            heads: HashMap::new(),
            highest: HashMap::new(),
            tried: Default::default(),
            tried_before: None,
            records: LruCache::new(cap(RECORDS)),
            keys: LruCache::new(cap(RECENT)),
            projected: LruCache::new(cap(RECENT)),
            stale: false,
            under_way: false,
        };
        writer.load().await?;
        Ok(writer)
    }

    async fn load(&mut self) -> Result<()> {
        let tally: (i64, i64, i64, i64) = sqlx::query_as("SELECT seq, links, entries, next_record FROM tally")
            .fetch_one(&mut self.connection)
            .await?;
        self.tally = Tally { seq: tally.0, links: tally.1, entries: tally.2, next_record: tally.3 };
        let stale: Option<(String,)> = sqlx::query_as("SELECT value FROM setting WHERE name = 'stale'")
            .fetch_optional(&mut self.connection)
            .await?;
        self.stale = stale.is_some();
        let tried: Option<(String,)> = sqlx::query_as("SELECT value FROM setting WHERE name = 'tried'")
            .fetch_optional(&mut self.connection)
            .await?;
        self.tried_before = tried.map(|(tried,)| tried);
        let rows = sqlx::query(
            "SELECT d.n, d.id, d.head, (SELECT e.link FROM envelope e WHERE e.device = d.n AND e.number = d.head \
             ORDER BY e.id LIMIT 1) AS link, \
             (SELECT MAX(e.number) FROM envelope e WHERE e.device = d.n) AS highest FROM device d",
        )
        .fetch_all(&mut self.connection)
        .await?;
        (self.devices, self.heads) = (HashMap::new(), HashMap::new());
        let damaged = |_| VaultError::Corrupt("a device's row".into());
        for row in &rows {
            let (number, id): (i64, &[u8]) = (row.try_get("n")?, row.try_get("id")?);
            let id = DeviceId::try_from(id).map_err(damaged)?;
            self.devices.insert(id, number);
            self.highest.insert(id, row.try_get::<Option<i64>, _>("highest")?.unwrap_or(0) as u64);
            let link: Option<&[u8]> = row.try_get("link")?;
            let head = match (row.try_get::<i64, _>("head")?, link.map(Link::decode)) {
                (0, _) => None,
                (_, Some(Ok(link))) => Some(Head::of(&link)),
                // Not yet known, or what was the head is gone: a check says so.
                _ => crate::chain::contiguous(&mut self.connection, number, None).await?,
            };
            self.heads.extend(head.map(|head| (id, head)));
        }
        Ok(())
    }

    /// Undoes a transaction that a panic left under way, so that what follows is not part of it.
    pub(crate) async fn settle(&mut self) -> Result<()> {
        if self.under_way { self.undo().await } else { Ok(()) }
    }

    /// Begins a transaction.
    pub(crate) async fn begin(&mut self) -> Result<()> {
        self.settle().await?;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut self.connection).await?;
        self.under_way = true;
        Ok(())
    }

    /// Ends a transaction: when this returns, it is on the disk. `heads` are the chain ends that moved.
    pub(crate) async fn commit(&mut self, tally: Tally, heads: &HashMap<DeviceId, Head>) -> Result<()> {
        for (id, head) in heads {
            sqlx::query("UPDATE device SET head = ? WHERE id = ?")
                .bind(head.number as i64)
                .bind(id.0.as_slice())
                .execute(&mut self.connection)
                .await?;
        }
        // Both at once: each execution goes to the database's thread and back.
        let end = "UPDATE tally SET seq = ?, links = ?, entries = ?, next_record = ?; COMMIT";
        let query = if tally == self.tally {
            sqlx::query("COMMIT")
        } else {
            sqlx::query(end).bind(tally.seq).bind(tally.links).bind(tally.entries).bind(tally.next_record)
        };
        query.execute(&mut self.connection).await?;
        self.under_way = false;
        self.tally = tally;
        for (id, head) in heads {
            self.heads.insert(*id, *head);
            let highest = self.highest.entry(*id).or_insert(0);
            *highest = head.number.max(*highest);
        }
        Ok(())
    }

    /// Undoes a transaction, and forgets whatever was remembered in it.
    pub(crate) async fn undo(&mut self) -> Result<()> {
        // SQLite has often undone it already when the disk is full; then this has nothing to do.
        let _ = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
        self.under_way = false;
        self.records.clear();
        self.keys.clear();
        self.projected.clear();
        // What was tried in it is to be tried again.
        self.tried = Default::default();
        self.load().await
    }
}
