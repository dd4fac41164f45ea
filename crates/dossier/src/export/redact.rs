//! Withholding fields so that it is shown that they existed, unchanged.
//!
//! The author committed to each leaf of the entry with a salt of its own. A redacted copy opens the leaves
//! that it shows, and hands over the bare commitment of those that it withholds. Part of a text cannot be
//! withheld: the field is.

use std::collections::{BTreeMap, BTreeSet};

use logbook::Entry;
use logbook::entry::EntryError;
use seal::{EntryId, Hash32, Opened, commit};

use super::CaseRecord;
use crate::layout::{AbsentExhibit, Leaf, RedactedLine};

/// The leaf that opens the ciphertext of an exhibit; it goes where the original does not.
pub const EXHIBIT_KEY: &str = "/action/exhibit/identity";

/// What to withhold, and why.
#[derive(Debug, Clone)]
pub struct Redact {
    /// Names of fields (`description`) or of members of an action (`text`), or whole JSON pointers.
    pub fields: BTreeSet<String>,
    /// The ground: a code or a sentence. It is shown.
    pub ground: String,
}

impl Redact {
    /// Whether the leaf at this JSON pointer is withheld: its pointer, or one of its parts below the
    /// action's kind, is named.
    pub fn covers(&self, pointer: &str) -> bool {
        self.fields.contains(pointer) || pointer.split('/').skip(3).any(|part| self.fields.contains(part))
    }
}

/// Which leaves of which entries are withheld: what was asked for, and the keys of withheld exhibits.
pub fn plan(
    records: &[CaseRecord],
    redact: Option<&Redact>,
    absent: &[AbsentExhibit],
) -> BTreeMap<EntryId, BTreeSet<String>> {
    let sealed: BTreeSet<EntryId> = absent.iter().filter(|a| a.withheld).map(|a| a.exhibit).collect();
    let mut plan = BTreeMap::new();
    if redact.is_none() && sealed.is_empty() {
        return plan;
    }
    // What cannot be read does not come here under redaction, and adds no exhibit that could be withheld.
    for entry in records.iter().flat_map(|record| record.record.entries()).filter(|entry| entry.entry.is_some()) {
        let leaves = Entry::leaves(&entry.opened.entry).unwrap_or_default();
        let paths: BTreeSet<String> = leaves
            .into_iter()
            .map(|(path, _)| path)
            .filter(|path| {
                redact.is_some_and(|redact| redact.covers(path))
                    || (path == EXHIBIT_KEY && sealed.contains(&entry.opened.id))
            })
            .collect();
        if !paths.is_empty() {
            plan.insert(entry.opened.id, paths);
        }
    }
    plan
}

/// The line of an entry with these leaves withheld.
pub fn line(opened: &Opened, withheld: &BTreeSet<String>) -> Result<RedactedLine, EntryError> {
    let entry = Entry::decode(&opened.entry)?;
    let leaves = Entry::leaves(&opened.entry)?.into_iter().map(|(path, value)| {
        let salt = commit::field_salt(&entry.salt.0, &path);
        if withheld.contains(&path) {
            let leaf = Hash32(commit::leaf(&salt, &path, value.as_bytes()));
            Leaf::Withheld { path, leaf }
        } else {
            Leaf::Open { path, value, salt: Hash32(salt) }
        }
    });
    Ok(RedactedLine {
        envelope: opened.envelope,
        entry: opened.id,
        link: seal::id::to_hex(&opened.link.encode()),
        signature: opened.signature,
        header: seal::id::to_hex(&opened.header.encode()),
        ciphertext: Hash32(opened.ciphertext_hash),
        leaves: leaves.collect(),
    })
}

/// The root of the commitments of a redacted entry, from what is shown of it. `None` if the leaves are not in
/// the byte order of their paths.
pub fn root(leaves: &[Leaf]) -> Option<[u8; 32]> {
    let path = |leaf: &Leaf| match leaf {
        Leaf::Open { path, .. } | Leaf::Withheld { path, .. } => path.clone(),
    };
    if !leaves.windows(2).all(|pair| path(&pair[0]) < path(&pair[1])) {
        return None;
    }
    let hashes: Vec<[u8; 32]> = leaves
        .iter()
        .map(|leaf| match leaf {
            Leaf::Open { path, value, salt } => commit::leaf(&salt.0, path, value.as_bytes()),
            Leaf::Withheld { leaf, .. } => leaf.0,
        })
        .collect();
    Some(commit::root(&hashes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_pointers() {
        let fields = BTreeSet::from(["description".to_owned(), "/action/note/text".to_owned()]);
        let redact = Redact { fields, ground: "privacy".to_owned() };
        for covered in ["/action/create/fields/description", "/action/exhibit/description", "/action/note/text"] {
            assert!(redact.covers(covered), "{covered}");
        }
        for open in ["/action/create/fields/summary", "/action/refer/text", "/action/description/x"] {
            assert!(!redact.covers(open), "{open}");
        }
    }
}
