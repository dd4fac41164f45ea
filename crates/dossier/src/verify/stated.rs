//! The statement must say what is there: counts, heads, names, chains, what is redacted.

use std::collections::BTreeMap;

use logbook::record::Shown;
use logbook::{Action, Status};
use seal::DeviceId;

use super::Verdict;
use super::read::{self, Loaded, ReadRecord};
use crate::bag::Findings;
use crate::export::CaseRecord;
use crate::instant;
use crate::layout::{self, Statement};

/// Compares the statement with what is there.
pub fn check(loaded: &Loaded, records: &[CaseRecord], verdict: &mut Verdict) {
    for (read, record) in loaded.records.iter().zip(records) {
        let line = &read.line;
        let count = (read.entries.len() + read.sketches.len()) as u64;
        if line.entries != count {
            let what = format!("it states {} entries of {}, but {count} are there", line.entries, line.reference);
            verdict.problem(layout::STATEMENT, what);
        }
        if record.outline.heads != line.heads {
            let what = format!("the last entries of {} are not those that it states", line.reference);
            verdict.problem(layout::STATEMENT, what);
        }
        if let Some(reference) = misnamed(read, record) {
            let what = format!("it calls a record \"{}\" that is called {reference}", line.reference);
            verdict.problem(layout::STATEMENT, what);
        }
    }
    chains(loaded, verdict);
    redactions(loaded, verdict);
}

/// What is written on the bag is what it holds. Whether it is in the one form was checked before.
pub fn label(statement: &Statement, findings: &Findings, verdict: &mut Verdict) {
    let at = instant::utc(statement.at_ms);
    let expected = [
        ("External-Identifier", statement.operation.to_string()),
        ("Bagging-Date", at.split('T').next().unwrap_or_default().to_owned()),
    ];
    for (label, expected) in expected {
        let other = findings.info.iter().find(|(name, value)| name == label && *value != expected);
        if let Some((_, value)) = other {
            let what = format!("{label} is \"{}\", but by the statement it is {expected}", crate::path::shown(value));
            verdict.problem("bag-info.txt", what);
        }
    }
}

/// What a record is called by its creation, if that is not what is stated. A creation that counts for nothing
/// (its device was revoked, as it may have become known since), or of which that cannot be told, gives no name
/// that must be stated; but no other name may be.
fn misnamed(read: &ReadRecord, record: &CaseRecord) -> Option<String> {
    let stated = &read.line.reference;
    let mut names: Vec<String> = Vec::new();
    for outlined in record.outline.entries.iter().filter(|entry| entry.status != Status::Rejected) {
        let whole = record.record.entry(&outlined.entry).and_then(|entry| entry.entry.as_ref());
        let Some(Action::Create(create)) = whole.map(|entry| &entry.action) else { continue };
        if outlined.status.counts() && !outlined.unjudged {
            return (create.reference != *stated).then(|| create.reference.clone());
        }
        names.push(create.reference.clone());
    }
    for sketch in read.sketches.iter().filter(|sketch| matches!(sketch.shown, Shown::Create(_) | Shown::Nothing)) {
        // A name that is withheld can be compared with nothing.
        names.push(sketch.reference.clone()?);
    }
    if stated.is_empty() || names.contains(stated) {
        return None;
    }
    names.into_iter().next()
}

/// A chain that is stated and of which less is here is a gap, told elsewhere; one that goes on, or ends
/// otherwise, is a contradiction.
fn chains(loaded: &Loaded, verdict: &mut Verdict) {
    let chains = &loaded.statement.chains;
    let stated: BTreeMap<DeviceId, _> = chains.iter().map(|head| (head.device, (head.number, head.head))).collect();
    for device in loaded.chains.devices() {
        match (stated.get(device), loaded.chains.head(device)) {
            (None, _) => {
                verdict.problem(layout::STATEMENT, format!("it does not state the chain of device {}", device.short()))
            }
            (Some(stated), Some(held)) if held.0 > stated.0 || (held.0 == stated.0 && held.1 != stated.1) => {
                verdict.problem(
                    layout::STATEMENT,
                    format!("the chain of device {} does not end as stated", device.short()),
                );
            }
            _ => {}
        }
    }
}

/// What is said to be withheld must be what is withheld: people read the statement, not the leaves.
fn redactions(loaded: &Loaded, verdict: &mut Verdict) {
    let held = read::withheld(loaded);
    let stated: BTreeMap<_, _> = loaded.statement.redactions.iter().map(|r| (r.entry, r.paths.as_slice())).collect();
    for (entry, paths) in &stated {
        let what = match held.get(entry) {
            None => format!("it calls entry {} redacted, which is whole or not here", entry.short()),
            Some(held) if held != paths => {
                format!("what it says is withheld of entry {} is not what is withheld", entry.short())
            }
            Some(_) => continue,
        };
        verdict.problem(layout::STATEMENT, what);
    }
    for entry in held.keys().filter(|entry| !stated.contains_key(entry)) {
        verdict.problem(layout::STATEMENT, format!("it does not say what is withheld of entry {}", entry.short()));
    }
}
