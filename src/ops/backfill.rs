//! Backfills: finds the complete jobs of a platform whose outputs are not in the bucket, and queues them for the function that stores
//! outputs.
//!
//! The function itself says which those are, with its own rights and from its own network: whoever runs the command needs neither the
//! platform's token nor a right to read the bucket. A queued job is one like any other: the function looks for its object first, so that
//! nothing is fetched twice.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::{Instant, sleep};

use super::{
    account::Opened,
    invocation::{self, NotAnswered},
};
use aws::OrFail;
use contract::{
    backfill::{Event, Found, LARGEST_LOOK, List, ListedJob, Look, Question},
    job::Job,
};
use declaration::{Declaration, choose};
use engine::{Class, Failure};
use kinds::Kind;
use problem::Problem;

/// Variable of the function's secret without which it knows no platform.
const TOKEN: &str = "PLATFORM_TOKEN";
/// Event of a queued job: nobody has posted it.
const EVENT: &str = "backfill";
/// Maximum number of messages per call of SQS.
const BATCH: usize = 10;
/// Time from one look to the next, at first and at most, while the function stores outputs.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));

/// The function that a backfill is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target<'declared> {
    /// Entry name of the function.
    pub(crate) function: &'declared str,
    /// Entry name of the queue that it consumes.
    pub(crate) queue: &'declared str,
    timeout: Duration,
}

/// The state of a job's output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum State {
    /// It is not in the bucket.
    Missing,
    /// Its job is in the queue.
    Queued,
    /// SQS did not take its job.
    NotQueued { reason: String },
    /// It is in the bucket.
    Stored { key: String },
    /// The function has recorded that there is none.
    NoOutput,
    /// Something keeps it from being stored.
    Blocked { reason: String },
}

/// A job whose output is missing, or was when the backfill began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Entry {
    #[serde(flatten)]
    pub(crate) job: ListedJob,
    #[serde(flatten)]
    pub(crate) state: State,
    /// Mark of the record that there was no output, when the backfill began.
    #[serde(skip)]
    record: Option<String>,
}

/// The jobs of a platform.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// Number of all jobs at the platform, in whatever state.
    pub(crate) known: usize,
    /// Number of jobs that the function cannot store, because of their ids.
    pub(crate) strange: usize,
    /// Number of complete jobs whose outputs were in the bucket when the backfill began.
    pub(crate) stored: usize,
    /// The other complete jobs.
    pub(crate) entries: Vec<Entry>,
}

/// Finds the function that stores the outputs of jobs: by its own entry name, or by that of the API whose jobs it takes.
pub(crate) fn target<'declared>(declaration: &'declared Declaration, name: &str) -> Result<Target<'declared>, Problem> {
    let mut meant = meant(declaration, name)?.into_iter();
    match (meant.next(), meant.next()) {
        (Some(entry), None) => {
            let one = declaration.functions.get_key_value(entry);
            let one = one.and_then(|(entry, one)| Some((entry, one, one.consumes.as_ref()?)));
            let target = one.map(|(entry, one, consumes)| Target {
                function: entry,
                queue: &consumes.queue,
                timeout: one.timeout,
            });
            target.ok_or_else(|| not_found(name, "no function consumes its queue"))
        }
        (Some(one), Some(other)) => {
            Err(not_found(name, "several functions do").with_hint(format!("name one: `{one}`, `{other}`")))
        }
        (None, _) => Err(not_found(name, "no function does").with_hint(format!(
            "a function has to consume the queue that the API's function sends to, with a secret for `{TOKEN}`"
        ))),
    }
}

fn not_found(name: &str, words: &str) -> Problem {
    Problem::new(format!("Failed to find what stores the jobs of `{name}`: {words}"))
}

/// Returns the functions that a name can mean.
fn meant<'declared>(declaration: &'declared Declaration, name: &str) -> Result<BTreeSet<&'declared str>, Problem> {
    let functions = &declaration.functions;
    let stores =
        |entry: &str| functions.get(entry).is_some_and(|one| one.secrets.contains_key(TOKEN) && one.consumes.is_some());
    match (functions.get_key_value(name), declaration.apis.get(name)) {
        (Some((entry, _)), _) if stores(entry) => Ok(BTreeSet::from([entry.as_str()])),
        (Some(_), _) => {
            let words = format!("the function has no queue in `consumes`, or no secret for `{TOKEN}`");
            Err(not_found(name, &words).with_hint("name the function that has both, or the API"))
        }
        (None, Some(api)) => {
            let invoked = api.routes.iter().filter_map(|route| functions.get(&route.invoke));
            let queues: BTreeSet<&str> = invoked.flat_map(|one| &one.sends).map(String::as_str).collect();
            let takes = |entry: &str| {
                let queue = functions.get(entry).and_then(|one| one.consumes.as_ref());
                queue.is_some_and(|consumes| queues.contains(consumes.queue.as_str()))
            };
            Ok(functions.keys().map(String::as_str).filter(|entry| stores(entry) && takes(entry)).collect())
        }
        (None, None) => {
            let known: Vec<&str> = declaration.apis.keys().chain(functions.keys()).map(String::as_str).collect();
            let words = "the declaration has no API and no function of that name";
            Err(not_found(name, words).with_hint(choose(name, "its APIs and functions are", &known)))
        }
    }
}

