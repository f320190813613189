//! Tests that the real function writes and deletes only where its declaration allows.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

use crate::harness::replaced;

const DECLARATION: &str = "
stack: writing
region: eu-west-1
buckets: {mail: {}}
functions:
  maintenance:
    crate: maintenance
    bin: maintenance
    memory: 256MB
    timeout: 30s
    retries: 0
    environment: ENVIRONMENT
    reads: [mail]
    RIGHTS
    on_failure: failed
queues: {failed: {}}
receipt_rules:
  - {name: all, actions: [{store: mail, prefix: inbound/}, {invoke: maintenance}]}
";

/// A stack with its state.
struct Stack {
    folder: tempfile::TempDir,
}

impl Stack {
    fn new(environment: &str, rights: &str) -> Self {
        // Within the workspace, where Cargo finds the function.
        let runs = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/dev-runs");
        fs::create_dir_all(&runs).unwrap();
        let folder = tempfile::tempdir_in(runs).unwrap();
        let declaration = replaced(DECLARATION, &[("ENVIRONMENT", environment), ("RIGHTS", rights)]);
        fs::write(folder.path().join("infra.yaml"), declaration).unwrap();
        Self { folder }
    }

    /// Runs `dev` with some of the mails that we wrote.
    fn run(&self, mails: &[&str]) -> Output {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mails");
        Command::new(env!("CARGO_BIN_EXE_provision"))
            .args(["--json", "dev", "--once", "--retry-delay", "0", "--state"])
            .arg(self.folder.path().join("state"))
            .arg("--deliver")
            .args(mails.iter().map(|mail| root.join(mail)))
            .current_dir(self.folder.path())
            .output()
            .unwrap()
    }

    /// Returns the exit code, and what is said of a declaration that is not run.
    fn refused(&self, mail: &str) -> (Option<i32>, String) {
        let output = self.run(&[mail]);
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Delivers some of the mails; returns the summary of each.
    fn deliver(&self, mails: &[&str]) -> Vec<Value> {
        let output = self.run(mails);
        let errors = String::from_utf8_lossy(&output.stderr);
        let document: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {errors}"));
        document["mails"].as_array().unwrap_or_else(|| panic!("{document}\n{errors}")).clone()
    }

    /// Returns the paths of the objects below a prefix.
    fn objects(&self, prefix: &str) -> Vec<PathBuf> {
        let buckets = self.folder.path().join("state/buckets");
        let buckets = fs::read_dir(buckets).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
        let files = buckets.flat_map(|bucket| fs::read_dir(bucket.join(prefix)).into_iter().flatten());
        let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }
}

#[track_caller]
fn outcomes(mails: &[Value], expected: &[&str]) {
    let told: Vec<_> = mails.iter().map(|mail| mail["outcome"].as_str().unwrap_or("none")).collect();
    assert_eq!(told, expected, "{mails:#?}");
}

#[test]
fn a_calendar_and_mails_for_a_person_are_kept_where_the_function_writes() {
    let writes = "writes: [{bucket: mail, prefix: calendar/}, {bucket: mail, prefix: unmatched/}]";
    let stack = Stack::new("{SINK: calendar}", writes);
    let mails = stack.deliver(&["aws/planned.eml", "genericprovider/planned.eml"]);
    outcomes(&mails, &["delivered", "for_person"]);
    let calendar = &stack.objects("calendar")[0];
    let entries = |calendar: &str| calendar.matches("BEGIN:VEVENT").count();
    let first = fs::read_to_string(calendar).unwrap();
    assert!(calendar.ends_with("maintenance.ics") && entries(&first) > 0, "{first}");
    let kept = stack.objects("unmatched");
    let [mail, beside] = &kept[..] else { panic!("{kept:?}") };
    let came = stack.objects("inbound").into_iter().find(|came| came.file_name() == mail.file_name()).unwrap();
    assert_eq!(fs::read(mail).unwrap(), fs::read(came).unwrap());
    let document: Value = serde_json::from_slice(&fs::read(beside).unwrap()).unwrap();
    assert_eq!(document["reason"], mails[1]["reason"]);

    // The file is changed and not created anew: the condition of the write holds.
    outcomes(&stack.deliver(&["arelion/planned.eml"]), &["delivered"]);
    let second = fs::read_to_string(calendar).unwrap();
    assert!(entries(&second) > entries(&first), "{second}");
    outcomes(&stack.deliver(&["arelion/planned.eml"]), &["delivered"]);
    assert_eq!(fs::read_to_string(calendar).unwrap(), second);
}

#[test]
fn mails_are_deleted_if_they_are_to_be_and_the_function_may() {
    let delete = "{SINK: calendar, DELETE_PROCESSED_MAIL: \"true\", DELETE_UNKNOWN_MAIL: \"true\"}";
    let writes = "writes: [{bucket: mail, prefix: calendar/}, {bucket: mail, prefix: unmatched/}]";
    let all = ["aws/planned.eml", "genericprovider/planned.eml", "unrecognised/no-zone.eml"];
    let may = Stack::new(delete, &format!("{writes}\n    deletes: [{{bucket: mail, prefix: inbound/}}]"));
    let mails = may.deliver(&all);
    outcomes(&mails, &["delivered", "for_person", "for_person"]);
    assert_eq!(may.objects("inbound").len(), 2, "what no sink holds stays, and what is not trusted is not unknown");
    let reason = mails[0]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("the mail stays in its bucket, since no sink holds all of it"), "{mails:#?}");
    let deleted: Vec<_> = mails.iter().map(|mail| mail["details"]["deleted"].as_bool().unwrap()).collect();
    assert_eq!(deleted, [false, false, true]);
    let id = mails[2]["ses_message_id"].as_str().unwrap();
    let beside = may.objects("unmatched").into_iter().find(|path| path.ends_with(format!("{id}.json"))).unwrap();
    let document: Value = serde_json::from_slice(&fs::read(&beside).unwrap()).unwrap();
    assert!(document["mail"]["object"].as_str().unwrap().ends_with(&format!("/unmatched/{id}")), "{document:#}");
    assert!(document["mail"]["key"].is_null() && beside.with_extension("").is_file(), "{document:#}");

    let may_not = Stack::new(delete, &format!("{writes}\n    deletes: [{{bucket: mail, prefix: elsewhere/}}]"));
    let (code, said) = may_not.refused(all[2]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("lets function `maintenance` delete mails, and it has no right to"), "{said}");
}
