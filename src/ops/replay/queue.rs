//! Failure queues: events whose every attempt failed, with Lambda's record.
//!
//! A message is received, which hides it from others for a while, and deleted only after Lambda has accepted its event; if the run ends
//! before, it becomes visible again. A message that is not a failed event of ours stays in the queue.

use std::time::Duration;

use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, Message, QueueAttributeName};
use futures::{StreamExt, stream};

use super::{
    Item, Origin, Prepared, Refused, Work, ending,
    record::{self, FailedEvent, Invocation},
};
use aws::OrFail;
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

/// Receives the messages of failure queues: those of one function, or of all.
pub(crate) async fn receive<'declared>(
    session: &Session,
    declaration: &Declaration,
    names: &Names,
    only: Option<&str>,
    each: Duration,
) -> Result<Prepared<'declared>, Failure> {
    let mut prepared = Prepared::default();
    let asked = declaration.functions.iter().filter(|(entry, _)| only.is_none_or(|only| only == entry.as_str()));
    let mut queues: Vec<&str> = asked.filter_map(|(_, function)| function.on_failure.as_deref()).collect();
    queues.sort_unstable();
    queues.dedup();
    let mut unexplained: Vec<(usize, Invocation)> = Vec::new();
    for queue in queues {
        for (message, url) in messages(session, &names.name(Kind::Queue, queue), each).await? {
            let (id, body) = (message.message_id.unwrap_or_default(), message.body.unwrap_or_default());
            let origin = Origin::Queued { queue: queue.to_owned(), message_id: id };
            let mut received =
                Received { url, receipt: message.receipt_handle.unwrap_or_default(), event: String::new() };
            match record::read(declaration, names, queue, &body) {
                Ok(failed) if only.is_some_and(|only| only != failed.function) => prepared.strange.push(received),
                Ok(FailedEvent { function, event, about, unexplained: invocation }) => {
                    received.event = event;
                    unexplained.extend(invocation.map(|invocation| (prepared.items.len(), invocation)));
                    prepared.items.push((Item { origin, function, about }, Work::Queued(received)));
                }
                Err(reason) => {
                    prepared.refused.push(Refused { origin, reason });
                    prepared.strange.push(received);
                }
            }
        }
    }
    explain(session, names, &mut prepared, unexplained).await;
    Ok(prepared)
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

/// Receives all visible messages of a queue, each once.
async fn messages(session: &Session, name: &str, each: Duration) -> Result<Vec<(Message, String)>, Failure> {
    let sqs = &session.aws.read.sqs;
    let answer = sqs.get_queue_url().queue_name(name).send().await.or_absent("sqs.GetQueueUrl")?;
    let Some(url) = answer.and_then(|answer| answer.queue_url) else { return Ok(Vec::new()) };
    let hidden = hidden_for(waiting(session, &url).await?, each);
    let mut all: Vec<(Message, String)> = Vec::new();
    while all.len() < MOST {
        let call = sqs.receive_message().queue_url(&url).max_number_of_messages(10).wait_time_seconds(PATIENCE);
        let answer = call.visibility_timeout(hidden).send().await.or_fail("sqs.ReceiveMessage")?;
        let messages = answer.messages.unwrap_or_default();
        if messages.is_empty() {
            break;
        }
        for message in messages {
            // A queue may deliver a message twice: its last receipt counts.
            match all.iter_mut().find(|(known, _)| known.message_id == message.message_id) {
                Some(known) => known.0 = message,
                None => all.push((message, url.clone())),
            }
        }
    }
    Ok(all)
}

/// Returns the approximate number of waiting messages.
async fn waiting(session: &Session, url: &str) -> Result<usize, Failure> {
    let name = QueueAttributeName::ApproximateNumberOfMessages;
    let call = session.aws.read.sqs.get_queue_attributes().queue_url(url).attribute_names(name.clone());
    let answer = call.send().await.or_fail("sqs.GetQueueAttributes")?;
    let count = answer.attributes.unwrap_or_default().get(&name).and_then(|text| text.parse().ok());
    Ok(count.unwrap_or(0))
}

/// Returns the visibility timeout in seconds, if each message takes that long.
fn hidden_for(count: usize, each: Duration) -> i32 {
    let run = each.checked_mul(u32::try_from(count.min(MOST)).unwrap_or(u32::MAX)).unwrap_or(LONGEST);
    let hidden = (THOUGHT + run.min(LONGEST) * 2).min(LONGEST);
    i32::try_from(hidden.as_secs()).unwrap_or(i32::MAX)
}

/// Deletes a message whose event Lambda has accepted.
pub(crate) async fn delete(session: &Session, received: &Received) -> Result<(), Failure> {
    let call = session.aws.write.sqs.delete_message().queue_url(&received.url).receipt_handle(&received.receipt);
    call.send().await.or_fail("sqs.DeleteMessage").map(drop)
}

/// Makes messages visible to others again.
pub(crate) async fn give_back(session: &Session, messages: &[&Received]) -> Result<(), Failure> {
    const CALL: &str = "sqs.ChangeMessageVisibilityBatch";
    let mut urls: Vec<&str> = messages.iter().map(|message| message.url.as_str()).collect();
    urls.sort_unstable();
    urls.dedup();
    for url in urls {
        let of_queue: Vec<_> = messages.iter().filter(|message| message.url == url).collect();
        for some in of_queue.chunks(BATCH) {
            let entry = |(number, message): (usize, &&&Received)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(number.to_string());
                entry.receipt_handle(&message.receipt).visibility_timeout(0).build()
            };
            let entries: Result<Vec<_>, _> = some.iter().enumerate().map(entry).collect();
            let entries = entries.map_err(|error| Failure::found(CALL, engine::Class::Invalid, error.to_string()))?;
            let call =
                session.aws.write.sqs.change_message_visibility_batch().queue_url(url).set_entries(Some(entries));
            call.send().await.or_fail(CALL)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_hidden_for_as_long_as_it_takes() {
        assert_eq!(hidden_for(0, Duration::from_millis(200)), 900);
        assert_eq!(hidden_for(100, Duration::from_millis(200)), 900 + 40);
        assert_eq!(hidden_for(usize::MAX, Duration::from_hours(1)), 12 * 3600);
    }
}
