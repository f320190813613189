//! The parts of a sentence between commas, and what they are said of.

use std::ops::Range;

use super::{
    grammar as words,
    index::Hit,
    list::List,
    phrases::{PREPOSITION_REACH, begins, is_in, is_pointer, phrase_at},
    plans,
    tokens::{Gap, Token},
    vocabulary::Form,
};

/// A clause of a sentence, divided at a word: at its negation, or at its verb.
#[derive(Clone)]
pub(super) struct Clause<'sentence> {
    pub(super) tokens: &'sentence [Token<'sentence>],
    pub(super) range: Range<usize>,
    pub(super) at: usize,
}

/// The noun that the word is said of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// The maintenance, its times, its notice or those who do it.
    Work,
    /// A service, or the reader.
    Other,
    /// No known noun stands before the word, or only parts of others.
    Nothing,
}

impl<'sentence> Clause<'sentence> {
    /// Returns the clause around a word, from comma to comma.
    pub(super) fn around(tokens: &'sentence [Token<'sentence>], at: usize) -> Self {
        // "Necessary since the landlord has terminated the lease".
        let is_reason = |at: usize| {
            let next = tokens.get(at + 1);
            tokens.get(at).is_some_and(|token| is_in(token, words::REASONS))
                && next.is_some_and(|token| is_in(token, plans::DETERMINERS))
        };
        let opens = |at: &usize| {
            tokens.get(*at).is_some_and(|token| token.before >= Gap::Comma || is_in(token, words::STATEMENTS))
                || is_reason(*at)
        };
        let start = (0..=at).rev().find(opens).unwrap_or(0);
        let end = (at + 1..tokens.len()).find(opens).unwrap_or(tokens.len());
        Self { tokens, range: start..end, at }
    }

    pub(super) fn word(&self) -> &'sentence str {
        self.tokens.get(self.at).map_or("", |token| token.word)
    }

    pub(super) fn whole(&self) -> &'sentence [Token<'sentence>] {
        self.tokens.get(self.range.clone()).unwrap_or_default()
    }

    pub(super) fn before(&self) -> &'sentence [Token<'sentence>] {
        self.tokens.get(self.range.start..self.at).unwrap_or_default()
    }

    pub(super) fn after(&self) -> &'sentence [Token<'sentence>] {
        self.tokens.get(self.at + 1..self.range.end).unwrap_or_default()
    }

    /// Returns whether a word of change stands behind the index in the clause, by which it has been judged: "has not been cancelled".
    pub(super) fn is_judged(&self, from: usize, hits: &[Hit], forms: &[Form]) -> bool {
        let part = from..self.range.end;
        hits.iter().any(|hit| forms.contains(&hit.entry.form) && part.contains(&hit.at))
    }

    /// Returns whether a condition or a time opens before the word, "if" or "once", that is no courtesy.
    pub(super) fn is_conditional(&self) -> bool {
        let before = self.tokens.get(..self.at).unwrap_or_default();
        let opens = |at: usize| {
            phrase_at(before, at, words::CONDITIONS).is_some()
                || phrase_at(before, at, words::TIMES).is_some()
                || at == 0 && before.first().is_some_and(|token| is_in(token, words::INVERTED))
        };
        !before.iter().any(|token| is_in(token, words::COURTESY)) && (0..before.len()).any(opens)
    }

    /// Returns what the word is said of: the nearest known noun before it decides that is no part of another one.
    pub(super) fn is_said_of(&self, nouns: &[&List]) -> Of {
        for at in (self.range.start..self.at).rev() {
            let Some(token) = self.tokens.get(at) else { continue };
            if is_in(token, plans::READERS) {
                return Of::Other;
            }
            let is_work = nouns.iter().any(|nouns| begins(token, *nouns)) || is_pointer(self.tokens, at);
            let is_object = begins(token, words::SERVICE) && !is_in(token, words::WORK);
            if (is_work || is_object) && !self.is_part(at, self.range.start) {
                return if is_object { Of::Other } else { Of::Work };
            }
        }
        Of::Nothing
    }

    /// Returns whether a noun is a part of another one: "of the ring".
    pub(super) fn is_part(&self, noun: usize, from: usize) -> bool {
        let before = self.tokens.get(noun.saturating_sub(PREPOSITION_REACH).max(from)..noun).unwrap_or_default();
        // "Your circuit migration" is no part of your circuit.
        let is_work = self.tokens.get(noun).is_some_and(|token| begins(token, words::WORK));
        before
            .iter()
            .any(|token| is_in(token, words::PREPOSITIONS) && token.word != "our" && !(is_work && token.word == "your"))
    }
}
