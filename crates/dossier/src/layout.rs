//! What lies where in a dossier, and the JSON that its own files hold.
//!
//! `schemas/spec/dossier.md` states the same. Lines of `.jsonl` files are compact JSON, one value a line.

use logbook::roster::{RosterObject, RosterView};
use seal::id::to_hex;
use seal::{DeviceId, EntryId, EnvelopeId, Hash32, Link, OperationId, RecordId, RosterHash, Signature};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What the exporter states: which records, complete to which heads, what was left out.
pub const STATEMENT: &str = "data/case/statement.json";
/// Agencies, devices, operators and roles, as signed.
pub const ROSTER: &str = "data/roster/objects.jsonl";
/// The copy for reading.
pub const REPORT: &str = "data/case/report.html";
/// All entries in order, for a spreadsheet.
pub const TIMELINE: &str = "data/timeline.csv";
/// In each record's folder: one [`EnvelopeLine`] a line.
pub const ENVELOPES: &str = "envelopes.jsonl";
/// In each record's folder, if parts were withheld: one [`RedactedLine`] a line.
pub const REDACTED: &str = "redacted.jsonl";

/// In `signatures/`: a convenience copy of the signer's key for ssh-keygen.
pub const ALLOWED_SIGNERS: &str = "allowed_signers";

/// The version of the statement and of the layout.
pub const VERSION: u8 = 1;
/// Records in one dossier: a case with its briefs, sealed parts and duplicates; a season's worth of incidents.
pub const MAX_RECORDS: usize = 10_000;
/// Entries in one dossier; [`crate::archive::MAX_FILES`] bounds them too.
pub const MAX_ENTRIES: usize = 60_000;
/// Objects in a roster: 64 agencies with a thousand chain entries each.
pub const MAX_ROSTER: usize = 64_000;

/// `data/case/statement.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// [`VERSION`].
    pub v: u8,
    /// The operation.
    pub operation: OperationId,
    /// The roster that the exporter held.
    pub roster: RosterHash,
    /// The device that exported and signed.
    pub exporter: DeviceId,
    /// Its agency.
    pub agency: String,
    /// For whom this copy was made, if for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addressee: Option<String>,
    /// When, by the exporter's clock, in milliseconds.
    pub at_ms: i64,
    /// The records in it.
    pub records: Vec<RecordLine>,
    /// Up to where each author's chain is complete, by the exporter's knowledge.
    pub chains: Vec<ChainHead>,
    /// Linked records that are not in it.
    pub elsewhere: Vec<Elsewhere>,
    /// What was withheld inside entries, by whose decision, on which ground.
    pub redactions: Vec<Redaction>,
    /// Exhibits whose original is not in it, and why.
    pub absent_exhibits: Vec<AbsentExhibit>,
}

/// One record of the dossier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordLine {
    /// Its id.
    pub id: RecordId,
    /// What people call it.
    pub reference: String,
    /// Its folder under `data/case/`.
    pub folder: String,
    /// How many entries are in it, redacted ones included.
    pub entries: u64,
    /// The entries that no other entry has seen, sorted: to these it is complete.
    pub heads: Vec<EntryId>,
}

/// Up to where a chain is complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainHead {
    /// The device.
    pub device: DeviceId,
    /// The greatest number known.
    pub number: u64,
    /// The envelope with that number.
    pub head: EnvelopeId,
}

/// A linked record that is not in the dossier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Elsewhere {
    /// The record that links to it.
    pub from: RecordId,
    /// The record linked to.
    pub record: RecordId,
    /// What people call it; empty where the exporter does not know.
    pub reference: String,
    /// How they are linked: a code.
    pub relation: String,
    /// Its owner, where the exporter knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// On which ground it was left out; empty if it was only not asked for.
    pub ground: String,
}

/// Fields withheld in one entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redaction {
    /// The entry.
    pub entry: EntryId,
    /// The JSON pointers of the withheld leaves.
    pub paths: Vec<String>,
    /// The ground: a code or a sentence.
    pub ground: String,
}

/// An exhibit without its original.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AbsentExhibit {
    /// The entry that added it.
    pub exhibit: EntryId,
    /// Whether it was withheld by decision; otherwise the exporter does not have it.
    pub withheld: bool,
    /// Why: not yet received, the ground, erased.
    pub why: String,
}

