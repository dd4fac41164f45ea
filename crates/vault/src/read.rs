//! Reading: records, lists, search, referrals, numbers.

use std::sync::Arc;

use logbook::action::RecordKind;
use logbook::{AgencyId, Record};
use seal::{EntryId, RecordId, RecordKey};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite};

use crate::error::{Result, VaultError};
use crate::project::kind_code;
use crate::rows;
use crate::store::{Grounds, Vault, Writer};

/// States of a referral that wait for the receiver's answer.
const WAITING: &str = "('offered', 'received', 'seen')";
/// Words of a search that are used; more narrow nothing for a person.
const MAX_WORDS: usize = 16;

/// A view of the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Everything.
    All,
    /// Not closed.
    Open,
    /// Not yet triaged.
    New,
    /// Assigned to `ListQuery::assigned`.
    Mine,
    /// With a referral that has no answer.
    Waiting,
    /// With a referral whose time is over.
    Overdue,
    /// Open and critical.
    Critical,
}

/// What to list.
#[derive(Debug, Clone)]
pub struct ListQuery {
    /// Of this kind.
    pub kind: RecordKind,
    /// In this view.
    pub view: View,
    /// In this state.
    pub state: Option<String>,
    /// Of this category.
    pub category: Option<String>,
    /// Of this severity.
    pub severity: Option<i64>,
    /// Containing these words.
    pub search: Option<String>,
    /// Who "mine" is.
    pub assigned: Option<String>,
    /// Now, milliseconds: what is overdue.
    pub now_ms: i64,
    /// At most so many.
    pub limit: u32,
    /// After so many.
    pub offset: u32,
}

/// A referral in a row.
#[derive(Debug, Clone)]
pub struct RowReferral {
    /// The agency asked.
    pub to: String,
    /// The state.
    pub state: String,
    /// By when an answer is expected, milliseconds.
    pub respond_by_ms: Option<i64>,
}

/// A record in a list.
#[derive(Debug, Clone)]
pub struct Row {
    /// The record.
    pub record: RecordId,
    /// Its reference.
    pub reference: String,
    /// In one line.
    pub summary: String,
    /// Its category.
    pub category: String,
    /// 0 where none was stated.
    pub severity: i64,
    /// The state's code.
    pub state: String,
    /// The owner.
    pub owner: String,
    /// Fields in dispute.
    pub disputed: Vec<String>,
    /// The polling station's code.
    pub station: Option<String>,
    /// The place.
    pub place: Option<String>,
    /// Domains.
    pub domains: Vec<String>,
    /// How many exhibits.
    pub exhibits: u64,
    /// To whom it is assigned.
    pub assigned: Option<String>,
    /// When it was recorded, milliseconds.
    pub created_ms: i64,
    /// When it last changed, milliseconds.
    pub last_ms: i64,
    /// The referral that most wants attention.
    pub referral: Option<RowReferral>,
}

/// A page.
#[derive(Debug, Clone)]
pub struct Page {
    /// How many there are.
    pub total: u64,
    /// This page.
    pub rows: Vec<Row>,
}

/// Numbers on top of the board.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Not yet triaged.
    pub new: u64,
    /// Not closed.
    pub open: u64,
    /// Open and critical.
    pub critical: u64,
    /// Referrals without an answer.
    pub unanswered: u64,
    /// Referrals whose time is over.
    pub overdue: u64,
    /// Assigned to this operator.
    pub mine: u64,
}

/// Which referrals.
#[derive(Debug, Clone)]
pub struct ReferralQuery {
    /// This agency.
    pub agency: AgencyId,
    /// Those to it.
    pub inbox: bool,
    /// Those from it.
    pub outbox: bool,
}

