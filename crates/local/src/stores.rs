//! Databases and caches that functions sign in to: MariaDB in the place of MySQL, and Redis, each a process of the run that listens on
//! 127.0.0.1 alone. They are those of the machine (Debian: `mariadb-server`, `redis-server`), and are started where a function names one.
//!
//! A database keeps its rows in the state folder; a cache keeps nothing. Passwords are made at every start, and stand in no argument and
//! no environment: functions read them as they read them in AWS, from Secrets Manager.

mod cache;
mod database;

use std::{
    collections::BTreeMap,
    env, fs, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    time::Duration,
};

use contract::{context::Context, secret::Secret};
use data_encoding::HEXLOWER;
use process::Group;
use tokio::time::{Instant, sleep};

use crate::private;

/// Folders of programs of servers, besides those in `PATH`.
const FOLDERS: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];
/// Longest start of a server, on a busy machine.
const START: Duration = Duration::from_mins(1);
/// Pause before it is looked again whether a server listens.
const PAUSE: Duration = Duration::from_millis(50);
/// Longest end of a server that was asked to end: a database writes what it has in memory.
const END: Duration = Duration::from_secs(10);
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
        /// Fault of the program, in words that follow its name.
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
    /// Ends its process and the processes that it started.
    pub(crate) async fn end(mut self) {
        self.group.end_within(END).await;
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

/// Makes the folder of a store, and the one above it; returns its whole path, as MariaDB takes a part of one for something else.
fn made(folder: &Path) -> io::Result<PathBuf> {
    folder.parent().map(private::make).transpose()?;
    fs::canonicalize(private::make(folder)?)
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
mod tests;
