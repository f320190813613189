//! SQS as far as functions call it by themselves: they send messages, and hide the one that they hold for longer. Lambda takes and
//! deletes messages for them: [`crate::mapping`].

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{mapping::md5, queue::Queue, rights::Grant, service_refusal::Refusal};

/// SQS's limit on a message, in bytes.
const LARGEST_MESSAGE: usize = 1024 * 1024;
/// SQS's limit on the time for which a message is hidden.
const LONGEST_VISIBILITY: u64 = 12 * 60 * 60;

/// Answers an operation. `item` is the id of what the caller works on.
pub(crate) async fn answer(
    operation: &str,
    asked: &Value,
    (queues, grant): (&BTreeMap<String, Arc<Queue>>, &Grant),
    item: Option<&str>,
) -> Result<Value, Refusal> {
    let text = |name: &str| asked.get(name).and_then(Value::as_str).unwrap_or_default();
    let of_url = || queue_of(queues, |queue| queue.url == text("QueueUrl"));
    match operation {
        "SendMessage" => {
            let queue = of_url()?;
            permit(grant.sends.contains(&queue.entry), "sends", queue)?;
            only(asked, &["QueueUrl", "MessageBody"])?;
            send(queue, text("MessageBody"), item).await
        }
        "GetQueueUrl" => {
            let queue = queue_of(queues, |queue| queue.arn.rsplit(':').next() == Some(text("QueueName")))?;
            permit(grant.sends.contains(&queue.entry), "sends", queue)?;
            Ok(json!({ "QueueUrl": queue.url }))
        }
        "ChangeMessageVisibility" => {
            let queue = of_url()?;
            permit(grant.consumes.as_ref() == Some(&queue.entry), "consumes", queue)?;
            let seconds = asked.get("VisibilityTimeout").and_then(Value::as_u64);
            let seconds = seconds.filter(|seconds| *seconds <= LONGEST_VISIBILITY).ok_or_else(|| {
                invalid(format!("`VisibilityTimeout` must be a number from 0 to {LONGEST_VISIBILITY}"))
            })?;
            if queue.hide(text("ReceiptHandle"), Duration::from_secs(seconds)) {
                return Ok(json!({}));
            }
            Err((StatusCode::BAD_REQUEST, "ReceiptHandleIsInvalid", "no message has this receipt handle".to_owned()))
        }
        other => Err((StatusCode::BAD_REQUEST, "NotImplemented", format!("`provision dev` has no SQS {other}"))),
    }
}

async fn send(queue: &Queue, body: &str, item: Option<&str>) -> Result<Value, Refusal> {
    if body.is_empty() || body.len() > LARGEST_MESSAGE {
        return Err(invalid(format!("a message has 1 to {LARGEST_MESSAGE} bytes, and this one has {}", body.len())));
    }
    match queue.send(body, item).await {
        Ok(id) => Ok(json!({ "MessageId": id, "MD5OfMessageBody": md5(body) })),
        Err(error) => {
            let message = format!("the message could not be kept: {error}");
            Err((StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message))
        }
    }
}

fn queue_of(queues: &BTreeMap<String, Arc<Queue>>, is_it: impl Fn(&Queue) -> bool) -> Result<&Arc<Queue>, Refusal> {
    let missing = || {
        let message = "the declaration has no such queue".to_owned();
        (StatusCode::BAD_REQUEST, "com.amazonaws.sqs#QueueDoesNotExist", message)
    };
    queues.values().find(|queue| is_it(queue)).ok_or_else(missing)
}

fn permit(is_permitted: bool, declared: &str, queue: &Queue) -> Result<(), Refusal> {
    let denied = || format!("the function's `{declared}` does not name the queue `{}`", queue.entry);
    if is_permitted { Ok(()) } else { Err((StatusCode::FORBIDDEN, "AccessDeniedException", denied())) }
}

/// Refuses parameters that would mean something else here than in SQS, where they are known.
fn only(asked: &Value, known: &[&str]) -> Result<(), Refusal> {
    let names = asked.as_object().into_iter().flat_map(|asked| asked.keys());
    match names.into_iter().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let message = format!("`provision dev` does not know the parameter `{name}`");
            Err((StatusCode::BAD_REQUEST, "UnsupportedOperation", message))
        }
    }
}

