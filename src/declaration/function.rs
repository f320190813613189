//! `functions`: code, how it runs, and what it may do. Its rights are what is named here, and nothing else.

use std::{collections::BTreeMap, time::Duration};

use super::Place;

/// A function and the code that it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The Cargo package, by name, in the workspace of the declaration.
    pub crate_name: String,
    /// The binary of that package.
    pub bin: String,
    /// For people; may be empty.
    pub description: String,
    /// What it is built for.
    pub architecture: Architecture,
    /// In MiB.
    pub memory: u32,
    /// After this time an invocation is ended.
    pub timeout: Duration,
    /// Plain configuration.
    pub environment: BTreeMap<String, String>,
    /// Environment variable → the secret whose value the function reads by itself. The value never passes through the declaration.
    pub secrets: BTreeMap<String, SecretReference>,
    /// The network in which it runs; `None` is Lambda's own.
    pub vpc: Option<Vpc>,
    /// How long its log is kept, in days: one of [`LOG_RETENTION`].
    pub log_retention: u16,
    /// As many run at once at most, and so many are kept free for it; `None` shares with all others, 0 switches it off.
    pub reserved_concurrency: Option<u32>,
    /// How often a failed asynchronous invocation is tried again: 0, 1 or 2.
    pub retries: u8,
    /// An asynchronous event that is older is not tried again.
    pub maximum_event_age: Duration,
    /// The queue that takes events whose every try failed, by entry name.
    pub on_failure: Option<String>,
    /// The objects that it may get.
    pub reads: Vec<Place>,
    /// Where it may put objects.
    pub writes: Vec<Place>,
    /// The objects that it may delete.
    pub deletes: Vec<Place>,
    /// The topics that it may publish to, by entry name.
    pub publishes: Vec<String>,
    /// The queues that it may send to, by entry name.
    pub sends: Vec<String>,
    /// Besides those of the stack, which they stand over.
    pub tags: BTreeMap<String, String>,
}

/// The processors that Lambda has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Architecture {
    /// AMD and Intel.
    #[default]
    X86_64,
    /// Graviton.
    Arm64,
}

/// A secret as a function names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretReference {
    /// An entry of `secrets`.
    Declared(String),
    /// A name in Secrets Manager that the declaration says nothing else of.
    Existing(String),
}

/// A network of the account's, and who may be reached in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vpc {
    /// Two at least, in different zones.
    pub subnets: Vec<String>,
    /// One at least.
    pub security_groups: Vec<String>,
}

/// The days that CloudWatch Logs takes as `retentionInDays`.
pub const LOG_RETENTION: &[u16] =
    &[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
