//! What NetBox holds, as far as delivery has to know it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    ids::{CircuitId, EventId, ImpactId, ProviderId},
    note::Note,
};
use notice::model::{Impact, Status, Window};

/// Where an event stands, in the plugin's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING-KEBAB-CASE")]
pub enum EventStatus {
    /// Planned, not settled.
    Tentative,
    /// Settled.
    Confirmed,
    /// Will not take place.
    Cancelled,
    /// Has begun.
    InProcess,
    /// Is over.
    Completed,
    /// Has a new window.
    #[serde(rename = "RE-SCHEDULED")]
    ReScheduled,
    /// Nobody has said; also a status that somebody has added to this NetBox.
    #[serde(other)]
    Unknown,
}

impl EventStatus {
    /// A notice's status; `None` where it says that whatever was known stays.
    pub const fn of(status: Status) -> Option<Self> {
        Some(match status {
            Status::Tentative => Self::Tentative,
            Status::Confirmed => Self::Confirmed,
            Status::Cancelled => Self::Cancelled,
            Status::InProcess => Self::InProcess,
            Status::Completed => Self::Completed,
            Status::ReScheduled => Self::ReScheduled,
            Status::NoChange => return None,
        })
    }

    /// Whether the plugin refuses to write impacts of such an event.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Cancelled | Self::Completed)
    }
}

/// A provider.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct StoredProvider {
    /// Its id.
    pub id: ProviderId,
    /// Its name, as people read it.
    pub name: String,
    /// Its slug.
    pub slug: String,
}

/// A circuit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct StoredCircuit {
    /// Its id.
    pub id: CircuitId,
    /// The provider's id of it, unique within the provider only.
    pub cid: String,
    /// Whose it is.
    pub provider: StoredProvider,
}

/// An event, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its id.
    pub id: EventId,
    /// Its name: see [`super::fields::name`].
    pub name: String,
    /// Its summary.
    pub summary: String,
    /// Where it stands.
    pub status: EventStatus,
    /// When it starts.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// Whether a person has seen it.
    pub acknowledged: bool,
    /// What people, and we, say of it.
    pub comments: String,
    /// What we have noted in the comments; `None` if somebody else made it.
    pub note: Option<Note>,
    /// What tells this state of it from any other.
    pub etag: String,
}

impl StoredEvent {
    /// When it happens. `None` if it has no time, which the plugin would refuse today.
    pub fn window(&self) -> Option<Window> {
        Window::new(self.start, self.end)
    }
}

/// What an event does to a circuit, as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredImpact {
    /// Its id.
    pub id: ImpactId,
    /// The event.
    pub event: EventId,
    /// The circuit.
    pub circuit: CircuitId,
    /// What happens; `None` if a person has left it open.
    pub impact: Option<Impact>,
}
