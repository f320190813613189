//! KMS, of which one call is needed. Its protocol is JSON: a target in a header, and documents.

use aws_config::SdkConfig;
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError},
};
use aws_smithy_types::{
    body::SdkBody,
    error::{ErrorMetadata, metadata::ProvideErrorMetadata},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{OrFail, operation::Caller};
use engine::Failure;

/// A client of KMS.
#[derive(Debug, Clone)]
pub struct Client(Caller);

/// A key, as `DescribeKey` of KMS answers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Key {
    /// ARN of the key, whatever it was asked for by.
    pub arn: String,
    /// State: `Enabled`, `Disabled`, `PendingDeletion`, or another one in which it cannot be used.
    pub key_state: String,
    /// Use: `ENCRYPT_DECRYPT`, or another one that encrypts nothing.
    pub key_usage: String,
    /// Sort of the key: `SYMMETRIC_DEFAULT`, or another one, by which services do not encrypt.
    #[serde(default)]
    pub key_spec: String,
}

/// A refusal of KMS.
#[derive(Debug)]
struct Refusal(ErrorMetadata);

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for Refusal {}

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

const DESCRIBE: &str = "kms.DescribeKey";

impl Client {
    /// Returns a client for the region of the configuration, or for the endpoint that it names.
    pub fn new(config: &SdkConfig) -> Self {
        Self(Caller::new(config, "KMS", "kms"))
    }

    /// Describes a key by its id, its ARN, or the name or ARN of an alias; `None` if it does not exist.
    pub async fn describe_key(&self, key: &str) -> Result<Option<Key>, Failure> {
        let operation = self.0.operation("DescribeKey", request, answer);
        operation.invoke(json!({ "KeyId": key }).to_string()).await.or_absent(DESCRIBE)
    }
}

fn request(body: String) -> Result<HttpRequest, BoxError> {
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("POST")?;
    request.set_uri("/")?;
    request.headers_mut().insert("content-type", "application/x-amz-json-1.1");
    request.headers_mut().insert("x-amz-target", "TrentService.DescribeKey");
    Ok(request)
}

/// The document of an answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    key_metadata: Key,
}

fn answer(response: &HttpResponse) -> Result<Key, OrchestratorError<Refusal>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        let described = serde_json::from_slice::<Described>(body);
        return described
            .map(|described| described.key_metadata)
            .map_err(|error| OrchestratorError::other(format!("the answer is not understood: {error}")));
    }
    // A server in between may answer in any form: then the status is all there is.
    let told: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |names: [&str; 2]| names.iter().find_map(|name| told.get(name)?.as_str());
    let metadata = ErrorMetadata::builder();
    let metadata = match text(["__type", "code"]) {
        Some(code) => metadata.code(code).message(text(["message", "Message"]).unwrap_or_default()),
        None => metadata
            .message(format!("the answer has the status {} and is not an answer of AWS", response.status().as_u16())),
    };
    Err(OrchestratorError::operation(Refusal(metadata.build())))
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::http::StatusCode;

    use super::*;

    fn answered(status: u16, body: &str) -> Result<Key, OrchestratorError<Refusal>> {
        answer(&HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body.to_owned())))
    }

    /// The example in KMS's API reference, `DescribeKey`, without what is not read.
    const DESCRIBED: &str = r#"{"KeyMetadata": {"AWSAccountId": "111122223333",
        "Arn": "arn:aws:kms:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", "CreationDate": 1.499288695918E9,
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT", "Enabled": true, "KeyManager": "CUSTOMER", "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyState": "Enabled", "KeyUsage": "ENCRYPT_DECRYPT", "MultiRegion": false}}"#;

    #[test]
    fn a_key_and_a_refusal_are_read() {
        let key = answered(200, DESCRIBED).unwrap();
        assert_eq!(
            (key.key_state.as_str(), key.key_usage.as_str(), key.key_spec.as_str()),
            ("Enabled", "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT")
        );
        assert!(key.arn.ends_with("key/1234abcd-12ab-34cd-56ef-1234567890ab"));
        for (status, body, code) in [
            (
                400,
                r#"{"__type": "NotFoundException", "message": "Key 'arn' does not exist"}"#,
                Some("NotFoundException"),
            ),
            (400, r#"{"__type": "AccessDeniedException", "Message": "not allowed"}"#, Some("AccessDeniedException")),
            (502, "<html>Bad gateway", None),
        ] {
            let error = answered(status, body).unwrap_err();
            assert_eq!(error.as_operation_error().and_then(ProvideErrorMetadata::code), code, "{body}");
        }
        assert!(answered(200, "{}").is_err());
    }
}
