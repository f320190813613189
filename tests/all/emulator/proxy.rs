//! A proxy before the emulator that records every call and injects faults.

use std::{
    convert::Infallible,
    fmt,
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    time::{Duration, Instant},
};

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    client, header,
    http::request::Parts,
    server,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    time::sleep,
};

use super::{
    calls::{Operation, Protocol},
    fault::{DELAY, Fault},
};

/// A running proxy; it ends when it is dropped.
pub(crate) struct Proxy {
    pub(crate) url: String,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

/// One call, as the proxy saw it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Ordinal among all calls since the last reset, from 1.
    pub(crate) number: usize,
    /// Ordinal among the calls that may change something, from 1; `None` for a read.
    pub(crate) mutation: Option<usize>,
    /// Ordinal among the calls of this operation, from 1.
    pub(crate) repetition: usize,
    pub(crate) operation: Operation,
    /// Path and query of the request.
    pub(crate) target: String,
    /// Start of the call, since the proxy's start.
    pub(crate) began: Duration,
    /// End of the call: the answer was returned, or the connection cut; `None` while it is under way.
    pub(crate) ended: Option<Duration>,
    pub(crate) status: Option<u16>,
    pub(crate) fault: Option<Fault>,
}

impl Call {
    /// Returns a call that nobody made, for tests.
    pub(crate) fn example(number: usize, repetition: usize, operation: Operation) -> Self {
        let (target, began) = ("/".to_owned(), Duration::ZERO);
        Self { number, mutation: None, repetition, operation, target, began, ended: None, status: None, fault: None }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, operation, target, began, ended, status, fault, .. } = self;
        write!(formatter, "{number:3} {operation} {target}: {} ms", began.as_millis())?;
        if let Some(ended) = ended {
            write!(formatter, " to {} ms", ended.as_millis())?;
        }
        if let Some(status) = status {
            write!(formatter, ", {status}")?;
        }
        if let Some(fault) = fault {
            write!(formatter, ", {fault:?}")?;
        }
        Ok(())
    }
}

struct Shared {
    upstream: String,
    started: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    delay: Duration,
    rules: Vec<Rule>,
    /// Number of resets: a call that began before a reset does not end in the record that follows it.
    resets: usize,
}

struct Rule {
    hits: Box<dyn Fn(&Call) -> bool + Send>,
    fault: Fault,
    tell: mpsc::Sender<Call>,
}

/// The reasons for ending a connection without an answer.
#[derive(Debug, thiserror::Error)]
enum NoAnswer {
    #[error("cut")]
    Cut,
    #[error("the emulator does not answer")]
    Http(#[from] hyper::Error),
    #[error("the emulator cannot be reached")]
    Io(#[from] std::io::Error),
}

type Answer = Response<Full<Bytes>>;

impl Proxy {
    /// Returns a proxy before an emulator's address.
    pub(crate) fn before(upstream: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let shared = Arc::new(Shared { upstream, started: Instant::now(), state: Mutex::default() });
        runtime.spawn(serve(listener, Arc::clone(&shared)));
        Self { url, shared, runtime: Some(runtime) }
    }

    /// Delays every call from now on before it is passed on.
    pub(crate) fn delay(&self, delay: Duration) {
        self.shared.state().delay = delay;
    }

    /// Injects a fault into the calls that a closure selects, from now on; of several rules the first match counts. The receiver
    /// is notified of each hit when the service is done with the call, and before anything is answered.
    pub(crate) fn on(&self, fault: Fault, hits: impl Fn(&Call) -> bool + Send + 'static) -> mpsc::Receiver<Call> {
        let (tell, told) = mpsc::channel();
        self.shared.state().rules.push(Rule { hits: Box::new(hits), fault, tell });
        told
    }

    /// Forgets calls, rules and the delay.
    pub(crate) fn reset(&self) {
        let mut state = self.shared.state();
        *state = State { resets: state.resets + 1, ..State::default() };
    }

    /// Returns all calls so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.shared.state().calls.clone()
    }

    /// Returns the calls that may have changed something.
    pub(crate) fn mutating(&self) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.mutation.is_some()).collect()
    }

    /// Returns the largest number of calls in sequence, each begun after the one before it had ended: the number of round trips,
    /// however fast everything else is.
    pub(crate) fn depth(&self) -> usize {
        let mut spans = self.spans();
        spans.sort_by_key(|(_, ended)| *ended);
        let mut free = Duration::ZERO;
        spans
            .into_iter()
            .filter(|(began, ended)| {
                *began >= free && {
                    free = *ended;
                    true
                }
            })
            .count()
    }

    /// Returns the time during which at least one call was under way: the total without waits and computation in between.
    pub(crate) fn busy(&self) -> Duration {
        let mut spans = self.spans();
        spans.sort();
        let mut counted = Duration::ZERO;
        spans.into_iter().fold(Duration::ZERO, |busy, (began, ended)| {
            let (from, to) = (began.max(counted), ended.max(counted));
            counted = to;
            busy + to.saturating_sub(from)
        })
    }

    /// Returns start and end of the calls that have ended.
    fn spans(&self) -> Vec<(Duration, Duration)> {
        self.shared.state().calls.iter().filter_map(|call| Some((call.began, call.ended?))).collect()
    }

    /// Returns the calls, one per line, for a failure message.
    pub(crate) fn record(&self) -> String {
        self.calls().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) -> Result<Infallible, std::io::Error> {
    loop {
        let (stream, _) = listener.accept().await?;
        let shared = Arc::clone(&shared);
        let answering = service_fn(move |request| {
            let shared = Arc::clone(&shared);
            async move { shared.answer(request).await }
        });
        // A cut connection ends with an error, as intended.
        tokio::spawn(server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answering));
    }
}

