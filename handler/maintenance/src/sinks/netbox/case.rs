//! What a plan is made from: a notice, what was read of NetBox, and the events that stand for the notice's maintenance.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    claim::Claimant,
    fields,
    ids::EventId,
    stored::{EventStatus, StoredEvent, StoredImpact, StoredProvider},
    version::Order,
    wanted::{Circuits, Wanted},
};

/// What a plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct Case<'case> {
    /// What the notice says.
    pub wanted: &'case Wanted,
    /// Whose it is.
    pub provider: &'case StoredProvider,
    /// The circuits that NetBox knows.
    pub circuits: &'case Circuits,
    /// Who stores the mail that it came in.
    pub claimant: &'case Claimant,
}

/// What was read of NetBox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// The events with the maintenance's names.
    pub events: Vec<StoredEvent>,
    /// Their impacts.
    pub impacts: Vec<StoredImpact>,
    /// The fingerprints of the mails of those events that have to make way for others.
    pub mails: BTreeMap<EventId, BTreeSet<String>>,
    /// When it was read.
    pub now: Timestamp,
}

/// An event that stands for a window of the maintenance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'view> {
    pub(super) number: usize,
    pub(super) event: &'view StoredEvent,
}

impl Member<'_> {
    pub(super) fn order(&self, wanted: &Wanted) -> Order {
        self.event.note.as_ref().map_or(Order::Newer, |note| wanted.version.order(&note.version))
    }

    /// Whether a notice of that time that does not name this window leaves it as it is.
    ///
    /// What a notice no longer names is cancelled, even if an earlier one has called it completed: the work may have been moved. Only
    /// what was completed and over when the notice was written stays completed. It took place, and carriers that tell of several
    /// windows in a mail each do not name it again.
    pub(super) fn is_done(&self, written_at: Option<Timestamp>) -> bool {
        let waits_for = self.event.note.as_ref().and_then(|note| note.then);
        match waits_for.unwrap_or(self.event.status) {
            EventStatus::Cancelled => true,
            EventStatus::Completed => written_at.is_some_and(|time| self.event.end <= time),
            _ => false,
        }
    }

    /// Whether it stands for a window of this notice.
    pub(super) fn shows(&self, wanted: &Wanted) -> bool {
        self.event.note.as_ref().is_some_and(|note| note.version == wanted.version && !note.left)
    }

    /// Whether it stands for a window that this notice no longer has.
    pub(super) fn is_left_by(&self, wanted: &Wanted) -> bool {
        self.event.note.as_ref().is_some_and(|note| note.version == wanted.version && note.left)
    }
}

/// The number of the window that an event's name gives it.
pub(super) fn number(id: &str, event: &str) -> Option<usize> {
    let first = fields::name(id, 1);
    if event == first {
        return Some(1);
    }
    let number: usize = event.strip_prefix(&first)?.strip_prefix(" #")?.parse().ok()?;
    (number > 1 && fields::name(id, number) == event).then_some(number)
}

/// Every event of the maintenance that we have made or taken over, by number and id.
pub(super) fn noted<'view>(wanted: &Wanted, view: &'view View) -> Vec<Member<'view>> {
    let ours = |event: &StoredEvent| event.note.as_ref().is_some_and(|note| note.id == wanted.id);
    let mut members: Vec<_> = view
        .events
        .iter()
        .filter(|event| ours(event))
        .filter_map(|event| Some(Member { number: number(&wanted.id, &event.name)?, event }))
        .collect();
    members.sort_by_key(|member| (member.number, member.event.id));
    members
}
