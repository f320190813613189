//! A sent mail in the table of mails: its keys, and the tag that joins SES's events with it. `provision send` writes the item; the
//! function `mail-events` looks it up for each event.
//!
//! SES gives a mail its id in the answer to the call that sends it, and that answer can be lost. So the item is written before, under an id
//! of our own, and the same id goes with the mail as a tag that SES repeats in every event. An event is joined by SES's id where the item
//! has it, and by the tag where it has not (yet).

use std::fmt;

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// Name of the tag of a mail (`EmailTags` in SES's API, `mail.tags` in its events). Its value is the [`MailId`].
pub const TAG: &str = "provision-mail";

/// Partition key of the table: the sender's bare address in lower case, see [`partition_key`]. A string.
pub const PARTITION_KEY: &str = "ses_pk";
/// Sort key of the table: [`sort_key`] once SES's id is known, [`pending_sort_key`] before. A string.
pub const SORT_KEY: &str = "ses_sk";

/// Attribute with our own id, a [`MailId`]. A string.
pub const MAIL_ID: &str = "mail_id";
/// Attribute with SES's message id; absent while it is not known. A string.
pub const MESSAGE_ID: &str = "message_id";
/// Attribute with the time of sending in RFC 3339, UTC: that of SES's answer, or of the attempt while the item is pending. A string.
pub const SEND_TIME: &str = "send_time";
/// Attribute with the [`Status`]. A string.
pub const STATUS: &str = "status";
/// Attribute with the sender's own name for the kind of mail; absent if there is none. A string.
pub const TEMPLATE_ID: &str = "template_id";
/// Attribute with the sender as the mail has it. A string.
pub const FROM: &str = "from";
/// Attribute with the recipients' bare addresses. A list of strings.
pub const TO: &str = "to";
/// Attribute with the key of the mail's body in S3. A string.
pub const S3_KEY: &str = "s3_key";
/// Attribute with the digest of the request to send, by which a second run of the same request is recognised: SHA-256, 64 lower-case hex
/// digits. A string.
pub const REQUEST: &str = "request";

/// Beginning of the sort key of a mail whose id at SES is not known. SES's ids contain no `#`, and none is this word.
const PENDING: &str = "pending#";
/// Beginning of the sort key of the item that knows a request again. The same holds for it.
const REQUESTED: &str = "request#";

/// Our own id of a mail: 128 random bits as 32 lower-case hex digits. SES takes it as the value of a tag (`A-Za-z0-9_-`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MailId(String);

impl MailId {
    /// Makes an id of 16 bytes.
    ///
    /// ```
    /// let id = contract::sending::MailId::of([0xa5; 16]);
    /// assert_eq!(id.as_str(), "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5");
    /// ```
    pub fn of(bytes: [u8; 16]) -> Self {
        Self(format!("{:032x}", u128::from_be_bytes(bytes)))
    }

    /// Reads an id; `None` if the text is not 32 lower-case hex digits.
    pub fn read(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 32 && text.bytes().all(is_digit)).then(|| Self(text.to_owned()))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MailId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<MailId> for String {
    fn from(id: MailId) -> Self {
        id.0
    }
}

impl TryFrom<String> for MailId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::read(&text).ok_or("expected 32 lower-case hex digits")
    }
}

/// The states of a mail in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// SES's answer is not known: the mail may or may not have been sent.
    Pending,
    /// SES has accepted the mail.
    Sent,
}

impl Status {
    /// Returns the text in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
        }
    }
}

/// Returns the partition key of a sender's bare address (`news@example.com`, without a display name).
pub fn partition_key(address: &str) -> String {
    address.to_lowercase()
}

/// Returns the sort key of a mail that SES has accepted: its message id, `#`, and the minute in UTC.
///
/// ```
/// use contract::sending::{sort_key, sort_key_start};
///
/// let key = sort_key("0100018f-1", "2026-05-04T03:02:59Z".parse()?);
/// assert_eq!(key, "0100018f-1#2026-05-04 03:02");
/// assert!(key.starts_with(&sort_key_start("0100018f-1")));
/// assert!(!key.starts_with(&sort_key_start("0100018f")));
/// # Ok::<(), jiff::Error>(())
/// ```
pub fn sort_key(message_id: &str, at: Timestamp) -> String {
    let minute = at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M").to_string();
    format!("{}{minute}", sort_key_start(message_id))
}

/// Returns the beginning of the sort key of a mail that SES has accepted. It ends with `#`: an id that begins like another one's does not
/// match.
pub fn sort_key_start(message_id: &str) -> String {
    format!("{message_id}#")
}

/// Returns the sort key of a mail whose id at SES is not known.
pub fn pending_sort_key(id: &MailId) -> String {
    format!("{PENDING}{id}")
}

/// Returns the sort key of the item by which a request is known again: it names the mail that was made of it.
pub fn request_sort_key(digest: &str) -> String {
    format!("{REQUESTED}{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_32_lower_case_hex_digits() {
        for bytes in [[0; 16], [0xff; 16], [1; 16], [0x0a; 16]] {
            let id = MailId::of(bytes);
            assert_eq!(MailId::read(id.as_str()), Some(id));
        }
        for text in [
            "",
            "a5",
            "A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5",
            "g5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5",
            " a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",
        ] {
            assert_eq!(MailId::read(text), None, "{text:?}");
            assert!(serde_json::from_value::<MailId>(text.into()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_pending_mail_is_never_found_by_an_id_of_ses() {
        let pending = pending_sort_key(&MailId::of([7; 16]));
        for message_id in ["0100018f-1-000000", "pending-1", "07070707070707070707070707070707"] {
            assert!(!pending.starts_with(&sort_key_start(message_id)), "{message_id}");
        }
    }

    #[test]
    fn keys_keep_the_minute_in_utc() {
        let at = "2026-05-04T03:02:59+02:00".parse().unwrap();
        assert_eq!(sort_key("m", at), "m#2026-05-04 01:02");
    }

    #[test]
    fn senders_are_compared_without_case() {
        assert_eq!(partition_key("News@Example.COM"), "news@example.com");
    }
}
