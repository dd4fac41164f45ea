//! Random histories of one record, by several devices that hear of each other only now and then:
//! the same envelopes give the same record, whatever the order, the losses and the forgeries.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use intact_tests::times;
use logbook::action::create::record_id;
use logbook::action::{
    Amend, Answer, Ask, Assign, Create, Grant, GrantTo, IncidentState, Note, RecordKind, Refer, ReferralState, Relate,
    Relation, Share, StateChange, Unshare,
};
use logbook::authorise::Author;
use logbook::causality::Mark;
use logbook::digest::digest;
use logbook::roster::{
    AgencyRecord, ChainAction, ChainEntry, Cut, Enrol, Epoch, Revoke, Roles, RosterObject, RosterView,
    SignedChainEntry, SignedEpoch,
};
use logbook::status::{ChainMarks, Status, chain_marks};
use logbook::{Action, AgencyId, AgencyKind, Entry, FieldValue, Ground, Record, Role, Roster};
use proptest::prelude::*;
use seal::{
    ClockConfidence, EntryId, Envelope, EnvelopeId, Hash32, Header, Identity, Link, Opened, OperatorId, Parts,
    RecordId, RecordKey, SealError, SigningKey,
};

const NONCE: &str = "0f0e0d0c0b0a09080706050403020100";

/// A device: seed of its key, agency, roles.
const DEVICES: &[(u8, &str, &[Role])] = &[
    (11, "emb", &[Role::Field, Role::Desk, Role::Commander, Role::Admin]),
    (12, "emb", &[Role::Field, Role::Desk]),
    (13, "police", &[Role::Desk, Role::Admin]),
];
const FIRST: usize = 0;
const SECOND: usize = 1;
const POLICE: usize = 2;

fn agency(name: &str) -> AgencyId {
    name.parse().unwrap()
}
fn key_of(who: usize) -> SigningKey {
    SigningKey::from_seed(&[DEVICES[who].0; 32])
}
fn operator_of(who: usize) -> OperatorId {
    OperatorId([DEVICES[who].0; 16])
}
fn root_of(name: &str) -> SigningKey {
    SigningKey::from_seed(&[if name == "emb" { 1 } else { 2 }; 32])
}
fn record_key() -> RecordKey {
    RecordKey::from_bytes([42; 32])
}
fn the_record() -> RecordId {
    record_id(&key_of(FIRST).device_id(), NONCE)
}

/// The roster's objects, and the two views that authors cite: everyone enrolled; then, later, the
/// second device's roles confirmed.
struct Founded {
    early: Vec<RosterObject>,
    later: Vec<RosterObject>,
    views: [RosterView; 2],
    roster: Roster,
}

fn chain_entry(roster: &Roster, name: &str, action: ChainAction) -> RosterObject {
    let (number, prev) = roster.chain_head(&agency(name));
    let entry = ChainEntry { v: 1, agency: agency(name), number: number + 1, prev, at_ms: 1, action };
    RosterObject::Chain(SignedChainEntry::sign(&entry, &root_of(name)))
}

fn founded() -> &'static Founded {
    static FOUNDED: OnceLock<Founded> = OnceLock::new();
    FOUNDED.get_or_init(|| {
        let recipient = Identity::generate().recipient();
        let of = |name: &str, kind, admin| AgencyRecord {
            id: agency(name),
            kind,
            name: name.to_owned(),
            root: Hash32(root_of(name).public()),
            admins: vec![key_of(admin).device_id()],
            recipient: recipient.clone(),
            hierarchy: None,
        };
        let epoch = Epoch {
            v: 1,
            operation_name: "Properties".into(),
            exercise: true,
            number: 1,
            prev: None,
            nonce: NONCE.into(),
            agencies: vec![of("emb", AgencyKind::Emb, FIRST), of("police", AgencyKind::Police, POLICE)],
            rules: None,
            at_ms: 1,
        };
        let mut signed = SignedEpoch::propose(&epoch);
        for name in ["emb", "police"] {
            signed.sign(&agency(name), &root_of(name));
        }
        let mut roster = Roster::new();
        let mut early = vec![RosterObject::Epoch(signed)];
        roster.add(early[0].clone()).unwrap();
        for (who, (seed, name, roles)) in DEVICES.iter().enumerate() {
            let device = key_of(who);
            let network_key = [seed + 100; 32];
            let enrol = Enrol {
                device: device.device_id(),
                name: format!("Device {seed}"),
                network_key: Hash32(network_key),
                network_signature: Enrol::certify(&device, &network_key),
                recipient: recipient.clone(),
                operator: operator_of(who),
                operator_commitment: Hash32([*seed; 32]),
                roles: roles.to_vec(),
                unit: None,
            };
            early.push(chain_entry(&roster, name, ChainAction::Enrol(enrol)));
            roster.add(early.last().unwrap().clone()).unwrap();
        }
        let first = roster.current_view().unwrap();
        early.push(RosterObject::View(first.clone()));
        let roles =
            Roles { device: key_of(SECOND).device_id(), roles: DEVICES[SECOND].2.to_vec(), cut: None, second: None };
        let mut later = vec![chain_entry(&roster, "emb", ChainAction::Roles(roles))];
        roster.add(early.last().unwrap().clone()).unwrap();
        roster.add(later[0].clone()).unwrap();
        let second = roster.current_view().unwrap();
        assert_ne!(first.hash(), second.hash());
        later.push(RosterObject::View(second.clone()));
        roster.add(later[1].clone()).unwrap();
        assert_eq!(roster.devices().count(), DEVICES.len());
        Founded { early, later, views: [first, second], roster }
    })
}

