//! Failures of invocations, in Lambda's words, and the message that Lambda puts into the failure
//! queue.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

/// The reasons why an invocation failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The function answered with an error; its process goes on running.
    #[error("{kind}: {message}")]
    Answered {
        /// Type of the error (`errorType`).
        kind: String,
        /// Message of the error (`errorMessage`).
        message: String,
    },
    /// The function reported that it could not start.
    #[error("could not start: {kind}: {message}")]
    Init {
        /// Type of the error (`errorType`).
        kind: String,
        /// Message of the error (`errorMessage`).
        message: String,
    },
    /// The process did not ask for an event within this time.
    #[error("did not ask for an event within {}s of its start", .0.as_secs())]
    NotReady(Duration),
    /// The process ended without an answer. The text describes how.
    #[error("the process ended without an answer: {0}")]
    Exited(String),
    /// The invocation took longer than this timeout; the process was killed.
    #[error("Task timed out after {:.2} seconds", .0.as_secs_f64())]
    TimedOut(Duration),
    /// The process used more memory than declared and was killed.
    #[error("out of memory: {} MB resident, {limit} MB declared; killed", used.div_ceil(1024 * 1024))]
    OutOfMemory {
        /// Memory that it used, in bytes.
        used: u64,
        /// Memory that the function declares, in MiB.
        limit: u32,
    },
    /// The process could not be started. The text says why.
    #[error("could not run the binary: {0}")]
    NotRun(String),
    /// The function named the message in its answer to a batch.
    #[error("the function returned the message in `batchItemFailures`")]
    Returned,
    /// The answer to a batch is none: Lambda takes that for the failure of all its messages. The text says what is wrong.
    #[error("the answer {0}, so that the whole batch failed")]
    Malformed(String),
    /// The function is done with the message, and its file could not be removed. The text says why.
    #[error("could not delete the message: {0}")]
    NotDeleted(String),
}

impl Failure {
    /// Reads the body that a runtime posts: `{"errorType", "errorMessage"}`.
    pub fn posted(body: &[u8], init: bool) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |key: &str, default: &str| body.get(key).and_then(Value::as_str).unwrap_or(default).to_owned();
        let (kind, message) = (text("errorType", "Unknown"), text("errorMessage", "the function did not say why"));
        if init { Self::Init { kind, message } } else { Self::Answered { kind, message } }
    }

    /// Returns whether the failure ends the process, so that the next event meets a new one.
    pub fn ends_instance(&self) -> bool {
        !matches!(self, Self::Answered { .. } | Self::Returned | Self::Malformed(_) | Self::NotDeleted(_))
    }

    /// Returns `errorType` and `errorMessage` as Lambda writes them.
    fn payload(&self) -> Value {
        match self {
            Self::Answered { kind, message } | Self::Init { kind, message } => {
                json!({"errorType": kind, "errorMessage": message})
            }
            Self::TimedOut(_) => json!({"errorType": "Sandbox.Timedout", "errorMessage": self.to_string()}),
            Self::Exited(_) | Self::OutOfMemory { .. } => {
                json!({"errorType": "Runtime.ExitError", "errorMessage": self.to_string()})
            }
            Self::NotReady(_) | Self::NotRun(_) => {
                json!({"errorType": "Runtime.InvalidEntrypoint", "errorMessage": self.to_string()})
            }
            Self::Returned | Self::Malformed(_) | Self::NotDeleted(_) => {
                json!({"errorType": "Function.BatchFailure", "errorMessage": self.to_string()})
            }
        }
    }
}

/// Returns the message that Lambda sends to a failure destination (version 1.0 of the invocation
/// record).
pub(crate) fn record(request_id: &str, function_arn: &str, attempts: u8, event: &Value, failure: &Failure) -> Value {
    json!({
        "version": "1.0",
        "timestamp": format!("{:.3}", Timestamp::now()),
        "requestContext": {
            "requestId": request_id,
            "functionArn": format!("{function_arn}:$LATEST"),
            "condition": "RetriesExhausted",
            "approximateInvokeCount": attempts,
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": failure.payload(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtimes_error_body_is_read_leniently() {
        let posted = Failure::posted(br#"{"errorType": "Transient", "errorMessage": "S3 is away", "x": 1}"#, false);
        assert_eq!(posted.to_string(), "Transient: S3 is away");
        assert!(!posted.ends_instance());
        for body in [&b""[..], b"no json", b"[]", br#"{"errorType": 7}"#] {
            assert_eq!(
                Failure::posted(body, true).to_string(),
                "could not start: Unknown: the function did not say why"
            );
        }
    }

    #[test]
    fn failures_read_like_those_of_lambda() {
        assert_eq!(Failure::TimedOut(Duration::from_secs(3)).to_string(), "Task timed out after 3.00 seconds");
        let memory = Failure::OutOfMemory { used: 300 * 1024 * 1024 + 1, limit: 256 };
        assert_eq!(memory.to_string(), "out of memory: 301 MB resident, 256 MB declared; killed");
        let record = record("id", "arn", 3, &json!({"Records": []}), &Failure::TimedOut(Duration::from_secs(3)));
        assert_eq!(record["requestPayload"], json!({"Records": []}));
        assert_eq!(record["requestContext"]["approximateInvokeCount"], 3);
        assert_eq!(record["responsePayload"]["errorType"], "Sandbox.Timedout");
    }
}
