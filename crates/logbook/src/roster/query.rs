//! What is asked of a roster.

use std::collections::BTreeSet;

use seal::{ChainEntryId, DeviceId, EpochId, Hash32, OperationId, OperatorId, Recipient, RosterHash};

use super::pool::{HeldEpoch, Key};
use super::state::{AgencyState, Device};
use super::{
    AgencyId, AgencyRecord, ChainAction, Cut, Epoch, Equivocation, MailboxOwner, Role, Roster, RosterObject,
    RosterView, SignedEpoch, name_commitment, threshold_for, waivers_needed,
};

/// What an object waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Waits {
    /// It is not held.
    Absent,
    /// The epoch before it.
    Epoch,
    /// Further roots' signatures, or the end of a fork of epochs.
    Signatures,
    /// An epoch that names its agency, or the entry before it.
    Chain,
    /// Its signer's rights, a second administrator, or the root that names a branch.
    Authority,
    /// The epoch or a chain entry that a view names.
    Cited,
    /// An enrolment: of the operator whose name it opens, of the device that publishes it.
    Enrolment,
}

impl Roster {
    /// The operation.
    pub fn operation(&self) -> Option<OperationId> {
        self.operation
    }
    /// The current epoch.
    pub fn epoch(&self) -> Option<&Epoch> {
        self.line.epochs.last().map(|(_, epoch)| epoch.as_ref())
    }
    /// The id of the current epoch.
    pub fn epoch_id(&self) -> Option<EpochId> {
        self.line.epochs.last().map(|(id, _)| *id)
    }
    /// All epochs that follow each other, from number 1.
    pub fn epochs(&self) -> impl Iterator<Item = &Epoch> {
        self.line.epochs.iter().map(|(_, epoch)| epoch.as_ref())
    }
    /// Two complete successors of the current epoch: two histories, of which neither is followed.
    pub fn epoch_fork(&self) -> Option<(EpochId, EpochId)> {
        self.line.fork
    }
    /// An epoch with its signatures, current or proposed.
    pub fn signed_epoch(&self, id: &EpochId) -> Option<&SignedEpoch> {
        self.epochs.get(id).map(|held| &held.signed)
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
        let record = self.line.epochs.iter().rev().find_map(|(_, epoch)| epoch.agency(id))?;
        let chain = self.chains.get(id);
        let mut key_epochs = vec![(1, record.recipient.clone())];
        key_epochs.extend(chain.into_iter().flat_map(|chain| chain.keys.clone()));
        Some(AgencyState {
            key_epochs,
            contested: chain.is_some_and(|chain| chain.contested),
            contested_revocations: chain.map(|chain| chain.contested_revocations.clone()).unwrap_or_default(),
            chain_len: chain.map_or(0, |chain| chain.ids.len() as u64),
            accepted: self.has_accepted(record),
            current: self.epoch().is_some_and(|epoch| epoch.agency(id).is_some()),
            record: record.clone(),
        })
    }
    fn has_accepted(&self, record: &AgencyRecord) -> bool {
        // What is held of acceptances was checked against the root that their epoch lists.
        let named = self
            .line
            .epochs
            .iter()
            .filter(|(_, epoch)| epoch.agency(&record.id).is_some_and(|then| then.root == record.root));
        let mut held = named.filter_map(|(id, _)| self.epochs.get(id));
        held.any(|held| held.signed.acceptances.iter().any(|acceptance| acceptance.agency == record.id))
    }
    /// An agency as the epoch that a view names has it.
    pub(crate) fn agency_in(&self, id: &AgencyId, view: &RosterView) -> Option<&AgencyRecord> {
        self.line.tree.get(&view.epoch)?.agency(id)
    }
    /// The agencies of the current epoch.
    pub fn agencies(&self) -> Vec<AgencyState> {
        let records = self.epoch().map(|epoch| epoch.agencies.as_slice()).unwrap_or_default();
        records.iter().filter_map(|record| self.agency(&record.id)).collect()
    }
    /// The head of an agency's chain: (entries, id of the last).
    pub fn chain_head(&self, agency: &AgencyId) -> (u64, Option<ChainEntryId>) {
        self.chains.get(agency).map_or((0, None), |chain| (chain.ids.len() as u64, chain.head()))
    }

