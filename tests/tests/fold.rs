//! Properties of the fold: any order and any split of the same envelopes give one digest; a removed,
//! altered, duplicated or forged envelope never changes another entry's content; status is total.

use std::collections::BTreeMap;
use std::sync::Arc;

use logbook::action::{
    Action, Amend, Answer, Ask, Create, Grant, GrantTo, Note, RecordKind, Refer, ReferralState, StateChange,
};
use logbook::digest::digest;
use logbook::roster::{
    AgencyRecord, ChainAction, ChainEntry, Cut, Enrol, Epoch, NameOpening, Revoke, RosterObject, SignedChainEntry,
    SignedEpoch, name_commitment,
};
use logbook::status::{ChainMarks, Status, chain_marks};
use logbook::{AgencyKind, Entry, Ground, Record, Role, Roster};
use proptest::prelude::*;
use seal::{
    ClockConfidence, Envelope, EnvelopeId, Hash32, Header, Identity, KeyId, Link, Opened, OperationId, OperatorId,
    Parts, RecordId, RecordKey, SigningKey,
};

struct Device {
    key: SigningKey,
    operator: OperatorId,
    role: &'static str,
    number: u64,
    prev: EnvelopeId,
}

struct World {
    roster: Roster,
    operation: OperationId,
    devices: Vec<Device>,
    key: RecordKey,
    record: RecordId,
    create: Create,
}

fn enrol(seed: u8, roles: Vec<Role>) -> (Enrol, Device) {
    let key = SigningKey::from_seed(&[seed; 32]);
    let operator = OperatorId([seed; 16]);
    let name = NameOpening { operator, name: "N".into(), salt: "00".repeat(16) };
    let network = SigningKey::from_seed(&[seed + 100; 32]).public();
    let role = if roles.contains(&Role::Field) { "field" } else { "desk" };
    let enrol = Enrol {
        device: key.device_id(),
        name: format!("D{seed}"),
        network_key: Hash32(network),
        network_signature: Enrol::certify(&key, &network),
        recipient: Identity::from_bytes(&[seed; 32]).unwrap().recipient(),
        operator,
        operator_commitment: name_commitment(&name),
        roles,
        unit: None,
    };
    (enrol, Device { key, operator, role, number: 0, prev: EnvelopeId([0; 32]) })
}

/// An EMB with a desk and a field laptop, and the police with a desk.
fn world() -> World {
    let mut roster = Roster::new();
    let (desk, first) = enrol(1, vec![Role::Desk, Role::Admin]);
    let (police, second) = enrol(2, vec![Role::Desk, Role::Admin]);
    let (field, third) = enrol(3, vec![Role::Field]);
    let record = |id: &str, kind, root: u8, enrol: &Enrol| AgencyRecord {
        id: id.parse().unwrap(),
        kind,
        name: id.into(),
        root: Hash32(SigningKey::from_seed(&[root; 32]).public()),
        admins: vec![enrol.device],
        recipient: enrol.recipient.clone(),
        hierarchy: None,
    };
    let epoch = Epoch {
        v: 1,
        operation_name: "T".into(),
        exercise: false,
        number: 1,
        prev: None,
        nonce: "00".repeat(16),
        agencies: vec![record("emb", AgencyKind::Emb, 50, &desk), record("police", AgencyKind::Police, 51, &police)],
        rules: None,
        at_ms: 0,
    };
    let mut signed = SignedEpoch::propose(&epoch);
    signed.sign(&"emb".parse().unwrap(), &SigningKey::from_seed(&[50; 32]));
    signed.sign(&"police".parse().unwrap(), &SigningKey::from_seed(&[51; 32]));
    roster.add(RosterObject::Epoch(signed)).unwrap();
    let chain = |roster: &mut Roster, agency: &str, action, by: &SigningKey| {
        let agency: logbook::AgencyId = agency.parse().unwrap();
        let (number, prev) = roster.chain_head(&agency);
        let entry = ChainEntry { v: 1, agency, number: number + 1, prev, at_ms: 0, action };
        roster.add(RosterObject::Chain(SignedChainEntry::sign(&entry, by))).unwrap();
    };
    chain(&mut roster, "emb", ChainAction::Enrol(desk), &first.key);
    chain(&mut roster, "police", ChainAction::Enrol(police), &second.key);
    chain(&mut roster, "emb", ChainAction::Enrol(field), &first.key);
    roster.add(RosterObject::View(roster.current_view().unwrap())).unwrap();
    let key = RecordKey::from_bytes([9; 32]);
    let nonce = "11".repeat(16);
    let record = logbook::action::create::record_id(&third.key.device_id(), &nonce);
    let grant = |agency: &str| Grant {
        to: GrantTo::Agency { id: agency.parse().unwrap(), epoch: 1 },
        key: KeyId([1; 16]),
        wrap: Hash32([2; 32]),
    };
    let create = Create {
        kind: RecordKind::Incident,
        nonce,
        owner: "emb".parse().unwrap(),
        reference: "EMB-1-0001".into(),
        parent: None,
        fields: BTreeMap::from([("summary".to_owned(), "S".into()), ("severity".to_owned(), 3.into())]),
        grants: vec![grant("emb")],
    };
    World { operation: roster.operation().unwrap(), roster, devices: vec![first, second, third], key, record, create }
}

