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
    for bad in [r#"{"version":2}"#, r#"{"version":1,"delimiter":"x"}"#, r#"{"version":1,"columns":{"x":"a"}}"#, "["] {
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
