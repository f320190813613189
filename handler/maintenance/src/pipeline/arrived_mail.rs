//! A mail and what is known of it besides: what a sink is given.

use jiff::Timestamp;

use contract::receipt_event::Received;
use mail::Mail;

/// A mail that arrived.
#[derive(Debug, Clone)]
pub struct ArrivedMail {
    /// SES's id of it.
    pub ses_message_id: String,
    /// The bucket that it is in.
    pub bucket: String,
    /// Its key there.
    pub key: String,
    /// When SES received it.
    pub received_at: Option<Timestamp>,
    /// The mail. `None` if it may not be opened (a virus), is too large to be one, or could not be decoded.
    pub mail: Option<Mail>,
    /// The address of its `From`; of an unopened mail as SES has read it.
    pub sender: Option<String>,
    /// Its subject; of an unopened mail as SES has read it.
    pub subject: Option<String>,
    /// Its `Message-ID`, without angle brackets.
    pub message_id: Option<String>,
}

impl ArrivedMail {
    /// Returns a mail that is not opened: what is known of it is what SES has read.
    pub(crate) fn unopened(id: &str, bucket: String, key: String, received: &Received) -> Self {
        let headers = &received.mail.common_headers;
        let message_id = headers.message_id.as_deref().map(|id| id.trim().trim_matches(['<', '>']).to_owned());
        Self {
            ses_message_id: id.to_owned(),
            bucket,
            key,
            received_at: received.mail.timestamp,
            mail: None,
            sender: headers.from.first().cloned(),
            subject: headers.subject.clone(),
            message_id,
        }
    }

    /// The same, opened. What the event says of headers is forgotten: it may be cut.
    pub(crate) fn open(&mut self, mail: Mail) {
        let outer = mail.outer();
        self.sender = outer.sender.as_ref().map(|sender| sender.address.clone());
        self.subject = (!outer.subject.is_empty()).then(|| outer.subject.clone());
        self.message_id.clone_from(&outer.message_id);
        self.mail = Some(mail);
    }

    /// What tells this mail from others, however often it arrives: see [`Mail::identity`]. Of an unopened mail, SES's message id.
    pub fn identity(&self) -> String {
        self.mail.as_ref().map_or_else(|| self.ses_message_id.clone(), |mail| mail.identity().to_string())
    }
}
