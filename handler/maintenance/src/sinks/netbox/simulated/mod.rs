//! Simulates NetBox, and delivers to it: one step of any writer at a time, with any fault.

mod edits;
mod race;
mod remembered;
mod rules;
mod trial;

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use jiff::Timestamp;

use super::{
    case::PlanInput,
    circuits::{Circuits, known_impacts},
    claim::{Claim, Claimant},
    converge::converge,
    fields,
    ids::{CircuitId, EventId, ImpactId, ProviderId},
    link::{Linked, Mailbox, Target, link},
    note::Note,
    records::{Action, EventChange, Fault, ImpactChange, NewImpact, Past, Pause, Performed, Records},
    settled::Settled,
    stored::{StoredEvent, StoredImpact, StoredProvider},
};
use notice::model::{Impact, Window};
use schedule::{Announcement, Content, EventStatus, ScheduledWindow, Version};

/// The data of the simulated NetBox. It refuses what the plugin refuses.
#[derive(Debug, Default, Clone, PartialEq)]
struct Base {
    events: BTreeMap<EventId, StoredEvent>,
    impacts: BTreeMap<ImpactId, StoredImpact>,
    mails: Vec<(EventId, String)>,
    last: u64,
    /// `true` if it takes a second impact for one circuit of an event, as the plugin did until 0.7.
    takes_twins: bool,
    now: Timestamp,
    /// Names with which events were made.
    made: BTreeMap<EventId, String>,
    /// Events that were deleted, as they were last.
    deleted: BTreeMap<EventId, StoredEvent>,
    /// `true` if it does not show its record of changes.
    hides_past: bool,
}

impl Base {
    fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn store(&mut self, mut event: StoredEvent) -> StoredEvent {
        event.etag = self.number().to_string();
        event.note = Note::read(&event.comments);
        self.events.insert(event.id, event.clone());
        event
    }

    fn past(&self, names: &[String]) -> Past {
        if self.hides_past {
            return Past::default();
        }
        let made = self.made.iter().filter(|(_, name)| names.contains(name)).map(|(id, _)| id);
        let deleted = made.clone().filter_map(|id| self.deleted.get(id)).cloned().collect();
        Past { deleted, renamed: made.filter_map(|id| self.events.get(id)).cloned().collect() }
    }

    fn delete(&mut self, event: EventId) {
        let gone = self.events.remove(&event).unwrap();
        self.deleted.insert(event, gone);
        self.impacts.retain(|_, impact| impact.event != event);
        self.mails.retain(|(with, _)| *with != event);
    }

    fn writable(&self, event: EventId) -> Result<(), Fault> {
        match self.events.get(&event) {
            Some(event) if !event.status.is_final() => Ok(()),
            _ => Err(Fault::Rejected("You cannot alter a circuit impact once the maintenance has completed.".into())),
        }
    }

    fn perform(&mut self, action: &Action) -> Result<Performed, Fault> {
        match action {
            Action::Create(_) => Ok(Performed::Done),
            Action::MoveNotifications { from, to } => {
                for (event, _) in self.mails.iter_mut().filter(|(event, _)| event == from) {
                    *event = *to;
                }
                Ok(Performed::Done)
            }
            Action::Update { event, etag, change, .. } => self.update(*event, etag, change.clone()),
            Action::AddImpacts(new) => self.add_impacts(new),
            Action::ChangeImpacts(changes) => self.change_impacts(changes),
            Action::RemoveImpacts(removed) => {
                if removed.iter().any(|id| !self.impacts.contains_key(id)) {
                    return Err(Fault::Rejected("no such impact".into()));
                }
                self.impacts.retain(|id, _| !removed.contains(id));
                Ok(Performed::Done)
            }
        }
    }

