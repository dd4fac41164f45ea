//! States that several people may move without knowing of each other.
//!
//! A step is legal when the state that its author had seen allows it. Of the legal steps, those
//! that no later legal step has seen are current. One current step gives the state; several give
//! the one with the highest rank, by a rule written down for each flow, the same on every device.

use crate::causality::{Mark, Past};

/// A set of states with its transitions.
pub trait States: Copy + PartialEq + Eq {
    /// Where a record starts.
    const START: Self;
    /// Whether a step from `self` to `to` is allowed.
    fn allows(self, to: Self) -> bool;
    /// Which of several concurrent states stands: the highest.
    fn rank(self) -> u8;
}

/// One step.
#[derive(Debug, Clone)]
pub struct Step<S> {
    /// The state reached.
    pub to: S,
    /// Who, when, which entry.
    pub mark: Mark,
    past: Past,
}

/// The steps taken so far, in fold order.
#[derive(Debug, Clone)]
pub struct Flow<S> {
    steps: Vec<Step<S>>,
    /// Indexes of the current steps.
    current: Vec<usize>,
}

impl<S> Default for Flow<S> {
    fn default() -> Self {
        Self { steps: Vec::new(), current: Vec::new() }
    }
}

impl<S: States> Flow<S> {
    /// The state that someone with this past had seen.
    pub fn seen_by(&self, past: &Past) -> S {
        if self.current.iter().all(|at| past.holds(&self.steps[*at].mark)) {
            return self.state();
        }
        // Backwards, with all that the later ones had seen in one past: each step is gone through once.
        let (mut later, mut current) = (Past::default(), Vec::new());
        for step in self.steps.iter().rev().filter(|step| past.holds(&step.mark)) {
            if !later.holds(&step.mark) {
                current.push(step.to);
            }
            later.merge(&step.past);
        }
        current.into_iter().max_by_key(|state| state.rank()).unwrap_or(S::START)
    }

    /// Takes a step; `false` if its author's state did not allow it, and then nothing changes.
    pub fn take(&mut self, to: S, mark: Mark, past: &Past) -> bool {
        if !self.seen_by(past).allows(to) {
            return false;
        }
        let steps = &self.steps;
        self.current.retain(|at| !past.holds(&steps[*at].mark));
        self.current.push(self.steps.len());
        self.steps.push(Step { to, mark, past: past.clone() });
        true
    }

    /// The state that stands.
    pub fn state(&self) -> S {
        self.current.iter().map(|at| self.steps[*at].to).max_by_key(|state| state.rank()).unwrap_or(S::START)
    }

    /// The current steps: more than one when people acted without knowing of each other.
    pub fn current(&self) -> impl Iterator<Item = &Step<S>> {
        self.current.iter().map(|at| &self.steps[*at])
    }

    /// Whether current steps disagree.
    pub fn disputed(&self) -> bool {
        self.current().any(|step| step.to != self.state())
    }

    /// All legal steps, in fold order.
    pub fn steps(&self) -> &[Step<S>] {
        &self.steps
    }
}
