//! Secrets Manager, with the timeouts of all our AWS clients.

use std::time::Duration;

use aws_sdk_secretsmanager::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region, SharedHttpClient, retry::RetryConfig, timeout::TimeoutConfig},
};

use crate::pipeline::configuration::Aws;

/// A client. It calls nothing by itself.
pub fn secrets_manager(aws: &Aws, http: SharedHttpClient) -> Client {
    let timeouts =
        TimeoutConfig::builder().connect_timeout(Duration::from_secs(2)).read_timeout(Duration::from_secs(5));
    let token = aws.session_token.as_ref().map(|token| token.0.clone());
    let credentials = Credentials::new(&aws.access_key_id, aws.secret_access_key.0.clone(), token, None, "environment");
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http)
        .region(Region::new(aws.region.clone()))
        .credentials_provider(credentials)
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .timeout_config(timeouts.build());
    config.set_endpoint_url(aws.secrets_endpoint.clone());
    Client::from_conf(config.build())
}