    fn update(&mut self, event: EventId, etag: &str, change: EventChange) -> Result<Performed, Fault> {
        let mut event = self.events.get(&event).cloned().ok_or(Fault::Conflict("no such event".into()))?;
        if event.etag != etag {
            return Err(Fault::Conflict("Precondition failed.".into()));
        }
        event.name = change.name.unwrap_or(event.name);
        event.summary = change.summary.unwrap_or(event.summary);
        event.status = change.status.unwrap_or(event.status);
        event.start = change.start.unwrap_or(event.start);
        event.end = change.end.unwrap_or(event.end);
        event.zone = change.zone.or(event.zone);
        event.acknowledged = change.acknowledged.unwrap_or(event.acknowledged);
        event.comments = change.comments.unwrap_or(event.comments);
        Ok(Performed::Event(Box::new(self.store(event))))
    }

    fn add_impacts(&mut self, new: &[NewImpact]) -> Result<Performed, Fault> {
        for impact in new {
            self.writable(impact.event)?;
            let there = |other: &StoredImpact| (other.event, other.circuit) == (impact.event, impact.circuit);
            if !self.takes_twins && self.impacts.values().any(there) {
                return Err(Fault::Conflict("IntegrityError".into()));
            }
        }
        let stored = new.iter().map(|new| StoredImpact {
            id: ImpactId::new(self.number()),
            event: new.event,
            circuit: new.circuit,
            impact: Some(new.impact),
        });
        let stored: Vec<_> = stored.collect();
        self.impacts.extend(stored.iter().map(|impact| (impact.id, *impact)));
        Ok(Performed::Impacts(stored))
    }

    fn change_impacts(&mut self, changes: &[ImpactChange]) -> Result<Performed, Fault> {
        for change in changes {
            let event = self.impacts.get(&change.id).ok_or(Fault::Rejected("no such impact".into()))?.event;
            self.writable(event)?;
        }
        let mut stored = Vec::new();
        for change in changes {
            let Some(impact) = self.impacts.get_mut(&change.id) else { continue };
            impact.impact = Some(change.impact);
            stored.push(*impact);
        }
        Ok(Performed::Impacts(stored))
    }
}

/// A pseudo-random number generator: the same numbers for the same seed.
struct Dice(Cell<u64>);

impl Dice {
    fn below(&self, most: u64) -> u64 {
        let mut state = self.0.get();
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        self.0.set(state);
        (state >> 11) % most
    }
}

struct Simulated<'base> {
    base: &'base RefCell<Base>,
    dice: &'base Dice,
    /// Percentage of calls that fail.
    faults: u64,
    calls: Cell<u32>,
    writes: Cell<u32>,
}

impl<'base> Simulated<'base> {
    fn new(base: &'base RefCell<Base>, dice: &'base Dice, faults: u64) -> Self {
        Self { base, dice, faults, calls: Cell::new(0), writes: Cell::new(0) }
    }

    /// Simulates the way to NetBox or back: others may come first, and the call may be lost.
    async fn way(&self) -> Result<(), Fault> {
        let mut waited = false;
        std::future::poll_fn(|_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending })
            .await;
        if self.dice.below(100) < self.faults { Err(Fault::Transient("cut off".into())) } else { Ok(()) }
    }
}

