//! The password of a cache. It goes from its secret to `ElastiCache`, and nowhere else.

use std::time::{Duration, Instant};

use contract::secret::Secret;

use super::{
    look::{at_work, describe},
    wire,
};
use crate::Session;
use aws::OrFail;
use engine::{Class, Failure};

/// Time after which it is no longer waited for a cache to take another password.
const LONGEST_ROTATION: Duration = Duration::from_mins(30);

/// Returns why a value cannot be the password of a cache; `None` if it can be (botocore 1.44.8, `CreateReplicationGroup`, `AuthToken`; the
/// characters: `ElastiCache`'s guide, "Authenticating with the AUTH command").
pub fn fault_of_password(value: &str) -> Option<&'static str> {
    let is_taken = |byte: u8| byte.is_ascii_alphanumeric() || b"!&#$^<>-".contains(&byte);
    match value.len() {
        16..=128 if value.bytes().all(is_taken) => None,
        16..=128 => Some("a password of a cache has letters, digits and `! & # $ ^ < > -` alone"),
        _ => Some("a password of a cache has 16 to 128 characters"),
    }
}

/// Reads the password of a cache from its secret. It goes to `ElastiCache`, and nowhere else.
pub(super) async fn password(session: &Session, secret: &str) -> Result<Secret, Failure> {
    const CALL: &str = "secretsmanager.GetSecretValue";
    let answer = session.aws.read.secrets.get_secret_value().secret_id(secret).send().await.or_fail(CALL)?;
    let value = Secret::from(answer.secret_string.unwrap_or_default());
    match fault_of_password(value.expose()) {
        Some(why) => Err(Failure::found(CALL, Class::Invalid, format!("the secret `{secret}` does not fit: {why}"))),
        None => Ok(value),
    }
}

/// Gives a cache another password, and waits until it takes it, before that is written into its secret: the one of before is taken, too, until it is given the same one
/// again. A cache that is not there gets it when it is made.
pub async fn change_password(session: &Session, name: &str, secret: &str, value: &Secret) -> Result<(), Failure> {
    if describe(session, name).await?.is_none() {
        return Ok(());
    }
    let is_same = password(session, secret).await.is_ok_and(|now| now.expose() == value.expose());
    let strategy = if is_same { wire::ALONE } else { wire::BESIDE };
    session.aws.write.elasticache.call(&wire::with_password(name, value, strategy)).await?;
    let (mut pause, start) = (Duration::from_millis(500), Instant::now());
    while start.elapsed() < LONGEST_ROTATION {
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(10));
        let Some(found) = describe(session, name).await? else { return Ok(()) };
        if found.text("Status") == wire::AVAILABLE && found.list("PendingModifiedValues").is_empty() {
            return Ok(());
        }
    }
    Err(at_work(name, "still about to take the other password, and its secret has the one of before: run it again"))
}
