//! Measures posts a second, and the time from the start of the function's process to its first answer.
//!
//! `cargo bench -p webhook-receiver --profile lambda` prints both. The budget of the first answer is 10 ms.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark may fail, and prints what it measures")]

use std::{
    process::Command,
    time::{Duration, Instant},
};

use divan::{Bencher, counter::ItemsCount};
use function_trial::{Answer, Lambda, Running, Server};
use serde_json::{Value, json};
use webhook::{Draft, Stamp, sign};

const PROGRAM: &str = env!("CARGO_BIN_EXE_webhook-receiver");
const RUNS: usize = 20;
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn main() {
    let times: Vec<_> = (0..RUNS).map(|_| first_answer()).collect();
    let size = std::fs::metadata(PROGRAM).unwrap().len();
    println!("program: {size} bytes");
    println!("first answer, a job queued, SQS without TLS: {}", medians(times));
    divan::main();
}

fn sqs() -> Server {
    Server::start(|_| Some(Answer::new(200, r#"{"MessageId":"m-1"}"#)))
}

fn command(lambda: &Lambda, sqs: &Server, scheme: &str) -> Command {
    let context = json!({"stack": "egress", "function": "receiver", "sends": {"jobs": "https://sqs.example/jobs"},
        "routes": [{"route": "POST /hook", "authentication": {"scheme": scheme, "secret": "HOOK"}}]});
    let mut command = lambda.function(PROGRAM);
    command.envs([
        ("PROVISION_CONTEXT", &*context.to_string()),
        ("HOOK", SECRET),
        ("AWS_ENDPOINT_URL_SQS", &sqs.url()),
    ]);
    command
}

/// Returns the event of a signed request.
fn event(scheme: &str, size: usize) -> String {
    let body = json!({"id": "016f6063-51a1-4948-a827-ce4c31ec53ed", "event": "job_complete", "pad": "x".repeat(size)});
    let body = body.to_string();
    let scheme = serde_json::from_value(json!({ "scheme": scheme })).unwrap();
    let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let draft = Draft { url: "https://in.example/hook", content_type: None, body: body.as_bytes() };
    let signed = sign(&scheme, &SECRET.into(), draft, Stamp { id: "msg_1", time }).unwrap();
    let headers = signed.headers.into_iter().map(|(name, value)| (name, Value::from(value)));
    json!({"version": "2.0", "routeKey": "POST /hook", "rawPath": "/hook", "headers": headers.collect::<serde_json::Map<_, _>>(),
        "requestContext": {"http": {"sourceIp": "203.0.113.5"}}, "body": body, "isBase64Encoded": false})
    .to_string()
}

/// Returns the time from the start of the process to the first answer, and the memory at that moment.
fn first_answer() -> (Duration, u64) {
    let (lambda, sqs) = (Lambda::start(), sqs());
    lambda.prepare("request", &event("standard-webhooks", 100));
    let started = Instant::now();
    let function = Running::start(command(&lambda, &sqs, "standard-webhooks"));
    let said = lambda.wait_for("request");
    let elapsed = started.elapsed();
    assert!(said.body.contains("queued"), "{said:?}");
    (elapsed, function.peak_memory())
}

fn medians(runs: Vec<(Duration, u64)>) -> String {
    let (mut times, mut memory): (Vec<_>, Vec<_>) = runs.into_iter().unzip();
    times.sort_unstable();
    memory.sort_unstable();
    let (least, most, median) = (times.first().unwrap(), times.last().unwrap(), times.get(RUNS / 2).unwrap());
    format!("{median:.1?} ({least:.1?} to {most:.1?}), {} KB", memory.get(RUNS / 2).unwrap() / 1024)
}

/// One instance, one post after the other: signed, proved, queued, answered.
#[divan::bench(args = [("bearer", 100), ("standard-webhooks", 100), ("stripe", 100), ("github", 200_000)])]
fn posts(bencher: Bencher<'_, '_>, (scheme, size): (&str, usize)) {
    let (lambda, sqs) = (Lambda::start(), sqs());
    let _function = Running::start(command(&lambda, &sqs, scheme));
    let event = event(scheme, size);
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        let said = lambda.invoke("request", &event);
        assert!(said.body.contains("queued"), "{said:?}");
    });
}
