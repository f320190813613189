//! The queues in which a failed event can stand: the failure queues of functions, and those to which their redrives move an event that
//! was received too often. Of a queue that a function consumes, the ones to which it redrives its messages; of a topic, the ones to which
//! its subscriptions move what Lambda did not take.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use aws_sdk_sqs::types::QueueAttributeName as Name;
use serde::Deserialize;
use serde_json::Value;

use super::Unread;
use aws::OrFail;
use declaration::{Declaration, Function, Subscription};
use engine::Failure;
use kinds::{Kind, Session};
use stack::Names;

/// A queue in which failed events can stand.
#[derive(Debug)]
pub(super) struct Place {
    /// Entry name of the queue.
    pub(super) entry: String,
    /// Entry names of the functions whose failed events can stand there.
    pub(super) functions: BTreeSet<String>,
    /// Queues whose dead letters can stand there, with the functions that consume them.
    pub(super) sources: Vec<Source>,
    /// Subscriptions whose undelivered notifications can stand there.
    pub(super) subscribers: Vec<Subscriber>,
    /// The queue in AWS.
    pub(super) live: Live,
}

/// The subscription of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subscriber {
    /// Entry name of the topic.
    pub(super) topic: String,
    /// Entry name of the function.
    pub(super) function: String,
}

/// A queue that a function consumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    /// Entry name of the queue.
    pub(super) queue: String,
    /// Entry name of the function.
    pub(super) function: String,
}

impl Place {
    /// Returns the queue whose dead letter a message is; `None` if it is none, or nobody knows of which. SQS tells where it came from; it
    /// does not tell it of one that somebody has put there.
    pub(super) fn source_of(&self, names: &Names, told: Option<&str>) -> Option<&Source> {
        match (told, self.sources.as_slice()) {
            (Some(arn), sources) => sources.iter().find(|source| names.arn(Kind::Queue, &source.queue) == arn),
            (None, [only]) if self.functions.is_empty() && self.subscribers.is_empty() => Some(only),
            (None, _) => None,
        }
    }

    /// Returns the functions of this place that are subscribed to a topic.
    pub(super) fn subscribed(&self, names: &Names, topic: &str) -> Vec<&str> {
        let of_topic = |one: &&Subscriber| names.arn(Kind::Topic, &one.topic) == topic;
        self.subscribers.iter().filter(of_topic).map(|one| one.function.as_str()).collect()
    }
}

/// Returns the subscriptions of functions with the queues to which they move what Lambda does not take.
fn redrives(declaration: &Declaration) -> impl Iterator<Item = (Subscriber, &str)> {
    declaration.topics.iter().flat_map(|(topic, declared)| {
        declared.subscriptions.iter().filter_map(move |subscription| match subscription {
            Subscription::Function { function, redrive: Some(queue) } => {
                Some((Subscriber { topic: topic.clone(), function: function.clone() }, queue.as_str()))
            }
            _ => None,
        })
    })
}

/// A queue as it is in AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Live {
    pub(super) url: String,
    /// Approximate number of messages that can be received.
    pub(super) waiting: usize,
    /// Where a message goes that was received too often; `None` if it stays for as long as the queue keeps it.
    pub(super) redrive: Option<Redrive>,
}

/// The queue to which a message moves that was received too often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Redrive {
    /// Entry name of the queue to which it moves, or its name in AWS if it is not declared.
    pub(super) queue: Result<String, String>,
    /// Number of receipts after which it moves.
    pub(super) after: u64,
}

