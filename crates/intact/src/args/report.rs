//! Situation reports and handovers.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

/// What a report is.
#[derive(Clone, Copy, ValueEnum)]
pub enum ReportKind {
    /// What the situation is.
    SituationReport,
    /// What one shift passes on to the next.
    Handover,
}

/// In which capacity one signs.
#[derive(Clone, Copy, ValueEnum)]
pub enum As {
    /// Wrote it, or answers for the writing.
    Prepared,
    /// Approves it.
    Approved,
    /// Comes on duty and takes over what it lists.
    TakenOver,
}

/// `report …`
#[derive(Subcommand)]
pub enum Report {
    /// Count what is here and begin the texts.
    Start {
        /// Which kind.
        #[arg(value_enum)]
        kind: ReportKind,
        /// The period that it is about (RFC 3339); by default eight hours up to its end.
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// Its end; by default now.
        #[arg(long, value_name = "TIME")]
        to: Option<String>,
    },
    /// List reports, newest first.
    List,
    /// Show one: numbers with their rows, texts, signatures.
    Show {
        /// The report.
        report: String,
    },
    /// Replace a text as it stands by the contents of a file, or of standard input.
    Write {
        /// The report.
        report: String,
        /// Which text: situation, significant, actions, needs, outlook, notes, …
        #[arg(long)]
        section: String,
        /// The file; `-` is standard input.
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
    },
    /// Sign the texts as they stand.
    Sign {
        /// The report.
        report: String,
        /// In which capacity.
        #[arg(long = "as", value_enum)]
        capacity: As,
    },
}
