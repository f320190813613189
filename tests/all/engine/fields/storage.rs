//! Buckets, statements in the policies of other people's buckets, and queues.

use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketVersioningStatus, ExpirationStatus, LifecycleExpiration, LifecycleRule,
    LifecycleRuleFilter, ObjectOwnership, OwnershipControls, OwnershipControlsRule, PublicAccessBlockConfiguration,
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
    Tag, Tagging, VersioningConfiguration,
};
use aws_sdk_sqs::types::QueueAttributeName as Name;
use serde_json::{Value, json};

use super::{super::existing, Case, case};
use crate::stack::Trial;

pub(super) const CASES: &[Case] = &[
    case("bucket", "mail", "public_access.block_acls", |trial| block(trial, [false, true, true, true])),
    case("bucket", "mail", "public_access.ignore_acls", |trial| block(trial, [true, false, true, true])),
    case("bucket", "mail", "public_access.block_policy", |trial| block(trial, [true, true, false, true])),
    case("bucket", "mail", "public_access.restrict_buckets", |trial| block(trial, [true, true, true, false])),
    case("bucket", "mail", "ownership", ownership),
    case("bucket", "mail", "encryption.algorithm", |trial| encrypt(trial, "aws:kms", None, false)),
    case("bucket", "mail", "encryption.kms_key", |trial| encrypt(trial, "aws:kms", Some("alias/theirs"), false)),
    case("bucket", "mail", "encryption.bucket_key", |trial| encrypt(trial, "AES256", None, true)),
    case("bucket", "mail", "versioning", versioning),
    case("bucket", "mail", "lifecycle.expire_days.*", |trial| {
        lifecycle(trial, INBOUND, |rule| rule.expiration.as_mut().unwrap().days = Some(1));
    }),
    case("bucket", "mail", "lifecycle.expire_days.*", |trial| lifecycle(trial, INBOUND, |rule| rule.expiration = None)),
    case("bucket", "mail", "lifecycle.expire_days.*", |trial| one_more_rule(trial, "provision calendar/", "calendar/")),
    case("bucket", "mail", "lifecycle.noncurrent_days.*", |trial| {
        lifecycle(trial, INBOUND, |rule| {
            rule.noncurrent_version_expiration.as_mut().unwrap().noncurrent_days = Some(1);
        });
    }),
    case("bucket", "mail", "lifecycle.abort_incomplete_days", |trial| {
        lifecycle(trial, "provision", |rule| {
            let days = AbortIncompleteMultipartUpload::builder().days_after_initiation(1).build();
            rule.abort_incomplete_multipart_upload = Some(days);
        });
    }),
    case("bucket", "mail", "lifecycle.others.*", |trial| one_more_rule(trial, "tidy", "inbound/")),
    case("bucket", "mail", "policy.*", |trial| policy(trial, |statement| statement["Resource"] = json!(ALL))),
    case("bucket", "mail", "policy.*", one_more_statement),
    case("bucket", "mail", "tags.*", |trial| tags(trial, &[("team", "somebody else")])),
    case("bucket", "mail", "tags.*", |trial| tags(trial, &[("team", "network"), ("by-hand", "yes")])),
    case("bucket statement", "archive.rest", "effect", |trial| ours(trial, |one| one["Effect"] = json!("Deny"))),
    case("bucket statement", "archive.rest", "principals", |trial| {
        ours(trial, |one| one["Principal"] = json!({"Service": ["ses.amazonaws.com", "sns.amazonaws.com"]}));
    }),
    case("bucket statement", "archive.rest", "actions", |trial| ours(trial, |one| one["Action"] = json!("s3:Put*"))),
    case("bucket statement", "archive.rest", "resources", |trial| {
        ours(trial, |one| one["Resource"] = json!("arn:aws:s3:::company-archive/*"));
    }),
    case("bucket statement", "archive.rest", "conditions.*", |trial| {
        ours(trial, |one| one["Condition"]["StringEquals"] = json!({"aws:SourceAccount": "210987654321"}));
    }),
    case("bucket statement", "archive.rest", "other.*", |trial| {
        ours(trial, |one| {
            one.as_object_mut().unwrap().remove("Action");
            one["NotAction"] = json!("s3:GetObject");
        });
    }),
    case("queue", "events", "retention", |trial| queue(trial, Name::MessageRetentionPeriod, "60")),
    case("queue", "events", "visibility_timeout", |trial| queue(trial, Name::VisibilityTimeout, "1")),
    case("queue", "events", "delay", |trial| queue(trial, Name::DelaySeconds, "5")),
    case("queue", "events", "receive_wait", |trial| queue(trial, Name::ReceiveMessageWaitTimeSeconds, "5")),
    case("queue", "events", "maximum_message_size", |trial| queue(trial, Name::MaximumMessageSize, "2048")),
    case("queue", "events", "managed_encryption", |trial| queue(trial, Name::SqsManagedSseEnabled, "true")),
    case("queue", "events", "kms_key", |trial| queue(trial, Name::KmsMasterKeyId, "alias/theirs")),
    case("queue", "events", "redrive.*", redrive),
    case("queue", "failed", "redrive.*", |trial| {
        let policy =
            json!({"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:123456789012:circuits-events", "maxReceiveCount": 2});
        set(trial, "circuits-failed", Name::RedrivePolicy, &policy.to_string());
    }),
    case("queue", "events", "policy.*", queue_policy),
    case("queue", "failed", "policy.*", |trial| {
        let statement = json!({"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"});
        let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
        set(trial, "circuits-failed", Name::Policy, &policy.to_string());
    }),
    case("queue", "events", "tags.*", |trial| {
        let account = &trial.account;
        account
            .wait(account.sqs.untag_queue().queue_url(url(trial, "circuits-events")).tag_keys("team").send())
            .unwrap();
    }),
];

