//! Handles one mail, from its record in the event to its report.

use std::{
    panic::{self, AssertUnwindSafe},
    time::Instant,
};

use super::{
    Pipeline,
    arrived_mail::ArrivedMail,
    decision::{Decision, decide},
    held::{Held, Purpose, Retention, Source},
    mail_report::{MailDetails, MailOutcome, MailReport},
    sink::{Delivered, Handover, Sink, SinkError},
};
use contract::{
    context::MailPlace,
    maintenance::{Announced, Record},
    receipt_event::{Received, Verdict},
};
use mail::Mail;
use notice::{
    model::Maintenance,
    outcome::{Notice, Outcome, Recognised, Recognition},
};
use runtime::store::{ObjectSource, StoreError};
use trust::{Doubt, Evidence, NoEvidence};

/// Length limit of a header in the log, in characters.
const LONGEST_HEADER: usize = 998;
/// Remark on a mail that the configuration would delete.
const KEPT: &str = "the mail stays in its bucket, since no sink holds all of it";

/// The end of a mail's handling.
struct End {
    outcome: MailOutcome,
    reason: Option<String>,
    maintenances: Vec<Record<'static>>,
    suggestion: Vec<Record<'static>>,
    /// Number of conflicts with what people had set.
    conflicts: usize,
    /// `true` if the object is to be deleted.
    is_spent: bool,
}

impl End {
    fn new(outcome: MailOutcome, reason: impl Into<Option<String>>) -> Self {
        let (maintenances, suggestion) = (Vec::new(), Vec::new());
        Self { outcome, reason: reason.into(), maintenances, suggestion, conflicts: 0, is_spent: false }
    }

    fn retry(reason: String) -> Self {
        Self::new(MailOutcome::Retry, reason)
    }

    /// Decides on an object that the configuration would delete: it stays unless the sinks hold all of the mail.
    fn with_object(mut self, arrived: &ArrivedMail, held: Held) -> Self {
        self.is_spent = arrived.retention == Retention::MayGo && held.frees_object();
        if !self.is_spent {
            let said = self.reason.take().into_iter().chain([KEPT.to_owned()]);
            self.reason = Some(said.collect::<Vec<_>>().join("; "));
        }
        self
    }
}

/// A mail that was handled.
#[derive(Debug)]
pub(super) struct Handled {
    pub(super) report: MailReport,
    /// `true` if the parser panicked on it.
    pub(super) panicked: bool,
    /// `true` if nothing is left to do, so that it may be deleted as configured.
    pub(super) is_spent: bool,
}

/// The result of searching the places for a mail.
enum Search {
    Found(Vec<u8>),
    TooLarge(StoreError),
    NotFound(String),
}

/// A mail that was read; `None` as outcome if the parser panicked, which must not affect anything else.
struct Understood {
    recognised: Option<Recognised>,
    outcome: Option<Outcome>,
}

impl<Store: ObjectSource, Delivery: Sink> Pipeline<Store, Delivery> {
    /// Handles a mail and returns its report.
    pub(super) async fn one_mail(&self, request_id: &str, received: &Received) -> Handled {
        let started = Instant::now();
        let id = received.mail.message_id.as_deref().unwrap_or_default();
        let mut arrived = ArrivedMail::unopened(id, String::new(), String::new(), received);
        let mut understood = Understood { recognised: None, outcome: None };
        let mut panicked = false;
        let end = match self.search(id, &mut arrived).await {
            Search::NotFound(reason) => End::retry(reason),
            Search::TooLarge(error) => self.hand_over(&mut arrived, error.to_string(), &[], false).await,
            Search::Found(_) if received.receipt.verdicts().virus == Verdict::Fail => {
                self.hand_over(&mut arrived, format!("{}; it was not opened", Doubt::Virus), &[], false).await
            }
            Search::Found(bytes) => {
                let evidence = self.evidence(&bytes, received, &arrived);
                let is_open =
                    evidence.is_ok() && trust::of_verdicts(&self.policy, &received.receipt.verdicts()).is_ok();
                understood = understand(&bytes, &mut arrived, self.parse, is_open);
                let may_delete = self.deletion.processed || self.deletion.unknown;
                arrived.source = may_delete.then(|| Source::of(bytes));
                panicked = understood.outcome.is_none();
                self.act(&mut arrived, received, &evidence, understood.outcome.take()).await
            }
        };
        let is_spent = end.is_spent;
        let report = report(request_id, received, arrived, understood.recognised.as_ref(), end, started);
        Handled { report, panicked, is_spent }
    }

