//! The exchange's view of the vault.

use std::sync::Arc;

use exchange::frame::{Ack, Head, MAX_PART};
use exchange::store::StoreError;
use exchange::{Frame, Held, Page, Peer, Store, Taken};
use logbook::record_state::Audience;
use logbook::roster::{Device, RosterObject};
use seal::{BlobAddress, DeviceId, Envelope, EnvelopeId, Hash32, OperationId};
use vault::{Incoming, Ingested, Origin, OutItem, OutPage, OutQuery, Way};

use crate::moment;
use crate::session::Desk;

/// Envelopes in a page: some 650 KiB of entries.
pub(crate) const PAGE: usize = 1000;

fn failed(error: impl std::fmt::Display) -> StoreError {
    StoreError(error.to_string())
}

/// A desk as the exchange sees it; how things came decides whether they are posted on.
#[derive(Clone)]
pub(crate) struct DeskStore {
    pub desk: Desk,
    pub origin: Origin,
}

/// A page's items as frames, and how many records and entries are in it.
pub(crate) fn frames(items: Vec<OutItem>) -> (Vec<Frame>, u64, u64) {
    let (mut frames, mut envelopes): (Vec<Frame>, Vec<Envelope>) = (Vec::new(), Vec::new());
    let mut entries = 0;
    for item in items {
        match item {
            OutItem::Roster(object) => frames.push(Frame::Roster(object)),
            OutItem::Wrap(to, wrap) => frames.push(Frame::Wrap(to, wrap)),
            OutItem::Link(link, signature) => envelopes.push(Envelope { link, signature, body: None }),
            OutItem::Envelope(envelope) => {
                entries += 1;
                envelopes.push(envelope);
            }
        }
    }
    // An envelope names its record's key in its first 16 bytes: near enough to a record for a number.
    let keys: std::collections::BTreeSet<Vec<u8>> =
        envelopes.iter().filter_map(|envelope| envelope.body.as_ref()?.get(..16).map(<[u8]>::to_vec)).collect();
    let records = keys.len() as u64;
    frames.extend(Frame::batches(envelopes));
    (frames, records, entries)
}

impl Desk {
    /// The exchange's view of this desk.
    pub(crate) fn as_store(&self, origin: Origin) -> Arc<DeskStore> {
        Arc::new(DeskStore { desk: self.clone(), origin })
    }

    /// Takes frames in: roster first, then the rest in one batch; durable when this returns.
    /// `from` handed them over itself.
    pub(crate) async fn take_frames(
        &self,
        taken: Vec<Frame>,
        origin: Origin,
        from: Option<DeviceId>,
    ) -> crate::Result<Ingested> {
        let mut roster: Vec<RosterObject> = Vec::new();
        let mut incoming =
            Incoming { received_ms: moment::now().wall_ms, origin: Some(origin), from, ..Incoming::default() };
        for frame in taken {
            match frame {
                Frame::Roster(object) => roster.push(object),
                Frame::Wrap(to, wrap) => incoming.wraps.push((to, wrap)),
                Frame::Batch(envelopes) => {
                    for envelope in envelopes {
                        match envelope.body {
                            None => incoming.links.push((envelope.link, envelope.signature)),
                            Some(_) => incoming.envelopes.push(envelope),
                        }
                    }
                }
                _ => {}
            }
        }
        let mut refused = Vec::new();
        if !roster.is_empty() {
            let outcome = self.take_roster(roster).await?;
            refused = outcome.refused;
        }
        let mut ingested = self.vault().ingest(incoming).await?;
        ingested.refused.extend(refused.into_iter().map(|reason| vault::Refused { reason, envelope: None }));
        Ok(ingested)
    }

    /// As whom a device of the roster reads.
    pub(crate) fn peer_of(&self, device: &Device) -> Peer {
        Peer {
            device: device.id,
            agency: device.agency.clone(),
            desk: device.is_desk(),
            revoked: device.revoked.is_some(),
        }
    }
}

/// What a peer may have after a commit number.
fn query(peer: &Peer, after: u64) -> Result<OutQuery, StoreError> {
    Ok(OutQuery {
        to: peer.audience(),
        device: Some(peer.device),
        desk: peer.desk,
        after: i64::try_from(after).map_err(failed)?,
        through: Way::Direct,
        limit: PAGE,
    })
}

/// A revoked device gets the roster, which tells it so, and nothing else.
fn page_of(peer: &Peer, mut page: OutPage) -> Page {
    if peer.revoked {
        page.items.retain(|item| matches!(item, OutItem::Roster(_)));
    }
    let (frames, records, entries) = frames(page.items);
    Page { frames, next: page.next as u64, done: page.done, records, entries }
}

impl DeskStore {
    /// Whether this device counts every chain.
    fn is_desk(&self) -> bool {
        self.desk.roster().device(&self.desk.device()).is_some_and(Device::is_desk)
    }
}

