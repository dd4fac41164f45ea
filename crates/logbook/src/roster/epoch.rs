//! Epochs: the complete list of agencies, numbered and hash-linked.

use std::collections::BTreeSet;

use seal::hash::tagged;
use seal::{DeviceId, EpochId, Hash32, Recipient, Signature, SigningKey};
use serde::{Deserialize, Serialize};

use super::{AgencyId, AgencyKind, RosterError, canonical, to_json};

const ID_TAG: &str = "intact/epoch/v1";
const SIGNATURE_TAG: &str = "intact/epoch-sig/v1";
const ACCEPT_TAG: &str = "intact/epoch-accept/v1";
/// Agencies in an operation: several of each kind, with room; links go to every one of them.
const MAX_AGENCIES: usize = 64;
/// Bytes of an epoch's body, legal clocks included.
const MAX_BODY: usize = 256 * 1024;

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
        let fits = |text: &str| !text.trim().is_empty() && text.len() <= 200;
        if !fits(&self.name) || self.hierarchy.as_deref().is_some_and(|name| !fits(name)) {
            return Err(RosterError::Malformed("agency name"));
        }
        if self.admins.is_empty() || self.admins.len() > 16 {
            return Err(RosterError::Malformed("agency admins"));
        }
        Ok(())
    }
    fn hierarchy(&self) -> &str {
        self.hierarchy.as_deref().unwrap_or(self.id.as_str())
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
        if self.operation_name.trim().is_empty() || self.operation_name.len() > 200 {
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
    /// k = ⌊n/2⌋ + 1 hierarchies of this epoch; once this epoch holds an EMB and a court, one of
    /// each must sign, oversight's signature replacing that of a party being removed; and no
    /// successor lacks an EMB, a court or oversight that this epoch has.
    pub fn enough(&self, signers: &BTreeSet<AgencyId>, next: &Epoch) -> bool {
        let signing: Vec<&AgencyRecord> = self.agencies.iter().filter(|agency| signers.contains(&agency.id)).collect();
        let hierarchies: BTreeSet<&str> = signing.iter().map(|agency| agency.hierarchy()).collect();
        if hierarchies.len() < threshold_for(self) {
            return false;
        }
        let has = |epoch: &Epoch, kind| epoch.agencies.iter().any(|agency| agency.kind == kind);
        let kept = [AgencyKind::Emb, AgencyKind::Court, AgencyKind::Oversight]
            .into_iter()
            .all(|kind| !has(self, kind) || has(next, kind));
        if !kept {
            return false;
        }
        if !has(self, AgencyKind::Emb) || !has(self, AgencyKind::Court) {
            return true;
        }
        let signed = |kind| signing.iter().any(|agency| agency.kind == kind);
        [AgencyKind::Emb, AgencyKind::Court].into_iter().all(|kind| {
            let removed = self.agencies.iter().any(|agency| agency.kind == kind && next.agency(&agency.id).is_none());
            signed(kind) || (removed && signed(AgencyKind::Oversight))
        })
    }
}

/// Signatures that the successor of an epoch needs: ⌊n/2⌋ + 1 over its n hierarchies.
pub fn threshold_for(epoch: &Epoch) -> usize {
    let hierarchies: BTreeSet<&str> = epoch.agencies.iter().map(AgencyRecord::hierarchy).collect();
    hierarchies.len() / 2 + 1
}

/// An agency's signature.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EpochSignature {
    /// The agency.
    pub agency: AgencyId,
    /// Its root's signature over the body, hex.
    pub signature: String,
}

impl EpochSignature {
    fn bytes(&self) -> Result<Signature, RosterError> {
        Ok(Signature(seal::id::from_hex(&self.signature)?))
    }
}

/// An epoch's body with what was signed over it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedEpoch {
    /// The body, canonical JSON as text.
    pub body: String,
    /// Signatures by roots of the previous epoch (of its own, for number 1), by agency.
    pub signatures: Vec<EpochSignature>,
    /// Signed acceptances of agencies that the epoch names, by agency.
    pub acceptances: Vec<EpochSignature>,
}

impl SignedEpoch {
    /// An epoch without signatures.
    pub fn propose(epoch: &Epoch) -> Self {
        Self { body: epoch.body(), signatures: Vec::new(), acceptances: Vec::new() }
    }
    /// The id.
    pub fn id(&self) -> EpochId {
        Epoch::id_of(&self.body)
    }
    /// Adds a root's signature; one per agency, sorted.
    pub fn sign(&mut self, agency: &AgencyId, root: &SigningKey) {
        let signature = seal::id::to_hex(&root.sign(SIGNATURE_TAG, self.body.as_bytes()).0);
        self.signatures.retain(|held| held.agency != *agency);
        self.signatures.push(EpochSignature { agency: agency.clone(), signature });
        self.signatures.sort();
    }
    /// Whether one signature holds against the root that `by` lists.
    pub fn holds(&self, signature: &EpochSignature, by: &Epoch) -> bool {
        let Some(agency) = by.agency(&signature.agency) else { return false };
        let check = || -> Result<(), RosterError> {
            Ok(seal::sign::verify(SIGNATURE_TAG, self.body.as_bytes(), &agency.root.0, &signature.bytes()?)?)
        };
        check().is_ok()
    }
    /// The agencies whose signatures hold against the roots that `by` lists.
    pub fn signers(&self, by: &Epoch) -> BTreeSet<AgencyId> {
        let held = self.signatures.iter().filter(|signature| self.holds(signature, by));
        held.map(|signature| signature.agency.clone()).collect()
    }
    /// Adds an agency's acceptance.
    pub fn add_acceptance(&mut self, acceptance: EpochSignature) {
        self.acceptances.retain(|held| held.agency != acceptance.agency);
        self.acceptances.push(acceptance);
        self.acceptances.sort();
    }
    /// Whether an agency's acceptance holds.
    pub fn accepted(&self, agency: &AgencyRecord) -> bool {
        self.acceptances.iter().filter(|held| held.agency == agency.id).any(|held| {
            held.bytes().is_ok_and(|signature| {
                seal::sign::verify(ACCEPT_TAG, self.body.as_bytes(), &agency.root.0, &signature).is_ok()
            })
        })
    }
    /// Joins the signatures of another copy of the same epoch; `true` if that added any.
    pub fn merge(&mut self, other: &SignedEpoch) -> bool {
        let before = (self.signatures.len(), self.acceptances.len());
        for signature in &other.signatures {
            if !self.signatures.iter().any(|held| held.agency == signature.agency) {
                self.signatures.push(signature.clone());
            }
        }
        for acceptance in &other.acceptances {
            if !self.acceptances.iter().any(|held| held.agency == acceptance.agency) {
                self.acceptances.push(acceptance.clone());
            }
        }
        self.signatures.sort();
        self.acceptances.sort();
        before != (self.signatures.len(), self.acceptances.len())
    }
}

/// An agency's acceptance of the epoch that names it.
pub fn accept(body: &str, agency: &AgencyId, root: &SigningKey) -> EpochSignature {
    EpochSignature { agency: agency.clone(), signature: seal::id::to_hex(&root.sign(ACCEPT_TAG, body.as_bytes()).0) }
}