impl World {
    fn ground<'a>(&'a self, marks: &'a ChainMarks) -> Ground<'a> {
        Ground { roster: &self.roster, marks }
    }
    /// What a device states, knowing only what is in `seen`.
    fn state(&mut self, who: usize, seen: &Record, action: Action) -> (Envelope, Arc<Opened>) {
        let view = self.roster.current_view().unwrap().hash();
        let entry = Entry::new([who as u8; 16], action);
        let bytes = entry.encode();
        let device = &mut self.devices[who];
        let header = Header {
            record: self.record,
            number: seen.next_number(&device.key.device_id()),
            depth: seen.next_depth(),
            heads: seen.heads(),
            operator: device.operator,
            unit: String::new(),
            role: device.role.into(),
            checkpoint: None,
            wall_ms: 1000,
            offset_min: 0,
            clock: ClockConfidence::OsSynced,
            fields_root: Entry::fields_root(&entry.salt.0, &bytes).unwrap(),
        };
        let link = Link {
            operation: self.operation,
            device: device.key.device_id(),
            number: device.number + 1,
            prev: device.prev,
            roster: view,
            body: [0; 32],
        };
        let (envelope, opened) =
            Envelope::seal(&self.key, &device.key, link, Parts { header: &header, entry: &bytes }).unwrap();
        device.number += 1;
        device.prev = opened.envelope;
        (envelope, Arc::new(opened))
    }
}

/// Plays steps: who acts, what, and who hears of what before acting.
fn play(steps: &[(u8, u8, u8)]) -> (World, Vec<(Envelope, Arc<Opened>)>) {
    let mut world = world();
    let marks = ChainMarks::default();
    let create = Action::Create(world.create.clone());
    let first = world.state(2, &Record::new(world.record), create);
    let mut all = vec![first];
    let base = Record::fold(world.record, all.iter().map(|(_, opened)| opened.clone()), &world.ground(&marks));
    let refer = Action::Refer(Refer {
        to: "police".parse().unwrap(),
        ask: Ask::Respond,
        respond_by_ms: None,
        text: None,
        grants: vec![Grant {
            to: GrantTo::Agency { id: "police".parse().unwrap(), epoch: 1 },
            key: KeyId([1; 16]),
            wrap: Hash32([3; 32]),
        }],
    });
    let offered = world.state(0, &base, refer);
    let referral = offered.1.id;
    all.push(offered);
    let mut held: Vec<Record> = (0..3)
        .map(|_| Record::fold(world.record, all.iter().map(|(_, opened)| opened.clone()), &world.ground(&marks)))
        .collect();
    for (who, what, hears) in steps {
        let who = usize::from(who % 3);
        if hears % 2 == 0 {
            // Hears of everything so far; otherwise acts on what it knew.
            held[who].add_all(
                all.iter().map(|(_, opened)| opened.clone()),
                &Ground { roster: &world.roster, marks: &marks },
            );
        }
        let severity =
            |value: i64| Amend { set: BTreeMap::from([("severity".to_owned(), value.into())]), settles: Vec::new() };
        let answer = |step| Action::Answer(Answer { referral, step, reason: Some("r".into()), outcome: None });
        let action = match what % 8 {
            0 => Action::Note(Note { text: format!("note {what}") }),
            1 => Action::Amend(severity(i64::from(what % 4) + 1)),
            2 => Action::Amend(Amend {
                settles: held[who]
                    .state()
                    .disputes()
                    .flat_map(|(_, live)| live.iter().map(|held| held.mark.entry))
                    .collect(),
                ..severity(2)
            }),
            3 => Action::State(StateChange { to: logbook::action::IncidentState::Closed, reason: None }),
            4 => answer(ReferralState::Accepted),
            5 => answer(ReferralState::Recalled),
            6 => answer(ReferralState::Declined),
            _ => Action::State(StateChange { to: logbook::action::IncidentState::InProgress, reason: None }),
        };
        let stated = world.state(who, &held[who], action);
        held[who].add(stated.1.clone(), &Ground { roster: &world.roster, marks: &marks });
        all.push(stated);
    }
    (world, all)
}

