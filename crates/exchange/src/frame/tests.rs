//! One encoding for each frame, and no panic for any bytes.

use logbook::action::GrantTo;
use logbook::roster::{NameOpening, RosterObject};
use proptest::prelude::*;
use seal::{
    BlobAddress, DeviceId, Envelope, EnvelopeId, Hash32, Header, KeyId, Link, OperationId, OperatorId, RecordId,
    RecordKey, RosterHash, Signature, SigningKey, Wrap,
};

use super::*;

const OPERATION: OperationId = OperationId([7; 32]);

fn bytes(max: usize) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..max)
}

fn head_list() -> impl Strategy<Value = Vec<Head>> {
    proptest::collection::btree_map(any::<[u8; 32]>(), (any::<u64>(), any::<[u8; 32]>()), 0..6)
        .prop_map(|heads| heads.into_iter().map(|(d, (n, id))| (DeviceId(d), n, EnvelopeId(id))).collect())
}

/// Envelopes of up to four devices, some out of order, some with gaps, some first links.
fn envelopes() -> impl Strategy<Value = Vec<Envelope>> {
    proptest::collection::vec((0u8..4, any::<bool>(), 0u8..3, 0usize..300), 0..40).prop_map(|picks| {
        let mut heads = [(0u64, EnvelopeId([0; 32])); 4];
        picks
            .into_iter()
            .map(|(who, skip, roster, size)| {
                let (number, prev) = heads[usize::from(who)];
                let number = number + 1 + u64::from(skip && number > 0);
                let device = DeviceId([who + 1; 32]);
                let link = Link {
                    operation: OPERATION,
                    device,
                    number,
                    prev,
                    roster: RosterHash([roster; 32]),
                    body: [9; 32],
                };
                heads[usize::from(who)] = (number, link.id());
                let body = (size % 2 == 0).then(|| vec![who; size]);
                Envelope { link, signature: Signature([who; 64]), body }
            })
            .collect()
    })
}

