//! The entries of a calendar, and how a notice changes them. Pure; the whole calendar is written at once, so that nothing can be half
//! done. What a notice does to each entry is decided in [`schedule`].

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use notice::model::{Impact, Window};
use schedule::{
    Announcement, Content, EventStatus, Lifecycle, Order, PairedEvent, StoredWindow, Version, WindowPairing,
};

/// Maximum entries of a calendar, about 2 MB.
pub const MOST_EVENTS: usize = 2000;
/// Days for which entries stay after their end.
const KEPT_DAYS: i64 = 90;

/// The identity of an entry: the provider, the maintenance's id, and the window's number.
pub type Key = (String, String, usize);

/// One maintenance in one window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Key of the provider: our slug, or, for a provider that we do not know, the name in its calendar.
    pub provider: String,
    /// Name of the provider, as people read it.
    pub provider_name: String,
    /// Id that the provider gave the maintenance.
    pub id: String,
    /// Number of the window within the maintenance, from 1.
    pub number: usize,
    /// Count of the changes so far.
    pub sequence: u32,
    /// Version of the notice that the entry shows.
    pub version: Version,
    /// Time at which the notice of the last change came.
    pub stamp: Timestamp,
    /// Content that people see.
    #[serde(flatten)]
    pub shown: Shown,
}

/// The content of an entry that people see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Status of the event.
    pub status: EventStatus,
    /// Start of the window.
    pub start: Timestamp,
    /// End of the window.
    pub end: Timestamp,
    /// Text on the work and its reason; may be empty.
    pub summary: String,
    /// Distinct circuit ids with the worst impact on each.
    pub circuits: BTreeMap<String, Impact>,
    /// `true` if the entry is cancelled because a later notice leaves its window out.
    pub left: bool,
}

/// The provider of a maintenance, and the time of the notice.
#[derive(Debug, Clone)]
pub struct Source {
    /// See [`Event::provider`].
    pub provider: String,
    /// See [`Event::provider_name`].
    pub provider_name: String,
    /// Time at which the notice came.
    pub stamp: Timestamp,
}

/// All entries of a calendar, in no order that matters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Feed {
    /// Entries of the calendar, in no particular order.
    pub events: Vec<Event>,
}

/// The findings about a notice that was applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Sentences that a person has to look at.
    pub concerns: Vec<String>,
    /// Sentences for the log about what the notice did not change.
    pub remarks: Vec<String>,
}

impl Findings {
    /// Adds the findings about another part.
    pub fn add(&mut self, other: Self) {
        self.concerns.extend(other.concerns);
        self.remarks.extend(other.remarks);
    }
}

impl Shown {
    fn new(window: Window, content: &Content) -> Self {
        Self {
            status: Lifecycle::announced(content.status).status,
            start: window.start(),
            end: window.end(),
            summary: content.summary.clone(),
            circuits: content.circuits.clone(),
            left: false,
        }
    }

    fn lifecycle(&self) -> Lifecycle {
        Lifecycle { status: self.status, is_left_out: self.left }
    }

    /// Returns the entry after a notice that names it. Without a window of the notice, the entry keeps the one it has.
    fn named(&self, window: Option<Window>, content: &Content) -> Self {
        let (start, end) = window.map_or((self.start, self.end), |window| (window.start(), window.end()));
        let kept = |new: &str, old: &str| if new.is_empty() { old.to_owned() } else { new.to_owned() };
        Self {
            status: self.lifecycle().named(content.status).status,
            start,
            end,
            summary: kept(&content.summary, &self.summary),
            circuits: if content.circuits.is_empty() { self.circuits.clone() } else { content.circuits.clone() },
            left: false,
        }
    }

    /// Returns the entry after a notice that leaves its window out.
    fn left_out(&self) -> Self {
        let Lifecycle { status, is_left_out } = Lifecycle::left_out();
        Self { status, left: is_left_out, ..self.clone() }
    }
}

impl Event {
    fn key(&self) -> Key {
        (self.provider.clone(), self.id.clone(), self.number)
    }

