//! Text in lines, and the tools that read "Label: value" out of it.

use std::collections::BTreeMap;

use regex::Regex;

use super::{
    failure::Failure,
    found::{Found, Place},
    white_space::fold,
};

/// Text in lines, whether it was text from the start or HTML. White space inside a line is folded, ends are trimmed.
#[derive(Debug, Clone)]
pub struct Lines {
    folded: Vec<String>,
    of_page: bool,
    /// The lines whose white space was folded as they are written, by their place in `folded`.
    written: BTreeMap<usize, String>,
}

impl Lines {
    /// Returns the lines of a text/plain body.
    pub fn of_text(text: &str) -> Self {
        Self { folded: text.lines().map(fold).collect(), of_page: false, written: BTreeMap::new() }
    }

    /// Lines that were rendered from HTML.
    pub fn of_page(lines: Vec<String>) -> Self {
        Self { folded: lines, of_page: true, written: BTreeMap::new() }
    }

    /// Returns the same lines, with those whose white space was folded as they are written, by their place from 0.
    #[must_use]
    pub fn with_written(self, written: BTreeMap<usize, String>) -> Self {
        Self { written, ..self }
    }

    /// Returns a value that ends its line, as it is written.
    pub fn as_written(&self, value: &Found<String>) -> String {
        let (Place::Page { line } | Place::Text { line }) = value.place else { return value.value.clone() };
        let Some(written) = self.written.get(&line.wrapping_sub(1)) else { return value.value.clone() };
        let before = written.split_whitespace().count().saturating_sub(value.value.split_whitespace().count());
        let mut rest = written.trim_start();
        for _ in 0..before {
            rest = rest.trim_start_matches(|character: char| !character.is_whitespace()).trim_start();
        }
        if fold(rest) == value.value { rest.trim_end().to_owned() } else { value.value.clone() }
    }

    /// Returns the text under the first `label` at the start of a line, up to the next line that begins with one of
    /// `ends`: the rest of its line and the lines below, without blank ones and marks of quotation. `None` without the
    /// label.
    pub fn section(&self, label: &str, ends: &[&str]) -> Option<Vec<Found<String>>> {
        Some(self.under(label, ends)?.filter(|line| !line.value.is_empty()).collect())
    }

    /// Returns a section as [`Lines::section`] does, but not beyond the first blank line.
    pub fn paragraph(&self, label: &str, ends: &[&str]) -> Option<Vec<Found<String>>> {
        Some(self.under(label, ends)?.take_while(|line| !line.value.is_empty()).collect())
    }

    fn under(&self, label: &str, ends: &[&str]) -> Option<impl Iterator<Item = Found<String>>> {
        let mut lines = self.folded.iter().enumerate();
        let (index, line, rest) =
            lines.find_map(|(index, line)| after_label(line, label).map(|rest| (index, line, rest)))?;
        let first = Found { value: rest.to_owned(), place: self.place(index), quote: super::found::quote(line) };
        let below = lines
            .take_while(move |(_, line)| !ends.iter().any(|end| after_label(line, end).is_some()))
            .map(|(index, line)| Found::text(line.trim_start_matches(['>', ' ']), self.place(index)));
        Some(std::iter::once(first).chain(below))
    }

    /// Returns every line with its place, blank ones included.
    pub fn iter(&self) -> impl Iterator<Item = (Place, &str)> {
        self.folded.iter().enumerate().map(|(index, line)| (self.place(index), line.as_str()))
    }

    /// Returns the lines from the salutation ("Dear …") to the first that begins with one of `ends`: the sentences that
    /// say what a notice is about. None without a salutation.
    pub fn opening(&self, ends: &[&str]) -> impl Iterator<Item = (Place, &str)> {
        let lines = self.iter().skip_while(|(_, line)| after_label(line, "Dear").is_none());
        lines.take_while(move |(_, line)| !ends.iter().any(|end| after_label(line, end).is_some()))
    }

