//! Whatever happens to a parcel on its way, it is taken whole or not at all.

use std::io::{Cursor, Write};

use proptest::prelude::*;
use seal::wrap::seal_writer;
use seal::{BlobAddress, Identity, OperationId, SigningKey};
use sha2::{Digest, Sha256};

use super::*;
use crate::frame::{Frame, operation_tag};

const OPERATION: OperationId = OperationId([7; 32]);
/// A chunk of age's stream: 64 KiB and its tag.
const CHUNK: usize = 64 * 1024 + 16;

fn writer() -> SigningKey {
    SigningKey::from_seed(&[1; 32])
}

fn head() -> Head {
    Head {
        operation: operation_tag(&OPERATION),
        from: writer().device_id(),
        store: Hash32([2; 32]),
        after: 3,
        up_to: 9,
        made_ms: 5,
    }
}

fn part(size: usize, offset: u64) -> Frame {
    Frame::BlobPart { address: BlobAddress([6; 32]), offset, total: u64::MAX, bytes: vec![offset as u8; size] }
}

fn parcel(to: &Identity, frames: &[Frame]) -> Vec<u8> {
    let mut out = ParcelWriter::start(Cursor::new(Vec::new()), &[to.recipient()], &head()).unwrap();
    frames.iter().for_each(|frame| out.add(frame).unwrap());
    out.finish_signed(&writer()).unwrap().into_inner()
}

fn small(to: &Identity) -> Vec<u8> {
    parcel(to, &[Frame::Enough(1), Frame::Page { next: 4, done: true, sparse: false }])
}

fn checked(bytes: &[u8], with: &Identity) -> Result<Checked, ParcelError> {
    check(Cursor::new(bytes), &[with], &OPERATION)
}

/// Puts an honest outside around an age file, as an attacker can.
fn around(seal: &[u8]) -> Vec<u8> {
    let hash = Sha256::digest(seal);
    [MAGIC.as_slice(), &(seal.len() as u64).to_be_bytes(), &hash, seal].concat()
}

fn with_seal(bytes: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut seal = bytes[PREFIX as usize..].to_vec();
    change(&mut seal);
    around(&seal)
}

/// A parcel whose inside an attacker wrote, sealed rightly.
fn inside(to: &Identity, plain: &[u8]) -> Vec<u8> {
    let mut seal = seal_writer(&[to.recipient()], Vec::new()).unwrap();
    seal.write_all(plain).unwrap();
    around(&seal.finish().unwrap())
}

#[test]
fn only_the_recipient_of_this_operation_reads_it() {
    let (mine, other) = (Identity::generate(), Identity::generate());
    let bytes = small(&mine);
    let whole = checked(&bytes, &mine).unwrap();
    assert_eq!((whole.frames, whole.signed, whole.size, &whole.head), (2, true, bytes.len() as u64, &head()));
    assert_eq!(checked(&bytes, &other), Err(ParcelError::WrongRecipient));
    let foreign = check(Cursor::new(&bytes), &[&mine], &OperationId([8; 32]));
    assert_eq!(foreign, Err(ParcelError::ForeignOperation));
    assert_eq!(inspect(Cursor::new(&bytes), &[&mine]), Ok(head()));
    assert_eq!(inspect(Cursor::new(&bytes), &[&other]), Err(ParcelError::WrongRecipient));
    assert_eq!(check_outside(&mut Cursor::new(&bytes)), Ok(bytes.len() as u64 - PREFIX));
}

#[test]
fn every_flip_and_every_cut_is_damage_before_anything_else() {
    let (mine, other) = (Identity::generate(), Identity::generate());
    let bytes = small(&mine);
    let damaged = |bytes: &[u8], what: &str, at: usize| {
        for with in [&mine, &other] {
            let refused = checked(bytes, with);
            let known = matches!(refused, Err(ParcelError::Damaged(_) | ParcelError::NotAParcel));
            assert!(known, "{what} at {at}: {refused:?}");
        }
    };
    for at in 0..bytes.len() {
        for bit in [0, 7] {
            let mut bad = bytes.clone();
            bad[at] ^= 1 << bit;
            damaged(&bad, "flip", at);
        }
        damaged(&bytes[..at], "cut", at);
    }
    damaged(&[bytes.as_slice(), b"x"].concat(), "more", bytes.len());
}

