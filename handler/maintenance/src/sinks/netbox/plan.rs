//! Plans the next calls that make NetBox say what a notice says. Pure: it takes what was read and returns calls.
//!
//! The rules, in the order in which they are applied:
//! 1. Events that concurrent deliveries created are merged: see [`super::merge`].
//! 2. A notice changes events as [`schedule`] decides.
//! 3. Impacts that are pending are brought in line with the note of their event, whoever wrote it.
//! 4. A final status that had to wait for impacts is set, and that nothing is pending is noted.
//!
//! Each rule is idempotent and may be interrupted: doing a part of it and starting over leads to the same end. Rules 3 and 4 finish what
//! an earlier notice began, whatever this notice is.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::{
    case::{Member, PlanInput, View, deleted_events, lifecycle, managed_events},
    circuits, edits, event, fields,
    ids::{CircuitId, EventId, ImpactId},
    merge::{Merge, merge},
    note::{self, Evidence, Note, Pending},
    records::{Action, EventChange, ImpactChange, NewImpact},
    stored::{HANDS_OFF, StoredEvent},
};
use notice::model::Window;
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
    /// Conflicts between what the notice changed and what people had set. A plan leaves it empty, too.
    pub conflicts: Vec<String>,
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
        let members = with_deleted(announcement, view, members);
        let stored: Vec<StoredWindow<'_>> = members.iter().map(Member::scheduled).collect();
        let pairing = WindowPairing::new(announcement, &stored);
        Ok(Self { members, pairing })
    }

    fn member(&self, stored: Stored) -> Option<Member<'case>> {
        self.members.get(stored.place).copied()
    }

    /// Returns whether the notice makes an event again that a person has deleted: it says something new of it, and not that it is over.
    fn is_made_again(&self, input: &PlanInput<'_>, stored: Stored, window: Window, content: &Content) -> bool {
        let deleted = self.member(stored).filter(|member| member.is_deleted && stored.is_due);
        let note = deleted.and_then(|member| member.event.note.as_ref());
        let is_over = content.status.is_some_and(EventStatus::is_final);
        !is_over && note.is_some_and(|note| event::is_news(input, note, Some(window), content))
    }

    /// Returns the events of which the notice says something new, but which a person has told us not to change.
    fn kept(&self, input: &PlanInput<'_>) -> Vec<Member<'case>> {
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
    let changeable = || comparison.members.iter().filter(|member| member.is_changeable());
    let managed = || changeable().filter_map(|member| Some((member.event, member.event.note.as_ref()?)));
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

/// Returns the highest number of a window if an event that should be there is not: a person has renamed or deleted it, or it was not made.
pub(super) fn last_if_missing(input: &PlanInput<'_>, view: &View) -> Option<usize> {
    let managed = managed_events(input.announcement, view);
    let last = managed.iter().filter_map(|member| Some(member.event.note.as_ref()?.last)).max()?;
    let is_there = |number| {
        let foreign =
            || view.events.iter().any(|event| fields::number(&input.announcement.id, &event.name) == Some(number));
        managed.iter().any(|member| member.number == number) || foreign()
    };
    (!(1..=last).all(is_there)).then_some(last)
}

/// Returns the events whose mails tell if a person has changed them: the impacts of one with a note, and the note of one without.
pub(super) fn in_doubt(input: &PlanInput<'_>, view: &View) -> Vec<EventId> {
    let is_in_doubt = |event: &&StoredEvent| match &event.note {
        Some(note) => note.id == input.announcement.id && edits::needs_mails(event, note, view),
        None => fields::number(&input.announcement.id, &event.name).is_some(),
    };
    view.events.iter().filter(is_in_doubt).map(|event| event.id).collect()
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

/// Returns the calls that make the events say what the notice says.
fn changes(input: &PlanInput<'_>, comparison: &Comparison<'_>, view: &View) -> Vec<Action> {
    let pairing = &comparison.pairing;
    let is_due = |stored: Stored, member: &Member<'_>, content: &Content| {
        (stored.is_due || names_new_circuit(input, member, content))
            && member.is_changeable()
            && !has_lost_its_note(input, member, view)
    };
    let mut actions = Vec::new();
    for paired in &pairing.windows {
        let (window, content) = (paired.scheduled.window, &paired.scheduled.content);
        match paired.event {
            PairedEvent::New(number) => {
                actions.push(Action::Create(event::make(input, number, paired.scheduled, None, view.now)));
            }
            PairedEvent::Stored(stored) if comparison.is_made_again(input, stored, window, content) => {
                let Some(member) = comparison.member(stored) else { continue };
                let new = event::make(input, member.number, paired.scheduled, Some(member.event), view.now);
                actions.push(Action::Create(new));
            }
            PairedEvent::Stored(stored) => {
                let member = comparison.member(stored).filter(|member| is_due(stored, member, content));
                actions.extend(member.map(|member| event::change(input, member, Some(window), content, view)));
            }
        }
    }
    if let Some(content) = pairing.rest {
        for stored in &pairing.spoken_of {
            let member = comparison.member(*stored).filter(|member| is_due(*stored, member, content));
            actions.extend(member.map(|member| event::change(input, member, None, content, view)));
        }
    }
    let left_out = pairing.left_out.iter().filter(|stored| stored.is_due);
    let left_out = left_out.filter_map(|stored| comparison.member(*stored)).filter(Member::is_changeable);
    actions.extend(left_out.map(|member| event::leave_out(input, member, view)));
    actions
}

/// Returns the calls that cancel stray events: this notice created them while a newer one was being written, whose writer did not see
/// them. Had it seen them, they would show the newer notice, or be cancelled.
fn cancel_strays(input: &PlanInput<'_>, members: &[Member<'_>], view: &View) -> Vec<Action> {
    let is_stray = |member: &&Member<'_>| {
        let is_open = !lifecycle(member.event).status.is_final();
        member.is_changeable() && is_open && member.scheduled().shows(&input.announcement.version)
    };
    members.iter().filter(is_stray).map(|member| event::leave_out(input, *member, view)).collect()
}

