//! Very many entries, made to cost as much as they can.

use std::sync::Arc;
use std::time::{Duration, Instant};

use logbook::action::{Action, Grant, IncidentState, Share, StateChange, Unshare};
use logbook::record_state::Audience;
use logbook::status::ChainMarks;
use logbook::{Record, Role, Status};
use seal::header::MAX_HEADS;
use seal::{Opened, RosterHash};

use crate::world::*;

/// Far above what any of this takes on a slow machine, far below what a quadratic fold would.
const PATIENCE: Duration = Duration::from_secs(60);

/// Entries of a device that all stand beside each other on the creation.
fn beside(play: &mut Play, who: usize, count: usize) -> Vec<Arc<Opened>> {
    let seen = play.world.fold(&play.all[..1]);
    let made: Vec<Arc<Opened>> = (0..count)
        .map(|n| {
            let mut made = play.world.make(who, &seen, note(&format!("beside {n}")));
            made.header.number = n as u64 + 1;
            play.world.seal(who, &made)
        })
        .collect();
    play.all.extend(made.clone());
    made
}

#[test]
fn no_crowd_of_heads_makes_an_entry_that_nobody_can_read() {
    let mut play = Play::new();
    let honest = play.state(COMMANDER, note("honest"));
    beside(&mut play, POLICE, MAX_HEADS + 50);
    let record = play.fold();
    assert_eq!(record.heads().len(), MAX_HEADS);
    assert!(record.heads().contains(&honest.id), "one device crowds out another");
    let next = play.state(DESK, note("goes on"));
    assert_eq!(play.status(&next).0, Status::Valid);
    let after = play.state(DESK, note("and takes the rest in"));
    assert!(play.fold().heads().len() < 10);
    assert_eq!(play.status(&after).0, Status::Valid);
}

/// What counts is cited before what is deeper: a thief with the key hides nothing of the device's own.
#[test]
fn a_crowd_of_deep_heads_in_quarantine_hides_no_shallow_one_that_counts() {
    let mut play = Play::new();
    let first = play.fold();
    let honest = play.state_having_seen(COMMANDER, &first, note("honest"));
    let aside = play.state_having_seen(DESK, &first, note("aside"));
    let seen = play.world.fold(&[play.all[0].clone(), aside]);
    for n in 0..MAX_HEADS as u64 + 40 {
        let mut made = play.world.make(COMMANDER, &seen, note(&format!("deeper {n}")));
        made.header.number = n + 2;
        let deeper = play.world.seal(COMMANDER, &made);
        assert!(deeper.header.depth > honest.header.depth);
        play.all.push(deeper);
    }
    let record = play.fold();
    let counting = record.entries().iter().filter(|entry| entry.status.counts()).count();
    assert_eq!((counting, record.all_heads().len()), (3, MAX_HEADS + 41));
    assert!(record.heads().contains(&honest.id));
    let next = play.state(DESK, note("goes on"));
    assert!(next.header.heads.contains(&honest.id));
    assert_eq!(play.status(&next).0, Status::Valid);
}

/// A deep chain of entries, each by another device that nobody knows.
fn strangers(play: &mut Play, count: u64) {
    let seen = play.fold();
    let mut made = play.world.make(COMMANDER, &seen, note("who am I"));
    made.link.roster = RosterHash([77; 32]);
    let mut cited = vec![play.all[0].id];
    for n in 0..count {
        let key = seal::SigningKey::from_seed(&seal::hash::tagged("stranger", &[&n.to_be_bytes()]));
        let device = Device { key, ..play.world.devices[COMMANDER].clone() };
        made.link.device = device.key.device_id();
        made.header.depth = n + 2;
        made.header.heads = cited.iter().rev().take(MAX_HEADS).copied().collect();
        made.header.heads.sort();
        play.world.devices.push(device);
        let opened = play.world.sign(play.world.devices.len() - 1, &made);
        play.world.devices.pop();
        cited.push(opened.id);
        play.all.push(opened);
    }
}

