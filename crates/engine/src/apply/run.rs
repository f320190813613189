//! One step of a plan: its attempts, and how long it is retried.

use std::{
    collections::BTreeMap,
    pin::pin,
    time::{Duration, Instant},
};

use futures::future;
use serde_json::Value;
use tokio::{sync::watch, time};

use super::{Event, Observer, Outcome, Patience, Verb};
use crate::{
    Action, Address, Class, Failure, Holds, Id, Item, Kind, Live, Owner, Phase, Read, Resource, Slow, Survey, consent,
    difference::{Reasons, differences},
};

/// Time after which a change must be visible to other AWS services.
const UNTIL_SEEN: Duration = Duration::from_mins(1);
/// Time that "not yet" is believed where AWS does not tell when what it means was changed: an earlier run may just have been
/// interrupted.
const UNTIL_BELIEVED: Duration = Duration::from_secs(10);
/// Time that a service is given to recover from a fault.
const UNTIL_RECOVERED: Duration = Duration::from_secs(15);

/// The state that all steps share.
pub(super) struct Run<'run, K: Kind> {
    pub(super) session: &'run K::Session,
    pub(super) patience: Patience,
    pub(super) declared: BTreeMap<(K, &'run Address), &'run Resource<K>>,
    pub(super) survey: &'run Survey<K>,
    pub(super) observer: &'run dyn Observer<K>,
    pub(super) stop: &'run watch::Receiver<bool>,
}

