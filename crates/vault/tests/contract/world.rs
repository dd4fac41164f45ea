//! An operation with three agencies, and vaults of their devices.
#![allow(dead_code, reason = "each test uses the part that it needs")]

use std::collections::BTreeMap;
use std::path::Path;

use logbook::action::{Action, Ask, Create, Grant, GrantTo, Note, RecordKind, Refer};
use logbook::record_state::Audience;
use logbook::roster::{
    AgencyKind, AgencyRecord, ChainAction, ChainEntry, Cut, Enrol, Epoch, NameOpening, Revoke, Role, RosterObject,
    SignedChainEntry, SignedEpoch, accept, name_commitment,
};
use logbook::{AgencyId, Fields, Roster};
use seal::{
    ChainEntryId, ClockConfidence, DeviceId, Envelope, Hash32, Identity, KdfCost, OperationId, OperatorId, Passphrase,
    RecordId, RecordKey, SigningKey, Wrap,
};
use tempfile::TempDir;
use vault::{Appended, AuthorKeys, Draft, Incoming, OutItem, OutQuery, Vault, Way};

/// 2026-11-08 18:00 UTC: a polling day's evening.
pub const NOW: i64 = 1_794_160_800_000;

/// A device and who acts on it.
pub struct Member {
    pub agency: AgencyId,
    pub signing: SigningKey,
    pub operator: OperatorId,
    pub own: Identity,
    pub role: Role,
}

impl Member {
    pub fn device(&self) -> DeviceId {
        self.signing.device_id()
    }
}

/// An operation.
pub struct World {
    pub roster: Roster,
    pub members: BTreeMap<&'static str, Member>,
    pub agency_keys: BTreeMap<AgencyId, Identity>,
    roots: BTreeMap<AgencyId, SigningKey>,
    chains: BTreeMap<AgencyId, (u64, Option<ChainEntryId>)>,
    salt: std::cell::Cell<u32>,
}

pub fn id(text: &str) -> AgencyId {
    text.parse().expect("an agency id")
}

pub fn pass() -> Passphrase {
    Passphrase::new("quiet river, seven lamps".into())
}

/// Bytes that differ with every call, the same in every run.
pub fn random(seed: u8) -> impl FnMut(&mut [u8]) + Send {
    let mut count = 0u32;
    move |out: &mut [u8]| {
        for part in out.chunks_mut(32) {
            count += 1;
            let hash = seal::hash::tagged("test/random", &[&[seed], &count.to_be_bytes()]);
            part.copy_from_slice(&hash[..part.len()]);
        }
    }
}

pub const AGENCIES: [(&str, AgencyKind, u8); 3] =
    [("court", AgencyKind::Court, 21), ("emb", AgencyKind::Emb, 22), ("police", AgencyKind::Police, 23)];

impl World {
    /// Three agencies; the EMB has two devices, of which the second is in the field.
    pub fn new() -> Self {
        let mut world = Self {
            roster: Roster::new(),
            members: BTreeMap::new(),
            agency_keys: BTreeMap::new(),
            roots: BTreeMap::new(),
            chains: BTreeMap::new(),
            salt: std::cell::Cell::new(0),
        };
        for (name, _, seed) in AGENCIES {
            world.roots.insert(id(name), SigningKey::from_seed(&[seed; 32]));
            world.agency_keys.insert(id(name), Identity::from_bytes(&[seed + 100; 32]).expect("an identity"));
        }
        for (name, agency, seed, role) in [
            ("court", "court", 1, Role::Desk),
            ("emb", "emb", 2, Role::Desk),
            ("emb-2", "emb", 4, Role::Field),
            ("police", "police", 3, Role::Desk),
        ] {
            let member = Member {
                agency: id(agency),
                signing: SigningKey::from_seed(&[seed; 32]),
                operator: OperatorId([seed; 16]),
                own: Identity::from_bytes(&[seed + 50; 32]).expect("an identity"),
                role,
            };
            world.members.insert(name, member);
        }
        world.found();
        for name in ["court", "emb", "police", "emb-2"] {
            world.enrol(name);
        }
        world
    }

    fn found(&mut self) {
        let agencies = AGENCIES.map(|(name, kind, _)| AgencyRecord {
            id: id(name),
            kind,
            name: format!("The {name}"),
            root: Hash32(self.roots[&id(name)].public()),
            admins: vec![self.members[name].device()],
            recipient: self.agency_keys[&id(name)].recipient(),
            hierarchy: None,
        });
        let epoch = Epoch {
            v: 1,
            operation_name: "Parliamentary election".into(),
            exercise: true,
            number: 1,
            prev: None,
            nonce: "0".repeat(32),
            agencies: agencies.to_vec(),
            rules: None,
            at_ms: NOW,
        };
        let mut signed = SignedEpoch::propose(&epoch);
        let body = signed.body.clone();
        for (agency, root) in &self.roots {
            signed.sign(agency, root);
            signed.add_acceptance(accept(&body, agency, root));
        }
        self.add(RosterObject::Epoch(signed));
    }

