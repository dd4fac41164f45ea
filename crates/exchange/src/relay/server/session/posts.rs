//! A connection's posts: taken in order, stored in groups, answered in order.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use super::super::pace::Pace;
use super::super::{Shared, kib};
use crate::relay::mailbox::MailboxTag;
use crate::relay::store::{NewItem, PostOutcome, Quota, RelayStore, StoreError};
use crate::relay::wire::{RefusalCode, RelayMessage};

/// How long to stay away when the store is in trouble: long enough for a full disk to be seen.
pub(super) const TROUBLE_WAIT_MS: u32 = 10_000;

/// How long to stay away when too much is outstanding: a few disk syncs.
const OUTSTANDING_WAIT_MS: u32 = 250;

type Storing = Pin<Box<dyn Future<Output = Result<Vec<PostOutcome>, StoreError>> + Send>>;

/// Posts of one connection that are not yet answered.
pub(super) struct Posts {
    pace: Pace,
    waiting: Vec<(u32, NewItem)>,
    /// What the waiting and the stored-now posts hold of the shared memory.
    waiting_held: Vec<OwnedSemaphorePermit>,
    storing: Option<Storing>,
    storing_requests: Vec<u32>,
    storing_held: Vec<OwnedSemaphorePermit>,
    outstanding: u64,
    storing_bytes: u64,
}

impl Posts {
    pub(super) fn new(pace: Pace) -> Self {
        Self {
            pace,
            waiting: Vec::new(),
            waiting_held: Vec::new(),
            storing: None,
            storing_requests: Vec::new(),
            storing_held: Vec::new(),
            outstanding: 0,
            storing_bytes: 0,
        }
    }

    /// Something is not answered yet.
    pub(super) fn pending(&self) -> bool {
        self.storing.is_some() || !self.waiting.is_empty()
    }

    /// Takes a post, or says why not and when to come again.
    pub(super) fn take<S>(
        &mut self,
        shared: &Shared<S>,
        request: u32,
        mailbox: MailboxTag,
        hash: [u8; 32],
        batch: Vec<u8>,
    ) -> Result<(), (RefusalCode, u32)> {
        let limits = &shared.options.limits;
        let size = u32::try_from(batch.len()).unwrap_or(u32::MAX);
        if size > limits.batch_bytes {
            return Err((RefusalCode::BatchTooLarge, 0));
        }
        let now = (shared.options.clock)();
        self.pace.take(now).map_err(|wait| (RefusalCode::PostRate, wait))?;
        let outstanding = self.outstanding.saturating_add(u64::from(size));
        if outstanding > u64::from(limits.outstanding_bytes.max(limits.batch_bytes)) {
            return Err((RefusalCode::Outstanding, OUTSTANDING_WAIT_MS));
        }
        let room = u32::try_from(kib(size)).unwrap_or(u32::MAX);
        let held = Arc::clone(&shared.held_posts)
            .try_acquire_many_owned(room)
            .map_err(|_| (RefusalCode::Outstanding, OUTSTANDING_WAIT_MS))?;
        if seal::hash::sha256(&batch) != hash {
            return Err((RefusalCode::HashMismatch, 0));
        }
        self.outstanding = outstanding;
        self.waiting_held.push(held);
        self.waiting.push((request, NewItem { mailbox, hash, batch }));
        Ok(())
    }

    /// Hands everything that waits to the store, if nothing of this connection is there already:
    /// so the order of the posts is the order of their seqs.
    pub(super) fn start<S: RelayStore>(&mut self, shared: &Arc<Shared<S>>) {
        if self.storing.is_some() || self.waiting.is_empty() {
            return;
        }
        let (requests, items): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiting).into_iter().unzip();
        self.storing_requests = requests;
        self.storing_held = std::mem::take(&mut self.waiting_held);
        self.storing_bytes = self.outstanding;
        let store = Arc::clone(&shared.store);
        let quota = Quota::from(&shared.options.limits);
        let now = (shared.options.clock)();
        self.storing = Some(Box::pin(async move { store.post(items, quota, now).await }));
    }

    /// The answers to the posts at the store, once they are durable; waits forever if none is
    /// there. Safe to cancel.
    pub(super) async fn answers(&mut self) -> Vec<RelayMessage> {
        let outcomes = match self.storing.as_mut() {
            Some(storing) => storing.await,
            None => std::future::pending().await,
        };
        self.storing = None;
        self.storing_held.clear();
        self.outstanding = self.outstanding.saturating_sub(self.storing_bytes);
        let requests = std::mem::take(&mut self.storing_requests);
        match outcomes {
            Ok(outcomes) => requests.into_iter().zip(outcomes).map(answer).collect(),
            Err(error) => {
                tracing::error!(%error, "posts were not stored");
                let code = match error {
                    StoreError::DiskFull => RefusalCode::StoreFull,
                    _ => RefusalCode::StoreTrouble,
                };
                requests.into_iter().map(|request| RelayMessage::refused(request, code, TROUBLE_WAIT_MS)).collect()
            }
        }
    }
}

fn answer((request, outcome): (u32, PostOutcome)) -> RelayMessage {
    match outcome {
        PostOutcome::Stored(seq) => RelayMessage::Posted { request, seq, duplicate: false },
        PostOutcome::Duplicate(seq) => RelayMessage::Posted { request, seq, duplicate: true },
        PostOutcome::MailboxFull => RelayMessage::refused(request, RefusalCode::MailboxFull, 0),
        PostOutcome::StoreFull => RelayMessage::refused(request, RefusalCode::StoreFull, 0),
    }
}
