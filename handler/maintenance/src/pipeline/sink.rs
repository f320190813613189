//! Where notices go. A sink answers for idempotence and order: the same notice may be delivered twice, and an older one after
//! a newer one. What it needs for that is in the notice (when it was announced, its sequence) and in the arrived (its identity).

use std::future::Future;

use runtime::Deadline;
use thiserror::Error;

use super::arrived_mail::ArrivedMail;
use notice::{model::Maintenance, outcome::Notice};

/// What takes notices.
pub trait Sink {
    /// Sets the invocation's deadline; start nothing that cannot finish before it.
    fn until(&self, _deadline: Deadline) {}

    /// Puts every maintenance of a trusted notice where it belongs.
    fn deliver(&self, arrived: &ArrivedMail, notice: &Notice) -> impl Future<Output = Result<Delivered, SinkError>>;

    /// Puts a mail before a person.
    fn hand_over(&self, arrived: &ArrivedMail, handover: &Handover<'_>) -> impl Future<Output = Result<(), SinkError>>;
}

/// What a sink has done with a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivered {
    /// All that it asks for.
    Whole,
    /// What it could: the sink itself has put the rest before a person.
    ForPerson {
        /// What is left to do, and why.
        reason: String,
    },
}

/// What a person has to know of a mail.
#[derive(Debug, Clone, Copy)]
pub struct Handover<'handover> {
    /// Why a person has to look at it.
    pub reason: &'handover str,
    /// What could be read, unverified.
    pub suggestion: &'handover [Maintenance],
}

/// Why a sink did not take a mail.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SinkError {
    /// It may another time.
    #[error("{0}")]
    Transient(String),
    /// It never will take this one.
    #[error("{0}")]
    Refused(String),
}

/// Several sinks: each takes every notice and every mail for a person. What one of them could not take yet is tried again with all,
/// which the others bear as they bear any repetition.
#[derive(Debug)]
pub struct Several<One>(pub Vec<One>);

impl<One: Sink> Sink for Several<One> {
    fn until(&self, deadline: Deadline) {
        for sink in &self.0 {
            sink.until(deadline);
        }
    }

    async fn deliver(&self, arrived: &ArrivedMail, notice: &Notice) -> Result<Delivered, SinkError> {
        let (mut concerns, mut transient, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        for sink in &self.0 {
            match sink.deliver(arrived, notice).await {
                Ok(Delivered::Whole) => {}
                Ok(Delivered::ForPerson { reason }) => concerns.push(reason),
                Err(SinkError::Transient(reason)) => transient.push(reason),
                Err(SinkError::Refused(reason)) => refused.push(reason),
            }
        }
        if !transient.is_empty() {
            return Err(SinkError::Transient(transient.join("; ")));
        }
        if !refused.is_empty() {
            return Err(SinkError::Refused(refused.join("; ")));
        }
        if concerns.is_empty() {
            Ok(Delivered::Whole)
        } else {
            Ok(Delivered::ForPerson { reason: concerns.join("; ") })
        }
    }

    async fn hand_over(&self, arrived: &ArrivedMail, handover: &Handover<'_>) -> Result<(), SinkError> {
        let mut failed = Ok(());
        for sink in &self.0 {
            failed = failed.and(sink.hand_over(arrived, handover).await);
        }
        failed
    }
}
