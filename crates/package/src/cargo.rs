//! Runs Cargo and reads its messages: JSON, one per line.

use std::{path::PathBuf, process::Stdio};

use cargo_metadata::Message;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::Command,
};

use super::{
    Binary, Linking, NotBuilt, Observer, Profile, Progress, command::cargo, toolchain::Toolchain, workspace::Workspace,
};
use process::{Group, describe};

/// Builds a binary for this machine and tells where it is; what Cargo prints is shown as it is. Dropping the future ends
/// Cargo and all that it started.
pub(super) async fn build(binary: &Binary<'_>, profile: Profile) -> Result<PathBuf, NotBuilt> {
    let mut command = cargo(binary.folder);
    command
        .args(["build", "--package", binary.package, "--bin", binary.bin, "--profile", profile.name()])
        .args(["--message-format", "json-render-diagnostics"]);
    run(&mut command, binary, &|_| {}).await
}

/// Builds a binary for Lambda.
pub(super) async fn compile(
    binary: &Binary<'_>,
    workspace: &Workspace,
    toolchain: &Toolchain,
    linking: Linking,
    observer: Observer<'_>,
) -> Result<PathBuf, NotBuilt> {
    let mut command = cargo(binary.folder);
    command
        .args(["build", "--package", binary.package, "--bin", binary.bin, "--locked", "--quiet"])
        .args(["--message-format", "json", "--profile", Profile::Lambda.name(), "--target", toolchain.triple])
        .arg("--target-dir")
        .arg(workspace.target(linking))
        .args(workspace.profile_settings())
        .envs(toolchain.environment(workspace, linking)?)
        .stderr(Stdio::piped());
    run(&mut command, binary, observer).await
}

/// Runs Cargo to its end and finds the binary in what it says.
async fn run(command: &mut Command, binary: &Binary<'_>, observer: Observer<'_>) -> Result<PathBuf, NotBuilt> {
    let mut cargo = Group::start(command.stdout(Stdio::piped())).map_err(NotBuilt::NoCargo)?;
    let mut heard = Heard { bin: binary.bin, observer, compiled: 0, executable: None };
    let (messages, remarks) = (cargo.child.stdout.take(), cargo.child.stderr.take());
    tokio::try_join!(
        lines(messages, |line| heard.message(line)),
        lines(remarks, |line| observer(Progress::Said(line)))
    )
    .map_err(NotBuilt::NoCargo)?;
    let executable = heard.executable;
    let status = cargo.child.wait().await.map_err(NotBuilt::NoCargo)?;
    let (package, bin) = (binary.package.to_owned(), binary.bin.to_owned());
    if !status.success() {
        return Err(NotBuilt::Failed { package, bin, status: describe(status) });
    }
    executable.ok_or(NotBuilt::NoExecutable { package, bin })
}

/// Passes on each line of a stream; does nothing without one. A line need not be UTF-8: it may contain a file name.
async fn lines(stream: Option<impl AsyncRead + Unpin>, mut take: impl FnMut(&str)) -> std::io::Result<()> {
    let Some(stream) = stream else { return Ok(()) };
    let mut lines = BufReader::new(stream).split(b'\n');
    while let Some(line) = lines.next_segment().await? {
        take(&String::from_utf8_lossy(&line));
    }
    Ok(())
}

/// Cargo's messages so far.
struct Heard<'heard> {
    bin: &'heard str,
    observer: Observer<'heard>,
    compiled: usize,
    executable: Option<PathBuf>,
}

impl Heard<'_> {
    fn message(&mut self, line: &str) {
        match serde_json::from_str(line) {
            Ok(Message::CompilerArtifact(artifact)) => {
                if !artifact.fresh {
                    self.compiled += 1;
                    (self.observer)(Progress::Compiled { name: &artifact.target.name, count: self.compiled });
                }
                if artifact.target.is_bin() && artifact.target.name == self.bin {
                    self.executable = artifact.executable.map(PathBuf::from).or(self.executable.take());
                }
            }
            Ok(Message::CompilerMessage(said)) => {
                let text = said.message.rendered.unwrap_or(said.message.message);
                (self.observer)(Progress::Said(text.trim_end()));
            }
            // A build script's output, the end, or a message of a newer Cargo: the exit status and the binary tell.
            Ok(_) | Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn message(kind: &str, name: &str, fresh: bool) -> String {
        let target = format!(
            r#"{{"kind":["{kind}"],"crate_types":["{kind}"],"name":"{name}","src_path":"/s/main.rs","edition":"2024","doc":true,"doctest":false,"test":true}}"#
        );
        let profile =
            r#"{"opt_level":"z","debuginfo":0,"debug_assertions":false,"overflow_checks":false,"test":false}"#;
        format!(
            r#"{{"reason":"compiler-artifact","package_id":"path+file:///s#0.1.0","manifest_path":"/s/Cargo.toml","target":{target},"profile":{profile},"features":[],"filenames":["/t/{name}"],"executable":"/t/{name}","fresh":{fresh}}}"#
        )
    }

    #[test]
    fn the_binary_is_found_among_the_messages_of_cargo() {
        let found = |line: &str| {
            let mut heard = Heard { bin: "reader", observer: &|_| {}, compiled: 0, executable: None };
            heard.message(line);
            heard.executable
        };
        assert_eq!(found(&message("bin", "reader", true)), Some("/t/reader".into()));
        assert_eq!(found(&message("test", "reader", true)), None);
        assert_eq!(found(&message("bin", "other", true)), None);
        assert_eq!(found(r#"{"reason":"build-finished","success":true}"#), None);
        assert_eq!(found("no json"), None);
    }

    #[test]
    fn crates_that_are_up_to_date_are_not_counted() {
        let told = Mutex::new(Vec::new());
        let observer = |progress: Progress<'_>| {
            if let Progress::Compiled { name, count } = progress {
                told.lock().unwrap().push(format!("{count} {name}"));
            }
        };
        let mut heard = Heard { bin: "reader", observer: &observer, compiled: 0, executable: None };
        for (name, fresh) in [("a", false), ("b", true), ("c", false)] {
            heard.message(&message("lib", name, fresh));
        }
        assert_eq!(told.into_inner().unwrap(), ["1 a", "2 c"]);
    }
}
