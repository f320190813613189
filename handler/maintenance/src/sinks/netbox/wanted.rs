//! What a notice wants NetBox to say: one group of windows per maintenance id.

use std::{collections::BTreeMap, fmt::Write as _};

use jiff::Timestamp;
use thiserror::Error;

use super::{fields, ids::CircuitId, stored::EventStatus, version::Version};
use notice::{
    model::{Impact, Maintenance, Window},
    outcome::Notice,
};

/// The provider's circuits that NetBox knows, by CID.
pub type Circuits = BTreeMap<String, CircuitId>;

/// What a notice says of one maintenance id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The provider's id, whole.
    pub id: String,
    /// What orders this notice among the others of that id.
    pub version: Version,
    /// Its windows, in the mail's order, each once.
    pub windows: Vec<(Window, Content)>,
    /// What it says without a window: that everything else of this id is off or over.
    pub rest: Option<Content>,
}

/// What a notice says of an event, besides the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Where it stands; `None` if that has not changed.
    pub status: Option<EventStatus>,
    /// The distinct circuits and the worst that happens to each.
    pub circuits: BTreeMap<String, Impact>,
    /// What is done and why; may be empty.
    pub summary: String,
}

/// A notice that contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the notice says both {} and {} of `{id}` in one window", word(*.one), word(*.other))]
pub struct Contradiction {
    id: String,
    one: Option<EventStatus>,
    other: Option<EventStatus>,
}

fn word(status: Option<EventStatus>) -> String {
    status.map_or_else(|| "NO-CHANGE".to_owned(), |status| format!("{status:?}").to_uppercase())
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

    /// Adds what another entry says of the same window.
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

    /// The circuits that NetBox knows.
    pub fn known(&self, circuits: &Circuits) -> BTreeMap<CircuitId, Impact> {
        self.circuits.iter().filter_map(|(cid, impact)| Some((*circuits.get(cid)?, *impact))).collect()
    }

    /// Those that it does not know.
    pub fn unknown<'content>(&'content self, circuits: &Circuits) -> Vec<(&'content str, Impact)> {
        let unknown = self.circuits.iter().filter(|(cid, _)| !circuits.contains_key(*cid));
        unknown.map(|(cid, impact)| (cid.as_str(), *impact)).collect()
    }
}

impl Wanted {
    /// What a notice wants, by maintenance id in the mail's order.
    pub fn of(notice: &Notice, received_at: Option<Timestamp>) -> Result<Vec<Self>, Contradiction> {
        let mut all: Vec<(Self, Vec<&Maintenance>)> = Vec::new();
        for maintenance in &notice.maintenances {
            let place = all.iter().position(|(wanted, _)| wanted.id == maintenance.id());
            let (wanted, members) = if let Some(group) = place.and_then(|place| all.get_mut(place)) {
                group
            } else {
                all.push((Self::empty(maintenance.id()), Vec::new()));
                let Some(group) = all.last_mut() else { continue };
                group
            };
            wanted.add(maintenance)?;
            members.push(maintenance);
        }
        Ok(all.into_iter().map(|(wanted, members)| wanted.versioned(&members, notice, received_at)).collect())
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
                if let Some((_, other)) = self.windows.iter_mut().find(|(other, _)| *other == window) {
                    other.merge(content)
                } else {
                    self.windows.push((window, content));
                    None
                }
            }
        };
        match merged {
            Some((one, other)) => Err(Contradiction { id: self.id.clone(), one, other }),
            None => Ok(()),
        }
    }

    /// With what orders it. Several entries have a revision only if they all have it of one UID.
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

    fn digest(&self) -> String {
        let mut text = format!("{:?}\n", self.id);
        for (window, content) in &self.windows {
            let _ = writeln!(text, "{} {} {content:?}", window.start(), window.end());
        }
        let _ = writeln!(text, "{:?}", self.rest);
        fields::digest(text.as_bytes(), 8)
    }

    /// Every circuit that the notice names under this id.
    pub fn circuits(&self) -> impl Iterator<Item = &str> {
        let contents = self.windows.iter().map(|(_, content)| content).chain(&self.rest);
        contents.flat_map(|content| content.circuits.keys().map(String::as_str))
    }
}
