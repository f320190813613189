//! A job of a platform: whether it has an output, and until when.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::Failure;

/// Time that retries of a queue may take: an output that expires within it is kept for longer.
const RETRIES: SignedDuration = SignedDuration::from_hours(24);

/// A job as the platform tells of it, alone and in its list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Job {
    pub(super) id: Option<String>,
    pub(super) state: String,
    archived: bool,
    expired: bool,
    pub(super) upload_date: Option<String>,
    pub(super) expiration_date: Option<String>,
    pub(super) output_filename: Option<String>,
}

impl Job {
    /// Returns why the job has no output; `None` if it has one.
    pub(super) fn absent(&self) -> Option<Failure> {
        match self.state.as_str() {
            _ if self.expired => Some(Failure::Never("the output has expired".to_owned())),
            _ if self.archived => Some(Failure::Never("the job is archived".to_owned())),
            "FAILED" => Some(Failure::Never("the job has failed".to_owned())),
            "COMPLETE" => None,
            other => Some(Failure::Later(format!("the job is not complete: its state is `{other}`"))),
        }
    }

    /// Returns whether the output expires within the time that retries may take. A date that cannot be read tells nothing.
    pub(super) fn expires_soon(&self, now: Timestamp) -> bool {
        let expiration = self.expiration_date.as_deref().and_then(|date| date.parse::<Timestamp>().ok());
        expiration.is_some_and(|expiration| expiration.duration_since(now) < RETRIES)
    }

    /// Returns whether the job was uploaded at that moment or later. A date that is missing or cannot be read leaves no job out.
    pub(super) fn is_from(&self, since: Option<Timestamp>) -> bool {
        let uploaded = self.upload_date.as_deref().and_then(|date| date.parse::<Timestamp>().ok());
        since.zip(uploaded).is_none_or(|(since, uploaded)| uploaded >= since)
    }
}
