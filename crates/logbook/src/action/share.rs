//! Who may read: grants and their end.

use seal::{DeviceId, Hash32, KeyId};
use serde::{Deserialize, Serialize};

use super::{At, Invalid};
use crate::authorise::{Author, Denied};
use crate::causality::Past;
use crate::record_state::RecordState;
use crate::roster::{AgencyId, Role};

/// Grants in one entry: every key of a long-lived record for every agency fits.
const MAX_GRANTS: usize = 256;

/// To whom a key is given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum GrantTo {
    /// An agency's desks, by the epoch of the agency's recipient.
    Agency {
        /// The agency.
        id: AgencyId,
        /// The epoch of its recipient.
        epoch: u32,
    },
    /// One device.
    Device {
        /// The device.
        #[schemars(with = "String")]
        id: DeviceId,
    },
}

/// A key given to a recipient. The wrap itself travels outside the entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The recipient.
    pub to: GrantTo,
    /// The key.
    #[schemars(with = "String")]
    pub key: KeyId,
    /// The hash of the wrap.
    #[schemars(with = "String")]
    pub wrap: Hash32,
}

/// Gives the whole record, past included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// One grant per recipient and key.
    pub grants: Vec<Grant>,
}

/// Takes access to what comes later away; the past cannot be recalled. Removal beats a concurrent
/// grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unshare {
    /// The agencies that lose it.
    pub agencies: Vec<AgencyId>,
    /// The devices that lose it.
    #[schemars(with = "Vec<String>")]
    pub devices: Vec<DeviceId>,
}

pub(super) fn check_grants(grants: &[Grant]) -> Result<(), Invalid> {
    if grants.len() > MAX_GRANTS { Err(Invalid::Bound("grants")) } else { Ok(()) }
}

impl Share {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        if self.grants.is_empty() { Err(Invalid::Bound("grants")) } else { check_grants(&self.grants) }
    }
    /// The owner's desk or commander. Within the TLP, and never with a body that the record alleges to
    /// be the perpetrator: that is checked where the recipients are known, in `limits`.
    pub(super) fn authorise(&self, author: &Author<'_>, record: &RecordState, _: &Past) -> Result<(), Denied> {
        author.owns(record)?;
        author.needs(&[Role::Desk, Role::Commander])
    }
    pub(super) fn apply(&self, record: &mut RecordState, at: &At<'_>) -> Result<(), &'static str> {
        record.grant(&self.grants, at);
        Ok(())
    }
}

impl Unshare {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        let count = self.agencies.len() + self.devices.len();
        if count == 0 || count > MAX_GRANTS { Err(Invalid::Bound("unshare")) } else { Ok(()) }
    }
    /// The owner's desk or commander; the owner itself always keeps its record.
    pub(super) fn authorise(&self, author: &Author<'_>, record: &RecordState, _: &Past) -> Result<(), Denied> {
        author.owns(record)?;
        author.needs(&[Role::Desk, Role::Commander])?;
        if self.agencies.contains(author.agency) { Err(Denied::Step("an owner keeps its record")) } else { Ok(()) }
    }
    pub(super) fn apply(&self, record: &mut RecordState, at: &At<'_>) -> Result<(), &'static str> {
        record.unshare(self, at);
        Ok(())
    }
}
