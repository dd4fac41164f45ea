//! What is missing, by id: negentropy over what both may hold, for a new peer or in doubt.
//!
//! An item stands under its number in its device's chain, so that what is new stands together. A whole
//! envelope stands under the complement of its id: whoever holds the link alone misses it. Both ids
//! are asked for in either case, since an item does not show which it is, and one of them is nobody's.

use std::collections::VecDeque;

use negentropy::{Id, Negentropy, NegentropyStorageVector};
use seal::EnvelopeId;

use super::sending::{Sending, fill};
use super::{Conversation, Count, Effect, Outbox, send};
use crate::frame::{Frame, MAX_RECONCILE, MAX_WANTED};
use crate::store::{Held, Page};

/// Rounds of one reconciliation: every round divides by 16, so 8 reach a trillion items; more of them
/// happen only where one message does not hold all the differences.
const MAX_ROUNDS: u32 = 512;
/// Half a message: the engine stops a little after its limit.
const MESSAGE: u64 = MAX_RECONCILE as u64 / 2;

type Engine = Negentropy<'static, NegentropyStorageVector>;

/// The side that asks.
pub(super) struct Asking {
    engine: Engine,
    rounds: u32,
    /// Items that are missing here, of this round.
    need: VecDeque<Id>,
    /// The message of the next round, once what this one brought is here.
    next: Option<Vec<u8>>,
    waits: bool,
}

impl Asking {
    pub(super) fn waits_for_given(&self) -> bool {
        self.waits
    }
}

/// The side that answers.
pub(super) struct Answering {
    engine: Option<Engine>,
    rounds: u32,
    /// The first message, while the items are being listed.
    query: Option<Vec<u8>>,
    giving: bool,
    /// What is to be acknowledged at the end.
    pub(super) up_to: u64,
    pub(super) count: Count,
    pub(super) outbox: Outbox,
}

fn item(held: &Held) -> Id {
    Id::from_byte_array(if held.whole { complement(&held.id.0) } else { held.id.0 })
}

fn complement(id: &[u8; 32]) -> [u8; 32] {
    id.map(|byte| !byte)
}

fn engine(held: &[Held]) -> Option<Engine> {
    let mut items = NegentropyStorageVector::with_capacity(held.len());
    for one in held {
        items.insert(one.number, item(one)).ok()?;
    }
    items.seal().ok()?;
    Negentropy::owned(items, MESSAGE).ok()
}

impl Conversation {
    /// Answers [`Effect::Hold`], whichever side of a reconciliation asked.
    pub fn held(&mut self, held: Vec<Held>) -> Vec<Effect> {
        let engine = engine(&held);
        drop(held);
        let effects = match engine {
            None => vec![Effect::Drop("reconciling failed here")],
            Some(engine) if matches!(&self.sending, Sending::Reconciling(a) if a.engine.is_none()) => {
                self.answer_first(engine)
            }
            Some(engine) => self.ask_first(engine),
        };
        self.ending(effects)
    }

    fn ask_first(&mut self, mut engine: Engine) -> Vec<Effect> {
        if !self.receiving.is_reconciling() || self.receiving.asking.is_some() {
            return Vec::new();
        }
        let Ok(message) = engine.initiate() else { return vec![Effect::Drop("reconciling failed here")] };
        self.receiving.asking =
            Some(Box::new(Asking { engine, rounds: 0, need: VecDeque::new(), next: None, waits: false }));
        vec![send(&Frame::Reconcile(message))]
    }

    /// An answer came: asks for what it shows to be missing, then goes on.
    pub(super) fn reconciled(&mut self, message: &[u8]) -> Vec<Effect> {
        let Some(asking) = self.receiving.asking.as_mut() else {
            return vec![Effect::Drop("it reconciles with nobody")];
        };
        if asking.waits || !asking.need.is_empty() || asking.next.is_some() || asking.rounds >= MAX_ROUNDS {
            return vec![Effect::Drop("it reconciles out of turn")];
        }
        asking.rounds += 1;
        let (mut theirs_missing, mut need) = (Vec::new(), Vec::new());
        match asking.engine.reconcile_with_ids(message, &mut theirs_missing, &mut need) {
            Err(_) => return vec![Effect::Drop("its reconciliation does not hold")],
            Ok(next) => asking.next = next,
        }
        // What the peer lacks, it finds out by itself. An order of ours, so that a run can be replayed.
        need.sort_unstable();
        need.dedup();
        asking.need = need.into();
        self.ask_next()
    }

