//! Why the relay refuses: a short list of codes, each of which a client acts on.

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)+) => {
        /// Why the relay refused a request or ended a connection.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RefusalCode { $($(#[$doc])* $name,)+ }

        impl RefusalCode {
            /// Every code, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The number on the wire.
            #[must_use]
            pub fn number(self) -> u16 {
                match self { $(Self::$name => $number,)+ }
            }

            /// The code with this number, if this version knows it.
            #[must_use]
            pub fn from_number(number: u16) -> Option<Self> {
                match number { $($number => Some(Self::$name),)+ _ => None }
            }

            /// The reason in words, without anything about the peer.
            #[must_use]
            pub fn reason(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

codes! {
    /// The versions do not match; update the older side.
    Version = 1, "this relay speaks another protocol version";
    /// The operation tag is wrong or missing; ask the operator of the relay.
    Access = 2, "the operation tag is not accepted here";
    /// A message that cannot be read. The connection ends.
    Malformed = 3, "the message is malformed";
    /// A message at the wrong time, such as a second `Hello`. The connection ends.
    OutOfOrder = 4, "the message is out of order";
    /// The batch does not have the stated hash; send it again.
    HashMismatch = 5, "the batch does not match its hash";
    /// Foreign tag or wrong signature; the relay does not say which.
    NotYours = 6, "the mailbox is not open to these keys";
    /// The batch is above the relay's limit; cut it smaller.
    BatchTooLarge = 7, "the batch is too large";
    /// The mailbox is full; its items expire with time.
    MailboxFull = 8, "the mailbox is full";
    /// The relay's store is full; tell its operator.
    StoreFull = 9, "the relay is full";
    /// Too many posts; wait as long as stated.
    PostRate = 10, "too many posts per minute";
    /// Too much posted that is not yet durable; wait for answers.
    Outstanding = 11, "too many bytes outstanding";
    /// Too many different mailboxes on one connection; open another one.
    TooManyMailboxes = 12, "too many mailboxes on one connection";
    /// Too many reads open; stop one.
    TooManyReads = 13, "too many reads open";
    /// The request number is in use by an open read.
    RequestInUse = 14, "the request number is in use";
    /// The relay has as many connections as it allows; come back later.
    TooManyConnections = 15, "the relay has too many connections";
    /// The relay could not use its store; nothing was stored. Try again later.
    StoreTrouble = 16, "the relay cannot use its store now";
    /// The relay is shutting down; connect again.
    Closing = 17, "the relay is shutting down";
    /// Too many requests of other kinds. The connection ends.
    AskRate = 18, "too many requests per minute";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for code in RefusalCode::ALL {
            assert_eq!(RefusalCode::from_number(code.number()), Some(*code));
            assert!(code.reason().len() <= super::super::MAX_REASON);
        }
        assert_eq!(RefusalCode::from_number(0), None);
    }
}
