//! What scripts rely on: members of the JSON documents, exit statuses, what is said of a wrong call.

mod support;

use support::{Operation, answer, intact, names};

#[test]
fn members_of_what_is_written() {
    let o = Operation::practice();
    let made =
        o.run("emb", &["incident", "log", "--category", "ops:x", "--summary", "Queue"]).has("id reference entry");
    let r = made["reference"].as_str().expect("a reference").to_owned();
    // Several values after one flag.
    o.run("emb", &["incident", "amend", &r, "--set", "severity=3", "place=Town hall"]).has("entry");
    let shown = o
        .run("emb", &["incident", "show", &r])
        .has("id reference owner state fields disputes entries referrals exhibits audience digest");
    assert_eq!((&shown["fields"]["severity"], &shown["fields"]["place"]), (&3.into(), &"Town hall".into()));
    o.run("emb", &["share", &r, "--with", "police", "court"]).has("audience");
    std::fs::write(o.path("photo.jpg"), b"photo").expect("writable");
    let hashes = "exhibit sha256 sha512 size";
    let exhibit = o.run("emb", &["exhibit", "add", &r, &o.at("photo.jpg")]).has(hashes);
    let id = exhibit["exhibit"].as_str().expect("an id").to_owned();
    o.run("emb", &["exhibit", "get", &r, &id, "--out", &o.at("new/photo.jpg")]).has(hashes);
    let given = o.run("emb", &["exhibit", "transfer", &r, &id, "--to", "police"]).has(hashes);
    assert_eq!(given["sha512"], exhibit["sha512"]);
    o.carry("emb", "police", "police");
    let taken = o.run("police", &["exhibit", "receive", &r, &id, "--remark", "bag 12"]).has(hashes);
    assert_eq!(taken["sha256"], exhibit["sha256"]);
}

#[test]
fn stations_come_in_are_found_and_fall_silent() {
    let o = Operation::practice();
    let list = "\u{feff}code;name;area;lat;lon;expected_by\r\n0421;Rue Chevreul;Lyon;45,7;4,8;opening 07:00\r\n0733;École;Metz;;;\r\n;No code;;;;\r\n";
    std::fs::write(o.path("stations.csv"), list).expect("writable");
    let day = ["station", "import", &o.at("stations.csv"), "--day", "2026-06-07"];
    let report = o.run("police", &day).has("created updated same refused skipped total day");
    assert_eq!((&report["created"], &report["refused"], &report["total"]), (&2.into(), &1.into(), &2.into()));
    assert_eq!(report["skipped"][0]["reason"], "there is no code");
    assert_eq!(o.run("police", &day).has("same")["same"], 2);
    let found = o.run("police", &["station", "list", "--search", "ecole"]).has("total items");
    assert_eq!((&found["total"], &found["items"][0]["code"]), (&1.into(), &"0733".into()));
    let silent = ["station", "silent", "--at", "2026-06-07T08:00:00+02:00"];
    let late = o.run("police", &silent).has("stations expected total since items");
    assert_eq!((&late["total"], &late["items"][0]["expected"]), (&1.into(), &"opening 07:00".into()));
    let early = o.run("police", &["station", "silent", "--at", "2026-06-07T05:00:00+02:00"]).has("total");
    assert_eq!(early["total"], 0);
    assert_eq!(o.run("emb", &["station", "list", "--limit", "1"]).has("total")["total"], 120);
    assert!(o.run("police", &["station", "silent", "--at", "soon"]).refused(2).contains("RFC 3339"));
    std::fs::write(o.path("other.csv"), "a,b\n1,2\n").expect("writable");
    assert!(o.run("police", &["station", "import", &o.at("other.csv")]).refused(2).contains("no column code"));
    let told = [
        "incident",
        "log",
        "--category",
        "ops:x",
        "--summary",
        "S",
        "--reporter",
        "OBS 4",
        "--channel",
        "radio",
        "--reliability",
        "b",
    ];
    let made = o.run("emb", &told).has("reference");
    let reference = made["reference"].as_str().expect("a reference");
    let shown = o.run("emb", &["incident", "show", reference]).has("reporter fields");
    assert_eq!((&shown["reporter"], &shown["fields"]["channel"]), (&"OBS 4".into(), &"radio".into()));
}

