//! Compares a notice with the events of its maintenance: which of its windows is which event, and what people have done with these.

use std::collections::BTreeMap;

use thiserror::Error;

use super::{
    case::{Member, PlanInput, View, deleted_events, managed_events},
    event, fields,
    stored::StoredEvent,
};
use notice::model::Window;
use schedule::{Announcement, Content, EventStatus, Order, PairedEvent, Stored, StoredWindow, WindowPairing};

/// The error of several events that people have made under the name of one window: nothing tells which one is meant.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("NetBox has {count} events named `{name}` of this provider, none of which we have made: which one is meant?")]
pub struct Ambiguous {
    name: String,
    count: usize,
}

/// The events of a maintenance, and what the notice does to each.
pub(super) struct Comparison<'case> {
    /// Its events, by number, those that people have deleted among them.
    pub(super) members: Vec<Member<'case>>,
    /// Pairs of the notice's windows and the events, which refer to `members` by their place.
    pub(super) pairing: WindowPairing<'case>,
}

impl<'case> Comparison<'case> {
    /// Compares a notice with what was read.
    pub(super) fn new(announcement: &'case Announcement, view: &'case View) -> Result<Self, Ambiguous> {
        let managed = managed_events(announcement, view);
        let order = Order::of_all(managed.iter().map(|member| member.scheduled().order(&announcement.version)));
        let members = match with_foreign(announcement, view, managed.clone()) {
            // A notice that changes nothing takes over no event.
            Err(_) if !order.changes() => managed,
            members => members?,
        };
        let members = with_deleted(announcement, view, members);
        let stored: Vec<StoredWindow<'_>> = members.iter().map(Member::scheduled).collect();
        let pairing = WindowPairing::new(announcement, &stored);
        Ok(Self { members, pairing })
    }

    /// Returns the event that a pairing means.
    pub(super) fn member(&self, stored: Stored) -> Option<Member<'case>> {
        self.members.get(stored.place).copied()
    }

    /// Returns whether the notice makes an event again that a person has deleted: it says something new of it, and not that it is over.
    pub(super) fn is_made_again(
        &self,
        input: &PlanInput<'_>,
        stored: Stored,
        window: Window,
        content: &Content,
    ) -> bool {
        let deleted = self.member(stored).filter(|member| member.is_deleted && stored.is_due);
        let note = deleted.and_then(|member| member.event.note.as_ref());
        let is_over = content.status.is_some_and(EventStatus::is_final);
        !is_over && note.is_some_and(|note| event::is_news(input, note, Some(window), content))
    }

    /// Returns the events of which the notice says something new, but which a person has told us not to change.
    pub(super) fn kept(&self, input: &PlanInput<'_>) -> Vec<Member<'case>> {
        let paired = self.pairing.windows.iter().filter_map(|paired| match paired.event {
            PairedEvent::Stored(stored) => Some((stored, Some(paired.scheduled.window), &paired.scheduled.content)),
            PairedEvent::New(_) => None,
        });
        let spoken_of = self
            .pairing
            .rest
            .iter()
            .flat_map(|rest| self.pairing.spoken_of.iter().map(|stored| (*stored, None, *rest)));
        let is_news = |member: &Member<'_>, window, content| {
            member.event.note.as_ref().is_none_or(|note| event::is_news(input, note, window, content))
        };
        let named = paired.chain(spoken_of).filter_map(|(stored, window, content)| {
            self.member(stored).filter(|member| stored.is_due && is_news(member, window, content))
        });
        let left_out = self.pairing.left_out.iter().filter(|stored| stored.is_due);
        let left_out = left_out.filter_map(|stored| self.member(*stored));
        named.chain(left_out).filter(|member| !member.is_deleted && member.event.is_hands_off()).collect()
    }

    /// Returns the events that the notice is about: those of its windows, and those that it is about without a window.
    pub(super) fn concerned(&self) -> Vec<Member<'case>> {
        let paired = self.pairing.windows.iter().filter_map(|paired| match paired.event {
            PairedEvent::Stored(stored) => Some(stored),
            PairedEvent::New(_) => None,
        });
        paired.chain(self.pairing.spoken_of.iter().copied()).filter_map(|stored| self.member(stored)).collect()
    }
}

/// Returns the events of the maintenance: the managed ones, which have our note, and for a number without one the event that a person has
/// made, which is taken over.
fn with_foreign<'view>(
    announcement: &Announcement,
    view: &'view View,
    managed: Vec<Member<'view>>,
) -> Result<Vec<Member<'view>>, Ambiguous> {
    let mut members = managed;
    let mut foreign: BTreeMap<usize, Vec<&StoredEvent>> = BTreeMap::new();
    for event in view.events.iter().filter(|event| event.note.is_none()) {
        if let Some(number) = fields::number(&announcement.id, &event.name) {
            foreign.entry(number).or_default().push(event);
        }
    }
    for (number, events) in foreign {
        if members.iter().any(|member| member.number == number) {
            continue;
        }
        match &events[..] {
            [event] => members.push(Member { number, event, is_deleted: false }),
            [first, ..] => return Err(Ambiguous { name: first.name.clone(), count: events.len() }),
            [] => {}
        }
    }
    members.sort_by_key(|member| (member.number, member.event.id));
    Ok(members)
}

/// Returns the events of the maintenance with those that people have deleted: a notice that says nothing new of these makes them no more.
fn with_deleted<'view>(
    announcement: &Announcement,
    view: &'view View,
    mut members: Vec<Member<'view>>,
) -> Vec<Member<'view>> {
    members.extend(deleted_events(announcement, view, &members));
    members.sort_by_key(|member| (member.number, member.event.id));
    members
}
