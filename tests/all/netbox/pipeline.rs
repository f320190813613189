//! Runs the whole pipeline before NetBox: `provision dev` with the real function, over a declaration of its own. The function is built
//! once.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        mpsc::{Receiver, channel},
    },
    thread,
    time::Duration,
};

use serde_json::Value;

use super::server::NetBox;
use crate::harness::replaced;

const DECLARATION: &str = "
stack: netbox-test
region: eu-west-1
buckets: {mail: {}}
functions:
  maintenance:
    crate: maintenance
    bin: maintenance
    memory: 256MB
    timeout: 60s
    reads: [mail]
    on_failure: failed
    environment: {SINK: lines, TRUSTED_SENDERS: \"VOUCHED\", FORWARDERS: \"VOUCHED\"}
    secrets: {NETBOX_TOKEN: netbox/token}
queues: {failed: {}}
receipt_rules:
  - {name: all, actions: [{store: mail, prefix: inbound/}, {invoke: maintenance}]}
";

/// Time limit of a mail, after which its test fails.
const PATIENCE: Duration = Duration::from_mins(3);

/// A pipeline that delivers to a NetBox.
pub(crate) struct Pipeline {
    folder: tempfile::TempDir,
    url: String,
    token: String,
    authority: Option<String>,
}

/// A delivery that is under way.
pub(crate) struct Delivery {
    child: Child,
}

/// A delivery that has ended.
pub(crate) struct Delivered {
    /// Entry of each mail in the summary.
    pub(crate) mails: Vec<Value>,
}

/// A pipeline that waits for mails; it ends with its test.
pub(crate) struct Live {
    child: Child,
    port: u16,
    output: Receiver<String>,
    mails: usize,
}

impl Pipeline {
    /// Returns a pipeline that lets those domains vouch for what they send, separated by commas.
    pub(crate) fn new(url: &str, token: &str, vouched: &str) -> Self {
        let folder = tempfile::tempdir_in(runs()).unwrap();
        let vouched: Vec<_> = vouched.split(',').map(|domain| format!("{domain}=*")).collect();
        fs::write(folder.path().join("infra.yaml"), replaced(DECLARATION, &[("VOUCHED", &vouched.join(","))])).unwrap();
        Self { folder, url: url.to_owned(), token: token.to_owned(), authority: None }
    }

    /// Returns a pipeline that delivers to this NetBox by way of a proxy, and that keeps what the plugin does not take.
    pub(crate) fn before(netbox: &NetBox, proxy: &str, vouched: &str) -> Self {
        let pipeline = Self::new(proxy, netbox.token(""), vouched);
        if netbox.has_queue() { pipeline } else { pipeline.with_unmatched() }
    }

    /// Adds a place in its bucket for mails that the plugin does not take.
    fn with_unmatched(self) -> Self {
        let writes = "reads: [mail]\n    writes: [{bucket: mail, prefix: unmatched/}]";
        self.with(&[("reads: [mail]", writes)])
    }

    /// Lets the function delete mails.
    pub(crate) fn with_deletion(self) -> Self {
        let deletes = "reads: [mail]\n    deletes: [{bucket: mail, prefix: inbound/}]";
        let switches = "{SINK: lines, DELETE_PROCESSED_MAIL: \"true\", DELETE_UNKNOWN_MAIL: \"true\",";
        self.with(&[("reads: [mail]", deletes), ("{SINK: lines,", switches)])
    }

    /// Names the custom field with other names of circuits.
    pub(crate) fn with_aliases(self, field: &str) -> Self {
        self.with(&[("{SINK: lines,", &format!("{{SINK: lines, NETBOX_CIRCUIT_ALIASES: {field},"))])
    }

    /// Sets the seconds that the function may run.
    pub(crate) fn with_timeout(self, seconds: u64) -> Self {
        self.with(&[("timeout: 60s", &format!("timeout: {seconds}s"))])
    }

    /// Changes texts of its declaration.
    fn with(self, changes: &[(&str, &str)]) -> Self {
        let file = self.folder.path().join("infra.yaml");
        fs::write(&file, replaced(&fs::read_to_string(&file).unwrap(), changes)).unwrap();
        self
    }

    /// Sets `NETBOX_CA`, the authorities to trust besides the system's.
    pub(crate) fn with_authority(self, pem: Option<&str>) -> Self {
        Self { authority: pem.map(str::to_owned), ..self }
    }

    /// Writes a mail that can be delivered.
    pub(crate) fn mail(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Delivers mails, one after the other, and waits until each has ended.
    pub(crate) fn deliver(&self, mails: &[PathBuf]) -> Delivered {
        self.start(mails, "0.05").end()
    }

    /// Starts to deliver mails; a failed one is retried after that many seconds.
    pub(crate) fn start(&self, mails: &[PathBuf], retry_delay: &str) -> Delivery {
        let mut command = self.command(&["--json"], retry_delay);
        Delivery { child: command.args(["--once", "--deliver"]).args(mails).spawn().unwrap() }
    }

    /// Starts to wait for mails.
    pub(crate) fn live(&self) -> Live {
        let mut child = self.command(&[], "0.05").args(["--smtp-port", "0"]).spawn().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut said = String::new();
        let announced = errors.find(|line| {
            said += line;
            said.push('\n');
            line.contains("SMTP 127.0.0.1:")
        });
        let announced = announced.unwrap_or_else(|| panic!("it does not start:\n{said}"));
        let port = announced.split("127.0.0.1:").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
        thread::spawn(move || errors.for_each(drop));
        let (sender, output) = channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        thread::spawn(move || lines.map(|line| sender.send(line)).take_while(Result::is_ok).for_each(drop));
        Live { child, port, output, mails: 0 }
    }

    fn command(&self, options: &[&str], retry_delay: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
        command
            .env("CARGO", built())
            .env_remove("NETBOX_CA")
            .envs(self.authority.iter().map(|pem| ("NETBOX_CA", pem)))
            .args(options)
            .arg("--file")
            .arg(self.folder.path().join("infra.yaml"))
            .args(["dev", "--retry-delay", retry_delay, "--netbox", &self.url])
            .env("NETBOX_TOKEN", &self.token)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

impl Delivery {
    pub(crate) fn end(self) -> Delivered {
        let output = self.child.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let document: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}\n{errors}"));
        let mails = document["mails"].as_array().unwrap_or_else(|| panic!("{document}\n{errors}")).clone();
        Delivered { mails }
    }
}

impl Live {
    /// Sends a mail and waits until it has ended; returns the lines about its outcome.
    pub(crate) fn deliver(&mut self, mail: &[u8]) -> String {
        self.mails += 1;
        send(self.port, mail);
        let label = format!("#{} ", self.mails);
        let mut told = String::new();
        loop {
            let line = self.output.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{error}:\n{told}"));
            let Some(line) = line.strip_prefix(&label) else { continue };
            told += line;
            told.push('\n');
            if line.starts_with("done ") || line.starts_with("failed ") {
                return told;
            }
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // When it is asked to end, it ends the function as well.
        let _it_has_ended = Command::new("kill").arg("-INT").arg(self.child.id().to_string()).status();
        let _it_is_reaped = self.child.wait();
    }
}

/// Sends a mail by SMTP.
fn send(port: u16, mail: &[u8]) {
    let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", port)).unwrap());
    let mut text = Vec::new();
    for line in mail.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        text.extend_from_slice(if line.starts_with(b".") { b"." } else { b"" });
        text.extend_from_slice(line);
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b".\r\n");
    let says: [&[u8]; 6] = [
        b"",
        b"EHLO localhost\r\n",
        b"MAIL FROM:<bounces@carrier.example>\r\n",
        b"RCPT TO:<maintenance@example.com>\r\n",
        b"DATA\r\n",
        &text,
    ];
    for words in says {
        stream.get_mut().write_all(words).unwrap();
        let mut answer = String::new();
        while answer.as_bytes().get(3) != Some(&b' ') {
            answer.clear();
            assert!(stream.read_line(&mut answer).unwrap() > 0, "SMTP ended");
        }
        assert!(answer.starts_with(['2', '3']), "SMTP answers {answer}");
    }
}

/// Returns a folder within the workspace, where Cargo finds the function.
fn runs() -> PathBuf {
    let runs = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/netbox-runs");
    fs::create_dir_all(&runs).unwrap();
    runs
}

/// Builds the function, once for all tests; returns a program to run in Cargo's place, which repeats Cargo's messages.
fn built() -> &'static Path {
    static BUILT: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_folder, program) = BUILT.get_or_init(|| {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // With the options of `provision dev`, so that neither has to rebuild the other's output.
        let of_a_package = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        for (name, _) in std::env::vars().filter(|(name, _)| of_a_package(name)) {
            command.env_remove(name);
        }
        let mut child = command
            .args(["build", "--package", "maintenance", "--bin", "maintenance", "--profile", "dev", "--locked"])
            .args(["--message-format", "json-render-diagnostics"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = Vec::new();
        child.stdout.take().unwrap().read_to_end(&mut said).unwrap();
        assert!(child.wait().unwrap().success(), "the function cannot be built");
        let folder = tempfile::tempdir_in(runs()).unwrap();
        let program = folder.path().join("cargo.sh");
        fs::write(folder.path().join("said"), said).unwrap();
        fs::write(&program, "#!/bin/sh\nexec cat \"${0%/*}/said\"\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        (folder, program)
    });
    program
}
