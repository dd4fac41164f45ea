//! Taking objects in: what is checked at once, what waits, and how much may wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use seal::{ChainEntryId, EpochId, Hash32, OperationId, OperatorId, RosterHash};

use super::{ChainEntry, Epoch, EpochSignature, Roster, RosterError, RosterObject, SignedChainEntry, SignedEpoch};

/// Bytes of objects that take no effect (so far). Room for a few hundred large ones, and little
/// enough for the smallest machine; an object that takes effect at once is never refused for it.
pub(super) const MAX_IDLE: usize = 16 * 1024 * 1024;
/// Bytes of views. Some 100,000 of a usual operation: one per change of the roster and agency.
pub(super) const MAX_VIEWS: usize = 32 * 1024 * 1024;
/// Statements of one agency over an epoch whose predecessor is not here, so that they cannot be
/// checked: the right one, and a few that strangers made up.
const MAX_UNCHECKED: usize = 4;

/// Which list a root's statement over an epoch belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Statement {
    Signature,
    Waiver,
}

/// An epoch with the statements over it that hold, one per agency, and those not checked yet.
#[derive(Debug, Clone)]
pub(super) struct HeldEpoch {
    pub epoch: Arc<Epoch>,
    pub signed: SignedEpoch,
    unchecked: BTreeSet<(Statement, EpochSignature)>,
}

impl HeldEpoch {
    fn new(epoch: Epoch, body: String) -> Self {
        let signed = SignedEpoch { body, signatures: Vec::new(), acceptances: Vec::new(), waivers: Vec::new() };
        Self { epoch: Arc::new(epoch), signed, unchecked: BTreeSet::new() }
    }
    fn is_empty(&self) -> bool {
        self.signed.signatures.is_empty()
            && self.signed.acceptances.is_empty()
            && self.signed.waivers.is_empty()
            && self.unchecked.is_empty()
    }
    /// Bytes that it takes.
    pub fn size(&self) -> usize {
        let statements = self.signed.signatures.len()
            + self.signed.acceptances.len()
            + self.signed.waivers.len()
            + self.unchecked.len();
        self.signed.body.len() + statements * 200
    }
    /// Everything that was said over it, checked or not.
    pub fn whole(&self) -> SignedEpoch {
        let mut whole = self.signed.clone();
        for (statement, signature) in &self.unchecked {
            keep(list(&mut whole, *statement), signature.clone());
        }
        whole
    }

    /// Joins what another copy says; `by` is the epoch whose roots sign it, where it is here.
    fn join(&mut self, given: &SignedEpoch, by: Option<&Epoch>) -> bool {
        let mut changed = false;
        for acceptance in &given.acceptances {
            if given.acceptance_holds(acceptance, &self.epoch) {
                changed |= keep(&mut self.signed.acceptances, acceptance.clone());
            }
        }
        let signatures = given.signatures.iter().map(|held| (Statement::Signature, held.clone()));
        let waivers = given.waivers.iter().map(|held| (Statement::Waiver, held.clone()));
        for statement in signatures.chain(waivers) {
            changed |= match by {
                Some(by) => self.check(by, statement),
                None => self.defer(statement),
            };
        }
        changed
    }

    fn check(&mut self, by: &Epoch, (statement, signature): (Statement, EpochSignature)) -> bool {
        let holds = match statement {
            Statement::Signature => self.signed.holds(&signature, by),
            Statement::Waiver => self.signed.waiver_holds(&signature, by),
        };
        holds && keep(list(&mut self.signed, statement), signature)
    }

    fn defer(&mut self, statement: (Statement, EpochSignature)) -> bool {
        let same = |held: &&(Statement, EpochSignature)| held.0 == statement.0 && held.1.agency == statement.1.agency;
        self.unchecked.iter().filter(same).count() < MAX_UNCHECKED && self.unchecked.insert(statement)
    }

    /// Checks what waited for the predecessor.
    fn settle(&mut self, by: &Epoch) {
        for statement in std::mem::take(&mut self.unchecked) {
            self.check(by, statement);
        }
    }
}

