//! Tests that the proxy records what happened, and that clients take its faults for the real ones.

use std::{
    sync::mpsc::RecvTimeoutError,
    thread,
    time::{Duration, Instant},
};

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::RequestId;

use super::{
    account::Account,
    fault::{FAULTS, Fault},
    proxy::Proxy,
    server::Emulator,
};

#[test]
fn every_call_is_named_and_those_that_change_something_are_numbered() {
    let Some(emulator) = Emulator::start() else { return };
    let proxy = Proxy::before(&emulator.url);
    let account = Account::at(&proxy.url);
    account.wait(account.s3.list_buckets().send()).unwrap();
    account.wait(account.sns.create_topic().name("one").send()).unwrap();
    account.wait(account.sqs.create_queue().queue_name("one").send()).unwrap();
    account.wait(account.lambda.list_functions().send()).unwrap();
    account.wait(account.lambda.get_policy().function_name("none").send()).unwrap_err();
    account.wait(account.logs.create_log_group().log_group_name("one").send()).unwrap();
    account.wait(account.alarms.describe_alarms().send()).unwrap();
    account.wait(account.secrets.create_secret().name("one").secret_string("value").send()).unwrap();
    account.wait(account.iam.get_role().role_name("none").send()).unwrap_err();
    account.wait(account.ses.describe_active_receipt_rule_set().send()).unwrap();
    account.wait(account.sts.get_caller_identity().send()).unwrap();
    account.wait(account.s3.get_bucket_lifecycle_configuration().bucket("none").send()).unwrap_err();
    account.wait(account.s3.put_object().bucket("none").key("a/b").body(b"x".to_vec().into()).send()).unwrap_err();
    let named: Vec<String> = proxy
        .calls()
        .iter()
        .map(|call| {
            let number = call.mutation.map(|number| format!(" changes, {number}")).unwrap_or_default();
            format!("{} {}{number}", call.operation, call.status.unwrap())
        })
        .collect();
    assert_eq!(
        named,
        [
            "s3.ListBuckets 200",
            "sns.CreateTopic 200 changes, 1",
            "sqs.CreateQueue 200 changes, 2",
            "lambda.ListFunctions 200",
            "lambda.GetPolicy 404",
            "logs.CreateLogGroup 200 changes, 3",
            "cloudwatch.DescribeAlarms 200",
            "secretsmanager.CreateSecret 200 changes, 4",
            "iam.GetRole 404",
            "ses.DescribeActiveReceiptRuleSet 200",
            "sts.GetCallerIdentity 200",
            "s3.GetBucketLifecycleConfiguration 404",
            "s3.PutObject 404 changes, 5",
        ],
        "{}",
        proxy.record()
    );
    assert_eq!(proxy.mutating().len(), 5);
    assert_eq!(proxy.depth(), 13);
    proxy.reset();
    assert_eq!((proxy.calls().len(), proxy.depth(), proxy.busy()), (0, 0, Duration::ZERO));
}

/// Returns code, request id and status of the errors that clients report, by a call in every protocol.
fn refusals(account: &Account) -> Vec<(Option<String>, Option<String>)> {
    macro_rules! refusal {
        ($call:expr) => {{
            let error = account.wait($call.send()).unwrap_err();
            (error.code().map(str::to_owned), error.request_id().map(str::to_owned))
        }};
    }
    vec![
        refusal!(account.s3.list_buckets()),
        refusal!(account.iam.list_roles()),
        refusal!(account.sqs.list_queues()),
        refusal!(account.lambda.list_functions()),
        refusal!(account.alarms.describe_alarms()),
    ]
}

#[test]
fn clients_read_refusals_in_every_protocol() {
    let Some(emulator) = Emulator::start() else { return };
    let proxy = Proxy::before(&emulator.url);
    let account = Account::at(&proxy.url);
    for (fault, codes) in [
        (
            Fault::Fails,
            ["InternalError", "ServiceFailure", "InternalFailure", "ServiceException", "InternalServiceFault"],
        ),
        (
            Fault::Throttles,
            ["SlowDown", "Throttling", "RequestThrottled", "TooManyRequestsException", "ThrottlingException"],
        ),
        (
            Fault::Denies,
            ["AccessDenied", "AccessDenied", "AccessDeniedException", "AccessDeniedException", "AccessDeniedException"],
        ),
        (Fault::Refuses { status: 400, code: "NotYet", message: "not yet" }, ["NotYet"; 5]),
    ] {
        proxy.reset();
        proxy.on(fault, |_| true);
        let refusals = refusals(&account);
        let found: Vec<&str> = refusals.iter().map(|(code, _)| code.as_deref().unwrap_or("no code")).collect();
        assert_eq!(found, codes);
        assert!(
            refusals.iter().all(|(_, id)| id.as_deref().is_some_and(|id| id.starts_with("fault-"))),
            "{refusals:?}"
        );
        // Clients retry errors that a retry may resolve.
        let tries = if matches!(fault, Fault::Fails | Fault::Throttles) { 15 } else { 5 };
        assert_eq!(proxy.calls().len(), tries, "{fault:?}\n{}", proxy.record());
    }
}

