//! The script of a server's first start, for cloud-init: its disk for data, who is told of whoever signs in, and what installs a worker.
//!
//! It names nothing that AWS chooses, so that a server is not replaced for it. It says what it prepares, which alone is compared: another
//! text of it is for servers to come. A disk for data is attached when the server runs, so that a unit waits for it at each start, and
//! again whenever it fails. A login is told by PAM rather than by a profile of the shell: PAM knows those without a shell, too (`scp`,
//! commands), and where they come from.
//!
//! Every server has what installs a worker (see [`worker`]), so that one can be added later.

mod worker;

use declaration::DataDisk;
use kinds::server::{DEVICE, PREPARES};

/// Returns the script of a first start, as user data for cloud-init.
pub(super) fn script(volume: Option<&DataDisk>, topic: Option<&str>, region: &str) -> String {
    let mut files = Vec::new();
    let mut commands = worker::COMMANDS.to_vec();
    let mut prepares = vec![("by", "cloud-init")];
    if let Some(disk) = volume {
        prepares.push(("mount", &disk.mount));
        let data = DATA.replace("MOUNT", &disk.mount).replace("DEVICE", DEVICE);
        files.push(("/usr/local/sbin/provision-data", "0755", data));
        files.push(("/etc/systemd/system/provision-data.service", "0644", UNIT.to_owned()));
        files.push(("/etc/systemd/system/provision-data-growth.service", "0644", GROWTH.to_owned()));
        files.push(("/etc/systemd/system/provision-data-growth.timer", "0644", TIMER.to_owned()));
        commands.push("[systemctl, enable, --now, --no-block, provision-data.service]");
        commands.push("[systemctl, enable, --now, provision-data-growth.timer]");
    }
    if let Some(topic) = topic {
        prepares.push(("login_alerts", topic));
        let alert = ALERT.replace("TOPIC", topic).replace("REGION", region);
        files.push(("/usr/local/sbin/provision-login-alert", "0755", alert));
        files.push(("/usr/local/sbin/provision-pam", "0755", PAM.to_owned()));
        commands.push("[/usr/local/sbin/provision-pam, /etc/pam.d/sshd]");
    }
    let prepares: Vec<String> = prepares.iter().map(|(what, how)| format!("{PREPARES}{what}: {how}\n")).collect();
    let files = files.iter().map(file).chain(worker::files());
    ["#cloud-config\n".to_owned(), prepares.concat(), section("write_files", files), run(&commands)].concat()
}

/// Returns a file of a script: path, permissions, content.
fn file((path, permissions, content): &(&str, &str, String)) -> String {
    let mut file = format!("- path: {path}\n  permissions: '{permissions}'\n  content: |\n");
    for line in content.lines() {
        let indent = if line.is_empty() { "" } else { "    " };
        file.extend([indent, line, "\n"]);
    }
    file
}

/// Returns the commands of a script.
fn run(commands: &[&str]) -> String {
    section("runcmd", commands.iter().map(|command| format!("- {command}\n")))
}

/// Returns a list of a script under its key; nothing if it is empty.
fn section(key: &str, items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    if items.is_empty() { String::new() } else { format!("{key}:\n{}", items.concat()) }
}

/// Mounts the disk for data, and lets its file system grow with it. Only a disk that can be read, and begins with nothing but zeros, is
/// formatted: of anything else one cannot tell whether it is somebody's data. While the disk is not there, nobody can write into its
/// folder: that would be on the machine's own disk, and hidden later.
const DATA: &str = r#"#!/bin/sh
set -eu
disk=DEVICE
mount="MOUNT"
exec 9>/run/provision-data.lock
flock 9
mkdir -p "$mount"
if ! mountpoint -q "$mount"; then
  chattr +i "$mount" || true
  waited=0
  until [ -b "$disk" ]; do
    [ "$waited" -lt 600 ] || { echo "the disk for data is not there after 600 s" >&2; exit 1; }
    sleep 5
    waited=$((waited + 5))
  done
  found=0
  blkid -p "$disk" >/dev/null || found=$?
  if [ "$found" -ne 0 ]; then
    beginning=$(mktemp)
    trap 'rm -f "$beginning"' EXIT
    dd if="$disk" of="$beginning" bs=1M count=1 status=none
    [ "$(wc -c <"$beginning")" -eq 1048576 ] || { echo "the disk for data cannot be read: it stays as it is" >&2; exit 1; }
    if [ "$found" -ne 2 ] || [ "$(tr -d '\0' <"$beginning" | wc -c)" -ne 0 ]; then
      echo "the disk for data has something else than a file system: it stays as it is" >&2
      exit 1
    fi
    mkfs.xfs -q "$disk"
  fi
  mount -o nofail,noatime "$disk" "$mount"
fi
xfs_growfs "$mount" >/dev/null || echo "the file system of the disk for data does not grow" >&2
"#;

/// A oneshot that others can come after. It begins again until the disk is there.
const UNIT: &str = "\
[Unit]
Description=Disk for data
StartLimitIntervalSec=0

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/provision-data
TimeoutStartSec=900
Restart=on-failure
RestartSec=30

[Install]
WantedBy=multi-user.target
";

/// The same again, while the machine runs: the disk may have grown.
const GROWTH: &str = "\
[Unit]
Description=Growth of the disk for data
After=provision-data.service

[Service]
Type=oneshot
ExecStart=/usr/local/sbin/provision-data
TimeoutStartSec=900
";

const TIMER: &str = "\
[Unit]
Description=Growth of the disk for data

[Timer]
OnBootSec=10min
OnUnitInactiveSec=10min

[Install]
WantedBy=timers.target
";

/// Tells of a login. It runs within the login, so that it waits for nothing and cannot fail: the publishing goes on by itself, once more if
/// it fails, and tells the journal why.
const ALERT: &str = r#"#!/bin/sh
[ "${PAM_TYPE:-}" = open_session ] || exit 0
# PAM gives no search path.
export PATH="${PATH:-/usr/local/bin:/usr/bin:/bin}"
message="${PAM_USER:-somebody} signed in to $(hostname) from ${PAM_RHOST:-the machine itself} at $(date -u +%Y-%m-%dT%H:%M:%SZ)"
export message
# shellcheck disable=SC2016 # what is in single quotes is for the shell that goes on
setsid -f sh -c '
  tell() {
    timeout 30 aws sns publish --region "REGION" --topic-arn "TOPIC" \
      --subject "Login to $(hostname)" --message "$message" 2>&1 >/dev/null
  }
  { tell || { sleep 10; tell; } || echo "nobody was told: $message"; } | logger -t provision-login-alert
' </dev/null >/dev/null 2>&1
exit 0
"#;

/// Adds the alert to what PAM does at a login, once. It is optional: without it, a login goes on.
const PAM: &str = r#"#!/bin/sh
set -eu
grep -q provision-login-alert "$1" ||
  echo 'session optional pam_exec.so quiet seteuid /usr/local/sbin/provision-login-alert' >>"$1"
"#;

#[cfg(test)]
mod tests;
