//! The objects of NetBox, as far as delivery has to know them.

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    ids::{CircuitId, EventId, ImpactId, ProviderId},
    note::Note,
};
use notice::model::{Impact, Window};
use schedule::EventStatus;

/// A provider.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct StoredProvider {
    /// Id in NetBox.
    pub id: ProviderId,
    /// Name, as people read it.
    pub name: String,
    /// Slug in NetBox.
    pub slug: String,
}

/// A circuit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct StoredCircuit {
    /// Id in NetBox.
    pub id: CircuitId,
    /// Id that the provider gave the circuit, unique within the provider only.
    pub cid: String,
    /// Provider that owns it.
    pub provider: StoredProvider,
}

/// An event, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Id in NetBox.
    pub id: EventId,
    /// Name: see [`super::fields::name`].
    pub name: String,
    /// Summary.
    pub summary: String,
    /// Status. A final status that has to wait stands in [`Note::then`].
    pub status: EventStatus,
    /// Start of the window.
    pub start: Timestamp,
    /// End of the window.
    pub end: Timestamp,
    /// `true` if a person has acknowledged the event.
    pub acknowledged: bool,
    /// Comments of people, with our note.
    pub comments: String,
    /// Our note in the comments; `None` if somebody else made the event.
    pub note: Option<Note>,
    /// `ETag` of the version that was read.
    pub etag: String,
}

impl StoredEvent {
    /// Returns the window. `None` if the event does not end after it starts, which the plugin would refuse today.
    pub fn window(&self) -> Option<Window> {
        Window::new(self.start, self.end)
    }
}

/// The impact of an event on a circuit, as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredImpact {
    /// Id in NetBox.
    pub id: ImpactId,
    /// The event.
    pub event: EventId,
    /// The circuit.
    pub circuit: CircuitId,
    /// Impact; `None` if a person has left it open.
    pub impact: Option<Impact>,
}
