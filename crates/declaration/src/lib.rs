//! `infra.yaml` → [`Declaration`]: what a person has declared, in AWS's words, without anything that follows from it.
//!
//! A value of these types is consistent: every reference names a declared entry.

mod accept;
mod alarms;
mod api;
mod bucket;
mod cache;
mod checks;
mod cluster;
mod configuration;
mod configuration_set;
mod consumes;
mod database;
mod diagnostic;
mod error;
mod expiry;
mod filter;
mod function;
mod measures;
mod moved;
mod network;
mod network_part;
mod places;
mod protect_key;
mod protection;
mod queue;
mod reader;
mod reading;
mod reference;
mod rule;
mod scalars;
mod schema;
mod secret;
mod sections;
mod security_group;
mod server;
mod shape;
mod stages;
mod suggestion;
mod table;
mod tags;
mod topic;
mod tree;
mod ways;
mod word_list;
mod worker;
mod wrong;

use std::collections::{BTreeMap, BTreeSet};

pub use accept::{ACCEPTABLE, Acceptable};
pub use alarms::{AlarmKind, Alarms, Measure, Notify, SILENCE, Unit, Watched};
pub use api::{Api, ApiRoute, Cors, DEFAULT_STAGE, RouteKey};
pub use bucket::{Bucket, Place};
pub use cache::{Cache, CacheEngine, Restore};
pub use cluster::{Brokers, Cluster, ClusterSource, KafkaTopic};
pub use configuration::{Configuration, Derive, Derived, LookUp, Unavailable};
pub use configuration_set::{ConfigurationSet, EventDestination, EventType, SendingIdentity, SendingTls, Suppression};
pub use consumes::Consumes;
pub use database::{Database, DatabaseEngine};
pub use diagnostic::{Diagnostic, Diagnostics};
pub use error::DeclarationError;
pub use expiry::Expiry;
pub use filter::{FilterPolicy, ReceiptFilter};
pub use function::{Architecture, Code, Function, LOG_RETENTION, SecretReference, Vpc};
pub use moved::Move;
pub use network::{GatewayService, Network, NetworkPart, NetworkSource, Tier, subnet_entry};
pub use places::Places;
pub use queue::{Queue, Redrive};
pub use reading::Checked;
pub use reference::reference;
pub use rule::{Action, Bounce, Encoding, Invocation, ReceiptRule, Recipient, Tls};
pub use schema::schema;
pub use secret::{Secret, SecretSource, ValueFrom};
pub use sections::sections;
pub use security_group::{Peer, Protocol, SecurityGroup, Traffic};
pub use server::{DataDisk, PublicAddress, Server};
pub use suggestion::choose;
pub use table::Table;
pub use topic::{Subscription, Topic};

/// A declaration of a stack, in one stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// Name of the stack. Every name in AWS begins with it.
    pub stack: String,
    /// The chosen stage; `None` if the declaration has no stages.
    pub stage: Option<String>,
    /// AWS region of the stack.
    pub region: String,
    /// The only account in which the stack may be, as 12 digits; `None` accepts the account of the credentials.
    pub account: Option<String>,
    /// ARN of the KMS key that encrypts everything that takes one; `None` keeps the live key, or each service's own.
    pub kms_key: Option<String>,
    /// ARN of the managed policy that limits every role; `None` keeps the live one.
    pub permissions_boundary: Option<String>,
    /// Tags of every resource that takes tags.
    pub tags: BTreeMap<String, String>,
    /// `true` to make the stack's own receipt rule set active even if another one is.
    pub take_over: bool,
    /// Entries that had other names, whose resources stay.
    pub moved: Vec<Move>,
    /// Parts of resources that others added and that are not shown: by `KIND/ENTRY`, their names.
    pub accepted: BTreeMap<String, BTreeSet<String>>,
    /// Buckets by entry name.
    pub buckets: BTreeMap<String, Bucket>,
    /// Functions by entry name.
    pub functions: BTreeMap<String, Function>,
    /// Queues by entry name.
    pub queues: BTreeMap<String, Queue>,
    /// Topics by entry name.
    pub topics: BTreeMap<String, Topic>,
    /// HTTP APIs by entry name.
    pub apis: BTreeMap<String, Api>,
    /// Secrets by entry name.
    pub secrets: BTreeMap<String, Secret>,
    /// Tables by entry name.
    pub tables: BTreeMap<String, Table>,
    /// Clusters of Kafka by entry name.
    pub clusters: BTreeMap<String, Cluster>,
    /// Databases by entry name.
    pub databases: BTreeMap<String, Database>,
    /// Caches by entry name.
    pub caches: BTreeMap<String, Cache>,
    /// Configuration sets of SES by entry name.
    pub configuration_sets: BTreeMap<String, ConfigurationSet>,
    /// Identities of SES, by domain or address.
    pub identities: BTreeMap<String, SendingIdentity>,
    /// Networks by entry name.
    pub networks: BTreeMap<String, Network>,
    /// Security groups by entry name.
    pub security_groups: BTreeMap<String, SecurityGroup>,
    /// Servers by name.
    pub servers: BTreeMap<String, Server>,
    /// Alarms and their recipients.
    pub alarms: Alarms,
    /// Receipt rules, in the order in which SES evaluates them.
    pub receipt_rules: Vec<ReceiptRule>,
    /// Receipt filters, which SES asks before any rule, in no order.
    pub receipt_filters: Vec<ReceiptFilter>,
    /// Places of the values in the file.
    pub places: Places,
}

impl Declaration {
    /// Returns the entries of the functions that mails reach: enabled rules invoke them, or publish to a topic that does.
    pub fn receivers(&self) -> BTreeSet<&str> {
        let actions = || self.receipt_rules.iter().filter(|rule| rule.enabled).flat_map(|rule| &rule.actions);
        let invoked = actions().filter_map(|action| match action {
            Action::Invoke { function, .. } => Some(function.as_str()),
            _ => None,
        });
        let topics = actions().filter_map(|action| match action {
            Action::Publish { topic, .. } => Some(topic),
            Action::Store { topic, .. } | Action::Invoke { topic, .. } => topic.as_ref(),
            Action::Bounce(_) | Action::AddHeader { .. } | Action::Stop => None,
        });
        let subscribed = topics.filter_map(|topic| self.topics.get(topic)).flat_map(|topic| &topic.subscriptions);
        let subscribed = subscribed.filter_map(|subscription| match subscription {
            Subscription::Function { function, .. } => Some(function.as_str()),
            Subscription::Mail(_) | Subscription::Queue { .. } => None,
        });
        invoked.chain(subscribed).collect()
    }
}
