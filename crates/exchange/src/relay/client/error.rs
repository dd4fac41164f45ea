//! What can go wrong between a client and its relay.

use tokio_tungstenite::tungstenite;

use crate::relay::wire::{RefusalCode, WireError};

/// Why a call on a relay connection failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The URL is no `ws://` or `wss://` URL.
    #[error("not the address of a relay: it must begin with ws:// or wss://")]
    Url,
    /// No connection came about: name, network, TLS or HTTP.
    #[error("the relay cannot be reached")]
    Connect(#[source] Box<tungstenite::Error>),
    /// The certificates to trust could not be read.
    #[error("the certificates to trust cannot be used: {0}")]
    Roots(String),
    /// The relay speaks another version.
    #[error("the relay speaks version {0} of the protocol")]
    Version(u16),
    /// The relay refused; see [`ClientError::code`].
    #[error("the relay refused: {reason}")]
    Refused {
        /// The code's number.
        code: u16,
        /// Milliseconds after which another try is sensible; 0 where waiting does not help.
        wait_ms: u32,
        /// The relay's sentence.
        reason: String,
    },
    /// The batch is empty or above the relay's limit. Nothing was sent.
    #[error("a batch of {len} bytes; 1 to {max} are allowed")]
    TooLarge {
        /// Bytes of the batch.
        len: usize,
        /// The relay's limit.
        max: usize,
    },
    /// The connection ended; what was not answered may or may not have been stored.
    #[error("the connection to the relay is lost: {0}")]
    Lost(String),
    /// Nothing came in time.
    #[error("the relay did not answer in time: {0}")]
    TimedOut(&'static str),
    /// The peer does not keep the protocol.
    #[error("this is not a relay: {0}")]
    Broken(&'static str),
    /// The peer's bytes are no message.
    #[error("this is not a relay: {0}")]
    Wire(#[from] WireError),
}

impl ClientError {
    /// The refusal's code, if it was a refusal of a kind this version knows.
    #[must_use]
    pub fn code(&self) -> Option<RefusalCode> {
        match self {
            Self::Refused { code, .. } => RefusalCode::from_number(*code),
            _ => None,
        }
    }
}

/// Why a connection ended, kept for whoever still asks.
#[derive(Debug, Clone)]
pub(super) enum Reason {
    Lost(String),
    Refused { code: u16, wait_ms: u32, reason: String },
    Broken(&'static str),
}

impl Reason {
    pub(super) fn lost(why: &str) -> Self {
        Self::Lost(why.to_owned())
    }
}

impl Default for Reason {
    fn default() -> Self {
        Self::lost("it was closed")
    }
}

impl From<Reason> for ClientError {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Lost(why) => Self::Lost(why),
            Reason::Refused { code, wait_ms, reason } => Self::Refused { code, wait_ms, reason },
            Reason::Broken(why) => Self::Broken(why),
        }
    }
}
