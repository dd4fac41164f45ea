//! Mailbox cards: the public halves of weekly mailboxes, published ahead to those who write to them.

use seal::codec::{Reader, Writer};
use seal::{DeviceId, Recipient, Signature, SigningKey};

use super::{AgencyId, RosterError};

const SIGNATURE_TAG: &str = "intact/mailbox-card/v1";
/// Weeks on one card: a little over a year.
const MAX_WEEKS: usize = 60;

/// Whose mailbox.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum MailboxOwner {
    /// The desks of an agency.
    Agency(AgencyId),
    /// One device.
    Device(DeviceId),
}

/// Public halves for consecutive weeks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxCard {
    /// Whose.
    pub owner: MailboxOwner,
    /// The first week, counted from Monday 1970-01-05 UTC.
    pub first_week: u32,
    /// What to seal to, and what reading is proved with, week by week.
    pub keys: Vec<(Recipient, [u8; 32])>,
    /// The device that publishes it.
    pub by: DeviceId,
    /// Its signature.
    pub signature: Signature,
}

impl MailboxCard {
    /// Signs a card.
    pub fn sign(owner: MailboxOwner, first_week: u32, keys: Vec<(Recipient, [u8; 32])>, by: &SigningKey) -> Self {
        let mut card = Self { owner, first_week, keys, by: by.device_id(), signature: Signature([0; 64]) };
        card.signature = by.sign(SIGNATURE_TAG, &card.statement());
        card
    }
    /// Whether the signature holds.
    pub fn holds(&self) -> bool {
        seal::sign::verify(SIGNATURE_TAG, &self.statement(), &self.by.0, &self.signature).is_ok()
    }
    /// The key of a week.
    pub fn week(&self, week: u32) -> Option<&(Recipient, [u8; 32])> {
        self.keys.get(usize::try_from(week.checked_sub(self.first_week)?).ok()?)
    }
    fn statement(&self) -> Vec<u8> {
        let mut out = Writer::new();
        match &self.owner {
            MailboxOwner::Agency(id) => out.u8(1).bytes(id.as_str().as_bytes()),
            MailboxOwner::Device(id) => out.u8(2).raw(&id.0),
        };
        out.u32(self.first_week).varint(self.keys.len() as u64);
        for (recipient, read) in &self.keys {
            out.bytes(recipient.as_str().as_bytes()).raw(read);
        }
        out.raw(&self.by.0);
        out.finish()
    }
    /// The one encoding.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.statement();
        bytes.extend_from_slice(&self.signature.0);
        bytes
    }
    /// Reads the one encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, RosterError> {
        let mut from = Reader::new(bytes, "mailbox card");
        let owner = match from.u8()? {
            1 => MailboxOwner::Agency(from.text(32)?.parse()?),
            2 => MailboxOwner::Device(DeviceId(from.array()?)),
            _ => return Err(RosterError::Malformed("mailbox owner")),
        };
        let first_week = from.u32()?;
        let count = from.count(MAX_WEEKS)?;
        if count == 0 {
            return Err(RosterError::Malformed("mailbox card"));
        }
        let mut keys = Vec::with_capacity(count);
        for _ in 0..count {
            keys.push((from.text(62)?.parse()?, from.array()?));
        }
        let card = Self { owner, first_week, keys, by: DeviceId(from.array()?), signature: Signature(from.array()?) };
        from.end()?;
        Ok(card)
    }
}
