//! The trust file: what a verifier takes for granted, brought by another way than the dossier.
//!
//! JSON of one object: the operation, the roster up to a date, and the keys of logs and cosigners. Whoever
//! hands it over says by that: these are the agencies and devices of this operation.

use logbook::Roster;
use logbook::roster::RosterObject;
use seal::OperationId;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::layout::{MAX_ROSTER, RosterLine};

/// The version of trust files.
pub const VERSION: u8 = 1;
/// The largest roster with the largest objects that occur in practice.
pub const MAX_TRUST_FILE: u64 = 256 << 20;

/// Why a trust file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TrustError {
    /// It is no trust file.
    #[error("this is no trust file: {0}")]
    Malformed(String),
    /// It was written by newer software.
    #[error("this trust file needs newer software")]
    Newer,
    /// Its roster does not hold together.
    #[error("the roster in the trust file does not hold: {0}")]
    Roster(String),
}

/// A trust file as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustFile {
    /// [`VERSION`].
    pub v: u8,
    /// The operation.
    pub operation: OperationId,
    /// Its name, for people.
    pub name: String,
    /// Up to when the roster is known, RFC 3339 in UTC.
    pub as_of: String,
    /// The roster: epochs, device chains, views and opened names.
    pub roster: Vec<RosterLine>,
    /// Keys of the logs whose receipts count, in the form of C2SP signed notes.
    pub logs: Vec<String>,
    /// Keys of the cosigners whose signatures count.
    pub cosigners: Vec<String>,
}

impl TrustFile {
    /// What is known of a roster at a time. `None` for a roster of no operation.
    ///
    /// Opened names are left out: who may write is known without them.
    pub fn new(roster: &Roster, as_of_ms: i64) -> Option<Self> {
        let objects = roster.objects().into_iter();
        let objects = objects.filter(|object| matches!(object, RosterObject::Epoch(_) | RosterObject::Chain(_)));
        Some(Self {
            v: VERSION,
            operation: roster.operation()?,
            name: roster.operation_name().to_owned(),
            as_of: crate::instant::utc(as_of_ms),
            roster: objects.filter_map(RosterLine::new).collect(),
            logs: Vec::new(),
            cosigners: Vec::new(),
        })
    }

    /// The bytes of the file: indented JSON, since people will look into it.
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// The bytes of a trust file on the disk; of one that is too large, one more than are allowed, so that
    /// [`Self::parse`] refuses it.
    pub fn bytes(path: &std::path::Path) -> std::io::Result<Vec<u8>> {
        use std::io::Read;
        let mut bytes = Vec::new();
        std::fs::File::open(path)?.take(MAX_TRUST_FILE + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads a trust file of at most [`MAX_TRUST_FILE`] bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, TrustError> {
        #[derive(Deserialize)]
        struct Outline {
            v: u64,
        }
        if bytes.len() as u64 > MAX_TRUST_FILE {
            return Err(TrustError::Malformed("it is too large".to_owned()));
        }
        let malformed = |error: serde_json::Error| {
            TrustError::Malformed(format!("line {}, column {}", error.line(), error.column()))
        };
        let outline: Outline = serde_json::from_slice(bytes).map_err(malformed)?;
        if outline.v > u64::from(VERSION) {
            return Err(TrustError::Newer);
        }
        let file: Self = serde_json::from_slice(bytes).map_err(malformed)?;
        // The form only: whether the day exists decides nothing.
        let form = file.as_of.bytes().map(|c| if c.is_ascii_digit() { b'0' } else { c });
        let dated = form.eq("0000-00-00T00:00:00Z".bytes());
        if file.v != VERSION || file.roster.len() > MAX_ROSTER || !dated {
            return Err(TrustError::Malformed("its version, its date or its size".to_owned()));
        }
        Ok(file)
    }

    /// The roster in it, every signature checked. A refused object is an error: a trust file has no reason
    /// to hold one.
    pub fn roster(&self) -> Result<Roster, TrustError> {
        let roster = build(&self.roster).map_err(TrustError::Roster)?;
        if roster.operation() != Some(self.operation) {
            return Err(TrustError::Roster("it is not the roster of the operation that it names".to_owned()));
        }
        Ok(roster)
    }
}

/// A roster from lines; the reason, if any object is refused.
pub(crate) fn build(lines: &[RosterLine]) -> Result<Roster, String> {
    let mut objects = Vec::with_capacity(lines.len());
    for line in lines {
        objects.push(line.clone().object().ok_or_else(|| "a roster view is malformed".to_owned())?);
    }
    let mut roster = Roster::new();
    let (_, refused) = roster.add_all(objects);
    match refused.first() {
        None => Ok(roster),
        Some(error) => Err(error.to_string()),
    }
}
