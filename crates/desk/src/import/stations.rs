//! Import of a list of polling stations: columns found by their names, each row whole or refused with
//! its reason.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Read};

use serde::{Deserialize, Serialize};
use vault::Station;

use super::csv::{OpenError, Reason, Refused};
use super::mapping::{Encoding, MAX_MAPPING, MappingError};
use super::table::{Format, Row, Table};
use super::value::{clean, degrees_e7};
use crate::hours::Hours;

/// Stations of one list: the largest countries have half of it in one of their states.
pub const MAX_STATIONS: u64 = 200_000;
/// Bytes of a code: the field `station` of an incident.
const MAX_CODE: usize = 64;
/// Bytes of a name and of an area: together below the field `place` of an incident.
const MAX_NAME: usize = 200;
/// Bytes at the start of a file in which its first line is looked for.
const HEAD: usize = 16 * 1024;

/// What a column of the list may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// The code.
    Code,
    /// The name.
    Name,
    /// Municipality, district, region.
    Area,
    /// Degrees north.
    Lat,
    /// Degrees east.
    Lon,
    /// The hours at which reports are expected.
    ExpectedBy,
}

/// Headings by which a column is known without a mapping, the most certain first; in lower case,
/// letters and digits alone, without accents.
const HEADINGS: &[(Column, &[&str])] = &[
    (
        Column::Code,
        &[
            "code",
            "stationcode",
            "codestation",
            "station",
            "stationid",
            "stationnumber",
            "pollingstation",
            "pollingstationcode",
            "codebureau",
            "codebv",
            "numerobureau",
            "bureau",
            "bureaudevote",
            "bv",
            "number",
            "numero",
            "no",
            "id",
            "رمزالمركز",
            "رقمالمركز",
            "الرمز",
            "رمز",
            "الرقم",
            "رقم",
        ],
    ),
    (
        Column::Name,
        &[
            "name",
            "stationname",
            "pollingplace",
            "nom",
            "nombureau",
            "libelle",
            "lieudevote",
            "designation",
            "venue",
            "lieu",
            "اسمالمركز",
            "الاسم",
            "اسم",
        ],
    ),
    (
        Column::Area,
        &[
            "area",
            "municipality",
            "commune",
            "city",
            "ville",
            "district",
            "constituency",
            "circonscription",
            "county",
            "region",
            "البلدية",
            "الدائرة",
            "المنطقة",
            "المدينة",
        ],
    ),
    (Column::Lat, &["lat", "latitude", "خطالعرض"]),
    (Column::Lon, &["lon", "lng", "long", "longitude", "خطالطول"]),
    (
        Column::ExpectedBy,
        &["expectedby", "expected", "expectedreports", "reports", "hours", "heures", "horaires", "المواعيد", "الساعات"],
    ),
];

/// Which column says what, where headings do not tell.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StationMapping {
    /// The version of this format: 1.
    pub version: u32,
    /// How the file's bytes are text.
    #[serde(default)]
    pub encoding: Encoding,
    /// The character between cells; absent: what the first line has most of.
    #[serde(default)]
    pub delimiter: Option<char>,
    /// Headings by what their columns say; the others are found by their names.
    #[serde(default)]
    pub columns: BTreeMap<Column, String>,
}

impl StationMapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// [`MappingError`] when it is too large, or no JSON of this shape.
    pub fn parse(bytes: &[u8]) -> Result<Self, MappingError> {
        if bytes.len() > MAX_MAPPING {
            return Err(MappingError::Size);
        }
        let mapping: Self = serde_json::from_slice(bytes).map_err(|error| MappingError::Shape(error.to_string()))?;
        if mapping.version != 1 {
            return Err(MappingError::Version(mapping.version));
        }
        if mapping.delimiter.is_some_and(|delimiter| ![',', ';', '\t', '|'].contains(&delimiter)) {
            return Err(MappingError::Whole("a delimiter is a comma, a semicolon, a tab or a bar"));
        }
        Ok(mapping)
    }
}

/// The stations of a list, as they are read.
pub struct StationRows<R: Read> {
    table: Table<BufReader<R>>,
    columns: BTreeMap<Column, usize>,
    /// Whether a comma may be a decimal mark: not where it stands between cells.
    comma: bool,
    /// Codes so far, and their rows.
    seen: HashMap<String, u64>,
    ended: bool,
}

impl<R: Read> StationRows<R> {
    /// Opens a list: finds out what stands between cells, and which column says what.
    ///
    /// # Errors
    /// [`OpenError`] when the header cannot be read or has no code or no name.
    pub fn open(list: R, mapping: &StationMapping) -> Result<Self, OpenError> {
        let mut list = BufReader::with_capacity(HEAD, list);
        let unreadable = |error: std::io::Error| OpenError::Header(error.to_string());
        let stated = stated_delimiter(list.fill_buf().map_err(unreadable)?);
        if let Some((_, length)) = stated {
            list.consume(length);
        }
        let found = stated.map(|(delimiter, _)| delimiter);
        let found = found.unwrap_or(likely_delimiter(list.fill_buf().map_err(unreadable)?));
        let delimiter = mapping.delimiter.unwrap_or(found);
        let format = Format { delimiter, encoding: mapping.encoding, missing: vec![String::new()] };
        let table = Table::open(list, format)?;
        let columns = columns(table.names(), mapping)?;
        Ok(Self { table, columns, comma: delimiter != ',', seen: HashMap::new(), ended: false })
    }

