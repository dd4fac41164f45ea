//! Situation reports and handovers: counted from what is here, written by several people at once,
//! signed.
//!
//! The numbers are counted once, when the report is started, and kept in it with the references of
//! what was counted, so that each can be traced to its rows for good. Texts grow by changes
//! ([`logbook::written`]); whoever signs states the texts that were on screen.

use std::collections::BTreeMap;

use logbook::action::{Action, Capacity, RecordKind, Sign, Write};
use logbook::record_state::Written;
use logbook::roster::Role;
use logbook::written::{Text, UnknownBase};
use logbook::{FieldValue, Fields, Record};
use seal::EntryId;
use vault::{ListQuery, ReferralQuery, Row, View};

use crate::error::{Code, DeskError, Result};
use crate::moment;
use crate::session::Desk;
use crate::show::{device_name, entry_row, operator_name};
use crate::wire::{
    ActivityList, ActivityRow, EntryReport, ReportFigure, ReportList, ReportRow, ReportSection, ReportShow,
    ReportSignature, ReportStart, ReportWritten,
};

/// Who writes and signs reports.
const LEAD: &[Role] = &[Role::Commander, Role::Desk];
/// A shift, where no period is given: eight hours, milliseconds.
const SHIFT_MS: i64 = 8 * 3600 * 1000;
/// References kept of one figure: all figures together stay far below an entry's bound.
const ROWS: u32 = 250;
/// Lines with which a text begins.
const LINES: usize = 40;
/// Lines of a shift's log.
const DONE: u32 = 500;
/// Reports in a list.
const LISTED: u32 = 200;

/// Figures of either kind, in the order in which they are shown.
const FIGURES: &[&str] =
    &["new", "critical", "serious", "open", "untriaged", "out_of_scope", "unanswered", "overdue", "promised", "asked"];
/// Texts of a situation report, in their order.
const SITUATION: &[&str] = &["situation", "significant", "actions", "needs", "outlook"];
/// Texts of a handover, in their order.
const HANDOVER: &[&str] = &["significant", "promised", "notes"];

fn sections_of(kind: RecordKind) -> &'static [&'static str] {
    if kind == RecordKind::Handover { HANDOVER } else { SITUATION }
}

fn kind_named(name: &str) -> Result<RecordKind> {
    match name {
        "situation-report" => Ok(RecordKind::SituationReport),
        "handover" => Ok(RecordKind::Handover),
        other => Err(DeskError::usage(format!("{other} is no report; they are: situation-report, handover"))),
    }
}

