//! A platform that fails, says no, or tells that there is no output.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::json;

use crate::{
    bucket::Bucket,
    platform::{Job, KEY, Odd, Platform},
    runtime_api::Instance,
    server::{answer, serve},
    trial::{ID, TIME, Trial, environment, job},
};

const OBJECT: &str = "labels/016f6063-51a1-4948-a827-ce4c31ec53ed.json";
const RECORD: &str = "labels/failed/016f6063-51a1-4948-a827-ce4c31ec53ed.json";

fn status(status: u16) -> Odd {
    Odd::Status(status, String::new())
}

#[test]
fn trouble_is_tried_again_within_the_invocation_and_no_cut_output_becomes_an_object() {
    for (name, odd) in [
        ("500", status(500)),
        ("502", status(502)),
        ("503", status(503)),
        ("504", status(504)),
        ("408", status(408)),
        ("429", Odd::Status(429, "Retry-After: 1\r\n".to_owned())),
        ("silence", Odd::Silence),
        ("cut", Odd::Cut),
        ("cut in pieces", Odd::CutInPieces),
        ("stalled", Odd::Stalled),
    ] {
        let mut trial = Trial::start(&[]);
        let output = vec![9; 300_000];
        trial.platform.add(ID, Job::complete(&output).odd(std::slice::from_ref(&odd)).odd_state(&[odd]));
        let failed = trial.hand_over(&[job(ID)], Duration::from_secs(20));
        let stored = trial.bucket.object(OBJECT);
        let lines = trial.stop();
        assert!(failed.is_empty() && stored.unwrap().bytes == output, "{name}: {lines:?}");
        assert!(lines[0]["details"]["attempts"].as_u64().unwrap() >= 3, "{name}: {lines:?}");
    }
}

#[test]
fn trouble_that_lasts_fails_the_message_and_the_others_are_handled() {
    for odd in [status(500), Odd::Silence, Odd::Cut, Odd::CutInPieces, Odd::Stalled] {
        let mut trial = Trial::start(&[]);
        let output = vec![9; 9 * 1024 * 1024];
        trial.platform.add(ID, Job::complete(&output).odd(&vec![odd.clone(); 20]));
        trial.platform.add("good", Job::complete(b"{}"));
        let failed = trial.hand_over(&[job("good"), job(ID)], Duration::from_secs(6));
        assert_eq!(failed, ["m-1"], "{odd:?}");
        assert_eq!(trial.bucket.keys(), ["labels/good.json"], "{odd:?}");
        assert_eq!(trial.bucket.uploads().0, 0, "{odd:?}");
        let lines = trial.stop();
        assert_eq!((&lines[1]["class"], &lines[1]["Retry"]), (&json!("retry"), &json!(1)));
    }
}

#[test]
fn a_long_wait_that_the_server_asks_for_is_left_to_the_queue() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let served = Arc::clone(&asked);
    let queue = serve(Arc::new(move |request, stream| {
        assert_eq!(request.header("x-amz-target"), Some("AmazonSQS.ChangeMessageVisibility"));
        assert!(request.header("authorization").unwrap().contains("/eu-west-1/sqs/"));
        served.lock().unwrap().push(serde_json::from_slice::<serde_json::Value>(&request.body).unwrap());
        answer(stream, 200, "", b"{}")
    }));
    let mut trial = Trial::start(&[("AWS_ENDPOINT_URL_SQS", &format!("http://{queue}"))]);
    for (id, value, seconds) in [("seconds", "3600", 3600), ("date", "Fri, 01 Jan 2100 00:00:00 GMT", 41_400)] {
        let odd = Odd::Status(429, format!("Retry-After: {value}\r\n"));
        trial.platform.add(id, Job::complete(b"{}").odd_state(&[odd]));
        assert_eq!(trial.hand_over(&[job("none"), job(id)], TIME), ["m-1"]);
        assert_eq!(trial.platform.count("GET", &format!("/v1/jobs/{id}")), 1);
        let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/egress-jobs";
        let expected = json!({"QueueUrl": url, "ReceiptHandle": "rh-1", "VisibilityTimeout": seconds});
        assert_eq!(asked.lock().unwrap().pop(), Some(expected));
    }
    // Less than the queue's own time would only use up the message's receipts.
    let odd = Odd::Status(429, "Retry-After: 25\r\n".to_owned());
    trial.platform.add("short", Job::complete(b"{}").odd_state(&[odd]));
    assert_eq!(trial.hand_over(&[job("short")], TIME), ["m-0"]);
    assert!(asked.lock().unwrap().is_empty(), "the message that was done is left alone, and so is the short wait");
}

