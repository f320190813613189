//! Tests the file itself: created by `init`, missing, empty, in another encoding, not YAML, or more of YAML than plain
//! data.

use insta::assert_snapshot;

use super::{SOUND, validate, with};
use crate::harness::Folder;

#[test]
fn a_declaration_to_begin_with_is_written_once() {
    let folder = Folder::new();
    let shown = folder.run(&["init", "--dry-run"]);
    let expected = crate::harness::replaced(include_str!("../../../infra.yaml"), &[("    crate: ", "    use: ")]);
    assert_eq!((shown.code(), shown.stdout()), (Some(0), expected), "{shown}");
    assert!(!folder.path("infra.yaml").exists(), "a dry run writes nothing");
    for (arguments, stack) in [(&["init"][..], "circuit-maintenance"), (&["init", "--example", "echo"], "echo")] {
        let folder = Folder::new();
        let run = folder.run(arguments);
        assert_eq!((run.code(), run.stdout().as_str()), (Some(0), ""), "{run}");
        assert_eq!(run.stderr().trim_end(), "Wrote infra.yaml; `provision validate` checks it");
        assert!(folder.run(&["validate"]).stdout().contains(&format!("valid; stack {stack} in")));
    }
    let folder = Folder::with_declaration("mine: true\n");
    assert_snapshot!(folder.run(&["init"]).shown(), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: Failed to write `infra.yaml`
      because: File exists (os error 17)
    hint: nothing is overwritten; name another file with `-f FILE`
    ");
    assert_eq!(std::fs::read_to_string(folder.path("infra.yaml")).unwrap(), "mine: true\n");
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_with_its_cause() {
    let folder = Folder::new();
    assert_snapshot!(folder.run(&["validate"]).shown(), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: Failed to read the declaration `infra.yaml`
      because: No such file or directory (os error 2)
    hint: pass the declaration with `-f FILE`, or create one with `provision init`
    ");
    assert_snapshot!(folder.run(&["validate", "-f", "."]).shown(), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: Failed to read the declaration `.`
      because: Is a directory (os error 21)
    ");
}

#[test]
fn an_empty_declaration_says_how_to_begin() {
    assert_snapshot!(validate("").shown(), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    infra.yaml:1:1: error: nothing is declared
      |
    1 |
      | ^
      |
      = hint: begin with `stack: NAME` and `region: REGION`

    error: Failed to read `infra.yaml`: 1 error
    ");
    assert_snapshot!(validate("# a comment\n").diagnostics().concat(), @"infra.yaml:1:1: error: nothing is declared");
}

#[test]
fn a_declaration_that_is_no_mapping_says_so() {
    assert_snapshot!(validate("- a\n- b\n").shown(), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    infra.yaml:1:1: error: the declaration must be a mapping (`key: value`), not a list
      |
    1 | - a
      | ^

    error: Failed to read `infra.yaml`: 1 error
    ");
}

#[test]
fn what_is_not_utf8_is_shown_where_it_begins() {
    assert_snapshot!(validate(b"stack: circuits\nregion: eu\xff-west-1\n").shown(), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    infra.yaml:2:11: error: not UTF-8 from here on
      |
    2 | region: eu�-west-1
      |           ^
      |
      = hint: save the file as UTF-8

    error: Failed to read `infra.yaml`: 1 error
    ");
}

#[test]
fn a_syntax_error_is_shown_where_it_is() {
    assert_snapshot!(validate("stack: circuits\nbuckets:\n\tmail: {}\n").shown(), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    infra.yaml:3:2: error: not valid YAML: tabs disallowed within this context (block indentation)
      |
    3 |     mail: {}
      |     ^
      |
      = hint: indent with spaces: YAML allows no tabs there

    error: Failed to read `infra.yaml`: 1 error
    ");
    assert_snapshot!(validate("stack: circuits\nbuckets: {mail: {expire: 4d}\nregion: x\n").shown(), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    infra.yaml:3:1: error: not valid YAML: while parsing a flow mapping, did not find expected ',' or '}'
      |
    3 | region: x
      | ^

    error: Failed to read `infra.yaml`: 1 error
    ");
}

#[test]
fn a_repeated_key_is_refused() {
    assert_snapshot!(with("    timeout: 30s\n", "    timeout: 30s\n    timeout: 40s\n").shown(), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    infra.yaml:11:5: error: key `timeout` is there twice in function `maintenance`
       |
    11 |     timeout: 40s
       |     ^^^^^^^
       |
       = hint: remove one of them

    error: Failed to read `infra.yaml`: 1 error
    ");
}

#[test]
fn yaml_beyond_plain_data_is_refused() {
    assert_snapshot!(with("mail: {expire: 400d}", "mail: &kept {expire: 400d}").diagnostics().concat(), @"infra.yaml:4:15: error: anchors and aliases are not supported");
    assert_snapshot!(with("reads: [mail]", "reads: *kept").diagnostics().concat(), @"infra.yaml:13:12: error: anchors and aliases are not supported");
    assert_snapshot!(validate(SOUND.replacen("    timeout: 30s", "    <<: {timeout: 30s}", 1)).diagnostics().concat(), @"infra.yaml:10:5: error: unknown key `<<` in function `maintenance`");
    assert_snapshot!(with("timeout: 30s", "timeout: !duration 30s").diagnostics().concat(), @"infra.yaml:10:24: error: tags are not supported");
    assert_snapshot!(validate(format!("{SOUND}---\nstack: another\n")).diagnostics().concat(), @"infra.yaml:24:1: error: a second document begins here");
}

#[test]
fn a_bomb_is_refused_before_it_goes_off() {
    let lines: Vec<_> = (1..40).map(|n| format!("a{n}: &a{n} [*a{0}, *a{0}, *a{0}]\n", n - 1)).collect();
    assert_snapshot!(validate(format!("a0: &a0 [x]\n{}", lines.concat())).diagnostics().concat(), @"infra.yaml:1:9: error: anchors and aliases are not supported");
    assert_snapshot!(validate(format!("stack: {}", "[".repeat(100_000))).diagnostics().concat(), @"infra.yaml:1:263: error: not valid YAML: recursion limit exceeded");
    assert_snapshot!(validate(format!("stack: {}{}", "{a: ".repeat(200), "}".repeat(200))).diagnostics().concat(), @"infra.yaml:1:100: error: nested more than 24 levels deep");
    assert_snapshot!(validate(format!("stack: [{}]", "1, ".repeat(100_000))).diagnostics().concat(), @"infra.yaml:1:150000: error: more than 50000 keys and values");
    assert_snapshot!(validate("x".repeat(2 * 1024 * 1024)).stderr(), @"error: Failed to read the declaration `infra.yaml`: it is larger than 1 MiB");
}
