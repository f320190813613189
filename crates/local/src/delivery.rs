//! Delivers mails from files as if they had come by SMTP.
//!
//! Their envelope is derived as a carrier's mail server would have set it: the sender is that of `Return-Path`, else of
//! `From`; the recipients are those of `--to`, else those of `To` and `Cc` that a rule takes, else the first address that
//! the rules name. Bare line feeds become CRLF, as every SMTP client makes them.

use std::{path::PathBuf, sync::Arc};

use mail_parser::{Address, Message, MessageParser};
use tokio::{sync::Semaphore, task::JoinSet};

use super::{
    arrival::{Envelope, with_crlf},
    observer::Activity,
    receiver::{NotReceived, Receiver},
};
use crate::mail_files;
use declaration::{ReceiptRule, Recipient};

/// Maximum number of mails that are delivered at once.
const AT_ONCE: usize = 16;

/// Delivers the mails of files and folders, and returns when every function has finished with them. A file that cannot be
/// read or delivered is reported to the observer; the others are delivered all the same.
pub async fn deliver(receiver: Arc<Receiver>, paths: Vec<PathBuf>, to: Vec<String>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let (found, mut mails) = tokio::sync::mpsc::channel(AT_ONCE);
    let reading = tokio::task::spawn_blocking(move || {
        for mail in mail_files::read(&paths) {
            if found.blocking_send(mail).is_err() {
                break;
            }
        }
    });
    let mut deliveries = JoinSet::new();
    while let Some(mail) = mails.recv().await.filter(|_| !receiver.is_closed()) {
        while deliveries.try_join_next().is_some() {}
        match mail {
            Ok(mail) => {
                let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
                // In order: the next mail arrives when this one is stored.
                let invocations = deliver_one(&receiver, mail, &to).await;
                deliveries.spawn(async move {
                    for invocation in invocations {
                        let _how_it_ended_is_told_to_the_observer = invocation.await;
                    }
                    drop(place);
                });
            }
            Err(problem) => {
                receiver.observer().tell(Activity::Unreadable { reason: problem::with_causes(&problem) });
            }
        }
    }
    // Whoever still reads finds nobody who receives.
    drop(mails);
    let _reader_panicked = reading.await;
    while deliveries.join_next().await.is_some() {}
}

async fn deliver_one(
    receiver: &Receiver,
    mail: mail_files::MailFile,
    to: &[String],
) -> Vec<tokio::sync::oneshot::Receiver<super::Ending>> {
    let observer = receiver.observer();
    let bytes = with_crlf(&mail.bytes);
    let envelope = envelope(&bytes, to, &receiver.rules, |recipient| receiver.takes(recipient));
    let (refused, taken): (Vec<String>, _) =
        envelope.recipients.into_iter().partition(|recipient| !receiver.takes(recipient));
    for recipient in refused {
        observer.tell(Activity::Refused { recipient });
    }
    if taken.is_empty() {
        observer.tell(Activity::NotTaken { origin: mail.name, reason: "no receipt rule takes it".to_owned() });
        return Vec::new();
    }
    match receiver.receive(Envelope { recipients: taken, ..envelope }, bytes, mail.name.clone()).await {
        Ok(mail) => mail.invocations,
        // The run ends: this mail and those after it stay where they are.
        Err(NotReceived::Closed) => Vec::new(),
        Err(error) => {
            observer.tell(Activity::NotTaken { origin: mail.name, reason: error.to_string() });
            Vec::new()
        }
    }
}

/// Returns the envelope of a mail: its recipients are those that were named, else those of its headers that a rule takes,
/// else the first that the rules name.
pub fn envelope(bytes: &[u8], to: &[String], rules: &[ReceiptRule], takes: impl Fn(&str) -> bool) -> Envelope {
    let message = MessageParser::default().parse_headers(bytes);
    let sender = message.as_ref().map(sender).unwrap_or_default();
    let mut recipients = to.to_vec();
    if recipients.is_empty() {
        recipients = message.map(|message| named_recipients(&message, takes)).unwrap_or_default();
    }
    if recipients.is_empty() {
        recipients.push(first_address(rules));
    }
    Envelope { helo: "localhost".to_owned(), sender, recipients }
}

