//! What an author held of the roster: the epoch and the head of each chain.

use seal::codec::{Reader, Writer};
use seal::hash::tagged;
use seal::{ChainEntryId, EpochId, RosterHash};

use super::{AgencyId, RosterError};

/// Heads in a view: every agency that an operation ever named, those removed since included. An
/// epoch that would name more is not followed.
pub(super) const MAX_HEADS: usize = 256;

/// A roster view. Its hash stands in every link; the view itself travels with the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterView {
    /// The number of the epoch.
    pub epoch_number: u64,
    /// The epoch.
    pub epoch: EpochId,
    /// The head of each agency's chain, by agency.
    pub heads: Vec<(AgencyId, u64, ChainEntryId)>,
}

impl RosterView {
    /// The one encoding.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.u8(1).varint(self.epoch_number).raw(&self.epoch.0).varint(self.heads.len() as u64);
        for (agency, number, id) in &self.heads {
            out.bytes(agency.as_str().as_bytes()).varint(*number).raw(&id.0);
        }
        out.finish()
    }
    /// Reads the one encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, RosterError> {
        let mut from = Reader::new(bytes, "roster view");
        if from.u8()? != 1 {
            return Err(RosterError::Malformed("roster view version"));
        }
        let (epoch_number, epoch) = (from.varint()?, EpochId(from.array()?));
        let count = from.count(MAX_HEADS)?;
        let mut heads = Vec::with_capacity(count);
        for _ in 0..count {
            heads.push((from.text(32)?.parse()?, from.varint()?, ChainEntryId(from.array()?)));
        }
        from.end()?;
        if epoch_number == 0 || heads.iter().any(|(_, number, _): &(AgencyId, u64, ChainEntryId)| *number == 0) {
            return Err(RosterError::Malformed("roster view"));
        }
        if !heads.windows(2).all(|pair| pair[0].0 < pair[1].0) {
            return Err(RosterError::NotCanonical);
        }
        Ok(Self { epoch_number, epoch, heads })
    }
    /// tagged("intact/roster/v1", [encoding]).
    pub fn hash(&self) -> RosterHash {
        RosterHash(tagged("intact/roster/v1", &[&self.encode()]))
    }
    /// The number of an agency's chain in this view.
    pub fn number(&self, agency: &AgencyId) -> u64 {
        self.heads.iter().find(|(id, ..)| id == agency).map_or(0, |(_, number, _)| *number)
    }
    /// Whether this view is nowhere behind another, by numbers alone. Where a chain was contested,
    /// [`super::Roster::went_back`] is the exact question.
    pub fn is_at_least(&self, other: &RosterView) -> bool {
        self.epoch_number >= other.epoch_number
            && other.heads.iter().all(|(agency, number, _)| self.number(agency) >= *number)
    }
}
