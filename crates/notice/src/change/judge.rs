//! What a word of change says, by the words around it.

use super::{
    Change, Statement, grammar as words,
    index::{self, Hit},
    tokens::{Gap, Sentence, Token},
    vocabulary::{Form, Language},
};

/// Titles have at most this many words.
const LONGEST_TITLE: usize = 7;
/// How far before an infinitive the word stands that governs it.
const GOVERNOR_REACH: usize = 5;
/// How far before a noun the preposition stands that makes it a part of another one: "on the ring of your circuit".
const PREPOSITION_REACH: usize = 3;

/// What a word of change says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Told(Change),
    Negated(Change),
    Harmless,
}

/// The changes that a sentence tells.
pub(super) fn statements(sentence: &Sentence<'_>) -> Vec<Statement> {
    let hits = index::hits(&sentence.tokens);
    if hits.is_empty() || is_asked_or_legal(sentence) {
        return Vec::new();
    }
    let mut told: Vec<Statement> = Vec::new();
    for index in 0..hits.len() {
        let Some(judge) = Judge::new(sentence, &hits, index) else { continue };
        let (change, is_negated) = match judge.verdict() {
            Verdict::Told(change) => (change, false),
            Verdict::Negated(change) => (change, true),
            Verdict::Harmless => continue,
        };
        if !told.iter().any(|known| known.change == change && known.is_negated == is_negated) {
            told.push(Statement { change, is_negated, sentence: sentence.text.trim().to_owned() });
        }
    }
    told
}

fn is_asked_or_legal(sentence: &Sentence<'_>) -> bool {
    let is_legal = |token: &Token| words::LEGAL.iter().any(|word| token.word.starts_with(word));
    sentence.text.trim_end().ends_with('?') || sentence.tokens.iter().any(is_legal)
}

/// How a condition stands to a word of change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    /// The word is part of it.
    Holds,
    /// The word is part of what follows from it.
    Leads,
}

/// A word of change with its verb group.
struct Judge<'sentence> {
    sentence: &'sentence Sentence<'sentence>,
    tokens: &'sentence [Token],
    hits: &'sentence [Hit],
    hit: Hit,
    /// Where its verb group begins: "has not been | cancelled".
    group: usize,
    /// The words by which its tense, mood and negation are told.
    around: Vec<&'sentence str>,
}

impl<'sentence> Judge<'sentence> {
    fn new(sentence: &'sentence Sentence<'sentence>, hits: &'sentence [Hit], index: usize) -> Option<Self> {
        let tokens = sentence.tokens.as_slice();
        let hit = *hits.get(index)?;
        let mut group = group_start(tokens, hit.at);
        // "May be postponed or cancelled": the second has the verb group of the first.
        for before in hits.iter().take(index).rev() {
            if before.end > group || !tokens.get(before.end..group)?.iter().all(is_conjunction) {
                break;
            }
            group = group_start(tokens, before.at);
        }
        let clause = match hit.entry.language {
            Language::German | Language::Dutch => clause_around(tokens, hit),
            Language::Turkish => hit.at..(hit.end + 2).min(tokens.len()),
            Language::English | Language::Romance => group..hit.at,
        };
        let around = clause.filter_map(|at| tokens.get(at)).map(|token| token.word.as_str()).collect();
        Some(Self { sentence, tokens, hits, hit, group, around })
    }

    fn verdict(&self) -> Verdict {
        let change = self.hit.entry.change;
        if self.is_answered_with_no() || self.is_extent() {
            return Verdict::Harmless;
        }
        if self.hit.entry.language == Language::Turkish {
            return self.turkish(change);
        }
        match self.hit.entry.form {
            Form::Done => self.done(change),
            Form::DoneToWork if self.is_said_of_work() => self.done(change),
            Form::DoneToWork => Verdict::Harmless,
            Form::Act => self.act(change),
            Form::Noun => self.noun(change),
            Form::Happens => self.happens(change),
        }
    }

    fn has(&self, list: &[&str]) -> bool {
        self.around.iter().any(|word| list.contains(word))
    }

