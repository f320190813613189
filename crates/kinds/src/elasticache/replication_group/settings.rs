//! The settings of a cache, the data that it begins with, and its state.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::Input;
use engine::{Children, Tags};

/// A cache. What waits for a maintenance window, or is under way, counts as done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "ElastiCache has a switch for each")]
pub struct Settings {
    /// Description of the cache, for people.
    pub description: String,
    /// Engine: `valkey` or `redis`.
    pub engine: String,
    /// Version of the engine: `8.2`, or `8.2.0`.
    pub version: String,
    /// Type of its nodes, as `cache.t4g.micro`.
    pub node: String,
    /// Number of nodes beside the one that takes writes.
    pub replicas: u32,
    /// `true` if another node takes over when the one that takes writes fails.
    pub failover: bool,
    /// `true` if the nodes are in several availability zones.
    pub multi_az: bool,
    /// TCP port of its nodes.
    pub port: u16,
    /// Name of the group of its subnets.
    pub subnet_group: String,
    /// Ids of its security groups.
    pub security_groups: BTreeSet<String>,
    /// Name of the group of its parameters: that of its engine's major version.
    pub parameter_group: String,
    /// Connections with TLS: `required`, `preferred` or `off`.
    pub tls: String,
    /// `true` if it asks for a password.
    pub has_password: bool,
    /// Groups of users that sign in otherwise than by the password.
    pub user_groups: BTreeSet<String>,
    /// `true` if its disks and its snapshots are encrypted.
    pub is_encrypted: bool,
    /// ARN of the KMS key that encrypts it; `None` is `ElastiCache`'s own.
    pub kms_key: Option<String>,
    /// Days for which its daily snapshots are kept; 0 if none is taken.
    pub snapshot_days: u32,
    /// Time of the daily snapshot in UTC, `02:00-03:00`; `None` leaves it to AWS.
    pub snapshot_window: Option<String>,
    /// `true` if AWS installs corrections of the engine within its maintenance window.
    pub minor_upgrades: bool,
    /// `false` as long as AWS makes it.
    pub is_made: bool,
    /// Input of its creation that nobody can read back, and so nobody compares.
    #[serde(skip)]
    pub origin: Input<Origin>,
    /// State in AWS's word, and what waits, in words: neither is a setting.
    #[serde(skip)]
    pub state: Input<State>,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
    /// Parts that others added.
    #[serde(flatten)]
    pub children: Children,
}

/// The input of a cache's creation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Name in Secrets Manager of the secret with its password.
    pub password: String,
    /// Data that it begins with.
    pub data: Data,
}

/// The data that a cache begins with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Data {
    /// It begins without data.
    #[default]
    Nothing,
    /// A snapshot of `ElastiCache`, by its name.
    Snapshot(String),
    /// Files of Redis (`.rdb`), by their ARNs in S3.
    Objects(Vec<String>),
}

/// The state of a cache in AWS, beside its settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct State {
    /// Reason why it cannot work; `None` if it can.
    pub broken: Option<&'static str>,
    /// Action that it waits for; `None` if for nothing.
    pub waits: Option<&'static str>,
    /// Work that AWS does on it now; `None` if it does none.
    pub under_way: Option<&'static str>,
}
