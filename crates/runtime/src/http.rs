//! HTTP to servers outside AWS: one request, one answer, no retries.
//!
//! The client is created at its first use. TLS is always verified.

use std::{
    pin::pin,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use contract::secret::Secret;
use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Method, Request, Response,
    body::{Bytes, Incoming},
    header::{HeaderName, HeaderValue},
};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use thiserror::Error;
use tls::{Cause, Connector, OwnCa, cause};
use tower_service::Service as _;

use crate::{
    Deadline,
    known::{redact, remember},
    store::LARGEST_OBJECT,
    text,
};

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
    pub headers: HeaderMap,
    /// Body of the answer, complete.
    pub body: Vec<u8>,
    /// Time that the server asks to wait; `None` if it asks for none.
    pub retry_after: Option<Duration>,
}

impl Answer {
    /// Returns a header's value; `None` if it is missing or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns whether the answer is a failure that another attempt may not meet: too many requests, or a fault of the server.
    pub fn is_trouble(&self) -> bool {
        self.status == 429 || self.status >= 500
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
    /// The invocation is about to end: the request was not sent. The text is the last trouble with the server in this invocation; `None`
    /// if there was none.
    #[error("{}", time_is_up(.0.as_deref()))]
    TimeIsUp(Option<String>),
    /// The request is malformed and was not sent.
    #[error("{0}")]
    NoRequest(String),
    /// No connection is possible until somebody changes something: a certificate that is not trusted, a server that does not speak TLS.
    #[error("{0}")]
    Impossible(String),
    /// The answer is larger than any expected one. The number is its size, in bytes.
    #[error("the answer has {0} bytes")]
    TooLarge(u64),
    /// The connection failed: whether the request arrived is unknown.
    #[error("{0}")]
    Lost(String),
}

fn time_is_up(trouble: Option<&str>) -> String {
    match trouble {
        None => "the invocation's time is up".to_owned(),
        Some(trouble) => format!("{trouble} (tried until the invocation's time was up)"),
    }
}

/// A client for one server.
#[derive(Debug)]
pub struct Http {
    base: String,
    ca: Option<OwnCa>,
    /// `true` if paths are secret, and are told to nobody.
    hides_paths: bool,
    client: OnceLock<Client<Connector, Full<Bytes>>>,
    /// Timeout until an answer was received completely.
    patience: Duration,
    /// Deadline of the invocation, in milliseconds since the epoch.
    deadline: AtomicU64,
    /// Last trouble with the server in this invocation.
    trouble: Mutex<Option<String>>,
    calls: AtomicU64,
}

impl Http {
    /// Returns a client for the server at that URL, without a slash at its end.
    pub fn new(base: String, ca: Option<OwnCa>) -> Self {
        let (deadline, calls) = (AtomicU64::new(u64::MAX), AtomicU64::new(0));
        let (client, trouble) = (OnceLock::new(), Mutex::default());
        Self { base, ca, hides_paths: false, client, patience: ANSWER, deadline, trouble, calls }
    }

    /// Returns a client for a server that knows its senders by this path, which no error names.
    pub fn to_secret(base: String, path: &Secret, ca: Option<OwnCa>) -> Self {
        remember(path);
        Self { hides_paths: true, ..Self::new(base, ca) }
    }

