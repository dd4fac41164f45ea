//! Projections: what lists and search read. Caches, all of them.

use std::sync::Arc;

use logbook::Record;
use logbook::action::{Action, RecordKind};
use logbook::record_state::{Audience, RecordState};
use seal::{DeviceId, RecordId};
use sqlx::{QueryBuilder, Sqlite};

use crate::error::Result;
use crate::store::{Vault, Writer, read};

/// Rows in one statement: SQLite takes 32,766 values, a row has twenty-three.
const ROWS: usize = 200;

/// Projects records as they stand after this batch; `seq` is the batch's last commit number.
pub(crate) async fn project(
    vault: &Vault,
    writer: &mut Writer,
    records: &[(i64, Arc<Record>)],
    seq: i64,
) -> Result<()> {
    let me = read(&vault.inner.author).as_ref().map(|author| author.signing.device_id());
    for part in records.chunks(ROWS) {
        rows(writer, part).await?;
        words(writer, part).await?;
        referrals(writer, part).await?;
        audience(writer, part, seq, me).await?;
        exhibits(writer, part).await?;
    }
    Ok(())
}

/// Text of a field, or nothing.
fn text(state: &RecordState, name: &str) -> String {
    state.text(name).unwrap_or_default().to_owned()
}

fn kind(state: &RecordState) -> &'static str {
    kind_code(state.kind)
}

/// How a kind is spelt in the database; a record whose creation is not valid is of none.
pub(crate) fn kind_code(kind: Option<RecordKind>) -> &'static str {
    match kind {
        Some(RecordKind::Incident) => "incident",
        Some(RecordKind::Complaint) => "complaint",
        Some(RecordKind::Brief) => "brief",
        Some(RecordKind::SealedPart) => "sealed-part",
        None => "none",
    }
}

async fn rows(writer: &mut Writer, records: &[(i64, Arc<Record>)]) -> Result<()> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "INSERT OR REPLACE INTO projection (n, record, kind, reference, summary, category, severity, state, open, owner, \
         disputed, station, place, domains, exhibits, assigned, source_id, created_ms, last_ms, ref_to, ref_state, \
         ref_by_ms, waiting) ",
    );
    query.push_values(records, |mut tuple, (number, record)| {
        let state = record.state();
        let open = !state.incident.state().is_closed() && state.duplicate_of().is_none();
        let mut disputed: Vec<&str> = state.disputes().map(|(name, _)| name).collect();
        if state.incident.disputed() {
            disputed.push("state");
        }
        // The referral that most wants attention: one without an answer, else the newest.
        let asked = state.referrals.values().max_by_key(|r| (r.flow.state().is_waiting(), r.offered.wall_ms));
        let domains = state.field("domains").map(ToString::to_string).unwrap_or_default();
        tuple
            .push_bind(*number)
            .push_bind(record.id().0.to_vec())
            .push_bind(kind(state))
            .push_bind(state.reference.clone())
            .push_bind(text(state, "summary"))
            .push_bind(text(state, "category"))
            .push_bind(state.number("severity").unwrap_or(0))
            .push_bind(state.state_code())
            .push_bind(open)
            .push_bind(state.owner.as_ref().map(ToString::to_string).unwrap_or_default())
            .push_bind(disputed.join(","))
            .push_bind(state.text("station").map(str::to_owned))
            .push_bind(state.text("place").map(str::to_owned))
            .push_bind(domains)
            .push_bind(state.exhibits.len() as i64)
            .push_bind(state.text("assigned").map(str::to_owned))
            .push_bind(state.text("source_id").map(str::to_owned))
            .push_bind(state.created.as_ref().map_or(0, |mark| mark.wall_ms))
            .push_bind(state.last.as_ref().map_or(0, |mark| mark.wall_ms))
            .push_bind(asked.map(|referral| referral.to.to_string()))
            .push_bind(asked.map(|referral| referral.flow.state().code()))
            .push_bind(asked.and_then(|referral| referral.respond_by_ms))
            .push_bind(record.waiting() as i64);
    });
    query.build().execute(&mut writer.connection).await?;
    Ok(())
}

/// What is searched: what valid entries say, and nothing else.
fn indexed(state: &RecordState) -> String {
    let mut all = state.reference.clone();
    for (_, live) in state.fields() {
        for held in live {
            if let Some(text) = held.value.text() {
                all.push(' ');
                all.push_str(text);
            }
        }
    }
    for note in &state.notes {
        all.push(' ');
        all.push_str(&note.text);
    }
    for exhibit in state.exhibits.values() {
        all.push(' ');
        all.push_str(exhibit.exhibit.description.as_deref().unwrap_or(&exhibit.exhibit.name));
    }
    all
}