/// Returns whether a person has removed our note from an event that has the mail of this notice already: nothing is new to it.
fn has_lost_its_note(input: &PlanInput<'_>, member: &Member<'_>, view: &View) -> bool {
    let has_mail = || view.mails.get(&member.event.id).is_some_and(|mails| mails.contains(&input.claimant.mail));
    member.event.note.is_none() && has_mail()
}

/// Returns whether circuits of this very notice that were unknown have been entered into NetBox meanwhile.
fn names_new_circuit(input: &PlanInput<'_>, member: &Member<'_>, content: &Content) -> bool {
    let Some(note) = &member.event.note else { return false };
    let is_same = member.scheduled().order(&input.announcement.version) == Order::Same;
    is_same
        && circuits::known_impacts(content, input.circuits).keys().any(|circuit| !note.impacts.contains_key(circuit))
}

/// Returns the calls that bring the impacts of an event in line with its note, as far as they are pending.
fn impacts(event: &StoredEvent, note: &Note, view: &View) -> Vec<Action> {
    let (mut added, mut changed, mut removed) = (Vec::new(), Vec::new(), Vec::new());
    for circuit in edits::due(event, note, view) {
        match (edits::stored(event, circuit, view), note.impacts.get(&circuit)) {
            (None, Some(impact)) => added.push(NewImpact { event: event.id, circuit, impact: *impact }),
            (Some(found), Some(impact)) => changed.push(ImpactChange { id: found.id, impact: *impact }),
            (Some(_), None) => removed.extend(all_on(event, circuit, view)),
            (None, None) => {}
        }
    }
    // The first of two impacts on a circuit stays: until 0.7 the plugin accepted a second one in a race.
    removed.extend(note.impacts.keys().flat_map(|circuit| all_on(event, *circuit, view).into_iter().skip(1)));
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

/// Returns the stored impacts of an event on a circuit, the first one first.
fn all_on(event: &StoredEvent, circuit: CircuitId, view: &View) -> Vec<ImpactId> {
    let of_both = view.impacts.iter().filter(|impact| (impact.event, impact.circuit) == (event.id, circuit));
    let mut ids: Vec<_> = of_both.map(|impact| impact.id).collect();
    ids.sort();
    ids
}

/// Returns the call that sets the final status that had to wait for impacts, and notes that these are written; `None` if nothing had
/// to wait, or the mail will tell.
fn finish(event: &StoredEvent, note: &Note) -> Option<Action> {
    let is_unnoted = !note.pending.circuits.is_empty() && note.pending.evidence == Evidence::Missing;
    if note.then.is_none() && !is_unnoted {
        return None;
    }
    let pending = Pending { evidence: Evidence::Seen, ..note.pending.clone() };
    let done = Note { then: None, pending, ..note.clone() };
    let comments = done.write(&event.comments, &note::remarks(&event.comments));
    Some(Action::update(
        event,
        EventChange { status: note.then, comments: Some(comments), ..EventChange::default() },
        "impacts are written",
    ))
}

/// Returns the result of a maintenance that is settled. A notice that names no event is about the first one.
fn settled(input: &PlanInput<'_>, comparison: &Comparison<'_>) -> Settled {
    let members = &comparison.members;
    let mut about = comparison.concerned();
    about.retain(|member| !member.is_deleted);
    let members: Vec<_> = members.iter().filter(|member| !member.is_deleted).copied().collect();
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
        conflicts: Vec::new(),
        concerns: concerns(input, comparison),
        remarks: remarks(input, comparison),
    }
}

/// Returns what the notice did not change.
fn remarks(input: &PlanInput<'_>, comparison: &Comparison<'_>) -> Vec<String> {
    let id = &input.announcement.id;
    let is_older = comparison.pairing.order == Order::Older;
    let older = is_older.then(|| format!("`{id}` is older than what NetBox has of it: nothing changed"));
    let taken_for = if is_older { None } else { input.circuits.taken_for() };
    let deleted = comparison.concerned().into_iter().filter(|member| member.is_deleted);
    let deleted = deleted.map(|member| {
        format!(
            "event {} of `{id}` was deleted in NetBox by hand, and is not made again by this notice",
            member.event.id
        )
    });
    older.into_iter().chain(taken_for).chain(deleted).collect()
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
            concerns.extend(left_out.filter(Member::is_changeable).map(|member| left_out_concern(member)));
            concerns.extend(comparison.kept(input).into_iter().map(|member| {
                let (id, name) = (member.event.id, &member.event.name);
                format!("event {id} `{name}` has the mark `{HANDS_OFF}`: nothing of this notice was written there")
            }));
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
