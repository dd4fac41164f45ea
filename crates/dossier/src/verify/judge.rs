//! What the bytes mean: whose signature counts, which roster judges, what each entry counts for.

use std::collections::{BTreeMap, BTreeSet};

use logbook::record::Ground;
use logbook::roster::RosterObject;
use logbook::{Record, Roster, Status};
use seal::id::to_hex;
use seal::{DeviceId, EntryId};

use super::read::{self, Loaded};
use super::{Dispute, LeftOut, Quarantined, Verdict, Writer};
use crate::bag::Findings;
use crate::export::{Case, CaseRecord, gaps, report, timeline, who};
use crate::layout::{self, Statement};
use crate::path::BagPath;
use crate::sshsig::{self, SshSig};
use crate::trust::TrustFile;
use crate::{instant, seal_file};

/// Judges a dossier that was read. What is wrong goes into the verdict.
pub fn judge(loaded: &Loaded, findings: &Findings, trust: &TrustFile, trusted: Roster, verdict: &mut Verdict) {
    let statement = &loaded.statement;
    verdict.operation = Some(statement.operation.to_string());
    verdict.exported_at = Some(instant::utc(statement.at_ms));
    verdict.records = statement.records.iter().map(|record| record.reference.clone()).collect();
    let Some((roster, is_own)) = choose(loaded, trust, trusted, verdict) else { return };
    verdict.operation_name = Some(roster.operation_name().to_owned());
    signatures(statement, findings, &roster, verdict);
    for (id, link) in loaded.chains.unsigned(&loaded.direct) {
        let by = who(&roster, &link.device);
        verdict.problem(
            "",
            format!("the signature of {by} over its entry {} ({}) does not hold", link.number, id.short()),
        );
    }
    let records = fold(loaded, &roster);
    stated(loaded, &records, verdict);
    verdict.gaps = gaps(statement, &records, &loaded.chains, &roster);
    statuses(loaded, &records, &roster, verdict);
    count(loaded, &roster, verdict);
    exhibits(loaded, findings, verdict);
    left_out(statement, verdict);
    derived(loaded, findings, &records, is_own, verdict);
}

/// The longer roster judges, so that a dossier cannot hide a revocation; two that do not continue each
/// other judge nothing.
///
/// Gives the roster, and whether it is the dossier's own.
fn choose(loaded: &Loaded, trust: &TrustFile, trusted: Roster, verdict: &mut Verdict) -> Option<(Roster, bool)> {
    let own = &loaded.roster;
    if own.operation() != trusted.operation() || loaded.statement.operation != trust.operation {
        verdict.problem("", "it belongs to another operation than the trust file");
        return None;
    }
    let view = own.view(&loaded.statement.roster);
    if view.is_none_or(|view| own.current_view().as_ref() != Some(view)) {
        verdict.problem(layout::ROSTER, "it is not the roster that the exporter states");
    }
    if own.extends(&trusted) {
        // Where the two are equally long, the trust file's date is the better known.
        let same = trusted.extends(own);
        verdict.as_of = Some(if same { trust.as_of.clone() } else { instant::utc(loaded.statement.at_ms) });
        return Some((own.clone(), true));
    }
    verdict.as_of = Some(trust.as_of.clone());
    if !trusted.extends(own) {
        verdict.problem(
            layout::ROSTER,
            "neither its roster nor that of the trust file continues the other: ask for a newer trust file, and beware of two histories",
        );
        return None;
    }
    // Views and names are proved by their hashes, so they may come from the dossier.
    let mut judging = trusted;
    let extra = own.objects().into_iter().filter(|o| matches!(o, RosterObject::View(_) | RosterObject::Name(_)));
    judging.add_all(extra);
    Some((judging, false))
}

