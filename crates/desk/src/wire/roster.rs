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
}
