//! The calls that delivery makes to NetBox. They are a trait, so that the whole of delivery is tested against a simulated NetBox, with
//! any interleaving of writers and any fault.

use std::{collections::BTreeSet, future::Future};

use jiff::Timestamp;
use serde::Serialize;
use thiserror::Error;

use super::{
    claim::Claimant,
    ids::{CircuitId, EventId, ImpactId, ProviderId},
    stored::{StoredEvent, StoredImpact},
};
use notice::model::Impact;
use schedule::EventStatus;

/// The reason for which a call failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// Another writer was quicker: what was read is outdated.
    #[error("{0}")]
    Conflict(String),
    /// NetBox rejects the call, perhaps because something has changed since it was read.
    #[error("{0}")]
    Rejected(String),
    /// The call may have had its effect or not; retrying soon may help.
    #[error("{0}")]
    Transient(String),
    /// Nothing helps within this invocation: no rights, no plugin, no time left.
    #[error("{0}")]
    Unavailable(String),
    /// NetBox will never take it.
    #[error("{0}")]
    Refused(String),
}

/// An event to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewEvent {
    /// Provider of the maintenance.
    pub provider: ProviderId,
    /// Name of the event: see [`super::fields::name`].
    pub name: String,
    /// Summary, at most 200 characters, not empty.
    pub summary: String,
    /// Status of the event.
    pub status: EventStatus,
    /// Start of the window.
    pub start: Timestamp,
    /// End of the window.
    pub end: Timestamp,
    /// Name of the time zone in which the notice states the window; `None` if it has no name. The client sends it under the plugin's key.
    #[serde(rename = "time_zone", skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Comments, with the note.
    pub comments: String,
}

/// A change of an event; fields that are `None` stay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct EventChange {
    /// Name of the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Summary of the event, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Status of the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<EventStatus>,
    /// Start of the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// End of the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Timestamp>,
    /// Name of the time zone, as in [`NewEvent::zone`].
    #[serde(rename = "time_zone", skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// `true` if a person has acknowledged the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<bool>,
    /// Comments, with the note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comments: Option<String>,
}

/// An impact to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct NewImpact {
    /// Event that the impact belongs to.
    #[serde(rename = "circuitmaintenance")]
    pub event: EventId,
    /// Circuit that the impact is on.
    pub circuit: CircuitId,
    /// Impact on the circuit.
    pub impact: Impact,
}

/// An impact to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ImpactChange {
    /// Id of the impact.
    pub id: ImpactId,
    /// Impact that the circuit gets.
    pub impact: Impact,
}

/// One call that changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Creates an event in NetBox.
    Create(NewEvent),
    /// Changes an event, if its `ETag` is still the one that was read.
    Update {
        /// Id of the event.
        event: EventId,
        /// `ETag` of the version that was read.
        etag: String,
        /// Change of the event's fields.
        change: EventChange,
        /// Conflicts with what people had set, as the comments tell them.
        conflicts: Vec<String>,
        /// Reason, for NetBox's changelog.
        reason: &'static str,
    },
    /// Makes impacts: all or none.
    AddImpacts(Vec<NewImpact>),
    /// Changes impacts: all or none.
    ChangeImpacts(Vec<ImpactChange>),
    /// Removes impacts: all or none.
    RemoveImpacts(Vec<ImpactId>),
    /// Links the notifications of one event to another.
    MoveNotifications {
        /// Event that has them.
        from: EventId,
        /// Event that gets them.
        to: EventId,
    },
}

impl Action {
    /// Returns the change of an event, as it was read, that conflicts with nothing.
    pub fn update(event: &StoredEvent, change: EventChange, reason: &'static str) -> Self {
        Self::Update { event: event.id, etag: event.etag.clone(), change, conflicts: Vec::new(), reason }
    }

    /// Returns the reason of the call, for NetBox's changelog.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Create(_) => "a maintenance is announced",
            Self::Update { reason, .. } => reason,
            Self::AddImpacts(_) => "the notice names these circuits",
            Self::ChangeImpacts(_) => "the notice states another impact",
            Self::RemoveImpacts(_) => "the notice no longer names these circuits",
            Self::MoveNotifications { .. } => "two events were made at the same time",
        }
    }
}

/// The result of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Performed {
    /// The event after the call.
    Event(Box<StoredEvent>),
    /// The impacts after the call.
    Impacts(Vec<StoredImpact>),
    /// Nothing that later steps need.
    Done,
}

/// Events that are no longer found by the name with which they were made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// Deleted events, as they were last.
    pub deleted: Vec<StoredEvent>,
    /// Events that are there, perhaps with another name or provider.
    pub renamed: Vec<StoredEvent>,
}

/// The reason for which delivery waits before it retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// Another writer is at work; counts the times.
    Contention(u32),
    /// NetBox has a transient fault; counts the times.
    Trouble(u32),
}

/// Events and impacts in NetBox.
pub trait Records {
    /// Fetches the provider's events with one of these names.
    fn events(&self, provider: ProviderId, names: &[String]) -> impl Future<Output = Result<Vec<StoredEvent>, Fault>>;

    /// Fetches events by their ids, whatever people have made of names and providers. Those that are gone are left out.
    fn events_by_id(&self, ids: &[EventId]) -> impl Future<Output = Result<Vec<StoredEvent>, Fault>>;

    /// Fetches what became of the provider's events that were made with one of these names, as far as NetBox tells it.
    fn past(&self, provider: ProviderId, names: &[String]) -> impl Future<Output = Result<Past, Fault>>;

    /// Returns whether [`Records::past`] tells everything, as far as it was asked.
    fn shows_past(&self) -> bool;

    /// Fetches the impacts of these events.
    fn impacts(&self, events: &[EventId]) -> impl Future<Output = Result<Vec<StoredImpact>, Fault>>;

    /// Returns whether two concurrent writers may each leave an impact of one circuit: a writer then has to read again.
    fn takes_twins(&self) -> bool;

    /// Fetches the fingerprints of the mails of an event: see [`super::mark`].
    fn mails(&self, event: EventId) -> impl Future<Output = Result<BTreeSet<String>, Fault>>;

    /// Makes a call for a delivery, once. The caller finds out whether a failed attempt has had an effect.
    fn perform(&self, action: &Action, by: &Claimant) -> impl Future<Output = Result<Performed, Fault>>;

    /// Waits before a retry.
    fn pause(&self, pause: Pause) -> impl Future<Output = ()>;

    /// Returns the current time.
    fn now(&self) -> Timestamp;
}
