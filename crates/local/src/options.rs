//! The options of `provision dev`.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use contract::secret::Secret;

use crate::verdicts::Setting;

/// The options of `provision dev`.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder of the buckets and queues.
    pub folder: PathBuf,
    /// Port of the SMTP listener; 0 takes any free one.
    pub smtp_port: u16,
    /// Port of the first API, and of the next ones after it; 0 takes any free ones.
    pub http_port: u16,
    /// Verdicts on every mail.
    pub verdicts: Vec<Setting>,
    /// Environment variables that add to the declared ones or override them. A declared secret stays a
    /// secret.
    pub variables: BTreeMap<String, Secret>,
    /// Wait before a failed event or message is retried.
    pub retry_delay: Duration,
    /// Files with items of tables.
    pub items: Vec<PathBuf>,
}
