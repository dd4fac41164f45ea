//! Founding, joining, enrolling, revoking.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Founding.
#[derive(Args)]
pub struct Init {
    /// What the operation is called.
    #[arg(long)]
    pub operation_name: String,
    #[command(flatten)]
    pub agency: AgencyArgs,
    /// The legal clocks (JSON).
    #[arg(long, value_name = "FILE")]
    pub rules: Option<PathBuf>,
    /// An exercise: its records can never enter a live one.
    #[arg(long)]
    pub exercise: bool,
}

/// An institution and its first device.
#[derive(Args)]
pub struct AgencyArgs {
    /// A short id: lower-case letters, digits, hyphens.
    #[arg(long = "agency", value_name = "ID")]
    pub id: String,
    /// What kind of institution it is.
    #[arg(long, value_enum)]
    pub kind: Kind,
    /// Its name.
    #[arg(long, value_name = "NAME")]
    pub agency_name: String,
    /// Who acts on this device.
    #[arg(long)]
    pub operator: String,
    /// What this device is called.
    #[arg(long)]
    pub device: String,
    /// Where the institution's root key goes, sealed with the passphrase. Keep it offline.
    #[arg(long, value_name = "FILE")]
    pub root_out: PathBuf,
}

/// Kinds of institution.
#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "kebab-case")]
pub enum Kind {
    /// An election management body.
    Emb,
    /// Police.
    Police,
    /// A computer emergency response team.
    Cert,
    /// A court or other adjudicator.
    Court,
    /// A prosecutor.
    Prosecutor,
    /// Oversight: ombudsman, data protection.
    Oversight,
    /// Another body.
    Other,
}

/// `agency …`
#[derive(Subcommand)]
pub enum Agency {
    /// Write the request of a new institution.
    Request {
        #[command(flatten)]
        agency: AgencyArgs,
        /// The request.
        #[arg(long)]
        out: PathBuf,
    },
}

/// `device …`
#[derive(Subcommand)]
pub enum DeviceCommand {
    /// Write the request of a new device.
    Request {
        /// The institution.
        #[arg(long, value_name = "ID")]
        agency: String,
        /// Who acts on it.
        #[arg(long)]
        operator: String,
        /// What it is called.
        #[arg(long)]
        device: String,
        /// Roles, separated by commas.
        #[arg(long, value_delimiter = ',', required = true)]
        roles: Vec<String>,
        /// A part of the institution.
        #[arg(long)]
        unit: Option<String>,
        /// The request.
        #[arg(long)]
        out: PathBuf,
    },
    /// Approve, as second administrator, that a device is revoked.
    Approve {
        /// The device; with --request, what the request names.
        #[arg(required_unless_present = "request", requires = "last_good")]
        device: Option<String>,
        /// The last number of its chain that is accepted, as the first administrator states it.
        #[arg(long)]
        last_good: Option<u64>,
        /// What the first administrator wrote with `roster revoke --ask`; without --out it is only shown.
        #[arg(long, value_name = "FILE", conflicts_with_all = ["device", "last_good"])]
        request: Option<PathBuf>,
        /// The approval.
        #[arg(long, required_unless_present = "request")]
        out: Option<PathBuf>,
    },
    /// What a device could read by the keys known here, and what it wrote: for when it was seized.
    Reach {
        /// The device: id, name or unique prefix.
        device: String,
        /// At most so many records; all are counted.
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// After so many.
        #[arg(long, default_value_t = 0)]
        offset: u32,
    },
}

/// `roster …`
#[derive(Subcommand)]
pub enum RosterCommand {
    /// Show institutions and devices.
    Show,
    /// Admit institutions: makes the next epoch and signs it with this root.
    Admit {
        /// Their requests.
        #[arg(required = true)]
        requests: Vec<PathBuf>,
        /// This institution's root.
        #[arg(long)]
        root: PathBuf,
        /// The folder for welcomes, or for the proposal where more signatures are needed.
        #[arg(long)]
        out: PathBuf,
    },
    /// Sign a proposed epoch.
    Sign {
        /// The proposal.
        proposal: PathBuf,
        /// This institution's root.
        #[arg(long)]
        root: PathBuf,
        /// The signed proposal.
        #[arg(long)]
        out: PathBuf,
    },
    /// Enrol a device of this institution.
    Enrol {
        /// Its request.
        request: PathBuf,
        /// The welcome; without it, what the request asks for is shown and nothing is changed.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Revoke a device; what it wrote before the cut stays valid.
    Revoke {
        /// The device: id, name or unique prefix.
        device: String,
        /// Why.
        #[arg(long)]
        reason: String,
        /// The last number of its chain that is accepted; by default the last one known here.
        #[arg(long)]
        last_good: Option<u64>,
        /// Accept what was written before this time (RFC 3339), by the device's clock; what came here
        /// before it counts in any case.
        #[arg(long, value_name = "TIME", conflicts_with = "last_good")]
        doubtful_since: Option<String>,
        /// The second administrator's approval.
        #[arg(long, value_name = "FILE")]
        second: Option<PathBuf>,
        /// Revoke nothing yet: write what a second administrator is asked to approve.
        #[arg(long, value_name = "FILE", conflicts_with = "second")]
        ask: Option<PathBuf>,
    },
}
