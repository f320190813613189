//! Handles the notifications of an invocation: reads them, joins them, writes their messages, tells of each.

use std::{
    io,
    time::{Duration, Instant},
};

use contract::{
    notification_event::{Notification, NotificationEvent},
    probe::Check,
    report::Class,
};
use events::{Addressed, Event, Reading, read};
use futures::future::join_all;
use runtime::{Deadline, log::Log, table::SortKey};
use serde_json::{Value, json};

use crate::{
    join::{Joined, Mails, join},
    kafka::{DELIVERY, Record, Topic, Written},
    report::{Outcome, metrics, report},
};

/// Part of an invocation that is kept free at its end, to tell the outcome. A fifth of it if that is less.
const RESERVE: Duration = Duration::from_secs(1);
/// A sender that nobody is, for the question whether the table can be asked.
const NOBODY: &str = "provision-check";

/// A function that writes events to a topic.
#[derive(Debug)]
pub struct Function<Table, To> {
    /// Sender's table of mails.
    pub mails: Table,
    /// Topic of the messages.
    pub topic: To,
    /// Age of a mail up to which its item is waited for.
    pub join: Duration,
    /// Log of the function.
    pub log: Log,
}

/// A notification that was read, with the messages to write; or its outcome, if nothing is to be written.
enum Prepared {
    Messages { event: Box<Event>, joined: Joined, messages: Vec<Addressed> },
    Ended(Outcome),
}

impl<Table: Mails, To: Topic> Function<Table, To> {
    /// Writes the messages of every notification. An error names how many of them are not durably in Kafka: Lambda delivers all of them
    /// again, and what was written is written twice, with the same id for deduplication.
    pub async fn handle(&self, request_id: &str, event: &NotificationEvent, end: Deadline) -> Result<Value, String> {
        if event.records.is_empty() {
            return Err("the event has no notification of SNS".to_owned());
        }
        let started = Instant::now();
        let deadline = end.earlier(RESERVE.min(end.left() / 5));
        let notifications: Vec<&Notification> = event.records.iter().map(|record| &record.sns).collect();
        // What is waited for must leave time to write; in a short invocation, half of it.
        let join_until = deadline.earlier(DELIVERY.min(deadline.left() / 2));
        let prepared = join_all(notifications.iter().map(|notification| self.prepare(notification, join_until))).await;
        let outcomes = self.write(prepared, deadline).await;
        let duration_ms = started.elapsed().as_secs_f64() * 1e3;
        self.told(request_id, &notifications, &outcomes, duration_ms).map_err(|error| format!("the log: {error}"))?;
        answer(&outcomes)
    }

    /// Tries whether the table and the topic can be used; nothing is written.
    pub async fn check(&self, deadline: Deadline) -> Vec<Check> {
        let asked = self.mails.templates(NOBODY, SortKey::Is(NOBODY), deadline);
        let (asked, reached) = tokio::join!(asked, self.topic.reach(deadline));
        let asked = asked.map(|_| ()).map_err(|error| error.to_string());
        vec![Check::of("table of mails", asked), Check::of("topic of Kafka", reached)]
    }

    async fn prepare(&self, notification: &Notification, deadline: Deadline) -> Prepared {
        let event = match read(&notification.message) {
            Ok(Reading::Event(event)) => event,
            Ok(Reading::Validation) => return Prepared::Ended(Outcome::ignored("validation")),
            // It is for a person, whom the alarm of the dead letters tells.
            Err(problem) => {
                return Prepared::Ended(Outcome::retry(format!("not an event of SES: {problem}"), None, None));
            }
        };
        if notification.message_id.is_empty() {
            let reason = "the notification has no `MessageId`, by which a repetition is known".to_owned();
            return Prepared::Ended(Outcome::retry(reason, Some(event), None));
        }
        match join(&self.mails, &event, self.join, deadline).await {
            Ok(joined) => {
                let messages = event.messages(&notification.message_id, joined.template());
                Prepared::Messages { event, joined, messages }
            }
            Err(reason) => Prepared::Ended(Outcome::retry(reason, Some(event), None)),
        }
    }

    /// Writes all messages at once, in the order of their notifications, and returns the outcome of each notification.
    async fn write(&self, prepared: Vec<Prepared>, deadline: Deadline) -> Vec<Outcome> {
        let mut records = Vec::new();
        for one in &prepared {
            if let Prepared::Messages { messages, .. } = one {
                records.extend(messages.iter().map(record));
            }
        }
        let mut ended =
            if records.is_empty() { Vec::new() } else { self.topic.write(records, deadline).await }.into_iter();
        let outcome = |one| match one {
            Prepared::Ended(outcome) => outcome,
            Prepared::Messages { event, joined, messages } => {
                let ended: Vec<_> = ended.by_ref().take(messages.len()).collect();
                written(event, joined, messages, ended)
            }
        };
        prepared.into_iter().map(outcome).collect()
    }

    fn told(
        &self,
        request_id: &str,
        notifications: &[&Notification],
        outcomes: &[Outcome],
        duration_ms: f64,
    ) -> io::Result<()> {
        for (notification, outcome) in notifications.iter().zip(outcomes) {
            let line = report(request_id, &notification.message_id, outcome, duration_ms);
            self.log.item(line, &metrics(outcome, duration_ms))?;
        }
        Ok(())
    }
}

fn record(Addressed { dedup_id, message }: &Addressed) -> Record {
    // A message is made of texts and a number: it always has a form in JSON.
    let value = serde_json::to_vec(message).unwrap_or_default();
    Record { key: message.message_id.clone(), value, dedup_id: dedup_id.clone() }
}

/// Returns the outcome of a notification whose messages were written, or not all of them.
fn written(
    event: Box<Event>,
    joined: Joined,
    messages: Vec<Addressed>,
    ended: Vec<Result<Written, String>>,
) -> Outcome {
    let (count, mut reason, mut written) = (messages.len(), None, Vec::new());
    for (Addressed { dedup_id, .. }, ended) in messages.into_iter().zip(ended) {
        match ended {
            Ok(place) => written.push((dedup_id, place)),
            Err(fault) => reason = reason.or(Some(fault)),
        }
    }
    if written.len() == count {
        return Outcome {
            class: Class::Done,
            word: "written",
            reason: None,
            event: Some(event),
            joined: Some(joined),
            written,
        };
    }
    let reason = reason.unwrap_or_else(|| "Kafka: no outcome is known".to_owned());
    let reason = if count > 1 { format!("{} of {count} messages: {reason}", count - written.len()) } else { reason };
    Outcome { written, ..Outcome::retry(reason, Some(event), Some(joined)) }
}

/// Returns the answer to Lambda: how many messages were written, or an error if one was not.
fn answer(outcomes: &[Outcome]) -> Result<Value, String> {
    let failed: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.class == Class::Retry).collect();
    let Some(first) = failed.first() else {
        return Ok(json!({"written": outcomes.iter().map(|outcome| outcome.written.len()).sum::<usize>()}));
    };
    let reason = first.reason.as_deref().unwrap_or_default();
    Err(format!("{} of {} notifications not written: {reason}", failed.len(), outcomes.len()))
}
