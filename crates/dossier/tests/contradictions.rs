//! Dossiers that contradict themselves, rightly signed: every one is found, and named where it is.

#[path = "support/forge.rs"]
mod forge;
#[path = "support/story.rs"]
mod story;

use std::collections::BTreeSet;
use std::fs;

use dossier::layout::{self, AbsentExhibit, RosterLine};
use dossier::{Outcome, Redact, TrustFile, Verdict, verify};
use forge::{Forge, RECORD};
use logbook::Action;
use logbook::action::Note;
use logbook::roster::RosterObject;
use seal::{EntryId, Signature};
use story::{Odd, Story};

/// The fields of `bag-info.txt`.
type Info = Vec<(String, String)>;

fn is(verdict: &Verdict, outcome: Outcome) {
    assert_eq!(verdict.verdict, outcome, "{}", verdict.text());
}

/// It is NOT INTACT, and the first problem is of this file and says this.
fn names(verdict: &Verdict, path: &str, what: &str) {
    is(verdict, Outcome::NotIntact);
    let first = &verdict.problems[0];
    assert!(first.path == path && first.what.contains(what), "{}", verdict.text());
}

fn note(text: &str) -> Action {
    Action::Note(Note { text: text.into() })
}

/// Takes the original of an exhibit out.
fn without_original(forge: &mut Forge, exhibit: EntryId) {
    let folder = format!("data/evidence/{exhibit}/");
    forge.files.retain(|name, _| !name.starts_with(&folder));
}

fn absent(exhibit: EntryId, withheld: bool) -> AbsentExhibit {
    AbsentExhibit { exhibit, withheld, why: "shows a face".to_owned() }
}

#[test]
fn a_withheld_exhibit_does_not_show_its_key() {
    let story = Story::new();
    let exhibit = *story.files.keys().next().expect("an exhibit");
    let withheld = |paths: Option<&[&str]>| {
        let mut forge = Forge::new(&story);
        without_original(&mut forge, exhibit);
        forge.statement.absent_exhibits.push(absent(exhibit, true));
        if let Some(paths) = paths {
            forge.redact(&story, exhibit, paths);
        }
        forge.verify(&story)
    };
    is(&withheld(Some(&["/action/exhibit/identity"])), Outcome::Intact);
    names(&withheld(Some(&["/action/exhibit/description"])), &format!("{RECORD}/redacted.jsonl"), "key");
    let whole = withheld(None);
    is(&whole, Outcome::NotIntact);
    assert!(whole.problems[0].path.ends_with(&format!("{}.json", exhibit.short())), "{}", whole.text());
}

#[test]
fn an_exhibit_without_hashes_is_stated_to_be_absent() {
    let story = Story::new();
    let exhibit = *story.files.keys().next().expect("an exhibit");
    let mut forge = Forge::new(&story);
    forge.redact(&story, exhibit, &["/action/exhibit/identity", "/action/exhibit/sha256"]);
    // Nothing proves an original that is here all the same.
    is(&forge.verify(&story), Outcome::NotIntact);
    without_original(&mut forge, exhibit);
    is(&forge.verify(&story), Outcome::NotIntact);
    forge.statement.absent_exhibits.push(absent(exhibit, true));
    is(&forge.verify(&story), Outcome::Intact);
    // The exporter does so by itself.
    let mut source = story.source();
    let fields = BTreeSet::from(["sha256".to_owned()]);
    source.redact = Some(Redact { fields, ground: "privacy".to_owned() });
    let forge = Forge::of(source);
    assert_eq!(forge.statement.absent_exhibits.len(), 2);
    is(&forge.verify(&story), Outcome::Intact);
}

#[test]
fn no_exhibit_is_absent_that_nobody_added() {
    let story = Story::new();
    for exhibit in [EntryId([9; 32]), story.entries[1].id] {
        for withheld in [true, false] {
            let mut forge = Forge::new(&story);
            forge.statement.absent_exhibits.push(absent(exhibit, withheld));
            names(&forge.verify(&story), layout::STATEMENT, "no entry here added");
        }
    }
}

