//! A conversation of two peers as a pure state machine: frames and answers in, effects out. It knows
//! no clock, no socket and no store; it can be cut at any byte, and what was acknowledged is kept,
//! because a cursor moves and an acknowledgement is signed only after the store says durable.
//!
//! Order: hello both ways; heads and the cursor; roster, wraps, links and envelopes after it, page by
//! page, each acknowledged before the next; then, at a new peer or in doubt, a reconciliation by id;
//! then exhibits, asked for by whoever misses them; then bye. Each direction goes its own way, and a
//! conversation that stays passes on what is new.

mod echo;
mod exhibits;
mod receiving;
mod reconcile;
mod sending;

use std::collections::VecDeque;

use seal::{BlobAddress, EnvelopeId, Hash32, OperationId};

use crate::frame::{Ack, Frame, FrameError, Head, Hello, MAX_REASON, operation_tag, store_name};
use crate::store::{Page, Peer, Taken};
use echo::Echo;
use exhibits::Exhibits;
use receiving::Receiving;
use sending::Sending;

/// Bytes after which a page is ended: some 1,800 entries, one commit at the receiver.
pub(crate) const PAGE_BYTES: usize = 1024 * 1024;
/// Frames after which a page is ended: wraps are small, and each is one.
pub(crate) const PAGE_FRAMES: usize = 4096;
/// Bytes of one page that wait to be taken in: a page and the frame that ends it, twice over. With
/// [`MAX_PAGE_FRAMES`] it bounds the memory that a peer can claim.
const MAX_PAGE_BYTES: usize = 4 * PAGE_BYTES;
/// Frames of one page that wait.
const MAX_PAGE_FRAMES: usize = 2 * PAGE_FRAMES;
/// Bytes taken from a revoked device in one conversation: 100,000 entries, so that its honest unsent
/// ones come through, and a flood from a stolen device does not fill the disk.
const REVOKED_QUOTA: usize = 64 * 1024 * 1024;
/// Ticks (see [`Conversation::tick`]) of silence after which a peer is dropped: at ten seconds each
/// two minutes, a slow disk's worth of work or a full frame at 100 kbit/s.
const SILENT_TICKS: u32 = 12;

/// What the driver must do. Answers come back through the method that each names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Send an encoded frame.
    Send(Vec<u8>),
    /// Look up how far the named store was taken in, and the own heads; answer with `known`.
    LookUp(Hash32),
    /// Load the page after this commit number; without envelopes if `sparse`. Answer with `page`.
    Load {
        /// The commit number.
        after: u64,
        /// Roster and wraps only.
        sparse: bool,
    },
    /// Take frames in; answer with `taken` once they are durable.
    Take(Vec<Frame>),
    /// Everything of the named store up to `up_to` is durable: remember that, sign it, look up the
    /// own heads if `heads`; answer with `covered`.
    Cover {
        /// The store, by name.
        store: Hash32,
        /// The commit number.
        up_to: u64,
        /// Whether heads are stated and checked: at the end of what was there.
        heads: bool,
    },
    /// Remember a signed acknowledgement of our store.
    Acked(Ack),
    /// List what is held for this peer; answer with `held`.
    Hold,
    /// Give envelopes by id; answer with `given`.
    Give(Vec<EnvelopeId>),
    /// Look up which exhibits are missing; answer with `wanted`.
    Wanted,
    /// Take a part of an exhibit; answer with `blob_taken`.
    TakeBlob(Frame),
    /// Give a part of an exhibit; answer with `blob`.
    GiveBlob(BlobAddress, u64),
    /// The conversation is over, well.
    Done,
    /// The peer ended it early, and says why.
    Ended(String),
    /// The peer broke a rule: tell it and close.
    Drop(&'static str),
}

/// Numbers of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// What came in.
    pub received: Taken,
    /// Records that went out and were acknowledged, about.
    pub sent_records: u64,
    /// Entries that went out and were acknowledged.
    pub sent_entries: u64,
    /// Chains of which the peer stated more than it gave: gaps that another peer may fill.
    pub behind: u64,
    /// Whether envelopes were reconciled by id.
    pub reconciled: bool,
}

/// Who this side is in a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// The operation.
    pub operation: OperationId,
    /// This device.
    pub device: seal::DeviceId,
    /// Its store, as it calls itself.
    pub store: Hash32,
    /// Whether it works at a desk, and so counts every chain.
    pub desk: bool,
    /// Whether its store can reconcile by ids.
    pub reconciles: bool,
    /// Whether the conversation goes on after everything was exchanged, and passes on what is new.
    pub stay: bool,
}

