//! The encrypted local database. Envelopes are the record, append-only; projections and search are
//! caches. What this crate has acknowledged is on the disk.

#[cfg(test)]
extern crate self as vault;

mod append;
mod blobs;
mod chain;
mod check;
mod counted;
mod error;
#[cfg(test)]
mod full_disk;
mod ingest;
mod open;
mod open_records;
mod outgoing;
mod places;
mod project;
mod read;
mod readers;
mod rosters;
mod rows;
mod stations;
mod store;
mod writer;

pub use append::{Appended, AuthorKeys, Draft};
pub use blobs::BlobProgress;
pub use check::Check;
pub use error::{Result, VaultError};
pub use ingest::{Incoming, Ingested, Origin, Refused};
pub use outgoing::{Holding, OutItem, OutPage, OutQuery, Way};
pub use read::{
    Counts, ListQuery, Page, Point, Points, Reach, ReachQuery, Reached, ReachedOf, ReferralQuery, ReferralRow, Row,
    RowReferral, Stats, View, Why, Written,
};
pub use rosters::RosterOutcome;
pub use stations::{MAX_SCHEDULES, Schedule, Station, StationPage, StationsKept, Unheard};
pub use store::{Changed, Vault};
