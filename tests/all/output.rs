//! Tests broken output: a closed pipe, a full disk; and wrong arguments.

use std::{
    fs::OpenOptions,
    io::{BufRead, BufReader},
};

use insta::assert_snapshot;

use crate::harness::Folder;

#[test]
fn a_reader_who_has_seen_enough_ends_it_quietly() {
    let folder = Folder::new();
    for number in 0..500 {
        folder.write(&format!("mails/{number}.eml"), "From: a@stranger.example\nSubject: hello\n\nhello\n");
    }
    let mut child = folder.command(&["parse", "--json", "mails"]).spawn().unwrap();
    let mut first = String::new();
    BufReader::with_capacity(1, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(first.starts_with(r#"{"file":"mails/0.eml""#), "{first}");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn a_full_disk_is_an_error() {
    let folder = Folder::new();
    folder.write("a.eml", "From: a@stranger.example\nSubject: hello\n\nhello\n");
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = folder.command(&["parse", "a.eml"]).stdout(full).spawn().unwrap().wait_with_output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(errors.starts_with("error: Failed to write to standard output"), "{errors}");
}

#[test]
fn wrong_arguments_are_exit_code_2() {
    assert_snapshot!(Folder::new().run(&["parse"]).shown(), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the following required arguments were not provided:
      <FILE>...

    Usage: provision parse <FILE>...

    For more information, try '--help'.
    ");
    assert_eq!(Folder::new().run(&["validat"]).code(), Some(2));
    assert_eq!(Folder::new().run(&["parse", "--help"]).code(), Some(0));
}

#[test]
fn there_is_no_colour_without_a_terminal() {
    let run = Folder::with_declaration("stak: x\n").run(&["validate"]);
    assert!(!run.stderr().contains('\x1b'), "{run}");
}

/// A terminal has 80 columns at least, and so have a manual page and a mail.
#[test]
fn the_help_of_every_command_fits_eighty_columns() {
    let folder = Folder::new();
    let whole = folder.run(&["--help"]).stdout();
    let commands = whole.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let is_command = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
    let names: Vec<&str> = commands.filter(is_command).filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        let text = folder.run(&["help", name]).stdout();
        let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(!text.is_empty() && wide.is_empty(), "{name}: {wide:#?}");
    }
}
