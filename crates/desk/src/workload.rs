//! Plays a described workload through the use cases' own path: what `make bench` measures.

use logbook::action::{Action, Assign, IncidentState, Note, RecordKind, Refer, StateChange};
use logbook::flow::States;
use logbook::{AgencyId, Fields};
use serde_json::Value;

use crate::error::{DeskError, Result};
use crate::session::Desk;

/// Incidents in one transaction: five of twenty entries are a hundred.
const GROUP: usize = 5;

impl Desk {
    /// Plays incidents with their later entries; the first referral of each shares it with `to`.
    /// Gives back how many entries were made.
    pub async fn play_workload(&self, incidents: &[Value], to: &[&str]) -> Result<usize> {
        let role = self.role(Self::WORK)?;
        let to: AgencyId =
            to.first().copied().unwrap_or("police").parse().map_err(|_| DeskError::usage("an agency"))?;
        let recipient = self.agency_recipient(&to)?;
        let mut made = 0;
        for group in incidents.chunks(GROUP) {
            let prefix = self.reference_prefix(RecordKind::Incident, Some("W"))?;
            let first = self.vault().take_reference_numbers(&prefix, group.len() as u32).await?;
            let mut drafts = Vec::with_capacity(GROUP * 20);
            for (number, incident) in (first..).zip(group) {
                let opening = self.opening_as(
                    RecordKind::Incident,
                    fields(incident),
                    format!("{prefix}-{number:04}"),
                    None,
                    role,
                )?;
                let (id, key) = (opening.id, opening.draft.key.clone());
                drafts.push(opening.draft);
                let mut state = IncidentState::New;
                for entry in incident["entries"].as_array().into_iter().flatten() {
                    let value = entry["value"].as_str().unwrap_or_default();
                    let mut wraps = Vec::new();
                    let action = match entry["action"].as_str() {
                        Some("state") => {
                            let wanted = IncidentState::from_code(value).unwrap_or(IncidentState::Triaged);
                            // The workload may name the state that stands; a step to it says nothing.
                            let next = if state.allows(wanted) { wanted } else { IncidentState::InProgress };
                            let next = if state.allows(next) { next } else { IncidentState::Verifying };
                            state = next;
                            Action::State(StateChange { to: next, reason: None })
                        }
                        Some("assign") => Action::Assign(Assign { to: value.to_owned() }),
                        Some("refer") => {
                            let keys = key.as_slice();
                            let (grants, wrapped) = self.wrap_keys(id, keys, std::slice::from_ref(&recipient))?;
                            wraps = wrapped;
                            Action::Refer(Refer {
                                to: to.clone(),
                                ask: logbook::action::Ask::Respond,
                                respond_by_ms: None,
                                text: None,
                                grants,
                            })
                        }
                        _ => Action::Note(Note { text: value.to_owned() }),
                    };
                    let mut draft = self.draft(id, action, role);
                    draft.wraps = wraps;
                    drafts.push(draft);
                }
            }
            made += self.append(drafts).await?.len();
        }
        Ok(made)
    }
}

/// The fields of a described incident; strict TLP is left out, because the workload refers every
/// incident whole.
fn fields(incident: &Value) -> Fields {
    let given = &incident["fields"];
    let mut fields = Fields::new();
    for name in ["summary", "category", "station", "place", "district", "reporter_role", "channel", "description"] {
        fields.insert(name.into(), given[name].as_str().unwrap_or_default().into());
    }
    for (name, from) in [
        ("severity", "severity"),
        ("voters_affected", "voters_affected"),
        ("interrupted_min", "interrupted_min"),
        ("occurred_from_ms", "occurred_at_ms"),
        ("aware_at_ms", "recorded_at_ms"),
    ] {
        fields.insert(name.into(), given[from].as_i64().unwrap_or_default().into());
    }
    for (name, from) in [("lat_e7", "lat"), ("lon_e7", "lon")] {
        fields.insert(name.into(), ((given[from].as_f64().unwrap_or_default() * 1e7) as i64).into());
    }
    let tlp = given["tlp"].as_str().filter(|tlp| *tlp != "AMBER+STRICT").unwrap_or("AMBER");
    fields.insert("tlp".into(), tlp.into());
    fields
}
