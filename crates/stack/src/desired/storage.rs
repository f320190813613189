//! Buckets, queues, topics with their subscriptions, and secrets.

use std::collections::BTreeMap;

use super::{
    Blueprint, days, of, seconds, sending, sharing, statement_id,
    subscriptions::{owned_policy, subscribe},
    topic_of, with_ids,
};
use aws::policy::{Policy, Statement};
use declaration::{Action, Bucket, Notify, Secret, SecretSource, Subscription, Topic};
use engine::Address;
use kinds::{
    Input, Kind,
    logs::notes,
    s3::{
        artifacts,
        bucket::{self, DaysByPrefix, Encryption, Lifecycle},
        bucket_statement,
    },
    secretsmanager::secret,
    sns::topic,
    sqs::queue,
};

/// Days after which parts of an unfinished upload are deleted: they cost money and are invisible.
const ABORT_INCOMPLETE_DAYS: u32 = 7;

pub(super) fn add(blueprint: &mut Blueprint<'_>) {
    let declaration = blueprint.declaration;
    for (entry, declared) in declaration.buckets.iter().filter(|(_, bucket)| bucket.existing.is_none()) {
        bucket(blueprint, entry, declared);
    }
    for entry in declaration.buckets.iter().filter(|(_, bucket)| bucket.existing.is_some()).map(|(entry, _)| entry) {
        statements(blueprint, entry);
    }
    if blueprint.given.artifacts || blueprint.declaration.has_workers() {
        artifacts(blueprint);
    }
    for entry in declaration.queues.keys() {
        queue(blueprint, entry);
    }
    for (entry, declared) in &declaration.topics {
        topic(blueprint, entry, declared);
    }
    for (entry, declared) in &declaration.secrets {
        secret(blueprint, entry, declared);
    }
}

fn bucket(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Bucket) {
    let name = blueprint.names().name(Kind::Bucket, entry);
    let mut statements = vec![tls_only(&blueprint.names().arn_of(Kind::Bucket, &name))];
    statements.extend(storing(blueprint, entry, |rule| statement_id(&[bucket::STORE, rule])));
    let expire_days: DaysByPrefix =
        blueprint.declaration.expiry(entry).into_iter().map(|(prefix, age)| (prefix, days(age))).collect();
    let noncurrent_days = match declared.expire_noncurrent {
        _ if !declared.versioning => DaysByPrefix::default(),
        Some(age) => DaysByPrefix::from_iter([(String::new(), days(age))]),
        None => expire_days.clone(),
    };
    let settings = bucket::Settings {
        versioning: declared.versioning,
        lifecycle: Lifecycle {
            expire_days,
            noncurrent_days,
            abort_incomplete_days: Some(ABORT_INCOMPLETE_DAYS),
            ..Lifecycle::default()
        },
        policy: Policy::new(with_ids(statements)),
        tags: blueprint.protected_tags(Kind::Bucket, entry, &declared.tags, declared.protect),
        encryption: encryption(blueprint.declaration.kms_key(declared.kms_key.as_ref())),
        ..bucket::Settings::default()
    };
    blueprint.add(of(Kind::Bucket, entry), Address::of(name), settings, Vec::new());
}

/// Returns the encryption of a bucket by a key; without one it is S3's own.
fn encryption(key: Option<String>) -> Encryption {
    key.map_or_else(Encryption::default, Encryption::by_key)
}

/// Returns the statement that denies everything without TLS.
fn tls_only(arn: &str) -> (String, Statement) {
    let plain = Statement::deny(&["s3:*"], [arn.to_owned(), format!("{arn}/*")]).for_everybody();
    (bucket::REFUSE_PLAIN.to_owned(), plain.when("Bool", "aws:SecureTransport", ["false".to_owned()]))
}

/// Adds the bucket for code that is too large for a call, or that servers run.
fn artifacts(blueprint: &mut Blueprint<'_>) {
    let name = blueprint.names().artifacts();
    let tags = blueprint.tags(bucket::ARTIFACTS, &BTreeMap::new());
    let policy = Policy::new([tls_only(&blueprint.names().arn_of(Kind::Bucket, &name))]);
    let settings = bucket::Settings {
        encryption: encryption(blueprint.declaration.kms_key.clone()),
        ..artifacts::settings(policy, tags)
    };
    blueprint.add(of(Kind::Bucket, bucket::ARTIFACTS), Address::of(name), settings, Vec::new());
}

/// Adds our statements in the policy of an existing bucket; the rest of its policy stays.
fn statements(blueprint: &mut Blueprint<'_>, entry: &str) {
    let names = blueprint.names();
    // The notes tell where our statements are.
    let notes = vec![of(Kind::LogGroup, notes::ENTRY)];
    for (id, statement) in storing(blueprint, entry, |rule| stored_by(entry, rule)) {
        let address = Address::within(names.name(Kind::Bucket, entry), names.name(Kind::BucketStatement, &id));
        blueprint.add(of(Kind::BucketStatement, id), address, statement, notes.clone());
    }
}

/// Returns the entry of the statement that lets SES store a rule's mails in an existing bucket.
pub(super) fn stored_by(bucket: &str, rule: &str) -> String {
    bucket_statement::entry(bucket, rule)
}

