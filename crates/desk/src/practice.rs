//! A practice operation: four institutions, five devices, a realistic election night.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use seal::{KdfCost, Passphrase};
use serde::Serialize;

use crate::complaint::Filing;
use crate::error::Result;
use crate::found::{AgencyInput, DeviceInput};
use crate::import::StationMapping;
use crate::session::Desk;
use crate::wire::LogIncident;

/// The legal clocks of the practice operation.
const RULES: &str = include_str!("practice-rules.json");
/// The polling stations of the practice operation: places that are made up, in towns that are not.
const LIST: &str = include_str!("practice-stations.csv");

/// Where the practice vaults lie.
#[derive(Debug, Clone, Serialize)]
pub struct PracticeReport {
    /// Vault folders by device.
    pub vaults: BTreeMap<String, String>,
}

/// The desks of a practice operation, all open in this process.
pub struct Practice {
    /// The election commission's operations centre.
    pub emb: Desk,
    /// The police command post.
    pub police: Desk,
    /// The CERT.
    pub cert: Desk,
    /// The court's registry.
    pub court: Desk,
    /// A field laptop of the election commission.
    pub field: Desk,
}

fn agency(root: &Path, id: &str, kind: &str, name: &str, operator: &str, device: &str) -> AgencyInput {
    AgencyInput {
        id: id.into(),
        kind: kind.into(),
        name: name.into(),
        operator: operator.into(),
        device: device.into(),
        root_out: root.join(format!("{id}.root")),
    }
}

impl Practice {
    /// Founds the operation: four institutions and a field laptop.
    pub async fn found(root: &Path, pass: &Passphrase, cost: KdfCost) -> Result<Self> {
        std::fs::create_dir_all(root)?;
        let rules = serde_json::from_str::<logbook::clock::Rules>(RULES)
            .ok()
            .and_then(|rules| serde_json::to_string(&rules).ok());
        let emb = agency(root, "emb", "emb", "Central Election Commission", "Duty Officer", "JOC 1");
        let (emb, _) =
            Desk::init_at_cost(&root.join("emb"), pass, "Practice election 2026", emb, rules, true, cost).await?;
        let mut requests = Vec::new();
        let mut asking = Vec::new();
        for (id, kind, name, operator, device) in [
            ("police", "police", "National Police", "Insp. Marchand", "K2 desk"),
            ("cert", "cert", "National CERT", "A. Okafor", "CERT 1"),
            ("court", "court", "Constitutional Court", "Registrar Lindqvist", "Registry 1"),
        ] {
            let request = root.join(format!("{id}.request"));
            let input = agency(root, id, kind, name, operator, device);
            asking.push(Desk::request_agency_at_cost(&root.join(id), pass, input, &request, cost).await?.0);
            requests.push(request);
        }
        emb.admit(&requests, &root.join("emb.root"), pass, &root.join("welcome")).await?;
        for desk in &asking {
            let welcome = root.join("welcome").join(format!("{}.welcome", desk.agency()));
            desk.join(&welcome, None).await?;
        }
        let input = DeviceInput {
            agency: "emb".into(),
            operator: "P. Officer".into(),
            device: "Field 12".into(),
            roles: vec!["field".into()],
            unit: None,
        };
        let request = root.join("field.request");
        let (field, _) = Desk::request_device_at_cost(&root.join("field"), pass, input, &request, cost).await?;
        emb.enrol(&request, &root.join("field.welcome")).await?;
        field.join(&root.join("field.welcome"), None).await?;
        for desk in asking.iter().chain([&emb, &field]) {
            desk.close_by_reference().await;
        }
        Ok(Self {
            emb: Desk::open(&root.join("emb"), pass).await?,
            police: Desk::open(&root.join("police"), pass).await?,
            cert: Desk::open(&root.join("cert"), pass).await?,
            court: Desk::open(&root.join("court"), pass).await?,
            field: Desk::open(&root.join("field"), pass).await?,
        })
    }

    /// Carries a parcel from one desk to an institution or device, through a file.
    pub async fn carry(&self, from: &Desk, to: &str, into: &Desk, folder: &Path) -> Result<()> {
        let file = folder.join(format!("{}-{to}.parcel", from.agency()));
        from.write_parcel(to, &file).await?;
        into.read_parcel(&file).await?;
        Ok(std::fs::remove_file(&file)?)
    }