/// One envelope whose entry is in the dossier: what a verifier needs beside the entry's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvelopeLine {
    /// The entry's file, in the same folder.
    pub file: String,
    /// The envelope's id, for people; recomputed.
    pub envelope: EnvelopeId,
    /// The entry's id, for people; recomputed.
    pub entry: EntryId,
    /// The 169 bytes of the link, hex.
    pub link: String,
    /// The author device's signature over it.
    pub signature: Signature,
    /// The header's bytes, hex.
    pub header: String,
    /// The hash of the sealed body.
    pub ciphertext: Hash32,
}

/// One envelope of whose entry some fields are withheld.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedactedLine {
    /// The envelope's id, for people; recomputed.
    pub envelope: EnvelopeId,
    /// The entry's id; the link commits to it.
    pub entry: EntryId,
    /// The 169 bytes of the link, hex.
    pub link: String,
    /// The author device's signature over it.
    pub signature: Signature,
    /// The header's bytes, hex.
    pub header: String,
    /// The hash of the sealed body.
    pub ciphertext: Hash32,
    /// Every leaf of the entry, in the byte order of their paths.
    pub leaves: Vec<Leaf>,
}

/// One leaf of a redacted entry: opened, or only its commitment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Leaf {
    /// Shown, with the salt that opens its commitment.
    Open {
        /// JSON pointer.
        path: String,
        /// The leaf as compact JSON.
        value: String,
        /// The field's own salt.
        salt: Hash32,
    },
    /// Withheld. The path is the exporter's word; the commitment is the author's.
    Withheld {
        /// JSON pointer.
        path: String,
        /// The commitment.
        leaf: Hash32,
    },
}

/// Bytes of one link in a chain file: the link and its signature.
pub const LINK_RECORD: usize = seal::link::LINK_LEN + 64;

/// A chain file: links one after the other, each followed by its signature.
pub fn encode_links<'a>(links: impl Iterator<Item = &'a (Link, Signature)>) -> Vec<u8> {
    let mut out = Vec::new();
    for (link, signature) in links {
        out.extend_from_slice(&link.encode());
        out.extend_from_slice(&signature.0);
    }
    out
}

/// Reads a chain file; `None` if any link in it is malformed.
pub fn decode_links(bytes: &[u8]) -> Option<Vec<(Link, Signature)>> {
    if !bytes.len().is_multiple_of(LINK_RECORD) {
        return None;
    }
    let one = |record: &[u8]| {
        let (link, signature) = record.split_at(seal::link::LINK_LEN);
        Some((Link::decode(link).ok()?, Signature(signature.try_into().ok()?)))
    };
    bytes.chunks_exact(LINK_RECORD).map(one).collect()
}

/// One object of the roster as a line of JSON; its text inside is what was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RosterLine {
    /// An epoch.
    Epoch(logbook::roster::SignedEpoch),
    /// An entry of an agency's chain.
    Chain(logbook::roster::SignedChainEntry),
    /// A view that a link cites, hex.
    View(String),
    /// An opened name.
    Name(logbook::roster::NameOpening),
}

impl RosterLine {
    /// The line of an object; mailbox cards have none: they say nothing about who may write.
    pub fn new(object: RosterObject) -> Option<Self> {
        Some(match object {
            RosterObject::Epoch(epoch) => Self::Epoch(epoch),
            RosterObject::Chain(entry) => Self::Chain(entry),
            RosterObject::View(view) => Self::View(to_hex(&view.encode())),
            RosterObject::Name(name) => Self::Name(name),
            RosterObject::Card(_) => return None,
        })
    }

    /// The object; `None` if a view is malformed.
    pub fn object(self) -> Option<RosterObject> {
        Some(match self {
            Self::Epoch(epoch) => RosterObject::Epoch(epoch),
            Self::Chain(entry) => RosterObject::Chain(entry),
            Self::View(hex) => RosterObject::View(RosterView::decode(&read_hex(&hex)?).ok()?),
            Self::Name(name) => RosterObject::Name(name),
        })
    }
}

/// One JSON value a line.
pub fn encode_lines<T: Serialize>(values: impl IntoIterator<Item = T>) -> Vec<u8> {
    let mut out = Vec::new();
    for value in values {
        // Every type of this layout serialises without failing.
        out.extend(serde_json::to_vec(&value).unwrap_or_default());
        out.push(b'\n');
    }
    out
}

