//! Epochs: the complete list of agencies, numbered and hash-linked.

use std::collections::BTreeSet;

use seal::hash::tagged;
use seal::{DeviceId, EpochId, Hash32, Recipient};
use serde::{Deserialize, Serialize};

use super::{AgencyId, AgencyKind, RosterError, canonical, fits, to_json};

const ID_TAG: &str = "intact/epoch/v1";
/// Agencies in an operation: several of each kind, with room; links go to every one of them.
pub(super) const MAX_AGENCIES: usize = 64;
/// Bytes of an epoch's body, legal clocks included, and of that body escaped as a JSON string: so
/// that with 64 signatures of each kind it fits an object of `MAX_OBJECT`.
const MAX_BODY: usize = 256 * 1024;
/// Founding administrators of one agency: its first day's staff; more are enrolled in its chain.
const MAX_ADMINS: usize = 16;

/// An agency in an epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgencyRecord {
    /// Its id.
    pub id: AgencyId,
    /// Its kind.
    pub kind: AgencyKind,
    /// Its name, 1 to 200 bytes.
    pub name: String,
    /// The public half of its root key, Ed25519.
    #[schemars(with = "String")]
    pub root: Hash32,
    /// Its founding administrators' devices.
    #[schemars(with = "Vec<String>")]
    pub admins: Vec<DeviceId>,
    /// The first epoch of its recipient.
    #[schemars(with = "String")]
    pub recipient: Recipient,
    /// Institutions under one hierarchy count once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hierarchy: Option<String>,
}

impl AgencyRecord {
    /// Checks bounds.
    pub fn validate(&self) -> Result<(), RosterError> {
        if !fits(&self.name, 200) {
            return Err(RosterError::Malformed("agency name"));
        }
        if self.hierarchy.as_deref().is_some_and(|name| !fits(name, 200) || name.trim() != name) {
            return Err(RosterError::Malformed("agency hierarchy"));
        }
        let admins: BTreeSet<&DeviceId> = self.admins.iter().collect();
        if admins.is_empty() || self.admins.len() > MAX_ADMINS || admins.len() != self.admins.len() {
            return Err(RosterError::Malformed("agency admins"));
        }
        Ok(())
    }
    /// What it counts under: its hierarchy, else itself; the case of ASCII letters does not matter,
    /// so that spelling a name anew makes no second voice.
    pub(super) fn hierarchy(&self) -> String {
        self.hierarchy.as_deref().unwrap_or(self.id.as_str()).to_ascii_lowercase()
    }
    /// Whether `other` is the same party: id, kind and root.
    fn is_party(&self, other: &AgencyRecord) -> bool {
        self.id == other.id && self.kind == other.kind && self.root == other.root
    }
}

/// An epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Epoch {
    /// The version: 1.
    pub v: u8,
    /// What people call the operation.
    pub operation_name: String,
    /// Whether it is an exercise.
    pub exercise: bool,
    /// The number, from 1.
    pub number: u64,
    /// The previous epoch; null for number 1.
    #[schemars(with = "Option<String>")]
    pub prev: Option<EpochId>,
    /// 16 random bytes, hex, in number 1: two operations with one name differ.
    pub nonce: String,
    /// The complete list of agencies, by id.
    pub agencies: Vec<AgencyRecord>,
    /// The legal clocks, as canonical JSON text; they travel with the roster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<String>,
    /// When it was proposed, milliseconds.
    pub at_ms: i64,
}

impl Epoch {
    /// The one encoding.
    pub fn body(&self) -> String {
        to_json(self)
    }
    /// Reads the one encoding.
    pub fn parse(body: &str) -> Result<Self, RosterError> {
        let epoch: Self = canonical(body, MAX_BODY)?;
        if to_json(&body).len() > MAX_BODY {
            return Err(RosterError::Malformed("size"));
        }
        epoch.validate()?;
        Ok(epoch)
    }
    /// tagged("intact/epoch/v1", [body]).
    pub fn id_of(body: &str) -> EpochId {
        EpochId(tagged(ID_TAG, &[body.as_bytes()]))
    }
    /// The agency of an id.
    pub fn agency(&self, id: &AgencyId) -> Option<&AgencyRecord> {
        self.agencies.iter().find(|agency| agency.id == *id)
    }

