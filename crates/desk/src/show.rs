//! Records as people and scripts see them.

use std::collections::{BTreeMap, BTreeSet};

use logbook::action::{Action, CustodyAct, ReferralState};
use logbook::record_state::{ExhibitState, Referral};
use logbook::{Judged, Record, Roster};
use seal::{EntryId, RecordId};
use vault::{ListQuery, ReferralQuery, View};

use crate::error::{DeskError, Result};
use crate::moment;
use crate::session::Desk;
use crate::wire::{
    BoardPage, BoardQuery, BoardRow, Counts, DisputedValue, EntryRow, ExhibitRow, IncidentShow, LinkRow, ReferralItem,
    ReferralList, ReferralStep, RowReferral,
};

impl Desk {
    /// A page of incidents, newest first, with the numbers that stand on top of the board.
    pub async fn board(&self, query: BoardQuery) -> Result<BoardPage> {
        let now_ms = moment::now().wall_ms;
        let page = self.vault().list(&self.listing(query, now_ms)?).await?;
        let apart = self.apart().await?;
        let row = |row: vault::Row| BoardRow { apart: apart.contains(&row.record), ..board_row(row) };
        Ok(BoardPage {
            total: page.total,
            items: page.rows.into_iter().map(row).collect(),
            counts: self.counts(now_ms).await?,
        })
    }

    /// Records that hold something that was written after its device was revoked.
    async fn apart(&self) -> Result<BTreeSet<RecordId>> {
        let roster = self.roster();
        let mut records = BTreeSet::new();
        for device in roster.devices() {
            if let Some(revoked) = &device.revoked {
                let cut = revoked.cut.map(|cut| (cut.number, cut.head));
                records.extend(self.vault().records_beyond(&device.id, cut).await?);
            }
        }
        Ok(records)
    }

    /// The numbers on top.
    pub(crate) async fn counts(&self, now_ms: i64) -> Result<Counts> {
        let counts = self.vault().counts(now_ms, &self.my_name().unwrap_or_default()).await?;
        let silent = self.silent_count(moment::at(now_ms)).await?;
        Ok(Counts {
            new: counts.new,
            open: counts.open,
            critical: counts.critical,
            unanswered: counts.unanswered,
            overdue: counts.overdue,
            mine: counts.mine,
            silent: silent.total,
            silent_since: silent.since_ms.map(moment::rfc3339),
        })
    }

    /// What the board asks for, as the vault lists it.
    pub(crate) fn listing(&self, query: BoardQuery, now_ms: i64) -> Result<ListQuery> {
        let view = match query.view.as_deref() {
            None | Some("all") => View::All,
            Some("open") => View::Open,
            Some("new") => View::New,
            Some("mine") => View::Mine,
            Some("waiting") => View::Waiting,
            Some("overdue") => View::Overdue,
            Some("critical") => View::Critical,
            Some(other) => return Err(DeskError::usage(format!("{other} is no view of the board"))),
        };
        Ok(ListQuery {
            kind: logbook::action::RecordKind::Incident,
            view,
            state: query.state,
            category: query.category,
            severity: query.severity,
            search: query.search,
            since_ms: instant(query.since.as_deref())?,
            until_ms: instant(query.until.as_deref())?,
            references: query.references,
            assigned: self.my_name(),
            now_ms,
            limit: query.limit.min(1000),
            offset: query.offset,
        })
    }

    /// The operator's name, by which records are assigned.
    pub(crate) fn my_name(&self) -> Option<String> {
        let roster = self.roster();
        let me = roster.device(&self.device())?;
        roster.name_of(&me.operator).map(str::to_owned)
    }

    /// Everything derived about an incident, now or as this device knew it then.
    pub async fn show(&self, name: &str, as_of: Option<&str>) -> Result<IncidentShow> {
        let record = self.find("incident", name).await?;
        let Some(as_of) = as_of else { return Ok(self.shown(&record).await) };
        let until = moment::parse_rfc3339(as_of)
            .ok_or_else(|| DeskError::usage("--as-of takes a time in RFC 3339 with zone"))?;
        let then = self.vault().record_as_of(&record.id(), until).await?;
        match then.filter(|then| then.state().exists()) {
            Some(then) => Ok(self.shown(&then).await),
            None => Err(DeskError::not_found("incident, by then,", name)),
        }
    }

