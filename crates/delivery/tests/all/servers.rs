//! MariaDB (or MySQL) and Redis, each a process with a folder of its own. Killed when it is dropped.

#![expect(dead_code, reason = "each of two test programs uses a part of it")]

use std::{
    env, fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use delivery::{Database, Location};
use tempfile::TempDir;

/// Name of the database of the tests.
const NAME: &str = "mails";
/// User and password of the tests.
const USER: (&str, &str) = ("app", "s3cret-of-a-test");
/// Leaves flushing to the operating system: writes outlive the process but not the machine, which no test switches off, and disks of busy
/// machines take seconds to flush.
const UNSYNCED: &str = "--innodb-flush-method=nosync";
/// Longest start, on a busy machine.
const START: Duration = Duration::from_mins(2);

/// Returns the program of that name, from Debian; `None` if it is not installed, which is said, and is a failure if `PROVISION_REQUIRE` names
/// it as `what`.
fn program(name: &str, what: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/bin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
    if found.is_none() {
        println!("not run: `{name}` is not installed (Debian: `apt-get install mariadb-server redis-server`)");
        let is_required = env::var("PROVISION_REQUIRE").is_ok_and(|list| list.split(',').any(|word| word == what));
        assert!(!is_required, "PROVISION_REQUIRE names `{what}`, and `{name}` is not installed");
    }
    found
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A running server of a database or cache, with a folder of its own.
struct Server {
    folder: TempDir,
    port: u16,
    command: Vec<String>,
    process: Option<Child>,
}

impl Server {
    fn start(&mut self) {
        let log = fs::File::create(self.folder.path().join("log")).unwrap();
        let (program, arguments) = self.command.split_first().unwrap();
        let process = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.process = Some(process);
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.process.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none() && started.elapsed() < START, "{ended:?}: {}", self.log());
            sleep(Duration::from_millis(20));
        }
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    fn restart(&mut self, away: Duration) {
        self.kill();
        sleep(away);
        self.start();
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A server of MySQL's kind with an empty database: Debian's MariaDB, or the MySQL whose `mysqld` stands in `PROVISION_MYSQLD`.
pub(crate) struct MySql(Server);

/// The servers that speak MySQL's protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Make {
    MariaDb,
    /// MySQL itself, whose users sign in by `caching_sha2_password`.
    MySql,
}

impl Make {
    /// Returns the program of a server, and which it is; `None` if none is installed.
    fn find() -> Option<(Self, PathBuf)> {
        match env::var_os("PROVISION_MYSQLD") {
            Some(path) => Some((Self::MySql, path.into())),
            None => Some((Self::MariaDb, program("mariadbd", "mariadb")?)),
        }
    }

    /// Returns the command that makes a server's own tables in a folder of data; `None` if its program is not installed.
    fn install(self, server: &Path) -> Option<Command> {
        let mut command = match self {
            Self::MySql => Command::new(server),
            Self::MariaDb => Command::new(program("mariadb-install-db", "mariadb")?),
        };
        command.arg("--no-defaults");
        match self {
            Self::MySql => command.arg("--initialize-insecure"),
            Self::MariaDb => command.args(["--auth-root-authentication-method=normal", "--skip-test-db"]),
        };
        Some(command)
    }

    /// Returns the options without which a server would use folders and ports of the system's.
    fn options(self) -> &'static [&'static str] {
        match self {
            Self::MariaDb => &[],
            Self::MySql => &["--secure-file-priv=NULL", "--mysqlx=OFF"],
        }
    }

    /// Returns the right to end the connections of others, in the server's words.
    fn administration(self) -> &'static str {
        match self {
            Self::MariaDb => "CONNECTION ADMIN",
            Self::MySql => "CONNECTION_ADMIN",
        }
    }
}

