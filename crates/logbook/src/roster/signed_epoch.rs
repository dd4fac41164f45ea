//! An epoch with what the roots signed over it: signatures, acceptances, waivers.

use std::collections::BTreeSet;

use seal::{EpochId, Signature, SigningKey};
use serde::{Deserialize, Serialize};

use super::epoch::MAX_AGENCIES;
use super::{AgencyId, AgencyRecord, Epoch, RosterError};

const SIGNATURE_TAG: &str = "intact/epoch-sig/v1";
const ACCEPT_TAG: &str = "intact/epoch-accept/v1";
const WAIVE_TAG: &str = "intact/epoch-waive/v1";

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
    fn new(tag: &'static str, body: &str, agency: &AgencyId, root: &SigningKey) -> Self {
        Self { agency: agency.clone(), signature: seal::id::to_hex(&root.sign(tag, body.as_bytes()).0) }
    }
    fn bytes(&self) -> Result<Signature, RosterError> {
        Ok(Signature(seal::id::from_hex(&self.signature)?))
    }
    /// Whether the root that `by` lists for this agency signed `body` under `tag`.
    fn holds(&self, tag: &'static str, body: &str, by: &Epoch) -> bool {
        let Some(agency) = by.agency(&self.agency) else { return false };
        self.bytes().is_ok_and(|held| seal::sign::verify(tag, body.as_bytes(), &agency.root.0, &held).is_ok())
    }
}

/// Whether `signature` is a root's signature over an epoch's body.
pub(super) fn is_epoch_signature(body: &str, root: &[u8; 32], signature: &Signature) -> bool {
    seal::sign::verify(SIGNATURE_TAG, body.as_bytes(), root, signature).is_ok()
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
    /// Statements of roots of the previous epoch that they will not sign this one, by agency.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<EpochSignature>,
}

impl SignedEpoch {
    /// An epoch without signatures.
    pub fn propose(epoch: &Epoch) -> Self {
        Self { body: epoch.body(), signatures: Vec::new(), acceptances: Vec::new(), waivers: Vec::new() }
    }
    /// The id.
    pub fn id(&self) -> EpochId {
        Epoch::id_of(&self.body)
    }
    /// Adds a root's signature; one per agency, sorted.
    pub fn sign(&mut self, agency: &AgencyId, root: &SigningKey) {
        put(&mut self.signatures, EpochSignature::new(SIGNATURE_TAG, &self.body, agency, root));
    }
    /// Whether one signature holds against the root that `by` lists.
    pub fn holds(&self, signature: &EpochSignature, by: &Epoch) -> bool {
        signature.holds(SIGNATURE_TAG, &self.body, by)
    }
    /// The agencies whose signatures hold against the roots that `by` lists.
    pub fn signers(&self, by: &Epoch) -> BTreeSet<AgencyId> {
        let held = self.signatures.iter().filter(|signature| self.holds(signature, by));
        held.map(|signature| signature.agency.clone()).collect()
    }
    /// Adds an agency's acceptance; one per agency, sorted.
    pub fn add_acceptance(&mut self, acceptance: EpochSignature) {
        put(&mut self.acceptances, acceptance);
    }
    /// Whether an agency's acceptance holds.
    pub fn accepted(&self, agency: &AgencyRecord) -> bool {
        self.acceptances.iter().filter(|held| held.agency == agency.id).any(|held| {
            held.bytes().is_ok_and(|signature| {
                seal::sign::verify(ACCEPT_TAG, self.body.as_bytes(), &agency.root.0, &signature).is_ok()
            })
        })
    }
    /// Whether one acceptance holds against the root that this epoch itself lists.
    pub(super) fn acceptance_holds(&self, acceptance: &EpochSignature, own: &Epoch) -> bool {
        acceptance.holds(ACCEPT_TAG, &self.body, own)
    }
    /// Adds a root's statement that it will not sign this; one per agency, sorted.
    pub fn add_waiver(&mut self, waiver: EpochSignature) {
        put(&mut self.waivers, waiver);
    }
    /// Whether one waiver holds against the root that `by`, the previous epoch, lists.
    pub fn waiver_holds(&self, waiver: &EpochSignature, by: &Epoch) -> bool {
        waiver.holds(WAIVE_TAG, &self.body, by)
    }

    /// Checks the form: each list sorted by agency, one signature per agency, lower-case hex.
    pub(super) fn validate(&self) -> Result<(), RosterError> {
        for list in [&self.signatures, &self.acceptances, &self.waivers] {
            if list.len() > MAX_AGENCIES || !list.windows(2).all(|pair| pair[0].agency < pair[1].agency) {
                return Err(RosterError::Malformed("epoch signatures"));
            }
            list.iter().try_for_each(|held| held.bytes().map(|_| ()))?;
        }
        Ok(())
    }
}

/// An agency's acceptance of the epoch that names it.
pub fn accept(body: &str, agency: &AgencyId, root: &SigningKey) -> EpochSignature {
    EpochSignature::new(ACCEPT_TAG, body, agency, root)
}

/// A root's statement that it will not sign this proposal, given as its body.
pub fn waive(body: &str, agency: &AgencyId, root: &SigningKey) -> EpochSignature {
    EpochSignature::new(WAIVE_TAG, body, agency, root)
}

/// Replaces what the list holds of an agency.
fn put(list: &mut Vec<EpochSignature>, signature: EpochSignature) {
    list.retain(|held| held.agency != signature.agency);
    list.push(signature);
    list.sort();
}
