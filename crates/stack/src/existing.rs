//! Buckets and secrets that are declared as `existing`: whether they are there, and by which keys they are encrypted. The rights of a
//! function's role follow from that, and from the keys that somebody gave to resources of the stack without declaring them: those stay.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use crate::{Names, moves::server_role_entry};
use aws::{ArnForm, OrFail};
use declaration::{Declaration, SecretReference, SecretSource};
use engine::{Address, Failure, Live, Owner};
use kinds::{
    Kind, Read, Session, Settings, Survey,
    kafka::{self, Seen},
};

/// The existing resources that a declaration names and does not make, as they were read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Existing {
    /// Resources of others, by kind and name in AWS.
    found: BTreeMap<(Kind, String), Result<Found, Failure>>,
    /// Keys of the stack's own resources that are not declared, by kind and entry.
    keys: BTreeMap<(Kind, String), Result<Option<String>, Failure>>,
    /// Clusters of Kafka by ARN; `None` for one that does not exist.
    clusters: BTreeMap<String, Result<Option<Seen>, Failure>>,
}

/// The state of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It does not exist.
    Absent,
    /// It is scheduled for deletion: nobody can read it.
    Deleted,
    /// It exists, and is encrypted by this key, by its ARN; `None` for AWS's own.
    There(Option<String>),
}

/// Form of the ARN of a key.
const KEY: ArnForm = ArnForm("kms:{region}:{account}:key/{name}");
/// Beginning of the names of AWS's own keys, which everybody in the account may use through their service.
const OF_AWS: &str = "alias/aws/";

impl Existing {
    /// Reads all that a declaration names, and the ARNs of their keys: two round trips, and a third one for aliases of keys.
    pub async fn read(session: &Session, declaration: &Declaration) -> Self {
        let found = join_all(names(declaration).into_iter().map(|(kind, name)| async move {
            let found = match kind {
                Kind::Secret => secret(session, name).await,
                _ => bucket(session, name).await,
            };
            ((kind, name.to_owned()), found)
        }));
        let clusters = join_all(
            clusters(declaration)
                .into_iter()
                .map(|arn| async move { (arn.to_owned(), kafka::see(session, arn).await) }),
        );
        let (found, clusters) = tokio::join!(found, clusters);
        Self { found: found.into_iter().collect(), clusters: clusters.into_iter().collect(), ..Self::default() }
    }

    /// Returns what was read of a cluster; `None` if it was not.
    pub fn cluster(&self, arn: &str) -> Option<&Result<Option<Seen>, Failure>> {
        self.clusters.get(arn)
    }

    /// Returns a context with the brokers of existing clusters in place of what stands for them, as far as they were read.
    pub(crate) fn with_brokers(&self, context: String) -> String {
        let known = self.clusters.iter().filter_map(|(arn, seen)| Some((arn, seen.as_ref().ok()?.as_ref()?)));
        let known = known.filter_map(|(arn, seen)| Some((kafka::brokers_of(arn), seen.bootstrap.as_ref()?)));
        known.fold(context, |context, (stands_for, brokers)| context.replace(&stands_for, brokers))
    }

    /// Returns why a cluster whose brokers a function is told could not be read: its environment is not known then.
    pub fn cluster_failure(&self, declaration: &Declaration, function: &str) -> Option<&Failure> {
        let topics = declaration.functions.get(function).into_iter().flat_map(declaration::Function::topics_of_kafka);
        let clusters = topics.filter_map(|(_, topic)| declaration.clusters.get(topic.split('/').next()?)?.existing());
        clusters.into_iter().find_map(|arn| self.cluster(arn)?.as_ref().err())
    }

    /// Takes over the keys of the stack's own resources from a survey, where none is declared: `up` leaves such a key, and the functions
    /// that use the resource need the right to it. An alias costs a round trip.
    #[must_use]
    pub async fn with_keys(self, session: &Session, names: &Names, declaration: &Declaration, survey: &Survey) -> Self {
        let own = own(declaration).into_iter().filter(|(kind, entry)| !has_declared_key(declaration, *kind, entry));
        let keys = join_all(own.map(|(kind, entry)| async move {
            let address = Address::of(names.name(kind, entry));
            let Some(Read::Present(Live { settings, owner: Owner::Ours })) = survey.read.get(&(kind, address)) else {
                return None;
            };
            let key = key_of(settings)?.to_owned();
            Some(((kind, entry.to_owned()), key_arn(session, Some(key)).await))
        }));
        Self { keys: keys.await.into_iter().flatten().collect(), ..self }
    }

    /// Returns the state of one; `None` if it was not read.
    pub fn get(&self, kind: Kind, name: &str) -> Option<&Result<Found, Failure>> {
        self.found.get(&(kind, name.to_owned()))
    }