#[test]
fn frames_come_in_order_and_the_same_each_time() {
    let mine = Identity::generate();
    let frames: Vec<Frame> = (0..40).map(|n| part(30_000, n)).collect();
    let bytes = parcel(&mine, &frames);
    let whole = checked(&bytes, &mine).unwrap();
    for _ in 0..2 {
        let mut taken = Vec::new();
        import(Cursor::new(&bytes), &[&mine], &OPERATION, &whole, |frame| {
            taken.push(frame);
            Ok(())
        })
        .unwrap();
        assert_eq!(taken, frames);
    }
    let another = parcel(&mine, &frames);
    let mut taken = 0;
    let swapped = import(Cursor::new(&another), &[&mine], &OPERATION, &whole, |_| {
        taken += 1;
        Ok(())
    });
    assert_eq!((swapped, taken), (Err(ParcelError::Damaged("it is not the file that was checked")), 0));
}

/// With an honest outside, so that age has to notice.
#[test]
fn chunks_cannot_be_swapped_dropped_or_repeated() {
    let mine = Identity::generate();
    let frames: Vec<Frame> = (0..8).map(|n| part(60_000, n)).collect();
    let bytes = parcel(&mine, &frames);
    let seal = &bytes[PREFIX as usize..];
    // Header, then a nonce of 16 bytes, then chunks.
    let end = seal.windows(4).position(|w| w == b"\n---").unwrap();
    let body = end + 1 + seal[end + 1..].iter().position(|b| *b == b'\n').unwrap() + 1 + 16;
    let chunk = |n: usize| body + n * CHUNK..body + (n + 1) * CHUNK;
    assert!(seal.len() > body + 6 * CHUNK);
    let changes: [(&str, Vec<u8>); 6] = [
        (
            "swap",
            with_seal(&bytes, |s| {
                let (first, second) = (s[chunk(1)].to_vec(), s[chunk(2)].to_vec());
                s[chunk(1)].copy_from_slice(&second);
                s[chunk(2)].copy_from_slice(&first);
            }),
        ),
        ("drop", with_seal(&bytes, |s| drop(s.drain(chunk(2))))),
        (
            "repeat",
            with_seal(&bytes, |s| {
                let again = s[chunk(1)].to_vec();
                s.splice(body + 2 * CHUNK..body + 2 * CHUNK, again);
            }),
        ),
        ("end at a chunk", with_seal(&bytes, |s| s.truncate(body + 3 * CHUNK))),
        ("end in a chunk", with_seal(&bytes, |s| s.truncate(body + 3 * CHUNK + 99))),
        ("more", with_seal(&bytes, |s| s.extend_from_slice(&[0; 40]))),
    ];
    for (what, bad) in changes {
        let refused = checked(&bad, &mine);
        assert!(matches!(refused, Err(ParcelError::Damaged(_))), "{what}: {refused:?}");
    }
    let headless = around(&seal[..40]);
    assert!(matches!(checked(&headless, &mine), Err(ParcelError::Damaged(_))));
}

#[test]
fn a_parcel_without_its_writers_signature_moves_no_cursor() {
    let mine = Identity::generate();
    let out = ParcelWriter::start(Cursor::new(Vec::new()), &[mine.recipient()], &head()).unwrap();
    let unsigned = out.finish().unwrap().into_inner();
    let whole = checked(&unsigned, &mine).unwrap();
    assert_eq!((whole.signed, whole.head.up_to, whole.head.after), (false, 3, 3));
}

