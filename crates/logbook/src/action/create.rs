//! Opening a record.

use seal::{DeviceId, RecordId};
use serde::{Deserialize, Serialize};

use super::{At, Grant, Invalid, text};
use crate::authorise::{Author, Denied};
use crate::causality::Past;
use crate::field::{self, Fields};
use crate::record_state::RecordState;
use crate::roster::{AgencyId, Role};

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RecordKind {
    /// An incident.
    Incident,
    /// A formal filing that asks a body to decide.
    Complaint,
    /// An ask and chosen facts, when the record itself must not be shared whole.
    Brief,
    /// Identity or indicators with a narrower audience than the record they belong to.
    SealedPart,
    /// What the situation is, written by several people and signed.
    SituationReport,
    /// What one shift passes on to the next.
    Handover,
}

/// Opens a record. Its id is a hash of the creating device and the nonce, so only that device can
/// have made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Create {
    /// What the record is.
    pub kind: RecordKind,
    /// 16 random bytes, hex.
    pub nonce: String,
    /// The owner: the author's agency.
    pub owner: AgencyId,
    /// The reference that people use: `EMB-0421-0007`.
    pub reference: String,
    /// The record that a brief or a sealed part belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub parent: Option<RecordId>,
    /// The facts as first stated.
    pub fields: Fields,
    /// Who else may read it from the start; the creating device always may.
    pub grants: Vec<Grant>,
}

impl Create {
    /// The id that this creation gives: tagged("intact/record/v1", [device, nonce])[..16].
    pub fn record_id(&self, device: &DeviceId) -> RecordId {
        record_id(device, &self.nonce)
    }

    pub(super) fn validate(&self) -> Result<(), Invalid> {
        seal::id::from_hex::<16>(&self.nonce).map_err(|_| Invalid::Bound("nonce"))?;
        text(&self.reference, 64, "reference")?;
        super::share::check_grants(&self.grants)?;
        Ok(field::check(&self.fields)?)
    }

    /// An incident is logged by field, desk or commander; a complaint is registered by a registrar;
    /// a brief is opened by whoever may refer, a sealed part by whoever logs or registers. Whoever may
    /// not share gives it to its own agency only: `limits` checks that. A report is opened by whoever
    /// leads or triages.
    pub(super) fn authorise(&self, author: &Author<'_>, record: &RecordState, _: &Past) -> Result<(), Denied> {
        if record.exists() {
            return Err(Denied::Step("a record is created once"));
        }
        if self.owner != *author.agency {
            return Err(Denied::Owner);
        }
        match self.kind {
            RecordKind::SituationReport | RecordKind::Handover => author.needs(&[Role::Desk, Role::Commander]),
            RecordKind::Incident => author.needs(&[Role::Field, Role::Desk, Role::Commander]),
            RecordKind::Complaint => author.needs(&[Role::Registrar]),
            RecordKind::Brief => author.needs(&[Role::Desk, Role::Commander, Role::Adjudicator]),
            RecordKind::SealedPart => author.needs(&[Role::Field, Role::Desk, Role::Commander, Role::Registrar]),
        }
    }

    pub(super) fn apply(&self, record: &mut RecordState, at: &At<'_>) -> Result<(), &'static str> {
        record.open(self, at);
        Ok(())
    }
}

/// tagged("intact/record/v1", [device, nonce as hex text])[..16].
pub fn record_id(device: &DeviceId, nonce: &str) -> RecordId {
    let hash = seal::hash::tagged("intact/record/v1", &[&device.0, nonce.as_bytes()]);
    RecordId(hash[..16].try_into().expect("16 of 32 bytes"))
}
