//! The roster that follows from a set of objects. Everything is computed anew when an object is
//! added: a roster has hundreds of objects, and a set has no order of arrival.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use seal::{ChainEntryId, DeviceId, EpochId, OperationId, OperatorId, Recipient, RosterHash};

use super::{
    AgencyId, AgencyRecord, ChainAction, ChainEntry, Cut, Enrol, Epoch, MailboxCard, MailboxOwner, NameOpening, Revoke,
    Role, RosterError, RosterObject, RosterView, SignedChainEntry, SignedEpoch, name_commitment, threshold_for,
};

/// An agency as it stands.
#[derive(Debug, Clone)]
pub struct AgencyState {
    /// As the current epoch has it.
    pub record: AgencyRecord,
    /// Its recipients by epoch, oldest first.
    pub key_epochs: Vec<(u32, Recipient)>,
    /// Two administrators contradict each other, and the root has not named a branch.
    pub contested: bool,
    /// Entries of its chain that take effect.
    pub chain_len: u64,
}

/// A revocation.
#[derive(Debug, Clone)]
pub struct Revocation {
    /// The last entry accepted; none: no entry is.
    pub cut: Option<Cut>,
    /// Why.
    pub reason: String,
    /// When it was stated, milliseconds.
    pub at_ms: i64,
    /// Since when, milliseconds.
    pub effective_ms: i64,
    /// Which key stated it: an administrator's device, or the root.
    pub by: seal::Hash32,
}

/// A device as it stands.
#[derive(Debug, Clone)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// Its agency.
    pub agency: AgencyId,
    /// What it is called.
    pub name: String,
    /// Who acts on it.
    pub operator: OperatorId,
    /// A part of the agency.
    pub unit: Option<String>,
    /// Its roles now.
    pub roles: Vec<Role>,
    /// What it receives keys with.
    pub recipient: Recipient,
    /// Its endpoint key.
    pub network_key: [u8; 32],
    /// The number of the chain entry that enrolled it.
    pub enrolled_at: u64,
    /// Its revocation.
    pub revoked: Option<Revocation>,
    /// Roles by chain number.
    history: Vec<(u64, Vec<Role>)>,
}

impl Device {
    /// Whether it works at its agency's desks, and so counts every chain.
    pub fn is_desk(&self) -> bool {
        self.roles.iter().any(|role| *role != Role::Field)
    }
}

/// The chain of an agency as it takes effect.
#[derive(Debug, Clone, Default)]
struct Chain {
    ids: Vec<ChainEntryId>,
    contested: bool,
    keys: Vec<(u32, Recipient)>,
}

/// The roster.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    operation: Option<OperationId>,
    epochs: BTreeMap<EpochId, SignedEpoch>,
    chain: BTreeMap<ChainEntryId, SignedChainEntry>,
    views: BTreeMap<RosterHash, RosterView>,
    names: BTreeMap<(OperatorId, String, String), NameOpening>,
    cards: BTreeMap<Vec<u8>, MailboxCard>,
    // What follows:
    line: Vec<(EpochId, Epoch)>,
    chains: BTreeMap<AgencyId, Chain>,
    devices: BTreeMap<DeviceId, Device>,
    network: HashMap<[u8; 32], DeviceId>,
    opened: BTreeMap<OperatorId, String>,
}

impl Roster {
    /// An empty roster; the first epoch numbered 1 that is added makes it one operation's.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an object; `true` if it is new. An object that cannot take effect yet is kept.
    pub fn add(&mut self, object: RosterObject) -> Result<bool, RosterError> {
        let new = self.take(object)?;
        if new {
            self.rebuild();
        }
        Ok(new)
    }

    /// Adds many objects; gives back which were new, and the refusals.
    pub fn add_all(
        &mut self,
        objects: impl IntoIterator<Item = RosterObject>,
    ) -> (Vec<RosterObject>, Vec<RosterError>) {
        let (mut new, mut refused) = (Vec::new(), Vec::new());
        for object in objects {
            match self.take(object.clone()) {
                Ok(true) => new.push(object),
                Ok(false) => {}
                Err(error) => refused.push(error),
            }
        }
        if !new.is_empty() {
            self.rebuild();
        }
        (new, refused)
    }

