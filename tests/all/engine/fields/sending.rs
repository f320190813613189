//! Kinds about sent mails: configuration sets, feedback of identities, tables, and clusters of Kafka with their topics.

use aws::json::Call;
use serde_json::{Value, json};

use super::{Case, case};
use crate::stack::Trial;

/// Entries about sent mails in the declaration of this test.
pub(super) const DECLARED: &str = "\
tables:
  items: {partition_key: id, sort_key: at, time_to_live: until}
clusters:
  log:
    subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b]
    security_groups: [sg-0a1b2c3d]
    brokers: 4
    topics: {lines: {partitions: 6, replication: 2}}
configuration_sets:
  sent:
    tracking_domain: links.example.com
    events: {all: {topic: heard, types: [send, delivery_delay]}}
identities:
  example.com: {feedback: {complaint: heard, delivery: heard, headers: true}}
  example.org: {feedback: {bounce: heard}}
";
/// The topic that hears of them.
pub(super) const TOPIC: &str = "  heard: {}\n";

pub(super) const CASES: &[Case] = &[
    case("table", "items", "partition_key.*", |trial| anew(trial, &["other", "at"], "S")),
    case("table", "items", "sort_key.*", |trial| anew(trial, &["id", "at"], "N")),
    case("table", "items", "on_demand", |trial| {
        let throughput = json!({"ReadCapacityUnits": 5, "WriteCapacityUnits": 5});
        update(trial, json!({"BillingMode": "PROVISIONED", "ProvisionedThroughput": throughput}));
    }),
    case("table", "items", "class", |trial| update(trial, json!({"TableClass": "STANDARD_INFREQUENT_ACCESS"}))),
    case("table", "items", "kms_key", |trial| update(trial, json!({"SSESpecification": {"Enabled": false}}))),
    case("table", "items", "time_to_live", |trial| {
        let off = json!({"AttributeName": "until", "Enabled": false});
        dynamodb(trial, "UpdateTimeToLive", json!({"TableName": TABLE, "TimeToLiveSpecification": off}));
    }),
    case("table", "items", "point_in_time_recovery", |trial| {
        let off = json!({"PointInTimeRecoveryEnabled": false});
        dynamodb(
            trial,
            "UpdateContinuousBackups",
            json!({"TableName": TABLE, "PointInTimeRecoverySpecification": off}),
        );
    }),
    case("table", "items", "deletion_protection", |trial| update(trial, json!({"DeletionProtectionEnabled": false}))),
    case("table", "items", "tags.*", |trial| {
        let tags = json!([{"Key": "by-hand", "Value": "yes"}]);
        dynamodb(trial, "TagResource", json!({"ResourceArn": TABLE_ARN, "Tags": tags}));
    }),
    case("configuration set", "sent", "sending", |trial| option(trial, "sending", json!({"SendingEnabled": false}))),
    case("configuration set", "sent", "reputation_metrics", |trial| {
        option(trial, "reputation-options", json!({"ReputationMetricsEnabled": false}));
    }),
    case("configuration set", "sent", "tls", |trial| {
        option(trial, "delivery-options", json!({"TlsPolicy": "REQUIRE"}));
    }),
    case("configuration set", "sent", "suppression", |trial| {
        option(trial, "suppression-options", json!({"SuppressedReasons": ["BOUNCE"]}));
    }),
    case("configuration set", "sent", "tracking_domain", |trial| option(trial, "tracking-options", json!({}))),
    case("configuration set", "sent", "destinations.*", |trial| {
        let destination = json!({
            "Enabled": false,
            "MatchingEventTypes": ["BOUNCE"],
            "SnsDestination": {"TopicArn": "arn:aws:sns:eu-west-1:123456789012:circuits-heard"},
        });
        let path = ["v2", "email", "configuration-sets", SET, "event-destinations", "provision-all"];
        let body = json!({"EventDestination": destination});
        ses(trial, Call::put("UpdateConfigurationSetEventDestination", &path, body));
    }),
    case("configuration set", "sent", "destinations.*", |trial| {
        let bus = json!({"EventBusArn": "arn:aws:events:eu-west-1:123456789012:event-bus/default"});
        let destination = json!({"Enabled": true, "MatchingEventTypes": ["SEND"], "EventBridgeDestination": bus});
        let path = ["v2", "email", "configuration-sets", SET, "event-destinations"];
        let body = json!({"EventDestinationName": "theirs", "EventDestination": destination});
        ses(trial, Call::post("CreateConfigurationSetEventDestination", &path, body));
    }),
    case("configuration set", "sent", "tags.*", |trial| {
        let tags = json!([{"Key": "by-hand", "Value": "yes"}]);
        ses(trial, Call::post("TagResource", &["v2", "email", "tags"], json!({"ResourceArn": SET_ARN, "Tags": tags})));
    }),
    case("identity feedback", "example.com", "complaint.*", |trial| hear(trial, "example.com", "Complaint", None)),
    case("identity feedback", "example.com", "delivery.*", |trial| {
        let call = trial.account.ses.set_identity_headers_in_notifications_enabled().identity("example.com");
        trial.account.wait(call.notification_type("Delivery".into()).enabled(false).send()).unwrap();
    }),
    case("identity feedback", "example.org", "bounce.*", |trial| {
        let theirs = trial.account.wait(trial.account.sns.create_topic().name("theirs").send()).unwrap().topic_arn;
        hear(trial, "example.org", "Bounce", theirs);
    }),
    case("cluster", "log", "version", |trial| change(trial, "version", json!({"targetKafkaVersion": "3.7.x"}))),
    case("cluster", "log", "brokers", |trial| change(trial, "nodes/count", json!({"targetNumberOfBrokerNodes": 2}))),
    case("cluster", "log", "instance", |trial| {
        change(trial, "nodes/type", json!({"targetInstanceType": "kafka.m5.large"}));
    }),
    case("cluster", "log", "storage", |trial| {
        let volume = json!([{"kafkaBrokerNodeId": "All", "volumeSizeGB": 50}]);
        change(trial, "nodes/storage", json!({"targetBrokerEBSVolumeInfo": volume}));
    }),
    case("cluster", "log", "access.iam", |trial| access(trial, &json!({"sasl": {"iam": {"enabled": false}}}))),
    case("cluster", "log", "access.unauthenticated", |trial| {
        access(trial, &json!({"unauthenticated": {"enabled": true}}));
    }),
    case("cluster", "log", "access.scram", |trial| {
        access(trial, &json!({"sasl": {"iam": {"enabled": true}, "scram": {"enabled": true}}}));
    }),
    case("cluster", "log", "access.certificates", |trial| access(trial, &json!({"tls": {"enabled": true}}))),
    case("cluster", "log", "access.in_transit", |trial| {
        let open = json!({"encryptionInTransit": {"clientBroker": "TLS_PLAINTEXT"}});
        change(trial, "security", json!({"encryptionInfo": open}));
    }),
    case("cluster", "log", "monitoring", |trial| {
        change(trial, "monitoring", json!({"enhancedMonitoring": "PER_BROKER"}));
    }),
    case("cluster", "log", "public_access", |trial| {
        let open = json!({"publicAccess": {"type": "SERVICE_PROVIDED_EIPS"}});
        change(trial, "connectivity", json!({"connectivityInfo": open}));
    }),
    case("cluster", "log", "tags.*", |trial| {
        let (_, arn, _) = cluster(trial);
        kafka(trial, Call::post("TagResource", &["v1", "tags", &arn], json!({"tags": {"by-hand": "yes"}})));
    }),
    case("kafka topic", "log.lines", "partitions", |trial| topic(trial, 1, 2)),
];

