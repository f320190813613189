//! Logins by PAM itself, with the file of `sshd` as the script of the first start leaves it: the library asks nobody and needs no rights.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use replaced::Replaced as _;

use super::{files, tool, whole, write};

/// Opens and closes a session as `sshd` does: folder of PAM's files, then variables of the session. It prints what PAM answered.
const LOGIN: &str = r#"
import ctypes, sys
pam = ctypes.CDLL("libpam.so.0")
RHOST = 4
class Conversation(ctypes.Structure):
    _fields_ = [("ask", ctypes.c_void_p), ("data", ctypes.c_void_p)]
handle = ctypes.c_void_p()
def expect(what, answer):
    print(what, answer)
folder, variables = sys.argv[1].encode(), sys.argv[2:]
conversation = Conversation()
expect("start", pam.pam_start_confdir(b"sshd", b"ops", ctypes.byref(conversation), folder, ctypes.byref(handle)))
expect("host", pam.pam_set_item(handle, RHOST, ctypes.c_char_p(b"203.0.113.7")))
for variable in variables:
    expect("variable", pam.pam_putenv(handle, variable.encode()))
expect("open", pam.pam_open_session(handle, 0))
expect("close", pam.pam_close_session(handle, 0))
expect("end", pam.pam_end(handle, 0))
"#;

/// Writes a program that everybody may run.
fn program(folder: &Path, name: &str, content: &str) {
    write(folder, name, content);
    fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
}

/// Opens a session; returns how long that took, and the text of the publishing, or none if none comes within a time.
fn login(folder: &Path, most: Duration) -> (Duration, Option<String>) {
    let said = folder.join("said");
    let path = format!("PATH={}:{}", folder.display(), env::var("PATH").unwrap());
    let start = Instant::now();
    let told = Command::new("python3")
        .args(["-c", LOGIN, folder.to_str().unwrap(), &path, &format!("SAID={}", said.display())])
        .output()
        .unwrap();
    let took = start.elapsed();
    let told = String::from_utf8_lossy(&told.stdout).into_owned() + &String::from_utf8_lossy(&told.stderr);
    let answers: Vec<&str> = told.lines().collect();
    assert_eq!(answers, ["start 0", "host 0", "variable 0", "variable 0", "open 0", "close 0", "end 0"], "{told}");
    let until = Instant::now() + most;
    while !said.exists() && Instant::now() < until {
        thread::sleep(Duration::from_millis(50));
    }
    (took, fs::read_to_string(&said).ok())
}

#[test]
fn a_login_by_pam_is_told_and_neither_refused_nor_delayed_whatever_the_publishing_does() {
    if Command::new("python3")
        .args(["-c", "import ctypes; ctypes.CDLL('libpam.so.0').pam_start_confdir"])
        .output()
        .map_or(true, |run| !run.status.success())
    {
        println!("not run: this machine has no PAM, or no Python");
        return;
    }
    // In place of AWS's command line: what it is asked for is written down as a whole.
    let says = "#!/bin/sh\necho \"$*\" >\"$SAID.part\"\nmv \"$SAID.part\" \"$SAID\"\n";
    for (publishing, is_told) in [
        (Some(format!("{says}exit 0\n")), true),
        (Some(format!("{says}exit 255\n")), true),
        (Some(format!("{says}sleep 25\n")), true),
        (None, false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let alert = folder.join("provision-login-alert");
        let sshd = write(folder, "sshd", "session required pam_permit.so\n");
        tool("sh", &[&write(folder, "provision-pam", &files(&whole())["provision-pam"]), &sshd]);
        let line = fs::read_to_string(&sshd).unwrap();
        fs::write(&sshd, line.replaced("/usr/local/sbin/provision-login-alert", alert.to_str().unwrap())).unwrap();
        if let Some(publishing) = &publishing {
            program(folder, "provision-login-alert", &files(&whole())["provision-login-alert"]);
            program(folder, "aws", publishing);
        }
        let most = Duration::from_secs(if is_told { 60 } else { 0 });
        let (took, said) = login(folder, most);
        assert!(took < Duration::from_secs(15), "the login waited for {took:?}: {publishing:?}");
        assert_eq!(said.is_some(), is_told, "{publishing:?}");
        for part in ["sns publish --region eu-west-1", "ops signed in to ", " from 203.0.113.7 at 20"] {
            assert!(said.as_ref().is_none_or(|said| said.contains(part)), "`{part}` is missing in {said:?}");
        }
    }
}