    fn take(&mut self, object: RosterObject) -> Result<bool, RosterError> {
        match object {
            RosterObject::Epoch(epoch) => self.take_epoch(epoch),
            RosterObject::Chain(entry) => {
                entry.open()?;
                Ok(self.chain.insert(entry.id(), entry).is_none())
            }
            RosterObject::View(view) => Ok(self.views.insert(view.hash(), view).is_none()),
            RosterObject::Name(name) => {
                if name.name.is_empty() || name.name.len() > 300 || name.salt.len() != 32 {
                    return Err(RosterError::Malformed("name"));
                }
                let key = (name.operator, name.salt.clone(), name.name.clone());
                Ok(self.names.insert(key, name).is_none())
            }
            RosterObject::Card(card) if card.holds() => Ok(self.cards.insert(card.encode(), card).is_none()),
            RosterObject::Card(_) => Err(RosterError::Signature),
        }
    }

    fn take_epoch(&mut self, signed: SignedEpoch) -> Result<bool, RosterError> {
        let epoch = Epoch::parse(&signed.body)?;
        let id = signed.id();
        if epoch.number == 1 {
            match self.operation {
                Some(operation) if operation.0 != id.0 => return Err(RosterError::ForeignOperation),
                Some(_) => {}
                None if signed.signers(&epoch).len() == epoch.agencies.len() => {
                    self.operation = Some(OperationId(id.0));
                }
                None => return Err(RosterError::Signature),
            }
        }
        match self.epochs.get_mut(&id) {
            Some(held) => Ok(held.merge(&signed)),
            None => Ok(self.epochs.insert(id, signed).is_none()),
        }
    }

    fn rebuild(&mut self) {
        self.line = self.follow_epochs();
        self.devices.clear();
        self.chains.clear();
        let records: BTreeMap<AgencyId, AgencyRecord> =
            self.line.iter().flat_map(|(_, epoch)| epoch.agencies.iter().cloned()).map(|a| (a.id.clone(), a)).collect();
        let mut by_agency: BTreeMap<AgencyId, Vec<(ChainEntryId, ChainEntry, SignedChainEntry)>> = BTreeMap::new();
        for (id, signed) in &self.chain {
            if let Ok(entry) = ChainEntry::parse(&signed.body) {
                by_agency.entry(entry.agency.clone()).or_default().push((*id, entry, signed.clone()));
            }
        }
        for (agency, record) in &records {
            let entries = by_agency.remove(agency).unwrap_or_default();
            let chain = Walk { record, entries: &entries, devices: &mut self.devices }.run();
            self.chains.insert(agency.clone(), chain);
        }
        self.network = self.devices.values().map(|device| (device.network_key, device.id)).collect();
        self.opened = self.open_names();
    }

    /// Follows the epochs from number 1. Where two complete successors exist, neither is followed:
    /// a root has signed one number twice, and both bodies are kept as proof.
    fn follow_epochs(&self) -> Vec<(EpochId, Epoch)> {
        let parsed: Vec<(EpochId, Epoch, &SignedEpoch)> = self
            .epochs
            .iter()
            .filter_map(|(id, signed)| Epoch::parse(&signed.body).ok().map(|epoch| (*id, epoch, signed)))
            .collect();
        let start =
            parsed.iter().find(|(id, epoch, _)| epoch.number == 1 && self.operation.is_some_and(|o| o.0 == id.0));
        let Some((id, first, _)) = start else { return Vec::new() };
        let mut line = vec![(*id, first.clone())];
        while let Some((at, current)) = line.last() {
            let mut next = parsed.iter().filter(|(_, epoch, signed)| {
                epoch.prev == Some(*at)
                    && epoch.number == current.number + 1
                    && epoch.operation_name == current.operation_name
                    && epoch.exercise == current.exercise
                    && current.enough(&signed.signers(current), epoch)
            });
            match (next.next(), next.next()) {
                (Some((id, epoch, _)), None) => line.push((*id, epoch.clone())),
                _ => break,
            }
        }
        line
    }

    /// Names whose commitment an enrolment holds.
    fn open_names(&self) -> BTreeMap<OperatorId, String> {
        let mut committed = BTreeSet::new();
        for signed in self.chain.values() {
            if let Ok(ChainEntry { action: ChainAction::Enrol(enrol), .. }) = ChainEntry::parse(&signed.body) {
                committed.insert((enrol.operator, enrol.operator_commitment));
            }
        }
        let open = self.names.values().filter(|name| committed.contains(&(name.operator, name_commitment(name))));
        open.map(|name| (name.operator, name.name.clone())).collect()
    }

