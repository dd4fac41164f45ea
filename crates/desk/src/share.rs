//! Who may read, and asking other institutions to act.

use std::collections::BTreeSet;

use logbook::action::{
    Action, Answer, Ask, GrantTo, RecordKind, Refer, ReferralState, Relate, Relation, Share, Unshare,
};
use logbook::record_state::Audience;
use logbook::roster::Role;
use logbook::{AgencyId, Fields, Record};
use seal::EntryId;

use crate::error::{Code, DeskError, Result};
use crate::moment;
use crate::session::Desk;
use crate::wire::{AudienceReport, EntryReport, ReferralReport};

/// Answers that go into one commit: their records are folded together in memory.
const ANSWERED_TOGETHER: usize = 100;
/// What a brief takes from its record when nothing else is chosen: enough to act on, nobody's name.
const BRIEF_FIELDS: &[&str] =
    &["summary", "category", "domains", "station", "place", "district", "occurred_from_ms", "severity"];

impl Desk {
    /// The recipient that a name means: an institution, or a device.
    fn recipient(&self, name: &str) -> Result<GrantTo> {
        if let Ok(id) = name.parse::<AgencyId>()
            && self.roster().agency(&id).is_some()
        {
            return self.agency_recipient(&id);
        }
        match self.find_device(name) {
            Ok(id) => Ok(GrantTo::Device { id }),
            Err(error) if error == DeskError::not_found("device", name) => {
                Err(DeskError::not_found("institution or device", name))
            }
            Err(error) => Err(error),
        }
    }

    /// Who could read a record if it were shared so, in a sentence; changes nothing.
    pub async fn audience_preview(&self, record: &str, with: &[String]) -> Result<AudienceReport> {
        let record = self.find("record", record).await?;
        let mut audience = record.state().audience();
        for name in with {
            audience.insert(Audience::from(&self.recipient(name)?));
        }
        Ok(self.audience_report(audience.into_iter()))
    }

    /// Who can read, as ids and in a sentence. An empty audience is nobody.
    pub(crate) fn audience_report(&self, audience: impl Iterator<Item = Audience>) -> AudienceReport {
        let roster = self.roster();
        let (mut ids, mut names) = (Vec::new(), Vec::new());
        for member in audience {
            match member {
                Audience::Agency(id) => {
                    names.push(self.agency_name(&id));
                    ids.push(id.to_string());
                }
                Audience::Device(id) => {
                    let device = roster.device(&id);
                    // A desk of an institution that is named anyway adds nothing to the sentence.
                    let name = device.map_or_else(|| id.short(), |device| device.name.clone());
                    let covered = device.is_some_and(|d| d.is_desk() && ids.contains(&d.agency.to_string()));
                    if !covered {
                        names.push(format!("the device {name}"));
                    }
                    ids.push(id.to_string());
                }
            }
        }
        let sentence = match names.as_slice() {
            [] => "Nobody can read this.".to_owned(),
            [one] => format!("Can be read by {one}, and by nobody else."),
            [most @ .., last] => format!("Can be read by {} and {last}.", most.join(", ")),
        };
        AudienceReport { audience: ids, sentence }
    }

    /// Gives a record, with its whole history.
    pub async fn share(&self, record: &str, with: &[String]) -> Result<AudienceReport> {
        let record = self.find("record", record).await?;
        let held = record.state().audience();
        let mut to = Vec::new();
        for name in with {
            let recipient = self.recipient(name)?;
            if !held.contains(&Audience::from(&recipient)) {
                to.push(recipient);
            }
        }
        if !to.is_empty() {
            let keys = self.vault().record_keys(&record.id()).await?;
            let (grants, wraps) = self.wrap_keys(record.id(), &keys, &to)?;
            let mut draft = self.draft(record.id(), Action::Share(Share { grants }), self.role(Self::WORK)?);
            draft.wraps = wraps;
            self.append(vec![draft]).await?;
        }
        self.audience_of(&record).await
    }

    /// Takes access to what comes later away: the next entry starts a new key.
    pub async fn unshare(&self, record: &str, with: &[String]) -> Result<AudienceReport> {
        let record = self.find("record", record).await?;
        let (mut agencies, mut devices) = (Vec::new(), Vec::new());
        for name in with {
            match self.recipient(name)? {
                GrantTo::Agency { id, .. } => agencies.push(id),
                GrantTo::Device { id } => devices.push(id),
            }
        }
        self.state(record.id(), Action::Unshare(Unshare { agencies, devices }), Self::WORK).await?;
        self.new_key(&record).await?;
        self.audience_of(&record).await
    }

