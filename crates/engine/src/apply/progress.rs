//! The progress of a plan: the outcomes so far, and the steps that may be started.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};

use super::{Outcome, Results, verb};
use crate::{Item, Kind, Phase, Plan, Read, Step, Survey};

/// Age up to which a resource counts as new, with room for clocks that differ.
const NEW: Duration = Duration::from_mins(5);

/// The outcomes so far, and the steps that may be started.
pub(super) struct Progress<'plan, K: Kind> {
    plan: &'plan Plan<K>,
    outcomes: Vec<Option<Outcome>>,
    /// Number of steps that each step still waits for.
    waits: Vec<usize>,
    /// Steps that wait for each step.
    waiting: Vec<Vec<usize>>,
    ready: BTreeSet<usize>,
}

impl<'plan, K: Kind> Progress<'plan, K> {
    pub(super) fn new(plan: &'plan Plan<K>) -> Self {
        let steps = plan.steps();
        let mut waiting = vec![Vec::new(); steps.len()];
        for (index, step) in steps.iter().enumerate() {
            for other in &step.waits {
                waiting.get_mut(*other).into_iter().for_each(|waiting: &mut Vec<usize>| waiting.push(index));
            }
        }
        let waits: Vec<usize> = steps.iter().map(|step| step.waits.len()).collect();
        let ready = (0..steps.len()).filter(|index| waits.get(*index) == Some(&0)).collect();
        Self { plan, outcomes: vec![None; steps.len()], waits, waiting, ready }
    }

    /// Takes the next step that may be started.
    pub(super) fn next(&mut self) -> Option<(usize, &'plan Step, &'plan Item<K>)> {
        let index = self.ready.pop_first()?;
        let step = self.plan.steps().get(index)?;
        Some((index, step, self.plan.items().get(step.item)?))
    }

    /// Notes the outcome of a step.
    pub(super) fn end(&mut self, index: usize, outcome: &Outcome) {
        self.outcomes.get_mut(index).into_iter().for_each(|place| *place = Some(outcome.clone()));
        for other in self.waiting.get(index).cloned().unwrap_or_default() {
            let Some(waits) = self.waits.get_mut(other) else { continue };
            *waits = waits.saturating_sub(1);
            if *waits == 0 {
                self.ready.insert(other);
            }
        }
    }

    /// Returns the failed dependency that keeps a step from starting; `None` if it may start.
    pub(super) fn failed_dependency(&self, step: &Step) -> Option<String> {
        let is_done = |other: &usize| matches!(self.outcomes.get(*other), Some(Some(Outcome::Done)));
        let failed = step.waits.iter().find(|other| !is_done(other))?;
        let item = self.plan.items().get(self.plan.steps().get(*failed)?.item)?;
        Some(format!("{} did not succeed", item.id))
    }

    /// Returns `true` if something that a step depends on is new: this run wrote it, or AWS tells that it was created a moment ago.
    pub(super) fn depends_on_new(&self, step: &Step, survey: &Survey<K>) -> bool {
        let now = SystemTime::now();
        step.waits.iter().filter_map(|other| self.plan.steps().get(*other)).any(|other| {
            let item = self.plan.items().get(other.item);
            let place = item.map(|item| (item.id.kind, item.address.clone()));
            let created = place.and_then(|place| match survey.read.get(&place) {
                Some(Read::Present(live)) => K::created_at(&live.settings),
                _ => None,
            });
            matches!(other.phase, Phase::Write | Phase::Widen) || created.is_some_and(|created| is_new(created, now))
        })
    }

    /// Returns `true` if an item is changed in two parts.
    pub(super) fn is_widened(&self, item: usize) -> bool {
        self.plan.steps().iter().any(|step| step.item == item && step.phase == Phase::Widen)
    }

    /// Returns the result of each item: the first outcome among its steps that is not good.
    pub(super) fn results(self) -> Results<K> {
        let mut results: BTreeMap<usize, Outcome> = BTreeMap::new();
        for (step, outcome) in self.plan.steps().iter().zip(self.outcomes) {
            let Some(outcome) = outcome else { continue };
            let result = results.entry(step.item).or_insert(Outcome::Done);
            if *result == Outcome::Done {
                *result = outcome;
            }
        }
        let result = |(item, outcome): (usize, Outcome)| {
            let item = self.plan.items().get(item)?;
            Some((item.id.clone(), verb(&item.action)?, outcome))
        };
        results.into_iter().filter_map(result).collect()
    }
}

/// Returns `true` if something was created a moment ago, or later than this machine believes it is.
fn is_new(created: SystemTime, now: SystemTime) -> bool {
    now.duration_since(created).is_ok_and(|age| age < NEW) || created > now
}
