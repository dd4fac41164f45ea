//! The steps of a complaint.
//!
//! Concurrent steps: the later stage of the main track stands, and both are shown.

use serde::{Deserialize, Serialize};

use super::{At, Invalid, RecordKind, optional, text};
use crate::authorise::{Author, Denied};
use crate::causality::Past;
use crate::complaint_flow::ComplaintState;
use crate::field::is_code;
use crate::record_state::RecordState;
use crate::roster::Role;

/// Moves a complaint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// The state reached.
    pub to: ComplaintState,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Move {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        optional(&self.reason, 4000, "reason")
    }
    /// A registrar up to admissibility, an adjudicator everywhere; `decided` only by a decision.
    pub(super) fn authorise(&self, author: &Author<'_>, record: &RecordState, _: &Past) -> Result<(), Denied> {
        author.owns(record)?;
        is_complaint(record)?;
        if self.to == ComplaintState::Decided {
            return Err(Denied::Step("a complaint is decided by a decision with reasons"));
        }
        let registry = matches!(
            self.to,
            ComplaintState::Filed
                | ComplaintState::Receipted
                | ComplaintState::Deficient
                | ComplaintState::Transferred
                | ComplaintState::AdmissibilityReview
                | ComplaintState::Withdrawn
                | ComplaintState::Joined
                | ComplaintState::Notified
        );
        author.needs(if registry { &[Role::Registrar, Role::Adjudicator] } else { &[Role::Adjudicator] })
    }
    pub(super) fn apply(&self, record: &mut RecordState, at: &At<'_>) -> Result<(), &'static str> {
        record.move_complaint(self.to, at)
    }
}

fn is_complaint(record: &RecordState) -> Result<(), Denied> {
    if record.kind == Some(RecordKind::Complaint) { Ok(()) } else { Err(Denied::Kind) }
}

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decide {
    /// The outcome, a code.
    pub outcome: String,
    /// The reasons.
    pub reasons: String,
    /// The remedy, a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Decide {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        if !is_code(&self.outcome) || self.remedy.as_deref().is_some_and(|code| !is_code(code)) {
            return Err(Invalid::Bound("outcome or remedy"));
        }
        text(&self.reasons, 32 * 1024, "reasons")
    }
    /// An adjudicator of the deciding body.
    pub(super) fn authorise(&self, author: &Author<'_>, record: &RecordState, _: &Past) -> Result<(), Denied> {
        author.owns(record)?;
        is_complaint(record)?;
        author.needs(&[Role::Adjudicator])
    }
    pub(super) fn apply(&self, record: &mut RecordState, at: &At<'_>) -> Result<(), &'static str> {
        record.move_complaint(ComplaintState::Decided, at)?;
        record.decision(self, at);
        Ok(())
    }
}
