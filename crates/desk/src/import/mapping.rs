//! The mapping file: for each field of an incident, where its value comes from.

use std::collections::{BTreeMap, BTreeSet};

use logbook::FieldValue;
use logbook::clock::Zone;
use logbook::field::{Shape, shape};
use serde::{Deserialize, Serialize};

use super::template;

/// Bytes of a mapping file: all fields with some thousand codes take a fifth of it.
pub const MAX_MAPPING: usize = 256 * 1024;
/// Codes of one translation: the largest national lists of places stay below it.
const MAX_CODES: usize = 5000;
/// Bytes of a column's name, a pattern, a code's spelling in the table.
const MAX_NAME: usize = 200;
/// Bytes of a template.
const MAX_TEMPLATE: usize = 4000;
/// Choices inside choices: more is not readable.
const MAX_DEPTH: usize = 4;
/// Patterns, separators, steps, columns of one value.
const MAX_PARTS: usize = 16;
/// Without these a row is no incident, or would be imported twice.
pub(super) const REQUIRED: [&str; 3] = ["source_id", "summary", "category"];

/// A mapping file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The version of this format: 1.
    pub version: u32,
    /// What is imported.
    pub name: String,
    /// Remarks for readers: the licence of the table, decisions taken.
    #[serde(default)]
    pub notes: Vec<String>,
    /// How the file's bytes are text.
    #[serde(default)]
    pub encoding: Encoding,
    /// The character between cells: comma, semicolon, tab or bar.
    #[serde(default = "comma")]
    pub delimiter: char,
    /// Cells with one of these texts hold nothing.
    #[serde(default = "nothing")]
    pub missing: Vec<String>,
    /// Fields whose text may be cut at its bound, with a note. Elsewhere a text over its bound
    /// refuses the row.
    #[serde(default)]
    pub cut_when_too_long: Vec<String>,
    /// Where each field comes from.
    pub fields: BTreeMap<String, Value>,
}

fn comma() -> char {
    ','
}

fn nothing() -> Vec<String> {
    vec![String::new()]
}

/// How bytes are text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8, with or without a mark at its start. Other bytes refuse the row.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// The Windows code page of western Europe, as older spreadsheets save it.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Value {
    /// The same for every row.
    Constant(FieldValue),
    /// A cell's text.
    Column(String),
    /// Text around `{column}`s. A part in square brackets stands only if all its columns hold
    /// something. Doubled brackets and braces stand for themselves.
    Template(String),
    /// A whole number.
    Number(Measured),
    /// Degrees as a decimal number, stored in 1e-7 degree.
    Degrees(Measured),
    /// A date or a date with a time, stored in milliseconds.
    Date(DateRule),
    /// One cell translated to one code.
    Code(Coded),
    /// Cells that hold several codes.
    List(Listed),
    /// A number's place between steps.
    Thresholds(Thresholds),
    /// Another value by what a cell holds.
    Choose(Choose),
}

/// A number in a cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// The column.
    pub column: String,
    /// What to do with a cell that is no such number.
    #[serde(default)]
    pub invalid: Invalid,
}

/// What to do with a cell that cannot be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Invalid {
    /// The row is refused.
    #[default]
    Refuse,
    /// The field is left out, and a note says so.
    Omit,
}

/// A date in a cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DateRule {
    /// The column.
    pub column: String,
    /// Patterns in the manner of strftime, tried in order: `%m/%d/%Y`, `%Y-%m-%d %H:%M`.
    pub formats: Vec<String>,
    /// The zone that the dates are in.
    pub zone: Zone,
    /// Which moment of a day a date without a time stands for.
    #[serde(default)]
    pub edge: Edge,
    /// What to do with a cell that fits no pattern.
    #[serde(default)]
    pub invalid: Invalid,
}

/// A moment of a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Edge {
    /// Its first millisecond.
    #[default]
    Start,
    /// Its last millisecond.
    End,
}

/// One cell, one code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Coded {
    /// The column.
    pub column: String,
    /// What the cell says, and its code; `null` for a spelling that says nothing.
    pub codes: BTreeMap<String, Option<String>>,
    /// What to do with other spellings.
    #[serde(default)]
    pub unknown: Unknown,
}

/// Cells with several codes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// The columns, in order.
    pub columns: Vec<String>,
    /// The characters between codes.
    #[serde(default)]
    pub separators: Vec<char>,
    /// What a part says, and its code; `null` for a spelling that says nothing.
    #[serde(default)]
    pub codes: BTreeMap<String, Option<String>>,
    /// What to do with other spellings.
    #[serde(default)]
    pub unknown: Unknown,
}

