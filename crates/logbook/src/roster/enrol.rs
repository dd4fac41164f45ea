//! Enrolment of a device with its operator, and the opening of that person's name.

use seal::hash::tagged;
use seal::{DeviceId, Hash32, OperatorId, Recipient, Signature, SigningKey};
use serde::{Deserialize, Serialize};

use super::{AgencyId, Role, RosterError, fits};

const NETWORK_TAG: &str = "intact/network-key/v1";

/// Enrols a device with its operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Enrol {
    /// The device: its signing key.
    #[schemars(with = "String")]
    pub device: DeviceId,
    /// What it is called.
    pub name: String,
    /// Its endpoint key on the LAN.
    #[schemars(with = "String")]
    pub network_key: Hash32,
    /// The device's signature over that key, hex.
    pub network_signature: String,
    /// What it receives keys with.
    #[schemars(with = "String")]
    pub recipient: Recipient,
    /// Who acts on it.
    #[schemars(with = "String")]
    pub operator: OperatorId,
    /// A salted commitment to that person's name.
    #[schemars(with = "String")]
    pub operator_commitment: Hash32,
    /// Roles.
    pub roles: Vec<Role>,
    /// A part of the agency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

impl Enrol {
    /// The device's certificate for its endpoint key, for any agency that enrols it.
    pub fn certify(device: &SigningKey, network_key: &[u8; 32]) -> String {
        seal::id::to_hex(&device.sign(NETWORK_TAG, network_key).0)
    }
    /// The device's certificate for its endpoint key, good for one agency only: copied into another
    /// agency's chain it proves nothing, so where both claim the device, this claim stands.
    pub fn certify_for(device: &SigningKey, network_key: &[u8; 32], agency: &AgencyId) -> String {
        seal::id::to_hex(&device.sign(NETWORK_TAG, &bound(network_key, agency)).0)
    }
    /// Whether the certificate is good for one agency only.
    pub(super) fn is_bound(&self, agency: &AgencyId) -> bool {
        self.certified(&bound(&self.network_key.0, agency)).is_ok()
    }
    fn certified(&self, message: &[u8]) -> Result<(), RosterError> {
        let signature = Signature(seal::id::from_hex(&self.network_signature)?);
        Ok(seal::sign::verify(NETWORK_TAG, message, &self.device.0, &signature)?)
    }
    pub(super) fn validate(&self, agency: &AgencyId) -> Result<(), RosterError> {
        let sorted = self.roles.windows(2).all(|pair| pair[0] < pair[1]);
        if !fits(&self.name, 100) || self.unit.as_deref().is_some_and(|unit| !fits(unit, 64)) {
            return Err(RosterError::Malformed("device name"));
        }
        if self.roles.is_empty() || !sorted {
            return Err(RosterError::Malformed("roles"));
        }
        self.certified(&self.network_key.0).or_else(|_| self.certified(&bound(&self.network_key.0, agency)))
    }
}

/// What a certificate for one agency signs: the key, then the agency's id.
fn bound(network_key: &[u8; 32], agency: &AgencyId) -> Vec<u8> {
    [network_key.as_slice(), agency.as_str().as_bytes()].concat()
}

/// A name, opened for those who need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NameOpening {
    /// Whose.
    #[schemars(with = "String")]
    pub operator: OperatorId,
    /// The name.
    pub name: String,
    /// 16 random bytes, hex.
    pub salt: String,
}

impl NameOpening {
    /// Checks bounds: a name of 1 to 300 bytes, a salt of 16 bytes in lower-case hex.
    pub(super) fn validate(&self) -> Result<(), RosterError> {
        if !fits(&self.name, 300) || seal::id::from_hex::<16>(&self.salt).is_err() {
            return Err(RosterError::Malformed("name"));
        }
        Ok(())
    }
}

/// tagged("intact/name/v1", [operator, salt as hex text, name]).
pub fn name_commitment(opening: &NameOpening) -> Hash32 {
    Hash32(tagged("intact/name/v1", &[&opening.operator.0, opening.salt.as_bytes(), opening.name.as_bytes()]))
}