#[test]
fn a_job_without_an_output_is_recorded_once_and_not_retried() {
    for (what, change) in [
        ("failed", Job::complete(b"").with("state", "FAILED")),
        ("expired", Job::complete(b"").with("expired", true)),
        ("archived", Job::complete(b"").with("archived", true)),
        ("gone", Job::complete(b"").odd(&[status(410), status(410)])),
        ("not found", Job::complete(b"").odd_state(&[status(404), status(404)])),
    ] {
        let mut trial = Trial::start(&[]);
        trial.platform.add(ID, change);
        assert!(trial.take(), "{what}");
        assert!(trial.take(), "{what}: again");
        assert_eq!(trial.bucket.keys(), [RECORD], "{what}");
        let record: serde_json::Value = serde_json::from_slice(&trial.bucket.object(RECORD).unwrap().bytes).unwrap();
        assert_eq!((&record["job"]["id"], &record["job"]["event"]), (&json!(ID), &json!("job_complete")));
        assert!(record["reason"].is_string() && record["recorded"].is_string());
        let lines = trial.stop();
        assert_eq!((&lines[0]["class"], &lines[0]["ForPerson"]), (&json!("for_person"), &json!(1)), "{what}");
    }
    // A record that cannot be written is not taken for one.
    let mut trial = Trial::start(&[]);
    trial.platform.add(ID, Job::complete(b"").with("state", "FAILED"));
    trial.bucket.fail("PutObject", 403, 100);
    assert!(!trial.take());
}

