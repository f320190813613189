//! Tests a stack with a cache and a function that uses it: what the function learns and may read, that every change is told and waited for,
//! that nothing deletes the data unasked, that its password shows nowhere, and the last snapshot at its end.

use aws::query::{Call, Element};
use serde_json::Value;

use super::{
    Trial, VALUE, actions,
    networks::{Network, made},
};
use crate::{effort::Effort, harness::Run};

const OTHER: &str = "another-hush-c52e-nobody-may-see";

fn declaration(network: &Network, of_cache: &str) -> String {
    let ([a, b], group) = (&network.subnets, &network.group);
    format!(
        "stack: tracking\nregion: eu-west-1\nfunctions:\n  worker:\n    use: standin\n    caches: [seen]\n    vpc: {{subnets: [{a}, {b}], security_groups: [{group}]}}\nsecrets:\n  token: {{value_from: {{environment: TRY_TOKEN}}}}\ncaches:\n  seen: {{subnets: [{a}, {b}], security_groups: [{group}], auth: token, {of_cache}}}\n"
    )
}

fn elasticache(trial: &Trial, call: &Call) -> Element {
    trial.account.wait(trial.account.elasticache.call(call)).unwrap()
}

fn cache(trial: &Trial) -> Element {
    let answer =
        elasticache(trial, &Call::new("DescribeReplicationGroups").with("ReplicationGroupId", "tracking-seen"));
    answer.list("DescribeReplicationGroupsResult/ReplicationGroups")[0].clone()
}

fn snapshots(trial: &Trial) -> Vec<String> {
    let answer = elasticache(trial, &Call::new("DescribeSnapshots"));
    answer.texts("DescribeSnapshotsResult/Snapshots", "SnapshotName").collect()
}

