//! A table as bytes: one row in memory at a time, within bounds, as text of its encoding.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use ::csv::{ByteRecord, ReaderBuilder};

use super::csv::{OpenError, Reason, Refused};
use super::mapping::Encoding;

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

/// How a table is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Format {
    /// The character between cells.
    pub delimiter: char,
    /// How its bytes are text.
    pub encoding: Encoding,
    /// Cells with one of these texts hold nothing.
    pub missing: Vec<String>,
}

/// A row as text; a cell that holds nothing is `None`.
pub(super) struct Row {
    /// Its place below the header, from 1.
    pub number: u64,
    /// As many cells as the header has.
    pub cells: Vec<Option<String>>,
}

/// The rows of a table, as they are read.
pub(super) struct Table<R> {
    format: Format,
    reader: ::csv::Reader<Bounded<R>>,
    bound: Bound,
    names: Vec<String>,
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

impl<R: Read> Table<R> {
    /// Opens a table: reads its header.
    ///
    /// # Errors
    /// [`OpenError`] when the header cannot be read, or is over a bound.
    pub(super) fn open(table: R, format: Format) -> Result<Self, OpenError> {
        let bound = Bound::default();
        bound.renew();
        let delimiter = u8::try_from(format.delimiter).unwrap_or(b',');
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
        let mut names: Vec<String> = Vec::with_capacity(record.len());
        for (at, cell) in record.iter().enumerate() {
            let cell = if at == 0 { cell.strip_prefix(b"\xef\xbb\xbf").unwrap_or(cell) } else { cell };
            let name = decode(cell, format.encoding).ok_or_else(|| header("it is no text of the encoding"))?;
            let name = name.trim().to_owned();
            if name.len() > MAX_HEADING {
                return Err(header("a column's name has more than 200 bytes"));
            }
            if !name.is_empty() && names.contains(&name) {
                return Err(OpenError::Twice(name));
            }
            names.push(name);
        }
        Ok(Self { format, reader, bound, names, record, row: 0, ended: false })
    }

    /// The names of the columns.
    pub(super) fn names(&self) -> &[String] {
        &self.names
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

    fn cells(&self) -> Result<Vec<Option<String>>, Reason> {
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
            let text = decode(bytes, self.format.encoding).ok_or_else(|| Reason::Encoding(name.clone()))?;
            let text = text.trim();
            cells.push((!self.format.missing.iter().any(|nothing| nothing == text)).then(|| text.to_owned()));
        }
        Ok(cells)
    }
}

impl<R: Read> Iterator for Table<R> {
    type Item = Result<Row, Refused>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let cells = match self.advance()? {
            Ok(()) => self.cells(),
            Err(reason) => Err(reason),
        };
        let number = self.row;
        Some(cells.map(|cells| Row { number, cells }).map_err(|reason| Refused { row: number, reason }))
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
