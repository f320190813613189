//! Plans that are denied with a verb that no vocabulary has: "our engineers will not attend".
//!
//! Whatever the maintenance, or whoever carries it out, will not do is a change, but for what notices promise: that the work does
//! not affect a service, last longer, need anybody's help.

use super::{
    grammar as words,
    scope::{begins, is_in, phrase_at},
    tokens::{Gap, Token},
};

/// Nouns for the maintenance and for those who carry it out, as word beginnings.
#[rustfmt::skip]
const SUBJECTS: &[&str] = &[
    "maintenance", "work", "works", "activit", "intervention", "upgrade", "migration", "procedure", "crew", "engineer",
    "technician", "team", "contractor", "supplier",
];

/// Verbs, as word beginnings, that deny something which notices promise not to happen.
#[rustfmt::skip]
const PROMISES: &[&str] = &[
    "affect", "impact", "influence", "interrupt", "disrupt", "disturb", "cause", "exceed", "last", "take", "begin", "start", "commence", "end", "finish", "extend", "require", "request",
    "involve", "need", "result", "change", "alter", "modify", "visible", "notice", "available", "able", "reach", "respond", "reply", "answer", "have", "see", "degrade", "reduce", "lead",
    "touch", "coincide", "overlap", "conflict", "include", "service", "run", "cover", "incur", "experience", "restart", "reboot", "delay", "customer", "any", "a", "the", "in", "on", "at",
    "contact", "call", "inform", "notify", "enter", "open", "disconnect", "remove", "return", "produce", "introduce", "generate", "create", "break", "harm", "hinder", "limit", "prevent", "yet",
    "responsible", "liable", "only", "just", "charge", "accept",
];

/// Words between a negation and its verb.
const BETWEEN: &[&str] =
    &["be", "being", "longer", "now", "then", "actually", "therefore", "after", "all", "as", "also"];

/// The most words between a subject and its verb.
const FARTHEST: usize = 6;

/// Returns whether a sentence denies that the maintenance takes place in words that no vocabulary has.
pub(super) fn is_denied(tokens: &[Token]) -> bool {
    let opens = |at| [words::CONDITIONS, words::TIMES].iter().any(|list| phrase_at(tokens, at, list).is_some());
    (0..tokens.len()).any(|at| denies(tokens, at)) && !(0..tokens.len()).any(opens)
}

/// Returns whether the word is a negation of what a subject of the maintenance will do.
fn denies(tokens: &[Token], at: usize) -> bool {
    let is_negation = tokens.get(at).is_some_and(|token| is_in(token, &["not", "never", "no"]))
        && (tokens.get(at).is_none_or(|token| token.word != "no")
            || tokens.get(at + 1).is_some_and(|token| token.word == "longer"));
    let helper = at
        .checked_sub(1)
        .filter(|before| tokens.get(*before).is_some_and(|token| is_in(token, &["will", "wo", "shall"])));
    let (true, Some(helper)) = (is_negation, helper) else { return false };
    let verb = tokens.iter().skip(at + 1).find(|token| !is_in(token, BETWEEN));
    let is_promise = verb.is_none_or(|verb| begins(verb, PROMISES));
    let reach = tokens.get(helper.saturating_sub(FARTHEST)..helper).unwrap_or_default();
    let start = reach.iter().rposition(|token| token.before == Gap::Break).unwrap_or_default();
    let subject = reach.get(start..).unwrap_or_default();
    let named = |list| subject.iter().any(|token| begins(token, list));
    !is_promise && named(SUBJECTS) && !named(words::SERVICE)
}
