//! HTTP to servers outside AWS: one request, one answer, no retries.
//!
//! The connector is that of the AWS clients (rustls with ring), created at its first use. TLS is always verified.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_smithy_http_client::{
    Connector,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorSettings},
        orchestrator::HttpRequest,
    },
    http::{Headers, Response},
};
use aws_smithy_types::body::SdkBody;
use contract::secret::Secret;
use http_body_util::BodyExt;
use thiserror::Error;

use crate::{
    Deadline,
    known::{redact, remember},
    store::LARGEST_OBJECT,
    text::{self, chain},
};

const CONNECT: Duration = Duration::from_secs(3);
/// Timeout until an answer was received completely.
const ANSWER: Duration = Duration::from_secs(8);
/// Part of the invocation's time that is kept free, for the log line.
const MARGIN: Duration = Duration::from_millis(1500);
/// Response size limit, in bytes (the largest expected response is an object).
const LARGEST_ANSWER: u64 = LARGEST_OBJECT;
/// Length limit of the quotation from an error answer, in characters.
const LONGEST_QUOTE: usize = 600;

/// An answer to a request.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status of the answer.
    pub status: u16,
    /// Headers of the answer.
    pub headers: Headers,
    /// Body of the answer, complete.
    pub body: Vec<u8>,
    /// Time that the server asks to wait; `None` if it asks for none.
    pub retry_after: Option<Duration>,
}

impl Answer {
    /// Returns a header's value; `None` if it is missing or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// Returns the server's error message, in one line and without secrets: some servers repeat what they were sent.
    pub fn quote(&self) -> String {
        let start = self.body.get(..self.body.len().min(16 * 1024)).unwrap_or_default();
        text::cut(&redact(&text::line(&String::from_utf8_lossy(start))), LONGEST_QUOTE)
    }
}

/// The reasons why there is no answer. Texts are for people, and begin with the method and the path.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoAnswer {
    /// The invocation is about to end: the request was not sent.
    #[error("the invocation's time is up")]
    TimeIsUp,
    /// The request is malformed and was not sent.
    #[error("{0}")]
    NoRequest(String),
    /// The answer is larger than any expected one. The number is its size, in bytes.
    #[error("the answer has {0} bytes")]
    TooLarge(u64),
    /// The connection failed: whether the request arrived is unknown.
    #[error("{0}")]
    Lost(String),
}

/// Certificate authorities that are trusted besides the public ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCa {
    /// Environment variable that holds them.
    pub variable: &'static str,
    /// Certificates of the authorities, as PEM.
    pub pem: String,
}

/// A client for one server.
#[derive(Debug)]
pub struct Http {
    base: String,
    ca: Option<OwnCa>,
    /// `true` if paths are secret, and are told to nobody.
    hides_paths: bool,
    connector: OnceLock<Connector>,
    /// Deadline of the invocation, in milliseconds since the epoch.
    deadline: AtomicU64,
    calls: AtomicU64,
}

impl Http {
    /// Returns a client for the server at that URL, without a slash at its end.
    pub fn new(base: String, ca: Option<OwnCa>) -> Self {
        let (deadline, calls) = (AtomicU64::new(u64::MAX), AtomicU64::new(0));
        Self { base, ca, hides_paths: false, connector: OnceLock::new(), deadline, calls }
    }

    /// Returns a client for a server that knows its senders by this path, which no error names.
    pub fn to_secret(base: String, path: &Secret, ca: Option<OwnCa>) -> Self {
        remember(path);
        Self { hides_paths: true, ..Self::new(base, ca) }
    }

    /// Sets the invocation's deadline: no request begins shortly before it or later.
    pub fn until(&self, deadline: Deadline) {
        self.deadline.store(deadline.earlier(MARGIN).as_millis(), Ordering::Relaxed);
    }

    /// Returns the time that is left for requests.
    pub fn left(&self) -> Duration {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Duration::from_millis(self.deadline.load(Ordering::Relaxed)).saturating_sub(now)
    }

    /// Returns the number of requests that were sent.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Creates the connector ahead of the first request: reading the certificates is the most expensive part.
    pub fn prepare(&self) {
        // A fault of the certificates is reported by the first request.
        let _is_said_later = self.connector();
    }

    /// Sends a request with JSON, or without a body, once.
    pub fn send<'call>(
        &'call self,
        method: &'call str,
        path: &'call str,
        headers: &[(&'static str, String)],
        body: Option<Vec<u8>>,
    ) -> impl Future<Output = Result<Answer, NoAnswer>> + 'call {
        let json = || "application/json".to_owned();
        let of_body = body.as_ref().map(|_| ("content-type", json()));
        let fixed = [("accept", json())].into_iter().chain(of_body);
        let body = body.map_or_else(SdkBody::empty, SdkBody::from);
        self.send_body(method, path, fixed.chain(headers.iter().cloned()).collect(), body)
    }

