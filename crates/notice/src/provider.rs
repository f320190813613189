//! A provider: data and one function. The crate `carriers` has them, and lists them in its `providers::ALL`.

use super::{draft::Draft, failure::Failure, found::Found, source::Source};

/// A carrier whose notices we read.
#[derive(Debug)]
pub struct Provider {
    /// Its identity: lower case, the key of mappings and of NetBox's provider slug.
    pub slug: &'static str,
    /// Its name as people write it.
    pub name: &'static str,
    /// The domains that it sends from, its own first. A sub-domain counts, anything else does not.
    pub domains: &'static [&'static str],
    /// The `organizer` of its maintenances where the notice names none.
    pub organizer: &'static str,
    /// Origin of our knowledge of the format.
    pub learned_from: LearnedFrom,
    /// Recognises a notice by what it says, for mails that came through somebody else's hands and for
    /// domains that two providers share. Must be something that no other mail says.
    pub says: fn(&Source<'_>) -> Option<Found<String>>,
    /// Reads a mail that is this provider's.
    pub read: fn(&Source<'_>) -> Result<Reading, Failure>,
}

/// The origins of our knowledge of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LearnedFrom {
    /// Real mails, compared exactly.
    RealMails,
    /// Publications about it; no real mail has been seen.
    PublicKnowledge,
}

/// The result of reading a provider's mail.
#[derive(Debug)]
pub enum Reading {
    /// A notice: one draft per maintenance and window, in the mail's order.
    Notice(Vec<Draft>),
    /// A notice that lacks something without which nobody may act on it, such as a zone: what is missing, and the drafts under the
    /// likeliest assumption, for a person to confirm.
    Doubted(Failure, Vec<Draft>),
    /// Another mail of this sender (marketing, a disturbance, a receipt), and what shows it.
    Other(String),
}

impl Reading {
    /// Returns the same with whoever wrote the innermost message as the organizer. See [`Draft::sent_by_author`].
    #[must_use]
    pub fn sent_by_author(self, source: &Source<'_>) -> Self {
        let sent = |drafts: Vec<Draft>| drafts.into_iter().map(|draft| draft.sent_by_author(source)).collect();
        match self {
            Self::Notice(drafts) => Self::Notice(sent(drafts)),
            Self::Doubted(failure, drafts) => Self::Doubted(failure, sent(drafts)),
            Self::Other(reason) => Self::Other(reason),
        }
    }
}

/// Returns nothing: for a provider whose mails cannot be recognised by their content.
pub fn says_nothing(_: &Source<'_>) -> Option<Found<String>> {
    None
}
