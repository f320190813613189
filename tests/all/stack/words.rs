//! Tests the text and the JSON documents of plans and their results.

use insta::assert_snapshot;

use super::{EVERYTHING, Trial};
use crate::harness::replaced;

/// Replaces times and folders, which differ from run to run.
fn steady(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("reader: "));
    let seconds = |line: &str| match line.rsplit_once(" in ") {
        Some((before, took)) if took.ends_with(" s") => format!("{before} in … s"),
        _ => line.to_owned(),
    };
    let digest = |line: String| match line.split_once("code reader") {
        Some(_) => "  code reader        …".to_owned(),
        None => line,
    };
    lines.map(|line| digest(seconds(line)) + "\n").collect()
}

#[test]
fn every_kind_of_change_in_words() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    assert_snapshot!("first_plan", steady(&trial.expect(1, &["diff"]).shown()));
    assert_snapshot!("first_up", steady(&trial.up().stdout()));
    let account = &trial.account;
    account.wait(account.lambda.delete_function().function_name("circuits-reader").send()).unwrap();
    account.wait(account.alarms.delete_alarms().alarm_names("circuits-reader-errors").send()).unwrap();
    let put = account.logs.put_retention_policy().log_group_name("/aws/lambda/circuits-reader").retention_in_days(7);
    account.wait(put.send()).unwrap();
    trial.folder.write(
        "infra.yaml",
        replaced(EVERYTHING, &[("  events: {redrive: {queue: failed}}\n", ""), (", {queue: events, raw: true}", "")]),
    );
    assert_snapshot!("changed", steady(&trial.expect(1, &["diff"]).shown()));
    assert_snapshot!("repaired", steady(&trial.up().stdout()));
    assert_snapshot!("down", steady(&trial.expect(0, &["down", "--dry-run"]).shown()));
}

#[test]
fn with_json_there_is_one_document_whatever_happens() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let broken = replaced(&trial.proxy.url, &[("http://127.0.0.1", "http://127.0.0.2")]);
    for (arguments, code) in [
        (&["diff", "--json"][..], 1),
        (&["up", "--json"], 2),
        (&["up", "--json", "--dry-run"], 0),
        (&["up", "--json", "--yes"], 0),
        (&["diff", "--json", "--no-build"], 2),
        (&["down", "--json"], 2),
        (&["down", "--json", "--dry-run"], 0),
        (&["down", "--json", "--confirm", "circuits"], 0),
    ] {
        let run = trial.expect(code, arguments);
        let documents = run.json();
        assert_eq!(documents.len(), 1, "{run}");
        assert_eq!(documents[0]["version"], 1, "{run}");
    }
    let mut command = trial.command(&["diff", "--json"]);
    let run = trial.folder.finish(&["diff"], command.env("AWS_ENDPOINT_URL", broken).output().unwrap());
    assert_eq!((run.code(), run.json().len()), (Some(2), 1), "{run}");
}
