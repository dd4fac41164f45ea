//! An envelope: a signed link, and the sealed body that it commits to.

use crate::hash::tagged;
use crate::{EntryId, EnvelopeId, Header, Link, RecordKey, SealError, Signature, SigningKey, change, record_key};

/// A link with its signature, and the body where it is at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The signed outside.
    pub link: Link,
    /// The author device's signature over the link.
    pub signature: Signature,
    /// The sealed header and entry; `None` for a desk that only counts.
    pub body: Option<Vec<u8>>,
}

/// What an author puts into an envelope, beside the link's own fields.
pub struct Parts<'a> {
    /// The header; `fields_root` already set.
    pub header: &'a Header,
    /// The entry's canonical bytes.
    pub entry: &'a [u8],
}

/// The plaintext of an envelope, checked against its link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The envelope's id.
    pub envelope: EnvelopeId,
    /// The link.
    pub link: Link,
    /// The link's signature.
    pub signature: Signature,
    /// The header.
    pub header: Header,
    /// The id of the entry: its change hash.
    pub id: EntryId,
    /// The entry's bytes.
    pub entry: Vec<u8>,
    /// Hash of the sealed body: what a verifier without a key needs to recompute the commitment.
    pub ciphertext_hash: [u8; 32],
}

/// tagged("intact/ciphertext/v1", [sealed body]).
pub fn ciphertext_hash(body: &[u8]) -> [u8; 32] {
    tagged("intact/ciphertext/v1", &[body])
}

/// tagged("intact/body/v1", [header hash, change hash, ciphertext hash]).
pub fn body_commitment(header_hash: &[u8; 32], change: &EntryId, ciphertext: &[u8; 32]) -> [u8; 32] {
    tagged("intact/body/v1", &[header_hash, &change.0, ciphertext])
}

impl Envelope {
    /// Seals and signs an entry. `link.body` is computed here; the rest of `link` is the author's.
    /// Returns the envelope and its own plaintext, so that the author need not open it again.
    pub fn seal(
        key: &RecordKey,
        signer: &SigningKey,
        mut link: Link,
        parts: Parts<'_>,
    ) -> Result<(Self, Opened), SealError> {
        if parts.entry.is_empty() || parts.entry.len() > change::MAX_ENTRY {
            return Err(SealError::TooLarge("entry"));
        }
        let encoded = parts.header.encode();
        let id = change::id(&link.device, parts.header, parts.entry);
        let body = key.seal(&parts.header.record, &encoded, parts.entry);
        let ciphertext_hash = ciphertext_hash(&body);
        link.body = body_commitment(&Header::hash(&encoded), &id, &ciphertext_hash);
        let signature = link.sign(signer);
        let opened = Opened {
            envelope: link.id(),
            link,
            signature,
            header: parts.header.clone(),
            id,
            entry: parts.entry.to_vec(),
            ciphertext_hash,
        };
        Ok((Self { link, signature, body: Some(body) }, opened))
    }

    /// The id: the hash of the link.
    pub fn id(&self) -> EnvelopeId {
        self.link.id()
    }

    /// Which record key opens the body.
    pub fn key_id(&self) -> Result<Option<crate::KeyId>, SealError> {
        self.body.as_deref().map(record_key::key_of).transpose()
    }

    /// Opens the body with its record key and checks it against the link. The signature is checked
    /// by [`Link::verify`], apart, because a link may be checked long before a key arrives.
    pub fn open(&self, key: &RecordKey) -> Result<Opened, SealError> {
        let body = self.body.as_deref().ok_or(SealError::NoKey)?;
        let (encoded, entry) = key.open(body)?;
        let ciphertext = ciphertext_hash(body);
        let opened = Opened::from_plaintext(self.link, self.signature, &encoded, entry, ciphertext)?;
        if key.id(&opened.header.record) != record_key::key_of(body)? {
            return Err(SealError::Mismatch("key id"));
        }
        Ok(opened)
    }
}

impl Opened {
    /// Rebuilds an opened envelope from plaintext, as a verifier without any key does.
    pub fn from_plaintext(
        link: Link,
        signature: Signature,
        encoded_header: &[u8],
        entry: Vec<u8>,
        ciphertext_hash: [u8; 32],
    ) -> Result<Self, SealError> {
        if entry.is_empty() || entry.len() > change::MAX_ENTRY {
            return Err(SealError::TooLarge("entry"));
        }
        let header = Header::decode(encoded_header)?;
        let id = change::id(&link.device, &header, &entry);
        if body_commitment(&Header::hash(encoded_header), &id, &ciphertext_hash) != link.body {
            return Err(SealError::Mismatch("body"));
        }
        Ok(Self { envelope: link.id(), link, signature, header, id, entry, ciphertext_hash })
    }
}
