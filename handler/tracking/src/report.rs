//! The log line of a message: outcome and facts. No address of a person is in it, only its digest and its domain.

use contract::report::{Class, ItemReport};
use events::{Event, digest};
use runtime::log::{Metric, Unit};
use serde_json::{Map, json};

/// The outcome of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Class of the outcome.
    pub class: Class,
    /// Outcome in one or two words.
    pub word: &'static str,
    /// Why it is not in the database; `None` if it is.
    pub reason: Option<String>,
    /// Event of the message; `None` if it is none.
    pub event: Option<Box<Event>>,
}

impl Outcome {
    /// Returns an outcome without an event and a reason.
    pub fn new(class: Class, word: &'static str) -> Self {
        Self { class, word, reason: None, event: None }
    }
}

/// Returns the log line of a message.
pub fn report(request_id: &str, message: &str, outcome: &Outcome, duration_ms: f64) -> ItemReport {
    let event = outcome.event.as_deref();
    let mut facts = Vec::new();
    let mut details = Map::new();
    if let Some(event) = event {
        let recipients: Vec<String> = event.recipients().into_iter().map(digest).collect();
        facts.push(("event".to_owned(), event.kind().to_string()));
        facts.push(("recipients".to_owned(), recipients.join(", ")));
        facts.push(("mail".to_owned(), event.message_id().to_owned()));
        details.insert("event".to_owned(), json!(event.kind().as_str()));
        details.insert("mail".to_owned(), json!(event.message_id()));
        details.insert("at".to_owned(), json!(event.at().to_string()));
    }
    ItemReport {
        request_id: request_id.to_owned(),
        item: message.to_owned(),
        class: outcome.class,
        outcome: outcome.word.to_owned(),
        reason: outcome.reason.clone(),
        facts,
        duration_ms,
        details,
    }
}

/// Returns the metrics of a message.
pub fn metrics(outcome: &Outcome) -> [Metric; 4] {
    let count = |name, is_so: bool| Metric { name, unit: Unit::Count, value: f64::from(u8::from(is_so)) };
    [
        count("Tracked", outcome.class == Class::Done),
        count("UnknownMail", outcome.word == PARKED),
        count("Retry", outcome.class == Class::Retry),
        count("Ignored", outcome.class == Class::Ignored),
    ]
}

/// The outcome of an event whose mail no sender's record names (yet).
pub const PARKED: &str = "parked";
