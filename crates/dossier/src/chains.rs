//! The authors' chains: is every number there, up to the stated head?

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use logbook::Roster;
use logbook::status::{ChainMarks, chain_marks};
use seal::{DeviceId, EnvelopeId, Link, Signature};
use serde::Serialize;

/// Ranges of missing numbers told one by one; whoever wants more looks at the chain file.
const MAX_RANGES: usize = 20;

/// Something that ought to be there and is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// What is missing, in plain language.
    pub what: String,
    /// The record concerned, by reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// The device concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
}

/// One device's links, by number and id: two links with one number are a fork.
type Chain = BTreeMap<(u64, EnvelopeId), (Link, Signature)>;

/// Every link at hand, by device.
#[derive(Debug, Default)]
pub struct Chains {
    by_device: BTreeMap<DeviceId, Chain>,
}

impl Chains {
    /// Adds a link; a known one changes nothing, whatever signature it comes with. `false` if it was known.
    pub fn add(&mut self, link: Link, signature: Signature) -> bool {
        let chain = self.by_device.entry(link.device).or_default();
        match chain.entry((link.number, link.id())) {
            Entry::Occupied(_) => false,
            Entry::Vacant(free) => {
                free.insert((link, signature));
                true
            }
        }
    }

    /// Forgets the links of all other devices.
    pub fn keep_only(&mut self, devices: &BTreeSet<DeviceId>) {
        self.by_device.retain(|device, _| devices.contains(device));
    }

    /// The devices of which a link is at hand.
    pub fn devices(&self) -> impl Iterator<Item = &DeviceId> {
        self.by_device.keys()
    }

    /// The links of a device by number.
    pub fn links(&self, device: &DeviceId) -> impl Iterator<Item = (&EnvelopeId, &(Link, Signature))> {
        self.by_device.get(device).into_iter().flatten().map(|((_, id), link)| (id, link))
    }

    /// How many links there are.
    pub fn len(&self) -> usize {
        self.by_device.values().map(BTreeMap::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_device.is_empty()
    }

    /// The greatest number of a device and the link that has it; of a fork, the one with the smaller id.
    pub fn head(&self, device: &DeviceId) -> Option<(u64, EnvelopeId)> {
        let links = self.by_device.get(device)?;
        let number = links.keys().next_back()?.0;
        links.keys().find(|(n, _)| *n == number).copied()
    }

    /// The outcome of [`chain_marks`] over every device.
    pub fn marks(&self, roster: &Roster) -> ChainMarks {
        let mut marks = ChainMarks::default();
        for links in self.by_device.values() {
            let links: Vec<Link> = links.values().map(|(link, _)| *link).collect();
            let of_device = chain_marks(&links, roster);
            marks.forked.extend(of_device.forked);
            marks.went_back.extend(of_device.went_back);
        }
        marks
    }

    /// The numbers missing between 1 and the greatest one at hand or stated.
    pub fn gaps(&self, device: &DeviceId, stated: u64, who: &str) -> Vec<Gap> {
        let empty = BTreeMap::new();
        let links = self.by_device.get(device).unwrap_or(&empty);
        let mut gaps = Vec::new();
        let mut expected = 1;
        let numbers: BTreeSet<u64> = links.keys().map(|(number, _)| *number).collect();
        let end = Some(stated.saturating_add(1)).filter(|end| numbers.iter().all(|n| n < end));
        for number in numbers.iter().copied().chain(end) {
            if number > expected {
                let range = if number - expected == 1 {
                    format!("number {expected}")
                } else {
                    format!("numbers {expected} to {}", number - 1)
                };
                gaps.push(Gap {
                    what: format!("the chain of {who} lacks {range}"),
                    record: None,
                    device: Some(*device),
                });
                if gaps.len() >= MAX_RANGES {
                    break;
                }
            }
            expected = number.saturating_add(1);
        }
        gaps
    }

    /// Checks signatures: of the links in `direct` each one; of the others those that no checked link of the
    /// same device names as its predecessor. A signature covers the predecessor's hash, so the device
    /// has signed every link that a checked one leads back to.
    ///
    /// Gives back the links whose signature does not hold.
    pub fn unsigned(&self, direct: &BTreeSet<EnvelopeId>) -> Vec<(EnvelopeId, Link)> {
        let mut bad = Vec::new();
        for links in self.by_device.values() {
            let mut vouched: BTreeSet<EnvelopeId> = BTreeSet::new();
            // From the greatest number down, so that a successor is judged before its predecessor.
            for ((_, id), (link, signature)) in links.iter().rev() {
                let holds = (vouched.contains(id) && !direct.contains(id)) || link.verify(signature).is_ok();
                if holds {
                    vouched.insert(link.prev);
                } else {
                    bad.push((*id, *link));
                }
            }
        }
        bad
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seal::{OperationId, RosterHash, SigningKey};

    fn chain(length: u64) -> Vec<(Link, Signature)> {
        let key = SigningKey::from_seed(&[3; 32]);
        let mut prev = EnvelopeId([0; 32]);
        (1..=length)
            .map(|number| {
                let (operation, roster) = (OperationId([1; 32]), RosterHash([2; 32]));
                let body = [number as u8; 32];
                let link = Link { operation, device: key.device_id(), number, prev, roster, body };
                prev = link.id();
                (link, link.sign(&key))
            })
            .collect()
    }

    fn held(links: &[(Link, Signature)], leave_out: &[u64]) -> Chains {
        let mut chains = Chains::default();
        for (link, signature) in links.iter().filter(|(link, _)| !leave_out.contains(&link.number)) {
            chains.add(*link, *signature);
        }
        chains
    }

    #[test]
    fn gaps_are_told_as_ranges() {
        let links = chain(9);
        let device = links[0].0.device;
        let texts = |chains: &Chains, stated| -> Vec<String> {
            chains.gaps(&device, stated, "X").into_iter().map(|gap| gap.what).collect()
        };
        assert!(texts(&held(&links, &[]), 9).is_empty());
        assert_eq!(
            texts(&held(&links, &[1, 4, 5, 9]), 9),
            ["the chain of X lacks number 1", "the chain of X lacks numbers 4 to 5", "the chain of X lacks number 9"]
        );
        assert_eq!(texts(&Chains::default(), 2), ["the chain of X lacks numbers 1 to 2"]);
        assert_eq!(texts(&held(&links, &[]), u64::MAX).len(), 1, "no number that is stated switches the check off");
    }

    #[test]
    fn a_link_is_vouched_for_by_its_successor_or_by_itself() {
        let links = chain(5);
        let chains = held(&links, &[3]);
        assert!(chains.unsigned(&BTreeSet::new()).is_empty());
        // Number 4 is named by 5; its own signature does not matter, unless it is asked for.
        let (fourth, _) = links[3];
        let mut chains = held(&links, &[3, 4]);
        assert!(chains.add(fourth, Signature([0; 64])));
        assert!(chains.unsigned(&BTreeSet::new()).is_empty());
        assert_eq!(chains.unsigned(&BTreeSet::from([fourth.id()])).len(), 1);
        // Number 2 has no successor at hand: it must stand by itself.
        let (second, signature) = links[1];
        let mut chains = held(&links, &[2, 3]);
        assert!(chains.add(second, Signature([0; 64])));
        // The first signature that is given is the one that is judged.
        assert!(!chains.add(second, signature));
        assert_eq!(chains.unsigned(&BTreeSet::new()), [(second.id(), second)]);
    }
}
