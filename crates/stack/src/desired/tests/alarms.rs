//! Tests what each alarm is in CloudWatch's words, beside the table that it is made from.

use serde_json::{Value, json};

use replaced::Replaced as _;

use super::*;
use declaration::AlarmKind;

/// Something of everything that is watched.
const DECLARATION: &str = "\
stack: circuits
region: eu-west-1
apis: {hook: {routes: [{route: POST /, invoke: receiver, authentication: {scheme: bearer, secret: TOKEN}}]}}
functions:
  receiver: {crate: a, secrets: {TOKEN: token}}
  worker: {crate: a, timeout: 10s, consumes: {queue: jobs}}
  tracker: {crate: a, on_failure: failed}
queues: {failed: {retention: 2d}, jobs: {visibility_timeout: 1m}, orders: {}}
secrets: {token: {value_from: {environment: TOKEN}}}
topics: {heard: {subscriptions: [{function: tracker}]}}
configuration_sets: {sent: {events: {all: {topic: heard, types: [send, delivery]}}, reputation_metrics: true}}
networks: {main: {}}
security_groups: {data: {network: main}}
databases: {store: {network: main, security_groups: [data]}}
caches: {seen: {network: main, security_groups: [data], auth: token, replicas: 1}}
servers: {host: {network: main, security_groups: [data], receives: [orders]}}
";

/// Alarm, entry, metric, statistic, dimension, its value, comparison, threshold in the metric's unit, and what no value means. Sources of
/// the units: CloudWatch's metrics in the guides of Lambda (`Duration`, `AsyncEventAge`: milliseconds), SQS (`ApproximateAgeOfOldestMessage`:
/// seconds), SES (`Reputation.*`: a share of one), RDS (`FreeStorageSpace`: bytes), `ElastiCache` and EC2.
const ALARMS: &[(&str, &str, [&str; 5], f64, &str)] = &[
    ("errors", "worker", ["AWS/Lambda Errors", "Sum", "FunctionName", "circuits-worker", FROM], 1.0, "notBreaching"),
    (
        "throttles",
        "worker",
        ["AWS/Lambda Throttles", "Sum", "FunctionName", "circuits-worker", FROM],
        1.0,
        "notBreaching",
    ),
    (
        "duration",
        "worker",
        ["AWS/Lambda Duration", "Maximum", "FunctionName", "circuits-worker", FROM],
        9_000.0,
        "notBreaching",
    ),
    (
        "undelivered",
        "tracker",
        ["AWS/Lambda DestinationDeliveryFailures", "Sum", "FunctionName", "circuits-tracker", FROM],
        1.0,
        "notBreaching",
    ),
    (
        "messages",
        "failed",
        ["AWS/SQS ApproximateNumberOfMessagesVisible", "Maximum", "QueueName", "circuits-failed", FROM],
        1.0,
        "notBreaching",
    ),
    (
        "age",
        "failed",
        ["AWS/SQS ApproximateAgeOfOldestMessage", "Maximum", "QueueName", "circuits-failed", FROM],
        86_400.0,
        "notBreaching",
    ),
    ("server_errors", "hook", ["AWS/ApiGateway 5xx", "Sum", "ApiId", "", FROM], 1.0, "notBreaching"),
    (
        "backlog",
        "jobs",
        ["AWS/SQS ApproximateAgeOfOldestMessage", "Maximum", "QueueName", "circuits-jobs", FROM],
        3_600.0,
        "notBreaching",
    ),
    // A server takes from it, and no function does.
    (
        "backlog",
        "orders",
        ["AWS/SQS ApproximateAgeOfOldestMessage", "Maximum", "QueueName", "circuits-orders", FROM],
        3_600.0,
        "notBreaching",
    ),
    (
        "bounces",
        "sent",
        ["AWS/SES Reputation.BounceRate", "Maximum", "ses:configuration-set", "circuits-sent", FROM],
        0.025,
        "notBreaching",
    ),
    (
        "complaints",
        "sent",
        ["AWS/SES Reputation.ComplaintRate", "Maximum", "ses:configuration-set", "circuits-sent", FROM],
        0.0005,
        "notBreaching",
    ),
    (
        "lag",
        "tracker",
        ["AWS/Lambda AsyncEventAge", "Maximum", "FunctionName", "circuits-tracker", FROM],
        900_000.0,
        "notBreaching",
    ),
    (
        "database_cpu",
        "store",
        ["AWS/RDS CPUUtilization", "Average", "DBInstanceIdentifier", "circuits-store", FROM],
        80.0,
        "notBreaching",
    ),
    (
        "database_storage",
        "store",
        ["AWS/RDS FreeStorageSpace", "Minimum", "DBInstanceIdentifier", "circuits-store", "LessThanOrEqualToThreshold"],
        4_294_967_296.0,
        "notBreaching",
    ),
    (
        "database_connections",
        "store",
        ["AWS/RDS DatabaseConnections", "Maximum", "DBInstanceIdentifier", "circuits-store", FROM],
        50.0,
        "notBreaching",
    ),
    (
        "cache_cpu",
        "seen",
        ["AWS/ElastiCache CPUUtilization", "Average", "CacheClusterId", "circuits-seen-001", FROM],
        90.0,
        "notBreaching",
    ),
    (
        "cache_memory",
        "seen",
        ["AWS/ElastiCache DatabaseMemoryUsagePercentage", "Maximum", "CacheClusterId", "circuits-seen-001", FROM],
        80.0,
        "notBreaching",
    ),
    (
        "cache_evictions",
        "seen",
        ["AWS/ElastiCache Evictions", "Sum", "CacheClusterId", "circuits-seen-001", FROM],
        100.0,
        "notBreaching",
    ),
    ("server_cpu", "host", ["AWS/EC2 CPUUtilization", "Average", "InstanceId", "", FROM], 80.0, "notBreaching"),
    ("server_status", "host", ["AWS/EC2 StatusCheckFailed", "Sum", "InstanceId", "", FROM], 2.0, "breaching"),
];

