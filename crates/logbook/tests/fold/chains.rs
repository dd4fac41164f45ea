//! Stolen keys, clones and restored images: chains that fork, and entries sealed twice.

use std::sync::Arc;

use logbook::digest::digest;
use logbook::roster::{ChainAction, Cut};
use logbook::status::{ChainMarks, chain_marks};
use logbook::{Role, Status};
use proptest::prelude::*;
use seal::{EnvelopeId, Link, Opened};

use crate::world::*;

#[test]
fn a_forked_chain_is_marked_from_the_fork_on() {
    let mut play = Play::new();
    let mut links: Vec<Link> = (0..3).map(|n| play.state(COMMANDER, note(&format!("{n}"))).link).collect();
    assert_eq!(chain_marks(&links, &play.world.roster), ChainMarks::default());
    links.push(Link { body: [1; 32], ..links[1] });
    let marks = chain_marks(&links, &play.world.roster);
    assert_eq!(marks.forked, links[1..].iter().map(Link::id).collect());
}

/// A second link at the number of a cut, whose own link is not here, is a fork.
#[test]
fn the_head_of_a_cut_counts_as_known_where_its_link_is_absent() {
    let mut play = Play::new();
    play.state(DESK, note("grant"));
    let seen = play.fold();
    let honest = play.world.state(FIELD, &seen, note("honest, and not here"));
    let link = Link { body: [7; 32], ..honest.link };
    play.world.revoke(FIELD, Some(Cut { number: honest.link.number, head: honest.envelope }));
    let marks = chain_marks(&[link], &play.world.roster);
    assert!(marks.forked.contains(&link.id()));
    assert!(!chain_marks(&[honest.link], &play.world.roster).forked.contains(&honest.envelope));
}

/// The same, where nobody marked the chain: the fold holds the cut against the entry itself.
#[test]
fn an_entry_in_the_place_of_a_cuts_head_is_quarantined() {
    let mut play = Play::new();
    let seen = play.fold();
    let made = play.world.make(COMMANDER, &seen, note("honest, and not here"));
    let honest = play.world.sign(COMMANDER, &made);
    let made = play.world.make(COMMANDER, &seen, note("by the thief, in its place"));
    let forged = play.world.sign(COMMANDER, &made);
    play.world.links.clear();
    play.all.push(forged.clone());
    assert_eq!(play.status(&forged).0, Status::Valid);
    play.world.revoke(COMMANDER, Some(Cut { number: honest.link.number, head: honest.envelope }));
    assert_eq!(play.status(&forged).0, Status::Quarantined);
    play.all.push(honest.clone());
    assert_eq!(play.status(&honest).0, Status::Valid);
}

/// Three notes of a commander, cut after the second.
fn cut_after_two() -> (Play, Vec<Arc<Opened>>) {
    let mut play = Play::new();
    let notes: Vec<Arc<Opened>> = (0..3).map(|n| play.state(COMMANDER, note(&format!("note {n}")))).collect();
    let cut = Cut { number: notes[1].link.number, head: notes[1].envelope };
    play.world.revoke(COMMANDER, Some(cut));
    (play, notes)
}

#[test]
fn a_thief_cannot_seal_an_entry_again_below_the_cut() {
    let (mut play, notes) = cut_after_two();
    let below = play.world.seal_again(COMMANDER, &notes[2], 2, notes[0].envelope);
    play.all.push(below);
    assert_eq!(play.status(&notes[2]).0, Status::Quarantined);
}

#[test]
fn a_thief_cannot_seal_an_honest_entry_again_and_so_take_it_away() {
    let (mut play, notes) = cut_after_two();
    // Lower than where it stands: the copy forks the chain, and must not displace the original.
    let lower = play.world.seal_again(COMMANDER, &notes[1], 1, EnvelopeId([0; 32]));
    // And beyond the cut.
    let above = play.world.seal_again(COMMANDER, &notes[0], 9, notes[2].envelope);
    play.all.extend([lower, above]);
    let record = play.settled();
    for honest in &notes[..2] {
        let held = record.entry(&honest.id).unwrap();
        assert_eq!((held.status, held.opened.envelope), (Status::Valid, honest.envelope));
    }
    assert_eq!(record.state().notes.len(), 2);
}

