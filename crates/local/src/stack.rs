//! Starts the declared stack on this machine, and ends it.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use contract::{context, secret::Secret};
use tokio::task::JoinHandle;

use super::{
    function::{Function, Settings},
    guard,
    instance::Program,
    observer::Observer,
    private::{self, Lock, NotOpened},
    receiver::Receiver,
    rights::Grant,
    services,
    smtp::{self, Certificate},
    storage::Storage,
    verdicts::{Setting, Verdicts},
    work::Work,
};
use crate::names::{FunctionNames, Names};
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use declaration::Declaration;

/// The options of `provision dev`.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder of the buckets and failure queues.
    pub folder: PathBuf,
    /// Port of the SMTP listener; 0 takes any free one.
    pub smtp_port: u16,
    /// Verdicts on every mail.
    pub verdicts: Vec<Setting>,
    /// Environment variables that add to the declared ones or override them. A declared secret stays a
    /// secret.
    pub variables: BTreeMap<String, Secret>,
    /// Wait before a failed event is retried.
    pub retry_delay: Duration,
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
    /// The context of a function could not be serialised.
    #[error("Failed to write the functions' environment")]
    Environment(#[from] serde_json::Error),
}

/// A running stack. Dropping it ends every process and every listener.
#[derive(Debug)]
pub struct Stack {
    /// Receiver of mails, which applies the rules.
    pub receiver: Arc<Receiver>,
    /// Address of the SMTP listener.
    pub smtp: SocketAddr,
    /// Address of the S3 endpoint.
    pub s3: SocketAddr,
    /// Certificate of the SMTP listener, as PEM.
    pub certificate: PathBuf,
    smtp_server: smtp::Server,
    servers: Vec<Server>,
    work: Work,
    _lock: Lock,
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
    pub async fn start(
        (declaration, names): (&Declaration, Names),
        executables: &BTreeMap<String, PathBuf>,
        options: &Options,
        observer: Observer,
    ) -> Result<Self, NotStarted> {
        private::keep_to_ourselves();
        let lock = locked(&options.folder)?;
        let storage = storage(&options.folder, &names)?;
        let mut grants = BTreeMap::new();
        for (entry, names) in &names.functions {
            grants.insert(entry, grant(names)?);
        }
        let all = || grants.values().cloned().collect::<Vec<Grant>>();
        let router = storage.router(all()).map_err(|error| NotStarted::Storage {
            folder: options.folder.join(private::BUCKETS),
            reason: format!("{error:?}"),
        })?;
        let s3 = serve("S3", router).await?;
        let other = serve("AWS services", services::router(names.secrets.clone(), all())).await?;
        let endpoints = [("AWS_ENDPOINT_URL_S3", &s3), ("AWS_ENDPOINT_URL", &other)]
            .map(|(name, server)| (name.to_owned(), Secret::from(format!("http://{}", server.address))));
        let mut functions = BTreeMap::new();
        for (entry, executable) in executables {
            let (Some(function), Some(grant)) = (declaration.functions.get(entry), grants.get(entry)) else { continue };
            let Some(names) = names.functions.get(entry) else { continue };
            let mut environment = environment(declaration, names, function, grant)?;
            environment.extend(endpoints.clone());
            let arn = names.arn.clone();
            let settings = settings(entry, function, options, program(function, executable, environment, arn))?;
            functions.insert(entry.clone(), Function::start(settings, observer.clone()));
        }
        let work = Work::new();
        let receiver = Arc::new(Receiver {
            rules: declaration.receipt_rules.clone(),
            names,
            region: declaration.region.clone(),
            verdicts: Verdicts::with(&options.verdicts),
            storage,
            functions,
            observer,
            work: work.clone(),
            is_closed: false.into(),
        });
        let (made, certificate) = certificate(&options.folder).await?;
        let smtp_server = smtp::Server::start(options.smtp_port, Arc::clone(&receiver), made)
            .await
            .map_err(|error| NotStarted::Port { what: "SMTP", port: options.smtp_port, error })?;
        let (smtp, s3_address) = (smtp_server.address, s3.address);
        let servers = vec![s3, other];
        Ok(Self { receiver, smtp, s3: s3_address, certificate, smtp_server, servers, work, _lock: lock })
    }

    /// Returns the number of mails and events that were accepted and are not done.
    pub fn open(&self) -> usize {
        self.work.open()
    }

    /// Takes no more mail, and returns when every mail that was accepted is done, or has come into a failure queue.
    pub async fn finish(&mut self) {
        self.receiver.close();
        self.smtp_server.end().await;
        self.work.done().await;
    }

