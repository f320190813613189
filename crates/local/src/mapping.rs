//! Event source mappings: Lambda takes messages from a queue in batches, and SQS delivers again what a function did not do.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use contract::queue_event::BatchAnswer;
use data_encoding::HEXLOWER;
use s3s::crypto::{Checksum, Md5};
use serde_json::{Value, json};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    failure::Failure,
    function::{Attempt, Event, Function, Item},
    ids,
    observer::{Activity, Next, Observer, Trigger, Wait},
    queue::{Delivery, Queue},
    work::Work,
};

/// Receipts of a message of a queue without a dead-letter queue, after which this run leaves it alone. SQS would not.
const MOST_RECEIPTS: u16 = 3;

/// A queue, the function that consumes it, and where messages go that it cannot handle.
#[derive(Debug)]
pub(crate) struct Mapping {
    pub queue: Arc<Queue>,
    pub function: Arc<Function>,
    /// Maximum number of messages in a batch.
    pub batch: usize,
    /// Time for which a batch waits for more messages.
    pub window: Duration,
    /// Maximum number of batches at once.
    pub concurrency: usize,
    /// Dead-letter queue, and the number of receipts after which a message moves there; `None` if the queue has none.
    pub dead_letters: Option<(Arc<Queue>, u16)>,
    /// Wait before a message is delivered again.
    pub retry_delay: Duration,
    pub region: String,
    pub observer: Observer,
    pub work: Work,
}

impl Mapping {
    /// Takes messages for as long as it is polled.
    pub(crate) async fn run(self) {
        let slots = Arc::new(Semaphore::new(self.concurrency.max(1)));
        let this = Arc::new(self);
        let mut batches = JoinSet::new();
        loop {
            while batches.try_join_next().is_some() {}
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
            let batch = this.queue.receive(this.batch, this.window).await;
            let this = Arc::clone(&this);
            batches.spawn(async move {
                this.handle(batch).await;
                drop(slot);
            });
        }
    }

    /// Invokes the function with a batch, and concludes each of its messages.
    async fn handle(&self, batch: Vec<Delivery>) {
        // The work of a message ends when it is deleted, and its end is told after that.
        let _work = self.work.begin();
        for message in &batch {
            let (item, by) = (message.item.clone(), Trigger::Queue(self.queue.entry.clone()));
            self.observer.tell(Activity::Handed { item, by, function: self.function.entry.clone() });
        }
        let invoked = self.function.invoke(Event {
            items: batch
                .iter()
                .map(|message| Item { id: message.item.clone(), body: message.body.to_string() })
                .collect(),
            payload: Arc::new(event(&batch, &self.queue.arn, &self.region)),
            request_id: ids::uuid(),
        });
        // Without a result the run ends: the messages stay in the queue.
        let Ok(attempt) = invoked.await else { return };
        let mut again = Vec::new();
        for message in &batch {
            let Some(failure) = self.conclude(message, &attempt, failure_of(&attempt, message, &batch)).await else {
                continue;
            };
            if message.received < self.attempts() {
                again.push((message, failure));
            } else {
                let next = self.give_up(message).await;
                self.tell_failed(message, failure, next);
            }
        }
        self.hand_in_again(again);
    }

    /// Deletes a message that is done; returns the failure of one that is not.
    async fn conclude(&self, message: &Delivery, attempt: &Attempt, failure: Option<Failure>) -> Option<Failure> {
        let usage = match (failure, attempt) {
            (None, Ok(answered)) => answered.usage,
            (Some(failure), _) => return Some(failure),
            (None, Err(failure)) => return Some(failure.clone()),
        };
        if let Err(error) = self.queue.delete(message).await {
            return Some(Failure::NotDeleted(error.to_string()));
        }
        let (item, function) = (message.item.clone(), self.function.entry.clone());
        self.observer.tell(Activity::Succeeded { item, function, usage });
        None
    }

    fn tell_failed(&self, message: &Delivery, failure: Failure, next: Next) {
        let (item, function) = (message.item.clone(), self.function.entry.clone());
        self.observer.tell(Activity::Failed { item, function, failure, next });
    }

    /// Returns how often a message is received at most.
    fn attempts(&self) -> u16 {
        self.dead_letters.as_ref().map_or(MOST_RECEIPTS, |(_, after)| *after)
    }

    /// Lets what failed together come again together.
    fn hand_in_again(&self, failed: Vec<(&Delivery, Failure)>) {
        let messages: Vec<_> = failed.iter().map(|(message, _)| *message).collect();
        let waits = self.queue.release(&messages, self.retry_delay);
        for ((message, failure), duration) in failed.into_iter().zip(waits) {
            let next = Next::Retry {
                after: self.retry_delay,
                in_aws: Wait { service: "SQS", duration },
                attempt: message.received + 1,
                attempts: self.attempts(),
            };
            self.tell_failed(message, failure, next);
        }
    }

    /// Moves a message that was received often enough to the dead letters.
    async fn give_up(&self, message: &Delivery) -> Next {
        let Some((queue, _)) = &self.dead_letters else {
            return self.leave(message, "the queue declares no `redrive`".to_owned());
        };
        let moved = match queue.put(&message.id, &message.body, Some(&message.item)).await {
            Ok(file) => self.queue.delete(message).await.map(|()| file),
            Err(error) => Err(error),
        };
        match moved {
            Ok(file) => Next::FailureQueue { queue: queue.entry.clone(), file },
            Err(error) => self.leave(message, format!("failed to move it to queue {}: {error}", queue.entry)),
        }
    }

