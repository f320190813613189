//! The kinds with tags, one resource of each in a whole stack, and how its tags are read and written behind our back.

use std::collections::BTreeMap;

use aws_sdk_iam::types::Tag as RoleTag;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration, Tag as BucketTag, Tagging};
use aws_sdk_secretsmanager::types::Tag as SecretTag;
use aws_sdk_sns::types::Tag as TopicTag;

use crate::emulator::{account::Account, server::REGION};

/// A kind with tags, one of the stack's of that kind, and how its tags are read and written.
pub(crate) struct Case {
    pub(crate) kind: &'static str,
    pub(crate) entry: &'static str,
    pub(crate) name: &'static str,
    pub(crate) read: fn(&Account, &str) -> Option<BTreeMap<String, String>>,
    pub(crate) tag: fn(&Account, &str, &str, &str),
    pub(crate) untag: fn(&Account, &str),
}

/// Key of the tag that names the stack.
pub(crate) const STACK: &str = "provision:stack";
/// Key of the tag that names the entry.
pub(crate) const ENTRY: &str = "provision:id";

pub(crate) const CASES: &[Case] = &[
    Case {
        kind: "bucket",
        entry: "mail",
        name: "circuits-mail-123456789012-eu-west-1",
        read: bucket_tags,
        tag: tag_bucket,
        untag: untag_bucket,
    },
    Case {
        kind: "queue",
        entry: "events",
        name: "circuits-events",
        read: queue_tags,
        tag: tag_queue,
        untag: untag_queue,
    },
    Case {
        kind: "role",
        entry: "reader",
        name: "circuits-reader-eu-west-1",
        read: role_tags,
        tag: tag_role,
        untag: untag_role,
    },
    Case {
        kind: "log group",
        entry: "reader",
        name: "/aws/lambda/circuits-reader",
        read: group_tags,
        tag: tag_group,
        untag: untag_group,
    },
    Case {
        kind: "function",
        entry: "reader",
        name: "circuits-reader",
        read: function_tags,
        tag: tag_function,
        untag: untag_function,
    },
    Case { kind: "topic", entry: "news", name: "circuits-news", read: topic_tags, tag: tag_topic, untag: untag_topic },
    Case {
        kind: "secret",
        entry: "token",
        name: "circuits-token",
        read: secret_tags,
        tag: tag_secret,
        untag: untag_secret,
    },
    Case {
        kind: "alarm",
        entry: "reader-errors",
        name: "circuits-reader-errors",
        read: alarm_tags,
        tag: tag_alarm,
        untag: untag_alarm,
    },
];

fn arn(service: &str, name: &str) -> String {
    format!("arn:aws:{service}:eu-west-1:123456789012:{name}")
}