    /// Searches every place for the mail, and records in `arrived` where it is, or was searched last.
    async fn search(&self, id: &str, arrived: &mut ArrivedMail) -> Search {
        if id.is_empty() {
            return Search::NotFound("the record is not SES's: it names no message id".to_owned());
        }
        let mut missed = Vec::new();
        for place in &self.places {
            arrived.bucket.clone_from(&place.bucket);
            arrived.key = format!("{}{id}", place.prefix);
            let object = format!("s3://{}/{}", arrived.bucket, arrived.key);
            match self.store.get(&arrived.bucket, &arrived.key).await {
                Ok(Some(bytes)) => return Search::Found(bytes),
                Ok(None) => missed.push(format!("{object}: no such object")),
                Err(error @ StoreError::TooLarge(_)) => return Search::TooLarge(error),
                Err(error @ StoreError::Unavailable(_)) => missed.push(format!("{object}: {error}")),
            }
        }
        Search::NotFound(format!("the mail could not be read: {}", missed.join(", ")))
    }

    /// Returns SES's evidence of the mail's origin.
    fn evidence(&self, bytes: &[u8], received: &Received, arrived: &ArrivedMail) -> Result<Evidence, NoEvidence> {
        let is_place = |place: &&MailPlace| place.bucket == arrived.bucket && arrived.key.starts_with(&place.prefix);
        let places = self.places.iter().filter(is_place);
        let added: Vec<&str> = places.flat_map(|place| &place.added_headers).map(String::as_str).collect();
        Evidence::read(bytes, received, &added)
    }

    async fn act(
        &self,
        arrived: &mut ArrivedMail,
        received: &Received,
        evidence: &Result<Evidence, NoEvidence>,
        outcome: Option<Outcome>,
    ) -> End {
        let (Some(mail), Some(outcome)) = (&arrived.mail, outcome) else {
            return self
                .hand_over(arrived, "our parser panicked over it, which is a fault of ours".to_owned(), &[], false)
                .await;
        };
        let is_nobodys = matches!(outcome, Outcome::Unrecognised { .. });
        match decide(&self.policy, &received.receipt.verdicts(), evidence, mail, outcome) {
            Decision::Deliver(notice) => self.deliver(arrived, &notice).await,
            Decision::Ignore { reason } => {
                let end = End::new(MailOutcome::Ignored, reason);
                // No sink is given it.
                if self.deletion.processed { end.with_object(arrived, Held::NOTHING) } else { end }
            }
            Decision::HandOver { reason, suggestion } => self.hand_over(arrived, reason, &suggestion, is_nobodys).await,
        }
    }

    async fn deliver(&self, arrived: &mut ArrivedMail, notice: &Notice) -> End {
        self.decide_fate(arrived, self.deletion.processed, Purpose::Delivery);
        let with_records =
            |outcome, reason| End { maintenances: records(&notice.maintenances), ..End::new(outcome, reason) };
        match self.sink.deliver(arrived, notice).await {
            Ok(Delivered { held, concerns, remarks, conflicts }) => {
                let is_complete = concerns.is_empty();
                if is_complete
                    && arrived.is_late()
                    && let Err(error) = self.sink.settle(arrived).await
                {
                    return End::retry(format!("what was put before a person could not be closed: {error}"));
                }
                let outcome = if is_complete { MailOutcome::Delivered } else { MailOutcome::ForPerson };
                let count = conflicts.len();
                let said = [concerns, remarks, conflicts].concat();
                let end = with_records(outcome, (!said.is_empty()).then(|| said.join("; ")));
                let end = End { conflicts: count, ..end };
                if is_complete && self.deletion.processed { end.with_object(arrived, held) } else { end }
            }
            Err(SinkError::Refused(reason)) => {
                self.hand_over(arrived, format!("the notice was refused: {reason}"), &notice.maintenances, false).await
            }
            Err(SinkError::Transient(reason)) => End::retry(format!("the notice could not be delivered: {reason}")),
        }
    }

