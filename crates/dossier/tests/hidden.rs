//! Withholding a field must hide nothing but that field: not what the entry cites, not that it breaks a rule.

#[path = "support/forge.rs"]
mod forge;
#[path = "support/story.rs"]
mod story;

use dossier::{Outcome, Verdict};
use forge::Forge;
use logbook::Action;
use logbook::action::Note;
use seal::{EntryId, Header, RosterHash};
use story::{Odd, Story};

fn is(verdict: &Verdict, outcome: Outcome) {
    assert_eq!(verdict.verdict, outcome, "{}", verdict.text());
}

fn note(text: &str) -> Action {
    Action::Note(Note { text: text.into() })
}

/// An incident by the EMB; one entry of the court, and one of the EMB that cites it.
fn cited() -> (Story, EntryId, EntryId) {
    let mut story = Story::new();
    let hidden = story.write(false, note("the court saw the seal broken"));
    let citing = story.write(true, note("seen"));
    (story, hidden, citing)
}

/// Drops every entry of the court, so that nothing but what cites them tells that there were any.
fn without_the_court(story: &Story, forge: &mut Forge) {
    let court = story.court.key.device_id();
    for opened in story.entries.iter().filter(|opened| opened.link.device == court) {
        forge.drop_entry(opened.id);
        forge.statement.absent_exhibits.retain(|absent| absent.exhibit != opened.id);
        let folder = format!("data/evidence/{}/", opened.id);
        forge.files.retain(|name, _| !name.starts_with(&folder));
    }
    forge.statement.chains.retain(|chain| chain.device != court);
    forge.files.retain(|name, _| !name.contains(&court.to_string()));
}

#[test]
fn an_author_is_not_hidden_behind_a_redaction() {
    let (story, _, citing) = cited();
    let mut plain = Forge::new(&story);
    without_the_court(&story, &mut plain);
    is(&plain.verify(&story), Outcome::WithGaps);
    // All that cite the court's entries, with one trivial field withheld.
    let mut forge = Forge::new(&story);
    without_the_court(&story, &mut forge);
    let court = story.court.key.device_id();
    let theirs: Vec<EntryId> =
        story.entries.iter().filter(|opened| opened.link.device == court).map(|opened| opened.id).collect();
    let citing_any = story
        .entries
        .iter()
        .filter(|opened| opened.link.device != court && opened.header.heads.iter().any(|head| theirs.contains(head)));
    for opened in citing_any {
        let leaves = logbook::Entry::leaves(&opened.entry).expect("leaves");
        forge.redact(&story, opened.id, &[leaves[0].0.as_str()]);
    }
    assert!(forge.statement.redactions.iter().any(|redaction| redaction.entry == citing));
    let verdict = forge.verify(&story);
    is(&verdict, Outcome::WithGaps);
    assert!(verdict.gaps.iter().any(|gap| gap.what.contains("cite")), "{:?}", verdict.gaps);
}

#[test]
fn a_number_below_a_redacted_entry_is_missed() {
    let mut story = Story::new();
    let lost = story.write(false, note("lost"));
    let last = story.write(false, note("kept"));
    let mut forge = Forge::new(&story);
    forge.redact(&story, last, &["/action/note/text"]);
    is(&forge.verify(&story), Outcome::Intact);
    forge.drop_body(&story, lost);
    let verdict = forge.verify(&story);
    is(&verdict, Outcome::WithGaps);
    assert!(verdict.gaps.iter().any(|gap| gap.what.contains("entries by")), "{:?}", verdict.gaps);
}

#[test]
fn a_redacted_line_withholds_something() {
    let (story, _, citing) = cited();
    let mut forge = Forge::new(&story);
    forge.redact(&story, citing, &[]);
    let verdict = forge.verify(&story);
    is(&verdict, Outcome::NotIntact);
    assert!(verdict.problems.iter().any(|problem| problem.what.contains("withholds nothing")), "{}", verdict.text());
}

#[test]
fn no_stated_number_switches_the_check_of_a_chain_off() {
    let story = Story::new();
    for number in [u64::MAX, i64::MAX as u64 + 1, 0] {
        let mut forge = Forge::new(&story);
        forge.statement.chains[0].number = number;
        forge.statement.chains[0].head = seal::EnvelopeId([7; 32]);
        let verdict = forge.verify(&story);
        is(&verdict, Outcome::NotIntact);
        assert_eq!(verdict.problems[0].path, "data/case/statement.json");
    }
    // A number that could be is a gap, however large.
    let mut forge = Forge::new(&story);
    forge.statement.chains[0].number = i64::MAX as u64;
    is(&forge.verify(&story), Outcome::WithGaps);
}

