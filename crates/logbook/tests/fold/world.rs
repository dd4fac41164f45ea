//! A small world with fixed keys: an EMB, the police and a court, each with its devices.

use std::collections::BTreeMap;
use std::sync::Arc;

use logbook::action::{Action, Amend, Create, Grant, GrantTo, Note, RecordKind};
use logbook::digest::digest;
use logbook::document::heads_agree;
use logbook::roster::{
    AgencyRecord, ChainAction, ChainEntry, Cut, Enrol, Epoch, NameOpening, Revoke, RosterObject, SignedChainEntry,
    SignedEpoch, name_commitment,
};
use logbook::status::{ChainMarks, chain_marks};
use logbook::{AgencyId, AgencyKind, Entry, FieldValue, Fields, Ground, Record, Role, Roster};
use seal::{
    ClockConfidence, Envelope, EnvelopeId, Hash32, Header, Identity, KeyId, Link, Opened, OperationId, OperatorId,
    Parts, RecordId, RecordKey, RosterHash, SigningKey,
};

/// A device of the world, and the end of its chain.
#[derive(Clone)]
pub struct Device {
    pub key: SigningKey,
    pub operator: OperatorId,
    pub role: &'static str,
    pub number: u64,
    pub prev: EnvelopeId,
}

/// What a device puts into an envelope, before anybody bends it.
pub struct Made {
    pub header: Header,
    pub link: Link,
    pub entry: Vec<u8>,
}

/// The world.
#[derive(Clone)]
pub struct World {
    pub roster: Roster,
    pub operation: OperationId,
    pub devices: Vec<Device>,
    pub record: RecordId,
    pub links: Vec<Link>,
    salt: u64,
}

/// Devices by their place in [`World::devices`].
pub const DESK: usize = 0;
pub const FIELD: usize = 1;
pub const COMMANDER: usize = 2;
pub const REGISTRAR: usize = 3;
pub const ADJUDICATOR: usize = 4;
pub const POLICE: usize = 5;
pub const CHIEF: usize = 6;
pub const COURT: usize = 7;

const CAST: [(&str, &[Role], &str); 8] = [
    ("emb", &[Role::Desk, Role::Admin], "desk"),
    ("emb", &[Role::Field], "field"),
    ("emb", &[Role::Commander], "commander"),
    ("emb", &[Role::Registrar], "registrar"),
    ("emb", &[Role::Adjudicator], "adjudicator"),
    ("police", &[Role::Desk, Role::Admin], "desk"),
    ("police", &[Role::Commander], "commander"),
    ("court", &[Role::Desk, Role::Admin], "desk"),
];

pub fn id(agency: &str) -> AgencyId {
    agency.parse().unwrap()
}

/// A grant of a key to an agency.
pub fn grant_of(agency: &str, key: u8) -> Grant {
    Grant { to: GrantTo::Agency { id: id(agency), epoch: 1 }, key: KeyId([key; 16]), wrap: Hash32([key; 32]) }
}

/// A grant of the record's first key to an agency.
pub fn grant(agency: &str) -> Grant {
    grant_of(agency, 1)
}

pub fn fields<const N: usize>(given: [(&str, FieldValue); N]) -> Fields {
    BTreeMap::from(given.map(|(name, value)| (name.to_owned(), value)))
}

pub fn amend<const N: usize>(given: [(&str, FieldValue); N]) -> Action {
    Action::Amend(Amend { set: fields(given), settles: Vec::new() })
}

pub fn note(text: &str) -> Action {
    Action::Note(Note { text: text.into() })
}

pub fn enrolment(seed: u8, roles: &[Role], agency: &str) -> (Enrol, SigningKey) {
    let key = SigningKey::from_seed(&[seed; 32]);
    let operator = OperatorId([seed; 16]);
    let name = NameOpening { operator, name: "N".into(), salt: "00".repeat(16) };
    let network = SigningKey::from_seed(&[seed + 100; 32]).public();
    let enrol = Enrol {
        device: key.device_id(),
        name: format!("{agency} {seed}"),
        network_key: Hash32(network),
        network_signature: Enrol::certify(&key, &network),
        recipient: Identity::from_bytes(&[seed; 32]).unwrap().recipient(),
        operator,
        operator_commitment: name_commitment(&name),
        roles: {
            let mut roles = roles.to_vec();
            roles.sort();
            roles
        },
        unit: None,
    };
    (enrol, key)
}

const NONCE: &str = "11111111111111111111111111111111";