impl MySql {
    /// Starts a server; `None` if none is installed.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts a server with further options.
    pub(crate) fn start_with(options: &[String]) -> Option<Self> {
        let (make, server) = Make::find()?;
        let mut install = make.install(&server)?;
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let user = format!("--user={}", Self::operator());
        let installed = install
            .arg(&user)
            .arg(format!("--datadir={}", data.display()))
            // Two installations at once would use the same names in the system's.
            .arg(format!("--tmpdir={}", folder.path().display()))
            .arg(UNSYNCED)
            .output()
            .unwrap();
        assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
        let first = folder.path().join("first.sql");
        let (name, password) = USER;
        // One statement a line: the server reads them so.
        let statements = [
            format!("CREATE DATABASE {NAME} CHARACTER SET utf8mb4;"),
            format!("CREATE USER '{name}'@'127.0.0.1' IDENTIFIED BY '{password}';"),
            format!("GRANT ALL ON {NAME}.* TO '{name}'@'127.0.0.1';"),
            // To look at deadlocks, and to end connections.
            format!("GRANT PROCESS, {} ON *.* TO '{name}'@'127.0.0.1';", make.administration()),
        ]
        .join("\n");
        fs::write(&first, statements).unwrap();
        let port = free_port();
        let mut command = vec![server.display().to_string(), "--no-defaults".to_owned(), user];
        command.extend([
            format!("--datadir={}", data.display()),
            format!("--socket={}", folder.path().join("socket").display()),
            format!("--pid-file={}", folder.path().join("pid").display()),
            format!("--tmpdir={}", folder.path().display()),
            format!("--port={port}"),
            "--bind-address=127.0.0.1".to_owned(),
            "--skip-name-resolve".to_owned(),
            "--innodb-buffer-pool-size=64M".to_owned(),
            UNSYNCED.to_owned(),
        ]);
        command.extend(make.options().iter().map(|option| (*option).to_owned()));
        command.extend_from_slice(options);
        let mut server = Server { folder, port, command, process: None };
        server.command.push(format!("--init-file={}", first.display()));
        server.start();
        // What makes the database must not be done again.
        server.command.pop();
        Some(Self(server))
    }

    /// Returns the user whom the server runs as.
    fn operator() -> String {
        let whole = Command::new("id").arg("-un").output().unwrap();
        String::from_utf8(whole.stdout).unwrap().trim().to_owned()
    }

    pub(crate) fn url(&self) -> String {
        let (user, password) = USER;
        format!("mysql://{user}:{password}@127.0.0.1:{}/{NAME}", self.0.port)
    }

    pub(crate) fn database(&self) -> Database {
        Database::new(Location::read(&self.url(), None).unwrap())
    }

    /// Kills the server as a failing machine does, and starts it again.
    pub(crate) fn restart(&mut self, away: Duration) {
        self.0.restart(away);
    }

    /// Kills the server's process (`SIGKILL`).
    pub(crate) fn kill(&mut self) {
        self.0.kill();
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.folder.path()
    }

    /// Returns a plain connection, for what the tests look at.
    pub(crate) async fn connection(&self) -> mysql_async::Conn {
        mysql_async::Conn::from_url(format!("{}?prefer_socket=false", self.url())).await.unwrap()
    }
}

/// A Redis that keeps nothing on a disk: a restart loses everything.
pub(crate) struct Redis(Server);

impl Redis {
    /// Starts a server; `None` if none is installed.
    pub(crate) fn start() -> Option<Self> {
        let program = program("redis-server", "redis")?;
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let words = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--requirepass", USER.1];
        let mut command = vec![program.display().to_string(), "--port".to_owned(), port.to_string()];
        command.extend(words.map(str::to_owned));
        command.extend(["--dir".to_owned(), folder.path().display().to_string()]);
        let mut server = Server { folder, port, command, process: None };
        server.start();
        Some(Self(server))
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://:{}@127.0.0.1:{}", USER.1, self.0.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.port
    }

    pub(crate) fn restart(&mut self, away: Duration) {
        self.0.restart(away);
    }

    pub(crate) fn kill(&mut self) {
        self.0.kill();
    }
}