    /// Returns the ARN of the key that somebody gave to a resource of the stack; `None` if none has.
    pub(crate) fn own_key(&self, kind: Kind, entry: &str) -> Option<&str> {
        self.keys.get(&(kind, entry.to_owned()))?.as_ref().ok()?.as_deref()
    }

    /// Returns the ARN of the key of one; `None` if it has none of its own, or is not there.
    pub(crate) fn key(&self, kind: Kind, name: &str) -> Option<&str> {
        match self.get(kind, name) {
            Some(Ok(Found::There(key))) => key.as_deref(),
            _ => None,
        }
    }

    /// Returns why something could not be read that the function of a role uses, or that of a server's role: its rights are not known
    /// then; `None` if all was.
    pub fn failure(&self, declaration: &Declaration, role: &str) -> Option<&Failure> {
        let mut servers = declaration.servers.iter();
        let server = servers.find(|(server, _)| server_role_entry(server) == role);
        let function = server.map_or(Some(role), |(_, server)| server.runs.as_deref())?;
        let used = used_by(declaration, function).into_iter();
        let own = own_used_by(declaration, function).into_iter();
        let unread = own.filter_map(|(kind, entry)| self.keys.get(&(kind, entry.to_owned()))?.as_ref().err());
        used.filter_map(|(kind, name)| self.get(kind, name)?.as_ref().err()).chain(unread).next()
    }
}

/// Returns the names of existing secrets, and of existing buckets that functions use.
pub(crate) fn names(declaration: &Declaration) -> BTreeSet<(Kind, &str)> {
    let secrets = declaration.secrets.values().filter_map(|secret| match &secret.source {
        SecretSource::Existing(name) => Some((Kind::Secret, name.as_str())),
        SecretSource::Created(_) => None,
    });
    let used = declaration.functions.keys().flat_map(|entry| used_by(declaration, entry));
    secrets.chain(used).collect()
}

/// Returns the ARNs of existing clusters of Kafka.
fn clusters(declaration: &Declaration) -> BTreeSet<&str> {
    declaration.clusters.values().filter_map(|cluster| cluster.existing()).collect()
}

/// Returns the existing secrets and buckets that a function uses.
fn used_by<'declared>(declaration: &'declared Declaration, function: &str) -> BTreeSet<(Kind, &'declared str)> {
    let Some(function) = declaration.functions.get(function) else { return BTreeSet::new() };
    let of_entry = |entry: &String| match &declaration.secrets.get(entry)?.source {
        SecretSource::Existing(name) => Some(name.as_str()),
        SecretSource::Created(_) => None,
    };
    let secrets = function.secrets.values().filter_map(|secret| match secret {
        SecretReference::Existing(name) => Some(name.as_str()),
        SecretReference::Declared(entry) => of_entry(entry),
    });
    let caches = function.caches.iter().filter_map(|cache| declaration.caches.get(cache));
    let secrets = secrets.chain(caches.filter_map(|cache| of_entry(&cache.auth)));
    let places = function.reads.iter().chain(&function.writes).chain(&function.deletes);
    let buckets = places.filter_map(|place| declaration.buckets.get(&place.bucket)?.existing.as_deref());
    secrets.map(|name| (Kind::Secret, name)).chain(buckets.map(|name| (Kind::Bucket, name))).collect()
}

/// Returns the resources of the stack that functions use and whose keys they need, by kind and entry. Those of others are not looked up
/// by their entries.
fn own(declaration: &Declaration) -> BTreeSet<(Kind, &str)> {
    declaration.functions.keys().flat_map(|entry| own_used_by(declaration, entry)).collect()
}

/// Returns what a function uses and whose keys it needs, by kind and entry, with the function itself: Lambda decrypts its environment by
/// its role. One that servers run is not there.
fn own_used_by<'declared>(declaration: &'declared Declaration, entry: &str) -> BTreeSet<(Kind, &'declared str)> {
    let Some((entry, function)) = declaration.functions.get_key_value(entry) else { return BTreeSet::new() };
    let places = function.reads.iter().chain(&function.writes).map(|place| (Kind::Bucket, place.bucket.as_str()));
    let queues = function.sends.iter().chain(&function.on_failure);
    let queues = queues.chain(function.consumes.iter().map(|consumes| &consumes.queue));
    let topics = function.publishes.iter().map(|topic| (Kind::Topic, topic.as_str()));
    let tables = function.queries.iter().map(|table| (Kind::Table, table.as_str()));
    let secrets = function.secrets.values().filter_map(|secret| match secret {
        SecretReference::Declared(entry) => Some((Kind::Secret, entry.as_str())),
        SecretReference::Existing(_) => None,
    });
    let caches = function.caches.iter().filter_map(|cache| declaration.caches.get(cache));
    let secrets = secrets.chain(caches.map(|cache| (Kind::Secret, cache.auth.as_str())));
    let queues = queues.map(|queue| (Kind::Queue, queue.as_str()));
    let itself = (!declaration.is_worker(entry)).then_some((Kind::Function, entry.as_str()));
    places.chain(queues).chain(topics).chain(tables).chain(secrets).chain(itself).collect()
}

