//! What follows from links and headers, whether an entry is here whole or with parts withheld.
//!
//! The fold of a record needs every action. A redacted entry hides its action, but not its header: where it
//! stands, what it cites, who wrote it under which roster is in full view, and is judged by the same rules
//! (3 to 13 of `schemas/spec/entry.md`, section 5). So nobody can withhold a trivial field and hide by it
//! what the entry cites.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use logbook::causality::Past;
use logbook::record::Ground;
use logbook::{Action, Entry, Record, Status};
use seal::{DeviceId, EntryId, EnvelopeId, Header, Link, Opened, RecordId};

/// What of a redacted entry decides whether it can stand where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It creates a record; the id that device and nonce give, where the nonce is shown.
    Create(Option<RecordId>),
    /// Something else.
    Other,
    /// No leaf is shown that would tell.
    Hidden,
    /// It shows leaves of two kinds, or none of an action: no entry has that.
    Malformed,
}

/// A redacted entry, as far as its place in the record goes.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Its id.
    pub entry: EntryId,
    /// Its link.
    pub link: Link,
    /// Its header.
    pub header: Header,
    /// What it shows of its kind.
    pub kind: Kind,
}

/// An entry as outlined.
#[derive(Debug, Clone)]
pub struct Outlined {
    /// Its id.
    pub entry: EntryId,
    /// Its envelope.
    pub envelope: EnvelopeId,
    /// Its author device.
    pub device: DeviceId,
    /// Its status; of a redacted entry, and of one that [`Outlined::unjudged`] names, as far as the rules
    /// can be tried that need no action.
    pub status: Status,
    /// Why, where it is not simply valid.
    pub why: Option<String>,
    /// What may be cited, or was by what may be. Of a rejected entry it says that others rest on it.
    pub cited: bool,
    /// Whole, but after a redacted one: whether its author might state it cannot be told on this copy.
    pub unjudged: bool,
}

/// A record's entries with what can be said of each, and of what is missing.
#[derive(Debug, Clone, Default)]
pub struct Outline {
    /// In fold order.
    pub entries: Vec<Outlined>,
    /// The entries that no other entry has seen, sorted: all of them, also where an entry could not cite them all.
    pub heads: Vec<EntryId>,
    /// How many entries are cited and not here.
    pub missing: usize,
    /// How many numbers are missing below each device's highest.
    pub lacking: BTreeMap<DeviceId, usize>,
}

impl Outline {
    /// Of a record all of whose entries are whole: what its fold says.
    pub fn of(record: &Record) -> Self {
        let entries = record.entries().iter().map(|entry| Outlined {
            entry: entry.opened.id,
            envelope: entry.opened.envelope,
            device: entry.opened.link.device,
            status: entry.status,
            why: entry.reason.clone(),
            cited: entry.in_document(),
            unjudged: false,
        });
        Self {
            entries: entries.collect(),
            heads: record.all_heads().iter().copied().collect(),
            missing: record.missing().len(),
            lacking: record.gaps().into_iter().map(|(device, numbers)| (device, numbers.len())).collect(),
        }
    }

    /// Of a record of which some entries are redacted; `record` is the fold of the whole ones.
    pub fn with_redacted(record: &Record, whole: &[Arc<Opened>], redacted: &[Shape], ground: &Ground<'_>) -> Self {
        let mut items: Vec<Item<'_>> = whole.iter().map(|opened| Item::whole(opened)).collect();
        items.extend(redacted.iter().map(Item::redacted));
        items.sort_by_key(|item| (item.header.depth, item.entry, item.link.number, item.envelope));
        items.dedup_by_key(|item| item.entry);
        let mut walk = Walk { record: record.id(), ground, seen: HashMap::new(), authors: HashMap::new() };
        let mut outline = Self::default();
        let mut linked = Vec::with_capacity(items.len());
        for item in &items {
            let (mut status, mut why, after) = walk.take(item);
            let known = ground.roster.device(&item.link.device).is_some();
            linked.push(known && walk.seen.get(&item.entry).is_some_and(|passed| passed.linked));
            // The fold of the whole entries alone has tried the rights of those that are after none redacted.
            let folded = record.entry(&item.entry).filter(|entry| entry.opened.envelope == item.envelope);
            if status == Status::Valid
                && !after
                && let Some(folded) = folded
            {
                (status, why) = (folded.status, folded.reason.clone());
            }
            let unjudged = after && item.shape.is_none() && status == Status::Valid;
            let (entry, envelope, device) = (item.entry, item.envelope, item.link.device);
            outline.entries.push(Outlined { entry, envelope, device, status, why, cited: false, unjudged });
        }
        outline.count(&items, &linked, ground);
        outline
    }

