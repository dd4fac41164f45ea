//! Follows one agency's chain from its first entry.
//!
//! A chain is judged by itself: no other agency's chain can stop it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use seal::{ChainEntryId, DeviceId, Hash32, Recipient};

use super::pool::HeldEntry;
use super::state::{Device, Revocation, Standing};
use super::{AgencyId, ChainAction, ChainEntry, Cut, Revoke, Role, Roles, SecondApproval};

/// Entries of one chain that take effect: 500 devices changed thirty times.
const MAX_CHAIN: usize = 16_384;

/// The chain of an agency as it takes effect.
#[derive(Debug, Clone, Default)]
pub(super) struct Chain {
    /// The entries that take effect, each with the key that gave it effect.
    pub ids: Vec<(ChainEntryId, Hash32)>,
    /// Whether it forks with no branch named.
    pub contested: bool,
    /// Devices that entries beyond the fork revoke.
    pub contested_revocations: Vec<DeviceId>,
    /// Further epochs of the agency's recipient.
    pub keys: Vec<(u32, Recipient)>,
    /// Its devices.
    pub devices: BTreeMap<DeviceId, Device>,
    /// Entries, in effect or on a branch, that follow from the first one and are signed by someone
    /// who ever had a say in this agency: worth passing on, and a view may cite them.
    pub plausible: BTreeSet<ChainEntryId>,
    /// Keys that ever had a say.
    pub keyholders: BTreeSet<Hash32>,
}

impl Chain {
    /// How far a head lies on the chain as it takes effect: its own number, or that of the last
    /// entry before its branch left it. `None` for a head that is not of this chain.
    pub fn position(&self, held: &BTreeMap<ChainEntryId, Arc<HeldEntry>>, head: &ChainEntryId) -> Option<u64> {
        let mut at = *head;
        loop {
            let entry = &held.get(&at).filter(|_| self.plausible.contains(&at))?.entry;
            let index = usize::try_from(entry.number.checked_sub(1)?).ok()?;
            if self.ids.get(index).is_some_and(|(id, _)| *id == at) {
                return Some(entry.number);
            }
            // Each step goes to a lower number of a plausible entry, so this ends.
            match entry.prev {
                Some(prev) => at = prev,
                None => return Some(0),
            }
        }
    }
    /// The last entry in effect.
    pub fn head(&self) -> Option<ChainEntryId> {
        self.ids.last().map(|(id, _)| *id)
    }
}

type Entries<'a> = BTreeMap<ChainEntryId, &'a HeldEntry>;

/// Walks a chain over all entries held of the agency.
pub(super) fn walk(agency: &AgencyId, standing: &Standing, entries: &Entries<'_>) -> Chain {
    let Some(root) = standing.root() else { return Chain::default() };
    let mut after: BTreeMap<Option<ChainEntryId>, Vec<ChainEntryId>> = BTreeMap::new();
    for (id, held) in entries {
        after.entry(held.entry.prev).or_default().push(*id);
    }
    let (plausible, keyholders) = plausible(standing, entries);
    let chain = Chain { plausible, keyholders, ..Chain::default() };
    let named = named_by_root(root, entries);
    let mut walk = Walk { agency, standing, root, named, chain };
    while walk.chain.ids.len() < MAX_CHAIN {
        let number = walk.chain.ids.len() as u64 + 1;
        let next = after.get(&walk.chain.head()).into_iter().flatten();
        let next =
            next.filter_map(|id| entries.get(id).filter(|held| held.entry.number == number).map(|held| (*id, *held)));
        let next: Vec<(ChainEntryId, &HeldEntry, Hash32)> =
            next.filter_map(|(id, held)| walk.authority(&id, held).map(|by| (id, held, by))).collect();
        let chosen = match next.as_slice() {
            [] => break,
            [one] => one,
            many => {
                // A root-signed entry, here or later, names the branch that it stands on.
                let mut named = many.iter().filter(|(id, ..)| walk.named.contains(id));
                match (named.next(), named.next()) {
                    (Some(one), None) => one,
                    _ => {
                        walk.contest(entries);
                        break;
                    }
                }
            }
        };
        let (id, held, by) = chosen;
        walk.apply(&held.entry, *by);
        walk.chain.ids.push((*id, *by));
    }
    walk.chain
}