    /// A device that was ever enrolled.
    pub fn device(&self, id: &DeviceId) -> Option<&Device> {
        self.devices.get(id)
    }
    /// All devices that were ever enrolled.
    pub fn devices(&self) -> impl Iterator<Item = &Device> {
        self.devices.values()
    }
    /// The device that certified this endpoint key; none where devices of two agencies did.
    pub fn device_by_network_key(&self, key: &[u8; 32]) -> Option<&Device> {
        self.network.get(key).and_then(|id| self.devices.get(id))
    }
    /// The cut of a revoked device: `Some(None)` accepts nothing of it.
    pub fn cut(&self, device: &DeviceId) -> Option<Option<Cut>> {
        self.devices.get(device)?.revoked.as_ref().map(|revoked| revoked.cut)
    }
    /// An operator's name, where it was opened to this device.
    pub fn name_of(&self, operator: &OperatorId) -> Option<&str> {
        self.opened.get(operator).map(String::as_str)
    }
    /// The key of a mailbox in a week, from cards of devices that may publish them.
    pub fn mailbox(&self, owner: &MailboxOwner, week: u32) -> Option<(Recipient, [u8; 32])> {
        let cards = self.cards.values().filter(|card| card.owner == *owner && self.may_publish(card));
        cards.filter_map(|card| card.week(week)).min().cloned()
    }

    /// A view that travelled with the roster, once everything that it names is here.
    pub fn view(&self, hash: &RosterHash) -> Option<&RosterView> {
        self.views.get(hash).map(AsRef::as_ref).filter(|view| self.resolves(view))
    }
    fn resolves(&self, view: &RosterView) -> bool {
        self.line.tree.get(&view.epoch).is_some_and(|epoch| epoch.number == view.epoch_number)
            && view.heads.iter().all(|(agency, number, id)| {
                self.chains.get(agency).is_some_and(|chain| chain.plausible.contains(id))
                    && self.chain.get(id).is_some_and(|held| held.entry.number == *number)
            })
    }
    /// What is held now.
    pub fn current_view(&self) -> Option<RosterView> {
        let (epoch, body) = self.line.epochs.last()?;
        let heads = self
            .chains
            .iter()
            .filter_map(|(agency, chain)| chain.head().map(|id| (agency.clone(), chain.ids.len() as u64, id)));
        Some(RosterView { epoch_number: body.number, epoch: *epoch, heads: heads.collect() })
    }
    /// The roles of a device in a view; `None` where the view does not know it, or where the view's
    /// epoch does not name its agency. A head on a branch counts up to where the branch left the
    /// chain as it takes effect. For judging an entry, [`Roster::roles_for`] is the whole rule.
    pub fn roles_at(&self, device: &DeviceId, view: &RosterView) -> Option<Vec<Role>> {
        self.roles(device, view, None)
    }
    /// The roles under which a device wrote the entry with this number of its own chain, citing
    /// this view: as [`Roster::roles_at`], without the roles that were taken away since with a cut
    /// before that entry, whatever roster it cites.
    pub fn roles_for(&self, device: &DeviceId, view: &RosterView, number: u64) -> Option<Vec<Role>> {
        self.roles(device, view, Some(number))
    }
    fn roles(&self, device: &DeviceId, view: &RosterView, entry: Option<u64>) -> Option<Vec<Role>> {
        let device = self.devices.get(device)?;
        self.line.tree.get(&view.epoch)?.agency(&device.agency)?;
        let position = self.position(&device.agency, view)?;
        device.roles_as_of(position, entry)
    }
    /// Whether an entry about this device is here, stands under a head of this view, and takes no
    /// effect so far only because the agency's chain, as it takes effect, ends before it: something
    /// that gives it effect may still come.
    pub(crate) fn pending(&self, device: &DeviceId, view: &RosterView) -> bool {
        view.heads.iter().any(|(agency, number, head)| {
            let Some(chain) = self.chains.get(agency) else { return false };
            let (mut at, mut found) = (Some(*head), false);
            for _ in chain.ids.len() as u64..*number {
                let Some(entry) = at.and_then(|id| self.chain.get(&id)).map(|held| &held.entry) else { return false };
                found |= match &entry.action {
                    ChainAction::Enrol(enrol) => enrol.device == *device,
                    ChainAction::Roles(change) => change.device == *device,
                    ChainAction::Revoke(_) | ChainAction::AgencyKey(_) => false,
                };
                at = entry.prev;
            }
            found && at == chain.head()
        })
    }
    /// How far a view saw an agency's chain as it takes effect.
    fn position(&self, agency: &AgencyId, view: &RosterView) -> Option<u64> {
        let (_, _, head) = view.heads.iter().find(|(id, ..)| id == agency)?;
        self.chains.get(agency)?.position(&self.chain, head)
    }
    /// Whether a view that an author cites lies behind the one that it cited before, measured on the
    /// chains as they take effect: giving up a branch for the one that the root named is no way back.
    /// `false` while either view is not here.
    pub fn went_back(&self, before: &RosterHash, after: &RosterHash) -> bool {
        let (Some(before), Some(after)) = (self.view(before), self.view(after)) else { return false };
        let behind = |(agency, ..): &(AgencyId, u64, ChainEntryId)| {
            self.position(agency, after).unwrap_or(0) < self.position(agency, before).unwrap_or(0)
        };
        after.epoch_number < before.epoch_number || before.heads.iter().any(behind)
    }

