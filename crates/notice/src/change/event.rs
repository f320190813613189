//! Finds out what does not take place. Only an event does, so whatever will not take place is the maintenance, unless its noun is known
//! to be another thing: nobody can list the nouns for all works.

use super::{
    grammar as words,
    list::Words,
    mention::Mention,
    phrases::{begins, is_in},
    plans,
    tokens::{Gap, Token},
};

/// Verbs of which only an event is the subject, by the first words of their phrases.
#[rustfmt::skip]
const VERBS: &[&str] = &[
    "take", "taking", "taken", "go", "going", "gone", "proceed", "proceeding", "proceeded", "happen", "happening", "occur", "carried",
    "performed", "executed", "done", "implemented",
];
/// Helping verbs of what is only thought of.
const THOUGHT: &[&str] = &["should", "would", "may", "might"];
/// Articles, and pronouns in their place.
const ARTICLES: &[&str] = &["the", "this", "our", "these", "your", "a", "an", "its", "their", "his", "all"];
/// Words that stand for no event, or open a part that names none.
#[rustfmt::skip]
const NO_EVENTS: &[&str] = &[
    "which", "that", "what", "who", "there", "you", "they", "i", "and", "but", "so", "please", "do", "does", "if", "something", "nothing",
    "anything", "else", "such", "or", "as", "kindly", "failover", "loss", "error", "errors", "data", "billing", "credit", "things", "problem",
    "problems", "issue", "issues", "flap", "flaps", "packet", "packets", "mistake", "backup", "backups", "testing", "test", "tests",
];

impl Mention<'_> {
    /// Returns whether the phrase is said of an event, whatever its noun.
    pub(super) fn is_said_of_event(&self) -> bool {
        let is_of_event = self.tokens.get(self.hit.at).is_some_and(|token| is_in(token, VERBS));
        let clause = self.tokens.get(self.clause_start()..self.group).unwrap_or_default();
        // "A … does not …" describes works in general.
        let is_general = self.has(&["do", "does"])
            && self.tokens.get(self.subject_start()).is_some_and(|token| is_in(token, &["a", "an"]));
        is_of_event
            && !self.has(THOUGHT)
            && !is_general
            && !clause.last().is_some_and(is_no_event)
            && self.noun_of_subject().is_some_and(|noun| !is_no_event(noun))
    }

    /// Returns where the part of the sentence begins in which the subject is: at a comma, unless the part behind it has no article,
    /// as in "the works in Paris, France".
    pub(super) fn subject_start(&self) -> usize {
        let clause = self.clause_start();
        let before = self.tokens.get(clause..self.group).unwrap_or_default();
        if clause == 0 || before.iter().any(|token| is_in(token, ARTICLES) || begins(token, words::WORK)) {
            return clause;
        }
        let opens = |at: &usize| {
            self.tokens.get(*at).is_some_and(|token| token.before == Gap::Break || is_in(token, words::STATEMENTS))
        };
        (0..=clause).rev().find(opens).unwrap_or(0)
    }

    /// Returns the last word of the subject before its parts: "the swap | of the card".
    fn noun_of_subject(&self) -> Option<&Token<'_>> {
        let subject = self.tokens.get(self.subject_start()..self.group)?;
        let is_preposition =
            |token: &Token<'_>| is_in(token, words::PREPOSITIONS) && !is_in(token, ARTICLES) && token.word != "do";
        let article = (0..subject.len()).rev().find(|at| {
            let before = at.checked_sub(1).and_then(|at| subject.get(at));
            subject.get(*at).is_some_and(|token| is_in(token, ARTICLES)) && !before.is_some_and(is_preposition)
        });
        let phrase = subject.get(article.map_or(0, |at| at + 1)..)?;
        let is_statement = |token: &&Token<'_>| is_in(token, words::STATEMENTS);
        let phrase = phrase.iter().skip_while(is_statement);
        let noun = phrase.take_while(|token| !is_preposition(token) && !is_in(token, &["which", "that"]));
        // "The works planned for tonight".
        let noun = noun.filter(|token| !token.word.ends_with("ed")).last();
        // "This will not happen" has its subject in the article.
        noun.or_else(|| article.and_then(|at| subject.get(at)).filter(|token| is_in(token, words::WORK)))
    }
}

fn is_no_event(token: &Token<'_>) -> bool {
    if begins(token, words::ACTIONS) {
        return false;
    }
    let is_thing = !is_in(token, words::WORK) && begins(token, words::SERVICE);
    is_thing
        || NO_EVENTS.holds(token.word)
        || is_in(token, plans::READERS)
        || begins(token, plans::UNAFFECTED)
        || begins(token, plans::UNDENIED)
}
