//! A word of change, such as "cancelled", in its sentence: the parts of the sentence around it, by which it is judged.
//!
//! Its *verb group* is the word with the helping verbs, negations and adverbs directly before it: "has not been cancelled". Its *clause*
//! is the part of the sentence around it, from comma to comma. The *subject* is the noun that the word is said of.

use super::{
    grammar as words,
    index::Hit,
    list::{List, Words},
    phrases::{PREPOSITION_REACH, begins, is_adverb, is_conjunction, is_helper, is_in, is_pointer},
    tokens::{Gap, Sentence, Token},
    vocabulary::Language,
};

/// The subject of a word of change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// The maintenance: "the work on your circuit".
    Work,
    /// Consent that the work needs from others: "the permit".
    Consent,
    /// An object of the work: "your circuit".
    Object,
    /// Only parts of other nouns are named: "of your circuit".
    PartOnly,
    Unknown,
}

/// A word of change with its verb group.
pub(super) struct Mention<'sentence> {
    pub(super) tokens: &'sentence [Token<'sentence>],
    pub(super) hits: &'sentence [Hit],
    pub(super) hit: Hit,
    /// Index at which its verb group begins: "has not been | cancelled".
    pub(super) group: usize,
    /// The words by which its tense, mood and negation are told.
    pub(super) around: &'sentence [Token<'sentence>],
}

impl<'sentence> Mention<'sentence> {
    /// Returns the word of change with that index among those of a sentence.
    pub(super) fn new(sentence: &'sentence Sentence<'sentence>, hits: &'sentence [Hit], index: usize) -> Option<Self> {
        let tokens = sentence.tokens.as_slice();
        let hit = *hits.get(index)?;
        let mut group = group_start(tokens, hit.at);
        // "May be postponed or cancelled": the second has the verb group of the first.
        for before in hits.iter().take(index).rev() {
            let Some(between) = tokens.get(before.end..group) else { break };
            let gap = tokens.get(before.end).map(|token| token.before);
            let joins = between.iter().all(|token| is_conjunction(token, hit.entry.language))
                && (!between.is_empty() || gap == Some(Gap::Comma));
            if gap == Some(Gap::Break) || !joins {
                break;
            }
            group = group_start(tokens, before.at);
        }
        let clause = match hit.entry.language {
            Language::German | Language::Dutch => clause_around(tokens, hits, hit),
            Language::Turkish => hit.at..(hit.end + 2).min(tokens.len()),
            Language::English | Language::Romance => group..hit.at,
        };
        let around = tokens.get(clause).unwrap_or_default();
        Some(Self { tokens, hits, hit, group, around })
    }
}

