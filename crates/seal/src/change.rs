//! The Automerge change of an entry, built and checked before Automerge sees it.
//!
//! One entry is one change with one operation: it puts the entry's bytes at ROOT under the change's
//! own actor id, with no predecessor, seq 1, time 0, no message. Given the header, the device and
//! the entry, every byte of the chunk is determined, so the chunk is never sent: the receiver
//! builds it and compares the hash. A compressed chunk, a wrong checksum, a foreign actor or a
//! second operation cannot arrive, because no chunk arrives.

use sha2::{Digest, Sha256};

use crate::codec::Writer;
use crate::hash::tagged;
use crate::{DeviceId, EntryId, Header};

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const CHUNK_CHANGE: u8 = 1;
/// Bytes of one entry: a description of the largest length with every field filled fits eight times.
pub const MAX_ENTRY: usize = 64 * 1024;

/// The actor of an entry: one per entry, so that (actor, seq) can never come twice.
pub fn actor(device: &DeviceId, header: &Header, entry: &[u8]) -> [u8; 16] {
    let heads: Vec<u8> = header.heads.iter().flat_map(|head| head.0).collect();
    let hash = tagged("intact/actor/v1", &[&device.0, &header.record.0, &header.number.to_be_bytes(), &heads, entry]);
    hash[..16].try_into().expect("16 of 32 bytes")
}

/// The uncompressed Automerge change chunk of an entry, and its hash.
pub fn chunk(device: &DeviceId, header: &Header, entry: &[u8]) -> (Vec<u8>, EntryId) {
    let contents = contents(&actor(device, header, entry), header, entry);
    let (start, id) = hashed(&contents);
    ([&MAGIC, &id.0[..4], &start, &contents].concat(), id)
}

/// The hash of that chunk, for whoever needs nothing else of it.
pub fn id(device: &DeviceId, header: &Header, entry: &[u8]) -> EntryId {
    hashed(&contents(&actor(device, header, entry), header, entry)).1
}

/// What stands before the contents, from the type on, and the hash from there.
fn hashed(contents: &[u8]) -> (Vec<u8>, EntryId) {
    let mut start = Writer::new();
    start.u8(CHUNK_CHANGE).varint(contents.len() as u64);
    let start = start.finish();
    let hash = Sha256::new().chain_update(&start).chain_update(contents).finalize();
    (start, EntryId(hash.into()))
}

/// The chunk's contents; column numbers are those of Automerge's storage format.
fn contents(actor: &[u8; 16], header: &Header, entry: &[u8]) -> Vec<u8> {
    let key = crate::id::to_hex(actor);
    let mut meta = Writer::new();
    // One literal value (-1): its length and type 7, bytes.
    meta.u8(0x7f).varint((entry.len() as u64) << 4 | 7);
    let meta = meta.finish();

    let mut out = Writer::new();
    out.varint(header.heads.len() as u64);
    for head in &header.heads {
        out.raw(&head.0);
    }
    out.bytes(actor).varint(1).varint(header.depth);
    // time 0, no message, no other actors
    out.u8(0).u8(0).u8(0);
    // six columns: key string, insert, action, value metadata, value, predecessors
    out.u8(6).u8(0x15).varint(2 + key.len() as u64).u8(0x34).u8(1).u8(0x42).u8(2);
    out.u8(0x56).varint(meta.len() as u64).u8(0x57).varint(entry.len() as u64).u8(0x70).u8(2);
    out.u8(0x7f).bytes(key.as_bytes());
    out.u8(1);
    out.raw(&[0x7f, 1]);
    out.raw(&meta).raw(entry);
    out.raw(&[0x7f, 0]);
    out.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClockConfidence, OperatorId, RecordId};
    use automerge::transaction::{CommitOptions, Transactable};
    use automerge::{ActorId, Automerge, ChangeHash, ROOT, ReadDoc, ScalarValue};
    use proptest::prelude::*;

    fn header(heads: Vec<EntryId>, depth: u64, number: u64) -> Header {
        Header {
            record: RecordId([1; 16]),
            number,
            depth,
            heads,
            operator: OperatorId([2; 16]),
            unit: String::new(),
            role: "desk".into(),
            checkpoint: None,
            wall_ms: 0,
            offset_min: 0,
            clock: ClockConfidence::OsSynced,
            fields_root: [0; 32],
        }
    }

    proptest! {
        /// Automerge itself writes the very bytes that we build, and takes them.
        #[test]
        fn the_chunk_is_what_automerge_writes(
            first in proptest::collection::vec(any::<u8>(), 1..300),
            second in proptest::collection::vec(any::<u8>(), 1..300),
        ) {
            let device = DeviceId([9; 32]);
            let mut doc = Automerge::new();
            let one = header(vec![], 1, 1);
            let (bytes, id) = chunk(&device, &one, &first);
            prop_assert_eq!(super::id(&device, &one, &first), id);
            let change = automerge::Change::from_bytes(bytes.clone()).unwrap();
            prop_assert_eq!(change.hash(), ChangeHash(id.0));
            doc.apply_changes([change]).unwrap();

            let two = header(vec![id], 2, 2);
            let actor = actor(&device, &two, &second);
            let mut author = doc.clone();
            author.set_actor(ActorId::from(actor));
            let mut tx = author.transaction();
            tx.put(ROOT, crate::id::to_hex(&actor), ScalarValue::Bytes(second.clone())).unwrap();
            tx.commit_with(CommitOptions::default().with_time(0));
            let theirs = author.get_last_local_change().unwrap();
            let (ours, _) = chunk(&device, &two, &second);
            prop_assert_eq!(theirs.raw_bytes(), ours.as_slice());

            doc.apply_changes([automerge::Change::from_bytes(ours).unwrap()]).unwrap();
            prop_assert_eq!(doc.get_heads(), author.get_heads());
            prop_assert_eq!(doc.keys(ROOT).count(), 2);
        }
    }
}
