//! Streams from servers outside AWS: declared hosts alone, by TLS, at addresses that [`Reach`] permits. Redirects are followed, each
//! checked as the first address was; headers, which may be secret, go to the first server alone.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use aws_smithy_types::date_time::{DateTime, Format};
use contract::secret::Secret;
use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Method, Request as HttpRequest, Uri,
    body::{Body, Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION},
};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use tls::{Cause, Over, cause};

pub use crate::http::NoAnswer;
use crate::{
    Deadline, Reach,
    known::redact,
    reach::{Guarded, Unreachable, system},
    text,
};

mod host;

pub use host::{Host, Hosts, NotHost};

/// Maximum number of redirects that are followed.
const REDIRECTS: usize = 5;
/// Timeout until an answer begins, and between two pieces of it. A third of what is left of an invocation if that is less: so that a
/// silent server can be asked again within it.
const PATIENCE: Duration = Duration::from_secs(20);
/// Part of an error answer that is read, in bytes.
const READ_OF_ERROR: usize = 16 * 1024;
/// Length limit of the quotation from an error answer, in characters.
const LONGEST_QUOTE: usize = 400;

/// A client of servers outside AWS.
#[derive(Debug)]
pub struct Outside {
    client: Result<Client<Over<Guarded>, Full<Bytes>>, String>,
    reach: Reach,
}

/// A request to a server outside AWS.
#[derive(Debug, Clone)]
pub struct Request<'request> {
    /// Method, such as `GET`.
    pub method: &'static str,
    /// Address, with its query.
    pub url: String,
    /// Servers to which the request may go.
    pub hosts: &'request Hosts,
    /// Headers for the address's own server: no redirect to another one carries them.
    pub headers: Vec<(String, Secret)>,
    /// Form in the body; `None` sends no body.
    pub form: Option<String>,
}

/// An answer whose body is read in pieces.
#[derive(Debug)]
pub struct Streamed {
    /// HTTP status of the answer.
    pub status: u16,
    /// Headers of the answer.
    pub headers: HeaderMap,
    body: Incoming,
    /// Bytes that the server announced; `None` if it did not.
    length: Option<u64>,
    /// Bytes that were read.
    read: u64,
    /// Method and place of the request, for errors.
    what: String,
    deadline: Deadline,
}

impl Outside {
    /// Returns a client with that reach. The certificates are read now: during its start a function has the most computing power.
    pub fn new(reach: Reach) -> Self {
        Self::with(reach, Guarded::new(reach, system()))
    }

    fn with(reach: Reach, connector: Guarded) -> Self {
        let client = tls::over(connector, "https://", None)
            .map(|connector| Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector));
        Self { client, reach }
    }

    /// Sends a request and follows redirects; returns the answer with its body unread. Redirects of another method than `GET` are not
    /// followed: they are the answer.
    pub async fn send(&self, request: &Request<'_>, deadline: Deadline) -> Result<Streamed, NoAnswer> {
        let mut uri = request.hosts.check(&request.url, self.reach).map_err(NoAnswer::NoRequest)?;
        let own = uri.clone();
        let mut is_own = true;
        for _ in 0..=REDIRECTS {
            let place = if is_own { own.path().to_owned() } else { format!("https://{}", Host::of(&uri)) };
            let what = format!("{} {place}", request.method);
            let answer = self.exchange(request, &uri, is_own, what, deadline).await?;
            if request.method != "GET" || !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            let what = answer.what.clone();
            let refused = |reason: &str| NoAnswer::NoRequest(format!("{what}: a redirect is not followed: {reason}"));
            let location = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
            let next = host::resolve(&uri, location.ok_or_else(|| refused("it states no address"))?);
            let next = next.and_then(|next| request.hosts.check(&next, self.reach));
            uri = next.map_err(|reason| refused(&reason))?;
            is_own &= host::is_same_server(&own, &uri);
        }
        Err(NoAnswer::NoRequest(format!("{} {}: more than {REDIRECTS} redirects", request.method, own.path())))
    }

    async fn exchange(
        &self,
        request: &Request<'_>,
        uri: &Uri,
        is_own: bool,
        what: String,
        deadline: Deadline,
    ) -> Result<Streamed, NoAnswer> {
        let left = deadline.left();
        if left.is_zero() {
            return Err(NoAnswer::TimeIsUp(None));
        }
        let client = self.client.as_ref().map_err(|reason| NoAnswer::Impossible(reason.clone()))?;
        let sent = build(request, uri, is_own).map_err(|reason| NoAnswer::NoRequest(format!("{what}: {reason}")))?;
        let answer = match tokio::time::timeout(patience(deadline), client.request(sent)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(no_answer(&what, &error)),
            Err(_) => return Err(NoAnswer::Lost(format!("{what}: no answer in time"))),
        };
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.into_body();
        Ok(Streamed { status, headers, length: body.size_hint().exact(), body, read: 0, what, deadline })
    }
}

