//! What to give to whom.

use std::collections::HashSet;

use logbook::action::GrantTo;
use logbook::record_state::Audience;
use logbook::roster::RosterObject;
use seal::{DeviceId, Envelope, EnvelopeId, Hash32, KeyId, Link, Signature, Wrap};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{QueryBuilder, Row, Sqlite};

use crate::error::{Result, VaultError};
use crate::ingest::grant_to;
use crate::project::spell;
use crate::rows::{envelope_of, record_id};
use crate::store::Vault;

/// Bytes of bodies after which a page ends.
const PAGE_BYTES: i64 = 1024 * 1024;
/// Commits after which a page of wraps alone ends: a record has a wrap for each reader, of some 300 bytes.
const SPARSE: i64 = 4096;
/// Envelopes fetched in one statement when they are asked for by id.
const TOGETHER: usize = 500;

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

/// An envelope as a recipient may have it: what two stores compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holding {
    /// Its number in its device's chain.
    pub number: u64,
    /// Its id.
    pub id: EnvelopeId,
    /// With its body, which is here and the recipient's to read; otherwise its link only.
    pub whole: bool,
}

pub(crate) fn spellings(to: &Audience, device: Option<&DeviceId>) -> (String, String) {
    let one = spell(to);
    let two = device.map_or_else(|| one.clone(), |id| format!("d:{id}"));
    (one, two)
}

impl Vault {
    /// A page of what a recipient should get after a commit number. A recipient that is new to a
    /// record gets the whole record. What the peer device handed over itself is left out, until it
    /// asks from the beginning: then it has lost what it had.
    pub async fn outgoing(&self, query: &OutQuery) -> Result<OutPage> {
        if query.after == 0
            && let Some(device) = &query.device
        {
            let anew = sqlx::query(
                "UPDATE device SET anew = (SELECT seq FROM tally) WHERE id = ?1 AND anew < (SELECT seq FROM tally)",
            );
            self.put(anew.bind(device.0.as_slice())).await?;
        }
        let mut connection = self.inner.readers.get().await?;
        let at = &mut *connection;
        let (upto, done) = upto(at, query).await?;
        let (one, two) = spellings(&query.to, query.device.as_ref());
        let mut items = roster(at, query.after, upto).await?;
        items.extend(wraps(at, query, upto, &one, &two).await?);
        if query.after > 0 {
            items.extend(earlier(at, query, upto, &one, &two).await?);
        }
        items.extend(later(at, query, upto, &one, &two).await?);
        Ok(OutPage { items, next: upto, done })
    }

    /// The roster and the wraps of a page, without links and envelopes: for a peer with which these are
    /// reconciled by id. As no body goes, the page is counted in commits.
    pub async fn roster_and_wraps(&self, query: &OutQuery) -> Result<OutPage> {
        let mut connection = self.inner.readers.get().await?;
        let at = &mut *connection;
        let end = end(at, query).await?;
        let upto = end.min(query.after.saturating_add(SPARSE));
        let (one, two) = spellings(&query.to, query.device.as_ref());
        let mut items = roster(at, query.after, upto).await?;
        items.extend(wraps(at, query, upto, &one, &two).await?);
        Ok(OutPage { items, next: upto, done: upto == end })
    }