    fn station(&mut self, row: &Row) -> Result<Station, Reason> {
        let cell = |column| self.columns.get(&column).and_then(|at| row.cells.get(*at)?.as_deref());
        let text = |column, name: &'static str, most: usize| {
            let text = cell(column).map(|text| clean(text, false)).unwrap_or_default();
            if text.len() <= most { Ok(text) } else { Err(unfit(format!("the {name} has more than {most} bytes"))) }
        };
        let code = text(Column::Code, "code", MAX_CODE)?;
        let name = text(Column::Name, "name", MAX_NAME)?;
        let area = text(Column::Area, "area", MAX_NAME)?;
        if code.is_empty() {
            return Err(Reason::Missing("code"));
        }
        if name.is_empty() {
            return Err(Reason::Missing("name"));
        }
        let at_e7 = match (cell(Column::Lat), cell(Column::Lon)) {
            (None, None) => None,
            (Some(lat), Some(lon)) => Some((self.degrees(lat, 90, "latitude")?, self.degrees(lon, 180, "longitude")?)),
            _ => return Err(unfit("a latitude and a longitude stand together or not at all".into())),
        };
        let hours = cell(Column::ExpectedBy).unwrap_or_default().parse::<Hours>();
        let hours = hours.map_err(|what| unfit(what.to_owned()))?.to_string();
        if let Some(first) = self.seen.get(&code) {
            return Err(unfit(format!("code {code} stands in row {first} already")));
        }
        self.seen.insert(code.clone(), row.number);
        Ok(Station { code, name, area, at_e7, hours })
    }

    /// Degrees times 10^7, within the globe.
    fn degrees(&self, text: &str, most: i64, name: &str) -> Result<i64, Reason> {
        let text = if self.comma { text.replacen(',', ".", 1) } else { text.to_owned() };
        let found = degrees_e7(&text).filter(|e7| e7.abs() <= most * 10_000_000);
        found.ok_or_else(|| unfit(format!("the {name} is no number of degrees from -{most} to {most}")))
    }
}

fn unfit(why: String) -> Reason {
    Reason::Unfit(why)
}

impl<R: Read> Iterator for StationRows<R> {
    type Item = Result<Station, Refused>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            let row = match self.table.next()? {
                Ok(row) => row,
                Err(refused) => return Some(Err(refused)),
            };
            // Spreadsheets leave rows of empty cells behind.
            if row.cells.iter().all(Option::is_none) {
                continue;
            }
            self.ended = row.number > MAX_STATIONS;
            let station = if self.ended {
                Err(unfit(format!("a list has at most {MAX_STATIONS} stations; reading ends here")))
            } else {
                self.station(&row)
            };
            return Some(station.map_err(|reason| Refused { row: row.number, reason }));
        }
        None
    }
}

/// The line that some spreadsheets write before the header, `sep=;`: the delimiter, and its length.
fn stated_delimiter(head: &[u8]) -> Option<(char, usize)> {
    let mark = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let rest = head.get(mark..)?.strip_prefix(b"sep=")?;
    let delimiter = char::from(*rest.first()?);
    let line = rest.iter().position(|byte| *byte == b'\n')?;
    Some((delimiter, mark + 4 + line + 1)).filter(|_| line <= 2 && [',', ';', '\t', '|'].contains(&delimiter))
}

/// What the first line has most of, outside quotation marks.
fn likely_delimiter(head: &[u8]) -> char {
    let mut quoted = false;
    let mut counts = [(',', 0), (';', 0), ('\t', 0), ('|', 0)];
    for byte in head {
        if *byte == b'\n' && !quoted {
            break;
        }
        quoted ^= *byte == b'"';
        if let Some((_, count)) = counts.iter_mut().find(|(mark, _)| !quoted && *mark == char::from(*byte)) {
            *count += 1;
        }
    }
    // Of equals the first counts: a table of one column has a comma between its cells.
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map_or(',', |(mark, _)| mark)
}

fn columns(names: &[String], mapping: &StationMapping) -> Result<BTreeMap<Column, usize>, OpenError> {
    let mut columns = BTreeMap::new();
    for (column, heading) in &mapping.columns {
        let at = names.iter().position(|name| name == heading.trim());
        columns.insert(*column, at.ok_or_else(|| OpenError::Column(heading.clone()))?);
    }
    let bare: Vec<String> = names.iter().map(|name| heading(name)).collect();
    for (column, headings) in HEADINGS {
        let mut at = headings.iter().filter_map(|heading| bare.iter().position(|name| name == heading));
        if let (false, Some(at)) =
            (columns.contains_key(column), at.find(|at| !columns.values().any(|taken| taken == at)))
        {
            columns.insert(*column, at);
        }
    }
    for (column, name) in [(Column::Code, "code"), (Column::Name, "name")] {
        if !columns.contains_key(&column) {
            return Err(OpenError::Column(name.to_owned()));
        }
    }
    Ok(columns)
}

/// A heading without case, accents and what is no letter or digit.
fn heading(name: &str) -> String {
    let plain = logbook::vocab::fold(name);
    plain.chars().filter(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests;
