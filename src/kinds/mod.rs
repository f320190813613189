//! The kinds of AWS resources that we manage, one file each, and the one registry of them.
//!
//! A kind is a plain struct of **all** the settings that we manage, in one normal form, so that the declared and the live
//! ones are compared with `==`; how they are read, created, changed and deleted; and how a stack's own are found again.
//! What is not in the struct is not managed: it is never compared and never touched.
//!
//! A kind's functions do one thing and do not retry: whether a call is repeated is decided in `plan::apply`. They may be
//! called again after a failure or an interruption, and then finish what was begun.

mod field;
mod notes;
mod number;
mod registry;

pub(crate) mod alarm;
pub(crate) mod artifacts;
pub(crate) mod bucket;
pub(crate) mod bucket_statement;
pub(crate) mod event_invoke;
pub(crate) mod function;
pub(crate) mod log_group;
pub(crate) mod permission;
pub(crate) mod queue;
pub(crate) mod receipt;
pub(crate) mod rights;
pub(crate) mod role;
pub(crate) mod secret;
pub(crate) mod subscription;
pub(crate) mod topic;

use std::{collections::BTreeMap, future::Future, sync::Arc};

use serde::Serialize;

use crate::aws::{Aws, Failure};

pub(crate) use field::{Field, Treatment, coupled, immutable, plain};
pub(crate) use registry::{Kind, Settings};
pub(crate) use rights::Right;

/// What marks a resource as ours, on everything that can carry tags: the stack it belongs to …
pub(crate) const STACK_TAG: &str = "provision:stack";
/// … and the entry of the declaration that it was made for.
pub(crate) const ENTRY_TAG: &str = "provision:id";
/// On the stack's roles: the rule set that was active before the stack's own was. No setting of a role.
pub(crate) const PREVIOUS_RULE_SET_TAG: &str = "provision:previous-rule-set";
/// On a function: the commit that its code was built from. No setting of it.
pub(crate) const REVISION_TAG: &str = "provision:revision";
/// On the stack's roles, before a bucket's name: a bucket of somebody else's whose policy may have statements of ours. No
/// setting of a role.
pub(crate) const STATEMENTS_TAG: &str = "provision:statements:";
/// On a topic, before a digest: a subscription that the stack made. No setting of the topic.
pub(crate) const SUBSCRIPTION_TAG: &str = "provision:subscription:";

/// Tags by key. They are ours alone, but for those that AWS itself sets (`aws:…`), which nobody can change.
pub(crate) type Tags = BTreeMap<String, String>;

/// Where a resource is, in AWS's own words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Address {
    /// What it is part of, where it is nothing of its own: a permission's function, a rule's rule set, a subscription's topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) container: Option<String>,
    /// Its name there.
    pub(crate) name: String,
}

impl Address {
    /// Something of its own.
    pub(crate) fn of(name: impl Into<String>) -> Self {
        Self { container: None, name: name.into() }
    }

    /// A part of something.
    pub(crate) fn within(container: impl Into<String>, name: impl Into<String>) -> Self {
        Self { container: Some(container.into()), name: name.into() }
    }

    /// What it is part of; empty for what is of its own.
    pub(crate) fn container(&self) -> &str {
        self.container.as_deref().unwrap_or_default()
    }
}

/// Whose a thing is that has our name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owner {
    /// This stack's: it says so, or it stands where only this stack puts things.
    Ours,
    /// Nobody's: it has no tags and holds nothing. A run of ours was ended between making and marking it.
    Nobody,
    /// Somebody else's, or unmarked and in use; the words say which. Never touched.
    Other(String),
}

impl Owner {
    /// Whose a thing with these tags is. One that `holds_something` and is unmarked is not simply taken.
    pub(crate) fn of(tags: &Tags, stack: &Stack, holds_something: bool) -> Self {
        match tags.get(STACK_TAG) {
            Some(owner) if *owner == stack.id => Self::Ours,
            Some(owner) => Self::Other(format!("it belongs to stack `{owner}`")),
            None if tags.is_empty() && !holds_something => Self::Nobody,
            None => Self::Other("it exists and was not made by provision".to_owned()),
        }
    }
}

