//! Applies a plan: runs the steps in parallel, in the order of their references, and reports each to an observer.
//!
//! A step that fails takes with it only what depends on it. Retries are decided here and nowhere else: by the class of the
//! error, up to a deadline. Each retry reads the resource again, since the failed call may have done its work.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures::{StreamExt, stream::FuturesUnordered};
use serde::Serialize;
use tokio::sync::watch;

use crate::{
    Action, Class, Failure, Id, Item, Kind, Live, Owner, Plan, Read, Resource, Survey,
    difference::{Reasons, differences},
    order,
};

/// Maximum number of steps that run at once.
const AT_ONCE: usize = 16;
/// Time after which a change of this run must be visible to other AWS services.
const UNTIL_SEEN: Duration = Duration::from_mins(1);

/// The time limits of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// The first wait before a retry; each further one is twice as long.
    pub poll: Duration,
    /// Deadline of a step's retries, counted from its start.
    pub deadline: Duration,
}

/// The action that a step carries out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Creates the resource.
    Create,
    /// Changes some fields of the resource in place.
    Change,
    /// Deletes the resource and creates it anew.
    Replace,
    /// Deletes the resource.
    Delete,
}

/// The result of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The step was done.
    Done,
    /// AWS refused the call, or did not answer.
    Failed {
        /// The last error.
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
    /// A step begins.
    Started {
        /// The step's resource.
        id: &'plan Id<K>,
        /// The step's action.
        verb: Verb,
    },
    /// A step failed and waits for its next retry.
    Waiting {
        /// The step's resource.
        id: &'plan Id<K>,
        /// Failure of the last attempt.
        failure: Failure,
    },
    /// A step ended.
    Ended {
        /// The step's resource.
        id: &'plan Id<K>,
        /// The step's action.
        verb: Verb,
        /// Outcome of the step.
        outcome: Outcome,
        /// Duration, waits included.
        took: Duration,
    },
}

/// A receiver of events.
pub trait Observer<K: Kind>: Sync {
    /// Receives an event.
    fn event(&self, event: Event<'_, K>);
}

/// The result of every step, in the plan's order.
pub type Results<K> = Vec<(Id<K>, Verb, Outcome)>;

/// The state that all steps share.
struct Run<'run, K: Kind> {
    session: &'run K::Session,
    patience: Patience,
    declared: BTreeMap<&'run Id<K>, &'run Resource<K>>,
    survey: &'run Survey<K>,
    observer: &'run dyn Observer<K>,
}

/// Applies a plan. When `stop` becomes true, running steps are finished and none is started.
pub async fn apply<K: Kind>(
    (session, patience): (&K::Session, Patience),
    plan: &Plan<K>,
    (declared, survey): (&[Resource<K>], &Survey<K>),
    observer: &dyn Observer<K>,
    stop: &watch::Receiver<bool>,
) -> Results<K> {
    let declared = declared.iter().map(|resource| (&resource.id, resource)).collect();
    let run = Run { session, patience, declared, survey, observer };
    let waits = order::before(&plan.items);
    let mut ended: Vec<Option<Outcome>> = plan.items.iter().map(at_once).collect();
    let mut begun: Vec<bool> = ended.iter().map(Option::is_some).collect();
    let mut running = FuturesUnordered::new();
    loop {
        for (index, item) in plan.items.iter().enumerate() {
            let Some(verb) = verb(&item.action) else { continue };
            if begun.get(index) != Some(&false) || running.len() >= AT_ONCE {
                continue;
            }
            let before: Vec<usize> = waits.get(index).cloned().unwrap_or_default();
            let outcomes: Vec<_> = before.iter().filter_map(|other| ended.get(*other)).collect();
            if outcomes.iter().any(|outcome| outcome.is_none()) {
                continue;
            }
            begun.splice(index..=index, [true]);
            let skipped =
                unmet(&plan.items, &before, &ended).or_else(|| stop.borrow().then(|| "interrupted".to_owned()));
            if let Some(because) = skipped {
                let outcome = Outcome::Skipped { because };
                observer.event(Event::Ended { id: &item.id, verb, outcome: outcome.clone(), took: Duration::ZERO });
                ended.splice(index..=index, [Some(outcome)]);
                continue;
            }
            let wrote_before =
                before.iter().any(|other| plan.items.get(*other).is_some_and(|it| order::makes(&it.action)));
            let run = &run;
            running.push(async move { (index, run.step(item, verb, wrote_before).await) });
        }
        match running.next().await {
            Some((index, outcome)) => {
                ended.splice(index..=index, [Some(outcome)]);
            }
            // A skipped step may allow others to be examined.
            None if begun.iter().all(|begun| *begun) => break,
            None => {}
        }
    }
    let results = plan.items.iter().zip(ended);
    results.filter_map(|(item, outcome)| Some((item.id.clone(), verb(&item.action)?, outcome?))).collect()
}

