//! Logging incidents and working on them.

use std::collections::BTreeMap;

use logbook::action::{
    Action, Amend, Assign, Create, Escalate, IncidentState, Note, RecordKind, Relate, Relation, StateChange,
};
use logbook::roster::Role;
use logbook::{FieldValue, Fields, Record, field};
use seal::{RecordId, RecordKey};
use vault::Draft;

use crate::error::{DeskError, Result};
use crate::moment;
use crate::session::{Desk, setting};
use crate::wire::{EntryReport, LogDraft, LogIncident, Logged};

/// A record about to be created: its id, its reference, and the draft of its first entry.
pub(crate) struct Opening {
    pub id: RecordId,
    pub reference: String,
    pub draft: Draft,
}

impl Desk {
    /// Logs an incident: signed, encrypted to this institution's desks, durable when this returns.
    pub async fn log(&self, input: LogIncident) -> Result<Logged> {
        let station = input.station.clone();
        let reporter = reporter(&input)?;
        let fields = incident_fields(input)?;
        let role = self.role(&[Role::Desk, Role::Commander, Role::Field])?;
        if reporter.is_some() && role == Role::Field {
            return Err(DeskError::not_allowed(
                "who else reported it is kept apart by a desk; a field device logs what it saw",
            ));
        }
        let opening = self.opening(RecordKind::Incident, fields, station.as_deref(), None, role).await?;
        let (id, reference, wall_ms) = (opening.id, opening.reference, opening.draft.wall_ms);
        let mut drafts = vec![opening.draft];
        if let Some(reporter) = reporter {
            drafts.extend(self.sealed_part(reporter, id, &reference, role)?);
        }
        let done = self.append(drafts).await?;
        let entry = done.first().map(|done| done.entry.to_string()).unwrap_or_default();
        Ok(Logged { id: id.to_string(), reference, entry, recorded_at: moment::rfc3339(wall_ms) })
    }

    /// Prepares a new record, readable by this device and its institution's desks.
    pub(crate) async fn opening(
        &self,
        kind: RecordKind,
        fields: Fields,
        place: Option<&str>,
        parent: Option<RecordId>,
        role: Role,
    ) -> Result<Opening> {
        let reference = self.next_reference(kind, place).await?;
        self.opening_as(kind, fields, reference, parent, role)
    }

    /// As [`Desk::opening`], with a reference already chosen.
    pub(crate) fn opening_as(
        &self,
        kind: RecordKind,
        fields: Fields,
        reference: String,
        parent: Option<RecordId>,
        role: Role,
    ) -> Result<Opening> {
        let nonce = seal::id::to_hex(&moment::random::<16>());
        let id = logbook::action::create::record_id(&self.device(), &nonce);
        let key = RecordKey::from_bytes(moment::random());
        let own = [self.agency_recipient(self.agency())?];
        let (grants, wraps) = self.wrap_keys(id, std::slice::from_ref(&key), &own)?;
        let create =
            Create { kind, nonce, owner: self.agency().clone(), reference: reference.clone(), parent, fields, grants };
        Action::Create(create.clone()).validate().map_err(|error| DeskError::usage(error.to_string()))?;
        let mut draft = self.draft(id, Action::Create(create), role);
        draft.key = Some(key);
        draft.wraps = wraps;
        Ok(Opening { id, reference, draft })
    }

    /// Facts about a person, as a record of their own with this institution's desks as its audience: what
    /// they belong to says only that there is such a part, and is shared without it.
    pub(crate) fn sealed_part(&self, fields: Fields, of: RecordId, reference: &str, role: Role) -> Result<Vec<Draft>> {
        let part = self.opening_as(RecordKind::SealedPart, fields, format!("{reference}-S"), Some(of), role)?;
        let link = Relate { relation: Relation::SealedPart, to: part.id, reference: part.reference, undo: false };
        Ok(vec![part.draft, self.draft(of, Action::Relate(link), role)])
    }

    /// Who reported an incident, where the part that says so is here and can be read.
    pub(crate) async fn reporter_of(&self, record: &Record) -> Option<String> {
        let state = Some(record.state()).filter(|state| state.kind == Some(RecordKind::Incident))?;
        let mut links = state.relations().into_iter();
        let (_, part, _) = links.find(|(relation, ..)| *relation == Relation::SealedPart)?;
        let part = self.vault().record(&part).await.ok()??;
        part.state().text("name").map(str::to_owned)
    }

    /// `EMB-0421-0007`: institution, station or device, number. For people; the record's id is its name.
    async fn next_reference(&self, kind: RecordKind, place: Option<&str>) -> Result<String> {
        let prefix = self.reference_prefix(kind, place)?;
        let number = self.vault().next_reference_number(&prefix).await?;
        Ok(format!("{prefix}-{number:04}"))
    }

