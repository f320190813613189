//! The children that somebody adds to databases, caches, clusters of Kafka, networks and servers.

use aws::{
    json,
    query::{self, Call},
};
use serde_json::{Value, json};

use super::{Case, severe, stays};
use crate::{emulator::account::Account, stack::Trial};

/// A stack of them alone.
pub(super) const DECLARED: &str = "\
stack: circuits
region: eu-west-1
secrets:
  token: {value_from: {environment: TRY_TOKEN}}
networks: {main: {endpoints: []}}
security_groups: {web: {network: main}}
servers:
  host: {network: main, security_groups: [web], address: new}
databases:
  store: {subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b], security_groups: [sg-0a1b2c3d]}
caches:
  seen: {subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b], security_groups: [sg-0a1b2c3d], auth: token}
clusters:
  log: {subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b], security_groups: [sg-0a1b2c3d], brokers: 2}
";

/// Returns a child that is severe, with the command by which somebody ends it, and that does so.
const fn ended(case: Case, command: &'static str, end: fn(&Trial)) -> Case {
    Case { end: Some((command, end)), ..case }
}

const STORE: &str = "circuits-store";
const STORE_ARN: &str = "arn:aws:rds:eu-west-1:123456789012:db:circuits-store";
const SEEN: &str = "circuits-seen";
const ELSEWHERE: &str = "us-east-1";

