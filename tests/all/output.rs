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
fn what_was_typed_wrongly_is_exit_code_2() {
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
