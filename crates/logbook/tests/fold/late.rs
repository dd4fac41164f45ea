//! What is not here yet, and what it turns out to be when it comes.

use std::sync::Arc;

use logbook::roster::{ChainAction, ChainEntry, Roles, RosterObject, SignedChainEntry};
use logbook::{Reason, Role, Status};
use seal::{EntryId, OperatorId, RosterHash, SigningKey};

use crate::world::*;

/// A device of the EMB enrolled after the rest: its place in the world.
fn newcomer(world: &mut World, seed: u8) -> ChainAction {
    let (enrol, key) = enrolment(seed, &[Role::Desk], "emb");
    let operator = OperatorId([seed; 16]);
    let prev = seal::EnvelopeId([0; 32]);
    world.devices.push(Device { key, operator, role: "desk", number: 0, prev });
    ChainAction::Enrol(enrol)
}

/// A device cites a view that does not know it, and holds the view back: until it comes, nobody can
/// tell. Whoever cited the entry meanwhile must not fall with it.
#[test]
fn a_device_that_the_view_does_not_know_freezes_no_record() {
    let mut play = Play::new();
    let enrol = newcomer(&mut play.world, 40);
    let who = play.world.devices.len() - 1;
    let mut early = play.world.clone();
    let (other, _) = enrolment(41, &[Role::Field], "emb");
    early.chain("court", ChainAction::Enrol(other));
    // A view with a head of the court's chain that nobody has yet, and without the newcomer.
    let view = early.roster.current_view().unwrap();
    let withheld = early.roster.objects();
    play.world.chain("emb", enrol);
    let mut made = play.world.make(who, &play.fold(), note("bait"));
    made.link.roster = view.hash();
    let bait = play.world.seal(who, &made);
    play.all.push(bait.clone());
    assert_eq!(play.status(&bait).0, Status::Waiting);
    let honest = play.state(DESK, note("cites the bait"));
    let next = play.state(POLICE, note("and the next"));
    assert!(honest.header.heads.contains(&bait.id));
    play.world.roster.add_all(withheld);
    assert_eq!(play.status(&bait).0, Status::Rejected);
    assert_eq!(play.status(&honest).0, Status::Valid);
    assert_ne!(play.status(&next).0, Status::Waiting);
}

/// An entry that cites what is not here is not cited: what it is cannot be told yet.
#[test]
fn an_entry_with_a_false_depth_freezes_no_record() {
    let mut play = Play::new();
    let made = play.world.make(COMMANDER, &play.fold(), note("withheld"));
    let withheld = play.world.seal(COMMANDER, &made);
    let mut with = play.all.clone();
    with.push(withheld.clone());
    let seen = play.world.fold(&with);
    let mut made = play.world.make(COMMANDER, &seen, note("bait"));
    made.header.depth += 7;
    let bait = play.world.seal(COMMANDER, &made);
    play.all.push(bait.clone());
    assert_eq!(play.status(&bait).0, Status::Waiting);
    let honest = play.state(DESK, note("goes on"));
    assert!(!honest.header.heads.contains(&bait.id));
    play.all.push(withheld);
    assert_eq!(play.status(&bait).0, Status::Rejected);
    assert_eq!(play.status(&honest).0, Status::Valid);
}

#[test]
fn a_strangers_entry_waits_and_is_cited_by_nobody() {
    let mut play = Play::new();
    newcomer(&mut play.world, 40);
    let who = play.world.devices.len() - 1;
    let mut made = play.world.make(who, &play.fold(), note("who am I"));
    made.link.roster = RosterHash([77; 32]);
    let stranger = play.world.seal(who, &made);
    play.all.push(stranger.clone());
    assert_eq!(play.status(&stranger).0, Status::Waiting);
    assert!(!play.fold().heads().contains(&stranger.id));
    // Nor is it believed for being of a later version.
    let bytes = br#"{"v":9,"salt":"AAAAAAAAAAAAAAAAAAAAAA","action":{"note":{"text":"x"}}}"#.to_vec();
    let made = play.world.make_raw(who, &play.fold(), bytes, None);
    let newer = play.world.seal(who, &made);
    play.all.push(newer.clone());
    assert_eq!(play.status(&newer).0, Status::Rejected);
    assert!(play.fold().missing().is_empty());
    assert!(play.fold().gaps().is_empty());
}

