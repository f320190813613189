//! The input of a plan: a notice, what was read of NetBox, and the events of the notice's maintenance.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    circuits::Circuits,
    claim::Claimant,
    ids::EventId,
    note::Note,
    stored::{StoredEvent, StoredImpact, StoredProvider},
};
use schedule::{Announcement, Lifecycle, StoredWindow};

/// The input of a plan, besides what NetBox holds.
#[derive(Debug, Clone, Copy)]
pub struct PlanInput<'case> {
    /// The notice, as far as it concerns one maintenance.
    pub announcement: &'case Announcement,
    /// The provider of the maintenance.
    pub provider: &'case StoredProvider,
    /// The provider's circuits in NetBox, by CID.
    pub circuits: &'case Circuits,
    /// The delivery that stores the mail of the notice.
    pub claimant: &'case Claimant,
}

/// State of the maintenance in NetBox when it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Events with the maintenance's names.
    pub events: Vec<StoredEvent>,
    /// Events that people have deleted; `None` if nobody has asked for them.
    pub deleted: Option<Vec<StoredEvent>>,
    /// Impacts of these events.
    pub impacts: Vec<StoredImpact>,
    /// Fingerprints of the mails of those events where these decide what is done.
    pub mails: BTreeMap<EventId, BTreeSet<String>>,
    /// Time at which NetBox was read.
    pub now: Timestamp,
}

/// An event of the maintenance, and the number in its name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'view> {
    pub(super) number: usize,
    pub(super) event: &'view StoredEvent,
    /// `true` if a person has deleted the event, which is as it was last.
    pub(super) is_deleted: bool,
}

impl<'view> Member<'view> {
    /// Returns whether the event is there, and no person has told us to leave it alone.
    pub(super) fn is_changeable(&self) -> bool {
        !self.is_deleted && !self.event.is_hands_off()
    }

    /// Returns the event as the schedule sees it.
    pub(super) fn scheduled(&self) -> StoredWindow<'view> {
        let note = self.event.note.as_ref();
        // A person may have moved the event: for the notices it stays the one of the window that they stated.
        let window = note.map_or_else(|| self.event.window(), Note::window);
        let version = note.map(|note| &note.version);
        StoredWindow { number: self.number, window, lifecycle: lifecycle(self.event), version }
    }
}

/// Returns the state of an event. A final status that waits for impacts to be written counts as set.
pub(super) fn lifecycle(event: &StoredEvent) -> Lifecycle {
    let note = event.note.as_ref();
    let status = note.and_then(|note| note.then).unwrap_or(event.status);
    Lifecycle { status, is_left_out: note.is_some_and(|note| note.left) }
}

/// Returns every event of the maintenance that has a note: we have made it or taken it over. Sorted by number and id.
pub(super) fn managed_events<'view>(announcement: &Announcement, view: &'view View) -> Vec<Member<'view>> {
    let managed = view.events.iter().filter_map(|event| {
        let note = event.note.as_ref().filter(|note| note.id == announcement.id)?;
        Some(Member { number: note.number, event, is_deleted: false })
    });
    let mut members: Vec<_> = managed.collect();
    members.sort_by_key(|member| (member.number, member.event.id));
    members
}

/// Returns the events of the maintenance that people have deleted, unless there is another one for the window: the last one of each number.
pub(super) fn deleted_events<'view>(
    announcement: &Announcement,
    view: &'view View,
    there: &[Member<'_>],
) -> Vec<Member<'view>> {
    let mut last: BTreeMap<usize, &StoredEvent> = BTreeMap::new();
    for event in view.deleted.iter().flatten() {
        let note = event.note.as_ref().filter(|note| note.id == announcement.id);
        let Some(note) = note.filter(|note| !there.iter().any(|member| member.number == note.number)) else { continue };
        let later = last.entry(note.number).or_insert(event);
        if later.id < event.id {
            *later = event;
        }
    }
    last.into_iter().map(|(number, event)| Member { number, event, is_deleted: true }).collect()
}
