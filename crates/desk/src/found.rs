//! Founding an operation, asking to take part, joining.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use exchange::mailbox::MailboxKeys;
use logbook::AgencyId;
use logbook::roster::{
    AgencyKind, AgencyRecord, ChainAction, ChainEntry, Enrol, Epoch, MailboxCard, MailboxOwner, NameOpening, Role,
    RosterObject, SignedChainEntry, SignedEpoch, accept, name_commitment,
};
use seal::{Hash32, KdfCost, OperatorId, Passphrase, SigningKey};

use crate::error::{Code, DeskError, Result};
use crate::files::{self, AgencyRequest, DeviceRequest, Welcome};
use crate::moment;
use crate::session::{Desk, secret, setting};
use crate::wire::{InitReport, JoinReport, RequestReport};

/// Where the root file was written, so that joining can sign the acceptance.
const ROOT_PATH: &str = "root.path";
/// Weeks of mailbox keys published ahead: a little over a year, so that a device that stays away
/// for an election cycle can still be written to.
const WEEKS_AHEAD: u32 = 56;

/// A new institution and its first device.
#[derive(Debug, Clone)]
pub struct AgencyInput {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Who acts on the first device.
    pub operator: String,
    /// What that device is called.
    pub device: String,
    /// Where the root key goes.
    pub root_out: PathBuf,
}

/// A new device.
#[derive(Debug, Clone)]
pub struct DeviceInput {
    /// The institution.
    pub agency: String,
    /// Who acts on it.
    pub operator: String,
    /// What it is called.
    pub device: String,
    /// Roles.
    pub roles: Vec<String>,
    /// A part of the institution.
    pub unit: Option<String>,
}

/// Reads legal clocks, and gives them back as canonical JSON text.
pub fn read_rules(path: &Path) -> Result<String> {
    let bytes = files::read(path)?;
    let rules: logbook::clock::Rules =
        serde_json::from_slice(&bytes).map_err(|_| DeskError::usage("these are no legal clocks"))?;
    serde_json::to_string(&rules).map_err(|_| DeskError::usage("these are no legal clocks"))
}

fn agency_id(text: &str) -> Result<AgencyId> {
    text.parse().map_err(|_| DeskError::usage("an institution's id is 1 to 32 of a-z, 0-9 and hyphen"))
}

/// A name as the roster takes it; said before anything is made.
fn named(what: &str, text: &str, max: usize) -> Result<()> {
    if !text.trim().is_empty() && text.len() <= max {
        return Ok(());
    }
    Err(DeskError::usage(format!("the name of the {what} is empty, or longer than {max} bytes")))
}

/// What the first device of an institution may do.
fn founding_roles(kind: &str) -> Vec<Role> {
    let mut roles = vec![Role::Desk, Role::Admin];
    if kind == "court" {
        roles.extend([Role::Registrar, Role::Adjudicator]);
    }
    roles.sort();
    roles
}

/// A founded institution before anyone admitted it.
struct Founded {
    root: SigningKey,
    record: AgencyRecord,
    chain: SignedChainEntry,
    name: NameOpening,
}

impl Desk {
    /// Founds an operation; this becomes its first device.
    pub async fn init(
        dir: &Path,
        pass: &Passphrase,
        operation_name: &str,
        input: AgencyInput,
        rules: Option<String>,
        exercise: bool,
    ) -> Result<(Self, InitReport)> {
        Self::init_at_cost(dir, pass, operation_name, input, rules, exercise, KdfCost::STANDARD).await
    }

    /// As [`Desk::init`], at a stated cost of the passphrase: cheap for drills.
    pub async fn init_at_cost(
        dir: &Path,
        pass: &Passphrase,
        operation_name: &str,
        input: AgencyInput,
        rules: Option<String>,
        exercise: bool,
        cost: KdfCost,
    ) -> Result<(Self, InitReport)> {
        named("operation", operation_name, 200)?;
        let (desk, founded) = Self::found(dir, pass, &input, cost).await?;
        match desk.start_operation(founded, operation_name, rules, exercise).await {
            Ok(operation) => {
                let report = InitReport { operation, agency: input.id, device: desk.device().to_string() };
                Ok((desk, report))
            }
            Err(error) => Err(desk.undone(Some(&input.root_out), error).await),
        }
    }

