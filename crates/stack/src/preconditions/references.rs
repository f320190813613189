//! Checks that what a declaration refers to by its name in AWS can be used: secrets of others, and KMS keys.

use std::{collections::BTreeMap, path::Path};

use futures::future::join_all;

use super::Finding;
use crate::{Existing, Found};
use aws::{Realm, kms::Key};
use declaration::{Declaration, SecretReference, SecretSource};
use engine::{Class, Failure};
use kinds::{Kind, Session};

/// Returns the existing secrets that a declaration names, each with its place.
fn declared_secrets<'declared>(file: &Path, declaration: &'declared Declaration) -> BTreeMap<&'declared str, String> {
    let mut places = BTreeMap::new();
    for (entry, secret) in &declaration.secrets {
        if let SecretSource::Existing(name) = &secret.source {
            let place = declaration.places.show(file, &["secrets", entry, "existing"]);
            places.entry(name.as_str()).or_insert(place);
        }
    }
    for (entry, function) in &declaration.functions {
        for (variable, secret) in &function.secrets {
            if let SecretReference::Existing(name) = secret {
                let place = declaration.places.show(file, &["functions", entry, "secrets", variable]);
                places.entry(name.as_str()).or_insert(place);
            }
        }
    }
    places
}

/// Returns a finding for each existing secret that nobody can read.
pub(super) fn secrets(realm: &Realm, (file, declaration): (&Path, &Declaration), existing: &Existing) -> Vec<Finding> {
    let region = &realm.region;
    let finding = |(name, place): (&str, String)| match existing.get(Kind::Secret, name)? {
        Ok(Found::There(_)) => None,
        Ok(Found::Absent) => Some(Finding::blocks(
            format!("{place}: there is no secret `{name}` in {region}"),
            format!(
                "correct its name, or create it: `aws secretsmanager create-secret --name {name} --region {region}`"
            ),
        )),
        Ok(Found::Deleted) => Some(Finding::blocks(
            format!("{place}: the secret `{name}` is scheduled for deletion, and nobody can read it"),
            format!("have it back: `aws secretsmanager restore-secret --secret-id {name} --region {region}`"),
        )),
        Err(failure) => Some(Finding::warns(
            format!("{place}: whether there is a secret `{name}` is not known: {failure}"),
            "allow `secretsmanager:DescribeSecret`, as `provision policy` does",
        )),
    };
    declared_secrets(file, declaration).into_iter().filter_map(finding).collect()
}

/// Returns a finding for each KMS key by which nothing can be encrypted, declared or of something that exists.
pub(super) async fn keys(
    session: &Session,
    (file, declaration): (&Path, &Declaration),
    existing: &Existing,
) -> Vec<Finding> {
    let declared = declaration.kms_keys_by_path().into_iter();
    let mut keys: BTreeMap<&str, String> =
        declared.map(|(key, path)| (key, declaration.places.show(file, &path))).collect();
    for (name, place) in declared_secrets(file, declaration) {
        if let Some(key) = existing.key(Kind::Secret, name) {
            keys.entry(key).or_insert(place);
        }
    }
    let described = keys.into_iter().map(|(key, place)| async move {
        let found = session.aws.read.kms.describe_key(key).await;
        judge(&session.aws.realm, key, &place, &found)
    });
    join_all(described).await.into_iter().flatten().collect()
}

