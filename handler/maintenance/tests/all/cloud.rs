//! The surroundings of a function on this machine: a Lambda Runtime API and an S3 endpoint, as small as they can be, and
//! the function's process between them. Nothing sleeps: every wait ends with what it waits for, or with a deadline.

use std::{
    collections::{BTreeMap, VecDeque},
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Deadline of every wait.
const PATIENCE: Duration = Duration::from_mins(1);

/// A message of the function to the Runtime API.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    /// Path, such as `/2018-06-01/runtime/invocation/ID/response`.
    pub(crate) path: String,
    /// Value of the header `lambda-runtime-function-error-type`.
    pub(crate) error_type: Option<String>,
    pub(crate) body: String,
}

#[derive(Default)]
struct State {
    /// Answers by `/bucket/key`, in order; the last one is repeated.
    objects: BTreeMap<String, VecDeque<(u16, Vec<u8>)>>,
    events: VecDeque<(String, String)>,
    /// Time that an invocation has; `None` for as long as it takes.
    timeout: Option<Duration>,
    said: Vec<Said>,
    fetched: Vec<String>,
    /// Written objects by `bucket/key`, and the number of their `ETag`.
    written: BTreeMap<String, (Vec<u8>, usize)>,
    deleted: Vec<String>,
    unsigned: usize,
}

/// The fake endpoints of AWS.
#[derive(Clone)]
pub(crate) struct Cloud {
    state: Arc<(Mutex<State>, Condvar)>,
    address: String,
}

impl Cloud {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let cloud = Self { state: Arc::default(), address };
        let serving = cloud.clone();
        // Ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                thread::spawn(move || serving.serve(&stream));
            }
        });
        cloud
    }

    /// Sets an object, or an error answer of S3.
    pub(crate) fn answer(&self, object: &str, status: u16, bytes: &[u8]) {
        self.lock().objects.entry(format!("/{object}")).or_default().push_back((status, bytes.to_vec()));
    }

    /// Limits the time of every invocation.
    pub(crate) fn limit(&self, timeout: Duration) {
        self.lock().timeout = Some(timeout);
    }

    /// Invokes the function and waits for its message.
    pub(crate) fn invoke(&self, request_id: &str, event: &str) -> Said {
        self.prepare(request_id, event);
        self.wait_for(request_id)
    }

    /// Invokes the function as soon as it asks.
    pub(crate) fn prepare(&self, request_id: &str, event: &str) {
        self.lock().events.push_back((request_id.to_owned(), event.to_owned()));
        self.state.1.notify_all();
    }

    /// Waits for the function's message on a path with these words in it.
    pub(crate) fn wait_for(&self, words: &str) -> Said {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.lock();
        loop {
            if let Some(said) = state.said.iter().find(|said| said.path.contains(words)) {
                return said.clone();
            }
            let left = deadline.checked_duration_since(Instant::now());
            let left = left.unwrap_or_else(|| panic!("the function said nothing about {words}: {:?}", state.said));
            state = self.state.1.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Returns the keys of the objects that were read, in order; checks that every request was signed.
    pub(crate) fn fetched(&self) -> Vec<String> {
        let state = self.lock();
        assert_eq!(state.unsigned, 0, "unsigned requests to S3");
        state.fetched.clone()
    }

    /// Returns the objects that were written below `bucket/key`.
    pub(crate) fn written(&self) -> BTreeMap<String, Vec<u8>> {
        self.lock().written.iter().map(|(object, (bytes, _))| (object.clone(), bytes.clone())).collect()
    }

    /// Returns the keys of the objects that were deleted.
    pub(crate) fn deleted(&self) -> Vec<String> {
        self.lock().deleted.clone()
    }

    /// Returns the function's program, with the environment that Lambda and the stack give it.
    pub(crate) fn function(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.envs([
            ("AWS_LAMBDA_RUNTIME_API", self.address.as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", "example-maintenance"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "example"),
            ("AWS_ENDPOINT_URL_S3", &format!("http://{}", self.address)),
            ("SINK", "lines"),
            (
                "PROVISION_CONTEXT",
                r#"{"stack":"example","function":"maintenance","mail":[{"bucket":"mail","prefix":"inbound/"},{"bucket":"older","prefix":""}]}"#,
            ),
        ]);
        command
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.0.lock().unwrap()
    }

    /// Serves one connection, kept alive.
    fn serve(&self, stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let (method, path) = (line.split(' ').next()?.to_owned(), line.split(' ').nth(1)?.to_owned());
            let mut headers = BTreeMap::new();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).ok()?;
                let Some((name, value)) = line.trim_end().split_once(':') else { break };
                headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
            }
            assert!(!headers.contains_key("transfer-encoding"), "a request in pieces, which we do not read");
            let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
            let mut body = vec![0; length];
            reader.read_exact(&mut body).ok()?;
            let answer = if path.starts_with("/2018-06-01/runtime/") {
                self.runtime(path, &headers, String::from_utf8(body).unwrap())
            } else {
                self.object(&method, &path, &headers, body)
            };
            let mut stream = stream;
            stream.write_all(&answer).ok()?;
        }
    }

    fn runtime(&self, path: String, headers: &BTreeMap<String, String>, body: String) -> Vec<u8> {
        let mut state = self.lock();
        if path.ends_with("/invocation/next") {
            loop {
                if let Some((id, event)) = state.events.pop_front() {
                    let deadline = state.timeout.map_or(4_102_444_800_000, |timeout| {
                        (SystemTime::now() + timeout).duration_since(UNIX_EPOCH).unwrap().as_millis()
                    });
                    let more = format!(
                        "lambda-runtime-aws-request-id: {id}\r\nlambda-runtime-deadline-ms: {deadline}\r\n\
                         lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-west-1:123456789012:function:example-maintenance\r\n"
                    );
                    return response(200, &more, event.as_bytes());
                }
                state = self.state.1.wait(state).unwrap();
            }
        }
        let error_type = headers.get("lambda-runtime-function-error-type").cloned();
        state.said.push(Said { path, error_type, body });
        self.state.1.notify_all();
        response(202, "", b"{}")
    }

    fn object(&self, method: &str, path: &str, headers: &BTreeMap<String, String>, body: Vec<u8>) -> Vec<u8> {
        let mut state = self.lock();
        let path = path.split('?').next().unwrap_or_default();
        let object = path.trim_start_matches('/').to_owned();
        let signed = headers
            .get("authorization")
            .is_some_and(|value| value.starts_with("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/"));
        state.unsigned += usize::from(!signed);
        match method {
            "PUT" => return state.put(object, headers, body),
            "DELETE" => {
                state.deleted.push(object);
                return response(204, "", b"");
            }
            _ => {}
        }
        if let Some((bytes, tag)) = state.written.get(&object) {
            return response(200, &format!("ETag: \"{tag}\"\r\n"), bytes);
        }
        state.fetched.push(object);
        let answers = state.objects.get_mut(path);
        let answer =
            answers.and_then(|answers| if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() });
        let error = |code: &str| {
            format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>As it is told</Message></Error>")
                .into_bytes()
        };
        match answer {
            Some((200, bytes)) => response(200, "", &bytes),
            Some((status, code)) => {
                response(status, "x-amz-request-id: EXAMPLE\r\n", &error(&String::from_utf8(code).unwrap()))
            }
            None => response(404, "", &error("NoSuchKey")),
        }
    }
}

