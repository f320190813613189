//! Conditions and times around a word of change: "if it is cancelled", "once it is completed".
//!
//! A *condition* opens with a phrase such as "if" and ends at a comma; its *consequence* follows.

use super::{
    grammar as words,
    list::List,
    mention::Mention,
    phrases::{is_conjunction, is_helper, is_in, phrase_at},
    tokens::{Gap, Token},
};

/// The part of a conditional sentence in which a word of change is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// "If it is cancelled, …", and "if it rains, cancelled", which has no verb of its own.
    InCondition,
    /// "If it rains, it is cancelled".
    InConsequence,
}

impl Mention<'_> {
    /// Returns whether the last phrase of time before the verb group opens something that is still to come: "when it is postponed" may
    /// come, and "once it has been postponed" has come.
    pub(super) fn is_timed_in_present(&self) -> bool {
        const OPEN: &[&str] =
            &["when", "whenever", "wenn", "wanneer", "cuando", "quando", "quand", "lorsque", "sobald", "zodra"];
        const COME: &[&str] = &["has", "have", "had", "been"];
        let before = self.tokens.get(..self.group).unwrap_or_default();
        let last = before.iter().rev().find(|token| is_in(token, words::TIMES));
        last.is_some_and(|token| is_in(token, OPEN)) && !self.has(COME) && !self.has(words::PAST)
    }

    /// Returns whether a condition follows the word: "will be postponed if it rains".
    pub(super) fn is_followed_by_condition(&self) -> bool {
        let after = self.tokens.get(self.hit.end..).unwrap_or_default();
        self.has_condition_behind() && !after.iter().any(|token| is_in(token, words::COURTESY))
    }

    /// Returns whether a condition, or a courtesy in the form of one, follows the word.
    pub(super) fn has_condition_behind(&self) -> bool {
        let after = self.tokens.get(self.hit.end..).unwrap_or_default();
        (0..after.len()).any(|at| {
            phrase_at(after, at, words::CONDITIONS).is_some()
                || after.get(at).is_some_and(|token| token.before >= Gap::Comma && is_in(token, words::INVERTED))
        })
    }

    /// Returns the part of a conditional sentence in which the word is, by the last of these phrases before it; `None` if there is no
    /// such phrase, or if a new statement begins after it.
    pub(super) fn condition(&self, conditions: &List) -> Option<Condition> {
        let is_inverted = |at: usize| {
            at == 0
                && conditions == words::CONDITIONS
                && self.tokens.first().is_some_and(|token| is_in(token, words::INVERTED))
        };
        let ends = |at: usize| phrase_at(self.tokens, at, conditions).or_else(|| is_inverted(at).then_some(1));
        // "Al termine dell'attività": the word of change may be the last one of the phrase.
        let start = (0..self.hit.at).rev().find_map(|at| ends(at).map(|end| end.min(self.hit.at)))?;
        let between = self.tokens.get(start..self.hit.at)?;
        if between.iter().any(|token| is_in(token, words::COURTESY)) {
            return None;
        }
        let mut at = start;
        while at <= self.hit.at {
            let token = self.tokens.get(at)?;
            if at > start && is_in(token, words::STATEMENTS) {
                return None;
            }
            if token.before >= Gap::Comma && !self.is_in_list(start, at) {
                if token.before == Gap::Break {
                    return None;
                }
                if at > start {
                    // "If it rains, cancelled" has no verb of its own.
                    let has_verb = at < self.hit.at;
                    return Some(if has_verb { Condition::InConsequence } else { Condition::InCondition });
                }
                // "If, for any reason, it is cancelled": the condition goes on after the second comma.
                at = (at + 1..=self.hit.at)
                    .find(|next| self.tokens.get(*next).is_some_and(|token| token.before == Gap::Comma))?;
            }
            at += 1;
        }
        Some(Condition::InCondition)
    }

    /// Returns whether the comma at `from` is one between words of change, of which the first is after `start`: "if it is delayed,
    /// postponed or cancelled".
    fn is_in_list(&self, start: usize, from: usize) -> bool {
        let is_hit = |at: usize| self.hits.iter().any(|hit| (hit.at..hit.end).contains(&at));
        let is_link = |token: &Token<'_>| is_conjunction(token, self.hit.entry.language) || is_helper(token);
        self.hits.iter().any(|hit| (start..from).contains(&hit.at))
            && (from..self.hit.at).all(|at| is_hit(at) || self.tokens.get(at).is_some_and(is_link))
    }
}