/// What was counted: a name, how many, and references of the newest.
type Counted = (&'static str, u64, Vec<Row>);

impl Desk {
    /// Starts a report from what is here: counts, keeps the numbers with their rows, begins the texts.
    /// Readable by this institution's desks; share it to write it with another.
    pub async fn start_report(&self, start: ReportStart) -> Result<ReportShow> {
        let kind = kind_named(&start.kind)?;
        let now = moment::now().wall_ms;
        let read = |text: &Option<String>, otherwise: i64| match text {
            None => Ok(otherwise),
            Some(text) => moment::parse_rfc3339(text).ok_or_else(|| DeskError::usage("times are RFC 3339 with zone")),
        };
        let to = read(&start.to, now)?;
        let from = read(&start.from, to - SHIFT_MS)?;
        if from >= to {
            return Err(DeskError::usage("the period ends before it begins"));
        }
        let role = self.role(LEAD)?;
        let counted = self.count(kind, from, to, now).await?;
        let opening = self.opening(kind, fields(&counted, from, to), None, None, role).await?;
        let mut drafts = Vec::new();
        for (section, text) in beginnings(kind, &counted) {
            let write = Write { section: section.to_owned(), base: Vec::new(), at: 0, delete: 0, insert: text };
            drafts.push(self.draft(opening.id, Action::Write(write), role));
        }
        let id = opening.id;
        drafts.insert(0, opening.draft);
        self.append(drafts).await?;
        self.report(&id.to_string()).await
    }

    async fn count(&self, kind: RecordKind, from: i64, to: i64, now_ms: i64) -> Result<Vec<Counted>> {
        let all = ListQuery::all(RecordKind::Incident, now_ms, ROWS);
        let within = ListQuery { since_ms: Some(from), until_ms: Some(to), ..all.clone() };
        let scoped = Some("out-of-scope".to_owned());
        let mut asked = vec![
            ("critical", ListQuery { view: View::Critical, ..all.clone() }),
            ("open", ListQuery { view: View::Open, ..all.clone() }),
            ("unanswered", ListQuery { view: View::Waiting, ..all.clone() }),
            ("overdue", ListQuery { view: View::Overdue, ..all.clone() }),
        ];
        if kind == RecordKind::SituationReport {
            asked.push(("new", within.clone()));
            asked.push(("out_of_scope", ListQuery { state: scoped, ..within }));
            asked.push(("untriaged", ListQuery { view: View::New, ..all.clone() }));
            asked.push(("serious", ListQuery { view: View::Open, severity: Some(3), ..all }));
        }
        let mut counted = Vec::new();
        for (name, query) in asked {
            let page = self.vault().list(&query).await?;
            counted.push((name, page.total, page.rows));
        }
        if kind == RecordKind::Handover {
            counted.extend(self.owed().await?);
        }
        Ok(counted)
    }

    /// What others asked of this institution: accepted and not done; not answered yet.
    async fn owed(&self) -> Result<[Counted; 2]> {
        let query = ReferralQuery { inbox: true, outbox: false, ..ReferralQuery::all(self.agency()) };
        let (mut promised, mut asked) = (("promised", 0, Vec::new()), ("asked", 0, Vec::new()));
        for referral in self.vault().referrals(&query).await? {
            let counted = match referral.state.as_str() {
                "accepted" | "disputed" => &mut promised,
                "offered" | "received" | "seen" => &mut asked,
                _ => continue,
            };
            counted.1 += 1;
            if counted.2.len() < ROWS as usize {
                counted.2.extend(self.vault().row(&referral.record).await?);
            }
        }
        Ok([promised, asked])
    }

    /// Reports that this device can read, newest first.
    pub async fn reports(&self) -> Result<ReportList> {
        let mut items = Vec::new();
        for kind in [RecordKind::SituationReport, RecordKind::Handover] {
            for row in self.vault().records_of(kind, LISTED).await? {
                let record = self.find("report", &row.record.to_string()).await?;
                items.push(report_row(&record, kind));
            }
        }
        items.sort_by(|a, b| b.recorded_at.cmp(&a.recorded_at));
        items.truncate(LISTED as usize);
        Ok(ReportList { items })
    }

    /// A report with its texts merged.
    pub async fn report(&self, name: &str) -> Result<ReportShow> {
        let (record, kind) = self.find_report(name).await?;
        let state = record.state();
        let mut sections = Vec::new();
        for name in section_names(&record, kind) {
            sections.push(self.section(&record, &name)?);
        }
        let roster = self.roster();
        let now: BTreeMap<&str, &str> = sections.iter().map(|s| (s.name.as_str(), s.text.as_str())).collect();
        let signatures = state.signatures.iter().map(|(sign, mark)| {
            let signed: BTreeMap<&str, &str> = sign.sections.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            ReportSignature {
                capacity: sign.capacity.code().to_owned(),
                operator: operator_name(&roster, &mark.operator),
                agency: mark.agency.to_string(),
                device: device_name(&roster, &mark.device),
                at: moment::rfc3339(mark.wall_ms),
                current: signed == now,
            }
        });
        let signatures = signatures.collect();
        let audience = self.audience_report(state.audience().into_iter());
        Ok(ReportShow {
            row: report_row(&record, kind),
            figures: figures(&record),
            sections,
            signatures,
            audience: audience.audience,
            audience_sentence: audience.sentence,
        })
    }

    /// Keeps what somebody made of a text: one change on the text that was on screen, which `base`
    /// names. Gives back the text with it and with whatever others wrote meanwhile.
    pub async fn write_report(&self, name: &str, section: &str, base: &[String], text: &str) -> Result<ReportWritten> {
        let (record, _) = self.find_report(name).await?;
        let unknown = |_| {
            DeskError::new(
                Code::NotFound,
                UnknownBase.to_string(),
                "Nothing was lost: your text is still on screen. Copy it, open the report again, and put it in.",
            )
        };
        let base: Vec<EntryId> = base
            .iter()
            .map(|id| id.parse())
            .collect::<std::result::Result<_, _>>()
            .map_err(|_| DeskError::usage("a base is a list of entry ids"))?;
        let change = merged(&record, section)?.changed(section, &base, text).map_err(unknown)?;
        let entry = match change {
            Some(write) => Some(self.state(record.id(), Action::Write(write), LEAD).await?.entry.to_string()),
            None => None,
        };
        let (record, _) = self.find_report(&record.id().to_string()).await?;
        Ok(ReportWritten { entry, section: self.section(&record, section)? })
    }

    /// Signs the texts of a report. `bases` names the state of each text that was on screen; where one
    /// has changed since, nothing is signed.
    pub async fn sign_report(
        &self,
        name: &str,
        capacity: &str,
        bases: Option<&BTreeMap<String, Vec<String>>>,
    ) -> Result<EntryReport> {
        let capacity = Capacity::from_code(capacity)
            .ok_or_else(|| DeskError::usage("one signs as prepared, approved or taken-over"))?;
        let show = self.report(name).await?;
        let changed = |section: &ReportSection| {
            bases.is_some_and(|bases| bases.get(&section.name).is_none_or(|seen| *seen != section.base))
        };
        if show.sections.iter().any(changed) {
            return Err(DeskError::new(
                Code::NotAllowed,
                "the report changed while you were reading it",
                "Nothing was signed. Read what is new, then sign again.",
            ));
        }
        let sections = show.sections.into_iter().map(|section| (section.name, section.text)).collect();
        let (record, _) = self.find_report(name).await?;
        let done = self.state(record.id(), Action::Sign(Sign { capacity, sections }), LEAD).await?;
        Ok(EntryReport { entry: done.entry.to_string() })
    }

    /// What this device's operator did between two times, oldest first: the log of a shift.
    pub async fn activity(&self, from: &str, to: &str) -> Result<ActivityList> {
        let read = |text| moment::parse_rfc3339(text).ok_or_else(|| DeskError::usage("times are RFC 3339 with zone"));
        let (total, found) = self.vault().own_between(read(from)?, read(to)?, DONE).await?;
        let roster = self.roster();
        let mut items = Vec::with_capacity(found.len());
        for (id, envelope) in found.into_iter().rev() {
            let Some(record) = self.vault().record(&id).await? else { continue };
            let Some(judged) = record.entries().iter().find(|judged| judged.opened.envelope == envelope) else {
                continue;
            };
            let row = entry_row(judged, &roster);
            items.push(ActivityRow {
                reference: record.state().reference.clone(),
                action: row.action,
                text: row.text,
                operator: row.operator,
                device: row.device,
                agency: row.agency,
                recorded_at: row.recorded_at,
            });
        }
        Ok(ActivityList { total, items })
    }

    async fn find_report(&self, name: &str) -> Result<(std::sync::Arc<Record>, RecordKind)> {
        let record = self.find("report", name).await?;
        match record.state().kind {
            Some(kind @ (RecordKind::SituationReport | RecordKind::Handover)) => Ok((record, kind)),
            _ => Err(DeskError::not_found("report", name)),
        }
    }

    fn section(&self, record: &Record, name: &str) -> Result<ReportSection> {
        let text = merged(record, name)?;
        let roster = self.roster();
        let writes = writes(record, name);
        let mut writers: Vec<String> = writes.iter().map(|w| operator_name(&roster, &w.mark.operator)).collect();
        writers.sort();
        writers.dedup();
        Ok(ReportSection {
            name: name.to_owned(),
            text: text.read(),
            base: text.tips().iter().map(ToString::to_string).collect(),
            writers,
            last_at: writes.last().map(|written| moment::rfc3339(written.mark.wall_ms)),
        })
    }
}

fn writes<'a>(record: &'a Record, section: &str) -> &'a [Written] {
    record.state().writes.get(section).map(Vec::as_slice).unwrap_or_default()
}

