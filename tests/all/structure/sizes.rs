//! Tests that files and functions stay as short as `docs/style.md` asks: what is longer is split when it is written.

use std::{fs, path::Path, process::Command};

use super::repository;

/// Lines that a source file may have without its tests. The page asks for about 400.
const LONGEST_FILE: usize = 450;
/// Lines that a file of tests may have: a table is read row by row.
const LONGEST_TESTS: usize = 550;
/// Lines that the body of a function may have, but for tests. The page asks for about 40.
const LONGEST_FUNCTION: usize = 50;

/// Returns the Rust files of the repository: paths and texts.
fn sources() -> Vec<(String, String)> {
    let output = Command::new("git").args(["ls-files", "*.rs"]).current_dir(repository()).output().unwrap();
    let files = String::from_utf8(output.stdout).unwrap();
    // One that was removed is listed until that is committed.
    let read = |file: &str| Some((file.to_owned(), fs::read_to_string(repository().join(file)).ok()?));
    let sources: Vec<_> = files.lines().filter_map(read).collect();
    assert!(sources.len() > 1000, "{}", sources.len());
    sources
}

/// Returns whether a file has tests alone.
fn is_test(file: &str) -> bool {
    let mut folders = Path::new(file).iter();
    folders.any(|part| ["tests", "simulated", "benches"].iter().any(|folder| part == *folder))
        || file.ends_with("tests.rs")
}

/// Returns a file's lines without its tests at its end.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()
}

#[test]
fn no_file_is_longer_than_a_head_can_hold() {
    let mut long = Vec::new();
    for (file, text) in sources() {
        let (lines, most) = if is_test(&file) {
            (text.lines().count(), LONGEST_TESTS)
        } else {
            (without_tests(&text).lines().count(), LONGEST_FILE)
        };
        if lines > most {
            long.push(format!("{file}: {lines} lines, at most {most}"));
        }
    }
    assert!(long.is_empty(), "split them by what they are about:\n{}", long.join("\n"));
}

/// Returns each function's name and the number of lines between its braces. `rustfmt` closes a body below the `fn` that opens it.
fn functions(text: &str) -> Vec<(&str, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut functions = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let declared = line.trim_start();
        let Some((before, after)) = declared.split_once("fn ") else { continue };
        let is_function = before.split(' ').all(|word| {
            word.is_empty() || ["const", "async", "unsafe", "extern"].contains(&word) || word.starts_with("pub")
        });
        let (name, _) = after.split_once(['(', '<']).unwrap_or((after, ""));
        let closing = format!("{}}}", &line[..line.len() - declared.len()]);
        let end = lines[at..].iter().position(|line| *line == closing);
        let begin = lines[at..].iter().position(|line| line.ends_with('{'));
        if let (true, Some(begin), Some(end)) = (is_function, begin, end)
            && begin < end
            && !lines[at..at + begin].iter().any(|line| line.ends_with(['}', ';']))
        {
            functions.push((name, end - begin - 1));
        }
    }
    functions
}

#[test]
fn no_function_is_longer_than_a_screen() {
    let (mut count, mut long) = (0, Vec::new());
    for (file, text) in sources().iter().filter(|(file, _)| !is_test(file)) {
        for (name, lines) in functions(without_tests(text)) {
            count += 1;
            if lines > LONGEST_FUNCTION {
                long.push(format!("{file}: `{name}` has {lines} lines, at most {LONGEST_FUNCTION}"));
            }
        }
    }
    assert!(count > 4000, "{count} functions: too few are found");
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn functions_are_measured() {
    let text = "\
pub(crate) async fn one<T>(
    a: u8,
) -> u8
where
    T: Copy,
{
    a
}
trait Two {
    fn without_a_body(&self);
    fn with_one(&self) {
        let inner = || {
            1
        };
        inner();
    }
    const fn empty() {}
}
// the fn is none
";
    assert_eq!(functions(text), [("one", 1), ("with_one", 4)]);
}
