//! A store in memory, for conversations in tests: a commit log, chains, audiences and exhibits.
//! Whoever shares it uses a part of it only.
#![allow(dead_code)]

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use exchange::frame::{Ack, Head, store_name};
use exchange::store::StoreError;
use exchange::{Frame, Held, Page, Peer, Store, Taken};
use logbook::roster::{NameOpening, RosterObject};
use seal::{
    BlobAddress, DeviceId, Envelope, EnvelopeId, Hash32, Link, OperationId, OperatorId, RosterHash, SigningKey,
};

/// The operation of every test.
pub const OPERATION: OperationId = OperationId([7; 32]);
/// The bit of a record's first byte that says "read by the field device".
pub const FIELD: u8 = 0x80;
/// Commits in a page, where a test does not say otherwise.
const PAGE: usize = 7;

/// A seeded generator (splitmix64): a run can be replayed from its seed.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
    pub fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }
}

/// Who takes part, as every roster here knows them.
#[derive(Clone)]
pub struct Members(Arc<Mutex<BTreeMap<[u8; 32], Peer>>>);

impl Members {
    pub fn new() -> Self {
        Self(Arc::default())
    }
    pub fn enrol(&self, network: [u8; 32], peer: Peer) {
        self.0.lock().unwrap().insert(network, peer);
    }
    pub fn revoke(&self, device: DeviceId) {
        self.0.lock().unwrap().values_mut().filter(|peer| peer.device == device).for_each(|peer| peer.revoked = true);
    }
    fn find(&self, network: &[u8; 32]) -> Option<Peer> {
        self.0.lock().unwrap().get(network).cloned()
    }
}

/// What is committed, in order.
#[derive(Clone)]
enum Commit {
    Roster(RosterObject),
    /// Whether the body came with it.
    Envelope(EnvelopeId, bool),
}

/// What survives a crash.
#[derive(Clone, Default)]
pub struct State {
    log: Vec<Commit>,
    roster: HashSet<Hash32>,
    envelopes: HashMap<EnvelopeId, Envelope>,
    heads: BTreeMap<DeviceId, (u64, EnvelopeId)>,
    cursors: HashMap<Hash32, u64>,
    pub acks: BTreeMap<DeviceId, u64>,
    blobs: BTreeMap<BlobAddress, Vec<u8>>,
    partial: BTreeMap<BlobAddress, Vec<u8>>,
    /// Counts what would be work in a real store.
    pub given: u64,
}

/// One device's store.
#[derive(Clone)]
pub struct Memory {
    pub me: Peer,
    pub network: [u8; 32],
    pub signing: SigningKey,
    pub members: Members,
    pub id: Hash32,
    pub reconciles: bool,
    /// Commits in a page.
    pub page: usize,
    pub state: Arc<Mutex<State>>,
}

/// An exhibit's address is the hash of its bytes here, and its entry names it.
pub fn address_of(bytes: &[u8]) -> BlobAddress {
    BlobAddress(seal::hash::tagged("test/blob", &[bytes]))
}

