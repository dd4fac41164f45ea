//! Admitting institutions, enrolling and revoking devices, showing the roster.

use std::path::{Path, PathBuf};

use logbook::AgencyId;
use logbook::roster::{
    ChainAction, ChainEntry, Cut, Enrol, Epoch, Revoke, Role, RosterObject, SecondApproval, SignedChainEntry,
    SignedEpoch, name_commitment, threshold_for,
};
use seal::{DeviceId, EpochId, Passphrase};

use crate::error::{Code, DeskError, Result};
use crate::files::{self, AgencyRequest, Approval, DeviceRequest, Proposal};
use crate::moment;
use crate::session::Desk;
use crate::wire::{AgencyRow, DeviceReport, DeviceRow, EpochReport, RosterShow};

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
        let of = self.roster().device(&device).map(|device| device.agency.clone());
        if of.as_ref().is_some_and(|agency| agency != self.agency()) {
            return Err(DeskError::not_allowed(
                "the device belongs to another institution: its administrators revoke it",
            ));
        }
        let second = second.map(|path| files::read_json::<Approval>(path, "an approval")).transpose()?;
        let heads = self.vault().heads().await?;
        let known = heads.iter().find(|(id, ..)| *id == device).map(|(_, number, _)| *number).unwrap_or(0);
        let number = last_good.unwrap_or(known);
        if number > known {
            return Err(DeskError::usage(format!("only {known} entries of that device are known here")));
        }
        let cut = self.vault().link_id(&device, number).await?.map(|head| Cut { number, head });
        let revoke = Revoke {
            device,
            cut,
            reason: reason.to_owned(),
            effective_ms: moment::now().wall_ms,
            second: second.map(|approval| approval.second),
        };
        let alone = revoke.second.is_none();
        match self.chain(ChainAction::Revoke(revoke), Vec::new()).await {
            Ok(()) => Ok(DeviceReport { device: device.to_string(), cut: Some(number) }),
            Err(error) if alone && error.code == Code::NotAllowed => Err(self.second_needed(&device, number, error)),
            Err(error) => Err(error),
        }
    }

    /// Says who must approve a revocation, where that is why it was refused.
    fn second_needed(&self, device: &DeviceId, number: u64, error: DeskError) -> DeskError {
        let roster = self.roster();
        let others = roster.devices().filter(|other| {
            let admin = other.agency == *self.agency() && other.roles.contains(&Role::Admin);
            admin && other.revoked.is_none() && other.id != self.device() && other.id != *device
        });
        let names: Vec<&str> = others.map(|other| other.name.as_str()).collect();
        if names.is_empty() {
            return error;
        }
        DeskError::new(
            Code::NotAllowed,
            format!("a second administrator must approve this, on one of: {}", names.join(", ")),
            format!(
                "Nothing was changed. There: `intact device approve {device} --last-good {number} --out FILE`; then give it here with --second FILE."
            ),
        )
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
