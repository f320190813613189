//! A platform that tells of jobs and gives their outputs, and misbehaves as it is told.

use std::{
    collections::{BTreeMap, VecDeque},
    net::TcpStream,
    sync::{Arc, Mutex, MutexGuard},
};

use serde_json::{Value, json};

use crate::server::{Request, answer, serve, stay_silent, write};

/// Token that the platform takes at first.
pub(crate) const KEY: &str = "EXAMPLE-NOT-A-KEY-1";

/// An answer that is not the plain one.
#[derive(Debug, Clone)]
pub(crate) enum Odd {
    /// A status, with headers.
    Status(u16, String),
    /// Nothing, until the client gives up.
    Silence,
    /// The beginning of the output, then the end of the connection.
    Cut,
    /// The same of an output without a length, in pieces.
    CutInPieces,
    /// The whole output in pieces, without a length.
    InPieces,
    /// The output without length or pieces, as HTTP/1.0 has it.
    UntilTheEnd,
    /// More bytes are announced than the body has, and the connection stays.
    Stalled,
    /// A redirect to this address.
    Redirect(String),
    /// A text in place of what was asked for.
    Text(String),
}

/// A job of the platform.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) details: Value,
    pub(crate) output: Output,
    /// Further headers of the output.
    pub(crate) headers: String,
    /// Odd answers to come, for its state and for its output.
    pub(crate) odd_states: VecDeque<Odd>,
    pub(crate) odd_outputs: VecDeque<Odd>,
}

/// The bytes of a job's output.
#[derive(Debug, Clone)]
pub(crate) enum Output {
    Bytes(Arc<Vec<u8>>),
    /// That many bytes, all zero.
    Zeros(u64),
}

/// A request that the platform has had.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) body: String,
}

type Choose = Arc<dyn Fn(&str, bool) -> Option<Odd> + Send + Sync>;
type Watch = Arc<dyn Fn(&str) + Send + Sync>;

#[derive(Default)]
struct State {
    jobs: BTreeMap<String, Job>,
    /// Key that is accepted; `None` accepts [`KEY`].
    key: Option<String>,
    seen: Vec<Seen>,
    /// Answer to the question for all jobs; `None` tells of them.
    list: Option<Odd>,
    /// Decides on further odd answers: by the job, and whether its output is asked for.
    choose: Option<Choose>,
    /// Learns of each job whose output is asked for.
    watch: Option<Watch>,
}

/// A local server that stands for the platform.
#[derive(Clone)]
pub(crate) struct Platform {
    state: Arc<Mutex<State>>,
    pub(crate) base: String,
}

impl Job {
    /// Returns a complete job with that output.
    pub(crate) fn complete(bytes: &[u8]) -> Self {
        Self {
            details: json!({"state": "COMPLETE", "archived": false, "expired": false, "output_filename": "output.json"}),
            output: Output::Bytes(Arc::new(bytes.to_vec())),
            headers: "ETag: \"source-1\"\r\n".to_owned(),
            odd_states: VecDeque::new(),
            odd_outputs: VecDeque::new(),
        }
    }

    /// Returns the job with one of its details changed.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details[name] = value.into();
        self
    }

    pub(crate) fn odd(mut self, outputs: &[Odd]) -> Self {
        self.odd_outputs.extend(outputs.iter().cloned());
        self
    }

    pub(crate) fn odd_state(mut self, states: &[Odd]) -> Self {
        self.odd_states.extend(states.iter().cloned());
        self
    }
}