fn bucket_tags(account: &Account, name: &str) -> Option<BTreeMap<String, String>> {
    let answer = account.wait(account.s3.get_bucket_tagging().bucket(name).send());
    let is_there = account.wait(account.s3.head_bucket().bucket(name).send()).is_ok();
    let tags = answer.map(|answer| answer.tag_set).unwrap_or_default();
    is_there.then(|| tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

fn write_bucket(account: &Account, name: &str, tags: BTreeMap<String, String>) {
    let tags = tags.into_iter().map(|(key, value)| BucketTag::builder().key(key).value(value).build().unwrap());
    let tagging = Tagging::builder().set_tag_set(Some(tags.collect())).build().unwrap();
    account.wait(account.s3.put_bucket_tagging().bucket(name).tagging(tagging).send()).unwrap();
}

fn tag_bucket(account: &Account, name: &str, key: &str, value: &str) {
    let mut tags = bucket_tags(account, name).unwrap();
    tags.insert(key.to_owned(), value.to_owned());
    write_bucket(account, name, tags);
}

fn untag_bucket(account: &Account, name: &str) {
    let mut tags = bucket_tags(account, name).unwrap();
    tags.retain(|key, _| key != STACK && key != ENTRY);
    write_bucket(account, name, tags);
}

fn url(account: &Account, name: &str) -> Option<String> {
    account.wait(account.sqs.get_queue_url().queue_name(name).send()).ok()?.queue_url
}

fn queue_tags(account: &Account, name: &str) -> Option<BTreeMap<String, String>> {
    let answer = account.wait(account.sqs.list_queue_tags().queue_url(url(account, name)?).send()).unwrap();
    Some(answer.tags.unwrap_or_default().into_iter().collect())
}

fn tag_queue(account: &Account, name: &str, key: &str, value: &str) {
    let call = account.sqs.tag_queue().queue_url(url(account, name).unwrap()).tags(key, value);
    account.wait(call.send()).unwrap();
}

fn untag_queue(account: &Account, name: &str) {
    let call = account.sqs.untag_queue().queue_url(url(account, name).unwrap()).tag_keys(STACK).tag_keys(ENTRY);
    account.wait(call.send()).unwrap();
}

fn role_tags(account: &Account, name: &str) -> Option<BTreeMap<String, String>> {
    let answer = account.wait(account.iam.list_role_tags().role_name(name).send()).ok()?;
    Some(answer.tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

fn tag_role(account: &Account, name: &str, key: &str, value: &str) {
    let tag = RoleTag::builder().key(key).value(value).build().unwrap();
    account.wait(account.iam.tag_role().role_name(name).tags(tag).send()).unwrap();
}

fn untag_role(account: &Account, name: &str) {
    account.wait(account.iam.untag_role().role_name(name).tag_keys(STACK).tag_keys(ENTRY).send()).unwrap();
}

fn group_tags(account: &Account, name: &str) -> Option<BTreeMap<String, String>> {
    let call = account.logs.list_tags_for_resource().resource_arn(arn("logs", &format!("log-group:{name}")));
    Some(account.wait(call.send()).ok()?.tags.unwrap_or_default().into_iter().collect())
}

fn tag_group(account: &Account, name: &str, key: &str, value: &str) {
    let call = account.logs.tag_resource().resource_arn(arn("logs", &format!("log-group:{name}"))).tags(key, value);
    account.wait(call.send()).unwrap();
}

fn untag_group(account: &Account, name: &str) {
    let call = account.logs.untag_resource().resource_arn(arn("logs", &format!("log-group:{name}")));
    account.wait(call.tag_keys(STACK).tag_keys(ENTRY).send()).unwrap();
}

fn function_tags(account: &Account, name: &str) -> Option<BTreeMap<String, String>> {
    let answer = account.wait(account.lambda.get_function().function_name(name).send()).ok()?;
    Some(answer.tags.unwrap_or_default().into_iter().collect())
}

fn tag_function(account: &Account, name: &str, key: &str, value: &str) {
    let call = account.lambda.tag_resource().resource(arn("lambda", &format!("function:{name}"))).tags(key, value);
    account.wait(call.send()).unwrap();
}

fn untag_function(account: &Account, name: &str) {
    let call = account.lambda.untag_resource().resource(arn("lambda", &format!("function:{name}")));
    account.wait(call.tag_keys(STACK).tag_keys(ENTRY).send()).unwrap();
}

fn topic_tags(account: &Account, name: &str) -> Option<BTreeMap<String, String>> {
    account.wait(account.sns.get_topic_attributes().topic_arn(arn("sns", name)).send()).ok()?;
    let answer = account.wait(account.sns.list_tags_for_resource().resource_arn(arn("sns", name)).send()).ok()?;
    Some(answer.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect())
}

fn tag_topic(account: &Account, name: &str, key: &str, value: &str) {
    let tag = TopicTag::builder().key(key).value(value).build().unwrap();
    account.wait(account.sns.tag_resource().resource_arn(arn("sns", name)).tags(tag).send()).unwrap();
}

fn untag_topic(account: &Account, name: &str) {
    let call = account.sns.untag_resource().resource_arn(arn("sns", name)).tag_keys(STACK).tag_keys(ENTRY);
    account.wait(call.send()).unwrap();
}

fn secret_tags(account: &Account, name: &str) -> Option<BTreeMap<String, String>> {
    let answer = account.wait(account.secrets.describe_secret().secret_id(name).send()).ok()?;
    let is_there = answer.deleted_date.is_none();
    let tags = answer.tags.unwrap_or_default().into_iter();
    is_there.then(|| tags.map(|tag| (tag.key.unwrap(), tag.value.unwrap())).collect())
}

fn tag_secret(account: &Account, name: &str, key: &str, value: &str) {
    let tag = SecretTag::builder().key(key).value(value).build();
    account.wait(account.secrets.tag_resource().secret_id(name).tags(tag).send()).unwrap();
}

fn untag_secret(account: &Account, name: &str) {
    let call = account.secrets.untag_resource().secret_id(name).tag_keys(STACK).tag_keys(ENTRY);
    account.wait(call.send()).unwrap();
}

fn alarm_tags(account: &Account, name: &str) -> Option<BTreeMap<String, String>> {
    let alarms = account.wait(account.alarms.describe_alarms().alarm_names(name).send()).unwrap();
    alarms.metric_alarms.filter(|alarms| !alarms.is_empty())?;
    let call = account.alarms.list_tags_for_resource().resource_arn(arn("cloudwatch", &format!("alarm:{name}")));
    let tags = account.wait(call.send()).unwrap().tags.unwrap_or_default();
    Some(tags.into_iter().map(|tag| (tag.key.unwrap(), tag.value.unwrap())).collect())
}

fn tag_alarm(account: &Account, name: &str, key: &str, value: &str) {
    let tag = aws_sdk_cloudwatch::types::Tag::builder().key(key).value(value).build();
    let call = account.alarms.tag_resource().resource_arn(arn("cloudwatch", &format!("alarm:{name}"))).tags(tag);
    account.wait(call.send()).unwrap();
}

fn untag_alarm(account: &Account, name: &str) {
    let call = account.alarms.untag_resource().resource_arn(arn("cloudwatch", &format!("alarm:{name}")));
    account.wait(call.tag_keys(STACK).tag_keys(ENTRY).send()).unwrap();
}

/// The tags of all cases' resources; `None` for what is gone.
pub(crate) fn all_tags(account: &Account) -> Vec<Option<BTreeMap<String, String>>> {
    CASES.iter().map(|case| (case.read)(account, case.name)).collect()
}

/// Makes something of each kind that has a name of somebody's and says that it is our stack's.
pub(crate) fn copies(account: &Account) -> Vec<(&'static Case, &'static str)> {
    const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let place = BucketLocationConstraint::from(REGION);
    let place = CreateBucketConfiguration::builder().location_constraint(place).build();
    let call = account.s3.create_bucket().bucket("theirs-copied").create_bucket_configuration(place);
    account.wait(call.send()).unwrap();
    account.wait(account.sqs.create_queue().queue_name("theirs").send()).unwrap();
    // In our path, even.
    let call = account.iam.create_role().role_name("theirs").path("/provision/circuits.eu-west-1/");
    account.wait(call.assume_role_policy_document(TRUST).send()).unwrap();
    account.wait(account.logs.create_log_group().log_group_name("/aws/lambda/theirs").send()).unwrap();
    account.wait(account.sns.create_topic().name("theirs").send()).unwrap();
    account.wait(account.secrets.create_secret().name("theirs/token").secret_string("theirs").send()).unwrap();
    let call = account.alarms.put_metric_alarm().alarm_name("theirs").namespace("Theirs").metric_name("Errors");
    let call = call.statistic(aws_sdk_cloudwatch::types::Statistic::Sum).period(60).evaluation_periods(1);
    let comparison = aws_sdk_cloudwatch::types::ComparisonOperator::GreaterThanThreshold;
    account.wait(call.threshold(1.0).comparison_operator(comparison).send()).unwrap();
    let names = [
        ("bucket", "theirs-copied"),
        ("queue", "theirs"),
        ("role", "theirs"),
        ("log group", "/aws/lambda/theirs"),
        ("topic", "theirs"),
        ("secret", "theirs/token"),
        ("alarm", "theirs"),
    ];
    let case = |kind: &str| CASES.iter().find(|case| case.kind == kind).unwrap();
    names.into_iter().map(|(kind, name)| (case(kind), name)).collect()
}
