//! What is known of the authors' chains: their ends, forks, and rosters that went back.

use std::collections::{BTreeSet, HashMap};

use logbook::Roster;
use logbook::roster::RosterObject;
use logbook::status::{ChainMarks, chain_marks};
use seal::{DeviceId, EnvelopeId, Link, Signature};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use crate::error::{Result, VaultError};
use crate::store::{Head, Vault, Writer, read, write};

/// Loads roster, heads and marks when a vault is opened.
pub(crate) async fn load(writer: &mut Writer) -> Result<(Roster, ChainMarks)> {
    let mut roster = Roster::new();
    let rows: Vec<(Vec<u8>,)> =
        sqlx::query_as("SELECT bytes FROM roster ORDER BY seq").fetch_all(&mut writer.connection).await?;
    let objects = rows.iter().map(|(bytes,)| RosterObject::decode(bytes));
    let objects: Vec<RosterObject> =
        objects.collect::<std::result::Result<_, _>>().map_err(|_| VaultError::Corrupt("a roster object".into()))?;
    roster.add_all(objects);
    let devices: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT n, id FROM device").fetch_all(&mut writer.connection).await?;
    for (number, id) in devices {
        let id = DeviceId::try_from(id.as_slice()).map_err(|_| VaultError::Corrupt("a device's row".into()))?;
        writer.devices.insert(id, number);
        if let Some(head) = contiguous(&mut writer.connection, number, None).await? {
            writer.heads.insert(id, head);
        }
    }
    let seq: (i64,) = sqlx::query_as(
        "SELECT MAX(IFNULL((SELECT MAX(seq) FROM envelope), 0), IFNULL((SELECT MAX(seq) FROM roster), 0), \
         IFNULL((SELECT MAX(seq) FROM wrap), 0))",
    )
    .fetch_one(&mut writer.connection)
    .await?;
    writer.seq = seq.0;
    let record: (i64,) =
        sqlx::query_as("SELECT IFNULL(MAX(n), 0) + 1 FROM projection").fetch_one(&mut writer.connection).await?;
    writer.next_record = record.0;
    let stale: Option<(String,)> =
        sqlx::query_as("SELECT value FROM setting WHERE name = 'stale'").fetch_optional(&mut writer.connection).await?;
    writer.stale = stale.is_some();
    let marks = all_marks(writer, &roster).await?;
    Ok((roster, marks))
}

/// The end of a chain as far as it is known without a gap, searched from `from` on.
pub(crate) async fn contiguous(at: &mut SqliteConnection, device: i64, from: Option<Head>) -> Result<Option<Head>> {
    let start = from.map_or(0, |head| head.number);
    // The common case, no gap, is answered by two index look-ups.
    let span: (i64, i64) = sqlx::query_as(
        "SELECT IFNULL(MAX(number), 0), COUNT(DISTINCT number) FROM envelope WHERE device = ? AND number > ?",
    )
    .bind(device)
    .bind(start as i64)
    .fetch_one(&mut *at)
    .await?;
    let end = if span.0 - start as i64 == span.1 {
        span.0
    } else {
        let first_gap: (i64,) = sqlx::query_as(
            "SELECT MIN(number) - 1 FROM (SELECT ? + 1 AS number UNION SELECT number + 1 FROM envelope \
             WHERE device = ? AND number > ?) WHERE number NOT IN (SELECT number FROM envelope WHERE device = ?)",
        )
        .bind(start as i64)
        .bind(device)
        .bind(start as i64)
        .bind(device)
        .fetch_one(&mut *at)
        .await?;
        first_gap.0
    };
    if end <= start as i64 {
        return Ok(from);
    }
    let row = sqlx::query("SELECT link FROM envelope WHERE device = ? AND number = ? ORDER BY id LIMIT 1")
        .bind(device)
        .bind(end)
        .fetch_one(at)
        .await?;
    let link = Link::decode(row.try_get("link")?).map_err(|_| VaultError::Corrupt("a link's row".into()))?;
    Ok(Some(Head { number: link.number, id: link.id(), roster: link.roster }))
}

/// All links of one device.
async fn links(at: &mut SqliteConnection, device: i64) -> Result<Vec<Link>> {
    let rows: Vec<(Vec<u8>,)> =
        sqlx::query_as("SELECT link FROM envelope WHERE device = ?").bind(device).fetch_all(at).await?;
    rows.iter().map(|(bytes,)| Link::decode(bytes).map_err(|_| VaultError::Corrupt("a link's row".into()))).collect()
}

/// Marks of every device whose chain looked wrong once.
pub(crate) async fn all_marks(writer: &mut Writer, roster: &Roster) -> Result<ChainMarks> {
    let suspects: Vec<(Vec<u8>,)> =
        sqlx::query_as("SELECT device FROM suspect").fetch_all(&mut writer.connection).await?;
    let mut marks = ChainMarks::default();
    for (id,) in suspects {
        let Ok(id) = DeviceId::try_from(id.as_slice()) else { continue };
        let Some(number) = writer.devices.get(&id).copied() else { continue };
        let found = chain_marks(&links(&mut writer.connection, number).await?, roster);
        marks.forked.extend(found.forked);
        marks.went_back.extend(found.went_back);
    }
    Ok(marks)
}

