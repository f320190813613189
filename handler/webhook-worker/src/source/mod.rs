//! Sources of outputs: where they are fetched, and how a source says that there is none yet, or none any more.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use contract::{backfill::List, job::JobId, secret::Secret};
use jiff::Timestamp;
use runtime::{
    Deadline, Reach, SecretSource,
    environment::{Aws, SecretPlace},
    outside::{Host, NoAnswer, Outside, Streamed},
};

use crate::name::Form;

mod address;
mod job;
mod list;
mod platform;
mod token;

pub use address::{AddressSource, Template};
pub use platform::Platform;

/// The reasons why there is no output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Another attempt may succeed soon: a fault of the server, too many requests, a broken connection.
    Trouble {
        /// The reason, for people.
        reason: String,
        /// Time that the server asks to wait; `None` if it asks for none.
        wait: Option<Duration>,
    },
    /// A later attempt may succeed: the job is not complete, or somebody has to change something.
    Later(String),
    /// There will never be an output: a person is told.
    Never(String),
}

/// A job as its source describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Form of the output.
    pub form: Form,
    /// Further forms that an output may have been stored in, of a job whose source no longer tells its form.
    pub further: Vec<Form>,
    /// Why there is no output; `None` if there is one.
    pub absent: Option<Failure>,
    /// `true` if the output expires before the last retry of a queue.
    pub expires_soon: bool,
}

impl Description {
    /// Returns the description of an output in that form.
    pub fn of(form: Form) -> Self {
        Self { form, further: Vec::new(), absent: None, expires_soon: false }
    }
}

/// A source of outputs.
pub trait Source {
    /// Sets the invocation's deadline for reading secrets.
    fn until(&self, deadline: Deadline);

    /// Describes a job. This changes nothing at the source.
    fn describe(&self, id: &JobId, deadline: Deadline) -> impl Future<Output = Result<Description, Failure>>;

    /// Lets the source keep an output for longer. If it does not, the output is fetched all the same.
    fn keep(&self, id: &JobId, deadline: Deadline) -> impl Future<Output = ()>;

    /// Begins to fetch the output of a job.
    fn open(&self, id: &JobId, deadline: Deadline) -> impl Future<Output = Result<Streamed, Failure>>;

    /// Lists the jobs that are complete and have an output, in the order of their ids, from that moment on and after that job.
    fn list(
        &self,
        since: Option<Timestamp>,
        after: Option<&JobId>,
        deadline: Deadline,
    ) -> impl Future<Output = Result<List, Failure>>;
}

/// One of the available sources.
#[derive(Debug)]
pub enum OneSource {
    /// A platform that knows the state of its jobs.
    Platform(Platform),
    /// An address for each job.
    Address(AddressSource),
}

/// The source of outputs, and what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceSettings {
    /// The platform of Voxel51.
    Platform {
        /// Place of the token file.
        token: SecretPlace,
        /// Days for which an output is kept that expires soon; 0 leaves it as it is.
        extension_days: u32,
        /// Hosts that redirects may lead to, besides the platform's own.
        redirects: Vec<Host>,
    },
    /// An address for each job.
    Address {
        /// Address with a place for the id.
        template: Template,
        /// Place of the headers; `None` if there are none.
        headers: Option<SecretPlace>,
        /// Hosts that redirects may lead to, besides the template's own.
        redirects: Vec<Host>,
    },
}

impl SourceSettings {
    /// Opens the source. It makes no call yet.
    pub fn open(self, aws: &Aws, reach: Reach) -> OneSource {
        let client = Outside::new(reach);
        match self {
            Self::Platform { token, extension_days, redirects } => {
                let token = Cached::new(SecretSource::at(token, aws));
                OneSource::Platform(Platform { client, token, redirects, reach, extension_days })
            }
            Self::Address { template, headers, redirects } => {
                let headers = headers.map(|place| Cached::new(SecretSource::at(place, aws)));
                OneSource::Address(AddressSource { client, template, headers, redirects, reach })
            }
        }
    }
}

impl Source for OneSource {
    fn until(&self, deadline: Deadline) {
        match self {
            Self::Platform(source) => source.until(deadline),
            Self::Address(source) => source.until(deadline),
        }
    }

    async fn describe(&self, id: &JobId, deadline: Deadline) -> Result<Description, Failure> {
        match self {
            Self::Platform(source) => source.describe(id, deadline).await,
            Self::Address(source) => source.describe(id, deadline).await,
        }
    }

    async fn keep(&self, id: &JobId, deadline: Deadline) {
        match self {
            Self::Platform(source) => source.keep(id, deadline).await,
            Self::Address(source) => source.keep(id, deadline).await,
        }
    }

    async fn open(&self, id: &JobId, deadline: Deadline) -> Result<Streamed, Failure> {
        match self {
            Self::Platform(source) => source.open(id, deadline).await,
            Self::Address(source) => source.open(id, deadline).await,
        }
    }

    async fn list(&self, since: Option<Timestamp>, after: Option<&JobId>, deadline: Deadline) -> Result<List, Failure> {
        match self {
            Self::Platform(source) => source.list(since, after, deadline).await,
            Self::Address(source) => source.list(since, after, deadline).await,
        }
    }
}

impl Failure {
    /// Returns the reason, for people.
    pub fn reason(self) -> String {
        match self {
            Self::Trouble { reason, .. } | Self::Later(reason) | Self::Never(reason) => reason,
        }
    }
}

impl From<NoAnswer> for Failure {
    fn from(error: NoAnswer) -> Self {
        let reason = error.to_string();
        match error {
            NoAnswer::Lost(_) | NoAnswer::TimeIsUp(_) => Self::Trouble { reason, wait: None },
            NoAnswer::NoRequest(_) | NoAnswer::Impossible(_) | NoAnswer::TooLarge(_) => Self::Later(reason),
        }
    }
}

/// Returns the failure that an answer other than 200 is. `gone` are the statuses that say that there will never be an output.
async fn refusal(answer: Streamed, gone: &[u16]) -> Failure {
    let (status, wait) = (answer.status, answer.retry_after());
    let reason = answer.quote().await;
    match status {
        408 | 425 | 429 | 500.. => Failure::Trouble { reason, wait },
        401 => Failure::Later(format!("{reason}: the secret is not accepted, not when read again either")),
        _ if gone.contains(&status) => Failure::Never(reason),
        _ => Failure::Later(reason),
    }
}

/// A value that is read from a secret once per instance, and again when it is not accepted.
#[derive(Debug)]
struct Cached<T> {
    secret: SecretSource,
    value: Mutex<Option<Arc<T>>>,
}

impl<T> Cached<T> {
    fn new(secret: SecretSource) -> Self {
        Self { secret, value: Mutex::new(None) }
    }

    fn until(&self, deadline: Deadline) {
        self.secret.until(deadline);
    }

    /// Returns the value that was read before, or reads it.
    async fn get(&self, parse: impl Fn(&Secret) -> Result<T, String>) -> Result<Arc<T>, Failure> {
        let known = self.value.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match known {
            Some(value) => Ok(value),
            None => self.read(parse).await,
        }
    }

    /// Reads the value anew.
    async fn read(&self, parse: impl Fn(&Secret) -> Result<T, String>) -> Result<Arc<T>, Failure> {
        let secret = self.secret.read().await.map_err(|reason| Failure::Trouble { reason, wait: None })?;
        let value = parse(&secret).map_err(|reason| Failure::Later(format!("{} {reason}", self.secret)))?;
        let value = Arc::new(value);
        *self.value.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&value));
        Ok(value)
    }
}
