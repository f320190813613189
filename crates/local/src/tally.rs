//! Summarises a run: the outcome of every mail, request and message, collected from the events of the stack.

use std::{collections::BTreeMap, path::PathBuf};

use contract::report::{Class, ItemReport, Report};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    failure::Failure,
    observer::{Activity, Next, Trigger},
};

/// The outcome of an item, from harmless to lost.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// A function reported it, in its own word; the class is never [`Class::Retry`].
    Reported(Class, String),
    /// A function accepted it and reported nothing.
    Handled,
    /// It is stored; no rule hands it to a function.
    Stored,
    /// The run ended while a function had it, or while it waited in a queue or for a retry.
    Unfinished,
    /// Every attempt to invoke the function failed.
    Failed,
    /// No rule took the mail, or it could not be stored; or the request was answered with an error.
    NotTaken,
}

impl Outcome {
    /// Returns the outcome as a word for programs: the function's own, or one of ours.
    pub fn word(&self) -> &str {
        match self {
            Self::Reported(_, word) => word,
            Self::Handled => "handled",
            Self::Stored => "stored",
            Self::Unfinished => "unfinished",
            Self::Failed => "failed",
            Self::NotTaken => "not_taken",
        }
    }

    /// Returns whether an item with this outcome is where it should be.
    fn is_well(&self) -> bool {
        *self < Self::Unfinished
    }
}

impl Serialize for Outcome {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// The way in which an item came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Arrival {
    /// A mail, by SMTP or from a file.
    Mail {
        /// SES message id; `None` if no rule took the mail.
        ses_message_id: Option<String>,
        /// Decoded subject of the mail.
        subject: String,
    },
    /// A request to a route of an API.
    Request {
        /// Id of the request; `None` if no route took it.
        request_id: Option<String>,
        /// Method and path of the route.
        route: String,
        /// Status of the answer; `None` until it is answered.
        status: Option<u16>,
        /// Id by which functions report it, such as that of a job; `None` if none did.
        item: Option<String>,
    },
    /// A notification of SNS, from a file.
    Notification {
        /// SNS's id of the notification.
        notification_id: String,
    },
    /// A message that an earlier run has left in a queue, or that nothing known has sent.
    Message {
        /// SQS's id of the message.
        message_id: String,
        /// Entry name of the queue.
        queue: String,
        /// Id by which functions report it, such as that of a job; `None` if none did.
        item: Option<String>,
    },
}

impl Arrival {
    /// Returns a request that was not answered yet; one without an id was taken by no route.
    fn request(id: Option<&String>, route: &str) -> Self {
        Self::Request { request_id: id.cloned(), route: route.to_owned(), status: None, item: None }
    }
}

impl Default for Arrival {
    fn default() -> Self {
        Self::Mail { ses_message_id: None, subject: String::new() }
    }
}

/// A mail, request or message of the run.
#[derive(Debug, Default, Serialize)]
pub struct Item {
    /// Number under which its lines are shown, from 1.
    #[serde(skip)]
    pub number: usize,
    /// Origin: a file, the SMTP or HTTP client, or the queue.
    pub origin: String,
    /// The way in which it came.
    #[serde(flatten)]
    pub arrival: Arrival,
    /// Outcome; `None` until it is known.
    pub outcome: Option<Outcome>,
    /// Why the item is not done; `None` if it is.
    pub reason: Option<String>,
    /// Labels and texts for people, as the function reported them.
    pub facts: Vec<(String, String)>,
    /// The function's own values, for programs.
    pub details: Map<String, Value>,
    /// Number of invocations for this item.
    pub attempts: u32,
    /// Message in the failure queue; `None` if there is none, or if it was removed with the run.
    pub failure_message: Option<PathBuf>,
    #[serde(skip)]
    handed: u32,
    #[serde(skip)]
    ended: u32,
    #[serde(skip)]
    reported: Option<Outcome>,
    /// Reason of the last failed attempt; `None` if none failed.
    #[serde(skip)]
    failure: Option<String>,
    /// `true` if every attempt failed.
    #[serde(skip)]
    failed: bool,
}