    /// The operation.
    pub fn operation(&self) -> Option<OperationId> {
        self.operation
    }
    /// The current epoch.
    pub fn epoch(&self) -> Option<&Epoch> {
        self.line.last().map(|(_, epoch)| epoch)
    }
    /// All epochs that follow each other, from number 1.
    pub fn epochs(&self) -> impl Iterator<Item = &Epoch> {
        self.line.iter().map(|(_, epoch)| epoch)
    }
    /// The operation's name.
    pub fn operation_name(&self) -> &str {
        self.epoch().map_or("", |epoch| &epoch.operation_name)
    }
    /// Whether it is an exercise.
    pub fn exercise(&self) -> bool {
        self.epoch().is_some_and(|epoch| epoch.exercise)
    }
    /// Signatures that the next epoch needs.
    pub fn threshold(&self) -> usize {
        self.epoch().map_or(0, threshold_for)
    }
    /// The legal clocks, as JSON text.
    pub fn rules(&self) -> Option<&str> {
        self.epoch()?.rules.as_deref()
    }
    /// An agency that the current or an earlier epoch names.
    pub fn agency(&self, id: &AgencyId) -> Option<AgencyState> {
        let record = self.line.iter().rev().find_map(|(_, epoch)| epoch.agency(id))?;
        let chain = self.chains.get(id);
        let mut key_epochs = vec![(1, record.recipient.clone())];
        key_epochs.extend(chain.into_iter().flat_map(|chain| chain.keys.clone()));
        Some(AgencyState {
            record: record.clone(),
            key_epochs,
            contested: chain.is_some_and(|chain| chain.contested),
            chain_len: chain.map_or(0, |chain| chain.ids.len() as u64),
        })
    }
    /// The agencies of the current epoch.
    pub fn agencies(&self) -> Vec<AgencyState> {
        let records = self.epoch().map(|epoch| epoch.agencies.as_slice()).unwrap_or_default();
        records.iter().filter_map(|record| self.agency(&record.id)).collect()
    }
    /// A device that was ever enrolled.
    pub fn device(&self, id: &DeviceId) -> Option<&Device> {
        self.devices.get(id)
    }
    /// All devices that were ever enrolled.
    pub fn devices(&self) -> impl Iterator<Item = &Device> {
        self.devices.values()
    }
    /// The device that certified this endpoint key.
    pub fn device_by_network_key(&self, key: &[u8; 32]) -> Option<&Device> {
        self.network.get(key).and_then(|id| self.devices.get(id))
    }
    /// A view that travelled with the roster.
    pub fn view(&self, hash: &RosterHash) -> Option<&RosterView> {
        self.views.get(hash)
    }
    /// What is held now.
    pub fn current_view(&self) -> Option<RosterView> {
        let (epoch, body) = self.line.last()?;
        let heads = self
            .chains
            .iter()
            .filter_map(|(agency, chain)| chain.ids.last().map(|id| (agency.clone(), chain.ids.len() as u64, *id)));
        Some(RosterView { epoch_number: body.number, epoch: *epoch, heads: heads.collect() })
    }
    /// The roles of a device in a view; `None` where the view does not know it, or where the view
    /// names a chain head that is not on the chain as it takes effect.
    pub fn roles_at(&self, device: &DeviceId, view: &RosterView) -> Option<Vec<Role>> {
        let device = self.devices.get(device)?;
        let chain = self.chains.get(&device.agency)?;
        let (_, number, head) = view.heads.iter().find(|(agency, ..)| *agency == device.agency)?;
        let at = usize::try_from(number.checked_sub(1)?).ok()?;
        if chain.ids.get(at) != Some(head) {
            return None;
        }
        device.history.iter().rev().find(|(since, _)| since <= number).map(|(_, roles)| roles.clone())
    }
    /// The cut of a revoked device: `Some(None)` accepts nothing of it.
    pub fn cut(&self, device: &DeviceId) -> Option<Option<Cut>> {
        self.devices.get(device)?.revoked.as_ref().map(|revoked| revoked.cut)
    }
    /// An operator's name, where it was opened to this device.
    pub fn name_of(&self, operator: &OperatorId) -> Option<&str> {
        self.opened.get(operator).map(String::as_str)
    }
    /// The head of an agency's chain: (entries, id of the last).
    pub fn chain_head(&self, agency: &AgencyId) -> (u64, Option<ChainEntryId>) {
        self.chains.get(agency).map_or((0, None), |chain| (chain.ids.len() as u64, chain.ids.last().copied()))
    }
    /// The id of the current epoch.
    pub fn epoch_id(&self) -> Option<EpochId> {
        self.line.last().map(|(id, _)| *id)
    }
    /// An epoch with its signatures, current or proposed.
    pub fn signed_epoch(&self, id: &EpochId) -> Option<&SignedEpoch> {
        self.epochs.get(id)
    }
    /// The key of a mailbox in a week, from cards of devices that may publish them.
    pub fn mailbox(&self, owner: &MailboxOwner, week: u32) -> Option<(Recipient, [u8; 32])> {
        let cards = self.cards.values().filter(|card| card.owner == *owner && self.may_publish(card));
        cards.filter_map(|card| card.week(week)).min().cloned()
    }
    fn may_publish(&self, card: &MailboxCard) -> bool {
        let Some(by) = self.devices.get(&card.by).filter(|device| device.revoked.is_none()) else { return false };
        match &card.owner {
            MailboxOwner::Device(id) => *id == card.by,
            MailboxOwner::Agency(id) => *id == by.agency && by.is_desk(),
        }
    }

