//! AWS: the identity of the caller, and a client for each service.
//!
//! There are two sets of clients. [`Aws::read`] retries by itself, since a read may be repeated freely; [`Aws::write`] never does:
//! retries of writes are decided in one place (`engine::apply`), by the class of the error.

mod arn;
pub mod calls;
mod credentials;
mod failure;
mod http;
pub mod json;
mod keys;
pub mod kms;
mod name;
mod operation;
mod pace;
pub mod policy;
mod proxy;
pub mod query;
mod refused;

use aws_config::{
    BehaviorVersion, Region,
    retry::RetryConfig,
    timeout::{TimeoutConfig, TimeoutConfigBuilder},
};
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_types::{SdkConfig, service_config::ServiceConfigKey};
use std::time::Duration;

pub use arn::{Arn, ArnForm, Realm};
pub use failure::{Detail, OrFail, failure_within};
pub use http::bundled_certificates;
pub use keys::{Keys, keys};
pub use name::{cut, hashed, is_cut, kept_prefix};
pub use pace::{Pacing, Turnstile};
pub use proxy::proxy_variable;

use credentials::Profiles;
use problem::Problem;
use refused::Refused;

/// Timeout until the first byte of an answer, so that a silent connection does not block a run.
const READ_TIMEOUT: Duration = Duration::from_mins(1);
/// Deadline of a read, all its attempts included.
const READ_DEADLINE: Duration = Duration::from_mins(1);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum attempts of a read.
const READ_ATTEMPTS: u32 = 6;

/// One client for each service.
#[derive(Debug, Clone)]
pub struct Clients {
    /// Client of API Gateway, version 2 of its interface: version 1 has no HTTP APIs.
    pub apis: aws_sdk_apigatewayv2::Client,
    /// Client of CloudWatch: metrics and alarms.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// Client of `DynamoDB`: tables.
    pub dynamodb: json::Client,
    /// Client of EC2: networks.
    pub ec2: query::Client,
    /// Client of `ElastiCache`, by the query protocol.
    pub elasticache: query::Client,
    /// Client of the service IAM.
    pub iam: aws_sdk_iam::Client,
    /// Client of MSK: clusters of Kafka and their topics.
    pub kafka: json::Client,
    /// Client of the service KMS.
    pub kms: kms::Client,
    /// Client of the service Lambda.
    pub lambda: aws_sdk_lambda::Client,
    /// Client of CloudWatch Logs.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// Client of RDS, by the query protocol.
    pub rds: query::Client,
    /// Client of the service S3.
    pub s3: aws_sdk_s3::Client,
    /// Client of Secrets Manager.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// Client of SES, version 1 of its API: version 2 has no receipt rules.
    pub ses: aws_sdk_ses::Client,
    /// Client of SES, version 2 of its API: version 1 has no tags of configuration sets.
    pub sesv2: json::Client,
    /// Client of the service SNS.
    pub sns: aws_sdk_sns::Client,
    /// Client of the service SQS.
    pub sqs: aws_sdk_sqs::Client,
    /// Client of the service STS.
    pub sts: aws_sdk_sts::Client,
    /// Client of the index of tags: the Resource Groups Tagging API.
    pub tagging: aws_sdk_resourcegroupstagging::Client,
}

impl Clients {
    /// Returns a client for each service, as a configuration says.
    pub fn new(config: &SdkConfig) -> Self {
        Self::observed(config, &calls::CallListener)
    }

