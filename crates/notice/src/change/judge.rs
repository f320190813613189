//! Judges a word of change by the words around it.

use super::{
    Change, Statement,
    condition::Condition,
    denial, grammar as words, index,
    list::Words,
    mention::{Mention, Subject},
    past,
    phrases::{PREPOSITION_REACH, begins, has_phrase, is_in, is_legal, phrase_at},
    shift,
    tokens::{Gap, Sentence, Token},
    vocabulary::{Form, Language},
};

/// Titles have at most this many words.
const LONGEST_TITLE: usize = 7;
/// Maximum distance from an infinitive back to the word that governs it, in words.
const GOVERNOR_REACH: usize = 5;
/// Maximum distance from a verb to the noun that is its object, in words: "cancel your free subscription".
const OBJECT_REACH: usize = 4;

/// The meaning of a word of change in its sentence.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Told(Change),
    Negated(Change),
    Harmless,
}

/// Returns the changes that a sentence tells.
pub(super) fn statements(sentence: &Sentence<'_>) -> Vec<Statement> {
    if sentence.text.trim_end().ends_with('?') {
        return Vec::new();
    }
    let hits = index::hits(&sentence.tokens);
    let mut told: Vec<Statement> = Vec::new();
    for index in 0..hits.len() {
        let Some(mention) = Mention::new(sentence, &hits, index) else { continue };
        let (change, is_negated) = match mention.verdict(sentence.text) {
            Verdict::Told(change) => (change, false),
            Verdict::Negated(_) if mention.is_prohibited_by_law() => continue,
            Verdict::Negated(change) => (change, true),
            Verdict::Harmless => continue,
        };
        let is_of_this = mention.is_of_this(sentence.text);
        match told.iter_mut().find(|known| known.change == change && known.is_negated == is_negated) {
            Some(known) => known.is_of_this |= is_of_this,
            None => told.push(Statement { change, is_negated, is_of_this, sentence: sentence.text.trim().to_owned() }),
        }
    }
    if told.is_empty() {
        let statement = denial::statement(sentence, &hits).or_else(|| past::statement(sentence, &hits));
        told.extend(statement.or_else(|| shift::statement(sentence)));
    }
    told
}

