//! An open vault with its author: what every use case starts from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use logbook::action::{Action, GrantTo};
use logbook::roster::{Device, Role};
use logbook::{AgencyId, Record, Roster};
use seal::{DeviceId, Identity, KdfCost, Passphrase, RecordId, RecordKey, SigningKey, Wrap};
use vault::{Appended, AuthorKeys, Draft, Vault};

use crate::error::{Code, DeskError, Result};
use crate::moment;

/// Names of secrets in the vault.
pub(crate) mod secret {
    /// The device's signing seed.
    pub const SIGNING: &str = "device.signing";
    /// The seed of the endpoint key on the LAN.
    pub const NETWORK: &str = "device.network";
    /// The device's age identity.
    pub const RECIPIENT: &str = "device.recipient";
    /// The agency's age identities, one line per epoch: `<epoch> AGE-SECRET-KEY-1…`.
    pub const AGENCY: &str = "agency.recipients";
    /// The seed of the agency's weekly mailboxes.
    pub const AGENCY_MAILBOX: &str = "agency.mailbox";
    /// The seed of the device's weekly mailboxes.
    pub const DEVICE_MAILBOX: &str = "device.mailbox";
}

/// What is kept in clear text inside the (encrypted) vault about this device.
pub(crate) mod setting {
    /// The agency's id.
    pub const AGENCY: &str = "agency";
    /// When something was last exchanged, RFC 3339.
    pub const LAST_SYNC: &str = "last_sync";
    /// The draft of the Log form.
    pub const DRAFT: &str = "draft.log";
}

/// The keys of this device.
pub struct Keys {
    /// Signs links and roster entries.
    pub signing: SigningKey,
    /// The seed of the endpoint key.
    pub network: [u8; 32],
    /// Receives keys and parcels.
    pub recipient: Identity,
    /// The agency's identities, newest last; empty on a field device.
    pub agency: Vec<(u32, Identity)>,
    /// The seed of the agency's mailboxes; none on a field device.
    pub agency_mailbox: Option<[u8; 32]>,
    /// The seed of the device's mailboxes.
    pub device_mailbox: [u8; 32],
}

/// An open vault, whose author is known. Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) vault: Vault,
    pub(crate) keys: Keys,
    pub(crate) device: DeviceId,
    pub(crate) agency: AgencyId,
    pub(crate) dir: PathBuf,
}

impl Desk {
    /// Opens a vault.
    pub async fn open(dir: &Path, passphrase: &Passphrase) -> Result<Self> {
        let vault = Vault::open(dir, passphrase).await?;
        Self::over(vault, dir).await
    }

    /// Makes an empty vault with fresh keys for a device of `agency`.
    pub(crate) async fn create(
        dir: &Path,
        passphrase: &Passphrase,
        cost: KdfCost,
        agency: &AgencyId,
        desk: bool,
    ) -> Result<Self> {
        if passphrase.len() < 8 {
            return Err(DeskError::usage("the passphrase has fewer than 8 characters"));
        }
        let vault = Vault::create(dir, passphrase, cost, &mut |bytes| moment::fill(bytes)).await?;
        vault.put_secret(secret::SIGNING, &moment::random::<32>()).await?;
        vault.put_secret(secret::NETWORK, &moment::random::<32>()).await?;
        vault.put_secret(secret::DEVICE_MAILBOX, &moment::random::<32>()).await?;
        vault.put_secret(secret::RECIPIENT, Identity::generate().to_secret_str().as_bytes()).await?;
        if desk {
            let first = format!("1 {}", Identity::generate().to_secret_str().as_str());
            vault.put_secret(secret::AGENCY, first.as_bytes()).await?;
            vault.put_secret(secret::AGENCY_MAILBOX, &moment::random::<32>()).await?;
        }
        vault.put_setting(setting::AGENCY, agency.as_str()).await?;
        Self::over(vault, dir).await
    }

