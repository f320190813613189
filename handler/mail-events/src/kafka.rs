//! The topic of Kafka, behind a trait of ours: what is told to be written is in all replicas that are in sync.

use std::{sync::Arc, time::Duration, time::SystemTime};

use contract::context::Produced;
use data_encoding::BASE64URL_NOPAD;
use futures::future::join_all;
use krafka::{
    Compression, Kafka,
    auth::{AuthConfig, AwsMskIamCredentials, OAuthBearerToken, TlsConfig},
    error::{ErrorCode, KrafkaError},
    producer::{Acks, Producer},
};
use runtime::{
    Deadline,
    environment::{Aws, Keys},
    presigned,
};
use tokio::{
    sync::Mutex,
    time::{error::Elapsed, timeout},
};

/// Name that the function gives itself at the brokers.
const CLIENT: &str = "provision-mail-events";
/// Header of each message with what makes it unique.
pub const DEDUP_ID: &str = "dedup-id";

/// Timeout of a connection with its TLS and its proof of identity.
const CONNECT: Duration = Duration::from_secs(3);
/// Timeout of an answer of a broker.
const REQUEST: Duration = Duration::from_secs(4);
/// Time within which a message is acknowledged, attempts and pauses included, if the invocation lasts as long. Lambda's limit must be
/// longer, so that the failure is told and not cut off.
pub const DELIVERY: Duration = Duration::from_secs(10);
/// Time for what comes before a message is on its way: to find the topic, and room in the producer's buffer.
const QUEUE: Duration = Duration::from_secs(5);
/// Pause before another attempt to connect: brokers take few new connections a second, small ones four.
const PAUSE: Duration = Duration::from_secs(1);
/// Life of a token; MSK takes none that lives longer.
const TOKEN: Duration = Duration::from_mins(15);

/// A message for the topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Key: all messages with one key are in one partition.
    pub key: String,
    /// Value of the message.
    pub value: Vec<u8>,
    /// Value of the header [`DEDUP_ID`].
    pub dedup_id: String,
}

/// The place of a message in the topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Partition of the topic.
    pub partition: i32,
    /// Offset in the partition; `None` if the broker had it already by an earlier attempt.
    pub offset: Option<i64>,
}

/// A topic that messages are written to.
pub trait Topic {
    /// Writes messages in their order, and returns for each where it is, or why it may not be there. Nothing is told to be written that a
    /// broker may lose: all replicas that are in sync have it.
    fn write(&self, records: Vec<Record>, deadline: Deadline) -> impl Future<Output = Vec<Result<Written, String>>>;

    /// Tries whether the topic can be written to, as far as that can be found out without writing.
    fn reach(&self, deadline: Deadline) -> impl Future<Output = Result<(), String>>;
}

/// How brokers are reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Security {
    /// By TLS, with a proof of the function's role.
    Tls {
        /// Form of the proof.
        mechanism: Mechanism,
        /// Certificates of the authorities, as PEM, that alone are trusted; `None` for the public ones.
        ca: Option<String>,
    },
    /// As they are: on this machine only.
    None,
}

/// The forms in which MSK takes a role's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// Signature of an AWS identity (`AWS_MSK_IAM`).
    Iam,
    /// `OAUTHBEARER`, a signed URL as the token.
    Token,
}

/// A topic of Kafka, reached by one producer that is kept between invocations.
pub struct KafkaTopic {
    topic: Produced,
    security: Security,
    aws: Aws,
    producer: Mutex<Option<Arc<Producer>>>,
}

impl std::fmt::Debug for KafkaTopic {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("KafkaTopic").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl KafkaTopic {
    /// Returns the topic. It is connected to at its first use.
    pub fn new(topic: Produced, security: Security, aws: &Aws) -> Self {
        Self { topic, security, aws: aws.clone(), producer: Mutex::default() }
    }

