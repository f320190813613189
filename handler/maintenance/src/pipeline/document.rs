//! A mail as a JSON document for other systems, with a version. A webhook gets it, and it is stored beside a mail that is kept for a
//! person.

use jiff::Timestamp;
use serde::Serialize;

use super::{arrived_mail::ArrivedMail, sink::Handover};
use contract::maintenance::Record;
use notice::outcome::Notice;
use schedule::digest;

/// Version of the document: a key may be added without a new version; existing keys keep their meaning.
pub const VERSION: u32 = 1;

/// A mail as other systems see it.
#[derive(Debug, Clone, Serialize)]
pub struct Document<'mail> {
    /// See [`VERSION`].
    pub version: u32,
    /// Id of the document: the same for the same mail, however often it is delivered, so that a receiver can skip repetitions.
    pub id: String,
    /// Content of the mail.
    #[serde(flatten)]
    pub content: Content<'mail>,
    /// The mail that contains it.
    pub mail: MailPart<'mail>,
}

/// The content of a mail.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content<'mail> {
    /// A trusted notice.
    Notice {
        /// Our slug of the provider.
        provider: &'static str,
        /// Time at which the provider wrote it: it orders the notices of one maintenance without a `sequence`.
        announced_at: Option<Timestamp>,
        /// Maintenances, with the 12 keys each, in the mail's order.
        maintenances: Vec<Record<'mail>>,
    },
    /// A person has to look at the mail.
    ForPerson {
        /// Why a person has to look at it.
        reason: &'mail str,
        /// Maintenances that could be read, unverified: nothing may be done by them.
        suggestion: Vec<Record<'mail>>,
    },
}

/// A mail, without its text.
#[derive(Debug, Clone, Serialize)]
pub struct MailPart<'mail> {
    /// Identity of the mail: see [`ArrivedMail::identity`].
    pub identity: String,
    /// Its `Message-ID`, without angle brackets; `None` if it has none.
    pub message_id: Option<&'mail str>,
    /// Address of the sender; `None` if unknown.
    pub sender: Option<&'mail str>,
    /// Subject of the mail; `None` if unknown.
    pub subject: Option<&'mail str>,
    /// Time at which SES received it; `None` if unknown.
    pub received_at: Option<Timestamp>,
    /// Bucket that contains it.
    pub bucket: &'mail str,
    /// Key of the object.
    pub key: &'mail str,
}

impl<'mail> Document<'mail> {
    /// Returns the document of a notice.
    pub fn of_notice(arrived: &'mail ArrivedMail, notice: &'mail Notice) -> Self {
        let content = Content::Notice {
            provider: notice.recognised.provider.slug,
            announced_at: notice.announced_at,
            maintenances: notice.maintenances.iter().map(Record::from).collect(),
        };
        Self::new(arrived, "notice", content)
    }

    /// Returns the document of a mail for a person.
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
