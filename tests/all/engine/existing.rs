//! Tests a bucket that is not the stack's: our statement is in its policy beside those of its owner, and goes with the
//! stack.

use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use serde_json::{Value, json};

use crate::{
    emulator::{account::Account, server::REGION},
    harness::replaced,
    stack::{Trial, actions},
};

const DECLARATION: &str = "\
stack: circuits
region: eu-west-1
buckets:
  archive: {existing: company-archive}
receipt_rules:
  - name: all
    actions: [{store: archive, prefix: mails/}]
";

const WITH_FUNCTION: &str = "\
functions:
  reader: {use: standin, reads: [archive]}
";

/// Creates a bucket that somebody else owns.
fn bucket_named(account: &Account, name: &str) {
    let place = BucketLocationConstraint::from(REGION);
    let place = CreateBucketConfiguration::builder().location_constraint(place).build();
    let call = account.s3.create_bucket().bucket(name).create_bucket_configuration(place);
    account.wait(call.send()).unwrap();
}

/// Creates somebody's bucket with a policy.
pub(super) fn bucket(account: &Account) {
    bucket_named(account, "company-archive");
    write(account, &json!({"Version": "2008-10-17", "Id": "theirs", "Statement": [theirs()]}));
}

fn theirs() -> Value {
    json!({"Sid": "Backup", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "NotAction": "s3:DeleteBucket", "Resource": "arn:aws:s3:::company-archive/*"})
}

pub(super) fn write(account: &Account, policy: &Value) {
    let call = account.s3.put_bucket_policy().bucket("company-archive").policy(policy.to_string());
    account.wait(call.send()).unwrap();
}

pub(super) fn policy(account: &Account) -> Value {
    let answer = account.wait(account.s3.get_bucket_policy().bucket("company-archive").send()).unwrap();
    serde_json::from_str(answer.policy().unwrap()).unwrap()
}

fn ids(account: &Account) -> Vec<String> {
    let policy = policy(account);
    policy["Statement"].as_array().unwrap().iter().map(|one| one["Sid"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn our_statement_comes_and_goes_and_theirs_stays() {
    let Some(trial) = Trial::new(DECLARATION) else { return };
    let run = trial.expect(2, &["diff"]);
    assert!(run.stdout().contains("there is no bucket `company-archive` in this account"), "{run}");
    bucket(&trial.account);
    let before = policy(&trial.account);
    trial.up();
    assert_eq!(ids(&trial.account), ["Backup", "circuits.eu-west-1.archive.all"]);
    assert_eq!(policy(&trial.account)["Statement"][0], theirs());
    trial.is_converged();
    trial.expect(0, &["down", "--confirm", "circuits"]);
    assert_eq!(policy(&trial.account), before);
    let again = trial.expect(0, &["down", "--confirm", "circuits"]);
    assert!(again.stdout().contains("Nothing to do"), "{again}");
}

#[test]
fn changes_of_our_statement_are_drift_and_changes_of_theirs_are_not() {
    let Some(trial) = Trial::new(DECLARATION) else { return };
    bucket(&trial.account);
    trial.up();
    let mut changed = policy(&trial.account);
    changed["Statement"][0]["NotAction"] = json!("s3:DeleteObject");
    write(&trial.account, &changed);
    trial.expect(0, &["diff"]);
    changed["Statement"][1]["Action"] = json!("s3:*");
    write(&trial.account, &changed);
    let run = trial.expect(1, &["diff"]);
    assert!(run.stdout().contains("~ bucket statement archive.all\n      actions   [\"s3:*\"]"), "{run}");
    trial.up();
    trial.is_converged();
    assert_eq!(policy(&trial.account)["Statement"][0], changed["Statement"][0]);
    write(&trial.account, &json!({"Version": "2012-10-17", "Statement": [theirs()]}));
    assert_eq!(actions(&trial.diff()), ["create bucket statement archive.all"]);
    trial.up();
    trial.is_converged();
}

#[test]
fn our_statement_is_found_when_nothing_declares_it() {
    let Some(trial) = Trial::new(&format!("{DECLARATION}{WITH_FUNCTION}")) else { return };
    bucket(&trial.account);
    trial.up();
    trial.is_converged();
    // It is found even if the rule that names the bucket is gone: a run was ended between the two.
    let call = trial.account.ses.delete_receipt_rule().rule_set_name("circuits").rule_name("circuits.all");
    trial.account.wait(call.send()).unwrap();
    trial.folder.write("infra.yaml", "stack: circuits\nregion: eu-west-1\n");
    let left = actions(&trial.diff());
    assert!(left.contains(&"delete bucket statement archive.all".to_owned()), "{left:?}");
    trial.up();
    assert_eq!(ids(&trial.account), ["Backup"]);
}

/// The statements in the old bucket and in the new one are of one entry, and each is a resource of its own.
#[test]
fn another_bucket_takes_the_place_of_the_one_before() {
    let declared = format!("{DECLARATION}{WITH_FUNCTION}");
    let Some(trial) = Trial::new(&declared) else { return };
    bucket(&trial.account);
    bucket_named(&trial.account, "company-vault");
    trial.up();
    for (change, is_left) in [
        (replaced(&declared, &[("company-archive", "company-vault")]), false),
        (replaced(&declared, &[("{existing: company-archive}", "{}")]), false),
        (declared.clone(), true),
        (replaced(DECLARATION, &[("company-archive", "company-vault")]), false),
        (DECLARATION.to_owned(), true),
    ] {
        trial.folder.write("infra.yaml", &change);
        // The bucket of our own goes again.
        trial.up_losing(&trial.diff());
        trial.is_converged();
        let expected: &[&str] = if is_left { &["Backup", "circuits.eu-west-1.archive.all"] } else { &["Backup"] };
        assert_eq!(ids(&trial.account), expected, "{change}");
    }
}
