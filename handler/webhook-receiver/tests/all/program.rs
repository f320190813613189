//! The function's program between a Runtime API, SQS and Secrets Manager of the test's own.

use std::{
    process::Command,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use function_trial::{Answer, Lambda, Request, Running, Server};
use serde_json::{Value, json};

use crate::trial::{ID, TOKEN, post, with_headers};

const PROGRAM: &str = env!("CARGO_BIN_EXE_webhook-receiver");

/// A server that keeps its requests.
struct Recording {
    server: Server,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Recording {
    /// Starts a server that answers the request of that number, from 0.
    fn start(answer: impl Fn(usize, &Request) -> Answer + Send + Sync + 'static) -> Self {
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let kept = Arc::clone(&requests);
        let server = Server::start(move |request| {
            let number = {
                let mut kept = kept.lock().unwrap();
                kept.push(request.clone());
                kept.len() - 1
            };
            Some(answer(number, &request))
        });
        Self { server, requests }
    }

    /// Returns the requests so far; each must be signed.
    fn requests(&self) -> Vec<Request> {
        let requests = self.requests.lock().unwrap().clone();
        assert!(requests.iter().all(Request::is_signed), "unsigned requests");
        requests
    }
}

fn taken() -> Answer {
    Answer::new(200, r#"{"MessageId":"m-1","MD5OfMessageBody":"x"}"#)
}

fn command(lambda: &Lambda, sqs: &Recording) -> Command {
    let context = json!({"stack": "egress", "function": "receiver",
        "sends": {"jobs": "https://sqs.eu-west-1.amazonaws.com/123456789012/egress-jobs"},
        "routes": [{"route": "POST /hook", "authentication": {"scheme": "bearer", "secret": "HOOK"}}]});
    let mut command = lambda.function(PROGRAM);
    command.env("PROVISION_CONTEXT", context.to_string()).env("HOOK", TOKEN).env("EVENTS", "job_complete");
    command.env("AWS_ENDPOINT_URL_SQS", sqs.server.url());
    command
}

fn right() -> Value {
    post(&json!({"id": ID, "event": "job_complete", "msg": "Job complete"}).to_string())
}

/// Invokes the function; returns status and body of its answer. A function error is none.
fn answer(lambda: &Lambda, id: &str, event: &Value) -> (u64, Value) {
    let said = lambda.invoke(id, &event.to_string());
    assert_eq!(said.path, format!("/2018-06-01/runtime/invocation/{id}/response"), "{said:?}");
    let answer: Value = serde_json::from_str(&said.body).unwrap();
    (answer["statusCode"].as_u64().unwrap(), serde_json::from_str(answer["body"].as_str().unwrap()).unwrap())
}

#[test]
fn a_job_is_queued_before_its_sender_is_told_so() {
    let (lambda, sqs) = (Lambda::start(), Recording::start(|_, _| taken()));
    let function = Running::start(command(&lambda, &sqs));
    assert_eq!(answer(&lambda, "r-1", &right()), (202, json!({"status": "queued", "id": ID})));
    let [request] = &sqs.requests()[..] else { panic!("{:?}", sqs.requests()) };
    assert_eq!(request.header("x-amz-target"), "AmazonSQS.SendMessage");
    assert_eq!(request.header("content-type"), "application/x-amz-json-1.0");
    let sent: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(sent["QueueUrl"], "https://sqs.eu-west-1.amazonaws.com/123456789012/egress-jobs");
    let job: Value = serde_json::from_str(sent["MessageBody"].as_str().unwrap()).unwrap();
    let expected =
        json!({"id": ID, "event": "job_complete", "message": "Job complete", "received": "2027-01-05T11:00:00Z"});
    assert_eq!(job, expected);
    let (lines, log) = function.stop();
    let line: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!((lines.len(), &line["item"], &line["Queued"], log.as_str()), (1, &json!(ID), &json!(1), ""));
}

#[test]
fn no_event_fails_the_function_and_none_but_a_right_one_reaches_the_queue() {
    let (lambda, sqs) = (Lambda::start(), Recording::start(|_, _| taken()));
    let function = Running::start(command(&lambda, &sqs));
    let attack = post(r#"{"id":"../../v1/data/list?x=","event":"job_complete"}"#);
    for (number, (event, status)) in [
        (attack, 400),
        (post("{\"id\": "), 400),
        (post(r#"{"id":"x","event":"job_failed"}"#), 200),
        (with_headers(&[("authorization", "Bearer wrong")], "{}"), 401),
        (with_headers(&[], "{}"), 401),
        (json!({"routeKey": "POST /other"}), 404),
        (json!({}), 404),
        (json!([1, 2]), 404),
        (json!(null), 404),
        (json!("text"), 404),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(answer(&lambda, &format!("r-{number}-"), &event).0, status, "{event}");
    }
    assert_eq!(sqs.requests().len(), 0);
    let (lines, log) = function.stop();
    assert_eq!((lines.len(), log.as_str()), (10, ""));
    assert!(!lines.concat().contains(TOKEN) && !lines.concat().contains("/v1/data/list"), "{lines:?}");
}

/// The answers of a server to all requests but the first.
type Answers = fn(usize) -> Answer;

#[test]
fn a_queue_that_does_not_take_the_job_is_a_503_in_time() {
    let throttled = r#"{"__type":"com.amazonaws.sqs#RequestThrottled","message":"slow down"}"#;
    let denied = r#"{"__type":"com.amazon.coral.service#AccessDeniedException","message":"not allowed"}"#;
    // The sender waits five seconds. SQS is asked in two rounds of 1.8 s at most, each with a few attempts: how many says that it was in time.
    let cases: [(&str, Answer, Answers, u64, &str, usize); 9] = [
        ("500, then taken", Answer::new(500, "{}"), |_| taken(), 202, "", 2),
        ("throttled, then taken", Answer::new(400, throttled), |_| taken(), 202, "", 2),
        ("closed, then taken", Answer::Close, |_| taken(), 202, "", 2),
        ("silent, then taken", Answer::Silence, |_| taken(), 202, "", 2),
        ("500 always", Answer::new(500, "{}"), |_| Answer::new(500, "{}"), 503, "SQS answers 500", 6),
        ("silent always", Answer::Silence, |_| Answer::Silence, 503, "no answer in time", 2),
        ("closed always", Answer::Close, |_| Answer::Close, 503, "POST /", 6),
        ("denied", Answer::new(400, denied), |_| taken(), 503, "the function's `sends` must name the queue", 1),
        ("200 without a message", Answer::new(200, "<html>"), |_| taken(), 503, "SQS answers 200", 1),
    ];
    for (called, first, others, status, reason, most) in cases {
        let first = Mutex::new(Some(first));
        let lambda = Lambda::start();
        let sqs = Recording::start(move |number, _| match first.lock().unwrap().take() {
            Some(first) => first,
            None => others(number),
        });
        let function = Running::start(command(&lambda, &sqs));
        let (told, body) = answer(&lambda, "r-1", &right());
        assert_eq!(told, status, "{called}: {body}");
        let asked = sqs.requests().len();
        assert!((1..=most).contains(&asked), "{called}: {asked} requests");
        let (lines, _) = function.stop();
        let line: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
        let (outcome, class) = if status == 202 { ("queued", "done") } else { ("failed", "retry") };
        assert_eq!((line["outcome"].as_str(), line["class"].as_str()), (Some(outcome), Some(class)), "{called}");
        assert!(line["reason"].as_str().unwrap_or_default().contains(reason), "{called}: {line}");
    }
}

#[test]
fn an_invocation_that_ends_soon_is_answered_before_it_does() {
    let (lambda, sqs) = (Lambda::start(), Recording::start(|_, _| Answer::Silence));
    lambda.limit(Duration::from_secs(2));
    let _function = Running::start(command(&lambda, &sqs));
    assert_eq!(answer(&lambda, "r-1", &right()).0, 503);
    // With more time there would have been a second round.
    assert_eq!(sqs.requests().len(), 1);
}

/// Secrets Manager, with a value that changes.
fn secrets(value: Arc<Mutex<Option<String>>>) -> Recording {
    Recording::start(move |_, request| {
        assert_eq!(request.header("x-amz-target"), "secretsmanager.GetSecretValue");
        match &*value.lock().unwrap() {
            Some(value) => Answer::new(200, json!({ "SecretString": value }).to_string()),
            None => Answer::new(400, r#"{"__type":"AccessDeniedException","message":"no"}"#),
        }
    })
}

#[test]
fn a_secret_is_read_once_and_again_when_it_was_rotated() {
    let value = Arc::new(Mutex::new(None));
    let (lambda, sqs, manager) = (Lambda::start(), Recording::start(|_, _| taken()), secrets(Arc::clone(&value)));
    let mut command = command(&lambda, &sqs);
    let context = json!({"stack": "egress", "function": "receiver", "secrets": {"HOOK": "egress-hook"},
        "sends": {"jobs": "https://sqs.eu-west-1.amazonaws.com/123456789012/egress-jobs"},
        "routes": [{"route": "POST /hook", "authentication": {"scheme": "bearer", "secret": "HOOK"}}]});
    command.env("PROVISION_CONTEXT", context.to_string()).env_remove("HOOK");
    command.env("AWS_ENDPOINT_URL_SECRETS_MANAGER", manager.server.url());
    let function = Running::start(command);
    let by = |token: &str| {
        let body = json!({"id": ID, "event": "job_complete"}).to_string();
        with_headers(&[("authorization", &format!("Bearer {token}"))], &body)
    };
    let mut number = 0;
    let mut ask = |token: &str| {
        number += 1;
        answer(&lambda, &format!("r-{number}-"), &by(token)).0
    };
    let read = || manager.requests().len();

    assert_eq!((ask("first-token-of-24-characters"), read()), (503, 1), "a secret that cannot be read proves nothing");
    *value.lock().unwrap() = Some("first-token-of-24-characters".to_owned());
    let until = |ask: &mut dyn FnMut(&str) -> u64, token: &str, status: u64| {
        let began = Instant::now();
        loop {
            let told = ask(token);
            if told == status {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "{told} for ever");
        }
    };
    until(&mut ask, "first-token-of-24-characters", 202);
    let known = read();
    for _ in 0..5 {
        assert_eq!(ask("first-token-of-24-characters"), 202);
    }
    assert_eq!((ask("wrong-token"), read()), (401, known), "it was read a moment ago");
    // The sender changes over: both values, one a line.
    *value.lock().unwrap() = Some("second-token-of-24-character\nfirst-token-of-24-characters".to_owned());
    until(&mut ask, "second-token-of-24-character", 202);
    assert_eq!((ask("first-token-of-24-characters"), read()), (202, known + 1));
    for _ in 0..20 {
        assert_eq!(ask("wrong-token"), 401);
    }
    assert_eq!(read(), known + 1, "strangers cost no calls");
    let (lines, log) = function.stop();
    let shown = lines.concat() + &log;
    assert!(!shown.contains("token-of-24"), "{shown}");
}

#[test]
fn a_start_without_configuration_tells_lambda_all_that_is_missing() {
    let (lambda, sqs) = (Lambda::start(), Recording::start(|_, _| taken()));
    let mut command = command(&lambda, &sqs);
    command.env("PROVISION_CONTEXT", r#"{"stack":"s","function":"f"}"#).env("ID", "odd");
    let function = Running::start(command);
    let said = lambda.wait_for("/init/error");
    assert_eq!(said.error_type.as_deref(), Some("Runtime.InitError"));
    for words in ["`ID` is `odd`", "has no route", "has no queue"] {
        assert!(said.body.contains(words), "{words}: {}", said.body);
    }
    assert_eq!(function.end().0.code(), Some(1));
}
