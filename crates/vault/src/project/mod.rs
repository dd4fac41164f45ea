//! Projections: what lists, search and exchange read. Caches, all of them.

mod write;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use logbook::Record;
use logbook::action::RecordKind;
use logbook::record_state::{Audience, RecordState};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{FromRow, Row};

use crate::error::Result;
use crate::rows;
use crate::store::Vault;
use crate::writer::Writer;
use write::Kept;

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
    /// SHA-256 of the text that search has.
    pub words: Vec<u8>,
}

impl Listed {
    /// Where search has the record's text, without its number.
    fn shelf(&self) -> Shelf {
        Shelf::new(&self.kind, self.open)
    }
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
            listed: listed(record, &text),
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
    /// Of a kind as the database spells it.
    fn new(kind: &str, open: bool) -> Self {
        let kind = KINDS.iter().position(|(_, code)| *code == kind).unwrap_or(0);
        Self(kind as i64 * 2 + i64::from(!open))
    }
    /// Of a kind of record.
    pub(crate) fn of(kind: Option<RecordKind>, open: bool) -> Self {
        Self::new(kind_code(kind), open)
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

/// How kinds are spelt in the database, in the order of their shelves; a record whose creation is not
/// valid is of none.
const KINDS: [(Option<RecordKind>, &str); 7] = [
    (None, "none"),
    (Some(RecordKind::Incident), "incident"),
    (Some(RecordKind::Complaint), "complaint"),
    (Some(RecordKind::Brief), "brief"),
    (Some(RecordKind::SealedPart), "sealed-part"),
    (Some(RecordKind::SituationReport), "situation-report"),
    (Some(RecordKind::Handover), "handover"),
];

/// How a kind is spelt in the database.
pub(crate) fn kind_code(kind: Option<RecordKind>) -> &'static str {
    KINDS.iter().find(|(known, _)| *known == kind).map_or("none", |(_, code)| code)
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

/// A record's row, with the text that is searched.
fn listed(record: &Record, text: &str) -> Listed {
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
        words: seal::hash::sha256(text.as_bytes()).to_vec(),
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

/// Who reads some records.
const READERS: &str = "SELECT record, who FROM audience WHERE record IN ({})";

/// What the database has of these records, by their numbers.
pub(crate) async fn kept(from: &mut SqliteConnection, numbers: &[i64]) -> Result<HashMap<i64, Projected>> {
    let mut all = HashMap::with_capacity(numbers.len());
    for part in rows::parts(numbers) {
        for row in select(from, "SELECT * FROM projection WHERE n IN ({})", part).await? {
            let listed = Listed::from_row(&row)?;
            let bare = Projected { listed, asked: Vec::new(), audience: BTreeSet::new(), shown: Vec::new() };
            all.insert(row.try_get::<i64, _>("n")?, bare);
        }
        for row in select(from, "SELECT * FROM referral WHERE record IN ({}) ORDER BY record, entry", part).await? {
            let asked = Asked::from_row(&row)?;
            all.entry(row.try_get("record")?).and_modify(|kept| kept.asked.push(asked));
        }
        for row in select(from, "SELECT * FROM exhibit WHERE record IN ({}) ORDER BY record, entry", part).await? {
            let shown = Shown::from_row(&row)?;
            all.entry(row.try_get("record")?).and_modify(|kept| kept.shown.push(shown));
        }
        for row in select(from, READERS, part).await? {
            let who = row.try_get("who")?;
            all.entry(row.try_get("record")?).and_modify(|kept| _ = kept.audience.insert(who));
        }
    }
    Ok(all)
}

async fn select(from: &mut SqliteConnection, text: &str, numbers: &[i64]) -> Result<Vec<SqliteRow>> {
    let query = sqlx::query(rows::about(text, numbers.len()));
    Ok(numbers.iter().fold(query, |query, number| query.bind(number)).fetch_all(from).await?)
}

/// Projects records as they stand after this batch; `seq` is the batch's last commit number. Written is
/// what differs from what the database has.
pub(crate) async fn project(vault: &Vault, writer: &mut Writer, records: &[Touched], seq: i64) -> Result<()> {
    let known = |one: &&Touched| one.fresh || writer.projected.contains(&one.record.id());
    let unknown: Vec<i64> = records.iter().filter(|one| !known(one)).map(|one| one.number).collect();
    let mut stands = kept(&mut writer.connection, &unknown).await?;
    let mut each = Vec::with_capacity(records.len());
    for one in records {
        let held = writer.projected.get(&one.record.id()).cloned();
        let held = held.or_else(|| stands.remove(&one.number).map(Arc::new));
        each.push((one, held.map_or_else(|| Kept::Readers(BTreeSet::new()), Kept::All)));
    }
    write::all(vault, writer, each, seq).await
}

/// Projects records of which nothing stands but who reads them.
pub(crate) async fn project_anew(vault: &Vault, writer: &mut Writer, records: &[Touched], seq: i64) -> Result<()> {
    let numbers: Vec<i64> = records.iter().map(|one| one.number).collect();
    let mut readers: HashMap<i64, BTreeSet<String>> = HashMap::new();
    for part in rows::parts(&numbers) {
        for row in select(&mut writer.connection, READERS, part).await? {
            readers.entry(row.try_get("record")?).or_default().insert(row.try_get("who")?);
        }
    }
    let each = records.iter().map(|one| (one, Kept::Readers(readers.remove(&one.number).unwrap_or_default())));
    write::all(vault, writer, each.collect(), seq).await
}