    /// "It has been cancelled".
    fn done(&self, change: Change) -> Verdict {
        let is_of_progress = matches!(change, Change::Completed | Change::Started | Change::Ended);
        let (is_possible, is_negated) = (self.has(words::POSSIBLE), self.has(words::NOT) && !self.negates_itself());
        let is_past = self.has(words::PAST) || self.hit.entry.language == Language::Dutch && self.has(&["werden"]);
        let is_ahead = !is_past
            && (self.has(words::AHEAD) || self.is_clause_wide() && self.has(&["worden"]) && !self.has(words::PERFECT));
        let condition = self.condition(words::CONDITIONS);
        if condition == Some(Condition::Holds) || self.is_of_another() {
            return Verdict::Harmless;
        }
        let is_timed = self.condition(words::TIMES) == Some(Condition::Holds);
        let is_open = is_of_progress || self.is_timed_in_present();
        if is_timed && is_open && (is_possible || !is_past) {
            return Verdict::Harmless;
        }
        match (is_possible, is_negated) {
            (_, true) if change == Change::Completed && !self.has(&["yet"]) => {
                return Verdict::Told(Change::Unfinished);
            }
            (_, true) if is_of_progress => return Verdict::Harmless,
            (true, _) => return Verdict::Harmless,
            (false, true) => return Verdict::Negated(change),
            (false, false) => {}
        }
        // "Should the date have passed, please consider the work as completed".
        let is_consequence = condition == Some(Condition::Leads) && is_of_progress && self.before_group("consider");
        if is_consequence {
            return Verdict::Harmless;
        }
        if is_ahead && (is_of_progress || condition == Some(Condition::Leads) || self.is_conditional_below()) {
            return Verdict::Harmless;
        }
        if change == Change::Completed && self.is_attribute() { Verdict::Harmless } else { Verdict::Told(change) }
    }

    /// "We cancel", "had to reschedule".
    fn act(&self, change: Change) -> Verdict {
        let clause = clause_around(self.tokens, self.hit);
        let is_possible = self.tokens.get(clause).is_some_and(|clause| {
            clause.iter().any(|token| is_in(token, words::POSSIBLE) || is_in(token, &["possible", "impossible"]))
        });
        let is_governed = self.has(&["to"]) && self.is_governed(change)
            || self.before(1).is_some_and(|word| {
                words::UNMEANT.contains(&word) || change != Change::Cancelled && words::UNDONE.contains(&word)
            });
        if is_possible
            || is_governed
            || self.condition(words::CONDITIONS).is_some()
            || self.condition(words::TIMES).is_some()
        {
            Verdict::Harmless
        } else if self.has(words::NOT) {
            Verdict::Negated(change)
        } else {
            Verdict::Told(change)
        }
    }

    /// Whether the infinitive is nobody's deed: "it is not possible to cancel".
    fn is_governed(&self, change: Change) -> bool {
        let before = self.tokens.get(self.group.saturating_sub(GOVERNOR_REACH)..self.group).unwrap_or_default();
        // Who asks to cancel has cancelled; who asks to reschedule has a wish.
        let is_order =
            |token: &Token| change == Change::Cancelled && is_in(token, &["ask", "request", "requested", "asked"]);
        before.iter().any(|token| is_in(token, words::UNDONE) && !is_order(token))
            || before.is_empty() && change != Change::Cancelled
    }

    /// "The cancellation of …".
    fn noun(&self, change: Change) -> Verdict {
        let articles = [
            "the", "a", "an", "of", "der", "die", "das", "dem", "de", "het", "el", "la", "o", "il", "le", "du", "al",
            "da", "do",
        ];
        let before = self.tokens.get(..self.hit.at).unwrap_or_default().iter().rev();
        let governor = before.take(PREPOSITION_REACH).find(|token| !is_in(token, &articles));
        let is_unmeant =
            governor.is_some_and(|token| is_in(token, words::UNMEANT) && self.hit.at != self.clause_start());
        let next = self.tokens.get(self.hit.end).filter(|token| token.before == Gap::Blank);
        let is_rule = next.is_some_and(|token| is_in(token, words::RULES));
        let clause = self.tokens.get(clause_around(self.tokens, self.hit)).unwrap_or_default();
        let is_told_later = clause.iter().any(|token| is_in(token, &["will", "shall", "werden", "zullen", "zal"]));
        let is_possible = clause.iter().any(|token| is_in(token, words::POSSIBLE));
        let tells = |token: &Token| {
            ["confirm", "announce", "notif", "inform", "advis"].iter().any(|stem| token.word.starts_with(stem))
        };
        let is_title = self.tokens.len() <= LONGEST_TITLE;
        let is_prose = change == Change::Completed && !is_title && !self.tokens.iter().any(tells);
        // "Update 1: change of schedule": the history of a notice, whose window is the present one.
        let is_history = self.tokens.first().is_some_and(|token| token.word == "update")
            && self.tokens.get(1).is_some_and(|token| token.word.bytes().all(|digit| digit.is_ascii_digit()));
        let is_conditional = self.condition(words::CONDITIONS).is_some() || self.condition(words::TIMES).is_some();
        if is_unmeant || is_rule || is_told_later || is_possible || is_prose || is_conditional || is_history {
            Verdict::Harmless
        } else if self.has(words::NOT) {
            Verdict::Negated(change)
        } else {
            Verdict::Told(change)
        }
    }

