//! Exhibits as age streams, addressed by the BLAKE3 hash of their ciphertext.

use std::io::{Read, Write};

use sha2::{Digest, Sha256, Sha512};

use crate::wrap::{Identity, open_reader, seal_writer};
use crate::{BlobAddress, SealError};

/// What is known of an exhibit once its original has been read through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// Bytes of the original.
    pub size: u64,
    /// SHA-256 of the original.
    pub sha256: [u8; 32],
    /// SHA-512 of the original.
    pub sha512: [u8; 64],
}

/// Hashes an original while it passes through.
#[derive(Default, Clone)]
pub struct Fingerprinting {
    size: u64,
    sha256: Sha256,
    sha512: Sha512,
}

impl Fingerprinting {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.sha256.update(bytes);
        self.sha512.update(bytes);
    }
    /// The result.
    pub fn finish(self) -> Fingerprint {
        Fingerprint { size: self.size, sha256: self.sha256.finalize().into(), sha512: self.sha512.finalize().into() }
    }
}

/// Counts and hashes ciphertext on its way out.
struct Addressing<W> {
    inner: W,
    hash: blake3::Hasher,
    size: u64,
}

impl<W: Write> Write for Addressing<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let taken = self.inner.write(bytes)?;
        self.hash.update(&bytes[..taken]);
        self.size += taken as u64;
        Ok(taken)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

/// A sealed exhibit.
pub struct SealedBlob {
    /// Where the ciphertext is found.
    pub address: BlobAddress,
    /// Bytes of the ciphertext.
    pub sealed_size: u64,
    /// Of the original.
    pub original: Fingerprint,
    /// The fresh identity that opens it; kept in the exhibit's entry.
    pub identity: Identity,
}

/// Seals a stream to a fresh identity, in constant memory.
pub fn seal_stream(mut from: impl Read, to: impl Write) -> Result<SealedBlob, SealError> {
    let identity = Identity::generate();
    let out = Addressing { inner: to, hash: blake3::Hasher::new(), size: 0 };
    let mut writer = seal_writer(&[identity.recipient()], out)?;
    let mut original = Fingerprinting::default();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = from.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        original.update(&buffer[..count]);
        writer.write_all(&buffer[..count])?;
    }
    let mut out = writer.finish()?;
    out.flush()?;
    Ok(SealedBlob {
        address: BlobAddress(*out.hash.finalize().as_bytes()),
        sealed_size: out.size,
        original: original.finish(),
        identity,
    })
}

/// Opens a sealed stream and writes the original; returns what was written, for comparison with
/// the entry. The caller must discard the output if the fingerprint differs.
pub fn open_stream(identity: &Identity, from: impl Read, mut to: impl Write) -> Result<Fingerprint, SealError> {
    let mut reader = open_reader(&[identity], from)?;
    let mut original = Fingerprinting::default();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = reader.read(&mut buffer).map_err(|_| SealError::Decrypt)?;
        if count == 0 {
            break;
        }
        original.update(&buffer[..count]);
        to.write_all(&buffer[..count])?;
    }
    to.flush()?;
    Ok(original.finish())
}

/// The address of ciphertext, read as a stream.
pub fn address_of(mut from: impl Read) -> Result<(BlobAddress, u64), SealError> {
    let mut hash = blake3::Hasher::new();
    let mut size = 0;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = from.read(&mut buffer)?;
        if count == 0 {
            return Ok((BlobAddress(*hash.finalize().as_bytes()), size));
        }
        hash.update(&buffer[..count]);
        size += count as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exhibit_comes_back_bit_for_bit() {
        let original: Vec<u8> = (0..200_000u32).map(|i| (i * 7) as u8).collect();
        let mut sealed = Vec::new();
        let blob = seal_stream(original.as_slice(), &mut sealed).unwrap();
        assert_eq!(address_of(sealed.as_slice()).unwrap(), (blob.address, sealed.len() as u64));
        let mut back = Vec::new();
        assert_eq!(open_stream(&blob.identity, sealed.as_slice(), &mut back).unwrap(), blob.original);
        assert_eq!(back, original);
        let middle = sealed.len() / 2;
        sealed[middle] ^= 1;
        assert!(open_stream(&blob.identity, sealed.as_slice(), std::io::sink()).is_err());
    }
}