#[test]
fn a_signature_is_not_replaced_from_a_chain_file() {
    let story = Story::new();
    let mut forge = Forge::new(&story);
    let mut lines = forge.envelopes();
    let opened = story.entries.iter().find(|opened| opened.id == lines[2].entry).expect("an entry");
    lines[2].signature = Signature([1; 64]);
    forge.put_envelopes(&lines);
    let list = format!("{RECORD}/envelopes.jsonl");
    names(&forge.verify(&story), &list, "line 3: the signature");
    let file = layout::chain_file(&opened.link.device);
    forge.files.insert(file.clone(), layout::encode_links([(opened.link, opened.signature)].iter()));
    let verdict = forge.verify(&story);
    names(&verdict, &file, "here already");
    assert!(verdict.problems.iter().any(|problem| problem.path == list), "{}", verdict.text());
}

#[test]
fn a_chain_file_stands_by_number() {
    let mut story = Story::new();
    story.write_elsewhere();
    story.write_elsewhere();
    let file = layout::chain_file(&story.emb.key.device_id());
    let changed = |change: &dyn Fn(&[u8]) -> Vec<u8>| {
        let mut forge = Forge::new(&story);
        let bytes = change(&forge.files[&file]);
        forge.files.insert(file.clone(), bytes);
        forge.verify(&story)
    };
    let (one, two) = (layout::LINK_RECORD, 2 * layout::LINK_RECORD);
    is(&changed(&|bytes| bytes.to_vec()), Outcome::Intact);
    names(&changed(&|bytes| [&bytes[one..], &bytes[..one]].concat()), &file, "by number");
    names(&changed(&|bytes| [bytes, &bytes[one..two]].concat()), &file, "by number");
    names(&changed(&|_| Vec::new()), &file, "list");
    is(&changed(&|bytes| bytes[..one].to_vec()), Outcome::WithGaps);
}

#[test]
fn nothing_counts_twice() {
    let story = Story::new();
    let list = format!("{RECORD}/envelopes.jsonl");
    // One envelope in two lines, each with a file of its own.
    let mut forge = Forge::new(&story);
    let mut lines = forge.envelopes();
    let copy = layout::EnvelopeLine { file: "copy.json".to_owned(), ..lines[1].clone() };
    let bytes = forge.files[&format!("{RECORD}/{}", lines[1].file)].clone();
    forge.files.insert(format!("{RECORD}/copy.json"), bytes);
    lines.push(copy);
    forge.put_envelopes(&lines);
    forge.statement.records[0].entries += 1;
    names(&forge.verify(&story), &list, "here already");
    // Whole and redacted at once.
    let mut forge = Forge::new(&story);
    let (files, lines) = (forge.files.clone(), forge.envelopes());
    forge.redact(&story, story.entries[1].id, &["/action/note/text"]);
    let redacted = forge.redacted();
    forge.files = files;
    forge.put_envelopes(&lines);
    forge.put_redacted(&redacted);
    forge.statement.records[0].entries += 1;
    names(&forge.verify(&story), &format!("{RECORD}/redacted.jsonl"), "here whole");
    // The lists of the statement.
    let twice = |change: &dyn Fn(&mut Forge)| {
        let mut forge = Forge::new(&story);
        forge.redact(&story, story.entries[1].id, &["/action/note/text"]);
        change(&mut forge);
        names(&forge.verify(&story), layout::STATEMENT, "twice");
    };
    twice(&|forge| forge.statement.chains.extend(forge.statement.chains.clone()));
    twice(&|forge| forge.statement.redactions.extend(forge.statement.redactions.clone()));
    twice(&|forge| {
        forge.statement.absent_exhibits.extend([absent(EntryId([1; 32]), true), absent(EntryId([1; 32]), true)])
    });
}

