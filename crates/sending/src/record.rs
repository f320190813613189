//! The record of a mail, before and after SES has answered.

use contract::sending::{self, MailId, Status};
use jiff::Timestamp;

use crate::request::Request;

/// The record of a mail that is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Our own id, which goes with the mail as a tag.
    pub id: MailId,
    /// Digest of the request, see [`Request::digest`].
    pub request: String,
    /// Sender's bare address in lower case: the partition of the table.
    pub sender: String,
    /// Sender as the mail has it.
    pub from: String,
    /// Bare addresses of all recipients.
    pub to: Vec<String>,
    /// The sender's own name for the kind of mail; `None` if there is none.
    pub template_id: Option<String>,
    /// Key of the mail's body in S3.
    pub s3_key: String,
    /// Time at which the record was made.
    pub begun: Timestamp,
}

/// A mail that SES has accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Message id that SES gave it: `mail.messageId` in its events.
    pub message_id: String,
    /// Time of SES's answer.
    pub at: Timestamp,
}

/// The record of an earlier run of the same request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// Our own id of that mail.
    pub id: MailId,
    /// Time at which its record was made.
    pub begun: Timestamp,
    /// Key of its body in S3.
    pub s3_key: String,
    /// The mail as SES accepted it; `None` if SES's answer is not known.
    pub sent: Option<Sent>,
    /// `false` if one of two places of records says less than the other.
    pub is_whole: bool,
}

impl Record {
    /// Returns the record of a request under an id; `prefix` is that of the bodies in S3.
    pub fn new(request: &Request, id: MailId, prefix: &str, begun: Timestamp) -> Self {
        Self {
            request: request.digest(),
            sender: sending::partition_key(&request.from.address),
            from: request.from.to_string(),
            to: request.recipients().map(|recipient| recipient.address.clone()).collect(),
            template_id: request.template_id.clone(),
            s3_key: format!("{prefix}{id}.eml"),
            id,
            begun,
        }
    }

    /// Returns the record of an earlier run of the same request.
    pub(crate) fn of_earlier(request: &Request, earlier: &Earlier) -> Self {
        let record = Self::new(request, earlier.id.clone(), "", earlier.begun);
        Self { s3_key: earlier.s3_key.clone(), ..record }
    }

    #[cfg(test)]
    pub(crate) fn example(request: &Request) -> Self {
        Self::new(request, MailId::of([7; 16]), "sent/", "2027-01-05T10:00:00Z".parse().unwrap())
    }
}

impl Earlier {
    /// Returns the state of the mail.
    pub fn status(&self) -> Status {
        if self.sent.is_some() { Status::Sent } else { Status::Pending }
    }
}
