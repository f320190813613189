//! A mail as a notification.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::{claim::trimmed, client::NewNotification, fields, ids::EventId};
use crate::pipeline::{arrived_mail::ArrivedMail, sink::Handover};

/// Stands where a mail names no sender that NetBox takes: the domain can never exist.
const NOBODY: &str = "unknown@sender.invalid";
/// Begins what is said of a mail that is for a person.
const MARK: &str = "provision: ";
/// No reason is longer. Characters.
const LONGEST_REASON: usize = 4000;
/// As many suggestions are told.
const MOST_SUGGESTIONS: usize = 20;

/// The mail as it is.
pub(super) fn from_mail(arrived: &ArrivedMail, event: Option<EventId>) -> NewNotification {
    let place = format!("s3://{}/{}", arrived.bucket, arrived.key);
    let body = match text(arrived) {
        Some(text) => trimmed(&fields::body(text.trim(), &format!("\n\n[cut: the whole mail is {place}]"))).to_owned(),
        None if arrived.mail.is_some() => format!("(The mail has no text. It is {place})"),
        None => format!("(The mail was not opened. It is {place})"),
    };
    let subject = fields::cut(&fields::line(arrived.subject.as_deref().unwrap_or_default()), fields::LONGEST_SUBJECT);
    let sent = arrived.mail.as_ref().and_then(|mail| mail.outer().date);
    NewNotification {
        event,
        body,
        subject: if subject.is_empty() { "(no subject)".to_owned() } else { subject },
        sender: sender(arrived).unwrap_or(NOBODY).to_owned(),
        received_at: arrived.received_at.or(sent).unwrap_or_else(Timestamp::now),
    }
}

/// The mail with what a person has to know of it before it.
pub(super) fn for_person(arrived: &ArrivedMail, handover: &Handover<'_>) -> NewNotification {
    let mail = from_mail(arrived, None);
    let mut lines = vec![fields::cut(&fields::line(handover.reason), LONGEST_REASON)];
    if sender(arrived).is_none() {
        let named = arrived.sender.as_deref().map(fields::line).filter(|name| !name.is_empty());
        lines.push(format!("Sender: {}", named.unwrap_or_else(|| "none".to_owned())));
    }
    lines.push(format!("The mail: s3://{}/{}", arrived.bucket, arrived.key));
    for read in handover.suggestion.iter().take(MOST_SUGGESTIONS) {
        let window = read.window().map(|window| format!(" {} to {}", window.start(), window.end())).unwrap_or_default();
        let mut line = format!("Read, not verified: {} {}{window}", fields::line(read.id()), read.status());
        for circuit in read.circuits().iter().take(MOST_SUGGESTIONS) {
            let _ = write!(line, ", {} {}", fields::line(circuit.id()), circuit.impact());
        }
        lines.push(line);
    }
    let is_page = arrived.mail.as_ref().is_some_and(|mail| !blank(&mail.pages));
    let mut before = String::new();
    for (index, line) in lines.iter().enumerate() {
        let mark = if index == 0 { MARK } else { "" };
        let _ =
            if is_page { write!(before, "<p>{mark}{}</p>", escaped(line)) } else { writeln!(before, "{mark}{line}") };
    }
    NewNotification { body: format!("{before}\n{}", mail.body), ..mail }
}

/// Whether a stored body is that of this mail, with what was said of it before it.
pub(super) fn is_of(stored: &str, body: &str) -> bool {
    let stored = trimmed(stored);
    let marked = stored.starts_with(MARK) || stored.starts_with(&format!("<p>{MARK}"));
    marked && stored.ends_with(trimmed(body))
}

/// Whether a stored body is this one.
pub(super) fn is_same(stored: &str, body: &str) -> bool {
    trimmed(stored) == trimmed(body)
}

fn sender(arrived: &ArrivedMail) -> Option<&str> {
    let named = arrived.sender.as_deref()?.trim();
    // Of an unopened mail it stands as SES has read it, with the display name.
    let bare = named.rsplit_once('<').map_or(named, |(_, address)| address.trim_end_matches('>'));
    fields::address(bare)
}

fn text(arrived: &ArrivedMail) -> Option<String> {
    let mail = arrived.mail.as_ref()?;
    let bodies = [&mail.pages, &mail.texts, &mail.calendars].into_iter().find(|bodies| !blank(bodies))?;
    Some(bodies.join("\n"))
}

fn blank(bodies: &[String]) -> bool {
    bodies.iter().all(|body| body.chars().all(|letter| letter.is_whitespace() || letter.is_control()))
}

fn escaped(line: &str) -> String {
    line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
