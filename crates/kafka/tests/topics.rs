//! Makes topics at a broker in this process. It knows no `CreatePartitions`: a listener before it answers that, as Kafka does.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicI16, Ordering},
    },
    time::Duration,
};

use kafka::{Change, Ensured, NotEnsured, Security, Wanted, ensure};
use krafka::testing::{ApiKey, Control, FakeBroker};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
    time::Instant,
};

const TOPIC: &str = "lines";
/// Number of the request `CreatePartitions` in Kafka's protocol.
const CREATE_PARTITIONS: i16 = 37;
/// Code by which Kafka refuses fewer partitions than there are, or as many.
const INVALID_PARTITIONS: i16 = 37;
/// Code by which Kafka refuses whoever has no right to a topic.
const TOPIC_AUTHORIZATION_FAILED: i16 = 29;

/// A broker behind a listener.
struct Cluster {
    broker: Arc<FakeBroker>,
    bootstrap: String,
    /// Error code with which `CreatePartitions` is answered; 0 adds them.
    refusal: Arc<AtomicI16>,
    /// Notified when `CreatePartitions` was refused.
    refused: Arc<Notify>,
}

impl Cluster {
    async fn start() -> Self {
        let broker = Arc::new(FakeBroker::start().await.unwrap());
        broker.set_api_versions(ApiKey::CreatePartitions, 0, 1);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let bootstrap = listener.local_addr().unwrap().to_string();
        let behind = broker.broker_addr(0).unwrap();
        broker.with_state(|state| state.brokers[0].port = i32::from(listener.local_addr().unwrap().port()));
        let refusal = Arc::new(AtomicI16::new(0));
        let refused = Arc::new(Notify::new());
        let (cluster, code, told) = (Arc::clone(&broker), Arc::clone(&refusal), Arc::clone(&refused));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let broker = TcpStream::connect(behind).await.unwrap();
                let (cluster, code, told) = (Arc::clone(&cluster), Arc::clone(&code), Arc::clone(&told));
                tokio::spawn(async move {
                    let _ended = serve(client, broker, &cluster, (&code, &told)).await;
                });
            }
        });
        Self { broker, bootstrap, refusal, refused }
    }

    async fn ensure(&self, partitions: u32, replication: Option<u32>) -> Result<Ensured, NotEnsured> {
        let until = Instant::now() + Duration::from_secs(3);
        let wanted = Wanted { partitions, replication };
        ensure((&self.bootstrap, TOPIC), wanted, &Security::None, until).await
    }
}

async fn frame(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut frame = vec![0; usize::try_from(stream.read_i32().await?).unwrap()];
    stream.read_exact(&mut frame).await?;
    Ok(frame)
}

async fn send(stream: &mut TcpStream, frame: &[u8]) -> std::io::Result<()> {
    stream.write_i32(i32::try_from(frame.len()).unwrap()).await?;
    stream.write_all(frame).await
}

async fn serve(
    mut client: TcpStream,
    mut broker: TcpStream,
    cluster: &FakeBroker,
    (code, refused): (&AtomicI16, &Notify),
) -> std::io::Result<()> {
    loop {
        let request = frame(&mut client).await?;
        if i16::from_be_bytes([request[0], request[1]]) == CREATE_PARTITIONS {
            let code = code.load(Ordering::SeqCst);
            send(&mut client, &created(&request, cluster, code)).await?;
            if code != 0 {
                refused.notify_one();
            }
        } else {
            send(&mut broker, &request).await?;
            send(&mut client, &frame(&mut broker).await?).await?;
        }
    }
}

