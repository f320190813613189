//! The message of an affected recipient: 17 fields, the reference's names, each with a meaning.

use data_encoding::HEXLOWER;
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Event, address::domain};

/// The bits of a `store_id` below its milliseconds.
const HASH_BITS: u32 = 22;
/// The largest number of milliseconds that the rest of 64 bits takes: in the year 2109.
const MOST_MILLISECONDS: u64 = (1 << (u64::BITS - HASH_BITS)) - 1;
/// The platform of every message.
const PLATFORM: &str = "SES";

/// The message of one recipient of an event, as it is written to Kafka. Its JSON Schema is `docs/message.schema.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The event's milliseconds since the epoch and 22 bits of a hash, as a number of 20 digits: sorted by it, as text or as number,
    /// events are in the order in which they happened. The same for the same notification and recipient; not unique.
    pub store_id: String,
    /// Bare address of the sender; `None` if the event states none.
    pub from_email: Option<String>,
    /// Bare address of the recipient that the event is about; `None` if it names nobody.
    pub to_email: Option<String>,
    /// Domain of the sender.
    pub send_domain: Option<String>,
    /// Domain of the recipient.
    pub recipient_domain: Option<String>,
    /// Address from which SES took the mail; `None` if it is not stated.
    pub send_ip: Option<String>,
    /// Type of the event, in SES's word.
    pub notify_type: String,
    /// Name of the sending platform: always `SES`.
    pub platform: String,
    /// Time of the event, RFC 3339 in UTC with milliseconds.
    pub created_at: String,
    /// Code of the type ([`crate::Kind::code`]).
    pub delivery_code: u8,
    /// Word of the type ([`crate::Kind::result`]).
    pub delivery_message: String,
    /// SES's id of the mail.
    pub message_id: String,
    /// Template of the mail, from the sender's table; `None` if the table does not know the mail, or the mail has none.
    pub template_id: Option<String>,
    /// Subtype of the event: what it says beyond its type ([`Event::subtype`]).
    pub notify_subtype: Option<String>,
    /// Time at which SES took the mail, RFC 3339 in UTC with milliseconds; `None` if it is not stated.
    pub send_at: Option<String>,
    /// SES's id of the mail, once more, where the reference had the sender.
    pub email_id: String,
    /// Day of the event in UTC, `2027-01-05`.
    pub event_day: String,
}

/// A message with what makes it unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressed {
    /// 128 bits of the SHA-256 of notification and recipient, 32 hexadecimal digits: the same for the same two, so that whoever has seen
    /// it has seen the message.
    pub dedup_id: String,
    /// Message that is written to the topic.
    pub message: Message,
}

impl Event {
    /// Returns the messages of the event, one for each affected recipient; one without a recipient if it names nobody. `notification` is
    /// SNS's id of the notification, the same when SNS delivers it again; `template` is what the sender's table has.
    pub fn messages(&self, notification: &str, template: Option<&str>) -> Vec<Addressed> {
        let recipients: Vec<Option<&str>> = match &self.recipients()[..] {
            [] => vec![None],
            some => some.iter().copied().map(Some).collect(),
        };
        recipients.into_iter().map(|recipient| self.message(notification, template, recipient)).collect()
    }

    fn message(&self, notification: &str, template: Option<&str>, recipient: Option<&str>) -> Addressed {
        let Identity { store_id, dedup_id } = Identity::of(notification, recipient, self.at());
        let from = self.from();
        let message = Message {
            store_id,
            from_email: from.map(str::to_owned),
            to_email: recipient.map(str::to_owned),
            send_domain: from.and_then(domain),
            recipient_domain: recipient.and_then(domain),
            send_ip: self.source_ip().map(str::to_owned),
            notify_type: self.kind().to_string(),
            platform: PLATFORM.to_owned(),
            created_at: format!("{:.3}", self.at()),
            delivery_code: self.kind().code(),
            delivery_message: self.kind().result(),
            message_id: self.message_id().to_owned(),
            template_id: template.map(str::to_owned),
            notify_subtype: self.subtype(),
            send_at: self.sent_at().map(|at| format!("{at:.3}")),
            email_id: self.message_id().to_owned(),
            event_day: self.at().to_zoned(TimeZone::UTC).date().to_string(),
        };
        Addressed { dedup_id, message }
    }
}

/// Ids of a message: one tells it from others, one puts it in order.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Identity {
    store_id: String,
    dedup_id: String,
}

impl Identity {
    fn of(notification: &str, recipient: Option<&str>, at: Timestamp) -> Self {
        // An id has no zero byte, so that no other pair gives the same bytes.
        let digest =
            Sha256::new_with_prefix(notification).chain_update([0]).chain_update(recipient.unwrap_or_default());
        let bytes: [u8; 32] = digest.finalize().into();
        let [first, second, third, fourth, ..] = bytes;
        let hash = u64::from(u32::from_be_bytes([first, second, third, fourth]) >> (u32::BITS - HASH_BITS));
        let milliseconds = u64::try_from(at.as_millisecond()).unwrap_or_default().min(MOST_MILLISECONDS);
        let store_id = format!("{:020}", milliseconds << HASH_BITS | hash);
        Self { store_id, dedup_id: HEXLOWER.encode(bytes.get(..16).unwrap_or_default()) }
    }
}
