//! What a client says.

use std::fmt;

use zeroize::Zeroizing;

use super::super::MAX_BATCH;
use super::super::mailbox::{Claim, MAX_RECIPIENT, MailboxTag};
use super::MAX_FRAME;
use super::codec::{Reader, WireError, Writer};

/// Longest operation tag in bytes: room for 64 random bytes in hex.
pub const MAX_OPERATION_TAG: usize = 128;

const HELLO: u8 = 0x01;
const POST: u8 = 0x02;
const READ: u8 = 0x03;
const STATUS: u8 = 0x04;
const STOP: u8 = 0x05;
const BYE: u8 = 0x06;

/// The access token of an operation at a relay. Empty means none. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct OperationTag(Zeroizing<Vec<u8>>);

impl OperationTag {
    /// No token.
    #[must_use]
    pub fn none() -> Self {
        Self(Zeroizing::new(Vec::new()))
    }

    /// A token of at most [`MAX_OPERATION_TAG`] bytes.
    ///
    /// # Errors
    /// [`WireError::TooLong`].
    pub fn new(tag: &str) -> Result<Self, WireError> {
        if tag.len() > MAX_OPERATION_TAG {
            return Err(WireError::TooLong { what: "operation tag", len: tag.len(), max: MAX_OPERATION_TAG });
        }
        Ok(Self(Zeroizing::new(tag.as_bytes().to_vec())))
    }

    /// Compares by hash, so that the time taken says nothing about the bytes.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        let hash = |tag: &Self| seal::hash::tagged("intact/relay-access/v1", &[&tag.0]);
        hash(self) == hash(other)
    }
}

impl fmt::Debug for OperationTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OperationTag")
    }
}

/// A message from client to relay.
#[derive(Clone, PartialEq, Eq)]
pub enum ClientMessage {
    /// First message of a connection, once.
    Hello {
        /// Protocol version; see [`super::super::VERSION`].
        version: u16,
        /// Access token, empty if none.
        operation_tag: OperationTag,
    },
    /// Store a batch in a mailbox.
    Post {
        /// Number chosen by the client, not zero; the answer carries it.
        request: u32,
        /// The mailbox.
        tag: MailboxTag,
        /// Plain SHA-256 of the batch: the same batch twice in a mailbox is stored once.
        hash: [u8; 32],
        /// The sealed batch, 1 byte to 1 MiB.
        batch: Vec<u8>,
    },
    /// Deliver what lies in a mailbox after a cursor.
    Read {
        /// Number chosen by the client, not zero and not that of an open read.
        request: u32,
        /// The mailbox.
        tag: MailboxTag,
        /// The proof of ownership.
        claim: Claim,
        /// Only items with a higher seq; 0 for all.
        after: u64,
        /// At most this many items; 0 exactly when the read is live.
        most: u32,
    },
    /// How many items lie in a mailbox, and up to which seq.
    Status {
        /// Number chosen by the client, not zero.
        request: u32,
        /// The mailbox.
        tag: MailboxTag,
        /// The proof of ownership.
        claim: Claim,
    },
    /// End a live read.
    Stop {
        /// The number of the read.
        request: u32,
    },
    /// The client is done; the relay closes.
    Bye,
}

impl ClientMessage {
    /// The name of the message, for logs and `Debug`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "Hello",
            Self::Post { .. } => "Post",
            Self::Read { .. } => "Read",
            Self::Status { .. } => "Status",
            Self::Stop { .. } => "Stop",
            Self::Bye => "Bye",
        }
    }

    /// The frame of this message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Hello { version, operation_tag } => {
                Writer::new(HELLO, 4 + MAX_OPERATION_TAG).u16(*version).short(&operation_tag.0).end()
            }
            Self::Post { request, tag, hash, batch } => {
                Writer::new(POST, 69 + batch.len()).u32(*request).fixed(&tag.0).fixed(hash).rest(batch)
            }
            Self::Read { request, tag, claim, after, most } => {
                let writer = Writer::new(READ, 256).u32(*request).fixed(&tag.0);
                write_claim(writer, claim).u64(*after).u32(*most).end()
            }
            Self::Status { request, tag, claim } => {
                let writer = Writer::new(STATUS, 256).u32(*request).fixed(&tag.0);
                write_claim(writer, claim).end()
            }
            Self::Stop { request } => Writer::new(STOP, 5).u32(*request).end(),
            Self::Bye => Writer::new(BYE, 1).end(),
        }
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// [`WireError`] for anything that `encode` does not make.
    pub fn decode(frame: &[u8]) -> Result<Self, WireError> {
        let (kind, mut reader) = Reader::open(frame, MAX_FRAME)?;
        let message = match kind {
            HELLO => Self::Hello {
                version: reader.u16()?,
                operation_tag: OperationTag(Zeroizing::new(reader.short("operation tag", MAX_OPERATION_TAG)?.to_vec())),
            },
            POST => Self::Post {
                request: reader.request()?,
                tag: MailboxTag(reader.fixed()?),
                hash: reader.fixed()?,
                batch: reader.batch(MAX_BATCH)?,
            },
            READ => Self::Read {
                request: reader.request()?,
                tag: MailboxTag(reader.fixed()?),
                claim: read_claim(&mut reader)?,
                after: reader.u64()?,
                most: reader.u32()?,
            },
            STATUS => Self::Status {
                request: reader.request()?,
                tag: MailboxTag(reader.fixed()?),
                claim: read_claim(&mut reader)?,
            },
            STOP => Self::Stop { request: reader.request()? },
            BYE => Self::Bye,
            other => return Err(WireError::UnknownKind(other)),
        };
        reader.end()?;
        Ok(message)
    }
}

