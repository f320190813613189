//! The surroundings of the function on this machine: Lambda, and an S3 endpoint as small as it can be.

use std::{
    collections::{BTreeMap, VecDeque},
    process::Command,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

pub(crate) use function_trial::Running;
use function_trial::{Answer, Lambda, Report, Request, Server};

#[derive(Default)]
struct State {
    /// Answers by `/bucket/key`, in order; the last one is repeated.
    objects: BTreeMap<String, VecDeque<(u16, Vec<u8>)>>,
    fetched: Vec<String>,
    /// Written objects by `bucket/key`, and the number of their `ETag`.
    written: BTreeMap<String, (Vec<u8>, usize)>,
    deleted: Vec<String>,
    unsigned: usize,
}

/// The fake endpoints of AWS.
#[derive(Clone)]
pub(crate) struct Cloud {
    lambda: Lambda,
    state: Arc<Mutex<State>>,
    storage: Server,
}

impl Cloud {
    pub(crate) fn start() -> Self {
        let state = Arc::<Mutex<State>>::default();
        let serving = Arc::clone(&state);
        let storage = Server::start(move |request| Some(serving.lock().unwrap().object(&request)));
        Self { lambda: Lambda::start(), state, storage }
    }

    /// Sets an object, or an error answer of S3.
    pub(crate) fn answer(&self, object: &str, status: u16, bytes: &[u8]) {
        self.lock().objects.entry(format!("/{object}")).or_default().push_back((status, bytes.to_vec()));
    }

    /// Limits the time of every invocation.
    pub(crate) fn limit(&self, timeout: Duration) {
        self.lambda.limit(timeout);
    }

    /// Invokes the function and waits for its message.
    pub(crate) fn invoke(&self, request_id: &str, event: &str) -> Report {
        self.prepare(request_id, event);
        self.wait_for(request_id)
    }

    /// Invokes the function and waits for its message; `None` if its process ends before.
    pub(crate) fn invoke_once(&self, request_id: &str, event: &str, function: &mut Running) -> Option<Report> {
        self.lambda.invoke_once(request_id, event, function)
    }

    /// Invokes the function as soon as it asks.
    pub(crate) fn prepare(&self, request_id: &str, event: &str) {
        self.lambda.prepare(request_id, event);
    }

    /// Waits for the function's message on a path with these words in it.
    pub(crate) fn wait_for(&self, words: &str) -> Report {
        self.lambda.wait_for(words)
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
        let mut command = self.lambda.function(program);
        command.envs([
            ("AWS_ENDPOINT_URL_S3", self.storage.url().as_str()),
            ("SINK", "lines"),
            (
                "PROVISION_CONTEXT",
                r#"{"stack":"example","function":"maintenance","mail":[{"bucket":"mail","prefix":"inbound/"},{"bucket":"older","prefix":""}]}"#,
            ),
        ]);
        command
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    fn object(&mut self, request: &Request) -> Answer {
        let path = request.path.split('?').next().unwrap_or_default();
        let object = path.trim_start_matches('/').to_owned();
        self.unsigned += usize::from(!request.is_signed());
        match request.method.as_str() {
            "PUT" => return self.put(object, request),
            "DELETE" => {
                self.deleted.push(object);
                return Answer::new(204, "");
            }
            _ => {}
        }
        if let Some((bytes, tag)) = self.written.get(&object) {
            return Answer::new(200, bytes.as_slice()).with("ETag", &format!("\"{tag}\""));
        }
        self.fetched.push(object);
        let answers = self.objects.get_mut(path);
        let answer =
            answers.and_then(|answers| if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() });
        let error = |code: &str| {
            format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>As it is told</Message></Error>")
        };
        match answer {
            Some((200, bytes)) => Answer::new(200, bytes),
            Some((status, code)) => {
                Answer::new(status, error(&String::from_utf8(code).unwrap())).with("x-amz-request-id", "EXAMPLE")
            }
            None => Answer::new(404, error("NoSuchKey")),
        }
    }

    /// Writes an object, on the condition that S3 knows.
    fn put(&mut self, object: String, request: &Request) -> Answer {
        let tag = self.written.get(&object).map(|(_, tag)| format!("\"{tag}\""));
        let is_expected = match (request.headers.get("if-match"), request.headers.get("if-none-match")) {
            (Some(expected), _) => tag.as_ref() == Some(expected),
            (None, Some(_)) => tag.is_none(),
            (None, None) => true,
        };
        if !is_expected {
            return Answer::new(412, "<?xml version=\"1.0\"?><Error><Code>PreconditionFailed</Code></Error>");
        }
        let next = self.written.values().map(|(_, tag)| *tag).max().unwrap_or(0) + 1;
        self.written.insert(object, (request.body.clone(), next));
        Answer::new(200, "").with("ETag", &format!("\"{next}\""))
    }
}