    /// Returns the whole text, lines separated by line feeds.
    pub fn joined(&self) -> String {
        self.folded.join("\n")
    }

    /// Returns the place of a line, counted from 0.
    pub fn place(&self, index: usize) -> Place {
        if self.of_page { Place::Page { line: index + 1 } } else { Place::Text { line: index + 1 } }
    }

    /// Returns the text after the first `label` at the start of a line; if there is none, the next line that is not blank.
    /// The label is compared without case; a colon and quotation or list marks (`*`, `>`, `-`) around it are passed over.
    pub fn labelled(&self, label: &str) -> Option<Found<String>> {
        self.behind(|line| after_label(line, label)).next()
    }

    /// Returns the value as [`Lines::labelled`] does, or a failure that names the label where it is missing.
    pub fn expect(&self, label: &str) -> Result<Found<String>, Failure> {
        self.labelled(label).ok_or_else(|| Failure::missing(format!("a line `{label}`")))
    }

    /// Returns every value that [`Lines::labelled`] would find.
    pub fn all_labelled(&self, label: &str) -> Vec<Found<String>> {
        self.behind(|line| after_label(line, label)).collect()
    }

    /// Returns the values of every line whose label, without its colon, `says` accepts.
    pub fn all_labelled_by(&self, says: impl Fn(&str) -> bool) -> Vec<Found<String>> {
        self.behind(|line| after_label_by(line, &says)).collect()
    }

    /// Returns the text after each label that `after` finds, or on the next line that is not blank.
    fn behind<'lines>(
        &'lines self,
        after: impl Fn(&'lines str) -> Option<&'lines str>,
    ) -> impl Iterator<Item = Found<String>> {
        self.folded.iter().enumerate().filter_map(move |(index, line)| {
            let rest = after(line)?;
            if !rest.is_empty() {
                let quote = super::found::quote(line);
                return Some(Found { value: rest.to_owned(), place: self.place(index), quote });
            }
            let mut below = self.folded.iter().enumerate().skip(index + 1);
            let (below, line) = below.find(|(_, line)| !line.is_empty())?;
            Some(Found::text(line, self.place(below)))
        })
    }

    /// Returns the first match of the pattern within one line; the value is its first group, or the whole match.
    pub fn matching(&self, pattern: &Regex) -> Option<Found<String>> {
        self.matches(pattern).next()
    }

    /// Returns every match of the pattern, line by line; the value is its first group, or the whole match.
    pub fn all_matching(&self, pattern: &Regex) -> Vec<Found<String>> {
        self.matches(pattern).collect()
    }

    fn matches(&self, pattern: &Regex) -> impl Iterator<Item = Found<String>> {
        self.iter().flat_map(move |(place, line)| {
            pattern.captures_iter(line).map(move |captures| {
                let value = captures.get(1).or_else(|| captures.get(0)).map_or("", |text| text.as_str());
                let (value, quote) = (value.trim().to_owned(), super::found::quote(line));
                Found { value, place: place.clone(), quote }
            })
        })
    }
}

/// Returns the value of a line whose label `says` accepts.
fn after_label_by<'line>(line: &'line str, says: &impl Fn(&str) -> bool) -> Option<&'line str> {
    let (label, value) = line.trim_start_matches(['*', '>', '-', '•', ' ']).split_once(':')?;
    says(label).then_some(value.trim_matches(['*', ' ']))
}

/// The longest label: longer ones are sentences.
const LONGEST_LABEL: usize = 60;

/// Returns a line "Label: value" in its parts, without marks of quotation, lists and emphasis; the value may be empty.
/// `None` for a line that has no colon, or one in a time, an address or a sentence.
pub(crate) fn label_and_value(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start_matches(['*', '>', '-', '•', ' ']);
    let (label, value) = line.split_once(':')?;
    let label = label.trim_end_matches(['*', ' ']);
    let is_label = label.len() <= LONGEST_LABEL
        && label.chars().any(char::is_alphabetic)
        && !label.trim_end_matches('.').contains(['.', ',', '<', '@', '?', '!'])
        && !value.starts_with("//");
    let is_time =
        label.ends_with(|last: char| last.is_ascii_digit()) && value.starts_with(|next: char| next.is_ascii_digit());
    // An id such as `EX:LIS:17`.
    let is_id = value.contains(':') && !line.trim_end().contains(char::is_whitespace);
    (is_label && !is_time && !is_id).then(|| (label, value.trim_matches(['*', ' '])))
}

