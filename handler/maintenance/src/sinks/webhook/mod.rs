//! The sink `webhook`: each notice, and each mail for a person, as one signed JSON document by POST.
//!
//! Signed after [Standard Webhooks](https://www.standardwebhooks.com), for which every language has a library that checks it:
//! HMAC-SHA256 over `ID.TIMESTAMP.BODY`. The id is the same for the same mail, so that whoever has seen it can pass it over.

pub mod settings;
mod signature;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use contract::{address::Address, probe::Check, secret::Secret};
use tokio::sync::Mutex;

use self::signature::Key;
use crate::pipeline::{
    arrived_mail::ArrivedMail,
    document::Document,
    held::{Held, Purpose},
    sink::{Delivered, Handover, Sink, SinkError},
};
use notice::outcome::Notice;
use runtime::{
    Deadline, OwnCa, SecretSource,
    http::{Answer, Http, NoAnswer},
    redact,
};

/// Maximum attempts to send a document while the server has a transient fault.
const MOST_ATTEMPTS: u32 = 4;
/// Longest wait that a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A web server that takes notices.
#[derive(Debug)]
pub struct Webhook {
    http: Http,
    path: Secret,
    secret: SecretSource,
    key: Mutex<Option<Key>>,
}

impl Webhook {
    /// Returns the server at that address. Some servers know their senders by its path.
    pub fn new(address: &Address, ca: Option<OwnCa>, secret: SecretSource) -> Self {
        let (base, path) = address.split();
        let http = Http::to_secret(base.to_owned(), &path, ca);
        let slash = if path.expose().starts_with('/') { "" } else { "/" };
        Self { http, path: format!("{slash}{}", path.expose()).into(), secret, key: Mutex::new(None) }
    }

    /// Sends a document; returns what the server then holds of the mail. A server that finds it too large gets it without the whole
    /// mail, whose object then has to stay.
    async fn hold(&self, arrived: &ArrivedMail, document: Document<'_>) -> Result<Held, SinkError> {
        match self.send(&document).await? {
            Sent::Taken => Ok(document.held(arrived)),
            Sent::TooLarge(_) if document.mail.source.is_some() => {
                let shorter = document.pointing_at(arrived.address());
                match self.send(&shorter).await? {
                    Sent::Taken => Ok(shorter.held(arrived)),
                    Sent::TooLarge(said) => Err(SinkError::Refused(said)),
                }
            }
            Sent::TooLarge(said) => Err(SinkError::Refused(said)),
        }
    }

    async fn send(&self, document: &Document<'_>) -> Result<Sent, SinkError> {
        let body = serde_json::to_string(document).map_err(|error| SinkError::Refused(error.to_string()))?;
        let body = contract::text::clean_json(&body).into_bytes();
        let mut renewed = false;
        let mut attempt = 1;
        loop {
            let said = match self.post(&document.id, &body).await? {
                Ok(answer) if (200..300).contains(&answer.status) => return Ok(Sent::Taken),
                Ok(answer) if answer.status == 413 => return Ok(Sent::TooLarge(said(&answer))),
                // The secret may have been changed since it was read.
                Ok(answer) if matches!(answer.status, 401 | 403) && !renewed => {
                    renewed = true;
                    if self.renew().await? {
                        continue;
                    }
                    return Err(SinkError::Transient(said(&answer)));
                }
                Ok(answer) if matches!(answer.status, 400 | 409 | 415 | 422) => {
                    return Err(SinkError::Refused(said(&answer)));
                }
                Ok(answer) if answer.is_trouble() => {
                    self.wait(answer.retry_after.unwrap_or_default().min(LONGEST_WAIT)).await;
                    said(&answer)
                }
                // Any other refusal means that the address or the permissions are wrong, which somebody can correct.
                Ok(answer) => return Err(SinkError::Transient(said(&answer))),
                Err(NoAnswer::Lost(reason)) => reason,
                Err(error) => return Err(SinkError::Transient(error.to_string())),
            };
            if attempt == MOST_ATTEMPTS {
                return Err(SinkError::Transient(said));
            }
            self.wait(Duration::from_millis(150 << attempt)).await;
            attempt += 1;
        }
    }

    async fn post(&self, id: &str, body: &[u8]) -> Result<Result<Answer, NoAnswer>, SinkError> {
        let key = self.key().await?;
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let headers = [
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", seconds.to_string()),
            ("webhook-signature", key.signature(id, seconds, body)),
        ];
        Ok(self.http.send("POST", self.path.expose(), &headers, Some(body.to_vec())).await)
    }

    async fn key(&self) -> Result<Key, SinkError> {
        let mut cached = self.key.lock().await;
        Ok(match &*cached {
            Some(key) => key.clone(),
            None => cached.insert(self.read().await?).clone(),
        })
    }

    /// Reads the secret again; returns whether it has changed.
    async fn renew(&self) -> Result<bool, SinkError> {
        let fresh = self.read().await?;
        let mut cached = self.key.lock().await;
        let changed = cached.as_ref() != Some(&fresh);
        *cached = Some(fresh);
        Ok(changed)
    }

    async fn read(&self) -> Result<Key, SinkError> {
        let secret = self.secret.read().await.map_err(SinkError::Transient)?;
        Key::of(&secret).map_err(|fault| SinkError::Transient(format!("{} {fault}", self.secret)))
    }

    /// Waits about that long, but not beyond the invocation's deadline.
    async fn wait(&self, about: Duration) {
        let share = 0.5 + fastrand::f64();
        tokio::time::sleep(about.mul_f64(share).min(self.http.left())).await;
    }
}

/// The answer of a server to a document, if it is not an error.
enum Sent {
    Taken,
    /// The document is too large; the server's words.
    TooLarge(String),
}

fn said(answer: &Answer) -> String {
    let place = answer.header("location").filter(|_| matches!(answer.status, 300..=399));
    let moved = place.map(|place| format!(", it has moved to {}", redact(place))).unwrap_or_default();
    format!("the webhook answers {}{moved}: {}", answer.status, answer.quote())
}

impl Sink for Webhook {
    fn until(&self, deadline: Deadline) {
        self.http.until(deadline);
        self.secret.until(deadline);
    }

    /// Connects to the server, and sends nothing: whatever it was sent, it might take for a notice.
    async fn check(&self) -> Vec<Check> {
        vec![Check::of(self.http.base(), self.http.connect().await.map_err(|error| error.to_string()))]
    }

    fn can_hold(&self, arrived: &ArrivedMail, _: Purpose) -> Held {
        Held::expected(arrived.source.as_ref().is_some_and(|source| source.bytes().is_some()))
    }

    async fn deliver(&self, arrived: &ArrivedMail, notice: &Notice) -> Result<Delivered, SinkError> {
        let held = self.hold(arrived, Document::of_notice(arrived, notice)).await?;
        Ok(Delivered { held, ..Delivered::completely() })
    }

    async fn hand_over(&self, arrived: &ArrivedMail, handover: &Handover<'_>) -> Result<Held, SinkError> {
        self.hold(arrived, Document::for_person(arrived, handover)).await
    }
}

#[cfg(test)]
mod tests;