impl Platform {
    pub(crate) fn start() -> Self {
        let state = Arc::<Mutex<State>>::default();
        let mut platform = Self { state, base: String::new() };
        let served = platform.clone();
        let address = serve(Arc::new(move |request: Request, stream| served.handle(&request, stream)));
        platform.base = format!("http://{address}");
        platform
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn add(&self, id: &str, job: Job) {
        self.lock().jobs.insert(id.to_owned(), job);
    }

    /// Accepts another key from now on.
    pub(crate) fn rotate(&self, key: &str) {
        self.lock().key = Some(key.to_owned());
    }

    /// Answers oddly from now on when it is asked for all jobs.
    pub(crate) fn list_oddly(&self, odd: Odd) {
        self.lock().list = Some(odd);
    }

    pub(crate) fn choose(&self, choose: impl Fn(&str, bool) -> Option<Odd> + Send + Sync + 'static) {
        self.lock().choose = Some(Arc::new(choose));
    }

    pub(crate) fn watch(&self, watch: impl Fn(&str) + Send + Sync + 'static) {
        self.lock().watch = Some(Arc::new(watch));
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.lock().seen.clone()
    }

    /// Returns how often a path was asked for.
    pub(crate) fn count(&self, method: &str, path: &str) -> usize {
        self.lock().seen.iter().filter(|seen| seen.method == method && seen.path == path).count()
    }

    /// Returns the number of all requests.
    pub(crate) fn requests(&self) -> usize {
        self.lock().seen.len()
    }

    /// Returns the token file of the platform.
    pub(crate) fn token(&self, key: &str) -> String {
        json!({"access_token": {"private_key": key, "token_id": "0", "base_api_url": self.base}}).to_string()
    }

    fn handle(&self, request: &Request, stream: &TcpStream) -> Option<()> {
        let mut state = self.lock();
        state.seen.push(Seen {
            method: request.method.clone(),
            path: request.path.clone(),
            authorization: request.header("authorization").map(str::to_owned),
            key: request.header("x-key").map(str::to_owned),
            body: String::from_utf8_lossy(&request.body).into_owned(),
        });
        // `/files/ID` and `/stored/ID` are for anybody: what a signed address would be.
        let is_open = request.path.starts_with("/files/") || request.path.starts_with("/stored/");
        let expected = format!("Bearer {}", state.key.as_deref().unwrap_or(KEY));
        if !is_open && request.header("authorization") != Some(expected.as_str()) {
            // It repeats the header, as some servers do.
            let told = json!({"error": {"message": format!("not accepted: {:?}", request.header("authorization"))}});
            return answer(stream, 401, "", told.to_string().as_bytes());
        }
        let (id, below) = match request.path.strip_prefix("/v1/jobs/") {
            Some(rest) => rest.split_once('/').unwrap_or((rest, "")),
            None => (request.path.rsplit('/').next()?.split('.').next()?, "output"),
        };
        let (id, below) = (id.to_owned(), below.to_owned());
        if (id.as_str(), below.as_str()) == ("list", "") {
            let jobs: Vec<_> = state.jobs.iter().map(|(id, job)| details(id, job)).collect();
            let odd = state.list.clone();
            drop(state);
            return give_bytes(stream, "", json!({ "jobs": jobs }).to_string().as_bytes(), odd);
        }
        if !state.jobs.contains_key(&id) {
            return answer(stream, 404, "", br#"{"error": {"message": "Job not found"}}"#);
        }
        if request.method == "PUT" && below == "ttl" {
            return answer(stream, 200, "", b"{}");
        }
        let is_output = below == "output";
        let (choose, watch) = (state.choose.clone(), state.watch.clone());
        let job = state.jobs.get_mut(&id)?;
        let odd = if is_output { job.odd_outputs.pop_front() } else { job.odd_states.pop_front() };
        let job = job.clone();
        drop(state);
        let odd = odd.or_else(|| choose?(&id, is_output));
        if let Some(watch) = watch.filter(|_| is_output) {
            watch(&id);
        }
        if is_output { give(stream, &job, odd) } else { tell(stream, &id, &job, odd) }
    }
}

/// Returns the details of a job, with its id.
fn details(id: &str, job: &Job) -> Value {
    let mut details = job.details.clone();
    if details.get("id").is_none() {
        details["id"] = id.into();
    }
    details
}

/// Answers with the state of a job.
fn tell(stream: &TcpStream, id: &str, job: &Job, odd: Option<Odd>) -> Option<()> {
    let body = json!({ "job": details(id, job) }).to_string().into_bytes();
    give_bytes(stream, "", &body, odd)
}

fn give(stream: &TcpStream, job: &Job, odd: Option<Odd>) -> Option<()> {
    match &job.output {
        Output::Bytes(bytes) => give_bytes(stream, &job.headers, bytes, odd),
        Output::Zeros(length) => {
            write(stream, format!("HTTP/1.1 200 Told\r\nContent-Length: {length}\r\n\r\n").as_bytes())?;
            let zeros = vec![0; 256 * 1024];
            let mut left = *length;
            while left > 0 {
                let piece = usize::try_from(left.min(zeros.len() as u64)).unwrap();
                write(stream, &zeros[..piece])?;
                left -= piece as u64;
            }
            Some(())
        }
    }
}

fn give_bytes(stream: &TcpStream, headers: &str, body: &[u8], odd: Option<Odd>) -> Option<()> {
    let half = &body[..body.len() / 2];
    let head = |more: &str| format!("HTTP/1.1 200 Told\r\n{headers}{more}\r\n").into_bytes();
    match odd {
        None => answer(stream, 200, headers, body),
        Some(Odd::Status(status, more)) => answer(stream, status, &more, br#"{"error": {"message": "odd"}}"#),
        Some(Odd::Silence) => stay_silent(stream),
        Some(Odd::Text(text)) => answer(stream, 200, headers, text.as_bytes()),
        Some(Odd::Redirect(location)) => answer(stream, 302, &format!("Location: {location}\r\n"), b"moved"),
        Some(Odd::Cut) => {
            write(stream, &head(&format!("Content-Length: {}\r\n", body.len())))?;
            write(stream, half)?;
            None
        }
        Some(Odd::Stalled) => {
            write(stream, &head(&format!("Content-Length: {}\r\n", body.len() + 1)))?;
            write(stream, body)?;
            stay_silent(stream)
        }
        Some(Odd::UntilTheEnd) => {
            write(stream, &head("Connection: close\r\n"))?;
            write(stream, body)?;
            None
        }
        Some(odd @ (Odd::CutInPieces | Odd::InPieces)) => {
            write(stream, &head("Transfer-Encoding: chunked\r\n"))?;
            for piece in half.chunks(100_000) {
                write(stream, format!("{:x}\r\n", piece.len()).as_bytes())?;
                write(stream, piece)?;
                write(stream, b"\r\n")?;
            }
            if matches!(odd, Odd::CutInPieces) {
                return None;
            }
            let rest = &body[half.len()..];
            write(stream, format!("{:x}\r\n", rest.len()).as_bytes())?;
            write(stream, rest)?;
            write(stream, b"\r\n0\r\n\r\n")
        }
    }
}
