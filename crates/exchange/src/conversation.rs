//! A conversation of two peers as a pure state machine: frames and answers in, effects out. It knows
//! no clock, no socket and no store; it can be cut at any byte, and what was acknowledged is kept,
//! because a cursor moves only after the receiver's store says durable.
//!
//! Order: hello both ways; roster, wraps, links and envelopes after the cursor, page by page, each
//! page acknowledged before the next; then exhibits, asked for by whoever misses them; then bye.

use std::collections::VecDeque;

use seal::{BlobAddress, Hash32};

use crate::frame::{Ack, Frame, Hello};
use crate::store::{Peer, Taken};

/// Frames of one page: a page is about a thousand envelopes in batches, the roster and wraps.
const MAX_PAGE_FRAMES: usize = 20_000;
/// Bytes of one page that wait to be taken in: what bounds memory per peer.
const MAX_PAGE_BYTES: usize = 16 * 1024 * 1024;

/// What the driver must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Send a frame.
    Send(Frame),
    /// Look up how far the peer's store was taken in, and the own heads; answer with `known`.
    LookUp(Hash32),
    /// Take a page in; answer with `taken`.
    Take(Vec<Frame>, u64),
    /// Load the page after this commit number; answer with `page`.
    Load(u64),
    /// Remember a signed acknowledgement of our store.
    Acked(Ack),
    /// Look up which exhibits are missing; answer with `wanted`.
    Wanted,
    /// Take a part of an exhibit; answer with `blob_taken`.
    TakeBlob(Frame),
    /// Give a part of an exhibit; answer with `blob`.
    GiveBlob(BlobAddress, u64),
    /// The conversation is over, well.
    Done,
    /// The peer broke a rule: tell it and close.
    Drop(&'static str),
}

/// Numbers of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// What came in.
    pub received: Taken,
    /// Records that went out, about.
    pub sent_records: u64,
    /// Entries that went out and were acknowledged.
    pub sent_entries: u64,
}

/// Where our sending stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sending {
    /// Nothing was asked yet.
    Unasked,
    /// A page is being loaded.
    Loading,
    /// A page was sent up to this commit number and awaits its acknowledgement.
    Sent { next: u64, done: bool, entries: u64 },
    /// All was sent and acknowledged up to this commit number.
    Finished(u64),
}

/// One side of a conversation.
pub struct Conversation {
    peer: Peer,
    operation: Hash32,
    store: Hash32,
    theirs: Option<Hash32>,
    sending: Sending,
    /// Frames of the page that is arriving.
    page: Vec<Frame>,
    page_bytes: usize,
    taking: bool,
    received_all: bool,
    wanted: VecDeque<(BlobAddress, u64)>,
    asking: Option<BlobAddress>,
    we_have_enough: bool,
    they_have_enough: bool,
    asked_wanted: bool,
    said_bye: bool,
    stay: bool,
    changed: bool,
    summary: Summary,
}

impl Conversation {
    /// Starts; `peer` is who the transport has authenticated. With `stay`, the conversation goes on
    /// after everything was exchanged, and passes on what is new.
    pub fn start(peer: Peer, hello: Hello, stay: bool) -> (Self, Vec<Effect>) {
        let conversation = Self {
            peer,
            operation: hello.operation,
            store: hello.store,
            theirs: None,
            sending: Sending::Unasked,
            page: Vec::new(),
            page_bytes: 0,
            taking: false,
            received_all: false,
            wanted: VecDeque::new(),
            asking: None,
            we_have_enough: false,
            they_have_enough: false,
            asked_wanted: false,
            said_bye: false,
            stay,
            changed: false,
            summary: Summary::default(),
        };
        (conversation, vec![Effect::Send(Frame::Hello(hello))])
    }

    /// The numbers so far.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The peer's store; ours before it said hello.
    pub fn theirs(&self) -> Hash32 {
        self.theirs.unwrap_or(self.store)
    }

    /// Who is at the other end.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// A frame came; `size` is its encoded length.
    pub fn frame(&mut self, frame: Frame, size: usize) -> Vec<Effect> {
        match frame {
            Frame::Hello(hello) => self.hello(hello),
            _ if self.theirs.is_none() => vec![Effect::Drop("the first frame is not a hello")],
            Frame::Since { after, .. } => match self.sending {
                Sending::Unasked | Sending::Finished(_) => {
                    self.sending = Sending::Loading;
                    vec![Effect::Load(after)]
                }
                _ => vec![Effect::Drop("it asked again before it was answered")],
            },
            Frame::Roster(_) | Frame::Batch(_) | Frame::Wrap(..) => self.collect(frame, size),
            Frame::Page { next, done } => {
                if self.taking {
                    return vec![Effect::Drop("it sent a page before the last was acknowledged")];
                }
                self.taking = true;
                self.received_all = done;
                self.page_bytes = 0;
                vec![Effect::Take(std::mem::take(&mut self.page), next)]
            }
            Frame::Ack(ack) => self.acknowledged(ack),
            Frame::WantBlob { address, from } => vec![Effect::GiveBlob(address, from)],
            Frame::BlobPart { ref address, .. } => {
                if self.asking.as_ref() != Some(address) {
                    return vec![Effect::Drop("it sent an exhibit that nobody asked for")];
                }
                vec![Effect::TakeBlob(frame)]
            }
            Frame::Enough => {
                self.they_have_enough = true;
                self.maybe_bye()
            }
            Frame::Bye(_) => vec![Effect::Done],
        }
    }

