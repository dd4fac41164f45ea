//! Asking another agency to act.
//!
//! Concurrent steps, by rank: a dispute stands over a close, a close over a done, a done over an
//! acceptance; an acceptance stands over a concurrent recall or decline, because whoever is already
//! moving must not be told that nobody asked (the recall is shown); a return over a decline, a
//! decline over a recall.

use seal::EntryId;
use serde::{Deserialize, Serialize};

use super::{At, Grant, Invalid, RecordKind, optional};
use crate::authorise::{Author, Denied};
use crate::causality::Past;
use crate::flow::States;
use crate::record_state::RecordState;
use crate::roster::{AgencyId, Role};

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// Come and act; shares the record whole.
    Respond,
    /// Find out.
    Investigate,
    /// Advise.
    Advise,
    /// Preserve data or items.
    Preserve,
    /// Provide evidence.
    ProvideEvidence,
}

impl Ask {
    /// The code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Respond => "respond",
            Self::Investigate => "investigate",
            Self::Advise => "advise",
            Self::Preserve => "preserve",
            Self::ProvideEvidence => "provide-evidence",
        }
    }
    /// The ask of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Respond, Self::Investigate, Self::Advise, Self::Preserve, Self::ProvideEvidence]
            .into_iter()
            .find(|ask| ask.code() == code)
    }
}

/// Where a referral stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReferralState {
    /// Offered by the asker.
    Offered,
    /// Received by a device of the receiver.
    Received,
    /// Seen by a named operator of the receiver.
    Seen,
    /// Accepted by the receiver.
    Accepted,
    /// Declined by the receiver, with a reason.
    Declined,
    /// Claimed done by the receiver.
    Done,
    /// Closed by the asker.
    Closed,
    /// Disputed by the asker.
    Disputed,
    /// Given back by the receiver after acceptance.
    Returned,
    /// Taken back by the asker.
    Recalled,
}

impl ReferralState {
    /// All states.
    pub const ALL: [Self; 10] = [
        Self::Offered,
        Self::Received,
        Self::Seen,
        Self::Accepted,
        Self::Declined,
        Self::Done,
        Self::Closed,
        Self::Disputed,
        Self::Returned,
        Self::Recalled,
    ];
    /// The code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Received => "received",
            Self::Seen => "seen",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Done => "done",
            Self::Closed => "closed",
            Self::Disputed => "disputed",
            Self::Returned => "returned",
            Self::Recalled => "recalled",
        }
    }
    /// The state of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
    /// Whether the receiver has not answered yet.
    pub fn is_waiting(self) -> bool {
        matches!(self, Self::Offered | Self::Received | Self::Seen)
    }
    /// Whether it is the asker who takes this step.
    fn by_asker(self) -> bool {
        matches!(self, Self::Closed | Self::Disputed | Self::Recalled)
    }
    fn needs_reason(self) -> bool {
        matches!(self, Self::Declined | Self::Returned | Self::Disputed)
    }
}

impl States for ReferralState {
    const START: Self = Self::Offered;
    fn allows(self, to: Self) -> bool {
        use ReferralState::*;
        match self {
            Offered => matches!(to, Received | Seen | Accepted | Declined | Recalled),
            Received => matches!(to, Seen | Accepted | Declined | Recalled),
            Seen => matches!(to, Accepted | Declined | Recalled),
            Accepted => matches!(to, Done | Returned | Recalled),
            Done => matches!(to, Closed | Disputed),
            Disputed => matches!(to, Accepted | Done | Closed | Recalled),
            Declined | Returned => matches!(to, Closed | Disputed),
            Closed | Recalled => false,
        }
    }
    fn rank(self) -> u8 {
        match self {
            Self::Offered => 0,
            Self::Received => 1,
            Self::Seen => 2,
            Self::Recalled => 3,
            Self::Declined => 4,
            Self::Returned => 5,
            Self::Accepted => 6,
            Self::Done => 7,
            Self::Closed => 8,
            Self::Disputed => 9,
        }
    }
}

/// Offers a referral. Its id is the id of this entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refer {
    /// The agency asked.
    pub to: AgencyId,
    /// What is asked.
    pub ask: Ask,
    /// By when an answer is expected, milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub respond_by_ms: Option<i64>,
    /// What is asked, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The keys of the record, for the agency asked, where it could not read it before.
    pub grants: Vec<Grant>,
}

impl Refer {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        optional(&self.text, 4000, "ask")?;
        super::share::check_grants(&self.grants)
    }
    /// The owner's desk or commander, and in a brief its adjudicator; never to the owner itself. Only
    /// `respond` shares an incident whole, every other ask and every complaint opens a brief; and
    /// whoever is asked is given all of what the referral stands in.
    pub(super) fn authorise(&self, author: &Author<'_>, record: &RecordState, past: &Past) -> Result<(), Denied> {
        author.owns(record)?;
        match record.kind {
            Some(RecordKind::Incident) if self.ask == Ask::Respond => author.needs(&[Role::Desk, Role::Commander])?,
            Some(RecordKind::Brief) => author.needs(&[Role::Desk, Role::Commander, Role::Adjudicator])?,
            _ => return Err(Denied::Kind),
        }
        if self.to == *author.agency {
            return Err(Denied::Step("a referral goes to another agency"));
        }
        if record.gives_whole(&self.to, &self.grants, past) { Ok(()) } else { Err(Denied::Partial) }
    }
    pub(super) fn apply(&self, record: &mut RecordState, at: &At<'_>) -> Result<(), &'static str> {
        record.grant(&self.grants, at);
        record.refer(self, at);
        Ok(())
    }
}

/// A step of a referral.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The referral: the entry that offered it.
    #[schemars(with = "String")]
    pub referral: EntryId,
    /// The state reached.
    pub step: ReferralState,
    /// Why; required to decline, return or dispute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

impl Answer {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        if self.step.needs_reason() && self.reason.is_none() {
            return Err(Invalid::Reason);
        }
        optional(&self.reason, 2000, "reason")?;
        optional(&self.outcome, 4000, "outcome")
    }
    /// The receiver receives, sees, accepts, declines, does, returns; the asker closes, disputes,
    /// recalls. Neither commands the other. Whoever reads states that it arrived and was seen; the rest
    /// is a desk's to answer, and in a brief also its adjudicator's to close.
    pub(super) fn authorise(&self, author: &Author<'_>, record: &RecordState, past: &Past) -> Result<(), Denied> {
        // What an author had not seen it cannot answer.
        let referral = record.referrals.get(&self.referral).filter(|referral| past.holds(&referral.offered));
        let referral = referral.ok_or(Denied::Step("no such referral in this record"))?;
        let side = if self.step.by_asker() { &referral.from } else { &referral.to };
        if side != author.agency {
            return Err(Denied::Step("this step is the other side's"));
        }
        let sees = matches!(self.step, ReferralState::Received | ReferralState::Seen);
        let asks = self.step.by_asker() && record.kind == Some(RecordKind::Brief);
        author.needs(match (sees, asks) {
            (true, _) => &[Role::Desk, Role::Commander, Role::Registrar, Role::Adjudicator],
            (_, true) => &[Role::Desk, Role::Commander, Role::Adjudicator],
            _ => &[Role::Desk, Role::Commander],
        })
    }
    pub(super) fn apply(&self, record: &mut RecordState, at: &At<'_>) -> Result<(), &'static str> {
        record.answer(self, at)
    }
}
