//! A small bounded reader and writer: big-endian, fixed order, no optional forms.

/// Why bytes are not a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The frame ends inside a field.
    #[error("the message ends early")]
    Truncated,
    /// Bytes follow the last field.
    #[error("bytes follow the end of the message")]
    Trailing,
    /// The first byte names no message of this version and direction.
    #[error("unknown message kind {0:#04x}")]
    UnknownKind(u8),
    /// A length is above its bound.
    #[error("{what} of {len} bytes, at most {max} are allowed")]
    TooLong {
        /// The field.
        what: &'static str,
        /// The stated length.
        len: usize,
        /// The bound.
        max: usize,
    },
    /// A field holds a value that the specification rules out.
    #[error("{0} has a value that is not allowed")]
    NotAllowed(&'static str),
}

/// Writes fields; infallible because every field was bounded when the message was made.
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn new(kind: u8, room: usize) -> Self {
        let mut bytes = Vec::with_capacity(room);
        bytes.push(kind);
        Self(bytes)
    }

    pub(super) fn u16(mut self, value: u16) -> Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    pub(super) fn u32(mut self, value: u32) -> Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    pub(super) fn u64(mut self, value: u64) -> Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    pub(super) fn bool(mut self, value: bool) -> Self {
        self.0.push(u8::from(value));
        self
    }

    pub(super) fn fixed(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// A field of at most 255 bytes behind a one-byte length. Longer input is cut, which the
    /// peer would then refuse; the constructors keep that from happening.
    pub(super) fn short(mut self, bytes: &[u8]) -> Self {
        let len = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
        self.0.push(len);
        self.0.extend_from_slice(&bytes[..usize::from(len)]);
        self
    }

    /// The rest of the frame; it needs no length.
    pub(super) fn rest(self, bytes: &[u8]) -> Vec<u8> {
        self.fixed(bytes).0
    }

    pub(super) fn end(self) -> Vec<u8> {
        self.0
    }
}

/// Reads fields from one frame.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Starts a frame; yields its kind.
    pub(super) fn open(frame: &'a [u8], max: usize) -> Result<(u8, Self), WireError> {
        if frame.len() > max {
            return Err(WireError::TooLong { what: "frame", len: frame.len(), max });
        }
        let (kind, rest) = frame.split_first().ok_or(WireError::Truncated)?;
        Ok((*kind, Self(rest)))
    }

    pub(super) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (head, tail) = self.0.split_first_chunk::<N>().ok_or(WireError::Truncated)?;
        self.0 = tail;
        Ok(*head)
    }

    pub(super) fn u16(&mut self) -> Result<u16, WireError> {
        self.fixed().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, WireError> {
        self.fixed().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, WireError> {
        self.fixed().map(u64::from_be_bytes)
    }

    pub(super) fn bool(&mut self, what: &'static str) -> Result<bool, WireError> {
        match self.fixed::<1>()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(WireError::NotAllowed(what)),
        }
    }

    /// A request number: zero is kept for what concerns the whole connection.
    pub(super) fn request(&mut self) -> Result<u32, WireError> {
        match self.u32()? {
            0 => Err(WireError::NotAllowed("request")),
            request => Ok(request),
        }
    }

    pub(super) fn short(&mut self, what: &'static str, max: usize) -> Result<&'a [u8], WireError> {
        let [len] = self.fixed::<1>()?;
        let len = usize::from(len);
        if len > max {
            return Err(WireError::TooLong { what, len, max });
        }
        let (head, tail) = self.0.split_at_checked(len).ok_or(WireError::Truncated)?;
        self.0 = tail;
        Ok(head)
    }

    pub(super) fn text(&mut self, what: &'static str, max: usize) -> Result<String, WireError> {
        let bytes = self.short(what, max)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| WireError::NotAllowed(what))
    }

    /// Everything up to the end of the frame: a batch, never empty.
    pub(super) fn batch(&mut self, max: usize) -> Result<Vec<u8>, WireError> {
        let rest = std::mem::take(&mut self.0);
        if rest.is_empty() {
            return Err(WireError::Truncated);
        }
        if rest.len() > max {
            return Err(WireError::TooLong { what: "batch", len: rest.len(), max });
        }
        Ok(rest.to_vec())
    }

    pub(super) fn end(self) -> Result<(), WireError> {
        if self.0.is_empty() { Ok(()) } else { Err(WireError::Trailing) }
    }
}
