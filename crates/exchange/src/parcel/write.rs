//! Writing a parcel, frame by frame.

use std::io::{Seek, SeekFrom, Write};

use seal::wrap::{SealWriter, seal_writer};
use seal::{Recipient, SigningKey};
use sha2::{Digest, Sha256};

use super::{Head, MAGIC, PREFIX, ParcelError, SIGNATURE_TAG, statement};
use crate::frame::Frame;
use crate::relay::bucket;

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

/// Writes a parcel. Until it is finished, what stands in the file is no parcel: its first bytes are
/// zeros.
pub struct ParcelWriter<W: Write + Seek> {
    seal: SealWriter<Hashing<W>>,
    head: Head,
    frames: u64,
    /// Hash and count of what stands inside the seal.
    content: Sha256,
    length: u64,
}

impl<W: Write + Seek> ParcelWriter<W> {
    /// Starts a parcel to these recipients; the writer must stand at the beginning of an empty file.
    ///
    /// # Errors
    /// [`ParcelError`]: no recipient or too many, or writing failed.
    pub fn start(mut out: W, to: &[Recipient], head: &Head) -> Result<Self, ParcelError> {
        out.write_all(&[0; PREFIX as usize])?;
        let hashing = Hashing { inner: out, hash: Sha256::new(), length: 0 };
        let seal = seal_writer(to, hashing)?;
        let mut writer = Self { seal, head: head.clone(), frames: 0, content: Sha256::new(), length: 0 };
        writer.piece(&head.encode())?;
        Ok(writer)
    }
    fn raw(&mut self, bytes: &[u8]) -> Result<(), ParcelError> {
        self.seal.write_all(bytes)?;
        self.length += bytes.len() as u64;
        Ok(())
    }
    fn piece(&mut self, bytes: &[u8]) -> Result<(), ParcelError> {
        let length = u32::try_from(bytes.len()).map_err(|_| ParcelError::Damaged("a frame is too large"))?;
        for part in [length.to_be_bytes().as_slice(), bytes] {
            self.content.update(part);
            self.raw(part)?;
        }
        Ok(())
    }
    /// Adds a frame.
    ///
    /// # Errors
    /// [`ParcelError::Io`] and [`ParcelError::Full`].
    pub fn add(&mut self, frame: &Frame) -> Result<(), ParcelError> {
        self.frames += 1;
        self.piece(&frame.encode())
    }
    /// Ends the parcel with its writer's signature, so that its reader may note how far it reaches.
    /// `by` is the key of the device in the head; another's does not hold.
    ///
    /// # Errors
    /// [`ParcelError::Io`] and [`ParcelError::Full`].
    pub fn finish_signed(self, by: &SigningKey) -> Result<W, ParcelError> {
        debug_assert_eq!(by.device_id(), self.head.from);
        self.end(Some(by))
    }
    /// Ends the parcel without a signature: what is in it is taken, and moves no cursor.
    ///
    /// # Errors
    /// [`ParcelError::Io`] and [`ParcelError::Full`].
    pub fn finish(self) -> Result<W, ParcelError> {
        self.end(None)
    }
    /// A piece of length 0, the count of frames, the hash of the content, the signature where there is
    /// one, and zeros up to a bucketed size.
    fn end(mut self, by: Option<&SigningKey>) -> Result<W, ParcelError> {
        let content: [u8; 32] = self.content.clone().finalize().into();
        self.raw(&[0; 4])?;
        self.raw(&self.frames.to_be_bytes())?;
        self.raw(&content)?;
        match by {
            None => self.raw(&[0])?,
            Some(key) => {
                self.raw(&[1])?;
                self.raw(&key.sign(SIGNATURE_TAG, &statement(self.frames, &content)).0)?;
            }
        }
        let length = usize::try_from(self.length).unwrap_or(usize::MAX);
        let mut padding = bucket::bucket(length).saturating_sub(length);
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
