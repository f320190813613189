//! Tests the declaration at the root with the real function, on the mails that we wrote.

use std::{collections::BTreeMap, path::Path, process::Command};

use serde_json::Value;

/// The whole path is real: SMTP's line ends, SES's headers and event, signed requests to S3, the Runtime API. So the
/// result must be what the parser reads from the file.
#[test]
fn deliveries_match_the_parsed_mails() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(env!("CARGO_BIN_EXE_provision"))
        .args(["--json", "dev", "--once", "--sink", "lines", "--deliver", "tests/mails"])
        .current_dir(root)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut compared = BTreeMap::new();
    for mail in document["mails"].as_array().unwrap() {
        let file = root.join(mail["origin"].as_str().unwrap()).with_extension("json");
        let expected: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let (said, outcome) = (expected["outcome"].as_str().unwrap(), mail["outcome"].as_str().unwrap());
        let is_right = match outcome {
            "delivered" => said == "maintenance" && mail["details"]["maintenances"] == expected["maintenances"],
            "ignored" => said == "ignored" && mail["reason"] == expected["reason"],
            // A notice that nobody vouches for, or a mail that was not understood.
            "for_person" => said != "ignored" && mail["details"]["maintenances"] == serde_json::json!([]),
            _ => false,
        };
        assert!(is_right, "{} should be {expected:#}\nand is {mail:#}", file.display());
        *compared.entry(outcome.to_owned()).or_insert(0) += 1;
    }
    assert!(compared.get("delivered").is_some_and(|count| *count > 0), "{compared:?}");
    assert!(compared.get("for_person").is_some_and(|count| *count > 0), "{compared:?}");
}

/// Delivers one mail to the real function; returns its entry in the summary.
fn one(mail: &str, options: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.eml");
    std::fs::write(&path, mail).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_provision"))
        .args(["--json", "dev", "--once", "--sink", "lines", "--deliver"])
        .arg(&path)
        .args(options)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {errors}"));
    document["mails"][0].clone()
}

/// Checks that the mail is handed to a person, with a suggestion, and that nothing was delivered.
fn is_only_suggested(mail: &Value, because: &str) {
    assert_eq!(mail["outcome"], "for_person", "{mail:#}");
    assert_eq!(mail["details"]["maintenances"], serde_json::json!([]), "{mail:#}");
    assert_eq!(mail["details"]["suggestion"].as_array().map(Vec::len), Some(1), "{mail:#}");
    assert!(mail["reason"].as_str().unwrap().contains(because), "{mail:#}");
}

#[test]
fn an_untrusted_mail_is_only_suggested() {
    let read = |path: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let planned = read("tests/mails/aws/planned.eml");
    assert_eq!(one(&planned, &[])["outcome"], "delivered", "the very mail is delivered when all is right");
    is_only_suggested(&one(&planned, &["--verdict", "dmarc=FAIL"]), "DMARC failed");
    is_only_suggested(&one(&read("tests/mails/aws/forwarded.eml"), &[]), "FORWARDERS");
    is_only_suggested(&one(&read("tests/mails/genericprovider/planned.eml"), &[]), "TRUSTED_SENDERS");
    let (head, body) = planned.split_once("\n\n").unwrap();
    let imitated = head
        .lines()
        .map(|line| if line.starts_with("From:") { "From: AWS <notice@evil-amazon.com>" } else { line })
        .collect::<Vec<_>>()
        .join("\n");
    is_only_suggested(&one(&format!("{imitated}\n\n{body}"), &[]), "looks like Amazon Web Services and is not");
}

#[test]
fn the_calendar_of_the_examples_is_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_provision"))
        .args([
            "--json",
            "-f",
            "examples/calendar.yaml",
            "dev",
            "--once",
            "--deliver",
            "tests/mails/aws/planned.eml",
            "--state",
        ])
        .arg(folder.path().join("state"))
        .current_dir(root)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    let bucket = "state/buckets/circuit-maintenance-mail-123456789012-eu-west-1";
    let calendar = std::fs::read_to_string(folder.path().join(bucket).join("calendar/maintenance.ics")).unwrap();
    assert!(calendar.contains("BEGIN:VEVENT") && calendar.contains("Carrier maintenance"), "{calendar}");
}

