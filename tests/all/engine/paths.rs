//! Tests that mail gets through at every moment of a change: the run is stopped before each of its writes, and what is there then
//! works.

use crate::{
    effort::Effort,
    emulator::{
        account::Account,
        fault::Fault,
        mail::{Done, deliver},
    },
    harness::replaced,
    stack::Trial,
};

pub(crate) const DECLARATION: &str = "\
stack: circuits
region: eu-west-1
buckets: {mail: {}}
queues: {failed: {}}
functions:
  reader: {use: standin, reads: [{bucket: mail, prefix: inbound/}], on_failure: failed}
receipt_rules:
  - name: notices
    recipients: [noc@example.com]
    actions: [{store: mail, prefix: inbound/}, {invoke: reader}]
";
const RECIPIENT: &str = "noc@example.com";
const MAIL: &[u8] = b"From: NOC <noc@carrier.example>\r\nTo: noc@example.com\r\nSubject: hello\r\n\r\nbody\r\n";

/// Checks that a mail is stored and handled, and that every rule that takes it may do what it does.
#[track_caller]
fn gets_through(account: &Account, what: &str) {
    let done = deliver(account, "noc@carrier.example", &[RECIPIENT], MAIL);
    assert!(done.iter().any(|one| matches!(one, Done::Stored { .. })), "{what}: {done:?}");
    assert!(done.iter().any(|one| matches!(one, Done::Invoked { .. })), "{what}: {done:?}");
    let active = account.wait(account.ses.describe_active_receipt_rule_set().send()).unwrap();
    let set = active.metadata().and_then(|set| set.name()).unwrap().to_owned();
    for rule in active.rules().iter().filter(|rule| rule.recipients().iter().any(|one| one == RECIPIENT)) {
        let arn = format!("receipt-rule-set/{set}:receipt-rule/{}\"", rule.name());
        for action in rule.actions() {
            if let Some(store) = action.s3_action() {
                let answer = account.wait(account.s3.get_bucket_policy().bucket(store.bucket_name()).send()).unwrap();
                let policy = answer.policy().unwrap();
                let place = format!("{}/{}*", store.bucket_name(), store.object_key_prefix().unwrap_or_default());
                assert!(policy.contains(&arn) && policy.contains(&place), "{what}: {arn} {place} {policy}");
            }
            if let Some(invoke) = action.lambda_action() {
                let answer = account.wait(account.lambda.get_policy().function_name(invoke.function_arn()).send());
                let policy = answer.unwrap().policy.unwrap();
                assert!(policy.contains(&arn), "{what}: {arn} {policy}");
            }
        }
    }
}

/// Changes the stack into another one, and stops before each write of the change.
pub(crate) fn change(trial: &Trial, what: &str, changed: &str) {
    gets_through(&trial.account, what);
    let before = trial.emulator.snapshot();
    trial.folder.write("infra.yaml", changed);
    trial.proxy.reset();
    trial.up();
    let count = trial.proxy.mutating().len();
    gets_through(&trial.account, what);
    trial.is_converged();
    for number in (1..=count).step_by(Effort::asked().of(6, 3, 1)) {
        trial.emulator.restore(&before);
        trial.proxy.reset();
        let _hits = trial.proxy.on(Fault::Denies, move |call| call.mutation.is_some_and(|mutation| mutation >= number));
        trial.expect(2, &["up", "--yes"]);
        let what = format!("{what}, stopped before write {number} of {count}\n{}", trial.proxy.record());
        trial.proxy.reset();
        gets_through(&trial.account, &what);
    }
    trial.up();
    trial.is_converged();
}

#[test]
fn mail_gets_through_while_things_are_renamed() {
    let Some(trial) = Trial::new(DECLARATION) else { return };
    trial.up();
    let start = trial.emulator.snapshot();
    for (what, change_of) in [
        ("another rule", &[("name: notices", "name: mails")][..]),
        ("another prefix", &[("inbound/", "in/")]),
        ("another function", &[("reader: {use", "handler: {use"), ("invoke: reader", "invoke: handler")]),
        ("another queue", &[("failed: {}", "dead: {}"), ("on_failure: failed", "on_failure: dead")]),
    ] {
        trial.emulator.restore(&start);
        change(&trial, what, &replaced(DECLARATION, change_of));
    }
}

#[test]
fn mail_gets_through_while_a_set_is_taken_over() {
    let Some(trial) = Trial::new(DECLARATION) else { return };
    let ses = &trial.account.ses;
    trial.account.wait(ses.create_receipt_rule_set().rule_set_name("company").send()).unwrap();
    trial.account.wait(ses.set_active_receipt_rule_set().rule_set_name("company").send()).unwrap();
    trial.up();
    change(&trial, "taking over", &format!("{DECLARATION}take_over: true\n"));
}

#[test]
fn mails_under_an_earlier_prefix_stay_readable_on_request() {
    let Some(trial) = Trial::new(DECLARATION) else { return };
    trial.up();
    deliver(&trial.account, "noc@carrier.example", &[RECIPIENT], MAIL);
    let changed = replaced(DECLARATION, &[("inbound/", "in/")]);
    trial.folder.write("infra.yaml", &changed);
    let line = "reads: [{bucket: mail, prefix: in/, formerly: [inbound/]}]";
    let run = trial.up();
    assert!(run.stdout().contains(line), "{run}");
    let lost = trial.run(&["replay", "--prefix", "inbound/", "--dry-run"]);
    assert!(!lost.stdout().contains("1 to replay"), "{lost}");
    trial.folder.write("infra.yaml", replaced(&changed, &[("reads: [{bucket: mail, prefix: in/}]", line)]));
    let run = trial.up();
    assert!(!run.stdout().contains("no longer finds"), "{run}");
    let found = trial.expect(0, &["replay", "--prefix", "inbound/", "--dry-run"]);
    assert!(found.stdout().contains("1 to replay"), "{found}");
}
