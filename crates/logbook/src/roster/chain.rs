//! Device chains: one per agency, hash-linked, signed by an administrator's device or the root.

use seal::hash::tagged;
use seal::{ChainEntryId, DeviceId, EnvelopeId, Hash32, Recipient, Signature, SigningKey};
use serde::{Deserialize, Serialize};

use super::{AgencyId, Enrol, Role, RosterError, canonical, fits, to_json};

const ID_TAG: &str = "intact/chain/v1";
const SIGNATURE_TAG: &str = "intact/chain-sig/v1";
const SECOND_TAG: &str = "intact/revoke-second/v1";
/// Bytes of a chain entry: an agency key wrapped to 64 desks fits.
const MAX_BODY: usize = 64 * 1024;
/// Desks of one agency that hold its recipient.
const MAX_WRAPS: usize = 64;
/// Bytes of a reason: half a page.
const MAX_REASON: usize = 2000;
/// Hex digits of one wrapped identity: an age file with one stanza and 74 bytes takes about 600.
const MAX_WRAP_HEX: usize = 4096;

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

impl Cut {
    /// "Nothing accepted" is spelled as no cut, never as a cut at 0.
    fn validate(self) -> Result<(), RosterError> {
        if self.number == 0 { Err(RosterError::Malformed("cut")) } else { Ok(()) }
    }
}

/// Another administrator's agreement to a revocation, or to taking the admin role away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecondApproval {
    /// The administrator's device.
    #[schemars(with = "String")]
    pub by: DeviceId,
    /// Its signature over [`revocation_statement`] or [`roles_statement`], hex.
    pub signature: String,
}

impl SecondApproval {
    /// Agrees to a revocation: signs [`revocation_statement`].
    pub fn sign(device: &DeviceId, last_good: u64, by: &SigningKey) -> Self {
        Self::over(&revocation_statement(device, last_good), by)
    }
    /// Agrees to a change of roles: signs [`roles_statement`].
    pub fn sign_roles(device: &DeviceId, roles: &[Role], last_good: u64, by: &SigningKey) -> Self {
        Self::over(&roles_statement(device, roles, last_good), by)
    }
    /// Whether it agrees to this revocation.
    pub fn holds(&self, device: &DeviceId, last_good: u64) -> bool {
        self.covers(&revocation_statement(device, last_good))
    }
    /// Whether it agrees to this change of roles.
    pub fn holds_roles(&self, device: &DeviceId, roles: &[Role], last_good: u64) -> bool {
        self.covers(&roles_statement(device, roles, last_good))
    }
    fn over(statement: &str, by: &SigningKey) -> Self {
        let signature = by.sign(SECOND_TAG, statement.as_bytes());
        Self { by: by.device_id(), signature: seal::id::to_hex(&signature.0) }
    }
    fn covers(&self, statement: &str) -> bool {
        let Ok(signature) = seal::id::from_hex(&self.signature) else { return false };
        seal::sign::verify(SECOND_TAG, statement.as_bytes(), &self.by.0, &Signature(signature)).is_ok()
    }
}

/// What a second administrator signs: `revoke <device hex> after <number>`.
pub fn revocation_statement(device: &DeviceId, last_good: u64) -> String {
    format!("revoke {device} after {last_good}")
}

/// What a second administrator signs to take the admin role from another:
/// `roles <device hex> <roles joined by commas, or -> after <number>`.
pub fn roles_statement(device: &DeviceId, roles: &[Role], last_good: u64) -> String {
    let codes: Vec<&str> = roles.iter().map(|role| role.code()).collect();
    let codes = if codes.is_empty() { "-".to_owned() } else { codes.join(",") };
    format!("roles {device} {codes} after {last_good}")
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
    /// The last entry for which the old roles count, whatever roster it cites; null: none.
    pub cut: Option<Cut>,
    /// The second administrator, where this takes the admin role from another device and the agency
    /// has one more active administrator: else an administrator could make itself the only one,
    /// and then revoke alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<SecondApproval>,
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

impl AgencyKey {
    fn validate(&self) -> Result<(), RosterError> {
        let devices: std::collections::BTreeSet<DeviceId> = self.wraps.iter().map(|wrap| wrap.device).collect();
        let hex = |text: &str| text.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
        let sealed = |text: &str| (1..=MAX_WRAP_HEX).contains(&text.len()) && text.len().is_multiple_of(2) && hex(text);
        let whole = self.wraps.iter().all(|wrap| sealed(&wrap.sealed)) && devices.len() == self.wraps.len();
        if self.epoch < 2 || self.wraps.len() > MAX_WRAPS || !whole {
            return Err(RosterError::Malformed("agency key"));
        }
        Ok(())
    }
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
            ChainAction::Enrol(enrol) => enrol.validate(&self.agency),
            ChainAction::Revoke(revoke) => {
                if !fits(&revoke.reason, MAX_REASON) {
                    return Err(RosterError::Malformed("reason"));
                }
                revoke.cut.map_or(Ok(()), Cut::validate)
            }
            ChainAction::Roles(roles) => {
                if !roles.roles.windows(2).all(|pair| pair[0] < pair[1]) {
                    return Err(RosterError::Malformed("roles"));
                }
                roles.cut.map_or(Ok(()), Cut::validate)
            }
            ChainAction::AgencyKey(key) => key.validate(),
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
