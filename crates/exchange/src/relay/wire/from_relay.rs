//! What the relay says.

use std::fmt;

use super::super::MAX_BATCH;
use super::MAX_FRAME;
use super::codec::{Reader, WireError, Writer};
use super::refusal::RefusalCode;

/// Longest reason in a refusal, in bytes: one sentence.
pub const MAX_REASON: usize = 200;

const WELCOME: u8 = 0x81;
const POSTED: u8 = 0x82;
const ITEM: u8 = 0x83;
const END: u8 = 0x84;
const STANDS: u8 = 0x85;
const REFUSED: u8 = 0x86;

/// The limits that a client has to keep, as the relay states them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stated {
    /// Largest batch in bytes, 1 to 1 MiB.
    pub batch_bytes: u32,
    /// Bytes posted and not yet answered.
    pub outstanding_bytes: u32,
    /// Posts per minute.
    pub posts_per_minute: u32,
    /// Different mailboxes per connection.
    pub mailboxes: u32,
    /// Reads open at once.
    pub open_reads: u32,
    /// Most items in one answer to a read that is not live.
    pub page_items: u32,
    /// Seconds that an item is kept.
    pub item_life_s: u64,
}

/// How a mailbox stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stands {
    /// The highest seq ever given in this mailbox; 0 if none.
    pub last: u64,
    /// Items that lie there and are not expired.
    pub items: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A message from relay to client.
#[derive(Clone, PartialEq, Eq)]
pub enum RelayMessage {
    /// The answer to `Hello`.
    Welcome {
        /// Protocol version.
        version: u16,
        /// Which store the seqs count in. A cursor is good for one store only.
        store: [u8; 16],
        /// Fresh for each connection; reads are signed over it.
        challenge: [u8; 32],
        /// The limits to keep.
        limits: Stated,
    },
    /// The batch is durable.
    Posted {
        /// The post's number.
        request: u32,
        /// Its seq in the mailbox.
        seq: u64,
        /// It was there already, under this seq.
        duplicate: bool,
    },
    /// One batch of a read, in ascending seq.
    Item {
        /// The read's number.
        request: u32,
        /// Its seq in the mailbox.
        seq: u64,
        /// The batch as it was posted.
        batch: Vec<u8>,
    },
    /// The answer is complete; a live read stays open and has caught up.
    End {
        /// The read's number.
        request: u32,
        /// The cursor to use as `after` next time.
        next: u64,
        /// More lies there already (never for a live read).
        more: bool,
    },
    /// The answer to `Status`.
    Stands {
        /// The number of the request.
        request: u32,
        /// How the mailbox stands.
        stands: Stands,
    },
    /// A request was refused; with number 0, the connection ends.
    Refused {
        /// The refused request, or 0.
        request: u32,
        /// Code number; a client treats an unknown one like trouble at the relay.
        code: u16,
        /// Milliseconds after which another try is sensible; 0 where waiting does not help.
        wait_ms: u32,
        /// One sentence.
        reason: String,
    },
}

impl RelayMessage {
    /// A refusal with the code's own words.
    #[must_use]
    pub fn refused(request: u32, code: RefusalCode, wait_ms: u32) -> Self {
        Self::Refused { request, code: code.number(), wait_ms, reason: code.reason().into() }
    }

    /// The name of the message, for logs and `Debug`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Welcome { .. } => "Welcome",
            Self::Posted { .. } => "Posted",
            Self::Item { .. } => "Item",
            Self::End { .. } => "End",
            Self::Stands { .. } => "Stands",
            Self::Refused { .. } => "Refused",
        }
    }

    /// The frame of this message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Welcome { version, store, challenge, limits } => Writer::new(WELCOME, 96)
                .u16(*version)
                .fixed(store)
                .fixed(challenge)
                .u32(limits.batch_bytes)
                .u32(limits.outstanding_bytes)
                .u32(limits.posts_per_minute)
                .u32(limits.mailboxes)
                .u32(limits.open_reads)
                .u32(limits.page_items)
                .u64(limits.item_life_s)
                .end(),
            Self::Posted { request, seq, duplicate } => {
                Writer::new(POSTED, 14).u32(*request).u64(*seq).bool(*duplicate).end()
            }
            Self::Item { request, seq, batch } => {
                Writer::new(ITEM, 13 + batch.len()).u32(*request).u64(*seq).rest(batch)
            }
            Self::End { request, next, more } => Writer::new(END, 14).u32(*request).u64(*next).bool(*more).end(),
            Self::Stands { request, stands } => {
                Writer::new(STANDS, 29).u32(*request).u64(stands.last).u64(stands.items).u64(stands.bytes).end()
            }
            Self::Refused { request, code, wait_ms, reason } => Writer::new(REFUSED, 12 + MAX_REASON)
                .u32(*request)
                .u16(*code)
                .u32(*wait_ms)
                .short(reason.as_bytes())
                .end(),
        }
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// [`WireError`] for anything that `encode` does not make.
    pub fn decode(frame: &[u8]) -> Result<Self, WireError> {
        let (kind, mut reader) = Reader::open(frame, MAX_FRAME)?;
        let message = match kind {
            WELCOME => Self::Welcome {
                version: reader.u16()?,
                store: reader.fixed()?,
                challenge: reader.fixed()?,
                limits: read_stated(&mut reader)?,
            },
            POSTED => {
                Self::Posted { request: reader.request()?, seq: reader.u64()?, duplicate: reader.bool("duplicate")? }
            }
            ITEM => Self::Item { request: reader.request()?, seq: reader.u64()?, batch: reader.batch(MAX_BATCH)? },
            END => Self::End { request: reader.request()?, next: reader.u64()?, more: reader.bool("more")? },
            STANDS => Self::Stands {
                request: reader.request()?,
                stands: Stands { last: reader.u64()?, items: reader.u64()?, bytes: reader.u64()? },
            },
            REFUSED => Self::Refused {
                request: reader.u32()?,
                code: reader.u16()?,
                wait_ms: reader.u32()?,
                reason: reader.text("reason", MAX_REASON)?,
            },
            other => return Err(WireError::UnknownKind(other)),
        };
        reader.end()?;
        Ok(message)
    }
}

