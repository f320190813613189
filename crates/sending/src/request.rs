//! A request to send one mail, and the digest by which the same request is recognised.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::mailbox::Mailbox;

/// Most recipients of one mail, those in `To`, `Cc` and `Bcc` together (SES: quotas).
pub const MOST_RECIPIENTS: usize = 50;
/// Largest mail that SES takes, encoded, in bytes (SES v2: quotas).
pub(crate) const LARGEST: usize = 40 * 1024 * 1024;

/// A file that goes with a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Name that the recipient sees.
    pub name: String,
    /// Media type, such as `application/pdf`.
    pub media_type: String,
    /// Bytes of the file, as they are.
    pub content: Vec<u8>,
}

/// A request to send one mail. All recipients share one id of SES.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Sender; its address or domain is a verified identity.
    pub from: Mailbox,
    /// Recipients in the header `To`.
    pub to: Vec<Mailbox>,
    /// Recipients in the header `Cc`.
    pub cc: Vec<Mailbox>,
    /// Recipients in no header.
    pub bcc: Vec<Mailbox>,
    /// Addresses that answers go to; empty for the sender's.
    pub reply_to: Vec<Mailbox>,
    /// Subject of the mail.
    pub subject: String,
    /// Plain text; `None` if there is only HTML.
    pub text: Option<String>,
    /// HTML; `None` if there is only plain text.
    pub html: Option<String>,
    /// Files that go with it.
    pub attachments: Vec<Attachment>,
    /// Name of the configuration set in AWS, whose destination gets the events.
    pub configuration_set: String,
    /// The sender's own name for the kind of mail, which every message in Kafka has; `None` if there is none.
    pub template_id: Option<String>,
    /// A word that tells this request from an equal one, such as the number of an order; empty if equal mails are one request.
    pub key: String,
}

/// The reasons why a request cannot be sent as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// Nobody is to get it.
    #[error("it has no recipient")]
    NoRecipient,
    /// More recipients than SES takes.
    #[error("it has {0} recipients, and SES takes {MOST_RECIPIENTS} in one mail")]
    ManyRecipients(usize),
    /// Neither text nor HTML.
    #[error("it has neither text nor HTML")]
    NoBody,
    /// A value that stands in a header has a line break or another control character.
    #[error("{0} has a control character")]
    Control(&'static str),
    /// More than SES takes.
    #[error("it is {0} bytes long, and SES takes 40 MB")]
    Large(usize),
    /// The message could not be built.
    #[error("it cannot be written as a message: {0}")]
    Unwritable(String),
}

impl Request {
    /// Returns all recipients: those in `To`, `Cc` and `Bcc`, in that order.
    pub fn recipients(&self) -> impl Iterator<Item = &Mailbox> {
        self.to.iter().chain(&self.cc).chain(&self.bcc)
    }

    /// Checks what SES would refuse, or would take for something else.
    pub(crate) fn check(&self) -> Result<(), Unsendable> {
        let has_control = |text: &str| text.chars().any(char::is_control);
        let names = self.attachments.iter().flat_map(|file| [&file.name, &file.media_type]);
        match self.recipients().count() {
            0 => return Err(Unsendable::NoRecipient),
            count if count > MOST_RECIPIENTS => return Err(Unsendable::ManyRecipients(count)),
            _ => {}
        }
        if self.text.is_none() && self.html.is_none() {
            return Err(Unsendable::NoBody);
        }
        if has_control(&self.subject) {
            return Err(Unsendable::Control("the subject"));
        }
        if names.into_iter().any(|name| has_control(name)) {
            return Err(Unsendable::Control("the name or type of an attachment"));
        }
        Ok(())
    }

    /// Returns the digest of the request: 64 lower-case hex digits of SHA-256 over everything in it. The parts have their lengths before
    /// them, so that no two requests have the same parts in sequence.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(bytes);
        };
        for list in [std::slice::from_ref(&self.from), &self.to, &self.cc, &self.bcc, &self.reply_to] {
            part(&list.len().to_be_bytes());
            for mailbox in list {
                part(mailbox.name.as_deref().unwrap_or_default().as_bytes());
                part(mailbox.address.as_bytes());
            }
        }
        part(self.subject.as_bytes());
        // A missing text and an empty one are two things.
        for text in [&self.text, &self.html, &self.template_id] {
            part(&[u8::from(text.is_some())]);
            part(text.as_deref().unwrap_or_default().as_bytes());
        }
        part(&self.attachments.len().to_be_bytes());
        for Attachment { name, media_type, content } in &self.attachments {
            part(name.as_bytes());
            part(media_type.as_bytes());
            part(content);
        }
        part(self.configuration_set.as_bytes());
        part(self.key.as_bytes());
        HEXLOWER.encode(&hash.finalize())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use super::*;

    pub(crate) fn request() -> Request {
        Request {
            from: "Shop <Orders@shop.example>".parse().unwrap(),
            to: vec!["ada@example.org".parse().unwrap()],
            cc: Vec::new(),
            bcc: Vec::new(),
            reply_to: Vec::new(),
            subject: "Your order".to_owned(),
            text: Some("It is on its way.".to_owned()),
            html: None,
            attachments: Vec::new(),
            configuration_set: "shop-mails".to_owned(),
            template_id: Some("order".to_owned()),
            key: String::new(),
        }
    }

    #[test]
    fn every_part_of_a_request_is_in_its_digest() {
        let eve = || vec!["eve@example.org".parse().unwrap()];
        let file = |name: &str, media_type: &str, content: &[u8]| {
            vec![Attachment { name: name.into(), media_type: media_type.into(), content: content.into() }]
        };
        let others = [
            request(),
            Request { from: "Orders@shop.example".parse().unwrap(), ..request() },
            Request { to: eve(), ..request() },
            Request { cc: eve(), ..request() },
            Request { bcc: eve(), ..request() },
            Request { reply_to: eve(), ..request() },
            Request { subject: "Your orde".to_owned(), text: Some("rIt is on its way.".to_owned()), ..request() },
            Request { text: None, html: request().text, ..request() },
            Request { html: Some(String::new()), ..request() },
            Request { attachments: file("a", "b/c", b"d"), ..request() },
            Request { attachments: file("ab", "/c", b"d"), ..request() },
            Request { attachments: file("a", "b/cd", b""), ..request() },
            Request { configuration_set: "other".to_owned(), ..request() },
            Request { template_id: None, ..request() },
            Request { key: "2".to_owned(), ..request() },
        ];
        let digests: BTreeSet<String> = others.iter().map(Request::digest).collect();
        assert_eq!(digests.len(), others.len());
        assert_eq!(request().digest(), request().digest());
    }

    #[test]
    fn a_request_that_ses_would_refuse_is_refused_before() {
        let many = vec!["ada@example.org".parse().unwrap(); 51];
        for (request, expected) in [
            (Request { to: Vec::new(), ..request() }, Unsendable::NoRecipient),
            (Request { bcc: many, to: Vec::new(), ..request() }, Unsendable::ManyRecipients(51)),
            (Request { text: None, ..request() }, Unsendable::NoBody),
            (
                Request { subject: "a\r\nBcc: eve@example.org".to_owned(), ..request() },
                Unsendable::Control("the subject"),
            ),
        ] {
            assert_eq!(request.check(), Err(expected));
        }
        assert_eq!(request().check(), Ok(()));
    }
}
