//! Failure queues: events whose every attempt failed, with Lambda's record.
//!
//! A message is received, which hides it from others for a while, and deleted only after Lambda has accepted its event; if the run ends
//! before, it becomes visible again. A message that is not a failed event of ours stays in the queue.
//!
//! SQS cannot show a message without counting a receipt. Where a redrive makes something of the count, nothing is received only to be shown.

use std::{collections::HashMap, time::Duration};

use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, Message, MessageAttributeValue, MessageSystemAttributeName as SystemName,
};
use futures::{StreamExt, stream};

use super::{
    About, Item, Origin, Prepared, Refused, Unread, Work, ending,
    queues::{self, Place, reason_not_to_look},
    record::{self, FailedEvent, Invocation},
};
use aws::OrFail;
use contract::job::Job;
use declaration::Declaration;
use engine::Failure;
use kinds::{Kind, Session};
use stack::Names;

/// Maximum number of messages per call of SQS.
const BATCH: usize = 10;
/// Maximum number of messages in one run; a message has up to 1 MB. The rest is for the next run.
const MOST: usize = 1_000;
/// Long-polling time, in seconds: with it SQS queries all its servers.
const PATIENCE: i32 = 1;
/// Time for a person's decision, during which messages stay hidden, besides the run's own time; SQS allows 12 h.
const THOUGHT: Duration = Duration::from_mins(15);
const LONGEST: Duration = Duration::from_hours(12);
/// Maximum number of failures that are looked up in logs: CloudWatch answers some five searches a second.
const MOST_EXPLAINED: usize = 50;
/// Maximum number of searches at once.
const LOOKS_AT_ONCE: usize = 4;

/// A message that SQS has handed out and hides from others.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    url: String,
    receipt: String,
    /// Event in the message, as JSON; empty if it is not ours.
    pub(crate) event: String,
}

/// The queue that a dead letter goes back to.
#[derive(Debug, Clone)]
pub(crate) struct Return {
    /// Entry name of the queue.
    queue: String,
    /// Attributes of the message.
    attributes: Option<HashMap<String, MessageAttributeValue>>,
}

/// Use of the messages that are received.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Use {
    /// They are shown, and visible to others again at once.
    Look,
    /// They are replayed after a person has agreed; each takes that long.
    Replay(Duration),
}

/// Receives the messages of failure queues, and of those to which they redrive: of one function, or of all. What was received before a
/// failure is among the prepared all the same, to be given back.
pub(crate) async fn receive(
    session: &Session,
    declaration: &Declaration,
    names: &Names,
    only: Option<&str>,
    purpose: Use,
    prepared: &mut Prepared<'_>,
) -> Result<(), Failure> {
    let (places, unread) = queues::find(session, declaration, names, only).await?;
    prepared.unread.extend(unread);
    let mut unexplained: Vec<(usize, Invocation)> = Vec::new();
    // Those of the last queue are hidden while those of the first are replayed.
    let count: usize = places.iter().map(|place| place.live.waiting.min(MOST)).sum();
    let hidden = match purpose {
        Use::Look => hidden_for(count, Duration::ZERO),
        Use::Replay(each) => hidden_for(count, each),
    };
    for place in &places {
        if let (Use::Look, Some(reason)) = (purpose, reason_not_to_look(place.live.redrive.as_ref())) {
            let messages = place.live.waiting;
            if messages > 0 {
                prepared.unread.push(Unread { queue: place.entry.clone(), messages: Some(messages), reason });
            }
            continue;
        }
        let (received, ended) = messages(session, &place.live.url, hidden).await;
        if let Ok(End::Early) = ended {
            prepared.unread.extend(left_over(place, received.len()));
        }
        for message in received {
            unexplained.extend(sort(names, only, place, message, prepared));
        }
        ended?;
    }
    explain(session, names, prepared, unexplained).await;
    Ok(())
}

/// Returns the messages that a run leaves in a queue; `None` if there is none.
fn left_over(place: &Place, received: usize) -> Option<Unread> {
    let messages = place.live.waiting.checked_sub(received).filter(|left| *left > 0)?;
    let reason = format!("one run takes no more than {MOST} of a queue: run it again when it has replayed these");
    Some(Unread { queue: place.entry.clone(), messages: Some(messages), reason })
}

/// Reads a message as the dead letter of a queue that a function consumes; `None` if it is none.
fn dead_letter(names: &Names, place: &Place, message: &Message) -> Option<(String, Return)> {
    let told = message.attributes.as_ref().and_then(|all| all.get(&SystemName::DeadLetterQueueSourceArn));
    let source = place.source_of(names, told.map(String::as_str))?;
    let back = Return { queue: source.queue.clone(), attributes: message.message_attributes.clone() };
    Some((source.function.clone(), back))
}