/// One side of a conversation.
pub struct Conversation {
    me: Me,
    peer: Peer,
    /// The peer's store by name, once it said hello.
    theirs: Option<Hash32>,
    they_reconcile: bool,
    /// What the peer said that it holds; what a complete exchange must reach.
    their_heads: Vec<Head>,
    sending: Sending,
    receiving: Receiving,
    exhibits: Exhibits,
    echo: Echo,
    /// The peer is in doubt; it is served once what is under way is done, and once only.
    sparse_asked: bool,
    sparse_served: bool,
    /// Pages sent and pages taken: what an [`Frame::Enough`] counts.
    pages_sent: u64,
    pages_taken: u64,
    /// The count in the last Enough of either side.
    enough_said: Option<u64>,
    enough_heard: Option<u64>,
    /// Something was committed here since our last page was loaded.
    changed: bool,
    quota: usize,
    silent: u32,
    was_over: bool,
    finished: bool,
    summary: Summary,
}

impl Conversation {
    /// Starts; `peer` is who the transport has authenticated.
    pub fn start(me: Me, peer: Peer) -> (Self, Vec<Effect>) {
        let hello = Frame::Hello(Hello {
            operation: operation_tag(&me.operation),
            device: me.device,
            store: me.store,
            reconciles: me.reconciles && !peer.revoked,
        });
        let conversation = Self {
            me,
            peer,
            theirs: None,
            they_reconcile: false,
            their_heads: Vec::new(),
            sending: Sending::Unasked,
            receiving: Receiving::new(),
            exhibits: Exhibits::default(),
            echo: Echo::default(),
            sparse_asked: false,
            sparse_served: false,
            pages_sent: 0,
            pages_taken: 0,
            enough_said: None,
            enough_heard: None,
            changed: false,
            quota: REVOKED_QUOTA,
            silent: 0,
            was_over: false,
            finished: false,
            summary: Summary::default(),
        };
        (conversation, vec![send(&hello)])
    }

    /// The numbers so far.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Who is at the other end.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The roster says something new about the peer: that it is revoked, or no desk any more.
    pub fn peer_is(&mut self, peer: Peer) {
        self.peer = peer;
    }

    /// An encoded frame came.
    pub fn frame(&mut self, bytes: &[u8]) -> Vec<Effect> {
        self.silent = 0;
        if self.finished {
            return Vec::new();
        }
        let effects = match Frame::decode(bytes, &self.me.operation) {
            Ok(Frame::Hello(hello)) => self.hello(&hello),
            Ok(Frame::Bye(reason)) => self.bye(&reason),
            Ok(_) if self.theirs.is_none() => vec![Effect::Drop("its first frame is not a hello")],
            Ok(frame) => self.dispatch(frame, bytes.len()),
            Err(error) => vec![Effect::Drop(broken(error))],
        };
        self.ending(effects)
    }

    fn dispatch(&mut self, frame: Frame, size: usize) -> Vec<Effect> {
        match frame {
            Frame::Since { after, sparse, heads } => self.since(after, sparse, heads),
            Frame::Roster(_) | Frame::Batch(_) | Frame::Wrap(..) => self.collect(frame, size),
            Frame::Page { next, done, sparse } => self.page_ended(next, done, sparse),
            Frame::Given { done } => self.given_ended(done),
            Frame::Ack(ack) => self.acknowledged(ack),
            Frame::More => self.more(),
            Frame::Reconcile(message) => self.reconcile(message),
            Frame::Reconciled(message) => self.reconciled(&message),
            Frame::WantIds(ids) => self.want_ids(&ids),
            Frame::WantBlob { address, from } => vec![Effect::GiveBlob(address, from)],
            Frame::BlobPart { address, offset, ref bytes, .. } => {
                let length = bytes.len();
                self.blob_part(frame, address, offset, length)
            }
            Frame::Enough(pages) => {
                if pages > self.pages_sent {
                    return vec![Effect::Drop("it counts pages that were not sent")];
                }
                self.enough_heard = Some(pages);
                self.settle()
            }
            Frame::Hello(_) | Frame::Bye(_) => Vec::new(),
        }
    }

