//! Tests the stack that hears of the events of sent mails: a configuration set, an identity, a table, and a cluster of Kafka.

use std::collections::BTreeSet;

use aws::{json::Call, query};
use serde_json::{Value, json};

use super::{
    Trial, actions,
    networks::{Network, made},
};
use crate::harness::{Run, replaced};

/// The example, with a cluster of its own and a function that is built in a second.
fn declaration(network: &Network) -> String {
    let example = include_str!("../../../examples/mail-events.yaml");
    let [a, b] = &network.subnets;
    replaced(
        example,
        &[
            ("    crate: mail-events\n", "    use: standin\n"),
            ("    crate: kafka-access\n", "    use: standin\n"),
            (
                "[subnet-0a1b2c3d, subnet-4e5f6a7b]\n      security_groups: [sg-0a1b2c3d]",
                &format!("[{a}, {b}]\n      security_groups: [{}]", network.group),
            ),
            (
                "    existing: arn:aws:kafka:eu-west-1:123456789012:cluster/company/0a1b2c3d-4e5f-6a7b-8c9d-0e1f2a3b4c5d-7\n",
                "    subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b, subnet-8c9d0e1f]\n    security_groups: [sg-4e5f6a7b]\n",
            ),
        ],
    )
}

/// Returns an account with a network that has a way to DynamoDB, and the declaration in it.
fn deployed() -> Option<(Trial, Network)> {
    let trial = Trial::new("stack: none\nregion: eu-west-1\n")?;
    let network = Network::make(&trial.account);
    gateway(&trial, &network);
    trial.folder.write("infra.yaml", declaration(&network));
    Some((trial, network))
}

/// Gives a network a way to DynamoDB.
pub(super) fn gateway(trial: &Trial, network: &Network) {
    let call = query::Call::new("CreateVpcEndpoint").with("VpcId", &network.vpc);
    let call = call.with("ServiceName", "com.amazonaws.eu-west-1.dynamodb").list("RouteTableId", [&network.table]);
    made(&trial.account, &call, "vpcEndpoint/vpcEndpointId");
}

fn dynamodb(trial: &Trial, action: &'static str, document: Value) -> Value {
    trial.account.wait(trial.account.dynamodb.call(Call::new(action, document))).unwrap()
}

fn kafka(trial: &Trial, call: Call) -> Value {
    trial.account.wait(trial.account.kafka.call(call)).unwrap()
}

/// Returns the clusters of the account: name, ARN, state.
fn clusters(trial: &Trial) -> Vec<(String, String, String)> {
    let mut found = kafka(trial, Call::get("ListClustersV2", &["api", "v2", "clusters"]));
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    let found = found["clusterInfoList"].take();
    let of = |one: &Value| (text(one, "clusterName"), text(one, "clusterArn"), text(one, "state"));
    found.as_array().unwrap().iter().map(of).collect()
}

fn topic(trial: &Trial, name: &str) -> Option<Value> {
    let (_, arn, _) = clusters(trial).remove(0);
    let call = Call::get("DescribeTopic", &["v1", "clusters", &arn, "topics", name]);
    trial.account.wait(trial.account.kafka.find(call)).unwrap()
}

/// Returns the statements of a function's role, as `ID ACTIONS on RESOURCES`.
fn rights(trial: &Trial, role: &str) -> Vec<String> {
    let (iam, account) = (&trial.account.iam, &trial.account);
    let names = account.wait(iam.list_role_policies().role_name(role).send()).unwrap().policy_names;
    let text =
        account.wait(iam.get_role_policy().role_name(role).policy_name(&names[0]).send()).unwrap().policy_document;
    let text = percent_encoding::percent_decode_str(&text).decode_utf8().unwrap().into_owned();
    let policy: Value = serde_json::from_str(&text).unwrap();
    let list = |value: &Value| match value {
        Value::Array(items) => items.iter().map(|item| item.as_str().unwrap()).collect::<Vec<_>>().join(" "),
        one => one.as_str().unwrap().to_owned(),
    };
    let statements = policy["Statement"].as_array().unwrap().iter();
    let line = |one: &Value| {
        format!("{} {} on {}", one["Sid"].as_str().unwrap(), list(&one["Action"]), list(&one["Resource"]))
    };
    statements.map(line).collect()
}

/// Returns the context of the deployed function.
fn context(trial: &Trial) -> Value {
    let call = trial.account.lambda.get_function_configuration().function_name("mail-events-joiner");
    let environment = trial.account.wait(call.send()).unwrap().environment.unwrap().variables.unwrap();
    serde_json::from_str(&environment["PROVISION_CONTEXT"]).unwrap()
}