    fn add(&mut self, object: RosterObject) {
        assert!(self.roster.add(object).expect("a roster object"), "it must take effect");
    }

    fn enrol(&mut self, name: &str) {
        let member = &self.members[name];
        let network = [member.operator.0[0]; 32];
        let opening = NameOpening { operator: member.operator, name: format!("Operator {name}"), salt: "0".repeat(32) };
        let roles = match (name, member.role) {
            ("emb-2", role) => vec![role],
            (_, role) => vec![role, Role::Registrar, Role::Admin],
        };
        let enrol = Enrol {
            device: member.device(),
            name: format!("{name} 1"),
            network_key: Hash32(network),
            network_signature: Enrol::certify(&member.signing, &network),
            recipient: member.own.recipient(),
            operator: member.operator,
            operator_commitment: name_commitment(&opening),
            roles,
            unit: None,
        };
        let agency = member.agency.clone();
        let by = self.members[agency.as_str()].signing.clone();
        self.chain(&agency, ChainAction::Enrol(enrol), &by);
    }

    /// Appends to an agency's chain, and adds the view that follows.
    pub fn chain(&mut self, agency: &AgencyId, action: ChainAction, by: &SigningKey) {
        let (number, prev) = self.chains.get(agency).copied().unwrap_or((0, None));
        let entry = ChainEntry { v: 1, agency: agency.clone(), number: number + 1, prev, at_ms: NOW, action };
        let signed = SignedChainEntry::sign(&entry, by);
        self.chains.insert(agency.clone(), (number + 1, Some(signed.id())));
        self.add(RosterObject::Chain(signed));
        let view = self.roster.current_view().expect("a view");
        self.roster.add(RosterObject::View(view)).expect("a view");
    }

    /// Its root revokes a device.
    pub fn revoke(&mut self, name: &str, cut: Option<Cut>) {
        let (agency, device) = (self.members[name].agency.clone(), self.members[name].device());
        let revoke = Revoke { device, cut, reason: "stolen".into(), effective_ms: NOW, second: None };
        let root = self.roots[&agency].clone();
        self.chain(&agency, ChainAction::Revoke(revoke), &root);
    }

    pub fn operation(&self) -> OperationId {
        self.roster.operation().expect("an operation")
    }

    pub fn objects(&self) -> Vec<RosterObject> {
        self.roster.objects()
    }

    pub fn member(&self, name: &str) -> &Member {
        &self.members[name]
    }

    /// Makes who acts on a vault known to it.
    pub fn seat(&self, name: &str, vault: &Vault) {
        let member = self.member(name);
        let mut identities = vec![member.own.clone()];
        if member.role != Role::Field {
            identities.push(self.agency_keys[&member.agency].clone());
        }
        vault.set_identities(identities);
        vault.set_author(AuthorKeys {
            signing: member.signing.clone(),
            operation: self.operation(),
            operator: member.operator,
            unit: String::new(),
        });
    }

    /// A new vault of a device, in a folder.
    pub async fn vault_in(&self, dir: &Path, name: &str) -> Vault {
        let seed = self.member(name).operator.0[0];
        let vault = Vault::create(dir, &pass(), KdfCost::DRILL, &mut random(seed)).await.expect("a vault");
        let outcome = vault.add_roster(self.objects(), NOW).await.expect("the roster");
        assert_eq!(outcome.refused, Vec::<String>::new());
        self.seat(name, &vault);
        vault
    }

    /// A new vault of a device.
    pub async fn vault(&self, name: &str) -> (TempDir, Vault) {
        let dir = tempfile::tempdir().expect("a folder");
        let vault = self.vault_in(&dir.path().join("v"), name).await;
        (dir, vault)
    }

    /// Opens a device's vault again.
    pub async fn reopen(&self, dir: &TempDir, name: &str) -> Vault {
        let vault = Vault::open(&dir.path().join("v"), &pass()).await.expect("the vault");
        self.seat(name, &vault);
        vault
    }

    fn next_salt(&self) -> [u8; 16] {
        self.salt.set(self.salt.get() + 1);
        let hash = seal::hash::tagged("test/salt", &[&self.salt.get().to_be_bytes()]);
        hash[..16].try_into().expect("16 of 32 bytes")
    }

    pub fn draft(&self, name: &str, record: RecordId, action: Action) -> Draft {
        Draft {
            record,
            action,
            role: self.member(name).role,
            salt: self.next_salt(),
            wall_ms: NOW + i64::from(self.salt.get()) * 1000,
            offset_min: 60,
            clock: ClockConfidence::OsSynced,
            key: None,
            wraps: Vec::new(),
        }
    }