    /// All objects, in an order in which a receiver can apply them one by one.
    pub fn objects(&self) -> Vec<RosterObject> {
        let mut epochs: Vec<(u64, &SignedEpoch)> = self
            .epochs
            .values()
            .filter_map(|signed| Epoch::parse(&signed.body).ok().map(|epoch| (epoch.number, signed)))
            .collect();
        epochs.sort_by_key(|(number, signed)| (*number, signed.id()));
        let mut chain: Vec<(u64, ChainEntryId, &SignedChainEntry)> = self
            .chain
            .iter()
            .filter_map(|(id, signed)| ChainEntry::parse(&signed.body).ok().map(|entry| (entry.number, *id, signed)))
            .collect();
        chain.sort_by_key(|(number, id, _)| (*number, *id));
        let mut objects: Vec<RosterObject> =
            epochs.into_iter().map(|(_, signed)| RosterObject::Epoch(signed.clone())).collect();
        objects.extend(chain.into_iter().map(|(_, _, signed)| RosterObject::Chain(signed.clone())));
        objects.extend(self.views.values().cloned().map(RosterObject::View));
        objects.extend(self.names.values().cloned().map(RosterObject::Name));
        objects.extend(self.cards.values().cloned().map(RosterObject::Card));
        objects
    }

    /// Whether this roster continues another: same operation, and every epoch and chain of the other
    /// is a beginning of this one's.
    pub fn extends(&self, other: &Roster) -> bool {
        let epochs = other.line.iter().zip(&self.line).all(|(theirs, ours)| theirs.0 == ours.0);
        let chains = other.chains.iter().all(|(agency, theirs)| {
            let ours = self.chains.get(agency).map(|chain| chain.ids.as_slice()).unwrap_or_default();
            ours.len() >= theirs.ids.len() && ours[..theirs.ids.len()] == theirs.ids
        });
        self.operation == other.operation && self.line.len() >= other.line.len() && epochs && chains
    }
}

/// Walks one agency's chain from its first entry.
struct Walk<'a> {
    record: &'a AgencyRecord,
    entries: &'a [(ChainEntryId, ChainEntry, SignedChainEntry)],
    devices: &'a mut BTreeMap<DeviceId, Device>,
}