    pub(crate) async fn over(vault: Vault, dir: &Path) -> Result<Self> {
        let keys = load_keys(&vault).await?;
        let agency = vault.setting(setting::AGENCY).await?.and_then(|id| id.parse().ok());
        let agency =
            agency.ok_or_else(|| DeskError::integrity("the vault does not say which institution it belongs to"))?;
        let device = keys.signing.device_id();
        let desk = Self { inner: Arc::new(Inner { vault, keys, device, agency, dir: dir.to_owned() }) };
        desk.vault().set_identities(desk.identities());
        desk.take_up_pen();
        Ok(desk)
    }

    /// Tells the vault who writes, once the roster knows this device.
    pub(crate) fn take_up_pen(&self) {
        let roster = self.roster();
        if let (Some(operation), Some(device)) = (roster.operation(), roster.device(&self.inner.device)) {
            self.vault().set_author(AuthorKeys {
                signing: self.inner.keys.signing.clone(),
                operation,
                operator: device.operator,
                unit: device.unit.clone().unwrap_or_default(),
            });
        }
    }

    /// What opens what is sealed to this device: its agency's keys first, newest first, because nearly
    /// everything is sealed to those; then its own.
    pub(crate) fn identities(&self) -> Vec<Identity> {
        let keys = &self.inner.keys;
        let mut identities: Vec<Identity> = keys.agency.iter().rev().map(|(_, identity)| identity.clone()).collect();
        identities.push(keys.recipient.clone());
        identities
    }

    /// Closes the vault.
    pub async fn close(self) {
        self.vault().clone().close().await;
    }

    /// Closes the vault that other clones share: they can only fail from here on.
    pub async fn close_by_reference(&self) {
        self.vault().clone().close().await;
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.inner.vault
    }
    pub(crate) fn roster(&self) -> Arc<Roster> {
        self.vault().roster()
    }
    pub(crate) fn agency(&self) -> &AgencyId {
        &self.inner.agency
    }
    /// The folder of the vault.
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }
    /// This device.
    pub fn device(&self) -> DeviceId {
        self.inner.device
    }

    /// This device as the roster has it.
    pub(crate) fn me<'a>(&self, roster: &'a Roster) -> Result<&'a Device> {
        roster.device(&self.inner.device).ok_or_else(|| {
            DeskError::new(
                Code::NotAllowed,
                "this device is not part of an operation yet",
                "Nothing was changed. Join with the welcome that answers this device's request.",
            )
        })
    }

    /// The first of these roles that this device holds.
    pub(crate) fn role(&self, any: &[Role]) -> Result<Role> {
        let roster = self.roster();
        let me = self.me(&roster)?;
        let held = any.iter().copied().find(|role| me.roles.contains(role));
        held.ok_or_else(|| {
            let names: Vec<String> = any.iter().map(ToString::to_string).collect();
            DeskError::not_allowed(format!("this needs one of the roles: {}", names.join(", ")))
        })
    }

    /// The roles in which records are worked on, the strongest first.
    pub(crate) const WORK: &'static [Role] =
        &[Role::Desk, Role::Commander, Role::Registrar, Role::Adjudicator, Role::Field, Role::Exhibits];

    /// A draft of an entry by this device, now.
    pub(crate) fn draft(&self, record: RecordId, action: Action, role: Role) -> Draft {
        let now = moment::now();
        Draft {
            record,
            action,
            role,
            salt: moment::random(),
            wall_ms: now.wall_ms,
            offset_min: now.offset_min,
            clock: now.clock,
            key: None,
            wraps: Vec::new(),
        }
    }

    /// Signs, keeps, and returns once it is durable.
    pub(crate) async fn append(&self, drafts: Vec<Draft>) -> Result<Vec<Appended>> {
        Ok(self.vault().append(drafts).await?)
    }

    /// Signs one entry in the first role that fits.
    pub(crate) async fn state(&self, record: RecordId, action: Action, roles: &[Role]) -> Result<Appended> {
        let role = self.role(roles)?;
        let mut done = self.append(vec![self.draft(record, action, role)]).await?;
        done.pop().ok_or_else(|| DeskError::storage("the vault kept nothing"))
    }

    /// The record that a name means.
    pub(crate) async fn find(&self, what: &str, name: &str) -> Result<Arc<Record>> {
        let ids = self.vault().resolve(name).await?;
        match ids.as_slice() {
            [id] => self.vault().record(id).await?.ok_or_else(|| DeskError::not_found(what, name)),
            [] => Err(DeskError::not_found(what, name)),
            many => Err(DeskError::ambiguous(name, &many.iter().map(ToString::to_string).collect::<Vec<_>>())),
        }
    }

    /// Wraps keys of a record to recipients.
    pub(crate) fn wrap_keys(&self, record: RecordId, keys: &[RecordKey], to: &[GrantTo]) -> Result<Wrapped> {
        let roster = self.roster();
        let mut grants = Vec::new();
        let mut wraps = Vec::new();
        for recipient in to {
            let age = match recipient {
                GrantTo::Agency { id, epoch } => roster.agency(id).and_then(|agency| {
                    agency.key_epochs.iter().find(|(number, _)| number == epoch).map(|(_, age)| age.clone())
                }),
                GrantTo::Device { id } => roster.device(id).map(|device| device.recipient.clone()),
            };
            let age = age.ok_or_else(|| DeskError::not_allowed("a recipient has no key in the roster"))?;
            for key in keys {
                let wrap = Wrap::seal(key, record, &age)?;
                grants.push(logbook::action::Grant { to: recipient.clone(), key: wrap.key, wrap: wrap.hash() });
                wraps.push((recipient.clone(), wrap));
            }
        }
        Ok((grants, wraps))
    }

    /// An agency's newest recipient.
    pub(crate) fn agency_recipient(&self, id: &AgencyId) -> Result<GrantTo> {
        let roster = self.roster();
        let agency = roster.agency(id).ok_or_else(|| DeskError::not_found("institution", id.as_str()))?;
        let epoch = agency.key_epochs.last().map_or(1, |(epoch, _)| *epoch);
        Ok(GrantTo::Agency { id: id.clone(), epoch })
    }
}

