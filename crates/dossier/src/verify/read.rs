//! From bytes that were hashed to entries, links and a statement; every deviation is a problem.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use logbook::Roster;
use seal::id::from_hex;
use seal::{EntryId, EnvelopeId, Opened};

use super::lines::{self, Sketch};
use crate::Problem;
use crate::bag::Findings;
use crate::chains::Chains;
use crate::layout::{
    self, EnvelopeLine, MAX_ENTRIES, MAX_RECORDS, MAX_ROSTER, RecordLine, RedactedLine, RosterLine, Statement,
};
use crate::path::BagPath;

/// One record as it lies in the dossier.
pub struct ReadRecord {
    /// Its line in the statement.
    pub line: RecordLine,
    /// Its entries, commitments checked.
    pub entries: Vec<Arc<Opened>>,
    /// Its redacted entries, commitments checked.
    pub sketches: Vec<Sketch>,
}

/// Where an envelope lies, for people who look for what is wrong.
#[derive(Debug, Clone)]
pub struct Place {
    /// The entry's file; of a redacted entry, the list.
    pub file: String,
    /// `envelopes.jsonl` or `redacted.jsonl`.
    pub list: String,
    /// The line in it, from 1.
    pub line: usize,
}

/// A dossier as read.
pub struct Loaded {
    /// The exporter's statement.
    pub statement: Statement,
    /// The roster in it.
    pub roster: Roster,
    /// Its views and opened names, also those that this roster cannot use.
    pub proved: Vec<RosterLine>,
    /// The records.
    pub records: Vec<ReadRecord>,
    /// All links.
    pub chains: Chains,
    /// The envelopes whose entries are here, whole or redacted.
    pub places: HashMap<EnvelopeId, Place>,
    /// Links without entry.
    pub others: usize,
}

/// Which files are interpreted, and so must be kept while they are hashed.
pub fn needs(path: &BagPath) -> bool {
    let name = path.as_str();
    path.is_in("signatures")
        || name == "tagmanifest-sha256.txt"
        || (path.is_in("data")
            && !path.is_in("data/evidence")
            && !path.is_in("data/interop")
            && !path.is_in("data/schemas"))
}

struct Reader<'a> {
    findings: &'a Findings,
    problems: &'a mut Vec<Problem>,
    /// Payload files that something accounts for.
    known: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    fn problem(&mut self, path: &str, what: impl Into<String>) {
        if self.problems.len() < crate::MAX_PROBLEMS {
            self.problems.push(Problem { path: path.to_owned(), what: what.into() });
        }
    }

    fn bytes(&mut self, path: &str) -> Option<&'a [u8]> {
        self.known.insert(path.to_owned());
        let found = BagPath::parse(path).ok().and_then(|path| self.findings.kept.get(&path));
        if found.is_none() {
            self.problem(path, "it is missing, or too large to be judged");
        }
        found.map(Vec::as_slice)
    }

    fn has(&self, path: &str) -> bool {
        BagPath::parse(path).is_ok_and(|path| self.findings.digests.contains_key(&path))
    }

    fn lines<T: serde::Serialize + serde::de::DeserializeOwned>(&mut self, path: &str, max: usize) -> Option<Vec<T>> {
        let bytes = self.bytes(path)?;
        match layout::decode_lines(bytes, max) {
            Ok(values) => Some(values),
            Err(fault) => {
                self.problem(path, fault.to_string());
                None
            }
        }
    }
}

/// Reads everything. `None` if there is no statement or no roster to judge by.
pub fn load(findings: &Findings, problems: &mut Vec<Problem>) -> Option<Loaded> {
    let mut reader = Reader { findings, problems, known: BTreeSet::new() };
    let statement = statement(&mut reader);
    let roster = roster(&mut reader);
    let (statement, (proved, roster)) = (statement?, roster?);
    let mut loaded = Loaded {
        records: Vec::new(),
        chains: Chains::default(),
        places: HashMap::new(),
        others: 0,
        statement,
        roster,
        proved,
    };
    let mut entries = 0;
    for line in loaded.statement.records.clone() {
        let record = record(&mut reader, &line, &mut loaded);
        entries += record.entries.len() + record.sketches.len();
        loaded.records.push(record);
        if entries > MAX_ENTRIES {
            reader.problem(layout::STATEMENT, "more entries than one dossier may have");
            return None;
        }
    }
    links(&mut reader, &mut loaded);
    unknown_files(&mut reader);
    Some(loaded)
}