#[test]
fn every_step_of_a_complaint_says_how_it_stands() {
    let o = Operation::practice();
    let two: Vec<String> = ["A", "B"].map(|summary| log(&o, summary)).to_vec();
    o.run("emb", &["share", &two[0], "--with", "court"]).has("audience");
    o.run("emb", &["share", &two[1], "--with", "court"]).has("audience");
    o.carry("emb", "court", "court");
    let members = "id reference docket state incidents due";
    let file = ["complaint", "file", "--subject", "election-day", "--summary", "S", "--incident", &two[0], &two[1]];
    let filed = o.run("court", &file).has(members);
    assert_eq!(filed["incidents"].as_array().map(Vec::len), Some(2), "{filed}");
    for member in ["rule", "at", "working", "citation"] {
        assert!(filed["due"][0][member].is_string(), "{filed}");
    }
    let docket = filed["docket"].as_str().expect("a docket number").to_owned();
    // An earlier filing date is refused; the way round it that is advised works.
    let earlier = ["complaint", "file", "--subject", "s", "--summary", "S", "--filed-at", "2026-11-24T10:00:00+01:00"];
    assert!(o.run("court", &earlier).refused(2).contains("not part of this release"));
    std::fs::write(o.path("receipt.pdf"), b"lodged at ten").expect("writable");
    let proof = ["exhibit", "add", &docket, &o.at("receipt.pdf"), "--description", "proof of lodging"];
    o.run("court", &proof).has("exhibit sha256");
    let moved = o.run("court", &["complaint", "move", &docket, "admissibility-review", "--reason", "in order"]);
    assert_eq!(moved.has(&format!("entry {members}"))["state"], "admissibility-review");
    o.run("court", &["complaint", "move", &docket, "receipted", "--reason", "back"]).refused(3);
    o.run("court", &["complaint", "link", &docket, "--incident", &two[0]]).has(&format!("entry {members}"));
    for state in ["admitted", "assigned", "evidence", "deliberation"] {
        o.run("court", &["complaint", "move", &docket, state, "--reason", "in order"]).has(members);
    }
    let decided = o.run("court", &["complaint", "decide", &docket, "--outcome", "upheld", "--reasons", "As shown."]);
    assert_eq!(decided.has(&format!("entry {members}"))["state"], "decided");
}

fn log(o: &Operation, summary: &str) -> String {
    let made = o.run("emb", &["incident", "log", "--category", "ops:x", "--summary", summary]).has("reference");
    made["reference"].as_str().expect("a reference").to_owned()
}

#[test]
fn a_wrong_call_is_said_as_every_other_error() {
    let o = Operation::practice();
    assert!(o.run("emb", &["incident", "log"]).refused(2).contains("--category"));
    o.run("emb", &["incident"]).refused(2);
    for later in [
        ["dossier", "export", "R", "--out", "D", "--redact", "summary"].as_slice(),
        &["dossier", "export", "R", "--out", "D", "--tsa", "http://stamp.example"],
        &["import", "stix", "F"],
        &["import", "misp", "F"],
        &["export", "csv"],
        &["relay", "--listen", "127.0.0.1:0", "--store", "postgres://db"],
        &["relay", "--listen", "127.0.0.1:0", "--store", "sqlite:x.db", "--blobs", "s3://bucket"],
    ] {
        let said = o.run("emb", later).refused(2);
        assert!(said.contains("not part of this release"), "{said}");
    }
    assert!(!std::path::Path::new("x.db").exists());
    // In text too, on standard error.
    let said = answer(intact().args(["export", "csv"]));
    assert!(said.code == 2 && said.errors.contains("not part of this release"), "{}", said.errors);
}

#[test]
fn what_is_missing_is_named() {
    let o = Operation::practice();
    let r = log(&o, "A");
    let gone = o.at("gone");
    for call in [
        ["exhibit", "add", &r, &gone].as_slice(),
        &["parcel", "read", &gone],
        &["parcel", "inspect", &gone],
        &["dossier", "open", &gone, "--out", &o.at("d")],
        &["roster", "enrol", &gone, "--out", &o.at("d")],
        &["join", &gone],
    ] {
        let said = o.run("emb", call).refused(4);
        assert!(said.contains(&gone), "{said}");
    }
    assert!(o.run("emb", &["share", &r, "--with", "nobody"]).refused(4).contains("institution or device"));
    let roster = o.run("emb", &["roster", "show"]).has("operation epoch threshold agencies devices");
    let own = |device: &&serde_json::Value| device["agency"] == "police";
    let police = roster["devices"].as_array().and_then(|devices| devices.iter().find(own)).expect("a police device");
    let id = police["id"].as_str().expect("an id");
    assert!(o.run("emb", &["roster", "revoke", id, "--reason", "x"]).refused(3).contains("another institution"));
}

