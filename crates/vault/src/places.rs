//! Where envelopes lie, by id: built when someone asks by id, so that no write pays for an index of
//! random hashes.

use seal::EnvelopeId;
use sqlx::sqlite::SqliteConnection;

use crate::error::Result;
use crate::store::{Vault, lock};

/// The first eight bytes of each id with the envelope's commit number, sorted; 16 bytes an envelope.
#[derive(Default)]
pub(crate) struct Places {
    sorted: Vec<(u64, i64)>,
    up_to: i64,
}

fn prefix(id: &[u8]) -> u64 {
    id.get(..8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_be_bytes)
}

impl Places {
    fn find(&self, ids: &[EnvelopeId]) -> Vec<i64> {
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            let prefix = prefix(&id.0);
            let from = self.sorted.partition_point(|(held, _)| *held < prefix);
            found.extend(self.sorted[from..].iter().take_while(|(held, _)| *held == prefix).map(|(_, seq)| *seq));
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Commit numbers at which envelopes of these ids may lie: every one that is here, and now and then
/// another whose id begins alike.
pub(crate) async fn places(vault: &Vault, at: &mut SqliteConnection, ids: &[EnvelopeId]) -> Result<Vec<i64>> {
    let after = lock(&vault.inner.places).up_to;
    // The first time, an index that holds the ids is read instead of the bodies.
    let query = match after {
        0 => "SELECT seq, id FROM envelope INDEXED BY envelope_chain WHERE +seq > ?",
        _ => "SELECT seq, id FROM envelope WHERE seq > ?",
    };
    let new: Vec<(i64, Vec<u8>)> = sqlx::query_as(query).bind(after).fetch_all(at).await?;
    let mut places = lock(&vault.inner.places);
    if places.up_to == after && !new.is_empty() {
        places.up_to = new.iter().map(|(seq, _)| *seq).max().unwrap_or(after);
        places.sorted.extend(new.iter().map(|(seq, id)| (prefix(id), *seq)));
        places.sorted.sort_unstable();
    }
    Ok(places.find(ids))
}
