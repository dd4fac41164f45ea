//! The roster that follows from a set of objects. What follows is computed anew when an object
//! that bears on it is added: a roster has hundreds of objects, and a set has no order of arrival.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use seal::{ChainEntryId, DeviceId, EpochId, Hash32, OperationId, OperatorId, RosterHash};

use super::line::Line;
use super::pool::{HeldEntry, HeldEpoch, Key};
use super::state::{Device, Standing};
use super::walk::{Chain, walk};
use super::{
    AgencyId, ChainAction, MailboxCard, MailboxOwner, NameOpening, RosterError, RosterObject, RosterView,
    name_commitment,
};

/// Cards of one device for one mailbox that count as in effect: a year each, and some renewed.
const MAX_CARDS: usize = 8;

/// The roster.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    pub(super) operation: Option<OperationId>,
    pub(super) epochs: BTreeMap<EpochId, Arc<HeldEpoch>>,
    pub(super) chain: BTreeMap<ChainEntryId, Arc<HeldEntry>>,
    pub(super) views: BTreeMap<RosterHash, Arc<RosterView>>,
    pub(super) names: BTreeMap<(OperatorId, String, String), NameOpening>,
    pub(super) cards: BTreeMap<Vec<u8>, Arc<MailboxCard>>,
    // What follows:
    pub(super) line: Line,
    pub(super) chains: BTreeMap<AgencyId, Chain>,
    pub(super) devices: BTreeMap<DeviceId, Device>,
    pub(super) network: HashMap<[u8; 32], DeviceId>,
    pub(super) opened: BTreeMap<OperatorId, String>,
    /// Operators with their commitments, as enrolments in effect or on a branch have them.
    pub(super) committed: BTreeSet<(OperatorId, Hash32)>,
}

impl Roster {
    /// An empty roster; the first epoch numbered 1 that is added makes it one operation's.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty roster of an operation that is known from elsewhere: any other is refused.
    pub fn of(operation: OperationId) -> Self {
        Self { operation: Some(operation), ..Self::default() }
    }

    /// Adds an object; `true` if it changes what is held. An object that cannot take effect yet is
    /// kept and judged again with every other; [`Roster::waits`] says for what it waits. It is
    /// refused where it breaks its form, a signature that can be checked now does not hold, it is
    /// another operation's, or too much waits already.
    pub fn add(&mut self, object: RosterObject) -> Result<bool, RosterError> {
        let (new, mut refused) = self.add_all([object]);
        match refused.pop() {
            Some(error) => Err(error),
            None => Ok(!new.is_empty()),
        }
    }

    /// Adds many objects; gives back which were new, and the refusals.
    pub fn add_all(
        &mut self,
        objects: impl IntoIterator<Item = RosterObject>,
    ) -> (Vec<RosterObject>, Vec<RosterError>) {
        let (mut new, mut refused) = (Vec::new(), Vec::new());
        let mut fresh = BTreeSet::new();
        for object in objects {
            let key = Key::of(&object);
            let held = self.holds(&key);
            match self.take(object.clone()) {
                Ok(true) => {
                    // What was held before is not given up for what a stranger adds to it.
                    if !held {
                        fresh.insert(key);
                    }
                    new.push(object);
                }
                Ok(false) => {}
                Err(error) => refused.push(error),
            }
        }
        if new.iter().any(|object| matches!(object, RosterObject::Epoch(_) | RosterObject::Chain(_))) {
            self.rebuild();
        } else if new.iter().any(|object| matches!(object, RosterObject::Name(_))) {
            self.opened = self.open_names();
        }
        let dropped = if fresh.is_empty() { BTreeSet::new() } else { self.trim(&fresh) };
        if !dropped.is_empty() {
            new.retain(|object| !dropped.contains(&Key::of(object)));
            refused.extend(dropped.iter().map(|_| RosterError::Full));
            self.rebuild();
        }
        (new, refused)
    }

    fn rebuild(&mut self) {
        self.line = Line::follow(&self.epochs, self.operation);
        let standings = self.line.standings();
        let mut by_agency: BTreeMap<&AgencyId, BTreeMap<ChainEntryId, &HeldEntry>> = BTreeMap::new();
        for (id, held) in &self.chain {
            by_agency.entry(&held.entry.agency).or_default().insert(*id, held);
        }
        self.chains = standings
            .iter()
            .map(|(agency, standing)| {
                let entries = by_agency.remove(agency).unwrap_or_default();
                (agency.clone(), walk(agency, standing, &entries))
            })
            .collect();
        self.devices = own_devices(&standings, &self.chains);
        self.network = endpoints(&self.devices);
        self.committed = self.commitments();
        self.opened = self.open_names();
    }

    fn commitments(&self) -> BTreeSet<(OperatorId, Hash32)> {
        let plausible = self.chains.values().flat_map(|chain| &chain.plausible);
        let entries = plausible.filter_map(|id| self.chain.get(id));
        let committed = entries.filter_map(|held| match &held.entry.action {
            ChainAction::Enrol(enrol) => Some((enrol.operator, enrol.operator_commitment)),
            _ => None,
        });
        committed.collect()
    }

