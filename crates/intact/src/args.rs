//! The command line, as scripts rely on it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// An offline-first, encrypted incident log for the people who keep an election safe.
#[derive(Parser)]
#[command(name = "intact", version, about, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// The vault folder.
    #[arg(long, global = true, env = "INTACT_VAULT", value_name = "DIR")]
    pub vault: Option<PathBuf>,
    /// A file whose first line is the passphrase; otherwise it is asked for.
    #[arg(long, global = true, env = "INTACT_PASSPHRASE_FILE", value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// One JSON document on standard output; logs on standard error.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Commands.
#[derive(Subcommand)]
pub enum Command {
    /// Found an operation (an election); this becomes the first device.
    Init(Init),
    /// Ask, as a new institution, to take part.
    #[command(subcommand)]
    Agency(Agency),
    /// Ask, as a new device, to be enrolled.
    #[command(subcommand)]
    Device(DeviceCommand),
    /// The signed list of institutions, devices and roles.
    #[command(subcommand)]
    Roster(RosterCommand),
    /// Become part of an operation with the welcome that answered a request.
    Join {
        /// The welcome.
        welcome: PathBuf,
    },
    /// Incidents.
    #[command(subcommand)]
    Incident(Incident),
    /// Give a record to another institution or device, with its whole history.
    Share {
        /// The record.
        record: String,
        /// Institutions or devices.
        #[arg(long = "with", required = true, num_args = 1..)]
        with: Vec<String>,
    },
    /// Take access to what comes later away.
    Unshare {
        /// The record.
        record: String,
        /// Institutions or devices.
        #[arg(long = "with", required = true, num_args = 1..)]
        with: Vec<String>,
    },
    /// Ask another institution to act.
    Refer(Refer),
    /// Answer and follow referrals.
    #[command(subcommand)]
    Referral(Referral),
    /// Evidence.
    #[command(subcommand)]
    Exhibit(ExhibitCommand),
    /// Complaints.
    #[command(subcommand)]
    Complaint(Complaint),
    /// Answer other devices on the local network until ended.
    Serve {
        /// Address and port.
        #[arg(long)]
        listen: std::net::SocketAddr,
    },
    /// Exchange with a peer on the local network or through a relay.
    Sync(Sync),
    /// Run the store-and-forward relay: it cannot read what it carries.
    Relay(Relay),
    /// The USB way.
    #[command(subcommand)]
    Parcel(Parcel),
    /// What an adjudicator receives.
    #[command(subcommand)]
    Dossier(Dossier),
    /// What whoever verifies needs, by another channel.
    #[command(subcommand)]
    Trust(Trust),
    /// Bring records in from elsewhere.
    #[command(subcommand)]
    Import(Import),
    /// Verify the whole vault again: every signature, chain, hash and projection.
    Check {
        /// Build projections and search anew.
        #[arg(long)]
        rebuild: bool,
    },
    /// Tell the story of an election night in the terminal, with real vaults in a temporary folder.
    Demo {
        /// Keep the vaults in this folder.
        #[arg(long)]
        keep: Option<PathBuf>,
    },
    /// Make a practice operation with four institutions and an election night (for `make run`).
    Practice {
        /// The folder for its vaults.
        #[arg(long)]
        out: PathBuf,
    },
    /// Write the JSON Schemas.
    Schemas {
        /// The folder `schemas/`.
        #[arg(long)]
        out: PathBuf,
        /// Write nothing; fail if a file differs.
        #[arg(long)]
        check: bool,
    },
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write manual pages.
    Man {
        /// The folder for them.
        #[arg(long)]
        out: PathBuf,
    },
}

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
        /// The device.
        device: String,
        /// The last number of its chain that is accepted, as the first administrator states it.
        #[arg(long)]
        last_good: u64,
        /// The approval.
        #[arg(long)]
        out: PathBuf,
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
        /// The welcome.
        #[arg(long)]
        out: PathBuf,
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
        /// The second administrator's approval.
        #[arg(long, value_name = "FILE")]
        second: Option<PathBuf>,
    },
}