/// Tag manifest and seal must be signed by the stated exporter, and the exporter must be a device in good
/// standing of the stated agency.
fn signatures(statement: &Statement, findings: &Findings, roster: &Roster, verdict: &mut Verdict) {
    let exporter = statement.exporter;
    verdict.exported_by = Some(who(roster, &exporter));
    verdict.fingerprint = Some(sshsig::fingerprint(&exporter.0));
    match roster.device(&exporter) {
        None => verdict.problem("signatures", "it was signed by a device that the roster does not know"),
        Some(device) if device.agency.as_str() != statement.agency => {
            verdict.problem(layout::STATEMENT, "the exporting device belongs to another institution than stated");
        }
        Some(device) => {
            if let Some(revocation) = &device.revoked {
                let what = format!(
                    "the device that signed it was revoked ({}): ask the institution for a copy signed by another",
                    revocation.reason
                );
                verdict.problem("signatures", what);
            }
        }
    }
    let sealed_by = seal_file::check(findings, &mut verdict.problems);
    if sealed_by.is_some_and(|key| key != exporter.0) {
        verdict.problem(seal_file::SEAL_SIGNATURE, "it is signed by another key than the exporter's");
    }
    let manifest = BagPath::parse("tagmanifest-sha256.txt").ok().and_then(|path| findings.kept.get(&path));
    let hash = manifest.map(|bytes| sshsig::sha512(bytes));
    let mut signed = false;
    for (path, bytes) in findings.kept.iter().filter(|(path, _)| path.is_in("signatures")) {
        let name = path.name();
        let of = name.strip_prefix("tagmanifest-sha256.txt.").and_then(|rest| rest.strip_suffix(".sig"));
        if let Some(agency) = of {
            let holds = hash.ok_or("there is nothing that it signs".to_owned()).and_then(|hash| {
                let parsed = SshSig::parse(bytes).map_err(|error| error.to_string())?;
                parsed.verify(&hash).map_err(|error| error.to_string())?;
                Ok(DeviceId(parsed.key))
            });
            match holds {
                Ok(key) if roster.device(&key).is_none_or(|device| device.agency.as_str() != agency) => {
                    verdict.problem(path, "it is signed by a key that is not of this institution");
                }
                Ok(key) => signed |= key == exporter && agency == statement.agency,
                Err(why) => verdict.problem(path, why),
            }
        } else if name == layout::ALLOWED_SIGNERS {
            if *bytes != sshsig::allowed_signer(&statement.agency, &exporter.0).into_bytes() {
                verdict.problem(path, "it names another key than the exporter's");
            }
        } else if !["seal.txt", "seal.txt.sig", "tagmanifest-sha256.txt.tsr", "tsa-chain.pem", "bundle.tlog-proof"]
            .contains(&name)
        {
            verdict.problem(path, "a dossier has no such file among its signatures");
        }
    }
    if !signed {
        verdict.problem("signatures", "the exporter's signature over the whole is missing");
    }
}

fn fold(loaded: &Loaded, roster: &Roster) -> Vec<CaseRecord> {
    let marks = loaded.chains.marks(roster);
    let ground = Ground { roster, marks: &marks };
    loaded
        .records
        .iter()
        .map(|read| CaseRecord {
            line: read.line.clone(),
            record: Record::fold(read.line.id, read.entries.iter().cloned(), &ground),
            sketched: read.sketches.iter().map(|s| (s.entry, s.link.device, s.header.number)).collect(),
        })
        .collect()
}

/// The statement must say what is there: counts, heads, chains, what is redacted.
fn stated(loaded: &Loaded, records: &[CaseRecord], verdict: &mut Verdict) {
    let statement = &loaded.statement;
    for (read, record) in loaded.records.iter().zip(records) {
        let count = (read.entries.len() + read.sketches.len()) as u64;
        if read.line.entries != count {
            let what =
                format!("it states {} entries of {}, but {count} are there", read.line.entries, read.line.reference);
            verdict.problem(layout::STATEMENT, what);
        }
        if read.sketches.is_empty() && record.record.heads() != read.line.heads {
            let what = format!("the last entries of {} are not those that it states", read.line.reference);
            verdict.problem(layout::STATEMENT, what);
        }
        let reference = &record.record.state().reference;
        if read.sketches.is_empty() && record.record.state().exists() && *reference != read.line.reference {
            verdict.problem(
                layout::STATEMENT,
                format!("it calls a record {} that is called {reference}", read.line.reference),
            );
        }
        if read.sketches.iter().any(|sketch| sketch.header.record != read.line.id) {
            verdict.problem(layout::STATEMENT, "a redacted entry belongs to another record");
        }
    }
    let stated: BTreeMap<DeviceId, _> =
        statement.chains.iter().map(|head| (head.device, (head.number, head.head))).collect();
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
    let redacted: BTreeSet<EntryId> = statement.redactions.iter().map(|redaction| redaction.entry).collect();
    let sketched: BTreeSet<EntryId> =
        loaded.records.iter().flat_map(|record| &record.sketches).map(|sketch| sketch.entry).collect();
    if redacted != sketched {
        verdict.problem(layout::STATEMENT, "the entries that it calls redacted are not those that are");
    }
}

