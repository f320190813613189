//! Merges events that concurrent deliveries created for the same window: the lowest id wins and takes the newest content; the others are
//! cancelled and point to it.
//!
//! NetBox assigns an id before the row is visible to others, so a writer that will lose may re-read, see only its own event and attach its
//! mail there. A losing event is therefore retired only when every mail claimed on it is stored, or its claim has expired or been
//! withdrawn.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    case::{Member, PlanInput, View, managed_events},
    claim::Claims,
    event, fields,
    ids::EventId,
    note::{self, Evidence, Note, Pending},
    records::{Action, EventChange},
    stored::StoredEvent,
};
use schedule::{EventStatus, Order};

/// Reason of these calls, for NetBox's changelog.
const AT_ONCE: &str = "two events were made at the same time";

/// The next step about events that were made at once.
pub(super) enum Merge {
    /// There are no such events.
    Nothing,
    /// Make these calls, then plan again.
    Do(Vec<Action>),
    /// Other deliveries have to finish first, for this reason.
    Wait(String),
}

/// Returns the next step.
pub(super) fn merge(input: &PlanInput<'_>, view: &View) -> Merge {
    let mut actions = Vec::new();
    let mut waiting = None;
    let members = managed_events(input.announcement, view);
    for same in members.chunk_by(|one, other| one.number == other.number) {
        // The event that it yields to is gone: a person must have deleted it.
        let first = same.first().and_then(|first| Some((first.event, first.event.note.as_ref()?)));
        if let Some((event, note)) = first.filter(|(event, note)| note.yields && !event.is_hands_off()) {
            return Merge::Do(vec![renote(event, &Note { yields: false, ..note.clone() })]);
        }
    }
    for (winner, losers) in made_at_once(&members) {
        let Some(winner_note) = &winner.note else { continue };
        let (newest, note) = newest(winner, winner_note, losers);
        if newest.id != winner.id {
            return Merge::Do(vec![event::take_over(winner, winner_note, newest, note, view)]);
        }
        let (busy, free): (Vec<Member<'_>>, Vec<_>) =
            losers.iter().partition(|loser| claimed(input, loser.event, view.now).next().is_some());
        for loser in busy {
            if let Some(action) = settle_claims(input, loser.event, view) {
                actions.push(action);
            } else {
                let (loser, winner) = (loser.event.id, winner.id);
                waiting = Some(format!("event {loser} yields to {winner}, but a mail is being stored there"));
            }
        }
        // One after the other, since each writes the winner.
        actions.extend(free.first().into_iter().flat_map(|loser| supersede(loser.event, winner)));
    }
    // Whatever can yield does so first: otherwise two could wait for each other.
    match waiting {
        _ if !actions.is_empty() => Merge::Do(actions),
        Some(reason) => Merge::Wait(reason),
        None => Merge::Nothing,
    }
}

/// Returns the events whose mails have to be known before they yield.
pub(super) fn disputed(input: &PlanInput<'_>, view: &View) -> Vec<EventId> {
    let members = managed_events(input.announcement, view);
    let losers = made_at_once(&members).flat_map(|(_, losers)| losers);
    losers.filter(|loser| claimed(input, loser.event, view.now).next().is_some()).map(|loser| loser.event.id).collect()
}

/// Returns the events for the same window, sorted by id: the first, and the others.
fn made_at_once<'members, 'view>(
    members: &'members [Member<'view>],
) -> impl Iterator<Item = (&'view StoredEvent, &'members [Member<'view>])> {
    members.chunk_by(|one, other| one.number == other.number).filter_map(|same| match same {
        // What a person keeps us from changing stays beside the other.
        same if same.iter().any(|member| member.event.is_hands_off()) => None,
        [winner, losers @ ..] if !losers.is_empty() => Some((winner.event, losers)),
        _ => None,
    })
}

/// Returns the event with the newest content.
fn newest<'view>(
    winner: &'view StoredEvent,
    note: &'view Note,
    losers: &[Member<'view>],
) -> (&'view StoredEvent, &'view Note) {
    losers.iter().fold((winner, note), |newest, loser| match &loser.event.note {
        Some(note) if note.version.order(&newest.1.version) == Order::Newer => (loser.event, note),
        _ => newest,
    })
}

/// Returns the mails that others may be about to store with an event.
fn claimed<'view>(
    input: &'view PlanInput<'_>,
    event: &'view StoredEvent,
    now: Timestamp,
) -> impl Iterator<Item = &'view String> {
    let claims = event.note.iter().map(|note| &note.claims);
    claims.flat_map(move |claims| input.claimant.of_others(claims, now))
}

/// Returns the call that withdraws the settled claims on a yielding event: those of mails that are stored there, before these are moved,
/// and ours, since our mail will be stored with the other event. Otherwise two deliveries would wait for each other's claims.
fn settle_claims(input: &PlanInput<'_>, event: &StoredEvent, view: &View) -> Option<Action> {
    let note = event.note.as_ref()?;
    let stored = view.mails.get(&event.id);
    let open = |mail: &&String| !stored.is_some_and(|stored| stored.contains(*mail));
    let open: BTreeSet<_> = claimed(input, event, view.now).filter(open).collect();
    let mut fewer = note.clone();
    fewer.claims.retain(|mail, _| open.contains(mail));
    (fewer != *note).then(|| renote(event, &fewer))
}

/// Returns the calls that retire an event. A yielding event accepts no new claims; otherwise a mail could be attached after its mails
/// have been moved.
fn supersede(loser: &StoredEvent, winner: &StoredEvent) -> Vec<Action> {
    if let Some(note) = loser.note.as_ref().filter(|note| !note.yields) {
        return vec![renote(loser, &Note { yields: true, claims: Claims::new(), ..note.clone() })];
    }
    let remark = format!("Made at the same time as event {}, which represents this maintenance.", winner.id);
    let change = EventChange {
        name: Some(fields::duplicate_name(&loser.name, loser.id)),
        status: Some(EventStatus::Cancelled),
        comments: Some(note::point(&loser.comments, remark)),
        ..EventChange::default()
    };
    // Its maker sees by the new ETag that mails may have come from elsewhere. These prove nothing of its impacts.
    let touched = match &winner.note {
        Some(note) if matches!(note.pending.evidence, Evidence::Mail(_)) => {
            let pending = Pending { evidence: Evidence::Missing, ..note.pending.clone() };
            renote(winner, &Note { pending, ..note.clone() })
        }
        _ => Action::update(winner, EventChange::default(), AT_ONCE),
    };
    vec![touched, Action::MoveNotifications { from: loser.id, to: winner.id }, Action::update(loser, change, AT_ONCE)]
}

/// Returns the call that replaces the note of an event.
fn renote(event: &StoredEvent, note: &Note) -> Action {
    let comments = note.write(&event.comments, &note::remarks(&event.comments));
    Action::update(event, EventChange { comments: Some(comments), ..EventChange::default() }, AT_ONCE)
}