/// The outcomes of all items so far.
#[derive(Debug, Default)]
pub struct Tally {
    items: Vec<Item>,
    numbers: BTreeMap<String, usize>,
    /// Reasons why files could not be read.
    unreadable: Vec<String>,
}

/// The summary of a run.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// `true` if the run was interrupted before everything was done.
    pub interrupted: bool,
    /// Every mail, in the order in which they arrived.
    pub mails: Vec<Item>,
    /// Every request that a route took or a file had, in the order in which they came.
    pub requests: Vec<Item>,
    /// Every notification of SNS that a file had.
    pub notifications: Vec<Item>,
    /// Every message that came from none of these.
    pub messages: Vec<Item>,
    /// Number of items per outcome.
    pub counts: BTreeMap<Outcome, usize>,
    /// Reasons why files could not be read.
    pub unreadable: Vec<String>,
}

impl Summary {
    /// Returns whether every item is where it should be.
    pub fn is_well(&self) -> bool {
        self.counts.keys().all(Outcome::is_well)
    }

    /// Returns the summary of a run whose failure queues are removed at its end: it points at nothing in them.
    #[must_use]
    pub fn without_files(mut self) -> Self {
        let all =
            self.mails.iter_mut().chain(&mut self.requests).chain(&mut self.notifications).chain(&mut self.messages);
        all.for_each(|item| item.failure_message = None);
        self
    }
}

impl Tally {
    /// Records an event; returns the number of the item that it is about, from 1.
    pub fn record(&mut self, activity: &Activity) -> Option<usize> {
        match activity {
            Activity::Arrived { mail, origin, subject, .. } => {
                let arrival = Arrival::Mail { ses_message_id: Some(mail.clone()), subject: subject.clone() };
                Some(self.add(origin, arrival, Some(mail)))
            }
            Activity::Requested { item, origin, route } => {
                Some(self.add(origin, Arrival::request(Some(item), route), Some(item)))
            }
            Activity::Notified { item, origin } => {
                Some(self.add(origin, Arrival::Notification { notification_id: item.clone() }, Some(item)))
            }
            Activity::NotTaken { origin, reason } => self.not_taken(origin, reason),
            Activity::NotPosted { origin, route, reason } => {
                let number = self.add(origin, Arrival::request(None, route), None);
                self.refuse(number, reason)
            }
            Activity::Unreadable { reason } => {
                self.unreadable.push(reason.clone());
                None
            }
            Activity::Queued { item, queue, message } => self.queued(item, queue, message),
            Activity::Stored { mail, .. } | Activity::Published { mail, .. } | Activity::Bounced { mail, .. } => {
                self.change(mail, |_| ())
            }
            // The message itself is counted from when it is queued.
            Activity::Handed { item, by: Trigger::Queue(_), .. } => self.change(item, |_| ()),
            Activity::Handed { item, .. } => self.change(item, |item| item.handed += 1),
            Activity::Reported { item, report } => match &**report {
                Report::Item(report) => self.change(item.as_ref().unwrap_or(&report.item), |item| item.report(report)),
                Report::Start(_) | Report::Output(_) => None,
            },
            Activity::Answered { item, status, refusal } => self.change(item, |item| item.answer(*status, refusal)),
            Activity::Succeeded { item, .. } => self.change(item, Item::succeed),
            Activity::Failed { item, failure, next, .. } => self.change(item, |item| item.fail(failure, next)),
            Activity::Refused { .. } | Activity::TurnedAway { .. } | Activity::Logged { .. } => None,
        }
    }

    /// Records a message in a queue: of an item of this run, or of an earlier one.
    fn queued(&mut self, item: &String, queue: &str, message: &str) -> Option<usize> {
        if !self.numbers.contains_key(item) {
            let arrival = Arrival::Message { message_id: message.to_owned(), queue: queue.to_owned(), item: None };
            self.add(&format!("queue {queue}"), arrival, Some(item));
        }
        self.change(item, |item| item.handed += 1)
    }

    /// Adds an item, known by this id; returns its number.
    fn add(&mut self, origin: &str, arrival: Arrival, id: Option<&String>) -> usize {
        let number = self.items.len() + 1;
        self.items.push(Item { number, origin: origin.to_owned(), arrival, ..Item::default() });
        self.numbers.extend(id.map(|id| (id.clone(), number)));
        number
    }

