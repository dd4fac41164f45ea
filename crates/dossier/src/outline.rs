//! What a fold says of a record's entries, as a dossier tells it: whether they are here whole or with parts
//! withheld, where they stand is in full view.

use std::collections::BTreeMap;

use logbook::{Record, Status};
use seal::{DeviceId, EntryId, EnvelopeId};

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
    /// Of a record as it was folded.
    pub fn of(record: &Record) -> Self {
        let entries = record.entries().iter().map(|entry| Outlined {
            entry: entry.opened.id,
            envelope: entry.opened.envelope,
            device: entry.opened.link.device,
            status: entry.status,
            why: entry.reason.clone(),
            cited: entry.in_document(),
            unjudged: entry.unjudged,
        });
        Self {
            entries: entries.collect(),
            heads: record.all_heads().iter().copied().collect(),
            missing: record.missing().len(),
            lacking: record.gaps().into_iter().map(|(device, numbers)| (device, numbers.len())).collect(),
        }
    }
}