#[test]
fn the_echo_stack_tells_of_every_mail_and_where_it_lies() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    for (name, to) in [("a.eml", "special@example.com"), ("b.eml", "anybody@example.com")] {
        let mail = format!("From: NOC <noc@carrier.example>\nTo: {to}\nSubject: for {to}\n\nbody\n");
        std::fs::write(folder.path().join(name), mail).unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_provision"))
        .args(["--json", "-f", "examples/echo.yaml", "dev", "--once", "--deliver"])
        .arg(folder.path())
        .current_dir(root)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["counts"], serde_json::json!({"echoed": 2}), "{document:#}\n{errors}");
    let mut told: Vec<_> = document["mails"].as_array().unwrap().iter().collect();
    told.sort_by_key(|mail| mail["subject"].to_string());
    let subjects: Vec<_> = told.iter().map(|mail| mail["details"]["subject"].as_str().unwrap()).collect();
    // The special mail is there once: its rule ends with `stop`.
    assert_eq!(subjects, ["for anybody@example.com", "for special@example.com"], "{document:#}");
    for (mail, prefix) in told.iter().zip(["default/", "special/"]) {
        let line = &mail["details"];
        assert_eq!(line["bucket"], "echo-mail-123456789012-eu-west-1", "{document:#}");
        assert_eq!(line["key"], format!("{prefix}{}", mail["ses_message_id"].as_str().unwrap()), "{document:#}");
        assert!(line["size"].as_u64().is_some_and(|size| size > 0), "{errors}");
    }
}

/// Runs `dev` at the root of this repository, without AWS's variables.
fn dev(arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
    command.arg("dev").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).envs(variables.iter().copied());
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// The functions try what they use as they do in AWS: buckets, queues and secrets of this run, and the real NetBox.
#[test]
fn the_functions_check_what_they_reach_from_this_machine() {
    let (code, output, errors) = dev(&["--check", "--sink", "lines"], &[]);
    assert_eq!(code, Some(0), "{output}\n{errors}");
    let read = output.lines().find(|line| line.contains("  read `")).unwrap_or_else(|| panic!("{output}\n{errors}"));
    assert!(output.starts_with("maintenance\n") && read.ends_with(" fine"), "{output}");
    assert!(!errors.contains("Waiting for "), "nothing is delivered: {errors}");

    let token = ("NETBOX_TOKEN", "0123456789abcdef0123456789abcdef01234567");
    let (code, output, errors) = dev(&["--check", "--netbox", "https://127.0.0.1:1"], &[token]);
    assert_eq!(code, Some(1), "{output}\n{errors}");
    let wrong = output.lines().find(|line| line.contains("NetBox at https://127.0.0.1:1")).unwrap_or_default();
    assert!(wrong.contains(" wrong: "), "{output}\n{errors}");
    assert!(!output.contains(token.1) && !errors.contains(token.1), "the token is told");
    let (code, output, errors) = dev(&["--check", "--json", "--netbox", "https://127.0.0.1:1"], &[token]);
    let document: Value = serde_json::from_str(&output).unwrap_or_else(|error| panic!("{error}: {output}\n{errors}"));
    assert_eq!((code, &document["functions"]["maintenance"]["fault"]), (Some(1), &Value::Null), "{document:#}");
}

#[test]
fn what_validate_refuses_dev_refuses_before_it_builds() {
    const DECLARATION: &str = "\
stack: echo
region: eu-west-1
buckets: {mail: {}}
functions:
  echo: {crate: echo, reads: [mail], environment: {DISPOSITION: GO_ON}}
receipt_rules: [{name: all, recipients: [noc@example.com], actions: [{store: mail}, {invoke: echo}]}]
";
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file = folder.path().join("infra.yaml");
    std::fs::write(&file, DECLARATION).unwrap();
    let (code, output, errors) = dev(&["--file", file.to_str().unwrap(), "--check"], &[]);
    assert_eq!(code, Some(2), "{output}\n{errors}");
    assert!(errors.contains("DISPOSITION") && errors.contains("infra.yaml:5:"), "{errors}");
    assert!(!errors.contains("Compiling") && !errors.contains("Finished"), "{errors}");
}