    /// Envelopes by id, as this recipient may have them, in commit order; what is not here is left
    /// out.
    pub async fn envelopes_by_id(
        &self,
        ids: &[EnvelopeId],
        to: &Audience,
        device: Option<&DeviceId>,
        desk: bool,
    ) -> Result<Vec<OutItem>> {
        let (one, two) = spellings(to, device);
        let wanted: HashSet<EnvelopeId> = ids.iter().copied().collect();
        let mut connection = self.inner.readers.get().await?;
        let places = crate::places::places(self, &mut connection, ids).await?;
        let mut items = Vec::with_capacity(places.len());
        for part in places.chunks(TOGETHER) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "SELECT e.link, e.signature, e.body, EXISTS (SELECT 1 FROM audience a WHERE a.record = e.record AND a.who IN (",
            );
            query.push_bind(one.as_str()).push(", ").push_bind(two.as_str());
            query.push(")) AS reads FROM envelope e WHERE e.seq IN (");
            let mut list = query.separated(", ");
            for seq in part {
                list.push_bind(*seq);
            }
            query.push(") ORDER BY e.seq");
            for row in query.build().fetch_all(&mut *connection).await? {
                let item = item(&row, desk)?;
                items.extend(item.filter(|item| item_id(item).is_some_and(|id| wanted.contains(&id))));
            }
        }
        Ok(items)
    }

    /// Everything that this recipient may have, in no order: for reconciliation.
    pub async fn holdings(&self, to: &Audience, device: Option<&DeviceId>, desk: bool) -> Result<Vec<Holding>> {
        let (one, two) = spellings(to, device);
        let mut connection = self.inner.readers.get().await?;
        // Both walk an index that holds all they need; no body is read.
        let readable: Vec<(i64,)> = sqlx::query_as(
            "SELECT e.seq FROM envelope e WHERE e.record IN (SELECT record FROM audience WHERE who IN (?, ?))",
        )
        .bind(one)
        .bind(two)
        .fetch_all(&mut *connection)
        .await?;
        let readable: HashSet<i64> = readable.into_iter().map(|(seq,)| seq).collect();
        let rows = sqlx::query("SELECT seq, number, id FROM envelope INDEXED BY envelope_chain")
            .fetch_all(&mut *connection)
            .await?;
        let mut holdings = Vec::with_capacity(rows.len());
        for row in &rows {
            let whole = readable.contains(&row.try_get("seq")?);
            if whole || desk {
                let number = row.try_get::<i64, _>("number")? as u64;
                holdings.push(Holding { number, id: envelope_id(row.try_get("id")?)?, whole });
            }
        }
        Ok(holdings)
    }

    /// Remembers how far a device has signed that it holds our store.
    pub async fn put_ack(&self, device: &DeviceId, up_to: i64, at_ms: i64) -> Result<()> {
        let query = sqlx::query(
            "INSERT INTO ack (device, up_to, at_ms) VALUES (?, ?, ?) \
             ON CONFLICT (device) DO UPDATE SET up_to = MAX(up_to, excluded.up_to), at_ms = excluded.at_ms",
        );
        self.put(query.bind(device.0.as_slice()).bind(up_to).bind(at_ms)).await
    }

    /// How far each device has signed that it holds our store: (device, commit number, when).
    pub async fn acks(&self) -> Result<Vec<(DeviceId, i64, i64)>> {
        let rows: Vec<(Vec<u8>, i64, i64)> = sqlx::query_as("SELECT device, up_to, at_ms FROM ack")
            .fetch_all(&mut *self.inner.readers.get().await?)
            .await?;
        let damaged = |_| VaultError::Corrupt("an ack's row".into());
        rows.into_iter()
            .map(|(id, up_to, at)| Ok((DeviceId::try_from(id.as_slice()).map_err(damaged)?, up_to, at)))
            .collect()
    }

    /// Own entries after a commit number.
    pub async fn own_after(&self, seq: i64) -> Result<u64> {
        let (count,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM envelope WHERE origin = 0 AND seq > ?")
            .bind(seq)
            .fetch_one(&mut *self.inner.readers.get().await?)
            .await?;
        Ok(count as u64)
    }
}

fn envelope_id(bytes: &[u8]) -> Result<EnvelopeId> {
    EnvelopeId::try_from(bytes).map_err(|_| VaultError::Corrupt("an envelope's row".into()))
}

fn item_id(item: &OutItem) -> Option<EnvelopeId> {
    match item {
        OutItem::Link(link, _) => Some(link.id()),
        OutItem::Envelope(envelope) => Some(envelope.id()),
        OutItem::Roster(_) | OutItem::Wrap(..) => None,
    }
}

/// The last commit, or what is asked after where that is beyond.
async fn end(at: &mut SqliteConnection, query: &OutQuery) -> Result<i64> {
    let (end,): (i64,) = sqlx::query_as("SELECT MAX(seq, ?) FROM tally").bind(query.after).fetch_one(at).await?;
    Ok(end)
}

