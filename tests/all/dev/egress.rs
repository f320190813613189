//! Tests the real functions for webhooks with a platform of the test: signed post in, object out, once.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use crate::platform::{Platform, output};

const DECLARATION: &str = "
stack: egress
region: eu-west-1
apis:
  egress:
    routes:
      - {route: POST /job-complete, invoke: receiver, authentication: {scheme: bearer, secret: WEBHOOK_SECRET}}
functions:
  receiver:
    crate: webhook-receiver
    memory: 128MB
    timeout: 10s
    environment: {EVENTS: job_complete}
    secrets: {WEBHOOK_SECRET: webhook-secret}
    sends: [jobs]
  worker:
    crate: webhook-worker
    memory: 256MB
    timeout: 3m
    secrets: {PLATFORM_TOKEN: platform-token}
    consumes: {queue: jobs, batch: 1, concurrency: 5}
    reads: [{bucket: outputs, prefix: labels/}]
    writes: [{bucket: outputs, prefix: labels/}]
queues:
  jobs: {visibility_timeout: 18m, redrive: {queue: dead-letters, after: 2}}
  dead-letters: {}
buckets:
  outputs: {}
secrets:
  webhook-secret: {value_from: {environment: WEBHOOK_SECRET}}
  platform-token: {value_from: {environment: PLATFORM_TOKEN}}
";

const ONE: &str = "016f6063-51a1-4948-a827-ce4c31ec53ed";
const OTHER: &str = "5b7c1c3e-0d7f-4c2e-9a54-3f6f0c1d2e4b";
const SECRET: &str = "not-to-be-shown-webhook";

/// The end of a run.
struct Ended {
    code: Option<i32>,
    document: Value,
    text: String,
    state: tempfile::TempDir,
}

impl Ended {
    /// Returns the stored objects by key.
    fn objects(&self) -> BTreeMap<String, String> {
        let folder = self.state.path().join("state/buckets/egress-outputs-123456789012-eu-west-1/labels");
        let files = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
        files.map(|file| (name(&file), fs::read_to_string(&file).unwrap())).collect()
    }

    /// Returns the number of messages in a queue.
    fn messages(&self, queue: &str) -> usize {
        fs::read_dir(self.state.path().join("state/queues").join(queue)).unwrap().count()
    }