    pub(crate) async fn shown(&self, record: &Record) -> IncidentShow {
        let state = record.state();
        let roster = self.roster();
        let audience = self.audience_report(state.audience().into_iter());
        let mut disputes = BTreeMap::new();
        for (field, live) in state.disputes() {
            disputes.insert(field.to_owned(), live.iter().map(|held| disputed(held, &roster)).collect());
        }
        let mut referrals: Vec<ReferralItem> =
            state.referrals.iter().map(|(id, referral)| referral_item(record, id, referral, &roster)).collect();
        for (relation, id, _) in state.relations() {
            // A referral whose ask went into a brief belongs to this matter too.
            if relation == logbook::action::Relation::Brief
                && let Ok(Some(brief)) = self.vault().record(&id).await
            {
                let from_brief = brief.state().referrals.iter();
                referrals.extend(from_brief.map(|(id, referral)| referral_item(&brief, id, referral, &roster)));
            }
        }
        IncidentShow {
            id: record.id().to_string(),
            reference: state.reference.clone(),
            owner: state.owner.as_ref().map(ToString::to_string).unwrap_or_default(),
            state: state.state_code().to_owned(),
            fields: state
                .fields()
                .filter_map(|(name, _)| Some((name.to_owned(), state.field(name)?.clone())))
                .collect(),
            disputes,
            entries: record.entries().iter().map(|entry| entry_row(entry, &roster)).collect(),
            referrals,
            exhibits: state.exhibits.iter().map(|(id, exhibit)| self.exhibit_row(id, exhibit, &roster)).collect(),
            links: state
                .relations()
                .into_iter()
                .map(|(relation, id, reference)| LinkRow {
                    relation: relation.code().to_owned(),
                    id: id.to_string(),
                    reference,
                })
                .collect(),
            reporter: self.reporter_of(record).await,
            audience: audience.audience,
            audience_sentence: audience.sentence,
            gaps: gaps(record, &roster),
            digest: logbook::digest::digest(record).to_string(),
        }
    }

    fn exhibit_row(&self, id: &EntryId, held: &ExhibitState, roster: &Roster) -> ExhibitRow {
        let added =
            format!("collected {} by {}", moment::rfc3339(held.mark.wall_ms), device_name(roster, &held.mark.device));
        let acts = held.acts.iter().map(|(act, with, remark, mark)| {
            let words = match act {
                CustodyAct::TransferredOut => "handed over to",
                CustodyAct::TransferredIn => "taken over from",
                CustodyAct::Sealed => "sealed",
                CustodyAct::Unsealed => "unsealed",
                CustodyAct::Exported => "exported",
                CustodyAct::DoNotTouch => "left in place for the police",
            };
            let with = with.as_ref().map(|id| format!(" {id}")).unwrap_or_default();
            let remark = remark.as_ref().map(|remark| format!(" ({remark})")).unwrap_or_default();
            format!("{words}{with} {} by {}{remark}", moment::rfc3339(mark.wall_ms), mark.agency)
        });
        ExhibitRow {
            id: id.to_string(),
            name: held.exhibit.name.clone(),
            description: held.exhibit.description.clone(),
            size: held.exhibit.size,
            sha256: held.exhibit.sha256.to_string(),
            holder: held.holder.to_string(),
            here: self.vault().has_blob(&held.exhibit.address),
            custody: std::iter::once(added).chain(acts).collect(),
        }
    }

    /// Referrals to and from this institution; both where neither is asked for.
    pub async fn referrals(&self, inbox: bool, outbox: bool) -> Result<ReferralList> {
        let both = inbox == outbox;
        let mut query = ReferralQuery::all(self.agency());
        query.inbox = inbox || both;
        query.outbox = outbox || both;
        let roster = self.roster();
        let mut items = Vec::new();
        for row in self.vault().referrals(&query).await? {
            if let Some(record) = self.vault().record(&row.record).await?
                && let Some(referral) = record.state().referrals.get(&row.entry)
            {
                items.push(referral_item(&record, &row.entry, referral, &roster));
            }
        }
        Ok(ReferralList { items })
    }
}