    /// The part of a reference before its number.
    pub(crate) fn reference_prefix(&self, kind: RecordKind, place: Option<&str>) -> Result<String> {
        let roster = self.roster();
        let me = self.me(&roster)?;
        let letters = |text: &str, max: usize| -> String {
            text.chars().filter(char::is_ascii_alphanumeric).take(max).collect::<String>().to_uppercase()
        };
        let middle = match kind {
            RecordKind::Complaint => "C".to_owned(),
            RecordKind::Brief => "BRIEF".to_owned(),
            RecordKind::SealedPart => "SEALED".to_owned(),
            RecordKind::SituationReport => "SITREP".to_owned(),
            RecordKind::Handover => "HANDOVER".to_owned(),
            RecordKind::Incident => place
                .map(|station| letters(station, 12))
                .filter(|station| !station.is_empty())
                .unwrap_or_else(|| letters(&me.name, 8)),
        };
        Ok(format!("{}-{middle}", letters(self.agency().as_str(), 8)))
    }

    /// Adds a note.
    pub async fn note(&self, record: &str, text: &str) -> Result<EntryReport> {
        let record = self.find("record", record).await?;
        let done = self.state(record.id(), Action::Note(Note { text: text.to_owned() }), Self::WORK).await?;
        Ok(EntryReport { entry: done.entry.to_string() })
    }

    /// Sets fields anew; with `settles`, names every value that disputes them.
    pub async fn amend(&self, record: &str, set: Vec<(String, String)>, settles: bool) -> Result<EntryReport> {
        let record = self.find("record", record).await?;
        let mut fields = Fields::new();
        for (name, value) in set {
            let value = field::parse(&name, &value).map_err(|error| DeskError::usage(error.to_string()))?;
            fields.insert(name, value);
        }
        let settles = if settles { disputed_entries(&record, &fields) } else { Vec::new() };
        let done = self.state(record.id(), Action::Amend(Amend { set: fields, settles }), Self::WORK).await?;
        Ok(EntryReport { entry: done.entry.to_string() })
    }

    /// Moves an incident.
    pub async fn move_incident(&self, record: &str, state: &str, reason: Option<String>) -> Result<EntryReport> {
        let to = IncidentState::from_code(state).ok_or_else(|| {
            let known: Vec<&str> = IncidentState::ALL.iter().skip(1).map(|state| state.code()).collect();
            DeskError::usage(format!("{state} is no state; they are: {}", known.join(", ")))
        })?;
        let record = self.find("incident", record).await?;
        let done = self.state(record.id(), Action::State(StateChange { to, reason }), Self::WORK).await?;
        Ok(EntryReport { entry: done.entry.to_string() })
    }

    /// Gives it to a unit or person.
    pub async fn assign(&self, record: &str, to: &str) -> Result<EntryReport> {
        let record = self.find("incident", record).await?;
        let done = self.state(record.id(), Action::Assign(Assign { to: to.to_owned() }), Self::WORK).await?;
        Ok(EntryReport { entry: done.entry.to_string() })
    }

    /// Raises the level of attention.
    pub async fn escalate(&self, record: &str, to: &str, reason: &str) -> Result<EntryReport> {
        let record = self.find("incident", record).await?;
        let action = Action::Escalate(Escalate { to: to.to_owned(), reason: reason.to_owned() });
        let done = self.state(record.id(), action, Self::WORK).await?;
        Ok(EntryReport { entry: done.entry.to_string() })
    }

    /// Says that a record is the same matter as another, or takes that back.
    pub async fn duplicate(&self, record: &str, of: Option<&str>, undo: bool) -> Result<EntryReport> {
        let record = self.find("incident", record).await?;
        let (to, reference) = match (of, record.state().duplicate_of()) {
            (Some(of), _) => {
                let other = self.find("incident", of).await?;
                (other.id(), other.state().reference.clone())
            }
            (None, Some(held)) if undo => held,
            (None, _) => return Err(DeskError::usage("name the incident that leads: --of REF")),
        };
        if to == record.id() {
            return Err(DeskError::usage("an incident is no duplicate of itself"));
        }
        self.relate(&record, Relation::DuplicateOf, to, reference, undo).await
    }

    pub(crate) async fn relate(
        &self,
        record: &Record,
        relation: Relation,
        to: RecordId,
        reference: String,
        undo: bool,
    ) -> Result<EntryReport> {
        let action = Action::Relate(Relate { relation, to, reference, undo });
        let done = self.state(record.id(), action, Self::WORK).await?;
        Ok(EntryReport { entry: done.entry.to_string() })
    }

    /// Keeps the draft of the Log form.
    pub async fn keep_draft(&self, form: BTreeMap<String, String>) -> Result<LogDraft> {
        let draft = LogDraft { form, kept_at: moment::rfc3339(moment::now().wall_ms) };
        let text = serde_json::to_string(&draft).map_err(|_| DeskError::storage("the draft cannot be kept"))?;
        if text.len() > 256 * 1024 {
            return Err(DeskError::usage("the draft is longer than any incident"));
        }
        self.vault().put_setting(setting::DRAFT, &text).await?;
        Ok(draft)
    }

