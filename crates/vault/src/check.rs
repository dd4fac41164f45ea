//! Verifying the whole vault again: every signature, chain, hash, fold and projection.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::sync::Arc;

use logbook::Record;
use seal::blob::address_of;
use seal::{BlobAddress, EnvelopeId, Link, RecordId};
use sqlx::Row;

use crate::error::{Result, VaultError};
use crate::rows;
use crate::store::{Grounds, Vault, Writer};

/// Rows read at once.
const PAGE: i64 = 5000;
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

impl Check {
    fn problem(&mut self, what: String) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(what);
        }
    }
}

impl Vault {
    /// Checks everything; with `rebuild`, projections and search are built anew first. `progress` is
    /// called with (done, of how many).
    pub async fn check(&self, rebuild: bool, progress: &(dyn Fn(u64, u64) + Send + Sync)) -> Result<Check> {
        let mut guard = self.writer().await?;
        let writer = guard.get()?;
        let grounds = Grounds::of(self);
        let mut check = Check::default();
        let integrity: Vec<(String,)> =
            sqlx::query_as("PRAGMA integrity_check(20)").fetch_all(&mut writer.connection).await?;
        if integrity.first().is_none_or(|(word,)| word != "ok") {
            check.problem("the database's own integrity check fails".into());
        }
        if rebuild {
            rebuild_all(self, writer, &grounds).await?;
        }
        let total = links(writer, &mut check, progress).await?;
        records(self, writer, &grounds, &mut check, progress, total).await?;
        blobs(self, writer, &mut check).await?;
        Ok(check)
    }
}

