//! One immutable statement: an action with a salt, as canonical JSON.
//!
//! `{"v":1,"salt":"<base64url of 16 bytes>","action":{"<kind>":{…}}}`, compact, members in the order
//! of the Rust types, numbers integers. Bytes that parse to an entry but are not its serialisation
//! are refused, so an entry has exactly one encoding.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use seal::commit::{self, EntrySalt};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::action::Action;

/// The version of entries that this software writes and knows.
pub const VERSION: u8 = 1;

/// Why bytes are no entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Not the canonical JSON of an entry.
    #[error("malformed entry: {0}")]
    Malformed(String),
    /// An entry of a later version, or an action that this software does not know: kept, and
    /// judged again by newer software.
    #[error("this entry needs newer software")]
    NewerSoftware,
    /// The entry's fields do not match the commitments in the header.
    #[error("the entry's fields do not match their commitments")]
    Commitment,
}

/// The salt of an entry; base64url without padding in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Salt(pub EntrySalt);

impl Serialize for Salt {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Salt {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        let bytes = URL_SAFE_NO_PAD.decode(text.as_bytes()).map_err(serde::de::Error::custom)?;
        bytes.try_into().map(Salt).map_err(|_| serde::de::Error::custom("a salt has 16 bytes"))
    }
}

impl schemars::JsonSchema for Salt {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Salt".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{22}$" })
    }
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The version: 1.
    pub v: u8,
    /// 16 random bytes; the salts of the fields' commitments derive from it.
    pub salt: Salt,
    /// What is stated.
    pub action: Action,
}

/// Just enough of an entry to tell "newer" from "malformed". What else a later version has is its own.
#[derive(Deserialize)]
struct Outline {
    v: u64,
    #[serde(default)]
    action: serde_json::Value,
}

impl Outline {
    /// Of a later version; or of this one, with one action of a kind that is not known here.
    fn is_newer(&self) -> bool {
        let unknown = |action: &serde_json::Map<String, serde_json::Value>| {
            action.len() == 1 && !action.keys().all(|kind| Action::knows(kind))
        };
        self.v > u64::from(VERSION) || (self.v == u64::from(VERSION) && self.action.as_object().is_some_and(unknown))
    }
}

impl Entry {
    /// An entry of the current version.
    pub fn new(salt: EntrySalt, action: Action) -> Self {
        Self { v: VERSION, salt: Salt(salt), action }
    }

    /// The one encoding.
    pub fn encode(&self) -> Vec<u8> {
        // Every member type serialises to JSON without failing: strings, integers, lists, maps by string.
        serde_json::to_vec(self).expect("an entry serialises")
    }

    /// Reads the one encoding, and checks the action's shape and bounds.
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        let entry: Self = match serde_json::from_slice(bytes) {
            Ok(entry) => entry,
            Err(error) => return Err(Self::newer_or_malformed(bytes, &error)),
        };
        if entry.v > VERSION {
            return Err(EntryError::NewerSoftware);
        }
        if entry.v < VERSION {
            return Err(EntryError::Malformed("no entry has this version".into()));
        }
        if entry.encode() != bytes {
            return Err(EntryError::Malformed("not in its one accepted encoding".into()));
        }
        entry.action.validate().map_err(|invalid| EntryError::Malformed(invalid.to_string()))?;
        Ok(entry)
    }

    fn newer_or_malformed(bytes: &[u8], error: &serde_json::Error) -> EntryError {
        match serde_json::from_slice::<Outline>(bytes) {
            Ok(outline) if outline.is_newer() => EntryError::NewerSoftware,
            // serde's message names members and types, never content beyond a code; position helps.
            _ => EntryError::Malformed(format!("line {} column {}", error.line(), error.column())),
        }
    }

    /// The leaves of the action: JSON pointer and canonical JSON of each scalar, sorted by pointer.
    pub fn leaves(bytes: &[u8]) -> Result<Vec<(String, String)>, EntryError> {
        crate::leaves::of(bytes).map_err(|_| EntryError::Malformed("not JSON".into()))
    }

    /// The root of the commitments to the fields of an encoded entry.
    pub fn fields_root(salt: &EntrySalt, bytes: &[u8]) -> Result<[u8; 32], EntryError> {
        let leaves = Self::leaves(bytes)?;
        Ok(commit::fields_root(salt, leaves.iter().map(|(path, value)| (path.as_str(), value.as_bytes()))))
    }

    /// Decodes an opened envelope's entry and checks its commitments against the header.
    pub fn open(opened: &seal::Opened) -> Result<Self, EntryError> {
        let entry = Self::decode(&opened.entry)?;
        if Self::fields_root(&entry.salt.0, &opened.entry)? == opened.header.fields_root {
            Ok(entry)
        } else {
            Err(EntryError::Commitment)
        }
    }
}
