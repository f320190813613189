//! Events that SES publishes of the mails that one sends, in both of its formats, and the message of each affected recipient. Pure and total:
//! no I/O, no clock, no panic, for any text.
//!
//! A configuration set publishes `eventType`, an identity's feedback `notificationType`. Unknown fields and types pass, and what is
//! optional may be missing or odd: an event is refused only where it cannot be told whose it is and when it happened.
//!
//! ```
//! use events::{Reading, read};
//!
//! let text = r#"{"eventType": "Delivery", "delivery": {"recipients": ["ada@example.org"]},
//!     "mail": {"messageId": "0107-1", "timestamp": "2027-01-05T11:00:00Z", "source": "Shop <Orders@shop.example>"}}"#;
//! let Ok(Reading::Event(event)) = read(text) else { panic!() };
//! assert_eq!(event.sender().as_deref(), Some("orders@shop.example"));
//! let messages = event.messages("5d0b0a3e-7d0f-5a67-a1a2-5a2f0c1d2e3f", Some("order"));
//! assert_eq!(messages[0].message.to_email.as_deref(), Some("ada@example.org"));
//! ```

mod address;
mod event;
mod kind;
mod lenient;
mod message;

use serde_json::Value;
use thiserror::Error;

pub use address::{bare, digest, domain};
pub use event::Event;
pub use kind::Kind;
pub use message::{Addressed, Message};

/// Meaning of a text of SES.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// An event of a mail.
    Event(Box<Event>),
    /// A word of SES that it may publish here from now on: nothing is to be done.
    Validation,
}

/// The reasons why a text is no event. None quotes the text: there are addresses in it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// The text is not a JSON object.
    #[error("it is not a JSON object: {0}")]
    NotJson(String),
    /// Neither `eventType` nor `notificationType` is a text.
    #[error("it has neither `eventType` nor `notificationType`, one of which SES always states")]
    NoType,
    /// The mail has no id.
    #[error("it has no `mail.messageId`, so that it belongs to no mail")]
    NoMessageId,
    /// No time can be read.
    #[error("neither the event nor `mail.timestamp` states a time that can be read")]
    NoTime,
}

/// Beginning of the text that SES publishes to a topic when a configuration set gets it as its destination; a line feed follows.
const DESTINATION_VALIDATED: &str = "Successfully validated SNS topic for Amazon SES";
/// The type of what SES publishes to a topic when an identity gets it for its feedback.
const SUBSCRIPTION_SUCCEEDED: &str = "AmazonSnsSubscriptionSucceeded";

/// Reads what SES published: the `Message` of a notification of SNS.
pub fn read(text: &str) -> Result<Reading, Problem> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with(DESTINATION_VALIDATED) {
        return Ok(Reading::Validation);
    }
    let document: Value = serde_json::from_str(text).map_err(|error| Problem::NotJson(error.to_string()))?;
    let Value::Object(document) = document else { return Err(Problem::NotJson("it is another value".to_owned())) };
    let word = |name: &str| document.get(name).and_then(Value::as_str).filter(|word| !word.trim().is_empty());
    let word = word("eventType").or_else(|| word("notificationType")).ok_or(Problem::NoType)?.trim();
    if word == SUBSCRIPTION_SUCCEEDED {
        return Ok(Reading::Validation);
    }
    Event::read(Kind::of(word), Value::Object(document)).map(|event| Reading::Event(Box::new(event)))
}
