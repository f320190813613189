//! Starts the declared stack on this machine, and ends it.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::Request};
use contract::secret::Secret;
use serde_json::Value;
use tokio::task::{JoinHandle, JoinSet};

use super::{
    api::{Api, Route, Sender},
    asynchronous::Invocable,
    environment,
    function::{Event, Function, Settings},
    guard, ids,
    mapping::Mapping,
    notify::{self, Topic},
    observer::{Activity, Observer},
    private::{self, Lock, NotOpened},
    queue::{self, Queue},
    receiver::Receiver,
    services::{self, Services},
    sessions::Sessions,
    smtp::{self, Certificate},
    storage::Storage,
    stores::{self, NotServed, Store, Stores},
    tables::Tables,
    verdicts::{Setting, Verdicts},
    work::Work,
};
use crate::{brokers::Kafka, names::Names};
use declaration::Declaration;

/// Requests that a function of a route handles at once. Lambda takes more; they wait here.
const REQUESTS_AT_ONCE: usize = 10;
/// Batches that Lambda handles at once from the start, for a queue without a limit of its own.
const BATCHES_AT_ONCE: usize = 5;

/// The options of `provision dev`.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder of the buckets and queues.
    pub folder: PathBuf,
    /// Port of the SMTP listener; 0 takes any free one.
    pub smtp_port: u16,
    /// Port of the first API, and of the next ones after it; 0 takes any free ones.
    pub http_port: u16,
    /// Verdicts on every mail.
    pub verdicts: Vec<Setting>,
    /// Environment variables that add to the declared ones or override them. A declared secret stays a
    /// secret.
    pub variables: BTreeMap<String, Secret>,
    /// Wait before a failed event or message is retried.
    pub retry_delay: Duration,
    /// Files with items of tables.
    pub items: Vec<PathBuf>,
}

