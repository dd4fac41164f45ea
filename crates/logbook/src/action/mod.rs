//! What an entry may state. One file per action: its data, its bounds, who may state it, what it
//! does to the record.

pub mod amend;
pub mod assign;
pub mod complaint;
pub mod create;
pub mod exhibit;
pub mod note;
pub mod refer;
pub mod relate;
pub mod report;
pub mod share;
pub mod state;

use serde::{Deserialize, Serialize};

use crate::authorise::{Author, Denied};
use crate::causality::{Mark, Past};
use crate::field::FieldError;
use crate::record_state::RecordState;

pub use amend::Amend;
pub use assign::Assign;
pub use complaint::{Decide, Move};
pub use create::{Create, RecordKind};
pub use exhibit::{Custody, CustodyAct, Exhibit};
pub use note::{Escalate, Note};
pub use refer::{Answer, Ask, Refer, ReferralState};
pub use relate::{Relate, Relation};
pub use report::{Capacity, Sign, Write};
pub use share::{Grant, GrantTo, Share, Unshare};
pub use state::{IncidentState, StateChange};

/// Why an action's data was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// A field.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// A text, code or list is empty or over its bound.
    #[error("{0} is empty or over its bound")]
    Bound(&'static str),
    /// A reason is required here.
    #[error("a reason is required for this step")]
    Reason,
}

/// An action, externally tagged: `{"note":{"text":"…"}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Opens a record.
    Create(Create),
    /// Adds a note.
    Note(Note),
    /// Sets fields anew, or settles a dispute.
    Amend(Amend),
    /// Moves an incident.
    State(StateChange),
    /// Gives it to a unit or person.
    Assign(Assign),
    /// Links it to another record, or takes a link back.
    Relate(Relate),
    /// Gives the record to another agency or device, with its whole history.
    Share(Share),
    /// Takes access to what comes later away.
    Unshare(Unshare),
    /// Asks another agency to act.
    Refer(Refer),
    /// A step of a referral.
    Answer(Answer),
    /// Adds an item of evidence.
    Exhibit(Exhibit),
    /// An act of custody on an exhibit.
    Custody(Custody),
    /// Moves a complaint.
    Move(Move),
    /// Decides a complaint.
    Decide(Decide),
    /// Raises the level of attention.
    Escalate(Escalate),
    /// Changes a report's text.
    Write(Write),
    /// Signs a report.
    Sign(Sign),
}

/// What an action is applied with.
pub struct At<'a> {
    /// Who and when.
    pub mark: &'a Mark,
    /// What the author had seen.
    pub past: &'a Past,
}

macro_rules! each {
    ($self:expr, $action:ident => $body:expr) => {
        match $self {
            Action::Create($action) => $body,
            Action::Note($action) => $body,
            Action::Amend($action) => $body,
            Action::State($action) => $body,
            Action::Assign($action) => $body,
            Action::Relate($action) => $body,
            Action::Share($action) => $body,
            Action::Unshare($action) => $body,
            Action::Refer($action) => $body,
            Action::Answer($action) => $body,
            Action::Exhibit($action) => $body,
            Action::Custody($action) => $body,
            Action::Move($action) => $body,
            Action::Decide($action) => $body,
            Action::Escalate($action) => $body,
            Action::Write($action) => $body,
            Action::Sign($action) => $body,
        }
    };
}

impl Action {
    /// The kinds that this software knows.
    pub const KINDS: [&'static str; 17] = [
        "create", "note", "amend", "state", "assign", "relate", "share", "unshare", "refer", "answer", "exhibit",
        "custody", "move", "decide", "escalate", "write", "sign",
    ];

    /// Whether a kind is known.
    pub fn knows(kind: &str) -> bool {
        Self::KINDS.contains(&kind)
    }

    /// The kind, as it stands in the entry.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Note(_) => "note",
            Self::Amend(_) => "amend",
            Self::State(_) => "state",
            Self::Assign(_) => "assign",
            Self::Relate(_) => "relate",
            Self::Share(_) => "share",
            Self::Unshare(_) => "unshare",
            Self::Refer(_) => "refer",
            Self::Answer(_) => "answer",
            Self::Exhibit(_) => "exhibit",
            Self::Custody(_) => "custody",
            Self::Move(_) => "move",
            Self::Decide(_) => "decide",
            Self::Escalate(_) => "escalate",
            Self::Write(_) => "write",
            Self::Sign(_) => "sign",
        }
    }

    /// Checks bounds; knows nothing of the record.
    pub fn validate(&self) -> Result<(), Invalid> {
        each!(self, action => action.validate())
    }

    /// Whether this author may state this of this record, having seen this past.
    pub fn authorise(&self, author: &Author<'_>, record: &RecordState, past: &Past) -> Result<(), Denied> {
        each!(self, action => action.authorise(author, record, past))
    }

    /// What it does to the record. `Err` says why it has no effect; the entry stays.
    pub fn apply(&self, record: &mut RecordState, at: &At<'_>) -> Result<(), &'static str> {
        each!(self, action => action.apply(record, at))
    }

    /// The grants in it.
    pub fn grants(&self) -> &[Grant] {
        match self {
            Self::Create(create) => &create.grants,
            Self::Share(share) => &share.grants,
            Self::Refer(refer) => &refer.grants,
            _ => &[],
        }
    }
}

/// Text that must not be empty, within a bound.
pub(crate) fn text(text: &str, max: usize, what: &'static str) -> Result<(), Invalid> {
    if text.trim().is_empty() || text.len() > max { Err(Invalid::Bound(what)) } else { Ok(()) }
}

/// Text that may be absent.
pub(crate) fn optional(value: &Option<String>, max: usize, what: &'static str) -> Result<(), Invalid> {
    value.as_deref().map_or(Ok(()), |given| text(given, max, what))
}
