//! From an event to a delivery: every mail that an invocation is about is read, understood, judged, and ends in
//! exactly one outcome, which is one line in the log.
//!
//! What has to be tried again makes the invocation fail, after all of its mails were tried: Lambda then retries, and at last puts
//! the event into the failure queue. A retry delivers again what was delivered, so a sink has to bear that.

pub mod arrived_mail;
pub mod decision;
pub mod document;
mod mail_report;
mod one_mail;
pub mod sink;
pub mod unmatched;

use std::sync::Arc;

use thiserror::Error;

use self::{mail_report::MailOutcome, one_mail::Handled, sink::Sink};
use contract::{
    context::MailPlace,
    receipt_event::{ReceiptEvent, SETUP_OBJECT},
};
use mail::Mail;
use notice::outcome::Outcome;
use runtime::{log::Log, store::ObjectSource};
use trust::Policy;

/// Everything that a mail passes through.
#[derive(Debug)]
pub struct Pipeline<Store, Delivery> {
    /// Where mails may be, in the order in which they are looked for.
    pub places: Vec<MailPlace>,
    /// Whom to trust.
    pub policy: Policy,
    /// Which mails are deleted once nothing is left to do for them.
    pub deletion: Deletion,
    /// What reads a mail: [`notice::parse`]. A value, so that its faults can be tried.
    pub parse: fn(&Mail) -> Outcome,
    /// What holds the mails.
    pub store: Store,
    /// What takes the notices.
    pub sink: Delivery,
    /// Where the reports go.
    pub log: Arc<Log>,
}

/// Which mails are deleted from their bucket, once nothing is left to do for them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deletion {
    /// Mails that were delivered or ignored.
    pub processed: bool,
    /// Unrecognised mail that has been handed to a person.
    pub unknown: bool,
}

/// Why an invocation has failed.
#[derive(Debug, Error)]
pub enum Unfinished {
    /// The event is about no mail.
    #[error("the event is no SES receipt event: it has no records")]
    NoRecords,
    /// Some mails have to be tried again.
    #[error("{} of {mails} mails must be tried again: {}", .again.len(), .again.join("; "))]
    TryAgain {
        /// How many the event is about.
        mails: usize,
        /// SES's message id of each, and the reason.
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
                tracing::info!("passed over SES's set-up object, which is no mail");
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
        // Not before all is done: what is tried again needs its mail, and so do the event's others.
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
