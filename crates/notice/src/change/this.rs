//! Decides whether a change is told of the maintenance of its notice, or of whatever maintenance there is.
//!
//! "Cancelled tickets are archived" tells of none, and "a temporary repair has been completed" of another one.

use super::{
    grammar as words,
    list::Words,
    mention::Mention,
    phrases::{PREPOSITION_REACH, begins, is_adverb, is_conjunction, is_in, is_pointer},
    plans,
    tokens::{Gap, Token},
    vocabulary::{Form, Language},
};

/// Titles have at most this many words.
const LONGEST_TITLE: usize = 7;
/// Sentences have at least this many words.
const SHORTEST_SENTENCE: usize = 4;
/// The subject of a sentence has its noun among the first words, as many as these.
const FIRST_NOUN: usize = 5;
/// Verbs that announce what follows, as word beginnings.
const ANNOUNCING: &[&str] = &["confirm", "announc", "notif", "inform", "advis"];
/// Maximum distance from a verb to its object, in words.
const OBJECT_REACH: usize = 3;
/// Maximum distance from a noun back to its article, in words.
const ARTICLE_REACH: usize = 6;

/// Words for the maintenance of the notice that need no article.
const PRONOUNS: &[&str] = &["it", "this", "these", "they", "es", "diese", "het", "dit", "deze", "everything"];
/// Persons who do what the sentence tells: the maintenance is its object.
const DOERS: &[&str] = &["we", "wir", "wij", "crew"];
/// Articles and pronouns that name one maintenance.
const NAMING: &[&str] = &["the", "this", "these", "our", "your", "its", "below", "above", "following", "mentioned"];
/// The same in other languages, in some of which "a" names one.
#[rustfmt::skip]
const NAMING_ELSEWHERE: &[&str] = &[
    "the", "this", "der", "die", "das", "dem", "den", "des", "diese", "dieser", "dieses", "ihre", "unsere", "de", "het", "deze", "dit",
    "onze", "uw", "el", "la", "los", "las", "este", "esta", "estos", "estas", "nuestra", "nuestro", "su", "o", "a", "os", "as", "nossa",
    "nosso", "il", "lo", "l", "i", "gli", "le", "questa", "questo", "queste", "questi", "nostro", "nostra", "les", "cette", "cet", "ce",
    "ces", "notre", "nos", "vos", "votre", "del", "da", "do", "du", "della", "dell", "dei",
];
/// Articles and pronouns that name whatever maintenance there is.
#[rustfmt::skip]
const ANY: &[&str] = &[
    "a", "an", "temporary", "provisional", "similar", "any", "each", "every", "some", "other", "another", "no", "such", "many", "most", "ein", "eine", "einer",
    "jede", "een", "elke", "un", "una", "um", "uma", "une", "toute", "toutes", "cada", "ogni",
];
/// Verbs of a participle that is no attribute.
#[rustfmt::skip]
const VERBS: &[&str] = &[
    "has", "have", "had", "is", "are", "was", "were", "be", "been", "being", "will", "do", "does", "did", "get", "got", "not",
];
/// Beside these, as word beginnings, works without an article are those of the notice.
#[rustfmt::skip]
const TELLING: &[&str] = &[
    "confirm", "announc", "notif", "inform", "advis", "regarding", "concerning", "about", "following", "below", "hereby", "tonight",
    "today", "tomorrow",
];

