//! LAN, relay, parcels, dossiers, imports.

use std::path::PathBuf;

use clap::{Args, Subcommand};

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
    /// The relay's access token; better in the environment, where other users do not see it.
    #[arg(long, env = "INTACT_OPERATION_TAG", hide_env_values = true)]
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
    pub blobs: Option<String>,
    /// Only who knows this token may connect; better in the environment.
    #[arg(long, env = "INTACT_OPERATION_TAG", hide_env_values = true)]
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
        /// Encrypt it to the addressee: one file, which `dossier open` opens there.
        #[arg(long)]
        seal: bool,
    },
    /// Open a dossier that was sealed to this institution or device.
    Open {
        /// The sealed file.
        file: PathBuf,
        /// The folder to make.
        #[arg(long)]
        out: PathBuf,
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
