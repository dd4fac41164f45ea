//! Giving a record to a unit or a person.

use serde::{Deserialize, Serialize};

use super::{At, Invalid, text};
use crate::authorise::{Author, Denied};
use crate::causality::Past;
use crate::record_state::RecordState;
use crate::roster::Role;

/// Assigns. Concurrent assignments are shown as disputed, like any field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assign {
    /// The unit or operator.
    pub to: String,
}

impl Assign {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        text(&self.to, 200, "assignee")
    }
    /// The owner's desk or commander.
    pub(super) fn authorise(&self, author: &Author<'_>, record: &RecordState, _: &Past) -> Result<(), Denied> {
        author.owns(record)?;
        author.needs(&[Role::Desk, Role::Commander])
    }
    pub(super) fn apply(&self, record: &mut RecordState, at: &At<'_>) -> Result<(), &'static str> {
        record.set("assigned", &self.to.clone().into(), &[], at);
        Ok(())
    }
}
