//! Tests `provision policy` for the commands that look at a stack and work with it: each runs with its policy alone, and each call that it
//! makes is in it; where a policy is small, nothing else is.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    emulator::calls::Operation,
    harness::replaced,
    stack::{EVERYTHING, Trial},
};

/// Calls of S3 whose actions do not say that they are about a bucket.
const CONFIGURATIONS: &[&str] = &[
    "GetBucketAccelerateConfiguration",
    "GetBucketAnalyticsConfiguration",
    "GetBucketIntelligentTieringConfiguration",
    "GetBucketInventoryConfiguration",
    "GetBucketMetricsConfiguration",
];

/// Returns `true` if an action is one that a policy names, by a beginning and an end where it has a star.
fn is_among(allowed: &BTreeSet<String>, action: &str) -> bool {
    allowed.iter().any(|pattern| match pattern.split_once('*') {
        Some((beginning, end)) => action.starts_with(beginning) && action.ends_with(end),
        None => pattern == action,
    })
}

/// Returns the action that IAM checks for a call; `None` if it checks none.
fn action(operation: &Operation) -> Option<String> {
    let name = match (operation.service.as_str(), operation.name.as_str()) {
        ("sts", "GetCallerIdentity") => return None,
        ("s3", "ListObjectsV2" | "ListObjects" | "HeadBucket" | "GetBucketObjects") => "s3:ListBucket".to_owned(),
        ("s3", "ListBuckets") => "s3:ListAllMyBuckets".to_owned(),
        ("s3", "ListObjectVersions") => "s3:ListBucketVersions".to_owned(),
        ("s3", "GetBucketEncryption") => "s3:GetEncryptionConfiguration".to_owned(),
        ("s3", "GetBucketLifecycleConfiguration") => "s3:GetLifecycleConfiguration".to_owned(),
        ("s3", "GetBucketReplication") => "s3:GetReplicationConfiguration".to_owned(),
        ("s3", "GetBucketNotificationConfiguration") => "s3:GetBucketNotification".to_owned(),
        ("s3", "GetObjectLockConfiguration") => "s3:GetBucketObjectLockConfiguration".to_owned(),
        ("s3", "GetBucketCors") => "s3:GetBucketCORS".to_owned(),
        ("s3", name) if CONFIGURATIONS.contains(&name) => format!("s3:{}", name.replacen("Bucket", "", 1)),
        ("s3", "GetPublicAccessBlock") => "s3:GetBucketPublicAccessBlock".to_owned(),
        ("s3", "HeadObject") => "s3:GetObject".to_owned(),
        ("lambda", "Invoke") => "lambda:InvokeFunction".to_owned(),
        ("sqs", "ChangeMessageVisibilityBatch") => "sqs:ChangeMessageVisibility".to_owned(),
        ("tagging", name) => format!("tag:{name}"),
        // API Gateway's actions are methods.
        ("apigateway", name) if name.starts_with("Get") => "apigateway:GET".to_owned(),
        (service, name) => format!("{service}:{name}"),
    };
    Some(name)
}

fn allowed(policy: &Value) -> BTreeSet<String> {
    let statements = policy["Statement"].as_array().unwrap().iter();
    let actions = statements.flat_map(|statement| statement["Action"].as_array().unwrap());
    actions.map(|action| action.as_str().unwrap().to_owned()).collect()
}

const EVENT: &str = r#"{"Records":[{"eventSource":"aws:ses","ses":{"mail":{"messageId":"0123456789abcdefghijklmnopqrstuv01234567","commonHeaders":{"subject":"one"}}}}]}"#;