fn words(run: &Run) -> String {
    run.stderr().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_stack_comes_with_the_least_rights_and_its_data_stays_when_it_goes() {
    let Some((trial, _)) = deployed() else { return };
    let plan = trial.expect(0, &["up", "--dry-run"]);
    assert!(words(&plan).contains("cluster `events` costs some 477 US dollars a month"), "{plan}");
    let up = trial.up();
    assert!(!words(&up).contains("reach"), "{up}");
    let [(name, arn, state)] = &clusters(&trial)[..] else { panic!("{:?}", clusters(&trial)) };
    assert_eq!((name.as_str(), state.as_str()), ("mail-events-events", "ACTIVE"));
    let made = topic(&trial, "messages").unwrap();
    assert_eq!((&made["partitionCount"], &made["replicationFactor"]), (&json!(6), &json!(3)));

    let brokers: Vec<String> =
        (1..=3).map(|number| format!("b-{number}.{name}.kafka.eu-west-1.amazonaws.com:9098")).collect();
    let context = context(&trial);
    assert_eq!(context["tables"], json!({"mails": "mail-events-mails"}));
    assert_eq!(context["produces"], json!({"events/messages": {"bootstrap": brokers.join(","), "topic": "messages"}}));

    let rights = rights(&trial, "mail-events-joiner-eu-west-1");
    let of = |id: &str| rights.iter().find(|line| line.starts_with(id)).cloned().unwrap_or_default();
    assert_eq!(
        of("QueryTables"),
        "QueryTables dynamodb:Query on arn:aws:dynamodb:eu-west-1:123456789012:table/mail-events-mails"
    );
    assert_eq!(
        of("ConnectClusters"),
        "ConnectClusters kafka-cluster:Connect kafka-cluster:WriteDataIdempotently on arn:aws:kafka:eu-west-1:123456789012:cluster/mail-events-events/*"
    );
    assert_eq!(
        of("WriteTopics"),
        "WriteTopics kafka-cluster:DescribeTopic kafka-cluster:WriteData on arn:aws:kafka:eu-west-1:123456789012:topic/mail-events-events/*/messages"
    );
    let ids: BTreeSet<&str> = rights.iter().filter_map(|line| line.split(' ').next()).collect();
    let known = ["ConnectClusters", "QueryTables", "SendMessages", "UseNetwork", "WriteLog", "WriteTopics"];
    assert_eq!(ids, BTreeSet::from(known), "{rights:#?}");
    trial.is_converged();

    // The table as the reference has it: both keys are texts, nothing is paid for in advance, and it can be had back.
    let table = dynamodb(&trial, "DescribeTable", json!({"TableName": "mail-events-mails"}))["Table"].take();
    let keys = json!([{"AttributeName": "ses_pk", "KeyType": "HASH"}, {"AttributeName": "ses_sk", "KeyType": "RANGE"}]);
    assert_eq!((&table["KeySchema"], &table["BillingModeSummary"]["BillingMode"]), (&keys, &json!("PAY_PER_REQUEST")));
    let backups = dynamodb(&trial, "DescribeContinuousBackups", json!({"TableName": "mail-events-mails"}));
    let recovery = &backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"];
    assert_eq!(recovery["PointInTimeRecoveryStatus"], json!("ENABLED"), "{backups}");

    // The item of the reference.
    let item = json!({"ses_pk": {"S": "noc@example.com"}, "ses_sk": {"S": "0107-a#2026-11-29 02:00"}, "status": {"S": "sent"}});
    dynamodb(&trial, "PutItem", json!({"TableName": "mail-events-mails", "Item": item}));
    trial.expect(0, &["down", "--confirm", "mail-events"]);
    let scanned = dynamodb(&trial, "Scan", json!({"TableName": "mail-events-mails"}));
    assert_eq!(scanned["Count"], json!(1), "{scanned}");
    assert_eq!(clusters(&trial)[0].1, *arn);
    assert!(topic(&trial, "messages").is_some());
    let left = trial.account.inventory();
    let kept = ["table ", "cluster ", "bucket mail-events-bodies-"];
    let stays = |line: &&String| !kept.iter().any(|kind| line.starts_with(kind));
    assert_eq!(left.iter().filter(stays).collect::<Vec<_>>(), Vec::<&String>::new(), "{left:#?}");
    // It is found again, with its item.
    trial.up();
    trial.is_converged();
    assert_eq!(dynamodb(&trial, "Scan", json!({"TableName": "mail-events-mails"}))["Count"], json!(1));
}

#[test]
fn only_ses_for_the_declared_sets_and_identities_publishes() {
    let Some((trial, _)) = deployed() else { return };
    trial.up();
    let arn = "arn:aws:sns:eu-west-1:123456789012:mail-events-mail-events";
    let call = trial.account.sns.get_topic_attributes().topic_arn(arn);
    let attributes = trial.account.wait(call.send()).unwrap().attributes.unwrap();
    let policy: Value = serde_json::from_str(&attributes["Policy"]).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let of_ses: Vec<&Value> = statements.iter().filter(|one| one["Principal"].to_string().contains("ses.")).collect();
    let [of_ses] = of_ses[..] else { panic!("{policy:#}") };
    let conditions = of_ses["Condition"].to_string();
    for part in ["\"123456789012\"", "arn:aws:ses:eu-west-1:123456789012:configuration-set/mail-events-mails"] {
        assert!(conditions.contains(part), "{of_ses:#}");
    }
    // The emulator refuses a destination whose topic does not let SES in for that set.
    let destination = json!({"Enabled": true, "MatchingEventTypes": ["SEND"], "SnsDestination": {"TopicArn": arn}});
    let sets = ["v2", "email", "configuration-sets"];
    let sesv2 = &trial.account.sesv2;
    let theirs = json!({"ConfigurationSetName": "theirs"});
    trial.account.wait(sesv2.call(Call::post("CreateConfigurationSet", &sets, theirs))).unwrap();
    let path = ["v2", "email", "configuration-sets", "theirs", "event-destinations"];
    let body = json!({"EventDestinationName": "theirs", "EventDestination": destination});
    let refused = trial.account.wait(sesv2.call(Call::post("CreateConfigurationSetEventDestination", &path, body)));
    assert!(refused.unwrap_err().message.contains("Could not publish"));
    // What the function cannot take goes to a queue.
    let subscriptions =
        trial.account.wait(trial.account.sns.list_subscriptions_by_topic().topic_arn(arn).send()).unwrap();
    let subscription = subscriptions.subscriptions.unwrap().remove(0).subscription_arn.unwrap();
    let call = trial.account.sns.get_subscription_attributes().subscription_arn(subscription);
    let attributes = trial.account.wait(call.send()).unwrap().attributes.unwrap();
    assert!(attributes["RedrivePolicy"].contains("mail-events-not-taken"), "{attributes:?}");
}

#[test]
fn without_a_way_to_the_table_nothing_is_made() {
    let Some(trial) = Trial::new("stack: none\nregion: eu-west-1\n") else { return };
    let network = Network::make(&trial.account);
    trial.folder.write("infra.yaml", declaration(&network));
    let run = trial.expect(2, &["up", "--yes"]);
    let told = words(&run);
    assert!(told.contains("function `joiner` does not reach DynamoDB"), "{run}");
    assert!(told.contains("add a gateway endpoint `com.amazonaws.eu-west-1.dynamodb`"), "{run}");
    assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());
}

