//! What is carried: frames in one bounded, canonical encoding, the same on a LAN, in a mailbox and
//! in a parcel.

use logbook::action::GrantTo;
use logbook::roster::{MAX_OBJECT, RosterObject};
use seal::codec::{Reader, Writer};
use seal::{BlobAddress, DeviceId, Envelope, EnvelopeId, Hash32, OperationId, SealError, Signature, SigningKey, Wrap};

use crate::batch;

/// Bytes of a frame: the largest roster object, a full batch or an exhibit's part fits.
pub const MAX_FRAME: usize = 1024 * 1024;
/// Bytes of an exhibit in one frame.
pub const MAX_PART: usize = 256 * 1024;
/// Device heads in one frame: every device that an operation ever enrolled.
const MAX_HEADS: usize = 8192;
/// Bytes of a reason for ending a conversation.
const MAX_REASON: usize = 300;
const ACK_TAG: &str = "intact/ack/v1";

/// Why bytes are no frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
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

/// A signed statement of how far a device holds another's store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// The store that is acknowledged.
    pub store: Hash32,
    /// Up to this commit number of it.
    pub up_to: u64,
    /// By this device.
    pub by: DeviceId,
    /// When, by its clock, milliseconds.
    pub at_ms: i64,
    /// Its signature.
    pub signature: Signature,
}

impl Ack {
    /// Signs an acknowledgement.
    pub fn sign(store: Hash32, up_to: u64, at_ms: i64, by: &SigningKey) -> Self {
        let mut ack = Self { store, up_to, by: by.device_id(), at_ms, signature: Signature([0; 64]) };
        ack.signature = by.sign(ACK_TAG, &ack.statement());
        ack
    }
    /// Whether the signature holds.
    pub fn holds(&self) -> bool {
        seal::sign::verify(ACK_TAG, &self.statement(), &self.by.0, &self.signature).is_ok()
    }
    fn statement(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.raw(&self.store.0).u64(self.up_to).raw(&self.by.0).i64(self.at_ms);
        out.finish()
    }
}

/// The first words of either side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// tagged("intact/operation-tag/v1", [operation]): tells members apart from strangers, and
    /// strangers nothing.
    pub operation: Hash32,
    /// Who speaks.
    pub device: DeviceId,
    /// Its store.
    pub store: Hash32,
}

/// A frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A roster object.
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
        /// The part.
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
        /// (device, last number without a gap, id of that link).
        heads: Vec<(DeviceId, u64, EnvelopeId)>,
    },
    /// Ends a page: what came since the last one reaches to this commit number.
    Page {
        /// The commit number.
        next: u64,
        /// Nothing is left after it.
        done: bool,
    },
    /// Asks for an exhibit from a byte on.
    WantBlob {
        /// The exhibit.
        address: BlobAddress,
        /// The first byte that is missing.
        from: u64,
    },
    /// Nothing more is asked.
    Enough,
    /// Ends the conversation, with a reason where something was wrong.
    Bye(String),
}

/// The tag by which members of an operation know each other.
pub fn operation_tag(operation: &OperationId) -> Hash32 {
    Hash32(seal::hash::tagged("intact/operation-tag/v1", &[&operation.0]))
}

