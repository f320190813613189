//! Tests limits of `provision dev`: time, memory, retries and the failure queue.

use super::session::{Run, ends_soon, mail};

#[test]
fn a_failing_event_is_tried_again_and_then_kept_in_the_failure_queue() {
    let run = Run::new().mail("a.eml", mail("error")).once(&[]);
    assert_eq!(run.code, 1, "{run}");
    let failure = "#1 failed     function reader: Transient: S3 is away; ";
    for rest in ["attempt 2 of 3 in 50 ms (Lambda waits 1 min)", "attempt 3 of 3 in 50 ms (Lambda waits 2 min)"] {
        assert!(run.output.contains(&format!("{failure}{rest}")), "{run}");
    }
    assert!(run.output.contains(&format!("{failure}the event is in queue failed: ")), "{run}");
    let files = run.files("queues/failed");
    assert_eq!(files.len(), 1, "{run}");
    let record: serde_json::Value = serde_json::from_slice(&std::fs::read(&files[0]).unwrap()).unwrap();
    assert_eq!(record["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(record["responsePayload"]["errorMessage"], "S3 is away");
    let ses = &record["requestPayload"]["Records"][0]["ses"];
    assert_eq!(ses["mail"]["commonHeaders"]["subject"], "error");
    let stored = run.files("buckets/standin-mail-123456789012-eu-west-1/inbound");
    assert_eq!(ses["mail"]["messageId"], stored[0].file_name().unwrap().to_str().unwrap());
}

#[test]
fn a_second_attempt_may_succeed() {
    let run = Run::new().mail("a.eml", mail("once")).once(&["--json"]);
    assert_eq!(run.code, 0, "{run}");
    let document: serde_json::Value = serde_json::from_str(&run.output).unwrap();
    assert_eq!(document["mails"][0]["attempts"], 2);
    assert_eq!(document["mails"][0]["outcome"], "handled");
    assert_eq!(document["mails"][0]["reason"], serde_json::Value::Null);
}

#[test]
fn an_event_is_answered_once_and_by_its_own_request() {
    let run = Run::new().mail("a.eml", mail("twice")).mail("b.eml", mail("hello")).once(&[]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(run.logged(), "answers: 400 202 400\nhandled hello");
}

#[test]
fn without_a_failure_queue_the_event_is_lost_and_that_is_said() {
    let run =
        Run::new().declared("    on_failure: failed\n", "    retries: 0\n").mail("a.eml", mail("error")).once(&[]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.output.contains("the event is lost: the function declares no `on_failure`"), "{run}");
    assert!(!run.output.contains("attempt 2"), "{run}");
}

#[test]
fn an_event_that_takes_too_long_is_ended_with_its_process() {
    let run = Run::new()
        .declared("timeout: 20s", "timeout: 1s\n    retries: 0")
        .mail("a.eml", mail("stubborn 600"))
        .mail("b.eml", mail("hello"))
        .once(&[]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.output.contains("#1 failed     function reader: Task timed out after 1.00 seconds; "), "{run}");
    assert!(run.output.contains("1 handled, 1 failed"), "the next mail meets a new process: {run}");
    let logged = run.logged();
    let started = logged.lines().find_map(|line| line.strip_prefix("started ")).unwrap();
    for process in started.split(' ') {
        assert!(ends_soon(process), "{process} is still there\n{run}");
    }
}

#[test]
fn a_process_that_takes_too_much_memory_is_killed() {
    let run =
        Run::new().declared("timeout: 20s", "timeout: 20s\n    retries: 0").mail("a.eml", mail("memory")).once(&[]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.output.contains("#1 failed     function reader: out of memory: "), "{run}");
    assert!(run.output.contains(" MB resident, 128 MB declared; killed; "), "{run}");
}

#[test]
fn a_function_that_cannot_start_says_why() {
    let run = Run::new()
        .declared("environment: {GREETING: hello}", "environment: {STANDIN: no start}\n    retries: 0")
        .mail("a.eml", mail("hello"))
        .once(&[]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.output.contains("could not start: Configuration: BUCKET is not set"), "{run}");
}
