//! The status of an event, and how notices change it.

use serde::{Deserialize, Serialize};

use notice::model::Status;

/// The status of an event. The words are those of the MAINTNOTE standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING-KEBAB-CASE")]
pub enum EventStatus {
    /// Planned, not yet settled.
    Tentative,
    /// Settled by the provider.
    Confirmed,
    /// Will not take place.
    Cancelled,
    /// The work has begun.
    InProcess,
    /// The work is over.
    Completed,
    /// Moved to a new window.
    #[serde(rename = "RE-SCHEDULED")]
    ReScheduled,
    /// No notice has stated a status; also a status that a sink holds and the standard does not know.
    #[serde(other)]
    Unknown,
}

impl EventStatus {
    /// Returns the status that a notice states; `None` for NO-CHANGE: the known status stays.
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

    /// Returns whether nothing more happens in the window: it is COMPLETED or CANCELLED.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Cancelled | Self::Completed)
    }

    /// Returns the standard's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tentative => "TENTATIVE",
            Self::Confirmed => "CONFIRMED",
            Self::Cancelled => "CANCELLED",
            Self::InProcess => "IN-PROCESS",
            Self::Completed => "COMPLETED",
            Self::ReScheduled => "RE-SCHEDULED",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// The state of an event: its status, and the reason for it where no notice has stated it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifecycle {
    /// Current status.
    pub status: EventStatus,
    /// `true` if the event is CANCELLED because a notice left its window out, not because a notice said so.
    pub is_left_out: bool,
}

impl Lifecycle {
    /// Returns the state of a window that is named for the first time.
    pub fn announced(stated: Option<EventStatus>) -> Self {
        Self { status: stated.unwrap_or(EventStatus::Unknown), is_left_out: false }
    }

    /// Returns the state after a notice that names the event, or speaks of it without a window. A window that was left out and is
    /// named again without a status is UNKNOWN: no notice has called it off.
    #[must_use]
    pub fn named(self, stated: Option<EventStatus>) -> Self {
        let is_ours = self.is_left_out && self.status == EventStatus::Cancelled;
        let known = if is_ours { None } else { Some(self.status) };
        Self::announced(stated.or(known))
    }

    /// Returns the state after a notice that leaves the window out, where [`super::WindowPairing::left_out`] says that it changes.
    pub const fn left_out() -> Self {
        Self { status: EventStatus::Cancelled, is_left_out: true }
    }

    /// Returns whether the window has taken place, so that the event never stands for another one.
    pub fn is_completed(self) -> bool {
        self.status == EventStatus::Completed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_reads_back_by_its_word() {
        use EventStatus::{Cancelled, Completed, Confirmed, InProcess, ReScheduled, Tentative, Unknown};
        for status in [Tentative, Confirmed, Cancelled, InProcess, Completed, ReScheduled, Unknown] {
            assert_eq!(serde_json::to_value(status).unwrap(), status.word());
        }
        assert_eq!(serde_json::from_str::<EventStatus>("\"POSTPONED\"").unwrap(), Unknown);
    }

    #[test]
    fn a_status_that_no_notice_states_stays_or_is_unknown() {
        let is = |status| Lifecycle { status, is_left_out: false };
        assert_eq!(Lifecycle::announced(None), is(EventStatus::Unknown));
        assert_eq!(is(EventStatus::Confirmed).named(None), is(EventStatus::Confirmed));
        assert_eq!(is(EventStatus::Cancelled).named(None), is(EventStatus::Cancelled));
        assert_eq!(Lifecycle::left_out().named(None), is(EventStatus::Unknown));
        assert_eq!(Lifecycle::left_out().named(Some(EventStatus::Completed)), is(EventStatus::Completed));
        let reopened = Lifecycle { status: EventStatus::Confirmed, is_left_out: true };
        assert_eq!(reopened.named(None), is(EventStatus::Confirmed), "a person's status stays");
    }
}