/// Finds the queues in which failed events of one function, or of all, can stand. A queue comes before the one that it redrives to: what
/// moves while the first is read is found in the second. A redrive to a queue that is not declared is told.
pub(super) async fn find(
    session: &Session,
    declaration: &Declaration,
    names: &Names,
    only: Option<&str>,
) -> Result<(Vec<Place>, Vec<Unread>), Failure> {
    let mut seen: BTreeMap<String, Option<Live>> = BTreeMap::new();
    let mut unread = Vec::new();
    let mut pending = first(declaration, only);
    while let Some(entry) = pending.pop() {
        if seen.contains_key(entry) {
            continue;
        }
        let live = look(session, names, declaration, entry).await?;
        match live.as_ref().and_then(|live| live.redrive.as_ref()) {
            Some(Redrive { queue: Ok(next), .. }) => {
                pending.extend(declaration.queues.get_key_value(next).map(|(known, _)| known.as_str()));
            }
            Some(Redrive { queue: Err(name), after }) => unread.extend(elsewhere(session, entry, name, *after).await),
            None => {}
        }
        pending.extend(declared_next(declaration, entry));
        seen.insert(entry.to_owned(), live);
    }
    let there = seen.iter().filter_map(|(entry, live)| Some((entry.as_str(), live.as_ref()?)));
    let mut places: Vec<Place> = there.map(|(entry, live)| place(declaration, &seen, entry, live)).collect();
    let further = |place: &Place| reached(declaration, &seen, &place.entry).len();
    places.sort_by_cached_key(|place| (Reverse(further(place)), place.entry.clone()));
    Ok((places, unread))
}

/// Returns the queues that failed events of one function, or of all, come to first.
fn first<'declared>(declaration: &'declared Declaration, only: Option<&str>) -> Vec<&'declared str> {
    let is_asked = |function: &str| only.is_none_or(|only| only == function);
    let asked = declaration.functions.iter().filter(|(entry, _)| is_asked(entry));
    let own = asked.flat_map(|(_, function)| [function.on_failure.as_deref(), dead_letters(declaration, function)]);
    let of_topics = redrives(declaration).filter(|(subscriber, _)| is_asked(&subscriber.function));
    own.flatten().chain(of_topics.map(|(_, queue)| queue)).collect()
}

/// Returns a queue with everything whose failed events can stand in it.
fn place(declaration: &Declaration, seen: &BTreeMap<String, Option<Live>>, entry: &str, live: &Live) -> Place {
    let comes_here = |from: &str| reached(declaration, seen, from).contains(entry);
    let functions =
        declaration.functions.iter().filter(|(_, function)| function.on_failure.as_deref().is_some_and(comes_here));
    let consumers = declaration.functions.iter().filter_map(|(function, declared)| {
        let queue = declared.consumes.as_ref()?.queue.clone();
        comes_here(dead_letters(declaration, declared)?).then(|| Source { queue, function: function.clone() })
    });
    let subscribers = redrives(declaration).filter(|(_, queue)| comes_here(queue));
    Place {
        entry: entry.to_owned(),
        functions: functions.map(|(function, _)| function.clone()).collect(),
        sources: consumers.collect(),
        subscribers: subscribers.map(|(subscriber, _)| subscriber).collect(),
        live: live.clone(),
    }
}

/// Returns the queue to which the messages move that a function has failed on; `None` if it consumes none, or they stay.
fn dead_letters<'declared>(declaration: &'declared Declaration, function: &Function) -> Option<&'declared str> {
    declared_next(declaration, &function.consumes.as_ref()?.queue)
}

/// Returns the queue that a declared one redrives to by its declaration.
fn declared_next<'declared>(declaration: &'declared Declaration, entry: &str) -> Option<&'declared str> {
    Some(declaration.queues.get(entry)?.redrive.as_ref()?.queue.as_str())
}

/// Returns a queue and all that its messages can move to, by the declaration and in AWS.
fn reached<'all>(
    declaration: &'all Declaration,
    seen: &'all BTreeMap<String, Option<Live>>,
    from: &'all str,
) -> BTreeSet<&'all str> {
    let mut reached = BTreeSet::new();
    let mut pending = vec![from];
    while let Some(entry) = pending.pop() {
        if reached.insert(entry) {
            let live = seen.get(entry).and_then(|live| live.as_ref()?.redrive.as_ref());
            pending.extend(live.and_then(|redrive| redrive.queue.as_deref().ok()));
            pending.extend(declared_next(declaration, entry));
        }
    }
    reached
}