/// What is in AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Live<S> {
    /// As declared ones would be, had they led to this.
    pub(crate) settings: S,
    /// Whose it is.
    pub(crate) owner: Owner,
}

/// Something of this stack's that is in AWS.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Owned {
    /// The entry of the declaration that it was made for.
    pub(crate) entry: String,
    /// Where it is.
    pub(crate) address: Address,
}

/// Whose things are looked for, and what their names begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stack {
    /// `STACK` or `STACK-STAGE`: the value of [`STACK_TAG`], and what names begin with, before a `-`.
    pub(crate) id: String,
}

impl Stack {
    /// What the names of things of their own begin with.
    pub(crate) fn prefix(&self) -> String {
        format!("{}-", self.id)
    }

    /// What the names of receipt rules begin with: a dot cannot be part of a stack's name, so it ends it.
    pub(crate) fn rule_prefix(&self) -> String {
        format!("{}.", self.id)
    }

    /// A thing that a list gave, if its tags say that it is this stack's. A prefix alone does not: `mail-…` is also how
    /// the names of stack `mail-archive` begin.
    pub(crate) fn owned(&self, name: &str, tags: &Tags) -> Option<Owned> {
        (tags.get(STACK_TAG) == Some(&self.id)).then(|| Owned {
            entry: tags.get(ENTRY_TAG).cloned().unwrap_or_else(|| name.to_owned()),
            address: Address::of(name),
        })
    }
}

/// Whether what things hold goes with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Data {
    /// What holds data stays.
    Keep,
    /// It goes, because somebody said so.
    Delete,
}

/// What a step may use: the account, the stack, and what is too large or too secret for settings.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// The account.
    pub(crate) aws: Aws,
    /// Whose things these are.
    pub(crate) stack: Stack,
    /// Zips of functions by `code_sha256`.
    pub(crate) code: BTreeMap<String, Code>,
    /// Values of secrets by entry: given to AWS, and to nothing else.
    pub(crate) secrets: BTreeMap<String, SecretValue>,
    /// What is known of SES's rule sets; forgotten before each pass.
    pub(crate) receipt: receipt::Snapshots,
    /// Whether things that hold data are deleted, with it.
    pub(crate) data: Data,
    /// The commit that the code is built from: written beside new code for people to read, and never compared.
    pub(crate) revision: Option<String>,
    /// Whose turn it is to write into the policies of buckets that are not ours.
    pub(crate) statements: bucket_statement::Turn,
}

/// Where a function's zip is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Code {
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

/// The value of a secret. It is not shown by `Debug`, and has no other way out than [`SecretValue::reveal`].
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SecretValue(String);

impl SecretValue {
    /// Keeps a value from being shown.
    pub(crate) fn new(value: String) -> Self {
        Self(value)
    }

    /// The value, to be given to AWS.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SecretValue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SecretValue(…)")
    }
}

/// A kind of AWS resource.
pub(crate) trait Manage {
    /// All that we manage of one. `None` and an absent key mean the same; maps and nested structs make the paths of fields.
    type Settings: Serialize + PartialEq + Clone + std::fmt::Debug + Send + Sync;

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

    /// All of this stack's, declared or not.
    fn list_owned(session: &Session) -> impl Future<Output = Result<Vec<Owned>, Failure>> + Send;
}

/// Tags without those that AWS sets by itself, and those with which a resource keeps what is known about another.
pub(crate) fn own_tags<K: Into<String>, V: Into<String>>(tags: impl IntoIterator<Item = (K, V)>) -> Tags {
    let tags = tags.into_iter().map(|(key, value)| (key.into(), value.into()));
    let notes = ["aws:", PREVIOUS_RULE_SET_TAG, REVISION_TAG, STATEMENTS_TAG, SUBSCRIPTION_TAG];
    tags.filter(|(key, _): &(String, String)| !notes.iter().any(|note| key.starts_with(note))).collect()
}

/// The keys of live tags that are not desired.
pub(crate) fn surplus_tags(desired: &Tags, live: &Tags) -> Vec<String> {
    live.keys().filter(|key| !desired.contains_key(*key)).cloned().collect()
}