    /// Returns the producer, which is made if there is none.
    async fn producer(&self, deadline: Deadline) -> Result<Arc<Producer>, String> {
        let mut kept = self.producer.lock().await;
        if let Some(producer) = kept.as_ref().filter(|producer| !producer.is_closed()) {
            return Ok(Arc::clone(producer));
        }
        loop {
            let error = match timeout(deadline.left(), self.connect()).await {
                Ok(Ok(producer)) => return Ok(Arc::clone(kept.insert(Arc::new(producer)))),
                Ok(Err(error)) => error,
                Err(_) => return Err("the brokers do not answer in time: is there a route to them?".to_owned()),
            };
            if !error.is_retriable() || deadline.left() < PAUSE * 2 {
                return Err(self.reason(&error));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn connect(&self) -> krafka::Result<Producer> {
        let kafka = Kafka::builder(&self.topic.bootstrap)
            .client_id(CLIENT)
            .security(self.authentication())
            .connect_timeout(CONNECT)
            .request_timeout(REQUEST)
            .connect()
            .await?;
        kafka
            .producer()
            .acks(Acks::All)
            .idempotent(true)
            .compression(Compression::None)
            .linger(Duration::ZERO)
            .delivery_timeout(DELIVERY)
            .max_block(QUEUE)
            // What brokers ask of clients is no business of a function, which is frozen between its invocations.
            .metrics_push(false)
            .build()
            .await
    }

    fn authentication(&self) -> AuthConfig {
        let Security::Tls { mechanism, ca } = &self.security else { return AuthConfig::plaintext() };
        let tls = ca.iter().fold(TlsConfig::new(), |tls, pem| tls.with_ca_cert_pem(pem.clone()));
        match mechanism {
            Mechanism::Iam => {
                let Aws { region, credentials: Keys { access_key_id, secret_access_key, session_token }, .. } =
                    &self.aws;
                let credentials = AwsMskIamCredentials::new(access_key_id, secret_access_key.expose(), region);
                let credentials = session_token
                    .iter()
                    .fold(credentials, |credentials, token| credentials.with_session_token(token.expose()));
                AuthConfig::aws_msk_iam_with_credentials(credentials).with_tls(tls)
            }
            Mechanism::Token => {
                let aws = self.aws.clone();
                let fresh = move || {
                    let token = token(&aws, SystemTime::now()).map_err(KrafkaError::auth);
                    async move { token }
                };
                AuthConfig::sasl_oauthbearer_provider(fresh).with_tls(tls)
            }
        }
    }

    /// Writes messages with the producer that there is, or a new one. A producer that may not be of use any more is given up.
    async fn attempt(&self, records: Vec<Record>, deadline: Deadline) -> Vec<Result<Written, Failure>> {
        let producer = match self.producer(deadline).await {
            Ok(producer) => producer,
            Err(reason) => {
                let failure = || Failure { reason: reason.clone(), producer: State::Doubtful };
                return records.iter().map(|_| Err(failure())).collect();
            }
        };
        let mut queued = Vec::with_capacity(records.len());
        for Record { key, value, dedup_id } in records {
            let record = krafka::Record::new(self.topic.topic.as_str(), value).key(key).header(DEDUP_ID, dedup_id);
            // The order of the queue is that of the topic. A message whose time is up here is not in the queue.
            queued.push(timeout(deadline.left(), producer.enqueue(record)).await);
        }
        let ended = join_all(queued.into_iter().map(async |queued| {
            let delivery = self.in_time(queued)?;
            let written = self.in_time(timeout(deadline.left(), delivery).await)?;
            if !written.is_persisted() {
                let reason = "Kafka: a broker took the message without an acknowledgement".to_owned();
                return Err(Failure { reason, producer: State::Doubtful });
            }
            Ok(Written { partition: written.partition, offset: written.is_success().then_some(written.offset) })
        }))
        .await;
        if ended.iter().any(|ended| matches!(ended, Err(failure) if failure.producer != State::Sound)) {
            self.give_up(&producer).await;
        }
        ended
    }

    /// Returns what came in time and without an error.
    fn in_time<T>(&self, ended: Result<krafka::Result<T>, Elapsed>) -> Result<T, Failure> {
        match ended {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(Failure { reason: self.reason(&error), producer: State::after(&error) }),
            Err(_) => {
                let reason = "Kafka: no acknowledgement before the invocation's time was up".to_owned();
                Err(Failure { reason, producer: State::Doubtful })
            }
        }
    }

    /// Gives up the producer, so that the next use makes another one: what has failed in time may fail for ever.
    async fn give_up(&self, failed: &Producer) {
        let mut kept = self.producer.lock().await;
        if kept.as_ref().is_some_and(|kept| std::ptr::eq(Arc::as_ptr(kept), failed)) {
            *kept = None;
        }
    }

    /// Returns an error in words, with what to do about it where that is known.
    fn reason(&self, error: &KrafkaError) -> String {
        let topic = &self.topic.topic;
        let advice = match error {
            KrafkaError::Broker { code: ErrorCode::TopicAuthorizationFailed, .. } => {
                format!(": the function's `produces` must name the topic `{topic}`")
            }
            KrafkaError::Broker { code: ErrorCode::ClusterAuthorizationFailed, .. } => {
                ": the function's role may not write to the cluster; `provision up` gives it the right".to_owned()
            }
            KrafkaError::Broker { code: ErrorCode::UnknownTopicOrPartition, .. } | KrafkaError::UnknownTopic { .. } => {
                format!(": the topic `{topic}` does not exist; `provision up` creates the declared ones")
            }
            KrafkaError::Auth { .. } => {
                ": the brokers do not take the function's role; its `produces` gives it the right".to_owned()
            }
            _ => String::new(),
        };
        format!("Kafka: {error}{advice}")
    }
}

impl Topic for KafkaTopic {
    async fn write(&self, records: Vec<Record>, deadline: Deadline) -> Vec<Result<Written, String>> {
        let mut ended = self.attempt(records.clone(), deadline).await;
        // The cluster does not go on with the producer: a new one may write at once what this one could not.
        let stopped = |ended: &Result<_, Failure>| matches!(ended, Err(failure) if failure.producer == State::Stopped);
        if deadline.left() > REQUEST && ended.iter().any(stopped) {
            let again = records.into_iter().zip(&ended).filter(|(_, ended)| stopped(ended));
            let mut again = self.attempt(again.map(|(record, _)| record).collect(), deadline).await.into_iter();
            for one in ended.iter_mut().filter(|ended| stopped(ended)) {
                if let Some(second) = again.next() {
                    *one = second;
                }
            }
        }
        ended.into_iter().map(|ended| ended.map_err(|failure| failure.reason)).collect()
    }

    async fn reach(&self, deadline: Deadline) -> Result<(), String> {
        let producer = self.producer(deadline).await?;
        match timeout(deadline.left(), producer.partitions_for(&self.topic.topic)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(self.reason(&error)),
            Err(_) => Err("the brokers do not answer in time".to_owned()),
        }
    }
}

/// Why a message may not be in the topic.
#[derive(Debug)]
struct Failure {
    reason: String,
    producer: State,
}

/// State of the producer after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It can be used: a broker refused the message.
    Sound,
    /// It may have failed for ever, such as after a time that was up.
    Doubtful,
    /// The cluster does not go on with it.
    Stopped,
}

impl State {
    fn after(error: &KrafkaError) -> Self {
        match error {
            KrafkaError::Fenced { .. }
            | KrafkaError::Closed { .. }
            | KrafkaError::OutOfOrderSequence { .. }
            | KrafkaError::IllegalState { .. }
            | KrafkaError::Broker {
                code:
                    ErrorCode::ProducerFenced
                    | ErrorCode::InvalidProducerEpoch
                    | ErrorCode::UnknownProducerId
                    | ErrorCode::OutOfOrderSequenceNumber,
                ..
            } => Self::Stopped,
            KrafkaError::Broker { .. } if !error.is_fatal() => Self::Sound,
            _ => Self::Doubtful,
        }
    }
}

/// Returns a token that proves the function's role, as MSK's own signers make it: a signed URL, which nobody asks for.
fn token(aws: &Aws, now: SystemTime) -> Result<OAuthBearerToken, String> {
    let url = format!("https://kafka.{}.amazonaws.com/?Action=kafka-cluster%3AConnect", aws.region);
    let signed = presigned(aws, "kafka-cluster", &url, TOKEN, now)?;
    let ends = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default() + TOKEN;
    let ends = i64::try_from(ends.as_millis()).map_err(|error| error.to_string())?;
    // It is added after the signature, so that brokers can log it and nobody has to sign it.
    let token = BASE64URL_NOPAD.encode(format!("{signed}&User-Agent={CLIENT}").as_bytes());
    Ok(OAuthBearerToken::new(token).with_lifetime_ms(ends))
}
