//! The consumer: reads batches of a group, writes their rows, and only then commits the offsets.
//!
//! Records that were read but not committed are read again after a crash: at least once. The key of the rows makes that once.

use std::time::Duration;

use anyhow::Context;
use krafka::{
    Kafka,
    consumer::{AutoOffsetReset, Consumer, ConsumerRecord},
};
use rusqlite::Connection;

use crate::rows::{self, Row};

/// A consumer of one topic.
pub(crate) struct Consuming {
    consumer: Consumer,
    database: Connection,
}

/// The counts of one batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Records that were read.
    pub(crate) read: usize,
    /// Rows that were not there yet.
    pub(crate) new: usize,
    /// Records that are no message, and were passed over.
    pub(crate) unreadable: usize,
}

impl Consuming {
    /// Joins a group and opens the database.
    pub(crate) async fn start(kafka: &Kafka, group: &str, topic: &str, database: Connection) -> anyhow::Result<Self> {
        rows::prepare(&database).context("Failed to make the table")?;
        let consumer = kafka
            .consumer(group)
            .auto_offset_reset(AutoOffsetReset::Earliest)
            // An offset that was committed before its row is a row that a crash loses.
            .enable_auto_commit(false)
            .build()
            .await?;
        consumer.subscribe([topic]).await.context("Failed to subscribe to the topic")?;
        Ok(Self { consumer, database })
    }

    /// Reads a batch, writes its rows, and commits its offsets, in this order.
    pub(crate) async fn step(&mut self, wait: Duration) -> anyhow::Result<Batch> {
        let batch = self.write(wait).await?;
        if batch.read > 0 {
            self.consumer.commit().await.context("Failed to commit the offsets; the rows are written")?;
        }
        Ok(batch)
    }

    /// Reads a batch and writes its rows, and commits nothing.
    pub(crate) async fn write(&mut self, wait: Duration) -> anyhow::Result<Batch> {
        let records = self.consumer.poll(wait).await.context("Failed to read the topic")?;
        let rows: Vec<Row> = records.iter().filter_map(row).collect();
        let new = rows::write(&mut self.database, &rows).context("Failed to write the rows; nothing was committed")?;
        Ok(Batch { read: records.len(), new, unreadable: records.len() - rows.len() })
    }

    /// Leaves the group, so that another member takes over at once.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        self.consumer.close().await.context("Failed to leave the group")
    }
}

/// Reads a record. One without the header `dedup-id` was written by somebody else: it is passed over, since waiting for it to become another
/// one would stop the consumer for ever.
fn row(record: &ConsumerRecord) -> Option<Row> {
    let dedup_id = record.header_str("dedup-id")?.to_owned();
    let message = serde_json::from_slice(record.value.as_deref()?).ok()?;
    Some(Row { dedup_id, message })
}
