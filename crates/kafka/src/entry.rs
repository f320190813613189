//! An entry of a topic, as it was read.

use events::Message;
use jiff::Timestamp;
use krafka::consumer::ConsumerRecord;
use serde::{Deserialize, Serialize};

/// Header with what makes a message unique.
const DEDUP_ID: &str = "dedup-id";

/// A record of the topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Partition of the topic.
    pub partition: i32,
    /// Offset in the partition.
    pub offset: i64,
    /// Time at which it was written; `None` if the record has none that can be read.
    pub at: Option<Timestamp>,
    /// Header `dedup-id`: records with the same one are the same message; `None` if there is none.
    pub dedup_id: Option<String>,
    /// The message, or why the record is none.
    pub message: Result<Message, Unreadable>,
}

/// A record that is no message of ours. Its contents are not shown: there may be addresses in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("it is not a message of a mail: {0}")]
pub struct Unreadable(pub(crate) String);

impl Entry {
    pub(crate) fn of(record: &ConsumerRecord) -> Self {
        let value = record.value.as_deref().ok_or_else(|| Unreadable("it has no value".to_owned()));
        let message = value.and_then(|value| {
            serde_json::from_slice(value)
                .map_err(|error| Unreadable(format!("{:?} error in column {}", error.classify(), error.column())))
        });
        Self {
            partition: record.partition,
            offset: record.offset,
            at: Timestamp::from_millisecond(record.timestamp).ok(),
            dedup_id: record.header_str(DEDUP_ID).map(str::to_owned),
            message,
        }
    }
}
