//! A bounded binary codec in which every value has exactly one encoding.

use crate::SealError;

/// Writes values; the counterpart of [`Reader`].
#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// An empty writer.
    pub fn new() -> Self {
        Self::default()
    }
    /// The bytes written.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
    /// Raw bytes, whose length the reader knows.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }
    /// One byte.
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.raw(&[value])
    }
    /// Two bytes, big-endian, signed.
    pub fn i16(&mut self, value: i16) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }
    /// Four bytes, big-endian.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }
    /// Eight bytes, big-endian.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }
    /// Eight bytes, big-endian, signed.
    pub fn i64(&mut self, value: i64) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }
    /// LEB128, shortest form.
    pub fn varint(&mut self, mut value: u64) -> &mut Self {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
        self
    }
    /// A varint length and the bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.varint(bytes.len() as u64).raw(bytes)
    }
}

/// Reads what [`Writer`] wrote; refuses anything longer than its bound before allocating.
pub struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// A reader over `bytes`; `what` names them in errors.
    pub fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { rest: bytes, what }
    }
    /// Bytes not yet read.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }
    /// Everything not yet read.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }
    /// Fails unless everything was read.
    pub fn end(self) -> Result<(), SealError> {
        if self.rest.is_empty() { Ok(()) } else { Err(SealError::Malformed(self.what)) }
    }
    /// The next `count` bytes.
    pub fn raw(&mut self, count: usize) -> Result<&'a [u8], SealError> {
        let (head, tail) = self.rest.split_at_checked(count).ok_or(SealError::Malformed(self.what))?;
        self.rest = tail;
        Ok(head)
    }
    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], SealError> {
        let (head, tail) = self.rest.split_first_chunk::<N>().ok_or(SealError::Malformed(self.what))?;
        self.rest = tail;
        Ok(*head)
    }
    /// One byte.
    pub fn u8(&mut self) -> Result<u8, SealError> {
        Ok(self.array::<1>()?[0])
    }
    /// Two bytes, big-endian, signed.
    pub fn i16(&mut self) -> Result<i16, SealError> {
        self.array().map(i16::from_be_bytes)
    }
    /// Four bytes, big-endian.
    pub fn u32(&mut self) -> Result<u32, SealError> {
        self.array().map(u32::from_be_bytes)
    }
    /// Eight bytes, big-endian.
    pub fn u64(&mut self) -> Result<u64, SealError> {
        self.array().map(u64::from_be_bytes)
    }
    /// Eight bytes, big-endian, signed.
    pub fn i64(&mut self) -> Result<i64, SealError> {
        self.array().map(i64::from_be_bytes)
    }
    /// LEB128; only the shortest form is taken.
    pub fn varint(&mut self) -> Result<u64, SealError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                return Err(SealError::TooLarge(self.what));
            }
            value |= part << shift;
            if byte & 0x80 == 0 {
                let shortest = byte != 0 || shift == 0;
                return if shortest { Ok(value) } else { Err(SealError::NotCanonical(self.what)) };
            }
        }
        Err(SealError::TooLarge(self.what))
    }
    /// A varint count, at most `max`.
    pub fn count(&mut self, max: usize) -> Result<usize, SealError> {
        let count = self.varint()?;
        usize::try_from(count).ok().filter(|n| *n <= max).ok_or(SealError::TooLarge(self.what))
    }
    /// A varint length, at most `max`, and that many bytes.
    pub fn bytes(&mut self, max: usize) -> Result<&'a [u8], SealError> {
        let count = self.count(max)?;
        self.raw(count)
    }
    /// UTF-8 text of at most `max` bytes.
    pub fn text(&mut self, max: usize) -> Result<&'a str, SealError> {
        let what = self.what;
        std::str::from_utf8(self.bytes(max)?).map_err(|_| SealError::Malformed(what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_varint_has_one_form(bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
            let mut reader = Reader::new(&bytes, "test");
            if let Ok(value) = reader.varint() {
                let used = bytes.len() - reader.remaining();
                let mut writer = Writer::new();
                writer.varint(value);
                prop_assert_eq!(writer.finish(), &bytes[..used]);
            }
        }
        #[test]
        fn every_value_returns(value in any::<u64>()) {
            let mut writer = Writer::new();
            writer.varint(value);
            let bytes = writer.finish();
            prop_assert_eq!(Reader::new(&bytes, "test").varint(), Ok(value));
        }
    }
}
