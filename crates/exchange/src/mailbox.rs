//! Weekly mailboxes at a relay: keys from one seed, batches sealed to the mailbox.

use hkdf::Hkdf;
use seal::{Identity, OperationId, Recipient, SealError, SigningKey};
use sha2::Sha256;

use crate::frame::{Frame, FrameError, MAX_FRAME};
use crate::relay::bucket;
use crate::relay::mailbox::{MailboxTag, ReadKeys};

/// Monday 1970-01-05T00:00Z, milliseconds: the first week.
const FIRST_MONDAY_MS: i64 = 4 * 24 * 3600 * 1000;
const WEEK_MS: i64 = 7 * 24 * 3600 * 1000;
/// Past weeks in which an item may still lie: the relay keeps items for 60 days.
pub const PAST_WEEKS: u32 = 9;
/// Bytes of frames in one sealed batch; with padding and age's overhead it stays below the relay's
/// bound of 1 MiB.
pub const MAX_CONTENT: usize = 640 * 1024;

/// The week of a moment, counted from the first Monday of 1970.
pub fn week_of(wall_ms: i64) -> u32 {
    u32::try_from((wall_ms - FIRST_MONDAY_MS).div_euclid(WEEK_MS)).unwrap_or(0)
}

/// The secret halves of a mailbox in one week.
pub struct MailboxKeys {
    /// Opens batches.
    pub identity: Identity,
    /// Proves the right to read.
    pub reading: SigningKey,
}

impl MailboxKeys {
    /// The keys of a week, by HKDF-SHA-256 from the mailbox's seed.
    pub fn derive(seed: &[u8; 32], week: u32) -> Result<Self, SealError> {
        let hkdf = Hkdf::<Sha256>::new(Some(b"intact/mailbox-seed/v1"), seed);
        let part = |purpose: &[u8]| -> Result<[u8; 32], SealError> {
            let mut out = [0; 32];
            let info = [purpose, &week.to_be_bytes()].concat();
            hkdf.expand(&info, &mut out).map_err(|_| SealError::Malformed("mailbox seed"))?;
            Ok(out)
        };
        Ok(Self { identity: Identity::from_bytes(&part(b"seal")?)?, reading: SigningKey::from_seed(&part(b"read")?) })
    }
    /// The public halves, as a mailbox card states them.
    pub fn public(&self) -> (Recipient, [u8; 32]) {
        (self.identity.recipient(), self.reading.public())
    }
    /// What the relay asks of a reader.
    pub fn read_keys(&self) -> ReadKeys {
        ReadKeys::new(self.identity.recipient().to_string(), self.reading.clone())
    }
}

/// The tag at the relay of a mailbox's public halves.
pub fn tag_of(public: &(Recipient, [u8; 32])) -> MailboxTag {
    MailboxTag::of(public.0.as_str(), &public.1)
}

/// Collects frames into sealed batches.
pub struct Packer {
    to: Recipient,
    content: Vec<u8>,
    batches: Vec<Vec<u8>>,
}

impl Packer {
    /// For one mailbox.
    pub fn new(to: Recipient) -> Self {
        Self { to, content: Vec::new(), batches: Vec::new() }
    }
    /// Adds a frame.
    pub fn add(&mut self, frame: &Frame) -> Result<(), SealError> {
        let bytes = frame.encode();
        if !self.content.is_empty() && self.content.len() + bytes.len() + 4 > MAX_CONTENT {
            self.seal()?;
        }
        // A frame is at most 1 MiB, and what is posted is far below; its length fits.
        self.content.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
        self.content.extend_from_slice(&bytes);
        Ok(())
    }
    fn seal(&mut self) -> Result<(), SealError> {
        let content = std::mem::take(&mut self.content);
        if content.is_empty() {
            return Ok(());
        }
        let padded = bucket::pad(&content).map_err(|_| SealError::TooLarge("batch"))?;
        self.batches.push(seal::wrap::seal_bytes(std::slice::from_ref(&self.to), &padded)?);
        Ok(())
    }
    /// The sealed batches.
    pub fn finish(mut self) -> Result<Vec<Vec<u8>>, SealError> {
        self.seal()?;
        Ok(self.batches)
    }
}

/// Why a batch was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// It does not open, or its padding does not hold.
    #[error("a batch from the relay does not open")]
    Sealed,
    /// A frame in it does not hold.
    #[error("a batch from the relay holds a bad frame: {0}")]
    Frame(#[from] FrameError),
}

/// Opens a batch into frames: all of them, or none.
pub fn open(batch: &[u8], keys: &MailboxKeys, operation: &OperationId) -> Result<Vec<Frame>, BatchError> {
    let padded = seal::wrap::open_bytes(&[&keys.identity], batch, 2 * MAX_FRAME).map_err(|_| BatchError::Sealed)?;
    let mut rest = bucket::unpad(&padded).map_err(|_| BatchError::Sealed)?;
    let mut frames = Vec::new();
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        let (frame, tail) = tail.split_at_checked(length).ok_or(FrameError::Malformed)?;
        frames.push(Frame::decode(frame, operation)?);
        rest = tail;
    }
    if rest.is_empty() { Ok(frames) } else { Err(FrameError::Malformed.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_begin_on_mondays() {
        assert_eq!(week_of(FIRST_MONDAY_MS), 0);
        assert_eq!(week_of(FIRST_MONDAY_MS - 1), 0);
        assert_eq!(week_of(FIRST_MONDAY_MS + WEEK_MS), 1);
    }

    #[test]
    fn a_batch_opens_for_its_week_alone() {
        let operation = OperationId([7; 32]);
        let keys = MailboxKeys::derive(&[1; 32], 2960).unwrap();
        let mut packer = Packer::new(keys.public().0);
        packer.add(&Frame::Enough(1)).unwrap();
        packer.add(&Frame::Page { next: 3, done: true, sparse: false }).unwrap();
        let batches = packer.finish().unwrap();
        assert_eq!(batches.len(), 1);
        let frames = open(&batches[0], &keys, &operation).unwrap();
        assert_eq!(frames, [Frame::Enough(1), Frame::Page { next: 3, done: true, sparse: false }]);
        let other = MailboxKeys::derive(&[1; 32], 2961).unwrap();
        assert_eq!(open(&batches[0], &other, &operation), Err(BatchError::Sealed));
    }
}