    fn requests(&self) -> Vec<&Value> {
        let mut requests: Vec<&Value> = self.document["requests"].as_array().unwrap().iter().collect();
        requests.sort_by_key(|request| request["origin"].to_string());
        requests
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Posts the requests of a folder.
fn post(folder: &Path, platform: Option<&Platform>) -> Ended {
    // Within the workspace, where Cargo finds the functions.
    let runs = root().join("target/dev-runs");
    fs::create_dir_all(&runs).unwrap();
    let state = tempfile::tempdir_in(runs).unwrap();
    let file = state.path().join("infra.yaml");
    fs::write(&file, DECLARATION).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
    command.arg("--json").arg("-f").arg(&file).args(["dev", "--once", "--retry-delay", "0.05", "--state"]);
    command.arg(state.path().join("state")).arg("--post").arg(folder).env("WEBHOOK_SECRET", SECRET);
    if let Some(platform) = platform {
        command.env("PLATFORM_TOKEN", platform.token());
    }
    let output = command.output().unwrap();
    let text = format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!text.contains("not-to-be-shown"), "{text}");
    let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {text}"));
    Ended { code: output.status.code(), document, text, state }
}

fn samples() -> PathBuf {
    root().join("tests/webhooks")
}

#[test]
fn a_signed_post_becomes_an_object_once_and_other_events_are_ignored() {
    let platform = Platform::start(0);
    let ended = post(&samples(), Some(&platform));
    assert_eq!(ended.code, Some(0), "{}", ended.text);
    let expected = [ONE, OTHER].map(|id| (format!("{id}.json"), output(id)));
    assert_eq!(ended.objects(), expected.into(), "{}", ended.text);
    let told: Vec<_> =
        ended.requests().iter().map(|request| (request["item"].clone(), request["status"].clone())).collect();
    assert_eq!(told[0], (json!(ONE), json!(202)), "{}", ended.text);
    assert_eq!(told[3].1, json!(200), "{}", ended.text);
    let counts = &ended.document["counts"];
    assert_eq!(counts["ignored"], 1, "{}", ended.text);
    let stored = counts["stored"].as_u64().unwrap_or_default() + counts["already stored"].as_u64().unwrap_or_default();
    assert_eq!(stored, 3, "the third post repeats the first: {}", ended.text);
    let object = format!("s3://egress-outputs-123456789012-eu-west-1/labels/{ONE}.json");
    assert_eq!(ended.requests()[0]["facts"][0], json!(["object", object]), "{}", ended.text);
    assert!((2..=3).contains(&platform.downloads()), "{}", ended.text);
    assert_eq!((ended.messages("jobs"), ended.messages("dead-letters")), (0, 0), "{}", ended.text);
}

#[test]
fn what_cannot_be_a_job_or_is_not_authentic_is_refused_and_nothing_else_happens() {
    let platform = Platform::start(0);
    let ended = post(&samples().join("refused"), Some(&platform));
    assert_eq!(ended.code, Some(1), "{}", ended.text);
    assert!(ended.requests().iter().all(|request| request["status"] == 400), "{}", ended.text);
    let wrong = tempfile::tempdir().unwrap();
    let body = json!({"id": ONE, "event": "job_complete"});
    let post_of = |headers: Value| json!({"route": "POST /job-complete", "body": body, "headers": headers}).to_string();
    fs::write(wrong.path().join("a.json"), post_of(json!({"Authorization": "Bearer wrong"}))).unwrap();
    fs::write(wrong.path().join("b.json"), post_of(json!({"authorization": ""}))).unwrap();
    let other = post(wrong.path(), Some(&platform));
    assert_eq!(other.code, Some(1), "{}", other.text);
    assert!(other.requests().iter().all(|request| request["status"] == 401), "{}", other.text);
    for ended in [&ended, &other] {
        assert_eq!(ended.document["counts"].as_object().unwrap().keys().collect::<Vec<_>>(), ["not_taken"]);
        assert!(ended.objects().is_empty() && ended.messages("jobs") == 0, "{}", ended.text);
    }
    assert!(platform.asked().is_empty(), "{}", ended.text);
}

#[test]
fn a_platform_in_trouble_is_asked_again_and_a_job_that_cannot_be_had_lies_in_the_dead_letters() {
    let one = tempfile::tempdir().unwrap();
    fs::copy(samples().join("1-complete.json"), one.path().join("1.json")).unwrap();
    let platform = Platform::start(2);
    let ended = post(one.path(), Some(&platform));
    assert_eq!(ended.code, Some(0), "{}", ended.text);
    assert_eq!(ended.objects(), [(format!("{ONE}.json"), output(ONE))].into(), "{}", ended.text);
    assert_eq!(platform.downloads(), 3, "{}", ended.text);

    let platform = Platform::start(usize::MAX);
    let ended = post(one.path(), Some(&platform));
    assert_eq!(ended.code, Some(1), "{}", ended.text);
    assert_eq!(ended.document["counts"], json!({"failed": 1}), "{}", ended.text);
    let request = ended.requests()[0].clone();
    assert!(request["reason"].as_str().is_some_and(|reason| reason.contains("500")), "{}", ended.text);
    let letter = fs::read_to_string(request["failure_message"].as_str().unwrap()).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&letter).unwrap()["id"], ONE, "{letter}");
    assert!(ended.objects().is_empty() && ended.messages("jobs") == 0, "{}", ended.text);
}

#[test]
fn without_a_platform_jobs_end_in_the_dead_letters_with_the_reason() {
    let one = tempfile::tempdir().unwrap();
    fs::copy(samples().join("1-complete.json"), one.path().join("1.json")).unwrap();
    let ended = post(one.path(), None);
    assert_eq!(ended.code, Some(1), "{}", ended.text);
    let reason = ended.requests()[0]["reason"].to_string();
    assert!(reason.contains("PLATFORM_TOKEN"), "{}", ended.text);
    assert_eq!(ended.messages("dead-letters"), 1, "{}", ended.text);
}
