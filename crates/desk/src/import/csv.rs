//! The rows of a table as facts of incidents.

use std::collections::HashMap;
use std::io::Read;

use logbook::Fields;

use super::mapping::Mapping;
use super::table::{Format, MAX_CELL, MAX_ROW, MAX_ROWS, Row, Table};
use super::value;

/// A row as facts of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedRow {
    /// Its place below the header, from 1.
    pub row: u64,
    /// What the table calls it: importing the same table again finds the record by it.
    pub source_id: String,
    /// All mapped fields, these three among them, each within the shape of its field.
    pub facts: Fields,
    /// What was left out, cut or replaced, for a person to read.
    pub notes: Vec<String>,
}

impl MappedRow {
    /// The category.
    pub fn category(&self) -> &str {
        self.text("category")
    }

    /// The summary.
    pub fn summary(&self) -> &str {
        self.text("summary")
    }

    /// The description, if the table has one.
    pub fn description(&self) -> Option<&str> {
        self.facts.get("description").and_then(|value| value.text())
    }

    fn text(&self, name: &str) -> &str {
        self.facts.get(name).and_then(|value| value.text()).unwrap_or_default()
    }
}

/// A row that was not imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("row {row}: {reason}")]
pub struct Refused {
    /// Its place below the header, from 1.
    pub row: u64,
    /// Why.
    pub reason: Reason,
}

/// Why a row was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// More or fewer cells than the header has.
    #[error("the row has {found} cells, the header has {expected}")]
    Cells {
        /// In the row.
        found: usize,
        /// In the header.
        expected: usize,
    },
    /// Over the row bound; nothing after it can be read, since its end is unknown.
    #[error("the row has more than {MAX_ROW} bytes: a quotation mark may not be closed; reading ends here")]
    RowSize,
    /// Over the cell bound.
    #[error("column {0} has more than {MAX_CELL} bytes")]
    CellSize(String),
    /// Bytes that are no text of the mapping's encoding.
    #[error("column {0} is no text of the encoding that the mapping names")]
    Encoding(String),
    /// A cell that cannot be read as the mapping says.
    #[error("column {column}: \"{found}\" is {what}")]
    Cell {
        /// The column.
        column: String,
        /// The first characters of what it holds.
        found: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A field that every row needs has no value.
    #[error("there is no {0}")]
    Missing(&'static str),
    /// A value outside the shape of its field.
    #[error("{0}")]
    Field(logbook::field::FieldError),
    /// A row that cannot be what it should be.
    #[error("{0}")]
    Unfit(String),
    /// The end lies before the beginning.
    #[error("it ends before it begins")]
    Order,
    /// Too many rows.
    #[error("an import has at most {MAX_ROWS} rows; reading ends here")]
    Rows,
    /// The file cannot be read further.
    #[error("the file cannot be read further: {0}")]
    Read(String),
}

/// Why a table cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The header cannot be read, or is over a bound.
    #[error("the header cannot be read: {0}")]
    Header(String),
    /// A column that the mapping reads is not there.
    #[error("the table has no column {0}")]
    Column(String),
    /// Two columns with one name.
    #[error("two columns are called {0}")]
    Twice(String),
}

/// The rows of a table, mapped as they are read.
pub struct Rows<'m, R> {
    mapping: &'m Mapping,
    table: Table<R>,
    columns: HashMap<String, usize>,
}

impl<'m, R: Read> Rows<'m, R> {
    /// Opens a table: reads its header and finds the mapping's columns in it.
    ///
    /// # Errors
    /// [`OpenError`] when the header is no header for this mapping.
    pub fn open(table: R, mapping: &'m Mapping) -> Result<Self, OpenError> {
        let format =
            Format { delimiter: mapping.delimiter, encoding: mapping.encoding, missing: mapping.missing.clone() };
        let table = Table::open(table, format)?;
        let columns: HashMap<String, usize> =
            table.names().iter().enumerate().map(|(at, name)| (name.clone(), at)).collect();
        if let Some(absent) = mapping.columns().into_iter().find(|column| !columns.contains_key(*column)) {
            return Err(OpenError::Column(absent.to_owned()));
        }
        Ok(Self { mapping, table, columns })
    }

    fn mapped(&self, row: &Row) -> Result<MappedRow, Refused> {
        let cell = |column: &str| self.columns.get(column).and_then(|at| row.cells.get(*at)?.as_deref());
        value::map(self.mapping, row.number, &cell).map_err(|reason| Refused { row: row.number, reason })
    }
}

impl<R: Read> Iterator for Rows<'_, R> {
    type Item = Result<MappedRow, Refused>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.table.next()?.and_then(|row| self.mapped(&row)))
    }
}
