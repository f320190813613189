//! The cache in Redis: which events are in the database, and the statuses of mails for frequent readers. It may be lost, or away, at any
//! time: then every event is looked up in the database, which knows.

use std::{
    fmt,
    time::{Duration, Instant},
};

use data_encoding::HEXLOWER;
use redis::{Client, RedisError, Script, aio::MultiplexedConnection, cmd};
use thiserror::Error;
use tokio::{sync::Mutex, time::timeout};

use crate::{Cache, EventId, Standing};

/// Timeout of one answer. The database answers in less than what Redis may cost.
const PATIENCE: Duration = Duration::from_millis(500);
/// Time for which a cache that did not answer is left alone.
const REST: Duration = Duration::from_secs(5);
/// Seconds for which an event is remembered: SQS and SNS deliver it again within hours, if at all.
const EVENTS: u64 = 24 * 60 * 60;
/// Seconds for which a status is kept after it was last told.
const STATUSES: u64 = 60 * 60;

/// Sets the status of a recipient in the hash of a mail where it is greater, so that two workers may tell in any order.
/// `KEYS[1]` is the mail, `ARGV` recipient, precedence, word, seconds.
const RAISE: &str = "
    local known = tonumber(string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '-1', '^-?%d+'))
    if tonumber(ARGV[2]) > known then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. ARGV[3]) end
    redis.call('EXPIRE', KEYS[1], ARGV[4])";

/// A cache in Redis.
pub struct RedisCache {
    client: Client,
    /// Beginning of the keys of this stack.
    prefix: String,
    /// Id of the database, in the keys of events: another database does not have them.
    database: String,
    raise: Script,
    state: Mutex<State>,
}

/// The connection; or until when there is none.
enum State {
    None,
    Open(MultiplexedConnection),
    Resting(Instant),
}

/// The text is not the address of a Redis. It is not repeated: it may hold the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "it is not the address of a Redis; expected `rediss://:PASSWORD@HOST:6379`, or `redis://` without TLS on this machine"
)]
pub struct NotCacheAddress;

impl fmt::Debug for RedisCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RedisCache").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl RedisCache {
    /// Returns the cache at that address. `prefix` is the stack's, `database` the id of the database behind the cache. It makes no call by
    /// itself.
    pub fn new(url: &str, prefix: &str, database: &str) -> Result<Self, NotCacheAddress> {
        let client = Client::open(url.trim()).map_err(|_| NotCacheAddress)?;
        let (prefix, database) = (prefix.to_owned(), database.to_owned());
        Ok(Self { client, prefix, database, raise: Script::new(RAISE), state: Mutex::new(State::None) })
    }

    /// Tries whether the cache answers.
    pub async fn reach(&self) -> Result<(), String> {
        let asked = self.ask(async |connection| cmd("PING").query_async::<()>(connection).await).await;
        asked.ok_or_else(|| "Redis does not answer".to_owned())
    }

    /// Asks with the connection that there is, or a new one. An error is told once, and the cache is left alone for a while.
    async fn ask<T>(&self, ask: impl AsyncFnOnce(&mut MultiplexedConnection) -> Result<T, RedisError>) -> Option<T> {
        let mut connection = self.connection().await?;
        let reason = match timeout(PATIENCE, ask(&mut connection)).await {
            Ok(Ok(value)) => return Some(value),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        self.rest(&reason).await;
        None
    }

    async fn connection(&self) -> Option<MultiplexedConnection> {
        let mut state = self.state.lock().await;
        match &*state {
            State::Open(connection) => return Some(connection.clone()),
            State::Resting(until) if Instant::now() < *until => return None,
            State::Resting(_) | State::None => {}
        }
        let reason = match timeout(PATIENCE, self.client.get_multiplexed_async_connection()).await {
            Ok(Ok(connection)) => {
                *state = State::Open(connection.clone());
                return Some(connection);
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no connection in time".to_owned(),
        };
        drop(state);
        self.rest(&reason).await;
        None
    }

    async fn rest(&self, reason: &str) {
        tracing::warn!(reason, "Redis is left out for a while: every event is looked up in the database");
        *self.state.lock().await = State::Resting(Instant::now() + REST);
    }

    fn event(&self, id: &EventId) -> String {
        format!("{}:event:{}:{}", self.prefix, self.database, HEXLOWER.encode(id))
    }

    fn mail(&self, message_id: &str) -> String {
        format!("{}:mail:{message_id}", self.prefix)
    }
}

impl Cache for RedisCache {
    async fn seen(&self, events: &[EventId]) -> Vec<bool> {
        let unknown = || vec![false; events.len()];
        if events.is_empty() {
            return unknown();
        }
        let keys: Vec<String> = events.iter().map(|id| self.event(id)).collect();
        let asked =
            self.ask(async |connection| cmd("MGET").arg(&keys).query_async::<Vec<Option<String>>>(connection).await);
        match asked.await {
            Some(found) if found.len() == events.len() => found.iter().map(Option::is_some).collect(),
            _ => unknown(),
        }
    }

    async fn remember(&self, events: &[EventId], standings: &[Standing]) {
        // A batch may have no event in it, and Redis takes no empty pipeline: it would be left out for nothing.
        if events.is_empty() {
            return;
        }
        let mut pipeline = redis::pipe();
        for id in events {
            pipeline.cmd("SET").arg(self.event(id)).arg(1).arg("EX").arg(EVENTS).ignore();
        }
        self.ask(async |connection| pipeline.query_async::<()>(connection).await).await;
        for Standing { message_id, recipient, status, .. } in standings {
            let mut raise = self.raise.prepare_invoke();
            raise.key(self.mail(message_id)).arg(recipient).arg(status.precedence()).arg(status.as_str()).arg(STATUSES);
            if self.ask(async |connection| raise.invoke_async::<()>(connection).await).await.is_none() {
                return;
            }
        }
    }
}
