//! Mails in S3.

use std::time::Duration;

use aws_sdk_s3::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region, SharedHttpClient, retry::RetryConfig, timeout::TimeoutConfig},
    error::{ProvideErrorMetadata, SdkError},
    operation::{RequestId, get_object::GetObjectError},
};

use crate::{
    pipeline::{
        configuration::Aws,
        store::{LARGEST_MAIL, MailStore, StoreError},
    },
    text::chain,
};

/// Objects in S3, as bytes.
#[derive(Debug, Clone)]
pub struct S3 {
    client: Client,
}

impl S3 {
    /// A client. Three attempts, each of which ends well before a function does: what is slower than that is left to
    /// Lambda's own retries.
    pub fn new(aws: &Aws, http: SharedHttpClient) -> Self {
        let timeouts =
            TimeoutConfig::builder().connect_timeout(Duration::from_secs(2)).read_timeout(Duration::from_secs(5));
        let token = aws.session_token.as_ref().map(|token| token.0.clone());
        let secret = aws.secret_access_key.0.clone();
        let credentials = Credentials::new(&aws.access_key_id, secret, token, None, "environment");
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http)
            .region(Region::new(aws.region.clone()))
            .credentials_provider(credentials)
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            .timeout_config(timeouts.build());
        if let Some(endpoint) = &aws.s3_endpoint {
            // Buckets as sub-domains are AWS's own; another endpoint need not have them.
            config = config.endpoint_url(endpoint).force_path_style(true);
        }
        Self { client: Client::from_conf(config.build()) }
    }
}

impl MailStore for S3 {
    async fn get(&self, bucket: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let mut object = match self.client.get_object().bucket(bucket).key(key).send().await {
            Ok(object) => object,
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => return Ok(None),
            Err(error) => return Err(StoreError::Unavailable(in_words(&error))),
        };
        let length = object.content_length().and_then(|length| u64::try_from(length).ok()).unwrap_or_default();
        if length > LARGEST_MAIL {
            return Err(StoreError::TooLarge(length));
        }
        // Into one piece of the right size: collecting first and then joining would take the mail's size twice.
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        while let Some(piece) = object.body.next().await {
            let piece =
                piece.map_err(|error| StoreError::Unavailable(format!("GetObject ended early: {}", chain(&error))))?;
            bytes.extend_from_slice(&piece);
            let read = bytes.len() as u64;
            if read > LARGEST_MAIL {
                return Err(StoreError::TooLarge(read));
            }
        }
        Ok(Some(bytes))
    }
}

/// What AWS says. `SdkError`'s own words are the constant "service error".
fn in_words(error: &SdkError<GetObjectError>) -> String {
    let Some(code) = error.code() else { return format!("GetObject: {}", chain(error)) };
    let message = error.message().unwrap_or("no message");
    let request = error.request_id().unwrap_or("unknown");
    format!("GetObject {code}: {message} (request {request})")
}
