//! Reads secrets: from Secrets Manager, with the timeouts of all our AWS clients, or, for trials, from the environment.

use std::{fmt, time::Duration};

use aws_sdk_secretsmanager::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region, SharedHttpClient, retry::RetryConfig, timeout::TimeoutConfig},
};
use aws_smithy_types::error::display::DisplayErrorContext;

use crate::{
    environment::{Aws, Secret, SecretPlace},
    known::remember,
    start::http_client,
};

/// Returns a client of Secrets Manager. It makes no call by itself.
pub fn secrets_manager(aws: &Aws, http: SharedHttpClient) -> Client {
    let timeouts =
        TimeoutConfig::builder().connect_timeout(Duration::from_secs(2)).read_timeout(Duration::from_secs(5));
    let token = aws.session_token.as_ref().map(|token| token.expose().to_owned());
    let credentials = Credentials::new(&aws.access_key_id, aws.secret_access_key.expose(), token, None, "environment");
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

/// The source of a secret.
#[derive(Debug)]
pub enum SecretSource {
    /// Value from the environment.
    Given(Secret),
    /// Secret of that name or ARN.
    SecretsManager {
        /// Client that reads it.
        client: Client,
        /// Name in Secrets Manager.
        name: String,
    },
}

impl SecretSource {
    /// Returns the source of the secret at that place. It makes no call by itself.
    pub fn at(place: SecretPlace, aws: &Aws) -> Self {
        match place {
            SecretPlace::Given(secret) => Self::Given(secret),
            SecretPlace::SecretsManager(name) => {
                let client = secrets_manager(aws, http_client(aws.secrets_endpoint.as_deref()));
                Self::SecretsManager { client, name }
            }
        }
    }

    /// Returns the secret without surrounding white space, or why it cannot be read.
    pub async fn read(&self) -> Result<Secret, String> {
        let secret = self.fetch().await?.trimmed();
        remember(&secret);
        Ok(secret)
    }

    async fn fetch(&self) -> Result<Secret, String> {
        match self {
            Self::Given(secret) => Ok(secret.clone()),
            Self::SecretsManager { client, name } => {
                let answer = client.get_secret_value().secret_id(name).send().await;
                let answer = answer.map_err(|error| {
                    format!("the secret `{name}` could not be read: {}", DisplayErrorContext(&error))
                })?;
                Ok(answer.secret_string().unwrap_or_default().into())
            }
        }
    }
}

/// Shows the place, not the secret.
impl fmt::Display for SecretSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(_) => formatter.write_str("the secret in the environment"),
            Self::SecretsManager { name, .. } => write!(formatter, "the secret `{name}`"),
        }
    }
}