/// Puts a message where it belongs; returns the invocation to look up, and the item that it is of.
fn sort(
    names: &Names,
    only: Option<&str>,
    place: &Place,
    message: Message,
    prepared: &mut Prepared<'_>,
) -> Option<(usize, Invocation)> {
    let letter = dead_letter(names, place, &message);
    let (id, body) = (message.message_id.unwrap_or_default(), message.body.unwrap_or_default());
    let origin = Origin::Queued { queue: place.entry.clone(), message_id: id };
    let (url, receipt) = (place.live.url.clone(), message.receipt_handle.unwrap_or_default());
    let mut received = Received { url, receipt, event: String::new() };
    match record::read(names, &place.functions, &body) {
        Ok(failed) if only.is_some_and(|only| only != failed.function) => prepared.strange.push(received),
        Ok(FailedEvent { function, event, about, unexplained }) => {
            received.event = event;
            prepared.items.push((Item { origin, function, about }, Work::Queued(received)));
            return unexplained.map(|invocation| (prepared.items.len() - 1, invocation));
        }
        Err(_) if letter.as_ref().is_some_and(|(function, _)| only.is_some_and(|only| only != function)) => {
            prepared.strange.push(received);
        }
        Err(reason) => {
            if let Some((function, back)) = letter {
                let subject = serde_json::from_str(&body).ok().map(|job: Job| job.id.to_string());
                let about = About { subject, ..About::default() };
                received.event = body;
                prepared.items.push((Item { origin, function, about }, Work::Returned(received, back)));
                return None;
            }
            prepared.refused.push(Refused { origin, reason });
            prepared.strange.push(received);
        }
    }
    None
}

/// Adds to failures that the function could not explain what its log has of them. A log that cannot be read stops nothing.
async fn explain(session: &Session, names: &Names, prepared: &mut Prepared<'_>, unexplained: Vec<(usize, Invocation)>) {
    let group = |at: usize| {
        let (item, _) = prepared.items.get(at)?;
        Some(names.name(Kind::LogGroup, &item.function))
    };
    let looks: Vec<_> =
        unexplained.into_iter().take(MOST_EXPLAINED).filter_map(|(at, one)| Some((at, group(at)?, one))).collect();
    let looks =
        looks.into_iter().map(|(at, group, one)| async move { (at, ending::find(session, &group, &one).await) });
    let found: Vec<_> = stream::iter(looks).buffered(LOOKS_AT_ONCE).collect().await;
    for (at, ending) in found {
        if let Some((item, _)) = prepared.items.get_mut(at) {
            let known = item.about.failure.take().unwrap_or_else(|| "the record does not say why".to_owned());
            item.about.failure = Some(format!("{known}; {ending}"));
        }
    }
}

/// What ends the reading of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Nothing visible is left.
    Empty,
    /// There may be more.
    Early,
}

/// Receives the visible messages of a queue, each once, and hides them for that many seconds; with what ended that.
async fn messages(session: &Session, url: &str, hidden: i32) -> (Vec<Message>, Result<End, Failure>) {
    let mut all: Vec<Message> = Vec::new();
    while all.len() < MOST {
        let call = session.aws.read.sqs.receive_message().queue_url(url).max_number_of_messages(10);
        let call = call.wait_time_seconds(PATIENCE).visibility_timeout(hidden).message_attribute_names("All");
        let call = call.message_system_attribute_names(SystemName::DeadLetterQueueSourceArn);
        let messages = match call.send().await.or_fail("sqs.ReceiveMessage") {
            Ok(answer) => answer.messages.unwrap_or_default(),
            Err(failure) => return (all, Err(failure)),
        };
        if messages.is_empty() {
            return (all, Ok(End::Empty));
        }
        // Where messages become visible again at once, this would never end.
        if !add(&mut all, messages) {
            break;
        }
    }
    (all, Ok(End::Early))
}

/// Adds messages to those that are known; returns `false` if none of them is new.
fn add(all: &mut Vec<Message>, messages: Vec<Message>) -> bool {
    let before = all.len();
    for message in messages {
        // A queue may deliver a message twice: its last receipt counts.
        match all.iter_mut().find(|known| known.message_id == message.message_id) {
            Some(known) => *known = message,
            None => all.push(message),
        }
    }
    all.len() > before
}

/// Returns the visibility timeout in seconds, if that many messages wait in all the queues of a run and each takes that long.
fn hidden_for(count: usize, each: Duration) -> i32 {
    let run = each.checked_mul(u32::try_from(count).unwrap_or(u32::MAX)).unwrap_or(LONGEST);
    let hidden = (THOUGHT + run.min(LONGEST) * 2).min(LONGEST);
    i32::try_from(hidden.as_secs()).unwrap_or(i32::MAX)
}