/// Kind only: batches are bulky, tags and tokens do not belong into logs.
impl fmt::Debug for ClientMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn write_claim(writer: Writer, claim: &Claim) -> Writer {
    writer.short(claim.recipient.as_bytes()).fixed(&claim.read_key).fixed(&claim.signature)
}

fn read_claim(reader: &mut Reader<'_>) -> Result<Claim, WireError> {
    Ok(Claim {
        recipient: reader.text("recipient", MAX_RECIPIENT)?,
        read_key: reader.fixed()?,
        signature: reader.fixed()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn claims() -> impl Strategy<Value = Claim> {
        ("[a-z0-9]{0,128}", any::<[u8; 32]>(), proptest::collection::vec(any::<u8>(), 64)).prop_map(
            |(recipient, read_key, signature)| Claim { recipient, read_key, signature: signature.try_into().unwrap() },
        )
    }

    fn messages() -> impl Strategy<Value = ClientMessage> {
        let tag = any::<[u8; 32]>().prop_map(MailboxTag);
        prop_oneof![
            (any::<u16>(), "[ -~]{0,128}").prop_map(|(version, tag)| ClientMessage::Hello {
                version,
                operation_tag: OperationTag::new(&tag).unwrap()
            }),
            (1u32.., tag.clone(), any::<[u8; 32]>(), proptest::collection::vec(any::<u8>(), 1..500))
                .prop_map(|(request, tag, hash, batch)| ClientMessage::Post { request, tag, hash, batch }),
            (1u32.., tag.clone(), claims(), any::<u64>(), any::<u32>()).prop_map(
                |(request, tag, claim, after, most)| ClientMessage::Read { request, tag, claim, after, most }
            ),
            (1u32.., tag, claims()).prop_map(|(request, tag, claim)| ClientMessage::Status { request, tag, claim }),
            (1u32..).prop_map(|request| ClientMessage::Stop { request }),
            Just(ClientMessage::Bye),
        ]
    }

    proptest! {
        #[test]
        fn every_message_comes_back(message in messages()) {
            prop_assert_eq!(ClientMessage::decode(&message.encode()), Ok(message));
        }

        #[test]
        fn hostile_bytes_have_one_meaning(
            kind in 0u8..9,
            rest in proptest::collection::vec(any::<u8>(), 0..400),
        ) {
            let frame: Vec<u8> = std::iter::once(kind).chain(rest).collect();
            if let Ok(message) = ClientMessage::decode(&frame) {
                prop_assert_eq!(message.encode(), frame);
            }
        }

        #[test]
        fn a_changed_message_is_refused_or_means_what_it_says(
            message in messages(), at in any::<prop::sample::Index>(), bit in 0u8..8, cut in any::<bool>(),
        ) {
            let mut frame = message.encode();
            let at = at.index(frame.len());
            if cut { frame.truncate(at) } else { frame[at] ^= 1 << bit }
            if let Ok(read) = ClientMessage::decode(&frame) {
                prop_assert_eq!(read.encode(), frame);
            }
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_specification() {
        let operation_tag = OperationTag::new("abc").unwrap();
        let hello = ClientMessage::Hello { version: 1, operation_tag };
        assert_eq!(hello.encode(), b"\x01\x00\x01\x03abc");
        let claim = Claim { recipient: "age1".into(), read_key: [2; 32], signature: [3; 64] };
        let read = ClientMessage::Read { request: 5, tag: MailboxTag([1; 32]), claim, after: 6, most: 7 };
        let expected = [
            &[0x03, 0, 0, 0, 5][..],
            &[1; 32],
            b"\x04age1",
            &[2; 32],
            &[3; 64],
            &[0, 0, 0, 0, 0, 0, 0, 6],
            &[0, 0, 0, 7],
        ];
        assert_eq!(read.encode(), expected.concat());
    }

    #[test]
    fn the_bounds_hold() {
        let post =
            |len| ClientMessage::Post { request: 1, tag: MailboxTag([0; 32]), hash: [0; 32], batch: vec![0; len] };
        assert!(ClientMessage::decode(&post(MAX_BATCH).encode()).is_ok());
        assert!(matches!(
            ClientMessage::decode(&post(MAX_BATCH + 1).encode()),
            Err(WireError::TooLong { what: "batch", .. })
        ));
        assert_eq!(ClientMessage::decode(&post(0).encode()), Err(WireError::Truncated));
        assert_eq!(ClientMessage::decode(&[]), Err(WireError::Truncated));
        assert_eq!(ClientMessage::decode(&[0x81]), Err(WireError::UnknownKind(0x81)));
        assert_eq!(ClientMessage::decode(&[BYE, 0]), Err(WireError::Trailing));
        assert_eq!(ClientMessage::decode(&[STOP, 0, 0, 0, 0]), Err(WireError::NotAllowed("request")));
        assert!(OperationTag::new(&"x".repeat(129)).is_err());
    }
}
