//! Tests that `up --dry-run` ends as `up --yes` would where that stops before its first change, and changes nothing.

use aws_sdk_sns::types::Tag;

use super::{EVERYTHING, Trial};
use crate::{
    emulator::fault::Fault,
    harness::{Run, replaced},
};

/// A stack that has nothing to build.
const SMALL: &str = "stack: circuits\nregion: eu-west-1\nqueues: {failed: {retention: 14d}}\ntopics: {news: {}}\n";

/// Runs `up` with an option, and checks that nothing was changed.
#[track_caller]
fn up(trial: &Trial, option: &str, further: &[&str]) -> Run {
    let before = trial.proxy.mutating().len();
    let run = trial.run(&[&["up", option], further].concat());
    assert_eq!(trial.proxy.mutating().len(), before, "{run}\n{}", trial.proxy.record());
    run
}

/// Checks that both runs end with this code and say why.
#[track_caller]
fn both_end_with(trial: &Trial, code: i32, why: &str) {
    for option in ["--dry-run", "--yes"] {
        let run = up(trial, option, &[]);
        assert_eq!(run.code(), Some(code), "{option}\n{run}");
        assert!(run.stderr().contains(why) || run.stdout().contains(why), "{option}: `{why}` is missing\n{run}");
        // Programs get one document.
        let run = up(trial, option, &["--json"]);
        assert_eq!((run.code(), run.json().len()), (Some(code), 1), "{option}\n{run}");
    }
}

#[test]
fn a_dry_run_ends_as_the_run_would() {
    let Some(trial) = Trial::new(SMALL) else { return };
    assert_eq!(up(&trial, "--dry-run", &[]).code(), Some(0), "all is to be created, and nothing stands in the way");
    trial.up();
    both_end_with(&trial, 0, "0 to create");

    // A loss that nobody names, and one that is named.
    trial.folder.write("infra.yaml", replaced(SMALL, &[("14d", "4d")]));
    both_end_with(&trial, 2, "add --allow-delete queue/failed");
    assert_eq!(up(&trial, "--dry-run", &["--allow-delete", "queue/failed"]).code(), Some(0));
    let at_last = trial.expect(0, &["up", "--yes", "--allow-delete", "queue/failed"]);
    assert!(at_last.stdout().contains("1 changed"), "{at_last}");

    // Somebody else's topic under one of the stack's names.
    let account = &trial.account;
    let tag = Tag::builder().key("provision:stack").value("office.eu-west-1").build().unwrap();
    account.wait(account.sns.create_topic().name("circuits-other").tags(tag).send()).unwrap();
    let other = replaced(SMALL, &[("14d", "4d"), ("news: {}", "news: {}, other: {}")]);
    trial.folder.write("infra.yaml", &other);
    both_end_with(&trial, 2, "topic other");

    // What cannot be read.
    trial.folder.write("infra.yaml", replaced(SMALL, &[("14d", "4d")]));
    let _denied = trial.proxy.on(Fault::Denies, |call| call.operation == "sns.GetTopicAttributes");
    both_end_with(&trial, 2, "could not be read");
}

#[test]
fn the_value_of_a_new_secret_has_to_be_there() {
    let declared = |from: &str| format!("{SMALL}secrets: {{token: {{value_from: {from}}}}}\n");
    let Some(trial) = Trial::new(&declared("{file: token.txt}")) else { return };
    both_end_with(&trial, 2, "Failed to read the value of the secret `token`");
    trial.folder.write("token.txt", "");
    both_end_with(&trial, 2, "it is empty");
    trial.folder.write("infra.yaml", declared("{environment: NOBODY_SETS_THIS}"));
    both_end_with(&trial, 2, "`NOBODY_SETS_THIS` is not set");
    // Whoever types a value does so once.
    trial.folder.write("infra.yaml", declared("stdin"));
    assert_eq!(up(&trial, "--dry-run", &[]).code(), Some(0));
    trial.folder.write("infra.yaml", declared("{file: token.txt}"));
    trial.folder.write("token.txt", "value");
    assert_eq!(up(&trial, "--dry-run", &[]).code(), Some(0));
    trial.up();
    // What is there already needs no value.
    trial.folder.write("token.txt", "");
    both_end_with(&trial, 0, "0 to create");
}

#[test]
fn what_nobody_names_ends_a_dry_run_of_down_too() {
    let Some(trial) = Trial::new(SMALL) else { return };
    trial.up();
    let account = &trial.account;
    let subscribing = account.sns.subscribe().topic_arn("arn:aws:sns:eu-west-1:123456789012:circuits-news");
    let subscribing = subscribing.protocol("sqs").endpoint("arn:aws:sqs:eu-west-1:123456789012:theirs");
    account.wait(subscribing.send()).unwrap();
    for option in [&["--dry-run"][..], &["--confirm", "circuits"]] {
        let run = trial.expect(2, &[&["down"], option].concat());
        assert!(run.stderr().contains("add --allow-delete topic/news"), "{run}");
    }
    trial.expect(0, &["down", "--dry-run", "--allow-delete", "topic/news"]);
}

#[test]
fn a_precondition_that_blocks_ends_a_dry_run_with_two() {
    let rules = replaced(
        EVERYTHING,
        &[("    secrets: {TOKEN: token}\n", "    secrets: {TOKEN: token}\n    reserved_concurrency: 990\n")],
    );
    let Some(trial) = Trial::new(&rules) else { return };
    both_end_with(&trial, 2, "fix the errors above first");
}