/// The whole roster, and in it the second device revoked: nothing after `cut` counts.
fn revoking(cut: Option<Cut>) -> Roster {
    let mut roster = founded().roster.clone();
    let device = key_of(SECOND).device_id();
    let revoke = Revoke { device, cut, reason: "lost".into(), effective_ms: 1, second: None };
    let object = chain_entry(&roster, "emb", ChainAction::Revoke(revoke));
    roster.add(object).unwrap();
    assert_eq!(roster.cut(&device), Some(cut));
    roster
}

/// What a device does.
#[derive(Debug, Clone)]
enum Act {
    Note,
    Amend(usize, i64),
    Settle(usize, i64),
    State(usize),
    Assign(i64),
    Relate(bool),
    Share(bool),
    Refer,
    Answer(usize),
}

#[derive(Debug, Clone)]
struct Step {
    who: usize,
    /// Of which devices it hears before.
    hears: [bool; 3],
    act: Act,
    /// Cites the newer roster from here on.
    newer: bool,
    /// Signs even what its own software would refuse.
    obstinate: bool,
}

fn steps(obstinate: bool) -> impl Strategy<Value = Vec<Step>> {
    let act = prop_oneof![
        2 => Just(Act::Note),
        6 => (0..3usize, 0..3i64).prop_map(|(field, value)| Act::Amend(field, value)),
        1 => (0..3usize, 0..3i64).prop_map(|(field, value)| Act::Settle(field, value)),
        3 => (0..IncidentState::ALL.len()).prop_map(Act::State),
        1 => (0..3i64).prop_map(Act::Assign),
        1 => any::<bool>().prop_map(Act::Relate),
        2 => any::<bool>().prop_map(Act::Share),
        2 => Just(Act::Refer),
        4 => (0..ReferralState::ALL.len()).prop_map(Act::Answer),
    ];
    let hears = prop_oneof![Just([false; 3]), any::<[bool; 3]>()];
    let stubborn = if obstinate { prop::bool::weighted(0.3).boxed() } else { Just(false).boxed() };
    let step = (0..DEVICES.len(), hears, act, prop::bool::weighted(0.1), stubborn)
        .prop_map(|(who, hears, act, newer, obstinate)| Step { who, hears, act, newer, obstinate });
    prop::collection::vec(step, 1..28)
}

/// A device at work: what it knows of the record, and where its chain stands.
#[derive(Clone)]
struct Desk {
    who: usize,
    record: Record,
    number: u64,
    prev: EnvelopeId,
    view: usize,
}

struct World {
    desks: Vec<Desk>,
    envelopes: Vec<Envelope>,
    opened: Vec<Arc<Opened>>,
}

const FIELDS: [&str; 3] = ["severity", "injuries", "deaths"];

impl World {
    /// A record that the first device has made and given to the police.
    fn new() -> Self {
        let desk = |who| Desk { who, record: Record::new(the_record()), number: 0, prev: EnvelopeId([0; 32]), view: 0 };
        let mut world =
            Self { desks: (0..DEVICES.len()).map(desk).collect(), envelopes: Vec::new(), opened: Vec::new() };
        let create = Create {
            kind: RecordKind::Incident,
            nonce: NONCE.into(),
            owner: agency("emb"),
            reference: "EMB-0001-0001".into(),
            parent: None,
            fields: [("severity".to_owned(), 2.into())].into(),
            grants: vec![grant("police"), grant("emb")],
        };
        world.state(FIRST, Action::Create(create)).expect("the first device may");
        for who in [SECOND, POLICE] {
            world.hear(who, FIRST);
        }
        world
    }

