//! Complaints.

use std::path::PathBuf;

use clap::{Args, Subcommand};

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
    #[arg(long, num_args = 1.., value_name = "REF")]
    pub incident: Vec<String>,
}
