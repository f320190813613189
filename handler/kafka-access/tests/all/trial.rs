//! A trial: the function, and a cluster of one broker.

use std::{process::Command, sync::Arc};

use function_trial::{Lambda, Report, Running};
use krafka::{
    Kafka, Record,
    auth::{AuthConfig, AwsMskIamCredentials, TlsConfig},
    testing::FakeBroker,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Runtime};

use crate::front::Front;

/// Topics that the function may use: one that it makes, one that it reads.
pub(crate) const MADE: &str = "lines";
pub(crate) const READ: &str = "messages";

/// A function with its cluster.
pub(crate) struct Trial {
    pub(crate) broker: Arc<FakeBroker>,
    /// The listener like MSK's; `None` if the broker is reached as it is.
    pub(crate) front: Option<Arc<Front>>,
    bootstrap: String,
    lambda: Lambda,
    running: Running,
    runtime: Runtime,
}

impl Trial {
    /// Starts a function whose broker is reached as it is.
    pub(crate) fn start() -> Self {
        Self::with(false, "example", 2)
    }

    /// Starts a function whose broker is reached as MSK's are.
    pub(crate) fn behind_tls() -> Self {
        Self::with(true, "example", 3)
    }

    /// Starts a function whose signature the brokers do not take.
    pub(crate) fn without_rights() -> Self {
        Self::with(true, "another", 1)
    }

    fn with(has_front: bool, secret: &str, partitions: u32) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (broker, front, bootstrap) = runtime.block_on(async {
            let broker = Arc::new(FakeBroker::start().await.unwrap());
            assert!(broker.create_topic(READ, 2));
            if !has_front {
                let bootstrap = broker.bootstrap_servers();
                return (broker, None, bootstrap);
            }
            let front = Arc::new(Front::new());
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let behind = broker.broker_addr(0).unwrap();
            broker.with_state(|state| state.brokers[0].port = i32::from(address.port()));
            tokio::spawn(Arc::clone(&front).listen(listener, behind));
            (broker, Some(front), address.to_string())
        });
        let lambda = Lambda::start();
        let mut command: Command = lambda.function(env!("CARGO_BIN_EXE_kafka-access"));
        let topic = |name: &str| json!({"bootstrap": bootstrap, "topic": name});
        let context = json!({
            "stack": "mails", "function": "access",
            "creates": {"events/lines": {"bootstrap": bootstrap, "topic": MADE, "partitions": partitions, "replication": 1}}, "follows": {"events/messages": topic(READ)},
        });
        command.env("PROVISION_CONTEXT", context.to_string()).env("AWS_SECRET_ACCESS_KEY", secret);
        if let Some(front) = &front {
            command.env("KAFKA_CA", &front.ca);
        }
        let running = Running::start(command);
        Self { broker, front, bootstrap, lambda, running, runtime }
    }

    /// Writes a message for each mail.
    pub(crate) fn write(&self, mails: &[&str], recipient: &str) {
        self.runtime.block_on(async {
            let security = self.front.as_ref().map_or_else(AuthConfig::plaintext, |front| {
                let tls = TlsConfig::new().with_ca_cert_pem(front.ca.clone());
                let keys = AwsMskIamCredentials::new("AKIAEXAMPLE", "example", "eu-west-1");
                AuthConfig::aws_msk_iam_with_credentials(keys).with_tls(tls)
            });
            let kafka = Kafka::builder(&self.bootstrap).security(security).connect().await.unwrap();
            let producer = kafka.producer().build().await.unwrap();
            for mail in mails {
                let record = Record::new(READ, message(mail, recipient).to_string()).key((*mail).to_owned());
                assert!(producer.send(record).await.unwrap().is_persisted());
            }
            producer.close().await.unwrap();
        });
    }

    pub(crate) fn ask(&self, event: &Value) -> Report {
        self.lambda.invoke("r-1", &event.to_string())
    }

    /// Asks the function; returns its answer.
    pub(crate) fn answer(&self, event: &Value) -> Value {
        let said = self.ask(event);
        assert_eq!(said.error_type, None, "{}", said.body);
        serde_json::from_str(&said.body).unwrap()
    }

    /// Limits the time of every invocation.
    pub(crate) fn limit(&self, timeout: std::time::Duration) {
        self.lambda.limit(timeout);
    }

    /// Ends the function; returns what it wrote.
    pub(crate) fn stop(self) -> (Vec<String>, String) {
        self.running.stop()
    }
}

/// Returns a message as the function `mail-events` writes it.
fn message(mail: &str, recipient: &str) -> Value {
    let event = json!({
        "eventType": "Delivery", "delivery": {"recipients": [recipient], "timestamp": "2027-01-05T11:00:02Z"},
        "mail": {"messageId": mail, "timestamp": "2027-01-05T11:00:00Z", "source": "orders@shop.example", "destination": [recipient]},
    });
    let Ok(events::Reading::Event(event)) = events::read(&event.to_string()) else { panic!("{event}") };
    serde_json::to_value(&event.messages(mail, Some("order"))[0].message).unwrap()
}