    /// Roots that signed two successors of one epoch, neither of which enough roots have waived.
    pub fn equivocations(&self) -> Vec<Equivocation> {
        let mut found = BTreeSet::new();
        let rivals: Vec<(&EpochId, &HeldEpoch)> = self.epochs.iter().map(|(id, held)| (id, held.as_ref())).collect();
        for (at, (id, one)) in rivals.iter().enumerate() {
            let Some(prev) = one.epoch.prev.and_then(|prev| self.epochs.get(&prev)) else { continue };
            let others = rivals[at + 1..].iter().filter(|(_, other)| other.epoch.prev == one.epoch.prev);
            for (_, other) in others.filter(|(other, _)| !self.waived(id) && !self.waived(other)) {
                found.extend(both_signed(&prev.epoch, one, other));
            }
        }
        found.into_iter().collect()
    }
    /// Whether so many hierarchies stated that they will not sign this proposal that it can never be
    /// complete: n − k + 1, each with all its institutions. Only then may a root that signed it sign
    /// another proposal of its number.
    pub fn waived(&self, proposal: &EpochId) -> bool {
        let Some(held) = self.epochs.get(proposal) else { return false };
        let Some(prev) = held.epoch.prev.and_then(|prev| self.epochs.get(&prev)) else { return false };
        let waived = |agency: &AgencyRecord| held.signed.waivers.iter().any(|waiver| waiver.agency == agency.id);
        let (mut all, mut open) = (BTreeSet::new(), BTreeSet::new());
        for agency in &prev.epoch.agencies {
            all.insert(agency.hierarchy());
            if !waived(agency) {
                open.insert(agency.hierarchy());
            }
        }
        all.len() - open.len() >= waivers_needed(&prev.epoch)
    }
    /// Another proposal that this agency's root signed for the number of this one, and that was not
    /// waived: signing this one as well would be an equivocation.
    pub fn signed_rival(&self, agency: &AgencyId, proposal: &SignedEpoch) -> Option<EpochId> {
        let prev = Epoch::parse(&proposal.body).ok()?.prev;
        let id = proposal.id();
        let rivals =
            self.epochs.iter().filter(|(other, held)| **other != id && held.epoch.prev == prev && prev.is_some());
        let mut signed = rivals.filter(|(_, held)| held.signed.signatures.iter().any(|held| held.agency == *agency));
        signed.find(|(other, _)| !self.waived(other)).map(|(other, _)| *other)
    }

