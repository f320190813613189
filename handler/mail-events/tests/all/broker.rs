//! Brokers behind a listener like MSK's: the client's own, in this process, or tansu's program, where the variable `TANSU` names one.

use std::{
    env,
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use krafka::{
    Kafka,
    admin::{CreateTopicsOptions, DeleteTopicsOptions, NewTopic},
    auth::{AuthConfig, AwsMskIamCredentials, TlsConfig},
    consumer::ConsumerRecord,
    testing::FakeBroker,
};
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
};

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

/// A cluster of Kafka with listeners in front of its brokers.
pub(crate) struct Broker {
    pub(crate) front: Arc<Front>,
    /// Addresses of the brokers, as the function gets them.
    pub(crate) bootstrap: String,
    partitions: i32,
    behind: Behind,
    runtime: Runtime,
}

/// The brokers behind the listeners.
enum Behind {
    /// The client's own brokers.
    Own(Arc<FakeBroker>),
    /// A program, which ends with the trial.
    Program(Mutex<Child>),
}

impl Drop for Behind {
    fn drop(&mut self) {
        if let Self::Program(child) = self {
            let child = child.get_mut().unwrap();
            let _ended = (child.kill(), child.wait());
        }
    }
}

impl Broker {
    /// Starts a cluster of that many brokers, with the topic of that many partitions. A program is one broker.
    pub(crate) fn start(brokers: usize, partitions: i32) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let front = Arc::new(Front::new());
        let (bootstrap, behind) = match env::var("TANSU") {
            Ok(program) => runtime.block_on(program_broker(&program, &front)),
            Err(_) => runtime.block_on(own_brokers(brokers, partitions, &front)),
        };
        let broker = Self { front, bootstrap, partitions, behind, runtime };
        match &broker.behind {
            Behind::Own(cluster) => {
                let cluster = Arc::downgrade(cluster);
                broker.runtime.spawn(async move {
                    // The broker looks through its record of requests at each of them.
                    while let Some(cluster) = cluster.upgrade() {
                        cluster.clear_requests();
                        drop(cluster);
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                });
            }
            Behind::Program(_) => broker.runtime.block_on(async {
                let admin = broker.client().await.admin();
                let topic = NewTopic::new(TOPIC, partitions, 1).unwrap();
                let created = admin.create_topics([topic], CreateTopicsOptions::default()).await.unwrap();
                assert!(created[TOPIC].is_ok(), "{created:?}");
            }),
        }
        broker.front.forget();
        broker
    }

    /// Returns a client that knows the listener.
    async fn client(&self) -> Kafka {
        let tls = TlsConfig::new().with_ca_cert_pem(self.front.ca.clone());
        let credentials = AwsMskIamCredentials::new("AKIAEXAMPLE", "example", "eu-west-1");
        let security = AuthConfig::aws_msk_iam_with_credentials(credentials).with_tls(tls);
        Kafka::builder(&self.bootstrap).security(security).connect().await.unwrap()
    }

    /// Returns what is in the topic, in the order of partitions and offsets.
    pub(crate) fn kept(&self) -> Vec<Kept> {
        let records = match &self.behind {
            Behind::Own(cluster) => cluster.all_records(TOPIC).unwrap(),
            Behind::Program(_) => self.runtime.block_on(self.consumed()),
        };
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let kept = |record: ConsumerRecord| {
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

    async fn consumed(&self) -> Vec<ConsumerRecord> {
        let consumer = self.client().await.consumer_without_group().build().await.unwrap();
        consumer.assign(TOPIC, (0..self.partitions).collect()).await.unwrap();
        let mut expected = 0;
        for partition in 0..self.partitions {
            consumer.seek_to_beginning(TOPIC, partition).await.unwrap();
            let (_, end) = consumer.fetch_watermarks(TOPIC, partition).await.unwrap();
            expected += usize::try_from(end).unwrap();
        }
        let mut records = Vec::new();
        while records.len() < expected {
            records.extend(consumer.poll(Duration::from_millis(300)).await.unwrap());
        }
        records.sort_by_key(|record: &ConsumerRecord| (record.partition, record.offset));
        records
    }

    /// Removes the topic from the cluster.
    pub(crate) fn delete_topic(&self) {
        match &self.behind {
            Behind::Own(cluster) => assert!(cluster.delete_topic(TOPIC)),
            Behind::Program(_) => {
                let options = DeleteTopicsOptions::default();
                let deleting = async { self.client().await.admin().delete_topics([TOPIC], options).await };
                let deleted = self.runtime.block_on(deleting);
                assert!(deleted.unwrap()[TOPIC].is_ok());
            }
        }
    }
}

async fn own_brokers(brokers: usize, partitions: i32, front: &Arc<Front>) -> (String, Behind) {
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
        tokio::spawn(Arc::clone(front).listen(listener, behind));
        addresses.push(format!("127.0.0.1:{port}"));
    }
    assert!(cluster.create_topic(TOPIC, partitions));
    (addresses.join(","), Behind::Own(cluster))
}

async fn program_broker(program: &str, front: &Arc<Front>) -> (String, Behind) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let advertised = listener.local_addr().unwrap();
    // A port that was free a moment ago: the program wants to be told one.
    let behind: SocketAddr = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut command = Command::new(program);
    command.args(["broker", "--silent", "--storage-engine", "memory://tansu/"]);
    command.args(["--listener-url", &format!("tcp://{behind}")]);
    command.args(["--advertised-listener-url", &format!("tcp://{advertised}")]);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().unwrap();
    while TcpStream::connect(behind).await.is_err() {
        thread::sleep(Duration::from_millis(20));
    }
    tokio::spawn(Arc::clone(front).listen(listener, behind));
    (advertised.to_string(), Behind::Program(Mutex::new(child)))
}
