//! Tests the same settings in another form, as consoles and other tools write them and as AWS returns them: they are no
//! change, and one real change beside them is reported alone.

use aws_sdk_lambda::types::VpcConfig;
use aws_sdk_s3::types::{BucketVersioningStatus, LifecycleRuleFilter, VersioningConfiguration};
use aws_sdk_sqs::types::QueueAttributeName as Name;
use serde_json::{Value, json};

use super::{existing, fields::declaration};
use crate::{
    harness::replaced,
    stack::{Trial, actions},
};

const BUCKET: &str = "circuits-mail-123456789012-eu-west-1";
const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:circuits-news";
const NAME: &str = "circuits-reader";
const ROLE: &str = "circuits-reader-eu-west-1";

/// Returns a document with its statements in another order, lists of one as texts, texts as lists, and accounts by their
/// ARNs.
fn other_shape(document: &str) -> String {
    let document = percent_encoding::percent_decode_str(document).decode_utf8().unwrap();
    let mut document: Value = serde_json::from_str(&document).unwrap();
    if let Some(statements) = document["Statement"].as_array_mut() {
        statements.reverse();
        statements.iter_mut().for_each(turn);
    }
    document.to_string()
}

fn turn(statement: &mut Value) {
    for key in ["Action", "Resource"] {
        let turned = match statement.get(key) {
            Some(Value::Array(list)) if list.len() == 1 => list[0].clone(),
            Some(Value::Array(list)) => list.iter().rev().cloned().collect(),
            Some(Value::String(text)) => json!([text]),
            _ => continue,
        };
        statement[key] = turned;
    }
    if statement.get("Principal") == Some(&json!("*")) {
        statement["Principal"] = json!({"AWS": "*"});
    }
    for keys in statement.get_mut("Condition").and_then(Value::as_object_mut).into_iter().flatten() {
        let turned = keys.1.as_object().unwrap().iter().map(|(key, value)| {
            let value = if let Some([one]) = value.as_array().map(Vec::as_slice) { one.clone() } else { value.clone() };
            (key.to_uppercase().replace("AWS:", "aws:"), value)
        });
        *keys.1 = turned.collect::<serde_json::Map<_, _>>().into();
    }
}

fn storage(trial: &Trial) {
    let (account, s3) = (&trial.account, &trial.account.s3);
    let policy = account.wait(s3.get_bucket_policy().bucket(BUCKET).send()).unwrap().policy.unwrap();
    account.wait(s3.put_bucket_policy().bucket(BUCKET).policy(other_shape(&policy)).send()).unwrap();
    existing::write(account, &serde_json::from_str(&other_shape(&existing::policy(account).to_string())).unwrap());
    let rules = account.wait(s3.get_bucket_lifecycle_configuration().bucket(BUCKET).send()).unwrap().rules.unwrap();
    let rules = rules.into_iter().rev().map(|mut rule| {
        // Of the whole bucket S3 gives no prefix, an empty one, or an empty filter.
        if rule.filter.as_ref().is_none_or(|filter| filter.prefix.as_deref().unwrap_or_default().is_empty()) {
            rule.filter = Some(LifecycleRuleFilter::builder().prefix("").build());
        }
        rule
    });
    let rules = aws_sdk_s3::types::BucketLifecycleConfiguration::builder().set_rules(Some(rules.collect())).build();
    let call = s3.put_bucket_lifecycle_configuration().bucket(BUCKET).lifecycle_configuration(rules.unwrap());
    account.wait(call.send()).unwrap();
    let mut tags = account.wait(s3.get_bucket_tagging().bucket(BUCKET).send()).unwrap().tag_set;
    tags.reverse();
    let tagging = aws_sdk_s3::types::Tagging::builder().set_tag_set(Some(tags)).build().unwrap();
    account.wait(s3.put_bucket_tagging().bucket(BUCKET).tagging(tagging).send()).unwrap();
}

