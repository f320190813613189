//! The kinds of AWS resources that we manage, one file each, and the one registry of them.
//!
//! A kind is a plain struct of **all** the settings that we manage, in one normal form, so that the declared and the live
//! ones are compared with `==`; how they are read, created, changed and deleted; and how a stack's own resources are found
//! again. A setting that is not in the struct is not managed: it is never compared and never touched.
//!
//! A kind's functions do one thing and do not retry: retries are decided in `engine::apply`. They may be called again after
//! a failure or an interruption, and then finish what was begun.

mod children;
mod documents;
mod identity;
mod input;
mod number;
mod places;
#[cfg(test)]
mod registered;
mod registry;

pub mod apigateway;
pub mod cloudwatch;
pub mod dynamodb;
pub mod ec2;
pub mod elasticache;
pub mod iam;
pub mod kafka;
pub mod lambda;
pub mod logs;
pub mod rds;
pub mod rights;
pub mod s3;
pub mod secretsmanager;
pub mod server;
pub mod ses;
pub mod sns;
pub mod sqs;
pub mod stores;
pub mod tagged;
mod widening;

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    sync::Arc,
    time::{Duration, SystemTime},
};

use contract::secret::Secret;
use serde::Serialize;

use aws::{Aws, policy::Policy};
use engine::{
    Address, Children, Class, Consent, Failure, Field, Holds, Live, Owned, Protection, Slow, Stack, Tags,
    UNFINISHED_TAG,
};

pub use identity::{Identity, Naming, Output};
pub use input::Input;
pub use registry::{Kind, Settings};
pub use rights::Right;
pub use stores::Changing;
pub use tagged::Tagged;

/// A resource's kind and entry.
pub type Id = engine::Id<Kind>;
/// A resource as it should be.
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

/// Reason to keep a statement that somebody added to a policy of ours.
pub(crate) const DENIES: &str = "the statement only denies";
/// Reason to keep a key that somebody chose.
pub(crate) const ENCRYPTS: &str = "the key protects what is encrypted";

/// Keeps a live KMS key that is not declared: copies it into the desired settings, and returns that it is kept.
pub(crate) fn keep_key(path: &str, desired: &mut Option<String>, live: Option<&String>) -> Option<Protection> {
    let key = live.filter(|_| desired.is_none())?;
    *desired = Some(key.clone());
    Some(Protection::new(path, key, ENCRYPTS))
}

/// Keeps the live statements of a policy that deny and are not declared, as [`keep_key`] keeps a key.
pub(crate) fn keep_denials(desired: &mut Policy, live: &Policy) -> Vec<Protection> {
    let ids = desired.keep_denials(live);
    ids.into_iter().map(|id| Protection::new(format!("policy.{id}"), id, DENIES)).collect()
}

/// Tag on the stack's log group for notes: the rule set that was active before the stack's own was.
pub const PREVIOUS_RULE_SET_TAG: &str = "provision:previous-rule-set";
/// Tag on a function: the commit that its code was built from. Not a setting of the function.
pub const REVISION_TAG: &str = "provision:revision";
/// Tag on a function: the build of its code, as the function writes it into its log. Not a setting of the function.
pub const BUILD_TAG: &str = "provision:build";
/// Prefix of tags on the stack's log group for notes, before a bucket's name: somebody else's bucket whose policy may have
/// statements of ours.
pub const STATEMENTS_TAG: &str = "provision:statements:";
/// Prefix of tags on the stack's log group for notes, before a type of feedback and an identity: the topic that got that feedback before.
pub const FEEDBACK_TAG: &str = "provision:feedback:";
/// Tag on an event source mapping: the time since which it is paused, RFC 3339 in UTC.
pub const PAUSED_TAG: &str = "provision:paused";
/// Tag on the role of a function that has another name than its entry gives it: that name, by which its network interfaces are found once
/// the function itself is gone.
pub const FUNCTION_TAG: &str = "provision:function";
/// Prefix of tags on a topic, before a digest: a subscription that the stack created. Not a setting of the topic.
pub const SUBSCRIPTION_TAG: &str = "provision:subscription:";

