//! Taking roster objects in, and judging again what they change.

use std::collections::BTreeMap;
use std::sync::Arc;

use logbook::Roster;
use logbook::roster::{ChainAction, Cut, RosterObject};
use seal::{DeviceId, RecordId};

use crate::error::Result;
use crate::project::Touched;
use crate::rows;
use crate::store::{Grounds, Vault};
use crate::writer::Writer;

/// Records folded at once when many are judged again: some 100 KiB each.
const TOGETHER: usize = 100;

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
    /// revocation now cuts off, are judged again. A caller that goes away meanwhile breaks nothing off.
    pub async fn add_roster(&self, objects: Vec<RosterObject>, received_ms: i64) -> Result<RosterOutcome> {
        let vault = self.clone();
        self.wholly(async move {
            let mut guard = vault.writer().await?;
            vault.take_roster(guard.get()?, objects, received_ms).await
        })
        .await
    }

    async fn take_roster(
        &self,
        writer: &mut Writer,
        objects: Vec<RosterObject>,
        received_ms: i64,
    ) -> Result<RosterOutcome> {
        let before = self.roster();
        let mut roster = before.as_ref().clone();
        let given = objects.len();
        let (new, refused) = roster.add_all(objects);
        let mut outcome = RosterOutcome {
            new: new.len(),
            known: given.saturating_sub(new.len() + refused.len()),
            refused: refused.iter().map(ToString::to_string).collect(),
            touched: Vec::new(),
        };
        if new.is_empty() {
            return Ok(outcome);
        }
        writer.begin().await?;
        let mut grounds = Grounds { roster: Arc::new(roster), ..Grounds::of(self) };
        match self.store_roster(writer, &new, &before, &mut grounds, received_ms).await {
            Ok(touched) => {
                grounds.establish(self);
                outcome.touched = touched;
                self.announce(outcome.touched.clone(), writer.tally.seq);
                Ok(outcome)
            }
            Err(error) => {
                // The first failure is the one to tell; one of undoing shows itself at the next use.
                let _ = writer.undo().await;
                Err(error)
            }
        }
    }

    async fn store_roster(
        &self,
        writer: &mut Writer,
        new: &[RosterObject],
        before: &Roster,
        grounds: &mut Grounds,
        received_ms: i64,
    ) -> Result<Vec<RecordId>> {
        let mut tally = writer.tally;
        for object in new {
            tally.seq += 1;
            sqlx::query("INSERT OR IGNORE INTO roster (seq, id, bytes, received_ms) VALUES (?, ?, ?, ?)")
                .bind(tally.seq)
                .bind(object.id().0.to_vec())
                .bind(object.encode())
                .bind(received_ms)
                .execute(&mut writer.connection)
                .await?;
        }
        let moved = moved(before, &grounds.roster, new, writer);
        for id in moved.keys() {
            // A cut names a branch: a chain that does not go through it forks there.
            crate::chain::suspect(writer, id).await?;
        }
        let marks = crate::chain::all_marks(writer, &grounds.roster).await?;
        let forks = marks != *grounds.marks;
        grounds.marks = Arc::new(marks);
        let mut affected = affected(writer, &moved).await?;
        if forks {
            affected.extend(suspected(writer).await?);
            affected.sort();
            affected.dedup();
        }
        judge(self, writer, grounds, &affected, tally.seq).await?;
        writer.commit(tally, &std::collections::HashMap::new()).await?;
        Ok(affected.into_iter().map(|(_, id)| id).collect())
    }
}

/// What the roster says of a device, as far as it decides over its entries beyond the roles in the
/// view that they cite.
fn says(roster: &Roster, id: &DeviceId) -> Option<(String, String, Option<Option<Cut>>)> {
    let device = roster.device(id)?;
    let agency = roster.agency(&device.agency);
    let who = format!("{} {} {:?}", device.agency, device.operator, agency.map(|a| (a.record.kind, a.contested)));
    Some((who, device.agency.to_string(), roster.cut(id)))
}