    /// Keeps what was given on the command line as the draft.
    pub async fn keep_draft_of(&self, input: &LogIncident) -> Result<LogDraft> {
        let mut form = BTreeMap::new();
        let mut keep = |name: &str, value: Option<String>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                form.insert(name.to_owned(), value);
            }
        };
        keep("domains", Some(input.domains.join(",")));
        keep("lat", input.lat.map(|degrees| degrees.to_string()));
        keep("lon", input.lon.map(|degrees| degrees.to_string()));
        keep("people", input.people.clone());
        keep("hazards", input.hazards.clone());
        keep("services", input.services.clone());
        keep("tlp", input.tlp.clone());
        keep("reporter", input.reporter.clone());
        keep("channel", input.channel.clone());
        keep("source", input.source.clone());
        keep("source_reliability", input.source_reliability.clone());
        keep("category", Some(input.category.clone()));
        keep("summary", Some(input.summary.clone()));
        keep("description", input.description.clone());
        keep("station", input.station.clone());
        keep("place", input.place.clone());
        keep("occurred", input.occurred.clone());
        keep("severity", input.severity.map(|severity| severity.to_string()));
        self.keep_draft(form).await
    }

    /// The draft, if one is kept.
    pub async fn draft_kept(&self) -> Result<Option<LogDraft>> {
        let text = self.vault().setting(setting::DRAFT).await?;
        Ok(text.filter(|text| !text.is_empty()).and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Drops the draft: it was signed, or is no longer wanted.
    pub async fn drop_draft(&self) -> Result<()> {
        Ok(self.vault().put_setting(setting::DRAFT, "").await?)
    }
}

/// Every entry that holds a value of these fields which another value disputes.
fn disputed_entries(record: &Record, fields: &Fields) -> Vec<seal::EntryId> {
    let disputes = record.state().disputes().filter(|(name, _)| fields.contains_key(*name));
    let mut entries: Vec<_> = disputes.flat_map(|(_, live)| live.iter().map(|held| held.mark.entry)).collect();
    entries.sort();
    entries.dedup();
    entries
}

/// The letter of a reliability, as the scale that police and armed forces share has it.
fn reliability(given: Option<String>) -> Result<Option<String>> {
    let Some(given) = given.map(|given| given.trim().to_lowercase()).filter(|given| !given.is_empty()) else {
        return Ok(None);
    };
    match given.as_str() {
        "a" | "b" | "c" | "d" | "e" | "f" => Ok(Some(given)),
        _ => Err(DeskError::usage("a source's reliability is a letter from a (completely) to e; f: cannot be judged")),
    }
}

/// The sealed part that says who reported it, if somebody else did.
fn reporter(input: &LogIncident) -> Result<Option<Fields>> {
    let name = input.reporter.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let fields = name.map(|name| Fields::from([("name".to_owned(), name.into())]));
    fields.iter().try_for_each(field::check).map_err(|error| DeskError::usage(error.to_string()))?;
    Ok(fields)
}

/// The fields of what a person filled in.
pub(crate) fn incident_fields(input: LogIncident) -> Result<Fields> {
    if !logbook::field::is_code(&input.category) {
        return Err(DeskError::usage("the category is a code, such as ops:box-tampering"));
    }
    let now = moment::now().wall_ms;
    let occurred = match &input.occurred {
        Some(text) => moment::parse_rfc3339(text)
            .ok_or_else(|| DeskError::usage("the time is RFC 3339 with zone, such as 2026-11-24T20:41:00+01:00"))?,
        None => now,
    };
    let mut fields = Fields::new();
    let mut set = |name: &str, value: FieldValue| {
        fields.insert(name.to_owned(), value);
    };
    set("category", input.category.into());
    set("summary", input.summary.trim().into());
    set("occurred_from_ms", occurred.into());
    set("aware_at_ms", now.into());
    set("severity", input.severity.unwrap_or(2).into());
    set("tlp", input.tlp.unwrap_or_else(|| "AMBER".to_owned()).into());
    if !input.domains.is_empty() {
        set("domains", input.domains.into());
    }
    for (name, text) in [
        ("description", input.description),
        ("station", input.station),
        ("place", input.place),
        ("people", input.people),
        ("hazards", input.hazards),
        ("services", input.services),
        ("channel", input.channel),
        ("source", input.source),
        ("source_reliability", reliability(input.source_reliability)?),
    ] {
        if let Some(text) = text.filter(|text| !text.trim().is_empty()) {
            set(name, text.into());
        }
    }
    if input.lat.is_some() != input.lon.is_some() {
        return Err(DeskError::usage("a place on the map is a latitude and a longitude: give both or neither"));
    }
    for (name, degrees, most) in [("lat_e7", input.lat, 90.0), ("lon_e7", input.lon, 180.0)] {
        if let Some(degrees) = degrees {
            if !degrees.is_finite() || degrees.abs() > most {
                return Err(DeskError::usage(format!("this coordinate is in degrees, from -{most} to {most}")));
            }
            set(name, ((degrees * 1e7).round() as i64).into());
        }
    }
    if fields.get("summary").and_then(FieldValue::text).is_none_or(str::is_empty) {
        return Err(DeskError::usage("say in one line what happened"));
    }
    field::check(&fields).map_err(|error| DeskError::usage(error.to_string()))?;
    Ok(fields)
}

#[cfg(test)]
mod tests;
