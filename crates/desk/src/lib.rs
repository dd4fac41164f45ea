//! Use cases: the only place that owns a clock, randomness and tasks. What the command line and the
//! window call; the types that cross to them are in [`wire`].

pub mod carry;
pub mod complaint;
pub mod demo;
pub mod dossiers;
pub mod error;
pub mod exercise;
mod exhibit;
mod files;
pub mod found;
mod ground;
mod hours;
pub mod import;
mod importing;
mod incident;
mod likely;
mod mail;
mod map;
pub mod moment;
mod opening;
mod parcels;
pub mod practice;
mod reach;
pub mod relaying;
mod report;
mod revoking;
mod roster;
pub mod schemas;
mod session;
mod share;
mod show;
mod staging;
mod stations;
mod status;
mod store;
pub mod wire;
mod workload;

pub use error::{Code, DeskError, Result};
pub use exhibit::CustodyReport;
pub use opening::{OpenedDossier, read_dossier_by};
pub use seal::{KdfCost, Passphrase};
pub use session::Desk;
pub use status::{Changes, closed_status, place_tag};
