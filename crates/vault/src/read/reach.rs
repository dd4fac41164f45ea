//! What a device could read, as far as keys are known here; and what it wrote.

use std::collections::BTreeSet;

use logbook::AgencyId;
use logbook::record_state::Audience;
use seal::{DeviceId, EnvelopeId, RecordId, RecordKey};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::error::{Result, VaultError};
use crate::project::spell;
use crate::rows::{envelope_of, record_id};
use crate::store::Vault;

/// Entries opened in one go while their times are looked at.
const TOGETHER: i64 = 500;

/// Why a device could read a record: the first that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// It wrote in it, so it had its key.
    Wrote,
    /// A key of it was wrapped to the device itself.
    Granted,
    /// It is its agency's own, and a key of it was wrapped to the agency.
    Own,
    /// Another agency's, given to its agency.
    Given,
}

impl Why {
    /// Its code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Wrote => "wrote",
            Self::Granted => "granted",
            Self::Own => "own",
            Self::Given => "given",
        }
    }
    fn of(number: i64) -> Self {
        match number {
            0 => Self::Wrote,
            1 => Self::Granted,
            2 => Self::Own,
            _ => Self::Given,
        }
    }
}

/// Whose reach.
#[derive(Debug, Clone)]
pub struct ReachQuery {
    /// The device.
    pub device: DeviceId,
    /// Its agency.
    pub agency: AgencyId,
    /// Whether it holds its agency's key.
    pub agency_key: bool,
    /// What was recorded after this time is counted and not listed, milliseconds.
    pub until_ms: i64,
    /// At most so many records.
    pub limit: u32,
    /// After so many.
    pub offset: u32,
}

/// A record within reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// The record.
    pub record: RecordId,
    /// Its reference.
    pub reference: String,
    /// In one line, as known here.
    pub summary: String,
    /// `incident`, `complaint`, `brief` or `sealed-part`.
    pub kind: String,
    /// The owner.
    pub owner: String,
    /// How many exhibits.
    pub exhibits: u64,
    /// When it was recorded, milliseconds.
    pub created_ms: i64,
    /// Why it could be read.
    pub why: Why,
}

/// Records of one owner within reach for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachedOf {
    /// Why.
    pub why: Why,
    /// The owner.
    pub owner: String,
    /// How many.
    pub records: u64,
    /// Exhibits in them.
    pub exhibits: u64,
}

/// What a device could read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Counted by reason and owner: all of it.
    pub counted: Vec<ReachedOf>,
    /// A page, newest first.
    pub rows: Vec<Reached>,
    /// Recorded after `ReachQuery::until_ms`.
    pub later: u64,
    /// Records of which a key was wrapped to it or its agency, and which are not here.
    pub absent: u64,
}

/// A link of a device's chain, with what is known of its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The number in the chain.
    pub number: u64,
    /// Its id.
    pub envelope: EnvelopeId,
    /// The record and its reference, where the body could be opened; no reference where none is valid.
    pub record: Option<(RecordId, String)>,
    /// When, by its author's clock: milliseconds and minutes east of UTC, where the body could be opened.
    pub wall: Option<(i64, i16)>,
}

// One pass over the records; what is bound: device, its two spellings as a recipient, its agency.
macro_rules! reach {
    ($tail:literal) => {
        concat!(
            "WITH wrote AS (SELECT DISTINCT e.record FROM envelope e \
               WHERE e.device = (SELECT n FROM device WHERE id = ?1) AND e.record IS NOT NULL), \
             wrapped AS (SELECT DISTINCT record, who FROM wrap WHERE who IN (?2, ?3)), \
             reach AS (SELECT p.*, CASE \
               WHEN p.n IN (SELECT record FROM wrote) THEN 0 \
               WHEN p.record IN (SELECT record FROM wrapped WHERE who = ?2) \
                 OR EXISTS (SELECT 1 FROM audience a WHERE a.record = p.n AND a.who = ?2) THEN 1 \
               WHEN p.record IN (SELECT record FROM wrapped WHERE who = ?3) \
                 OR EXISTS (SELECT 1 FROM audience a WHERE a.record = p.n AND a.who = ?3) \
                 THEN CASE WHEN p.owner = ?4 THEN 2 ELSE 3 END END AS why \
               FROM projection p WHERE p.kind <> 'none') ",
            $tail
        )
    };
}

