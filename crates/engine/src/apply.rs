//! Applies a plan: runs the steps in parallel, in the order of their references, and reports each to an observer.
//!
//! A step that fails takes with it only what depends on it. Retries are decided here and nowhere else: by the class of the
//! error, up to a deadline. Each retry reads the resource again, since the failed call may have done its work.

mod progress;
mod run;

use std::time::Duration;

use futures::{StreamExt, stream::FuturesUnordered};
use serde::Serialize;
use tokio::sync::watch;

use progress::Progress;
use run::Run;

use crate::{Action, Failure, Id, Item, Kind, Phase, Plan, Resource, Step, Survey};

/// Maximum number of steps that run at once.
const AT_ONCE: usize = 16;

/// The time limits of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// The first wait before a retry; each further one is twice as long.
    pub poll: Duration,
    /// Deadline of a step's retries, counted from its start.
    pub deadline: Duration,
    /// Deadline of one attempt: a call that is never answered ends the step.
    pub attempt: Duration,
}

/// The action that a step carries out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Creates the resource, which does not exist.
    Create,
    /// Changes some fields of the resource in place.
    Change,
    /// Deletes the resource and creates it anew.
    Replace,
    /// Deletes the resource, which is not declared.
    Delete,
    /// Gives the resource what is desired, and takes nothing from it yet: the first part of a change.
    Widen,
    /// Reads the resource again before something is deleted or taken away.
    Verify,
}

/// The result of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The step was done.
    Done,
    /// AWS refused the call, or did not answer.
    Failed {
        /// Failure of the last attempt.
        failure: Failure,
    },
    /// The step was not started.
    Skipped {
        /// The reason, such as the dependency that failed.
        because: String,
    },
}

/// The events of applying a plan.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<'plan, K: Kind> {
    /// A step is started.
    Started {
        /// Resource that the step acts on.
        id: &'plan Id<K>,
        /// Action that the step carries out.
        verb: Verb,
    },
    /// A step failed and waits for its next retry.
    Waiting {
        /// Resource that the step acts on.
        id: &'plan Id<K>,
        /// Failure of the last attempt.
        failure: Failure,
    },
    /// A step has ended, in whatever way.
    Ended {
        /// Resource that the step acts on.
        id: &'plan Id<K>,
        /// Action that the step carries out.
        verb: Verb,
        /// Outcome of the step.
        outcome: Outcome,
        /// Duration of the step, waits included.
        took: Duration,
    },
}

/// A receiver of events.
pub trait Observer<K: Kind>: Sync {
    /// Receives an event while the plan is applied.
    fn event(&self, event: Event<'_, K>);
}

/// The result of every item that has steps, in the plan's order.
pub type Results<K> = Vec<(Id<K>, Verb, Outcome)>;

/// Applies a plan. When `stop` becomes true, running steps are finished and none is started.
pub async fn apply<K: Kind>(
    (session, patience): (&K::Session, Patience),
    plan: &Plan<K>,
    (declared, survey): (&[Resource<K>], &Survey<K>),
    observer: &dyn Observer<K>,
    stop: &watch::Receiver<bool>,
) -> Results<K> {
    let declared = declared.iter().map(|resource| ((resource.id.kind, &resource.address), resource)).collect();
    let run = Run { session, patience, declared, survey, observer, stop };
    let mut progress = Progress::new(plan);
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < AT_ONCE
            && let Some((index, step, item)) = progress.next()
        {
            let settled = settled_without_step(item).or_else(|| {
                let because = progress.failed_dependency(step);
                let because = because.or_else(|| stop.borrow().then(|| "interrupted".to_owned()))?;
                Some(Outcome::Skipped { because })
            });
            if let Some(outcome) = settled {
                if let Some(verb) = verb_of_step(step, item) {
                    observer.event(Event::Ended { id: &item.id, verb, outcome: outcome.clone(), took: Duration::ZERO });
                }
                progress.end(index, &outcome);
            } else if let Some(verb) = verb_of_step(step, item) {
                let depends_on_new = progress.depends_on_new(step, survey);
                let target = run.target(item, step.phase, progress.is_widened(step.item));
                let run = &run;
                running.push(async move { (index, run.step(item, verb, target, depends_on_new).await) });
            }
        }
        // Each step waits for earlier ones only: if none is running, all have ended.
        let Some((index, outcome)) = running.next().await else { break };
        progress.end(index, &outcome);
    }
    progress.results()
}

/// Returns the result of an item that needs no step.
fn settled_without_step<K: Kind>(item: &Item<K>) -> Option<Outcome> {
    match &item.action {
        Action::Unchanged | Action::Keep { .. } => Some(Outcome::Done),
        Action::Unreadable { failure } => Some(Outcome::Failed { failure: failure.clone() }),
        Action::Foreign { owner } => Some(Outcome::Skipped { because: owner.clone() }),
        Action::Create | Action::Change { .. } | Action::Replace { .. } | Action::Delete => None,
    }
}

fn verb(action: &Action) -> Option<Verb> {
    match action {
        Action::Create => Some(Verb::Create),
        Action::Change { .. } => Some(Verb::Change),
        Action::Replace { .. } => Some(Verb::Replace),
        Action::Delete => Some(Verb::Delete),
        _ => None,
    }
}

/// Returns the action of a step; `None` if there is nothing to do.
fn verb_of_step<K: Kind>(step: &Step, item: &Item<K>) -> Option<Verb> {
    match step.phase {
        Phase::Widen => Some(Verb::Widen),
        Phase::Verify => Some(Verb::Verify),
        Phase::Settled | Phase::Write | Phase::Delete | Phase::Narrow => verb(&item.action),
    }
}
