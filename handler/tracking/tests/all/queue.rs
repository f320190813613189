//! A queue of the emulator of AWS.

use std::{
    env,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// An emulator with a queue and its dead letters.
pub(crate) struct Queue {
    pub(crate) endpoint: String,
    pub(crate) url: String,
    pub(crate) dead_letters: String,
    process: Child,
    _folder: TempDir,
}

impl Queue {
    /// Starts the emulator that `tests/emulator/start.sh` installed; `None` if there is none, which is said.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(20)
    }

    /// Starts it with a queue that gives messages to the dead letters after so many receipts.
    pub(crate) fn start_with(receipts: u32) -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let python: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("emulator/venv/bin/python");
        if !python.exists() {
            println!("not run: no emulator of AWS is installed (`tests/emulator/start.sh --install`)");
            let required =
                env::var("PROVISION_REQUIRE").is_ok_and(|list| list.split(',').any(|word| word == "emulator"));
            assert!(!required, "PROVISION_REQUIRE names the emulator, and there is none");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let endpoint = format!("http://127.0.0.1:{port}");
        let process = Command::new(python)
            .arg(root.join("tests/emulator/emulator.py"))
            .arg("--while-open")
            .env_clear()
            .envs([("PATH", "/usr/bin:/bin"), ("LANG", "C.UTF-8"), ("PYTHONDONTWRITEBYTECODE", "1")])
            .envs([("HOME", folder.path()), ("TMPDIR", folder.path())])
            .envs([("BIND_HOST", "127.0.0.1"), ("GATEWAY_PORT", &port), ("AWS_ENDPOINT_URL", &endpoint)])
            .envs([
                ("MINISTACK_ACCOUNT_ID", "123456789012"),
                ("MINISTACK_REGION", "eu-west-1"),
                ("IOT_MTLS_ENABLED", "0"),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut queue = Self { endpoint, url: String::new(), dead_letters: String::new(), process, _folder: folder };
        let started = Instant::now();
        while TcpStream::connect(queue.endpoint.trim_start_matches("http://")).is_err() {
            assert!(started.elapsed() < Duration::from_mins(1), "the emulator does not answer");
            sleep(Duration::from_millis(50));
        }
        queue.dead_letters = queue.create("dead-letters", &json!({}));
        let redrive = json!({"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:123456789012:dead-letters", "maxReceiveCount": receipts});
        queue.url = queue.create("events", &json!({"VisibilityTimeout": "1", "RedrivePolicy": redrive.to_string()}));
        Some(queue)
    }

    fn create(&self, name: &str, attributes: &Value) -> String {
        let made = self.call("CreateQueue", &json!({"QueueName": name, "Attributes": attributes}));
        made["QueueUrl"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
    }

    pub(crate) fn send(&self, body: &str) {
        self.call("SendMessage", &json!({"QueueUrl": self.url, "MessageBody": body}));
    }

    /// Returns the number of messages in a queue, those that are being handled too.
    pub(crate) fn count(&self, url: &str) -> u32 {
        let names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
        let answer = self.call("GetQueueAttributes", &json!({"QueueUrl": url, "AttributeNames": names}));
        names.iter().map(|name| answer["Attributes"][name].as_str().unwrap().parse::<u32>().unwrap()).sum()
    }

    fn call(&self, action: &str, body: &Value) -> Value {
        self.call_of(&format!("AmazonSQS.{action}"), body)
    }

    /// Makes a call of a service whose calls are named by their target.
    pub(crate) fn call_of(&self, target: &str, body: &Value) -> Value {
        let mut stream = TcpStream::connect(self.endpoint.trim_start_matches("http://")).unwrap();
        let body = body.to_string();
        let service = if target.starts_with("AmazonSQS") { "sqs" } else { "secretsmanager" };
        let scope = format!("Credential=test/20270105/eu-west-1/{service}/aws4_request");
        write!(
            stream,
            "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/x-amz-json-1.0\r\n\
             X-Amz-Target: {target}\r\nAuthorization: AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200"), "{target}: {answer}");
        serde_json::from_str(body).unwrap_or_default()
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}
