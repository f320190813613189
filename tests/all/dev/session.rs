//! Runs `provision dev` over a declaration of its own, once or until it is ended.

use std::{
    fmt,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

/// Time limit of a run, after which its test fails.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) const DECLARATION: &str = "
stack: standin
region: eu-west-1
buckets:
  mail: {}
functions:
  reader:
    crate: standin
    bin: standin
    memory: 128MB
    timeout: 20s
    reads: [mail]
    on_failure: failed
    environment: {GREETING: hello}
    secrets: {GREETING_TOKEN: greeting/token}
queues:
  failed: {retention: 14d}
receipt_rules:
  - name: reader
    recipients: [noc@example.com]
    actions: [{store: mail, prefix: inbound/}, {invoke: reader}]
";

/// Returns a mail whose subject tells the function what to do.
pub(crate) fn mail(subject: &str) -> String {
    format!("From: NOC <noc@carrier.example>\nTo: noc@example.com\nSubject: {subject}\n\nbody\n")
}

/// A run to be started: a folder with a declaration, mails and a state folder.
pub(crate) struct Run {
    folder: tempfile::TempDir,
    declaration: String,
    variables: Vec<(String, String)>,
    keeps_state: bool,
}

/// The output of a run, with its folders' names replaced.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) output: String,
    pub(crate) errors: String,
    /// Folder of the run, kept so that a test can look at what was stored.
    pub(crate) folder: tempfile::TempDir,
}

impl Run {
    pub(crate) fn new() -> Self {
        // Below the function's crate, so that Cargo finds it from the declaration's folder.
        let runs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/standin/target/runs");
        std::fs::create_dir_all(&runs).unwrap();
        let folder = tempfile::tempdir_in(runs).unwrap();
        std::fs::create_dir(folder.path().join("mails")).unwrap();
        Self { folder, declaration: DECLARATION.to_owned(), variables: Vec::new(), keeps_state: true }
    }

    /// Returns a run of another declaration.
    pub(crate) fn of(declaration: &str) -> Self {
        Self::new().declaring(declaration)
    }

    /// Returns the run with another declaration.
    pub(crate) fn declaring(self, declaration: &str) -> Self {
        Self { declaration: declaration.to_owned(), ..self }
    }

    /// Returns a run in the folder of an earlier one.
    pub(crate) fn within(folder: tempfile::TempDir) -> Self {
        Self { folder, ..Self::new() }
    }

    /// Returns the path of the run's folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Replaces a part of the declaration.
    #[track_caller]
    pub(crate) fn declared(mut self, before: &str, after: &str) -> Self {
        self.declaration = crate::harness::replaced(&self.declaration, &[(before, after)]);
        self
    }