impl World {
    pub fn new() -> Self {
        let mut roster = Roster::new();
        let cast: Vec<(Enrol, SigningKey)> =
            (1..).zip(CAST).map(|(seed, (agency, roles, _))| enrolment(seed, roles, agency)).collect();
        let agency = |name: &str, kind, root: u8, at: usize| AgencyRecord {
            id: id(name),
            kind,
            name: name.into(),
            root: Hash32(SigningKey::from_seed(&[root; 32]).public()),
            admins: vec![cast[at].0.device],
            recipient: cast[at].0.recipient.clone(),
            hierarchy: None,
        };
        let agencies = vec![
            agency("court", AgencyKind::Court, 52, COURT),
            agency("emb", AgencyKind::Emb, 50, DESK),
            agency("police", AgencyKind::Police, 51, POLICE),
        ];
        let epoch = Epoch {
            v: 1,
            operation_name: "T".into(),
            exercise: false,
            number: 1,
            prev: None,
            nonce: "00".repeat(16),
            agencies,
            rules: None,
            at_ms: 0,
        };
        let mut signed = SignedEpoch::propose(&epoch);
        for (name, root) in [("emb", 50), ("police", 51), ("court", 52)] {
            signed.sign(&id(name), &SigningKey::from_seed(&[root; 32]));
        }
        roster.add(RosterObject::Epoch(signed)).unwrap();
        let operation = roster.operation().unwrap();
        let devices: Vec<Device> = cast
            .iter()
            .zip(CAST)
            .map(|((enrol, key), (.., role))| Device {
                key: key.clone(),
                operator: enrol.operator,
                role,
                number: 0,
                prev: EnvelopeId([0; 32]),
            })
            .collect();
        let record = logbook::action::create::record_id(&devices[DESK].key.device_id(), NONCE);
        let mut world = Self { roster, operation, devices, record, links: Vec::new(), salt: 0 };
        for ((enrol, _), (agency, ..)) in cast.into_iter().zip(CAST) {
            world.chain(agency, ChainAction::Enrol(enrol));
        }
        world
    }

    fn admin(&self, agency: &str) -> SigningKey {
        let at = match agency {
            "emb" => DESK,
            "police" => POLICE,
            _ => COURT,
        };
        self.devices[at].key.clone()
    }

    /// Adds to an agency's chain, and publishes the view that follows.
    pub fn chain(&mut self, agency: &str, action: ChainAction) {
        let (number, prev) = self.roster.chain_head(&id(agency));
        let entry = ChainEntry { v: 1, agency: id(agency), number: number + 1, prev, at_ms: 0, action };
        self.roster.add(RosterObject::Chain(SignedChainEntry::sign(&entry, &self.admin(agency)))).unwrap();
        self.roster.add(RosterObject::View(self.roster.current_view().unwrap())).unwrap();
    }

    /// Enrols one more device; gives back its place.
    pub fn enrol(&mut self, agency: &str, key: SigningKey, roles: &[Role]) -> usize {
        let (mut enrol, _) = enrolment(9, roles, agency);
        enrol.device = key.device_id();
        enrol.network_signature = Enrol::certify(&key, &enrol.network_key.0);
        let role = roles[0].code();
        let operator = enrol.operator;
        self.devices.push(Device { key, operator, role, number: 0, prev: EnvelopeId([0; 32]) });
        self.chain(agency, ChainAction::Enrol(enrol));
        self.devices.len() - 1
    }

    pub fn revoke(&mut self, who: usize, cut: Option<Cut>) {
        let agency = CAST[who].0;
        let device = self.devices[who].key.device_id();
        let revoke = Revoke { device, cut, reason: "stolen".into(), effective_ms: 0, second: None };
        self.chain(agency, ChainAction::Revoke(revoke));
    }

    pub fn view(&self) -> RosterHash {
        self.roster.current_view().unwrap().hash()
    }

    /// An incident of the EMB's desk, whose desks hold its first key.
    pub fn create(&self, kind: RecordKind, set: Fields, grants: Vec<Grant>) -> Action {
        let (owner, reference) = (id("emb"), "EMB-1-0001".to_owned());
        Action::Create(Create { kind, nonce: NONCE.into(), owner, reference, parent: None, fields: set, grants })
    }

    pub fn incident(&self) -> Action {
        let set = fields([("summary", "S".into()), ("severity", 3.into())]);
        self.create(RecordKind::Incident, set, vec![grant("emb")])
    }

    /// Makes the record one that this device creates.
    pub fn adopt(&mut self, who: usize) {
        self.record = logbook::action::create::record_id(&self.devices[who].key.device_id(), NONCE);
    }

    /// What a device would put into an envelope, knowing what is in `seen`.
    pub fn make(&mut self, who: usize, seen: &Record, action: Action) -> Made {
        self.salt += 1;
        let salt = seal::hash::tagged("salt", &[&self.salt.to_be_bytes()]);
        let entry = Entry::new(salt[..16].try_into().unwrap(), action);
        self.make_raw(who, seen, entry.encode(), Some(entry))
    }

