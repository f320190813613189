//! The rows that an event gives: one for each recipient that it is about.

use contract::sending::{MailId, TAG};
use events::Event;
use jiff::{Timestamp, tz::TimeZone};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::Status;

/// Id of an event for one recipient: SHA-256 of the event's text and the recipient. SNS and SES deliver an event more than once, with equal
/// text, in an envelope or without; SNS's own id would miss what SES publishes twice.
pub type EventId = [u8; 32];

/// Longest message id of a mail, in characters. SES's own have some 60.
const LONGEST_MESSAGE_ID: usize = 100;
/// Longest address, in characters: 64 before the `@` and 255 after it (RFC 5321, 4.5.3.1).
const LONGEST_ADDRESS: usize = 320;
/// Longest word for the type of an event, in characters. SES's own have 17 at most; what is longer is cut.
const LONGEST_KIND: usize = 40;
/// Longest subtype, in characters. What is longer is cut: it is for people.
const LONGEST_SUBTYPE: usize = 255;

/// A row of the log of events, and what it does to the status of its mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Id of the event for this recipient.
    pub event_id: EventId,
    /// SES's id of the mail.
    pub message_id: String,
    /// Recipient's bare address in small letters; empty if the event names nobody.
    pub recipient: String,
    /// Type of the event, in SES's word.
    pub kind: String,
    /// Time of the event.
    pub at: Timestamp,
    /// Subtype or reason in the event; `None` if it states none.
    pub subtype: Option<String>,
    /// Status that it gives; `None` if it says nothing of the delivery.
    pub status: Option<Status>,
    /// Sender's own id of the mail, by which a record without SES's id is found; `None` if the mail does not carry one.
    pub mail_id: Option<MailId>,
}

/// The reasons why an event cannot be a row. None quotes the event: there are addresses in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unstorable {
    /// The mail's id has other letters than SES's, or too many.
    #[error("`mail.messageId` is not 1 to {LONGEST_MESSAGE_ID} visible ASCII letters")]
    MessageId,
    /// A recipient's address is too long.
    #[error("a recipient's address has more than {LONGEST_ADDRESS} letters")]
    Recipient,
    /// The time is none that a database takes.
    #[error("the event's time is before 1970 or after 9999")]
    Time,
}

/// Returns the changes of an event, one for each recipient that it is about. `text` is the event as SES published it.
pub fn changes(text: &str, event: &Event) -> Result<Vec<Change>, Unstorable> {
    let message_id = event.message_id();
    let is_id =
        (1..=LONGEST_MESSAGE_ID).contains(&message_id.len()) && message_id.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_id {
        return Err(Unstorable::MessageId);
    }
    // A database has a year of four digits; the end of 9999 may be another year elsewhere.
    if !(1970..=9998).contains(&event.at().to_zoned(TimeZone::UTC).year()) {
        return Err(Unstorable::Time);
    }
    let mut recipients: Vec<String> = event.recipients().into_iter().map(str::to_lowercase).collect();
    recipients.sort_unstable();
    recipients.dedup();
    if recipients.is_empty() {
        recipients.push(String::new());
    }
    if recipients.iter().any(|recipient| recipient.chars().count() > LONGEST_ADDRESS) {
        return Err(Unstorable::Recipient);
    }
    let cut = |text: &str, longest: usize| text.chars().take(longest).collect::<String>();
    let change = |recipient: String| Change {
        event_id: id(text, &recipient),
        message_id: message_id.to_owned(),
        recipient,
        kind: cut(event.kind().as_str(), LONGEST_KIND),
        at: event.at(),
        subtype: event.subtype().map(|subtype| cut(&subtype, LONGEST_SUBTYPE)),
        status: Status::of(event),
        mail_id: event.tag(TAG).and_then(MailId::read),
    };
    Ok(recipients.into_iter().map(change).collect())
}

fn id(text: &str, recipient: &str) -> EventId {
    // An address has no zero byte, so that no other pair gives the same bytes.
    Sha256::new_with_prefix(recipient).chain_update([0]).chain_update(text.trim()).finalize().into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use events::{Reading, read};
    use serde_json::{Value, json};

    use super::*;

    fn of(document: &Value) -> Result<Vec<Change>, Unstorable> {
        let text = document.to_string();
        let Ok(Reading::Event(event)) = read(&text) else { panic!("{text}") };
        changes(&text, &event)
    }

    fn event() -> Value {
        json!({
            "eventType": "Bounce",
            "bounce": {
                "bounceType": "Permanent", "timestamp": "2027-01-05T11:00:04.123Z",
                "bouncedRecipients": [{"emailAddress": "Ada@Example.org"}, {"emailAddress": "ada@example.org"}, {"emailAddress": "b@example.org"}],
            },
            "mail": {
                "messageId": "0107-1", "timestamp": "2027-01-05T11:00:00Z", "destination": ["ada@example.org", "b@example.org", "c@example.org"],
                "tags": {TAG: ["0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"]},
            },
        })
    }

    #[test]
    fn an_event_is_one_row_for_each_recipient_under_an_id_that_follows_from_its_text() {
        let changes = of(&event()).unwrap();
        let recipients: Vec<_> = changes.iter().map(|change| change.recipient.as_str()).collect();
        assert_eq!(recipients, ["ada@example.org", "b@example.org"]);
        assert_eq!(changes, of(&event()).unwrap());
        assert_eq!(changes.iter().map(|change| change.event_id).collect::<BTreeSet<_>>().len(), 2);
        let first = &changes[0];
        assert_eq!((first.status, first.subtype.as_deref()), (Some(Status::Bounced), Some("Permanent")));
        assert_eq!(first.mail_id.as_ref().map(MailId::as_str), Some("0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"));
        let mut later = event();
        later["bounce"]["timestamp"] = json!("2027-01-05T11:00:05Z");
        assert_ne!(of(&later).unwrap()[0].event_id, first.event_id);
    }

    #[test]
    fn what_no_column_takes_is_refused_and_long_words_are_cut() {
        for (pointer, value, expected) in [
            ("/mail/messageId", json!("m".repeat(101)), Unstorable::MessageId),
            ("/mail/messageId", json!("m\u{e9}"), Unstorable::MessageId),
            ("/mail/messageId", json!("m m"), Unstorable::MessageId),
            ("/bounce/bouncedRecipients/0/emailAddress", json!("a".repeat(321)), Unstorable::Recipient),
            ("/bounce/timestamp", json!("1969-12-31T23:59:59Z"), Unstorable::Time),
            ("/bounce/timestamp", json!("-000001-12-31T23:59:59Z"), Unstorable::Time),
        ] {
            let mut event = event();
            *event.pointer_mut(pointer).unwrap() = value;
            assert_eq!(of(&event), Err(expected), "{pointer}");
        }
        let mut other = event();
        other["eventType"] = json!("x".repeat(100));
        assert_eq!(of(&other).unwrap()[0].kind.len(), LONGEST_KIND);
        let nobody = json!({"eventType": "Send", "mail": {"messageId": "m", "timestamp": "2027-01-05T11:00:00Z"}});
        assert_eq!(of(&nobody).unwrap()[0].recipient, "");
    }
}
