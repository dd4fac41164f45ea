//! Parcels: one file, sealed to its recipient, carried by a person.
//!
//! `"INTACTPARCEL1\n" || u64 length of the rest || SHA-256 of the rest || rest`, and the rest is an
//! age file of frames, each after its u32 length: a head, what is carried, an end. The plain hash
//! comes first, so that a damaged parcel is told from one that is addressed to somebody else; it
//! tells a courier nothing.

use std::io::{Read, Seek, SeekFrom, Write};

use seal::codec::{Reader, Writer};
use seal::wrap::{open_reader, seal_writer};
use seal::{DeviceId, Hash32, Identity, OperationId, Recipient, SealError};
use sha2::{Digest, Sha256};

use crate::frame::{Frame, FrameError, MAX_FRAME, operation_tag};
use crate::relay::bucket;

const MAGIC: &[u8; 14] = b"INTACTPARCEL1\n";
const PREFIX: u64 = 14 + 8 + 32;
/// Bytes of a parcel: what fits on a large stick, exhibits included.
const MAX_PARCEL: u64 = 256 * 1024 * 1024 * 1024;

/// Why a parcel was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParcelError {
    /// It is no parcel at all.
    #[error("this file is no parcel")]
    NotAParcel,
    /// Bytes are missing or altered.
    #[error("the parcel is damaged: {0}")]
    Damaged(&'static str),
    /// It is sealed to somebody else.
    #[error("the parcel is addressed to somebody else")]
    WrongRecipient,
    /// It belongs to another operation.
    #[error("the parcel belongs to another operation")]
    ForeignOperation,
    /// It needs newer software.
    #[error("the parcel was written by newer software")]
    Newer,
    /// Reading or writing failed.
    #[error("reading or writing the parcel failed: {0}")]
    Io(String),
    /// The disk is full.
    #[error("the disk is full")]
    Full,
}

impl From<std::io::Error> for ParcelError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full,
            std::io::ErrorKind::UnexpectedEof => Self::Damaged("it ends early"),
            kind => Self::Io(kind.to_string()),
        }
    }
}

impl From<SealError> for ParcelError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::NoKey => Self::WrongRecipient,
            SealError::Stream(what) => Self::Io(what),
            _ => Self::Damaged("its seal does not hold"),
        }
    }
}

impl From<FrameError> for ParcelError {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Newer => Self::Newer,
            _ => Self::Damaged("a frame in it does not hold"),
        }
    }
}

/// What stands first inside the seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The operation's tag.
    pub operation: Hash32,
    /// Who wrote it.
    pub from: DeviceId,
    /// The writer's store.
    pub store: Hash32,
    /// After this commit number of it.
    pub after: u64,
    /// Up to this one.
    pub up_to: u64,
    /// When, by the writer's clock, milliseconds.
    pub made_ms: i64,
}

impl Head {
    fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.u8(1).raw(&self.operation.0).raw(&self.from.0).raw(&self.store.0);
        out.u64(self.after).u64(self.up_to).i64(self.made_ms);
        out.finish()
    }
    fn decode(bytes: &[u8]) -> Result<Self, ParcelError> {
        let read = || -> Result<Self, SealError> {
            let mut from = Reader::new(bytes, "parcel head");
            if from.u8()? != 1 {
                return Err(SealError::NewerVersion("parcel"));
            }
            let head = Self {
                operation: Hash32(from.array()?),
                from: DeviceId(from.array()?),
                store: Hash32(from.array()?),
                after: from.u64()?,
                up_to: from.u64()?,
                made_ms: from.i64()?,
            };
            from.end()?;
            Ok(head)
        };
        read().map_err(|error| match error {
            SealError::NewerVersion(_) => ParcelError::Newer,
            _ => ParcelError::Damaged("its head does not hold"),
        })
    }
}

