//! `topics`: what is told to many.

use std::collections::BTreeMap;

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Topic {
    /// The sender's name of its mails; may be empty.
    pub display_name: String,
    /// Who is told. Others may subscribe too.
    pub subscriptions: Vec<Subscription>,
    /// Besides those of the stack, which they stand over.
    pub tags: BTreeMap<String, String>,
}

/// Who is told of what is published.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subscription {
    /// A mail address; who reads it confirms.
    Mail(String),
    /// A queue.
    Queue {
        /// By entry name.
        queue: String,
        /// The message alone, without SNS's envelope.
        raw: bool,
    },
    /// A function, by entry name.
    Function(String),
}
