//! Tests `examples/tracking.yaml` on this machine: SNS and SQS of `dev`, the real function, MariaDB and Redis from Debian.

use std::{fs, path::Path, process::Command};

use mysql_async::prelude::Queryable;
use serde_json::Value;

use crate::servers::{MariaDb, Redis};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Publishes the events of a folder once; returns the exit code, the document and the whole output.
fn publish(events: &Path, (maria, redis): (&MariaDb, &Redis), further: &[&str]) -> (Option<i32>, Value, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_provision"))
        .current_dir(root())
        .args(["--json", "-f", "examples/tracking.yaml", "dev", "--once", "--retry-delay", "0.01", "--event"])
        .arg(events)
        .args(further)
        .envs([("DATABASE_URL", maria.url()), ("CACHE_URL", redis.url())])
        .output()
        .unwrap();
    let text = format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {text}"));
    (output.status.code(), document, text)
}

#[test]
fn every_sample_becomes_a_row_or_is_ignored_and_a_second_run_changes_nothing() {
    let (Some(maria), Some(redis)) = (MariaDb::start(), Redis::start()) else { return };
    let samples = root().join("tests/events");
    let mut rows = Vec::new();
    for round in 0..2 {
        let (code, document, text) = publish(&samples, (&maria, &redis), &[]);
        assert_eq!(code, Some(0), "{text}");
        let all = document["notifications"].as_array().unwrap();
        assert_eq!(all.len(), fs::read_dir(&samples).unwrap().count(), "{text}");
        for one in all {
            let (origin, outcome) = (one["origin"].as_str().unwrap(), one["outcome"].as_str().unwrap());
            let is_validation = origin.ends_with("validation.txt") || origin.ends_with("succeeded.json");
            let expected = match (is_validation, round) {
                (true, _) => "validation",
                // Nobody has recorded these mails.
                (false, 0) => "parked",
                (false, _) => "already there",
            };
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
    let (Some(maria), Some(redis)) = (MariaDb::start(), Redis::start()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let events = folder.path().join("events");
    fs::create_dir(&events).unwrap();
    fs::copy(root().join("tests/events/event-send.json"), events.join("1-send.json")).unwrap();
    fs::write(events.join("2-poison.json"), "{").unwrap();
    let state = folder.path().join("state");
    let (code, document, text) = publish(&events, (&maria, &redis), &["--state", state.to_str().unwrap()]);
    assert_eq!(code, Some(1), "{text}");
    let outcomes: Vec<_> =
        document["notifications"].as_array().unwrap().iter().map(|one| (&one["outcome"], &one["attempts"])).collect();
    assert_eq!(
        (outcomes[0].0, outcomes[1].0, outcomes[1].1),
        (&"parked".into(), &"failed".into(), &240.into()),
        "{text}"
    );
    let letters: Vec<_> = fs::read_dir(state.join("queues/dead-letters")).unwrap().flatten().collect();
    let [letter] = &letters[..] else { panic!("{letters:?}: {text}") };
    let letter: Value = serde_json::from_slice(&fs::read(letter.path()).unwrap()).unwrap();
    assert_eq!((&letter["Type"], &letter["Message"]), (&"Notification".into(), &"{".into()));
}
