//! One entry into the fold.

use seal::{EntryId, Opened};

use super::{Ground, Judged, Line, Record};
use crate::action::At;
use crate::authorise::{Author, Denied};
use crate::causality::{Mark, Past};
use crate::judge::{Item, Standing, Verdict};
use crate::limits::Giving;
use crate::reason::Reason;
use crate::roster::AgencyId;
use crate::status::Status;

/// Where an entry stands among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// All before it is here, and its depth follows from it.
    Linked,
    /// Something before it is not here, or not linked.
    Incomplete,
    /// Its depth does not follow from its heads.
    Broken,
}

impl Record {
    /// Takes entries that come next in fold order.
    pub(super) fn push_all(&mut self, items: Vec<Item>, ground: &Ground<'_>) {
        for item in &items {
            let author = self.lines.len() as u32;
            let line = self.lines.entry(item.opened.link.device).or_insert(Line { author, ..Line::default() });
            line.top = line.top.max(item.opened.link.number);
            if item.standing.is_ok() {
                *line.ahead.entry(item.opened.link.number).or_default() += 1;
            }
        }
        for item in items {
            self.push(item, ground);
        }
    }

    fn push(&mut self, item: Item, ground: &Ground<'_>) {
        let (mut past, place) = self.place(&item);
        let line = self.step(&item, &past, place, ground);
        let author = self.lines.get(&item.opened.link.device).map_or(0, |line| line.author);
        let verdict = self.verdict(&item, &past, place, &line, ground);
        let (mut status, mut why) = (Status::Valid, None);
        if let Err((other, reason)) = verdict {
            (status, why) = (other, Some(reason));
        }
        if let (true, Ok(entry), Ok(standing)) = (status.counts(), &item.parsed, &item.standing) {
            let mark = mark(&item.opened, &standing.agency, author);
            match entry.action.apply(&mut self.state, &At { mark: &mark, past: &past }) {
                Ok(()) => self.state.last = Some(mark),
                // What it steps on may be withheld.
                Err(_) if self.withheld => {}
                Err(words) => why = Some(Reason::NoEffect(words)),
            }
        }
        if line.is_ok_and(|stands| stands) {
            past.add(author, item.opened.header.number);
        }
        self.keep(item, status, why, past, place == Place::Linked, ground);
    }

    fn keep(&mut self, item: Item, status: Status, why: Option<Reason>, past: Past, linked: bool, ground: &Ground<'_>) {
        let withheld = item.withheld();
        let Item { opened, parsed, .. } = item;
        let agency = ground.roster.device(&opened.link.device).map(|device| device.agency.clone());
        let (entry, reason) = (parsed.as_ref().ok().cloned(), why.as_ref().map(ToString::to_string));
        let unjudged = self.withheld && entry.is_some() && status == Status::Valid;
        self.withheld |= withheld;
        let judged =
            Judged { opened, entry, status, why, reason, agency, unjudged, parsed, past, linked, covered: false };
        self.waiting += usize::from(status == Status::Waiting);
        let cited = &judged.opened.header.heads;
        self.awaited.extend(cited.iter().filter(|id| !self.index.contains_key(id)));
        if judged.citable() {
            self.cover(cited.clone());
            self.heads.insert(judged.opened.id);
        }
        self.index.insert(judged.opened.id, self.entries.len());
        self.entries.push(judged);
    }

    /// What is cited is no head any more; nor is what was seen through entries that are none.
    fn cover(&mut self, mut cited: Vec<EntryId>) {
        while let Some(id) = cited.pop() {
            if self.heads.remove(&id) {
                continue;
            }
            let Some(entry) = self.index.get(&id).map(|at| &mut self.entries[*at]) else { continue };
            // Each is gone through once, however many cite it.
            if !entry.citable() && !std::mem::replace(&mut entry.covered, true) {
                cited.extend(&entry.opened.header.heads);
            }
        }
    }

    /// What the author had seen, everything its heads had seen; and where that puts the entry.
    fn place(&self, item: &Item) -> (Past, Place) {
        let header = &item.opened.header;
        let mut past = Past::default();
        let (mut depth, mut complete) = (0, header.record == self.id);
        for head in &header.heads {
            match self.entry(head).filter(|seen| seen.linked) {
                Some(seen) => {
                    past.merge(&seen.past);
                    depth = depth.max(seen.opened.header.depth);
                }
                None => complete = false,
            }
        }
        // Only a creation stands on nothing, and whether it is one must be known.
        complete &= !header.heads.is_empty() || item.creates();
        let place = match complete {
            false => Place::Incomplete,
            true if header.depth == depth + 1 => Place::Linked,
            true => Place::Broken,
        };
        (past, place)
    }

