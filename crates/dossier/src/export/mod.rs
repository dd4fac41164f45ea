//! Writing a dossier.
//!
//! Everything comes from the caller: entries, links, roster, exhibits as readers, the time, the key. The same
//! source gives the same bytes (Ed25519 is deterministic), except for what a stamp adds.

mod exhibits;
mod files;
mod gaps;
pub mod readme;
pub mod redact;
pub mod report;
pub mod timeline;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use logbook::record::Ground;
use logbook::{AgencyId, Judged, Record, Roster, Status};
use seal::{DeviceId, EntryId, Hash32, Link, Opened, RecordId, Signature, SigningKey};
use thiserror::Error;

use crate::bag::{BagError, BagWriter};
use crate::chains::{Chains, Gap};
use crate::layout::{self, AbsentExhibit, ChainHead, Elsewhere, RecordLine, Redaction, Statement};
use crate::outline::Outline;
use crate::seal_file;

pub(crate) use gaps::{gaps, who};
pub use redact::Redact;

/// Why a dossier was not written. Nothing is left at its place.
#[derive(Debug, Error)]
pub enum ExportError {
    /// Writing failed.
    #[error(transparent)]
    Bag(#[from] BagError),
    /// The source contradicts itself; the text says how.
    #[error("{0}")]
    Source(String),
    /// An exhibit is not what its entry says: its bytes were changed.
    #[error("the exhibit \"{0}\" is not what was acquired: its hash differs")]
    Exhibit(String),
}

/// A record to export.
pub struct SourceRecord {
    /// Its id.
    pub id: RecordId,
    /// All its envelopes that could be opened, in any order.
    pub entries: Vec<Arc<Opened>>,
}

/// The original of an exhibit.
pub enum Original<'a> {
    /// Its bytes, read once.
    Here(Box<dyn Read + 'a>),
    /// The exporter does not have it, and why.
    Missing(String),
    /// It is withheld, on this ground.
    Withheld(String),
}

/// What a stamp adds to `signatures/`: names and bytes.
pub type Stamped = Vec<(String, Vec<u8>)>;

/// Asks a time stamp authority or a log, given `tagmanifest-sha256.txt`.
pub type Stamp<'a> = &'a mut dyn FnMut(&[u8]) -> Result<Stamped, String>;

/// Everything a dossier is made of.
pub struct DossierSource<'a> {
    /// The records, in the order in which they are shown.
    pub records: Vec<SourceRecord>,
    /// The roster that the exporter holds.
    pub roster: &'a Roster,
    /// Every link known of the devices that wrote in the records; bodies stay where they are.
    pub links: Vec<(Link, Signature)>,
    /// The originals, by the entry that added the exhibit; one that is not named counts as missing.
    pub exhibits: BTreeMap<EntryId, Original<'a>>,
    /// Linked records that are left out, with owner and ground, as far as the caller knows them. Links
    /// that the records themselves hold are added.
    pub elsewhere: Vec<Elsewhere>,
    /// What to withhold inside entries.
    pub redact: Option<Redact>,
    /// Whether the names that the roster has opened to the exporter are opened in the dossier, for authors only.
    pub open_names: bool,
    /// Schemas and code lists: file names and bytes.
    pub schemas: Vec<(String, Vec<u8>)>,
    /// Derived formats (STIX, GeoJSON, …), marked as such: file names and bytes.
    pub interop: Vec<(String, Vec<u8>)>,
    /// For whom this copy is.
    pub addressee: Option<AgencyId>,
    /// Now, in milliseconds.
    pub at_ms: i64,
    /// The signing key of the exporting device.
    pub exporter: &'a SigningKey,
    /// Called with `tagmanifest-sha256.txt`; may add a time stamp or a receipt to `signatures/`.
    pub stamp: Option<Stamp<'a>>,
}

