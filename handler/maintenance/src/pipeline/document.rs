//! What other systems are told of a mail: one JSON document, with a version. A webhook gets it, and it stands beside a mail that is kept
//! for a person.

use jiff::Timestamp;
use serde::Serialize;

use super::{arrived_mail::ArrivedMail, sink::Handover};
use contract::maintenance::Record;
use notice::outcome::Notice;
use schedule::digest;

/// The document's version: a key may be added without a new one, what is there keeps its meaning.
pub const VERSION: u32 = 1;

/// A mail in the words of other systems.
#[derive(Debug, Clone, Serialize)]
pub struct Document<'mail> {
    /// See [`VERSION`].
    pub version: u32,
    /// The same for the same mail, however often it is delivered: whoever has seen it may pass it over.
    pub id: String,
    /// What is said.
    #[serde(flatten)]
    pub content: Content<'mail>,
    /// The mail that says so.
    pub mail: MailPart<'mail>,
}

/// What is said.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content<'mail> {
    /// A trusted notice.
    Notice {
        /// Our slug of the provider.
        provider: &'static str,
        /// When the provider wrote it: what orders the notices of one maintenance, where no `sequence` does.
        announced_at: Option<Timestamp>,
        /// With the 12 keys each, in the mail's order.
        maintenances: Vec<Record<'mail>>,
    },
    /// Somebody has to look at the mail.
    ForPerson {
        /// Why.
        reason: &'mail str,
        /// What could be read, unverified: nothing may be done by it.
        suggestion: Vec<Record<'mail>>,
    },
}

/// A mail, without its text.
#[derive(Debug, Clone, Serialize)]
pub struct MailPart<'mail> {
    /// What tells it from others: see [`ArrivedMail::identity`].
    pub identity: String,
    /// Its `Message-ID`, without angle brackets.
    pub message_id: Option<&'mail str>,
    /// Who sent it.
    pub sender: Option<&'mail str>,
    /// Its subject.
    pub subject: Option<&'mail str>,
    /// When SES received it.
    pub received_at: Option<Timestamp>,
    /// The bucket that it is in.
    pub bucket: &'mail str,
    /// Its key there.
    pub key: &'mail str,
}

impl<'mail> Document<'mail> {
    /// What a notice says.
    pub fn of_notice(arrived: &'mail ArrivedMail, notice: &'mail Notice) -> Self {
        let content = Content::Notice {
            provider: notice.recognised.provider.slug,
            announced_at: notice.announced_at,
            maintenances: notice.maintenances.iter().map(Record::from).collect(),
        };
        Self::new(arrived, "notice", content)
    }

    /// Returns why a person has to look at a mail.
    pub fn for_person(arrived: &'mail ArrivedMail, handover: &Handover<'mail>) -> Self {
        let suggestion = handover.suggestion.iter().map(Record::from).collect();
        Self::new(arrived, "for_person", Content::ForPerson { reason: handover.reason, suggestion })
    }

    fn new(arrived: &'mail ArrivedMail, kind: &str, content: Content<'mail>) -> Self {
        let identity = arrived.identity();
        Self {
            version: VERSION,
            id: digest(format!("{kind}\n{identity}").as_bytes(), 16),
            content,
            mail: MailPart {
                identity,
                message_id: arrived.message_id.as_deref(),
                sender: arrived.sender.as_deref(),
                subject: arrived.subject.as_deref(),
                received_at: arrived.received_at,
                bucket: &arrived.bucket,
                key: &arrived.key,
            },
        }
    }
}
