//! Reads a message of a failure queue: Lambda's record of a failed event, the dead letter of a queue that a function consumes, or a
//! notification that Lambda did not take.

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as SystemName};

use super::{
    About, Item, Origin, Prepared, Refused, Work,
    held::{Return, hold},
    notification::{self, Undelivered},
    queues::Place,
    record::{self, FailedEvent, Invocation},
};
use contract::job::Job;
use stack::Names;

/// The meaning of a message to a run.
#[derive(Debug)]
enum Meaning {
    /// An event for a function.
    Event(FailedEvent),
    /// A dead letter of a queue that the function consumes.
    DeadLetter(String, Return),
    /// It is of a function that the run is not about.
    OfOthers,
    /// It is nothing that can be replayed, with the reason.
    Strange(String),
}

/// Reads a message: as Lambda's record of a failed event, as the dead letter of a queue, or as a notification that Lambda did not take.
fn read(names: &Names, only: Option<&str>, place: &Place, message: &Message) -> Meaning {
    let body = message.body.as_deref().unwrap_or_default();
    let is_asked = |function: &str| only.is_none_or(|only| only == function);
    let reason = match record::read(names, &place.functions, body) {
        Ok(failed) if is_asked(&failed.function) => return Meaning::Event(failed),
        Ok(_) => return Meaning::OfOthers,
        Err(reason) => reason,
    };
    if let Some((function, back)) = dead_letter(names, place, message) {
        return if is_asked(&function) { Meaning::DeadLetter(function, back) } else { Meaning::OfOthers };
    }
    let Some(Undelivered { topic, event, about }) = notification::read(body) else { return Meaning::Strange(reason) };
    let subscribed = place.subscribed(names, &topic);
    let function = match (subscribed.as_slice(), only) {
        ([], _) => {
            return Meaning::Strange(format!("it is of `{topic}`, and no declared subscription of it redrives here"));
        }
        (all, Some(only)) if all.contains(&only) => only,
        (_, Some(_)) => return Meaning::OfOthers,
        ([one], None) => one,
        (several, None) => {
            let several = several.join("`, `");
            let reason =
                format!("it does not say whether it is for `{several}`: `--function` sends those of this queue to one");
            return Meaning::Strange(reason);
        }
    };
    let about = About { failure: not_taken(message), ..about };
    Meaning::Event(FailedEvent { function: function.to_owned(), event, about, unexplained: None })
}

/// Reads a message as the dead letter of a queue that a function consumes; `None` if it is none.
fn dead_letter(names: &Names, place: &Place, message: &Message) -> Option<(String, Return)> {
    let told = message.attributes.as_ref().and_then(|all| all.get(&SystemName::DeadLetterQueueSourceArn));
    let source = place.source_of(names, told.map(String::as_str))?;
    let back = Return { queue: source.queue.clone(), attributes: message.message_attributes.clone() };
    Some((source.function.clone(), back))
}

/// Returns why Lambda did not take a notification, as SNS says in the attributes of the message.
fn not_taken(message: &Message) -> Option<String> {
    let text = |name: &str| message.message_attributes.as_ref()?.get(name)?.string_value.clone();
    match (text("ErrorCode"), text("ErrorMessage")) {
        (Some(code), Some(words)) => Some(format!("{code}: {words}")),
        (one, other) => one.or(other),
    }
}

/// Puts a message where it belongs; returns the invocation to look up, and the item that it is of.
pub(super) fn sort(
    names: &Names,
    only: Option<&str>,
    place: &Place,
    message: Message,
    prepared: &mut Prepared<'_>,
) -> Option<(usize, Invocation)> {
    let mut received = hold(place, &message);
    let meaning = read(names, only, place, &message);
    let (id, body) = (message.message_id.unwrap_or_default(), message.body.unwrap_or_default());
    let origin = Origin::Queued { queue: place.entry.clone(), message_id: id };
    match meaning {
        Meaning::Event(FailedEvent { function, event, about, unexplained }) => {
            received.event = event;
            prepared.items.push((Item { origin, function, about }, Work::Queued(received)));
            return unexplained.map(|invocation| (prepared.items.len() - 1, invocation));
        }
        Meaning::DeadLetter(function, back) => {
            let subject = serde_json::from_str(&body).ok().map(|job: Job| job.id.to_string());
            let about = About { subject, ..About::default() };
            received.event = body;
            prepared.items.push((Item { origin, function, about }, Work::Returned(received, back)));
        }
        Meaning::OfOthers => prepared.strange.push(received),
        Meaning::Strange(reason) => {
            prepared.refused.push(Refused { origin, reason });
            prepared.strange.push(received);
        }
    }
    None
}
