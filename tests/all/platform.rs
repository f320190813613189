//! A platform on this machine, for the functions that store outputs of jobs. It ends with the test's process.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
};

use serde_json::{Value, json};

/// Token that the platform takes.
pub(crate) const KEY: &str = "not-to-be-shown-platform";

/// The jobs that a platform knows, and the requests that it got.
#[derive(Default)]
struct State {
    /// Ids of the jobs that it lists. Each job that it is asked for is complete, whether it is listed or not.
    listed: BTreeSet<String>,
    /// Ids of the jobs that have failed.
    failed: BTreeSet<String>,
    /// Number of the first requests for outputs that it answers with 500.
    failures: usize,
    asked: Vec<String>,
}

/// A local server that stands for the platform of jobs.
pub(crate) struct Platform {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Platform {
    /// Starts a platform that answers the first requests for outputs with 500.
    pub(crate) fn start(failures: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State { failures, ..State::default() }));
        let kept = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let state = Arc::clone(&kept);
                std::thread::spawn(move || serve(&stream.unwrap(), &state));
            }
        });
        Self { port, state }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Lists a complete job from now on.
    pub(crate) fn list(&self, id: &str) {
        self.lock().listed.insert(id.to_owned());
    }

    /// Tells from now on that a job has failed, though it is listed as complete.
    pub(crate) fn fail(&self, id: &str) {
        self.lock().failed.insert(id.to_owned());
    }

    /// Lets a failed job be complete again.
    pub(crate) fn mend(&self, id: &str) {
        self.lock().failed.remove(id);
    }

    /// Returns the paths that were asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.lock().asked.clone()
    }

    /// Returns the number of requests for outputs.
    pub(crate) fn downloads(&self) -> usize {
        self.lock().asked.iter().filter(|path| path.ends_with("/output")).count()
    }

    /// Returns the platform's token file.
    pub(crate) fn token(&self) -> String {
        let url = format!("http://127.0.0.1:{}", self.port);
        json!({"access_token": {"private_key": KEY, "token_id": "t", "created_at": "2027-01-01T00:00:00Z", "base_api_url": url}})
            .to_string()
    }
}

/// Answers the requests of a connection.
fn serve(stream: &TcpStream, state: &Mutex<State>) {
    let mut lines = BufReader::new(stream).lines();
    loop {
        let Some(Ok(first)) = lines.next() else { return };
        let head: Vec<String> = lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        let is_allowed = head.iter().any(|line| line.eq_ignore_ascii_case(&format!("authorization: Bearer {KEY}")));
        let path = first.split(' ').nth(1).unwrap_or_default();
        let (status, body) = answer(&mut state.lock().unwrap(), is_allowed, path);
        let (length, kind) = (body.len(), "Content-Type: application/json");
        if write!(&mut &*stream, "HTTP/1.1 {status}\r\n{kind}\r\nContent-Length: {length}\r\n\r\n{body}").is_err() {
            return;
        }
    }
}

fn answer(state: &mut State, is_allowed: bool, path: &str) -> (&'static str, String) {
    state.asked.push(path.to_owned());
    let number = state.asked.iter().filter(|path| path.ends_with("/output")).count();
    let id = path.split('/').nth(3).unwrap_or_default();
    let is_output = path.ends_with("/output");
    if !is_allowed {
        return ("401 Unauthorized", json!({"error": {"message": "who are you?"}}).to_string());
    }
    if is_output && number <= state.failures {
        return ("500 Internal Server Error", String::new());
    }
    let body = match id {
        "list" => json!({ "jobs": state.listed.iter().map(|id| job(id, "COMPLETE")).collect::<Vec<_>>() }).to_string(),
        _ if is_output => output(id),
        _ if state.failed.contains(id) => json!({ "job": job(id, "FAILED") }).to_string(),
        _ => json!({ "job": job(id, "COMPLETE") }).to_string(),
    };
    ("200 OK", body)
}

fn job(id: &str, state: &str) -> Value {
    json!({"id": id, "name": "job", "state": state, "archived": false, "expired": false,
        "upload_date": "2027-01-01T00:00:00Z", "expiration_date": "2037-01-01T00:00:00Z", "output_filename": "labels.json"})
}

/// Returns the output of a job.
pub(crate) fn output(id: &str) -> String {
    json!({"labels": id, "filled": "x".repeat(100_000)}).to_string()
}
