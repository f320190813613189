//! The form of a circuit's id. What does not look like one is none.

use crate::pattern::Pattern;

static ID: Pattern = Pattern::new(r"^[A-Za-z0-9/][A-Za-z0-9 ./:_#()-]*$");
static TIME: Pattern = Pattern::new(r"\d:\d\d");
static DATE: Pattern =
    Pattern::new(r"(?i)\b\d{4}-\d\d-\d\d\b|\b\d{1,2}[ -](?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)");

/// The most words of an id.
const MOST_WORDS: usize = 5;
/// A number with fewer digits is a count.
const LEAST_DIGITS: usize = 4;

/// Returns `true` if a text is the id of a circuit, and neither a sentence, a count, nor a time.
pub(super) fn is_id(text: &str) -> bool {
    let is_word = |word: &str| word.chars().all(char::is_alphabetic) && word.chars().any(char::is_lowercase);
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= 80
        && ID.is_match(text)
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && !(is_number && text.len() < LEAST_DIGITS)
        && text.split(' ').count() <= MOST_WORDS
        && !text.split([' ', '(', ')']).filter(|word| !word.is_empty()).any(is_word)
        && !TIME.is_match(text)
        && !DATE.is_match(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_no_sentence_count_or_time() {
        for id in ["EX/1", "EXN-10G-0017", "OGYX/123456/ /ZYO", "4400127", "IP/EX 17 (A)", "EXN.LIS:17"] {
            assert!(is_id(id), "{id}");
        }
        for text in [
            "3",
            "all 17 circuits",
            "Lisbon - Porto 10G",
            "see below",
            "",
            "22:00 UTC",
            "2031-03-12",
            "12 Mar 2031",
            "none",
            "EXN",
            "a@b.example 17",
        ] {
            assert!(!is_id(text), "{text}");
        }
    }
}
