//! An operation with two agencies, a record that both write in, and its dossier.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use dossier::layout::Elsewhere;
use dossier::{DossierSource, Exported, Original, SourceRecord, TrustFile, export};
use logbook::action::{Amend, Create, Exhibit, Grant, GrantTo, Note, RecordKind, Relate, Relation};
use logbook::roster::{
    AgencyKind, AgencyRecord, ChainAction, ChainEntry, Cut, Enrol, Epoch, NameOpening, Revoke, Role, RosterObject,
    SignedChainEntry, SignedEpoch, accept, name_commitment,
};
use logbook::{Action, AgencyId, Entry, FieldValue, Roster};
use seal::envelope::Parts;
use seal::{
    ClockConfidence, EntryId, Envelope, EnvelopeId, Hash32, Header, Identity, KeyId, Link, Opened, OperatorId,
    RecordId, RecordKey, RosterHash, Signature, SigningKey,
};

/// A device and where its chain stands.
#[derive(Clone)]
pub struct Author {
    pub key: SigningKey,
    pub operator: OperatorId,
    pub role: Role,
    number: u64,
    prev: EnvelopeId,
    in_record: u64,
}

/// In what respect an entry is not what an honest device writes.
pub struct Odd {
    /// The entry's version.
    pub v: u8,
    /// What is changed in the header.
    pub header: fn(&mut Header),
    /// The roster that its link cites.
    pub roster: Option<RosterHash>,
}

impl Default for Odd {
    fn default() -> Self {
        Self { v: 1, header: |_| {}, roster: None }
    }
}

/// The operation, and what was written.
#[derive(Clone)]
pub struct Story {
    pub roster: Roster,
    pub emb: Author,
    pub court: Author,
    pub entries: Vec<Arc<Opened>>,
    pub links: Vec<(Link, Signature)>,
    pub record: RecordId,
    pub files: BTreeMap<EntryId, Vec<u8>>,
    emb_root: SigningKey,
    chain: BTreeMap<String, (u64, seal::ChainEntryId)>,
    record_key: RecordKey,
    heads: Vec<EntryId>,
    depth: u64,
    salt: u8,
}

fn id(text: &str) -> AgencyId {
    text.parse().expect("an agency id")
}

fn agency(name: &str, kind: AgencyKind, root: &SigningKey, admin: &SigningKey) -> AgencyRecord {
    AgencyRecord {
        id: id(name),
        kind,
        name: format!("The {name}"),
        root: Hash32(root.public()),
        admins: vec![admin.device_id()],
        recipient: Identity::generate().recipient(),
        hierarchy: None,
    }
}

impl Author {
    fn new(seed: u8, role: Role) -> Self {
        Self {
            key: SigningKey::from_seed(&[seed; 32]),
            operator: OperatorId([seed; 16]),
            role,
            number: 0,
            prev: EnvelopeId([0; 32]),
            in_record: 0,
        }
    }
    fn name(&self) -> NameOpening {
        NameOpening { operator: self.operator, name: format!("Operator <{}>", self.role), salt: "0".repeat(32) }
    }
}

impl Story {
    /// Two agencies, a device each; an incident with a note, an amendment that the two dispute, two exhibits
    /// and a link elsewhere.
    pub fn new() -> Self {
        let mut story = Self::founded();
        let image = vec![0xff; 70_000];
        story.create("07");
        story.write(true, Action::Note(Note { text: "Box replaced at 20:55, seal 88213. =1+1".into() }));
        story.exhibit(true, "photo one.JPG", &image);
        let fork = (story.heads.clone(), story.depth);
        story.write(true, amend("place", "north door"));
        let after = story.heads.clone();
        (story.heads, story.depth) = fork;
        story.write(false, amend("place", "south door"));
        story.heads.extend(after);
        story.heads.sort();
        story.exhibit(false, "..\\..\\evil", b"text");
        story.write(false, Action::Note(Note { text: "<b>ünder review</b>\u{202e}".into() }));
        let relate = Relate {
            relation: Relation::Related,
            to: RecordId([9; 16]),
            reference: "EMB-0421-0099".into(),
            undo: false,
        };
        story.write(true, Action::Relate(relate));
        story
    }

