//! From an event to a delivery: every mail of an invocation is read, parsed and judged, and ends in exactly one outcome, which is
//! one line in the log.
//!
//! A mail that must be retried makes the invocation fail, after all of its mails were handled: Lambda then retries, and in the
//! end puts the event into the failure queue. A retry delivers again what was delivered, so a sink must be idempotent.

pub mod arrived_mail;
pub mod decision;
pub mod document;
pub mod held;
mod mail_report;
mod one_mail;
pub mod sink;
pub mod unmatched;

use std::sync::Arc;

use thiserror::Error;

use self::{mail_report::MailOutcome, one_mail::Handled, sink::Sink};
use contract::{
    context::MailPlace,
    count::counted,
    receipt_event::{ReceiptEvent, SETUP_OBJECT},
};
use mail::Mail;
use notice::outcome::Outcome;
use runtime::{log::Log, store::ObjectSource};
use trust::Policy;

/// Handles mails, with everything that this takes.
#[derive(Debug)]
pub struct Pipeline<Store, Delivery> {
    /// Places of mails, in the order in which they are searched.
    pub places: Vec<MailPlace>,
    /// Senders that are trusted.
    pub policy: Policy,
    /// Mails that are deleted after their handling.
    pub deletion: Deletion,
    /// Parser of mails: [`carriers::parse`]. A value, so that tests can make it fail.
    pub parse: fn(&Mail) -> Outcome,
    /// Store that contains the mails.
    pub store: Store,
    /// Sink that the notices are delivered to.
    pub sink: Delivery,
    /// Log that the reports go to.
    pub log: Arc<Log>,
}

/// The mails that are deleted from their bucket after their handling, if the sinks hold all of them: see [`held`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deletion {
    /// `true` for mails that were delivered.
    pub processed: bool,
    /// `true` for unrecognised mails that have been handed to a person.
    pub unknown: bool,
}

/// The reasons why an invocation failed.
#[derive(Debug, Error)]
pub enum Unfinished {
    /// The event contains no mail.
    #[error("the event is not an SES receipt event: it has no records")]
    NoRecords,
    /// Some mails must be retried.
    #[error("{} of {} must be tried again: {}", .again.len(), counted(*mails, "mail"), .again.join("; "))]
    TryAgain {
        /// Number of mails in the event.
        mails: usize,
        /// SES message id and reason of each mail that must be retried.
        again: Vec<String>,
    },
}

impl<Store: ObjectSource, Delivery: Sink> Pipeline<Store, Delivery> {
    /// Handles every mail of an event, one after the other.
    pub async fn handle(&self, request_id: &str, event: &ReceiptEvent) -> Result<(), Unfinished> {
        if event.records.is_empty() {
            return Err(Unfinished::NoRecords);
        }
        let mut again = Vec::new();
        let mut spent = Vec::new();
        for record in &event.records {
            let id = record.ses.mail.message_id.as_deref();
            if id == Some(SETUP_OBJECT) {
                tracing::info!("passed over SES's set-up object, which is not a mail");
                continue;
            }
            let Handled { report, panicked, is_spent } = self.one_mail(request_id, &record.ses).await;
            let place = report.details.bucket.clone().zip(report.details.key.clone());
            let metrics = mail_report::metrics(&report, panicked);
            let (outcome, reason) = (report.outcome, report.reason.clone());
            let logged = self.log.item(report.into(), &metrics);
            let id = id.unwrap_or("a record without a message id");
            if outcome == MailOutcome::Retry {
                again.push(format!("{id}: {}", reason.unwrap_or_default()));
            } else if let Err(error) = logged {
                again.push(format!("{id}: its report could not be written: {error}"));
            } else if let (true, Some(place)) = (is_spent, place) {
                spent.push(place);
            }
        }
        // Deleted after the last mail only: a retry needs its mail, and so do the event's other mails.
        if again.is_empty() {
            for (bucket, key) in spent {
                if let Err(error) = self.store.delete(&bucket, &key).await {
                    again.push(format!("s3://{bucket}/{key} could not be deleted: {error}"));
                }
            }
        }
        if again.is_empty() { Ok(()) } else { Err(Unfinished::TryAgain { mails: event.records.len(), again }) }
    }
}

#[cfg(test)]
pub(crate) mod tests;
