//! The value of a secret is given to AWS, and to nothing else.

use std::{fs, path::Path, thread::sleep, time::Duration};

use super::{EVERYTHING, Trial, VALUE};
use crate::harness::replaced;

/// Returns the files below a folder that contain the value.
fn holding(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if fs::read(&path).is_ok_and(|bytes| bytes.windows(VALUE.len()).any(|one| one == VALUE.as_bytes())) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[test]
fn a_value_is_nowhere_but_in_the_secret() {
    // What Cargo writes is looked at too.
    let of_a_crate = replaced(EVERYTHING, &[("use: standin", "crate: standin")]);
    let Some(trial) = Trial::new(&of_a_crate) else { return };
    trial.proxy.delay(Duration::from_millis(20));
    for arguments in [
        &["up", "--yes", "-vv"][..],
        &["diff", "--json"],
        &["up", "--yes", "--json", "--set-secret", "token"],
        &["down", "--confirm", "circuits", "--json"],
    ] {
        let mut child = trial.command(arguments).spawn().unwrap();
        let mut listed = String::new();
        while child.try_wait().unwrap().is_none() {
            listed.push_str(&fs::read_to_string(format!("/proc/{}/cmdline", child.id())).unwrap_or_default());
            sleep(Duration::from_millis(10));
        }
        let run = trial.folder.finish(arguments, child.wait_with_output().unwrap());
        assert_eq!(run.code(), Some(0), "{run}");
        for (what, text) in [("standard output", run.stdout()), ("standard error", run.stderr()), ("arguments", listed)]
        {
            assert!(!text.contains(VALUE), "the value is in {what} of {arguments:?}");
        }
        if arguments[0] == "up" {
            let value = trial.account.wait(trial.account.secrets.get_secret_value().secret_id("circuits-token").send());
            assert_eq!(value.unwrap().secret_string(), Some(VALUE));
        }
    }
    assert_eq!(holding(&trial.folder.path("")), Vec::<String>::new());
    assert_eq!(holding(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/standin/target")), Vec::<String>::new());
}

#[test]
fn a_missing_value_is_told_before_anything_changes() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let mut command = trial.command(&["up", "--yes"]);
    let run = trial.folder.finish(&["up", "--yes"], command.env_remove("TRY_TOKEN").output().unwrap());
    assert_eq!(run.code(), Some(2), "{run}");
    assert!(run.stderr().contains("`TRY_TOKEN`"), "{run}");
    assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());
}

#[test]
fn a_value_is_written_once_and_again_only_when_asked() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    let account = &trial.account;
    account
        .wait(account.secrets.put_secret_value().secret_id("circuits-token").secret_string("rotated").send())
        .unwrap();
    trial.is_converged();
    let read = || account.wait(account.secrets.get_secret_value().secret_id("circuits-token").send()).unwrap();
    assert_eq!(read().secret_string(), Some("rotated"), "a rotated value is not ours to mend");
    trial.expect(0, &["up", "--yes", "--set-secret", "token"]);
    assert_eq!(read().secret_string(), Some(VALUE));
    let run = trial.expect(2, &["up", "--yes", "--set-secret", "tokn"]);
    assert!(run.stderr().contains("did you mean `token`?"), "{run}");
}
