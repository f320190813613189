//! The function over a queue of the test's own.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use contract::{
    api_event::ApiAnswer,
    context::Context,
    webhook::{Authentication, Route, Scheme},
};
use data_encoding::BASE64;
use runtime::{
    Deadline,
    environment::{Aws, Keys as AwsKeys, SecretPlace},
    log::Log,
};
use serde_json::{Map, Value, json};
use webhook_receiver::{
    Jobs, Receiver,
    body::{IdForm, Intake, Place},
    keys::Keys,
    route::ReceivingRoute,
};

/// A queue that keeps its messages, or takes none.
#[derive(Clone, Default)]
pub(crate) struct Queued {
    pub(crate) messages: Arc<Mutex<Vec<String>>>,
    pub(crate) is_broken: bool,
}

impl Jobs for Queued {
    async fn send(&self, message: &str, _deadline: Deadline) -> Result<(), String> {
        if self.is_broken {
            return Err("SQS answers 500".to_owned());
        }
        self.messages.lock().unwrap().push(message.to_owned());
        Ok(())
    }
}

/// A log that the test can read.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A function with one route.
pub(crate) struct Trial {
    receiver: Receiver<Queued>,
    written: Written,
}

/// The end of a request.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: u16,
    pub(crate) answer: ApiAnswer,
    pub(crate) body: Value,
    pub(crate) line: Value,
    /// Message that came into the queue by it; `None` if none did.
    pub(crate) job: Option<Value>,
    /// The message as it is.
    pub(crate) message: Option<String>,
}

pub(crate) fn aws() -> Aws {
    Aws {
        region: "eu-west-1".to_owned(),
        credentials: AwsKeys {
            access_key_id: "AKIAEXAMPLE".to_owned(),
            secret_access_key: "example".into(),
            session_token: None,
        },
        s3_endpoint: None,
        secrets_endpoint: None,
        sqs_endpoint: None,
        dynamodb_endpoint: None,
    }
}

pub(crate) fn intake() -> Intake {
    let pointer = |path: &str| Place::Pointer(path.to_owned());
    Intake {
        id: pointer("/id"),
        event: pointer("/event"),
        message: pointer("/msg"),
        events: Vec::new(),
        id_form: IdForm::Uuid,
        strict: false,
        largest_body: 262_144,
    }
}

impl Trial {
    pub(crate) fn new(route: &str, scheme: Scheme, secret: &str, sources: &[&str]) -> Self {
        let authentication = Authentication { scheme, secret: "HOOK".to_owned() };
        let sources = sources.iter().map(ToString::to_string).collect();
        let route = Route { route: route.to_owned(), authentication, sources };
        let written = Written::default();
        let context = Context { stack: "s".to_owned(), function: "f".to_owned(), ..Context::default() };
        let places = BTreeMap::from([("HOOK".to_owned(), SecretPlace::Given(secret.into()))]);
        let receiver = Receiver {
            routes: vec![ReceivingRoute::read(&route).unwrap()],
            intake: intake(),
            queue: Queued::default(),
            keys: Keys::new(places, &aws()),
            log: Log::new(&context, written.clone()),
        };
        Self { receiver, written }
    }

    /// Returns a function with the route `POST /hook` and a bearer token.
    pub(crate) fn bearer() -> Self {
        Self::new("POST /hook", Scheme::Bearer, TOKEN, &[])
    }

    pub(crate) fn reading(mut self, change: impl FnOnce(&mut Intake)) -> Self {
        change(&mut self.receiver.intake);
        self
    }

    pub(crate) fn broken(mut self) -> Self {
        self.receiver.queue.is_broken = true;
        self
    }