/// It fires from its threshold on.
const FROM: &str = "GreaterThanOrEqualToThreshold";

#[test]
fn every_alarm_watches_its_metric_in_its_unit_and_fires_on_the_right_side() {
    let resources = all(DECLARATION, &RuleSet::Own);
    for (name, entry, words, threshold, missing) in ALARMS {
        let alarm = tree(&resources, Kind::Alarm, &format!("{entry}-{name}"));
        let text = |key: &str| alarm[key].as_str().unwrap_or_default().to_owned();
        let (dimension, watched) = alarm["dimensions"].as_object().unwrap().iter().next().unwrap();
        // An id is known when it is made.
        let watched = if words[3].is_empty() { "" } else { watched.as_str().unwrap() };
        let metric = format!("{} {}", text("namespace"), text("metric"));
        let told = [metric.as_str(), &text("statistic"), dimension, watched, &text("comparison")];
        assert_eq!(told, *words, "{entry}-{name}");
        assert_eq!(alarm["threshold"], json!(threshold), "{entry}-{name}");
        assert_eq!((text("missing_data"), &alarm["period"]), ((*missing).to_owned(), &json!(300)), "{entry}-{name}");
    }
    let untold = AlarmKind::ALL.iter().filter(|kind| !ALARMS.iter().any(|row| row.0 == kind.measure().name));
    assert_eq!(untold.count(), 0, "an alarm is in no row here");
}

#[test]
fn each_node_of_a_cache_has_its_alarms() {
    let resources = all(DECLARATION, &RuleSet::Own);
    let nodes = resources.iter().filter(|one| one.id.kind == Kind::Alarm).filter_map(|one| {
        let dimension = one.settings.tree()["dimensions"]["CacheClusterId"].clone();
        if let Value::String(node) = dimension { Some(node) } else { None }
    });
    let count = |node: &str| nodes.clone().filter(|one| one == node).count();
    assert_eq!((count("circuits-seen-001"), count("circuits-seen-002")), (3, 3));
}

/// An alarm fires from its threshold on: with 0 it would always fire.
#[test]
fn a_part_of_a_short_time_is_not_rounded_to_nothing() {
    let source = DECLARATION.replaced("failed: {retention: 2d}", "failed: {retention: 1m}");
    let source = format!("{source}alarms: {{thresholds: {{age: 1, duration: 1}}}}\n");
    let resources = all(&source, &RuleSet::Own);
    let threshold = |entry: &str| tree(&resources, Kind::Alarm, entry)["threshold"].clone();
    assert_eq!((threshold("failed-age"), threshold("worker-duration")), (json!(0.6), json!(100.0)));
    let alarms = resources.iter().filter(|one| one.id.kind == Kind::Alarm);
    let zero: Vec<_> = alarms.filter(|one| one.settings.tree()["threshold"] == json!(0.0)).map(|one| &one.id).collect();
    assert!(zero.is_empty(), "{zero:?}");
}

#[test]
fn a_percentage_of_what_is_not_declared_has_no_alarm() {
    let mut declaration = declared(DECLARATION);
    declaration.queues.remove("failed");
    let names = Names::new(&declaration, "123456789012");
    let (code, existing) = (BTreeMap::new(), Existing::default());
    let given = Inputs { names: &names, code: &code, artifacts: false, rule_set: &RuleSet::Own, existing: &existing };
    let resources = resources(&declaration, given);
    let has = |entry: &str| resources.iter().any(|one| one.id == Id::new(Kind::Alarm, entry));
    assert!(has("failed-messages") && !has("failed-age"));
}
