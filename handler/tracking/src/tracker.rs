//! Handles a batch of messages: one transaction for all; where the database refuses a row, one for each message.

use std::{collections::BTreeMap, time::Instant};

use contract::{
    queue_event::{BatchAnswer, ItemFailure, QueueRecord},
    report::Class,
};
use delivery::{Cache, Change, Fault, Standing, Store, changes};
use events::{Event, Reading, read};
use runtime::log::Log;

use crate::{
    envelope::unwrapped,
    report::{Outcome, PARKED, metrics, report},
};

/// The outcome of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handled {
    /// Messages to deliver again; the others are committed, or need nothing.
    pub answer: BatchAnswer,
    /// Why the database could not be used; `None` if it could.
    pub fault: Option<Fault>,
}

/// An event that is to be applied.
struct Tracking {
    index: usize,
    event: Box<Event>,
    changes: Vec<Change>,
    is_seen: bool,
}

/// Handles the messages of a batch. A message is done only when all rows of it are committed.
pub async fn handle(
    store: &impl Store,
    cache: &impl Cache,
    log: &Log,
    request_id: &str,
    records: &[QueueRecord],
) -> Handled {
    let started = Instant::now();
    let mut outcomes: BTreeMap<usize, Outcome> = BTreeMap::new();
    let mut tracking = Vec::new();
    for (index, record) in records.iter().enumerate() {
        match prepared(record) {
            Ok((event, changes)) => tracking.push(Tracking { index, event, changes, is_seen: false }),
            Err(outcome) => {
                outcomes.insert(index, outcome);
            }
        }
    }
    look(cache, &mut tracking).await;
    let fault = apply(store, cache, tracking, &mut outcomes).await;
    let duration_ms = started.elapsed().as_secs_f64() * 1e3;
    let mut answer = BatchAnswer::default();
    for (index, record) in records.iter().enumerate() {
        let is_told = outcomes.get(&index).is_some_and(|outcome| {
            log.item(report(request_id, &record.message_id, outcome, duration_ms), &metrics(outcome)).is_ok()
        });
        if !is_told || outcomes.get(&index).is_none_or(|outcome| outcome.class == Class::Retry) {
            answer.failures.push(ItemFailure { id: record.message_id.clone() });
        }
    }
    Handled { answer, fault }
}

/// Returns the event of a message with its changes, or the outcome of one that has none.
fn prepared(record: &QueueRecord) -> Result<(Box<Event>, Vec<Change>), Outcome> {
    let text = unwrapped(&record.body);
    // What is no event stays in the queue until that gives it to the dead letters, where a person is told of it.
    let poison = |reason: String| Outcome { reason: Some(reason), ..Outcome::new(Class::Retry, "not an event") };
    match read(&text) {
        Ok(Reading::Validation) => Err(Outcome::new(Class::Ignored, "validation")),
        Err(problem) => Err(poison(format!("not an event of SES: {problem}"))),
        Ok(Reading::Event(event)) => match changes(&text, &event) {
            Ok(changes) => Ok((event, changes)),
            Err(fault) => Err(poison(fault.to_string())),
        },
    }
}

/// Asks the cache which events are in the database.
async fn look(cache: &impl Cache, tracking: &mut [Tracking]) {
    let ids: Vec<_> = tracking.iter().flat_map(|one| one.changes.iter().map(|change| change.event_id)).collect();
    let mut seen = cache.seen(&ids).await.into_iter();
    for one in tracking {
        let of_event: Vec<bool> = seen.by_ref().take(one.changes.len()).collect();
        one.is_seen = of_event.len() == one.changes.len() && of_event.into_iter().all(|is_seen| is_seen);
    }
}

/// Applies what the cache does not know, all at once; one by one if the database refuses a row of it.
async fn apply(
    store: &impl Store,
    cache: &impl Cache,
    tracking: Vec<Tracking>,
    outcomes: &mut BTreeMap<usize, Outcome>,
) -> Option<Fault> {
    let (seen, new): (Vec<_>, Vec<_>) = tracking.into_iter().partition(|one| one.is_seen);
    for Tracking { index, event, .. } in seen {
        outcomes.insert(index, Outcome { event: Some(event), ..Outcome::new(Class::Ignored, "already there") });
    }
    let all: Vec<Change> = new.iter().flat_map(|one| one.changes.iter().cloned()).collect();
    let together = store.apply(&all).await;
    if let Ok(standings) = &together {
        remember(cache, &all, standings).await;
    }
    let mut last = None;
    for Tracking { index, event, changes, .. } in new {
        let applied = match &together {
            Err(Fault::Refused(_)) => {
                let applied = store.apply(&changes).await;
                if let Ok(standings) = &applied {
                    remember(cache, &changes, standings).await;
                }
                applied
            }
            whole => whole.clone(),
        };
        if let Err(fault @ (Fault::Away(_) | Fault::Denied(_))) = &applied {
            last = Some(fault.clone());
        }
        let outcome = match applied {
            Ok(standings) if is_parked(&changes, &standings) => Outcome::new(Class::Done, PARKED),
            Ok(_) => Outcome::new(Class::Done, "tracked"),
            Err(fault) => Outcome { reason: Some(fault.to_string()), ..Outcome::new(Class::Retry, "not tracked") },
        };
        outcomes.insert(index, Outcome { event: Some(event), ..outcome });
    }
    last
}

async fn remember(cache: &impl Cache, changes: &[Change], standings: &[Standing]) {
    let ids: Vec<_> = changes.iter().map(|change| change.event_id).collect();
    cache.remember(&ids, standings).await;
}

/// Returns whether no sender's record names the mail of these changes.
fn is_parked(changes: &[Change], standings: &[Standing]) -> bool {
    let of = |change: &Change| {
        standings.iter().find(|one| one.message_id == change.message_id && one.recipient == change.recipient)
    };
    changes.iter().any(|change| of(change).is_some_and(|standing| standing.is_parked))
}
