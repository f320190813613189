//! Tests `--dry-run` of every command: the command changes nothing; `cli` tests that the others refuse the option.

use serde_json::json;

use crate::{harness::Folder, stack::Trial};

const DECLARATION: &str = "\
stack: shop
region: eu-west-1
functions:
  worker: {use: standin, timeout: 2s, consumes: {queue: jobs}}
  other: {use: standin, timeout: 2s}
queues: {jobs: {redrive: {queue: dead}}, dead: {}}
configuration_sets: {mails: {}}
tables: {mails: {partition_key: ses_pk, sort_key: ses_sk}}
buckets: {bodies: {}}
";

/// Commands that take `--dry-run`, each with its other arguments.
const REHEARSED: &[(&str, &[&str])] = &[
    ("adopt", &["bucket/bodies", "shop-bodies-123456789012-eu-west-1"]),
    // It asks the function, which answers only beside a platform: see `stack::egress`.
    ("backfill", &[]),
    ("check", &["--from-function", "worker"]),
    ("down", &["--delete-data"]),
    ("init", &["--file", "other.yaml"]),
    ("invoke", &["worker", "--event", "event.json"]),
    ("pause", &["worker"]),
    ("replay", &["--failed"]),
    ("resume", &["worker"]),
    ("send", &["--from", "shop@shop.example", "--to", "ada@example.org", "--subject", "one", "--text", "text.txt"]),
    ("up", &[]),
];

/// The table has every command that takes the option: the refusal names them.
#[test]
fn every_command_that_takes_dry_run_is_tried() {
    let run = Folder::new().run(&["validate", "--dry-run"]);
    let names: Vec<&str> = REHEARSED.iter().map(|(command, _)| *command).collect();
    assert!(
        run.code() == Some(2) && run.stderr().contains(&format!("these commands do: {}\n", names.join(", "))),
        "{run}"
    );
}

#[test]
fn a_command_that_takes_dry_run_changes_nothing() {
    let Some(trial) = Trial::new(DECLARATION) else { return };
    trial.folder.write("event.json", "{}");
    trial.folder.write("text.txt", "one\n");
    trial.up();
    // Something is left to do for `up`.
    trial.folder.write(
        "infra.yaml",
        DECLARATION.replace("other: {use: standin, timeout: 2s}", "other: {use: standin, timeout: 3s}"),
    );
    trial.proxy.reset();
    for (command, arguments) in REHEARSED.iter().filter(|(command, _)| *command != "backfill") {
        trial.expect(0, &[&[*command, "--dry-run"], *arguments].concat());
        // With Lambda's dry run a function is not invoked.
        let changing = trial.proxy.mutating().into_iter();
        let changing: Vec<String> = changing
            .filter(|call| !call.operation.name.starts_with("Invoke"))
            .map(|call| call.operation.to_string())
            .collect();
        assert_eq!(changing, [""; 0], "{command}");
    }
    let run = trial.expect(0, &["check", "--from-function", "worker", "other", "--dry-run", "--json"]);
    let tried = json!({"outcome": "not_invoked"});
    assert_eq!(run.json(), [json!({"version": 1, "functions": {"worker": tried, "other": tried}})], "one document");
    assert!(!trial.folder.path("other.yaml").exists());
    let log = crate::emulator::pipeline::log(&trial.account, "shop-worker");
    assert_eq!(log, [""; 0], "a function was invoked");
}
