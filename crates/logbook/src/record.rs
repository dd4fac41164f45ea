//! The fold: a record's entries in, what everyone derives from them out.
//!
//! Entries stand in one total order (depth, then entry id), a linear extension of causality, so
//! the same envelopes give the same record whatever the order of arrival. The CRDT holds every
//! correctly signed entry of an admitted device; status is applied here.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use seal::{DeviceId, EntryId, Opened, RecordId};

use crate::action::{Action, At};
use crate::authorise::{Author, Denied};
use crate::causality::{Mark, Past};
use crate::entry::{Entry, EntryError};
use crate::record_state::RecordState;
use crate::roster::{AgencyId, Device, Roster};
use crate::status::{ChainMarks, Status};

/// An entry with what it counts for.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The checked envelope.
    pub opened: Arc<Opened>,
    /// The entry, where it could be read.
    pub entry: Option<Arc<Entry>>,
    /// Its status.
    pub status: Status,
    /// Why, where it is not simply valid, or why it has no effect.
    pub reason: Option<String>,
    /// The author's agency, where the roster knows it.
    pub agency: Option<AgencyId>,
    /// What the author had seen, itself included.
    past: Past,
    /// Whether everything before it is at hand.
    complete: bool,
}

/// What judging needs beside the entries.
pub struct Ground<'a> {
    /// The roster.
    pub roster: &'a Roster,
    /// What is known of the authors' chains.
    pub marks: &'a ChainMarks,
}

/// A record.
#[derive(Debug, Clone)]
pub struct Record {
    id: RecordId,
    entries: Vec<Judged>,
    index: HashMap<EntryId, usize>,
    devices: HashMap<DeviceId, u32>,
    state: RecordState,
    heads: BTreeSet<EntryId>,
    waiting: usize,
}

impl Record {
    /// A record without entries.
    pub fn new(id: RecordId) -> Self {
        Self {
            id,
            entries: Vec::new(),
            index: HashMap::new(),
            devices: HashMap::new(),
            state: RecordState::default(),
            heads: BTreeSet::new(),
            waiting: 0,
        }
    }

    /// Folds a set of entries.
    pub fn fold(id: RecordId, entries: impl IntoIterator<Item = Arc<Opened>>, ground: &Ground<'_>) -> Self {
        let mut record = Self::new(id);
        record.add_all(entries, ground);
        record
    }

    /// The id.
    pub fn id(&self) -> RecordId {
        self.id
    }
    /// The entries in fold order.
    pub fn entries(&self) -> &[Judged] {
        &self.entries
    }
    /// One entry.
    pub fn entry(&self, id: &EntryId) -> Option<&Judged> {
        self.index.get(id).map(|at| &self.entries[*at])
    }
    /// What follows from them.
    pub fn state(&self) -> &RecordState {
        &self.state
    }
    /// The heads: entries that no other entry has seen. What the next entry cites.
    pub fn heads(&self) -> Vec<EntryId> {
        self.heads.iter().copied().collect()
    }
    /// The depth of the next entry.
    pub fn next_depth(&self) -> u64 {
        1 + self.heads.iter().filter_map(|id| self.entry(id)).map(|entry| entry.opened.header.depth).max().unwrap_or(0)
    }
    /// The number of a device's next entry in this record.
    pub fn next_number(&self, device: &DeviceId) -> u64 {
        let numbers = self.entries.iter().filter(|entry| entry.opened.link.device == *device);
        1 + numbers.map(|entry| entry.opened.header.number).max().unwrap_or(0)
    }
    /// How many entries wait for something.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Adds one entry. The common case, an entry that comes after all others, costs one step;
    /// otherwise the record is folded again.
    pub fn add(&mut self, opened: Arc<Opened>, ground: &Ground<'_>) {
        self.add_all([opened], ground);
    }

    /// Adds entries, in any order; known ones change nothing.
    pub fn add_all(&mut self, entries: impl IntoIterator<Item = Arc<Opened>>, ground: &Ground<'_>) {
        let mut fresh: Vec<Arc<Opened>> = entries.into_iter().filter(|opened| self.supersedes(opened)).collect();
        fresh.sort_by_key(|opened| (opened.header.depth, opened.id, opened.link.number, opened.envelope));
        fresh.dedup_by_key(|opened| opened.id);
        let last = self.entries.last().map(|entry| (entry.opened.header.depth, entry.opened.id));
        let Some(first) = fresh.first().map(|opened| (opened.header.depth, opened.id)) else { return };
        let repeats = fresh.iter().any(|opened| self.index.contains_key(&opened.id));
        if self.waiting == 0 && !repeats && last.is_none_or(|last| last < first) {
            for opened in fresh {
                self.push(opened, ground);
            }
            return;
        }
        let mut all: Vec<Arc<Opened>> = self.entries.iter().map(|entry| entry.opened.clone()).chain(fresh).collect();
        all.sort_by_key(|opened| (opened.header.depth, opened.id, opened.link.number, opened.envelope));
        all.dedup_by_key(|opened| opened.id);
        self.refold(all, ground);
    }

