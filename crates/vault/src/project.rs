//! Projections: what lists, search and exchange read. Caches, all of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use logbook::Record;
use logbook::action::RecordKind;
use logbook::record_state::{Audience, RecordState};
use seal::{DeviceId, RecordId};
use sqlx::sqlite::SqliteConnection;

use crate::error::Result;
use crate::rows::{self, Insert};
use crate::store::{Vault, read};
use crate::writer::Writer;

/// A record to be projected.
pub(crate) struct Touched {
    /// Its number in the database.
    pub number: i64,
    /// Whether the database has no projection of it yet.
    pub fresh: bool,
    /// As it stands.
    pub record: Arc<Record>,
}

/// A row of `projection`, without its number.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Listed {
    pub record: Vec<u8>,
    pub kind: String,
    pub reference: String,
    pub summary: String,
    pub category: String,
    pub severity: i64,
    pub state: String,
    pub open: bool,
    pub owner: String,
    pub disputed: String,
    pub station: Option<String>,
    pub place: Option<String>,
    pub domains: String,
    pub exhibits: i64,
    pub assigned: Option<String>,
    pub source_id: Option<String>,
    pub created_ms: i64,
    pub last_ms: i64,
    pub ref_to: Option<String>,
    pub ref_state: Option<String>,
    pub ref_by_ms: Option<i64>,
    pub waiting: i64,
    pub lat_e7: Option<i64>,
    pub lon_e7: Option<i64>,
}

/// A row of `referral`, without the record's number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
pub(crate) struct Asked {
    pub entry: Vec<u8>,
    pub asker: String,
    pub asked: String,
    pub ask: String,
    pub state: String,
    pub respond_by_ms: Option<i64>,
    pub reason: Option<String>,
    pub offered_ms: i64,
}

/// A row of `exhibit`, without the record's number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
pub(crate) struct Shown {
    pub entry: Vec<u8>,
    pub address: Vec<u8>,
    pub sealed_size: i64,
    pub author: Vec<u8>,
}

/// All that is projected of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Projected {
    pub listed: Listed,
    /// Where search has the record's text, without its number; and the text's hash.
    pub words: (Shelf, [u8; 32]),
    pub asked: Vec<Asked>,
    pub audience: BTreeSet<String>,
    pub shown: Vec<Shown>,
}

impl Projected {
    /// What follows from a record; and the text that is searched.
    pub(crate) fn of(record: &Record) -> (Self, String) {
        let state = record.state();
        let text = if state.exists() { indexed(state) } else { String::new() };
        let projected = Self {
            words: (Shelf::of(state), seal::hash::sha256(text.as_bytes())),
            listed: listed(record),
            asked: asked(state),
            audience: state.audience().iter().map(spell).collect(),
            shown: shown(state),
        };
        (projected, text)
    }
}

/// A part of the index of words. Its rows are numbered shelf by shelf, so that a search in one kind of
/// record, all or the open ones, is one range, and is counted without a look at any list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shelf(i64);

impl Shelf {
    /// Bits for a record's number: a thousand times the largest vault that was measured.
    const NUMBER: u32 = 40;
    /// Shelves there are: seven kinds, open and closed.
    const ALL: i64 = 14;

    fn of(state: &RecordState) -> Self {
        Self::new(state.kind, is_open(state))
    }
    pub(crate) fn new(kind: Option<RecordKind>, open: bool) -> Self {
        let kind = match kind {
            None => 0,
            Some(RecordKind::Incident) => 1,
            Some(RecordKind::Complaint) => 2,
            Some(RecordKind::Brief) => 3,
            Some(RecordKind::SealedPart) => 4,
            Some(RecordKind::SituationReport) => 5,
            Some(RecordKind::Handover) => 6,
        };
        Self(kind * 2 + i64::from(!open))
    }
    /// What is added to a record's number.
    pub(crate) fn base(self) -> i64 {
        self.0 << Self::NUMBER
    }
    /// The rows of this shelf: from, and up to but without.
    pub(crate) fn range(self) -> (i64, i64) {
        (self.base(), Self(self.0 + 1).base())
    }
}

fn is_open(state: &RecordState) -> bool {
    !state.incident.state().is_closed() && state.duplicate_of().is_none()
}

/// How a kind is spelt in the database; a record whose creation is not valid is of none.
pub(crate) fn kind_code(kind: Option<RecordKind>) -> &'static str {
    match kind {
        Some(RecordKind::Incident) => "incident",
        Some(RecordKind::Complaint) => "complaint",
        Some(RecordKind::Brief) => "brief",
        Some(RecordKind::SealedPart) => "sealed-part",
        Some(RecordKind::SituationReport) => "situation-report",
        Some(RecordKind::Handover) => "handover",
        None => "none",
    }
}

