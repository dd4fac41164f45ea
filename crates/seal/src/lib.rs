//! Bytes only: keys, envelopes, signatures, record keys, sealed streams.
//!
//! This crate knows no domain noun, no file and no clock. What it offers is stated to the byte in
//! `schemas/spec/envelope.md`; each hash and each signature has its own tag, and every encoding has
//! exactly one accepted form.

pub mod blob;
pub mod change;
pub mod codec;
pub mod commit;
pub mod envelope;
pub mod error;
pub mod hash;
pub mod header;
pub mod id;
pub mod link;
pub mod passphrase;
pub mod record_key;
pub mod sign;
pub mod wrap;

pub use envelope::{Envelope, Opened, Parts};
pub use error::SealError;
pub use header::{Checkpoint, ClockConfidence, Header};
pub use id::*;
pub use link::Link;
pub use passphrase::{KdfCost, Passphrase, SealedBox};
pub use record_key::RecordKey;
pub use sign::{Signature, SigningKey};
pub use wrap::{Identity, Recipient, Wrap};
