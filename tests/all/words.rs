//! Tests the first lines of doc comments in every Rust source: docs/style.md says how they read, and habits come back unless a test
//! finds them.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

/// Words that hide the noun of a sentence which they open.
const RIDDLES: [&str; 4] = ["What", "Whose", "Whether", "Those"];
/// Number of words up to which a paragraph rarely says more than the name below it.
const FEW: usize = 3;
/// Number of such paragraphs that are right and complete, such as `/// HTTP methods.` This number may only fall.
const SHORT: usize = 47;

/// The first line of a paragraph in a doc comment.
#[derive(Debug, PartialEq, Eq)]
struct Opening {
    file: PathBuf,
    /// Number of the line in the file, from 1.
    line: usize,
    text: String,
    /// `true` if the paragraph has no other line.
    is_alone: bool,
}

impl fmt::Display for Opening {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.file.display(), self.line, self.text)
    }
}

impl Opening {
    fn is_riddle(&self) -> bool {
        let word = self.text.split(|letter: char| !letter.is_alphanumeric()).next();
        word.is_some_and(|word| RIDDLES.contains(&word))
    }

    fn is_short(&self) -> bool {
        self.is_alone && self.text.split_whitespace().count() <= FEW
    }
}

/// Returns the text of a line of a doc comment, with its marker; `None` for other lines.
fn documentation(line: &str) -> Option<(&'static str, &str)> {
    let line = line.trim();
    let text = |marker| line.strip_prefix(marker).map(|text: &str| (marker, text.trim()));
    if line.starts_with("////") { None } else { text("///").or_else(|| text("//!")) }
}

/// Returns the first lines of the paragraphs in a source's doc comments, without headings and examples.
fn openings(file: &Path, source: &str) -> Vec<Opening> {
    let mut found: Vec<Opening> = Vec::new();
    let (mut marker_before, mut goes_on, mut is_example) = ("", false, false);
    for (index, line) in source.lines().enumerate() {
        let Some((marker, text)) = documentation(line) else {
            (marker_before, goes_on, is_example) = ("", false, false);
            continue;
        };
        goes_on &= marker == marker_before;
        marker_before = marker;
        if text.starts_with("```") {
            (is_example, goes_on) = (!is_example, true);
        } else if text.is_empty() {
            goes_on = false;
        } else if goes_on {
            if let Some(last) = found.last_mut().filter(|_| !is_example) {
                last.is_alone = false;
            }
        } else if !is_example {
            goes_on = true;
            if !text.starts_with('#') {
                let text = text.to_owned();
                found.push(Opening { file: file.to_owned(), line: index + 1, text, is_alone: true });
            }
        }
    }
    found
}

/// Returns the first lines of all paragraphs in the doc comments of the repository.
fn all() -> Vec<Opening> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "crates", "handler", "tests"] {
        collect(&root.join(folder), &mut files);
    }
    files.sort();
    let read = |file: &PathBuf| openings(file.strip_prefix(root).unwrap(), &fs::read_to_string(file).unwrap());
    let found: Vec<_> = files.iter().flat_map(read).collect();
    assert!(found.len() > 5000, "{} in {} files", found.len(), files.len());
    found
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn listed<'found>(found: impl IntoIterator<Item = &'found Opening>) -> String {
    found.into_iter().fold(String::new(), |listed, one| listed + "\n" + &one.to_string())
}

#[test]
fn no_documentation_opens_with_a_word_that_hides_its_noun() {
    let all = all();
    let riddles: Vec<_> = all.iter().filter(|one| one.is_riddle()).collect();
    let list = listed(riddles.iter().copied());
    assert!(riddles.is_empty(), "say what the item is or does (docs/style.md):{list}");
}

#[test]
fn hardly_any_documentation_is_as_short_as_a_name() {
    let all = all();
    let short: Vec<_> = all.iter().filter(|one| one.is_short()).collect();
    let (count, list) = (short.len(), listed(short.iter().copied()));
    let advice = "say what the name does not: shape, unit, source, `None` (docs/style.md)";
    assert!(count <= SHORT, "{count} doc comments of {FEW} words or fewer, {SHORT} are allowed; {advice}:{list}");
}

#[test]
fn riddles_and_short_lines_are_found_where_paragraphs_begin() {
    let source = "\
head> Reads stacks.
head>
head> Whether it goes on
head> What follows is no first line.
head>
head> # Errors
head>
head> ```
head> // Whose example is this?
head>
head> What
head> ```
doc> What is meant.
struct One {
    doc> The stack.
    #[serde(skip)]
    stack: Stack,
    /doc> Those are no documentation.
    // What is a comment.
    doc> Whatever the stack has, by name.
    names: Names,
    doc> Two words
    doc> and two more.
    more: u8,
}
";
    // The sample is no documentation of this file.
    let source = source.replace("doc>", "///").replace("head>", "//!");
    let found = openings(Path::new("one.rs"), &source);
    let lines = |is: fn(&Opening) -> bool| found.iter().filter(|one| is(one)).map(|one| one.line).collect::<Vec<_>>();
    assert_eq!(lines(Opening::is_riddle), [3, 13]);
    assert_eq!(lines(Opening::is_short), [1, 13, 15]);
    assert_eq!(listed(&found[..1]), "\none.rs:1: Reads stacks.");
}
