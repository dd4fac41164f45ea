//! Reading: records, names, referrals, numbers.

mod list;
mod points;
mod reach;

use std::sync::Arc;

use logbook::{AgencyId, Record};
use seal::{EntryId, EnvelopeId, RecordId, RecordKey};
use sqlx::Row as _;

use crate::error::{Result, VaultError};
use crate::rows;
use crate::store::{Grounds, Vault};

pub use list::{Counts, ListQuery, Page, Row, RowReferral, View};
pub use points::{Point, Points};
pub use reach::{Reach, ReachQuery, Reached, ReachedOf, Why, Written};

/// Which referrals.
#[derive(Debug, Clone)]
pub struct ReferralQuery {
    /// This agency.
    pub agency: AgencyId,
    /// Those to it.
    pub inbox: bool,
    /// Those from it.
    pub outbox: bool,
    /// Those whose id begins with this, lowercase hex.
    pub named: Option<String>,
}

impl ReferralQuery {
    /// All referrals to and from an agency.
    pub fn all(agency: &AgencyId) -> Self {
        Self { agency: agency.clone(), inbox: true, outbox: true, named: None }
    }
}

/// A referral in a list.
#[derive(Debug, Clone)]
pub struct ReferralRow {
    /// The record.
    pub record: RecordId,
    /// The record's reference.
    pub reference: String,
    /// The referral: the entry that offered it.
    pub entry: EntryId,
    /// The state.
    pub state: String,
}

/// Sizes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Opened entries.
    pub entries: u64,
    /// Links.
    pub links: u64,
    /// Records.
    pub records: u64,
    /// The commit order reached.
    pub seq: i64,
}

impl Vault {
    async fn number_of(&self, id: &RecordId) -> Result<Option<i64>> {
        let row: Option<(i64,)> = sqlx::query_as("SELECT n FROM projection WHERE record = ?")
            .bind(id.0.as_slice())
            .fetch_optional(&mut *self.inner.readers.get().await?)
            .await?;
        Ok(row.map(|(number,)| number))
    }

    /// A record, folded.
    pub async fn record(&self, id: &RecordId) -> Result<Option<Arc<Record>>> {
        if let Some(open) = self.cached(id) {
            return Ok(Some(open));
        }
        let Some(number) = self.number_of(id).await? else { return Ok(None) };
        // Through the writer, so that what is cached is what the last commit left.
        let mut guard = self.writer().await?;
        let grounds = Grounds::of(self);
        let record = Arc::new(rows::load(&mut guard.get()?.connection, id, number, i64::MAX, &grounds).await?);
        self.keep_open(record.clone());
        Ok(Some(record))
    }

    /// A record as this vault held it then: entries received or made by `received_until_ms`.
    pub async fn record_as_of(&self, id: &RecordId, received_until_ms: i64) -> Result<Option<Record>> {
        let Some(number) = self.number_of(id).await? else { return Ok(None) };
        let mut connection = self.inner.readers.get().await?;
        Ok(Some(rows::load(&mut connection, id, number, received_until_ms, &Grounds::of(self)).await?))
    }