    /// Hands an event to the function. Every answer has a line in the log; 202 has a job in the queue, and nothing else has one.
    pub(crate) fn post(&self, event: &Value) -> Ended {
        let deadline = Deadline::at(SystemTime::now() + Duration::from_secs(10));
        let event = serde_json::from_value(event.clone()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(self.receiver.handle("r-1", deadline, &event)).unwrap();
        let mut jobs = std::mem::take(&mut *self.receiver.queue.messages.lock().unwrap());
        let lines = String::from_utf8(std::mem::take(&mut *self.written.0.lock().unwrap())).unwrap();
        assert_eq!(lines.lines().count(), 1, "{lines}");
        let line: Value = serde_json::from_str(&lines).unwrap();
        assert_eq!(jobs.len(), usize::from(answer.status_code == 202), "{answer:?}");
        let is_2xx = (200..300).contains(&answer.status_code);
        assert_eq!(is_2xx, ["queued", "ignored"].contains(&line["outcome"].as_str().unwrap()), "{line}");
        let message = jobs.pop();
        let job = message.as_deref().map(|job| serde_json::from_str(job).unwrap());
        let body = serde_json::from_str(&answer.body).unwrap();
        Ended { status: answer.status_code, answer, body, line, job, message }
    }
}

pub(crate) const TOKEN: &str = "example-token-of-24-characters";
pub(crate) const ID: &str = "016f6063-51a1-4948-a827-ce4c31ec53ed";

/// Returns the time, in seconds since the epoch.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The form in which API Gateway hands on a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Http,
    Rest,
}

/// A request before API Gateway has it.
pub(crate) struct Posted<'request> {
    pub(crate) route: &'request str,
    pub(crate) url: &'request str,
    pub(crate) headers: &'request [(String, String)],
    pub(crate) body: &'request [u8],
    pub(crate) token: Option<&'request str>,
    pub(crate) source: &'request str,
}

impl Posted<'_> {
    /// Returns the event of a request. A body that is not text is in base64.
    pub(crate) fn event(&self, form: Form, encodes: bool) -> Value {
        let body = match std::str::from_utf8(self.body) {
            Ok(text) if !encodes => text.to_owned(),
            _ => BASE64.encode(self.body),
        };
        let is_base64 = encodes || std::str::from_utf8(self.body).is_err();
        let (host, behind) = self.url.strip_prefix("https://").unwrap().split_once('/').unwrap();
        let (path, query) = behind.split_once('?').unwrap_or((behind, ""));
        let path = format!("/{path}");
        let variables = self.token.map(|token| json!({"token": token}));
        let (method, resource) = self.route.split_once(' ').unwrap();
        match form {
            Form::Http => {
                let mut headers = BTreeMap::<String, String>::new();
                for (name, value) in self.headers {
                    let known = headers.entry(name.to_ascii_lowercase()).or_default();
                    *known = if known.is_empty() { value.clone() } else { format!("{known},{value}") };
                }
                json!({"version": "2.0", "routeKey": self.route, "rawPath": path, "rawQueryString": query, "headers": headers,
                    "requestContext": {"domainName": host, "timeEpoch": 1_799_146_800_000_i64,
                        "http": {"method": method, "path": path, "sourceIp": self.source}},
                    "pathParameters": variables, "body": body, "isBase64Encoded": is_base64})
            }
            Form::Rest => {
                let mut headers = BTreeMap::<String, Vec<String>>::new();
                for (name, value) in self.headers {
                    headers.entry(name.clone()).or_default().push(value.clone());
                }
                let last: Map<String, Value> =
                    headers.iter().map(|(name, values)| (name.clone(), json!(values.last()))).collect();
                let query: Map<String, Value> = query
                    .split('&')
                    .filter_map(|pair| pair.split_once('='))
                    .map(|(name, value)| (name.to_owned(), json!([value])))
                    .collect();
                json!({"resource": resource, "path": path, "httpMethod": method, "headers": last, "multiValueHeaders": headers,
                    "multiValueQueryStringParameters": query,
                    "requestContext": {"domainName": host, "path": path, "requestTimeEpoch": 1_799_146_800_000_i64,
                        "identity": {"sourceIp": self.source}},
                    "pathParameters": variables, "body": body, "isBase64Encoded": is_base64})
            }
        }
    }
}

/// Returns the event of a request to `POST /hook` with the token, and this body.
pub(crate) fn post(body: &str) -> Value {
    with_headers(&[("authorization", &format!("Bearer {TOKEN}")), ("content-type", "application/json")], body)
}

/// Returns the event of a request to `POST /hook` with these headers and body.
pub(crate) fn with_headers(headers: &[(&str, &str)], body: &str) -> Value {
    let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let url = "https://in.example.com/hook";
    let posted = Posted {
        route: "POST /hook",
        url,
        headers: &headers,
        body: body.as_bytes(),
        token: None,
        source: "203.0.113.5",
    };
    posted.event(Form::Http, false)
}