impl Vault {
    /// What a device could read by the keys that are known here: not what it did read. A grant that was
    /// ended since counts, because what was given before cannot be recalled.
    pub async fn reach(&self, query: &ReachQuery) -> Result<Reach> {
        let device = query.device.0.as_slice();
        let own = spell(&Audience::Device(query.device));
        let agency = spell(&Audience::Agency(query.agency.clone()));
        // No recipient is spelt like nothing.
        let agency = if query.agency_key { agency.as_str() } else { "" };
        let mut connection = self.inner.readers.get().await?;
        let counted: Vec<(i64, String, i64, i64)> = sqlx::query_as(reach!(
            "SELECT why, owner, COUNT(*), SUM(exhibits) FROM reach WHERE why IS NOT NULL AND created_ms <= ?5 \
             GROUP BY why, owner ORDER BY why, owner"
        ))
        .bind(device)
        .bind(&own)
        .bind(agency)
        .bind(query.agency.as_str())
        .bind(query.until_ms)
        .fetch_all(&mut *connection)
        .await?;
        let rows = sqlx::query(reach!(
            "SELECT record, reference, summary, kind, owner, exhibits, created_ms, why FROM reach \
             WHERE why IS NOT NULL AND created_ms <= ?5 ORDER BY created_ms DESC, record LIMIT ?6 OFFSET ?7"
        ))
        .bind(device)
        .bind(&own)
        .bind(agency)
        .bind(query.agency.as_str())
        .bind(query.until_ms)
        .bind(query.limit)
        .bind(query.offset)
        .fetch_all(&mut *connection)
        .await?;
        let (later, absent): (i64, i64) = sqlx::query_as(reach!(
            "SELECT (SELECT COUNT(*) FROM reach WHERE why IS NOT NULL AND created_ms > ?5), \
             (SELECT COUNT(DISTINCT record) FROM wrapped WHERE record NOT IN (SELECT record FROM projection))"
        ))
        .bind(device)
        .bind(&own)
        .bind(agency)
        .bind(query.agency.as_str())
        .bind(query.until_ms)
        .fetch_one(&mut *connection)
        .await?;
        Ok(Reach {
            counted: counted
                .into_iter()
                .map(|(why, owner, records, exhibits)| ReachedOf {
                    why: Why::of(why),
                    owner,
                    records: records as u64,
                    exhibits: exhibits as u64,
                })
                .collect(),
            rows: rows.iter().map(reached).collect::<Result<_>>()?,
            later: later as u64,
            absent: absent as u64,
        })
    }

    /// How many links of a device are known here: all, and those beyond the cut (number, head).
    /// `None` as a cut accepts nothing.
    pub async fn written_count(&self, device: &DeviceId, cut: Option<(u64, EnvelopeId)>) -> Result<(u64, u64)> {
        let (number, head) = bounds(cut);
        let (all, beyond): (i64, i64) = sqlx::query_as(
            "SELECT COUNT(*), IFNULL(SUM(number > ?2 OR (number = ?2 AND id <> ?3)), 0) FROM envelope \
             WHERE device = (SELECT n FROM device WHERE id = ?1)",
        )
        .bind(device.0.as_slice())
        .bind(number)
        .bind(head)
        .fetch_one(&mut *self.inner.readers.get().await?)
        .await?;
        Ok((all as u64, beyond as u64))
    }

    /// Links of a device beyond a cut, in the order of its chain: at most so many.
    pub async fn written_beyond(
        &self,
        device: &DeviceId,
        cut: Option<(u64, EnvelopeId)>,
        limit: u32,
    ) -> Result<Vec<Written>> {
        let (number, head) = bounds(cut);
        let rows = sqlx::query(concat!(
            "SELECT e.number, e.id, e.link, e.signature, e.body, k.bytes, p.record, p.reference FROM envelope e ",
            "LEFT JOIN key k ON k.id = e.key LEFT JOIN projection p ON p.n = e.record ",
            "WHERE e.device = (SELECT n FROM device WHERE id = ?1) ",
            "AND (e.number > ?2 OR (e.number = ?2 AND e.id <> ?3)) ORDER BY e.number, e.id LIMIT ?4",
        ))
        .bind(device.0.as_slice())
        .bind(number)
        .bind(head)
        .bind(limit)
        .fetch_all(&mut *self.inner.readers.get().await?)
        .await?;
        rows.iter().map(written).collect()
    }

    /// A device's link of a number, where one is known; of a fork the first.
    pub async fn written_at(&self, device: &DeviceId, number: u64) -> Result<Option<Written>> {
        let rows = sqlx::query(concat!(
            "SELECT e.number, e.id, e.link, e.signature, e.body, k.bytes, p.record, p.reference FROM envelope e ",
            "LEFT JOIN key k ON k.id = e.key LEFT JOIN projection p ON p.n = e.record ",
            "WHERE e.device = (SELECT n FROM device WHERE id = ?1) AND e.number = ?2 ORDER BY e.id LIMIT 1",
        ))
        .bind(device.0.as_slice())
        .bind(signed(number))
        .fetch_optional(&mut *self.inner.readers.get().await?)
        .await?;
        rows.as_ref().map(written).transpose()
    }

    /// The highest number that is known of a device's chain, gaps or not.
    pub async fn written_last(&self, device: &DeviceId) -> Result<Option<u64>> {
        let (number,): (Option<i64>,) =
            sqlx::query_as("SELECT MAX(number) FROM envelope WHERE device = (SELECT n FROM device WHERE id = ?)")
                .bind(device.0.as_slice())
                .fetch_one(&mut *self.inner.readers.get().await?)
                .await?;
        Ok(number.map(|number| number as u64))
    }