fn invalid(message: String) -> Refusal {
    (StatusCode::BAD_REQUEST, "InvalidParameterValue", message)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{names::QueueNames, observer::Observer, queue::Settings, work::Work};

    fn queues(folder: &tempfile::TempDir) -> BTreeMap<String, Arc<Queue>> {
        let queue = |entry: &str| {
            let names = QueueNames {
                arn: format!("arn:aws:sqs:eu-west-1:123456789012:stack-{entry}"),
                url: format!("https://sqs.eu-west-1.amazonaws.com/123456789012/stack-{entry}"),
            };
            let settings = Settings {
                entry: entry.to_owned(),
                names,
                visibility: Duration::from_secs(30),
                folder: folder.path().join(entry),
                work: Some(Work::new()),
            };
            (entry.to_owned(), Arc::new(Queue::open(settings, Observer::new().0).unwrap()))
        };
        ["jobs", "other"].into_iter().map(queue).collect()
    }

    fn grant() -> Grant {
        Grant {
            access_key: String::new(),
            secret_key: "".into(),
            secrets: BTreeSet::new(),
            reads: Vec::new(),
            writes: Vec::new(),
            deletes: Vec::new(),
            sends: ["jobs".to_owned()].into(),
            consumes: Some("jobs".to_owned()),
            queries: BTreeSet::new(),
        }
    }

    const JOBS: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/stack-jobs";
    const OTHER: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/stack-other";

    #[tokio::test]
    async fn functions_use_the_queues_that_they_declare_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let (queues, grant) = (queues(&folder), grant());
        let large = "x".repeat(LARGEST_MESSAGE + 1);
        let sending = |url: &str, body: &str| json!({"QueueUrl": url, "MessageBody": body});
        let hiding = |url: &str, time: Value| json!({"QueueUrl": url, "ReceiptHandle": "r", "VisibilityTimeout": time});
        for (operation, asked, expected) in [
            ("SendMessage", sending(JOBS, "one"), "sent"),
            ("SendMessage", sending(OTHER, "one"), "AccessDeniedException"),
            (
                "SendMessage",
                sending("https://elsewhere.example/stack-jobs", "one"),
                "com.amazonaws.sqs#QueueDoesNotExist",
            ),
            ("SendMessage", sending(JOBS, ""), "InvalidParameterValue"),
            ("SendMessage", sending(JOBS, &large), "InvalidParameterValue"),
            ("SendMessage", json!({"QueueUrl": JOBS, "MessageBody": "a", "DelaySeconds": 5}), "UnsupportedOperation"),
            ("GetQueueUrl", json!({"QueueName": "stack-jobs"}), "sent"),
            ("GetQueueUrl", json!({"QueueName": "stack-other"}), "AccessDeniedException"),
            ("GetQueueUrl", json!({"QueueName": "jobs"}), "com.amazonaws.sqs#QueueDoesNotExist"),
            ("ChangeMessageVisibility", hiding(JOBS, json!(5)), "ReceiptHandleIsInvalid"),
            ("ChangeMessageVisibility", hiding(JOBS, json!(43_201)), "InvalidParameterValue"),
            ("ChangeMessageVisibility", hiding(JOBS, json!("5")), "InvalidParameterValue"),
            ("ChangeMessageVisibility", hiding(OTHER, json!(5)), "AccessDeniedException"),
            ("PurgeQueue", json!({"QueueUrl": JOBS}), "NotImplemented"),
        ] {
            let answered = answer(operation, &asked, (&queues, &grant), Some("post")).await;
            let said = answered.map_or_else(|(_, kind, _)| kind, |_| "sent");
            assert_eq!(said, expected, "{operation} {asked}");
        }
        let received = queues["jobs"].receive(10, Duration::ZERO).await;
        let [message] = &received[..] else { panic!("{received:?}") };
        assert_eq!((&*message.body, message.item.as_str()), ("one", "post"));
        let hide = json!({"QueueUrl": JOBS, "ReceiptHandle": message.receipt, "VisibilityTimeout": 5});
        answer("ChangeMessageVisibility", &hide, (&queues, &grant), None).await.unwrap();
    }
}
