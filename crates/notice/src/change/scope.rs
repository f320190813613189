//! Judges a word of change by its sentence: its clause, its verb group, the conditions before and after it, and the noun that it
//! is said of.

use super::{
    grammar as words,
    index::{self, Hit},
    judge::Judge,
    tokens::{Gap, Token},
    vocabulary::Language,
};

/// Maximum distance from a noun back to the preposition that makes it a part of another one, in words: "on the ring of your
/// circuit".
pub(super) const PREPOSITION_REACH: usize = 3;

/// A label has at most so many words.
const LONGEST_LABEL: usize = 4;

/// The relation of a condition to a word of change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// The word is part of the condition: "if it is cancelled".
    Holds,
    /// The word is part of the consequence: "if it rains, it is cancelled".
    Leads,
}

impl Judge<'_> {
    /// Returns the word at a distance before the verb group; `None` if a comma or a stronger separation is between them.
    pub(super) fn before(&self, distance: usize) -> Option<&str> {
        let at = self.group.checked_sub(distance)?;
        let apart = self.tokens.get(at + 1..=self.group)?.iter().any(|token| token.before > Gap::Bracket);
        self.tokens.get(at).filter(|_| !apart).map(|token| token.word.as_str())
    }

    /// Returns whether the phrase itself contains a negation, such as a Turkish ending.
    pub(super) fn negates_itself(&self) -> bool {
        let phrase = self.tokens.get(self.hit.at..self.hit.end).unwrap_or_default();
        phrase
            .iter()
            .any(|token| is_in(token, words::NOT) || token.word.contains("meyecek") || token.word.contains("mayacak"))
    }

    /// Returns whether a word stands in the clause before the verb group.
    pub(super) fn before_group(&self, word: &str) -> bool {
        self.tokens.get(self.clause_start()..self.group).unwrap_or_default().iter().any(|token| token.word == word)
    }

    pub(super) fn clause_start(&self) -> usize {
        clause_around(self.tokens, self.hit).start
    }

    pub(super) fn is_clause_wide(&self) -> bool {
        matches!(self.hit.entry.language, Language::German | Language::Dutch)
    }

    /// Returns whether the condition is of time and in the present: "when it is postponed" may come; "once it has been
    /// postponed" tells that it was.
    pub(super) fn is_timed_in_present(&self) -> bool {
        let perfect = ["has", "have", "had", "been"];
        let last =
            self.tokens.get(..self.group).unwrap_or_default().iter().rev().find(|token| is_in(token, words::TIMES));
        last.is_some_and(|token| {
            is_in(
                token,
                &["when", "whenever", "wenn", "wanneer", "cuando", "quando", "quand", "lorsque", "sobald", "zodra"],
            )
        }) && !self.has(&perfect)
    }

    /// Returns whether the word is said of another maintenance: "those that have been completed", "the previous maintenance was
    /// cancelled", "any cancelled work".
    pub(super) fn is_of_another(&self) -> bool {
        if let (Some("that" | "which"), Some("those" | "ones" | "one")) = (self.before(1), self.before(2)) {
            return true;
        }
        let is_adverb = |word: &str| {
            [
                "previously",
                "earlier",
                "formerly",
                "zuvor",
                "eerder",
                "previamente",
                "anteriormente",
                "precedentemente",
                "precedemment",
            ]
            .contains(&word)
        };
        let last =
            self.hit.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or("", |token| token.word.as_str());
        if is_adverb(last) || words::UNREAL.contains(&last) {
            return true;
        }
        let subject = self.tokens.get(self.group.saturating_sub(PREPOSITION_REACH)..self.group).unwrap_or_default();
        subject.iter().any(|token| is_in(token, words::EARLIER))
            && !self.tokens.iter().any(|token| words::ANNOUNCED.iter().any(|word| token.word.starts_with(word)))
    }

    /// Returns whether the word is an extent: "complete loss of service" says how much goes down, not what is done.
    pub(super) fn is_extent(&self) -> bool {
        let extents = [
            "loss",
            "outage",
            "interruption",
            "disruption",
            "downtime",
            "unavailability",
            "failure",
            "isolation",
            "shutdown",
            "window",
            "duration",
        ];
        let word = self.hit.end.checked_sub(1).and_then(|at| self.tokens.get(at));
        let next = self.tokens.get(self.hit.end).filter(|token| token.before == Gap::Blank);
        word.is_some_and(|token| token.word == "complete") && next.is_some_and(|token| is_in(token, &extents))
    }

    /// Returns whether the word is said of equipment that is taken "from service".
    pub(super) fn is_out_of_service(&self) -> bool {
        let behind = self.tokens.get(self.hit.end..).unwrap_or_default();
        phrase_at(behind, 0, &["from service", "from operation", "from use"]).is_some()
    }

    /// Returns whether the object of a verb is something else than the maintenance: "to cancel your subscription".
    pub(super) fn is_done_to_service(&self) -> bool {
        let object = self.tokens.get(self.hit.end..).unwrap_or_default().iter().take(PREPOSITION_REACH);
        let mut object = object.take_while(|token| token.before < Gap::Comma);
        let named = object.find(|token| begins(token, words::SERVICE) || begins(token, words::WORK));
        named.is_some_and(|token| begins(token, words::SERVICE) && !begins(token, words::WORK))
    }

    /// Returns whether the word is the value of a label that is one of the maintenance's: "State of work: moved".
    fn is_value_of_label(&self) -> bool {
        let is_value = self.tokens.get(self.group).is_some_and(|token| token.before == Gap::Break);
        let label: Vec<&Token> =
            self.tokens.get(..self.group).unwrap_or_default().iter().rev().take(LONGEST_LABEL + 1).collect();
        let words = label.iter().position(|token| token.before == Gap::Break).map_or(label.len(), |at| at + 1);
        let label = label.get(..words).unwrap_or_default();
        let next = self.tokens.get(self.hit.end);
        is_value
            && words <= LONGEST_LABEL
            && label.iter().any(|token| begins(token, words::WORK) || is_in(token, &["state", "stage"]))
            && next.is_none_or(|token| token.before != Gap::Blank)
    }

    /// Returns whether the word is an attribute of the next one: "the completed form" says nothing of the maintenance.
    pub(super) fn is_attribute(&self) -> bool {
        let determiners = [
            "the", "a", "an", "all", "your", "our", "of", "der", "die", "das", "de", "het", "el", "la", "los", "o",
            "il", "le", "les", "and",
        ];
        let next = self.tokens.get(self.hit.end).is_some_and(|token| token.before == Gap::Blank);
        self.group == self.hit.at && next && self.before(1).is_some_and(|word| determiners.contains(&word))
    }

    /// Returns whether the word is a label whose value denies it: "Cancelled: no".
    pub(super) fn is_answered_with_no(&self) -> bool {
        let behind = self.tokens.get(self.hit.end..).unwrap_or_default();
        let nothing =
            ["no", "none", "n", "a", "nil", "false", "nein", "nee", "non", "not", "applicable", "nao", "hayir"];
        behind.first().is_some_and(|token| token.before == Gap::Break)
            && behind.iter().all(|token| is_in(token, &nothing))
    }

    /// Returns whether the word is said of the maintenance: the nearest known noun before it is one for the maintenance, and not
    /// for the objects of the work. A title has no noun, or has it after the word.
    pub(super) fn is_said_of_work(&self) -> bool {
        if self.is_value_of_label() {
            return true;
        }
        // "The replacement of a failed card".
        let next = self.tokens.get(self.hit.end).filter(|token| token.before == Gap::Blank);
        let before = self.tokens.get(self.group..self.hit.at).unwrap_or_default();
        if before.iter().all(|token| is_in(token, &["a", "an", "the", "of"]))
            && next.is_some_and(|token| begins(token, words::SERVICE) && !begins(token, words::WORK))
        {
            return false;
        }
        let clause = clause_around(self.tokens, self.hit);
        let is_last = |at: usize| at + 1 == self.hit.at;
        let mut is_known = false;
        for at in (clause.start..self.group).rev() {
            let Some(token) = self.tokens.get(at) else { continue };
            let is_service = begins(token, words::SERVICE) && !is_in(token, words::WORK);
            if !is_service && !begins(token, words::WORK) {
                continue;
            }
            is_known = true;
            let reach = at.saturating_sub(PREPOSITION_REACH).max(clause.start)..at;
            // "Following your objection we …": a pronoun is no part of what stands before it.
            let is_pronoun = is_in(token, &["we", "it", "they"]);
            let is_part = !is_pronoun
                && self
                    .tokens
                    .get(reach)
                    .is_some_and(|before| before.iter().any(|token| is_in(token, words::PREPOSITIONS)));
            if !is_part {
                return !is_service;
            }
        }
        // In German and Dutch the participle is last in its clause: the noun may be anywhere before it.
        if self.is_clause_wide() {
            let whole = self.tokens.get(clause).unwrap_or_default();
            return whole.len() <= 2
                || whole.iter().any(|token| begins(token, words::WORK))
                    && !whole.iter().any(|token| begins(token, words::SERVICE));
        }
        // "We have started the work": the object follows the verb.
        let mut behind = self.tokens.get(self.hit.end..).unwrap_or_default().iter().take(3);
        if behind.next().is_some_and(|token| is_in(token, DETERMINERS))
            && behind.take_while(|token| !begins(token, words::SERVICE)).any(|token| begins(token, words::WORK))
        {
            return true;
        }
        let next = self.tokens.get(self.hit.end);
        let is_headed = self.group == self.hit.at
            && next.is_none_or(|token| token.before == Gap::Break || begins(token, words::WORK));
        let opens = self.tokens.get(self.group).is_some_and(|token| token.before == Gap::Break)
            && self.sentence.after >= Gap::Blank;
        !is_known && (is_headed && opens || self.tokens.len() <= 2)
            || is_known && is_last(self.group) && is_headed && opens
    }

    /// Returns whether a condition follows the word: "will be postponed if it rains".
    pub(super) fn is_conditional_below(&self) -> bool {
        let behind = self.tokens.get(self.hit.end..).unwrap_or_default();
        (0..behind.len()).any(|at| {
            phrase_at(behind, at, words::CONDITIONS).is_some()
                || behind.get(at).is_some_and(|token| token.before >= Gap::Comma && is_in(token, words::INVERTED))
        }) && !behind.iter().any(|token| is_in(token, words::COURTESY))
    }

    /// Returns the relation of the last of these conditions before the word to it; `None` without one.
    pub(super) fn condition(&self, conditions: &[&str]) -> Option<Condition> {
        let is_inverted = |at: usize| {
            at == 0
                && conditions == words::CONDITIONS
                && self.tokens.first().is_some_and(|token| is_in(token, words::INVERTED))
        };
        let ends = |at: usize| phrase_at(self.tokens, at, conditions).or_else(|| is_inverted(at).then_some(1));
        let end = (0..self.hit.at).rev().find_map(|at| ends(at).filter(|end| *end <= self.hit.at))?;
        let scope = self.tokens.get(end..self.hit.at).unwrap_or_default();
        if scope.iter().any(|token| is_in(token, words::COURTESY)) {
            return None;
        }
        let mut at = end;
        while at <= self.hit.at {
            let token = self.tokens.get(at)?;
            if at > end && is_in(token, words::STATEMENTS) {
                return None;
            }
            if token.before >= Gap::Comma && !self.is_list(at) {
                if at > end || token.before == Gap::Break {
                    return (token.before == Gap::Comma).then_some(Condition::Leads);
                }
                // "If, for any reason, it is cancelled".
                at = (at + 1..self.hit.at)
                    .find(|next| self.tokens.get(*next).is_some_and(|token| token.before == Gap::Comma))?;
            }
            at += 1;
        }
        Some(Condition::Holds)
    }

    /// Returns whether only other words of change are between: "delayed, postponed or cancelled".
    pub(super) fn is_list(&self, from: usize) -> bool {
        (from..self.hit.at).all(|at| {
            let is_hit = self.hits.iter().any(|hit| (hit.at..hit.end).contains(&at));
            is_hit || self.tokens.get(at).is_some_and(|token| is_conjunction(token) || is_helper(token))
        })
    }
}