    fn ask_next(&mut self) -> Vec<Effect> {
        let Some(asking) = self.receiving.asking.as_mut() else { return Vec::new() };
        if !asking.need.is_empty() {
            let part = asking.need.len().min(MAX_WANTED);
            let ids = asking.need.drain(..part).map(|id| EnvelopeId(*id)).collect();
            asking.waits = true;
            return vec![send(&Frame::WantIds(ids))];
        }
        match asking.next.take() {
            Some(message) => vec![send(&Frame::Reconcile(message))],
            None => self.all_given(),
        }
    }

    /// What was given is durable.
    pub(super) fn given_taken(&mut self, done: bool) -> Vec<Effect> {
        if !done {
            return vec![send(&Frame::More)];
        }
        if let Some(asking) = self.receiving.asking.as_mut() {
            asking.waits = false;
        }
        self.ask_next()
    }

    /// The peer reconciles: lists our items at the first message, answers from then on.
    pub(super) fn reconcile(&mut self, message: Vec<u8>) -> Vec<Effect> {
        if !self.can_reconcile() {
            return vec![Effect::Drop("it would reconcile, which was not agreed")];
        }
        if let Some(up_to) = self.sparse_end() {
            let answering = Answering {
                engine: None,
                rounds: 0,
                query: Some(message),
                giving: false,
                up_to,
                count: Count::default(),
                outbox: Outbox::new(),
            };
            self.sending = Sending::Reconciling(Box::new(answering));
            return vec![Effect::Hold];
        }
        match &mut self.sending {
            Sending::Reconciling(answering) if !answering.giving => answer(answering, &message),
            _ => vec![Effect::Drop("it reconciles out of turn")],
        }
    }

    fn answer_first(&mut self, engine: Engine) -> Vec<Effect> {
        let Sending::Reconciling(answering) = &mut self.sending else { return Vec::new() };
        answering.engine = Some(engine);
        match answering.query.take() {
            Some(message) => answer(answering, &message),
            None => Vec::new(),
        }
    }

    pub(super) fn want_ids(&mut self, ids: &[EnvelopeId]) -> Vec<Effect> {
        match &mut self.sending {
            Sending::Reconciling(answering) if answering.engine.is_some() && !answering.giving => {
                answering.giving = true;
                let both = ids.iter().flat_map(|id| [*id, EnvelopeId(complement(&id.0))]);
                vec![Effect::Give(both.collect())]
            }
            _ => vec![Effect::Drop("it asks for envelopes out of turn")],
        }
    }

    /// Answers [`Effect::Give`].
    pub fn given(&mut self, mut page: Page) -> Vec<Effect> {
        match std::mem::replace(&mut self.sending, Sending::Unasked) {
            Sending::Reconciling(mut answering) if answering.giving => {
                if self.peer.revoked {
                    page = Page::default();
                }
                // Pages that follow have it too, where it was new while the two were compared.
                page.frames.iter().for_each(|frame| self.echo.has_now(frame));
                answering.count.records += page.records;
                answering.count.entries += page.entries;
                answering.outbox = page.frames.iter().map(Frame::encode).collect();
                self.give_part(answering)
            }
            other => {
                self.sending = other;
                Vec::new()
            }
        }
    }

    pub(super) fn give_part(&mut self, mut answering: Box<Answering>) -> Vec<Effect> {
        let mut effects = Vec::new();
        fill(&mut answering.outbox, &mut effects);
        let done = answering.outbox.is_empty();
        answering.giving = !done;
        effects.push(send(&Frame::Given { done }));
        self.sending = Sending::Reconciling(answering);
        effects
    }
}

fn answer(answering: &mut Answering, message: &[u8]) -> Vec<Effect> {
    let Some(engine) = answering.engine.as_mut() else { return vec![Effect::Drop("it reconciles out of turn")] };
    answering.rounds += 1;
    if answering.rounds > MAX_ROUNDS {
        return vec![Effect::Drop("it reconciles without end")];
    }
    match engine.reconcile(message) {
        Ok(reply) if reply.len() <= MAX_RECONCILE => vec![send(&Frame::Reconciled(reply))],
        _ => vec![Effect::Drop("its reconciliation does not hold")],
    }
}
