//! Notes and escalations.

use serde::{Deserialize, Serialize};

use super::{At, Invalid, text};
use crate::authorise::{Author, Denied};
use crate::causality::Past;
use crate::field::MAX_TEXT;
use crate::record_state::RecordState;
use crate::roster::Role;

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// What is noted.
    pub text: String,
}

impl Note {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        text(&self.text, MAX_TEXT, "note")
    }
    /// Whoever may add to the record.
    pub(super) fn authorise(&self, author: &Author<'_>, record: &RecordState, past: &Past) -> Result<(), Denied> {
        author.may_add(record, past)
    }
    pub(super) fn apply(&self, record: &mut RecordState, at: &At<'_>) -> Result<(), &'static str> {
        record.note(&self.text, at);
        Ok(())
    }
}

/// Raises the level of attention inside or above the owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Escalate {
    /// To whom: a unit, a person's function.
    pub to: String,
    /// Why.
    pub reason: String,
}

impl Escalate {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        text(&self.to, 200, "escalation")?;
        text(&self.reason, 2000, "reason")
    }
    /// The owner's desk or commander.
    pub(super) fn authorise(&self, author: &Author<'_>, record: &RecordState, _: &Past) -> Result<(), Denied> {
        author.owns(record)?;
        author.needs(&[Role::Desk, Role::Commander])
    }
    pub(super) fn apply(&self, record: &mut RecordState, at: &At<'_>) -> Result<(), &'static str> {
        record.escalate(&self.to, at);
        Ok(())
    }
}
