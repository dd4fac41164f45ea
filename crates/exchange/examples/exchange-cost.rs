//! What the exchange itself costs: `cargo run --release -p exchange --example exchange-cost -- 20000`.
//!
//! Both ends of one conversation in this process, over stores that only hand out and drop: frames,
//! state machines, no verification and no disk. Then the same entries through a parcel and a mailbox.
//! Prints one JSON document: CPU seconds of the main thread as Linux counts them, and bytes.
#![allow(clippy::print_stdout, reason = "a measurement is printed")]

use std::collections::VecDeque;
use std::io::Cursor;
use std::sync::atomic::{AtomicU64, Ordering};

use exchange::drive::act;
use exchange::frame::{Ack, Head, operation_tag};
use exchange::mailbox::{MailboxKeys, Packer, open};
use exchange::parcel::{self, ParcelWriter};
use exchange::store::StoreError;
use exchange::{Conversation, Effect, Frame, Held, Me, Page, Peer, Store, Taken};
use futures_util::FutureExt;
use seal::{
    BlobAddress, DeviceId, Envelope, EnvelopeId, Hash32, Identity, Link, OperationId, RosterHash, Signature, SigningKey,
};

const OPERATION: OperationId = OperationId([7; 32]);
/// Entries in a page, as the desk gives them.
const PAGE: usize = 1000;
/// Bytes of a sealed body with a note of 200 characters.
const BODY: usize = 450;

/// CPU seconds of the main thread so far.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds: f64 = text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0.0);
    nanoseconds / 1e9
}

/// A store that hands out what it has and counts what it gets.
struct Shelf {
    signing: SigningKey,
    peer: Peer,
    envelopes: Vec<Envelope>,
    taken: AtomicU64,
    /// Whether it holds the other's entries already, and reconciles.
    held: Vec<Held>,
}

impl Store for Shelf {
    fn operation(&self) -> OperationId {
        OPERATION
    }
    fn device(&self) -> DeviceId {
        self.signing.device_id()
    }
    fn store_id(&self) -> Hash32 {
        Hash32(self.signing.public())
    }
    fn peer(&self, _: &[u8; 32]) -> Option<Peer> {
        Some(self.peer.clone())
    }
    async fn cursor(&self, _: &Hash32) -> Result<u64, StoreError> {
        Ok(0)
    }
    async fn put_cursor(&self, _: &Hash32, _: u64) -> Result<(), StoreError> {
        Ok(())
    }
    fn ack(&self, store: Hash32, up_to: u64) -> Ack {
        Ack::sign(store, up_to, 0, &self.signing)
    }
    async fn acked(&self, _: Ack) -> Result<(), StoreError> {
        Ok(())
    }
    async fn heads(&self) -> Result<Vec<Head>, StoreError> {
        Ok(self.held.last().map(|held| (DeviceId([1; 32]), held.number, held.id)).into_iter().collect())
    }
    async fn outgoing(&self, _: &Peer, after: u64) -> Result<Page, StoreError> {
        let rest = self.envelopes.get(after as usize..).unwrap_or_default();
        let part: Vec<Envelope> = rest.iter().take(PAGE).cloned().collect();
        let (entries, next) = (part.len() as u64, after + part.len() as u64);
        let done = next as usize >= self.envelopes.len();
        Ok(Page { frames: Frame::batches(part), next, done, records: 0, entries })
    }
    async fn take(&self, _: &Peer, frames: Vec<Frame>) -> Result<Taken, StoreError> {
        let entries =
            frames.iter().map(|frame| if let Frame::Batch(batch) = frame { batch.len() as u64 } else { 0 }).sum();
        self.taken.fetch_add(entries, Ordering::Relaxed);
        Ok(Taken { records: 0, entries, refused: Vec::new() })
    }
    async fn wanted(&self) -> Result<Vec<(BlobAddress, u64)>, StoreError> {
        Ok(Vec::new())
    }
    async fn blob(&self, _: &Peer, _: BlobAddress, _: u64) -> Result<Option<Frame>, StoreError> {
        Ok(None)
    }
    async fn take_blob(&self, _: Frame) -> Result<Option<(BlobAddress, u64)>, StoreError> {
        Ok(None)
    }
    fn reconciles(&self) -> bool {
        !self.held.is_empty()
    }
    async fn sparse(&self, _: &Peer, _: u64) -> Result<Page, StoreError> {
        Ok(Page { next: self.envelopes.len() as u64, done: true, ..Page::default() })
    }
    async fn held(&self, _: &Peer) -> Result<Vec<Held>, StoreError> {
        Ok(self.held.clone())
    }
}

fn shelf(seed: u8, peer: u8, envelopes: Vec<Envelope>, held: Vec<Held>) -> Shelf {
    let device = SigningKey::from_seed(&[peer; 32]).device_id();
    let peer = Peer { device, agency: "emb".parse().expect("an id"), desk: true, revoked: false };
    Shelf { signing: SigningKey::from_seed(&[seed; 32]), peer, envelopes, taken: AtomicU64::new(0), held }
}