    /// Signs the first epoch; gives the operation's id back.
    async fn start_operation(
        &self,
        founded: Founded,
        name: &str,
        rules: Option<String>,
        exercise: bool,
    ) -> Result<String> {
        let epoch = Epoch {
            v: 1,
            operation_name: name.to_owned(),
            exercise,
            number: 1,
            prev: None,
            nonce: seal::id::to_hex(&moment::random::<16>()),
            agencies: vec![founded.record.clone()],
            rules,
            at_ms: moment::now().wall_ms,
        };
        Epoch::parse(&epoch.body()).map_err(|error| DeskError::usage(error.to_string()))?;
        let mut signed = SignedEpoch::propose(&epoch);
        signed.sign(&founded.record.id, &founded.root);
        signed.add_acceptance(accept(&signed.body, &founded.record.id, &founded.root));
        self.take_roster(vec![
            RosterObject::Epoch(signed),
            RosterObject::Chain(founded.chain),
            RosterObject::Name(founded.name),
        ])
        .await?;
        self.publish_mailboxes().await?;
        Ok(self.roster().operation().map(|id| id.to_string()).unwrap_or_default())
    }

    /// Takes away the vault that a failed founding left, and its root: the next try starts clean.
    async fn undone(self, root: Option<&Path>, error: DeskError) -> DeskError {
        let dir = self.dir().to_owned();
        self.close().await;
        // Only what founding made: the folder may hold more.
        for name in ["vault.key", "vault.db", "vault.db-wal", "vault.db-shm", "reserve"] {
            let _ = std::fs::remove_file(dir.join(name));
        }
        let _ = std::fs::remove_dir(dir.join("blobs"));
        let _ = std::fs::remove_file(dir.join("lock"));
        // Stays where it is not empty.
        let _ = std::fs::remove_dir(&dir);
        if let Some(root) = root {
            let _ = std::fs::remove_file(root);
        }
        error
    }

    /// Makes the vault of a new institution and writes its request.
    pub async fn request_agency(
        dir: &Path,
        pass: &Passphrase,
        input: AgencyInput,
        out: &Path,
    ) -> Result<(Self, RequestReport)> {
        Self::request_agency_at_cost(dir, pass, input, out, KdfCost::STANDARD).await
    }

    /// As [`Desk::request_agency`], at a stated cost of the passphrase.
    pub async fn request_agency_at_cost(
        dir: &Path,
        pass: &Passphrase,
        input: AgencyInput,
        out: &Path,
        cost: KdfCost,
    ) -> Result<(Self, RequestReport)> {
        let (desk, founded) = Self::found(dir, pass, &input, cost).await?;
        let request = AgencyRequest { agency: founded.record, chain: founded.chain, name: founded.name };
        if let Err(error) = files::write_json(out, &request) {
            return Err(desk.undone(Some(&input.root_out), error).await);
        }
        let report = RequestReport { agency: input.id, device: desk.device().to_string() };
        Ok((desk, report))
    }

    async fn found(dir: &Path, pass: &Passphrase, input: &AgencyInput, cost: KdfCost) -> Result<(Self, Founded)> {
        let id = agency_id(&input.id)?;
        let kind = input.kind.parse().map_err(|_| DeskError::usage("this kind of institution is not known"))?;
        named("institution", &input.name, 200)?;
        named("operator", &input.operator, 300)?;
        named("device", &input.device, 100)?;
        if input.root_out.symlink_metadata().is_ok() {
            return Err(DeskError::new(
                Code::NotAllowed,
                "there is a file already where the root key should go",
                "Nothing was changed: it may be the root of another institution. Choose another --root-out.",
            ));
        }
        let desk = Self::create(dir, pass, cost, &id, true).await?;
        match desk.found_agency(pass, input, cost, id, kind).await {
            Ok(founded) => Ok((desk, founded)),
            Err(error) => Err(desk.undone(Some(&input.root_out), error).await),
        }
    }