    /// Returns a client for each service, as a configuration says, with an observer of their calls.
    pub fn observed(config: &SdkConfig, observer: &(impl Intercept + Clone + 'static)) -> Self {
        macro_rules! client {
            ($service:ident) => {
                $service::Client::from_conf(
                    $service::config::Builder::from(config)
                        .retry_classifier(Refused)
                        .interceptor(observer.clone())
                        .build(),
                )
            };
        }
        // Custom endpoints have no subdomain per bucket.
        let s3 = aws_sdk_s3::config::Builder::from(config).retry_classifier(Refused).interceptor(observer.clone());
        let s3 = s3.force_path_style(has_own_endpoint(config)).build();
        Self {
            apis: client!(aws_sdk_apigatewayv2),
            cloudwatch: client!(aws_sdk_cloudwatch),
            dynamodb: json::Client::observed(config, json::DYNAMODB, observer.clone()),
            ec2: query::Client::observed(config, query::EC2, observer.clone()),
            elasticache: query::Client::observed(config, query::ELASTICACHE, observer.clone()),
            iam: client!(aws_sdk_iam),
            kafka: json::Client::observed(config, json::KAFKA, observer.clone()),
            kms: kms::Client::new(config),
            lambda: client!(aws_sdk_lambda),
            logs: client!(aws_sdk_cloudwatchlogs),
            rds: query::Client::observed(config, query::RDS, observer.clone()),
            s3: aws_sdk_s3::Client::from_conf(s3),
            secrets: client!(aws_sdk_secretsmanager),
            ses: client!(aws_sdk_ses),
            sesv2: json::Client::observed(config, json::SES, observer.clone()),
            sns: client!(aws_sdk_sns),
            sqs: client!(aws_sdk_sqs),
            sts: client!(aws_sdk_sts),
            tagging: client!(aws_sdk_resourcegroupstagging),
        }
    }
}

/// An AWS account, in one region.
#[derive(Debug, Clone)]
pub struct Aws {
    /// Clients for calls that change nothing; they retry by themselves.
    pub read: Clients,
    /// Clients for calls that change something; they never retry.
    pub write: Clients,
    /// Region and account of the stack.
    pub realm: Realm,
    /// Waiting times between calls.
    pub pacing: Pacing,
    /// Turnstile before every call of SES's receipt rules, reads and writes.
    pub receipt_rules: Turnstile,
    /// Turnstile before every call of API Gateway, reads and writes.
    pub apis: Turnstile,
}

impl Aws {
    /// Finds credentials as every AWS tool does, and looks up their identity. Without a region, that of the AWS configuration is
    /// used.
    pub async fn connect(region: Option<&str>, pacing: Pacing) -> Result<Self, Problem> {
        Ok(Self::connect_and(region, pacing, async |_, _| ()).await?.0)
    }

    /// Connects as `connect` does, and at the same time reads something in the region for which it does not matter who the caller is.
    pub async fn connect_and<T>(
        region: Option<&str>,
        pacing: Pacing,
        read_first: impl AsyncFnOnce(&Clients, &str) -> T,
    ) -> Result<(Self, T), Problem> {
        let profiles = Profiles::read().await?;
        let http = http::client(profiles.ca_bundle().as_deref())?;
        let timeouts = timeouts_until_connected().read_timeout(READ_TIMEOUT).build();
        let config = aws_config::defaults(BehaviorVersion::latest());
        let config = match region {
            Some(region) => config.region(Region::new(region.to_owned())),
            None => config,
        };
        let config =
            config.http_client(http).timeout_config(timeouts).retry_config(RetryConfig::disabled()).load().await;
        let region = config.region().map(|region| region.as_ref().to_owned());
        let region = region.ok_or_else(|| {
            Problem::new("Failed to find the region: none is configured").with_hint("name it with `--region`")
        })?;
        let reading =
            timeouts_until_connected().read_timeout(READ_TIMEOUT / 3).operation_timeout(READ_DEADLINE).build();
        let retrying = config.to_builder().retry_config(retries(pacing)).timeout_config(reading).build();
        let (read, write) = (Clients::new(&retrying), Clients::new(&config));
        let (identity, first) = tokio::join!(read.sts.get_caller_identity().send(), read_first(&read, &region));
        let identity = identity.or_fail("sts.GetCallerIdentity").map_err(|failure| profiles.explain(failure))?;
        let account = identity
            .account
            .ok_or_else(|| Problem::new("Failed to look up the account: the answer of AWS names none"))?;
        let receipt_rules = Turnstile::new(pacing.receipt_rules);
        let apis = Turnstile::new(pacing.apis);
        Ok((Self { read, write, realm: Realm { region, account }, pacing, receipt_rules, apis }, first))
    }
}

fn timeouts_until_connected() -> TimeoutConfigBuilder {
    TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT)
}

/// Returns the retry settings of reads. Not the adaptive mode: after one throttled call it delays all calls to that service, and a
/// run is over in seconds.
fn retries(pacing: Pacing) -> RetryConfig {
    RetryConfig::standard().with_max_attempts(READ_ATTEMPTS).with_initial_backoff(pacing.poll)
}

/// Returns `true` if S3 is not at AWS's own address: an endpoint is set for all services, or for it.
fn has_own_endpoint(config: &SdkConfig) -> bool {
    let key = ServiceConfigKey::builder().service_id("S3").env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let own = config.service_config().zip(key.ok()).and_then(|(config, key)| config.load_config(key));
    config.endpoint_url().is_some() || own.is_some()
}
