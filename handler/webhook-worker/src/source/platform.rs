//! The platform of Voxel51: `GET /v1/jobs/{id}` tells the state of a job, `GET /v1/jobs/{id}/output` gives its output, which expires, and
//! `GET /v1/jobs/list` tells of all jobs.

use std::sync::atomic::Ordering;

use contract::{backfill::List, job::JobId, secret::Secret};
use jiff::Timestamp;
use runtime::{
    Deadline, Reach,
    outside::{Host, NoAnswer, Outside, Request, Streamed},
};
use serde::Deserialize;

use super::{Cached, Description, Failure, Source, job::Job, list, refusal, token::Token};
use crate::name::Form;

/// Size limit of what the platform tells of a job, in bytes.
const LARGEST_DETAILS: usize = 1024 * 1024;
/// File name of an output whose job states none.
const FILE: &str = "output.json";
/// Statuses that say that there is no such job, or no longer.
const GONE: [u16; 2] = [404, 410];

/// The platform that ran the jobs, as a source of outputs.
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

/// A request of the platform.
struct Call {
    method: &'static str,
    /// Path below `/v1/jobs/`.
    path: String,
    form: Option<String>,
}

impl Call {
    fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), form: None }
    }
}

/// Path of the list of all jobs, below `/v1/jobs/`.
const LIST: &str = "list";

impl Source for Platform {
    fn until(&self, deadline: Deadline) {
        self.token.until(deadline);
    }

    async fn describe(&self, id: &JobId, deadline: Deadline) -> Result<Description, Failure> {
        let answer = self.send(&Call::get(id.as_str()), deadline).await?;
        if answer.status != 200 {
            let absent = match self.refused(answer, deadline).await {
                Failure::Never(reason) => Some(Failure::Never(reason)),
                other => return Err(other),
            };
            // Nothing tells any more what the name of its file was.
            return Ok(Description { further: Form::common(), absent, ..Description::of(Form::of(FILE)) });
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
        let expires_soon = job.expires_soon(Timestamp::now());
        Ok(Description { absent: job.absent(), expires_soon, ..Description::of(form) })
    }

    async fn keep(&self, id: &JobId, deadline: Deadline) {
        if self.extension_days == 0 {
            return;
        }
        let form = Some(format!("days={}", self.extension_days));
        let refused = match self.send(&Call { method: "PUT", path: format!("{id}/ttl"), form }, deadline).await {
            Ok(answer) if (200..300).contains(&answer.status) => return,
            Ok(answer) => answer.quote().await,
            Err(failure) => failure.reason(),
        };
        tracing::warn!(job = id.as_str(), reason = refused, "the output expires soon, and is not kept for longer");
    }

    async fn open(&self, id: &JobId, deadline: Deadline) -> Result<Streamed, Failure> {
        let answer = self.send(&Call::get(format!("{id}/output")), deadline).await?;
        if answer.status == 200 { Ok(answer) } else { Err(self.refused(answer, deadline).await) }
    }

    async fn list(&self, since: Option<Timestamp>, after: Option<&JobId>, deadline: Deadline) -> Result<List, Failure> {
        let answer = self.send(&Call::get(LIST), deadline).await?;
        if answer.status != 200 {
            return Err(refusal(answer, &[]).await);
        }
        let what = answer.to_string();
        let jobs = list::read(&answer.whole(list::LARGEST).await?);
        let jobs = jobs.map_err(|reason| Failure::Later(format!("{what}: {reason}")))?;
        Ok(list::select(jobs, since, after))
    }
}

impl Platform {
    /// Sends a request with the token; with the token read again if it is not accepted.
    async fn send(&self, call: &Call, deadline: Deadline) -> Result<Streamed, Failure> {
        let parse = |secret: &Secret| Token::read(secret, &self.redirects, self.reach);
        let token = self.token.get(parse).await?;
        let answer = self.send_with(&token, call, deadline).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let token = self.token.read(parse).await?;
        Ok(self.send_with(&token, call, deadline).await?)
    }

    async fn send_with(&self, token: &Token, call: &Call, deadline: Deadline) -> Result<Streamed, NoAnswer> {
        let bearer = Secret::from(format!("Bearer {}", token.key.expose()));
        let request = Request {
            method: call.method,
            url: format!("{}/v1/jobs/{}", token.base, call.path),
            hosts: &token.hosts,
            headers: vec![("authorization".to_owned(), bearer)],
            form: call.form.clone(),
        };
        self.client.send(&request, deadline).await
    }

    /// Returns the failure that an answer about a job is. That there is no such job counts only if the server lists jobs: a wrong
    /// `base_api_url` answers 404 too, and would let every job be given up.
    async fn refused(&self, answer: Streamed, deadline: Deadline) -> Failure {
        match refusal(answer, &GONE).await {
            Failure::Never(reason) => match self.lists_jobs(deadline).await {
                Ok(()) => Failure::Never(reason),
                Err(Failure::Never(why) | Failure::Later(why)) => Failure::Later(format!(
                    "{reason}; and the server lists no jobs, so that `base_api_url` of the token may be wrong: {why}"
                )),
                Err(trouble) => trouble,
            },
            other => other,
        }
    }

    /// Checks that the server is the platform: that it lists jobs for the token. It is asked once for each token.
    async fn lists_jobs(&self, deadline: Deadline) -> Result<(), Failure> {
        let token = self.token.get(|secret| Token::read(secret, &self.redirects, self.reach)).await?;
        if token.is_known.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut answer = self.send_with(&token, &Call::get(LIST), deadline).await?;
        if answer.status != 200 {
            return Err(refusal(answer, &[]).await);
        }
        let what = answer.to_string();
        let mut beginning = Vec::new();
        while let Some(piece) = answer.chunk().await? {
            beginning.extend_from_slice(&piece);
            if beginning.len() >= list::BEGINNING {
                break;
            }
        }
        if !list::is_list(&beginning) {
            return Err(Failure::Later(format!("{what}: the answer is not a list of jobs")));
        }
        token.is_known.store(true, Ordering::Relaxed);
        Ok(())
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
