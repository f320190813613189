//! Turns a mail into lines: the subjects, and below them the lines of a body. A cell of a table is a line of its own.

use std::cell::OnceCell;

use jiff::civil::Date;

use super::scan::{self, Stated};
use crate::{found::Place, lines::Lines, source::Source};
use mail::Layer;

/// One form of what a mail says.
pub(super) struct Said<'mail> {
    /// The subjects, then the lines of the body, without blank ones.
    pub(super) lines: Vec<&'mail str>,
    /// The place in the body of each line of the body, from 0.
    numbers: Vec<usize>,
    /// Number of subjects at the head of the lines.
    pub(super) subjects: usize,
    body: Option<&'mail Lines>,
    /// The day on which the notice was written.
    pub(super) announced: Option<Date>,
    stated: OnceCell<Stated>,
}

/// Returns the forms of a mail: page and text, or its subjects alone.
pub(super) fn forms<'mail>(source: &'mail Source<'_>) -> Vec<Said<'mail>> {
    let mut subjects: Vec<&str> = source.mail().layers().iter().rev().map(Layer::bare_subject).collect();
    subjects.dedup();
    let announced = source.announced_at().map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date());
    let bodies = [source.page().ok().map(crate::page::Page::lines), source.text().ok()];
    let form = |body: Option<&'mail Lines>| {
        let mut lines = subjects.clone();
        let mut numbers = Vec::new();
        let below = body.into_iter().flat_map(Lines::iter).enumerate();
        for (number, (_, line)) in below.filter(|(_, (_, line))| !line.is_empty()) {
            lines.push(line);
            numbers.push(number);
        }
        Said { lines, numbers, subjects: subjects.len(), body, announced, stated: OnceCell::new() }
    };
    let mut forms: Vec<_> = bodies.into_iter().flatten().map(|body| form(Some(body))).collect();
    if forms.is_empty() {
        forms.push(form(None));
    }
    forms
}

impl Said<'_> {
    /// Returns the dates, times and zones of all lines.
    pub(super) fn stated(&self) -> &Stated {
        self.stated.get_or_init(|| scan::scan(&self.lines, self.subjects, self.announced))
    }

    /// Returns the place of a line.
    pub(super) fn place(&self, line: usize) -> Place {
        let number = line.checked_sub(self.subjects).and_then(|line| self.numbers.get(line));
        match (number, self.body) {
            (Some(number), Some(body)) => body.place(*number),
            _ => Place::Header("Subject"),
        }
    }

    /// Returns the label of what stands at a byte of a line, in lower case: the words before it, or the line above where it begins its
    /// own. Empty where that line may be the last of several headings, which nobody can tell from lines.
    pub(super) fn label(&self, line: usize, from: usize, to: usize) -> String {
        let before = end_of_label(self.lines.get(line).and_then(|text| text.get(from..to)).unwrap_or_default());
        if line < self.subjects || before.bytes().filter(u8::is_ascii_alphabetic).count() >= LEAST_LETTERS {
            return before.to_lowercase();
        }
        let above =
            |lines: usize| line.checked_sub(lines).filter(|at| *at >= self.subjects).and_then(|at| self.lines.get(at));
        let is_value = |text: &&str| text.bytes().any(|byte| byte.is_ascii_digit());
        let is_alone = above(2).is_none_or(is_value);
        above(1).filter(|_| is_alone).map(|line| end_of_label(line).to_lowercase()).unwrap_or_default()
    }
}

/// Returns the end of a label: words farther away say nothing of the value, and a line may be as long as the mail.
fn end_of_label(text: &str) -> &str {
    text.get(text.ceil_char_boundary(text.len().saturating_sub(LONGEST_LABEL))..).unwrap_or_default()
}

/// Maximum length of a label, in bytes.
pub(super) const LONGEST_LABEL: usize = 400;
/// A label has at least so many letters.
const LEAST_LETTERS: usize = 2;
