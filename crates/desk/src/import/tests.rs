use std::path::{Path, PathBuf};

use logbook::FieldValue;
use proptest::prelude::*;

use super::*;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn deco() -> Mapping {
    Mapping::parse(&std::fs::read(root().join("docs/import/deco.mapping.json")).unwrap()).unwrap()
}

/// The material that the project does not carry: beside the checkout, or where the variable says.
/// Absent, the test fails.
fn table() -> std::fs::File {
    let shared = std::env::var_os("INTACT_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    let path = shared.join("data/deco-1989-2011.csv");
    std::fs::File::open(&path).unwrap_or_else(|error| panic!("{}: {error}; set INTACT_SHARED", path.display()))
}

#[test]
fn all_of_deco_is_read() {
    let mapping = deco();
    let rows: Vec<_> = Rows::open(table(), &mapping).unwrap().collect();
    assert_eq!(rows.len(), 3048);
    let refused: Vec<String> = rows.iter().filter_map(|row| row.as_ref().err()).map(Refused::to_string).collect();
    assert!(refused.is_empty(), "{}: {:?}", refused.len(), &refused[..refused.len().min(5)]);
    let rows: Vec<MappedRow> = rows.into_iter().flatten().collect();
    let ids: std::collections::BTreeSet<&str> = rows.iter().map(|row| row.source_id.as_str()).collect();
    assert_eq!(ids.len(), 3048);
    assert_eq!(rows.iter().filter(|row| !row.facts.contains_key("lat_e7")).count(), 6);
    let noted: Vec<&MappedRow> = rows.iter().filter(|row| !row.notes.is_empty()).collect();
    assert_eq!(noted.len(), 3, "{:?}", noted.iter().map(|row| &row.notes).collect::<Vec<_>>());
    assert!(noted[0].notes[0].contains("Masbate"));
    assert!(rows.iter().all(|row| logbook::vocab::label(row.category(), "en").is_some()));
    let unreadable = |row: &&MappedRow| row.facts.values().any(|value| value.to_string().contains('\u{fffd}'));
    assert_eq!(rows.iter().filter(unreadable).count(), 0);
    assert!(rows.iter().any(|row| row.facts["source"].to_string().contains('’')), "non-ASCII text arrives whole");
    let severe = |wanted: i64| rows.iter().filter(|row| row.facts["severity"].number() == Some(wanted)).count();
    assert_eq!((severe(2), severe(3), severe(4)), (0, 2342, 706));
}

#[test]
fn one_row_of_deco() {
    let mapping = deco();
    let row = Rows::open(table(), &mapping).unwrap().flatten().find(|row| row.source_id == "deco:343").unwrap();
    let text = |name: &str| row.facts[name].to_string();
    assert_eq!(
        row.summary(),
        "6 killed: Government of Yemen (North Yemen) and Supporters of Islah party, Yemen (North Yemen)"
    );
    assert_eq!(row.category(), "act:homicide");
    assert_eq!(text("classifications"), "deco:type-3, deco:type-4, deco:type-5");
    assert_eq!(text("affected"), "deco:target-3, deco:target-6");
    assert_eq!(text("perpetrator"), "perp:state-security, perp:supporters");
    assert_eq!((text("lat_e7").as_str(), text("lon_e7").as_str()), ("140000000", "441666670"));
    assert_eq!(text("occurred_from_ms"), "983059200000");
    assert_eq!(text("occurred_to_ms"), "983145599999");
    assert_eq!((text("severity"), text("deaths"), text("tlp")), ("4".into(), "6".into(), "CLEAR".into()));
    assert_eq!(row.facts["domains"], FieldValue::List(vec!["physical".into()]));
    assert!(text("source").contains("\"Six more killed in Yemen election violence"));
    assert!(row.description().unwrap().contains("\nPurpose as coded: protect results."));
}

fn small(fields: &str) -> Mapping {
    let text = format!(
        r#"{{"version":1,"name":"small","missing":["","-"],"fields":{{"source_id":{{"column":"id"}},
        "summary":{{"column":"what"}},"category":{{"constant":"ops:queue"}}{fields}}}}}"#
    );
    Mapping::parse(text.as_bytes()).unwrap()
}

fn read(mapping: &Mapping, table: impl AsRef<[u8]>) -> Vec<Result<MappedRow, String>> {
    let rows = Rows::open(table.as_ref(), mapping).unwrap();
    rows.map(|row| row.map_err(|refused| refused.to_string())).collect()
}

