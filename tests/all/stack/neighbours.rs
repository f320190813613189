//! Tests neighbours in the same account: another stack, another person's `up`, and somebody's rule set, bucket
//! and role.

use aws_sdk_ses::types::{ReceiptAction, ReceiptRule, StopAction, StopScope};

use super::{EVERYTHING, Trial, actions, code_folder, command};
use crate::{emulator::account::Account, harness::replaced};

fn named(name: &str) -> String {
    replaced(EVERYTHING, &[("stack: circuits", &format!("stack: {name}"))])
}

/// Creates and activates somebody's rule set with one rule.
fn foreign_set(account: &Account) {
    let stop = StopAction::builder().scope(StopScope::RuleSet).build().unwrap();
    let rule = ReceiptRule::builder().name("theirs").recipients("boss@example.com").enabled(true);
    let rule = rule.actions(ReceiptAction::builder().stop_action(stop).build()).build().unwrap();
    account.wait(account.ses.create_receipt_rule_set().rule_set_name("company").send()).unwrap();
    account.wait(account.ses.create_receipt_rule().rule_set_name("company").rule(rule).send()).unwrap();
    account.wait(account.ses.set_active_receipt_rule_set().rule_set_name("company").send()).unwrap();
}

/// Returns the active set and its rules.
fn active(account: &Account) -> (Option<String>, Vec<String>) {
    let active = account.wait(account.ses.describe_active_receipt_rule_set().send()).unwrap();
    let names = active.rules().iter().map(|rule| rule.name().to_owned()).collect();
    (active.metadata().and_then(|metadata| metadata.name().map(str::to_owned)), names)
}

#[test]
fn two_stacks_stand_side_by_side_in_one_rule_set() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    // The names have a common prefix: resources that are found by it are told apart by their tags.
    // It names another recipient: mail for the first stack's ends there.
    let own = ("recipients: [noc@example.com]", "recipients: [archive@example.com]");
    let other = code_folder(&replaced(&named("circuits-archive"), &[own]));
    let run = |arguments: &[&str]| {
        let output = command(&other, &trial.proxy.url, arguments).output().unwrap();
        other.finish(arguments, output)
    };
    trial.up();
    let first = run(&["up", "--yes"]);
    assert_eq!(first.code(), Some(0), "{first}");
    let rules = ["circuits.reader", "circuits.rest", "circuits-archive.reader", "circuits-archive.rest"];
    assert_eq!(active(&trial.account), (Some("circuits".to_owned()), rules.map(str::to_owned).to_vec()));
    trial.is_converged();
    for arguments in [&["diff"][..], &["up", "--yes"]] {
        let again = run(arguments);
        assert_eq!(again.code(), Some(0), "{again}");
    }
    // The set goes on taking mail for the other stack.
    let down = trial.expect(0, &["down", "--confirm", "circuits", "--delete-data"]);
    assert!(down.stdout().contains("rules of others"), "{down}");
    assert_eq!(active(&trial.account).1, rules[2..]);
    let still = run(&["diff"]);
    assert_eq!(still.code(), Some(0), "{still}");
    let down = run(&["down", "--confirm", "circuits-archive", "--delete-data"]);
    assert_eq!(down.code(), Some(0), "{down}");
    trial.expect(0, &["down", "--confirm", "circuits"]);
}

#[test]
fn somebody_elses_active_set_is_joined_and_left_as_it_was() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    foreign_set(&trial.account);
    trial.up();
    let rules = ["theirs", "circuits.reader", "circuits.rest"].map(str::to_owned).to_vec();
    assert_eq!(active(&trial.account), (Some("company".to_owned()), rules));
    trial.is_converged();
    trial.expect(0, &["down", "--confirm", "circuits", "--delete-data"]);
    assert_eq!(active(&trial.account), (Some("company".to_owned()), vec!["theirs".to_owned()]));
}

#[test]
fn taking_over_is_asked_for_and_given_back() {
    let Some(trial) = Trial::new(&format!("{EVERYTHING}take_over: true\n")) else { return };
    foreign_set(&trial.account);
    trial.up();
    assert_eq!(active(&trial.account).0.as_deref(), Some("circuits"));
    trial.is_converged();
    trial.expect(0, &["down", "--confirm", "circuits", "--delete-data"]);
    assert_eq!(active(&trial.account), (Some("company".to_owned()), vec!["theirs".to_owned()]));
}

#[test]
fn resources_of_others_with_our_names_are_not_touched() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let account = &trial.account;
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let role = account.iam.create_role().role_name("circuits-reader-eu-west-1").assume_role_policy_document(trust);
    let tag = aws_sdk_iam::types::Tag::builder().key("owner").value("somebody").build().unwrap();
    account.wait(role.tags(tag).send()).unwrap();
    account.wait(account.sqs.create_queue().queue_name("circuits-failed").send()).unwrap();
    let url = account.wait(account.sqs.get_queue_url().queue_name("circuits-failed").send()).unwrap();
    account.wait(account.sqs.send_message().queue_url(url.queue_url().unwrap()).message_body("theirs").send()).unwrap();
    let before = actions(&trial.diff());
    assert!(before.contains(&"foreign role reader".to_owned()), "{before:?}");
    let run = trial.expect(2, &["up", "--yes"]);
    assert!(run.stderr().contains("role reader"), "{run}");
    assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());
    trial.expect(0, &["down", "--confirm", "circuits"]);
    account.wait(account.iam.get_role().role_name("circuits-reader-eu-west-1").send()).unwrap();
}

#[test]
fn two_runs_at_once_corrupt_nothing() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let children: Vec<_> = (0..2).map(|_| trial.command(&["up", "--yes"]).spawn().unwrap()).collect();
    for child in children {
        let run = trial.folder.finish(&["up", "--yes"], child.wait_with_output().unwrap());
        assert!(matches!(run.code(), Some(0 | 2)), "{run}");
    }
    trial.up();
    trial.is_converged();
    assert_eq!(active(&trial.account).1, ["circuits.reader", "circuits.rest"]);
    let subscriptions = trial.account.wait(trial.account.sns.list_subscriptions().send()).unwrap();
    assert_eq!(subscriptions.subscriptions().len(), 4, "{subscriptions:?}");
}