/// Hashes and counts what passes.
struct Hashing<W> {
    inner: W,
    hash: Sha256,
    length: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let taken = self.inner.write(bytes)?;
        self.hash.update(&bytes[..taken]);
        self.length += taken as u64;
        Ok(taken)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

/// Writes a parcel, frame by frame.
pub struct ParcelWriter<W: Write + Seek> {
    seal: seal::wrap::SealWriter<Hashing<W>>,
    frames: u64,
    content: u64,
}

impl<W: Write + Seek> ParcelWriter<W> {
    /// Starts a parcel to these recipients.
    pub fn start(mut out: W, to: &[Recipient], head: &Head) -> Result<Self, ParcelError> {
        out.write_all(&[0; PREFIX as usize])?;
        let hashing = Hashing { inner: out, hash: Sha256::new(), length: 0 };
        let mut writer = Self { seal: seal_writer(to, hashing)?, frames: 0, content: 0 };
        writer.piece(&head.encode())?;
        Ok(writer)
    }
    fn piece(&mut self, bytes: &[u8]) -> Result<(), ParcelError> {
        let length = u32::try_from(bytes.len()).map_err(|_| ParcelError::Damaged("a frame is too large"))?;
        self.seal.write_all(&length.to_be_bytes())?;
        self.seal.write_all(bytes)?;
        self.content += 4 + bytes.len() as u64;
        Ok(())
    }
    /// Adds a frame.
    pub fn add(&mut self, frame: &Frame) -> Result<(), ParcelError> {
        self.frames += 1;
        self.piece(&frame.encode())
    }
    /// Ends the parcel: a piece of length 0, the count of frames, and zeros up to a bucketed size.
    pub fn finish(mut self) -> Result<W, ParcelError> {
        self.piece(&[])?;
        self.seal.write_all(&self.frames.to_be_bytes())?;
        self.content += 8;
        let content = usize::try_from(self.content).unwrap_or(usize::MAX);
        let mut padding = bucket::bucket(content).saturating_sub(content);
        let zeros = [0; 8192];
        while padding > 0 {
            let part = padding.min(zeros.len());
            self.seal.write_all(&zeros[..part])?;
            padding -= part;
        }
        let Hashing { mut inner, hash, length } = self.seal.finish()?;
        inner.seek(SeekFrom::Start(0))?;
        inner.write_all(MAGIC)?;
        inner.write_all(&length.to_be_bytes())?;
        inner.write_all(&hash.finalize())?;
        inner.flush()?;
        Ok(inner)
    }
}

/// Checks the outer hash, in constant memory; leaves the reader at the seal.
pub fn check_outside<R: Read + Seek>(from: &mut R) -> Result<u64, ParcelError> {
    from.seek(SeekFrom::Start(0))?;
    let mut magic = [0; 14];
    from.read_exact(&mut magic).map_err(|_| ParcelError::NotAParcel)?;
    if magic != *MAGIC {
        return Err(ParcelError::NotAParcel);
    }
    let (mut length, mut hash) = ([0; 8], [0; 32]);
    from.read_exact(&mut length)?;
    from.read_exact(&mut hash)?;
    let length = u64::from_be_bytes(length);
    if length > MAX_PARCEL {
        return Err(ParcelError::Damaged("it states an impossible size"));
    }
    let mut found = Sha256::new();
    let mut rest = from.take(length + 1);
    let mut buffer = vec![0; 64 * 1024];
    let mut counted = 0;
    loop {
        let count = rest.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        counted += count as u64;
        found.update(&buffer[..count]);
    }
    if counted != length || found.finalize().as_slice() != hash {
        return Err(ParcelError::Damaged("its bytes do not match its hash"));
    }
    from.seek(SeekFrom::Start(PREFIX))?;
    Ok(length)
}

/// Reads a parcel through: checks the outside, opens it, hands each frame to `each` in order, and
/// fails unless the end stands where it must. Call it once with a closure that does nothing to
/// check the whole parcel before anything of it is taken in.
pub fn read<R: Read + Seek>(
    mut from: R,
    with: &[&Identity],
    operation: &OperationId,
    mut each: impl FnMut(&Head, Frame) -> Result<(), ParcelError>,
) -> Result<Head, ParcelError> {
    check_outside(&mut from)?;
    let mut inside = open_reader(with, from)?;
    let head = Head::decode(&piece(&mut inside)?.ok_or(ParcelError::Damaged("it is empty"))?)?;
    if head.operation != operation_tag(operation) {
        return Err(ParcelError::ForeignOperation);
    }
    let mut frames = 0u64;
    while let Some(bytes) = piece(&mut inside)? {
        let frame = Frame::decode(&bytes, operation)?;
        frames += 1;
        each(&head, frame)?;
    }
    let mut count = [0; 8];
    inside.read_exact(&mut count).map_err(|_| ParcelError::Damaged("its end is missing"))?;
    if u64::from_be_bytes(count) != frames {
        return Err(ParcelError::Damaged("frames are missing"));
    }
    let mut padding = [0; 8192];
    loop {
        let read = inside.read(&mut padding).map_err(|_| ParcelError::Damaged("its seal does not hold"))?;
        if read == 0 {
            return Ok(head);
        }
        if padding[..read].iter().any(|byte| *byte != 0) {
            return Err(ParcelError::Damaged("its padding does not hold"));
        }
    }
}

/// The next piece; `None` at the end.
fn piece(from: &mut impl Read) -> Result<Option<Vec<u8>>, ParcelError> {
    let mut length = [0; 4];
    from.read_exact(&mut length).map_err(|_| ParcelError::Damaged("its seal does not hold"))?;
    let length = u32::from_be_bytes(length) as usize;
    if length == 0 {
        return Ok(None);
    }
    if length > MAX_FRAME {
        return Err(ParcelError::Damaged("a frame is over its bound"));
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).map_err(|_| ParcelError::Damaged("its seal does not hold"))?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    const OPERATION: OperationId = OperationId([7; 32]);

    fn parcel(to: &Identity) -> Vec<u8> {
        let head = Head {
            operation: operation_tag(&OPERATION),
            from: DeviceId([1; 32]),
            store: Hash32([2; 32]),
            after: 0,
            up_to: 9,
            made_ms: 5,
        };
        let mut writer = ParcelWriter::start(Cursor::new(Vec::new()), &[to.recipient()], &head).unwrap();
        writer.add(&Frame::Enough).unwrap();
        writer.add(&Frame::Page { next: 4, done: true }).unwrap();
        writer.finish().unwrap().into_inner()
    }

    fn take(bytes: &[u8], with: &Identity, operation: &OperationId) -> Result<usize, ParcelError> {
        let mut count = 0;
        read(Cursor::new(bytes), &[with], operation, |_, _| {
            count += 1;
            Ok(())
        })
        .map(|_| count)
    }

    #[test]
    fn only_the_recipient_of_this_operation_reads_it() {
        let (mine, other) = (Identity::generate(), Identity::generate());
        let bytes = parcel(&mine);
        assert_eq!(take(&bytes, &mine, &OPERATION), Ok(2));
        assert_eq!(take(&bytes, &other, &OPERATION), Err(ParcelError::WrongRecipient));
        assert_eq!(take(&bytes, &mine, &OperationId([8; 32])), Err(ParcelError::ForeignOperation));
    }

    #[test]
    fn every_flip_and_every_cut_is_damage() {
        let mine = Identity::generate();
        let bytes = parcel(&mine);
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            let refused = take(&bad, &mine, &OPERATION);
            assert!(matches!(refused, Err(ParcelError::Damaged(_) | ParcelError::NotAParcel)), "flip at {at}");
        }
        for length in 0..bytes.len() {
            assert!(take(&bytes[..length], &mine, &OPERATION).is_err(), "cut at {length}");
        }
        let longer = [bytes.as_slice(), b"x"].concat();
        assert!(take(&longer, &mine, &OPERATION).is_err());
    }
}
