//! The fields of records: names, shapes, bounds.
//!
//! A field that this software does not know is kept and shown under its bare name, if its shape is
//! bounded: a newer peer must not lose what it wrote.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum FieldValue {
    /// A whole number: times in milliseconds, coordinates in 1e-7 degree, counts.
    Number(i64),
    /// Text or a code.
    Text(String),
    /// Several codes.
    List(Vec<String>),
}

impl FieldValue {
    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
    /// The number, if it is one.
    pub fn number(&self) -> Option<i64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }
}

impl From<i64> for FieldValue {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}
impl From<&str> for FieldValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for FieldValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<Vec<String>> for FieldValue {
    fn from(list: Vec<String>) -> Self {
        Self::List(list)
    }
}

impl std::fmt::Display for FieldValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
            Self::List(list) => f.write_str(&list.join(", ")),
        }
    }
}

/// Fields by name.
pub type Fields = BTreeMap<String, FieldValue>;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Text of at most this many bytes.
    Text(usize),
    /// A code of the shape `scheme:code`, or a bare code.
    Code,
    /// A number within bounds.
    Number(i64, i64),
    /// At most 16 codes.
    Codes,
}

/// Times from 1900 to 2200, in milliseconds: outside lies a mistake.
const TIME: Shape = Shape::Number(-2_208_988_800_000, 7_258_118_400_000);
const COUNT: Shape = Shape::Number(0, 1_000_000_000);

/// Fields in a record at most: four times what is known today.
pub const MAX_FIELDS: usize = 160;
/// Bytes of the longest text.
pub const MAX_TEXT: usize = 16 * 1024;

/// The fields of an incident, a complaint or a brief. No field can hold a vote choice.
pub const KNOWN: &[(&str, Shape)] = &[
    ("summary", Shape::Text(300)),
    ("description", Shape::Text(MAX_TEXT)),
    ("category", Shape::Code),
    ("classifications", Shape::Codes),
    ("domains", Shape::Codes),
    ("phase", Shape::Code),
    ("occurred_from_ms", TIME),
    ("occurred_to_ms", TIME),
    ("date_precision", Shape::Code),
    ("aware_at_ms", TIME),
    ("station", Shape::Text(64)),
    ("place", Shape::Text(500)),
    ("district", Shape::Text(200)),
    ("country", Shape::Text(100)),
    ("lat_e7", Shape::Number(-900_000_000, 900_000_000)),
    ("lon_e7", Shape::Number(-1_800_000_000, 1_800_000_000)),
    ("accuracy_m", COUNT),
    ("hazards", Shape::Text(1000)),
    ("people", Shape::Text(1000)),
    ("services", Shape::Text(1000)),
    ("affected", Shape::Text(1000)),
    ("perpetrator", Shape::Text(300)),
    ("immediate_action", Shape::Text(2000)),
    ("injuries", COUNT),
    ("deaths", COUNT),
    ("interrupted_min", COUNT),
    ("voters_affected", COUNT),
    ("systems_affected", Shape::Text(1000)),
    ("severity", Shape::Number(1, 4)),
    ("priority", Shape::Number(1, 5)),
    ("verification", Shape::Code),
    ("tlp", Shape::Code),
    ("pap", Shape::Code),
    ("reporter_role", Shape::Code),
    ("channel", Shape::Code),
    ("source", Shape::Text(2000)),
    ("source_id", Shape::Text(200)),
    ("source_reliability", Shape::Code),
    ("alleged_effect_on_result", Shape::Text(2000)),
    ("subject", Shape::Code),
    ("challenges", Shape::Text(2000)),
    ("remedy", Shape::Code),
    ("standing", Shape::Code),
    ("filed_at_ms", TIME),
    ("ask_text", Shape::Text(4000)),
    ("name", Shape::Text(300)),
    ("contact", Shape::Text(1000)),
];

/// Why a field was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// The name is not one.
    #[error("a field's name is 1 to 40 of a-z, 0-9 and _")]
    Name,
    /// The value does not have the field's shape.
    #[error("field {0}: wrong kind of value")]
    Kind(String),
    /// The value is over its bound.
    #[error("field {0}: over its bound")]
    Bound(String),
    /// Too many fields.
    #[error("more than {MAX_FIELDS} fields")]
    Many,
}

/// The shape of a known field.
pub fn shape(name: &str) -> Option<Shape> {
    KNOWN.iter().find(|(known, _)| *known == name).map(|(_, shape)| *shape)
}

/// Checks names, shapes and bounds.
pub fn check(fields: &Fields) -> Result<(), FieldError> {
    if fields.len() > MAX_FIELDS {
        return Err(FieldError::Many);
    }
    fields.iter().try_for_each(|(name, value)| check_one(name, value))
}

fn check_one(name: &str, value: &FieldValue) -> Result<(), FieldError> {
    let letters = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
    if name.is_empty() || name.len() > 40 || !name.bytes().all(letters) {
        return Err(FieldError::Name);
    }
    let kind = || FieldError::Kind(name.to_owned());
    let fits = match (shape(name), value) {
        (Some(Shape::Text(max)), FieldValue::Text(text)) => text.len() <= max,
        (Some(Shape::Code), FieldValue::Text(code)) => is_code(code),
        (Some(Shape::Number(least, most)), FieldValue::Number(number)) => (least..=most).contains(number),
        (Some(Shape::Codes), FieldValue::List(codes)) => codes.len() <= 16 && codes.iter().all(|code| is_code(code)),
        (Some(_), _) => return Err(kind()),
        (None, FieldValue::Text(text)) => text.len() <= MAX_TEXT,
        (None, FieldValue::Number(_)) => true,
        (None, FieldValue::List(list)) => list.len() <= 64 && list.iter().all(|text| text.len() <= 200),
    };
    if fits { Ok(()) } else { Err(FieldError::Bound(name.to_owned())) }
}

/// A code: 1 to 96 visible ASCII characters. Its meaning is the vocabulary's; an unknown one is
/// shown bare.
pub fn is_code(code: &str) -> bool {
    (1..=96).contains(&code.len()) && code.bytes().all(|c| c.is_ascii_graphic())
}

/// Reads a field's value from text, by the field's shape.
pub fn parse(name: &str, text: &str) -> Result<FieldValue, FieldError> {
    let value = match shape(name) {
        Some(Shape::Number(..)) => {
            FieldValue::Number(text.trim().parse().map_err(|_| FieldError::Kind(name.to_owned()))?)
        }
        Some(Shape::Codes) => {
            FieldValue::List(text.split(',').map(str::trim).filter(|c| !c.is_empty()).map(str::to_owned).collect())
        }
        Some(_) | None => FieldValue::Text(text.to_owned()),
    };
    check_one(name, &value)?;
    Ok(value)
}
