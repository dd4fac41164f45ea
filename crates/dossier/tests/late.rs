//! Entries that turn out to be none after others have cited them.

#[path = "support/story.rs"]
mod story;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dossier::{Outcome, Redact, Verdict, export, verify};
use logbook::Action;
use logbook::action::Note;
use story::{Odd, Story};

fn place() -> (tempfile::TempDir, PathBuf) {
    let temp = tempfile::tempdir().expect("temporary folder");
    let out = temp.path().join("dossier");
    (temp, out)
}

fn is(verdict: &Verdict, outcome: Outcome) {
    assert_eq!(verdict.verdict, outcome, "{}", verdict.text());
}

fn rejected(verdict: &Verdict) -> Vec<String> {
    verdict.rejected.iter().map(|entry| entry.entry.clone()).collect()
}

/// Exports with every note's words withheld.
fn redacted(story: &Story, out: &Path) -> Result<dossier::Exported, dossier::ExportError> {
    let mut source = story.source();
    source.redact = Some(Redact { fields: BTreeSet::from(["text".to_owned()]), ground: "privacy".to_owned() });
    export(source, out)
}

/// What was rejected only after others had cited it stays between them.
#[test]
fn an_entry_rejected_after_others_cited_it_takes_nobody_along() {
    let mut story = Story::new();
    let bait = story.write_as_a_stranger();
    let (_temp, out) = place();
    let exported = story.export(&out);
    assert_eq!((exported.entries, exported.gaps.len()), (story.entries.len(), 0));
    let told = || {
        let verdict = verify(&out, &story.trust());
        is(&verdict, Outcome::Intact);
        assert_eq!(rejected(&verdict), [bait.to_string()]);
        assert!(verdict.text().contains("never admitted"), "{}", verdict.text());
    };
    told();
    // The same with its words withheld, and with those of what cites it.
    std::fs::remove_dir_all(&out).expect("a folder");
    redacted(&story, &out).expect("an export");
    told();
    // At the end, where nothing cites it, it is no part of a dossier.
    let mut story = Story::new();
    let bait = story.write_as_a_stranger();
    let at = story.entries.iter().position(|opened| opened.id == bait).expect("the bait");
    let late = story.entries.split_off(at + 1);
    story.links.retain(|(link, _)| late.iter().all(|opened| opened.link != *link));
    let (_temp, out) = place();
    assert_eq!(story.export(&out).entries, story.entries.len() - 1);
    is(&verify(&out, &story.trust()), Outcome::Intact);
}

/// Of an entry that breaks its own commitments no part can be withheld: it is shown whole or not at all.
#[test]
fn what_is_no_entry_is_left_out_where_parts_are_withheld() {
    let note = |text: &str| Action::Note(Note { text: text.into() });
    let mut story = Story::new();
    let broken = Odd { header: |header| header.fields_root = [9; 32], ..Odd::default() };
    let broken = story.write_odd(true, note("a secret that is no entry"), broken);
    story.write(false, note("cites it"));
    let (_temp, out) = place();
    story.export(&out);
    let verdict = verify(&out, &story.trust());
    is(&verdict, Outcome::Intact);
    assert_eq!(rejected(&verdict), [broken.to_string()]);
    let (_temp, out) = place();
    redacted(&story, &out).expect("an export");
    let verdict = verify(&out, &story.trust());
    is(&verdict, Outcome::WithGaps);
    assert!(verdict.rejected.is_empty());
    let names = dossier::archive::Tree::open(&out).expect("a folder");
    for (name, _) in names.files() {
        let bytes = std::fs::read(out.join(name.to_string())).expect("a file");
        assert!(!String::from_utf8_lossy(&bytes).contains("no entry"), "{name} reveals it");
    }
}

/// What newer software may read is not left out unseen: uncited, at the end, nobody would miss it.
#[test]
fn no_redacted_copy_leaves_out_what_newer_software_may_read() {
    let note = |text: &str| Action::Note(Note { text: text.into() });
    for cited in [false, true] {
        let mut story = Story::new();
        let newer = story.write_odd(true, note("from the future"), Odd { v: 2, ..Odd::default() });
        if cited {
            story.write(false, note("cites it"));
        }
        let (_temp, out) = place();
        story.export(&out);
        let verdict = verify(&out, &story.trust());
        is(&verdict, Outcome::WithGaps);
        assert!(verdict.text().contains(&newer.short().to_string()), "{}", verdict.text());
        let (_temp, out) = place();
        let refused = redacted(&story, &out).expect_err("a part of it cannot be withheld");
        assert!(refused.to_string().contains("newer software"), "{refused}");
        assert!(!out.exists(), "nothing is left of it");
    }
}
