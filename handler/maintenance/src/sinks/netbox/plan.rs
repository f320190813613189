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

use super::{
    case::{Member, PlanInput, View, lifecycle, managed_events},
    circuits,
    comparison::{Ambiguous, Comparison},
    edits, event, fields,
    ids::EventId,
    merge::{Merge, merge},
    note::{self, Evidence, Note, Pending},
    records::{Action, EventChange, ImpactChange, NewImpact},
    settled::{Settled, settled},
    stored::StoredEvent,
};
use schedule::{Content, Order, PairedEvent, Stored};

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
    let ids = |circuit| edits::all_on(event, circuit, view).into_iter().map(|impact| impact.id);
    let (mut added, mut changed, mut removed) = (Vec::new(), Vec::new(), Vec::new());
    for circuit in edits::due(event, note, view) {
        match (edits::stored(event, circuit, view), note.impacts.get(&circuit)) {
            (None, Some(impact)) => added.push(NewImpact { event: event.id, circuit, impact: *impact }),
            (Some(found), Some(impact)) => changed.push(ImpactChange { id: found.id, impact: *impact }),
            (Some(_), None) => removed.extend(ids(circuit)),
            (None, None) => {}
        }
    }
    // The first of two impacts on a circuit stays: until 0.7 the plugin accepted a second one in a race.
    removed.extend(note.impacts.keys().flat_map(|circuit| ids(*circuit).skip(1)));
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