    fn validate(&self) -> Result<(), RosterError> {
        let first = self.number == 1;
        if self.v != 1 || self.number == 0 || first != self.prev.is_none() {
            return Err(RosterError::Malformed("epoch number"));
        }
        seal::id::from_hex::<16>(&self.nonce)?;
        if !fits(&self.operation_name, 200) {
            return Err(RosterError::Malformed("operation name"));
        }
        let sorted = self.agencies.windows(2).all(|pair| pair[0].id < pair[1].id);
        if self.agencies.is_empty() || self.agencies.len() > MAX_AGENCIES || !sorted {
            return Err(RosterError::Malformed("agencies"));
        }
        let roots: BTreeSet<&Hash32> = self.agencies.iter().map(|agency| &agency.root).collect();
        if roots.len() != self.agencies.len() {
            return Err(RosterError::Malformed("two agencies with one root"));
        }
        self.agencies.iter().try_for_each(AgencyRecord::validate)
    }

    /// Whether a set of signers is enough for a successor that leaves these agencies.
    ///
    /// k = ⌊n/2⌋ + 1 hierarchies of this epoch. No successor takes away the last EMB, court or
    /// oversight: one of each kind that this epoch has must go on under its id, so that it cannot
    /// be exchanged for a sham in one step either. Once this epoch holds an EMB and a court, one of
    /// each must sign; oversight's signature replaces that of a party being removed (its id gone,
    /// its kind or its root changed).
    pub fn enough(&self, signers: &BTreeSet<AgencyId>, next: &Epoch) -> bool {
        let signing: Vec<&AgencyRecord> = self.agencies.iter().filter(|agency| signers.contains(&agency.id)).collect();
        let hierarchies: BTreeSet<String> = signing.iter().map(|agency| agency.hierarchy()).collect();
        if hierarchies.len() < threshold_for(self) {
            return false;
        }
        let of = |kind| self.agencies.iter().filter(move |agency| agency.kind == kind);
        let goes_on = |agency: &AgencyRecord| next.agency(&agency.id).is_some_and(|after| after.kind == agency.kind);
        let kept = |kind| of(kind).next().is_none() || of(kind).any(goes_on);
        if ![AgencyKind::Emb, AgencyKind::Court, AgencyKind::Oversight].into_iter().all(kept) {
            return false;
        }
        if of(AgencyKind::Emb).next().is_none() || of(AgencyKind::Court).next().is_none() {
            return true;
        }
        let signed = |kind| signing.iter().any(|agency| agency.kind == kind);
        [AgencyKind::Emb, AgencyKind::Court].into_iter().all(|kind| {
            let removed = of(kind).any(|agency| !next.agency(&agency.id).is_some_and(|after| after.is_party(agency)));
            signed(kind) || (removed && signed(AgencyKind::Oversight))
        })
    }
}

/// Signatures that the successor of an epoch needs: ⌊n/2⌋ + 1 over its n hierarchies.
pub fn threshold_for(epoch: &Epoch) -> usize {
    hierarchies(epoch) / 2 + 1
}

/// Hierarchies that must state that they will not sign a proposal before a root that signed it may
/// sign another of the same number: n − k + 1. The others are too few to complete it.
pub fn waivers_needed(epoch: &Epoch) -> usize {
    hierarchies(epoch) - threshold_for(epoch) + 1
}

fn hierarchies(epoch: &Epoch) -> usize {
    epoch.agencies.iter().map(AgencyRecord::hierarchy).collect::<BTreeSet<String>>().len()
}
