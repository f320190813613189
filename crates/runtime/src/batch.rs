//! Partial answers to batches: each message is handled by itself, and the failed ones are named, so that SQS delivers them again
//! and deletes the others.

use std::{
    collections::BTreeSet,
    fmt::Display,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

use contract::queue_event::{BatchAnswer, ItemFailure, QueueEvent, QueueRecord};

use crate::Deadline;

/// Handles every message of a batch, one after the other, and answers with those that failed.
///
/// A message whose handling panics has failed; the others are handled all the same. What could not be begun before the deadline has
/// failed. In a FIFO queue everything behind a failed message of the same group has failed as well, since its order must be kept.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use contract::queue_event::{QueueEvent, QueueRecord};
/// use runtime::{Deadline, each_message};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let event: QueueEvent = serde_json::from_str(
///     r#"{"Records": [{"messageId": "1", "body": "{\"price\": 7}"}, {"messageId": "2", "body": "not JSON"}]}"#,
/// )
/// .unwrap();
/// let deadline = Deadline::at(SystemTime::now() + Duration::from_secs(10));
/// let handle = async |record: &QueueRecord| record.json::<serde_json::Value>().map(|order| println!("{order}"));
/// let answer = each_message(&event, deadline, handle).await;
/// // SQS deletes the first message, and delivers the second one again.
/// assert_eq!(serde_json::to_string(&answer).unwrap(), r#"{"batchItemFailures":[{"itemIdentifier":"2"}]}"#);
/// # });
/// ```
pub async fn each_message<Failure: Display>(
    event: &QueueEvent,
    deadline: Deadline,
    handle: impl AsyncFn(&QueueRecord) -> Result<(), Failure>,
) -> BatchAnswer {
    let mut answer = BatchAnswer::default();
    let mut held = BTreeSet::new();
    for record in &event.records {
        let reason = if record.group().is_some_and(|group| held.contains(group)) {
            Some("a message before it in its group has failed".to_owned())
        } else if deadline.is_over() {
            Some("the invocation's time is up".to_owned())
        } else {
            caught(handle(record)).await
        };
        if let Some(reason) = reason {
            tracing::warn!(message = record.message_id, reason, "a message must be delivered again");
            held.extend(record.group());
            answer.failures.push(ItemFailure { id: record.message_id.clone() });
        }
    }
    answer
}

/// Runs the handling of a message and returns its failure as a text; a panic is a failure too, whose place the panic hook logs.
async fn caught<Failure: Display>(handling: impl Future<Output = Result<(), Failure>>) -> Option<String> {
    let mut handling = pin!(handling);
    let ended = poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| handling.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(ended)) => Poll::Ready(ended.map_err(|error| error.to_string())),
        Err(_) => Poll::Ready(Err("handling it panicked".to_owned())),
    });
    ended.await.err()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use serde_json::json;
    use tokio::sync::Mutex;

    use super::*;

    fn event(messages: &[(&str, &str, Option<&str>)]) -> QueueEvent {
        let record = |(id, body, group): &(&str, &str, Option<&str>)| {
            let attributes = group.map_or(json!({}), |group| json!({"MessageGroupId": group}));
            json!({"messageId": id, "body": body, "attributes": attributes, "eventSource": "aws:sqs"})
        };
        serde_json::from_value(json!({"Records": messages.iter().map(record).collect::<Vec<_>>()})).unwrap()
    }

    async fn run(event: &QueueEvent, deadline: Deadline) -> (Vec<String>, Vec<String>) {
        let handled = Mutex::new(Vec::new());
        let answer = each_message(event, deadline, async |record: &QueueRecord| {
            handled.lock().await.push(record.message_id.clone());
            tokio::task::yield_now().await;
            match record.body.as_str() {
                "fail" => Err("odd"),
                "panic" => panic!("a fault of the function"),
                _ => Ok(()),
            }
        });
        let failed = answer.await.failures.into_iter().map(|failure| failure.id).collect();
        (failed, handled.into_inner())
    }

    #[tokio::test]
    async fn those_that_failed_are_named_and_the_others_are_handled() {
        let deadline = Deadline::at(SystemTime::now() + Duration::from_mins(1));
        let batch = event(&[("1", "fail", None), ("2", "", None), ("3", "panic", None), ("4", "", None)]);
        let (failed, handled) = run(&batch, deadline).await;
        assert_eq!((failed, handled.len()), (vec!["1".to_owned(), "3".to_owned()], 4));
        let answer = BatchAnswer { failures: vec![ItemFailure { id: "1".to_owned() }] };
        assert_eq!(serde_json::to_value(answer).unwrap(), json!({"batchItemFailures": [{"itemIdentifier": "1"}]}));
        assert_eq!(run(&event(&[]), deadline).await.0, Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_group_keeps_its_order() {
        let deadline = Deadline::at(SystemTime::now() + Duration::from_mins(1));
        let batch = event(&[("1", "fail", Some("a")), ("2", "", Some("b")), ("3", "", Some("a"))]);
        let (failed, handled) = run(&batch, deadline).await;
        assert_eq!((failed.join(" "), handled.join(" ")), ("1 3".to_owned(), "1 2".to_owned()));
    }

    #[tokio::test]
    async fn nothing_is_begun_when_the_time_is_up() {
        let (failed, handled) = run(&event(&[("1", "", None), ("2", "", None)]), Deadline::at(SystemTime::now())).await;
        assert_eq!((failed.len(), handled.len()), (2, 0));
    }
}
