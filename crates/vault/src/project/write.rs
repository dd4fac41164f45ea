//! Writing what differs of projections, many records at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use logbook::Record;
use logbook::record_state::Audience;
use seal::DeviceId;
use sqlx::sqlite::SqliteConnection;

use super::{Asked, Listed, Projected, Shown, Touched, spell};
use crate::error::Result;
use crate::rows::{self, Insert};
use crate::store::{Vault, read};
use crate::writer::Writer;

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
    record: &'a Record,
    now: Arc<Projected>,
    /// What the database has of it; none where that is nothing, its readers apart.
    before: Option<Arc<Projected>>,
    /// Its readers in the database.
    readers: BTreeSet<String>,
    /// What is searched.
    text: String,
}

impl Change<'_> {
    /// Whether a part differs from what the database has.
    fn differs<T: PartialEq>(&self, part: impl Fn(&Projected) -> &T) -> bool {
        self.before.as_deref().is_none_or(|before| part(before) != part(&self.now))
    }
}

/// What the database has of a record already.
pub(super) enum Kept {
    /// Everything that it is to have, as it was.
    All(Arc<Projected>),
    /// Nothing but who reads it, and since when.
    Readers(BTreeSet<String>),
}

/// Writes records, each with what the database has of it.
pub(super) async fn all(vault: &Vault, writer: &mut Writer, records: Vec<(&Touched, Kept)>, seq: i64) -> Result<()> {
    let me = read(&vault.inner.author).as_ref().map(|author| author.signing.device_id());
    let changes = records.into_iter().map(|(touched, kept)| {
        let (now, text) = Projected::of(&touched.record);
        let (before, readers) = match kept {
            Kept::All(before) => (Some(before.clone()), before.audience.clone()),
            Kept::Readers(readers) => (None, readers),
        };
        Change { number: touched.number, record: &touched.record, now: Arc::new(now), before, readers, text }
    });
    let changes: Vec<Change<'_>> = changes.collect();
    let to = &mut writer.connection;
    list(to, &changes).await?;
    referrals(to, &changes).await?;
    exhibits(to, &changes).await?;
    audience(to, &changes, seq, me).await?;
    // Last: the index of words writes itself out before each statement of many rows that follows.
    words(to, &changes).await?;
    for change in changes {
        writer.projected.put(change.record.id(), change.now);
    }
    Ok(())
}

const LISTED: Insert = Insert {
    head: "INSERT INTO projection (n, record, kind, reference, summary, category, severity, state, open, owner, \
           disputed, station, place, domains, exhibits, assigned, source_id, created_ms, last_ms, ref_to, ref_state, \
           ref_by_ms, waiting, lat_e7, lon_e7, words)",
    width: 26,
    tail: "ON CONFLICT (n) DO UPDATE SET record = excluded.record, kind = excluded.kind, reference = excluded.reference, \
           summary = excluded.summary, category = excluded.category, severity = excluded.severity, \
           state = excluded.state, open = excluded.open, owner = excluded.owner, disputed = excluded.disputed, \
           station = excluded.station, place = excluded.place, domains = excluded.domains, \
           exhibits = excluded.exhibits, assigned = excluded.assigned, source_id = excluded.source_id, \
           created_ms = excluded.created_ms, last_ms = excluded.last_ms, ref_to = excluded.ref_to, \
           ref_state = excluded.ref_state, ref_by_ms = excluded.ref_by_ms, waiting = excluded.waiting, \
           lat_e7 = excluded.lat_e7, lon_e7 = excluded.lon_e7, words = excluded.words",
};

/// What the common later entry changes: nothing of it is in any index, which would be written for it.
const SAID: Insert = Insert {
    head: "UPDATE projection SET last_ms = v.column2, words = v.column3, summary = v.column4, owner = v.column5, \
           disputed = v.column6, place = v.column7, domains = v.column8, exhibits = v.column9 FROM (",
    width: 9,
    tail: ") v WHERE n = v.column1",
};

/// What a step of a referral changes; one small index has it.
const STEPPED: Insert = Insert {
    head: "UPDATE projection SET ref_to = v.column2, ref_state = v.column3, ref_by_ms = v.column4 FROM (",
    width: 4,
    tail: ") v WHERE n = v.column1",
};