/// Entries that the root in force signed, and everything before them.
fn named_by_root(root: &Hash32, entries: &Entries<'_>) -> BTreeSet<ChainEntryId> {
    let mut named = BTreeSet::new();
    for (id, _) in entries.iter().filter(|(_, held)| held.signings.contains_key(root)) {
        let mut at = Some(*id);
        while let Some(id) = at.filter(|id| named.insert(*id)) {
            at = entries.get(&id).and_then(|held| before(&held.entry, entries));
        }
    }
    named
}

/// The predecessor of an entry, where it is held and numbered one less.
fn before(entry: &ChainEntry, entries: &Entries<'_>) -> Option<ChainEntryId> {
    entry.prev.filter(|id| entries.get(id).is_some_and(|prev| prev.entry.number + 1 == entry.number))
}

fn plausible(standing: &Standing, entries: &Entries<'_>) -> (BTreeSet<ChainEntryId>, BTreeSet<Hash32>) {
    let mut keys: BTreeSet<Hash32> = standing.roots.iter().copied().collect();
    keys.extend(standing.admins.iter().map(|id| Hash32(id.0)));
    let mut ordered: Vec<(u64, ChainEntryId, &HeldEntry)> =
        entries.iter().map(|(id, held)| (held.entry.number, *id, *held)).collect();
    ordered.sort_by_key(|(number, id, _)| (*number, *id));
    let mut found = BTreeSet::new();
    // Keys of one number count from the next number on, so that the order within it is no matter.
    let mut made: BTreeSet<Hash32> = BTreeSet::new();
    let mut number = 0;
    for (at, id, held) in ordered {
        if at != number {
            keys.append(&mut made);
            number = at;
        }
        let linked = at == 1 || before(&held.entry, entries).is_some_and(|prev| found.contains(&prev));
        if !linked || !held.signings.keys().any(|by| keys.contains(by)) {
            continue;
        }
        found.insert(id);
        match &held.entry.action {
            ChainAction::Enrol(enrol) if enrol.roles.contains(&Role::Admin) => made.insert(Hash32(enrol.device.0)),
            ChainAction::Roles(change) if change.roles.contains(&Role::Admin) => made.insert(Hash32(change.device.0)),
            _ => false,
        };
    }
    keys.append(&mut made);
    (found, keys)
}

/// The number of a cut; 0 where nothing is accepted.
fn last_good(cut: Option<Cut>) -> u64 {
    cut.map_or(0, |cut| cut.number)
}

struct Walk<'a> {
    agency: &'a AgencyId,
    standing: &'a Standing,
    root: &'a Hash32,
    named: BTreeSet<ChainEntryId>,
    chain: Chain,
}

