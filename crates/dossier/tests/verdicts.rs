//! What the verifier says of real dossiers, whole, incomplete, redacted and forged.

#[path = "support/forge.rs"]
mod forge;
#[path = "support/story.rs"]
mod story;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dossier::archive::{Tree, open_sealed, write_sealed, write_tar};
use dossier::{Original, Outcome, Redact, SourceRecord, Verdict, export, verify};
use forge::Forge;
use logbook::Action;
use seal::Identity;
use story::Story;

/// Payload files by path.
type Payload = BTreeMap<String, Vec<u8>>;

fn place() -> (tempfile::TempDir, PathBuf) {
    let temp = tempfile::tempdir().expect("temporary folder");
    let out = temp.path().join("dossier");
    (temp, out)
}

fn files(root: &Path) -> Vec<String> {
    Tree::open(root).expect("a folder").files().map(|(path, _)| path.to_string()).collect()
}

fn is(verdict: &Verdict, outcome: Outcome) {
    assert_eq!(verdict.verdict, outcome, "{}", verdict.text());
}

#[test]
fn whole_and_unchanged() {
    let (_temp, out) = place();
    let story = Story::new();
    let exported = story.export(&out);
    assert_eq!((exported.entries, exported.exhibits, exported.gaps.len()), (story.entries.len(), 2, 0));
    let verdict = verify(&out, &story.trust());
    is(&verdict, Outcome::Intact);
    assert_eq!((verdict.entries, verdict.devices, verdict.agencies, verdict.exhibits), (8, 2, 2, 2));
    assert_eq!(verdict.as_of.as_deref(), Some("2025-12-06T05:46:40Z"));
    assert_eq!(verdict.disputes.len(), 1);
    assert!(
        verdict.quarantined.is_empty() && verdict.not_authorised.is_empty() && verdict.notes.is_empty(),
        "{}",
        verdict.text()
    );
    // The link that the record holds, and the part that the exporter named.
    assert_eq!(verdict.elsewhere.len(), 2);
    assert!(verdict.text().starts_with("INTACT\n"));
    let json = serde_json::to_value(&verdict).expect("JSON");
    assert_eq!(json["verdict"], "INTACT");
    for key in ["as_of", "entries", "devices", "agencies", "exhibits", "gaps", "elsewhere", "quarantined", "problems"] {
        assert!(json.get(key).is_some(), "{key}");
    }
}

#[test]
fn the_same_source_gives_the_same_bytes() {
    let story = Story::new();
    let ((_a, one), (_b, two)) = (place(), place());
    assert_eq!(story.export(&one).sha256, story.export(&two).sha256);
    assert_eq!(files(&one), files(&two));
    for name in files(&one) {
        assert_eq!(fs::read(one.join(&name)).ok(), fs::read(two.join(&name)).ok(), "{name}");
    }
}

#[test]
fn a_place_that_is_taken_is_left_alone() {
    let (temp, out) = place();
    let story = Story::new();
    fs::create_dir(&out).expect("a folder");
    story.export(&out);
    let before = files(&out);
    assert!(export(story.source(), &out).is_err());
    assert_eq!(before, files(&out));
    let mut source = story.source();
    let entry = *story.files.keys().next().expect("an exhibit");
    source.exhibits.insert(entry, Original::Here(Box::new(std::io::Cursor::new(b"other".to_vec()))));
    let other = temp.path().join("other");
    assert!(export(source, &other).is_err(), "an exhibit that is not what was acquired");
    let left: Vec<_> = fs::read_dir(temp.path()).expect("readable").collect();
    assert_eq!(left.len(), 1, "a failed export left something behind");
}

