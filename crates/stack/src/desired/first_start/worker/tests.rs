//! Tests what installs a worker and ships its lines, with stand-ins for the metadata of a machine and for the tools that reach AWS and
//! systemd.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use data_encoding::BASE64;
use kinds::server::{Worker, user_data};
use replaced::Replaced as _;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const CONTEXT: &str = r#"{"stack":"it's \"$HOME\" `x`","function":"tracking"}"#;

/// The metadata of a machine: the user data changes with what is in it.
fn metadata(user_data: &Arc<Mutex<String>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let user_data = Arc::clone(user_data);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = String::new();
            for line in BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty()) {
                head.push_str(&line.to_ascii_lowercase());
                head.push('\n');
            }
            let has_token = head.contains("x-aws-ec2-metadata-token: of-this-machine\n");
            let (status, body) = match head.lines().next().unwrap() {
                "put /latest/api/token http/1.1" => ("200 OK", "of-this-machine".to_owned()),
                "get /latest/user-data http/1.1" if has_token => ("200 OK", user_data.lock().unwrap().clone()),
                "get /latest/meta-data/instance-id http/1.1" if has_token => ("200 OK", "i-0a1b2c3d".to_owned()),
                _ => ("401 Unauthorized", String::new()),
            };
            write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
                .unwrap();
        }
    });
    address
}

/// A server with stand-ins.
struct Server {
    folder: TempDir,
    user_data: Arc<Mutex<String>>,
    metadata: String,
}