/// Puts a dead letter into its queue again.
pub(crate) async fn send_back(
    session: &Session,
    names: &Names,
    received: &Received,
    back: &Return,
) -> Result<(), Failure> {
    let name = names.name(Kind::Queue, &back.queue);
    let found = session.aws.read.sqs.get_queue_url().queue_name(name).send().await.or_fail("sqs.GetQueueUrl")?;
    let call = session.aws.write.sqs.send_message().set_queue_url(found.queue_url).message_body(&received.event);
    call.set_message_attributes(back.attributes.clone()).send().await.or_fail("sqs.SendMessage").map(drop)
}

/// Deletes a message whose event Lambda has accepted.
pub(crate) async fn delete(session: &Session, received: &Received) -> Result<(), Failure> {
    let call = session.aws.write.sqs.delete_message().queue_url(&received.url).receipt_handle(&received.receipt);
    call.send().await.or_fail("sqs.DeleteMessage").map(drop)
}

/// Makes messages visible to others again: all that it can, whatever fails. Returns the first failure.
pub(crate) async fn give_back(session: &Session, messages: &[&Received]) -> Result<(), Failure> {
    let mut given = Ok(());
    let mut urls: Vec<&str> = messages.iter().map(|message| message.url.as_str()).collect();
    urls.sort_unstable();
    urls.dedup();
    for url in urls {
        let of_queue: Vec<_> = messages.iter().filter(|message| message.url == url).collect();
        for some in of_queue.chunks(BATCH) {
            given = given.and(give_back_some(session, url, some).await);
        }
    }
    given
}

/// Makes messages of one queue visible to others again, as many as one call takes.
async fn give_back_some(session: &Session, url: &str, messages: &[&&Received]) -> Result<(), Failure> {
    const CALL: &str = "sqs.ChangeMessageVisibilityBatch";
    let entry = |(number, message): (usize, &&&Received)| {
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(number.to_string());
        entry.receipt_handle(&message.receipt).visibility_timeout(0).build()
    };
    let entries: Result<Vec<_>, _> = messages.iter().enumerate().map(entry).collect();
    let entries = entries.map_err(|error| Failure::found(CALL, engine::Class::Invalid, error.to_string()))?;
    let call = session.aws.write.sqs.change_message_visibility_batch().queue_url(url).set_entries(Some(entries));
    let answer = call.send().await.or_fail(CALL)?;
    match answer.failed.into_iter().find(|one| !is_visible(&one.code, one.message.as_deref().unwrap_or_default())) {
        Some(refused) => {
            let message = refused.message.unwrap_or(refused.code);
            Err(Failure::found(CALL, engine::Class::Other, message))
        }
        None => Ok(()),
    }
}

/// Returns `true` if SQS refuses to show a message since it is not hidden any more, or gone: then it is where it should be.
fn is_visible(code: &str, message: &str) -> bool {
    code.contains("MessageNotInflight")
        || (code.contains("InvalidParameterValue") && message.contains("not available for visibility timeout change"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{queues::Live, *};

    #[test]
    fn messages_are_hidden_for_as_long_as_it_takes() {
        assert_eq!(hidden_for(0, Duration::from_millis(200)), 900);
        assert_eq!(hidden_for(100, Duration::from_millis(200)), 900 + 40);
        assert_eq!(hidden_for(usize::MAX, Duration::from_hours(1)), 12 * 3600);
        assert_eq!(hidden_for(3 * MOST, Duration::ZERO), 900);
    }

    #[test]
    fn an_answer_without_a_new_message_ends_the_reading() {
        let some = |ids: &[&str]| ids.iter().map(|id| Message::builder().message_id(*id).build()).collect();
        let mut all = Vec::new();
        assert!(add(&mut all, some(&["a", "b"])));
        assert!(add(&mut all, some(&["b", "c"])));
        assert!(!add(&mut all, some(&["c", "a"])));
        assert_eq!(all.len(), 3);
    }

    #[test]
    fn what_a_run_does_not_take_is_told() {
        let live = |waiting| Live { url: String::new(), waiting, redrive: None };
        let place = |waiting| Place {
            entry: "failed".to_owned(),
            functions: BTreeSet::new(),
            sources: Vec::new(),
            live: live(waiting),
        };
        assert_eq!(left_over(&place(MOST + 7), MOST).unwrap().messages, Some(7));
        for (waiting, received) in [(MOST, MOST), (0, MOST), (3, 3)] {
            assert_eq!(left_over(&place(waiting), received), None, "{waiting} {received}");
        }
    }

    #[test]
    fn what_is_not_hidden_any_more_need_not_be_shown() {
        let gone = "Value AQEB for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.";
        assert!(is_visible("InvalidParameterValue", gone));
        assert!(is_visible("AWS.SimpleQueueService.MessageNotInflight", ""));
        assert!(!is_visible("InvalidParameterValue", "Value 90000 for parameter VisibilityTimeout is invalid."));
        assert!(!is_visible("InternalError", gone));
    }
}