impl State {
    /// Writes an object, on the condition that S3 knows.
    fn put(&mut self, object: String, headers: &BTreeMap<String, String>, body: Vec<u8>) -> Vec<u8> {
        let tag = self.written.get(&object).map(|(_, tag)| format!("\"{tag}\""));
        let is_expected = match (headers.get("if-match"), headers.get("if-none-match")) {
            (Some(expected), _) => tag.as_ref() == Some(expected),
            (None, Some(_)) => tag.is_none(),
            (None, None) => true,
        };
        if !is_expected {
            return response(412, "", b"<?xml version=\"1.0\"?><Error><Code>PreconditionFailed</Code></Error>");
        }
        let next = self.written.values().map(|(_, tag)| *tag).max().unwrap_or(0) + 1;
        self.written.insert(object, (body, next));
        response(200, &format!("ETag: \"{next}\"\r\n"), b"")
    }
}

fn response(status: u16, more: &str, body: &[u8]) -> Vec<u8> {
    let mut response = format!("HTTP/1.1 {status} Told\r\nContent-Length: {}\r\n{more}\r\n", body.len()).into_bytes();
    response.extend_from_slice(body);
    response
}

/// A running function, which is killed in the end.
pub(crate) struct Running {
    child: Child,
    stdout: Option<thread::JoinHandle<String>>,
    stderr: Option<thread::JoinHandle<String>>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let stderr = child.stderr.take().unwrap();
        Self { child, stdout: Some(read(stdout)), stderr: Some(read(stderr)) }
    }

    /// Returns its peak resident memory, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Returns the time that it has taken of a processor, in milliseconds.
    pub(crate) fn processor_ms(&self) -> u64 {
        // Ticks of user and system time, of which Linux counts a hundred a second.
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields = stat.rsplit_once(')').unwrap().1.split_whitespace().skip(11).take(2);
        fields.map(|ticks| ticks.parse::<u64>().unwrap() * 10).sum()
    }

    /// Ends the function, and returns its output.
    pub(crate) fn stop(mut self) -> (Vec<String>, String) {
        self.child.kill().unwrap();
        self.finish().1
    }

    /// Waits until the function ends by itself.
    pub(crate) fn end(mut self) -> (ExitStatus, (Vec<String>, String)) {
        self.finish()
    }

    fn finish(&mut self) -> (ExitStatus, (Vec<String>, String)) {
        let status = self.child.wait().unwrap();
        let written = |pipe: &mut Option<thread::JoinHandle<String>>| pipe.take().unwrap().join().unwrap();
        let lines = written(&mut self.stdout).lines().map(str::to_owned).collect();
        (status, (lines, written(&mut self.stderr)))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.stdout.is_some() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn read(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).unwrap();
        text
    })
}
