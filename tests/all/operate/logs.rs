//! Tests `provision logs`: all lines, once each, in order, over pages, streams and functions.

use std::{
    io::{BufRead, BufReader},
    process::Child,
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{Place, event};
use crate::emulator::pipeline::logged;

const PATIENCE: Duration = Duration::from_mins(1);

impl Place {
    fn make_stream(&self, function: &str, stream: &str) {
        let group = format!("/aws/lambda/op-{function}");
        // The group may exist for another stream.
        let _there = self.account.wait(self.account.logs.create_log_group().log_group_name(&group).send());
        let making = self.account.logs.create_log_stream().log_group_name(&group).log_stream_name(stream);
        self.account.wait(making.send()).unwrap();
    }

    fn log(&self, function: &str, stream: &str, lines: &[(i64, &str)]) {
        let line = |(time, message): &(i64, &str)| {
            InputLogEvent::builder().timestamp(*time).message(*message).build().unwrap()
        };
        let group = format!("/aws/lambda/op-{function}");
        let putting = self.account.logs.put_log_events().log_group_name(group).log_stream_name(stream);
        let lines = lines.iter().map(line).collect();
        self.account.wait(putting.set_log_events(Some(lines)).send()).unwrap();
    }
}

/// Returns the current time, in milliseconds since the epoch.
fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

#[test]
fn lines_come_in_order_over_pages_streams_and_functions() {
    let Some(place) = Place::new() else { return };
    for (function, stream) in [("reader", "one"), ("reader", "two"), ("other", "one")] {
        place.make_stream(function, stream);
    }
    let start = now() - 60_000;
    // More than a page of the emulator, most of one millisecond.
    let many: Vec<String> = (0..60).map(|number| format!("same millisecond {number}")).collect();
    let many: Vec<(i64, &str)> = many.iter().map(|line| (start + 10, line.as_str())).collect();
    place.log("reader", "one", &many);
    place.log("reader", "two", &[(start + 5, "second"), (start + 20, "last\n")]);
    place.log("other", "one", &[(start, "first")]);
    place.log("other", "one", &[(start - 7_200_000, "long ago")]);

    let (code, document) = place.document(&["logs"]);
    let events = document["events"].as_array().unwrap();
    let told: Vec<&str> = events.iter().map(|event| event["message"].as_str().unwrap()).collect();
    let expected: Vec<&str> =
        ["first", "second"].into_iter().chain(many.iter().map(|(_, line)| *line)).chain(["last"]).collect();
    assert_eq!((code, told), (Some(0), expected));
    assert_eq!((&events[0]["function"], &events[1]["stream"]), (&Value::from("other"), &Value::from("two")));

    let run = place.run(&["logs", "other", "--since", "1d"]);
    let lines: Vec<String> = run.stdout().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 2, "{run}");
    assert!(lines[0].ends_with(" other long ago") && lines[1].ends_with(" other first"), "{run}");
    assert!(lines[0].starts_with("20") && lines[0].contains('+'), "the time has an offset: {run}");
}

#[test]
fn a_function_that_ran_is_shown_and_its_report_is_readable() {
    let Some(place) = Place::new() else { return };
    place.make_function("reader");
    place.folder.write("event.json", event("report delivered"));
    assert_eq!(place.run(&["invoke", "reader", "--event", "event.json"]).code(), Some(0));
    logged(&place.account, "op-reader", "REPORT RequestId");
    let run = place.run(&["logs", "reader"]);
    assert_eq!(run.code(), Some(0), "{run}");
    assert!(
        run.stdout()
            .contains(" reader delivered, provider carrier, maintenance CHG-1, mail 0123456789abcdefghijklmnopqrstuv01234567, 1.5 ms\n"),
        "{run}"
    );
    assert!(run.stdout().contains(" reader START RequestId: "), "{run}");
}

#[test]
fn without_a_log_group_there_is_an_error_or_a_function_less() {
    let Some(place) = Place::new() else { return };
    let run = place.run(&["logs"]);
    assert_eq!(run.code(), Some(2), "{run}");
    assert!(
        run.stderr().contains("error: Failed to find a log group of `other`, `reader`\nhint: `provision up`"),
        "{run}"
    );
    place.make_stream("reader", "one");
    let run = place.run(&["logs"]);
    assert_eq!((run.code(), run.stdout().as_str()), (Some(0), ""), "{run}");
    assert!(run.stderr().contains("Nothing was logged since then"), "{run}");
    assert_eq!(place.run(&["logs", "other"]).code(), Some(2));
    assert_eq!(place.run(&["logs", "--since", "soon"]).code(), Some(2));
}

/// Returns the lines of a running command, as they come.
fn lines(child: &mut Child) -> Receiver<Value> {
    let (sender, receiver) = channel();
    let output = BufReader::new(child.stdout.take().unwrap());
    thread::spawn(move || {
        for line in output.lines() {
            // The receiver may be gone.
            let _gone = sender.send(serde_json::from_str(&line.unwrap()).unwrap());
        }
    });
    receiver
}

#[test]
fn whoever_follows_sees_every_line_once_until_ctrl_c() {
    let Some(place) = Place::new() else { return };
    place.make_stream("reader", "one");
    place.make_stream("reader", "two");
    let time = now();
    place.log("reader", "one", &[(time, "a")]);
    let mut child = place.command(&["logs", "reader", "--follow", "--json"]).spawn().unwrap();
    let told = lines(&mut child);
    let next = || told.recv_timeout(PATIENCE).unwrap()["message"].as_str().unwrap().to_owned();
    assert_eq!(next(), "a");
    // Of the same millisecond, of another stream, and an earlier one that is shown late.
    place.log("reader", "one", &[(time, "b")]);
    assert_eq!(next(), "b");
    place.log("reader", "two", &[(time, "c")]);
    assert_eq!(next(), "c");
    place.log("reader", "two", &[(time - 1_000, "late")]);
    assert_eq!(next(), "late");
    let many: Vec<String> = (0..60).map(|number| number.to_string()).collect();
    place.log("reader", "one", &many.iter().map(|line| (time + 1, line.as_str())).collect::<Vec<_>>());
    let seen: Vec<String> = many.iter().map(|_| next()).collect();
    assert_eq!(seen, many);
    // Further reads find nothing new.
    assert_eq!(told.recv_timeout(Duration::from_millis(500)).ok(), None);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
