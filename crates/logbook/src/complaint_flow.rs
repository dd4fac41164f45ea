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

    /// Whether nothing may follow: an appeal opens a linked record of its own.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Appealed | Self::Final)
    }

    /// The states that may follow, in the order of the main track.
    pub fn next(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |to| allowed(self, *to))
    }
}

/// Whether the main track has a step from one state to another.
pub fn allowed(from: ComplaintState, to: ComplaintState) -> bool {
    from.allows(to)
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

/// What runs beside the main track: hours extended at 18:00 are executed before the decision is
/// final, and a final case can still be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Track {
    /// Bringing the decision to the parties.
    Service,
    /// The public register.
    Publication,
    /// Carrying out what was ordered.
    Execution,
    /// Measures before the decision; a duty judge may grant them from `receipted` on.
    Interim,
}

/// Where a track stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TrackState {
    /// To be served or published.
    Due,
    /// Served on a party.
    Served,
    /// The proof of service is on record.
    ProofOfService,
    /// In the public register.
    Published,
    /// Published again with a correction.
    Corrected,
    /// A remedy was ordered.
    Ordered,
    /// The remedy is under way.
    Executing,
    /// The remedy is done and confirmed.
    Executed,
    /// The remedy was not carried out.
    NotExecuted,
    /// A party has asked for a measure.
    Applied,
    /// The measure stands.
    Granted,
    /// The measure was refused.
    Refused,
    /// The measure no longer stands.
    Ended,
}

impl Track {
    /// All tracks.
    pub const ALL: [Self; 4] = [Self::Service, Self::Publication, Self::Execution, Self::Interim];

    /// The code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Publication => "publication",
            Self::Execution => "execution",
            Self::Interim => "interim",
        }
    }

    /// The states of the track, in their order.
    pub fn states(self) -> &'static [TrackState] {
        use TrackState::*;
        match self {
            Self::Service => &[Due, Served, ProofOfService],
            Self::Publication => &[Due, Published, Corrected],
            Self::Execution => &[Ordered, Executing, Executed, NotExecuted],
            Self::Interim => &[Applied, Granted, Refused, Ended],
        }
    }

    /// Whether the track has a step. It begins with its first state and only runs forward; a
    /// publication may be corrected again, an order may turn out not executed at any time.
    pub fn allows(self, from: Option<TrackState>, to: TrackState) -> bool {
        use TrackState::*;
        let Some(from) = from else { return self.states().first() == Some(&to) };
        match self {
            Self::Service => matches!((from, to), (Due, Served) | (Served, ProofOfService)),
            Self::Publication => matches!((from, to), (Due, Published) | (Published | Corrected, Corrected)),
            Self::Execution => matches!(
                (from, to),
                (Ordered, Executing | Executed | NotExecuted) | (Executing, Executed | NotExecuted)
            ),
            Self::Interim => matches!((from, to), (Applied, Granted | Refused) | (Granted, Ended)),
        }
    }
}

impl TrackState {
    /// The code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Served => "served",
            Self::ProofOfService => "proof-of-service",
            Self::Published => "published",
            Self::Corrected => "corrected",
            Self::Ordered => "ordered",
            Self::Executing => "executing",
            Self::Executed => "executed",
            Self::NotExecuted => "not-executed",
            Self::Applied => "applied",
            Self::Granted => "granted",
            Self::Refused => "refused",
            Self::Ended => "ended",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The part of the vocabulary that this file states.
    #[derive(Debug, PartialEq, Deserialize)]
    struct Workflow {
        initial: ComplaintState,
        terminal: Vec<ComplaintState>,
        transitions: BTreeMap<ComplaintState, Vec<ComplaintState>>,
        tracks: BTreeMap<Track, Vec<TrackState>>,
    }

    fn vocabulary() -> Workflow {
        serde_json::from_str(crate::vocab::WORKFLOW_COMPLAINTS).unwrap()
    }

    #[test]
    fn equals_the_vocabulary() {
        let mut said = vocabulary();
        said.transitions.values_mut().for_each(|to| to.sort());
        said.terminal.sort();
        let ours = Workflow {
            initial: ComplaintState::START,
            terminal: ComplaintState::ALL.into_iter().filter(|state| state.is_terminal()).collect(),
            transitions: ComplaintState::ALL
                .into_iter()
                .map(|from| {
                    let mut to: Vec<ComplaintState> = from.next().collect();
                    to.sort();
                    (from, to)
                })
                .collect(),
            tracks: Track::ALL.into_iter().map(|track| (track, track.states().to_vec())).collect(),
        };
        assert_eq!(ours, said);
    }

    #[test]
    fn codes_are_what_serde_writes_and_have_labels() {
        for state in ComplaintState::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.code());
            assert_eq!(ComplaintState::from_code(state.code()), Some(state));
            assert!(crate::vocab::label(&format!("complaint-state:{}", state.code()), "fr").is_some());
            assert_eq!(state.is_terminal(), state.next().next().is_none());
        }
        for track in Track::ALL {
            assert_eq!(serde_json::to_value(track).unwrap(), track.code());
            for state in track.states() {
                assert_eq!(serde_json::to_value(state).unwrap(), state.code());
            }
        }
    }

    #[test]
    fn every_state_is_reached_and_leads_to_an_end() {
        let mut reached = vec![ComplaintState::START];
        let mut at = 0;
        while let Some(state) = reached.get(at).copied() {
            reached.extend(state.next().filter(|to| !reached.contains(to)).collect::<Vec<_>>());
            at += 1;
        }
        assert_eq!(reached.len(), ComplaintState::ALL.len());
        let mut ends: Vec<ComplaintState> = ComplaintState::ALL.into_iter().filter(|s| s.is_terminal()).collect();
        for _ in ComplaintState::ALL {
            ends.extend(
                ComplaintState::ALL
                    .into_iter()
                    .filter(|from| !ends.contains(from) && from.next().any(|to| ends.contains(&to)))
                    .collect::<Vec<_>>(),
            );
        }
        assert_eq!(ends.len(), ComplaintState::ALL.len());
    }

    #[test]
    fn tracks_run_forward() {
        for track in Track::ALL {
            let states = track.states();
            assert!(track.allows(None, states[0]));
            for (at, from) in states.iter().enumerate() {
                assert!(at == 0 || !track.allows(None, *from));
                assert!(states[..at].iter().all(|to| !track.allows(Some(*from), *to)));
            }
        }
        assert!(!Track::Interim.allows(Some(TrackState::Refused), TrackState::Ended));
        assert!(!Track::Service.allows(None, TrackState::Ordered));
    }
}
