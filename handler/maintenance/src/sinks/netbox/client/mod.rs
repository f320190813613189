//! NetBox's REST API, as far as delivery needs it. Every result is compared with the query: NetBox ignores filters that it
//! does not know, and then answers with everything.

mod answer;
mod body;
mod history;
mod lookup;
mod notices;
mod notification;
mod plugin;
mod plugin_version;
mod token;
mod write;

use std::{sync::OnceLock, time::Duration};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, de::DeserializeOwned};

pub(super) use self::body::changelog_message;
pub use self::notification::{Among, NewNotification};
use self::{plugin::Spoken, plugin_version::OldestShown, token::Token};
use super::records::Fault;
use super::settings::{NETBOX_CA, Plugin};
use runtime::{
    Deadline, OwnCa, SecretSource,
    http::{Answer, Http},
    redact,
};

/// Path of the plugin `netbox-circuitmaintenance` in the API.
const PLUGIN: &str = "/api/plugins/maintenance";
/// Lists of the plugin.
const LISTS: [&str; 3] = ["/circuitmaintenance/", "/circuitmaintenanceimpact/", "/circuitmaintenancenotifications/"];
/// Length limit of a query, in bytes: gunicorn takes 4094 for a request's first line.
const LONGEST_QUERY: usize = 3000;
/// Page size: the maximum that NetBox returns.
const PAGE: usize = 1000;
/// Maximum attempts of a look-up, which changes nothing.
const LOOK_UPS: u32 = 3;
/// Longest wait that NetBox may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A client of one NetBox.
#[derive(Debug)]
pub struct Client {
    http: Http,
    token: Token,
    /// Oldest version that the plugin has shown.
    shown: OldestShown,
    /// Plugin that is configured; `None` to find it out.
    plugin: Option<Plugin>,
    /// Plugin that answers, once it is known.
    spoken: OnceLock<Spoken>,
    /// Set once NetBox has refused to show its record of changes.
    lacks_history: OnceLock<()>,
}

/// A page of a list.
#[derive(Debug, Deserialize)]
struct Page<T> {
    next: Option<String>,
    results: Vec<T>,
}

impl Client {
    /// Returns the client of the NetBox at that URL (without a slash at its end). `ca` is trusted besides the system's roots,
    /// as PEM.
    pub fn new(url: &str, ca: Option<String>, token: SecretSource) -> Self {
        let base = url.trim_end_matches('/').to_owned();
        let ca = Some(OwnCa { variable: NETBOX_CA, pem: ca });
        Self {
            http: Http::new(base, ca),
            token: Token::new(token),
            shown: OldestShown::default(),
            plugin: None,
            spoken: OnceLock::new(),
            lacks_history: OnceLock::new(),
        }
    }

    /// Sets the deadline: no call is started shortly before it or later.
    pub fn until(&self, deadline: Deadline) {
        self.http.until(deadline);
        self.token.until(deadline);
    }

    /// Returns the time that is left for calls.
    pub fn left(&self) -> Duration {
        self.http.left()
    }

    /// Returns the number of requests that were sent so far.
    pub fn calls(&self) -> u64 {
        self.http.calls()
    }

    /// Asks for NetBox's version, which only a token that it knows is told.
    pub async fn check(&self) -> Result<(), Fault> {
        self.call("GET", "/api/status/", None, None).await.map(drop)
    }

    /// Returns the address, for people.
    pub fn address(&self) -> &str {
        self.http.base()
    }