fn statement(reader: &mut Reader<'_>) -> Option<Statement> {
    let mut statements: Vec<Statement> = reader.lines(layout::STATEMENT, 1)?;
    let Some(statement) = statements.pop() else {
        reader.problem(layout::STATEMENT, "it is empty");
        return None;
    };
    match fault_in(&statement) {
        None => Some(statement),
        Some(why) => {
            reader.problem(layout::STATEMENT, why);
            None
        }
    }
}

/// What no statement may say, whatever else is in the dossier.
fn fault_in(statement: &Statement) -> Option<&'static str> {
    let records = &statement.records;
    let folders: BTreeSet<_> = records.iter().map(|record| record.folder.to_ascii_lowercase()).collect();
    let ids: BTreeSet<_> = records.iter().map(|record| record.id).collect();
    let chains: BTreeSet<_> = statement.chains.iter().map(|chain| chain.device).collect();
    let redacted: BTreeSet<_> = statement.redactions.iter().map(|redaction| redaction.entry).collect();
    let absent: BTreeSet<_> = statement.absent_exhibits.iter().map(|absent| absent.exhibit).collect();
    if statement.v != layout::VERSION {
        return Some("it is of another version than 1");
    }
    if records.is_empty() || records.len() > MAX_RECORDS {
        return Some("it names no record, or more than 10,000");
    }
    if folders.len() != records.len() || ids.len() != records.len() {
        return Some("it names a record or a folder twice");
    }
    if chains.len() != statement.chains.len() {
        return Some("it states the chain of a device twice");
    }
    // The bound of a link's number. A number that cannot be must not switch off what it is compared with.
    if statement.chains.iter().any(|chain| chain.number == 0 || chain.number > i64::MAX as u64) {
        return Some("it states a chain with a number that no link can have");
    }
    if redacted.len() != statement.redactions.len() || absent.len() != statement.absent_exhibits.len() {
        return Some("it names a redacted entry or an absent exhibit twice");
    }
    None
}

fn roster(reader: &mut Reader<'_>) -> Option<(Vec<RosterLine>, Roster)> {
    let mut lines: Vec<RosterLine> = reader.lines(layout::ROSTER, MAX_ROSTER)?;
    match crate::trust::build(&lines) {
        Ok(roster) => {
            lines.retain(|line| matches!(line, RosterLine::View(_) | RosterLine::Name(_)));
            Some((lines, roster))
        }
        Err(why) => {
            reader.problem(layout::ROSTER, why);
            None
        }
    }
}

fn record(reader: &mut Reader<'_>, line: &RecordLine, loaded: &mut Loaded) -> ReadRecord {
    let mut record = ReadRecord { line: line.clone(), entries: Vec::new(), sketches: Vec::new() };
    if layout::plain_name(&line.folder) != line.folder && !is_numbered(&line.folder) {
        reader.problem(layout::STATEMENT, "a record's folder has a name that is not plain");
        return record;
    }
    let folder = format!("data/case/{}", line.folder);
    whole(reader, &folder, &mut record, loaded);
    redacted(reader, &folder, &mut record, loaded);
    record
}

/// The entries that are here whole, each in a file of its own.
fn whole(reader: &mut Reader<'_>, folder: &str, record: &mut ReadRecord, loaded: &mut Loaded) {
    let list = format!("{folder}/{}", layout::ENVELOPES);
    for (index, envelope) in reader.lines::<EnvelopeLine>(&list, MAX_ENTRIES).unwrap_or_default().iter().enumerate() {
        let place = Place { file: format!("{folder}/{}", envelope.file), list: list.clone(), line: index + 1 };
        if envelope.file.contains('/') || reader.known.contains(&place.file) {
            reader.problem(&list, format!("line {}: it names a file twice, or one elsewhere", place.line));
            continue;
        }
        let Some(bytes) = reader.bytes(&place.file) else { continue };
        match lines::opened(envelope, bytes) {
            Ok(opened) => {
                if add(reader, loaded, (&opened.link, opened.signature), place) {
                    record.entries.push(Arc::new(opened));
                }
            }
            Err(why) => reader.problem(&place.file, format!("{why} ({list}, line {})", place.line)),
        }
    }
}

