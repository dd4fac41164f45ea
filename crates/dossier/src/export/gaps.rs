//! What is missing, as exporter and verifier both compute it.

use std::collections::BTreeSet;

use logbook::{Roster, Status};
use seal::{DeviceId, EntryId};

use super::CaseRecord;
use crate::chains::{Chains, Gap};
use crate::layout::Statement;

/// Numbers missing in the authors' chains, bodies missing in the records, originals that have not arrived.
pub fn gaps(statement: &Statement, records: &[CaseRecord], chains: &Chains, roster: &Roster) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for head in &statement.chains {
        gaps.extend(chains.gaps(&head.device, head.number, &who(roster, &head.device)));
    }
    for record in records {
        record_gaps(record, roster, &mut gaps);
    }
    for absent in statement.absent_exhibits.iter().filter(|absent| !absent.withheld) {
        let what = format!("the exhibit {} is not here: {}", absent.exhibit.short(), absent.why);
        gaps.push(Gap { what, record: None, device: None });
    }
    gaps
}

/// Bodies that the record's own entries show to be missing.
fn record_gaps(record: &CaseRecord, roster: &Roster, gaps: &mut Vec<Gap>) {
    let mut gap = |what: String, device: Option<DeviceId>| {
        gaps.push(Gap { what, record: Some(record.line.reference.clone()), device });
    };
    let sketched: BTreeSet<EntryId> = record.sketched.iter().map(|(id, ..)| *id).collect();
    let numbers_here: BTreeSet<(DeviceId, u64)> = record.sketched.iter().map(|(_, by, n)| (*by, *n)).collect();
    let missing = record.record.missing().difference(&sketched).count();
    if missing > 0 {
        gap(format!("{missing} entries that others here cite are missing"), None);
    }
    for (device, numbers) in record.record.gaps() {
        let missing = numbers.iter().filter(|number| !numbers_here.contains(&(device, **number))).count();
        if missing > 0 {
            gap(format!("{missing} entries by {} are missing", who(roster, &device)), Some(device));
        }
    }
    // An entry after a redacted one cannot be judged in this copy, though nothing is missing.
    let waiting = record.record.entries().iter().filter(|entry| entry.status == Status::Waiting);
    for entry in waiting.filter(|_| record.sketched.is_empty()) {
        let why = entry.reason.as_deref().unwrap_or("something that it needs is missing");
        gap(format!("entry {} cannot be judged: {why}", entry.opened.id.short()), Some(entry.opened.link.device));
    }
}

/// A device as people know it: its name and its agency, or the start of its id.
pub fn who(roster: &Roster, device: &DeviceId) -> String {
    match roster.device(device) {
        Some(known) => format!("{} ({})", known.name, known.agency),
        None => format!("device {}", device.short()),
    }
}
