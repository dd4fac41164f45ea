//! Verifying the whole vault again: every signature, chain, hash, fold and projection.

mod chains;

use std::io::BufReader;
use std::sync::Arc;

use logbook::Record;
use seal::blob::address_of;
use seal::{BlobAddress, RecordId};
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;

use crate::error::{Result, VaultError};
use crate::project::{self, Projected, Touched};
use crate::rows;
use crate::store::{Grounds, Vault};
use crate::writer::Writer;

/// Numbers and ids of records read at once.
const RECORDS: i64 = 1024;
/// Entries read at once, of whole records; at most twice as many are in memory, or two longer records.
const ENTRIES: i64 = 512;
/// Records read at once with all their entries: one statement's worth.
const WHOLE: usize = 16;
/// Problems listed; a vault with more is no better known for listing them.
const MAX_PROBLEMS: usize = 1000;

/// What a check found.
#[derive(Debug, Clone, Default)]
pub struct Check {
    /// Entries verified.
    pub entries: u64,
    /// Records folded.
    pub records: u64,
    /// What does not hold, in words; ids only.
    pub problems: Vec<String>,
}

/// How a long check says how far it is: (done, of how many).
type Progress<'a> = &'a (dyn Fn(u64, u64) + Send + Sync);

impl Check {
    fn problem(&mut self, what: String) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(what);
        }
    }
}

impl Vault {
    /// Checks everything, as it stands when the call begins; entries can be written meanwhile. With
    /// `rebuild`, projections and search are built anew first. `progress` is called with (done, of how
    /// many).
    pub async fn check(&self, rebuild: bool, progress: &(dyn Fn(u64, u64) + Send + Sync)) -> Result<Check> {
        if rebuild {
            self.rebuild().await?;
        }
        self.walk(true, progress).await
    }

    /// Verifies the trail alone: every link's id, signature and place in its chain, every entry opened
    /// under what its author committed to, and each record's statuses derived from them. What is derived
    /// and kept beside it, exhibits, and the database's own pages are left to [`Vault::check`].
    pub async fn verify_trail(&self, progress: &(dyn Fn(u64, u64) + Send + Sync)) -> Result<Check> {
        self.walk(false, progress).await
    }

    async fn walk(&self, caches: bool, progress: Progress<'_>) -> Result<Check> {
        let mut connection = self.inner.readers.get().await?;
        let (grounds, seq, mut at) = {
            // Roster, marks and the database as one commit left them.
            let mut guard = self.writer().await?;
            let seq = guard.get()?.tally.seq;
            let mut at = connection.begin().await?;
            sqlx::query("SELECT seq FROM tally").fetch_one(&mut *at).await?;
            (Grounds::of(self), seq, at)
        };
        let walk = Walk { vault: self, grounds, seq, caches, progress };
        let mut check = Check::default();
        walk.all(&mut at, &mut check).await?;
        Ok(check)
    }

    /// Builds projections and search anew.
    pub(crate) async fn rebuild(&self) -> Result<()> {
        let vault = self.clone();
        self.wholly(async move {
            let mut guard = vault.writer().await?;
            let writer = guard.get()?;
            writer.begin().await?;
            let built = rebuild_all(&vault, writer).await;
            if built.is_err() {
                let _ = writer.undo().await;
            }
            built
        })
        .await
    }
}

/// One way through everything.
struct Walk<'a> {
    vault: &'a Vault,
    grounds: Grounds,
    /// The commit number at which it began.
    seq: i64,
    /// Whether what is derived, exhibits and the database's pages are gone through too.
    caches: bool,
    progress: Progress<'a>,
}