/// The id of our lifecycle rule for the mails.
const INBOUND: &str = "provision inbound/";
const BUCKET: &str = "circuits-mail-123456789012-eu-west-1";
const ALL: &str = "arn:aws:s3:::circuits-mail-123456789012-eu-west-1/*";

fn block(trial: &Trial, [acls, ignore, policy, restrict]: [bool; 4]) {
    let block = PublicAccessBlockConfiguration::builder().block_public_acls(acls).ignore_public_acls(ignore);
    let block = block.block_public_policy(policy).restrict_public_buckets(restrict).build();
    let call = trial.account.s3.put_public_access_block().bucket(BUCKET).public_access_block_configuration(block);
    trial.account.wait(call.send()).unwrap();
}

fn ownership(trial: &Trial) {
    let rule =
        OwnershipControlsRule::builder().object_ownership(ObjectOwnership::BucketOwnerPreferred).build().unwrap();
    let controls = OwnershipControls::builder().rules(rule).build().unwrap();
    let call = trial.account.s3.put_bucket_ownership_controls().bucket(BUCKET).ownership_controls(controls);
    trial.account.wait(call.send()).unwrap();
}

fn encrypt(trial: &Trial, algorithm: &str, key: Option<&str>, bucket_key: bool) {
    let chosen = ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::from(algorithm));
    let chosen = chosen.set_kms_master_key_id(key.map(str::to_owned)).build().unwrap();
    let rule = ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(chosen);
    let rule = rule.bucket_key_enabled(bucket_key).build();
    let encryption = ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap();
    let call = trial.account.s3.put_bucket_encryption().bucket(BUCKET);
    trial.account.wait(call.server_side_encryption_configuration(encryption).send()).unwrap();
}

fn versioning(trial: &Trial) {
    let off = VersioningConfiguration::builder().status(BucketVersioningStatus::Suspended).build();
    let call = trial.account.s3.put_bucket_versioning().bucket(BUCKET).versioning_configuration(off);
    trial.account.wait(call.send()).unwrap();
}

fn rules(trial: &Trial) -> Vec<LifecycleRule> {
    let call = trial.account.s3.get_bucket_lifecycle_configuration().bucket(BUCKET);
    trial.account.wait(call.send()).unwrap().rules.unwrap()
}

fn write_rules(trial: &Trial, rules: Vec<LifecycleRule>) {
    let rules = aws_sdk_s3::types::BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().unwrap();
    let call = trial.account.s3.put_bucket_lifecycle_configuration().bucket(BUCKET).lifecycle_configuration(rules);
    trial.account.wait(call.send()).unwrap();
}

