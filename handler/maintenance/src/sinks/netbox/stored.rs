//! The objects of NetBox, as far as delivery has to know them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    ids::{CircuitId, EventId, ImpactId, ProviderId},
    note::{self, Note},
};
use notice::model::{Impact, Window};
use schedule::EventStatus;

/// A provider, as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct StoredProvider {
    /// Id of the object in NetBox.
    pub id: ProviderId,
    /// Name, as people read it.
    pub name: String,
    /// Slug of the provider in NetBox.
    pub slug: String,
}

/// A circuit, as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct StoredCircuit {
    /// Id of the object in NetBox.
    pub id: CircuitId,
    /// Id that the provider gave the circuit, unique within the provider only.
    pub cid: String,
    /// Provider that owns it.
    pub provider: StoredProvider,
}

/// An event, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Id of the object in NetBox.
    pub id: EventId,
    /// Name of the event: see [`super::fields::name`].
    pub name: String,
    /// Summary of the event, for people.
    pub summary: String,
    /// Status. A final status that has to wait stands in [`Note::then`].
    pub status: EventStatus,
    /// Start of the window.
    pub start: Timestamp,
    /// End of the window.
    pub end: Timestamp,
    /// Name of the time zone of the window; `None` if the event has none, or the plugin is older than that field.
    pub zone: Option<String>,
    /// `true` if a person has acknowledged the event.
    pub acknowledged: bool,
    /// `true` if a person has given the event the tag [`HANDS_OFF`].
    pub is_tagged: bool,
    /// Comments of people, with our note.
    pub comments: String,
    /// Our note in the comments; `None` if somebody else made the event.
    pub note: Option<Note>,
    /// `ETag` of the version that was read.
    pub etag: String,
}

/// Tag or line of the comments with which people keep us from changing an event.
pub const HANDS_OFF: &str = "provision: hands off";

impl StoredEvent {
    /// Returns whether a person has told us not to change the event, by a tag or by a line of the comments. What stands in our part of the
    /// comments counts for nothing, since words of mails are there.
    pub fn is_hands_off(&self) -> bool {
        let is_mark = |line: &str| {
            line.trim().trim_matches(|letter| "*_`-. ".contains(letter)).trim().eq_ignore_ascii_case(HANDS_OFF)
        };
        self.is_tagged || note::lines_of_people(&self.comments).into_iter().any(is_mark)
    }

    /// Returns the window. `None` if the event does not end after it starts, which the plugin would refuse today.
    pub fn window(&self) -> Option<Window> {
        Window::new(self.start, self.end)
    }
}

/// An event as it was once: before it was deleted, or when it was seen last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastEvent {
    name: String,
    summary: String,
    status: EventStatus,
    start: Timestamp,
    end: Timestamp,
    #[serde(default)]
    comments: String,
}

impl PastEvent {
    /// Returns the event with that id. What is of no use any more is left out: time zone, acknowledgement, tag and `ETag`.
    pub fn stored(self, id: EventId) -> StoredEvent {
        StoredEvent {
            id,
            name: self.name,
            summary: self.summary,
            status: self.status,
            start: self.start,
            end: self.end,
            zone: None,
            acknowledged: false,
            is_tagged: false,
            note: Note::read(&self.comments),
            comments: self.comments,
            etag: String::new(),
        }
    }
}

impl From<&StoredEvent> for PastEvent {
    fn from(event: &StoredEvent) -> Self {
        Self {
            name: event.name.clone(),
            summary: event.summary.clone(),
            status: event.status,
            start: event.start,
            end: event.end,
            comments: event.comments.clone(),
        }
    }
}

/// The impact of an event on a circuit, as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredImpact {
    /// Id of the object in NetBox.
    pub id: ImpactId,
    /// Event that the impact belongs to.
    pub event: EventId,
    /// Circuit that the impact is on.
    pub circuit: CircuitId,
    /// Impact; `None` if a person has left it open.
    pub impact: Option<Impact>,
}
