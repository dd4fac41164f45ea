//! Lists, search and counts: what the board shows, from projections alone.

use logbook::action::RecordKind;
use seal::RecordId;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{QueryBuilder, Row as _, Sqlite};

use crate::error::{Result, VaultError};
use crate::project::{Shelf, kind_code};
use crate::store::Vault;

/// States of a referral that wait for the receiver's answer.
const WAITING: &str = "('offered', 'received', 'seen')";
/// Hits that are fetched and sorted one by one.
const FEW: i64 = 100;
/// References that are asked for at once: what a report keeps of one figure.
const MAX_REFERENCES: usize = 256;
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
    /// Recorded at or after this, milliseconds.
    pub since_ms: Option<i64>,
    /// Recorded before this, milliseconds.
    pub until_ms: Option<i64>,
    /// Of these references, and no others; any where it is empty.
    pub references: Vec<String>,
    /// Who "mine" is.
    pub assigned: Option<String>,
    /// Now, milliseconds: what is overdue.
    pub now_ms: i64,
    /// At most so many.
    pub limit: u32,
    /// After so many.
    pub offset: u32,
}

impl ListQuery {
    /// The first page of everything of a kind; what narrows it is set from there.
    pub fn all(kind: RecordKind, now_ms: i64, limit: u32) -> Self {
        Self {
            kind,
            view: View::All,
            state: None,
            category: None,
            severity: None,
            search: None,
            since_ms: None,
            until_ms: None,
            references: Vec::new(),
            assigned: None,
            now_ms,
            limit,
            offset: 0,
        }
    }
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

impl Vault {
    /// A page of records, newest first.
    pub async fn list(&self, query: &ListQuery) -> Result<Page> {
        let Some(found) = Found::of(query) else { return Ok(Page { total: 0, rows: Vec::new() }) };
        let found = found.as_ref();
        let mut connection = self.inner.readers.get().await?;
        let total = total(&mut connection, query, found).await?;
        let along = along(found, total);
        let mut page = QueryBuilder::<Sqlite>::new("SELECT p.* FROM ");
        conditions(&mut page, query, found, along);
        page.push(" ORDER BY p.created_ms DESC, p.record LIMIT ").push_bind(query.limit);
        page.push(" OFFSET ").push_bind(query.offset);
        let rows = page.build().fetch_all(&mut *connection).await?;
        Ok(Page { total: total as u64, rows: rows.iter().map(row).collect::<Result<_>>()? })
    }

    /// A record's row, if it is listed.
    pub async fn row(&self, id: &RecordId) -> Result<Option<Row>> {
        let found = sqlx::query("SELECT * FROM projection WHERE record = ?")
            .bind(id.0.as_slice())
            .fetch_optional(&mut *self.inner.readers.get().await?)
            .await?;
        found.as_ref().map(row).transpose()
    }

    /// The newest records of a kind, open or not.
    pub async fn records_of(&self, kind: RecordKind, limit: u32) -> Result<Vec<Row>> {
        let rows = sqlx::query("SELECT * FROM projection WHERE kind = ? ORDER BY created_ms DESC, record LIMIT ?")
            .bind(kind_code(Some(kind)))
            .bind(limit)
            .fetch_all(&mut *self.inner.readers.get().await?)
            .await?;
        rows.iter().map(row).collect()
    }

    /// Open records of a kind that were recorded at most `apart` milliseconds before or after a time: on
    /// either side the nearest, at most so many. In no order.
    pub async fn recorded_around(&self, kind: RecordKind, at: i64, apart: i64, limit: u32) -> Result<Vec<Row>> {
        let rows = sqlx::query(
            "SELECT * FROM (SELECT * FROM projection WHERE kind = ?1 AND open = 1 AND created_ms BETWEEN ?2 AND ?3 \
             ORDER BY created_ms DESC LIMIT ?5) UNION ALL \
             SELECT * FROM (SELECT * FROM projection WHERE kind = ?1 AND open = 1 AND created_ms > ?3 \
             AND created_ms <= ?4 ORDER BY created_ms LIMIT ?5)",
        )
        .bind(kind_code(Some(kind)))
        .bind(at.saturating_sub(apart))
        .bind(at)
        .bind(at.saturating_add(apart))
        .bind(limit)
        .fetch_all(&mut *self.inner.readers.get().await?)
        .await?;
        rows.iter().map(row).collect()
    }

