//! Tests `provision invoke`: answer, log, durations, and exit code.

use insta::assert_snapshot;
use serde_json::json;

use super::{Place, event};
use crate::emulator::pipeline::{log, logged};

#[test]
fn an_answer_is_data_and_log_and_times_are_beside_it() {
    let Some(place) = Place::new() else { return };
    place.make_function("reader");
    place.folder.write("event.json", event("stop STOP_RULE"));
    let run = place.run(&["invoke", "reader", "--event", "event.json"]);
    assert_eq!(run.code(), Some(0), "{run}");
    assert_eq!(run.stdout(), "{\n  \"disposition\": \"STOP_RULE\"\n}\n", "{run}");
    assert!(run.stderr().lines().last().unwrap().starts_with("reader: succeeded, "), "{run}");
    assert!(run.stderr().trim_end().ends_with(" ms from here"), "{run}");

    place.folder.write("print.json", event("print _HANDLER"));
    let (code, document) = place.document(&["invoke", "reader", "--event", "print.json"]);
    assert_eq!((code, &document["outcome"], &document["payload"]), (Some(0), &json!("succeeded"), &json!(null)));
    let log = document["log"].as_array().unwrap();
    assert!(log.iter().any(|line| line == "_HANDLER=bootstrap"), "{document}");
    assert!(document["timings"]["total_ms"].as_f64().unwrap() > 0.0, "{document}");
}

#[test]
fn a_function_that_fails_is_exit_code_1_and_says_why() {
    let Some(place) = Place::new() else { return };
    place.make_function("reader");
    let arguments = ["invoke", "reader", "--event", "-"];
    let mut child = place.command(&arguments).stdin(std::process::Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), event("error").as_bytes()).unwrap();
    let run = place.folder.finish(&arguments, child.wait_with_output().unwrap());
    assert_eq!(run.code(), Some(1), "{run}");
    assert!(run.stderr().contains("reader: failed: Transient: S3 is away, "), "{run}");
    assert!(run.stdout().contains("\"errorType\": \"Transient\""), "{run}");

    place.folder.write("event.json", event("error"));
    let (code, document) = place.document(&["invoke", "reader", "--event", "event.json"]);
    assert_eq!((code, &document["outcome"], &document["error"]), (Some(1), &json!("failed"), &json!("Unhandled")));
}

#[test]
fn an_event_that_is_handed_over_is_not_waited_for() {
    let Some(place) = Place::new() else { return };
    place.make_function("reader");
    place.folder.write("event.json", event("print _HANDLER"));
    let (code, document) = place.document(&["invoke", "reader", "--event", "event.json", "--dry-run"]);
    assert_eq!((code, &document["outcome"]), (Some(0), &json!("not_invoked")));
    assert_eq!(log(&place.account, "op-reader"), Vec::<String>::new());
    // Of several functions it is one document, too.
    place.make_function("other");
    let (code, document) = place.document(&["check", "--from-function", "--dry-run"]);
    assert_eq!((code, &document["functions"]["other"]["outcome"]), (Some(0), &json!("not_invoked")), "{document}");
    assert_eq!(document["functions"]["reader"]["outcome"], "not_invoked");
    let (code, document) = place.document(&["invoke", "reader", "--event", "event.json", "--async"]);
    assert_eq!((code, &document["outcome"]), (Some(0), &json!("taken")));
    logged(&place.account, "op-reader", "_HANDLER=bootstrap");
}

#[test]
fn an_impossible_invocation_is_an_error_with_a_hint() {
    let Some(place) = Place::new() else { return };
    place.folder.write("event.json", "{}");
    place.folder.write("broken.json", "{\"a\": }");
    assert_snapshot!(place.run(&["invoke", "raeder", "--event", "event.json"]).shown(), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: Failed to find the function `raeder`: the declaration has no function of that name
    hint: did you mean `reader`?
    ");
    assert_snapshot!(place.run(&["invoke", "reader", "--event", "broken.json"]).shown(), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: Failed to read the event from `broken.json`: it is not valid JSON
      because: expected value at line 1 column 7
    ");
    let run = place.run(&["invoke", "reader", "--event", "event.json"]);
    assert_eq!(run.code(), Some(2), "{run}");
    assert!(run.stderr().contains("because: lambda.Invoke 404 ResourceNotFound"), "{run}");
    assert!(run.stderr().contains("hint: `provision up` creates it"), "{run}");
    let (code, document) = place.document(&["invoke", "reader", "--event", "event.json"]);
    assert_eq!((code, &document["error"]["hints"]), (Some(2), &json!(["`provision up` creates it"])));
}