/// Returns the finding about a key; `None` if it can be used.
fn judge(realm: &Realm, arn: &str, place: &str, found: &Result<Option<Key>, Failure>) -> Option<Finding> {
    let blocks = |what: &str, todo: &str| Some(Finding::blocks(format!("{place}: the KMS key `{arn}` {what}"), todo));
    let owner = arn.split(':').nth(4).unwrap_or_default();
    match found {
        Ok(None) => blocks("does not exist", "correct its ARN, or take it away: AWS's own keys encrypt then"),
        Ok(Some(key)) => match key.key_state.as_str() {
            _ if key.key_usage != "ENCRYPT_DECRYPT" || !["", "SYMMETRIC_DEFAULT"].contains(&key.key_spec.as_str()) => {
                blocks("is not one by which services encrypt", "name a symmetric key for encryption")
            }
            "Enabled" | "Updating" => None,
            "Disabled" => blocks("is disabled", &format!("enable it: `aws kms enable-key --key-id {arn}`")),
            "PendingDeletion" | "PendingReplicaDeletion" => blocks(
                "is scheduled for deletion",
                &format!("have it back with `aws kms cancel-key-deletion --key-id {arn}`, and enable it"),
            ),
            state => blocks(&format!("cannot be used now: its state is `{state}`"), "make it usable first"),
        },
        Err(failure) if failure.class == Class::Denied && owner != realm.account => Some(Finding::warns(
            format!("{place}: whether the KMS key `{arn}` of account {owner} can be used is not known: {failure}"),
            format!("its owner must let account {} use it, by the policy of the key", realm.account),
        )),
        Err(failure) => Some(Finding::warns(
            format!("{place}: whether the KMS key `{arn}` can be used is not known: {failure}"),
            "allow `kms:DescribeKey`, as `provision policy` does",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preconditions::Weight;

    const ARN: &str = "arn:aws:kms:eu-west-1:123456789012:key/1b2c";
    const OF_OTHERS: &str = "arn:aws:kms:eu-west-1:210987654321:key/1b2c";

    fn realm() -> Realm {
        Realm { region: "eu-west-1".to_owned(), account: "123456789012".to_owned() }
    }

    fn key(state: &str, usage: &str, spec: &str) -> Key {
        let [key_state, key_usage, key_spec] = [state, usage, spec].map(str::to_owned);
        Key { arn: ARN.to_owned(), key_state, key_usage, key_spec }
    }

    #[test]
    fn a_key_that_encrypts_nothing_blocks_and_one_that_is_not_seen_warns() {
        let denied = || Err(Failure::found("kms.DescribeKey", Class::Denied, "not allowed"));
        let late = Err(Failure::found("kms.DescribeKey", Class::Unreachable, "no answer"));
        let (use_of, spec) = ("ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT");
        for (arn, found, weight, words) in [
            (ARN, Ok(Some(key("Enabled", use_of, spec))), None, ""),
            (ARN, Ok(Some(key("Enabled", use_of, ""))), None, ""),
            (ARN, Ok(Some(key("Updating", use_of, spec))), None, ""),
            (ARN, Ok(Some(key("Disabled", use_of, spec))), Some(Weight::Blocks), "is disabled"),
            (ARN, Ok(Some(key("PendingDeletion", use_of, spec))), Some(Weight::Blocks), "is scheduled for deletion"),
            (ARN, Ok(Some(key("PendingImport", use_of, spec))), Some(Weight::Blocks), "its state is `PendingImport`"),
            (
                ARN,
                Ok(Some(key("Enabled", "SIGN_VERIFY", "RSA_2048"))),
                Some(Weight::Blocks),
                "not one by which services encrypt",
            ),
            (
                ARN,
                Ok(Some(key("Enabled", use_of, "RSA_2048"))),
                Some(Weight::Blocks),
                "not one by which services encrypt",
            ),
            (ARN, Ok(None), Some(Weight::Blocks), "does not exist"),
            (ARN, denied(), Some(Weight::Warns), "is not known"),
            (ARN, late, Some(Weight::Warns), "is not known"),
            (OF_OTHERS, denied(), Some(Weight::Warns), "of account 210987654321"),
        ] {
            let told = judge(&realm(), arn, "infra.yaml:3:10", &found);
            assert_eq!(told.as_ref().map(|finding| finding.weight), weight, "{found:?}");
            assert!(
                told.is_none_or(|told| told.what.starts_with("infra.yaml:3:10: ") && told.what.contains(words)),
                "{words}"
            );
        }
    }

    #[test]
    fn a_secret_that_nobody_can_read_blocks_at_its_place() {
        let source = "\
stack: mail
region: eu-west-1
functions:
  reader: {crate: maintenance, bin: reader, secrets: {TOKEN: token, TLS: company/tls}}
secrets: {token: {existing: netbox/token}}
";
        let file = Path::new("infra.yaml");
        let checked = Declaration::parse(file, source.as_bytes(), None).unwrap();
        let declaration = &checked.declarations[0];
        let told = |token: Found, tls: Found| -> Vec<String> {
            let existing = Existing::of([(Kind::Secret, "netbox/token", token), (Kind::Secret, "company/tls", tls)]);
            let found = secrets(&realm(), (file, declaration), &existing);
            found.into_iter().map(|finding| finding.what).collect()
        };
        assert_eq!(told(Found::There(None), Found::There(Some(ARN.to_owned()))), [""; 0]);
        assert_eq!(
            told(Found::Absent, Found::Deleted),
            [
                "infra.yaml:4:74: the secret `company/tls` is scheduled for deletion, and nobody can read it",
                "infra.yaml:5:29: there is no secret `netbox/token` in eu-west-1",
            ]
        );
    }
}
