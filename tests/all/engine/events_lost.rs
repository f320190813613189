//! Tests that giving events up is a loss that is named: a failure queue that is taken away, and less time or fewer retries where
//! nothing catches an event.

use crate::{
    harness::replaced,
    stack::{EVERYTHING, Trial},
};

const CAUGHT: &str = "    on_failure: failed\n";

/// Declares how the function's events end.
fn declared(lines: &str) -> String {
    replaced(EVERYTHING, &[(CAUGHT, lines)])
}

#[test]
fn what_loses_events_is_named_and_what_does_not_is_not() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    let flag = "needs `--allow-delete event-invoke/reader`";
    for (lines, loss) in [
        // What the queue catches is not lost, however early it comes there.
        ("    on_failure: failed\n    maximum_event_age: 5m\n    retries: 0\n", None),
        ("    on_failure: events\n    maximum_event_age: 5m\n    retries: 0\n", None),
        (
            "    maximum_event_age: 5m\n    retries: 0\n",
            Some("on_failure \"arn:aws:sqs:eu-west-1:123456789012:circuits-events\" → none"),
        ),
        // More time and more tries lose nothing.
        ("    maximum_event_age: 2h\n    retries: 2\n", None),
        ("    maximum_event_age: 1h\n    retries: 2\n", Some("maximum_age 7200 → 3600")),
        ("    maximum_event_age: 1h\n    retries: 1\n", Some("retries 2 → 1")),
        ("    on_failure: failed\n    maximum_event_age: 1m\n    retries: 0\n", None),
    ] {
        trial.folder.write("infra.yaml", declared(lines));
        let plan = trial.expect(1, &["diff"]);
        let refused = trial.run(&["up", "--yes"]);
        match loss {
            None => assert_eq!(refused.code(), Some(0), "{refused}"),
            Some(loss) => {
                let words = format!("shortens the life of data: {loss}; {flag}");
                assert!(plan.stdout().contains(&words), "`{words}` is missing\n{plan}");
                assert_eq!(refused.code(), Some(2), "{refused}");
                trial.expect(0, &["up", "--yes", "--allow-delete", "event-invoke/reader"]);
            }
        }
    }
    trial.is_converged();
}
