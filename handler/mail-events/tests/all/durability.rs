//! Acknowledged messages are in Kafka, whatever happens between: the suite by which the client was chosen (`docs/kafka-clients.md`).

use std::{collections::BTreeSet, sync::atomic::Ordering, time::Duration};

use crate::{
    broker::Broker,
    front::Fault,
    table::Table,
    trial::{MAIL, SHORT, Trial, event, notifications, patiently, sample},
};

/// Time of an event that is of no importance.
const OLD: &str = "2027-01-05T11:00:00Z";

fn open(number: usize) -> serde_json::Value {
    let mail = format!("mail-{number}");
    notifications(&[(&format!("n-{number}"), &event("Open", &mail, "ada@example.org", OLD, OLD))])
}

/// Writes that many events, each of a mail of its own; asserts that each is in the topic once.
fn all_once(trial: &Trial, count: usize) {
    for number in 0..count {
        assert_eq!(trial.written(&open(number)), 1);
    }
    let kept = trial.broker.kept();
    let ids: BTreeSet<&str> = kept.iter().map(|kept| kept.dedup_id.as_str()).collect();
    assert_eq!((ids.len(), kept.len()), (count, count), "none is lost, and none is there twice");
}

#[test]
fn a_lost_request_or_answer_neither_loses_nor_doubles() {
    let trial = Trial::start();
    trial.broker.front.choose(|number| match number {
        0 | 7 => Fault::Lost,
        2 | 3 | 9 => Fault::AnswerLost,
        _ => Fault::None,
    });
    all_once(&trial, 8);
    assert_eq!(trial.broker.front.faults.load(Ordering::SeqCst), 5);
}

#[test]
fn no_answer_at_all_is_waited_for_once() {
    let trial = Trial::start();
    trial.broker.front.choose(|number| if number == 1 { Fault::Silence } else { Fault::None });
    all_once(&trial, 3);
}

#[test]
fn errors_that_pass_are_tried_again() {
    let trial = Trial::start();
    // NOT_LEADER_OR_FOLLOWER, REQUEST_TIMED_OUT, NOT_ENOUGH_REPLICAS, and the one after the append.
    trial.broker.front.choose(|number| match number {
        0 => Fault::Code(6),
        2 => Fault::Code(7),
        4 => Fault::Code(19),
        6 => Fault::Code(20),
        _ => Fault::None,
    });
    all_once(&trial, 5);
    assert_eq!(trial.broker.front.faults.load(Ordering::SeqCst), 4);
}

#[test]
fn a_producer_that_the_cluster_does_not_go_on_with_is_replaced() {
    let trial = Trial::start();
    // OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, UNKNOWN_PRODUCER_ID, PRODUCER_FENCED.
    for (number, code) in [45, 47, 59, 90].into_iter().enumerate() {
        trial.broker.front.choose(move |produced| if produced == 0 { Fault::Code(code) } else { Fault::None });
        assert_eq!(trial.written(&open(number)), 1, "{code}");
    }
    let kept = trial.broker.kept();
    let ids: BTreeSet<&str> = kept.iter().map(|kept| kept.dedup_id.as_str()).collect();
    assert_eq!(ids.len(), 4, "a broker had them already, so there may be doubles, which are known: {}", kept.len());
    let (lines, errors) = trial.stop();
    assert_eq!(lines.iter().filter(|line| line["class"] == "done").count(), 4, "{errors}");
}

