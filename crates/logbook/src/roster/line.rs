//! The line of epochs: which proposals are complete, and which of them follow each other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use seal::{EpochId, OperationId};

use super::pool::HeldEpoch;
use super::state::Standing;
use super::view::MAX_HEADS;
use super::{AgencyId, Epoch};

/// The epochs that are complete.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    /// Every complete epoch, on the line or beyond a fork of it.
    pub tree: BTreeMap<EpochId, Arc<Epoch>>,
    /// Those that follow each other from number 1 up to the first fork.
    pub epochs: Vec<(EpochId, Arc<Epoch>)>,
    /// Two complete successors of the last one.
    pub fork: Option<(EpochId, EpochId)>,
}

impl Line {
    /// Follows the epochs from number 1. Where two complete successors exist, neither is followed:
    /// roots have signed one number twice, and both bodies are kept as proof.
    pub fn follow(held: &BTreeMap<EpochId, Arc<HeldEpoch>>, operation: Option<OperationId>) -> Self {
        let mut line = Self::default();
        let Some(first) = operation.map(|id| EpochId(id.0)) else { return line };
        let Some(start) = held.get(&first) else { return line };
        let mut after: BTreeMap<EpochId, Vec<EpochId>> = BTreeMap::new();
        for (id, next) in held {
            if let Some(prev) = next.epoch.prev {
                after.entry(prev).or_default().push(*id);
            }
        }
        let named: BTreeSet<AgencyId> = start.epoch.agencies.iter().map(|agency| agency.id.clone()).collect();
        let mut open = vec![(first, start.epoch.clone(), named)];
        let mut complete: BTreeMap<EpochId, Vec<EpochId>> = BTreeMap::new();
        while let Some((id, epoch, named)) = open.pop() {
            for next_id in after.get(&id).into_iter().flatten() {
                let Some(next) = held.get(next_id) else { continue };
                let mut known = named.clone();
                known.extend(next.epoch.agencies.iter().map(|agency| agency.id.clone()));
                if follows(&epoch, next) && known.len() <= MAX_HEADS {
                    complete.entry(id).or_default().push(*next_id);
                    open.push((*next_id, next.epoch.clone(), known));
                }
            }
            line.tree.insert(id, epoch);
        }
        let mut at = first;
        line.epochs.push((first, start.epoch.clone()));
        loop {
            match complete.get(&at).map(Vec::as_slice) {
                Some([one]) => at = *one,
                Some([one, other, ..]) => {
                    line.fork = Some((*one, *other));
                    return line;
                }
                _ => return line,
            }
            if let Some(epoch) = line.tree.get(&at) {
                line.epochs.push((at, epoch.clone()));
            }
        }
    }

    /// What the line says of every agency that it ever named.
    pub fn standings(&self) -> BTreeMap<AgencyId, Standing> {
        let mut standings: BTreeMap<AgencyId, Standing> = BTreeMap::new();
        for (_, epoch) in &self.epochs {
            for agency in &epoch.agencies {
                let standing = standings.entry(agency.id.clone()).or_default();
                standing.roots.retain(|root| *root != agency.root);
                standing.roots.push(agency.root);
                standing.admins.extend(&agency.admins);
                if standing.since == 0 {
                    standing.since = epoch.number;
                }
            }
        }
        standings
    }
}

/// Whether an epoch is a complete successor. The name and the nature of the operation never change.
fn follows(current: &Epoch, next: &HeldEpoch) -> bool {
    // What a held epoch keeps of signatures was checked against its predecessor.
    let signers = next.signed.signatures.iter().map(|held| held.agency.clone()).collect();
    next.epoch.number == current.number + 1
        && next.epoch.operation_name == current.operation_name
        && next.epoch.exercise == current.exercise
        && current.enough(&signers, &next.epoch)
}
