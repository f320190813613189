//! A failed call as a value: its class decides what is done next, the rest is for the person who reads it.
//!
//! Which code of which service has which class is decided where the calls are made, not here.

use std::{
    error::Error,
    fmt::{self, Write as _},
    time::Duration,
};

use serde::Serialize;

/// The classes of errors, by what is done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The resource does not exist.
    NotFound,
    /// The resource exists already.
    Exists,
    /// Too many calls; the same call succeeds later.
    Throttled,
    /// A recent write elsewhere is not visible yet: retried if this run wrote it, final if not.
    NotYet,
    /// Another change of the same resource is running; the same call succeeds later.
    InProgress,
    /// No call was made: there are no credentials.
    NoCredentials,
    /// The caller lacks a permission.
    Denied,
    /// The call itself is invalid; a retry does not help.
    Invalid,
    /// No answer, or a fault at AWS (5xx): the call may or may not have taken effect.
    Unreachable,
    /// Any other error: it is not retried.
    Other,
}

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// `service.Operation`, as AWS spells the operation.
    pub call: String,
    /// Class of the error.
    pub class: Class,
    /// HTTP status; `None` if there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// AWS error code, without the `Exception` that some emulators add; `None` if the answer has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Message of AWS, or of the transport.
    pub message: String,
    /// AWS request id, for AWS support; `None` if there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Failure {
    /// Returns the same failure, with the time after which it was no longer waited for what AWS does.
    #[must_use]
    pub(crate) fn given_up_after(mut self, waited: Duration) -> Self {
        let separator = if self.message.is_empty() { "" } else { "; " };
        let _ = write!(self.message, "{separator}given up after {} s: run it again to go on", waited.as_secs());
        self
    }
}

impl Error for Failure {}

impl fmt::Display for Failure {
    /// Writes one line: `lambda.GetFunction 403 AccessDenied: … (request 1a2b)`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.call)?;
        if let Some(status) = self.status {
            write!(formatter, " {status}")?;
        }
        if let Some(code) = &self.code {
            write!(formatter, " {code}")?;
        }
        if !self.message.is_empty() {
            write!(formatter, ": {}", self.message)?;
        }
        match &self.request_id {
            Some(id) => write!(formatter, " (request {id})"),
            None => Ok(()),
        }
    }
}

impl Failure {
    /// Returns a failure that was found in a successful answer, such as a function whose update failed.
    pub fn found(call: &str, class: Class, message: impl Into<String>) -> Self {
        Self { call: call.to_owned(), class, status: None, code: None, message: message.into(), request_id: None }
    }
}
