//! The kinds of AWS resources that we manage, one file each, and the one registry of them.
//!
//! A kind is a plain struct of **all** the settings that we manage, in one normal form, so that the declared and the live
//! ones are compared with `==`; how they are read, created, changed and deleted; and how a stack's own are found again.
//! What is not in the struct is not managed: it is never compared and never touched.
//!
//! A kind's functions do one thing and do not retry: whether a call is repeated is decided in `plan::apply`. They may be
//! called again after a failure or an interruption, and then finish what was begun.

mod identity;
mod input;
mod number;
#[cfg(test)]
mod registered;
mod registry;

pub mod cloudwatch;
pub mod iam;
pub mod lambda;
pub mod logs;
pub mod rights;
pub mod s3;
pub mod secretsmanager;
pub mod ses;
pub mod sns;
pub mod sqs;

use std::{collections::BTreeMap, future::Future, sync::Arc};

use contract::secret::Secret;
use serde::Serialize;

use aws::{Aws, policy::Policy};
use engine::{Address, Failure, Field, Live, Owned, Protection, Stack, Tags};

pub use identity::{Identity, Naming, Output};
pub use input::Input;
pub use registry::{Kind, Settings};
pub use rights::Right;

/// A resource's kind and entry.
pub type Id = engine::Id<Kind>;
/// A desired resource.
pub type Resource = engine::Resource<Kind>;
/// One read of a resource.
pub type Read = engine::Read<Kind>;
/// One line of a plan.
pub type Item = engine::Item<Kind>;
/// A plan over these kinds.
pub type Plan = engine::Plan<Kind>;
/// The live resources, as far as they were read.
pub type Survey = engine::Survey<Kind>;
/// The outcome of every step.
pub type Results = engine::Results<Kind>;

/// Why a statement that somebody added to a policy of ours stays.
pub(crate) const DENIES: &str = "the statement only denies";
/// Why a key that somebody chose stays.
pub(crate) const ENCRYPTS: &str = "the key protects what is encrypted";

/// Takes over a KMS key that is not declared.
pub(crate) fn keep_key(path: &str, desired: &mut Option<String>, live: Option<&String>) -> Option<Protection> {
    let key = live.filter(|_| desired.is_none())?;
    *desired = Some(key.clone());
    Some(Protection::new(path, key, ENCRYPTS))
}

/// Takes over the statements of a policy that deny and are not declared.
pub(crate) fn keep_denials(desired: &mut Policy, live: &Policy) -> Vec<Protection> {
    let ids = desired.keep_denials(live);
    ids.into_iter().map(|id| Protection::new(format!("policy.{id}"), id, DENIES)).collect()
}

/// On the stack's roles: the rule set that was active before the stack's own was. No setting of a role.
pub const PREVIOUS_RULE_SET_TAG: &str = "provision:previous-rule-set";
/// On a function: the commit that its code was built from. No setting of it.
pub const REVISION_TAG: &str = "provision:revision";
/// On the stack's roles, before a bucket's name: a bucket of somebody else's whose policy may have statements of ours. No
/// setting of a role.
pub const STATEMENTS_TAG: &str = "provision:statements:";
/// On a topic, before a digest: a subscription that the stack made. No setting of the topic.
pub const SUBSCRIPTION_TAG: &str = "provision:subscription:";

/// The condition of something that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// It does its work.
    Well,
    /// It waits for somebody or something, in words.
    Pending(String),
    /// It does not work, in words.
    Failed(String),
}

/// Whether what things hold goes with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data {
    /// What holds data stays.
    Keep,
    /// It goes, because somebody said so.
    Delete,
}

/// What a step may use: the account, the stack, and what is too large or too secret for settings.
#[derive(Debug, Clone)]
pub struct Session {
    /// The account.
    pub aws: Aws,
    /// Whose things these are.
    pub stack: Stack,
    /// Zips of functions by `code_sha256`.
    pub code: BTreeMap<String, Code>,
    /// Values of secrets by entry: given to AWS, and to nothing else.
    pub secrets: BTreeMap<String, Secret>,
    /// What is known of SES's rule sets; forgotten before each pass.
    pub receipt: ses::Snapshots,
    /// Whether things that hold data are deleted, with it.
    pub data: Data,
    /// The commit that the code is built from: written beside new code for people to read, and never compared.
    pub revision: Option<String>,
    /// Whose turn it is to write into the policies of buckets that are not ours.
    pub statements: s3::bucket_statement::Turn,
}