/// A recipient as the database spells it.
pub(crate) fn spell(member: &Audience) -> String {
    match member {
        Audience::Agency(id) => format!("a:{id}"),
        Audience::Device(id) => format!("d:{id}"),
    }
}

/// Where it is; half a pair of coordinates is no place.
fn point(state: &RecordState) -> Option<(i64, i64)> {
    state.number("lat_e7").zip(state.number("lon_e7"))
}

fn listed(record: &Record) -> Listed {
    let state = record.state();
    let point = point(state);
    let owned = |name| state.text(name).map(str::to_owned);
    let mut disputed: Vec<&str> = state.disputes().map(|(name, _)| name).collect();
    if state.incident.disputed() {
        disputed.push("state");
    }
    // The referral that most wants attention: one without an answer, else the newest.
    let asked = state.referrals.values().max_by_key(|r| (r.flow.state().is_waiting(), r.offered.wall_ms));
    Listed {
        record: record.id().0.to_vec(),
        kind: kind_code(state.kind).into(),
        reference: state.reference.clone(),
        summary: owned("summary").unwrap_or_default(),
        category: owned("category").unwrap_or_default(),
        severity: state.number("severity").unwrap_or(0),
        state: state.state_code().into(),
        open: is_open(state),
        owner: state.owner.as_ref().map(ToString::to_string).unwrap_or_default(),
        disputed: disputed.join(","),
        station: owned("station"),
        place: owned("place"),
        domains: state.field("domains").map(ToString::to_string).unwrap_or_default(),
        exhibits: state.exhibits.len() as i64,
        assigned: owned("assigned"),
        source_id: owned("source_id"),
        created_ms: state.created.as_ref().map_or(0, |mark| mark.wall_ms),
        last_ms: state.last.as_ref().map_or(0, |mark| mark.wall_ms),
        ref_to: asked.map(|referral| referral.to.to_string()),
        ref_state: asked.map(|referral| referral.flow.state().code().into()),
        ref_by_ms: asked.and_then(|referral| referral.respond_by_ms),
        waiting: record.waiting() as i64,
        lat_e7: point.map(|(lat, _)| lat),
        lon_e7: point.map(|(_, lon)| lon),
    }
}

fn asked(state: &RecordState) -> Vec<Asked> {
    let rows = state.referrals.iter().map(|(id, referral)| Asked {
        entry: id.0.to_vec(),
        asker: referral.from.to_string(),
        asked: referral.to.to_string(),
        ask: referral.ask.code().into(),
        state: referral.flow.state().code().into(),
        respond_by_ms: referral.respond_by_ms,
        reason: referral.reason().map(str::to_owned),
        offered_ms: referral.offered.wall_ms,
    });
    rows.collect()
}

fn shown(state: &RecordState) -> Vec<Shown> {
    let rows = state.exhibits.iter().map(|(id, held)| Shown {
        entry: id.0.to_vec(),
        address: held.exhibit.address.0.to_vec(),
        sealed_size: held.exhibit.sealed_size as i64,
        author: held.mark.device.0.to_vec(),
    });
    rows.collect()
}

/// What is searched: what valid entries say, and nothing else.
fn indexed(state: &RecordState) -> String {
    let mut all = state.reference.clone();
    let mut add = |text: &str| {
        all.push(' ');
        all.push_str(text);
    };
    for (_, live) in state.fields() {
        live.iter().filter_map(|held| held.value.text()).for_each(&mut add);
    }
    state.notes.iter().for_each(|note| add(&note.text));
    for held in state.exhibits.values() {
        add(held.exhibit.description.as_deref().unwrap_or(&held.exhibit.name));
    }
    all
}

/// Whether this device stated a member's newest grant: then it is the one that passes the whole
/// record on.
fn granted_by(record: &Record, member: &str, me: Option<DeviceId>) -> bool {
    let mut entries = record.entries().iter().rev();
    let newest = entries.find(|judged| {
        let grants = judged.entry.as_ref().map(|entry| entry.action.grants()).unwrap_or_default();
        judged.status.counts() && grants.iter().any(|grant| spell(&Audience::from(&grant.to)) == member)
    });
    newest.is_some_and(|judged| Some(judged.opened.link.device) == me)
}

/// What is to be written of one record.
struct Change<'a> {
    number: i64,
    fresh: bool,
    record: &'a Record,
    now: Arc<Projected>,
    before: Option<Arc<Projected>>,
    text: String,
}

