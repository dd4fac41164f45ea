//! Everything that travels with the roster, in one encoding: a kind byte, then JSON or binary.

use seal::Hash32;
use seal::hash::tagged;

use super::{MailboxCard, NameOpening, RosterError, RosterView, SignedChainEntry, SignedEpoch, canonical, to_json};

/// Bytes of an encoded object: an epoch's body of 256 KiB escaped, and 64 times three signatures.
pub const MAX_OBJECT: usize = 320 * 1024;

/// An object of the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RosterObject {
    /// An epoch.
    Epoch(SignedEpoch),
    /// A chain entry.
    Chain(SignedChainEntry),
    /// A view that a link cites.
    View(RosterView),
    /// An opened name.
    Name(NameOpening),
    /// A mailbox card.
    Card(MailboxCard),
}

impl RosterObject {
    /// The one encoding.
    pub fn encode(&self) -> Vec<u8> {
        let (kind, bytes) = match self {
            Self::Epoch(epoch) => (1, to_json(epoch).into_bytes()),
            Self::Chain(entry) => (2, to_json(entry).into_bytes()),
            Self::View(view) => (3, view.encode()),
            Self::Name(name) => (4, to_json(name).into_bytes()),
            Self::Card(card) => (5, card.encode()),
        };
        [&[kind], bytes.as_slice()].concat()
    }
    /// Reads the one encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, RosterError> {
        if bytes.len() > MAX_OBJECT {
            return Err(RosterError::Malformed("size"));
        }
        let (kind, rest) = bytes.split_first().ok_or(RosterError::Malformed("empty"))?;
        let text = || std::str::from_utf8(rest).map_err(|_| RosterError::Malformed("UTF-8"));
        Ok(match kind {
            1 => Self::Epoch(canonical(text()?, MAX_OBJECT)?),
            2 => Self::Chain(canonical(text()?, MAX_OBJECT)?),
            3 => Self::View(RosterView::decode(rest)?),
            4 => Self::Name(canonical(text()?, MAX_OBJECT)?),
            5 => Self::Card(MailboxCard::decode(rest)?),
            _ => return Err(RosterError::Malformed("kind")),
        })
    }
    /// tagged("intact/roster-object/v1", [encoding]).
    pub fn id(&self) -> Hash32 {
        Hash32(tagged("intact/roster-object/v1", &[&self.encode()]))
    }
}
