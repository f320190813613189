//! Tests what a declaration refers to by its name in AWS, secrets of others and KMS keys: what nobody can use is told before the first
//! change, with its place, and the rights to use the rest follow.

use serde_json::{Value, json};

use crate::{emulator::fault::Fault, harness::replaced, stack::Trial};

const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/0a1b";
const OF_SECRET: &str = "arn:aws:kms:eu-west-1:123456789012:key/2c3d";
const DECLARATION: &str = "\
stack: circuits
region: eu-west-1
kms_key: arn:aws:kms:eu-west-1:123456789012:key/0a1b
buckets: {mail: {}}
queues: {failed: {}}
functions:
  reader: {use: standin, secrets: {TOKEN: token, TLS: company/tls}, reads: [mail], on_failure: failed}
secrets:
  token: {existing: netbox/token}
";

/// Makes somebody's secret, encrypted by a key.
fn secret(trial: &Trial, name: &str, key: Option<&str>) {
    let call = trial.account.secrets.create_secret().name(name).secret_string("theirs");
    trial.account.wait(call.set_kms_key_id(key.map(str::to_owned)).send()).unwrap();
}

/// Returns the deployed stack, with somebody's secrets; one of them is encrypted by a key of theirs.
fn deployed() -> Option<Trial> {
    let trial = Trial::new(DECLARATION)?;
    for key in [KEY, OF_SECRET] {
        trial.emulator.key(key, "Enabled");
    }
    secret(&trial, "netbox/token", Some(OF_SECRET));
    secret(&trial, "company/tls", None);
    trial.up();
    Some(trial)
}

/// Returns the statements of the role's policy, by id.
fn rights(trial: &Trial) -> Value {
    let call = trial.account.iam.get_role_policy().role_name("circuits-reader-eu-west-1").policy_name("provision");
    let document = trial.account.wait(call.send()).unwrap().policy_document;
    let document = percent_encoding::percent_decode_str(&document).decode_utf8().unwrap().into_owned();
    let policy: Value = serde_json::from_str(&document).unwrap();
    let statements = policy["Statement"].as_array().unwrap().iter();
    statements.map(|one| (one["Sid"].as_str().unwrap().to_owned(), one.clone())).collect()
}

#[test]
fn what_nobody_can_use_stops_up_before_its_first_change_with_its_place() {
    let Some(trial) = Trial::new(DECLARATION) else { return };
    let refused = |words: &[&str]| {
        trial.proxy.reset();
        for arguments in [&["up", "--yes"][..], &["up", "--dry-run"]] {
            let run = trial.expect(2, arguments);
            for words in words {
                assert!(run.stderr().contains(words), "{words}: {run}");
            }
        }
        assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());
    };
    let key = "infra.yaml:3:10: the KMS key `arn:aws:kms:eu-west-1:123456789012:key/0a1b`";
    refused(&[
        "infra.yaml:9:21: there is no secret `netbox/token` in eu-west-1",
        "infra.yaml:7:55: there is no secret `company/tls` in eu-west-1",
        &format!("{key} does not exist"),
        "create it: `aws secretsmanager create-secret --name netbox/token --region eu-west-1`",
    ]);
    secret(&trial, "netbox/token", None);
    secret(&trial, "company/tls", None);
    for (state, words) in [("Disabled", "is disabled"), ("PendingDeletion", "is scheduled for deletion")] {
        trial.emulator.key(KEY, state);
        refused(&[&format!("{key} {words}")]);
    }
    trial.emulator.key(KEY, "Enabled");
    let call = trial.account.secrets.delete_secret().secret_id("company/tls").recovery_window_in_days(7);
    trial.account.wait(call.send()).unwrap();
    refused(&["infra.yaml:7:55: the secret `company/tls` is scheduled for deletion, and nobody can read it"]);
    trial.account.wait(trial.account.secrets.restore_secret().secret_id("company/tls").send()).unwrap();
    trial.up();
    trial.is_converged();
}

#[test]
fn the_rights_to_use_keys_follow_from_what_is_used_and_by_whom_it_is_encrypted() {
    let Some(trial) = deployed() else { return };
    trial.is_converged();
    let rights = rights(&trial);
    let services = |names: &[&str]| -> Value {
        names.iter().map(|name| format!("{name}.eu-west-1.amazonaws.com")).collect::<Vec<_>>().into()
    };
    let decrypt = &rights["DecryptByKeys"];
    assert_eq!((&decrypt["Action"], &decrypt["Resource"]), (&json!(["kms:Decrypt"]), &json!([KEY, OF_SECRET])));
    let through = &decrypt["Condition"]["StringEquals"]["kms:viaservice"];
    assert_eq!(*through, services(&["lambda", "s3", "secretsmanager", "sqs"]));
    let encrypt = &rights["EncryptByKeys"];
    assert_eq!((&encrypt["Action"], &encrypt["Resource"]), (&json!(["kms:GenerateDataKey"]), &json!([KEY])));
    assert_eq!(encrypt["Condition"]["StringEquals"]["kms:viaservice"], services(&["sqs"]));
    // Somebody encrypts the secret by another key: the role's rights follow.
    let call = trial.account.secrets.update_secret().secret_id("netbox/token").kms_key_id(KEY);
    trial.account.wait(call.send()).unwrap();
    trial.expect(1, &["diff"]);
    trial.up();
    assert_eq!(self::rights(&trial)["DecryptByKeys"]["Resource"], json!([KEY]));
    trial.is_converged();
}

/// Whoever may not see a secret must not take from a role what it needs to read it.
#[test]
fn rights_that_cannot_be_known_are_left_as_they_are() {
    let Some(trial) = deployed() else { return };
    let before = rights(&trial);
    let _denied = trial.proxy.on(Fault::Denies, |call| call.operation == "secretsmanager.DescribeSecret");
    let run = trial.expect(2, &["diff"]);
    assert!(run.stdout().contains("role reader") && run.stdout().contains("secretsmanager.DescribeSecret"), "{run}");
    trial.run(&["up", "--yes"]);
    assert_eq!(rights(&trial), before);
}

/// The rights that `policy` prints suffice to see keys and secrets.
#[test]
fn whoever_has_the_least_rights_sees_keys_and_secrets() {
    let declaration =
        format!("{DECLARATION}receipt_rules: [{{name: all, actions: [{{store: mail}}, {{invoke: reader}}]}}]\n");
    let Some(trial) = Trial::checked(&declaration) else { return };
    trial.emulator.key(KEY, "Enabled");
    secret(&trial, "netbox/token", None);
    secret(&trial, "company/tls", None);
    let somebody = trial.with_least_rights("up");
    let run = trial.run_as(&somebody, &["up", "--yes"]);
    assert_eq!(run.code(), Some(0), "{run}");
    assert!(!run.stderr().contains("is not known: kms") && !run.stderr().contains("is not known: secrets"), "{run}");
    trial.folder.write("infra.yaml", replaced(&declaration, &[("netbox/token", "netbox/tokens")]));
    let run = trial.run_as(&somebody, &["up", "--yes"]);
    assert_eq!(run.code(), Some(2), "{run}");
}