/// The first line that is not as [`encode_lines`] writes it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LineFault {
    /// It is no JSON of this kind, or a member is unknown, missing or there twice.
    #[error("line {line} cannot be read, at byte {byte} of it")]
    Unreadable {
        /// From 1.
        line: usize,
        /// From 1, as far as it could be read.
        byte: usize,
    },
    /// It says the same in another spelling.
    #[error("line {line} is not in the one accepted form, at byte {byte} of it")]
    Spelling {
        /// From 1.
        line: usize,
        /// From 1: the first that differs.
        byte: usize,
    },
    /// The last line.
    #[error("line {line} has no line feed at its end")]
    Unended {
        /// From 1.
        line: usize,
    },
    /// More than may be.
    #[error("it has more than {max} lines")]
    TooMany {
        /// How many may be.
        max: usize,
    },
}

/// Reads lines of JSON, at most `max` of them. Each is written again and compared, so that there is one
/// spelling of everything.
pub fn decode_lines<T: Serialize + serde::de::DeserializeOwned>(bytes: &[u8], max: usize) -> Result<Vec<T>, LineFault> {
    let mut values = Vec::new();
    for (index, text) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let line = index + 1;
        if index >= max {
            return Err(LineFault::TooMany { max });
        }
        let text = text.strip_suffix(b"\n").ok_or(LineFault::Unended { line })?;
        let value: T =
            serde_json::from_slice(text).map_err(|error| LineFault::Unreadable { line, byte: error.column() })?;
        let again = serde_json::to_vec(&value).unwrap_or_default();
        if again != text {
            return Err(LineFault::Spelling { line, byte: crate::first_difference(&again, text) + 1 });
        }
        values.push(value);
    }
    Ok(values)
}

/// Reads the hex of a link.
pub fn read_link(hex: &str) -> Option<Link> {
    Link::decode(&seal::id::from_hex::<{ seal::link::LINK_LEN }>(hex).ok()?).ok()
}

/// Reads lower-case hex of any even length.
pub fn read_hex(hex: &str) -> Option<Vec<u8>> {
    if !hex.len().is_multiple_of(2) {
        return None;
    }
    hex.as_bytes()
        .chunks_exact(2)
        .map(|pair| seal::id::from_hex::<1>(std::str::from_utf8(pair).ok()?).ok().map(|byte| byte[0]))
        .collect()
}

/// The file of a device's other links, as [`encode_links`] writes it, by number.
pub fn chain_file(device: &DeviceId) -> String {
    format!("data/chain/{device}.links")
}

/// The folder of an exhibit.
pub fn exhibit_folder(exhibit: &EntryId) -> String {
    format!("data/evidence/{exhibit}")
}

/// The signature file of an agency over the tag manifest.
pub fn signature_file(agency: &str) -> String {
    format!("tagmanifest-sha256.txt.{agency}.sig")
}

/// A name for a folder or file from text by others: `[A-Za-z0-9-]`, at most 40 characters, never empty.
pub fn plain_name(text: &str) -> String {
    let plain: String = text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(40).collect();
    if plain.is_empty() { "x".to_owned() } else { plain }
}

/// The extension of a file's name as it came, if it is short and plain; `bin` otherwise.
pub fn plain_extension(name: &str) -> String {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default();
    let plain = (1..=8).contains(&extension.len()) && extension.bytes().all(|c| c.is_ascii_alphanumeric());
    if plain { extension } else { "bin".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_by_others_become_plain() {
        assert_eq!(plain_name("EMB-0421-0007"), "EMB-0421-0007");
        assert_eq!(plain_name("../../é"), "x");
        assert_eq!(plain_extension("a.JPG"), "jpg");
        assert_eq!(plain_extension("a.tar/../x"), "bin");
        assert_eq!(plain_extension("none"), "bin");
        assert_eq!(read_hex("0aff"), Some(vec![10, 255]));
        assert_eq!((read_hex("0a0"), read_hex("0A")), (None, None));
    }

    #[test]
    fn a_leaf_is_one_or_the_other() {
        let both = r#"{"path":"/a","value":"1","salt":"00","leaf":"00"}"#;
        assert!(serde_json::from_str::<Leaf>(both).is_err());
    }
}