pub(super) const CASES: &[Case] = &[
    stays("database", "store", "read_replicas", |trial| {
        let of = [("SourceDBInstanceIdentifier", STORE), ("DBInstanceIdentifier", "near")];
        rds(&trial.account, "CreateDBInstanceReadReplica", &of);
    }),
    stays("database", "store", "options", |trial| modify_store(trial, "OptionGroupName", "theirs")),
    stays("database", "store", "log_exports", |trial| {
        modify_store(trial, "CloudwatchLogsExportConfiguration.EnableLogTypes.member.1", "audit");
    }),
    ended(
        severe("database", "store", "read_replicas", |trial| {
            let of = [("SourceDBInstanceIdentifier", STORE_ARN), ("DBInstanceIdentifier", "far")];
            rds(&elsewhere(trial), "CreateDBInstanceReadReplica", &of);
        }),
        "aws rds promote-read-replica --region us-east-1 --db-instance-identifier far",
        |trial| rds(&elsewhere(trial), "PromoteReadReplica", &[("DBInstanceIdentifier", "far")]),
    ),
    ended(
        severe("database", "store", "backup_copies", |trial| {
            let of = [("SourceDBInstanceArn", STORE_ARN)];
            rds(&elsewhere(trial), "StartDBInstanceAutomatedBackupsReplication", &of);
        }),
        "aws rds stop-db-instance-automated-backups-replication --region us-east-1 --source-db-instance-arn arn:aws:rds:eu-west-1:123456789012:db:circuits-store",
        |trial| {
            let of = [("SourceDBInstanceArn", STORE_ARN)];
            rds(&elsewhere(trial), "StopDBInstanceAutomatedBackupsReplication", &of);
        },
    ),
    severe("database", "store", "roles", |trial| {
        let role = ("RoleArn", "arn:aws:iam::123456789012:role/theirs");
        rds(
            &trial.account,
            "AddRoleToDBInstance",
            &[("DBInstanceIdentifier", STORE), role, ("FeatureName", "s3Import")],
        );
    }),
    severe("database", "store", "activity_stream", |trial| {
        let of = [("ResourceArn", STORE_ARN), ("Mode", "async"), ("KmsKeyId", "theirs"), ("ApplyImmediately", "true")];
        rds(&trial.account, "StartActivityStream", &of);
    }),
    severe("database", "store", "directories", |trial| modify_store(trial, "Domain", "d-0a1b2c3d4e")),
    stays("cache", "seen", "logs", |trial| {
        deliver(trial, "engine-log", "cloudwatch-logs", ("CloudWatchLogsDetails.LogGroup", "/theirs"));
    }),
    severe("cache", "seen", "logs", |trial| {
        deliver(trial, "slow-log", "kinesis-firehose", ("KinesisFirehoseDetails.DeliveryStream", "theirs"));
    }),
    ended(
        severe("cache", "seen", "global_group", |trial| {
            let of = [("GlobalReplicationGroupIdSuffix", "theirs"), ("PrimaryReplicationGroupId", SEEN)];
            elasticache(trial, "CreateGlobalReplicationGroup", &of);
        }),
        "aws elasticache delete-global-replication-group --region eu-west-1 --global-replication-group-id ldgnf-theirs --retain-primary-replication-group",
        |trial| {
            let of = [("GlobalReplicationGroupId", "ldgnf-theirs"), ("RetainPrimaryReplicationGroup", "true")];
            elasticache(trial, "DeleteGlobalReplicationGroup", &of);
        },
    ),
    stays("cluster", "log", "broker_logs", |trial| {
        let logs = json!({"brokerLogs": {"s3": {"enabled": true, "bucket": "theirs"}}});
        change_log(trial, "monitoring", json!({"loggingInfo": logs}));
    }),
    stays("cluster", "log", "open_monitoring", |trial| {
        let metrics = json!({"prometheus": {"jmxExporter": {"enabledInBroker": true}}});
        change_log(trial, "monitoring", json!({"openMonitoring": metrics}));
    }),
    stays("cluster", "log", "configuration", |trial| {
        let arn = "arn:aws:kafka:eu-west-1:123456789012:configuration/theirs/0a1b2c3d-7";
        change_log(trial, "configuration", json!({"configurationInfo": {"arn": arn, "revision": 1}}));
    }),
    severe("cluster", "log", "other_networks", |trial| {
        let ways = json!({"clientAuthentication": {"sasl": {"iam": {"enabled": true}}}});
        change_log(trial, "connectivity", json!({"connectivityInfo": {"vpcConnectivity": ways}}));
    }),
    severe("cluster", "log", "policy", |trial| {
        let (arn, _) = log(trial);
        let statement = json!({
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::210987654321:root"},
            "Action": "kafka:CreateVpcConnection",
            "Resource": arn,
        });
        let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        let call = json::Call::put("PutClusterPolicy", &["v1", "clusters", &arn, "policy"], json!({"policy": policy}));
        trial.account.wait(trial.account.kafka.call(call)).unwrap();
    }),
    stays("network", "main", "ranges", |trial| {
        let call = Call::new("AssociateVpcCidrBlock").with("VpcId", id(trial, "DescribeVpcs", "vpcSet", "vpcId"));
        ec2(trial, &call.with("CidrBlock", "100.64.0.0/16"));
    }),
    ended(
        severe("route table", "main-public", "propagation", |trial| {
            let call = Call::new("EnableVgwRoutePropagation").with("RouteTableId", table(trial));
            ec2(trial, &call.with("GatewayId", "vgw-0a1b2c3d"));
        }),
        "aws ec2 disable-vgw-route-propagation --route-table-id rtb-",
        |trial| {
            let call = Call::new("DisableVgwRoutePropagation").with("RouteTableId", table(trial));
            ec2(trial, &call.with("GatewayId", "vgw-0a1b2c3d"));
        },
    ),
    stays("server", "host", "disks", |trial| {
        let server = server(trial);
        let call = Call::new("CreateVolume").with("Size", "8").with("VolumeType", "gp3");
        let call = call.with("AvailabilityZone", server.text("placement/availabilityZone"));
        let volume = ec2(trial, &call).text("volumeId").to_owned();
        let call = Call::new("AttachVolume").with("VolumeId", volume).with("Device", "/dev/sdg");
        ec2(trial, &call.with("InstanceId", server.text("instanceId")));
    }),
    stays("server", "host", "interfaces", |trial| {
        let group = server(trial).list("groupSet")[0].text("groupId").to_owned();
        attach(trial, "1", &group);
    }),
    ended(
        severe("server", "host", "interfaces", |trial| {
            let vpc = id(trial, "DescribeVpcs", "vpcSet", "vpcId");
            let call = Call::new("CreateSecurityGroup").with("GroupName", "theirs").with("GroupDescription", "theirs");
            let group = ec2(trial, &call.with("VpcId", vpc)).text("groupId").to_owned();
            attach(trial, "2", &group);
        }),
        "aws ec2 detach-network-interface --attachment-id eni-attach-",
        |trial| {
            let server = server(trial);
            let interfaces = server.list("networkInterfaceSet").iter();
            let second = interfaces.map(|one| one.at("attachment").unwrap()).find(|at| at.text("deviceIndex") == "2");
            let call = Call::new("DetachNetworkInterface").with("AttachmentId", second.unwrap().text("attachmentId"));
            ec2(trial, &call);
        },
    ),
];

