//! Tests that the emulator does everything that a pipeline needs: resources are created by hand through plain clients, a mail is
//! delivered, and the function's line appears in the log.

use std::{
    io::{Cursor, Write},
    path::Path,
    process::Command,
    sync::OnceLock,
    thread::sleep,
    time::{Duration, Instant},
};

use aws_sdk_lambda::{
    primitives::Blob,
    types::{Architecture, FunctionCode, Runtime},
};
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use aws_sdk_ses::types::{
    AddHeaderAction, BounceAction, InvocationType, LambdaAction, ReceiptAction, ReceiptRule, S3Action, SnsAction,
    StopAction, StopScope,
};
use serde_json::json;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{
    account::Account,
    mail::{Done, deliver},
    server::{ACCOUNT, Authorisation, Emulator, REGION},
};
use crate::harness::replaced;

/// Time limit for the emulator to run a function and to show its log.
const PATIENCE: Duration = Duration::from_secs(30);

const MAIL: &[u8] =
    b"From: NOC <noc@carrier.example>\r\nTo: noc@example.com\r\nSubject: print _HANDLER\r\n\r\nbody\r\n";

/// Returns the code of a function that does what the subject of a mail asks for.
pub(crate) fn code() -> &'static [u8] {
    static CODE: OnceLock<Vec<u8>> = OnceLock::new();
    CODE.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/standin");
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--locked"])
            .current_dir(&folder)
            .env("CARGO_TARGET_DIR", folder.join("target"))
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let binary = std::fs::read(folder.join("target/debug/standin")).unwrap();
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        archive.start_file("bootstrap", SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
        archive.write_all(&binary).unwrap();
        archive.finish().unwrap().into_inner()
    })
}

/// Returns the ARN of a rule, as SES gives it to those whom it calls.
fn rule_arn(rule: &str) -> String {
    format!("arn:aws:ses:{REGION}:{ACCOUNT}:receipt-rule-set/main:receipt-rule/{rule}")
}

/// Creates a bucket that SES may write to for one rule.
pub(crate) fn make_bucket(account: &Account, name: &str, rule: &str) {
    let place =
        CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(REGION)).build();
    account.wait(account.s3.create_bucket().bucket(name).create_bucket_configuration(place).send()).unwrap();
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "tls", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
         "Resource": [format!("arn:aws:s3:::{name}"), format!("arn:aws:s3:::{name}/*")],
         "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Sid": "ses", "Effect": "Allow", "Principal": {"Service": "ses.amazonaws.com"}, "Action": "s3:PutObject",
         "Resource": format!("arn:aws:s3:::{name}/*"),
         "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnEquals": {"aws:SourceArn": rule_arn(rule)}}},
    ]});
    account.wait(account.s3.put_bucket_policy().bucket(name).policy(policy.to_string()).send()).unwrap();
}

/// Returns a role that Lambda may assume, with the rights to log.
pub(crate) fn make_role(account: &Account, name: &str) -> String {
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let rights = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}]});
    let making = account.iam.create_role().role_name(name).path("/provision/test/");
    let role = account.wait(making.assume_role_policy_document(trust.to_string()).send()).unwrap();
    let giving = account.iam.put_role_policy().role_name(name).policy_name("rights");
    account.wait(giving.policy_document(rights.to_string()).send()).unwrap();
    role.role().unwrap().arn().to_owned()
}

/// Returns a function that SES may invoke for one rule.
pub(crate) fn make_function(account: &Account, name: &str, role_arn: &str, rule: &str) -> String {
    let making = account.lambda.create_function().function_name(name).role(role_arn).runtime(Runtime::Providedal2023);
    let code = FunctionCode::builder().zip_file(Blob::new(code())).build();
    let making = making.handler("bootstrap").architectures(Architecture::X8664).code(code).timeout(10);
    let made = account.wait(making.send()).unwrap();
    let permitting = account.lambda.add_permission().function_name(name).statement_id("ses");
    let permitting = permitting.action("lambda:InvokeFunction").principal("ses.amazonaws.com");
    account.wait(permitting.source_account(ACCOUNT).source_arn(rule_arn(rule)).send()).unwrap();
    made.function_arn().unwrap().to_owned()
}

pub(crate) fn store(bucket: &str) -> ReceiptAction {
    let action = S3Action::builder().bucket_name(bucket).object_key_prefix("inbound/").build().unwrap();
    ReceiptAction::builder().s3_action(action).build()
}

pub(crate) fn invoke(function: &str, how: InvocationType) -> ReceiptAction {
    let action = LambdaAction::builder().function_arn(function).invocation_type(how).build().unwrap();
    ReceiptAction::builder().lambda_action(action).build()
}

fn stop() -> ReceiptAction {
    ReceiptAction::builder().stop_action(StopAction::builder().scope(StopScope::RuleSet).build().unwrap()).build()
}

/// Returns an enabled rule for the mails of one recipient.
pub(crate) fn rule(name: &str, recipient: &str, actions: Vec<ReceiptAction>) -> ReceiptRule {
    let rule = ReceiptRule::builder().name(name).enabled(true).scan_enabled(true).recipients(recipient);
    rule.set_actions(Some(actions)).build().unwrap()
}

/// Creates rules in this order, in the set `main`, and activates it.
pub(crate) fn activate(account: &Account, rules: Vec<ReceiptRule>) {
    account.wait(account.ses.create_receipt_rule_set().rule_set_name("main").send()).unwrap();
    let mut after = None;
    for rule in rules {
        let name = rule.name().to_owned();
        let making = account.ses.create_receipt_rule().rule_set_name("main").set_after(after);
        account.wait(making.rule(rule).send()).unwrap();
        after = Some(name);
    }
    account.wait(account.ses.set_active_receipt_rule_set().rule_set_name("main").send()).unwrap();
}

