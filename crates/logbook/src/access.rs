//! Who was given a record, and who lost it again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use seal::{DeviceId, KeyId};

use crate::action::{At, Grant, GrantTo};
use crate::causality::{Mark, Past};
use crate::roster::AgencyId;

/// Someone who may read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// The desks of an agency.
    Agency(AgencyId),
    /// One device.
    Device(DeviceId),
}

impl From<&GrantTo> for Audience {
    fn from(to: &GrantTo) -> Self {
        match to {
            GrantTo::Agency { id, .. } => Self::Agency(id.clone()),
            GrantTo::Device { id } => Self::Device(*id),
        }
    }
}

/// What one entry gives one recipient.
#[derive(Debug, Clone)]
struct Given {
    grants: Vec<Grant>,
    mark: Mark,
    past: Arc<Past>,
}

/// Ends of one recipient's access: by author, its numbers in ascending order.
type Ends = BTreeMap<u32, Vec<u64>>;

/// Grants and ends, by recipient: what one costs does not grow with the others'.
#[derive(Debug, Clone, Default)]
pub(crate) struct Access {
    given: BTreeMap<Audience, Vec<Given>>,
    ended: BTreeMap<Audience, Ends>,
    /// For each key that was ever granted, the first grant of each author.
    keys: BTreeMap<KeyId, BTreeMap<u32, u64>>,
    /// Those keys, as they were first granted in fold order.
    order: Vec<KeyId>,
}

impl Access {
    pub fn grant(&mut self, grants: &[Grant], at: &At<'_>) {
        let past = Arc::new(at.past.clone());
        for grant in grants {
            if !self.keys.contains_key(&grant.key) {
                self.order.push(grant.key);
            }
            self.keys.entry(grant.key).or_default().entry(at.mark.author).or_insert(at.mark.number);
            let given = self.given.entry((&grant.to).into()).or_default();
            match given.last_mut().filter(|last| last.mark.entry == at.mark.entry) {
                Some(last) => last.grants.push(grant.clone()),
                None => given.push(Given { grants: vec![grant.clone()], mark: at.mark.clone(), past: past.clone() }),
            }
        }
    }

    pub fn end(&mut self, to: Audience, at: &At<'_>) {
        self.ended.entry(to).or_default().entry(at.mark.author).or_default().push(at.mark.number);
    }

    /// Every key that was ever granted, the best for writing first: those that nobody outside the
    /// audience was ever granted, and of these and of the others the latest.
    pub fn keys_to_write(&self, audience: &BTreeSet<Audience>) -> Vec<KeyId> {
        let outside = self.given.iter().filter(|(to, _)| !audience.contains(*to)).flat_map(|(_, given)| given);
        let known: BTreeSet<KeyId> = outside.flat_map(|given| &given.grants).map(|grant| grant.key).collect();
        let (open, closed): (Vec<KeyId>, Vec<KeyId>) = self.order.iter().rev().partition(|key| known.contains(key));
        closed.into_iter().chain(open).collect()
    }

    /// Whether someone's access was ever ended.
    pub fn was_ended(&self, to: &Audience) -> bool {
        self.ended.contains_key(to)
    }

    /// What was given stands unless an end was stated that its author had not seen.
    fn standing(&self) -> impl Iterator<Item = (&Audience, &Given)> {
        self.given.iter().flat_map(|(to, given)| {
            let ends = self.ended.get(to);
            let stands = move |given: &&Given| {
                ends.into_iter().flatten().all(|(author, ends)| ends.last() <= Some(&given.past.seen(*author)))
            };
            given.iter().filter(stands).map(move |given| (to, given))
        })
    }

    pub fn audience(&self) -> BTreeSet<Audience> {
        self.standing().map(|(to, _)| to.clone()).collect()
    }

    pub fn grants(&self) -> impl Iterator<Item = &Grant> {
        self.standing().flat_map(|(_, given)| &given.grants)
    }

    /// What stands for a recipient within what a past holds, the latest first.
    fn within<'a>(&'a self, to: &Audience, past: &'a Past) -> impl Iterator<Item = &'a Given> {
        let ends = self.ended.get(to);
        let stands = move |given: &&Given| {
            past.holds(&given.mark)
                && ends.into_iter().flatten().all(|(author, ends)| {
                    let seen = past.seen(*author);
                    let known = ends.partition_point(|number| *number <= seen);
                    ends[..known].last() <= Some(&given.past.seen(*author))
                })
        };
        self.given.get(to).into_iter().flatten().rev().filter(stands)
    }

    pub fn reads(&self, to: &Audience, past: &Past) -> bool {
        self.within(to, past).next().is_some()
    }

    /// Whether these grants, with what stands for the recipient, give it every key that this past knows.
    pub fn whole(&self, to: &Audience, grants: &[Grant], past: &Past) -> bool {
        let fresh = grants.iter().filter(|grant| Audience::from(&grant.to) == *to);
        let held: BTreeSet<KeyId> =
            fresh.chain(self.within(to, past).flat_map(|given| &given.grants)).map(|grant| grant.key).collect();
        let known = |by: &BTreeMap<u32, u64>| by.iter().any(|(author, number)| past.seen(*author) >= *number);
        !held.is_empty() && self.keys.iter().all(|(key, by)| held.contains(key) || !known(by))
    }
}
