//! Tests the same commands on a terminal and through a pipe: who is asked, what moves, and what stays on the screen.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Read, Write},
    path::Path,
    process::Child,
};

use rustix::{
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};

use super::{EVERYTHING, Trial};
use crate::harness::replaced;

/// Returns a pseudo-terminal: the side of the person, and that of the program.
pub(crate) fn terminal() -> (File, File) {
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&person).unwrap();
    unlockpt(&person).unwrap();
    let name = ptsname(&person, Vec::new()).unwrap();
    let program = OpenOptions::new().read(true).write(true).open(Path::new(name.to_str().unwrap())).unwrap();
    (File::from(person), program)
}

/// Runs a command on a terminal, and types an answer when it asks; returns the exit code and everything that was shown.
fn typed(trial: &Trial, arguments: &[&str], answer: &str) -> (Option<i32>, String) {
    asked(trial, arguments, |person, _| writeln!(person, "{answer}").unwrap())
}

/// Runs a command on a terminal, and does something each time that it asks.
fn asked(trial: &Trial, arguments: &[&str], mut react: impl FnMut(&mut File, &Child)) -> (Option<i32>, String) {
    let (mut person, program) = terminal();
    let mut command = trial.command(arguments);
    command.env("TERM", "xterm-256color");
    command.stdin(program.try_clone().unwrap()).stdout(program.try_clone().unwrap()).stderr(program);
    let mut child = command.spawn().unwrap();
    drop(command);
    let (mut shown, mut questions, mut bytes) = (String::new(), 0, [0; 4096]);
    loop {
        match person.read(&mut bytes) {
            Ok(0) => break,
            Ok(count) => shown.push_str(&String::from_utf8_lossy(&bytes[..count])),
            // A terminal ends this way when its programs have ended.
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => panic!("{error}\n{shown}"),
        }
        if shown.matches("to confirm:").count() > questions {
            questions += 1;
            react(&mut person, &child);
        }
    }
    (child.wait().unwrap().code(), shown)
}

/// Runs a command on a terminal, and types one answer after the other, each when it is asked.
fn answers(trial: &Trial, arguments: &[&str], answers: &[&str]) -> (Option<i32>, String) {
    let mut left = answers.iter();
    asked(trial, arguments, |person, _| {
        if let Some(answer) = left.next() {
            writeln!(person, "{answer}").unwrap();
        }
    })
}

#[test]
fn a_person_agrees_to_a_loss_by_its_name_alone() {
    const BEFORE: &str =
        "stack: circuits\nregion: eu-west-1\nbuckets: {mail: {expire: 90d}}\nqueues: {failed: {retention: 14d}}\n";
    let Some(trial) = Trial::new(BEFORE) else { return };
    trial.up();
    trial.folder.write("infra.yaml", replaced(BEFORE, &[("90d", "30d"), ("14d", "4d")]));
    trial.proxy.reset();
    for declined in [&["yes"][..], &["y"], &["bucket/mail", "yes"], &["bucket/mail", "queue/failed", "no"]] {
        let (code, shown) = answers(&trial, &["up"], declined);
        assert_eq!(code, Some(1), "{shown}");
        assert!(shown.contains("bucket/mail shortens the life of data: lifecycle.expire_days.* 90 → 30"), "{shown}");
        assert!(shown.contains("Declined: nothing was changed"), "{shown}");
        assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());
    }
    let (code, shown) = answers(&trial, &["up"], &["bucket/mail", "queue/failed", "yes"]);
    assert_eq!(code, Some(0), "{shown}");
    trial.is_converged();
    // The general answer can be given before, the names cannot.
    trial.folder.write("infra.yaml", replaced(BEFORE, &[("90d", "10d"), ("14d", "4d")]));
    let (code, shown) = answers(&trial, &["up", "--yes"], &["bucket/mail"]);
    assert_eq!(code, Some(0), "{shown}");
}

/// Returns the final content of the screen: without colours, and without what was wiped.
fn seen(shown: &str) -> String {
    let plain = console::strip_ansi_codes(shown);
    plain.lines().map(|line| line.rsplit('\r').next().unwrap_or(line).trim_end().to_owned() + "\n").collect()
}

#[test]
fn a_person_is_asked_and_sees_how_it_goes() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let (code, shown) = typed(&trial, &["up"], "no");
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("Declined: nothing was changed"), "{shown}");
    assert_eq!(trial.proxy.mutating().len(), 0);
    let count = trial.diff()["resources"].as_array().unwrap().len();
    let (code, shown) = typed(&trial, &["up"], "yes");
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("\u{1b}[32m+"), "no colour: {shown:?}");
    assert!(shown.contains(&format!("/{count}")), "nothing that moves: {shown:?}");
    let seen = seen(&shown);
    assert!(seen.contains("Apply this plan? Type `yes` to confirm: yes"), "{seen}");
    assert!(seen.contains(&format!("Done: {count} created, 0 changed, 0 replaced, 0 deleted")), "{seen}");
    let (code, shown) = typed(&trial, &["down"], "circuit");
    assert_eq!(code, Some(1), "{shown}");
    let (code, shown) = typed(&trial, &["down"], "circuits");
    assert_eq!(code, Some(0), "{shown}");
}

#[test]
fn ctrl_c_ends_a_run_that_asks() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let interrupt = |_: &mut File, child: &Child| {
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(pid, Signal::INT).unwrap();
    };
    let (code, shown) = asked(&trial, &["up"], interrupt);
    assert_eq!(code, Some(130), "{shown}");
    assert_eq!(trial.proxy.mutating().len(), 0);
}

#[test]
fn nothing_moves_through_a_pipe_and_nothing_is_coloured() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    for arguments in [&["up", "--yes"][..], &["diff"], &["down", "--confirm", "circuits"]] {
        let run = trial.expect(0, arguments);
        for text in [run.stdout(), run.stderr()] {
            assert!(!text.contains(['\u{1b}', '\r']), "{text:?}");
        }
    }
}