    /// Returns the client with that timeout of an answer, for large bodies.
    #[must_use]
    pub(crate) fn waiting(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Sets the invocation's deadline: no request begins shortly before it or later.
    pub fn until(&self, deadline: Deadline) {
        self.until_before(deadline, MARGIN);
    }

    /// Sets the invocation's deadline, and how much of the time before it is kept free.
    pub(crate) fn until_before(&self, deadline: Deadline, margin: Duration) {
        self.deadline.store(deadline.earlier(margin).as_millis(), Ordering::Relaxed);
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Remembers a trouble that another attempt may overcome: it is the cause if the time is up before one does. The first one of an
    /// invocation is logged at once.
    pub fn note_trouble(&self, trouble: &str) {
        let mut last = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if last.replace(trouble.to_owned()).is_none() {
            tracing::warn!(cause = trouble, "it is tried again");
        }
    }

    /// Returns the address of the server, without a path.
    pub fn base(&self) -> &str {
        &self.base
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

    /// Creates the client ahead of the first request: reading the certificates is the most expensive part.
    pub fn prepare(&self) {
        // A fault of the certificates is reported by the first request.
        let _is_said_later = self.client();
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
        let body = body.map(Bytes::from).unwrap_or_default();
        self.send_body(method, path, fixed.chain(headers.iter().cloned()).collect(), body)
    }

    /// Sends a request once.
    pub async fn send_body(
        &self,
        method: &str,
        path: &str,
        headers: Vec<(&'static str, String)>,
        body: Bytes,
    ) -> Result<Answer, NoAnswer> {
        let left = self.left();
        if left.is_zero() {
            return Err(NoAnswer::TimeIsUp(self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()));
        }
        let place = if self.hides_paths { &self.base } else { path.split('?').next().unwrap_or_default() };
        let what = format!("{method} {place}");
        let request = self
            .request(method, path, headers, body)
            .map_err(|error| NoAnswer::NoRequest(format!("{what}: {error}")))?;
        self.calls.fetch_add(1, Ordering::Relaxed);
        let ended = match tokio::time::timeout(self.patience.min(left), self.exchange(request)).await {
            Ok(Err(NoAnswer::Lost(reason))) => Err(NoAnswer::Lost(redact(&format!("{what}: {reason}")))),
            Ok(Err(NoAnswer::Impossible(reason))) => Err(NoAnswer::Impossible(redact(&format!("{what}: {reason}")))),
            Ok(ended) => ended,
            Err(_) => Err(NoAnswer::Lost(self.silence(&what, left < self.patience))),
        };
        match &ended {
            Ok(answer) if answer.is_trouble() => {
                self.note_trouble(&format!("{what}: the server answers {}: {}", answer.status, answer.quote()));
            }
            Err(NoAnswer::Lost(reason)) => self.note_trouble(reason),
            _ => {}
        }
        ended
    }

    /// Returns why there was no answer in time. A request that the end of the invocation cut short says little: the cause is what the
    /// attempts before it met.
    fn silence(&self, what: &str, is_cut_short: bool) -> String {
        let earlier = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match earlier.as_deref().filter(|_| is_cut_short) {
            Some(trouble) => format!("{trouble}; then no answer in time"),
            None => format!("{what}: no answer in time"),
        }
    }

    /// Connects to the server, and sends no request: TLS is verified.
    pub async fn connect(&self) -> Result<(), NoAnswer> {
        let place = self.base.parse().map_err(|_| NoAnswer::NoRequest("the address cannot be read".to_owned()))?;
        let mut connector = tls::connector(&self.base, self.ca.as_ref()).map_err(NoAnswer::Impossible)?;
        let limit = ANSWER.min(self.left());
        match tokio::time::timeout(limit, connector.call(place)).await {
            Ok(Ok(_connection)) => Ok(()),
            Ok(Err(error)) => Err(self.no_answer(&*error)),
            Err(_) => Err(NoAnswer::Lost(format!("no connection within {} s", limit.as_secs()))),
        }
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        headers: Vec<(&'static str, String)>,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, String> {
        let method = Method::from_bytes(method.as_bytes()).map_err(|error| error.to_string())?;
        let uri = format!("{}{path}", self.base);
        let mut request =
            Request::builder().method(method).uri(uri).body(Full::new(body)).map_err(|error| error.to_string())?;
        for (name, value) in headers.into_iter().chain([("user-agent", "provision".to_owned())]) {
            // The value may be the token, so it is not repeated.
            let value = HeaderValue::try_from(value).map_err(|_| format!("`{name}` is not a valid header"))?;
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
        Ok(request)
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, NoAnswer> {
        let has_body = request.method() != Method::HEAD;
        let client = self.client().map_err(NoAnswer::Impossible)?;
        let response = client.request(request).await.map_err(|error| self.no_answer(&error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut answer = Answer { status, headers, body: Vec::new(), retry_after: None };
        answer.retry_after =
            answer.header("retry-after").and_then(|value| value.trim().parse().ok()).map(Duration::from_secs);
        let length = answer.header("content-length").filter(|_| has_body).and_then(|length| length.parse().ok());
        answer.body = Self::read(response, length.unwrap_or_default()).await?;
        Ok(answer)
    }

    fn no_answer(&self, error: &(dyn std::error::Error + 'static)) -> NoAnswer {
        let Cause { words, is_permanent } = cause(error, self.ca.as_ref());
        if is_permanent { NoAnswer::Impossible(words) } else { NoAnswer::Lost(words) }
    }

    /// Reads a body into one buffer of the right size: collecting the chunks and joining them would take its size twice.
    async fn read(response: Response<Incoming>, announced: u64) -> Result<Vec<u8>, NoAnswer> {
        let fits = |length: u64| if length > LARGEST_ANSWER { Err(NoAnswer::TooLarge(length)) } else { Ok(()) };
        fits(announced)?;
        let mut bytes = Vec::with_capacity(usize::try_from(announced).unwrap_or_default());
        let mut body = pin!(response.into_body());
        while let Some(frame) = body.frame().await {
            let frame = frame
                .map_err(|error| NoAnswer::Lost(format!("the answer ended early: {}", cause(&error, None).words)))?;
            if let Ok(data) = frame.into_data() {
                bytes.extend_from_slice(&data);
                fits(bytes.len() as u64)?;
            }
        }
        Ok(bytes)
    }

    fn client(&self) -> Result<&Client<Connector, Full<Bytes>>, String> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let connector = tls::connector(&self.base, self.ca.as_ref())?;
        let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        Ok(self.client.get_or_init(|| client))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
        thread,
    };

    use super::*;

    /// A server that answers the first request with 503 and is silent from then on.
    fn failing_server() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            let mut silent = Vec::new();
            for (number, stream) in listener.incoming().map_while(Result::ok).enumerate() {
                let mut stream = stream;
                if number == 0 {
                    let _read = stream.read(&mut [0; 1024]);
                    let _written = stream
                        .write_all(b"HTTP/1.1 503 Busy\r\nContent-Length: 9\r\nConnection: close\r\n\r\nnot today");
                } else {
                    silent.push(stream);
                }
            }
        });
        url
    }

    #[tokio::test]
    async fn a_request_that_the_invocations_end_cuts_short_hides_no_cause() {
        let http = Http::new(failing_server(), None);
        http.until(Deadline::at(SystemTime::now() + MARGIN + Duration::from_secs(1)));
        assert_eq!(http.send("GET", "/one", &[], None).await.unwrap().status, 503);
        let Err(error) = http.send("GET", "/two", &[], None).await else { panic!("it is silent") };
        assert_eq!(error.to_string(), "GET /one: the server answers 503: not today; then no answer in time");
        let Err(error) = http.send("GET", "/three", &[], None).await else { panic!("there is no time") };
        assert_eq!(
            error.to_string(),
            "GET /one: the server answers 503: not today; then no answer in time (tried until the invocation's time was up)"
        );
    }

    #[tokio::test]
    async fn a_silent_server_is_told_where_there_was_time_to_wait_for_it() {
        let http = Http { patience: Duration::from_millis(300), ..Http::new(failing_server(), None) };
        assert_eq!(http.send("GET", "/one", &[], None).await.unwrap().status, 503);
        let Err(error) = http.send("GET", "/two", &[], None).await else { panic!("it is silent") };
        assert_eq!(error.to_string(), "GET /two: no answer in time");
    }
}
