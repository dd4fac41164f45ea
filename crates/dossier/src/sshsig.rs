//! OpenSSH file signatures (`ssh-keygen -Y sign`), with exactly one accepted encoding.
//!
//! Format: PROTOCOL.sshsig of OpenSSH. Taken here: version 1, Ed25519, SHA-512, an empty reserved field.
//! A signature is read, written again and compared, so that no byte of its file can differ unseen.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seal::sign::{Signature, SigningKey, verify_raw};
use sha2::{Digest, Sha512};
use thiserror::Error;

/// What a dossier's signatures are for; `ssh-keygen -Y verify -n` takes it.
pub const NAMESPACE: &str = "evidence-bundle@v1";
const MAGIC: &[u8; 6] = b"SSHSIG";
const VERSION: u32 = 1;
const KEY_TYPE: &[u8] = b"ssh-ed25519";
const HASH: &[u8] = b"sha512";
const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----\n";
const END: &str = "-----END SSH SIGNATURE-----\n";
/// The width at which ssh-keygen breaks base64.
const WIDTH: usize = 70;
/// A signature by Ed25519 in our namespace has 300 bytes; a namespace may be longer, a key may not.
pub const MAX_ARMORED: usize = 1024;

/// Why a signature is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SshSigError {
    /// Not this format.
    #[error("not a signature that can be read")]
    Malformed,
    /// Another spelling of a signature that can be read; the first byte that differs, from 1.
    #[error("not in the one accepted encoding, at byte {0}")]
    Spelling(usize),
    /// Signed for another purpose.
    #[error("signed for another purpose")]
    Namespace,
    /// The mathematics do not hold.
    #[error("the signature does not match")]
    BadSignature,
}

/// A parsed signature: the key that it names, its purpose, and the 64 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshSig {
    /// The public Ed25519 key that the signature itself names; trust in it comes from elsewhere.
    pub key: [u8; 32],
    /// The purpose.
    pub namespace: String,
    signature: Signature,
}

impl SshSig {
    /// Signs a message of which only the SHA-512 is needed.
    pub fn sign(key: &SigningKey, namespace: &str, sha512: &[u8; 64]) -> Self {
        let signature = key.sign_raw(&signed_bytes(namespace, sha512));
        Self { key: key.public(), namespace: namespace.to_owned(), signature }
    }

    /// Checks the signature, strictly, over the SHA-512 of a message, for our purpose.
    pub fn verify(&self, sha512: &[u8; 64]) -> Result<(), SshSigError> {
        if self.namespace != NAMESPACE {
            return Err(SshSigError::Namespace);
        }
        verify_raw(&self.key, &signed_bytes(NAMESPACE, sha512), &self.signature).map_err(|_| SshSigError::BadSignature)
    }

    /// The armored text, as ssh-keygen writes it.
    pub fn armor(&self) -> String {
        let mut blob = Vec::with_capacity(256);
        blob.extend_from_slice(MAGIC);
        blob.extend_from_slice(&VERSION.to_be_bytes());
        put(&mut blob, &key_blob(&self.key));
        put(&mut blob, self.namespace.as_bytes());
        put(&mut blob, b"");
        put(&mut blob, HASH);
        let mut signature = Vec::with_capacity(96);
        put(&mut signature, KEY_TYPE);
        put(&mut signature, &self.signature.0);
        put(&mut blob, &signature);
        let text = STANDARD.encode(blob);
        let mut out = String::from(BEGIN);
        for line in text.as_bytes().chunks(WIDTH) {
            // Base64 is ASCII.
            out.extend(line.iter().map(|byte| char::from(*byte)));
            out.push('\n');
        }
        out.push_str(END);
        out
    }

    /// Reads an armored signature; any byte that [`SshSig::armor`] would not write is a refusal.
    pub fn parse(armored: &[u8]) -> Result<Self, SshSigError> {
        if armored.len() > MAX_ARMORED {
            return Err(SshSigError::Malformed);
        }
        let parsed = parse_lenient(armored).ok_or(SshSigError::Malformed)?;
        let again = parsed.armor();
        if again.as_bytes() == armored {
            return Ok(parsed);
        }
        Err(SshSigError::Spelling(crate::first_difference(again.as_bytes(), armored) + 1))
    }
}

/// The line for `ssh-keygen`'s list of allowed signers.
///
/// `who` is a word of `[a-z0-9-]`.
pub fn allowed_signer(who: &str, key: &[u8; 32]) -> String {
    format!("{who} namespaces=\"{NAMESPACE}\" ssh-ed25519 {}\n", STANDARD.encode(key_blob(key)))
}