#[test]
fn a_cut_before_changes_nothing_and_a_cut_after_does() {
    let Some(emulator) = Emulator::start() else { return };
    let proxy = Proxy::before(&emulator.url);
    let (account, behind) = (Account::at(&proxy.url), Account::at(&emulator.url));
    for (fault, name, exists) in [(Fault::CutBefore, "before", false), (Fault::CutAfter, "after", true)] {
        let hit = proxy.on(fault, move |call| call.operation == "sns.CreateTopic" && call.fault.is_none());
        account.wait(account.sns.create_topic().name(name).send()).unwrap_err();
        assert_eq!(hit.try_iter().count(), 3, "the client tried three times\n{}", proxy.record());
        let topics = behind.wait(behind.sns.list_topics().send()).unwrap();
        assert_eq!(topics.topics().iter().any(|topic| topic.topic_arn().unwrap().ends_with(name)), exists);
        proxy.reset();
    }
}

#[test]
fn a_client_gets_over_one_bad_call() {
    let Some(emulator) = Emulator::start() else { return };
    let proxy = Proxy::before(&emulator.url);
    let account = Account::at(&proxy.url);
    for fault in FAULTS {
        let hit = proxy.on(fault, |call| call.mutation == Some(1));
        account.wait(account.sns.create_topic().name("one").send()).unwrap();
        let tries: Vec<usize> = proxy.mutating().iter().map(|call| call.repetition).collect();
        let expected = if fault == Fault::Delays { vec![1] } else { vec![1, 2] };
        assert_eq!((hit.try_iter().count(), tries), (1, expected), "{fault:?}\n{}", proxy.record());
        proxy.reset();
    }
}

#[test]
fn silence_can_be_waited_for_and_the_change_has_happened() {
    let Some(emulator) = Emulator::start() else { return };
    let proxy = Proxy::before(&emulator.url);
    let behind = Account::at(&emulator.url);
    let hit = proxy.on(Fault::Silent, |call| call.mutation == Some(1));
    let url = proxy.url.clone();
    let waiting = thread::spawn(move || {
        let account = Account::at(&url);
        let creating = account.sns.create_topic().name("one").send();
        account.wait(async { tokio::time::timeout(Duration::from_secs(2), creating).await.is_err() })
    });
    let call = hit.recv_timeout(Duration::from_secs(30)).unwrap();
    assert_eq!(call.operation, "sns.CreateTopic");
    assert_eq!(behind.wait(behind.sns.list_topics().send()).unwrap().topics().len(), 1);
    assert!(waiting.join().unwrap(), "nothing was answered");
    assert_eq!(hit.recv_timeout(Duration::ZERO).unwrap_err(), RecvTimeoutError::Timeout, "it was the only one");
}

#[test]
fn depth_and_time_under_way_tell_sequence_from_parallel() {
    let Some(emulator) = Emulator::start() else { return };
    let proxy = Proxy::before(&emulator.url);
    let account = Account::at(&proxy.url);
    account.wait(account.sns.list_topics().send()).unwrap();
    proxy.reset();
    let delay = Duration::from_secs(1);
    proxy.delay(delay);
    let started = Instant::now();
    account.wait(async {
        let (sns, sqs) = (&account.sns, &account.sqs);
        let three = tokio::join!(sns.list_topics().send(), sqs.list_queues().send(), sns.list_subscriptions().send());
        three.0.unwrap();
        three.1.unwrap();
        three.2.unwrap();
    });
    account.wait(account.sns.list_topics().send()).unwrap();
    assert!(started.elapsed() >= 2 * delay, "two delays in sequence");
    assert_eq!((proxy.calls().len(), proxy.depth()), (4, 2), "{}", proxy.record());
    let busy = proxy.busy();
    assert!(busy >= 2 * delay && busy <= started.elapsed(), "{busy:?}\n{}", proxy.record());
}
