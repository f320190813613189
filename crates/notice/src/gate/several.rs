//! Several notices in one body: the label of the id stands there again with another id of the same form.
//!
//! A digest, or a mail to which somebody has pasted another, has one window and one list of circuits for each id. A reader that
//! looks for the first id and for all windows mixes them; so such a body is read only if each of its ids was read.

use std::collections::BTreeSet;

use crate::{failure::Failure, found::Place, lines::Lines, model::Maintenance, page::Page, source::Source};

/// Returns a failure where the body names another id in the way in which it names one that was read.
pub(super) fn check(source: &Source<'_>, maintenances: &[Maintenance]) -> Result<(), Failure> {
    let read: BTreeSet<&str> = maintenances.iter().map(Maintenance::id).collect();
    let bodies = [source.page().ok().map(Page::lines), source.text().ok()];
    for lines in bodies.into_iter().flatten() {
        for id in &read {
            if let Some((place, other)) = other_id(lines, id, &read).or_else(|| alike_id(lines, id, &read)) {
                let expected = format!("one notice: beside {id} the body names {other} in the same way");
                return Err(Failure { place: Some(place), ..Failure::ambiguous(expected).with_quote(&other) });
            }
        }
    }
    Ok(())
}

/// The label of an id.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Label<'lines> {
    /// The line above the id.
    Above(&'lines str),
    /// Words of its line that end as a label does: what stands behind them is an id, whatever its form.
    Marked(&'lines str),
    /// Other words of its line.
    Words(&'lines str),
}

/// Returns the first other id under a label of this one.
fn other_id(lines: &Lines, id: &str, read: &BTreeSet<&str>) -> Option<(Place, String)> {
    let labels = labels(lines, id);
    let mut before = "";
    for (place, line) in lines.iter() {
        for label in &labels {
            let rest = match label {
                Label::Above(label) => (before == *label).then_some(line),
                // "Related WMT: 400171" has another label.
                Label::Marked(label) => line.strip_prefix(label),
                Label::Words(label) => {
                    let parts = line.find(label).and_then(|at| line.split_at_checked(at));
                    let (above, rest) = parts.unwrap_or_default();
                    let last = above.split_whitespace().next_back().unwrap_or_default();
                    rest.strip_prefix(label).filter(|_| !RELATED.contains(&last.to_lowercase().as_str()))
                }
            };
            let found = first_word(rest.unwrap_or_default());
            let is_id = match label {
                Label::Marked(_) => found.bytes().filter(u8::is_ascii_digit).count() >= LEAST_DIGITS,
                Label::Above(_) | Label::Words(_) => has_form(found, id),
            };
            if is_id && !read.contains(found) {
                return Some((place, found.to_owned()));
            }
        }
        if !line.is_empty() {
            before = line;
        }
    }
    None
}

/// Returns an id that looks like this one, under another label for ids of maintenances: carriers have more than one template.
fn alike_id(lines: &Lines, id: &str, read: &BTreeSet<&str>) -> Option<(Place, String)> {
    let core = core(id);
    if core.bytes().filter(u8::is_ascii_digit).count() < LEAST_DIGITS {
        return None;
    }
    let mut before = "";
    for (place, line) in lines.iter() {
        if !line.bytes().any(|byte| byte.is_ascii_digit()) {
            before = if line.is_empty() { before } else { line };
            continue;
        }
        for word in line.split(' ').map(|word| word.trim_matches(|mark: char| !mark.is_alphanumeric())) {
            let is_other =
                has_form(self::core(word), core) && !read.iter().any(|id| self::core(id) == self::core(word));
            if !is_other {
                continue;
            }
            let label = line.find(word).and_then(|at| line.get(..at)).unwrap_or_default();
            let is_above = label.trim().is_empty();
            let label = if is_above { before } else { label }.to_lowercase();
            // In the midst of prose a desk's own number may stand.
            if label.len() <= LONGEST_LABEL && names_maintenance(&label, is_above) {
                return Some((place, word.to_owned()));
            }
        }
        if !line.is_empty() {
            before = line;
        }
    }
    None
}

/// Returns the id without the number of its window or revision: `31660001-1`.
fn core(id: &str) -> &str {
    let short = id.rsplit_once(['-', '.']).filter(|(core, part)| core.len() > 4 && part.len() <= 2);
    short.map_or(id, |(core, _)| core)
}

/// Returns whether a label, lower case, is one of another thing's id.
fn names_another(label: &str) -> bool {
    let others = [
        "related",
        "previous",
        "replac",
        "original",
        "old",
        "parent",
        "customer",
        "circuit",
        "order",
        "service",
        "account",
        "phone",
        "tel",
        "reschedule of",
        "your ",
    ];
    others.iter().any(|name| label.contains(name))
}

/// Returns whether a label, lower case, is one of ids of maintenances and of nothing else. A cell needs no mark at its end.
fn names_maintenance(label: &str, is_cell: bool) -> bool {
    let names = ["maintenance", "planned work", "ticket", "wmt", "reference", "ref", "notification", "change", "alert"];
    let label = label.trim_end_matches([' ', '-', '.']);
    let is_label = is_cell || label.ends_with([':', '#']) || names.iter().any(|name| label.ends_with(name));
    is_label && names.iter().any(|name| label.contains(name)) && !names_another(label)
}

/// Returns the labels of an id, wherever it occurs.
fn labels<'lines>(lines: &'lines Lines, id: &str) -> BTreeSet<Label<'lines>> {
    let mut labels = BTreeSet::new();
    let mut before = "";
    for (_, line) in lines.iter() {
        if let Some(words) = line.find(id).and_then(|at| line.get(..at)) {
            let names = words.chars().filter(|letter| letter.is_alphabetic()).count() >= LEAST_LETTERS;
            if words.trim().is_empty() && first_word(line) == id && before.chars().any(char::is_alphabetic) {
                labels.insert(Label::Above(before));
            } else if names && words.trim_end().ends_with([':', '#']) && words.len() <= LONGEST_LABEL {
                labels.insert(Label::Marked(words));
            } else if names {
                let start = words.trim_end().rfind(' ').map_or(0, |at| at + 1);
                labels.insert(Label::Words(words.get(start..).unwrap_or(words)));
            }
        }
        if !line.is_empty() {
            before = line;
        }
    }
    labels
}

/// Before a label these make it another's: "Related ticket".
const RELATED: [&str; 7] = ["related", "previous", "original", "old", "parent", "replaced", "earlier"];
/// A label has at least so many letters, and at most so many bytes.
const LEAST_LETTERS: usize = 2;
const LONGEST_LABEL: usize = 60;
/// An id behind a label has at least so many digits.
const LEAST_DIGITS: usize = 4;

fn first_word(text: &str) -> &str {
    let word = text.split_whitespace().next().unwrap_or_default();
    word.trim_matches(|mark: char| !mark.is_alphanumeric())
}

/// Returns whether a word is written as this id is: letters and digits in the same places, and as many of them.
fn has_form(word: &str, id: &str) -> bool {
    // The first sign may be a letter or a digit: "K-204499001", "5-204488113".
    let kind = |(at, byte): (usize, u8)| match byte {
        _ if at == 0 && byte.is_ascii_alphanumeric() => b'a',
        _ if byte.is_ascii_digit() => b'0',
        _ if byte.is_ascii_alphabetic() => b'a',
        other => other,
    };
    !word.is_empty()
        && word.len() == id.len()
        && word.bytes().enumerate().map(kind).eq(id.bytes().enumerate().map(kind))
}
