//! Pairs the windows of a notice with the events that a sink holds, and decides what the notice does to each event.

use crate::{
    announcement::{Announcement, Content, ScheduledWindow},
    lifecycle::Lifecycle,
    version::{Order, Version},
};
use notice::model::Window;

/// An event of the maintenance as a sink holds it. A sink lists its events by number.
#[derive(Debug, Clone)]
pub struct StoredWindow<'sink> {
    /// The number of the window within the maintenance, from 1.
    pub number: usize,
    /// The window; `None` if the sink holds none that ends after it starts.
    pub window: Option<Window>,
    /// Status, and the reason for it.
    pub lifecycle: Lifecycle,
    /// The notice that the event shows; `None` if a person made the event and no notice has named it.
    pub version: Option<&'sink Version>,
}

impl StoredWindow<'_> {
    /// Returns how a notice of that version stands to this event.
    pub fn order(&self, version: &Version) -> Order {
        self.version.map_or(Order::Newer, |stored| version.order(stored))
    }

    /// Returns whether the event shows exactly this notice, as one that the notice names or speaks of.
    pub fn shows(&self, version: &Version) -> bool {
        self.version == Some(version) && !self.lifecycle.is_left_out
    }

    /// Returns whether this notice has left the event's window out already.
    fn was_left_out_by(&self, version: &Version) -> bool {
        self.version == Some(version) && self.lifecycle.is_left_out
    }

    /// Returns whether a window of the notice may move the event.
    fn is_movable(&self, version: &Version) -> bool {
        !self.lifecycle.is_completed() || self.shows(version)
    }

    /// Returns whether what the notice says without a window holds for the event.
    fn is_open(&self, version: &Version) -> bool {
        !self.lifecycle.status.is_final() || self.shows(version)
    }

    /// Returns whether a notice that leaves the event's window out cancels it. What a person has made and no notice has named stays,
    /// and so does what a person has opened again since this very notice left it out.
    fn is_to_be_cancelled(&self, version: &Version) -> bool {
        match self.order(version) {
            Order::Newer => self.version.is_some() && !self.lifecycle.status.is_final(),
            // Two deliveries of this notice have paired its windows differently: one event is too many.
            Order::Same => !self.lifecycle.is_left_out && self.is_open(version),
            Order::Older | Order::Tie => false,
        }
    }
}

/// A stored event that a notice changes or confirms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Index in the list of stored events.
    pub place: usize,
    /// `true` if the event must be written; `false` if it shows this notice already.
    pub is_due: bool,
}

/// The event for a window of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairedEvent {
    /// An event that the sink holds.
    Stored(Stored),
    /// A new event with this number.
    New(usize),
}

/// A window of a notice and its event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairedWindow<'notice> {
    /// The window, and what the notice says of it.
    pub scheduled: &'notice ScheduledWindow,
    /// The event that shows the window.
    pub event: PairedEvent,
}

/// A notice of a maintenance compared with the events that a sink holds of it. Unless [`Order::changes`], the sink writes nothing;
/// the pairing then only tells which events the notice is about.
///
/// Writing a part of it and comparing again leads to the same end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowPairing<'notice> {
    /// How the notice stands to everything that is stored.
    pub order: Order,
    /// The windows of the notice, in its order, with their events.
    pub windows: Vec<PairedWindow<'notice>>,
    /// Content that the notice states without a window; `None` if it states none.
    pub rest: Option<&'notice Content>,
    /// The events that `rest` holds for.
    pub spoken_of: Vec<Stored>,
    /// The events whose windows the notice leaves out: it cancels them, or has done so before (then not due).
    pub left_out: Vec<Stored>,
}

impl<'notice> WindowPairing<'notice> {
    /// Compares a notice with what is stored, sorted by number.
    pub fn new(notice: &'notice Announcement, stored: &[StoredWindow<'_>]) -> Self {
        let version = &notice.version;
        let mut free: Vec<usize> = (0..stored.len()).collect();
        let windows = pair(notice, stored, &mut free);
        let free: Vec<_> = free.into_iter().filter_map(|place| Some((place, stored.get(place)?))).collect();
        let (mut spoken_of, mut left_out) = (Vec::new(), Vec::new());
        if notice.rest.is_some() {
            // A notice that names no window is about the maintenance, be it over or off already.
            let is_about_all = notice.windows.is_empty() && !free.iter().any(|(_, event)| event.is_open(version));
            let about = free.into_iter().filter(|(_, event)| is_about_all || event.is_open(version));
            let is_due = |event: &StoredWindow<'_>| event.order(version) == Order::Newer;
            spoken_of.extend(about.map(|(place, event)| Stored { place, is_due: is_due(event) }));
        } else {
            let is_cancelled =
                |event: &StoredWindow<'_>| event.is_to_be_cancelled(version) || event.was_left_out_by(version);
            let cancelled = free.into_iter().filter(|(_, event)| is_cancelled(event));
            let is_due = |event: &StoredWindow<'_>| event.is_to_be_cancelled(version);
            left_out.extend(cancelled.map(|(place, event)| Stored { place, is_due: is_due(event) }));
        }
        let order = Order::of_all(stored.iter().map(|event| event.order(version)));
        Self { order, windows, rest: notice.rest.as_ref(), spoken_of, left_out }
    }
}

/// Pairs equal windows first, then the others in order, and takes from `free` the places of the events that have a window.
fn pair<'notice>(
    notice: &'notice Announcement,
    stored: &[StoredWindow<'_>],
    free: &mut Vec<usize>,
) -> Vec<PairedWindow<'notice>> {
    let version = &notice.version;
    let take = |free: &mut Vec<usize>, test: &dyn Fn(&StoredWindow<'_>) -> bool| {
        let index = free.iter().position(|place| stored.get(*place).is_some_and(test))?;
        Some(free.remove(index))
    };
    let mut places: Vec<Option<usize>> = Vec::new();
    for scheduled in &notice.windows {
        let is_equal = |event: &StoredWindow<'_>| event.window == Some(scheduled.window);
        // A race can leave two events with this window: the one that was chosen stays the one.
        let chosen = take(free, &|event| is_equal(event) && event.shows(version));
        places.push(chosen.or_else(|| take(free, &is_equal)));
    }
    for place in places.iter_mut().filter(|place| place.is_none()) {
        *place = take(free, &|event| event.is_movable(version));
    }
    let mut last = stored.iter().map(|event| event.number).max().unwrap_or(0);
    let paired = notice.windows.iter().zip(places).map(|(scheduled, place)| {
        let event = if let Some((place, event)) = place.and_then(|place| Some((place, stored.get(place)?))) {
            PairedEvent::Stored(Stored { place, is_due: is_due(notice, event, scheduled) })
        } else {
            last += 1;
            PairedEvent::New(last)
        };
        PairedWindow { scheduled, event }
    });
    paired.collect()
}

/// Returns whether the event of a window has to be written: for a newer notice, or because two concurrent deliveries of this notice
/// paired windows differently, so that the event holds a window that belongs to another event. Any other window of an event that shows
/// this notice is a person's doing and stays.
fn is_due(notice: &Announcement, event: &StoredWindow<'_>, scheduled: &ScheduledWindow) -> bool {
    let holds = |window: Window| event.window == Some(window);
    let is_astray = event.shows(&notice.version)
        && !holds(scheduled.window)
        && notice.windows.iter().any(|other| holds(other.window));
    event.order(&notice.version) == Order::Newer || is_astray
}

#[cfg(test)]
mod tests;
