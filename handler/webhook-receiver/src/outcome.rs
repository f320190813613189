//! The outcome of a request: its answer, its line in the log, and its metrics. Neither repeats what a stranger sent.

use std::time::Duration;

use contract::{
    api_event::ApiAnswer,
    job::Job,
    report::{Class, ItemReport},
};
use runtime::log::{Metric, Unit};
use serde_json::{Map, json};

/// Time after which a sender may try again, in seconds.
const RETRY_AFTER: u32 = 10;

/// The outcome of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The job is in the queue.
    Queued { job: Job },
    /// The event is none that is wanted.
    Ignored { event: String },
    /// The request is wrong: the sender's mistake, or not the sender.
    Refused { status: u16, message: String, reason: String },
    /// A fault of ours: the sender has to try again.
    Failed { job: Option<Job>, reason: String },
}

impl Outcome {
    /// Returns the outcome of a request that is answered with that status and why.
    pub(crate) fn refused(status: u16, reason: &str) -> Self {
        Self::Refused { status, message: reason.to_owned(), reason: reason.to_owned() }
    }

    /// Returns the outcome of a request that proves nothing; why is for the log alone.
    pub(crate) fn unauthentic(reason: &str) -> Self {
        Self::Refused { status: 401, message: "the request is not authentic".to_owned(), reason: reason.to_owned() }
    }

    /// Returns the outcome of a request that could not be handled now.
    pub(crate) fn failed(job: Option<Job>, reason: String) -> Self {
        Self::Failed { job, reason }
    }

    /// Returns the answer to the sender.
    pub(crate) fn answer(&self) -> ApiAnswer {
        let error = |status, message: &str| ApiAnswer::json(status, &json!({"error": {"message": message}}));
        match self {
            Self::Queued { job } => ApiAnswer::json(202, &json!({"status": "queued", "id": job.id})),
            Self::Ignored { .. } => ApiAnswer::json(200, &json!({"status": "ignored"})),
            Self::Refused { status, message, .. } => error(*status, message),
            Self::Failed { .. } => {
                let mut answer = error(503, "the request could not be taken now; send it again");
                answer.headers.insert("retry-after", RETRY_AFTER.to_string());
                answer
            }
        }
    }

    /// Returns the line of the log, and its metrics.
    pub(crate) fn report(&self, request_id: &str, route: &str, duration: Duration) -> (ItemReport, Vec<Metric>) {
        let (class, outcome) = match self {
            Self::Queued { .. } => (Class::Done, "queued"),
            Self::Ignored { .. } => (Class::Ignored, "ignored"),
            Self::Refused { .. } => (Class::Ignored, "refused"),
            Self::Failed { .. } => (Class::Retry, "failed"),
        };
        let (job, reason) = match self {
            Self::Queued { job } => (Some(job), None),
            Self::Ignored { .. } => (None, None),
            Self::Refused { reason, .. } => (None, Some(reason)),
            Self::Failed { job, reason } => (job.as_ref(), Some(reason)),
        };
        let event = match self {
            Self::Ignored { event } => Some(event),
            _ => job.map(|job| &job.event),
        };
        let message = job.and_then(|job| job.message.as_ref());
        let facts = [("event", event), ("message", message)];
        let details = [("route", json!(route)), ("status", json!(self.answer().status_code))];
        let duration_ms = duration.as_secs_f64() * 1e3;
        let report = ItemReport {
            request_id: request_id.to_owned(),
            item: job.map(|job| job.id.to_string()).unwrap_or_default(),
            class,
            outcome: outcome.to_owned(),
            reason: reason.cloned(),
            facts: facts.into_iter().filter_map(|(label, text)| Some((label.to_owned(), text?.clone()))).collect(),
            duration_ms,
            details: details.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>(),
        };
        let count = |name, of| Metric { name, unit: Unit::Count, value: f64::from(u8::from(outcome == of)) };
        let metrics = vec![
            count("Queued", "queued"),
            count("Ignored", "ignored"),
            count("Refused", "refused"),
            count("Failed", "failed"),
            Metric { name: "Duration", unit: Unit::Milliseconds, value: duration_ms },
        ];
        (report, metrics)
    }
}
