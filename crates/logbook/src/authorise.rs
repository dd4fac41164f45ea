//! Who may do what: the author, as the roster that the entry cites describes it.

use seal::DeviceId;

use crate::action::RecordKind;
use crate::causality::Past;
use crate::record_state::RecordState;
use crate::roster::{AgencyId, AgencyKind, Role};

/// Why an entry is not authorised.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The operator holds none of the roles that this needs.
    #[error("this needs one of the roles: {0}")]
    Role(String),
    /// The author's agency does not own the record.
    #[error("only the agency that owns the record may do this")]
    Owner,
    /// The author's agency was not given the record.
    #[error("this agency was not given the record")]
    Outsider,
    /// The record's TLP does not allow this recipient.
    #[error("the record's TLP does not allow this recipient")]
    Tlp,
    /// The recipient is of a kind that the record alleges to be the perpetrator.
    #[error("a body that the record alleges to be involved cannot be given it")]
    Alleged,
    /// The grants leave out keys of the record.
    #[error("whoever is asked must be given the whole record")]
    Partial,
    /// The record does not exist yet, or is of another kind.
    #[error("the record is of a kind that does not take this")]
    Kind,
    /// The step is not this author's or not possible.
    #[error("{0}")]
    Step(&'static str),
    /// The author cites a roster older than its previous entry's.
    #[error("it cites a roster older than its author's previous entry")]
    RosterWentBack,
}

impl Denied {
    /// The code, which never changes; the words may.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Role(_) => "needs-role",
            Self::Owner => "not-the-owner",
            Self::Outsider => "outsider",
            Self::Tlp => "tlp",
            Self::Alleged => "alleged",
            Self::Partial => "partial",
            Self::Kind => "kind",
            Self::Step(_) => "step",
            Self::RosterWentBack => "roster-went-back",
        }
    }
}

/// An author at the time of an entry.
#[derive(Debug, Clone)]
pub struct Author<'a> {
    /// The device.
    pub device: DeviceId,
    /// Its agency.
    pub agency: &'a AgencyId,
    /// The agency's kind.
    pub kind: AgencyKind,
    /// The roles that the roster view which the entry cites gives.
    pub roles: &'a [Role],
}

impl Author<'_> {
    /// Holds one of these roles.
    pub fn needs(&self, any: &[Role]) -> Result<(), Denied> {
        if any.iter().any(|role| self.roles.contains(role)) {
            return Ok(());
        }
        Err(Denied::Role(any.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")))
    }

    /// Belongs to the owner of an existing record.
    pub fn owns(&self, record: &RecordState) -> Result<(), Denied> {
        match &record.owner {
            Some(owner) if owner == self.agency => Ok(()),
            _ => Err(Denied::Owner),
        }
    }

    /// Was given the record, or made it.
    pub fn reads(&self, record: &RecordState, past: &Past) -> bool {
        record.creator == Some(self.device)
            || record.owner.as_ref() == Some(self.agency)
            || record.granted(self.agency, &self.device, past)
    }

    /// May note, amend facts and add exhibits: the owner's desk; the field on what it logged; the
    /// desk of an agency that the record was shared with, a court's included; on what is no incident,
    /// its registrar and adjudicator.
    pub fn may_add(&self, record: &RecordState, past: &Past) -> Result<(), Denied> {
        if !record.exists() {
            return Err(Denied::Kind);
        }
        let desk = [Role::Desk, Role::Commander];
        if self.owns(record).is_ok() {
            if record.creator == Some(self.device) && self.needs(&[Role::Field]).is_ok() {
                return Ok(());
            }
            return match record.kind {
                Some(RecordKind::Incident) => self.needs(&desk),
                _ => self.needs(&[desk[0], desk[1], Role::Registrar, Role::Adjudicator]),
            };
        }
        if !self.reads(record, past) {
            return Err(Denied::Outsider);
        }
        self.needs(&desk)
    }
}
