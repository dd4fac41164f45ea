//! The command line, as scripts rely on it.

mod carry;
mod complaints;
mod exercise;
mod people;
mod records;
mod report;
mod stations;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub use carry::{Dossier, Import, Parcel, Relay, Sync, Trust};
pub use complaints::{Complaint, FileArgs};
pub use exercise::Exercise;
pub use people::{Agency, AgencyArgs, DeviceCommand, Init, Kind, RosterCommand};
pub use records::{ExhibitCommand, Incident, ListArgs, LogArgs, Refer, Referral, Step};
pub use report::Report;
pub use stations::Station;

/// What scripts act on.
const STATUS: &str = "\
Exit status: 0 done, 2 wrong usage, 3 not allowed, wrong recipient or no such step, 4 not found or ambiguous, \
5 integrity failure (nothing imported), 6 locked or wrong passphrase, 7 peer or network, 8 storage.";

/// An offline-first, encrypted incident log for the people who keep an election safe.
#[derive(Parser)]
#[command(name = "intact", version, about, propagate_version = true, max_term_width = 100, after_help = STATUS)]
pub struct Cli {
    /// The vault folder; by default intact/vault where the desktop keeps data (XDG_DATA_HOME).
    #[arg(long, global = true, env = "INTACT_VAULT", value_name = "DIR")]
    pub vault: Option<PathBuf>,
    /// A file that holds the passphrase and nothing else; otherwise it is asked for.
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
    /// Situation reports and handovers.
    #[command(subcommand)]
    Report(Report),
    /// Play a scripted night into an exercise.
    #[command(subcommand)]
    Exercise(Exercise),
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
    /// Polling stations, and those that are silent.
    #[command(subcommand)]
    Station(Station),
    /// Bring records in from elsewhere.
    #[command(subcommand)]
    Import(Import),
    /// Verify the whole vault again: every signature, chain, hash and projection.
    Check {
        /// Build projections and search anew.
        #[arg(long)]
        rebuild: bool,
        /// Signatures, chains, contents and statuses alone: about half the time.
        #[arg(long, conflicts_with = "rebuild")]
        trail: bool,
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
