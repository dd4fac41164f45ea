//! Situation reports and handovers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

wire! {
    /// What a report is started with.
    ReportStart {
        /// `situation-report` or `handover`.
        kind: String,
        /// The period that it is about, RFC 3339; eight hours up to now where nothing is given.
        #[serde(default)]
        from: Option<String>,
        /// Its end; now where nothing is given.
        #[serde(default)]
        to: Option<String>,
    }
    /// A number that was counted when the report was started.
    ReportFigure {
        /// `new`, `critical`, `open`, …
        name: String,
        /// The number.
        count: u64,
        /// References of what was counted, the newest first; at most 250 of them.
        rows: Vec<String>,
    }
    /// A text of a report, as everybody's changes make it.
    ReportSection {
        /// `situation`, `needs`, …
        name: String,
        /// The text.
        text: String,
        /// The changes that it ends in: what the next change is made on.
        base: Vec<String>,
        /// Who wrote in it.
        writers: Vec<String>,
        /// When it last changed.
        last_at: Option<String>,
    }
    /// A signature under a report.
    ReportSignature {
        /// `prepared`, `approved` or `taken-over`.
        capacity: String,
        /// Who.
        operator: String,
        /// Of which institution.
        agency: String,
        /// On which device.
        device: String,
        /// When.
        at: String,
        /// Whether the texts are still those that were signed.
        current: bool,
    }
    /// A report in a list.
    ReportRow {
        /// The record's id.
        id: String,
        /// Its reference.
        reference: String,
        /// `situation-report` or `handover`.
        kind: String,
        /// The period that it is about.
        from: String,
        /// Its end.
        to: String,
        /// Whose it is.
        owner: String,
        /// When it was started.
        recorded_at: String,
        /// When it last changed.
        last_at: String,
    }
    /// Reports, newest first.
    ReportList {
        /// At most 200.
        items: Vec<ReportRow>,
    }
    /// A report.
    ReportShow {
        /// Its row.
        row: ReportRow,
        /// The numbers, in their order.
        figures: Vec<ReportFigure>,
        /// The texts, in their order.
        sections: Vec<ReportSection>,
        /// Who signed.
        signatures: Vec<ReportSignature>,
        /// Who can read it.
        audience: Vec<String>,
        /// Who can read it, in a sentence.
        audience_sentence: String,
    }
    /// A change that was kept.
    ReportWritten {
        /// The entry; absent where there was nothing to change.
        entry: Option<String>,
        /// The text with it, and with what others wrote meanwhile.
        section: ReportSection,
    }
    /// What was played of a script.
    PlayReport {
        /// The script's name.
        name: String,
        /// Reports that were logged by this run.
        logged: u64,
        /// Notes that were added by this run.
        noted: u64,
        /// What this institution has to play in the whole script.
        total: u64,
        /// Whether it was stopped before the end.
        stopped: bool,
    }
    /// A statement of this device's operator or of others, for the log of a shift.
    ActivityRow {
        /// The record's reference.
        reference: String,
        /// The action.
        action: String,
        /// In a line.
        text: String,
        /// Who.
        operator: String,
        /// On which device.
        device: String,
        /// Of which institution.
        agency: String,
        /// When.
        recorded_at: String,
    }
    /// What was done in a period, oldest first.
    ActivityList {
        /// How many there were.
        total: u64,
        /// At most 500, the last ones.
        items: Vec<ActivityRow>,
    }
}