fn merged(record: &Record, section: &str) -> Result<Text> {
    Text::of(writes(record, section)).map_err(|_| DeskError::integrity("the report's text cannot be merged"))
}

/// The sections of its kind, then whatever else somebody wrote.
fn section_names(record: &Record, kind: RecordKind) -> Vec<String> {
    let own = sections_of(kind);
    let others = record.state().writes.keys().filter(|name| !own.contains(&name.as_str()));
    own.iter().map(ToString::to_string).chain(others.cloned()).collect()
}

fn report_row(record: &Record, kind: RecordKind) -> ReportRow {
    let state = record.state();
    let time = |name| moment::rfc3339(state.number(name).unwrap_or(0));
    ReportRow {
        id: record.id().to_string(),
        reference: state.reference.clone(),
        kind: if kind == RecordKind::Handover { "handover" } else { "situation-report" }.to_owned(),
        from: time("period_from_ms"),
        to: time("period_to_ms"),
        owner: state.owner.as_ref().map(ToString::to_string).unwrap_or_default(),
        recorded_at: moment::rfc3339(state.created.as_ref().map_or(0, |mark| mark.wall_ms)),
        last_at: moment::rfc3339(state.last.as_ref().map_or(0, |mark| mark.wall_ms)),
    }
}

/// The numbers and their rows as fields of the report.
fn fields(counted: &[Counted], from: i64, to: i64) -> Fields {
    let mut fields = Fields::new();
    fields.insert("summary".into(), format!("{} – {}", moment::rfc3339(from), moment::rfc3339(to)).into());
    fields.insert("period_from_ms".into(), from.into());
    fields.insert("period_to_ms".into(), to.into());
    fields.insert("tlp".into(), "AMBER".into());
    for (name, count, rows) in counted {
        fields.insert(format!("count_{name}"), i64::try_from(*count).unwrap_or(i64::MAX).into());
        let mut references: Vec<&str> = rows.iter().map(|row| row.reference.as_str()).collect();
        // A reference from elsewhere may be long; what is kept stays within a quarter of a text.
        while references.iter().map(|reference| reference.len() + 1).sum::<usize>() > logbook::field::MAX_TEXT / 4 {
            references.pop();
        }
        if !references.is_empty() {
            fields.insert(format!("rows_{name}"), references.join("\n").into());
        }
    }
    fields
}