/// Looks at a declared queue; `None` if it does not exist.
async fn look(
    session: &Session,
    names: &Names,
    declaration: &Declaration,
    entry: &str,
) -> Result<Option<Live>, Failure> {
    let entry_of = |name: &str| {
        let known = declaration.queues.keys().find(|entry| names.name(Kind::Queue, entry) == name);
        known.cloned().ok_or_else(|| name.to_owned())
    };
    let Some((url, attributes)) = attributes(session, &names.name(Kind::Queue, entry)).await? else { return Ok(None) };
    let redrive = attributes.get(&Name::RedrivePolicy).and_then(|text| RedrivePolicy::deserialize_from(text));
    let redrive = redrive.map(|RedrivePolicy { target, after }| {
        let name = target.rsplit(':').next().unwrap_or(&target).to_owned();
        Redrive { queue: entry_of(&name), after }
    });
    Ok(Some(Live { url, waiting: waiting(&attributes), redrive }))
}

type Attributes = std::collections::HashMap<Name, String>;

async fn attributes(session: &Session, name: &str) -> Result<Option<(String, Attributes)>, Failure> {
    let sqs = &session.aws.read.sqs;
    let answer = sqs.get_queue_url().queue_name(name).send().await.or_absent("sqs.GetQueueUrl")?;
    let Some(url) = answer.and_then(|answer| answer.queue_url) else { return Ok(None) };
    let asked = vec![Name::ApproximateNumberOfMessages, Name::RedrivePolicy];
    let call = sqs.get_queue_attributes().queue_url(&url).set_attribute_names(Some(asked));
    let answer = call.send().await.or_absent("sqs.GetQueueAttributes")?;
    Ok(answer.map(|answer| (url, answer.attributes.unwrap_or_default())))
}

fn waiting(attributes: &Attributes) -> usize {
    attributes.get(&Name::ApproximateNumberOfMessages).and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// Returns what waits in a queue that somebody else may read from; `None` if that is known to be nothing.
async fn elsewhere(session: &Session, from: &str, name: &str, after: u64) -> Option<Unread> {
    let messages = match attributes(session, name).await {
        Ok(None) => return None,
        Ok(Some((_, attributes))) => Some(waiting(&attributes)),
        // Whoever may not look there is told all the same.
        Err(_) => None,
    };
    let reason = format!(
        "events that were received {} move there from `{from}`, and the queue is not declared: declare it below `queues`, or move them back \
         with `aws sqs start-message-move-task` and take the redrive off",
        times(after)
    );
    (messages != Some(0)).then(|| Unread { queue: name.to_owned(), messages, reason })
}

/// Returns the reason why a look would take something away, and what to do; `None` if nobody loses anything by it.
pub(super) fn reason_not_to_look(redrive: Option<&Redrive>) -> Option<String> {
    let Redrive { queue, after } = redrive?;
    let (Ok(queue) | Err(queue)) = queue;
    Some(format!(
        "SQS counts every look, and its redrive moves what was received {} to `{queue}`: without `--dry-run`, \
         `provision replay --failed` shows them and asks before it replays them",
        times(*after)
    ))
}

fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

/// A redrive policy, as SQS has it: its number is a number or a string.
struct RedrivePolicy {
    target: String,
    after: u64,
}

impl RedrivePolicy {
    fn deserialize_from(text: &str) -> Option<Self> {
        let policy = BTreeMap::<String, Value>::deserialize(&mut serde_json::Deserializer::from_str(text)).ok()?;
        let target = policy.get("deadLetterTargetArn")?.as_str()?.to_owned();
        let after = policy.get("maxReceiveCount")?;
        // A number that cannot be read is one that may be small.
        let after = after.as_u64().or_else(|| after.as_str()?.parse().ok()).unwrap_or(1);
        Some(Self { target, after })
    }
}
