//! Who may do what, and who only says so.

use std::collections::BTreeMap;
use std::sync::Arc;

use logbook::action::{
    Action, Amend, Answer, Ask, Grant, GrantTo, IncidentState, Move, RecordKind, Refer, ReferralState, Relate,
    Relation, Share, StateChange,
};
use logbook::complaint_flow::ComplaintState;
use logbook::{FieldValue, Fields, Reason, Status};
use seal::{Hash32, KeyId, Opened, RecordId};

use crate::world::*;

fn share(grants: Vec<Grant>) -> Action {
    Action::Share(Share { grants })
}

fn refer(to: &str, ask: Ask, grants: Vec<Grant>) -> Action {
    Action::Refer(Refer { to: id(to), ask, respond_by_ms: None, text: None, grants })
}

/// A grant to one device of the world.
fn to_device(play: &Play, who: usize) -> Grant {
    let to = GrantTo::Device { id: play.world.devices[who].key.device_id() };
    Grant { to, key: KeyId([1; 16]), wrap: Hash32([1; 32]) }
}

fn incident_with(set: Fields) -> Play {
    let world = World::new();
    let create = world.create(RecordKind::Incident, set, vec![grant("emb")]);
    Play::opened(world, create)
}

fn record_of(kind: RecordKind, who: usize) -> Play {
    let mut world = World::new();
    let set = fields([("summary", "S".into())]);
    let create = world.create(kind, set, vec![grant("emb")]);
    world.adopt(who);
    let empty = logbook::Record::new(world.record);
    let first = world.state(who, &empty, create);
    Play { world, all: vec![first] }
}

/// Why the fold does not take what a device states; `None` if it does.
fn denied(play: &mut Play, who: usize, action: Action) -> Option<&'static str> {
    let opened = play.state(who, action);
    let record = play.settled();
    let judged = record.entry(&opened.id).unwrap();
    assert!(matches!(judged.status, Status::Valid | Status::NotAuthorised), "{:?}", judged.why);
    judged.why.as_ref().map(Reason::code)
}

#[test]
fn a_creation_gives_nothing_that_a_share_could_not() {
    let created = |who: usize, set: Fields, grants: fn(&World) -> Vec<Grant>| {
        let mut world = World::new();
        world.adopt(who);
        let create = world.create(RecordKind::Incident, set, grants(&world));
        let empty = logbook::Record::new(world.record);
        let first = world.state(who, &empty, create);
        let play = Play { world, all: vec![first.clone()] };
        play.settled().entry(&first.id).unwrap().why.as_ref().map(Reason::code)
    };
    let police = |_: &World| vec![grant("emb"), grant("police")];
    let own = |_: &World| vec![grant("emb")];
    let device = |world: &World| {
        let to = GrantTo::Device { id: world.devices[POLICE].key.device_id() };
        vec![grant("emb"), Grant { to, key: KeyId([1; 16]), wrap: Hash32([1; 32]) }]
    };
    let accused = || fields([("perpetrator", "perp:state-security, perp:supporters".into())]);
    let tlp = |code: &str| fields([("tlp", code.into())]);
    assert_eq!(created(DESK, Fields::new(), police), None);
    assert_eq!(created(DESK, accused(), police), Some("alleged"));
    assert_eq!(created(DESK, accused(), device), Some("alleged"));
    assert_eq!(created(DESK, accused(), own), None);
    for strict in ["RED", "AMBER+STRICT", "tlp:red", "tlp:amber-strict", "TLP:AMBER+STRICT", "unheard-of"] {
        assert_eq!(created(DESK, tlp(strict), police), Some("tlp"), "{strict}");
        assert_eq!(created(DESK, tlp(strict), own), None, "{strict}");
    }
    assert_eq!(created(DESK, tlp("AMBER+STRICT"), device), Some("tlp"));
    // The field writes to its own agency; whoever may not share does not share by creating.
    assert_eq!(created(FIELD, Fields::new(), own), None);
    assert_eq!(created(FIELD, Fields::new(), police), Some("needs-role"));
    assert_eq!(created(FIELD, Fields::new(), device), Some("needs-role"));
}

#[test]
fn a_referral_tells_nobody_who_may_not_be_told() {
    // The police have the record already; then it is they who are accused.
    let mut play = Play::new();
    assert_eq!(denied(&mut play, DESK, share(vec![grant("police"), grant("court")])), None);
    assert_eq!(denied(&mut play, DESK, amend([("perpetrator", "Police".into())])), None);
    assert_eq!(denied(&mut play, DESK, refer("police", Ask::Respond, vec![])), Some("alleged"));
    assert_eq!(denied(&mut play, DESK, refer("court", Ask::Respond, vec![])), None);
    let device = to_device(&play, CHIEF);
    assert_eq!(denied(&mut play, DESK, share(vec![device])), Some("alleged"));
    assert_eq!(denied(&mut play, DESK, amend([("tlp", "AMBER+STRICT".into())])), None);
    assert_eq!(denied(&mut play, DESK, refer("court", Ask::Respond, vec![])), Some("tlp"));
}

