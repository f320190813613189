//! The command that runs Cargo.

use std::{path::Path, process::Stdio};

use tokio::process::Command;

/// Returns the command that runs Cargo in a folder of the workspace.
pub(super) fn cargo(folder: &Path) -> Command {
    let mut command = process::tool(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder).stdin(Stdio::null());
    command
}
