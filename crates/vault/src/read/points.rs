//! Where incidents are: what the map shows, from projections alone.

use seal::RecordId;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite};

use super::list::{Found, ListQuery, along, conditions, list_of, total};
use crate::error::{Result, VaultError};
use crate::store::Vault;

/// A record with a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// The record.
    pub record: RecordId,
    /// Its reference.
    pub reference: String,
    /// In one line.
    pub summary: String,
    /// 0 where none was stated.
    pub severity: i64,
    /// The state's code.
    pub state: String,
    /// Latitude, degrees times 10^7.
    pub lat_e7: i64,
    /// Longitude, degrees times 10^7.
    pub lon_e7: i64,
    /// Whether one of the two is in dispute.
    pub disputed: bool,
    /// When it was recorded, milliseconds.
    pub created_ms: i64,
}

/// The places of a list.
#[derive(Debug, Clone)]
pub struct Points {
    /// How many records the list has.
    pub total: u64,
    /// How many of them have a place.
    pub placed: u64,
    /// The newest of those, at most `ListQuery::limit`.
    pub points: Vec<Point>,
}

impl Vault {
    /// The records of a list that have a place, newest first.
    pub async fn points(&self, query: &ListQuery) -> Result<Points> {
        let Some(found) = Found::of(query) else { return Ok(Points { total: 0, placed: 0, points: Vec::new() }) };
        let found = found.as_ref();
        let mut connection = self.inner.readers.get().await?;
        let total = total(&mut connection, query, found).await?;
        let along = along(found, total);
        let mut page = QueryBuilder::<Sqlite>::new(
            "SELECT p.record, p.reference, p.summary, p.severity, p.state, p.lat_e7, p.lon_e7, p.disputed, \
             p.created_ms FROM ",
        );
        conditions(&mut page, query, found, along);
        page.push(" AND p.lat_e7 IS NOT NULL ORDER BY p.created_ms DESC, p.record LIMIT ").push_bind(query.limit);
        let rows = page.build().fetch_all(&mut *connection).await?;
        let points: Vec<Point> = rows.iter().map(point).collect::<Result<_>>()?;
        let mut placed = points.len() as u64;
        // Only where some were cut is it worth another walk to say how many.
        if points.len() as u64 == u64::from(query.limit) {
            let mut count = QueryBuilder::<Sqlite>::new("SELECT COUNT(*) FROM ");
            conditions(&mut count, query, found, along);
            count.push(" AND p.lat_e7 IS NOT NULL");
            let (counted,): (i64,) = count.build_query_as().fetch_one(&mut *connection).await?;
            placed = placed.max(counted as u64);
        }
        Ok(Points { total: total as u64, placed, points })
    }
}

fn point(row: &SqliteRow) -> Result<Point> {
    Ok(Point {
        record: RecordId::try_from(row.try_get::<&[u8], _>("record")?)
            .map_err(|_| VaultError::Corrupt("a record's row".into()))?,
        reference: row.try_get("reference")?,
        summary: row.try_get("summary")?,
        severity: row.try_get("severity")?,
        state: row.try_get("state")?,
        lat_e7: row.try_get("lat_e7")?,
        lon_e7: row.try_get("lon_e7")?,
        disputed: list_of(row.try_get("disputed")?).iter().any(|field| field == "lat_e7" || field == "lon_e7"),
        created_ms: row.try_get("created_ms")?,
    })
}
