//! The verifier: what a stranger can tell from the exported bytes and a trust file.
//!
//! It writes nothing, needs no key, no network and no clock. It checks the bag, the seal and the signature;
//! then, without believing the exporter: every entry's signature and commitments, the authors' chains, the
//! rights of each author under the roster, and the originals against the entries that acquired them.

mod judge;
mod lines;
mod originals;
mod read;
mod signed;
mod standing;
mod stated;
mod words;

use std::path::Path;

use seal::DeviceId;
use serde::Serialize;

use crate::Problem;
use crate::archive::{ArchiveError, Tree};
use crate::bag::{BagError, Rules, examine};
use crate::chains::Gap;
use crate::trust::TrustFile;

/// The verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Outcome {
    /// Unchanged since it was signed, and nothing is missing.
    #[serde(rename = "INTACT")]
    Intact,
    /// Unchanged since it was signed; something that ought to be there is not.
    #[serde(rename = "INTACT, WITH GAPS")]
    WithGaps,
    /// Changed, or signed by nobody whom the trust file knows.
    #[serde(rename = "NOT INTACT")]
    NotIntact,
    /// No dossier, or a trust file that cannot be used.
    #[serde(rename = "CANNOT BE READ")]
    Unreadable,
}

impl Outcome {
    /// The exit status of `intact-verify`.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Intact => 0,
            Self::WithGaps => 1,
            Self::NotIntact => 2,
            Self::Unreadable => 3,
        }
    }

    /// The first line of the answer.
    pub fn title(self) -> &'static str {
        match self {
            Self::Intact => "INTACT",
            Self::WithGaps => "INTACT, WITH GAPS",
            Self::NotIntact => "NOT INTACT",
            Self::Unreadable => "CANNOT BE READ",
        }
    }
}

/// A linked record or a part that the exporter left out, by its own statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// What was left out, in plain language.
    pub what: String,
    /// Whose decision or property it is, where stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The ground; empty where none was stated.
    pub ground: String,
}

/// An entry written after its device was revoked, or beyond a fork.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quarantined {
    /// The record, by reference.
    pub record: String,
    /// The entry.
    pub entry: String,
    /// Its author device, by name.
    pub device: String,
    /// Why it is quarantined.
    pub why: String,
    /// Who revoked the device and on which ground, where it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked: Option<String>,
}

/// Someone who wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Writer {
    /// The device.
    pub device: DeviceId,
    /// What it is called.
    pub name: String,
    /// Its agency.
    pub agency: String,
    /// Who acts on it, where the name was opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// Entries of it in the dossier.
    pub entries: usize,
}

/// A field on which the records hold more than one statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dispute {
    /// The record, by reference.
    pub record: String,
    /// The field.
    pub field: String,
    /// How many statements stand.
    pub statements: usize,
}

/// Everything that the verifier tells.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    /// The verdict.
    pub verdict: Outcome,
    /// Up to when the roster that judged is known, RFC 3339.
    pub as_of: Option<String>,
    /// The operation, hex.
    pub operation: Option<String>,
    /// The operation's name.
    pub operation_name: Option<String>,
    /// Who exported and signed: device and agency.
    pub exported_by: Option<String>,
    /// When, by the exporter's clock, RFC 3339.
    pub exported_at: Option<String>,
    /// The key that signed, as ssh-keygen shows it.
    pub fingerprint: Option<String>,
    /// Records in the dossier, by reference.
    pub records: Vec<String>,
    /// Entries that were checked.
    pub entries: usize,
    /// Of these, entries of which parts are withheld.
    pub redacted: usize,
    /// Devices that wrote them.
    pub devices: usize,
    /// Agencies of these devices.
    pub agencies: usize,
    /// Originals that are what was acquired.
    pub exhibits: usize,
    /// Links of the authors' other entries, bodies withheld.
    pub other_links: usize,
    /// The earliest and the latest time that an author's clock showed, RFC 3339.
    pub written: Option<(String, String)>,
    /// Who wrote.
    pub authors: Vec<Writer>,
    /// What ought to be there and is not.
    pub gaps: Vec<Gap>,
    /// What was left out, by the exporter's statement.
    pub elsewhere: Vec<LeftOut>,
    /// Entries that count for nothing because their device was revoked.
    pub quarantined: Vec<Quarantined>,
    /// Entries whose authors had no right to state them; they count for nothing.
    pub not_authorised: Vec<Quarantined>,
    /// Entries that were rejected after others had cited them: they count for nothing, and keep nobody
    /// else's from counting.
    pub rejected: Vec<Quarantined>,
    /// Open disputes.
    pub disputes: Vec<Dispute>,
    /// Remarks that leave the verdict as it is.
    pub notes: Vec<String>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