impl Walk<'_> {
    /// The key that gives an entry effect here: the root; a former root, where the root in force
    /// signed this or what follows it; an active administrator, or a founding one who enrols itself.
    fn authority(&self, id: &ChainEntryId, held: &HeldEntry) -> Option<Hash32> {
        if !self.fits(&held.entry) {
            return None;
        }
        if held.signings.contains_key(self.root) {
            return Some(*self.root);
        }
        let former = |by: &Hash32| self.standing.roots.contains(by) && self.named.contains(id);
        held.signings.keys().find(|by| former(by) || self.may_sign(&held.entry, &DeviceId(by.0))).copied()
    }

    fn may_sign(&self, entry: &ChainEntry, by: &DeviceId) -> bool {
        let founds = entry.number == 1
            && self.standing.admins.contains(by)
            && matches!(&entry.action, ChainAction::Enrol(enrol) if enrol.device == *by);
        founds || (self.administers(by) && self.seconded(entry, by))
    }

    fn administers(&self, id: &DeviceId) -> bool {
        self.chain.devices.get(id).is_some_and(|device| device.admin && device.revoked.is_none())
    }

    /// Names devices that are there (or, to enrol one, not yet), and the next epoch of a key.
    fn fits(&self, entry: &ChainEntry) -> bool {
        let ours = |id: &DeviceId| self.chain.devices.contains_key(id);
        match &entry.action {
            ChainAction::Enrol(enrol) => !ours(&enrol.device),
            ChainAction::Revoke(revoke) => ours(&revoke.device),
            ChainAction::Roles(change) => ours(&change.device),
            ChainAction::AgencyKey(key) => key.epoch == self.chain.keys.last().map_or(2, |(epoch, _)| epoch + 1),
        }
    }

    /// Nobody but the root revokes a device, or takes the admin role from one, alone while another
    /// administrator is active. The device concerned has no voice in it.
    fn seconded(&self, entry: &ChainEntry, by: &DeviceId) -> bool {
        match &entry.action {
            ChainAction::Revoke(revoke) => {
                let agrees = |second: &SecondApproval| second.holds(&revoke.device, last_good(revoke.cut));
                self.agreed(by, &revoke.device, revoke.second.as_ref(), agrees)
            }
            ChainAction::Roles(change) if self.disarms(change, by) => {
                let agrees =
                    |second: &SecondApproval| second.holds_roles(&change.device, &change.roles, last_good(change.cut));
                self.agreed(by, &change.device, change.second.as_ref(), agrees)
            }
            _ => true,
        }
    }

    fn disarms(&self, change: &Roles, by: &DeviceId) -> bool {
        change.device != *by && self.administers(&change.device) && !change.roles.contains(&Role::Admin)
    }

    fn agreed(
        &self,
        by: &DeviceId,
        target: &DeviceId,
        second: Option<&SecondApproval>,
        agrees: impl Fn(&SecondApproval) -> bool,
    ) -> bool {
        let other = |id: &DeviceId| id != by && id != target && self.administers(id);
        !self.chain.devices.keys().any(other) || second.is_some_and(|second| other(&second.by) && agrees(second))
    }

    /// Marks the chain contested, and gathers whom the entries beyond the fork revoke.
    fn contest(&mut self, entries: &Entries<'_>) {
        self.chain.contested = true;
        let beyond = entries
            .iter()
            .filter(|(id, held)| held.entry.number > self.chain.ids.len() as u64 && self.chain.plausible.contains(id));
        let revoked: BTreeSet<DeviceId> = beyond
            .filter_map(|(_, held)| match &held.entry.action {
                ChainAction::Revoke(revoke) => Some(revoke.device),
                _ => None,
            })
            .filter(|id| self.chain.devices.get(id).is_some_and(|device| device.revoked.is_none()))
            .collect();
        self.chain.contested_revocations = revoked.into_iter().collect();
    }

    fn apply(&mut self, entry: &ChainEntry, by: Hash32) {
        match &entry.action {
            ChainAction::Enrol(enrol) => {
                let founding = self.standing.admins.contains(&enrol.device);
                self.chain.devices.insert(enrol.device, Device::new(enrol, self.agency, entry.number, founding));
            }
            ChainAction::Revoke(revoke) => self.revoke(revoke, entry, by),
            ChainAction::Roles(change) => {
                if let Some(device) = self.chain.devices.get_mut(&change.device) {
                    device.change_roles(entry.number, change);
                }
            }
            ChainAction::AgencyKey(key) => self.chain.keys.push((key.epoch, key.recipient.clone())),
        }
    }

    fn revoke(&mut self, revoke: &Revoke, entry: &ChainEntry, by: Hash32) {
        let Some(device) = self.chain.devices.get_mut(&revoke.device) else { return };
        // A second revocation can only move the cut earlier: nothing comes back by revoking again.
        let earlier = device.revoked.as_ref().is_none_or(|held| last_good(revoke.cut) < last_good(held.cut));
        if earlier {
            let number = device.revoked.as_ref().map_or(entry.number, |held| held.number);
            device.revoked = Some(Revocation {
                cut: revoke.cut,
                reason: revoke.reason.clone(),
                at_ms: entry.at_ms,
                effective_ms: revoke.effective_ms,
                by,
                number,
            });
        }
    }
}