impl Store for DeskStore {
    fn operation(&self) -> OperationId {
        self.desk.roster().operation().unwrap_or(OperationId([0; 32]))
    }
    fn device(&self) -> DeviceId {
        self.desk.device()
    }
    fn store_id(&self) -> Hash32 {
        self.desk.vault().store_id()
    }
    fn peer(&self, network_key: &[u8; 32]) -> Option<Peer> {
        let roster = self.desk.roster();
        roster.device_by_network_key(network_key).map(|device| self.desk.peer_of(device))
    }
    async fn cursor(&self, store: &Hash32) -> Result<u64, StoreError> {
        let held = self.desk.vault().cursor(&format!("from:{store}")).await.map_err(failed)?;
        Ok(held as u64)
    }
    async fn put_cursor(&self, store: &Hash32, next: u64) -> Result<(), StoreError> {
        let next = i64::try_from(next).map_err(failed)?;
        self.desk.vault().put_cursor(&format!("from:{store}"), next).await.map_err(failed)
    }
    fn ack(&self, store: Hash32, up_to: u64) -> Ack {
        Ack::sign(store, up_to, moment::now().wall_ms, &self.desk.inner.keys.signing)
    }
    async fn acked(&self, ack: Ack) -> Result<(), StoreError> {
        let up_to = i64::try_from(ack.up_to).map_err(failed)?;
        self.desk.vault().put_ack(&ack.by, up_to, ack.at_ms).await.map_err(failed)
    }
    fn ack_with(&self, store: Hash32, up_to: u64, heads: Vec<Head>) -> Ack {
        Ack::sign_with(store, up_to, heads, moment::now().wall_ms, &self.desk.inner.keys.signing)
    }
    async fn heads(&self) -> Result<Vec<Head>, StoreError> {
        // Chains of devices that no roster knows say nothing of what is complete.
        let (mut heads, roster) = (self.desk.vault().heads().await.map_err(failed)?, self.desk.roster());
        heads.retain(|(device, ..)| roster.device(device).is_some());
        Ok(heads)
    }
    async fn outgoing(&self, peer: &Peer, after: u64) -> Result<Page, StoreError> {
        let page = self.desk.vault().outgoing(&query(peer, after)?).await.map_err(failed)?;
        Ok(page_of(peer, page))
    }
    fn reconciles(&self) -> bool {
        true
    }
    async fn sparse(&self, peer: &Peer, after: u64) -> Result<Page, StoreError> {
        let page = self.desk.vault().roster_and_wraps(&query(peer, after)?).await.map_err(failed)?;
        Ok(page_of(peer, page))
    }
    async fn held(&self, peer: &Peer) -> Result<Vec<Held>, StoreError> {
        if peer.revoked {
            return Ok(Vec::new());
        }
        let links = peer.desk && self.is_desk();
        let held = self.desk.vault().holdings(&peer.audience(), Some(&peer.device), links).await.map_err(failed)?;
        Ok(held.into_iter().map(|held| Held { number: held.number, id: held.id, whole: held.whole }).collect())
    }
    async fn give(&self, peer: &Peer, ids: &[EnvelopeId]) -> Result<Page, StoreError> {
        if peer.revoked {
            return Ok(Page::default());
        }
        let links = peer.desk && self.is_desk();
        let vault = self.desk.vault();
        let items = vault.envelopes_by_id(ids, &peer.audience(), Some(&peer.device), links).await.map_err(failed)?;
        let (frames, records, entries) = frames(items);
        Ok(Page { frames, next: 0, done: true, records, entries })
    }
    async fn take(&self, from: &Peer, taken: Vec<Frame>) -> Result<Taken, StoreError> {
        let ingested = self.desk.take_frames(taken, self.origin, Some(from.device)).await.map_err(failed)?;
        self.desk.receive_referrals(&ingested.touched).await.map_err(failed)?;
        Ok(Taken {
            records: ingested.records as u64,
            entries: ingested.entries as u64,
            refused: ingested.refused.into_iter().map(|refused| refused.reason).collect(),
        })
    }
    async fn wanted(&self) -> Result<Vec<(BlobAddress, u64)>, StoreError> {
        let wanted = self.desk.vault().wanted_blobs().await.map_err(failed)?;
        Ok(wanted.into_iter().map(|(address, _, have)| (address, have)).collect())
    }
    async fn blob(&self, peer: &Peer, address: BlobAddress, from: u64) -> Result<Option<Frame>, StoreError> {
        let vault = self.desk.vault();
        if peer.revoked {
            return Ok(None);
        }
        let total = vault.blob_for(&peer.audience(), Some(&peer.device), &address).await.map_err(failed)?;
        let Some(total) = total.filter(|total| from <= *total) else { return Ok(None) };
        let bytes = vault.read_blob_part(&address, from, MAX_PART).await.map_err(failed)?;
        Ok(Some(Frame::BlobPart { address, offset: from, total, bytes }))
    }
    async fn take_blob(&self, part: Frame) -> Result<Option<(BlobAddress, u64)>, StoreError> {
        let Frame::BlobPart { address, offset, total, bytes } = part else { return Ok(None) };
        if bytes.is_empty() {
            return Ok(None);
        }
        // A part that does not fit is the peer's fault and costs only this exhibit.
        match self.desk.vault().blob_part(&address, offset, total, &bytes).await {
            Ok(progress) if !progress.complete => Ok(Some((address, progress.next))),
            Ok(_) | Err(vault::VaultError::Invalid(_)) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }
}

/// The recipients of an audience that are not this device's own.
pub(crate) fn is_own(desk: &Desk, member: &Audience) -> bool {
    match member {
        Audience::Agency(id) => id == desk.agency(),
        Audience::Device(id) => *id == desk.device(),
    }
}
