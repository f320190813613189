//! Tests the real function `mail-events` on this machine: what SES publishes in, messages in Kafka out.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

const DECLARATION: &str = "
stack: mail-events
region: eu-west-1
configuration_sets: {mails: {events: {all: {topic: mail-events, types: all}}}}
topics: {mail-events: {subscriptions: [{function: joiner, redrive: not-taken}]}}
functions:
  joiner:
    crate: mail-events
    memory: 256MB
    timeout: 1m
    environment: {JOIN_SECONDS: '0'}
    queries: [mails]
    produces: [events/messages]
    on_failure: failed
    retries: 1
    vpc: {subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b], security_groups: [sg-0a1b2c3d]}
tables: {mails: {partition_key: ses_pk, sort_key: ses_sk}}
clusters:
  events:
    existing: arn:aws:kafka:eu-west-1:123456789012:cluster/company/0a1b2c3d-4e5f-6a7b-8c9d-0e1f2a3b4c5d-7
    topics: {messages: {partitions: 3, replication: 3}}
queues: {failed: {retention: 14d}, not-taken: {retention: 14d}}
";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The end of a run.
struct Ended {
    code: Option<i32>,
    document: Value,
    text: String,
}

impl Ended {
    /// Returns the notification of a file.
    fn of(&self, file: &str) -> &Value {
        let all = self.document["notifications"].as_array().unwrap();
        let found = all.iter().find(|one| one["origin"].as_str().unwrap().ends_with(file));
        found.unwrap_or_else(|| panic!("no {file}: {}", self.text))
    }
}

/// Publishes the events of a folder once, with items in the table.
fn publish(events: &Path, items: &[Value]) -> Ended {
    // Within the workspace, where Cargo finds the function.
    let runs = root().join("target/dev-runs");
    fs::create_dir_all(&runs).unwrap();
    let folder = tempfile::tempdir_in(runs).unwrap();
    let file = folder.path().join("infra.yaml");
    fs::write(&file, DECLARATION).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
    command.arg("--json").arg("-f").arg(&file).args(["dev", "--once", "--retry-delay", "0.05", "--event"]).arg(events);
    for (number, item) in items.iter().enumerate() {
        let path = folder.path().join(format!("{number}.json"));
        fs::write(&path, json!({"TableName": "mails", "Item": item}).to_string()).unwrap();
        command.arg("--item").arg(path);
    }
    let output = command.output().unwrap();
    let text = format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {text}"));
    Ended { code: output.status.code(), document, text }
}

#[test]
fn every_sample_becomes_its_messages_or_is_ignored_and_the_summary_says_so() {
    let samples = root().join("tests/events");
    let bounce: Value = serde_json::from_slice(&fs::read(samples.join("event-bounce.json")).unwrap()).unwrap();
    let id = bounce["mail"]["messageId"].as_str().unwrap();
    let sender = events::bare(bounce["mail"]["source"].as_str().unwrap()).unwrap().to_lowercase();
    let key = format!("{id}#2027-01-05 11:00");
    let item = json!({"ses_pk": {"S": sender}, "ses_sk": {"S": key}, "template_id": {"S": "order-shipped"}});
    let ended = publish(&samples, &[item]);
    assert_eq!(ended.code, Some(0), "{}", ended.text);
    let all = ended.document["notifications"].as_array().unwrap();
    assert_eq!(all.len(), fs::read_dir(&samples).unwrap().count(), "{}", ended.text);
    let one = ended.of("event-bounce.json");
    assert_eq!(one["details"]["event"], "Bounce", "{}", ended.text);
    assert_eq!(one["details"]["template"], "order-shipped", "{}", ended.text);
    let recipients = bounce["bounce"]["bouncedRecipients"].as_array().unwrap().len();
    assert_eq!(one["details"]["messages"].as_array().unwrap().len(), recipients, "{}", ended.text);
    for ignored in ["destination-validation.txt", "notification-subscription-succeeded.json"] {
        assert_eq!(ended.of(ignored)["outcome"], "validation", "{}", ended.text);
    }
    // No full address is in the function's log.
    assert!(!ended.text.contains(&sender), "{}", ended.text);
}

#[test]
fn what_is_no_event_ends_in_the_failure_queue_and_the_others_do_not() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(root().join("tests/events/event-send.json"), folder.path().join("1-send.json")).unwrap();
    fs::write(folder.path().join("2-odd.json"), r#"{"neither": "type"}"#).unwrap();
    let ended = publish(folder.path(), &[]);
    assert_eq!(ended.code, Some(1), "{}", ended.text);
    assert_eq!(ended.of("2-odd.json")["outcome"], "failed", "{}", ended.text);
    assert_eq!(ended.of("2-odd.json")["attempts"], 2, "{}", ended.text);
    assert_ne!(ended.of("1-send.json")["outcome"], "failed", "{}", ended.text);
    assert_eq!(ended.of("1-send.json")["details"]["unknown_mail"], true, "{}", ended.text);
}
