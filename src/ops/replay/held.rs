//! Messages that are held: received, and hidden from others until they are deleted or given back.

use std::collections::HashMap;

use aws_sdk_sqs::types::{Message, MessageAttributeValue};

use super::queues::Place;

/// A message that SQS has handed out and hides from others.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(super) url: String,
    pub(super) receipt: String,
    /// Event in the message, as JSON; empty if it is not ours.
    pub(crate) event: String,
}

/// The queue that a dead letter goes back to.
#[derive(Debug, Clone)]
pub(crate) struct Return {
    /// Entry name of the queue.
    pub(super) queue: String,
    /// Attributes of the message.
    pub(super) attributes: Option<HashMap<String, MessageAttributeValue>>,
}

/// Returns the handle of a message, to give it back or to delete it.
pub(super) fn hold(place: &Place, message: &Message) -> Received {
    let (url, receipt) = (place.live.url.clone(), message.receipt_handle.clone().unwrap_or_default());
    Received { url, receipt, event: String::new() }
}
