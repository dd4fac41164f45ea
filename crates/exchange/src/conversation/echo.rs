//! What came from the peer in this conversation is not sent back to it, and what was given to it by id is
//! not given again.

use std::collections::HashSet;

use seal::Envelope;

use crate::frame::Frame;
use crate::store::Page;

/// Things remembered: a few pages. Beyond, an echo costs bytes and never meaning, and a store that knows
/// from whom it has what leaves it out itself.
const MAX_REMEMBERED: usize = 16_384;

/// Ids of what the peer has: an envelope's id for a link alone, its complement for a whole one, and the ids of
/// roster objects.
#[derive(Default)]
pub(super) struct Echo(HashSet<[u8; 32]>);

fn whole(id: [u8; 32]) -> [u8; 32] {
    id.map(|byte| !byte)
}

impl Echo {
    /// Remembers what the peer has.
    pub(super) fn has_now(&mut self, frame: &Frame) {
        match frame {
            Frame::Roster(object) => self.remember(object.id().0),
            Frame::Batch(envelopes) => {
                for envelope in envelopes {
                    let id = envelope.id().0;
                    self.remember(if envelope.body.is_some() { whole(id) } else { id });
                }
            }
            _ => {}
        }
    }

    fn remember(&mut self, id: [u8; 32]) {
        if self.0.len() < MAX_REMEMBERED {
            self.0.insert(id);
        }
    }

    fn has(&self, envelope: &Envelope) -> bool {
        let id = envelope.id().0;
        self.0.contains(&whole(id)) || (envelope.body.is_none() && self.0.contains(&id))
    }

    /// Takes out of a page what the peer has; whether there was any.
    pub(super) fn filter(&self, page: &mut Page) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let mut left_out = 0;
        page.frames.retain_mut(|frame| match frame {
            Frame::Roster(object) => {
                let known = self.0.contains(&object.id().0);
                left_out += u64::from(known);
                !known
            }
            Frame::Batch(envelopes) => {
                envelopes.retain(|envelope| {
                    let known = self.has(envelope);
                    left_out += u64::from(known);
                    page.entries = page.entries.saturating_sub(u64::from(known && envelope.body.is_some()));
                    !known
                });
                !envelopes.is_empty()
            }
            _ => true,
        });
        if page.entries == 0 {
            page.records = 0;
        }
        left_out > 0
    }
}
