//! Tests that a stack, its mails and its failed events outlive a new version of the tool and a change of the declaration.

use std::{env, process::Command};

use super::Trial;
use crate::{
    emulator::{
        mail::{Done, deliver},
        pipeline::logged_times,
    },
    engine::{
        paths::{DECLARATION, change},
        tags,
    },
    harness::replaced,
    operate::replay::record,
};

/// Environment variable with the path of a binary of an older version; without it, this version is both.
const OLDER: &str = "PROVISION_OLDER";

/// Returns a command of the older version, in the folder and the environment of another one.
fn older(command: &Command) -> Command {
    let mut older = Command::new(env::var_os(OLDER).unwrap_or_else(|| command.get_program().to_owned()));
    older.env_clear().args(command.get_args());
    older.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    older.current_dir(command.get_current_dir().unwrap());
    older
}

#[test]
fn a_stack_of_an_older_version_is_taken_over_without_a_gap() {
    let Some(trial) = Trial::new(DECLARATION) else { return };
    let made = trial.folder.finish(&["up", "--yes"], older(&trial.command(&["up", "--yes"])).output().unwrap());
    assert_eq!(made.code(), Some(0), "{made}");
    let before = trial.account.inventory();
    change(&trial, "taken over", DECLARATION);
    assert_eq!(trial.account.inventory(), before, "nothing is made anew, and nothing goes");
    if env::var_os(OLDER).is_none() {
        trial.proxy.reset();
        trial.up();
        assert!(trial.proxy.mutating().is_empty(), "{}", trial.proxy.record());
    }
}

const MAIL: &[u8] = b"Received: from inside by outside with SMTP id 1; Tue, 5 Jan 2021 10:15:30 +0000\r\n\
    X-SES-Spam-Verdict: FAIL\r\nFrom: NOC <noc@carrier.example>\r\nTo: noc@example.com\r\nSubject: earlier\r\n\r\nbody\r\n";

#[test]
fn old_mails_and_old_failed_events_are_replayed_after_a_change_of_the_prefix() {
    let Some(trial) = Trial::new(DECLARATION) else { return };
    trial.up();
    let account = &trial.account;
    let done = deliver(account, "noc@carrier.example", &["noc@example.com"], MAIL);
    let Some(Done::Stored { key, .. }) = done.first() else { panic!("{done:?}") };
    assert!(key.starts_with("inbound/"), "{key}");
    let url =
        account.wait(account.sqs.get_queue_url().queue_name("circuits-failed").send()).unwrap().queue_url.unwrap();
    let failed = record("arn:aws:lambda:eu-west-1:123456789012:function:circuits-reader", "failed once");
    account.wait(account.sqs.send_message().queue_url(url).message_body(failed).send()).unwrap();
    logged_times(account, "circuits-reader", "handled earlier", 1);
    let places = [
        ("reads: [{bucket: mail, prefix: inbound/}]", "reads: [{bucket: mail, prefix: in/, formerly: [inbound/]}]"),
        ("{store: mail, prefix: inbound/}", "{store: mail, prefix: in/}"),
    ];
    // The function gets another name, too: events and mails are its own all the same.
    let renamed = [("  reader: {", "  notices: {"), ("{invoke: reader}", "{invoke: notices}")];
    let changed = replaced(&replaced(DECLARATION, &places), &renamed);
    trial.folder.write("infra.yaml", format!("{changed}moved: {{function/reader: function/notices}}\n"));
    trial.up();
    trial.folder.write("infra.yaml", changed);
    trial.is_converged();
    let functions = tags::CASES.iter().find(|case| case.kind == "function").unwrap();
    assert_eq!((functions.read)(account, "circuits-reader").unwrap()[tags::ENTRY], "notices");
    trial.expect(0, &["replay", key, "--yes"]);
    logged_times(account, "circuits-reader", "handled earlier", 2);
    trial.expect(0, &["replay", "--failed", "--yes"]);
    logged_times(account, "circuits-reader", "handled failed once", 1);
    let live = account.wait(account.lambda.get_function().function_name("circuits-reader").send()).unwrap();
    let variables = live.configuration.unwrap().environment.unwrap().variables.unwrap();
    assert!(variables["PROVISION_CONTEXT"].contains("inbound/"), "the function is told of the earlier place");
}
