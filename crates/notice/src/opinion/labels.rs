//! The labels of times of day: the words before a time say whether it is a start, an end, or not of a window at all.

/// The part that a time has by its label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    Start,
    End,
    /// Not a time of a window of this notice: when it was sent, a window that it replaces.
    Other,
    Unknown,
}

// An entry that ends in `*` matches every word that begins so; any other entry matches the word itself.

/// Nouns and verbs of a start.
const STARTS: &[&str] = &[
    "start*",
    "begin*",
    "commenc*",
    "inicio*",
    "início*",
    "comienzo*",
    "anfang*",
    "aanvang*",
    "inizio*",
    "debut*",
    "début*",
    "başlangı*",
    "baslangi*",
];
/// Nouns and verbs of an end.
const ENDS: &[&str] = &[
    "end",
    "ends",
    "ended",
    "ending*",
    "finish*",
    "complet*",
    "fin",
    "fim",
    "ende",
    "einde",
    "fine",
    "bitiş",
    "bitis",
    "término*",
    "termino*",
    "stop",
    "stops",
    "close*",
    "closing",
];
/// Prepositions before a start, and before an end.
const FROM: &[&str] = &["from", "desde", "von", "between"];
const UNTIL: &[&str] = &["until", "till", "hasta", "até", "bis", "tot"];
/// Words between a start and an end, which make an end where hardly anything else is between them. "A" is a name: "site A".
const JOINS: &[&str] = &["to", "TO", "To", "and", "AND", "a", "al"];
/// Words between a start and an end, the one that joins them included.
const MAX_JOIN_WORDS: usize = 3;
/// Words for what was done to the notice itself: its time is none of a window, unless it is that of a start or an end.
const RECORDS: &[&str] = &[
    "sent",
    "issued",
    "created",
    "updated",
    "reported*",
    "raised",
    "received",
    "published",
    "generated",
    "posted",
    "opened",
];
/// Words for a window that this notice does not announce.
const OTHER_WINDOWS: &[&str] = &[
    "original*",
    "previous*",
    "old",
    "backup*",
    "alternat*",
    "contingen*",
    "rollback*",
    "fallback*",
    "reserve",
    "resched*",
];

/// Returns the label that the words before a time make.
pub(super) fn label(before: &str) -> Label {
    let is_join = words(before).any(|word| JOINS.contains(&word)) && words(before).count() <= MAX_JOIN_WORDS;
    let before = before.to_lowercase();
    let words: Vec<&str> = words(&before).collect();
    let has = |lists: &[&[&str]]| words.iter().any(|word| lists.iter().any(|list| matches(word, list)));
    let is_record = has(&[RECORDS]) && !has(&[STARTS, ENDS]);
    if is_record || words.iter().any(|word| matches(word, OTHER_WINDOWS) && !word.starts_with("resched")) {
        return Label::Other;
    }
    match (has(&[STARTS, FROM]), is_join || has(&[ENDS, UNTIL])) {
        (true, false) => Label::Start,
        (false, true) => Label::End,
        _ => Label::Unknown,
    }
}

/// Returns whether a line names a window that this notice does not announce.
pub(super) fn names_other_window(line: &str) -> bool {
    if !line.is_ascii() {
        return words(&line.to_lowercase()).any(|word| matches(word, OTHER_WINDOWS));
    }
    let words = line.as_bytes().split(|letter| !letter.is_ascii_alphabetic());
    words.filter(|word| word.len() >= LEAST_LETTERS).any(|word| {
        let first = word.first().map(u8::to_ascii_lowercase);
        // The first letter tells most words apart, without a call that compares the rest.
        OTHER_WINDOWS.iter().filter(|entry| entry.bytes().next() == first).any(|entry| match entry.strip_suffix('*') {
            Some(beginning) => {
                word.get(..beginning.len()).is_some_and(|own| own.eq_ignore_ascii_case(beginning.as_bytes()))
            }
            None => word.eq_ignore_ascii_case(entry.as_bytes()),
        })
    })
}

/// Returns whether the words behind a window, in brackets, say that this notice does not announce it.
pub(super) fn marks_other_window(behind: &str) -> bool {
    let Some((_, inner)) = behind.split_once(['(', '[']) else { return false };
    let inner = inner.split([')', ']']).next().unwrap_or_default();
    // "(rescheduled)" marks the window that holds now.
    names_other_window(inner) && !inner.to_lowercase().contains("resched")
}

/// Words for a part of a window, or for what happened in it: such times need not be those of the window.
const PARTS: &[&str] =
    &["impact*", "outage*", "downtime*", "interrupt*", "disrupt*", "actual*", "struck", "instead", "moved"];

/// Returns whether words name a part of a window, or what really happened.
pub(super) fn names_part(text: &str) -> bool {
    words(&text.to_lowercase()).any(|word| matches(word, PARTS))
}

/// Letters of the shortest of [`OTHER_WINDOWS`].
const LEAST_LETTERS: usize = 3;

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphabetic()).filter(|word| !word.is_empty())
}

fn matches(word: &str, list: &[&str]) -> bool {
    list.iter().any(|entry| entry.strip_suffix('*').map_or(word == *entry, |beginning| word.starts_with(beginning)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_told_by_its_words() {
        for (before, expected) in [
            ("Start: 1 April 2031 ", Label::Start),
            ("Beginn: ", Label::Start),
            ("Start (updated): ", Label::Start),
            ("Updated start time: ", Label::Start),
            ("Von ", Label::Start),
            ("End: ", Label::End),
            ("Ends ", Label::End),
            ("Closes: ", Label::End),
            ("Window closing at ", Label::End),
            ("Window close: ", Label::End),
            (" to ", Label::End),
            (" a ", Label::End),
            ("hasta las ", Label::End),
            ("Sent: ", Label::Other),
            ("Received from the desk at ", Label::Other),
            ("Previous start: ", Label::Other),
            ("Backup window start: ", Label::Other),
            ("All rights reserved ", Label::Unknown),
            ("Endpoint A ", Label::Unknown),
            ("Final report ", Label::Unknown),
            ("Oldenburg ", Label::Unknown),
        ] {
            assert_eq!(label(before), expected, "{before}");
        }
    }

    #[test]
    fn a_line_that_was_sent_names_no_other_window() {
        for (line, expected) in [
            ("Previous window:", true),
            ("Rescheduled to 2 April", true),
            ("Sent: 1 April 2031", false),
            ("Ticket created at 10:00", false),
            ("Updated 1 April", false),
            ("All rights reserved", false),
        ] {
            assert_eq!(names_other_window(line), expected, "{line}");
        }
    }
}
