//! Tests that a replay takes nothing away: SQS counts every look at a message, and a redrive makes something of the count.

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};

use super::{
    DECLARATION, Place,
    replay::{ARN, record},
};
use crate::{
    emulator::{fault::Fault, pipeline::logged_times, proxy::Proxy, server::Emulator},
    harness::replaced,
};

/// The most dry runs in a row.
const MOST_LOOKS: usize = 5;

/// A chain of queues, each of which redrives to the next.
const CHAIN: &str = "queues:
  failed: {redrive: {queue: dead, after: 2}}
  dead: {redrive: {queue: buried, after: 1}}
  buried: {}
";

/// Returns a place whose failure queue redrives.
fn place() -> Option<Place> {
    Place::with(&replaced(DECLARATION, &[("queues: {failed: {}}\n", CHAIN)]))
}

impl Place {
    /// Creates a queue, with the redrive to another one, and returns its URL.
    fn queue(&self, name: &str, redrive: Option<(&str, usize)>) -> String {
        let mut creating = self.account.sqs.create_queue().queue_name(name);
        if let Some((target, after)) = redrive {
            let arn = format!("arn:aws:sqs:eu-west-1:123456789012:{target}");
            let policy = json!({"deadLetterTargetArn": arn, "maxReceiveCount": after.to_string()}).to_string();
            creating = creating.attributes(QueueAttributeName::RedrivePolicy, policy);
        }
        self.account.wait(creating.send()).unwrap().queue_url.unwrap()
    }

    fn send(&self, url: &str, message: &str) {
        self.account.wait(self.account.sqs.send_message().queue_url(url).message_body(message).send()).unwrap();
    }

    /// Receives what a queue has and shows it to others again at once, as somebody does in the console.
    fn look(&self, url: &str) -> usize {
        let receiving = self.account.sqs.receive_message().queue_url(url).max_number_of_messages(10);
        self.account.wait(receiving.visibility_timeout(0).send()).unwrap().messages.map_or(0, |messages| messages.len())
    }

    fn visible(&self, url: &str) -> String {
        let (visible, hidden) = self.waiting(url);
        assert_eq!(hidden, "0");
        visible
    }
}

/// A queue that a function consumes, and the one for its dead letters.
const CONSUMED: &str = "\
stack: op
region: eu-west-1
functions: {worker: {crate: maintenance, bin: reader, timeout: 10s, consumes: {queue: jobs}}}
queues:
  jobs: {visibility_timeout: 1m, redrive: {queue: dead, after: 1}}
  dead: {}
";

#[test]
fn a_dead_letter_goes_back_into_the_queue_that_its_function_consumes() {
    let Some(place) = Place::with(CONSUMED) else { return };
    let (dead, jobs) = (place.queue("op-dead", None), place.queue("op-jobs", Some(("op-dead", 1))));
    let job = r#"{"id":"016f6063-51a1-4948-a827-ce4c31ec53ed","event":"job_complete"}"#;
    // One that SQS has moved, and one that somebody has put there.
    place.send(&jobs, job);
    assert_eq!(place.look(&jobs), 1);
    assert_eq!((place.look(&jobs), place.visible(&dead)), (0, "1".to_owned()));
    place.send(&dead, "of no job");
    let run = place.run(&["replay", "--failed", "--dry-run"]);
    assert_eq!(run.code(), Some(0), "{run}");
    assert!(run.stdout().contains("→ worker   \"016f6063-51a1-4948-a827-ce4c31ec53ed\""), "{run}");
    assert_eq!((place.visible(&jobs), place.visible(&dead)), ("0".to_owned(), "2".to_owned()));
    let run = place.run(&["replay", "--failed", "--yes", "--function", "worker"]);
    assert_eq!(run.code(), Some(0), "{run}");
    assert!(run.stdout().ends_with("Replayed: 2 of 2\n"), "{run}");
    assert_eq!((place.visible(&jobs), place.visible(&dead)), ("2".to_owned(), "0".to_owned()));
    let received =
        place.account.wait(place.account.sqs.receive_message().queue_url(&jobs).max_number_of_messages(10).send());
    let mut bodies: Vec<_> = received.unwrap().messages.unwrap().into_iter().filter_map(|one| one.body).collect();
    bodies.sort();
    assert_eq!(bodies, ["of no job", job]);
}

