//! Why bytes were refused.

/// A refusal. It never carries content, only what kind of rule was broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The bytes do not follow their format; the word says which part.
    #[error("malformed {0}")]
    Malformed(&'static str),
    /// The bytes decode, but are not the one accepted encoding of what they mean.
    #[error("{0} is not in its one accepted encoding")]
    NotCanonical(&'static str),
    /// A length, count or size is over its bound.
    #[error("{0} is over its bound")]
    TooLarge(&'static str),
    /// A version that this software does not know.
    #[error("{0} has a version that needs newer software")]
    NewerVersion(&'static str),
    /// A strict Ed25519 check failed, or the key is weak.
    #[error("the signature does not hold")]
    BadSignature,
    /// A hash that must match does not.
    #[error("{0} does not match its commitment")]
    Mismatch(&'static str),
    /// The key at hand does not open this.
    #[error("no key at hand opens this")]
    NoKey,
    /// A cipher refused: altered bytes or a wrong key.
    #[error("decryption failed: altered bytes or a wrong key")]
    Decrypt,
    /// The passphrase does not open the box.
    #[error("the passphrase does not open this")]
    WrongPassphrase,
    /// Reading or writing a stream failed.
    #[error("stream: {0}")]
    Stream(String),
}

impl From<std::io::Error> for SealError {
    fn from(error: std::io::Error) -> Self {
        SealError::Stream(error.kind().to_string())
    }
}