    fn grown(steps: &[Step]) -> Self {
        let mut world = Self::new();
        for step in steps {
            world.take(step);
        }
        world
    }

    fn take(&mut self, step: &Step) {
        for other in (0..DEVICES.len()).filter(|other| step.hears[*other] && *other != step.who) {
            self.hear(step.who, other);
        }
        let desk = &mut self.desks[step.who];
        desk.view = desk.view.max(usize::from(step.newer));
        let action = self.action(step.who, &step.act);
        if step.obstinate || self.would(step.who, &action) {
            self.sign(step.who, action);
        }
    }

    fn hear(&mut self, who: usize, other: usize) {
        let news: Vec<_> = self.desks[other].record.entries().iter().map(|entry| entry.opened.clone()).collect();
        let (roster, marks) = (&founded().roster, ChainMarks::default());
        self.desks[who].record.add_all(news, &Ground { roster, marks: &marks });
    }

    fn action(&self, who: usize, act: &Act) -> Action {
        let state = self.desks[who].record.state();
        let referral = state.referrals.keys().next_back().copied();
        match act {
            Act::Note => Action::Note(Note { text: "noted".into() }),
            Act::Amend(field, value) => amend(FIELDS[*field], *value + 1, vec![]),
            Act::Settle(field, value) => {
                let live = state.fields().find(|(name, _)| *name == FIELDS[*field]);
                let settles = live.map(|(_, live)| live.iter().map(|held| held.mark.entry).collect());
                amend(FIELDS[*field], *value + 1, settles.unwrap_or_default())
            }
            Act::State(to) => Action::State(StateChange { to: IncidentState::ALL[*to], reason: Some("so".into()) }),
            Act::Assign(to) => Action::Assign(Assign { to: format!("Unit {to}") }),
            Act::Relate(undo) => Action::Relate(Relate {
                relation: Relation::Related,
                to: RecordId([9; 16]),
                reference: "EMB-0001-0002".into(),
                undo: *undo,
            }),
            Act::Share(true) => Action::Share(Share { grants: vec![grant("police")] }),
            Act::Share(false) => Action::Unshare(Unshare { agencies: vec![agency("police")], devices: vec![] }),
            Act::Refer => refer(),
            Act::Answer(step) => answer(referral.unwrap_or(EntryId([1; 32])), ReferralState::ALL[*step]),
        }
    }

    /// Whether the device's own software would let it state this.
    fn would(&self, who: usize, action: &Action) -> bool {
        let desk = &self.desks[who];
        let (_, name, roles) = DEVICES[who];
        let name = agency(name);
        let kind = if who == POLICE { AgencyKind::Police } else { AgencyKind::Emb };
        let device = key_of(who).device_id();
        let author = Author { device, agency: &name, kind, roles };
        let mark = Mark {
            entry: EntryId([0; 32]),
            author: 0,
            number: desk.record.next_number(&device),
            device,
            agency: name.clone(),
            operator: operator_of(who),
            wall_ms: 0,
        };
        desk.record.would(action, &author, &mark, &founded().roster).is_ok()
    }

    /// States it, if the device's own software lets it.
    fn state(&mut self, who: usize, action: Action) -> Option<Arc<Opened>> {
        self.would(who, &action).then(|| self.sign(who, action))
    }

