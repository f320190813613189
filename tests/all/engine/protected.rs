//! Protections that others put on our resources stay, are shown, and are no drift: boundaries, keys, and whatever only
//! denies. What allows goes: the cases of `fields` have that.

use aws_sdk_s3::types::{
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use aws_sdk_sqs::types::QueueAttributeName as Name;
use serde_json::{Value, json};

use crate::{
    emulator::{account::Account, fault::Fault},
    harness::replaced,
    stack::{EVERYTHING, Trial},
};

pub(super) const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
pub(super) const OTHER_KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/0000-theirs";

const READER: &str = "circuits-reader";
const ROLE: &str = "circuits-reader-eu-west-1";
const LOGS: &str = "/aws/lambda/circuits-reader";
const BUCKET: &str = "circuits-mail-123456789012-eu-west-1";
const NEWS: &str = "arn:aws:sns:eu-west-1:123456789012:circuits-news";
const QUEUE: &str = "circuits-events";
const SECRET: &str = "circuits-token";
const DENYING: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotAction":"logs:*","Resource":"*"}]}"#;

/// A protection: its resource, its path in the settings, how somebody puts it there, and what is there.
struct Case {
    kind: &'static str,
    entry: &'static str,
    path: &'static str,
    put: fn(&Account),
    read: fn(&Account) -> String,
}

const CASES: &[Case] = &[
    Case { kind: "role", entry: "reader", path: "permissions_boundary", put: limit, read: boundary },
    Case { kind: "role", entry: "reader", path: "policies.guard", put: put_inline, read: inline },
    Case { kind: "role", entry: "reader", path: "attached", put: attach, read: attached },
    Case { kind: "role", entry: "reader", path: "trust.Guard", put: distrust, read: trust },
    Case { kind: "bucket", entry: "mail", path: "encryption", put: encrypt_bucket, read: bucket_key },
    Case { kind: "bucket", entry: "mail", path: "policy.Guard", put: guard_bucket, read: bucket_guard },
    Case { kind: "queue", entry: "events", path: "kms_key", put: encrypt_queue, read: queue_key },
    Case { kind: "queue", entry: "events", path: "policy.Guard", put: guard_queue, read: queue_guard },
    Case { kind: "topic", entry: "news", path: "kms_key", put: encrypt_topic, read: topic_key },
    Case { kind: "topic", entry: "news", path: "policy.Guard", put: guard_topic, read: topic_guard },
    Case { kind: "secret", entry: "token", path: "kms_key", put: encrypt_secret, read: secret_key },
    Case { kind: "log group", entry: "reader", path: "kms_key", put: encrypt_logs, read: logs_key },
    Case { kind: "function", entry: "reader", path: "kms_key", put: encrypt_function, read: function_key },
];

fn managed(account: &Account, name: &str) -> String {
    let call = account.iam.create_policy().policy_name(name).policy_document(DENYING);
    account.wait(call.send()).unwrap().policy.unwrap().arn.unwrap()
}

fn limit(account: &Account) {
    let arn = managed(account, "limit");
    account.wait(account.iam.put_role_permissions_boundary().role_name(ROLE).permissions_boundary(arn).send()).unwrap();
}

fn boundary(account: &Account) -> String {
    let role = account.wait(account.iam.get_role().role_name(ROLE).send()).unwrap().role.unwrap();
    role.permissions_boundary.unwrap().permissions_boundary_arn.unwrap()
}

fn put_inline(account: &Account) {
    let call = account.iam.put_role_policy().role_name(ROLE).policy_name("guard").policy_document(DENYING);
    account.wait(call.send()).unwrap();
}

fn inline(account: &Account) -> String {
    let call = account.iam.get_role_policy().role_name(ROLE).policy_name("guard");
    account.wait(call.send()).unwrap().policy_document
}

fn attach(account: &Account) {
    let arn = managed(account, "quarantine");
    account.wait(account.iam.attach_role_policy().role_name(ROLE).policy_arn(arn).send()).unwrap();
}

fn attached(account: &Account) -> String {
    let answer = account.wait(account.iam.list_attached_role_policies().role_name(ROLE).send()).unwrap();
    format!("{:?}", answer.attached_policies())
}

/// A document with a statement that denies, of a form that is never declared.
fn guarded(document: &str, resource: Option<&str>) -> String {
    let document = percent_encoding::percent_decode_str(document).decode_utf8().unwrap();
    let mut document: Value =
        serde_json::from_str(&document).unwrap_or_else(|_| json!({"Version": "2012-10-17", "Statement": []}));
    let mut guard = json!({"Sid": "Guard", "Effect": "Deny", "Principal": "*", "NotAction": ["s3:PutObject", "sqs:SendMessage", "SNS:Publish"],
        "Condition": {"StringNotEquals": {"aws:PrincipalAccount": "123456789012"}}});
    if let Some(resource) = resource {
        guard["Resource"] = json!(resource);
    } else {
        // A trust policy is about one action, and about no resource.
        guard.as_object_mut().unwrap().remove("NotAction");
        guard["Action"] = json!("sts:AssumeRole");
    }
    document["Statement"].as_array_mut().unwrap().push(guard);
    document.to_string()
}

/// The statement that denies, as it is.
fn guard(document: &str) -> String {
    let document = percent_encoding::percent_decode_str(document).decode_utf8().unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    let statements = document["Statement"].as_array().unwrap();
    let mut guard = statements.iter().find(|one| one["Sid"] == "Guard").unwrap().clone();
    // A text and a list of one are the same.
    let keys = guard["Condition"]["StringNotEquals"].as_object().unwrap();
    let values: Vec<Value> = keys.values().map(|value| value.get(0).unwrap_or(value).clone()).collect();
    guard["Condition"] = json!(values);
    for key in ["Action", "NotAction", "Resource"] {
        if let Some([one]) = guard[key].as_array().map(Vec::as_slice) {
            let one = one.clone();
            guard[key] = one;
        }
    }
    guard.to_string()
}

fn distrust(account: &Account) {
    let call = account.iam.update_assume_role_policy().role_name(ROLE);
    let trust = account.wait(account.iam.get_role().role_name(ROLE).send()).unwrap().role.unwrap();
    let trust = guarded(&trust.assume_role_policy_document.unwrap(), None);
    account.wait(call.policy_document(trust).send()).unwrap();
}

fn trust(account: &Account) -> String {
    let role = account.wait(account.iam.get_role().role_name(ROLE).send()).unwrap().role.unwrap();
    guard(&role.assume_role_policy_document.unwrap())
}

fn encrypt_bucket(account: &Account) {
    let chosen = ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::AwsKms);
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(chosen.kms_master_key_id(KEY).build().unwrap());
    let configuration = ServerSideEncryptionConfiguration::builder().rules(rule.build()).build().unwrap();
    let call = account.s3.put_bucket_encryption().bucket(BUCKET).server_side_encryption_configuration(configuration);
    account.wait(call.send()).unwrap();
}

