//! The interface of every cache before the database.

use std::future::Future;

use crate::{EventId, Standing};

/// A cache before the database. It has no errors: what it does not know is looked up, and what it does not take is not remembered.
pub trait Cache {
    /// Returns for each event whether it is known to be in the database. `false` means that nobody knows.
    fn seen(&self, events: &[EventId]) -> impl Future<Output = Vec<bool>>;
    /// Remembers events that are in the database, and the statuses of their mails. Called after the commit alone.
    fn remember(&self, events: &[EventId], standings: &[Standing]) -> impl Future<Output = ()>;
}

/// No cache: every event is looked up in the database.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCache;

impl Cache for NoCache {
    async fn seen(&self, events: &[EventId]) -> Vec<bool> {
        vec![false; events.len()]
    }

    async fn remember(&self, _: &[EventId], _: &[Standing]) {}
}

impl<Inner: Cache> Cache for Option<Inner> {
    async fn seen(&self, events: &[EventId]) -> Vec<bool> {
        match self {
            Some(cache) => cache.seen(events).await,
            None => NoCache.seen(events).await,
        }
    }

    async fn remember(&self, events: &[EventId], standings: &[Standing]) {
        if let Some(cache) = self {
            cache.remember(events, standings).await;
        }
    }
}