/// `incident …`
#[derive(Subcommand)]
pub enum Incident {
    /// Log an incident. Someone in danger? Call 112 or radio first: Intact does not dispatch.
    Log(Box<LogArgs>),
    /// List incidents, newest first.
    List(ListArgs),
    /// Show everything derived about one.
    Show {
        /// The incident.
        record: String,
        /// As this device knew it then (RFC 3339).
        #[arg(long, value_name = "TIME")]
        as_of: Option<String>,
    },
    /// Add a note.
    Note {
        /// The incident.
        record: String,
        /// The note.
        #[arg(long)]
        text: String,
    },
    /// Set fields anew.
    Amend {
        /// The incident.
        record: String,
        /// `field=value`; several times for several fields.
        #[arg(long = "set", required = true, value_name = "FIELD=VALUE")]
        set: Vec<String>,
        /// Settle the disputes of these fields.
        #[arg(long)]
        settles: bool,
    },
    /// Move it to another state.
    State {
        /// The incident.
        record: String,
        /// triaged, verifying, assigned, in-progress, contained, resolved, closed, reopened, unfounded, out-of-scope.
        state: String,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Give it to a unit or person.
    Assign {
        /// The incident.
        record: String,
        /// To whom.
        #[arg(long)]
        to: String,
    },
    /// Say that it is the same matter as another one; reversible.
    Duplicate {
        /// The incident.
        record: String,
        /// The one that leads.
        #[arg(long)]
        of: Option<String>,
        /// Take the link back.
        #[arg(long)]
        undo: bool,
    },
    /// Raise the level of attention.
    Escalate {
        /// The incident.
        record: String,
        /// To whom.
        #[arg(long)]
        to: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

/// What is logged.
#[derive(Args)]
pub struct LogArgs {
    /// A code, such as ops:box-tampering.
    #[arg(long)]
    pub category: String,
    /// physical, cyber, information, operational; several times for several.
    #[arg(long)]
    pub domain: Vec<String>,
    /// What happened, in one line.
    #[arg(long)]
    pub summary: String,
    /// The account.
    #[arg(long)]
    pub description: Option<String>,
    /// The polling station's code.
    #[arg(long)]
    pub station: Option<String>,
    /// The place, in words.
    #[arg(long)]
    pub place: Option<String>,
    /// Latitude, degrees.
    #[arg(long, allow_negative_numbers = true)]
    pub lat: Option<f64>,
    /// Longitude, degrees.
    #[arg(long, allow_negative_numbers = true)]
    pub lon: Option<f64>,
    /// When it happened (RFC 3339 with zone); by default now.
    #[arg(long)]
    pub occurred: Option<String>,
    /// 1 minor, 2 moderate, 3 serious, 4 critical.
    #[arg(long, value_parser = clap::value_parser!(i64).range(1..=4))]
    pub severity: Option<i64>,
    /// Traffic light protocol: CLEAR, GREEN, AMBER, AMBER+STRICT, RED.
    #[arg(long)]
    pub tlp: Option<String>,
    /// Keep as the draft of this device instead of signing it.
    #[arg(long)]
    pub draft: bool,
}

/// What is listed.
#[derive(Args)]
pub struct ListArgs {
    /// In this state.
    #[arg(long)]
    pub state: Option<String>,
    /// Of this category.
    #[arg(long)]
    pub category: Option<String>,
    /// Of this severity.
    #[arg(long)]
    pub severity: Option<i64>,
    /// Containing these words.
    #[arg(long)]
    pub search: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 100)]
    pub limit: u32,
    /// After so many.
    #[arg(long, default_value_t = 0)]
    pub offset: u32,
}

/// `refer`
#[derive(Args)]
pub struct Refer {
    /// The record.
    pub record: String,
    /// The institution asked.
    #[arg(long)]
    pub to: String,
    /// respond, investigate, advise, preserve, provide-evidence.
    #[arg(long)]
    pub ask: String,
    /// By when an answer is expected: 90s, 5m, 4h, 3d.
    #[arg(long)]
    pub respond_by: Option<String>,
    /// What is asked, in words.
    #[arg(long)]
    pub text: Option<String>,
}

/// `referral …`
#[derive(Subcommand)]
pub enum Referral {
    /// List referrals.
    List {
        /// Those to this institution.
        #[arg(long)]
        inbox: bool,
        /// Those from this institution.
        #[arg(long)]
        outbox: bool,
    },
    /// Accept.
    Accept(Step),
    /// Decline, with a reason.
    Decline(Step),
    /// Claim it done.
    Done(Step),
    /// Give it back after acceptance, with a reason.
    Return(Step),
    /// Take it back.
    Recall(Step),
    /// Close it.
    Close(Step),
    /// Dispute the answer, with a reason.
    Dispute(Step),
}

/// A step of a referral.
#[derive(Args)]
pub struct Step {
    /// The referral: id or unique prefix.
    pub referral: String,
    /// Why.
    #[arg(long)]
    pub reason: Option<String>,
    /// What came of it.
    #[arg(long)]
    pub outcome: Option<String>,
}

/// `exhibit …`
#[derive(Subcommand)]
pub enum ExhibitCommand {
    /// Add a file, bytes untouched.
    Add {
        /// The record.
        record: String,
        /// The file.
        file: PathBuf,
        /// What it shows.
        #[arg(long)]
        description: Option<String>,
    },
    /// Write the original out.
    Get {
        /// The record.
        record: String,
        /// The exhibit: id or unique prefix.
        exhibit: String,
        /// The file to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// Hand it over: the first half of the handover.
    Transfer {
        /// The record.
        record: String,
        /// The exhibit.
        exhibit: String,
        /// The institution.
        #[arg(long)]
        to: String,
        /// Seal and bag numbers, remarks.
        #[arg(long)]
        remark: Option<String>,
    },
    /// Take it over: the second half.
    Receive {
        /// The record.
        record: String,
        /// The exhibit.
        exhibit: String,
        /// Seal and bag numbers, remarks.
        #[arg(long)]
        remark: Option<String>,
    },
}

/// `complaint …`
#[derive(Subcommand)]
pub enum Complaint {
    /// Register a complaint: files and receipts it.
    File(Box<FileArgs>),
    /// List complaints.
    List,
    /// Show one.
    Show {
        /// Docket number, reference or id.
        complaint: String,
    },
    /// Link an incident.
    Link {
        /// The complaint.
        complaint: String,
        /// The incident.
        #[arg(long)]
        incident: String,
    },
    /// Move it through the workflow.
    Move {
        /// The complaint.
        complaint: String,
        /// The state.
        state: String,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Decide it.
    Decide {
        /// The complaint.
        complaint: String,
        /// The outcome, a code.
        #[arg(long)]
        outcome: String,
        /// The reasons.
        #[arg(long)]
        reasons: String,
        /// The remedy, a code.
        #[arg(long)]
        remedy: Option<String>,
    },
}

/// A filing.
#[derive(Args)]
pub struct FileArgs {
    /// What it is about, a code.
    #[arg(long)]
    pub subject: String,
    /// In one line.
    #[arg(long)]
    pub summary: String,
    /// The complainant: `{"name","standing","contact"}`; sealed apart.
    #[arg(long, value_name = "FILE")]
    pub complainant_file: Option<PathBuf>,
    /// The act challenged.
    #[arg(long)]
    pub challenges: Option<String>,
    /// The remedy sought, a code.
    #[arg(long)]
    pub remedy: Option<String>,
    /// Incidents it relies on.
    #[arg(long)]
    pub incident: Vec<String>,
}

/// `sync`
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct SyncWay {
    /// A device on the local network.
    #[arg(long)]
    pub peer: Option<std::net::SocketAddr>,
    /// A relay: ws://… or wss://…
    #[arg(long)]
    pub relay: Option<String>,
}

/// `sync`
#[derive(Args)]
pub struct Sync {
    #[command(flatten)]
    pub way: SyncWay,
    /// The relay's access token.
    #[arg(long)]
    pub operation_tag: Option<String>,
    /// Stay connected until ended.
    #[arg(long)]
    pub watch: bool,
}

/// `relay`
#[derive(Args)]
pub struct Relay {
    /// Address and port.
    #[arg(long)]
    pub listen: std::net::SocketAddr,
    /// `sqlite:FILE`.
    #[arg(long)]
    pub store: String,
    /// The folder for large batches; by default beside the database.
    #[arg(long)]
    pub blobs: Option<PathBuf>,
    /// Only who knows this token may connect.
    #[arg(long)]
    pub operation_tag: Option<String>,
}

/// `parcel …`
#[derive(Subcommand)]
pub enum Parcel {
    /// Write a parcel: one file, sealed to its recipient.
    Write {
        /// The institution or device.
        #[arg(long)]
        to: String,
        /// The file.
        #[arg(long)]
        out: PathBuf,
    },
    /// Take a parcel in.
    Read {
        /// The file.
        file: PathBuf,
    },
    /// Say what a parcel is, without taking it in.
    Inspect {
        /// The file.
        file: PathBuf,
    },
}

/// `dossier …`
#[derive(Subcommand)]
pub enum Dossier {
    /// Write a dossier.
    Export {
        /// The records.
        #[arg(required = true)]
        records: Vec<String>,
        /// The folder to make.
        #[arg(long)]
        out: PathBuf,
        /// The institution that it is for.
        #[arg(long = "for", value_name = "AGENCY")]
        addressee: Option<String>,
        /// Encrypt it to the addressee: a tar, sealed with age.
        #[arg(long)]
        seal: bool,
    },
}

/// `trust …`
#[derive(Subcommand)]
pub enum Trust {
    /// Write the trust file.
    Export {
        /// The file.
        #[arg(long)]
        out: PathBuf,
    },
}

/// `import …`
#[derive(Subcommand)]
pub enum Import {
    /// Rows of a CSV file into incidents; a second run adds nothing.
    Csv {
        /// The file.
        file: PathBuf,
        /// How its columns become fields.
        #[arg(long)]
        mapping: PathBuf,
    },
}