const DETERMINERS: &[&str] = &["the", "this", "our", "these", "all", "your"];

/// Returns the range of the clause around a word of change, the word included.
pub(super) fn clause_around(tokens: &[Token], hit: Hit) -> std::ops::Range<usize> {
    let opens = |at: &usize| tokens.get(*at).is_some_and(|token| token.before >= Gap::Comma);
    let states = |at: &usize| tokens.get(*at).is_some_and(|token| is_in(token, words::STATEMENTS));
    // German and Dutch verbs are apart from their participles: another verb's clause begins after "and", unless that joins two
    // participles.
    let is_wide = matches!(hit.entry.language, Language::German | Language::Dutch);
    let joins =
        |at: &usize| is_wide && tokens.get(*at).is_some_and(|token| is_in(token, &["und", "aber", "en", "maar"]));
    let goes_on =
        |at: &usize| index::hits(tokens).iter().any(|other| other.at == at + 1 || other.end == *at && hit.at == at + 1);
    let ends = |at: &usize| opens(at) || states(at) || joins(at) && !goes_on(at);
    let start = (0..=hit.at).rev().find(|at| ends(at)).unwrap_or(0);
    let end = (hit.end..tokens.len()).find(|at| ends(at)).unwrap_or(tokens.len());
    start..end
}

