//! From bytes that were hashed to entries, links and a statement; every deviation is a problem.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use logbook::{Entry, Roster};
use seal::id::from_hex;
use seal::{EntryId, EnvelopeId, Header, Link, Opened, Signature};

use crate::Problem;
use crate::bag::Findings;
use crate::chains::Chains;
use crate::export::redact;
use crate::layout::{
    self, EnvelopeLine, MAX_ENTRIES, MAX_RECORDS, MAX_ROSTER, RecordLine, RedactedLine, RosterLine, Statement,
};
use crate::path::BagPath;

/// An entry of which parts are withheld: all that can be said of it.
pub struct Sketch {
    /// Its id.
    pub entry: EntryId,
    /// Its link.
    pub link: Link,
    /// Its header.
    pub header: Header,
    /// The hash that an exhibit's original must have, where the entry shows one.
    pub exhibit: Option<(u64, String, String)>,
}

/// One record as it lies in the dossier.
pub struct ReadRecord {
    /// Its line in the statement.
    pub line: RecordLine,
    /// Its entries, commitments checked.
    pub entries: Vec<Arc<Opened>>,
    /// Its redacted entries, commitments checked.
    pub sketches: Vec<Sketch>,
}

/// A dossier as read.
pub struct Loaded {
    /// The exporter's statement.
    pub statement: Statement,
    /// The roster in it.
    pub roster: Roster,
    /// The records.
    pub records: Vec<ReadRecord>,
    /// All links.
    pub chains: Chains,
    /// The envelopes whose entries are here.
    pub direct: BTreeSet<EnvelopeId>,
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

