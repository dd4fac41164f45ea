//! Reading a parcel: all of it is checked before anything of it is taken in.

use std::io::{Read, Seek, SeekFrom};

use seal::wrap::open_reader;
use seal::{Hash32, Identity, OperationId, Signature};
use sha2::{Digest, Sha256};

use super::{HEAD, Head, MAGIC, MAX_PARCEL, PREFIX, ParcelError, SIGNATURE_TAG, statement};
use crate::frame::{Frame, MAX_FRAME, operation_tag};
use crate::relay::bucket;

/// A parcel that was read through and found whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Its head; see [`Head::up_to`].
    pub head: Head,
    /// Whether the device in the head signed it. Whether the roster knows that device is the caller's
    /// to ask.
    pub signed: bool,
    /// Frames in it.
    pub frames: u64,
    /// Bytes of the file.
    pub size: u64,
    /// The hash of the outside, by which a second reading knows that it reads the same file.
    outside: Hash32,
}

/// What the plain prefix says.
struct Outside {
    length: u64,
    hash: [u8; 32],
}

fn outside<R: Read + Seek>(from: &mut R) -> Result<Outside, ParcelError> {
    from.seek(SeekFrom::Start(0))?;
    let mut magic = [0; 14];
    match from.read_exact(&mut magic) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Err(ParcelError::NotAParcel),
        Err(error) => return Err(error.into()),
    }
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
    Ok(Outside { length, hash })
}

