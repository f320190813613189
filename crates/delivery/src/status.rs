//! The statuses of a mail for one recipient, and which of two wins.

use std::fmt;

use events::{Event, Kind};

/// Status of a mail for one recipient. Of two, the greater wins whichever came first, so that late events change nothing.
///
/// ```
/// use delivery::Status;
///
/// assert!(Status::Complained > Status::Bounced && Status::Bounced > Status::Delivered);
/// assert_eq!(Status::read("delivered"), Some(Status::Delivered));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// SES was asked, and nothing is known of its answer.
    Pending,
    /// SES has accepted the mail.
    Sent,
    /// The mail is late; SES goes on trying.
    Delayed,
    /// The recipient's server took the mail.
    Delivered,
    /// The mail came back for a reason that passes, such as a full mailbox or an absence. Below [`Status::Opened`]: a mail that was opened
    /// has arrived, and what came back was an answer to it.
    SoftBounced,
    /// The mail was opened. SES tells it only where opens are tracked.
    Opened,
    /// A link in the mail was followed. SES tells it only where clicks are tracked.
    Clicked,
    /// The mail came back for good, also where the recipient's server had taken it at first.
    Bounced,
    /// The mail was not sent: its template could not be filled.
    Failed,
    /// SES did not send the mail: it carries a virus.
    Rejected,
    /// The recipient called it spam: nothing more may be sent there.
    Complained,
}

/// Each status with its precedence and its word in the database, which stay what they are: rows have them. The numbers leave room.
const STATUSES: [(Status, u8, &str); 11] = [
    (Status::Pending, 0, "pending"),
    (Status::Sent, 10, "sent"),
    (Status::Delayed, 20, "delayed"),
    (Status::Delivered, 30, "delivered"),
    (Status::SoftBounced, 40, "soft_bounced"),
    (Status::Opened, 50, "opened"),
    (Status::Clicked, 60, "clicked"),
    (Status::Bounced, 70, "bounced"),
    (Status::Failed, 80, "failed"),
    (Status::Rejected, 90, "rejected"),
    (Status::Complained, 100, "complained"),
];

/// Beginning of the subtype of a bounce whose reason passes, in SES's word.
const TRANSIENT: &str = "Transient";

impl Status {
    /// Returns all statuses, the least first.
    pub fn all() -> impl Iterator<Item = Self> {
        STATUSES.into_iter().map(|(status, ..)| status)
    }

    /// Returns the status that an event gives; `None` if it says nothing of the delivery.
    pub fn of(event: &Event) -> Option<Self> {
        Some(match event.kind() {
            Kind::Send => Self::Sent,
            Kind::DeliveryDelay => Self::Delayed,
            Kind::Delivery => Self::Delivered,
            Kind::Bounce if event.subtype().is_some_and(|subtype| subtype.starts_with(TRANSIENT)) => Self::SoftBounced,
            // An undetermined reason is taken for a lasting one: nobody should go on sending there unseen.
            Kind::Bounce => Self::Bounced,
            Kind::Open => Self::Opened,
            Kind::Click => Self::Clicked,
            Kind::RenderingFailure => Self::Failed,
            Kind::Reject => Self::Rejected,
            Kind::Complaint => Self::Complained,
            Kind::Subscription | Kind::Other(_) => return None,
        })
    }

    /// Returns the precedence in the database.
    pub fn precedence(self) -> u8 {
        STATUSES.iter().find(|(status, ..)| *status == self).map_or(0, |(_, precedence, _)| *precedence)
    }

    /// Returns the word in the database.
    pub fn as_str(self) -> &'static str {
        STATUSES.iter().find(|(status, ..)| *status == self).map_or("", |(.., word)| word)
    }

    /// Reads the word of the database; `None` if it is none of them.
    pub fn read(word: &str) -> Option<Self> {
        STATUSES.iter().find(|(.., known)| *known == word).map(|(status, ..)| *status)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use events::{Reading, read};

    use super::*;

    #[test]
    fn the_order_is_that_of_the_precedences_and_each_word_reads_back() {
        for pair in STATUSES.windows(2) {
            assert!(pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1, "{pair:?}");
        }
        assert!(Status::all().all(|status| Status::read(status.as_str()) == Some(status)));
        assert_eq!(Status::read("read"), None);
    }

    #[test]
    fn each_type_of_event_gives_its_status() {
        for (kind, detail, expected) in [
            ("Send", r#""send":{}"#, Some(Status::Sent)),
            ("DeliveryDelay", r#""deliveryDelay":{"delayType":"General"}"#, Some(Status::Delayed)),
            ("Delivery", r#""delivery":{}"#, Some(Status::Delivered)),
            (
                "Bounce",
                r#""bounce":{"bounceType":"Transient","bounceSubType":"MailboxFull"}"#,
                Some(Status::SoftBounced),
            ),
            ("Bounce", r#""bounce":{"bounceType":"Permanent","bounceSubType":"General"}"#, Some(Status::Bounced)),
            ("Bounce", r#""bounce":{"bounceType":"Undetermined"}"#, Some(Status::Bounced)),
            ("Bounce", r#""bounce":{}"#, Some(Status::Bounced)),
            ("Open", r#""open":{}"#, Some(Status::Opened)),
            ("Click", r#""click":{}"#, Some(Status::Clicked)),
            ("Rendering Failure", r#""failure":{}"#, Some(Status::Failed)),
            ("Reject", r#""reject":{"reason":"Bad content"}"#, Some(Status::Rejected)),
            ("Complaint", r#""complaint":{}"#, Some(Status::Complained)),
            ("Subscription", r#""subscription":{}"#, None),
            ("Received", r#""received":{}"#, None),
        ] {
            let text = format!(
                r#"{{"eventType":"{kind}",{detail},"mail":{{"messageId":"m","timestamp":"2027-01-05T11:00:00Z"}}}}"#
            );
            let Ok(Reading::Event(event)) = read(&text) else { panic!("{text}") };
            assert_eq!(Status::of(&event), expected, "{text}");
        }
    }
}