    async fn found_agency(
        &self,
        pass: &Passphrase,
        input: &AgencyInput,
        cost: KdfCost,
        id: AgencyId,
        kind: AgencyKind,
    ) -> Result<Founded> {
        let root = SigningKey::from_seed(&moment::random());
        let (_, agency_key) = self.inner.keys.agency.first().ok_or_else(|| DeskError::integrity("no agency key"))?;
        let record = AgencyRecord {
            id: id.clone(),
            kind,
            name: input.name.clone(),
            root: Hash32(root.public()),
            admins: vec![self.device()],
            recipient: agency_key.recipient(),
            hierarchy: None,
        };
        record.validate().map_err(|_| DeskError::usage("the institution's name is empty or too long"))?;
        let (enrol, name) = self.enrolment(&input.device, &input.operator, founding_roles(&input.kind), None);
        let entry = ChainEntry {
            v: 1,
            agency: id,
            number: 1,
            prev: None,
            at_ms: moment::now().wall_ms,
            action: ChainAction::Enrol(enrol),
        };
        ChainEntry::parse(&entry.body()).map_err(|error| DeskError::usage(error.to_string()))?;
        let chain = SignedChainEntry::sign(&entry, &self.inner.keys.signing);
        // Last: a root is written only for an institution that holds together.
        files::write_root(&input.root_out, &root, pass, cost)?;
        let path = std::path::absolute(&input.root_out)?;
        self.vault().put_setting(ROOT_PATH, &path.to_string_lossy()).await?;
        Ok(Founded { root, record, chain, name })
    }

    fn enrolment(&self, device: &str, operator: &str, roles: Vec<Role>, unit: Option<String>) -> (Enrol, NameOpening) {
        let keys = &self.inner.keys;
        let network_key = SigningKey::from_seed(&keys.network).public();
        let name = NameOpening {
            operator: OperatorId(moment::random()),
            name: operator.to_owned(),
            salt: seal::id::to_hex(&moment::random::<16>()),
        };
        let enrol = Enrol {
            device: self.device(),
            name: device.to_owned(),
            network_key: Hash32(network_key),
            network_signature: Enrol::certify_for(&keys.signing, &network_key, self.agency()),
            recipient: keys.recipient.recipient(),
            operator: name.operator,
            operator_commitment: name_commitment(&name),
            roles,
            unit,
        };
        (enrol, name)
    }

    /// Makes the vault of a new device and writes its request.
    pub async fn request_device(
        dir: &Path,
        pass: &Passphrase,
        input: DeviceInput,
        out: &Path,
    ) -> Result<(Self, RequestReport)> {
        Self::request_device_at_cost(dir, pass, input, out, KdfCost::STANDARD).await
    }

    /// As [`Desk::request_device`], at a stated cost of the passphrase.
    pub async fn request_device_at_cost(
        dir: &Path,
        pass: &Passphrase,
        input: DeviceInput,
        out: &Path,
        cost: KdfCost,
    ) -> Result<(Self, RequestReport)> {
        let agency = agency_id(&input.agency)?;
        let roles = input.roles.iter().map(|role| role.trim().parse::<Role>());
        let roles: BTreeSet<Role> = roles.collect::<std::result::Result<_, _>>().map_err(|_| {
            let known = "field, desk, commander, registrar, adjudicator, communications, exhibits, auditor, admin";
            DeskError::usage(format!("a role is not known; they are: {known}"))
        })?;
        named("operator", &input.operator, 300)?;
        named("device", &input.device, 100)?;
        let desk = Self::create(dir, pass, cost, &agency, false).await?;
        let (enrol, name) = desk.enrolment(&input.device, &input.operator, roles.into_iter().collect(), input.unit);
        if let Err(error) = files::write_json(out, &DeviceRequest { agency, enrol, name }) {
            return Err(desk.undone(None, error).await);
        }
        let report = RequestReport { agency: input.agency, device: desk.device().to_string() };
        Ok((desk, report))
    }

    /// Takes roster objects in, cites the roster that results, and takes up the pen.
    pub(crate) async fn take_roster(&self, objects: Vec<RosterObject>) -> Result<vault::RosterOutcome> {
        let outcome = self.vault().add_roster(objects, moment::now().wall_ms).await?;
        self.cite_roster().await?;
        Ok(outcome)
    }

    /// Makes sure that the roster view that links will cite travels with the roster.
    pub(crate) async fn cite_roster(&self) -> Result<()> {
        let roster = self.roster();
        if let Some(view) = roster.current_view()
            && roster.view(&view.hash()).is_none()
        {
            self.vault().add_roster(vec![RosterObject::View(view)], moment::now().wall_ms).await?;
        }
        self.take_up_pen();
        Ok(())
    }

