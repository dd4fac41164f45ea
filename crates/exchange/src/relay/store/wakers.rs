//! Waking live readers the moment a batch is durable, without polling.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::super::mailbox::MailboxTag;

/// One connection's bell. It remembers which mailboxes rang, each once, however often.
#[derive(Default)]
pub struct Bell {
    rung: Mutex<BTreeSet<MailboxTag>>,
    notify: Notify,
}

impl Bell {
    /// A silent bell.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// Waits until at least one mailbox rang; takes them all. Safe to cancel.
    pub async fn wait(&self) -> BTreeSet<MailboxTag> {
        loop {
            let rung = std::mem::take(&mut *lock(&self.rung));
            if !rung.is_empty() {
                return rung;
            }
            // `notify_one` leaves a permit when nobody waits, so no ring is lost in between.
            self.notify.notified().await;
        }
    }

    fn ring(&self, mailbox: MailboxTag) {
        lock(&self.rung).insert(mailbox);
        self.notify.notify_one();
    }
}

/// The bells of all live readers of one relay process, by mailbox.
#[derive(Clone, Default)]
pub struct Wakers {
    bells: Arc<Mutex<HashMap<MailboxTag, Vec<Arc<Bell>>>>>,
}

impl Wakers {
    /// Rings `bell` for `mailbox` until the returned guard is dropped.
    #[must_use]
    pub fn listen(&self, mailbox: MailboxTag, bell: &Arc<Bell>) -> Listening {
        lock(&self.bells).entry(mailbox).or_default().push(Arc::clone(bell));
        Listening { wakers: self.clone(), mailbox, bell: Arc::clone(bell) }
    }

    /// Something new is durable in `mailbox`.
    pub fn ring(&self, mailbox: MailboxTag) {
        if let Some(bells) = lock(&self.bells).get(&mailbox) {
            for bell in bells {
                bell.ring(mailbox);
            }
        }
    }

    /// How many readers wait, over all mailboxes.
    #[must_use]
    pub fn waiting(&self) -> usize {
        lock(&self.bells).values().map(Vec::len).sum()
    }
}

/// While it lives, its bell rings for its mailbox.
pub struct Listening {
    wakers: Wakers,
    mailbox: MailboxTag,
    bell: Arc<Bell>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut bells = lock(&self.wakers.bells);
        if let Some(list) = bells.get_mut(&self.mailbox) {
            // One of them only: a connection may read the same mailbox twice.
            if let Some(at) = list.iter().position(|bell| Arc::ptr_eq(bell, &self.bell)) {
                list.swap_remove(at);
            }
            if list.is_empty() {
                bells.remove(&self.mailbox);
            }
        }
    }
}

/// A poisoned lock here guards plain collections that are whole after any panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_ring_before_waiting_is_not_lost_and_counts_once() {
        let (wakers, bell) = (Wakers::default(), Bell::new());
        let tag = MailboxTag([1; 32]);
        let guard = wakers.listen(tag, &bell);
        wakers.ring(tag);
        wakers.ring(tag);
        wakers.ring(MailboxTag([2; 32]));
        assert_eq!(bell.wait().await, BTreeSet::from([tag]));
        assert!(lock(&bell.rung).is_empty());
        drop(guard);
        assert_eq!(wakers.waiting(), 0);
        wakers.ring(tag);
        assert!(lock(&bell.rung).is_empty());
    }

    #[test]
    fn two_reads_of_one_mailbox_are_two() {
        let (wakers, bell) = (Wakers::default(), Bell::new());
        let first = wakers.listen(MailboxTag([1; 32]), &bell);
        let second = wakers.listen(MailboxTag([1; 32]), &bell);
        drop(first);
        assert_eq!(wakers.waiting(), 1);
        drop(second);
        assert_eq!(wakers.waiting(), 0);
    }
}
