//! What this side takes in: pages, durable before they are acknowledged; then the check that nothing
//! is missing of what the peer said it holds.

use seal::DeviceId;

use super::reconcile::Asking;
use super::{Conversation, Effect, MAX_PAGE_BYTES, MAX_PAGE_FRAMES, send};
use crate::frame::{Ack, Frame, Head, MAX_HEADS};
use crate::store::Taken;

/// Entries held from which a new peer is reconciled with, instead of taking everything it has: below,
/// the rounds cost more than what they save.
const RECONCILE_FROM: u64 = 500;

/// Where our taking stands.
enum Stage {
    /// The peer has not said hello.
    Waiting,
    /// Pages after the cursor come.
    Pages,
    /// Roster and wraps come, then ids are reconciled.
    Sparse,
    /// Ids are reconciled; then everything up to this commit number is here.
    Reconciling { up_to: u64 },
    /// Everything that was there is here; further pages are news.
    Complete,
}

/// What ended the frames that are being taken in.
#[derive(Clone, Copy)]
enum Mark {
    Page { next: u64, done: bool, sparse: bool },
    Given { done: bool },
}

/// The taking side of a conversation.
pub(super) struct Receiving {
    stage: Stage,
    /// Frames of the page that is arriving.
    page: Vec<Frame>,
    bytes: usize,
    /// What the store is taking in, or making sure of.
    taking: Option<Mark>,
    pub(super) asking: Option<Box<Asking>>,
    /// A reconciliation was begun: there is no second.
    doubted: bool,
    /// Whether the last page brought something.
    news: bool,
}

impl Receiving {
    pub(super) fn new() -> Self {
        Self {
            stage: Stage::Waiting,
            page: Vec::new(),
            bytes: 0,
            taking: None,
            asking: None,
            doubted: false,
            news: false,
        }
    }
    pub(super) fn is_complete(&self) -> bool {
        matches!(self.stage, Stage::Complete) && self.taking.is_none()
    }
    pub(super) fn is_reconciling(&self) -> bool {
        matches!(self.stage, Stage::Reconciling { .. })
    }
}

impl Conversation {
    /// The heads that the peer may know: a desk counts every chain, a field device its own.
    pub fn for_peer(&self, heads: &[Head]) -> Vec<Head> {
        let peer = &self.peer;
        let may = |head: &&Head| !peer.revoked && (peer.desk || head.0 == peer.device);
        heads.iter().filter(may).take(MAX_HEADS).copied().collect()
    }

    /// Answers [`Effect::LookUp`].
    pub fn known(&mut self, after: u64, mut heads: Vec<Head>) -> Vec<Effect> {
        heads.sort_unstable();
        let held = heads.iter().fold(0u64, |sum, head| sum.saturating_add(head.1));
        let sparse = after == 0 && held >= RECONCILE_FROM && self.can_reconcile();
        self.receiving.stage = if sparse { Stage::Sparse } else { Stage::Pages };
        self.receiving.doubted = sparse;
        vec![send(&Frame::Since { after, sparse, heads: self.for_peer(&heads) })]
    }

    pub(super) fn collect(&mut self, frame: Frame, size: usize) -> Vec<Effect> {
        let receiving = &mut self.receiving;
        receiving.bytes += size;
        let asked = !matches!(receiving.stage, Stage::Waiting) && receiving.taking.is_none();
        if !asked || receiving.page.len() >= MAX_PAGE_FRAMES || receiving.bytes > MAX_PAGE_BYTES {
            return vec![Effect::Drop("a page is over its bound")];
        }
        if self.peer.revoked && !self.within_quota(size) {
            return vec![Effect::Drop("a revoked device is over its quota")];
        }
        self.echo.has_now(&frame);
        self.receiving.page.push(frame);
        Vec::new()
    }

    pub(super) fn within_quota(&mut self, size: usize) -> bool {
        match self.quota.checked_sub(size) {
            Some(left) => {
                self.quota = left;
                true
            }
            None => false,
        }
    }

    pub(super) fn page_ended(&mut self, next: u64, done: bool, sparse: bool) -> Vec<Effect> {
        let asked = match self.receiving.stage {
            Stage::Waiting | Stage::Reconciling { .. } => false,
            // News may have been on their way when a doubt arose.
            Stage::Sparse => true,
            Stage::Pages | Stage::Complete => !sparse,
        };
        if !asked {
            return vec![Effect::Drop("it sent a page that nobody asked for")];
        }
        self.take(Mark::Page { next, done, sparse })
    }

