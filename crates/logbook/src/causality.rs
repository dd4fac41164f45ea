//! What an author had seen, as one number per device.
//!
//! Within a record each device numbers its entries. Only entries that stand in their device's one
//! line, each having seen the one before it, enter a past by their number; so "A had seen B" is one
//! comparison, and is right of every B that counts. What stands beside that line, by a clone or a
//! thief, hands on what it had seen and is itself in nobody's past.

use seal::{DeviceId, EntryId, OperatorId};

use crate::roster::AgencyId;

/// Who stated an entry, when by the device's clock, and where it stands.
#[derive(Debug, Clone)]
pub struct Mark {
    /// The entry.
    pub entry: EntryId,
    /// The author's index in the record's table of devices.
    pub author: u32,
    /// The author device's number in the record.
    pub number: u64,
    /// The device.
    pub device: DeviceId,
    /// Its agency.
    pub agency: AgencyId,
    /// The operator who acted.
    pub operator: OperatorId,
    /// The device's wall time, milliseconds.
    pub wall_ms: i64,
}

/// The greatest number seen of each device, by index; ordered by index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past(Vec<(u32, u64)>);

impl Past {
    /// Whether this past holds an entry.
    pub fn holds(&self, mark: &Mark) -> bool {
        self.seen(mark.author) >= mark.number
    }
    /// The greatest number seen of a device.
    pub fn seen(&self, author: u32) -> u64 {
        self.0.binary_search_by_key(&author, |(index, _)| *index).map_or(0, |at| self.0[at].1)
    }
    /// Adds one device's number.
    pub fn add(&mut self, author: u32, number: u64) {
        match self.0.binary_search_by_key(&author, |(index, _)| *index) {
            Ok(at) => self.0[at].1 = self.0[at].1.max(number),
            Err(at) => self.0.insert(at, (author, number)),
        }
    }
    /// Adds everything that another past holds.
    pub fn merge(&mut self, other: &Past) {
        if self.0.is_empty() {
            self.0.clone_from(&other.0);
            return;
        }
        let mut merged = Vec::with_capacity(self.0.len().max(other.0.len()));
        let (mut ours, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some((one, number)), Some((other, seen))) = (ours.peek(), theirs.peek()) {
            let author = *one.min(other);
            let mut most = 0;
            if *one == author {
                most = *number;
                ours.next();
            }
            if *other == author {
                most = most.max(*seen);
                theirs.next();
            }
            merged.push((author, most));
        }
        merged.extend(ours.chain(theirs));
        self.0 = merged;
    }
}
