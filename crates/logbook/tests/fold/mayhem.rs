//! Honest and hostile entries at random: one set of envelopes is one record, and nothing panics.

use std::sync::Arc;

use logbook::action::{Action, Amend, Ask, IncidentState, Refer, Share, StateChange, Unshare};
use logbook::digest::digest;
use logbook::document::heads_agree;
use logbook::record::Shown;
use logbook::roster::Cut;
use logbook::{Ground, Reason, Record, Role, Status};
use proptest::prelude::*;
use seal::{EntryId, EnvelopeId, Opened, RosterHash, SigningKey};

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

/// Codes of the rule that asks whether an author might state an action.
const RIGHTS: [&str; 8] = ["needs-role", "not-the-owner", "outsider", "tlp", "alleged", "partial", "kind", "step"];

/// The same record with the actions of some entries withheld, as `which` has it by bits.
fn veiled(play: &Play, whole: &Record, which: u64) -> Record {
    let marks = play.world.marks();
    let ground = Ground { roster: &play.world.roster, marks: &marks };
    let bit = |id: &EntryId, of: usize| which >> ((usize::from(id.0[of]) + of) % 64) & 1 == 1;
    // Of what is no entry nothing can be proved that is not shown.
    let hidden = |opened: &&Arc<Opened>| {
        bit(&opened.id, 0) && whole.entry(&opened.id).is_some_and(|entry| entry.entry.is_some())
    };
    let (hidden, shown): (Vec<_>, Vec<_>) = play.all.iter().partition(hidden);
    let hidden = hidden.into_iter().map(|opened| {
        let kind = match (bit(&opened.id, 1), opened.header.heads.is_empty(), bit(&opened.id, 2)) {
            (true, ..) => Shown::Nothing,
            (_, true, named) => Shown::Create(named.then_some(play.world.record)),
            (_, false, _) => Shown::Other,
        };
        (Arc::new(Opened { entry: Vec::new(), ..(**opened).clone() }), kind)
    });
    Record::fold_withheld(play.world.record, shown.into_iter().cloned(), hidden, &ground)
}

fn told_alike(whole: &Record, veiled: &Record) -> Result<(), TestCaseError> {
    prop_assert_eq!(whole.entries().len(), veiled.entries().len());
    prop_assert_eq!(whole.all_heads(), veiled.all_heads());
    prop_assert_eq!(whole.missing(), veiled.missing());
    prop_assert_eq!(whole.gaps(), veiled.gaps());
    let mut after = false;
    for (one, other) in whole.entries().iter().zip(veiled.entries()) {
        prop_assert_eq!((one.opened.id, one.opened.envelope), (other.opened.id, other.opened.envelope));
        let is_veiled = one.entry.is_some() && other.entry.is_none();
        prop_assert_eq!(other.unjudged, after && !is_veiled && other.status == Status::Valid);
        after |= is_veiled;
        let code = one.why.as_ref().map_or("", Reason::code);
        let by_rights = one.status == Status::NotAuthorised && RIGHTS.contains(&code);
        if !by_rights || !after {
            prop_assert_eq!((one.status, one.in_document()), (other.status, other.in_document()), "{}", code);
        } else {
            prop_assert_eq!(other.status, Status::Valid);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_withheld_changes_no_status_but_by_rights(
        steps in proptest::collection::vec((any::<usize>(), any::<u8>(), any::<u8>(), any::<usize>()), 1..24),
        which in any::<u64>(),
        cut in any::<usize>(),
    ) {
        let mut play = play(&steps);
        let whole = play.fold();
        told_alike(&whole, &veiled(&play, &whole, which))?;
        let at = play.all[cut % play.all.len()].clone();
        let who = play.world.devices[..8].iter().position(|device| device.key.device_id() == at.link.device);
        if let Some(who) = who.filter(|who| ![DESK, POLICE, COURT].contains(who)) {
            play.world.revoke(who, Some(Cut { number: at.link.number, head: at.envelope }));
            let whole = play.fold();
            let veiled = veiled(&play, &whole, which);
            told_alike(&whole, &veiled)?;
            // Judging it again, or handing it everything once more, makes nothing else of it.
            let marks = play.world.marks();
            let ground = Ground { roster: &play.world.roster, marks: &marks };
            let mut again = veiled.clone();
            again.judge_again(&ground);
            again.add_all(play.all.iter().cloned(), &ground);
            prop_assert_eq!(digest(&again), digest(&veiled));
        }
    }
}
