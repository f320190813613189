//! Brokers: the client's own, in this process, behind a listener like MSK's.

use std::{sync::Arc, thread, time::Duration};

use krafka::testing::FakeBroker;
use serde_json::Value;
use tokio::{net::TcpListener, runtime::Builder, sync::mpsc};

use crate::front::Front;

/// Topic of every trial.
pub(crate) const TOPIC: &str = "messages";

/// A message in the topic.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Kept {
    pub(crate) partition: i32,
    pub(crate) key: String,
    pub(crate) dedup_id: String,
    pub(crate) value: Value,
}

/// A cluster.
pub(crate) struct Broker {
    pub(crate) front: Arc<Front>,
    /// Addresses of the brokers, as the function gets them.
    pub(crate) bootstrap: String,
    cluster: Arc<FakeBroker>,
    _end: mpsc::Sender<()>,
}

impl Broker {
    /// Starts a cluster of that many brokers, with the topic of that many partitions.
    pub(crate) fn start(brokers: usize, partitions: i32) -> Self {
        let (ready, started) = std::sync::mpsc::channel();
        let (end, mut ended) = mpsc::channel::<()>(1);
        thread::spawn(move || {
            let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async move {
                let front = Arc::new(Front::new());
                let cluster = Arc::new(FakeBroker::start_cluster(brokers).await.unwrap());
                let mut addresses = Vec::new();
                for node in 0..brokers {
                    let node = i32::try_from(node).unwrap();
                    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                    let port = listener.local_addr().unwrap().port();
                    let behind = cluster.broker_addr(node).unwrap();
                    cluster.with_state(|state| {
                        let broker = state.brokers.iter_mut().find(|broker| broker.node_id == node).unwrap();
                        (broker.host, broker.port) = ("127.0.0.1".to_owned(), i32::from(port));
                    });
                    tokio::spawn(Arc::clone(&front).listen(listener, behind));
                    addresses.push(format!("127.0.0.1:{port}"));
                }
                assert!(cluster.create_topic(TOPIC, partitions));
                ready.send((Arc::clone(&front), addresses.join(","), Arc::clone(&cluster))).unwrap();
                loop {
                    // The broker looks through its record of requests at each of them.
                    cluster.clear_requests();
                    if tokio::time::timeout(Duration::from_millis(200), ended.recv()).await.is_ok() {
                        break;
                    }
                }
            });
        });
        let (front, bootstrap, cluster) = started.recv().unwrap();
        Self { front, bootstrap, cluster, _end: end }
    }

    /// Returns what is in the topic, in the order of partitions and offsets.
    pub(crate) fn kept(&self) -> Vec<Kept> {
        let records = self.cluster.all_records(TOPIC).unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let kept = |record: krafka::consumer::ConsumerRecord| {
            let header = record.headers.iter().find(|header| &*header.0 == mail_events::kafka::DEDUP_ID).unwrap();
            Kept {
                partition: record.partition,
                key: text(record.key.as_deref().unwrap()),
                dedup_id: text(header.1.as_deref().unwrap()),
                value: serde_json::from_slice(record.value.as_deref().unwrap()).unwrap(),
            }
        };
        records.into_iter().map(kept).collect()
    }

    /// Removes the topic.
    pub(crate) fn delete_topic(&self) {
        assert!(self.cluster.delete_topic(TOPIC));
    }
}
