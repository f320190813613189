//! The order of the steps, and what each failure means.

use std::{future::Future, time::Duration};

use contract::sending::MailId;
use engine::{Class, Failure};
use jiff::Timestamp;

use crate::{
    message,
    record::{Earlier, Record, Sent},
    request::{Request, Unsendable},
};

/// The services that a mail needs. Each call is made once: retries are decided here.
pub trait Services {
    /// Returns what is known of a request of this sender (a partition key); `None` if nothing is.
    fn find(&self, sender: &str, request: &str) -> impl Future<Output = Result<Option<Earlier>, Failure>>;
    /// Stores the body of a mail under the record's key.
    fn store(&self, record: &Record, body: &[u8]) -> impl Future<Output = Result<(), Failure>>;
    /// Writes the pending record, unless there is one of the same request. Writing the same record again succeeds.
    fn begin(&self, record: &Record) -> impl Future<Output = Result<Begun, Failure>>;
    /// Sends the mail, with the record's id as its tag. Returns SES's message id.
    fn deliver(&self, request: &Request, record: &Record, body: &[u8])
    -> impl Future<Output = Result<String, Failure>>;
    /// Writes that the mail was sent, and removes the pending record, both or neither. Doing it again changes nothing.
    fn confirm(&self, record: &Record, sent: &Sent) -> impl Future<Output = Result<(), Failure>>;
    /// Removes the pending record of a mail that SES has refused. Doing it again changes nothing.
    fn withdraw(&self, record: &Record) -> impl Future<Output = Result<(), Failure>>;
}

/// The result of writing a pending record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// The record is there.
    Ours,
    /// Another run of the same request was quicker.
    Taken,
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sending {
    /// SES has accepted the mail, and its record says so.
    Sent {
        /// Record of the mail.
        record: Record,
        /// SES's id of the mail, and the time of sending.
        sent: Sent,
    },
    /// An earlier run has sent the same request: nothing was sent now.
    AlreadySent {
        /// Our own id of that mail.
        id: MailId,
        /// SES's answer to that run.
        sent: Sent,
    },
}

/// The reasons why a request was not sent, or not known to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// The request cannot be sent as it is. Nothing was done.
    #[error("the mail cannot be sent: {0}")]
    Unsendable(#[from] Unsendable),
    /// The system has no random bytes for an id. Nothing was done.
    #[error("there is no random id: {0}")]
    NoId(String),
    /// The records could not be read, or the body not stored, or the record not written. Nothing was sent.
    #[error("nothing was sent: {0}")]
    NotBegun(#[source] Failure),
    /// SES has refused the mail. Nothing was sent.
    #[error("SES refused the mail: {failure}")]
    Refused {
        /// Answer of SES, classified.
        #[source]
        failure: Failure,
        /// Why the pending record could not be removed; `None` if it was. A later run of the same request then says that it may have been
        /// sent.
        left: Option<Box<Failure>>,
    },
    /// SES's answer to this run is not known: the mail may have been sent. Its record stays pending.
    #[error("SES may have accepted the mail, its answer is not known: {failure}")]
    Unknown {
        /// Our own id of the mail.
        id: MailId,
        /// Fault in the place of an answer.
        #[source]
        failure: Box<Failure>,
    },
    /// An earlier run of the same request has not learned SES's answer, or is still under way. Nothing was sent now.
    #[error("an earlier run of the same request may have sent it: SES's answer to the mail `{}` of {} is not known", .0.id, .0.begun)]
    Undecided(Box<Earlier>),
    /// SES has accepted the mail, and that could not be recorded: its record stays pending.
    #[error("SES accepted the mail as `{}`, but that could not be recorded: {failure}", sent.message_id)]
    NotRecorded {
        /// Our own id of the mail.
        id: MailId,
        /// SES's id of the mail, and the time of sending.
        sent: Sent,
        /// Fault of the place of the record.
        #[source]
        failure: Box<Failure>,
    },
    /// There is no pending record of the request. Nothing was recorded.
    #[error("no record of the request is pending")]
    NothingPending,
}

/// How often a call that may be repeated is made, and the wait before the second time, which doubles each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Maximum number of calls, at least 1.
    pub attempts: u32,
    /// Wait before the second one.
    pub first_wait: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { attempts: 5, first_wait: Duration::from_millis(200) }
    }
}

