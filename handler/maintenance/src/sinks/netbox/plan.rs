//! Plans the next calls that make NetBox say what a notice says. Pure: it takes what was read and returns calls.
//!
//! The rules, in the order in which they are applied:
//! 1. Events that concurrent deliveries created are merged: see [`super::merge`].
//! 2. A notice changes events as [`schedule`] decides.
//! 3. Impacts are brought in line with the note of their event, whoever wrote it.
//! 4. A final status that had to wait for impacts is set.
//!
//! Each rule is idempotent and may be interrupted: doing a part of it and starting over leads to the same end. Rules 3 and 4 finish what
//! an earlier notice began, whatever this notice is.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::{
    case::{Member, PlanInput, View, lifecycle, managed_events},
    circuits, event, fields,
    ids::{CircuitId, EventId},
    merge::{Merge, merge},
    note::{self, Note},
    records::{Action, EventChange, ImpactChange, NewImpact},
    stored::{StoredEvent, StoredImpact},
};
use schedule::{Announcement, Content, EventStatus, Order, PairedEvent, Stored, StoredWindow, WindowPairing};

/// The next step of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Make these calls, then plan again.
    Do(Vec<Action>),
    /// Another delivery has to finish first, for this reason; then read again.
    Wait(String),
    /// Nothing is left to do.
    Settled(Settled),
}

/// Result of a delivery whose maintenance is in NetBox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Events that the notice is about: its notification belongs to them.
    pub events: Vec<StoredEvent>,
    /// All events of the maintenance if the notice is not the newest, else empty: its notification may be with any of them, for a newer
    /// notice may have moved it.
    pub elsewhere: Vec<EventId>,
    /// Events that were created for the notice. A plan leaves it empty; [`super::converge`] fills it.
    pub made: BTreeSet<EventId>,
    /// Remarks that a person has to look at.
    pub concerns: Vec<String>,
    /// Remarks on what the notice did not change, for whoever reads the log.
    pub remarks: Vec<String>,
}

/// The error of several events that people have made under the name of one window: nothing tells which one is meant.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("NetBox has {count} events named `{name}` of this provider, none of which we have made: which one is meant?")]
pub struct Ambiguous {
    name: String,
    count: usize,
}

/// The events of a maintenance, and what the notice does to each.
struct Comparison<'case> {
    members: Vec<Member<'case>>,
    pairing: WindowPairing<'case>,
}

impl<'case> Comparison<'case> {
    fn new(announcement: &'case Announcement, view: &'case View) -> Result<Self, Ambiguous> {
        let managed = managed_events(announcement, view);
        let order = Order::of_all(managed.iter().map(|member| member.scheduled().order(&announcement.version)));
        let members = match with_foreign(announcement, view, managed.clone()) {
            // A notice that changes nothing takes over no event.
            Err(_) if !order.changes() => managed,
            members => members?,
        };
        let stored: Vec<StoredWindow<'_>> = members.iter().map(Member::scheduled).collect();
        let pairing = WindowPairing::new(announcement, &stored);
        Ok(Self { members, pairing })
    }

    fn member(&self, stored: Stored) -> Option<Member<'case>> {
        self.members.get(stored.place).copied()
    }

    /// Returns the events that the notice is about: those of its windows, and those that it is about without a window.
    fn concerned(&self) -> Vec<Member<'case>> {
        let paired = self.pairing.windows.iter().filter_map(|paired| match paired.event {
            PairedEvent::Stored(stored) => Some(stored),
            PairedEvent::New(_) => None,
        });
        paired.chain(self.pairing.spoken_of.iter().copied()).filter_map(|stored| self.member(stored)).collect()
    }
}

/// Returns the next step, by the first of the rules that has something to do.
pub fn next(input: &PlanInput<'_>, view: &View) -> Result<Next, Ambiguous> {
    match merge(input, view) {
        Merge::Nothing => {}
        Merge::Do(actions) => return Ok(Next::Do(actions)),
        Merge::Wait(reason) => return Ok(Next::Wait(reason)),
    }
    let comparison = Comparison::new(input.announcement, view)?;
    let writes = match comparison.pairing.order {
        Order::Newer | Order::Same => changes(input, &comparison, view),
        Order::Older => cancel_strays(input, &comparison.members, view),
        Order::Tie => Vec::new(),
    };
    if !writes.is_empty() {
        return Ok(Next::Do(writes));
    }
    let managed = || comparison.members.iter().filter_map(|member| Some((member.event, member.event.note.as_ref()?)));
    for (event, note) in managed() {
        let writes = impacts(event, note, view);
        if !writes.is_empty() {
            return Ok(Next::Do(writes));
        }
    }
    let ends: Vec<_> = managed().filter_map(|(event, note)| finish(event, note)).collect();
    if !ends.is_empty() {
        return Ok(Next::Do(ends));
    }
    Ok(Next::Settled(settled(input, &comparison)))
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
            [event] => members.push(Member { number, event }),
            [first, ..] => return Err(Ambiguous { name: first.name.clone(), count: events.len() }),
            [] => {}
        }
    }
    members.sort_by_key(|member| (member.number, member.event.id));
    Ok(members)
}

