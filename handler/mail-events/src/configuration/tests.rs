//! Tests the reading of the configuration from the environment: what is taken by default, and every mistake that is told at the start.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use replaced::Replaced as _;
use serde_json::{Value, json};

use super::*;

const CONTEXT: &str = r#"{"stack":"mails","function":"joiner","tables":{"mails":"mails-mails"},
    "produces":{"events/messages":{"bootstrap":"b-1.example:9098,b-2.example:9098","topic":"messages"}}}"#;
const PEM: &str = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";

fn look_up(changes: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
    let sound = [
        ("PROVISION_CONTEXT", CONTEXT),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "key"),
        ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1"),
        ("AWS_LAMBDA_FUNCTION_NAME", "joiner"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
    ];
    let all: BTreeMap<String, String> =
        sound.iter().chain(changes).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    move |name| all.get(name).cloned()
}

fn read(changes: &[(&str, &str)]) -> Result<Configuration, String> {
    Configuration::read(&look_up(changes)).map_err(|error| error.to_string())
}

fn with_context(old: &str, new: &str) -> Result<Configuration, String> {
    assert!(CONTEXT.contains(old), "{old}");
    read(&[("PROVISION_CONTEXT", &CONTEXT.replaced(old, new))])
}

#[test]
fn the_only_table_and_the_only_topic_are_taken() {
    let configuration = read(&[]).unwrap();
    assert_eq!((configuration.table.as_str(), configuration.topic.topic.as_str()), ("mails-mails", "messages"));
    assert_eq!(configuration.join, Duration::from_mins(1));
    assert_eq!(configuration.security, Security::Tls { mechanism: Mechanism::Iam, ca: None });
    let changed = read(&[("JOIN_SECONDS", " 0 "), ("KAFKA_MECHANISM", "oauthbearer"), ("KAFKA_CA", PEM)]).unwrap();
    assert_eq!(changed.join, Duration::ZERO);
    assert_eq!(changed.security, Security::Tls { mechanism: Mechanism::Token, ca: Some(PEM.to_owned()) });
}

#[test]
fn nothing_is_sent_without_tls_but_to_this_machine() {
    let brokers = "b-1.example:9098,b-2.example:9098";
    assert_eq!(with_context(brokers, "127.0.0.1:9092,localhost:9093").unwrap().security, Security::None);
    for open in ["127.0.0.1:9092,b-1.example:9098", "127.0.0.1.example:9092", "localhost.example:1"] {
        assert_ne!(with_context(brokers, open).unwrap().security, Security::None, "{open}");
    }
}

#[test]
fn everything_that_is_wrong_is_reported_at_the_start() {
    for (fault, words) in [
        (with_context(r#""mails":"mails-mails""#, ""), "names no table: the function's `queries` must name one"),
        (with_context(r#""tables":{"#, r#""tables":{"old":"b","#), "more than one table (`mails`, `old`)"),
        (
            with_context(r#""produces":{"#, r#""produces":{},"old":{"#),
            "names no topic of Kafka: the function's `produces`",
        ),
        (
            with_context(r#""produces":{"#, r#""produces":{"a/b":{"bootstrap":"b:1","topic":"t"},"#),
            "more than one topic of Kafka (`a/b`, `events/messages`)",
        ),
        (with_context(r#""topic":"messages""#, r#""topic":"""#), "lacks its name, or brokers"),
        (with_context("b-1.example:9098,", "b-1.example,"), "lacks its name, or brokers"),
        (with_context("b-1.example:9098,", "b-1.example:0,"), "lacks its name, or brokers"),
        (read(&[("JOIN_SECONDS", "-1"), ("AWS_REGION", "")]), "`JOIN_SECONDS` is `-1`"),
        (read(&[("JOIN_SECONDS", "-1"), ("AWS_REGION", "")]), "`AWS_REGION` is missing"),
        (read(&[("KAFKA_MECHANISM", "plain")]), "supported are `iam` and `oauthbearer`"),
        (read(&[("KAFKA_CA", "secret")]), "`KAFKA_CA` has no certificate"),
    ] {
        let fault = fault.unwrap_err();
        assert!(fault.contains(words), "{words}: {fault}");
    }
}

#[test]
fn the_schema_describes_the_variables_that_are_read() {
    let schema: Value = serde_json::from_str(include_str!("../../configuration.json")).unwrap();
    let asked = RefCell::new(BTreeSet::new());
    let sound = look_up(&[]);
    let recording = |name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        sound(name)
    };
    Configuration::read(&recording).unwrap();
    let is_ours = |name: &String| name != "PROVISION_CONTEXT" && !name.starts_with("AWS_");
    let asked: BTreeSet<String> = asked.into_inner().into_iter().filter(is_ours).collect();
    let described: BTreeSet<String> = schema["properties"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(described, asked);
    let schema = jsonschema::validator_for(&schema).unwrap();
    for (name, values) in [
        ("JOIN_SECONDS", &["0", "60", "300", "301", "060", " 5 ", "-1", "1.5", "a", ""][..]),
        ("KAFKA_MECHANISM", &["iam", "oauthbearer", "plain", "IAM"]),
        ("KAFKA_CA", &[PEM, "-----BEGIN KEY-----", "ca", "", " "]),
    ] {
        for value in values {
            let is_valid = schema.is_valid(&json!({ name: value }));
            assert_eq!(is_valid, read(&[(name, value)]).is_ok(), "{name}={value}");
        }
    }
}
