//! Handles a mail that arrives, by SMTP or by `--deliver`: applies the receipt rules, action by action.

use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use mail_parser::MessageParser;
use serde_json::Value;
use tokio::sync::oneshot;

use super::{
    arrival::{Arrival, Envelope},
    asynchronous::{Ending, Invocable},
    event,
    observer::{Activity, Observer, Trigger},
    receipt::{self, Disposition, Flow, Match},
    storage::Storage,
    verdicts::Verdicts,
    work::Work,
};
use crate::names::Names;
use declaration::{Action, Bounce, Invocation, ReceiptRule};

/// Accepts mails and applies the receipt rules.
#[derive(Debug)]
pub struct Receiver {
    pub(super) rules: Vec<ReceiptRule>,
    pub(super) names: Names,
    pub(super) region: String,
    pub(super) verdicts: Verdicts,
    pub(super) storage: Storage,
    pub(super) functions: BTreeMap<String, Invocable>,
    pub(super) observer: Observer,
    pub(super) work: Work,
    /// `true` once no more mail is taken.
    pub(super) is_closed: Arc<AtomicBool>,
}

/// A mail that was accepted.
#[derive(Debug)]
pub struct Received {
    /// SES message id of the mail.
    pub mail: String,
    /// Endings of the asynchronous invocations, one receiver for each.
    pub invocations: Vec<oneshot::Receiver<Ending>>,
}

/// The reasons why a mail was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum NotReceived {
    /// The mail could not be stored.
    #[error("could not store the mail in bucket `{bucket}`: {error}")]
    NotStored {
        /// Entry name of the bucket.
        bucket: String,
        /// Error of the file system.
        error: io::Error,
    },
    /// The run ends, and takes no more mail.
    #[error("`provision dev` ends")]
    Closed,
    /// The event of the mail could not be serialised.
    #[error("could not write the event: {0}")]
    Event(#[from] serde_json::Error),
}

impl Receiver {
    /// Returns whether any rule takes mail for a recipient.
    pub fn takes(&self, recipient: &str) -> bool {
        receipt::any_takes(&self.rules, recipient)
    }

    /// Returns the observer of the local stack.
    pub fn observer(&self) -> &Observer {
        &self.observer
    }