    fn lines<T: serde::de::DeserializeOwned>(&mut self, path: &str, max: usize) -> Option<Vec<T>> {
        let bytes = self.bytes(path)?;
        match layout::decode_lines(bytes, max) {
            Ok(values) => Some(values),
            Err(line) => {
                self.problem(path, format!("line {line} cannot be read"));
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
    let (statement, roster) = (statement?, roster?);
    let mut loaded = Loaded {
        records: Vec::new(),
        chains: Chains::default(),
        direct: BTreeSet::new(),
        others: 0,
        statement,
        roster,
    };
    let mut entries = 0;
    for line in loaded.statement.records.clone() {
        let record = record(&mut reader, &line, &mut loaded.chains, &mut loaded.direct);
        entries += record.entries.len() + record.sketches.len();
        loaded.records.push(record);
        if entries > MAX_ENTRIES {
            reader.problem(layout::STATEMENT, "more entries than one dossier may have");
            return None;
        }
    }
    let operation = loaded.statement.operation;
    links(&mut reader, &mut loaded);
    let foreign = |chains: &Chains| {
        chains.devices().any(|device| chains.links(device).any(|(_, (link, _))| link.operation != operation))
    };
    if foreign(&loaded.chains) {
        reader.problem("", "a link belongs to another operation");
    }
    unknown_files(&mut reader);
    Some(loaded)
}

fn statement(reader: &mut Reader<'_>) -> Option<Statement> {
    let mut statements: Vec<Statement> = reader.lines(layout::STATEMENT, 2)?;
    let statement = statements.pop().filter(|_| statements.is_empty());
    let folders: BTreeSet<&str> = statement.iter().flat_map(|s| &s.records).map(|r| r.folder.as_str()).collect();
    let ids: BTreeSet<_> = statement.iter().flat_map(|s| &s.records).map(|r| r.id).collect();
    let is_sound = statement.as_ref().is_some_and(|s| {
        let distinct = folders.len() == s.records.len() && ids.len() == s.records.len();
        s.v == layout::VERSION && distinct && s.records.len() <= MAX_RECORDS && !s.records.is_empty()
    });
    if is_sound {
        return statement;
    }
    reader.problem(layout::STATEMENT, "it is not a statement of version 1, or names a record twice");
    None
}

fn roster(reader: &mut Reader<'_>) -> Option<Roster> {
    let lines: Vec<RosterLine> = reader.lines(layout::ROSTER, MAX_ROSTER)?;
    match crate::trust::build(&lines) {
        Ok(roster) => Some(roster),
        Err(why) => {
            reader.problem(layout::ROSTER, why);
            None
        }
    }
}

fn record(
    reader: &mut Reader<'_>,
    line: &RecordLine,
    chains: &mut Chains,
    direct: &mut BTreeSet<EnvelopeId>,
) -> ReadRecord {
    let mut record = ReadRecord { line: line.clone(), entries: Vec::new(), sketches: Vec::new() };
    if layout::plain_name(&line.folder) != line.folder && !is_numbered(&line.folder) {
        reader.problem(layout::STATEMENT, "a record's folder has a name that is not plain");
        return record;
    }
    let folder = format!("data/case/{}", line.folder);
    let list = format!("{folder}/{}", layout::ENVELOPES);
    for envelope in reader.lines::<EnvelopeLine>(&list, MAX_ENTRIES).unwrap_or_default() {
        let file = format!("{folder}/{}", envelope.file);
        if envelope.file.contains('/') || reader.known.contains(&file) {
            reader.problem(&list, "it names a file twice, or one elsewhere");
            continue;
        }
        let Some(bytes) = reader.bytes(&file) else { continue };
        match opened(&envelope, bytes) {
            Ok(opened) => {
                chains.add(opened.link, opened.signature);
                direct.insert(opened.envelope);
                record.entries.push(Arc::new(opened));
            }
            Err(why) => reader.problem(&file, why),
        }
    }
    let redacted = format!("{folder}/{}", layout::REDACTED);
    if reader.has(&redacted) {
        for line in reader.lines::<RedactedLine>(&redacted, MAX_ENTRIES).unwrap_or_default() {
            match sketch(&line) {
                Ok((sketch, signature)) => {
                    chains.add(sketch.link, signature);
                    direct.insert(sketch.link.id());
                    record.sketches.push(sketch);
                }
                Err(why) => reader.problem(&redacted, format!("entry {}: {why}", line.entry.short())),
            }
        }
    }
    record
}

/// A plain name with the record's id behind it, where two records have one reference.
fn is_numbered(folder: &str) -> bool {
    folder.rsplit_once('-').is_some_and(|(name, id)| layout::plain_name(name) == name && from_hex::<16>(id).is_ok())
}

/// Link, header and entry must belong together: the link commits to the header, the change that the entry
/// makes, and the sealed body.
fn opened(line: &EnvelopeLine, entry: &[u8]) -> Result<Opened, String> {
    let link = layout::read_link(&line.link).ok_or("its link is malformed")?;
    let header = layout::read_hex(&line.header).ok_or("its header is malformed")?;
    let opened = Opened::from_plaintext(link, line.signature, &header, entry.to_vec(), line.ciphertext.0)
        .map_err(|error| format!("it is not what its author signed: {error}"))?;
    if opened.envelope != line.envelope || opened.id != line.entry {
        return Err("its ids are not those of its envelope".to_owned());
    }
    Ok(opened)
}

fn sketch(line: &RedactedLine) -> Result<(Sketch, Signature), String> {
    let link = layout::read_link(&line.link).ok_or("its link is malformed")?;
    let bytes = layout::read_hex(&line.header).ok_or("its header is malformed")?;
    let header = Header::decode(&bytes).map_err(|error| error.to_string())?;
    let commitment = seal::envelope::body_commitment(&Header::hash(&bytes), &line.entry, &line.ciphertext.0);
    if commitment != link.body || link.id() != line.envelope {
        return Err("it is not what its author signed".to_owned());
    }
    if redact::root(&line.leaves) != Some(header.fields_root) {
        return Err("its fields are not those that its author signed".to_owned());
    }
    let exhibit = shown_exhibit(line);
    Ok((Sketch { entry: line.entry, link, header, exhibit }, line.signature))
}

/// Size and hashes of an original, if a redacted entry shows them.
fn shown_exhibit(line: &RedactedLine) -> Option<(u64, String, String)> {
    let open: BTreeMap<&str, &str> = line
        .leaves
        .iter()
        .filter_map(|leaf| match leaf {
            layout::Leaf::Open { path, value, .. } => Some((path.as_str(), value.as_str())),
            layout::Leaf::Withheld { .. } => None,
        })
        .collect();
    let text = |name: &str| serde_json::from_str::<String>(open.get(format!("/action/exhibit/{name}").as_str())?).ok();
    let size = open.get("/action/exhibit/size")?.parse().ok()?;
    Some((size, text("sha256")?, text("sha512")?))
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
        match layout::decode_links(bytes) {
            Some(links) if links.iter().all(|(link, _)| link.device == device) => {
                loaded.others += links.len();
                for (link, signature) in links {
                    loaded.chains.add(link, signature);
                }
            }
            _ => reader.problem(&path, "it is not a list of this device's links"),
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

/// The hash, size and id of each exhibit that an entry added.
pub fn exhibits(record: &ReadRecord) -> Vec<(EntryId, u64, String, String)> {
    let mut exhibits = Vec::new();
    for opened in &record.entries {
        if let Ok(entry) = Entry::decode(&opened.entry)
            && let logbook::Action::Exhibit(exhibit) = entry.action
        {
            exhibits.push((opened.id, exhibit.size, exhibit.sha256.to_string(), exhibit.sha512));
        }
    }
    for sketch in &record.sketches {
        if let Some((size, sha256, sha512)) = &sketch.exhibit {
            exhibits.push((sketch.entry, *size, sha256.clone(), sha512.clone()));
        }
    }
    exhibits
}
