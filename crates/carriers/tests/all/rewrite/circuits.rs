//! A notice with one circuit more, or one less: whatever the format has per circuit is repeated, or taken away.

use std::ops::Range;

/// The markup of one circuit in a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A line of a text.
    Line,
    /// A row of a table, without rows in it.
    Row,
    /// A row that says more of the circuit alone; an element of that name where the row names others.
    RowOrElse(&'static str),
    /// The text between two line breaks of a page.
    Break,
    /// An element of that name.
    Element(&'static str),
    /// An item of a list that this separates.
    Item(&'static str),
}

/// Returns the text with another circuit behind each mention of one; `None` where the circuit stands in no such unit.
/// What is written of a circuit is its id, or more than one value: each is given with that of the other circuit.
pub(crate) fn with_another(text: &str, values: &[(String, String)], unit: Unit) -> Option<String> {
    let mut changed = text.to_owned();
    let found = units(text, &values.first()?.0, unit);
    for range in found.iter().rev() {
        let replaced = |text: String, (one, other): &(String, String)| text.replace(one, other);
        let more = values.iter().fold(text[range.clone()].to_owned(), replaced);
        let more = if let Unit::Item(separator) = unit { format!("{separator}{more}") } else { more };
        changed.insert_str(range.end, &more);
    }
    (!found.is_empty()).then_some(changed)
}

/// Returns the text without a circuit; `None` where the circuit stands in no such unit.
pub(crate) fn without(text: &str, circuit: &str, unit: Unit) -> Option<String> {
    let mut changed = text.to_owned();
    let found = units(text, circuit, unit);
    for range in found.iter().rev() {
        let mut range = range.clone();
        if let Unit::Item(separator) = unit {
            if text[..range.start].ends_with(separator) {
                range.start -= separator.len();
            } else if text[range.end..].starts_with(separator) {
                range.end += separator.len();
            } else {
                continue;
            }
        }
        changed.replace_range(range, "");
    }
    (changed != text).then_some(changed)
}

/// Returns where a circuit's units are.
fn units(text: &str, circuit: &str, unit: Unit) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find(circuit).map(|at| from + at) {
        let end = at + circuit.len();
        from = end;
        let is_part = |next: Option<char>| next.is_some_and(|next| next.is_alphanumeric() || next == '-');
        if is_part(text[..at].chars().next_back()) || is_part(text[end..].chars().next()) {
            continue;
        }
        let range = match unit {
            Unit::Line => Some(line(text, at)),
            Unit::Row => element(text, at, "tr"),
            // Rows that say more begin with the circuit.
            Unit::RowOrElse(name) => element(text, at, "tr")
                .filter(|row| text[row.start..at].matches("<td").count() == 1)
                .or_else(|| element(text, at, name)),
            Unit::Element(name) => element(text, at, name),
            Unit::Break => between_breaks(text, at),
            Unit::Item(_) => Some(at..end),
        };
        if let Some(range) = range
            && found.last().is_none_or(|last| last.end <= range.start)
        {
            from = from.max(range.end);
            found.push(range);
        }
    }
    found
}

fn line(text: &str, at: usize) -> Range<usize> {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    start..text[at..].find('\n').map_or(text.len(), |end| at + end + 1)
}

/// Returns the innermost element of that name around a place.
fn element(text: &str, at: usize, name: &str) -> Option<Range<usize>> {
    let (open, close) = (format!("<{name}"), format!("</{name}>"));
    let lower = text.to_ascii_lowercase();
    let start = lower[..at].rfind(&open)?;
    let end = at + lower[at..].find(&close)? + close.len();
    let is_around = !lower[start..at].contains(&close) && !lower[at..end].contains(&open);
    is_around.then_some(start..end)
}

/// Returns the range from after a line break, or the tag before the text, to after the next line break.
fn between_breaks(text: &str, at: usize) -> Option<Range<usize>> {
    let start = text[..at].rfind('>')? + 1;
    let end = at + text[at..].find('<')?;
    let after = &text[end..];
    let is_break = after.to_ascii_lowercase().starts_with("<br");
    // The last line has no break of its own: the one before it.
    let opened = text[..start].rfind('<').filter(|tag| text[*tag..].to_ascii_lowercase().starts_with("<br"));
    match (is_break, opened) {
        (true, _) => Some(start..end + after.find('>')? + 1),
        (false, Some(tag)) => Some(tag..end),
        (false, None) => None,
    }
}