/// The entries of which parts are withheld.
fn redacted(reader: &mut Reader<'_>, folder: &str, record: &mut ReadRecord, loaded: &mut Loaded) {
    let list = format!("{folder}/{}", layout::REDACTED);
    if !reader.has(&list) {
        return;
    }
    let whole: BTreeSet<EntryId> = record.entries.iter().map(|opened| opened.id).collect();
    for (index, line) in reader.lines::<RedactedLine>(&list, MAX_ENTRIES).unwrap_or_default().iter().enumerate() {
        let place = Place { file: list.clone(), list: list.clone(), line: index + 1 };
        let number = place.line;
        match lines::sketch(line) {
            Ok(sketch) if whole.contains(&sketch.opened.id) => {
                reader.problem(&list, format!("line {number}: the entry is here whole"));
            }
            Ok(sketch) => {
                if add(reader, loaded, (&sketch.opened.link, sketch.opened.signature), place) {
                    record.sketches.push(sketch);
                }
            }
            Err(why) => reader.problem(&list, format!("line {number}: entry {}: {why}", line.entry.short())),
        }
    }
}

/// Takes the envelope of an entry; `false`, with a problem, if it is here already or of another operation.
fn add(
    reader: &mut Reader<'_>,
    loaded: &mut Loaded,
    (link, signature): (&seal::Link, seal::Signature),
    place: Place,
) -> bool {
    if link.operation != loaded.statement.operation {
        reader.problem(&place.list, format!("line {}: its link belongs to another operation", place.line));
        return false;
    }
    if !loaded.chains.add(*link, signature) {
        reader.problem(&place.list, format!("line {}: this envelope is here already", place.line));
        return false;
    }
    loaded.places.insert(link.id(), place);
    true
}

/// A plain name with the record's id behind it, where two records have one reference.
fn is_numbered(folder: &str) -> bool {
    folder.rsplit_once('-').is_some_and(|(name, id)| layout::plain_name(name) == name && from_hex::<16>(id).is_ok())
}

/// The other links, and no file for a device that wrote nothing here.
fn links(reader: &mut Reader<'_>, loaded: &mut Loaded) {
    let devices: Vec<_> = loaded.chains.devices().copied().collect();
    for device in devices {
        let path = layout::chain_file(&device);
        if !reader.has(&path) {
            continue;
        }
        let Some(bytes) = reader.bytes(&path) else { continue };
        let links = match layout::decode_links(bytes) {
            Some(links) if !links.is_empty() && links.iter().all(|(link, _)| link.device == device) => links,
            _ => {
                reader.problem(&path, "it is not a list of this device's links");
                continue;
            }
        };
        if !links.windows(2).all(|pair| (pair[0].0.number, pair[0].0.id()) < (pair[1].0.number, pair[1].0.id())) {
            reader.problem(&path, "its links do not stand by number");
        }
        for (index, (link, signature)) in links.into_iter().enumerate() {
            let byte = index * layout::LINK_RECORD;
            if link.operation != loaded.statement.operation {
                reader.problem(&path, format!("at byte {byte}: the link belongs to another operation"));
            } else if loaded.chains.add(link, signature) {
                loaded.others += 1;
            } else {
                reader.problem(&path, format!("at byte {byte}: the link is here already"));
            }
        }
    }
}

/// A file that nothing accounts for might pass itself off as part of the case.
fn unknown_files(reader: &mut Reader<'_>) {
    let free = ["data/evidence", "data/interop", "data/schemas", "data/log"];
    let texts = ["data/README.txt", "data/LISEZMOI.txt", layout::REPORT, "data/case/report.pdf", layout::TIMELINE];
    let unknown: Vec<String> = reader
        .findings
        .digests
        .keys()
        .filter(|path| path.is_in("data") && !free.iter().any(|folder| path.is_in(folder)))
        .map(BagPath::to_string)
        .filter(|path| !texts.contains(&path.as_str()) && !reader.known.contains(path))
        .collect();
    for path in unknown {
        reader.problem(&path, "nothing in the dossier accounts for this file");
    }
}

/// The redactions as they lie in the dossier: entry, and pointers of what is withheld.
pub fn withheld(loaded: &Loaded) -> BTreeMap<EntryId, &[String]> {
    let sketches = loaded.records.iter().flat_map(|record| &record.sketches);
    sketches.map(|sketch| (sketch.opened.id, sketch.withheld.as_slice())).collect()
}
