//! The identity of a mail: the same however often and by whichever route it arrives.

use std::fmt;

use sha2::{Digest, Sha256};

use super::{Layer, Mail};

/// The `Message-ID` and a digest of every part. They are the same for a mail with other line ends, another transfer encoding or other
/// relays' headers, and differ between any two mails of which one has a word, a calendar or a file that the other has not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// `Message-ID` of the outermost message; `None` if it has none.
    pub message_id: Option<String>,
    /// SHA-256 of all parts in the mail's order: texts, pages, calendars and attachments of every message, parts that are too large or
    /// too deep to be read, and what tells attached messages from each other.
    pub digest: [u8; 32],
}

impl Identity {
    pub(super) fn of(mail: &Mail) -> Self {
        Self { message_id: mail.outer().message_id.clone(), digest: mail.parts_digest }
    }
}

/// The kind of a part, which counts for the digest.
#[derive(Debug, Clone, Copy)]
pub(super) enum PartKind {
    /// Text, a page or a calendar, decoded, with LF line ends.
    Text,
    /// Anything else, decoded.
    Attachment,
    /// A part that is not read.
    Unread,
}

/// Computes the digest of a mail's parts while it is read: whatever is kept of a part then, all of it counts.
#[derive(Debug, Default)]
pub(super) struct Fingerprint(Sha256);

impl Fingerprint {
    /// Adds a part to the fingerprint.
    pub(super) fn part(&mut self, kind: PartKind, name: Option<&str>, bytes: &[u8]) {
        let kind = match kind {
            PartKind::Text => b't',
            PartKind::Attachment => b'a',
            PartKind::Unread => b'u',
        };
        self.field(kind, name.unwrap_or_default().as_bytes());
        self.field(b'b', bytes);
    }

    /// Adds a message's author, subject, date and id. Relays may change the subject of the message that arrives, and give it an author
    /// of their own: these count only where it has no `Message-ID`, which then nothing else tells from a reminder.
    pub(super) fn message(&mut self, layer: &Layer, is_attached: bool) {
        if !is_attached && layer.message_id.is_some() {
            return;
        }
        let sender = layer.sender.as_ref().map(|sender| sender.address.as_str()).unwrap_or_default();
        let date = layer.date.map(|date| date.to_string()).unwrap_or_default();
        for text in [sender, &layer.subject, &date, layer.message_id.as_deref().unwrap_or_default()] {
            self.field(b'm', text.as_bytes());
        }
    }

    /// Returns the digest of everything that was added.
    pub(super) fn digest(self) -> [u8; 32] {
        self.0.finalize().into()
    }

    fn field(&mut self, kind: u8, bytes: &[u8]) {
        self.0.update([kind]);
        self.0.update(bytes.len().to_be_bytes());
        self.0.update(bytes);
    }
}

impl fmt::Display for Identity {
    /// Returns the digest in hexadecimal, and the message id if there is one.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.digest {
            write!(formatter, "{byte:02x}")?;
        }
        match &self.message_id {
            Some(id) => write!(formatter, " <{id}>"),
            None => Ok(()),
        }
    }
}
