//! Which roster judges, and whether there is one history.

use std::collections::BTreeSet;

use logbook::Roster;
use logbook::roster::RosterObject;
use seal::RosterHash;

use super::Verdict;
use super::read::Loaded;
use crate::instant;
use crate::layout::{self, RosterLine};
use crate::trust::TrustFile;

/// The longer roster judges, so that a dossier cannot hide a revocation; two that do not continue each
/// other judge nothing.
///
/// Gives the roster, and whether it is the dossier's own.
pub fn choose(loaded: &Loaded, trust: &TrustFile, trusted: Roster, verdict: &mut Verdict) -> Option<(Roster, bool)> {
    let own = &loaded.roster;
    let foreign = "it belongs to another operation than the trust file";
    if loaded.statement.operation != trust.operation {
        verdict.problem(layout::STATEMENT, foreign);
        return None;
    }
    if own.operation() != trusted.operation() {
        verdict.problem(layout::ROSTER, foreign);
        return None;
    }
    let view = own.view(&loaded.statement.roster);
    if view.is_none_or(|view| own.current_view().as_ref() != Some(view)) {
        verdict.problem(layout::ROSTER, "it is not the roster that the exporter states");
    }
    histories(loaded, trust, verdict);
    if own.extends(&trusted) {
        // Where the two are equally long, the trust file's date is the better known.
        let same = trusted.extends(own);
        verdict.as_of = Some(if same { trust.as_of.clone() } else { instant::utc(loaded.statement.at_ms) });
        return Some((own.clone(), true));
    }
    verdict.as_of = Some(trust.as_of.clone());
    if !trusted.extends(own) {
        verdict.problem(
            layout::ROSTER,
            "neither its roster nor that of the trust file continues the other: ask for a newer trust file, and beware of two histories",
        );
        return None;
    }
    // Views and names are proved by their hashes, so they may come from the dossier: all of them, since the
    // longer roster can use some that the dossier's own cannot yet.
    let mut judging = trusted;
    judging.add_all(loaded.proved.iter().cloned().filter_map(RosterLine::object));
    Some((judging, false))
}

/// Two complete successors of one epoch, in dossier and trust file together, are two histories: neither is
/// followed, and nothing that was written under either can be judged.
fn histories(loaded: &Loaded, trust: &TrustFile, verdict: &mut Verdict) {
    let mut both = loaded.roster.clone();
    let epochs = trust.roster.iter().filter(|line| matches!(line, RosterLine::Epoch(_)));
    both.add_all(epochs.cloned().filter_map(RosterLine::object));
    let Some((one, other)) = both.epoch_fork() else { return };
    let signers = |id| {
        let signed = both.signed_epoch(&id).map(|signed| signed.signatures.as_slice()).unwrap_or_default();
        signed.iter().map(|signature| signature.agency.to_string()).collect::<BTreeSet<_>>()
    };
    let twice: Vec<String> = signers(one).intersection(&signers(other)).cloned().collect();
    let last = both.epoch().map_or(0, |epoch| epoch.number);
    let what = format!(
        "two histories: epoch {} has two complete successors, {} and {}; both were signed by {}",
        last,
        one.short(),
        other.short(),
        if twice.is_empty() { "no single institution".to_owned() } else { twice.join(", ") }
    );
    // The views that entries here and the exporter cite, and that take the one or the other for granted.
    let cited: BTreeSet<RosterHash> = entry_views(loaded).chain([loaded.statement.roster]).collect();
    let rests = loaded.proved.iter().cloned().filter_map(RosterLine::object).any(|object| match object {
        RosterObject::View(view) => view.epoch_number > last && cited.contains(&view.hash()),
        _ => false,
    });
    let rests = rests || loaded.roster.epoch().is_some_and(|epoch| epoch.number > last);
    if rests {
        verdict.problem(layout::ROSTER, format!("{what}. The dossier rests on one of them"));
    } else {
        verdict.notes.push(format!("{what}. Nothing in this dossier rests on either"));
    }
}

fn entry_views(loaded: &Loaded) -> impl Iterator<Item = RosterHash> {
    loaded.records.iter().flat_map(|record| {
        let whole = record.entries.iter().map(|opened| opened.link.roster);
        whole.chain(record.sketches.iter().map(|sketch| sketch.opened.link.roster))
    })
}