#[test]
fn a_cut_that_comes_later_finds_the_envelope_that_it_prefers() {
    let mut play = Play::new();
    let notes: Vec<Arc<Opened>> = (0..3).map(|n| play.state(COMMANDER, note(&format!("note {n}")))).collect();
    let lower = play.world.seal_again(COMMANDER, &notes[1], 1, EnvelopeId([0; 32]));
    play.all.push(lower);
    let mut record = play.fold();
    play.world.revoke(COMMANDER, Some(Cut { number: 2, head: notes[1].envelope }));
    let marks = play.world.marks();
    record.judge_again(&logbook::Ground { roster: &play.world.roster, marks: &marks });
    let held = record.entry(&notes[1].id).unwrap();
    assert_eq!((held.status, held.opened.envelope), (Status::Valid, notes[1].envelope));
    assert_eq!(logbook::digest::digest(&record), logbook::digest::digest(&play.settled()));
}

/// One entry that goes back to an older roster is not a step from which the next may go on.
#[test]
fn going_back_is_measured_from_the_newest_roster_of_the_chain() {
    let mut play = Play::new();
    let old = play.world.view();
    let (enrol, _) = enrolment(30, &[Role::Field], "emb");
    play.world.chain("emb", ChainAction::Enrol(enrol));
    play.state(COMMANDER, note("under the newer roster"));
    for _ in 0..3 {
        let seen = play.fold();
        let mut made = play.world.make(COMMANDER, &seen, note("under the older one"));
        made.link.roster = old;
        let back = play.world.seal(COMMANDER, &made);
        play.all.push(back.clone());
        assert_eq!(play.status(&back).0, Status::NotAuthorised);
    }
    // Nor does it help to leave a number out, so that the predecessor is not known.
    let seen = play.fold();
    let mut made = play.world.make(COMMANDER, &seen, note("after a gap"));
    (made.link.roster, made.link.number, made.link.prev) = (old, made.link.number + 5, EnvelopeId([8; 32]));
    let back = play.world.seal(COMMANDER, &made);
    play.all.push(back.clone());
    assert_eq!(play.status(&back).0, Status::NotAuthorised);
    let now = play.state(COMMANDER, note("under the newer roster again"));
    assert_eq!(play.status(&now).0, Status::Valid);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn entries_sealed_again_anywhere_give_one_record_in_any_order(
        again in proptest::collection::vec((0usize..5, 1u64..9, any::<bool>()), 1..8),
        cut in 1usize..5,
        shuffle in any::<u64>(),
        parts in 1usize..6,
    ) {
        let mut play = Play::new();
        let notes: Vec<Arc<Opened>> = (0..5).map(|n| play.state(COMMANDER, note(&format!("note {n}")))).collect();
        for (which, number, known) in again {
            let prev = match number {
                1 => EnvelopeId([0; 32]),
                n if known => notes[(n as usize - 2).min(4)].envelope,
                _ => EnvelopeId([number as u8; 32]),
            };
            let copy = play.world.seal_again(COMMANDER, &notes[which], number, prev);
            play.all.push(copy);
        }
        let (whole, other) = (play.fold(), play.world.fold_shuffled(&play.all, shuffle, parts));
        prop_assert_eq!(digest(&whole), digest(&other));
        let head = &notes[cut - 1];
        play.world.revoke(COMMANDER, Some(Cut { number: head.link.number, head: head.envelope }));
        let (whole, other) = (play.fold(), play.world.fold_shuffled(&play.all, shuffle, parts));
        prop_assert_eq!(digest(&whole), digest(&other));
        for (at, original) in notes.iter().enumerate() {
            let held = whole.entry(&original.id).unwrap();
            if at < cut {
                prop_assert_eq!((held.status, held.opened.envelope), (Status::Valid, original.envelope));
            } else {
                prop_assert_eq!(held.status, Status::Quarantined);
            }
        }
    }
}
