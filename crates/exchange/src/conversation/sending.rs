//! What this side gives: pages after a commit number, each ended and acknowledged before the next.

use super::{Conversation, Count, Effect, Outbox, PAGE_BYTES, PAGE_FRAMES, send};
use crate::conversation::reconcile::Answering;
use crate::frame::{Ack, Frame, Head, store_name};
use crate::store::Page;

/// Where our giving stands.
pub(super) enum Sending {
    /// Nothing was asked yet.
    Unasked,
    /// A page is being loaded.
    Loading(Asked),
    /// A page, or a part of one, was sent and awaits its acknowledgement.
    Paging(Paging),
    /// The peer reconciles what the sparse pages left out.
    Reconciling(Box<Answering>),
    /// All was sent and acknowledged up to this commit number.
    Finished(u64),
}

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    after: u64,
    sparse: bool,
    /// The peer asked and waits for an answer, even an empty one.
    first: bool,
}

/// A page under way.
pub(super) struct Paging {
    asked: Asked,
    /// Where the store's page ends, and whether it is the last.
    next: u64,
    done: bool,
    count: Count,
    /// What did not fit into the part that was sent.
    rest: Outbox,
}

impl Paging {
    /// The mark of the part that is under way: only the last part moves the cursor.
    fn mark(&self) -> (u64, bool) {
        if self.rest.is_empty() { (self.next, self.done) } else { (self.asked.after, false) }
    }
}

/// Moves frames of about one page from an outbox into effects.
pub(super) fn fill(outbox: &mut Outbox, effects: &mut Vec<Effect>) {
    let mut bytes = 0;
    for _ in 0..PAGE_FRAMES {
        if bytes >= PAGE_BYTES {
            return;
        }
        let Some(frame) = outbox.pop_front() else { return };
        bytes += frame.len();
        effects.push(Effect::Send(frame));
    }
}

impl Conversation {
    pub(super) fn since(&mut self, after: u64, sparse: bool, heads: Vec<Head>) -> Vec<Effect> {
        if sparse && !self.can_reconcile() {
            return vec![Effect::Drop("it would reconcile, which was not agreed")];
        }
        if matches!(self.sending, Sending::Unasked) {
            self.their_heads = heads;
            return if sparse { self.load_sparse() } else { self.load(after, true) };
        }
        if !sparse || self.sparse_asked || self.sparse_served {
            return vec![Effect::Drop("it asked again before it was answered")];
        }
        // In doubt it asks again, once; news that are on their way are acknowledged first.
        self.sparse_asked = true;
        self.settle()
    }

    /// Loads roster and wraps from the beginning, for a peer that reconciles the rest.
    pub(super) fn load_sparse(&mut self) -> Vec<Effect> {
        if self.sparse_served {
            return vec![Effect::Drop("it asks to reconcile again and again")];
        }
        self.sparse_served = true;
        self.changed = false;
        self.sending = Sending::Loading(Asked { after: 0, sparse: true, first: true });
        vec![Effect::Load { after: 0, sparse: true }]
    }

    /// Loads what follows a commit number.
    pub(super) fn load(&mut self, after: u64, first: bool) -> Vec<Effect> {
        self.changed = false;
        self.sending = Sending::Loading(Asked { after, sparse: false, first });
        vec![Effect::Load { after, sparse: false }]
    }

    /// Answers [`Effect::Load`].
    pub fn page(&mut self, mut page: Page) -> Vec<Effect> {
        let Sending::Loading(asked) = self.sending else { return Vec::new() };
        if self.peer.revoked {
            page.frames.retain(|frame| matches!(frame, Frame::Roster(_)));
            (page.records, page.entries) = (0, 0);
        }
        let echoed = self.echo.filter(&mut page);
        // A store that does not advance would be asked for ever.
        let done = page.done || page.next <= asked.after;
        let next = page.next.max(asked.after);
        if page.frames.is_empty() && !done {
            self.sending = Sending::Loading(Asked { after: next, first: asked.first || echoed, ..asked });
            return vec![Effect::Load { after: next, sparse: asked.sparse }];
        }
        // An echo that was left out moves the peer's cursor all the same, or it would come next time.
        if page.frames.is_empty() && !asked.first && !echoed {
            self.sending = Sending::Finished(next);
            let effects = self.settle();
            return self.ending(effects);
        }
        let rest = page.frames.iter().map(Frame::encode).collect();
        self.part(Paging { asked, next, done, count: Count::of(&page), rest })
    }

    /// Sends the next part of a page.
    fn part(&mut self, mut paging: Paging) -> Vec<Effect> {
        let mut effects = Vec::new();
        fill(&mut paging.rest, &mut effects);
        let (next, done) = paging.mark();
        effects.push(send(&Frame::Page { next, done, sparse: paging.asked.sparse }));
        self.pages_sent += 1;
        self.sending = Sending::Paging(paging);
        effects
    }

    pub(super) fn acknowledged(&mut self, ack: Ack) -> Vec<Effect> {
        let ours = store_name(&self.me.device, &self.me.store);
        let holds = |up_to: u64| ack.up_to == up_to && ack.by == self.peer.device && ack.store == ours && ack.holds();
        match std::mem::replace(&mut self.sending, Sending::Unasked) {
            Sending::Paging(paging) if !paging.asked.sparse && holds(paging.mark().0) => self.page_held(paging, ack),
            Sending::Reconciling(answering) if holds(answering.up_to) => {
                self.count(answering.count);
                self.sending = Sending::Finished(ack.up_to);
                let mut effects = vec![Effect::Acked(ack)];
                effects.extend(self.settle());
                effects
            }
            _ => vec![Effect::Drop("its acknowledgement does not hold")],
        }
    }

    fn page_held(&mut self, paging: Paging, ack: Ack) -> Vec<Effect> {
        if !paging.rest.is_empty() {
            return self.part(paging);
        }
        self.count(paging.count);
        let mut effects = vec![Effect::Acked(ack)];
        if paging.done {
            self.sending = Sending::Finished(paging.next);
            effects.extend(self.settle());
        } else {
            effects.extend(self.load(paging.next, true));
        }
        effects
    }

    /// The peer took a part in whose acknowledgement comes later.
    pub(super) fn more(&mut self) -> Vec<Effect> {
        match std::mem::replace(&mut self.sending, Sending::Unasked) {
            Sending::Paging(paging) if paging.asked.sparse && !paging.rest.is_empty() => self.part(paging),
            Sending::Paging(paging) if paging.asked.sparse && !paging.done => {
                self.sending = Sending::Loading(Asked { after: paging.next, ..paging.asked });
                vec![Effect::Load { after: paging.next, sparse: true }]
            }
            Sending::Reconciling(answering) if !answering.outbox.is_empty() => self.give_part(answering),
            _ => vec![Effect::Drop("it asks for more than there is")],
        }
    }

    /// Where sparse pages end, if they have ended.
    pub(super) fn sparse_end(&self) -> Option<u64> {
        match &self.sending {
            Sending::Paging(paging) if paging.asked.sparse && paging.done && paging.rest.is_empty() => {
                Some(paging.next)
            }
            _ => None,
        }
    }

    fn count(&mut self, count: Count) {
        self.summary.sent_records += count.records;
        self.summary.sent_entries += count.entries;
    }
}
