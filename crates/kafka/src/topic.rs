//! Topics that are made and checked at the brokers themselves, where AWS does neither: in serverless clusters, and in those with a
//! version of Kafka before 3.6. No topic is ever deleted, and none loses a partition.

use std::time::Duration;

use krafka::{
    Kafka,
    admin::{CreatePartitionsOptions, CreateTopicsOptions, DescribeTopicsOptions, NewTopic, TopicDescription},
    error::{ErrorCode, KrafkaError},
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::connection::{NotConnected, Security, connect};

/// Timeout of a call to the cluster.
const CALL: Duration = Duration::from_secs(15);
/// Pause before brokers are asked again for what another one has written.
const PAUSE: Duration = Duration::from_millis(200);
/// Replication factor by which Kafka takes the cluster's default.
const AS_THE_CLUSTER: i16 = -1;

/// A topic as it is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Number of partitions, at least.
    pub partitions: u32,
    /// Number of brokers that have each partition; `None` leaves it to the cluster, as serverless ones want it.
    pub replication: Option<u32>,
}

/// A topic as it is in the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ensured {
    /// Change that was made to the topic.
    pub change: Change,
    /// Number of partitions that the topic has now.
    pub partitions: u32,
    /// Number of brokers that have each partition; the smallest one, if it differs.
    pub replication: u32,
}

/// A change that was made to a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Nothing: it was there, with as many partitions as are declared, or more.
    Nothing,
    /// It was missing, and was made.
    Created,
    /// It got more partitions; it had that many.
    Extended(u32),
}

/// The reasons why a topic is not known to be there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotEnsured {
    /// There is no way to the brokers.
    #[error(transparent)]
    NotConnected(#[from] NotConnected),
    /// The keys may not do it.
    #[error("the topic `{0}` may not be made or looked at with these keys: {1}")]
    Denied(String, String),
    /// The brokers did it, and do not tell of it.
    #[error("the topic `{0}` is not seen as it was written; ask again")]
    NotSeen(String),
    /// Another fault of topic or brokers: the topic and the fault in words.
    #[error("the topic `{0}` cannot be made: {1}")]
    Fault(String, String),
}

/// Makes a topic that is not there, and adds partitions to one that has fewer than are declared. It is looked at again until the
/// brokers tell of it as it was written, at most up to `until`.
pub async fn ensure(
    (bootstrap, topic): (&str, &str),
    wanted: Wanted,
    security: &Security,
    until: Instant,
) -> Result<Ensured, NotEnsured> {
    let kafka = connect(bootstrap, security).await.map_err(|error| {
        if error.is_denied() {
            NotEnsured::Denied(topic.to_owned(), error.to_string())
        } else {
            NotEnsured::NotConnected(error)
        }
    })?;
    let change = match describe(&kafka, topic).await? {
        None => {
            // Another run may have made it at the same time, with fewer partitions.
            create(&kafka, topic, wanted).await?;
            Change::Created
        }
        Some(there) if there.partitions < wanted.partitions => {
            extend(&kafka, topic, wanted.partitions).await?;
            Change::Extended(there.partitions)
        }
        Some(there) => return Ok(there),
    };
    loop {
        if let Some(there) = describe(&kafka, topic).await?.filter(|there| there.partitions >= wanted.partitions) {
            return Ok(Ensured { change, ..there });
        }
        if Instant::now() + PAUSE >= until {
            return Err(NotEnsured::NotSeen(topic.to_owned()));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Returns a topic as it is; `None` if there is none.
async fn describe(kafka: &Kafka, topic: &str) -> Result<Option<Ensured>, NotEnsured> {
    let answer = kafka.admin().describe_topics([topic], DescribeTopicsOptions::default().timeout(CALL)).await;
    let described = answer.and_then(|mut topics| topics.remove(topic).transpose());
    match described {
        Ok(found) => Ok(found.filter(|found| !found.partitions.is_empty()).map(|found| seen(&found))),
        Err(
            KrafkaError::Broker { code: ErrorCode::UnknownTopicOrPartition, .. } | KrafkaError::UnknownTopic { .. },
        ) => Ok(None),
        Err(error) => Err(failure(topic, &error)),
    }
}

fn seen(topic: &TopicDescription) -> Ensured {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let replication = topic.partitions.iter().map(|partition| partition.replicas.len()).min().unwrap_or_default();
    Ensured { change: Change::Nothing, partitions: count(topic.partitions.len()), replication: count(replication) }
}

async fn create(kafka: &Kafka, topic: &str, wanted: Wanted) -> Result<(), NotEnsured> {
    let fault = |error: KrafkaError| failure(topic, &error);
    let replication = wanted.replication.map_or(Ok(AS_THE_CLUSTER), i16::try_from);
    let replication = replication.map_err(|error| NotEnsured::Fault(topic.to_owned(), error.to_string()))?;
    let new = NewTopic::new(topic, total(topic, wanted.partitions)?, replication).map_err(fault)?;
    let made = kafka.admin().create_topics([new], CreateTopicsOptions::default().timeout(CALL)).await.map_err(fault)?;
    outcome(topic, made.into_values(), ErrorCode::TopicAlreadyExists)
}

async fn extend(kafka: &Kafka, topic: &str, partitions: u32) -> Result<(), NotEnsured> {
    let options = CreatePartitionsOptions::default().timeout(CALL);
    let made = kafka.admin().create_partitions([(topic, total(topic, partitions)?)], options).await;
    let made = made.map_err(|error| failure(topic, &error))?;
    // Kafka's word for a topic that has as many already.
    outcome(topic, made.into_values(), ErrorCode::InvalidPartitions)
}

fn total(topic: &str, partitions: u32) -> Result<i32, NotEnsured> {
    i32::try_from(partitions).map_err(|error| NotEnsured::Fault(topic.to_owned(), error.to_string()))
}

/// Returns the failure of a call that is one: what `done` says, another run has done.
fn outcome(
    topic: &str,
    ended: impl Iterator<Item = Result<(), KrafkaError>>,
    done: ErrorCode,
) -> Result<(), NotEnsured> {
    let is_done = |error: &KrafkaError| matches!(error, KrafkaError::Broker { code, .. } if *code == done);
    match ended.filter_map(Result::err).find(|error| !is_done(error)) {
        Some(error) => Err(failure(topic, &error)),
        None => Ok(()),
    }
}

fn failure(topic: &str, error: &KrafkaError) -> NotEnsured {
    let is_denied = matches!(
        error,
        KrafkaError::Auth { .. }
            | KrafkaError::Broker {
                code: ErrorCode::TopicAuthorizationFailed | ErrorCode::ClusterAuthorizationFailed,
                ..
            }
    );
    let (topic, error) = (topic.to_owned(), error.to_string());
    if is_denied { NotEnsured::Denied(topic, error) } else { NotEnsured::Fault(topic, error) }
}