impl Mention<'_> {
    /// Returns whether a word by which tense, mood and negation are told is in a list.
    pub(super) fn has(&self, list: &(impl Words + ?Sized)) -> bool {
        self.around.iter().any(|token| is_in(token, list))
    }

    /// Returns the word that is `distance` words before the verb group; `None` if a comma or a stronger separation is between them.
    pub(super) fn before(&self, distance: usize) -> Option<&str> {
        let at = self.group.checked_sub(distance)?;
        let apart = self.tokens.get(at + 1..=self.group)?.iter().any(|token| token.before > Gap::Bracket);
        self.tokens.get(at).filter(|_| !apart).map(|token| token.word)
    }

    /// Returns whether the phrase itself contains a negation, such as a Turkish ending.
    pub(super) fn negates_itself(&self) -> bool {
        let phrase = self.tokens.get(self.hit.at..self.hit.end).unwrap_or_default();
        phrase
            .iter()
            .any(|token| is_in(token, words::NOT) || token.word.contains("meyecek") || token.word.contains("mayacak"))
    }

    /// Returns whether the clause has a word before the verb group.
    pub(super) fn before_group(&self, word: &str) -> bool {
        self.tokens.get(self.clause_start()..self.group).unwrap_or_default().iter().any(|token| token.word == word)
    }

    /// Returns the index at which the clause begins.
    pub(super) fn clause_start(&self) -> usize {
        self.clause().start
    }

    /// Returns the range of the clause, the word of change included.
    pub(super) fn clause(&self) -> std::ops::Range<usize> {
        clause_around(self.tokens, self.hits, self.hit)
    }

    /// Returns whether the verb group may be spread over the whole clause, as in German and Dutch: "wurde am Montag abgesagt".
    pub(super) fn is_clause_wide(&self) -> bool {
        matches!(self.hit.entry.language, Language::German | Language::Dutch)
    }

    /// Returns whether the word is said of another maintenance: "those that have been completed", "the previous maintenance was
    /// cancelled", "any cancelled work".
    pub(super) fn is_of_another(&self) -> bool {
        const EARLIER_ADVERBS: &[&str] = &[
            "previously",
            "earlier",
            "formerly",
            "zuvor",
            "eerder",
            "previamente",
            "anteriormente",
            "precedentemente",
            "precedemment",
        ];
        if let (Some("that" | "which"), Some("those" | "ones" | "one")) = (self.before(1), self.before(2)) {
            return true;
        }
        let last = self.hit.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or("", |token| token.word);
        if EARLIER_ADVERBS.holds(last) || words::NOT_SPECIFIC.holds(last) {
            return true;
        }
        let subject = self.tokens.get(self.group.saturating_sub(PREPOSITION_REACH)..self.group).unwrap_or_default();
        subject.iter().any(|token| is_in(token, words::EARLIER))
            && !self.tokens.iter().any(|token| words::ANNOUNCED.words().iter().any(|word| token.word.starts_with(word)))
    }

    /// Returns whether the word says how much goes down, and not what is done: "complete loss of service".
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

    /// Returns whether the word is an attribute of the noun after it: "the completed form" says nothing of the maintenance. A word that
    /// goes on with "completed successfully", "all completed today" or "completed by our team" is a verb.
    pub(super) fn is_attribute(&self) -> bool {
        let determiners = [
            "the", "a", "an", "all", "your", "our", "of", "der", "die", "das", "de", "het", "el", "la", "los", "o",
            "il", "le", "les", "and",
        ];
        let next = self.tokens.get(self.hit.end).filter(|token| token.before == Gap::Blank);
        let is_noun = next.is_some_and(|token| !is_adverb(token) && !is_in(token, NOT_NOUNS));
        self.group == self.hit.at && is_noun && self.before(1).is_some_and(|word| determiners.contains(&word))
    }

    /// Returns whether the word is an attribute of a noun that is no maintenance: "a closed ring", "the removed card".
    pub(super) fn is_attribute_of_thing(&self) -> bool {
        let last = self.hit.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        let next = self.tokens.get(self.hit.end).filter(|token| token.before == Gap::Blank);
        last.is_some_and(|token| is_in(token, DETERMINERS)) && next.is_some_and(|token| begins(token, words::SERVICE))
    }

    /// Returns whether somebody has done it to an object that is no maintenance: "the landlord has terminated the lease".
    pub(super) fn is_done_to_thing(&self) -> bool {
        let is_active = self.has(&["has", "have", "had"]) && !self.has(&["been"]);
        let mut after = self.tokens.get(self.hit.end..).unwrap_or_default().iter();
        is_active
            && after.next().is_some_and(|token| is_in(token, DETERMINERS) && token.before == Gap::Blank)
            && after.take(OBJECT_NOUN_REACH).all(|token| !begins(token, words::WORK))
    }

    /// Returns whether the word is a label whose value denies it: "Cancelled: no".
    pub(super) fn is_answered_with_no(&self) -> bool {
        let after = self.tokens.get(self.hit.end..).unwrap_or_default();
        let nothing =
            ["no", "none", "n", "a", "nil", "false", "nein", "nee", "non", "not", "applicable", "nao", "hayir"];
        after.first().is_some_and(|token| token.before == Gap::Break)
            && after.iter().all(|token| is_in(token, &nothing))
    }

    /// Returns whether the word is said of the maintenance, and not of the objects of the work.
    ///
    /// The nearest known noun before the verb group decides. A title has no noun, or has it after the word.
    pub(super) fn is_said_of_work(&self) -> bool {
        if self.is_labelled() {
            return true;
        }
        let subject = self.subject();
        if let Subject::Work | Subject::Object | Subject::Consent = subject {
            return subject == Subject::Work;
        }
        if self.is_clause_wide() {
            return self.has_work_alone();
        }
        self.is_followed_by_work() || subject == Subject::Unknown && (self.opens_title() || self.tokens.len() <= 2)
    }

    /// Returns whether the word is in the value of a label that is said of the maintenance: "Outcome: closed, unsuccessful".
    pub(super) fn is_labelled(&self) -> bool {
        let label =
            (0..self.hit.at).rev().find(|at| self.tokens.get(at + 1).is_some_and(|token| token.before == Gap::Break));
        label.and_then(|at| self.tokens.get(at)).is_some_and(|token| is_in(token, words::LABELS))
    }

    /// Returns the nearest known noun before the verb group that is not a part of another one.
    pub(super) fn subject(&self) -> Subject {
        let start = self.subject_start();
        let mut subject = Subject::Unknown;
        for at in (start..self.group).rev() {
            let Some(token) = self.tokens.get(at) else { continue };
            let is_object = begins(token, words::SERVICE) && !is_in(token, words::WORK);
            let is_work = begins(token, words::WORK) || is_pointer(self.tokens, at) || self.is_action(at);
            let is_consent = begins(token, words::CONSENT);
            if !is_object && !is_work && !is_consent {
                continue;
            }
            let before = self.tokens.get(at.saturating_sub(PREPOSITION_REACH).max(start)..at).unwrap_or_default();
            // "Your circuit migration" is no part of your circuit.
            let next = self.tokens.get(at + 1);
            let is_head = at + 1 == self.group || next.is_some_and(|token| is_in(token, words::PREPOSITIONS));
            let is_owned = |token: &Token<'_>| is_head && is_work && !is_object && is_in(token, &["our", "your"]);
            if !before.iter().any(|token| is_in(token, words::PREPOSITIONS) && !is_owned(token)) {
                return match (is_consent, is_object) {
                    (true, _) => Subject::Consent,
                    (false, true) => Subject::Object,
                    (false, false) => Subject::Work,
                };
            }
            subject = Subject::PartOnly;
        }
        subject
    }

    /// Returns whether a word is a noun of work at the head of a compound: "the cable relocation".
    fn is_action(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|at| self.tokens.get(at));
        self.tokens.get(at).is_some_and(|token| begins(token, words::ACTIONS))
            && before.is_some_and(|token| is_in(token, DETERMINERS) || begins(token, words::SERVICE))
    }

    /// Returns whether the word tells of a part only: "partially completed", "50 % complete".
    pub(super) fn is_in_part(&self) -> bool {
        let last = self.hit.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or("", |token| token.word);
        let is_share = last.len() <= 2 && !last.is_empty() && last.bytes().all(|digit| digit.is_ascii_digit());
        self.has(words::IN_PART) || is_share || matches!(last, "percent" | "cent")
    }

    /// Returns whether the word is one of movement, which is done to traffic as well: "moved back".
    pub(super) fn is_move(&self) -> bool {
        self.tokens
            .get(self.hit.at)
            .is_some_and(|token| is_in(token, &["moved", "put", "pushed", "brought", "pulled", "held"]))
    }

    /// Returns whether the clause names the maintenance and none of its objects, anywhere: German and Dutch participles are last in
    /// their clause. A clause of one or two words is a title.
    fn has_work_alone(&self) -> bool {
        let clause = self.tokens.get(self.clause()).unwrap_or_default();
        let names = |nouns: &List| clause.iter().any(|token| begins(token, nouns));
        clause.len() <= 2 || names(words::WORK) && !names(words::SERVICE)
    }

    /// Returns whether the maintenance is the object of the word: "we have started the work".
    fn is_followed_by_work(&self) -> bool {
        let mut after = self.tokens.get(self.hit.end..).unwrap_or_default().iter().take(3);
        after.next().is_some_and(|token| is_in(token, DETERMINERS))
            && after.take_while(|token| !begins(token, words::SERVICE)).any(|token| begins(token, words::WORK))
    }

    /// Returns whether the word opens a title: "Completed: …", "Completed maintenance".
    fn opens_title(&self) -> bool {
        let next = self.tokens.get(self.hit.end);
        let is_headed = next.is_none_or(|token| token.before == Gap::Break || begins(token, words::WORK));
        let opens = self.tokens.get(self.group).is_some_and(|token| token.before == Gap::Break);
        self.group == self.hit.at && is_headed && opens
    }
}

