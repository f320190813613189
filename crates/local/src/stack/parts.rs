//! Starts the parts of a stack: queues, functions with the services that they call, mappings, APIs and the receiver of mails.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
};

use axum::{Router, extract::Request};
use contract::secret::Secret;
use tokio::task::JoinSet;

use super::{HTTP, Server, serve};
use crate::{
    api::{Api, Route, Sender},
    asynchronous::Invocable,
    endpoint::Endpoint,
    environment,
    function::{Function, Settings},
    mapping::Mapping,
    names::Names,
    observer::{Activity, Observer},
    options::Options,
    private,
    queue::{self, Queue},
    receiver::Receiver,
    refusal::NotStarted,
    services::{self, Services},
    sessions::Sessions,
    storage::Storage,
    tables::Tables,
    verdicts::Verdicts,
    work::Work,
};
use declaration::Declaration;

/// Requests that a function of a route handles at once. Lambda takes more; they wait here.
const REQUESTS_AT_ONCE: usize = 10;
/// Batches that Lambda handles at once from the start, for a queue without a limit of its own.
const BATCHES_AT_ONCE: usize = 5;

/// The parts that everything in the stack shares.
pub(super) struct Parts<'run> {
    pub(super) declaration: &'run Declaration,
    pub(super) names: Names,
    pub(super) options: &'run Options,
    pub(super) observer: Observer,
    pub(super) work: Work,
    pub(super) is_closed: Arc<AtomicBool>,
    pub(super) queues: BTreeMap<String, Arc<Queue>>,
    pub(super) functions: BTreeMap<String, Arc<Function>>,
}

impl Parts<'_> {
    /// Opens the queues, with the messages that an earlier run has left in those that a function consumes.
    pub(super) fn open_queues(&self) -> Result<BTreeMap<String, Arc<Queue>>, NotStarted> {
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
    pub(super) async fn start_functions(
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
        let grants_of_all: Vec<_> = grants.values().cloned().collect();
        let router = storage.router(grants_of_all.clone()).map_err(|error| NotStarted::Storage {
            folder: self.options.folder.join(private::BUCKETS),
            reason: format!("{error:?}"),
        })?;
        let s3 = serve("S3", 0, router).await?;
        let services = Services {
            secrets: self.names.secrets.clone(),
            given,
            queues: self.queues.clone(),
            tables: self.tables(),
            grants: grants_of_all,
            sessions: sessions.clone(),
        };
        let other = serve("AWS services", 0, services::router(services)).await?;
        let endpoints = endpoints(&s3, &other);
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
    pub(super) fn start_mappings(&self) -> JoinSet<()> {
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
    pub(super) async fn start_apis(&self) -> Result<(Vec<Endpoint>, Vec<Server>), NotStarted> {
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
    pub(super) fn receiver(&self, storage: Storage, functions: BTreeMap<String, Invocable>) -> Receiver {
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
    pub(super) fn invocables(&self) -> BTreeMap<String, Invocable> {
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

/// Returns the variables by which the clients of functions find the services.
fn endpoints(s3: &Server, other: &Server) -> [(String, Secret); 3] {
    [("AWS_ENDPOINT_URL_S3", s3), ("AWS_ENDPOINT_URL_SQS", other), ("AWS_ENDPOINT_URL", other)]
        .map(|(name, server)| (name.to_owned(), Secret::from(format!("http://{}", server.address))))
}

fn batches_at_once(consumes: &declaration::Consumes) -> usize {
    consumes.concurrency.map_or(BATCHES_AT_ONCE, usize::from)
}
