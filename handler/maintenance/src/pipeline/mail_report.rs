//! The log line of one mail, and its metrics.

use contract::{
    maintenance::Announced,
    receipt_event::Verdicts,
    report::{Class, ItemReport},
};
use jiff::Timestamp;
use runtime::log::{Metric, Unit};
use serde::Serialize;
use serde_json::Value;

/// The report on a mail.
#[derive(Debug, Clone)]
pub(super) struct MailReport {
    /// Lambda's request id of the invocation.
    pub(super) request_id: String,
    /// SES message id; empty if the event names none.
    pub(super) ses_message_id: String,
    /// Outcome of the mail.
    pub(super) outcome: MailOutcome,
    /// Why it was not delivered, or what its delivery did not do; `None` if it was delivered and did everything.
    pub(super) reason: Option<String>,
    /// Duration of the handling, in milliseconds.
    pub(super) duration_ms: f64,
    /// Details of the mail.
    pub(super) details: MailDetails,
}

/// The details that a report has besides the outcome.
#[derive(Debug, Clone, Serialize)]
pub(super) struct MailDetails {
    /// Bucket that contains it, or that was searched last.
    pub(super) bucket: Option<String>,
    /// Key of the object.
    pub(super) key: Option<String>,
    /// `true` if the object is deleted after the event's last mail.
    #[serde(rename = "deleted")]
    pub(super) is_deleted: bool,
    /// Its `Message-ID`, without angle brackets.
    pub(super) message_id: Option<String>,
    /// Address of its outer `From`.
    pub(super) sender: Option<String>,
    /// Subject of the outer message.
    pub(super) subject: Option<String>,
    /// Time at which SES received it.
    pub(super) received_at: Option<Timestamp>,
    /// Slug of the provider whose mail it is or claims to be.
    pub(super) provider: Option<String>,
    /// Description of how the provider was recognised.
    pub(super) recognised_by: Option<String>,
    /// SES's verdicts on the mail.
    pub(super) verdicts: Verdicts,
    /// Number of conflicts between what the notice changed and what people had set.
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) conflicts: usize,
    /// Maintenances that were delivered, and those that were suggested to a person.
    #[serde(flatten)]
    pub(super) announced: Announced,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// The outcome of a mail: exactly one of four.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MailOutcome {
    /// Every maintenance is where it belongs.
    Delivered,
    /// The mail of a known sender is not a notice.
    Ignored,
    /// A person has to look at it.
    ForPerson,
    /// A dependency was not available in time: Lambda retries.
    Retry,
}

impl MailOutcome {
    /// Returns the outcome's class, and its word in the report.
    fn class(self) -> (Class, &'static str) {
        match self {
            Self::Delivered => (Class::Done, "delivered"),
            Self::Ignored => (Class::Ignored, "ignored"),
            Self::ForPerson => (Class::ForPerson, "for_person"),
            Self::Retry => (Class::Retry, "retry"),
        }
    }
}

impl From<MailReport> for ItemReport {
    fn from(report: MailReport) -> Self {
        let (class, outcome) = report.outcome.class();
        let facts = facts(&report);
        let details = match serde_json::to_value(report.details) {
            Ok(Value::Object(details)) => details,
            Ok(_) | Err(_) => serde_json::Map::new(),
        };
        Self {
            request_id: report.request_id,
            item: report.ses_message_id,
            class,
            outcome: outcome.to_owned(),
            reason: report.reason,
            facts,
            duration_ms: report.duration_ms,
            details,
        }
    }
}

fn facts(report: &MailReport) -> Vec<(String, String)> {
    let MailDetails { provider, subject, sender, key, announced, is_deleted, .. } = &report.details;
    let ids: Vec<&str> = announced.maintenances.iter().map(|record| record.maintenance_id.as_ref()).collect();
    let ids = (!ids.is_empty()).then(|| ids.join(" "));
    // Of a mail that was not found, or is deleted, SES's id is all that is left.
    let place = key.as_ref().filter(|_| !is_deleted).unwrap_or(&report.ses_message_id);
    [
        ("provider", Some(provider.as_deref().unwrap_or("unknown"))),
        ("maintenance", ids.as_deref()),
        ("subject", subject.as_deref()),
        ("from", sender.as_deref()),
        ("mail", Some(place.as_str())),
    ]
    .into_iter()
    .filter_map(|(label, text)| Some((label.to_owned(), text?.to_owned())))
    .collect()
}

/// Returns the metrics of a mail. Every outcome is counted, with 0 too, so that alarms have data.
pub(super) fn metrics(report: &MailReport, panicked: bool) -> [Metric; 8] {
    let is = |outcome| f64::from(u8::from(report.outcome == outcome));
    let count = |name, value| Metric { name, unit: Unit::Count, value };
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    [
        count("Delivered", is(MailOutcome::Delivered)),
        count("Ignored", is(MailOutcome::Ignored)),
        count("ForPerson", is(MailOutcome::ForPerson)),
        count("Retry", is(MailOutcome::Retry)),
        count("Panics", f64::from(u8::from(panicked))),
        count("Maintenances", number(report.details.announced.maintenances.len())),
        count("Conflicts", number(report.details.conflicts)),
        Metric { name: "Duration", unit: Unit::Milliseconds, value: report.duration_ms },
    ]
}
