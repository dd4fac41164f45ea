//! Admitting institutions, enrolling and revoking devices, showing the roster.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use logbook::AgencyId;
use logbook::roster::{
    ChainAction, ChainEntry, Device, Enrol, Epoch, Role, RosterObject, SignedChainEntry, SignedEpoch, name_commitment,
    threshold_for,
};
use seal::{DeviceId, EpochId, Passphrase};

use crate::error::{DeskError, Result};
use crate::files::{self, AgencyRequest, DeviceRequest, Proposal};
use crate::moment;
use crate::session::Desk;
use crate::wire::{AgencyRow, DeviceReport, DeviceRow, EpochReport, RequestLook, RosterShow};

impl Desk {
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
    pub(crate) async fn chain(&self, action: ChainAction, also: Vec<RosterObject>) -> Result<()> {
        let roster = self.roster();
        self.check_admin()?;
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

    /// An administrator of this institution acts here.
    pub(crate) fn check_admin(&self) -> Result<()> {
        let roster = self.roster();
        if self.me(&roster)?.roles.contains(&Role::Admin) {
            return Ok(());
        }
        Err(DeskError::not_allowed("this needs the role: admin"))
    }

    /// Reads a device's request to this institution; one that does not hold together is refused.
    fn device_request(&self, path: &Path) -> Result<DeviceRequest> {
        let request: DeviceRequest = files::read_json(path, "a device's request")?;
        if request.agency != *self.agency() {
            return Err(DeskError::not_allowed("the request is for another institution"));
        }
        if name_commitment(&request.name) != request.enrol.operator_commitment {
            return Err(DeskError::integrity("the request's name does not match its commitment"));
        }
        // As it would stand in the chain: names, roles and certificate are bounded and checked there.
        let action = ChainAction::Enrol(request.enrol.clone());
        let trial = ChainEntry { v: 1, agency: request.agency.clone(), number: 1, prev: None, at_ms: 0, action };
        ChainEntry::parse(&trial.body()).map_err(|error| DeskError::integrity(error.to_string()))?;
        Ok(request)
    }

    /// What a device's request asks for; changes nothing.
    pub fn look_at_request(&self, request: &Path) -> Result<RequestLook> {
        let request = self.device_request(request)?;
        Ok(RequestLook {
            device: request.enrol.device.to_string(),
            agency: request.agency.to_string(),
            name: request.enrol.name.clone(),
            operator: request.name.name.clone(),
            roles: request.enrol.roles.iter().map(ToString::to_string).collect(),
            unit: request.enrol.unit.clone(),
            agency_key: holds_agency_key(&request.enrol.roles),
            known: self.roster().device(&request.enrol.device).is_some(),
        })
    }

    /// Enrols a device of this institution and writes its welcome.
    pub async fn enrol(&self, request: &Path, out: &Path) -> Result<DeviceReport> {
        let request = self.device_request(request)?;
        let desk = holds_agency_key(&request.enrol.roles);
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

    /// The roster for people and scripts.
    pub async fn roster_show(&self) -> Result<RosterShow> {
        let roster = self.roster();
        let epoch =
            roster.epoch().ok_or_else(|| DeskError::not_allowed("this device is not part of an operation yet"))?;
        let agencies = roster.agencies().into_iter().map(|agency| AgencyRow {
            id: agency.record.id.to_string(),
            kind: agency.record.kind.to_string(),
            name: agency.record.name.clone(),
            contested: agency.contested,
        });
        let contacts = self.contacts().await?;
        let mut devices = Vec::new();
        for device in roster.devices() {
            let contact = contacts.get(&device.id).copied();
            devices.push(self.device_row(device, contact).await?);
        }
        Ok(RosterShow {
            operation: roster.operation().map(|id| id.to_string()).unwrap_or_default(),
            operation_name: epoch.operation_name.clone(),
            exercise: epoch.exercise,
            epoch: epoch.number,
            threshold: roster.threshold(),
            agencies: agencies.collect(),
            devices,
        })
    }

    /// When each other device was last heard of: it acknowledged this store, or its newest entry came in.
    async fn contacts(&self) -> Result<BTreeMap<DeviceId, i64>> {
        let mut contacts: BTreeMap<DeviceId, i64> = self.vault().last_heard().await?.into_iter().collect();
        for (device, _, at_ms) in self.vault().acks().await? {
            let last = contacts.entry(device).or_insert(at_ms);
            *last = at_ms.max(*last);
        }
        contacts.remove(&self.device());
        Ok(contacts)
    }

    async fn device_row(&self, device: &Device, contact: Option<i64>) -> Result<DeviceRow> {
        let apart = match &device.revoked {
            Some(revoked) => {
                let cut = revoked.cut.map(|cut| (cut.number, cut.head));
                self.vault().written_count(&device.id, cut).await?.1
            }
            None => 0,
        };
        let revoked = device.revoked.as_ref();
        Ok(DeviceRow {
            id: device.id.to_string(),
            agency: device.agency.to_string(),
            name: device.name.clone(),
            operator: self.roster().name_of(&device.operator).unwrap_or("").to_owned(),
            roles: device.roles.iter().map(ToString::to_string).collect(),
            status: if revoked.is_some() { "revoked" } else { "active" }.to_owned(),
            reason: revoked.map(|revoked| revoked.reason.clone()),
            revoked_at: revoked.map(|revoked| moment::rfc3339(revoked.at_ms)),
            apart,
            last_contact: contact.map(moment::rfc3339),
            here: device.id == self.device(),
        })
    }

    /// The name of an institution, or its id where the roster does not know it.
    pub(crate) fn agency_name(&self, id: &AgencyId) -> String {
        self.roster().agency(id).map_or_else(|| id.to_string(), |agency| agency.record.name)
    }
}

/// Every role but the field's is given the institution's key with the welcome.
fn holds_agency_key(roles: &[Role]) -> bool {
    roles.iter().any(|role| *role != Role::Field)
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
