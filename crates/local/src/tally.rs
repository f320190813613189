//! Summarises a run: the outcome of every mail, collected from the events of the stack.

use std::{collections::BTreeMap, path::PathBuf};

use contract::report::{Class, ItemReport, Report};
use serde::Serialize;
use serde_json::{Map, Value};

use super::observer::{Activity, Next};

/// The outcome of a mail, from harmless to lost.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// A function reported it, in its own word; the class is never [`Class::Retry`].
    Reported(Class, String),
    /// A function accepted it and reported nothing.
    Handled,
    /// It is stored; no rule hands it to a function.
    Stored,
    /// The run ended while a function had it, or while it waited for a retry.
    Unfinished,
    /// Every attempt to invoke the function failed.
    Failed,
    /// No rule took it, or it could not be stored.
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

    /// Returns whether a mail with this outcome is where it should be.
    fn is_well(&self) -> bool {
        *self < Self::Unfinished
    }
}

impl Serialize for Outcome {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// A mail of the run.
#[derive(Debug, Default, Serialize)]
pub struct Mail {
    /// Origin: a file, or the SMTP client.
    pub origin: String,
    /// SES message id; `None` if no rule took the mail.
    pub ses_message_id: Option<String>,
    /// Decoded subject of the mail.
    pub subject: String,
    /// Outcome; `None` until it is known.
    pub outcome: Option<Outcome>,
    /// Why the mail is not done; `None` if it is.
    pub reason: Option<String>,
    /// Labels and texts for people, as the function reported them.
    pub facts: Vec<(String, String)>,
    /// The function's own values, for programs.
    pub details: Map<String, Value>,
    /// Number of invocations for this mail.
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

/// The outcomes of all mails so far.
#[derive(Debug, Default)]
pub struct Tally {
    mails: Vec<Mail>,
    numbers: BTreeMap<String, usize>,
    /// Reasons why files could not be read.
    unreadable: Vec<String>,
}

/// The summary of a run.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// `true` if the run was interrupted before its mails were done.
    pub interrupted: bool,
    /// Every mail, in the order in which they arrived.
    pub mails: Vec<Mail>,
    /// Number of mails per outcome.
    pub counts: BTreeMap<Outcome, usize>,
    /// Reasons why files could not be read.
    pub unreadable: Vec<String>,
}

impl Summary {
    /// Returns whether every mail is where it should be.
    pub fn is_well(&self) -> bool {
        self.counts.keys().all(Outcome::is_well)
    }

    /// Returns the summary of a run whose failure queues are removed at its end: it points at nothing in them.
    #[must_use]
    pub fn without_files(mut self) -> Self {
        self.mails.iter_mut().for_each(|mail| mail.failure_message = None);
        self
    }
}

impl Tally {
    /// Records an event; returns the number of the mail that it is about, from 1.
    pub fn record(&mut self, activity: &Activity) -> Option<usize> {
        match activity {
            Activity::Arrived { mail, origin, subject, .. } => {
                let mail_of_run = Mail {
                    origin: origin.clone(),
                    ses_message_id: Some(mail.clone()),
                    subject: subject.clone(),
                    ..Mail::default()
                };
                self.mails.push(mail_of_run);
                self.numbers.insert(mail.clone(), self.mails.len());
                Some(self.mails.len())
            }
            Activity::NotTaken { origin, reason } => self.not_taken(origin, reason),
            Activity::Unreadable { reason } => {
                self.unreadable.push(reason.clone());
                None
            }
            Activity::Stored { mail, .. } | Activity::Published { mail, .. } | Activity::Bounced { mail, .. } => {
                self.change(mail, |_| ())
            }
            Activity::Handed { mail, .. } => self.change(mail, |mail| mail.handed += 1),
            Activity::Reported { report, .. } => match &**report {
                Report::Item(report) => self.change(&report.item, |mail| mail.report(report)),
                Report::Output(_) => None,
            },
            Activity::Succeeded { mail, .. } => self.change(mail, |mail| {
                mail.attempts += 1;
                mail.ended += 1;
            }),
            Activity::Failed { mail, failure, next, .. } => {
                self.change(mail, |mail| mail.fail(failure.to_string(), next))
            }
            Activity::Refused { .. } | Activity::Logged { .. } => None,
        }
    }

    /// Records a mail that was not accepted. It may have arrived already, if it then could not be
    /// stored.
    fn not_taken(&mut self, origin: &str, reason: &str) -> Option<usize> {
        let arrived = self.mails.iter().rposition(|mail| mail.origin == origin && mail.handed == 0);
        let number = arrived.unwrap_or_else(|| {
            self.mails.push(Mail { origin: origin.to_owned(), ..Mail::default() });
            self.mails.len() - 1
        });
        let mail = self.mails.get_mut(number)?;
        mail.outcome = Some(Outcome::NotTaken);
        mail.reason = Some(reason.to_owned());
        Some(number + 1)
    }

    fn change(&mut self, mail: &str, change: impl FnOnce(&mut Mail)) -> Option<usize> {
        let number = *self.numbers.get(mail)?;
        change(self.mails.get_mut(number - 1)?);
        Some(number)
    }

    /// Returns the summary of the run.
    pub fn summary(self, interrupted: bool) -> Summary {
        let mut counts = BTreeMap::new();
        let mut mails = self.mails;
        for mail in &mut mails {
            let outcome = mail.outcome.clone().unwrap_or_else(|| mail.final_outcome());
            mail.outcome = Some(outcome.clone());
            if matches!(outcome, Outcome::Failed | Outcome::Unfinished) {
                mail.reason = mail.failure.take().or(mail.reason.take());
            }
            *counts.entry(outcome).or_default() += 1;
        }
        Summary { interrupted, mails, counts, unreadable: self.unreadable }
    }
}

impl Mail {
    fn report(&mut self, report: &ItemReport) {
        self.reported = Some(match report.class {
            // The function reported that a retry is needed but did not fail, so nobody retries.
            Class::Retry => Outcome::Failed,
            class => Outcome::Reported(class, report.outcome.clone()),
        });
        self.reason.clone_from(&report.reason);
        self.facts.clone_from(&report.facts);
        self.details.clone_from(&report.details);
    }

    fn fail(&mut self, failure: String, next: &Next) {
        self.attempts += 1;
        self.failure = Some(failure);
        match next {
            Next::Retry { .. } => return,
            Next::FailureQueue { file, .. } => self.failure_message = Some(file.clone()),
            Next::Lost { .. } | Next::NotRetried => {}
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