    /// Sends a request; if the token was refused, reads the token again, once.
    async fn call(&self, method: &str, path: &str, etag: Option<&str>, body: Option<&[u8]>) -> Result<Answer, Fault> {
        let mut renewed = false;
        loop {
            let mut headers = vec![("authorization", self.token.header().await?)];
            headers.extend(etag.map(|etag| ("if-match", etag.to_owned())));
            let answer = self.http.send(method, path, &headers, body.map(<[u8]>::to_vec)).await?;
            if matches!(answer.status, 401 | 403) && !renewed && self.token.renew().await? {
                renewed = true;
                continue;
            }
            if (200..300).contains(&answer.status) {
                return Ok(answer);
            }
            if let Some(wait) = answer.retry_after {
                tokio::time::sleep(wait.min(LONGEST_WAIT).min(self.http.left())).await;
            }
            let place = path.split('?').next().unwrap_or_default();
            return Err(match answer::fault(&answer, &format!("{method} {place}")) {
                // An empty list is an answer too.
                Fault::Rejected(_) if answer.status == 404 && LISTS.contains(&place.trim_start_matches(PLUGIN)) => {
                    let missing = "the plugin netbox-circuitmaintenance is not installed there";
                    Fault::Unavailable(format!("{method} {place}: NetBox answers 404: {missing}"))
                }
                other => other,
            });
        }
    }

    /// Sends a request and parses the answer.
    async fn json<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        etag: Option<&str>,
        body: Option<&[u8]>,
    ) -> Result<T, Fault> {
        let answer = self.call(method, path, etag, body).await?;
        serde_json::from_slice(&answer.body).map_err(|error| {
            // Something between us and NetBox may have answered in its place.
            let what = format!("{method} {}", path.split('?').next().unwrap_or_default());
            let error = redact(&error.to_string());
            let trouble = format!("{what}: the answer is not NetBox's ({error}): {}", answer.quote());
            self.http.note_trouble(&trouble);
            Fault::Transient(trouble)
        })
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Fault> {
        let mut attempt = 1;
        loop {
            match self.json("GET", path, None, None).await {
                Err(Fault::Transient(_)) if attempt < LOOK_UPS => {
                    self.wait(Duration::from_millis(150 << attempt)).await;
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    /// Returns every page of a list.
    async fn list<T: DeserializeOwned>(&self, path: &str, query: &str) -> Result<Vec<T>, Fault> {
        Ok(self.list_up_to(path, query, usize::MAX).await?.unwrap_or_default())
    }

    /// Returns every page of a list; `None` if it has more pages than that, or a half of the invocation would not be left after them.
    async fn list_up_to<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &str,
        most: usize,
    ) -> Result<Option<Vec<T>>, Fault> {
        let mut all = Vec::new();
        let enough = self.http.left() / 2;
        for page in 0..most {
            if most < usize::MAX && page > 0 && self.http.left() < enough {
                break;
            }
            let page: Page<T> = self.get(&format!("{path}?{query}&limit={PAGE}&offset={}", all.len())).await?;
            let empty = page.results.is_empty();
            all.extend(page.results);
            if page.next.is_none() || empty {
                return Ok(Some(all));
            }
        }
        Ok(None)
    }

    /// Returns every object with one of these values in a field, in as many look-ups as the length limit requires.
    async fn list_any<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &str,
        field: &str,
        values: impl IntoIterator<Item = String>,
    ) -> Result<Vec<T>, Fault> {
        let mut all = Vec::new();
        let mut asked = query.to_owned();
        let mut waiting = false;
        for value in values {
            let filter = format!("&{field}={}", encoded(&value));
            if waiting && asked.len() + filter.len() > LONGEST_QUERY {
                all.extend(self.list(path, &asked).await?);
                query.clone_into(&mut asked);
            }
            asked.push_str(&filter);
            waiting = true;
        }
        if waiting {
            all.extend(self.list(path, &asked).await?);
        }
        Ok(all)
    }

    /// Waits about that long, but not beyond the invocation's deadline.
    async fn wait(&self, about: Duration) {
        let share = 0.5 + fastrand::f64();
        tokio::time::sleep(about.mul_f64(share).min(self.http.left())).await;
    }
}

fn encoded(value: &str) -> String {
    utf8_percent_encode(value, ENCODED).to_string()
}

#[cfg(test)]
mod tests;
