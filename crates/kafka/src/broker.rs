//! Kafka on this machine, for `provision dev`: the broker that the client has in this process. It keeps everything in memory, speaks neither
//! TLS nor SASL, and is no proof of durability; functions are tried on it, not clusters.

use std::collections::BTreeMap;

use krafka::testing::FakeBroker;

/// A running broker; dropping it ends it.
pub struct Broker {
    bootstrap: String,
    broker: FakeBroker,
}

impl std::fmt::Debug for Broker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Broker").field("bootstrap", &self.bootstrap).finish_non_exhaustive()
    }
}

impl Broker {
    /// Starts a broker on a free port of this machine, with these topics and the number of partitions of each.
    pub async fn start(topics: &BTreeMap<String, u32>) -> Result<Self, String> {
        let broker = FakeBroker::start().await.map_err(|error| error.to_string())?;
        for (topic, partitions) in topics {
            let partitions = i32::try_from(*partitions).map_err(|error| error.to_string())?;
            if !broker.create_topic(topic, partitions) {
                return Err(format!("the topic `{topic}` could not be made"));
            }
        }
        Ok(Self { bootstrap: broker.bootstrap_servers(), broker })
    }

    /// Returns its address, `HOST:PORT`.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Returns the number of records in a topic.
    pub fn records(&self, topic: &str) -> usize {
        self.broker.all_records(topic).map_or(0, |records| records.len())
    }
}