/// A call that has begun, with the fault that hits it.
struct Begun {
    number: usize,
    resets: usize,
    service: String,
    protocol: Protocol,
    delay: Duration,
    fault: Option<(Fault, mpsc::Sender<Call>)>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Answer, NoAnswer> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let begun = self.begin(&parts, &body);
        sleep(begun.delay).await;
        let Some((fault, tell)) = &begun.fault else {
            let answer = self.pass_on(parts, body).await;
            self.end(&begun, answer.as_ref().ok());
            return answer;
        };
        let passed = if fault.passes_on() { Some(self.pass_on(parts, body).await?) } else { None };
        if *fault == Fault::Delays {
            sleep(DELAY).await;
        }
        let late = passed.filter(|_| *fault == Fault::Delays);
        let refused = fault.answer(&begun.service, begun.protocol, &format!("fault-{}", begun.number));
        let answer = late.or(refused);
        if let Some(call) = self.end(&begun, answer.as_ref()) {
            let _nobody_waits = tell.send(call);
        }
        if *fault == Fault::Silent {
            pending::<()>().await;
        }
        answer.ok_or(NoAnswer::Cut)
    }

    fn begin(&self, parts: &Parts, body: &[u8]) -> Begun {
        let (operation, protocol) = Operation::of(parts, body);
        let mut state = self.state();
        let before = |counted: &dyn Fn(&&Call) -> bool| state.calls.iter().filter(counted).count() + 1;
        let mut call = Call {
            number: state.calls.len() + 1,
            mutation: operation.mutates().then(|| before(&|call| call.mutation.is_some())),
            repetition: before(&|call| call.operation == operation),
            operation: operation.clone(),
            target: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
            began: self.started.elapsed(),
            ended: None,
            status: None,
            fault: None,
        };
        let hit = state.rules.iter().find(|rule| (rule.hits)(&call)).map(|rule| (rule.fault, rule.tell.clone()));
        call.fault = hit.as_ref().map(|(fault, _)| *fault);
        let begun = Begun {
            number: call.number,
            resets: state.resets,
            service: operation.service,
            protocol,
            delay: state.delay,
            fault: hit,
        };
        state.calls.push(call);
        begun
    }

    fn end(&self, begun: &Begun, answer: Option<&Answer>) -> Option<Call> {
        let mut state = self.state();
        if state.resets != begun.resets {
            return None;
        }
        let call = &mut state.calls[begun.number - 1];
        call.ended = Some(self.started.elapsed());
        call.status = answer.map(|answer| answer.status().as_u16());
        Some(call.clone())
    }

    /// Returns the emulator's whole answer, over a connection of its own.
    async fn pass_on(&self, parts: Parts, body: Bytes) -> Result<Answer, NoAnswer> {
        let stream = TcpStream::connect(&self.upstream).await?;
        let (mut sender, connection) = client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let answer = sender.send_request(Request::from_parts(parts, Full::new(body))).await?;
        let (mut parts, body) = answer.into_parts();
        let body = body.collect().await?.to_bytes();
        for name in [header::TRANSFER_ENCODING, header::CONNECTION] {
            parts.headers.remove(name);
        }
        Ok(Response::from_parts(parts, Full::new(body)))
    }
}