#[test]
fn a_tar_and_a_sealed_tar() {
    let (temp, out) = place();
    let story = Story::new();
    story.export(&out);
    let tree = Tree::open(&out).expect("a folder");
    let packed = temp.path().join("dossier.tar");
    write_tar(&tree, "dossier", &mut fs::File::create(&packed).expect("a file")).expect("a tar");
    is(&verify(&packed, &story.trust()), Outcome::Intact);
    let court = Identity::generate();
    let mut sealed = Vec::new();
    write_sealed(&tree, "dossier", &[court.recipient()], &mut sealed).expect("sealed");
    let file = temp.path().join("dossier.age");
    fs::write(&file, &sealed).expect("a file");
    let verdict = verify(&file, &story.trust());
    is(&verdict, Outcome::Unreadable);
    assert!(verdict.problems[0].what.contains("age"));
    let opened = temp.path().join("opened.tar");
    assert!(open_sealed(sealed.as_slice(), &[&Identity::generate()], &opened).is_err());
    assert!(open_sealed(&sealed[..sealed.len() - 1], &[&court], &opened).is_err());
    assert!(!opened.exists(), "a cut ciphertext left a plaintext");
    open_sealed(sealed.as_slice(), &[&court], &opened).expect("opened");
    is(&verify(&opened, &story.trust()), Outcome::Intact);
}

#[test]
fn gaps_are_told_and_leave_the_rest_intact() {
    let mut story = Story::new();
    story.write_elsewhere();
    story.write_elsewhere();
    let (_temp, out) = place();
    story.export(&out);
    let verdict = verify(&out, &story.trust());
    is(&verdict, Outcome::Intact);
    assert_eq!(verdict.other_links, 2);
    // A link that never reached the exporter.
    let emb = story.emb.key.device_id();
    let lost = story.links.iter().rposition(|(link, _)| link.device == emb).expect("a link") - 1;
    let (_temp, out) = place();
    let mut source = story.source();
    source.links.remove(lost);
    let exported = export(source, &out).expect("an export");
    assert_eq!(exported.gaps.len(), 1);
    let verdict = verify(&out, &story.trust());
    is(&verdict, Outcome::WithGaps);
    assert_eq!(verdict.gaps, exported.gaps);
    // An entry that others cite, and an exhibit that has not arrived.
    let (_temp, out) = place();
    let mut source = story.source();
    source.records[0].entries.remove(1);
    source.exhibits = BTreeMap::new();
    export(source, &out).expect("an export");
    let verdict = verify(&out, &story.trust());
    is(&verdict, Outcome::WithGaps);
    assert!(verdict.gaps.iter().any(|gap| gap.what.contains("cite")), "{:?}", verdict.gaps);
    assert_eq!(verdict.gaps.iter().filter(|gap| gap.what.contains("exhibit")).count(), 2);
}

#[test]
fn a_redacted_copy_verifies_and_reveals_nothing() {
    let story = Story::new();
    let (_temp, out) = place();
    let mut source = story.source();
    let fields = BTreeSet::from(["description".to_owned(), "text".to_owned()]);
    source.redact = Some(Redact { fields, ground: "privacy of witnesses".to_owned() });
    let entry = *story.files.keys().next().expect("an exhibit");
    source.exhibits.insert(entry, Original::Withheld("shows a face".to_owned()));
    export(source, &out).expect("an export");
    let verdict = verify(&out, &story.trust());
    is(&verdict, Outcome::Intact);
    assert_eq!((verdict.entries, verdict.exhibits, verdict.redacted), (8, 1, 5));
    assert!(verdict.elsewhere.iter().any(|left| left.ground == "privacy of witnesses"));
    for name in files(&out) {
        let bytes = fs::read(out.join(&name)).expect("a file");
        let text = String::from_utf8_lossy(&bytes);
        // Words, not digits alone: those stand in a hash by chance.
        for secret in ["masked persons", "seal 88213", "doorway", "nder review"] {
            assert!(!text.contains(secret), "{name} reveals {secret}");
        }
    }
    // The key of a withheld exhibit is withheld with it; that of the other is there.
    let redacted = fs::read_to_string(out.join("data/case/EMB-0421-0007/redacted.jsonl")).expect("a file");
    assert_eq!(redacted.matches("AGE-SECRET-KEY").count(), 1);
    assert!(redacted.contains("Ballot box destroyed"));
}