impl Walk<'_> {
    async fn all(&self, at: &mut SqliteConnection, check: &mut Check) -> Result<()> {
        if self.caches {
            pages(at, check).await?;
        }
        let (links, entries): (i64, i64) =
            sqlx::query_as("SELECT links, entries FROM tally").fetch_one(&mut *at).await?;
        let total = (links.max(0) + entries.max(0)) as u64;
        let counted = chains::chains(self.vault, at, check, self.progress, total).await?;
        let opened = self.records(at, check, total).await?;
        if counted != links as u64 || opened != entries as u64 {
            check.problem("the vault holds another number of entries than were written to it".into());
        }
        if self.caches {
            for table in crate::counted::wrong(at).await? {
                check.problem(format!("what is kept counted ({table}) is another number than there are"));
            }
            blobs(self.vault, at, check).await?;
        }
        Ok(())
    }

    /// Every record: opened and folded; its caches compared with it.
    async fn records(&self, at: &mut SqliteConnection, check: &mut Check, total: u64) -> Result<u64> {
        let mut after = 0;
        loop {
            let listed: Vec<(i64, Vec<u8>, i64)> = sqlx::query_as(
                "SELECT n, record, (SELECT COUNT(*) FROM envelope WHERE record = n) FROM projection \
                 WHERE n > ? ORDER BY n LIMIT ?",
            )
            .bind(after)
            .bind(RECORDS)
            .fetch_all(&mut *at)
            .await?;
            let Some((last, ..)) = listed.last() else { break };
            after = *last;
            let parts = parts(listed);
            let mut parts = parts.iter().map(Vec::as_slice);
            let mut page = rows::held(at, parts.next().unwrap_or_default()).await?;
            while !page.is_empty() {
                // The next ones are read while these are folded: the database's thread is not waited for.
                let folding = async { page.iter().map(|held| self.folded(held, check)).collect::<Result<Vec<_>>>() };
                let (next, folded) = tokio::join!(rows::held(at, parts.next().unwrap_or_default()), folding);
                self.compared(at, folded?, check).await?;
                page = next?;
                (self.progress)(total.min(total / 2 + check.entries), total);
                tokio::task::yield_now().await;
            }
        }
        let (opened, without): (i64, i64) = sqlx::query_as(
            // Record by record: a look at the list for each entry would read its pages over and over.
            "SELECT IFNULL(SUM(e.entries), 0), IFNULL(SUM(CASE WHEN p.n IS NULL THEN e.entries ELSE 0 END), 0) FROM \
             (SELECT record, COUNT(*) AS entries FROM envelope INDEXED BY envelope_record \
              WHERE record IS NOT NULL GROUP BY record) e LEFT JOIN projection p ON p.n = e.record",
        )
        .fetch_one(at)
        .await?;
        if without > 0 {
            check.problem(format!("{without} entries belong to a record that is not listed"));
        }
        (self.progress)(total, total);
        Ok(opened as u64)
    }

    /// Counts records, and compares what is kept of them where that is asked.
    async fn compared(
        &self,
        at: &mut SqliteConnection,
        folded: Vec<Option<(i64, Record)>>,
        check: &mut Check,
    ) -> Result<()> {
        let folded: Vec<(i64, Record)> = folded.into_iter().flatten().collect();
        for (_, record) in &folded {
            check.entries += record.entries().len() as u64;
            check.records += 1;
        }
        if self.caches {
            let numbers: Vec<i64> = folded.iter().map(|(number, _)| *number).collect();
            let kept = project::kept(at, &numbers).await?;
            for (number, record) in &folded {
                one(self.vault, kept.get(number), record, self.seq, check).await?;
            }
        }
        Ok(())
    }

    /// A record folded; none where it does not open, which is a problem found.
    fn folded(&self, held: &rows::Held, check: &mut Check) -> Result<Option<(i64, Record)>> {
        let Ok(id) = &held.id else {
            check.problem("a record's id is damaged".into());
            return Ok(None);
        };
        match held.fold(id, &self.grounds) {
            Ok(record) => Ok(Some((held.number, record))),
            Err(VaultError::Corrupt(_) | VaultError::NoKey(_)) => {
                check.problem(format!("record {}: an entry does not open", id.short()));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// At most [`WHOLE`] records with together [`ENTRIES`] entries, or one that has more.
fn parts(listed: Vec<(i64, Vec<u8>, i64)>) -> Vec<Vec<(i64, Vec<u8>)>> {
    let (mut parts, mut held) = (Vec::<Vec<_>>::new(), ENTRIES);
    for (number, id, entries) in listed {
        held = held.saturating_add(entries);
        match parts.last_mut().filter(|part| held <= ENTRIES && part.len() < WHOLE) {
            Some(part) => part.push((number, id)),
            None => {
                held = entries;
                parts.push(vec![(number, id)]);
            }
        }
    }
    parts
}

/// The database's own pages.
async fn pages(at: &mut SqliteConnection, check: &mut Check) -> Result<()> {
    let integrity: Vec<(String,)> = sqlx::query_as("PRAGMA integrity_check(20)").fetch_all(&mut *at).await?;
    if integrity.first().is_none_or(|(word,)| word != "ok") {
        check.problem("the database's own integrity check fails".into());
    }
    let cipher: Vec<(String,)> = sqlx::query_as("PRAGMA cipher_integrity_check").fetch_all(&mut *at).await?;
    if !cipher.is_empty() {
        check.problem("pages of the database were altered".into());
    }
    Ok(())
}

/// One record against everything that is kept of it.
async fn one(vault: &Vault, kept: Option<&Projected>, record: &Record, seq: i64, check: &mut Check) -> Result<()> {
    let short = record.id().short();
    let (derived, _) = Projected::of(record);
    if kept != Some(&derived) {
        check.problem(format!("record {short}: its projection differs from its entries"));
    }
    if !logbook::document::heads_agree(record) {
        check.problem(format!("record {short}: Automerge finds other heads"));
    }
    // What is folded in memory must be what the database gives, unless it was written to since.
    if let Some(open) = vault.cached(&record.id())
        && logbook::digest::digest(&open) != logbook::digest::digest(record)
        && vault.writer().await?.get()?.tally.seq == seq
    {
        check.problem(format!("record {short}: what is open differs from what is stored"));
    }
    Ok(())
}

async fn blobs(vault: &Vault, at: &mut SqliteConnection, check: &mut Check) -> Result<()> {
    let rows: Vec<(Vec<u8>,)> = sqlx::query_as("SELECT DISTINCT address FROM exhibit").fetch_all(at).await?;
    for (address,) in rows {
        let Ok(address) = BlobAddress::try_from(address.as_slice()) else { continue };
        let path = vault.blob_path(&address);
        // Gigabytes are read on a thread of their own.
        let hashed = tokio::task::spawn_blocking(move || {
            let file = std::fs::File::open(path).ok()?;
            Some(address_of(BufReader::with_capacity(128 * 1024, file)))
        });
        let hashed = hashed.await.map_err(|_| VaultError::Storage("the work was broken off".into()))?;
        if let Some(found) = hashed
            && found?.0 != address
        {
            check.problem(format!("exhibit {}: its ciphertext was altered", address.short()));
        }
    }
    Ok(())
}

/// The index of words, as the migration makes it.
const SEARCH: &str = "CREATE VIRTUAL TABLE search USING fts5(text, content='', contentless_delete=1, \
                      tokenize='unicode61 remove_diacritics 2')";

/// Builds every projection anew from the envelopes and the keys.
async fn rebuild_all(vault: &Vault, writer: &mut Writer) -> Result<()> {
    let grounds = Grounds::of(vault);
    // Which record an envelope belongs to follows from the key that opens it.
    let records: Vec<(i64, Vec<u8>)> = sqlx::query_as(
        "SELECT DISTINCT e.record, k.record FROM envelope e JOIN key k ON k.id = e.key \
         WHERE e.record IS NOT NULL ORDER BY e.record",
    )
    .fetch_all(&mut writer.connection)
    .await?;
    let numbers = "(SELECT record FROM envelope WHERE record IS NOT NULL)";
    for table in ["referral", "exhibit"] {
        sqlx::query(sqlx::AssertSqlSafe(format!("DELETE FROM {table}"))).execute(&mut writer.connection).await?;
    }
    for (table, column) in [("projection", "n"), ("audience", "record")] {
        let statement = format!("DELETE FROM {table} WHERE {column} NOT IN {numbers}");
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut writer.connection).await?;
    }
    // Made anew: after "delete-all" a contentless index that replaces rows fails its own check.
    for statement in ["DROP TABLE search", SEARCH] {
        sqlx::query(statement).execute(&mut writer.connection).await?;
    }
    writer.projected.clear();
    writer.records.clear();
    let mut tally = writer.tally;
    tally.seq += 1;
    tally.next_record = records.iter().map(|(number, _)| number + 1).max().unwrap_or(1).max(tally.next_record);
    let counts: (i64, i64) =
        sqlx::query_as("SELECT COUNT(*), COUNT(record) FROM envelope").fetch_one(&mut writer.connection).await?;
    (tally.links, tally.entries) = counts;
    for part in records.chunks(200) {
        let mut folded = Vec::with_capacity(part.len());
        for (number, id) in part {
            let id: RecordId = rows::record_id(id)?;
            vault.take_open(&id);
            let record = Arc::new(rows::load(&mut writer.connection, &id, *number, i64::MAX, &grounds).await?);
            folded.push(Touched { number: *number, fresh: false, record });
        }
        project::project_anew(vault, writer, &folded, tally.seq).await?;
    }
    crate::counted::anew(&mut writer.connection).await?;
    writer.commit(tally, &std::collections::HashMap::new()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_hold_whole_records_and_a_bounded_number_of_entries() {
        let counts = [200, 300, 12, 1, 5000, 0, 0, 512, 1];
        let listed = counts.iter().zip(1i64..).map(|(count, n)| (n, vec![n as u8], *count)).collect();
        let numbers: Vec<Vec<i64>> = parts(listed).iter().map(|part| part.iter().map(|(n, _)| *n).collect()).collect();
        assert_eq!(numbers, [vec![1, 2, 3], vec![4], vec![5], vec![6, 7, 8], vec![9]]);
        assert!(parts(Vec::new()).is_empty());
    }
}
