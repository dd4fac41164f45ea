//! What to give to whom.

use std::collections::BTreeSet;

use logbook::action::GrantTo;
use logbook::record_state::Audience;
use logbook::roster::RosterObject;
use seal::{DeviceId, Envelope, EnvelopeId, Hash32, KeyId, Link, RecordId, Signature, Wrap};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{QueryBuilder, Row, Sqlite};

use crate::error::{Result, VaultError};
use crate::ingest::grant_to;
use crate::rows::envelope_of;
use crate::store::Vault;

/// How something will travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the peer itself: LAN, parcel.
    Direct,
    /// Through a relay's mailbox, where the author has posted already.
    Relay,
}

/// To whom, from where on.
#[derive(Debug, Clone)]
pub struct OutQuery {
    /// The desks of an agency, or one device.
    pub to: Audience,
    /// The peer device, whose own grants count too.
    pub device: Option<DeviceId>,
    /// A desk gets every link.
    pub desk: bool,
    /// After this commit number.
    pub after: i64,
    /// How it will travel.
    pub through: Way,
    /// Envelopes in a page, about.
    pub limit: usize,
}

/// Something to give.
#[derive(Debug, Clone)]
pub enum OutItem {
    /// A roster object.
    Roster(RosterObject),
    /// A link without its body.
    Link(Link, Signature),
    /// A whole envelope.
    Envelope(Envelope),
    /// A wrap.
    Wrap(GrantTo, Wrap),
}

/// A page of things to give.
#[derive(Debug, Clone)]
pub struct OutPage {
    /// Roster first, then wraps, then links and envelopes in commit order.
    pub items: Vec<OutItem>,
    /// The commit number that the page covers.
    pub next: i64,
    /// Whether nothing is left after it.
    pub done: bool,
}

pub(crate) fn spell(who: &Audience) -> String {
    match who {
        Audience::Agency(id) => format!("a:{id}"),
        Audience::Device(id) => format!("d:{id}"),
    }
}

fn spellings(to: &Audience, device: Option<&DeviceId>) -> (String, String) {
    let one = spell(to);
    let two = device.map_or_else(|| one.clone(), |id| format!("d:{id}"));
    (one, two)
}

impl Vault {
    /// A page of what a recipient should get after a commit number. A recipient that is new to a
    /// record gets the whole record.
    pub async fn outgoing(&self, query: &OutQuery) -> Result<OutPage> {
        let mut connection = self.inner.readers.acquire().await?;
        let (upto, done) = upto(&mut connection, query).await?;
        let (one, two) = spellings(&query.to, query.device.as_ref());
        let mut items = roster(&mut connection, query.after, upto).await?;
        let renewed: Vec<(i64, bool)> = sqlx::query_as(
            "SELECT record, MAX(by_me) FROM audience WHERE who IN (?, ?) AND since_seq > ? AND since_seq <= ? GROUP BY record",
        )
        .bind(&one)
        .bind(&two)
        .bind(query.after)
        .bind(upto)
        .fetch_all(&mut *connection)
        .await?;
        items.extend(wraps(&mut connection, query, upto, &one, &two, &renewed).await?);
        for (record, by_me) in &renewed {
            items.extend(earlier(&mut connection, query, *record, *by_me).await?);
        }
        items.extend(later(&mut connection, query, upto, &one, &two).await?);
        Ok(OutPage { items, next: upto, done })
    }

