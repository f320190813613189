//! The whole pipeline before NetBox: `provision dev` with the real function, over a declaration of its own.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

const DECLARATION: &str = "
stack: netbox-test
region: eu-west-1
buckets: {mail: {}}
functions:
  maintenance:
    crate: handler
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
    pub(crate) code: Option<i32>,
    /// Each mail, as the summary tells it.
    pub(crate) mails: Vec<Value>,
    pub(crate) errors: String,
}

impl Pipeline {
    /// A pipeline that lets that domain vouch for what it sends.
    pub(crate) fn new(url: &str, token: &str, vouched: &str) -> Self {
        // Within the workspace, where Cargo finds the function.
        let runs = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/netbox-runs");
        std::fs::create_dir_all(&runs).unwrap();
        let folder = tempfile::tempdir_in(runs).unwrap();
        std::fs::write(folder.path().join("infra.yaml"), DECLARATION.replace("VOUCHED", vouched)).unwrap();
        Self { folder, url: url.to_owned(), token: token.to_owned(), authority: None }
    }

    /// The same, told in `NETBOX_CA` whom to trust besides the system's authorities.
    pub(crate) fn with_authority(self, pem: Option<&str>) -> Self {
        Self { authority: pem.map(str::to_owned), ..self }
    }

    /// Writes a mail that can be delivered.
    pub(crate) fn mail(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Delivers mails, one after the other, and waits until each has ended.
    pub(crate) fn deliver(&self, mails: &[PathBuf]) -> Delivered {
        self.start(mails, "0.05").end()
    }

    /// Starts to deliver mails; a failed one waits that many seconds.
    pub(crate) fn start(&self, mails: &[PathBuf], retry_delay: &str) -> Delivery {
        let child = Command::new(env!("CARGO_BIN_EXE_provision"))
            .env_remove("NETBOX_CA")
            .envs(self.authority.iter().map(|pem| ("NETBOX_CA", pem)))
            .args(["--json", "--file"])
            .arg(self.folder.path().join("infra.yaml"))
            .args(["dev", "--once", "--retry-delay", retry_delay, "--netbox", &self.url, "--deliver"])
            .args(mails)
            .env("NETBOX_TOKEN", &self.token)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Delivery { child }
    }
}

impl Delivery {
    pub(crate) fn end(self) -> Delivered {
        let output = self.child.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let document: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}\n{errors}"));
        let mails = document["mails"].as_array().unwrap_or_else(|| panic!("{document}\n{errors}")).clone();
        Delivered { code: output.status.code(), mails, errors }
    }
}
