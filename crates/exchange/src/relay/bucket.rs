//! Size buckets: what a batch's size tells the relay.
//!
//! `pad` is applied to the plaintext of a batch before sealing, `unpad` after opening.
//! Layout: content length (u32, big-endian), the content, then zeros up to the bucket size.
//! Buckets follow Padmé (Nikitin et al., PURBs, PETS 2019): at most 12 % overhead, and only
//! O(log log n) bits of the size remain visible; nothing is smaller than 1 KiB, so that an
//! acknowledgement, a single entry and a roster line look the same.

use super::MAX_BATCH;

/// The smallest bucket in bytes. Most single entries (about 600 bytes) and all acks fit in it.
pub const MIN_PADDED: usize = 1024;

/// The largest bucket in bytes: the largest Padmé size that still leaves 16 KiB of
/// [`MAX_BATCH`] for the sealing around it (age header and one tag per 64 KiB).
pub const MAX_PADDED: usize = MAX_BATCH - 16 * 1024;

/// The most content bytes that fit into the largest bucket.
pub const MAX_CONTENT: usize = MAX_PADDED - PREFIX;

/// Bytes of the length in front of the content.
const PREFIX: usize = 4;

/// Why padded bytes were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BucketError {
    /// More content than [`MAX_CONTENT`]; cut it into several batches.
    #[error("{0} bytes do not fit into the largest bucket of {MAX_CONTENT}")]
    TooLarge(usize),
    /// The size is no bucket size, or not the bucket that belongs to the stated length.
    #[error("the padded size is not the bucket of its content")]
    WrongBucket,
    /// A padding byte is not zero.
    #[error("the padding is not zeros")]
    NotZeros,
}

/// The size to which `len` bytes (length prefix included) are padded.
#[must_use]
pub fn bucket(len: usize) -> usize {
    if len <= MIN_PADDED {
        return MIN_PADDED;
    }
    // Padmé: keep floor(log2(log2 len)) + 1 leading bits of the length, round up.
    let exponent = len.ilog2();
    let kept = exponent.ilog2() + 1;
    let mask = (1usize << (exponent - kept)) - 1;
    len.saturating_add(mask) & !mask
}

/// Pads `content` to its bucket.
///
/// # Errors
/// [`BucketError::TooLarge`] above [`MAX_CONTENT`] bytes.
pub fn pad(content: &[u8]) -> Result<Vec<u8>, BucketError> {
    if content.len() > MAX_CONTENT {
        return Err(BucketError::TooLarge(content.len()));
    }
    let length = u32::try_from(content.len()).map_err(|_| BucketError::TooLarge(content.len()))?;
    let total = bucket(PREFIX + content.len());
    let mut padded = Vec::with_capacity(total);
    padded.extend_from_slice(&length.to_be_bytes());
    padded.extend_from_slice(content);
    padded.resize(total, 0);
    Ok(padded)
}

/// Takes the padding off. Exactly one padded form is accepted for each content.
///
/// # Errors
/// [`BucketError::WrongBucket`] or [`BucketError::NotZeros`] for anything `pad` does not make.
pub fn unpad(padded: &[u8]) -> Result<&[u8], BucketError> {
    let (prefix, rest) = padded.split_first_chunk::<PREFIX>().ok_or(BucketError::WrongBucket)?;
    let length = usize::try_from(u32::from_be_bytes(*prefix)).map_err(|_| BucketError::WrongBucket)?;
    if length > MAX_CONTENT || padded.len() != bucket(PREFIX + length) {
        return Err(BucketError::WrongBucket);
    }
    let (content, zeros) = rest.split_at_checked(length).ok_or(BucketError::WrongBucket)?;
    if zeros.iter().any(|byte| *byte != 0) {
        return Err(BucketError::NotZeros);
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_largest_bucket_is_a_bucket_and_leaves_room_for_sealing() {
        assert_eq!(bucket(MAX_PADDED), MAX_PADDED);
        assert_eq!(pad(&vec![7; MAX_CONTENT]).map(|p| p.len()), Ok(MAX_PADDED));
        assert_eq!(pad(&vec![7; MAX_CONTENT + 1]), Err(BucketError::TooLarge(MAX_CONTENT + 1)));
    }

    #[test]
    fn small_things_look_alike() {
        assert_eq!(pad(b"").map(|p| p.len()), Ok(1024));
        assert_eq!(pad(&[1; 600]).map(|p| p.len()), Ok(1024));
        assert_eq!(pad(&[1; 1020]).map(|p| p.len()), Ok(1024));
        assert_eq!(pad(&[1; 1021]).map(|p| p.len()), Ok(1088));
    }

    #[test]
    fn the_number_of_sizes_is_small() {
        let sizes: std::collections::BTreeSet<_> = (0..=MAX_PADDED).map(bucket).collect();
        // What the relay can tell apart over the whole range: fewer than 2^8 sizes.
        assert!(sizes.len() < 256, "{}", sizes.len());
    }

    proptest! {
        #[test]
        fn padding_comes_off(content in proptest::collection::vec(any::<u8>(), 0..9000)) {
            let padded = pad(&content).unwrap();
            prop_assert_eq!(unpad(&padded), Ok(&content[..]));
            let bound = (PREFIX + content.len()).max(MIN_PADDED) as f64 * 1.12;
            prop_assert!((padded.len() as f64) < bound);
        }

        #[test]
        fn one_form_only(mut padded in proptest::collection::vec(any::<u8>(), 0..3000)) {
            if padded.len() >= 2 { padded[0] = 0; padded[1] = 0; }
            if let Ok(content) = unpad(&padded) {
                prop_assert_eq!(pad(content).unwrap(), padded);
            }
        }

        #[test]
        fn a_changed_padding_byte_is_seen(len in 0usize..900, at in 904usize..1024, bit in 0u8..8) {
            let mut padded = pad(&vec![3; len]).unwrap();
            padded[at] ^= 1 << bit;
            prop_assert_eq!(unpad(&padded), Err(BucketError::NotZeros));
        }
    }
}
