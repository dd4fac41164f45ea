//! Why an entry is not simply valid, or has no effect: a stable code, and the words for it.
//!
//! The code stands in digests and on the wire, and never changes; the words may.

use crate::authorise::Denied;
use crate::entry::EntryError;

/// Why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// It cannot be read, or is of a later version.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// It names another record.
    #[error("it names another record")]
    OtherRecord,
    /// It creates a record whose id is not its own, or cites something before the creation.
    #[error("it creates a record that is not its own")]
    ForeignCreation,
    /// It is no creation, and cites nothing.
    #[error("it cites no earlier entry")]
    NoHeads,
    /// Its depth is not what its heads give.
    #[error("its depth does not follow from its heads")]
    Depth,
    /// Its number is not above those of its device that it had seen.
    #[error("its number in the record was used before")]
    NumberUsed,
    /// The view that it cites, or what the view names, is absent.
    #[error("the roster that it cites is not here yet")]
    RosterMissing,
    /// What would give its device these rights is here and takes no effect so far.
    #[error("what gives its device this right has taken no effect here yet")]
    NotInEffect,
    /// The view does not know its device.
    #[error("its device was never admitted in the roster that it cites")]
    NeverAdmitted,
    /// Not everything before it is here.
    #[error("earlier entries of this record are missing")]
    Incomplete,
    /// Beyond a fork, on a branch that no cut names.
    #[error("its device's chain forks here and no branch is named")]
    Forked,
    /// Above the cut of its device's revocation.
    #[error("it was written after its device was revoked")]
    Revoked,
    /// In the place of the cut's head.
    #[error("its device's cut names another entry in its place")]
    NotTheCutsHead,
    /// Its device had stated something here that it had not seen.
    #[error("its device had stated something in this record that this entry had not seen")]
    BesideItsOwn,
    /// It names another operator than its device's.
    #[error("its operator is not the device's")]
    Operator,
    /// No epoch names its agency.
    #[error("its agency is not in the roster")]
    NoAgency,
    /// The role in its header is not its device's.
    #[error("it acts in a role that its operator did not hold")]
    RoleNotHeld,
    /// It is not its author's to state.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// It is valid and changes nothing.
    #[error("{0}")]
    NoEffect(&'static str),
}

impl Reason {
    /// The code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Entry(EntryError::NewerSoftware) => "newer-software",
            Self::Entry(EntryError::Malformed(_)) => "malformed",
            Self::Entry(EntryError::Commitment) => "commitment",
            Self::OtherRecord => "other-record",
            Self::ForeignCreation => "foreign-creation",
            Self::NoHeads => "no-heads",
            Self::Depth => "depth",
            Self::NumberUsed => "number-used",
            Self::RosterMissing => "roster-missing",
            Self::NotInEffect => "not-in-effect",
            Self::NeverAdmitted => "never-admitted",
            Self::Incomplete => "incomplete",
            Self::Forked => "forked",
            Self::Revoked => "revoked",
            Self::NotTheCutsHead => "not-the-cuts-head",
            Self::BesideItsOwn => "beside-its-own",
            Self::Operator => "operator",
            Self::NoAgency => "no-agency",
            Self::RoleNotHeld => "role-not-held",
            Self::Denied(denied) => denied.code(),
            Self::NoEffect(_) => "no-effect",
        }
    }
}