/// A topic whose subscription redrives to a queue, and a function whose failed events have another one.
const SUBSCRIBED: &str = "\
stack: op
region: eu-west-1
topics: {news: {subscriptions: [{function: reader, redrive: missed}]}}
functions: {reader: {crate: maintenance, bin: reader, timeout: 10s, on_failure: failed}}
queues: {failed: {}, missed: {}}
";

/// Returns a notification as SNS puts it into a queue.
fn notification(topic: &str, id: &str) -> Value {
    json!({"Type": "Notification", "MessageId": id, "TopicArn": format!("arn:aws:sns:eu-west-1:123456789012:{topic}"),
        "Subject": "event", "Message": "print it", "Timestamp": "2027-01-05T10:15:30.123Z"})
}

#[test]
fn notifications_are_replayed_from_the_redrive_of_their_subscription_and_from_the_failure_queue() {
    let Some(place) = Place::with(SUBSCRIBED) else { return };
    place.make_function("reader");
    let (failed, missed) = (place.queue("op-failed", None), place.queue("op-missed", None));
    place.send(&missed, &notification("op-news", "missed-1").to_string());
    place.send(&missed, &notification("others-news", "others-1").to_string());
    let sns = notification("op-news", "failed-1");
    let event = json!({"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": sns}]});
    let mut of_lambda: Value = serde_json::from_str(&record(ARN, "x")).unwrap();
    of_lambda["requestPayload"] = event;
    place.send(&failed, &of_lambda.to_string());
    let (code, document) = place.document(&["replay", "--failed", "--dry-run"]);
    let subjects: Vec<_> = document["items"].as_array().unwrap().iter().map(|item| item["subject"].clone()).collect();
    assert_eq!(
        (code, &json!(subjects)),
        (Some(1), &json!(["failed-1 of the topic op-news", "missed-1 of the topic op-news"]))
    );
    let (code, document) = place.document(&["replay", "--failed", "--yes", "--rate", "100"]);
    assert_eq!((code, &document["counts"]["replayed"]), (Some(1), &json!(2)), "{document}");
    assert_eq!(document["refused"].as_array().unwrap().len(), 1, "{document}");
    assert!(document["refused"][0]["reason"].as_str().unwrap().contains("others-news"), "{document}");
    assert_eq!((place.visible(&failed).as_str(), place.visible(&missed).as_str()), ("0", "1"));
    for id in ["failed-1", "missed-1"] {
        let lines = logged_times(&place.account, "op-reader", id, 1);
        let event: Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(event["Records"][0]["Sns"]["Message"], "print it", "{event}");
    }
}

/// Two functions of one topic redrive to one queue: a message there does not say whose it is.
#[test]
fn a_notification_that_two_functions_may_have_missed_goes_to_the_one_that_is_named() {
    let two = "[{function: reader, redrive: missed}, {function: other, redrive: missed}]";
    let functions = "functions: {reader: {crate: maintenance, bin: reader, timeout: 10s, on_failure: failed}";
    let other = format!("{functions}, other: {{crate: maintenance, bin: other}}");
    let declaration =
        replaced(SUBSCRIBED, &[("[{function: reader, redrive: missed}]", two), (functions, other.as_str())]);
    let Some(place) = Place::with(&declaration) else { return };
    place.make_function("reader");
    let missed = place.queue("op-missed", None);
    place.send(&missed, &notification("op-news", "missed-1").to_string());
    let run = place.run(&["replay", "--failed", "--yes"]);
    assert_eq!((run.code(), place.visible(&missed).as_str()), (Some(1), "1"), "{run}");
    assert!(run.stdout().contains("`--function` sends"), "{run}");
    let run = place.run(&["replay", "--failed", "--yes", "--function", "reader"]);
    assert_eq!((run.code(), place.visible(&missed).as_str()), (Some(0), "0"), "{run}");
}

