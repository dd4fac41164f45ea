//! Complaints: registered, moved, decided; legal clocks with their working.

use std::path::Path;

use logbook::action::{Action, Decide, Move, RecordKind, Relate, Relation};
use logbook::complaint_flow::ComplaintState;
use logbook::roster::Role;
use logbook::{Fields, Record};
use serde::Deserialize;
use vault::ListQuery;

use crate::error::{DeskError, Result};
use crate::files;
use crate::moment;
use crate::session::Desk;
use crate::show::entry_row;
use crate::wire::{ComplaintList, ComplaintShow, DueRow, EntryReport};

/// Who complains; sealed apart from the complaint.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Complainant {
    /// The name.
    pub name: String,
    /// In what standing.
    pub standing: String,
    /// How to reach them.
    #[serde(default)]
    pub contact: Option<String>,
}

impl Complainant {
    fn fields(self) -> Fields {
        let mut fields = Fields::from([("name".into(), self.name.into()), ("standing".into(), self.standing.into())]);
        fields.extend(self.contact.map(|contact| ("contact".into(), contact.into())));
        fields
    }
}

/// A filing.
#[derive(Debug, Clone)]
pub struct Filing {
    /// What it is about, a code.
    pub subject: String,
    /// In one line.
    pub summary: String,
    /// Who complains.
    pub complainant: Option<Complainant>,
    /// The act challenged.
    pub challenges: Option<String>,
    /// The remedy sought, a code.
    pub remedy: Option<String>,
    /// Incidents it relies on.
    pub incidents: Vec<String>,
}

/// Reads a complainant file.
pub fn read_complainant(path: &Path) -> Result<Complainant> {
    serde_json::from_slice(&files::read(path)?)
        .map_err(|_| DeskError::usage("the complainant file holds {\"name\",\"standing\",\"contact\"}"))
}

impl Desk {
    /// Files and receipts a complaint.
    pub async fn file_complaint(&self, filing: Filing) -> Result<ComplaintShow> {
        let role = self.role(&[Role::Registrar])?;
        let mut fields = Fields::new();
        fields.insert("subject".into(), filing.subject.into());
        fields.insert("summary".into(), filing.summary.into());
        if let Some(challenges) = filing.challenges {
            fields.insert("challenges".into(), challenges.into());
        }
        if let Some(remedy) = filing.remedy {
            fields.insert("remedy".into(), remedy.into());
        }
        if let Some(complainant) = &filing.complainant {
            fields.insert("standing".into(), complainant.standing.clone().into());
        }
        let mut incidents = Vec::new();
        for name in &filing.incidents {
            incidents.push(self.find("incident", name).await?);
        }
        let opening = self.opening(RecordKind::Complaint, fields, None, None, role).await?;
        let id = opening.id;
        let step = |to| self.draft(id, Action::Move(Move { to, reason: None }), role);
        let mut drafts = vec![opening.draft, step(ComplaintState::Filed), step(ComplaintState::Receipted)];
        if let Some(complainant) = filing.complainant {
            // The complaint itself says only that there is a complainant, and in what standing.
            drafts.extend(self.sealed_part(complainant.fields(), id, &opening.reference, role)?);
        }
        for incident in &incidents {
            let relate = relates_to(incident);
            drafts.push(self.draft(id, Action::Relate(relate), role));
        }
        self.append(drafts).await?;
        self.show_complaint(&id.to_string()).await
    }

    async fn find_complaint(&self, name: &str) -> Result<std::sync::Arc<Record>> {
        let record = self.find("complaint", name).await?;
        if record.state().kind == Some(RecordKind::Complaint) {
            Ok(record)
        } else {
            Err(DeskError::not_found("complaint", name))
        }
    }

    /// All complaints that this device can read, newest first.
    pub async fn complaints(&self) -> Result<ComplaintList> {
        let all = ListQuery::all(RecordKind::Complaint, moment::now().wall_ms, 1000);
        let page = self.vault().list(&all).await?;
        let mut items = Vec::new();
        for row in page.rows {
            if let Some(record) = self.vault().record(&row.record).await? {
                items.push(self.complaint_shown(&record));
            }
        }
        Ok(ComplaintList { total: page.total, items })
    }