#[test]
fn a_revocation_that_needs_a_second_administrator_says_whose() {
    let o = Operation::practice();
    let enrol = |name: &str, roles: &str| {
        let (request, welcome) = (o.at(&format!("{name}.request")), o.at(&format!("{name}.welcome")));
        let device = ["device", "request", "--agency", "court", "--operator", name, "--device", name];
        o.run(name, &[&device, ["--roles", roles, "--out", &request].as_slice()].concat()).has("device");
        let look = o.run("court", &["roster", "enrol", &request]).has("device name operator roles agency_key known");
        assert_eq!((&look["name"], &look["known"]), (&name.into(), &false.into()));
        o.run("court", &["roster", "enrol", &request, "--out", &welcome]).has("device");
        o.run(name, &["join", &welcome]).has("operation agency");
    };
    enrol("lost", "registrar");
    enrol("second", "admin,desk");
    let revoke = ["roster", "revoke", "lost", "--reason", "stolen", "--last-good", "0"];
    let said = o.run("court", &revoke).refused(3);
    assert!(said.contains("second administrator") && said.contains("second"), "{said}");
    o.run("court", &[&revoke, ["--ask", &o.at("question")].as_slice()].concat()).has("device cut");
    let asked = ["device", "approve", "--request", &o.at("question")];
    let shown = o.run("second", &asked).has("device name last_good known apart reason asked_by");
    assert_eq!((&shown["name"], &shown["reason"]), (&"lost".into(), &"stolen".into()));
    assert!(!o.path("approval").exists());
    o.run("second", &[&asked, ["--out", &o.at("approval")].as_slice()].concat()).has("device cut");
    o.run("second", &["device", "approve", "lost", "--out", &o.at("approval")]).refused(2);
    o.run("second", &["device", "approve", "lost", "--last-good", "0", "--out", &o.at("approval")]).has("device cut");
    let second = ["--second", &o.at("approval")];
    let other = ["roster", "revoke", "second", "--reason", "stolen"];
    assert!(o.run("court", &[&other, second.as_slice()].concat()).refused(3).contains("another device"));
    o.run("court", &[&revoke, second.as_slice()].concat()).has("device cut");
    let reach = o.run("court", &["device", "reach", "lost"]);
    let reach =
        reach.has("device name agency agency_key total counted items later absent entries last cut apart beyond");
    assert_eq!((&reach["agency_key"], &reach["cut"], &reach["apart"]), (&true.into(), &0.into(), &0.into()));
}

#[test]
fn without_a_name_the_vault_lies_where_the_desktop_keeps_data() {
    let o = Operation::practice();
    std::fs::create_dir_all(o.path("share/intact")).expect("writable");
    std::fs::rename(o.path("emb"), o.path("share/intact/vault")).expect("moved");
    let pass = o.path("pass");
    let list = |shared: &str| {
        let mut command = intact();
        command.env("XDG_DATA_HOME", o.path(shared)).args(["--json", "--passphrase-file"]).arg(&pass);
        answer(command.args(["incident", "list"]))
    };
    list("share").has("total items");
    list("elsewhere").refused(4);
}

#[test]
fn a_founding_that_fails_leaves_nothing_and_no_root_is_replaced() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = |name: &str| folder.path().join(name);
    std::fs::write(place("pass"), "correct horse battery staple").expect("writable");
    std::fs::write(place("other.root"), "the root of another institution").expect("writable");
    // A root that cannot be written: its folder would lie below a file.
    let found = |operation: &str, root: &str| {
        let mut command = intact();
        command.arg("--vault").arg(place("vault")).arg("--passphrase-file").arg(place("pass")).arg("--json");
        command.args(["init", "--operation-name", operation, "--agency", "emb", "--kind", "emb", "--agency-name", "E"]);
        answer(command.args(["--operator", "O", "--device", "D", "--root-out"]).arg(place(root)))
    };
    found(" ", "emb.root").refused(2);
    found("Election", "other.root").refused(3);
    assert_eq!(std::fs::read(place("other.root")).expect("there"), b"the root of another institution");
    assert_ne!(found("Election", "other.root/emb.root").code, 0);
    assert_eq!(names(folder.path()), ["other.root", "pass"]);
    found("Election", "emb.root").has("operation agency device");
    found("Election", "second.root").refused(3);
    assert_eq!(names(folder.path()), ["emb.root", "other.root", "pass", "vault"]);
}