impl ReferralQuery {
    /// All referrals to and from an agency.
    pub fn all(agency: &AgencyId) -> Self {
        Self { agency: agency.clone(), inbox: true, outbox: true }
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

/// A record from the cache, or folded from the database.
pub(crate) async fn folded(
    vault: &Vault,
    writer: &mut Writer,
    id: &RecordId,
    number: i64,
    grounds: &Grounds,
) -> Result<Arc<Record>> {
    if let Some(open) = vault.cached(id) {
        return Ok(open);
    }
    Ok(Arc::new(rows::load(&mut writer.connection, id, number, i64::MAX, grounds).await?))
}

impl Vault {
    async fn number_of(&self, id: &RecordId) -> Result<Option<i64>> {
        let row: Option<(i64,)> = sqlx::query_as("SELECT n FROM projection WHERE record = ?")
            .bind(id.0.as_slice())
            .fetch_optional(&self.inner.readers)
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
        let mut connection = self.inner.readers.acquire().await?;
        Ok(Some(rows::load(&mut connection, id, number, received_until_ms, &Grounds::of(self)).await?))
    }

    /// The keys of a record, oldest first.
    pub async fn record_keys(&self, id: &RecordId) -> Result<Vec<RecordKey>> {
        let mut connection = self.inner.readers.acquire().await?;
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
        let rows: Vec<(Vec<u8>,)> = sqlx::query_as(query).bind(value).fetch_all(&self.inner.readers).await?;
        rows.iter()
            .map(|(id,)| RecordId::try_from(id.as_slice()).map_err(|_| VaultError::Corrupt("a record's row".into())))
            .collect()
    }

    /// A page of records, newest first.
    pub async fn list(&self, query: &ListQuery) -> Result<Page> {
        let words = match query.search.as_deref().map(search_words) {
            Some(words) if words.is_empty() => return Ok(Page { total: 0, rows: Vec::new() }),
            words => words,
        };
        let mut count = QueryBuilder::<Sqlite>::new("SELECT COUNT(*) FROM projection p");
        conditions(&mut count, query, words.as_deref());
        let (total,): (i64,) = count.build_query_as().fetch_one(&self.inner.readers).await?;
        let mut page = QueryBuilder::<Sqlite>::new("SELECT p.* FROM projection p");
        conditions(&mut page, query, words.as_deref());
        page.push(" ORDER BY p.created_ms DESC, p.record LIMIT ").push_bind(query.limit);
        page.push(" OFFSET ").push_bind(query.offset);
        let rows = page.build().fetch_all(&self.inner.readers).await?;
        Ok(Page { total: total as u64, rows: rows.iter().map(row).collect::<Result<_>>()? })
    }

    /// Numbers on top of the board; `mine` counts what is assigned to this name.
    pub async fn counts(&self, now_ms: i64, assigned: &str) -> Result<Counts> {
        let row: (i64, i64, i64, i64, i64, i64) = sqlx::query_as(
            "SELECT \
             (SELECT COUNT(*) FROM projection WHERE kind = 'incident' AND open = 1 AND state = 'new'), \
             (SELECT COUNT(*) FROM projection WHERE kind = 'incident' AND open = 1), \
             (SELECT COUNT(*) FROM projection WHERE kind = 'incident' AND severity = 4 AND open = 1), \
             (SELECT COUNT(*) FROM referral WHERE state IN ('offered', 'received', 'seen')), \
             (SELECT COUNT(*) FROM referral WHERE state IN ('offered', 'received', 'seen') AND respond_by_ms < ?), \
             (SELECT COUNT(*) FROM projection WHERE kind = 'incident' AND open = 1 AND assigned = ?)",
        )
        .bind(now_ms)
        .bind(assigned)
        .fetch_one(&self.inner.readers)
        .await?;
        Ok(Counts {
            new: row.0 as u64,
            open: row.1 as u64,
            critical: row.2 as u64,
            unanswered: row.3 as u64,
            overdue: row.4 as u64,
            mine: row.5 as u64,
        })
    }

    /// Referrals to and from an agency, newest first.
    pub async fn referrals(&self, query: &ReferralQuery) -> Result<Vec<ReferralRow>> {
        let agency = query.agency.as_str();
        let rows = sqlx::query(
            "SELECT p.record, p.reference, r.entry, r.state FROM referral r JOIN projection p ON p.n = r.record \
             WHERE (?1 AND r.asked = ?3) OR (?2 AND r.asker = ?3) ORDER BY r.offered_ms DESC LIMIT 10000",
        )
        .bind(query.inbox)
        .bind(query.outbox)
        .bind(agency)
        .fetch_all(&self.inner.readers)
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

    /// The next number of references with this prefix on this device; never given twice.
    pub async fn next_reference_number(&self, prefix: &str) -> Result<u32> {
        Ok(self.take_reference_numbers(prefix, 1).await?)
    }

    /// Takes `count` numbers at once; gives the first.
    pub async fn take_reference_numbers(&self, prefix: &str, count: u32) -> Result<u32> {
        let mut guard = self.writer().await?;
        let writer = guard.get()?;
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
        let row: (i64, i64, i64, i64) = sqlx::query_as(
            "SELECT (SELECT COUNT(*) FROM envelope WHERE record IS NOT NULL), (SELECT COUNT(*) FROM envelope), \
             (SELECT COUNT(*) FROM projection), (SELECT IFNULL(MAX(seq), 0) FROM envelope)",
        )
        .fetch_one(&self.inner.readers)
        .await?;
        Ok(Stats { entries: row.0 as u64, links: row.1 as u64, records: row.2 as u64, seq: row.3 })
    }
}

/// Words as FTS5 takes them: each quoted, so that nothing in them is an operator.
fn search_words(text: &str) -> String {
    let words = text.split_whitespace().take(MAX_WORDS);
    // A word without a letter or digit has no token, and would match nothing.
    let words = words.filter(|word| word.chars().any(char::is_alphanumeric));
    words.map(|word| format!("\"{}\"", word.replace('"', "\"\"").replace('\0', ""))).collect::<Vec<_>>().join(" ")
}

fn conditions(to: &mut QueryBuilder<Sqlite>, query: &ListQuery, words: Option<&str>) {
    if words.is_some() {
        to.push(" JOIN search s ON s.rowid = p.n");
    }
    to.push(" WHERE p.kind = ").push_bind(kind_code(Some(query.kind)));
    if let Some(words) = words {
        to.push(" AND search MATCH ").push_bind(words.to_owned());
    }
    for (column, value) in [("state", &query.state), ("category", &query.category)] {
        if let Some(value) = value {
            to.push(" AND p.").push(column).push(" = ").push_bind(value.clone());
        }
    }
    if let Some(severity) = query.severity {
        to.push(" AND p.severity = ").push_bind(severity);
    }
    match query.view {
        View::All => {}
        View::Open => {
            to.push(" AND p.open = 1");
        }
        View::New => {
            to.push(" AND p.open = 1 AND p.state = 'new'");
        }
        View::Critical => {
            to.push(" AND p.severity = 4 AND p.open = 1");
        }
        View::Mine => {
            to.push(" AND p.open = 1 AND p.assigned = ").push_bind(query.assigned.clone().unwrap_or_default());
        }
        View::Waiting => {
            to.push(" AND p.ref_state IN ").push(WAITING);
        }
        View::Overdue => {
            to.push(" AND p.ref_state IN ").push(WAITING).push(" AND p.ref_by_ms < ").push_bind(query.now_ms);
        }
    }
}

fn list_of(text: String) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn row(row: &SqliteRow) -> Result<Row> {
    let state: Option<String> = row.try_get("ref_state")?;
    let to: Option<String> = row.try_get("ref_to")?;
    let by: Option<i64> = row.try_get("ref_by_ms")?;
    Ok(Row {
        record: RecordId::try_from(row.try_get::<&[u8], _>("record")?)
            .map_err(|_| VaultError::Corrupt("a record's row".into()))?,
        reference: row.try_get("reference")?,
        summary: row.try_get("summary")?,
        category: row.try_get("category")?,
        severity: row.try_get("severity")?,
        state: row.try_get("state")?,
        owner: row.try_get("owner")?,
        disputed: list_of(row.try_get("disputed")?),
        station: row.try_get("station")?,
        place: row.try_get("place")?,
        domains: list_of(row.try_get("domains")?),
        exhibits: row.try_get::<i64, _>("exhibits")? as u64,
        assigned: row.try_get("assigned")?,
        created_ms: row.try_get("created_ms")?,
        last_ms: row.try_get("last_ms")?,
        referral: to.zip(state).map(|(to, state)| RowReferral { to, state, respond_by_ms: by }),
    })
}