fn list(signed: &mut SignedEpoch, statement: Statement) -> &mut Vec<EpochSignature> {
    match statement {
        Statement::Signature => &mut signed.signatures,
        Statement::Waiver => &mut signed.waivers,
    }
}

/// Keeps one statement per agency, sorted; of two, the smaller, so that order does not matter.
fn keep(list: &mut Vec<EpochSignature>, signature: EpochSignature) -> bool {
    match list.binary_search_by(|held| held.agency.cmp(&signature.agency)) {
        Ok(at) if list[at] <= signature => false,
        Ok(at) => {
            list[at] = signature;
            true
        }
        Err(at) => {
            list.insert(at, signature);
            true
        }
    }
}

/// A chain entry with everyone who signed it. Anyone can sign a body that is public, and must not
/// displace the one whose signature counts.
#[derive(Debug, Clone)]
pub(super) struct HeldEntry {
    pub entry: ChainEntry,
    pub body: String,
    /// Signature by key, each checked; of two by one key, the smaller.
    pub signings: BTreeMap<Hash32, String>,
}

impl HeldEntry {
    /// The entry as one key signed it.
    pub fn signed_by(&self, by: &Hash32) -> Option<SignedChainEntry> {
        let signature = self.signings.get(by)?.clone();
        Some(SignedChainEntry { body: self.body.clone(), by: *by, signature })
    }
}

/// What names an object that is held.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Epoch(EpochId),
    Entry(ChainEntryId, Hash32),
    View(RosterHash),
    Name(OperatorId, String, String),
    Card(Vec<u8>),
}

impl Key {
    /// Of any object.
    pub fn of(object: &RosterObject) -> Self {
        match object {
            RosterObject::Epoch(epoch) => Self::Epoch(epoch.id()),
            RosterObject::Chain(entry) => Self::Entry(entry.id(), entry.by),
            RosterObject::View(view) => Self::View(view.hash()),
            RosterObject::Name(name) => Self::Name(name.operator, name.salt.clone(), name.name.clone()),
            RosterObject::Card(card) => Self::Card(card.encode()),
        }
    }
}

impl Roster {
    /// Whether an object is held.
    pub(super) fn holds(&self, key: &Key) -> bool {
        match key {
            Key::Epoch(id) => self.epochs.contains_key(id),
            Key::Entry(id, by) => self.chain.get(id).is_some_and(|held| held.signings.contains_key(by)),
            Key::View(hash) => self.views.contains_key(hash),
            Key::Name(operator, salt, name) => self.names.contains_key(&(*operator, salt.clone(), name.clone())),
            Key::Card(bytes) => self.cards.contains_key(bytes),
        }
    }

    /// Checks an object by itself and keeps it; `true` if that changed anything.
    pub(super) fn take(&mut self, object: RosterObject) -> Result<bool, RosterError> {
        match object {
            RosterObject::Epoch(epoch) => self.take_epoch(epoch),
            RosterObject::Chain(entry) => self.take_entry(entry),
            RosterObject::View(view) => Ok(self.views.insert(view.hash(), Arc::new(view)).is_none()),
            RosterObject::Name(name) => {
                name.validate()?;
                let key = (name.operator, name.salt.clone(), name.name.clone());
                Ok(self.names.insert(key, name).is_none())
            }
            RosterObject::Card(card) if card.holds() => Ok(self.cards.insert(card.encode(), Arc::new(card)).is_none()),
            RosterObject::Card(_) => Err(RosterError::Signature),
        }
    }

    fn take_epoch(&mut self, given: SignedEpoch) -> Result<bool, RosterError> {
        given.validate()?;
        let epoch = Epoch::parse(&given.body)?;
        let id = given.id();
        if epoch.number == 1 {
            if self.operation.is_some_and(|operation| operation.0 != id.0) {
                return Err(RosterError::ForeignOperation);
            }
            if given.signers(&epoch).len() != epoch.agencies.len() {
                return Err(RosterError::Signature);
            }
            self.operation = Some(OperationId(id.0));
        }
        let by = match epoch.prev {
            Some(prev) => self.epochs.get(&prev).map(|held| held.epoch.clone()),
            None => Some(Arc::new(epoch.clone())),
        };
        let mut held = match self.epochs.get(&id) {
            Some(held) => HeldEpoch::clone(held),
            None => HeldEpoch::new(epoch, given.body.clone()),
        };
        let changed = held.join(&given, by.as_deref());
        if held.is_empty() {
            return Err(RosterError::Signature);
        }
        if changed {
            self.epochs.insert(id, Arc::new(held));
            self.settle_successors(id);
        }
        Ok(changed)
    }

