//! Tests the queues of `provision dev`: batches, partial answers, retries, dead letters, and what the next run finds.

use std::fs;

use super::session::{Ended, Run};

const DECLARATION: &str = "
stack: standin
region: eu-west-1
functions:
  reader:
    crate: standin
    bin: standin
    memory: 128MB
    timeout: 20s
    consumes: {queue: jobs, batch: 2, concurrency: 2}
    secrets: {GREETING_TOKEN: greeting/token}
queues:
  jobs: {visibility_timeout: 2m, redrive: {queue: dead, after: 3}}
  dead: {}
apis:
  hooks: {routes: [{route: POST /do, invoke: reader, authentication: {scheme: bearer, secret: GREETING_TOKEN}}]}
";

/// Returns a run that finds these messages in its queue, as an earlier run has left them.
fn run(bodies: &[&str]) -> Run {
    let run = Run::of(DECLARATION);
    let queue = run.path().join("state/queues/jobs");
    fs::create_dir_all(&queue).unwrap();
    for (number, body) in bodies.iter().enumerate() {
        fs::write(queue.join(format!("m-{number}.json")), body).unwrap();
        // In order of their times.
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    run.variable("GREETING_TOKEN", "token").post("a.json", r#"{"route": "POST /do"}"#)
}

fn dead(run: &Ended) -> Vec<String> {
    run.files("queues/dead").iter().map(|file| fs::read_to_string(file).unwrap()).collect()
}

#[test]
fn messages_are_handled_in_batches_and_deleted_when_they_are_done() {
    let run = run(&["one", "two", "three"]).posting(&[]);
    assert_eq!(run.code, 0, "{run}");
    let logged = run.logged();
    let most = logged.lines().filter_map(|line| line.strip_prefix("batch of ")?.parse::<usize>().ok()).max();
    assert_eq!(most, Some(2), "{run}");
    for body in ["one", "two", "three"] {
        assert!(logged.contains(&format!("message {body}, receipt 1")), "{run}");
    }
    assert!(run.output.contains("1 request, 3 messages: 3 stored, 1 handled"), "{run}");
    assert!(run.output.contains("s3://bucket/two"), "{run}");
    assert!(run.files("queues/jobs").is_empty() && dead(&run).is_empty(), "{run}");
}

#[test]
fn of_a_batch_only_what_failed_comes_again_and_in_the_end_into_the_dead_letters() {
    let run = run(&["fine", "fail always"]).posting(&["--json"]);
    assert_eq!(run.code, 1, "{run}");
    let logged = run.logged();
    let receipts = |body: &str| logged.matches(&format!("message {body}, receipt")).count();
    assert_eq!((receipts("fine"), receipts("fail always")), (1, 3), "{run}");
    assert_eq!(dead(&run), ["fail always"], "{run}");
    assert!(run.files("queues/jobs").is_empty(), "{run}");
    let document: serde_json::Value = serde_json::from_str(&run.output).unwrap();
    let failed =
        document["messages"].as_array().unwrap().iter().find(|message| message["outcome"] == "failed").unwrap();
    assert_eq!((&failed["attempts"], &failed["item"]), (&3.into(), &"fail always".into()), "{document:#}");
    assert_eq!(failed["reason"], "the platform is away", "{document:#}");
    assert!(failed["failure_message"].as_str().unwrap().ends_with("queues/dead/m-1.json"), "{document:#}");
}

#[test]
fn a_message_that_succeeds_later_is_well_and_the_wait_of_sqs_is_told() {
    let run = run(&["once"]).posting(&[]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.output.contains("attempt 2 of 3 in 50 ms (SQS waits 2 min)"), "{run}");
    assert!(run.logged().contains("message once, receipt 2"), "{run}");
    assert!(run.output.contains("1 request, 1 message: 1 stored, 1 handled"), "{run}");
}

#[test]
fn a_process_that_dies_and_an_answer_that_is_none_fail_the_whole_batch() {
    for (body, reason) in [
        ("crash", "the process ended without an answer: exit status 7"),
        ("unknown", "the answer names a message that is not in the batch: `another`, so that the whole batch failed"),
    ] {
        let run = run(&["fine", body]).posting(&[]);
        assert_eq!(run.code, 1, "{run}");
        assert!(run.output.contains(reason), "{run}");
        let mut letters = dead(&run);
        letters.sort();
        let mut expected = [body, "fine"];
        expected.sort_unstable();
        assert_eq!(letters, expected, "{run}");
    }
}

#[test]
fn messages_that_are_left_at_the_end_are_done_by_the_next_run() {
    let mut live = run(&["fail for long", "fine"]).live(&["--retry-delay", "600"]);
    live.until(|line| line.contains("attempt 2 of 3 in 10 min"));
    live.press_ctrl_c();
    live.until_error(|line| line.starts_with("Finishing what was accepted"));
    let ended = live.interrupt();
    assert_eq!(ended.code, 130, "{ended}");
    assert!(ended.output.contains("1 unfinished"), "{ended}");
    assert_eq!(ended.files("queues/jobs").len(), 1, "{ended}");
    let next = Run::within(ended.folder).declaring(DECLARATION).variable("GREETING_TOKEN", "token");
    let next = next.post("a.json", r#"{"route": "POST /do"}"#).posting(&[]);
    assert_eq!(next.code, 1, "{next}");
    assert_eq!(dead(&next), ["fail for long"], "{next}");
}

#[test]
fn without_dead_letters_a_message_stays_in_its_queue() {
    let run = run(&["fail"]).declared(", redrive: {queue: dead, after: 3}", "").posting(&[]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.output.contains("the message stays in queue jobs: the queue declares no `redrive`"), "{run}");
    assert_eq!(run.files("queues/jobs").len(), 1, "{run}");
}
