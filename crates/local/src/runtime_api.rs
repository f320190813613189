//! Lambda's Runtime API for one instance of a function: turns a runtime's requests into [`Signal`]s.
//!
//! Each instance has a server of its own, so that a process that was given up cannot answer for its successor.
//! No request of it is signed: [`crate::guard`] keeps other users and web pages away. Events name mails, and contain no secret.
//! `lambda-simulator` serves this API too, but never takes an event back from a process that died or was killed.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tokio::{
    sync::{Mutex, mpsc},
    task::JoinHandle,
};

use crate::guard::{Listener, of_host};

/// Lambda's limit on a synchronous answer.
const LARGEST_ANSWER: usize = 6 * 1024 * 1024;

/// A message of a runtime.
#[derive(Debug)]
pub(super) enum Signal {
    /// The runtime is ready for an event.
    Ready,
    /// The function answered.
    Response(Bytes),
    /// The function answered with an error.
    Error(Bytes),
    /// The function could not start.
    InitError(Bytes),
}

/// One event for a runtime.
#[derive(Debug, Clone)]
pub(super) struct Invocation {
    /// Request id; the same for every attempt.
    pub(super) request_id: String,
    /// Deadline, in milliseconds since the epoch.
    pub(super) deadline: u128,
    /// ARN of the invoked function.
    pub(super) function_arn: String,
    /// The event, as JSON.
    pub(super) payload: Bytes,
}

/// The server for one instance; dropping it ends it.
#[derive(Debug)]
pub(super) struct RuntimeApi {
    /// Address on which it listens.
    pub(super) address: SocketAddr,
    /// Messages of the runtime.
    pub(super) signals: mpsc::UnboundedReceiver<Signal>,
    invocations: mpsc::UnboundedSender<Invocation>,
    server: JoinHandle<std::io::Result<()>>,
}

#[derive(Debug)]
struct Exchange {
    signals: mpsc::UnboundedSender<Signal>,
    invocations: Mutex<mpsc::UnboundedReceiver<Invocation>>,
    /// Id of the request that the runtime works on; `None` between two requests.
    current: std::sync::Mutex<Option<String>>,
}

impl RuntimeApi {
    /// Starts a server on a free port of 127.0.0.1.
    pub(super) async fn start() -> std::io::Result<Self> {
        let listener = Listener::bind(0).await?;
        let address = listener.address();
        let (signal, signals) = mpsc::unbounded_channel();
        let (invocations, offered) = mpsc::unbounded_channel();
        let exchange = Arc::new(Exchange {
            signals: signal,
            invocations: Mutex::new(offered),
            current: std::sync::Mutex::new(None),
        });
        let router = of_host(router(exchange), address);
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, signals, invocations, server })
    }

    /// Gives an event to the runtime's next request.
    pub(super) fn offer(&self, invocation: Invocation) {
        let _server_has_ended = self.invocations.send(invocation);
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn router(exchange: Arc<Exchange>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{request}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{request}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .layer(DefaultBodyLimit::max(LARGEST_ANSWER))
        .with_state(exchange)
}

async fn next(State(exchange): State<Arc<Exchange>>) -> Response {
    exchange.tell(Signal::Ready);
    let Some(invocation) = exchange.invocations.lock().await.recv().await else {
        return refusal(StatusCode::INTERNAL_SERVER_ERROR, "Sandbox.Ended", "There are no more events");
    };
    exchange.work_on(Some(invocation.request_id.clone()));
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let trace = format!(
        "Root=1-{:08x}-{:0>24.24};Sampled=0",
        invocation.deadline / 1000,
        invocation.request_id.replace('-', "")
    );
    for (name, value) in [
        ("lambda-runtime-aws-request-id", invocation.request_id),
        ("lambda-runtime-deadline-ms", invocation.deadline.to_string()),
        ("lambda-runtime-invoked-function-arn", invocation.function_arn),
        ("lambda-runtime-trace-id", trace),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    (headers, invocation.payload).into_response()
}

async fn response(exchange: State<Arc<Exchange>>, request: Path<String>, body: Bytes) -> Response {
    exchange.answer(&request, Signal::Response(body))
}

async fn error(exchange: State<Arc<Exchange>>, request: Path<String>, body: Bytes) -> Response {
    exchange.answer(&request, Signal::Error(body))
}

async fn init_error(exchange: State<Arc<Exchange>>, body: Bytes) -> Response {
    exchange.tell(Signal::InitError(body));
    accepted()
}

impl Exchange {
    fn tell(&self, signal: Signal) {
        let _instance_was_given_up = self.signals.send(signal);
    }

    fn work_on(&self, request: Option<String>) -> Option<String> {
        let mut current = self.current.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        std::mem::replace(&mut *current, request)
    }

    /// Accepts one answer, and only to the current request.
    fn answer(&self, request: &str, signal: Signal) -> Response {
        let current = self.work_on(None);
        if current.as_deref() == Some(request) {
            self.tell(signal);
            return accepted();
        }
        self.work_on(current);
        refusal(StatusCode::BAD_REQUEST, "InvalidRequestID", "This is not the request that is worked on")
    }
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, axum::Json(serde_json::json!({"status": "OK"}))).into_response()
}

fn refusal(status: StatusCode, kind: &str, message: &str) -> Response {
    (status, axum::Json(serde_json::json!({"errorType": kind, "errorMessage": message}))).into_response()
}
