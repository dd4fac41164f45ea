//! Honest and hostile entries at random: one set of envelopes is one record, and nothing panics.

use std::sync::Arc;

use logbook::action::{Action, Amend, Ask, IncidentState, Refer, Share, StateChange, Unshare};
use logbook::digest::digest;
use logbook::document::heads_agree;
use logbook::roster::Cut;
use logbook::{Ground, Record, Role, Status};
use proptest::prelude::*;
use seal::{EnvelopeId, Opened, RosterHash, SigningKey};

use crate::world::*;

/// Who acts, what is stated, how it is bent, how much of what is there its author has seen.
type Step = (usize, u8, u8, usize);

fn action(what: u8, seen: &Record) -> Action {
    let text = |n: u8| format!("{n}");
    match what % 9 {
        0 => note(&text(what)),
        1 => amend([("severity", i64::from(what % 4 + 1).into())]),
        2 => {
            let live = seen.state().disputes().flat_map(|(_, live)| live.iter().map(|held| held.mark.entry));
            Action::Amend(Amend { set: fields([("severity", 2.into())]), settles: live.take(9).collect() })
        }
        3 => Action::State(StateChange { to: IncidentState::Closed, reason: None }),
        4 => Action::State(StateChange { to: IncidentState::InProgress, reason: None }),
        5 => Action::Share(Share { grants: vec![grant("police"), grant("court")] }),
        6 => Action::Unshare(Unshare { agencies: vec![id("police")], devices: Vec::new() }),
        7 => Action::Refer(Refer {
            to: id("police"),
            ask: Ask::Respond,
            respond_by_ms: None,
            text: None,
            grants: vec![grant("police")],
        }),
        _ => amend([("tlp", ["RED", "GREEN", "AMBER+STRICT"][usize::from(what) % 3].into())]),
    }
}

fn play(steps: &[Step]) -> Play {
    let mut play = Play::new();
    for (who, what, bend, seen) in steps {
        let who = who % 8;
        let seen = play.world.fold(&play.all[..1 + seen % play.all.len()]);
        let mut made = play.world.make(who, &seen, action(*what, &seen));
        let clone = play.world.devices[who].clone();
        match bend % 12 {
            0 => made.header.depth += 1,
            1 => made.header.number = 1 + u64::from(bend % 3),
            2 => made.link.roster = RosterHash([*bend; 32]),
            3 => (made.link.number, made.link.prev) = (made.link.number + 3, EnvelopeId([*bend; 32])),
            4 => made.header.fields_root = [*bend; 32],
            5 => made.header.heads.push(seal::EntryId([0xff; 32])),
            _ => {}
        }
        let opened = play.world.seal(who, &made);
        play.all.push(opened.clone());
        match bend % 12 {
            6 => play.world.devices[who] = clone,
            7 => {
                let number = 1 + u64::from(bend % 5);
                let prev = if number == 1 { [0; 32] } else { [*bend; 32] };
                let again = play.world.seal_again(who, &opened, number, EnvelopeId(prev));
                play.all.push(again);
            }
            _ => {}
        }
    }
    play
}

fn one_record(play: &Play, shuffle: u64, parts: usize) -> Result<Record, TestCaseError> {
    let whole = play.fold();
    prop_assert_eq!(digest(&whole), digest(&play.world.fold_shuffled(&play.all, shuffle, parts)));
    prop_assert_eq!(digest(&whole), digest(&play.world.fold_shuffled(&play.all, shuffle, play.all.len())));
    let marks = play.world.marks();
    let ground = Ground { roster: &play.world.roster, marks: &marks };
    let mut written = Record::new(play.world.record);
    play.all.iter().for_each(|opened| written.add(opened.clone(), &ground));
    prop_assert_eq!(digest(&whole), digest(&written));
    prop_assert_eq!(whole.heads(), written.heads());
    prop_assert_eq!(whole.missing(), written.missing());
    prop_assert_eq!(whole.waiting(), written.waiting());
    written.judge_again(&ground);
    prop_assert_eq!(digest(&whole), digest(&written));
    prop_assert!(heads_agree(&whole));
    Ok(whole)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn one_set_of_envelopes_is_one_record(
        steps in proptest::collection::vec((any::<usize>(), any::<u8>(), any::<u8>(), any::<usize>()), 1..24),
        shuffle in any::<u64>(),
        parts in 1usize..6,
        cut in any::<usize>(),
    ) {
        let mut play = play(&steps);
        let record = one_record(&play, shuffle, parts)?;
        // Whatever the others did, the next honest author is heard.
        let honest = play.world.enrol("emb", SigningKey::from_seed(&[200; 32]), &[Role::Commander]);
        let next = play.state(honest, note("and what now"));
        let fine = play.fold().state().exists();
        prop_assert!(!fine || play.fold().entry(&next.id).is_some_and(|held| held.status == Status::Valid));
        drop(record);
        let at: Arc<Opened> = play.all[cut % play.all.len()].clone();
        if let Some(who) = play.world.devices[..8].iter().position(|device| device.key.device_id() == at.link.device) {
            let needs_second = [DESK, POLICE, COURT].contains(&who);
            if !needs_second {
                play.world.revoke(who, Some(Cut { number: at.link.number, head: at.envelope }));
            }
        }
        one_record(&play, shuffle, parts)?;
    }
}