    /// Numbers on top of the board; `mine` counts what is assigned to this name.
    pub async fn counts(&self, now_ms: i64, assigned: &str) -> Result<Counts> {
        let row: (i64, i64, i64, i64, i64, i64) = sqlx::query_as(
            "SELECT \
             (SELECT IFNULL(SUM(records), 0) FROM counted WHERE kind = 'incident' AND open = 1 AND state = 'new'), \
             (SELECT IFNULL(SUM(records), 0) FROM counted WHERE kind = 'incident' AND open = 1), \
             (SELECT IFNULL(SUM(records), 0) FROM counted WHERE kind = 'incident' AND severity = 4 AND open = 1), \
             (SELECT COUNT(*) FROM referral WHERE state IN ('offered', 'received', 'seen')), \
             (SELECT COUNT(*) FROM referral WHERE state IN ('offered', 'received', 'seen') AND respond_by_ms < ?), \
             (SELECT COUNT(*) FROM projection WHERE kind = 'incident' AND open = 1 AND assigned = ?)",
        )
        .bind(now_ms)
        .bind(assigned)
        .fetch_one(&mut *self.inner.readers.get().await?)
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
}

/// How many records a query finds.
pub(super) async fn total(at: &mut SqliteConnection, query: &ListQuery, found: Option<&Found>) -> Result<i64> {
    let mut count = QueryBuilder::<Sqlite>::new("SELECT ");
    match found {
        Some(found) if found.alone => {
            count.push("COUNT(*) FROM search WHERE ");
            found.matching(&mut count);
        }
        None if is_counted(query) => {
            count
                .push("IFNULL(SUM(p.records), 0) FROM counted p WHERE p.kind = ")
                .push_bind(kind_code(Some(query.kind)));
            narrowed(&mut count, query);
        }
        _ => {
            count.push("COUNT(*) FROM ");
            conditions(&mut count, query, found, false);
        }
    }
    let (total,): (i64,) = count.build_query_as().fetch_one(at).await?;
    Ok(total)
}

/// Whether nothing decides but what is kept counted.
fn is_counted(query: &ListQuery) -> bool {
    let divided = matches!(query.view, View::All | View::Open | View::New | View::Critical);
    divided && query.since_ms.is_none() && query.until_ms.is_none() && query.references.is_empty()
}

/// Of many hits, the newest are found sooner along the list than among the hits.
pub(super) fn along(found: Option<&Found>, total: i64) -> bool {
    found.is_some_and(|found| found.alone) && total > FEW
}

/// Words as FTS5 takes them: each quoted, so that nothing in them is an operator.
fn search_words(text: &str) -> String {
    let words = text.split_whitespace().take(MAX_WORDS);
    // A word without a letter or digit has no token, and would match nothing.
    let words = words.filter(|word| word.chars().any(char::is_alphanumeric));
    words.map(|word| format!("\"{}\"", word.replace('"', "\"\"").replace('\0', ""))).collect::<Vec<_>>().join(" ")
}

/// A search of words.
pub(super) struct Found {
    words: String,
    /// The rows of the index of words in which to search.
    range: (i64, i64),
    /// Nothing but kind, openness and words decides.
    alone: bool,
}

impl Found {
    /// The search of a query, if it has one; nothing where it can find nothing.
    pub(super) fn of(query: &ListQuery) -> Option<Option<Self>> {
        match query.search.as_deref().map(search_words) {
            None => Some(None),
            Some(words) if words.is_empty() => None,
            Some(words) => Some(Some(Self::new(words, query))),
        }
    }

    fn new(words: String, query: &ListQuery) -> Self {
        let open = Shelf::of(Some(query.kind), true).range();
        let closed = Shelf::of(Some(query.kind), false).range();
        let narrowed = query.state.is_some() || query.category.is_some() || query.severity.is_some();
        let narrowed = narrowed || query.since_ms.is_some() || query.until_ms.is_some() || !query.references.is_empty();
        let (range, alone) = match query.view {
            View::Open => (open, true),
            View::All => ((open.0, closed.1), true),
            _ => ((open.0, closed.1), false),
        };
        Self { words, range, alone: alone && !narrowed }
    }

    fn matching(&self, to: &mut QueryBuilder<Sqlite>) {
        to.push("search MATCH ").push_bind(self.words.clone());
        to.push(" AND rowid >= ").push_bind(self.range.0).push(" AND rowid < ").push_bind(self.range.1);
    }
}

/// The tables and what is asked of them. With words, either along the list, looking each record up
/// among the hits; or from hit to hit.
pub(super) fn conditions(to: &mut QueryBuilder<Sqlite>, query: &ListQuery, found: Option<&Found>, along: bool) {
    let closed = Shelf::of(Some(query.kind), false).base();
    let open = Shelf::of(Some(query.kind), true).base();
    match found {
        Some(found) if !along => {
            to.push("(SELECT rowid AS hit FROM search WHERE ");
            found.matching(to);
            to.push(") CROSS JOIN projection p WHERE p.n = hit % ").push_bind(Shelf::of(None, false).base());
            to.push(" AND p.kind = ").push_bind(kind_code(Some(query.kind)));
        }
        _ => {
            to.push("projection p WHERE p.kind = ").push_bind(kind_code(Some(query.kind)));
        }
    }
    if let Some(found) = found.filter(|_| along) {
        to.push(" AND p.n + CASE p.open WHEN 1 THEN ").push_bind(open).push(" ELSE ").push_bind(closed);
        to.push(" END IN (SELECT rowid FROM search WHERE ");
        found.matching(to);
        to.push(")");
    }
    narrowed(to, query);
    if let Some(since) = query.since_ms {
        to.push(" AND p.created_ms >= ").push_bind(since);
    }
    if let Some(until) = query.until_ms {
        to.push(" AND p.created_ms < ").push_bind(until);
    }
    if !query.references.is_empty() {
        to.push(" AND p.reference IN (");
        let mut list = to.separated(", ");
        for reference in query.references.iter().take(MAX_REFERENCES) {
            list.push_bind(reference.clone());
        }
        to.push(")");
    }
}

/// By what is kept counted, and by what some views ask beside.
fn narrowed(to: &mut QueryBuilder<Sqlite>, query: &ListQuery) {
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

pub(super) fn list_of(text: String) -> Vec<String> {
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
