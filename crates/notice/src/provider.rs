//! What a provider is: data and one function. [`super::providers::ALL`] lists them.

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
    /// Whether the format was learned from real mails.
    pub learned_from: LearnedFrom,
    /// Recognises a notice by what it says, for mails that came through somebody else's hands and for
    /// domains that two providers share. Must be something that no other mail says.
    pub says: fn(&Source<'_>) -> Option<Found<String>>,
    /// Reads a mail that is this provider's.
    pub read: fn(&Source<'_>) -> Result<Reading, Failure>,
}

/// How we know a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LearnedFrom {
    /// From real mails, compared exactly.
    RealMails,
    /// From what is published about it; no real mail has been seen.
    PublicKnowledge,
}

/// What a provider's mail turned out to be.
#[derive(Debug, Clone)]
pub enum Reading {
    /// A notice: one draft per maintenance and window, in the mail's order.
    Notice(Vec<Draft>),
    /// Another mail of this sender (marketing, a disturbance, a receipt), and what shows it.
    Other(String),
}

impl Reading {
    /// The same with whoever wrote the innermost message as the organizer. See [`Draft::sent_by_author`].
    #[must_use]
    pub fn sent_by_author(self, source: &Source<'_>) -> Self {
        match self {
            Self::Notice(drafts) => {
                Self::Notice(drafts.into_iter().map(|draft| draft.sent_by_author(source)).collect())
            }
            Self::Other(reason) => Self::Other(reason),
        }
    }
}

/// For a provider whose mails cannot be told by what they say.
pub fn says_nothing(_: &Source<'_>) -> Option<Found<String>> {
    None
}
