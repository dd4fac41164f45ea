//! Carrying: what a LAN, a relay and a parcel have in common, and the LAN.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use exchange::lan::{self, LanError};
use exchange::parcel::ParcelError;
use exchange::relay::client::ClientError;
use exchange::store::MAX_REASONS;
use tokio::sync::broadcast;
use vault::{Ingested, Origin};

use crate::error::{Code, DeskError, Result};
use crate::session::Desk;
use crate::wire::{Bytes, Moved, Refusal, SyncReport};

impl From<LanError> for DeskError {
    fn from(error: LanError) -> Self {
        match error {
            LanError::Stranger => Self::new(
                Code::NotAllowed,
                error.to_string(),
                "Nothing was sent to it. Check the address; a device that was enrolled lately may need a roster exchange first.",
            ),
            LanError::Store(ref failed) => Self::storage(failed.to_string()),
            other => Self::network(other.to_string()),
        }
    }
}

impl From<ClientError> for DeskError {
    fn from(error: ClientError) -> Self {
        Self::network(error.to_string())
    }
}

impl From<ParcelError> for DeskError {
    fn from(error: ParcelError) -> Self {
        match error {
            ParcelError::WrongRecipient | ParcelError::ForeignOperation => Self::new(
                Code::NotAllowed,
                error.to_string(),
                "Nothing was imported. Give it unopened to the institution that it is for.",
            ),
            ParcelError::Newer => Self::new(
                Code::Integrity,
                error.to_string(),
                "Nothing was imported. Update this software, then read it again.",
            ),
            ParcelError::Io(_) | ParcelError::Full => Self::storage(error.to_string()),
            ParcelError::NotAParcel | ParcelError::Damaged(_) => Self::integrity(error.to_string()),
        }
    }
}

/// Adds up what several batches brought.
#[derive(Default)]
pub(crate) struct Tally {
    pub records: BTreeSet<seal::RecordId>,
    pub entries: u64,
    pub refused: Vec<Refusal>,
}

impl Tally {
    pub(crate) fn add(&mut self, ingested: Ingested) {
        self.entries += ingested.entries as u64;
        self.records.extend(ingested.touched);
        self.refuse(ingested.refused.into_iter().map(|refused| refused.reason));
    }
    /// Notes what was refused; no more than a person can read.
    pub(crate) fn refuse(&mut self, reasons: impl IntoIterator<Item = String>) {
        let room = MAX_REASONS.saturating_sub(self.refused.len());
        self.refused.extend(reasons.into_iter().take(room).map(|reason| Refusal { reason }));
    }
    pub(crate) fn moved(&self) -> Moved {
        // Records that only a roster touched brought no entry.
        let records = if self.entries == 0 { 0 } else { self.records.len() as u64 };
        Moved { records, entries: self.entries }
    }
}

impl Desk {
    pub(crate) fn check_member(&self) -> Result<()> {
        let roster = self.roster();
        self.me(&roster).map(|_| ())
    }

    /// A receiver of "something changed here", for conversations that stay.
    pub(crate) fn live(&self) -> broadcast::Receiver<()> {
        let (to, receiver) = broadcast::channel(16);
        let mut changes = self.vault().subscribe();
        tokio::spawn(async move {
            loop {
                match changes.recv().await {
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {
                        if to.send(()).is_err() {
                            return;
                        }
                    }
                    Err(broadcast::error::RecvError::Closed) => return,
                }
            }
        });
        receiver
    }

    /// Answers other devices on the LAN until `stop` completes; `ready` is told address and endpoint id.
    pub async fn serve(
        &self,
        listen: SocketAddr,
        ready: impl FnOnce(SocketAddr, &str),
        stop: impl Future<Output = ()> + Send,
    ) -> Result<()> {
        self.check_member()?;
        let server = lan::Server::bind(listen, &self.inner.keys.network).await?;
        ready(server.address().unwrap_or(listen), &server.id());
        let desk = self.clone();
        server.run(self.as_store(Origin::Lan), move || desk.live(), stop).await;
        Ok(())
    }

    /// One conversation with a device on the LAN; with `watch`, it stays until the peer leaves.
    pub async fn sync_peer(&self, peer: SocketAddr, watch: bool) -> Result<SyncReport> {
        self.check_member()?;
        let store = self.as_store(Origin::Lan);
        let live = watch.then(|| self.live());
        let report = lan::call(peer, &self.inner.keys.network, store.as_ref(), live).await?;
        self.note_contact().await?;
        let received = report.summary.received;
        Ok(SyncReport {
            received: Moved { records: received.records, entries: received.entries },
            sent: Moved { records: report.summary.sent_records, entries: report.summary.sent_entries },
            refused: received.refused.into_iter().map(|reason| Refusal { reason }).collect(),
            bytes: Bytes { r#in: report.bytes_in, out: report.bytes_out },
        })
    }
}