/// Returns the time to wait for the next piece of an answer.
fn patience(deadline: Deadline) -> Duration {
    PATIENCE.min(deadline.left() / 3)
}

fn build(request: &Request<'_>, uri: &Uri, is_own: bool) -> Result<HttpRequest<Full<Bytes>>, String> {
    let body = Full::new(Bytes::from(request.form.clone().unwrap_or_default()));
    let method = Method::from_bytes(request.method.as_bytes()).map_err(|error| error.to_string())?;
    let mut built = HttpRequest::builder().method(method).uri(uri).body(body).map_err(|error| error.to_string())?;
    let headers = built.headers_mut();
    for (name, value) in [("user-agent", "provision"), ("accept", "*/*"), ("accept-encoding", "identity")] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if request.form.is_some() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    }
    for (name, value) in request.headers.iter().filter(|_| is_own) {
        let known = HeaderName::try_from(name).map_err(|_| format!("`{name}` is not the name of a header"))?;
        // The value may be a token, so it is not repeated.
        let mut value = HeaderValue::try_from(value.expose())
            .map_err(|_| format!("the value of `{name}` is not one of a header"))?;
        value.set_sensitive(true);
        headers.insert(known, value);
    }
    Ok(built)
}

fn no_answer(what: &str, error: &(dyn std::error::Error + 'static)) -> NoAnswer {
    let Cause { words, is_permanent } = cause(error, None);
    let words = redact(&format!("{what}: {words}"));
    if Unreachable::caused(error) {
        NoAnswer::NoRequest(words)
    } else if is_permanent {
        NoAnswer::Impossible(words)
    } else {
        NoAnswer::Lost(words)
    }
}

impl Streamed {
    /// Returns a header's value; `None` if it is missing or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the size that the server announced, in bytes; `None` if it did not.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Returns whether a body that was cut short differs from a whole one: its length is announced, or its pieces are.
    pub fn tells_its_end(&self) -> bool {
        self.length.is_some() || self.header("transfer-encoding").is_some_and(|coding| coding.ends_with("chunked"))
    }

    /// Returns the time that the server asks to wait; `None` if it asks for none.
    pub fn retry_after(&self) -> Option<Duration> {
        let value = self.header("retry-after")?.trim();
        if let Ok(seconds) = value.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let until = SystemTime::try_from(DateTime::from_str(value, Format::HttpDate).ok()?).ok()?;
        Some(until.duration_since(SystemTime::now()).unwrap_or_default())
    }

    /// Returns the next piece of the body; `None` at its end. A body that is shorter than announced is an error.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, NoAnswer> {
        loop {
            if self.deadline.is_over() {
                return Err(NoAnswer::TimeIsUp(None));
            }
            let frame = match tokio::time::timeout(patience(self.deadline), self.body.frame()).await {
                Ok(Some(Ok(frame))) => frame,
                Ok(Some(Err(error))) => {
                    return Err(no_answer(&format!("{}: the answer ended early", self.what), &error));
                }
                Ok(None) => return self.end(),
                Err(_) => return Err(NoAnswer::Lost(format!("{}: the answer paused for too long", self.what))),
            };
            if let Ok(data) = frame.into_data() {
                self.read += data.len() as u64;
                return Ok(Some(data));
            }
        }
    }

    fn end(&self) -> Result<Option<Bytes>, NoAnswer> {
        match self.length {
            Some(length) if length != self.read => Err(NoAnswer::Lost(format!(
                "{}: the answer ended early: {} of {length} bytes were received",
                self.what, self.read
            ))),
            _ => Ok(None),
        }
    }

    /// Reads the whole body; one that is larger than `limit` bytes is an error.
    pub async fn whole(mut self, limit: usize) -> Result<Vec<u8>, NoAnswer> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if bytes.len() + chunk.len() > limit {
                return Err(NoAnswer::TooLarge(self.length.unwrap_or(self.read)));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// Returns the status with the server's error message, in one line and without secrets.
    pub async fn quote(mut self) -> String {
        let mut bytes = Vec::new();
        while let Ok(Some(chunk)) = self.chunk().await {
            bytes.extend_from_slice(&chunk);
            if bytes.len() >= READ_OF_ERROR {
                break;
            }
        }
        bytes.truncate(READ_OF_ERROR);
        let said = text::cut(&redact(&text::line(&String::from_utf8_lossy(&bytes))), LONGEST_QUOTE);
        let colon = if said.is_empty() { "" } else { ": " };
        format!("{}: the server answers {}{colon}{said}", self.what, self.status)
    }
}

impl fmt::Display for Streamed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.what, self.status)
    }
}

#[cfg(test)]
mod tests;
