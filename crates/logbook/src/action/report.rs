//! Situation reports and handovers: texts that several people write at once, and who signed what.
//!
//! A text is never stated whole while it is written: each save is one change against the text as its
//! author had it on screen, and [`crate::written`] merges them. Whoever signs states the whole text, so
//! that nobody needs a merge to read what was signed.

use std::collections::BTreeMap;

use seal::EntryId;
use serde::{Deserialize, Serialize};

use super::{At, Invalid, RecordKind};
use crate::authorise::{Author, Denied};
use crate::causality::Past;
use crate::field::MAX_TEXT;
use crate::record_state::RecordState;
use crate::roster::Role;

/// Sections of one report at most.
pub const MAX_SECTIONS: usize = 16;
/// Changes that one change can be made on: as many people as write at once.
pub const MAX_BASE: usize = 16;
/// Bytes of all sections that are signed together.
pub const MAX_SIGNED: usize = 40 * 1024;

/// One change of a section's text: at a place, so much is taken out, and this is put in. A place
/// beyond the text that it is made on is its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Write {
    /// Which text: `situation`, `needs`; 1 to 40 of a-z and `-`.
    pub section: String,
    /// The changes that the text ended in on which this was made, ascending, at most 16; none: an empty
    /// text. What the author had not seen, or is no change of this section, counts for nothing.
    #[schemars(with = "Vec<String>")]
    pub base: Vec<EntryId>,
    /// Where, in Unicode scalar values from the start.
    pub at: u32,
    /// How many of them are taken out.
    pub delete: u32,
    /// What is put in, at most 16,384 bytes.
    pub insert: String,
}

impl Write {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        is_section(&self.section)?;
        if self.base.len() > MAX_BASE || self.base.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(Invalid::Bound("base"));
        }
        if self.insert.len() > MAX_TEXT {
            return Err(Invalid::Bound("text"));
        }
        if self.delete == 0 && self.insert.is_empty() { Err(Invalid::Bound("change")) } else { Ok(()) }
    }
    /// Desk or commander of whoever reads the report.
    pub(super) fn authorise(&self, author: &Author<'_>, record: &RecordState, past: &Past) -> Result<(), Denied> {
        is_report(record)?;
        if !author.reads(record, past) {
            return Err(Denied::Outsider);
        }
        author.needs(&[Role::Desk, Role::Commander])
    }
    pub(super) fn apply(&self, record: &mut RecordState, at: &At<'_>) -> Result<(), &'static str> {
        record.write(self, at);
        Ok(())
    }
}

/// In which capacity somebody signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Capacity {
    /// Wrote it, or answers for the writing.
    Prepared,
    /// Approves it.
    Approved,
    /// Comes on duty and takes over what it lists.
    TakenOver,
}

impl Capacity {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Prepared, Self::Approved, Self::TakenOver];

    /// The code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Approved => "approved",
            Self::TakenOver => "taken-over",
        }
    }
    /// The capacity of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capacity| capacity.code() == code)
    }
}

/// Signs a report as its texts stood before the signer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sign {
    /// In which capacity.
    pub capacity: Capacity,
    /// The whole texts, by section: each at most 16,384 bytes, together at most 40,960.
    pub sections: BTreeMap<String, String>,
}

impl Sign {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        self.sections.keys().try_for_each(|section| is_section(section))?;
        let sizes = self.sections.values().map(String::len);
        let over = self.sections.len() > MAX_SECTIONS || sizes.clone().any(|size| size > MAX_TEXT);
        if over || sizes.sum::<usize>() > MAX_SIGNED { Err(Invalid::Bound("signed text")) } else { Ok(()) }
    }
    /// The owner's desk or commander.
    pub(super) fn authorise(&self, author: &Author<'_>, record: &RecordState, _: &Past) -> Result<(), Denied> {
        author.owns(record)?;
        is_report(record)?;
        author.needs(&[Role::Desk, Role::Commander])
    }
    pub(super) fn apply(&self, record: &mut RecordState, at: &At<'_>) -> Result<(), &'static str> {
        record.sign(self, at);
        Ok(())
    }
}

fn is_section(section: &str) -> Result<(), Invalid> {
    let letters = section.bytes().all(|c| c.is_ascii_lowercase() || c == b'-');
    if (1..=40).contains(&section.len()) && letters { Ok(()) } else { Err(Invalid::Bound("section")) }
}

fn is_report(record: &RecordState) -> Result<(), Denied> {
    match record.kind {
        Some(RecordKind::SituationReport | RecordKind::Handover) => Ok(()),
        _ => Err(Denied::Kind),
    }
}