    /// Starts a new key for what comes later, for whoever is still in the audience.
    async fn new_key(&self, record: &Record) -> Result<()> {
        let now = self.vault().record(&record.id()).await?;
        let now = now.ok_or_else(|| DeskError::not_found("record", &record.state().reference))?;
        let mut to = Vec::new();
        for member in now.state().audience() {
            to.push(match member {
                Audience::Agency(id) => self.agency_recipient(&id)?,
                Audience::Device(id) => GrantTo::Device { id },
            });
        }
        let key = seal::RecordKey::from_bytes(moment::random());
        let (grants, wraps) = self.wrap_keys(record.id(), std::slice::from_ref(&key), &to)?;
        let mut draft = self.draft(record.id(), Action::Share(Share { grants }), self.role(Self::WORK)?);
        draft.key = Some(key);
        draft.wraps = wraps;
        self.append(vec![draft]).await?;
        Ok(())
    }

    async fn audience_of(&self, record: &Record) -> Result<AudienceReport> {
        let now = self.vault().record(&record.id()).await?;
        let audience = now.map(|record| record.state().audience()).unwrap_or_default();
        Ok(self.audience_report(audience.into_iter()))
    }

    /// Offers a referral. `respond` shares the record whole; every other ask, every complaint and
    /// every strict TLP opens a brief with chosen facts.
    pub async fn refer(
        &self,
        record: &str,
        to: &str,
        ask: &str,
        respond_by: Option<&str>,
        text: Option<String>,
    ) -> Result<ReferralReport> {
        let ask = Ask::from_code(ask).ok_or_else(|| {
            DeskError::usage("the ask is one of: respond, investigate, advise, preserve, provide-evidence")
        })?;
        let to: AgencyId = to.parse().map_err(|_| DeskError::not_found("institution", to))?;
        let recipient = self.agency_recipient(&to)?;
        let wait = match respond_by {
            Some(text) => Some(
                moment::parse_duration(text)
                    .ok_or_else(|| DeskError::usage("a duration is a number and s, m, h or d: 90s, 5m, 4h, 3d"))?,
            ),
            None => None,
        };
        let respond_by_ms = wait.map(|wait| moment::now().wall_ms + wait);
        let record = self.find("record", record).await?;
        let state = record.state();
        let whole = ask == Ask::Respond && state.kind == Some(RecordKind::Incident) && !state.is_strict();
        let refer = Refer { to, ask, respond_by_ms, text, grants: Vec::new() };
        if whole {
            self.refer_whole(&record, refer, recipient).await
        } else {
            self.refer_brief(&record, refer, recipient).await
        }
    }

    async fn refer_whole(&self, record: &Record, mut refer: Refer, to: GrantTo) -> Result<ReferralReport> {
        let mut wraps = Vec::new();
        let keys = self.vault().record_keys(&record.id()).await?;
        // After an unshare somebody in the audience may lack one of several keys.
        if keys.len() > 1 || !record.state().audience().contains(&Audience::from(&to)) {
            (refer.grants, wraps) = self.wrap_keys(record.id(), &keys, &[to])?;
        }
        let mut draft = self.draft(record.id(), Action::Refer(refer), self.role(Self::WORK)?);
        draft.wraps = wraps;
        let done = self.append(vec![draft]).await?;
        let referral = done.first().map(|done| done.entry.to_string()).unwrap_or_default();
        Ok(ReferralReport { referral, record: record.state().reference.clone() })
    }

    /// A brief is a record of its own; the record that it comes from only says that there is one.
    async fn refer_brief(&self, record: &Record, mut refer: Refer, to: GrantTo) -> Result<ReferralReport> {
        let role = self.role(&[Role::Desk, Role::Commander, Role::Adjudicator])?;
        let state = record.state();
        // A brief does not know what its record alleges, so it is asked here.
        let kind = self.roster().agency(&refer.to).map(|agency| agency.record.kind);
        if kind.is_some_and(|kind| state.alleges(kind)) {
            return Err(DeskError::new(
                Code::NotAllowed,
                "an institution alleged to be involved is not asked about it",
                "Nothing was sent. Ask the adjudicator, or an institution that is not involved.",
            ));
        }
        let mut fields = Fields::new();
        for name in BRIEF_FIELDS {
            if let Some(value) = state.field(name) {
                fields.insert((*name).to_owned(), value.clone());
            }
        }
        if let Some(text) = &refer.text {
            fields.insert("ask_text".to_owned(), text.clone().into());
        }
        let opening = self.opening(RecordKind::Brief, fields, None, Some(record.id()), role).await?;
        let key = opening.draft.key.clone().ok_or_else(|| DeskError::integrity("a new record has a key"))?;
        let (grants, wraps) = self.wrap_keys(opening.id, std::slice::from_ref(&key), &[to])?;
        refer.grants = grants;
        let mut offer = self.draft(opening.id, Action::Refer(refer), role);
        offer.wraps = wraps;
        let link =
            Relate { relation: Relation::Brief, to: opening.id, reference: opening.reference.clone(), undo: false };
        let link = self.draft(record.id(), Action::Relate(link), role);
        let done = self.append(vec![opening.draft, offer, link]).await?;
        let referral = done.get(1).map(|done| done.entry.to_string()).unwrap_or_default();
        Ok(ReferralReport { referral, record: opening.reference })
    }