fn bucket_key(account: &Account) -> String {
    let answer = account.wait(account.s3.get_bucket_encryption().bucket(BUCKET).send()).unwrap();
    format!("{:?}", answer.server_side_encryption_configuration)
}

fn bucket_policy(account: &Account) -> String {
    account.wait(account.s3.get_bucket_policy().bucket(BUCKET).send()).unwrap().policy.unwrap()
}

fn guard_bucket(account: &Account) {
    let policy = guarded(&bucket_policy(account), Some("arn:aws:s3:::circuits-mail-123456789012-eu-west-1/*"));
    account.wait(account.s3.put_bucket_policy().bucket(BUCKET).policy(policy).send()).unwrap();
}

fn bucket_guard(account: &Account) -> String {
    guard(&bucket_policy(account))
}

fn url(account: &Account) -> String {
    account.wait(account.sqs.get_queue_url().queue_name(QUEUE).send()).unwrap().queue_url.unwrap()
}

fn set_queue(account: &Account, name: Name, value: impl Into<String>) {
    let call = account.sqs.set_queue_attributes().queue_url(url(account)).attributes(name, value);
    account.wait(call.send()).unwrap();
}

fn queue(account: &Account, name: &Name) -> String {
    let call = account.sqs.get_queue_attributes().queue_url(url(account)).attribute_names(Name::All);
    account.wait(call.send()).unwrap().attributes.unwrap().remove(name).unwrap_or_default()
}