/// The condition of a live resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// The resource works as it should.
    Well,
    /// It waits for somebody or something; the text says for what.
    Pending(String),
    /// It does not work; the text says why.
    Failed(String),
}

/// The input of steps: the account, the stack, and values that are too large or too secret for settings.
#[derive(Debug, Clone)]
pub struct Session {
    /// AWS account of the stack.
    pub aws: Aws,
    /// Stack that owns the resources.
    pub stack: Stack,
    /// Resources with the stack's tag, whatever their names.
    pub tagged: Tagged,
    /// Zips of functions by `code_sha256`.
    pub code: BTreeMap<String, Code>,
    /// Hashes of the files in those zips, as functions write them into their logs, by `code_sha256`.
    pub builds: BTreeMap<String, String>,
    /// Values of secrets by entry: they go to AWS, and nowhere else.
    pub secrets: BTreeMap<String, Secret>,
    /// Rule sets of SES, as far as they were read; forgotten before each pass.
    pub receipt: ses::Snapshots,
    /// HTTP APIs, as they were read last; forgotten before each pass.
    pub apis: apigateway::Apis,
    /// The stack's resources in EC2 as they were read last; forgotten before each pass.
    pub networks: ec2::Networks,
    /// Databases that this run changes, until RDS has done it.
    pub databases: Changing,
    /// Caches that this run deletes.
    pub caches: Changing,
    /// Losses that somebody has agreed to.
    pub consent: Consent,
    /// Resources that the plan deletes with the data that they hold.
    pub emptied: BTreeSet<(Kind, Address)>,
    /// Commit that the code is built from: written beside new code for people to read, and never compared.
    pub revision: Option<String>,
    /// Lock for writing into the policies of buckets that are not ours.
    pub statements: s3::bucket_statement::Turn,
}

/// Reason to keep a resource whose tags may not be read: it has one of our names, and may be anybody's.
const UNKNOWN_OWNER: &str = "its tags may not be read, so that it may be somebody else's";

impl Session {
    /// Returns a session of a stack in which nothing was read, given or agreed to yet.
    pub fn new(aws: Aws, stack: Stack, listed: tagged::Listed) -> Self {
        Self {
            tagged: Tagged::new(listed, &aws.realm, &stack),
            aws,
            stack,
            code: BTreeMap::new(),
            builds: BTreeMap::new(),
            secrets: BTreeMap::new(),
            receipt: ses::Snapshots::default(),
            apis: apigateway::Apis::default(),
            networks: ec2::Networks::default(),
            databases: Changing::default(),
            caches: Changing::default(),
            consent: Consent::default(),
            emptied: BTreeSet::new(),
            revision: None,
            statements: s3::bucket_statement::Turn::default(),
        }
    }

    /// Returns a listed resource, if its tags say that it is this stack's. An operator who may read the stack's resources only must not
    /// fail at those of others whose names begin alike.
    pub(crate) fn owned(
        &self,
        kind: Kind,
        name: &str,
        tags: Result<Option<Tags>, Failure>,
    ) -> Result<Option<Owned>, Failure> {
        let unknown =
            || Owned { entry: name.to_owned(), address: Address::of(name), stays: Some(UNKNOWN_OWNER), protect: None };
        let owned = |tags: &Tags| self.stack.owned(name, tags, kind.identity().is_given_by(&self.stack, name));
        match (tags, self.tagged.tags(kind, name)) {
            (Err(failure), Some(tags)) if failure.class == Class::Denied => Ok(owned(tags)),
            (Err(failure), None) if failure.class == Class::Denied => Ok(Some(unknown())),
            (tags, _) => Ok(tags?.and_then(|tags| owned(&tags))),
        }
    }

