//! Applies a plan: runs the steps in parallel, in the order of their references, and reports each to an observer.
//!
//! A step that fails takes with it only what depends on it. Retries are decided here and nowhere else: by the class of the
//! error, up to a deadline. Each retry reads the resource again, since the failed call may have done its work.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
    time::{Duration, Instant, SystemTime},
};

use futures::{StreamExt, future, stream::FuturesUnordered};
use serde::Serialize;
use serde_json::Value;
use tokio::{sync::watch, time};

use crate::{
    Action, Address, Class, Failure, Id, Item, Kind, Live, Owner, Phase, Plan, Read, Resource, Step, Survey, consent,
    difference::{Reasons, differences},
};

/// Maximum number of steps that run at once.
const AT_ONCE: usize = 16;
/// Time after which a change must be visible to other AWS services.
const UNTIL_SEEN: Duration = Duration::from_mins(1);
/// Time that "not yet" is believed where AWS does not tell when what it means was changed: an earlier run may just have been
/// interrupted.
const UNTIL_BELIEVED: Duration = Duration::from_secs(10);
/// Age up to which a resource counts as new, with room for clocks that differ.
const NEW: Duration = Duration::from_mins(5);
/// Time that a service is given to recover from a fault.
const UNTIL_RECOVERED: Duration = Duration::from_secs(15);

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

/// The state that all steps share.
struct Run<'run, K: Kind> {
    session: &'run K::Session,
    patience: Patience,
    declared: BTreeMap<(K, &'run Address), &'run Resource<K>>,
    survey: &'run Survey<K>,
    observer: &'run dyn Observer<K>,
    stop: &'run watch::Receiver<bool>,
}

/// The outcomes so far, and the steps that may be started.
struct Progress<'plan, K: Kind> {
    plan: &'plan Plan<K>,
    outcomes: Vec<Option<Outcome>>,
    /// Number of steps that each step still waits for.
    waits: Vec<usize>,
    /// Steps that wait for each step.
    waiting: Vec<Vec<usize>>,
    ready: BTreeSet<usize>,
}

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