impl Frame {
    /// The one encoding: a kind byte and its payload. `operation` is known from the context.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        match self {
            Self::Roster(object) => out.u8(1).raw(&object.encode()),
            Self::Batch(envelopes) => out.u8(2).raw(&batch::encode(envelopes)),
            Self::Wrap(to, wrap) => {
                match to {
                    GrantTo::Agency { id, epoch } => out.u8(3).u8(1).bytes(id.as_str().as_bytes()).u32(*epoch),
                    GrantTo::Device { id } => out.u8(3).u8(2).raw(&id.0),
                };
                out.raw(&wrap.encode())
            }
            Self::BlobPart { address, offset, total, bytes } => {
                out.u8(4).raw(&address.0).u64(*offset).u64(*total).raw(bytes)
            }
            Self::Ack(ack) => out.u8(5).raw(&ack.statement()).raw(&ack.signature.0),
            Self::Hello(hello) => out.u8(16).u8(1).raw(&hello.operation.0).raw(&hello.device.0).raw(&hello.store.0),
            Self::Since { after, heads } => {
                out.u8(17).u64(*after).varint(heads.len() as u64);
                for (device, number, id) in heads {
                    out.raw(&device.0).u64(*number).raw(&id.0);
                }
                &mut out
            }
            Self::Page { next, done } => out.u8(18).u64(*next).u8(u8::from(*done)),
            Self::WantBlob { address, from } => out.u8(19).raw(&address.0).u64(*from),
            Self::Enough => out.u8(20),
            Self::Bye(reason) => out.u8(21).bytes(reason.as_bytes()),
        };
        out.finish()
    }

    /// Envelopes as frames, each within its bounds.
    pub fn batches(envelopes: Vec<Envelope>) -> Vec<Self> {
        // Half a frame of bodies leaves room for the links; one body alone is far smaller.
        const BODIES: usize = MAX_FRAME / 2;
        let (mut frames, mut part, mut size) = (Vec::new(), Vec::new(), 0);
        for envelope in envelopes {
            let bytes = envelope.body.as_ref().map_or(0, Vec::len);
            if part.len() == batch::MAX_BATCH || (size + bytes > BODIES && !part.is_empty()) {
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

    /// Reads a frame; refuses anything but its one encoding, before allocating for it.
    pub fn decode(bytes: &[u8], operation: &OperationId) -> Result<Self, FrameError> {
        if bytes.len() > MAX_FRAME {
            return Err(FrameError::TooLarge);
        }
        let mut from = Reader::new(bytes, "frame");
        let frame = match from.u8()? {
            1 => {
                let rest = from.rest();
                if rest.len() > MAX_OBJECT {
                    return Err(FrameError::TooLarge);
                }
                Self::Roster(RosterObject::decode(rest).map_err(|_| FrameError::Malformed)?)
            }
            2 => Self::Batch(batch::decode(from.rest(), operation)?),
            3 => {
                let to = match from.u8()? {
                    1 => GrantTo::Agency {
                        id: from.text(32)?.parse().map_err(|_| FrameError::Malformed)?,
                        epoch: from.u32()?,
                    },
                    2 => GrantTo::Device { id: DeviceId(from.array()?) },
                    _ => return Err(FrameError::Malformed),
                };
                Self::Wrap(to, Wrap::decode(from.rest())?)
            }
            4 => {
                let (address, offset, total) = (BlobAddress(from.array()?), from.u64()?, from.u64()?);
                let part = from.rest();
                if part.len() > MAX_PART || offset.checked_add(part.len() as u64).is_none_or(|end| end > total) {
                    return Err(FrameError::TooLarge);
                }
                Self::BlobPart { address, offset, total, bytes: part.to_vec() }
            }
            5 => Self::Ack(Ack {
                store: Hash32(from.array()?),
                up_to: from.u64()?,
                by: DeviceId(from.array()?),
                at_ms: from.i64()?,
                signature: Signature(from.array()?),
            }),
            16 => {
                if from.u8()? != 1 {
                    return Err(FrameError::Newer);
                }
                Self::Hello(Hello {
                    operation: Hash32(from.array()?),
                    device: DeviceId(from.array()?),
                    store: Hash32(from.array()?),
                })
            }
            17 => {
                let after = from.u64()?;
                let count = from.count(MAX_HEADS)?;
                let mut heads = Vec::with_capacity(count);
                for _ in 0..count {
                    heads.push((DeviceId(from.array()?), from.u64()?, EnvelopeId(from.array()?)));
                }
                if !heads.windows(2).all(|pair| pair[0].0 < pair[1].0) {
                    return Err(FrameError::NotCanonical);
                }
                Self::Since { after, heads }
            }
            18 => {
                let next = from.u64()?;
                match from.u8()? {
                    0 => Self::Page { next, done: false },
                    1 => Self::Page { next, done: true },
                    _ => return Err(FrameError::NotCanonical),
                }
            }
            19 => Self::WantBlob { address: BlobAddress(from.array()?), from: from.u64()? },
            20 => Self::Enough,
            21 => Self::Bye(from.text(MAX_REASON)?.to_owned()),
            _ => return Err(FrameError::Malformed),
        };
        from.end()?;
        Ok(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever bytes come: no panic, and what is accepted is the one encoding.
        #[test]
        fn accepted_bytes_are_canonical(kind in 0u8..24, rest in proptest::collection::vec(any::<u8>(), 0..400)) {
            let bytes = [&[kind], rest.as_slice()].concat();
            if let Ok(frame) = Frame::decode(&bytes, &OperationId([7; 32])) {
                prop_assert_eq!(frame.encode(), bytes);
            }
        }
    }

    #[test]
    fn every_kind_returns() {
        let operation = OperationId([7; 32]);
        let key = SigningKey::from_seed(&[1; 32]);
        let frames = [
            Frame::Hello(Hello {
                operation: operation_tag(&operation),
                device: key.device_id(),
                store: Hash32([3; 32]),
            }),
            Frame::Since { after: 9, heads: vec![(key.device_id(), 4, EnvelopeId([5; 32]))] },
            Frame::Page { next: 12, done: true },
            Frame::WantBlob { address: BlobAddress([6; 32]), from: 3 },
            Frame::BlobPart { address: BlobAddress([6; 32]), offset: 3, total: 6, bytes: vec![1, 2, 3] },
            Frame::Ack(Ack::sign(Hash32([3; 32]), 12, 5, &key)),
            Frame::Enough,
            Frame::Bye("done".into()),
        ];
        for frame in frames {
            assert_eq!(Frame::decode(&frame.encode(), &operation), Ok(frame));
        }
    }
}
