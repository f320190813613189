//! Tells each call to AWS when it has ended: its operation, how long it took, its attempts and its request id. Nothing of what was sent
//! or answered.

use std::{
    fmt,
    sync::OnceLock,
    time::{Duration, Instant},
};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept,
            context::{BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextRef},
        },
        orchestrator::Metadata,
        retries::RequestAttempts,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

/// Headers in which services state the id of a request.
const REQUEST_ID: &[&str] = &["x-amzn-requestid", "x-amz-request-id", "x-amzn-request-id"];

/// A call that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// `service.Operation`, as errors name it.
    pub operation: String,
    /// Duration, waits between attempts included.
    pub took: Duration,
    /// Number of attempts, the first one included.
    pub attempts: u32,
    /// HTTP status of the last answer; `None` without one.
    pub status: Option<u16>,
    /// AWS request id; `None` without an answer.
    pub request_id: Option<String>,
}

impl fmt::Display for Call {
    /// Writes one line: `lambda.GetFunction 200 in 34 ms (request 1a2b)`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, took, attempts, status, request_id } = self;
        match status {
            Some(status) => write!(formatter, "{operation} {status} in {} ms", took.as_millis())?,
            None => write!(formatter, "{operation} without an answer in {} ms", took.as_millis())?,
        }
        if *attempts > 1 {
            write!(formatter, ", {attempts} attempts")?;
        }
        match request_id {
            Some(id) => write!(formatter, " (request {id})"),
            None => Ok(()),
        }
    }
}

type Listener = Box<dyn Fn(&Call) + Send + Sync>;

static LISTENER: OnceLock<Listener> = OnceLock::new();

/// Registers the listener to which every call from now on is reported. The first listener of a process stays.
pub fn listen(listener: impl Fn(&Call) + Send + Sync + 'static) {
    // A second listener would hear what the first one hears.
    let _ = LISTENER.set(Box::new(listener));
}

/// Interceptor that reports each call of a client to the listener.
#[derive(Debug, Clone)]
pub(crate) struct CallListener;

/// The beginning of a call.
#[derive(Debug)]
struct Began(Instant);

impl Storable for Began {
    type Storer = StoreReplace<Self>;
}

impl Intercept for CallListener {
    fn name(&self) -> &'static str {
        "call listener"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config.interceptor_state().store_put(Began(Instant::now()));
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(listener) = LISTENER.get() else { return Ok(()) };
        let answer = context.response();
        listener(&Call {
            operation: config.load::<Metadata>().map(operation).unwrap_or_default(),
            took: config.load::<Began>().map(|began| began.0.elapsed()).unwrap_or_default(),
            attempts: config.load::<RequestAttempts>().map_or(1, RequestAttempts::attempts),
            status: answer.map(|answer| answer.status().as_u16()),
            request_id: answer
                .and_then(|answer| REQUEST_ID.iter().find_map(|name| answer.headers().get(*name)))
                .map(str::to_owned),
        });
        Ok(())
    }
}

/// Returns the operation as errors name it.
fn operation(call: &Metadata) -> String {
    let service = match call.service() {
        "CloudWatch Logs" => "logs".to_owned(),
        "Resource Groups Tagging API" => "tagging".to_owned(),
        other => other.to_ascii_lowercase().replace(' ', ""),
    };
    format!("{service}.{}", call.name())
}
