//! The end of a reading that does not come to the end of its topic.

use std::time::Duration;

use tokio::time::Instant;

use crate::reader::{NotRead, Positions};

/// Patience with brokers that give nothing, though they told of records that are still to come.
#[derive(Debug)]
pub struct Patience {
    most: Duration,
    last: Positions,
    since: Instant,
}

impl Patience {
    /// Returns a patience that ends after a time without any record.
    pub fn new(most: Duration) -> Self {
        Self { most, last: Positions::new(), since: Instant::now() }
    }

    /// Looks at the places that a reading has come to. An error if they have been the same for too long.
    pub fn look(&mut self, topic: &str, positions: Positions) -> Result<(), NotRead> {
        if positions != self.last {
            (self.last, self.since) = (positions, Instant::now());
        } else if self.since.elapsed() >= self.most {
            return Err(NotRead::Stalled(topic.to_owned(), self.most.as_secs()));
        }
        Ok(())
    }
}