/// Two successors of one chain entry: until the root names one, what either enrols waits.
#[test]
fn what_a_contested_branch_enrols_waits_until_the_root_names_one() {
    let mut play = Play::new();
    let (one, other) = (newcomer(&mut play.world, 40), newcomer(&mut play.world, 41));
    let (first, second) = (play.world.devices.len() - 2, play.world.devices.len() - 1);
    let (mut left, mut right) = (play.world.clone(), play.world.clone());
    left.chain("emb", one);
    right.chain("emb", other);
    let mut stated = Vec::new();
    for (world, who) in [(&left, first), (&right, second)] {
        let mut made = play.world.make(who, &play.fold(), note("from a branch"));
        made.link.roster = world.view();
        stated.push(play.world.seal(who, &made));
    }
    play.all.extend(stated.clone());
    for world in [&left, &right] {
        play.world.roster.add_all(world.roster.objects());
    }
    for entry in &stated {
        let record = play.settled();
        let judged = record.entry(&entry.id).unwrap();
        assert_eq!((judged.status, judged.why.clone()), (Status::Waiting, Some(Reason::NotInEffect)));
    }
    // The root signs a successor of the left one.
    let (number, prev) = left.roster.chain_head(&id("emb"));
    let (enrol, _) = enrolment(42, &[Role::Field], "emb");
    let action = ChainAction::Enrol(enrol);
    let entry = ChainEntry { v: 1, agency: id("emb"), number: number + 1, prev, at_ms: 0, action };
    let root = SigningKey::from_seed(&[50; 32]);
    play.world.roster.add(RosterObject::Chain(SignedChainEntry::sign(&entry, &root))).unwrap();
    assert_eq!(play.status(&stated[0]).0, Status::Valid);
    assert_eq!(play.status(&stated[1]).0, Status::Rejected);
}

/// A view that goes back because a branch is contested may yet turn out not to.
#[test]
fn going_back_waits_where_what_changes_the_device_has_taken_no_effect() {
    let mut play = Play::new();
    play.state(COMMANDER, note("under what everybody holds"));
    let (one, other) = (newcomer(&mut play.world, 40), newcomer(&mut play.world, 41));
    let device = play.world.devices[COMMANDER].key.device_id();
    let roles = Roles { device, roles: vec![Role::Desk, Role::Commander], cut: None, second: None };
    let (mut left, mut right) = (play.world.clone(), play.world.clone());
    left.chain("emb", ChainAction::Roles(roles));
    left.chain("emb", one);
    right.chain("emb", other);
    // Under the left branch, and behind what its own last entry cites of the police's chain.
    let mut view = left.roster.current_view().unwrap();
    view.heads.retain(|(agency, ..)| *agency != id("police"));
    left.roster.add(RosterObject::View(view.clone())).unwrap();
    let mut made = play.world.make(COMMANDER, &play.fold(), note("back, on a branch"));
    made.link.roster = view.hash();
    let back = play.world.seal(COMMANDER, &made);
    play.all.push(back.clone());
    for world in [&left, &right] {
        play.world.roster.add_all(world.roster.objects());
    }
    let record = play.settled();
    let judged = record.entry(&back.id).unwrap();
    assert_eq!((judged.status, judged.why.clone()), (Status::Waiting, Some(Reason::NotInEffect)));
    // Where the other branch is named, there is nothing left to wait for.
    let (number, prev) = right.roster.chain_head(&id("emb"));
    let (enrol, _) = enrolment(42, &[Role::Field], "emb");
    let entry =
        ChainEntry { v: 1, agency: id("emb"), number: number + 1, prev, at_ms: 0, action: ChainAction::Enrol(enrol) };
    let root = SigningKey::from_seed(&[50; 32]);
    play.world.roster.add(RosterObject::Chain(SignedChainEntry::sign(&entry, &root))).unwrap();
    let record = play.settled();
    let judged = record.entry(&back.id).unwrap();
    assert_eq!(judged.status, Status::NotAuthorised);
    assert_eq!(judged.why.as_ref().map(Reason::code), Some("roster-went-back"));
}

#[test]
fn an_entry_judged_when_its_roster_comes_is_the_same_as_one_judged_at_once() {
    let mut play = Play::new();
    let enrol = newcomer(&mut play.world, 40);
    let who = play.world.devices.len() - 1;
    let before = play.world.clone();
    play.world.chain("emb", enrol);
    let late: Vec<Arc<seal::Opened>> = vec![play.state(who, note("from a newcomer")), play.state(DESK, note("and on"))];
    let marks = logbook::status::ChainMarks::default();
    let poor = logbook::Ground { roster: &before.roster, marks: &marks };
    let mut record = logbook::Record::fold(play.world.record, play.all.iter().cloned(), &poor);
    assert_eq!(record.waiting(), late.len());
    record.judge_again(&logbook::Ground { roster: &play.world.roster, marks: &marks });
    assert_eq!(record.waiting(), 0);
    assert_eq!(logbook::digest::digest(&record), logbook::digest::digest(&play.settled()));
    let missing: Vec<EntryId> = record.missing().into_iter().collect();
    assert!(missing.is_empty());
}
