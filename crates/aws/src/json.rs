//! Services that take documents and have no generated client here: `DynamoDB`, MSK, and version 2 of SES.
//!
//! Their generated clients take as long to compile as all others together. Calls run on the runtime of the generated clients all the
//! same: its credentials, signature, clock, retries, timeouts and user agent are theirs.

use std::fmt;

use aws_config::SdkConfig;
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, SharedInterceptor},
        orchestrator::{HttpRequest, HttpResponse, OrchestratorError},
    },
};
use aws_smithy_types::{
    body::SdkBody,
    error::{ErrorMetadata, metadata::ProvideErrorMetadata},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::{OrFail, operation::Caller};
use engine::{Class, Failure};

/// Maximum number of pages: a service that never ends its list does not block a run.
const MOST_PAGES: usize = 500;
/// Characters of a part of a path, or of a query, that are not escaped.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A service that takes documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// Id as in the environment variable `AWS_ENDPOINT_URL_KAFKA`, in AWS's own case.
    pub id: &'static str,
    /// Name in the host.
    pub host: &'static str,
    /// Name in the signature.
    pub signed_as: &'static str,
    /// Name in errors, before the action.
    pub name: &'static str,
    /// Protocol of its calls.
    protocol: Protocol,
}

/// The protocols. Names of the calls: botocore 1.44.8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    /// Every call is a `POST /` whose header `x-amz-target` names it, behind this prefix; the version of the document's type.
    Target(&'static str, &'static str),
    /// Method and path name the call.
    Rest,
}

/// `DynamoDB`, the service of tables.
pub const DYNAMODB: Service = Service {
    id: "DynamoDB",
    host: "dynamodb",
    signed_as: "dynamodb",
    name: "dynamodb",
    protocol: Protocol::Target("DynamoDB_20120810", "1.0"),
};
/// MSK: clusters of Kafka and their topics.
pub const KAFKA: Service =
    Service { id: "Kafka", host: "kafka", signed_as: "kafka", name: "kafka", protocol: Protocol::Rest };
/// SES, version 2 of its interface: version 1 has neither tags of configuration sets nor all types of events.
pub const SES: Service =
    Service { id: "SESv2", host: "email", signed_as: "ses", name: "sesv2", protocol: Protocol::Rest };

/// A call: its action, its method and path where they name it, and its document.
///
/// ```
/// use aws::json::Call;
///
/// let arn = "arn:aws:kafka:eu-west-1:123456789012:cluster/events/1b2c";
/// let call = Call::get("DescribeTopic", &["v1", "clusters", arn, "topics", "messages"]).with_query("maxResults", "1");
/// assert_eq!(
///     call.uri(),
///     "/v1/clusters/arn%3Aaws%3Akafka%3Aeu-west-1%3A123456789012%3Acluster%2Fevents%2F1b2c/topics/messages?maxResults=1"
/// );
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    action: &'static str,
    method: &'static str,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Value>,
}

impl Call {
    /// Returns a call that its action names, with its document.
    pub fn new(action: &'static str, body: Value) -> Self {
        Self { action, method: "POST", path: "/".to_owned(), query: Vec::new(), body: Some(body) }
    }

    /// Returns a call of a method, with the parts of its path.
    fn rest(action: &'static str, method: &'static str, path: &[&str], body: Option<Value>) -> Self {
        let parts: Vec<String> = path.iter().map(|part| utf8_percent_encode(part, IN_PATH).to_string()).collect();
        let path = format!("/{}", parts.join("/"));
        Self { action, method, path, query: Vec::new(), body }
    }

    /// Returns a call that reads.
    pub fn get(action: &'static str, path: &[&str]) -> Self {
        Self::rest(action, "GET", path, None)
    }

    /// Returns a call that makes something.
    pub fn post(action: &'static str, path: &[&str], body: Value) -> Self {
        Self::rest(action, "POST", path, Some(body))
    }

