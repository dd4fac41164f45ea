//! BagIt (RFC 8493): reading, checking and writing.
//!
//! Two sets of rules. [`Rules::Any`] takes what the RFC allows, and bags of version 0.96 and 0.97, from any
//! maker. [`Rules::Dossier`] takes only the one form that [`BagWriter`] writes, so that no byte of a tag
//! file can differ unseen. Nothing is ever fetched and nothing is written while checking.

mod check;
mod manifest;
mod tags;
mod write;

use std::collections::BTreeMap;

use thiserror::Error;

use crate::Problem;
use crate::archive::ArchiveError;
use crate::digest::Digests;
use crate::path::BagPath;

pub use check::examine;
pub use tags::Version;
pub use write::{BagWriter, Written};

/// A manifest of [`crate::archive::MAX_FILES`] lines with SHA-512 and the longest paths has 24 MiB.
pub const MAX_TAG_FILE: u64 = 32 << 20;

/// Which bags are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// Any bag by RFC 8493, and bags of 0.96 and 0.97.
    Any,
    /// Only the form that we write: version 1.0, UTF-8, SHA-256 and SHA-512 over the same payload, sorted,
    /// `tagmanifest-sha256.txt` over every tag file except itself and `signatures/`.
    Dossier,
}

/// Why a folder or tar is no bag that can be read.
#[derive(Debug, Error)]
pub enum BagError {
    /// Listing or reading failed.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// There is no `bagit.txt`.
    #[error("bagit.txt is missing: this is no dossier")]
    NoDeclaration,
    /// `bagit.txt` is not as the RFC says, or of a version that is not known.
    #[error("bagit.txt: {0}")]
    Declaration(&'static str),
    /// Writing: the path or the folder cannot be used.
    #[error("cannot write \"{path}\": {why}")]
    Write {
        /// The path inside the bag, or the folder.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

/// What checking a bag found.
#[derive(Debug)]
pub struct Findings {
    /// The version it declares.
    pub version: Version,
    /// What breaks a rule; a bag is valid when there is none.
    pub problems: Vec<Problem>,
    /// What is taken although another tool might stumble over it.
    pub warnings: Vec<Problem>,
    /// Size and hashes of every file that was hashed.
    pub digests: BTreeMap<BagPath, Digests>,
    /// The bytes of the files that the caller asked to keep: exactly those that were hashed.
    pub kept: BTreeMap<BagPath, Vec<u8>>,
    /// The fields of `bag-info.txt`, in order.
    pub info: Vec<(String, String)>,
}

impl Findings {
    fn problem(&mut self, path: impl ToString, what: impl Into<String>) {
        // An attacker decides how many there are; nobody reads the thousandth.
        if self.problems.len() < crate::MAX_PROBLEMS {
            self.problems.push(Problem { path: path.to_string(), what: what.into() });
        }
    }

    fn warning(&mut self, path: impl ToString, what: impl Into<String>) {
        if self.warnings.len() < crate::MAX_PROBLEMS {
            self.warnings.push(Problem { path: path.to_string(), what: what.into() });
        }
    }
}