/// Returns the statements that let SES store the mails of rules in their places, and nowhere else.
pub(super) fn storing(blueprint: &Blueprint<'_>, entry: &str, id: impl Fn(&str) -> String) -> Vec<(String, Statement)> {
    let arn = blueprint.names().arn(Kind::Bucket, entry);
    let stores = blueprint.rules_that(|action| match action {
        Action::Store { bucket, prefix, .. } if bucket == entry => Some(prefix.as_str()),
        _ => None,
    });
    let statements = blueprint.groups(stores.iter().map(|(rule, _)| *rule)).into_iter().map(|group| {
        let prefixes = stores.iter().filter(|(rule, _)| group.rules.contains(rule)).map(|(_, prefix)| *prefix);
        let statement = Statement::allow(&["s3:PutObject"], sharing::places(&arn, prefixes));
        (id(group.part), blueprint.for_rules(statement, &group))
    });
    statements.collect()
}

fn queue(blueprint: &mut Blueprint<'_>, entry: &str) {
    let Some(declared) = blueprint.declaration.queues.get(entry) else { return };
    let names = blueprint.names();
    let told = blueprint.declaration.topics.iter().filter(|(_, topic)| {
        topic.subscriptions.iter().any(|told| match told {
            Subscription::Queue { queue, .. } => queue == entry,
            Subscription::Function { redrive, .. } => redrive.as_deref() == Some(entry),
            Subscription::Mail(_) => false,
        })
    });
    let statements = told.map(|(topic, _)| {
        let statement =
            Statement::allow(&["sqs:SendMessage"], [names.arn(Kind::Queue, entry)]).for_service("sns.amazonaws.com");
        let id = statement_id(&[queue::MESSAGES_OF, &names.label(Kind::Topic, topic)]);
        (id, statement.with_source(names.account(), [names.arn(Kind::Topic, topic)]))
    });
    let kms_key = blueprint.declaration.kms_key(declared.kms_key.as_ref());
    let settings = queue::Settings {
        retention: seconds(declared.retention),
        visibility_timeout: seconds(declared.visibility_timeout),
        redrive: declared.redrive.as_ref().map(|redrive| queue::Redrive {
            queue: names.arn(Kind::Queue, &redrive.queue),
            after: redrive.after.into(),
        }),
        policy: Policy::new(with_ids(statements)),
        managed_encryption: kms_key.is_none(),
        kms_key,
        tags: blueprint.protected_tags(Kind::Queue, entry, &declared.tags, declared.protect),
        ..queue::Settings::default()
    };
    let after = declared.redrive.iter().map(|redrive| of(Kind::Queue, &redrive.queue)).collect();
    blueprint.add(of(Kind::Queue, entry), Address::of(names.name(Kind::Queue, entry)), settings, after);
}

fn topic(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Topic) {
    let names = blueprint.names();
    let arn = names.arn(Kind::Topic, entry);
    let mut statements = Vec::new();
    let notify = blueprint.rules_that(|action| (topic_of(action) == Some(entry)).then_some(()));
    for group in blueprint.groups(notify.into_iter().map(|(rule, ())| rule)) {
        let statement = Statement::allow(&["SNS:Publish"], [arn.clone()]);
        statements.push((statement_id(&[topic::NEWS_OF, group.part]), blueprint.for_rules(statement, &group)));
    }
    let of_ses = sending::publishing(blueprint, entry, &arn);
    let is_for_declared_alone = !of_ses.is_empty();
    statements.extend(of_ses);
    let watches = blueprint.declaration.alarms.notify.contains(&Notify::Topic(entry.to_owned()));
    if watches {
        statements.push((topic::ALARMS.to_owned(), super::alarms::publish(blueprint, &arn)));
    }
    let mut policy = owned_policy(&arn, statements);
    if is_for_declared_alone {
        let (id, owner) = topic::owner_without_publishing(&arn);
        policy = policy.with(&id, Some(owner));
    }
    let settings = topic::Settings {
        display_name: declared.display_name.clone(),
        policy,
        kms_key: blueprint.declaration.kms_key(declared.kms_key.as_ref()),
        tags: blueprint.protected_tags(Kind::Topic, entry, &declared.tags, declared.protect),
        is_published_by_functions: Input(blueprint.is_published_by_functions(entry)),
        ..topic::Settings::default()
    };
    blueprint.add(of(Kind::Topic, entry), Address::of(names.name(Kind::Topic, entry)), settings, Vec::new());
    for told in &declared.subscriptions {
        subscribe(blueprint, entry, told);
    }
}

impl Blueprint<'_> {
    /// Returns `true` if some function publishes to a topic.
    fn is_published_by_functions(&self, topic: &str) -> bool {
        let mut functions = self.declaration.functions.values();
        functions.any(|function| function.publishes.iter().any(|published| published == topic))
    }
}

fn secret(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Secret) {
    if matches!(declared.source, SecretSource::Existing(_)) {
        return;
    }
    let settings = secret::Settings {
        description: declared.description.clone(),
        kms_key: blueprint.declaration.kms_key(declared.kms_key.as_ref()),
        tags: blueprint.protected_tags(Kind::Secret, entry, &declared.tags, declared.protect),
        ..secret::Settings::default()
    };
    let address = Address::of(blueprint.names().name(Kind::Secret, entry));
    blueprint.add(of(Kind::Secret, entry), address, settings, Vec::new());
}