/// Returns the account in another region.
fn elsewhere(trial: &Trial) -> Account {
    Account::elsewhere(&trial.emulator.url, ELSEWHERE)
}

fn with(action: &'static str, parameters: &[(&str, &str)]) -> Call {
    parameters.iter().fold(Call::new(action), |call, (name, value)| call.with(name, *value))
}

fn rds(account: &Account, action: &'static str, parameters: &[(&str, &str)]) {
    account.wait(account.rds.call(&with(action, parameters))).unwrap();
}

fn modify_store(trial: &Trial, parameter: &str, value: &str) {
    let of = [("DBInstanceIdentifier", STORE), ("ApplyImmediately", "true"), (parameter, value)];
    rds(&trial.account, "ModifyDBInstance", &of);
}

fn elasticache(trial: &Trial, action: &'static str, parameters: &[(&str, &str)]) {
    trial.account.wait(trial.account.elasticache.call(&with(action, parameters))).unwrap();
}

/// Lets the cache deliver a log.
fn deliver(trial: &Trial, log: &str, to: &str, (place, name): (&str, &str)) {
    let named = |end: &str| format!("LogDeliveryConfigurations.LogDeliveryConfigurationRequest.1.{end}");
    let parameters = [
        ("ReplicationGroupId".to_owned(), SEEN),
        (named("LogType"), log),
        (named("LogFormat"), "json"),
        (named("DestinationType"), to),
        (named(&format!("DestinationDetails.{place}")), name),
    ];
    let parameters: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    elasticache(trial, "ModifyReplicationGroup", &parameters);
}

/// Returns the ARN of the cluster and the version of its settings, as soon as it takes a change.
fn log(trial: &Trial) -> (String, String) {
    for _ in 0..20 {
        let call = json::Call::get("ListClustersV2", &["api", "v2", "clusters"]);
        let found: Value = trial.account.wait(trial.account.kafka.call(call)).unwrap()["clusterInfoList"][0].take();
        let text = |key: &str| found[key].as_str().unwrap().to_owned();
        if text("state") == "ACTIVE" {
            return (text("clusterArn"), text("currentVersion"));
        }
    }
    panic!("the cluster does not become ACTIVE");
}

fn change_log(trial: &Trial, end: &str, mut document: Value) {
    let (arn, version) = log(trial);
    document["currentVersion"] = json!(version);
    let call = json::Call::put("UpdateCluster", &["v1", "clusters", &arn, end], document);
    trial.account.wait(trial.account.kafka.call(call)).unwrap();
    log(trial);
}

fn ec2(trial: &Trial, call: &Call) -> query::Element {
    trial.account.wait(trial.account.ec2.call(call)).unwrap()
}

/// Returns the id of what the stack has of a kind and the entry `main`.
fn id(trial: &Trial, describe: &'static str, list: &str, id: &str) -> String {
    let answer = ec2(trial, &Call::new(describe).filter("tag:provision:id", ["main"]));
    answer.list(list)[0].text(id).to_owned()
}

fn table(trial: &Trial) -> String {
    let answer = ec2(trial, &Call::new("DescribeRouteTables").filter("tag:provision:id", ["main-public"]));
    answer.list("routeTableSet")[0].text("routeTableId").to_owned()
}

fn server(trial: &Trial) -> query::Element {
    let answer = ec2(trial, &Call::new("DescribeInstances").filter("tag:provision:id", ["host"]));
    answer.list("reservationSet")[0].list("instancesSet")[0].clone()
}

/// Attaches an interface in a group to the server.
fn attach(trial: &Trial, number: &str, group: &str) {
    let server = server(trial);
    let call = Call::new("CreateNetworkInterface").with("SubnetId", server.text("subnetId"));
    let answer = ec2(trial, &call.list("SecurityGroupId", [group]));
    let call = Call::new("AttachNetworkInterface").with("InstanceId", server.text("instanceId"));
    let call = call.with("NetworkInterfaceId", answer.text("networkInterface/networkInterfaceId"));
    ec2(trial, &call.with("DeviceIndex", number));
}
