//! Starts an emulator of AWS for one test: `tests/emulator/emulator.py` on a free port, empty.

use std::{
    fs,
    io::{ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

/// Account id of an empty emulator.
pub(crate) const ACCOUNT: &str = "123456789012";
/// Region of the emulator.
pub(crate) const REGION: &str = "eu-west-1";
/// Credentials of the account's root.
pub(crate) const CREDENTIALS: (&str, &str) = ("test", "test");

/// Time limit of a start, which takes half a second on an idle machine.
const LONGEST_START: Duration = Duration::from_mins(1);

/// A running emulator. It is killed together with its functions when it is dropped, and at the end of the test's process
/// however that comes.
pub(crate) struct Emulator {
    pub(crate) url: String,
    process: Child,
    /// Folder of its log, and of the functions' code.
    folder: TempDir,
}

/// A snapshot of an account, kept by the emulator that it was taken of.
pub(crate) struct Snapshot(String);

/// The emulator's check of permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Authorisation {
    /// Every caller may do everything.
    None,
    /// Signatures and policies are checked, those of the functions' roles too.
    Checked,
}

/// The double that answers for EC2 and RDS; ministack answers for all else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Servers {
    /// Ministack, with what `tests/emulator` adds to it.
    Ministack,
    /// Moto, as it comes.
    Moto,
}

impl Servers {
    /// Environment variable with which every test of a run has the other double: `moto`.
    const ASKED: &str = "PROVISION_EC2_AND_RDS";

    /// Returns the double of tests that ask for none.
    fn asked() -> Self {
        match std::env::var(Self::ASKED).as_deref() {
            Ok("moto") => Self::Moto,
            Ok("") | Err(_) => Self::Ministack,
            Ok(other) => panic!("{}: `{other}` is no double of EC2: it is `moto`, or nothing", Self::ASKED),
        }
    }
}

impl Emulator {
    /// Returns an empty account. Without a Python a test has nothing to do, and says so; with `emulator` in
    /// `PROVISION_REQUIRE` that is a failure.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(Authorisation::None)
    }

    pub(crate) fn start_with(authorisation: Authorisation) -> Option<Self> {
        Self::start_beside(Servers::asked(), authorisation)
    }

    /// Returns an empty account with a double of EC2 and RDS.
    pub(crate) fn start_beside(servers: Servers, authorisation: Authorisation) -> Option<Self> {
        let python = match install() {
            Ok(python) => python,
            Err(reason) => return absent(reason),
        };
        // Another process may take the port between its choice and its use.
        for _ in 0..5 {
            if let Some(emulator) = Self::launch(python, servers, authorisation) {
                return Some(emulator);
            }
        }
        panic!("the emulator does not start: its ports are taken again and again");
    }

    /// Starts the emulator; `None` if its port was taken.
    fn launch(python: &Path, servers: Servers, authorisation: Authorisation) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let url = format!("http://127.0.0.1:{port}");
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let process = Command::new(python)
            .arg(scripts().join("emulator.py"))
            .arg("--while-open")
            .env_clear()
            .envs([("PATH", "/usr/bin:/bin"), ("LANG", "C.UTF-8"), ("PYTHONDONTWRITEBYTECODE", "1")])
            .envs([("HOME", folder.path()), ("TMPDIR", folder.path())])
            .envs([("BIND_HOST", "127.0.0.1"), ("GATEWAY_PORT", &port.to_string()), ("AWS_ENDPOINT_URL", &url)])
            .envs([("MINISTACK_ACCOUNT_ID", ACCOUNT), ("MINISTACK_REGION", REGION), ("IOT_MTLS_ENABLED", "0")])
            // AWS's value; otherwise it depends on this machine's memory.
            .env("LAMBDA_ACCOUNT_CONCURRENCY", "1000")
            .env("AUTH", if authorisation == Authorisation::Checked { "true" } else { "false" })
            .envs((servers == Servers::Moto).then_some(("EC2_AND_RDS", "moto")))
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap();
        let mut emulator = Self { url, process, folder };
        let started = Instant::now();
        while !emulator.answers() {
            if let Some(status) = emulator.process.try_wait().unwrap() {
                let log = emulator.log();
                assert!(log.contains("is already in use"), "the emulator ended with {status}:\n{log}");
                return None;
            }
            assert!(started.elapsed() < LONGEST_START, "the emulator does not answer:\n{}", emulator.log());
            sleep(Duration::from_millis(10));
        }
        Some(emulator)
    }

    fn answers(&self) -> bool {
        let ask = || {
            let mut stream = TcpStream::connect(self.url.trim_start_matches("http://"))?;
            stream.write_all(b"GET /_ministack/health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
            let mut answer = [0; 12];
            stream.read_exact(&mut answer)?;
            Ok(answer.ends_with(b" 200"))
        };
        ask().unwrap_or_else(|error: std::io::Error| {
            let known = [ErrorKind::ConnectionRefused, ErrorKind::ConnectionReset, ErrorKind::UnexpectedEof];
            assert!(known.contains(&error.kind()), "{error}");
            false
        })
    }

    /// Deletes everything in the account.
    pub(crate) fn reset(&self) {
        self.post("/_ministack/reset");
    }

    /// Takes a snapshot of the account, once no function is being created or changed.
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot(self.post("/_ministack/snapshot"))
    }

    /// Restores the account to a snapshot, whatever was done to it since.
    pub(crate) fn restore(&self, snapshot: &Snapshot) {
        self.post(&format!("/_ministack/snapshot?restore={}", snapshot.0));
    }

    /// Makes a KMS key of that ARN, or gives it another state: `Enabled`, `Disabled`, `PendingDeletion`.
    pub(crate) fn key(&self, arn: &str, state: &str) {
        let id = arn.rsplit('/').next().unwrap();
        self.post(&format!("/_ministack/key?id={id}&state={state}"));
    }

    /// Sends a request of the emulator's own and returns the body of the answer.
    fn post(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://")).unwrap();
        write!(stream, "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "POST {path}: {answer}\n{}", self.log());
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    /// Returns its log so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Returns the environment variables with which a command uses the emulator.
    pub(crate) fn environment(url: &str) -> [(&'static str, String); 4] {
        [
            ("AWS_ENDPOINT_URL", url.to_owned()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", CREDENTIALS.0.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", CREDENTIALS.1.to_owned()),
        ]
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let group = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw);
        // It may have ended already: then there is nothing to kill, and nothing to do about the error.
        let _gone = group.map(|group| kill_process_group(group, Signal::KILL));
        let _gone = self.process.wait();
    }
}

/// Returns the Python that has the emulator, which is installed at its first use.
fn install() -> Result<&'static Path, &'static str> {
    static INSTALLED: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("emulator");
        let output = Command::new(scripts().join("start.sh"))
            .arg("--install")
            .env("EMULATOR_TEST_DIR", &folder)
            .output()
            .map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(folder.join("venv/bin/python"))
        } else {
            Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
        }
    });
    installed.as_deref().map_err(String::as_str)
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emulator")
}

fn absent<Any>(reason: &str) -> Option<Any> {
    let required = std::env::var("PROVISION_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|what| what.trim() == "emulator"), "there is no emulator of AWS: {reason}");
    #[expect(clippy::print_stdout, reason = "a test that is not run says so")]
    {
        println!("not run: there is no emulator of AWS: {reason}");
    }
    None
}