    /// A step of a referral. Answering one also says that it was seen.
    pub async fn answer(
        &self,
        referral: &str,
        step: &str,
        reason: Option<String>,
        outcome: Option<String>,
    ) -> Result<EntryReport> {
        let step = ReferralState::from_code(step).ok_or_else(|| DeskError::usage("no such step of a referral"))?;
        let (record, id) = self.find_referral(referral).await?;
        let held = record.state().referrals.get(&id);
        let held = held.ok_or_else(|| DeskError::not_found("referral", referral))?;
        let role = self.role(Self::WORK)?;
        let mut drafts = Vec::new();
        if held.to == *self.agency() {
            drafts.extend(self.unseen(&record, id, role));
        }
        let answer = Answer { referral: id, step, reason, outcome };
        Action::Answer(answer.clone()).validate().map_err(|error| DeskError::usage(error.to_string()))?;
        drafts.push(self.draft(record.id(), Action::Answer(answer), role));
        let done = self.append(drafts).await?;
        Ok(EntryReport { entry: done.last().map(|done| done.entry.to_string()).unwrap_or_default() })
    }

    /// The step "seen", where the receiver has not stated it yet.
    fn unseen(&self, record: &Record, id: EntryId, role: Role) -> Option<vault::Draft> {
        let state = record.state().referrals.get(&id)?.flow.state();
        if !matches!(state, ReferralState::Offered | ReferralState::Received) {
            return None;
        }
        let seen = Answer { referral: id, step: ReferralState::Seen, reason: None, outcome: None };
        Some(self.draft(record.id(), Action::Answer(seen), role))
    }

    /// States that an operator of this institution has opened a record whose referrals ask it to act.
    pub async fn opened(&self, record: &str) -> Result<()> {
        let record = self.find("record", record).await?;
        let Ok(role) = self.role(&[Role::Desk, Role::Commander, Role::Registrar, Role::Adjudicator]) else {
            return Ok(());
        };
        let mine = record.state().referrals.iter().filter(|(_, referral)| referral.to == *self.agency());
        let drafts: Vec<_> = mine.filter_map(|(id, _)| self.unseen(&record, *id, role)).collect();
        if !drafts.is_empty() {
            self.append(drafts).await?;
        }
        Ok(())
    }

    /// States, after an exchange, that referrals to this institution reached this device.
    pub(crate) async fn receive_referrals(&self, records: &[seal::RecordId]) -> Result<()> {
        let Ok(role) = self.role(&[Role::Desk, Role::Commander]) else { return Ok(()) };
        if records.is_empty() {
            return Ok(());
        }
        let touched: BTreeSet<&seal::RecordId> = records.iter().collect();
        let mut offered = self.vault().offered_to(self.agency()).await?;
        offered.retain(|(record, _)| touched.contains(record));
        for part in offered.chunks(ANSWERED_TOGETHER) {
            let drafts = part.iter().map(|(record, entry)| {
                let received = Answer { referral: *entry, step: ReferralState::Received, reason: None, outcome: None };
                self.draft(*record, Action::Answer(received), role)
            });
            self.append(drafts.collect()).await?;
        }
        Ok(())
    }

    async fn find_referral(&self, name: &str) -> Result<(std::sync::Arc<Record>, EntryId)> {
        if name.len() < 4 {
            return Err(DeskError::not_found("referral", name));
        }
        let query = vault::ReferralQuery { named: Some(name.to_owned()), ..vault::ReferralQuery::all(self.agency()) };
        let rows = self.vault().referrals(&query).await?;
        match rows.as_slice() {
            [one] => {
                let record = self.vault().record(&one.record).await?;
                Ok((record.ok_or_else(|| DeskError::not_found("referral", name))?, one.entry))
            }
            [] => Err(DeskError::not_found("referral", name)),
            many => {
                let ids: Vec<String> = many.iter().map(|row| row.entry.to_string()).collect();
                Err(DeskError::ambiguous(name, &ids))
            }
        }
    }
}
