//! Finds denied plans: "we shall not do it", "the window below cannot be kept", "permit not granted".
//!
//! Nobody can list the verbs with which a plan is denied, so here the negation itself is what has to be explained: by what it denies
//! (an impact, an expectation, an answer to the mail), by whom it is said of (a service, the reader), by a condition, or by a limit
//! ("not before 22:00"). One that none of these explains, and that is said of the maintenance, leaves it unclear.

use super::{
    Change, Statement,
    clause::{Clause, Of},
    grammar as words,
    index::Hit,
    list::{List, Words},
    phrases::{begins, is_helper, is_in, is_legal, phrase_at},
    plans,
    tokens::{Sentence, Token},
    vocabulary::Form,
};

/// Maximum distance from "no" to the noun that it denies, in words: "no further work".
const NOUN_REACH: usize = 3;
/// Titles have at most this many words: "not approved".
const LONGEST_TITLE: usize = 3;
/// The forms of words of change that are judged with their negation.
const JUDGED: &[Form] = &[Form::Done, Form::DoneToWork, Form::Act, Form::Noun];

/// Returns the statement of a sentence that denies its maintenance in words that the vocabulary does not have.
pub(super) fn statement(sentence: &Sentence<'_>, hits: &[Hit]) -> Option<Statement> {
    let tokens = sentence.tokens.as_slice();
    let is_denial = |at: &usize| tokens.get(*at).is_some_and(|token| token.word == "no" || is_negation(token));
    let mut denials = (0..tokens.len()).filter(is_denial).map(|at| Denial(Clause::around(tokens, at)));
    denials.find(|denial| denial.is_read_so() && denial.is_unexplained(hits))?;
    Some(Statement {
        change: Change::Unclear,
        is_negated: false,
        is_of_this: false,
        sentence: sentence.text.trim().to_owned(),
    })
}

/// Returns whether a word denies; a Turkish verb does so by its ending.
fn is_negation(token: &Token<'_>) -> bool {
    // All of them begin alike, and hardly any other word has that letter there.
    let may_end = || token.word.len() > 7 && token.word.bytes().skip(3).any(|letter| letter == b'm');
    let ends = |ending: &&str| token.word.find(*ending).is_some_and(|at| at > 2);
    is_in(token, plans::DENIALS) || may_end() && ["mamis", "memis", "mayacak", "meyecek"].iter().any(ends)
}

/// A negation with the clause around it.
struct Denial<'sentence>(Clause<'sentence>);

impl Denial<'_> {
    /// Returns whether "no" denies the maintenance in English ("no work", "no longer") or a verb in Spanish.
    fn is_read_so(&self) -> bool {
        let has_marks = || self.0.whole().iter().any(|token| is_in(token, plans::ROMANCE_MARKS));
        self.0.word() != "no" || self.is_english() || has_marks()
    }

    fn is_english(&self) -> bool {
        let after = self.0.after();
        after.first().is_some_and(|token| is_in(token, &["longer", "more"]))
            || after.iter().take(NOUN_REACH).any(|token| begins(token, plans::DENIED_NOUNS))
    }

    fn is_unexplained(&self, hits: &[Hit]) -> bool {
        !self.0.is_judged(self.0.range.start, hits, JUDGED)
            && !self.0.is_conditional()
            && !self.is_limited()
            && !self.is_no_plan()
            && self.is_said_of_work()
            // "This information is confidential and cannot be passed on".
            && !is_legal(self.0.whole())
    }

    /// Returns `true` if another time is denied: "Will not begin before 22:00", "do not start until we call".
    fn is_limited(&self) -> bool {
        let after = self.0.tokens.get(self.0.at + 1..).unwrap_or_default();
        after.iter().any(|token| is_in(token, plans::LIMITS))
            || (0..after.len()).any(|at| phrase_at(after, at, words::CONDITIONS).is_some())
    }

    /// Returns whether what is denied is no plan: "not expected", "no impact is foreseen", "not conducted by our partner".
    fn is_no_plan(&self) -> bool {
        let after = self.0.after();
        // The word that opens what nobody has to do, "que" or "that", opens a clause as well.
        let further = self.0.tokens.iter().skip(self.0.at + 1).take(after.len() + 1);
        let follows = |first: &List, second: &[&str]| {
            let pairs = further.clone().zip(further.clone().skip(1));
            pairs.clone().any(|(one, next)| begins(one, first) && is_in(next, second))
        };
        let is_for_reader =
            self.is_thing() && after.iter().any(|token| is_in(token, plans::READERS) || token.word == "your");
        let from_here = self.0.tokens.get(self.0.at..self.0.range.end).unwrap_or_default();
        is_for_reader
            || follows(plans::DOING, &["by"])
            || follows(plans::NEEDED, plans::TO_DO.entries())
            || self.0.before().iter().any(|token| begins(token, plans::UNAFFECTED))
            || from_here.iter().any(|token| begins(token, plans::UNDENIED))
    }

    fn is_thing(&self) -> bool {
        plans::THINGS.holds(self.0.word())
    }

    /// Returns whether what is denied is said of the maintenance: of a noun for it before the negation or, where none is, behind it.
    fn is_said_of_work(&self) -> bool {
        match self.0.is_said_of(&[words::WORK, words::CONSENT, plans::CREW]) {
            Of::Work => true,
            Of::Other => false,
            Of::Nothing => self.denies_work(),
        }
    }

    /// Returns whether the noun that is denied, or left out, is the maintenance: "nothing was done", but neither "nothing new" nor
    /// "keine Fragen".
    fn denies_thing(&self) -> bool {
        let after = self.0.after();
        match self.0.word() {
            "no" => true,
            "none" => false,
            "nothing" | "nobody" => after.first().is_some_and(|token| is_helper(token) && token.word != "to"),
            _ => after.iter().take(NOUN_REACH).any(|token| begins(token, words::WORK) || begins(token, words::CONSENT)),
        }
    }

    /// Returns `true` if work is denied: "Nothing was done", "Colt did not approve this work"; an order to the reader is no plan.
    fn denies_work(&self) -> bool {
        let clause = &self.0;
        let is_order = clause.before().iter().all(|token| is_in(token, plans::ORDERING));
        if is_order && self.is_thing() && (clause.word() != "no" || self.is_english()) {
            return self.denies_thing();
        }
        let is_work = |at: usize| {
            let noun = clause.tokens.get(at);
            let before = at.checked_sub(1).and_then(|at| clause.tokens.get(at));
            noun.is_some_and(|token| begins(token, words::WORK) || begins(token, words::CONSENT))
                && before.is_some_and(|token| is_in(token, plans::DETERMINERS))
                && !clause.is_part(at, clause.at)
        };
        // "No fue posible …": sentences of these languages need no subject.
        let is_statement = !is_order || matches!(clause.word(), "nao" | "non" | "no");
        let is_title = clause.before().is_empty() && clause.tokens.len() <= LONGEST_TITLE;
        is_title || is_statement && (clause.at + 1..clause.range.end).any(is_work)
    }
}
