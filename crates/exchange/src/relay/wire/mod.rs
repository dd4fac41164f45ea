//! The messages between a client and the relay: one message per WebSocket binary frame.
//!
//! Canonical: every message has exactly one encoding, every length is checked before anything is
//! allocated, nothing may follow the last field. `schemas/spec/relay.md` is the specification.

mod codec;
mod from_client;
mod from_relay;
mod refusal;

pub use codec::WireError;
pub use from_client::{ClientMessage, MAX_OPERATION_TAG, OperationTag};
pub use from_relay::{MAX_REASON, RelayMessage, Stands, Stated};
pub use refusal::RefusalCode;

use super::MAX_BATCH;

/// Room for the fields beside the batch in the largest message (`Post`: 73 bytes).
pub const FRAME_OVERHEAD: usize = 128;

/// The largest frame either side accepts, in bytes.
pub const MAX_FRAME: usize = MAX_BATCH + FRAME_OVERHEAD;