    /// Returns a call that changes something.
    pub fn put(action: &'static str, path: &[&str], body: Value) -> Self {
        Self::rest(action, "PUT", path, Some(body))
    }

    /// Returns a call that changes a part of something.
    pub fn patch(action: &'static str, path: &[&str], body: Value) -> Self {
        Self::rest(action, "PATCH", path, Some(body))
    }

    /// Returns a call that deletes something.
    pub fn delete(action: &'static str, path: &[&str]) -> Self {
        Self::rest(action, "DELETE", path, None)
    }

    /// Adds a parameter of the query; one that is there already becomes a list.
    #[must_use]
    pub fn with_query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Returns path and query, as they are sent.
    pub fn uri(&self) -> String {
        let encoded = |text: &str| utf8_percent_encode(text, IN_PATH).to_string();
        let pairs = self.query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
        let query = pairs.collect::<Vec<_>>().join("&");
        if query.is_empty() { self.path.clone() } else { format!("{}?{query}", self.path) }
    }
}

/// A client of one service.
#[derive(Debug, Clone)]
pub struct Client {
    service: Service,
    caller: Caller,
}

impl Client {
    /// Returns a client for the region of the configuration, or for the endpoint that `AWS_ENDPOINT_URL_<SERVICE>`, a profile or
    /// `AWS_ENDPOINT_URL` names.
    pub fn new(config: &SdkConfig, service: Service) -> Self {
        Self { service, caller: Caller::signed_as(config, service.id, service.host, service.signed_as) }
    }

    /// Makes a client as `new` does, with an observer of its calls.
    pub fn observed(config: &SdkConfig, service: Service, observer: impl Intercept + 'static) -> Self {
        let client = Self::new(config, service);
        Self { caller: client.caller.with(SharedInterceptor::new(observer)), ..client }
    }

    /// Makes a call and returns the answer's document; null for an empty answer.
    pub async fn call(&self, call: Call) -> Result<Value, Failure> {
        self.sent(call).await.map(Option::unwrap_or_default)
    }

    /// Makes a call and returns the answer's document; `None` if what it is about does not exist.
    pub async fn find(&self, call: Call) -> Result<Option<Value>, Failure> {
        match self.sent(call).await {
            Ok(answer) => Ok(Some(answer.unwrap_or_default())),
            Err(failure) if failure.class == Class::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn sent(&self, call: Call) -> Result<Option<Value>, Failure> {
        let name = format!("{}.{}", self.service.name, call.action);
        let operation = self.caller.operation(call.action, request, answer);
        operation.invoke((self.service.protocol, call)).await.or_fail(&name)
    }

    /// Makes a call for every page of a list, and returns the members of all. `token` is its name in the query and in the answer.
    pub async fn pages(&self, call: Call, list: &str, token: (&str, &str)) -> Result<Vec<Value>, Failure> {
        let mut members = Vec::new();
        let mut page = call.clone();
        for _ in 0..MOST_PAGES {
            let answer = self.call(page).await?;
            members.extend(answer.get(list).and_then(Value::as_array).into_iter().flatten().cloned());
            match answer.get(token.1).and_then(Value::as_str).filter(|next| !next.is_empty()) {
                Some(next) => page = call.clone().with_query(token.0, next),
                None => return Ok(members),
            }
        }
        let name = format!("{}.{}", self.service.name, call.action);
        Err(Failure::found(&name, Class::Other, format!("the list has no end after {MOST_PAGES} pages")))
    }
}

fn request((protocol, call): (Protocol, Call)) -> Result<HttpRequest, BoxError> {
    let body = call.body.as_ref().map(Value::to_string);
    let mut request = HttpRequest::new(body.clone().map_or_else(SdkBody::empty, SdkBody::from));
    request.set_method(call.method)?;
    request.set_uri(call.uri())?;
    match protocol {
        Protocol::Target(prefix, version) => {
            request.headers_mut().insert("content-type", format!("application/x-amz-json-{version}"));
            request.headers_mut().insert("x-amz-target", format!("{prefix}.{}", call.action));
        }
        Protocol::Rest if body.is_some() => {
            request.headers_mut().insert("content-type", "application/json");
        }
        Protocol::Rest => {}
    }
    Ok(request)
}

/// A refusal of a service.
#[derive(Debug)]
struct Refusal(ErrorMetadata);

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for Refusal {}

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

fn answer(response: &HttpResponse) -> Result<Option<Value>, OrchestratorError<Refusal>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let document = serde_json::from_slice::<Value>(body);
        return document
            .map(Some)
            .map_err(|error| OrchestratorError::other(format!("the answer is not understood: {error}")));
    }
    Err(OrchestratorError::operation(refusal(response, body)))
}

