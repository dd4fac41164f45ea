//! Tagged SHA-256: what a stranger must recompute.

use sha2::{Digest, Sha256};

/// SHA-256 over `u8 len(tag) || tag || for each part: u64 BE len || bytes`.
///
/// The tag separates uses; the lengths separate parts. Tags are ASCII, at most 255 bytes.
pub fn tagged(tag: &'static str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    // Tags are constants of this project, all far below 255 bytes.
    hash.update([tag.len() as u8]);
    hash.update(tag.as_bytes());
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Plain SHA-256, for formats of others (BagIt, Automerge).
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(tagged("t", &[b"ab", b"c"]), tagged("t", &[b"a", b"bc"]));
        assert_ne!(tagged("t", &[b"abc"]), tagged("ta", &[b"bc"]));
        assert_ne!(tagged("t", &[]), tagged("t", &[b""]));
    }
}
