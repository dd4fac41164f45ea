//! The workflow of a complaint, as `schemas/vocab/workflow_complaints.json` states it.

use serde::{Deserialize, Serialize};

use crate::flow::States;

/// Where a complaint stands on its main track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ComplaintState {
    /// Being written; not filed.
    Draft,
    /// Lodged by the complainant; filing time fixed.
    Filed,
    /// Number, time, receipt given; entered in register.
    Receipted,
    /// Formal defect; short time to cure, no loss of filing date (no undue formalism, II.3.3.b).
    Deficient,
    /// Wrong forum; sent on, filing date kept; forum not chosen by parties (II.3.3.c).
    Transferred,
    /// Standing, time, competence, ground.
    AdmissibilityReview,
    /// Written, reasoned, notified.
    Inadmissible,
    /// Goes to merits.
    Admitted,
    /// Panel or judge named; conflict check; collegiate preferred except urgent cases (para 48).
    Assigned,
    /// Other side heard in writing; evidence gathered.
    Evidence,
    /// Date, notice, open or closed with reason.
    HearingSet,
    /// Hearing held; minutes; right to a hearing involving both sides (II.3.3.h).
    Heard,
    /// Decision being written.
    Deliberation,
    /// Written reasoned decision.
    Decided,
    /// Served on parties; appeal clock starts.
    Notified,
    /// Taken to higher body; final appeal to a court possible (II.3.3.a).
    Appealed,
    /// No further ordinary appeal.
    Final,
    /// Body did not decide in time; legal effect per national law.
    Lapsed,
    /// Merged with another case.
    Joined,
    /// Ended by complainant; body may go on ex officio where law allows.
    Withdrawn,
}

impl ComplaintState {
    /// All states, in the order of the main track.
    pub const ALL: [Self; 20] = [
        Self::Draft,
        Self::Filed,
        Self::Receipted,
        Self::Deficient,
        Self::Transferred,
        Self::AdmissibilityReview,
        Self::Inadmissible,
        Self::Admitted,
        Self::Assigned,
        Self::Evidence,
        Self::HearingSet,
        Self::Heard,
        Self::Deliberation,
        Self::Decided,
        Self::Notified,
        Self::Appealed,
        Self::Final,
        Self::Lapsed,
        Self::Joined,
        Self::Withdrawn,
    ];

    /// The code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Filed => "filed",
            Self::Receipted => "receipted",
            Self::Deficient => "deficient",
            Self::Transferred => "transferred",
            Self::AdmissibilityReview => "admissibility-review",
            Self::Inadmissible => "inadmissible",
            Self::Admitted => "admitted",
            Self::Assigned => "assigned",
            Self::Evidence => "evidence",
            Self::HearingSet => "hearing-set",
            Self::Heard => "heard",
            Self::Deliberation => "deliberation",
            Self::Decided => "decided",
            Self::Notified => "notified",
            Self::Appealed => "appealed",
            Self::Final => "final",
            Self::Lapsed => "lapsed",
            Self::Joined => "joined",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

impl States for ComplaintState {
    const START: Self = Self::Draft;
    fn allows(self, to: Self) -> bool {
        use ComplaintState::*;
        match self {
            Draft => matches!(to, Filed | Withdrawn),
            Filed => matches!(to, Receipted),
            Receipted => matches!(to, Deficient | Transferred | AdmissibilityReview | Joined | Withdrawn | Lapsed),
            Deficient => matches!(to, Receipted | Inadmissible | Withdrawn | Lapsed),
            Transferred => matches!(to, Receipted),
            AdmissibilityReview => matches!(to, Admitted | Inadmissible | Deficient | Transferred | Lapsed),
            Inadmissible => matches!(to, Notified),
            Admitted => matches!(to, Assigned | Lapsed),
            Assigned => matches!(to, Evidence | Lapsed | Assigned),
            Evidence => matches!(to, HearingSet | Deliberation | Withdrawn | Joined | Lapsed),
            HearingSet => matches!(to, Heard | Lapsed),
            Heard => matches!(to, Evidence | Deliberation | Lapsed),
            Deliberation => matches!(to, Decided | Evidence | Lapsed),
            Decided => matches!(to, Notified),
            Notified => matches!(to, Appealed | Final),
            Appealed => false,
            Final => false,
            Lapsed => matches!(to, Notified | Appealed | Final),
            Joined => matches!(to, Receipted),
            Withdrawn => matches!(to, Notified),
        }
    }
    /// The later stage of the main track stands over an earlier one.
    fn rank(self) -> u8 {
        Self::ALL.iter().position(|state| *state == self).unwrap_or(0) as u8
    }
}
