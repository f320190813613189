//! Tests `provision dev` on a terminal: its tables fit.

use std::{
    io::{ErrorKind, Read},
    process::{Command, Stdio},
};

use super::session::{Run, mail};
use crate::stack::terminal::terminal;

/// Runs `dev --once` on a terminal of that width; returns what its standard output shows.
fn shown(run: &Run, columns: usize) -> String {
    let (mut person, program) = terminal();
    let size = Command::new("stty").args(["cols", &columns.to_string()]).stdin(program.try_clone().unwrap()).status();
    assert!(size.unwrap().success());
    let mut command = run.command_once();
    command.stdout(program).stderr(Stdio::null()).env("TERM", "xterm-256color").env("NO_COLOR", "1");
    let mut child = command.spawn().unwrap();
    drop(command);
    let (mut shown, mut bytes) = (Vec::new(), [0; 4096]);
    loop {
        match person.read(&mut bytes) {
            Ok(0) => break,
            Ok(count) => shown.extend_from_slice(&bytes[..count]),
            // A terminal ends this way when its programs have ended.
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => panic!("{error}"),
        }
    }
    child.wait().unwrap();
    String::from_utf8(shown).unwrap()
}

#[test]
fn tables_fit_the_terminal() {
    for columns in [80, 120] {
        let run = Run::new()
            .mail("a.eml", mail("report delivered"))
            .mail("a-file-with-a-very-long-name-that-alone-would-take-half-of-the-line.eml", mail("error"))
            .mail("回線工事のお知らせ回線工事のお知らせ回線工事のお知らせ.eml", mail("report for_person"));
        let shown = shown(&run, columns);
        let (activity, summary) = shown.split_once("\r\n\r\n").expect(&shown);
        let of_tables = |line: &&str| line.split_once(' ').is_some_and(|(_, rest)| rest.starts_with("  "));
        let tables: Vec<_> = activity.lines().filter(of_tables).chain(summary.lines()).collect();
        assert!(summary.contains("outcome") && tables.iter().any(|line| line.contains("CHG-1")), "{shown}");
        for line in tables {
            let width = console::measure_text_width(line.trim_end());
            assert!(width <= columns, "{width} of {columns} columns: {line}\n{shown}");
        }
    }
}