/// Reads a refusal. A server in between may answer in any form: then the status is all there is.
fn refusal(response: &HttpResponse, body: &[u8]) -> Refusal {
    let told: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |names: [&str; 2]| names.iter().find_map(|name| told.get(name)?.as_str());
    let code = response.headers().get("x-amzn-errortype").or_else(|| text(["__type", "code"]));
    // The code may be followed by the address of its description.
    let code = code.and_then(|code| code.split(':').next()).filter(|code| !code.is_empty());
    let metadata = ErrorMetadata::builder();
    Refusal(if let Some(code) = code {
        metadata.code(code).message(text(["message", "Message"]).unwrap_or_default()).build()
    } else {
        let words = format!("the answer has the status {} and is not an answer of AWS", response.status().as_u16());
        metadata.message(words).build()
    })
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::http::StatusCode;

    use super::*;

    fn response(status: u16, code: Option<&str>, body: &str) -> HttpResponse {
        let mut response = HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body.to_owned()));
        if let Some(code) = code {
            response.headers_mut().insert("x-amzn-errortype", code.to_owned());
        }
        response
    }

    #[test]
    fn a_call_is_written_in_its_protocol() {
        let call = Call::new("DescribeTable", serde_json::json!({"TableName": "mails"}));
        let sent = request((DYNAMODB.protocol, call)).unwrap();
        assert_eq!((sent.method(), sent.uri()), ("POST", "/"));
        assert_eq!(sent.headers().get("x-amz-target"), Some("DynamoDB_20120810.DescribeTable"));
        assert_eq!(sent.headers().get("content-type"), Some("application/x-amz-json-1.0"));
        let call = Call::delete("UntagResource", &["v1", "tags", "arn:a/b"])
            .with_query("tagKeys", "a b")
            .with_query("tagKeys", "c");
        let sent = request((KAFKA.protocol, call)).unwrap();
        assert_eq!((sent.method(), sent.uri()), ("DELETE", "/v1/tags/arn%3Aa%2Fb?tagKeys=a%20b&tagKeys=c"));
        assert_eq!(sent.headers().get("content-type"), None);
    }

    #[test]
    fn answers_and_refusals_are_read_in_every_form() {
        assert_eq!(answer(&response(200, None, "")).unwrap(), None);
        assert_eq!(answer(&response(200, None, "{\"a\": 1}")).unwrap(), Some(serde_json::json!({"a": 1})));
        assert!(answer(&response(200, None, "<html>")).is_err());
        for (status, header, body, code) in [
            (
                400,
                None,
                r#"{"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "message": "no"}"#,
                Some("com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"),
            ),
            (
                404,
                Some("NotFoundException:http://internal.amazon.com/"),
                r#"{"message": "no"}"#,
                Some("NotFoundException"),
            ),
            (502, None, "<html>Bad gateway", None),
        ] {
            let error = answer(&response(status, header, body)).unwrap_err();
            assert_eq!(error.as_operation_error().and_then(ProvideErrorMetadata::code), code, "{body}");
        }
    }
}