impl Server {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        let user_data = Arc::default();
        let server = Self { metadata: metadata(&user_data), folder, user_data };
        server.tool("systemctl", "echo \"systemctl $*\" >>\"$TRIAL/calls\"");
        // Gives the zip, as long as there is one.
        server.tool("aws", "echo \"aws $*\" >>\"$TRIAL/calls\"; for last; do :; done; cp \"$TRIAL/zip\" \"$last\"");
        server
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn tool(&self, name: &str, text: &str) {
        let file = self.at("bin").join(name);
        fs::write(&file, format!("#!/bin/bash\n{text}\n")).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Puts a build into the bucket, and returns the worker that has it.
    fn build(&self, says: &str) -> Worker {
        fs::write(self.at("bootstrap"), format!("#!/bin/sh\necho {says}\n")).unwrap();
        let zip = "import sys, zipfile; zipfile.ZipFile(sys.argv[1], 'w').write(sys.argv[2], 'bootstrap')";
        let zipped = Command::new("python3").args(["-c", zip]).args([self.at("zip"), self.at("bootstrap")]).status();
        assert!(zipped.unwrap().success());
        let hash = BASE64.encode(&Sha256::digest(fs::read(self.at("zip")).unwrap()));
        let told = [
            ("function", "tracking"),
            ("bucket", "artefacts"),
            ("key", "workers/0a.zip"),
            ("code_sha256", hash.as_str()),
            ("owner", "123456789012"),
            ("region", "eu-west-1"),
            ("queue", "https://sqs/q"),
            ("log_group", "/aws/lambda/tracking-tracking"),
            ("context", CONTEXT),
            ("environment.LINES", "a \\ b\nc \"d\""),
        ];
        told.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    /// Starts the machine with a worker in its user data.
    fn starts(&self, worker: &Worker) -> Output {
        *self.user_data.lock().unwrap() = user_data("#cloud-config\nruncmd: []\n", worker);
        fs::write(self.at("calls"), "").unwrap();
        let mut command = Command::new(python());
        command.arg(script("provision-worker-install")).env_clear();
        command.env("PATH", format!("{}:{}", self.at("bin").display(), env::var("PATH").unwrap()));
        command.env("TRIAL", self.folder.path()).env("ROOT", self.at("root")).env("METADATA", &self.metadata);
        command.output().unwrap()
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.at("calls")).unwrap()
    }

    /// Returns what the installed program says; empty if there is none.
    fn runs(&self) -> String {
        let program = self.at("root/opt/provision/worker/current/bootstrap");
        let said = Command::new(program).output().map(|output| output.stdout).unwrap_or_default();
        String::from_utf8(said).unwrap().trim().to_owned()
    }
}

/// Returns the Python that runs the scripts: this machine's, or the one that is named.
fn python() -> PathBuf {
    env::var_os("PROVISION_PYTHON").map_or_else(|| "/usr/bin/python3".into(), PathBuf::from)
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/desired/first_start/worker").join(name)
}

const UNITS: &str = "provision-worker.service provision-worker-log.service\n";

#[track_caller]
fn succeeded(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_worker_is_installed_once_and_a_new_build_takes_its_place_at_the_next_start() {
    let server = Server::new();
    let first = server.build("first");
    succeeded(&server.starts(&first));
    let calls = server.calls();
    let fetches = "aws s3api get-object --region eu-west-1 --bucket artefacts --key workers/0a.zip --expected-bucket-owner 123456789012 ";
    assert!(calls.starts_with(fetches), "{calls}");
    assert!(calls.ends_with(&format!("systemctl restart --no-block {UNITS}")), "{calls}");
    assert_eq!(server.runs(), "first");
    // A shell reads what is in double quotes as systemd does.
    let environment = server.at("root/opt/provision/worker/current/environment");
    assert_eq!(fs::metadata(&environment).unwrap().permissions().mode() & 0o777, 0o600);
    let read = format!(
        ". '{}'; printf '%s|' \"$AWS_REGION\" \"$PROVISION_QUEUE\" \"$PROVISION_CONTEXT\" \"$PROVISION_LOG_GROUP\" \"$PROVISION_LOG_STREAM\" \"$LINES\"",
        environment.display()
    );
    let read = Command::new("bash").args(["-c", &read]).output().unwrap();
    let expected =
        format!("eu-west-1|https://sqs/q|{CONTEXT}|/aws/lambda/tracking-tracking|i-0a1b2c3d|a \\ b\nc \"d\"|");
    assert_eq!(String::from_utf8(read.stdout).unwrap(), expected);
    // The same once more fetches nothing.
    succeeded(&server.starts(&first));
    assert_eq!(server.calls(), format!("systemctl start --no-block {UNITS}"));

    for (build, kept) in [("second", 3), ("third", 3)] {
        let worker = server.build(build);
        succeeded(&server.starts(&worker));
        assert_eq!(server.runs(), build);
        // The build of before stays, and none before that one.
        assert_eq!(fs::read_dir(server.at("root/opt/provision/worker")).unwrap().count(), kept);
    }
    // Other settings alone are another worker, too.
    let mut other = server.build("third");
    other.insert("queue".to_owned(), "https://sqs/r".to_owned());
    succeeded(&server.starts(&other));
    assert!(fs::read_to_string(&environment).unwrap().contains("PROVISION_QUEUE=\"https://sqs/r\""));

    // A server that is told no worker any more starts none.
    succeeded(&server.starts(&Worker::new()));
    assert_eq!(server.calls(), format!("systemctl stop {UNITS}"));
}

#[test]
fn what_cannot_be_had_or_has_another_hash_is_not_installed_and_the_build_of_before_runs() {
    for has_build in [false, true] {
        let server = Server::new();
        if has_build {
            let first = server.build("first");
            succeeded(&server.starts(&first));
        }
        let sound = server.build("second");
        let with = |name: &str, value: &str| {
            let mut worker = sound.clone();
            worker.insert(name.to_owned(), value.to_owned());
            worker
        };
        let without = |name: &str| {
            let mut worker = sound.clone();
            worker.remove(name);
            worker
        };
        let other = BASE64.encode(&[7; 32]);
        let faults = [
            ("has another hash than the user data tells", with("code_sha256", &other)),
            ("has another hash", with("code_sha256", "")),
            ("code_sha256", without("code_sha256")),
            ("queue", without("queue")),
            ("context", without("context")),
        ];
        let fails = |said: &str, worker: &Worker| {
            let output = server.starts(worker);
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success() && told.contains(said), "{said}: {told}");
            let started = format!("systemctl start --no-block {UNITS}");
            let calls = server.calls();
            let calls: Vec<&str> = calls.lines().filter(|call| call.starts_with("systemctl")).collect();
            assert_eq!(calls, started.lines().filter(|_| has_build).collect::<Vec<_>>(), "{said}");
            assert_eq!(server.runs(), if has_build { "first" } else { "" }, "{said}");
        };
        for (said, worker) in &faults {
            fails(said, worker);
        }
        // The bucket is away; then it is there again.
        fs::rename(server.at("zip"), server.at("away")).unwrap();
        fails("get-object", &sound);
        fs::rename(server.at("away"), server.at("zip")).unwrap();
        succeeded(&server.starts(&sound));
        assert_eq!(server.runs(), "second");
    }
}

/// The journal and CloudWatch Logs of a server.
struct Logs {
    server: Server,
}

impl Logs {
    fn new(entries: &[Value]) -> Self {
        let server = Server::new();
        fs::create_dir(server.at("state")).unwrap();
        // Prints what is behind the cursor, which is the number of a line.
        server.tool(
            "journalctl",
            "behind=0; while [ $# -gt 0 ]; do [ \"$1\" = --after-cursor ] && behind=$2; shift; done; tail -n +$((behind + 1)) \"$TRIAL/journal\"",
        );
        server.tool(
            "aws",
            "file=\"${*: -1}\"; echo \"$2\" >>\"$TRIAL/calls\"; [ \"$2\" = create-log-stream ] && { touch \"$TRIAL/stream\"; exit; }\n\
             [ -e \"$TRIAL/stream\" ] || { echo 'An error occurred (ResourceNotFoundException): no stream' >&2; exit 254; }\n\
             [ ! -e \"$TRIAL/away\" ] || { echo throttled >&2; exit 254; }\n\
             cat \"${file#file://}\" >>\"$TRIAL/taken\"; echo >>\"$TRIAL/taken\"",
        );
        fs::write(server.at("calls"), "").unwrap();
        let logs = Self { server };
        logs.add(entries);
        logs
    }

