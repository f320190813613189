//! Tests `provision replay`: the same event once more, and nothing is lost by it.

use std::{
    io::{BufRead, BufReader},
    time::{Duration, Instant},
};

use aws_sdk_ses::types::InvocationType;
use aws_sdk_sqs::types::QueueAttributeName;
use insta::assert_snapshot;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{Place, event};
use crate::emulator::{
    mail::{Done, deliver},
    pipeline::{activate, invoke, log, logged_times, make_bucket, rule, store},
};
use crate::harness::replaced;

const BUCKET: &str = "op-mail-123456789012-eu-west-1";
const ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:function:op-reader";

impl Place {
    /// Creates bucket, function and rule, as far as mail needs them.
    fn make_pipeline(&self) {
        make_bucket(&self.account, BUCKET, "op.reader");
        let function = self.make_function("reader");
        let actions = vec![store(BUCKET), invoke(&function, InvocationType::Event)];
        activate(&self.account, vec![rule("op.reader", "noc@example.com", actions)]);
    }

    /// Delivers a mail; returns the key under which it is stored.
    fn deliver(&self, subject: &str) -> String {
        let mail = format!(
            "Received: from inside by outside with SMTP id 1; Tue, 5 Jan 2021 10:15:30 +0000\r\nX-SES-Spam-Verdict: FAIL\r\n\
             From: NOC <noc@carrier.example>\r\nTo: noc@example.com\r\nSubject: {subject}\r\n\r\nbody\r\n"
        );
        let done = deliver(&self.account, "bounce@carrier.example", &["noc@example.com"], mail.as_bytes());
        let Some(Done::Stored { key, .. }) = done.first() else { panic!("{done:?}") };
        key.clone()
    }

    fn put(&self, key: &str, body: &[u8]) {
        let putting = self.account.s3.put_object().bucket(BUCKET).key(key).body(body.to_vec().into());
        self.account.wait(putting.send()).unwrap();
    }

    /// Returns the failure queue with messages in it.
    fn fail(&self, messages: &[String]) -> String {
        let made = self.account.wait(self.account.sqs.create_queue().queue_name("op-failed").send()).unwrap();
        let url = made.queue_url.unwrap();
        for message in messages {
            let sending = self.account.sqs.send_message().queue_url(&url).message_body(message);
            self.account.wait(sending.send()).unwrap();
        }
        url
    }

    /// Returns how many messages of the queue anybody can receive, and how many are hidden.
    fn waiting(&self, url: &str) -> (String, String) {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let asking = self.account.sqs.get_queue_attributes().queue_url(url).set_attribute_names(Some(names.to_vec()));
        let counts = self.account.wait(asking.send()).unwrap().attributes.unwrap();
        let [visible, hidden] = names.map(|name| counts[&name].clone());
        (visible, hidden)
    }
}

