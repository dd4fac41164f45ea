//! What the bytes mean: whose signature counts, which roster judges, what each entry counts for.

use std::collections::{BTreeMap, BTreeSet};

use logbook::record::Ground;
use logbook::{Entry, Record, Roster, Status};
use seal::{DeviceId, EntryId, EnvelopeId};

use super::read::{Loaded, ReadRecord};
use super::{Dispute, LeftOut, Quarantined, Verdict, Writer};
use super::{originals, signed, standing, stated};
use crate::bag::Findings;
use crate::export::{Case, CaseRecord, gaps, report, timeline, who};
use crate::instant;
use crate::layout::{self, Statement};
use crate::outline::{Outline, Outlined};
use crate::path::BagPath;
use crate::trust::TrustFile;

/// Judges a dossier that was read. What is wrong goes into the verdict.
pub fn judge(loaded: &Loaded, findings: &Findings, trust: &TrustFile, trusted: Roster, verdict: &mut Verdict) {
    let statement = &loaded.statement;
    verdict.operation = Some(statement.operation.to_string());
    verdict.exported_at = Some(instant::utc(statement.at_ms));
    verdict.records = statement.records.iter().map(|record| record.reference.clone()).collect();
    let Some((roster, is_own)) = standing::choose(loaded, trust, trusted, verdict) else { return };
    verdict.operation_name = Some(roster.operation_name().to_owned());
    signed::check(statement, findings, &roster, verdict);
    unsigned(loaded, &roster, verdict);
    let records = fold(loaded, &roster);
    stated::check(loaded, &records, verdict);
    stated::label(statement, findings, verdict);
    verdict.gaps = gaps(statement, &records, &loaded.chains, &roster);
    statuses(loaded, &records, &roster, verdict);
    count(loaded, &roster, verdict);
    originals::check(loaded, findings, verdict);
    left_out(statement, verdict);
    derived(loaded, findings, &records, is_own, verdict);
}

/// Links whose signature does not hold, with the line or the byte where they stand.
fn unsigned(loaded: &Loaded, roster: &Roster, verdict: &mut Verdict) {
    let direct: BTreeSet<EnvelopeId> = loaded.places.keys().copied().collect();
    for (id, link) in loaded.chains.unsigned(&direct) {
        let by = who(roster, &link.device);
        let what = format!("the signature of {by} over its link {} ({}) does not hold", link.number, id.short());
        match loaded.places.get(&id) {
            Some(place) => verdict.problem(&place.list, format!("line {}: {what}", place.line)),
            None => verdict.problem(layout::chain_file(&link.device), what),
        }
    }
}

fn fold(loaded: &Loaded, roster: &Roster) -> Vec<CaseRecord> {
    let marks = loaded.chains.marks(roster);
    let ground = Ground { roster, marks: &marks };
    let one = |read: &ReadRecord| {
        let withheld = read.sketches.iter().map(|sketch| (sketch.opened.clone(), sketch.shown));
        let record = Record::fold_withheld(read.line.id, read.entries.iter().cloned(), withheld, &ground);
        let outline = Outline::of(&record);
        CaseRecord { line: read.line.clone(), record, outline }
    };
    loaded.records.iter().map(one).collect()
}

fn statuses(loaded: &Loaded, records: &[CaseRecord], roster: &Roster, verdict: &mut Verdict) {
    let mut unjudged = 0;
    for record in records {
        let reference = &record.line.reference;
        for entry in &record.outline.entries {
            let why = entry.why.clone().unwrap_or_default();
            let told = || Quarantined {
                record: reference.clone(),
                entry: entry.entry.to_string(),
                device: who(roster, &entry.device),
                why: why.clone(),
                revoked: revoked(roster, &entry.device),
            };
            match entry.status {
                Status::Quarantined => verdict.quarantined.push(told()),
                Status::NotAuthorised => verdict.not_authorised.push(Quarantined { revoked: None, ..told() }),
                Status::Rejected if entry.cited => verdict.rejected.push(Quarantined { revoked: None, ..told() }),
                Status::Rejected => {
                    let whole = record.record.entry(&entry.entry).map(|judged| judged.opened.entry.as_slice());
                    rejected(loaded, entry, whole, &why, verdict);
                }
                Status::Waiting | Status::Valid | Status::Witnessed => {}
            }
            unjudged += usize::from(entry.unjudged);
        }
        for (field, live) in record.record.state().disputes() {
            let dispute = Dispute { record: reference.clone(), field: field.to_owned(), statements: live.len() };
            verdict.disputes.push(dispute);
        }
    }
    if unjudged > 0 {
        verdict.notes.push(format!(
            "{unjudged} entries come after one of which parts are withheld: their signatures hold, but whether their authors had the right to state them can only be judged on the full copy"
        ));
    }
}