/// What to do with a spelling that the mapping does not translate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Unknown {
    /// The row is refused.
    #[default]
    Refuse,
    /// It is left out, and a note says so.
    Omit,
    /// It is kept behind this prefix, as a code of its own scheme: `deco:target-` and `3` give
    /// `deco:target-3`.
    Prefix(String),
}

/// A number's place between steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// The column with a whole number.
    pub column: String,
    /// The steps, rising. A number below the first gives nothing.
    pub steps: Vec<Step>,
    /// What to do with a cell that is no whole number.
    #[serde(default)]
    pub invalid: Invalid,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// From this number on,
    pub at_least: i64,
    /// this value.
    pub value: i64,
}

/// Another value by what a cell holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choose {
    /// The column.
    pub column: String,
    /// The value for each text.
    pub when: BTreeMap<String, Value>,
    /// The value for every other text, and for nothing.
    #[serde(default)]
    pub otherwise: Option<Box<Value>>,
}

/// Why a mapping file was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// Over its byte bound.
    #[error("a mapping has at most {MAX_MAPPING} bytes")]
    Size,
    /// Not JSON of the right shape.
    #[error("this is no mapping: {0}")]
    Shape(String),
    /// Another version.
    #[error("this mapping is of version {0}; version 1 is read here")]
    Version(u32),
    /// A field that no incident has.
    #[error("there is no field {0}")]
    Field(String),
    /// A field that every row needs.
    #[error("the mapping has no {0}, which every row needs")]
    Required(&'static str),
    /// A value that cannot work.
    #[error("field {0}: {1}")]
    Value(String, &'static str),
    /// Something else that cannot work.
    #[error("{0}")]
    Whole(&'static str),
}

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// [`MappingError`] when it is too large, no JSON of this shape, or cannot work for any table.
    pub fn parse(bytes: &[u8]) -> Result<Self, MappingError> {
        if bytes.len() > MAX_MAPPING {
            return Err(MappingError::Size);
        }
        let mapping: Self = serde_json::from_slice(bytes).map_err(|error| MappingError::Shape(error.to_string()))?;
        mapping.check()?;
        Ok(mapping)
    }

    /// Checks what the types cannot say. [`Mapping::parse`] does it already.
    ///
    /// # Errors
    /// The first [`MappingError`] found.
    pub fn check(&self) -> Result<(), MappingError> {
        if self.version != 1 {
            return Err(MappingError::Version(self.version));
        }
        if ![',', ';', '\t', '|'].contains(&self.delimiter) {
            return Err(MappingError::Whole("a delimiter is a comma, a semicolon, a tab or a bar"));
        }
        if self.missing.len() > MAX_PARTS || self.missing.iter().any(|text| text.len() > MAX_NAME) {
            return Err(MappingError::Whole("too many, or too long, spellings of nothing"));
        }
        if let Some(name) = REQUIRED.into_iter().find(|name| !self.fields.contains_key(*name)) {
            return Err(MappingError::Required(name));
        }
        if let Some(name) = self.cut_when_too_long.iter().find(|name| !matches!(shape(name), Some(Shape::Text(_)))) {
            return Err(MappingError::Field(name.clone()));
        }
        self.fields.iter().try_for_each(|(name, value)| {
            let field = shape(name).ok_or_else(|| MappingError::Field(name.clone()))?;
            check(value, field, 0).map_err(|what| MappingError::Value(name.clone(), what))
        })
    }

    /// Every column that the mapping reads.
    pub fn columns(&self) -> BTreeSet<&str> {
        let mut columns = BTreeSet::new();
        self.fields.values().for_each(|value| collect(value, &mut columns));
        columns
    }
}

fn collect<'a>(value: &'a Value, columns: &mut BTreeSet<&'a str>) {
    match value {
        Value::Constant(_) => {}
        Value::Column(column) => {
            columns.insert(column);
        }
        Value::Template(text) => columns.extend(template::columns(text)),
        Value::Number(rule) | Value::Degrees(rule) => {
            columns.insert(&rule.column);
        }
        Value::Date(rule) => {
            columns.insert(&rule.column);
        }
        Value::Code(rule) => {
            columns.insert(&rule.column);
        }
        Value::List(rule) => columns.extend(rule.columns.iter().map(String::as_str)),
        Value::Thresholds(rule) => {
            columns.insert(&rule.column);
        }
        Value::Choose(rule) => {
            columns.insert(&rule.column);
            rule.when.values().for_each(|value| collect(value, columns));
            rule.otherwise.iter().for_each(|value| collect(value, columns));
        }
    }
}