fn sender(message: &Message<'_>) -> String {
    let path = message.return_path().as_text().map(|path| path.trim_matches(['<', '>']));
    let author = message.from().and_then(Address::first).and_then(|from| from.address());
    path.filter(|path| is_address(path)).or(author.filter(|author| is_address(author))).unwrap_or_default().to_owned()
}

/// Returns the addresses of `To` and `Cc` that a rule takes.
fn named_recipients(message: &Message<'_>, takes: impl Fn(&str) -> bool) -> Vec<String> {
    let named = [message.to(), message.cc()].into_iter().flatten().flat_map(Address::iter);
    let mut recipients: Vec<String> = Vec::new();
    for address in named.filter_map(|mailbox| mailbox.address()) {
        if is_address(address) && takes(address) && !recipients.iter().any(|other| other == address) {
            recipients.push(address.to_owned());
        }
    }
    recipients
}

/// Returns the first address that the rules name, else one that the first rule takes.
fn first_address(rules: &[ReceiptRule]) -> String {
    let conditions = || rules.iter().flat_map(|rule| &rule.recipients);
    let address = conditions().find_map(|condition| match condition {
        Recipient::Address(address) => Some(address.clone()),
        Recipient::Domain(_) | Recipient::SubDomains(_) => None,
    });
    let made_up = || {
        conditions().next().map(|condition| match condition {
            Recipient::Address(address) => address.clone(),
            Recipient::Domain(domain) => format!("maintenance@{domain}"),
            Recipient::SubDomains(parent) => format!("maintenance@mail.{parent}"),
        })
    };
    address.or_else(made_up).unwrap_or_else(|| "maintenance@example.com".to_owned())
}

/// Returns whether a text can be an address of an envelope: it comes from a header, where anybody writes anything.
fn is_address(text: &str) -> bool {
    text.len() <= 320 && text.contains('@') && !text.chars().any(|letter| letter.is_whitespace() || letter.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receipt::any_takes;
    use declaration::Tls;

    fn envelope_of(mail: &str, conditions: Vec<Recipient>) -> (String, Vec<String>) {
        let rules = [ReceiptRule {
            name: "one".to_owned(),
            recipients: conditions,
            enabled: true,
            tls: Tls::Optional,
            scan: true,
            actions: Vec::new(),
        }];
        let envelope = envelope(mail.as_bytes(), &[], &rules, |recipient| any_takes(&rules, recipient));
        (envelope.sender, envelope.recipients)
    }

    #[test]
    fn recipients_are_those_of_the_mail_that_a_rule_takes_else_the_first_that_the_rules_name() {
        let domain = || Recipient::Domain("example.com".to_owned());
        let address = || Recipient::Address("noc@example.net".to_owned());
        let below = || Recipient::SubDomains("example.org".to_owned());
        let mail = "To: Desk <desk@example.com>, x@elsewhere.example\r\nCc: desk@example.com\r\n\r\n";
        assert_eq!(envelope_of(mail, vec![domain()]).1, ["desk@example.com"]);
        assert_eq!(envelope_of(mail, vec![]).1, ["desk@example.com", "x@elsewhere.example"]);
        assert_eq!(envelope_of(mail, vec![below(), address()]).1, ["noc@example.net"]);
        assert_eq!(envelope_of(mail, vec![below()]).1, ["maintenance@mail.example.org"]);
        assert_eq!(envelope_of("Subject: x\r\n\r\n", vec![domain()]).1, ["maintenance@example.com"]);
        assert_eq!(envelope_of("", vec![]).1, ["maintenance@example.com"]);
    }

    #[test]
    fn the_sender_is_the_return_path_else_the_author_else_none() {
        let sender = |mail: &str| envelope_of(mail, vec![]).0;
        let from = "From: NOC <noc@carrier.example>\r\n";
        assert_eq!(sender(&format!("Return-Path: <bounce@carrier.example>\r\n{from}\r\n")), "bounce@carrier.example");
        assert_eq!(sender(&format!("Return-Path: <>\r\n{from}\r\n")), "noc@carrier.example");
        assert_eq!(sender(&format!("{from}\r\n")), "noc@carrier.example");
        assert_eq!(sender("From: nobody\r\n\r\n"), "");
    }
}