    /// Checks what was said over the successors of an epoch that has come.
    fn settle_successors(&mut self, id: EpochId) {
        let Some(by) = self.epochs.get(&id).map(|held| held.epoch.clone()) else { return };
        let waiting = self.epochs.iter().filter(|(_, held)| held.epoch.prev == Some(id) && !held.unchecked.is_empty());
        let waiting: Vec<EpochId> = waiting.map(|(id, _)| *id).collect();
        for next in waiting {
            let Some(held) = self.epochs.get_mut(&next).map(Arc::make_mut) else { continue };
            held.settle(&by);
            if held.is_empty() {
                self.epochs.remove(&next);
            }
        }
    }

    fn take_entry(&mut self, given: SignedChainEntry) -> Result<bool, RosterError> {
        let entry = given.open()?;
        let held = self
            .chain
            .entry(given.id())
            .or_insert_with(|| Arc::new(HeldEntry { entry, body: given.body.clone(), signings: BTreeMap::new() }));
        if held.signings.get(&given.by).is_some_and(|known| *known <= given.signature) {
            return Ok(false);
        }
        Arc::make_mut(held).signings.insert(given.by, given.signature);
        Ok(true)
    }

    /// Gives up objects of this call that take no effect, until the rest is within its bounds.
    /// Gives back which.
    pub(super) fn trim(&mut self, fresh: &BTreeSet<Key>) -> BTreeSet<Key> {
        let mut dropped = BTreeSet::new();
        let views = |roster: &Self| roster.views.values().map(|view| view.heads.len() * 80 + 48).sum::<usize>();
        let mut over = views(self).saturating_sub(MAX_VIEWS);
        for key in fresh.iter().rev().filter(|key| matches!(key, Key::View(_))) {
            if over > 0 {
                over = over.saturating_sub(self.forget(key));
                dropped.insert(key.clone());
            }
        }
        // Most rosters are far below the bound; only a full one is looked at piece by piece.
        if self.size() <= MAX_IDLE {
            return dropped;
        }
        let idle = self.idle();
        let mut over = idle.values().sum::<usize>().saturating_sub(MAX_IDLE);
        for key in fresh.iter().rev().filter(|key| idle.contains_key(*key)) {
            if over > 0 && !dropped.contains(key) {
                over = over.saturating_sub(self.forget(key));
                dropped.insert(key.clone());
            }
        }
        dropped
    }

    /// Bytes held, views aside.
    fn size(&self) -> usize {
        let entries = self.chain.values().map(|held| held.body.len() + held.signings.len() * 200).sum::<usize>();
        let epochs = self.epochs.values().map(|held| held.size()).sum::<usize>();
        let names = self.names.values().map(|name| name.name.len() + 100).sum::<usize>();
        entries + epochs + names + self.cards.keys().map(Vec::len).sum::<usize>()
    }

    fn forget(&mut self, key: &Key) -> usize {
        match key {
            Key::Epoch(id) => self.epochs.remove(id).map_or(0, |held| held.size()),
            Key::Entry(id, by) => {
                let Some(held) = self.chain.get_mut(id) else { return 0 };
                let size = held.body.len() + 200;
                if held.signings.len() > 1 {
                    Arc::make_mut(held).signings.remove(by);
                    return 200;
                }
                self.chain.remove(id);
                size
            }
            Key::View(hash) => self.views.remove(hash).map_or(0, |view| view.heads.len() * 80 + 48),
            Key::Name(operator, salt, name) => {
                self.names.remove(&(*operator, salt.clone(), name.clone())).map_or(0, |name| name.name.len() + 100)
            }
            Key::Card(bytes) => self.cards.remove(bytes).map_or(0, |_| bytes.len()),
        }
    }
}
