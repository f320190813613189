//! The identity of a mail: the same however often and by whichever route it arrives.

use std::fmt;

use sha2::{Digest, Sha256};

use super::{Defect, Mail};

/// The `Message-ID` and a digest of the decoded content. They are the same for a mail with other line ends,
/// another transfer encoding or other relays' headers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// `Message-ID` of the outermost message; `None` if it has none.
    pub message_id: Option<String>,
    /// SHA-256 of texts, pages, calendars and attachments.
    pub digest: [u8; 32],
}

impl Identity {
    pub(super) fn of(mail: &Mail) -> Self {
        let mut hasher = Sha256::new();
        let texts = [(b't', &mail.texts), (b'p', &mail.pages), (b'c', &mail.calendars)];
        for (kind, text) in texts.iter().flat_map(|(kind, texts)| texts.iter().map(move |text| (*kind, text))) {
            add(&mut hasher, kind, text.trim_end().as_bytes());
        }
        for attachment in &mail.attachments {
            add(&mut hasher, b'a', &attachment.bytes);
        }
        // A part that was too large to keep counts with its size.
        for defect in &mail.defects {
            if let Defect::TooLarge(size) = defect {
                add(&mut hasher, b'l', &size.to_be_bytes());
            }
        }
        let message_id = mail.outer().message_id.clone();
        Self { message_id, digest: hasher.finalize().into() }
    }
}

fn add(hasher: &mut Sha256, kind: u8, bytes: &[u8]) {
    hasher.update([kind]);
    hasher.update(bytes.len().to_be_bytes());
    hasher.update(bytes);
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
