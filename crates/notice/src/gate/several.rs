//! Several notices in one body: the label of the id stands there again with another id of the same form.
//!
//! A digest, or a mail to which somebody has pasted another, has one window and one list of circuits for each id. A reader that
//! looks for the first id and for all windows mixes them; so such a body is read only if each of its ids was read.

use std::collections::BTreeSet;

use memchr::memmem::Finder;

use crate::{failure::Failure, found::Place, lines::Lines, model::Maintenance, page::Page, source::Source};

/// Returns a failure where the body names another id in the way in which it names one that was read.
pub(super) fn check(source: &Source<'_>, maintenances: &[Maintenance]) -> Result<(), Failure> {
    let read: BTreeSet<&str> = maintenances.iter().map(Maintenance::id).collect();
    let forms = Forms::of(&read);
    if let Some(other) = id_of_title(source.mail().inner().bare_subject(), &read, &forms) {
        let known: Vec<&str> = read.iter().copied().take(MOST_SHOWN).collect();
        let expected = format!("one notice: {} is read, and the title names {other}", known.join(", "));
        let place = Some(Place::Header("Subject"));
        return Err(Failure { place, ..Failure::ambiguous(expected).with_quote(other) });
    }
    let bodies = [source.page().ok().map(Page::lines), source.text().ok()];
    for lines in bodies.into_iter().flatten() {
        if read.len() > MOST_IDS {
            return Err(Failure::too_large(format!(
                "at most {MOST_IDS} ids of maintenances, there are {}",
                read.len()
            )));
        }
        if let Some((place, other)) = other_id(lines, &read).or_else(|| alike_id(lines, &forms)) {
            let known: Vec<&str> = read.iter().copied().take(MOST_SHOWN).collect();
            let expected = format!("one notice: beside {} the body names {other} in the same way", known.join(", "));
            return Err(Failure { place: Some(place), ..Failure::ambiguous(expected).with_quote(&other) });
        }
    }
    Ok(())
}

/// The most ids of maintenances in a mail with a body; no carrier sends a digest of so many. A calendar has its entries apart.
const MOST_IDS: usize = 100;
/// Labels of ids after which no further ones are looked for: a notice that names its id in so many ways names it in each line.
const MOST_LABELS: usize = 100;
/// Ids that a failure names.
const MOST_SHOWN: usize = 3;

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

impl Label<'_> {
    /// Returns what finds the label where it may stand anywhere in a line.
    fn finder(&self) -> Option<Finder<'_>> {
        if let Self::Words(words) = self { Some(Finder::new(*words)) } else { None }
    }
}