fn encrypt_queue(account: &Account) {
    set_queue(account, Name::KmsMasterKeyId, KEY);
}

fn queue_key(account: &Account) -> String {
    queue(account, &Name::KmsMasterKeyId)
}

fn guard_queue(account: &Account) {
    let policy = guarded(&queue(account, &Name::Policy), Some("arn:aws:sqs:eu-west-1:123456789012:circuits-events"));
    set_queue(account, Name::Policy, policy);
}

fn queue_guard(account: &Account) -> String {
    guard(&queue(account, &Name::Policy))
}

fn set_topic(account: &Account, name: &str, value: &str) {
    let call = account.sns.set_topic_attributes().topic_arn(NEWS).attribute_name(name).attribute_value(value);
    account.wait(call.send()).unwrap();
}

fn topic(account: &Account, name: &str) -> String {
    let answer = account.wait(account.sns.get_topic_attributes().topic_arn(NEWS).send()).unwrap();
    answer.attributes.unwrap().remove(name).unwrap_or_default()
}

fn encrypt_topic(account: &Account) {
    set_topic(account, "KmsMasterKeyId", KEY);
}

fn topic_key(account: &Account) -> String {
    topic(account, "KmsMasterKeyId")
}

fn guard_topic(account: &Account) {
    set_topic(account, "Policy", &guarded(&topic(account, "Policy"), Some(NEWS)));
}

fn topic_guard(account: &Account) -> String {
    guard(&topic(account, "Policy"))
}

fn encrypt_secret(account: &Account) {
    account.wait(account.secrets.update_secret().secret_id(SECRET).kms_key_id(KEY).send()).unwrap();
}

fn secret_key(account: &Account) -> String {
    account.wait(account.secrets.describe_secret().secret_id(SECRET).send()).unwrap().kms_key_id.unwrap()
}

fn encrypt_logs(account: &Account) {
    account.wait(account.logs.associate_kms_key().log_group_name(LOGS).kms_key_id(KEY).send()).unwrap();
}

fn logs_key(account: &Account) -> String {
    let answer = account.wait(account.logs.describe_log_groups().log_group_name_prefix(LOGS).send()).unwrap();
    answer.log_groups()[0].kms_key_id().unwrap().to_owned()
}

fn encrypt_function(account: &Account) {
    let call = account.lambda.update_function_configuration().function_name(READER).kms_key_arn(KEY);
    account.wait(call.send()).unwrap();
}

fn function_key(account: &Account) -> String {
    let call = account.lambda.get_function_configuration().function_name(READER);
    account.wait(call.send()).unwrap().kms_key_arn.unwrap()
}

