//! NetBox over HTTP: one request, one answer, and what an answer that is no success means.
//!
//! The connector is that of the AWS clients (rustls with ring), made when it is first needed. TLS is always verified.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
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
    http::Response,
};
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt, Limited};

use super::super::records::Fault;

const CONNECT: Duration = Duration::from_secs(3);
/// Until an answer has come as a whole.
const ANSWER: Duration = Duration::from_secs(8);
/// What is kept of the invocation's time, for the log line.
const MARGIN: Duration = Duration::from_millis(1500);
/// A page of notifications has at most five bodies.
const LARGEST_ANSWER: usize = 32 * 1024 * 1024;
/// What is told of an answer that is no success. Characters.
const LONGEST_QUOTE: usize = 600;

/// What NetBox has answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) retry_after: Option<Duration>,
}

/// The way to one NetBox.
#[derive(Debug)]
pub(super) struct Http {
    base: String,
    ca: Option<String>,
    connector: OnceLock<Connector>,
    /// Milliseconds since the epoch.
    deadline: AtomicU64,
    calls: AtomicU64,
}

impl Http {
    /// To the NetBox at that URL, without a slash at its end; `ca` is trusted besides the roots of the system, as PEM.
    pub(super) fn new(base: String, ca: Option<String>) -> Self {
        let (deadline, calls) = (AtomicU64::new(u64::MAX), AtomicU64::new(0));
        Self { base, ca, connector: OnceLock::new(), deadline, calls }
    }

    /// Nothing is begun after this.
    pub(super) fn until(&self, deadline: SystemTime) {
        let since = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().saturating_sub(MARGIN);
        self.deadline.store(u64::try_from(since.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// The time that is left.
    pub(super) fn left(&self) -> Duration {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Duration::from_millis(self.deadline.load(Ordering::Relaxed)).saturating_sub(now)
    }

    /// How many requests were sent.
    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Sends a request once.
    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&'static str, String)],
        body: Option<Vec<u8>>,
    ) -> Result<Answer, Fault> {
        let left = self.left();
        if left.is_zero() {
            return Err(Fault::Unavailable("the invocation's time is up".to_owned()));
        }
        let what = format!("{method} {}", path.split('?').next().unwrap_or_default());
        let request =
            self.request(method, path, headers, body).map_err(|error| Fault::Refused(format!("{what}: {error}")))?;
        self.calls.fetch_add(1, Ordering::Relaxed);
        match tokio::time::timeout(ANSWER.min(left), self.exchange(request)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(reason)) => Err(Fault::Transient(format!("{what}: {reason}"))),
            Err(_) => Err(Fault::Transient(format!("{what}: no answer in time"))),
        }
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&'static str, String)],
        body: Option<Vec<u8>>,
    ) -> Result<HttpRequest, String> {
        let length = body.as_ref().map(Vec::len);
        let mut request = HttpRequest::new(body.map_or_else(SdkBody::empty, SdkBody::from));
        request.set_method(method).map_err(|error| error.to_string())?;
        request.set_uri(format!("{}{path}", self.base)).map_err(|error| error.to_string())?;
        let fixed = [("accept", "application/json".to_owned()), ("user-agent", "provision".to_owned())];
        let of_body = length
            .map(|length| [("content-type", "application/json".to_owned()), ("content-length", length.to_string())]);
        for (name, value) in fixed.iter().chain(of_body.iter().flatten()).chain(headers) {
            // The value may be the token: it is not repeated.
            request.headers_mut().try_insert(*name, value.clone()).map_err(|_| format!("`{name}` is no header"))?;
        }
        Ok(request)
    }

    async fn exchange(&self, request: HttpRequest) -> Result<Answer, String> {
        let connector = self.connector()?;
        let mut response: Response = connector.call(request).await.map_err(|error| chain(&error))?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get("retry-after").and_then(|value| value.trim().parse().ok());
        let body = Limited::new(response.take_body(), LARGEST_ANSWER).collect().await;
        let body = body.map_err(|error| format!("the answer ended early: {}", chain(&*error)))?.to_bytes().to_vec();
        Ok(Answer { status, body, retry_after: retry_after.map(Duration::from_secs) })
    }
}

impl Http {
    fn connector(&self) -> Result<&Connector, String> {
        if let Some(connector) = self.connector.get() {
            return Ok(connector);
        }
        // The library panics over certificates that cannot be read.
        let made = catch_unwind(AssertUnwindSafe(|| connector(&self.base, self.ca.as_deref())));
        let made = made.map_err(|_| "the certificates of `NETBOX_CA` cannot be read".to_owned())?;
        Ok(self.connector.get_or_init(|| made))
    }
}

fn connector(base: &str, ca: Option<&str>) -> Connector {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT).build();
    let builder = Connector::builder().connector_settings(settings);
    if base.starts_with("http://") {
        return builder.build_http();
    }
    let store = ca.into_iter().fold(TrustStore::default(), |store, pem| store.with_pem_certificate(pem.as_bytes()));
    let builder = builder.tls_provider(Provider::Rustls(CryptoMode::Ring));
    match TlsContext::builder().with_trust_store(store).build() {
        Ok(context) => builder.tls_context(context).build(),
        Err(_) => builder.build(),
    }
}

/// An error and its causes.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut words: Vec<String> = Vec::new();
    for cause in causes.map(ToString::to_string) {
        if !words.last().is_some_and(|last| last.contains(&cause)) {
            words.push(cause);
        }
    }
    words.join(": ")
}

impl Answer {
    /// What an answer means that is no success. NetBox says 403 to credentials that are missing or wrong, too.
    pub(super) fn fault(&self, what: &str) -> Fault {
        let said = format!("{what}: NetBox answers {}: {}", self.status, self.quote());
        match self.status {
            412 => Fault::Conflict(said),
            400 | 404 | 409 => Fault::Rejected(said),
            401 | 403 | 405 => Fault::Unavailable(said),
            429 | 502 | 503 | 504 => Fault::Transient(said),
            // Django's own error page, and what ends with a connection to the database.
            500 if self.exception().is_none_or(|name| name == "OperationalError" || name == "InterfaceError") => {
                Fault::Transient(said)
            }
            500 if self.exception().as_deref() == Some("IntegrityError") => Fault::Conflict(said),
            _ => Fault::Refused(said),
        }
    }

    fn exception(&self) -> Option<String> {
        let body: serde_json::Value = serde_json::from_slice(&self.body).ok()?;
        Some(body.get("exception")?.as_str()?.to_owned())
    }

    /// NetBox's own words, in one line.
    pub(super) fn quote(&self) -> String {
        let start = self.body.get(..self.body.len().min(16 * 1024)).unwrap_or_default();
        let text = super::super::fields::line(&String::from_utf8_lossy(start));
        super::super::fields::cut(&text, LONGEST_QUOTE)
    }
}
