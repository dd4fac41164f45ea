//! Records kept folded in memory: those lately read or written.

use std::sync::Arc;

use logbook::Record;
use lru::LruCache;
use seal::RecordId;

/// Entries in all open records: a desk's 256 records of 20 entries, at about 3 KiB an entry; a few
/// long records push the others out instead of adding to them.
const MAX_ENTRIES: usize = 5120;

/// The cache.
pub(crate) struct OpenRecords {
    held: LruCache<RecordId, Arc<Record>>,
    entries: usize,
}

impl Default for OpenRecords {
    fn default() -> Self {
        Self { held: LruCache::unbounded(), entries: 0 }
    }
}

impl OpenRecords {
    pub(crate) fn get(&mut self, id: &RecordId) -> Option<Arc<Record>> {
        self.held.get(id).cloned()
    }

    pub(crate) fn put(&mut self, record: Arc<Record>) {
        self.take(&record.id());
        self.entries += record.entries().len();
        self.held.put(record.id(), record);
        // The newest stays, however long it is.
        while self.entries > MAX_ENTRIES && self.held.len() > 1 {
            let Some((_, old)) = self.held.pop_lru() else { return };
            self.entries -= old.entries().len();
        }
    }

    pub(crate) fn take(&mut self, id: &RecordId) -> Option<Arc<Record>> {
        let record = self.held.pop(id)?;
        self.entries -= record.entries().len();
        Some(record)
    }

    pub(crate) fn clear(&mut self) {
        self.held.clear();
        self.entries = 0;
    }
}