/// Grants for an entry, and the wraps that travel beside it.
pub(crate) type Wrapped = (Vec<logbook::action::Grant>, Vec<(GrantTo, Wrap)>);

fn missing_key() -> DeskError {
    DeskError::integrity("the vault lacks a key of this device")
}

async fn seed(vault: &Vault, name: &str) -> Result<Option<[u8; 32]>> {
    let bytes = vault.secret(name).await?;
    bytes.map(|bytes| bytes.as_slice().try_into().map_err(|_| missing_key())).transpose()
}

async fn text(vault: &Vault, name: &str) -> Result<Option<String>> {
    let bytes = vault.secret(name).await?;
    bytes.map(|bytes| String::from_utf8(bytes.to_vec()).map_err(|_| missing_key())).transpose()
}

async fn load_keys(vault: &Vault) -> Result<Keys> {
    let mut agency = Vec::new();
    for line in text(vault, secret::AGENCY).await?.unwrap_or_default().lines() {
        let (epoch, identity) = line.split_once(' ').ok_or_else(missing_key)?;
        agency.push((epoch.parse().map_err(|_| missing_key())?, Identity::from_secret_str(identity)?));
    }
    Ok(Keys {
        signing: SigningKey::from_seed(&seed(vault, secret::SIGNING).await?.ok_or_else(missing_key)?),
        network: seed(vault, secret::NETWORK).await?.ok_or_else(missing_key)?,
        recipient: Identity::from_secret_str(&text(vault, secret::RECIPIENT).await?.ok_or_else(missing_key)?)?,
        agency,
        agency_mailbox: seed(vault, secret::AGENCY_MAILBOX).await?,
        device_mailbox: seed(vault, secret::DEVICE_MAILBOX).await?.ok_or_else(missing_key)?,
    })
}
