//! Import of tables: a mapping file says how the columns of somebody's CSV become the facts of an
//! incident. Rows stream: one is held at a time, and every length is bounded.
//!
//! [`Mapping`] is the file (`docs/import/README.md` explains it), [`Rows`] reads a table through
//! it. A row comes out whole as a [`MappedRow`] or not at all, as [`Refused`] with the reason; what
//! was left out of a row that did come out stands in its notes. Nothing is guessed.

mod csv;
mod mapping;
mod stations;
mod table;
mod template;
mod value;

#[cfg(test)]
mod tests;

pub use csv::{MappedRow, OpenError, Reason, Refused, Rows};
pub use mapping::{
    Choose, Coded, DateRule, Edge, Encoding, Invalid, Listed, MAX_MAPPING, Mapping, MappingError, Measured, Step,
    Thresholds, Unknown, Value,
};
pub use stations::{MAX_STATIONS, StationMapping, StationRows};
pub use table::{MAX_CELL, MAX_COLUMNS, MAX_ROW, MAX_ROWS};
