//! Exports and the verifier: from the exported bytes alone, a stranger can tell who wrote what.
//!
//! A dossier is a BagIt 1.0 folder, or a tar of one, that stock tools can check in part and
//! [`verify`](crate) checks in full. `schemas/spec/dossier.md` states it to the byte. This crate knows no
//! clock, no network, no database and no randomness; the verifier writes nothing.

pub mod archive;
pub mod bag;
pub mod chains;
pub mod digest;
pub mod export;
pub mod instant;
pub mod layout;
pub mod outline;
pub mod path;
pub mod seal_file;
pub mod sshsig;
pub mod trust;
pub mod verify;

pub use export::{DossierSource, ExportError, Exported, Original, Redact, SourceRecord, export};
pub use trust::{TrustError, TrustFile};
pub use verify::{Outcome, Verdict, verify};

use serde::Serialize;

/// More are counted as "and more": whoever attacks decides how many there are.
pub const MAX_PROBLEMS: usize = 1_000;

/// Something that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// A path in the dossier; empty if it concerns the whole.
    pub path: String,
    /// What is wrong, in plain language.
    pub what: String,
}

/// Where two texts that ought to be the same part: a position in either, from 0.
pub(crate) fn first_difference(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).position(|(a, b)| a != b).unwrap_or(a.len().min(b.len()))
}