    /// Entries of this device between two times by its clock, the last ones first: how many there are,
    /// and at most so many of them.
    pub async fn own_between(
        &self,
        from_ms: i64,
        to_ms: i64,
        limit: u32,
    ) -> Result<(u64, Vec<(RecordId, EnvelopeId)>)> {
        let mut connection = self.inner.readers.get().await?;
        let (total,): (i64,) = sqlx::query_as(
            "SELECT COUNT(*) FROM envelope WHERE origin = 0 AND record IS NOT NULL AND received_ms >= ? AND received_ms < ?",
        )
        .bind(from_ms)
        .bind(to_ms)
        .fetch_one(&mut *connection)
        .await?;
        let rows: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
            "SELECT p.record, e.id FROM envelope e JOIN projection p ON p.n = e.record \
             WHERE e.origin = 0 AND e.received_ms >= ? AND e.received_ms < ? ORDER BY e.seq DESC LIMIT ?",
        )
        .bind(from_ms)
        .bind(to_ms)
        .bind(limit)
        .fetch_all(&mut *connection)
        .await?;
        let damaged = |_| VaultError::Corrupt("an envelope's row".into());
        let read = |(record, id): (Vec<u8>, Vec<u8>)| {
            let record = RecordId::try_from(record.as_slice()).map_err(damaged)?;
            Ok((record, EnvelopeId::try_from(id.as_slice()).map_err(damaged)?))
        };
        Ok((total as u64, rows.into_iter().map(read).collect::<Result<_>>()?))
    }

    /// The keys of a record, oldest first.
    pub async fn record_keys(&self, id: &RecordId) -> Result<Vec<RecordKey>> {
        let mut connection = self.inner.readers.get().await?;
        rows::keys_of(&mut connection, id).await
    }

    /// The records that a name may mean: an exact reference or id, else a unique prefix of either.
    pub async fn resolve(&self, name: &str) -> Result<Vec<RecordId>> {
        if let Ok(id) = name.parse::<RecordId>()
            && self.number_of(&id).await?.is_some()
        {
            return Ok(vec![id]);
        }
        let exact = self.ids("SELECT record FROM projection WHERE reference = ? LIMIT 20", name).await?;
        if !exact.is_empty() || name.len() < 4 {
            return Ok(exact);
        }
        let prefix: String = name.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_") + "%";
        self.ids(
            "SELECT record FROM projection WHERE reference LIKE ?1 ESCAPE '\\' OR LOWER(HEX(record)) LIKE ?1 ESCAPE '\\' LIMIT 20",
            &prefix,
        )
        .await
    }

    async fn ids(&self, query: &'static str, value: &str) -> Result<Vec<RecordId>> {
        let rows: Vec<(Vec<u8>,)> =
            sqlx::query_as(query).bind(value).fetch_all(&mut *self.inner.readers.get().await?).await?;
        rows.iter().map(|(id,)| rows::record_id(id)).collect()
    }

    /// Referrals to and from an agency, newest first.
    pub async fn referrals(&self, query: &ReferralQuery) -> Result<Vec<ReferralRow>> {
        let agency = query.agency.as_str();
        let rows = sqlx::query(
            "SELECT p.record, p.reference, r.entry, r.state FROM referral r JOIN projection p ON p.n = r.record \
             WHERE ((?1 AND r.asked = ?3) OR (?2 AND r.asker = ?3)) \
             AND (?4 IS NULL OR substr(lower(hex(r.entry)), 1, length(?4)) = ?4) ORDER BY r.offered_ms DESC LIMIT 10000",
        )
        .bind(query.inbox)
        .bind(query.outbox)
        .bind(agency)
        .bind(query.named.as_deref())
        .fetch_all(&mut *self.inner.readers.get().await?)
        .await?;
        let damaged = |_| VaultError::Corrupt("a referral's row".into());
        rows.iter()
            .map(|row| {
                Ok(ReferralRow {
                    record: RecordId::try_from(row.try_get::<&[u8], _>("record")?).map_err(damaged)?,
                    reference: row.try_get("reference")?,
                    entry: EntryId::try_from(row.try_get::<&[u8], _>("entry")?).map_err(damaged)?,
                    state: row.try_get("state")?,
                })
            })
            .collect()
    }

    /// Referrals to an agency that were offered and that it has not answered in any way: (record, entry).
    pub async fn offered_to(&self, agency: &AgencyId) -> Result<Vec<(RecordId, EntryId)>> {
        let rows: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
            "SELECT p.record, r.entry FROM referral r JOIN projection p ON p.n = r.record \
             WHERE r.asked = ? AND r.state = 'offered'",
        )
        .bind(agency.as_str())
        .fetch_all(&mut *self.inner.readers.get().await?)
        .await?;
        let damaged = |_| VaultError::Corrupt("a referral's row".into());
        rows.iter()
            .map(|(record, entry)| {
                let entry = EntryId::try_from(entry.as_slice()).map_err(damaged)?;
                Ok((rows::record_id(record)?, entry))
            })
            .collect()
    }

    /// The next number of references with this prefix on this device; never given twice.
    pub async fn next_reference_number(&self, prefix: &str) -> Result<u32> {
        self.take_reference_numbers(prefix, 1).await
    }

    /// Takes `count` numbers at once; gives the first.
    pub async fn take_reference_numbers(&self, prefix: &str, count: u32) -> Result<u32> {
        let mut guard = self.writer().await?;
        let writer = guard.get()?;
        writer.settle().await?;
        // The first time, numbers that others gave with this prefix are skipped.
        let seen: (i64,) = sqlx::query_as(
            "SELECT IFNULL((SELECT last FROM reference_number WHERE prefix = ?1), \
             (SELECT COUNT(*) FROM projection WHERE reference >= ?1 || '-' AND reference < ?1 || '.'))",
        )
        .bind(prefix)
        .fetch_one(&mut writer.connection)
        .await?;
        sqlx::query("INSERT OR REPLACE INTO reference_number (prefix, last) VALUES (?, ?)")
            .bind(prefix)
            .bind(seen.0 + i64::from(count))
            .execute(&mut writer.connection)
            .await?;
        Ok((seen.0 + 1) as u32)
    }

    /// The record that was imported from a source's id.
    pub async fn known_source(&self, source_id: &str) -> Result<Option<RecordId>> {
        Ok(self.ids("SELECT record FROM projection WHERE source_id = ? LIMIT 1", source_id).await?.pop())
    }

    /// Sizes.
    pub async fn stats(&self) -> Result<Stats> {
        let row: (i64, i64, i64, i64) = sqlx::query_as("SELECT entries, links, next_record - 1, seq FROM tally")
            .fetch_one(&mut *self.inner.readers.get().await?)
            .await?;
        Ok(Stats { entries: row.0 as u64, links: row.1 as u64, records: row.2 as u64, seq: row.3 })
    }
}