#[test]
fn the_longer_roster_judges() {
    let mut story = Story::new();
    let old_trust = story.trust();
    let (_temp, before) = place();
    story.export(&before);
    // The EMB's device is revoked after its third entry.
    story.revoke_emb(3);
    let new_trust = story.trust();
    let verdict = verify(&before, &new_trust);
    is(&verdict, Outcome::Intact);
    assert_eq!(verdict.quarantined.len(), 2, "{}", verdict.text());
    assert!(verdict.quarantined[0].revoked.as_deref().is_some_and(|text| text.contains("stolen")));
    assert!(verdict.notes.is_empty(), "{:?}", verdict.notes);
    // The other way round: the dossier knows more than the trust file.
    let (_temp, after) = place();
    story.export(&after);
    let verdict = verify(&after, &old_trust);
    is(&verdict, Outcome::Intact);
    assert_eq!(verdict.quarantined.len(), 2);
    assert_eq!(verdict.as_of.as_deref(), Some("2026-02-02T02:40:00Z"));
    assert!(fs::read_to_string(after.join("data/case/report.html")).expect("a file").contains("stolen"));
}

#[test]
fn two_histories_judge_nothing() {
    let story = Story::new();
    let (mut one, mut two) = (story.clone(), story.clone());
    one.revoke_emb(1);
    two.revoke_emb(2);
    let (_temp, out) = place();
    one.export(&out);
    is(&verify(&out, &one.trust()), Outcome::Intact);
    is(&verify(&out, &story.trust()), Outcome::Intact);
    let verdict = verify(&out, &two.trust());
    is(&verdict, Outcome::NotIntact);
    assert!(verdict.problems.iter().any(|problem| problem.what.contains("two histories")));
    // Another operation under the same names.
    is(&verify(&out, &Story::new().trust()), Outcome::NotIntact);
}

#[test]
fn a_revoked_exporter_is_not_believed() {
    let mut story = Story::new();
    let (_temp, out) = place();
    let mut source = story.source();
    source.exporter = &story.emb.key;
    export(source, &out).expect("an export");
    is(&verify(&out, &story.trust()), Outcome::Intact);
    story.revoke_emb(4);
    let verdict = verify(&out, &story.trust());
    is(&verdict, Outcome::NotIntact);
    assert!(verdict.problems.iter().any(|problem| problem.what.contains("revoked")));
}

#[test]
fn an_exporter_cannot_change_what_others_wrote() {
    let story = Story::new();
    // One entry's words, under the author's signature.
    let mut forged = (*story.entries[1]).clone();
    let text = String::from_utf8(forged.entry.clone()).expect("JSON").replace("20:55", "20:15");
    forged.entry = text.into_bytes();
    let (_temp, out) = place();
    let mut source = story.source();
    source.records[0].entries[1] = std::sync::Arc::new(forged);
    // Others cite it, so it is not left out; and then it is seen that these are not its author's words.
    let exported = export(source, &out).expect("an export");
    assert_eq!(exported.entries, story.entries.len());
    is(&verify(&out, &story.trust()), Outcome::NotIntact);
    // A stranger's device, admitted by nobody.
    let (_temp, out) = place();
    let stranger = seal::SigningKey::from_seed(&[77; 32]);
    let mut source = story.source();
    source.exporter = &stranger;
    assert!(export(source, &out).is_err());
}