/// Whether a value can fill a field of this shape.
fn check(value: &Value, field: Shape, depth: usize) -> Result<(), &'static str> {
    let number = matches!(field, Shape::Number(..));
    let text = matches!(field, Shape::Text(_));
    let one = matches!(field, Shape::Text(_) | Shape::Code);
    let says = |fits: bool, what: &'static str| if fits { Ok(()) } else { Err(what) };
    match value {
        Value::Constant(constant) => says(
            match constant {
                FieldValue::Number(_) => number,
                FieldValue::Text(_) => one,
                FieldValue::List(_) => matches!(field, Shape::Codes),
            },
            "the constant is of another kind than the field",
        ),
        Value::Column(column) => {
            says(one, "a column's text fills a text or a code")?;
            named(column)
        }
        Value::Template(pattern) => {
            says(one, "a template fills a text or a code")?;
            says(pattern.len() <= MAX_TEMPLATE, "the template is too long")?;
            says(template::pieces(pattern).is_some(), "a bracket or brace of the template has no partner")
        }
        Value::Number(rule) | Value::Degrees(rule) => {
            says(number, "a number fills a number")?;
            named(&rule.column)
        }
        Value::Date(rule) => {
            says(number, "a date fills a time in milliseconds")?;
            named(&rule.column)?;
            check_date(rule)
        }
        Value::Code(rule) => {
            says(one, "a code fills a code or a text")?;
            named(&rule.column)?;
            check_codes(&rule.codes, &rule.unknown)
        }
        Value::List(rule) => {
            says(matches!(field, Shape::Codes) || text, "a list fills codes or a text")?;
            says((1..=MAX_PARTS).contains(&rule.columns.len()), "a list has 1 to 16 columns")?;
            says(rule.separators.len() <= MAX_PARTS, "a list has at most 16 separators")?;
            rule.columns.iter().try_for_each(|column| named(column))?;
            check_codes(&rule.codes, &rule.unknown)
        }
        Value::Thresholds(rule) => {
            says(number, "steps fill a number")?;
            named(&rule.column)?;
            says((1..=MAX_PARTS).contains(&rule.steps.len()), "there are 1 to 16 steps")?;
            says(rule.steps.is_sorted_by(|a, b| a.at_least < b.at_least), "the steps do not rise")
        }
        Value::Choose(rule) => {
            says(depth < MAX_DEPTH, "choices are nested more than four deep")?;
            says(rule.when.len() <= MAX_CODES, "there are too many choices")?;
            named(&rule.column)?;
            rule.when.values().chain(rule.otherwise.as_deref()).try_for_each(|value| check(value, field, depth + 1))
        }
    }
}

fn named(column: &str) -> Result<(), &'static str> {
    let fits = !column.is_empty() && column.len() <= MAX_NAME;
    if fits { Ok(()) } else { Err("a column's name is 1 to 200 bytes") }
}

fn check_date(rule: &DateRule) -> Result<(), &'static str> {
    use chrono::format::{Item, StrftimeItems};
    if !(1..=MAX_PARTS).contains(&rule.formats.len()) {
        return Err("there are 1 to 16 patterns");
    }
    let good = |pattern: &String| {
        pattern.len() <= MAX_NAME && !StrftimeItems::new(pattern).any(|item| matches!(item, Item::Error))
    };
    if rule.formats.iter().all(good) { Ok(()) } else { Err("a pattern is none that dates are written in") }
}

fn check_codes(codes: &BTreeMap<String, Option<String>>, unknown: &Unknown) -> Result<(), &'static str> {
    if codes.len() > MAX_CODES || codes.keys().any(|spelling| spelling.len() > MAX_NAME) {
        return Err("there are too many codes, or a spelling is too long");
    }
    if codes.values().flatten().any(|code| !logbook::field::is_code(code)) {
        return Err("a code has a shape that codes cannot have");
    }
    match unknown {
        Unknown::Prefix(prefix) if !logbook::vocab::is_code(&format!("{prefix}x")) => {
            Err("a prefix begins a code: scheme:, in small letters")
        }
        _ => Ok(()),
    }
}
