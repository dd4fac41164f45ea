//! What each entry counts for.

use std::collections::{BTreeMap, BTreeSet};

use seal::{DeviceId, EnvelopeId, Link, RosterHash};
use serde::{Deserialize, Serialize};

use crate::roster::Roster;

/// The status of an entry: one of these for every entry there can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Something is missing: the roster it cites, an earlier entry, newer software. Judged again.
    Waiting,
    /// Malformed, never admitted, or it breaks its commitments.
    Rejected,
    /// Rightly signed, but not this author's to state.
    NotAuthorised,
    /// On the author's chain, authorised, before any cut.
    Valid,
    /// After the cut, but covered by other agencies' logs from before the revocation.
    Witnessed,
    /// After the cut, or beyond a fork.
    Quarantined,
}

impl Status {
    /// The spelling in every output.
    pub fn code(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Rejected => "rejected",
            Self::NotAuthorised => "not-authorised",
            Self::Valid => "valid",
            Self::Witnessed => "witnessed",
            Self::Quarantined => "quarantined",
        }
    }
    /// Whether the fold applies it.
    pub fn counts(self) -> bool {
        matches!(self, Self::Valid | Self::Witnessed)
    }
}

/// What the author's chains say of single envelopes: the outcome of [`chain_marks`] over every
/// device whose chain forks or goes back in the roster. Both are rare; the rest needs no table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChainMarks {
    /// Beyond a fork, and not on a branch that a cut names.
    pub forked: BTreeSet<EnvelopeId>,
    /// Cites a roster older than the chain's previous link.
    pub went_back: BTreeSet<EnvelopeId>,
}

/// Marks the links of one device. `links` are all that are known of it, in any order.
///
/// A fork is two links with one number. From there on every link is marked, on either branch, except
/// those from which the cut's head descends or which it is, when a cut names a branch.
pub fn chain_marks(links: &[Link], roster: &Roster) -> ChainMarks {
    let mut marks = ChainMarks::default();
    let by_id: BTreeMap<EnvelopeId, &Link> = links.iter().map(|link| (link.id(), link)).collect();
    let mut numbers: BTreeMap<u64, BTreeSet<EnvelopeId>> = BTreeMap::new();
    for (id, link) in &by_id {
        numbers.entry(link.number).or_default().insert(*id);
        if link.number > 1 {
            // The predecessor that a link names counts as known to exist.
            numbers.entry(link.number - 1).or_default().insert(link.prev);
        }
    }
    marks.went_back = went_back(&by_id, roster);
    // So does the link that a cut names, here or not: whoever signed another in its place forked.
    if let Some(cut) = links.first().and_then(|link| roster.cut(&link.device)).flatten() {
        numbers.entry(cut.number).or_default().insert(cut.head);
    }
    let Some(fork) = numbers.iter().find(|(_, ids)| ids.len() > 1).map(|(number, _)| *number) else {
        return marks;
    };
    let named = links.first().map(|link| named_branch(&link.device, &by_id, roster)).unwrap_or_default();
    let beyond = by_id.iter().filter(|(id, link)| link.number >= fork && !named.contains(id));
    marks.forked = beyond.map(|(id, _)| *id).collect();
    marks
}

/// Links that cite a roster behind the newest one that what leads to them cites. Not behind the
/// predecessor's alone: one link that goes back would make the next one look right.
fn went_back(by_id: &BTreeMap<EnvelopeId, &Link>, roster: &Roster) -> BTreeSet<EnvelopeId> {
    let mut ordered: Vec<(u64, EnvelopeId, &Link)> = by_id.iter().map(|(id, link)| (link.number, *id, *link)).collect();
    ordered.sort_unstable_by_key(|(number, id, _)| (*number, *id));
    let mut newest: BTreeMap<EnvelopeId, RosterHash> = BTreeMap::new();
    let mut back = BTreeSet::new();
    for (_, id, link) in ordered {
        let before = newest.get(&link.prev).filter(|_| link.number > 1).copied();
        let goes_back = before.is_some_and(|held| held != link.roster && roster.went_back(&held, &link.roster));
        if goes_back {
            back.insert(id);
        }
        // A view that is not here is no measure.
        let held = if goes_back || roster.view(&link.roster).is_none() { before } else { Some(link.roster) };
        newest.extend(held.map(|held| (id, held)));
    }
    back
}

fn named_branch(device: &DeviceId, by_id: &BTreeMap<EnvelopeId, &Link>, roster: &Roster) -> BTreeSet<EnvelopeId> {
    let mut named = BTreeSet::new();
    let mut at = roster.cut(device).and_then(|cut| cut.map(|cut| cut.head));
    while let Some(id) = at {
        if !named.insert(id) {
            break;
        }
        at = by_id.get(&id).filter(|link| link.number > 1).map(|link| link.prev);
    }
    named
}