/// What was written.
#[derive(Debug, Clone)]
pub struct Exported {
    /// The folder.
    pub path: PathBuf,
    /// Entries in it.
    pub entries: usize,
    /// Originals in it.
    pub exhibits: usize,
    /// What is missing, as the verifier will say.
    pub gaps: Vec<Gap>,
    /// SHA-256 of `tagmanifest-sha256.txt`: it stands for the whole.
    pub sha256: Hash32,
}

/// One record as the parts of the export see it.
pub struct CaseRecord {
    /// Its line in the statement.
    pub line: RecordLine,
    /// Folded.
    pub record: Record,
    /// What can be said of each entry, those that are not in the fold because parts of them are withheld
    /// included, and of what is missing.
    pub outline: Outline,
}

/// What report and timeline are made from: nothing that is not in the dossier.
pub struct Case<'a> {
    /// The statement.
    pub statement: &'a Statement,
    /// The roster in the dossier.
    pub roster: &'a Roster,
    /// The records.
    pub records: &'a [CaseRecord],
    /// What is missing.
    pub gaps: &'a [Gap],
    /// Originals in the dossier: the file's path by the exhibit's entry.
    pub originals: &'a BTreeMap<EntryId, String>,
    /// What is withheld.
    pub withheld: &'a BTreeMap<EntryId, BTreeSet<String>>,
}

/// Writes a dossier as a new folder `out`; it must not exist, or be empty.
///
/// It is written beside its place and moved there when it is complete.
pub fn export(mut source: DossierSource<'_>, out: &Path) -> Result<Exported, ExportError> {
    let partial = partial_place(out)?;
    let exported = write(&mut source, &partial, out);
    if exported.is_err() {
        // What cannot be removed stays under a name that says that it is partial.
        let _ = std::fs::remove_dir_all(&partial);
    }
    exported
}

/// `.<name>.partial` beside `out`, free of what an interrupted export left.
fn partial_place(out: &Path) -> Result<PathBuf, ExportError> {
    let fail = |why: &str| ExportError::Source(format!("{}: {why}", out.display()));
    let name = out.file_name().ok_or_else(|| fail("this is no name for a folder"))?;
    let is_free = match std::fs::read_dir(out) {
        Ok(mut items) => items.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    if !is_free {
        return Err(fail("it exists and is no empty folder"));
    }
    let partial = out.with_file_name(format!(".{}.partial", name.to_string_lossy()));
    match std::fs::remove_dir_all(&partial) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(fail(&error.to_string())),
        _ => Ok(partial),
    }
}

fn write(source: &mut DossierSource<'_>, partial: &Path, out: &Path) -> Result<Exported, ExportError> {
    let exporter = source.exporter.device_id();
    let agency = match source.roster.device(&exporter) {
        Some(device) => device.agency.clone(),
        None => return Err(ExportError::Source("the exporting device is not in the roster".to_owned())),
    };
    let mut chains = gather_links(source)?;
    let records = fold(source, &chains)?;
    // A device all of whose entries were left out is no author of this dossier.
    let entries = records.iter().flat_map(|record| record.record.entries());
    chains.keep_only(&entries.map(|entry| entry.opened.link.device).collect());
    if let Some(parent) = partial.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(|e| ExportError::Source(e.to_string()))?;
    }
    let mut bag = BagWriter::create(partial)?;
    let evidence = exhibits::write(&mut bag, &records, &mut source.exhibits, source.redact.as_ref())?;
    let withheld = redact::plan(&records, source.redact.as_ref(), &evidence.absent);
    let statement = state(source, &agency, &records, &chains, &withheld, &evidence.absent)?;
    let roster = files::write_roster(&mut bag, source, &chains, &records)?;
    files::write_entries(&mut bag, &records, &withheld)?;
    files::write_chains(&mut bag, &chains, &records)?;
    let gaps = gaps(&statement, &records, &chains, source.roster);
    let case = Case {
        statement: &statement,
        roster: &roster,
        records: &records,
        gaps: &gaps,
        originals: &evidence.originals,
        withheld: &withheld,
    };
    bag.add_bytes(layout::STATEMENT, &layout::encode_lines([&statement]))?;
    bag.add_bytes(layout::REPORT, report::render(&case).as_bytes())?;
    bag.add_bytes(layout::TIMELINE, timeline::render(&case).as_bytes())?;
    files::write_texts(&mut bag, source, &statement)?;
    let written = bag.finish(&files::bag_fields(&statement, source.roster))?;
    let files = files::signatures(source, &agency, &written.tagmanifest)?;
    seal_file::write(partial, &files, source.exporter)?;
    settle(partial, out)?;
    Ok(Exported {
        path: out.to_owned(),
        entries: records.iter().map(|record| record.record.entries().len()).sum(),
        exhibits: evidence.originals.len(),
        gaps,
        sha256: Hash32(seal::hash::sha256(&written.tagmanifest)),
    })
}

