//! The script of a server's first start, for cloud-init: its disk for data, and who is told of whoever signs in.
//!
//! It names nothing that AWS chooses, so that a server is not replaced for it. A disk for data is attached when the server runs, so that a
//! unit waits for it at each start. A login is told by PAM rather than by a profile of the shell: PAM knows those without a shell, too
//! (`scp`, commands), and where they come from.

use declaration::DataDisk;

/// Returns the script.
pub(super) fn script(volume: Option<&DataDisk>, topic: Option<&str>, region: &str) -> String {
    let mut files = Vec::new();
    let mut commands = Vec::new();
    if let Some(disk) = volume {
        files.push(("/usr/local/sbin/provision-data", "0755", DATA.replace("MOUNT", &disk.mount)));
        files.push(("/etc/systemd/system/provision-data.service", "0644", UNIT.to_owned()));
        commands.push("[systemctl, daemon-reload]");
        commands.push("[systemctl, enable, --now, --no-block, provision-data.service]");
    }
    if let Some(topic) = topic {
        let alert = ALERT.replace("TOPIC", topic).replace("REGION", region);
        files.push(("/usr/local/sbin/provision-login-alert", "0755", alert));
        files.push(("/usr/local/sbin/provision-pam", "0755", PAM.to_owned()));
        commands.push("[/usr/local/sbin/provision-pam, /etc/pam.d/sshd]");
    }
    let mut script = "#cloud-config\n".to_owned();
    if !files.is_empty() {
        script.push_str("write_files:\n");
    }
    for (path, permissions, content) in files {
        script.extend(["- path: ", path, "\n  permissions: '", permissions, "'\n  content: |\n"]);
        for line in content.lines() {
            let indent = if line.is_empty() { "" } else { "    " };
            script.extend([indent, line, "\n"]);
        }
    }
    if !commands.is_empty() {
        script.push_str("runcmd:\n");
    }
    for command in commands {
        script.extend(["- ", command, "\n"]);
    }
    script
}

/// Mounts the disk for data. One without any content is formatted, and no other: what cannot be read may be somebody's data.
const DATA: &str = r#"#!/bin/sh
set -eu
disk=/dev/sdf
waited=0
until [ -b "$disk" ]; do
  [ "$waited" -lt 600 ] || { echo "the disk for data is not there after 600 s" >&2; exit 1; }
  sleep 5
  waited=$((waited + 5))
done
found=0
blkid -p "$disk" >/dev/null 2>&1 || found=$?
case "$found" in
  0) ;;
  2) mkfs.xfs -q "$disk" ;;
  *) echo "the disk for data cannot be read: it stays as it is" >&2; exit 1 ;;
esac
mkdir -p "MOUNT"
mountpoint -q "MOUNT" || mount -o nofail,noatime "$disk" "MOUNT"
xfs_growfs "MOUNT" >/dev/null 2>&1 || true
"#;

const UNIT: &str = "\
[Unit]
Description=Disk for data

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/provision-data
TimeoutStartSec=900

[Install]
WantedBy=multi-user.target
";

/// Tells of a login. It runs within the login, so that it waits for nothing and cannot fail: the publishing goes on by itself.
const ALERT: &str = r#"#!/bin/sh
[ "${PAM_TYPE:-}" = open_session ] || exit 0
# PAM gives no search path.
export PATH="${PATH:-/usr/local/bin:/usr/bin:/bin}"
message="${PAM_USER:-somebody} signed in to $(hostname) from ${PAM_RHOST:-the machine itself} at $(date -u +%Y-%m-%dT%H:%M:%SZ)"
setsid -f timeout 30 aws sns publish --region "REGION" --topic-arn "TOPIC" \
  --subject "Login to $(hostname)" --message "$message" </dev/null >/dev/null 2>&1
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
