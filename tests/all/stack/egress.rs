//! Tests the real functions for webhooks in a stack on the emulator: a request to its HTTP API becomes an object, and `provision backfill`
//! brings what no webhook has brought.

use std::{
    collections::BTreeSet,
    io::{Cursor, Write},
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use aws_sdk_lambda::{primitives::Blob, types::LastUpdateStatus};
use serde_json::{Value, json};
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{Trial, VALUE};
use crate::{
    emulator::account::Somebody,
    platform::{Platform, output},
    shipped::executable,
};

const EGRESS: &str = "\
stack: egress
region: eu-west-1
apis:
  egress:
    routes: [{route: POST /job-complete, invoke: receiver, authentication: {scheme: bearer, secret: WEBHOOK_SECRET}}]
functions:
  receiver:
    {use: standin, timeout: 10s, environment: {EVENTS: job_complete}, secrets: {WEBHOOK_SECRET: hook}, sends: [jobs]}
  worker:
    use: standin
    memory: 256MB
    timeout: 30s
    secrets: {PLATFORM_TOKEN: token}
    consumes: {queue: jobs, batch: 1, concurrency: 2}
    reads: [{bucket: outputs, prefix: labels/}]
    writes: [{bucket: outputs, prefix: labels/}]
queues:
  jobs: {visibility_timeout: 3m, redrive: {queue: dead, after: 5}}
  dead: {}
buckets: {outputs: {}}
secrets:
  hook: {value_from: {environment: TRY_TOKEN}}
  token: {value_from: {file: api-token.json}}
";

const BUCKET: &str = "egress-outputs-123456789012-eu-west-1";
const ONE: &str = "016f6063-51a1-4948-a827-ce4c31ec53ed";
const TWO: &str = "5b7c1c3e-0d7f-4c2e-9a54-3f6f0c1d2e4b";
const THREE: &str = "9a1d6c0e-7a3b-4a52-8f0e-2f2b8c9d0e1f";
/// Time limit for the functions to do their work.
const PATIENCE: Duration = Duration::from_mins(2);

/// Makes the stack with the real functions; `None` where there is no emulator.
fn stack(platform: &Platform) -> Option<Trial> {
    let trial = Trial::checked(EGRESS)?;
    trial.folder.write("api-token.json", platform.token());
    trial.up();
    for (function, code) in [("receiver", "webhook-receiver"), ("worker", "webhook-worker")] {
        let name = format!("egress-{function}");
        let call = trial.account.lambda.update_function_code().function_name(&name);
        trial.account.wait(call.zip_file(Blob::new(zip_of(&executable(code)))).send()).unwrap();
        wait_for(|| {
            let call = trial.account.lambda.get_function_configuration().function_name(&name);
            trial.account.wait(call.send()).unwrap().last_update_status == Some(LastUpdateStatus::Successful)
        });
    }
    Some(trial)
}

/// Returns the zip of a function that reaches servers of this machine, as under `provision dev`.
fn zip_of(program: &Path) -> Vec<u8> {
    let script = format!("#!/bin/sh\nAWS_LAMBDA_LOG_STREAM_NAME=local exec '{}'\n", program.display());
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("bootstrap", SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
    zip.write_all(script.as_bytes()).unwrap();
    zip.finish().unwrap().into_inner()
}

#[track_caller]
fn wait_for(is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "it does not come to be");
        sleep(Duration::from_millis(100));
    }
}

/// Returns the keys of the bucket.
fn keys(trial: &Trial) -> Vec<String> {
    let listed = trial.account.wait(trial.account.s3.list_objects_v2().bucket(BUCKET).send()).unwrap();
    listed.contents.unwrap_or_default().into_iter().filter_map(|object| object.key).collect()
}

fn object(trial: &Trial, id: &str) -> String {
    let call = trial.account.s3.get_object().bucket(BUCKET).key(format!("labels/{id}.json"));
    let object = trial.account.wait(call.send()).unwrap();
    String::from_utf8(trial.account.wait(object.body.collect()).unwrap().to_vec()).unwrap()
}

