//! Tests `provision adopt`: what was made by hand or has lost its tags becomes an entry's, with its name, and nothing else changes.

use std::time::Duration;

use serde_json::Value;

use super::tags::{CASES, Case, ENTRY, STACK, all_tags, copies};
use crate::{
    emulator::proxy::Call,
    harness::replaced,
    stack::{EVERYTHING, Trial},
};

/// Returns a case's resource as a person types it.
fn typed(case: &Case) -> String {
    format!("{}/{}", case.kind.replace(' ', "-"), case.entry)
}

/// Returns the names of the calls that changed something.
fn changing(trial: &Trial) -> Vec<String> {
    trial.proxy.mutating().iter().map(|call: &Call| call.operation.to_string()).collect()
}

#[test]
fn what_lost_its_tags_is_named_by_up_and_adopted() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    for case in CASES {
        (case.untag)(&trial.account, case.name);
        let run = trial.expect(2, &["up", "--yes"]);
        let command = format!("`provision adopt {} {}`", typed(case), case.name);
        assert!(run.stderr().contains(&command), "{command}\n{run}");
        let before = (case.read)(&trial.account, case.name);
        trial.proxy.reset();
        trial.expect(0, &["adopt", &typed(case), case.name, "--dry-run"]);
        assert_eq!(changing(&trial), [""; 0], "{}", case.kind);
        assert_eq!((case.read)(&trial.account, case.name), before, "{}", case.kind);
        trial.expect(0, &["adopt", &typed(case), case.name, "--yes"]);
        let changing = changing(&trial);
        assert!(matches!(changing.as_slice(), [one] if one.contains("Tag")), "{}: {changing:?}", case.kind);
        trial.is_converged();
        trial.proxy.reset();
        let run = trial.expect(0, &["adopt", &typed(case), case.name, "--yes"]);
        assert!(trial.proxy.mutating().is_empty() && run.stdout().contains("already"), "{run}");
    }
}

/// Declares an entry beside those of the whole stack for each kind that an entry can have, and has a copy of.
const FURTHER: &[(&str, &str)] = &[
    ("  mail: {expire: 30d, versioning: true}", "  mail: {expire: 30d, versioning: true}\n  old: {expire: 30d}"),
    ("  failed: {retention: 14d}", "  failed: {retention: 14d}\n  old: {retention: 4d}"),
    ("  news: {subscr", "  old: {}\n  news: {subscr"),
    ("description: NetBox}", "description: NetBox}\n  old: {value_from: {environment: TRY_TOKEN}}"),
];

#[test]
fn what_has_another_name_keeps_it_and_is_the_entry_from_then_on() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    let copies = copies(&trial.account);
    trial.folder.write("infra.yaml", replaced(EVERYTHING, FURTHER));
    let mut adopted = Vec::new();
    for (case, name) in copies.iter().filter(|(case, _)| ["bucket", "queue", "topic", "secret"].contains(&case.kind)) {
        let typed = format!("{}/old", case.kind);
        trial.proxy.reset();
        let run = trial.expect(0, &["adopt", &typed, name, "--json", "--yes"]);
        let changing = changing(&trial);
        assert!(matches!(changing.as_slice(), [one] if one.contains("Tag")), "{typed}: {changing:?}");
        let document: Value = run.json().remove(0);
        assert_eq!((&document["adopted"], &document["name"]), (&typed.as_str().into(), &(*name).into()), "{document}");
        assert_eq!(document["next"]["action"], "change", "{document}");
        let tags = (case.read)(&trial.account, name).unwrap();
        assert_eq!((tags[STACK].as_str(), tags[ENTRY].as_str()), ("circuits.eu-west-1", "old"));
        adopted.push((*case, *name));
    }
    assert_eq!(adopted.len(), 4);
    // What is kept in the bucket lived for ever.
    let run = trial.up_losing(&trial.diff());
    assert!(run.stdout().contains("0 to create"), "nothing is made a second time\n{run}");
    trial.is_converged();
    // It goes with its entry as if the stack had made it.
    trial.folder.write("infra.yaml", EVERYTHING);
    trial.run(&["down", "--confirm", "circuits", "--delete-data"]);
    for (case, name) in adopted {
        assert_eq!((case.read)(&trial.account, name), None, "{name}");
    }
}

