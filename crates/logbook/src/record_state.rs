//! What follows from a record's entries: fields with their disputes, states, referrals, exhibits,
//! audience. Built by the fold alone; every collection is ordered, so that its digest is one.

use std::collections::{BTreeMap, BTreeSet};

use seal::{DeviceId, EntryId, KeyId, RecordId};

use crate::access::Access;
pub use crate::access::Audience;
use crate::action::{
    Answer, Ask, At, Create, Custody, CustodyAct, Decide, Exhibit, Grant, IncidentState, RecordKind, Refer,
    ReferralState, Relate, Relation, Sign, Unshare, Write,
};
use crate::causality::{Mark, Past};
use crate::complaint_flow::ComplaintState;
use crate::field::{FieldValue, Fields};
use crate::flow::Flow;
use crate::limits;
use crate::roster::{AgencyId, AgencyKind};

/// A value and who set it.
#[derive(Debug, Clone)]
pub struct Assigned {
    /// The value.
    pub value: FieldValue,
    /// Who, when, by which entry.
    pub mark: Mark,
}

/// A referral as it stands.
#[derive(Debug, Clone)]
pub struct Referral {
    /// The asker.
    pub from: AgencyId,
    /// The agency asked.
    pub to: AgencyId,
    /// What is asked.
    pub ask: Ask,
    /// In words.
    pub text: Option<String>,
    /// By when an answer is expected, milliseconds.
    pub respond_by_ms: Option<i64>,
    /// Who offered it, when.
    pub offered: Mark,
    /// The steps.
    pub flow: Flow<ReferralState>,
    /// Reasons and outcomes by step.
    pub words: BTreeMap<EntryId, (Option<String>, Option<String>)>,
}

impl Referral {
    /// The reason given with the step that stands.
    pub fn reason(&self) -> Option<&str> {
        let state = self.flow.state();
        let step = self.flow.current().find(|step| step.to == state)?;
        self.words.get(&step.mark.entry)?.0.as_deref()
    }
}

/// An exhibit as it stands.
#[derive(Debug, Clone)]
pub struct ExhibitState {
    /// As it was added.
    pub exhibit: Exhibit,
    /// Who added it, when.
    pub mark: Mark,
    /// Who holds it.
    pub holder: AgencyId,
    /// Given but not yet taken.
    pub in_transit_to: Option<AgencyId>,
    /// The acts on it, in order.
    pub acts: Vec<(CustodyAct, Option<AgencyId>, Option<String>, Mark)>,
}

/// A note as it was written.
#[derive(Debug, Clone)]
pub struct Noted {
    /// The text.
    pub text: String,
    /// Who, when.
    pub mark: Mark,
}

/// A change of a report's text, and what its author had seen.
#[derive(Debug, Clone)]
pub struct Written {
    /// The change.
    pub write: Write,
    /// Who, when.
    pub mark: Mark,
    /// What the author had seen.
    pub past: Past,
}

/// A link as it stands: each setting and taking back, by its past.
#[derive(Debug, Clone)]
struct Related {
    relate: Relate,
    mark: Mark,
}

/// Everything derived from a record's entries.
#[derive(Debug, Clone, Default)]
pub struct RecordState {
    /// What it is.
    pub kind: Option<RecordKind>,
    /// The owner.
    pub owner: Option<AgencyId>,
    /// The device that made it.
    pub creator: Option<DeviceId>,
    /// What people call it.
    pub reference: String,
    /// The record that it belongs to.
    pub parent: Option<RecordId>,
    /// Who made it, when.
    pub created: Option<Mark>,
    /// The last effective statement.
    pub last: Option<Mark>,
    fields: BTreeMap<String, Vec<Assigned>>,
    /// The fields as first stated.
    pub first: Fields,
    /// The incident's states.
    pub incident: Flow<IncidentState>,
    /// The complaint's states.
    pub complaint: Flow<ComplaintState>,
    /// The decision, if one was made.
    pub decision: Option<(Decide, Mark)>,
    /// Referrals by the entry that offered them.
    pub referrals: BTreeMap<EntryId, Referral>,
    /// Exhibits by the entry that added them.
    pub exhibits: BTreeMap<EntryId, ExhibitState>,
    /// Notes in order.
    pub notes: Vec<Noted>,
    /// Escalations in order.
    pub escalations: Vec<(String, Mark)>,
    /// Changes of a report's texts in order, by section.
    pub writes: BTreeMap<String, Vec<Written>>,
    /// Who signed a report, in order.
    pub signatures: Vec<(Sign, Mark)>,
    related: BTreeMap<(Relation, RecordId), Vec<Related>>,
    access: Access,
}

impl RecordState {
    /// Whether a valid creation is known.
    pub fn exists(&self) -> bool {
        self.kind.is_some()
    }