    /// The roster alone.
    pub fn founded() -> Self {
        let (emb, court) = (Author::new(1, Role::Desk), Author::new(2, Role::Desk));
        let (emb_root, court_root) = (SigningKey::from_seed(&[11; 32]), SigningKey::from_seed(&[12; 32]));
        let epoch = Epoch {
            v: 1,
            operation_name: "Parliamentary election".into(),
            exercise: false,
            number: 1,
            prev: None,
            nonce: "0".repeat(32),
            agencies: vec![
                agency("court", AgencyKind::Court, &court_root, &court.key),
                agency("emb", AgencyKind::Emb, &emb_root, &emb.key),
            ],
            rules: None,
            at_ms: 1_000,
        };
        let mut signed = SignedEpoch::propose(&epoch);
        signed.sign(&id("emb"), &emb_root);
        signed.sign(&id("court"), &court_root);
        signed.add_acceptance(accept(&signed.body.clone(), &id("emb"), &emb_root));
        let mut roster = Roster::new();
        roster.add(RosterObject::Epoch(signed)).expect("an epoch");
        let mut story = Self {
            roster,
            emb,
            court,
            entries: Vec::new(),
            links: Vec::new(),
            record: RecordId([0; 16]),
            files: BTreeMap::new(),
            emb_root,
            chain: BTreeMap::new(),
            record_key: RecordKey::from_bytes([5; 32]),
            heads: Vec::new(),
            depth: 0,
            salt: 0,
        };
        story.enrol("emb");
        story.enrol("court");
        story
    }

    fn enrol(&mut self, agency: &str) {
        let author = if agency == "emb" { &self.emb } else { &self.court };
        let (key, opening) = (author.key.clone(), author.name());
        let enrol = self.enrolment(agency, &author.operator);
        self.roster.add(RosterObject::Name(opening)).expect("a name");
        self.chain_entry(agency, ChainAction::Enrol(enrol), &key);
    }

    /// Of the device that stands for an agency just now.
    fn enrolment(&self, agency: &str, operator: &OperatorId) -> Enrol {
        let author = if agency == "emb" { &self.emb } else { &self.court };
        let network = [author.key.public()[0]; 32];
        let opening = author.name();
        Enrol {
            device: author.key.device_id(),
            name: format!("{agency} 1"),
            network_key: Hash32(network),
            network_signature: Enrol::certify(&author.key, &network),
            recipient: Identity::generate().recipient(),
            operator: *operator,
            operator_commitment: name_commitment(&opening),
            roles: vec![Role::Desk, Role::Admin],
            unit: None,
        }
    }

    /// Appends to an agency's chain.
    pub fn chain_entry(&mut self, agency: &str, action: ChainAction, by: &SigningKey) {
        let (number, prev) = self.chain.get(agency).map_or((1, None), |(number, prev)| (number + 1, Some(*prev)));
        let entry = ChainEntry { v: 1, agency: id(agency), number, prev, at_ms: 2_000, action };
        let signed = SignedChainEntry::sign(&entry, by);
        self.chain.insert(agency.to_owned(), (number, signed.id()));
        assert!(self.roster.add(RosterObject::Chain(signed)).expect("a chain entry"));
        let view = self.roster.current_view().expect("a view");
        self.roster.add(RosterObject::View(view)).expect("a view");
    }

    /// Revokes the EMB's device after this many of its entries.
    pub fn revoke_emb(&mut self, last_good: u64) {
        let device = self.emb.key.device_id();
        let head = self.links.iter().find(|(link, _)| link.device == device && link.number == last_good);
        let cut = head.map(|(link, _)| Cut { number: last_good, head: link.id() });
        let revoke = Revoke { device, cut, reason: "stolen".into(), effective_ms: 0, second: None };
        let root = self.emb_root.clone();
        self.chain_entry("emb", ChainAction::Revoke(revoke), &root);
    }

    /// Another record under the same reference; what was written so far stays in `links`.
    pub fn second_record(&self) -> Self {
        self.another_record(1)
    }

