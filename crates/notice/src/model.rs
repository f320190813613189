//! What a notice says. A value of these types cannot hold a wrong state: a window ends after it starts,
//! a maintenance has an id, and circuits and a window unless it is over or off.

pub use contract::maintenance::{Circuit, Impact, Status};
use jiff::Timestamp;

use super::found::Evidence;

/// When it happens: `[start, end)`, the end after the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    start: Timestamp,
    end: Timestamp,
}

impl Window {
    /// A window, or `None` unless it ends after it starts.
    pub fn new(start: Timestamp, end: Timestamp) -> Option<Self> {
        (end > start).then_some(Self { start, end })
    }

    /// When it begins.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// When it is over.
    pub fn end(&self) -> Timestamp {
        self.end
    }
}

/// One maintenance in one window. Made by [`super::draft::Draft::build`] alone, which checks the rules above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintenance {
    pub(super) provider: &'static str,
    pub(super) announced_provider: Option<String>,
    pub(super) account: String,
    pub(super) id: String,
    pub(super) organizer: String,
    pub(super) status: Status,
    pub(super) circuits: Vec<Circuit>,
    pub(super) window: Option<Window>,
    pub(super) stamp: Timestamp,
    pub(super) sequence: Option<u32>,
    pub(super) uid: String,
    pub(super) summary: String,
    pub(super) evidence: Vec<Evidence>,
}

impl Maintenance {
    /// Our slug of the provider: its identity and the key of mappings.
    pub fn provider(&self) -> &'static str {
        self.provider
    }

    /// The provider as the notice itself names it (`X-MAINTNOTE-PROVIDER`), where it does.
    pub fn announced_provider(&self) -> Option<&str> {
        self.announced_provider.as_deref()
    }

    /// The customer's account with the provider; may be empty.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The provider's id of the maintenance; never empty.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Who announced it: an address, or what the calendar says.
    pub fn organizer(&self) -> &str {
        &self.organizer
    }

    /// Where it stands.
    pub fn status(&self) -> Status {
        self.status
    }

    /// In the mail's order, repetitions included. Empty only if [`Status::is_final`].
    pub fn circuits(&self) -> &[Circuit] {
        &self.circuits
    }

    /// When it happens. `None` only if [`Status::is_final`].
    pub fn window(&self) -> Option<Window> {
        self.window
    }

    /// When the notice was issued, as the provider's format defines it.
    pub fn stamp(&self) -> Timestamp {
        self.stamp
    }

    /// The revision that the notice itself states.
    pub fn sequence(&self) -> Option<u32> {
        self.sequence
    }

    /// The calendar's UID, else `0`.
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// What is done and why; may be empty.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// Where in the mail each value came from.
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }
}
