//! MariaDB in the place of MySQL, with its rows in the state folder.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::Stdio,
};

use contract::{context::Database, secret::Secret};
use process::{Group, tool};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::{
    process::Command,
    time::{Instant, sleep, timeout},
};

use super::{
    END, NotServed, PAUSE, START, Store, Stores, free_address, logged, made, password, program, silent, until,
};
use crate::private;

/// Name of the server's program.
const SERVER: &str = "mariadbd";
/// Name of the program that makes its tables.
const INSTALL: &str = "mariadb-install-db";
/// Package of Debian that has both.
const PACKAGE: &str = "mariadb-server";
/// Words in its log when it has read its first statements.
const READY: &str = "ready for connections";

/// The settings that the programs of one database share.
struct Place {
    server: PathBuf,
    install: PathBuf,
    /// Folder of everything of this database.
    folder: PathBuf,
    /// Log of the program that runs.
    log: PathBuf,
}

impl Place {
    fn of(folder: &Path) -> Result<Self, NotServed> {
        let (server, install) = (program(SERVER, PACKAGE)?, program(INSTALL, PACKAGE)?);
        let folder = made(folder)?;
        let log = folder.join("log");
        Ok(Self { server, install, folder, log })
    }

    /// Returns the folder of its tables.
    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Returns the file with the process id of a server that runs.
    fn process_id(&self) -> PathBuf {
        self.folder.join("pid")
    }

    /// Returns a command for one of its programs.
    fn command(&self, program: &Path, data: &Path) -> Result<Command, NotServed> {
        let mut command = tool(program);
        // Root of the machine has to say that it means to run the server.
        let operator = rustix::process::getuid().is_root().then_some("--user=root");
        let folders = [option("datadir", data), option("tmpdir", &self.folder)];
        command.arg("--no-defaults").args(folders).args(operator).stdin(Stdio::null());
        logged(&mut command, &self.log)?;
        Ok(command)
    }

    /// Makes its tables, unless they are there: whole, or not at all.
    async fn install(&self) -> Result<(), NotServed> {
        if self.data().is_dir() {
            return Ok(());
        }
        let unfinished = self.folder.join("data.unfinished");
        match fs::remove_dir_all(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let mut command = self.command(&self.install, &unfinished)?;
        let mut group = Group::start(command.args(["--auth-root-authentication-method=normal", "--skip-test-db"]))?;
        let Ok(status) = timeout(START, group.child.wait()).await else {
            return Err(silent(INSTALL, "has made no tables in time", &self.log));
        };
        if !status?.success() {
            return Err(silent(INSTALL, "could not make its tables", &self.log));
        }
        Ok(fs::rename(unfinished, self.data())?)
    }

    /// Ends the server of a run that was killed: it holds the tables, and nobody else may use this folder meanwhile.
    async fn end_left(&self) -> io::Result<()> {
        let Some(left) = self.left() else { return Ok(()) };
        let begun = Instant::now();
        let mut signal = Signal::TERM;
        while self.left() == Some(left) {
            kill_process(left, signal)
                .or_else(|gone| if gone == rustix::io::Errno::SRCH { Ok(()) } else { Err(gone) })?;
            if begun.elapsed() > END {
                signal = Signal::KILL;
            }
            sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Returns the server that an earlier run left: its id is in the file, and its arguments name this folder.
    fn left(&self) -> Option<Pid> {
        let id: i32 = fs::read_to_string(self.process_id()).ok()?.trim().parse().ok()?;
        let arguments = fs::read(format!("/proc/{id}/cmdline")).ok()?;
        let own = option("datadir", &self.data());
        let is_own = arguments.split(|byte| *byte == 0).any(|argument| argument == own.as_encoded_bytes());
        is_own.then(|| Pid::from_raw(id)).flatten()
    }
}

impl Stores {
    /// Starts a database, and returns where it is.
    pub(super) async fn database(
        &mut self,
        what: &str,
        entry: &str,
        wanted: &Database,
        folder: &Path,
    ) -> Result<Database, NotServed> {
        let place = Place::of(folder)?;
        place.end_left().await?;
        place.install().await?;
        let (password, address) = (password()?, free_address()?);
        let first = place.folder.join("first.sql");
        let mut command = place.command(&place.server, &place.data())?;
        command
            .arg(format!("--port={}", address.port()))
            .arg(format!("--bind-address={}", address.ip()))
            // In its folder of data: the path of a socket has at most 107 bytes.
            .arg("--socket=socket")
            .arg(option("pid-file", &place.process_id()))
            .arg(option("init-file", &first))
            .args(["--skip-name-resolve", "--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=2"]);
        private::write(&first, statements(wanted, &password).into_bytes()).await?;
        let group = run(&mut command, &place.log).await;
        // It has the password, whether or not the server came up.
        fs::remove_file(first)?;
        self.running.push(Store { what: what.to_owned(), address, product: "MariaDB", group: group? });
        let secret = format!("local/databases/{entry}");
        let document = json!({"username": wanted.user, "password": password.expose()}).to_string();
        self.secrets.insert(secret.clone(), document.into());
        Ok(Database { host: address.ip().to_string(), port: address.port(), secret, ..wanted.clone() })
    }
}

/// Starts the server, and waits until it has read its first statements: it listens before that, and lets nobody in.
async fn run(command: &mut Command, log: &Path) -> Result<Group, NotServed> {
    let mut group = Group::start(command)?;
    let is_ready = async || fs::read_to_string(log).is_ok_and(|text| text.contains(READY));
    until(SERVER, &mut group, is_ready, log).await?;
    Ok(group)
}

fn option(name: &str, path: &Path) -> OsString {
    let mut option = OsString::from(format!("--{name}="));
    option.push(path);
    option
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