    /// Heads, and what is missing, by the rules of the fold: what the next entry may cite is linked, not
    /// rejected and of a device that the roster knows; and what was seen through entries that are none of
    /// this is no head either.
    fn count(&mut self, items: &[Item<'_>], linked: &[bool], ground: &Ground<'_>) {
        let places: HashMap<EntryId, usize> = items.iter().enumerate().map(|(at, item)| (item.entry, at)).collect();
        let cited: BTreeSet<EntryId> = items.iter().flat_map(|item| &item.header.heads).copied().collect();
        self.missing = cited.iter().filter(|id| !places.contains_key(id)).count();
        let stands = |at: usize| self.entries[at].status != Status::Rejected;
        let citable = |at: usize| stands(at) && linked[at];
        let mut heads: BTreeSet<EntryId> = BTreeSet::new();
        let mut covered = vec![false; items.len()];
        let mut numbers: BTreeMap<DeviceId, BTreeSet<u64>> = BTreeMap::new();
        for (at, item) in items.iter().enumerate() {
            if stands(at) && ground.roster.device(&item.link.device).is_some() {
                numbers.entry(item.link.device).or_default().insert(item.header.number);
            }
            if !citable(at) {
                continue;
            }
            let mut under = item.header.heads.clone();
            while let Some(id) = under.pop() {
                let Some(place) = places.get(&id).copied().filter(|_| !heads.remove(&id)) else { continue };
                if !citable(place) && !std::mem::replace(&mut covered[place], true) {
                    under.extend(&items[place].header.heads);
                }
            }
            heads.insert(item.entry);
        }
        self.heads = heads.into_iter().collect();
        let cited: Vec<bool> = covered.iter().enumerate().map(|(at, covered)| *covered || citable(at)).collect();
        self.entries.iter_mut().zip(cited).for_each(|(entry, cited)| entry.cited = cited);
        for (device, held) in numbers {
            let most = held.last().copied().unwrap_or(0);
            // Bounded, as in the fold: a hostile number must not keep a reader counting.
            let lacks = (1..most).filter(|number| !held.contains(number)).take(1000).count();
            if lacks > 0 {
                self.lacking.insert(device, lacks);
            }
        }
    }
}

/// One entry on the walk.
struct Item<'a> {
    entry: EntryId,
    envelope: EnvelopeId,
    link: &'a Link,
    header: &'a Header,
    /// Of a redacted one.
    shape: Option<&'a Shape>,
    opened: Option<&'a Opened>,
}

impl<'a> Item<'a> {
    fn whole(opened: &'a Opened) -> Self {
        let (entry, envelope) = (opened.id, opened.envelope);
        Self { entry, envelope, link: &opened.link, header: &opened.header, shape: None, opened: Some(opened) }
    }

    fn redacted(shape: &'a Shape) -> Self {
        let (entry, envelope) = (shape.entry, shape.link.id());
        Self { entry, envelope, link: &shape.link, header: &shape.header, shape: Some(shape), opened: None }
    }

    /// Its kind, or the status that it has without one.
    fn kind(&self) -> Result<Kind, (Status, String)> {
        let Some(opened) = self.opened else { return Ok(self.shape.map_or(Kind::Hidden, |shape| shape.kind)) };
        match Entry::open(opened) {
            Ok(entry) => Ok(match &entry.action {
                Action::Create(create) => Kind::Create(Some(create.record_id(&opened.link.device))),
                _ => Kind::Other,
            }),
            Err(logbook::entry::EntryError::NewerSoftware) => {
                Err((Status::Waiting, "this entry needs newer software".to_owned()))
            }
            Err(error) => Err((Status::Rejected, error.to_string())),
        }
    }
}

/// What is kept of an entry that was passed.
struct Passed {
    depth: u64,
    past: Past,
    /// Everything before it is here, and its depth follows from it.
    linked: bool,
    /// It is redacted, or has seen one that is.
    veiled: bool,
}

/// The way through a record, in fold order.
struct Walk<'a> {
    record: RecordId,
    ground: &'a Ground<'a>,
    seen: HashMap<EntryId, Passed>,
    authors: HashMap<DeviceId, u32>,
}