/// More than one round takes, with messages that are nobody's among them.
#[test]
fn a_long_queue_is_replayed_to_its_end() {
    const EVENTS: usize = 130;
    const STRANGE: usize = 110;
    let Some(place) = Place::with(SUBSCRIBED) else { return };
    place.make_function("reader");
    let missed = place.queue("op-missed", None);
    for _ in 0..STRANGE {
        place.send(&missed, "hello");
    }
    for number in 0..EVENTS {
        place.send(&missed, &notification("op-news", &format!("missed-{number}")).to_string());
    }
    let run = place.run(&["replay", "--failed", "--dry-run"]);
    assert!(run.stdout().contains("`--dry-run` shows no more than"), "{run}");
    assert_eq!(place.visible(&missed), (EVENTS + STRANGE).to_string());
    let run = place.run(&["replay", "--failed", "--yes", "--rate", "1000"]);
    assert_eq!(run.code(), Some(1), "{run}");
    assert!(run.stdout().contains("more that wait"), "{run}");
    assert!(run.stderr().contains(" more wait"), "{run}");
    let end = format!("Replayed: {EVENTS} of {EVENTS}; {STRANGE} cannot be\n");
    assert!(run.stdout().ends_with(&end), "{run}");
    assert_eq!(place.visible(&missed), STRANGE.to_string());
}

#[test]
fn any_number_of_dry_runs_leaves_every_event_where_it_was() {
    for after in [None, Some(1), Some(2), Some(3), Some(MOST_LOOKS + 1)] {
        let Some(place) = place() else { return };
        place.make_function("reader");
        let dead = place.queue("op-dead", None);
        let failed = place.queue("op-failed", after.map(|after| ("op-dead", after)));
        place.send(&failed, &record(ARN, "print one"));
        place.send(&failed, &record(ARN, "print two"));
        for look in 1..=MOST_LOOKS {
            let (code, document) = place.document(&["replay", "--failed", "--dry-run"]);
            let standing = (place.visible(&failed), place.visible(&dead));
            assert_eq!(standing, ("2".to_owned(), "0".to_owned()), "redrive after {after:?}, look {look}: {document}");
            let shown = document["items"].as_array().unwrap().len();
            if let Some(after) = after {
                assert_eq!((code, shown), (Some(1), 0), "{document}");
                assert_eq!(document["unread"][0]["queue"], "failed");
                assert_eq!(document["unread"][0]["messages"], 2);
                let times = if after == 1 { "once".to_owned() } else { format!("{after} times") };
                let reason = document["unread"][0]["reason"].as_str().unwrap();
                assert!(reason.contains(&format!("received {times} to `dead`")), "{reason}");
            } else {
                assert_eq!((code, shown), (Some(0), 2), "{document}");
                assert_eq!(document["unread"], json!([]));
            }
        }
        let (code, document) = place.document(&["replay", "--failed", "--yes", "--rate", "100"]);
        assert_eq!((code, &document["counts"]["replayed"]), (Some(0), &json!(2)), "{document}");
        assert_eq!((place.visible(&failed).as_str(), place.visible(&dead).as_str()), ("0", "0"));
        logged_times(&place.account, "op-reader", "one=", 1);
        logged_times(&place.account, "op-reader", "two=", 1);
    }
}

