//! Each question, and everything that is none.

use std::time::Duration;

use krafka::testing::ApiKey;
use serde_json::{Value, json};

use crate::trial::Trial;

fn ensure(topic: &str) -> Value {
    json!({"provision": {"ensure": {"topic": topic}}})
}

fn read(start: &Value, selection: &Value) -> Value {
    json!({"provision": {"read": {"topic": "events/messages", "start": start, "selection": selection}}})
}

/// Returns the ids of the mails of an answer.
fn mails(page: &Value) -> Vec<&str> {
    let entries = page["entries"].as_array().unwrap().iter();
    let mut mails: Vec<&str> = entries.map(|entry| entry["message"]["Ok"]["message_id"].as_str().unwrap()).collect();
    mails.sort_unstable();
    mails
}

#[test]
fn a_topic_is_made_and_read_by_tls_with_the_role() {
    let trial = Trial::behind_tls();
    let made = trial.answer(&ensure("events/lines"));
    assert_eq!(made, json!({"ensured": {"change": "created", "partitions": 3, "replication": 1}}));
    let there = trial.answer(&ensure("events/lines"));
    assert_eq!(there, json!({"ensured": {"change": "nothing", "partitions": 3, "replication": 1}}));
    trial.write(&["0107-1", "0107-2"], "ada@example.org");
    let page = trial.answer(&read(&json!("beginning"), &json!({})));
    assert_eq!(mails(&page), ["0107-1", "0107-2"]);
    let proofs = trial.front.as_ref().unwrap().proofs.lock().unwrap().clone();
    assert!(!proofs.is_empty() && proofs.iter().all(|proof| proof.starts_with("AWS_MSK_IAM: Ok")), "{proofs:?}");
    assert_eq!(trial.broker.request_count(ApiKey::DeleteTopics), 0);
}

#[test]
fn records_are_read_on_from_where_another_answer_ended_and_no_log_has_them() {
    let trial = Trial::start();
    trial.write(&["0107-1", "0107-2"], "ada@example.org");
    trial.write(&["0107-3"], "bob@example.com");
    let page = trial.answer(&read(&json!("beginning"), &json!({"recipients": ["@example.org"]})));
    assert_eq!(mails(&page), ["0107-1", "0107-2"]);
    assert_eq!(page["next"], page["ends"]);
    let nothing = trial.answer(&read(&json!({"at": page["next"]}), &json!({})));
    assert_eq!(mails(&nothing), [""; 0]);
    trial.write(&["0107-4"], "ada@example.org");
    let more = trial.answer(&read(&json!({"at": nothing["next"]}), &json!({"mails": ["0107-4", "0107-1"]})));
    assert_eq!(mails(&more), ["0107-4"]);
    let (lines, errors) = trial.stop();
    let reports: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> =
        reports.iter().map(|line| (&line["item"], &line["outcome"], &line["details"]["entries"])).collect();
    let read = |count: usize| json!(["events/messages", "read", count]);
    let told: Vec<Value> = told.into_iter().map(|(item, outcome, count)| json!([item, outcome, count])).collect();
    assert_eq!(told, [read(2), read(0), read(1)]);
    let text = format!("{lines:?}{errors}");
    assert!(!text.contains("example.org") && !text.contains("0107-1"), "{text}");
}

#[test]
fn it_does_what_its_declaration_names_and_nothing_else() {
    let trial = Trial::start();
    for (event, words) in [
        (ensure("events/messages"), "`creates` does not name the topic `events/messages`"),
        (ensure("events/other"), "`creates` does not name the topic `events/other`"),
        (
            json!({"provision": {"read": {"topic": "events/lines", "start": "now"}}}),
            "`follows` does not name the topic `events/lines`",
        ),
        (json!({"provision": {"delete": {"topic": "events/lines"}}}), "unknown variant"),
        // Whoever asks decides nothing of how large a topic is.
        (json!({"provision": {"ensure": {"topic": "events/lines", "partitions": 90}}}), "unknown field"),
        (json!({"Records": []}), "provision"),
    ] {
        let said = trial.ask(&event);
        assert!(said.error_type.is_some() && said.body.contains(words), "{event}: {}", said.body);
    }
    let asked = |api| trial.broker.request_count(api);
    assert_eq!([ApiKey::CreateTopics, ApiKey::CreatePartitions, ApiKey::DeleteTopics].map(asked), [0; 3]);
}

#[test]
fn brokers_that_do_not_take_the_role_are_told_from_those_that_are_away() {
    let trial = Trial::without_rights();
    let denied = trial.answer(&ensure("events/lines"));
    let reason = denied["denied"].as_str().unwrap_or_else(|| panic!("{denied}"));
    assert!(reason.contains("`lines`"), "{reason}");
    let said = trial.ask(&read(&json!("beginning"), &json!({})));
    assert!(said.error_type.is_some(), "{}", said.body);
    let proofs = trial.front.as_ref().unwrap().proofs.lock().unwrap().clone();
    assert!(!proofs.is_empty() && proofs.iter().all(|proof| proof.contains("Err")), "{proofs:?}");
}

#[test]
fn brokers_that_do_not_answer_are_told_before_the_invocation_ends() {
    let trial = Trial::behind_tls();
    trial.front.as_ref().unwrap().set_away(true);
    trial.limit(Duration::from_secs(4));
    let said = trial.ask(&ensure("events/lines"));
    assert!(said.error_type.is_some(), "{}", said.body);
    let probed = trial.answer(&json!({"provision": "probe"}));
    let all: Vec<bool> = probed["probe"].as_array().unwrap().iter().map(|check| check["ok"] == true).collect();
    assert_eq!(all, [false, false], "{probed}");
    trial.front.as_ref().unwrap().set_away(false);
    assert!(trial.answer(&ensure("events/lines"))["ensured"].is_object());
}
