//! What a conversation needs of the store behind it. The desk implements it over the vault.

use std::future::Future;

use logbook::AgencyId;
use logbook::record_state::Audience;
use seal::{BlobAddress, DeviceId, EnvelopeId, Hash32, OperationId};

use crate::frame::{Ack, Frame, Head};

/// Reasons kept of what was refused in one conversation: enough for a person to see what is wrong,
/// and a bound on what a peer that sends junk for days can make us hold.
pub const MAX_REASONS: usize = 1000;

/// A failure of the store: what is said to the person, and whether the disk is the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(pub String);

/// The other side, as the roster knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its device.
    pub device: DeviceId,
    /// Its agency.
    pub agency: AgencyId,
    /// Whether it works at its agency's desks, and so counts every chain.
    pub desk: bool,
    /// A revoked device gets only the roster; what it hands over is taken and judged.
    pub revoked: bool,
}

impl Peer {
    /// As whom it reads.
    pub fn audience(&self) -> Audience {
        if self.desk { Audience::Agency(self.agency.clone()) } else { Audience::Device(self.device) }
    }
}

/// A page of frames for a peer.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Roster first, then wraps, then batches.
    pub frames: Vec<Frame>,
    /// The commit number that the page covers.
    pub next: u64,
    /// Whether nothing is left after it.
    pub done: bool,
    /// Records whose entries are in it, about.
    pub records: u64,
    /// Entries with bodies in it.
    pub entries: u64,
}

/// What came of frames.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// Records touched.
    pub records: u64,
    /// New entries.
    pub entries: u64,
    /// Why others were refused; at most [`MAX_REASONS`].
    pub refused: Vec<String>,
}

impl Taken {
    /// Adds another.
    pub fn add(&mut self, other: Taken) {
        self.records += other.records;
        self.entries += other.entries;
        let room = MAX_REASONS.saturating_sub(self.refused.len());
        self.refused.extend(other.refused.into_iter().take(room));
    }
}

/// An envelope as one side of a reconciliation holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Its number in its device's chain: the same at both sides, and what is new stands together.
    pub number: u64,
    /// Its id.
    pub id: EnvelopeId,
    /// With its body; otherwise the link alone.
    pub whole: bool,
}

/// The store. What it says is durable, it has made durable before it returns.
pub trait Store: Send + Sync {
    /// The operation.
    fn operation(&self) -> OperationId;
    /// This device.
    fn device(&self) -> DeviceId;
    /// This store, as it calls itself. What comes in as `store` elsewhere is
    /// [`crate::frame::store_name`] of a device and its store.
    fn store_id(&self) -> Hash32;
    /// The device behind an endpoint key, if the roster certifies one.
    fn peer(&self, network_key: &[u8; 32]) -> Option<Peer>;
    /// How far another store has been taken in here; 0 where it is unknown.
    fn cursor(&self, store: &Hash32) -> impl Future<Output = Result<u64, StoreError>> + Send;
    /// Remembers that.
    fn put_cursor(&self, store: &Hash32, next: u64) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Signs that.
    fn ack(&self, store: Hash32, up_to: u64) -> Ack;
    /// Signs that, together with the chains held here; see [`Ack::sign_with`].
    fn ack_with(&self, store: Hash32, up_to: u64, heads: Vec<Head>) -> Ack {
        let _ = heads;
        self.ack(store, up_to)
    }
    /// Remembers that a peer has signed how far it holds this store.
    fn acked(&self, ack: Ack) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// The ends of the chains known here, each without a gap.
    fn heads(&self) -> impl Future<Output = Result<Vec<Head>, StoreError>> + Send;
    /// A page for a peer, after a commit number.
    fn outgoing(&self, peer: &Peer, after: u64) -> impl Future<Output = Result<Page, StoreError>> + Send;
    /// Takes frames in; durable when it returns.
    fn take(&self, from: &Peer, frames: Vec<Frame>) -> impl Future<Output = Result<Taken, StoreError>> + Send;
    /// Exhibits that are missing here: (address, first missing byte).
    fn wanted(&self) -> impl Future<Output = Result<Vec<(BlobAddress, u64)>, StoreError>> + Send;
    /// A part of an exhibit that the peer may read; `None` if it is not here or not the peer's.
    fn blob(
        &self,
        peer: &Peer,
        address: BlobAddress,
        from: u64,
    ) -> impl Future<Output = Result<Option<Frame>, StoreError>> + Send;
    /// Takes a part; gives back the next byte wanted, `None` when it is complete or unwanted.
    fn take_blob(&self, part: Frame) -> impl Future<Output = Result<Option<(BlobAddress, u64)>, StoreError>> + Send;

    /// Whether [`Store::held`] and [`Store::give`] answer. Without it, a new peer gets everything from
    /// the beginning, and a doubt stays one.
    fn reconciles(&self) -> bool {
        false
    }
    /// A page of roster and wraps only, for a peer that reconciles the rest.
    fn sparse(&self, peer: &Peer, after: u64) -> impl Future<Output = Result<Page, StoreError>> + Send {
        async move {
            let mut page = self.outgoing(peer, after).await?;
            page.frames.retain(|frame| !matches!(frame, Frame::Batch(_)));
            (page.records, page.entries) = (0, 0);
            Ok(page)
        }
    }
    /// What is held here of what the peer may have: bodies of the records that both read, and every
    /// link where both are desks. Either side computes the same set of what both hold.
    fn held(&self, peer: &Peer) -> impl Future<Output = Result<Vec<Held>, StoreError>> + Send {
        let _ = peer;
        async { Ok(Vec::new()) }
    }
    /// Envelopes by id, as the peer may have them; ids that are not here or not the peer's are left
    /// out. `next` and `done` of the page say nothing.
    fn give(&self, peer: &Peer, ids: &[EnvelopeId]) -> impl Future<Output = Result<Page, StoreError>> + Send {
        let _ = (peer, ids);
        async { Ok(Page::default()) }
    }
}