/// The key as `ssh-keygen -l` shows it: `SHA256:` and base64 without padding.
pub fn fingerprint(key: &[u8; 32]) -> String {
    let hash = seal::hash::sha256(&key_blob(key));
    format!("SHA256:{}", base64::engine::general_purpose::STANDARD_NO_PAD.encode(hash))
}

fn parse_lenient(armored: &[u8]) -> Option<SshSig> {
    let text = std::str::from_utf8(armored).ok()?;
    let body = text.strip_prefix(BEGIN)?.strip_suffix(END)?;
    let blob = STANDARD.decode(body.replace('\n', "")).ok()?;
    let mut rest = blob.strip_prefix(MAGIC)?;
    if take(&mut rest, 4)? != VERSION.to_be_bytes() {
        return None;
    }
    let mut key = string(&mut rest)?;
    let namespace = std::str::from_utf8(string(&mut rest)?).ok()?.to_owned();
    if !string(&mut rest)?.is_empty() || string(&mut rest)? != HASH {
        return None;
    }
    let mut signature = string(&mut rest)?;
    if string(&mut key)? != KEY_TYPE || string(&mut signature)? != KEY_TYPE {
        return None;
    }
    Some(SshSig {
        key: string(&mut key)?.try_into().ok()?,
        namespace,
        signature: Signature(string(&mut signature)?.try_into().ok()?),
    })
}

fn signed_bytes(namespace: &str, sha512: &[u8; 64]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    put(&mut out, namespace.as_bytes());
    put(&mut out, b"");
    put(&mut out, HASH);
    put(&mut out, sha512);
    out
}

fn key_blob(key: &[u8; 32]) -> Vec<u8> {
    let mut out = Vec::with_capacity(51);
    put(&mut out, KEY_TYPE);
    put(&mut out, key);
    out
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    // Everything written here is far below 4 GiB.
    out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
    out.extend_from_slice(bytes);
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(count)?;
    *rest = tail;
    Some(head)
}

fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u32::from_be_bytes(take(rest, 4)?.try_into().ok()?);
    take(rest, usize::try_from(length).ok()?)
}

/// SHA-512 of a message in memory, for [`SshSig::sign`] and [`SshSig::verify`].
pub fn sha512(message: &[u8]) -> [u8; 64] {
    Sha512::digest(message).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed() -> (SshSig, [u8; 64]) {
        let hash = sha512(b"a message");
        (SshSig::sign(&SigningKey::from_seed(&[9; 32]), NAMESPACE, &hash), hash)
    }

    #[test]
    fn round_trip() {
        let (signature, hash) = signed();
        let armored = signature.armor();
        let parsed = SshSig::parse(armored.as_bytes()).expect("our own");
        assert_eq!(parsed, signature);
        assert_eq!(parsed.verify(&hash), Ok(()));
        assert_eq!(parsed.verify(&sha512(b"another")), Err(SshSigError::BadSignature));
    }

    #[test]
    fn every_flipped_bit_is_detected() {
        let (signature, hash) = signed();
        let armored = signature.armor().into_bytes();
        for bit in 0..armored.len() * 8 {
            let mut changed = armored.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let accepted = SshSig::parse(&changed).and_then(|s| s.verify(&hash));
            assert!(accepted.is_err(), "bit {bit}");
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        let (signature, _) = signed();
        let armored = signature.armor();
        for other in [
            armored.replace('\n', "\r\n"),
            format!("{armored}\n"),
            armored.trim_end().to_owned(),
            armored.replacen('\n', "\n\n", 1),
            format!(" {armored}"),
            armored[..armored.len() / 2].to_owned(),
            String::new(),
        ] {
            let refused = SshSig::parse(other.as_bytes());
            assert!(matches!(refused, Err(SshSigError::Malformed | SshSigError::Spelling(_))), "{refused:?}");
        }
        // Where it is known which byte is otherwise, it is named.
        let twice = armored.replacen('\n', "\n\n", 1);
        assert_eq!(SshSig::parse(twice.as_bytes()), Err(SshSigError::Spelling(31)));
    }

    #[test]
    fn another_purpose_is_refused() {
        let hash = sha512(b"m");
        let signature = SshSig::sign(&SigningKey::from_seed(&[9; 32]), "git", &hash);
        assert_eq!(signature.verify(&hash), Err(SshSigError::Namespace));
    }
}