    /// Returns the names of a kind's resources that have the stack's tag under a name that the stack would not give. Kinds that list their
    /// resources by a prefix of names would miss these.
    pub(crate) fn named_otherwise(&self, kind: Kind) -> Result<Vec<String>, Failure> {
        self.tagged.named_otherwise(kind, &self.stack)
    }

    /// Returns the names of all resources of a kind that have the stack's tag, by AWS's index alone: for kinds whose own lists have no
    /// tags, and that are tagged by the call that creates them. The index is seconds behind: a younger resource is found by its declaration.
    pub(crate) fn indexed(&self, kind: Kind) -> Result<Vec<String>, Failure> {
        self.tagged.named(kind)
    }

    /// Returns `true` if the plan deletes a resource with the data that it holds.
    pub(crate) fn empties(&self, kind: Kind, address: &Address) -> bool {
        self.emptied.contains(&(kind, address.clone()))
    }

    /// Returns the rules of others in the stack's own rule set, in words, while that is the active one; `None` if there are none.
    pub(crate) async fn rules_of_others(&self) -> Result<Option<String>, Failure> {
        let (snapshot, own) = (ses::snapshot(self).await?, ses::own_set(&self.stack));
        let names = if snapshot.active.as_ref() == Some(&own) { snapshot.names(&own) } else { Vec::new() };
        Ok(ses::foreign(&self.stack, &names))
    }
}

impl Session {
    /// Returns the tags that tell where a function's code comes from. Nothing is compared with them.
    pub(crate) fn origin(&self, code_sha256: &str) -> BTreeMap<String, String> {
        let tags = [(BUILD_TAG, self.builds.get(code_sha256)), (REVISION_TAG, self.revision.as_ref())];
        tags.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.clone()))).collect()
    }
}

/// The zip of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// Small enough to be sent with the call.
    Zip(Arc<[u8]>),
    /// Too large for that: it goes through the bucket for artefacts.
    Object {
        /// Name of the bucket.
        bucket: String,
        /// Key of the object.
        key: String,
        /// Content of the object.
        zip: Arc<[u8]>,
    },
}

/// A kind of AWS resource.
pub trait Manage {
    /// All managed settings of a resource. `None` and a missing key are equal; maps and nested structs make the paths of
    /// fields.
    type Settings: Serialize + PartialEq + Clone + std::fmt::Debug + Send + Sync;

    /// Source of its names, ARNs, permissions and outputs.
    const IDENTITY: Identity;

    /// Every field of the settings, by path, with the treatment of its changes. A test compares them with the struct.
    const FIELDS: &'static [Field];

    /// The way in which it holds data that is lost with it.
    const HOLDS: Holds;

    /// Kinds that a resource of this kind may refer to: they are created before it, and deleted after it.
    const REFERS_TO: &'static [Kind];

    /// Permissions that the calls of this kind need.
    const RIGHTS: &'static [Right];

    /// Reads a resource; `None` only if AWS says that it does not exist.
    fn read(
        session: &Session,
        address: &Address,
    ) -> impl Future<Output = Result<Option<Live<Self::Settings>>, Failure>> + Send;

