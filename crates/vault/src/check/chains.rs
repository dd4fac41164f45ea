//! The chains of all devices, link by link.

use std::collections::BTreeMap;

use seal::{DeviceId, EnvelopeId, Link};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::{Check, Progress};
use crate::error::Result;
use crate::rows;
use crate::store::{Vault, read};

/// Links read at once; others get their turn in between.
const LINKS: i64 = 512;

/// Every link: its id, its signature, its place in the chain, its device's head.
pub(super) async fn chains(
    vault: &Vault,
    at: &mut SqliteConnection,
    check: &mut Check,
    progress: Progress<'_>,
    total: u64,
) -> Result<u64> {
    let mut chains = Chains {
        own: read(&vault.inner.author).as_ref().map(|author| author.signing.device_id()),
        ends: BTreeMap::new(),
        keys: seal::sign::Verifier::default(),
    };
    let mut done = 0;
    let mut page = links(at, (0, -1, Vec::new())).await?;
    while let Some(last) = page.last() {
        let place = (last.try_get("device")?, last.try_get("number")?, last.try_get("id")?);
        // The next page is read while this one's signatures are checked.
        let taking = async { page.iter().try_for_each(|row| chains.take(row, check)) };
        let (next, taken) = tokio::join!(links(at, place), taking);
        taken?;
        done += page.len() as u64;
        page = next?;
        progress(done, total);
        tokio::task::yield_now().await;
    }
    heads(at, &chains.ends, check).await?;
    Ok(done)
}

/// Up to [`LINKS`] links after a place: device, number, id.
async fn links(at: &mut SqliteConnection, after: (i64, i64, Vec<u8>)) -> Result<Vec<SqliteRow>> {
    let rows = sqlx::query(
        "SELECT device, number, id, link, signature, NULL AS body, body IS NULL AS bare FROM envelope \
         WHERE (device, number, id) > (?, ?, ?) ORDER BY device, number, id LIMIT ?",
    );
    Ok(rows.bind(after.0).bind(after.1).bind(after.2).bind(LINKS).fetch_all(at).await?)
}

/// All chains, as far as they were walked.
struct Chains {
    own: Option<DeviceId>,
    ends: BTreeMap<DeviceId, Chain>,
    keys: seal::sign::Verifier,
}

impl Chains {
    fn take(&mut self, row: &SqliteRow, check: &mut Check) -> Result<()> {
        let stored: &[u8] = row.try_get("id")?;
        let short = seal::id::to_hex(stored.get(..4).unwrap_or_default());
        let Ok(envelope) = rows::envelope_of(row) else {
            check.problem(format!("envelope {short}: its row does not decode"));
            return Ok(());
        };
        let link = envelope.link;
        if link.id().0 != stored || link.number as i64 != row.try_get::<i64, _>("number")? {
            check.problem(format!("envelope {short}: its link is not the one that was stored"));
        }
        if link.verify_with(&mut self.keys, &envelope.signature).is_err() {
            check.problem(format!("envelope {short}: its signature does not hold"));
        }
        let own = Some(link.device) == self.own;
        if own && row.try_get("bare")? {
            check.problem(format!("envelope {short}: this device wrote it, and its body is gone"));
        }
        self.ends.entry(link.device).or_default().take(&link, &short, own, check);
        Ok(())
    }
}

/// A chain as far as it was walked.
#[derive(Default)]
struct Chain {
    /// Number and ids of the last links: more than one where it forks.
    last: (u64, Vec<EnvelopeId>),
    /// The last number without a gap before it.
    head: u64,
}

impl Chain {
    /// Each link's signature holds, so a gap, a fork or a link that does not continue what stands before
    /// it is what its author signed, and is shown elsewhere. Only in this device's own chain is it this
    /// vault's problem.
    fn take(&mut self, link: &Link, short: &str, own: bool, check: &mut Check) {
        let (number, ids) = &self.last;
        if own && link.number == number + 1 && ids.len() == 1 && ids[0] != link.prev {
            check.problem(format!("envelope {short}: it does not continue its chain"));
        }
        if own && link.number > number + 1 {
            check.problem(format!("envelope {short}: entries of this device before it are gone"));
        }
        if link.number == self.head + 1 {
            self.head = link.number;
        }
        if link.number == *number {
            self.last.1.push(link.id());
        } else {
            self.last = (link.number, vec![link.id()]);
        }
    }
}

async fn heads(at: &mut SqliteConnection, ends: &BTreeMap<DeviceId, Chain>, check: &mut Check) -> Result<()> {
    let rows: Vec<(Vec<u8>, i64)> = sqlx::query_as("SELECT id, head FROM device").fetch_all(at).await?;
    for (id, head) in rows {
        let Ok(id) = DeviceId::try_from(id.as_slice()) else {
            check.problem("a device's row is damaged".into());
            continue;
        };
        let found = ends.get(&id).map_or(0, |chain| chain.head);
        if head >= 0 && head as u64 != found {
            check.problem(format!("device {}: its chain ends at {found}, not at {head}", id.short()));
        }
    }
    Ok(())
}