/// Answers a request of version 0 or 1 about one topic: head (API, version, correlation, client), then a list of names and totals.
fn created(request: &[u8], cluster: &FakeBroker, code: i16) -> Vec<u8> {
    let short = |at: usize| usize::try_from(i16::from_be_bytes([request[at], request[at + 1]])).unwrap();
    let list = 10 + short(8);
    assert_eq!(request[list..list + 4], 1_i32.to_be_bytes());
    let name = &request[list + 6..list + 6 + short(list + 4)];
    let total = &request[list + 6 + name.len()..][..4];
    if code == 0 {
        let total = i32::from_be_bytes(total.try_into().unwrap());
        assert!(cluster.add_partitions(std::str::from_utf8(name).unwrap(), total) > 0);
    }
    let mut answer = request[4..8].to_vec();
    answer.extend([0, 0, 0, 0, 0, 0, 0, 1]);
    answer.extend(u16::try_from(name.len()).unwrap().to_be_bytes());
    answer.extend(name);
    answer.extend(code.to_be_bytes());
    // No message.
    answer.extend([0xff, 0xff]);
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_is_made_once_gets_more_partitions_and_never_loses_one() {
    let cluster = Cluster::start().await;
    let there = |change, partitions| Ok(Ensured { change, partitions, replication: 1 });
    assert_eq!(cluster.ensure(2, Some(1)).await, there(Change::Created, 2));
    assert_eq!(cluster.ensure(2, None).await, there(Change::Nothing, 2));
    assert_eq!(cluster.ensure(6, None).await, there(Change::Extended(2), 6));
    assert_eq!(cluster.ensure(1, None).await, there(Change::Nothing, 6));
    let asked = |api| cluster.broker.request_count(api);
    assert_eq!((asked(ApiKey::CreateTopics), asked(ApiKey::DeleteTopics)), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_run_has_done_meanwhile_is_done() {
    let cluster = Cluster::start().await;
    // The topic comes to be between the look and the call.
    let other = Arc::downgrade(&cluster.broker);
    cluster.broker.on_once(ApiKey::CreateTopics, move |_| {
        let other = other.clone();
        std::thread::spawn(move || other.upgrade().map(|broker| broker.create_topic(TOPIC, 3)));
        Control::Delay(Duration::from_millis(300))
    });
    let made = cluster.ensure(3, None).await;
    assert_eq!(made, Ok(Ensured { change: Change::Created, partitions: 3, replication: 1 }));
    // They are added between the look and the call.
    cluster.refusal.store(INVALID_PARTITIONS, Ordering::SeqCst);
    let (other, refused) = (Arc::clone(&cluster.broker), Arc::clone(&cluster.refused));
    let adding = tokio::spawn(async move {
        refused.notified().await;
        other.add_partitions(TOPIC, 5)
    });
    let made = cluster.ensure(5, None).await;
    assert_eq!(made, Ok(Ensured { change: Change::Extended(3), partitions: 5, replication: 1 }));
    assert_eq!(adding.await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_done_is_an_error() {
    let cluster = Cluster::start().await;
    cluster
        .broker
        .on_once(ApiKey::CreateTopics, |_| Control::Error(krafka::error::ErrorCode::TopicAuthorizationFailed));
    assert!(matches!(cluster.ensure(2, None).await, Err(NotEnsured::Denied(..))));
    cluster
        .broker
        .on_once(ApiKey::CreateTopics, |_| Control::Error(krafka::error::ErrorCode::InvalidReplicationFactor));
    let refused = cluster.ensure(2, Some(9)).await;
    assert!(matches!(refused, Err(NotEnsured::Fault(..))), "{refused:?}");
    assert!(cluster.broker.create_topic(TOPIC, 2));
    cluster.refusal.store(TOPIC_AUTHORIZATION_FAILED, Ordering::SeqCst);
    assert!(matches!(cluster.ensure(4, None).await, Err(NotEnsured::Denied(..))));
    // Said to be done, and not seen.
    cluster.refusal.store(INVALID_PARTITIONS, Ordering::SeqCst);
    assert_eq!(cluster.ensure(4, None).await, Err(NotEnsured::NotSeen(TOPIC.to_owned())));
}
