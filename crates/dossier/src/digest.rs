//! Hashing a file of any size once, for every algorithm that its manifests use.

use std::io::{self, Read, Write};

use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

/// Large enough that the calls cost nothing beside the hashing; small enough to stay in the cache.
const CHUNK: usize = 64 * 1024;

/// A hash that a BagIt manifest may use.
///
/// A dossier has SHA-256 and SHA-512. The others are read in bags of other makers; MD5 there says no more
/// than that a copy was faithful.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// 16 bytes; broken, read only.
    Md5,
    /// 28 bytes.
    Sha224,
    /// 32 bytes.
    Sha256,
    /// 48 bytes.
    Sha384,
    /// 64 bytes.
    Sha512,
}

impl Algorithm {
    /// By the name in a manifest's file name.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "md5" => Self::Md5,
            "sha224" => Self::Sha224,
            "sha256" => Self::Sha256,
            "sha384" => Self::Sha384,
            "sha512" => Self::Sha512,
            _ => return None,
        })
    }

    /// The name in a manifest's file name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// The length of a hash, in bytes.
    pub fn bytes(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

enum Hash {
    Md5(md5::Md5),
    Sha224(Sha224),
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Hash {
    fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Md5 => Self::Md5(md5::Md5::new()),
            Algorithm::Sha224 => Self::Sha224(Sha224::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            Algorithm::Sha384 => Self::Sha384(Sha384::new()),
            Algorithm::Sha512 => Self::Sha512(Sha512::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(hash) => hash.update(bytes),
            Self::Sha224(hash) => hash.update(bytes),
            Self::Sha256(hash) => hash.update(bytes),
            Self::Sha384(hash) => hash.update(bytes),
            Self::Sha512(hash) => hash.update(bytes),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Md5(hash) => hash.finalize().to_vec(),
            Self::Sha224(hash) => hash.finalize().to_vec(),
            Self::Sha256(hash) => hash.finalize().to_vec(),
            Self::Sha384(hash) => hash.finalize().to_vec(),
            Self::Sha512(hash) => hash.finalize().to_vec(),
        }
    }
}

/// The size of a file and its hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    /// In bytes.
    pub size: u64,
    hashes: Vec<(Algorithm, Vec<u8>)>,
}

impl Digests {
    /// The hash by `algorithm`, if it was asked for.
    pub fn get(&self, algorithm: Algorithm) -> Option<&[u8]> {
        self.hashes.iter().find(|(a, _)| *a == algorithm).map(|(_, hash)| hash.as_slice())
    }

    /// The SHA-256, if it was asked for.
    pub fn sha256(&self) -> Option<[u8; 32]> {
        self.get(Algorithm::Sha256)?.try_into().ok()
    }

    /// The SHA-512, if it was asked for.
    pub fn sha512(&self) -> Option<[u8; 64]> {
        self.get(Algorithm::Sha512)?.try_into().ok()
    }
}

/// Copies `from` into `to` and hashes it on the way, in one pass and constant memory.
pub fn copy(
    from: &mut impl Read,
    to: &mut impl Write,
    algorithms: impl IntoIterator<Item = Algorithm>,
) -> io::Result<Digests> {
    let mut hashes: Vec<_> = algorithms.into_iter().map(|a| (a, Hash::new(a))).collect();
    let mut buffer = vec![0; CHUNK];
    let mut size = 0u64;
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        size += read as u64;
        for (_, hash) in &mut hashes {
            hash.update(&buffer[..read]);
        }
        to.write_all(&buffer[..read])?;
    }
    let hashes = hashes.into_iter().map(|(a, hash)| (a, hash.finish())).collect();
    Ok(Digests { size, hashes })
}

/// SHA-256 and SHA-512 of bytes in memory.
pub fn both(bytes: &[u8]) -> ([u8; 32], [u8; 64]) {
    (Sha256::digest(bytes).into(), Sha512::digest(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pass_gives_what_each_alone_gives() {
        let bytes = vec![0x5a; CHUNK * 2 + 17];
        let mut copied = Vec::new();
        let all = [Algorithm::Md5, Algorithm::Sha224, Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512];
        let digests = copy(&mut bytes.as_slice(), &mut copied, all).expect("memory");
        assert_eq!(copied, bytes);
        assert_eq!(digests.size, bytes.len() as u64);
        let (sha256, sha512) = both(&bytes);
        assert_eq!(digests.sha256(), Some(sha256));
        assert_eq!(digests.sha512(), Some(sha512));
        for algorithm in all {
            assert_eq!(digests.get(algorithm).map(<[u8]>::len), Some(algorithm.bytes()));
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
        }
    }
}
