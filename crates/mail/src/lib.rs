//! Any bytes → [`Mail`]: headers and bodies decoded once, forwarded messages unwrapped.
//!
//! Decoding is total. What a mail lacks is `None` or empty, what is wrong with it is a [`Defect`];
//! nothing is guessed, and nothing is an error.

mod address;
mod answer;
mod charset;
mod complete;
mod decode;
mod flat;
mod flowed;
mod forward;
mod headers;
mod identity;
mod list;
mod parts;
mod quoted;
mod subject;
mod transfer;
mod words;

use jiff::Timestamp;

pub use address::{Domain, Mailbox, author_of, is_atext};
pub use identity::Identity;

/// A decoded mail.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The outermost message first, the message that its author wrote last; never empty.
    layers: Vec<Layer>,
    /// The decoded text/plain bodies of the innermost message, in order.
    pub texts: Vec<String>,
    /// The decoded text/html bodies of the innermost message, in order.
    pub pages: Vec<String>,
    /// What stands in the messages around an attached one: the words of whoever passed it on.
    pub cover: Cover,
    /// The decoded text/calendar parts (and `.ics` attachments), of every layer, in order, each once.
    pub calendars: Vec<String>,
    /// Everything else that has a name or is no text: sheets, images, documents.
    pub attachments: Vec<Attachment>,
    /// What is wrong with the mail, in the order in which it was met.
    pub defects: Vec<Defect>,
    /// What its end shows.
    pub ending: Ending,
    /// What kinds of parts it has.
    pub kinds: Kinds,
}

/// Kinds of parts that tell how a mail came to be, wherever in it they stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kinds {
    /// A report of a mail server or program: of a delivery, a reading, a complaint.
    pub has_report: bool,
    /// A message, or a piece of one.
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

/// What the end of a mail shows: whether it may have gone on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ending {
    /// It is whole: a boundary closes its body, or the end tag of the one element that all of its page is in.
    #[default]
    Closed,
    /// Its page closes what it opens; another element may have followed.
    Balanced,
    /// Nothing closes its body: what stands last may have gone on.
    Open,
    /// It stops within a line.
    Torn,
}

/// One message of a chain of forwards: who wrote it, when, about what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layer {
    /// How this message was found inside the one before it.
    pub wrapping: Wrapping,
    /// The `From` of the message.
    pub sender: Option<Mailbox>,
    /// The decoded, unfolded subject, prefixes included; empty where there is none.
    pub subject: String,
    /// The `Date` of the message, if it has one that can be read without guessing.
    pub date: Option<Timestamp>,
    /// The `Message-ID` without its angle brackets.
    pub message_id: Option<String>,
    /// All headers as (name, decoded and unfolded value), in order. Of an inline forward those that are quoted, under
    /// their English names: `Sent` and `Gesendet` are `Date`. Behind a list those of the message that arrived.
    pub headers: Vec<(String, String)>,
}

/// How a message stands in the one around it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Wrapping {
    /// The message that arrived.
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
    /// The file name that the sender gave it.
    pub name: Option<String>,
    /// `type/subtype`, lower case.
    pub content_type: String,
    /// The decoded bytes.
    pub bytes: Vec<u8>,
}

/// Something wrong with a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Defect {
    /// The mail ends before a MIME boundary is closed, or in the middle of an encoding or a table: it was
    /// cut short. A boundary around alternatives or pictures alone may be missing where the page that stands last is whole.
    CutShort,
    /// Text (or headers) larger than [`LARGEST_TEXT`], or than all text of a mail may be; it is not kept. Bytes.
    TooLarge(usize),
    /// Parts nested deeper than we follow.
    TooDeep,
    /// More parts than this: the rest was not looked at.
    TooMany(usize),
    /// That many messages are attached side by side: nobody can say which one the mail is about.
    SeveralMessages(usize),
}

/// Text parts over this many decoded bytes are not parsed; the mail goes to a person.
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

    /// Returns the mail without what its last author quoted below an answer; `None` where nothing is quoted below one. What was
    /// passed on is no quotation.
    pub fn without_quotation(&self) -> Option<Self> {
        answer::without_quotation(self)
    }

    /// Returns `true` if somebody passed this mail on.
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
