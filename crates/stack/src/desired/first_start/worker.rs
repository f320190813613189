//! The files that install the worker of a server: a unit at each start of the machine reads the user data, which may be another one than at the first
//! start, fetches the worker, and starts it; another unit ships its lines.
//!
//! cloud-init runs a script once and may keep a copy of the user data, so that neither is left to it. The files are compressed, since EC2
//! takes 16 KiB.

use std::io::Write as _;

use data_encoding::BASE64;
use flate2::{Compression, write::GzEncoder};

/// Commands of the first start. A journal in a folder of its own outlives the machine's stops, and so do lines that were not shipped yet.
pub(super) const COMMANDS: &[&str] = &[
    "[mkdir, -p, /var/log/journal]",
    "[journalctl, --flush]",
    "[systemctl, daemon-reload]",
    "[systemctl, enable, --now, --no-block, provision-worker-install.service]",
];

/// Paths, permissions and contents.
const FILES: [(&str, &str, &str); 5] = [
    ("/usr/local/sbin/provision-worker-install", "0755", include_str!("worker/provision-worker-install")),
    ("/usr/local/sbin/provision-worker-log", "0755", include_str!("worker/provision-worker-log")),
    (
        "/etc/systemd/system/provision-worker-install.service",
        "0644",
        include_str!("worker/provision-worker-install.service"),
    ),
    ("/etc/systemd/system/provision-worker-log.service", "0644", include_str!("worker/provision-worker-log.service")),
    ("/etc/systemd/system/provision-worker.service", "0644", include_str!("worker/provision-worker.service")),
];

/// Returns the files of a script.
pub(super) fn files() -> impl Iterator<Item = String> {
    FILES.iter().map(|(path, permissions, content)| {
        let content = BASE64.encode(&compressed(content));
        format!("- path: {path}\n  permissions: '{permissions}'\n  encoding: gz+b64\n  content: {content}\n")
    })
}

fn compressed(content: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing into a vector does not fail; without its files cloud-init would tell a broken script.
    let written = encoder.write_all(content.as_bytes()).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}

#[cfg(test)]
mod tests;
