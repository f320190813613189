//! Handles the messages of a batch: each one a job whose output is stored, or is known to be stored, or is delivered again. Answers which
//! jobs have no output yet, too.

use std::time::{Duration, Instant};

use contract::{
    backfill::{self, LARGEST_LOOK, List, ListedJob, Look, Question},
    context::Place,
    job::Job,
    queue_event::{BatchAnswer, QueueEvent, QueueRecord},
    report::Class,
};
use runtime::{Deadline, Postponing, S3, each_message, log::Log};
use serde::{Deserialize, Deserializer, Serialize};
use tokio::task::JoinSet;

use crate::{
    name::Form,
    report::{Outcome, metrics, report},
    source::{Description, Failure, Source},
    storage::{self, Stored, pause},
    transform::OneTransform,
};

/// Maximum attempts within an invocation.
const ATTEMPTS: u32 = 5;
/// Part of an invocation that is kept free at its end, to free what was sent and to tell the outcome. A fifth of it if that is less.
const RESERVE: Duration = Duration::from_secs(3);
/// Longest time that a server may ask to wait within an invocation.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// Shortest time for which a message is put off beyond this invocation. Less than the queue's visibility timeout would let a message use
/// up its receipts while the server is still in trouble.
const SHORTEST_WAIT: Duration = Duration::from_mins(15);

/// Number of objects that are looked for at once.
const LOOKS_AT_ONCE: usize = 16;

/// A function that stores the outputs of jobs.
#[derive(Debug)]
pub struct Worker<From> {
    /// Place of the outputs.
    pub place: Place,
    /// Source from which outputs are fetched.
    pub source: From,
    /// Transform that outputs go through.
    pub transform: OneTransform,
    /// Objects in the place.
    pub store: S3,
    /// Calls that put off a message for as long as a server asks.
    pub postponing: Postponing,
    /// Log of the function.
    pub log: Log,
}

impl<From: Source> Worker<From> {
    /// Handles every message of a batch, one after the other, and answers with those to deliver again.
    pub async fn handle(&self, request_id: &str, event: &QueueEvent, end: Deadline) -> BatchAnswer {
        let deadline = end.earlier(RESERVE.min(end.left() / 5));
        self.store.until(end);
        self.source.until(deadline);
        self.postponing.until(end);
        each_message(event, deadline, async |record: &QueueRecord| self.message(request_id, record, deadline).await)
            .await
    }

    /// Handles a message and logs its outcome; returns why it is to be delivered again.
    async fn message(&self, request_id: &str, record: &QueueRecord, deadline: Deadline) -> Result<(), String> {
        let started = Instant::now();
        let job: Result<Job, _> = record.json();
        let outcome = match &job {
            Ok(job) => self.settle(job, deadline).await,
            // It is for a person, whom the alarm of the dead letters tells.
            Err(error) => Outcome::retry("not a job", format!("the message is not a job: {error}")),
        };
        let duration_ms = started.elapsed().as_secs_f64() * 1e3;
        let line = report(request_id, record, job.as_ref().ok(), &outcome, duration_ms);
        self.log
            .item(line, &metrics(&outcome, duration_ms))
            .map_err(|error| format!("the log is not written: {error}"))?;
        let Outcome { class: Class::Retry, reason, wait, .. } = outcome else { return Ok(()) };
        if let Some(wait) = wait
            && let Err(fault) = self.postponing.postpone(record, wait).await
        {
            tracing::warn!(message = record.message_id, reason = fault, "the message comes again without the wait");
        }
        Err(reason.unwrap_or_default())
    }

    /// Attempts to store the output of a job until it succeeds, another attempt is of no use, or the time is up.
    async fn settle(&self, job: &Job, deadline: Deadline) -> Outcome {
        let (mut attempts, mut is_kept) = (1, false);
        loop {
            let failure = match self.attempt(job, &mut is_kept, deadline).await {
                Ok(stored) => return self.stored(&stored, attempts),
                Err(failure) => failure,
            };
            let (reason, wait) = match failure {
                Failure::Trouble { reason, wait } => (reason, wait),
                Failure::Later(reason) => return Outcome { attempts, ..Outcome::retry("later", reason) },
                Failure::Never(reason) => return Outcome { attempts, ..self.record(job, reason).await },
            };
            let pause = wait.unwrap_or_default().max(pause(attempts));
            if attempts == ATTEMPTS || pause > LONGEST_PAUSE || pause > deadline.left() / 2 {
                let wait = wait.filter(|wait| *wait >= SHORTEST_WAIT);
                return Outcome { attempts, wait, ..Outcome::retry("retry", reason) };
            }
            tokio::time::sleep(pause).await;
            attempts += 1;
        }
    }

