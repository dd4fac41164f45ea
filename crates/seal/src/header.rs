//! The sealed header of an envelope.

use crate::codec::{Reader, Writer};
use crate::hash::tagged;
use crate::{EntryId, OperatorId, RecordId, SealError};

const VERSION: u8 = 1;
/// Heads of one record that an author may have seen at once: far more than the devices that can
/// write to one record without hearing of each other.
pub const MAX_HEADS: usize = 256;
/// Bytes of a unit's or role's name.
const MAX_NAME: usize = 64;

/// How far the author trusts its own clock; ids of the code list `clock_confidence`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ClockConfidence {
    /// The operating system's clock, synchronised within 24 h.
    OsSynced = 1,
    /// The operating system's clock, not synchronised.
    OsUnsynced = 2,
    /// Set by hand.
    Manual = 3,
    /// Satellite time.
    Gnss = 4,
    /// The device has reason to doubt its clock.
    Suspect = 5,
}

impl ClockConfidence {
    /// The id in the code list.
    pub fn code(self) -> &'static str {
        match self {
            Self::OsSynced => "os-synced",
            Self::OsUnsynced => "os-unsynced",
            Self::Manual => "manual",
            Self::Gnss => "gnss",
            Self::Suspect => "suspect",
        }
    }
    fn from_byte(byte: u8) -> Result<Self, SealError> {
        Ok(match byte {
            1 => Self::OsSynced,
            2 => Self::OsUnsynced,
            3 => Self::Manual,
            4 => Self::Gnss,
            5 => Self::Suspect,
            _ => return Err(SealError::Malformed("clock confidence")),
        })
    }
}

/// The newest checkpoint of another agency that the author had seen: an entry that cites one was
/// made after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// Hash of the checkpoint's origin line.
    pub origin: [u8; 32],
    /// Leaves in the log.
    pub size: u64,
    /// Root hash.
    pub root: [u8; 32],
}

/// What the author says about an entry, sealed beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The record.
    pub record: RecordId,
    /// The number of this entry among its device's entries in this record, from 1.
    pub number: u64,
    /// 1 + the greatest depth of the heads; 1 for the first entry. Automerge's start op.
    pub depth: u64,
    /// The heads of the record that the author had seen, sorted; exactly the change's dependencies.
    pub heads: Vec<EntryId>,
    /// The operator who acted.
    pub operator: OperatorId,
    /// The unit in which the operator acted; empty where none.
    pub unit: String,
    /// The role in which the operator acted.
    pub role: String,
    /// The newest foreign checkpoint seen.
    pub checkpoint: Option<Checkpoint>,
    /// The device's wall time, milliseconds since 1970-01-01T00:00Z.
    pub wall_ms: i64,
    /// The device's offset from UTC, minutes east.
    pub offset_min: i16,
    /// How far the device trusts that time.
    pub clock: ClockConfidence,
    /// Root of the salted commitments of the entry's fields.
    pub fields_root: [u8; 32],
}

impl Header {
    /// The one encoding.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.u8(VERSION).raw(&self.record.0).varint(self.number).varint(self.depth).varint(self.heads.len() as u64);
        for head in &self.heads {
            out.raw(&head.0);
        }
        out.raw(&self.operator.0).bytes(self.unit.as_bytes()).bytes(self.role.as_bytes());
        match &self.checkpoint {
            None => out.u8(0),
            Some(seen) => out.u8(1).raw(&seen.origin).u64(seen.size).raw(&seen.root),
        };
        out.i64(self.wall_ms).i16(self.offset_min).u8(self.clock as u8).raw(&self.fields_root);
        out.finish()
    }

    /// Reads a header; refuses anything but the one encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, SealError> {
        let mut from = Reader::new(bytes, "header");
        if from.u8()? != VERSION {
            return Err(SealError::NewerVersion("header"));
        }
        let record = RecordId(from.array()?);
        let number = from.varint()?;
        let depth = from.varint()?;
        let count = from.count(MAX_HEADS)?;
        let mut heads = Vec::with_capacity(count);
        for _ in 0..count {
            heads.push(EntryId(from.array()?));
        }
        let header = Self {
            record,
            number,
            depth,
            heads,
            operator: OperatorId(from.array()?),
            unit: from.text(MAX_NAME)?.to_owned(),
            role: from.text(MAX_NAME)?.to_owned(),
            checkpoint: match from.u8()? {
                0 => None,
                1 => Some(Checkpoint { origin: from.array()?, size: from.u64()?, root: from.array()? }),
                _ => return Err(SealError::Malformed("header checkpoint")),
            },
            wall_ms: from.i64()?,
            offset_min: from.i16()?,
            clock: ClockConfidence::from_byte(from.u8()?)?,
            fields_root: from.array()?,
        };
        from.end()?;
        header.check()?;
        Ok(header)
    }

    fn check(&self) -> Result<(), SealError> {
        let sorted = self.heads.windows(2).all(|pair| pair[0] < pair[1]);
        // Numbers stay far below what Automerge and SQLite can hold.
        let bounded = (1..1 << 40).contains(&self.number) && (1..1 << 40).contains(&self.depth);
        let first = self.heads.is_empty();
        if !sorted || !bounded || first != (self.depth == 1) || (first && self.number != 1) {
            return Err(SealError::Malformed("header"));
        }
        // UTC offsets in use run from -12:00 to +14:00; a day is the outer bound.
        if !(-1440..=1440).contains(&self.offset_min) {
            return Err(SealError::Malformed("header offset"));
        }
        Ok(())
    }

    /// tagged("intact/header/v1", [encoding]).
    pub fn hash(encoded: &[u8]) -> [u8; 32] {
        tagged("intact/header/v1", &[encoded])
    }
}