    /// Puts a mail into the folder that is delivered.
    pub(crate) fn mail(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.folder.path().join("mails").join(name), bytes).unwrap();
        self
    }

    /// Puts a request into the folder that is posted.
    pub(crate) fn post(self, name: &str, request: &str) -> Self {
        std::fs::write(self.posts().join(name), request).unwrap();
        self
    }

    /// Returns the folder of requests.
    fn posts(&self) -> PathBuf {
        let posts = self.folder.path().join("posts");
        std::fs::create_dir_all(&posts).unwrap();
        posts
    }

    /// Posts the requests and waits for the end.
    pub(crate) fn posting(self, arguments: &[&str]) -> Ended {
        let posts = self.posts();
        self.start(&["--once", "--retry-delay", "0.05", "--post"], Some(&posts), arguments).end()
    }

    /// Starts the run and waits for the end.
    pub(crate) fn start_and_end(self, arguments: &[&str]) -> Ended {
        self.start(&[], None, arguments).end()
    }

    /// Sets an environment variable of `provision`.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs without a state folder, with a temporary folder of its own.
    pub(crate) fn temporary(mut self) -> Self {
        let folder = self.folder.path().join("temporary");
        std::fs::create_dir_all(&folder).unwrap();
        self.keeps_state = false;
        self.variable("TMPDIR", folder.to_str().unwrap())
    }

    /// Delivers the mails and waits for the end.
    pub(crate) fn once(self, arguments: &[&str]) -> Ended {
        self.delivering(arguments).end()
    }

    /// Delivers the mails without waiting for the end.
    pub(crate) fn delivering(self, arguments: &[&str]) -> Live {
        let mails = self.folder.path().join("mails");
        self.start(&["--once", "--retry-delay", "0.05", "--deliver"], Some(&mails), arguments)
    }

    /// Starts the run with a script in place of Cargo, without waiting.
    pub(crate) fn with_cargo(self, script: &str) -> Live {
        let cargo = self.folder.path().join("cargo.sh");
        std::fs::write(&cargo, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&cargo, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        self.variable("CARGO", cargo.to_str().unwrap()).start(&[], None, &[])
    }

    /// Starts the run, and leaves it running.
    pub(crate) fn live(self, arguments: &[&str]) -> Live {
        let delay: &[&str] = if arguments.contains(&"--retry-delay") { &[] } else { &["--retry-delay", "0.05"] };
        let mut live = self.start(&[&["--smtp-port", "0", "--http-port", "0"], delay].concat(), None, arguments);
        let announced = live.until_error(|line| line.contains("SMTP 127.0.0.1:") || line.contains("  api "));
        let port = announced.split("127.0.0.1:").nth(1).unwrap().split(',').next().unwrap();
        live.port = port.parse().unwrap();
        live.until_error(|line| line.starts_with("Waiting for "));
        live
    }

    /// Returns the command that delivers the mails and ends.
    pub(crate) fn command_once(&self) -> Command {
        let mails = self.folder.path().join("mails");
        self.command(&["--once", "--retry-delay", "0.05", "--deliver"], Some(&mails), &[])
    }

    fn start(self, first: &[&str], mails: Option<&Path>, then: &[&str]) -> Live {
        let mut command = self.command(first, mails, then);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = lines(child.stdout.take().unwrap());
        let errors = lines(child.stderr.take().unwrap());
        Live {
            child,
            port: 0,
            output,
            errors,
            printed: String::new(),
            complained: String::new(),
            folder: Some(self.folder),
        }
    }

    fn command(&self, first: &[&str], mails: Option<&Path>, then: &[&str]) -> Command {
        let file = self.folder.path().join("infra.yaml");
        std::fs::write(&file, &self.declaration).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
        command
            .arg("--file")
            .arg(file)
            .arg("dev")
            .args(first)
            .args(mails)
            .args(then)
            .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("standin"))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        if self.keeps_state {
            command.arg("--state").arg(self.folder.path().join("state"));
        }
        command
    }
}