fn frames() -> impl Strategy<Value = Frame> {
    let id = any::<[u8; 32]>();
    let opening = NameOpening { operator: OperatorId([1; 16]), name: "A. Name".into(), salt: "00".repeat(16) };
    let wrap = (any::<[u8; 16]>(), bytes(600)).prop_map(|(record, sealed)| {
        let wrap = Wrap { record: RecordId(record), key: KeyId([2; 16]), suite: 1, sealed };
        (GrantTo::Agency { id: "emb".parse().unwrap(), epoch: 3 }, wrap)
    });
    let ack = (id, any::<u64>(), any::<i64>(), head_list()).prop_map(|(store, up_to, at_ms, heads)| {
        Frame::Ack(Ack::sign_with(Hash32(store), up_to, heads, at_ms, &SigningKey::from_seed(&[1; 32])))
    });
    prop_oneof![
        Just(Frame::Roster(RosterObject::Name(opening))),
        envelopes().prop_map(Frame::Batch),
        wrap.prop_map(|(to, wrap)| Frame::Wrap(to, wrap)),
        (id, 0..u64::MAX / 2, any::<u16>(), bytes(600)).prop_map(|(address, offset, more, bytes)| Frame::BlobPart {
            address: BlobAddress(address),
            offset,
            total: offset + bytes.len() as u64 + u64::from(more),
            bytes,
        }),
        ack,
        (id, id, any::<bool>()).prop_map(|(device, store, reconciles)| Frame::Hello(Hello {
            operation: operation_tag(&OPERATION),
            device: DeviceId(device),
            store: Hash32(store),
            reconciles,
        })),
        (any::<u64>(), any::<bool>(), head_list()).prop_map(|(after, sparse, heads)| Frame::Since {
            after,
            sparse,
            heads
        }),
        (any::<u64>(), any::<bool>(), any::<bool>()).prop_map(|(next, done, sparse)| Frame::Page {
            next,
            done,
            sparse
        }),
        (id, any::<u64>()).prop_map(|(address, from)| Frame::WantBlob { address: BlobAddress(address), from }),
        any::<u64>().prop_map(Frame::Enough),
        ".{0,70}".prop_map(Frame::Bye),
        Just(Frame::More),
        bytes(600).prop_map(Frame::Reconcile),
        bytes(600).prop_map(Frame::Reconciled),
        proptest::collection::vec(id, 0..9).prop_map(|ids| Frame::WantIds(ids.into_iter().map(EnvelopeId).collect())),
        any::<bool>().prop_map(|done| Frame::Given { done }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn every_frame_returns(frame in frames()) {
        let bytes = frame.encode();
        prop_assert_eq!(Frame::decode(&bytes, &OPERATION), Ok(frame));
    }

    #[test]
    fn accepted_bytes_are_canonical(kind in 0u8..30, rest in bytes(400)) {
        let bytes = [&[kind], rest.as_slice()].concat();
        if let Ok(frame) = Frame::decode(&bytes, &OPERATION) {
            prop_assert_eq!(frame.encode(), bytes);
        }
    }

    /// Near misses reach deeper than random bytes: a changed, cut or lengthened frame.
    #[test]
    fn a_changed_frame_is_refused_or_canonical(
        frame in frames(), at in any::<prop::sample::Index>(), flip in 1u8..=255, cut in any::<prop::sample::Index>(),
    ) {
        let whole = frame.encode();
        let mut changed = whole.clone();
        let place = at.index(changed.len());
        changed[place] ^= flip;
        let cut = &whole[..cut.index(whole.len())];
        let longer = [whole.as_slice(), &[flip]].concat();
        for bytes in [changed.as_slice(), cut, &longer] {
            if let Ok(read) = Frame::decode(bytes, &OPERATION) {
                prop_assert_eq!(read.encode(), bytes);
            }
        }
    }
}

#[test]
fn bounds_come_before_allocation() {
    let endless = |kind: u8| [&[kind][..], &[0xff, 0xff, 0xff, 0xff, 0x0f]].concat();
    assert_eq!(Frame::decode(&endless(2), &OPERATION), Err(FrameError::TooLarge), "envelopes");
    assert_eq!(Frame::decode(&endless(25), &OPERATION), Err(FrameError::TooLarge), "ids");
    let heads = [&[17][..], &[0; 9], &[0xff, 0xff, 0xff, 0xff, 0x0f]].concat();
    assert_eq!(Frame::decode(&heads, &OPERATION), Err(FrameError::TooLarge), "heads");
    assert_eq!(Frame::decode(&vec![1; MAX_FRAME + 1], &OPERATION), Err(FrameError::TooLarge));
    let part = [&[4][..], &[0; 32], &[0; 8], &[0xff; 8], &vec![0; MAX_PART + 1]].concat();
    assert_eq!(Frame::decode(&part, &OPERATION), Err(FrameError::TooLarge), "a part");
    let beyond = [&[4][..], &[0; 32], &[0xff; 8], &[0xff; 8], &[1]].concat();
    assert_eq!(Frame::decode(&beyond, &OPERATION), Err(FrameError::Malformed), "a part beyond its whole");
}

#[test]
fn a_batch_has_one_encoding() {
    let link = |device: u8, number, prev| Link {
        operation: OPERATION,
        device: DeviceId([device; 32]),
        number,
        prev,
        roster: RosterHash([1; 32]),
        body: [9; 32],
    };
    let first = link(1, 1, EnvelopeId([0; 32]));
    let envelope = |link| Envelope { link, signature: Signature([3; 64]), body: None };
    let batch = Frame::Batch(vec![envelope(first), envelope(link(1, 2, first.id()))]).encode();
    // Kind, count, flags, device place and name, roster place and name, number.
    assert_eq!(batch[..4], [2, 2, 0, 0]);
    let second = 4 + 32 + 1 + 32 + 1 + 96;
    assert_eq!(batch[second], SAME_FOLLOWING, "the second link is all flags");
    let again = |flags: u8, fields: &[u8]| [&batch[..second], &[flags], fields, &batch[second + 1..]].concat();
    assert_eq!(Frame::decode(&again(6, &[0]), &OPERATION), Err(FrameError::NotCanonical), "the same device by place");
    let device = [&[1][..], &[1; 32]].concat();
    assert_eq!(Frame::decode(&again(6, &device), &OPERATION), Err(FrameError::NotCanonical), "a name twice");
    let chain = [&[2][..], &first.id().0].concat();
    assert_eq!(
        Frame::decode(&again(3, &chain), &OPERATION),
        Err(FrameError::NotCanonical),
        "what follows, spelled out"
    );
    assert_eq!(Frame::decode(&again(16, &[0]), &OPERATION), Err(FrameError::Malformed), "a key without a body");
}

/// Same device, same roster, follows.
const SAME_FOLLOWING: u8 = 7;

/// The goal of `design/trust.md`: what the receiver can recompute is not sent.
#[test]
fn a_note_of_200_characters_takes_at_most_560_bytes() {
    let signers: Vec<SigningKey> = (1..9).map(|seed| SigningKey::from_seed(&[seed; 32])).collect();
    let mut heads = vec![(0, EnvelopeId([0; 32])); signers.len()];
    let mut envelopes = Vec::new();
    for turn in 0..400usize {
        let who = turn * 5 % signers.len();
        let (number, prev) = heads[who];
        let header = Header {
            record: RecordId([turn as u8 / 20; 16]),
            number: (turn as u64 % 20) + 1,
            depth: (turn as u64 % 20) + 1,
            heads: vec![seal::EntryId([turn as u8; 32])],
            operator: OperatorId([3; 16]),
            unit: String::new(),
            role: "desk".into(),
            checkpoint: None,
            wall_ms: 1_790_000_000_000,
            offset_min: 60,
            clock: seal::ClockConfidence::OsSynced,
            fields_root: [4; 32],
        };
        let salt = "AAAAAAAAAAAAAAAAAAAAAA";
        let entry =
            format!("{{\"v\":1,\"salt\":\"{salt}\",\"action\":{{\"note\":{{\"text\":\"{}\"}}}}}}", "x".repeat(200));
        let link = Link {
            operation: OPERATION,
            device: signers[who].device_id(),
            number: number + 1,
            prev,
            roster: RosterHash([1; 32]),
            body: [0; 32],
        };
        let key = RecordKey::from_bytes([turn as u8 / 20; 32]);
        let parts = seal::envelope::Parts { header: &header, entry: entry.as_bytes() };
        let (envelope, _) = Envelope::seal(&key, &signers[who], link, parts).unwrap();
        heads[who] = (number + 1, envelope.id());
        envelopes.push(envelope);
    }
    let count = envelopes.len();
    let bytes: usize = Frame::batches(envelopes).iter().map(|frame| frame.encode().len()).sum();
    assert!(bytes / count <= 560, "{} bytes an entry", bytes / count);
}
