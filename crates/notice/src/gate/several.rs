//! Several notices in one body: the label of the id stands there again with another id of the same form.
//!
//! A digest, or a mail to which somebody has pasted another, has one window and one list of circuits for each id. A reader that
//! looks for the first id and for all windows mixes them; so such a body is read only if each of its ids was read.

use std::collections::BTreeSet;

use crate::{failure::Failure, found::Place, lines::Lines, model::Maintenance, source::Source};

/// A failure where the body names another id in the way in which it names one that was read.
pub(super) fn check(source: &Source<'_>, maintenances: &[Maintenance]) -> Result<(), Failure> {
    let read: BTreeSet<&str> = maintenances.iter().map(Maintenance::id).collect();
    let bodies = [source.page().ok().map(|page| page.lines()), source.text().ok()];
    for lines in bodies.into_iter().flatten() {
        for id in &read {
            if let Some((place, other)) = other_id(lines, id, &read) {
                let expected = format!("one notice: beside {id} the body names {other} in the same way");
                return Err(Failure { place: Some(place), ..Failure::ambiguous(expected).with_quote(&other) });
            }
        }
    }
    Ok(())
}

/// The first other id under the label of this one.
fn other_id(lines: &Lines, id: &str, read: &BTreeSet<&str>) -> Option<(Place, String)> {
    let labels = labels(lines, id);
    let mut before = "";
    for (place, line) in lines.iter() {
        for (above, label) in &labels {
            let rest = match (above, label.as_str()) {
                (Some(above), "") if *above == before => line,
                (None, label) if !label.is_empty() => {
                    let Some(start) = line.find(label) else { continue };
                    line.get(start + label.len()..).unwrap_or_default()
                }
                _ => continue,
            };
            let found = first_word(rest);
            if has_form(found, id) && !read.contains(found) {
                return Some((place, found.to_owned()));
            }
        }
        if !line.is_empty() {
            before = line;
        }
    }
    None
}

/// What stands before the id where it stands: in its line, or as the line above.
fn labels<'lines>(lines: &'lines Lines, id: &str) -> BTreeSet<(Option<&'lines str>, String)> {
    let mut labels = BTreeSet::new();
    let mut before = "";
    for (_, line) in lines.iter() {
        if let Some(at) = line.find(id) {
            let label = line.get(..at).unwrap_or_default();
            let names = label.chars().filter(|letter| letter.is_alphabetic()).count() >= LEAST_LETTERS;
            if names && label.trim_end().ends_with([':', '#', '-', '|']) {
                labels.insert((None, label.to_owned()));
            } else if label.trim().is_empty() && first_word(line) == id && before.chars().any(char::is_alphabetic) {
                labels.insert((Some(before), String::new()));
            }
        }
        if !line.is_empty() {
            before = line;
        }
    }
    labels
}

/// A label has at least so many letters.
const LEAST_LETTERS: usize = 2;

fn first_word(text: &str) -> &str {
    let word = text.split_whitespace().next().unwrap_or_default();
    word.trim_matches(|mark: char| !mark.is_alphanumeric())
}

/// Whether a word is written as this id is: letters and digits in the same places, and as many of them.
fn has_form(word: &str, id: &str) -> bool {
    let form = |text: &str| -> Vec<u8> {
        text.bytes()
            .map(|byte| {
                if byte.is_ascii_digit() {
                    b'0'
                } else if byte.is_ascii_alphabetic() {
                    b'a'
                } else {
                    byte
                }
            })
            .collect()
    };
    !word.is_empty() && word.len() == id.len() && form(word) == form(id)
}
