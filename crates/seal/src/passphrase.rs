//! A box that a passphrase opens: Argon2id, then XChaCha20-Poly1305.

use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::SealError;
use crate::codec::{Reader, Writer};
use crate::record_key::{xchacha_open, xchacha_seal};

const MAGIC: &[u8; 8] = b"INTACTPB";
/// Bytes inside a box: keys and small secrets only.
const MAX_SECRET: usize = 64 * 1024;
/// The most memory that a box may ask for, KiB: 1 GiB, so that a hostile box cannot exhaust the machine.
const MAX_MEMORY_KIB: u32 = 1024 * 1024;
const MAX_PASSES: u32 = 64;

/// A passphrase. No `Debug`; wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Passphrase(String);

impl Passphrase {
    /// Takes a text; a trailing line end, as a file has it, is not part of it.
    pub fn new(mut text: String) -> Self {
        while text.ends_with(['\n', '\r']) {
            text.pop();
        }
        Self(text)
    }
    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Characters, for judging strength.
    pub fn len(&self) -> usize {
        self.0.chars().count()
    }
}

/// What deriving a key costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KdfCost {
    /// Memory, KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl KdfCost {
    /// For real vaults: 128 MiB, about a second of one core (measured: see docs/performance.md).
    pub const STANDARD: Self = Self { memory_kib: 128 * 1024, passes: 8 };
    /// For drills and tests that open hundreds of vaults; never for a live operation.
    pub const DRILL: Self = Self { memory_kib: 1024, passes: 1 };
}

/// Secret bytes sealed under a passphrase.
pub struct SealedBox;

impl SealedBox {
    /// Seals: `magic || memory u32 || passes u32 || salt[16] || nonce[24] || varint length || sealed`,
    /// with everything before the sealed bytes as associated data. `random` is 40 fresh random bytes.
    pub fn seal(
        secret: &[u8],
        passphrase: &Passphrase,
        cost: KdfCost,
        random: &[u8; 40],
    ) -> Result<Vec<u8>, SealError> {
        let (salt, nonce) = random.split_at(16);
        let nonce: [u8; 24] = nonce.try_into().expect("24 of 40 bytes");
        let key = derive(passphrase, salt, cost)?;
        let mut head = Writer::new();
        head.raw(MAGIC).u32(cost.memory_kib).u32(cost.passes).raw(random);
        let head = head.finish();
        let sealed = xchacha_seal(&key, &nonce, &head, secret)?;
        let mut out = Writer::new();
        out.raw(&head).bytes(&sealed);
        Ok(out.finish())
    }

    /// Opens.
    pub fn open(bytes: &[u8], passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let mut from = Reader::new(bytes, "passphrase box");
        if from.array::<8>()? != *MAGIC {
            return Err(SealError::Malformed("passphrase box"));
        }
        let cost = KdfCost { memory_kib: from.u32()?, passes: from.u32()? };
        if cost.memory_kib > MAX_MEMORY_KIB || cost.passes > MAX_PASSES {
            return Err(SealError::TooLarge("passphrase box cost"));
        }
        let salt: [u8; 16] = from.array()?;
        let nonce: [u8; 24] = from.array()?;
        let head = &bytes[..bytes.len() - from.remaining()];
        let sealed = from.bytes(MAX_SECRET)?;
        from.end()?;
        let key = derive(passphrase, &salt, cost)?;
        xchacha_open(&key, &nonce, head, sealed).map(Zeroizing::new).map_err(|_| SealError::WrongPassphrase)
    }
}

fn derive(passphrase: &Passphrase, salt: &[u8], cost: KdfCost) -> Result<Zeroizing<[u8; 32]>, SealError> {
    let params = Params::new(cost.memory_kib, cost.passes, 1, Some(32))
        .map_err(|_| SealError::Malformed("passphrase box cost"))?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.0.as_bytes(), salt, key.as_mut_slice())
        .map_err(|_| SealError::Malformed("passphrase box cost"))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_passphrase_opens_and_every_flip_is_seen() {
        let right = Passphrase::new("correct horse\n".into());
        let sealed = SealedBox::seal(b"secret", &right, KdfCost { memory_kib: 8, passes: 1 }, &[3; 40]).unwrap();
        assert_eq!(SealedBox::open(&sealed, &Passphrase::new("correct horse".into())).unwrap().as_slice(), b"secret");
        assert!(SealedBox::open(&sealed, &Passphrase::new("wrong".into())).is_err());
        for at in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[at] ^= 1;
            // A flip in the cost may ask for much memory; the bound refuses it or the key differs.
            if !(8..16).contains(&at) {
                assert!(SealedBox::open(&bad, &right).is_err(), "flip at {at}");
            }
        }
    }
}
