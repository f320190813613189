//! `queues`: messages that wait, and events that failed. Always encrypted, with SQS's own keys.

use std::{collections::BTreeMap, time::Duration};

/// A queue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Queue {
    /// How long it keeps a message.
    pub retention: Duration,
    /// How long a message is hidden from others while one works on it.
    pub visibility_timeout: Duration,
    /// Where messages go that were received too often.
    pub redrive: Option<Redrive>,
    /// Besides those of the stack, which they stand over.
    pub tags: BTreeMap<String, String>,
}

/// Where messages go that were received too often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// By entry name.
    pub queue: String,
    /// SQS's `maxReceiveCount`.
    pub after: u16,
}