    /// As [`World::make`], of any bytes.
    pub fn make_raw(&mut self, who: usize, seen: &Record, bytes: Vec<u8>, entry: Option<Entry>) -> Made {
        let device = &self.devices[who];
        let fields_root = entry.map_or([0; 32], |entry| Entry::fields_root(&entry.salt.0, &bytes).unwrap());
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
            fields_root,
        };
        let link = Link {
            operation: self.operation,
            device: device.key.device_id(),
            number: device.number + 1,
            prev: device.prev,
            roster: self.view(),
            body: [0; 32],
        };
        Made { header, link, entry: bytes }
    }

    /// Signs and seals; moves no chain.
    pub fn sign(&mut self, who: usize, made: &Made) -> Arc<Opened> {
        let parts = Parts { header: &made.header, entry: &made.entry };
        let key = RecordKey::from_bytes([9; 32]);
        let (_, opened) = Envelope::seal(&key, &self.devices[who].key, made.link, parts).unwrap();
        self.links.push(opened.link);
        Arc::new(opened)
    }

    /// Signs, seals, and continues the device's chain.
    pub fn seal(&mut self, who: usize, made: &Made) -> Arc<Opened> {
        let opened = self.sign(who, made);
        self.devices[who].number = opened.link.number;
        self.devices[who].prev = opened.envelope;
        opened
    }

    /// Seals an entry once more, in another place of its device's chain.
    pub fn seal_again(&mut self, who: usize, opened: &Opened, number: u64, prev: EnvelopeId) -> Arc<Opened> {
        let link = Link { number, prev, ..opened.link };
        self.sign(who, &Made { header: opened.header.clone(), link, entry: opened.entry.clone() })
    }

    /// A device states something, knowing what is in `seen`.
    pub fn state(&mut self, who: usize, seen: &Record, action: Action) -> Arc<Opened> {
        let made = self.make(who, seen, action);
        self.seal(who, &made)
    }

    /// What the chains say, over every link that was ever signed.
    pub fn marks(&self) -> ChainMarks {
        let mut marks = ChainMarks::default();
        for device in &self.devices {
            let own = |link: &&Link| link.device == device.key.device_id();
            let links: Vec<Link> = self.links.iter().filter(own).copied().collect();
            let found = chain_marks(&links, &self.roster);
            marks.forked.extend(found.forked);
            marks.went_back.extend(found.went_back);
        }
        marks
    }

    pub fn fold(&self, entries: &[Arc<Opened>]) -> Record {
        let marks = self.marks();
        Record::fold(self.record, entries.iter().cloned(), &Ground { roster: &self.roster, marks: &marks })
    }

    /// Folds the same entries shuffled, and handed over in parts.
    pub fn fold_shuffled(&self, entries: &[Arc<Opened>], shuffle: u64, parts: usize) -> Record {
        let marks = self.marks();
        let mut order = entries.to_vec();
        order.sort_by_key(|opened| seal::hash::tagged("shuffle", &[&shuffle.to_be_bytes(), &opened.envelope.0]));
        let mut record = Record::new(self.record);
        for part in order.chunks(order.len().div_ceil(parts)) {
            record.add_all(part.iter().cloned(), &Ground { roster: &self.roster, marks: &marks });
        }
        record
    }
}

/// The play of one record: what was written so far, and what everyone knows of it.
pub struct Play {
    pub world: World,
    pub all: Vec<Arc<Opened>>,
}

impl Play {
    /// A record that the EMB's desk opened.
    pub fn new() -> Self {
        let world = World::new();
        let first = world.incident();
        Self::opened(world, first)
    }

    pub fn opened(mut world: World, create: Action) -> Self {
        let empty = Record::new(world.record);
        let first = world.state(DESK, &empty, create);
        Self { world, all: vec![first] }
    }

    pub fn fold(&self) -> Record {
        self.world.fold(&self.all)
    }

    /// A device that has seen everything states something.
    pub fn state(&mut self, who: usize, action: Action) -> Arc<Opened> {
        let seen = self.fold();
        self.state_having_seen(who, &seen, action)
    }

    /// A device that has seen only this states something.
    pub fn state_having_seen(&mut self, who: usize, seen: &Record, action: Action) -> Arc<Opened> {
        let opened = self.world.state(who, seen, action);
        self.all.push(opened.clone());
        opened
    }

    /// The fold of everything, having checked that no order of arrival gives another one.
    pub fn settled(&self) -> Record {
        let whole = self.fold();
        for shuffle in 0..8 {
            let other = self.world.fold_shuffled(&self.all, shuffle, 1 + shuffle as usize);
            assert_eq!(digest(&whole), digest(&other), "another order of arrival gives another record");
        }
        // In the order of writing, one by one, as they mostly come.
        let marks = self.world.marks();
        let ground = Ground { roster: &self.world.roster, marks: &marks };
        let mut one_by_one = Record::new(self.world.record);
        self.all.iter().for_each(|opened| one_by_one.add(opened.clone(), &ground));
        assert_eq!(digest(&whole), digest(&one_by_one), "coming one by one they give another record");
        assert_eq!(whole.heads(), one_by_one.heads());
        assert!(heads_agree(&whole), "Automerge finds other heads");
        whole
    }

    /// The status that the fold of everything gives an entry, and why.
    pub fn status(&self, opened: &Opened) -> (logbook::Status, Option<String>) {
        let record = self.settled();
        let judged = record.entry(&opened.id).expect("it is in the record");
        (judged.status, judged.reason.clone())
    }
}