async fn list(to: &mut SqliteConnection, changes: &[Change<'_>]) -> Result<()> {
    let (mut whole, mut said, mut stepped) = (Vec::new(), Vec::new(), Vec::new());
    for change in changes {
        let now = &change.now.listed;
        let Some(before) = change.before.as_ref().map(|before| &before.listed) else {
            whole.push(change);
            continue;
        };
        let spoken = said_anew(before, now);
        let moved = stepped_anew(&spoken, now);
        if moved != *now {
            whole.push(change);
            continue;
        }
        if spoken != *before {
            said.push(change);
        }
        if moved != spoken {
            stepped.push(change);
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
            values.add(row.lat_e7).add(row.lon_e7).bytes(&row.words);
        })
        .await?;
    SAID.run(to, &said, |change, values| {
        let row = &change.now.listed;
        values.add(change.number).add(row.last_ms).bytes(&row.words).add(row.summary.as_str());
        values.add(row.owner.as_str()).add(row.disputed.as_str()).add(row.place.as_deref());
        values.add(row.domains.as_str()).add(row.exhibits);
    })
    .await?;
    STEPPED
        .run(to, &stepped, |change, values| {
            let row = &change.now.listed;
            values.add(change.number).add(row.ref_to.as_deref()).add(row.ref_state.as_deref()).add(row.ref_by_ms);
        })
        .await
}

/// A row with what [`SAID`] writes taken from another.
fn said_anew(before: &Listed, now: &Listed) -> Listed {
    Listed {
        last_ms: now.last_ms,
        words: now.words.clone(),
        summary: now.summary.clone(),
        owner: now.owner.clone(),
        disputed: now.disputed.clone(),
        place: now.place.clone(),
        domains: now.domains.clone(),
        exhibits: now.exhibits,
        ..before.clone()
    }
}

/// A row with what [`STEPPED`] writes taken from another.
fn stepped_anew(before: &Listed, now: &Listed) -> Listed {
    let (ref_to, ref_state) = (now.ref_to.clone(), now.ref_state.clone());
    Listed { ref_to, ref_state, ref_by_ms: now.ref_by_ms, ..before.clone() }
}

const INDEXED: Insert = Insert { head: "INSERT INTO search (rowid, text)", width: 2, tail: "" };

async fn words(to: &mut SqliteConnection, changes: &[Change<'_>]) -> Result<()> {
    let mut changed: Vec<(i64, &Change<'_>)> = Vec::new();
    for change in changes {
        let row = |projected: &Projected| projected.listed.shelf().base() + change.number;
        let place = row(&change.now);
        let stands = change.before.as_deref().map(|before| (row(before), &before.listed.words));
        if stands == Some((place, &change.now.listed.words)) {
            continue;
        }
        if let Some((stood, _)) = stands {
            sqlx::query("DELETE FROM search WHERE rowid = ?").bind(stood).execute(&mut *to).await?;
        }
        changed.push((place, change));
    }
    // In the order of their rows: the index writes itself out whenever a row comes before the last one.
    changed.sort_by_key(|(place, _)| *place);
    INDEXED
        .at_once(to, &changed, |(place, change), values| {
            values.add(*place).add(change.text.as_str());
        })
        .await
}

/// Removes what stands of a record that is projected anew.
async fn clear(to: &mut SqliteConnection, statement: &'static str, changes: &[&Change<'_>]) -> Result<()> {
    let stands = changes.iter().filter(|change| change.before.is_some());
    let numbers: Vec<i64> = stands.map(|change| change.number).collect();
    for part in rows::parts(&numbers) {
        let query = sqlx::query(rows::about(statement, part.len()));
        part.iter().fold(query, |query, number| query.bind(number)).execute(&mut *to).await?;
    }
    Ok(())
}

const ASKED: Insert = Insert {
    head: "INSERT OR REPLACE INTO referral (record, entry, asker, asked, ask, state, respond_by_ms, reason, offered_ms)",
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
    Insert { head: "INSERT OR REPLACE INTO exhibit (record, entry, address, sealed_size, author)", width: 5, tail: "" };

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
    for change in changes {
        for who in change.readers.difference(&change.now.audience) {
            sqlx::query("DELETE FROM audience WHERE record = ? AND who = ?")
                .bind(change.number)
                .bind(who)
                .execute(&mut *to)
                .await?;
        }
    }
    let new = changes.iter().flat_map(|change| {
        let new = change.now.audience.difference(&change.readers);
        new.map(|who| (change.number, who.as_str(), granted_by(change.record, who, me)))
    });
    READERS
        .run(to, &new.collect::<Vec<_>>(), |(number, who, by_me), values| {
            values.add(*number).add(*who).add(seq).add(*by_me);
        })
        .await
}
