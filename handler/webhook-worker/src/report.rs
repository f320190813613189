//! The log line of a message: outcome, facts and metrics.

use std::time::Duration;

use contract::{
    job::Job,
    queue_event::QueueRecord,
    report::{Class, ItemReport},
};
use runtime::log::{Metric, Unit};
use serde_json::{Map, json};

/// The outcome of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Class of the outcome.
    pub class: Class,
    /// Outcome in one or two words.
    pub word: &'static str,
    /// Why the job's output is not stored; `None` if it is.
    pub reason: Option<String>,
    /// Address of the object that tells of the job: its output, or the record that there is none.
    pub object: Option<String>,
    /// Bytes that were stored.
    pub bytes: u64,
    /// Attempts within the invocation.
    pub attempts: u32,
    /// Time after which the message is to be delivered again; `None` leaves it to the queue.
    pub wait: Option<Duration>,
}

impl Outcome {
    /// Returns the outcome of a message that is delivered again.
    pub fn retry(word: &'static str, reason: String) -> Self {
        Self { class: Class::Retry, word, reason: Some(reason), object: None, bytes: 0, attempts: 1, wait: None }
    }
}

/// Returns the log line of a message. `job` is `None` if its body is none.
pub fn report(
    request_id: &str,
    record: &QueueRecord,
    job: Option<&Job>,
    outcome: &Outcome,
    duration_ms: f64,
) -> ItemReport {
    let message = job.and_then(|job| job.message.clone());
    let size = (outcome.bytes > 0).then(|| outcome.bytes.to_string());
    let event = job.map(|job| job.event.clone());
    let facts = [("object", outcome.object.clone()), ("bytes", size), ("event", event), ("message", message)];
    let mut details = Map::new();
    for (name, value) in [
        ("job", json!(job.map(|job| job.id.as_str()))),
        ("event", json!(job.map(|job| &job.event))),
        ("message", json!(job.and_then(|job| job.message.as_ref()))),
        ("received", json!(job.and_then(|job| job.received.as_ref()))),
        ("queue_message", json!(record.message_id)),
        ("receives", json!(record.attributes.get("ApproximateReceiveCount"))),
        ("object", json!(outcome.object)),
        ("bytes", json!(outcome.bytes)),
        ("attempts", json!(outcome.attempts)),
    ] {
        if !value.is_null() {
            details.insert(name.to_owned(), value);
        }
    }
    ItemReport {
        request_id: request_id.to_owned(),
        item: job.map_or_else(|| record.message_id.clone(), |job| job.id.to_string()),
        class: outcome.class,
        outcome: outcome.word.to_owned(),
        reason: outcome.reason.clone(),
        facts: facts.into_iter().filter_map(|(label, text)| Some((label.to_owned(), text?))).collect(),
        duration_ms,
        details,
    }
}

/// Returns the metrics of a message.
pub fn metrics(outcome: &Outcome, duration_ms: f64) -> [Metric; 5] {
    let count = |name, class| Metric { name, unit: Unit::Count, value: f64::from(u8::from(outcome.class == class)) };
    #[expect(clippy::cast_precision_loss, reason = "an output has less than 2^53 bytes")]
    let bytes = outcome.bytes as f64;
    [
        count("Stored", Class::Done),
        count("Retry", Class::Retry),
        count("ForPerson", Class::ForPerson),
        Metric { name: "Bytes", unit: Unit::Bytes, value: bytes },
        Metric { name: "Duration", unit: Unit::Milliseconds, value: duration_ms },
    ]
}