impl Memory {
    /// A device of an agency, enrolled with the members.
    pub fn new(seed: u8, agency: &str, desk: bool, members: &Members) -> Self {
        let signing = SigningKey::from_seed(&[seed; 32]);
        let network = SigningKey::from_seed(&[seed + 100; 32]).public();
        let me = Peer { device: signing.device_id(), agency: agency.parse().unwrap(), desk, revoked: false };
        members.enrol(network, me.clone());
        let id = Hash32([seed; 32]);
        Self { me, network, signing, members: members.clone(), id, reconciles: true, page: PAGE, state: Arc::default() }
    }
    pub fn network_seed(seed: u8) -> [u8; 32] {
        [seed + 100; 32]
    }
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
    /// Writes an entry: `record` says who reads it (a bit per agency a, b, c; [`FIELD`]).
    pub fn append(&self, record: u8, text: &[u8], exhibit: Option<&[u8]>) -> EnvelopeId {
        let mut state = self.lock();
        let (last, prev) = state.heads.get(&self.me.device).copied().unwrap_or((0, EnvelopeId([0; 32])));
        let mut body = vec![record, u8::from(exhibit.is_some())];
        if let Some(bytes) = exhibit {
            let address = address_of(bytes);
            body.extend_from_slice(&address.0);
            state.blobs.insert(address, bytes.to_vec());
        }
        body.extend_from_slice(text);
        let link = Link {
            operation: OPERATION,
            device: self.me.device,
            number: last + 1,
            prev,
            roster: RosterHash([1; 32]),
            body: seal::hash::tagged("test/body", &[&body]),
        };
        let envelope = Envelope { signature: link.sign(&self.signing), link, body: Some(body) };
        state.commit(envelope);
        link.id()
    }
    /// Commits a roster object.
    pub fn add_name(&self, number: u64) {
        let salt = format!("{number:032x}");
        let object = RosterObject::Name(NameOpening { operator: OperatorId([1; 16]), name: "N".into(), salt });
        self.lock().commit_roster(object);
    }
    /// Everything that this store should end up with, if `all` are all stores.
    pub fn is_complete(&self, all: &[Memory]) -> Result<(), String> {
        let mine = self.lock();
        for other in all.iter().filter(|other| other.id != self.id) {
            let theirs = other.lock();
            for envelope in theirs.envelopes.values() {
                let held = mine.envelopes.get(&envelope.id());
                if self.me.desk && held.is_none() {
                    return Err(format!("{} misses a link of {}", self.id.short(), other.id.short()));
                }
                let reads = envelope.body.as_ref().is_some_and(|body| reads(&self.me, body));
                if reads && held.is_none_or(|envelope| envelope.body.is_none()) {
                    return Err(format!("{} misses a body of {}", self.id.short(), other.id.short()));
                }
            }
            if theirs.roster.difference(&mine.roster).next().is_some() {
                return Err("a roster object is missing".into());
            }
        }
        let wanted = mine.wanted();
        if wanted.is_empty() { Ok(()) } else { Err(format!("{} exhibits are missing", wanted.len())) }
    }
    /// Nothing may be here that this device must not have.
    pub fn holds_only_its_own(&self) -> bool {
        let me = self.lock();
        me.envelopes.values().all(|envelope| match &envelope.body {
            Some(body) => envelope.link.device == self.me.device || reads(&self.me, body),
            None => self.me.desk,
        })
    }
    /// What is not here of everything up to `up_to` of `author` that this device may have: an
    /// acknowledgement promises that there is nothing.
    pub fn misses_up_to(&self, author: &Memory, up_to: u64) -> Vec<String> {
        let revoked = self.revoked();
        let (mine, theirs) = (self.lock(), author.lock());
        let missing = theirs.log.iter().take(up_to as usize).enumerate().filter_map(|(at, commit)| {
            let here = match commit {
                Commit::Roster(object) => mine.roster.contains(&object.id()),
                Commit::Envelope(..) if revoked => true,
                // A link without its body is nothing to a field device; the body is a commit of its own.
                Commit::Envelope(_, false) if !self.me.desk => true,
                Commit::Envelope(id, whole) => match theirs.item(id, &self.me) {
                    None => true,
                    Some(item) => {
                        mine.envelopes.get(id).is_some_and(|held| item.body.is_none() || held.body.is_some() || !whole)
                    }
                },
            };
            (!here).then(|| match commit {
                Commit::Roster(_) => format!("roster object at {}", at + 1),
                Commit::Envelope(id, whole) => format!("{} at {}, whole {whole}", id.short(), at + 1),
            })
        });
        missing.collect()
    }
    fn revoked(&self) -> bool {
        self.members.find(&self.network).is_some_and(|peer| peer.revoked)
    }
    pub fn commits(&self) -> usize {
        self.lock().log.len()
    }
    pub fn holds(&self, id: &EnvelopeId) -> bool {
        self.lock().envelopes.contains_key(id)
    }
    pub fn entries(&self) -> usize {
        self.lock().envelopes.values().filter(|envelope| envelope.body.is_some()).count()
    }
    /// What this store calls another's.
    pub fn cursor_for(&self, other: &Memory) -> u64 {
        self.lock().cursors.get(&store_name(&other.me.device, &other.id)).copied().unwrap_or(0)
    }
}