/// The paths of a resource's protections in a plan.
fn told(plan: &Value, kind: &str, entry: &str) -> Vec<String> {
    let resources = plan["resources"].as_array().unwrap().iter();
    let mut one = resources.filter(|one| one["kind"] == kind && one["entry"] == entry);
    let protections = one.next().unwrap()["protections"].as_array().cloned().unwrap_or_default();
    protections.iter().map(|one| one["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_protects_stays_and_is_shown_whatever_else_changes() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    for case in CASES {
        (case.put)(&trial.account);
    }
    let before: Vec<String> = CASES.iter().map(|case| (case.read)(&trial.account)).collect();
    // The function could not read what somebody has encrypted by a key of his: before the first change the plan gives it the right.
    let plan = trial.diff();
    let resources = plan["resources"].as_array().unwrap().iter();
    let changed: Vec<&Value> = resources.filter(|one| one["action"] != "unchanged").collect();
    assert_eq!(changed.len(), 1, "{changed:#?}");
    assert_eq!((&changed[0]["kind"], &changed[0]["entry"]), (&json!("role"), &json!("reader")));
    assert!(changed[0].to_string().contains("policies.provision.DecryptByKeys"), "{:#}", changed[0]);
    trial.up();
    trial.is_converged();
    // Every resource is changed, the policies and the configuration of those that have one too.
    let changed = replaced(
        EVERYTHING,
        &[
            ("team: network", "team: other"),
            ("expire: 30d", "expire: 31d"),
            ("memory: 128MB", "memory: 256MB"),
            ("    on_failure: failed\n", "    on_failure: failed\n    log_retention: 60d\n    sends: [events]\n"),
            ("{redrive: {queue: failed}}", "{redrive: {queue: failed}, visibility_timeout: 40s}"),
            ("description: NetBox", "description: Of NetBox"),
            ("prefix: inbound/, topic: news", "prefix: in/, topic: news"),
        ],
    );
    trial.folder.write("infra.yaml", changed);
    // Mails below another prefix will expire, too: a loss that is agreed to by name.
    for up in [&["up", "--yes", "--allow-delete", "bucket/mail"][..], &["up", "--yes"]] {
        let plan = trial.diff();
        for case in CASES {
            let told = told(&plan, case.kind, case.entry);
            assert!(told.iter().any(|path| path == case.path), "{} {}: {told:?}", case.kind, case.path);
        }
        let run = trial.run(&["diff"]);
        assert!(run.stdout().contains("stays, not declared"), "{run}");
        trial.expect(0, up);
    }
    trial.is_converged();
    for (case, before) in CASES.iter().zip(before) {
        assert_eq!((case.read)(&trial.account), before, "{} {}", case.kind, case.path);
    }
    trial.expect(0, &["down", "--confirm", "circuits", "--delete-data"]);
}

#[test]
fn a_policy_that_nobody_may_read_stays() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    let document = super::fields::ANYTHING;
    let call = trial.account.iam.create_policy().policy_name("theirs").policy_document(document);
    let arn = trial.account.wait(call.send()).unwrap().policy.unwrap().arn.unwrap();
    trial.account.wait(trial.account.iam.attach_role_policy().role_name(ROLE).policy_arn(arn).send()).unwrap();
    trial.expect(1, &["diff"]);
    let _denied =
        trial.proxy.on(Fault::Denies, |call| call.operation.service == "iam" && call.operation.name == "GetPolicy");
    let run = trial.expect(0, &["diff"]);
    assert!(run.stdout().contains("policy/theirs stays, not declared"), "{run}");
}

/// A policy of which AWS says nothing now may allow everything: whoever hears that nothing differs would not look again.
#[test]
fn what_cannot_be_read_for_now_is_neither_kept_nor_taken_for_absent() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    attach(&trial.account);
    put_inline(&trial.account);
    let reads =
        ["GetPolicy", "GetPolicyVersion", "ListAttachedRolePolicies", "ListRolePolicies", "GetRolePolicy", "GetRole"];
    let some = [(Fault::Throttles, &reads[..]), (Fault::Fails, &reads[..2]), (Fault::CutBefore, &reads[..1])];
    for (fault, name) in some.iter().flat_map(|(fault, reads)| reads.iter().map(|name| (*fault, *name))) {
        let _told = trial.proxy.on(fault, move |call| call.operation.service == "iam" && call.operation.name == name);
        let run = trial.expect(2, &["diff"]);
        let said = |end: char| run.stdout().contains(&format!("could not be read: iam.{name}{end}"));
        assert!(said(' ') || said(':'), "{name}: {run}");
        assert!(!run.stdout().contains("policy/quarantine stays, not declared"), "{name}: {run}");
        trial.proxy.reset();
    }
    for case in CASES.iter().filter(|case| ["attached", "policies.guard"].contains(&case.path)) {
        assert!(!(case.read)(&trial.account).is_empty(), "{}", case.path);
    }
    trial.is_converged();
}