    /// Hands a mail to a person. If that fails, it is retried, and so gets into the failure queue: it is not lost.
    async fn hand_over(
        &self,
        arrived: &mut ArrivedMail,
        reason: String,
        suggestion: &[Maintenance],
        is_nobodys: bool,
    ) -> End {
        let may_delete = self.deletion.unknown && is_nobodys;
        self.decide_fate(arrived, may_delete, Purpose::HandOver);
        match self.sink.hand_over(arrived, &Handover { reason: &reason, suggestion }).await {
            Ok(held) => {
                let end = End { suggestion: records(suggestion), ..End::new(MailOutcome::ForPerson, reason) };
                if may_delete { end.with_object(arrived, held) } else { end }
            }
            Err(error) => End::retry(format!("the mail could not be put before a person: {error} ({reason})")),
        }
    }

    /// Decides before the sinks are given the mail, since what they write points at the object only if it stays.
    fn decide_fate(&self, arrived: &mut ArrivedMail, may_delete: bool, purpose: Purpose) {
        let may_go = may_delete && self.sink.can_hold(arrived, purpose).frees_object();
        arrived.retention = if may_go { Retention::MayGo } else { Retention::Stays };
    }
}

/// Decodes and parses a mail. A panic there is our fault, and must not keep the mail from a person. Unless `is_open`, attachments are not
/// unpacked: nothing in them could change anything.
fn understand(bytes: &[u8], arrived: &mut ArrivedMail, parse: fn(&Mail) -> Outcome, is_open: bool) -> Understood {
    let Ok(mut mail) = panic::catch_unwind(|| Mail::decode(bytes)) else {
        return Understood { recognised: None, outcome: None };
    };
    let shut = if is_open { Vec::new() } else { std::mem::take(&mut mail.attachments) };
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| parse(&mail))).ok();
    mail.attachments.extend(shut);
    arrived.open(mail);
    let recognised = match &outcome {
        Some(
            Outcome::Notice(Notice { recognised, .. })
            | Outcome::Ignored { recognised, .. }
            | Outcome::Failed { recognised, .. },
        ) => Some(recognised.clone()),
        Some(Outcome::Unrecognised { .. }) | None => None,
    };
    Understood { recognised, outcome }
}

fn records(maintenances: &[Maintenance]) -> Vec<Record<'static>> {
    maintenances.iter().map(|maintenance| Record::from(maintenance).into_owned()).collect()
}

fn report(
    request_id: &str,
    received: &Received,
    arrived: ArrivedMail,
    recognised: Option<&Recognised>,
    end: End,
    started: Instant,
) -> MailReport {
    let cut = |header: Option<String>| header.map(|text| text.chars().take(LONGEST_HEADER).collect());
    let place = |text: String| (!text.is_empty()).then_some(text);
    MailReport {
        request_id: request_id.to_owned(),
        ses_message_id: arrived.ses_message_id,
        outcome: end.outcome,
        reason: end.reason,
        duration_ms: (started.elapsed().as_secs_f64() * 1e6).round() / 1e3,
        details: MailDetails {
            bucket: place(arrived.bucket),
            key: place(arrived.key),
            is_deleted: end.is_spent,
            message_id: cut(arrived.message_id),
            sender: cut(arrived.sender),
            subject: cut(arrived.subject),
            received_at: arrived.received_at,
            provider: recognised.map(|recognised| recognised.provider.slug.to_owned()),
            recognised_by: recognised.map(|recognised| in_words(&recognised.by)),
            verdicts: received.receipt.verdicts(),
            conflicts: end.conflicts,
            announced: Announced { maintenances: end.maintenances, suggestion: end.suggestion },
        },
    }
}

/// Describes how a provider was recognised. The mail's words are not repeated: bodies stay out of the log.
fn in_words(recognition: &Recognition) -> String {
    match recognition {
        Recognition::Sender(domain) => format!("sender {domain}"),
        Recognition::ForwardedSender(domain) => format!("forwarded sender {domain}"),
        Recognition::Content(found) => format!("content, {}", found.place),
        Recognition::Calendar => "calendar".to_owned(),
    }
}