#[test]
fn thousands_of_strangers_cost_no_more_than_their_number() {
    let mut play = Play::new();
    strangers(&mut play, 1500);
    let started = Instant::now();
    let record = Record::fold(
        play.world.record,
        play.all.iter().cloned(),
        &logbook::Ground { roster: &play.world.roster, marks: &Default::default() },
    );
    assert_eq!(record.entries().len(), 1501);
    assert_eq!(record.heads(), [play.all[0].id]);
    assert!(started.elapsed() < PATIENCE);
}

#[test]
fn deep_strangers_make_nobody_elses_entry_dear() {
    let mut play = Play::new();
    let honest: Vec<Arc<Opened>> = (0..300).map(|n| play.state(DESK, note(&format!("{n}")))).collect();
    let mut crowded = Play { world: play.world.clone(), all: vec![play.all[0].clone()] };
    strangers(&mut crowded, 600);
    let marks = crowded.world.marks();
    let ground = logbook::Ground { roster: &crowded.world.roster, marks: &marks };
    let mut record = Record::fold(crowded.world.record, crowded.all.iter().cloned(), &ground);
    let started = Instant::now();
    honest.iter().for_each(|opened| record.add(opened.clone(), &ground));
    let one_by_one = started.elapsed();
    let whole = crowded.all.iter().chain(&honest).cloned().collect::<Vec<_>>();
    let started = Instant::now();
    let folded = crowded.world.fold(&whole);
    // Folding everything once costs more than adding the honest ones to what is there.
    assert!(one_by_one < 20 * started.elapsed(), "{one_by_one:?}");
    assert_eq!(logbook::digest::digest(&record), logbook::digest::digest(&folded));
}

/// Steps of a flow that never saw each other: as many as there are devices.
#[test]
fn a_crowd_of_devices_that_step_beside_each_other_is_folded() {
    let mut play = Play::new();
    let seed = |n: u64| seal::SigningKey::from_seed(&seal::hash::tagged("crowd", &[&n.to_be_bytes()]));
    let first = play.world.devices.len();
    for n in 0..60u64 {
        let who = play.world.enrol("emb", seed(n), &[Role::Desk]);
        assert_eq!(who, first + n as usize);
    }
    let mut alone: Vec<Record> = vec![play.fold(); 60];
    let started = Instant::now();
    for round in 0..10 {
        for (n, seen) in alone.iter_mut().enumerate() {
            let to = if round % 2 == 0 { IncidentState::InProgress } else { IncidentState::Contained };
            let action = Action::State(StateChange { to, reason: None });
            let opened = play.state_having_seen(first + n, seen, action);
            let ground = logbook::Ground { roster: &play.world.roster, marks: &Default::default() };
            seen.add(opened, &ground);
        }
    }
    let record = play.fold();
    assert_eq!(record.state().incident.current().count(), 60);
    assert!(record.entries().iter().all(|entry| entry.status == Status::Valid && entry.why.is_none()));
    assert!(started.elapsed() < PATIENCE);
}

/// A desk gives and takes the record over and over: what is asked of the audience stays cheap.
#[test]
fn sharing_and_unsharing_without_end_is_folded() {
    let mut play = Play::new();
    let started = Instant::now();
    let mut record = play.fold();
    let marks = ChainMarks::default();
    for _ in 0..150 {
        let grants: Vec<Grant> = (0..250).map(|n| grant_of("police", n)).collect();
        let agencies = vec![id("police")];
        for action in [Action::Share(Share { grants }), Action::Unshare(Unshare { agencies, devices: Vec::new() })] {
            let opened = play.state_having_seen(DESK, &record, action);
            record.add(opened, &logbook::Ground { roster: &play.world.roster, marks: &marks });
        }
    }
    assert!(!record.state().audience().contains(&Audience::Agency(id("police"))));
    let last = play.state_having_seen(DESK, &record, Action::Share(Share { grants: vec![grant("police")] }));
    record.add(last, &logbook::Ground { roster: &play.world.roster, marks: &marks });
    assert!(record.state().audience().contains(&Audience::Agency(id("police"))));
    assert_eq!(record.state().grants().filter(|held| held.to == grant("police").to).count(), 1);
    assert!(started.elapsed() < PATIENCE);
}
