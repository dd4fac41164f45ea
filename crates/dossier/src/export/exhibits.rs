//! Originals and what is known of them.

use std::collections::BTreeMap;

use logbook::action::Exhibit;
use logbook::record::Judged;
use logbook::{Action, AgencyId};
use seal::EntryId;
use serde::Serialize;

use super::{CaseRecord, ExportError, Original, Redact};
use crate::bag::BagWriter;
use crate::layout::{self, AbsentExhibit};

const WITHHELD: &str = "[withheld]";

/// What became of the exhibits.
pub struct Evidence {
    /// The file of each original, by the exhibit's entry.
    pub originals: BTreeMap<EntryId, String>,
    /// Those without one.
    pub absent: Vec<AbsentExhibit>,
}

/// `exhibit.json`: for people and other software; the entry is what counts.
#[derive(Serialize)]
struct ExhibitCard<'a> {
    entry: EntryId,
    record: &'a str,
    name: &'a str,
    description: Option<&'a str>,
    size: u64,
    sha256: String,
    sha512: &'a str,
    acquired_ms: i64,
    holder: &'a str,
}

/// A line of `custody.jsonl`.
#[derive(Serialize)]
struct CustodyLine<'a> {
    act: serde_json::Value,
    by_agency: &'a str,
    by_device: String,
    at_ms: i64,
    with: Option<&'a str>,
    remark: Option<&'a str>,
    entry: EntryId,
}

/// Writes each original, hashing it on the way; one whose bytes differ from its entry stops the export.
/// Exhibits of entries that count for nothing are written too: they stand in line, labelled.
pub fn write(
    bag: &mut BagWriter,
    records: &[CaseRecord],
    sources: &mut BTreeMap<EntryId, Original<'_>>,
    redact: Option<&Redact>,
) -> Result<Evidence, ExportError> {
    let hides = |pointer: &str| redact.is_some_and(|redact| redact.covers(pointer));
    let mut evidence = Evidence { originals: BTreeMap::new(), absent: Vec::new() };
    for record in records {
        for entry in record.record.entries() {
            let Some(Action::Exhibit(exhibit)) = entry.entry.as_ref().map(|read| &read.action) else { continue };
            let id = entry.opened.id;
            let absent = |withheld, why| AbsentExhibit { exhibit: id, withheld, why };
            let given = sources.remove(&id).unwrap_or_else(|| Original::Missing("not received".to_owned()));
            // Nothing would prove an original whose size and hashes are not shown.
            let proved = ["size", "sha256", "sha512"].iter().all(|name| !hides(&format!("/action/exhibit/{name}")));
            let given = match (given, redact) {
                (Original::Here(_), Some(redact)) if !proved => Original::Withheld(redact.ground.clone()),
                (given, _) => given,
            };
            match given {
                Original::Missing(why) => evidence.absent.push(absent(false, why)),
                Original::Withheld(why) => evidence.absent.push(absent(true, why)),
                Original::Here(mut reader) => {
                    let name = if hides("/action/exhibit/name") { "" } else { &exhibit.name };
                    let path = format!("{}/original.{}", layout::exhibit_folder(&id), layout::plain_extension(name));
                    let digests = bag.add(&path, &mut reader)?;
                    let as_acquired = digests.size == exhibit.size
                        && digests.sha256() == Some(exhibit.sha256.0)
                        && digests.sha512().is_some_and(|hash| seal::id::to_hex(&hash) == exhibit.sha512);
                    if !as_acquired {
                        return Err(ExportError::Exhibit(crate::path::shown(&exhibit.name)));
                    }
                    write_cards(bag, record, entry, exhibit, &hides)?;
                    evidence.originals.insert(id, path);
                }
            }
        }
    }
    Ok(evidence)
}

fn write_cards(
    bag: &mut BagWriter,
    record: &CaseRecord,
    entry: &Judged,
    exhibit: &Exhibit,
    hides: &dyn Fn(&str) -> bool,
) -> Result<(), ExportError> {
    let id = entry.opened.id;
    let by = entry.agency.as_ref().map_or("", AgencyId::as_str);
    // An exhibit of an entry that counts for nothing has no custody line.
    let state = record.record.state().exhibits.get(&id);
    let card = ExhibitCard {
        entry: id,
        record: &record.line.reference,
        name: if hides("/action/exhibit/name") { WITHHELD } else { &exhibit.name },
        description: exhibit
            .description
            .as_deref()
            .map(|text| if hides("/action/exhibit/description") { WITHHELD } else { text }),
        size: exhibit.size,
        sha256: exhibit.sha256.to_string(),
        sha512: &exhibit.sha512,
        acquired_ms: exhibit.acquired_ms,
        holder: state.map_or("", |state| state.holder.as_str()),
    };
    let first = CustodyLine {
        act: serde_json::Value::from("acquired"),
        by_agency: by,
        by_device: entry.opened.link.device.to_string(),
        at_ms: exhibit.acquired_ms,
        with: None,
        remark: None,
        entry: id,
    };
    let acts = state.into_iter().flat_map(|state| &state.acts).map(|(act, with, remark, mark)| CustodyLine {
        act: serde_json::to_value(act).unwrap_or_default(),
        by_agency: mark.agency.as_str(),
        by_device: mark.device.to_string(),
        at_ms: mark.wall_ms,
        with: with.as_ref().map(AgencyId::as_str),
        remark: remark.as_deref().map(|text| if hides("/action/custody/remark") { WITHHELD } else { text }),
        entry: mark.entry,
    });
    let folder = layout::exhibit_folder(&id);
    bag.add_bytes(&format!("{folder}/exhibit.json"), &layout::encode_lines([card]))?;
    bag.add_bytes(&format!("{folder}/custody.jsonl"), &layout::encode_lines(std::iter::once(first).chain(acts)))?;
    Ok(())
}