    /// Signs and seals it, whatever it is, as a vault does.
    fn sign(&mut self, who: usize, action: Action) -> Arc<Opened> {
        let desk = &mut self.desks[who];
        let signer = key_of(who);
        let device = signer.device_id();
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&(self.opened.len() as u64).to_be_bytes());
        let bytes = Entry::new(salt, action).encode();
        let header = Header {
            record: the_record(),
            number: desk.record.next_number(&device),
            depth: desk.record.next_depth(),
            heads: desk.record.heads(),
            operator: operator_of(who),
            unit: String::new(),
            role: Role::Desk.to_string(),
            checkpoint: None,
            wall_ms: 1_000 + self.opened.len() as i64,
            offset_min: 0,
            clock: ClockConfidence::OsSynced,
            fields_root: Entry::fields_root(&salt, &bytes).unwrap(),
        };
        let link = Link {
            operation: founded().roster.operation().unwrap(),
            device,
            number: desk.number + 1,
            prev: desk.prev,
            roster: founded().views[desk.view].hash(),
            body: [0; 32],
        };
        let parts = Parts { header: &header, entry: &bytes };
        let (envelope, opened) = Envelope::seal(&record_key(), &signer, link, parts).unwrap();
        let opened = Arc::new(opened);
        (desk.number, desk.prev) = (link.number, opened.envelope);
        let (roster, marks) = (&founded().roster, ChainMarks::default());
        desk.record.add(opened.clone(), &Ground { roster, marks: &marks });
        self.envelopes.push(envelope);
        self.opened.push(opened.clone());
        opened
    }

    /// The marks of all chains, as one who knows every link sees them.
    fn marks(&self, roster: &Roster) -> ChainMarks {
        marks(self.opened.iter().map(|opened| opened.link), roster)
    }

    fn fold(&self) -> Record {
        let marks = self.marks(&founded().roster);
        Record::fold(the_record(), self.opened.iter().cloned(), &Ground { roster: &founded().roster, marks: &marks })
    }
}

fn marks(links: impl Iterator<Item = Link>, roster: &Roster) -> ChainMarks {
    let mut by_device: BTreeMap<_, Vec<Link>> = BTreeMap::new();
    for link in links {
        by_device.entry(link.device).or_default().push(link);
    }
    let mut all = ChainMarks::default();
    for links in by_device.values() {
        let found = chain_marks(links, roster);
        all.forked.extend(found.forked);
        all.went_back.extend(found.went_back);
    }
    all
}

fn grant(name: &str) -> Grant {
    let to = GrantTo::Agency { id: agency(name), epoch: 1 };
    Grant { to, key: record_key().id(&the_record()), wrap: Hash32([8; 32]) }
}
fn amend(field: &str, value: i64, settles: Vec<EntryId>) -> Action {
    Action::Amend(Amend { set: [(field.to_owned(), FieldValue::Number(value))].into(), settles })
}
fn refer() -> Action {
    Action::Refer(Refer {
        to: agency("police"),
        ask: Ask::Respond,
        respond_by_ms: None,
        text: None,
        grants: vec![grant("police")],
    })
}
fn answer(referral: EntryId, step: ReferralState) -> Action {
    Action::Answer(Answer { referral, step, reason: Some("so".into()), outcome: None })
}

/// What must not change of an entry, whatever happens to others.
fn content(record: &Record) -> BTreeMap<EntryId, (seal::DeviceId, Option<Entry>, Vec<u8>)> {
    let of = |entry: &logbook::Judged| {
        (entry.opened.link.device, entry.entry.as_deref().cloned(), entry.opened.entry.clone())
    };
    record.entries().iter().map(|entry| (entry.opened.id, of(entry))).collect()
}

/// The live values of each field, worked out anew from the entries that count: every statement
/// replaces what lies in its history, unless that was disputed and is not named.
fn live_fields(record: &Record) -> BTreeMap<String, BTreeSet<EntryId>> {
    let mut before: BTreeMap<EntryId, BTreeSet<EntryId>> = BTreeMap::new();
    let mut live: BTreeMap<String, Vec<(EntryId, FieldValue)>> = BTreeMap::new();
    for judged in record.entries() {
        let mut seen = BTreeSet::new();
        for head in &judged.opened.header.heads {
            seen.insert(*head);
            seen.extend(before.get(head).into_iter().flatten());
        }
        let nothing = Vec::new();
        let (set, settles): (Vec<(String, FieldValue)>, &Vec<EntryId>) =
            match judged.entry.as_deref().map(|e| &e.action) {
                Some(Action::Create(create)) => (create.fields.clone().into_iter().collect(), &nothing),
                Some(Action::Amend(amend)) => (amend.set.clone().into_iter().collect(), &amend.settles),
                Some(Action::Assign(assign)) => (vec![("assigned".into(), assign.to.clone().into())], &nothing),
                _ => (vec![], &nothing),
            };
        for (name, value) in set.into_iter().filter(|_| judged.status.counts()) {
            let held = live.entry(name).or_default();
            let known: BTreeSet<&FieldValue> =
                held.iter().filter(|(id, _)| seen.contains(id)).map(|(_, value)| value).collect();
            let disputed = known.len() > 1;
            held.retain(|(id, _)| !seen.contains(id) || (disputed && !settles.contains(id)));
            held.push((judged.opened.id, value));
        }
        before.insert(judged.opened.id, seen);
    }
    live.into_iter().map(|(name, held)| (name, held.into_iter().map(|(id, _)| id).collect())).collect()
}