impl Mention<'_> {
    fn verdict(&self, text: &str) -> Verdict {
        let change = self.hit.entry.change;
        let phrase = self.tokens.get(self.hit.at..self.hit.end).unwrap_or_default();
        let is_order = phrase.iter().any(|token| begins(token, words::ORDERS_TO_IGNORE));
        if self.is_answered_with_no() {
            // "Approved: no" denies the plan, "Cancelled: no" does not.
            let is_plan = self.hit.entry.form == Form::Happens;
            return if is_plan { Verdict::Told(change) } else { Verdict::Harmless };
        }
        if self.is_wanted() || self.is_of_any(text) || self.is_in_footer() {
            return Verdict::Harmless;
        }
        if self.is_extent() || is_order && (self.has_condition_behind() || self.is_for_others()) {
            return Verdict::Harmless;
        }
        if self.hit.entry.language == Language::Turkish {
            return self.turkish(change);
        }
        match self.hit.entry.form {
            Form::Done => self.done(change),
            Form::DoneToWork if self.is_done_to_thing() => Verdict::Harmless,
            Form::DoneToWork if self.is_said_of_work() => self.done(change),
            // "Permission was refused": whether the work is off or moved, nobody says.
            Form::DoneToWork if change == Change::Cancelled && self.subject() == Subject::Consent => {
                self.done(Change::Unclear)
            }
            Form::DoneToWork => Verdict::Harmless,
            Form::Act => self.act(change),
            Form::Noun => self.noun(change),
            Form::Happens => self.happens(change),
        }
    }

    /// Returns whether a condition of a legal text stands before the word: "if you are not the intended recipient".
    fn is_for_others(&self) -> bool {
        let before = self.tokens.get(..self.hit.at).unwrap_or_default();
        let condition = (0..before.len()).find(|at| phrase_at(before, *at, words::CONDITIONS).is_some());
        condition.and_then(|at| before.get(at..)).is_some_and(is_legal)
    }

    /// Returns whether the word stands behind that of a list's footer, which a flattened page runs into one sentence.
    fn is_in_footer(&self) -> bool {
        let before = self.tokens.get(..=self.hit.at).unwrap_or_default();
        let part = before.iter().rposition(|token| token.before == Gap::Break).unwrap_or(0);
        before.get(part..).is_some_and(|part| part.iter().any(|token| begins(token, words::FOOTER)))
    }

    /// Returns whether a legal text forbids what the word says: "it must not be changed".
    fn is_prohibited_by_law(&self) -> bool {
        self.has(words::PROHIBITIONS) && is_legal(self.tokens)
    }

    /// Judges a passive: "It has been cancelled".
    fn done(&self, change: Change) -> Verdict {
        let is_of_progress = is_of_progress(change);
        // "Können nicht stattfinden": what cannot happen will not.
        let is_possible = has_phrase(self.around, words::POSSIBLE) && !self.negates_itself();
        let is_negated = self.has(words::NOT) && !self.negates_itself();
        if self.condition(words::CONDITIONS) == Some(Condition::InCondition) || self.is_of_another() {
            return Verdict::Harmless;
        }
        let is_timed = self.condition(words::TIMES) == Some(Condition::InCondition);
        let is_open = is_of_progress || self.is_timed_in_present();
        if is_timed && is_open && (is_possible || !self.is_past()) {
            return Verdict::Harmless;
        }
        match (is_possible, is_negated) {
            (_, true) if change == Change::Completed && !self.has(&["yet"]) => Verdict::Told(Change::Unfinished),
            (_, true) if change == Change::Started && self.has(&["never"]) => Verdict::Told(Change::Unclear),
            (_, true) if is_of_progress => Verdict::Harmless,
            (true, _) => Verdict::Harmless,
            (false, true) => Verdict::Negated(change),
            (false, false) if self.is_still_to_come(change) || self.is_of_thing(change) => Verdict::Harmless,
            (false, false) if is_of_progress && self.is_in_part() => Verdict::Told(Change::Unfinished),
            (false, false) => Verdict::Told(change),
        }
    }

    fn is_past(&self) -> bool {
        self.has(words::PAST) || self.hit.entry.language == Language::Dutch && self.has(&["werden"])
    }

    /// Returns whether the word tells what will be, or what will be on a condition: "will be completed", "if it rains, it will be
    /// postponed".
    fn is_still_to_come(&self, change: Change) -> bool {
        let is_consequence = self.condition(words::CONDITIONS) == Some(Condition::InConsequence);
        // "If it rains, a new date will be announced": a noun has its verb behind it.
        let next = self.tokens.get(self.hit.end).filter(|token| token.before == Gap::Blank);
        let is_ahead_behind = next.is_some_and(|token| is_in(token, words::AHEAD));
        let is_ahead = !self.is_past()
            && (self.has(words::AHEAD) || self.is_clause_wide() && self.has(&["worden"]) && !self.has(words::PERFECT));
        // "Should the date have passed, please consider the work as completed".
        is_consequence && (is_ahead_behind || is_of_progress(change) && self.before_group("consider"))
            || self.is_unexpected()
            || is_ahead && (is_of_progress(change) || is_consequence || self.is_followed_by_condition())
    }

    /// Returns `true` if the change describes a thing: "The completed form", "in a closed ring".
    fn is_of_thing(&self, change: Change) -> bool {
        change == Change::Completed && self.is_attribute()
            || self.hit.entry.form == Form::DoneToWork && self.is_attribute_of_thing()
            || self.is_move() && self.subject() == Subject::Object
    }

    /// Returns `true` if the change is not expected: "We do not expect this work to be extended".
    fn is_unexpected(&self) -> bool {
        let before = self.tokens.get(self.clause_start()..self.group).unwrap_or_default();
        let expects = |token: &Token<'_>| {
            ["expect", "anticipate", "foresee", "intend", "plan"].iter().any(|verb| token.word.starts_with(verb))
        };
        let is_denied = |pair: &[Token<'_>]| {
            pair.first().is_some_and(|token| is_in(token, words::NOT)) && pair.last().is_some_and(expects)
        };
        self.has(&["to"]) && before.windows(2).any(is_denied)
    }

    /// Returns whether the word's object is no maintenance: "cancel your subscription".
    fn is_done_to_another_object(&self) -> bool {
        let after = self.tokens.get(self.hit.end..).unwrap_or_default().iter().take(OBJECT_REACH);
        let object: Vec<_> = after.take_while(|token| token.before <= Gap::Bracket).collect();
        let is_owned = object.first().is_some_and(|token| is_in(token, &["your", "their", "my"]));
        is_owned
            && object.iter().any(|token| begins(token, words::SERVICE))
            && !object.iter().any(|token| begins(token, words::WORK))
    }

    /// Judges an active verb: "We cancel", "had to reschedule".
    fn act(&self, change: Change) -> Verdict {
        let clause = self.clause();
        let is_possible = self.tokens.get(clause).is_some_and(|clause| {
            has_phrase(clause, words::POSSIBLE) || clause.iter().any(|token| is_in(token, &["possible", "impossible"]))
        });
        let is_requested =
            self.before(1) == Some("for") && self.before(2).is_some_and(|word| words::GOVERNS_INFINITIVE.holds(word));
        let is_governed = self.has(&["to"]) && self.is_governed(change)
            || self.before(1).is_some_and(|word| {
                (words::NOT_SPECIFIC.holds(word) || words::BEFORE_PENDING_NOUN.holds(word))
                    || change != Change::Cancelled && words::GOVERNS_INFINITIVE.holds(word)
            });
        if is_possible
            || self.is_done_to_another_object()
            || is_requested
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

    /// Returns whether the infinitive is nobody's deed: "it is not possible to cancel".
    fn is_governed(&self, change: Change) -> bool {
        let before = self.tokens.get(self.group.saturating_sub(GOVERNOR_REACH)..self.group).unwrap_or_default();
        // Who asks to cancel has cancelled; who asks to reschedule has a wish.
        // "We have been asked to postpone": whoever is asked does so.
        let is_passive = before.windows(2).any(|pair| {
            pair.first().is_some_and(|token| is_in(token, &["been", "were", "was", "are"]))
                && pair.last().is_some_and(|token| is_in(token, &["asked", "requested", "ordered", "told", "forced"]))
        });
        // "The vendor has asked us to hold off": so we do.
        let is_asked_of_us = before.windows(2).any(|pair| {
            pair.first().is_some_and(|token| {
                is_in(token, &["ask", "asks", "asked", "requested", "told", "wants", "ordered", "forced"])
            }) && pair.last().is_some_and(|token| token.word == "us")
        });
        if is_passive || is_asked_of_us {
            return false;
        }
        let is_order =
            |token: &Token<'_>| change == Change::Cancelled && is_in(token, &["ask", "request", "requested", "asked"]);
        before.iter().any(|token| is_in(token, words::GOVERNS_INFINITIVE) && !is_order(token))
            || before.is_empty() && change != Change::Cancelled
    }

    /// Judges a noun: "The cancellation of …".
    fn noun(&self, change: Change) -> Verdict {
        let articles = [
            "the", "a", "an", "of", "der", "die", "das", "dem", "de", "het", "el", "la", "o", "il", "le", "du", "al",
            "da", "do",
        ];
        let before = self.tokens.get(..self.hit.at).unwrap_or_default().iter().rev();
        let governor = before.take(PREPOSITION_REACH).find(|token| !is_in(token, &articles));
        let is_unmeant = governor.is_some_and(|token| {
            (is_in(token, words::NOT_SPECIFIC) || is_in(token, words::BEFORE_PENDING_NOUN))
                && self.hit.at != self.clause_start()
        });
        let next = self.tokens.get(self.hit.end).filter(|token| token.before == Gap::Blank);
        // "Late requests for postponement are declined".
        let before = |distance: usize| self.hit.at.checked_sub(distance).and_then(|at| self.tokens.get(at));
        let is_requested = before(1).is_some_and(|token| is_in(token, words::PREPOSITIONS))
            && before(2).is_some_and(|token| is_in(token, &["requests", "rules", "terms"]));
        let is_rule = is_requested || next.is_some_and(|token| is_in(token, words::RULES));
        let clause = self.tokens.get(self.clause()).unwrap_or_default();
        let is_told_later = clause.iter().any(|token| is_in(token, words::WILL));
        let is_possible = has_phrase(clause, words::POSSIBLE) || clause.iter().any(|token| token.word == "possible");
        let tells = |token: &Token<'_>| {
            ["confirm", "announce", "notif", "inform", "advis"].iter().any(|stem| token.word.starts_with(stem))
        };
        let is_title = self.tokens.len() <= LONGEST_TITLE;
        let is_prose = change == Change::Completed && !is_title && !self.tokens.iter().any(tells);
        // "Update 1: change of schedule": the history of a notice, whose window is the present one.
        let is_history = self.tokens.first().is_some_and(|token| token.word == "update")
            && self.tokens.get(1).is_some_and(|token| token.word.bytes().all(|digit| digit.is_ascii_digit()));
        let is_conditional = self.condition(words::CONDITIONS).is_some() || self.condition(words::TIMES).is_some();
        // "Correction" is a word of many works; as a title it is of the notice.
        let is_of_works = change == Change::Unclear && !(self.hit.at == 0 && next.is_none());
        if is_unmeant
            || is_rule
            || is_of_works
            || is_told_later
            || is_possible
            || is_prose
            || is_conditional
            || is_history
        {
            Verdict::Harmless
        } else if self.has(words::NOT) {
            Verdict::Negated(change)
        } else {
            Verdict::Told(change)
        }
    }

    /// Judges a verb of taking place: "Will not take place".
    fn happens(&self, change: Change) -> Verdict {
        let next = self.tokens.get(self.hit.end).map_or("", |token| token.word);
        let is_limit =
            ["during", "outside", "before", "until", "without", "to", "earlier", "unless", "by"].contains(&next);
        // "Maintenance: not going ahead".
        let is_title = self.group == self.clause_start() && self.tokens.len() <= LONGEST_TITLE;
        // "Not applicable" is the value of any field.
        let is_value = self.tokens.len() == 2 && self.tokens.get(1).is_some_and(|token| token.word == "applicable");
        let is_negated = self.has(words::NOT) && !is_limit && !is_value;
        // "The customer asked us not to proceed".
        let is_asked_of_us = self.before(1) == Some("us");
        if !is_negated
            || !(is_title || is_asked_of_us || self.is_said_of_work() || self.is_said_of_event())
            || self.condition(words::CONDITIONS).is_some()
        {
            return Verdict::Harmless;
        }
        Verdict::Told(change)
    }

    /// Returns the meaning of a Turkish word's ending, or of the next word's: it says what English
    /// says with helping verbs.
    fn turkish(&self, change: Change) -> Verdict {
        let ends =
            |list: &[&str]| self.around.iter().any(|token| list.iter().any(|ending| token.word.contains(ending)));
        let is_of_progress = matches!(change, Change::Completed | Change::Started);
        let is_open =
            ends(&["ebilir", "abilir", "irse", "ursa", "ilirse", "lirsa", "nirsa", "halinde", "durumunda", "takdirde"])
                || self.condition(words::CONDITIONS) == Some(Condition::InCondition);
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
}

/// Returns whether a change is told of every maintenance at its time.
fn is_of_progress(change: Change) -> bool {
    matches!(change, Change::Completed | Change::Started | Change::Ended)
}