    pub(crate) fn open(&mut self, create: &Create, at: &At<'_>) {
        self.kind = Some(create.kind);
        self.owner = Some(create.owner.clone());
        self.creator = Some(at.mark.device);
        self.reference.clone_from(&create.reference);
        self.parent = create.parent;
        self.created = Some(at.mark.clone());
        self.first.clone_from(&create.fields);
        for (name, value) in &create.fields {
            self.set(name, value, &[], at);
        }
        self.grant(&create.grants, at);
    }

    pub(crate) fn note(&mut self, text: &str, at: &At<'_>) {
        self.notes.push(Noted { text: text.to_owned(), mark: at.mark.clone() });
    }

    pub(crate) fn write(&mut self, write: &Write, at: &At<'_>) {
        let written = Written { write: write.clone(), mark: at.mark.clone(), past: at.past.clone() };
        self.writes.entry(write.section.clone()).or_default().push(written);
    }

    pub(crate) fn sign(&mut self, sign: &Sign, at: &At<'_>) {
        self.signatures.push((sign.clone(), at.mark.clone()));
    }

    pub(crate) fn escalate(&mut self, to: &str, at: &At<'_>) {
        self.escalations.push((to.to_owned(), at.mark.clone()));
    }

    /// Sets a field: what the author had seen undisputed is replaced, of a dispute only what is named.
    pub(crate) fn set(&mut self, name: &str, value: &FieldValue, settles: &[EntryId], at: &At<'_>) {
        let live = self.fields.entry(name.to_owned()).or_default();
        let undisputed = undisputed(live, at.past);
        live.retain(|held| !at.past.holds(&held.mark) || !(undisputed || settles.contains(&held.mark.entry)));
        live.push(Assigned { value: value.clone(), mark: at.mark.clone() });
    }

    /// The values that a setting by someone with this past would replace.
    pub(crate) fn replaced(&self, name: &str, settles: &[EntryId], past: &Past) -> impl Iterator<Item = &FieldValue> {
        let live = self.fields.get(name).map(Vec::as_slice).unwrap_or_default();
        let undisputed = undisputed(live, past);
        let replaced =
            move |held: &&Assigned| past.holds(&held.mark) && (undisputed || settles.contains(&held.mark.entry));
        live.iter().filter(replaced).map(|held| &held.value).collect::<Vec<_>>().into_iter()
    }