    /// The desks, by name.
    pub fn all(&self) -> [(&'static str, &Desk); 5] {
        [
            ("emb", &self.emb),
            ("police", &self.police),
            ("cert", &self.cert),
            ("court", &self.court),
            ("field", &self.field),
        ]
    }
}

/// One report of the night: category, domains, severity, station, place, summary, account.
type Report = (&'static str, &'static [&'static str], i64, &'static str, &'static str, &'static str, &'static str);

/// What the operations centre hears of.
const NIGHT: &[Report] = &[
    (
        "ops:late-opening",
        &["operational"],
        2,
        "0733",
        "Metz, gymnase Saint-Symphorien",
        "Station opened 40 minutes late",
        "The key holder was stuck in traffic. Queue of about 60 people, calm. Voting began 08:40.",
    ),
    (
        "rsit:availability.ddos",
        &["cyber"],
        4,
        "",
        "National",
        "Results site under DDoS, 40 Gbit/s",
        "The public results site answers one request in nine. The transmission network is separate and unaffected.",
    ),
    (
        "act:intimidation",
        &["physical"],
        2,
        "0098",
        "Lille, école Jules Ferry",
        "Threats shouted at presiding officer",
        "One person shouted threats for two minutes and left when the second officer came out. Voting not interrupted.",
    ),
    (
        "ops:missing-ballots",
        &["operational"],
        2,
        "0562",
        "Brest, mairie annexe",
        "Voter list printed without page 14",
        "Names from K to L are missing. A replacement was requested from the prefecture at 10:20.",
    ),
    (
        "ops:suspension",
        &["operational"],
        3,
        "1180",
        "Nîmes, salle des fêtes",
        "Vote suspended: power out, no generator",
        "Power failed at 20:03 in the whole street. 412 voters on the list have not voted. Ballot box sealed, seal 71124.",
    ),
    (
        "info:false-time-place-manner",
        &["information"],
        3,
        "",
        "National",
        "False closing time spread as an official notice",
        "A picture with the commission's logo says that stations close at 18:00. Seen in four regions since 15:10.",
    ),
    (
        "rsit:fraud.phishing",
        &["cyber"],
        2,
        "",
        "Two parties",
        "Phishing against party staff mailboxes",
        "Two parties report the same mail with a fake sign-in page. Indicators are held by the CERT.",
    ),
    (
        "ops:observer-denied",
        &["operational"],
        2,
        "0733",
        "Metz, gymnase Saint-Symphorien",
        "Observer refused entry to the count",
        "An accredited observer was turned away at 20:10; admitted at 20:31 after a call.",
    ),
    (
        "act:property-damage",
        &["physical"],
        1,
        "0410",
        "Lyon 3e, école Paul Bert",
        "Window broken behind the station",
        "A stone broke a window in the yard. Nobody hurt, nothing taken, voting went on.",
    ),
    (
        "rsit:intrusion-attempts.brute-force",
        &["cyber"],
        2,
        "",
        "Regional server",
        "Password guessing against the registration system",
        "Some 2,000 attempts an hour from 90 addresses, all refused. Rate limit set at 13:45.",
    ),
];

/// Where the stations of the night are, in degrees.
const STATIONS: &[(&str, f64, f64)] = &[
    ("0098", 50.6293, 3.0571),
    ("0410", 45.7538, 4.8557),
    ("0421", 45.7496, 4.8455),
    ("0562", 48.3904, -4.4861),
    ("0733", 49.1072, 6.1661),
    ("1180", 43.8367, 4.3601),
];

/// Plays the night into the desks.
pub async fn night(practice: &Practice, root: &Path) -> Result<()> {
    let mut references = Vec::new();
    for (category, domains, severity, station, place, summary, description) in NIGHT {
        let desk = if category.starts_with("rsit:") { &practice.cert } else { &practice.emb };
        let logged = desk.log(report(category, domains, *severity, station, place, summary, description)).await?;
        references.push(logged.reference);
    }
    let field = practice
        .field
        .log(report(
            "ops:box-tampering",
            &["physical", "operational"],
            4,
            "0421",
            "12 rue Chevreul, Lyon 7e",
            "Ballot box destroyed with acid",
            "Two masked persons came in at 20:38, poured liquid from a bottle into box 2 and left on foot towards the \
             river. About 40 ballots were in it. I have closed the room and kept the box as it is.",
        ))
        .await?;
    let photo: Vec<u8> = (0..120_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let photo = [b"\xff\xd8\xff\xe0".as_slice(), &photo].concat();
    practice
        .field
        .add_exhibit(
            &field.reference,
            "doorway.jpg",
            Some("Photo from the doorway".into()),
            std::io::Cursor::new(photo),
        )
        .await?;
    practice.field.note(&field.reference, "Box replaced at 20:55, seal 88213.").await?;
    practice.carry(&practice.field, "emb", &practice.emb, root).await?;
    work_the_night(practice, &field.reference, &references, root).await
}

async fn work_the_night(practice: &Practice, ballot_box: &str, references: &[String], root: &Path) -> Result<()> {
    let Practice { emb, police, cert, court, .. } = practice;
    emb.refer(ballot_box, "police", "respond", Some("5m"), None).await?;
    cert.share(&references[1], &["emb".to_owned()]).await?;
    for other in ["police", "cert", "court"] {
        let into = if other == "police" {
            police
        } else if other == "cert" {
            cert
        } else {
            court
        };
        practice.carry(emb, other, into, root).await?;
    }
    practice.carry(cert, "emb", emb, root).await?;
    let inbox = police.referrals(true, false).await?;
    for item in &inbox.items {
        police.answer(&item.id, "accepted", None, None).await?;
    }
    police.note(ballot_box, "Car K2 on site 20:49. Two witnesses heard.").await?;
    emb.amend(ballot_box, vec![("interrupted_min".into(), "17".into())], false).await?;
    police.amend(ballot_box, vec![("perpetrator".into(), "two persons, masked".into())], false).await?;
    emb.amend(ballot_box, vec![("perpetrator".into(), "unknown".into())], false).await?;
    practice.carry(police, "emb", emb, root).await?;
    practice.carry(emb, "police", police, root).await?;
    emb.move_incident(&references[0], "closed", Some("Opened; voting hours extended by the district.".into())).await?;
    emb.move_incident(&references[4], "in-progress", None).await?;
    emb.refer(&references[5], "cert", "investigate", Some("4h"), Some("Where does the picture come from?".into()))
        .await?;
    emb.assign(&references[4], "Duty Officer").await?;
    let filing = Filing {
        subject: "election-day".into(),
        summary: "Vote halted at station 0421".into(),
        complainant: None,
        challenges: None,
        remedy: Some("annul-station".into()),
        incidents: Vec::new(),
    };
    court.file_complaint(filing).await?;
    Ok(())
}

fn report(
    category: &str,
    domains: &[&str],
    severity: i64,
    station: &str,
    place: &str,
    summary: &str,
    description: &str,
) -> LogIncident {
    let at = STATIONS.iter().find(|(number, ..)| *number == station).map(|(_, lat, lon)| (*lat, *lon));
    LogIncident {
        category: category.into(),
        domains: domains.iter().map(|domain| (*domain).to_owned()).collect(),
        summary: summary.into(),
        description: Some(description.into()),
        station: Some(station.to_owned()).filter(|station| !station.is_empty()),
        place: Some(place.into()),
        lat: at.map(|(lat, _)| lat),
        lon: at.map(|(_, lon)| lon),
        occurred: None,
        severity: Some(severity),
        people: None,
        hazards: None,
        services: None,
        tlp: None,
        reporter: None,
        channel: None,
        source: None,
        source_reliability: None,
    }
}

/// Makes a practice operation in `out`, for the window.
pub async fn make(out: &Path, pass: &Passphrase) -> Result<PracticeReport> {
    let practice = Practice::found(out, pass, KdfCost::DRILL).await?;
    night(&practice, out).await?;
    for desk in [&practice.emb, &practice.field] {
        let list = LIST.as_bytes();
        desk.take_stations(list, &StationMapping::default(), None, std::sync::Arc::new(|_, _| {})).await?;
    }
    let mut vaults = BTreeMap::new();
    for (name, desk) in practice.all() {
        vaults.insert(name.to_owned(), PathBuf::from(desk.dir()).display().to_string());
        desk.close_by_reference().await;
    }
    Ok(PracticeReport { vaults })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::StationRows;

    #[test]
    fn the_list_of_stations_is_whole_and_has_those_of_the_night() {
        let rows = StationRows::open(LIST.as_bytes(), &StationMapping::default()).unwrap();
        let stations: Vec<vault::Station> = rows.map(|row| row.unwrap()).collect();
        assert_eq!(stations.len(), 120);
        for (code, lat, lon) in STATIONS {
            let station = stations.iter().find(|station| station.code == *code).unwrap();
            let degrees = |e7: i64| e7 as f64 / 1e7;
            assert_eq!(station.at_e7.map(|(lat, lon)| (degrees(lat), degrees(lon))), Some((*lat, *lon)), "{code}");
        }
        for (_, _, _, code, place, ..) in NIGHT.iter().filter(|(_, _, _, code, ..)| !code.is_empty()) {
            let station = stations.iter().find(|station| station.code == *code).unwrap();
            assert_eq!(*place, format!("{}, {}", station.area, station.name), "{code}");
        }
        let expected = stations.iter().filter(|station| !station.hours.is_empty()).count();
        assert_eq!(expected, 15, "six of the night, and nine that are silent");
    }
}