/// What no honest device writes, behind a withheld text.
#[test]
fn the_rules_hold_for_redacted_entries() {
    let odd: [fn(&mut Header); 4] = [
        |header| header.depth += 3,
        |header| header.number = 1,
        |header| header.operator = seal::OperatorId([9; 16]),
        |header| header.record = seal::RecordId([9; 16]),
    ];
    for (index, header) in odd.into_iter().enumerate() {
        let mut story = Story::new();
        let entry = story.write_odd(true, note("x"), Odd { header, ..Odd::default() });
        let mut forge = Forge::new(&story);
        forge.add_entry(&story, entry, Some(&["/action/note/text"]));
        let verdict = forge.verify(&story);
        is(&verdict, Outcome::NotIntact);
        let named = verdict.problems.iter().find(|problem| problem.what.contains("no entry of this record"));
        assert!(named.is_some_and(|problem| problem.path.ends_with("redacted.jsonl")), "{index}: {}", verdict.text());
    }
    // A role that its operator did not hold is listed, as of a whole entry.
    let mut story = Story::new();
    let header: fn(&mut Header) = |header| header.role = "auditor".to_owned();
    let entry = story.write_odd(true, note("x"), Odd { header, ..Odd::default() });
    let mut forge = Forge::new(&story);
    forge.redact(&story, entry, &["/action/note/text"]);
    let verdict = forge.verify(&story);
    is(&verdict, Outcome::Intact);
    assert_eq!(verdict.not_authorised.len(), 1);
}

#[test]
fn a_roster_that_is_not_here_is_a_gap_for_redacted_entries_too() {
    let mut story = Story::new();
    let roster = Some(RosterHash([9; 32]));
    let entry = story.write_odd(true, note("x"), Odd { roster, ..Odd::default() });
    let mut forge = Forge::new(&story);
    is(&forge.verify(&story), Outcome::WithGaps);
    forge.redact(&story, entry, &["/action/note/text"]);
    is(&forge.verify(&story), Outcome::WithGaps);
    // And a redaction elsewhere in the record does not silence it.
    let mut forge = Forge::new(&story);
    forge.redact(&story, story.entries[1].id, &["/action/note/text"]);
    is(&forge.verify(&story), Outcome::WithGaps);
}

#[test]
fn what_comes_after_a_redacted_entry_is_judged() {
    let mut story = Story::new();
    let first = story.entries[1].id;
    let header: fn(&mut Header) = |header| header.depth += 3;
    let entry = story.write_odd(true, note("x"), Odd { header, ..Odd::default() });
    let mut forge = Forge::new(&story);
    forge.redact(&story, first, &["/action/note/text"]);
    let good = forge.verify(&story);
    is(&good, Outcome::Intact);
    assert!(good.notes.iter().any(|note| note.contains("come after")), "{:?}", good.notes);
    forge.add_entry(&story, entry, None);
    let verdict = forge.verify(&story);
    is(&verdict, Outcome::NotIntact);
    let named = verdict.problems.iter().find(|problem| problem.what.contains("depth"));
    assert!(named.is_some_and(|problem| problem.path.contains("/99999-")), "{}", verdict.text());
}

#[test]
fn heads_names_and_paths_are_compared_beside_a_redaction() {
    let story = Story::new();
    let (first, second) = (story.entries[0].id, story.entries[1].id);
    let changed = |change: &dyn Fn(&mut Forge)| {
        let mut forge = Forge::new(&story);
        forge.redact(&story, second, &["/action/note/text"]);
        change(&mut forge);
        forge.verify(&story)
    };
    is(&changed(&|_| {}), Outcome::Intact);
    is(&changed(&|forge| forge.statement.records[0].heads = vec![first]), Outcome::NotIntact);
    is(&changed(&|forge| forge.statement.records[0].reference = "OTHER".to_owned()), Outcome::NotIntact);
    is(
        &changed(&|forge| forge.statement.redactions[0].paths = vec!["/action/note/other".to_owned()]),
        Outcome::NotIntact,
    );
    is(&changed(&|forge| forge.statement.redactions.clear()), Outcome::NotIntact);
    // A creation that still shows its name is compared; one that withholds it is not.
    let named = |path: &str, reference: &str| {
        let mut forge = Forge::new(&story);
        forge.redact(&story, first, &[path]);
        forge.statement.records[0].reference = reference.to_owned();
        forge.verify(&story)
    };
    is(&named("/action/create/fields/summary", "EMB-0421-0007"), Outcome::Intact);
    is(&named("/action/create/fields/summary", "OTHER"), Outcome::NotIntact);
    is(&named("/action/create/reference", "OTHER"), Outcome::Intact);
}

/// Exporter and verifier say the same of what is missing, whatever is withheld.
#[test]
fn the_gaps_of_a_redacted_copy_are_those_of_the_full_one() {
    let mut story = Story::new();
    story.write_odd(true, note("x"), Odd { roster: Some(RosterHash([9; 32])), ..Odd::default() });
    let gaps = |fields: &[&str]| {
        let temp = tempfile::tempdir().expect("temporary folder");
        let out = temp.path().join("dossier");
        let mut source = story.source();
        source.records[0].entries.remove(4);
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        source.redact = Some(dossier::Redact { fields, ground: "privacy".to_owned() });
        let exported = dossier::export(source, &out).expect("an export");
        let verdict = dossier::verify(&out, &story.trust());
        is(&verdict, Outcome::WithGaps);
        assert_eq!(verdict.gaps, exported.gaps);
        verdict.gaps
    };
    let full = gaps(&[]);
    assert_eq!(full, gaps(&["text", "description"]));
    assert_eq!(full, gaps(&["summary", "set", "name", "reference"]));
}
