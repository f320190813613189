//! Classifies NetBox's error answers.

use crate::sinks::netbox::records::Fault;
use runtime::{
    http::{Answer, NoAnswer},
    redact,
};

impl From<NoAnswer> for Fault {
    fn from(error: NoAnswer) -> Self {
        match error {
            NoAnswer::TimeIsUp(_) | NoAnswer::Impossible(_) => Self::Unavailable(error.to_string()),
            NoAnswer::NoRequest(reason) => Self::Refused(reason),
            NoAnswer::Lost(_) | NoAnswer::TooLarge(_) => Self::Transient(error.to_string()),
        }
    }
}

/// Returns the fault of an answer that is not a success. NetBox also answers 403 to missing or wrong
/// credentials.
pub(super) fn fault(answer: &Answer, what: &str) -> Fault {
    let place = answer.header("location").filter(|_| matches!(answer.status, 300..=399));
    let moved = place.map(|place| format!(", it has moved to {}", redact(place))).unwrap_or_default();
    let said = format!("{what}: NetBox answers {}{moved}: {}", answer.status, answer.quote());
    match answer.status {
        412 => Fault::Conflict(said),
        400 | 404 | 409 => Fault::Rejected(said),
        // An address that has moved, and rights that are missing, are for somebody to change.
        300..=399 | 401 | 403 | 405 => Fault::Unavailable(said),
        429 | 502 | 503 | 504 => Fault::Transient(said),
        // Django's own error page, or an answer that ends with a lost database connection.
        500 if exception(answer).is_none_or(|name| name == "OperationalError" || name == "InterfaceError") => {
            Fault::Transient(said)
        }
        500 if exception(answer).as_deref() == Some("IntegrityError") => Fault::Conflict(said),
        _ => Fault::Refused(said),
    }
}

fn exception(answer: &Answer) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
    Some(body.get("exception")?.as_str()?.to_owned())
}
