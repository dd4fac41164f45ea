//! The fold: a record's entries in, what everyone derives from them out.
//!
//! Entries stand in one total order (depth, then entry id), a linear extension of causality, so
//! the same envelopes give the same record whatever the order of arrival. The CRDT holds every
//! correctly signed entry of an admitted device; status is applied here.
//!
//! Two things are kept apart. Whether an entry is **linked**, all before it here and its depth
//! following from it, is a matter of bytes alone, and does not change once it holds. Its **status**
//! may change with roster and chains. A past goes through whatever is linked: otherwise a rejection
//! that comes late would cut off everything that honest colleagues wrote after it.

mod push;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use seal::header::MAX_HEADS;
use seal::{DeviceId, EntryId, EnvelopeId, Opened, RecordId, RosterHash};

use crate::action::{Action, At};
use crate::authorise::{Author, Denied};
use crate::causality::{Mark, Past};
use crate::entry::Entry;
pub use crate::judge::Shown;
use crate::judge::{Item, Parsed, Unread, unsound};
use crate::limits::Giving;
use crate::reason::Reason;
use crate::record_state::RecordState;
use crate::roster::{AgencyId, Roster};
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
    pub why: Option<Reason>,
    /// The same in words.
    pub reason: Option<String>,
    /// The author's agency, where the roster knows it.
    pub agency: Option<AgencyId>,
    /// Whole and valid, but after one whose action is withheld: whether its author might state it cannot
    /// be told.
    pub unjudged: bool,
    parsed: Parsed,
    /// What someone who cites it had seen.
    past: Past,
    /// Whether everything before it is here, and its depth follows from it.
    linked: bool,
    /// Whether an entry that stands in the document cites it, directly or through others that do not.
    covered: bool,
}

impl Judged {
    /// Linked, of an admitted device, and not rejected: what the next entry may cite.
    fn citable(&self) -> bool {
        self.linked && self.status != Status::Rejected && self.agency.is_some()
    }
    /// Whether it is part of the record's document: what may be cited, and what was. Others rest on it
    /// then, whatever its status has become.
    pub fn in_document(&self) -> bool {
        self.citable() || self.covered
    }
}

/// What judging needs beside the entries.
pub struct Ground<'a> {
    /// The roster.
    pub roster: &'a Roster,
    /// What is known of the authors' chains.
    pub marks: &'a ChainMarks,
}

/// Entries on their way into the fold; with what was read of them, where that is known.
type Fresh = Vec<(Arc<Opened>, Option<Parsed>)>;

/// A device's line in the record: entries that each had seen the one before.
#[derive(Debug, Clone, Default)]
struct Line {
    /// The device's index, in the order of first appearance.
    author: u32,
    /// The number in the record of the line's last entry; 0 where there is none.
    tip: u64,
    /// The newest roster that an entry of the line cites without going back.
    roster: Option<RosterHash>,
    /// The greatest chain number of all that is here of the device.
    top: u64,
    /// Chain numbers of what could stand in the line and was not folded yet, with their count.
    ahead: BTreeMap<u64, usize>,
}

/// A record.
#[derive(Debug, Clone)]
pub struct Record {
    id: RecordId,
    entries: Vec<Judged>,
    index: HashMap<EntryId, usize>,
    lines: HashMap<DeviceId, Line>,
    /// Further envelopes of entries that are here.
    spares: BTreeMap<(EntryId, EnvelopeId), Arc<Opened>>,
    state: RecordState,
    heads: BTreeSet<EntryId>,
    /// Entries that were cited before they were here.
    awaited: HashSet<EntryId>,
    waiting: usize,
    /// Whether an entry here withholds its action: what comes after it may rest on it.
    withheld: bool,
}

impl Record {
    /// A record without entries.
    pub fn new(id: RecordId) -> Self {
        Self {
            id,
            entries: Vec::new(),
            index: HashMap::new(),
            lines: HashMap::new(),
            spares: BTreeMap::new(),
            state: RecordState::default(),
            heads: BTreeSet::new(),
            awaited: HashSet::new(),
            waiting: 0,
            withheld: false,
        }
    }

    /// Folds a set of entries.
    pub fn fold(id: RecordId, entries: impl IntoIterator<Item = Arc<Opened>>, ground: &Ground<'_>) -> Self {
        let mut record = Self::new(id);
        record.add_all(entries, ground);
        record
    }