/// Asks the function a question.
async fn ask<Answer: DeserializeOwned>(
    opened: &Opened,
    target: &Target<'_>,
    question: Question,
) -> Result<Answer, Problem> {
    let problem = || Problem::new(format!("Failed to ask the function `{}` for its jobs", target.function));
    let name = opened.names.name(Kind::Function, target.function);
    let event = Event { provision: question };
    invocation::ask(&opened.session, (&name, target.timeout), &event).await.map_err(|reason| {
        let hinted = match &reason {
            NotAnswered::NotInvoked(failure) if failure.class == Class::NotFound => {
                problem().with_hint("`provision up` creates it")
            }
            NotAnswered::NotInvoked(_) => problem(),
            NotAnswered::Failed(_) => problem().with_hint("see `provision logs`"),
            NotAnswered::NotRead(_) => {
                problem().with_hint("it has to be the `webhook-worker` of this version: `provision up` deploys it")
            }
        };
        hinted.with_source(reason)
    })
}

/// Lists the complete jobs of the platform from a moment on.
pub(crate) async fn list(
    opened: &Opened,
    target: &Target<'_>,
    since: Option<Timestamp>,
) -> Result<(Survey, Vec<ListedJob>), Problem> {
    let (mut survey, mut jobs) = (Survey::default(), Vec::<ListedJob>::new());
    loop {
        let after = jobs.last().map(|job| job.id.clone());
        let question = Question::List { since: since.map(|since| since.to_string()), after: after.clone() };
        let List { jobs: more, known, strange, more: has_more } = ask(opened, target, question).await?;
        (survey.known, survey.strange) = (known, strange);
        jobs.extend(more);
        // A function that answers with the same jobs again would be asked for ever.
        if !has_more || jobs.last().map(|job| &job.id) <= after.as_ref() {
            return Ok((survey, jobs));
        }
    }
}

/// Looks for the outputs of jobs; those that are missing become entries of the survey. `told` learns how many were looked for.
pub(crate) async fn look(
    opened: &Opened,
    target: &Target<'_>,
    jobs: Vec<ListedJob>,
    survey: &mut Survey,
    told: impl Fn(usize),
) -> Result<(), Problem> {
    let mut looked = 0;
    for some in jobs.chunks(LARGEST_LOOK) {
        let Look { mut found } = ask(opened, target, Question::Look { jobs: some.to_vec() }).await?;
        for job in some {
            let (state, record) = match found.remove(&job.id) {
                Some(Found::Stored { .. }) => {
                    survey.stored += 1;
                    continue;
                }
                Some(Found::Missing { record }) => (State::Missing, record),
                Some(Found::Blocked { reason }) => (State::Blocked { reason }, None),
                None => (State::Blocked { reason: "the function says nothing of it".to_owned() }, None),
            };
            survey.entries.push(Entry { job: job.clone(), state, record });
        }
        looked += some.len();
        told(looked);
    }
    Ok(())
}

/// Puts the missing jobs into the queue of the function. What SQS does not take is an entry of its own state.
pub(crate) async fn queue(opened: &Opened, target: &Target<'_>, survey: &mut Survey) -> Result<(), Problem> {
    let failed = |failure: Failure| {
        Problem::new(format!("Failed to send jobs to the queue `{}`", target.queue)).with_source(failure)
    };
    let name = opened.names.name(Kind::Queue, target.queue);
    let call = opened.session.aws.read.sqs.get_queue_url().queue_name(name);
    let url = call.send().await.or_fail("sqs.GetQueueUrl").map_err(failed)?.queue_url.unwrap_or_default();
    let mut missing: Vec<&mut Entry> =
        survey.entries.iter_mut().filter(|entry| entry.state == State::Missing).collect();
    for some in missing.chunks_mut(BATCH) {
        let refused = send(opened, &url, some).await.map_err(failed)?;
        for (position, entry) in some.iter_mut().enumerate() {
            let reason = refused.iter().find(|(number, _)| *number == position.to_string());
            entry.state = match reason {
                Some((_, reason)) => State::NotQueued { reason: reason.clone() },
                None => State::Queued,
            };
        }
    }
    Ok(())
}

