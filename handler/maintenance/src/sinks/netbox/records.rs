//! What delivery asks of NetBox. A trait, so that the whole of delivery is tried against a NetBox that is made up, with any
//! interleaving of writers and any fault.

use std::{collections::BTreeSet, future::Future};

use jiff::Timestamp;
use serde::Serialize;
use thiserror::Error;

use super::{
    ids::{CircuitId, EventId, ImpactId, ProviderId},
    stored::{EventStatus, StoredEvent, StoredImpact},
};
use notice::model::Impact;

/// Why a call did not do what it was to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// Somebody else was quicker: what was read is no longer so.
    #[error("{0}")]
    Conflict(String),
    /// NetBox does not take it. That may be because something has changed since it was read.
    #[error("{0}")]
    Rejected(String),
    /// It may have been done or not; trying again soon may help.
    #[error("{0}")]
    Transient(String),
    /// Nothing helps within this invocation: no rights, no plugin, no time left.
    #[error("{0}")]
    Unavailable(String),
    /// It never will be done.
    #[error("{0}")]
    Refused(String),
}

/// An event to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewEvent {
    /// Whose it is.
    pub provider: ProviderId,
    /// See [`super::fields::name`].
    pub name: String,
    /// At most 200 characters, not empty.
    pub summary: String,
    /// Where it stands.
    pub status: EventStatus,
    /// When it starts.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// The note.
    pub comments: String,
}

/// What is to be changed of an event; `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct EventChange {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its summary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<EventStatus>,
    /// When it starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Timestamp>,
    /// Whether a person has seen it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<bool>,
    /// The note and what people say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comments: Option<String>,
}

/// An impact to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct NewImpact {
    /// The event.
    #[serde(rename = "circuitmaintenance")]
    pub event: EventId,
    /// The circuit.
    pub circuit: CircuitId,
    /// What happens to it.
    pub impact: Impact,
}

/// An impact to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ImpactChange {
    /// Which one.
    pub id: ImpactId,
    /// What happens now.
    pub impact: Impact,
}

/// One call that changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Makes an event.
    Create(NewEvent),
    /// Changes an event, if it still is what was read.
    Update {
        /// Which one.
        event: EventId,
        /// What was read.
        etag: String,
        /// What is to change.
        change: EventChange,
    },
    /// Makes impacts: all or none.
    AddImpacts(Vec<NewImpact>),
    /// Changes impacts: all or none.
    ChangeImpacts(Vec<ImpactChange>),
    /// Removes impacts: all or none.
    RemoveImpacts(Vec<ImpactId>),
    /// Links the notifications of one event to another.
    MoveNotifications {
        /// From which one.
        from: EventId,
        /// To which one.
        to: EventId,
    },
}

/// What a call has left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Performed {
    /// The event as it is now.
    Event(Box<StoredEvent>),
    /// The impacts as they are now.
    Impacts(Vec<StoredImpact>),
    /// Nothing that has to be remembered.
    Done,
}

/// Why delivery waits before it tries again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// Somebody else is writing; for the nth time.
    Contention(u32),
    /// NetBox is not well; for the nth time.
    Trouble(u32),
}

/// Events and impacts in NetBox.
pub trait Records {
    /// The provider's events with one of these names.
    fn events(&self, provider: ProviderId, names: &[String]) -> impl Future<Output = Result<Vec<StoredEvent>, Fault>>;

    /// The impacts of these events.
    fn impacts(&self, events: &[EventId]) -> impl Future<Output = Result<Vec<StoredImpact>, Fault>>;

    /// Whether two that write at once may each leave an impact of one circuit: then whoever has written has to look again.
    fn takes_twins(&self) -> bool;

    /// The fingerprints of the mails of an event: see [`super::claim::fingerprint`].
    fn mails(&self, event: EventId) -> impl Future<Output = Result<BTreeSet<String>, Fault>>;

    /// Does it, once: whether an attempt that failed has had an effect is for the caller to find out.
    fn perform(&self, action: &Action) -> impl Future<Output = Result<Performed, Fault>>;

    /// Waits.
    fn pause(&self, pause: Pause) -> impl Future<Output = ()>;

    /// What time it is.
    fn now(&self) -> Timestamp;
}
