//! Reports: several people write one text at once; signatures carry it whole.

use logbook::action::{Action, Capacity, RecordKind, Sign, Write};
use logbook::written::{Text, UnknownBase};
use logbook::{Record, Status};

use crate::world::*;

/// A change made on the text as it is in this record.
fn write(on: &Record, at: u32, delete: u32, insert: &str) -> Action {
    let (section, base) = ("situation".to_owned(), merged(on).tips());
    Action::Write(Write { section, base, at, delete, insert: insert.into() })
}

fn merged(record: &Record) -> Text {
    Text::of(record.state().writes.get("situation").map(Vec::as_slice).unwrap_or_default()).unwrap()
}

fn text(record: &Record) -> String {
    merged(record).read()
}

struct Report {
    world: World,
    all: Vec<std::sync::Arc<seal::Opened>>,
}

impl Report {
    fn new() -> Self {
        let mut world = World::new();
        world.adopt(DESK);
        let set = fields([("summary", "Night".into())]);
        let create = world.create(RecordKind::SituationReport, set, vec![grant("emb"), grant("police")]);
        let empty = Record::new(world.record);
        let all = vec![world.state(DESK, &empty, create)];
        Self { world, all }
    }
    fn now(&self) -> Record {
        self.world.fold(&self.all)
    }
    fn states(&mut self, who: usize, seen: &Record, action: Action) -> Status {
        let opened = self.world.state(who, seen, action);
        self.all.push(opened.clone());
        self.now().entry(&opened.id).unwrap().status
    }
}

#[test]
fn what_two_people_write_at_once_is_both_in_the_text_in_any_order() {
    let mut report = Report::new();
    let seen = report.now();
    report.states(DESK, &seen, write(&seen, 0, 0, "Quiet."));
    // Both go on from here, and neither sees the other for a while.
    let apart = report.now();
    let (mut ours, mut theirs) = (report.all.clone(), report.all.clone());
    for (n, word) in ["Box ", "destroyed. "].into_iter().enumerate() {
        let seen = report.world.fold(&ours);
        ours.push(report.world.state(DESK, &seen, write(&seen, if n == 0 { 0 } else { 4 }, 0, word)));
        let seen = report.world.fold(&theirs);
        let end = text(&seen).chars().count() as u32;
        theirs.push(report.world.state(POLICE, &seen, write(&seen, end, 0, " Police moved.")));
    }
    assert_eq!(text(&apart), "Quiet.");
    ours.extend(theirs.into_iter().skip(report.all.len()));
    let whole = report.world.fold(&ours);
    assert!(whole.entries().iter().all(|entry| entry.status == Status::Valid));
    assert_eq!(text(&whole), "Box destroyed. Quiet. Police moved. Police moved.");
    for shuffle in 0..8 {
        let again = report.world.fold_shuffled(&ours, shuffle, 3);
        assert_eq!(text(&again), text(&whole));
        assert_eq!(logbook::digest::digest(&again), logbook::digest::digest(&whole));
    }
}

#[test]
fn a_change_is_made_on_what_was_on_screen_whatever_came_meanwhile() {
    let mut report = Report::new();
    let seen = report.now();
    report.states(DESK, &seen, write(&seen, 0, 0, "Station 421 closed."));
    let screen = report.now();
    report.states(POLICE, &screen, write(&screen, 0, 0, "At 20:41: "));
    let now = report.now();
    let made = merged(&now).changed("situation", &merged(&screen).tips(), "Station 421 closed. Opened again.");
    let write = made.unwrap().unwrap();
    assert_eq!((write.at, write.delete, write.insert.as_str()), (19, 0, " Opened again."));
    report.states(DESK, &now, Action::Write(write));
    assert_eq!(text(&report.now()), "At 20:41: Station 421 closed. Opened again.");
    let unknown = [seal::EntryId([7; 32])];
    assert_eq!(merged(&now).changed("situation", &unknown, "x"), Err(UnknownBase));
    let tips = merged(&now).tips();
    assert_eq!(merged(&now).changed("situation", &tips, &text(&now)), Ok(None));
}

#[test]
fn a_change_beyond_the_text_is_at_its_end_and_takes_out_what_is_there() {
    let mut report = Report::new();
    for (at, delete, insert) in [(99, 99, "a"), (1, 0, "bc"), (2, 4_000_000_000, ""), (u32::MAX, u32::MAX, "d")] {
        let seen = report.now();
        assert_eq!(report.states(DESK, &seen, write(&seen, at, delete, insert)), Status::Valid);
    }
    assert_eq!(text(&report.now()), "abd");
}

#[test]
fn a_base_that_its_author_had_not_seen_counts_for_nothing() {
    let mut report = Report::new();
    let seen = report.now();
    report.states(DESK, &seen, write(&seen, 0, 0, "Unseen."));
    let (section, base) = ("situation".to_owned(), merged(&report.now()).tips());
    let blind = Action::Write(Write { section, base, at: 7, delete: 0, insert: "Blind.".into() });
    // It names the change, and cites only what was there before.
    assert_eq!(report.states(POLICE, &seen, blind), Status::Valid);
    let read = text(&report.now());
    assert!(read.contains("Unseen.") && read.contains("Blind."), "{read}");
    assert_eq!(merged(&report.now()).tips().len(), 2);
}

#[test]
fn only_a_desk_that_reads_a_report_writes_in_it_and_only_its_owner_signs() {
    let mut report = Report::new();
    let sign = || {
        let sections = [("situation".to_owned(), "Quiet.".to_owned())].into();
        Action::Sign(Sign { capacity: Capacity::TakenOver, sections })
    };
    let seen = report.now();
    assert_eq!(report.states(POLICE, &seen, write(&seen, 0, 0, "x")), Status::Valid);
    let x = write(&seen, 0, 0, "x");
    for (who, action) in [(COURT, x.clone()), (FIELD, x), (POLICE, sign()), (FIELD, sign())] {
        let seen = report.now();
        assert_eq!(report.states(who, &seen, action), Status::NotAuthorised);
    }
    let seen = report.now();
    assert_eq!(report.states(DESK, &seen, sign()), Status::Valid);
    let record = report.now();
    assert_eq!(record.state().signatures.len(), 1);
    assert_eq!(record.state().signatures[0].0.sections["situation"], "Quiet.");
    // An incident has no text and is not signed.
    let mut play = Play::new();
    for who in [DESK, COMMANDER] {
        let seen = play.fold();
        let action = if who == DESK { write(&seen, 0, 0, "x") } else { sign() };
        let opened = play.world.state(who, &seen, action);
        play.all.push(opened.clone());
        assert_eq!(play.status(&opened).0, Status::NotAuthorised);
    }
}