#[test]
fn two_histories_are_told_and_nothing_may_rest_on_them() {
    let mut story = Story::new();
    let epochs = [story.successor("22"), story.successor("33")];
    let plain = Forge::new(&story);
    let mut both = story.roster.clone();
    both.add_all(epochs.iter().cloned().map(RosterObject::Epoch));
    assert!(both.epoch_fork().is_some());
    let trust = TrustFile::new(&both, 0).expect("an operation").to_json();
    let verdict = verify(&plain.write(&story), &trust);
    is(&verdict, Outcome::Intact);
    let told = verdict.notes.iter().find(|note| note.contains("two histories")).expect("it is told");
    assert!(told.contains("court, emb"), "{told}");
    // The dossier knows one of them only, and goes on from there.
    story.roster.add(RosterObject::Epoch(epochs[0].clone())).expect("an epoch");
    let view = story.roster.current_view().expect("a view");
    story.roster.add(RosterObject::View(view)).expect("a view");
    let forge = Forge::new(&story);
    is(&verify(&forge.write(&story), &story.trust()), Outcome::Intact);
    names(&verify(&forge.write(&story), &trust), layout::ROSTER, "two histories");
    // Or it has both, and an entry rests on one.
    story.write(true, note("under one of two"));
    let mut forge = Forge::new(&story);
    let mut objects = forge.objects();
    let old = Story::founded().roster.current_view().expect("a view");
    objects.push(RosterLine::Epoch(epochs[1].clone()));
    forge.put_objects(&objects);
    forge.statement.roster = old.hash();
    let verdict = verify(&forge.write(&story), &trust);
    is(&verdict, Outcome::NotIntact);
    assert!(verdict.problems.iter().any(|problem| problem.what.contains("two histories")), "{}", verdict.text());
}

#[test]
fn a_newer_trust_file_uses_all_views_of_the_dossier() {
    let mut story = Story::new();
    let before = story.roster.current_view().expect("a view").hash();
    story.enrol_another();
    story.write(false, note("under a roster that the exporter had not seen yet"));
    let mut forge = Forge::new(&story);
    let newest = |line: &RosterLine| matches!(line, RosterLine::Chain(entry) if entry.body.contains("\"number\":2"));
    let mut objects = forge.objects();
    objects.retain(|line| !newest(line));
    forge.put_objects(&objects);
    forge.statement.roster = before;
    is(&forge.verify(&story), Outcome::Intact);
}

#[test]
fn version_zero_is_malformed_and_stays_out() {
    let mut story = Story::new();
    let entry = story.write_odd(true, note("x"), Odd { v: 0, ..Odd::default() });
    let mut forge = Forge::new(&story);
    is(&forge.verify(&story), Outcome::Intact);
    forge.add_entry(&story, entry, None);
    let verdict = forge.verify(&story);
    is(&verdict, Outcome::NotIntact);
    let named = verdict.problems.iter().find(|problem| problem.what.contains("no entry has this version"));
    assert!(named.is_some_and(|problem| problem.path.contains("/99999-")), "{}", verdict.text());
    let mut later = Story::new();
    later.write_odd(true, note("x"), Odd { v: 2, ..Odd::default() });
    is(&Forge::new(&later).verify(&later), Outcome::WithGaps);
}

#[test]
fn bag_info_has_one_form_and_says_what_is_inside() {
    let story = Story::new();
    let changed = |change: &dyn Fn(&mut Info)| {
        let mut forge = Forge::new(&story);
        change(&mut forge.info);
        forge.verify(&story)
    };
    let of = |label: &'static str, value: &'static str| {
        changed(&move |info| {
            let field = info.iter_mut().find(|(name, _)| name == label).expect("a field");
            field.1 = value.to_owned();
        })
    };
    is(&of("Source-Organization", "Cour constitutionnelle é"), Outcome::Intact);
    names(&of("External-Identifier", "another operation"), "bag-info.txt", "External-Identifier");
    names(&of("Bagging-Date", "2020-01-01"), "bag-info.txt", "Bagging-Date");
    names(&changed(&|info| info.swap(0, 1)), "bag-info.txt", "fields");
    names(&changed(&|info| info.push(("Contact-Name".to_owned(), "x".to_owned()))), "bag-info.txt", "fields");
    names(&changed(&|info| drop(info.remove(0))), "bag-info.txt", "fields");
}

