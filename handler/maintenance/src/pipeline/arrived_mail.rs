//! A mail with what is known of it besides its content: the input of a sink.

use jiff::{SignedDuration, Timestamp};

use super::held::{Retention, Source};
use contract::receipt_event::Received;
use mail::Mail;
use schedule::digest;

/// Longest time from a mail's receipt to its first handling. Lambda tries again after a minute at the earliest.
const PROMPT: SignedDuration = SignedDuration::from_secs(50);

/// A mail that arrived.
#[derive(Debug, Clone, Default)]
pub struct ArrivedMail {
    /// SES message id of the mail.
    pub ses_message_id: String,
    /// Bucket that contains it.
    pub bucket: String,
    /// Key of the object.
    pub key: String,
    /// Time at which SES received it; `None` if unknown.
    pub received_at: Option<Timestamp>,
    /// Decoded mail; `None` if it may not be opened (a virus), is too large to be one, or could not be decoded.
    pub mail: Option<Mail>,
    /// Address of its `From`; for an unopened mail, as SES has read it.
    pub sender: Option<String>,
    /// Its subject; for an unopened mail, as SES has read it.
    pub subject: Option<String>,
    /// Its `Message-ID`, without angle brackets; `None` if it has none.
    pub message_id: Option<String>,
    /// The mail as it came; `None` if its object stays in any case.
    pub source: Option<Source>,
    /// Retention of the object once the sinks have answered.
    pub retention: Retention,
}

impl ArrivedMail {
    /// Returns a mail that is not opened, with the headers that SES has read.
    pub(crate) fn unopened(id: &str, bucket: String, key: String, received: &Received) -> Self {
        let headers = &received.mail.common_headers;
        let message_id = headers.message_id.as_deref().map(|id| id.trim().trim_matches(['<', '>']).to_owned());
        Self {
            ses_message_id: id.to_owned(),
            bucket,
            key,
            received_at: received.mail.timestamp,
            sender: headers.from.first().cloned(),
            subject: headers.subject.clone(),
            message_id,
            ..Self::default()
        }
    }

    /// Opens the mail. Its own headers replace those of the event, which may be cut.
    pub(crate) fn open(&mut self, mail: Mail) {
        let outer = mail.outer();
        self.sender = outer.sender.as_ref().map(|sender| sender.address.clone());
        self.subject = (!outer.subject.is_empty()).then(|| outer.subject.clone());
        self.message_id.clone_from(&outer.message_id);
        self.mail = Some(mail);
    }

    /// Returns the identity of the mail, which stays the same however often it arrives: see [`mail::Identity`]. For an unopened
    /// mail, it is the SES message id. Every sink tells mails apart by it, and by nothing else.
    pub fn identity(&self) -> String {
        self.mail.as_ref().map_or_else(|| self.ses_message_id.clone(), |mail| mail.identity().to_string())
    }

    /// Returns whether the mail arrived so long ago that it may have been handled before: it is replayed, or tried again.
    pub fn is_late(&self) -> bool {
        self.received_at.is_none_or(|received| Timestamp::now().duration_since(received) > PROMPT)
    }

    /// Returns a short form of the identity, 32 hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        digest(self.identity().as_bytes(), 16)
    }

    /// Returns the address of the object, `s3://BUCKET/KEY`, whatever becomes of it.
    pub fn address(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }

    /// Returns the address that a sink may point at; `None` if the object may go.
    pub fn pointer(&self) -> Option<String> {
        (self.retention == Retention::Stays).then(|| self.address())
    }

    /// Returns the copy that a sink has to hold if it can, since the object may go; `None` if the object stays, or a copy is too large.
    pub fn copy(&self) -> Option<&[u8]> {
        self.source.as_ref().filter(|_| self.retention == Retention::MayGo)?.bytes()
    }
}
