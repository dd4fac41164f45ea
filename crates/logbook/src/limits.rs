//! Whom a record may be given to or told of: its TLP, and what it alleges.
//!
//! Of a disputed TLP the strictest value binds, and of disputed perpetrators each does: nobody widens
//! the circle by disputing what narrows it.

use std::collections::BTreeSet;

use crate::action::{Action, Create, GrantTo};
use crate::authorise::{Author, Denied};
use crate::field::FieldValue;
use crate::record_state::RecordState;
use crate::roster::{AgencyId, AgencyKind, Role, Roster, RosterView};

/// How far a TLP lets a record go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tlp {
    /// To other agencies.
    Open,
    /// Within the owner's agency.
    Strict,
    /// To named devices.
    Red,
}

/// What a TLP code means, in any of its spellings. An unknown one is as strict as can be.
pub(crate) fn tlp(code: &str) -> Tlp {
    let code = code.trim().to_ascii_uppercase();
    match code.strip_prefix("TLP:").unwrap_or(&code) {
        "CLEAR" | "WHITE" | "GREEN" | "AMBER" => Tlp::Open,
        "AMBER+STRICT" | "AMBER-STRICT" => Tlp::Strict,
        _ => Tlp::Red,
    }
}

/// Whether a statement of perpetrators names a kind of agency: one code or several, separated by
/// commas or semicolons, each with or without the name of its list.
pub(crate) fn names(perpetrators: &str, kind: AgencyKind) -> bool {
    perpetrators.split([',', ';']).any(|one| {
        let one = one.trim().to_ascii_lowercase();
        let code = one.rsplit(':').next().unwrap_or_default().trim();
        match kind {
            AgencyKind::Police => matches!(code, "state-security" | "police"),
            AgencyKind::Emb => code == "emb-staff",
            _ => false,
        }
    })
}

/// The limits of a record as it stands, or of one that is being created.
pub(crate) struct Limits {
    tlp: Tlp,
    alleged: BTreeSet<AgencyKind>,
}

impl Limits {
    fn new<'a>(tlps: impl Iterator<Item = &'a FieldValue>, perpetrators: Vec<&'a FieldValue>) -> Self {
        let tlp = tlps.map(|value| value.text().map_or(Tlp::Red, tlp)).max().unwrap_or(Tlp::Open);
        let alleged = AgencyKind::ALL.iter().copied();
        let named =
            |kind: &AgencyKind| perpetrators.iter().filter_map(|value| value.text()).any(|text| names(text, *kind));
        Self { tlp, alleged: alleged.filter(named).collect() }
    }

    pub fn of(record: &RecordState) -> Self {
        Self::new(record.values("tlp"), record.values("perpetrator").collect())
    }

    pub fn is_strict(&self) -> bool {
        self.tlp != Tlp::Open
    }

    pub fn of_creation(create: &Create) -> Self {
        Self::new(create.fields.get("tlp").into_iter(), create.fields.get("perpetrator").into_iter().collect())
    }
}

/// The author and what it cites.
pub(crate) struct Giving<'a> {
    pub author: &'a Author<'a>,
    pub roster: &'a Roster,
    pub view: &'a RosterView,
}

impl Giving<'_> {
    /// Whether everyone whom an action gives the record to, or tells of it, may have it.
    pub fn check(&self, action: &Action, record: &RecordState) -> Result<(), Denied> {
        let (limits, create) = match action {
            Action::Create(create) => (Limits::of_creation(create), true),
            _ if action.grants().is_empty() && !matches!(action, Action::Refer(_)) => return Ok(()),
            _ => (Limits::of(record), false),
        };
        let shares = self.author.needs(&[Role::Desk, Role::Commander]).is_ok();
        for grant in action.grants() {
            let agency = self.agency_of(&grant.to);
            let own = agency == Some(self.author.agency);
            // Whoever may not share writes to its own agency, and asks the one that it asks.
            let asked = matches!(action, Action::Refer(refer) if agency == Some(&refer.to));
            if !shares && !own && !asked {
                self.author.needs(&[Role::Desk, Role::Commander])?;
            }
            let allowed = match (limits.tlp, &grant.to) {
                (Tlp::Open, _) | (Tlp::Red, GrantTo::Device { .. }) => true,
                (Tlp::Strict, _) => own,
                // A record that nobody of its owner could read would have none.
                (Tlp::Red, GrantTo::Agency { .. }) => own && create,
            };
            if !allowed {
                return Err(Denied::Tlp);
            }
            self.not_alleged(agency, &limits)?;
        }
        if let Action::Refer(refer) = action {
            if limits.tlp != Tlp::Open {
                return Err(Denied::Tlp);
            }
            self.not_alleged(Some(&refer.to), &limits)?;
        }
        Ok(())
    }

    /// The agency of a recipient, as the view that the author cites has it: what is enrolled later
    /// changes nothing.
    fn agency_of<'b>(&'b self, to: &'b GrantTo) -> Option<&'b AgencyId> {
        match to {
            GrantTo::Agency { id, .. } => Some(id),
            GrantTo::Device { id } => {
                self.roster.roles_at(id, self.view)?;
                self.roster.device(id).map(|device| &device.agency)
            }
        }
    }

    fn not_alleged(&self, agency: Option<&AgencyId>, limits: &Limits) -> Result<(), Denied> {
        if limits.alleged.is_empty() || agency == Some(self.author.agency) {
            return Ok(());
        }
        // Of whom nothing is known, nothing can be excluded.
        let kind = agency.and_then(|id| self.roster.agency_in(id, self.view)).map(|record| record.kind);
        if kind.is_some_and(|kind| !limits.alleged.contains(&kind)) { Ok(()) } else { Err(Denied::Alleged) }
    }
}
