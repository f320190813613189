//! Topics, subscriptions, secrets and alarms.

use aws_sdk_cloudwatch::{
    operation::put_metric_alarm::builders::PutMetricAlarmFluentBuilder as Put,
    types::{ComparisonOperator, Dimension, StandardUnit, Statistic, Tag as AlarmTag},
};
use aws_sdk_secretsmanager::types::Tag as SecretTag;
use aws_sdk_sns::types::Tag;
use serde_json::json;

use super::{Case, case};
use crate::{harness::replaced, stack::Trial};

pub(super) const CASES: &[Case] = &[
    case("topic", "news", "display_name", |trial| topic(trial, "DisplayName", "by hand")),
    case("topic", "news", "policy.*", topic_policy),
    case("topic", "news", "kms_key", |trial| topic(trial, "KmsMasterKeyId", "alias/theirs")),
    case("topic", "news", "tags.*", |trial| {
        let tag = Tag::builder().key("by-hand").value("yes").build().unwrap();
        trial.account.wait(trial.account.sns.tag_resource().resource_arn(TOPIC).tags(tag).send()).unwrap();
    }),
    case("subscription", "news.sqs:events", "raw_delivery", |trial| subscription(trial, "RawMessageDelivery", "false")),
    case("subscription", "news.sqs:events", "filter.*", |trial| {
        subscription(trial, "FilterPolicy", r#"{"kind": ["theirs"]}"#);
    }),
    case("subscription", "news.sqs:events", "redrive", |trial| {
        let policy = r#"{"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:123456789012:circuits-failed"}"#;
        subscription(trial, "RedrivePolicy", policy);
    }),
    case("secret", "token", "description", |trial| {
        let account = &trial.account;
        account.wait(account.secrets.update_secret().secret_id(SECRET).description("by hand").send()).unwrap();
    }),
    case("secret", "token", "kms_key", |trial| {
        let account = &trial.account;
        account.wait(account.secrets.update_secret().secret_id(SECRET).kms_key_id("alias/theirs").send()).unwrap();
    }),
    case("secret", "token", "policy.*", |trial| {
        let statement =
            json!({"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"});
        let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
        let call = trial.account.secrets.put_resource_policy().secret_id(SECRET).resource_policy(policy.to_string());
        trial.account.wait(call.send()).unwrap();
    }),
    case("secret", "token", "tags.*", |trial| {
        let tag = SecretTag::builder().key("team").value("somebody else").build();
        trial.account.wait(trial.account.secrets.tag_resource().secret_id(SECRET).tags(tag).send()).unwrap();
    }),
    case("alarm", "reader-errors", "description", |trial| alarm(trial, |call| call.alarm_description("by hand"))),
    case("alarm", "reader-errors", "namespace", |trial| alarm(trial, |call| call.namespace("Theirs"))),
    case("alarm", "reader-errors", "metric", |trial| alarm(trial, |call| call.metric_name("Invocations"))),
    case("alarm", "reader-errors", "dimensions.*", |trial| {
        let other = Dimension::builder().name("FunctionName").value("theirs").build();
        alarm(trial, |call| call.set_dimensions(Some(vec![other])));
    }),
    case("alarm", "reader-errors", "statistic", |trial| alarm(trial, |call| call.statistic(Statistic::Maximum))),
    case("alarm", "reader-errors", "unit", |trial| alarm(trial, |call| call.unit(StandardUnit::Count))),
    case("alarm", "reader-errors", "period", |trial| alarm(trial, |call| call.period(3_600))),
    case("alarm", "reader-errors", "evaluation_periods", |trial| alarm(trial, |call| call.evaluation_periods(4))),
    case("alarm", "reader-errors", "datapoints", |trial| {
        alarm(trial, |call| call.evaluation_periods(4).datapoints_to_alarm(2));
    }),
    case("alarm", "reader-errors", "threshold", |trial| alarm(trial, |call| call.threshold(99.0))),
    case("alarm", "reader-errors", "comparison", |trial| {
        alarm(trial, |call| call.comparison_operator(ComparisonOperator::LessThanThreshold));
    }),
    case("alarm", "reader-errors", "missing_data", |trial| alarm(trial, |call| call.treat_missing_data("ignore"))),
    case("alarm", "reader-errors", "enabled", |trial| {
        let account = &trial.account;
        account.wait(account.alarms.disable_alarm_actions().alarm_names(ALARM).send()).unwrap();
    }),
    case("alarm", "reader-errors", "alarm_actions", |trial| {
        alarm(trial, |call| call.set_alarm_actions(Some(Vec::new())));
    }),
    case("alarm", "reader-errors", "ok_actions", |trial| alarm(trial, |call| call.set_ok_actions(Some(Vec::new())))),
    case("alarm", "reader-errors", "insufficient_data_actions", |trial| {
        alarm(trial, |call| call.insufficient_data_actions(TOPIC));
    }),
    case("alarm", "reader-errors", "tags.*", |trial| {
        let tag = AlarmTag::builder().key("team").value("somebody else").build();
        let arn = format!("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{ALARM}");
        trial.account.wait(trial.account.alarms.tag_resource().resource_arn(arn).tags(tag).send()).unwrap();
    }),
];

const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:circuits-news";
const SECRET: &str = "circuits-token";
const ALARM: &str = "circuits-reader-errors";

fn topic(trial: &Trial, name: &str, value: &str) {
    let call = trial.account.sns.set_topic_attributes().topic_arn(TOPIC).attribute_name(name).attribute_value(value);
    trial.account.wait(call.send()).unwrap();
}

fn topic_policy(trial: &Trial) {
    let answer = trial.account.wait(trial.account.sns.get_topic_attributes().topic_arn(TOPIC).send()).unwrap();
    let policy = replaced(&answer.attributes.unwrap()["Policy"], &[("ses.amazonaws.com", "s3.amazonaws.com")]);
    topic(trial, "Policy", &policy);
}

fn subscription(trial: &Trial, name: &str, value: &str) {
    let call = trial.account.sns.list_subscriptions_by_topic().topic_arn(TOPIC);
    let listed = trial.account.wait(call.send()).unwrap().subscriptions.unwrap();
    let queue = listed.into_iter().find(|one| one.protocol.as_deref() == Some("sqs")).unwrap();
    let call = trial.account.sns.set_subscription_attributes().subscription_arn(queue.subscription_arn.unwrap());
    trial.account.wait(call.attribute_name(name).attribute_value(value).send()).unwrap();
}

/// Writes the alarm with one change.
fn alarm(trial: &Trial, change: impl FnOnce(Put) -> Put) {
    let answer = trial.account.wait(trial.account.alarms.describe_alarms().alarm_names(ALARM).send()).unwrap();
    let live = answer.metric_alarms.unwrap().remove(0);
    let call = trial.account.alarms.put_metric_alarm().alarm_name(ALARM).set_alarm_description(live.alarm_description);
    let call = call.set_namespace(live.namespace).set_metric_name(live.metric_name).set_dimensions(live.dimensions);
    let call = call.set_statistic(live.statistic).set_unit(live.unit).set_period(live.period);
    let call = call.set_evaluation_periods(live.evaluation_periods).set_threshold(live.threshold);
    let call = call.set_comparison_operator(live.comparison_operator).set_treat_missing_data(live.treat_missing_data);
    let call = call.set_alarm_actions(live.alarm_actions).set_ok_actions(live.ok_actions);
    let call = call.set_insufficient_data_actions(live.insufficient_data_actions);
    trial.account.wait(change(call).send()).unwrap();
}
