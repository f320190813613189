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
pub(super) const ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:function:op-reader";

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
    pub(super) fn waiting(&self, url: &str) -> (String, String) {
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
pub(crate) fn record(function_arn: &str, subject: &str) -> String {
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
fn a_prefix_is_replayed_except_objects_that_ses_did_not_store() {
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
      ! inbound/gone: bucket `op-mail-123456789012-eu-west-1` has no such object
      ! elsewhere/mail: no receipt rule stores such a key before it invokes a function

    Replay: 0 to replay; 2 cannot be
    ");
}

#[test]
fn without_a_terminal_nobody_is_asked() {
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
        "its event is neither about a mail nor a notification of a topic",
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

/// The lines that Lambda and a process write of an invocation whose process ends.
fn lines_of(request: &str, said: &str, how: &str) -> Vec<String> {
    vec![
        format!("START RequestId: {request} Version: $LATEST"),
        said.to_owned(),
        format!("RequestId: {request} Error: Runtime exited with error: {how}"),
        "Runtime.ExitError".to_owned(),
        format!("END RequestId: {request}"),
        format!(
            "REPORT RequestId: {request}\tDuration: 41.07 ms\tBilled Duration: 42 ms\tMemory Size: 256 MB\tMax Memory Used: 61 MB"
        ),
    ]
}

/// A process that ends has told nobody why: the log has it, by the request id, in the lines of the last attempt.
#[test]
fn the_reason_of_a_process_that_ended_is_found_in_its_log() {
    let Some(place) = Place::new() else { return };
    place.make_function("reader");
    let (logs, group, stream) = (&place.account.logs, "/aws/lambda/op-reader", "2027/01/05/[$LATEST]0a1b2c");
    place.account.wait(logs.create_log_group().log_group_name(group).send()).ok();
    place.account.wait(logs.create_log_stream().log_group_name(group).log_stream_name(stream).send()).unwrap();
    let now = jiff::Timestamp::now().as_millisecond();
    let attempts = [
        ("5d1e-2b7f-other", "thread 'main' panicked: of another request", "exit status 101"),
        ("5d1e-2b7f", "the first attempt", "signal: killed"),
        ("5d1e-2b7f", "memory allocation of 10000000000 bytes failed", "signal: aborted"),
        ("5d1e-2b7f-later", "of a later request", "exit status 7"),
    ];
    for (number, (request, said, how)) in attempts.into_iter().enumerate() {
        let at = now - 60_000 + i64::try_from(number).unwrap() * 1_000;
        let event = |line: String| {
            aws_sdk_cloudwatchlogs::types::InputLogEvent::builder().timestamp(at).message(line).build().unwrap()
        };
        let putting = logs.put_log_events().log_group_name(group).log_stream_name(stream);
        let events = lines_of(request, said, how).into_iter().map(event).collect();
        place.account.wait(putting.set_log_events(Some(events)).send()).unwrap();
    }
    let timestamp = format!("{:.3}", jiff::Timestamp::now());
    let failed = |request: &str, answer: &Value| {
        let record: Value = serde_json::from_str(&record(ARN, request)).unwrap();
        let mut record = record;
        record["timestamp"] = json!(timestamp);
        record["requestContext"]["requestId"] = json!(request);
        record["responsePayload"] = answer.clone();
        record.to_string()
    };
    let exited = json!({"errorType": "Runtime.ExitError", "errorMessage": "RequestId: 5d1e-2b7f Error: Runtime exited with error: signal: aborted"});
    let url = place.fail(&[
        failed("5d1e-2b7f", &exited),
        failed("5d1e-2b7f-unknown", &Value::Null),
        failed("5d1e-2b7f-said", &json!({"errorType": "Transient", "errorMessage": "S3 is away"})),
    ]);
    let (code, document) = place.document(&["replay", "--failed", "--dry-run"]);
    assert_eq!(code, Some(0), "{document}");
    let reason = |request: &str| {
        let mut items = document["items"].as_array().unwrap().iter();
        items.find(|item| item["subject"] == request).unwrap()["failure"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        reason("5d1e-2b7f"),
        "the process ended: signal: aborted; it ended with `signal: aborted`; it said `memory allocation of 10000000000 bytes failed`; \
         it used 61 of 256 MB; log stream `2027/01/05/[$LATEST]0a1b2c`, request 5d1e-2b7f"
    );
    assert_eq!(
        reason("5d1e-2b7f-unknown"),
        "every attempt failed; `/aws/lambda/op-reader` has no line of request 5d1e-2b7f-unknown"
    );
    assert_eq!(reason("5d1e-2b7f-said"), "Transient: S3 is away");
    assert_eq!(place.waiting(&url), ("3".to_owned(), "0".to_owned()));
}

/// The whole way, as far as the emulator has it: a process that ends by itself, its log, and a record with its request id.
#[test]
fn a_process_that_ends_is_found_by_its_request_id() {
    let Some(place) = Place::new() else { return };
    place.make_pipeline();
    place.deliver("crash");
    let started = logged_times(&place.account, "op-reader", "START RequestId: ", 1).remove(0);
    let request = started.split(' ').nth(2).unwrap().to_owned();
    let mut failed: Value = serde_json::from_str(&record(ARN, "crash")).unwrap();
    failed["timestamp"] = json!(format!("{:.3}", jiff::Timestamp::now()));
    failed["requestContext"]["requestId"] = json!(request);
    failed["responsePayload"] = json!({"errorType": "Runtime.ExitError", "errorMessage": ""});
    place.fail(&[failed.to_string()]);
    let run = place.run(&["replay", "--failed", "--dry-run"]);
    assert_eq!(run.code(), Some(0), "{run}");
    assert!(run.stdout().contains(&format!("request {request}")) && run.stdout().contains("log stream `"), "{run}");
}

/// Whoever may write into the bucket forges what he likes; whoever cannot write as SES does is told from it.
#[test]
fn an_object_that_is_not_as_ses_stored_it_under_its_key_reaches_no_function() {
    let Some(place) = Place::new() else { return };
    place.make_pipeline();
    let key = place.deliver("print theirs");
    logged_times(&place.account, "op-reader", "theirs=", 1);
    let reading = place.account.s3.get_object().bucket(BUCKET).key(&key).send();
    let stored = place.account.wait(reading).unwrap();
    let stored = String::from_utf8(place.account.wait(stored.body.collect()).unwrap().into_bytes().to_vec()).unwrap();
    let id = key.rsplit('/').next().unwrap();
    let author = stored.find("From: NOC").unwrap();
    let theirs = &stored[author..];
    let forgeries = [
        ("without a block", theirs.to_owned()),
        ("with the block of another mail", stored.clone()),
        ("behind a field of its own", replaced(&format!("X-Mine: 1\r\n{stored}"), &[(id, "ID")])),
        (
            "of another host",
            replaced(&stored, &[(".amazonaws.com with", ".amazonaws.com.evil.example with"), (id, "ID")]),
        ),
        (
            "of another authority",
            replaced(
                &stored,
                &[("Authentication-Results: amazonses.com", "Authentication-Results: evil.example"), (id, "ID")],
            ),
        ),
        (
            "with two results",
            replaced(
                &stored,
                &[(" dmarc=pass", " dmarc=pass header.from=carrier.example;\r\n dmarc=pass"), (id, "ID")],
            ),
        ),
        (
            "with a result in HELO",
            replaced(
                &stored,
                &[("Received: from ", "Received: from x;dkim=pass()header.i=@carrier.example;"), (id, "ID")],
            ),
        ),
        ("with results that are quoted", replaced(&stored, &[("dkim=pass", "dkim=\"pass\""), (id, "ID")])),
        ("with encoded words", replaced(&stored, &[("dkim=pass", "=?utf-8?q?dkim=3Dpass?="), (id, "ID")])),
        ("with two ids", replaced(&stored, &[("with SMTP id ", "with SMTP id other id "), (id, "ID")])),
    ];
    for (number, (_, object)) in forgeries.iter().enumerate() {
        let forged = format!("{number:040}");
        place.put(&format!("inbound/{forged}"), object.replace("ID", &forged).as_bytes());
    }
    let (code, document) = place.document(&["replay", "--prefix", "inbound/0000", "--yes", "--rate", "100"]);
    assert_eq!(code, Some(1), "{document}");
    let refused = document["refused"].as_array().unwrap();
    for (number, (what, _)) in forgeries.iter().enumerate() {
        let key = format!("inbound/{number:040}");
        assert!(refused.iter().any(|one| one["key"] == key), "{what}: {document}");
    }
    assert_eq!((&document["counts"]["replayed"], refused.len()), (&json!(0), forgeries.len()), "{document}");
    assert_eq!(log(&place.account, "op-reader").iter().filter(|line| line.contains("theirs=")).count(), 1);
}

#[test]
fn events_that_lambda_refuses_stay_in_the_queue() {
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
fn ctrl_c_makes_the_remaining_messages_visible_again() {
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