    /// Ends everything, and returns when no process is left.
    pub async fn end(self) {
        drop(self.smtp_server);
        for function in self.receiver.functions.values() {
            function.end().await;
        }
        drop(self.servers);
    }
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

/// Makes the certificate of the SMTP listener, and writes it into the state folder for clients. Returns it with its path.
async fn certificate(folder: &Path) -> Result<(Certificate, PathBuf), NotStarted> {
    let made = Certificate::new().map_err(NotStarted::Certificate)?;
    let path = folder.join(private::CERTIFICATE);
    let written = private::write(&path, made.pem.clone().into_bytes()).await;
    written.map_err(|error| NotStarted::Folder { folder: folder.to_owned(), error })?;
    Ok((made, path))
}

/// Returns the program of a function, with its environment and limits.
fn program(
    function: &declaration::Function,
    executable: &Path,
    environment: BTreeMap<String, Secret>,
    function_arn: String,
) -> Program {
    Program {
        executable: executable.to_owned(),
        environment,
        memory: function.memory,
        timeout: function.timeout,
        function_arn,
    }
}

/// Returns the settings of a function; command-line options override the declaration.
fn settings(
    entry: &str,
    function: &declaration::Function,
    options: &Options,
    mut program: Program,
) -> Result<Settings, NotStarted> {
    let told = options.variables.iter().filter(|(name, _)| !function.secrets.contains_key(*name));
    program.environment.extend(told.map(|(name, value)| (name.clone(), value.clone())));
    Ok(Settings {
        entry: entry.to_owned(),
        program,
        retries: function.retries,
        retry_delay: options.retry_delay,
        failure_queue: failure_queue(function, &options.folder)?,
    })
}

async fn serve(what: &'static str, router: Router) -> Result<Server, NotStarted> {
    let not_listening = |error| NotStarted::Port { what, port: 0, error };
    let listener = guard::Listener::bind(0).await.map_err(not_listening)?;
    let address = listener.address();
    let router = guard::of_host(router, address);
    Ok(Server { address, serving: tokio::spawn(async move { axum::serve(listener, router).await }) })
}

/// Returns the folder of a function's failure queue.
fn failure_queue(function: &declaration::Function, folder: &Path) -> Result<Option<(String, PathBuf)>, NotStarted> {
    let Some(queue) = &function.on_failure else { return Ok(None) };
    let folder = folder.join(private::QUEUES).join(queue);
    match private::make(&folder) {
        Ok(folder) => Ok(Some((queue.clone(), folder))),
        Err(error) => Err(NotStarted::Folder { folder, error }),
    }
}

/// Makes a function's credentials, good for this run only: random, so that nobody else of this machine can guess them.
fn grant(names: &FunctionNames) -> Result<Grant, NotStarted> {
    let mut random = [0; 42];
    getrandom::fill(&mut random)?;
    let (access, secret) = random.split_at(10);
    Ok(Grant {
        access_key: format!("LOCAL{}", BASE32_NOPAD.encode(access)),
        secret_key: HEXLOWER.encode(secret).into(),
        secrets: names.context.secrets.values().cloned().collect(),
        reads: names.reads.clone(),
        writes: names.writes.clone(),
        deletes: names.deletes.clone(),
    })
}

/// Returns the environment of a function as Lambda sets it, and nothing of this process's own.
fn environment(
    declaration: &Declaration,
    names: &FunctionNames,
    function: &declaration::Function,
    grant: &Grant,
) -> Result<BTreeMap<String, Secret>, NotStarted> {
    let name = names.name.clone();
    let context = serde_json::to_string(&names.context)?;
    let given = [
        ("AWS_LAMBDA_FUNCTION_NAME", name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory.to_string()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", names.log_group.clone()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "local".to_owned()),
        ("AWS_REGION", declaration.region.clone()),
        ("AWS_DEFAULT_REGION", declaration.region.clone()),
        ("AWS_ACCESS_KEY_ID", grant.access_key.clone()),
        ("AWS_SECRET_ACCESS_KEY", grant.secret_key.expose().to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("_HANDLER", "bootstrap".to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin".to_owned()),
        ("TZ", ":UTC".to_owned()),
        (context::VARIABLE, context),
    ];
    let declared = function.environment.iter().map(|(name, value)| (name.clone(), value.clone()));
    let all = declared.chain(given.map(|(name, value)| (name.to_owned(), value)));
    Ok(all.map(|(name, value)| (name, value.into())).collect())
}
