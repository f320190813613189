//! Databases and caches that functions sign in to: MariaDB in the place of MySQL, and Redis, each a process of the run that listens on
//! 127.0.0.1 alone. They are those of the machine (Debian: `mariadb-server`, `redis-server`), and are started where a function names one.
//!
//! A database keeps its rows in the state folder; a cache keeps nothing. Passwords are made at every start, and stand in no argument and
//! no environment: functions read them as they read them in AWS, from Secrets Manager.

use std::{
    collections::BTreeMap,
    env, fs, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use contract::{
    context::{Cache, Context, Database},
    secret::Secret,
};
use data_encoding::HEXLOWER;
use process::{Group, tool};
use serde_json::json;
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{Instant, sleep},
};

use crate::private;

/// Folders of programs of servers, besides those in `PATH`.
const FOLDERS: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];
/// Longest start of a server, on a busy machine.
const START: Duration = Duration::from_mins(1);
/// Pause before it is looked again whether a server listens.
const PAUSE: Duration = Duration::from_millis(50);
/// Words in MariaDB's log when it has read its first statements.
const READY: &str = "ready for connections";
/// Number of random bytes of a password.
const PASSWORD: usize = 24;

/// The reasons why a store could not be started.
#[derive(Debug, thiserror::Error)]
pub enum NotServed {
    /// The program is not installed.
    #[error("`{program}` is not installed")]
    Missing {
        /// Name of the program.
        program: &'static str,
        /// Package of Debian that has it.
        package: &'static str,
    },
    /// A file or a process could not be made.
    #[error("{0}")]
    Failed(#[from] io::Error),
    /// The system has no random bytes for a password.
    #[error("there is no random password: {0}")]
    NoPassword(#[from] getrandom::Error),
    /// The program ended, or is not ready in time.
    #[error("{program} {fault}; its log ends with: {log}")]
    Silent {
        /// Name of the program.
        program: &'static str,
        /// What it did instead.
        fault: &'static str,
        /// End of its log.
        log: String,
    },
}

/// A store that runs.
#[derive(Debug)]
pub struct Store {
    /// Kind and entry name, as `database mails`.
    pub what: String,
    /// Address on which it listens.
    pub address: SocketAddr,
    /// Product that stands in for AWS's.
    pub product: &'static str,
    group: Group,
}

impl Store {
    /// Ends its process.
    pub(crate) async fn end(mut self) {
        self.group.end().await;
    }
}

/// The stores of a run.
#[derive(Debug, Default)]
pub(crate) struct Stores {
    pub(crate) running: Vec<Store>,
    /// Secrets with the stores' passwords, by their names in Secrets Manager.
    pub(crate) secrets: BTreeMap<String, Secret>,
}

/// Starts each database and cache that a context names, once, and writes into all contexts where it is.
pub(crate) async fn start(contexts: Vec<&mut Context>, folder: &Path) -> Result<Stores, (String, NotServed)> {
    let mut stores = Stores::default();
    let (mut databases, mut caches) = (BTreeMap::new(), BTreeMap::new());
    for context in contexts {
        for (entry, wanted) in &mut context.databases {
            if !databases.contains_key(entry) {
                let what = format!("database {entry}");
                let started = stores.database(&what, entry, wanted, &folder.join(DATABASES).join(entry)).await;
                databases.insert(entry.clone(), started.map_err(|reason| (what, reason))?);
            }
            databases.get(entry).cloned().into_iter().for_each(|place| *wanted = place);
        }
        for (entry, wanted) in &mut context.caches {
            if !caches.contains_key(entry) {
                let what = format!("cache {entry}");
                let started = stores.cache(&what, entry, wanted, &folder.join(CACHES).join(entry)).await;
                caches.insert(entry.clone(), started.map_err(|reason| (what, reason))?);
            }
            caches.get(entry).cloned().into_iter().for_each(|place| *wanted = place);
        }
    }
    Ok(stores)
}

/// Folders of the stores in the state folder.
const DATABASES: &str = "databases";
const CACHES: &str = "caches";

impl Stores {
    async fn database(
        &mut self,
        what: &str,
        entry: &str,
        wanted: &Database,
        folder: &Path,
    ) -> Result<Database, NotServed> {
        const PACKAGE: &str = "mariadb-server";
        let (server, install) = (program("mariadbd", PACKAGE)?, program("mariadb-install-db", PACKAGE)?);
        let folder = made(folder)?;
        let (data, log) = (folder.join("data"), folder.join("log"));
        let user = rustix::process::getuid();
        let common = |command: &mut tokio::process::Command| {
            // Root of the machine has to say that it means to run the server.
            let operator = user.is_root().then(|| "--user=root".to_owned());
            command.arg("--no-defaults").arg(option("datadir", &data)).arg(option("tmpdir", &folder)).args(operator);
        };
        if !data.join("mysql").is_dir() {
            let mut command = tool(install);
            common(&mut command);
            command.args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
            logged(&mut command, &log)?;
            if !command.stdin(Stdio::null()).status().await?.success() {
                return Err(silent("mariadb-install-db", "could not make its tables", &log));
            }
        }
        let password = password()?;
        let first = folder.join("first.sql");
        private::write(&first, statements(wanted, &password).into_bytes()).await?;
        let address = free_address()?;
        let mut command = tool(server);
        common(&mut command);
        command
            .arg(format!("--port={}", address.port()))
            .arg(format!("--bind-address={}", address.ip()))
            // In its folder of data: the path of a socket has at most 107 bytes.
            .arg("--socket=socket")
            .arg(option("pid-file", &folder.join("pid")))
            .arg(option("init-file", &first))
            .args(["--skip-name-resolve", "--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=2"]);
        logged(&mut command, &log)?;
        let mut group = Group::start(command.stdin(Stdio::null()))?;
        // It listens before it has read the first statements, and lets nobody in until it has.
        let is_ready = async || fs::read_to_string(&log).is_ok_and(|text| text.contains(READY));
        until("mariadbd", &mut group, is_ready, &log).await?;
        fs::remove_file(first)?;
        self.running.push(Store { what: what.to_owned(), address, product: "MariaDB", group });
        let secret = format!("local/databases/{entry}");
        let document = json!({"username": wanted.user, "password": password.expose()}).to_string();
        self.secrets.insert(secret.clone(), document.into());
        Ok(Database { host: address.ip().to_string(), port: address.port(), secret, ..wanted.clone() })
    }

    async fn cache(&mut self, what: &str, entry: &str, wanted: &Cache, folder: &Path) -> Result<Cache, NotServed> {
        let server = program("redis-server", "redis-server")?;
        let folder = made(folder)?;
        let (log, address) = (folder.join("log"), free_address()?);
        let password = password()?;
        let has_password = wanted.secret.is_some();
        let mut configuration = format!(
            "port {}\nbind {}\nsave \"\"\nappendonly no\ndir \"{}\"\n",
            address.port(),
            address.ip(),
            folder.display()
        );
        if has_password {
            configuration.push_str(&format!("requirepass {}\n", password.expose()));
        }
        // From standard input, so that the password is in no argument.
        let mut command = tool(server);
        command.arg("-").stdin(Stdio::piped());
        logged(&mut command, &log)?;
        let mut group = Group::start(&mut command)?;
        if let Some(mut input) = group.child.stdin.take() {
            input.write_all(configuration.as_bytes()).await?;
        }
        until("redis-server", &mut group, async || TcpStream::connect(address).await.is_ok(), &log).await?;
        self.running.push(Store { what: what.to_owned(), address, product: "Redis", group });
        let secret = has_password.then(|| format!("local/caches/{entry}"));
        self.secrets.extend(secret.iter().map(|name| (name.clone(), password.clone())));
        Ok(Cache { host: address.ip().to_string(), port: address.port(), tls: false, secret })
    }
}

/// Returns the statements that a database begins with: its schema, its user, and no other user. Names are letters, digits and `_`.
fn statements(Database { name, user, .. }: &Database, password: &Secret) -> String {
    let password = password.expose();
    // One statement a line: the server reads them so.
    [
        format!("CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4;"),
        format!("CREATE OR REPLACE USER '{user}'@'127.0.0.1' IDENTIFIED BY '{password}';"),
        format!("GRANT ALL ON `{name}`.* TO '{user}'@'127.0.0.1';"),
        // Last: without any user the server makes none.
        format!("DELETE FROM mysql.global_priv WHERE User NOT IN ('mariadb.sys', '{user}');"),
        "FLUSH PRIVILEGES;\n".to_owned(),
    ]
    .join("\n")
}

/// Makes the folder of a store, and the one above it; returns its whole path, as MariaDB takes a part of one for something else.
fn made(folder: &Path) -> io::Result<PathBuf> {
    folder.parent().map(private::make).transpose()?;
    fs::canonicalize(private::make(folder)?)
}

fn option(name: &str, path: &Path) -> String {
    format!("--{name}={}", path.display())
}

/// Finds a program of this machine.
fn program(name: &'static str, package: &'static str) -> Result<PathBuf, NotServed> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(FOLDERS.map(PathBuf::from));
    let mut files = folders.map(|folder| folder.join(name));
    files.find(|file| file.is_file()).ok_or(NotServed::Missing { program: name, package })
}

fn password() -> Result<Secret, getrandom::Error> {
    let mut bytes = [0; PASSWORD];
    getrandom::fill(&mut bytes)?;
    Ok(HEXLOWER.encode(&bytes).into())
}

fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn logged(command: &mut tokio::process::Command, log: &Path) -> io::Result<()> {
    let file = fs::File::create(log)?;
    command.stdout(file.try_clone()?).stderr(file);
    Ok(())
}

/// Waits until a server is ready.
async fn until(
    program: &'static str,
    group: &mut Group,
    is_ready: impl AsyncFn() -> bool,
    log: &Path,
) -> Result<(), NotServed> {
    let begun = Instant::now();
    while !is_ready().await {
        if group.child.try_wait()?.is_some() {
            return Err(silent(program, "has ended", log));
        }
        if begun.elapsed() > START {
            return Err(silent(program, "does not answer", log));
        }
        sleep(PAUSE).await;
    }
    Ok(())
}

fn silent(program: &'static str, fault: &'static str, log: &Path) -> NotServed {
    let text = fs::read_to_string(log).unwrap_or_default();
    let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("nothing");
    NotServed::Silent { program, fault, log: last.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn context() -> Context {
        let database = Database {
            name: "mails".to_owned(),
            user: "worker".to_owned(),
            host: "in-aws".to_owned(),
            ..Database::default()
        };
        let cache =
            Cache { host: "in-aws".to_owned(), tls: true, secret: Some("in/aws".to_owned()), ..Cache::default() };
        Context {
            databases: [("mails".to_owned(), database)].into(),
            caches: [("seen".to_owned(), cache)].into(),
            ..Context::default()
        }
    }

    /// Starts the stores of two functions; `None` where they are not installed, which is said.
    async fn started(contexts: &mut [Context; 2], folder: &Path) -> Option<Stores> {
        match start(contexts.iter_mut().collect(), folder).await {
            Ok(stores) => Some(stores),
            Err((what, NotServed::Missing { program, package })) => {
                eprintln!("not run: {what}: `{program}` of `{package}` is not installed");
                None
            }
            Err((what, error)) => panic!("{what}: {error}"),
        }
    }

    #[tokio::test]
    async fn two_functions_share_their_stores_whose_passwords_are_secrets_of_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let mut contexts = [context(), context()];
        let Some(stores) = started(&mut contexts, folder.path()).await else { return };
        assert_eq!(contexts[0], contexts[1]);
        let what: Vec<_> = stores.running.iter().map(|store| (store.what.as_str(), store.product)).collect();
        assert_eq!(what, [("database mails", "MariaDB"), ("cache seen", "Redis")]);
        let (database, cache) = (&contexts[0].databases["mails"], &contexts[0].caches["seen"]);
        assert_eq!((database.host.as_str(), database.port), ("127.0.0.1", stores.running[0].address.port()));
        assert!(!cache.tls && stores.secrets.contains_key(cache.secret.as_ref().unwrap()));
        let secret: serde_json::Value = serde_json::from_str(stores.secrets[&database.secret].expose()).unwrap();
        assert_eq!(secret["username"], "worker");
        // In no argument of a process, and in no file.
        let password = secret["password"].as_str().unwrap();
        for store in &stores.running {
            let arguments = fs::read(format!("/proc/{}/cmdline", store.group.child.id().unwrap())).unwrap();
            assert!(!String::from_utf8_lossy(&arguments).contains(password), "{}", store.what);
        }
        let home = folder.path().join("databases/mails");
        assert!(!home.join("first.sql").exists());
        assert_eq!(fs::metadata(&home).unwrap().permissions().mode() & 0o077, 0);
        for store in stores.running {
            store.end().await;
        }
        // The next run has another password for the rows that are there.
        let mut contexts = [context(), context()];
        let stores = started(&mut contexts, folder.path()).await.unwrap();
        assert!(!stores.secrets[&contexts[0].databases["mails"].secret].expose().contains(password));
    }

    #[tokio::test]
    async fn a_server_that_ends_is_told_with_the_end_of_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut command = tool("/bin/sh");
        command.args(["-c", "echo starting; echo the port is taken; exit 1"]);
        logged(&mut command, &log).unwrap();
        let mut group = Group::start(&mut command).unwrap();
        let error = until("mariadbd", &mut group, async || false, &log).await.unwrap_err();
        assert_eq!(error.to_string(), "mariadbd has ended; its log ends with: the port is taken");
    }
}