    /// Sends a request once.
    pub async fn send_body(
        &self,
        method: &str,
        path: &str,
        headers: Vec<(&'static str, String)>,
        body: SdkBody,
    ) -> Result<Answer, NoAnswer> {
        let left = self.left();
        if left.is_zero() {
            return Err(NoAnswer::TimeIsUp);
        }
        let place = if self.hides_paths { &self.base } else { path.split('?').next().unwrap_or_default() };
        let what = format!("{method} {place}");
        let request = self
            .request(method, path, &headers, body)
            .map_err(|error| NoAnswer::NoRequest(format!("{what}: {error}")))?;
        self.calls.fetch_add(1, Ordering::Relaxed);
        match tokio::time::timeout(ANSWER.min(left), self.exchange(request)).await {
            Ok(Err(NoAnswer::Lost(reason))) => Err(NoAnswer::Lost(redact(&format!("{what}: {reason}")))),
            Ok(ended) => ended,
            Err(_) => Err(NoAnswer::Lost(format!("{what}: no answer in time"))),
        }
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&'static str, String)],
        body: SdkBody,
    ) -> Result<HttpRequest, String> {
        let length = body.content_length().filter(|length| *length > 0 || matches!(method, "PUT" | "POST"));
        let mut request = HttpRequest::new(body);
        request.set_method(method).map_err(|error| error.to_string())?;
        request.set_uri(format!("{}{path}", self.base)).map_err(|error| error.to_string())?;
        let length = length.map(|length| ("content-length", length.to_string()));
        let fixed = [("user-agent", "provision".to_owned())];
        for (name, value) in fixed.iter().chain(&length).chain(headers) {
            // The value may be the token, so it is not repeated.
            request
                .headers_mut()
                .try_insert(*name, value.clone())
                .map_err(|_| format!("`{name}` is not a valid header"))?;
        }
        Ok(request)
    }

    async fn exchange(&self, request: HttpRequest) -> Result<Answer, NoAnswer> {
        let has_body = request.method() != "HEAD";
        let connector = self.connector().map_err(NoAnswer::Lost)?;
        let response = connector.call(request).await.map_err(|error| NoAnswer::Lost(chain(&error)))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let retry_after = headers.get("retry-after").and_then(|value| value.trim().parse().ok());
        let length = headers.get("content-length").filter(|_| has_body).and_then(|length| length.parse().ok());
        let body = read(response, length.unwrap_or_default()).await?;
        Ok(Answer { status, headers, body, retry_after: retry_after.map(Duration::from_secs) })
    }
}

/// Reads a body into one buffer of the right size: collecting the chunks and joining them would take its size twice.
async fn read(mut response: Response, announced: u64) -> Result<Vec<u8>, NoAnswer> {
    let fits = |length: u64| if length > LARGEST_ANSWER { Err(NoAnswer::TooLarge(length)) } else { Ok(()) };
    fits(announced)?;
    let mut bytes = Vec::with_capacity(usize::try_from(announced).unwrap_or_default());
    let mut body = pin!(response.take_body());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| NoAnswer::Lost(format!("the answer ended early: {}", chain(&*error))))?;
        if let Ok(data) = frame.into_data() {
            bytes.extend_from_slice(&data);
            fits(bytes.len() as u64)?;
        }
    }
    Ok(bytes)
}

impl Http {
    fn connector(&self) -> Result<&Connector, String> {
        if let Some(connector) = self.connector.get() {
            return Ok(connector);
        }
        // The library panics on unreadable certificates.
        let made = catch_unwind(AssertUnwindSafe(|| connector(&self.base, self.ca.as_ref())));
        let variable = self.ca.as_ref().map_or("the system", |ca| ca.variable);
        let made = made.map_err(|_| format!("the certificates of `{variable}` cannot be read"))?;
        Ok(self.connector.get_or_init(|| made))
    }
}

fn connector(base: &str, ca: Option<&OwnCa>) -> Connector {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT).build();
    let builder = Connector::builder().connector_settings(settings);
    if base.starts_with("http://") {
        return builder.build_http();
    }
    let store = ca.into_iter().fold(TrustStore::default(), |store, ca| store.with_pem_certificate(ca.pem.as_bytes()));
    let builder = builder.tls_provider(Provider::Rustls(CryptoMode::Ring));
    match TlsContext::builder().with_trust_store(store).build() {
        Ok(context) => builder.tls_context(context).build(),
        Err(_) => builder.build(),
    }
}