    /// Attempts once. `is_kept` is set when the source was asked to keep the output for longer, which is done once.
    async fn attempt(&self, job: &Job, is_kept: &mut bool, deadline: Deadline) -> Result<Stored, Failure> {
        let Description { form, further, absent, expires_soon } = self.source.describe(&job.id, deadline).await?;
        for form in [&form].into_iter().chain(&further) {
            if let Some(stored) = storage::find(&self.store, &self.place, &job.id, form).await? {
                return Ok(stored);
            }
        }
        if expires_soon && !*is_kept && !matches!(absent, Some(Failure::Never(_))) {
            *is_kept = true;
            self.source.keep(&job.id, deadline).await;
        }
        if let Some(failure) = absent {
            return Err(failure);
        }
        let stream = self.source.open(&job.id, deadline).await?;
        let transform = self.transform.as_transform();
        storage::store(&self.store, &self.place, job, &form, stream, transform, deadline).await
    }

    fn stored(&self, stored: &Stored, attempts: u32) -> Outcome {
        let (class, word) = if stored.is_old { (Class::Ignored, "already stored") } else { (Class::Done, "stored") };
        let object = Some(format!("s3://{}/{}", self.place.bucket, stored.key));
        let bytes = if stored.is_old { 0 } else { stored.bytes };
        Outcome { class, word, reason: None, object, bytes, attempts, wait: None }
    }

    /// Records for a person that there is no output.
    async fn record(&self, job: &Job, reason: String) -> Outcome {
        match storage::record(&self.store, &self.place, job, &reason).await {
            Ok(key) => Outcome {
                class: Class::ForPerson,
                word: "no output",
                reason: Some(reason),
                object: Some(format!("s3://{}/{key}", self.place.bucket)),
                bytes: 0,
                attempts: 1,
                wait: None,
            },
            Err(failure) => {
                Outcome::retry("retry", format!("{reason}; it could not be recorded: {}", failure.reason()))
            }
        }
    }

    /// Answers a question of `provision backfill`. Nothing is changed for that.
    pub async fn answer(&self, question: &Question, end: Deadline) -> Result<Answer, String> {
        let deadline = end.earlier(RESERVE.min(end.left() / 5));
        self.store.until(end);
        self.source.until(deadline);
        match question {
            Question::List { since, after } => {
                let since = since.as_deref().map(str::parse).transpose();
                let since = since.map_err(|error| format!("`since` is not a time: {error}"))?;
                self.source.list(since, after.as_ref(), deadline).await.map(Answer::List).map_err(Failure::reason)
            }
            Question::Look { jobs } if jobs.len() > LARGEST_LOOK => {
                Err(format!("one question is about {LARGEST_LOOK} jobs at most"))
            }
            Question::Look { jobs } => self.look(jobs, deadline).await.map(Answer::Look).map_err(Failure::reason),
        }
    }

    /// Looks for the outputs of jobs in the bucket, some of them at once.
    async fn look(&self, jobs: &[ListedJob], deadline: Deadline) -> Result<Look, Failure> {
        let mut look = Look::default();
        for some in jobs.chunks(LOOKS_AT_ONCE) {
            let mut running = JoinSet::new();
            for job in some {
                let form = match &job.file {
                    Some(file) => Form::of(file),
                    None => self.source.describe(&job.id, deadline).await?.form,
                };
                let (store, place, id) = (self.store.clone(), self.place.clone(), job.id.clone());
                running.spawn(async move { (storage::look(&store, &place, &id, &form).await, id) });
            }
            while let Some(ended) = running.join_next().await {
                let (found, id) = ended.map_err(|error| Failure::Later(error.to_string()))?;
                look.found.insert(id, found?);
            }
        }
        Ok(look)
    }
}

/// An event of the function: a batch of a queue, or a question of `provision backfill`.
#[derive(Debug)]
pub enum Event {
    /// A batch of a queue.
    Batch(QueueEvent),
    /// A question of `provision backfill`.
    Question(Question),
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = serde_json::Value::deserialize(deserializer)?;
        let read = if event.get("provision").is_some() {
            serde_json::from_value(event).map(|backfill::Event { provision }| Self::Question(provision))
        } else {
            serde_json::from_value(event).map(Self::Batch)
        };
        read.map_err(serde::de::Error::custom)
    }
}

/// The answer to an [`Event`].
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// The messages to deliver again.
    Batch(BatchAnswer),
    /// The complete jobs of the platform.
    List(List),
    /// The states of the jobs in the bucket.
    Look(Look),
}