    /// Names whose commitment an enrolment in effect holds. Where two agencies hold different names
    /// for one operator, none is given: a wrong name is worse than none. Within an agency the later
    /// enrolment counts.
    fn open_names(&self) -> BTreeMap<OperatorId, String> {
        let mut openings: BTreeMap<(OperatorId, Hash32), &str> = BTreeMap::new();
        for name in self.names.values() {
            openings.insert((name.operator, name_commitment(name)), &name.name);
        }
        let mut found: BTreeMap<OperatorId, BTreeMap<&AgencyId, (u64, &str)>> = BTreeMap::new();
        for device in self.devices.values() {
            let Some(name) = openings.get(&(device.operator, device.commitment)) else { continue };
            let names = found.entry(device.operator).or_default();
            let held = names.entry(&device.agency).or_insert((device.enrolled_at, name));
            *held = (*held).max((device.enrolled_at, name));
        }
        let one = |names: BTreeMap<&AgencyId, (u64, &str)>| {
            let distinct: BTreeSet<&str> = names.values().map(|(_, name)| *name).collect();
            if distinct.len() == 1 { distinct.first().map(|name| (*name).to_owned()) } else { None }
        };
        found.into_iter().filter_map(|(operator, names)| one(names).map(|name| (operator, name))).collect()
    }

    /// Objects that take no effect, with the bytes that they take.
    pub(super) fn idle(&self) -> BTreeMap<Key, usize> {
        let mut idle = BTreeMap::new();
        let epochs = self.epochs.iter().filter(|(id, _)| !self.line.tree.contains_key(*id));
        idle.extend(epochs.map(|(id, held)| (Key::Epoch(*id), held.size())));
        let effective: BTreeMap<ChainEntryId, Hash32> =
            self.chains.values().flat_map(|chain| chain.ids.iter().copied()).collect();
        for (id, held) in &self.chain {
            let others = held.signings.keys().filter(|by| effective.get(id) != Some(*by));
            let size = if effective.contains_key(id) { 200 } else { held.body.len() + 200 };
            idle.extend(others.map(|by| (Key::Entry(*id, *by), size)));
        }
        let names =
            self.names.values().filter(|name| !self.committed.contains(&(name.operator, name_commitment(name))));
        idle.extend(
            names.map(|name| (Key::Name(name.operator, name.salt.clone(), name.name.clone()), name.name.len() + 100)),
        );
        let mut counts: BTreeMap<(&MailboxOwner, DeviceId), usize> = BTreeMap::new();
        for (bytes, card) in &self.cards {
            let count = counts.entry((&card.owner, card.by)).or_default();
            *count += 1;
            if *count > MAX_CARDS || !self.may_publish(card) {
                idle.insert(Key::Card(bytes.clone()), bytes.len());
            }
        }
        idle
    }

    pub(super) fn may_publish(&self, card: &MailboxCard) -> bool {
        let Some(by) = self.devices.get(&card.by).filter(|device| device.revoked.is_none()) else { return false };
        match &card.owner {
            MailboxOwner::Device(id) => *id == card.by,
            MailboxOwner::Agency(id) => *id == by.agency && by.speaks_for_agency(),
        }
    }
}

/// Whose a device is. An enrolment is public, so another agency can copy it: a certificate made for
/// one agency comes first, then the agency that was there earlier, then the smaller id.
fn own_devices(
    standings: &BTreeMap<AgencyId, Standing>,
    chains: &BTreeMap<AgencyId, Chain>,
) -> BTreeMap<DeviceId, Device> {
    let rank = |device: &Device| {
        let since = standings.get(&device.agency).map_or(u64::MAX, |standing| standing.since);
        (!device.bound, since, device.agency.clone())
    };
    let mut owned: BTreeMap<DeviceId, Device> = BTreeMap::new();
    for device in chains.values().flat_map(|chain| chain.devices.values()) {
        if owned.get(&device.id).is_none_or(|held| rank(device) < rank(held)) {
            owned.insert(device.id, device.clone());
        }
    }
    owned
}

/// Which device an endpoint key means. A device can certify a key that is not its own; where two
/// agencies' devices do, the key means none. Active devices come before revoked ones, and within an
/// agency the one enrolled last.
fn endpoints(devices: &BTreeMap<DeviceId, Device>) -> HashMap<[u8; 32], DeviceId> {
    let mut claims: BTreeMap<[u8; 32], Vec<&Device>> = BTreeMap::new();
    for device in devices.values() {
        claims.entry(device.network_key).or_default().push(device);
    }
    let one = |mut claims: Vec<&Device>| {
        if claims.iter().any(|device| device.revoked.is_none()) {
            claims.retain(|device| device.revoked.is_none());
        }
        let same = claims.windows(2).all(|pair| pair[0].agency == pair[1].agency);
        claims.into_iter().max_by_key(|device| device.enrolled_at).filter(|_| same).map(|device| device.id)
    };
    claims.into_iter().filter_map(|(key, claims)| one(claims).map(|id| (key, id))).collect()
}
