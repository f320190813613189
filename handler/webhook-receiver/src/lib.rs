//! Takes webhooks: proves who sent a request, reads which job it announces, and queues the job. It downloads nothing and keeps no state, so
//! that the sender has its answer within milliseconds.
//!
//! A request that is wrong is answered, and never fails the invocation: API Gateway would tell the sender of a fault of ours. An answer of
//! 2xx says that the job is in the queue, or that its event is one that nobody wants.

pub mod body;
pub mod configuration;
pub mod keys;
mod outcome;
pub mod route;

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use contract::{
    api_event::{ApiAnswer, ApiEvent},
    job::Job,
};
use jiff::Timestamp;
use runtime::{Deadline, log::Log, queue::Queue};

use crate::{
    body::{Announced, Intake},
    keys::{Keys, Unproven},
    outcome::Outcome,
    route::ReceivingRoute,
};

/// The destination of jobs.
pub trait Jobs {
    /// Queues a message; the error says why it is not known to be there.
    fn send(&self, message: &str, deadline: Deadline) -> impl Future<Output = Result<(), String>>;
}

impl Jobs for Queue {
    async fn send(&self, message: &str, deadline: Deadline) -> Result<(), String> {
        self.send(message, deadline).await.map(|_id| ())
    }
}

/// A function that takes webhooks.
#[derive(Debug)]
pub struct Receiver<Destination> {
    /// Routes that invoke it.
    pub routes: Vec<ReceivingRoute>,
    /// Reading of the jobs that requests announce.
    pub intake: Intake,
    /// Queue of the jobs.
    pub queue: Destination,
    /// Secrets of the routes.
    pub keys: Keys,
    /// Log of the function.
    pub log: Log,
}

impl<Destination: Jobs> Receiver<Destination> {
    /// Answers a request, and logs the outcome.
    pub async fn handle(
        &self,
        request_id: &str,
        deadline: Deadline,
        event: &ApiEvent,
    ) -> Result<ApiAnswer, std::convert::Infallible> {
        let started = Instant::now();
        let outcome = self.outcome(deadline, event).await;
        let (report, metrics) = outcome.report(request_id, &event.route, started.elapsed());
        if let Err(error) = self.log.item(report, &metrics) {
            // The answer stands: what is queued is queued.
            tracing::error!(%error, "the log could not be written");
        }
        Ok(outcome.answer())
    }

    /// Handles a request in the order in which a stranger's may do least: the route, the network, the proof, and only then the body.
    async fn outcome(&self, deadline: Deadline, event: &ApiEvent) -> Outcome {
        let Some(route) = self.routes.iter().find(|route| route.key == event.route) else {
            return Outcome::refused(404, "no route of this function has that method and path");
        };
        if !route.allows(event.source) {
            return Outcome::refused(403, "requests from this network are not taken here");
        }
        let body = body::decode(event);
        // Twilio's codes are made of a form's fields: a stranger's form must not cost more than it may have.
        if let Some(refused) = body.as_deref().and_then(|body| self.intake.too_large(body)) {
            return Outcome::refused(refused.status, &refused.reason);
        }
        match self.keys.prove(route, event, body.as_deref().unwrap_or_default(), now(), deadline).await {
            Ok(()) => {}
            Err(Unproven::Refused(reason)) => return Outcome::unauthentic(&reason),
            Err(Unproven::Unknown(reason)) => return Outcome::failed(None, reason),
        }
        match self.intake.read(event, body.as_deref()) {
            Err(refused) => Outcome::refused(refused.status, &refused.reason),
            Ok(Announced::Ignored(event)) => Outcome::Ignored { event },
            Ok(Announced::Job { id, event: name, message }) => {
                let received = event.received_ms.and_then(|time| Timestamp::from_millisecond(time).ok());
                let job = Job { id, event: name, message, received: received.map(|time| time.to_string()) };
                self.enqueue(job, deadline).await
            }
        }
    }

    async fn enqueue(&self, job: Job, deadline: Deadline) -> Outcome {
        let sent = match serde_json::to_string(&job) {
            Ok(message) => self.queue.send(&message, deadline).await,
            Err(error) => Err(error.to_string()),
        };
        match sent {
            Ok(()) => Outcome::Queued { job },
            Err(reason) => Outcome::failed(Some(job), reason),
        }
    }
}

/// Returns the time, in seconds since the epoch.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
