//! Processes mails again: stored ones, and those whose events are in a failure queue. So are notifications of topics. Dead letters of a
//! queue that a function consumes go back into it.
//!
//! A stored mail goes to the functions whose receipt rules store there and then invoke them, with the event that SES had made; an
//! event in a failure queue goes to the function that failed. Both are invoked asynchronously as SES does, so that Lambda retries
//! and, in the end, puts them into the failure queue: a replay never loses a mail.

mod ending;
pub(crate) mod held;
mod meaning;
mod notification;
pub(crate) mod queue;
mod queues;
mod record;
pub(crate) mod stored;
mod trace;

use jiff::Timestamp;
use serde::Serialize;

use crate::ops::invocation;
use declaration::{Action, Declaration, ReceiptRule};
use engine::{Class, Failure};
use kinds::{Kind, Session};
use stack::Names;

/// Maximum calls for an event that Lambda throttles.
const ATTEMPTS: u32 = 6;

/// A receipt rule that stores mails and then invokes a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route<'declared> {
    pub(crate) rule: &'declared ReceiptRule,
    /// Name of the bucket in AWS.
    pub(crate) bucket: String,
    /// Key prefix in that bucket.
    pub(crate) prefix: &'declared str,
    /// Entry name of the function.
    pub(crate) function: &'declared str,
}

impl Route<'_> {
    /// Returns the mail's SES message id, if the route stores mails under such a key; else `None`.
    pub(crate) fn message_id<'key>(&self, key: &'key str) -> Option<&'key str> {
        key.strip_prefix(self.prefix).filter(|id| !id.is_empty() && !id.contains('/'))
    }
}

/// Returns all routes of a declaration, or those to one function. If a function is reachable by two routes, both are returned.
pub(crate) fn routes<'declared>(
    declaration: &'declared Declaration,
    names: &Names,
    only: Option<&str>,
) -> Vec<Route<'declared>> {
    let mut routes: Vec<Route<'declared>> = Vec::new();
    for rule in &declaration.receipt_rules {
        for (position, action) in rule.actions.iter().enumerate() {
            let Action::Invoke { function, .. } = action else { continue };
            if only.is_some_and(|only| only != function) {
                continue;
            }
            for before in rule.actions.iter().take(position) {
                let Action::Store { bucket, prefix, .. } = before else { continue };
                let reads = declaration.functions.get(function).map_or(&[][..], |function| &function.reads);
                let reads = reads.iter().filter(|read| read.bucket == *bucket && prefix.starts_with(&read.prefix));
                for prefix in std::iter::once(prefix).chain(reads.flat_map(|read| &read.formerly)) {
                    routes.push(Route { rule, bucket: names.name(Kind::Bucket, bucket), prefix, function });
                }
            }
        }
    }
    routes
}

/// The origin of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Origin {
    /// A mail in a bucket.
    Stored {
        /// Name of the bucket in AWS.
        bucket: String,
        key: String,
    },
    /// A message in a failure queue.
    Queued {
        /// Entry name of the queue.
        queue: String,
        message_id: String,
    },
}

impl std::fmt::Display for Origin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stored { key, .. } => formatter.write_str(key),
            Self::Queued { queue, message_id } => write!(formatter, "{queue}/{message_id}"),
        }
    }
}

/// The features by which people recognise a mail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct About {
    pub(crate) received_at: Option<Timestamp>,
    pub(crate) from: Option<String>,
    pub(crate) subject: Option<String>,
    /// The reason of the failure; `None` if it is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<String>,
}

/// One event for one function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Item {
    #[serde(flatten)]
    pub(crate) origin: Origin,
    /// Entry name of the function.
    pub(crate) function: String,
    #[serde(flatten)]
    pub(crate) about: About,
}

/// An item that cannot be replayed, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Refused {
    #[serde(flatten)]
    pub(crate) origin: Origin,
    pub(crate) reason: String,
}

/// A queue whose messages were not read, with the reason and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Unread {
    /// Entry name of the queue, or its name in AWS if it is not declared.
    pub(crate) queue: String,
    /// Approximate number of its messages; `None` if it is unknown.
    pub(crate) messages: Option<usize>,
    pub(crate) reason: String,
}