const EXISTING: &str = "\
stack: lines
region: eu-west-1
clusters:
  log: {existing: ARN, topics: {lines: {partitions: 2, replication: 2}}}
";

/// Makes a cluster of somebody's, and returns its ARN.
pub(super) fn theirs(trial: &Trial, form: Value) -> String {
    let mut document = form;
    document["clusterName"] = json!("company");
    let made = kafka(trial, Call::post("CreateClusterV2", &["api", "v2", "clusters"], document));
    while clusters(trial)[0].2 != "ACTIVE" {}
    made["clusterArn"].as_str().unwrap().to_owned()
}

pub(super) fn provisioned(version: &str, iam: bool, open: bool) -> Value {
    json!({"provisioned": {
        "kafkaVersion": version,
        "numberOfBrokerNodes": 2,
        "brokerNodeGroupInfo": {"clientSubnets": ["subnet-0a1b2c3d", "subnet-4e5f6a7b"], "instanceType": "kafka.t3.small"},
        "clientAuthentication": {"sasl": {"iam": {"enabled": iam}}, "unauthenticated": {"enabled": open}},
    }})
}

#[test]
fn a_cluster_of_others_is_used_as_it_is_or_told_why_not() {
    let serverless = json!({"serverless": {"clientAuthentication": {"sasl": {"iam": {"enabled": true}}}}});
    for (form, code, told, makes) in [
        (provisioned("3.9.x", true, false), 0, "", true),
        (provisioned("3.9.x", true, true), 0, "may read and write there without a name", true),
        (provisioned("3.9.x", false, false), 2, "do not take IAM", false),
        (provisioned("3.5.1", true, false), 0, "has Kafka 3.5.1", false),
        (
            serverless,
            0,
            "kafka-topics.sh --create --if-not-exists --topic lines --partitions 2 --bootstrap-server b-1",
            false,
        ),
    ] {
        let Some(trial) = Trial::new("stack: none\nregion: eu-west-1\n") else { return };
        let arn = theirs(&trial, form.clone());
        trial.folder.write("infra.yaml", EXISTING.replace("ARN", &arn));
        let run = trial.expect(code, &["up", "--yes"]);
        assert!(words(&run).contains(told), "{run}");
        let made = trial.proxy.mutating();
        assert_eq!(
            made.iter().map(std::string::ToString::to_string).any(|call| call.contains("CreateTopic")),
            makes,
            "{form}"
        );
        assert!(made.len() <= usize::from(makes), "{}", trial.proxy.record());
        if makes {
            trial.is_converged();
            // Neither does a smaller declaration take anything away, nor does `down`.
            trial.folder.write("infra.yaml", EXISTING.replace("ARN", &arn).replace("partitions: 2", "partitions: 1"));
            trial.is_converged();
            trial.folder.write("infra.yaml", EXISTING.replace("ARN", &arn).replace("lines: {", "others: {"));
            let told = actions(&trial.diff());
            assert_eq!(told, ["create kafka topic log.others"]);
            trial.run(&["down", "--confirm", "lines", "--delete-data"]);
            assert_eq!(topic(&trial, "lines").unwrap()["partitionCount"], json!(2));
        }
    }
}