    /// All live values of a field.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &FieldValue> {
        self.fields.get(name).into_iter().flatten().map(|held| &held.value)
    }

    /// The value of a field; of a disputed one the last in fold order, but the greatest severity and
    /// the strictest TLP: what asks for care stands until the dispute is settled.
    pub fn field(&self, name: &str) -> Option<&FieldValue> {
        match name {
            "severity" => self.values(name).max_by_key(|value| value.number()),
            "tlp" => self.values(name).max_by_key(|value| value.text().map(limits::tlp)),
            _ => self.values(name).last(),
        }
    }

    /// The value of a field that nobody disputes.
    pub fn agreed(&self, name: &str) -> Option<&FieldValue> {
        let live = self.fields.get(name)?;
        let first = &live.first()?.value;
        live.iter().all(|held| held.value == *first).then_some(first)
    }

    /// The text of a field.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.field(name).and_then(FieldValue::text)
    }

    /// The number of a field.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.field(name).and_then(FieldValue::number)
    }

    /// All fields with their live values.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[Assigned])> {
        self.fields.iter().map(|(name, live)| (name.as_str(), live.as_slice()))
    }

    /// Fields with more than one value.
    pub fn disputes(&self) -> impl Iterator<Item = (&str, &[Assigned])> {
        self.fields().filter(|(_, live)| live.iter().any(|held| held.value != live[0].value))
    }

    pub(crate) fn relate(&mut self, relate: &Relate, at: &At<'_>) {
        let held = self.related.entry((relate.relation, relate.to)).or_default();
        held.retain(|held| !at.past.holds(&held.mark));
        held.push(Related { relate: relate.clone(), mark: at.mark.clone() });
    }

    /// The links that stand: set, and not taken back by someone who had seen the setting.
    pub fn relations(&self) -> BTreeSet<(Relation, RecordId, String)> {
        let standing = self.related.values().flatten().filter(|held| !held.relate.undo);
        standing.map(|held| (held.relate.relation, held.relate.to, held.relate.reference.clone())).collect()
    }

    /// The record that this one duplicates, if a link says so.
    pub fn duplicate_of(&self) -> Option<(RecordId, String)> {
        let mut links = self.relations().into_iter();
        links.find(|(relation, ..)| *relation == Relation::DuplicateOf).map(|(_, to, reference)| (to, reference))
    }

    pub(crate) fn grant(&mut self, grants: &[Grant], at: &At<'_>) {
        self.access.grant(grants, at);
    }

    pub(crate) fn unshare(&mut self, unshare: &Unshare, at: &At<'_>) {
        let agencies = unshare.agencies.iter().map(|id| Audience::Agency(id.clone()));
        let devices = unshare.devices.iter().map(|id| Audience::Device(*id));
        agencies.chain(devices).for_each(|to| self.access.end(to, at));
    }

    /// Whether, within what this past holds, the agency or the device was given the record.
    pub fn granted(&self, agency: &AgencyId, device: &DeviceId, past: &Past) -> bool {
        self.access.reads(&Audience::Agency(agency.clone()), past)
            || self.access.reads(&Audience::Device(*device), past)
    }

    /// Whether these grants, with those that stand, give an agency every key of the record that is
    /// known within this past.
    pub(crate) fn gives_whole(&self, agency: &AgencyId, grants: &[Grant], past: &Past) -> bool {
        self.access.whole(&Audience::Agency(agency.clone()), grants, past)
    }

    /// Who may read what is written now. The creating device is in it until it is taken out.
    pub fn audience(&self) -> BTreeSet<Audience> {
        let mut audience = self.access.audience();
        audience.extend(self.creator.map(Audience::Device).filter(|creator| !self.access.was_ended(creator)));
        audience
    }

    /// The keys under which what comes next may be sealed, the best first: those that nobody outside the
    /// audience was granted before the others, and of each the one whose first grant is the latest. A key
    /// that no entry grants came from somebody who had no right to give it.
    pub fn keys_to_write(&self) -> Vec<KeyId> {
        self.access.keys_to_write(&self.audience())
    }

    /// The grants that stand.
    pub fn grants(&self) -> impl Iterator<Item = &Grant> {
        self.access.grants()
    }

    /// Whether a kind of agency is alleged to be involved, and so cannot be given the record except
    /// by the adjudicator's order: the police where state security or the police are alleged
    /// perpetrator, the election management body where its staff are.
    pub fn alleges(&self, kind: AgencyKind) -> bool {
        self.values("perpetrator").filter_map(FieldValue::text).any(|text| limits::names(text, kind))
    }

    /// Whether its TLP keeps it within its owner's agency, or with named devices: others then get a
    /// brief of it, and never the record.
    pub fn is_strict(&self) -> bool {
        limits::Limits::of(self).is_strict()
    }

    pub(crate) fn refer(&mut self, refer: &Refer, at: &At<'_>) {
        self.referrals.insert(
            at.mark.entry,
            Referral {
                from: at.mark.agency.clone(),
                to: refer.to.clone(),
                ask: refer.ask,
                text: refer.text.clone(),
                respond_by_ms: refer.respond_by_ms,
                offered: at.mark.clone(),
                flow: Flow::default(),
                words: BTreeMap::new(),
            },
        );
    }

    pub(crate) fn answer(&mut self, answer: &Answer, at: &At<'_>) -> Result<(), &'static str> {
        let referral = self.referrals.get_mut(&answer.referral).ok_or("no such referral")?;
        if !referral.flow.take(answer.step, at.mark.clone(), at.past) {
            return Err("this step does not follow from the state that its author had seen");
        }
        referral.words.insert(at.mark.entry, (answer.reason.clone(), answer.outcome.clone()));
        Ok(())
    }

    pub(crate) fn exhibit(&mut self, exhibit: &Exhibit, at: &At<'_>) {
        self.exhibits.insert(
            at.mark.entry,
            ExhibitState {
                exhibit: exhibit.clone(),
                mark: at.mark.clone(),
                holder: at.mark.agency.clone(),
                in_transit_to: None,
                acts: Vec::new(),
            },
        );
    }

    pub(crate) fn custody(&mut self, custody: &Custody, at: &At<'_>) -> Result<(), &'static str> {
        let exhibit = self.exhibits.get_mut(&custody.exhibit).ok_or("no such exhibit")?;
        match custody.act {
            CustodyAct::TransferredOut => exhibit.in_transit_to.clone_from(&custody.with),
            CustodyAct::TransferredIn => {
                exhibit.holder = at.mark.agency.clone();
                exhibit.in_transit_to = None;
            }
            _ => {}
        }
        exhibit.acts.push((custody.act, custody.with.clone(), custody.remark.clone(), at.mark.clone()));
        Ok(())
    }

    pub(crate) fn move_complaint(&mut self, to: ComplaintState, at: &At<'_>) -> Result<(), &'static str> {
        if self.complaint.take(to, at.mark.clone(), at.past) {
            Ok(())
        } else {
            Err("the workflow does not allow this step from the state that its author had seen")
        }
    }

    pub(crate) fn decision(&mut self, decide: &Decide, at: &At<'_>) {
        self.decision = Some((decide.clone(), at.mark.clone()));
    }

    /// The state's code: of a duplicate, an incident, a complaint; `open` for other records.
    pub fn state_code(&self) -> &'static str {
        match self.kind {
            Some(RecordKind::Incident) if self.duplicate_of().is_some() => "duplicate",
            Some(RecordKind::Incident) => self.incident.state().code(),
            Some(RecordKind::Complaint) => self.complaint.state().code(),
            _ => "open",
        }
    }
}

/// Whether the values that this past holds are one.
fn undisputed(live: &[Assigned], past: &Past) -> bool {
    let mut seen = live.iter().filter(|held| past.holds(&held.mark)).map(|held| &held.value);
    let first = seen.next();
    seen.all(|value| Some(value) == first)
}