impl Mention<'_> {
    /// Returns whether the word is in a title of its own, or is said of this maintenance in so many words.
    pub(super) fn is_of_this(&self, text: &str) -> bool {
        if self.is_in_title(text) || self.is_labelled() {
            return true;
        }
        if self.hit.entry.language == Language::English && matches!(self.before(1), Some("that" | "which")) {
            return false;
        }
        self.is_said_of_this() || self.is_done_to_this()
    }

    /// Returns whether the word is in a title, which has few words, or is the first or the last part of a longer one.
    fn is_in_title(&self, text: &str) -> bool {
        let opens = |at: &usize| self.tokens.get(*at).is_some_and(|token| token.before == Gap::Break);
        // "Subject: FW: Network - Maintenance rescheduled - Example".
        let start = (0..=self.group).rev().find(opens).unwrap_or(0);
        let end = (self.hit.end..self.tokens.len()).find(opens).unwrap_or(self.tokens.len());
        let is_open = !text.trim_end().ends_with(['.', '!', ';']);
        is_open && (self.hit.at == 0 || end - start <= LONGEST_TITLE) || self.tokens.len() < SHORTEST_SENTENCE
    }

    /// Returns whether the subject is this maintenance: "the work has been completed".
    fn is_said_of_this(&self) -> bool {
        let start = self.subject_start();
        let subject = self.tokens.get(start..self.group).unwrap_or_default();
        let is_part = |at: usize| {
            let before = self.tokens.get(at.saturating_sub(PREPOSITION_REACH).max(start)..at).unwrap_or_default();
            before.iter().any(|token| is_in(token, words::PREPOSITIONS) && !is_in(token, NAMING) && !is_in(token, ANY))
        };
        let noun = (start..self.group).rev().find(|at| self.is_work(*at) && !is_part(*at));
        // "We inform you that a maintenance has been cancelled".
        let before = self.tokens.get(..self.group).unwrap_or_default();
        let is_announced =
            before.iter().any(|token| begins(token, ANNOUNCING) || is_in(token, &["tell", "communicated"]));
        let is_named = |at: usize| self.is_named(at, start) || !self.is_any(at, start) && !self.is_general();
        let is_first = || (0..FIRST_NOUN).any(|at| self.is_work(at) && (self.is_named(at, 0) || !self.is_any(at, 0)));
        // "Planned maintenance that takes the circuits down has been cancelled".
        let is_said = noun.map_or_else(|| start > 0 && is_first(), |at| is_announced || is_named(at));
        is_said && !subject.iter().any(|token| is_in(token, words::EARLIER) || is_in(token, plans::LIMITS))
    }

    /// Returns whether the object is this maintenance: "our provider has completed the work".
    fn is_done_to_this(&self) -> bool {
        let is_wide = self.is_clause_wide() || self.hit.entry.language == Language::Turkish;
        let opens_part = self.tokens.get(self.hit.at).is_some_and(|token| is_in(token, &["new", "revised", "updated"]));
        let is_noun = self.hit.entry.form == Form::Noun || opens_part;
        let end = if is_wide { self.tokens.len() } else { self.clause().end };
        let is_preposition = |token: &Token<'_>| is_in(token, words::PREPOSITIONS) && !is_in(token, NAMING);
        // "We have completed an assessment for this work".
        let is_object = |at: usize| {
            let between = self.tokens.get(self.hit.end..at).unwrap_or_default();
            is_wide || is_noun || !between.iter().any(is_preposition)
        };
        let is_bare = |at: usize| {
            let is_near = self.group < self.hit.at && at <= self.hit.end + OBJECT_REACH;
            is_near && !self.is_plural(at) && !self.is_any(at, self.hit.at)
        };
        let mut objects = (self.hit.at..end).filter(|at| self.is_work(*at) && is_object(*at));
        is_noun && self.is_named(self.hit.at, 0) || objects.any(|at| self.is_named(at, self.hit.at) || is_bare(at))
    }

    /// Returns whether a participle describes whatever maintenance there is: "cancelled tickets are archived".
    pub(super) fn is_of_any(&self, text: &str) -> bool {
        let is_change = |at: usize| self.hits.iter().any(|hit| (hit.at..hit.end).contains(&at));
        let is_link = |at: usize, token: &Token<'_>| {
            is_change(at)
                || is_conjunction(token, self.hit.entry.language)
                || is_adverb(token)
                || token.word == "planned"
        };
        let is_sentence = text.trim_end().ends_with('.') && self.tokens.len() >= SHORTEST_SENTENCE;
        let is_verb = self.has(VERBS);
        let is_participle = matches!(self.hit.entry.form, Form::Done | Form::DoneToWork);
        if !is_participle || !is_sentence || is_verb || self.hit.entry.language != Language::English {
            return false;
        }
        let behind = self.tokens.iter().enumerate().skip(self.hit.end);
        let noun = behind.take_while(|(_, token)| token.before <= Gap::Comma).find(|(at, token)| !is_link(*at, token));
        let before = self.tokens.iter().enumerate().take(self.hit.at).rev();
        let article = before.map_while(|(at, token)| (token.before <= Gap::Break).then_some((at, token)));
        let article = article.skip_while(|(at, token)| is_link(*at, token)).map(|(_, token)| token).next();
        let is_one = article.is_some_and(|token| is_in(token, &["a", "an", "each", "every", "any"]));
        noun.is_some_and(|(_, token)| {
            (is_one || token.word.ends_with('s')) && begins(token, words::WORK) && !is_in(token, PRONOUNS)
        }) && article.is_none_or(|token| is_in(token, ANY) || !is_in(token, NAMING) && !is_in(token, VERBS))
            && !self.tokens.iter().any(|token| begins(token, TELLING))
    }

    /// Returns whether the word tells what the reader may want: "to have this work moved, call us".
    pub(super) fn is_wanted(&self) -> bool {
        let mut first = self.tokens.iter().map(|token| token.word);
        first.next() == Some("to") && matches!(first.next(), Some("have" | "get"))
    }

    fn is_work(&self, at: usize) -> bool {
        let is_noun = |token: &Token<'_>| begins(token, words::WORK) || begins(token, words::ACTIONS);
        self.tokens.get(at).is_some_and(|token| is_noun(token) && !is_in(token, DOERS)) || is_pointer(self.tokens, at)
    }

    /// Returns the article of the noun, or the first word that is like one.
    fn article(&self, noun: usize, from: usize) -> Option<&str> {
        let before = self.tokens.get(noun.saturating_sub(ARTICLE_REACH).max(from)..noun).unwrap_or_default();
        before.iter().rev().map(|token| token.word).find(|word| self.naming().holds(word) || ANY.holds(word))
    }

    fn naming(&self) -> &'static [&'static str] {
        if self.hit.entry.language == Language::English { NAMING } else { NAMING_ELSEWHERE }
    }

    fn is_named(&self, noun: usize, from: usize) -> bool {
        self.tokens.get(noun).is_some_and(|token| is_in(token, PRONOUNS))
            || self.article(noun, from).is_some_and(|article| {
                // "Your tickets" are whatever tickets the reader has.
                self.naming().holds(article) && (article != "your" || !self.is_plural(noun))
            })
    }

    fn is_plural(&self, noun: usize) -> bool {
        self.tokens.get(noun).is_some_and(|token| token.word.ends_with('s'))
    }

    fn is_any(&self, noun: usize, from: usize) -> bool {
        self.article(noun, from)
            .is_some_and(|article| !self.naming().holds(article) || article == "your" && self.is_plural(noun))
    }

    /// Returns whether the sentence tells what is so in general: "works are cancelled".
    fn is_general(&self) -> bool {
        // "Works completed earlier can be seen in the portal".
        let is_verb = self.group < self.hit.at || self.hit.entry.language != Language::English;
        !is_verb
            || self.has(&["are", "sind", "zijn", "son", "sao", "sono", "sont"]) && !self.has(&["been", "now", "hereby"])
    }
}
