//! Lambda as a function sees it: the Runtime API, and the variables of its environment.

use std::{
    collections::VecDeque,
    process::{Command, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::{Answer, Request, Running, Server};

/// Deadline of every wait.
const PATIENCE: Duration = Duration::from_mins(1);
/// Time after which a wait looks whether the function is still there.
const GLANCE: Duration = Duration::from_millis(100);

/// A message of the function to the Runtime API.
#[derive(Debug, Clone)]
pub struct Report {
    /// Path, such as `/2018-06-01/runtime/invocation/ID/response`.
    pub path: String,
    /// Value of the header `lambda-runtime-function-error-type`; `None` if there is none.
    pub error_type: Option<String>,
    /// Body of the message: the function's answer, or its error.
    pub body: String,
}

#[derive(Debug, Default)]
struct State {
    /// Request ids and events that wait for the function.
    events: VecDeque<(String, String)>,
    /// Duration of an invocation; `None` for as long as it takes.
    timeout: Option<Duration>,
    reports: Vec<Report>,
}

/// A Lambda Runtime API for one function.
///
/// ```no_run
/// use function_trial::{Lambda, Running};
///
/// let lambda = Lambda::start();
/// let mut command = lambda.function("target/debug/echo");
/// command.env("PROVISION_CONTEXT", r#"{"stack": "s", "function": "echo"}"#);
/// let function = Running::start(command);
/// let report = lambda.invoke("request-1", r#"{"Records": []}"#);
/// assert!(report.path.ends_with("/request-1/response"), "{report:?}");
/// let (_lines, errors) = function.stop();
/// assert_eq!(errors, "");
/// ```
#[derive(Debug, Clone)]
pub struct Lambda {
    state: Arc<(Mutex<State>, Condvar)>,
    server: Server,
}

impl Lambda {
    /// Starts a Runtime API.
    pub fn start() -> Self {
        let state = Arc::<(Mutex<State>, Condvar)>::default();
        let serving = Arc::clone(&state);
        let server = Server::start(move |request| Some(answer(&serving, request)));
        Self { state, server }
    }

    /// Limits the time of every invocation.
    pub fn limit(&self, timeout: Duration) {
        self.lock().timeout = Some(timeout);
    }

    /// Invokes the function and waits for its message.
    pub fn invoke(&self, request_id: &str, event: &str) -> Report {
        self.prepare(request_id, event);
        self.wait_for(request_id)
    }

    /// Invokes the function as soon as it asks.
    pub fn prepare(&self, request_id: &str, event: &str) {
        self.lock().events.push_back((request_id.to_owned(), event.to_owned()));
        self.state.1.notify_all();
    }

    /// Waits for the function's message on a path with these words in it. A path counts once: the next wait is for another message.
    pub fn wait_for(&self, words: &str) -> Report {
        self.wait_while(words, || true).unwrap()
    }

    /// Invokes the function and waits for its message; `None` if its process ends before.
    pub fn invoke_once(&self, request_id: &str, event: &str, function: &mut Running) -> Option<Report> {
        self.prepare(request_id, event);
        self.wait_while(request_id, || !function.has_ended())
    }

    /// Waits for a message for as long as the function may send one.
    fn wait_while(&self, words: &str, mut may_come: impl FnMut() -> bool) -> Option<Report> {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.lock();
        loop {
            if let Some(at) = state.reports.iter().position(|report| report.path.contains(words)) {
                return Some(state.reports.remove(at));
            }
            if !may_come() {
                return None;
            }
            let left = deadline.checked_duration_since(Instant::now());
            let left =
                left.unwrap_or_else(|| panic!("the function reports nothing about {words}: {:?}", state.reports));
            state = self.state.1.wait_timeout(state, left.min(GLANCE)).unwrap().0;
        }
    }

    /// Returns the function's program, with the environment that Lambda gives it: credentials, region and the Runtime API.
    pub fn function(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.envs([
            ("AWS_LAMBDA_RUNTIME_API", self.server.address.as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", "example-function"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "example"),
        ]);
        command
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.0.lock().unwrap()
    }
}

fn answer((state, changed): &(Mutex<State>, Condvar), request: Request) -> Answer {
    let mut state = state.lock().unwrap();
    if !request.path.ends_with("/invocation/next") {
        let (error_type, body) = (request.headers.get("lambda-runtime-function-error-type").cloned(), request.text());
        state.reports.push(Report { path: request.path, error_type, body });
        changed.notify_all();
        return Answer::new(202, "{}");
    }
    loop {
        if let Some((id, event)) = state.events.pop_front() {
            let deadline = state.timeout.map_or(4_102_444_800_000, |timeout| {
                (SystemTime::now() + timeout).duration_since(UNIX_EPOCH).unwrap().as_millis()
            });
            return Answer::new(200, event)
                .with("lambda-runtime-aws-request-id", &id)
                .with("lambda-runtime-deadline-ms", &deadline.to_string())
                .with(
                    "lambda-runtime-invoked-function-arn",
                    "arn:aws:lambda:eu-west-1:123456789012:function:example-function",
                );
        }
        state = changed.wait(state).unwrap();
    }
}