    /// Returns `true` if no more mail is taken.
    pub fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }

    /// Accepts a mail: when this returns, everything that the rules store is stored.
    pub async fn receive(&self, envelope: Envelope, bytes: Vec<u8>, origin: String) -> Result<Received, NotReceived> {
        // Begun before the look, so that whoever closes and then waits for all work misses none.
        let _work = self.work.begin();
        if self.is_closed() {
            return Err(NotReceived::Closed);
        }
        let mut arrival = Arrival::now(envelope, bytes);
        self.observer.tell(Activity::Arrived {
            mail: arrival.id.clone(),
            origin,
            sender: arrival.envelope.sender.clone(),
            subject: subject(&arrival.bytes),
        });
        let mut invocations = Vec::new();
        let recipients = arrival.envelope.recipients.clone();
        'rules: for matched in receipt::matches(&self.rules, &recipients) {
            for action in &matched.rule.actions {
                let disposition = self.act(action, &matched, &mut arrival, &mut invocations).await?;
                match receipt::after(action, disposition) {
                    Flow::NextAction => {}
                    Flow::NextRule => continue 'rules,
                    Flow::End => break 'rules,
                }
            }
        }
        Ok(Received { mail: arrival.id, invocations })
    }

    async fn act(
        &self,
        action: &Action,
        matched: &Match<'_>,
        arrival: &mut Arrival,
        invocations: &mut Vec<oneshot::Receiver<Ending>>,
    ) -> Result<Disposition, NotReceived> {
        let verdicts = self.verdicts.under(matched.rule.scan);
        let (mail, rule) = (arrival.id.clone(), matched.rule.name.clone());
        match action {
            Action::Stop => {}
            Action::Publish { topic, .. } => {
                self.observer.tell(Activity::Published { mail, rule, topic: topic.clone() });
            }
            Action::Bounce(bounce) => self.bounce(bounce, mail, rule),
            Action::AddHeader { name, value } => {
                let header = format!("{name}: {value}\r\n");
                arrival.bytes.splice(..0, header.into_bytes());
            }
            Action::Store { bucket, prefix, topic } => {
                let key = format!("{prefix}{}", arrival.id);
                let stored = arrival.stored(&self.region, verdicts);
                self.storage
                    .put(self.names.buckets.get(bucket).unwrap_or(bucket), &key, stored)
                    .await
                    .map_err(|error| NotReceived::NotStored { bucket: bucket.clone(), error })?;
                let (stored, told) = (mail.clone(), rule.clone());
                self.observer.tell(Activity::Stored { mail: stored, rule: told, bucket: bucket.clone(), key });
                self.publish(topic.as_ref(), mail, rule);
            }
            Action::Invoke { function: entry, invocation, topic } => {
                self.publish(topic.as_ref(), mail.clone(), rule.clone());
                let Some(function) = self.functions.get(entry) else { return Ok(Disposition::Continue) };
                self.observer.tell(Activity::Handed { item: mail, by: Trigger::Rule(rule), function: entry.clone() });
                let event = self.event(matched, arrival, verdicts, entry, *invocation)?;
                let ending = function.invoke(&arrival.id, event, *invocation == Invocation::Event);
                return Ok(after_invocation(*invocation, ending, invocations).await);
            }
        }
        Ok(Disposition::Continue)
    }

    /// Reports the publication to the topic that an action names; does nothing without one.
    fn publish(&self, topic: Option<&String>, mail: String, rule: String) {
        if let Some(topic) = topic {
            self.observer.tell(Activity::Published { mail, rule, topic: topic.clone() });
        }
    }

    fn bounce(&self, bounce: &Bounce, mail: String, rule: String) {
        let Bounce { smtp_code, status_code, message, .. } = bounce;
        let status_code = status_code.as_ref().map(|code| format!("{code} ")).unwrap_or_default();
        let answer = format!("{smtp_code} {status_code}{message}");
        self.observer.tell(Activity::Bounced { mail: mail.clone(), rule: rule.clone(), answer });
        self.publish(bounce.topic.as_ref(), mail, rule);
    }

    fn event(
        &self,
        matched: &Match<'_>,
        arrival: &Arrival,
        verdicts: Verdicts,
        function: &str,
        invocation: Invocation,
    ) -> Result<Value, NotReceived> {
        let stored = arrival.stored(&self.region, verdicts);
        let arn = self.names.functions.get(function).map_or_else(String::new, |names| names.arn.clone());
        let event = event::build(arrival, &stored, matched.recipients.clone(), verdicts, arn, invocation);
        Ok(serde_json::to_value(event)?)
    }
}

/// Waits for an invocation whose answer decides what comes next, and keeps its ending for whoever waits for all of them.
async fn after_invocation(
    invocation: Invocation,
    ending: oneshot::Receiver<Ending>,
    invocations: &mut Vec<oneshot::Receiver<Ending>>,
) -> Disposition {
    if invocation == Invocation::Event {
        invocations.push(ending);
        return Disposition::Continue;
    }
    // Without an answer SES goes on.
    let Ok(ending) = ending.await else { return Disposition::Continue };
    let disposition = match &ending {
        Ending::Succeeded { answer } => Disposition::of(answer),
        Ending::Failed => Disposition::Continue,
    };
    let (told, ended) = oneshot::channel();
    let _it_is_kept = told.send(ending);
    invocations.push(ended);
    disposition
}

/// Returns the decoded subject, for display.
fn subject(bytes: &[u8]) -> String {
    let message = MessageParser::default().parse_headers(bytes);
    message.and_then(|message| message.subject().map(str::to_owned)).unwrap_or_default()
}
