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
mod tests {
    use super::*;

    fn read(list: &[u8], mapping: &StationMapping) -> (Vec<Station>, Vec<String>) {
        let mut refused = Vec::new();
        let rows = StationRows::open(list, mapping).unwrap();
        let good = rows.filter_map(|row| row.map_err(|why| refused.push(why.to_string())).ok()).collect();
        (good, refused)
    }

    fn plainly(list: &[u8]) -> (Vec<Station>, Vec<String>) {
        read(list, &StationMapping::default())
    }

    #[test]
    fn a_list_as_it_should_be() {
        let list = "code,name,area,lat,lon,expected_by\n\
                    0421,\"École, rue Chevreul\",Lyon 7e,45.7496,4.8455,opening 07:00; closing 20:00\n\
                    0098,Jules Ferry,Lille,,,\n";
        let (good, refused) = plainly(list.as_bytes());
        assert_eq!(refused, Vec::<String>::new());
        assert_eq!(good[0].name, "École, rue Chevreul");
        assert_eq!((good[0].at_e7, good[1].at_e7), (Some((457_496_000, 48_455_000)), None));
        assert_eq!((good[0].hours.as_str(), good[1].hours.as_str()), ("opening 07:00; closing 20:00", ""));
    }

    #[test]
    fn lists_as_spreadsheets_save_them() {
        let semicolons = "\u{feff}Code bureau;Libellé;Commune;Latitude;Longitude;Horaires\r\n\
                          0421;Rue Chevreul;Lyon;45,7496;4,8455;ouverture 7h00, clôture 20h\r\n\
                          ;;;;;\r\n";
        let (good, refused) = plainly(semicolons.as_bytes());
        assert_eq!((good.len(), refused.len()), (1, 0), "{refused:?}");
        assert_eq!((good[0].code.as_str(), good[0].at_e7), ("0421", Some((457_496_000, 48_455_000))));
        assert_eq!(good[0].hours, "ouverture 07:00; clôture 20:00");
        let stated = "\u{feff}sep=;\r\nstation;name\r\n1;A, B\r\n";
        assert_eq!(plainly(stated.as_bytes()).0[0].name, "A, B");
        let tabs = "id\tname\tcity\n7\tTown hall\tPau\n";
        assert_eq!(plainly(tabs.as_bytes()).0[0].area, "Pau");
        let latin = StationMapping { version: 1, encoding: Encoding::Windows1252, ..StationMapping::default() };
        assert_eq!(read(b"code,name\n1,\xc9cole\n", &latin).0[0].name, "École");
    }

    #[test]
    fn names_from_right_to_left_stay_as_they_are_without_marks() {
        let list = "رمز المركز,اسم المركز,المنطقة\n0701,\u{202b}مدرسة النور\u{202c},بيروت\n";
        let (good, refused) = plainly(list.as_bytes());
        assert!(refused.is_empty(), "{refused:?}");
        assert_eq!((good[0].name.as_str(), good[0].area.as_str()), ("مدرسة النور", "بيروت"));
    }

    #[test]
    fn a_row_is_refused_with_its_reason() {
        let long = "x".repeat(201);
        let rows: &[(&str, &str)] = &[
            ("0001,A,,,", ""),
            ("0001,B,,,", "code 0001 stands in row 1 already"),
            (",C,,,", "there is no code"),
            ("0002,,,,", "there is no name"),
            (&long, "the row has 1 cells, the header has 5"),
            ("0003,D,91,4,", "the latitude is no number of degrees from -90 to 90"),
            ("0003,D,45,180.1,", "the longitude is no number of degrees from -180 to 180"),
            ("0003,D,45,,", "a latitude and a longitude stand together or not at all"),
            ("0003,D,forty,4,", "the latitude is no number of degrees"),
            ("0003,D,,,opening", "an expected report has no hour"),
            ("0003,D,,,", ""),
        ];
        let list = format!(
            "code,name,lat,lon,expected\n{}\n0004,{long},,,\n{long},E,,,\n",
            rows.iter().map(|(row, _)| *row).collect::<Vec<_>>().join("\n")
        );
        let (good, refused) = plainly(list.as_bytes());
        assert_eq!(good.iter().map(|station| station.code.as_str()).collect::<Vec<_>>(), ["0001", "0003"]);
        let wanted: Vec<&str> = rows.iter().map(|(_, why)| *why).filter(|why| !why.is_empty()).collect();
        assert_eq!(refused.len(), wanted.len() + 2);
        for (why, wanted) in refused.iter().zip(wanted) {
            assert!(why.contains(wanted), "{why} / {wanted}");
        }
        let long = &refused[refused.len() - 2..];
        assert!(long[0].contains("the name has more than 200 bytes"), "{long:?}");
        assert!(long[1].contains("the code has more than 64 bytes"), "{long:?}");
        let (good, refused) = plainly(b"code,name\n1,\xff\n2,B\n");
        assert_eq!((good.len(), refused.len()), (1, 1), "bytes that are no text refuse their row alone");
    }

    #[test]
    fn a_header_must_tell_code_and_name() {
        let open = |list: &'static [u8]| StationRows::open(list, &StationMapping::default()).err();
        assert!(open(b"").is_some());
        assert_eq!(open(b"a,b\n1,2\n"), Some(OpenError::Column("code".into())));
        assert_eq!(open(b"code,b\n1,2\n"), Some(OpenError::Column("name".into())));
        let mapping = r#"{"version":1,"delimiter":"|","columns":{"code":"a","name":"b"}}"#;
        let mapping = StationMapping::parse(mapping.as_bytes()).unwrap();
        assert_eq!(read(b"a|b\n1|2\n", &mapping).0[0].name, "2");
        for bad in [r#"{"version":2}"#, r#"{"version":1,"delimiter":"x"}"#, r#"{"version":1,"columns":{"x":"a"}}"#, "["]
        {
            assert!(StationMapping::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        let mapping = StationMapping::parse(br#"{"version":1,"columns":{"code":"zz"}}"#).unwrap();
        assert_eq!(StationRows::open(b"code,name\n".as_slice(), &mapping).err(), Some(OpenError::Column("zz".into())));
    }

    #[test]
    fn a_list_ends_at_its_bound() {
        let mut list = String::from("code,name\n");
        (0..=MAX_STATIONS).for_each(|n| list.push_str(&format!("{n},S\n")));
        list.push_str("after,S\n");
        let (good, refused) = plainly(list.as_bytes());
        assert_eq!((good.len() as u64, refused.len()), (MAX_STATIONS, 1));
    }
}
