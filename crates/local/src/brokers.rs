//! Kafka on this machine: tansu's broker where that program is installed, else the client's own one in this process. Both keep everything in
//! memory, speak neither TLS nor SASL, and end with the stack.

use std::{
    collections::BTreeMap,
    env, fmt,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use kafka::{Broker, Security, Wanted, ensure};
use process::{Group, tool};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};

/// Name of tansu's program.
const TANSU: &str = "tansu";
/// Time for the program to answer, and to have the topics.
const START: Duration = Duration::from_secs(15);
/// Interval between two attempts to reach it.
const LOOK: Duration = Duration::from_millis(20);

/// A running Kafka; dropping it ends it.
#[derive(Debug)]
pub enum Kafka {
    /// The client's own broker, which knows what our functions need of Kafka.
    InProcess(Broker),
    /// Tansu's broker, a program of its own.
    Tansu {
        /// Path of the program.
        program: PathBuf,
        /// Address of the brokers, `HOST:PORT`.
        bootstrap: String,
        /// Its process, which ends with this value.
        process: Box<Group>,
    },
}

impl Kafka {
    /// Starts Kafka with these topics and the number of partitions of each: as `tansu`, where the search path has it.
    pub async fn start(topics: &BTreeMap<String, u32>) -> Result<Self, String> {
        match installed(env::var_os("PATH").iter().flat_map(env::split_paths)) {
            Some(program) => Self::tansu(program, topics).await,
            None => Broker::start(topics).await.map(Self::InProcess),
        }
    }

    /// Returns its address, `HOST:PORT`.
    pub fn bootstrap(&self) -> &str {
        match self {
            Self::InProcess(broker) => broker.bootstrap(),
            Self::Tansu { bootstrap, .. } => bootstrap,
        }
    }

    /// Ends it, and returns when its process has ended.
    pub(crate) async fn end(self) {
        if let Self::Tansu { mut process, .. } = self {
            process.end().await;
        }
    }

    async fn tansu(program: PathBuf, topics: &BTreeMap<String, u32>) -> Result<Self, String> {
        let failed = |reason: String| format!("`{}`: {reason}", program.display());
        // A port that was free a moment ago: the program wants to be told one.
        let address = async { TcpListener::bind("127.0.0.1:0").await?.local_addr() };
        let address = address.await.map_err(|error| failed(error.to_string()))?;
        let listener = format!("tcp://{address}");
        let mut command = tool(&program);
        command.args(["broker", "--storage-engine", "memory://tansu/"]);
        command.args(["--listener-url", &listener, "--advertised-listener-url", &listener]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = Group::start(&mut command).map_err(|error| failed(error.to_string()))?;
        let end = Instant::now() + START;
        reach(address, &mut process, end).await.map_err(failed)?;
        let bootstrap = address.to_string();
        for (topic, partitions) in topics {
            let wanted = Wanted { partitions: *partitions, replication: Some(1) };
            let made = ensure((&bootstrap, topic), wanted, &Security::None, end).await;
            made.map_err(|error| failed(error.to_string()))?;
        }
        Ok(Self::Tansu { program, bootstrap, process: Box::new(process) })
    }
}

impl fmt::Display for Kafka {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InProcess(broker) => write!(formatter, "{}, in this process and in memory", broker.bootstrap()),
            Self::Tansu { program, bootstrap, .. } => {
                write!(formatter, "{bootstrap}, `{}`, in memory", program.display())
            }
        }
    }
}

/// Returns tansu's program; `None` if no folder has it.
fn installed(folders: impl Iterator<Item = PathBuf>) -> Option<PathBuf> {
    let is_program =
        |path: &Path| path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0);
    folders.map(|folder| folder.join(TANSU)).find(|path| path.is_absolute() && is_program(path))
}

/// Waits until a program listens.
async fn reach(address: SocketAddr, process: &mut Group, end: Instant) -> Result<(), String> {
    while TcpStream::connect(address).await.is_err() {
        if let Ok(Some(status)) = process.child.try_wait() {
            return Err(process::describe(status));
        }
        if Instant::now() >= end {
            return Err(format!("it does not listen on {address} within {} s", START.as_secs()));
        }
        sleep(LOOK).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn program(folder: &Path, text: &str, mode: u32) {
        let path = folder.join(TANSU);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn the_first_folder_with_the_program_counts() {
        let [none, page, there] = [(); 3].map(|()| tempfile::tempdir().unwrap());
        program(page.path(), "no program", 0o644);
        program(there.path(), "#!/bin/sh\n", 0o755);
        let folders = [none.path(), page.path(), there.path()].map(Path::to_owned);
        assert_eq!(installed(folders.into_iter()), Some(there.path().join(TANSU)));
        assert_eq!(installed([none.path().to_owned(), PathBuf::from(".")].into_iter()), None);
    }

    #[tokio::test]
    async fn a_program_that_ends_at_once_is_told() {
        let folder = tempfile::tempdir().unwrap();
        program(folder.path(), "#!/bin/sh\nexit 3\n", 0o755);
        let told = Kafka::tansu(folder.path().join(TANSU), &BTreeMap::new()).await.map(drop).unwrap_err();
        assert!(told.contains('3'), "{told}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_installed_program_has_the_topics() {
        let Some(program) = env::var_os("TANSU") else {
            println!("not run: `TANSU` names no program");
            return;
        };
        let topics = BTreeMap::from([("messages".to_owned(), 3)]);
        let kafka = Kafka::tansu(program.into(), &topics).await.unwrap();
        let wanted = Wanted { partitions: 1, replication: None };
        let there =
            ensure((kafka.bootstrap(), "messages"), wanted, &Security::None, Instant::now() + START).await.unwrap();
        assert_eq!(there.partitions, 3);
    }
}