    fn scheduled(&self) -> StoredWindow<'_> {
        StoredWindow {
            number: self.number,
            window: Window::new(self.shown.start, self.shown.end),
            lifecycle: self.shown.lifecycle(),
            version: Some(&self.version),
        }
    }

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
    /// Makes the calendar say what a notice says of one maintenance.
    pub fn apply(&mut self, source: &Source, announcement: &Announcement) -> Findings {
        let is_member = |event: &Event| event.provider == source.provider && event.id == announcement.id;
        let (mut members, others): (Vec<Event>, Vec<Event>) = self.events.drain(..).partition(is_member);
        self.events = others;
        members.sort_by_key(|event| event.number);
        let pairing = WindowPairing::new(announcement, &members.iter().map(Event::scheduled).collect::<Vec<_>>());
        let mut remarks = Vec::new();
        let concerns = match pairing.order {
            Order::Older => {
                remarks
                    .push(format!("`{}` is older than what the calendar has of it: nothing changed", announcement.id));
                Vec::new()
            }
            Order::Tie => vec![format!(
                "another notice of `{}` says something else, and nothing tells which came first (revision and date are the same, or contradict \
                 each other); the calendar was left as it is",
                announcement.id
            )],
            Order::Newer | Order::Same if members.is_empty() && announcement.windows.is_empty() => vec![format!(
                "the notice says that `{}` of {} is off or over, states no window, and the calendar has no such entry",
                announcement.id, source.provider_name
            )],
            Order::Newer | Order::Same => update(&mut members, source, announcement, &pairing),
        };
        self.events.append(&mut members);
        Findings { concerns, remarks }
    }

    /// Returns the keys of all entries.
    pub fn keys(&self) -> BTreeSet<Key> {
        self.events.iter().map(Event::key).collect()
    }

    /// Removes what the calendar has no room for: entries that ended long ago, then other entries that are over, those that ended
    /// first before the others. What is not over is never removed: new entries, besides those `before`, that still do not fit are left
    /// out, and go to a person.
    pub fn cut(&mut self, before: &BTreeSet<Key>, now: Timestamp) -> Findings {
        let oldest = now.saturating_sub(SignedDuration::from_hours(KEPT_DAYS * 24)).unwrap_or(Timestamp::MIN);
        let mut findings = Findings::default();
        let is_new = |event: &Event| !before.contains(&event.key());
        let (mut kept, past): (Vec<Event>, Vec<Event>) =
            self.events.drain(..).partition(|event| event.shown.end >= oldest);
        findings.remarks.extend(past.iter().filter(|event| is_new(event)).map(|event| {
            format!("{} is over for more than {KEPT_DAYS} days: the calendar has no entry of it", named(event))
        }));
        // What may be removed stands last: new entries that are not over, then those that are over, the oldest at the end.
        kept.sort_by_key(|event| match (event.shown.end < now, is_new(event)) {
            (false, false) => (0, Reverse(event.shown.end)),
            (false, true) => (1, Reverse(Timestamp::MAX)),
            (true, _) => (2, Reverse(event.shown.end)),
        });
        let first_removable = kept.iter().position(|event| event.shown.end < now || is_new(event));
        let room = MOST_EVENTS.max(first_removable.unwrap_or(kept.len()));
        for event in kept.split_off(room.min(kept.len())) {
            let name = named(&event);
            if event.shown.end >= now {
                findings
                    .concerns
                    .push(format!("{name} has no entry: the calendar is full, with {MOST_EVENTS} that are not over"));
            } else if is_new(&event) {
                findings.remarks.push(format!("{name} is over: the calendar is full, and has no entry of it"));
            }
        }
        self.events = kept;
        let order = |event: &Event| (event.shown.start, event.provider.clone(), event.id.clone(), event.number);
        self.events.sort_by_cached_key(order);
        findings
    }
}

/// Returns an entry's maintenance and window in words.
fn named(event: &Event) -> String {
    format!("`{}` from {} to {}", event.id, event.shown.start, event.shown.end)
}

/// Writes what a notice does to the entries of its maintenance; returns what a person has to look at.
fn update(
    members: &mut Vec<Event>,
    source: &Source,
    announcement: &Announcement,
    pairing: &WindowPairing<'_>,
) -> Vec<String> {
    let version = &announcement.version;
    for paired in &pairing.windows {
        let (window, content) = (paired.scheduled.window, &paired.scheduled.content);
        match paired.event {
            PairedEvent::New(number) => members.push(Event {
                provider: source.provider.clone(),
                provider_name: source.provider_name.clone(),
                id: announcement.id.clone(),
                number,
                sequence: 0,
                version: version.clone(),
                stamp: source.stamp,
                shown: Shown::new(window, content),
            }),
            PairedEvent::Stored(stored) => {
                if let Some(event) = members.get_mut(stored.place).filter(|_| stored.is_due) {
                    let shown = event.shown.named(Some(window), content);
                    event.change(source, version, shown);
                }
            }
        }
    }
    for stored in pairing.spoken_of.iter().filter(|stored| stored.is_due) {
        if let (Some(event), Some(content)) = (members.get_mut(stored.place), pairing.rest) {
            let shown = event.shown.named(None, content);
            event.change(source, version, shown);
        }
    }
    cancel_left_out(members, source, version, pairing)
}

/// Cancels the entries whose windows a notice no longer has; returns them in words.
fn cancel_left_out(
    members: &mut [Event],
    source: &Source,
    version: &Version,
    pairing: &WindowPairing<'_>,
) -> Vec<String> {
    let mut concerns = Vec::new();
    for stored in &pairing.left_out {
        let Some(event) = members.get_mut(stored.place) else { continue };
        if stored.is_due {
            let shown = event.shown.left_out();
            event.change(source, version, shown);
        }
        // Once more at the same notice, since handing the mail to a person may have failed the first time.
        let (id, start) = (&event.id, event.shown.start);
        concerns.push(format!("the notice no longer has the window of `{id}` from {start}: it is cancelled"));
    }
    concerns
}
