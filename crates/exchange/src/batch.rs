//! Links and envelopes, without what the receiver can recompute.
//!
//! The operation comes from the context. A device, a roster hash and a predecessor are left out
//! when they follow from the envelope before; where they can be left out they must be, so a batch
//! has one encoding.

use std::collections::HashMap;

use seal::codec::{Reader, Writer};
use seal::link::LINK_LEN;
use seal::{DeviceId, Envelope, EnvelopeId, Link, OperationId, RosterHash, Signature};

use crate::frame::FrameError;

/// Envelopes in one batch; with the smallest link they fill a tenth of a frame.
pub const MAX_BATCH: usize = 1024;

const SAME_DEVICE: u8 = 1;
const SAME_ROSTER: u8 = 2;
const PREV_FOLLOWS: u8 = 4;
const BODY: u8 = 8;

/// What earlier envelopes of the batch tell about the next.
#[derive(Default)]
struct Before {
    device: Option<DeviceId>,
    roster: Option<RosterHash>,
    last: HashMap<DeviceId, (u64, EnvelopeId)>,
}

impl Before {
    fn flags(&self, envelope: &Envelope) -> u8 {
        let link = &envelope.link;
        let mut flags = 0;
        if self.device == Some(link.device) {
            flags |= SAME_DEVICE;
        }
        if self.roster == Some(link.roster) {
            flags |= SAME_ROSTER;
        }
        if self.prev(&link.device, link.number) == Some(link.prev) {
            flags |= PREV_FOLLOWS;
        }
        if envelope.body.is_some() {
            flags |= BODY;
        }
        flags
    }
    fn prev(&self, device: &DeviceId, number: u64) -> Option<EnvelopeId> {
        if number == 1 {
            return Some(EnvelopeId([0; 32]));
        }
        self.last.get(device).filter(|(last, _)| last + 1 == number).map(|(_, id)| *id)
    }
    fn take(&mut self, link: &Link) {
        self.device = Some(link.device);
        self.roster = Some(link.roster);
        self.last.insert(link.device, (link.number, link.id()));
    }
}

/// Encodes a batch.
pub(crate) fn encode(envelopes: &[Envelope]) -> Vec<u8> {
    let mut before = Before::default();
    let mut out = Writer::new();
    out.varint(envelopes.len() as u64);
    for envelope in envelopes {
        let link = &envelope.link;
        let flags = before.flags(envelope);
        out.u8(flags);
        if flags & SAME_DEVICE == 0 {
            out.raw(&link.device.0);
        }
        out.varint(link.number);
        if flags & SAME_ROSTER == 0 {
            out.raw(&link.roster.0);
        }
        if flags & PREV_FOLLOWS == 0 {
            out.raw(&link.prev.0);
        }
        out.raw(&link.body).raw(&envelope.signature.0);
        if let Some(body) = &envelope.body {
            out.bytes(body);
        }
        before.take(link);
    }
    out.finish()
}

/// Decodes a batch.
pub(crate) fn decode(bytes: &[u8], operation: &OperationId) -> Result<Vec<Envelope>, FrameError> {
    let mut before = Before::default();
    let mut from = Reader::new(bytes, "batch");
    let count = from.count(MAX_BATCH)?;
    let mut envelopes = Vec::with_capacity(count);
    for _ in 0..count {
        let flags = from.u8()?;
        if flags > 15 {
            return Err(FrameError::Malformed);
        }
        let device = match flags & SAME_DEVICE {
            0 => DeviceId(from.array()?),
            _ => before.device.ok_or(FrameError::Malformed)?,
        };
        let number = from.varint()?;
        let roster = match flags & SAME_ROSTER {
            0 => RosterHash(from.array()?),
            _ => before.roster.ok_or(FrameError::Malformed)?,
        };
        let prev = match flags & PREV_FOLLOWS {
            0 => EnvelopeId(from.array()?),
            _ => before.prev(&device, number).ok_or(FrameError::Malformed)?,
        };
        let link = Link { operation: *operation, device, number, prev, roster, body: from.array()? };
        // The rules of a link's own encoding hold here too.
        let encoded: [u8; LINK_LEN] = link.encode();
        Link::decode(&encoded)?;
        let signature = Signature(from.array()?);
        let body = match flags & BODY {
            0 => None,
            _ => Some(from.bytes(seal::record_key::MAX_BODY)?.to_vec()),
        };
        let envelope = Envelope { link, signature, body };
        if before.flags(&envelope) != flags {
            return Err(FrameError::NotCanonical);
        }
        before.take(&envelope.link);
        envelopes.push(envelope);
    }
    from.end()?;
    Ok(envelopes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use seal::SigningKey;

    proptest! {
        #[test]
        fn a_batch_returns(picks in proptest::collection::vec((0u8..3, any::<bool>(), 0usize..300), 0..40)) {
            let operation = OperationId([7; 32]);
            let keys: Vec<SigningKey> = (0..3).map(|i| SigningKey::from_seed(&[i + 1; 32])).collect();
            let mut heads = vec![(0u64, EnvelopeId([0; 32])); 3];
            let mut envelopes = Vec::new();
            for (who, skip, size) in picks {
                let at = usize::from(who);
                let (number, prev) = heads[at];
                let number = number + 1 + u64::from(skip && number > 0);
                let link = Link {
                    operation, device: keys[at].device_id(), number, prev,
                    roster: RosterHash([who; 32]), body: [9; 32],
                };
                heads[at] = (number, link.id());
                let body = (size % 2 == 0).then(|| vec![who; size]);
                envelopes.push(Envelope { link, signature: link.sign(&keys[at]), body });
            }
            let bytes = encode(&envelopes);
            prop_assert_eq!(decode(&bytes, &operation), Ok(envelopes));
        }
    }
}
