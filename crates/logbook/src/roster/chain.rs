//! Device chains: one per agency, hash-linked, signed by an administrator's device or the root.

use seal::hash::tagged;
use seal::{ChainEntryId, DeviceId, EnvelopeId, Hash32, OperatorId, Recipient, Signature, SigningKey};
use serde::{Deserialize, Serialize};

use super::{AgencyId, Role, RosterError, canonical, to_json};

const ID_TAG: &str = "intact/chain/v1";
const SIGNATURE_TAG: &str = "intact/chain-sig/v1";
const NETWORK_TAG: &str = "intact/network-key/v1";
const SECOND_TAG: &str = "intact/revoke-second/v1";
/// Bytes of a chain entry: an agency key wrapped to 64 desks fits.
const MAX_BODY: usize = 64 * 1024;
/// Desks of one agency that hold its recipient.
const MAX_WRAPS: usize = 64;

/// An entry of an agency's chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChainEntry {
    /// The version: 1.
    pub v: u8,
    /// The agency.
    pub agency: AgencyId,
    /// The number, from 1.
    pub number: u64,
    /// The previous entry; null for number 1.
    #[schemars(with = "Option<String>")]
    pub prev: Option<ChainEntryId>,
    /// When, milliseconds.
    pub at_ms: i64,
    /// What.
    pub action: ChainAction,
}

/// What a chain entry does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChainAction {
    /// Enrols a device.
    Enrol(Enrol),
    /// Revokes a device.
    Revoke(Revoke),
    /// Changes a device's roles.
    Roles(Roles),
    /// Starts a new epoch of the agency's recipient.
    AgencyKey(AgencyKey),
}

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
    /// The device's certificate for its endpoint key.
    pub fn certify(device: &SigningKey, network_key: &[u8; 32]) -> String {
        seal::id::to_hex(&device.sign(NETWORK_TAG, network_key).0)
    }
    fn validate(&self) -> Result<(), RosterError> {
        let fits = |text: &str, max| !text.trim().is_empty() && text.len() <= max;
        let sorted = self.roles.windows(2).all(|pair| pair[0] < pair[1]);
        if !fits(&self.name, 100) || self.unit.as_deref().is_some_and(|unit| !fits(unit, 64)) {
            return Err(RosterError::Malformed("device name"));
        }
        if self.roles.is_empty() || !sorted {
            return Err(RosterError::Malformed("roles"));
        }
        let signature = Signature(seal::id::from_hex(&self.network_signature)?);
        Ok(seal::sign::verify(NETWORK_TAG, &self.network_key.0, &self.device.0, &signature)?)
    }
}

/// The last entry of a device's own chain that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// Its number.
    pub number: u64,
    /// Its id, which also names the branch where the chain forks.
    #[schemars(with = "String")]
    pub head: EnvelopeId,
}

/// Another administrator's agreement to a revocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecondApproval {
    /// The administrator's device.
    #[schemars(with = "String")]
    pub by: DeviceId,
    /// Its signature over [`revocation_statement`], hex.
    pub signature: String,
}

impl SecondApproval {
    /// Signs the statement.
    pub fn sign(device: &DeviceId, last_good: u64, by: &SigningKey) -> Self {
        let signature = by.sign(SECOND_TAG, revocation_statement(device, last_good).as_bytes());
        Self { by: by.device_id(), signature: seal::id::to_hex(&signature.0) }
    }
    /// Whether it agrees to this revocation.
    pub fn holds(&self, device: &DeviceId, last_good: u64) -> bool {
        let Ok(signature) = seal::id::from_hex(&self.signature) else { return false };
        let statement = revocation_statement(device, last_good);
        seal::sign::verify(SECOND_TAG, statement.as_bytes(), &self.by.0, &Signature(signature)).is_ok()
    }
}

/// What a second administrator signs: `revoke <device hex> after <number>`.
pub fn revocation_statement(device: &DeviceId, last_good: u64) -> String {
    format!("revoke {device} after {last_good}")
}