#[test]
fn a_job_is_not_given_up_where_the_server_may_be_the_wrong_one() {
    for list in [
        status(404),
        status(401),
        status(500),
        Odd::Text("<html>sign in</html>".to_owned()),
        Odd::Text("{\"error\": {\"message\": \"unknown path\"}}".to_owned()),
    ] {
        for gone in [404, 410] {
            let mut trial = Trial::start(&[]);
            trial.platform.list_oddly(list.clone());
            trial.platform.add(ID, Job::complete(b"{}").odd_state(&vec![status(gone); 10]));
            assert!(!trial.hand_over(&[job(ID)], Duration::from_secs(10)).is_empty(), "{list:?}");
            assert_eq!(trial.bucket.keys(), Vec::<String>::new(), "{list:?}");
            let lines = trial.stop();
            assert_eq!(lines[0]["class"], "retry", "{lines:?}");
        }
    }
    let mut trial = Trial::start(&[]);
    trial.platform.list_oddly(status(404));
    assert!(!trial.take());
    let reason = trial.stop()[0]["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("`base_api_url` of the token may be wrong"), "{reason}");
    // The server is asked once, not for each job that is gone.
    let mut trial = Trial::start(&[]);
    assert!(trial.hand_over(&[job("a"), job("b"), job("c")], TIME).is_empty());
    assert_eq!((trial.platform.count("GET", "/v1/jobs/list"), trial.bucket.keys().len()), (1, 3));
}

#[test]
fn a_job_that_is_gone_is_known_by_its_output_whatever_its_form() {
    for file in ["labels.json", "clip.mp4", "table.CSV", "noname"] {
        let mut trial = Trial::start(&[]);
        trial.platform.add(ID, Job::complete(b"{}").with("output_filename", file));
        assert!(trial.take());
        let stored = trial.bucket.keys();
        for gone in [404, 410] {
            trial.platform.add(ID, Job::complete(b"").odd_state(&[status(gone)]));
            assert!(trial.take());
        }
        assert_eq!(trial.bucket.keys(), stored, "{file}");
        let lines = trial.stop();
        assert_eq!((&lines[1]["class"], &lines[2]["class"]), (&json!("ignored"), &json!("ignored")), "{lines:?}");
    }
}

#[test]
fn a_job_that_is_not_complete_is_delivered_again() {
    for state in ["READY", "QUEUED", "SCHEDULED", "RUNNING", "SOMETHING"] {
        let mut trial = Trial::start(&[]);
        trial.platform.add(ID, Job::complete(b"{}").with("state", state));
        assert!(!trial.take(), "{state}");
        trial.platform.add(ID, Job::complete(b"{}"));
        assert!(trial.take());
        assert_eq!(trial.bucket.keys(), [OBJECT]);
    }
}

#[test]
fn an_answer_that_is_not_understood_stores_nothing() {
    for odd in [
        Odd::Text("<html>sign in</html>".to_owned()),
        Odd::Text("[]".to_owned()),
        Odd::Text(r#"{"job": {"id": "another", "state": "COMPLETE"}}"#.to_owned()),
        Odd::Text(r#"{"job": 3}"#.to_owned()),
        Odd::Text(" ".repeat(2 * 1024 * 1024)),
    ] {
        let mut trial = Trial::start(&[]);
        trial.platform.add(ID, Job::complete(b"{}").odd_state(&vec![odd; 10]));
        assert!(!trial.hand_over(&[job(ID)], Duration::from_secs(20)).is_empty());
        assert_eq!(trial.bucket.keys(), Vec::<String>::new());
    }
    for odd in [Odd::UntilTheEnd, status(204), status(206), status(304), status(403), status(418)] {
        let mut trial = Trial::start(&[]);
        trial.platform.add(ID, Job::complete(b"{}").odd(&vec![odd.clone(); 10]));
        assert!(!trial.take(), "{odd:?}");
        assert_eq!(trial.bucket.keys(), Vec::<String>::new(), "{odd:?}");
    }
}

#[test]
fn an_output_that_expires_soon_is_kept_for_longer() {
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(2);
    let late = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 6);
    for (expiration, changes, puts) in [(soon, &[][..], 1), (late, &[], 0), (soon, &[("EXTENSION_DAYS", "0")], 0)] {
        let mut trial = Trial::start(changes);
        trial.platform.add(ID, Job::complete(b"{}").with("expiration_date", expiration.to_string()));
        assert!(trial.take());
        let extended: Vec<_> = trial.platform.seen().into_iter().filter(|seen| seen.method == "PUT").collect();
        assert_eq!(extended.len(), puts);
        for put in extended {
            assert_eq!((put.path.as_str(), put.body.as_str()), (format!("/v1/jobs/{ID}/ttl").as_str(), "days=7"));
        }
    }
    // Once for a delivery, however often it is attempted; not for an output that is stored, nor for one that will never be.
    let (mut trial, ttl) = (Trial::start(&[]), format!("/v1/jobs/{ID}/ttl"));
    let soon = soon.to_string();
    trial.platform.add(ID, Job::complete(b"{}").with("expiration_date", soon.as_str()).odd(&vec![status(500); 3]));
    assert!(trial.take());
    assert_eq!(trial.platform.count("PUT", &ttl), 1);
    assert!(trial.take());
    trial.platform.add("never", Job::complete(b"{}").with("expiration_date", soon.as_str()).with("state", "FAILED"));
    assert!(trial.hand_over(&[job("never")], TIME).is_empty());
    assert_eq!(trial.platform.seen().iter().filter(|seen| seen.method == "PUT").count(), 1);
}

#[test]
fn a_token_that_is_not_accepted_is_read_again_once() {
    let mut trial = Trial::start(&[]);
    trial.platform.add(ID, Job::complete(b"{}"));
    trial.platform.rotate("EXAMPLE-NOT-A-KEY-2");
    assert!(!trial.take(), "the token in the environment stays the old one");
    assert_eq!(trial.platform.requests(), 2, "once with each reading");
    let lines = trial.stop();
    assert!(lines[0]["reason"].as_str().unwrap().contains("the secret is not accepted"), "{lines:?}");
}

#[test]
fn a_token_that_was_rotated_in_secrets_manager_is_used() {
    let (platform, bucket) = (Platform::start(), Bucket::start());
    let secret = Arc::new(Mutex::new((platform.token(KEY), 0)));
    let served = Arc::clone(&secret);
    let manager = serve(Arc::new(move |request, stream| {
        assert_eq!(request.header("x-amz-target"), Some("secretsmanager.GetSecretValue"));
        let mut secret = served.lock().unwrap();
        secret.1 += 1;
        let body = json!({"Name": "egress-token", "SecretString": secret.0}).to_string();
        answer(stream, 200, "", body.as_bytes())
    }));
    let endpoint = format!("http://{manager}");
    let context = r#"{"stack":"egress","function":"worker","writes":[{"bucket":"outputs","prefix":"labels/"}],
        "secrets":{"PLATFORM_TOKEN":"egress-token"}}"#;
    let changes = [
        ("PLATFORM_TOKEN", ""),
        ("PROVISION_CONTEXT", context),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", endpoint.as_str()),
    ];
    let instance = Instance::start(&environment(&platform, &bucket, &changes));
    let mut trial = Trial { platform, bucket, instance };
    for (id, key) in [("one", KEY), ("two", KEY), ("three", "EXAMPLE-NOT-A-KEY-2"), ("four", "EXAMPLE-NOT-A-KEY-2")] {
        trial.platform.add(id, Job::complete(b"{}"));
        trial.platform.rotate(key);
        let token = trial.platform.token(key);
        // The second form that a token file may have.
        secret.lock().unwrap().0 = if id == "one" { token } else { json!(token).to_string() };
        assert!(trial.hand_over(&[job(id)], TIME).is_empty(), "{id}");
    }
    assert_eq!(secret.lock().unwrap().1, 2, "it is read once per instance, and again when it is not accepted");
    trial.stop();
}