#[test]
fn errors_that_last_are_told() {
    let trial = Trial::start();
    trial.broker.front.choose(|_| Fault::Code(19));
    // As the examples declare: the client gives up by itself before the invocation's time is up.
    trial.lambda.limit(Duration::from_secs(30));
    let said = trial.failed(&open(1));
    assert!(said.contains("1 of 1 notifications not written: Kafka: ") && !said.contains("time was up"), "{said}");
    // TOPIC_AUTHORIZATION_FAILED is told at once, with what to do.
    trial.broker.front.choose(|_| Fault::Code(29));
    let said = trial.failed(&open(2));
    assert!(said.contains("the function's `produces` must name the topic `messages`"), "{said}");
    trial.broker.front.choose(|_| Fault::None);
    assert_eq!(trial.written(&open(3)), 1);
    let (lines, _) = trial.stop();
    let outcomes: Vec<&str> = lines.iter().map(|line| line["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["not written", "not written", "written"]);
}

#[test]
fn brokers_that_are_away_are_an_error_and_then_found_again() {
    let trial = Trial::start();
    trial.broker.front.set_away(true);
    trial.lambda.limit(SHORT);
    let said = trial.failed(&open(0));
    assert!(said.contains("Kafka: ") || said.contains("do not answer in time"), "{said}");
    trial.broker.front.set_away(false);
    assert_eq!(trial.written(&open(1)), 1);
    // Once more with a producer that was connected.
    trial.broker.front.set_away(true);
    trial.failed(&open(2));
    trial.broker.front.set_away(false);
    assert_eq!(trial.written(&open(3)), 1);
    // Away for a moment: the invocation waits.
    trial.lambda.limit(Duration::from_secs(30));
    trial.broker.front.set_away(true);
    let refused = || trial.broker.front.refused.load(Ordering::SeqCst);
    let before = refused();
    trial.lambda.prepare("r-9", &open(4).to_string());
    patiently(|| refused() > before);
    trial.broker.front.set_away(false);
    assert_eq!(trial.lambda.wait_for("r-9").error_type, None);
    let kept: BTreeSet<String> = trial.broker.kept().into_iter().map(|kept| kept.key).collect();
    assert!(["mail-1", "mail-3", "mail-4"].iter().all(|key| kept.contains(*key)), "{kept:?}");
}

#[test]
fn a_topic_that_is_gone_is_told() {
    let trial = Trial::start();
    trial.broker.delete_topic();
    trial.lambda.limit(Duration::from_secs(15));
    let said = trial.failed(&open(0));
    assert!(said.contains("the topic `messages` does not exist; `provision up` creates"), "{said}");
    assert_eq!(trial.stop().0[0]["class"], "retry");
}

#[test]
fn producer_and_connections_are_kept_and_the_role_is_proved_again_when_a_session_ends() {
    for mechanism in ["iam", "oauthbearer"] {
        let token = ("AWS_SESSION_TOKEN", "a/session+token=");
        let trial = Trial::between(Broker::start(3, 6), Table::start(), &[("KAFKA_MECHANISM", mechanism), token]);
        for number in 0..30 {
            trial.written(&open(number));
        }
        let made = trial.broker.front.connections.load(Ordering::SeqCst);
        println!("{mechanism}: {made} connections to 3 brokers for 30 invocations");
        assert!(made <= 4, "one for each broker, and one to find them: {made}");
        // New connections have short sessions from now on, and none outlives its end.
        trial.broker.front.end_sessions_after(Duration::from_millis(600));
        trial.broker.front.cut();
        let proofs = || trial.broker.front.proofs.lock().unwrap().clone();
        let mut number = 100;
        // Each of the three brokers is told anew at least once.
        patiently(|| {
            trial.written(&open(number));
            number += 1;
            proofs().len() as u64 >= made + 6
        });
        let proofs = proofs();
        let expected = if mechanism == "iam" { "AWS_MSK_IAM: Ok(())" } else { "OAUTHBEARER: Ok(())" };
        assert!(proofs.iter().all(|proof| proof == expected), "{proofs:?}");
        let kept = trial.broker.kept();
        let ids: BTreeSet<&str> = kept.iter().map(|kept| kept.dedup_id.as_str()).collect();
        assert_eq!(ids.len(), 30 + number - 100, "{} messages", kept.len());
    }
}

#[test]
fn who_cannot_prove_the_role_or_whose_certificate_is_unknown_is_refused() {
    let open = open(1);
    for (name, value, words) in [
        ("AWS_SECRET_ACCESS_KEY", "wrong", "the signature"),
        ("AWS_ACCESS_KEY_ID", "AKIAOTHER", "the brokers do not take the function's role"),
    ] {
        for mechanism in ["iam", "oauthbearer"] {
            let trial = Trial::with(&[(name, value), ("KAFKA_MECHANISM", mechanism)]);
            trial.table.choose(|_| Some(function_trial::Answer::new(200, r#"{"Items":[]}"#)));
            trial.lambda.limit(SHORT);
            let said = trial.failed(&open);
            assert!(said.contains(words), "{words}: {said}");
            assert!(trial.broker.kept().is_empty());
            let (lines, errors) = trial.stop();
            assert!(!format!("{lines:?}{errors}").contains("\"wrong\""), "{errors}");
        }
    }
    let other = Broker::start(1, 1);
    let trial = Trial::with(&[("KAFKA_CA", &other.front.ca)]);
    trial.lambda.limit(SHORT);
    let said = trial.failed(&open);
    assert!(said.to_lowercase().contains("certificate"), "{said}");
    assert_eq!(trial.broker.front.connections.load(Ordering::SeqCst), 0);
}

#[test]
fn nothing_is_begun_that_cannot_end_before_the_deadline() {
    let trial = Trial::start();
    trial.broker.front.choose(|_| Fault::Silence);
    trial.lambda.limit(Duration::from_secs(3));
    // The words are the function's own: where Lambda ends it, there are none.
    let said = trial.failed(&open(1));
    assert!(said.contains("before the invocation's time was up"), "{said}");
}

#[test]
fn a_notification_that_comes_again_has_the_same_ids_and_another_one_has_others() {
    let trial = Trial::start();
    let bounce = sample("event-bounce-transient.json");
    for id in ["n-1", "n-1", "n-2"] {
        assert_eq!(trial.written(&notifications(&[(id, &bounce)])), 2);
    }
    let kept = trial.broker.kept();
    let partitions: BTreeSet<i32> = kept.iter().map(|kept| kept.partition).collect();
    assert!(partitions.len() == 1 && kept.iter().all(|kept| kept.key == MAIL), "all of a mail are in one partition");
    assert_eq!((&kept[0], &kept[1]), (&kept[2], &kept[3]));
    let ids: BTreeSet<&str> = kept.iter().map(|kept| kept.dedup_id.as_str()).collect();
    assert_eq!((kept.len(), ids.len()), (6, 4));
    // The function says what it uses, and whether it reaches it.
    let said = trial.lambda.invoke("r-7", r#"{"provision":"probe"}"#);
    let answer: serde_json::Value = serde_json::from_str(&said.body).unwrap();
    let parts: Vec<(&str, bool)> = answer["probe"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| (check["what"].as_str().unwrap(), check["ok"].as_bool().unwrap()))
        .collect();
    assert_eq!(parts, [("table of mails", true), ("topic of Kafka", true)]);
}