impl Change<'_> {
    /// Whether a part differs from what the database has, as far as that is known.
    fn differs<T: PartialEq>(&self, part: impl Fn(&Projected) -> &T) -> bool {
        self.before.as_deref().is_none_or(|before| part(before) != part(&self.now))
    }
}

/// Projects records as they stand after this batch; `seq` is the batch's last commit number.
pub(crate) async fn project(vault: &Vault, writer: &mut Writer, records: &[Touched], seq: i64) -> Result<()> {
    let me = read(&vault.inner.author).as_ref().map(|author| author.signing.device_id());
    let mut changes = Vec::with_capacity(records.len());
    for touched in records {
        let (now, text) = Projected::of(&touched.record);
        changes.push(Change {
            number: touched.number,
            fresh: touched.fresh,
            record: &touched.record,
            before: writer.projected.get(&touched.record.id()).cloned(),
            now: Arc::new(now),
            text,
        });
    }
    let to = &mut writer.connection;
    list(to, &changes).await?;
    words(to, &changes).await?;
    referrals(to, &changes).await?;
    exhibits(to, &changes).await?;
    audience(to, &changes, seq, me).await?;
    for change in changes {
        writer.projected.put(change.record.id(), change.now);
    }
    Ok(())
}

const LISTED: Insert = Insert {
    head: "INSERT INTO projection (n, record, kind, reference, summary, category, severity, state, open, owner, \
           disputed, station, place, domains, exhibits, assigned, source_id, created_ms, last_ms, ref_to, ref_state, \
           ref_by_ms, waiting, lat_e7, lon_e7)",
    width: 25,
    tail: "ON CONFLICT (n) DO UPDATE SET record = excluded.record, kind = excluded.kind, reference = excluded.reference, \
           summary = excluded.summary, category = excluded.category, severity = excluded.severity, \
           state = excluded.state, open = excluded.open, owner = excluded.owner, disputed = excluded.disputed, \
           station = excluded.station, place = excluded.place, domains = excluded.domains, \
           exhibits = excluded.exhibits, assigned = excluded.assigned, source_id = excluded.source_id, \
           created_ms = excluded.created_ms, last_ms = excluded.last_ms, ref_to = excluded.ref_to, \
           ref_state = excluded.ref_state, ref_by_ms = excluded.ref_by_ms, waiting = excluded.waiting, \
           lat_e7 = excluded.lat_e7, lon_e7 = excluded.lon_e7",
};

