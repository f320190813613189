//! The Runtime API of one instance of the function, and its process.

use std::{
    collections::VecDeque,
    io::Read,
    process::{Child, Command, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;

use crate::server::{Request, answer, serve};

/// Deadline of every wait.
const PATIENCE: Duration = Duration::from_mins(10);

#[derive(Default)]
struct State {
    /// Id, time that it has, and event of each invocation.
    events: VecDeque<(String, Duration, String)>,
    /// Path and body of each message of the function.
    said: Vec<(String, String)>,
}

/// A running instance of the function.
pub(crate) struct Instance {
    state: Arc<(Mutex<State>, Condvar)>,
    child: Child,
    output: Option<thread::JoinHandle<String>>,
    errors: Option<thread::JoinHandle<String>>,
    invocations: usize,
}

/// The answer to an invocation.
#[derive(Debug, Clone)]
pub(crate) enum Ended {
    /// The answer of the function.
    Answer(Value),
    /// The error of the function, in words.
    Error(String),
    /// The process has ended before.
    Died,
}

impl Instance {
    /// Starts an instance with that environment and nothing else.
    pub(crate) fn start(environment: &[(String, String)]) -> Self {
        let state: Arc<(Mutex<State>, Condvar)> = Arc::default();
        let served = Arc::clone(&state);
        let address = serve(Arc::new(move |request: Request, stream| {
            if !request.path.ends_with("/invocation/next") {
                served.0.lock().unwrap().said.push((request.path, String::from_utf8(request.body).unwrap()));
                served.1.notify_all();
                return answer(stream, 202, "", b"{}");
            }
            let mut state = served.0.lock().unwrap();
            let (id, time, event) = loop {
                match state.events.pop_front() {
                    Some(event) => break event,
                    None => state = served.1.wait(state).unwrap(),
                }
            };
            drop(state);
            let deadline = (SystemTime::now() + time).duration_since(UNIX_EPOCH).unwrap().as_millis();
            let headers = format!(
                "lambda-runtime-aws-request-id: {id}\r\nlambda-runtime-deadline-ms: {deadline}\r\n\
                 lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-west-1:123456789012:function:egress-worker\r\n"
            );
            answer(stream, 200, &headers, event.as_bytes())
        }));
        let mut command = Command::new(env!("CARGO_BIN_EXE_webhook-worker"));
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env("AWS_LAMBDA_RUNTIME_API", address.to_string());
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let mut child = command.spawn().unwrap();
        let (output, errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Self { state, child, output: Some(collect(output)), errors: Some(collect(errors)), invocations: 0 }
    }

    /// Invokes the function, which has that time, and waits for its answer or its end.
    pub(crate) fn invoke(&mut self, time: Duration, event: &Value) -> Ended {
        self.invocations += 1;
        let id = format!("request-{}-{}", self.child.id(), self.invocations);
        let mut state = self.state.0.lock().unwrap();
        state.events.push_back((id.clone(), time, event.to_string()));
        self.state.1.notify_all();
        let began = Instant::now();
        loop {
            if let Some((path, body)) = state.said.iter().find(|(path, _)| path.contains(&id)) {
                let is_answer = path.ends_with("/response");
                return if is_answer {
                    Ended::Answer(serde_json::from_str(body).unwrap())
                } else {
                    Ended::Error(body.clone())
                };
            }
            assert!(began.elapsed() < PATIENCE, "no answer");
            state = self.state.1.wait_timeout(state, Duration::from_millis(20)).unwrap().0;
            if self.child.try_wait().unwrap().is_some() {
                return Ended::Died;
            }
        }
    }

    /// Waits until the function reports that it cannot start.
    pub(crate) fn start_error(&mut self) -> String {
        let mut state = self.state.0.lock().unwrap();
        let began = Instant::now();
        loop {
            if let Some((_, body)) = state.said.iter().find(|(path, _)| path.ends_with("/init/error")) {
                return body.clone();
            }
            assert!(began.elapsed() < PATIENCE, "no error");
            state = self.state.1.wait_timeout(state, Duration::from_millis(20)).unwrap().0;
        }
    }

    /// Returns the id of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns its peak resident memory, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Kills the process if it runs; returns the lines of its standard output, and its standard error.
    pub(crate) fn stop(mut self) -> (Vec<Value>, String) {
        let _ended_by_itself = self.child.kill();
        self.child.wait().unwrap();
        let output = self.output.take().unwrap().join().unwrap();
        // A killed process may leave half a line.
        let lines = output.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        (lines, self.errors.take().unwrap().join().unwrap())
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if self.output.is_some() {
            let _ended_by_itself = self.child.kill();
            let _status = self.child.wait();
        }
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).unwrap();
        text
    })
}
