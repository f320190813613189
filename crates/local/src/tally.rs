//! What became of every mail of a run, from what happened: the summary at its end.

use std::{collections::BTreeMap, path::PathBuf};

use contract::report::{Class, ItemReport, Report};
use serde::Serialize;
use serde_json::{Map, Value};

use super::observer::{Happening, Next};

/// What became of a mail, from what a person need not look at to what is not where it should be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// A function reported it, in its own word; never [`Class::Retry`].
    Reported(Class, String),
    /// A function took it and reported nothing.
    Handled,
    /// It is stored; no rule hands it to a function.
    Stored,
    /// A function still had it, or it waited for its next attempt, when the run was ended.
    Unfinished,
    /// Every attempt failed.
    Failed,
    /// No rule took it, or it could not be stored.
    NotTaken,
}

impl Outcome {
    /// Returns the word for programs: a function's own, or one of ours.
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

    /// Returns whether a mail that ended so is where it should be.
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
    /// The file, or the SMTP client.
    pub origin: String,
    /// SES's message id; `None` where no rule took the mail.
    pub ses_message_id: Option<String>,
    /// The decoded subject.
    pub subject: String,
    /// What became of it.
    pub outcome: Option<Outcome>,
    /// Why it is not done.
    pub reason: Option<String>,
    /// Label and text, for people, as the function reported them.
    pub facts: Vec<(String, String)>,
    /// The function's own values.
    pub details: Map<String, Value>,
    /// How often a function was invoked for it.
    pub attempts: u32,
    /// The message in the failure queue.
    pub failure_message: Option<PathBuf>,
    #[serde(skip)]
    handed: u32,
    #[serde(skip)]
    ended: u32,
    #[serde(skip)]
    reported: Option<Outcome>,
    /// Why the last attempt that failed did.
    #[serde(skip)]
    failure: Option<String>,
    /// Whether every attempt failed.
    #[serde(skip)]
    failed: bool,
}

/// What became of every mail.
#[derive(Debug, Default)]
pub struct Tally {
    mails: Vec<Mail>,
    numbers: BTreeMap<String, usize>,
    /// Why files could not be read.
    unreadable: Vec<String>,
}

/// The summary of a run.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// Whether the run was ended before its mails were.
    pub interrupted: bool,
    /// Every mail, in the order in which they arrived.
    pub mails: Vec<Mail>,
    /// How many mails ended how.
    pub counts: BTreeMap<Outcome, usize>,
    /// Why files could not be read.
    pub unreadable: Vec<String>,
}

impl Summary {
    /// Whether every mail is where it should be.
    pub fn is_well(&self) -> bool {
        self.counts.keys().all(Outcome::is_well)
    }
}

impl Tally {
    /// Takes note of what happened; tells the number of the mail that it is about, from 1.
    pub fn note(&mut self, happening: &Happening) -> Option<usize> {
        match happening {
            Happening::Arrived { mail, origin, subject, .. } => {
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
            Happening::NotTaken { origin, reason } => self.not_taken(origin, reason),
            Happening::Unreadable { reason } => {
                self.unreadable.push(reason.clone());
                None
            }
            Happening::Stored { mail, .. } | Happening::Published { mail, .. } | Happening::Bounced { mail, .. } => {
                self.change(mail, |_| ())
            }
            Happening::Handed { mail, .. } => self.change(mail, |mail| mail.handed += 1),
            Happening::Reported { report, .. } => match &**report {
                Report::Item(report) => self.change(&report.item, |mail| mail.report(report)),
                Report::Output(_) => None,
            },
            Happening::Succeeded { mail, .. } => self.change(mail, |mail| {
                mail.attempts += 1;
                mail.ended += 1;
            }),
            Happening::Failed { mail, failure, next, .. } => {
                self.change(mail, |mail| mail.fail(failure.to_string(), next))
            }
            Happening::Refused { .. } | Happening::Logged { .. } => None,
        }
    }

    /// A mail that was not taken may have arrived before it could not be stored.
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

    /// The summary.
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
            // If the function says that it must be tried again and does not fail, nobody will.
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
