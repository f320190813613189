//! Text in lines, and the tools that read "Label: value" out of it.

use regex::Regex;

use super::{
    failure::Failure,
    found::{Found, Place},
};

/// Text in lines, whether it was text from the start or HTML. White space inside a line is folded, ends are trimmed.
#[derive(Debug, Clone)]
pub struct Lines {
    lines: Vec<String>,
    of_page: bool,
}

impl Lines {
    /// The lines of a text/plain body.
    pub fn of_text(text: &str) -> Self {
        Self { lines: text.lines().map(fold).collect(), of_page: false }
    }

    /// Lines that were rendered from HTML.
    pub fn of_page(lines: Vec<String>) -> Self {
        Self { lines, of_page: true }
    }

    /// Every line with its place, blank ones included.
    pub fn iter(&self) -> impl Iterator<Item = (Place, &str)> {
        self.lines.iter().enumerate().map(|(index, line)| (self.place(index), line.as_str()))
    }

    /// The whole text, lines separated by line feeds.
    pub fn joined(&self) -> String {
        self.lines.join("\n")
    }

    /// The place of a line, counted from 0.
    pub fn place(&self, index: usize) -> Place {
        if self.of_page { Place::Page { line: index + 1 } } else { Place::Text { line: index + 1 } }
    }

    /// What stands after the first occurrence of `label` at the start of a line; if nothing does, the next line that is not blank.
    /// The label is compared without case; a colon and quotation or list marks (`*`, `>`, `-`) around it are passed over.
    pub fn labelled(&self, label: &str) -> Option<Found<String>> {
        self.all_labelled(label).into_iter().next()
    }

    /// Like [`Lines::labelled`], a failure that names the label where it is missing.
    pub fn expect(&self, label: &str) -> Result<Found<String>, Failure> {
        self.labelled(label).ok_or_else(|| Failure::missing(format!("a line `{label}`")))
    }

    /// Like [`Lines::labelled`], every occurrence.
    pub fn all_labelled(&self, label: &str) -> Vec<Found<String>> {
        let mut found = Vec::new();
        for (index, line) in self.lines.iter().enumerate() {
            let Some(rest) = after_label(line, label) else { continue };
            let next = || self.lines.iter().enumerate().skip(index + 1).find(|(_, line)| !line.is_empty());
            if !rest.is_empty() {
                found.push(Found {
                    value: rest.to_owned(),
                    place: self.place(index),
                    quote: super::found::quote(line),
                });
            } else if let Some((below, line)) = next() {
                found.push(Found::text(line, self.place(below)));
            }
        }
        found
    }

    /// The first match of the pattern within one line; the value is its first group, or the whole match.
    pub fn matching(&self, pattern: &Regex) -> Option<Found<String>> {
        self.all_matching(pattern).into_iter().next()
    }

    /// Every match of the pattern, line by line; the value is its first group, or the whole match.
    pub fn all_matching(&self, pattern: &Regex) -> Vec<Found<String>> {
        let mut found = Vec::new();
        for (place, line) in self.iter() {
            for captures in pattern.captures_iter(line) {
                let value = captures.get(1).or_else(|| captures.get(0)).map_or("", |text| text.as_str());
                found.push(Found {
                    value: value.trim().to_owned(),
                    place: place.clone(),
                    quote: super::found::quote(line),
                });
            }
        }
        found
    }
}

/// Folds white space (no-break spaces too) and trims.
pub(in crate::maintenance) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    folded
}

fn after_label<'line>(line: &'line str, label: &str) -> Option<&'line str> {
    let line = line.trim_start_matches(['*', '>', '-', '•', ' ']);
    let start = line.get(..label.len())?;
    if !start.eq_ignore_ascii_case(label) {
        return None;
    }
    let rest = &line[label.len()..];
    let boundary = label.ends_with(':') || !rest.starts_with(|next: char| next.is_alphanumeric());
    boundary.then(|| rest.trim_matches(|mark: char| matches!(mark, ':' | '*' | ' ')))
}