    /// Records a mail that was not accepted. It may have arrived already, if it then could not be
    /// stored.
    fn not_taken(&mut self, origin: &str, reason: &str) -> Option<usize> {
        let arrived = self.items.iter().rev().find(|mail| mail.origin == origin && mail.handed == 0);
        let number = match arrived.map(|mail| mail.number) {
            Some(number) => number,
            None => self.add(origin, Arrival::default(), None),
        };
        self.refuse(number, reason)
    }

    fn refuse(&mut self, number: usize, reason: &str) -> Option<usize> {
        let item = self.items.get_mut(number - 1)?;
        item.outcome = Some(Outcome::NotTaken);
        item.reason = Some(reason.to_owned());
        Some(number)
    }

    fn change(&mut self, id: &str, change: impl FnOnce(&mut Item)) -> Option<usize> {
        let number = *self.numbers.get(id)?;
        change(self.items.get_mut(number - 1)?);
        Some(number)
    }

    /// Returns the summary of the run.
    pub fn summary(self, interrupted: bool) -> Summary {
        let mut counts = BTreeMap::new();
        let (mut mails, mut requests, mut messages) = (Vec::new(), Vec::new(), Vec::new());
        let mut notifications = Vec::new();
        for mut item in self.items {
            let outcome = item.outcome.clone().unwrap_or_else(|| item.final_outcome());
            item.outcome = Some(outcome.clone());
            if matches!(outcome, Outcome::Failed | Outcome::Unfinished) {
                item.reason = item.failure.take().or(item.reason.take());
            }
            *counts.entry(outcome).or_default() += 1;
            match item.arrival {
                Arrival::Mail { .. } => mails.push(item),
                Arrival::Request { .. } => requests.push(item),
                Arrival::Notification { .. } => notifications.push(item),
                Arrival::Message { .. } => messages.push(item),
            }
        }
        Summary { interrupted, mails, requests, notifications, messages, counts, unreadable: self.unreadable }
    }
}

impl Item {
    fn succeed(&mut self) {
        self.attempts += 1;
        self.ended += 1;
    }

    fn report(&mut self, report: &ItemReport) {
        self.reported = Some(match report.class {
            // The function reported that a retry is needed but did not fail, so nobody retries.
            Class::Retry => Outcome::Failed,
            class => Outcome::Reported(class, report.outcome.clone()),
        });
        if let Arrival::Request { item, .. } | Arrival::Message { item, .. } = &mut self.arrival {
            *item = Some(report.item.clone()).filter(|item| !item.is_empty());
        }
        self.reason.clone_from(&report.reason);
        self.facts.clone_from(&report.facts);
        self.details.clone_from(&report.details);
    }

    /// Records the answer to a request.
    fn answer(&mut self, answered: u16, refusal: &str) {
        if let Arrival::Request { status, .. } = &mut self.arrival {
            *status = Some(answered);
        }
        // A function that failed has given its reason.
        if !refusal.is_empty() && !self.failed {
            self.outcome = Some(Outcome::NotTaken);
            self.reason = Some(format!("{answered} {refusal}"));
        }
    }

    fn fail(&mut self, failure: &Failure, next: &Next) {
        self.attempts += 1;
        // What the function says of a message that it returns tells more.
        let is_told = matches!(failure, Failure::Returned) && self.reason.is_some();
        self.failure = (!is_told).then(|| failure.to_string());
        match next {
            Next::Retry { .. } => return,
            Next::FailureQueue { file, .. } => self.failure_message = Some(file.clone()),
            Next::Lost { .. } | Next::Left { .. } | Next::NotRetried | Next::InternalError => {}
        }
        self.ended += 1;
        self.failed = true;
    }

    fn final_outcome(&self) -> Outcome {
        match &self.reported {
            _ if self.failed => Outcome::Failed,
            _ if self.handed > self.ended => Outcome::Unfinished,
            _ if self.handed == 0 => Outcome::Stored,
            Some(reported) => reported.clone(),
            None => Outcome::Handled,
        }
    }
}