impl Walk<'_> {
    fn run(mut self) -> Chain {
        let mut chain = Chain::default();
        loop {
            let number = chain.ids.len() as u64 + 1;
            let prev = chain.ids.last().copied();
            let next: Vec<&(ChainEntryId, ChainEntry, SignedChainEntry)> = self
                .entries
                .iter()
                .filter(|(_, entry, signed)| {
                    entry.number == number && entry.prev == prev && self.may_sign(entry, signed)
                })
                .collect();
            let chosen = match next.as_slice() {
                [] => return chain,
                [one] => one,
                many => {
                    // A root-signed entry, here or later, names the branch that it stands on.
                    let mut named = many.iter().filter(|(id, _, signed)| self.root_follows(*id, signed));
                    match (named.next(), named.next()) {
                        (Some(one), None) => one,
                        _ => {
                            chain.contested = true;
                            return chain;
                        }
                    }
                }
            };
            let (id, entry, signed) = chosen;
            self.apply(entry, signed, &mut chain);
            chain.ids.push(*id);
        }
    }

    /// Whether the root signed this entry or one that stands on it. Walked with a list of its own: a
    /// hostile chain may be long.
    fn root_follows(&self, id: ChainEntryId, signed: &SignedChainEntry) -> bool {
        if signed.by == self.record.root {
            return true;
        }
        let mut standing = BTreeSet::from([id]);
        // By number, so that what an entry stands on is seen before it.
        let mut later: Vec<_> = self.entries.iter().collect();
        later.sort_by_key(|(_, entry, _)| entry.number);
        for (next, entry, signed) in later {
            if entry.prev.is_some_and(|prev| standing.contains(&prev)) {
                if signed.by == self.record.root {
                    return true;
                }
                standing.insert(*next);
            }
        }
        false
    }

    /// The root; a founding administrator, who enrols itself first; an active administrator. Nobody
    /// but the root revokes alone while another administrator is active.
    fn may_sign(&self, entry: &ChainEntry, signed: &SignedChainEntry) -> bool {
        if signed.by == self.record.root {
            return self.fits(entry);
        }
        let by = DeviceId(signed.by.0);
        let founding = self.record.admins.contains(&by);
        let known = self.devices.get(&by);
        let active =
            known.is_some_and(|d| d.agency == self.record.id && d.revoked.is_none() && d.roles.contains(&Role::Admin));
        let first = entry.number == 1
            && founding
            && known.is_none()
            && matches!(&entry.action, ChainAction::Enrol(enrol) if enrol.device == by);
        (active || first) && self.fits(entry) && self.seconded(entry, &by)
    }

    /// Names devices that are there (or, to enrol one, not yet anywhere).
    fn fits(&self, entry: &ChainEntry) -> bool {
        let ours = |id: &DeviceId| self.devices.get(id).is_some_and(|device| device.agency == self.record.id);
        match &entry.action {
            ChainAction::Enrol(enrol) => !self.devices.contains_key(&enrol.device),
            ChainAction::Revoke(revoke) => ours(&revoke.device),
            ChainAction::Roles(roles) => ours(&roles.device),
            ChainAction::AgencyKey(_) => true,
        }
    }

    fn seconded(&self, entry: &ChainEntry, by: &DeviceId) -> bool {
        let ChainAction::Revoke(revoke) = &entry.action else { return true };
        let others = self.devices.values().filter(|device| {
            device.agency == self.record.id
                && device.id != *by
                && device.id != revoke.device
                && device.revoked.is_none()
                && device.roles.contains(&Role::Admin)
        });
        let others: BTreeSet<DeviceId> = others.map(|device| device.id).collect();
        let last_good = revoke.cut.map_or(0, |cut| cut.number);
        others.is_empty()
            || revoke
                .second
                .as_ref()
                .is_some_and(|second| others.contains(&second.by) && second.holds(&revoke.device, last_good))
    }

    fn apply(&mut self, entry: &ChainEntry, signed: &SignedChainEntry, chain: &mut Chain) {
        match &entry.action {
            ChainAction::Enrol(enrol) => {
                self.devices.insert(enrol.device, device(enrol, entry));
            }
            ChainAction::Revoke(revoke) => self.revoke(revoke, entry, signed),
            ChainAction::Roles(change) => {
                if let Some(device) = self.devices.get_mut(&change.device) {
                    device.roles.clone_from(&change.roles);
                    device.history.push((entry.number, change.roles.clone()));
                }
            }
            ChainAction::AgencyKey(key) => {
                let next = chain.keys.last().map_or(2, |(epoch, _)| epoch + 1);
                if key.epoch == next {
                    chain.keys.push((key.epoch, key.recipient.clone()));
                }
            }
        }
    }

    fn revoke(&mut self, revoke: &Revoke, entry: &ChainEntry, signed: &SignedChainEntry) {
        let Some(device) = self.devices.get_mut(&revoke.device) else { return };
        // A second revocation can only move the cut earlier: nothing comes back by revoking again.
        let earlier = device
            .revoked
            .as_ref()
            .is_none_or(|held| revoke.cut.map_or(0, |cut| cut.number) < held.cut.map_or(0, |cut| cut.number));
        if earlier {
            device.revoked = Some(Revocation {
                cut: revoke.cut,
                reason: revoke.reason.clone(),
                at_ms: entry.at_ms,
                effective_ms: revoke.effective_ms,
                by: signed.by,
            });
        }
    }
}

fn device(enrol: &Enrol, entry: &ChainEntry) -> Device {
    Device {
        id: enrol.device,
        agency: entry.agency.clone(),
        name: enrol.name.clone(),
        operator: enrol.operator,
        unit: enrol.unit.clone(),
        roles: enrol.roles.clone(),
        recipient: enrol.recipient.clone(),
        network_key: enrol.network_key.0,
        enrolled_at: entry.number,
        revoked: None,
        history: vec![(entry.number, enrol.roles.clone())],
    }
}
