//! Each exhibit's original is what its entry says, or is stated to be absent; and no other original is here.

use std::collections::{BTreeMap, BTreeSet};

use logbook::record::Shown;
use logbook::{Action, Entry};
use seal::EntryId;
use seal::id::to_hex;

use super::Verdict;
use super::lines::Acquired;
use super::read::{Loaded, ReadRecord};
use crate::bag::Findings;
use crate::digest::Digests;
use crate::layout;
use crate::path::BagPath;

/// An exhibit that an entry here added.
struct Added {
    entry: EntryId,
    /// What its original must be, where the entry shows that.
    acquired: Option<Acquired>,
    /// Whether the identity that opens the sealed file can be read here.
    opens: bool,
    /// The file in which the entry lies.
    file: String,
}

/// Compares the originals with the entries that added them.
pub fn check(loaded: &Loaded, findings: &Findings, verdict: &mut Verdict) {
    let absent: BTreeMap<EntryId, bool> =
        loaded.statement.absent_exhibits.iter().map(|absent| (absent.exhibit, absent.withheld)).collect();
    let added: BTreeMap<EntryId, Added> =
        loaded.records.iter().flat_map(|record| exhibits(record, loaded)).map(|added| (added.entry, added)).collect();
    for added in added.values() {
        one(added, absent.get(&added.entry).copied(), findings, verdict);
    }
    let sketches = loaded.records.iter().flat_map(|record| &record.sketches);
    let veiled: BTreeSet<EntryId> =
        sketches.filter(|sketch| sketch.shown == Shown::Nothing).map(|sketch| sketch.opened.id).collect();
    for id in absent.keys().filter(|id| !added.contains_key(id) && !veiled.contains(id)) {
        let what = format!("it calls an exhibit {} absent that no entry here added", id.short());
        verdict.problem(layout::STATEMENT, what);
    }
    for path in findings.digests.keys().filter(|path| path.is_in("data/evidence")) {
        let (folder, name) = path.as_str().rsplit_once('/').unwrap_or_default();
        let plain = name.starts_with("original.") || ["exhibit.json", "custody.jsonl", "sealed.age"].contains(&name);
        let id = folder.strip_prefix("data/evidence/").and_then(|id| id.parse::<EntryId>().ok());
        if !plain || id.is_none_or(|id| !added.contains_key(&id)) {
            verdict.problem(path, "no entry in the dossier accounts for this file");
        }
    }
}

fn one(added: &Added, absent: Option<bool>, findings: &Findings, verdict: &mut Verdict) {
    if absent == Some(true) && added.opens {
        let id = added.entry.short();
        verdict.problem(&added.file, format!("the exhibit {id} is withheld, but the key that opens it is shown"));
    }
    let originals = originals(findings, &added.entry);
    let folder = layout::exhibit_folder(&added.entry);
    match (originals.as_slice(), absent, &added.acquired) {
        ([], Some(_), _) => {}
        ([], None, _) => verdict.problem(folder, "the original of an exhibit is missing, and not stated to be absent"),
        ([(path, _), ..], Some(_), _) => verdict.problem(path, "it is stated to be absent"),
        ([(path, _)], None, None) => {
            verdict.problem(path, "nothing proves it: its entry does not show size and both hashes");
        }
        ([(path, digests)], None, Some(acquired)) => {
            let matches = digests.size == acquired.size
                && digests.sha256().is_some_and(|hash| to_hex(&hash) == acquired.sha256)
                && digests.sha512().is_some_and(|hash| to_hex(&hash) == acquired.sha512);
            if matches {
                verdict.exhibits += 1;
            } else {
                verdict.problem(path, "it is not the file that was acquired: its hash differs from its entry's");
            }
        }
        ([_, (path, _), ..], None, _) => verdict.problem(path, "there is more than one original of this exhibit"),
    }
}

fn originals<'a>(findings: &'a Findings, exhibit: &EntryId) -> Vec<(&'a BagPath, &'a Digests)> {
    let prefix = format!("{}/original.", layout::exhibit_folder(exhibit));
    // A path cannot end in a dot; "original" sorts right before what follows it.
    let Ok(from) = BagPath::parse(prefix.trim_end_matches('.')) else { return Vec::new() };
    let folder = layout::exhibit_folder(exhibit);
    let listed = findings.digests.range(from..).take_while(|(path, _)| path.is_in(&folder));
    listed.filter(|(path, _)| path.as_str().starts_with(&prefix)).collect()
}

fn exhibits(record: &ReadRecord, loaded: &Loaded) -> Vec<Added> {
    let file = |envelope| loaded.places.get(&envelope).map(|place| place.file.clone()).unwrap_or_default();
    let mut exhibits = Vec::new();
    for opened in &record.entries {
        if let Ok(entry) = Entry::decode(&opened.entry)
            && let Action::Exhibit(exhibit) = entry.action
        {
            let (size, sha256, sha512) = (exhibit.size, exhibit.sha256.to_string(), exhibit.sha512);
            let acquired = Some(Acquired { size, sha256, sha512 });
            exhibits.push(Added { entry: opened.id, acquired, opens: true, file: file(opened.envelope) });
        }
    }
    for sketch in &record.sketches {
        if let Some(shown) = &sketch.exhibit {
            let (entry, acquired, opens) = (sketch.opened.id, shown.acquired.clone(), shown.opens);
            exhibits.push(Added { entry, acquired, opens, file: file(sketch.opened.envelope) });
        }
    }
    exhibits
}
