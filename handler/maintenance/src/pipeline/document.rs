//! A mail as a JSON document for other systems, with a version. A webhook gets it, and it is stored beside a mail that is kept for a
//! person.

use aws_smithy_types::base64;
use jiff::Timestamp;
use serde::Serialize;

use super::{
    arrived_mail::ArrivedMail,
    held::{Held, Retention},
    sink::Handover,
};
use contract::maintenance::Record;
use mail::Mail;
use notice::{outcome::Notice, page::Page};
use schedule::digest;

/// Version of the document: a key may be added without a new version; existing keys keep their meaning.
pub const VERSION: u32 = 1;
/// Longest text of a mail in a document, in characters.
const LONGEST_TEXT: usize = 100_000;

/// A mail as other systems see it.
#[derive(Debug, Clone, Serialize)]
pub struct Document<'mail> {
    /// Version of the document: see [`VERSION`].
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
    /// A trusted notice of a provider.
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

/// A mail: what a person needs of it, and where all of it is.
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
    /// Bucket that contains it; `None` if it is deleted from there.
    pub bucket: Option<&'mail str>,
    /// Key of the object; `None` if it is deleted.
    pub key: Option<&'mail str>,
    /// Address of the whole mail, `s3://BUCKET/KEY`, never a presigned link; `None` if the document holds all of it.
    pub object: Option<String>,
    /// Text of the mail, of a page as a person sees it; `None` if it has none, or was not opened.
    pub text: Option<String>,
    /// `true` if the mail may have more text than this.
    pub text_is_cut: bool,
    /// Files that are attached, calendars not counted.
    pub attachments: Vec<AttachmentPart<'mail>>,
    /// The whole mail as it came, in base64, where its object is deleted; else `None`.
    pub source: Option<String>,
}

/// An attached file, without its content.
#[derive(Debug, Clone, Serialize)]
pub struct AttachmentPart<'mail> {
    /// Name that the sender gave it; `None` if it has none.
    pub name: Option<&'mail str>,
    /// Content type of the part, `type/subtype`.
    pub content_type: &'mail str,
    /// Size of the part, in bytes.
    pub size: usize,
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
        let (text, text_is_cut) = arrived.mail.as_ref().map(text).unwrap_or_default();
        let attachments = arrived.mail.iter().flat_map(|mail| &mail.attachments);
        let stays = arrived.retention == Retention::Stays;
        Self {
            version: VERSION,
            id: id(kind, &identity, arrived.copy()),
            content,
            mail: MailPart {
                identity,
                message_id: arrived.message_id.as_deref(),
                sender: arrived.sender.as_deref(),
                subject: arrived.subject.as_deref(),
                received_at: arrived.received_at,
                bucket: stays.then_some(&arrived.bucket),
                key: stays.then_some(&arrived.key),
                object: arrived.pointer(),
                text,
                text_is_cut,
                attachments: attachments.map(AttachmentPart::of).collect(),
                source: arrived.copy().map(base64::encode),
            },
        }
    }

    /// Returns the document without the whole mail, which is at that address.
    #[must_use]
    pub fn pointing_at(mut self, object: String) -> Self {
        self.mail.source = None;
        self.mail.object = Some(object);
        let kind = match self.content {
            Content::Notice { .. } => "notice",
            Content::ForPerson { .. } => "for_person",
        };
        self.id = id(kind, &self.mail.identity, None);
        self
    }

    /// Returns what whoever has this document holds of the mail.
    pub fn held(&self, arrived: &ArrivedMail) -> Held {
        let copy = self.mail.source.as_ref().and_then(|source| base64::decode(source).ok());
        match copy {
            Some(copy) => Held::of_copy(arrived.source.as_ref(), &copy),
            None if self.mail.object.is_some() => Held::POINTER,
            None => Held::NOTHING,
        }
    }
}

/// Returns the id of a document. One that holds the whole mail is a repetition only of one with the same bytes: a mail that comes by two
/// routes has headers of each.
fn id(kind: &str, identity: &str, copy: Option<&[u8]>) -> String {
    let copy = copy.map(|copy| format!("\n{}", digest(copy, 16))).unwrap_or_default();
    digest(format!("{kind}\n{identity}{copy}").as_bytes(), 16)
}

impl<'mail> AttachmentPart<'mail> {
    fn of(attachment: &'mail mail::Attachment) -> Self {
        let mail::Attachment { name, content_type, bytes } = attachment;
        Self { name: name.as_deref(), content_type, size: bytes.len() }
    }
}

/// Returns the text of a mail, or of its pages, and whether it was cut.
fn text(mail: &Mail) -> (Option<String>, bool) {
    let is_blank = |texts: &[String]| texts.iter().all(|text| text.trim().is_empty());
    let bodies = [&mail.cover.texts, &mail.texts].into_iter().flatten().cloned();
    let text = if is_blank(&mail.texts) {
        let pages = mail.pages.iter().filter_map(|page| Page::parse(page).ok());
        let lines = pages.flat_map(|page| page.lines().iter().map(|(_, line)| line.to_owned()).collect::<Vec<_>>());
        bodies.chain(lines).collect::<Vec<_>>().join("\n")
    } else {
        bodies.collect::<Vec<_>>().join("\n")
    };
    let text = text.trim();
    let end = text.char_indices().nth(LONGEST_TEXT).map(|(end, _)| end);
    let shown = text.get(..end.unwrap_or(text.len())).filter(|text| !text.is_empty());
    // Of a defective mail, parts were not read.
    (shown.map(str::to_owned), end.is_some() || !mail.defects.is_empty())
}