fn held_fields(record: &Record) -> BTreeMap<String, BTreeSet<EntryId>> {
    let of = |live: &[logbook::record_state::Assigned]| live.iter().map(|held| held.mark.entry).collect();
    record.state().fields().map(|(name, live)| (name.to_owned(), of(live))).collect()
}

/// Every entry is there once with one status; nothing that does not count has any effect.
fn sound(record: &Record, given: &BTreeSet<EntryId>) -> Result<(), TestCaseError> {
    let ids: Vec<EntryId> = record.entries().iter().map(|entry| entry.opened.id).collect();
    prop_assert_eq!(ids.len(), given.len());
    prop_assert_eq!(&ids.iter().copied().collect::<BTreeSet<_>>(), given);
    let order: Vec<_> = record.entries().iter().map(|e| (e.opened.header.depth, e.opened.id)).collect();
    prop_assert!(order.is_sorted(), "fold order");
    let waiting = record.entries().iter().filter(|entry| entry.status == Status::Waiting).count();
    prop_assert_eq!(record.waiting(), waiting);
    for entry in record.entries() {
        prop_assert!(entry.status == Status::Valid || entry.reason.is_some(), "what does not count says why");
    }
    let counts = |id: &EntryId| record.entry(id).is_some_and(|entry| entry.status.counts());
    let state = record.state();
    for (name, live) in state.fields() {
        prop_assert!(live.iter().all(|held| counts(&held.mark.entry)), "{}", name);
    }
    prop_assert!(state.notes.iter().all(|note| counts(&note.mark.entry)));
    prop_assert!(state.incident.steps().iter().all(|step| counts(&step.mark.entry)));
    prop_assert!(state.referrals.keys().all(counts));
    for referral in state.referrals.values() {
        prop_assert!(referral.flow.steps().iter().all(|step| counts(&step.mark.entry)));
    }
    prop_assert_eq!(held_fields(record), live_fields(record));
    Ok(())
}

fn ids(opened: &[Arc<Opened>]) -> BTreeSet<EntryId> {
    opened.iter().map(|opened| opened.id).collect()
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: times("INTACT_CASES", 96) as u32, failure_persistence: None, ..ProptestConfig::default() }
}

