//! Signs and verifies webhooks by every [`Scheme`]: a receiver verifies, and whoever tries a receiver signs. No I/O and no clock.
//!
//! Both sides are made of one description of what is signed and of how its code is written, so that they cannot differ; the tests hold it
//! against codes that the senders' own libraries made.
//!
//! A secret may hold several values, one a line: while it is rotated, a request is authentic by any of them, and is signed by the first.
//! An empty secret authenticates nothing.

mod claim;
mod code;
mod request;
mod sign;
mod twilio;

use contract::{secret::Secret, webhook::Scheme};
use thiserror::Error;

use claim::Claim;
pub use request::{Request, form, is_form};
pub use sign::{Draft, NotSigned, Signed, Stamp, sign};

/// The greatest difference between the time of a request and the clock, in seconds, for schemes that sign a time. It bounds how long a
/// request that somebody recorded can be sent again.
pub const TOLERANCE: u64 = 300;

/// The reasons why a request is not authentic. None tells what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    /// There is no secret, or none that can be a key of the scheme.
    #[error("the secret is empty, or is not a key of this scheme")]
    NoKey,
    /// The request carries no proof.
    #[error("the request has no `{0}`")]
    Missing(&'static str),
    /// The proof is there and cannot be read: it is malformed, or stands there more than once.
    #[error("`{0}` of the request cannot be read, or stands there more than once")]
    Malformed(&'static str),
    /// The request was signed longer ago than [`TOLERANCE`], or so far in the future.
    #[error("the request was signed more than {TOLERANCE} seconds before or after now")]
    Untimely,
    /// The proof is another one than the secret makes.
    #[error("the proof is not made with the secret")]
    Mismatch,
}

impl Refused {
    /// Returns whether another value of the secret could make the request authentic: one that was read a while ago is read again then.
    pub fn depends_on_secret(self) -> bool {
        matches!(self, Self::NoKey | Self::Mismatch)
    }
}

/// Verifies that a request comes from whoever has the secret; `now` is in seconds since the epoch.
///
/// Codes and tokens are compared in constant time. The body is looked into for Twilio alone, whose codes are made of the form's fields.
///
/// ```
/// use contract::webhook::Scheme;
/// use webhook::{Refused, Request, verify};
///
/// let headers = [("X-Hub-Signature-256".to_owned(),
///     "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17".to_owned())];
/// let request = Request { url: "https://in.example/hook", headers: &headers, body: b"Hello, World!", token: None };
/// assert_eq!(verify(&Scheme::Github, &"It's a Secret to Everybody".into(), &request, 0), Ok(()));
/// assert_eq!(verify(&Scheme::Github, &"another".into(), &request, 0), Err(Refused::Mismatch));
/// ```
pub fn verify(scheme: &Scheme, secret: &Secret, request: &Request<'_>, now: u64) -> Result<(), Refused> {
    let claim = Claim::read(scheme, request)?;
    if claim.time().is_some_and(|time| time.abs_diff(now) > TOLERANCE) {
        return Err(Refused::Untimely);
    }
    let (mut is_key, mut is_authentic) = (false, false);
    // Every value is tried, so that the time does not tell which one it was.
    for is_made in values(secret).filter_map(|value| claim.is_made_with(value)) {
        (is_key, is_authentic) = (true, is_authentic | is_made);
    }
    match (is_key, is_authentic) {
        (_, true) => Ok(()),
        (true, false) => Err(Refused::Mismatch),
        (false, false) => Err(Refused::NoKey),
    }
}

/// Returns the values of a secret: its lines, without white space around them and without empty ones.
fn values(secret: &Secret) -> impl Iterator<Item = &str> {
    secret.expose().lines().map(str::trim).filter(|value| !value.is_empty())
}