    /// What an object that was added waits for; `None` where it takes effect.
    pub fn waits(&self, object: &RosterObject) -> Option<Waits> {
        match object {
            RosterObject::Epoch(epoch) => match self.epochs.get(&epoch.id()) {
                None => Some(Waits::Absent),
                Some(_) if self.line.epochs.iter().any(|(id, _)| *id == epoch.id()) => None,
                Some(held) if held.epoch.prev.is_some_and(|prev| !self.line.tree.contains_key(&prev)) => {
                    Some(Waits::Epoch)
                }
                Some(_) => Some(Waits::Signatures),
            },
            RosterObject::Chain(entry) => self.entry_waits(&entry.id(), &entry.by),
            _ if !self.holds(&Key::of(object)) => Some(Waits::Absent),
            RosterObject::View(view) => (!self.resolves(view)).then_some(Waits::Cited),
            RosterObject::Name(name) => {
                (!self.committed.contains(&(name.operator, name_commitment(name)))).then_some(Waits::Enrolment)
            }
            RosterObject::Card(card) => (!self.may_publish(card)).then_some(Waits::Enrolment),
        }
    }
    fn entry_waits(&self, id: &ChainEntryId, by: &Hash32) -> Option<Waits> {
        let Some(held) = self.chain.get(id).filter(|held| held.signings.contains_key(by)) else {
            return Some(Waits::Absent);
        };
        let Some(chain) = self.chains.get(&held.entry.agency) else { return Some(Waits::Chain) };
        let effective = |id: &ChainEntryId| chain.ids.iter().any(|(held, _)| held == id);
        if effective(id) {
            return None;
        }
        let linked = held.entry.prev.is_none_or(|prev| self.chain.contains_key(&prev));
        Some(if linked { Waits::Authority } else { Waits::Chain })
    }

    /// All objects that take effect, and those on branches and proposals that someone with a say
    /// signed, in an order in which a receiver can apply them one by one. What merely waits here is
    /// not passed on.
    pub fn objects(&self) -> Vec<RosterObject> {
        let mut epochs: Vec<(u64, EpochId, &HeldEpoch)> = self
            .epochs
            .iter()
            .filter(|(id, held)| {
                self.line.tree.contains_key(*id)
                    || held.epoch.prev.is_some_and(|prev| self.line.tree.contains_key(&prev))
            })
            .map(|(id, held)| (held.epoch.number, *id, held.as_ref()))
            .collect();
        epochs.sort_by_key(|(number, id, _)| (*number, *id));
        let mut objects: Vec<RosterObject> =
            epochs.into_iter().map(|(_, _, held)| RosterObject::Epoch(held.whole())).collect();
        let mut entries = Vec::new();
        for chain in self.chains.values() {
            for id in &chain.plausible {
                let Some(held) = self.chain.get(id) else { continue };
                let by = held.signings.keys().filter(|by| chain.keyholders.contains(*by));
                entries.extend(by.filter_map(|by| held.signed_by(by)).map(|signed| (held.entry.number, *id, signed)));
            }
        }
        entries.sort_by_key(|(number, id, signed)| (*number, *id, signed.by));
        objects.extend(entries.into_iter().map(|(_, _, signed)| RosterObject::Chain(signed)));
        let views = self.views.values().filter(|view| self.resolves(view));
        objects.extend(views.map(|view| RosterObject::View(view.as_ref().clone())));
        let names = self.names.values().filter(|name| self.committed.contains(&(name.operator, name_commitment(name))));
        objects.extend(names.cloned().map(RosterObject::Name));
        let cards = self.cards.values().filter(|card| self.may_publish(card));
        objects.extend(cards.map(|card| RosterObject::Card(card.as_ref().clone())));
        objects
    }

    /// Whether this roster continues another: same operation, and every epoch and chain of the other
    /// is a beginning of this one's.
    pub fn extends(&self, other: &Roster) -> bool {
        let (ours, theirs) = (&self.line.epochs, &other.line.epochs);
        let epochs = ours.len() >= theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| ours.0 == theirs.0);
        let chains = other.chains.iter().all(|(agency, theirs)| {
            let ours = self.chains.get(agency).map(|chain| chain.ids.as_slice()).unwrap_or_default();
            ours.len() >= theirs.ids.len() && ours.iter().zip(&theirs.ids).all(|(ours, theirs)| ours.0 == theirs.0)
        });
        self.operation == other.operation && epochs && chains
    }
}

/// Proofs against every agency that signed both.
fn both_signed(prev: &Epoch, one: &HeldEpoch, other: &HeldEpoch) -> Vec<Equivocation> {
    let (one, other) = (&one.signed, &other.signed);
    let pairs = one.signatures.iter().filter_map(|first| {
        let second = other.signatures.iter().find(|second| second.agency == first.agency)?;
        let root = prev.agency(&first.agency)?.root;
        let (first_of, second_of) = ((&*one.body, &*first.signature), (&*other.body, &*second.signature));
        Equivocation::new(first.agency.clone(), root, first_of, second_of).ok()
    });
    pairs.collect()
}