    /// Publishes this device's and its agency's mailboxes where few weeks are left.
    pub(crate) async fn publish_mailboxes(&self) -> Result<()> {
        let week = exchange::mailbox::week_of(moment::now().wall_ms);
        let roster = self.roster();
        if roster.device(&self.device()).is_none() {
            return Ok(());
        }
        let mut seeds = vec![(MailboxOwner::Device(self.device()), self.inner.keys.device_mailbox)];
        if let Some(seed) = self.inner.keys.agency_mailbox {
            seeds.push((MailboxOwner::Agency(self.agency().clone()), seed));
        }
        let mut cards = Vec::new();
        for (owner, seed) in seeds {
            if roster.mailbox(&owner, week + 8).is_some() && roster.mailbox(&owner, week).is_some() {
                continue;
            }
            let first = week.saturating_sub(1);
            let keys =
                (first..week + WEEKS_AHEAD).map(|week| MailboxKeys::derive(&seed, week).map(|keys| keys.public()));
            let keys = keys.collect::<std::result::Result<Vec<_>, _>>()?;
            let card = MailboxCard::sign(owner, first, keys, &self.inner.keys.signing);
            cards.push(RosterObject::Card(card));
        }
        if !cards.is_empty() {
            self.take_roster(cards).await?;
        }
        Ok(())
    }

    pub(crate) fn welcome(&self, desk: bool) -> Result<Welcome> {
        let keys = &self.inner.keys;
        let roster = self.roster().objects().iter().map(|object| seal::id::to_hex(&object.encode())).collect();
        let agency_keys = keys.agency.iter().map(|(epoch, key)| format!("{epoch} {}", key.to_secret_str().as_str()));
        Ok(Welcome {
            roster,
            agency_keys: if desk { agency_keys.collect() } else { Vec::new() },
            agency_mailbox: keys.agency_mailbox.filter(|_| desk).map(|seed| seal::id::to_hex(&seed)),
        })
    }

    /// Becomes part of an operation. With the passphrase, and where the root file still lies where it
    /// was written, the institution's acceptance is signed too.
    pub async fn join(&self, welcome: &Path, pass: Option<&Passphrase>) -> Result<JoinReport> {
        let welcome = files::read_welcome(welcome, &self.inner.keys.recipient)?;
        let mut objects = Vec::with_capacity(welcome.roster.len());
        for text in &welcome.roster {
            let bytes = hex(text).ok_or_else(|| DeskError::integrity("the welcome is damaged"))?;
            objects.push(RosterObject::decode(&bytes).map_err(|error| DeskError::integrity(error.to_string()))?);
        }
        self.take_roster(objects).await?;
        let roster = self.roster();
        self.me(&roster)?;
        if !welcome.agency_keys.is_empty() {
            self.vault().put_secret(secret::AGENCY, welcome.agency_keys.join("\n").as_bytes()).await?;
        }
        if let Some(seed) = &welcome.agency_mailbox {
            let seed: [u8; 32] = seal::id::from_hex(seed)?;
            self.vault().put_secret(secret::AGENCY_MAILBOX, &seed).await?;
        }
        self.accept_epoch(pass).await?;
        let desk = Self::over(self.vault().clone(), self.dir()).await?;
        desk.publish_mailboxes().await?;
        let operation = roster.operation().map(|id| id.to_string()).unwrap_or_default();
        Ok(JoinReport { operation, agency: self.agency().to_string() })
    }

    async fn accept_epoch(&self, pass: Option<&Passphrase>) -> Result<()> {
        let roster = self.roster();
        let path = self.vault().setting(ROOT_PATH).await?.map(PathBuf::from).filter(|path| path.exists());
        let (Some(pass), Some(path), Some(id)) = (pass, path, roster.epoch_id()) else { return Ok(()) };
        let Ok(root) = files::read_root(&path, pass) else { return Ok(()) };
        if let Some(mut signed) = roster.signed_epoch(&id).cloned() {
            signed.add_acceptance(accept(&signed.body, self.agency(), &root));
            self.take_roster(vec![RosterObject::Epoch(signed)]).await?;
        }
        Ok(())
    }

    /// Remembers that something was exchanged.
    pub(crate) async fn note_contact(&self) -> Result<()> {
        let now = moment::rfc3339(moment::now().wall_ms);
        Ok(self.vault().put_setting(setting::LAST_SYNC, &now).await?)
    }
}

/// Lower-case hex of any length.
pub(crate) fn hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| {
            let pair = std::str::from_utf8(pair).ok()?;
            seal::id::from_hex::<1>(pair).ok().map(|[byte]| byte)
        })
        .collect()
}
