//! Incidents, referrals, exhibits.

use std::path::PathBuf;

use clap::{Args, Subcommand};

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
        /// `field=value`, one or several.
        #[arg(long = "set", required = true, num_args = 1.., value_name = "FIELD=VALUE")]
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
    /// Open incidents that are likely the same matter, by place, words, kind and time.
    Likely {
        /// The incident.
        record: String,
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
    /// Who reported it, if not you: name, function, call sign. Sealed apart from the incident.
    #[arg(long, value_name = "WHO")]
    pub reporter: Option<String>,
    /// How it came: radio, phone, message, in-person.
    #[arg(long, value_parser = ["radio", "phone", "message", "in-person"])]
    pub channel: Option<String>,
    /// Where it comes from, in words that may be shared.
    #[arg(long, value_name = "TEXT")]
    pub source: Option<String>,
    /// How far the source is to be relied on: a (completely) to e; f: cannot be judged.
    #[arg(long, value_name = "LETTER")]
    pub reliability: Option<String>,
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