/// Returns the message that Lambda sends to a failure destination.
fn record(function_arn: &str, subject: &str) -> String {
    let payload: Value = serde_json::from_str(&event(subject)).unwrap();
    json!({
        "version": "1.0",
        "timestamp": "2027-01-05T10:15:30.123Z",
        "requestContext": {"requestId": "r-1", "functionArn": format!("{function_arn}:$LATEST"),
            "condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": payload,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorType": "Transient", "errorMessage": "S3 is away"},
    })
    .to_string()
}

fn ok() -> (String, String) {
    ("0".to_owned(), "0".to_owned())
}

#[test]
fn a_stored_mail_reaches_its_function_with_the_event_that_ses_had_made() {
    let Some(place) = Place::new() else { return };
    place.make_pipeline();
    let key = place.deliver("event");
    let first: Value = serde_json::from_str(&logged_times(&place.account, "op-reader", "Records", 1)[0]).unwrap();

    let run = place.run(&["replay", &key, "--dry-run"]);
    assert_eq!(run.code(), Some(0), "{run}");
    assert!(run.stdout().starts_with(&format!("  {key} → reader   ")), "{run}");
    assert!(run.stdout().contains("  NOC <noc@carrier.example>  \"event\"\n\nReplay: 1 to replay\n"), "{run}");

    let (code, document) = place.document(&["replay", &key, "--yes"]);
    assert_eq!((code, &document["counts"]["replayed"]), (Some(0), &json!(1)), "{document}");
    let item = &document["items"][0];
    assert_eq!((&item["key"], &item["bucket"], &item["outcome"]), (&json!(key), &json!(BUCKET), &json!("replayed")));
    let lines = logged_times(&place.account, "op-reader", "Records", 2);
    assert_eq!(lines.len(), 2, "the dry run has invoked nothing: {lines:?}");
    let second: Value = serde_json::from_str(&lines[1]).unwrap();
    let event = |mut event: Value| {
        let ses = &mut event["Records"][0]["ses"];
        // SES's headers state the time to the second.
        let time = ses["mail"]["timestamp"].as_str().unwrap()[..19].to_owned();
        ses["mail"]["timestamp"] = json!(time);
        ses["receipt"]["timestamp"] = json!(time);
        ses["receipt"]["processingTimeMillis"] = json!(0);
        event
    };
    assert_eq!(event(second), event(first));
}

#[test]
fn a_prefix_is_replayed_but_for_what_ses_did_not_store() {
    let Some(place) = Place::new() else { return };
    place.make_pipeline();
    for number in 0..3 {
        place.deliver(&format!("print {number}"));
    }
    logged_times(&place.account, "op-reader", "2=", 1);
    place.put("inbound/strange", b"From: noc@carrier.example\r\nSubject: print strange\r\n\r\n");
    place.put("inbound/AMAZON_SES_SETUP_NOTIFICATION", b"no mail");
    place.put("elsewhere/mail", b"no mail");
    let (code, document) = place.document(&["replay", "--prefix", "inbound/", "--yes", "--rate", "100"]);
    assert_eq!(code, Some(1), "{document}");
    let counts = json!({"replayed": 3, "failed": 0, "left": 0, "refused": 1});
    assert_eq!(document["counts"], counts, "{document}");
    assert_eq!(document["refused"][0]["key"], "inbound/strange");
    assert_eq!(document["refused"][0]["reason"], "it does not begin with the headers of SES");
    for number in 0..3 {
        logged_times(&place.account, "op-reader", &format!("{number}="), 2);
    }
    assert!(!log(&place.account, "op-reader").iter().any(|line| line.contains("strange")));

    let run = place.run(&["replay", "--prefix", "elsewhere/", "--yes"]);
    assert_eq!((run.code(), run.stdout().as_str()), (Some(0), "Replay: 0 to replay\n"), "{run}");
    let run = place.run(&["replay", "elsewhere/mail", "inbound/gone", "--yes"]);
    assert_eq!(run.code(), Some(1), "{run}");
    assert_snapshot!(run.stdout(), @r"
      ! inbound/gone: there is no such object in bucket `op-mail-123456789012-eu-west-1`
      ! elsewhere/mail: no receipt rule stores such a key before it invokes a function

    Replay: 0 to replay; 2 cannot be
    ");
}

#[test]
fn nobody_is_asked_where_nobody_is() {
    let Some(place) = Place::new() else { return };
    assert_snapshot!(place.run(&["replay", "inbound/a"]).shown(), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: Failed to ask: there is no terminal
    hint: pass `--yes`, or `--dry-run` to see the plan only
    ");
    assert_eq!(place.run(&["replay"]).code(), Some(2));
    assert_eq!(place.run(&["replay", "--failed", "--prefix", "a"]).code(), Some(2));
    assert_eq!(place.run(&["replay", "--failed", "--rate", "0"]).code(), Some(2));
    assert_eq!(place.run(&["replay", "--failed", "--function", "nobody", "--yes"]).code(), Some(2));
}

#[test]
fn failed_events_leave_their_queue_once_they_are_taken_and_all_else_stays() {
    let Some(place) = Place::new() else { return };
    place.make_function("reader");
    let strangers = replaced(ARN, &[("op-reader", "other-reader")]);
    let no_mail = replaced(&record(ARN, "x"), &[("aws:ses", "aws:sns")]);
    let messages = [record(ARN, "print again"), record(&strangers, "x"), no_mail, "hello".to_owned()];
    let url = place.fail(&messages);

    let run = place.run(&["replay", "--failed", "--dry-run"]);
    assert_eq!(run.code(), Some(1), "{run}");
    assert!(run.stdout().contains(" → reader   \"print again\"  failed: Transient: S3 is away\n"), "{run}");
    for reason in [
        "it is of `arn:aws:lambda:eu-west-1:123456789012:function:other-reader:$LATEST`, and no declared function",
        "its event is about no mail",
        "it is not the record of a failed invocation",
    ] {
        assert!(run.stdout().contains(reason), "{reason}\n{run}");
    }
    assert_eq!(place.waiting(&url), ("4".to_owned(), "0".to_owned()), "a dry run leaves everything for all to see");

    let (code, document) = place.document(&["replay", "--failed", "--yes"]);
    assert_eq!(code, Some(1), "{document}");
    assert_eq!(document["counts"], json!({"replayed": 1, "failed": 0, "left": 0, "refused": 3}), "{document}");
    logged_times(&place.account, "op-reader", "again=", 1);
    assert_eq!(place.waiting(&url), ("3".to_owned(), "0".to_owned()));
}

#[test]
fn what_lambda_does_not_take_stays_in_the_queue() {
    let Some(place) = Place::new() else { return };
    let url = place.fail(&[record(ARN, "one"), record(ARN, "two")]);
    let run = place.run(&["replay", "--failed", "--yes"]);
    assert_eq!(run.code(), Some(1), "{run}");
    assert!(run.stderr().contains("not replayed  failed/"), "{run}");
    assert!(run.stderr().contains(": lambda.Invoke 404 ResourceNotFound"), "{run}");
    assert!(run.stdout().ends_with("Replayed: 0 of 2; 1 not taken by Lambda; 1 left\n"), "{run}");
    assert_eq!(place.waiting(&url), ("2".to_owned(), "0".to_owned()));
    place.make_function("reader");
    assert_eq!(place.run(&["replay", "--failed", "--yes"]).code(), Some(0));
    assert_eq!(place.waiting(&url), ok());
}

#[test]
fn events_go_at_the_rate_that_was_asked_for() {
    let Some(place) = Place::new() else { return };
    place.make_function("reader");
    place.fail(&[record(ARN, "a"), record(ARN, "b"), record(ARN, "c"), record(ARN, "d")]);
    let started = Instant::now();
    assert_eq!(place.run(&["replay", "--failed", "--yes", "--rate", "2"]).code(), Some(0));
    assert!(started.elapsed() >= Duration::from_millis(1_500), "{:?}", started.elapsed());
}

#[test]
fn ctrl_c_leaves_what_is_left_for_all_to_see() {
    let Some(place) = Place::new() else { return };
    place.make_function("reader");
    let url = place.fail(&[record(ARN, "a"), record(ARN, "b"), record(ARN, "c")]);
    // The second one would have its turn after a hundred seconds.
    let mut child = place.command(&["replay", "--failed", "--yes", "--rate", "0.01"]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("replayed  failed/"), "{line}");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.ends_with("Replayed: 1 of 3; 2 left\n"), "{told}");
    assert_eq!(place.waiting(&url), ("2".to_owned(), "0".to_owned()));
}
