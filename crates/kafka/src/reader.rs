//! A reader of one topic: all of its partitions, in the order in which brokers give the records.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use krafka::{
    consumer::{AutoOffsetReset, Consumer},
    error::{ErrorCode, KrafkaError},
};
use serde::{Deserialize, Serialize};

use crate::{
    connection::{NotConnected, Security, connect},
    entry::Entry,
};

/// Places in a topic: partition → offset of the next record.
pub type Positions = BTreeMap<i32, i64>;

/// The place from which a topic is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// From its first record.
    Beginning,
    /// From the first record of that time or later.
    Since(Timestamp),
    /// The end: only records that come from now on.
    Now,
    /// Where another reader ended. A partition that it did not know was added since: it is read from its first record.
    At(Positions),
}

/// The reasons why a topic cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRead {
    /// There is no way to the brokers.
    #[error(transparent)]
    NotConnected(#[from] NotConnected),
    /// The cluster has no such topic.
    #[error("the cluster has no topic `{0}`")]
    NoTopic(String),
    /// The keys may not read the topic.
    #[error("the topic `{0}` may not be read with these keys: {1}")]
    Denied(String, String),
    /// The brokers gave nothing for that time, in seconds, before the end of the topic.
    #[error("the brokers gave nothing of the topic `{0}` for {1} s, though it goes on")]
    Stalled(String, u64),
    /// Another fault of topic or brokers: the topic and the fault in words.
    #[error("the topic `{0}` cannot be read: {1}")]
    Fault(String, String),
}

/// A reader of a topic. It belongs to no group and commits nothing.
pub struct Reader {
    consumer: Consumer,
    topic: String,
    /// Places from which it reads.
    starts: Positions,
    /// By partition: the offset behind its last record when the reader was opened.
    ends: Positions,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Reader").field("topic", &self.topic).field("ends", &self.ends).finish_non_exhaustive()
    }
}

impl Reader {
    /// Opens a topic for reading from a place.
    pub async fn open(bootstrap: &str, topic: &str, security: &Security, start: Start) -> Result<Self, NotRead> {
        let kafka = connect(bootstrap, security).await?;
        let fault = |error: KrafkaError| failure(topic, &error);
        let consumer = kafka.consumer_without_group();
        let consumer = consumer.auto_offset_reset(AutoOffsetReset::Earliest).metrics_push(false).build().await;
        let consumer = consumer.map_err(fault)?;
        let known = consumer.fetch_metadata(Some(topic)).await.map_err(fault)?;
        let found = known.topics.iter().find(|known| &*known.name == topic);
        let partitions: Vec<i32> =
            found.map(|found| found.partitions.values().map(|one| one.partition).collect()).unwrap_or_default();
        if partitions.is_empty() {
            return Err(NotRead::NoTopic(topic.to_owned()));
        }
        consumer.assign(topic, partitions.clone()).await.map_err(fault)?;
        let (mut starts, mut ends) = (Positions::new(), Positions::new());
        for partition in &partitions {
            let (first, end) = consumer.fetch_watermarks(topic, *partition).await.map_err(fault)?;
            ends.insert(*partition, end);
            let offset = match &start {
                Start::Beginning => first,
                Start::Now => end,
                // What was there may be gone since, and so may the whole topic, with another one in its place.
                Start::At(positions) => positions.get(partition).map_or(first, |offset| (*offset).max(first).min(end)),
                Start::Since(time) => {
                    let places = [(topic, *partition)];
                    let mut found = consumer.offsets_for_times(&places, time.as_millisecond()).await;
                    let found = found.remove(&(topic.to_owned(), *partition)).transpose().map_err(fault)?;
                    // -1: none is that new.
                    found.filter(|offset| *offset >= 0).unwrap_or(end)
                }
            };
            consumer.seek(topic, *partition, offset).await.map_err(fault)?;
            starts.insert(*partition, offset);
        }
        Ok(Self { consumer, topic: topic.to_owned(), starts, ends })
    }

    /// Returns the next records, or none if none comes within that time.
    pub async fn next(&self, wait: Duration) -> Result<Vec<Entry>, NotRead> {
        let records = self.consumer.poll(wait).await.map_err(|error| failure(&self.topic, &error))?;
        Ok(records.iter().map(Entry::of).collect())
    }

    /// Returns `true` if everything was read that was in the topic when it was opened.
    pub async fn is_at_end(&self) -> bool {
        reaches(&self.positions().await, &self.ends)
    }

    /// Returns the places up to which it has read.
    pub async fn positions(&self) -> Positions {
        let mut positions = self.starts.clone();
        for (partition, offset) in &mut positions {
            if let Some(position) = self.consumer.position(&self.topic, *partition).await {
                *offset = position;
            }
        }
        positions
    }

    /// Returns the end of the topic when it was opened.
    pub fn ends(&self) -> &Positions {
        &self.ends
    }

    /// Ends the reader and its connections.
    pub async fn close(self) {
        // Nothing was begun that could be left half done.
        let _closed = self.consumer.close().await;
    }
}

/// Returns `true` if places are at an end, or behind it.
pub(crate) fn reaches(positions: &Positions, ends: &Positions) -> bool {
    ends.iter().all(|(partition, end)| positions.get(partition).is_some_and(|position| position >= end))
}

fn failure(topic: &str, error: &KrafkaError) -> NotRead {
    let topic = topic.to_owned();
    match error {
        KrafkaError::UnknownTopic { .. } | KrafkaError::Broker { code: ErrorCode::UnknownTopicOrPartition, .. } => {
            NotRead::NoTopic(topic)
        }
        KrafkaError::Auth { .. }
        | KrafkaError::Broker {
            code: ErrorCode::TopicAuthorizationFailed | ErrorCode::ClusterAuthorizationFailed,
            ..
        } => NotRead::Denied(topic, error.to_string()),
        _ => NotRead::Fault(topic, error.to_string()),
    }
}