/// A moment of a query, where one is given.
fn instant(text: Option<&str>) -> Result<Option<i64>> {
    let read = |text| moment::parse_rfc3339(text).ok_or_else(|| DeskError::usage("times are RFC 3339 with zone"));
    text.map(read).transpose()
}

pub(crate) fn board_row(row: vault::Row) -> BoardRow {
    BoardRow {
        id: row.record.to_string(),
        reference: row.reference,
        summary: row.summary,
        category: row.category,
        severity: row.severity,
        state: row.state,
        owner: row.owner,
        disputed: row.disputed,
        station: row.station,
        place: row.place,
        domains: row.domains,
        exhibits: row.exhibits,
        recorded_at: moment::rfc3339(row.created_ms),
        last_at: moment::rfc3339(row.last_ms),
        referral: row.referral.map(|referral| RowReferral {
            to: referral.to,
            state: referral.state,
            respond_by: referral.respond_by_ms.map(moment::rfc3339),
        }),
        assigned: row.assigned,
        apart: false,
    }
}

fn disputed(held: &logbook::record_state::Assigned, roster: &Roster) -> DisputedValue {
    DisputedValue {
        value: held.value.clone(),
        agency: held.mark.agency.to_string(),
        operator: operator_name(roster, &held.mark.operator),
        at: moment::rfc3339(held.mark.wall_ms),
        entry: held.mark.entry.to_string(),
    }
}

pub(crate) fn operator_name(roster: &Roster, operator: &seal::OperatorId) -> String {
    roster.name_of(operator).map_or_else(|| operator.short(), str::to_owned)
}

pub(crate) fn device_name(roster: &Roster, device: &seal::DeviceId) -> String {
    roster.device(device).map_or_else(|| device.short(), |device| device.name.clone())
}

pub(crate) fn entry_row(judged: &Judged, roster: &Roster) -> EntryRow {
    let header = &judged.opened.header;
    let action = judged.entry.as_ref().map(|entry| &entry.action);
    EntryRow {
        id: judged.opened.id.to_string(),
        envelope: judged.opened.envelope.to_string(),
        action: judged.entry.as_ref().map_or("unknown", |entry| entry.action.kind()).to_owned(),
        text: judged
            .entry
            .as_ref()
            .map_or_else(|| "an entry that this software cannot read".to_owned(), |entry| words(&entry.action)),
        set: match action {
            Some(Action::Amend(amend)) => {
                amend.set.iter().map(|(name, value)| (name.to_string(), value.clone())).collect()
            }
            _ => BTreeMap::new(),
        },
        to: match action {
            Some(Action::Refer(refer)) => Some(refer.to.to_string()),
            Some(Action::Assign(assign)) => Some(assign.to.to_string()),
            _ => None,
        },
        code: match action {
            Some(Action::State(change)) => Some(change.to.code().to_owned()),
            Some(Action::Move(step)) => Some(step.to.code().to_owned()),
            Some(Action::Refer(refer)) => Some(refer.ask.code().to_owned()),
            Some(Action::Answer(answer)) => Some(answer.step.code().to_owned()),
            Some(Action::Write(write)) => Some(write.section.clone()),
            Some(Action::Sign(sign)) => Some(sign.capacity.code().to_owned()),
            _ => None,
        },
        given: match action {
            Some(Action::State(change)) => change.reason.clone(),
            Some(Action::Answer(answer)) => answer.reason.clone().or_else(|| answer.outcome.clone()),
            _ => None,
        },
        agency: judged.agency.as_ref().map(ToString::to_string).unwrap_or_default(),
        device: device_name(roster, &judged.opened.link.device),
        operator: operator_name(roster, &header.operator),
        recorded_at: moment::rfc3339_in(header.wall_ms, header.offset_min),
        clock: header.clock.code().to_owned(),
        number: judged.opened.link.number,
        status: judged.status.code().to_owned(),
        reason: judged.reason.clone(),
        why: judged.why.as_ref().map(|why| why.code().to_owned()),
    }
}