#[test]
fn rows_are_refused_with_a_reason() {
    let mapping = small(
        r#","deaths":{"number":{"column":"n"}},"severity":{"number":{"column":"s"}},
        "occurred_from_ms":{"date":{"column":"from","formats":["%Y-%m-%d","%Y-%m-%d %H:%M"],"zone":"Europe/Paris"}},
        "occurred_to_ms":{"date":{"column":"to","formats":["%Y-%m-%d"],"zone":"Europe/Paris","edge":"end"}}"#,
    );
    let table = "\u{feff}id,what,n,s,from,to\n\
        1,good,3,2,2026-10-25,2026-10-25\n\
        2,,3,2,,\n\
        3,x,three,2,,\n\
        4,x,3,9,,\n\
        5,x,3,2,2026-10-25,2026-10-24\n\
        6,x,3,2,25.10.2026,\n\
        7,x,3\n\
        -,x,3,2,,\n\
        9,\"two\nlines \"\"q\"\"\",-,2,2026-03-29 02:30,\n\
        10,x,3,2,0026-10-25,\n";
    let rows = read(&mapping, table);
    let reasons: Vec<&str> = rows.iter().map(|row| row.as_ref().map_or_else(String::as_str, |_| "good")).collect();
    assert_eq!(
        reasons,
        [
            "good",
            "row 2: there is no summary",
            "row 3: column n: \"three\" is no whole number",
            "row 4: field severity: over its bound",
            "row 5: it ends before it begins",
            "row 6: column from: \"25.10.2026\" is no date in the mapping's patterns",
            "row 7: the row has 3 cells, the header has 6",
            "row 8: there is no source_id",
            "good",
            "row 10: field occurred_from_ms: over its bound",
        ]
    );
    let first = rows[0].as_ref().unwrap();
    let span = first.facts["occurred_to_ms"].number().unwrap() - first.facts["occurred_from_ms"].number().unwrap();
    assert_eq!(span, 25 * 3_600_000 - 1, "the day on which the clocks go back has 25 hours");
    let ninth = rows[8].as_ref().unwrap();
    assert_eq!(ninth.summary(), "two lines \"q\"");
    assert_eq!(ninth.facts["occurred_from_ms"].number(), Some(1_774_746_000_000), "02:30 is in a gap: 03:00 is taken");
    assert!(!ninth.facts.contains_key("deaths"));
}

#[test]
fn codes_lists_and_cuts() {
    let mut mapping = small(
        r#","tlp":{"code":{"column":"t","codes":{"red":"RED","none":null},"unknown":"omit"}},
        "classifications":{"list":{"columns":["a","b"],"separators":[";"],"codes":{"1":"ops:queue"},
        "unknown":{"prefix":"x:"}}},"lat_e7":{"degrees":{"column":"a","invalid":"omit"}}"#,
    );
    mapping.cut_when_too_long = vec!["summary".into()];
    let long = "é".repeat(200);
    let rows = read(&mapping, format!("id,what,t,a,b\n1,{long},blue,1;2;1,2\n2,x,none,2,\n3,x,red,Ü!,\n"));
    let first = rows[0].as_ref().unwrap();
    assert_eq!(first.facts["classifications"].to_string(), "ops:queue, x:2");
    assert_eq!(first.summary().len(), 299);
    assert!(first.summary().ends_with("é…"));
    assert_eq!(first.notes.len(), 3, "{:?}", first.notes);
    let second = rows[1].as_ref().unwrap();
    assert_eq!(second.notes, ["lat_e7 is left out, because there is no lon_e7"]);
    assert!(!second.facts.contains_key("tlp"));
    assert!(rows[2].as_ref().unwrap_err().contains("does not know"), "{:?}", rows[2]);
}

#[test]
fn encodings() {
    let mut mapping = small("");
    let table = b"id,what\n1,caf\xe9 \x93q\x94\n2,\x81\n";
    assert_eq!(
        read(&mapping, table)[0].as_ref().unwrap_err(),
        "row 1: column what is no text of the encoding that the mapping names"
    );
    mapping.encoding = Encoding::Windows1252;
    let rows = read(&mapping, table);
    assert_eq!(rows[0].as_ref().unwrap().summary(), "café “q”");
    assert!(rows[1].is_err());
}

