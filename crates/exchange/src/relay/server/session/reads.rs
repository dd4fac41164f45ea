//! A connection's open reads, and whose turn it is.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::relay::limits::Limits;
use crate::relay::mailbox::MailboxTag;
use crate::relay::store::{Bell, Listening, PageLimit, Wakers};
use crate::relay::wire::{RefusalCode, RelayMessage};

struct OpenRead {
    tag: MailboxTag,
    after: u64,
    /// Items still to be delivered; for a live read there is no such number.
    left: Option<u32>,
    /// A live read has had its `End`.
    caught_up: bool,
    /// It stands in the queue.
    queued: bool,
    /// For a live read: rings this connection's bell as long as the read is open.
    _listening: Option<Listening>,
}

/// A page to be read and sent.
pub(super) struct Turn {
    pub(super) request: u32,
    pub(super) tag: MailboxTag,
    pub(super) after: u64,
    pub(super) limit: PageLimit,
}

/// The open reads of one connection.
pub(super) struct Reads {
    open: BTreeMap<u32, OpenRead>,
    queue: VecDeque<u32>,
    /// Every mailbox this connection has read, for the limit on them.
    mailboxes: BTreeSet<MailboxTag>,
    bell: Arc<Bell>,
}

impl Reads {
    pub(super) fn new() -> Self {
        Self { open: BTreeMap::new(), queue: VecDeque::new(), mailboxes: BTreeSet::new(), bell: Bell::new() }
    }

    pub(super) fn bell(&self) -> Arc<Bell> {
        Arc::clone(&self.bell)
    }

    /// Opens a read whose claim was checked.
    pub(super) fn open(
        &mut self,
        limits: &Limits,
        wakers: &Wakers,
        request: u32,
        tag: MailboxTag,
        after: u64,
        most: u32,
    ) -> Result<(), RefusalCode> {
        if self.open.contains_key(&request) {
            return Err(RefusalCode::RequestInUse);
        }
        if self.open.len() >= limits.open_reads as usize {
            return Err(RefusalCode::TooManyReads);
        }
        let another = !self.mailboxes.contains(&tag);
        if another && self.mailboxes.len() >= limits.mailboxes_per_connection as usize {
            return Err(RefusalCode::TooManyMailboxes);
        }
        self.mailboxes.insert(tag);
        let live = most == 0;
        let read = OpenRead {
            tag,
            after,
            left: (!live).then(|| most.min(limits.page_items)),
            caught_up: false,
            queued: true,
            // Before the first look into the store, or what comes in between would be missed.
            _listening: live.then(|| wakers.listen(tag, &self.bell)),
        };
        self.open.insert(request, read);
        self.queue.push_back(request);
        Ok(())
    }

    /// Ends a read; one that is not open was ended a moment ago.
    pub(super) fn stop(&mut self, request: u32) {
        self.open.remove(&request);
        self.queue.retain(|queued| *queued != request);
    }

    /// Some read has something to look for.
    pub(super) fn ready(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Something new lies in these mailboxes.
    pub(super) fn rung(&mut self, rung: &BTreeSet<MailboxTag>) {
        for (request, read) in &mut self.open {
            if read.left.is_none() && !read.queued && rung.contains(&read.tag) {
                read.queued = true;
                self.queue.push_back(*request);
            }
        }
    }

    /// The read whose turn it is.
    pub(super) fn turn(&mut self, limits: &Limits) -> Option<Turn> {
        let request = self.queue.pop_front()?;
        let read = self.open.get_mut(&request)?;
        read.queued = false;
        let items = read.left.unwrap_or(limits.page_items);
        let limit = PageLimit { items, bytes: limits.page_bytes };
        Some(Turn { request, tag: read.tag, after: read.after, limit })
    }

    /// A page is about to go out; what is to be sent after its items.
    pub(super) fn delivered(&mut self, request: u32, next: u64, more: bool) -> Option<RelayMessage> {
        let read = self.open.get_mut(&request)?;
        read.after = next;
        let live = read.left.is_none();
        if live && more {
            read.queued = true;
            self.queue.push_back(request);
            return None;
        }
        let first = !std::mem::replace(&mut read.caught_up, true);
        if !live {
            self.open.remove(&request);
        }
        first.then_some(RelayMessage::End { request, next, more })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: MailboxTag = MailboxTag([1; 32]);

    fn limits() -> Limits {
        Limits { open_reads: 2, mailboxes_per_connection: 2, page_items: 10, ..Limits::default() }
    }

    #[test]
    fn a_page_ends_a_plain_read_and_a_live_read_goes_on() {
        let (limits, wakers, mut reads) = (limits(), Wakers::default(), Reads::new());
        assert_eq!(reads.open(&limits, &wakers, 1, TAG, 0, 99), Ok(()));
        assert_eq!(reads.open(&limits, &wakers, 2, TAG, 5, 0), Ok(()));
        assert_eq!(reads.turn(&limits).map(|t| (t.request, t.limit.items)), Some((1, 10)));
        assert_eq!(reads.delivered(1, 10, true), Some(RelayMessage::End { request: 1, next: 10, more: true }));
        assert_eq!(reads.turn(&limits).map(|t| (t.request, t.after)), Some((2, 5)));
        assert_eq!(reads.delivered(2, 8, true), None);
        assert_eq!(reads.turn(&limits).map(|t| (t.request, t.after)), Some((2, 8)));
        assert_eq!(reads.delivered(2, 9, false), Some(RelayMessage::End { request: 2, next: 9, more: false }));
        assert!(!reads.ready());
        reads.rung(&BTreeSet::from([TAG]));
        reads.rung(&BTreeSet::from([TAG]));
        assert_eq!(reads.turn(&limits).map(|t| (t.request, t.after)), Some((2, 9)));
        assert_eq!(reads.delivered(2, 10, false), None);
        assert!(!reads.ready());
        assert_eq!(wakers.waiting(), 1);
        reads.stop(2);
        assert_eq!(wakers.waiting(), 0);
    }

    #[test]
    fn the_limits_of_a_connection_hold() {
        let (limits, wakers, mut reads) = (limits(), Wakers::default(), Reads::new());
        let open = |reads: &mut Reads, request, tag| reads.open(&limits, &wakers, request, MailboxTag([tag; 32]), 0, 1);
        assert_eq!(open(&mut reads, 1, 1), Ok(()));
        assert_eq!(open(&mut reads, 1, 1), Err(RefusalCode::RequestInUse));
        assert_eq!(open(&mut reads, 2, 2), Ok(()));
        assert_eq!(open(&mut reads, 3, 1), Err(RefusalCode::TooManyReads));
        reads.stop(1);
        assert_eq!(open(&mut reads, 3, 3), Err(RefusalCode::TooManyMailboxes));
        assert_eq!(open(&mut reads, 3, 1), Ok(()));
    }
}