/// The secret that its cache needs.
const SECRETS: &str = "secrets:\n  token: {value_from: {environment: TRY_TOKEN}}\n";

/// Returns the declaration of a stack that has nothing else.
pub(in super::super) fn alone() -> String {
    let stores = [super::stores::DECLARED, super::caches::DECLARED, SECRETS].concat();
    format!("stack: circuits\nregion: eu-west-1\ntopics:\n{TOPIC}{DECLARED}{stores}")
}

/// Deletes a resource as somebody else would.
pub(in super::super) fn delete(trial: &Trial, kind: &str, entry: &str) {
    match kind {
        "table" => {
            update(trial, json!({"DeletionProtectionEnabled": false}));
            dynamodb(trial, "DeleteTable", json!({"TableName": TABLE}));
        }
        "configuration set" => {
            ses(trial, Call::delete("DeleteConfigurationSet", &["v2", "email", "configuration-sets", SET]));
        }
        "identity feedback" => {
            for of in ["Bounce", "Complaint", "Delivery"] {
                hear(trial, entry, of, None);
            }
        }
        "cluster" => {
            let (_, arn, _) = cluster(trial);
            kafka(trial, Call::delete("DeleteCluster", &["v1", "clusters", &arn]));
        }
        "kafka topic" => {
            let (_, arn, _) = cluster(trial);
            kafka(trial, Call::delete("DeleteTopic", &["v1", "clusters", &arn, "topics", "lines"]));
        }
        kind => panic!("nothing says how somebody deletes a {kind}"),
    }
}

const TABLE: &str = "circuits-items";
const TABLE_ARN: &str = "arn:aws:dynamodb:eu-west-1:123456789012:table/circuits-items";
const SET: &str = "circuits-sent";
const SET_ARN: &str = "arn:aws:ses:eu-west-1:123456789012:configuration-set/circuits-sent";