/// Names the file of an entry that is none, and where in it the one accepted form is left, if it is.
fn rejected(loaded: &Loaded, entry: &Outlined, whole: Option<&[u8]>, why: &str, verdict: &mut Verdict) {
    let Some(place) = loaded.places.get(&entry.envelope) else { return };
    let byte = whole.and_then(|bytes| {
        let again = serde_json::from_slice::<Entry>(bytes).ok()?.encode();
        (again != bytes).then(|| format!(", at byte {}", crate::first_difference(&again, bytes) + 1))
    });
    let id = entry.entry.short();
    let at = format!("{}, line {}", place.list, place.line);
    verdict.problem(
        &place.file,
        format!("entry {id} is no entry of this record: {why}{} ({at})", byte.unwrap_or_default()),
    );
}

fn revoked(roster: &Roster, device: &DeviceId) -> Option<String> {
    let revocation = roster.device(device)?.revoked.as_ref()?;
    let by = DeviceId(revocation.by.0);
    let by = if roster.device(&by).is_some() { who(roster, &by) } else { "the institution's root".to_owned() };
    Some(format!("by {by}: {}", revocation.reason))
}

fn count(loaded: &Loaded, roster: &Roster, verdict: &mut Verdict) {
    let mut by_device: BTreeMap<DeviceId, usize> = BTreeMap::new();
    let mut times: Vec<i64> = Vec::new();
    for record in &loaded.records {
        let whole = record.entries.iter().map(|opened| (opened.link.device, opened.header.wall_ms));
        let parts = record.sketches.iter().map(|s| (s.opened.link.device, s.opened.header.wall_ms));
        for (device, wall_ms) in whole.chain(parts) {
            *by_device.entry(device).or_default() += 1;
            times.push(wall_ms);
        }
        verdict.entries += record.entries.len() + record.sketches.len();
        verdict.redacted += record.sketches.len();
    }
    verdict.other_links = loaded.others;
    verdict.devices = by_device.len();
    verdict.written = times.iter().min().zip(times.iter().max()).map(|(a, b)| (instant::utc(*a), instant::utc(*b)));
    let mut agencies = BTreeSet::new();
    for (device, entries) in by_device {
        let known = roster.device(&device);
        let agency = known.map(|known| known.agency.to_string()).unwrap_or_default();
        agencies.insert(agency.clone());
        verdict.authors.push(Writer {
            device,
            name: known.map_or_else(|| device.short(), |known| known.name.clone()),
            agency,
            operator: known.and_then(|known| roster.name_of(&known.operator)).map(str::to_owned),
            entries,
        });
    }
    agencies.remove("");
    verdict.agencies = agencies.len();
}

fn left_out(statement: &Statement, verdict: &mut Verdict) {
    for other in &statement.elsewhere {
        let name = if other.reference.is_empty() { other.record.short() } else { other.reference.clone() };
        verdict.elsewhere.push(LeftOut {
            what: format!("the record {name}, linked as {}", other.relation),
            owner: other.owner.clone(),
            ground: other.ground.clone(),
        });
    }
    for redaction in &statement.redactions {
        verdict.elsewhere.push(LeftOut {
            what: format!("{} in entry {}", redaction.paths.join(", "), redaction.entry.short()),
            owner: None,
            ground: redaction.ground.clone(),
        });
    }
    for absent in statement.absent_exhibits.iter().filter(|absent| absent.withheld) {
        let what = format!("the exhibit {}", absent.exhibit.short());
        verdict.elsewhere.push(LeftOut { what, owner: None, ground: absent.why.clone() });
    }
}

/// The copies for reading decide nothing, but a reader will believe them: are they made from these entries?
fn derived(loaded: &Loaded, findings: &Findings, records: &[CaseRecord], is_own: bool, verdict: &mut Verdict) {
    let statement = &loaded.statement;
    if !statement.redactions.is_empty() {
        verdict
            .notes
            .push("report and timeline were made from the full entries; this copy cannot confirm them".to_owned());
        return;
    }
    let mut originals = BTreeMap::new();
    for (path, _) in findings.digests.iter().filter(|(path, _)| path.is_in("data/evidence")) {
        let mut parts = path.as_str().split('/').skip(2);
        if let (Some(Ok(id)), Some(name)) = (parts.next().map(str::parse::<EntryId>), parts.next())
            && name.starts_with("original.")
        {
            originals.insert(id, path.to_string());
        }
    }
    // As the exporter saw it: under the roster in the dossier, whatever judges now.
    let as_exported;
    let records = if is_own {
        records
    } else {
        as_exported = fold(loaded, &loaded.roster);
        &as_exported
    };
    let gaps = gaps(statement, records, &loaded.chains, &loaded.roster);
    let withheld = BTreeMap::new();
    let case =
        Case { statement, roster: &loaded.roster, records, gaps: &gaps, originals: &originals, withheld: &withheld };
    for (path, text) in [(layout::REPORT, report::render(&case)), (layout::TIMELINE, timeline::render(&case))] {
        let held = BagPath::parse(path).ok().and_then(|path| findings.kept.get(&path));
        if held.is_some_and(|bytes| bytes != text.as_bytes()) {
            verdict.notes.push(format!(
                "{path} is not what this version makes from the entries: it may come from another version; rely on the entries"
            ));
        }
    }
}
