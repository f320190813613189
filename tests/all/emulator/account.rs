//! The emulator's account through the plain clients of AWS, for tests to look at, and to change things behind our back.

use std::future::Future;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::config::Credentials;
use tokio::runtime::Runtime;

use super::server::{CREDENTIALS, REGION};

/// One client per service.
pub(crate) struct Account {
    pub(crate) alarms: aws_sdk_cloudwatch::Client,
    pub(crate) iam: aws_sdk_iam::Client,
    pub(crate) lambda: aws_sdk_lambda::Client,
    pub(crate) logs: aws_sdk_cloudwatchlogs::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) secrets: aws_sdk_secretsmanager::Client,
    pub(crate) ses: aws_sdk_ses::Client,
    pub(crate) sns: aws_sdk_sns::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) sts: aws_sdk_sts::Client,
    runtime: Runtime,
}

impl Account {
    /// The account at an address: that of an emulator, or of a proxy before one.
    pub(crate) fn at(url: &str) -> Self {
        Self::with_credentials(url, CREDENTIALS)
    }

    /// The same for somebody else than the account's root.
    pub(crate) fn with_credentials(url: &str, (key, secret): (&str, &str)) -> Self {
        let credentials = Credentials::new(key, secret, None, None, "test");
        // Multi-threaded, so that connections are looked after between two calls.
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let loading = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::from_static(REGION))
            .endpoint_url(url)
            .credentials_provider(credentials)
            .http_client(aws_smithy_http_client::Builder::new().build_http());
        let configuration = runtime.block_on(loading.load());
        Self {
            alarms: aws_sdk_cloudwatch::Client::new(&configuration),
            iam: aws_sdk_iam::Client::new(&configuration),
            lambda: aws_sdk_lambda::Client::new(&configuration),
            logs: aws_sdk_cloudwatchlogs::Client::new(&configuration),
            s3: aws_sdk_s3::Client::new(&configuration),
            secrets: aws_sdk_secretsmanager::Client::new(&configuration),
            ses: aws_sdk_ses::Client::new(&configuration),
            sns: aws_sdk_sns::Client::new(&configuration),
            sqs: aws_sdk_sqs::Client::new(&configuration),
            sts: aws_sdk_sts::Client::new(&configuration),
            runtime,
        }
    }

    /// Waits for calls to be done: `account.wait(account.s3.list_buckets().send())`.
    pub(crate) fn wait<F: Future>(&self, calls: F) -> F::Output {
        self.runtime.block_on(calls)
    }
}