/// Posts to the stack's API; returns the status and the body of the answer.
fn post(trial: &Trial, path: &str, token: &str, body: &Value) -> (u16, String) {
    let api = trial.account.wait(trial.account.apis.get_apis().send()).unwrap().items.unwrap().remove(0);
    let url = format!("{}/_aws/execute-api/{}/$default{path}", trial.emulator.url, api.api_id.unwrap());
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request =
        agent.post(&url).header("authorization", format!("Bearer {token}")).header("content-type", "application/json");
    let mut answer = request.send(body.to_string()).unwrap();
    (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
}

#[test]
fn a_post_to_the_api_becomes_an_object() {
    let platform = Platform::start(0);
    let Some(trial) = stack(&platform) else { return };
    let job = json!({"id": ONE, "event": "job_complete", "msg": "Job complete"});
    assert_eq!(post(&trial, "/other", VALUE, &job).0, 404);
    assert_eq!(post(&trial, "/job-complete", "wrong", &job).0, 401);
    assert_eq!(
        post(&trial, "/job-complete", VALUE, &json!({"id": "../../v1/data/list?x=", "event": "job_complete"})).0,
        400
    );
    assert_eq!(platform.asked(), Vec::<String>::new());
    let (status, body) = post(&trial, "/job-complete", VALUE, &job);
    assert_eq!(status, 202, "{body}");
    let (status, body) = post(&trial, "/job-complete", VALUE, &job);
    assert_eq!(status, 202, "{body}");
    wait_for(|| keys(&trial).len() == 1);
    assert_eq!(object(&trial, ONE), output(ONE));
    assert!(platform.downloads() <= 2, "{:?}", platform.asked());
    let (status, body) = post(&trial, "/job-complete", VALUE, &json!({"id": TWO, "event": "data_upload"}));
    assert_eq!(status, 200, "{body}");
}

/// Runs a backfill as somebody; returns its exit code and its document.
fn backfill(trial: &Trial, somebody: &Somebody, arguments: &[&str]) -> (Option<i32>, Value) {
    let run = trial.run_as(somebody, &[&["backfill", "egress", "--json"], arguments].concat());
    assert!(!run.to_string().contains("not-to-be-shown"), "{run}");
    (run.code(), run.json().remove(0))
}

#[test]
fn a_backfill_brings_what_no_webhook_has_brought_and_nothing_twice() {
    let platform = Platform::start(0);
    let Some(trial) = stack(&platform) else { return };
    for id in [ONE, TWO, THREE] {
        platform.list(id);
    }
    platform.fail(THREE);
    let policy = trial.policy("backfill");
    let actions: BTreeSet<&str> = policy["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|one| one["Action"].as_array().unwrap())
        .map(|action| action.as_str().unwrap())
        .collect();
    let expected = ["iam:ListRoles", "lambda:InvokeFunction", "sqs:GetQueueUrl", "sqs:SendMessage", "tag:GetResources"];
    assert_eq!(actions, expected.into());
    let somebody = trial.user("somebody", &policy);
    let run = |arguments: &[&str]| backfill(&trial, &somebody, arguments);

    let (code, told) = run(&["--dry-run"]);
    assert_eq!((code, &told["counts"]["missing"], &told["known"]), (Some(1), &json!(3), &json!(3)), "{told:#}");
    assert_eq!(
        told["jobs"][0],
        json!({"id": ONE, "file": "labels.json", "uploaded": "2027-01-01T00:00:00Z", "expires": "2037-01-01T00:00:00Z", "state": "missing"})
    );
    assert_eq!((platform.downloads(), keys(&trial)), (0, Vec::new()));
    let (code, told) = run(&["--dry-run", "--since", "2027-06-01T00:00:00Z"]);
    assert_eq!((code, &told["jobs"]), (Some(0), &json!([])), "{told:#}");
    let shown = trial.run_as(&somebody, &["backfill", "worker", "--dry-run"]);
    assert!(
        shown.stdout().contains("labels.json") && shown.stdout().ends_with("0 already stored; 3 missing\n"),
        "{shown}"
    );
    assert!(shown.stderr().contains("The platform has 3 jobs, 3 of them with an output"), "{shown}");
    let asked = trial.run_as(&somebody, &["backfill", "egress"]);
    assert!(asked.code() == Some(2) && asked.stderr().contains("pass `--yes`"), "{asked}");

    // A paused function asks and answers; the queue keeps the jobs.
    trial.expect(0, &["pause", "worker"]);
    let (code, told) = run(&["--yes", "--wait", "0s"]);
    assert_eq!((code, &told["counts"]["queued"]), (Some(1), &json!(3)), "{told:#}");
    trial.expect(0, &["resume", "worker"]);
    wait_for(|| keys(&trial).len() == 3);
    let (code, told) = run(&["--yes", "--wait", "100s"]);
    let counts = &told["counts"];
    assert_eq!((code, &counts["without_output"], &counts["queued"]), (Some(1), &json!(1), &json!(0)), "{told:#}");
    assert_eq!(keys(&trial), [ONE, TWO, &format!("failed/{THREE}")].map(|id| format!("labels/{id}.json")));
    assert_eq!((object(&trial, ONE), object(&trial, TWO)), (output(ONE), output(TWO)));

    platform.mend(THREE);
    let (code, told) = run(&["--yes", "--wait", "100s"]);
    assert_eq!((code, &told["counts"]["stored"], &told["already_stored"]), (Some(0), &json!(1), &json!(2)), "{told:#}");
    let (code, told) = run(&["--yes"]);
    assert_eq!((code, &told["already_stored"]), (Some(0), &json!(3)), "{told:#}");
    // A job that comes once more finds its object.
    send(&trial, ONE);
    wait_for(|| waiting(&trial) == 0);
    assert_eq!(platform.downloads(), 3, "{:?}", platform.asked());
}

fn url(trial: &Trial) -> String {
    trial.account.wait(trial.account.sqs.get_queue_url().queue_name("egress-jobs").send()).unwrap().queue_url.unwrap()
}

/// Puts a job into the queue.
fn send(trial: &Trial, id: &str) {
    let body = json!({"id": id, "event": "job_complete"}).to_string();
    trial.account.wait(trial.account.sqs.send_message().queue_url(url(trial)).message_body(body).send()).unwrap();
}

/// Returns the number of messages in the queue of jobs, hidden ones as well.
fn waiting(trial: &Trial) -> usize {
    use aws_sdk_sqs::types::QueueAttributeName::{
        ApproximateNumberOfMessages as Visible, ApproximateNumberOfMessagesNotVisible as Hidden,
    };
    let sqs = &trial.account.sqs;
    let call = sqs.get_queue_attributes().queue_url(url(trial)).attribute_names(Visible).attribute_names(Hidden);
    let attributes = trial.account.wait(call.send()).unwrap().attributes.unwrap_or_default();
    attributes.values().map(|count| count.parse::<usize>().unwrap()).sum()
}