/// Changes our rule with this id.
fn lifecycle(trial: &Trial, id: &str, change: impl Fn(&mut LifecycleRule)) {
    let mut rules = rules(trial);
    change(rules.iter_mut().find(|rule| rule.id.as_deref() == Some(id)).unwrap());
    write_rules(trial, rules);
}

fn one_more_rule(trial: &Trial, id: &str, prefix: &str) {
    let rule = LifecycleRule::builder().id(id).status(ExpirationStatus::Enabled);
    let rule = rule.filter(LifecycleRuleFilter::builder().prefix(prefix).build());
    let rule = rule.expiration(LifecycleExpiration::builder().days(1).build()).build().unwrap();
    write_rules(trial, rules(trial).into_iter().chain([rule]).collect());
}

fn document(trial: &Trial) -> Value {
    let answer = trial.account.wait(trial.account.s3.get_bucket_policy().bucket(BUCKET).send()).unwrap();
    serde_json::from_str(answer.policy().unwrap()).unwrap()
}

fn write_policy(trial: &Trial, document: &Value) {
    let call = trial.account.s3.put_bucket_policy().bucket(BUCKET).policy(document.to_string());
    trial.account.wait(call.send()).unwrap();
}

/// Changes the statement that permits SES to write.
fn policy(trial: &Trial, change: impl Fn(&mut Value)) {
    let mut document = document(trial);
    let mut statements = document["Statement"].as_array_mut().unwrap().iter_mut();
    change(statements.find(|one| one["Effect"] == "Allow").unwrap());
    write_policy(trial, &document);
}

fn one_more_statement(trial: &Trial) {
    let mut document = document(trial);
    let role = "arn:aws:iam::123456789012:root";
    let statement = json!({"Effect": "Allow", "Principal": {"AWS": role}, "Action": "s3:GetObject", "Resource": ALL});
    document["Statement"].as_array_mut().unwrap().push(statement);
    write_policy(trial, &document);
}

fn tags(trial: &Trial, changed: &[(&str, &str)]) {
    let answer = trial.account.wait(trial.account.s3.get_bucket_tagging().bucket(BUCKET).send()).unwrap();
    let kept = answer.tag_set.into_iter().filter(|tag| tag.key != "team");
    let changed = changed.iter().map(|(key, value)| Tag::builder().key(*key).value(*value).build().unwrap());
    let tagging = Tagging::builder().set_tag_set(Some(kept.chain(changed).collect())).build().unwrap();
    trial.account.wait(trial.account.s3.put_bucket_tagging().bucket(BUCKET).tagging(tagging).send()).unwrap();
}

/// Changes our statement in somebody's policy.
fn ours(trial: &Trial, change: impl Fn(&mut Value)) {
    let mut document = existing::policy(&trial.account);
    let mut statements = document["Statement"].as_array_mut().unwrap().iter_mut();
    change(statements.find(|one| one["Sid"] == "circuits.eu-west-1.archive.rest").unwrap());
    existing::write(&trial.account, &document);
}

fn url(trial: &Trial, name: &str) -> String {
    trial.account.wait(trial.account.sqs.get_queue_url().queue_name(name).send()).unwrap().queue_url.unwrap()
}

fn set(trial: &Trial, queue: &str, name: Name, value: &str) {
    let call = trial.account.sqs.set_queue_attributes().queue_url(url(trial, queue)).attributes(name, value);
    trial.account.wait(call.send()).unwrap();
}

fn queue(trial: &Trial, name: Name, value: &str) {
    set(trial, "circuits-events", name, value);
}

fn attribute(trial: &Trial, name: &Name) -> Value {
    let call = trial.account.sqs.get_queue_attributes().queue_url(url(trial, "circuits-events"));
    let answer = trial.account.wait(call.attribute_names(name.clone()).send()).unwrap();
    serde_json::from_str(&answer.attributes.unwrap()[name]).unwrap()
}

fn redrive(trial: &Trial) {
    let mut policy = attribute(trial, &Name::RedrivePolicy);
    policy["maxReceiveCount"] = json!(99);
    queue(trial, Name::RedrivePolicy, &policy.to_string());
}

fn queue_policy(trial: &Trial) {
    let mut policy = attribute(trial, &Name::Policy);
    policy["Statement"][0]["Principal"] = json!("*");
    queue(trial, Name::Policy, &policy.to_string());
}
