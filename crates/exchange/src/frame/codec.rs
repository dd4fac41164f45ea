//! The one encoding of a frame: a kind byte and its payload.

use logbook::action::GrantTo;
use logbook::roster::{MAX_OBJECT, RosterObject};
use seal::codec::{Reader, Writer};
use seal::{BlobAddress, DeviceId, EnvelopeId, Hash32, OperationId, Wrap};

use super::{
    Ack, Frame, FrameError, Head, Hello, MAX_FRAME, MAX_HEADS, MAX_PART, MAX_REASON, MAX_RECONCILE, MAX_WANTED, batch,
};

/// The version of frames and conversation; the first byte of a hello.
const VERSION: u8 = 1;

/// The first byte of a frame. What is carried everywhere has numbers below 16; what only a
/// conversation says, from 16 on.
mod kind {
    pub const ROSTER: u8 = 1;
    pub const BATCH: u8 = 2;
    pub const WRAP: u8 = 3;
    pub const BLOB_PART: u8 = 4;
    pub const ACK: u8 = 5;
    pub const HELLO: u8 = 16;
    pub const SINCE: u8 = 17;
    pub const PAGE: u8 = 18;
    pub const WANT_BLOB: u8 = 19;
    pub const ENOUGH: u8 = 20;
    pub const BYE: u8 = 21;
    pub const MORE: u8 = 22;
    pub const RECONCILE: u8 = 23;
    pub const RECONCILED: u8 = 24;
    pub const WANT_IDS: u8 = 25;
    pub const GIVEN: u8 = 26;
}

pub(super) fn put_heads(out: &mut Writer, heads: &[Head]) {
    out.varint(heads.len() as u64);
    for (device, number, id) in heads {
        out.raw(&device.0).varint(*number).raw(&id.0);
    }
}

pub(super) fn heads(from: &mut Reader<'_>) -> Result<Vec<Head>, FrameError> {
    let count = from.count(MAX_HEADS)?;
    // The smallest head has 65 bytes: a count alone allocates nothing.
    let mut heads = Vec::with_capacity(count.min(from.remaining() / 65));
    for _ in 0..count {
        heads.push((DeviceId(from.array()?), from.varint()?, EnvelopeId(from.array()?)));
    }
    if heads.windows(2).all(|pair: &[Head]| pair[0].0 < pair[1].0) { Ok(heads) } else { Err(FrameError::NotCanonical) }
}

fn flag(from: &mut Reader<'_>) -> Result<bool, FrameError> {
    match from.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(FrameError::NotCanonical),
    }
}

fn put_grant(out: &mut Writer, to: &GrantTo) {
    match to {
        GrantTo::Agency { id, epoch } => out.u8(1).bytes(id.as_str().as_bytes()).u32(*epoch),
        GrantTo::Device { id } => out.u8(2).raw(&id.0),
    };
}

fn grant(from: &mut Reader<'_>) -> Result<GrantTo, FrameError> {
    match from.u8()? {
        // An agency's id has at most 32 characters.
        1 => Ok(GrantTo::Agency { id: from.text(32)?.parse().map_err(|_| FrameError::Malformed)?, epoch: from.u32()? }),
        2 => Ok(GrantTo::Device { id: DeviceId(from.array()?) }),
        _ => Err(FrameError::Malformed),
    }
}