    /// Leaves a message in its queue for the next run.
    fn leave(&self, message: &Delivery, reason: String) -> Next {
        self.queue.forget(message);
        Next::Left { queue: self.queue.entry.clone(), reason }
    }
}

/// Returns the failure of one message of a batch; `None` if it is done.
fn failure_of(attempt: &Attempt, message: &Delivery, batch: &[Delivery]) -> Option<Failure> {
    let answered = match attempt {
        Ok(answered) => &answered.answer,
        Err(failure) => return Some(failure.clone()),
    };
    if answered.is_null() {
        return None;
    }
    // Lambda takes an answer without the list for a batch that is done.
    let failures = match answered {
        Value::Object(answer) if answer.get("batchItemFailures").is_none_or(Value::is_null) => return None,
        answer => serde_json::from_value::<BatchAnswer>(answer.clone()),
    };
    match failures {
        Err(error) => Some(Failure::Malformed(format!("is not a list of failed messages: {error}"))),
        Ok(answer) => {
            let is_of_batch = |id: &str| batch.iter().any(|message| message.id == id);
            if let Some(unknown) = answer.failures.iter().find(|failure| !is_of_batch(&failure.id)) {
                return Some(Failure::Malformed(format!("names a message that is not in the batch: `{}`", unknown.id)));
            }
            answer.failures.iter().any(|failure| failure.id == message.id).then_some(Failure::Returned)
        }
    }
}

/// Returns the event of a batch.
fn event(batch: &[Delivery], arn: &str, region: &str) -> Value {
    let records: Vec<Value> = batch
        .iter()
        .map(|message| {
            json!({
                "messageId": message.id,
                "receiptHandle": message.receipt,
                "body": &*message.body,
                "attributes": {
                    "ApproximateReceiveCount": message.received.to_string(),
                    "SentTimestamp": milliseconds(message.sent),
                    "SenderId": "AROALOCAL:local",
                    "ApproximateFirstReceiveTimestamp": milliseconds(message.first_received),
                },
                "messageAttributes": {},
                "md5OfBody": md5(&message.body),
                "eventSource": "aws:sqs",
                "eventSourceARN": arn,
                "awsRegion": region,
            })
        })
        .collect();
    json!({ "Records": records })
}

/// Returns the MD5 of a message's body, as SQS tells it.
pub(crate) fn md5(body: &str) -> String {
    HEXLOWER.encode(&Md5::checksum(body.as_bytes()))
}

fn milliseconds(time: SystemTime) -> String {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{function::Answered, observer::Usage};

    async fn batch(folder: &tempfile::TempDir) -> Vec<Delivery> {
        let settings = crate::queue::Settings {
            entry: "jobs".to_owned(),
            names: crate::names::QueueNames::default(),
            visibility: Duration::from_hours(1),
            folder: folder.path().join("jobs"),
            work: Some(Work::new()),
        };
        let queue = Queue::open(settings, Observer::new().0).unwrap();
        for body in ["a", "b"] {
            queue.send(body, None).await.unwrap();
        }
        queue.receive(2, Duration::ZERO).await
    }

    fn answered(answer: Value) -> Answered {
        Answered { answer, usage: Usage { duration: Duration::ZERO, start: None, memory: None } }
    }

    #[tokio::test]
    async fn an_answer_names_the_messages_that_failed_and_one_that_is_none_fails_all() {
        let folder = tempfile::tempdir().unwrap();
        let batch = batch(&folder).await;
        let named = |ids: &[&str]| {
            let failures: Vec<Value> = ids.iter().map(|id| json!({ "itemIdentifier": id })).collect();
            json!({ "batchItemFailures": failures })
        };
        for (answer, expected) in [
            (Value::Null, [false, false]),
            (json!({}), [false, false]),
            (json!({"batchItemFailures": null}), [false, false]),
            (named(&[]), [false, false]),
            (named(&[&batch[1].id]), [false, true]),
            (named(&[&batch[0].id, &batch[1].id]), [true, true]),
            (named(&["unknown"]), [true, true]),
            (named(&[&batch[0].id, ""]), [true, true]),
            (json!("done"), [true, true]),
            (json!([]), [true, true]),
            (json!({"batchItemFailures": [{"id": "a"}]}), [true, true]),
        ] {
            let attempt = Ok(answered(answer.clone()));
            let failed: Vec<bool> =
                batch.iter().map(|message| failure_of(&attempt, message, &batch).is_some()).collect();
            assert_eq!(failed, expected, "{answer}");
        }
        let attempt = Err(Failure::TimedOut(Duration::from_secs(1)));
        assert!(batch.iter().all(|message| failure_of(&attempt, message, &batch).is_some()));
    }

    #[tokio::test]
    async fn an_event_of_a_batch_is_as_lambda_writes_it() {
        let folder = tempfile::tempdir().unwrap();
        let batch = batch(&folder).await;
        let event = event(&batch, "arn:aws:sqs:eu-west-1:123456789012:jobs", "eu-west-1");
        let record = &event["Records"][0];
        assert_eq!(record["messageId"], batch[0].id);
        assert_eq!(record["body"], "a");
        assert_eq!(record["md5OfBody"], "0cc175b9c0f1b6a831c399e269772661");
        assert_eq!(record["attributes"]["ApproximateReceiveCount"], "1");
        assert_eq!(record["attributes"]["SentTimestamp"].as_str().unwrap().len(), 13);
        let read: contract::queue_event::QueueEvent = serde_json::from_value(event).unwrap();
        assert_eq!(read.records[1].message_id, batch[1].id);
    }
}
