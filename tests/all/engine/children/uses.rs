//! Whoever hears a topic, or has a function invoked, loses something when it goes: that is named, by `up` and by `down`.

use serde_json::json;

use super::cases;
use crate::{
    harness::replaced,
    stack::{EVERYTHING, Trial},
};

const NEWS: &str = "arn:aws:sns:eu-west-1:123456789012:circuits-alarms";
const FAILED: &str = "arn:aws:sqs:eu-west-1:123456789012:circuits-failed";

/// A stack with a topic and a function that others use.
fn used() -> Option<Trial> {
    let trial = Trial::new(EVERYTHING)?;
    trial.up();
    cases::subscribe(&trial, NEWS, "sqs", FAILED);
    cases::permit(&trial, "events", "events.amazonaws.com", true);
    trial.expect(0, &["diff"]);
    Some(trial)
}

#[test]
fn what_others_use_goes_by_name_with_its_entry() {
    let Some(trial) = used() else { return };
    let less = replaced(EVERYTHING, &[("alarms: {notify: [noc@example.com]}\n", "")]);
    trial.folder.write("infra.yaml", less);
    assert_eq!(trial.diff()["allow_delete"], json!(["topic/alarms"]));
    trial.proxy.reset();
    let run = trial.expect(2, &["up", "--yes"]);
    assert!(run.stdout().contains("removes what others made: subscriptions"), "{run}");
    assert!(run.stderr().contains("--allow-delete topic/alarms"), "{run}");
    assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());
    trial.expect(0, &["up", "--yes", "--allow-delete", "topic/alarms"]);
    trial.is_converged();
}

#[test]
fn what_others_use_goes_by_name_with_the_stack() {
    let Some(trial) = used() else { return };
    trial.proxy.reset();
    let down = ["down", "--confirm", "circuits", "--delete-data"];
    for (named, missing) in [(&[][..], "function/reader"), (&["--allow-delete", "function/reader"], "topic/alarms")] {
        let run = trial.expect(2, &[&down[..], named].concat());
        assert!(run.stderr().contains(&format!("--allow-delete {missing}")), "{run}");
    }
    assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());
    let named = ["--allow-delete", "function/reader", "--allow-delete", "topic/alarms"];
    trial.expect(0, &[&down[..], &named].concat());
    let run = trial.expect(0, &["down", "--confirm", "circuits", "--delete-data", "--json"]);
    assert_eq!(
        trial.proxy.mutating().iter().filter(|call| call.operation == "lambda.DeleteFunction").count(),
        1,
        "{run}"
    );
}