    /// Creates a resource with all its settings and our tags.
    fn create(
        session: &Session,
        address: &Address,
        desired: &Self::Settings,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Changes the live resource into the desired one: makes the calls that some difference needs only, and sends every
    /// managed field of each call.
    fn update(
        session: &Session,
        address: &Address,
        desired: &Self::Settings,
        live: &Self::Settings,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Deletes a resource; succeeds if it does not exist.
    fn delete(session: &Session, address: &Address) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Returns what an undeclared resource holds now (data, or other people's items); `None` (the default) if it holds nothing.
    fn holds_data(
        _session: &Session,
        _address: &Address,
    ) -> impl Future<Output = Result<Option<String>, Failure>> + Send {
        std::future::ready(Ok(None))
    }

    /// Keeps the settings that protect the live resource and are not declared: copies them into the desired settings, and returns them.
    /// Does nothing for most kinds.
    fn keep_protections(_desired: &mut Self::Settings, _live: &Self::Settings) -> Vec<Protection> {
        Vec::new()
    }

    /// Returns the tags among the settings; `None` (the default) for a kind that AWS keeps no tags of.
    fn tags(_settings: &mut Self::Settings) -> Option<&mut Tags> {
        None
    }

    /// Returns the children among the settings; `None` (the default) for a kind that has none.
    fn children(_settings: &mut Self::Settings) -> Option<&mut Children> {
        None
    }

    /// Corrects how harmful the children of a live resource are, where that depends on the desired settings. Does nothing for most kinds.
    fn judge_children(_live: &mut Self::Settings, _desired: &Self::Settings) {}

    /// Returns the settings that a change passes through: everything works under them that works under the live or the desired ones. The
    /// default is the desired settings: most kinds take nothing away that something uses.
    fn interim(desired: &Self::Settings, _live: &Self::Settings) -> Self::Settings {
        desired.clone()
    }

    /// Time for which a resource cannot be used while it is replaced; `None` (the default) if that interrupts nothing.
    const INTERRUPTION: Option<Duration> = None;

    /// Usual duration of a deletion that takes minutes; `None` (the default) if it takes seconds.
    const ENDS_IN: Option<Slow> = None;

    /// Returns the usual duration of a creation (`live` is `None`) or a change that takes minutes; `None` (the default) if it takes seconds.
    fn slow(_live: Option<&Self::Settings>, _desired: &Self::Settings) -> Option<Slow> {
        None
    }

    /// Returns the prefix of the placeholder that stands for its id in the settings of other resources; `None` (the default) for a kind that
    /// is known by a name, which stays when the resource is replaced.
    fn stands_for_id() -> Option<String> {
        None
    }

    /// Returns what AWS does with a live one whose settings show the change as done already; `None` if it does nothing, or is of a kind that
    /// is changed at once.
    fn under_way(_live: &Self::Settings) -> Option<&'static str> {
        None
    }

    /// Returns the time at which a live one was created, where AWS tells it and others may not see it at once.
    fn created_at(_live: &Self::Settings) -> Option<SystemTime> {
        None
    }

    /// Returns the condition of a live one: it may be as it is declared, and not do its work.
    fn condition(_live: &Self::Settings) -> Condition {
        Condition::Well
    }

    /// Returns settings with a value in every field, none of them a default, so that a forgotten field is an error of the
    /// compiler.
    #[cfg(test)]
    fn full() -> Self::Settings;

    /// Lists this stack's resources of the kind, declared or not.
    fn list_owned(session: &Session) -> impl Future<Output = Result<Vec<Owned>, Failure>> + Send;
}

/// Returns tags without AWS's own, and without those in which a resource records facts about another.
pub fn own_tags<K: Into<String>, V: Into<String>>(tags: impl IntoIterator<Item = (K, V)>) -> Tags {
    let tags = tags.into_iter().map(|(key, value)| (key.into(), value.into()));
    let notes =
        ["aws:", BUILD_TAG, FEEDBACK_TAG, PREVIOUS_RULE_SET_TAG, REVISION_TAG, STATEMENTS_TAG, SUBSCRIPTION_TAG];
    tags.filter(|(key, _): &(String, String)| !notes.iter().any(|note| key.starts_with(note))).collect()
}

/// Returns the tags of a resource whose first creation takes several calls.
pub(crate) fn unfinished(tags: &Tags) -> Tags {
    tags.clone().into_iter().chain([(UNFINISHED_TAG.to_owned(), "true".to_owned())]).collect()
}

/// Returns the keys of live tags that are not desired.
pub fn surplus_tags(desired: &Tags, live: &Tags) -> Vec<String> {
    live.keys().filter(|key| !desired.contains_key(*key)).cloned().collect()
}