/// Makes the identities, which are not the stack's.
pub(in super::super) fn identities(trial: &Trial) {
    for identity in ["example.com", "example.org"] {
        trial.account.wait(trial.account.ses.verify_domain_identity().domain(identity).send()).unwrap();
    }
}

fn dynamodb(trial: &Trial, action: &'static str, document: Value) -> Value {
    trial.account.wait(trial.account.dynamodb.call(Call::new(action, document))).unwrap()
}

fn ses(trial: &Trial, call: Call) {
    trial.account.wait(trial.account.sesv2.call(call)).unwrap();
}

fn kafka(trial: &Trial, call: Call) -> Value {
    trial.account.wait(trial.account.kafka.call(call)).unwrap()
}

fn update(trial: &Trial, mut document: Value) {
    document["TableName"] = json!(TABLE);
    dynamodb(trial, "UpdateTable", document);
}

/// Makes the table anew, with other keys.
fn anew(trial: &Trial, keys: &[&str; 2], sorted_by: &str) {
    update(trial, json!({"DeletionProtectionEnabled": false}));
    let tags = dynamodb(trial, "ListTagsOfResource", json!({"ResourceArn": TABLE_ARN}))["Tags"].take();
    dynamodb(trial, "DeleteTable", json!({"TableName": TABLE}));
    let key = |name: &str, role: &str| json!({"AttributeName": name, "KeyType": role});
    let attribute = |name: &str, values: &str| json!({"AttributeName": name, "AttributeType": values});
    dynamodb(
        trial,
        "CreateTable",
        json!({
            "TableName": TABLE,
            "KeySchema": [key(keys[0], "HASH"), key(keys[1], "RANGE")],
            "AttributeDefinitions": [attribute(keys[0], "S"), attribute(keys[1], sorted_by)],
            "BillingMode": "PAY_PER_REQUEST",
            "DeletionProtectionEnabled": true,
            "SSESpecification": {"Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": super::protected::KEY},
            "Tags": tags,
        }),
    );
    let on = json!({"AttributeName": "until", "Enabled": true});
    dynamodb(trial, "UpdateTimeToLive", json!({"TableName": TABLE, "TimeToLiveSpecification": on}));
    let on = json!({"PointInTimeRecoveryEnabled": true});
    dynamodb(trial, "UpdateContinuousBackups", json!({"TableName": TABLE, "PointInTimeRecoverySpecification": on}));
}

fn option(trial: &Trial, end: &str, document: Value) {
    let path = ["v2", "email", "configuration-sets", SET, end];
    ses(trial, Call::put("PutConfigurationSetOptions", &path, document));
}

fn hear(trial: &Trial, identity: &str, of: &str, topic: Option<String>) {
    let call = trial.account.ses.set_identity_notification_topic().identity(identity);
    trial.account.wait(call.notification_type(of.into()).set_sns_topic(topic).send()).unwrap();
}

/// Returns the document of the stack's cluster, its ARN and the version of its settings, as soon as it takes a change.
fn cluster(trial: &Trial) -> (Value, String, String) {
    loop {
        let call =
            Call::get("ListClustersV2", &["api", "v2", "clusters"]).with_query("clusterNameFilter", "circuits-log");
        let found = kafka(trial, call)["clusterInfoList"][0].take();
        let text = |key: &str| found[key].as_str().unwrap().to_owned();
        if text("state") == "ACTIVE" {
            let (arn, version) = (text("clusterArn"), text("currentVersion"));
            return (found, arn, version);
        }
    }
}

fn change(trial: &Trial, end: &str, mut document: Value) {
    let (_, arn, version) = cluster(trial);
    document["currentVersion"] = json!(version);
    let path: Vec<&str> = ["v1", "clusters", &arn].into_iter().chain(end.split('/')).collect();
    kafka(trial, Call::put("UpdateCluster", &path, document));
    cluster(trial);
}

fn access(trial: &Trial, document: &Value) {
    change(trial, "security", json!({"clientAuthentication": document}));
}

/// Makes the topic anew.
fn topic(trial: &Trial, partitions: u32, replication: u32) {
    let (_, arn, _) = cluster(trial);
    kafka(trial, Call::delete("DeleteTopic", &["v1", "clusters", &arn, "topics", "lines"]));
    let document = json!({"topicName": "lines", "partitionCount": partitions, "replicationFactor": replication});
    kafka(trial, Call::post("CreateTopic", &["v1", "clusters", &arn, "topics"], document));
    let told = || {
        let call = Call::get("DescribeTopic", &["v1", "clusters", &arn, "topics", "lines"]);
        trial.account.wait(trial.account.kafka.find(call)).unwrap()
    };
    while told().is_none() {}
}
