//! Parcels: one file, sealed to its recipient, carried by a person. `schemas/spec/parcel.md`.
//!
//! `"INTACTPARCEL1\n" || u64 length of the rest || SHA-256 of the rest || rest`, and the rest is an
//! age file of frames, each after its u32 length: a head, what is carried, an end. The plain hash
//! comes first, so that a damaged parcel is told from one that is addressed to somebody else; it
//! tells a courier nothing.
//!
//! Writing and reading take constant memory: one frame, one chunk of age.

mod read;
#[cfg(test)]
mod tests;
mod write;

use seal::codec::{Reader, Writer};
use seal::hash::tagged;
use seal::{DeviceId, Hash32, SealError};

use crate::frame::FrameError;

pub use read::{Checked, check, check_outside, import, inspect, read};
pub use write::ParcelWriter;

const MAGIC: &[u8; 14] = b"INTACTPARCEL1\n";
/// Bytes before the age file.
const PREFIX: u64 = 14 + 8 + 32;
/// Bytes of a parcel: what fits on a large stick, exhibits included.
const MAX_PARCEL: u64 = 256 * 1024 * 1024 * 1024;
/// Bytes of a head.
const HEAD: usize = 1 + 3 * 32 + 3 * 8;
const SIGNATURE_TAG: &str = "intact/parcel/v1";

/// Why a parcel was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParcelError {
    /// It is no parcel at all.
    #[error("this file is no parcel")]
    NotAParcel,
    /// Bytes are missing or altered.
    #[error("the parcel is damaged: {0}")]
    Damaged(&'static str),
    /// It is sealed to somebody else.
    #[error("the parcel is addressed to somebody else")]
    WrongRecipient,
    /// It belongs to another operation.
    #[error("the parcel belongs to another operation")]
    ForeignOperation,
    /// It needs newer software.
    #[error("the parcel was written by newer software")]
    Newer,
    /// Reading or writing failed.
    #[error("reading or writing the parcel failed: {0}")]
    Io(String),
    /// The disk is full.
    #[error("the disk is full")]
    Full,
}

impl From<std::io::Error> for ParcelError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full,
            std::io::ErrorKind::UnexpectedEof => Self::Damaged("it ends early"),
            kind => Self::Io(kind.to_string()),
        }
    }
}

impl From<SealError> for ParcelError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::NoKey => Self::WrongRecipient,
            SealError::Stream(what) => Self::Io(what),
            _ => Self::Damaged("its seal does not hold"),
        }
    }
}

impl From<FrameError> for ParcelError {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Newer => Self::Newer,
            _ => Self::Damaged("a frame in it does not hold"),
        }
    }
}

/// What stands first inside the seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The operation's tag.
    pub operation: Hash32,
    /// Who wrote it.
    pub from: DeviceId,
    /// The writer's store, as the store calls itself; cursors go by [`crate::frame::store_name`].
    pub store: Hash32,
    /// After this commit number of it.
    pub after: u64,
    /// Up to this one. In a parcel that its writer did not sign, reading gives back `after`: whoever
    /// knows a recipient can write a parcel to it, and could else make it skip what it never got.
    pub up_to: u64,
    /// When, by the writer's clock, milliseconds.
    pub made_ms: i64,
}

impl Head {
    fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.u8(1).raw(&self.operation.0).raw(&self.from.0).raw(&self.store.0);
        out.u64(self.after).u64(self.up_to).i64(self.made_ms);
        out.finish()
    }
    fn decode(bytes: &[u8]) -> Result<Self, ParcelError> {
        let read = || -> Result<Self, SealError> {
            let mut from = Reader::new(bytes, "parcel head");
            if from.u8()? != 1 {
                return Err(SealError::NewerVersion("parcel"));
            }
            let head = Self {
                operation: Hash32(from.array()?),
                from: DeviceId(from.array()?),
                store: Hash32(from.array()?),
                after: from.u64()?,
                up_to: from.u64()?,
                made_ms: from.i64()?,
            };
            from.end()?;
            Ok(head)
        };
        read().map_err(|error| match error {
            SealError::NewerVersion(_) => ParcelError::Newer,
            _ => ParcelError::Damaged("its head does not hold"),
        })
    }
}

/// What the writer's device signs: the content's hash covers the head and every frame with its length,
/// in order.
fn statement(frames: u64, content: &[u8; 32]) -> [u8; 32] {
    tagged(SIGNATURE_TAG, &[&frames.to_be_bytes(), content])
}
