//! What is known of the authors' chains: their ends, forks, and rosters that went back.

use std::collections::{BTreeSet, HashMap};

use logbook::Roster;
use logbook::roster::RosterObject;
use logbook::status::{ChainMarks, chain_marks};
use seal::{DeviceId, EnvelopeId, Link, RosterHash, Signature};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use crate::error::{Result, VaultError};
use crate::store::Vault;
use crate::writer::{Head, Writer};

/// Loads the roster and the marks when a vault is opened.
pub(crate) async fn load(writer: &mut Writer) -> Result<(Roster, ChainMarks)> {
    let mut roster = Roster::new();
    let rows: Vec<(Vec<u8>,)> =
        sqlx::query_as("SELECT bytes FROM roster ORDER BY seq").fetch_all(&mut writer.connection).await?;
    let objects = rows.iter().map(|(bytes,)| RosterObject::decode(bytes));
    let objects: Vec<RosterObject> =
        objects.collect::<std::result::Result<_, _>>().map_err(|_| VaultError::Corrupt("a roster object".into()))?;
    roster.add_all(objects);
    let marks = all_marks(writer, &roster).await?;
    Ok((roster, marks))
}

/// The end of a chain as far as it is known without a gap, searched from `from` on.
pub(crate) async fn contiguous(at: &mut SqliteConnection, device: i64, from: Option<Head>) -> Result<Option<Head>> {
    let start = from.map_or(0, |head| head.number) as i64;
    // Walks the index from the next number on, to the first that has no successor.
    let row = sqlx::query(
        "SELECT e.link FROM envelope e WHERE e.device = ?1 AND e.number > ?2 \
         AND EXISTS (SELECT 1 FROM envelope f WHERE f.device = ?1 AND f.number = ?2 + 1) \
         AND NOT EXISTS (SELECT 1 FROM envelope f WHERE f.device = ?1 AND f.number = e.number + 1) \
         ORDER BY e.number, e.id LIMIT 1",
    )
    .bind(device)
    .bind(start)
    .fetch_optional(at)
    .await?;
    let Some(row) = row else { return Ok(from) };
    let link = Link::decode(row.try_get("link")?).map_err(|_| VaultError::Corrupt("a link's row".into()))?;
    Ok(Some(Head::of(&link)))
}

/// All links of one device.
async fn links(at: &mut SqliteConnection, device: i64) -> Result<Vec<Link>> {
    let rows: Vec<(Vec<u8>,)> =
        sqlx::query_as("SELECT link FROM envelope WHERE device = ?").bind(device).fetch_all(at).await?;
    rows.iter().map(|(bytes,)| Link::decode(bytes).map_err(|_| VaultError::Corrupt("a link's row".into()))).collect()
}

/// Marks of every device whose chain needed a closer look once.
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

/// Remembers that a device's chain needs a closer look.
pub(crate) async fn suspect(writer: &mut Writer, id: &DeviceId) -> Result<()> {
    sqlx::query("INSERT OR IGNORE INTO suspect (device) VALUES (?)")
        .bind(id.0.as_slice())
        .execute(&mut writer.connection)
        .await?;
    Ok(())
}

/// Watches the links of one batch for what a chain must not do.
#[derive(Default)]
pub(crate) struct Watch {
    /// Devices whose chains need a closer look.
    suspects: BTreeSet<DeviceId>,
    /// Devices whose heads must be searched anew, because links came out of order.
    pub unordered: BTreeSet<DeviceId>,
    /// Heads that moved.
    pub heads: HashMap<DeviceId, Head>,
    /// Links of this batch, which the database does not have yet.
    seen: HashMap<(DeviceId, u64), Vec<Link>>,
}

