//! Tests the identity: without credentials, without a network, and with those of another account.

use super::{EVERYTHING, Trial, code_folder, command};

#[test]
fn without_credentials_it_says_where_they_come_from() {
    let folder = code_folder(EVERYTHING);
    let mut command = command(&folder, "http://127.0.0.1:9", &["diff", "--no-build"]);
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        command.env_remove(name);
    }
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("HOME", folder.path(""));
    let run = folder.finish(&["diff"], command.output().unwrap());
    assert_eq!(run.code(), Some(2), "{run}");
    assert!(run.stderr().contains("hint: set up credentials as for every AWS tool"), "{run}");
}

#[test]
fn without_an_answer_it_says_so() {
    let folder = code_folder(EVERYTHING);
    // Port 9 discards, and nobody listens.
    let run = command(&folder, "http://127.0.0.1:9", &["diff", "--no-build"]).output().unwrap();
    let run = folder.finish(&["diff"], run);
    assert_eq!(run.code(), Some(2), "{run}");
    assert!(run.stderr().contains("hint: AWS cannot be reached"), "{run}");
}

#[test]
fn another_account_than_the_declared_one_is_not_touched() {
    let Some(trial) = Trial::new(&format!("{EVERYTHING}account: \"210987654321\"\n")) else { return };
    let run = trial.expect(2, &["up", "--yes"]);
    assert!(run.stderr().contains("belongs into account 210987654321"), "{run}");
    assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());
}

#[test]
fn a_stage_is_a_stack_of_its_own() {
    // With recipients of its own, since the rules of the one stop before those of the other.
    let prod = "receipt_rules: [{name: reader, recipients: [prod@example.com], actions: [{store: mail, prefix: inbound/}, {invoke: reader}]}]";
    let staged =
        format!("{EVERYTHING}stages:\n  test: {{}}\n  prod:\n    buckets: {{mail: {{expire: 400d}}}}\n    {prod}\n");
    let Some(trial) = Trial::new(&staged) else { return };
    let run = trial.expect(2, &["diff"]);
    assert!(run.stderr().contains("hint: name one, such as `--stage test`"), "{run}");
    for stage in ["test", "prod"] {
        trial.expect(0, &["up", "--yes", "--stage", stage]);
    }
    for stage in ["test", "prod"] {
        trial.expect(0, &["diff", "--stage", stage]);
    }
    trial.expect(0, &["down", "--stage", "test", "--confirm", "circuits-test", "--delete-data"]);
    trial.expect(0, &["diff", "--stage", "prod"]);
}
