//! The signed list of agencies, devices, operators and roles: who may write what.
//!
//! Agencies stand in numbered, hash-linked epochs; devices in one hash chain per agency. The state
//! is a pure function of the set of objects at hand, so the order of arrival does not matter. The
//! bytes and the rules are stated in `schemas/spec/roster.md`.

mod card;
mod chain;
mod enrol;
mod epoch;
mod equivocation;
mod fold;
mod line;
mod object;
mod pool;
mod query;
mod signed_epoch;
mod state;
#[cfg(test)]
mod tests;
mod view;
mod walk;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

pub use card::{MailboxCard, MailboxOwner};
pub use chain::{
    AgencyKey, ChainAction, ChainEntry, Cut, KeyWrap, Revoke, Roles, SecondApproval, SignedChainEntry,
    revocation_statement, roles_statement,
};
pub use enrol::{Enrol, NameOpening, name_commitment};
pub use epoch::{AgencyRecord, Epoch, threshold_for, waivers_needed};
pub use equivocation::Equivocation;
pub use fold::Roster;
pub use object::{MAX_OBJECT, RosterObject};
pub use query::Waits;
pub use signed_epoch::{EpochSignature, SignedEpoch, accept, waive};
pub use state::{AgencyState, Device, Revocation};
pub use view::RosterView;

/// Why a roster object was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    /// It does not follow its format or its bounds.
    #[error("malformed roster object: {0}")]
    Malformed(&'static str),
    /// It is not in its one accepted encoding.
    #[error("a roster object is not in its one accepted encoding")]
    NotCanonical,
    /// A signature that it needs does not hold.
    #[error("a signature in the roster does not hold")]
    Signature,
    /// It belongs to another operation.
    #[error("it belongs to another operation")]
    ForeignOperation,
    /// What takes no effect yet is kept up to a bound, and the bound is reached. It can be sent
    /// again when what it waits for is here.
    #[error("too many roster objects wait for others")]
    Full,
}

impl From<seal::SealError> for RosterError {
    fn from(error: seal::SealError) -> Self {
        match error {
            seal::SealError::BadSignature => Self::Signature,
            seal::SealError::NotCanonical(_) => Self::NotCanonical,
            _ => Self::Malformed("bytes"),
        }
    }
}

/// A short id of an agency: 1 to 32 of a-z, 0-9 and hyphen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct AgencyId(String);

impl AgencyId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AgencyId {
    type Err = RosterError;
    fn from_str(text: &str) -> Result<Self, RosterError> {
        let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        if (1..=32).contains(&text.len()) && text.bytes().all(fits) {
            Ok(Self(text.to_owned()))
        } else {
            Err(RosterError::Malformed("agency id"))
        }
    }
}

impl fmt::Display for AgencyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for AgencyId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// The code.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(self.code()) }
        }
        impl FromStr for $name {
            type Err = RosterError;
            fn from_str(text: &str) -> Result<Self, RosterError> {
                Self::ALL.iter().copied().find(|known| known.code() == text).ok_or(RosterError::Malformed("code"))
            }
        }
    };
}

codes! {
    /// What kind of body an agency is; more than one of a kind is allowed.
    AgencyKind {
        /// An election management body.
        Emb = "emb",
        /// Police.
        Police = "police",
        /// A computer emergency response team.
        Cert = "cert",
        /// A court or another adjudicator.
        Court = "court",
        /// A prosecutor.
        Prosecutor = "prosecutor",
        /// Oversight: ombudsman, data protection.
        Oversight = "oversight",
        /// Another body.
        Other = "other",
    }
}

codes! {
    /// What an operator may do.
    Role {
        /// Logs, and adds to what it logged.
        Field = "field",
        /// All of triage; shares, refers, answers.
        Desk = "desk",
        /// Desk, and the escalation ladder.
        Commander = "commander",
        /// Registers complaints, up to admissibility.
        Registrar = "registrar",
        /// Moves complaints, decides.
        Adjudicator = "adjudicator",
        /// Public statements.
        Communications = "communications",
        /// Acts of custody.
        Exhibits = "exhibits",
        /// Reads.
        Auditor = "auditor",
        /// Enrols and revokes devices of its agency.
        Admin = "admin",
    }
}

/// Parses canonical JSON: the bytes must be the serialisation of what they mean.
pub(crate) fn canonical<T: Serialize + serde::de::DeserializeOwned>(text: &str, max: usize) -> Result<T, RosterError> {
    if text.len() > max {
        return Err(RosterError::Malformed("size"));
    }
    let value: T = serde_json::from_str(text).map_err(|_| RosterError::Malformed("JSON"))?;
    if to_json(&value) == text { Ok(value) } else { Err(RosterError::NotCanonical) }
}

/// Compact JSON. Every roster type is made of strings, numbers and lists, which serialise.
pub(crate) fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("roster types serialise")
}

/// Text of 1 to `max` bytes that is not blank.
pub(crate) fn fits(text: &str, max: usize) -> bool {
    !text.trim().is_empty() && text.len() <= max
}