/// The input for replaying one item.
#[derive(Debug)]
pub(crate) enum Work<'declared> {
    /// A stored mail; its event is rebuilt when its turn comes.
    Stored(stored::Mail<'declared>),
    /// A message of a failure queue, which contains the event.
    Queued(held::Received),
    /// A dead letter, and the queue that it goes back to.
    Returned(held::Received, held::Return),
}

/// The items to replay, and those that cannot be.
#[derive(Debug, Default)]
pub(crate) struct Prepared<'declared> {
    pub(crate) items: Vec<(Item, Work<'declared>)>,
    pub(crate) refused: Vec<Refused>,
    /// Queues in which failed events may stand, and that were not read.
    pub(crate) unread: Vec<Unread>,
    /// Messages that were received and stay in their queue, since they are not ours.
    pub(crate) strange: Vec<held::Received>,
}

impl Prepared<'_> {
    /// Returns the received messages that are still in their queue. `gone` tells for each of the first items whether its message was
    /// deleted; those of the others were not.
    pub(crate) fn received(&self, gone: &[bool]) -> Vec<&held::Received> {
        let gone = gone.iter().copied().chain(std::iter::repeat(false));
        let left = self.items.iter().zip(gone).filter_map(|((_, work), gone)| match work {
            Work::Queued(message) | Work::Returned(message, _) if !gone => Some(message),
            _ => None,
        });
        left.chain(&self.strange).collect()
    }
}

/// The result of one item.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// The item waits for its turn.
    Planned,
    /// Lambda has accepted the event, or the queue the message.
    Replayed { request_id: Option<String> },
    /// Lambda has not accepted the event, and perhaps accepts no others either.
    Failed {
        reason: String,
        #[serde(skip)]
        is_lasting: bool,
    },
    /// Lambda has accepted the event, but its message is still in the queue, and will be found again.
    NotRemoved { reason: String },
}

/// Replays one item: Lambda accepts its event, or its queue takes it again; then its message is deleted.
pub(crate) async fn replay(session: &Session, names: &Names, function: &str, work: &Work<'_>) -> Outcome {
    let event = match work {
        Work::Returned(message, back) => {
            return match queue::send_back(session, names, message, back).await {
                Ok(()) => removed(session, message, None).await,
                Err(failure) => failed(&failure),
            };
        }
        Work::Queued(message) => message.event.clone(),
        Work::Stored(mail) => match stored::rebuild(session, names, mail).await {
            Ok((event, _)) => event,
            Err(error) => return Outcome::Failed { reason: error.to_string(), is_lasting: false },
        },
    };
    let request_id = match hand_over(session, &names.name(Kind::Function, function), &event).await {
        Ok(request_id) => request_id,
        Err(failure) => return failed(&failure),
    };
    match work {
        Work::Queued(message) | Work::Returned(message, _) => removed(session, message, request_id).await,
        Work::Stored(_) => Outcome::Replayed { request_id },
    }
}

fn failed(failure: &Failure) -> Outcome {
    let is_lasting = matches!(failure.class, Class::Denied | Class::NotFound | Class::Unreachable);
    Outcome::Failed { reason: failure.to_string(), is_lasting }
}

/// Deletes the message of an item that is where it should be.
async fn removed(session: &Session, message: &held::Received, request_id: Option<String>) -> Outcome {
    match queue::delete(session, message).await {
        Ok(()) => Outcome::Replayed { request_id },
        Err(failure) => Outcome::NotRemoved { reason: failure.to_string() },
    }
}

/// Invokes a function asynchronously. If Lambda throttles, it has surely not accepted the event, so the call is retried.
async fn hand_over(session: &Session, function: &str, event: &str) -> Result<Option<String>, Failure> {
    let mut wait = session.aws.pacing.poll;
    for _ in 1..ATTEMPTS {
        match invocation::hand_over(session, function, event.to_owned()).await {
            Err(failure) if failure.class == Class::Throttled => tokio::time::sleep(wait).await,
            taken => return taken,
        }
        wait *= 2;
    }
    invocation::hand_over(session, function, event.to_owned()).await
}