fn lines(stream: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// A running `provision dev`; it is killed with its test.
pub(crate) struct Live {
    child: Child,
    /// Port of SMTP, or of the API where there are no receipt rules.
    pub(crate) port: u16,
    output: mpsc::Receiver<String>,
    errors: mpsc::Receiver<String>,
    printed: String,
    complained: String,
    folder: Option<tempfile::TempDir>,
}

impl Live {
    /// Waits for a line on standard output.
    pub(crate) fn until(&mut self, is_it: impl Fn(&str) -> bool) -> String {
        wait_for(&self.output, &mut self.printed, is_it)
            .unwrap_or_else(|| panic!("no such line:\n{}\n{}", self.printed, self.complained))
    }

    /// Waits for a line on standard error.
    pub(crate) fn until_error(&mut self, is_it: impl Fn(&str) -> bool) -> String {
        wait_for(&self.errors, &mut self.complained, is_it)
            .unwrap_or_else(|| panic!("no such line:\n{}\n{}", self.printed, self.complained))
    }

    /// Sends Ctrl-C (`SIGINT`) to the run.
    pub(crate) fn press_ctrl_c(&self) {
        let killed = Command::new("kill").arg("-INT").arg(self.child.id().to_string()).status().unwrap();
        assert!(killed.success());
    }

    /// Presses Ctrl-C, and waits for the end.
    pub(crate) fn interrupt(self) -> Ended {
        self.press_ctrl_c();
        self.end()
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Ended {
        let code = self.wait();
        self.ended(code)
    }

    /// Kills it at once, so that it can tidy nothing up; returns its folder.
    pub(crate) fn kill(mut self) -> tempfile::TempDir {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.folder.take().unwrap()
    }

    /// Returns the id of its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Returns the ids of the processes that it has started.
    pub(crate) fn children(&self) -> Vec<String> {
        let id = self.child.id();
        let threads = std::fs::read_dir(format!("/proc/{id}/task")).unwrap().map(|thread| thread.unwrap().path());
        let children = threads.filter_map(|thread| std::fs::read_to_string(thread.join("children")).ok());
        children.flat_map(|ids| ids.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
    }

    /// Returns the path of its state folder.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.as_ref().unwrap().path().join("state")
    }

    /// Connects a client, and reads the greeting.
    pub(crate) fn client(&self) -> BufReader<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = BufReader::new(stream);
        assert_eq!(answer(&mut client), "220 provision dev, ESMTP");
        client
    }

    /// Sends a client's lines, one by one, and returns the server's answer to each.
    pub(crate) fn smtp(&self, says: &[&[u8]]) -> Vec<String> {
        talk(self.port, says)
    }

    /// Waits for the end; returns the exit code, -1 for a signal.
    fn wait(&mut self) -> i32 {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            if Instant::now() > end {
                let _it_has_ended = self.child.kill();
                panic!("it does not end:\n{}\n{}", self.printed, self.complained);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn ended(mut self, code: i32) -> Ended {
        let folder = self.folder.take().unwrap();
        let mails = folder.path().join("mails").display().to_string();
        let posts = folder.path().join("posts").display().to_string();
        let replaced = |text: String| text.replace(&mails, "MAILS").replace(&posts, "POSTS");
        self.printed.extend(self.output.iter().map(|line| line + "\n"));
        self.complained.extend(self.errors.iter().map(|line| line + "\n"));
        let output = replaced(std::mem::take(&mut self.printed));
        let errors = replaced(std::mem::take(&mut self.complained));
        Ended { code, output, errors, folder }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _it_has_ended = self.child.kill();
        let _it_is_reaped = self.child.wait();
    }
}

impl Ended {
    /// Returns the function's log lines.
    pub(crate) fn logged(&self) -> String {
        self.errors.lines().filter_map(|line| line.strip_prefix("reader | ")).collect::<Vec<_>>().join("\n")
    }

    /// Returns the files of a folder of the state, in order.
    pub(crate) fn files(&self, folder: &str) -> Vec<PathBuf> {
        let folder = self.folder.path().join("state").join(folder);
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "exit code {}\n{}\n{}", self.code, self.output, self.errors)
    }
}

fn wait_for(lines: &mpsc::Receiver<String>, seen: &mut String, is_it: impl Fn(&str) -> bool) -> Option<String> {
    let end = Instant::now() + PATIENCE;
    loop {
        let line = lines.recv_timeout(end.saturating_duration_since(Instant::now())).ok()?;
        seen.push_str(&line);
        seen.push('\n');
        if is_it(&line) {
            return Some(line);
        }
    }
}

/// Sends a client's lines to a port, one by one, and returns the answer to each.
pub(crate) fn talk(port: u16, says: &[&[u8]]) -> Vec<String> {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut answers = vec![answer(&mut reader)];
    for words in says {
        (&stream).write_all(words).unwrap();
        answers.push(answer(&mut reader));
    }
    answers
}

/// Returns the last line of an SMTP answer.
pub(crate) fn answer(reader: &mut impl BufRead) -> String {
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.as_bytes().get(3) != Some(&b'-') {
            return line.trim_end().to_owned();
        }
    }
}

/// Returns whether a process is gone, or is within some seconds: one that was killed may still have to be taken from the processor.
pub(crate) fn ends_soon(id: &str) -> bool {
    (0..50).any(|_| {
        let has_ended = !is_running(id);
        if !has_ended {
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        has_ended
    })
}

/// Returns whether a process is there.
pub(crate) fn is_running(id: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    !status.is_empty() && !status.contains("State:\tZ")
}