fn policies(trial: &Trial) {
    let account = &trial.account;
    let iam = &account.iam;
    let role = account.wait(iam.get_role().role_name(ROLE).send()).unwrap().role.unwrap();
    let trust = other_shape(&role.assume_role_policy_document.unwrap());
    account.wait(iam.update_assume_role_policy().role_name(ROLE).policy_document(trust).send()).unwrap();
    let rights = account.wait(iam.get_role_policy().role_name(ROLE).policy_name("provision").send()).unwrap();
    let call = iam.put_role_policy().role_name(ROLE).policy_name("provision");
    account.wait(call.policy_document(other_shape(&rights.policy_document)).send()).unwrap();
    let attributes =
        account.wait(account.sns.get_topic_attributes().topic_arn(TOPIC).send()).unwrap().attributes.unwrap();
    let call = account.sns.set_topic_attributes().topic_arn(TOPIC).attribute_name("Policy");
    account.wait(call.attribute_value(other_shape(&attributes["Policy"])).send()).unwrap();
    let url =
        account.wait(account.sqs.get_queue_url().queue_name("circuits-events").send()).unwrap().queue_url.unwrap();
    let call = account.sqs.get_queue_attributes().queue_url(&url).attribute_names(Name::All);
    let attributes = account.wait(call.send()).unwrap().attributes.unwrap();
    let mut redrive: Value = serde_json::from_str(&attributes[&Name::RedrivePolicy]).unwrap();
    redrive["maxReceiveCount"] = json!(redrive["maxReceiveCount"].as_u64().unwrap().to_string());
    let call = account.sqs.set_queue_attributes().queue_url(&url);
    let call = call.attributes(Name::Policy, other_shape(&attributes[&Name::Policy]));
    account.wait(call.attributes(Name::RedrivePolicy, redrive.to_string()).send()).unwrap();
}

/// Writes an empty network, which is none, and recipients in another order and case.
fn function_and_rule(trial: &Trial) {
    let (account, lambda) = (&trial.account, &trial.account.lambda);
    let empty = VpcConfig::builder().set_subnet_ids(Some(Vec::new())).set_security_group_ids(Some(Vec::new())).build();
    account.wait(lambda.update_function_configuration().function_name(NAME).vpc_config(empty).send()).unwrap();
    let call = account.ses.describe_receipt_rule().rule_set_name("circuits").rule_name("circuits.reader");
    let mut rule = account.wait(call.send()).unwrap().rule.unwrap();
    rule.recipients = Some(vec!["NOC@Example.COM".to_owned()]);
    account.wait(account.ses.update_receipt_rule().rule_set_name("circuits").rule(rule).send()).unwrap();
}

#[test]
fn the_same_written_another_way_is_no_change() {
    let Some(trial) = Trial::new(&declaration()) else { return };
    existing::bucket(&trial.account);
    trial.up();
    function_and_rule(&trial);
    storage(&trial);
    policies(&trial);
    trial.is_converged();
    let call = trial.account.iam.tag_role().role_name(ROLE);
    let tag = aws_sdk_iam::types::Tag::builder().key("team").value("theirs").build().unwrap();
    trial.account.wait(call.tags(tag).send()).unwrap();
    assert_eq!(actions(&trial.diff()), ["change role reader"]);
}

/// A bucket that once kept versions can only suspend them: that equals one that never kept any.
#[test]
fn versions_that_are_no_longer_kept_were_never_kept() {
    let Some(trial) = Trial::new(&replaced(&declaration(), &[(", versioning: true", "")])) else { return };
    existing::bucket(&trial.account);
    trial.up();
    for (status, told) in
        [(BucketVersioningStatus::Suspended, &[][..]), (BucketVersioningStatus::Enabled, &["change bucket mail"][..])]
    {
        let versioning = VersioningConfiguration::builder().status(status).build();
        let call = trial.account.s3.put_bucket_versioning().bucket(BUCKET).versioning_configuration(versioning);
        trial.account.wait(call.send()).unwrap();
        assert_eq!(actions(&trial.diff()), told);
    }
    // Switching them off shortens the life of data.
    trial.up_losing(&trial.diff());
    trial.is_converged();
}
