//! Evidence and its custody.

use seal::{BlobAddress, EntryId, Hash32};
use serde::{Deserialize, Serialize};

use super::{At, Invalid, optional, text};
use crate::authorise::{Author, Denied};
use crate::causality::Past;
use crate::record_state::RecordState;
use crate::roster::{AgencyId, Role};

/// One item of digital evidence, bytes untouched. Its id is the id of this entry.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exhibit {
    /// The file's name as it came, shown as text only.
    pub name: String,
    /// What it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Bytes of the original.
    pub size: u64,
    /// SHA-256 of the original.
    #[schemars(with = "String")]
    pub sha256: Hash32,
    /// SHA-512 of the original, hex.
    pub sha512: String,
    /// Where the ciphertext is found: its BLAKE3 hash.
    #[schemars(with = "String")]
    pub address: BlobAddress,
    /// Bytes of the ciphertext.
    pub sealed_size: u64,
    /// The age identity that opens the ciphertext; readable by the record's audience.
    pub identity: String,
    /// When it was acquired, milliseconds.
    pub acquired_ms: i64,
}

impl std::fmt::Debug for Exhibit {
    /// Without the identity: it is a key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exhibit").field("size", &self.size).field("sha256", &self.sha256).finish_non_exhaustive()
    }
}

impl Exhibit {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        text(&self.name, 500, "name")?;
        optional(&self.description, 4000, "description")?;
        seal::id::from_hex::<64>(&self.sha512).map_err(|_| Invalid::Bound("sha512"))?;
        seal::Identity::from_secret_str(&self.identity).map_err(|_| Invalid::Bound("identity"))?;
        // JSON and SQLite hold signed 64-bit numbers.
        if self.size > i64::MAX as u64 || self.sealed_size > i64::MAX as u64 {
            return Err(Invalid::Bound("size"));
        }
        Ok(())
    }
    /// Whoever may add; and the exhibits role, on records of its own agency or shared with it.
    pub(super) fn authorise(&self, author: &Author<'_>, record: &RecordState, past: &Past) -> Result<(), Denied> {
        may_handle(author, record, past)
    }
    pub(super) fn apply(&self, record: &mut RecordState, at: &At<'_>) -> Result<(), &'static str> {
        record.exhibit(self, at);
        Ok(())
    }
}

fn may_handle(author: &Author<'_>, record: &RecordState, past: &Past) -> Result<(), Denied> {
    if author.needs(&[Role::Exhibits]).is_ok() && author.reads(record, past) {
        return Ok(());
    }
    author.may_add(record, past)
}

/// What was done with an exhibit; codes of the list `custody_events`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CustodyAct {
    /// Given to another agency: the first half of the handover.
    TransferredOut,
    /// Taken from another agency: the second half.
    TransferredIn,
    /// Put under seal.
    Sealed,
    /// Seal opened.
    Unsealed,
    /// A copy left the system.
    Exported,
    /// Left in place for the police to collect.
    DoNotTouch,
}

/// An act of custody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Custody {
    /// The exhibit: the entry that added it.
    #[schemars(with = "String")]
    pub exhibit: EntryId,
    /// What was done.
    pub act: CustodyAct,
    /// The agency that gets it, or that gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<AgencyId>,
    /// Seal and bag numbers, remarks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

impl Custody {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        let handover = matches!(self.act, CustodyAct::TransferredOut | CustodyAct::TransferredIn);
        if handover != self.with.is_some() {
            return Err(Invalid::Bound("with"));
        }
        optional(&self.remark, 2000, "remark")
    }
    /// The holder gives; the one named takes; each other act is the holder's. A receipt without a
    /// giving is not authorised: the chain has two halves.
    pub(super) fn authorise(&self, author: &Author<'_>, record: &RecordState, past: &Past) -> Result<(), Denied> {
        may_handle(author, record, past)?;
        let exhibit = record.exhibits.get(&self.exhibit).filter(|exhibit| past.holds(&exhibit.mark));
        let exhibit = exhibit.ok_or(Denied::Step("no such exhibit in this record"))?;
        let fits = match self.act {
            CustodyAct::TransferredIn => exhibit.in_transit_to.as_ref() == Some(author.agency),
            _ => exhibit.holder == *author.agency && exhibit.in_transit_to.is_none(),
        };
        if fits { Ok(()) } else { Err(Denied::Step("this act of custody is not this agency's to take")) }
    }
    pub(super) fn apply(&self, record: &mut RecordState, at: &At<'_>) -> Result<(), &'static str> {
        record.custody(self, at)
    }
}