/// The reasons why the stack could not be started.
#[derive(Debug, thiserror::Error)]
pub enum NotStarted {
    /// A folder could not be created.
    #[error("Failed to make the folder `{}`", folder.display())]
    Folder {
        /// Path of the folder.
        folder: PathBuf,
        /// Error of the file system.
        #[source]
        error: io::Error,
    },
    /// The state folder is another run's.
    #[error("Failed to take the folder `{}`: {holder}", folder.display())]
    Held {
        /// Path of the folder.
        folder: PathBuf,
        /// Who has it, in words.
        holder: String,
    },
    /// The certificate of the SMTP server could not be made.
    #[error("Failed to make a certificate for SMTP")]
    Certificate(#[source] io::Error),
    /// A port could not be opened.
    #[error("Failed to listen on 127.0.0.1:{port} for {what}")]
    Port {
        /// Purpose of the port, in words.
        what: &'static str,
        /// Number of the port.
        port: u16,
        /// Error of the system.
        #[source]
        error: io::Error,
    },
    /// The S3 endpoint refused its folder.
    #[error("Failed to open the folder `{}` as S3: {reason}", folder.display())]
    Storage {
        /// Path of the folder.
        folder: PathBuf,
        /// Reason of the refusal.
        reason: String,
    },
    /// The system has no random bytes for keys.
    #[error("Failed to make keys for the functions")]
    Keys(#[from] getrandom::Error),
    /// Kafka could not be started.
    #[error("Failed to start Kafka: {0}")]
    Kafka(String),
    /// A database or a cache could not be started.
    #[error("Failed to start the {what} on this machine")]
    Store {
        /// Kind and entry name of the store.
        what: String,
        /// Reason.
        #[source]
        reason: NotServed,
    },
    /// The context of a function could not be serialised.
    #[error("Failed to write the functions' environment")]
    Environment(#[from] serde_json::Error),
}

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

/// The SMTP listener.
#[derive(Debug)]
pub struct SmtpListener {
    /// Address on which it listens.
    pub address: SocketAddr,
    /// Its certificate, as PEM.
    pub certificate: PathBuf,
    server: smtp::Server,
}

/// An HTTP API and its address.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Name of the API's entry.
    pub entry: String,
    /// URL of the API, with the stage if the path begins with it, and without a slash at its end.
    pub url: String,
    /// The API itself.
    pub api: Arc<Api>,
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

/// The parts that everything in the stack shares.
struct Parts<'run> {
    declaration: &'run Declaration,
    names: Names,
    options: &'run Options,
    observer: Observer,
    work: Work,
    is_closed: Arc<AtomicBool>,
    queues: BTreeMap<String, Arc<Queue>>,
    functions: BTreeMap<String, Arc<Function>>,
}

impl Stack {
    /// Starts everything that the declaration names; `executables` are the functions' binaries by entry.
    pub async fn start(
        (declaration, names): (&Declaration, Names),
        executables: &BTreeMap<String, PathBuf>,
        options: &Options,
        observer: Observer,
    ) -> Result<Self, NotStarted> {
        private::keep_to_ourselves();
        let lock = locked(&options.folder)?;
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
    pub fn open(&self) -> usize {
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

impl Parts<'_> {
    /// Opens the queues, with the messages that an earlier run has left in those that a function consumes.
    fn open_queues(&self) -> Result<BTreeMap<String, Arc<Queue>>, NotStarted> {
        let folder = self.options.folder.join(private::QUEUES);
        let mut queues = BTreeMap::new();
        for (entry, queue) in &self.declaration.queues {
            let settings = queue::Settings {
                entry: entry.clone(),
                names: self.names.queues.get(entry).cloned().unwrap_or_default(),
                visibility: queue.visibility_timeout,
                folder: folder.join(entry),
                work: self.declaration.consumer(entry).map(|_| self.work.clone()),
            };
            let opened = Queue::open(settings, self.observer.clone());
            let opened = opened.map_err(|error| NotStarted::Folder { folder: folder.join(entry), error })?;
            queues.insert(entry.clone(), Arc::new(opened));
        }
        Ok(queues)
    }

    /// Starts the functions and the services that they call. Returns the services, S3 first.
    async fn start_functions(
        &mut self,
        storage: &Storage,
        executables: &BTreeMap<String, PathBuf>,
        given: BTreeMap<String, Secret>,
    ) -> Result<Vec<Server>, NotStarted> {
        let (sessions, mut grants) = (Sessions::default(), BTreeMap::new());
        for (entry, function) in &self.declaration.functions {
            let Some(names) = self.names.functions.get(entry) else { continue };
            grants.insert(entry, environment::grant(function, names)?);
        }
        let router = storage.router(grants.values().cloned().collect()).map_err(|error| NotStarted::Storage {
            folder: self.options.folder.join(private::BUCKETS),
            reason: format!("{error:?}"),
        })?;
        let s3 = serve("S3", 0, router).await?;
        let services = Services {
            secrets: self.names.secrets.clone(),
            given,
            queues: self.queues.clone(),
            tables: self.tables(),
            grants: grants.values().cloned().collect(),
            sessions: sessions.clone(),
        };
        let other = serve("AWS services", 0, services::router(services)).await?;
        let endpoint =
            |name: &str, server: &Server| (name.to_owned(), Secret::from(format!("http://{}", server.address)));
        let endpoints = [
            endpoint("AWS_ENDPOINT_URL_S3", &s3),
            endpoint("AWS_ENDPOINT_URL_SQS", &other),
            endpoint("AWS_ENDPOINT_URL", &other),
        ];
        for (entry, executable) in executables {
            let (Some(function), Some(grant)) = (self.declaration.functions.get(entry), grants.get(entry)) else {
                continue;
            };
            let Some(names) = self.names.functions.get(entry) else { continue };
            let (whole, given) = ((self.declaration, function), (names, grant));
            let program = environment::program(whole, given, &endpoints, executable, self.options)?;
            let settings =
                Settings { entry: entry.clone(), program, most_instances: self.most_instances(entry, function) };
            let function = Function::start(settings, self.observer.clone(), sessions.clone());
            self.functions.insert(entry.clone(), Arc::new(function));
        }
        Ok(vec![s3, other])
    }

    /// Reads the items of the tables. What cannot be read is told to the observer.
    fn tables(&self) -> Tables {
        let (tables, unread) = Tables::read(&self.names.tables, &self.options.items);
        for reason in unread {
            self.observer.tell(Activity::Unreadable { reason });
        }
        tables
    }

    /// Returns the number of instances that a function may have: one for events of mails, which are handled one after the other.
    fn most_instances(&self, entry: &str, function: &declaration::Function) -> usize {
        let mut routes = self.declaration.apis.values().flat_map(|api| &api.routes);
        let requests = if routes.any(|route| route.invoke == entry) { REQUESTS_AT_ONCE } else { 1 };
        let most = requests.max(function.consumes.as_ref().map_or(1, batches_at_once));
        let reserved = function.reserved_concurrency.and_then(|reserved| usize::try_from(reserved).ok());
        reserved.filter(|reserved| *reserved > 0).map_or(most, |reserved| most.min(reserved))
    }

    /// Starts the mappings of queues.
    fn start_mappings(&self) -> JoinSet<()> {
        let mut mappings = JoinSet::new();
        for (entry, function) in &self.declaration.functions {
            let (Some(consumes), Some(running)) = (&function.consumes, self.functions.get(entry)) else { continue };
            let Some(queue) = self.queues.get(&consumes.queue) else { continue };
            let redrive = self.declaration.queues.get(&consumes.queue).and_then(|queue| queue.redrive.as_ref());
            let mapping = Mapping {
                queue: Arc::clone(queue),
                function: Arc::clone(running),
                batch: consumes.batch.into(),
                window: consumes.window,
                concurrency: batches_at_once(consumes),
                dead_letters: redrive
                    .and_then(|redrive| Some((Arc::clone(self.queues.get(&redrive.queue)?), redrive.after))),
                retry_delay: self.options.retry_delay,
                region: self.declaration.region.clone(),
                observer: self.observer.clone(),
                work: self.work.clone(),
            };
            mappings.spawn(mapping.run());
        }
        mappings
    }

    /// Starts the HTTP APIs, each on a port of its own.
    async fn start_apis(&self) -> Result<(Vec<Endpoint>, Vec<Server>), NotStarted> {
        let (mut endpoints, mut servers) = (Vec::new(), Vec::new());
        let first = self.options.http_port;
        for ((entry, declared), offset) in self.declaration.apis.iter().zip(0..) {
            let route = |route: &declaration::ApiRoute| {
                let throttle = (f64::from(route.rate), f64::from(route.burst));
                let invoked = (route.invoke.as_str(), route.authentication.clone());
                Route::new(route.route.as_str(), invoked, &route.sources, throttle)
            };
            let api = Arc::new(Api {
                stage: declared.stage.clone(),
                cors: declared.cors.clone(),
                routes: declared.routes.iter().map(route).collect(),
                functions: self.functions.clone(),
                observer: self.observer.clone(),
                work: self.work.clone(),
                is_closed: Arc::clone(&self.is_closed),
            });
            let port = if first == 0 { 0 } else { first.saturating_add(offset) };
            let serving = Arc::clone(&api);
            let router = Router::new().fallback(move |request: Request| {
                let api = Arc::clone(&serving);
                async move { api.answer(request, &Sender::Client).await }
            });
            let server = serve(HTTP, port, router).await?;
            let url = format!("http://{}{}", server.address, api.path_of_stage());
            endpoints.push(Endpoint { entry: entry.clone(), url, api });
            servers.push(server);
        }
        Ok((endpoints, servers))
    }

    /// Returns the receiver of mails.
    fn receiver(&self, storage: Storage, functions: BTreeMap<String, Invocable>) -> Receiver {
        Receiver {
            rules: self.declaration.receipt_rules.clone(),
            names: self.names.clone(),
            region: self.declaration.region.clone(),
            verdicts: Verdicts::with(&self.options.verdicts),
            storage,
            functions,
            observer: self.observer.clone(),
            work: self.work.clone(),
            is_closed: Arc::clone(&self.is_closed),
        }
    }

    /// Returns the functions as events invoke them, by entry.
    fn invocables(&self) -> BTreeMap<String, Invocable> {
        let invocable = |(entry, function): (&String, &Arc<Function>)| {
            let declared = self.declaration.functions.get(entry)?;
            let invocable = Invocable {
                function: Arc::clone(function),
                retries: declared.retries,
                retry_delay: self.options.retry_delay,
                failure_queue: declared.on_failure.as_ref().and_then(|queue| self.queues.get(queue)).cloned(),
                observer: self.observer.clone(),
                work: self.work.clone(),
            };
            Some((entry.clone(), invocable))
        };
        self.functions.iter().filter_map(invocable).collect()
    }
}

/// Purpose of the port of an API.
pub const HTTP: &str = "HTTP";
/// Purpose of the port of mails.
pub const SMTP: &str = "SMTP";

fn batches_at_once(consumes: &declaration::Consumes) -> usize {
    consumes.concurrency.map_or(BATCHES_AT_ONCE, usize::from)
}

/// Starts Kafka with the topics that functions use, and names its brokers in their contexts.
async fn start_kafka(declaration: &Declaration, names: &mut Names) -> Result<Option<Kafka>, NotStarted> {
    let topics = declaration.clusters.values().flat_map(|cluster| &cluster.topics);
    let topics: BTreeMap<String, u32> = topics.map(|(name, topic)| (name.clone(), topic.partitions)).collect();
    let mut produced: Vec<_> =
        names.functions.values_mut().flat_map(|function| function.context.topics_of_kafka_mut()).collect();
    if produced.is_empty() {
        return Ok(None);
    }
    let broker = Kafka::start(&topics).await.map_err(NotStarted::Kafka)?;
    for (_, produced) in &mut produced {
        broker.bootstrap().clone_into(&mut produced.bootstrap);
    }
    Ok(Some(broker))
}

/// Takes the state folder for this run.
fn locked(folder: &Path) -> Result<Lock, NotStarted> {
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

/// Listens on a port of 127.0.0.1, and answers requests to it.
async fn serve(what: &'static str, port: u16, router: Router) -> Result<Server, NotStarted> {
    let not_listening = |error| NotStarted::Port { what, port, error };
    let listener = guard::Listener::bind(port).await.map_err(not_listening)?;
    let address = listener.address();
    let router = guard::of_host(router, address);
    Ok(Server { address, serving: tokio::spawn(async move { axum::serve(listener, router).await }) })
}
