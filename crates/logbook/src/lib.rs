//! The domain, pure: entries, roles, states, disputes, deadlines, the fold.
//!
//! This crate knows no file, no network and no clock. What an entry may say stands in [`action`],
//! who may say it in [`authorise`], what follows from all of them in [`record`].

mod access;
pub mod action;
pub mod authorise;
pub mod causality;
pub mod clock;
pub mod complaint_flow;
pub mod digest;
pub mod document;
pub mod entry;
pub mod field;
pub mod flow;
mod judge;
mod leaves;
mod limits;
pub mod reason;
pub mod record;
pub mod record_state;
pub mod roster;
pub mod status;
pub mod vocab;
pub mod written;

pub use action::Action;
pub use entry::Entry;
pub use field::{FieldValue, Fields};
pub use reason::Reason;
pub use record::{Ground, Judged, Record};
pub use record_state::RecordState;
pub use roster::{AgencyId, AgencyKind, Role, Roster};
pub use status::Status;