/// Returns the index at which the verb group of a word begins: helping verbs, negations and adverbs directly before it belong to
/// it.
pub(super) fn group_start(tokens: &[Token], at: usize) -> usize {
    let mut start = at;
    while start > 0
        && tokens.get(start).is_some_and(|token| token.before <= Gap::Bracket)
        && tokens.get(start - 1).is_some_and(is_helper)
    {
        start -= 1;
    }
    start
}

pub(super) fn is_helper(token: &Token) -> bool {
    let is_adverb = token.word.len() > 4
        && (token.word.ends_with("ly") || token.word.ends_with("mente") || token.word.ends_with("ment"));
    is_adverb
        || [words::HELPERS, words::POSSIBLE, words::AHEAD, words::PAST, words::PERFECT, words::NOT]
            .iter()
            .any(|list| is_in(token, list))
}

pub(super) fn is_conjunction(token: &Token) -> bool {
    is_in(token, &["or", "and", "oder", "und", "of", "en", "o", "y", "e", "ou", "et", "u", "ve", "veya", "ya", "da"])
}

pub(super) fn is_in(token: &Token, list: &[&str]) -> bool {
    list.contains(&token.word.as_str())
}

pub(super) fn begins(token: &Token, list: &[&str]) -> bool {
    // Short entries such as "it" and "es" must match as words; "arbeit" also matches the beginning of "arbeiten".
    list.iter().any(|word| {
        if word.len() <= 4 {
            token.word == *word || token.word.strip_suffix('s') == Some(word)
        } else {
            token.word.starts_with(word)
        }
    })
}

/// Returns the end of the longest phrase that begins at a word; `None` if none does.
pub(super) fn phrase_at(tokens: &[Token], at: usize, phrases: &[&str]) -> Option<usize> {
    let first = tokens.get(at)?.word.as_str();
    let ends = phrases.iter().filter(|phrase| phrase.starts_with(first)).filter_map(|phrase| {
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