fn after_label<'line>(line: &'line str, label: &str) -> Option<&'line str> {
    let line = line.trim_start_matches(['*', '>', '-', '•', ' ']);
    // Most lines begin otherwise: every label is looked for in every line.
    let (first, expected) = (line.as_bytes().first()?, label.as_bytes().first()?);
    if !first.eq_ignore_ascii_case(expected) {
        return None;
    }
    let bare = label.trim_end_matches([':', ' ']);
    let (start, rest) = line.split_at_checked(bare.len())?;
    if !start.eq_ignore_ascii_case(bare) {
        return None;
    }
    let boundary = if bare.len() < label.len() {
        rest.trim_start_matches([' ', '*']).starts_with(':')
    } else {
        !rest.starts_with(|next: char| next.is_alphanumeric())
    };
    boundary.then(|| rest.trim_matches(|mark: char| matches!(mark, ':' | '*' | ' ')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::Page;

    #[test]
    fn a_section_ends_at_the_next_label() {
        let lines = Lines::of_text("Reason : it is\n\n  old\nCustomer:\nImpact: none\n");
        let section = |label| {
            let lines = lines.section(label, &["Customer:", "Impact:"])?;
            Some(lines.into_iter().map(|line| line.value).collect::<Vec<_>>())
        };
        assert_eq!(section("Reason:"), Some(vec!["it is".to_owned(), "old".to_owned()]));
        let paragraph = lines.paragraph("Reason:", &[]).unwrap_or_default();
        assert_eq!(paragraph.into_iter().map(|line| line.value).collect::<Vec<_>>(), ["it is"]);
        assert_eq!(section("customer:"), Some(Vec::new()));
        assert_eq!(section("Impact"), Some(vec!["none".to_owned()]));
        assert_eq!(section("Custom"), None);
        assert_eq!(section("Reason it:"), None);
    }

    #[test]
    fn the_opening_stands_between_salutation_and_labels() {
        let lines = Lines::of_text("From: x\nDear Customer,\n\nit is off\nStart: now\nRegards");
        let opening: Vec<_> = lines.opening(&["Start:"]).map(|(_, line)| line).collect();
        assert_eq!(opening, ["Dear Customer,", "", "it is off"]);
        assert_eq!(Lines::of_text("it is off\nStart: now").opening(&["Start:"]).count(), 0);
    }

    #[test]
    fn a_section_that_was_quoted_is_the_same() {
        let lines = Lines::of_text("> Services:\n> EX/1\n>\n> > EX/2\n");
        let section = lines.section("Services:", &[]).unwrap_or_default();
        assert_eq!(section.into_iter().map(|line| line.value).collect::<Vec<_>>(), ["EX/1", "EX/2"]);
    }

    #[test]
    fn a_value_keeps_the_white_space_of_its_source() -> Result<(), Failure> {
        let page = Page::parse(
            "<b>Reason\n for:</b> one  two\nthree <br>\n<table><tr><td> A   B\n</td><td>C D</td></tr></table>",
        )?;
        let reason = page.lines().expect("Reason for:")?;
        assert_eq!((reason.value.as_str(), page.as_written(&reason).as_str()), ("one two three", "one  two\nthree"));
        let cells: Vec<_> = page.tables().iter().flat_map(|table| table.rows.iter().flatten()).collect();
        let written: Vec<_> = cells.iter().map(|cell| page.as_written(cell)).collect();
        assert_eq!(written, ["A   B", "C D"]);
        Ok(())
    }
}
