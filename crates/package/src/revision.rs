//! The commit that an artifact is built from. It is for people: nothing is compared with it. There is none without Git or
//! outside a checkout.

use std::{path::Path, process::Stdio};

/// Returns the commit as `0a1b2c3d4e5f`, with `-dirty` behind it where something was changed since.
pub async fn revision(folder: &Path) -> Option<String> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let commit = git(folder, &["rev-parse", "--short=12", "HEAD"]).await?;
    let commit = commit.trim();
    let is_commit = !commit.is_empty() && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    let changed = git(folder, &["status", "--porcelain", "--untracked-files=no"]).await?;
    let mark = if changed.trim().is_empty() { "" } else { "-dirty" };
    is_commit.then(|| format!("{commit}{mark}"))
}

async fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = process::tool("git");
    command.arg("-C").arg(folder).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}