    /// Another record, by number, below 200.
    pub fn another_record(&self, number: usize) -> Self {
        let mut story = Self { entries: Vec::new(), heads: Vec::new(), depth: 0, ..self.clone() };
        (story.emb.in_record, story.court.in_record) = (0, 0);
        story.create(&format!("{:02x}", number + 7));
        story
    }

    fn create(&mut self, nonce: &str) {
        let nonce = nonce.repeat(16);
        self.record = logbook::action::create::record_id(&self.emb.key.device_id(), &nonce);
        let text = |text: &str| FieldValue::Text(text.into());
        let fields = BTreeMap::from([
            ("summary".to_owned(), text("Ballot box destroyed & <script>alert(1)</script>")),
            ("description".to_owned(), text("Two masked persons poured acid. Seen by a witness.")),
            ("place".to_owned(), text("door")),
            ("severity".to_owned(), FieldValue::Number(3)),
            ("occurred_from_ms".to_owned(), FieldValue::Number(1_760_000_000_000)),
        ]);
        let grant =
            Grant { to: GrantTo::Agency { id: id("court"), epoch: 1 }, key: KeyId([1; 16]), wrap: Hash32([2; 32]) };
        let create = Create {
            kind: RecordKind::Incident,
            nonce,
            owner: id("emb"),
            reference: "EMB-0421-0007".into(),
            parent: None,
            fields,
            grants: vec![grant],
        };
        self.write(true, Action::Create(create));
    }

    fn exhibit(&mut self, by_emb: bool, name: &str, bytes: &[u8]) {
        let (sha256, sha512) = dossier::digest::both(bytes);
        let exhibit = Exhibit {
            name: name.into(),
            description: Some("photo from the doorway".into()),
            size: bytes.len() as u64,
            sha256: Hash32(sha256),
            sha512: seal::id::to_hex(&sha512),
            address: seal::BlobAddress([4; 32]),
            sealed_size: 100,
            identity: Identity::generate().to_secret_str().to_string(),
            acquired_ms: 1_760_000_000_000,
        };
        let entry = self.write(by_emb, Action::Exhibit(exhibit));
        self.files.insert(entry, bytes.to_vec());
    }

    /// Signs one more entry, after everything in the record.
    pub fn write(&mut self, by_emb: bool, action: Action) -> EntryId {
        self.write_odd(by_emb, action, Odd::default())
    }

    /// The same, in some respect otherwise than an honest device would.
    pub fn write_odd(&mut self, by_emb: bool, action: Action, odd: Odd) -> EntryId {
        self.salt = self.salt.wrapping_add(1);
        let entry = Entry { v: odd.v, ..Entry::new([self.salt; 16], action) };
        let bytes = entry.encode();
        let roster = odd.roster.unwrap_or_else(|| self.roster.current_view().expect("a view").hash());
        let operation = self.roster.operation().expect("an operation");
        let author = if by_emb { &mut self.emb } else { &mut self.court };
        author.number += 1;
        author.in_record += 1;
        self.depth += 1;
        let mut header = Header {
            record: self.record,
            number: author.in_record,
            depth: self.depth,
            heads: self.heads.clone(),
            operator: author.operator,
            unit: String::new(),
            role: author.role.to_string(),
            checkpoint: None,
            wall_ms: 1_760_000_000_000 + i64::from(self.salt) * 60_000,
            offset_min: 60,
            clock: ClockConfidence::OsSynced,
            fields_root: Entry::fields_root(&entry.salt.0, &bytes).expect("leaves"),
        };
        (odd.header)(&mut header);
        let device = author.key.device_id();
        let link = Link { operation, device, number: author.number, prev: author.prev, roster, body: [0; 32] };
        let parts = Parts { header: &header, entry: &bytes };
        let (envelope, opened) = Envelope::seal(&self.record_key, &author.key, link, parts).expect("an envelope");
        author.prev = envelope.id();
        self.links.push((envelope.link, envelope.signature));
        self.heads = vec![opened.id];
        self.entries.push(Arc::new(opened.clone()));
        opened.id
    }

