//! Links between records: reversible, never a merge of contents.

use seal::RecordId;
use serde::{Deserialize, Serialize};

use super::{At, Invalid, RecordKind, text};
use crate::authorise::{Author, Denied};
use crate::causality::Past;
use crate::record_state::RecordState;
use crate::roster::Role;

/// What a link says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// The same matter as the other, which leads.
    DuplicateOf,
    /// Has to do with.
    Related,
    /// Was caused by.
    CausedBy,
    /// A complaint relies on this incident.
    Incident,
    /// A brief was opened from this record.
    Brief,
    /// A sealed part belongs to this record.
    SealedPart,
    /// A complaint cites this incident.
    Complaint,
}

impl Relation {
    /// The code.
    pub fn code(self) -> &'static str {
        match self {
            Self::DuplicateOf => "duplicate-of",
            Self::Related => "related",
            Self::CausedBy => "caused-by",
            Self::Incident => "incident",
            Self::Brief => "brief",
            Self::SealedPart => "sealed-part",
            Self::Complaint => "complaint",
        }
    }
}

/// Sets or takes back a link. Concurrent setting and taking back: the link stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Relate {
    /// What the link says.
    pub relation: Relation,
    /// The other record.
    #[schemars(with = "String")]
    pub to: RecordId,
    /// The other record's reference, for people.
    pub reference: String,
    /// Whether this takes the link back.
    pub undo: bool,
}

impl Relate {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        text(&self.reference, 64, "reference")
    }
    /// The owner's desk, commander or registrar; an adjudicator on what is no incident.
    pub(super) fn authorise(&self, author: &Author<'_>, record: &RecordState, _: &Past) -> Result<(), Denied> {
        author.owns(record)?;
        author.needs(match record.kind {
            Some(RecordKind::Incident) => &[Role::Desk, Role::Commander, Role::Registrar],
            _ => &[Role::Desk, Role::Commander, Role::Registrar, Role::Adjudicator],
        })
    }
    pub(super) fn apply(&self, record: &mut RecordState, at: &At<'_>) -> Result<(), &'static str> {
        record.relate(self, at);
        Ok(())
    }
}
