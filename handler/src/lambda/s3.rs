//! Mails and other objects in S3.

use std::{collections::BTreeMap, time::Duration};

use aws_sdk_s3::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region, SharedHttpClient, retry::RetryConfig, timeout::TimeoutConfig},
    error::{ProvideErrorMetadata, SdkError},
    operation::{RequestId, get_object::GetObjectError, head_object::HeadObjectError},
    primitives::{ByteStream, DateTimeFormat},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    echo::{ObjectNote, ObjectNotes},
    pipeline::{
        configuration::Aws,
        store::{Expected, LARGEST_MAIL, MailStore, Object, ObjectStore, StoreError},
    },
    text::chain,
};

/// A key in the header of a copy.
const IN_HEADER: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// Objects in S3.
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

impl S3 {
    /// An object, or the error of the call.
    async fn read(&self, bucket: &str, key: &str) -> Result<Object, ReadError> {
        let mut object = self
            .client
            .get_object()
            .bucket(bucket)
            .key(key)
            .send()
            .await
            .map_err(|error| ReadError::Call(Box::new(error)))?;
        let length = object.content_length().and_then(|length| u64::try_from(length).ok()).unwrap_or_default();
        if length > LARGEST_MAIL {
            return Err(ReadError::Body(StoreError::TooLarge(length)));
        }
        // Into one piece of the right size: collecting first and then joining would take the mail's size twice.
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        while let Some(piece) = object.body.next().await {
            let early = |error| StoreError::Unavailable(format!("GetObject ended early: {}", chain(&error)));
            bytes.extend_from_slice(&piece.map_err(|error| ReadError::Body(early(error)))?);
            let read = bytes.len() as u64;
            if read > LARGEST_MAIL {
                return Err(ReadError::Body(StoreError::TooLarge(read)));
            }
        }
        Ok(Object { bytes, tag: object.e_tag.unwrap_or_default() })
    }
}

/// Why an object was not read.
enum ReadError {
    Call(Box<SdkError<GetObjectError>>),
    Body(StoreError),
}

impl MailStore for S3 {
    async fn get(&self, bucket: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match self.read(bucket, key).await {
            Ok(object) => Ok(Some(object.bytes)),
            Err(ReadError::Call(error)) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
                Ok(None)
            }
            Err(ReadError::Call(error)) => Err(unavailable("GetObject", &error)),
            Err(ReadError::Body(error)) => Err(error),
        }
    }

    async fn delete(&self, bucket: &str, key: &str) -> Result<(), StoreError> {
        let deleted = self.client.delete_object().bucket(bucket).key(key).send().await;
        deleted.map(|_| ()).map_err(|error| unavailable("DeleteObject", &error))
    }
}

impl ObjectStore for S3 {
    async fn fetch(&self, bucket: &str, key: &str) -> Result<Option<Object>, StoreError> {
        match self.read(bucket, key).await {
            Ok(object) => Ok(Some(object)),
            // `AccessDenied` is what S3 says of an object that is not there to whoever may not list the bucket.
            Err(ReadError::Call(error)) if matches!(error.code(), Some("NoSuchKey" | "AccessDenied")) => Ok(None),
            Err(ReadError::Call(error)) => Err(unavailable("GetObject", &error)),
            Err(ReadError::Body(error)) => Err(error),
        }
    }

    async fn put(
        &self,
        bucket: &str,
        key: &str,
        bytes: Vec<u8>,
        media_type: &str,
        expected: Expected,
    ) -> Result<bool, StoreError> {
        let call = self.client.put_object().bucket(bucket).key(key).content_type(media_type);
        let call = match &expected {
            Expected::Anything => call,
            Expected::Nothing => call.if_none_match("*"),
            Expected::Tag(tag) => call.if_match(tag),
        };
        match call.body(ByteStream::from(bytes)).send().await {
            Ok(_) => Ok(true),
            // `NoSuchKey` if what was to be replaced has been deleted meanwhile.
            Err(error)
                if expected != Expected::Anything
                    && matches!(
                        error.code(),
                        Some("PreconditionFailed" | "ConditionalRequestConflict" | "NoSuchKey")
                    ) =>
            {
                Ok(false)
            }
            Err(error) => Err(unavailable("PutObject", &error)),
        }
    }

    async fn copy(&self, from: (&str, &str), to: (&str, &str)) -> Result<(), StoreError> {
        let source = utf8_percent_encode(&format!("{}/{}", from.0, from.1), IN_HEADER).to_string();
        let copied = self.client.copy_object().copy_source(source).bucket(to.0).key(to.1).send().await;
        copied.map(|_| ()).map_err(|error| unavailable("CopyObject", &error))
    }

    async fn pause(&self, about: Duration) {
        tokio::time::sleep(about.mul_f64(0.5 + fastrand::f64())).await;
    }
}

impl ObjectNotes for S3 {
    async fn head(&self, bucket: &str, key: &str) -> Result<Option<ObjectNote>, StoreError> {
        let object = match self.client.head_object().bucket(bucket).key(key).send().await {
            Ok(object) => object,
            Err(error) if error.as_service_error().is_some_and(HeadObjectError::is_not_found) => return Ok(None),
            Err(error) => return Err(StoreError::Unavailable(head_in_words(&error))),
        };
        Ok(Some(ObjectNote {
            size: object.content_length().and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
            etag: object.e_tag().map(|etag| etag.trim_matches('"').to_owned()),
            last_modified: object.last_modified().and_then(|time| time.fmt(DateTimeFormat::DateTime).ok()),
            metadata: object
                .metadata()
                .map(|pairs| pairs.clone().into_iter().collect::<BTreeMap<_, _>>())
                .unwrap_or_default(),
        }))
    }
}

/// What AWS says to a request for the head of an object: its answer has no body, hence no code and no message.
fn head_in_words(error: &SdkError<HeadObjectError>) -> String {
    let Some(answer) = error.raw_response() else { return format!("HeadObject: {}", chain(error)) };
    format!("HeadObject {} (request {})", answer.status(), error.request_id().unwrap_or("unknown"))
}

/// What AWS says. `SdkError`'s own words are the constant "service error".
fn unavailable<Fault>(call: &str, error: &SdkError<Fault>) -> StoreError
where
    Fault: std::error::Error + ProvideErrorMetadata + RequestId + 'static,
{
    let Some(code) = error.code() else { return StoreError::Unavailable(format!("{call}: {}", chain(error))) };
    let message = error.message().unwrap_or("no message");
    let request = error.request_id().unwrap_or("unknown");
    StoreError::Unavailable(format!("{call} {code}: {message} (request {request})"))
}
