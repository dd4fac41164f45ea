//! Founding an operation, joining one, enrolling and revoking devices.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use exchange::mailbox::MailboxKeys;
use logbook::AgencyId;
use logbook::roster::{
    AgencyRecord, ChainAction, ChainEntry, Cut, Enrol, Epoch, MailboxCard, MailboxOwner, NameOpening, Revoke, Role,
    RosterObject, SecondApproval, SignedChainEntry, SignedEpoch, accept, name_commitment, threshold_for,
};
use seal::{DeviceId, EpochId, Hash32, KdfCost, OperatorId, Passphrase, SigningKey};

use crate::error::{DeskError, Result};
use crate::files::{self, AgencyRequest, Approval, DeviceRequest, Proposal, Welcome};
use crate::moment;
use crate::session::{Desk, secret, setting};
use crate::wire::{AgencyRow, DeviceReport, DeviceRow, EpochReport, InitReport, JoinReport, RequestReport, RosterShow};

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
        let (desk, founded) = Self::found(dir, pass, &input, cost).await?;
        let epoch = Epoch {
            v: 1,
            operation_name: operation_name.to_owned(),
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
        desk.take_roster(vec![
            RosterObject::Epoch(signed),
            RosterObject::Chain(founded.chain),
            RosterObject::Name(founded.name),
        ])
        .await?;
        desk.publish_mailboxes().await?;
        let operation = desk.roster().operation().map(|id| id.to_string()).unwrap_or_default();
        let report = InitReport { operation, agency: input.id, device: desk.device().to_string() };
        Ok((desk, report))
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
        files::write_json(out, &AgencyRequest { agency: founded.record, chain: founded.chain, name: founded.name })?;
        let report = RequestReport { agency: input.id, device: desk.device().to_string() };
        Ok((desk, report))
    }

    async fn found(dir: &Path, pass: &Passphrase, input: &AgencyInput, cost: KdfCost) -> Result<(Self, Founded)> {
        let id = agency_id(&input.id)?;
        let kind = input.kind.parse().map_err(|_| DeskError::usage("this kind of institution is not known"))?;
        let desk = Self::create(dir, pass, cost, &id, true).await?;
        let root = SigningKey::from_seed(&moment::random());
        files::write_root(&input.root_out, &root, pass, cost)?;
        let path = std::path::absolute(&input.root_out)?;
        desk.vault().put_setting(ROOT_PATH, &path.to_string_lossy()).await?;
        let (_, agency_key) = desk.inner.keys.agency.first().ok_or_else(|| DeskError::integrity("no agency key"))?;
        let record = AgencyRecord {
            id: id.clone(),
            kind,
            name: input.name.clone(),
            root: Hash32(root.public()),
            admins: vec![desk.device()],
            recipient: agency_key.recipient(),
            hierarchy: None,
        };
        record.validate().map_err(|_| DeskError::usage("the institution's name is empty or too long"))?;
        let (enrol, name) = desk.enrolment(&input.device, &input.operator, founding_roles(&input.kind), None);
        let entry = ChainEntry {
            v: 1,
            agency: id,
            number: 1,
            prev: None,
            at_ms: moment::now().wall_ms,
            action: ChainAction::Enrol(enrol),
        };
        ChainEntry::parse(&entry.body()).map_err(|error| DeskError::usage(error.to_string()))?;
        let chain = SignedChainEntry::sign(&entry, &desk.inner.keys.signing);
        Ok((desk, Founded { root, record, chain, name }))
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
        let roles: BTreeSet<Role> =
            roles.collect::<std::result::Result<_, _>>().map_err(|_| DeskError::usage("a role is not known"))?;
        let desk = Self::create(dir, pass, cost, &agency, false).await?;
        let (enrol, name) = desk.enrolment(&input.device, &input.operator, roles.into_iter().collect(), input.unit);
        files::write_json(out, &DeviceRequest { agency, enrol, name })?;
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

    fn welcome(&self, desk: bool) -> Result<Welcome> {
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

    /// Makes the next epoch with these institutions and signs it.
    pub async fn admit(&self, requests: &[PathBuf], root: &Path, pass: &Passphrase, out: &Path) -> Result<EpochReport> {
        let roster = self.roster();
        self.me(&roster)?;
        let current = roster.epoch().ok_or_else(|| DeskError::not_allowed("there is no operation here yet"))?;
        let mut next = current.clone();
        next.number += 1;
        next.prev = roster.epoch_id();
        next.at_ms = moment::now().wall_ms;
        let mut asked = Vec::new();
        for path in requests {
            let request: AgencyRequest = files::read_json(path, "an institution's request")?;
            check_request(&request)?;
            if next.agency(&request.agency.id).is_some() {
                return Err(DeskError::not_allowed(format!("{} is already part of this", request.agency.id)));
            }
            next.agencies.push(request.agency.clone());
            asked.push(request);
        }
        next.agencies.sort_by(|a, b| a.id.cmp(&b.id));
        Epoch::parse(&next.body()).map_err(|error| DeskError::usage(error.to_string()))?;
        let mut signed = SignedEpoch::propose(&next);
        let root = files::read_root(root, pass)?;
        signed.sign(self.agency(), &root);
        self.finish_epoch(Proposal { epoch: signed, requests: asked }, out, None).await
    }

    /// Adds this institution's signature to a proposal.
    pub async fn sign_epoch(&self, proposal: &Path, root: &Path, pass: &Passphrase, out: &Path) -> Result<EpochReport> {
        let mut proposal: Proposal = files::read_json(proposal, "a proposed epoch")?;
        Epoch::parse(&proposal.epoch.body).map_err(|error| DeskError::integrity(error.to_string()))?;
        let root = files::read_root(root, pass)?;
        proposal.epoch.sign(self.agency(), &root);
        let folder = out.parent().unwrap_or(Path::new(".")).to_owned();
        self.finish_epoch(proposal, &folder, Some(out)).await
    }

    /// Applies a complete epoch and writes the welcomes; otherwise writes the proposal.
    async fn finish_epoch(&self, proposal: Proposal, folder: &Path, file: Option<&Path>) -> Result<EpochReport> {
        let roster = self.roster();
        let next = Epoch::parse(&proposal.epoch.body).map_err(|error| DeskError::integrity(error.to_string()))?;
        let prev: Option<EpochId> = next.prev;
        let current = roster.epoch().filter(|_| prev == roster.epoch_id());
        let current =
            current.ok_or_else(|| DeskError::not_allowed("the proposal does not follow the current epoch"))?;
        let signers = proposal.epoch.signers(current);
        let complete = current.enough(&signers, &next);
        let missing = current.agencies.iter().filter(|agency| !signers.contains(&agency.id));
        let report = EpochReport {
            epoch: next.number,
            threshold: threshold_for(&next),
            signatures: signers.iter().map(ToString::to_string).collect(),
            needed: if complete { Vec::new() } else { missing.map(|agency| agency.id.to_string()).collect() },
        };
        let default = folder.join(format!("epoch-{}.proposal", next.number));
        if !complete || file.is_some() {
            files::write_json(file.unwrap_or(&default), &proposal)?;
        }
        if complete {
            let mut objects = vec![RosterObject::Epoch(proposal.epoch)];
            for request in &proposal.requests {
                objects.push(RosterObject::Chain(request.chain.clone()));
                objects.push(RosterObject::Name(request.name.clone()));
            }
            self.take_roster(objects).await?;
            for request in &proposal.requests {
                let (enrol, _) = check_request(request)?;
                let path = folder.join(format!("{}.welcome", request.agency.id));
                files::write_welcome(&path, &self.welcome(false)?, &enrol.recipient)?;
            }
        }
        Ok(report)
    }

    /// Appends an entry to this agency's chain, signed by this administrator's device.
    async fn chain(&self, action: ChainAction, also: Vec<RosterObject>) -> Result<()> {
        let roster = self.roster();
        if !self.me(&roster)?.roles.contains(&Role::Admin) {
            return Err(DeskError::not_allowed("this needs the role: admin"));
        }
        let (number, prev) = roster.chain_head(self.agency());
        let at_ms = moment::now().wall_ms;
        let entry = ChainEntry { v: 1, agency: self.agency().clone(), number: number + 1, prev, at_ms, action };
        ChainEntry::parse(&entry.body()).map_err(|error| DeskError::usage(error.to_string()))?;
        let signed = SignedChainEntry::sign(&entry, &self.inner.keys.signing);
        let id = signed.id();
        let mut objects = vec![RosterObject::Chain(signed)];
        objects.extend(also);
        // Tried on a copy first: an entry that would not take effect is not kept.
        let mut trial = roster.as_ref().clone();
        trial.add_all(objects.iter().cloned());
        if trial.chain_head(self.agency()).1 != Some(id) {
            return Err(DeskError::not_allowed(
                "the roster does not allow this: is a second administrator's approval needed, or is the chain contested?",
            ));
        }
        self.take_roster(objects).await?;
        Ok(())
    }

    /// Enrols a device of this institution and writes its welcome.
    pub async fn enrol(&self, request: &Path, out: &Path) -> Result<DeviceReport> {
        let request: DeviceRequest = files::read_json(request, "a device's request")?;
        if request.agency != *self.agency() {
            return Err(DeskError::not_allowed("the request is for another institution"));
        }
        if name_commitment(&request.name) != request.enrol.operator_commitment {
            return Err(DeskError::integrity("the request's name does not match its commitment"));
        }
        let desk = request.enrol.roles.iter().any(|role| *role != Role::Field);
        let (device, recipient) = (request.enrol.device, request.enrol.recipient.clone());
        self.chain(ChainAction::Enrol(request.enrol), vec![RosterObject::Name(request.name)]).await?;
        files::write_welcome(out, &self.welcome(desk)?, &recipient)?;
        Ok(DeviceReport { device: device.to_string(), cut: None })
    }

    /// The device that a name, an id or a unique prefix of either means.
    pub(crate) fn find_device(&self, name: &str) -> Result<DeviceId> {
        let roster = self.roster();
        let exact: Vec<DeviceId> =
            roster.devices().filter(|d| d.name == name || d.id.to_string() == name).map(|d| d.id).collect();
        let found = if exact.is_empty() && name.len() >= 4 {
            roster.devices().filter(|d| d.id.to_string().starts_with(name)).map(|d| d.id).collect()
        } else {
            exact
        };
        match found.as_slice() {
            [one] => Ok(*one),
            [] => Err(DeskError::not_found("device", name)),
            many => Err(DeskError::ambiguous(name, &many.iter().map(ToString::to_string).collect::<Vec<_>>())),
        }
    }

    /// Approves a revocation as second administrator.
    pub async fn approve_revocation(&self, device: &str, last_good: u64, out: &Path) -> Result<DeviceReport> {
        let device = self.find_device(device)?;
        let second = SecondApproval::sign(&device, last_good, &self.inner.keys.signing);
        files::write_json(out, &Approval { device, last_good, second })?;
        Ok(DeviceReport { device: device.to_string(), cut: Some(last_good) })
    }

    /// Revokes a device. Without `last_good`, the cut is the last entry of it that is known here.
    pub async fn revoke(
        &self,
        device: &str,
        reason: &str,
        last_good: Option<u64>,
        second: Option<&Path>,
    ) -> Result<DeviceReport> {
        let device = self.find_device(device)?;
        let second = second.map(|path| files::read_json::<Approval>(path, "an approval")).transpose()?;
        let heads = self.vault().heads().await?;
        let known = heads.iter().find(|(id, ..)| *id == device).map(|(_, number, _)| *number).unwrap_or(0);
        let number = last_good.unwrap_or(known);
        if number > known {
            return Err(DeskError::usage(format!("only {known} entries of that device are known here")));
        }
        let cut = match self.vault().link_id(&device, number).await? {
            Some(head) => Some(Cut { number, head }),
            None => None,
        };
        let revoke = Revoke {
            device,
            cut,
            reason: reason.to_owned(),
            effective_ms: moment::now().wall_ms,
            second: second.map(|approval| approval.second),
        };
        self.chain(ChainAction::Revoke(revoke), Vec::new()).await?;
        Ok(DeviceReport { device: device.to_string(), cut: Some(number) })
    }

    /// The roster for people and scripts.
    pub fn roster_show(&self) -> Result<RosterShow> {
        let roster = self.roster();
        let epoch =
            roster.epoch().ok_or_else(|| DeskError::not_allowed("this device is not part of an operation yet"))?;
        let agencies = roster.agencies().into_iter().map(|agency| AgencyRow {
            id: agency.record.id.to_string(),
            kind: agency.record.kind.to_string(),
            name: agency.record.name.clone(),
            contested: agency.contested,
        });
        let devices = roster.devices().map(|device| DeviceRow {
            id: device.id.to_string(),
            agency: device.agency.to_string(),
            name: device.name.clone(),
            operator: roster.name_of(&device.operator).unwrap_or("").to_owned(),
            roles: device.roles.iter().map(ToString::to_string).collect(),
            status: if device.revoked.is_some() { "revoked" } else { "active" }.to_owned(),
            reason: device.revoked.as_ref().map(|revoked| revoked.reason.clone()),
        });
        Ok(RosterShow {
            operation: roster.operation().map(|id| id.to_string()).unwrap_or_default(),
            operation_name: epoch.operation_name.clone(),
            exercise: epoch.exercise,
            epoch: epoch.number,
            threshold: roster.threshold(),
            agencies: agencies.collect(),
            devices: devices.collect(),
        })
    }

    /// The name of an institution, or its id where the roster does not know it.
    pub(crate) fn agency_name(&self, id: &AgencyId) -> String {
        self.roster().agency(id).map_or_else(|| id.to_string(), |agency| agency.record.name)
    }

    /// Remembers that something was exchanged.
    pub(crate) async fn note_contact(&self) -> Result<()> {
        let now = moment::rfc3339(moment::now().wall_ms);
        Ok(self.vault().put_setting(setting::LAST_SYNC, &now).await?)
    }
}

fn check_request(request: &AgencyRequest) -> Result<(Enrol, ChainEntry)> {
    let bad = || DeskError::integrity("the request does not hold together");
    request.agency.validate().map_err(|_| bad())?;
    let entry = request.chain.open().map_err(|_| bad())?;
    let ChainAction::Enrol(enrol) = &entry.action else { return Err(bad()) };
    let own = entry.agency == request.agency.id
        && entry.number == 1
        && request.chain.by.0 == enrol.device.0
        && request.agency.admins == [enrol.device]
        && name_commitment(&request.name) == enrol.operator_commitment;
    if own { Ok((enrol.clone(), entry.clone())) } else { Err(bad()) }
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