    pub(super) fn given_ended(&mut self, done: bool) -> Vec<Effect> {
        if !self.receiving.is_reconciling()
            || !self.receiving.asking.as_ref().is_some_and(|asking| asking.waits_for_given())
        {
            return vec![Effect::Drop("it gave what nobody asked for")];
        }
        self.take(Mark::Given { done })
    }

    fn take(&mut self, mark: Mark) -> Vec<Effect> {
        let receiving = &mut self.receiving;
        if receiving.taking.is_some() {
            return vec![Effect::Drop("it sent a page before the last was acknowledged")];
        }
        receiving.taking = Some(mark);
        receiving.bytes = 0;
        vec![Effect::Take(std::mem::take(&mut receiving.page))]
    }

    /// Answers [`Effect::Take`]: what came is durable now.
    pub fn taken(&mut self, taken: Taken) -> Vec<Effect> {
        self.receiving.news = taken.entries > 0;
        // What the store made of it, such as "received", is due to go out before the end.
        self.changed |= taken.entries > 0;
        self.summary.received.add(taken);
        match (self.receiving.taking, &self.receiving.stage) {
            (Some(Mark::Page { next, done, sparse: true }), _) => self.sparse_taken(next, done),
            (Some(Mark::Page { next, done, .. }), Stage::Pages) => self.cover(next, done),
            (Some(Mark::Page { next, .. }), _) => self.cover(next, false),
            (Some(Mark::Given { done }), _) => {
                self.receiving.taking = None;
                self.given_taken(done)
            }
            _ => Vec::new(),
        }
    }

    fn sparse_taken(&mut self, next: u64, done: bool) -> Vec<Effect> {
        self.receiving.taking = None;
        self.pages_taken += 1;
        if !done {
            return vec![send(&Frame::More)];
        }
        self.receiving.stage = Stage::Reconciling { up_to: next };
        vec![Effect::Hold]
    }

    fn cover(&mut self, up_to: u64, heads: bool) -> Vec<Effect> {
        match self.theirs {
            Some(store) => vec![Effect::Cover { store, up_to, heads }],
            None => Vec::new(),
        }
    }

    /// Nothing is missing any more by the reconciliation.
    pub(super) fn all_given(&mut self) -> Vec<Effect> {
        self.receiving.asking = None;
        self.summary.reconciled = true;
        match self.receiving.stage {
            Stage::Reconciling { up_to } => self.cover(up_to, true),
            _ => Vec::new(),
        }
    }

    /// Answers [`Effect::Cover`]: the cursor is durable, `ack` is signed; `heads` are the own ones now.
    pub fn covered(&mut self, ack: Ack, heads: &[Head]) -> Vec<Effect> {
        let mark = self.receiving.taking.take();
        let mut effects = vec![send(&Frame::Ack(ack))];
        match (&self.receiving.stage, mark) {
            (Stage::Pages, Some(Mark::Page { done, .. })) => {
                self.pages_taken += 1;
                if done {
                    effects.extend(self.verify(heads));
                }
            }
            (Stage::Sparse, _) => self.pages_taken += 1,
            (Stage::Complete, _) => {
                self.pages_taken += 1;
                effects.extend(self.look_for_exhibits(self.receiving.news));
            }
            (Stage::Reconciling { .. }, _) => effects.extend(self.verify(heads)),
            _ => {}
        }
        self.ending(effects)
    }

    /// Compares what is here with what the peer said it holds: the completeness proof.
    fn verify(&mut self, own: &[Head]) -> Vec<Effect> {
        let behind = self.their_heads.iter().filter(|head| self.is_behind(head, own)).count() as u64;
        if behind > 0 && !self.receiving.doubted && self.can_reconcile() {
            self.receiving.doubted = true;
            self.receiving.stage = Stage::Sparse;
            return vec![send(&Frame::Since { after: 0, sparse: true, heads: Vec::new() })];
        }
        self.summary.behind = behind;
        self.receiving.stage = Stage::Complete;
        self.look_for_exhibits(true)
    }

    /// Whether the chain ends earlier here, or goes on as another branch. A field device holds whole
    /// chains of nobody but itself.
    fn is_behind(&self, theirs: &Head, own: &[Head]) -> bool {
        let counts = |device: &DeviceId| self.me.desk || *device == self.me.device;
        if !counts(&theirs.0) {
            return false;
        }
        match own.iter().find(|head| head.0 == theirs.0) {
            None => true,
            Some(head) => head.1 < theirs.1 || (head.1 == theirs.1 && head.2 != theirs.2),
        }
    }
}
