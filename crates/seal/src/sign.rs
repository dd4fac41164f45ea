//! Ed25519, strict only.

use ed25519_dalek::{Signer, VerifyingKey};
use zeroize::Zeroizing;

use crate::hash::tagged;
use crate::{DeviceId, SealError};

/// A signature of 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signature({})", crate::id::to_hex(&self.0[..4]))
    }
}

impl serde::Serialize for Signature {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&crate::id::to_hex(&self.0))
    }
}

impl<'de> serde::Deserialize<'de> for Signature {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        crate::id::from_hex(&text).map(Signature).map_err(serde::de::Error::custom)
    }
}

/// A secret signing key. It has no `Debug`, and is wiped when dropped.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// The key of a 32-byte seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }
    /// The seed, for storing inside a sealed box.
    pub fn to_seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }
    /// The public half.
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }
    /// The public half as the id of a device.
    pub fn device_id(&self) -> DeviceId {
        DeviceId(self.public())
    }
    /// Signs `message` under `tag`: Ed25519 over `tagged(tag, [message])`.
    pub fn sign(&self, tag: &'static str, message: &[u8]) -> Signature {
        self.sign_raw(&tagged(tag, &[message]))
    }
    /// Plain Ed25519, for formats of others (SSHSIG).
    pub fn sign_raw(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

/// Checks a tagged signature, strictly.
pub fn verify(tag: &'static str, message: &[u8], key: &[u8; 32], signature: &Signature) -> Result<(), SealError> {
    verify_raw(key, &tagged(tag, &[message]), signature)
}

/// Checks a plain Ed25519 signature, strictly: canonical points and scalar, no weak key, cofactorless.
pub fn verify_raw(key: &[u8; 32], message: &[u8], signature: &Signature) -> Result<(), SealError> {
    let key = VerifyingKey::from_bytes(key).map_err(|_| SealError::BadSignature)?;
    let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
    key.verify_strict(message, &signature).map_err(|_| SealError::BadSignature)
}

/// Checks many signatures of few keys: each key is decoded once. A key that does not decode is asked
/// again each time, so that nothing is remembered of what is wrong.
#[derive(Default)]
pub struct Verifier(std::collections::HashMap<[u8; 32], VerifyingKey>);

impl Verifier {
    /// Keys remembered: the devices of a large operation. Beyond, others are decoded each time.
    const KEYS: usize = 4096;

    /// As [`verify`], and as strict.
    pub fn verify(
        &mut self,
        tag: &'static str,
        message: &[u8],
        key: &[u8; 32],
        signature: &Signature,
    ) -> Result<(), SealError> {
        let decoded = match self.0.get(key) {
            Some(decoded) => *decoded,
            None => {
                let decoded = VerifyingKey::from_bytes(key).map_err(|_| SealError::BadSignature)?;
                if self.0.len() < Self::KEYS {
                    self.0.insert(*key, decoded);
                }
                decoded
            }
        };
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        decoded.verify_strict(&tagged(tag, &[message]), &signature).map_err(|_| SealError::BadSignature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_separate() {
        let key = SigningKey::from_seed(&[7; 32]);
        let signature = key.sign("a", b"m");
        assert!(verify("a", b"m", &key.public(), &signature).is_ok());
        assert!(verify("b", b"m", &key.public(), &signature).is_err());
    }
}
