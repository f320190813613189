//! Takes messages from a queue of SQS, for a program that runs on a server: in Lambda, Lambda does that.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use contract::queue_event::QueueRecord;
use hyper::body::Bytes;
use serde_json::{Map, Value, json};

use crate::{
    Credentials, Deadline,
    environment::Aws,
    signed::{Call, MARGIN, Service},
};

/// Most messages of one answer, and of one deletion, that SQS allows.
pub const MOST_MESSAGES: usize = 10;
/// Longest time that SQS waits for a first message.
const LONG_POLL: Duration = Duration::from_secs(20);
/// Timeout of one answer: SQS answers after [`LONG_POLL`] without a message.
const PATIENCE: Duration = Duration::from_secs(25);
/// Time for a call with its repetitions.
const ROUND: Duration = Duration::from_mins(1);

/// A queue that is taken from.
pub struct Receiver {
    service: Service,
    url: String,
}

impl fmt::Debug for Receiver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Receiver").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Receiver {
    /// Returns the queue at that URL. It makes no call by itself.
    pub fn new(aws: &Aws<Credentials>, url: String) -> Self {
        Self { service: Service::new("sqs", aws, aws.sqs_endpoint.as_deref()).waiting(PATIENCE), url }
    }

    /// Takes some messages, and waits for a first one. They come again after the queue's visibility timeout unless they are deleted.
    pub async fn receive(&self) -> Result<Vec<QueueRecord>, String> {
        let asked = json!({
            "QueueUrl": self.url, "MaxNumberOfMessages": MOST_MESSAGES, "WaitTimeSeconds": LONG_POLL.as_secs(),
            "MessageSystemAttributeNames": ["ApproximateReceiveCount"], "AttributeNames": ["ApproximateReceiveCount"],
        });
        let answer = self.call("AmazonSQS.ReceiveMessage", &asked).await?;
        let text =
            |message: &Value, name: &str| message.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let record = |message: &Value| QueueRecord {
            message_id: text(message, "MessageId"),
            receipt_handle: text(message, "ReceiptHandle"),
            body: text(message, "Body"),
            ..QueueRecord::default()
        };
        Ok(answer.get("Messages").and_then(Value::as_array).into_iter().flatten().map(record).collect())
    }

    /// Deletes messages, [`MOST_MESSAGES`] at most; returns how many of them were not, which come again.
    pub async fn delete(&self, records: &[&QueueRecord]) -> Result<usize, String> {
        if records.is_empty() {
            return Ok(0);
        }
        let entry = |(index, record): (usize, &&QueueRecord)| json!({"Id": index.to_string(), "ReceiptHandle": record.receipt_handle});
        let entries: Vec<Value> = records.iter().enumerate().map(entry).collect();
        let answer =
            self.call("AmazonSQS.DeleteMessageBatch", &json!({"QueueUrl": self.url, "Entries": entries})).await?;
        // Only what SQS says it has deleted is deleted.
        let deleted = answer.get("Successful").and_then(Value::as_array).map_or(0, Vec::len);
        Ok(records.len().saturating_sub(deleted))
    }

    async fn call(&self, target: &str, body: &Value) -> Result<Map<String, Value>, String> {
        self.service.until(Deadline::at(SystemTime::now() + ROUND + MARGIN));
        let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", target)];
        let body = Bytes::from(body.to_string());
        let call = Call { method: "POST", path: "/", headers: &headers, body, digest: None };
        let answer = self.service.send(call).await.map_err(|error| error.to_string())?;
        if answer.status != 200 {
            return Err(format!("SQS answers {}: {}", answer.status, answer.quote()));
        }
        serde_json::from_slice(&answer.body)
            .map_err(|error| format!("SQS answers with something else than JSON: {error}"))
    }
}