/// Returns all lines of a function's log.
pub(crate) fn log(account: &Account, function: &str) -> Vec<String> {
    let group = format!("/aws/lambda/{function}");
    let mut pages = account.logs.filter_log_events().log_group_name(&group).into_paginator().send();
    let mut lines: Vec<String> = Vec::new();
    // Without the log group there is no page.
    while let Some(Ok(page)) = account.wait(pages.next()) {
        lines.extend(page.events().iter().filter_map(|event| event.message().map(str::to_owned)));
    }
    lines
}

/// Waits until that many lines of a function's log contain a text; returns them.
pub(crate) fn logged_times(account: &Account, function: &str, text: &str, times: usize) -> Vec<String> {
    let started = Instant::now();
    loop {
        let lines = log(account, function);
        let found: Vec<String> = lines.iter().filter(|line| line.contains(text)).cloned().collect();
        if found.len() >= times {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "`{text}` is not {times} times in the log: {lines:?}");
        sleep(Duration::from_millis(50));
    }
}

/// Waits until one line of a function's log contains a text; returns it.
pub(crate) fn logged(account: &Account, function: &str, text: &str) -> String {
    logged_times(account, function, text, 1).remove(0)
}

fn a_mail_is_stored_and_handled(authorisation: Authorisation) {
    let Some(emulator) = Emulator::start_with(authorisation) else { return };
    let account = Account::at(&emulator.url);
    make_bucket(&account, "test-mail", "reader");
    let function = make_function(&account, "test-reader", &make_role(&account, "test-reader"), "reader");
    let actions = vec![store("test-mail"), invoke(&function, InvocationType::Event)];
    activate(&account, vec![rule("reader", "noc@example.com", actions)]);

    let done = deliver(&account, "bounce@carrier.example", &["noc@example.com"], MAIL);
    let Done::Stored { key, .. } = &done[0] else { panic!("{done:?}") };
    assert_eq!(done[1..], [Done::Invoked { function, answer: None }]);
    let stored = account.wait(account.s3.get_object().bucket("test-mail").key(key).send()).unwrap();
    let stored = account.wait(stored.body.collect()).unwrap().into_bytes();
    assert!(stored.ends_with(MAIL) && stored.len() > MAIL.len(), "the mail with the headers of SES");
    assert!(logged(&account, "test-reader", "_HANDLER=").contains("_HANDLER=bootstrap"));
    assert_eq!(deliver(&account, "bounce@carrier.example", &["else@example.com"], MAIL), [], "no rule takes it");
}

#[test]
fn a_mail_reaches_the_functions_log() {
    a_mail_is_stored_and_handled(Authorisation::None);
}

#[test]
fn a_mail_reaches_the_functions_log_where_rights_are_checked() {
    a_mail_is_stored_and_handled(Authorisation::Checked);
}

#[test]
fn rules_are_evaluated_as_ses_does() {
    let Some(emulator) = Emulator::start() else { return };
    let account = Account::at(&emulator.url);
    make_bucket(&account, "test-mail", "last");
    let topic = account.wait(account.sns.create_topic().name("told").send()).unwrap().topic_arn.unwrap();
    let function = make_function(&account, "test-reader", &make_role(&account, "test-reader"), "asks");
    let header = AddHeaderAction::builder().header_name("X-Route").header_value("one").build().unwrap();
    let bounce = BounceAction::builder().smtp_reply_code("550").status_code("5.1.1").message("nobody");
    let bounce = bounce.sender("noc@example.com").build().unwrap();
    let told = SnsAction::builder().topic_arn(&topic).build().unwrap();
    activate(
        &account,
        vec![
            rule("asks", "noc@example.com", vec![invoke(&function, InvocationType::RequestResponse), stop()]),
            rule(
                "tells",
                "example.com",
                vec![
                    ReceiptAction::builder().add_header_action(header).build(),
                    ReceiptAction::builder().sns_action(told).build(),
                    ReceiptAction::builder().bounce_action(bounce).build(),
                ],
            ),
            rule("last", ".example.com", vec![store("test-mail")]),
        ],
    );
    let subject = |subject: &str| replaced(&String::from_utf8_lossy(MAIL), &[("print _HANDLER", subject)]).into_bytes();
    let tells = [
        Done::HeaderAdded { name: "X-Route".to_owned() },
        Done::Published { topic },
        Done::Bounced { reply: "550 5.1.1 nobody".to_owned() },
    ];
    let asked = |answer| Done::Invoked { function: function.clone(), answer: Some(answer) };

    let done = deliver(&account, "", &["noc@example.com"], &subject("hello"));
    assert_eq!(done, [asked(json!(null)), Done::Stopped], "the rule ends with Stop");
    let done = deliver(&account, "", &["noc@example.com"], &subject("stop STOP_RULE"));
    assert_eq!(done, [&[asked(json!({"disposition": "STOP_RULE"}))], &tells[..]].concat());
    let done = deliver(&account, "", &["noc@mail.example.com", "a@example.com"], MAIL);
    assert_eq!(done[..3], tells);
    let Done::Stored { key, .. } = &done[3] else { panic!("{done:?}") };
    let stored = account.wait(account.s3.get_object().bucket("test-mail").key(key).send()).unwrap();
    let stored = account.wait(stored.body.collect()).unwrap().into_bytes();
    assert!(stored.starts_with(b"X-Route: one\r\n"), "{stored:?}");
}
