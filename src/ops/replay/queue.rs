//! Failure queues: events whose every attempt failed, with Lambda's record.
//!
//! A message is received, which hides it from others for a while, and deleted only after Lambda has accepted its event; if the run ends
//! before, it becomes visible again. A message that is not a failed event of ours stays in the queue.

use std::time::Duration;

use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, Message, QueueAttributeName};
use contract::receipt_event::ReceiptEvent;
use serde::Deserialize;
use serde_json::Value;

use super::{About, Item, Origin, Prepared, Refused, Work};
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

/// A message that SQS has handed out and hides from others.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    url: String,
    receipt: String,
    /// Event in the message, as JSON; empty if it is not ours.
    pub(crate) event: String,
}

/// Lambda's record for a failure destination, as far as we need it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct InvocationRecord {
    request_context: RequestContext,
    request_payload: Value,
    #[serde(default)]
    response_payload: Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    function_arn: String,
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
    for queue in queues {
        for (message, url) in messages(session, &names.name(Kind::Queue, queue), each).await? {
            let (id, body) = (message.message_id.unwrap_or_default(), message.body.unwrap_or_default());
            let origin = Origin::Queued { queue: queue.to_owned(), message_id: id };
            let mut received =
                Received { url, receipt: message.receipt_handle.unwrap_or_default(), event: String::new() };
            match failed_event(declaration, names, queue, &body) {
                Ok((function, ..)) if only.is_some_and(|only| only != function) => prepared.strange.push(received),
                Ok((function, event, about)) => {
                    received.event = event;
                    prepared.items.push((Item { origin, function, about }, Work::Queued(received)));
                }
                Err(reason) => {
                    prepared.refused.push(Refused { origin, reason });
                    prepared.strange.push(received);
                }
            }
        }
    }
    Ok(prepared)
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

/// Returns the function, the event and the description of the mail; `None` unless the message is a failed event about mails, of a
/// function whose failure queue this is.
fn failed_event(
    declaration: &Declaration,
    names: &Names,
    queue: &str,
    body: &str,
) -> Result<(String, String, About), String> {
    let record: InvocationRecord =
        serde_json::from_str(body).map_err(|_| "it is not the record of a failed invocation".to_owned())?;
    let arn = &record.request_context.function_arn;
    let is_it = |entry: &str| {
        let ours = names.arn(Kind::Function, entry);
        arn.strip_prefix(&ours).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    };
    let mut functions =
        declaration.functions.iter().filter(|(_, function)| function.on_failure.as_deref() == Some(queue));
    let (function, _) = functions
        .find(|(entry, _)| is_it(entry))
        .ok_or_else(|| format!("it is of `{arn}`, and no declared function that sends its failures here"))?;
    let event = ReceiptEvent::deserialize(&record.request_payload).unwrap_or_default();
    let is_mail = |record: &contract::receipt_event::Record| {
        record.event_source.as_deref() == Some("aws:ses") && record.ses.mail.message_id.is_some()
    };
    let first = event.records.first().filter(|_| event.records.iter().all(is_mail));
    let mail = &first.ok_or_else(|| "its event is about no mail".to_owned())?.ses.mail;
    let about = About {
        received_at: mail.timestamp,
        from: mail.common_headers.from.first().cloned(),
        subject: mail.common_headers.subject.clone(),
        failure: failure(&record.response_payload),
    };
    Ok((function.clone(), record.request_payload.to_string(), about))
}

/// Returns the function's own error message.
fn failure(answer: &Value) -> Option<String> {
    let text = |key: &str| answer.get(key).and_then(Value::as_str);
    match (text("errorType"), text("errorMessage")) {
        (Some(kind @ ("Runtime.ExitError" | "Runtime.OutOfMemory")), message) => {
            Some(ended(kind, message.unwrap_or_default()))
        }
        (Some(kind), Some(message)) => Some(format!("{kind}: {message}")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}

/// Returns how a process ended without an answer, from Lambda's `RequestId: ID Error: Runtime exited with error: HOW`.
fn ended(kind: &str, message: &str) -> String {
    let how = message.rsplit("Runtime exited with error: ").next().unwrap_or_default().trim();
    let how = how.strip_prefix("the process ended without an answer: ").unwrap_or(how);
    // Lambda kills a process that takes more memory than its function has.
    if kind == "Runtime.OutOfMemory" || how == "signal: killed" || how.starts_with("out of memory") {
        return format!("the process ended: out of memory ({})", if how.is_empty() { kind } else { how });
    }
    format!("the process ended: {}", if how.is_empty() { kind } else { how })
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
    fn a_process_that_ended_is_told_in_words() {
        let told = |kind: &str, message: &str| {
            failure(&serde_json::json!({"errorType": kind, "errorMessage": message})).unwrap()
        };
        let exited =
            |how: &str| told("Runtime.ExitError", &format!("RequestId: 1a-2b Error: Runtime exited with error: {how}"));
        assert_eq!(exited("signal: killed"), "the process ended: out of memory (signal: killed)");
        assert_eq!(exited("exit status 134"), "the process ended: exit status 134");
        assert_eq!(told("Runtime.OutOfMemory", ""), "the process ended: out of memory (Runtime.OutOfMemory)");
        let local = "out of memory: 301 MB resident, 256 MB declared; killed";
        assert_eq!(told("Runtime.ExitError", local), format!("the process ended: out of memory ({local})"));
        assert_eq!(
            told("Runtime.ExitError", "the process ended without an answer: exit status 7"),
            "the process ended: exit status 7"
        );
        assert_eq!(told("Transient", "S3 is away"), "Transient: S3 is away");
    }

    #[test]
    fn messages_are_hidden_for_as_long_as_it_takes() {
        assert_eq!(hidden_for(0, Duration::from_millis(200)), 900);
        assert_eq!(hidden_for(100, Duration::from_millis(200)), 900 + 40);
        assert_eq!(hidden_for(usize::MAX, Duration::from_hours(1)), 12 * 3600);
    }
}
