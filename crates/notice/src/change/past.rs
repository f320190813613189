//! Finds what is told of the maintenance as past, or as other than before: "we gave up after two hours", "the end time is now 07:00".
//!
//! A plan speaks of what will be. What has become of the maintenance already is a change, whatever the verb, unless the verb says how
//! the plan came about: "has been scheduled", "was requested by the city".

use super::{
    Change, Statement,
    clause::{Clause, Of},
    grammar as words,
    index::Hit,
    phrases::{begins, is_in},
    plans,
    tokens::{Sentence, Token},
    vocabulary::Form,
};

/// Helping words of the future that stand behind other verbs as well: "was planned to", "fue a ser".
const WEAK_AHEAD: &[&str] = &["to", "planned", "scheduled", "ser", "sera"];
/// Forms of "have", which are helping verbs of the perfect and verbs of their own: "we have a planned maintenance".
const HAVE: &[&str] = &["has", "have", "hat", "haben", "heeft", "hebben", "ha", "han", "hanno", "ont"];
/// The forms of words of change that are judged wherever they stand; the others only of a noun that the vocabulary knows.
const JUDGED: &[Form] = &[Form::Done, Form::Act, Form::Noun];

/// Returns the statement of a sentence that tells in the past of its maintenance, in words that the vocabulary does not have.
pub(super) fn statement(sentence: &Sentence<'_>, hits: &[Hit]) -> Option<Statement> {
    let tokens = sentence.tokens.as_slice();
    let is_now = |at: &usize| tokens.get(*at).is_some_and(|token| is_in(token, plans::NOW));
    let verbs = (0..tokens.len()).filter(|at| is_past_verb(tokens, *at) || is_now(at));
    let is_first = |clause: &Clause<'_>| !(clause.range.start + 1..clause.at).any(|at| is_past_verb(tokens, at));
    let mut clauses = verbs.map(|at| Clause::around(tokens, at)).filter(is_first);
    clauses.find(|clause| tells_past(clause, hits))?;
    Some(Statement {
        change: Change::Unclear,
        is_negated: false,
        is_of_this: false,
        sentence: sentence.text.trim().to_owned(),
    })
}

/// Returns whether a clause tells of the maintenance as past, with its verb at the dividing word.
fn tells_past(clause: &Clause<'_>, hits: &[Hit]) -> bool {
    let from_here = clause.tokens.get(clause.at..clause.range.end).unwrap_or_default();
    let is_ahead = |token: &Token<'_>| is_in(token, words::AHEAD) && !is_in(token, WEAK_AHEAD);
    let is_of_plan = |token: &Token<'_>| begins(token, plans::OF_PLANS) || begins(token, plans::UNDENIED);
    !clause.is_judged(clause.at, hits, JUDGED)
        && !clause.whole().iter().any(|token| is_in(token, plans::DENIALS))
        && !clause.before().iter().any(|token| is_in(token, words::EARLIER))
        && !from_here.iter().any(|token| is_ahead(token) || is_of_plan(token))
        && clause.is_said_of(&[plans::SUBJECTS]) == Of::Work
        && !clause.is_conditional()
}

/// Returns whether a word is a finite verb in the past: "has", "was", "took".
fn is_past_verb(tokens: &[Token<'_>], at: usize) -> bool {
    let Some(verb) = tokens.get(at).filter(|token| is_in(token, plans::PAST_VERBS)) else { return false };
    let before = at.checked_sub(1).and_then(|at| tokens.get(at));
    let next = tokens.get(at + 1);
    let is_own_verb = is_in(verb, HAVE) && next.is_none_or(|token| is_in(token, plans::NO_PERFECT));
    // "In a closed ring".
    let is_attribute = before.is_some_and(|token| is_in(token, &["a", "an"]));
    !is_own_verb && !is_attribute && !before.is_some_and(|token| is_in(token, plans::UNREAL_PAST))
}
