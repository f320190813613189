//! Tests the real function `kafka-access` in a stack on the emulator: `up` lets it make a topic that AWS does not make, `tail` and `timeline`
//! read through it, and `timeline` reads the table of sent mails.

use aws::json::Call;
use krafka::{Kafka, Record, testing::FakeBroker};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{
    Trial,
    mail_events::{gateway, provisioned, theirs},
    networks::Network,
};
use crate::{
    emulator::account::Somebody,
    harness::{Run, replaced},
    shipped::executable,
};

const DECLARATION: &str = "\
stack: mails
region: eu-west-1
tables: {mails: {partition_key: ses_pk, sort_key: ses_sk, deletion_protection: false}}
clusters: {log: {existing: 'ARN', topics: {lines: {partitions: 2, replication: 3}}}}
functions:
  access:
    use: standin
    timeout: 20s
    environment: {STANDIN_PROGRAM: 'PROGRAM', STANDIN_BROKERS: 'BROKERS'}
    creates: [log/lines]
    follows: [log/lines]
    vpc: {subnets: [A, B], security_groups: [GROUP]}
";

/// A stack in an account, and the brokers that its function reaches.
struct Reached {
    trial: Trial,
    broker: FakeBroker,
    runtime: Runtime,
}

/// Prepares a stack with a cluster of others; `None` where there is no emulator.
fn reached(cluster: Value) -> Option<Reached> {
    let trial = Trial::checked("stack: none\nregion: eu-west-1\n")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let broker = runtime.block_on(FakeBroker::start()).unwrap();
    let arn = theirs(&trial, cluster);
    let network = Network::make(&trial.account);
    gateway(&trial, &network);
    let Network { subnets: [a, b], group, .. } = network;
    let program = executable("kafka-access");
    let declaration = replaced(
        DECLARATION,
        &[
            ("ARN", &arn),
            ("'PROGRAM'", &format!("'{}'", program.display())),
            ("'BROKERS'", &format!("'{}'", broker.bootstrap_servers())),
            ("[A, B]", &format!("[{a}, {b}]")),
            ("GROUP", &group),
        ],
    );
    trial.folder.write("infra.yaml", declaration);
    Some(Reached { trial, broker, runtime })
}

fn serverless() -> Value {
    json!({"serverless": {"clientAuthentication": {"sasl": {"iam": {"enabled": true}}}}})
}

impl Reached {
    /// Returns somebody who has the policy of a command that reads through the function.
    fn reader(&self, purpose: &str) -> Somebody {
        let arguments = ["policy", "--for", purpose, "--via", "access", "--json"];
        let policy = self.trial.expect(0, &arguments).json().remove(0);
        assert!(!policy.to_string().contains("kafka-cluster:"), "{policy}");
        self.trial.user(purpose, &policy)
    }

    /// Writes an event of a mail into the topic.
    fn write(&self, kind: &str, mail: &str, recipient: &str) {
        let event = json!({
            "eventType": kind, kind.to_lowercase(): {"recipients": [recipient], "timestamp": "2027-01-05T11:00:02Z"},
            "mail": {"messageId": mail, "timestamp": "2027-01-05T11:00:00Z", "source": "orders@shop.example", "destination": [recipient]},
        });
        let Ok(events::Reading::Event(event)) = events::read(&event.to_string()) else { panic!("{event}") };
        let message = event.messages(&format!("{mail} {kind}"), None).remove(0);
        self.runtime.block_on(async {
            let kafka = Kafka::builder(self.broker.bootstrap_servers()).connect().await.unwrap();
            let producer = kafka.producer().build().await.unwrap();
            let record = Record::new("lines", serde_json::to_vec(&message.message).unwrap()).key(mail.to_owned());
            let record = record.header("dedup-id", message.dedup_id);
            assert!(producer.send(record).await.unwrap().is_persisted());
            producer.close().await.unwrap();
        });
    }

    /// Puts a record of a sent mail into the table.
    fn record(&self, mail: &str, recipient: &str) {
        let text = |text: &str| json!({"S": text});
        let item = json!({
            "ses_pk": text("orders@shop.example"), "ses_sk": text(&format!("{mail}#2027-01-05 11:00")), "message_id": text(mail),
            "mail_id": text("07"), "from": text("Shop <orders@shop.example>"), "to": {"L": [text(recipient)]}, "status": text("sent"),
            "send_time": text("2027-01-05T11:00:00Z"), "template_id": text("order"), "s3_key": text("sent/07.eml"),
        });
        let request =
            json!({"ses_pk": text("orders@shop.example"), "ses_sk": text("request#1"), "message_id": text(mail)});
        for item in [item, request] {
            let call = Call::new("PutItem", json!({"TableName": "mails-mails", "Item": item}));
            self.trial.account.wait(self.trial.account.dynamodb.call(call)).unwrap();
        }
    }
}

