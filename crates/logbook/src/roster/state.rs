//! What follows from the objects: agencies, devices, revocations.

use std::collections::BTreeSet;

use seal::{DeviceId, Hash32, OperatorId, Recipient};

use super::{AgencyId, AgencyRecord, Cut, Enrol, Role, Roles};

/// An agency as it stands.
#[derive(Debug, Clone)]
pub struct AgencyState {
    /// As the last epoch that names it has it.
    pub record: AgencyRecord,
    /// Its recipients by epoch, oldest first.
    pub key_epochs: Vec<(u32, Recipient)>,
    /// Its chain forks, and the root has not named a branch. Nothing beyond the fork takes effect;
    /// its devices may still write, labelled.
    pub contested: bool,
    /// Devices that a branch beyond the fork revokes, without effect so far: a person should know.
    pub contested_revocations: Vec<DeviceId>,
    /// Entries of its chain that take effect.
    pub chain_len: u64,
    /// Whether it signed acceptance of an epoch that names it: from then on it is bound.
    pub accepted: bool,
    /// Whether the current epoch names it.
    pub current: bool,
}

/// A revocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// The last entry accepted; none: no entry is.
    pub cut: Option<Cut>,
    /// Why.
    pub reason: String,
    /// When it was stated, milliseconds.
    pub at_ms: i64,
    /// Since when, milliseconds.
    pub effective_ms: i64,
    /// Which key stated it: an administrator's device, or the root.
    pub by: Hash32,
    /// The number of the chain entry that states it: a view with a lower number lacks it.
    pub number: u64,
}

/// Roles from a number of the agency's chain on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RoleChange {
    /// The chain entry's number.
    pub since: u64,
    /// The roles.
    pub roles: Vec<Role>,
    /// Those of the former roles that it takes away.
    pub taken: Vec<Role>,
    /// The last entry of the device for which those still count.
    pub after: u64,
}

/// A device as it stands.
#[derive(Debug, Clone)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// Its agency.
    pub agency: AgencyId,
    /// What it is called.
    pub name: String,
    /// Who acts on it.
    pub operator: OperatorId,
    /// A part of the agency.
    pub unit: Option<String>,
    /// Its roles now.
    pub roles: Vec<Role>,
    /// What it receives keys with.
    pub recipient: Recipient,
    /// Its endpoint key.
    pub network_key: [u8; 32],
    /// The number of the chain entry that enrolled it.
    pub enrolled_at: u64,
    /// Its revocation.
    pub revoked: Option<Revocation>,
    pub(super) commitment: Hash32,
    pub(super) history: Vec<RoleChange>,
    /// Whether its certificate is for this agency only.
    pub(super) bound: bool,
    /// Whether it may change the agency's chain, while it is not revoked.
    pub(super) admin: bool,
}

impl Device {
    /// The device of an enrolment.
    pub(super) fn new(enrol: &Enrol, agency: &AgencyId, number: u64, founding: bool) -> Self {
        Self {
            id: enrol.device,
            agency: agency.clone(),
            name: enrol.name.clone(),
            operator: enrol.operator,
            unit: enrol.unit.clone(),
            roles: enrol.roles.clone(),
            recipient: enrol.recipient.clone(),
            network_key: enrol.network_key.0,
            enrolled_at: number,
            revoked: None,
            commitment: enrol.operator_commitment,
            history: vec![RoleChange { since: number, roles: enrol.roles.clone(), taken: Vec::new(), after: 0 }],
            bound: enrol.is_bound(agency),
            admin: founding || enrol.roles.contains(&Role::Admin),
        }
    }
    /// Changes its roles at a number of the agency's chain.
    pub(super) fn change_roles(&mut self, number: u64, change: &Roles) {
        let taken = self.roles.iter().filter(|role| !change.roles.contains(role)).copied().collect();
        let after = change.cut.map_or(0, |cut| cut.number);
        self.roles.clone_from(&change.roles);
        self.admin = change.roles.contains(&Role::Admin);
        self.history.push(RoleChange { since: number, roles: change.roles.clone(), taken, after });
    }
    /// Whether it works at its agency's desks, and so counts every chain.
    pub fn is_desk(&self) -> bool {
        self.roles.iter().any(|role| *role != Role::Field)
    }
    /// Whether it ever worked at a desk: it may hold its agency's key still.
    pub fn was_desk(&self) -> bool {
        self.history.iter().any(|change| change.roles.iter().any(|role| *role != Role::Field))
    }
    /// Whether it may publish its agency's mailboxes.
    pub(super) fn speaks_for_agency(&self) -> bool {
        self.roles.iter().any(|role| matches!(role, Role::Desk | Role::Commander | Role::Admin))
    }
    /// The roles as of a number of the agency's chain, for an entry with this number of its own
    /// chain: a role taken away later is gone for every entry after the cut, whatever it cites.
    pub(super) fn roles_as_of(&self, chain_number: u64, entry: Option<u64>) -> Option<Vec<Role>> {
        let at = self.history.iter().rposition(|change| change.since <= chain_number)?;
        let mut roles = self.history[at].roles.clone();
        if let Some(entry) = entry {
            for later in self.history[at + 1..].iter().filter(|change| entry > change.after) {
                roles.retain(|role| !later.taken.contains(role));
            }
        }
        Some(roles)
    }
}

/// What the epochs say of an agency over time.
#[derive(Debug, Clone, Default)]
pub(super) struct Standing {
    /// Its roots, in the order of epochs; the last is in force.
    pub roots: Vec<Hash32>,
    /// Founding administrators that any epoch lists.
    pub admins: BTreeSet<DeviceId>,
    /// The first epoch that names it.
    pub since: u64,
}

impl Standing {
    /// The root in force.
    pub fn root(&self) -> Option<&Hash32> {
        self.roots.last()
    }
}
