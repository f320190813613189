//! One instance of a function: the real binary as a child process, its Runtime API, its limits.
//!
//! It handles one event at a time. A [`Failure`] that ends it makes the function start another.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::Stdio,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::body::Bytes;
use contract::secret::Secret;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader},
    process::Command,
    sync::mpsc,
    time::{Instant, interval, sleep_until},
};

use crate::{
    failure::Failure,
    observer::Usage,
    runtime_api::{Invocation, RuntimeApi, Signal},
};
use process::{Group, describe};

/// Time that Lambda gives a process to ask for its first event.
const START_LIMIT: Duration = Duration::from_secs(10);
/// Interval of the memory check. The kernel keeps the peak, so nothing is missed.
const LOOK_AT_MEMORY: Duration = Duration::from_millis(20);
/// CloudWatch's limit on one log event, in bytes.
const LONGEST_LINE: u64 = 256 * 1024;

/// A program and its limits.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// Path of the binary.
    pub executable: PathBuf,
    /// Environment variables, all except the address of the Runtime API.
    pub environment: BTreeMap<String, Secret>,
    /// Memory limit, in MiB.
    pub memory: u32,
    /// Timeout of one event.
    pub timeout: Duration,
    /// ARN of the function.
    pub function_arn: String,
}

/// A running instance of a function.
#[derive(Debug)]
pub(crate) struct Instance {
    program: Program,
    group: Group,
    api: RuntimeApi,
    started: Instant,
    /// Duration of the start, until the process asked for its first event; `None` until then.
    start: Option<Duration>,
    ready: bool,
}

impl Instance {
    /// Starts the process. The lines that it writes go to `lines`.
    ///
    /// Its credentials have a token, as those of every instance in Lambda.
    pub(crate) async fn start(
        program: Program,
        token: Secret,
        lines: &mpsc::UnboundedSender<String>,
    ) -> Result<Self, Failure> {
        let not_run = |error: std::io::Error| Failure::NotRun(error.to_string());
        let api = RuntimeApi::start().await.map_err(not_run)?;
        let folder = program.executable.parent().map(PathBuf::from).unwrap_or_default();
        let mut command = Command::new(&program.executable);
        command
            .env_clear()
            .envs(program.environment.iter().map(|(name, value)| (name, value.expose())))
            .env("AWS_SESSION_TOKEN", token.expose())
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .env("LAMBDA_TASK_ROOT", &folder)
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut group = Group::start(&mut command)
            .map_err(|error| Failure::NotRun(format!("`{}`: {error}", program.executable.display())))?;
        if let Some(output) = group.child.stdout.take() {
            tokio::spawn(read_lines(output, lines.clone()));
        }
        if let Some(errors) = group.child.stderr.take() {
            tokio::spawn(read_lines(errors, lines.clone()));
        }
        Ok(Self { program, group, api, started: Instant::now(), start: None, ready: false })
    }

    /// Gives the process an event and waits for its answer.
    pub(crate) async fn invoke(&mut self, request_id: &str, event: Bytes) -> Result<(Value, Usage), Failure> {
        let start = self.until_ready().await?;
        let (begun, timeout) = (Instant::now(), self.program.timeout);
        self.api.offer(Invocation {
            request_id: request_id.to_owned(),
            deadline: (SystemTime::now() + timeout).duration_since(UNIX_EPOCH).unwrap_or_default().as_millis(),
            function_arn: self.program.function_arn.clone(),
            payload: event,
        });
        self.ready = false;
        let answer = loop {
            match self.signal(begun + timeout, Failure::TimedOut(timeout)).await? {
                Signal::Response(body) => break body,
                Signal::Error(body) => return Err(Failure::posted(&body, false)),
                Signal::InitError(body) => return Err(Failure::posted(&body, true)),
                Signal::Ready => {}
            }
        };
        let duration = begun.elapsed();
        self.check_memory()?;
        let usage = Usage { duration, start, memory: self.group.peak_memory() };
        Ok((serde_json::from_slice(&answer).unwrap_or_default(), usage))
    }

    /// Waits until the process asks for an event; returns the duration of its start if this is its first.
    async fn until_ready(&mut self) -> Result<Option<Duration>, Failure> {
        let deadline = if self.start.is_none() { self.started } else { Instant::now() } + START_LIMIT;
        while !self.ready {
            match self.signal(deadline, Failure::NotReady(START_LIMIT)).await? {
                Signal::Ready => self.ready = true,
                Signal::InitError(body) => return Err(Failure::posted(&body, true)),
                Signal::Response(_) | Signal::Error(_) => {}
            }
        }
        let first = self.start.is_none();
        let start = *self.start.get_or_insert_with(|| self.started.elapsed());
        Ok(first.then_some(start))
    }

    /// Returns the runtime's next signal, or a failure if the process ends, uses too much memory, or misses
    /// the deadline.
    async fn signal(&mut self, deadline: Instant, too_late: Failure) -> Result<Signal, Failure> {
        let mut look = interval(LOOK_AT_MEMORY);
        loop {
            tokio::select! {
                biased;
                Some(signal) = self.api.signals.recv() => return Ok(signal),
                () = sleep_until(deadline) => return Err(too_late),
                ended = self.group.child.wait() => {
                    // The process may have sent a last signal that is still on its way through the server.
                    tokio::time::sleep(LOOK_AT_MEMORY).await;
                    return self.api.signals.try_recv().map_err(|_| match ended {
                        Ok(status) => Failure::Exited(describe(status)),
                        Err(error) => Failure::Exited(error.to_string()),
                    });
                }
                _ = look.tick() => self.check_memory()?,
            }
        }
    }

    fn check_memory(&self) -> Result<(), Failure> {
        let limit = self.program.memory;
        match self.group.peak_memory() {
            Some(used) if used > u64::from(limit) * 1024 * 1024 => Err(Failure::OutOfMemory { used, limit }),
            _ => Ok(()),
        }
    }

    /// Returns whether the process has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.group.child.try_wait(), Ok(None))
    }

    /// Ends the process and all its descendants.
    pub(crate) async fn end(mut self) {
        self.group.end().await;
    }
}

/// Reads lines as they are written, each cut at [`LONGEST_LINE`].
async fn read_lines(stream: impl AsyncRead + Unpin, lines: mpsc::UnboundedSender<String>) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut reader).take(LONGEST_LINE).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let text = String::from_utf8_lossy(&line);
                let text = text.trim_end_matches(['\r', '\n']);
                if !text.is_empty() && lines.send(text.to_owned()).is_err() {
                    return;
                }
            }
        }
    }
}