fn words(run: &Run) -> String {
    let all = format!("{} {}", run.stdout(), run.stderr());
    for value in [VALUE, OTHER] {
        assert!(!all.contains(value), "a password is shown: {run}");
    }
    all.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Makes a network in which the function has a way to Secrets Manager.
fn network(trial: &Trial) -> Network {
    let network = Network::make(&trial.account);
    let call = Call::new("CreateRoute").with("RouteTableId", &network.table).with("DestinationCidrBlock", "0.0.0.0/0");
    made(&trial.account, &call.with("NatGatewayId", "nat-0123456789abcdef0"), "return");
    network
}

fn alarms(trial: &Trial) -> Vec<String> {
    let answer = trial.account.wait(trial.account.alarms.describe_alarms().send()).unwrap();
    let of = |alarm: &aws_sdk_cloudwatch::types::MetricAlarm| {
        let dimension = alarm.dimensions().first()?;
        let node = dimension.value().filter(|_| dimension.name() == Some("CacheClusterId"))?;
        Some(format!("{} {node}", alarm.metric_name().unwrap_or_default()))
    };
    let mut found: Vec<String> = answer.metric_alarms().iter().filter_map(of).collect();
    found.sort();
    found
}

#[test]
fn a_cache_comes_with_its_password_and_goes_by_name_alone_with_a_last_snapshot() {
    let Some(trial) = Trial::new("stack: none\nregion: eu-west-1\n") else { return };
    let network = network(&trial);
    trial.folder.write("infra.yaml", declaration(&network, ""));
    let plan = trial.expect(0, &["up", "--dry-run"]);
    assert!(words(&plan).contains("cache `seen` costs some 9 US dollars a month"), "{plan}");
    let up = words(&trial.expect(0, &["up", "--yes"]));
    assert!(up.contains("more than now, by AWS's prices of"), "{up}");
    // `up` has waited until it was made.
    let made = cache(&trial);
    assert_eq!(made.text("Status"), "available");
    for (path, value) in [
        ("TransitEncryptionEnabled", "true"),
        ("TransitEncryptionMode", "required"),
        ("AtRestEncryptionEnabled", "true"),
        ("AuthTokenEnabled", "true"),
        ("SnapshotRetentionLimit", "7"),
    ] {
        assert_eq!(made.text(path), value, "{path}");
    }
    let host = made.list("NodeGroups")[0].text("PrimaryEndpoint/Address").to_owned();
    let call = trial.account.lambda.get_function_configuration().function_name("tracking-worker");
    let environment = trial.account.wait(call.send()).unwrap().environment.unwrap().variables.unwrap();
    let context: Value = serde_json::from_str(&environment["PROVISION_CONTEXT"]).unwrap();
    let expected = serde_json::json!({"host": host, "port": 6379, "tls": true, "secret": "tracking-token"});
    assert_eq!(context["caches"]["seen"], expected);
    let call = trial.account.iam.get_role_policy().role_name("tracking-worker-eu-west-1").policy_name("provision");
    let policy = trial.account.wait(call.send()).unwrap().policy_document;
    let policy = percent_encoding::percent_decode_str(&policy).decode_utf8().unwrap().into_owned();
    let policy: Value = serde_json::from_str(&policy).unwrap();
    let reads = policy["Statement"].as_array().unwrap().iter().find(|one| one["Sid"] == "ReadSecrets").unwrap();
    assert!(reads["Resource"].to_string().contains("secret:tracking-token-??????"), "{reads}");
    let node = "tracking-seen-001";
    let expected =
        ["CPUUtilization", "DatabaseMemoryUsagePercentage", "Evictions"].map(|metric| format!("{metric} {node}"));
    assert_eq!(alarms(&trial), expected);
    assert_eq!(actions(&trial.diff()), [""; 0]);

    // Another port is another cache: not unasked.
    trial.folder.write("infra.yaml", declaration(&network, "port: 6380"));
    let refused = trial.run(&["up", "--yes"]);
    assert_ne!(refused.code(), Some(0), "{refused}");
    assert_eq!(cache(&trial).list("NodeGroups")[0].text("PrimaryEndpoint/Port"), "6379");

    // It is declared no longer, and stays.
    trial.folder.write("infra.yaml", "stack: tracking\nregion: eu-west-1\n");
    trial.run(&["up", "--yes"]);
    assert_eq!(cache(&trial).text("Status"), "available");
    let down = trial.expect(0, &["down", "--confirm", "tracking"]);
    assert_eq!(cache(&trial).text("Status"), "available", "{down}");
    assert_eq!(snapshots(&trial), [""; 0]);
    let down = trial.expect(0, &["down", "--confirm", "tracking", "--delete-data"]);
    assert!(words(&down).contains("less than now, by AWS's prices"), "{down}");
    let [snapshot] = &snapshots(&trial)[..] else { panic!("{:?}", snapshots(&trial)) };
    assert!(snapshot.starts_with("tracking-seen-final-"), "{snapshot}");
    let left = trial.account.inventory();
    assert!(!left.iter().any(|line| line.starts_with("cache")), "{left:#?}");
}

/// Each change of a declared key, with what the plan says of it beside the change itself (nothing where it disturbs nobody), and whether it
/// is applied before the next one.
const CHANGES: &[(&str, &str, bool)] = &[
    ("snapshots: 14d", "", false),
    ("minor_upgrades: false", "", false),
    ("tags: {content: seen}", "", false),
    ("snapshot_window: 02:00-03:00", "", true),
    ("node: cache.t4g.small", "connections break for some seconds", true),
    ("version: '9.1'", "connections break for some seconds", true),
    ("replicas: 1", "makes or removes nodes", true),
    ("replicas: 0", "makes or removes nodes", true),
];

#[test]
fn every_change_of_a_cache_is_told_and_waited_for() {
    let Some(trial) = Trial::new("stack: none\nregion: eu-west-1\n") else { return };
    let network = network(&trial);
    trial.folder.write("infra.yaml", declaration(&network, ""));
    trial.up();
    let mut declared: Vec<&str> = Vec::new();
    // An upgrade goes the way of another type of node.
    let is_tried = |change: &str| Effort::asked() == Effort::Whole || !change.starts_with("version");
    for (change, told, is_applied) in CHANGES.iter().filter(|(change, ..)| is_tried(change)) {
        let key = change.split(':').next().unwrap();
        declared.retain(|other| !other.starts_with(key));
        declared.push(change);
        trial.folder.write("infra.yaml", declaration(&network, &declared.join(", ")));
        let plan = words(&trial.expect(0, &["up", "--dry-run"]));
        let said = ["connections break", "removes nodes", "restarts"].iter().any(|words| plan.contains(words));
        assert!(plan.contains(told) && said != told.is_empty(), "{change}: {plan}");
        if *is_applied {
            trial.expect(0, &["up", "--yes"]);
            let now = cache(&trial);
            assert_eq!(now.text("Status"), "available", "after {change}");
            // Not only told to be.
            let is_larger = declared.iter().any(|change| change.contains("small"));
            assert_eq!(now.text("CacheNodeType") == "cache.t4g.small", is_larger, "after {change}");
        }
    }
    assert_eq!(actions(&trial.diff()), [""; 0]);
    assert_eq!(cache(&trial).list("MemberClusters").len(), 1);
}

#[test]
fn another_password_is_taken_beside_the_one_of_before_and_then_alone() {
    let Some(trial) = Trial::new("stack: none\nregion: eu-west-1\n") else { return };
    let network = network(&trial);
    trial.folder.write("infra.yaml", declaration(&network, ""));
    trial.up();
    let secret = || {
        let call = trial.account.secrets.get_secret_value().secret_id("tracking-token");
        trial.account.wait(call.send()).unwrap().secret_string.unwrap()
    };
    let up = |value: &str, arguments: &[&str]| {
        trial.folder.finish(arguments, trial.command(arguments).env("TRY_TOKEN", value).output().unwrap())
    };
    // A value that ElastiCache would not take is refused before anything is changed.
    let refused = up("short", &["up", "--yes", "--set-secret", "token"]);
    assert_ne!(refused.code(), Some(0), "{refused}");
    assert!(words(&refused).contains("16 to 128 characters"), "{refused}");
    assert_eq!(secret(), VALUE);
    for passwords in ["2", "1"] {
        let run = up(OTHER, &["up", "--yes", "--set-secret", "token"]);
        assert_eq!(run.code(), Some(0), "{run}");
        words(&run);
        assert_eq!(secret(), OTHER);
        let now = cache(&trial);
        assert_eq!((now.text("Status"), now.text("_Passwords")), ("available", passwords));
    }
    assert_eq!(actions(&trial.diff()), [""; 0]);
}
