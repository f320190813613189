//! The platform of Voxel51: `GET /v1/jobs/{id}` tells the state of a job, `GET /v1/jobs/{id}/output` gives its output, which expires.

use contract::{job::JobId, secret::Secret};
use jiff::{SignedDuration, Timestamp};
use runtime::{
    Deadline, Reach,
    outside::{Host, NoAnswer, Outside, Request, Streamed},
};
use serde::Deserialize;

use super::{Cached, Description, Failure, Source, refusal, token::Token};
use crate::name::Form;

/// Size limit of what the platform tells of a job, in bytes.
const LARGEST_DETAILS: usize = 1024 * 1024;
/// Time that retries of a queue may take: an output that expires within it is kept for longer.
const RETRIES: SignedDuration = SignedDuration::from_hours(24);
/// File name of an output whose job states none.
const FILE: &str = "output.json";
/// Statuses that say that there is no such job, or no longer.
const GONE: [u16; 2] = [404, 410];

/// The platform.
#[derive(Debug)]
pub struct Platform {
    pub(super) client: Outside,
    pub(super) token: Cached<Token>,
    pub(super) redirects: Vec<Host>,
    pub(super) reach: Reach,
    /// Days for which an output is kept that expires soon; 0 leaves it as it is.
    pub(super) extension_days: u32,
}

/// A job as the platform tells of it.
#[derive(Debug, Deserialize)]
struct Details {
    job: Job,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Job {
    id: Option<String>,
    state: String,
    archived: bool,
    expired: bool,
    expiration_date: Option<String>,
    output_filename: Option<String>,
}

/// A request of the platform.
struct Call<'call> {
    method: &'static str,
    id: &'call JobId,
    /// Path below the job's.
    below: &'static str,
    form: Option<String>,
}

impl Source for Platform {
    fn until(&self, deadline: Deadline) {
        self.token.until(deadline);
    }

    async fn describe(&self, id: &JobId, deadline: Deadline) -> Result<Description, Failure> {
        let answer = self.send(&Call { method: "GET", id, below: "", form: None }, deadline).await?;
        if answer.status != 200 {
            let absent = match refusal(answer, &GONE).await {
                Failure::Never(reason) => Some(Failure::Never(reason)),
                other => return Err(other),
            };
            return Ok(Description { form: Form::of(FILE), absent });
        }
        let what = answer.to_string();
        let odd = |reason: String| Failure::Trouble { reason: format!("{what}: {reason}"), wait: None };
        let details = answer.whole(LARGEST_DETAILS).await?;
        let Details { job } = serde_json::from_slice(&details)
            .map_err(|error| odd(format!("the answer does not describe a job: {error}")))?;
        if job.id.as_deref().is_some_and(|told| told != id.as_str()) {
            return Err(odd("the answer describes another job".to_owned()));
        }
        let form = Form::of(job.output_filename.as_deref().unwrap_or(FILE));
        let absent = job.absent();
        if self.extension_days > 0 && !matches!(absent, Some(Failure::Never(_))) && job.expires_soon(Timestamp::now()) {
            self.extend(id, deadline).await;
        }
        Ok(Description { form, absent })
    }

    async fn open(&self, id: &JobId, deadline: Deadline) -> Result<Streamed, Failure> {
        let answer = self.send(&Call { method: "GET", id, below: "/output", form: None }, deadline).await?;
        if answer.status == 200 { Ok(answer) } else { Err(refusal(answer, &GONE).await) }
    }
}

impl Job {
    /// Returns why the job has no output; `None` if it has one.
    fn absent(&self) -> Option<Failure> {
        match self.state.as_str() {
            _ if self.expired => Some(Failure::Never("the output has expired".to_owned())),
            _ if self.archived => Some(Failure::Never("the job is archived".to_owned())),
            "FAILED" => Some(Failure::Never("the job has failed".to_owned())),
            "COMPLETE" => None,
            other => Some(Failure::Later(format!("the job is not complete: its state is `{other}`"))),
        }
    }

    /// Returns whether the output expires within the time that retries may take. A date that cannot be read tells nothing.
    fn expires_soon(&self, now: Timestamp) -> bool {
        let expiration = self.expiration_date.as_deref().and_then(|date| date.parse::<Timestamp>().ok());
        expiration.is_some_and(|expiration| expiration.duration_since(now) < RETRIES)
    }
}

impl Platform {
    /// Sends a request with the token; with the token read again if it is not accepted.
    async fn send(&self, call: &Call<'_>, deadline: Deadline) -> Result<Streamed, Failure> {
        let parse = |secret: &Secret| Token::read(secret, &self.redirects, self.reach);
        let token = self.token.get(parse).await?;
        let answer = self.send_with(&token, call, deadline).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let token = self.token.read(parse).await?;
        Ok(self.send_with(&token, call, deadline).await?)
    }

    async fn send_with(&self, token: &Token, call: &Call<'_>, deadline: Deadline) -> Result<Streamed, NoAnswer> {
        let bearer = Secret::from(format!("Bearer {}", token.key.expose()));
        let request = Request {
            method: call.method,
            url: format!("{}/v1/jobs/{}{}", token.base, call.id, call.below),
            hosts: &token.hosts,
            headers: vec![("authorization".to_owned(), bearer)],
            form: call.form.clone(),
        };
        self.client.send(&request, deadline).await
    }

    /// Lets the platform keep an output for longer. If it does not, the output is fetched all the same.
    async fn extend(&self, id: &JobId, deadline: Deadline) {
        let form = Some(format!("days={}", self.extension_days));
        let refused = match self.send(&Call { method: "PUT", id, below: "/ttl", form }, deadline).await {
            Ok(answer) if (200..300).contains(&answer.status) => return,
            Ok(answer) => answer.quote().await,
            Err(Failure::Trouble { reason, .. } | Failure::Later(reason) | Failure::Never(reason)) => reason,
        };
        tracing::warn!(job = id.as_str(), reason = refused, "the output expires soon, and is not kept for longer");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(details: &serde_json::Value) -> Job {
        serde_json::from_value::<Details>(serde_json::json!({ "job": details })).unwrap().job
    }

    #[test]
    fn a_state_says_whether_there_is_an_output() {
        for state in ["READY", "QUEUED", "SCHEDULED", "RUNNING", "", "complete", "ODD"] {
            let absent = job(&serde_json::json!({"state": state})).absent();
            assert!(matches!(absent, Some(Failure::Later(_))), "{state}");
        }
        assert_eq!(job(&serde_json::json!({"state": "COMPLETE", "name": "unknown fields pass"})).absent(), None);
        for never in [
            serde_json::json!({"state": "FAILED"}),
            serde_json::json!({"state": "COMPLETE", "expired": true}),
            serde_json::json!({"state": "COMPLETE", "archived": true}),
        ] {
            assert!(matches!(job(&never).absent(), Some(Failure::Never(_))), "{never}");
        }
    }

    #[test]
    fn an_output_expires_soon_if_retries_may_take_as_long() {
        let now: Timestamp = "2026-11-28T12:00:00Z".parse().unwrap();
        for (date, is_soon) in [
            ("2026-11-28T13:00:00.000Z", true),
            ("2026-11-29T11:59:59Z", true),
            ("2026-11-29T12:00:01Z", false),
            ("2026-11-01T00:00:00Z", true),
            ("tomorrow", false),
        ] {
            assert_eq!(job(&serde_json::json!({"expiration_date": date})).expires_soon(now), is_soon, "{date}");
        }
        assert!(!Job::default().expires_soon(now));
    }
}
