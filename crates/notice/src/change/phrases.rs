//! Questions about single words and phrases: whether one is in a list, what part of speech it is, where a phrase ends.

use super::{
    grammar as words,
    list::{List, Words},
    tokens::{Gap, Token},
    vocabulary::Language,
};

/// Maximum number of words from a noun back to the preposition that makes it a part of another noun: "the ring of your circuit".
pub(super) const PREPOSITION_REACH: usize = 3;

/// Returns whether a word stands for the notice itself: "the below".
pub(super) fn is_pointer(tokens: &[Token<'_>], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| tokens.get(at));
    tokens.get(at).is_some_and(|token| is_in(token, words::POINTERS))
        && before.is_some_and(|token| is_in(token, &["the", "our", "this"]))
}

/// Returns whether a word joins two others in a language.
pub(super) fn is_conjunction(token: &Token<'_>, language: Language) -> bool {
    let conjunctions: &[&str] = match language {
        Language::English => &["or", "and"],
        Language::German => &["oder", "und"],
        Language::Dutch => &["of", "en"],
        Language::Romance => &["o", "y", "e", "ou", "et", "u"],
        Language::Turkish => &["ve", "veya", "ya", "da"],
    };
    is_in(token, conjunctions)
}

/// Returns whether a word is one of a list.
pub(super) fn is_in(token: &Token<'_>, list: &(impl Words + ?Sized)) -> bool {
    list.holds(token.word)
}

/// Returns whether a word begins like one of a list. Entries of up to four letters, such as "it" and "es", must be the whole word or its
/// plural.
pub(super) fn begins(token: &Token<'_>, list: &(impl Words + ?Sized)) -> bool {
    let word = token.word;
    let first = word.bytes().next();
    let is_beginning = |entry: &&str| {
        if entry.len() <= 4 {
            word == *entry || word.strip_suffix('s') == Some(*entry)
        } else {
            word.starts_with(entry)
        }
    };
    list.may_begin(word) && list.words().iter().filter(|entry| entry.bytes().next() == first).any(is_beginning)
}

/// Returns the end of the longest phrase that begins at a word; `None` if none does.
pub(super) fn phrase_at(tokens: &[Token<'_>], at: usize, phrases: &List) -> Option<usize> {
    let first = Some(tokens.get(at)?.word).filter(|first| phrases.may_begin(first))?;
    // Most phrases begin with another word: they need not be taken apart.
    let begins = |phrase: &&&str| {
        phrase.bytes().next() == first.bytes().next()
            && phrase.strip_prefix(first).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    let ends = phrases.words().iter().filter(begins).filter_map(|phrase| {
        let mut end = at;
        for word in phrase.split(' ') {
            let token = tokens.get(end)?;
            if token.word != word || end > at && token.before >= Gap::Comma {
                return None;
            }
            end += 1;
        }
        Some(end)
    });
    ends.max()
}

/// Returns whether a phrase of a list is among words.
pub(super) fn has_phrase(tokens: &[Token<'_>], phrases: &List) -> bool {
    (0..tokens.len()).any(|at| phrase_at(tokens, at, phrases).is_some())
}

/// Returns whether a word of legal texts is among words.
pub(super) fn is_legal(tokens: &[Token<'_>]) -> bool {
    tokens.iter().any(|token| begins(token, words::LEGAL))
}

/// Returns whether a word may be in a verb group before the word of change.
pub(super) fn is_helper(token: &Token<'_>) -> bool {
    is_adverb(token)
        || [words::HELPERS, words::POSSIBLE, words::AHEAD, words::PAST, words::PERFECT, words::NOT]
            .iter()
            .any(|list| is_in(token, *list))
}

/// Returns whether a word is an adverb by its ending. English nouns share the ending of French adverbs, "equipment", so those are
/// listed; so are the English nouns and verbs in "ly".
pub(super) fn is_adverb(token: &Token<'_>) -> bool {
    let word = token.word;
    is_in(token, words::FRENCH_ADVERBS)
        || word.len() > 5 && word.ends_with("mente")
        || word.len() > 4 && word.ends_with("ly") && !is_in(token, words::NO_ADVERBS)
}
