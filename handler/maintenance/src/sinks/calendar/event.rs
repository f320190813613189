//! What a calendar's entries say, and how a notice changes them. Pure; the whole calendar is written at once, so that nothing can be
//! half done.
//!
//! The rules are those of NetBox's events: an older notice changes nothing, equal windows are paired first, then the rest in
//! order, and a window that a newer notice no longer has is cancelled.

use std::{cmp::Reverse, collections::BTreeMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::sinks::netbox::{
    stored::EventStatus,
    version::{Order, Version},
    wanted::{Content, Wanted},
};
use notice::model::{Impact, Window};

/// No calendar has more entries: those that ended first are cut. About 2 MB.
const MOST_EVENTS: usize = 2000;

/// One maintenance in one window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Tells providers apart: our slug, or of a provider that we do not know the name that its calendar gives.
    pub provider: String,
    /// The provider as people read it.
    pub provider_name: String,
    /// The provider's id of the maintenance.
    pub id: String,
    /// The window's number within the maintenance, from 1.
    pub number: usize,
    /// How often it has changed.
    pub sequence: u32,
    /// The notice that it shows.
    pub version: Version,
    /// When that notice came.
    pub stamp: Timestamp,
    /// What is said of the window.
    #[serde(flatten)]
    pub shown: Shown,
}

/// What people see of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Where it stands.
    pub status: EventStatus,
    /// When it starts.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// What is done and why; may be empty.
    pub summary: String,
    /// The distinct circuits and the worst that happens to each.
    pub circuits: BTreeMap<String, Impact>,
    /// Whether a later notice no longer has this window.
    pub left: bool,
}

/// Whose a maintenance is, and which notice says so.
#[derive(Debug, Clone)]
pub struct Source {
    /// See [`Event::provider`].
    pub provider: String,
    /// See [`Event::provider_name`].
    pub provider_name: String,
    /// When the notice came.
    pub stamp: Timestamp,
}

/// All entries of a calendar, in no order that matters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Feed {
    /// The entries.
    pub events: Vec<Event>,
}

impl Shown {
    fn window(&self) -> Option<Window> {
        Window::new(self.start, self.end)
    }

    /// What a notice makes of it.
    fn with(&self, window: Option<Window>, content: &Content) -> Self {
        let (start, end) = window.map_or((self.start, self.end), |window| (window.start(), window.end()));
        let kept = |new: &str, old: &str| if new.is_empty() { old.to_owned() } else { new.to_owned() };
        Self {
            status: content.status.unwrap_or(self.status),
            start,
            end,
            summary: kept(&content.summary, &self.summary),
            circuits: if content.circuits.is_empty() { self.circuits.clone() } else { content.circuits.clone() },
            left: false,
        }
    }

    fn new(window: Window, content: &Content) -> Self {
        Self {
            status: content.status.unwrap_or(EventStatus::Unknown),
            start: window.start(),
            end: window.end(),
            summary: content.summary.clone(),
            circuits: content.circuits.clone(),
            left: false,
        }
    }
}

impl Event {
    fn change(&mut self, source: &Source, version: &Version, shown: Shown) {
        if shown != self.shown {
            self.sequence = self.sequence.saturating_add(1);
            self.stamp = source.stamp;
            self.shown = shown;
        }
        self.provider_name.clone_from(&source.provider_name);
        self.version = version.clone();
    }
}

impl Feed {
    /// Makes the calendar say what a notice says of one maintenance; what a person has to look at.
    pub fn apply(&mut self, source: &Source, wanted: &Wanted) -> Vec<String> {
        let is_member = |event: &Event| event.provider == source.provider && event.id == wanted.id;
        let (mut members, others): (Vec<Event>, Vec<Event>) = self.events.drain(..).partition(is_member);
        self.events = others;
        members.sort_by_key(|event| event.number);
        let concerns = match Order::of_all(members.iter().map(|event| wanted.version.order(&event.version))) {
            Order::Older | Order::Same => Vec::new(),
            Order::Tie => vec![format!(
                "another notice of `{}` says something else, and nothing tells which came first; the calendar was left as it is",
                wanted.id
            )],
            Order::Newer => renew(&mut members, source, wanted),
        };
        self.events.append(&mut members);
        concerns
    }

    /// Leaves out what ended before that time, and what is too much.
    pub fn cut(&mut self, before: Timestamp) {
        self.events.retain(|event| event.shown.end >= before);
        self.events.sort_by_key(|event| Reverse(event.shown.end));
        self.events.truncate(MOST_EVENTS);
        let key = |event: &Event| (event.shown.start, event.provider.clone(), event.id.clone(), event.number);
        self.events.sort_by_cached_key(key);
    }
}

fn renew(members: &mut Vec<Event>, source: &Source, wanted: &Wanted) -> Vec<String> {
    if members.is_empty() && wanted.windows.is_empty() {
        return vec![format!(
            "the notice says that `{}` of {} is off or over, states no window, and the calendar has no such entry",
            wanted.id, source.provider_name
        )];
    }
    let mut free: Vec<usize> = (0..members.len()).collect();
    let mut pairs: Vec<Option<usize>> = Vec::new();
    for (window, _) in &wanted.windows {
        let equal = |place: &usize| members.get(*place).is_some_and(|event| event.shown.window() == Some(*window));
        pairs.push(free.iter().position(equal).map(|place| free.remove(place)));
    }
    for pair in pairs.iter_mut().filter(|pair| pair.is_none()) {
        *pair = (!free.is_empty()).then(|| free.remove(0));
    }
    let mut number = members.iter().map(|event| event.number).max().unwrap_or(0);
    for ((window, content), pair) in wanted.windows.iter().zip(pairs) {
        if let Some(event) = pair.and_then(|place| members.get_mut(place)) {
            let shown = event.shown.with(Some(*window), content);
            event.change(source, &wanted.version, shown);
        } else {
            number += 1;
            members.push(Event {
                provider: source.provider.clone(),
                provider_name: source.provider_name.clone(),
                id: wanted.id.clone(),
                number,
                sequence: 0,
                version: wanted.version.clone(),
                stamp: source.stamp,
                shown: Shown::new(*window, content),
            });
        }
    }
    match &wanted.rest {
        Some(content) => speak_of(members, &free, source, &wanted.version, content),
        None => leave(members, &free, source, &wanted.version),
    }
}

/// What a notice says without a window holds for what is neither over nor off, or for all if nothing is open.
fn speak_of(
    members: &mut [Event],
    free: &[usize],
    source: &Source,
    version: &Version,
    content: &Content,
) -> Vec<String> {
    let open = |event: &Event| !event.shown.status.is_final();
    let all = !free.iter().filter_map(|place| members.get(*place)).any(open);
    for place in free {
        if let Some(event) = members.get_mut(*place)
            && (all || open(event))
        {
            let shown = event.shown.with(None, content);
            event.change(source, version, shown);
        }
    }
    Vec::new()
}

/// Cancels what the notice no longer has.
fn leave(members: &mut [Event], free: &[usize], source: &Source, version: &Version) -> Vec<String> {
    let mut concerns = Vec::new();
    for place in free {
        let Some(event) = members.get_mut(*place) else { continue };
        let mut shown = event.shown.clone();
        if !shown.status.is_final() {
            shown.status = EventStatus::Cancelled;
            shown.left = true;
            concerns.push(format!(
                "the notice no longer has the window of `{}` from {}: it is cancelled",
                event.id, event.shown.start
            ));
        }
        event.change(source, version, shown);
    }
    concerns
}
