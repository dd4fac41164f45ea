//! Stolen keys, clones and restored images: chains that fork, and entries sealed twice.

use logbook::Status;
use logbook::roster::Cut;
use logbook::status::chain_marks;
use seal::Link;

use crate::world::*;

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
