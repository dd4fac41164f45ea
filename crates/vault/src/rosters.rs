//! Taking roster objects in, and judging again what they change.

use std::sync::Arc;

use logbook::roster::RosterObject;
use logbook::{Record, Roster};
use seal::{DeviceId, RecordId};

use crate::error::{Result, VaultError};
use crate::rows;
use crate::store::{Grounds, Vault, Writer, write};

/// What came of roster objects.
#[derive(Debug, Clone, Default)]
pub struct RosterOutcome {
    /// New ones, kept.
    pub new: usize,
    /// Known ones.
    pub known: usize,
    /// Why others were refused.
    pub refused: Vec<String>,
    /// Records whose entries were judged again.
    pub touched: Vec<RecordId>,
}

impl Vault {
    /// Takes roster objects in; durable when this returns. Entries that waited for them, or that a
    /// revocation now cuts off, are judged again.
    pub async fn add_roster(&self, objects: Vec<RosterObject>, received_ms: i64) -> Result<RosterOutcome> {
        let mut guard = self.writer().await?;
        let writer = guard.get()?;
        let before = self.roster();
        let mut roster = before.as_ref().clone();
        let given = objects.len();
        let (new, refused) = roster.add_all(objects);
        let mut outcome = RosterOutcome {
            new: new.len(),
            known: given - new.len() - refused.len(),
            refused: refused.iter().map(ToString::to_string).collect(),
            touched: Vec::new(),
        };
        if new.is_empty() {
            return Ok(outcome);
        }
        let first = writer.seq + 1;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut writer.connection).await?;
        let stored = self.store_roster(writer, &new, &before, Arc::new(roster), first, received_ms).await;
        match stored {
            Ok(records) => {
                writer.seq = first + new.len() as i64 - 1;
                outcome.touched = records.iter().map(|record| record.id()).collect();
                for record in records {
                    self.keep_open(record);
                }
                self.announce(outcome.touched.clone(), writer.seq);
                Ok(outcome)
            }
            Err(error) => {
                let _ = sqlx::query("ROLLBACK").execute(&mut writer.connection).await;
                *write(&self.inner.roster) = before;
                Err(error)
            }
        }
    }

    async fn store_roster(
        &self,
        writer: &mut Writer,
        new: &[RosterObject],
        before: &Roster,
        roster: Arc<Roster>,
        first: i64,
        received_ms: i64,
    ) -> Result<Vec<Arc<Record>>> {
        for (seq, object) in (first..).zip(new) {
            sqlx::query("INSERT OR IGNORE INTO roster (seq, id, bytes, received_ms) VALUES (?, ?, ?, ?)")
                .bind(seq)
                .bind(object.id().0.to_vec())
                .bind(object.encode())
                .bind(received_ms)
                .execute(&mut writer.connection)
                .await?;
        }
        *write(&self.inner.roster) = roster.clone();
        let marks = crate::chain::all_marks(writer, &roster).await?;
        *write(&self.inner.marks) = Arc::new(marks);
        let grounds = Grounds::of(self);
        let affected = affected(writer, before, &roster).await?;
        let records = judge(self, writer, &grounds, &affected, first + new.len() as i64 - 1).await?;
        sqlx::query("COMMIT").execute(&mut writer.connection).await?;
        Ok(records)
    }
}

/// Records with entries that wait, records with entries beyond a cut that moved, and those with
/// entries of a device whose roles changed.
async fn affected(writer: &mut Writer, before: &Roster, after: &Roster) -> Result<Vec<(i64, RecordId)>> {
    let mut found: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT n, record FROM projection WHERE waiting > 0 OR kind = 'none'")
            .fetch_all(&mut writer.connection)
            .await?;
    let moved: Vec<(DeviceId, u64)> = after
        .devices()
        .filter_map(|device| {
            let cut = after.cut(&device.id)?;
            let number = cut.map_or(0, |cut| cut.number);
            let same = before.cut(&device.id).is_some_and(|held| held.map_or(0, |cut| cut.number) == number);
            (!same).then_some((device.id, number))
        })
        .collect();
    // A role that was taken away binds the entries after its cut, whatever roster they cite.
    let changed =
        after.devices().filter(|device| before.device(&device.id).is_some_and(|held| held.roles != device.roles));
    let changed = changed.map(|device| (device.id, 0));
    for (id, number) in moved.into_iter().chain(changed) {
        let Some(device) = writer.devices.get(&id).copied() else { continue };
        let more: Vec<(i64, Vec<u8>)> = sqlx::query_as(
            "SELECT DISTINCT p.n, p.record FROM envelope e JOIN projection p ON p.n = e.record \
             WHERE e.device = ? AND e.number > ?",
        )
        .bind(device)
        .bind(number as i64)
        .fetch_all(&mut writer.connection)
        .await?;
        found.extend(more);
    }
    named(found)
}

fn named(rows: Vec<(i64, Vec<u8>)>) -> Result<Vec<(i64, RecordId)>> {
    let mut records = rows
        .into_iter()
        .map(|(number, id)| {
            Ok((number, RecordId::try_from(id.as_slice()).map_err(|_| VaultError::Corrupt("a record's row".into()))?))
        })
        .collect::<Result<Vec<_>>>()?;
    records.sort();
    records.dedup();
    Ok(records)
}

/// Judges and projects records again.
async fn judge(
    vault: &Vault,
    writer: &mut Writer,
    grounds: &Grounds,
    records: &[(i64, RecordId)],
    seq: i64,
) -> Result<Vec<Arc<Record>>> {
    let mut judged = Vec::with_capacity(records.len());
    for (number, id) in records {
        vault.forget_open(id);
        let record = rows::load(&mut writer.connection, id, *number, i64::MAX, grounds).await?;
        judged.push((*number, Arc::new(record)));
    }
    crate::project::forget(writer, &records.iter().map(|(_, id)| *id).collect::<Vec<_>>());
    crate::project::project(vault, writer, &judged, seq).await?;
    Ok(judged.into_iter().map(|(_, record)| record).collect())
}

/// Judges the records of every device whose chain looked wrong once.
pub(crate) async fn judge_suspects(
    vault: &Vault,
    writer: &mut Writer,
    grounds: &Grounds,
    seq: i64,
) -> Result<Vec<Arc<Record>>> {
    let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(
        "SELECT DISTINCT p.n, p.record FROM suspect s JOIN device d ON d.id = s.device \
         JOIN envelope e ON e.device = d.n JOIN projection p ON p.n = e.record",
    )
    .fetch_all(&mut writer.connection)
    .await?;
    let records = named(rows)?;
    judge(vault, writer, grounds, &records, seq).await
}