/// Words after a participle that show that it is a verb: no noun follows.
const NOT_NOUNS: &[&str] = &[
    "today",
    "yesterday",
    "tonight",
    "now",
    "early",
    "late",
    "later",
    "ahead",
    "already",
    "as",
    "on",
    "at",
    "by",
    "in",
    "within",
    "with",
    "without",
    "before",
    "after",
    "during",
    "for",
    "from",
    "and",
    "or",
    "but",
    "since",
    "this",
    "last",
    "well",
    "again",
    "heute",
    "gestern",
    "vandaag",
    "gisteren",
    "hoy",
    "ayer",
    "hoje",
    "ontem",
    "oggi",
    "ieri",
    "hier",
    "con",
    "com",
    "sin",
    "sem",
    "senza",
    "sans",
    "por",
    "par",
];

const DETERMINERS: &[&str] = &["the", "this", "our", "these", "all", "your", "a", "an", "his", "its", "their"];

/// Maximum distance from a verb's article to the noun of its object, in words.
const OBJECT_NOUN_REACH: usize = 3;

/// Returns the range of the clause around a word of change, the word included.
///
/// German and Dutch verbs are apart from their participles. So another verb's clause begins after "und", unless a word of change follows:
/// that one may share the verb before it, "wurde geprüft und abgeschlossen".
fn clause_around(tokens: &[Token<'_>], hits: &[Hit], hit: Hit) -> std::ops::Range<usize> {
    let opens = |at: &usize| tokens.get(*at).is_some_and(|token| token.before >= Gap::Comma);
    let states = |at: &usize| tokens.get(*at).is_some_and(|token| is_in(token, words::STATEMENTS));
    let is_wide = matches!(hit.entry.language, Language::German | Language::Dutch);
    let joins =
        |at: &usize| is_wide && tokens.get(*at).is_some_and(|token| is_in(token, &["und", "aber", "en", "maar"]));
    let goes_on = |at: &usize| hits.iter().any(|other| other.at == at + 1);
    let ends = |at: &usize| opens(at) || states(at) || joins(at) && !goes_on(at);
    let start = (0..=hit.at).rev().find(|at| ends(at)).unwrap_or(0);
    let end = (hit.end..tokens.len()).find(|at| ends(at)).unwrap_or(tokens.len());
    start..end
}

/// Returns the index at which the verb group of a word begins.
fn group_start(tokens: &[Token<'_>], at: usize) -> usize {
    let mut start = at;
    while start > 0
        && tokens.get(start).is_some_and(|token| token.before <= Gap::Bracket)
        && tokens.get(start - 1).is_some_and(is_helper)
    {
        start -= 1;
    }
    start
}
