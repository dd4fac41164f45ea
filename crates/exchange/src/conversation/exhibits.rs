//! Exhibits: asked for by whoever misses them, part by part, resumable, after everything else.

use std::collections::VecDeque;

use seal::BlobAddress;

use super::{Conversation, Effect, send};
use crate::frame::Frame;

/// Which exhibits are missing here.
#[derive(Default)]
pub(super) struct Exhibits {
    wanted: VecDeque<(BlobAddress, u64)>,
    /// The one that is asked for, and from which byte on.
    asking: Option<(BlobAddress, u64)>,
    /// The store is looking up what is missing, or taking a part.
    busy: bool,
    /// Something came since: look again when the list is through.
    again: bool,
}

impl Exhibits {
    pub(super) fn is_idle(&self) -> bool {
        self.asking.is_none() && !self.busy && !self.again && self.wanted.is_empty()
    }
}

impl Conversation {
    /// New entries may name exhibits that are missing here.
    pub(super) fn look_for_exhibits(&mut self, news: bool) -> Vec<Effect> {
        self.exhibits.again |= news;
        if self.exhibits.busy || self.exhibits.asking.is_some() { Vec::new() } else { self.next_exhibit() }
    }

    /// Answers [`Effect::Wanted`]: what is missing here.
    pub fn wanted(&mut self, wanted: Vec<(BlobAddress, u64)>) -> Vec<Effect> {
        self.exhibits.busy = false;
        self.exhibits.wanted = wanted.into();
        let effects = self.next_exhibit();
        self.ending(effects)
    }

    fn next_exhibit(&mut self) -> Vec<Effect> {
        if let Some((address, from)) = self.exhibits.wanted.pop_front() {
            return self.ask_for(address, from);
        }
        self.exhibits.asking = None;
        if std::mem::take(&mut self.exhibits.again) {
            self.exhibits.busy = true;
            return vec![Effect::Wanted];
        }
        self.settle()
    }

    fn ask_for(&mut self, address: BlobAddress, from: u64) -> Vec<Effect> {
        self.exhibits.asking = Some((address, from));
        vec![send(&Frame::WantBlob { address, from })]
    }

    pub(super) fn blob_part(&mut self, part: Frame, address: BlobAddress, offset: u64, length: usize) -> Vec<Effect> {
        if self.exhibits.asking != Some((address, offset)) || self.exhibits.busy {
            return vec![Effect::Drop("it sent an exhibit that nobody asked for")];
        }
        if self.peer.revoked && !self.within_quota(length) {
            return vec![Effect::Drop("a revoked device is over its quota")];
        }
        if length == 0 {
            return self.next_exhibit();
        }
        self.exhibits.busy = true;
        vec![Effect::TakeBlob(part)]
    }

    /// Answers [`Effect::TakeBlob`]: where to go on, or that this one is finished.
    pub fn blob_taken(&mut self, next: Option<(BlobAddress, u64)>) -> Vec<Effect> {
        self.exhibits.busy = false;
        let effects = match (next, self.exhibits.asking) {
            // Only ever forward, or a part that the store does not want would be asked for without end.
            (Some((address, from)), Some((asked, at))) if address == asked && from > at => self.ask_for(address, from),
            _ => self.next_exhibit(),
        };
        self.ending(effects)
    }

    /// Answers [`Effect::GiveBlob`]: a part, or an empty one where there is nothing to give.
    pub fn blob(&mut self, address: BlobAddress, from: u64, part: Option<Frame>) -> Vec<Effect> {
        let empty = Frame::BlobPart { address, offset: from, total: from, bytes: Vec::new() };
        vec![send(&part.filter(|_| !self.peer.revoked).unwrap_or(empty))]
    }
}