    pub fn note(&self, name: &str, record: RecordId, text: &str) -> Draft {
        self.draft(name, record, Action::Note(Note { text: text.into() }))
    }

    /// A grant of a record's key with its wrap.
    pub fn grant(&self, record: RecordId, key: &RecordKey, to: &GrantTo) -> (Grant, (GrantTo, Wrap)) {
        let recipient = match to {
            GrantTo::Agency { id, .. } => self.agency_keys[id].recipient(),
            GrantTo::Device { id } => {
                let member = self.members.values().find(|member| member.device() == *id).expect("a member");
                member.own.recipient()
            }
        };
        let wrap = Wrap::seal(key, record, &recipient).expect("a wrap");
        (Grant { to: to.clone(), key: key.id(&record), wrap: wrap.hash() }, (to.clone(), wrap))
    }

    /// A new incident; `n` tells it from others of its author.
    pub fn incident(&self, name: &str, n: u32, summary: &str, readers: &[&str]) -> Draft {
        let member = self.member(name);
        let nonce = seal::id::to_hex(&seal::hash::tagged("test/nonce", &[&n.to_be_bytes()])[..16]);
        let hash = seal::hash::tagged("intact/record/v1", &[&member.device().0, nonce.as_bytes()]);
        let record = RecordId(hash[..16].try_into().expect("16 of 32 bytes"));
        let key = key_of(name, n);
        let (grants, wraps) = readers.iter().map(|to| self.grant(record, &key, &agency_of(to))).unzip();
        let mut fields = Fields::new();
        fields.insert("summary".into(), summary.into());
        fields.insert("category".into(), "ops:box-tampering".into());
        fields.insert("severity".into(), 2.into());
        fields.insert("description".into(), format!("What was seen at {summary}").into());
        let create = Create {
            kind: RecordKind::Incident,
            nonce,
            owner: member.agency.clone(),
            reference: format!("{}-{n:04}", name.to_uppercase()),
            parent: None,
            fields,
            grants,
        };
        let mut draft = self.draft(name, record, Action::Create(create));
        draft.key = Some(key);
        draft.wraps = wraps;
        draft
    }

    /// A referral that shares the record.
    pub fn refer(&self, name: &str, record: RecordId, key: &RecordKey, to: &str) -> Draft {
        let (grant, wrap) = self.grant(record, key, &agency_of(to));
        let refer = Refer { to: id(to), ask: Ask::Respond, respond_by_ms: None, text: None, grants: vec![grant] };
        let mut draft = self.draft(name, record, Action::Refer(refer));
        draft.wraps = vec![wrap];
        draft
    }
}

/// The key that `incident` gives.
pub fn key_of(name: &str, n: u32) -> RecordKey {
    RecordKey::from_bytes(seal::hash::tagged("test/key", &[name.as_bytes(), &n.to_be_bytes()]))
}

/// An agency's desks, by the first epoch of their recipient.
pub fn agency_of(name: &str) -> GrantTo {
    GrantTo::Agency { id: id(name), epoch: 1 }
}

/// Everything for an agency's desks, from the beginning.
pub fn query(agency: &str) -> OutQuery {
    OutQuery { to: Audience::Agency(id(agency)), device: None, desk: true, after: 0, through: Way::Direct, limit: 100 }
}

/// All that a query gives, page by page.
pub async fn all(from: &Vault, mut query: OutQuery) -> Vec<OutItem> {
    let mut items = Vec::new();
    loop {
        let page = from.outgoing(&query).await.expect("a page");
        items.extend(page.items);
        query.after = page.next;
        if page.done {
            return items;
        }
    }
}

/// Items as a batch to take in, without the roster.
pub fn incoming(items: Vec<OutItem>) -> Incoming {
    let mut incoming = Incoming { received_ms: NOW, ..Incoming::default() };
    for item in items {
        match item {
            OutItem::Link(link, signature) => incoming.links.push((link, signature)),
            OutItem::Envelope(envelope) => incoming.envelopes.push(envelope),
            OutItem::Wrap(to, wrap) => incoming.wraps.push((to, wrap)),
            OutItem::Roster(_) => {}
        }
    }
    incoming
}

pub fn envelopes(items: &[OutItem]) -> Vec<Envelope> {
    items.iter().filter_map(|item| if let OutItem::Envelope(e) = item { Some(e.clone()) } else { None }).collect()
}

/// Appends one draft.
pub async fn write(vault: &Vault, draft: Draft) -> Appended {
    vault.append(vec![draft]).await.expect("an entry").remove(0)
}
