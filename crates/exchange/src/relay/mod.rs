//! The blind relay: store and forward for those who cannot reach each other.
//!
//! A client posts a sealed batch to a mailbox tag; whoever proves to hold the mailbox's weekly
//! read key gets the batches back in the order in which they became durable. The relay sees
//! bucketed sizes, times and opaque tags, and nothing else. It cannot forge; what it drops shows
//! as a gap in somebody's chain. The wire format is `schemas/spec/relay.md`.
//!
//! - [`bucket`]: padding applied to a batch's plaintext **before** it is sealed.
//! - [`mailbox`]: tags, and the proof that a reader owns one.
//! - [`wire`]: the messages, one per WebSocket binary frame.
//! - [`store`]: the contract of the relay's store, and the SQLite store.
//! - [`server`]: the relay itself.
//! - [`client`]: what a desk or a field device uses to talk to it.
//!
//! Nothing in here reads a wall clock or makes randomness: both come in as functions.

use std::sync::Arc;

pub mod bucket;
pub mod client;
pub mod limits;
pub mod mailbox;
pub mod server;
pub mod store;
pub mod wire;

/// Where the relay takes the time from: milliseconds since the Unix epoch.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Where the relay takes its per-connection challenges from: 32 unpredictable bytes per call.
pub type Random = Arc<dyn Fn() -> [u8; 32] + Send + Sync>;

/// The version of the wire format that this code speaks; the first field of `Hello` and `Welcome`.
pub const VERSION: u16 = 1;

/// The largest sealed batch in bytes: 1 MiB. It holds about 1,500 entries or one exhibit chunk,
/// goes through a 1 Mbit/s field link in ten seconds, and bounds what one frame can allocate.
pub const MAX_BATCH: usize = 1 << 20;
