//! The log line of a notification: outcome, facts and metrics. No address of a person is in it, only its digest and its domain.

use contract::report::{Class, ItemReport};
use events::{Event, digest};
use runtime::log::{Metric, Unit};
use serde_json::{Map, Value, json};

use crate::{join::Joined, kafka::Written};

/// The outcome of a notification.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Class of the outcome.
    pub class: Class,
    /// Outcome in one or two words.
    pub word: &'static str,
    /// Why its messages are not in Kafka; `None` if they are.
    pub reason: Option<String>,
    /// Event of the notification; `None` if it is none.
    pub event: Option<Box<Event>>,
    /// Knowledge of the table about the mail; `None` if it was not asked, or did not answer.
    pub joined: Option<Joined>,
    /// Messages that are in Kafka: id for deduplication, and place.
    pub written: Vec<(String, Written)>,
}

impl Outcome {
    /// Returns the outcome of a notification that is delivered again.
    pub fn retry(reason: String, event: Option<Box<Event>>, joined: Option<Joined>) -> Self {
        let word = "not written";
        Self { class: Class::Retry, word, reason: Some(reason), event, joined, written: Vec::new() }
    }

    /// Returns the outcome of a notification with which nothing is to be done.
    pub fn ignored(word: &'static str) -> Self {
        Self { class: Class::Ignored, word, reason: None, event: None, joined: None, written: Vec::new() }
    }
}

/// Returns the log line of a notification.
pub fn report(request_id: &str, notification: &str, outcome: &Outcome, duration_ms: f64) -> ItemReport {
    let event = outcome.event.as_deref();
    let recipients = event.map(|event| event.recipients().into_iter().map(digest).collect::<Vec<_>>());
    let template = outcome.joined.as_ref().and_then(Joined::template);
    let is_unknown = outcome.joined == Some(Joined::Unknown);
    let facts = [
        ("event", event.map(|event| event.kind().to_string())),
        ("recipients", recipients.as_ref().map(|recipients| recipients.join(", "))),
        ("template", template.map(str::to_owned)),
        ("mail", event.map(|event| event.message_id().to_owned())),
    ];
    let written = outcome.written.iter().map(
        |(dedup_id, written)| json!({"dedup_id": dedup_id, "partition": written.partition, "offset": written.offset}),
    );
    let mut details = Map::new();
    for (name, value) in [
        ("event", json!(event.map(|event| event.kind().as_str()))),
        ("mail", json!(event.map(Event::message_id))),
        ("at", json!(event.map(|event| event.at().to_string()))),
        ("sender", json!(event.and_then(Event::sender).map(|sender| digest(&sender)))),
        ("recipients", json!(recipients)),
        ("template", json!(template)),
        ("unknown_mail", if is_unknown { Value::Bool(true) } else { Value::Null }),
        ("messages", Value::Array(written.collect())),
    ] {
        if !value.is_null() {
            details.insert(name.to_owned(), value);
        }
    }
    ItemReport {
        request_id: request_id.to_owned(),
        item: notification.to_owned(),
        class: outcome.class,
        outcome: outcome.word.to_owned(),
        reason: outcome.reason.clone(),
        facts: facts
            .into_iter()
            .filter_map(|(label, text)| Some((label.to_owned(), text.filter(|text| !text.is_empty())?)))
            .collect(),
        duration_ms,
        details,
    }
}

/// Returns the metrics of a notification.
pub fn metrics(outcome: &Outcome, duration_ms: f64) -> [Metric; 5] {
    let count = |name, value: usize| {
        let value = f64::from(u32::try_from(value).unwrap_or(u32::MAX));
        Metric { name, unit: Unit::Count, value }
    };
    [
        count("Written", outcome.written.len()),
        count("UnknownMail", usize::from(outcome.joined == Some(Joined::Unknown))),
        count("Retry", usize::from(outcome.class == Class::Retry)),
        count("Ignored", usize::from(outcome.class == Class::Ignored)),
        Metric { name: "Duration", unit: Unit::Milliseconds, value: duration_ms },
    ]
}
