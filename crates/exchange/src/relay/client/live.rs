//! Following a mailbox.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::error::ClientError;
use super::routes::Route;
use super::{Inner, stop_later};
use crate::relay::mailbox::{Claim, MailboxTag};
use crate::relay::store::Item;
use crate::relay::wire::ClientMessage;

/// Live items held for a consumer that is busy: 16, at most 16 MiB. Beyond that the live read is
/// ended and the consumer catches up by pages.
const AHEAD: usize = 16;

/// A mailbox's items from a cursor on, without end. Dropping it ends the read at the relay.
pub struct Subscription {
    inner: Arc<Inner>,
    tag: MailboxTag,
    /// Good for the whole connection.
    claim: Claim,
    cursor: u64,
    paged: VecDeque<Item>,
    /// Where the pages end; differs from the cursor where items were lost at the relay.
    paged_to: u64,
    more: bool,
    live: Option<Live>,
}

struct Live {
    request: u32,
    items: mpsc::Receiver<Result<Item, ClientError>>,
}

impl Subscription {
    pub(super) fn new(inner: Arc<Inner>, tag: MailboxTag, claim: Claim, after: u64) -> Self {
        Self { inner, tag, claim, cursor: after, paged: VecDeque::new(), paged_to: after, more: true, live: None }
    }

    /// The next item; waits until there is one. Safe to cancel: an item is either returned or
    /// comes with the next call.
    ///
    /// # Errors
    /// A refusal, or the reason for which the connection ended; the subscription is then over.
    pub async fn next(&mut self) -> Result<Item, ClientError> {
        loop {
            if let Some(item) = self.paged.pop_front() {
                self.cursor = item.seq;
                return Ok(item);
            }
            if let Some(live) = &mut self.live {
                match live.items.recv().await {
                    Some(result) => {
                        let item = result?;
                        self.cursor = item.seq;
                        self.paged_to = item.seq;
                        return Ok(item);
                    }
                    // Too slow: what came after the last one lies at the relay.
                    None => {
                        self.live = None;
                        self.more = true;
                    }
                }
            } else if self.more {
                let claim = self.claim.clone();
                let page = self.inner.read(self.tag, claim, self.paged_to, u32::MAX).await?;
                (self.paged, self.paged_to, self.more) = (page.items.into(), page.next, page.more);
            } else {
                self.go_live()?;
            }
        }
    }

    /// The seq of the last item that `next` returned, or where the subscription began.
    #[must_use]
    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    /// Opens the live read. The asking runs beside, so that a cancelled `next` cannot leave a
    /// read that was never asked for; where it fails, the next page says why.
    fn go_live(&mut self) -> Result<(), ClientError> {
        let (sender, items) = mpsc::channel(AHEAD);
        let request = self.inner.request();
        let route = Route::Live { items: sender, last: self.paged_to };
        self.inner.routes.open_until_closed(request, route)?;
        self.live = Some(Live { request, items });
        let (tag, claim, after) = (self.tag, self.claim.clone(), self.paged_to);
        let inner = Arc::clone(&self.inner);
        tokio::spawn(async move {
            let read = ClientMessage::Read { request, tag, claim, after, most: 0 };
            if inner.send(&read).await.is_err() {
                inner.routes.close(request);
            }
        });
        Ok(())
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(live) = &self.live
            && self.inner.routes.close(live.request)
        {
            stop_later(&self.inner, live.request);
        }
    }
}
