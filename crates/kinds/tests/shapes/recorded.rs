//! An account that answers as it was recorded.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use aws::{Aws, Clients, Pacing, Realm, Turnstile};
use aws_sdk_s3::config::{
    BehaviorVersion, ConfigBag, Credentials, HttpClient, Intercept, Region, RuntimeComponents,
    SharedCredentialsProvider, interceptors::BeforeTransmitInterceptorContextMut, retry::RetryConfig,
};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        http::{HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse, Metadata},
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use engine::Stack;
use kinds::{Kind, Session, tagged::Listed};

use crate::cbor;

/// The account, region and stack of every shape.
const ACCOUNT: &str = "123456789012";
const REGION: &str = "eu-west-1";
const STACK: &str = "circuits";

/// The answer to one call.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: u16,
    /// Error code; `None` if there is a body.
    code: Option<String>,
    body: String,
}

impl Answer {
    /// Reads `STATUS`, or `STATUS CODE` for an error without a body.
    pub(crate) fn new(line: &str, body: &str) -> Self {
        let (status, code) =
            line.split_once(' ').map_or((line, None), |(status, code)| (status, Some(code.to_owned())));
        Self { status: status.parse().unwrap(), code, body: body.to_owned() }
    }

    /// Returns the answer in the protocol of a service.
    fn response(&self, service: &str) -> HttpResponse {
        let code = self.code.as_deref();
        let body = match (service, code) {
            ("s3", Some(code)) => format!("<Error><Code>{code}</Code><Message>not there</Message></Error>"),
            ("ec2", Some(code)) => {
                format!(
                    "<Response><Errors><Error><Code>{code}</Code></Error></Errors><RequestID>r</RequestID></Response>"
                )
            }
            ("iam" | "ses" | "sns", Some(code)) => {
                format!(
                    "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code></Error><RequestId>r</RequestId></ErrorResponse>"
                )
            }
            (_, Some(code)) => format!(r#"{{"__type": "{code}", "message": "not there"}}"#),
            (_, None) => self.body.clone(),
        };
        let body = if service == "cloudwatch" { SdkBody::from(cbor::from_json(&body)) } else { SdkBody::from(body) };
        let mut response = HttpResponse::new(StatusCode::try_from(self.status).unwrap(), body);
        if service == "cloudwatch" {
            response.headers_mut().insert("smithy-protocol", "rpc-v2-cbor");
        }
        if let Some(code) = code {
            response.headers_mut().insert("x-amzn-errortype", code.to_owned());
        }
        response
    }
}

/// The answers about one resource, by call.
#[derive(Debug, Clone)]
pub(crate) struct Answers {
    by_call: Arc<BTreeMap<String, Answer>>,
    unlisted: Arc<Mutex<BTreeSet<String>>>,
}

/// Answers of the services about resources that do not exist, by call.
static ABSENT: LazyLock<BTreeMap<String, Answer>> = LazyLock::new(|| {
    let lines = include_str!("absent").lines().filter(|line| !line.starts_with('#'));
    let answer = |line: &str| {
        let (call, rest) = line.split_once(' ').unwrap();
        let (status, rest) = rest.split_once(' ').unwrap();
        let is_body = rest.starts_with(['<', '{']);
        let answer = if is_body { Answer::new(status, rest) } else { Answer::new(&format!("{status} {rest}"), "") };
        (call.to_owned(), answer)
    };
    lines.map(answer).collect()
});

impl Answers {
    pub(crate) fn new(answers: impl Iterator<Item = (String, Answer)>) -> Self {
        Self { by_call: Arc::new(answers.collect()), unlisted: Arc::default() }
    }

    /// Returns the answers with one changed: every place of a part in it, or all of it for the part `*`.
    pub(crate) fn with(&self, call: &str, from: &str, to: &str) -> Self {
        let mut by_call = (*self.by_call).clone();
        if from == "*" {
            let (status, body) = to.split_once(' ').unwrap();
            by_call.insert(call.to_owned(), Answer::new(status, body));
            return Self { by_call: Arc::new(by_call), unlisted: Arc::default() };
        }
        let answer = by_call.get_mut(call).unwrap_or_else(|| panic!("the shape has no {call}"));
        assert!(answer.body.contains(from), "{call} has no `{from}`");
        answer.body = answer.body.replace(from, to);
        Self { by_call: Arc::new(by_call), unlisted: Arc::default() }
    }

    /// Returns `true` if some call of a service is answered: `ec2.`.
    fn have(&self, service: &str) -> bool {
        self.by_call.keys().any(|call| call.starts_with(service))
    }

    /// Returns the calls that no shape and no table answers.
    pub(crate) fn unlisted(&self) -> BTreeSet<String> {
        self.unlisted.lock().unwrap().clone()
    }
}

impl HttpClient for Answers {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Answers {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let call = request.headers().get(CALL).unwrap().to_owned();
        let service = call.split('.').next().unwrap();
        let answer = self.by_call.get(&call).or_else(|| ABSENT.get(&call)).cloned().unwrap_or_else(|| {
            self.unlisted.lock().unwrap().insert(call.clone());
            Answer::new("501 NotRecorded", "")
        });
        HttpConnectorFuture::ready(Ok(answer.response(service)))
    }
}

/// Header with the name of a call, which the SDK knows and a request hardly shows.
const CALL: &str = "x-recorded-call";

#[derive(Debug, Clone)]
struct Named;

impl Intercept for Named {
    fn name(&self) -> &'static str {
        "name of the call"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let call = cfg.load::<Metadata>().unwrap();
        let service = match call.service() {
            "CloudWatch Logs" => "logs".to_owned(),
            other => other.to_lowercase().replace(' ', ""),
        };
        context.request_mut().headers_mut().insert(CALL, format!("{service}.{}", call.name()));
        Ok(())
    }
}

/// Returns a session in an account that answers so.
pub(crate) fn session(answers: &Answers) -> Session {
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static(REGION))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "test")))
        .retry_config(RetryConfig::disabled())
        .http_client(answers.clone())
        .build();
    let clients = Clients::observed(&config, &Named);
    let stack = Stack { name: STACK.to_owned(), stage: None, region: REGION.to_owned() };
    let aws = Aws {
        read: clients.clone(),
        write: clients,
        realm: Realm { region: REGION.to_owned(), account: ACCOUNT.to_owned() },
        pacing: Pacing { receipt_rules: Duration::ZERO, apis: Duration::ZERO, ..Pacing::default() },
        receipt_rules: Turnstile::new(Duration::ZERO),
        apis: Turnstile::new(Duration::ZERO),
    };
    let session = Session::new(aws, stack, Listed { index: Ok(Vec::new()), roles: Ok(Vec::new()) });
    if answers.have("ec2.") {
        session.networks.declare(Kind::ALL.iter().copied());
    }
    session
}