/// The state to which a step brings a resource.
#[derive(Debug)]
pub(super) enum Target<'run, S> {
    /// The resource has these settings.
    Settings(&'run S),
    /// The resource is seen to have these settings; nothing is changed.
    Seen(&'run S),
    /// The resource does not exist.
    Absent,
}

impl<K: Kind> Run<'_, K> {
    /// Returns the state to which a step brings an item.
    pub(super) fn target<'item>(
        &'item self,
        item: &'item Item<K>,
        phase: Phase,
        is_widened: bool,
    ) -> Target<'item, K::Settings> {
        let declared = self.declared.get(&(item.id.kind, &item.address)).map(|resource| &resource.settings);
        let interim = item.interim.as_ref().filter(|_| is_widened && phase != Phase::Narrow);
        match (phase, interim.or(declared)) {
            (Phase::Delete, _) | (_, None) => Target::Absent,
            (Phase::Verify, Some(settings)) => Target::Seen(settings),
            (_, Some(settings)) => Target::Settings(settings),
        }
    }

    /// Runs a step, and retries it while the class of its error allows.
    pub(super) async fn step(
        &self,
        item: &Item<K>,
        verb: Verb,
        target: Target<'_, K::Settings>,
        depends_on_new: bool,
    ) -> Outcome {
        let start = Instant::now();
        self.observer.event(Event::Started { id: &item.id, verb });
        let mut wait = self.patience.poll;
        let mut before = None;
        let known = self.survey.read.get(&(item.id.kind, item.address.clone())).cloned();
        // What was surveyed before the first part of a change is no longer so.
        let is_first = verb == Verb::Widen || item.interim.is_none();
        let known = known.filter(|_| is_first && !item.follows);
        let slow = Self::slowness(item, &target, known.as_ref());
        // The survey saw it, but replacing its parent deleted it: treat it as absent.
        let mut known = known.filter(|read| verb != Verb::Create || *read == Read::Absent);
        let outcome = loop {
            let most = self.patience.attempt.max(slow);
            let attempt = time::timeout(most, self.attempt(item, &target, known.take()));
            let result = attempt.await.unwrap_or_else(|_| Err(endless(item, most)));
            let Err(failure) = result else { break Outcome::Done };
            let Some(limit) = limit(failure.class, depends_on_new) else { break Outcome::Failed { failure } };
            if start.elapsed() + wait > limit.min(self.patience.deadline.max(slow)) {
                break Outcome::Failed { failure: failure.given_up_after(start.elapsed()) };
            }
            let is_waited_for = waits(failure.class, before.replace(failure.class));
            if is_waited_for {
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

    /// Returns how long a step may take at least, where AWS takes minutes for it.
    fn slowness(item: &Item<K>, target: &Target<'_, K::Settings>, known: Option<&Read<K>>) -> Duration {
        let live = match known {
            Some(Read::Present(live)) => Some(&live.settings),
            _ => None,
        };
        let slow = match target {
            Target::Settings(settings) => item.slow_to_write(live, settings),
            Target::Absent => item.id.kind.ends_in(),
            Target::Seen(_) => None,
        };
        Duration::from_secs(slow.map_or(0, Slow::most))
    }

    /// Waits before a retry; returns `true` if the run was stopped meanwhile.
    async fn is_stopped_within(&self, wait: Duration) -> bool {
        let mut stop = self.stop.clone();
        let stopped = pin!(stop.wait_for(|stop| *stop));
        matches!(future::select(stopped, pin!(time::sleep(wait))).await, future::Either::Left((Ok(_), _)))
    }

    /// Makes one attempt. `known` is the state that the survey found; a retry passes `None` and reads again.
    async fn attempt(
        &self,
        item: &Item<K>,
        target: &Target<'_, K::Settings>,
        known: Option<Read<K>>,
    ) -> Result<(), Failure> {
        match target {
            Target::Absent => {
                self.ensure_still_empty(item).await?;
                item.id.kind.delete(self.session, &item.address).await
            }
            Target::Seen(settings) => self.verify(item, settings).await,
            Target::Settings(settings) => {
                let live = match known {
                    Some(Read::Present(live)) => Some(live),
                    Some(Read::Absent) => None,
                    Some(Read::Unreadable(failure)) => return Err(failure),
                    None => item.id.kind.read(self.session, &item.address).await?,
                };
                self.write(item, settings, live).await
            }
        }
    }

    /// Creates, changes or replaces a resource unless it has these settings, and what protects it now.
    async fn write(
        &self,
        item: &Item<K>,
        settings: &K::Settings,
        live: Option<Live<K::Settings>>,
    ) -> Result<(), Failure> {
        let (session, kind, address) = (self.session, item.id.kind, &item.address);
        let failure = |class, words: String| Err(Failure::found(&item.id.to_string(), class, words));
        let live = match live {
            None => return K::create(settings, session, address).await,
            Some(Live { owner: Owner::Other(owner), .. }) => {
                return failure(Class::Other, format!("not touched: {owner}"));
            }
            Some(Live { settings: live, owner: Owner::Ours | Owner::Nobody }) => live,
        };
        let settings = with_protections::<K>(settings, &live);
        if live == settings {
            // Of a step's change, its end is waited for: what follows may need it.
            return match K::under_way(&live) {
                Some(what) => failure(Class::InProgress, what.to_owned()),
                None => Ok(()),
            };
        }
        if !is_replaced(kind, &live, &settings) {
            return K::update(&settings, session, address, &live).await;
        }
        if !matches!(item.action, Action::Replace { .. }) && is_kept(&item.id, &K::tree(&live)) {
            let words = "it would have to be replaced, and was not planned to be: run it again";
            return failure(Class::Other, words.to_owned());
        }
        kind.delete(session, address).await?;
        K::create(&settings, session, address).await
    }

    /// Fails if a resource that is deleted as one without data has got some since the survey.
    async fn ensure_still_empty(&self, item: &Item<K>) -> Result<(), Failure> {
        if item.loses_data() || item.id.kind.holds(&item.id.entry) == Holds::Nothing {
            return Ok(());
        }
        match item.id.kind.holds_data(self.session, &item.address).await? {
            None => Ok(()),
            Some(what) => {
                let words = format!("it holds data that came after the plan was made, and stays: {what}; run it again");
                Err(Failure::found(&item.id.to_string(), Class::Other, words))
            }
        }
    }

    /// Fails, for another attempt, unless a new read sees what was written.
    async fn verify(&self, item: &Item<K>, settings: &K::Settings) -> Result<(), Failure> {
        match item.id.kind.read(self.session, &item.address).await? {
            Some(live) if live.settings == with_protections::<K>(settings, &live.settings) => Ok(()),
            _ => {
                K::forget(self.session).await;
                let words = "it is not seen as it was written; what it replaces stays";
                Err(Failure::found(&item.id.to_string(), Class::NotYet, words))
            }
        }
    }
}

/// Returns the failure of an attempt that reached its deadline.
fn endless<K: Kind>(item: &Item<K>, most: Duration) -> Failure {
    Failure::found(&item.id.to_string(), Class::Unreachable, format!("no end after {} s", most.as_secs()))
}

/// Returns settings with what protects the live ones, as the plan has them: a service may add some of it by itself when it makes a
/// resource, such as a key of its own.
fn with_protections<K: Kind>(settings: &K::Settings, live: &K::Settings) -> K::Settings {
    let mut kept = settings.clone();
    K::keep_protections(&mut kept, live);
    kept
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

/// Returns `true` if there is a wait before the attempt after an error of a class. What exists needs none: the next attempt reads it at once.
/// If that did not see it, it is somebody else's, or is told of later.
fn waits(class: Class, before: Option<Class>) -> bool {
    class != Class::Exists || before == Some(Class::Exists)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_exists_is_read_at_once_and_then_waited_for() {
        assert!(!waits(Class::Exists, None));
        assert!(!waits(Class::Exists, Some(Class::Throttled)));
        assert!(waits(Class::Exists, Some(Class::Exists)), "a refusal that comes again would be a loop of writes");
        assert!(waits(Class::Throttled, None) && waits(Class::InProgress, Some(Class::Exists)));
    }
}