/// Whoever has looked too often, here or in the console, finds the event in the queue to which it moved; it leaves none of them but by
/// being replayed.
#[test]
fn an_event_is_replayed_from_every_queue_that_it_can_end_in() {
    let Some(place) = place() else { return };
    let buried = place.queue("op-buried", None);
    let dead = place.queue("op-dead", Some(("op-buried", 1)));
    let failed = place.queue("op-failed", Some(("op-dead", 2)));
    let all = || [&failed, &dead, &buried].map(|url| place.visible(url));
    place.send(&buried, &record(ARN, "print buried"));
    place.send(&dead, &record(ARN, "print dead"));
    place.send(&failed, &record(ARN, "print looked at"));
    while place.look(&failed) > 0 {}
    assert_eq!(all(), ["0", "2", "1"], "the emulator moves what was received too often");

    let run = place.run(&["replay", "--failed", "--dry-run"]);
    assert_eq!(run.code(), Some(1), "{run}");
    assert!(run.stdout().contains("  buried/"), "{run}");
    assert!(run.stdout().contains("  ! dead: 2 messages not read: SQS counts every look"), "{run}");
    assert!(run.stdout().ends_with("Replay: 1 to replay; 1 queue not read\n"), "{run}");
    assert_eq!(all(), ["0", "2", "1"]);

    // Lambda refuses, as there is no function yet: nothing is deleted, wherever it stands now.
    let (code, document) = place.document(&["replay", "--failed", "--yes", "--rate", "100"]);
    assert_eq!((code, &document["counts"]["replayed"]), (Some(1), &json!(0)), "{document}");
    let left: usize = all().iter().map(|count| count.parse::<usize>().unwrap()).sum();
    assert_eq!(left, 3, "{document}");

    place.make_function("reader");
    let (code, document) = place.document(&["replay", "--failed", "--yes", "--rate", "100"]);
    assert_eq!((code, &document["counts"]["replayed"]), (Some(0), &json!(3)), "{document}");
    assert_eq!(all(), ["0", "0", "0"]);
    for subject in ["buried=", "dead=", "at="] {
        logged_times(&place.account, "op-reader", subject, 1);
    }
}

#[test]
fn a_redrive_that_is_not_declared_is_followed_by_a_person() {
    let Some(place) = Place::new() else { return };
    place.make_function("reader");
    let theirs = place.queue("corporate-dead-letters", None);
    let failed = place.queue("op-failed", Some(("corporate-dead-letters", 3)));
    place.send(&theirs, &record(ARN, "print theirs"));
    place.send(&failed, &record(ARN, "print ours"));
    let (code, document) = place.document(&["replay", "--failed", "--yes"]);
    assert_eq!((code, &document["counts"]["replayed"]), (Some(1), &json!(1)), "{document}");
    assert_eq!(document["unread"][0]["queue"], "corporate-dead-letters");
    assert_eq!(document["unread"][0]["messages"], 1);
    let reason = document["unread"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("received 3 times move there from `failed`"), "{reason}");
    assert_eq!((place.visible(&failed).as_str(), place.visible(&theirs).as_str()), ("0", "1"));
}

#[test]
fn what_was_received_before_a_failure_is_shown_to_others_again() {
    let Some(emulated) = Place::with(&replaced(DECLARATION, &[("queues: {failed: {}}\n", CHAIN)])) else { return };
    let dead = emulated.queue("op-dead", None);
    let failed = emulated.queue("op-failed", Some(("op-dead", 9)));
    emulated.send(&failed, &record(ARN, "one"));
    emulated.send(&dead, &record(ARN, "two"));
    let proxy = Proxy::before(&emulated.emulator.url);
    // One call has the message, the next says that there is no more; the third is of the other queue.
    let denied = proxy.on(Fault::Denies, |call| call.operation == "sqs.ReceiveMessage" && call.repetition == 3);
    let mut command = emulated.command(&["replay", "--failed", "--yes"]);
    let run = emulated.folder.finish(&["replay"], command.envs(Emulator::environment(&proxy.url)).output().unwrap());
    assert_eq!(denied.try_iter().count(), 1, "{run}\n{}", proxy.record());
    assert_eq!(run.code(), Some(2), "{run}");
    assert!(run.stderr().contains("Failed to find the events to replay"), "{run}");
    assert_eq!((emulated.visible(&failed).as_str(), emulated.visible(&dead).as_str()), ("1", "1"));
}