/// An action in a line.
pub(crate) fn words(action: &Action) -> String {
    match action {
        Action::Create(create) => create.fields.get("summary").map(ToString::to_string).unwrap_or_default(),
        Action::Note(note) => note.text.clone(),
        Action::Amend(amend) => {
            let set: Vec<String> = amend.set.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            let verb = if amend.settles.is_empty() { "Amended" } else { "Settled" };
            format!("{verb}: {}", set.join(", "))
        }
        Action::State(change) => format!("Moved to {}", change.to.code()),
        Action::Assign(assign) => format!("Assigned to {}", assign.to),
        Action::Relate(relate) if relate.undo => format!("No longer {}: {}", relate.relation.code(), relate.reference),
        Action::Relate(relate) => format!("Linked, {}: {}", relate.relation.code(), relate.reference),
        Action::Share(share) => format!("Shared with {}", recipients(share.grants.iter().map(|grant| &grant.to))),
        Action::Unshare(unshare) => {
            let agencies = unshare.agencies.iter().map(ToString::to_string);
            let names: Vec<String> = agencies.chain(unshare.devices.iter().map(|id| id.short())).collect();
            format!("No longer shared with {}", names.join(", "))
        }
        Action::Refer(refer) => format!("Referred to {}: {}", refer.to, refer.ask.code()),
        Action::Answer(answer) => {
            let reason = answer.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("Referral {}{reason}", answer.step.code())
        }
        Action::Exhibit(exhibit) => exhibit.description.clone().unwrap_or_else(|| exhibit.name.clone()),
        Action::Custody(custody) => format!("Custody: {:?}", custody.act),
        Action::Move(step) => format!("Moved to {}", step.to.code()),
        Action::Decide(decide) => format!("Decided: {}", decide.outcome),
        Action::Write(write) => format!("Wrote in {}: {}", write.section, write.insert),
        Action::Sign(sign) => format!("Signed: {}", sign.capacity.code()),
        Action::Escalate(escalate) => format!("Escalated to {}: {}", escalate.to, escalate.reason),
    }
}

fn recipients<'a>(to: impl Iterator<Item = &'a logbook::action::GrantTo>) -> String {
    let mut names: Vec<String> = to
        .map(|to| match to {
            logbook::action::GrantTo::Agency { id, .. } => id.to_string(),
            logbook::action::GrantTo::Device { id } => id.short(),
        })
        .collect();
    names.sort();
    names.dedup();
    names.join(", ")
}

pub(crate) fn referral_item(record: &Record, id: &EntryId, referral: &Referral, roster: &Roster) -> ReferralItem {
    let state = referral.flow.state();
    let late = referral.respond_by_ms.is_some_and(|by| by < moment::now().wall_ms);
    let offered = std::iter::once((ReferralState::Offered, &referral.offered));
    let steps = offered.chain(referral.flow.steps().iter().map(|step| (step.to, &step.mark)));
    ReferralItem {
        id: id.to_string(),
        record: record.state().reference.clone(),
        summary: record.state().text("summary").unwrap_or_default().to_owned(),
        from: referral.from.to_string(),
        to: referral.to.to_string(),
        ask: referral.ask.code().to_owned(),
        state: state.code().to_owned(),
        respond_by: referral.respond_by_ms.map(moment::rfc3339),
        overdue: late && state.is_waiting(),
        reason: referral.reason().map(str::to_owned),
        offered_at: moment::rfc3339(referral.offered.wall_ms),
        steps: steps
            .map(|(state, mark)| ReferralStep {
                state: state.code().to_owned(),
                agency: mark.agency.to_string(),
                operator: operator_name(roster, &mark.operator),
                at: moment::rfc3339(mark.wall_ms),
            })
            .collect(),
    }
}

/// What is missing, in words.
fn gaps(record: &Record, roster: &Roster) -> Vec<String> {
    let missing = record.missing().len();
    let mut gaps = Vec::new();
    if missing > 0 {
        gaps.push(format!("{missing} earlier entries that are cited have not arrived"));
    }
    for (device, numbers) in record.gaps() {
        gaps.push(format!("{} entries by {} have not arrived", numbers.len(), device_name(roster, &device)));
    }
    gaps
}
