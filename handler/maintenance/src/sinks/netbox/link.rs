//! Stores a mail with every event that it is about, once, however often and concurrently it is delivered: see [`super::claim`]. The
//! delivery that holds the claim on the first event hands over to a person what a person has to look at, before it stores the mail there:
//! so if the mail is there, the hand-over is done.

use std::{collections::BTreeSet, future::Future};

use super::{
    claim::{Claimant, Claims, Holder},
    converge::Attempts,
    ids::{EventId, ProviderId},
    note,
    records::{Action, EventChange, Fault, Performed, Records},
    stored::StoredEvent,
};

/// The stored copies of one mail.
pub trait Mailbox {
    /// Returns whether the mail is stored with an event.
    fn holds(&self, event: EventId) -> impl Future<Output = Result<bool, Fault>>;

    /// Stores the mail with these events.
    fn store(&self, events: &[EventId]) -> impl Future<Output = Result<(), Fault>>;

    /// Hands over to a person what a person has to look at, if there is anything and it has not been done.
    fn hand_over(&self) -> impl Future<Output = Result<(), Fault>>;
}

/// An event that a mail is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Provider of the event.
    pub provider: ProviderId,
    /// The event as it was read last.
    pub event: StoredEvent,
    /// `true` if this delivery has made the event, so that nobody can have stored the mail there without its claim.
    pub is_new: bool,
    /// Events any of which may have the mail: that is enough for a notice that is not the newest.
    pub elsewhere: Vec<EventId>,
}

/// The result of storing a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linked {
    /// The mail is stored with every event.
    Whole,
    /// An event was merged into another meanwhile: the maintenance has to be read again.
    Moved,
}

/// The delivery whose turn it is to store the mail with an event.
enum Turn {
    Stored,
    Ours,
    Theirs,
    Moved,
}

/// Stores the mail with all targets.
pub async fn link(
    records: &impl Records,
    mailbox: &impl Mailbox,
    claimant: &Claimant,
    mut targets: Vec<Target>,
) -> Result<Linked, Fault> {
    targets.sort_by_key(|target| target.event.id);
    let mut attempts = Attempts::default();
    let mut handed_over = false;
    let mut stored = BTreeSet::new();
    let mut is_fresh = true;
    loop {
        let done = async {
            if !is_fresh && !refresh_all(records, &mut targets, &stored).await? {
                return Ok(Linked::Moved);
            }
            step(records, mailbox, claimant, &mut targets, &mut stored, &mut handed_over).await
        };
        match done.await {
            Ok(linked) => return Ok(linked),
            Err(fault) => records.pause(attempts.after(fault)?).await,
        }
        is_fresh = false;
    }
}

/// Reads the events again with which the mail is not stored yet; `false` if one was merged into another. Whatever failed may have
/// been done: a claim that we do not know of would keep others waiting.
async fn refresh_all(
    records: &impl Records,
    targets: &mut [Target],
    stored: &BTreeSet<EventId>,
) -> Result<bool, Fault> {
    for target in targets.iter_mut().filter(|target| !stored.contains(&target.event.id)) {
        target.is_new = false;
        let found = records.events(target.provider, std::slice::from_ref(&target.event.name)).await?;
        match found.into_iter().find(|event| event.id == target.event.id) {
            Some(event) => target.event = event,
            None => return Ok(false),
        }
    }
    Ok(true)
}

async fn step(
    records: &impl Records,
    mailbox: &impl Mailbox,
    claimant: &Claimant,
    targets: &mut [Target],
    stored: &mut BTreeSet<EventId>,
    handed_over: &mut bool,
) -> Result<Linked, Fault> {
    let (mut ours, mut others) = (Vec::new(), None);
    for target in targets.iter_mut() {
        if stored.contains(&target.event.id) {
            continue;
        }
        match turn(records, mailbox, claimant, target).await? {
            Turn::Moved => return Ok(Linked::Moved),
            Turn::Stored => {
                stored.insert(target.event.id);
            }
            Turn::Ours => ours.push(target.event.id),
            Turn::Theirs => others = others.or(Some(target.event.id)),
        }
    }
    let is_ours_to_tell = targets.first().is_none_or(|first| others != Some(first.event.id));
    if is_ours_to_tell && !*handed_over {
        mailbox.hand_over().await?;
        *handed_over = true;
    }
    if !ours.is_empty() {
        mailbox.store(&ours).await?;
        stored.extend(ours);
    }
    match others {
        None => Ok(Linked::Whole),
        Some(event) => Err(Fault::Conflict(format!("another delivery of this mail stores it with event {event}"))),
    }
}

async fn turn(
    records: &impl Records,
    mailbox: &impl Mailbox,
    claimant: &Claimant,
    target: &mut Target,
) -> Result<Turn, Fault> {
    if target.is_new && holder(records, claimant, &target.event) == Holder::Us {
        return Ok(Turn::Ours);
    }
    loop {
        if mailbox.holds(target.event.id).await? {
            return Ok(Turn::Stored);
        }
        match holder(records, claimant, &target.event) {
            Holder::Us => return Ok(Turn::Ours),
            Holder::Other => return Ok(Turn::Theirs),
            Holder::Nobody => {}
        }
        for event in &target.elsewhere {
            if mailbox.holds(*event).await? {
                return Ok(Turn::Stored);
            }
        }
        if target.event.note.as_ref().is_some_and(|note| note.yields) {
            return Ok(Turn::Moved);
        }
        let Some(claim) = claim(records, claimant, &target.event) else { return Ok(Turn::Ours) };
        // Somebody may have stored it between our look and our claim: so we look again.
        if let Performed::Event(event) = records.perform(&claim, claimant).await? {
            target.event = *event;
        }
    }
}

/// Returns the delivery that may store the mail with an event. An event without a note belongs to a person and stays as it is, as
/// does one that we may not change: nobody can claim anything there.
fn holder(records: &impl Records, claimant: &Claimant, event: &StoredEvent) -> Holder {
    let none = Claims::new();
    let claims = event.note.as_ref().map_or(&none, |note| &note.claims);
    claimant.holder(claims, records.now())
}

fn claim(records: &impl Records, claimant: &Claimant, event: &StoredEvent) -> Option<Action> {
    let mut note = event.note.clone().filter(|_| !event.is_hands_off())?;
    note.claims = claimant.join(&note.claims, records.now());
    let comments = note.write(&event.comments, &note::remarks(&event.comments));
    let change = EventChange { comments: Some(comments), ..EventChange::default() };
    Some(Action::update(event, change, "the mail is stored"))
}