    fn hello(&mut self, hello: &Hello) -> Vec<Effect> {
        if self.theirs.is_some() {
            return vec![Effect::Drop("a second hello")];
        }
        if hello.operation != operation_tag(&self.me.operation) {
            return vec![Effect::Drop("it belongs to another operation")];
        }
        if hello.device != self.peer.device {
            return vec![Effect::Drop("it is not the device that its key is certified for")];
        }
        let name = store_name(&hello.device, &hello.store);
        self.theirs = Some(name);
        self.they_reconcile = hello.reconciles;
        vec![Effect::LookUp(name)]
    }

    fn bye(&mut self, reason: &str) -> Vec<Effect> {
        // Where both had everything once, news that crosses a farewell goes with the next conversation.
        if reason.is_empty() && self.enough_heard.is_some() && self.enough_said.is_some() {
            return vec![Effect::Done];
        }
        // It goes to a log and a screen: one line, nothing that a terminal obeys.
        let said: String = reason.chars().filter(|c| !c.is_control()).take(MAX_REASON).collect();
        vec![Effect::Ended(if said.is_empty() { "it left before everything was exchanged".into() } else { said })]
    }

    /// Something new was committed here: passed on while the conversation lasts.
    pub fn changed(&mut self) -> Vec<Effect> {
        self.changed = true;
        let effects = self.settle();
        self.ending(effects)
    }

    /// Ten seconds passed in which no frame came.
    pub fn tick(&mut self) -> Vec<Effect> {
        if self.finished || (self.me.stay && self.is_over()) {
            self.silent = 0;
            return Vec::new();
        }
        self.silent += 1;
        let effects = if self.silent < SILENT_TICKS { Vec::new() } else { vec![Effect::Drop("it fell silent")] };
        self.ending(effects)
    }

    /// This side leaves: at once, whatever is under way.
    pub fn leave(&mut self) -> Vec<Effect> {
        self.finished = true;
        vec![send(&Frame::Bye(String::new())), Effect::Done]
    }

    /// Whether everything that was there has gone both ways, at least once.
    pub fn settled(&self) -> bool {
        self.was_over
    }

    /// Nothing is under way on this side.
    fn is_idle(&self) -> bool {
        matches!(self.sending, Sending::Finished(_)) && self.receiving.is_complete() && self.exhibits.is_idle()
    }

    /// Both sides have everything of each other.
    fn is_over(&self) -> bool {
        self.is_idle() && self.enough_said == Some(self.pages_taken) && self.enough_heard == Some(self.pages_sent)
    }

    /// Goes on with whatever is due when nothing else is under way: what is new here, the word that
    /// nothing more is asked, the end.
    fn settle(&mut self) -> Vec<Effect> {
        if self.finished {
            return Vec::new();
        }
        if let Sending::Finished(after) = self.sending {
            if std::mem::take(&mut self.sparse_asked) {
                return self.load_sparse();
            }
            if self.changed {
                return self.load(after, false);
            }
        }
        if !self.is_idle() {
            return Vec::new();
        }
        let mut effects = Vec::new();
        if self.enough_said != Some(self.pages_taken) {
            self.enough_said = Some(self.pages_taken);
            effects.push(send(&Frame::Enough(self.pages_taken)));
        }
        if self.is_over() {
            self.was_over = true;
            if !self.me.stay {
                effects.push(send(&Frame::Bye(String::new())));
                effects.push(Effect::Done);
            }
        }
        effects
    }

    /// Nothing is sent or asked after an end.
    fn ending(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let over = |effect: &Effect| matches!(effect, Effect::Done | Effect::Ended(_) | Effect::Drop(_));
        self.finished |= effects.iter().any(over);
        effects
    }

    /// Whether the two may reconcile by ids.
    fn can_reconcile(&self) -> bool {
        self.me.reconciles && self.they_reconcile && !self.peer.revoked
    }
}

fn send(frame: &Frame) -> Effect {
    Effect::Send(frame.encode())
}

fn broken(error: FrameError) -> &'static str {
    match error {
        FrameError::Malformed => "a malformed frame",
        FrameError::TooLarge => "a frame over its bound",
        FrameError::NotCanonical => "a frame not in its one encoding",
        FrameError::Newer => "it speaks a newer version",
    }
}

/// What a page brings along to be counted once it is acknowledged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    records: u64,
    entries: u64,
}

impl Count {
    fn of(page: &Page) -> Self {
        Self { records: page.records, entries: page.entries }
    }
}

/// Encoded frames that wait for their turn.
type Outbox = VecDeque<Vec<u8>>;
