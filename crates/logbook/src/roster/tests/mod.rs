//! A small world of institutions with fixed keys, and what hostile or careless parties do to it.

mod arrival;
mod chains;
mod encoding;
mod epochs;
mod objects;

use seal::{ChainEntryId, DeviceId, EnvelopeId, Hash32, Identity, OperatorId, Recipient, SigningKey};

use super::*;

/// The key of a seed.
pub(super) fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

/// A recipient of a seed.
pub(super) fn recipient(seed: u8) -> Recipient {
    Identity::from_bytes(&[seed; 32]).expect("a seed").recipient()
}

/// An agency id.
pub(super) fn id(text: &str) -> AgencyId {
    text.parse().expect("an agency id")
}

/// An institution: its root is the key of `seed`, its founding administrator's device of `seed + 100`.
pub(super) fn agency(name: &str, kind: AgencyKind, seed: u8) -> AgencyRecord {
    AgencyRecord {
        id: id(name),
        kind,
        name: format!("The {name}"),
        root: Hash32(key(seed).public()),
        admins: vec![key(seed + 100).device_id()],
        recipient: recipient(seed),
        hierarchy: None,
    }
}

pub(super) fn emb() -> AgencyRecord {
    agency("emb", AgencyKind::Emb, 1)
}
pub(super) fn court() -> AgencyRecord {
    agency("court", AgencyKind::Court, 2)
}
pub(super) fn police() -> AgencyRecord {
    agency("police", AgencyKind::Police, 3)
}
pub(super) fn cert() -> AgencyRecord {
    agency("cert", AgencyKind::Cert, 4)
}
pub(super) fn watch() -> AgencyRecord {
    agency("watch", AgencyKind::Oversight, 5)
}

/// The root's key of one of the institutions above, found by its public half.
pub(super) fn root_of(agency: &AgencyRecord) -> SigningKey {
    (0..=255).map(key).find(|key| key.public() == agency.root.0).expect("a root of this world")
}

/// Epoch 1 of these agencies, signed and accepted by all of them.
pub(super) fn founded(mut agencies: Vec<AgencyRecord>) -> SignedEpoch {
    agencies.sort_by(|a, b| a.id.cmp(&b.id));
    let epoch = Epoch {
        v: 1,
        operation_name: "Parliamentary election".into(),
        exercise: true,
        number: 1,
        prev: None,
        nonce: "0".repeat(32),
        agencies,
        rules: None,
        at_ms: 1_000,
    };
    let mut signed = SignedEpoch::propose(&epoch);
    for agency in &epoch.agencies {
        signed.sign(&agency.id, &root_of(agency));
        signed.add_acceptance(accept(&signed.body.clone(), &agency.id, &root_of(agency)));
    }
    signed
}

/// The successor of an epoch with these agencies, signed by these of the former.
pub(super) fn after(prev: &SignedEpoch, mut agencies: Vec<AgencyRecord>, signers: &[&AgencyRecord]) -> SignedEpoch {
    agencies.sort_by(|a, b| a.id.cmp(&b.id));
    let mut epoch = Epoch::parse(&prev.body).expect("an epoch");
    epoch.number += 1;
    epoch.prev = Some(prev.id());
    epoch.agencies = agencies;
    epoch.at_ms += 1_000;
    let mut signed = SignedEpoch::propose(&epoch);
    for agency in signers {
        signed.sign(&agency.id, &root_of(agency));
    }
    signed
}

/// The device of a seed, as its enrolment.
pub(super) fn enrol(seed: u8, roles: &[Role]) -> Enrol {
    let (device, network) = (key(seed), key(seed.wrapping_add(50)).public());
    let mut roles = roles.to_vec();
    roles.sort();
    Enrol {
        device: device.device_id(),
        name: format!("device {seed}"),
        network_key: Hash32(network),
        network_signature: Enrol::certify(&device, &network),
        recipient: recipient(seed),
        operator: OperatorId([seed; 16]),
        operator_commitment: name_commitment(&name(seed)),
        roles,
        unit: None,
    }
}

/// The name of the operator of a seed.
pub(super) fn name(seed: u8) -> NameOpening {
    NameOpening { operator: OperatorId([seed; 16]), name: format!("Person {seed}"), salt: format!("{seed:032x}") }
}

/// A chain entry after another of its agency.
pub(super) fn entry(
    agency: &str,
    prev: Option<&SignedChainEntry>,
    action: ChainAction,
    by: &SigningKey,
) -> SignedChainEntry {
    let number = prev.map_or(1, |prev| ChainEntry::parse(&prev.body).expect("an entry").number + 1);
    let entry = ChainEntry {
        v: 1,
        agency: id(agency),
        number,
        prev: prev.map(SignedChainEntry::id),
        at_ms: 2_000 + number as i64,
        action,
    };
    SignedChainEntry::sign(&entry, by)
}

pub(super) fn revoke(seed: u8, cut: Option<u64>) -> Revoke {
    let cut = cut.map(|number| Cut { number, head: EnvelopeId([seed; 32]) });
    Revoke { device: key(seed).device_id(), cut, reason: "stolen".into(), effective_ms: 0, second: None }
}

pub(super) fn device(seed: u8) -> DeviceId {
    key(seed).device_id()
}

/// A roster that took these objects in this order, whatever became of them.
pub(super) fn roster(objects: impl IntoIterator<Item = RosterObject>) -> Roster {
    let mut roster = Roster::new();
    for object in objects {
        let _ = roster.add(object);
    }
    roster
}

/// The EMB alone with its founding administrator (device 101) enrolled: the epoch, and that entry.
pub(super) fn one() -> (SignedEpoch, SignedChainEntry) {
    (founded(vec![emb()]), entry("emb", None, ChainAction::Enrol(enrol(101, &[Role::Desk, Role::Admin])), &key(101)))
}

/// The EMB with three administrators: 101, 111, 121. Gives the objects and the last entry.
pub(super) fn three_admins() -> (Vec<RosterObject>, SignedChainEntry) {
    let (epoch, first) = one();
    let second = entry("emb", Some(&first), ChainAction::Enrol(enrol(111, &[Role::Desk, Role::Admin])), &key(101));
    let third = entry("emb", Some(&second), ChainAction::Enrol(enrol(121, &[Role::Desk, Role::Admin])), &key(101));
    let objects = vec![
        RosterObject::Epoch(epoch),
        RosterObject::Chain(first),
        RosterObject::Chain(second),
        RosterObject::Chain(third.clone()),
    ];
    (objects, third)
}

pub(super) fn head(roster: &Roster, agency: &str) -> (u64, Option<ChainEntryId>) {
    roster.chain_head(&id(agency))
}

/// Everything that follows from a roster, as text: what two rosters must agree on.
pub(super) fn facts(roster: &Roster) -> String {
    let epochs: Vec<String> = roster.line.epochs.iter().map(|(id, _)| id.to_string()).collect();
    let agencies: Vec<String> = roster.chains.keys().map(|agency| format!("{:?}", roster.agency(agency))).collect();
    let chains: Vec<String> = roster.chains.iter().map(|(agency, chain)| format!("{agency} {:?}", chain.ids)).collect();
    let devices: Vec<String> = roster.devices().map(|device| format!("{device:?}")).collect();
    let ends: std::collections::BTreeMap<_, _> = roster.network.iter().collect();
    format!(
        "{:?} {epochs:?} {:?} {agencies:?} {chains:?} {devices:?} {ends:?} {:?} {:?}",
        roster.operation(),
        roster.epoch_fork(),
        roster.opened,
        roster.current_view(),
    )
}