const FEEDBACK: &str = "\
stack: heard
region: eu-west-1
topics: {bounces: {}}
identities: {example.com: {feedback: {bounce: bounces, complaint: bounces}}}
";

/// Returns the topics of the identity: for bounces, complaints and deliveries.
fn heard(trial: &Trial) -> [String; 3] {
    let call = trial.account.ses.get_identity_notification_attributes().identities("example.com");
    let found = trial.account.wait(call.send()).unwrap().notification_attributes.remove("example.com").unwrap();
    let name = |arn: &str| arn.rsplit(':').next().unwrap_or_default().to_owned();
    [name(&found.bounce_topic), name(&found.complaint_topic), name(&found.delivery_topic)]
}

#[test]
fn the_topics_of_an_identity_are_taken_by_name_alone_and_given_back() {
    let Some(trial) = Trial::new(FEEDBACK) else { return };
    let (ses, sns) = (&trial.account.ses, &trial.account.sns);
    trial.account.wait(ses.verify_domain_identity().domain("example.com").send()).unwrap();
    let theirs = trial.account.wait(sns.create_topic().name("theirs").send()).unwrap().topic_arn.unwrap();
    for of in ["Bounce", "Delivery"] {
        let call = ses.set_identity_notification_topic().identity("example.com").notification_type(of.into());
        trial.account.wait(call.sns_topic(&theirs).send()).unwrap();
    }
    let run = trial.expect(2, &["up", "--yes"]);
    let told = words(&run);
    assert!(
        told.contains("infra.yaml:4:47: bounces of `example.com` go to") && told.contains("take_over: true"),
        "{run}"
    );
    assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());

    trial.folder.write("infra.yaml", replaced(FEEDBACK, &[("bounces}}}", "bounces}, take_over: true}}")]));
    trial.up();
    assert_eq!(heard(&trial), ["heard-bounces", "heard-bounces", "theirs"]);
    trial.is_converged();
    // Whoever takes it away since is told, and what was there before stays noted.
    let call = ses.set_identity_notification_topic().identity("example.com").notification_type("Complaint".into());
    trial.account.wait(call.sns_topic(&theirs).send()).unwrap();
    assert_eq!(actions(&trial.diff()), ["change identity feedback example.com"]);
    trial.up();
    trial.is_converged();
    // A type that is no longer declared is given back at once.
    let one = replaced(FEEDBACK, &[("complaint: bounces}}}", "}, take_over: true}}")]);
    trial.folder.write("infra.yaml", one);
    trial.up();
    assert_eq!(heard(&trial), ["heard-bounces", "", "theirs"]);
    trial.is_converged();
    trial.expect(0, &["down", "--confirm", "heard"]);
    assert_eq!(heard(&trial), ["theirs", "", "theirs"]);
}

#[test]
fn events_of_both_sources_are_refused_before_any_call() {
    let Some(trial) = Trial::new(FEEDBACK) else { return };
    let both = "configuration_sets: {sent: {events: {all: {topic: bounces, types: all}}}}\n";
    trial.folder.write("infra.yaml", format!("{FEEDBACK}{both}"));
    let run = trial.expect(2, &["validate"]);
    let told = words(&run);
    assert!(told.contains("each bounce comes twice") && told.contains("each complaint comes twice"), "{run}");
    assert!(!told.contains("each delivery comes twice"), "{run}");
}