/// Two desks dispute what narrows the circle: the narrower holds.
#[test]
fn a_dispute_widens_no_circle() {
    for (name, narrow, wide, code) in
        [("perpetrator", "state-security", "unknown", "alleged"), ("tlp", "RED", "GREEN", "tlp")]
    {
        let mut play = Play::new();
        let seen = play.fold();
        play.state_having_seen(COMMANDER, &seen, amend([(name, narrow.into())]));
        let mut alone = seen;
        for n in 0..3 {
            // Goes on by itself, so as to come last in the order.
            let own = play.state_having_seen(DESK, &alone, note(&format!("{n}")));
            let marks = play.world.marks();
            alone.add(own, &logbook::Ground { roster: &play.world.roster, marks: &marks });
        }
        play.state_having_seen(DESK, &alone, amend([(name, wide.into())]));
        assert_eq!(play.settled().state().disputes().count(), 1);
        assert_eq!(denied(&mut play, DESK, share(vec![grant("police")])), Some(code), "{name}");
    }
}

#[test]
fn whoever_is_asked_is_given_the_whole_record() {
    let mut play = Play::new();
    assert_eq!(denied(&mut play, DESK, refer("police", Ask::Respond, vec![])), Some("partial"));
    // The record goes on under a second key.
    assert_eq!(denied(&mut play, DESK, share(vec![grant_of("emb", 2)])), None);
    assert_eq!(denied(&mut play, DESK, refer("police", Ask::Respond, vec![grant("police")])), Some("partial"));
    let others = vec![grant("police"), grant_of("court", 2)];
    assert_eq!(denied(&mut play, DESK, refer("police", Ask::Respond, others)), Some("partial"));
    let whole = vec![grant("police"), grant_of("police", 2)];
    assert_eq!(denied(&mut play, DESK, refer("police", Ask::Respond, whole)), None);
    assert_eq!(denied(&mut play, DESK, refer("police", Ask::Respond, vec![])), None);
}

#[test]
fn every_other_ask_and_every_complaint_opens_a_brief() {
    let mut play = Play::new();
    for ask in [Ask::Investigate, Ask::Advise, Ask::Preserve, Ask::ProvideEvidence] {
        assert_eq!(denied(&mut play, DESK, refer("police", ask, vec![grant("police")])), Some("kind"));
    }
    let mut complaint = record_of(RecordKind::Complaint, REGISTRAR);
    assert_eq!(denied(&mut complaint, DESK, refer("police", Ask::Respond, vec![grant("police")])), Some("kind"));
    let mut brief = record_of(RecordKind::Brief, DESK);
    assert_eq!(denied(&mut brief, DESK, refer("police", Ask::Investigate, vec![grant("police")])), None);
}

#[test]
fn registrars_and_adjudicators_share_and_refer_no_incident() {
    for who in [REGISTRAR, ADJUDICATOR, FIELD] {
        let mut play = Play::new();
        assert_eq!(denied(&mut play, who, share(vec![grant("police")])), Some("needs-role"));
        assert_eq!(denied(&mut play, who, refer("police", Ask::Respond, vec![grant("police")])), Some("needs-role"));
        assert_eq!(denied(&mut play, who, note("not mine to note")), Some("needs-role"));
        assert_eq!(denied(&mut play, who, amend([("place", "x".into())])), Some("needs-role"));
        assert_eq!(
            denied(&mut play, who, Action::State(StateChange { to: IncidentState::Closed, reason: None })),
            Some("needs-role")
        );
    }
    let link = || {
        let relate = Relate { relation: Relation::Related, to: RecordId([3; 16]), reference: "R".into(), undo: false };
        Action::Relate(relate)
    };
    let mut play = Play::new();
    assert_eq!(denied(&mut play, REGISTRAR, link()), None);
    assert_eq!(denied(&mut play, ADJUDICATOR, link()), Some("needs-role"));
    // What an adjudicator requests, it asks in a brief, of the one it asks.
    let mut brief = record_of(RecordKind::Brief, ADJUDICATOR);
    let both = vec![grant("police"), grant("court")];
    assert_eq!(denied(&mut brief, ADJUDICATOR, refer("police", Ask::Preserve, both)), Some("needs-role"));
    assert_eq!(denied(&mut brief, ADJUDICATOR, refer("police", Ask::Preserve, vec![grant("police")])), None);
    assert_eq!(denied(&mut brief, REGISTRAR, refer("court", Ask::Advise, vec![grant("court")])), Some("needs-role"));
    // And no workflow moves a record of another kind.
    let moved = Action::Move(Move { to: ComplaintState::Filed, reason: None });
    assert_eq!(denied(&mut brief, ADJUDICATOR, moved), Some("kind"));
}