/// Whether a peer is in a body's audience.
fn reads(peer: &Peer, body: &[u8]) -> bool {
    let bit = match (peer.desk, peer.agency.as_str()) {
        (false, _) => FIELD,
        (true, "a") => 1,
        (true, "b") => 2,
        _ => 4,
    };
    body.first().is_some_and(|record| record & bit != 0)
}

fn exhibit_of(body: &[u8]) -> Option<BlobAddress> {
    (body.get(1) == Some(&1)).then(|| BlobAddress(body[2..34].try_into().unwrap()))
}

impl State {
    fn commit(&mut self, envelope: Envelope) {
        let id = envelope.id();
        self.log.push(Commit::Envelope(id, envelope.body.is_some()));
        let device = envelope.link.device;
        self.envelopes.insert(id, envelope);
        // The longest chain without a gap.
        loop {
            let (last, prev) = self.heads.get(&device).copied().unwrap_or((0, EnvelopeId([0; 32])));
            let next = self
                .envelopes
                .values()
                .find(|e| e.link.device == device && e.link.number == last + 1 && e.link.prev == prev);
            let Some(next) = next.map(Envelope::id) else { return };
            self.heads.insert(device, (last + 1, next));
        }
    }
    fn commit_roster(&mut self, object: RosterObject) {
        if self.roster.insert(object.id()) {
            self.log.push(Commit::Roster(object));
        }
    }
    fn item(&self, id: &EnvelopeId, peer: &Peer) -> Option<Envelope> {
        let mut envelope = self.envelopes.get(id)?.clone();
        if !envelope.body.as_ref().is_some_and(|body| reads(peer, body)) {
            envelope.body = None;
        }
        (envelope.body.is_some() || peer.desk).then_some(envelope)
    }
    fn wanted(&self) -> Vec<(BlobAddress, u64)> {
        let named: BTreeSet<BlobAddress> =
            self.envelopes.values().filter_map(|envelope| exhibit_of(envelope.body.as_ref()?)).collect();
        let missing = named.into_iter().filter(|address| !self.blobs.contains_key(address));
        missing.map(|address| (address, self.partial.get(&address).map_or(0, |part| part.len() as u64))).collect()
    }
    fn take(&mut self, envelope: Envelope) -> Result<bool, String> {
        if envelope.link.verify(&envelope.signature).is_err() {
            return Err("a signature".into());
        }
        if let Some(body) = &envelope.body
            && seal::hash::tagged("test/body", &[body]) != envelope.link.body
        {
            return Err("a body".into());
        }
        let new = match self.envelopes.get(&envelope.id()) {
            None => true,
            Some(held) => held.body.is_none() && envelope.body.is_some(),
        };
        if new {
            self.commit(envelope);
        }
        Ok(new)
    }
}