#[test]
fn every_line_has_one_spelling() {
    let story = Story::new();
    for (file, path) in [(layout::STATEMENT, layout::STATEMENT), ("envelopes", ""), (layout::ROSTER, layout::ROSTER)] {
        let path = if path.is_empty() { format!("{RECORD}/{file}.jsonl") } else { path.to_owned() };
        let spellings: [fn(&str) -> String; 5] = [
            |text| text.replace('\n', "\r\n"),
            |text| text.trim_end().to_owned(),
            |text| format!("{text}\n"),
            |text| text.replacen('{', "{ ", 1),
            |text| text.replacen("\":", "\" :", 1),
        ];
        for (index, spelling) in spellings.into_iter().enumerate() {
            let mut forge = Forge::new(&story);
            let text = String::from_utf8(forge.files[&path].clone()).expect("JSON");
            forge.files.insert(path.clone(), spelling(&text).into_bytes());
            let verdict = forge.verify(&story);
            is(&verdict, Outcome::NotIntact);
            assert_eq!(verdict.problems[0].path, path, "{index}: {}", verdict.text());
            assert!(verdict.problems[0].what.contains("line"), "{index}: {}", verdict.text());
        }
    }
}

#[test]
fn the_file_that_was_changed_is_named_first() {
    let story = Story::new();
    let forge = Forge::new(&story);
    let (place, trust) = (forge.write(&story), story.trust());
    let changed = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let file = place.join(name);
        let before = fs::read(&file).expect("a file");
        let mut bytes = before.clone();
        change(&mut bytes);
        fs::write(&file, &bytes).expect("a file");
        let verdict = verify(&place, &trust);
        fs::write(&file, before).expect("a file");
        verdict
    };
    names(&changed("data/README.txt", &|bytes| bytes.push(b'x')), "data/README.txt", "changed");
    let manifest = changed("manifest-sha512.txt", &|bytes| bytes[0] = if bytes[0] == b'0' { b'1' } else { b'0' });
    names(&manifest, "manifest-sha512.txt", "changed");
    let spelling = changed("bagit.txt", &|bytes| bytes.truncate(bytes.len() - 1));
    names(&spelling, "bagit.txt", "declaration");
    names(&changed("bagit.txt", &|bytes| bytes[0] = b'x'), "bagit.txt", "at byte 1");
    let signature = "signatures/tagmanifest-sha256.txt.court.sig";
    let verdict = changed(signature, &|bytes| bytes.insert(31, b'\n'));
    names(&verdict, signature, "seal.txt has another hash");
    assert!(verdict.problems.iter().any(|problem| problem.what.contains("at byte 32")), "{}", verdict.text());
    fs::remove_file(place.join("signatures/seal.txt")).expect("a file");
    names(&verify(&place, &trust), "signatures/seal.txt", "missing");
    fs::write(place.join("data/log%41"), b"x").expect("a file");
    let escaped = verify(&place, &trust);
    is(&escaped, Outcome::Unreadable);
    assert_eq!(escaped.problems[0].path, "data/log%41");
}

#[test]
fn every_problem_has_a_path() {
    let story = Story::new();
    let mut foreign = Forge::new(&story);
    foreign.statement.operation = seal::OperationId([9; 32]);
    let empty = Forge::new(&story);
    let nothing = empty.write(&story).join("absent");
    for verdict in [foreign.verify(&story), verify(&nothing, &story.trust()), verify(&nothing, b"{}")] {
        assert!(!verdict.problems.is_empty() && verdict.problems.iter().all(|problem| !problem.path.is_empty()));
    }
}

/// A device that was never enrolled can write nothing that counts; it must not be able to spoil a dossier either.
#[test]
fn a_stranger_does_not_spoil_an_export() {
    let mut story = Story::new();
    let honest = story.court.clone();
    story.court.key = seal::SigningKey::from_seed(&[77; 32]);
    story.write(false, note("by nobody"));
    story.court = honest;
    let forge = Forge::new(&story);
    assert_eq!(forge.statement.chains.len(), 2);
    is(&forge.verify(&story), Outcome::Intact);
}
