//! The interface of sinks. A sink is responsible for idempotence and order: the same notice may be delivered twice, and an older
//! one after a newer one. It decides by the notice (its time, its sequence) and the identity of the arrived mail.

use std::future::Future;

use contract::probe::Check;
use runtime::Deadline;
use thiserror::Error;

use super::{
    arrived_mail::ArrivedMail,
    held::{Held, Purpose},
};
use notice::{model::Maintenance, outcome::Notice};

/// A destination of notices.
pub trait Sink {
    /// Sets the invocation's deadline; start nothing that cannot finish before it.
    fn until(&self, _deadline: Deadline) {}

    /// Returns what the sink would hold of a mail whose object may go ([`Retention::MayGo`](super::held::Retention::MayGo)). No promise: what
    /// it does hold, its answer says.
    fn can_hold(&self, arrived: &ArrivedMail, purpose: Purpose) -> Held;

    /// Delivers every maintenance of a trusted notice.
    fn deliver(&self, arrived: &ArrivedMail, notice: &Notice) -> impl Future<Output = Result<Delivered, SinkError>>;

    /// Hands a mail to a person; returns what the sink holds of it.
    fn hand_over(
        &self,
        arrived: &ArrivedMail,
        handover: &Handover<'_>,
    ) -> impl Future<Output = Result<Held, SinkError>>;

    /// Tries whether the sink is reached with the function's own rights, and changes nothing. What the function's context names is tried
    /// elsewhere.
    fn check(&self) -> impl Future<Output = Vec<Check>> {
        async { Vec::new() }
    }

    /// Closes what an earlier delivery of the mail has put before a person, after every sink has delivered it and nothing of it is left to
    /// look at. Most sinks keep nothing of it.
    fn settle(&self, _arrived: &ArrivedMail) -> impl Future<Output = Result<(), SinkError>> {
        async { Ok(()) }
    }
}

/// The result of a delivery.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Copy of the mail that the sink holds.
    pub held: Held,
    /// Remaining work that the sink itself has handed to a person, with the reasons; empty if the notice was delivered completely.
    pub concerns: Vec<String>,
    /// Remarks on what the notice did not change, for whoever reads the log.
    pub remarks: Vec<String>,
    /// Conflicts between what the notice changed and what people had set, in words.
    pub conflicts: Vec<String>,
}

impl Delivered {
    /// Returns the result of a complete delivery by a sink that holds nothing of the mail.
    pub fn completely() -> Self {
        Self::default()
    }

    /// Adds the result of another sink.
    fn add(&mut self, other: Self) {
        self.held = self.held.and(other.held);
        self.concerns.extend(other.concerns);
        self.remarks.extend(other.remarks);
        self.conflicts.extend(other.conflicts);
    }
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

    async fn check(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        for sink in &self.0 {
            checks.extend(sink.check().await);
        }
        checks
    }

    fn can_hold(&self, arrived: &ArrivedMail, purpose: Purpose) -> Held {
        self.0.iter().fold(Held::NOTHING, |held, sink| held.and(sink.can_hold(arrived, purpose)))
    }

    async fn deliver(&self, arrived: &ArrivedMail, notice: &Notice) -> Result<Delivered, SinkError> {
        let mut all = Delivered::default();
        let (mut transient, mut refused) = (Vec::new(), Vec::new());
        for sink in &self.0 {
            match sink.deliver(arrived, notice).await {
                Ok(delivered) => all.add(delivered),
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
        Ok(all)
    }

    async fn hand_over(&self, arrived: &ArrivedMail, handover: &Handover<'_>) -> Result<Held, SinkError> {
        let mut all = Ok(Held::NOTHING);
        for sink in &self.0 {
            let one = sink.hand_over(arrived, handover).await;
            all = all.and_then(|held| one.map(|one| held.and(one)));
        }
        all
    }

    async fn settle(&self, arrived: &ArrivedMail) -> Result<(), SinkError> {
        for sink in &self.0 {
            sink.settle(arrived).await?;
        }
        Ok(())
    }
}
