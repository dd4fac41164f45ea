//! The key of a record, and what it seals.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::codec::{Reader, Writer};
use crate::hash::tagged;
use crate::{KeyId, RecordId, SealError};

/// Bytes of a sealed header: an encoded header with the most heads fits.
const MAX_SEALED_HEADER: usize = 16 * 1024;
/// Bytes of a sealed body as it stands in an envelope.
pub const MAX_BODY: usize = crate::change::MAX_ENTRY + MAX_SEALED_HEADER + 256;

/// A record key: 32 random bytes for one record, with the keys of its ciphers, which follow from them. No
/// `Debug`; wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct RecordKey {
    key: [u8; 32],
    header: [u8; 32],
    change: [u8; 32],
}

impl RecordKey {
    /// A key from 32 random bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let derived = Hkdf::<Sha256>::new(Some(b"intact/record-key/v1"), &bytes);
        let mut all = Self { key: bytes, header: [0; 32], change: [0; 32] };
        derived.expand(b"header", &mut all.header).expect("32 bytes is a valid HKDF length");
        derived.expand(b"change", &mut all.change).expect("32 bytes is a valid HKDF length");
        all
    }
    /// The bytes, for wrapping.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.key
    }
    /// The id: the first 16 bytes of tagged("intact/key/v1", [record id, key]).
    pub fn id(&self, record: &RecordId) -> KeyId {
        let hash = tagged("intact/key/v1", &[&record.0, &self.key]);
        KeyId(hash[..16].try_into().expect("16 of 32 bytes"))
    }

    /// The nonce follows from key and plaintext: two clones of one device that write different
    /// bytes under one chain number still never use a nonce twice.
    fn nonce(&self, header: &[u8], entry: &[u8]) -> [u8; 24] {
        let hash = tagged("intact/nonce/v1", &[&self.key, header, entry]);
        hash[..24].try_into().expect("24 of 32 bytes")
    }

    /// Seals an encoded header and an entry:
    /// `key id || nonce || varint length || sealed header || sealed entry`.
    pub fn seal(&self, record: &RecordId, header: &[u8], entry: &[u8]) -> Vec<u8> {
        let id = self.id(record);
        let nonce = self.nonce(header, entry);
        let at = XNonce::from(nonce);
        let sealed_header = cipher(&self.header)
            .encrypt(&at, Payload { msg: header, aad: &id.0 })
            .expect("a header is far below the cipher's bound");
        let sealed_entry = cipher(&self.change)
            .encrypt(&at, Payload { msg: entry, aad: header })
            .expect("an entry is far below the cipher's bound");
        let mut out = Writer::new();
        out.raw(&id.0).raw(&nonce).bytes(&sealed_header).raw(&sealed_entry);
        out.finish()
    }

    /// Opens what [`RecordKey::seal`] made: (encoded header, entry).
    pub fn open(&self, body: &[u8]) -> Result<(Vec<u8>, Vec<u8>), SealError> {
        let parts = BodyParts::split(body)?;
        let at = XNonce::from(parts.nonce);
        let header = cipher(&self.header)
            .decrypt(&at, Payload { msg: parts.header, aad: &parts.key.0 })
            .map_err(|_| SealError::Decrypt)?;
        let entry = cipher(&self.change)
            .decrypt(&at, Payload { msg: parts.entry, aad: &header })
            .map_err(|_| SealError::Decrypt)?;
        if self.nonce(&header, &entry) != parts.nonce {
            return Err(SealError::NotCanonical("nonce"));
        }
        Ok((header, entry))
    }
}

fn cipher(key: &[u8; 32]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(*key))
}

/// A sealed body, taken apart.
struct BodyParts<'a> {
    key: KeyId,
    nonce: [u8; 24],
    header: &'a [u8],
    entry: &'a [u8],
}

impl<'a> BodyParts<'a> {
    fn split(body: &'a [u8]) -> Result<Self, SealError> {
        if body.len() > MAX_BODY {
            return Err(SealError::TooLarge("body"));
        }
        let mut from = Reader::new(body, "body");
        Ok(Self {
            key: KeyId(from.array()?),
            nonce: from.array()?,
            header: from.bytes(MAX_SEALED_HEADER)?,
            entry: from.rest(),
        })
    }
}

/// Which key a sealed body needs.
pub fn key_of(body: &[u8]) -> Result<KeyId, SealError> {
    BodyParts::split(body).map(|parts| parts.key)
}

/// The raw cipher, as the published vectors exercise it: XChaCha20-Poly1305 open.
pub fn xchacha_open(key: &[u8; 32], nonce: &[u8; 24], aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
    XChaCha20Poly1305::new(&Key::from(*key))
        .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad })
        .map_err(|_| SealError::Decrypt)
}

/// The raw cipher, as the published vectors exercise it: XChaCha20-Poly1305 seal.
pub fn xchacha_seal(key: &[u8; 32], nonce: &[u8; 24], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
    XChaCha20Poly1305::new(&Key::from(*key))
        .encrypt(&XNonce::from(*nonce), Payload { msg: plain, aad })
        .map_err(|_| SealError::TooLarge("plaintext"))
}
