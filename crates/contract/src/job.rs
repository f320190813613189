//! A job whose output a webhook announces: `webhook-receiver` queues it, `webhook-worker` takes it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A job as the body of a queue's message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Id of the job at the platform.
    pub id: JobId,
    /// Event that the webhook announced, such as `job_complete`.
    pub event: String,
    /// Text for people that came with it; `None` if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Time at which API Gateway took the request, RFC 3339 in UTC; `None` where nobody posted it, as in a backfill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<String>,
}

/// The longest id, in characters.
const LONGEST: usize = 128;

/// The id of a job: 1 to 128 letters, digits, `-` and `_`, so that it can stand in a path, in a key and in a file name.
///
/// ```
/// use contract::job::JobId;
///
/// assert!(JobId::read("01234567-89ab-cdef-0123-456789abcdef").unwrap().is_uuid());
/// assert!(JobId::read("../../v1/data/list?x=").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobId(String);

/// A text that is not the id of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotJobId;

impl JobId {
    /// Reads an id, without changing it.
    pub fn read(text: &str) -> Result<Self, NotJobId> {
        let is_allowed = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-' || letter == b'_';
        let is_id = (1..=LONGEST).contains(&text.len()) && text.bytes().all(is_allowed);
        if is_id { Ok(Self(text.to_owned())) } else { Err(NotJobId) }
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether it is a UUID: 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12.
    pub fn is_uuid(&self) -> bool {
        const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
        self.0.bytes().all(|letter| letter.is_ascii_hexdigit() || letter == b'-')
            && self.0.split('-').map(str::len).eq(GROUPS)
    }
}

impl TryFrom<String> for JobId {
    type Error = NotJobId;

    fn try_from(text: String) -> Result<Self, NotJobId> {
        Self::read(&text)
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> Self {
        id.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for NotJobId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the id of a job has 1 to {LONGEST} letters, digits, `-` and `_`")
    }
}

impl std::error::Error for NotJobId {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_nothing_that_a_path_or_a_key_gives_a_meaning() {
        for taken in ["a", "A_9-", "01234567-89ab-cdef-0123-456789ABCDEF", &"a".repeat(LONGEST)] {
            assert_eq!(JobId::read(taken).unwrap().as_str(), taken);
        }
        for refused in
            ["", ".", "..", "a/b", "a.b", "%2e%2e", "a b", "a\n", "ä", "a?x=", "a#", &"a".repeat(LONGEST + 1)]
        {
            assert_eq!(JobId::read(refused), Err(NotJobId), "{refused}");
            let job = serde_json::json!({"id": refused, "event": "e"});
            assert!(serde_json::from_value::<Job>(job).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_uuid_has_five_groups() {
        for (id, is_uuid) in [
            ("01234567-89ab-cdef-0123-456789abcdef", true),
            ("0123456789abcdef0123456789abcdef", false),
            ("01234567-89ab-cdef-0123-456789abcdeg", false),
            ("01234567-89ab-cdef-0123456789abcdef-", false),
        ] {
            assert_eq!(JobId::read(id).unwrap().is_uuid(), is_uuid, "{id}");
        }
    }
}
