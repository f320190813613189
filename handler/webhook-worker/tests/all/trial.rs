//! A trial: an instance of the function, a platform and a bucket.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    bucket::Bucket,
    platform::{KEY, Platform},
    runtime_api::{Ended, Instance},
};

/// Id of a job.
pub(crate) const ID: &str = "016f6063-51a1-4948-a827-ce4c31ec53ed";
/// Time that an invocation has, if a test does not say.
pub(crate) const TIME: Duration = Duration::from_mins(1);

/// An instance of the function, a platform and a bucket.
pub(crate) struct Trial {
    pub(crate) platform: Platform,
    pub(crate) bucket: Bucket,
    pub(crate) instance: Instance,
}

/// Returns the environment of the function between a platform and a bucket, as `dev` gives it, with changes.
pub(crate) fn environment(platform: &Platform, bucket: &Bucket, changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let context = r#"{"stack":"egress","function":"worker","writes":[{"bucket":"outputs","prefix":"labels/"}]}"#;
    let token = platform.token(KEY);
    let sound = [
        ("PROVISION_CONTEXT", context),
        ("AWS_LAMBDA_FUNCTION_NAME", "egress-worker"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "local"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "example-secret-access-key"),
        ("AWS_ENDPOINT_URL_S3", bucket.endpoint.as_str()),
        ("PLATFORM_TOKEN", token.as_str()),
    ];
    let mut all: std::collections::BTreeMap<_, _> = sound.into_iter().collect();
    all.extend(changes.iter().copied());
    all.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Returns an event with messages of these bodies, whose ids are `m-0`, `m-1`, ….
pub(crate) fn event(bodies: &[String]) -> Value {
    let record = |(index, body): (usize, &String)| {
        json!({
            "messageId": format!("m-{index}"), "receiptHandle": format!("rh-{index}"), "body": body,
            "attributes": {"ApproximateReceiveCount": "1"}, "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:egress-jobs", "awsRegion": "eu-west-1",
        })
    };
    json!({"Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>()})
}

/// Returns the message of a job.
pub(crate) fn job(id: &str) -> String {
    json!({"id": id, "event": "job_complete", "message": "Job complete", "received": "2026-11-28T12:00:00Z"})
        .to_string()
}

/// Returns the ids of the messages that an answer names.
pub(crate) fn failed(ended: &Ended) -> Vec<String> {
    let Ended::Answer(answer) = ended else { panic!("{ended:?}") };
    let failures = answer["batchItemFailures"].as_array().unwrap();
    failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect()
}

impl Trial {
    pub(crate) fn start(changes: &[(&str, &str)]) -> Self {
        let (platform, bucket) = (Platform::start(), Bucket::start());
        let instance = Instance::start(&environment(&platform, &bucket, changes));
        Self { platform, bucket, instance }
    }

    /// Starts the function with addresses of jobs: `{platform}` in the changes is the platform's address.
    pub(crate) fn with_addresses(changes: &[(&str, &str)]) -> Self {
        let (platform, bucket) = (Platform::start(), Bucket::start());
        let template = format!("{}/files/{{id}}.csv", platform.base);
        let changes: Vec<(&str, String)> = [("SOURCE", "url"), ("URL_TEMPLATE", template.as_str())]
            .iter()
            .chain(changes)
            .map(|(name, value)| (*name, value.replace("{platform}", &platform.base)))
            .collect();
        let changes: Vec<(&str, &str)> = changes.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let instance = Instance::start(&environment(&platform, &bucket, &changes));
        Self { platform, bucket, instance }
    }

    /// Hands over messages; returns the ids of those that failed.
    pub(crate) fn hand_over(&mut self, bodies: &[String], time: Duration) -> Vec<String> {
        failed(&self.instance.invoke(time, &event(bodies)))
    }

    /// Hands over the job [`ID`]; returns whether it succeeded.
    pub(crate) fn take(&mut self) -> bool {
        self.hand_over(&[job(ID)], TIME).is_empty()
    }

    /// Ends the function; returns its log lines and checks that nothing tells the token.
    pub(crate) fn stop(self) -> Vec<Value> {
        let (lines, errors) = self.instance.stop();
        for secret in ["NOT-A-KEY", "example-secret-access-key", "canary"] {
            assert!(!errors.contains(secret), "{errors}");
            assert!(lines.iter().all(|line| !line.to_string().contains(secret)), "{lines:?}");
        }
        lines
    }
}