#[test]
fn only_the_owners_commander_replaces_the_highest_severity_by_a_lower_one() {
    let mut play = incident_with(fields([("summary", "S".into()), ("severity", 4.into())]));
    let lower = || amend([("severity", 2.into())]);
    assert_eq!(denied(&mut play, DESK, share(vec![grant("police")])), None);
    assert_eq!(denied(&mut play, POLICE, lower()), Some("not-the-owner"));
    assert_eq!(denied(&mut play, CHIEF, lower()), Some("not-the-owner"));
    assert_eq!(denied(&mut play, DESK, lower()), Some("needs-role"));
    assert_eq!(denied(&mut play, POLICE, amend([("severity", 4.into()), ("place", "there".into())])), None);
    assert_eq!(play.fold().state().number("severity"), Some(4));
    assert_eq!(denied(&mut play, COMMANDER, lower()), None);
    assert_eq!(play.fold().state().number("severity"), Some(2));
}

/// Having, or pretending to have, not seen the 4: a dispute, in which the 4 stands until the owner's
/// desk, which sees both, settles it by naming both.
#[test]
fn a_dispute_lowers_no_severity() {
    let mut play = Play::new();
    play.state(DESK, share(vec![grant("police")]));
    let seen = play.fold();
    let four = play.state_having_seen(DESK, &seen, amend([("severity", 4.into())]));
    let mut alone = seen;
    let mut last: Option<Arc<Opened>> = None;
    for n in 0..4 {
        let own =
            play.state_having_seen(POLICE, &alone, amend([("severity", 1.into()), ("place", n.to_string().into())]));
        let marks = play.world.marks();
        alone.add(own.clone(), &logbook::Ground { roster: &play.world.roster, marks: &marks });
        last = Some(own);
    }
    let low = last.unwrap();
    assert_eq!(play.status(&low).0, Status::Valid);
    assert_eq!(play.settled().state().number("severity"), Some(4));
    let settle = |to: i64| {
        let set = BTreeMap::from([("severity".to_owned(), FieldValue::from(to))]);
        Action::Amend(Amend { set, settles: vec![four.id, low.id] })
    };
    let four_alone = Action::Amend(Amend {
        set: BTreeMap::from([("severity".to_owned(), FieldValue::from(2))]),
        settles: vec![four.id],
    });
    assert_eq!(denied(&mut play, DESK, four_alone), Some("needs-role"));
    assert_eq!(denied(&mut play, POLICE, settle(2)), Some("not-the-owner"));
    assert_eq!(denied(&mut play, POLICE, settle(4)), Some("not-the-owner"));
    assert_eq!(denied(&mut play, DESK, settle(2)), None);
    assert_eq!(play.fold().state().number("severity"), Some(2));
}

#[test]
fn a_referral_is_answered_by_a_desk_and_seen_by_whoever_reads() {
    let mut play = Play::new();
    let offered = play.state(DESK, refer("police", Ask::Respond, vec![grant("police")]));
    let answer = |step| Action::Answer(Answer { referral: offered.id, step, reason: None, outcome: None });
    assert_eq!(denied(&mut play, REGISTRAR, answer(ReferralState::Recalled)), Some("needs-role"));
    assert_eq!(denied(&mut play, POLICE, answer(ReferralState::Recalled)), Some("step"));
    assert_eq!(denied(&mut play, POLICE, answer(ReferralState::Accepted)), None);
    assert_eq!(denied(&mut play, CHIEF, answer(ReferralState::Done)), None);
    assert_eq!(denied(&mut play, DESK, answer(ReferralState::Closed)), None);
}

/// An answer made up before the referral was seen.
#[test]
fn nobody_answers_what_it_had_not_seen() {
    let mut play = Play::new();
    play.state(DESK, share(vec![grant("police")]));
    let seen = play.fold();
    let offered = play.state(DESK, refer("police", Ask::Respond, vec![]));
    let answer =
        Answer { referral: offered.id, step: ReferralState::Declined, reason: Some("no".into()), outcome: None };
    let mut alone = seen;
    for n in 0..3 {
        let own = play.state_having_seen(POLICE, &alone, note(&n.to_string()));
        let marks = play.world.marks();
        alone.add(own, &logbook::Ground { roster: &play.world.roster, marks: &marks });
    }
    let blind = play.state_having_seen(POLICE, &alone, Action::Answer(answer));
    assert_eq!(play.status(&blind).0, Status::NotAuthorised);
    assert_eq!(play.fold().state().referrals[&offered.id].flow.state(), ReferralState::Offered);
}

#[test]
fn codes_of_reasons_are_what_they_are() {
    // They stand in digests: to change one is to change what two holders agree on.
    let mut play = Play::new();
    let outsider = play.state(POLICE, note("x"));
    let record = play.settled();
    let judged = record.entry(&outsider.id).unwrap();
    assert_eq!(judged.why.as_ref().map(Reason::code), Some("outsider"));
    assert_eq!(judged.reason.as_deref(), Some("this agency was not given the record"));
}