    /// An epoch 2 that both roots signed; `nonce` tells it from others.
    pub fn successor(&self, nonce: &str) -> SignedEpoch {
        let epoch = self.roster.epoch().expect("an epoch");
        let nonce = nonce.repeat(16);
        let next = Epoch { number: 2, prev: self.roster.epoch_id(), nonce, ..epoch.clone() };
        let mut signed = SignedEpoch::propose(&next);
        signed.sign(&id("emb"), &self.emb_root);
        signed.sign(&id("court"), &SigningKey::from_seed(&[12; 32]));
        signed
    }

    /// Enrols another device of the EMB; nobody writes on it.
    pub fn enrol_another(&mut self) {
        let spare = self.emb.clone();
        self.emb = Author::new(21, Role::Desk);
        let key = spare.key.clone();
        let enrol = self.enrolment("emb", &spare.operator);
        self.emb = spare;
        self.chain_entry("emb", ChainAction::Enrol(enrol), &key);
    }

    /// A device that the EMB enrols writes under a view that does not know it, and that names a chain
    /// entry which nobody holds; both others cite what it wrote, and the view becomes usable only then.
    pub fn write_as_a_stranger(&mut self) -> EntryId {
        let (mut early, mut other) = (self.clone(), self.clone());
        other.court = Author::new(22, Role::Desk);
        let enrol = other.enrolment("court", &other.court.operator);
        let court = self.court.key.clone();
        early.chain_entry("court", ChainAction::Enrol(enrol), &court);
        let roster = early.roster.current_view().map(|view| view.hash());
        self.enrol_another();
        let emb = std::mem::replace(&mut self.emb, Author::new(21, Role::Desk));
        self.emb.operator = emb.operator;
        let bait = self.write_odd(true, Action::Note(Note { text: "bait".into() }), Odd { roster, ..Odd::default() });
        self.emb = emb;
        self.write(true, Action::Note(Note { text: "cites the bait".into() }));
        self.write(false, Action::Note(Note { text: "and the next".into() }));
        self.roster.add_all(early.roster.objects());
        bait
    }

    /// A link of the EMB's device in another record.
    pub fn write_elsewhere(&mut self) {
        let roster = self.roster.current_view().expect("a view").hash();
        let operation = self.roster.operation().expect("an operation");
        let author = &mut self.emb;
        author.number += 1;
        let device = author.key.device_id();
        let link = Link { operation, device, number: author.number, prev: author.prev, roster, body: [7; 32] };
        author.prev = link.id();
        self.links.push((link, link.sign(&author.key)));
    }

    /// What the court exports; change it before [`export`].
    pub fn source(&self) -> DossierSource<'_> {
        let here = |bytes: &'_ Vec<u8>| Original::Here(Box::new(std::io::Cursor::new(bytes.clone())));
        DossierSource {
            records: vec![SourceRecord { id: self.record, entries: self.entries.clone() }],
            roster: &self.roster,
            links: self.links.clone(),
            exhibits: self.files.iter().map(|(entry, bytes)| (*entry, here(bytes))).collect(),
            elsewhere: vec![Elsewhere {
                from: self.record,
                record: RecordId([8; 16]),
                reference: "EMB-0421-0008".into(),
                relation: "sealed-part".into(),
                owner: Some("emb".into()),
                ground: "witness protection".into(),
            }],
            redact: None,
            open_names: true,
            schemas: vec![("entry-1.json".into(), b"{}".to_vec())],
            interop: vec![("places.geojson".into(), b"{}".to_vec())],
            addressee: Some(id("court")),
            at_ms: 1_770_000_000_000,
            exporter: &self.court.key,
            stamp: None,
        }
    }

    /// Exports as it is.
    pub fn export(&self, out: &Path) -> Exported {
        export(self.source(), out).expect("an export")
    }

    /// The trust file of now.
    pub fn trust(&self) -> Vec<u8> {
        TrustFile::new(&self.roster, 1_765_000_000_000).expect("an operation").to_json()
    }
}

fn amend(field: &str, text: &str) -> Action {
    let set = BTreeMap::from([(field.to_owned(), FieldValue::Text(text.into()))]);
    Action::Amend(Amend { set, settles: Vec::new() })
}