/// A permutation of `n`, by sorting numbers.
fn order(n: usize, keys: &[u32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by_key(|at| (keys[at % keys.len()].wrapping_mul(2_654_435_761).rotate_left(*at as u32 % 32), *at));
    order
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_order_and_any_split_give_one_record(
        steps in steps(true),
        keys in prop::collection::vec(any::<u32>(), 1..40),
        split in 1..9usize,
    ) {
        let world = World::grown(&steps);
        let whole = world.fold();
        sound(&whole, &ids(&world.opened))?;
        let marks = world.marks(&founded().roster);
        let ground = Ground { roster: &founded().roster, marks: &marks };
        let order = order(world.opened.len(), &keys);
        let mut pieces = Record::new(the_record());
        for piece in order.chunks(split) {
            pieces.add_all(piece.iter().map(|at| world.opened[*at].clone()), &ground);
            // What came before comes again.
            pieces.add_all(piece.iter().take(1).map(|at| world.opened[*at].clone()), &ground);
        }
        prop_assert_eq!(digest(&pieces), digest(&whole));
        let mut one_by_one = Record::new(the_record());
        for at in order.iter().rev() {
            one_by_one.add(world.opened[*at].clone(), &ground);
        }
        prop_assert_eq!(digest(&one_by_one), digest(&whole));
        // Devices that have heard everything hold the same.
        for desk in &world.desks {
            let mut record = desk.record.clone();
            record.add_all(world.opened.iter().cloned(), &ground);
            prop_assert_eq!(digest(&record), digest(&whole), "device {}", desk.who);
        }
        // What was sealed opens to what was folded.
        for (envelope, opened) in world.envelopes.iter().zip(&world.opened) {
            prop_assert_eq!(envelope.link.verify(&envelope.signature), Ok(()));
            prop_assert_eq!(&envelope.open(&record_key()).unwrap(), opened.as_ref());
            prop_assert_eq!(Link::decode(&envelope.link.encode()), Ok(envelope.link));
        }
    }

    #[test]
    fn a_lost_envelope_changes_no_other(steps in steps(true), lost in prop::collection::btree_set(0..29usize, 1..4)) {
        let world = World::grown(&steps);
        let whole = content(&world.fold());
        let kept = world.opened.iter().enumerate().filter(|(at, _)| !lost.contains(at)).map(|(_, one)| one.clone());
        let kept: Vec<Arc<Opened>> = kept.collect();
        let marks = marks(kept.iter().map(|opened| opened.link), &founded().roster);
        let ground = Ground { roster: &founded().roster, marks: &marks };
        let mut record = Record::fold(the_record(), kept.iter().cloned(), &ground);
        sound(&record, &ids(&kept))?;
        for (id, held) in content(&record) {
            prop_assert_eq!(Some(&held), whole.get(&id));
        }
        // When it comes after all, everything is as if it had never been lost.
        record.add_all(world.opened.iter().cloned(), &ground);
        prop_assert_eq!(digest(&record), digest(&world.fold()));
    }

    #[test]
    fn an_altered_envelope_is_refused(steps in steps(false), which in any::<prop::sample::Index>(), bit in any::<prop::sample::Index>()) {
        let world = World::grown(&steps);
        let envelope = which.get(&world.envelopes);
        let flip = |bytes: &mut [u8]| {
            let at = bit.index(bytes.len() * 8);
            bytes[at / 8] ^= 1 << (at % 8);
        };
        let mut body = envelope.body.clone().unwrap();
        flip(&mut body);
        let altered = Envelope { body: Some(body), ..envelope.clone() };
        prop_assert!(altered.open(&record_key()).is_err());
        let mut link = envelope.link.encode();
        flip(&mut link);
        if let Ok(link) = Link::decode(&link) {
            prop_assert_eq!(link.verify(&envelope.signature), Err(SealError::BadSignature));
        }
        let mut signature = envelope.signature;
        flip(&mut signature.0);
        prop_assert_eq!(envelope.link.verify(&signature), Err(SealError::BadSignature));
        // A body under another's link does not open either.
        for other in world.envelopes.iter().filter(|other| other.id() != envelope.id()) {
            let swapped = Envelope { body: other.body.clone(), ..envelope.clone() };
            prop_assert!(swapped.open(&record_key()).is_err());
        }
    }

    #[test]
    fn a_forged_envelope_changes_no_other(
        steps in steps(true),
        at in any::<prop::sample::Index>(),
        depth in 0..3u64,
        number in 1..4u64,
        lie in 0..5usize,
    ) {
        let world = World::grown(&steps);
        let whole = world.fold();
        // A stranger who has the record key but no place in the roster; or a member who lies about
        // its operator, its record, its depth, or who sends the same change twice.
        let model = at.get(&world.opened);
        let who = DEVICES.iter().position(|(seed, ..)| {
            SigningKey::from_seed(&[*seed; 32]).device_id() == model.link.device
        }).unwrap();
        let signer = if lie == 0 { SigningKey::from_seed(&[77; 32]) } else { key_of(who) };
        let mut header = model.header.clone();
        let mut link = Link { device: signer.device_id(), number: 1000, prev: EnvelopeId([5; 32]), ..model.link };
        match lie {
            0 => link.number = 1000 + number,
            1 => header.operator = OperatorId([99; 16]),
            2 => header.record = RecordId([3; 16]),
            3 => {
                header.heads = vec![model.id];
                header.depth = model.header.depth + 2 + depth;
                header.number += 1000;
            }
            _ => {}
        }
        let parts = Parts { header: &header, entry: &model.entry };
        let (envelope, forged) = Envelope::seal(&record_key(), &signer, link, parts).unwrap();
        prop_assert_eq!(envelope.link.verify(&envelope.signature), Ok(()));
        // In another's name it cannot be signed at all.
        let name = Link { device: key_of((who + 1) % 3).device_id(), ..envelope.link };
        prop_assert_eq!(name.verify(&name.sign(&signer)), Err(SealError::BadSignature));
        let forged = Arc::new(forged);
        let mut all = world.opened.clone();
        all.push(forged.clone());
        // The forged link's chain is not judged here: what its author wrote before must not depend on it.
        let marks = world.marks(&founded().roster);
        let ground = Ground { roster: &founded().roster, marks: &marks };
        let record = Record::fold(the_record(), all.iter().cloned(), &ground);
        let mut late = whole.clone();
        late.add(forged.clone(), &ground);
        prop_assert_eq!(digest(&record), digest(&late));
        sound(&record, &ids(&all))?;
        let after = content(&record);
        for (id, held) in content(&whole) {
            prop_assert_eq!(after.get(&id), Some(&held));
            prop_assert_eq!(record.entry(&id).unwrap().status, whole.entry(&id).unwrap().status);
        }
        prop_assert_eq!(held_fields(&record), held_fields(&whole));
        prop_assert_eq!(record.heads(), whole.heads());
        if forged.id == model.id {
            // The change does not hold the operator: its first envelope says who acted.
            prop_assert!(lie == 1 || lie == 4);
            prop_assert_eq!(digest(&record), digest(&whole), "the same change is the same entry, said once");
        } else {
            prop_assert_eq!(record.entry(&forged.id).unwrap().status, Status::Rejected);
        }
    }

    #[test]
    fn every_entry_has_one_status_whatever_is_known(
        steps in steps(true),
        known in prop::collection::vec(any::<bool>(), 29),
        copied in prop::option::of(steps(true)),
        variant in 0..6usize,
        cut in 0..8u64,
    ) {
        let mut world = World::grown(&steps);
        if let Some(more) = &copied {
            // A copy of the second device's vault is started again: one number, two links.
            let copy = World::grown(&steps[..steps.len() / 2]).desks.swap_remove(SECOND);
            let original = std::mem::replace(&mut world.desks[SECOND], copy);
            for step in more.iter().filter(|step| step.who == SECOND).take(4) {
                world.take(step);
            }
            world.desks[SECOND] = original;
        }
        let founded = founded();
        let chain: Vec<&Arc<Opened>> =
            world.opened.iter().filter(|opened| opened.link.device == key_of(SECOND).device_id()).collect();
        let at = chain.iter().find(|opened| opened.link.number == cut).map(|opened| Cut { number: cut, head: opened.envelope });
        let mut partial = Roster::new();
        match variant {
            0 => partial = founded.roster.clone(),
            // The newer view and the change that it shows are not here.
            1 => drop(partial.add_all(founded.early.iter().cloned())),
            // The views alone are not here.
            2 => {
                let objects = founded.early.iter().chain(&founded.later).cloned();
                drop(partial.add_all(objects.filter(|object| !matches!(object, RosterObject::View(_)))));
            }
            // The second device is revoked, after some entry, or from the start.
            3 => partial = revoking(at),
            // Nothing of the police's chain is here.
            4 => {
                let objects = founded.roster.objects().into_iter();
                let police = |object: &RosterObject| matches!(object, RosterObject::Chain(c) if c.body.contains("\"police\""));
                drop(partial.add_all(objects.filter(|object| !police(object))));
            }
            _ => {}
        }
        let some: Vec<Arc<Opened>> =
            world.opened.iter().enumerate().filter(|(at, _)| known[at % known.len()]).map(|(_, one)| one.clone()).collect();
        let known_marks = marks(some.iter().map(|opened| opened.link), &partial);
        let mut record =
            Record::fold(the_record(), some.iter().cloned(), &Ground { roster: &partial, marks: &known_marks });
        sound(&record, &ids(&some))?;
        // What comes later heals it: the same as folding everything at once, in the roster of the end.
        let last = if variant == 3 { &partial } else { &founded.roster };
        let all_marks = world.marks(last);
        let ground = Ground { roster: last, marks: &all_marks };
        record.add_all(world.opened.iter().cloned(), &ground);
        record.judge_again(&ground);
        sound(&record, &ids(&world.opened))?;
        let whole = Record::fold(the_record(), world.opened.iter().cloned(), &ground);
        prop_assert_eq!(digest(&record), digest(&whole));
        prop_assert_eq!(whole.waiting(), 0);
        for entry in whole.entries().iter().filter(|_| variant == 3) {
            let late = entry.opened.link.device == key_of(SECOND).device_id() && entry.opened.link.number > at.map_or(0, |at| at.number);
            prop_assert!(!late || !entry.status.counts(), "nothing counts after the cut");
        }
        for id in &all_marks.forked {
            let entry = whole.entries().iter().find(|entry| entry.opened.envelope == *id).unwrap();
            prop_assert!(!entry.status.counts(), "nothing counts beyond a fork that nobody settled");
        }
    }

    #[test]
    fn a_dispute_stays_until_it_is_settled_by_name(
        steps in steps(false),
        settled in prop::collection::vec(any::<bool>(), 12),
        field in 0..3usize,
        more in 0..4usize,
    ) {
        let mut world = World::grown(&steps);
        for other in [SECOND, POLICE] {
            world.hear(FIRST, other);
            world.hear(other, FIRST);
        }
        // Two devices that have not heard of each other.
        world.sign(FIRST, amend(FIELDS[field], 1, vec![]));
        world.sign(SECOND, amend(FIELDS[field], 2, vec![]));
        world.hear(FIRST, SECOND);
        let live = |world: &World| held_fields(&world.desks[FIRST].record).remove(FIELDS[field]).unwrap();
        let disputed = |world: &World| {
            world.desks[FIRST].record.state().disputes().any(|(name, _)| name == FIELDS[field])
        };
        prop_assert!(disputed(&world));
        for _ in 0..more {
            // Whoever knows of the dispute and names nothing adds a voice to it.
            let before = live(&world);
            let added = world.sign(FIRST, amend(FIELDS[field], 1, vec![]));
            let mut after = before.clone();
            after.insert(added.id);
            prop_assert_eq!(live(&world), after);
            prop_assert!(disputed(&world));
        }
        let before = live(&world);
        let named: Vec<EntryId> =
            before.iter().enumerate().filter(|(at, _)| settled[at % settled.len()]).map(|(_, id)| *id).collect();
        let last = world.sign(FIRST, amend(FIELDS[field], 3, named.clone()));
        let mut after: BTreeSet<EntryId> = before.iter().filter(|id| !named.contains(id)).copied().collect();
        after.insert(last.id);
        prop_assert_eq!(live(&world), after);
        let all: Vec<EntryId> = live(&world).into_iter().collect();
        let end = world.sign(FIRST, amend(FIELDS[field], 4, all));
        prop_assert_eq!(live(&world), BTreeSet::from([end.id]));
        prop_assert!(!disputed(&world));
        prop_assert_eq!(world.desks[FIRST].record.state().agreed(FIELDS[field]), Some(&FieldValue::Number(4)));
        let whole = world.fold();
        prop_assert_eq!(held_fields(&whole).remove(FIELDS[field]).unwrap(), BTreeSet::from([end.id]));
    }

    #[test]
    fn an_acceptance_stands_over_a_recall_that_did_not_know_of_it(
        steps in steps(false),
        keys in prop::collection::vec(any::<u32>(), 1..40),
        declines in any::<bool>(),
        seen_first in any::<bool>(),
    ) {
        let mut world = World::grown(&steps);
        for _ in 0..2 {
            for (who, other) in [(FIRST, SECOND), (FIRST, POLICE), (POLICE, FIRST)] {
                world.hear(who, other);
            }
        }
        let referral = world.state(FIRST, refer()).expect("the owner's desk may ask").id;
        world.hear(POLICE, FIRST);
        if seen_first {
            world.state(POLICE, answer(referral, ReferralState::Seen)).expect("the asked may look");
        }
        let reply = if declines { ReferralState::Declined } else { ReferralState::Accepted };
        let replied = world.state(POLICE, answer(referral, reply)).expect("the asked may answer");
        let recalled = world.state(FIRST, answer(referral, ReferralState::Recalled)).expect("the asker may recall");
        let marks = ChainMarks::default();
        let ground = Ground { roster: &founded().roster, marks: &marks };
        let mut shuffled = Record::new(the_record());
        for at in order(world.opened.len(), &keys) {
            shuffled.add(world.opened[at].clone(), &ground);
        }
        world.hear(FIRST, POLICE);
        world.hear(POLICE, FIRST);
        for record in [&shuffled, &world.fold(), &world.desks[FIRST].record, &world.desks[POLICE].record] {
            let flow = &record.state().referrals[&referral].flow;
            prop_assert_eq!(flow.state(), reply, "the answer stands over the recall");
            prop_assert!(flow.disputed(), "and the recall is shown");
            let current: BTreeSet<EntryId> = flow.current().map(|step| step.mark.entry).collect();
            prop_assert_eq!(current, BTreeSet::from([replied.id, recalled.id]));
            prop_assert!(record.entry(&recalled.id).unwrap().reason.is_none(), "both steps had an effect");
        }
        // Whoever has seen the acceptance is bound by it: it is done or given back, not declined.
        prop_assert!(world.state(POLICE, answer(referral, ReferralState::Declined)).is_none());
        let next = if declines { ReferralState::Closed } else { ReferralState::Done };
        let by = if declines { FIRST } else { POLICE };
        world.state(by, answer(referral, next)).expect("the flow goes on from what stands");
        prop_assert_eq!(world.fold().state().referrals[&referral].flow.state(), next);
        prop_assert!(!world.fold().state().referrals[&referral].flow.disputed());
    }
}
