//! A value and where in the mail it was found. Every tool hands out [`Found`], so that a reading can explain itself
//! and a failure can quote what it stumbled over.

use std::fmt;

use super::white_space::fold;

/// A place in a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A header of the innermost message.
    Header(&'static str),
    /// The text body. The line counts from 1.
    Text {
        /// Number of the line in the decoded text.
        line: usize,
    },
    /// The HTML body. The line counts from 1 in [`super::page::Page::lines`].
    Page {
        /// Number of the line in the rendered text.
        line: usize,
    },
    /// A cell of a table of the HTML body, all counted from 1.
    Table {
        /// Number of the table, in document order.
        table: usize,
        /// Number of the row.
        row: usize,
        /// Number of the cell in the row.
        column: usize,
    },
    /// A property of a calendar entry; entries count from 1.
    Calendar {
        /// Number of the entry.
        event: usize,
        /// Its name, such as `DTSTART`.
        property: &'static str,
    },
    /// A cell of an attached sheet or separated file, counted from 1.
    Sheet {
        /// Number of the row.
        row: usize,
        /// Number of the column.
        column: usize,
    },
    /// Not in the mail: follows from a rule of the provider's format, which is named.
    Rule(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(formatter, "header {name}"),
            Self::Text { line } => write!(formatter, "text line {line}"),
            Self::Page { line } => write!(formatter, "html line {line}"),
            Self::Table { table, row, column } => write!(formatter, "html table {table} row {row} column {column}"),
            Self::Calendar { event, property } => write!(formatter, "calendar entry {event} {property}"),
            Self::Sheet { row, column } => write!(formatter, "sheet row {row} column {column}"),
            Self::Rule(rule) => write!(formatter, "rule: {rule}"),
        }
    }
}

/// A value, the place it was read from, and the words there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T> {
    /// The value that was found.
    pub value: T,
    /// Its place in the mail.
    pub place: Place,
    /// The words that it was read from, cut to [`QUOTE_LENGTH`] characters.
    pub quote: String,
}

/// The most characters of a mail that an explanation or a failure repeats.
pub const QUOTE_LENGTH: usize = 160;

/// Cuts a text to [`QUOTE_LENGTH`] characters, white space folded.
pub fn quote(text: &str) -> String {
    // A letter has at most four bytes: what lies beyond is cut in any case.
    const MOST: usize = 4 * QUOTE_LENGTH + 4;
    if text.len() <= QUOTE_LENGTH && text.is_ascii() {
        return fold(text);
    }
    let mut quote = String::with_capacity(text.len().min(MOST));
    for word in text.split_whitespace() {
        if !quote.is_empty() {
            quote.push(' ');
        }
        quote.push_str(word.get(..word.floor_char_boundary(MOST)).unwrap_or_default());
        if quote.len() >= MOST {
            break;
        }
    }
    if quote.len() > QUOTE_LENGTH
        && let Some((cut, _)) = quote.char_indices().nth(QUOTE_LENGTH)
    {
        quote.truncate(cut);
        quote.push('…');
    }
    quote
}

impl Found<String> {
    /// Returns a text at a place, trimmed; it is its own quote.
    pub fn text(text: &str, place: Place) -> Self {
        Self { value: text.trim().to_owned(), place, quote: quote(text) }
    }
}

impl<T> Found<T> {
    /// Returns a value that follows from a rule of the format, not from the mail.
    pub fn by_rule(value: T, rule: &'static str) -> Self {
        Self { value, place: Place::Rule(rule), quote: String::new() }
    }

    /// Returns another value that was read from the same words. The value itself is not copied: a line may name many thousand ids.
    pub fn with<U>(&self, value: U) -> Found<U> {
        Found { value, place: self.place.clone(), quote: self.quote.clone() }
    }

    /// Returns the same place with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Found<U> {
        Found { value: change(self.value), place: self.place, quote: self.quote }
    }
}

/// One line of an explanation: this field came from there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The key of the 12 that it explains, or [`super::draft::ROW_STATUS`].
    pub field: &'static str,
    /// Its place in the mail.
    pub place: Place,
    /// The text at that place.
    pub quote: String,
}
