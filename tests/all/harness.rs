//! A folder with files, and the binary run in it.

use std::{
    fmt, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use replaced::Replaced as _;
use tempfile::TempDir;

/// Returns a text with one part after the other replaced, wherever it stands; fails the test if one is not there.
#[track_caller]
pub(crate) fn replaced(text: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(text.to_owned(), |text, (part, by)| text.replaced(part, by))
}

/// A folder for one test; it is removed at the end.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Returns a new folder below another one.
    pub(crate) fn below(above: &Path) -> Self {
        fs::create_dir_all(above).unwrap();
        Self(tempfile::tempdir_in(above).unwrap())
    }

    /// Returns a folder with one declaration in it.
    pub(crate) fn with_declaration(declaration: impl AsRef<[u8]>) -> Self {
        let folder = Self::new();
        folder.write("infra.yaml", declaration);
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Returns the command that runs the binary in this folder, with no environment but a time zone that is not
    /// UTC.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(Path::new(env!("CARGO_BIN_EXE_provision")), arguments)
    }

    /// Returns the same command of a binary that lies elsewhere.
    pub(crate) fn command_of(&self, binary: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary);
        command.current_dir(self.0.path()).env_clear().env("TZ", "Europe/Berlin").args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.finish(arguments, self.command(arguments).output().unwrap())
    }

    /// Runs the binary with standard input.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> Run {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_ref()).unwrap();
        self.finish(arguments, child.wait_with_output().unwrap())
    }

    pub(crate) fn finish(&self, arguments: &[&str], output: Output) -> Run {
        Run { command: format!("provision {}", arguments.join(" ")), files: files(self.0.path()), output }
    }
}

fn files(folder: &Path) -> Vec<String> {
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    files.sort();
    files
}

/// The result of running the binary.
pub(crate) struct Run {
    command: String,
    files: Vec<String>,
    output: Output,
}

impl Run {
    pub(crate) fn code(&self) -> Option<i32> {
        self.output.status.code()
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8(self.output.stdout.clone()).unwrap()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8(self.output.stderr.clone()).unwrap()
    }

    /// Returns the lines of standard output as JSON.
    pub(crate) fn json(&self) -> Vec<serde_json::Value> {
        let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}\n{self}"));
        self.stdout().lines().map(read).collect()
    }

    /// Returns the first line of each diagnostic.
    pub(crate) fn diagnostics(&self) -> Vec<String> {
        self.stderr().lines().filter(|line| line.starts_with("infra.yaml:")).map(str::to_owned).collect()
    }
}

/// The text that a failure prints, and that snapshots contain together with the files.
impl fmt::Display for Run {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}\nfiles: {}\n{}", self.command, self.files.join(" "), self.shown())
    }
}

impl Run {
    /// Returns exit code, standard output and standard error, for snapshots.
    pub(crate) fn shown(&self) -> String {
        let code = self.code().map_or_else(|| "none".to_owned(), |code| code.to_string());
        let lines = |text: String| text.lines().flat_map(|line| [line.trim_end(), "\n"]).collect::<String>();
        format!(
            "exit code: {code}\n----- stdout -----\n{}----- stderr -----\n{}",
            lines(self.stdout()),
            lines(self.stderr())
        )
    }
}