async fn words(writer: &mut Writer, records: &[(i64, Arc<Record>)]) -> Result<()> {
    let mut changed = Vec::new();
    for (number, record) in records {
        let text = if record.state().exists() { indexed(record.state()) } else { String::new() };
        let hash = seal::hash::sha256(text.as_bytes());
        if writer.words.get(&record.id()) != Some(&hash) {
            writer.words.put(record.id(), hash);
            changed.push((*number, text));
        }
    }
    if changed.is_empty() {
        return Ok(());
    }
    // Contentless FTS replaces a row by its number.
    let mut query = QueryBuilder::<Sqlite>::new("INSERT OR REPLACE INTO search (rowid, text) ");
    query.push_values(&changed, |mut tuple, (number, text)| {
        tuple.push_bind(*number).push_bind(text.as_str());
    });
    query.build().execute(&mut writer.connection).await?;
    Ok(())
}

async fn referrals(writer: &mut Writer, records: &[(i64, Arc<Record>)]) -> Result<()> {
    let all: Vec<_> = records
        .iter()
        .flat_map(|(number, record)| {
            record.state().referrals.iter().map(move |(id, referral)| (*number, *id, referral))
        })
        .collect();
    if all.is_empty() {
        return Ok(());
    }
    for part in all.chunks(ROWS) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT OR REPLACE INTO referral (record, entry, asker, asked, ask, state, respond_by_ms, reason, offered_ms) ",
        );
        query.push_values(part, |mut tuple, (number, id, referral)| {
            tuple
                .push_bind(*number)
                .push_bind(id.0.to_vec())
                .push_bind(referral.from.to_string())
                .push_bind(referral.to.to_string())
                .push_bind(referral.ask.code())
                .push_bind(referral.flow.state().code())
                .push_bind(referral.respond_by_ms)
                .push_bind(referral.reason().map(str::to_owned))
                .push_bind(referral.offered.wall_ms);
        });
        query.build().execute(&mut writer.connection).await?;
    }
    Ok(())
}

fn who(member: &Audience) -> String {
    match member {
        Audience::Agency(id) => format!("a:{id}"),
        Audience::Device(id) => format!("d:{id}"),
    }
}

/// Whether this device stated a member's newest grant: then it is the one that passes the whole
/// record on.
fn granted_by(record: &Record, member: &Audience, me: Option<DeviceId>) -> bool {
    let mut entries = record.entries().iter().rev();
    let newest = entries.find(|judged| {
        let grants = judged.entry.as_ref().map(|entry| entry.action.grants()).unwrap_or_default();
        judged.status.counts() && grants.iter().any(|grant| Audience::from(&grant.to) == *member)
    });
    newest.is_some_and(|judged| Some(judged.opened.link.device) == me)
}

async fn audience(writer: &mut Writer, records: &[(i64, Arc<Record>)], seq: i64, me: Option<DeviceId>) -> Result<()> {
    let mut all = Vec::new();
    let mut ended = Vec::new();
    for (number, record) in records {
        let audience = record.state().audience();
        let unshared = record
            .entries()
            .iter()
            .any(|judged| judged.entry.as_ref().is_some_and(|entry| matches!(entry.action, Action::Unshare(_))));
        if unshared {
            ended.push((*number, audience.iter().map(who).collect::<Vec<_>>()));
        }
        all.extend(audience.into_iter().map(|member| (*number, who(&member), granted_by(record, &member, me))));
    }
    for (number, stay) in ended {
        let mut query = QueryBuilder::<Sqlite>::new("DELETE FROM audience WHERE record = ");
        query.push_bind(number).push(" AND who NOT IN (");
        let mut list = query.separated(", ");
        for name in stay {
            list.push_bind(name);
        }
        query.push(")");
        query.build().execute(&mut writer.connection).await?;
    }
    for part in all.chunks(ROWS) {
        let mut query = QueryBuilder::<Sqlite>::new("INSERT OR IGNORE INTO audience (record, who, since_seq, by_me) ");
        query.push_values(part, |mut tuple, (number, who, by_me)| {
            tuple.push_bind(*number).push_bind(who.as_str()).push_bind(seq).push_bind(*by_me);
        });
        query.build().execute(&mut writer.connection).await?;
    }
    Ok(())
}

async fn exhibits(writer: &mut Writer, records: &[(i64, Arc<Record>)]) -> Result<()> {
    let all: Vec<_> = records
        .iter()
        .flat_map(|(number, record)| {
            record.state().exhibits.iter().map(move |(id, held)| (*number, *id, &held.exhibit))
        })
        .collect();
    for part in all.chunks(ROWS) {
        let mut query =
            QueryBuilder::<Sqlite>::new("INSERT OR IGNORE INTO exhibit (record, entry, address, sealed_size) ");
        query.push_values(part, |mut tuple, (number, id, exhibit)| {
            tuple
                .push_bind(*number)
                .push_bind(id.0.to_vec())
                .push_bind(exhibit.address.0.to_vec())
                .push_bind(exhibit.sealed_size as i64);
        });
        query.build().execute(&mut writer.connection).await?;
    }
    Ok(())
}

/// Forgets what was cached about the projections of these records.
pub(crate) fn forget(writer: &mut Writer, records: &[RecordId]) {
    for record in records {
        writer.words.pop(record);
    }
}
