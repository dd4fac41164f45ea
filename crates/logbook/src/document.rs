//! A record as the Automerge document that it is: what any Automerge library can open.
//!
//! Screens never read it. It is an independent witness: Automerge must find the heads that the fold
//! found, and it is what an export gives to whoever wants the document itself.

use std::collections::BTreeSet;

use automerge::{Automerge, Change};
use seal::change;

use crate::record::Record;

/// The changes of every entry that may be cited, and of what such entries cite, in fold order.
fn changes(record: &Record) -> Option<Vec<Change>> {
    let entries = record.entries().iter().filter(|entry| entry.in_document());
    entries
        .map(|entry| {
            let opened = &entry.opened;
            let (bytes, id) = change::chunk(&opened.link.device, &opened.header, &opened.entry);
            // `from_bytes` checks no checksum; the id was recomputed from the very bytes given to it.
            Change::from_bytes(bytes).ok().filter(|change| change.hash().0 == id.0)
        })
        .collect()
}

/// The record as an Automerge document; `None` if Automerge refuses a change.
pub fn document(record: &Record) -> Option<Automerge> {
    let mut document = Automerge::new();
    document.apply_changes(changes(record)?).ok()?;
    Some(document)
}

/// Whether Automerge finds the same heads.
pub fn heads_agree(record: &Record) -> bool {
    let Some(document) = document(record) else { return false };
    let theirs: BTreeSet<[u8; 32]> = document.get_heads().iter().map(|head| head.0).collect();
    theirs == record.all_heads().iter().map(|head| head.0).collect()
}