#[test]
fn entries_without_the_right_to_state_them_are_told_apart() {
    let mut story = Story::new();
    // The court does not own the record and may not move it.
    let change = serde_json::from_str::<Action>(r#"{"state":{"to":"closed"}}"#).expect("an action");
    story.write(false, change);
    let (_temp, out) = place();
    story.export(&out);
    let verdict = verify(&out, &story.trust());
    is(&verdict, Outcome::Intact);
    assert_eq!(verdict.not_authorised.len(), 1, "{}", verdict.text());
}

#[test]
fn a_forked_chain_is_quarantined_from_the_fork_on() {
    let mut story = Story::new();
    // The EMB's last entry, and another link in its place; a link elsewhere goes on from there.
    let last = story.entries.iter().rev().find(|opened| opened.link.device == story.emb.key.device_id());
    let last = last.expect("an entry").clone();
    let other = seal::Link { body: [8; 32], ..last.link };
    story.links.push((other, other.sign(&story.emb.key)));
    story.write_elsewhere();
    let (_temp, out) = place();
    story.export(&out);
    let verdict = verify(&out, &story.trust());
    is(&verdict, Outcome::Intact);
    assert_eq!((verdict.other_links, verdict.quarantined.len()), (2, 1));
    assert_eq!(verdict.quarantined[0].entry, last.id.to_string());
}

#[test]
fn nothing_in_the_report_is_active() {
    let story = Story::new();
    let (_temp, out) = place();
    story.export(&out);
    let html = fs::read_to_string(out.join("data/case/report.html")).expect("a file");
    assert!(
        !html.contains("<script") && !html.contains("<b>") && !html.contains("http://") && !html.contains("https://")
    );
    assert!(html.contains("default-src 'none'") && html.contains("&lt;script&gt;"));
    let first_heading = html.find("<h2>").expect("a heading");
    assert!(html[first_heading..].starts_with("<h2><bdi>What is missing"));
    let csv = fs::read_to_string(out.join("data/timeline.csv")).expect("a file");
    assert_eq!(csv.lines().count(), 9);
}

/// The commands of README.txt, as they stand there.
#[test]
fn the_commands_in_the_readme_work() {
    let story = Story::new();
    let (_temp, out) = place();
    story.export(&out);
    for text in ["README.txt", "LISEZMOI.txt"] {
        let readme = fs::read_to_string(out.join("data").join(text)).expect("a file");
        let joined = readme.replace("\\\n", " ");
        let commands: Vec<&str> = joined
            .lines()
            .map(str::trim)
            .filter(|line| ["sha256sum ", "sha512sum ", "ssh-keygen "].iter().any(|tool| line.starts_with(tool)))
            .collect();
        assert_eq!(commands.len(), 6, "{commands:?}");
        for command in commands {
            let status = Command::new("sh")
                .args(["-c", command])
                .current_dir(&out)
                .stdout(Stdio::null())
                .status()
                .expect("a shell");
            assert!(status.success(), "{command}");
        }
    }
}

/// As the acceptance does: a bit in every byte of the signatures, random bits elsewhere, each file dropped.
#[test]
fn tampering_with_a_real_dossier() {
    let story = Story::new();
    let (_temp, out) = place();
    story.export(&out);
    let trust = story.trust();
    let detected = |out: &Path| matches!(verify(out, &trust).verdict, Outcome::NotIntact | Outcome::Unreadable);
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).expect("small")
    };
    for name in files(&out) {
        let place = out.join(&name);
        let bytes = fs::read(&place).expect("a file");
        let spots: Vec<usize> = if name.starts_with("signatures/") {
            (0..bytes.len()).collect()
        } else {
            (0..12.min(bytes.len())).map(|_| random(bytes.len())).collect()
        };
        for at in spots {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << random(8);
            fs::write(&place, &changed).expect("a file");
            assert!(detected(&out), "{name}, byte {at}");
        }
        fs::remove_file(&place).expect("a file");
        assert!(detected(&out), "{name} dropped");
        fs::write(&place, &bytes).expect("a file");
    }
    for name in
        ["data/case/added.json", "data/case/EMB-0421-0007/added.json", "data/evidence/added", "signatures/a.sig"]
    {
        fs::write(out.join(name), "{}").expect("a file");
        assert!(detected(&out), "{name}");
        fs::remove_file(out.join(name)).expect("a file");
    }
    is(&verify(&out, &trust), Outcome::Intact);
}

