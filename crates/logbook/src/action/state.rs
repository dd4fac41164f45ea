//! The states of an incident.
//!
//! Concurrent steps: the state that asks for the most attention stands, so that nobody loses sight
//! of an open matter because somebody else closed it unknowingly; both steps are shown.

use serde::{Deserialize, Serialize};

use super::{At, Invalid, RecordKind, optional};
use crate::authorise::{Author, Denied};
use crate::causality::Past;
use crate::flow::States;
use crate::record_state::RecordState;
use crate::roster::Role;

/// Where an incident stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IncidentState {
    /// Logged, not yet looked at.
    New,
    /// Looked at; severity and category judged.
    Triaged,
    /// Being checked.
    Verifying,
    /// Given to someone.
    Assigned,
    /// Being worked on.
    InProgress,
    /// No longer spreading.
    Contained,
    /// Its cause is gone.
    Resolved,
    /// Done.
    Closed,
    /// Closed once, open again.
    Reopened,
    /// Found not to have happened.
    Unfounded,
    /// Lawful speech, assembly or opinion.
    OutOfScope,
}

impl IncidentState {
    /// All states.
    pub const ALL: [Self; 11] = [
        Self::New,
        Self::Triaged,
        Self::Verifying,
        Self::Assigned,
        Self::InProgress,
        Self::Contained,
        Self::Resolved,
        Self::Closed,
        Self::Reopened,
        Self::Unfounded,
        Self::OutOfScope,
    ];

    /// The code.
    pub fn code(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Triaged => "triaged",
            Self::Verifying => "verifying",
            Self::Assigned => "assigned",
            Self::InProgress => "in-progress",
            Self::Contained => "contained",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
            Self::Reopened => "reopened",
            Self::Unfounded => "unfounded",
            Self::OutOfScope => "out-of-scope",
        }
    }

    /// The state of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Whether nothing more is expected.
    pub fn is_closed(self) -> bool {
        matches!(self, Self::Closed | Self::Unfounded | Self::OutOfScope)
    }
}

impl States for IncidentState {
    const START: Self = Self::New;
    /// Open states follow each other freely; a closed matter is only reopened.
    fn allows(self, to: Self) -> bool {
        match to {
            Self::New => false,
            Self::Reopened => self.is_closed(),
            _ => !self.is_closed() && self != to,
        }
    }
    fn rank(self) -> u8 {
        match self {
            Self::New => 0,
            Self::OutOfScope => 1,
            Self::Unfounded => 2,
            Self::Closed => 3,
            Self::Resolved => 4,
            Self::Contained => 5,
            Self::Triaged => 6,
            Self::Assigned => 7,
            Self::Verifying => 8,
            Self::InProgress => 9,
            Self::Reopened => 10,
        }
    }
}

/// Moves an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StateChange {
    /// Where to.
    pub to: IncidentState,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl StateChange {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        optional(&self.reason, 2000, "reason")
    }
    /// The owner's desk or commander, on an incident.
    pub(super) fn authorise(&self, author: &Author<'_>, record: &RecordState, _: &Past) -> Result<(), Denied> {
        if record.kind.is_some_and(|kind| kind != RecordKind::Incident) {
            return Err(Denied::Kind);
        }
        author.owns(record)?;
        author.needs(&[Role::Desk, Role::Commander])
    }
    pub(super) fn apply(&self, record: &mut RecordState, at: &At<'_>) -> Result<(), &'static str> {
        if record.incident.take(self.to, at.mark.clone(), at.past) {
            Ok(())
        } else {
            Err("this step does not follow from the state that its author had seen")
        }
    }
}
