//! Tests `provision status`: resources, queues, faults, and what is masked.

use std::time::{Duration, SystemTime};

use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StateValue};
use jiff::{RoundMode, TimestampRound, Unit};
use serde_json::{Value, json};

use crate::{
    emulator::server::ACCOUNT,
    harness::replaced,
    stack::{EVERYTHING, Trial},
};

/// Returns the line about something.
fn line<'text>(text: &'text str, beginning: &str) -> &'text str {
    let found = text.lines().find(|line| line.trim_start().starts_with(beginning));
    found.unwrap_or_else(|| panic!("no `{beginning}` in\n{text}"))
}

/// Rounds down to the minute, as CloudWatch does.
fn minutes() -> TimestampRound {
    TimestampRound::new().smallest(Unit::Minute).mode(RoundMode::Trunc)
}

#[test]
fn the_status_of_a_complete_stack_lists_waiting_messages() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let run = trial.expect(0, &["status"]);
    assert!(line(&run.stdout(), "function reader").ends_with(" absent"), "{run}");
    assert!(run.stdout().contains("\nMail: no rule set is active: SES takes no mail\n"), "{run}");
    assert!(run.stdout().contains("\nLast mail for reader: none in the last 14 days\n"), "{run}");

    trial.up();
    let account = &trial.account;
    let url =
        account.wait(account.sqs.get_queue_url().queue_name("circuits-failed").send()).unwrap().queue_url.unwrap();
    for _ in 0..2 {
        account.wait(account.sqs.send_message().queue_url(&url).message_body("{}").send()).unwrap();
    }
    account.wait(account.sqs.receive_message().queue_url(&url).max_number_of_messages(1).send()).unwrap();
    let ringing = account.alarms.set_alarm_state().alarm_name("circuits-reader-errors").state_value(StateValue::Alarm);
    account.wait(ringing.state_reason("a test").send()).unwrap();
    let invoked = |hours: f64, count: f64| {
        let at = SystemTime::now() - Duration::from_secs_f64(hours * 3600.0);
        let datum = MetricDatum::builder().metric_name("Invocations").timestamp(at.into()).value(count);
        let datum = datum.dimensions(Dimension::builder().name("FunctionName").value("circuits-reader").build());
        account
            .wait(account.alarms.put_metric_data().namespace("AWS/Lambda").metric_data(datum.build()).send())
            .unwrap();
        jiff::Timestamp::try_from(at).unwrap().round(minutes()).unwrap().to_string()
    };
    invoked(400.0, 1.0);
    invoked(30.0, 2.0);
    let last = invoked(5.0, 1.0);
    invoked(1.0, 0.0);
    trial.proxy.reset();
    let run = trial.expect(0, &["status"]);
    let text = run.stdout();
    assert!(text.contains(&format!("\nLast mail for reader: {last}\n")), "{run}");
    assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());
    assert!(line(&text, "bucket mail").ends_with(" present"), "{run}");
    assert!(line(&text, "queue failed").ends_with(" present      1 waiting, 1 in flight"), "{run}");
    let function = line(&text, "function reader");
    assert!(function.contains(" present ") && function.contains("changed 20") && function.contains("build "), "{run}");
    let tags =
        account.wait(account.lambda.get_function().function_name("circuits-reader").send()).unwrap().tags.unwrap();
    assert!(function.contains(&format!("build {}", tags["provision:build"])), "{run}\n{tags:?}");
    let subscription = line(&text, "subscription news.email:noc@example.com");
    assert!(subscription.ends_with(" pending      waits until its endpoint confirms it"), "{run}");
    assert!(text.contains("\nMail: rule set circuits is active, with 2 of the stack's rules\n"), "{run}");
    assert!(text.contains("\nAlarms: ringing: circuits-reader-errors\n"), "{run}");
    assert!(line(&text, "Status:").contains(" present, 2 pending"), "{run}");
}