fn figures(record: &Record) -> Vec<ReportFigure> {
    let state = record.state();
    let known = FIGURES.iter().map(ToString::to_string);
    let figures = known.filter_map(|name| {
        let count = u64::try_from(state.number(&format!("count_{name}"))?).ok()?;
        let rows = state.field(&format!("rows_{name}")).and_then(FieldValue::text).unwrap_or_default();
        Some(ReportFigure { name, count, rows: rows.lines().map(str::to_owned).collect() })
    });
    figures.collect()
}

/// What the texts begin with: the rows that a lead would have to type, and nothing that judges.
fn beginnings(kind: RecordKind, counted: &[Counted]) -> Vec<(&'static str, String)> {
    let lines = |names: &[&str]| {
        let mut seen = std::collections::BTreeSet::new();
        let rows = counted.iter().filter(|(name, ..)| names.contains(name)).flat_map(|(.., rows)| rows);
        let rows = rows.filter(|row| seen.insert(row.record)).take(LINES);
        rows.map(line).collect::<Vec<_>>().join("\n")
    };
    let texts = match kind {
        RecordKind::Handover => {
            vec![("significant", lines(&["critical", "overdue"])), ("promised", lines(&["promised", "asked"]))]
        }
        _ => vec![("significant", lines(&["critical", "serious"]))],
    };
    texts.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

/// `EMB-0421-0007 · 0421 · Ballot box destroyed`: a row as a line of text.
fn line(row: &Row) -> String {
    let place = row.station.as_deref().or(row.place.as_deref()).unwrap_or_default();
    let parts = [row.reference.as_str(), place, row.summary.as_str()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}