/// Sends jobs in one call; returns the numbers of those that SQS refuses, with its reasons.
async fn send(opened: &Opened, url: &str, entries: &[&mut Entry]) -> Result<Vec<(String, String)>, Failure> {
    const CALL: &str = "sqs.SendMessageBatch";
    let invalid = |error: String| Failure::found(CALL, Class::Invalid, error);
    let mut messages = Vec::new();
    for (position, entry) in entries.iter().enumerate() {
        let job = Job { id: entry.job.id.clone(), event: EVENT.to_owned(), message: None, received: None };
        let body = serde_json::to_string(&job).map_err(|error| invalid(error.to_string()))?;
        let message = SendMessageBatchRequestEntry::builder().id(position.to_string()).message_body(body).build();
        messages.push(message.map_err(|error| invalid(error.to_string()))?);
    }
    let call = opened.session.aws.write.sqs.send_message_batch().queue_url(url).set_entries(Some(messages));
    let answer = call.send().await.or_fail(CALL)?;
    Ok(answer.failed.into_iter().map(|one| (one.id, one.message.unwrap_or(one.code))).collect())
}

/// Waits until the function has stored the outputs of the queued jobs, or has recorded that there are none, for that time at most. `told`
/// learns how many are left.
pub(crate) async fn follow(
    opened: &Opened,
    target: &Target<'_>,
    survey: &mut Survey,
    limit: Duration,
    told: impl Fn(usize),
) -> Result<(), Problem> {
    let (end, mut pause) = (Instant::now() + limit, PAUSES.0);
    let queued = survey.entries.iter().enumerate().filter(|(_, entry)| entry.state == State::Queued);
    let mut open: VecDeque<usize> = queued.map(|(position, _)| position).collect();
    while !open.is_empty() && Instant::now() < end {
        sleep(pause.min(end.saturating_duration_since(Instant::now()))).await;
        let some: Vec<usize> = open.drain(..open.len().min(LARGEST_LOOK)).collect();
        let jobs = some.iter().filter_map(|position| survey.entries.get(*position)).map(|entry| entry.job.clone());
        let Look { mut found } = ask(opened, target, Question::Look { jobs: jobs.collect() }).await?;
        let before = open.len();
        for position in some.iter().copied() {
            let Some(entry) = survey.entries.get_mut(position) else { continue };
            match found.remove(&entry.job.id) {
                Some(Found::Stored { key }) => entry.state = State::Stored { key },
                Some(Found::Missing { record: Some(record) }) if entry.record.as_ref() != Some(&record) => {
                    entry.state = State::NoOutput;
                }
                Some(Found::Blocked { reason }) => entry.state = State::Blocked { reason },
                // Those that take longer are asked for again after the others.
                _ => open.push_back(position),
            }
        }
        // Where all of them are done, the next ones may be, too.
        pause = if open.len() == before { Duration::ZERO } else { (pause * 2).clamp(PAUSES.0, PAUSES.1) };
        told(open.len());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECLARATION: &str = "\
stack: egress
region: eu-west-1
apis:
  hook:
    routes: [{route: POST /done, invoke: receiver, authentication: {scheme: bearer, secret: WEBHOOK_SECRET}}]
  other:
    routes: [{route: POST /done, invoke: lone, authentication: {scheme: bearer, secret: WEBHOOK_SECRET}}]
functions:
  receiver: {crate: a, timeout: 5s, secrets: {WEBHOOK_SECRET: token}, sends: [jobs]}
  lone: {crate: a, timeout: 5s, secrets: {WEBHOOK_SECRET: token}}
  worker: {crate: b, timeout: 5s, secrets: {PLATFORM_TOKEN: token}, consumes: {queue: jobs}}
queues: {jobs: {visibility_timeout: 5m}}
secrets: {token: {value_from: {environment: TOKEN}}}
";

    fn declaration(text: &str) -> Declaration {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("infra.yaml");
        std::fs::write(&file, text).unwrap();
        Declaration::read(&file, None).unwrap()
    }

    #[test]
    fn what_stores_the_jobs_is_found_by_the_api_or_by_its_own_name() {
        let one = declaration(DECLARATION);
        for name in ["hook", "worker"] {
            let found = target(&one, name).unwrap();
            assert_eq!((found.function, found.queue, found.timeout), ("worker", "jobs", Duration::from_secs(5)));
        }
        for (name, says) in [
            ("other", "no function does"),
            ("receiver", "no secret for `PLATFORM_TOKEN`"),
            ("wroker", "no API and no function of that name"),
        ] {
            let problem = target(&one, name).unwrap_err();
            assert!(problem.to_string().contains(says) && problem.hint().is_some(), "{problem}");
        }
        let two = DECLARATION.replace(
            "queues: {jobs:",
            "  second: {crate: b, timeout: 5s, secrets: {PLATFORM_TOKEN: token}, consumes: {queue: others}}\nqueues: {others: {visibility_timeout: 5m}, jobs:",
        );
        let two = declaration(&two.replace("sends: [jobs]", "sends: [jobs, others]"));
        assert_eq!(target(&two, "hook").unwrap_err().hint(), Some("name one: `second`, `worker`"));
        assert_eq!(target(&two, "second").unwrap().function, "second");
    }
}
