//! The event with which SQS invokes a function: a batch of messages. The answer names the messages to deliver again
//! (`ReportBatchItemFailures`); SQS deletes the others.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// An invocation by a queue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct QueueEvent {
    /// Messages of the batch.
    #[serde(rename = "Records")]
    pub records: Vec<QueueRecord>,
}

/// One message of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueRecord {
    /// SQS's id of the message.
    pub message_id: String,
    /// Handle of this delivery, for calls about it; empty if the event states none.
    #[serde(default)]
    pub receipt_handle: String,
    /// ARN of the queue; empty if the event states none.
    #[serde(default, rename = "eventSourceARN")]
    pub queue_arn: String,
    /// Body of the message.
    pub body: String,
    /// Attributes that SQS adds, such as `ApproximateReceiveCount`.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
}

impl QueueRecord {
    /// Reads the body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.body)
    }

    /// Returns the message's group in a FIFO queue; `None` in any other.
    pub fn group(&self) -> Option<&str> {
        self.attributes.get("MessageGroupId").map(String::as_str)
    }
}

/// The answer to a batch: the messages to deliver again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchAnswer {
    /// Messages that failed; empty if all were handled.
    #[serde(rename = "batchItemFailures")]
    pub failures: Vec<ItemFailure>,
}

/// A message to deliver again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemFailure {
    /// SQS's id of the message.
    #[serde(rename = "itemIdentifier")]
    pub id: String,
}