    fn hello(&mut self, hello: Hello) -> Vec<Effect> {
        if self.theirs.is_some() {
            return vec![Effect::Drop("a second hello")];
        }
        if hello.operation != self.operation {
            return vec![Effect::Drop("it belongs to another operation")];
        }
        if hello.device != self.peer.device {
            return vec![Effect::Drop("it is not the device that its key is certified for")];
        }
        self.theirs = Some(hello.store);
        vec![Effect::LookUp(hello.store)]
    }

    fn collect(&mut self, frame: Frame, size: usize) -> Vec<Effect> {
        self.page_bytes += size;
        if self.taking || self.page.len() >= MAX_PAGE_FRAMES || self.page_bytes > MAX_PAGE_BYTES {
            return vec![Effect::Drop("a page is over its bound")];
        }
        self.page.push(frame);
        Vec::new()
    }

    /// Answers [`Effect::LookUp`].
    pub fn known(&mut self, after: u64, heads: Vec<(seal::DeviceId, u64, seal::EnvelopeId)>) -> Vec<Effect> {
        vec![Effect::Send(Frame::Since { after, heads })]
    }

    /// Answers [`Effect::Load`].
    pub fn page(&mut self, page: crate::store::Page) -> Vec<Effect> {
        self.sending = Sending::Sent { next: page.next, done: page.done, entries: page.entries };
        self.summary.sent_records += page.records;
        let mut effects: Vec<Effect> = page.frames.into_iter().map(Effect::Send).collect();
        effects.push(Effect::Send(Frame::Page { next: page.next, done: page.done }));
        effects
    }

    /// Answers [`Effect::Take`]: durable now; `ack` is signed.
    pub fn taken(&mut self, taken: Taken, ack: Ack) -> Vec<Effect> {
        self.taking = false;
        self.summary.received.add(taken);
        let mut effects = vec![Effect::Send(Frame::Ack(ack))];
        if self.received_all && !self.asked_wanted {
            self.asked_wanted = true;
            effects.push(Effect::Wanted);
        } else if self.received_all && self.stay && self.asking.is_none() {
            effects.push(Effect::Wanted);
        }
        effects
    }

    fn acknowledged(&mut self, ack: Ack) -> Vec<Effect> {
        let Sending::Sent { next, done, entries } = self.sending else {
            return vec![Effect::Drop("it acknowledged what was not sent")];
        };
        if ack.by != self.peer.device || ack.store != self.store || ack.up_to != next || !ack.holds() {
            return vec![Effect::Drop("its acknowledgement does not hold")];
        }
        self.summary.sent_entries += entries;
        let mut effects = vec![Effect::Acked(ack)];
        if done && !self.changed {
            self.sending = Sending::Finished(next);
            effects.extend(self.maybe_bye());
        } else {
            self.changed = false;
            self.sending = Sending::Loading;
            effects.push(Effect::Load(next));
        }
        effects
    }

    /// Something new was committed here: passed on while the conversation lasts.
    pub fn changed(&mut self) -> Vec<Effect> {
        match self.sending {
            Sending::Finished(next) => {
                self.sending = Sending::Loading;
                vec![Effect::Load(next)]
            }
            Sending::Unasked => Vec::new(),
            _ => {
                self.changed = true;
                Vec::new()
            }
        }
    }

    /// Answers [`Effect::Wanted`]: what is missing here.
    pub fn wanted(&mut self, wanted: Vec<(BlobAddress, u64)>) -> Vec<Effect> {
        self.wanted = wanted.into();
        self.next_blob()
    }

    fn next_blob(&mut self) -> Vec<Effect> {
        if let Some((address, from)) = self.wanted.pop_front() {
            self.asking = Some(address);
            return vec![Effect::Send(Frame::WantBlob { address, from })];
        }
        self.asking = None;
        if self.we_have_enough {
            return self.maybe_bye();
        }
        self.we_have_enough = true;
        let mut effects = vec![Effect::Send(Frame::Enough)];
        effects.extend(self.maybe_bye());
        effects
    }

    /// Answers [`Effect::TakeBlob`]: where to go on, or that this one is finished.
    pub fn blob_taken(&mut self, next: Option<(BlobAddress, u64)>) -> Vec<Effect> {
        match next {
            Some((address, from)) => vec![Effect::Send(Frame::WantBlob { address, from })],
            None => self.next_blob(),
        }
    }

    /// Answers [`Effect::GiveBlob`]: a part, or an empty one where there is nothing to give.
    pub fn blob(&mut self, address: BlobAddress, from: u64, part: Option<Frame>) -> Vec<Effect> {
        let empty = Frame::BlobPart { address, offset: from, total: from, bytes: Vec::new() };
        vec![Effect::Send(part.unwrap_or(empty))]
    }

    fn maybe_bye(&mut self) -> Vec<Effect> {
        let finished = matches!(self.sending, Sending::Finished(_)) && self.we_have_enough && self.they_have_enough;
        if !finished || self.stay || self.said_bye {
            return Vec::new();
        }
        self.said_bye = true;
        vec![Effect::Send(Frame::Bye(String::new())), Effect::Done]
    }

    /// Whether everything that was there at the start has gone both ways.
    pub fn settled(&self) -> bool {
        matches!(self.sending, Sending::Finished(_)) && self.we_have_enough && self.they_have_enough
    }
}
