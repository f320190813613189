//! Tests the script of a first start with the tools that read it on a server, where this machine has them.

use std::{
    collections::BTreeMap,
    env, fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use super::*;

fn whole() -> String {
    let disk = DataDisk { size: 10, mount: "/srv/mails".to_owned() };
    script(Some(&disk), Some("arn:aws:sns:eu-west-1:123456789012:circuits-alerts"), "eu-west-1")
}

/// Returns the files of a script by the last part of their paths.
fn files(script: &str) -> BTreeMap<String, String> {
    let document: serde_json::Value = serde_yaml::from_str(script).unwrap();
    let files = document["write_files"].as_array().unwrap().iter();
    let name = |file: &serde_json::Value| file["path"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    files.map(|file| (name(file), file["content"].as_str().unwrap().to_owned())).collect()
}

/// Runs a tool, which must succeed, and returns what it said; `None` if this machine does not have it.
fn tool(name: &str, arguments: &[&str]) -> Option<String> {
    let Ok(run) = Command::new(name).args(arguments).output() else {
        println!("not run: this machine has no {name}");
        return None;
    };
    let said = [run.stdout, run.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(run.status.success(), "{name} {arguments:?}\n{said}");
    Some(said)
}

fn write(folder: &Path, name: &str, content: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    let mode = if content.starts_with("#!") { 0o755 } else { 0o644 };
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_server_with_nothing_to_prepare_has_a_script_all_the_same() {
    assert_eq!(script(None, None, "eu-west-1"), "#cloud-config\n");
}

#[test]
fn what_is_declared_is_filled_in_everywhere_and_fits() {
    let script = whole();
    for placeholder in ["MOUNT", "TOPIC", "\"REGION\""] {
        assert!(!script.contains(placeholder), "{placeholder} is in\n{script}");
    }
    assert!(script.contains("mount -o nofail,noatime \"$disk\" \"/srv/mails\""));
    assert!(script.contains("--topic-arn \"arn:aws:sns:eu-west-1:123456789012:circuits-alerts\""));
    // EC2 takes 16 KB, before Base64 (its guide, "Run commands when you launch an EC2 instance with user data input").
    assert!(script.len() < 16 * 1024, "{}", script.len());
}

#[test]
fn its_readers_take_it() {
    let folder = tempfile::tempdir().unwrap();
    tool("cloud-init", &["schema", "--config-file", &write(folder.path(), "user-data", &whole())]);
    let files = files(&whole());
    assert_eq!(files.len(), 4, "{files:?}");
    for (name, content) in &files {
        if content.starts_with("#!") {
            let path = write(folder.path(), name, content);
            tool("shellcheck", &[&path]);
            tool("sh", &["-n", &path]);
        } else {
            // It tells unknown keys, and succeeds: any word of it is a fault. The program is not on this machine.
            let unit = content.replace("/usr/local/sbin/provision-data", "/bin/true");
            let said = tool("systemd-analyze", &["verify", "--man=no", &write(folder.path(), name, &unit)]);
            assert!(said.as_ref().is_none_or(|said| said.trim().is_empty()), "{name}: {said:?}");
        }
    }
}

/// A login goes on at once, whatever becomes of the alert, and the alert tells who came from where.
#[test]
fn an_alert_delays_no_login_and_names_whoever_came() {
    let folder = tempfile::tempdir().unwrap();
    let alert = write(folder.path(), "alert", &files(&whole())["provision-login-alert"]);
    let path = format!("{}:{}", folder.path().display(), env::var("PATH").unwrap());
    let said = folder.path().join("said");
    let login = |kind: &str| {
        let start = Instant::now();
        let variables = [("PAM_TYPE", kind), ("PAM_USER", "ops"), ("PAM_RHOST", "203.0.113.7"), ("PATH", &path)];
        let run = Command::new("sh").arg(&alert).envs(variables).env("SAID", &said).output().unwrap();
        assert!(run.status.success() && run.stdout.is_empty() && run.stderr.is_empty(), "{run:?}");
        assert!(start.elapsed() < Duration::from_secs(15), "the login waited for {:?}", start.elapsed());
    };
    // In place of AWS's command line: a publishing that does not end, and one that fails.
    write(folder.path(), "aws", "#!/bin/sh\necho \"$*\" >\"$SAID.part\"\nmv \"$SAID.part\" \"$SAID\"\nsleep 25\n");
    login("close_session");
    login("open_session");
    let until = Instant::now() + Duration::from_mins(1);
    while !said.exists() && Instant::now() < until {
        thread::sleep(Duration::from_millis(50));
    }
    let text = fs::read_to_string(&said).unwrap();
    for part in ["sns publish --region eu-west-1", "ops signed in to ", " from 203.0.113.7 at 20"] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(text.matches("signed in").count(), 1, "the end of a session is no login: {text}");
    write(folder.path(), "aws", "#!/bin/sh\nexit 1\n");
    login("open_session");
}

/// PAM is told once, however often the script runs, and what was there stays.
#[test]
fn pam_calls_the_alert_once() {
    let folder = tempfile::tempdir().unwrap();
    let script = write(folder.path(), "provision-pam", &files(&whole())["provision-pam"]);
    let sshd = write(folder.path(), "sshd", "session required pam_permit.so\n");
    for _ in 0..2 {
        tool("sh", &[&script, &sshd]);
    }
    let lines = fs::read_to_string(&sshd).unwrap();
    let expected = "session optional pam_exec.so quiet seteuid /usr/local/sbin/provision-login-alert";
    assert_eq!(lines.lines().collect::<Vec<_>>(), ["session required pam_permit.so", expected]);
}