    /// One change in two envelopes of its device: the one with the lower chain number stands, so
    /// that the order of arrival does not matter.
    fn supersedes(&self, opened: &Opened) -> bool {
        self.entry(&opened.id)
            .is_none_or(|held| (opened.link.number, opened.envelope) < (held.opened.link.number, held.opened.envelope))
    }

    /// Judges everything again: the roster or what is known of a chain changed.
    pub fn judge_again(&mut self, ground: &Ground<'_>) {
        let all = self.entries.iter().map(|entry| entry.opened.clone()).collect();
        self.refold(all, ground);
    }

    fn refold(&mut self, all: Vec<Arc<Opened>>, ground: &Ground<'_>) {
        *self = Self::new(self.id);
        for opened in all {
            self.push(opened, ground);
        }
    }

    /// Takes the next entry in fold order.
    fn push(&mut self, opened: Arc<Opened>, ground: &Ground<'_>) {
        let next = self.devices.len() as u32;
        let author = *self.devices.entry(opened.link.device).or_insert(next);
        let (past, complete) = self.past_of(&opened);
        let parsed = Entry::open(&opened).map(Arc::new);
        let device = ground.roster.device(&opened.link.device);
        let verdict = self.judge(&opened, parsed.as_ref(), &past, author, complete, ground);
        let (mut status, mut reason) = match verdict {
            Ok(status) => (status, None),
            Err((status, why)) => (status, Some(why)),
        };
        if status.counts()
            && let (Ok(entry), Some(device)) = (&parsed, device)
        {
            let mark = mark(&opened, device, author);
            let at = At { mark: &mark, past: &past };
            match entry.action.apply(&mut self.state, &at) {
                Ok(()) => self.state.last = Some(mark),
                Err(why) => reason = Some(why.to_owned()),
            }
        }
        if !complete && status != Status::Rejected {
            status = Status::Waiting;
        }
        self.waiting += usize::from(status == Status::Waiting);
        self.keep(opened, parsed.ok(), status, reason, device.map(|d| d.agency.clone()), past, author, complete);
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of one entry, in one place")]
    fn keep(
        &mut self,
        opened: Arc<Opened>,
        entry: Option<Arc<Entry>>,
        status: Status,
        reason: Option<String>,
        agency: Option<AgencyId>,
        mut past: Past,
        author: u32,
        complete: bool,
    ) {
        if status != Status::Rejected {
            for head in &opened.header.heads {
                self.heads.remove(head);
            }
            self.heads.insert(opened.id);
            past.add(author, opened.header.number);
        }
        self.index.insert(opened.id, self.entries.len());
        self.entries.push(Judged { opened, entry, status, reason, agency, past, complete });
    }

    /// What the author had seen: everything its heads had seen. `false` if some of it is missing.
    fn past_of(&self, opened: &Opened) -> (Past, bool) {
        let mut past = Past::default();
        let mut complete = true;
        for head in &opened.header.heads {
            match self.entry(head) {
                Some(seen) if seen.status != Status::Rejected => {
                    past.merge(&seen.past);
                    complete &= seen.complete;
                }
                _ => complete = false,
            }
        }
        (past, complete)
    }

    /// The status function. Total: every entry gets exactly one status.
    fn judge(
        &self,
        opened: &Opened,
        parsed: Result<&Arc<Entry>, &EntryError>,
        past: &Past,
        author: u32,
        complete: bool,
        ground: &Ground<'_>,
    ) -> Result<Status, (Status, String)> {
        let entry = match parsed {
            Ok(entry) => entry,
            Err(EntryError::NewerSoftware) => {
                return Err((Status::Waiting, "this entry needs newer software".into()));
            }
            Err(error) => return Err((Status::Rejected, error.to_string())),
        };
        self.shape(opened, entry, past, author, complete).map_err(|why| (Status::Rejected, why.to_owned()))?;
        let Some(view) = ground.roster.view(&opened.link.roster) else {
            return Err((Status::Waiting, "the roster that it cites is not here yet".into()));
        };
        let (Some(device), Some(roles)) = (
            ground.roster.device(&opened.link.device),
            ground.roster.roles_for(&opened.link.device, view, opened.link.number),
        ) else {
            return Err((Status::Rejected, "its device was never admitted in the roster that it cites".into()));
        };
        if !complete {
            return Err((Status::Waiting, "earlier entries of this record are missing".into()));
        }
        quarantine(opened, ground)?;
        if device.operator != opened.header.operator {
            return Err((Status::Rejected, "its operator is not the device's".into()));
        }
        let agency = ground.roster.agency(&device.agency);
        let kind = agency
            .map(|agency| agency.record.kind)
            .ok_or((Status::Rejected, "its agency is not in the roster".to_owned()))?;
        if ground.marks.went_back.contains(&opened.envelope) {
            return Err((Status::NotAuthorised, Denied::RosterWentBack.to_string()));
        }
        let who = Author { device: opened.link.device, agency: &device.agency, kind, roles: &roles };
        if !roles.iter().any(|role| role.to_string() == opened.header.role) {
            return Err((Status::NotAuthorised, "it acts in a role that its operator did not hold".into()));
        }
        self.allowed(&entry.action, &who, past, ground.roster)
            .map_err(|denied| (Status::NotAuthorised, denied.to_string()))?;
        Ok(Status::Valid)
    }

    /// Whether an author may state this of the record, having seen this past.
    fn allowed(&self, action: &Action, who: &Author<'_>, past: &Past, roster: &Roster) -> Result<(), Denied> {
        action.authorise(who, &self.state, past)?;
        for grant in action.grants() {
            if let crate::action::GrantTo::Agency { id, .. } = &grant.to
                && let Some(agency) = roster.agency(id)
                && self.state.alleges(agency.record.kind)
                && id != who.agency
            {
                return Err(Denied::Alleged);
            }
        }
        Ok(())
    }

    /// Asks, before anything is signed, whether this author may state this now; and whether the
    /// step would have an effect.
    pub fn would(&self, action: &Action, who: &Author<'_>, mark: &Mark, roster: &Roster) -> Result<(), Denied> {
        let past = self.seen_now();
        self.allowed(action, who, &past, roster)?;
        // Only steps of a flow can lack effect; they are cheap to try on a copy of the state.
        if matches!(action, Action::State(_) | Action::Answer(_) | Action::Move(_) | Action::Decide(_)) {
            let mut copy = self.state.clone();
            let mark = Mark { author: u32::MAX, number: 1, ..mark.clone() };
            action.apply(&mut copy, &At { mark: &mark, past: &past }).map_err(Denied::Step)?;
        }
        Ok(())
    }

    /// The past of someone who has seen everything here.
    pub fn seen_now(&self) -> Past {
        let mut past = Past::default();
        for head in &self.heads {
            if let Some(entry) = self.entry(head) {
                past.merge(&entry.past);
            }
        }
        past
    }

    /// Rules of form that need the record.
    fn shape(
        &self,
        opened: &Opened,
        entry: &Entry,
        past: &Past,
        author: u32,
        complete: bool,
    ) -> Result<(), &'static str> {
        if opened.header.record != self.id {
            return Err("it names another record");
        }
        match (&entry.action, opened.header.heads.is_empty()) {
            (Action::Create(create), true) if create.record_id(&opened.link.device) == self.id => {}
            (Action::Create(_), _) => return Err("it creates a record that is not its own"),
            (_, true) => return Err("it cites no earlier entry"),
            (_, false) => {}
        }
        if !complete {
            return Ok(());
        }
        let depths = opened.header.heads.iter().filter_map(|id| self.entry(id)).map(|e| e.opened.header.depth);
        if opened.header.depth != 1 + depths.max().unwrap_or(0) {
            return Err("its depth does not follow from its heads");
        }
        if opened.header.number <= past.seen(author) {
            return Err("its number in the record was used before");
        }
        Ok(())
    }

