//! The life cycle of a function: its log, its one HTTP client, its configuration, and its answers until Lambda ends it.

use std::{fmt::Display, panic, process::ExitCode};

use contract::{
    probe::Check,
    report::{BUILD, Report, Start, is_build},
};
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use lambda_runtime_api_client::{PooledClient, build_request};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::Value;
use tracing_subscriber::filter::LevelFilter;

use crate::{Deadline, probe, redact};

/// Runs a function: reads its configuration from the environment and serves with it. A configuration that cannot be read is
/// reported to Lambda as a failed start.
pub fn start<Configuration, Problem: Display>(
    read: impl FnOnce(&dyn Fn(&str) -> Option<String>) -> Result<Configuration, Problem>,
    serve: impl AsyncFnOnce(Configuration) -> ExitCode,
) -> ExitCode {
    prepare_log();
    tell_build();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "the function cannot start");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(async {
        match read(&|name| std::env::var(name).ok()) {
            Ok(configuration) => serve(configuration).await,
            Err(problem) => failed_start(&redact(&problem.to_string())).await,
        }
    })
}

/// One invocation of a function.
#[derive(Debug, Clone)]
pub struct Invocation<Event> {
    /// Lambda's request id; the same for a retry.
    pub request_id: String,
    /// Deadline of the invocation.
    pub deadline: Deadline,
    /// Event of the invocation.
    pub event: Event,
}

impl<Event> From<LambdaEvent<Event>> for Invocation<Event> {
    fn from(event: LambdaEvent<Event>) -> Self {
        let deadline = Deadline::at(event.context.deadline());
        Self { request_id: event.context.request_id, deadline, event: event.payload }
    }
}

/// Runs the Lambda event loop: answers one event after the other until Lambda ends the function. An event that is not of the
/// type `Event` fails its invocation, and an error becomes a `Diagnostic` with `error_type = failure`.
pub async fn answer<Event: DeserializeOwned, Answer: Serialize, Failure: Display>(
    failure: &str,
    handle: impl AsyncFn(Invocation<Event>) -> Result<Answer, Failure>,
) -> ExitCode {
    answer_with_checks(failure, handle, async |_| Vec::new()).await
}

/// Starts a function that uses more than its context names: `check` tries that when somebody asks the function whether it reaches
/// what it uses ([`contract::probe`]). It changes nothing, and begins nothing that cannot end before the deadline.
pub async fn answer_with_checks<Event: DeserializeOwned, Answer: Serialize, Failure: Display>(
    failure: &str,
    handle: impl AsyncFn(Invocation<Event>) -> Result<Answer, Failure>,
    check: impl AsyncFn(Deadline) -> Vec<Check>,
) -> ExitCode {
    let (handle, check) = (&handle, &check);
    let told = service_fn(|event: LambdaEvent<Incoming<Event>>| async move {
        let diagnostic =
            |error: Failure| Diagnostic { error_type: failure.to_owned(), error_message: redact(&error.to_string()) };
        let LambdaEvent { payload, context } = event;
        match payload {
            Incoming::Event(event) => {
                handle(LambdaEvent::new(event, context).into()).await.map(Outgoing::Answer).map_err(diagnostic)
            }
            Incoming::Probe => {
                let deadline = Deadline::at(context.deadline()).earlier(probe::MARGIN);
                let (mut checks, further) = tokio::join!(probe::checks(deadline), check(deadline));
                checks.extend(further);
                Ok(Outgoing::Probe(probe::answer(checks)))
            }
        }
    });
    match Runtime::new(told).run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the Runtime API cannot be reached");
            ExitCode::FAILURE
        }
    }
}

/// An event as it comes: one of the function's own, or the question whether it reaches what it uses.
enum Incoming<Event> {
    Event(Event),
    Probe,
}

impl<'de, Event: DeserializeOwned> Deserialize<'de> for Incoming<Event> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = Value::deserialize(deserializer)?;
        if contract::probe::asks(&event) {
            return Ok(Self::Probe);
        }
        serde_json::from_value(event).map(Self::Event).map_err(serde::de::Error::custom)
    }
}

/// An answer as it goes.
#[derive(Serialize)]
#[serde(untagged)]
enum Outgoing<Answer> {
    Answer(Answer),
    Probe(contract::probe::Answer),
}

/// Sends log messages other than reports to standard error as JSON lines, from the level `AWS_LAMBDA_LOG_LEVEL` on (`WARN`
/// without it).
///
/// A panic is logged with its place only: its message may quote the mail.
fn prepare_log() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|level| level.parse().ok());
    tracing_subscriber::fmt()
        .json()
        .with_max_level(level.unwrap_or(LevelFilter::WARN))
        .with_writer(|| Redacting(std::io::stderr()))
        .init();
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panicked");
    }));
}

/// Standard error, without secrets. Each line is written at once.
struct Redacting(std::io::Stderr);

impl std::io::Write for Redacting {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.write_all(redact(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// Writes into the log which code starts, where the zip says so. A variable could not tell: between the two calls of an update it would be
/// that of the other code.
fn tell_build() {
    let Some(root) = std::env::var_os("LAMBDA_TASK_ROOT") else { return };
    let Ok(text) = std::fs::read_to_string(std::path::Path::new(&root).join(BUILD)) else { return };
    let build = text.trim().to_owned();
    if !is_build(&build) {
        return;
    }
    let written =
        serde_json::to_vec(&Report::Start(Start { build })).map_err(std::io::Error::from).and_then(|mut line| {
            line.push(b'\n');
            std::io::Write::write_all(&mut std::io::stdout().lock(), &line)
        });
    if let Err(error) = written {
        tracing::error!(%error, "the log cannot be written");
    }
}

/// Reports to Lambda, and to the log, why the function cannot start.
async fn failed_start(reason: &str) -> ExitCode {
    tracing::error!(reason, "the function cannot start");
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        tracing::error!(
            "`AWS_LAMBDA_RUNTIME_API` is missing: this program is started by Lambda, or by `provision dev`"
        );
        return ExitCode::FAILURE;
    }
    let body = serde_json::json!({"errorType": "Configuration", "errorMessage": reason, "stackTrace": []});
    let request = build_request()
        .method("POST")
        .uri("/2018-06-01/runtime/init/error")
        .header("lambda-runtime-function-error-type", "Runtime.InitError")
        .body(body.to_string().into());
    match request {
        Ok(request) => {
            if let Err(error) = PooledClient::builder().build().call(request).await {
                tracing::error!(%error, "the Runtime API does not take the error");
            }
        }
        Err(error) => tracing::error!(%error, "the error could not be put into a request"),
    }
    ExitCode::FAILURE
}
