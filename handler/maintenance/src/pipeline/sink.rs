//! The interface of sinks. A sink is responsible for idempotence and order: the same notice may be delivered twice, and an older
//! one after a newer one. It decides by the notice (its time, its sequence) and the identity of the arrived mail.

use std::future::Future;

use runtime::Deadline;
use thiserror::Error;

use super::arrived_mail::ArrivedMail;
use notice::{model::Maintenance, outcome::Notice};

/// A destination of notices.
pub trait Sink {
    /// Sets the invocation's deadline; start nothing that cannot finish before it.
    fn until(&self, _deadline: Deadline) {}

    /// Delivers every maintenance of a trusted notice.
    fn deliver(&self, arrived: &ArrivedMail, notice: &Notice) -> impl Future<Output = Result<Delivered, SinkError>>;

    /// Hands a mail to a person.
    fn hand_over(&self, arrived: &ArrivedMail, handover: &Handover<'_>) -> impl Future<Output = Result<(), SinkError>>;
}

/// The result of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivered {
    /// The notice was delivered completely.
    Whole,
    /// The notice was delivered as far as possible: the sink itself has handed the rest to a person.
    ForPerson {
        /// What is left to do, and why.
        reason: String,
    },
}

/// The information that a person needs about a mail.
#[derive(Debug, Clone, Copy)]
pub struct Handover<'handover> {
    /// Why a person has to look at it.
    pub reason: &'handover str,
    /// Maintenances that could be read, unverified.
    pub suggestion: &'handover [Maintenance],
}

/// The reasons why a sink did not take a mail.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SinkError {
    /// A retry may succeed.
    #[error("{0}")]
    Transient(String),
    /// No retry will succeed.
    #[error("{0}")]
    Refused(String),
}

/// Several sinks: each gets every notice and every mail for a person. If one of them has to retry, all get the mail again, which
/// the others bear since they are idempotent.
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
