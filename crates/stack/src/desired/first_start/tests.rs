//! Tests the script of a first start with the tools that read it on a server, where this machine has them.

mod pam;

use std::{
    collections::BTreeMap,
    env, fs, io,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use super::*;
use kinds::server::{MOST_USER_DATA, prepared};
use replaced::Replaced as _;

fn whole() -> String {
    let disk = DataDisk { size: 10, mount: "/srv/mails".to_owned() };
    script(Some(&disk), Some("arn:aws:sns:eu-west-1:123456789012:circuits-alerts"), "eu-west-1")
}

/// Returns the files of a script by the last part of their paths.
fn files(script: &str) -> BTreeMap<String, String> {
    let document: serde_json::Value = serde_yaml::from_str(script).unwrap();
    let files = document["write_files"].as_array().unwrap().iter();
    let name = |file: &serde_json::Value| file["path"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    files.map(|file| (name(file), content(file))).collect()
}

fn content(file: &serde_json::Value) -> String {
    let content = file["content"].as_str().unwrap();
    if file["encoding"] != "gz+b64" {
        return content.to_owned();
    }
    let compressed = data_encoding::BASE64.decode(content.as_bytes()).unwrap();
    io::read_to_string(flate2::read::GzDecoder::new(compressed.as_slice())).unwrap()
}

/// Runs a tool, which must succeed, and returns what it said; `None` if this machine does not have it, which is a failure if
/// `PROVISION_REQUIRE` names it.
pub(super) fn tool(name: &str, arguments: &[&str]) -> Option<String> {
    let Ok(run) = Command::new(name).args(arguments).output() else {
        let is_required = env::var("PROVISION_REQUIRE").is_ok_and(|list| list.split(',').any(|word| word == name));
        assert!(!is_required, "PROVISION_REQUIRE names `{name}`, which is not installed");
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
    let script = script(None, None, "eu-west-1");
    assert!(script.starts_with("#cloud-config\n# provision prepares by: cloud-init\nwrite_files:\n"), "{script}");
    let expected = [
        "provision-worker-install",
        "provision-worker-install.service",
        "provision-worker-log",
        "provision-worker-log.service",
        "provision-worker.service",
    ];
    assert_eq!(files(&script).into_keys().collect::<Vec<_>>(), expected, "a worker may come later");
}

#[test]
fn what_is_declared_is_filled_in_everywhere_and_fits() {
    let script = whole();
    for placeholder in ["MOUNT", "TOPIC", "DEVICE", "\"REGION\""] {
        assert!(!script.contains(placeholder), "{placeholder} is in\n{script}");
    }
    assert!(script.contains("mount=\"/srv/mails\"") && script.contains("disk=/dev/sdf"));
    assert!(script.contains("--topic-arn \"arn:aws:sns:eu-west-1:123456789012:circuits-alerts\""));
    // The rest is for what a worker is told.
    assert!(script.len() < MOST_USER_DATA - 4096, "{}", script.len());
}

/// A server is replaced for what its script prepares, and for no other text of it.
#[test]
fn what_is_declared_tells_two_scripts_apart() {
    let of = |mount: &str, topic: Option<&str>| {
        let disk = DataDisk { size: 10, mount: mount.to_owned() };
        prepared(&script(Some(&disk), topic, "eu-west-1"))
    };
    let plain = of("/data", None);
    assert_eq!(plain, prepared(&script(Some(&DataDisk { size: 20, mount: "/data".to_owned() }), None, "eu-west-1")));
    assert_eq!(prepared(&whole()), prepared(&whole().replaced("sleep 5", "sleep 6")));
    for other in [of("/srv", None), of("/data", Some("arn")), prepared(&script(None, None, "eu-west-1"))] {
        assert_ne!(plain, other);
    }
}

#[test]
fn its_readers_take_it() {
    let folder = tempfile::tempdir().unwrap();
    tool("cloud-init", &["schema", "--config-file", &write(folder.path(), "user-data", &whole())]);
    let files = files(&whole());
    assert_eq!(files.len(), 11, "{files:?}");
    // A timer is verified beside what it starts.
    let programs = [
        "/usr/local/sbin/provision-data",
        "/usr/local/sbin/provision-worker-install",
        "/usr/local/sbin/provision-worker-log",
        "/opt/provision/worker/current/bootstrap",
    ];
    let unit =
        |content: &str| programs.iter().fold(content.to_owned(), |text, program| text.replace(program, "/bin/true"));
    for (name, content) in files.iter().filter(|(_, content)| !content.starts_with("#!")) {
        write(folder.path(), name, &unit(content));
    }
    for (name, content) in &files {
        if content.starts_with("#!/usr/bin/python3") {
            let path = write(folder.path(), name, content);
            // Amazon Linux 2023 has Python 3.9.
            let parse = "import ast, sys; ast.parse(open(sys.argv[1]).read(), feature_version=(3, 9))";
            tool("python3", &["-c", parse, &path]);
        } else if content.starts_with("#!") {
            let path = write(folder.path(), name, content);
            tool("shellcheck", &[&path]);
            tool("sh", &["-n", &path]);
        } else {
            // It tells unknown keys, and succeeds: any word of it is a fault. The program is not on this machine.
            let path = write(folder.path(), name, &unit(content));
            let said = tool("systemd-analyze", &["verify", "--man=no", &path]);
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
    // One that fails is tried again, and the journal hears of it.
    let journal = folder.path().join("said.journal");
    write(folder.path(), "sleep", "#!/bin/sh\n");
    write(folder.path(), "logger", "#!/bin/sh\ncat >\"$SAID.part\"\nmv \"$SAID.part\" \"$SAID.journal\"\n");
    write(folder.path(), "aws", "#!/bin/sh\necho denied >&2\nexit 1\n");
    login("open_session");
    let until = Instant::now() + Duration::from_mins(1);
    while !journal.exists() && Instant::now() < until {
        thread::sleep(Duration::from_millis(50));
    }
    let text = fs::read_to_string(&journal).unwrap();
    assert!(text.starts_with("denied\ndenied\nnobody was told: ops signed in to "), "{text}");
}

/// A disk for data in place of the one of a server: a file, and tools that note their calls in place of those that need a disk.
struct Disk {
    folder: tempfile::TempDir,
    script: String,
}

impl Disk {
    fn new(content: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        fs::write(place("disk"), content).unwrap();
        let noted = |then: &str| format!("#!/bin/sh\necho \"${{0##*/}}\" >>\"{}\"\n{then}\n", place("calls"));
        for (name, then) in [
            ("chattr", String::new()),
            ("mkfs.xfs", String::new()),
            ("xfs_growfs", String::new()),
            ("mount", format!("touch \"{}\"", place("mounted"))),
        ] {
            write(folder.path(), name, &noted(&then));
        }
        write(folder.path(), "mountpoint", &format!("#!/bin/sh\n[ -e \"{}\" ]\n", place("mounted")));
        write(folder.path(), "blkid", "#!/bin/sh\nexit \"$BLKID\"\n");
        let script = files(&whole())["provision-data"]
            .replaced(DEVICE, &place("disk"))
            .replaced("/srv/mails", &place("data"))
            .replaced("/run/provision-data.lock", &place("lock"))
            .replaced("[ -b ", "[ -e ");
        let script = write(folder.path(), "provision-data", &script);
        Self { folder, script }
    }

    /// Runs the script, where `blkid` ends so. Returns whether it succeeded, and the tools that it called.
    fn runs(&self, blkid: i32) -> (bool, String) {
        let calls = self.folder.path().join("calls");
        fs::write(&calls, "").unwrap();
        let path = format!("{}:{}", self.folder.path().display(), env::var("PATH").unwrap());
        let mut run = Command::new("sh");
        let run = run.arg(&self.script).env("PATH", path).env("BLKID", blkid.to_string()).output();
        let is_done = run.unwrap().status.success();
        (is_done, fs::read_to_string(calls).unwrap().lines().collect::<Vec<_>>().join(" "))
    }
}

/// Only what can be read and begins with nothing but zeros is formatted, once.
#[test]
fn a_disk_for_data_is_formatted_if_it_is_empty_and_never_else() {
    const MIB: usize = 1 << 20;
    let mut raw = vec![0; 2 * MIB];
    raw[MIB - 1] = 1;
    for (what, content, blkid, done, calls) in [
        ("nothing", vec![0; 2 * MIB], 2, true, "chattr mkfs.xfs mount xfs_growfs"),
        ("a file system", raw.clone(), 0, true, "chattr mount xfs_growfs"),
        ("what nobody knows", raw, 2, false, "chattr"),
        ("less than can be looked at", vec![0; MIB - 1], 2, false, "chattr"),
        ("no answer at all", Vec::new(), 2, false, "chattr"),
        ("several file systems at once", vec![0; 2 * MIB], 8, false, "chattr"),
    ] {
        let disk = Disk::new(&content);
        assert_eq!(disk.runs(blkid), (done, calls.to_owned()), "{what}");
        if done {
            assert_eq!(disk.runs(0), (true, "xfs_growfs".to_owned()), "{what}: it is mounted, and grows");
        }
    }
    let disk = Disk::new(&[]);
    fs::remove_file(disk.folder.path().join("disk")).unwrap();
    fs::create_dir(disk.folder.path().join("disk")).unwrap();
    assert_eq!(disk.runs(2), (false, "chattr".to_owned()), "it cannot be read");
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