    /// Puts an entry into its device's line, where it belongs there: whoever stands in the line had
    /// seen everything before it in the line. Of two that had not seen each other, the one with the
    /// lower chain number stands; a later one cannot be signed under it without forking the chain.
    fn step(&mut self, item: &Item, past: &Past, place: Place, ground: &Ground<'_>) -> Result<bool, Verdict> {
        let (link, number) = (&item.opened.link, item.opened.header.number);
        let Some(line) = self.lines.get_mut(&link.device).filter(|_| item.standing.is_ok()) else { return Ok(false) };
        if let Some(count) = line.ahead.get_mut(&link.number) {
            *count -= 1;
            if *count == 0 {
                line.ahead.remove(&link.number);
            }
        }
        if place != Place::Linked {
            return Ok(false);
        }
        let seen = past.seen(line.author);
        if line.ahead.first_key_value().is_some_and(|(ahead, _)| *ahead < link.number) || seen < line.tip {
            return Err((Status::Quarantined, Reason::BesideItsOwn));
        }
        if number <= seen {
            return Err((Status::Rejected, Reason::NumberUsed));
        }
        line.tip = number;
        let back = line.roster.filter(|held| *held != link.roster);
        if !back.is_some_and(|held| ground.roster.went_back(&held, &link.roster)) {
            line.roster = Some(link.roster);
        }
        Ok(true)
    }

    /// The status function. Total: every entry gets exactly one status.
    fn verdict(
        &self,
        item: &Item,
        past: &Past,
        place: Place,
        line: &Result<bool, Verdict>,
        ground: &Ground<'_>,
    ) -> Result<(), Verdict> {
        let standing = match (&item.standing, place) {
            (Err((Status::Rejected, why)), _) => return Err((Status::Rejected, why.clone())),
            (_, Place::Broken) => return Err((Status::Rejected, Reason::Depth)),
            (Err((Status::Waiting, why)), _) => return Err((Status::Waiting, why.clone())),
            (_, Place::Incomplete) => return Err((Status::Waiting, Reason::Incomplete)),
            (Err(verdict), Place::Linked) => return Err(verdict.clone()),
            (Ok(standing), Place::Linked) => standing,
        };
        line.clone()?;
        self.authorised(item, standing, past, ground).map_err(|why| {
            let link = &item.opened.link;
            let view = ground.roster.view(&link.roster);
            match view.is_some_and(|view| ground.roster.pending(&link.device, view)) {
                true => (Status::Waiting, Reason::NotInEffect),
                false => (Status::NotAuthorised, why),
            }
        })
    }

    fn authorised(&self, item: &Item, standing: &Standing, past: &Past, ground: &Ground<'_>) -> Result<(), Reason> {
        let Opened { link, header, envelope, .. } = item.opened.as_ref();
        let line = self.lines.get(&link.device).and_then(|line| line.roster);
        let back = line.is_some_and(|held| held != link.roster && ground.roster.went_back(&held, &link.roster));
        if back || ground.marks.went_back.contains(envelope) {
            return Err(Denied::RosterWentBack.into());
        }
        let Standing { agency, kind, roles } = standing;
        if !roles.iter().any(|role| role.to_string() == header.role) {
            return Err(Reason::RoleNotHeld);
        }
        // Rights follow from what was stated before, and that is not all here.
        let (false, Ok(entry)) = (self.withheld, &item.parsed) else { return Ok(()) };
        let who = Author { device: link.device, agency, kind: *kind, roles };
        let view = ground.roster.view(&link.roster).ok_or(Reason::RosterMissing)?;
        Ok(self.allowed(&entry.action, &Giving { author: &who, roster: ground.roster, view }, past)?)
    }
}

/// The mark of an entry.
fn mark(opened: &Opened, agency: &AgencyId, author: u32) -> Mark {
    Mark {
        entry: opened.id,
        author,
        number: opened.header.number,
        device: opened.link.device,
        agency: agency.clone(),
        operator: opened.header.operator,
        wall_ms: opened.header.wall_ms,
    }
}
