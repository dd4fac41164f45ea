//! What an envelope counts for by itself: everything that its place in the record does not decide.

use std::sync::Arc;

use seal::{Opened, RecordId};

use crate::action::Action;
use crate::entry::{Entry, EntryError};
use crate::reason::Reason;
use crate::record::Ground;
use crate::roster::{AgencyId, AgencyKind, Role, RosterView};
use crate::status::Status;

/// What is shown of an action that is withheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// It creates a record; the id that device and nonce give, where the nonce is shown.
    Create(Option<RecordId>),
    /// It is of another kind.
    Other,
    /// Nothing that would tell its kind.
    Nothing,
    /// What no entry holds.
    Malformed,
}

/// Why there is no entry to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unread {
    /// Its bytes are none, or of a later version.
    Bad(EntryError),
    /// Its action is withheld.
    Withheld(Shown),
}

/// An entry as it was read, or why it could not be.
pub(crate) type Parsed = Result<Arc<Entry>, Unread>;

/// A status other than valid, with its reason.
pub(crate) type Verdict = (Status, Reason);

/// An author whom the roster vouches for, on a chain that is sound here.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub agency: AgencyId,
    pub kind: AgencyKind,
    pub roles: Vec<Role>,
}

/// An envelope on its way into the fold.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub opened: Arc<Opened>,
    pub parsed: Parsed,
    pub standing: Result<Standing, Verdict>,
}

impl Item {
    pub fn new(record: RecordId, opened: Arc<Opened>, parsed: Option<Parsed>, ground: &Ground<'_>) -> Self {
        let parsed = parsed.unwrap_or_else(|| Entry::open(&opened).map(Arc::new).map_err(Unread::Bad));
        let standing = standing(record, &opened, &parsed, ground);
        Self { opened, parsed, standing }
    }

    /// Whether it is the creation of its record, or may be as far as it is shown.
    pub fn creates(&self) -> bool {
        let record = self.opened.header.record;
        match &self.parsed {
            Ok(entry) => matches!(entry.action, Action::Create(_)) && form(record, &self.opened, entry).is_ok(),
            Err(Unread::Withheld(shown)) => *shown != Shown::Other && form_shown(record, &self.opened, *shown).is_ok(),
            Err(Unread::Bad(_)) => false,
        }
    }

    /// Whether its action is withheld.
    pub fn withheld(&self) -> bool {
        matches!(self.parsed, Err(Unread::Withheld(_)))
    }
}

/// Whether an envelope is beyond its chain's fork or cut. Of one entry in several envelopes, one
/// that is not comes first, whatever its number: a thief may seal an entry again under any number.
pub(crate) fn unsound(opened: &Opened, ground: &Ground<'_>) -> Option<Reason> {
    if ground.marks.forked.contains(&opened.envelope) {
        return Some(Reason::Forked);
    }
    match ground.roster.cut(&opened.link.device)? {
        Some(cut) if opened.link.number < cut.number => None,
        // Said here as well as by the chain's marks: those are made from links, and the head's own
        // link may be absent.
        Some(cut) if opened.link.number == cut.number => {
            (opened.envelope != cut.head).then_some(Reason::NotTheCutsHead)
        }
        _ => Some(Reason::Revoked),
    }
}

/// Rules of form that need no other entry, and what roster and chain say of the author.
fn standing(record: RecordId, opened: &Opened, parsed: &Parsed, ground: &Ground<'_>) -> Result<Standing, Verdict> {
    let rejected = |why| Err((Status::Rejected, why));
    match parsed {
        Ok(entry) => form(record, opened, entry).map_err(|why| (Status::Rejected, why))?,
        Err(Unread::Withheld(shown)) => {
            form_shown(record, opened, *shown).map_err(|why| (Status::Rejected, why))?;
        }
        Err(Unread::Bad(EntryError::NewerSoftware)) if opened.header.record != record => {
            return rejected(Reason::OtherRecord);
        }
        Err(Unread::Bad(EntryError::NewerSoftware)) => {}
        Err(Unread::Bad(error)) => return rejected(error.clone().into()),
    }
    let Some(view) = ground.roster.view(&opened.link.roster) else {
        return Err((Status::Waiting, Reason::RosterMissing));
    };
    let standing = admitted(opened, view, ground)?;
    if let Some(why) = unsound(opened, ground) {
        return Err((Status::Quarantined, why));
    }
    match parsed {
        Err(Unread::Bad(error)) => Err((Status::Waiting, error.clone().into())),
        Ok(_) | Err(Unread::Withheld(_)) => Ok(standing),
    }
}

fn form(record: RecordId, opened: &Opened, entry: &Entry) -> Result<(), Reason> {
    if opened.header.record != record {
        return Err(Reason::OtherRecord);
    }
    match (&entry.action, opened.header.heads.is_empty()) {
        (Action::Create(create), true) if create.record_id(&opened.link.device) == record => Ok(()),
        (Action::Create(_), _) => Err(Reason::ForeignCreation),
        (_, true) => Err(Reason::NoHeads),
        (_, false) => Ok(()),
    }
}

/// The same as far as what is shown goes; where it does not go, it passes.
fn form_shown(record: RecordId, opened: &Opened, shown: Shown) -> Result<(), Reason> {
    if shown == Shown::Malformed {
        return Err(EntryError::Malformed("it shows what no entry holds".into()).into());
    }
    if opened.header.record != record {
        return Err(Reason::OtherRecord);
    }
    match (shown, opened.header.heads.is_empty()) {
        (Shown::Create(id), true) if id.is_none_or(|id| id == record) => Ok(()),
        (Shown::Create(_), _) => Err(Reason::ForeignCreation),
        (Shown::Other, true) => Err(Reason::NoHeads),
        _ => Ok(()),
    }
}

fn admitted(opened: &Opened, view: &RosterView, ground: &Ground<'_>) -> Result<Standing, Verdict> {
    let (roster, id) = (ground.roster, &opened.link.device);
    let (Some(device), Some(roles)) = (roster.device(id), roster.roles_for(id, view, opened.link.number)) else {
        return Err(match roster.pending(id, view) {
            true => (Status::Waiting, Reason::NotInEffect),
            false => (Status::Rejected, Reason::NeverAdmitted),
        });
    };
    if device.operator != opened.header.operator {
        return Err((Status::Rejected, Reason::Operator));
    }
    let agency = roster.agency(&device.agency).ok_or((Status::Rejected, Reason::NoAgency))?;
    Ok(Standing { agency: device.agency.clone(), kind: agency.record.kind, roles })
}