#[test]
fn each_command_runs_with_its_policy_and_makes_no_other_call() {
    let Some(trial) = Trial::checked(EVERYTHING) else { return };
    trial.expect(0, &["up", "--yes"]);
    trial.folder.write("event.json", EVENT);
    let account = &trial.account;
    let mail = "Received: from a by inbound-smtp.eu-west-1.amazonaws.com with SMTP id 0123456789abcdefghijklmnopqrstuv01234567; Tue, 5 Jan 2021 10:15:30 +0000\r\nX-SES-Spam-Verdict: PASS\r\nFrom: noc@carrier.example\r\nTo: noc@example.com\r\nSubject: one\r\n\r\nbody\r\n";
    let key = "inbound/0123456789abcdefghijklmnopqrstuv01234567";
    let put = account.s3.put_object().bucket("circuits-mail-123456789012-eu-west-1").key(key);
    account.wait(put.body(mail.as_bytes().to_vec().into()).send()).unwrap();
    let url =
        account.wait(account.sqs.get_queue_url().queue_name("circuits-failed").send()).unwrap().queue_url.unwrap();
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:circuits-reader:$LATEST";
    let failed = json!({"version": "1.0", "timestamp": "2021-01-05T10:15:30.000Z",
        "requestContext": {"requestId": "r", "functionArn": arn, "condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": serde_json::from_str::<Value>(EVENT).unwrap(), "responsePayload": null});
    let send =
        || account.wait(account.sqs.send_message().queue_url(&url).message_body(failed.to_string()).send()).unwrap();
    send();
    let commands: &[(&str, &[&[&str]])] = &[
        ("logs", &[&["logs", "--since", "1h"]]),
        (
            "invoke",
            &[
                &["invoke", "reader", "--event", "event.json"],
                &["invoke", "reader", "--event", "event.json", "--async"],
            ],
        ),
        ("check", &[&["check", "--from-function", "reader", "--dry-run"]]),
        (
            "replay",
            &[
                &["replay", "--prefix", "inbound/", "--yes"],
                &["replay", key, "--yes"],
                &["replay", "--failed", "--yes"],
                &["replay", "--failed", "--dry-run"],
            ],
        ),
        ("outputs", &[&["outputs"]]),
        ("status", &[&["status"]]),
        ("diff", &[&["diff"]]),
    ];
    for (purpose, runs) in commands {
        let policy = trial.policy(purpose);
        let key = trial.user(purpose, &policy);
        let allowed = allowed(&policy);
        trial.proxy.reset();
        let runs: Vec<String> = runs.iter().map(|arguments| trial.expect_as(0, &key, arguments).to_string()).collect();
        let called: BTreeSet<String> = trial.proxy.calls().iter().filter_map(|call| action(&call.operation)).collect();
        let missing: Vec<_> = called.iter().filter(|action| !is_among(&allowed, action)).collect();
        assert!(missing.is_empty(), "{purpose}: {missing:?}\n{}", trial.proxy.record());
        // What is looked up only in need: the log, for an event that does not say why it failed; a message that is given back.
        let in_need = ["logs:FilterLogEvents", "sqs:ChangeMessageVisibility"].map(str::to_owned);
        if ["logs", "invoke", "check", "replay"].contains(purpose) {
            let idle: Vec<_> = allowed.difference(&called).filter(|action| !in_need.contains(action)).collect();
            assert!(idle.is_empty(), "{purpose}: {idle:?}\n{}", runs.join("\n"));
        }
        assert!(
            !allowed.iter().any(|action| action.contains(":Create") || action.contains(":Put")),
            "{purpose}: {allowed:?}"
        );
    }
}

const CONSUMING: &str = "\
stack: circuits
region: eu-west-1
functions:
  worker: {use: standin, consumes: {queue: jobs}}
queues: {jobs: {visibility_timeout: 3m}, failed: {}}
alarms: {off: [errors, throttles, duration, undelivered, messages, age, backlog]}
";

#[test]
fn pausing_and_resuming_run_with_their_policy_and_make_no_other_call() {
    let Some(trial) = Trial::checked(CONSUMING) else { return };
    trial.expect(0, &["up", "--yes"]);
    let mut called = BTreeSet::new();
    let mut allowed = BTreeSet::new();
    for purpose in ["pause", "resume"] {
        let policy = trial.policy(purpose);
        allowed = self::allowed(&policy);
        let key = trial.user(purpose, &policy);
        trial.proxy.reset();
        trial.expect_as(0, &key, &[purpose, "worker"]);
        called.extend(trial.proxy.calls().iter().filter_map(|call| action(&call.operation)));
    }
    assert_eq!(called, allowed, "{}", trial.proxy.record());
    let found = trial.policy("policy");
    trial.expect_as(0, &trial.user("found", &found), &["policy", "--found"]);
}

#[test]
fn a_policy_that_iam_would_not_take_is_printed_in_parts() {
    let queues: Vec<_> = (0..200).map(|number| format!("  a-queue-with-a-long-name-{number}: {{}}\n")).collect();
    let queues = queues.concat();
    let declaration = format!("stack: circuits\nregion: eu-west-1\naccount: \"123456789012\"\nqueues:\n{queues}");
    let folder = crate::harness::Folder::with_declaration(&declaration);
    let run = folder.run(&["policy", "--json"]);
    let parts = run.json().remove(0);
    let parts = parts.as_array().unwrap();
    assert!(parts.len() > 1 && parts.iter().all(|part| part.to_string().len() <= 6_144), "{run}");
    assert!(run.stderr().contains(&format!("attach all {} policies", parts.len())), "{run}");
    // For people each is a document of its own, as IAM takes it.
    let run = folder.run(&["policy"]);
    let printed = run.stdout();
    let documents = serde_json::Deserializer::from_str(&printed).into_iter::<Value>().map(Result::unwrap);
    assert_eq!(documents.collect::<Vec<_>>(), *parts);
}

/// An adopted resource has a name of its own, which `--found` asks AWS for.
#[test]
fn a_policy_names_what_is_adopted_and_what_was_found() {
    const QUEUES: &str = "stack: circuits\nregion: eu-west-1\nqueues: {old: {retention: 4d}}\n";
    let Some(trial) = Trial::checked(QUEUES) else { return };
    let account = &trial.account;
    account.wait(account.sqs.create_queue().queue_name("made-by-hand").send()).unwrap();
    let arn = "arn:aws:sqs:eu-west-1:123456789012:made-by-hand";
    let of = |arguments: &[&str]| trial.expect(0, &[&["policy", "--json"], arguments].concat()).json().remove(0);
    for typed in ["made-by-hand", arn] {
        let policy = of(&["--for", "adopt", "queue/old", typed]);
        let adopted = policy["Statement"].as_array().unwrap().iter().find(|one| one["Sid"] == "Adopted").unwrap();
        assert_eq!((&adopted["Action"], &adopted["Resource"]), (&json!(["sqs:TagQueue"]), &json!([arn])), "{policy:#}");
    }
    let policy = of(&["--for", "adopt", "queue/old", "made-by-hand"]);
    let other = replaced(&policy.to_string(), &[("made-by-hand", "another")]);
    let key = trial.user("other", &serde_json::from_str(&other).unwrap());
    let adopt = ["adopt", "queue/old", "made-by-hand", "--yes"];
    trial.expect_as(2, &key, &adopt);
    let key = trial.user("adopt", &policy);
    trial.expect_as(0, &key, &adopt);
    // Until now the name that the declaration gives.
    let queues = |policy: &Value| {
        let statements = policy["Statement"].as_array().unwrap().iter();
        statements.clone().find(|one| one["Sid"] == "Queues").unwrap()["Resource"].clone()
    };
    let own = json!(["arn:aws:sqs:eu-west-1:123456789012:circuits-old"]);
    trial.folder.write("infra.yaml", format!("account: \"123456789012\"\n{QUEUES}"));
    assert_eq!(queues(&of(&["--for", "diff"])), own);
    assert_eq!(queues(&of(&["--for", "diff", "--found"])), json!([arn]));
    let run = trial.expect(2, &["policy", "--for", "adopt"]);
    assert!(run.stderr().contains("KIND/ENTRY"), "{run}");
}