impl Records for Simulated<'_> {
    async fn events(&self, _: ProviderId, names: &[String]) -> Result<Vec<StoredEvent>, Fault> {
        self.calls.set(self.calls.get() + 1);
        self.way().await?;
        let found: Vec<_> =
            self.base.borrow().events.values().filter(|event| names.contains(&event.name)).cloned().collect();
        self.way().await?;
        Ok(found)
    }

    async fn events_by_id(&self, ids: &[EventId]) -> Result<Vec<StoredEvent>, Fault> {
        self.calls.set(self.calls.get() + 1);
        self.way().await?;
        let found = ids.iter().filter_map(|id| self.base.borrow().events.get(id).cloned()).collect();
        self.way().await?;
        Ok(found)
    }

    async fn past(&self, _: ProviderId, names: &[String]) -> Result<Past, Fault> {
        self.calls.set(self.calls.get() + 1);
        self.way().await?;
        let past = self.base.borrow().past(names);
        self.way().await?;
        Ok(past)
    }

    fn shows_past(&self) -> bool {
        !self.base.borrow().hides_past
    }

    async fn impacts(&self, events: &[EventId]) -> Result<Vec<StoredImpact>, Fault> {
        self.calls.set(self.calls.get() + 1);
        self.way().await?;
        let found =
            self.base.borrow().impacts.values().filter(|impact| events.contains(&impact.event)).copied().collect();
        self.way().await?;
        Ok(found)
    }

    async fn mails(&self, event: EventId) -> Result<BTreeSet<String>, Fault> {
        self.way().await?;
        let base = self.base.borrow();
        Ok(base.mails.iter().filter(|(other, _)| *other == event).map(|(_, mail)| mail.clone()).collect())
    }

    fn takes_twins(&self) -> bool {
        self.base.borrow().takes_twins
    }

    fn now(&self) -> Timestamp {
        self.base.borrow().now
    }

    async fn perform(&self, action: &Action, _: &Claimant) -> Result<Performed, Fault> {
        self.calls.set(self.calls.get() + 1);
        self.writes.set(self.writes.get() + 1);
        self.way().await?;
        let performed = if let Action::Create(new) = action {
            // An id is given out before the event is visible to others: a later one may be visible
            // first.
            let id = EventId::new(self.base.borrow_mut().number());
            let wait = self.way().await;
            self.base.borrow_mut().made.insert(id, new.name.clone());
            let event = self.base.borrow_mut().store(StoredEvent {
                id,
                name: new.name.clone(),
                summary: new.summary.clone(),
                status: new.status,
                start: new.start,
                end: new.end,
                zone: new.zone.clone(),
                acknowledged: false,
                is_tagged: false,
                comments: new.comments.clone(),
                note: None,
                etag: String::new(),
            });
            wait?;
            Performed::Event(Box::new(event))
        } else {
            self.base.borrow_mut().perform(action)?
        };
        self.way().await?;
        Ok(performed)
    }

    async fn pause(&self, _: Pause) {
        for _ in 0..self.dice.below(4) {
            let _ = self.way().await;
        }
    }
}

/// A mail on its way to the simulated NetBox.
struct Post<'post, 'base> {
    records: &'post Simulated<'base>,
    mail: &'post str,
}

impl Mailbox for Post<'_, '_> {
    async fn holds(&self, event: EventId) -> Result<bool, Fault> {
        Ok(self.records.mails(event).await?.contains(self.mail))
    }

    async fn store(&self, events: &[EventId]) -> Result<(), Fault> {
        self.records.writes.set(self.records.writes.get() + 1);
        self.records.way().await?;
        self.records.base.borrow_mut().mails.extend(events.iter().map(|event| (*event, self.mail.to_owned())));
        self.records.way().await
    }

    async fn hand_over(&self) -> Result<(), Fault> {
        Ok(())
    }
}

/// Returns a delivery of the mail that a notice came in.
fn claimant(announcement: &Announcement, by: usize) -> Claimant {
    let claim = Claim { by: by.to_string(), until: Timestamp::MAX };
    Claimant { mail: announcement.version.digest.clone(), claim, source: String::new() }
}

