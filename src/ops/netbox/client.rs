//! Calls to NetBox's REST API, one after the other, over connections as the function makes them.

use std::{fmt, time::Duration};

use contract::{address::Address, secret::Secret};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, header};
use tls::{OwnCa, cause};
use tokio::runtime::Runtime;

use super::{CA, http::Http};

/// Timeout of a call.
const PATIENCE: Duration = Duration::from_secs(20);
/// Size limit of an answer, in bytes.
const LONGEST_BODY: usize = 4 * 1024 * 1024;
/// Length limit of a quoted answer, in characters.
const LONGEST_EXCERPT: usize = 200;

/// Address and token of a NetBox.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    /// Address of the NetBox, without `/api`.
    pub(crate) address: Address,
    /// Of version 1, or of version 2 with its prefix.
    pub(crate) token: Secret,
    /// Certificates that the system does not know, in PEM.
    pub(crate) ca: Option<String>,
}

/// A client of NetBox's REST API.
#[derive(Debug)]
pub(crate) struct Client {
    runtime: Runtime,
    http: Http,
    ca: OwnCa,
    base: String,
    token: Secret,
}

/// An answer of NetBox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) body: String,
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (status, body) = (self.status, self.body.trim());
        if let Some(location) = &self.location {
            return write!(formatter, "{status}, see {location}");
        }
        let excerpt: String = body.chars().take(LONGEST_EXCERPT).collect();
        let more = if excerpt.len() < body.len() { "…" } else { "" };
        write!(formatter, "{status} {excerpt}{more}")
    }
}

impl Client {
    /// Returns a client for that NetBox, or why there can be none. Certificates are always verified.
    pub(crate) fn new(access: &Access) -> Result<Self, String> {
        let ca = OwnCa { variable: CA, pem: access.ca.clone() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let http = Http::new(access.address.expose(), &ca, &runtime)?;
        Ok(Self {
            runtime,
            http,
            ca,
            base: format!("{}/api/", access.address.expose().trim_end_matches('/')),
            token: access.token.clone(),
        })
    }

    /// Returns the token that authorises its requests.
    pub(super) fn token(&self) -> &Secret {
        &self.token
    }

    /// Returns whether the address is one of plain HTTP.
    pub(super) fn is_plain(&self) -> bool {
        self.base.starts_with("http://")
    }

    /// Returns the environment variable that names the proxy on the way to the address; `None` if there is none.
    pub(super) fn proxy(&self) -> Option<&'static str> {
        self.http.proxy()
    }

    /// Sends an empty object, except with methods that have no content; the path is what follows `/api/`.
    pub(crate) fn ask(&self, method: &str, path: &str) -> Result<Answer, String> {
        let asked = async {
            let ended = tokio::time::timeout(PATIENCE, self.send(method, path)).await;
            ended.unwrap_or_else(|_| Err(format!("no answer within {} seconds", PATIENCE.as_secs())))
        };
        // Some servers repeat what they were sent.
        self.runtime.block_on(asked).map_err(|error| self.token.redact(&error))
    }

    async fn send(&self, method: &str, path: &str) -> Result<Answer, String> {
        let scheme = if self.token.expose().starts_with("nbt_") { "Bearer" } else { "Token" };
        let has_content = !matches!(method, "GET" | "DELETE");
        let request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).map_err(|error| error.to_string())?)
            .uri(format!("{}{path}", self.base))
            .header(header::AUTHORIZATION, format!("{scheme} {}", self.token.expose()))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .body(Full::from(if has_content { "{}" } else { "" }));
        let answer = self.http.request(request.map_err(|error| error.to_string())?).await;
        let answer = answer.map_err(|error| cause(&error, Some(&self.ca)).words)?;
        let status = answer.status().as_u16();
        let location = answer.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
        let location = location.map(|location| self.token.redact(location));
        let body = Limited::new(answer.into_body(), LONGEST_BODY).collect().await.map_err(|error| error.to_string())?;
        let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        Ok(Answer { status, location, body: self.token.redact(&body) })
    }
}
