//! Setting fields anew.
//!
//! Concurrent statements: two values set without knowing of each other stand side by side, disputed,
//! until a later entry names what it settles. An amendment replaces the value that its author had
//! seen; where its author had seen a dispute, it replaces only what it names.

use seal::EntryId;
use serde::{Deserialize, Serialize};

use super::{At, Invalid};
use crate::authorise::{Author, Denied};
use crate::causality::Past;
use crate::field::{self, FieldValue, Fields};
use crate::record_state::RecordState;
use crate::roster::Role;

/// Entries that one amendment may settle: far more than the agencies of an operation can dispute at once.
const MAX_SETTLES: usize = 256;

/// New values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Amend {
    /// The fields and their new values.
    pub set: Fields,
    /// The entries whose disputed values this settles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub settles: Vec<EntryId>,
}

impl Amend {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        if self.set.is_empty() {
            return Err(Invalid::Bound("amendment"));
        }
        if self.settles.len() > MAX_SETTLES {
            return Err(Invalid::Bound("settles"));
        }
        Ok(field::check(&self.set)?)
    }

    /// Whoever may add may amend facts. Only the owner's desk settles a dispute and moves TLP. Only its
    /// commander replaces a severity 4 that nobody disputes by a lower one; where it is disputed, the
    /// owner's desk, which sees both, settles it. Whoever had not seen the 4 disputes it, and a disputed
    /// severity stands at its greatest.
    pub(super) fn authorise(&self, author: &Author<'_>, record: &RecordState, past: &Past) -> Result<(), Denied> {
        author.may_add(record, past)?;
        if !self.settles.is_empty() || self.set.contains_key("tlp") || self.set.contains_key("pap") {
            author.owns(record)?;
            author.needs(&[Role::Desk, Role::Commander])?;
        }
        let lower = matches!(self.set.get("severity"), Some(FieldValue::Number(to)) if *to < 4);
        let replaced: Vec<_> = record.replaced("severity", &self.settles, past).map(FieldValue::number).collect();
        if lower && replaced.contains(&Some(4)) {
            author.owns(record)?;
            let disputed = replaced.iter().any(|value| *value != Some(4));
            let roles: &[Role] = if disputed { &[Role::Desk, Role::Commander] } else { &[Role::Commander] };
            author.needs(roles)?;
        }
        Ok(())
    }

    pub(super) fn apply(&self, record: &mut RecordState, at: &At<'_>) -> Result<(), &'static str> {
        for (name, value) in &self.set {
            record.set(name, value, &self.settles, at);
        }
        Ok(())
    }
}
