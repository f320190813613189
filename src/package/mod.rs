//! Handler crate → the binary that Lambda runs.
//!
//! Cargo builds it, and Cargo says where it is; what Cargo prints is shown as it is.

use std::{
    io,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde::Deserialize;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

use crate::local::process::{Group, describe};

/// What to build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request<'request> {
    /// A folder in the Cargo workspace: that of the declaration.
    pub(crate) workspace: &'request Path,
    /// The package.
    pub(crate) package: &'request str,
    /// The binary of that package.
    pub(crate) bin: &'request str,
    /// How.
    pub(crate) profile: Profile,
}

/// How to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quickly.
    Development,
    /// Optimised, as Lambda gets it.
    Lambda,
}

impl Profile {
    /// Cargo's name for it.
    fn name(self) -> &'static str {
        match self {
            Self::Development => "dev",
            Self::Lambda => "lambda",
        }
    }
}

/// Why there is no binary.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotBuilt {
    /// Cargo could not be run.
    #[error("Failed to run `cargo`")]
    NoCargo(#[source] io::Error),
    /// Cargo failed, and said why.
    #[error("Failed to build binary `{bin}` of package `{package}`: cargo ended with {status}, see above")]
    Failed {
        /// The package.
        package: String,
        /// The binary.
        bin: String,
        /// How Cargo ended.
        status: String,
    },
    /// Cargo built something else.
    #[error("Failed to find binary `{bin}` of package `{package}` in what cargo built")]
    NoExecutable {
        /// The package.
        package: String,
        /// The binary.
        bin: String,
    },
}

/// A message of `cargo build --message-format json`.
#[derive(Debug, Deserialize)]
struct Message {
    reason: String,
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// Builds a binary and tells where it is. Dropping the future ends Cargo and all that it started.
pub(crate) async fn build(request: &Request<'_>) -> Result<PathBuf, NotBuilt> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(["build", "--package", request.package, "--bin", request.bin, "--profile", request.profile.name()])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(request.workspace)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut cargo = Group::start(&mut command).map_err(NotBuilt::NoCargo)?;
    let mut executable = None;
    if let Some(output) = cargo.child.stdout.take() {
        let mut lines = BufReader::new(output).lines();
        while let Some(line) = lines.next_line().await.map_err(NotBuilt::NoCargo)? {
            executable = executable_in(&line, request.bin).or(executable);
        }
    }
    let status = cargo.child.wait().await.map_err(NotBuilt::NoCargo)?;
    let (package, bin) = (request.package.to_owned(), request.bin.to_owned());
    if !status.success() {
        return Err(NotBuilt::Failed { package, bin, status: describe(status) });
    }
    executable.ok_or(NotBuilt::NoExecutable { package, bin })
}

/// The executable that a message tells of, if it is the binary's.
fn executable_in(line: &str, bin: &str) -> Option<PathBuf> {
    let message: Message = serde_json::from_str(line).ok()?;
    let target = message.target?;
    let is_it =
        message.reason == "compiler-artifact" && target.name == bin && target.kind.iter().any(|kind| kind == "bin");
    message.executable.filter(|_| is_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_is_found_among_the_messages_of_cargo() {
        let line = |kind: &str, name: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","target":{{"name":"{name}","kind":["{kind}"]}},"executable":"/t/{name}","fresh":true}}"#
            )
        };
        assert_eq!(executable_in(&line("bin", "reader"), "reader"), Some("/t/reader".into()));
        assert_eq!(executable_in(&line("test", "reader"), "reader"), None);
        assert_eq!(executable_in(&line("bin", "other"), "reader"), None);
        assert_eq!(executable_in(r#"{"reason":"build-finished","success":true}"#, "reader"), None);
        assert_eq!(executable_in("no json", "reader"), None);
    }
}