    /// "Will not take place".
    fn happens(&self, change: Change) -> Verdict {
        let next = self.tokens.get(self.hit.end).map_or("", |token| token.word.as_str());
        let is_limit =
            ["during", "outside", "before", "until", "without", "to", "earlier", "unless", "by"].contains(&next);
        let is_negated = self.has(words::NOT) && !is_limit;
        if !is_negated || !self.is_said_of_work() || self.condition(words::CONDITIONS).is_some() {
            return Verdict::Harmless;
        }
        Verdict::Told(change)
    }

    /// The ending of the Turkish word, or the next one, tells what English says with helping verbs.
    fn turkish(&self, change: Change) -> Verdict {
        let ends = |list: &[&str]| self.around.iter().any(|word| list.iter().any(|ending| word.contains(ending)));
        let is_of_progress = matches!(change, Change::Completed | Change::Started);
        let is_open =
            ends(&["ebilir", "abilir", "irse", "ursa", "ilirse", "lirsa", "nirsa", "halinde", "durumunda", "takdirde"])
                || self.condition(words::CONDITIONS) == Some(Condition::Holds);
        let is_ahead = ends(&[
            "acak", "ecek", "diginda", "dugunda", "diktan", "dikten", "ninca", "ince", "sonra", "kadar", "mak", "mek",
            "masi",
        ]);
        if is_open || is_of_progress && is_ahead {
            return Verdict::Harmless;
        }
        if ends(&["medi", "madi", "memis", "mamis", "meyecek", "mayacak", "degil"]) && !self.negates_itself() {
            return if is_of_progress { Verdict::Told(Change::Unfinished) } else { Verdict::Negated(change) };
        }
        Verdict::Told(change)
    }

    /// The word at a distance before the verb group.
    fn before(&self, distance: usize) -> Option<&str> {
        let at = self.group.checked_sub(distance)?;
        let apart = self.tokens.get(at + 1..=self.group)?.iter().any(|token| token.before > Gap::Bracket);
        self.tokens.get(at).filter(|_| !apart).map(|token| token.word.as_str())
    }

    /// Whether the phrase has its negation in itself.
    fn negates_itself(&self) -> bool {
        let phrase = self.tokens.get(self.hit.at..self.hit.end).unwrap_or_default();
        phrase
            .iter()
            .any(|token| is_in(token, words::NOT) || token.word.contains("meyecek") || token.word.contains("mayacak"))
    }

    /// Whether a word stands in the clause before the verb group.
    fn before_group(&self, word: &str) -> bool {
        self.tokens.get(self.clause_start()..self.group).unwrap_or_default().iter().any(|token| token.word == word)
    }

    fn clause_start(&self) -> usize {
        clause_around(self.tokens, self.hit).start
    }

    fn is_clause_wide(&self) -> bool {
        matches!(self.hit.entry.language, Language::German | Language::Dutch)
    }

