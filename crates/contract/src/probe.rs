//! The question to a deployed function whether it reaches what it uses, and its answer.
//!
//! Only whoever may invoke the function through Lambda's own API can ask: SES, SNS, SQS and HTTP wrap whatever a sender wrote into events
//! of theirs, so that no sender can make an event of this form.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Returns the event that asks: `{"provision": "probe"}`.
pub fn event() -> Value {
    json!({"provision": "probe"})
}

/// Returns `true` if an event is the question, with nothing beside it.
///
/// ```
/// use contract::probe;
/// use serde_json::json;
///
/// assert!(probe::asks(&probe::event()));
/// assert!(!probe::asks(&json!({"provision": "probe", "Records": []})));
/// assert!(!probe::asks(&json!({"body": "{\"provision\": \"probe\"}"})));
/// ```
pub fn asks(event: &Value) -> bool {
    *event == self::event()
}

/// The answer of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Parts that were checked.
    pub probe: Vec<Check>,
}

/// Something that a function uses, and what came of trying it. Nothing is changed for that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The thing that was tried: ``secret `netbox/token` ``.
    pub what: String,
    /// `true` if the function may use it.
    pub ok: bool,
    /// The reason why it may not, or what could not be found out; `None` if there is nothing to tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Check {
    /// Returns the check of something that was tried, with its fault if there is one.
    pub fn of(what: impl Into<String>, tried: Result<(), String>) -> Self {
        Self { what: what.into(), ok: tried.is_ok(), reason: tried.err() }
    }
}