/// Returns the calls that make the events say what the notice says.
fn changes(input: &PlanInput<'_>, comparison: &Comparison<'_>, view: &View) -> Vec<Action> {
    let pairing = &comparison.pairing;
    let is_due = |stored: Stored, member: &Member<'_>, content: &Content| {
        stored.is_due || names_new_circuit(input, member, content)
    };
    let mut actions = Vec::new();
    for paired in &pairing.windows {
        let (window, content) = (paired.scheduled.window, &paired.scheduled.content);
        match paired.event {
            PairedEvent::New(number) => {
                let name = fields::name(&input.announcement.id, number);
                actions.push(Action::Create(event::make(input, name, window, content, view.now)));
            }
            PairedEvent::Stored(stored) => {
                let member = comparison.member(stored).filter(|member| is_due(stored, member, content));
                actions.extend(member.map(|member| event::change(input, member.event, Some(window), content, view)));
            }
        }
    }
    if let Some(content) = pairing.rest {
        for stored in &pairing.spoken_of {
            let member = comparison.member(*stored).filter(|member| is_due(*stored, member, content));
            actions.extend(member.map(|member| event::change(input, member.event, None, content, view)));
        }
    }
    let left_out = pairing.left_out.iter().filter(|stored| stored.is_due);
    let left_out = left_out.filter_map(|stored| comparison.member(*stored));
    actions.extend(left_out.map(|member| event::leave_out(input, member.event, view)));
    actions
}

/// Returns the calls that cancel stray events: this notice created them while a newer one was being written, whose writer did not see
/// them. Had it seen them, they would show the newer notice, or be cancelled.
fn cancel_strays(input: &PlanInput<'_>, members: &[Member<'_>], view: &View) -> Vec<Action> {
    let is_stray = |member: &&Member<'_>| {
        member.scheduled().shows(&input.announcement.version) && !lifecycle(member.event).status.is_final()
    };
    members.iter().filter(is_stray).map(|member| event::leave_out(input, member.event, view)).collect()
}

/// Returns whether circuits of this very notice that were unknown have been entered into NetBox meanwhile.
fn names_new_circuit(input: &PlanInput<'_>, member: &Member<'_>, content: &Content) -> bool {
    let Some(note) = &member.event.note else { return false };
    let is_same = member.scheduled().order(&input.announcement.version) == Order::Same;
    is_same
        && circuits::known_impacts(content, input.circuits).keys().any(|circuit| !note.impacts.contains_key(circuit))
}

/// Returns the calls that bring the impacts of an event in line with its note.
fn impacts(event: &StoredEvent, note: &Note, view: &View) -> Vec<Action> {
    let mut stored: BTreeMap<CircuitId, Vec<&StoredImpact>> = BTreeMap::new();
    for impact in view.impacts.iter().filter(|impact| impact.event == event.id) {
        stored.entry(impact.circuit).or_default().push(impact);
    }
    let impacts_on = |circuit: &CircuitId| stored.get(circuit).into_iter().flatten();
    let first = |circuit: &CircuitId| impacts_on(circuit).min_by_key(|impact| impact.id);
    let mut added = Vec::new();
    let mut changed = Vec::new();
    for (circuit, impact) in &note.impacts {
        match first(circuit) {
            None => added.push(NewImpact { event: event.id, circuit: *circuit, impact: *impact }),
            Some(found) if found.impact != Some(*impact) => {
                changed.push(ImpactChange { id: found.id, impact: *impact });
            }
            Some(_) => {}
        }
    }
    // The first of two impacts on a circuit stays: until 0.7 the plugin accepted a second one in a race.
    let twins = note
        .impacts
        .keys()
        .flat_map(|circuit| impacts_on(circuit).filter(|impact| Some(impact) != first(circuit).as_ref()));
    let removed: Vec<_> = note.removed.iter().flat_map(impacts_on).chain(twins).map(|impact| impact.id).collect();
    let writes: Vec<_> = [
        (!added.is_empty()).then_some(Action::AddImpacts(added)),
        (!changed.is_empty()).then_some(Action::ChangeImpacts(changed)),
        (!removed.is_empty()).then_some(Action::RemoveImpacts(removed)),
    ]
    .into_iter()
    .flatten()
    .collect();
    if event.status.is_final() && !writes.is_empty() { vec![event::reopen(event, note)] } else { writes }
}

