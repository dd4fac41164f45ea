//! Very many entries, made to cost as much as they can.

use std::sync::Arc;
use std::time::{Duration, Instant};

use logbook::{Record, Status};
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

#[test]
fn thousands_of_strangers_cost_no_more_than_their_number() {
    let mut play = Play::new();
    let seen = play.fold();
    let mut made = play.world.make(COMMANDER, &seen, note("who am I"));
    made.link.roster = RosterHash([77; 32]);
    let started = Instant::now();
    let mut cited = vec![play.all[0].id];
    for n in 0..3000u64 {
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
    let made = started.elapsed();
    let record = Record::fold(
        play.world.record,
        play.all.iter().cloned(),
        &logbook::Ground { roster: &play.world.roster, marks: &Default::default() },
    );
    assert_eq!(record.entries().len(), 3001);
    assert_eq!(record.heads(), [play.all[0].id]);
    assert!(started.elapsed() - made < PATIENCE);
}