async fn list(to: &mut SqliteConnection, changes: &[Change<'_>]) -> Result<()> {
    let mut whole = Vec::new();
    for change in changes.iter().filter(|change| change.differs(|p| &p.listed)) {
        // The common change, a later entry that moves no list, touches no index.
        let last_ms = change.now.listed.last_ms;
        let moved = change.before.as_ref().map(|before| Listed { last_ms, ..before.listed.clone() });
        if moved.is_some_and(|moved| moved == change.now.listed) {
            sqlx::query("UPDATE projection SET last_ms = ? WHERE n = ?")
                .bind(last_ms)
                .bind(change.number)
                .execute(&mut *to)
                .await?;
        } else {
            whole.push(change);
        }
    }
    LISTED
        .run(to, &whole, |change, values| {
            let row = &change.now.listed;
            values.add(change.number).bytes(&row.record).add(row.kind.as_str()).add(row.reference.as_str());
            values.add(row.summary.as_str()).add(row.category.as_str()).add(row.severity).add(row.state.as_str());
            values.add(row.open).add(row.owner.as_str()).add(row.disputed.as_str()).add(row.station.as_deref());
            values.add(row.place.as_deref()).add(row.domains.as_str()).add(row.exhibits);
            values.add(row.assigned.as_deref()).add(row.source_id.as_deref()).add(row.created_ms).add(row.last_ms);
            values.add(row.ref_to.as_deref()).add(row.ref_state.as_deref()).add(row.ref_by_ms).add(row.waiting);
            values.add(row.lat_e7).add(row.lon_e7);
        })
        .await
}

const INDEXED: Insert = Insert { head: "INSERT INTO search (rowid, text)", width: 2, tail: "" };

async fn words(to: &mut SqliteConnection, changes: &[Change<'_>]) -> Result<()> {
    let mut changed: Vec<&Change<'_>> = changes.iter().filter(|change| change.differs(|p| &p.words)).collect();
    // In the order of their rows: the index writes itself out whenever a row comes before the last one.
    changed.sort_by_key(|change| change.now.words.0.base() + change.number);
    for change in changed.iter().filter(|change| !change.fresh) {
        let shelves = match &change.before {
            Some(before) => vec![before.words.0],
            None => (0..Shelf::ALL).map(Shelf).collect(),
        };
        for shelf in shelves {
            sqlx::query("DELETE FROM search WHERE rowid = ?")
                .bind(shelf.base() + change.number)
                .execute(&mut *to)
                .await?;
        }
    }
    INDEXED
        .run(to, &changed, |change, values| {
            values.add(change.now.words.0.base() + change.number).add(change.text.as_str());
        })
        .await
}

/// Removes what stands of a record that is projected anew.
async fn clear(to: &mut SqliteConnection, statement: &'static str, changes: &[&Change<'_>]) -> Result<()> {
    let numbers: Vec<i64> = changes.iter().filter(|change| !change.fresh).map(|change| change.number).collect();
    for part in rows::parts(&numbers) {
        let query = sqlx::query(rows::about(statement, part.len()));
        part.iter().fold(query, |query, number| query.bind(number)).execute(&mut *to).await?;
    }
    Ok(())
}

const ASKED: Insert = Insert {
    head: "INSERT INTO referral (record, entry, asker, asked, ask, state, respond_by_ms, reason, offered_ms)",
    width: 9,
    tail: "",
};

async fn referrals(to: &mut SqliteConnection, changes: &[Change<'_>]) -> Result<()> {
    let changed: Vec<&Change<'_>> = changes.iter().filter(|change| change.differs(|p| &p.asked)).collect();
    clear(to, "DELETE FROM referral WHERE record IN ({})", &changed).await?;
    let rows: Vec<(i64, &Asked)> =
        changed.iter().flat_map(|change| change.now.asked.iter().map(|row| (change.number, row))).collect();
    ASKED
        .run(to, &rows, |(number, row), values| {
            values.add(*number).bytes(&row.entry).add(row.asker.as_str()).add(row.asked.as_str());
            values.add(row.ask.as_str()).add(row.state.as_str()).add(row.respond_by_ms).add(row.reason.as_deref());
            values.add(row.offered_ms);
        })
        .await
}

const SHOWN: Insert =
    Insert { head: "INSERT INTO exhibit (record, entry, address, sealed_size, author)", width: 5, tail: "" };

async fn exhibits(to: &mut SqliteConnection, changes: &[Change<'_>]) -> Result<()> {
    let changed: Vec<&Change<'_>> = changes.iter().filter(|change| change.differs(|p| &p.shown)).collect();
    clear(to, "DELETE FROM exhibit WHERE record IN ({})", &changed).await?;
    let rows: Vec<(i64, &Shown)> =
        changed.iter().flat_map(|change| change.now.shown.iter().map(|row| (change.number, row))).collect();
    SHOWN
        .run(to, &rows, |(number, row), values| {
            values.add(*number).bytes(&row.entry).bytes(&row.address).add(row.sealed_size).bytes(&row.author);
        })
        .await
}

const READERS: Insert =
    Insert { head: "INSERT OR IGNORE INTO audience (record, who, since_seq, by_me)", width: 4, tail: "" };

/// Who reads, and since when: a member that stays keeps its place, one that goes loses it.
async fn audience(to: &mut SqliteConnection, changes: &[Change<'_>], seq: i64, me: Option<DeviceId>) -> Result<()> {
    let changed: Vec<&Change<'_>> = changes.iter().filter(|change| change.differs(|p| &p.audience)).collect();
    for change in changed.iter().filter(|change| !change.fresh) {
        let held: Vec<(String,)> =
            sqlx::query_as("SELECT who FROM audience WHERE record = ?").bind(change.number).fetch_all(&mut *to).await?;
        for (who,) in held.into_iter().filter(|(who,)| !change.now.audience.contains(who)) {
            sqlx::query("DELETE FROM audience WHERE record = ? AND who = ?")
                .bind(change.number)
                .bind(who)
                .execute(&mut *to)
                .await?;
        }
    }
    let rows: Vec<(i64, String, bool)> = changed
        .iter()
        .flat_map(|change| {
            let of = |who: &'_ String| (change.number, who.clone(), granted_by(change.record, who, me));
            change.now.audience.iter().map(of)
        })
        .collect();
    READERS
        .run(to, &rows, |(number, who, by_me), values| {
            values.add(*number).add(who.as_str()).add(seq).add(*by_me);
        })
        .await
}

/// Forgets what was remembered of the projections of a record.
pub(crate) fn forget(writer: &mut Writer, record: &RecordId) {
    writer.projected.pop(record);
}
