//! Read–plan–write loop; runs until the plan is empty.
//!
//! Only a change of an event is compared with what was read, so whoever has written looks back: if the events are as they were
//! left, all that was written follows from what they say; if not, we put it right. After a change of an event its impacts are read
//! once more as well, since whoever had read it before may have written them in between. Who writes later looks back later, too.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    case::{PlanInput, View},
    fields,
    ids::EventId,
    merge,
    plan::{self, Next},
    records::{Action, Fault, Pause, Performed, Records},
    settled::Settled,
    stored::StoredEvent,
};

/// Windows of a maintenance that one request looks for, at least.
const WINDOWS: usize = 8;
/// Maximum retries after a lost write race (`ETag` mismatch).
const MOST_CONFLICTS: u32 = 60;
/// Maximum retries after a transient fault.
const MOST_TROUBLES: u32 = 8;
/// Maximum retries after a rejection that a stale read could explain.
const MOST_REJECTIONS: u32 = 4;
/// Maximum steps of one attempt; no plan has that many.
const MOST_STEPS: usize = 64;

/// Counts of the faults so far.
#[derive(Debug, Default)]
pub struct Attempts {
    conflicts: u32,
    troubles: u32,
    rejections: u32,
}

impl Attempts {
    /// Returns how to wait before everything is tried again, or the fault with which to give up.
    pub fn after(&mut self, fault: Fault) -> Result<Pause, Fault> {
        let count = |count: &mut u32, most: u32| {
            *count += 1;
            (*count <= most).then_some(*count)
        };
        match fault {
            Fault::Conflict(reason) => count(&mut self.conflicts, MOST_CONFLICTS)
                .map(Pause::Contention)
                .ok_or_else(|| Fault::Unavailable(format!("others were quicker {MOST_CONFLICTS} times: {reason}"))),
            Fault::Rejected(reason) => {
                count(&mut self.rejections, MOST_REJECTIONS).map(Pause::Contention).ok_or(Fault::Refused(reason))
            }
            Fault::Transient(reason) => {
                count(&mut self.troubles, MOST_TROUBLES).map(Pause::Trouble).ok_or(Fault::Unavailable(reason))
            }
            Fault::Unavailable(_) | Fault::Refused(_) => Err(fault),
        }
    }
}

/// Makes NetBox say what a notice says of one maintenance.
pub async fn converge(records: &impl Records, input: &PlanInput<'_>) -> Result<Settled, Fault> {
    let mut attempts = Attempts::default();
    let mut done = Done::default();
    loop {
        match settle(records, input, &mut done).await {
            Ok(settled) => return Ok(Settled { made: done.made, conflicts: done.conflicts, ..settled }),
            Err(fault) => {
                // Others may have stored a mail with what we have made.
                done.made.clear();
                let pause = attempts.after(fault)?;
                records.pause(pause).await;
            }
        }
    }
}

/// The progress of a delivery, beside what it reads again.
#[derive(Debug, Default)]
struct Done {
    /// Events that nobody else can have stored a mail with.
    made: BTreeSet<EventId>,
    conflicts: Vec<String>,
    /// Events that were deleted by hand; `None` if nobody has asked for them.
    deleted: Option<Vec<StoredEvent>>,
    /// Events that have been renamed by hand: no look-up by name finds them.
    renamed: Vec<EventId>,
}

/// The widest write since the last look back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Written {
    Nothing,
    /// Impacts or notifications, or a new event: nobody else has read these before.
    Parts,
    /// A change of an event, in between whose parts others may have written.
    Event,
}