#[test]
fn changed_and_deleted_resources_are_named() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    let account = &trial.account;
    account
        .wait(account.sns.delete_topic().topic_arn(format!("arn:aws:sns:eu-west-1:{ACCOUNT}:circuits-alarms")).send())
        .unwrap();
    let making = account.lambda.update_function_configuration().function_name("circuits-reader").timeout(3);
    account.wait(making.send()).unwrap();
    account.wait(account.ses.set_active_receipt_rule_set().send()).unwrap();
    let run = trial.expect(0, &["status", "--json"]);
    let status = run.json().remove(0);
    let state = |kind: &str, entry: &str| {
        let resources = status["resources"].as_array().unwrap();
        let found = resources.iter().find(|it| it["kind"] == kind && it["entry"] == entry);
        found.map(|it| (it["state"].clone(), it["why"].clone())).unwrap()
    };
    assert_eq!(state("topic", "alarms").0, "absent", "{status}");
    assert_eq!(state("function", "reader"), (json!("differs"), json!("timeout")));
    assert_eq!(state("active rule set", "circuits").0, "differs");
    assert_eq!(status["receiving"], json!({"active_rule_set": null, "rules": [], "foreign_rules": 0}));
    assert_eq!((&status["version"], &status["account"]), (&json!(1), &json!(ACCOUNT)));
    assert_eq!(status["queues"][0], json!({"queue": "events", "waiting": 0, "in_flight": 0, "delayed": 0}));
}

#[test]
fn unreadable_parts_are_exit_code_2_and_the_rest_is_shown() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    trial.proxy.on(crate::emulator::fault::Fault::Denies, |call| call.operation == "lambda.GetFunction");
    let run = trial.expect(2, &["status"]);
    assert!(
        line(&run.stdout(), "function reader").contains(" unreadable   lambda.GetFunction 403 AccessDenied"),
        "{run}"
    );
    assert!(run.stdout().contains("\nUnreadable: lambda.GetFunction 403 AccessDenied"), "{run}");
    assert!(line(&run.stdout(), "bucket mail").ends_with(" present"), "{run}");
}

#[test]
fn a_redacted_status_masks_the_account() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    assert!(trial.expect(0, &["status", "--json"]).stdout().contains(ACCOUNT));
    for arguments in [&["status", "--redact"][..], &["status", "--redact", "--json"]] {
        let run = trial.expect(0, arguments);
        assert!(!run.stdout().contains(ACCOUNT) && run.stdout().contains("************"), "{run}");
    }
    // Errors are shown without it, too.
    trial.folder.write("infra.yaml", format!("account: \"210987654321\"\n{EVERYTHING}"));
    let run = trial.expect(2, &["status", "--redact"]);
    assert!(run.stderr().contains("account ************, and these are credentials of ************"), "{run}");
    assert!(!run.stderr().contains("210987654321"), "{run}");
}

#[test]
fn a_netbox_is_looked_at_where_there_is_a_token_and_the_token_is_not_shown() {
    let Some(trial) =
        Trial::new(&replaced(EVERYTHING, &[("{STANDIN: ready}", "{NETBOX_URL: \"http://127.0.0.1:1\"}")]))
    else {
        return;
    };
    let run = trial.expect(0, &["status"]);
    assert!(run.stdout().contains("\nNetBox http://127.0.0.1:1: not looked at; set NETBOX_TOKEN\n"), "{run}");
    let arguments = ["status", "--json", "-v"];
    let output = trial.command(&arguments).env("NETBOX_TOKEN", "hush-0123456789").output().unwrap();
    let run = trial.folder.finish(&arguments, output);
    let status: Value = run.json().remove(0);
    assert_eq!(run.code(), Some(0), "{run}");
    assert_eq!(status["netboxes"]["http://127.0.0.1:1"]["checks"][0]["subject"], "NetBox", "{run}");
    assert!(!run.to_string().contains("hush-0123456789"), "{run}");
}
