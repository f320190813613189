//! Tests what others have in the way of the stack's mail: `diff` and `status` tell it and end with 1.

use aws_sdk_ses::types::{ReceiptAction, ReceiptRule, StopAction, StopScope};

use super::{EVERYTHING, Trial};

fn stops(name: &str, recipients: &[&str]) -> ReceiptRule {
    let stop = StopAction::builder().scope(StopScope::RuleSet).build().unwrap();
    let recipients = recipients.iter().map(|one| (*one).to_owned()).collect();
    let rule = ReceiptRule::builder().name(name).enabled(true).set_recipients(Some(recipients));
    rule.actions(ReceiptAction::builder().stop_action(stop).build()).build().unwrap()
}

fn add(trial: &Trial, rule: ReceiptRule, after: Option<&str>) {
    let call = trial.account.ses.create_receipt_rule().rule_set_name("circuits").rule(rule);
    trial.account.wait(call.set_after(after.map(str::to_owned)).send()).unwrap();
}

#[test]
fn a_rule_of_others_that_stops_the_stacks_mail_is_told_by_diff_and_status() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    add(&trial, stops("theirs", &["boss@example.net"]), None);
    trial.expect(0, &["diff"]);
    // It takes all that comes to the last rule of the stack.
    add(&trial, stops("greedy", &[]), Some("circuits.reader"));
    let said = "somebody's rule `greedy` comes before rules of the stack in rule set `circuits` and takes every mail and stops";
    let run = trial.expect(1, &["diff"]);
    assert!(run.stderr().contains(said) && !run.stderr().contains("`theirs`"), "{run}");
    let run = trial.expect(1, &["diff", "--markdown"]);
    assert!(run.stdout().contains("**Mail is cut off:** somebody&#39;s rule &#96;greedy&#96; comes before"), "{run}");
    let plan = trial.diff();
    assert!(plan["cut_off"][0]["what"].as_str().unwrap().contains("`greedy`"), "{plan}");
    let run = trial.expect(1, &["status"]);
    assert!(run.stdout().contains("Mail: cut off: ") && run.stdout().contains(said), "{run}");
    let run = trial.expect(1, &["status", "--json"]);
    assert!(run.json()[0]["receiving"]["cut_off"][0]["what"].as_str().unwrap().contains("`greedy`"), "{run}");
}

#[test]
fn another_set_that_somebody_made_active_is_told_by_diff_and_status() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    let ses = &trial.account.ses;
    trial.account.wait(ses.create_receipt_rule_set().rule_set_name("company").send()).unwrap();
    let rule = ReceiptRule::builder().name("office").recipients("office@example.net").enabled(true).build().unwrap();
    trial.account.wait(ses.create_receipt_rule().rule_set_name("company").rule(rule).send()).unwrap();
    trial.account.wait(ses.set_active_receipt_rule_set().rule_set_name("company").send()).unwrap();
    let said = "rule set `company` is active, and no longer the stack's own `circuits`";
    let run = trial.expect(1, &["diff"]);
    assert!(run.stderr().contains(said), "{run}");
    let run = trial.expect(1, &["status"]);
    assert!(run.stdout().contains(said), "{run}");
    // Taking over says whose rules it switches off, before it does, and that the stack gets no mail until then.
    trial.folder.write("infra.yaml", format!("{EVERYTHING}take_over: true\n"));
    let run = trial.expect(1, &["status"]);
    assert!(run.stdout().contains(said), "{run}");
    let over =
        "`take_over` makes rule set `circuits` active instead of `company`, whose rule `office` then gets no mail";
    let run = trial.expect(1, &["diff"]);
    assert!(run.stderr().contains(said) && run.stderr().contains(over), "{run}");
    let run = trial.expect(1, &["diff", "--markdown"]);
    assert!(run.stdout().contains("**Mail of others stops:** &#96;take&#95;over&#96; makes rule set"), "{run}");
    let plan = trial.diff();
    assert_eq!(plan["taken_over"][0]["what"], over, "{plan}");
    let run = trial.expect(0, &["up", "--yes"]);
    assert!(run.stderr().contains(over), "{run}");
    trial.expect(0, &["diff"]);
}