async fn settle(records: &impl Records, input: &PlanInput<'_>, done: &mut Done) -> Result<Settled, Fault> {
    let mut view = read(records, input, done).await?;
    if let Some(last) = plan::last_if_missing(input, &view).filter(|_| done.deleted.is_none()) {
        view = with_past(records, input, &view, last, done).await?;
    }
    let mut written = Written::Nothing;
    for _ in 0..MOST_STEPS {
        match plan::next(input, &view).map_err(|ambiguous| Fault::Refused(ambiguous.to_string()))? {
            Next::Wait(reason) => return Err(Fault::Conflict(reason)),
            Next::Do(actions) => match last_made(input, &actions).filter(|_| done.deleted.is_none()) {
                Some(last) => view = with_past(records, input, &view, last, done).await?,
                None => written = written.max(perform(records, input, &actions, (&mut view, done)).await?),
            },
            Next::Settled(settled) if written == Written::Nothing => return Ok(settled),
            Next::Settled(settled) => {
                let impacts_too = written == Written::Event || records.takes_twins();
                let Some(changed) = look_back(records, input, (&view, done), impacts_too).await? else {
                    return Ok(settled);
                };
                done.made.clear();
                (view, written) = (changed, Written::Nothing);
            }
        }
    }
    Err(Fault::Conflict(format!("`{}` keeps changing", input.announcement.id)))
}

/// Writes what was planned, and takes it into the view; returns the most that was written.
async fn perform(
    records: &impl Records,
    input: &PlanInput<'_>,
    actions: &[Action],
    (view, done): (&mut View, &mut Done),
) -> Result<Written, Fault> {
    let mut written = Written::Nothing;
    for action in actions {
        written = written.max(if matches!(action, Action::Update { .. }) { Written::Event } else { Written::Parts });
        let performed = records.perform(action, input.claimant).await?;
        match (action, &performed) {
            (Action::Create(_), Performed::Event(event)) => {
                done.made.insert(event.id);
            }
            (Action::Update { conflicts, .. }, _) => done.conflicts.extend_from_slice(conflicts),
            (Action::MoveNotifications { .. }, _) => done.made.clear(),
            _ => {}
        }
        view.record(action, performed);
    }
    Ok(written)
}

/// Returns the highest number among the events that are made; `None` if none is made.
fn last_made(input: &PlanInput<'_>, actions: &[Action]) -> Option<usize> {
    let made = actions.iter().filter_map(|action| match action {
        Action::Create(event) => Some(fields::number(&input.announcement.id, &event.name).unwrap_or(1)),
        _ => None,
    });
    made.max()
}

/// Returns the view with the events up to that number that people have deleted or renamed.
async fn with_past(
    records: &impl Records,
    input: &PlanInput<'_>,
    view: &View,
    last: usize,
    done: &mut Done,
) -> Result<View, Fault> {
    learn_past(records, input, last, done).await?;
    read_again(records, input, view, done).await
}

/// Finds out whether events up to that number have been deleted or renamed by hand.
async fn learn_past(records: &impl Records, input: &PlanInput<'_>, last: usize, done: &mut Done) -> Result<(), Fault> {
    let names: Vec<_> = (1..=last).map(|number| fields::name(&input.announcement.id, number)).collect();
    let past = records.past(input.provider.id, &names).await?;
    let is_ours = |event: &&StoredEvent| event.note.as_ref().is_some_and(|note| note.id == input.announcement.id);
    done.renamed = past.renamed.iter().filter(is_ours).map(|event| event.id).collect();
    done.deleted = Some(past.deleted);
    Ok(())
}

/// Returns the view with what was learnt; reads only where an event came to it.
async fn read_again(records: &impl Records, input: &PlanInput<'_>, view: &View, done: &Done) -> Result<View, Fault> {
    if done.renamed.is_empty() {
        return Ok(View { deleted: done.deleted.clone(), ..view.clone() });
    }
    read(records, input, done).await
}

