//! Lambda's record of a failed event, as it stands in a failure queue: the function, the event, and the reason as far as the function
//! could still say it.

use std::collections::BTreeSet;

use contract::receipt_event::ReceiptEvent;
use jiff::{Timestamp, ToSpan};
use serde::Deserialize;
use serde_json::Value;

use super::{About, notification};
use kinds::Kind;
use stack::Names;

/// Time for which Lambda keeps an event that fails or waits, at most, in hours, and one more.
const LONGEST_LIFE: i64 = 7;

/// A failed event: of SES, about mails, or of SNS, about what a topic tells.
#[derive(Debug)]
pub(super) struct FailedEvent {
    /// Entry name of the function.
    pub(super) function: String,
    /// The event, as JSON.
    pub(super) event: String,
    pub(super) about: About,
    /// The invocation whose log has the reason; `None` if the function said it, or the record does not name the invocation.
    pub(super) unexplained: Option<Invocation>,
}

/// An invocation, as its log knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Invocation {
    /// Lambda's request id: the same for all attempts.
    pub(super) request_id: String,
    /// The earliest time of a line, in milliseconds since the epoch.
    pub(super) since: i64,
    /// The latest time of a line, in milliseconds since the epoch.
    pub(super) until: i64,
}

/// The record for a failure destination, as far as we need it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct InvocationRecord {
    timestamp: Option<Timestamp>,
    request_context: RequestContext,
    request_payload: Value,
    #[serde(default)]
    response_context: Option<ResponseContext>,
    #[serde(default)]
    response_payload: Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    request_id: Option<String>,
    function_arn: String,
    condition: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResponseContext {
    function_error: Option<String>,
}

/// Reads a message of a queue in which failed events of these functions can stand. An error unless it is one, about mails
/// or of a topic.
pub(super) fn read(names: &Names, functions: &BTreeSet<String>, body: &str) -> Result<FailedEvent, String> {
    let record: InvocationRecord =
        serde_json::from_str(body).map_err(|_| "it is not the record of a failed invocation".to_owned())?;
    let arn = &record.request_context.function_arn;
    let is_it = |entry: &str| {
        let ours = names.arn(Kind::Function, entry);
        arn.strip_prefix(&ours).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    };
    let function = functions
        .iter()
        .find(|entry| is_it(entry))
        .ok_or_else(|| format!("it is of `{arn}`, and no declared function that sends its failures here"))?;
    let about = about_mail(&record.request_payload).or_else(|| notification::about(&record.request_payload));
    let about = about.ok_or_else(|| "its event is neither about a mail nor a notification of a topic".to_owned())?;
    let about = About { failure: record.reason(), ..about };
    let unexplained = record.unexplained();
    Ok(FailedEvent { function: function.clone(), event: record.request_payload.to_string(), about, unexplained })
}

/// Returns the features of the mail that an event of SES is about; `None` if it is about none.
fn about_mail(event: &Value) -> Option<About> {
    let event = ReceiptEvent::deserialize(event).unwrap_or_default();
    let is_mail = |record: &contract::receipt_event::Record| {
        record.event_source.as_deref() == Some("aws:ses") && record.ses.mail.message_id.is_some()
    };
    let mail = &event.records.first().filter(|_| event.records.iter().all(is_mail))?.ses.mail;
    Some(About {
        received_at: mail.timestamp,
        from: mail.common_headers.from.first().cloned(),
        subject: mail.common_headers.subject.clone(),
        failure: None,
    })
}

impl InvocationRecord {
    /// Returns the reason of the failure as the record has it; `None` if it has none.
    fn reason(&self) -> Option<String> {
        let text = |key: &str| self.response_payload.get(key).and_then(Value::as_str);
        match (text("errorType"), text("errorMessage")) {
            (Some(kind @ ("Runtime.ExitError" | "Runtime.OutOfMemory")), message) => {
                Some(ended(kind, message.unwrap_or_default()))
            }
            (Some(kind), Some(message)) => Some(format!("{kind}: {message}")),
            (Some(one), None) | (None, Some(one)) => Some(one.to_owned()),
            (None, None) => {
                let condition = self.request_context.condition.as_deref().map(describe);
                condition.or_else(|| self.response_context.as_ref()?.function_error.clone())
            }
        }
    }

    /// Returns the invocation, unless the function itself has said why it failed.
    fn unexplained(&self) -> Option<Invocation> {
        let kind = self.response_payload.get("errorType").and_then(Value::as_str);
        let is_own = kind.is_some_and(|kind| !kind.starts_with("Runtime.") && !kind.starts_with("Sandbox."));
        let is_id = |id: &&String| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') && id.len() > 7;
        let request_id = self.request_context.request_id.as_ref().filter(is_id).filter(|_| !is_own)?;
        let at = self.timestamp?;
        Some(Invocation {
            request_id: request_id.clone(),
            since: at.checked_sub(LONGEST_LIFE.hours()).ok()?.as_millisecond(),
            until: at.checked_add(1.minute()).ok()?.as_millisecond(),
        })
    }
}

/// Returns the condition under which Lambda gave an event up, in words.
fn describe(condition: &str) -> String {
    match condition {
        "RetriesExhausted" => "every attempt failed".to_owned(),
        "EventAgeExceeded" => "it waited for longer than Lambda keeps an event".to_owned(),
        other => other.to_owned(),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(condition: &str, answer: &Value) -> InvocationRecord {
        let record = json!({
            "timestamp": "2027-01-05T10:15:30.123Z",
            "requestContext": {"requestId": "5d1e-2b7f", "functionArn": "arn", "condition": condition},
            "requestPayload": {},
            "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
            "responsePayload": answer,
        });
        serde_json::from_value(record).unwrap()
    }

    #[test]
    fn a_process_that_ended_is_told_in_words() {
        let told = |kind: &str, message: &str| {
            record("RetriesExhausted", &json!({"errorType": kind, "errorMessage": message})).reason().unwrap()
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
        let silent = |condition: &str| record(condition, &Value::Null).reason().unwrap();
        assert_eq!(silent("RetriesExhausted"), "every attempt failed");
        assert_eq!(silent("EventAgeExceeded"), "it waited for longer than Lambda keeps an event");
    }

    #[test]
    fn only_what_the_function_has_not_said_is_looked_up() {
        let looked_up = |answer: Value| record("RetriesExhausted", &answer).unexplained();
        for silent in [
            Value::Null,
            json!({}),
            json!({"errorType": "Runtime.ExitError"}),
            json!({"errorType": "Runtime.OutOfMemory"}),
            json!({"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out"}),
        ] {
            let Invocation { request_id, since, until } = looked_up(silent).unwrap();
            assert_eq!((request_id.as_str(), until - since), ("5d1e-2b7f", (7 * 60 + 1) * 60 * 1000));
        }
        assert_eq!(looked_up(json!({"errorType": "Transient", "errorMessage": "S3 is away"})), None);
        // Whoever writes into the queue writes no search.
        for odd in ["", "a", "\" ?ERROR \"aaaaaa", "5d1e-2b\" -x"] {
            let mut record = record("RetriesExhausted", &Value::Null);
            record.request_context.request_id = Some(odd.to_owned());
            assert_eq!(record.unexplained(), None, "{odd}");
        }
    }
}
