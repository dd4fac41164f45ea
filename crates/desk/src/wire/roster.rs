//! Errors, institutions and devices.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

wire! {
    /// An error for a person.
    ErrorReport {
        /// What scripts act on.
        code: String,
        /// What happened.
        message: String,
        /// What is safe, what to do next.
        advice: String,
    }
    /// A founded operation.
    InitReport {
        /// The operation's id.
        operation: String,
        /// The institution's id.
        agency: String,
        /// This device's id.
        device: String,
    }
    /// A request that was written.
    RequestReport {
        /// The institution's id.
        agency: String,
        /// This device's id.
        device: String,
    }
    /// A roster epoch in the making.
    EpochReport {
        /// Its number.
        epoch: u64,
        /// Signatures that the next epoch after it will need.
        threshold: usize,
        /// Who signed it.
        signatures: Vec<String>,
        /// Who could still sign, while signatures are missing.
        needed: Vec<String>,
    }
    /// An enrolled or revoked device.
    DeviceReport {
        /// The device's id.
        device: String,
        /// The last accepted number of its chain, where it was revoked.
        cut: Option<u64>,
    }
    /// An institution.
    AgencyRow {
        /// Its id.
        id: String,
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
        /// Two of its administrators contradict each other.
        contested: bool,
    }
    /// A device.
    DeviceRow {
        /// Its id.
        id: String,
        /// Its institution.
        agency: String,
        /// Its name.
        name: String,
        /// Who acts on it, where the name is known here.
        operator: String,
        /// Roles.
        roles: Vec<String>,
        /// `active` or `revoked`.
        status: String,
        /// The reason of its revocation.
        reason: Option<String>,
        /// When its revocation was stated.
        revoked_at: Option<String>,
        /// How many of its entries known here lie beyond the cut of its revocation.
        apart: u64,
        /// When it was last heard of here; none for this device itself.
        last_contact: Option<String>,
        /// Whether it is this device.
        here: bool,
    }
    /// The roster.
    RosterShow {
        /// The operation's id.
        operation: String,
        /// Its name.
        operation_name: String,
        /// Whether it is an exercise.
        exercise: bool,
        /// The number of the current epoch.
        epoch: u64,
        /// Signatures that the next epoch needs.
        threshold: usize,
        /// Institutions.
        agencies: Vec<AgencyRow>,
        /// Devices.
        devices: Vec<DeviceRow>,
    }
    /// Who became part of what.
    JoinReport {
        /// The operation's id.
        operation: String,
        /// The institution.
        agency: String,
    }
    /// What a device's request asks for.
    RequestLook {
        /// The device's id: to be compared with the one that its own screen shows.
        device: String,
        /// The institution.
        agency: String,
        /// What it is called.
        name: String,
        /// Who will act on it.
        operator: String,
        /// Roles asked for.
        roles: Vec<String>,
        /// A part of the institution.
        unit: Option<String>,
        /// Whether it would be given the institution's key, and so read all that its desks read.
        agency_key: bool,
        /// Whether it is enrolled already.
        known: bool,
    }
    /// An administrator's device.
    Approver {
        /// Its id.
        device: String,
        /// What it is called.
        name: String,
        /// Who acts on it.
        operator: String,
    }
    /// What revoking a device would mean; nothing is changed yet.
    RevokeLook {
        /// The device's id.
        device: String,
        /// What it is called.
        name: String,
        /// Who acts on it.
        operator: String,
        /// The last entry known here without a gap before it.
        known: u64,
        /// When that was written, by its author's clock, where it can be read here.
        known_at: Option<String>,
        /// The last entry that would be accepted.
        cut: u64,
        /// When that was written.
        cut_at: Option<String>,
        /// How many entries known here would be set apart.
        apart: u64,
        /// Of whom one must approve; empty where nobody else can.
        approvers: Vec<Approver>,
    }
    /// What another administrator asks to have approved.
    ApprovalLook {
        /// The device to be revoked.
        device: String,
        /// What it is called.
        name: String,
        /// Who acts on it.
        operator: String,
        /// The last entry that would be accepted.
        last_good: u64,
        /// When that was written, where it can be read here.
        last_good_at: Option<String>,
        /// The last entry known here without a gap before it.
        known: u64,
        /// How many entries known here would be set apart.
        apart: u64,
        /// Why.
        reason: String,
        /// Who asks: the device's name.
        asked_by: String,
        /// When it was asked, by that device's clock.
        asked_at: String,
    }
    /// Records of one owner that a device could read, for one reason.
    ReachOf {
        /// `wrote`, `granted`, `own` or `given`.
        why: String,
        /// The owner.
        owner: String,
        /// How many records.
        records: u64,
        /// Exhibits in them.
        exhibits: u64,
    }
    /// A record that a device could read.
    ReachRow {
        /// The record's id.
        id: String,
        /// Its reference.
        reference: String,
        /// In one line, as known here.
        summary: String,
        /// `incident`, `complaint`, `brief` or `sealed-part`.
        kind: String,
        /// The owner.
        owner: String,
        /// How many exhibits it has.
        exhibits: u64,
        /// When it was recorded.
        recorded_at: String,
        /// Why it could be read: `wrote` (it wrote in it), `granted` (given to the device itself), `own`
        /// (its institution's, whose key it holds) or `given` (another's, given to its institution).
        why: String,
    }
    /// An entry that a device wrote.
    WrittenRow {
        /// Its number in the device's chain.
        number: u64,
        /// The envelope's id.
        envelope: String,
        /// The record's id, where it can be read here.
        record: Option<String>,
        /// The record's reference; none where no valid entry creates it.
        reference: Option<String>,
        /// When it was written, by that device's clock, where it can be read here.
        at: Option<String>,
    }
    /// What a device could read by the keys that are known here, and what it wrote. Not what it did read.
    ReachReport {
        /// The device's id.
        device: String,
        /// What it is called.
        name: String,
        /// Its institution.
        agency: String,
        /// Who acts on it.
        operator: String,
        /// Roles.
        roles: Vec<String>,
        /// `active` or `revoked`.
        status: String,
        /// When its revocation was stated: what was recorded later is counted apart.
        revoked_at: Option<String>,
        /// Whether it may hold its institution's key: every role but the field's is given it.
        agency_key: bool,
        /// Records within its reach, as known here.
        total: u64,
        /// Exhibits in them.
        exhibits: u64,
        /// The same by reason and owner.
        counted: Vec<ReachOf>,
        /// A page of them, newest first.
        items: Vec<ReachRow>,
        /// Records made after its revocation whose keys it may hold: no device gives them to it any more.
        later: u64,
        /// Records given to it or its institution that have not arrived here.
        absent: u64,
        /// Entries of it that are known here.
        entries: u64,
        /// The last of them.
        last: Option<WrittenRow>,
        /// The last entry accepted, where it was revoked; 0: none is.
        cut: Option<u64>,
        /// How many of its entries known here lie beyond that, and are set apart.
        apart: u64,
        /// Those, in the order of its chain: at most 100.
        beyond: Vec<WrittenRow>,
    }
}