/// Returns what is stored, if that differs from what we left behind. The impacts of events that we have just made are nobody else's,
/// unless NetBox takes twins.
async fn look_back(
    records: &impl Records,
    input: &PlanInput<'_>,
    (view, done): (&View, &Done),
    impacts_too: bool,
) -> Result<Option<View>, Fault> {
    let events = events(records, input, done).await?;
    if !same(&events, &view.events) {
        return with_the_rest(records, input, events, done).await.map(Some);
    }
    if impacts_too {
        let fresh = with_the_rest(records, input, events, done).await?;
        return Ok((!same_impacts(&fresh, view)).then_some(fresh));
    }
    Ok(None)
}

fn same_impacts(one: &View, other: &View) -> bool {
    let states = |view: &View| {
        let of = |event| view.events.iter().any(|other| other.id == event);
        let impacts = view.impacts.iter().filter(|impact| of(impact.event));
        let mut states: Vec<_> = impacts.map(|impact| (impact.id, impact.event, impact.impact)).collect();
        states.sort();
        states
    };
    states(one) == states(other)
}

async fn read(records: &impl Records, input: &PlanInput<'_>, done: &Done) -> Result<View, Fault> {
    let events = events(records, input, done).await?;
    with_the_rest(records, input, events, done).await
}

async fn with_the_rest(
    records: &impl Records,
    input: &PlanInput<'_>,
    events: Vec<StoredEvent>,
    done: &Done,
) -> Result<View, Fault> {
    let ids: Vec<EventId> = events.iter().map(|event| event.id).collect();
    let impacts = if ids.is_empty() { Vec::new() } else { records.impacts(&ids).await? };
    let deleted = done.deleted.clone();
    let mut view = View { events, deleted, impacts, mails: BTreeMap::new(), now: records.now() };
    let mut asked = merge::disputed(input, &view);
    asked.extend(plan::in_doubt(input, &view));
    for event in asked {
        let mails = records.mails(event).await?;
        view.mails.insert(event, mails);
    }
    Ok(view)
}

/// Returns the provider's events of every window; looks for more as long as the last one that was looked for is there.
async fn events(records: &impl Records, input: &PlanInput<'_>, done: &Done) -> Result<Vec<StoredEvent>, Fault> {
    let id = &input.announcement.id;
    let mut found: Vec<StoredEvent> = Vec::new();
    if !done.renamed.is_empty() {
        found = records.events_by_id(&done.renamed).await?;
    }
    let mut first = 1;
    let mut last = input.announcement.windows.len().max(WINDOWS);
    loop {
        let names: Vec<_> = (first..=last).map(|number| fields::name(id, number)).collect();
        found.extend(records.events(input.provider.id, &names).await?);
        if !names.last().is_some_and(|name| found.iter().any(|event| event.name == *name)) {
            found.sort_by_key(|event| event.id);
            found.dedup_by_key(|event| event.id);
            return Ok(found);
        }
        first = last + 1;
        last += WINDOWS;
    }
}

fn same(one: &[StoredEvent], other: &[StoredEvent]) -> bool {
    let states = |events: &[StoredEvent]| {
        let mut states: Vec<_> = events.iter().map(|event| (event.id, event.etag.clone())).collect();
        states.sort();
        states
    };
    states(one) == states(other)
}

impl View {
    /// Records what a call has left behind.
    fn record(&mut self, action: &Action, performed: Performed) {
        match performed {
            Performed::Event(event) => {
                self.events.retain(|other| other.id != event.id);
                self.events.push(*event);
            }
            Performed::Impacts(impacts) => {
                let new = |id| impacts.iter().any(|impact| impact.id == id);
                self.impacts.retain(|other| !new(other.id));
                self.impacts.extend(impacts);
            }
            Performed::Done => {}
        }
        match action {
            Action::RemoveImpacts(removed) => self.impacts.retain(|impact| !removed.contains(&impact.id)),
            // A duplicate has no longer a name of the maintenance.
            Action::Update { event, change: super::records::EventChange { name: Some(_), .. }, .. } => {
                self.events.retain(|other| other.id != *event);
            }
            _ => {}
        }
    }
}