impl Walk<'_> {
    /// Judges the next entry; also gives whether it has seen a redacted one.
    fn take(&mut self, item: &Item<'_>) -> (Status, Option<String>, bool) {
        let next = u32::try_from(self.authors.len()).unwrap_or(u32::MAX);
        let author = *self.authors.entry(item.link.device).or_insert(next);
        let mut past = Past::default();
        let (mut complete, mut after, mut deepest) = (true, false, 0);
        for head in &item.header.heads {
            match self.seen.get(head).filter(|passed| passed.linked) {
                Some(passed) => {
                    past.merge(&passed.past);
                    after |= passed.veiled;
                    deepest = deepest.max(passed.depth);
                }
                None => complete = false,
            }
        }
        let place = Place { complete, deepest, number: past.seen(author) };
        let (mut status, mut why) = match self.judge(item, &place) {
            Ok(()) => (Status::Valid, None),
            Err((status, why)) => (status, Some(why)),
        };
        if !complete && status != Status::Rejected && status != Status::Waiting {
            (status, why) = (Status::Waiting, Some("earlier entries of this record are missing".to_owned()));
        }
        past.add(author, item.header.number);
        let veiled = after || item.shape.is_some();
        // Only a creation stands on nothing; whether a veiled entry is one may not be told.
        let grounded = !item.header.heads.is_empty() || matches!(item.kind(), Ok(Kind::Create(_) | Kind::Hidden));
        let fits = item.header.record == self.record && item.header.depth == 1 + deepest;
        self.seen.insert(
            item.entry,
            Passed { depth: item.header.depth, past, linked: complete && grounded && fits, veiled },
        );
        (status, why, after)
    }

    /// Rules 1 to 13.
    fn judge(&self, item: &Item<'_>, place: &Place) -> Result<(), (Status, String)> {
        let reject = |why: &str| Err((Status::Rejected, why.to_owned()));
        if let Err(why) = self.shape(item, item.kind()?, place) {
            return reject(why);
        }
        let roster = self.ground.roster;
        let Some(view) = roster.view(&item.link.roster) else {
            return Err((Status::Waiting, "the roster that it cites is not here yet".to_owned()));
        };
        let roles = roster.roles_for(&item.link.device, view, item.link.number);
        let (Some(device), Some(roles)) = (roster.device(&item.link.device), roles) else {
            return reject("its device was never admitted in the roster that it cites");
        };
        if !place.complete {
            return Err((Status::Waiting, "earlier entries of this record are missing".to_owned()));
        }
        if self.ground.marks.forked.contains(&item.envelope) {
            return Err((Status::Quarantined, "its device's chain forks here and no branch is named".to_owned()));
        }
        if roster.cut(&item.link.device).is_some_and(|cut| item.link.number > cut.map_or(0, |cut| cut.number)) {
            return Err((Status::Quarantined, "it was written after its device was revoked".to_owned()));
        }
        if device.operator != item.header.operator {
            return reject("its operator is not the device's");
        }
        if roster.agency(&device.agency).is_none() {
            return reject("its agency is not in the roster");
        }
        if self.ground.marks.went_back.contains(&item.envelope) {
            let why = "it cites a roster older than its author's previous entry";
            return Err((Status::NotAuthorised, why.to_owned()));
        }
        if !roles.iter().any(|role| role.to_string() == item.header.role) {
            return Err((Status::NotAuthorised, "it acts in a role that its operator did not hold".to_owned()));
        }
        Ok(())
    }

    /// Rules 3 and 4.
    fn shape(&self, item: &Item<'_>, kind: Kind, place: &Place) -> Result<(), &'static str> {
        if item.header.record != self.record {
            return Err("it names another record");
        }
        match (kind, item.header.heads.is_empty()) {
            (Kind::Malformed, _) => return Err("it shows what no entry holds"),
            (Kind::Create(Some(id)), _) if id != self.record => {
                return Err("it creates a record that is not its own");
            }
            (Kind::Create(_), false) => return Err("it creates a record that is not its own"),
            (Kind::Other, true) => return Err("it cites no earlier entry"),
            _ => {}
        }
        if place.complete && item.header.depth != 1 + place.deepest {
            return Err("its depth does not follow from its heads");
        }
        if place.complete && item.header.number <= place.number {
            return Err("its number in the record was used before");
        }
        Ok(())
    }
}

/// Where an entry stands by its heads.
struct Place {
    complete: bool,
    deepest: u64,
    /// The greatest number of its own device that it has seen.
    number: u64,
}