impl Frame {
    /// The one encoding. The operation is known from the context and is not in it.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        match self {
            Self::Roster(object) => {
                out.u8(kind::ROSTER).raw(&object.encode());
            }
            Self::Batch(envelopes) => batch::put(out.u8(kind::BATCH), envelopes),
            Self::Wrap(to, wrap) => {
                put_grant(out.u8(kind::WRAP), to);
                out.raw(&wrap.encode());
            }
            Self::BlobPart { address, offset, total, bytes } => {
                out.u8(kind::BLOB_PART).raw(&address.0).u64(*offset).u64(*total).raw(bytes);
            }
            Self::Ack(ack) => ack.put(out.u8(kind::ACK)),
            Self::Hello(hello) => {
                out.u8(kind::HELLO).u8(VERSION).raw(&hello.operation.0).raw(&hello.device.0).raw(&hello.store.0);
                out.u8(u8::from(hello.reconciles));
            }
            Self::Since { after, sparse, heads } => {
                put_heads(out.u8(kind::SINCE).u64(*after).u8(u8::from(*sparse)), heads);
            }
            Self::Page { next, done, sparse } => {
                out.u8(kind::PAGE).u64(*next).u8(u8::from(*done)).u8(u8::from(*sparse));
            }
            Self::WantBlob { address, from } => {
                out.u8(kind::WANT_BLOB).raw(&address.0).u64(*from);
            }
            Self::Enough(pages) => {
                out.u8(kind::ENOUGH).u64(*pages);
            }
            Self::Bye(reason) => {
                out.u8(kind::BYE).bytes(reason.as_bytes());
            }
            Self::More => {
                out.u8(kind::MORE);
            }
            Self::Reconcile(message) => {
                out.u8(kind::RECONCILE).raw(message);
            }
            Self::Reconciled(message) => {
                out.u8(kind::RECONCILED).raw(message);
            }
            Self::WantIds(ids) => {
                out.u8(kind::WANT_IDS).varint(ids.len() as u64);
                for id in ids {
                    out.raw(&id.0);
                }
            }
            Self::Given { done } => {
                out.u8(kind::GIVEN).u8(u8::from(*done));
            }
        }
        out.finish()
    }

    /// Reads a frame; refuses anything but its one encoding, before allocating for it.
    pub fn decode(bytes: &[u8], operation: &OperationId) -> Result<Self, FrameError> {
        if bytes.len() > MAX_FRAME {
            return Err(FrameError::TooLarge);
        }
        let mut from = Reader::new(bytes, "frame");
        let frame = match from.u8()? {
            kind::ROSTER => {
                let object = rest(&mut from, MAX_OBJECT)?;
                Self::Roster(RosterObject::decode(object).map_err(|_| FrameError::Malformed)?)
            }
            kind::BATCH => Self::Batch(batch::read(&mut from, operation)?),
            kind::WRAP => Self::Wrap(grant(&mut from)?, Wrap::decode(from.rest())?),
            kind::BLOB_PART => blob_part(&mut from)?,
            kind::ACK => Self::Ack(Ack::read(&mut from)?),
            kind::HELLO => hello(&mut from)?,
            kind::SINCE => Self::Since { after: from.u64()?, sparse: flag(&mut from)?, heads: heads(&mut from)? },
            kind::PAGE => Self::Page { next: from.u64()?, done: flag(&mut from)?, sparse: flag(&mut from)? },
            kind::WANT_BLOB => Self::WantBlob { address: BlobAddress(from.array()?), from: from.u64()? },
            kind::ENOUGH => Self::Enough(from.u64()?),
            kind::BYE => Self::Bye(from.text(MAX_REASON)?.to_owned()),
            kind::MORE => Self::More,
            kind::RECONCILE => Self::Reconcile(rest(&mut from, MAX_RECONCILE)?.to_vec()),
            kind::RECONCILED => Self::Reconciled(rest(&mut from, MAX_RECONCILE)?.to_vec()),
            kind::WANT_IDS => {
                let count = from.count(MAX_WANTED)?;
                Self::WantIds((0..count).map(|_| Ok(EnvelopeId(from.array()?))).collect::<Result<_, FrameError>>()?)
            }
            kind::GIVEN => Self::Given { done: flag(&mut from)? },
            _ => return Err(FrameError::Malformed),
        };
        from.end()?;
        Ok(frame)
    }
}

fn rest<'a>(from: &mut Reader<'a>, max: usize) -> Result<&'a [u8], FrameError> {
    let rest = from.rest();
    if rest.len() > max { Err(FrameError::TooLarge) } else { Ok(rest) }
}

fn blob_part(from: &mut Reader<'_>) -> Result<Frame, FrameError> {
    let (address, offset, total) = (BlobAddress(from.array()?), from.u64()?, from.u64()?);
    let bytes = rest(from, MAX_PART)?;
    if offset.checked_add(bytes.len() as u64).is_none_or(|end| end > total) {
        return Err(FrameError::Malformed);
    }
    Ok(Frame::BlobPart { address, offset, total, bytes: bytes.to_vec() })
}

fn hello(from: &mut Reader<'_>) -> Result<Frame, FrameError> {
    if from.u8()? != VERSION {
        return Err(FrameError::Newer);
    }
    Ok(Frame::Hello(Hello {
        operation: Hash32(from.array()?),
        device: DeviceId(from.array()?),
        store: Hash32(from.array()?),
        reconciles: flag(from)?,
    }))
}
