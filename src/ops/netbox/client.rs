//! Calls to NetBox's REST API, one after the other.

use std::{fmt, sync::Arc, time::Duration};

use contract::{address::Address, secret::Secret};
use ureq::{
    Agent,
    http::{Request, header},
    tls::{Certificate, RootCerts, TlsConfig, parse_pem},
};

/// Timeout of a call.
const PATIENCE: Duration = Duration::from_secs(20);
/// Size limit of an answer, in bytes; the rest is not read.
const LONGEST_BODY: u64 = 1024 * 1024;
/// Length limit of a quoted answer, in characters.
const LONGEST_EXCERPT: usize = 200;

/// Address and token of a NetBox.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    /// Address of the NetBox, without `/api`.
    pub(crate) address: Address,
    /// Of version 1, or of version 2 with its prefix.
    pub(crate) token: Secret,
    /// Certificates of CAs that the system does not know, in PEM.
    pub(crate) ca: Option<String>,
}

/// Errors that make calls impossible.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoClient {
    /// The certificates are unreadable.
    #[error("NETBOX_CA has no certificate in PEM that can be read")]
    Certificates,
}

/// A client of NetBox's REST API.
#[derive(Debug)]
pub(crate) struct Client {
    agent: Agent,
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
    /// Returns a client for that NetBox. Certificates are always verified.
    pub(crate) fn new(access: &Access) -> Result<Self, NoClient> {
        let mut roots: Vec<_> = rustls_native_certs::load_native_certs()
            .certs
            .iter()
            .map(|certificate| Certificate::from_der(certificate).to_owned())
            .collect();
        if let Some(ca) = &access.ca {
            let own: Vec<_> = parse_pem(ca.as_bytes())
                .filter_map(|item| match item {
                    Ok(ureq::tls::PemItem::Certificate(certificate)) => Some(certificate),
                    _ => None,
                })
                .collect();
            if own.is_empty() {
                return Err(NoClient::Certificates);
            }
            roots.extend(own);
        }
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        // A redirected write would become a read.
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(PATIENCE))
            .tls_config(tls)
            .build();
        Ok(Self {
            agent: config.into(),
            base: format!("{}/api/", access.address.expose().trim_end_matches('/')),
            token: access.token.clone(),
        })
    }

    /// Sends an empty object; the path is what follows `/api/`.
    pub(crate) fn ask(&self, method: &str, path: &str) -> Result<Answer, String> {
        let token = self.token.expose();
        let scheme = if token.starts_with("nbt_") { "Bearer" } else { "Token" };
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(header::AUTHORIZATION, format!("{scheme} {token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json");
        let answer = match method {
            "GET" | "DELETE" => request.body(()).map_err(ureq::Error::from).and_then(|request| self.agent.run(request)),
            _ => request.body("{}").map_err(ureq::Error::from).and_then(|request| self.agent.run(request)),
        };
        let mut answer = answer.map_err(|error| self.token.redact(&error.to_string()))?;
        let location = answer.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
        // Some servers repeat what they were sent.
        let location = location.map(|location| self.token.redact(location));
        let body = answer.body_mut().with_config().limit(LONGEST_BODY).lossy_utf8(true).read_to_string();
        Ok(Answer {
            status: answer.status().as_u16(),
            location,
            body: self.token.redact(&body.map_err(|error| error.to_string())?),
        })
    }
}
