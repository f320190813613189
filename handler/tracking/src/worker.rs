//! The worker: takes from the queue until it is told to end, and goes on whatever is away.

use std::time::{Duration, SystemTime};

use contract::queue_event::QueueRecord;
use delivery::{Cache, Database, Fault, RedisCache, Store};
use runtime::{Deadline, Receiver, log::Log};
use tokio::sync::watch;

use crate::{configuration::Configuration, tracker::handle};

/// First pause after a fault, which doubles with each one that follows.
const PAUSE: Duration = Duration::from_millis(500);
/// Longest pause after faults in a row.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Time for the calls that open the database.
const OPEN: Duration = Duration::from_secs(30);

/// A worker with a connection of its own.
#[derive(Debug)]
pub struct Worker<'worker> {
    /// Configuration of the worker.
    pub configuration: &'worker Configuration,
    /// Queue that it takes from.
    pub queue: &'worker Receiver,
    /// Log of the worker.
    pub log: &'worker Log,
}

impl Worker<'_> {
    /// Works until `ends` says so. What was begun is ended: its rows are committed and its messages deleted, or neither.
    ///
    /// While the database is away nothing is taken from the queue: each delivery counts towards the dead letters.
    pub async fn work(&self, mut ends: watch::Receiver<bool>) {
        let mut faults = 0;
        while !*ends.borrow() {
            let ended = match self.open().await {
                Ok((database, cache)) => self.serve(&database, &cache, &mut ends, &mut faults).await,
                Err(reason) => Err(reason),
            };
            let Err(reason) = ended else { return };
            faults += 1;
            let pause = pause(faults);
            tracing::error!(reason, pause_ms = pause.as_millis(), "nothing is taken from the queue until this passes");
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = ends.wait_for(|ends| *ends) => {}
            }
        }
    }

    /// Opens the database, with the password as it is now, and the cache.
    async fn open(&self) -> Result<(Database, Option<RedisCache>), String> {
        let deadline = Deadline::at(SystemTime::now() + OPEN);
        let database = self.configuration.open_database(deadline).await?;
        let id = database.id().await.map_err(|fault| fault.to_string())?;
        let cache = self.configuration.open_cache(&id, deadline).await?;
        Ok((database, cache))
    }

    /// Takes and handles batches until something is away, which is the error.
    async fn serve(
        &self,
        database: &Database,
        cache: &impl Cache,
        ends: &mut watch::Receiver<bool>,
        faults: &mut u32,
    ) -> Result<(), String> {
        loop {
            database.reach().await.map_err(|fault| fault.to_string())?;
            // What SQS hands over while this is dropped comes again after the visibility timeout.
            let taken = tokio::select! {
                biased;
                _ = ends.wait_for(|ends| *ends) => return Ok(()),
                taken = self.queue.receive() => taken?,
            };
            if taken.is_empty() {
                continue;
            }
            let handled = handle(database, cache, self.log, "worker", &taken).await;
            let is_failed =
                |record: &QueueRecord| handled.answer.failures.iter().any(|failure| failure.id == record.message_id);
            let done: Vec<&QueueRecord> = taken.iter().filter(|record| !is_failed(record)).collect();
            let left = self.queue.delete(&done).await?;
            if left > 0 {
                tracing::warn!(left, "messages were not deleted: they come again, and change nothing");
            }
            if let Some(fault @ (Fault::Away(_) | Fault::Denied(_))) = handled.fault {
                return Err(fault.to_string());
            }
            *faults = 0;
        }
    }
}

/// Returns the pause after that many faults in a row.
fn pause(faults: u32) -> Duration {
    (PAUSE * 2u32.saturating_pow(faults.saturating_sub(1).min(10))).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_half_a_minute() {
        let pauses: Vec<u64> = [1, 2, 3, 7, 100].map(|faults| u64::try_from(pause(faults).as_millis()).unwrap()).into();
        assert_eq!(pauses, [500, 1000, 2000, 30_000, 30_000]);
    }
}
