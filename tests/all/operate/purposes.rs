//! Tests `provision policy` for the commands that look at a stack and work with it: each runs with its policy alone, and each call that it
//! makes is in it; where a policy is small, nothing else is.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    emulator::{
        account::Account,
        calls::Operation,
        proxy::Proxy,
        server::{Authorisation, Emulator},
    },
    harness::{Folder, Run, replaced},
    stack::{EVERYTHING, code_folder, command},
};

/// An account that checks permissions, behind a proxy that records calls.
struct Place {
    account: Account,
    folder: Folder,
    proxy: Proxy,
    emulator: Emulator,
}

impl Place {
    fn new(declaration: &str) -> Option<Self> {
        let emulator = Emulator::start_with(Authorisation::Checked)?;
        let (account, proxy) = (Account::at(&emulator.url), Proxy::before(&emulator.url));
        Some(Self { account, folder: code_folder(declaration), proxy, emulator })
    }

    /// Runs a command as the account's root, or with a key.
    fn run(&self, key: Option<&(String, String)>, arguments: &[&str]) -> Run {
        let mut command = command(&self.folder, &self.proxy.url, arguments);
        if let Some((id, secret)) = key {
            command.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret);
        }
        self.folder.finish(arguments, command.output().unwrap())
    }

    #[track_caller]
    fn expect(&self, code: i32, key: Option<&(String, String)>, arguments: &[&str]) -> Run {
        let run = self.run(key, arguments);
        assert_eq!(run.code(), Some(code), "{run}\n{}", self.proxy.record());
        run
    }

    /// Returns the key of a new user with a policy alone.
    fn user(&self, name: &str, policy: &Value) -> (String, String) {
        let iam = &self.account.iam;
        self.account.wait(iam.create_user().user_name(name).send()).unwrap();
        let put = iam.put_user_policy().user_name(name).policy_name("own").policy_document(policy.to_string());
        self.account.wait(put.send()).unwrap();
        let key = self.account.wait(iam.create_access_key().user_name(name).send()).unwrap().access_key.unwrap();
        (key.access_key_id, key.secret_access_key)
    }
}

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
    let Some(place) = Place::new(EVERYTHING) else { return };
    place.expect(0, None, &["up", "--yes"]);
    place.folder.write("event.json", EVENT);
    let account = &place.account;
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
        let policy = place.expect(0, None, &["policy", "--for", purpose, "--json"]).json().remove(0);
        let key = place.user(purpose, &policy);
        let allowed = allowed(&policy);
        place.proxy.reset();
        let runs: Vec<String> =
            runs.iter().map(|arguments| place.expect(0, Some(&key), arguments).to_string()).collect();
        let called: BTreeSet<String> = place.proxy.calls().iter().filter_map(|call| action(&call.operation)).collect();
        let missing: Vec<_> = called.iter().filter(|action| !is_among(&allowed, action)).collect();
        assert!(missing.is_empty(), "{purpose}: {missing:?}\n{}", place.proxy.record());
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
    drop(place.emulator);
}

/// What was adopted has a name of its own, which `--found` asks AWS for.
#[test]
fn a_policy_names_what_is_adopted_and_what_was_found() {
    const QUEUES: &str = "stack: circuits\nregion: eu-west-1\nqueues: {old: {retention: 4d}}\n";
    let Some(place) = Place::new(QUEUES) else { return };
    let account = &place.account;
    account.wait(account.sqs.create_queue().queue_name("made-by-hand").send()).unwrap();
    let arn = "arn:aws:sqs:eu-west-1:123456789012:made-by-hand";
    let of = |arguments: &[&str]| place.expect(0, None, &[&["policy", "--json"], arguments].concat()).json().remove(0);
    for typed in ["made-by-hand", arn] {
        let policy = of(&["--for", "adopt", "queue/old", typed]);
        let adopted = policy["Statement"].as_array().unwrap().iter().find(|one| one["Sid"] == "Adopted").unwrap();
        assert_eq!((&adopted["Action"], &adopted["Resource"]), (&json!(["sqs:TagQueue"]), &json!([arn])), "{policy:#}");
    }
    let policy = of(&["--for", "adopt", "queue/old", "made-by-hand"]);
    let other = replaced(&policy.to_string(), &[("made-by-hand", "another")]);
    let key = place.user("other", &serde_json::from_str(&other).unwrap());
    let adopt = ["adopt", "queue/old", "made-by-hand", "--yes"];
    place.expect(2, Some(&key), &adopt);
    let key = place.user("adopt", &policy);
    place.expect(0, Some(&key), &adopt);
    // Until now the name that the declaration gives.
    let queues = |policy: &Value| {
        let statements = policy["Statement"].as_array().unwrap().iter();
        statements.clone().find(|one| one["Sid"] == "Queues").unwrap()["Resource"].clone()
    };
    let own = json!(["arn:aws:sqs:eu-west-1:123456789012:circuits-old"]);
    place.folder.write("infra.yaml", format!("account: \"123456789012\"\n{QUEUES}"));
    assert_eq!(queues(&of(&["--for", "diff"])), own);
    assert_eq!(queues(&of(&["--for", "diff", "--found"])), json!([arn]));
    let run = place.expect(2, None, &["policy", "--for", "adopt"]);
    assert!(run.stderr().contains("KIND/ENTRY"), "{run}");
}