#[test]
fn parts_and_users_follow_what_was_adopted() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    for (case, name) in copies(&trial.account) {
        let (typed, kind) = (typed(case), case.kind);
        if kind == "role" {
            let run = trial.expect(0, &["adopt", &typed, name, "--yes"]);
            assert!(run.stdout().contains("trust"), "{run}");
        } else {
            trial.expect(0, &["adopt", &typed, name, "--yes"]);
        }
    }
    trial.up_losing(&trial.diff());
    trial.is_converged();
    let account = &trial.account;
    let live = account.wait(account.lambda.get_function().function_name("circuits-reader").send()).unwrap();
    let live = live.configuration.unwrap();
    assert!(live.role.unwrap().ends_with("/theirs"), "the function has the role that was adopted");
    assert_eq!(live.logging_config.unwrap().log_group.unwrap(), "/aws/lambda/theirs");
    let variables = live.environment.unwrap().variables.unwrap();
    let context = &variables["PROVISION_CONTEXT"];
    assert!(context.contains("theirs-copied") && context.contains("theirs/token"), "{context}");
    let rules = account.wait(account.ses.describe_active_receipt_rule_set().send()).unwrap().rules.unwrap();
    let rules = format!("{rules:?}");
    assert!(rules.contains("theirs-copied") && rules.contains("eu-west-1:123456789012:theirs"), "{rules}");
    compares_in_three_round_trips(&trial);
    trial.run(&["down", "--confirm", "circuits", "--delete-data"]);
    let left: Vec<_> = account.inventory().into_iter().filter(|name| name.contains("theirs")).collect();
    assert_eq!(left, [""; 0]);
}

/// Checks that names that only tags tell cost no round trip. A failure counts only if calls take seconds: see `stack::pace`.
#[track_caller]
fn compares_in_three_round_trips(trial: &Trial) {
    for delay in [1, 3] {
        trial.proxy.reset();
        trial.proxy.delay(Duration::from_secs(delay));
        trial.expect(0, &["diff"]);
        if trial.proxy.depth() <= 3 {
            trial.proxy.reset();
            return;
        }
    }
    panic!("more than three round trips in sequence\n{}", trial.proxy.record());
}

#[test]
fn the_command_that_is_named_has_the_options_that_chose_the_declaration() {
    const STAGED: &str = "stack: circuits\nregion: eu-west-1\nqueues: {events: {}}\nstages: {prod: {}, test: {}}\n";
    let Some(trial) = Trial::new(STAGED) else { return };
    trial.folder.write("other.yaml", STAGED);
    let chosen = ["--file", "other.yaml", "--stage", "prod"];
    let up = [&["up", "--yes"][..], &chosen].concat();
    trial.expect(0, &up);
    let queues = CASES.iter().find(|case| case.kind == "queue").unwrap();
    (queues.untag)(&trial.account, "circuits-prod-events");
    let url = trial.account.wait(trial.account.sqs.get_queue_url().queue_name("circuits-prod-events").send()).unwrap();
    trial
        .account
        .wait(trial.account.sqs.send_message().queue_url(url.queue_url.unwrap()).message_body("one").send())
        .unwrap();
    let run = trial.expect(2, &up);
    let command = "`provision adopt queue/events circuits-prod-events --file other.yaml --stage prod`";
    assert!(run.stderr().contains(command), "{run}");
    let adopt = [&["adopt", "queue/events", "circuits-prod-events", "--yes"][..], &chosen].concat();
    trial.expect(0, &adopt);
    trial.expect(0, &[&["diff"][..], &chosen].concat());
}

