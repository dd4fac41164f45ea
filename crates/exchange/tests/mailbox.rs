//! Frames through a real relay: sealed, padded, posted, read, and opened by their mailbox alone.

mod relay_common;

use exchange::Frame;
use exchange::mailbox::{BatchError, MailboxKeys, Packer, open, tag_of};
use exchange::relay::bucket::{MAX_PADDED, bucket};
use exchange::relay::limits::Limits;
use relay_common::Relay;
use seal::{BlobAddress, DeviceId, Envelope, EnvelopeId, Link, OperationId, RosterHash, Signature};
use tempfile::tempdir;

const OPERATION: OperationId = OperationId([7; 32]);

fn envelopes(count: u64, size: usize) -> Vec<Envelope> {
    let mut prev = EnvelopeId([0; 32]);
    let mut next = |number| {
        let link = Link {
            operation: OPERATION,
            device: DeviceId([1; 32]),
            number,
            prev,
            roster: RosterHash([2; 32]),
            body: [3; 32],
        };
        prev = link.id();
        Envelope { link, signature: Signature([4; 64]), body: Some(vec![number as u8; size]) }
    };
    (1..=count).map(&mut next).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_posted_comes_out_as_it_went_in() {
    let dir = tempdir().unwrap();
    let relay = Relay::start(dir.path(), Limits::default()).await;
    let (field, desk) = (relay.connect().await, relay.connect().await);
    let keys = MailboxKeys::derive(&[1; 32], 2960).unwrap();
    let mut frames = Frame::batches(envelopes(3000, 400));
    let part = |offset: u64| Frame::BlobPart {
        address: BlobAddress([5; 32]),
        offset,
        total: 3 * 256 * 1024,
        bytes: vec![9; 256 * 1024],
    };
    frames.extend((0..3).map(|n| part(n * 256 * 1024)));
    let mut packer = Packer::new(keys.public().0);
    frames.iter().for_each(|frame| packer.add(frame).unwrap());
    let batches = packer.finish().unwrap();
    assert!(batches.iter().all(|batch| batch.len() <= exchange::relay::MAX_BATCH));
    for batch in &batches {
        field.post(tag_of(&keys.public()), batch.clone()).await.unwrap();
        // Once more costs nothing and changes nothing.
        assert!(field.post(tag_of(&keys.public()), batch.clone()).await.unwrap().duplicate);
    }
    let mut live = desk.subscribe(&keys.read_keys(), 0);
    let mut taken = Vec::new();
    for _ in &batches {
        taken.extend(open(&live.next().await.unwrap().batch, &keys, &OPERATION).unwrap());
    }
    assert_eq!(taken, frames);
    // Another week's mailbox is another mailbox, and opens nothing.
    let later = MailboxKeys::derive(&[1; 32], 2961).unwrap();
    assert_eq!(desk.read(&later.read_keys(), 0, 10).await.unwrap().items.len(), 0);
    assert_eq!(open(&batches[0], &later, &OPERATION), Err(BatchError::Sealed));
    drop(live);
    field.close().await;
    desk.close().await;
    relay.stop().await.unwrap();
}

#[test]
fn a_batch_is_taken_whole_or_not_at_all() {
    let keys = MailboxKeys::derive(&[1; 32], 7).unwrap();
    let seal = |content: &[u8]| {
        let padded = exchange::relay::bucket::pad(content).unwrap();
        seal::wrap::seal_bytes(&[keys.public().0], &padded).unwrap()
    };
    let good = Frame::Enough(3).encode();
    let piece = |bytes: &[u8]| [(bytes.len() as u32).to_be_bytes().as_slice(), bytes].concat();
    assert_eq!(open(&seal(&piece(&good)), &keys, &OPERATION), Ok(vec![Frame::Enough(3)]));
    assert_eq!(open(&seal(&[]), &keys, &OPERATION), Ok(Vec::new()));
    for bad in [
        [piece(&good), piece(&[99])].concat(),
        [piece(&good), vec![0, 0]].concat(),
        [piece(&good), vec![0, 0, 1, 0, 1]].concat(),
        piece(&[]),
    ] {
        assert!(matches!(open(&seal(&bad), &keys, &OPERATION), Err(BatchError::Frame(_))));
    }
    let unpadded = seal::wrap::seal_bytes(&[keys.public().0], &piece(&good)).unwrap();
    assert_eq!(open(&unpadded, &keys, &OPERATION), Err(BatchError::Sealed));
    let sealed = seal(&piece(&good));
    assert_eq!(open(&sealed[..sealed.len() - 1], &keys, &OPERATION), Err(BatchError::Sealed));
}

/// One entry, one acknowledgement and one line of the roster look the same at the relay.
#[test]
fn small_batches_have_one_size() {
    let keys = MailboxKeys::derive(&[1; 32], 7).unwrap();
    let sizes = [0, 300, 700].map(|size| {
        let mut packer = Packer::new(keys.public().0);
        Frame::batches(envelopes(1, size)).iter().for_each(|frame| packer.add(frame).unwrap());
        let batch = packer.finish().unwrap().remove(0);
        seal::wrap::open_bytes(&[&keys.identity], &batch, 1 << 20).unwrap().len()
    });
    assert_eq!(sizes, [1024; 3]);
    assert!(bucket(MAX_PADDED) + 16 * 1024 <= exchange::relay::MAX_BATCH);
}
