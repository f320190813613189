//! Groups a notice by maintenance id: one [`Announcement`] per id, with each of its windows once.

use std::{collections::BTreeMap, fmt::Write as _};

use jiff::Timestamp;
use thiserror::Error;

use crate::{digest::digest, lifecycle::EventStatus, version::Version};
use notice::{
    model::{Impact, Maintenance, Window},
    outcome::Notice,
};

/// The part of a notice that concerns one maintenance id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Id that the provider gave the maintenance, uncut.
    pub id: String,
    /// Place of this notice among the others of that id.
    pub version: Version,
    /// Windows in the mail's order, each once.
    pub windows: Vec<ScheduledWindow>,
    /// Content without a window: everything else of this id is off or over. `None` if the notice has no such entry.
    pub rest: Option<Content>,
}

/// A window of a notice, and what the notice says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledWindow {
    /// The window.
    pub window: Window,
    /// Everything else that the notice says of it.
    pub content: Content,
}

/// The content that a notice states for an event, besides the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Status; `None` if it has not changed.
    pub status: Option<EventStatus>,
    /// Distinct circuit ids with the worst impact on each; empty if the notice names no circuit.
    pub circuits: BTreeMap<String, Impact>,
    /// Text on the work and its reason; may be empty.
    pub summary: String,
}

/// A notice that states two statuses for one window.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the notice says both {} and {} of `{id}` in one window", word(*.one), word(*.other))]
pub struct Contradiction {
    id: String,
    one: Option<EventStatus>,
    other: Option<EventStatus>,
}

fn word(status: Option<EventStatus>) -> &'static str {
    status.map_or("NO-CHANGE", EventStatus::word)
}

impl Content {
    fn of(maintenance: &Maintenance) -> Self {
        let mut circuits = BTreeMap::new();
        for circuit in maintenance.circuits() {
            let worst = circuits.entry(circuit.id().to_owned()).or_insert(circuit.impact());
            *worst = circuit.impact().max(*worst);
        }
        let summary = maintenance.summary().trim().replace('\0', "");
        Self { status: EventStatus::of(maintenance.status()), circuits, summary }
    }

    /// Merges what another entry says of the same window; returns the two statuses if they contradict each other.
    fn merge(&mut self, other: Self) -> Option<(Option<EventStatus>, Option<EventStatus>)> {
        if self.status != other.status {
            return Some((self.status, other.status));
        }
        for (circuit, impact) in other.circuits {
            let worst = self.circuits.entry(circuit).or_insert(impact);
            *worst = impact.max(*worst);
        }
        if self.summary.is_empty() {
            self.summary = other.summary;
        }
        None
    }

    /// Appends a line that differs for every other content.
    fn write_to(&self, text: &mut String) {
        let _ = write!(text, "{} {:?}", word(self.status), self.summary);
        for (circuit, impact) in &self.circuits {
            let _ = write!(text, " {circuit:?} {impact}");
        }
        text.push('\n');
    }
}

impl Announcement {
    /// Returns the announcements of a notice, one per maintenance id, in the mail's order.
    pub fn of(notice: &Notice, received_at: Option<Timestamp>) -> Result<Vec<Self>, Contradiction> {
        let mut all: Vec<(Self, Vec<&Maintenance>)> = Vec::new();
        for maintenance in &notice.maintenances {
            let place = all.iter().position(|(announcement, _)| announcement.id == maintenance.id());
            let (announcement, members) = if let Some(group) = place.and_then(|place| all.get_mut(place)) {
                group
            } else {
                all.push((Self::empty(maintenance.id()), Vec::new()));
                let Some(group) = all.last_mut() else { continue };
                group
            };
            announcement.add(maintenance)?;
            members.push(maintenance);
        }
        Ok(all
            .into_iter()
            .map(|(announcement, members)| announcement.versioned(&members, notice, received_at))
            .collect())
    }

    fn empty(id: &str) -> Self {
        let version =
            Version { uid: None, sequence: None, announced_at: None, received_at: None, digest: String::new() };
        Self { id: id.to_owned(), version, windows: Vec::new(), rest: None }
    }

    fn add(&mut self, maintenance: &Maintenance) -> Result<(), Contradiction> {
        let content = Content::of(maintenance);
        let merged = match maintenance.window() {
            None => match &mut self.rest {
                Some(rest) => rest.merge(content),
                rest @ None => {
                    *rest = Some(content);
                    None
                }
            },
            Some(window) => {
                if let Some(other) = self.windows.iter_mut().find(|other| other.window == window) {
                    other.content.merge(content)
                } else {
                    self.windows.push(ScheduledWindow { window, content });
                    None
                }
            }
        };
        match merged {
            Some((one, other)) => Err(Contradiction { id: self.id.clone(), one, other }),
            None => Ok(()),
        }
    }

    /// Adds the version. Several entries share a revision only if each states the same one, of one UID.
    fn versioned(mut self, members: &[&Maintenance], notice: &Notice, received_at: Option<Timestamp>) -> Self {
        let uid = members.first().map(|member| member.uid()).filter(|uid| !uid.is_empty() && *uid != "0");
        let uid = uid.filter(|uid| members.iter().all(|member| member.uid() == *uid));
        let revisions: Option<Vec<u32>> = members.iter().map(|member| member.sequence()).collect();
        let sequence = revisions.and_then(|revisions| revisions.into_iter().max()).filter(|_| uid.is_some());
        let version = Version {
            uid: uid.map(str::to_owned),
            sequence,
            announced_at: notice.announced_at,
            received_at,
            digest: self.digest(),
        };
        self.version = version;
        self
    }

    /// Returns a digest of everything that the notice says of the maintenance.
    pub fn digest(&self) -> String {
        let mut text = format!("{:?}\n", self.id);
        for scheduled in &self.windows {
            let _ = write!(text, "{} {} ", scheduled.window.start(), scheduled.window.end());
            scheduled.content.write_to(&mut text);
        }
        if let Some(content) = &self.rest {
            content.write_to(&mut text);
        }
        digest(text.as_bytes(), 8)
    }

    /// Returns everything that the notice says of the maintenance, besides the windows.
    pub fn contents(&self) -> impl Iterator<Item = &Content> {
        self.windows.iter().map(|scheduled| &scheduled.content).chain(&self.rest)
    }

    /// Returns every circuit that the notice names under this id.
    pub fn circuits(&self) -> impl Iterator<Item = &str> {
        self.contents().flat_map(|content| content.circuits.keys().map(String::as_str))
    }
}
