//! Tests undeclared resources: ours are found by their names or tags and deleted, those of others are never touched and
//! never reported.

use std::collections::BTreeSet;

use aws_sdk_ses::types::{ReceiptAction, ReceiptRule, StopAction, StopScope};
use serde_json::Value;

use super::{existing, fields::declaration};
use crate::{
    harness::replaced,
    stack::{EVERYTHING, Trial, actions},
};

const SET: &str = "circuits";
/// A topic that carries no mails: whoever hears one that does is drift.
const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:circuits-alarms";
const FUNCTION: &str = "circuits-reader";

fn rule(name: &str) -> ReceiptRule {
    let stop = StopAction::builder().scope(StopScope::RuleSet).build().unwrap();
    let rule = ReceiptRule::builder().name(name).recipients("boss@example.com").enabled(true);
    rule.actions(ReceiptAction::builder().stop_action(stop).build()).build().unwrap()
}

fn add_rule(trial: &Trial, name: &str, after: Option<&str>) {
    let call = trial.account.ses.create_receipt_rule().rule_set_name(SET).rule(rule(name));
    trial.account.wait(call.set_after(after.map(str::to_owned)).send()).unwrap();
}

fn permit(trial: &Trial, id: &str) {
    let call = trial.account.lambda.add_permission().function_name(FUNCTION).statement_id(id);
    let call = call.action("lambda:InvokeFunction").principal("events.amazonaws.com");
    let call = call.source_arn("arn:aws:events:eu-west-1:123456789012:rule/theirs");
    trial.account.wait(call.send()).unwrap();
}

fn rules(trial: &Trial) -> Vec<ReceiptRule> {
    let call = trial.account.ses.describe_receipt_rule_set().rule_set_name(SET);
    trial.account.wait(call.send()).unwrap().rules.unwrap()
}

fn names(rules: &[ReceiptRule]) -> Vec<&str> {
    rules.iter().map(|rule| rule.name.as_str()).collect()
}

fn statements(trial: &Trial) -> String {
    trial.account.wait(trial.account.lambda.get_policy().function_name(FUNCTION).send()).unwrap().policy.unwrap()
}

/// Returns the resources in a plan for which some action is planned, by kind and address; an undeclared one is named by its
/// name.
fn resources(plan: &Value, action: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let all = plan["resources"].as_array().unwrap().iter();
    let all = all.filter(|one| action(one["action"].as_str().unwrap()));
    all.map(|one| format!("{} {}", one["kind"].as_str().unwrap(), one["address"])).collect()
}

#[test]
fn additions_under_our_names_are_deleted() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    add_rule(&trial, "circuits.extra", Some("circuits.reader"));
    permit(&trial, "provision-extra");
    assert_eq!(actions(&trial.diff()), ["delete receipt rule extra", "delete permission reader.extra"]);
    trial.up();
    assert_eq!(names(&rules(&trial)), ["circuits.reader", "circuits.rest"]);
    assert!(!statements(&trial).contains("provision-extra"));
    trial.is_converged();
}

#[test]
fn additions_beside_ours_are_left_alone() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    add_rule(&trial, "first", None);
    add_rule(&trial, "between", Some("circuits.reader"));
    add_rule(&trial, "circuits-archive.last", Some("circuits.rest"));
    permit(&trial, "theirs");
    let call = trial.account.sns.subscribe().topic_arn(TOPIC).protocol("sqs").return_subscription_arn(true);
    let call = call.endpoint("arn:aws:sqs:eu-west-1:123456789012:circuits-failed");
    let theirs = trial.account.wait(call.send()).unwrap().subscription_arn.unwrap();
    let before = (rules(&trial), statements(&trial));
    trial.is_converged();
    // A change of ours does not touch them either.
    let changed = replaced(EVERYTHING, &[("tls: require", "tls: optional"), ("raw: true", "raw: false")]);
    trial.folder.write("infra.yaml", changed);
    trial.up();
    trial.is_converged();
    let after = (rules(&trial), statements(&trial));
    assert_eq!(names(&after.0), ["first", "circuits.reader", "between", "circuits.rest", "circuits-archive.last"]);
    let foreign = |rules: &[ReceiptRule]| -> Vec<ReceiptRule> {
        rules.iter().filter(|rule| !rule.name.starts_with("circuits.")).cloned().collect()
    };
    assert_eq!(foreign(&after.0), foreign(&before.0));
    assert_eq!(after.1, before.1);
    let call = trial.account.sns.get_subscription_attributes().subscription_arn(&theirs);
    trial.account.wait(call.send()).unwrap();
    // They go with ours, by name.
    let named = ["--allow-delete", "function/reader", "--allow-delete", "topic/alarms"];
    trial.expect(0, &[&["down", "--confirm", "circuits", "--delete-data"][..], &named].concat());
    assert_eq!(rules(&trial), foreign(&before.0));
}

#[test]
fn resources_that_are_no_longer_declared_are_found_and_deleted() {
    let Some(trial) = Trial::new(&declaration()) else { return };
    existing::bucket(&trial.account);
    trial.up();
    let mut there = resources(&trial.diff(), |_| true);
    let less = replaced(
        &declaration(),
        &[
            ("  - name: rest\n    actions: [{store: archive, prefix: rest/}]\n", ""),
            (
                "topics:\n  news: {subscriptions: [noc@example.com, {queue: events, raw: true}, {function: reader}]}\n",
                "topics:\n  news: {}\n",
            ),
            ("alarms: {notify: [noc@example.com]}\n", ""),
        ],
    );
    for declared in [
        less.as_str(),
        "stack: circuits\nregion: eu-west-1\nqueues: {events: {}}\n",
        "stack: circuits\nregion: eu-west-1\n",
    ] {
        trial.folder.write("infra.yaml", declared);
        let plan = trial.diff();
        let told = resources(&plan, |action| action == "delete");
        trial.up_losing(&plan);
        trial.is_converged();
        let left = resources(&trial.diff(), |_| true);
        let gone: Vec<&String> = there.difference(&left).collect();
        assert!(!gone.is_empty());
        // A single rule has no order, and an unconfirmed subscription goes with its topic.
        let is_silent = |one: &str| one.starts_with("receipt rule order") || one.contains("email:");
        for one in gone.into_iter().filter(|one| !is_silent(one)) {
            assert!(told.contains(one), "{one} went without a word: {told:?}");
        }
        there = left;
    }
    let plan = trial.run(&["down", "--dry-run", "--json"]).json().remove(0);
    assert_eq!(actions(&plan), [""; 0], "all went, but for what holds data");
    assert_eq!(existing::policy(&trial.account)["Statement"].as_array().map(Vec::len), Some(1));
}