impl<'plan, K: Kind> Progress<'plan, K> {
    fn new(plan: &'plan Plan<K>) -> Self {
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
    fn next(&mut self) -> Option<(usize, &'plan Step, &'plan Item<K>)> {
        let index = self.ready.pop_first()?;
        let step = self.plan.steps().get(index)?;
        Some((index, step, self.plan.items().get(step.item)?))
    }

    /// Notes the outcome of a step.
    fn end(&mut self, index: usize, outcome: &Outcome) {
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
    fn failed_dependency(&self, step: &Step) -> Option<String> {
        let is_done = |other: &usize| matches!(self.outcomes.get(*other), Some(Some(Outcome::Done)));
        let failed = step.waits.iter().find(|other| !is_done(other))?;
        let item = self.plan.items().get(self.plan.steps().get(*failed)?.item)?;
        Some(format!("{} did not succeed", item.id))
    }

    /// Returns `true` if something that a step depends on is new: this run wrote it, or AWS tells that it was created a moment ago.
    fn depends_on_new(&self, step: &Step, survey: &Survey<K>) -> bool {
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
    fn is_widened(&self, item: usize) -> bool {
        self.plan.steps().iter().any(|step| step.item == item && step.phase == Phase::Widen)
    }

    /// Returns the result of each item: the first outcome among its steps that is not good.
    fn results(self) -> Results<K> {
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

/// The state to which a step brings a resource.
#[derive(Debug)]
enum Target<'run, S> {
    /// The resource has these settings.
    Settings(&'run S),
    /// The resource is seen to have these settings; nothing is changed.
    Seen(&'run S),
    /// The resource does not exist.
    Absent,
}

impl<K: Kind> Run<'_, K> {
    /// Returns the state to which a step brings an item.
    fn target<'item>(&'item self, item: &'item Item<K>, phase: Phase, is_widened: bool) -> Target<'item, K::Settings> {
        let declared = self.declared.get(&(item.id.kind, &item.address)).map(|resource| &resource.settings);
        let widened = item.widened.as_ref().filter(|_| is_widened && phase != Phase::Narrow);
        match (phase, widened.or(declared)) {
            (Phase::Delete, _) | (_, None) => Target::Absent,
            (Phase::Verify, Some(settings)) => Target::Seen(settings),
            (_, Some(settings)) => Target::Settings(settings),
        }
    }

    /// Runs a step, and retries it while the class of its error allows.
    async fn step(&self, item: &Item<K>, verb: Verb, target: Target<'_, K::Settings>, depends_on_new: bool) -> Outcome {
        let start = Instant::now();
        self.observer.event(Event::Started { id: &item.id, verb });
        let mut wait = self.patience.poll;
        let known = self.survey.read.get(&(item.id.kind, item.address.clone())).cloned();
        // What was surveyed before the first part of a change is no longer so.
        let is_first = verb == Verb::Widen || item.widened.is_none();
        let known = known.filter(|_| is_first);
        // The survey saw it, but replacing its parent deleted it: treat it as absent.
        let mut known = known.filter(|read| verb != Verb::Create || *read == Read::Absent);
        let outcome = loop {
            let attempt = time::timeout(self.patience.attempt, self.attempt(item, &target, known.take()));
            let result = attempt.await.unwrap_or_else(|_| Err(self.endless(item)));
            let Err(failure) = result else { break Outcome::Done };
            let Some(limit) = limit(failure.class, depends_on_new) else { break Outcome::Failed { failure } };
            if start.elapsed() + wait > limit.min(self.patience.deadline) {
                break Outcome::Failed { failure };
            }
            // `Exists` needs no wait: the next attempt reads the resource at once.
            if failure.class != Class::Exists {
                self.observer.event(Event::Waiting { id: &item.id, failure: failure.clone() });
                if self.is_stopped_within(wait).await {
                    break Outcome::Failed { failure };
                }
                wait = (wait * 2).min(Duration::from_secs(10));
            }
        };
        let event = Event::Ended { id: &item.id, verb, outcome: outcome.clone(), took: start.elapsed() };
        self.observer.event(event);
        outcome
    }

    /// Waits before a retry; returns `true` if the run was stopped meanwhile.
    async fn is_stopped_within(&self, wait: Duration) -> bool {
        let mut stop = self.stop.clone();
        let stopped = pin!(stop.wait_for(|stop| *stop));
        matches!(future::select(stopped, pin!(time::sleep(wait))).await, future::Either::Left((Ok(_), _)))
    }

    /// Returns the failure of an attempt that reached its deadline.
    fn endless(&self, item: &Item<K>) -> Failure {
        let words = format!("no end after {} s", self.patience.attempt.as_secs());
        Failure::found(&item.id.to_string(), Class::Unreachable, words)
    }

    /// Makes one attempt. `known` is the state that the survey found; a retry passes `None` and reads again.
    async fn attempt(
        &self,
        item: &Item<K>,
        target: &Target<'_, K::Settings>,
        known: Option<Read<K>>,
    ) -> Result<(), Failure> {
        let (session, kind, address) = (self.session, item.id.kind, &item.address);
        let settings = match target {
            Target::Absent => return kind.delete(session, address).await,
            Target::Seen(settings) => return self.verify(item, settings).await,
            Target::Settings(settings) => *settings,
        };
        let live = match known {
            Some(Read::Present(live)) => Some(live),
            Some(Read::Absent) => None,
            Some(Read::Unreadable(failure)) => return Err(failure),
            None => kind.read(session, address).await?,
        };
        match live {
            None => K::create(settings, session, address).await,
            Some(Live { owner: Owner::Other(owner), .. }) => {
                Err(Failure::found(&format!("{}", item.id), Class::Other, format!("not touched: {owner}")))
            }
            Some(live) if live.settings == *settings => Ok(()),
            Some(live) if is_replaced(kind, &live.settings, settings) => {
                if !matches!(item.action, Action::Replace { .. }) && is_kept(&item.id, &K::tree(&live.settings)) {
                    let words = "it would have to be replaced, and was not planned to be: run it again";
                    return Err(Failure::found(&item.id.to_string(), Class::Other, words));
                }
                kind.delete(session, address).await?;
                K::create(settings, session, address).await
            }
            Some(live) => K::update(settings, session, address, &live.settings).await,
        }
    }

    /// Fails, for another attempt, unless a new read sees what was written.
    async fn verify(&self, item: &Item<K>, settings: &K::Settings) -> Result<(), Failure> {
        match item.id.kind.read(self.session, &item.address).await? {
            Some(live) if live.settings == *settings => Ok(()),
            _ => {
                K::forget(self.session).await;
                let words = "it is not seen as it was written; what it replaces stays";
                Err(Failure::found(&item.id.to_string(), Class::NotYet, words))
            }
        }
    }
}

/// Returns `true` if nothing may delete a resource that nobody has agreed to lose.
fn is_kept<K: Kind>(id: &Id<K>, live: &Value) -> bool {
    !consent::of_replacement(id, live).is_empty()
}

/// Returns `true` if the live resource must be deleted before the declared one can be created.
fn is_replaced<K: Kind>(kind: K, live: &K::Settings, declared: &K::Settings) -> bool {
    let differences = differences(&K::tree(live), &K::tree(declared));
    Reasons::among(kind, &differences).is_some()
}

/// Returns how long a step is retried after an error of a class; `None` if it is not retried.
///
/// After a fault of the service a call may or may not have taken effect. It is repeated all the same, whatever the kind: an attempt
/// first reads the resource at its address, and then creates, changes or deletes what is still to be done.
fn limit(class: Class, depends_on_new: bool) -> Option<Duration> {
    match class {
        Class::Throttled | Class::InProgress | Class::Exists => Some(Duration::MAX),
        Class::NotYet if depends_on_new => Some(UNTIL_SEEN),
        Class::NotYet => Some(UNTIL_BELIEVED),
        Class::Unreachable => Some(UNTIL_RECOVERED),
        Class::NotFound | Class::NoCredentials | Class::Denied | Class::Invalid | Class::Other => None,
    }
}

/// Returns `true` if something was created a moment ago, or later than this machine believes it is.
fn is_new(created: SystemTime, now: SystemTime) -> bool {
    now.duration_since(created).is_ok_and(|age| age < NEW) || created > now
}
