//! The signed outside of an envelope, which every desk may count.

use crate::hash::tagged;
use crate::sign::{self, Signature, SigningKey};
use crate::{DeviceId, EnvelopeId, OperationId, RosterHash, SealError};

/// The length of an encoded link.
pub const LINK_LEN: usize = 169;
const VERSION: u8 = 1;
const ID_TAG: &str = "intact/link/v1";
const SIGNATURE_TAG: &str = "intact/link-sig/v1";

/// A link: who, where in its chain, after what, under which roster, and a commitment to the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The operation that it belongs to.
    pub operation: OperationId,
    /// The author device, whose key signs it.
    pub device: DeviceId,
    /// Its number in the author's chain, from 1.
    pub number: u64,
    /// The previous link of the chain; zeros for number 1.
    pub prev: EnvelopeId,
    /// The roster view that its author held.
    pub roster: RosterHash,
    /// tagged("intact/body/v1", [header hash, change hash, ciphertext hash]).
    pub body: [u8; 32],
}

impl Link {
    /// The one encoding, 169 bytes, numbers big-endian.
    pub fn encode(&self) -> [u8; LINK_LEN] {
        let mut out = [0; LINK_LEN];
        out[0] = VERSION;
        out[1..33].copy_from_slice(&self.operation.0);
        out[33..65].copy_from_slice(&self.device.0);
        out[65..73].copy_from_slice(&self.number.to_be_bytes());
        out[73..105].copy_from_slice(&self.prev.0);
        out[105..137].copy_from_slice(&self.roster.0);
        out[137..169].copy_from_slice(&self.body);
        out
    }

    /// Reads a link. Number 0, or a first link with a predecessor, is malformed.
    pub fn decode(bytes: &[u8]) -> Result<Self, SealError> {
        let bytes: &[u8; LINK_LEN] = bytes.try_into().map_err(|_| SealError::Malformed("link"))?;
        if bytes[0] != VERSION {
            return Err(SealError::NewerVersion("link"));
        }
        let part = |from: usize| -> [u8; 32] { bytes[from..from + 32].try_into().expect("32 of 169 bytes") };
        let link = Self {
            operation: OperationId(part(1)),
            device: DeviceId(part(33)),
            number: u64::from_be_bytes(bytes[65..73].try_into().expect("8 of 169 bytes")),
            prev: EnvelopeId(part(73)),
            roster: RosterHash(part(105)),
            body: part(137),
        };
        let first = link.number == 1;
        // SQLite and JSON hold signed 64-bit numbers; no chain comes near.
        if link.number == 0 || link.number > i64::MAX as u64 || first != (link.prev.0 == [0; 32]) {
            return Err(SealError::Malformed("link number"));
        }
        Ok(link)
    }

    /// The id of the envelope: the hash of the link without its signature.
    pub fn id(&self) -> EnvelopeId {
        EnvelopeId(tagged(ID_TAG, &[&self.encode()]))
    }

    /// Signs with the author device's key.
    pub fn sign(&self, key: &SigningKey) -> Signature {
        key.sign(SIGNATURE_TAG, &self.encode())
    }

    /// As [`Link::verify`], for many links of few devices.
    pub fn verify_with(&self, keys: &mut sign::Verifier, signature: &Signature) -> Result<(), SealError> {
        keys.verify(SIGNATURE_TAG, &self.encode(), &self.device.0, signature)
    }
    /// Checks the signature against the device that the link names.
    pub fn verify(&self, signature: &Signature) -> Result<(), SealError> {
        sign::verify(SIGNATURE_TAG, &self.encode(), &self.device.0, signature)
    }
}