/// Where a function's zip is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// Small enough to be sent with the call.
    Zip(Arc<[u8]>),
    /// Too large for that: it goes through the bucket for artefacts.
    Object {
        /// The bucket's name.
        bucket: String,
        /// The key.
        key: String,
        /// What has to be there.
        zip: Arc<[u8]>,
    },
}

/// A kind of AWS resource.
pub trait Manage {
    /// All that we manage of one. `None` and an absent key mean the same; maps and nested structs make the paths of fields.
    type Settings: Serialize + PartialEq + Clone + std::fmt::Debug + Send + Sync;

    /// What its names, ARNs, rights and outputs follow from.
    const IDENTITY: Identity;

    /// Every field of the settings, by path, and how a change of it is treated. A test compares them with the struct.
    const FIELDS: &'static [Field];

    /// The kinds that one of this kind may refer to. Those are made before, and deleted after.
    const REFERS_TO: &'static [Kind];

    /// What whoever runs the tool must be allowed to do for all the calls that are made here.
    const RIGHTS: &'static [Right];

    /// What is in AWS; `None` only if AWS says that there is no such thing.
    fn read(
        session: &Session,
        address: &Address,
    ) -> impl Future<Output = Result<Option<Live<Self::Settings>>, Failure>> + Send;

    /// Makes one with all its settings and our tags.
    fn create(
        session: &Session,
        address: &Address,
        desired: &Self::Settings,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Makes the live one as it is desired: calls only what some change needs, and sends every managed field of that call.
    fn update(
        session: &Session,
        address: &Address,
        desired: &Self::Settings,
        live: &Self::Settings,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Deletes it; one that is not there is deleted.
    fn delete(session: &Session, address: &Address) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Why one is not deleted although it is not declared, in words: for the data that it holds, unless that goes with it, or
    /// for what others put there. For no reason, with most kinds.
    fn holds_data(
        _session: &Session,
        _address: &Address,
    ) -> impl Future<Output = Result<Option<String>, Failure>> + Send {
        std::future::ready(Ok(None))
    }

    /// Takes over into the desired settings what protects a live one and is not declared, and returns it. Most kinds have
    /// nothing of the sort.
    fn keep_protections(_desired: &mut Self::Settings, _live: &Self::Settings) -> Vec<Protection> {
        Vec::new()
    }

    /// Returns the condition of a live one: it may be as it is declared, and not do its work.
    fn condition(_live: &Self::Settings) -> Condition {
        Condition::Well
    }

    /// Returns settings with something in every field, none of them left to a default: so that a forgotten field is an
    /// error of the compiler.
    #[cfg(test)]
    fn full() -> Self::Settings;

    /// All of this stack's, declared or not.
    fn list_owned(session: &Session) -> impl Future<Output = Result<Vec<Owned>, Failure>> + Send;
}

/// Tags without those that AWS sets by itself, and those with which a resource keeps what is known about another.
pub fn own_tags<K: Into<String>, V: Into<String>>(tags: impl IntoIterator<Item = (K, V)>) -> Tags {
    let tags = tags.into_iter().map(|(key, value)| (key.into(), value.into()));
    let notes = ["aws:", PREVIOUS_RULE_SET_TAG, REVISION_TAG, STATEMENTS_TAG, SUBSCRIPTION_TAG];
    tags.filter(|(key, _): &(String, String)| !notes.iter().any(|note| key.starts_with(note))).collect()
}

/// The keys of live tags that are not desired.
pub fn surplus_tags(desired: &Tags, live: &Tags) -> Vec<String> {
    live.keys().filter(|key| !desired.contains_key(*key)).cloned().collect()
}