    /// Numbers missing in the record, by device: bodies that its audience should hold and does not.
    pub fn gaps(&self) -> BTreeMap<DeviceId, Vec<u64>> {
        let mut numbers: BTreeMap<DeviceId, BTreeSet<u64>> = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| entry.status != Status::Rejected) {
            numbers.entry(entry.opened.link.device).or_default().insert(entry.opened.header.number);
        }
        let mut gaps = BTreeMap::new();
        for (device, held) in numbers {
            let most = held.last().copied().unwrap_or(0);
            // Bounded: a hostile number cannot make this list long.
            let missing: Vec<u64> = (1..most).filter(|number| !held.contains(number)).take(1000).collect();
            if !missing.is_empty() {
                gaps.insert(device, missing);
            }
        }
        gaps
    }

    /// Heads that entries cite and that are not here.
    pub fn missing(&self) -> BTreeSet<EntryId> {
        let cited = self.entries.iter().flat_map(|entry| &entry.opened.header.heads);
        cited.filter(|id| !self.index.contains_key(id)).copied().collect()
    }
}

fn quarantine(opened: &Opened, ground: &Ground<'_>) -> Result<(), (Status, String)> {
    if ground.marks.forked.contains(&opened.envelope) {
        return Err((Status::Quarantined, "its device's chain forks here and no branch is named".into()));
    }
    if let Some(cut) = ground.roster.cut(&opened.link.device) {
        let last = cut.map_or(0, |cut| cut.number);
        if opened.link.number > last {
            return Err((Status::Quarantined, "it was written after its device was revoked".into()));
        }
        // Said here as well as by the chain's marks: those are made from links, and the head's own may be absent.
        if cut.is_some_and(|cut| opened.link.number == cut.number && opened.envelope != cut.head) {
            return Err((Status::Quarantined, "its device's cut names another entry in its place".into()));
        }
    }
    Ok(())
}

/// The mark of an entry.
fn mark(opened: &Opened, device: &Device, author: u32) -> Mark {
    Mark {
        entry: opened.id,
        author,
        number: opened.header.number,
        device: opened.link.device,
        agency: device.agency.clone(),
        operator: opened.header.operator,
        wall_ms: opened.header.wall_ms,
    }
}
