//! Starts the declared stack on this machine, and ends it.

mod parts;

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::Router;
use serde_json::Value;
use tokio::task::{JoinHandle, JoinSet};

use super::{
    endpoint::Endpoint,
    function::{Event, Function},
    guard, ids,
    notify::{self, Topic},
    observer::Observer,
    options::Options,
    private::{self, Lock, NotOpened},
    receiver::Receiver,
    refusal::NotStarted,
    smtp::{self, Certificate},
    storage::Storage,
    stores::{self, Store, Stores},
    work::Work,
};
use crate::{brokers::Kafka, names::Names};
use declaration::Declaration;
use parts::Parts;

/// A running stack. Dropping it ends every process and every listener.
#[derive(Debug)]
pub struct Stack {
    /// Receiver of mails, which applies the rules.
    pub receiver: Arc<Receiver>,
    /// HTTP APIs, in the order of their entries.
    pub apis: Vec<Endpoint>,
    /// Topics that hear of sent mails.
    pub topics: Vec<Topic>,
    /// Brokers of Kafka; `None` if no function uses a topic of Kafka.
    pub kafka: Option<Kafka>,
    /// Databases and caches that functions sign in to.
    pub stores: Vec<Store>,
    /// SMTP listener; `None` if there are no receipt rules.
    pub smtp: Option<SmtpListener>,
    /// Address of the S3 endpoint.
    pub s3: SocketAddr,
    servers: Vec<Server>,
    functions: BTreeMap<String, Arc<Function>>,
    /// Mappings that take messages; dropping them ends them.
    mappings: JoinSet<()>,
    is_closed: Arc<AtomicBool>,
    work: Work,
    _lock: Lock,
}

/// The SMTP listener of a stack, as it can be reached.
#[derive(Debug)]
pub struct SmtpListener {
    /// Address on which it listens.
    pub address: SocketAddr,
    /// Its certificate, as PEM.
    pub certificate: PathBuf,
    server: smtp::Server,
}

/// An HTTP server; dropping it ends it.
#[derive(Debug)]
struct Server {
    address: SocketAddr,
    serving: JoinHandle<io::Result<()>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Stack {
    /// Starts everything that the declaration names; `executables` are the functions' binaries by entry.
    ///
    /// From now on the files that this process creates can be read by its user alone: it changes its umask.
    ///
    /// # Errors
    ///
    /// If another run has the state folder, a port is taken, or something does not start. What had started is ended.
    pub async fn start(
        (declaration, names): (&Declaration, Names),
        executables: &BTreeMap<String, PathBuf>,
        options: &Options,
        observer: Observer,
    ) -> Result<Self, NotStarted> {
        private::keep_to_ourselves();
        let lock = lock_folder(&options.folder)?;
        let storage = storage(&options.folder, &names)?;
        let (work, is_closed, functions) = (Work::new(), Arc::default(), BTreeMap::new());
        let queues = BTreeMap::new();
        let mut names = names;
        let kafka = start_kafka(declaration, &mut names).await?;
        let contexts = names.functions.values_mut().map(|function| &mut function.context).collect();
        let Stores { running: stores, secrets: given } = stores::start(contexts, &options.folder)
            .await
            .map_err(|(what, reason)| NotStarted::Store { what, reason })?;
        let mut parts = Parts { declaration, names, options, observer, work, is_closed, queues, functions };
        parts.queues = parts.open_queues()?;
        let mut servers = parts.start_functions(&storage, executables, given).await?;
        let s3_address = servers.first().map_or(SocketAddr::from(([127, 0, 0, 1], 0)), |server| server.address);
        let mappings = parts.start_mappings();
        let (apis, listening) = parts.start_apis().await?;
        servers.extend(listening);
        let invocables = parts.invocables();
        let topics =
            notify::topics(declaration, (&parts.names.topics, &parts.queues), |entry| invocables.get(entry).cloned());
        let receiver = Arc::new(parts.receiver(storage, invocables));
        let smtp = match &receiver.rules[..] {
            [] => None,
            _ => Some(SmtpListener::start(options, &receiver).await?),
        };
        Ok(Self {
            receiver,
            apis,
            topics,
            kafka,
            stores,
            smtp,
            s3: s3_address,
            servers,
            functions: parts.functions,
            mappings,
            is_closed: parts.is_closed,
            work: parts.work,
            _lock: lock,
        })
    }

    /// Returns the number of mails, requests, events and messages that were accepted and are not done.
    pub fn unfinished(&self) -> usize {
        self.work.open()
    }

    /// Takes no more mails and requests from now on. What was accepted goes on.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
    }

    /// Asks every function whether it reaches what it uses ([`contract::probe`]), and returns the answers, or why there are none, by entry.
    pub async fn probe(&self) -> BTreeMap<String, Result<Value, String>> {
        let asked = self.functions.iter().map(|(entry, function)| async move {
            let (payload, request_id) = (Arc::new(contract::probe::event()), ids::uuid());
            let answer = function.invoke(Event { items: Vec::new(), payload, request_id }).await;
            let answer = answer.map_err(|_| "the function has ended".to_owned());
            let answer = answer.and_then(|attempt| attempt.map_err(|failure| failure.to_string()));
            (entry.clone(), answer.map(|answered| answered.answer))
        });
        futures::future::join_all(asked).await.into_iter().collect()
    }

    /// Takes no more mails and requests, and returns when everything that was accepted is done, or has come into a failure queue.
    pub async fn finish(&mut self) {
        self.close();
        if let Some(smtp) = &mut self.smtp {
            smtp.server.end().await;
        }
        self.work.done().await;
    }

