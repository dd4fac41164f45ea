//! Salted commitments, one per field: what makes a redacted copy provable.
//!
//! Leaf = tagged("intact/field/v1", [HMAC-SHA-256(entry salt, path), path, value]); root =
//! tagged("intact/fields/v1", leaves in the byte order of their paths). A leaf opened with its salt
//! tells nothing of its neighbours, because each salt is derived one way from the entry's.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::hash::tagged;

/// The salt of an entry.
pub type EntrySalt = [u8; 16];

/// The salt of one field.
pub fn field_salt(salt: &EntrySalt, path: &str) -> [u8; 32] {
    salted(keyed(salt), path)
}

fn keyed(salt: &EntrySalt) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(salt).expect("HMAC takes a key of any length")
}

fn salted(mut mac: Hmac<Sha256>, path: &str) -> [u8; 32] {
    mac.update(path.as_bytes());
    mac.finalize().into_bytes().into()
}

/// The commitment to one field, from its own salt.
pub fn leaf(field_salt: &[u8; 32], path: &str, value: &[u8]) -> [u8; 32] {
    tagged("intact/field/v1", &[field_salt, path.as_bytes(), value])
}

/// The root over leaves already in the byte order of their paths.
pub fn root(leaves: &[[u8; 32]]) -> [u8; 32] {
    let parts: Vec<&[u8]> = leaves.iter().map(|leaf| leaf.as_slice()).collect();
    tagged("intact/fields/v1", &parts)
}

/// The root over `(path, value)` pairs, which must be in the byte order of their paths.
pub fn fields_root<'a>(salt: &EntrySalt, fields: impl Iterator<Item = (&'a str, &'a [u8])>) -> [u8; 32] {
    // Keying is half the work of a short HMAC, and is the same for every field of an entry.
    let keyed = keyed(salt);
    let leaves: Vec<_> = fields.map(|(path, value)| leaf(&salted(keyed.clone(), path), path, value)).collect();
    root(&leaves)
}