/// Whoever holds a valid device key can sign any bag; what is inside must still hold together.
#[test]
fn a_signed_bag_with_a_foreign_file_or_statement() {
    let story = Story::new();
    let resign = |change: &dyn Fn(&mut Payload)| {
        let mut forge = Forge::new(&story);
        change(&mut forge.files);
        forge.verify(&story)
    };
    is(&resign(&|_| {}), Outcome::Intact);
    let added = resign(&|payload| {
        payload.insert("data/case/hidden.json".to_owned(), b"{}".to_vec());
    });
    is(&added, Outcome::NotIntact);
    let dropped = resign(&|payload| {
        let list = payload.get_mut("data/case/EMB-0421-0007/envelopes.jsonl").expect("the list");
        let text = String::from_utf8(list.clone()).expect("JSON");
        let kept: Vec<&str> = text.lines().take(text.lines().count() - 1).collect();
        *list = format!("{}\n", kept.join("\n")).into_bytes();
        let last = text.lines().last().expect("a line");
        let file: serde_json::Value = serde_json::from_str(last).expect("JSON");
        payload.remove(&format!("data/case/EMB-0421-0007/{}", file["file"].as_str().expect("a name")));
    });
    is(&dropped, Outcome::NotIntact);
    let words = resign(&|payload| {
        let entry = payload.iter_mut().find(|(name, _)| name.contains("/00002-")).expect("an entry").1;
        *entry = String::from_utf8(entry.clone()).expect("JSON").replace("20:55", "20:15").into_bytes();
    });
    is(&words, Outcome::NotIntact);
    assert!(words.problems.iter().any(|problem| problem.what.contains("signed")), "{:?}", words.problems);
    let report = resign(&|payload| {
        let html = payload.get_mut("data/case/report.html").expect("the report");
        *html = String::from_utf8_lossy(html).replace("acid", "water").into_bytes();
    });
    is(&report, Outcome::Intact);
    assert!(report.notes.iter().any(|note| note.contains("report.html")), "a report that says other than the entries");
    let evidence = resign(&|payload| {
        let original = payload.iter_mut().find(|(name, _)| name.contains("/original.jpg")).expect("an original").1;
        original[7] ^= 1;
    });
    is(&evidence, Outcome::NotIntact);
}

#[test]
fn junk_is_a_verdict_too() {
    let story = Story::new();
    let (temp, out) = place();
    story.export(&out);
    is(&verify(&temp.path().join("absent"), &story.trust()), Outcome::Unreadable);
    is(&verify(&out, b"{}"), Outcome::Unreadable);
    is(&verify(&out, &[0xff; 100]), Outcome::Unreadable);
    is(&verify(temp.path(), &story.trust()), Outcome::Unreadable);
    let mut newer = String::from_utf8(story.trust()).expect("JSON");
    newer = newer.replacen("\"v\": 1", "\"v\": 2", 1);
    assert!(verify(&out, newer.as_bytes()).problems[0].what.contains("newer"));
}

#[test]
fn two_records_with_one_reference() {
    let story = Story::new();
    let second = story.second_record();
    let (_temp, out) = place();
    let mut source = second.source();
    source.records.insert(0, SourceRecord { id: story.record, entries: story.entries.clone() });
    let exported = export(source, &out).expect("an export");
    assert_eq!(exported.entries, 9);
    let verdict = verify(&out, &story.trust());
    is(&verdict, Outcome::Intact);
    assert_eq!(verdict.records, ["EMB-0421-0007", "EMB-0421-0007"]);
    // One record twice is a contradiction.
    let (_temp, out) = place();
    let mut source = story.source();
    source.records.push(SourceRecord { id: story.record, entries: story.entries.clone() });
    assert!(export(source, &out).is_err());
}