    /// Envelopes by id, as this recipient may have them.
    pub async fn envelopes_by_id(
        &self,
        ids: &[EnvelopeId],
        to: &Audience,
        device: Option<&DeviceId>,
        desk: bool,
    ) -> Result<Vec<OutItem>> {
        let (one, two) = spellings(to, device);
        let wanted: BTreeSet<&EnvelopeId> = ids.iter().collect();
        let mut connection = self.inner.readers.acquire().await?;
        let mut items = Vec::with_capacity(ids.len());
        for part in wanted.into_iter().collect::<Vec<_>>().chunks(500) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "SELECT e.link, e.signature, e.body, EXISTS (SELECT 1 FROM audience a WHERE a.record = e.record AND a.who IN (",
            );
            query.push_bind(one.clone()).push(", ").push_bind(two.clone());
            query.push(")) AS reads FROM envelope e WHERE e.id IN (");
            let mut list = query.separated(", ");
            for id in part {
                list.push_bind(id.0.to_vec());
            }
            query.push(") ORDER BY e.seq");
            for row in query.build().fetch_all(&mut *connection).await? {
                items.extend(item(&row, desk)?);
            }
        }
        Ok(items)
    }

    /// The ids of everything this recipient may have, with their commit numbers: for reconciliation.
    pub async fn all_ids(
        &self,
        to: &Audience,
        device: Option<&DeviceId>,
        desk: bool,
    ) -> Result<Vec<(i64, EnvelopeId)>> {
        let (one, two) = spellings(to, device);
        let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(
            "SELECT e.seq, e.id FROM envelope e WHERE ? OR EXISTS \
             (SELECT 1 FROM audience a WHERE a.record = e.record AND a.who IN (?, ?)) ORDER BY e.seq",
        )
        .bind(desk)
        .bind(one)
        .bind(two)
        .fetch_all(&self.inner.readers)
        .await?;
        rows.into_iter()
            .map(|(seq, id)| {
                Ok((
                    seq,
                    EnvelopeId::try_from(id.as_slice()).map_err(|_| VaultError::Corrupt("an envelope's row".into()))?,
                ))
            })
            .collect()
    }

    /// Remembers how far a device has signed that it holds our store.
    pub async fn put_ack(&self, device: &DeviceId, up_to: i64, at_ms: i64) -> Result<()> {
        let mut guard = self.writer().await?;
        sqlx::query(
            "INSERT INTO ack (device, up_to, at_ms) VALUES (?, ?, ?) \
             ON CONFLICT (device) DO UPDATE SET up_to = MAX(up_to, excluded.up_to), at_ms = excluded.at_ms",
        )
        .bind(device.0.as_slice())
        .bind(up_to)
        .bind(at_ms)
        .execute(&mut guard.get()?.connection)
        .await?;
        Ok(())
    }

    /// How far each device has signed that it holds our store: (device, commit number, when).
    pub async fn acks(&self) -> Result<Vec<(DeviceId, i64, i64)>> {
        let rows: Vec<(Vec<u8>, i64, i64)> =
            sqlx::query_as("SELECT device, up_to, at_ms FROM ack").fetch_all(&self.inner.readers).await?;
        rows.into_iter()
            .map(|(id, up_to, at)| {
                Ok((
                    DeviceId::try_from(id.as_slice()).map_err(|_| VaultError::Corrupt("an ack's row".into()))?,
                    up_to,
                    at,
                ))
            })
            .collect()
    }

    /// Own entries after a commit number.
    pub async fn own_after(&self, seq: i64) -> Result<u64> {
        let (count,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM envelope WHERE origin = 0 AND seq > ?")
            .bind(seq)
            .fetch_one(&self.inner.readers)
            .await?;
        Ok(count as u64)
    }
}

/// How far a page goes: `limit` envelopes, or to the end of everything.
async fn upto(at: &mut SqliteConnection, query: &OutQuery) -> Result<(i64, bool)> {
    let (end,): (i64,) = sqlx::query_as(
        "SELECT MAX(IFNULL((SELECT MAX(seq) FROM envelope), 0), IFNULL((SELECT MAX(seq) FROM roster), 0), \
         IFNULL((SELECT MAX(seq) FROM wrap), 0), ?1)",
    )
    .bind(query.after)
    .fetch_one(&mut *at)
    .await?;
    let page: Option<(i64,)> = sqlx::query_as("SELECT seq FROM envelope WHERE seq > ? ORDER BY seq LIMIT 1 OFFSET ?")
        .bind(query.after)
        .bind(query.limit as i64)
        .fetch_optional(at)
        .await?;
    Ok(page.map_or((end, true), |(seq,)| (seq - 1, false)))
}

async fn roster(at: &mut SqliteConnection, after: i64, upto: i64) -> Result<Vec<OutItem>> {
    let rows: Vec<(Vec<u8>,)> = sqlx::query_as("SELECT bytes FROM roster WHERE seq > ? AND seq <= ? ORDER BY seq")
        .bind(after)
        .bind(upto)
        .fetch_all(at)
        .await?;
    rows.iter()
        .map(|(bytes,)| {
            RosterObject::decode(bytes)
                .map(OutItem::Roster)
                .map_err(|_| VaultError::Corrupt("a roster object's row".into()))
        })
        .collect()
}