/// Sends a request, at most once. `prefix` is that of the bodies in S3.
pub async fn send(
    services: &impl Services,
    request: &Request,
    prefix: &str,
    patience: Patience,
) -> Result<Sending, NotSent> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| NotSent::NoId(error.to_string()))?;
    let record = Record::new(request, MailId::of(bytes), prefix, Timestamp::now());
    let body = message::write(request, &record)?;
    if let Some(earlier) = find(services, &record, patience).await? {
        return known(services, request, earlier, patience).await;
    }
    patience.repeat(|| services.store(&record, &body)).await.map_err(NotSent::NotBegun)?;
    if let Some(earlier) = begin(services, &record, patience).await? {
        return known(services, request, earlier, patience).await;
    }
    let answer = services.deliver(request, &record, &body).await;
    let message_id = match answer {
        Ok(message_id) => message_id,
        Err(failure) if is_refusal(&failure) => {
            let left = patience.repeat(|| services.withdraw(&record)).await.err().map(Box::new);
            return Err(NotSent::Refused { failure, left });
        }
        Err(failure) => return Err(NotSent::Unknown { id: record.id, failure: Box::new(failure) }),
    };
    let sent = Sent { message_id, at: Timestamp::now() };
    confirm(services, record, sent, patience).await
}

/// Records SES's message id for a request whose record is pending, where a person has learned it: from the run that could not record it, or
/// from an event that has the tag. Nothing is sent.
pub async fn settle(
    services: &impl Services,
    request: &Request,
    message_id: &str,
    patience: Patience,
) -> Result<Sending, NotSent> {
    let sender = contract::sending::partition_key(&request.from.address);
    let digest = request.digest();
    let found = patience.repeat(|| services.find(&sender, &digest)).await.map_err(NotSent::NotBegun)?;
    let earlier = found.ok_or(NotSent::NothingPending)?;
    if earlier.sent.is_some() {
        return known(services, request, earlier, patience).await;
    }
    let sent = Sent { message_id: message_id.to_owned(), at: earlier.begun };
    confirm(services, Record::of_earlier(request, &earlier), sent, patience).await
}

async fn confirm(services: &impl Services, record: Record, sent: Sent, patience: Patience) -> Result<Sending, NotSent> {
    match patience.repeat(|| services.confirm(&record, &sent)).await {
        Ok(()) => Ok(Sending::Sent { record, sent }),
        Err(failure) => Err(NotSent::NotRecorded { id: record.id, sent, failure: Box::new(failure) }),
    }
}

async fn find(services: &impl Services, record: &Record, patience: Patience) -> Result<Option<Earlier>, NotSent> {
    patience.repeat(|| services.find(&record.sender, &record.request)).await.map_err(NotSent::NotBegun)
}

/// Writes the pending record; returns the earlier one if another run of the same request was quicker. If that fails without an answer it may
/// be there all the same: it is removed again, since nothing was sent.
async fn begin(services: &impl Services, record: &Record, patience: Patience) -> Result<Option<Earlier>, NotSent> {
    match patience.repeat(|| services.begin(record)).await {
        Ok(Begun::Ours) => Ok(None),
        Ok(Begun::Taken) => match find(services, record, patience).await? {
            // An attempt of ours whose answer was lost has written it.
            Some(earlier) if earlier.id == record.id => Ok(None),
            Some(earlier) => Ok(Some(earlier)),
            None => {
                let words = "another run of the same request was refused at the same time";
                Err(NotSent::NotBegun(Failure::found("record", Class::InProgress, words)))
            }
        },
        Err(failure) => {
            let _is_pending_at_worst = patience.repeat(|| services.withdraw(record)).await;
            Err(NotSent::NotBegun(failure))
        }
    }
}

/// Returns under which id an earlier run has sent the mail. A place of records that does not know it yet is told.
async fn known(
    services: &impl Services,
    request: &Request,
    earlier: Earlier,
    patience: Patience,
) -> Result<Sending, NotSent> {
    let Some(sent) = earlier.sent.clone() else { return Err(NotSent::Undecided(Box::new(earlier))) };
    if !earlier.is_whole {
        confirm(services, Record::of_earlier(request, &earlier), sent.clone(), patience).await?;
    }
    Ok(Sending::AlreadySent { id: earlier.id, sent })
}

/// Returns `true` if SES has certainly not accepted the mail: it has answered with a refusal, or was not asked. Without an answer, and with a
/// fault of SES's own (5xx), nobody knows.
fn is_refusal(failure: &Failure) -> bool {
    // 408 is an answer in the place of one that did not come in time.
    let is_answered = failure.status.is_some_and(|status| (400..500).contains(&status) && status != 408);
    is_answered || failure.class == Class::NoCredentials
}

impl Patience {
    /// Makes a call until it succeeds, fails for good, or has been made often enough.
    async fn repeat<T, Called>(self, call: impl Fn() -> Called) -> Result<T, Failure>
    where
        Called: Future<Output = Result<T, Failure>>,
    {
        let mut wait = self.first_wait;
        for _ in 1..self.attempts {
            match call().await {
                Err(failure) if passes(failure.class) => {
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
                answer => return answer,
            }
        }
        call().await
    }
}

fn passes(class: Class) -> bool {
    matches!(class, Class::Throttled | Class::InProgress | Class::NotYet | Class::Unreachable)
}