impl Watch {
    /// Sees a new link. In order and continuing the head is the common case and costs no query.
    pub(crate) async fn see(&mut self, writer: &mut Writer, device: i64, link: &Link, roster: &Roster) -> Result<()> {
        let head = self.heads.get(&link.device).or_else(|| writer.heads.get(&link.device)).copied();
        let next = head.map_or(1, |head| head.number + 1);
        let prev = head.map_or(EnvelopeId([0; 32]), |head| head.id);
        // Where later links are known already, they must be looked at too.
        let known_beyond = writer.highest.get(&link.device).is_some_and(|highest| link.number <= *highest);
        let ordered = !known_beyond && !self.unordered.contains(&link.device);
        if link.number == next && link.prev == prev && ordered {
            if head.is_some_and(|head| may_go_back(roster, &head.roster, &link.roster)) {
                self.suspects.insert(link.device);
            }
            self.heads.insert(link.device, Head::of(link));
            self.seen.entry((link.device, link.number)).or_default().push(*link);
            return Ok(());
        }
        self.unordered.insert(link.device);
        let near = sqlx::query("SELECT link FROM envelope WHERE device = ? AND number BETWEEN ? AND ?")
            .bind(device)
            .bind(link.number as i64 - 1)
            // The highest number that a link may have is the highest that fits.
            .bind((link.number as i64).saturating_add(1))
            .fetch_all(&mut writer.connection)
            .await?;
        let mut others: Vec<Link> =
            near.iter().filter_map(|row| Link::decode(row.try_get("link").ok()?).ok()).collect();
        let beside = [link.number.saturating_sub(1), link.number, link.number.saturating_add(1)];
        others.extend(beside.iter().filter_map(|number| self.seen.get(&(link.device, *number))).flatten());
        let head = head.filter(|head| head.number + 1 == link.number);
        let beside = head.is_some_and(|head| head.id != link.prev || may_go_back(roster, &head.roster, &link.roster));
        if beside || others.iter().any(|other| apart(roster, link, other)) {
            self.suspects.insert(link.device);
        }
        self.seen.entry((link.device, link.number)).or_default().push(*link);
        Ok(())
    }

    /// Settles heads and marks once the rows are in. Gives back the marks if there are suspects.
    pub(crate) async fn settle(&mut self, writer: &mut Writer, roster: &Roster) -> Result<Option<ChainMarks>> {
        for id in &self.unordered {
            let Some(number) = writer.devices.get(id).copied() else { continue };
            let from = self.heads.get(id).or_else(|| writer.heads.get(id)).copied();
            if let Some(head) = contiguous(&mut writer.connection, number, from).await? {
                self.heads.insert(*id, head);
            }
        }
        // Of a chain that was suspected before, more links may be marked now.
        let known = !self.unordered.is_empty() || !self.heads.is_empty();
        if self.suspects.is_empty() && !(known && self.any_suspected(writer).await?) {
            return Ok(None);
        }
        for id in &self.suspects {
            suspect(writer, id).await?;
        }
        all_marks(writer, roster).await.map(Some)
    }

    async fn any_suspected(&self, writer: &mut Writer) -> Result<bool> {
        let rows: Vec<(Vec<u8>,)> =
            sqlx::query_as("SELECT device FROM suspect").fetch_all(&mut writer.connection).await?;
        let mut ids = rows.iter().filter_map(|(id,)| DeviceId::try_from(id.as_slice()).ok());
        Ok(ids.any(|id| self.unordered.contains(&id) || self.heads.contains_key(&id)))
    }
}

/// Whether two links of one device contradict each other, or may.
fn apart(roster: &Roster, link: &Link, other: &Link) -> bool {
    if other.number == link.number {
        return other.id() != link.id();
    }
    let (before, after) = if other.number < link.number { (other, link) } else { (link, other) };
    before.number + 1 == after.number
        && (before.id() != after.prev || may_go_back(roster, &before.roster, &after.roster))
}

/// Whether a later link cites an older roster than the one before. Where a view is not here yet, that
/// is not known, and must be looked at again when it comes.
fn may_go_back(roster: &Roster, before: &RosterHash, after: &RosterHash) -> bool {
    before != after
        && match (roster.view(before), roster.view(after)) {
            (Some(before), Some(after)) => !after.is_at_least(before),
            _ => true,
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
        .fetch_all(&mut *self.inner.readers.get().await?)
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
        .fetch_all(&mut *self.inner.readers.get().await?)
        .await?;
        match rows.as_slice() {
            [(id,)] => Ok(EnvelopeId::try_from(id.as_slice()).ok()),
            _ => Ok(None),
        }
    }
}