fn statuses(loaded: &Loaded, records: &[CaseRecord], roster: &Roster, verdict: &mut Verdict) {
    let mut unjudged = 0;
    for record in records {
        let reference = &record.line.reference;
        for entry in record.record.entries() {
            let why = entry.reason.clone().unwrap_or_default();
            let told = || Quarantined {
                record: reference.clone(),
                entry: entry.opened.id.to_string(),
                device: who(roster, &entry.opened.link.device),
                why: why.clone(),
                revoked: revoked(roster, &entry.opened.link.device),
            };
            match entry.status {
                Status::Quarantined => verdict.quarantined.push(told()),
                Status::NotAuthorised => verdict.not_authorised.push(Quarantined { revoked: None, ..told() }),
                Status::Rejected => {
                    let path = format!("data/case/{}", record.line.folder);
                    verdict
                        .problem(path, format!("entry {} is no entry of this record: {why}", entry.opened.id.short()));
                }
                Status::Waiting => unjudged += 1,
                Status::Valid | Status::Witnessed => {}
            }
        }
        for (field, live) in record.record.state().disputes() {
            let dispute = Dispute { record: reference.clone(), field: field.to_owned(), statements: live.len() };
            verdict.disputes.push(dispute);
        }
    }
    let redacted: usize = loaded.records.iter().map(|record| record.sketches.len()).sum();
    if redacted > 0 && unjudged > 0 {
        verdict.notes.push(format!(
            "{unjudged} entries come after one of which parts are withheld: their signatures hold, but whether their authors had the right to state them can only be judged on the full copy"
        ));
    }
    sketches(loaded, roster, verdict);
}

/// What can be said of a redacted entry: that an admitted device signed it, and whether it was revoked.
fn sketches(loaded: &Loaded, roster: &Roster, verdict: &mut Verdict) {
    let marks = loaded.chains.marks(roster);
    for record in &loaded.records {
        for sketch in &record.sketches {
            let device = sketch.link.device;
            let admitted = roster.view(&sketch.link.roster).and_then(|view| roster.roles_at(&device, view)).is_some();
            if !admitted {
                let path = format!("data/case/{}/{}", record.line.folder, layout::REDACTED);
                verdict.problem(path, format!("entry {} is by a device that was not admitted", sketch.entry.short()));
            }
            let beyond = roster.cut(&device).is_some_and(|cut| sketch.link.number > cut.map_or(0, |cut| cut.number));
            if beyond || marks.forked.contains(&sketch.link.id()) {
                verdict.quarantined.push(Quarantined {
                    record: record.line.reference.clone(),
                    entry: sketch.entry.to_string(),
                    device: who(roster, &device),
                    why: "it was written after its device was revoked, or beyond a fork of its chain".to_owned(),
                    revoked: revoked(roster, &device),
                });
            }
        }
    }
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
        let parts = record.sketches.iter().map(|sketch| (sketch.link.device, sketch.header.wall_ms));
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

/// Each exhibit's original is what its entry says, or is stated to be absent; and no other original is here.
fn exhibits(loaded: &Loaded, findings: &Findings, verdict: &mut Verdict) {
    let absent: BTreeSet<EntryId> = loaded.statement.absent_exhibits.iter().map(|absent| absent.exhibit).collect();
    let mut folders: BTreeMap<String, EntryId> = BTreeMap::new();
    for (id, size, sha256, sha512) in loaded.records.iter().flat_map(read::exhibits) {
        let folder = layout::exhibit_folder(&id);
        let prefix = format!("{folder}/original.");
        // A path cannot end in a dot; "original" sorts right before what follows it.
        let from = BagPath::parse(prefix.trim_end_matches('.'));
        let listed = from.ok().map(|from| findings.digests.range(from..)).into_iter().flatten();
        let mut originals = listed.take_while(|(path, _)| path.as_str().starts_with(&prefix));
        match (originals.next(), originals.next(), absent.contains(&id)) {
            (Some((path, digests)), None, false) => {
                let matches = digests.size == size
                    && digests.sha256().is_some_and(|hash| to_hex(&hash) == sha256)
                    && digests.sha512().is_some_and(|hash| to_hex(&hash) == sha512);
                if matches {
                    verdict.exhibits += 1;
                } else {
                    verdict.problem(path, "it is not the file that was acquired: its hash differs from its entry's");
                }
            }
            (None, _, true) => {}
            (None, _, false) => verdict.problem(&folder, "the original of an exhibit is missing"),
            _ => verdict.problem(&folder, "there is more than one original, or one that is stated to be absent"),
        }
        folders.insert(folder, id);
    }
    for path in findings.digests.keys().filter(|path| path.is_in("data/evidence")) {
        let folder = path.as_str().rsplit_once('/').map_or("", |(folder, _)| folder);
        let name = path.name();
        let plain = name.starts_with("original.") || ["exhibit.json", "custody.jsonl", "sealed.age"].contains(&name);
        if !folders.contains_key(folder) || !plain {
            verdict.problem(path, "no entry in the dossier accounts for this file");
        }
    }
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