    /// Ends everything, and returns when no process is left.
    pub async fn end(self) {
        drop(self.smtp);
        drop(self.mappings);
        for function in self.functions.values() {
            function.end().await;
        }
        for store in self.stores {
            store.end().await;
        }
        if let Some(kafka) = self.kafka {
            kafka.end().await;
        }
        drop(self.servers);
    }
}

impl SmtpListener {
    /// Starts the listener, and writes its certificate into the state folder for clients.
    async fn start(options: &Options, receiver: &Arc<Receiver>) -> Result<Self, NotStarted> {
        let made = Certificate::new().map_err(NotStarted::Certificate)?;
        let certificate = options.folder.join(private::CERTIFICATE);
        let written = private::write(&certificate, made.pem.clone().into_bytes()).await;
        written.map_err(|error| NotStarted::Folder { folder: options.folder.clone(), error })?;
        let port = options.smtp_port;
        let server = smtp::Server::start(port, Arc::clone(receiver), made).await;
        let server = server.map_err(|error| NotStarted::Port { what: SMTP, port, error })?;
        Ok(Self { address: server.address, certificate, server })
    }
}

/// Purpose of the port of an API.
pub const HTTP: &str = "HTTP";
/// Purpose of the port of mails.
pub const SMTP: &str = "SMTP";

/// Starts Kafka with all declared topics, if a function uses one, and names its brokers in the contexts of functions. All clusters are one here.
async fn start_kafka(declaration: &Declaration, names: &mut Names) -> Result<Option<Kafka>, NotStarted> {
    let mut produced: Vec<_> =
        names.functions.values_mut().flat_map(|function| function.context.topics_of_kafka_mut()).collect();
    if produced.is_empty() {
        return Ok(None);
    }
    let mut topics: BTreeMap<String, u32> = BTreeMap::new();
    for (name, topic) in declaration.clusters.values().flat_map(|cluster| &cluster.topics) {
        if topics.insert(name.clone(), topic.partitions).is_some() {
            return Err(NotStarted::TopicTwice { name: name.clone() });
        }
    }
    let broker = Kafka::start(&topics).await.map_err(NotStarted::Kafka)?;
    for (_, produced) in &mut produced {
        broker.bootstrap().clone_into(&mut produced.bootstrap);
    }
    Ok(Some(broker))
}

/// Takes the state folder for this run.
fn lock_folder(folder: &Path) -> Result<Lock, NotStarted> {
    let folder = folder.to_owned();
    private::open(&folder).map_err(|error| match error {
        NotOpened::Held(holder) => NotStarted::Held { folder, holder },
        NotOpened::Failed(error) => NotStarted::Folder { folder, error },
    })
}

/// Opens the buckets in the state folder.
fn storage(folder: &Path, names: &Names) -> Result<Storage, NotStarted> {
    let folder = folder.join(private::BUCKETS);
    let opened = Storage::open(&folder, names.buckets.values().cloned());
    opened.map_err(|error| NotStarted::Folder { folder, error })
}

/// Listens on a port of 127.0.0.1, and answers requests to it. `what` is the purpose of the port, for an error.
async fn serve(what: &'static str, port: u16, router: Router) -> Result<Server, NotStarted> {
    let not_listening = |error| NotStarted::Port { what, port, error };
    let listener = guard::Listener::bind(port).await.map_err(not_listening)?;
    let address = listener.address();
    let router = guard::of_host(router, address);
    Ok(Server { address, serving: tokio::spawn(async move { axum::serve(listener, router).await }) })
}

#[cfg(test)]
mod tests {
    use contract::context::{Context, Produced};

    use super::*;
    use crate::names::FunctionNames;

    /// Returns the names of a stack with a function that writes to these topics of Kafka.
    fn names(topics: &[&str]) -> Names {
        let produced = |key: &&str| {
            let topic = key.split_once('/').unwrap().1.to_owned();
            ((*key).to_owned(), Produced { topic, ..Produced::default() })
        };
        let context = Context { produces: topics.iter().map(produced).collect(), ..Context::default() };
        let function = FunctionNames {
            name: "shop-writer".to_owned(),
            arn: String::new(),
            log_group: String::new(),
            context,
            reads: Vec::new(),
            writes: Vec::new(),
            deletes: Vec::new(),
        };
        Names { functions: BTreeMap::from([("writer".to_owned(), function)]), ..Names::default() }
    }

    #[tokio::test]
    async fn topics_of_one_name_in_two_clusters_are_refused_if_kafka_is_used() {
        let arn = "arn:aws:kafka:eu-west-1:123456789012:cluster";
        let source = format!(
            "stack: shop
region: eu-west-1
clusters:
  a: {{existing: {arn}/a/0a1b2c3d-4e5f-6a7b-8c9d-0e1f2a3b4c5d-7, topics: {{mails: {{partitions: 1}}}}}}
  b: {{existing: {arn}/b/0a1b2c3d-4e5f-6a7b-8c9d-0e1f2a3b4c5d-7, topics: {{mails: {{partitions: 3}}}}}}
"
        );
        let checked = Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), None).unwrap();
        let declaration = &checked.declarations[0];
        assert!(start_kafka(declaration, &mut names(&[])).await.unwrap().is_none(), "nothing uses Kafka");
        let refused = start_kafka(declaration, &mut names(&["b/mails"])).await.unwrap_err();
        assert!(matches!(&refused, NotStarted::TopicTwice { name } if name == "mails"), "{refused}");
    }
}
