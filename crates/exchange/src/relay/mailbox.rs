//! Mailbox tags, and the proof that a reader owns the mailbox behind one.
//!
//! A mailbox has, per week, an age recipient (batches are sealed to it) and an Ed25519 read key.
//! Its tag is a hash of both public halves, so the relay can check a reader who shows them, and
//! learns nothing about who it is from a poster who only knows the tag.

use std::fmt;

use seal::sign::{self, Signature, SigningKey};

/// Longest age recipient string in bytes. An X25519 recipient has 62; the rest is room for a
/// hybrid suite's hash form. The relay treats the string as opaque.
pub const MAX_RECIPIENT: usize = 128;

/// Tag of the hash that makes a mailbox tag.
const MAILBOX_TAG: &str = "intact/mailbox/v1";

/// Tag of the signature that proves the right to read.
const READ_TAG: &str = "intact/relay-read/v1";

/// The opaque name of a mailbox at the relay.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailboxTag(pub [u8; 32]);

impl MailboxTag {
    /// The tag of the mailbox with these public halves.
    #[must_use]
    pub fn of(recipient: &str, read_key: &[u8; 32]) -> Self {
        Self(seal::hash::tagged(MAILBOX_TAG, &[recipient.as_bytes(), read_key]))
    }
}

/// Three bytes only: enough to tell two mailboxes apart in a log, too few to follow one.
impl fmt::Debug for MailboxTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}{:02x}{:02x}…", self.0[0], self.0[1], self.0[2])
    }
}

/// What a reader shows: the public halves and a signature over this connection's challenge.
#[derive(Clone, PartialEq, Eq)]
pub struct Claim {
    /// The mailbox's age recipient string, as it was hashed into the tag.
    pub recipient: String,
    /// The mailbox's Ed25519 public read key.
    pub read_key: [u8; 32],
    /// Signature under the read key over challenge ‖ tag.
    pub signature: [u8; 64],
}

/// The public halves identify a mailbox; they stay out of logs.
impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claim")
    }
}

/// Why a claim was not accepted. The relay answers both with the same code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// The tag is not the hash of the public halves shown.
    #[error("the tag does not belong to these public halves")]
    ForeignTag,
    /// The signature does not verify strictly for this connection.
    #[error("the signature over this connection's challenge is wrong")]
    WrongSignature,
}

impl Claim {
    /// Checks that the claim opens `tag` on the connection with this challenge.
    ///
    /// # Errors
    /// [`ClaimError`], tag first (a hash), then the signature (strict Ed25519).
    pub fn check(&self, tag: &MailboxTag, challenge: &[u8; 32]) -> Result<(), ClaimError> {
        if MailboxTag::of(&self.recipient, &self.read_key) != *tag {
            return Err(ClaimError::ForeignTag);
        }
        sign::verify(READ_TAG, &message(challenge, tag), &self.read_key, &Signature(self.signature))
            .map_err(|_| ClaimError::WrongSignature)
    }
}

/// The keys with which a device reads one mailbox. Never printed.
pub struct ReadKeys {
    recipient: String,
    signing: SigningKey,
}

impl ReadKeys {
    /// From the mailbox's recipient string and the secret half of its read key.
    #[must_use]
    pub fn new(recipient: String, signing: SigningKey) -> Self {
        Self { recipient, signing }
    }

    /// The tag of the mailbox that these keys read.
    #[must_use]
    pub fn tag(&self) -> MailboxTag {
        MailboxTag::of(&self.recipient, &self.read_key())
    }

    /// The public read key.
    #[must_use]
    pub fn read_key(&self) -> [u8; 32] {
        self.signing.public()
    }

    /// Signs the claim for a connection. Good for that connection only.
    #[must_use]
    pub fn claim(&self, challenge: &[u8; 32]) -> Claim {
        let Signature(signature) = self.signing.sign(READ_TAG, &message(challenge, &self.tag()));
        Claim { recipient: self.recipient.clone(), read_key: self.read_key(), signature }
    }
}

fn message(challenge: &[u8; 32], tag: &MailboxTag) -> [u8; 64] {
    let mut message = [0; 64];
    message[..32].copy_from_slice(challenge);
    message[32..].copy_from_slice(&tag.0);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(seed: u8) -> ReadKeys {
        ReadKeys::new(format!("age1test{seed}"), SigningKey::from_seed(&[seed; 32]))
    }

    #[test]
    fn a_claim_opens_its_own_mailbox_on_its_own_connection_only() {
        let (mine, other) = (keys(1), keys(2));
        let claim = mine.claim(&[9; 32]);
        assert_eq!(claim.check(&mine.tag(), &[9; 32]), Ok(()));
        assert_eq!(claim.check(&mine.tag(), &[8; 32]), Err(ClaimError::WrongSignature));
        assert_eq!(claim.check(&other.tag(), &[9; 32]), Err(ClaimError::ForeignTag));
    }

    #[test]
    fn swapped_halves_are_refused() {
        let (mine, other) = (keys(1), keys(2));
        let mut claim = mine.claim(&[9; 32]);
        claim.recipient = "age1test2".into();
        assert_eq!(claim.check(&mine.tag(), &[9; 32]), Err(ClaimError::ForeignTag));
        let mut claim = other.claim(&[9; 32]);
        claim.signature = mine.claim(&[9; 32]).signature;
        assert_eq!(claim.check(&other.tag(), &[9; 32]), Err(ClaimError::WrongSignature));
    }

    #[test]
    fn a_weak_read_key_opens_nothing() {
        // The identity point as key with R = identity, s = 0 passes a lax check for any message.
        let mut read_key = [0; 32];
        read_key[0] = 1;
        let mut signature = [0; 64];
        signature[0] = 1;
        let tag = MailboxTag::of("age1x", &read_key);
        let claim = Claim { recipient: "age1x".into(), read_key, signature };
        assert_eq!(claim.check(&tag, &[0; 32]), Err(ClaimError::WrongSignature));
    }

    #[test]
    fn the_tag_is_the_one_of_the_specification() {
        let tag = MailboxTag::of("age1test", &[7; 32]);
        // Computed apart from this code; also in `schemas/spec/relay.md`.
        assert_eq!(seal::id::to_hex(&tag.0), "15abef159e91cda83fa1f4b11aaf23598b3f643df775e19855dc5aac225fcd43");
    }

    #[test]
    fn logs_do_not_carry_tags() {
        assert_eq!(format!("{:?}", MailboxTag([0xab; 32])), "ababab…");
    }
}
