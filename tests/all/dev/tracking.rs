//! Tests delivery tracking on this machine: SNS and SQS of `dev`, the real function, MariaDB and Redis from Debian; with a database that is
//! somewhere, and with one of the stack, which `dev` starts.

use std::{fs, path::Path, process::Command};

use mysql_async::prelude::Queryable;
use serde_json::Value;

use crate::servers::{MySql, Redis};

/// A stack whose database and cache are somewhere.
const DECLARATION: &str = "
stack: tracking
region: eu-west-1
configuration_sets: {mails: {events: {all: {topic: events, types: all}}}}
topics: {events: {subscriptions: [{queue: events}]}}
queues:
  events: {visibility_timeout: 6m, redrive: {queue: dead-letters, after: 3}}
  dead-letters: {retention: 14d}
functions:
  tracking:
    crate: tracking
    memory: 256MB
    timeout: 1m
    consumes: {queue: events, batch: 10, concurrency: 5}
    secrets: {DATABASE_URL: mails/database, CACHE_URL: mails/cache}
    vpc: {subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b], security_groups: [sg-0a1b2c3d]}
";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The end of a run: the exit code, the document and the whole output.
type Ended = (Option<i32>, Value, String);

/// Publishes the events of a folder once.
fn publish(declaration: &Path, events: &Path, variables: &[(&str, String)], further: &[&str]) -> Ended {
    let output = Command::new(env!("CARGO_BIN_EXE_provision"))
        .current_dir(root())
        .arg("--json")
        .arg("-f")
        .arg(declaration)
        .args(["dev", "--once", "--retry-delay", "0.01", "--event"])
        .arg(events)
        .args(further)
        .envs(variables.iter().cloned())
        .output()
        .unwrap();
    let text = format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {text}"));
    (output.status.code(), document, text)
}

/// Publishes events to a function whose database and cache are somewhere.
fn publish_to(events: &Path, (maria, redis): (&MySql, &Redis), further: &[&str]) -> Ended {
    // Within the workspace, where Cargo finds the function.
    let runs = root().join("target/dev-runs");
    fs::create_dir_all(&runs).unwrap();
    let folder = tempfile::tempdir_in(runs).unwrap();
    let file = folder.path().join("infra.yaml");
    fs::write(&file, DECLARATION).unwrap();
    publish(&file, events, &[("DATABASE_URL", maria.url()), ("CACHE_URL", redis.url())], further)
}

/// Returns the word for a sample's outcome if `tracked` is that of an event.
fn expected<'word>(origin: &str, tracked: &'word str) -> &'word str {
    let is_validation = origin.ends_with("validation.txt") || origin.ends_with("succeeded.json");
    if is_validation { "validation" } else { tracked }
}

#[test]
fn every_sample_becomes_a_row_or_is_ignored_and_a_second_run_changes_nothing() {
    let (Some(maria), Some(redis)) = (MySql::start(), Redis::start()) else { return };
    let samples = root().join("tests/events");
    let mut rows = Vec::new();
    for round in 0..2 {
        let (code, document, text) = publish_to(&samples, (&maria, &redis), &[]);
        assert_eq!(code, Some(0), "{text}");
        let all = document["notifications"].as_array().unwrap();
        assert_eq!(all.len(), fs::read_dir(&samples).unwrap().count(), "{text}");
        for one in all {
            let (origin, outcome) = (one["origin"].as_str().unwrap(), one["outcome"].as_str().unwrap());
            // Nobody has recorded these mails; the second time the cache knows that they are there.
            let expected = expected(origin, if round == 0 { "parked" } else { "already there" });
            assert_eq!(outcome, expected, "{origin}: {text}");
        }
        assert!(!text.contains("s3cret-of-a-test") && !text.contains("ada@"), "{text}");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let query = "SELECT message_id, recipient, status FROM mail ORDER BY message_id, recipient";
        let found: Vec<(String, String, String)> =
            runtime.block_on(async { maria.connection().await.query(query).await.unwrap() });
        let ends: Vec<_> = found.iter().map(|(_, to, status)| (to.as_str(), status.as_str())).collect();
        assert_eq!(ends, [("ada@example.org", "complained"), ("bob@example.com", "bounced")]);
        rows.push(found);
    }
    assert_eq!(rows[0], rows[1]);
}

#[test]
fn what_is_no_event_goes_to_the_dead_letters_and_the_others_are_kept() {
    let (Some(maria), Some(redis)) = (MySql::start(), Redis::start()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let events = folder.path().join("events");
    fs::create_dir(&events).unwrap();
    fs::copy(root().join("tests/events/event-send.json"), events.join("1-send.json")).unwrap();
    fs::write(events.join("2-poison.json"), "{").unwrap();
    let state = folder.path().join("state");
    let (code, document, text) = publish_to(&events, (&maria, &redis), &["--state", state.to_str().unwrap()]);
    assert_eq!(code, Some(1), "{text}");
    let outcomes: Vec<_> =
        document["notifications"].as_array().unwrap().iter().map(|one| (&one["outcome"], &one["attempts"])).collect();
    assert_eq!(
        (outcomes[0].0, outcomes[1].0, outcomes[1].1),
        (&"parked".into(), &"failed".into(), &3.into()),
        "{text}"
    );
    let letters: Vec<_> = fs::read_dir(state.join("queues/dead-letters")).unwrap().flatten().collect();
    let [letter] = &letters[..] else { panic!("{letters:?}: {text}") };
    let letter: Value = serde_json::from_slice(&fs::read(letter.path()).unwrap()).unwrap();
    assert_eq!((&letter["Type"], &letter["Message"]), (&"Notification".into(), &"{".into()));
}

/// The stack's own database is one that `dev` starts; it keeps its rows where the state is kept.
#[test]
fn the_example_runs_with_a_database_of_its_own() {
    // Said, or a failure, where none is installed.
    if MySql::start().is_none() || Redis::start().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (samples, state) = (root().join("tests/events"), folder.path().join("state"));
    for _ in 0..2 {
        let further = ["--state", state.to_str().unwrap()];
        let (code, document, text) = publish(&root().join("examples/tracking.yaml"), &samples, &[], &further);
        assert_eq!(code, Some(0), "{text}");
        for started in ["  database mails: MariaDB at 127.0.0.1:", "  cache seen: Redis at 127.0.0.1:"] {
            assert!(text.contains(started), "{text}");
        }
        for one in document["notifications"].as_array().unwrap() {
            let origin = one["origin"].as_str().unwrap();
            assert_eq!(one["outcome"].as_str(), Some(expected(origin, "parked")), "{origin}: {text}");
        }
        assert!(fs::read_dir(state.join("queues/events")).unwrap().next().is_none(), "{text}");
    }
    assert!(state.join("databases/mails/data/mails/mail.ibd").is_file());
}