#[test]
fn whoever_can_seal_to_the_recipient_can_still_not_lie() {
    let mine = Identity::generate();
    let piece = |bytes: &[u8]| [(bytes.len() as u32).to_be_bytes().as_slice(), bytes].concat();
    let build = |head: &[u8], frames: &[Vec<u8>], count: u64, key: Option<&SigningKey>, padding: usize| {
        let mut plain = piece(head);
        frames.iter().for_each(|frame| plain.extend(piece(frame)));
        let content: [u8; 32] = Sha256::digest(&plain).into();
        plain.extend_from_slice(&[0; 4]);
        plain.extend_from_slice(&count.to_be_bytes());
        plain.extend_from_slice(&content);
        match key {
            None => plain.push(0),
            Some(key) => {
                plain.push(1);
                plain.extend_from_slice(&key.sign(SIGNATURE_TAG, &statement(count, &content)).0);
            }
        }
        plain.resize(crate::relay::bucket::bucket(plain.len()) + padding, 0);
        inside(&mine, &plain)
    };
    let (head_bytes, frame) = (head().encode(), Frame::Enough(2).encode());
    let with = |frames: &[Vec<u8>], count, key| checked(&build(&head_bytes, frames, count, key, 0), &mine);
    let (honest, forger) = (writer(), SigningKey::from_seed(&[9; 32]));
    assert!(with(std::slice::from_ref(&frame), 1, Some(&honest)).is_ok(), "this is the format");
    assert!(with(std::slice::from_ref(&frame), 1, Some(&forger)).is_err(), "another device's signature");
    assert!(with(std::slice::from_ref(&frame), 2, Some(&honest)).is_err(), "a frame too few");
    assert!(with(&[frame.clone(), frame.clone()], 1, Some(&honest)).is_err(), "a frame too many");
    assert!(with(&[vec![99]], 1, Some(&honest)).is_err(), "no frame");
    assert!(with(&[vec![1; 2 * 1024 * 1024]], 1, Some(&honest)).is_err(), "a frame over its bound");
    assert!(checked(&build(&head_bytes, std::slice::from_ref(&frame), 1, Some(&honest), 1), &mine).is_err(), "padding");
    let mut newer = head_bytes.clone();
    newer[0] = 2;
    assert_eq!(checked(&build(&newer, std::slice::from_ref(&frame), 1, None, 0), &mine), Err(ParcelError::Newer));
    let later = Frame::Hello(crate::frame::Hello {
        operation: Hash32([0; 32]),
        device: honest.device_id(),
        store: Hash32([0; 32]),
        reconciles: false,
    });
    let mut later = later.encode();
    later[1] = 2;
    assert_eq!(with(&[later], 1, None), Err(ParcelError::Newer));
    assert!(checked(&inside(&mine, &[]), &mine).is_err(), "nothing inside");
    let endless = [MAGIC.as_slice(), &u64::MAX.to_be_bytes(), &[0; 32], b"x"].concat();
    assert_eq!(checked(&endless, &mine), Err(ParcelError::Damaged("it states an impossible size")));
}

#[test]
fn sizes_are_bucketed() {
    let mine = Identity::generate();
    let sizes: std::collections::BTreeSet<usize> =
        (0..700).step_by(50).map(|size| parcel(&mine, &[part(size, 0)]).len()).collect();
    // age's grease stanza varies its header by a little; the content has one size.
    let (least, most) = (sizes.first().unwrap(), sizes.last().unwrap());
    assert!(most - least < 300, "{sizes:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever the file is: no panic, and nothing is taken from it.
    #[test]
    fn noise_is_refused(noise in proptest::collection::vec(any::<u8>(), 0..2000), magic: bool, honest: bool) {
        let mine = Identity::generate();
        let bytes = match (magic, honest) {
            (true, true) => around(&noise),
            (true, false) => [MAGIC.as_slice(), &noise].concat(),
            _ => noise,
        };
        let refused = checked(&bytes, &mine);
        prop_assert!(matches!(refused, Err(ParcelError::Damaged(_) | ParcelError::NotAParcel)), "{:?}", refused);
    }

    /// What its recipient opens may still be nonsense.
    #[test]
    fn sealed_noise_is_refused(noise in proptest::collection::vec(any::<u8>(), 0..2000), named: bool) {
        let mine = Identity::generate();
        let head = head().encode();
        let front = [(head.len() as u32).to_be_bytes().as_slice(), &head].concat();
        let plain = if named { [front, noise].concat() } else { noise };
        prop_assert!(checked(&inside(&mine, &plain), &mine).is_err());
    }
}
