//! One function per command: call the desk, print the report.

mod carry;
mod complaints;
mod exercise;
mod people;
mod records;
mod reports;
mod stations;
mod tools;

use std::path::PathBuf;

use desk::{Desk, DeskError};

use crate::args::{Cli, Command};
use crate::{passphrase, place};

/// What every command may need.
pub struct Context {
    vault: Option<PathBuf>,
    passphrase_file: Option<PathBuf>,
    /// Whether to print JSON.
    pub json: bool,
}

impl Context {
    /// The vault folder: the one that was named, or the desktop's place for it.
    pub fn dir(&self) -> Result<PathBuf, DeskError> {
        let dir = self.vault.clone().or_else(place::default_vault);
        dir.ok_or_else(|| DeskError::usage("no vault was named: give --vault DIR or set INTACT_VAULT"))
    }
    /// The passphrase of an existing vault.
    pub fn passphrase(&self) -> Result<desk::Passphrase, DeskError> {
        passphrase::read(self.passphrase_file.as_deref(), false)
    }
    /// The passphrase of a new vault.
    pub fn new_passphrase(&self) -> Result<desk::Passphrase, DeskError> {
        passphrase::read(self.passphrase_file.as_deref(), true)
    }
    /// Opens the vault.
    pub async fn open(&self) -> Result<Desk, DeskError> {
        Desk::open(&self.dir()?, &self.passphrase()?).await
    }
}

/// Runs a command.
pub async fn run(cli: Cli) -> Result<(), DeskError> {
    let context = Context { vault: cli.vault, passphrase_file: cli.passphrase_file, json: cli.json };
    match cli.command {
        Command::Init(args) => people::init(&context, args).await,
        Command::Agency(command) => people::agency(&context, command).await,
        Command::Device(command) => people::device(&context, command).await,
        Command::Roster(command) => people::roster(&context, command).await,
        Command::Join { welcome } => people::join(&context, welcome).await,
        Command::Incident(command) => records::incident(&context, command).await,
        Command::Share { record, with } => records::share(&context, record, with, true).await,
        Command::Unshare { record, with } => records::share(&context, record, with, false).await,
        Command::Refer(args) => records::refer(&context, args).await,
        Command::Referral(command) => records::referral(&context, command).await,
        Command::Exhibit(command) => records::exhibit(&context, command).await,
        Command::Complaint(command) => complaints::complaint(&context, command).await,
        Command::Exercise(command) => exercise::exercise(&context, command).await,
        Command::Report(command) => reports::report(&context, command).await,
        Command::Serve { listen } => carry::serve(&context, listen).await,
        Command::Sync(args) => carry::sync(&context, args).await,
        Command::Relay(args) => carry::relay(args).await,
        Command::Parcel(command) => carry::parcel(&context, command).await,
        Command::Dossier(command) => carry::dossier(&context, command).await,
        Command::Trust(command) => carry::trust(&context, command).await,
        Command::Station(command) => stations::station(&context, command).await,
        Command::Import(command) => carry::import(&context, command).await,
        Command::Check { rebuild, trail } => carry::check(&context, rebuild, trail).await,
        Command::Demo { keep } => tools::demo(keep).await,
        Command::Practice { out } => tools::practice(&context, out).await,
        Command::Schemas { out, check } => tools::schemas(&out, check),
        Command::Completions { shell } => tools::completions(shell),
        Command::Man { out } => tools::man(&out),
    }
}
