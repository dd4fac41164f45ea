//! Where the vault and its exchange stand, for the window.

use std::path::Path;

use logbook::AgencyId;
use tokio::sync::broadcast;

use crate::error::{DeskError, Result};
use crate::moment;
use crate::session::{Desk, setting};
use crate::wire::{ExchangeStatus, PeerRow, Refusal, VaultStatus};

/// Settings that the window may keep; anything else in the vault is not its business.
const WINDOW: &str = "window.";

/// Tells the place of one vault from another's without telling it: the first 16 hex digits of the hash
/// of its path. What the session's bus shows of a window holds no name of a person or folder.
pub fn place_tag(dir: &Path) -> String {
    let place = dir.canonicalize().or_else(|_| std::path::absolute(dir)).unwrap_or_else(|_| dir.to_owned());
    let hash = seal::Hash32(seal::hash::sha256(place.as_os_str().as_encoded_bytes()));
    hash.to_string().chars().take(16).collect()
}

/// The number out of the operation's rules; rules that are none here state none.
fn emergency_number(rules: &str) -> Option<String> {
    logbook::clock::Rules::parse(rules.as_bytes()).ok()?.emergency_number
}

/// Where a vault stands that is not open: a folder without one is a first run.
pub fn closed_status(dir: &Path) -> VaultStatus {
    let state = if dir.join("vault.key").exists() { "locked" } else { "first-run" };
    VaultStatus {
        state: state.to_owned(),
        operation: None,
        exercise: false,
        agency: None,
        agency_name: None,
        device: None,
        device_id: None,
        operator: None,
        roles: Vec::new(),
        last_sync: None,
        emergency_number: None,
    }
}

/// Changes of records, in batches.
pub struct Changes(broadcast::Receiver<vault::Changed>);

impl Changes {
    /// The next batch of records that changed; empty when so many did that a listener must look
    /// anew; `None` when the vault was closed.
    pub async fn next(&mut self) -> Option<Vec<String>> {
        match self.0.recv().await {
            Ok(changed) => Some(changed.records.iter().map(ToString::to_string).collect()),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Vec::new()),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

impl Desk {
    /// Changes from here on.
    pub fn changes(&self) -> Changes {
        Changes(self.vault().subscribe())
    }

    /// This desk anew, with the keys that joining brought.
    pub async fn reopened(&self) -> Result<Self> {
        Self::over(self.vault().clone(), self.dir()).await
    }

    /// Where the vault stands.
    pub async fn status(&self) -> Result<VaultStatus> {
        let roster = self.roster();
        let me = roster.device(&self.device());
        let agency = me.and_then(|me| roster.agency(&me.agency));
        Ok(VaultStatus {
            state: if me.is_some() { "open" } else { "waiting" }.to_owned(),
            operation: roster.epoch().map(|epoch| epoch.operation_name.clone()),
            exercise: roster.exercise(),
            agency: Some(self.agency().to_string()),
            agency_name: agency.map(|agency| agency.record.name),
            device: me.map(|me| me.name.clone()),
            device_id: Some(self.device().to_string()),
            operator: self.my_name(),
            roles: me.map(|me| me.roles.iter().map(ToString::to_string).collect()).unwrap_or_default(),
            last_sync: self.vault().setting(setting::LAST_SYNC).await?,
            emergency_number: roster.rules().and_then(emergency_number),
        })
    }

    /// Where the exchange stands: who has what, what waits. Acks are signed by their devices.
    pub async fn exchange_status(
        &self,
        relay_url: Option<String>,
        relay_state: String,
        lan: Option<(String, String)>,
        refused: Vec<Refusal>,
    ) -> Result<ExchangeStatus> {
        let roster = self.roster();
        let acks = self.vault().acks().await?;
        let mut peers = Vec::new();
        let mut least_waiting = None;
        for agency in roster.agencies() {
            let id: AgencyId = agency.record.id;
            // Of its own institution a desk waits for other desks only.
            if id == *self.agency() && !self.has_fellow_desks() {
                continue;
            }
            let theirs = acks.iter().filter(|(device, ..)| {
                *device != self.device() && roster.device(device).is_some_and(|device| device.agency == id)
            });
            let newest = theirs.max_by_key(|(_, up_to, _)| *up_to);
            let not_reached = self.vault().own_after(newest.map_or(0, |(_, up_to, _)| *up_to)).await?;
            least_waiting = Some(least_waiting.map_or(not_reached, |least: u64| least.min(not_reached)));
            peers.push(PeerRow {
                agency: id.to_string(),
                name: agency.record.name,
                last_contact: newest.map(|(_, _, at_ms)| moment::rfc3339(*at_ms)),
                not_reached,
            });
        }
        Ok(ExchangeStatus {
            relay_url,
            relay_state,
            lan_address: lan.as_ref().map(|(address, _)| address.clone()),
            endpoint: lan.map(|(_, id)| id),
            peers,
            waiting: least_waiting.unwrap_or(0),
            refused,
        })
    }

    /// A setting of the window.
    pub async fn window_setting(&self, name: &str) -> Result<Option<String>> {
        Ok(self.vault().setting(&format!("{WINDOW}{name}")).await?)
    }

    /// Keeps a setting of the window.
    pub async fn put_window_setting(&self, name: &str, value: &str) -> Result<()> {
        if name.len() > 64 || value.len() > 16 * 1024 {
            return Err(DeskError::usage("this setting is too long"));
        }
        Ok(self.vault().put_setting(&format!("{WINDOW}{name}"), value).await?)
    }
}