/// Hashes the rest; leaves the reader at the seal.
fn matches<R: Read + Seek>(from: &mut R, outside: &Outside) -> Result<(), ParcelError> {
    let mut found = Sha256::new();
    // One byte more than there may be, to see that there is none.
    let mut rest = from.take(outside.length.saturating_add(1));
    let mut buffer = vec![0; 64 * 1024];
    let mut counted = 0;
    loop {
        let count = match rest.read(&mut buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if count == 0 {
            break;
        }
        counted += count as u64;
        found.update(&buffer[..count]);
    }
    if counted != outside.length || found.finalize().as_slice() != outside.hash {
        return Err(ParcelError::Damaged("its bytes do not match its hash"));
    }
    from.seek(SeekFrom::Start(PREFIX))?;
    Ok(())
}

/// Checks the outer hash, in constant memory, with no key; leaves the reader at the seal. Gives back
/// the bytes of the seal.
///
/// # Errors
/// [`ParcelError::NotAParcel`], [`ParcelError::Damaged`], [`ParcelError::Io`].
pub fn check_outside<R: Read + Seek>(from: &mut R) -> Result<u64, ParcelError> {
    let outside = outside(from)?;
    matches(from, &outside)?;
    Ok(outside.length)
}

/// What a parcel's head says, for whoever can open it; its outside is checked, its frames are not, and
/// so nothing in it is proved: no signature, and [`Head::up_to`] as it stands.
///
/// # Errors
/// [`ParcelError::WrongRecipient`] where none of the identities opens it, and as [`check_outside`].
pub fn inspect<R: Read + Seek>(mut from: R, with: &[&Identity]) -> Result<Head, ParcelError> {
    check_outside(&mut from)?;
    let mut inside = Inside::new(open_reader(with, from)?);
    inside.head()
}

/// Reads a parcel through and takes nothing: hash, seal, every frame, count, end.
///
/// # Errors
/// [`ParcelError`]; damage comes before a wrong recipient, and that before a foreign operation.
pub fn check<R: Read + Seek>(from: R, with: &[&Identity], operation: &OperationId) -> Result<Checked, ParcelError> {
    pass(from, with, operation, None, |_, _| Ok(()))
}

/// Reads a parcel that [`check`] found whole, and hands each frame to `each` in order. A file that is
/// not the checked one any more is refused before its first frame.
///
/// # Errors
/// [`ParcelError`], and whatever `each` fails with.
pub fn import<R: Read + Seek>(
    from: R,
    with: &[&Identity],
    operation: &OperationId,
    checked: &Checked,
    mut each: impl FnMut(Frame) -> Result<(), ParcelError>,
) -> Result<(), ParcelError> {
    pass(from, with, operation, Some(checked.outside), |_, frame| each(frame)).map(|_| ())
}

/// Reads a parcel through: checks the outside, opens it, hands each frame to `each` in order, and
/// fails unless the end stands where it must. Call it once with a closure that does nothing to
/// check the whole parcel before anything of it is taken in; or [`check`], then [`import`]. The head
/// that `each` is shown promises nothing yet: its [`Head::up_to`] is its `after`.
///
/// # Errors
/// As [`check`], and whatever `each` fails with.
pub fn read<R: Read + Seek>(
    from: R,
    with: &[&Identity],
    operation: &OperationId,
    each: impl FnMut(&Head, Frame) -> Result<(), ParcelError>,
) -> Result<Head, ParcelError> {
    pass(from, with, operation, None, each).map(|checked| checked.head)
}

fn pass<R: Read + Seek>(
    mut from: R,
    with: &[&Identity],
    operation: &OperationId,
    expected: Option<Hash32>,
    mut each: impl FnMut(&Head, Frame) -> Result<(), ParcelError>,
) -> Result<Checked, ParcelError> {
    let outside = outside(&mut from)?;
    if expected.is_some_and(|hash| hash.0 != outside.hash) {
        return Err(ParcelError::Damaged("it is not the file that was checked"));
    }
    matches(&mut from, &outside)?;
    let mut inside = Inside::new(open_reader(with, from)?);
    let mut head = inside.head()?;
    if head.operation != operation_tag(operation) {
        return Err(ParcelError::ForeignOperation);
    }
    // What the head promises is proved only at the end.
    let shown = Head { up_to: head.after, ..head.clone() };
    let mut frames = 0u64;
    while let Some(bytes) = inside.piece(MAX_FRAME)? {
        let frame = Frame::decode(&bytes, operation)?;
        frames += 1;
        each(&shown, frame)?;
    }
    let signed = inside.end(frames, &head)?;
    if !signed {
        head.up_to = head.after;
    }
    let size = PREFIX + outside.length;
    Ok(Checked { head, signed, frames, size, outside: Hash32(outside.hash) })
}

/// What stands inside the seal.
struct Inside<R> {
    from: R,
    /// Hash of the head and the frames.
    content: Sha256,
    /// Bytes read, padding apart.
    length: u64,
}

impl<R: Read> Inside<R> {
    fn new(from: R) -> Self {
        Self { from, content: Sha256::new(), length: 0 }
    }
    fn exact(&mut self, bytes: &mut [u8]) -> Result<(), ParcelError> {
        self.from.read_exact(bytes).map_err(|_| ParcelError::Damaged("its seal does not hold"))?;
        self.length += bytes.len() as u64;
        Ok(())
    }
    /// The next piece; `None` at the end. Its length is checked before anything is allocated.
    fn piece(&mut self, max: usize) -> Result<Option<Vec<u8>>, ParcelError> {
        let mut prefix = [0; 4];
        self.exact(&mut prefix)?;
        let length = u32::from_be_bytes(prefix) as usize;
        if length == 0 {
            return Ok(None);
        }
        if length > max {
            return Err(ParcelError::Damaged("a frame is over its bound"));
        }
        let mut bytes = vec![0; length];
        self.exact(&mut bytes)?;
        self.content.update(prefix);
        self.content.update(&bytes);
        Ok(Some(bytes))
    }
    fn head(&mut self) -> Result<Head, ParcelError> {
        Head::decode(&self.piece(HEAD)?.ok_or(ParcelError::Damaged("it is empty"))?)
    }
    /// Count, hash, signature, padding, and nothing behind; whether it is signed.
    fn end(mut self, frames: u64, head: &Head) -> Result<bool, ParcelError> {
        let (mut count, mut hash, mut signed) = ([0; 8], [0; 32], [0]);
        self.exact(&mut count)?;
        self.exact(&mut hash)?;
        let content: [u8; 32] = self.content.clone().finalize().into();
        if u64::from_be_bytes(count) != frames || hash != content {
            return Err(ParcelError::Damaged("frames are missing"));
        }
        self.exact(&mut signed)?;
        match signed {
            [0] => {}
            [1] => {
                let mut signature = [0; 64];
                self.exact(&mut signature)?;
                let statement = statement(frames, &content);
                seal::sign::verify(SIGNATURE_TAG, &statement, &head.from.0, &Signature(signature))
                    .map_err(|_| ParcelError::Damaged("its writer's signature does not hold"))?;
            }
            _ => return Err(ParcelError::Damaged("its end does not hold")),
        }
        self.padding()?;
        Ok(signed == [1])
    }
    fn padding(mut self) -> Result<(), ParcelError> {
        let mut buffer = [0; 8192];
        let mut padding = 0u64;
        loop {
            let read = self.from.read(&mut buffer).map_err(|_| ParcelError::Damaged("its seal does not hold"))?;
            if read == 0 {
                break;
            }
            padding += read as u64;
            if buffer[..read].iter().any(|byte| *byte != 0) {
                return Err(ParcelError::Damaged("its padding does not hold"));
            }
        }
        let length = usize::try_from(self.length).unwrap_or(usize::MAX);
        if bucket::bucket(length) as u64 == self.length + padding {
            Ok(())
        } else {
            Err(ParcelError::Damaged("its padding does not hold"))
        }
    }
}