/// Moves the complete dossier to its place.
fn settle(partial: &Path, out: &Path) -> Result<(), ExportError> {
    let fail = |error: std::io::Error| ExportError::Source(format!("{}: {error}", out.display()));
    if out.exists() {
        // Checked to be an empty folder; this fails if something came meanwhile.
        std::fs::remove_dir(out).map_err(fail)?;
    }
    std::fs::rename(partial, out).map_err(fail)
}

fn gather_links(source: &DossierSource<'_>) -> Result<Chains, ExportError> {
    let operation = source.roster.operation();
    let mut chains = Chains::default();
    let entries = source.records.iter().flat_map(|record| &record.entries);
    let authors: BTreeSet<DeviceId> = entries.clone().map(|opened| opened.link.device).collect();
    let of_entries = entries.map(|opened| (opened.link, opened.signature));
    for (link, signature) in of_entries.chain(source.links.iter().copied()) {
        if Some(link.operation) != operation {
            return Err(ExportError::Source("an entry belongs to another operation".to_owned()));
        }
        if authors.contains(&link.device) {
            chains.add(link, signature);
        }
    }
    Ok(chains)
}

/// How often a record may change by what is left out of it.
const ROUNDS: usize = 8;

/// The record without what is rejected and nothing rests on: that is kept aside, and is no part of it. What
/// is left out may have borne on others, so the rest is judged again until it is what a reader will find.
fn settled(given: &SourceRecord, ground: &Ground<'_>, redacting: bool) -> Result<Record, ExportError> {
    let mut entries = given.entries.clone();
    for _ in 0..ROUNDS {
        let record = Record::fold(given.id, entries, ground);
        // Of what cannot be read no part can be withheld. What is malformed is left out; what may be a statement
        // that newer software reads is not left out unseen.
        if redacting && record.entries().iter().any(|one| one.entry.is_none() && one.status != Status::Rejected) {
            return Err(ExportError::Source(format!(
                "the record {} holds an entry of newer software, and no part of it can be withheld by this one: \
                 nothing was written; export the record whole, or redact it with newer software",
                given.id.short()
            )));
        }
        let kept = |entry: &&Judged| {
            let divisible = !redacting || entry.entry.is_some();
            entry.status != Status::Rejected || (entry.in_document() && divisible)
        };
        entries = record.entries().iter().filter(kept).map(|entry| entry.opened.clone()).collect();
        if entries.len() == record.entries().len() {
            return Ok(record);
        }
    }
    let id = given.id.short();
    Err(ExportError::Source(format!("the record {id} does not settle: too many of its entries contradict each other")))
}

