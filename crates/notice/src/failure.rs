//! The failure to understand a known provider's mail: the expectation, its place, and the text there.

use std::fmt;

use super::found::{Found, Place, quote};

/// The reason why a mail could not be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The kind of failure.
    pub kind: FailureKind,
    /// The expectation, in words: "a start time after `Start:`".
    pub expected: String,
    /// The place of the expectation; `None` if it is the whole mail.
    pub place: Option<Place>,
    /// The words that stand there instead.
    pub quote: Option<String>,
}

/// The kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The value is missing.
    Missing,
    /// The value is there and cannot be read.
    Malformed,
    /// The value can be read in more than one way, or two parts contradict each other.
    Ambiguous,
    /// The mail ends too early.
    CutShort,
    /// A part is too large to be parsed.
    TooLarge,
}

impl FailureKind {
    /// Returns the kind in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Missing => "not found",
            Self::Malformed => "not understood",
            Self::Ambiguous => "ambiguous",
            Self::CutShort => "cut short",
            Self::TooLarge => "too large",
        }
    }
}

impl Failure {
    /// Returns the failure of a missing value that every notice of the format has.
    pub fn missing(expected: impl Into<String>) -> Self {
        Self { kind: FailureKind::Missing, expected: expected.into(), place: None, quote: None }
    }

    /// Returns the failure of a value that is there and cannot be read.
    pub fn malformed<T>(expected: impl Into<String>, found: &Found<T>) -> Self {
        Self {
            kind: FailureKind::Malformed,
            expected: expected.into(),
            place: Some(found.place.clone()),
            quote: Some(found.quote.clone()),
        }
    }

    /// Returns the failure of a value that can be read in more than one way.
    pub fn ambiguous(expected: impl Into<String>) -> Self {
        Self { kind: FailureKind::Ambiguous, expected: expected.into(), place: None, quote: None }
    }

    /// Returns the failure of a mail that ends too early.
    pub fn cut_short(expected: impl Into<String>) -> Self {
        Self { kind: FailureKind::CutShort, expected: expected.into(), place: None, quote: None }
    }

    /// Returns the failure of a part that is too large to be parsed.
    pub fn too_large(expected: impl Into<String>) -> Self {
        Self { kind: FailureKind::TooLarge, expected: expected.into(), place: None, quote: None }
    }

    /// Returns the same failure with the words that were looked at.
    #[must_use]
    pub fn with_quote(mut self, text: &str) -> Self {
        self.quote = Some(quote(text));
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.kind.words(), self.expected)?;
        if let Some(place) = &self.place {
            write!(formatter, " ({place})")?;
        }
        if let Some(quote) = self.quote.as_deref().filter(|quote| !quote.is_empty()) {
            write!(formatter, ": `{quote}`")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

/// Readings of a found value that may fail.
impl<T> Found<T> {
    /// Maps as [`Found::with`] does a value that may be missing there: then it returns a failure that quotes the words.
    pub fn try_with<U>(&self, expected: &str, read: impl FnOnce(&T) -> Option<U>) -> Result<Found<U>, Failure> {
        read(&self.value).map(|value| self.with(value)).ok_or_else(|| Failure::malformed(expected, self))
    }

    /// Returns the same place with another value, which may be missing there: then a failure that quotes the words.
    pub fn try_map<U>(self, expected: &str, change: impl FnOnce(&T) -> Option<U>) -> Result<Found<U>, Failure> {
        match change(&self.value) {
            Some(value) => Ok(Found { value, place: self.place, quote: self.quote }),
            None => Err(Failure::malformed(expected, &self)),
        }
    }
}