#[test]
fn what_is_not_to_be_adopted_is_refused_with_the_reason() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    let copies = copies(&trial.account);
    let theirs = |kind: &str| copies.iter().find(|(case, _)| case.kind == kind).copied().unwrap();
    let (queue, queue_name) = theirs("queue");
    (queue.tag)(&trial.account, queue_name, STACK, "somebody.prod.eu-west-1");
    let before = all_tags(&trial.account);
    trial.proxy.reset();
    for (typed, id, words) in [
        ("queue/events", queue_name, "it belongs to stack `somebody`, stage `prod`, region eu-west-1"),
        ("queue/failed", "circuits-events", "`moved: {queue/events: queue/failed}`"),
        ("queue/failed", "nowhere", "there is no such queue in account 123456789012, eu-west-1"),
        ("bucket/mail", "theirs-copied", "`circuits-mail-123456789012-eu-west-1` is already bucket mail"),
        ("queue/unknown", "theirs", "the declaration has no queue unknown"),
        ("thing/mail", "theirs", "`thing` is not a kind of resource"),
        ("mail", "theirs", "expected a kind and an entry"),
        ("receipt-rule/reader", "theirs", "SES keeps no tags on a receipt rule"),
        ("permission/reader.ses-reader", "theirs", "a permission has no tags"),
        ("subscription/news.email:noc@example.com", "theirs", "a subscription has no tags"),
        ("queue/failed", "arn:aws:sqs:us-east-1:123456789012:theirs", "it is in 123456789012, us-east-1"),
        ("queue/failed", "arn:aws:sqs:eu-west-1:210987654321:theirs", "it is in 210987654321, eu-west-1"),
        ("queue/failed", "arn:aws:sns:eu-west-1:123456789012:theirs", "it is not the ARN of a queue"),
        ("queue/failed", "https://sqs.eu-west-1.amazonaws.com/210987654321/theirs", "it is in 210987654321"),
        ("queue/failed", "https://sqs.us-east-1.amazonaws.com/123456789012/theirs", "it is in 123456789012, us-east-1"),
        ("queue/failed", "", "it is not a name"),
    ] {
        let run = trial.expect(2, &["adopt", typed, id, "--yes"]);
        assert!(run.stderr().contains(words), "{typed} {id}: {words}\n{run}");
    }
    assert_eq!(changing(&trial), [""; 0]);
    assert_eq!(all_tags(&trial.account), before);
    let run = trial.expect(2, &["adopt", "topic/news", "arn:aws:sns:eu-west-1:123456789012:theirs"]);
    assert!(run.stderr().contains("is already topic news"), "{run}");
}

#[test]
fn a_role_elsewhere_cannot_be_found_again() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let account = &trial.account;
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let call = account.iam.create_role().role_name("by-hand").path("/service-role/");
    account.wait(call.assume_role_policy_document(trust).send()).unwrap();
    for id in ["by-hand", "arn:aws:iam::123456789012:role/service-role/by-hand"] {
        let run = trial.expect(2, &["adopt", "role/reader", id, "--yes"]);
        assert!(run.stderr().contains("its path is `/service-role/`"), "{run}");
    }
}

#[test]
fn two_with_the_tags_of_one_entry_stop_every_command() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    for (case, name) in copies(&trial.account) {
        (case.tag)(&trial.account, name, STACK, "circuits.eu-west-1");
        (case.tag)(&trial.account, name, ENTRY, case.entry);
        trial.proxy.reset();
        for arguments in [&["diff"][..], &["up", "--yes"], &["down", "--confirm", "circuits", "--delete-data"]] {
            let run = trial.expect(2, arguments);
            let words = [case.name, name].map(|name| format!("`{name}`"));
            assert!(words.iter().all(|word| run.stderr().contains(word)), "{words:?}\n{run}");
            assert!(run.stderr().contains(&format!("{} {}", case.kind, case.entry)), "{run}");
        }
        assert_eq!(changing(&trial), [""; 0]);
        (case.untag)(&trial.account, name);
    }
    trial.is_converged();
}
