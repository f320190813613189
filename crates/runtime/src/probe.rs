//! Tries whether the function reaches what its context names: its secrets, its places in S3, the servers of its queues. Nothing is
//! changed, and no value of a secret is told.

use std::{collections::BTreeSet, time::Duration};

use contract::{
    context::Context,
    probe::{Answer, Check},
};
use tokio::task::JoinSet;

use crate::{
    Deadline, S3, SecretSource,
    environment::{Aws, Reader, SecretPlace},
    http::Http,
    redact,
};

/// Part of the invocation's time that is kept for the answer.
pub(crate) const MARGIN: Duration = Duration::from_secs(1);
/// Time for one check: where there is no route, no answer ever comes.
const LONGEST: Duration = Duration::from_secs(10);

/// Returns the answer with these checks, without any secret.
pub(crate) fn answer(checks: Vec<Check>) -> Answer {
    let clean = |check: Check| Check { reason: check.reason.map(|reason| redact(&reason)), ..check };
    Answer { probe: checks.into_iter().map(clean).collect() }
}

/// Tries everything that the function's context names, all at once: each may take as long as an answer that never comes.
pub(crate) async fn checks(deadline: Deadline) -> Vec<Check> {
    let variable = |name: &str| std::env::var(name).ok();
    let mut reader = Reader::new(&variable);
    let read = reader.context().zip(reader.aws());
    let (context, aws) = match reader.finish(read) {
        Ok(read) => read,
        Err(error) => return vec![Check::of("environment", Err(error.to_string()))],
    };
    let mut running = JoinSet::new();
    for (place, part) in parts(&context).into_iter().enumerate() {
        let aws = aws.clone();
        running.spawn(async move {
            let limit = LONGEST.min(deadline.left());
            let tried = tokio::time::timeout(limit, part.tried(&aws, deadline)).await;
            let late = || Err(format!("no answer within {} s: is there a route to it?", limit.as_secs()));
            (place, part.check(tried.unwrap_or_else(|_| late())))
        });
    }
    let mut checks: Vec<(usize, Check)> = Vec::new();
    while let Some(ended) = running.join_next().await {
        // A check that panicked has said so in the log, and is missing in the answer.
        checks.extend(ended.ok());
    }
    checks.sort_by_key(|(place, _)| *place);
    checks.into_iter().map(|(_, check)| check).collect()
}

/// Something that the context names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// A secret, by its name in Secrets Manager.
    Secret(String),
    /// A bucket and a prefix from which the function reads.
    Reads(String, String),
    /// A bucket and a prefix below which it writes.
    Writes(String, String),
    /// A queue, by entry name and URL.
    Sends(String, String),
}

/// Returns the parts of a context, each once.
fn parts(context: &Context) -> BTreeSet<Part> {
    let secrets = context.secrets.values().cloned().map(Part::Secret);
    let reads = context.mail.iter().map(|place| Part::Reads(place.bucket.clone(), place.prefix.clone()));
    let writes = context.writes.iter().map(|place| Part::Writes(place.bucket.clone(), place.prefix.clone()));
    let sends = context.sends.iter().map(|(queue, url)| Part::Sends(queue.clone(), url.clone()));
    secrets.chain(reads).chain(writes).chain(sends).collect()
}

impl Part {
    /// Tries the part. Returns what could not be found out, or why it cannot be used.
    async fn tried(&self, aws: &Aws, deadline: Deadline) -> Result<Option<String>, String> {
        // A key that nobody has: it is neither a message id nor what any function writes.
        let key = |prefix: &str| format!("{prefix}provision-check-{:016x}", fastrand::u64(..));
        match self {
            Self::Secret(name) => {
                let source = SecretSource::at(SecretPlace::SecretsManager(name.clone()), aws);
                source.until(deadline);
                source.read().await.map(|_| None)
            }
            Self::Reads(bucket, prefix) => store(aws, deadline).try_reading(bucket, &key(prefix)).await,
            Self::Writes(bucket, prefix) => store(aws, deadline).try_writing(bucket, &key(prefix)).await,
            Self::Sends(_, url) => {
                let server: Vec<&str> = url.splitn(4, '/').take(3).collect();
                let http = Http::new(server.join("/"), None);
                http.until(deadline);
                http.connect().await.map_err(|error| error.to_string())?;
                Ok(Some("its server was reached; whether it may be sent to is not tried".to_owned()))
            }
        }
    }

    fn check(&self, tried: Result<Option<String>, String>) -> Check {
        let what = match self {
            Self::Secret(name) => format!("secret `{name}`"),
            Self::Reads(bucket, prefix) => format!("read `{bucket}/{prefix}`"),
            Self::Writes(bucket, prefix) => format!("write `{bucket}/{prefix}`"),
            Self::Sends(queue, _) => format!("queue `{queue}`"),
        };
        match tried {
            Ok(reason) => Check { what, ok: true, reason },
            Err(reason) => Check::of(what, Err(reason)),
        }
    }
}

fn store(aws: &Aws, deadline: Deadline) -> S3 {
    let store = S3::new(aws);
    store.until(deadline);
    store
}