/// Devices of which the roster now says something else, and from which number of their entries on that
/// makes a difference: the entry at a cut stands or falls with the branch that the cut names.
fn moved(before: &Roster, after: &Roster, new: &[RosterObject], writer: &Writer) -> BTreeMap<DeviceId, u64> {
    let mut moved = BTreeMap::new();
    for id in writer.devices.keys() {
        match (says(before, id), says(after, id)) {
            (Some((was, _, cut_was)), Some((is, _, cut_is))) if was == is => {
                if cut_was != cut_is {
                    let numbers = [cut_was, cut_is].into_iter().flatten().map(|cut| cut.map_or(0, |cut| cut.number));
                    moved.insert(*id, numbers.min().unwrap_or(0));
                }
            }
            (None, None) => {}
            _ => {
                moved.insert(*id, 0);
            }
        }
    }
    // Roles that end with a cut end for entries that cite an older roster too.
    for object in new {
        let RosterObject::Chain(signed) = object else { continue };
        let Ok(entry) = logbook::roster::ChainEntry::parse(&signed.body) else { continue };
        if let ChainAction::Roles(roles) = entry.action
            && let Some(cut) = roles.cut
        {
            let held = moved.entry(roles.device).or_insert(cut.number);
            *held = cut.number.min(*held);
        }
    }
    moved
}

/// Records with entries that wait, and records with entries of devices that moved.
async fn affected(writer: &mut Writer, moved: &BTreeMap<DeviceId, u64>) -> Result<Vec<(i64, RecordId)>> {
    let mut found: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT n, record FROM projection WHERE waiting > 0 OR kind = 'none'")
            .fetch_all(&mut writer.connection)
            .await?;
    for (id, number) in moved {
        let Some(device) = writer.devices.get(id).copied() else { continue };
        let more: Vec<(i64, Vec<u8>)> = sqlx::query_as(
            "SELECT DISTINCT p.n, p.record FROM envelope e JOIN projection p ON p.n = e.record \
             WHERE e.device = ? AND e.number >= ?",
        )
        .bind(device)
        .bind(*number as i64)
        .fetch_all(&mut writer.connection)
        .await?;
        found.extend(more);
    }
    named(found)
}

/// Records of every device whose chain needed a closer look once.
async fn suspected(writer: &mut Writer) -> Result<Vec<(i64, RecordId)>> {
    let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(
        "SELECT DISTINCT p.n, p.record FROM suspect s JOIN device d ON d.id = s.device \
         JOIN envelope e ON e.device = d.n JOIN projection p ON p.n = e.record",
    )
    .fetch_all(&mut writer.connection)
    .await?;
    named(rows)
}

fn named(rows: Vec<(i64, Vec<u8>)>) -> Result<Vec<(i64, RecordId)>> {
    let mut records =
        rows.into_iter().map(|(number, id)| Ok((number, rows::record_id(&id)?))).collect::<Result<Vec<_>>>()?;
    records.sort();
    records.dedup();
    Ok(records)
}

/// Judges and projects records again, a part at a time, so that a revoked device's ten thousand
/// records do not have to fit into memory together.
pub(crate) async fn judge(
    vault: &Vault,
    writer: &mut Writer,
    grounds: &Grounds,
    records: &[(i64, RecordId)],
    seq: i64,
) -> Result<()> {
    for part in records.chunks(TOGETHER) {
        let mut judged = Vec::with_capacity(part.len());
        for (number, id) in part {
            vault.take_open(id);
            let record = rows::load(&mut writer.connection, id, *number, i64::MAX, grounds).await?;
            judged.push(Touched { number: *number, fresh: false, record: Arc::new(record) });
        }
        crate::project::project(vault, writer, &judged, seq).await?;
    }
    Ok(())
}

/// Judges the records of every device whose chain needed a closer look once; gives back which.
pub(crate) async fn judge_suspects(
    vault: &Vault,
    writer: &mut Writer,
    grounds: &Grounds,
    seq: i64,
) -> Result<Vec<RecordId>> {
    let records = suspected(writer).await?;
    judge(vault, writer, grounds, &records, seq).await?;
    Ok(records.into_iter().map(|(_, id)| id).collect())
}