/// Watches the links of one batch for what a chain must not do.
#[derive(Default)]
pub(crate) struct Watch {
    /// Devices whose chains need a closer look.
    pub suspects: BTreeSet<DeviceId>,
    /// Devices whose heads must be searched anew, because links came out of order.
    pub unordered: BTreeSet<DeviceId>,
    /// Heads moved by links in order.
    pub heads: HashMap<DeviceId, Head>,
}

impl Watch {
    /// Sees a new link. In order and continuing the head is the common case and costs no query.
    pub(crate) async fn see(&mut self, writer: &mut Writer, device: i64, link: &Link, roster: &Roster) -> Result<()> {
        let head = self.heads.get(&link.device).or_else(|| writer.heads.get(&link.device)).copied();
        let next = head.map_or(1, |head| head.number + 1);
        let prev = head.map_or(EnvelopeId([0; 32]), |head| head.id);
        if link.number == next && link.prev == prev {
            if head.is_some_and(|head| head.roster != link.roster && roster.went_back(&head.roster, &link.roster)) {
                self.suspects.insert(link.device);
            }
            self.heads.insert(link.device, Head { number: link.number, id: link.id(), roster: link.roster });
            return Ok(());
        }
        self.unordered.insert(link.device);
        let near: Vec<(i64, Vec<u8>)> =
            sqlx::query_as("SELECT number, link FROM envelope WHERE device = ? AND number BETWEEN ? AND ?")
                .bind(device)
                .bind(link.number as i64 - 1)
                .bind(link.number as i64 + 1)
                .fetch_all(&mut writer.connection)
                .await?;
        let id = link.id();
        for (number, bytes) in near {
            let Ok(other) = Link::decode(&bytes) else { continue };
            let apart = match number as u64 {
                n if n + 1 == link.number => other.id() != link.prev || roster.went_back(&other.roster, &link.roster),
                n if n == link.number => other.id() != id,
                _ => other.prev != id || roster.went_back(&link.roster, &other.roster),
            };
            if apart {
                self.suspects.insert(link.device);
            }
        }
        Ok(())
    }

    /// Settles heads and marks once the rows are in. Gives back whether marks changed.
    pub(crate) async fn settle(self, vault: &Vault, writer: &mut Writer) -> Result<bool> {
        writer.heads.extend(self.heads);
        for id in self.unordered {
            let Some(number) = writer.devices.get(&id).copied() else { continue };
            let from = writer.heads.get(&id).copied();
            if let Some(head) = contiguous(&mut writer.connection, number, from).await? {
                writer.heads.insert(id, head);
            }
        }
        if self.suspects.is_empty() {
            return Ok(false);
        }
        for id in &self.suspects {
            sqlx::query("INSERT OR IGNORE INTO suspect (device) VALUES (?)")
                .bind(id.0.as_slice())
                .execute(&mut writer.connection)
                .await?;
        }
        let roster = vault.roster();
        let marks = all_marks(writer, &roster).await?;
        let changed = *read(&vault.inner.marks).as_ref() != marks;
        *write(&vault.inner.marks) = std::sync::Arc::new(marks);
        Ok(changed)
    }
}

impl Vault {
    /// The end of each device's chain as far as it is known without a gap.
    pub async fn heads(&self) -> Result<Vec<(DeviceId, u64, EnvelopeId)>> {
        let mut guard = self.writer().await?;
        let mut heads: Vec<_> = guard.get()?.heads.iter().map(|(id, head)| (*id, head.number, head.id)).collect();
        heads.sort();
        Ok(heads)
    }

    /// All links known of a device, with their signatures, in the order of its chain.
    pub async fn links_of(&self, device: &DeviceId) -> Result<Vec<(Link, Signature)>> {
        let rows = sqlx::query(
            "SELECT e.link, e.signature, NULL AS body FROM envelope e JOIN device d ON d.n = e.device WHERE d.id = ? \
             ORDER BY e.number, e.id",
        )
        .bind(device.0.as_slice())
        .fetch_all(&self.inner.readers)
        .await?;
        rows.iter()
            .map(|row| crate::rows::envelope_of(row).map(|envelope| (envelope.link, envelope.signature)))
            .collect()
    }

    /// The id of a device's link of a number, if exactly one is known.
    pub async fn link_id(&self, device: &DeviceId, number: u64) -> Result<Option<EnvelopeId>> {
        let rows: Vec<(Vec<u8>,)> = sqlx::query_as(
            "SELECT e.id FROM envelope e JOIN device d ON d.n = e.device WHERE d.id = ? AND e.number = ?",
        )
        .bind(device.0.as_slice())
        .bind(number as i64)
        .fetch_all(&self.inner.readers)
        .await?;
        match rows.as_slice() {
            [(id,)] => Ok(EnvelopeId::try_from(id.as_slice()).ok()),
            _ => Ok(None),
        }
    }
}