fn steps() -> impl Strategy<Value = Vec<(u8, u8, u8)>> {
    proptest::collection::vec((any::<u8>(), any::<u8>(), any::<u8>()), 1..14)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(intact_tests::times("INTACT_CASES", 64) as u32))]

    #[test]
    fn any_order_and_any_split_give_one_digest(steps in steps(), shuffle in any::<u64>(), parts in 1usize..5) {
        let (world, all) = play(&steps);
        let marks = ChainMarks::default();
        let ground = world.ground(&marks);
        let whole = Record::fold(world.record, all.iter().map(|(_, opened)| opened.clone()), &ground);
        let mut order: Vec<Arc<Opened>> = all.iter().map(|(_, opened)| opened.clone()).collect();
        order.sort_by_key(|opened| seal::hash::tagged("shuffle", &[&shuffle.to_be_bytes(), &opened.id.0]));
        let mut split = Record::new(world.record);
        for part in order.chunks(order.len().div_ceil(parts)) {
            split.add_all(part.iter().cloned(), &ground);
        }
        prop_assert_eq!(digest(&whole), digest(&split));
        prop_assert!(logbook::document::heads_agree(&whole));
        // Total: every entry has a status, and the valid ones alone made the state.
        prop_assert_eq!(whole.entries().len(), all.len());
    }

    #[test]
    fn what_is_missing_doubled_or_altered_touches_no_other_entry(steps in steps(), at in any::<usize>(), bit in any::<usize>()) {
        let (world, all) = play(&steps);
        let marks = ChainMarks::default();
        let ground = world.ground(&marks);
        let at = at % all.len();
        let mut left: Vec<Arc<Opened>> = all.iter().map(|(_, opened)| opened.clone()).collect();
        left.remove(at);
        left.extend(left.clone());
        let record = Record::fold(world.record, left, &ground);
        for judged in record.entries() {
            let original = all.iter().find(|(_, opened)| opened.id == judged.opened.id).unwrap();
            prop_assert_eq!(&judged.opened, &original.1);
        }
        prop_assert_eq!(record.entries().len(), all.len() - 1);
        // One flipped bit is seen: in the link by its signature, in the body by its commitment.
        let mut forged = all[at].0.clone();
        let body = forged.body.as_mut().unwrap();
        let flip = bit % (body.len() * 8);
        body[flip / 8] ^= 1 << (flip % 8);
        prop_assert!(forged.open(&world.key).is_err());
        let mut link = all[at].0.link.encode();
        let flip = bit % (link.len() * 8);
        link[flip / 8] ^= 1 << (flip % 8);
        prop_assert!(Link::decode(&link).map_or(true, |link| link.verify(&all[at].0.signature).is_err()));
    }

    #[test]
    fn beyond_a_cut_nothing_has_an_effect(steps in steps(), cut in 0u64..4) {
        let (mut world, all) = play(&steps);
        let field = world.devices[2].key.device_id();
        let last = all.iter().filter(|(e, _)| e.link.device == field && e.link.number == cut).map(|(e, _)| e.id()).next();
        let (number, prev) = world.roster.chain_head(&"emb".parse().unwrap());
        let revoke = Revoke {
            device: field,
            cut: last.map(|head| Cut { number: cut, head }),
            reason: "stolen".into(),
            effective_ms: 0,
            second: None,
        };
        let entry = ChainEntry { v: 1, agency: "emb".parse().unwrap(), number: number + 1, prev, at_ms: 0, action: ChainAction::Revoke(revoke) };
        let admin = world.devices[0].key.clone();
        world.roster.add(RosterObject::Chain(SignedChainEntry::sign(&entry, &admin))).unwrap();
        let marks = ChainMarks::default();
        let record = Record::fold(world.record, all.iter().map(|(_, opened)| opened.clone()), &world.ground(&marks));
        let accepted = last.map_or(0, |_| cut);
        for judged in record.entries() {
            let beyond = judged.opened.link.device == field && judged.opened.link.number > accepted;
            prop_assert_eq!(judged.status == Status::Quarantined, beyond);
        }
        for (_, live) in record.state().fields() {
            for held in live {
                prop_assert!(held.mark.device != field || record.entry(&held.mark.entry).is_some_and(|e| e.status == Status::Valid));
            }
        }
    }
}

#[test]
fn an_acceptance_stands_over_a_recall_that_did_not_know_of_it() {
    // The police (1) accept and the EMB (0) recalls, neither hearing of the other.
    let (world, all) = play(&[(1, 4, 1), (0, 5, 1)]);
    let marks = ChainMarks::default();
    let record = Record::fold(world.record, all.iter().map(|(_, opened)| opened.clone()), &world.ground(&marks));
    let referral = record.state().referrals.values().next().unwrap();
    assert_eq!(referral.flow.state(), ReferralState::Accepted);
    assert!(referral.flow.disputed());
}

#[test]
fn a_forked_chain_is_marked_from_the_fork_on() {
    let (world, all) = play(&[(0, 0, 0), (0, 0, 0), (0, 0, 0)]);
    let desk = world.devices[0].key.device_id();
    let mut links: Vec<Link> = all.iter().map(|(e, _)| e.link).filter(|link| link.device == desk).collect();
    assert_eq!(chain_marks(&links, &world.roster), ChainMarks::default());
    links.push(Link { body: [1; 32], ..links[1] });
    let marks = chain_marks(&links, &world.roster);
    assert_eq!(marks.forked.len(), links.len() - 1);
    assert!(!marks.forked.contains(&links[0].id()));
}
