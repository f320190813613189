//! Names in AWS, given by the caller that derives them: functions get the same names here as there.

use std::collections::BTreeMap;

use contract::context::{Context, Place};

/// Account that every ARN names: the one in AWS's own examples.
pub const ACCOUNT: &str = "123456789012";

/// The names of a stack's parts in AWS, by entry.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Bucket names, by entry.
    pub buckets: BTreeMap<String, String>,
    /// Names around each function, by entry.
    pub functions: BTreeMap<String, FunctionNames>,
    /// Names of each queue, by entry.
    pub queues: BTreeMap<String, QueueNames>,
    /// Table names, by entry.
    pub tables: BTreeMap<String, String>,
    /// ARNs of topics, by entry.
    pub topics: BTreeMap<String, String>,
    /// Secrets, by their names in AWS.
    pub secrets: BTreeMap<String, Secret>,
}

/// The names of a queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueueNames {
    /// ARN of the queue.
    pub arn: String,
    /// URL of the queue.
    pub url: String,
}

/// A secret that a function reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// ARN, without the six characters that Secrets Manager appends.
    pub arn: String,
    /// Environment variable that holds its value on this machine.
    pub variable: String,
}

/// The names around one function.
#[derive(Debug, Clone)]
pub struct FunctionNames {
    /// Function name in AWS.
    pub name: String,
    /// ARN of the function.
    pub arn: String,
    /// Name of the log group.
    pub log_group: String,
    /// Context that the function finds in its environment.
    pub context: Context,
    /// Places that the function may read.
    pub reads: Vec<Place>,
    /// Places that the function may write.
    pub writes: Vec<Place>,
    /// Places in which the function may delete.
    pub deletes: Vec<Place>,
}