    /// "When it is postponed" may come; "once it has been postponed" tells that it was.
    fn is_timed_in_present(&self) -> bool {
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

    /// "Those that have been completed", "the previous maintenance was cancelled", "any cancelled work".
    fn is_of_another(&self) -> bool {
        if let (Some("that" | "which"), Some("those" | "ones")) = (self.before(1), self.before(2)) {
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
        if is_adverb(last) || words::UNMEANT.get(..DETERMINED).unwrap_or_default().contains(&last) {
            return true;
        }
        let subject = self.tokens.get(self.group.saturating_sub(PREPOSITION_REACH)..self.group).unwrap_or_default();
        subject.iter().any(|token| is_in(token, words::EARLIER))
            && !self.tokens.iter().any(|token| words::ANNOUNCED.iter().any(|word| token.word.starts_with(word)))
    }

    /// "The completed form": said of the next word, and nobody says that it is so.
    fn is_attribute(&self) -> bool {
        let determiners = [
            "the", "a", "an", "all", "your", "our", "of", "der", "die", "das", "de", "het", "el", "la", "los", "o",
            "il", "le", "les", "and",
        ];
        let next = self.tokens.get(self.hit.end).is_some_and(|token| token.before == Gap::Blank);
        self.group == self.hit.at && next && self.before(1).is_some_and(|word| determiners.contains(&word))
    }

    /// "Complete loss of service": how much goes down, not what is done.
    fn is_extent(&self) -> bool {
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

    /// Whether a label asks, and what stands behind it says no: "Cancelled: no".
    fn is_answered_with_no(&self) -> bool {
        let behind = self.tokens.get(self.hit.end..).unwrap_or_default();
        let nothing =
            ["no", "none", "n", "a", "nil", "false", "nein", "nee", "non", "not", "applicable", "nao", "hayir"];
        behind.first().is_some_and(|token| token.before == Gap::Break)
            && behind.iter().all(|token| is_in(token, &nothing))
    }

    /// Whether the nearest noun before that is known is one for the maintenance, and none for what it is done to. A title names
    /// none, or has it behind.
    fn is_said_of_work(&self) -> bool {
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
            let is_part = self
                .tokens
                .get(reach)
                .is_some_and(|before| before.iter().any(|token| is_in(token, words::PREPOSITIONS)));
            if !is_part {
                return !is_service;
            }
        }
        // The participle stands last in its clause: what is said of whom comes before it, wherever that is.
        if self.is_clause_wide() {
            let whole = self.tokens.get(clause).unwrap_or_default();
            return whole.len() <= 2
                || whole.iter().any(|token| begins(token, words::WORK))
                    && !whole.iter().any(|token| begins(token, words::SERVICE));
        }
        let next = self.tokens.get(self.hit.end);
        let is_headed = self.group == self.hit.at
            && next.is_none_or(|token| token.before == Gap::Break || begins(token, words::WORK));
        let opens = self.tokens.get(self.group).is_some_and(|token| token.before == Gap::Break)
            && self.sentence.after >= Gap::Blank;
        !is_known && (is_headed && opens || self.tokens.len() <= 2)
            || is_known && is_last(self.group) && is_headed && opens
    }

    /// Whether a condition stands behind: "will be postponed if it rains".
    fn is_conditional_below(&self) -> bool {
        let behind = self.tokens.get(self.hit.end..).unwrap_or_default();
        (0..behind.len()).any(|at| {
            phrase_at(behind, at, words::CONDITIONS).is_some()
                || behind.get(at).is_some_and(|token| token.before >= Gap::Comma && is_in(token, words::INVERTED))
        }) && !behind.iter().any(|token| is_in(token, words::COURTESY))
    }

    /// How the last of these conditions before the word stands to it; `None` without one.
    fn condition(&self, conditions: &[&str]) -> Option<Condition> {
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

    /// Whether nothing but other words of change stands between: "delayed, postponed or cancelled".
    fn is_list(&self, from: usize) -> bool {
        (from..self.hit.at).all(|at| {
            let is_hit = self.hits.iter().any(|hit| (hit.at..hit.end).contains(&at));
            is_hit || self.tokens.get(at).is_some_and(|token| is_conjunction(token) || is_helper(token))
        })
    }
}

/// The words of [`words::UNMEANT`] that stand before participles as well.
const DETERMINED: usize = 16;

/// The rest of the clause on both sides of a word of change.
fn clause_around(tokens: &[Token], hit: Hit) -> std::ops::Range<usize> {
    let opens = |at: &usize| tokens.get(*at).is_some_and(|token| token.before >= Gap::Comma);
    let states = |at: &usize| tokens.get(*at).is_some_and(|token| is_in(token, words::STATEMENTS));
    // German and Dutch verbs stand apart: another one's begins behind "and", unless that joins two participles.
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

/// Where the verb group of a word begins: the helping verbs, negations and adverbs directly before it.
fn group_start(tokens: &[Token], at: usize) -> usize {
    let mut start = at;
    while start > 0
        && tokens.get(start).is_some_and(|token| token.before <= Gap::Bracket)
        && tokens.get(start - 1).is_some_and(is_helper)
    {
        start -= 1;
    }
    start
}

fn is_helper(token: &Token) -> bool {
    let is_adverb = token.word.len() > 4
        && (token.word.ends_with("ly") || token.word.ends_with("mente") || token.word.ends_with("ment"));
    is_adverb
        || [words::HELPERS, words::POSSIBLE, words::AHEAD, words::PAST, words::PERFECT, words::NOT]
            .iter()
            .any(|list| is_in(token, list))
}

fn is_conjunction(token: &Token) -> bool {
    is_in(token, &["or", "and", "oder", "und", "of", "en", "o", "y", "e", "ou", "et", "u", "ve", "veya", "ya", "da"])
}

fn is_in(token: &Token, list: &[&str]) -> bool {
    list.contains(&token.word.as_str())
}

fn begins(token: &Token, list: &[&str]) -> bool {
    // "It" and "es" are words, "arbeit" begins "arbeiten".
    list.iter().any(|word| {
        if word.len() <= 4 {
            token.word == *word || token.word.strip_suffix('s') == Some(word)
        } else {
            token.word.starts_with(word)
        }
    })
}

/// Where one of the phrases that begins at a word ends; the longest.
fn phrase_at(tokens: &[Token], at: usize, phrases: &[&str]) -> Option<usize> {
    let ends = phrases.iter().filter_map(|phrase| {
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
