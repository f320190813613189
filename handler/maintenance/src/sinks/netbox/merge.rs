//! What makes one event of those that several writers have made at once: the one with the lowest id stays, with the newest of their
//! contents; the others are cancelled and point to it.
//!
//! Ids are given out before others see the event, so whoever has made one with a higher id may have looked back and found
//! it alone: it then stores its mail there. Therefore an event makes way only when every mail that was claimed at it is stored, or
//! the claim is over or taken back, as whoever sees that it makes way does.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    case::{Case, Member, View, noted},
    claim::Claims,
    event, fields,
    ids::EventId,
    note::{self, Note},
    records::{Action, EventChange},
    stored::{EventStatus, StoredEvent},
    version::Order,
};

/// What is to be done about events made at once.
pub(super) enum Merge {
    /// There are none.
    Nothing,
    /// This.
    Do(Vec<Action>),
    /// Others are not done yet.
    Wait(String),
}

/// What has to be done next.
pub(super) fn merge(case: &Case<'_>, view: &View) -> Merge {
    let mut actions = Vec::new();
    let mut waiting = None;
    let members = noted(case.wanted, view);
    for same in members.chunk_by(|one, other| one.number == other.number) {
        // The one that it made way for is no more: a person must have deleted it.
        let first = same.first().and_then(|first| Some((first.event, first.event.note.as_ref()?)));
        if let Some((event, note)) = first.filter(|(_, note)| note.yields) {
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
            losers.iter().partition(|loser| claimed(case, loser.event, view.now).next().is_some());
        for loser in busy {
            if let Some(action) = settle_claims(case, loser.event, view) {
                actions.push(action);
            } else {
                let (loser, winner) = (loser.event.id, winner.id);
                waiting = Some(format!("event {loser} makes way for {winner}, but a mail is being stored there"));
            }
        }
        // One after the other, since each writes the winner.
        actions.extend(free.first().into_iter().flat_map(|loser| supersede(loser.event, winner)));
    }
    // Whatever can make way does so first: else two could wait for each other.
    match waiting {
        _ if !actions.is_empty() => Merge::Do(actions),
        Some(reason) => Merge::Wait(reason),
        None => Merge::Nothing,
    }
}

/// The events whose mails have to be known before they make way.
pub(super) fn disputed(case: &Case<'_>, view: &View) -> Vec<EventId> {
    let members = noted(case.wanted, view);
    let losers = made_at_once(&members).flat_map(|(_, losers)| losers);
    losers.filter(|loser| claimed(case, loser.event, view.now).next().is_some()).map(|loser| loser.event.id).collect()
}

/// Events for the same window, sorted by id: the first, and the others.
fn made_at_once<'members, 'view>(
    members: &'members [Member<'view>],
) -> impl Iterator<Item = (&'view StoredEvent, &'members [Member<'view>])> {
    members.chunk_by(|one, other| one.number == other.number).filter_map(|same| match same {
        [winner, losers @ ..] if !losers.is_empty() => Some((winner.event, losers)),
        _ => None,
    })
}

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

/// The mails that others may be about to store with an event.
fn claimed<'view>(
    case: &'view Case<'_>,
    event: &'view StoredEvent,
    now: Timestamp,
) -> impl Iterator<Item = &'view String> {
    let claims = event.note.iter().map(|note| &note.claims);
    claims.flat_map(move |claims| case.claimant.of_others(claims, now))
}

/// Takes from an event that makes way the claims that are settled: those of mails that are there, before these are moved, and ours, since
/// our mail will be stored with the other event. Else two that have claimed something would wait for each other.
fn settle_claims(case: &Case<'_>, event: &StoredEvent, view: &View) -> Option<Action> {
    let note = event.note.as_ref()?;
    let stored = view.mails.get(&event.id);
    let open = |mail: &&String| !stored.is_some_and(|stored| stored.contains(*mail));
    let open: BTreeSet<_> = claimed(case, event, view.now).filter(open).collect();
    let mut fewer = note.clone();
    fewer.claims.retain(|mail, _| open.contains(mail));
    (fewer != *note).then(|| renote(event, &fewer))
}

/// Nobody claims anything at an event that yields, so that no mail comes to it after its mails were moved.
fn supersede(loser: &StoredEvent, winner: &StoredEvent) -> Vec<Action> {
    if let Some(note) = loser.note.as_ref().filter(|note| !note.yields) {
        return vec![renote(loser, &Note { yields: true, claims: Claims::new(), ..note.clone() })];
    }
    let remark = format!("Made at the same time as event {}, which stands for this maintenance.", winner.id);
    let change = EventChange {
        name: Some(fields::duplicate_name(&loser.name, loser.id)),
        status: Some(EventStatus::Cancelled),
        comments: Some(note::point(&loser.comments, remark)),
        ..EventChange::default()
    };
    vec![
        // Its maker sees by the tag that mails may have come from elsewhere.
        Action::Update { event: winner.id, etag: winner.etag.clone(), change: EventChange::default() },
        Action::MoveNotifications { from: loser.id, to: winner.id },
        Action::Update { event: loser.id, etag: loser.etag.clone(), change },
    ]
}

fn renote(event: &StoredEvent, note: &Note) -> Action {
    let comments = note.write(&event.comments, &note::remarks(&event.comments));
    let change = EventChange { comments: Some(comments), ..EventChange::default() };
    Action::Update { event: event.id, etag: event.etag.clone(), change }
}
