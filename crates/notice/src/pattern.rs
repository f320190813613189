//! Patterns as constants: a provider file states them at its top, and each is compiled once, when it is first used,
//! so that a mail pays only for the patterns of its own provider.

use std::{ops::Deref, sync::OnceLock};

use regex::Regex;

/// A regular expression that is part of a format. Matching takes linear time for any text.
#[derive(Debug)]
pub struct Pattern {
    text: &'static str,
    compiled: OnceLock<Regex>,
}

impl Pattern {
    /// Returns a pattern in the syntax of [`regex`].
    pub const fn new(text: &'static str) -> Self {
        Self { text, compiled: OnceLock::new() }
    }
}

impl Deref for Pattern {
    type Target = Regex;

    #[expect(clippy::expect_used, reason = "the text is a constant of the program, and using it once proves it sound")]
    fn deref(&self) -> &Regex {
        self.compiled.get_or_init(|| Regex::new(self.text).expect("a pattern of the program is sound"))
    }
}

/// Prefixes of subjects by lists, relays and people: tags in brackets, `Re:`, `Fwd:`. Not for formats with tags of their own.
pub static PREFIXES: Pattern = Pattern::new(r"(?i)^(?:\s*(?:\[[^\]]*\]|(?:re|fwd?)\s*:))*\s*");

/// A salutation by name on a line of its own, quoted or not: `Dear Example Networks,`. Its group is the name.
pub static SALUTATION: Pattern = Pattern::new(r"(?i)^[>\s]*Dear\s+(.+?)\s*,?$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_of_a_subject_are_skipped() {
        for subject in ["work", "Fwd: work", "[netops] FW: [ EXTERNAL ] re : work", "  work", "Re:work"] {
            assert_eq!(PREFIXES.replace(subject, ""), "work", "{subject}");
        }
        for subject in ["work [7]", "Reminder: work", ""] {
            assert_eq!(PREFIXES.replace(subject, ""), subject);
        }
    }

    #[test]
    fn a_salutation_names_somebody() {
        for line in ["Dear Example Networks,", "> dear Example Networks", "Dear  Example Networks ,"] {
            assert_eq!(SALUTATION.captures(line).and_then(|found| found.get(1)).unwrap().as_str(), "Example Networks");
        }
        assert!(!SALUTATION.is_match("Oh Dear,"));
    }

    static YEAR: Pattern = Pattern::new(r"\b(\d{4})\b");

    #[test]
    fn a_pattern_is_used_like_a_regular_expression() {
        assert!(YEAR.is_match("in 2031"));
        assert_eq!(
            YEAR.captures("in 2031").and_then(|captures| captures.get(1)).map(|year| year.as_str()),
            Some("2031")
        );
        assert!(!YEAR.is_match("in 20310"));
    }
}
