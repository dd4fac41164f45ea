//! Every number that bounds what a peer can cost the relay, with its reason.

use std::time::Duration;

use super::MAX_BATCH;

/// The relay's quotas. [`Limits::default`] suits one national operation on a small server.
///
/// Worst-case memory from hostile peers that hold the operation tag is about
/// `connections` × (`batch_bytes` + 24 KiB of buffers) for frames in transit, plus
/// `held_post_bytes` and `held_page_bytes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Largest batch in bytes; at most, and by default, 1 MiB ([`MAX_BATCH`]).
    pub batch_bytes: u32,
    /// Bytes waiting in one mailbox: 2 GiB. A week of an agency's desks with their exhibits.
    pub mailbox_bytes: u64,
    /// Batches waiting in one mailbox: 200,000. A thousand devices posting every minute for
    /// three hours, or every hour for a week.
    pub mailbox_items: u64,
    /// Bytes in the whole store: 64 GiB, so that a flood fills the quota and not the disk.
    pub store_bytes: u64,
    /// How long a batch is kept: 60 days, the promise of the exchange design.
    pub item_life: Duration,
    /// Connections at once: 6,000; the load target is 5,000 devices.
    pub connections: usize,
    /// Posts per minute from one connection: 1,200. An exhibit of 1 MiB chunks at 20 MB/s.
    pub posts_per_minute: u32,
    /// Everything else a client may ask per minute (reads, states, stops, pings): 1,200.
    pub asks_per_minute: u32,
    /// Bytes one connection may have posted that are not yet durable: 4 MiB, four full batches,
    /// enough to hide the round trip of a slow disk.
    pub outstanding_bytes: u32,
    /// The same over all connections: 256 MiB.
    pub held_post_bytes: u32,
    /// Bytes of pages being sent, over all connections: 128 MiB.
    pub held_page_bytes: u32,
    /// Different mailboxes that one connection may read: 64. Nine weeks are alive at a time
    /// (60 days), for an agency, a unit and the device itself, twice over.
    pub mailboxes_per_connection: u32,
    /// Reads open at once on one connection: 64, one live read per mailbox.
    pub open_reads: u32,
    /// Most batches in one answer: 512.
    pub page_items: u32,
    /// Most bytes in one answer: 1 MiB, or one batch.
    pub page_bytes: u32,
    /// Failed proofs of ownership before the connection is closed: 8. A client with a wrong
    /// clock may present a wrong week; nobody honest does it nine times.
    pub failed_proofs: u32,
    /// From accepting a connection to its `Hello`: 15 s. Two satellite round trips and TLS.
    pub hello_wait: Duration,
    /// Silence after which a peer is gone: 100 s, three missed pings.
    pub silence: Duration,
    /// A peer that takes no byte for this long is dropped: 30 s.
    pub stall: Duration,
    /// How often the relay pings: 30 s, below the idle limits of common proxies (60 s).
    pub ping_every: Duration,
    /// How often expired batches are swept out: 10 min. Expired ones are never delivered,
    /// swept or not.
    pub sweep_every: Duration,
    /// How long a shutdown waits for posts on their way to the disk: 10 s.
    pub closing_wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch_bytes: MAX_BATCH as u32,
            mailbox_bytes: 2 << 30,
            mailbox_items: 200_000,
            store_bytes: 64 << 30,
            item_life: Duration::from_secs(60 * 24 * 3600),
            connections: 6_000,
            posts_per_minute: 1_200,
            asks_per_minute: 1_200,
            outstanding_bytes: 4 << 20,
            held_post_bytes: 256 << 20,
            held_page_bytes: 128 << 20,
            mailboxes_per_connection: 64,
            open_reads: 64,
            page_items: 512,
            page_bytes: 1 << 20,
            failed_proofs: 8,
            hello_wait: Duration::from_secs(15),
            silence: Duration::from_secs(100),
            stall: Duration::from_secs(30),
            ping_every: Duration::from_secs(30),
            sweep_every: Duration::from_secs(600),
            closing_wait: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// The life of a batch in milliseconds.
    #[must_use]
    pub fn item_life_ms(&self) -> u64 {
        u64::try_from(self.item_life.as_millis()).unwrap_or(u64::MAX)
    }
}
