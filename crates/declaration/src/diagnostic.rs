//! The diagnostics of a declaration: all at once, each with its place in the file and a hint.

use contract::count::counted;
use std::{
    fmt,
    ops::Range,
    path::{Path, PathBuf},
};

/// One mistake in a declaration, or a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Place in the source, in bytes.
    pub span: Range<usize>,
    /// The mistake, in one line without a full stop.
    pub message: String,
    /// Advice on how to mend it; `None` if the message says it.
    pub hint: Option<String>,
    /// `true` if the source there may hold a secret by mistake, and must not be shown.
    pub is_concealed: bool,
    /// `true` for a warning: the declaration is valid all the same.
    pub is_warning: bool,
}

impl Diagnostic {
    /// Returns a mistake at a place.
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), hint: None, is_concealed: false, is_warning: false }
    }

    /// Returns a warning: valid, but perhaps not meant.
    pub fn warning(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { is_warning: true, ..Self::new(span, message) }
    }

    /// Adds the hint: what to do about the mistake.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Returns the diagnostic without its copy of the source, which may hold a secret by mistake.
    #[must_use]
    pub fn concealed(self) -> Self {
        Self { is_concealed: true, ..self }
    }
}

/// Everything that is wrong with one file, in the order of the file; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics {
    file: PathBuf,
    source: String,
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Collects the diagnostics of a file, in the order of their places.
    pub fn new(file: &Path, source: &str, mut list: Vec<Diagnostic>) -> Self {
        for diagnostic in &mut list {
            let start = whole_character(source, diagnostic.span.start);
            diagnostic.span = start..whole_character(source, diagnostic.span.end).max(start);
        }
        list.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end));
        Self { file: file.to_owned(), source: source.to_owned(), list }
    }

    /// Returns the path of the file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Returns the content of the file.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns the diagnostics, in the order of the file.
    pub fn list(&self) -> &[Diagnostic] {
        &self.list
    }

    /// Returns line and column of a byte, both from 1; the column counts characters.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.source.get(..offset).unwrap_or(&self.source);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }

    /// Returns a line of the source, counted from 1, without its end.
    pub fn line(&self, number: usize) -> &str {
        self.source.lines().nth(number.saturating_sub(1)).unwrap_or_default()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.list.iter().filter(|diagnostic| !diagnostic.is_warning).count();
        write!(formatter, "Failed to read `{}`: {}", self.file.display(), counted(count, "error"))
    }
}

impl std::error::Error for Diagnostics {}

fn whole_character(source: &str, offset: usize) -> usize {
    let mut offset = offset.min(source.len());
    while !source.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}