impl Store for Memory {
    fn operation(&self) -> OperationId {
        OPERATION
    }
    fn device(&self) -> DeviceId {
        self.me.device
    }
    fn store_id(&self) -> Hash32 {
        self.id
    }
    fn peer(&self, network_key: &[u8; 32]) -> Option<Peer> {
        self.members.find(network_key)
    }
    async fn cursor(&self, store: &Hash32) -> Result<u64, StoreError> {
        Ok(self.lock().cursors.get(store).copied().unwrap_or(0))
    }
    async fn put_cursor(&self, store: &Hash32, next: u64) -> Result<(), StoreError> {
        self.lock().cursors.insert(*store, next);
        Ok(())
    }
    fn ack(&self, store: Hash32, up_to: u64) -> Ack {
        Ack::sign(store, up_to, 0, &self.signing)
    }
    fn ack_with(&self, store: Hash32, up_to: u64, heads: Vec<Head>) -> Ack {
        Ack::sign_with(store, up_to, heads, 0, &self.signing)
    }
    async fn acked(&self, ack: Ack) -> Result<(), StoreError> {
        let mut state = self.lock();
        let held = state.acks.entry(ack.by).or_default();
        *held = (*held).max(ack.up_to);
        Ok(())
    }
    async fn heads(&self) -> Result<Vec<Head>, StoreError> {
        Ok(self.lock().heads.iter().map(|(device, (number, id))| (*device, *number, *id)).collect())
    }
    async fn outgoing(&self, peer: &Peer, after: u64) -> Result<Page, StoreError> {
        let state = self.lock();
        let (mut page, mut envelopes) = (Page::default(), Vec::new());
        let commits = state.log.iter().enumerate().skip(after as usize).take(self.page);
        page.next = after.min(state.log.len() as u64);
        for (at, commit) in commits {
            page.next = at as u64 + 1;
            match commit {
                Commit::Roster(object) => page.frames.push(Frame::Roster(object.clone())),
                Commit::Envelope(id, _) => envelopes.extend(state.item(id, peer)),
            }
        }
        page.entries = envelopes.iter().filter(|envelope| envelope.body.is_some()).count() as u64;
        page.records = page.entries;
        page.done = page.next >= state.log.len() as u64;
        page.frames.extend(Frame::batches(envelopes));
        Ok(page)
    }
    async fn take(&self, from: &Peer, frames: Vec<Frame>) -> Result<Taken, StoreError> {
        let mut state = self.lock();
        let mut taken = Taken::default();
        let _ = from;
        for frame in frames {
            match frame {
                Frame::Roster(object) => state.commit_roster(object),
                Frame::Batch(envelopes) => {
                    for envelope in envelopes {
                        let whole = u64::from(envelope.body.is_some());
                        match state.take(envelope) {
                            Ok(new) => taken.entries += u64::from(new) * whole,
                            Err(reason) => taken.refused.push(reason),
                        }
                    }
                }
                _ => {}
            }
        }
        taken.records = taken.entries;
        Ok(taken)
    }
    async fn wanted(&self) -> Result<Vec<(BlobAddress, u64)>, StoreError> {
        Ok(self.lock().wanted())
    }
    async fn blob(&self, peer: &Peer, address: BlobAddress, from: u64) -> Result<Option<Frame>, StoreError> {
        let state = self.lock();
        let theirs = state
            .envelopes
            .values()
            .filter_map(|e| e.body.as_ref())
            .any(|body| reads(peer, body) && exhibit_of(body) == Some(address));
        let Some(bytes) = state.blobs.get(&address).filter(|bytes| theirs && from as usize <= bytes.len()) else {
            return Ok(None);
        };
        // Small parts, so that a cut falls between them.
        let part = &bytes[from as usize..bytes.len().min(from as usize + 1000)];
        let total = bytes.len() as u64;
        Ok(Some(Frame::BlobPart { address, offset: from, total, bytes: part.to_vec() }))
    }
    async fn take_blob(&self, part: Frame) -> Result<Option<(BlobAddress, u64)>, StoreError> {
        let Frame::BlobPart { address, offset, total, bytes } = part else { return Ok(None) };
        let mut state = self.lock();
        let held = state.partial.entry(address).or_default();
        if held.len() as u64 != offset {
            return Ok(None);
        }
        held.extend_from_slice(&bytes);
        if (held.len() as u64) < total {
            return Ok(Some((address, held.len() as u64)));
        }
        if let Some(whole) = state.partial.remove(&address)
            && address_of(&whole) == address
        {
            state.blobs.insert(address, whole);
        }
        Ok(None)
    }
    fn reconciles(&self) -> bool {
        self.reconciles
    }
    async fn held(&self, peer: &Peer) -> Result<Vec<Held>, StoreError> {
        let state = self.lock();
        let both = |id: &EnvelopeId| state.item(id, peer);
        let held = state.envelopes.keys().filter_map(both).map(|envelope| Held {
            number: envelope.link.number,
            id: envelope.id(),
            whole: envelope.body.is_some(),
        });
        Ok(held.collect())
    }
    async fn give(&self, peer: &Peer, ids: &[EnvelopeId]) -> Result<Page, StoreError> {
        let mut state = self.lock();
        let envelopes: Vec<Envelope> = ids.iter().filter_map(|id| state.item(id, peer)).collect();
        state.given += envelopes.len() as u64;
        let entries = envelopes.iter().filter(|envelope| envelope.body.is_some()).count() as u64;
        Ok(Page { frames: Frame::batches(envelopes), entries, records: entries, ..Page::default() })
    }
}