async fn wraps(
    at: &mut SqliteConnection,
    query: &OutQuery,
    upto: i64,
    one: &str,
    two: &str,
    renewed: &[(i64, bool)],
) -> Result<Vec<OutItem>> {
    let mut rows = sqlx::query(
        "SELECT seq, hash, record, key, who, epoch, sealed FROM wrap WHERE who IN (?, ?) AND seq > ? AND seq <= ? ORDER BY seq",
    )
    .bind(one)
    .bind(two)
    .bind(query.after)
    .bind(upto)
    .fetch_all(&mut *at)
    .await?;
    for (record, _) in renewed {
        rows.extend(
            sqlx::query(
                "SELECT w.seq, w.hash, w.record, w.key, w.who, w.epoch, w.sealed FROM wrap w JOIN projection p \
                 ON p.record = w.record WHERE p.n = ? AND w.who IN (?, ?) AND w.seq <= ? ORDER BY w.seq",
            )
            .bind(record)
            .bind(one)
            .bind(two)
            .bind(query.after)
            .fetch_all(&mut *at)
            .await?,
        );
    }
    rows.iter().map(wrap).collect()
}

fn wrap(row: &SqliteRow) -> Result<OutItem> {
    let damaged = |_| VaultError::Corrupt("a wrap's row".into());
    let to = grant_to(row.try_get("who")?, row.try_get("epoch")?);
    let to = to.ok_or_else(|| VaultError::Corrupt("a wrap's row".into()))?;
    let wrap = Wrap {
        record: RecordId::try_from(row.try_get::<&[u8], _>("record")?).map_err(damaged)?,
        key: KeyId::try_from(row.try_get::<&[u8], _>("key")?).map_err(damaged)?,
        suite: seal::wrap::SUITE_AGE_X25519,
        sealed: row.try_get("sealed")?,
    };
    let held = Hash32::try_from(row.try_get::<&[u8], _>("hash")?).map_err(damaged)?;
    if wrap.hash() != held {
        return Err(VaultError::Corrupt("a wrap's row".into()));
    }
    Ok(OutItem::Wrap(to, wrap))
}

/// What a record held before its new reader: all of it where we granted it, our own otherwise.
async fn earlier(at: &mut SqliteConnection, query: &OutQuery, record: i64, by_me: bool) -> Result<Vec<OutItem>> {
    let everything = by_me || query.through == Way::Direct;
    let rows = sqlx::query(
        "SELECT link, signature, body, 1 AS reads FROM envelope WHERE record = ? AND seq <= ? AND (? OR origin = 0) ORDER BY seq",
    )
    .bind(record)
    .bind(query.after)
    .bind(everything)
    .fetch_all(at)
    .await?;
    collect(&rows, query.desk)
}

async fn later(at: &mut SqliteConnection, query: &OutQuery, upto: i64, one: &str, two: &str) -> Result<Vec<OutItem>> {
    // What came through a relay was posted by its author to the audience that the author knew; it is
    // passed on only to whoever we granted the record in this very stretch.
    let rows = sqlx::query(
        "SELECT e.link, e.signature, e.body, EXISTS \
         (SELECT 1 FROM audience a WHERE a.record = e.record AND a.who IN (?1, ?2)) AS reads \
         FROM envelope e WHERE e.seq > ?3 AND e.seq <= ?4 AND (?5 OR e.origin <> 3 OR EXISTS \
         (SELECT 1 FROM audience a WHERE a.record = e.record AND a.who IN (?1, ?2) AND a.by_me AND a.since_seq > ?3)) \
         ORDER BY e.seq",
    )
    .bind(one)
    .bind(two)
    .bind(query.after)
    .bind(upto)
    .bind(query.through == Way::Direct)
    .fetch_all(at)
    .await?;
    collect(&rows, query.desk)
}

fn collect(rows: &[SqliteRow], desk: bool) -> Result<Vec<OutItem>> {
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.extend(item(row, desk)?);
    }
    Ok(items)
}

/// A row as its recipient may have it: whole, the link only, or not at all.
fn item(row: &SqliteRow, desk: bool) -> Result<Option<OutItem>> {
    let envelope = envelope_of(row)?;
    let reads: bool = row.try_get("reads")?;
    Ok(match (reads && envelope.body.is_some(), desk) {
        (true, _) => Some(OutItem::Envelope(envelope)),
        (false, true) => Some(OutItem::Link(envelope.link, envelope.signature)),
        (false, false) => None,
    })
}
