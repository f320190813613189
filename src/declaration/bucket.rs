//! `buckets`: where mails and other objects lie. Always private, encrypted, TLS only; what is in them stays on `down`.

use std::{collections::BTreeMap, time::Duration};

/// A bucket: always private, encrypted, TLS only.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bucket {
    /// The name in AWS of a bucket that exists: it stays as it is but for our statement in its policy. `None` is a bucket
    /// of ours; for a bucket that exists, nothing else is declared.
    pub existing: Option<String>,
    /// Objects are deleted after this time, in whole days; `None` keeps them.
    pub expire: Option<Duration>,
    /// Whether S3 keeps what is overwritten or deleted.
    pub versioning: bool,
    /// What was overwritten or deleted is removed after this time, in whole days; `None` keeps it. Without versioning `None`.
    pub expire_noncurrent: Option<Duration>,
    /// Besides those of the stack, which they stand over.
    pub tags: BTreeMap<String, String>,
}

/// Objects of a bucket, as a right names them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// By entry name.
    pub bucket: String,
    /// The beginning of the objects' keys: empty for all of them, or ends with `/`.
    pub prefix: String,
}