fn read_stated(reader: &mut Reader<'_>) -> Result<Stated, WireError> {
    let stated = Stated {
        batch_bytes: reader.u32()?,
        outstanding_bytes: reader.u32()?,
        posts_per_minute: reader.u32()?,
        mailboxes: reader.u32()?,
        open_reads: reader.u32()?,
        page_items: reader.u32()?,
        item_life_s: reader.u64()?,
    };
    // A zero here would let a client wait forever; a batch above the frame limit cannot travel.
    if stated.batch_bytes == 0 || stated.batch_bytes > MAX_BATCH as u32 {
        return Err(WireError::NotAllowed("batch limit"));
    }
    if stated.outstanding_bytes < stated.batch_bytes {
        return Err(WireError::NotAllowed("outstanding limit"));
    }
    if stated.page_items == 0 {
        return Err(WireError::NotAllowed("page limit"));
    }
    Ok(stated)
}

/// Kind only: batches are bulky and challenges do not belong into logs.
impl fmt::Debug for RelayMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn messages() -> impl Strategy<Value = RelayMessage> {
        prop_oneof![
            (any::<u16>(), any::<[u8; 16]>(), any::<[u8; 32]>(), 1u32..=MAX_BATCH as u32, 1u32.., any::<u64>())
                .prop_map(|(version, store, challenge, batch_bytes, n, item_life_s)| {
                    RelayMessage::Welcome {
                        version,
                        store,
                        challenge,
                        limits: Stated {
                            batch_bytes,
                            outstanding_bytes: n.max(batch_bytes),
                            posts_per_minute: n,
                            mailboxes: n,
                            open_reads: n,
                            page_items: n,
                            item_life_s,
                        },
                    }
                }),
            (1u32.., any::<u64>(), any::<bool>()).prop_map(|(request, seq, duplicate)| RelayMessage::Posted {
                request,
                seq,
                duplicate
            }),
            (1u32.., any::<u64>(), proptest::collection::vec(any::<u8>(), 1..500))
                .prop_map(|(request, seq, batch)| RelayMessage::Item { request, seq, batch }),
            (1u32.., any::<u64>(), any::<bool>()).prop_map(|(request, next, more)| RelayMessage::End {
                request,
                next,
                more
            }),
            (1u32.., any::<u64>(), any::<u64>(), any::<u64>()).prop_map(|(request, last, items, bytes)| {
                RelayMessage::Stands { request, stands: Stands { last, items, bytes } }
            }),
            (any::<u32>(), any::<u16>(), any::<u32>(), "[ -~é]{0,100}")
                .prop_map(|(request, code, wait_ms, reason)| RelayMessage::Refused { request, code, wait_ms, reason }),
        ]
    }

    proptest! {
        #[test]
        fn every_message_comes_back(message in messages()) {
            prop_assert_eq!(RelayMessage::decode(&message.encode()), Ok(message));
        }

        #[test]
        fn hostile_bytes_have_one_meaning(
            kind in 0x80u8..0x89,
            rest in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let frame: Vec<u8> = std::iter::once(kind).chain(rest).collect();
            if let Ok(message) = RelayMessage::decode(&frame) {
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
            if let Ok(read) = RelayMessage::decode(&frame) {
                prop_assert_eq!(read.encode(), frame);
            }
        }
    }

    #[test]
    fn a_refusal_says_why() {
        let refused = RelayMessage::refused(3, RefusalCode::MailboxFull, 0);
        assert!(matches!(refused, RelayMessage::Refused { request: 3, code: 8, .. }));
        assert_eq!(RelayMessage::decode(&[0x01, 0, 1, 0]), Err(WireError::UnknownKind(1)));
    }
}
