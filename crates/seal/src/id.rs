//! Identifiers: fixed bytes, shown and serialised as lower-case hex.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::SealError;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Lower-case hex of any bytes.
pub fn to_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)] as char);
        text.push(DIGITS[usize::from(byte & 15)] as char);
    }
    text
}

/// Reads exactly `N` bytes of lower-case hex; upper case is refused, so that a text has one meaning.
pub fn from_hex<const N: usize>(text: &str) -> Result<[u8; N], SealError> {
    let digits = text.as_bytes();
    if digits.len() != N * 2 {
        return Err(SealError::Malformed("hex id"));
    }
    let digit = |c: u8| match c {
        b'0'..=b'9' => Ok(c - b'0'),
        b'a'..=b'f' => Ok(c - b'a' + 10),
        _ => Err(SealError::Malformed("hex id")),
    };
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Ok(out)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident[$size:literal];)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $size]);

        impl $name {
            /// The bytes.
            pub fn as_bytes(&self) -> &[u8; $size] { &self.0 }
            /// The first four bytes as hex: for people, never for looking up.
            pub fn short(&self) -> String { to_hex(&self.0[..4]) }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&to_hex(&self.0)) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.short())
            }
        }
        impl FromStr for $name {
            type Err = SealError;
            fn from_str(text: &str) -> Result<Self, SealError> { from_hex(text).map(Self) }
        }
        impl TryFrom<&[u8]> for $name {
            type Error = SealError;
            fn try_from(bytes: &[u8]) -> Result<Self, SealError> {
                bytes.try_into().map(Self).map_err(|_| SealError::Malformed("id"))
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&to_hex(&self.0))
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// One operation: the id of its first roster epoch.
    OperationId[32];
    /// A device: its Ed25519 public signing key.
    DeviceId[32];
    /// A record: a hash of its creating device and a nonce.
    RecordId[16];
    /// An envelope: the hash of its link without the signature.
    EnvelopeId[32];
    /// An entry within its record: the hash of its Automerge change.
    EntryId[32];
    /// A record key: a hash of record id and key.
    KeyId[16];
    /// A roster view: what its author held of the roster.
    RosterHash[32];
    /// A roster epoch.
    EpochId[32];
    /// An entry of an agency's device chain.
    ChainEntryId[32];
    /// A sealed exhibit: the BLAKE3 hash of its ciphertext.
    BlobAddress[32];
    /// An operator: random bytes, so that it tells nothing.
    OperatorId[16];
    /// Any other 32-byte hash.
    Hash32[32];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_has_one_form() {
        let id = KeyId([0xab; 16]);
        assert_eq!(id.to_string().parse::<KeyId>(), Ok(id));
        assert!(id.to_string().to_uppercase().parse::<KeyId>().is_err());
        assert!(id.to_string()[1..].parse::<KeyId>().is_err());
    }
}
