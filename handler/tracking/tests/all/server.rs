//! The script that puts the worker onto a server checks the hash before anything runs, and the unit is confined.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

const CONTEXT: &str = r#"{"stack":"it's \"$HOME\" `x`","function":"tracking"}"#;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("server")
}

/// Returns whether a tool is installed; says so if it is not.
fn has(tool: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).any(|folder| folder.join(tool).is_file());
    if !found {
        println!("not run: `{tool}` is not installed");
    }
    found
}

/// A server with stand-ins for the tools that reach AWS and systemd.
struct Server {
    folder: TempDir,
    hash: String,
}

impl Server {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("bin")).unwrap();
        fs::write(at("bootstrap"), "#!/bin/sh\necho worker\n").unwrap();
        let zip = "import sys, zipfile; zipfile.ZipFile(sys.argv[1], 'w').write(sys.argv[2], 'bootstrap')";
        let zipped = Command::new("python3").args(["-c", zip]).args([at("zip"), at("bootstrap")]).status().unwrap();
        assert!(zipped.success());
        let sum = Command::new("sha256sum").arg(at("zip")).output().unwrap();
        let hash = String::from_utf8(sum.stdout).unwrap()[..64].to_owned();
        let server = Self { folder, hash };
        // Fails as often as the file says, then gives the zip.
        server.tool(
            "aws",
            "echo \"aws $*\" >>\"$TRIAL/calls\"; left=$(cat \"$TRIAL/failures\"); [ \"$left\" = 0 ] || { echo $((left - 1)) >\"$TRIAL/failures\"; exit 1; }\n\
             for last; do :; done; cp \"$TRIAL/zip\" \"$last\"",
        );
        server.tool("systemctl", "echo \"systemctl $*\" >>\"$TRIAL/calls\"");
        server
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn tool(&self, name: &str, text: &str) {
        let file = self.at("bin").join(name);
        fs::write(&file, format!("#!/bin/bash\n{text}\n")).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs the script, with changes to its variables.
    fn install(&self, failures: u32, changes: &[(&str, &str)]) -> Output {
        fs::write(self.at("failures"), failures.to_string()).unwrap();
        fs::write(self.at("calls"), "").unwrap();
        let mut command = Command::new("bash");
        command
            .arg(folder().join("install.sh"))
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.at("bin").display()))
            .env("TRIAL", self.folder.path())
            .env("ROOT", self.at("root"))
            .env("ARTIFACT_SHA256", &self.hash)
            .envs([("ARTIFACT_BUCKET", "artefacts"), ("ARTIFACT_KEY", "key"), ("ARTIFACT_OWNER", "123456789012")])
            .envs([("AWS_REGION", "eu-west-1"), ("QUEUE_URL", "https://sqs/q"), ("PROVISION_CONTEXT", CONTEXT)])
            .env("PAUSE", "0")
            .envs(changes.iter().copied());
        command.output().unwrap()
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.at("calls")).unwrap()
    }
}

#[test]
fn a_worker_with_the_right_hash_is_installed_and_started() {
    let server = Server::new();
    let output = server.install(2, &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let calls = server.calls();
    assert_eq!(calls.matches("aws s3api get-object").count(), 3, "{calls}");
    assert!(calls.contains("--expected-bucket-owner 123456789012"), "{calls}");
    assert!(calls.ends_with("systemctl restart provision-tracking.service\n"), "{calls}");
    let root = server.at("root");
    let ran = Command::new(root.join("opt/provision/tracking/current/bootstrap")).output().unwrap();
    assert_eq!(ran.stdout, b"worker\n");
    let unit = fs::read_to_string(root.join("etc/systemd/system/provision-tracking.service")).unwrap();
    assert_eq!(unit, fs::read_to_string(folder().join("provision-tracking.service")).unwrap());
    let environment = root.join("etc/provision/tracking.env");
    assert_eq!(fs::metadata(&environment).unwrap().permissions().mode() & 0o777, 0o600);
    // A shell reads what is in double quotes as systemd does.
    let read = format!(". '{}'; printf '%s|%s' \"$QUEUE_URL\" \"$PROVISION_CONTEXT\"", environment.display());
    let read = Command::new("bash").args(["-c", &read]).output().unwrap();
    assert_eq!(String::from_utf8(read.stdout).unwrap(), format!("https://sqs/q|{CONTEXT}"));
    // The same once more fetches nothing.
    assert!(server.install(0, &[]).status.success());
    assert!(!server.calls().contains("aws"), "{}", server.calls());
}

#[test]
fn a_worker_with_another_hash_is_neither_installed_nor_started() {
    let server = Server::new();
    assert!(server.install(0, &[]).status.success());
    let current = server.at("root/opt/provision/tracking/current");
    let before = fs::read_link(&current).unwrap();
    let other = "0a".repeat(32);
    for (failures, changes, said) in [
        (0, &[("ARTIFACT_SHA256", other.as_str())][..], "has another hash than the launch template says"),
        (5, &[("ARTIFACT_SHA256", other.as_str())], "could not be fetched from artefacts after 5 attempts"),
        (0, &[("ARTIFACT_SHA256", "")], "has no hash"),
        (0, &[("ARTIFACT_SHA256", "../../etc")], "is not 64 hexadecimal digits"),
        (0, &[("QUEUE_URL", "")], "names no queue"),
        (0, &[("PROVISION_CONTEXT", "")], "is missing"),
    ] {
        let output = server.install(failures, changes);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && told.contains(said), "{said}: {told}");
        assert!(!server.calls().contains("systemctl"), "{said}: {}", server.calls());
        assert_eq!(fs::read_link(&current).unwrap(), before);
    }
    assert_eq!(fs::read_dir(server.at("root/opt/provision/tracking")).unwrap().count(), 2);
}

#[test]
fn the_script_is_sound() {
    if !has("shellcheck") {
        return;
    }
    let output = Command::new("shellcheck").arg(folder().join("install.sh")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn the_unit_is_understood_and_confined() {
    if !has("systemd-analyze") {
        return;
    }
    let server = Server::new();
    let unit = fs::read_to_string(folder().join("provision-tracking.service")).unwrap();
    // The program is not on this machine.
    let file = server.at("provision-tracking.service");
    let program = "/opt/provision/tracking/current/bootstrap";
    assert!(unit.contains(program));
    fs::write(&file, unit.replace(program, "/bin/true")).unwrap();
    let verified = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&file).output().unwrap();
    let told = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(verified.status.success() && !told.contains("provision-tracking"), "{told}");
    // Exposure from 0 to 100: a unit that says nothing has 96.
    let security = ["security", "--offline=true", "--no-pager", "--threshold=15"];
    let judged = Command::new("systemd-analyze").args(security).arg(&file).output().unwrap();
    assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stdout));
}