/// Returns the result of an item that needs no step.
fn at_once<K: Kind>(item: &Item<K>) -> Option<Outcome> {
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

/// Returns the failed dependency that keeps a step from starting; `None` if it may start.
fn unmet<K: Kind>(items: &[Item<K>], before: &[usize], ended: &[Option<Outcome>]) -> Option<String> {
    let failed = before.iter().find(|other| !matches!(ended.get(**other), Some(Some(Outcome::Done))))?;
    items.get(*failed).map(|item| format!("{} did not succeed", item.id))
}

impl<K: Kind> Run<'_, K> {
    /// Runs a step, and retries it while the class of its error allows.
    async fn step(&self, item: &Item<K>, verb: Verb, wrote_before: bool) -> Outcome {
        let start = Instant::now();
        self.observer.event(Event::Started { id: &item.id, verb });
        let mut wait = self.patience.poll;
        let known = self.survey.read.get(&(item.id.kind, item.address.clone())).cloned();
        // The survey saw it, but replacing its parent deleted it: treat it as absent.
        let mut known = known.filter(|read| verb != Verb::Create || *read == Read::Absent);
        let outcome = loop {
            let Err(failure) = self.attempt(item, verb, known.take()).await else { break Outcome::Done };
            let Some(limit) = self.limit(failure.class, wrote_before) else { break Outcome::Failed { failure } };
            if start.elapsed() + wait > limit {
                break Outcome::Failed { failure };
            }
            // `Exists` needs no wait: the next attempt reads the resource at once.
            if failure.class != Class::Exists {
                self.observer.event(Event::Waiting { id: &item.id, failure });
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(Duration::from_secs(10));
            }
        };
        let event = Event::Ended { id: &item.id, verb, outcome: outcome.clone(), took: start.elapsed() };
        self.observer.event(event);
        outcome
    }

    /// Returns how long a step is retried after an error of a class; `None` if it is not retried.
    fn limit(&self, class: Class, wrote_before: bool) -> Option<Duration> {
        let deadline = self.patience.deadline;
        match class {
            Class::Throttled | Class::InProgress | Class::Exists => Some(deadline),
            // Unless this run wrote something, "not yet" means "never".
            Class::NotYet if wrote_before => Some(UNTIL_SEEN.min(deadline)),
            _ => None,
        }
    }

    /// Makes one attempt. `known` is the state that the survey found; a retry passes `None` and reads again.
    async fn attempt(&self, item: &Item<K>, verb: Verb, known: Option<Read<K>>) -> Result<(), Failure> {
        let (session, kind, address) = (self.session, item.id.kind, &item.address);
        let Some(resource) = self.declared.get(&item.id).filter(|_| verb != Verb::Delete) else {
            return kind.delete(session, address).await;
        };
        let live = match known {
            Some(Read::Present(live)) => Some(live),
            Some(Read::Absent) => None,
            Some(Read::Unreadable(failure)) => return Err(failure),
            None => kind.read(session, address).await?,
        };
        match live {
            None => K::create(&resource.settings, session, address).await,
            Some(Live { owner: Owner::Other(owner), .. }) => {
                Err(Failure::found(&format!("{}", item.id), Class::Other, format!("not touched: {owner}")))
            }
            Some(live) if live.settings == resource.settings => Ok(()),
            Some(live) if is_replaced(kind, &live.settings, &resource.settings) => {
                kind.delete(session, address).await?;
                K::create(&resource.settings, session, address).await
            }
            Some(live) => K::update(&resource.settings, session, address, &live.settings).await,
        }
    }
}

/// Returns `true` if the live resource must be deleted before the declared one can be created.
fn is_replaced<K: Kind>(kind: K, live: &K::Settings, declared: &K::Settings) -> bool {
    let differences = differences(&K::tree(live), &K::tree(declared));
    Reasons::among(kind, &differences).is_some()
}