/// Every link: its id, its signature, its place in the chain.
async fn links(writer: &mut Writer, check: &mut Check, progress: &(dyn Fn(u64, u64) + Send + Sync)) -> Result<u64> {
    let (total,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM envelope").fetch_one(&mut writer.connection).await?;
    let total = total as u64;
    let mut ends: BTreeMap<seal::DeviceId, (u64, EnvelopeId)> = BTreeMap::new();
    let (mut device, mut number, mut done) = (0i64, -1i64, 0u64);
    loop {
        let rows = sqlx::query(
            "SELECT device, number, id, link, signature, body FROM envelope \
             WHERE (device, number) > (?, ?) ORDER BY device, number, id LIMIT ?",
        )
        .bind(device)
        .bind(number)
        .bind(PAGE)
        .fetch_all(&mut writer.connection)
        .await?;
        let Some(last) = rows.last() else { return Ok(total) };
        (device, number) = (last.try_get("device")?, last.try_get("number")?);
        for row in &rows {
            let stored: &[u8] = row.try_get("id")?;
            let short = seal::id::to_hex(stored.get(..4).unwrap_or_default());
            let Ok(envelope) = rows::envelope_of(row) else {
                check.problem(format!("envelope {short}: its row does not decode"));
                continue;
            };
            if envelope.id().0 != stored {
                check.problem(format!("envelope {short}: its link does not have this id"));
            }
            if envelope.link.verify(&envelope.signature).is_err() {
                check.problem(format!("envelope {short}: its signature does not hold"));
            }
            chain(&envelope.link, &mut ends, &short, check);
            done += 1;
        }
        progress(done, total);
    }
}

fn chain(link: &Link, ends: &mut BTreeMap<seal::DeviceId, (u64, EnvelopeId)>, short: &str, check: &mut Check) {
    // A gap or a fork is the author's, shown elsewhere; a link that contradicts its neighbour
    // without either is this vault's problem.
    if let Some((number, id)) = ends.get(&link.device)
        && link.number == number + 1
        && link.prev != *id
    {
        check.problem(format!("envelope {short}: it does not continue its chain"));
    }
    ends.insert(link.device, (link.number, link.id()));
}

/// Every record: opened, folded, compared with its projection and with Automerge's own heads.
async fn records(
    vault: &Vault,
    writer: &mut Writer,
    grounds: &Grounds,
    check: &mut Check,
    progress: &(dyn Fn(u64, u64) + Send + Sync),
    total: u64,
) -> Result<()> {
    let mut after = 0i64;
    loop {
        let page: Vec<(i64, Vec<u8>, String, String, i64)> = sqlx::query_as(
            "SELECT n, record, reference, state, severity FROM projection WHERE n > ? ORDER BY n LIMIT 500",
        )
        .bind(after)
        .fetch_all(&mut writer.connection)
        .await?;
        let Some(last) = page.last() else { break };
        after = last.0;
        for (number, id, reference, state, severity) in page {
            let Ok(id) = RecordId::try_from(id.as_slice()) else {
                check.problem("a record's id is damaged".into());
                continue;
            };
            match rows::load(&mut writer.connection, &id, number, i64::MAX, grounds).await {
                Ok(record) => {
                    check.entries += record.entries().len() as u64;
                    check.records += 1;
                    let derived = record.state();
                    let same = derived.reference == reference
                        && derived.state_code() == state
                        && derived.number("severity").unwrap_or(0) == severity;
                    if !same {
                        check.problem(format!("record {}: its projection differs from its entries", id.short()));
                    }
                    if !logbook::document::heads_agree(&record) {
                        check.problem(format!("record {}: Automerge finds other heads", id.short()));
                    }
                    open_cache(vault, &record, check);
                }
                Err(VaultError::Corrupt(_) | VaultError::NoKey(_)) => {
                    check.problem(format!("record {}: an entry does not open", id.short()));
                }
                Err(error) => return Err(error),
            }
        }
        progress(total, total);
    }
    Ok(())
}

/// What is folded in memory must be what the database gives.
fn open_cache(vault: &Vault, record: &Record, check: &mut Check) {
    if let Some(open) = vault.cached(&record.id())
        && logbook::digest::digest(&open) != logbook::digest::digest(record)
    {
        check.problem(format!("record {}: what is open differs from what is stored", record.id().short()));
    }
}

async fn blobs(vault: &Vault, writer: &mut Writer, check: &mut Check) -> Result<()> {
    let rows: Vec<(Vec<u8>,)> =
        sqlx::query_as("SELECT DISTINCT address FROM exhibit").fetch_all(&mut writer.connection).await?;
    for (address,) in rows {
        let Ok(address) = BlobAddress::try_from(address.as_slice()) else { continue };
        let Ok(file) = std::fs::File::open(vault.blob_path(&address)) else { continue };
        let found = address_of(BufReader::with_capacity(128 * 1024, file))?;
        if found.0 != address {
            check.problem(format!("exhibit {}: its ciphertext was altered", address.short()));
        }
    }
    Ok(())
}

/// Builds every projection anew from the envelopes.
async fn rebuild_all(vault: &Vault, writer: &mut Writer, grounds: &Grounds) -> Result<()> {
    let records: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT n, record FROM projection ORDER BY n").fetch_all(&mut writer.connection).await?;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut writer.connection).await?;
    for table in ["DELETE FROM referral", "DELETE FROM exhibit"] {
        sqlx::query(table).execute(&mut writer.connection).await?;
    }
    writer.words.clear();
    let seq = writer.seq;
    for part in records.chunks(200) {
        let mut folded: Vec<(i64, Arc<Record>)> = Vec::with_capacity(part.len());
        for (number, id) in part {
            let id = RecordId::try_from(id.as_slice()).map_err(|_| VaultError::Corrupt("a record's row".into()))?;
            vault.forget_open(&id);
            let record = rows::load(&mut writer.connection, &id, *number, i64::MAX, grounds).await?;
            folded.push((*number, Arc::new(record)));
        }
        if let Err(error) = crate::project::project(vault, writer, &folded, seq).await {
            let _ = sqlx::query("ROLLBACK").execute(&mut writer.connection).await;
            return Err(error);
        }
    }
    sqlx::query("COMMIT").execute(&mut writer.connection).await?;
    Ok(())
}
