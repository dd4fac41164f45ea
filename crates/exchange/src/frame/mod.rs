//! What is carried: frames in one bounded, canonical encoding, the same on a LAN, in a mailbox and
//! in a parcel. `schemas/spec/exchange.md` makes every byte exact.
//!
//! Whoever reads a frame bounds every length before allocating for it; a frame is at most
//! [`MAX_FRAME`], and what decoding allocates is at most a small multiple of the bytes at hand.

mod ack;
mod batch;
mod codec;
#[cfg(test)]
mod tests;

use logbook::action::GrantTo;
use logbook::roster::RosterObject;
use seal::{BlobAddress, DeviceId, Envelope, EnvelopeId, Hash32, OperationId, SealError, Wrap};

pub use ack::Ack;
pub use batch::MAX_BATCH;

/// Bytes of a frame: the largest roster object (320 KiB), a full batch or an exhibit's part fits, and
/// so does a sealed batch of the relay around it.
pub const MAX_FRAME: usize = 1024 * 1024;
/// Bytes of an exhibit in one frame: a frame of it takes 20 s at 100 kbit/s, so that new entries
/// need not wait long behind it.
pub const MAX_PART: usize = 256 * 1024;
/// Device heads in one frame: every device that a national operation ever enrols, and some.
pub const MAX_HEADS: usize = 8192;
/// Envelopes asked for at once after a reconciliation: their largest bodies come to 16 MiB, which the
/// giver sends in several turns.
pub const MAX_WANTED: usize = 200;
/// Bytes of one message of a reconciliation: 16,000 ids, the leaf ranges of 500 split ranges.
pub const MAX_RECONCILE: usize = 512 * 1024;
/// Bytes of a reason for ending a conversation: one sentence.
pub const MAX_REASON: usize = 300;

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// They do not follow the format.
    #[error("malformed frame")]
    Malformed,
    /// They are over a bound.
    #[error("a frame is over its bound")]
    TooLarge,
    /// Another encoding of the same meaning is the accepted one.
    #[error("a frame is not in its one accepted encoding")]
    NotCanonical,
    /// It needs newer software.
    #[error("a frame needs newer software")]
    Newer,
}

impl From<SealError> for FrameError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::TooLarge(_) => Self::TooLarge,
            SealError::NotCanonical(_) => Self::NotCanonical,
            SealError::NewerVersion(_) => Self::Newer,
            _ => Self::Malformed,
        }
    }
}

/// The end of a device's chain as somebody holds it without a gap: device, number, id of that link.
pub type Head = (DeviceId, u64, EnvelopeId);

/// The first words of either side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// tagged("intact/operation-tag/v1", [operation]): tells members apart from strangers, and
    /// strangers nothing.
    pub operation: Hash32,
    /// Who speaks; the transport has proved it, and both must agree.
    pub device: DeviceId,
    /// Its store, as the store calls itself. Cursors go by [`store_name`], which binds it to the device.
    pub store: Hash32,
    /// Whether it can reconcile by ids.
    pub reconciles: bool,
}

/// A frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A roster object; names and mailbox cards are among them.
    Roster(RosterObject),
    /// Links and envelopes.
    Batch(Vec<Envelope>),
    /// A wrap.
    Wrap(GrantTo, Wrap),
    /// A part of an exhibit's ciphertext.
    BlobPart {
        /// The exhibit.
        address: BlobAddress,
        /// Where the part stands.
        offset: u64,
        /// Bytes of the whole.
        total: u64,
        /// The part, at most [`MAX_PART`].
        bytes: Vec<u8>,
    },
    /// An acknowledgement.
    Ack(Ack),
    /// The first frame of a conversation.
    Hello(Hello),
    /// Asks for everything after a commit number of the other's store, and states the own heads.
    Since {
        /// The commit number.
        after: u64,
        /// Envelopes are left out: they will be reconciled by id.
        sparse: bool,
        /// The own heads, as far as the other may know them, ascending by device.
        heads: Vec<Head>,
    },
    /// Ends a page: what came since the last one reaches to this commit number.
    Page {
        /// The commit number.
        next: u64,
        /// Nothing is left after it.
        done: bool,
        /// Envelopes were left out, as was asked; it is not acknowledged by itself.
        sparse: bool,
    },
    /// Asks for an exhibit from a byte on.
    WantBlob {
        /// The exhibit.
        address: BlobAddress,
        /// The first byte that is missing.
        from: u64,
    },
    /// Nothing more is asked; this many pages of the other were taken in.
    Enough(u64),
    /// Ends the conversation, with a reason where something was wrong.
    Bye(String),
    /// What was sent is taken in, and more may come; acknowledges nothing.
    More,
    /// A message of a reconciliation, from who asks.
    Reconcile(Vec<u8>),
    /// The answer.
    Reconciled(Vec<u8>),
    /// Asks for envelopes by the ids under which a reconciliation named them; at most [`MAX_WANTED`].
    WantIds(Vec<EnvelopeId>),
    /// Ends what was asked for by id, or a part of it.
    Given {
        /// Nothing of it is left.
        done: bool,
    },
}

/// The tag by which members of an operation know each other.
pub fn operation_tag(operation: &OperationId) -> Hash32 {
    Hash32(seal::hash::tagged("intact/operation-tag/v1", &[&operation.0]))
}

/// The name under which cursors and acknowledgements know a store: bound to its device, so that no
/// device can move the cursor of another's store by claiming its id.
pub fn store_name(device: &DeviceId, store: &Hash32) -> Hash32 {
    Hash32(seal::hash::tagged("intact/store/v1", &[&device.0, &store.0]))
}

impl Frame {
    /// Envelopes as frames, each within its bounds.
    pub fn batches(envelopes: Vec<Envelope>) -> Vec<Self> {
        // Half a frame of bodies leaves room for the links; one body alone is far smaller.
        const BODIES: usize = MAX_FRAME / 2;
        let (mut frames, mut part, mut size) = (Vec::new(), Vec::new(), 0);
        for envelope in envelopes {
            let bytes = envelope.body.as_ref().map_or(0, Vec::len);
            if part.len() == MAX_BATCH || (size + bytes > BODIES && !part.is_empty()) {
                frames.push(Self::Batch(std::mem::take(&mut part)));
                size = 0;
            }
            size += bytes;
            part.push(envelope);
        }
        if !part.is_empty() {
            frames.push(Self::Batch(part));
        }
        frames
    }
}