    fn add(&self, entries: &[Value]) {
        let before = fs::read_to_string(self.server.at("journal")).unwrap_or_default();
        let mut journal = before.clone();
        for (number, entry) in (before.lines().count() + 1..).zip(entries) {
            let mut entry = entry.clone();
            entry["__CURSOR"] = json!(number.to_string());
            journal.push_str(&entry.to_string());
            journal.push('\n');
        }
        fs::write(self.server.at("journal"), journal).unwrap();
    }

    /// Runs the script until `done`, then ends it as systemd does. Returns what it said.
    fn ships(&self, done: impl Fn() -> bool) -> String {
        let mut command = Command::new(python());
        command.arg(script("provision-worker-log")).env_clear();
        command.env("PATH", format!("{}:{}", self.server.at("bin").display(), env::var("PATH").unwrap()));
        command.env("TRIAL", self.server.folder.path()).env("STATE_DIRECTORY", self.server.at("state"));
        command.env("PROVISION_LOG_GROUP", "group").env("PROVISION_LOG_STREAM", "i-0a").env("PAUSE", "0.1");
        let said = fs::File::create(self.server.at("said")).unwrap();
        let mut running = command.stderr(said).spawn().unwrap();
        let until = Instant::now() + Duration::from_mins(1);
        while !done() && Instant::now() < until {
            thread::sleep(Duration::from_millis(50));
        }
        let ended = Command::new("kill").arg(running.id().to_string()).status().unwrap();
        assert!(ended.success() && running.wait().unwrap().success());
        fs::read_to_string(self.server.at("said")).unwrap()
    }

    /// Returns the calls that were taken, each with its messages.
    fn taken(&self) -> Vec<Vec<(u64, String)>> {
        let text = fs::read_to_string(self.server.at("taken")).unwrap_or_default();
        let call = |line: &str| {
            let call: Value = serde_json::from_str(line).unwrap();
            assert_eq!((&call["logGroupName"], &call["logStreamName"]), (&json!("group"), &json!("i-0a")));
            let events = call["logEvents"].as_array().unwrap().iter();
            events
                .map(|one| (one["timestamp"].as_u64().unwrap(), one["message"].as_str().unwrap().to_owned()))
                .collect()
        };
        text.lines().map(call).collect()
    }