/// Revokes a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// The device.
    #[schemars(with = "String")]
    pub device: DeviceId,
    /// The last entry accepted; null: none.
    pub cut: Option<Cut>,
    /// Why.
    pub reason: String,
    /// Since when, milliseconds.
    pub effective_ms: i64,
    /// The second administrator, where the agency has another active one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<SecondApproval>,
}

/// Changes a device's roles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Roles {
    /// The device.
    #[schemars(with = "String")]
    pub device: DeviceId,
    /// Its roles from here on.
    pub roles: Vec<Role>,
    /// The last entry for which the old roles count, whatever roster it cites.
    pub cut: Option<Cut>,
}

/// A new epoch of the agency's recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgencyKey {
    /// Its number, from 2.
    pub epoch: u32,
    /// The public half.
    #[schemars(with = "String")]
    pub recipient: Recipient,
    /// The secret half, wrapped to each desk.
    pub wraps: Vec<KeyWrap>,
}

/// An agency identity wrapped to a desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyWrap {
    /// The desk's device.
    #[schemars(with = "String")]
    pub device: DeviceId,
    /// age ciphertext, hex.
    pub sealed: String,
}

impl ChainEntry {
    /// The one encoding.
    pub fn body(&self) -> String {
        to_json(self)
    }
    /// Reads the one encoding.
    pub fn parse(body: &str) -> Result<Self, RosterError> {
        let entry: Self = canonical(body, MAX_BODY)?;
        entry.validate()?;
        Ok(entry)
    }
    fn validate(&self) -> Result<(), RosterError> {
        if self.v != 1 || self.number == 0 || (self.number == 1) != self.prev.is_none() {
            return Err(RosterError::Malformed("chain number"));
        }
        match &self.action {
            ChainAction::Enrol(enrol) => enrol.validate(),
            ChainAction::Revoke(revoke) if revoke.reason.trim().is_empty() || revoke.reason.len() > 2000 => {
                Err(RosterError::Malformed("reason"))
            }
            ChainAction::Roles(roles) if !roles.roles.windows(2).all(|pair| pair[0] < pair[1]) => {
                Err(RosterError::Malformed("roles"))
            }
            ChainAction::AgencyKey(key) if key.epoch < 2 || key.wraps.len() > MAX_WRAPS => {
                Err(RosterError::Malformed("agency key"))
            }
            _ => Ok(()),
        }
    }
}

/// A chain entry with its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedChainEntry {
    /// The body, canonical JSON as text.
    pub body: String,
    /// The key that signed: an administrator's device, or the root.
    #[schemars(with = "String")]
    pub by: Hash32,
    /// The signature, hex.
    pub signature: String,
}

impl SignedChainEntry {
    /// Signs an entry.
    pub fn sign(entry: &ChainEntry, by: &SigningKey) -> Self {
        let body = entry.body();
        let signature = seal::id::to_hex(&by.sign(SIGNATURE_TAG, body.as_bytes()).0);
        Self { body, by: Hash32(by.public()), signature }
    }
    /// tagged("intact/chain/v1", [body]).
    pub fn id(&self) -> ChainEntryId {
        ChainEntryId(tagged(ID_TAG, &[self.body.as_bytes()]))
    }
    /// Parses, and checks the signature against the key that it names; whether that key may sign
    /// is the fold's to say.
    pub fn open(&self) -> Result<ChainEntry, RosterError> {
        let entry = ChainEntry::parse(&self.body)?;
        let signature = Signature(seal::id::from_hex(&self.signature)?);
        seal::sign::verify(SIGNATURE_TAG, self.body.as_bytes(), &self.by.0, &signature)?;
        Ok(entry)
    }
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

/// tagged("intact/name/v1", [operator, salt as hex text, name]).
pub fn name_commitment(opening: &NameOpening) -> Hash32 {
    Hash32(tagged("intact/name/v1", &[&opening.operator.0, opening.salt.as_bytes(), opening.name.as_bytes()]))
}