/// Returns the first other id under a label of one that was read.
fn other_id(lines: &Lines, read: &BTreeSet<&str>) -> Option<(Place, String)> {
    let labels: Vec<_> = read.iter().flat_map(|id| labels(lines, id)).take(MOST_LABELS).collect();
    let labels: Vec<_> = labels.iter().map(|(id, label)| (id, label, label.finder())).collect();
    if labels.is_empty() {
        return None;
    }
    let mut before = "";
    for (place, line) in lines.iter() {
        for (id, label, finder) in &labels {
            let rest = match label {
                Label::Above(label) => (before == *label).then_some(line),
                // "Related WMT: 400171" has another label.
                Label::Marked(label) => line.strip_prefix(label),
                Label::Words(label) => {
                    let at = finder.as_ref().and_then(|finder| finder.find(line.as_bytes()));
                    let parts = at.and_then(|at| line.split_at_checked(at));
                    let (above, rest) = parts.unwrap_or_default();
                    let last = above.split_whitespace().next_back().unwrap_or_default();
                    rest.strip_prefix(label).filter(|_| !names_another(&last.to_lowercase()))
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

/// The forms of the ids that were read, without the numbers of their windows.
struct Forms<'read> {
    /// Ids without the numbers of their windows.
    cores: BTreeSet<&'read str>,
    /// One id of each form that has enough digits to be told from other numbers.
    forms: Vec<&'read str>,
}

impl<'read> Forms<'read> {
    fn of(read: &BTreeSet<&'read str>) -> Self {
        let cores: BTreeSet<&str> = read.iter().map(|id| core(id)).collect();
        let mut forms: Vec<&str> = Vec::new();
        for core in &cores {
            let has_digits = core.bytes().filter(u8::is_ascii_digit).count() >= LEAST_DIGITS;
            if has_digits && !forms.iter().any(|form| has_form(core, form)) {
                forms.push(core);
            }
        }
        Self { cores, forms }
    }

    /// Returns whether a word is an id that looks like one that was read, and is none of them.
    fn is_other(&self, word: &str) -> bool {
        let word = core(word);
        self.forms.iter().any(|form| has_form(word, form)) && !self.cores.contains(word)
    }
}

/// Returns an id that looks like one that was read, under another label for ids of maintenances: carriers have more than one template.
fn alike_id(lines: &Lines, forms: &Forms<'_>) -> Option<(Place, String)> {
    let shortest = forms.forms.iter().map(|form| form.len()).min()?;
    let mut before = "";
    for (place, line) in lines.iter() {
        if !line.bytes().any(|byte| byte.is_ascii_digit()) {
            before = if line.is_empty() { before } else { line };
            continue;
        }
        for word in line.split(' ').filter(|word| word.len() >= shortest) {
            let word = word.trim_matches(|mark: char| !mark.is_alphanumeric());
            if !forms.is_other(word) {
                continue;
            }
            let label = line.get(..word.as_ptr() as usize - line.as_ptr() as usize).unwrap_or_default();
            let is_above = label.trim().is_empty();
            // Of prose the sentence counts: "Please reference CHG0031000."
            let label = if is_above { before } else { label.rsplit(". ").next().unwrap_or(label) };
            // In the midst of a sentence a desk's own number may stand.
            if label.len() <= LONGEST_LABEL && names_maintenance(&label.to_lowercase(), is_above) {
                return Some((place, word.to_owned()));
            }
        }
        if !line.is_empty() {
            before = line;
        }
    }
    None
}

/// Returns an id of a title that looks like one that was read, where the title names none of these.
///
/// A number is an id behind the label of one alone: a title may name a circuit or an order.
fn id_of_title<'title>(title: &'title str, read: &BTreeSet<&str>, forms: &Forms<'_>) -> Option<&'title str> {
    if forms.forms.is_empty() || read.iter().any(|id| title.contains(core(id))) {
        return None;
    }
    let words = title.split(|mark: char| !mark.is_alphanumeric() && !matches!(mark, '-' | '_' | '.' | '/'));
    words.map(|word| word.trim_matches(|mark: char| !mark.is_alphanumeric())).find(|word| {
        let label = title.get(..word.as_ptr() as usize - title.as_ptr() as usize).unwrap_or_default().to_lowercase();
        let is_named = || names_maintenance(&label, false) && !label.contains("related");
        let is_marked = word.bytes().any(|byte| byte.is_ascii_alphabetic()) && !names_another(&label);
        forms.is_other(word) && (is_marked || is_named())
    })
}

/// Returns the id without the number of its window or revision: `31660001-1`.
fn core(id: &str) -> &str {
    let short = id.rsplit_once(['-', '.']).filter(|(core, part)| core.len() > 4 && part.len() <= 2);
    short.map_or(id, |(core, _)| core)
}

/// Words that say that the id behind them is another maintenance's, as beginnings.
const OTHERS: [&str; 7] = ["related", "previous", "replac", "original", "old", "parent", "earlier"];
/// Things that have ids, and are no maintenance.
const THINGS: [&str; 11] =
    ["customer", "circuit", "circuits", "cid", "order", "service", "services", "account", "phone", "tel", "your"];
/// Words between a thing and its id.
const OF_IDS: [&str; 9] = ["id", "ids", "number", "no", "nr", "ref", "reference", "ticket", "case"];

/// Returns whether a label, lower case, is one of another thing's id. Only what stands behind the last mark in it is said of the id: of
/// "(service impacting) - PN770123" nothing is.
fn names_another(label: &str) -> bool {
    let label = label.trim_end_matches([' ', '-', '–', '[', '(', '#', ':', '.']);
    let label = label.rsplit([')', ']', '*', ';', ',', '|']).next().unwrap_or(label);
    let label = label.rsplit(" - ").next().unwrap_or(label);
    let mut words = label.split([' ', '#', ':', '/', '-', '.']).filter(|word| !word.is_empty());
    let is_other = |word: &str| OTHERS.iter().any(|other| word.starts_with(other));
    words.clone().any(is_other)
        || label.contains("reschedule of")
        || words.rfind(|word| !OF_IDS.contains(word)).is_some_and(|word| THINGS.contains(&word))
}

/// Returns whether a label, lower case, is one of ids of maintenances and of nothing else. A cell needs no mark at its end.
fn names_maintenance(label: &str, is_cell: bool) -> bool {
    let names = ["maintenance", "planned work", "ticket", "wmt", "reference", "ref", "notification", "change", "alert"];
    let label = label.trim_end_matches([' ', '-', '.']);
    let is_label = is_cell || label.ends_with([':', '#']) || names.iter().any(|name| label.ends_with(name));
    is_label && names.iter().any(|name| label.contains(name)) && !names_another(label)
}

/// Returns the id with each of its labels, wherever it occurs.
fn labels<'lines>(lines: &'lines Lines, id: &'lines str) -> Vec<(&'lines str, Label<'lines>)> {
    let mut labels = BTreeSet::new();
    let mut before = "";
    let finder = Finder::new(id);
    for (_, line) in lines.iter() {
        if labels.len() >= MOST_LABELS {
            break;
        }
        if let Some(words) = finder.find(line.as_bytes()).and_then(|at| line.get(..at)) {
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
    labels.into_iter().map(|label| (id, label)).collect()
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_an_id_says_whose_it_is() {
        for label in [
            "telstra planned maintenance - service impacting - ",
            "***some customer inc***zayo ",
            "network maintenance - (service impacting) - 10-jan-2031 [",
            "cancelled: ",
            "emergency work notification tt ",
            "please reference ",
        ] {
            assert!(!names_another(label), "{label}");
        }
        for label in [
            "related ticket: ",
            "previously sent as ",
            "replaces ",
            "your reference: ",
            "customer reference number ",
            "circuit id: ",
            "notification cid#",
            "maintenance - order no. ",
            "tel. ",
        ] {
            assert!(names_another(label), "{label}");
        }
        for label in ["maintenance id: ", "please reference ", "ticket "] {
            assert!(names_maintenance(label, false), "{label}");
        }
        for label in ["work notification tt ", "circuit id: ", "customer ticket: ", "within "] {
            assert!(!names_maintenance(label, false), "{label}");
        }
    }
}