    /// One complaint.
    pub async fn show_complaint(&self, name: &str) -> Result<ComplaintShow> {
        Ok(self.complaint_shown(self.find_complaint(name).await?.as_ref()))
    }

    fn complaint_shown(&self, record: &Record) -> ComplaintShow {
        let state = record.state();
        let roster = self.roster();
        let text = |name: &str| state.text(name).map(str::to_owned);
        let incidents = state.relations().into_iter().filter(|(relation, ..)| *relation == Relation::Incident);
        let decision = state.decision.as_ref().map(|(decide, _)| decide);
        let remedy = decision.and_then(|decide| decide.remedy.clone()).or_else(|| text("remedy"));
        ComplaintShow {
            id: record.id().to_string(),
            reference: state.reference.clone(),
            docket: state.reference.clone(),
            state: state.complaint.state().code().to_owned(),
            summary: text("summary").unwrap_or_default(),
            subject: text("subject").unwrap_or_default(),
            incidents: incidents.map(|(_, _, reference)| reference).collect(),
            due: self.due(record),
            filed_at: state.created.as_ref().map(|mark| moment::rfc3339(mark.wall_ms)).unwrap_or_default(),
            outcome: decision.map(|decide| decide.outcome.clone()),
            reasons: decision.map(|decide| decide.reasons.clone()),
            remedy,
            entries: record.entries().iter().map(|entry| entry_row(entry, &roster)).collect(),
            digest: logbook::digest::digest(record).to_string(),
        }
    }

    /// The legal clocks that a complaint's steps have started, by the rules of the operation.
    fn due(&self, record: &Record) -> Vec<DueRow> {
        let roster = self.roster();
        let rules: Option<logbook::clock::Rules> = roster.rules().and_then(|text| serde_json::from_str(text).ok());
        let Some(rules) = rules else { return Vec::new() };
        let mut rows = Vec::new();
        for rule in &rules.rules {
            let mut steps = record.state().complaint.steps().iter();
            let Some(step) = steps.find(|step| step.to.code() == rule.trigger) else { continue };
            if let Ok(due) = logbook::clock::due(rule, step.mark.wall_ms, &rules) {
                rows.push(DueRow { rule: due.rule, at: due.at, working: due.working, citation: due.citation });
            }
        }
        rows
    }

    /// Links an incident that the complaint relies on.
    pub async fn link_incident(&self, complaint: &str, incident: &str) -> Result<EntryReport> {
        let complaint = self.find_complaint(complaint).await?;
        let incident = self.find("incident", incident).await?;
        let done = self.state(complaint.id(), Action::Relate(relates_to(&incident)), Self::COURT).await?;
        Ok(EntryReport { entry: done.entry.to_string() })
    }

    /// The roles that work on complaints.
    const COURT: &'static [Role] = &[Role::Adjudicator, Role::Registrar];

    /// Moves a complaint through its workflow.
    pub async fn move_complaint(&self, complaint: &str, state: &str, reason: Option<String>) -> Result<EntryReport> {
        let to = ComplaintState::from_code(state).ok_or_else(|| {
            let known: Vec<&str> = ComplaintState::ALL.iter().map(|state| state.code()).collect();
            DeskError::usage(format!("{state} is no state; they are: {}", known.join(", ")))
        })?;
        let complaint = self.find_complaint(complaint).await?;
        let done = self.state(complaint.id(), Action::Move(Move { to, reason }), Self::COURT).await?;
        Ok(EntryReport { entry: done.entry.to_string() })
    }

    /// Decides a complaint.
    pub async fn decide(
        &self,
        complaint: &str,
        outcome: &str,
        reasons: &str,
        remedy: Option<String>,
    ) -> Result<EntryReport> {
        let complaint = self.find_complaint(complaint).await?;
        let decide = Decide { outcome: outcome.to_owned(), reasons: reasons.to_owned(), remedy };
        Action::Decide(decide.clone()).validate().map_err(|error| DeskError::usage(error.to_string()))?;
        let done = self.state(complaint.id(), Action::Decide(decide), &[Role::Adjudicator]).await?;
        Ok(EntryReport { entry: done.entry.to_string() })
    }
}

fn relates_to(incident: &Record) -> Relate {
    Relate {
        relation: Relation::Incident,
        to: incident.id(),
        reference: incident.state().reference.clone(),
        undo: false,
    }
}
