//! The outcome of a mail: exactly one of four.

use jiff::Timestamp;

use super::{failure::Failure, found::Found, model::Maintenance, provider::Provider};
use mail::Domain;

/// The outcomes of a mail.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// A notice that was understood as a whole.
    Notice(Notice),
    /// A known provider's other mail.
    Ignored {
        /// The provider and how it was recognised.
        recognised: Recognised,
        /// The reason why the mail is not a notice.
        reason: String,
    },
    /// A known provider's mail that could not be understood.
    Failed {
        /// The provider and how it was recognised.
        recognised: Recognised,
        /// The expectation that was not met.
        failure: Failure,
        /// Unverified maintenances, for a person to confirm.
        suggestion: Vec<Maintenance>,
    },
    /// Nobody's that we know.
    Unrecognised {
        /// The reason why no provider took it.
        reason: String,
        /// Unverified maintenances, for a person to confirm.
        suggestion: Vec<Maintenance>,
    },
}

/// A notice: at least one maintenance of one provider.
#[derive(Debug, Clone)]
pub struct Notice {
    /// The provider and how it was recognised.
    pub recognised: Recognised,
    /// Time at which the provider wrote it: it orders the notices of one maintenance.
    pub announced_at: Option<Timestamp>,
    /// One per maintenance and window, in the mail's order; never empty.
    pub maintenances: Vec<Maintenance>,
}

impl Notice {
    /// Makes the notice one of the provider with that name, whatever its calendar says: its events are touched, and no others.
    pub fn speak_for(&mut self, provider: &str) {
        for maintenance in &mut self.maintenances {
            maintenance.announced_provider = Some(provider.to_owned());
        }
    }
}

/// A provider and the way in which it was recognised. Recognising is not trusting: see `trust`.
#[derive(Debug, Clone)]
pub struct Recognised {
    /// Provider that was recognised.
    pub provider: &'static Provider,
    /// The way in which it was recognised.
    pub by: Recognition,
}

/// The ways of recognising a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recognition {
    /// The mail came from one of its domains.
    Sender(Domain),
    /// A message inside the mail came from one of its domains.
    ForwardedSender(Domain),
    /// By the content of the mail.
    Content(Found<String>),
    /// By a valid MAINTNOTE calendar of an unknown sender.
    Calendar,
}