/// One conversation to its end; bytes over the wire, both ways.
fn converse(stores: [&Shelf; 2]) -> u64 {
    let mut bytes = 0;
    let start = |store: &Shelf| {
        let (device, id) = (store.device(), store.store_id());
        let me =
            Me { operation: OPERATION, device, store: id, desk: true, reconciles: store.reconciles(), stay: false };
        Conversation::start(me, store.peer.clone())
    };
    let ((mut first, a), (mut second, b)) = (start(stores[0]), start(stores[1]));
    let mut effects: [VecDeque<Effect>; 2] = [a.into(), b.into()];
    let mut wires: [VecDeque<Vec<u8>>; 2] = Default::default();
    while effects.iter().any(|queue| !queue.is_empty()) || wires.iter().any(|wire| !wire.is_empty()) {
        for side in 0..2 {
            let conversation = if side == 0 { &mut first } else { &mut second };
            match effects[side].pop_front() {
                None => {
                    if let Some(frame) = wires[1 - side].pop_front() {
                        effects[side].extend(conversation.frame(&frame));
                    }
                }
                Some(Effect::Send(frame)) => {
                    bytes += frame.len() as u64 + 4;
                    wires[side].push_back(frame);
                }
                Some(Effect::Drop(reason)) => panic!("{reason}"),
                Some(effect) => {
                    let more = act(stores[side], &[0; 32], conversation, effect).now_or_never();
                    let more = more.expect("memory does not wait").expect("memory does not fail");
                    more.into_iter().rev().for_each(|effect| effects[side].push_front(effect));
                }
            }
        }
    }
    bytes
}

fn entries(count: u64) -> Vec<Envelope> {
    let mut prev = EnvelopeId([0; 32]);
    let mut next = |number: u64| {
        let link = Link {
            operation: OPERATION,
            device: DeviceId([1; 32]),
            number,
            prev,
            roster: RosterHash([2; 32]),
            body: [3; 32],
        };
        prev = link.id();
        // Sealed bytes: a key for twenty entries, then noise.
        let mut body = [(number / 20).to_be_bytes(), [0; 8]].concat();
        body.extend(prev.0.iter().cycle().take(BODY - body.len()));
        Envelope { link, signature: Signature([4; 64]), body: Some(body) }
    };
    (1..=count).map(&mut next).collect()
}

fn main() {
    let count: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(20_000);
    let all = entries(count);
    let held: Vec<Held> = all.iter().map(|e| Held { number: e.link.number, id: e.id(), whole: true }).collect();

    let (full, empty) = (shelf(1, 2, all.clone(), Vec::new()), shelf(2, 1, Vec::new(), Vec::new()));
    let begin = cpu();
    let sync_bytes = converse([&full, &empty]);
    let sync = cpu() - begin;
    assert_eq!(empty.taken.load(Ordering::Relaxed), count);

    let (one, other) = (shelf(1, 2, all.clone(), held.clone()), shelf(2, 1, all.clone(), held));
    let begin = cpu();
    let reconcile_bytes = converse([&one, &other]);
    let reconcile = cpu() - begin;
    assert_eq!((one.taken.into_inner(), other.taken.into_inner()), (0, 0));

    let to = Identity::generate();
    let head = parcel::Head {
        operation: operation_tag(&OPERATION),
        from: full.device(),
        store: full.store_id(),
        after: 0,
        up_to: count,
        made_ms: 0,
    };
    let begin = cpu();
    let mut writer = ParcelWriter::start(Cursor::new(Vec::new()), &[to.recipient()], &head).expect("memory");
    for frame in Frame::batches(all.clone()) {
        writer.add(&frame).expect("memory");
    }
    let bytes = writer.finish_signed(&full.signing).expect("memory").into_inner();
    let checked = parcel::check(Cursor::new(&bytes), &[&to], &OPERATION).expect("whole");
    parcel::import(Cursor::new(&bytes), &[&to], &OPERATION, &checked, |_| Ok(())).expect("whole");
    let parcel = cpu() - begin;

    let keys = MailboxKeys::derive(&[1; 32], 1).expect("a seed");
    let begin = cpu();
    let mut packer = Packer::new(keys.public().0);
    for frame in Frame::batches(all) {
        packer.add(&frame).expect("memory");
    }
    let batches = packer.finish().expect("memory");
    let mailbox_bytes: usize = batches.iter().map(Vec::len).sum();
    for batch in &batches {
        open(batch, &keys, &OPERATION).expect("whole");
    }
    let mailbox = cpu() - begin;
    println!(
        "{{\"entries\":{count},\"sync_cpu_s\":{sync:.3},\"sync_bytes\":{sync_bytes},\"reconcile_cpu_s\":{reconcile:.3},\
         \"reconcile_bytes\":{reconcile_bytes},\"parcel_cpu_s\":{parcel:.3},\"parcel_bytes\":{},\
         \"mailbox_cpu_s\":{mailbox:.3},\"mailbox_bytes\":{mailbox_bytes}}}",
        bytes.len()
    );
}
