//! Proof that a root signed one number twice.

use seal::{Hash32, Signature};
use serde::{Deserialize, Serialize};

use super::signed_epoch::is_epoch_signature;
use super::{AgencyId, Epoch, RosterError, canonical, to_json};

/// Bytes of a proof: two bodies of 256 KiB escaped, and a little more.
const MAX_PROOF: usize = 520 * 1024;

/// Two epochs of one number after one predecessor, both signed by one root. Portable: it proves
/// itself to anyone who knows that the root is the agency's. A root that signed the second only
/// after the first was waived shows the waivers; see [`super::Roster::equivocations`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Equivocation {
    /// The version: 1.
    pub v: u8,
    /// The agency whose root it is.
    pub agency: AgencyId,
    /// The root's public key.
    #[schemars(with = "String")]
    pub root: Hash32,
    /// One body; of the two, the one with the smaller id.
    pub first: String,
    /// The root's signature over it, hex.
    pub first_signature: String,
    /// The other body.
    pub second: String,
    /// The root's signature over that, hex.
    pub second_signature: String,
}

impl Equivocation {
    /// Puts a proof together from two bodies with their signatures, in any order, and checks it.
    pub fn new(agency: AgencyId, root: Hash32, one: (&str, &str), other: (&str, &str)) -> Result<Self, RosterError> {
        let (first, second) = if Epoch::id_of(one.0) < Epoch::id_of(other.0) { (one, other) } else { (other, one) };
        let proof = Self {
            v: 1,
            agency,
            root,
            first: first.0.to_owned(),
            first_signature: first.1.to_owned(),
            second: second.0.to_owned(),
            second_signature: second.1.to_owned(),
        };
        proof.verify()?;
        Ok(proof)
    }

    /// Checks the proof by itself.
    pub fn verify(&self) -> Result<(), RosterError> {
        let (first, second) = (Epoch::parse(&self.first)?, Epoch::parse(&self.second)?);
        // Two of number 1 are two operations, which anyone may found.
        let rivals = first.number == second.number && first.prev == second.prev && first.number > 1;
        if self.v != 1 || !rivals || Epoch::id_of(&self.first) >= Epoch::id_of(&self.second) {
            return Err(RosterError::Malformed("equivocation"));
        }
        let signed = |body: &str, signature: &str| -> Result<bool, RosterError> {
            Ok(is_epoch_signature(body, &self.root.0, &Signature(seal::id::from_hex(signature)?)))
        };
        if signed(&self.first, &self.first_signature)? && signed(&self.second, &self.second_signature)? {
            Ok(())
        } else {
            Err(RosterError::Signature)
        }
    }

    /// Whether the root is that agency's in the epoch before the two.
    pub fn accuses(&self, prev: &Epoch) -> bool {
        prev.agency(&self.agency).is_some_and(|agency| agency.root == self.root)
    }

    /// The one encoding: canonical JSON.
    pub fn encode(&self) -> Vec<u8> {
        to_json(self).into_bytes()
    }
    /// Reads the one encoding and checks the proof.
    pub fn decode(bytes: &[u8]) -> Result<Self, RosterError> {
        let text = std::str::from_utf8(bytes).map_err(|_| RosterError::Malformed("UTF-8"))?;
        let proof: Self = canonical(text, MAX_PROOF)?;
        proof.verify()?;
        Ok(proof)
    }
}
