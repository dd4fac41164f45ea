//! Entries of one device that had not seen each other: clones, and devices that lie about their past.

use std::sync::Arc;

use logbook::action::RecordKind;
use logbook::roster::Cut;
use logbook::{FieldValue, Status};
use seal::Opened;

use crate::world::*;

/// Two clones of a device each set a field under one number; a colleague who saw only one of them
/// sets it too. Whichever branch the cut names, nothing is overwritten unseen.
fn clones(named: usize) -> (Play, [Arc<Opened>; 2], Arc<Opened>) {
    let mut play = Play::new();
    play.state(COMMANDER, note("before the image was taken"));
    let seen = play.fold();
    let clone = play.world.devices[COMMANDER].clone();
    let one = play.state_having_seen(COMMANDER, &seen, amend([("station", "one".into())]));
    play.world.devices[COMMANDER] = clone;
    let after_one = play.world.fold(&play.all);
    let other = play.state_having_seen(COMMANDER, &seen, amend([("station", "two".into())]));
    assert_eq!((one.header.number, one.link.number), (other.header.number, other.link.number));
    let colleague = play.state_having_seen(DESK, &after_one, amend([("station", "colleague".into())]));
    let branches = [one, other];
    let head = &branches[named];
    play.world.revoke(COMMANDER, Some(Cut { number: head.link.number, head: head.envelope }));
    (play, branches, colleague)
}

fn live(play: &Play, name: &str) -> Vec<FieldValue> {
    let record = play.settled();
    let live = record.state().fields().find(|(field, _)| *field == name).map(|(_, live)| live.to_vec());
    live.unwrap_or_default().into_iter().map(|held| held.value).collect()
}

#[test]
fn who_saw_one_clone_had_not_seen_the_other() {
    let (play, branches, _) = clones(1);
    assert_eq!(play.status(&branches[0]).0, Status::Quarantined);
    assert_eq!(play.status(&branches[1]).0, Status::Valid);
    let mut both = live(&play, "station");
    both.sort();
    assert_eq!(both, [FieldValue::from("colleague"), FieldValue::from("two")]);
}

#[test]
fn who_saw_the_clone_that_stands_replaces_what_it_saw() {
    let (play, branches, colleague) = clones(0);
    assert_eq!(play.status(&branches[0]).0, Status::Valid);
    assert_eq!(play.status(&branches[1]).0, Status::Quarantined);
    assert_eq!(play.status(&colleague).0, Status::Valid);
    assert_eq!(live(&play, "station"), [FieldValue::from("colleague")]);
}

/// One chain, and two entries in one record beside each other: the one signed first stands.
#[test]
fn of_two_entries_beside_each_other_the_one_signed_first_stands() {
    let mut play = Play::new();
    let old = play.fold();
    let mut told = Vec::new();
    for n in 0..6 {
        told.push(play.state(COMMANDER, amend([("station", format!("station {n}").into())])));
    }
    // Pretends not to have seen its own: shallow, so that it comes first in the order.
    let hidden = play.state_having_seen(COMMANDER, &old, amend([("station", "hidden".into())]));
    assert!(hidden.header.depth < told[5].header.depth);
    assert_eq!(play.status(&hidden).0, Status::Quarantined);
    for honest in &told {
        assert_eq!(play.status(honest).0, Status::Valid);
    }
    assert_eq!(live(&play, "station"), [FieldValue::from("station 5")]);
    // Whoever goes on having seen everything is no liar.
    let after = play.state(COMMANDER, note("having seen all"));
    assert_eq!(play.status(&after).0, Status::Valid);
}

#[test]
fn a_number_used_twice_in_one_line_is_rejected() {
    let mut play = Play::new();
    let first = play.state(COMMANDER, note("first"));
    let seen = play.fold();
    let mut made = play.world.make(COMMANDER, &seen, note("again under its number"));
    made.header.number = first.header.number;
    let again = play.world.seal(COMMANDER, &made);
    play.all.push(again.clone());
    assert_eq!(play.status(&again).0, Status::Rejected);
    assert_eq!(play.status(&first).0, Status::Valid);
}

/// The creating device, or who stole its key, creates the record anew until the id is lower.
#[test]
fn a_second_creation_does_not_take_the_place_of_the_first() {
    let mut play = Play::new();
    let first = play.all[0].clone();
    let empty = logbook::Record::new(play.world.record);
    let mut tries = 0;
    let second = loop {
        let set = fields([("summary", format!("another {tries}").into())]);
        let action = play.world.create(RecordKind::Incident, set, vec![grant("emb"), grant("police")]);
        let made = play.world.make(DESK, &empty, action);
        let made = play.world.sign(DESK, &made);
        if made.id < first.id {
            break made;
        }
        tries += 1;
    };
    play.world.links.retain(|link| link.number == 1 || *link == second.link);
    play.all.push(second.clone());
    assert_eq!(play.status(&first).0, Status::Valid);
    assert_ne!(play.status(&second).0, Status::Valid);
    assert_eq!(play.fold().state().text("summary"), Some("S"));
}