/// Folds each record as a reader of the dossier will.
fn fold(source: &DossierSource<'_>, chains: &Chains) -> Result<Vec<CaseRecord>, ExportError> {
    if source.records.is_empty() || source.records.len() > layout::MAX_RECORDS {
        return Err(ExportError::Source("a dossier has at least one record, and not more than 10,000".to_owned()));
    }
    let distinct: BTreeSet<RecordId> = source.records.iter().map(|record| record.id).collect();
    if distinct.len() != source.records.len() {
        return Err(ExportError::Source("a record is named twice".to_owned()));
    }
    let marks = chains.marks(source.roster);
    let ground = Ground { roster: source.roster, marks: &marks };
    let mut folders = BTreeSet::new();
    let mut records = Vec::new();
    for given in &source.records {
        let record = settled(given, &ground, source.redact.is_some())?;
        if record.entries().is_empty() {
            return Err(ExportError::Source(format!(
                "the record {} has no entry that can be exported",
                given.id.short()
            )));
        }
        let reference = record.state().reference.clone();
        let mut folder = layout::plain_name(if reference.is_empty() { "record" } else { &reference });
        if !folders.insert(folder.to_ascii_lowercase()) {
            folder = format!("{folder}-{}", given.id);
            folders.insert(folder.to_ascii_lowercase());
        }
        let line = RecordLine {
            id: given.id,
            reference,
            folder,
            entries: record.entries().len() as u64,
            heads: record.all_heads().iter().copied().collect(),
        };
        let outline = Outline::of(&record);
        records.push(CaseRecord { line, record, outline });
    }
    if records.iter().map(|record| record.record.entries().len()).sum::<usize>() > layout::MAX_ENTRIES {
        return Err(ExportError::Source("more entries than one dossier holds: export in parts".to_owned()));
    }
    Ok(records)
}

fn state(
    source: &DossierSource<'_>,
    agency: &AgencyId,
    records: &[CaseRecord],
    chains: &Chains,
    withheld: &BTreeMap<EntryId, BTreeSet<String>>,
    absent: &[AbsentExhibit],
) -> Result<Statement, ExportError> {
    let (Some(operation), Some(view)) = (source.roster.operation(), source.roster.current_view()) else {
        return Err(ExportError::Source("the roster is of no operation".to_owned()));
    };
    let heads = chains.devices().filter_map(|device| {
        let (number, head) = chains.head(device)?;
        Some(ChainHead { device: *device, number, head })
    });
    let ground = source.redact.as_ref().map_or("exhibit withheld", |redact| redact.ground.as_str());
    let redactions = withheld.iter().map(|(entry, paths)| Redaction {
        entry: *entry,
        paths: paths.iter().cloned().collect(),
        ground: ground.to_owned(),
    });
    Ok(Statement {
        v: layout::VERSION,
        operation,
        roster: view.hash(),
        exporter: source.exporter.device_id(),
        agency: agency.to_string(),
        addressee: source.addressee.as_ref().map(ToString::to_string),
        at_ms: source.at_ms,
        records: records.iter().map(|record| record.line.clone()).collect(),
        chains: heads.collect(),
        elsewhere: elsewhere(source, records),
        redactions: redactions.collect(),
        absent_exhibits: absent.to_vec(),
    })
}

/// What the caller named, and every link in the records to a record that is not here.
fn elsewhere(source: &DossierSource<'_>, records: &[CaseRecord]) -> Vec<Elsewhere> {
    let here: BTreeSet<RecordId> = records.iter().map(|record| record.line.id).collect();
    let mut out: Vec<Elsewhere> =
        source.elsewhere.iter().filter(|other| !here.contains(&other.record)).cloned().collect();
    for record in records {
        let state = record.record.state();
        let parent = state.parent.map(|id| ("part-of", id, String::new()));
        let linked = state.relations().into_iter().map(|(relation, id, reference)| (relation.code(), id, reference));
        for (relation, id, reference) in linked.chain(parent) {
            let known = out.iter().any(|other| other.from == record.line.id && other.record == id);
            if !here.contains(&id) && !known {
                let (relation, ground) = (relation.to_owned(), String::new());
                out.push(Elsewhere { from: record.line.id, record: id, reference, relation, owner: None, ground });
            }
        }
    }
    out
}