#[test]
fn sizes_are_bounded() {
    let mapping = small("");
    let cell = format!("id,what\n1,{}\n2,x\n", "x".repeat(MAX_CELL + 1));
    let rows = read(&mapping, cell);
    assert!(rows[0].as_ref().unwrap_err().contains("more than 32768 bytes"));
    assert!(rows[1].is_ok(), "the next row is read");
    // A quotation mark that is never closed: reading stops within the bound, however long the file.
    let endless = std::io::Read::chain(&b"id,what\n1,\"x"[..], std::io::repeat(b'x'));
    let rows: Vec<_> = Rows::open(endless, &mapping).unwrap().collect();
    assert_eq!(rows, [Err(Refused { row: 1, reason: Reason::RowSize })]);
    let header = std::io::Read::chain(&b"id,\"what"[..], std::io::repeat(b'x'));
    assert!(matches!(Rows::open(header, &mapping), Err(OpenError::Header(_))));
    let wide = vec!["a"; MAX_COLUMNS + 1].join(",");
    assert!(matches!(Rows::open(wide.as_bytes(), &mapping), Err(OpenError::Header(_))));
}

#[test]
fn headers_fit_the_mapping() {
    let mapping = small("");
    let open = |table: &'static str| Rows::open(table.as_bytes(), &mapping).err();
    assert_eq!(open("id,title\n"), Some(OpenError::Column("what".into())));
    assert_eq!(open("id,what,id\n"), Some(OpenError::Twice("id".into())));
    assert!(matches!(open(""), Some(OpenError::Header(_))));
    assert_eq!(open(" id , what \n"), None);
}

#[test]
fn mappings_are_checked() {
    let base = r#"{"version":1,"name":"m","fields":{"source_id":{"column":"id"},"summary":{"column":"s"},
        "category":{"constant":"ops:queue"},"EXTRA"}}"#;
    let with = |extra: &str| Mapping::parse(base.replace("\"EXTRA\"", extra).as_bytes());
    let nested = |depth: usize| {
        let mut value = r#"{"constant":"x"}"#.to_owned();
        for _ in 0..depth {
            value = format!(r#"{{"choose":{{"column":"c","when":{{"1":{value}}}}}}}"#);
        }
        with(&format!("\"place\":{value}"))
    };
    assert!(with(r#""place":{"template":"{a}[ {b}]"}"#).is_ok());
    assert!(nested(4).is_ok());
    assert!(nested(5).is_err());
    for bad in [
        r#""vote_choice":{"column":"v"}"#,
        r#""place":{"template":"{a"}"#,
        r#""place":{"constant":3}"#,
        r#""deaths":{"column":"d"}"#,
        r#""deaths":{"constant":"3"}"#,
        r#""severity":{"thresholds":{"column":"d","steps":[{"at_least":2,"value":1},{"at_least":1,"value":2}]}}"#,
        r#""severity":{"thresholds":{"column":"d","steps":[]}}"#,
        r#""occurred_from_ms":{"date":{"column":"d","formats":["%Q"],"zone":"UTC"}}"#,
        r#""occurred_from_ms":{"date":{"column":"d","formats":[],"zone":"UTC"}}"#,
        r#""occurred_from_ms":{"date":{"column":"d","formats":["%Y"],"zone":"Mars/Olympus"}}"#,
        r#""classifications":{"list":{"columns":[],"separators":[";"]}}"#,
        r#""classifications":{"list":{"columns":["c"],"unknown":{"prefix":"Bad "}}}"#,
        r#""classifications":{"list":{"columns":["c"],"codes":{"1":"two words"}}}"#,
        r#""place":{"column":"p","extra":1}"#,
        r#""place":{"guess":"p"}"#,
    ] {
        assert!(with(bad).is_err(), "{bad}");
    }
    assert_eq!(Mapping::parse(br#"{"version":1,"name":"m","fields":{}}"#), Err(MappingError::Required("source_id")));
    assert_eq!(Mapping::parse(&vec![b' '; MAX_MAPPING + 1]), Err(MappingError::Size));
    let mapping = deco();
    let text = serde_json::to_string(&mapping).unwrap();
    assert_eq!(Mapping::parse(text.as_bytes()).as_ref(), Ok(&mapping), "a mapping round-trips");
    assert!(schemars::schema_for!(Mapping).as_object().is_some());
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: proptest::test_runner::RngSeed::Fixed(0xdec0), failure_persistence: None, ..Default::default()
    })]

    #[test]
    fn any_bytes_can_be_read(tail in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mapping = small(r#","lat_e7":{"degrees":{"column":"n","invalid":"omit"}},"deaths":{"number":{"column":"n"}}"#);
        let table = [b"id,what,n\n".as_slice(), &tail].concat();
        for row in Rows::open(table.as_slice(), &mapping).unwrap().flatten() {
            prop_assert!(logbook::field::check(&row.facts).is_ok());
        }
    }
}
