//! Tests the commands for an existing stack. If a test needs only a part of one, it is created by hand, under the
//! names that `provision up` would give it.

mod invoke;
mod logs;
mod policy;
mod purposes;
mod redrive;
mod rehearsal;
pub(crate) mod replay;
mod send;
mod send_tracked;
mod status;
mod together;
mod track;

use std::process::Command;

use crate::{
    emulator::{
        account::Account,
        pipeline::{make_function, make_role},
        server::Emulator,
    },
    harness::{Folder, Run},
};

const DECLARATION: &str = "\
stack: op
region: eu-west-1
buckets: {mail: {}}
functions:
  reader: {crate: maintenance, bin: reader, timeout: 10s, reads: [mail], on_failure: failed}
  other: {crate: maintenance, bin: other, on_failure: failed}
queues: {failed: {}}
receipt_rules:
  - name: reader
    recipients: [noc@example.com]
    actions: [{store: mail, prefix: inbound/}, {invoke: reader}]
";

/// An account, and a folder with a declaration for it.
struct Place {
    account: Account,
    folder: Folder,
    emulator: Emulator,
}

impl Place {
    fn new() -> Option<Self> {
        Self::with(DECLARATION)
    }

    fn with(declaration: &str) -> Option<Self> {
        let emulator = Emulator::start()?;
        let account = Account::at(&emulator.url);
        Some(Self { account, folder: Folder::with_declaration(declaration), emulator })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.folder.command(arguments);
        command.envs(Emulator::environment(&self.emulator.url)).env("PROVISION_PACING_MS", "20");
        command
    }

    fn run(&self, arguments: &[&str]) -> Run {
        self.folder.finish(arguments, self.command(arguments).output().unwrap())
    }

    /// Returns the one document of a run with `--json`, whatever is on standard error.
    fn document(&self, arguments: &[&str]) -> (Option<i32>, serde_json::Value) {
        let run = self.run(&[arguments, &["--json"]].concat());
        let mut documents = run.json();
        assert_eq!(documents.len(), 1, "{run}");
        assert_eq!(documents[0]["version"], 1, "{run}");
        (run.code(), documents.remove(0))
    }

    /// Returns a function that does what the subject of a mail asks for.
    fn make_function(&self, entry: &str) -> String {
        let name = format!("op-{entry}");
        make_function(&self.account, &name, &make_role(&self.account, &name), "op.reader")
    }
}

/// Returns an event about a mail with that subject.
fn event(subject: &str) -> String {
    serde_json::json!({"Records": [{"eventSource": "aws:ses", "ses": {
        "mail": {"messageId": "0123456789abcdefghijklmnopqrstuv01234567", "commonHeaders": {"subject": subject}}}}]})
    .to_string()
}
