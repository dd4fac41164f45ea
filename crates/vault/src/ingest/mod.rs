//! Taking in what others wrote: verified first, then opened, folded, projected, in one transaction.

mod work;

use logbook::action::GrantTo;
use seal::sign::Verifier;
use seal::{DeviceId, Envelope, EnvelopeId, Link, OperationId, RecordId, Signature, Wrap};

use crate::error::{Result, VaultError};
use crate::store::Vault;
use work::{Source, Work};

/// Envelopes whose signatures are checked where the call runs; more, some 60 µs each, would hold up
/// other tasks, and go to a thread of their own.
const CHECKED_IN_PLACE: usize = 16;

/// How something came here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Written here.
    Own = 0,
    /// From a peer.
    Lan = 1,
    /// From a parcel.
    Parcel = 2,
    /// From a relay.
    Relay = 3,
}

/// A batch to take in.
#[derive(Default)]
pub struct Incoming {
    /// Links whose bodies this device does not get.
    pub links: Vec<(Link, Signature)>,
    /// Whole envelopes.
    pub envelopes: Vec<Envelope>,
    /// Wraps.
    pub wraps: Vec<(GrantTo, Wrap)>,
    /// When, by this device's clock, milliseconds.
    pub received_ms: i64,
    /// How.
    pub origin: Option<Origin>,
    /// The device that handed it over itself; it is not sent back there.
    pub from: Option<DeviceId>,
}

/// Something that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub reason: String,
    /// Which envelope, where one is meant.
    pub envelope: Option<EnvelopeId>,
}

impl Refused {
    fn envelope(reason: &str, envelope: &Envelope) -> Self {
        Self { reason: reason.into(), envelope: Some(envelope.id()) }
    }
    fn wrap(reason: &str) -> Self {
        Self { reason: reason.into(), envelope: None }
    }
}

/// What came of a batch.
#[derive(Debug, Clone, Default)]
pub struct Ingested {
    /// Links that are new.
    pub links: usize,
    /// Bodies that are new.
    pub entries: usize,
    /// Records that new bodies touched.
    pub records: usize,
    /// Envelopes already here.
    pub known: usize,
    /// What was not taken.
    pub refused: Vec<Refused>,
    /// Records that changed, those that were only judged again included.
    pub touched: Vec<RecordId>,
}

/// A recipient as the database spells it, and the epoch of an agency's recipient.
pub(crate) fn who_of(to: &GrantTo) -> (String, u32) {
    match to {
        GrantTo::Agency { id, epoch } => (format!("a:{id}"), *epoch),
        GrantTo::Device { id } => (format!("d:{id}"), 0),
    }
}

/// A recipient from the database's spelling.
pub(crate) fn grant_to(who: &str, epoch: u32) -> Option<GrantTo> {
    match who.split_at_checked(2)? {
        ("a:", id) => Some(GrantTo::Agency { id: id.parse().ok()?, epoch }),
        ("d:", id) => Some(GrantTo::Device { id: id.parse().ok()? }),
        _ => None,
    }
}

impl Vault {
    /// Takes a batch in. What is refused is reported, the rest is durable when this returns. Bodies
    /// whose key is missing are kept, and opened when it comes. A caller that goes away meanwhile
    /// breaks nothing off.
    pub async fn ingest(&self, incoming: Incoming) -> Result<Ingested> {
        let operation = self.roster().operation();
        let Incoming { links, envelopes, wraps, received_ms, origin, from } = incoming;
        let links = links.into_iter().map(|(link, signature)| Envelope { link, signature, body: None });
        let given: Vec<Envelope> = links.chain(envelopes).collect();
        // Signatures are the costly part; they are checked before the writer is taken.
        let (checked, refused) = if given.len() <= CHECKED_IN_PLACE {
            verified(given, operation)
        } else {
            let work = tokio::task::spawn_blocking(move || verified(given, operation));
            work.await.map_err(|_| VaultError::Storage("the work was broken off".into()))?
        };
        let vault = self.clone();
        let origin = origin.unwrap_or(Origin::Lan) as i64;
        self.wholly(async move {
            let mut guard = vault.writer().await?;
            let work = Work::new(&vault, guard.get()?, refused, Source { received_ms, origin, from });
            work.run(guard.get()?, checked, wraps).await
        })
        .await
    }

    /// Tries again the wraps that no identity opened yet, and opens what waited for their keys. To be
    /// called after [`Vault::set_identities`] has given new ones.
    pub async fn open_waiting(&self) -> Result<Ingested> {
        self.ingest(Incoming::default()).await
    }
}

/// Sorts out what is not this operation's, or whose signature does not hold.
fn verified(given: Vec<Envelope>, operation: Option<OperationId>) -> (Vec<Envelope>, Vec<Refused>) {
    let (mut refused, mut keys) = (Vec::new(), Verifier::default());
    let checked = given.into_iter().filter(|envelope| {
        let reason = if Some(envelope.link.operation) != operation {
            "it belongs to another operation"
        } else if envelope.link.verify_with(&mut keys, &envelope.signature).is_err() {
            "its signature does not hold"
        } else if envelope.body.as_ref().is_some_and(|body| body.len() > seal::record_key::MAX_BODY) {
            "its body is over the bound"
        } else {
            return true;
        };
        refused.push(Refused::envelope(reason, envelope));
        false
    });
    let checked = checked.collect();
    (checked, refused)
}

impl From<logbook::roster::RosterError> for VaultError {
    fn from(error: logbook::roster::RosterError) -> Self {
        Self::Invalid(error.to_string())
    }
}