impl Verdict {
    fn empty() -> Self {
        Self {
            verdict: Outcome::Unreadable,
            as_of: None,
            operation: None,
            operation_name: None,
            exported_by: None,
            exported_at: None,
            fingerprint: None,
            records: Vec::new(),
            entries: 0,
            redacted: 0,
            devices: 0,
            agencies: 0,
            exhibits: 0,
            other_links: 0,
            written: None,
            authors: Vec::new(),
            gaps: Vec::new(),
            elsewhere: Vec::new(),
            quarantined: Vec::new(),
            not_authorised: Vec::new(),
            rejected: Vec::new(),
            disputes: Vec::new(),
            notes: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// The verdict that nothing could be checked, and why.
    pub fn unreadable(path: &str, what: impl Into<String>) -> Self {
        let mut verdict = Self::empty();
        verdict.problem(path, what);
        verdict
    }

    fn problem(&mut self, path: impl ToString, what: impl Into<String>) {
        if self.problems.len() < crate::MAX_PROBLEMS {
            self.problems.push(Problem { path: path.to_string(), what: what.into() });
        }
    }

    /// The answer in plain language; its first line is the verdict.
    pub fn text(&self) -> String {
        words::text(self)
    }
}

/// The file that keeps a dossier from being read; of a tar that cannot be listed, the tar itself.
fn culprit(error: &ArchiveError, place: &Path) -> String {
    match error {
        ArchiveError::Path { path, .. } => path.clone(),
        ArchiveError::NotPlain(path) | ArchiveError::Duplicate(path) | ArchiveError::Missing(path) => path.clone(),
        ArchiveError::Io { .. } | ArchiveError::NotADossier(_) | ArchiveError::TooLarge(_) | ArchiveError::Tar(_) => {
            place.file_name().map_or_else(|| ".".to_owned(), |name| crate::path::shown(&name.to_string_lossy()))
        }
    }
}

/// Verifies a dossier, a folder or a tar of one, against the bytes of a trust file.
///
/// Never fails: what cannot be read is a verdict too.
pub fn verify(place: &Path, trust: &[u8]) -> Verdict {
    let trust = match TrustFile::parse(trust).and_then(|file| file.roster().map(|roster| (file, roster))) {
        Ok(trust) => trust,
        Err(error) => return Verdict::unreadable("trust file", error.to_string()),
    };
    let tree = match Tree::open(place) {
        Ok(tree) => tree,
        Err(error) => return Verdict::unreadable(&culprit(&error, place), error.to_string()),
    };
    let findings = match examine(&tree, Rules::Dossier, read::needs) {
        Ok(findings) => findings,
        Err(error) => {
            return match error {
                BagError::Archive(error) => Verdict::unreadable(&culprit(&error, place), error.to_string()),
                BagError::Declaration(why) => Verdict::unreadable("bagit.txt", why),
                error => Verdict::unreadable("bagit.txt", error.to_string()),
            };
        }
    };
    let mut verdict = Verdict::empty();
    verdict.problems.clone_from(&findings.problems);
    let loaded = read::load(&findings, &mut verdict.problems);
    if let Some(loaded) = loaded {
        judge::judge(&loaded, &findings, &trust.0, trust.1, &mut verdict);
    }
    verdict.verdict = match (verdict.problems.is_empty(), verdict.gaps.is_empty()) {
        (false, _) => Outcome::NotIntact,
        (true, false) => Outcome::WithGaps,
        (true, true) => Outcome::Intact,
    };
    verdict
}
