//! Asynchronous invocations, as Lambda makes them: it has the event, tries again after a failure, and in the end keeps the event in the
//! function's failure queue.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::sync::oneshot;

use crate::{
    failure::{self, Failure},
    function::{Answered, Attempt, Event, Function, Item},
    ids,
    observer::{Activity, Next, Observer, Wait},
    queue::Queue,
    work::Work,
};

/// Lambda's waits before the second and the third attempt.
const LAMBDA_WAITS: [Duration; 2] = [Duration::from_mins(1), Duration::from_mins(2)];

/// A function with its settings for events.
#[derive(Debug, Clone)]
pub(crate) struct Invocable {
    /// Function that the event invokes.
    pub function: Arc<Function>,
    /// Number of retries of a failed event.
    pub retries: u8,
    /// Wait before a retry.
    pub retry_delay: Duration,
    /// Failure queue; `None` if the function has none.
    pub failure_queue: Option<Arc<Queue>>,
    pub observer: Observer,
    pub work: Work,
}

/// The ending of an event, after all its attempts.
#[derive(Debug)]
pub enum Ending {
    /// The function answered without an error.
    Succeeded {
        /// Answer of the function, as JSON.
        answer: Value,
    },
    /// Every attempt to invoke the function failed.
    Failed,
}

impl Invocable {
    /// Invokes the function with an event about one item, and returns the receiver of the ending. A failure is told with what follows.
    pub(crate) fn invoke(&self, item: &str, payload: Value, is_asynchronous: bool) -> oneshot::Receiver<Ending> {
        let (ended, ending) = oneshot::channel();
        let (this, item, payload, request_id) = (self.clone(), item.to_owned(), Arc::new(payload), ids::uuid());
        // The first attempt is queued before this returns: events are handled in the order in which they come.
        let first = this.attempt(&item, &payload, &request_id);
        let work = self.work.begin();
        tokio::spawn(async move {
            let mut attempted = first;
            for attempt in 1.. {
                let Ok(result) = attempted.await else { return };
                let next = match this.conclude(&item, result, (attempt, is_asynchronous), (&payload, &request_id)).await
                {
                    Ok(answer) => Err(Ending::Succeeded { answer }),
                    Err(Next::Retry { after, .. }) => Ok(after),
                    Err(_) => Err(Ending::Failed),
                };
                match next {
                    Ok(after) => tokio::time::sleep(after).await,
                    Err(how) => {
                        let _nobody_waits = ended.send(how);
                        drop(work);
                        return;
                    }
                }
                attempted = this.attempt(&item, &payload, &request_id);
            }
        });
        ending
    }

    fn attempt(&self, item: &str, payload: &Arc<Value>, request_id: &str) -> oneshot::Receiver<Attempt> {
        self.function.invoke(Event {
            items: vec![Item { id: item.to_owned(), body: String::new() }],
            payload: Arc::clone(payload),
            request_id: request_id.to_owned(),
        })
    }

    /// Tells the result of an attempt. Returns the answer, or what follows from the failure.
    async fn conclude(
        &self,
        item: &str,
        result: Attempt,
        attempt: (u8, bool),
        event: (&Value, &str),
    ) -> Result<Value, Next> {
        let (item, function) = (item.to_owned(), self.function.entry.clone());
        match result {
            Ok(Answered { answer, usage }) => {
                self.observer.tell(Activity::Succeeded { item, function, usage });
                Ok(answer)
            }
            Err(failure) => {
                let next = self.after_failure(attempt, event, &failure).await;
                self.observer.tell(Activity::Failed { item, function, failure, next: next.clone() });
                Err(next)
            }
        }
    }

    async fn after_failure(
        &self,
        (attempt, is_asynchronous): (u8, bool),
        (payload, request_id): (&Value, &str),
        failure: &Failure,
    ) -> Next {
        if !is_asynchronous {
            return Next::NotRetried;
        }
        if attempt <= self.retries {
            let waits = LAMBDA_WAITS.get(usize::from(attempt - 1)).copied().unwrap_or(Duration::from_mins(2));
            return Next::Retry {
                after: self.retry_delay,
                in_aws: Wait { service: "Lambda", duration: waits },
                attempt: u16::from(attempt) + 1,
                attempts: u16::from(self.retries) + 1,
            };
        }
        let Some(queue) = &self.failure_queue else {
            return Next::Lost { reason: "the function declares no `on_failure`".to_owned() };
        };
        let record = failure::record(request_id, &self.function.arn, attempt, payload, failure);
        match queue.put(request_id, &format!("{record:#}\n"), None).await {
            Ok(file) => Next::FailureQueue { queue: queue.entry.clone(), file },
            Err(error) => Next::Lost { reason: format!("failed to write it: {error}") },
        }
    }
}