/// Returns `true` if a resource has the key that is declared for it, which `up` puts right.
fn has_declared_key(declaration: &Declaration, kind: Kind, entry: &str) -> bool {
    let own = match kind {
        Kind::Bucket => declaration.buckets.get(entry).and_then(|bucket| bucket.kms_key.as_ref()),
        Kind::Queue => declaration.queues.get(entry).and_then(|queue| queue.kms_key.as_ref()),
        Kind::Topic => declaration.topics.get(entry).and_then(|topic| topic.kms_key.as_ref()),
        Kind::Secret => declaration.secrets.get(entry).and_then(|secret| secret.kms_key.as_ref()),
        Kind::Table => declaration.tables.get(entry).and_then(|table| table.kms_key.as_ref()),
        Kind::Function => declaration.functions.get(entry).and_then(|function| function.kms_key.as_ref()),
        _ => None,
    };
    declaration.kms_key(own).is_some()
}

/// Returns `true` if the keys of something that functions use are known only once it was read.
pub(crate) fn has_unknown_keys(declaration: &Declaration) -> bool {
    let mut own = own(declaration).into_iter();
    !names(declaration).is_empty() || own.any(|(kind, entry)| !has_declared_key(declaration, kind, entry))
}

/// Returns the key that encrypts what a resource holds; `None` if AWS's own does.
fn key_of(settings: &Settings) -> Option<&str> {
    match settings {
        Settings::Bucket(bucket) => bucket.encryption.kms_key.as_deref(),
        Settings::Queue(queue) => queue.kms_key.as_deref(),
        Settings::Topic(topic) => topic.kms_key.as_deref(),
        Settings::Secret(secret) => secret.kms_key.as_deref(),
        Settings::Table(table) => table.kms_key.as_deref(),
        Settings::Function(function) => function.kms_key.as_deref(),
        _ => None,
    }
}

async fn secret(session: &Session, name: &str) -> Result<Found, Failure> {
    let answer = session.aws.read.secrets.describe_secret().secret_id(name).send().await;
    match answer.or_absent("secretsmanager.DescribeSecret")? {
        None => Ok(Found::Absent),
        Some(answer) if answer.deleted_date.is_some() => Ok(Found::Deleted),
        Some(answer) => Ok(Found::There(key_arn(session, answer.kms_key_id).await?)),
    }
}

/// Reads the key of a bucket. That one is missing is told where the bucket's policy is read.
async fn bucket(session: &Session, name: &str) -> Result<Found, Failure> {
    let account = &session.aws.realm.account;
    let call = session.aws.read.s3.get_bucket_encryption().bucket(name).expected_bucket_owner(account);
    let answer = call.send().await.or_absent("s3.GetBucketEncryption")?;
    let rules = answer.and_then(|answer| answer.server_side_encryption_configuration).map(|of| of.rules);
    let rule = rules.and_then(|rules| rules.into_iter().next());
    let key = rule.and_then(|rule| rule.apply_server_side_encryption_by_default).and_then(|of| of.kms_master_key_id);
    Ok(Found::There(key_arn(session, key).await?))
}

/// Returns the ARN of a key by one of its names: an ARN, an id, or an alias, of which rights do not know.
async fn key_arn(session: &Session, key: Option<String>) -> Result<Option<String>, Failure> {
    let Some(key) = key.filter(|key| !key.is_empty() && !key.contains(OF_AWS)) else { return Ok(None) };
    if key.contains("alias/") {
        return Ok(session.aws.read.kms.describe_key(&key).await?.map(|key| key.arn));
    }
    Ok(Some(if key.starts_with("arn:") { key } else { session.aws.realm.arn(KEY, "", &key).into() }))
}

#[cfg(test)]
impl Existing {
    /// Returns what was read, for tests.
    pub(crate) fn of(found: impl IntoIterator<Item = (Kind, &'static str, Found)>) -> Self {
        let found = found.into_iter().map(|(kind, name, found)| ((kind, name.to_owned()), Ok(found)));
        Self { found: found.collect(), ..Self::default() }
    }

    /// Returns keys that somebody gave to resources of the stack, for tests.
    pub(crate) fn with_own(keys: impl IntoIterator<Item = (Kind, &'static str, &'static str)>) -> Self {
        let keys = keys.into_iter().map(|(kind, entry, key)| ((kind, entry.to_owned()), Ok(Some(key.to_owned()))));
        Self { keys: keys.collect(), ..Self::default() }
    }
}