    /// The first link of a device that may have been written at or after a time. What came here before
    /// that time was written before; of the rest the author's clock decides, and what cannot be opened
    /// here is in doubt.
    pub async fn doubtful_from(&self, device: &DeviceId, since_ms: i64) -> Result<Option<u64>> {
        let mut after = 0;
        loop {
            let rows = sqlx::query(concat!(
                "SELECT e.number, e.id, e.link, e.signature, e.body, k.bytes, NULL AS record, NULL AS reference ",
                "FROM envelope e LEFT JOIN key k ON k.id = e.key ",
                "WHERE e.device = (SELECT n FROM device WHERE id = ?1) AND e.number > ?2 AND e.received_ms >= ?3 ",
                "ORDER BY e.number LIMIT ?4",
            ))
            .bind(device.0.as_slice())
            .bind(after)
            .bind(since_ms)
            .bind(TOGETHER)
            .fetch_all(&mut *self.inner.readers.get().await?)
            .await?;
            for row in &rows {
                let found = written(row)?;
                if found.wall.is_none_or(|(wall_ms, _)| wall_ms >= since_ms) {
                    return Ok(Some(found.number));
                }
                after = signed(found.number);
            }
            if (rows.len() as i64) < TOGETHER {
                return Ok(None);
            }
        }
    }

    /// Records that hold something of a device beyond its cut.
    pub async fn records_beyond(
        &self,
        device: &DeviceId,
        cut: Option<(u64, EnvelopeId)>,
    ) -> Result<BTreeSet<RecordId>> {
        let (number, head) = bounds(cut);
        let rows: Vec<(Vec<u8>,)> = sqlx::query_as(
            "SELECT DISTINCT p.record FROM envelope e JOIN projection p ON p.n = e.record \
             WHERE e.device = (SELECT n FROM device WHERE id = ?1) AND (e.number > ?2 OR (e.number = ?2 AND e.id <> ?3))",
        )
        .bind(device.0.as_slice())
        .bind(number)
        .bind(head)
        .fetch_all(&mut *self.inner.readers.get().await?)
        .await?;
        rows.iter().map(|(id,)| record_id(id)).collect()
    }

    /// When each device's newest link came here, milliseconds.
    pub async fn last_heard(&self) -> Result<Vec<(DeviceId, i64)>> {
        let rows: Vec<(Vec<u8>, Option<i64>)> = sqlx::query_as(
            "SELECT d.id, (SELECT e.received_ms FROM envelope e WHERE e.device = d.n ORDER BY e.number DESC LIMIT 1) \
             FROM device d",
        )
        .fetch_all(&mut *self.inner.readers.get().await?)
        .await?;
        let damaged = |_| VaultError::Corrupt("a device's row".into());
        let heard = rows.into_iter().filter_map(|(id, at)| at.map(|at| (id, at)));
        heard.map(|(id, at)| Ok((DeviceId::try_from(id.as_slice()).map_err(damaged)?, at))).collect()
    }
}

/// A number of a chain as the database has it; the highest that a link may have is the highest that fits.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn bounds(cut: Option<(u64, EnvelopeId)>) -> (i64, Vec<u8>) {
    cut.map_or((0, Vec::new()), |(number, head)| (signed(number), head.0.to_vec()))
}

fn reached(row: &SqliteRow) -> Result<Reached> {
    Ok(Reached {
        record: record_id(row.try_get("record")?)?,
        reference: row.try_get("reference")?,
        summary: row.try_get("summary")?,
        kind: row.try_get("kind")?,
        owner: row.try_get("owner")?,
        exhibits: row.try_get::<i64, _>("exhibits")? as u64,
        created_ms: row.try_get("created_ms")?,
        why: Why::of(row.try_get("why")?),
    })
}

fn written(row: &SqliteRow) -> Result<Written> {
    let damaged = || VaultError::Corrupt("an envelope's row".into());
    let envelope = envelope_of(row)?;
    let key: Option<&[u8]> = row.try_get("bytes")?;
    let key = key.map(<[u8; 32]>::try_from).transpose().map_err(|_| VaultError::Corrupt("a key's row".into()))?;
    // What does not open says nothing of its time; the check of the vault says that it does not.
    let opened = key.map(RecordKey::from_bytes).and_then(|key| envelope.open(&key).ok());
    let record: Option<&[u8]> = row.try_get("record")?;
    let record = record.map(record_id).transpose()?;
    let reference: Option<String> = row.try_get("reference")?;
    Ok(Written {
        number: row.try_get::<i64, _>("number")? as u64,
        envelope: EnvelopeId::try_from(row.try_get::<&[u8], _>("id")?).map_err(|_| damaged())?,
        record: record.zip(reference),
        wall: opened.map(|opened| (opened.header.wall_ms, opened.header.offset_min)),
    })
}
