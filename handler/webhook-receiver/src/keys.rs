//! The secrets of the routes: read once by each instance, and read again when a request is not authentic by them, so that a secret can be
//! rotated without a new instance.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use contract::api_event::ApiEvent;
use runtime::{
    Deadline, SecretSource,
    environment::{Aws, Secret, SecretPlace},
};
use webhook::{Request, verify};

use crate::route::{ReceivingRoute, TOKEN};

/// Time for which a secret that was read is not read again: strangers' requests must not cost a call each.
const REST: Duration = Duration::from_secs(5);

/// Time after which a secret is read again although requests are authentic by it, so that a value that was taken away ends.
const LIFE: Duration = Duration::from_mins(5);
/// Time after which a secret that cannot be read any more counts no longer: it may have been deleted. Until then a disturbance of Secrets
/// Manager refuses nobody.
const GRACE: Duration = Duration::from_hours(1);
/// Time after a failure in which the secret is not asked for again.
const PAUSE: Duration = Duration::from_secs(1);
/// Duration of a reading: the sender waits for it.
const PATIENCE: Duration = Duration::from_secs(4);

/// The reasons why nobody knows that a request is authentic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unproven {
    /// The proof is wrong or missing, for this reason.
    Refused(String),
    /// The secret cannot be read.
    Unknown(String),
}

/// The secrets by the environment variables that routes name.
#[derive(Debug)]
pub struct Keys(BTreeMap<String, Key>);

/// A secret and its source.
#[derive(Debug)]
struct Key {
    source: SecretSource,
    read: Mutex<Read>,
}

/// The last reading of a secret. Moments are of the clock, which goes on while Lambda holds an instance.
#[derive(Debug, Clone, Default)]
struct Read {
    /// Value of the secret; `None` if it was never read.
    value: Option<Secret>,
    /// Moment of the last successful reading.
    at: Option<SystemTime>,
    /// Moment of a failure since then, and its reason.
    failed: Option<(SystemTime, String)>,
}

impl Keys {
    /// Returns the secrets at those places, by variable. It makes no call by itself.
    pub fn new(places: BTreeMap<String, SecretPlace>, aws: &Aws) -> Self {
        let key = |place| Key { source: SecretSource::at(place, aws), read: Mutex::default() };
        Self(places.into_iter().map(|(variable, place)| (variable, key(place))).collect())
    }

    /// Proves that a request comes from whoever has the route's secret; `now` is in seconds since the epoch.
    pub(crate) async fn prove(
        &self,
        route: &ReceivingRoute,
        event: &ApiEvent,
        body: &[u8],
        now: u64,
        deadline: Deadline,
    ) -> Result<(), Unproven> {
        let key = self.0.get(&route.secret);
        let key = key.ok_or_else(|| Unproven::Unknown(format!("the function has no secret `{}`", route.secret)))?;
        let request = Request { url: &event.url, headers: &event.headers, body, token: event.variable(TOKEN) };
        let secret = key.current(deadline).await?;
        let verdict = match verify(&route.scheme, &secret, &request, now) {
            Err(refused) if refused.depends_on_secret() && !key.is_younger_than(REST) => {
                // A secret that cannot be read just now makes no stranger's request a fault of ours.
                match key.fetch(deadline).await {
                    Ok(secret) => verify(&route.scheme, &secret, &request, now),
                    Err(_) => Err(refused),
                }
            }
            verdict => verdict,
        };
        verdict.map_err(|refused| Unproven::Refused(refused.to_string()))
    }
}

impl Key {
    fn lock(&self) -> MutexGuard<'_, Read> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_younger_than(&self, age: Duration) -> bool {
        self.lock().at.and_then(|at| at.elapsed().ok()).is_some_and(|elapsed| elapsed < age)
    }

    /// Returns the secret: as it is known, or read now. One that is old is used for a while all the same if it cannot be read.
    async fn current(&self, deadline: Deadline) -> Result<Secret, Unproven> {
        let known = self.lock().value.clone();
        match known {
            Some(secret) if self.is_younger_than(LIFE) => Ok(secret),
            Some(secret) => match self.fetch(deadline).await {
                Err(_) if self.is_younger_than(GRACE) => Ok(secret),
                read => read,
            },
            None => self.fetch(deadline).await,
        }
    }

    /// Reads the secret. A failure leaves what was known: only the request that asked for more remains unproven.
    async fn fetch(&self, deadline: Deadline) -> Result<Secret, Unproven> {
        if let Some((at, reason)) = self.lock().failed.clone()
            && at.elapsed().is_ok_and(|elapsed| elapsed < PAUSE)
        {
            return Err(Unproven::Unknown(reason));
        }
        self.source.until(deadline.min(Deadline::at(SystemTime::now() + PATIENCE)));
        match self.source.read().await {
            Ok(secret) => {
                *self.lock() = Read { value: Some(secret.clone()), at: Some(SystemTime::now()), failed: None };
                Ok(secret)
            }
            Err(reason) => {
                tracing::warn!(reason, "the secret of a route could not be read");
                self.lock().failed = Some((SystemTime::now(), reason.clone()));
                Err(Unproven::Unknown(reason))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use contract::secret::Secret;

    use super::*;

    /// Returns a key that was read that long ago and cannot be read any more.
    fn key(ago: Duration) -> Key {
        let aws = |name: &str| match name {
            "AWS_REGION" => Some("eu-west-1".to_owned()),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("example".to_owned()),
            "AWS_ENDPOINT_URL_SECRETS_MANAGER" => Some("http://127.0.0.1:1".to_owned()),
            name if name.starts_with("AWS_LAMBDA_") => Some("128".to_owned()),
            _ => None,
        };
        let mut reader = runtime::environment::Reader::new(&aws);
        let read = reader.aws();
        let aws = reader.finish(read).unwrap();
        let source = SecretSource::at(SecretPlace::SecretsManager("hook".to_owned()), &aws);
        let read = Read { value: Some(Secret::from("known")), at: Some(SystemTime::now() - ago), failed: None };
        Key { source, read: Mutex::new(read) }
    }

    #[tokio::test]
    async fn a_secret_that_cannot_be_read_any_more_counts_for_a_while() {
        let deadline = Deadline::at(SystemTime::now() + Duration::from_secs(3));
        for (minutes, counts) in [(1, true), (30, true), (59, true), (61, false), (600, false)] {
            let current = key(Duration::from_mins(minutes)).current(deadline).await;
            assert_eq!(current.is_ok(), counts, "{minutes} minutes: {current:?}");
        }
    }
}