/// Returns the call that sets the final status that had to wait for impacts; `None` if none had to.
fn finish(event: &StoredEvent, note: &Note) -> Option<Action> {
    let status = note.then?;
    let done = Note { then: None, ..note.clone() };
    let comments = done.write(&event.comments, &note::remarks(&event.comments));
    let change = EventChange { status: Some(status), comments: Some(comments), ..EventChange::default() };
    Some(Action::Update { event: event.id, etag: event.etag.clone(), change })
}

/// Returns the result of a maintenance that is settled. A notice that names no event is about the first one.
fn settled(input: &PlanInput<'_>, comparison: &Comparison<'_>) -> Settled {
    let members = &comparison.members;
    let mut about = comparison.concerned();
    if about.is_empty() {
        about.extend(members.first());
    }
    // Others wait for the mail wherever it is claimed, even if a newer notice has changed the event since.
    let is_claimed =
        |member: &Member<'_>| member.event.note.as_ref().is_some_and(|note| input.claimant.holds(&note.claims));
    let is_new = |member: &Member<'_>| !about.iter().any(|other| other.event.id == member.event.id);
    let claimed: Vec<_> = members.iter().filter(|member| is_claimed(member) && is_new(member)).copied().collect();
    about.extend(claimed);
    let is_old = !comparison.pairing.order.changes();
    Settled {
        elsewhere: members.iter().filter(|_| is_old).map(|member| member.event.id).collect(),
        events: about.iter().map(|member| member.event.clone()).collect(),
        made: BTreeSet::new(),
        concerns: concerns(input, comparison),
        remarks: remarks(input, comparison),
    }
}

/// Returns what the notice did not change.
fn remarks(input: &PlanInput<'_>, comparison: &Comparison<'_>) -> Vec<String> {
    let id = &input.announcement.id;
    let is_older = comparison.pairing.order == Order::Older;
    let older = is_older.then(|| format!("`{id}` is older than what NetBox has of it: nothing changed"));
    older.or_else(|| input.circuits.taken_for()).into_iter().collect()
}

/// Returns what a person has to look at.
fn concerns(input: &PlanInput<'_>, comparison: &Comparison<'_>) -> Vec<String> {
    let (id, provider) = (&input.announcement.id, &input.provider.name);
    let mut concerns = Vec::new();
    if comparison.members.is_empty() {
        concerns.push(format!(
            "the notice says that `{id}` of {provider} is cancelled or completed, states no window, and NetBox has no such event"
        ));
    }
    match comparison.pairing.order {
        Order::Tie => concerns.push(format!(
            "another notice of `{id}` says something else, and nothing tells which came first (revision and date are the same, or contradict each other); nothing of this one was written to NetBox"
        )),
        Order::Newer | Order::Same => {
            concerns.extend(unknown_circuits(input));
            let left_out = comparison.pairing.left_out.iter().filter_map(|stored| comparison.member(*stored));
            concerns.extend(left_out.map(|member| left_out_concern(member)));
        }
        Order::Older => {}
    }
    concerns
}

/// Returns the remark on an event whose window the notice left out.
fn left_out_concern(member: Member<'_>) -> String {
    let state = match member.event.status {
        EventStatus::Cancelled => "it is cancelled",
        _ => "it was cancelled, and somebody has changed its status since",
    };
    format!("the notice no longer has the window of `{}`: {state}", member.event.name)
}

/// Returns the remark on circuits that NetBox does not have; `None` if it has all of them.
fn unknown_circuits(input: &PlanInput<'_>) -> Option<String> {
    let contents = input.announcement.contents();
    let unknown = contents.flat_map(|content| circuits::unknown(content, input.circuits)).map(|(circuit, _)| circuit);
    input.circuits.unknown_of(&input.provider.name, &unknown.collect())
}
