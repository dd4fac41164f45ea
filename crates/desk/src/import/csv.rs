//! Reading a table: one row in memory at a time, within bounds, as text of the mapping's encoding.

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use ::csv::{ByteRecord, ReaderBuilder};
use logbook::Fields;

use super::mapping::{Encoding, Mapping};
use super::value;

/// Bytes of a row: 512 columns of half a kilobyte.
pub const MAX_ROW: usize = 256 * 1024;
/// Bytes of a cell: twice the longest text of a record, so that a text may be cut with a note.
pub const MAX_CELL: usize = 32 * 1024;
/// Columns of a table: event data sets have up to two hundred.
pub const MAX_COLUMNS: usize = 512;
/// Rows of one import: ten times a national register of polling stations.
pub const MAX_ROWS: u64 = 1_000_000;
/// Bytes of a column's name.
const MAX_HEADING: usize = 200;
/// Bytes that the reader takes from the file at a time.
const BUFFER: usize = 16 * 1024;

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
    reader: ::csv::Reader<Bounded<R>>,
    bound: Bound,
    names: Vec<String>,
    columns: HashMap<String, usize>,
    record: ByteRecord,
    row: u64,
    ended: bool,
}

/// What the reader may still take before a row must have ended.
#[derive(Clone, Default)]
struct Bound {
    left: Arc<AtomicUsize>,
    passed: Arc<AtomicBool>,
}

impl Bound {
    /// A new row begins. The reader takes whole buffers, so that it runs ahead by up to two.
    fn renew(&self) {
        self.left.store(MAX_ROW + 2 * BUFFER, Relaxed);
    }
}

struct Bounded<R> {
    inner: R,
    bound: Bound,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = self.bound.left.load(Relaxed);
        if left == 0 {
            self.bound.passed.store(true, Relaxed);
            return Err(std::io::Error::other("the row does not end"));
        }
        let most = buffer.len().min(left);
        let taken = self.inner.read(&mut buffer[..most])?;
        self.bound.left.store(left.saturating_sub(taken), Relaxed);
        Ok(taken)
    }
}

impl<'m, R: Read> Rows<'m, R> {
    /// Opens a table: reads its header and finds the mapping's columns in it.
    ///
    /// # Errors
    /// [`OpenError`] when the header is no header for this mapping.
    pub fn open(table: R, mapping: &'m Mapping) -> Result<Self, OpenError> {
        let bound = Bound::default();
        bound.renew();
        let delimiter = u8::try_from(mapping.delimiter).unwrap_or(b',');
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(BUFFER)
            .from_reader(Bounded { inner: table, bound: bound.clone() });
        let mut record = ByteRecord::new();
        let header = |what: &str| OpenError::Header(what.to_owned());
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Err(header("the table is empty")),
            Err(_) if bound.passed.load(Relaxed) => return Err(header("its first row does not end")),
            Err(error) => return Err(OpenError::Header(error.to_string())),
        }
        if record.len() > MAX_COLUMNS {
            return Err(header("it has more than 512 columns"));
        }
        let mut names = Vec::with_capacity(record.len());
        let mut columns = HashMap::new();
        for (at, cell) in record.iter().enumerate() {
            let cell = if at == 0 { cell.strip_prefix(b"\xef\xbb\xbf").unwrap_or(cell) } else { cell };
            let name = decode(cell, mapping.encoding).ok_or_else(|| header("it is no text of the encoding"))?;
            let name = name.trim().to_owned();
            if name.len() > MAX_HEADING {
                return Err(header("a column's name has more than 200 bytes"));
            }
            if columns.insert(name.clone(), at).is_some() && !name.is_empty() {
                return Err(OpenError::Twice(name));
            }
            names.push(name);
        }
        if let Some(absent) = mapping.columns().into_iter().find(|column| !columns.contains_key(*column)) {
            return Err(OpenError::Column(absent.to_owned()));
        }
        Ok(Self { mapping, reader, bound, names, columns, record, row: 0, ended: false })
    }

    /// Reads the next row into `self.record`; `None` at the end.
    fn advance(&mut self) -> Option<Result<(), Reason>> {
        self.bound.renew();
        let read = self.reader.read_byte_record(&mut self.record);
        if matches!(read, Ok(false)) {
            self.ended = true;
            return None;
        }
        self.row += 1;
        let refused = match read {
            _ if self.row > MAX_ROWS => Reason::Rows,
            Ok(_) => return Some(Ok(())),
            Err(_) if self.bound.passed.load(Relaxed) => Reason::RowSize,
            Err(error) => Reason::Read(error.to_string()),
        };
        self.ended = true;
        Some(Err(refused))
    }

    fn mapped(&self) -> Result<MappedRow, Reason> {
        let expected = self.names.len();
        if self.record.len() != expected {
            return Err(Reason::Cells { found: self.record.len(), expected });
        }
        if self.record.as_slice().len() > MAX_ROW {
            return Err(Reason::RowSize);
        }
        let mut cells = Vec::with_capacity(expected);
        for (bytes, name) in self.record.iter().zip(&self.names) {
            if bytes.len() > MAX_CELL {
                return Err(Reason::CellSize(name.clone()));
            }
            let text = decode(bytes, self.mapping.encoding).ok_or_else(|| Reason::Encoding(name.clone()))?;
            let text = text.trim();
            cells.push((!self.mapping.missing.iter().any(|nothing| nothing == text)).then(|| text.to_owned()));
        }
        value::map(self.mapping, self.row, &|column| self.columns.get(column).and_then(|at| cells.get(*at)?.as_deref()))
    }
}

impl<R: Read> Iterator for Rows<'_, R> {
    type Item = Result<MappedRow, Refused>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let mapped = match self.advance()? {
            Ok(()) => self.mapped(),
            Err(reason) => Err(reason),
        };
        Some(mapped.map_err(|reason| Refused { row: self.row, reason }))
    }
}

/// Text of an encoding; `None` for bytes that it does not have.
fn decode(bytes: &[u8], encoding: Encoding) -> Option<String> {
    match encoding {
        Encoding::Utf8 => std::str::from_utf8(bytes).ok().map(str::to_owned),
        Encoding::Windows1252 => bytes.iter().map(|byte| windows_1252(*byte)).collect(),
    }
}

/// One byte of Windows code page 1252: Latin-1, but for 0x80 to 0x9F, of which five are unused.
fn windows_1252(byte: u8) -> Option<char> {
    const HIGH: [char; 32] = [
        '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘', '’', '“', '”',
        '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => Some(HIGH[usize::from(byte - 0x80)]).filter(|c| *c != '\0'),
        other => Some(char::from(other)),
    }
}
