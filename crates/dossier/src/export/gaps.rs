//! What is missing, as exporter and verifier both compute it.

use logbook::{Roster, Status};
use seal::DeviceId;

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

/// Bodies that the record's own entries show to be missing, redacted ones included: their headers are in full
/// view.
fn record_gaps(record: &CaseRecord, roster: &Roster, gaps: &mut Vec<Gap>) {
    let mut gap = |what: String, device: Option<DeviceId>| {
        gaps.push(Gap { what, record: Some(record.line.reference.clone()), device });
    };
    let outline = &record.outline;
    if outline.missing > 0 {
        gap(format!("{} entries that others here cite are missing", outline.missing), None);
    }
    for (device, missing) in &outline.lacking {
        gap(format!("{missing} entries by {} are missing", who(roster, device)), Some(*device));
    }
    for entry in outline.entries.iter().filter(|entry| entry.status == Status::Waiting) {
        let why = entry.why.as_deref().unwrap_or("something that it needs is missing");
        gap(format!("entry {} cannot be judged: {why}", entry.entry.short()), Some(entry.device));
    }
}

/// A device as people know it: its name and its agency, or the start of its id.
pub fn who(roster: &Roster, device: &DeviceId) -> String {
    match roster.device(device) {
        Some(known) => format!("{} ({})", known.name, known.agency),
        None => format!("device {}", device.short()),
    }
}
