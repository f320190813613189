//! The bodies of requests that write: JSON, in which each object has the message for NetBox's changelog.

use serde::Serialize;
use serde_json::Value;

use crate::sinks::netbox::{fields, records::Fault};

/// Key of the message for NetBox's changelog.
pub(super) const MESSAGE: &str = "changelog_message";
/// Longest message for the changelog, in characters.
const LONGEST_MESSAGE: usize = 200;

/// Returns an object with the message for NetBox's changelog. Versions without one ignore it.
pub(super) fn one(body: &impl Serialize, message: &str) -> Result<Value, Fault> {
    let mut value = serde_json::to_value(body).map_err(|error| Fault::Refused(error.to_string()))?;
    if let Value::Object(fields) = &mut value {
        fields.insert(MESSAGE.to_owned(), Value::from(message));
    }
    Ok(value)
}

/// Returns objects with the message for NetBox's changelog, as [`one`] does.
pub(super) fn all(bodies: &[impl Serialize], message: &str) -> Result<Vec<Value>, Fault> {
    bodies.iter().map(|body| one(body, message)).collect()
}

/// Returns the message for NetBox's changelog: NetBox fails at a longer one.
pub(in crate::sinks::netbox) fn changelog_message(reason: &str, source: &str) -> String {
    fields::cut(&fields::line(&format!("provision: {reason}; {source}")), LONGEST_MESSAGE)
}

/// Returns the bytes of a body.
pub(super) fn bytes(body: &impl Serialize) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(body).map_err(|error| Fault::Refused(error.to_string()))
}