/// How far a page goes: `limit` envelopes, or to the end of everything.
async fn upto(at: &mut SqliteConnection, query: &OutQuery) -> Result<(i64, bool)> {
    let end = end(at, query).await?;
    // The first that is too much: by number, or because those before it come to a page of bytes.
    let page: Option<(i64,)> = sqlx::query_as(
        "SELECT seq FROM (SELECT seq, ROW_NUMBER() OVER before AS place, \
         SUM(IFNULL(LENGTH(body), 0)) OVER before - IFNULL(LENGTH(body), 0) AS bytes \
         FROM (SELECT seq, body FROM envelope WHERE seq > ?1 ORDER BY seq LIMIT ?2 + 1) \
         WINDOW before AS (ORDER BY seq)) WHERE place > ?2 OR (place > 1 AND bytes >= ?3) LIMIT 1",
    )
    .bind(query.after)
    .bind(i64::try_from(query.limit.max(1)).unwrap_or(i64::MAX).min(i64::MAX - 1))
    .bind(PAGE_BYTES)
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

async fn wraps(at: &mut SqliteConnection, query: &OutQuery, upto: i64, one: &str, two: &str) -> Result<Vec<OutItem>> {
    let rows = sqlx::query(
        "SELECT seq, hash, record, key, who, epoch, sealed FROM wrap WHERE seq > ?3 AND seq <= ?4 AND who IN (?1, ?2) \
         UNION SELECT w.seq, w.hash, w.record, w.key, w.who, w.epoch, w.sealed FROM audience a \
         JOIN projection p ON p.n = a.record JOIN wrap w ON w.record = p.record \
         WHERE a.who IN (?1, ?2) AND a.since_seq > ?3 AND a.since_seq <= ?4 AND w.who IN (?1, ?2) AND w.seq <= ?3 \
         ORDER BY seq",
    )
    .bind(one)
    .bind(two)
    .bind(query.after)
    .bind(upto)
    .fetch_all(at)
    .await?;
    rows.iter().map(wrap).collect()
}

fn wrap(row: &SqliteRow) -> Result<OutItem> {
    let damaged = || VaultError::Corrupt("a wrap's row".into());
    let to = grant_to(row.try_get("who")?, row.try_get("epoch")?).ok_or_else(damaged)?;
    let wrap = Wrap {
        record: record_id(row.try_get("record")?)?,
        key: KeyId::try_from(row.try_get::<&[u8], _>("key")?).map_err(|_| damaged())?,
        suite: seal::wrap::SUITE_AGE_X25519,
        sealed: row.try_get("sealed")?,
    };
    let held = Hash32::try_from(row.try_get::<&[u8], _>("hash")?).map_err(|_| damaged())?;
    if wrap.hash() == held { Ok(OutItem::Wrap(to, wrap)) } else { Err(damaged()) }
}

/// What records held before their new reader: all of it directly, or where we granted it; otherwise
/// our own, because every author posts its own.
async fn earlier(at: &mut SqliteConnection, query: &OutQuery, upto: i64, one: &str, two: &str) -> Result<Vec<OutItem>> {
    let rows = sqlx::query(
        "SELECT e.link, e.signature, e.body, 1 AS reads FROM (SELECT record, MAX(by_me) AS by_me FROM audience \
         WHERE who IN (?1, ?2) AND since_seq > ?3 AND since_seq <= ?4 GROUP BY record) a \
         JOIN envelope e ON e.record = a.record \
         WHERE e.seq <= ?3 AND (?5 OR a.by_me OR e.origin = 0) ORDER BY e.seq",
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

async fn later(at: &mut SqliteConnection, query: &OutQuery, upto: i64, one: &str, two: &str) -> Result<Vec<OutItem>> {
    // What came through a relay was posted by its author to the audience that the author knew; it is
    // passed on only to whoever we granted the record in this very stretch. Sorted apart ("+"), the rows of a
    // page come at once, instead of waking whoever waits for them one by one.
    let rows = sqlx::query(
        "SELECT e.link, e.signature, e.body, EXISTS \
         (SELECT 1 FROM audience a WHERE a.record = e.record AND a.who IN (?1, ?2)) AS reads \
         FROM envelope e WHERE e.seq > ?3 AND e.seq <= ?4 AND (?6 OR e.record IS NOT NULL) \
         AND NOT EXISTS (SELECT 1 FROM device d WHERE d.id = ?7 AND d.n = e.via AND e.seq > d.anew) \
         AND (?5 OR e.origin <> 3 OR EXISTS \
         (SELECT 1 FROM audience a WHERE a.record = e.record AND a.who IN (?1, ?2) AND a.by_me AND a.since_seq > ?3)) \
         ORDER BY +e.seq",
    )
    .bind(one)
    .bind(two)
    .bind(query.after)
    .bind(upto)
    .bind(query.through == Way::Direct)
    .bind(query.desk)
    .bind(query.device.filter(|_| query.through == Way::Direct).map(|id| id.0.to_vec()))
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
    let reads: bool = row.try_get("reads")?;
    if !reads && !desk {
        return Ok(None);
    }
    let envelope = envelope_of(row)?;
    Ok(match (reads && envelope.body.is_some(), desk) {
        (true, _) => Some(OutItem::Envelope(envelope)),
        (false, true) => Some(OutItem::Link(envelope.link, envelope.signature)),
        (false, false) => None,
    })
}