    fn cursor(&self) -> String {
        fs::read_to_string(self.server.at("state/cursor")).unwrap_or_default()
    }
}

fn entry(milliseconds: u64, message: &Value) -> Value {
    json!({"__REALTIME_TIMESTAMP": (milliseconds * 1000).to_string(), "MESSAGE": message})
}

#[test]
fn every_line_is_shipped_and_the_place_moves_on_only_then() {
    let logs = Logs::new(&[
        entry(1_000_002, &json!("{\"message\":\"two\"}")),
        entry(1_000_001, &json!("one")),
        entry(1_000_003, &json!("")),
        entry(1_000_004, &Value::Null),
        entry(1_000_005, &json!([0xff, 0x62, 0x0a])),
    ]);
    let at = |name: &str| logs.server.at(name);
    // Nothing is taken: the place stays, and the reason is told.
    fs::write(at("away"), "").unwrap();
    let said = logs.ships(|| fs::read_to_string(at("calls")).unwrap().matches("put-log-events").count() > 3);
    assert!(said.contains("throttled"), "{said}");
    assert_eq!((logs.cursor().as_str(), logs.taken().len()), ("", 0));
    fs::remove_file(at("away")).unwrap();
    logs.ships(|| logs.cursor() == "5");
    let expected: Vec<(u64, String)> =
        [(1_000_001, "one"), (1_000_002, "{\"message\":\"two\"}"), (1_000_005, "\u{fffd}b")]
            .map(|(time, text)| (time, text.to_owned()))
            .into();
    assert_eq!(logs.taken(), std::slice::from_ref(&expected));
    // What comes later is shipped alone, by another run, too.
    logs.add(&[entry(1_000_006, &json!("three"))]);
    logs.ships(|| logs.cursor() == "6");
    assert_eq!(logs.taken(), [expected, vec![(1_000_006, "three".to_owned())]]);
}

#[test]
fn each_call_keeps_to_the_limits_of_cloudwatch_logs() {
    const DAY: u64 = 24 * 3600 * 1000;
    let large = "x".repeat(300_000);
    let mut entries: Vec<Value> = (0..10_001).map(|number| entry(number + 1, &json!("a"))).collect();
    entries.extend((0..5).map(|number| entry(20_000 + number, &json!(large))));
    entries.push(entry(20_000 + DAY, &json!("tomorrow")));
    let logs = Logs::new(&entries);
    logs.ships(|| logs.cursor() == entries.len().to_string());
    let taken = logs.taken();
    assert_eq!(taken.iter().map(Vec::len).sum::<usize>(), entries.len());
    for call in &taken {
        let size: usize = call.iter().map(|(_, message)| message.len() + 26).sum();
        assert!(call.len() <= 10_000 && size <= 1_048_576, "{} {size}", call.len());
        assert!(call.iter().all(|(_, message)| message.len() <= 256 * 1024 - 26));
        assert!(call.is_sorted_by_key(|(time, _)| *time) && call[call.len() - 1].0 - call[0].0 < DAY);
    }
}

#[test]
fn the_unit_of_the_worker_is_confined() {
    let folder = tempfile::tempdir().unwrap();
    let unit = fs::read_to_string(script("provision-worker.service")).unwrap();
    // The program is not on this machine.
    let file = folder.path().join("provision-worker.service");
    let program = "/opt/provision/worker/current/bootstrap";
    assert!(unit.contains(program));
    fs::write(&file, unit.replaced(program, "/bin/true")).unwrap();
    // Exposure from 0 to 100: a unit that says nothing has 96.
    let security = ["security", "--offline=true", "--no-pager", "--threshold=15", file.to_str().unwrap()];
    super::super::tests::tool("systemd-analyze", &security);
}
