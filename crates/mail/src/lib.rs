//! Any bytes → [`Mail`]: headers and bodies decoded once, forwarded messages unwrapped.
//!
//! Decoding is total. A missing part is `None` or empty, a fault of the mail is a [`Defect`]; nothing is guessed, and nothing is an
//! error.

mod address;
mod answer;
mod charset;
mod complete;
mod decode;
mod flat;
mod flowed;
mod forward;
mod headers;
mod hints;
mod identity;
mod list;
mod older;
mod parts;
mod quoted;
mod subject;
mod transfer;
mod words;

use jiff::Timestamp;

pub use address::{Domain, Mailbox, author_of, is_atext};
pub use identity::Identity;

/// A decoded mail, with its forwarded messages.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Messages of the chain: the one that arrived first, the one that its author wrote last; never empty.
    layers: Vec<Layer>,
    /// The decoded text/plain bodies of the innermost message, in order.
    pub texts: Vec<String>,
    /// The decoded text/html bodies of the innermost message, in order.
    pub pages: Vec<String>,
    /// Texts of the messages around an attached one: the words of whoever forwarded it.
    pub cover: Cover,
    /// Decoded text/calendar parts (and `.ics` attachments), of every layer, in order, each once.
    pub calendars: Vec<String>,
    /// All other parts that have a name or are not text: sheets, images, documents.
    pub attachments: Vec<Attachment>,
    /// Defects of the mail, in the order in which they were met.
    pub defects: Vec<Defect>,
    /// Ending of the mail: whether it may have been cut short.
    pub ending: Ending,
    /// Kinds of parts that the mail contains.
    pub kinds: Kinds,
    /// Digest of every part, read or not: see [`Identity::digest`].
    parts_digest: [u8; 32],
}

/// Kinds of parts that tell how a mail came to be, wherever in it they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kinds {
    /// `true` if it contains a report of a mail server or program: of a delivery, a reading, a complaint.
    pub has_report: bool,
    /// `true` if it contains a message, or a part of one.
    pub has_message: bool,
}

/// The bodies of the messages around an attached one.
#[derive(Debug, Clone, Default)]
pub struct Cover {
    /// The decoded text/plain bodies, in order.
    pub texts: Vec<String>,
    /// The decoded text/html bodies, in order.
    pub pages: Vec<String>,
}

/// The ending of a mail: whether it may have been cut short.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ending {
    /// The mail is complete: a boundary closes its body, or the end tag of the one element that encloses its page.
    #[default]
    Closed,
    /// The page closes every element that it opens; another element may have followed.
    Balanced,
    /// Nothing closes the body: its last part may have gone on.
    Open,
    /// The mail stops within a line.
    Torn,
}

/// One message of a chain of forwards: who wrote it, when, about what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layer {
    /// How this message was found inside the one before it.
    pub wrapping: Wrapping,
    /// Author (`From`) of the message; `None` if it is missing or ambiguous.
    pub sender: Option<Mailbox>,
    /// Decoded, unfolded subject, prefixes included; empty if there is none.
    pub subject: String,
    /// Date of the message; `None` if it is missing or cannot be read without guessing.
    pub date: Option<Timestamp>,
    /// `Message-ID` without its angle brackets; `None` if it has none.
    pub message_id: Option<String>,
    /// All headers as (name, decoded and unfolded value), in order. For an inline forward, those that are quoted, under their
    /// English names: `Sent` and `Gesendet` are `Date`. For a message behind a list, those of the message that arrived.
    pub headers: Vec<(String, String)>,
}

/// The way in which a message is contained in the one around it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Wrapping {
    /// It is the message that arrived.
    #[default]
    Outermost,
    /// Its headers are quoted in the body: "---------- Forwarded message ---------".
    Inline,
    /// It is a message/rfc822 part.
    Attached,
    /// A mailing list rewrote the sender and kept the first one in `X-Original-From`/`X-Original-Sender`.
    List,
}

/// A part that is neither body nor calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// File name that the sender gave it; `None` if it has none.
    pub name: Option<String>,
    /// Content type, `type/subtype` in lower case.
    pub content_type: String,
    /// Decoded content, in bytes.
    pub bytes: Vec<u8>,
}

/// A defect of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Defect {
    /// The mail ends before a MIME boundary is closed, or in the middle of an encoding or a table: it was
    /// cut short. A boundary around alternatives or pictures alone may be missing where the page that stands last is whole.
    CutShort,
    /// Text or headers exceed [`LARGEST_TEXT`], or all texts of the mail together exceed their limit; they are not kept. The number
    /// is the size, in bytes.
    TooLarge(usize),
    /// Parts are nested deeper than the limit.
    TooDeep,
    /// The mail has more parts than this limit: the rest was not read.
    TooMany(usize),
    /// The texts of the mail together have more lines than this limit; those beyond it are not kept.
    TooManyLines(usize),
    /// This number of messages are attached side by side: nobody can tell which one the mail is about.
    SeveralMessages(usize),
}

/// Size limit of a text part, in decoded bytes: a larger one is not parsed, and the mail goes to a person.
pub const LARGEST_TEXT: usize = 2 * 1024 * 1024;

impl Mail {
    /// Decodes a whole mail as it came over the wire. It never fails: [`Mail::defects`] says what is wrong with it.
    ///
    /// ```
    /// let mail = mail::Mail::decode(b"From: NOC <noc@carrier.example>\r\nSubject: Fwd: [noc] Works\r\n\r\nTonight.\r\n");
    /// assert_eq!(mail.outer().bare_subject(), "Works");
    /// assert!(mail.defects.is_empty());
    /// ```
    pub fn decode(bytes: &[u8]) -> Self {
        decode::decode(bytes)
    }

    /// Returns the message that arrived, whoever wrote what is in it.
    pub fn outer(&self) -> &Layer {
        &self.layers[0]
    }

    /// Returns the message as its author sent it: the innermost forward, or the outer one.
    pub fn inner(&self) -> &Layer {
        &self.layers[self.layers.len() - 1]
    }

    /// Returns every message of the chain, the outermost first.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Returns the identity of this mail, which is the same when it arrives again.
    pub fn identity(&self) -> Identity {
        Identity::of(self)
    }

    /// Returns the mail without the quotation below its last author's answer; `None` if it has none. A forwarded message is not a
    /// quotation.
    pub fn without_quotation(&self) -> Option<Self> {
        answer::without_quotation(self)
    }

    /// Returns `true` if the mail was forwarded.
    pub fn is_forwarded(&self) -> bool {
        self.layers.len() > 1
    }
}

impl Layer {
    /// Returns the subject without any `Fwd:`, `Re:`, `[list-name]`, `[ EXTERNAL ]` or `***External***` before it. A tag is
    /// taken for a list's if it is one lower-case word; `[Emergency]` stays.
    pub fn bare_subject(&self) -> &str {
        subject::bare(&self.subject)
    }

    /// Returns whether its subject says that somebody passes another mail on (`true`) or answers one (`false`); `None` where it says
    /// neither.
    pub fn passes_on(&self) -> Option<bool> {
        subject::is_forward(&self.subject)
    }

    /// Returns the first header of that name, compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(candidate, _)| candidate.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}
