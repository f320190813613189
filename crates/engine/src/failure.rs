//! A failed call as a value: its class says what is done next, the rest is for the person who reads it.
//!
//! Which code of which service has which class is decided where the calls are made, not here.

use std::{error::Error, fmt};

use serde::Serialize;

/// The classes of errors, by what is done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// There is no such thing.
    NotFound,
    /// There is such a thing already.
    Exists,
    /// Too many calls; the same call later is right.
    Throttled,
    /// A recent write elsewhere is not visible yet: retried if this run wrote it, final if not.
    NotYet,
    /// Another change of the same thing is going on; the same call later is right.
    InProgress,
    /// Nothing was asked: there are no credentials to ask with.
    NoCredentials,
    /// The caller lacks the right.
    Denied,
    /// The call makes no sense as it is.
    Invalid,
    /// No answer, or an answer that tells of trouble at AWS: whether the call did anything is unknown.
    Unreachable,
    /// Any other error.
    Other,
}

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// `service.Operation`, as AWS spells the operation.
    pub call: String,
    /// Class of the error.
    pub class: Class,
    /// The HTTP status, if there was an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// AWS's code, without the `Exception` that some emulators add.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// AWS's words, or the transport's.
    pub message: String,
    /// AWS's id of the request, for its support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Error for Failure {}

impl fmt::Display for Failure {
    /// One line: `lambda.GetFunction 403 AccessDenied: … (request 1a2b)`.
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
    /// A failure that we found ourselves, in an answer that was no error: a function whose update failed, say.
    pub fn found(call: &str, class: Class, message: impl Into<String>) -> Self {
        Self { call: call.to_owned(), class, status: None, code: None, message: message.into(), request_id: None }
    }
}