fn words(run: &Run) -> String {
    run.stderr().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_topic_that_aws_does_not_make_is_made_by_a_function_and_read_through_it() {
    let Some(reached) = reached(serverless()) else { return };
    let trial = &reached.trial;
    let planned = trial.expect(0, &["up", "--dry-run"]);
    assert!(!words(&planned).contains("AWS makes no topics"), "{planned}");
    let operator = trial.with_least_rights("up");
    let up = trial.expect_as(0, &operator, &["up", "--yes"]);
    assert!(words(&up).contains("topic log/lines: made by function access, with 2 partitions"), "{up}");
    let again = trial.expect_as(0, &operator, &["up", "--yes"]);
    assert!(words(&again).contains("topic log/lines: there, as function access says, with 2 partitions"), "{again}");
    trial.expect(0, &["diff"]);

    let told = words(&trial.expect(2, &["tail", "log/lines"]));
    assert!(told.contains("no way to them was named") && told.contains("`--via access`"), "{told}");
    reached.write("Send", "0107-1", "ada@example.org");
    reached.write("Delivery", "0107-1", "ada@example.org");
    reached.write("Delivery", "0107-2", "bob@example.com");
    let reader = reached.reader("tail");
    let tail = |more: &[&str]| {
        let arguments = [&["tail", "log/lines", "--via", "access", "--since", "1h", "--once", "--json"], more].concat();
        trial.expect_as(0, &reader, &arguments).json()
    };
    assert_eq!(tail(&[]).len(), 3);
    let delivered = tail(&["--type", "delivery", "--recipient", "@example.org"]);
    assert_eq!(delivered.len(), 1, "{delivered:?}");
    assert_eq!(delivered[0]["message"]["message_id"], "0107-1");
    timeline_has_what_the_table_knows_beside_what_kafka_does(&reached);
}

/// Checks the timeline in a stack whose topic has two events of one mail and one of another.
fn timeline_has_what_the_table_knows_beside_what_kafka_does(reached: &Reached) {
    let trial = &reached.trial;
    reached.record("0107-1", "ada@example.org");
    reached.record("0107-3", "Ada@example.org");
    let reader = reached.reader("timeline");
    let mails = |what: &str, more: &[&str], code: i32| {
        let arguments = [&["timeline", what, "--via", "access", "--since", "1h", "--json"], more].concat();
        let document = trial.expect_as(code, &reader, &arguments).json().remove(0);
        let mails = document["mails"].as_array().unwrap().iter();
        let shown = |mail: &Value| {
            (mail["message_id"].clone(), mail["record"]["status"].clone(), mail["messages"].as_array().unwrap().len())
        };
        mails.map(shown).collect::<Vec<_>>()
    };
    let (sent, nothing) = (json!("sent"), Value::Null);
    assert_eq!(mails("0107-1", &[], 0), [(json!("0107-1"), sent.clone(), 2)]);
    // What has no event yet is found in the whole table, or with its sender in his part of it.
    assert_eq!(mails("0107-3", &[], 0), [(json!("0107-3"), sent.clone(), 0)]);
    assert_eq!(mails("0107-3", &["--sender", "Orders@shop.example"], 0), [(json!("0107-3"), sent.clone(), 0)]);
    assert_eq!(mails("0107-3", &["--sender", "others@shop.example"], 1), []);
    assert_eq!(mails("0107-1", &["--topic-only"], 0), [(json!("0107-1"), nothing, 2)]);
    let both = mails("Ada@example.org", &[], 0);
    assert_eq!(both, [(json!("0107-1"), sent.clone(), 2), (json!("0107-3"), sent, 0)]);
    assert_eq!(mails("0107-9", &[], 1), []);
    let text = trial.expect(0, &["timeline", "0107-1", "--via", "access", "--since", "1h"]);
    let lines: Vec<String> = text.stdout().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert!(
        lines[0].starts_with("0107-1 from orders@shop.example at ") && lines[0].ends_with(", template order"),
        "{text}"
    );
    assert_eq!(lines[1], "  2027-01-05T11:00:00Z  recorded as sent  ada@example.org");

    // A table that may not be read is an error that says so, and not a shorter timeline.
    let policy = trial.policy("tail");
    let invoke = json!({"Sid": "Ask", "Effect": "Allow", "Action": ["lambda:InvokeFunction", "iam:ListRoles", "tag:GetResources"], "Resource": ["*"]});
    let mut less = policy;
    less["Statement"].as_array_mut().unwrap().push(invoke);
    let run = trial.expect_as(2, &trial.user("less", &less), &["timeline", "0107-1", "--via", "access"]);
    assert!(words(&run).contains("Failed to look for 0107-1 in the table `mails`"), "{run}");
}

/// Entries that the whole way needs beside: SES tells a topic, and the topic a function that writes to Kafka.
const WAY: &str = "  joiner:
    use: standin
    timeout: 30s
    environment: {STANDIN_PROGRAM: 'PROGRAM', STANDIN_BROKERS: 'BROKERS'}
    queries: [mails]
    produces: [log/lines]
    vpc: {subnets: [A, B], security_groups: [GROUP]}
configuration_sets:
  mails: {events: {all: {topic: told, types: [send, delivery, bounce, complaint]}}}
topics: {told: {subscriptions: [{function: joiner}]}}
buckets: {bodies: {}}
";

/// Prepares a stack with the whole way of an event, from SES to Kafka.
fn whole_way() -> Option<Reached> {
    let reached = reached(serverless())?;
    let trial = &reached.trial;
    let declaration = std::fs::read_to_string(trial.folder.path("infra.yaml")).unwrap();
    let value = |key: &str| {
        let line = declaration.lines().find(|line| line.trim_start().starts_with(key)).unwrap();
        line.trim_start().strip_prefix(key).unwrap().trim().to_owned()
    };
    let way = replaced(
        WAY,
        &[
            ("'PROGRAM'", &format!("'{}'", executable("mail-events").display())),
            ("'BROKERS'", &format!("'{}'", reached.broker.bootstrap_servers())),
            ("{subnets: [A, B], security_groups: [GROUP]}", &value("vpc:")),
        ],
    );
    trial.folder.write("infra.yaml", format!("{declaration}{way}"));
    trial.account.wait(trial.account.ses.verify_domain_identity().domain("shop.example").send()).unwrap();
    trial.up();
    Some(reached)
}

#[test]
fn what_becomes_of_a_mail_comes_from_ses_through_the_stack_into_kafka_and_is_shown() {
    let Some(reached) = whole_way() else { return };
    let trial = &reached.trial;
    let brokers = reached.broker.bootstrap_servers();
    // The last of its events, by type, for each of the simulator's addresses.
    for (simulated, last) in [("bounce", "Bounce"), ("complaint", "Complaint"), ("success", "Delivery")] {
        for way in [["--via", "access"], ["--bootstrap", &brokers]] {
            let send = ["send", "--from", "orders@shop.example", "--simulate", simulated, "--template-id", "order"];
            let run = trial.expect(0, &[&send[..], &["--watch", "log/lines", "--json"], &way].concat());
            let told = run.json();
            let mail = told[0]["message_id"].as_str().unwrap().to_owned();
            let messages: Vec<&Value> = told[1..].iter().map(|entry| &entry["message"]).collect();
            assert_eq!(messages.last().unwrap()["notify_type"], last, "{run}");
            for message in messages {
                assert_eq!((&message["message_id"], &message["template_id"]), (&json!(mail), &json!("order")), "{run}");
            }
        }
    }
    let kinds = |way: &[&str]| {
        let run = trial.expect(0, &[&["tail", "log/lines", "--since", "1h", "--once", "--json"], way].concat());
        let mut kinds: Vec<String> =
            run.json().iter().map(|entry| entry["message"]["notify_type"].as_str().unwrap().to_owned()).collect();
        kinds.sort();
        kinds
    };
    let all = kinds(&["--via", "access"]);
    assert_eq!(all, [["Bounce"; 2], ["Complaint"; 2], ["Delivery"; 2], ["Send"; 2], ["Send"; 2], ["Send"; 2]].concat());
    assert_eq!(kinds(&["--bootstrap", &brokers]), all);
}

#[test]
fn a_topic_with_fewer_replicas_than_are_declared_is_an_error() {
    let Some(reached) = reached(provisioned("3.5.1", true, false)) else { return };
    let trial = &reached.trial;
    let declaration = std::fs::read_to_string(trial.folder.path("infra.yaml")).unwrap();
    trial.folder.write("infra.yaml", replaced(&declaration, &[("replication: 3", "replication: 2")]));
    let run = trial.expect(2, &["up", "--yes"]);
    let told = words(&run);
    assert!(told.contains("1 of its brokers have each partition, not 2") && told.contains("`replication: 1`"), "{run}");
    // Nothing is taken away: the topic stays as it was made.
    trial.folder.write("infra.yaml", replaced(&declaration, &[("replication: 3", "replication: 1")]));
    let again = trial.expect(0, &["up", "--yes"]);
    assert!(words(&again).contains("there, as function access says, with 2 partitions on 1 brokers each"), "{again}");
}