/// Makes one whole delivery.
async fn deliver_mail(
    records: &Simulated<'_>,
    claimant: &Claimant,
    announcement: &Announcement,
    circuits: &Circuits,
) -> Result<Settled, Fault> {
    let provider = provider();
    loop {
        let settled = converge(records, &PlanInput { announcement, provider: &provider, circuits, claimant }).await?;
        let target = |event: &StoredEvent| Target {
            provider: provider.id,
            event: event.clone(),
            is_new: settled.made.contains(&event.id),
            elsewhere: settled.elsewhere.clone(),
        };
        let post = Post { records, mail: &claimant.mail };
        let targets = settled.events.iter().map(target).collect();
        if link(records, &post, claimant, targets).await? == Linked::Whole {
            return Ok(settled);
        }
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}

fn provider() -> StoredProvider {
    StoredProvider { id: ProviderId::new(1), name: "Carrier".to_owned(), slug: "carrier".to_owned() }
}

/// Returns the circuits that the simulated NetBox knows.
pub(in crate::sinks) fn circuits() -> Circuits {
    [("A", 1), ("B", 2), ("C", 3)].map(|(cid, id)| (cid.to_owned(), CircuitId::new(id))).into_iter().collect()
}

fn window(day: u8) -> Window {
    let time = |hours: i64| Timestamp::from_second(i64::from(day) * 86_400 + hours * 3600).unwrap();
    Window::new(time(1), time(5)).unwrap()
}

fn content(status: EventStatus, circuits: &[(&str, Impact)]) -> Content {
    let circuits = circuits.iter().map(|(cid, impact)| ((*cid).to_owned(), *impact)).collect();
    Content { status: Some(status), circuits, summary: format!("{status:?}") }
}

fn wanted(time: i64, windows: &[(u8, Content)]) -> Announcement {
    let scheduled = |(day, content): &(u8, Content)| ScheduledWindow { window: window(*day), content: content.clone() };
    let windows: Vec<_> = windows.iter().map(scheduled).collect();
    let version = Version {
        uid: None,
        sequence: None,
        announced_at: Some(Timestamp::from_second(time).unwrap()),
        received_at: None,
        digest: fields::digest(format!("{time} {windows:?}").as_bytes(), 8),
    };
    Announcement { id: "CHG-1".to_owned(), version, windows, rest: None }
}

fn deliver(records: &Simulated<'_>, announcement: &Announcement) -> Settled {
    run(deliver_mail(records, &claimant(announcement, 1000), announcement, &circuits())).unwrap()
}

/// An event as people see it: name, window, status, and impacts by CID.
pub(in crate::sinks) type Shown = (String, Option<Window>, EventStatus, BTreeMap<String, Impact>);

/// A simulated NetBox that gets one notice after the other, each whole.
pub(in crate::sinks) struct Simulation {
    base: RefCell<Base>,
    dice: Dice,
}

impl Default for Simulation {
    fn default() -> Self {
        Self { base: RefCell::default(), dice: Dice(Cell::new(7)) }
    }
}

impl Simulation {
    /// Delivers a notice whole.
    pub(in crate::sinks) fn deliver(&self, announcement: &Announcement) {
        deliver(&Simulated::new(&self.base, &self.dice, 0), announcement);
    }

    /// Returns every event, sorted by name.
    pub(in crate::sinks) fn shown(&self) -> Vec<Shown> {
        let base = self.base.borrow();
        let cids: BTreeMap<_, _> = circuits().into_iter().map(|(cid, id)| (id, cid)).collect();
        let shown = |event: &StoredEvent| {
            let impacts = base.impacts.values().filter(|impact| impact.event == event.id);
            let impacts = impacts.map(|impact| (cids[&impact.circuit].clone(), impact.impact.unwrap())).collect();
            (event.name.clone(), event.window(), event.status, impacts)
        };
        let mut all: Vec<_> = base.events.values().map(shown).collect();
        all.sort_by(|one, other| one.0.cmp(&other.0));
        all
    }
}

/// Returns a line for each event: `name status days circuits`.
fn told(base: &Base) -> Vec<String> {
    let told = base.events.values().map(|event| {
        let impacts = base.impacts.values().filter(|impact| impact.event == event.id);
        let mut impacts: Vec<_> =
            impacts.map(|impact| format!("{}={}", impact.circuit, impact.impact.unwrap())).collect();
        impacts.sort();
        format!("{} {:?} {} {}", event.name, event.status, event.start.as_second() / 86_400, impacts.join(","))
    });
    told.collect()
}
