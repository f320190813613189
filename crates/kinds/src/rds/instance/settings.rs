//! The settings of a database, and its state.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::Input;
use engine::{Children, Tags};

/// A database. What waits for a maintenance window, or is under way, counts as done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "RDS has a switch for each")]
pub struct Settings {
    /// Engine in RDS's word: `mysql`.
    pub engine: String,
    /// Version of the engine: `8.4`, or `8.4.9`.
    pub version: String,
    /// Class of the machine, as `db.t4g.micro`.
    pub class: String,
    /// Size of its disk, in GiB.
    pub storage: u32,
    /// Type of the disk: `gp3`.
    pub storage_type: String,
    /// Name of the schema that RDS makes in it; `None` if it makes none.
    pub name: Option<String>,
    /// Name of the user.
    pub user: String,
    /// `true` if RDS keeps the user's password in a secret and changes it every seven days.
    pub managed_password: bool,
    /// Name of the group of its subnets.
    pub subnet_group: String,
    /// Ids of its security groups.
    pub security_groups: BTreeSet<String>,
    /// `true` if it has an address on the internet.
    pub is_public: bool,
    /// `true` if a copy in another availability zone takes its place when its own fails.
    pub multi_az: bool,
    /// TCP port of the database.
    pub port: u16,
    /// `true` if its disk and its backups are encrypted.
    pub is_encrypted: bool,
    /// ARN of the KMS key that encrypts it; `None` is RDS's own.
    pub kms_key: Option<String>,
    /// Days to every second of which it can be brought back; 0 if it cannot be.
    pub backup_days: u32,
    /// Time of the daily backup in UTC, `02:00-02:30`; `None` leaves it to AWS.
    pub backup_window: Option<String>,
    /// Name of the group of its parameters.
    pub parameter_group: String,
    /// `true` if AWS installs corrections of the engine within its maintenance window.
    pub minor_upgrades: bool,
    /// `true` if snapshots get the tags of the database.
    pub tagged_snapshots: bool,
    /// `true` if AWS refuses to delete it.
    pub deletion_protection: bool,
    /// `true` if users may sign in by IAM instead of a password.
    pub iam_users: bool,
    /// `false` as long as AWS makes it, or makes a slow change of this run.
    pub is_made: bool,
    /// State in AWS's word, and what waits, in words: neither is a setting.
    #[serde(skip)]
    pub state: Input<State>,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
    /// Parts that others added.
    #[serde(flatten)]
    pub children: Children,
}

/// The state of a database in AWS, beside its settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct State {
    /// Reason why it cannot work; `None` if it can.
    pub broken: Option<&'static str>,
    /// Action that it waits for; `None` if for nothing.
    pub waits: Option<&'static str>,
}