    /// Folds entries of which some withhold their action: of those, what is shown of it. They count for
    /// what link and header say, and change nothing; whether an author might state an action is not
    /// asked of them, nor of what comes after one of them.
    pub fn fold_withheld(
        id: RecordId,
        whole: impl IntoIterator<Item = Arc<Opened>>,
        withheld: impl IntoIterator<Item = (Arc<Opened>, Shown)>,
        ground: &Ground<'_>,
    ) -> Self {
        let mut record = Self::new(id);
        let (fresh, _) = record.sort_out(whole, ground);
        let mut hidden: BTreeMap<EntryId, (Arc<Opened>, Shown)> = BTreeMap::new();
        for (opened, shown) in withheld {
            match hidden.get(&opened.id) {
                Some((held, _)) if rank(held, ground) <= rank(&opened, ground) => {}
                _ => drop(hidden.insert(opened.id, (opened, shown))),
            }
        }
        let mut all: Fresh = fresh.into_iter().map(|opened| (opened, None)).collect();
        let here: HashSet<EntryId> = all.iter().map(|(opened, _)| opened.id).collect();
        let hidden = hidden.into_values().filter(|(opened, _)| !here.contains(&opened.id));
        all.extend(hidden.map(|(opened, shown)| (opened, Some(Err(Unread::Withheld(shown))))));
        record.refold(all, ground);
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
    /// How many entries wait for something.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Every head, however many: entries that no other entry in the document has seen.
    pub fn all_heads(&self) -> &BTreeSet<EntryId> {
        &self.heads
    }

    /// What the next entry cites: the heads, as many as a header holds. Where there are more, the
    /// deepest of each device come first, so that no device crowds out the others; an author that
    /// goes on writing cites the rest in turn.
    pub fn heads(&self) -> Vec<EntryId> {
        if self.heads.len() <= MAX_HEADS {
            return self.heads.iter().copied().collect();
        }
        let mut heads: Vec<&Judged> = self.heads.iter().filter_map(|id| self.entry(id)).collect();
        heads.sort_by_key(|head| (Reverse(head.status.counts()), Reverse(head.opened.header.depth), head.opened.id));
        let mut places: HashMap<DeviceId, usize> = HashMap::new();
        let mut ranked: Vec<(usize, usize, EntryId)> = Vec::with_capacity(heads.len());
        for (at, head) in heads.iter().enumerate() {
            let place = places.entry(head.opened.link.device).or_default();
            ranked.push((*place, at, head.opened.id));
            *place += 1;
        }
        ranked.sort_unstable();
        let mut cited: Vec<EntryId> = ranked.into_iter().take(MAX_HEADS).map(|(.., id)| id).collect();
        cited.sort_unstable();
        cited
    }
    /// The depth of the next entry.
    pub fn next_depth(&self) -> u64 {
        1 + self
            .heads()
            .iter()
            .filter_map(|id| self.entry(id))
            .map(|entry| entry.opened.header.depth)
            .max()
            .unwrap_or(0)
    }
    /// The number of a device's next entry in this record.
    pub fn next_number(&self, device: &DeviceId) -> u64 {
        let numbers = self.entries.iter().filter(|entry| entry.opened.link.device == *device);
        1 + numbers.map(|entry| entry.opened.header.number).max().unwrap_or(0)
    }
    /// The past of someone who cites what is here.
    pub fn seen_now(&self) -> Past {
        let mut past = Past::default();
        for entry in self.heads().iter().filter_map(|id| self.entry(id)) {
            past.merge(&entry.past);
        }
        past
    }

    /// Adds one entry. The common case, an entry that comes after all others, costs one step;
    /// otherwise the record is folded again.
    pub fn add(&mut self, opened: Arc<Opened>, ground: &Ground<'_>) {
        self.add_all([opened], ground);
    }

    /// Adds entries, in any order; known ones change nothing.
    pub fn add_all(&mut self, entries: impl IntoIterator<Item = Arc<Opened>>, ground: &Ground<'_>) {
        let (fresh, again) = self.sort_out(entries, ground);
        let place = if again || self.withheld { None } else { self.place_for(&fresh) };
        let Some(place) = place else {
            return self.refold(fresh.into_iter().map(|opened| (opened, None)).collect(), ground);
        };
        let inert = self.entries.split_off(place);
        for entry in &inert {
            self.index.remove(&entry.opened.id);
        }
        let items = fresh.into_iter().map(|opened| Item::new(self.id, opened, None, ground));
        self.push_all(items.collect(), ground);
        for entry in inert {
            self.index.insert(entry.opened.id, self.entries.len());
            self.entries.push(entry);
        }
    }

    /// What of these is not here, in fold order, one envelope each, the others kept as spares; and whether
    /// one of those stands before what is here.
    fn sort_out(
        &mut self,
        entries: impl IntoIterator<Item = Arc<Opened>>,
        ground: &Ground<'_>,
    ) -> (Vec<Arc<Opened>>, bool) {
        let mut again = false;
        let mut fresh: BTreeMap<(u64, EntryId), Arc<Opened>> = BTreeMap::new();
        for opened in entries {
            let held = match self.entry(&opened.id) {
                Some(held) => &held.opened,
                None => fresh.entry((opened.header.depth, opened.id)).or_insert_with(|| opened.clone()),
            };
            if held.envelope != opened.envelope {
                again |= rank(&opened, ground) < rank(held, ground);
                self.spares.insert((opened.id, opened.envelope), opened);
            }
        }
        (fresh.into_values().collect(), again)
    }

    /// Where entries, in fold order, can be put without judging anything here again: after all that
    /// bears on anything, each device going on where it ended, and nothing here waiting for them. What
    /// strangers claim of depth so costs nobody else.
    fn place_for(&self, fresh: &[Arc<Opened>]) -> Option<usize> {
        let key = |opened: &Opened| (opened.header.depth, opened.id);
        let (Some(first), Some(last)) = (fresh.first(), fresh.last()) else { return Some(self.entries.len()) };
        let place = self.entries.partition_point(|held| key(&held.opened) < key(last));
        let follows = |opened: &Arc<Opened>| {
            let top = self.lines.get(&opened.link.device).map_or(0, |line| line.top);
            opened.link.number > top && !self.awaited.contains(&opened.id)
        };
        let after = place.checked_sub(1).is_none_or(|at| key(&self.entries[at].opened) < key(first));
        if !after || !fresh.iter().all(follows) {
            return None;
        }
        let authors: BTreeSet<DeviceId> = fresh.iter().map(|opened| opened.link.device).collect();
        let inert = |held: &Judged| !held.in_document() && !authors.contains(&held.opened.link.device);
        self.entries[place..].iter().all(inert).then_some(place)
    }

    /// Judges everything again: the roster or what is known of a chain changed.
    pub fn judge_again(&mut self, ground: &Ground<'_>) {
        self.refold(Vec::new(), ground);
    }

    fn refold(&mut self, fresh: Fresh, ground: &Ground<'_>) {
        let held = std::mem::replace(self, Self::new(self.id));
        self.spares = held.spares;
        let held = held.entries.into_iter().map(|entry| (entry.opened, Some(entry.parsed)));
        let mut all: Fresh = held.chain(fresh).collect();
        all.sort_by_key(|(opened, _)| (opened.header.depth, opened.id));
        let items = all.into_iter().map(|(opened, parsed)| {
            let opened = self.best(opened, ground);
            Item::new(self.id, opened, parsed, ground)
        });
        let items = items.collect();
        self.push_all(items, ground);
    }

    /// Of the envelopes of one entry, the one that stands; the others are kept, because a cut may
    /// come to prefer one of them.
    fn best(&mut self, opened: Arc<Opened>, ground: &Ground<'_>) -> Arc<Opened> {
        let all = (opened.id, EnvelopeId([0; 32]))..=(opened.id, EnvelopeId([0xff; 32]));
        let best = self.spares.range(all).map(|(_, spare)| spare).min_by_key(|spare| rank(spare, ground));
        match best.filter(|best| rank(best, ground) < rank(&opened, ground)).cloned() {
            None => opened,
            Some(best) => {
                self.spares.remove(&(best.id, best.envelope));
                self.spares.insert((opened.id, opened.envelope), opened);
                best
            }
        }
    }

    /// Whether an author may state this of the record, having seen this past.
    fn allowed(&self, action: &Action, giving: &Giving<'_>, past: &Past) -> Result<(), Denied> {
        action.authorise(giving.author, &self.state, past)?;
        giving.check(action, &self.state)
    }

    /// Asks, before anything is signed, whether this author may state this now; and whether the
    /// step would have an effect.
    pub fn would(&self, action: &Action, who: &Author<'_>, mark: &Mark, roster: &Roster) -> Result<(), Denied> {
        let past = self.seen_now();
        let view = roster.current_view().ok_or(Denied::Outsider)?;
        self.allowed(action, &Giving { author: who, roster, view: &view }, &past)?;
        // Only steps of a flow can lack effect; they are cheap to try on a copy of the state.
        if matches!(action, Action::State(_) | Action::Answer(_) | Action::Move(_) | Action::Decide(_)) {
            let mut copy = self.state.clone();
            let mark = Mark { author: u32::MAX, number: 1, ..mark.clone() };
            action.apply(&mut copy, &At { mark: &mark, past: &past }).map_err(Denied::Step)?;
        }
        Ok(())
    }

    /// Numbers missing in the record, by device: bodies that its audience should hold and does not.
    pub fn gaps(&self) -> BTreeMap<DeviceId, Vec<u64>> {
        let mut numbers: BTreeMap<DeviceId, BTreeSet<u64>> = BTreeMap::new();
        // A stranger's numbers say nothing of what is missing.
        let told = |entry: &&Judged| entry.status != Status::Rejected && entry.agency.is_some();
        for entry in self.entries.iter().filter(told) {
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
        self.awaited.iter().filter(|id| !self.index.contains_key(id)).copied().collect()
    }
}

/// Of several envelopes of one entry, the least stands: one that is neither beyond a fork nor beyond
/// a cut; then the lower chain number. So a thief who seals an entry again moves it nowhere.
fn rank(opened: &Opened, ground: &Ground<'_>) -> (bool, u64, EnvelopeId) {
    (unsound(opened, ground).is_some(), opened.link.number, opened.envelope)
}
