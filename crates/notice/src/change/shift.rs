//! Finds another time that is set beside the one of the plan, whatever the verb: "the crew comes a week later", "Monday instead of
//! Friday", "the backup window is used".

use super::{
    Change, Statement,
    clause::{Clause, Of},
    grammar as words,
    list::List,
    phrases::{begins, has_phrase, is_in, phrase_at},
    plans,
    tokens::{Gap, Sentence, Token},
};

/// Maximum distance from "instead of" to the day that follows, in words.
const DAY_REACH: usize = 3;
/// Maximum distance between a window held in reserve and the verb that makes use of it, in words.
const USE_REACH: usize = 4;

#[rustfmt::skip]
const UNITS: &[&str] = &[
    "hour", "hours", "day", "days", "week", "weeks", "minutes", "night", "nights", "month", "months", "stunde", "stunden", "tag", "tage",
    "woche", "wochen", "uur", "dag", "dagen", "weken", "hora", "horas", "dia", "dias", "semana", "semanas", "giorno", "giorni", "ora", "ore",
    "settimana", "settimane",
];
/// Comparatives that follow a unit.
#[rustfmt::skip]
const COMPARATIVES: &List = &List::of(&[
    "later", "earlier", "early", "late", "spater", "spaeter", "fruher", "frueher", "eerder", "mas tarde", "mais tarde", "prima", "dopo",
    "despues", "depois",
]);
/// Behind these the comparative is one with another event: "an hour before the start".
const THAN_AN_EVENT: &[&str] =
    &["de", "del", "della", "dell", "do", "da", "dos", "das", "que", "che", "di", "on", "in"];
/// Maximum distance from "than" to what the plan shows, in words.
const SHOWN_REACH: usize = 3;
#[rustfmt::skip]
const SHOWN: &[&str] = &[
    "shown", "stated", "announced", "planned", "scheduled", "below", "above", "given", "indicated", "originally", "communicated", "notified",
    "written", "listed",
];
/// Before a time these tell when the plan begins: "starts at 22:00 and ends five hours later".
const AT: &[&str] = &["at", "um", "om", "las", "alle", "as", "from"];
#[rustfmt::skip]
const INSTEAD: &List = &List::of(&[
    "instead of", "rather than", "and not", "statt", "anstatt", "anstelle", "in plaats van", "en lugar de", "en vez de", "em vez de",
    "em lugar de", "invece di", "invece che", "au lieu de", "au lieu du",
]);
/// Days, and zones of times, as a plan names them.
#[rustfmt::skip]
const DAYS: &[&str] = &[
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "tomorrow", "tonight", "today", "montag", "dienstag",
    "mittwoch", "donnerstag", "freitag", "samstag", "sonntag", "morgen", "heute", "maandag", "dinsdag", "woensdag", "donderdag", "vrijdag",
    "zaterdag", "zondag", "lunes", "martes", "miercoles", "jueves", "viernes", "sabado", "domingo", "lunedi", "martedi", "mercoledi",
    "giovedi", "venerdi", "domenica", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche", "segunda", "terca", "quarta",
    "quinta", "sexta", "utc", "gmt", "cet", "cest", "bst", "est", "edt", "pst", "pdt",
];
const OTHER: &[&str] = &["another", "different", "new", "replacement"];
const WHEN: &[&str] = &["start", "end", "date", "day", "night", "window", "slot", "time"];
const RESERVES: &[&str] = &["fallback", "backup", "contingency", "reserve", "alternate", "alternative", "standby"];
/// Verbs, as word beginnings, that make use of what is held in reserve.
const USES: &[&str] = &["activated", "used", "using", "invoked", "applies", "chosen", "taken", "make", "use"];
/// Words beside which a window is only held in reserve, and not used yet.
const HELD: &[&str] =
    &["only", "case", "needed", "necessary", "required", "not", "available", "also", "when", "or", "any"];

/// Returns the statement of a sentence that sets another time, in words that the vocabulary does not have.
pub(super) fn statement(sentence: &Sentence<'_>) -> Option<Statement> {
    let tokens = sentence.tokens.as_slice();
    if !tokens.iter().any(|token| is_in(token, plans::SHIFTS)) || is_open(tokens) {
        return None;
    }
    (0..tokens.len()).find(|at| {
        is_shifted(tokens, *at) || is_instead(tokens, *at) || is_other(tokens, *at) || is_reserve(tokens, *at)
    })?;
    Some(Statement {
        change: Change::Unclear,
        is_negated: false,
        is_of_this: false,
        sentence: sentence.text.trim().to_owned(),
    })
}

/// Returns whether the sentence has a condition, or tells what is possible.
fn is_open(tokens: &[Token<'_>]) -> bool {
    has_phrase(tokens, words::CONDITIONS) || has_phrase(tokens, words::POSSIBLE)
}

/// Returns whether a unit of time with a comparative is said of the maintenance: "starts an hour early".
fn is_shifted(tokens: &[Token<'_>], at: usize) -> bool {
    let Some(end) = phrase_at(tokens, at, COMPARATIVES) else { return false };
    let unit = at.checked_sub(1).and_then(|at| tokens.get(at));
    let is_of_unit =
        unit.is_some_and(|token| is_in(token, UNITS)) && tokens.get(at).is_some_and(|token| token.before == Gap::Blank);
    let next = tokens.get(end).filter(|token| token.before == Gap::Blank);
    let is_planned = |pair: &[Token<'_>]| {
        pair.first().is_some_and(|token| is_in(token, AT)) && pair.last().is_some_and(|token| is_number(token))
    };
    // "One day later than shown".
    let is_compared = next.is_some_and(|token| token.word == "than")
        && tokens.get(end + 1..).unwrap_or_default().iter().take(SHOWN_REACH).any(|token| is_in(token, SHOWN));
    let clause = Clause::around(tokens, at);
    is_of_unit
        && !next.is_some_and(|token| is_in(token, THAN_AN_EVENT))
        && !clause.before().windows(2).any(is_planned)
        && (is_compared || clause.is_said_of(&[words::WORK, plans::CREW]) == Of::Work)
}

fn is_number(token: &Token<'_>) -> bool {
    token.word.bytes().next().is_some_and(|digit| digit.is_ascii_digit())
}

/// Returns whether a day, or a zone, stands in place of another: "Monday instead of Friday".
fn is_instead(tokens: &[Token<'_>], at: usize) -> bool {
    let Some(end) = phrase_at(tokens, at, INSTEAD) else { return false };
    let behind = tokens.get(end..).unwrap_or_default();
    let is_day = |token: &Token<'_>| is_in(token, DAYS);
    let before = tokens.get(at.saturating_sub(DAY_REACH)..at).unwrap_or_default();
    // "And not" joins more than days.
    behind.iter().take(DAY_REACH).any(is_day)
        && (tokens.get(at).is_some_and(|token| token.word != "and") || before.iter().any(is_day))
}

/// Returns whether another time is named or promised: "New start: 23:00", "another date will follow".
fn is_other(tokens: &[Token<'_>], at: usize) -> bool {
    let is_other = tokens.get(at).is_some_and(|token| is_in(token, OTHER));
    let is_when = tokens.get(at + 1).is_some_and(|token| is_in(token, WHEN) && token.before == Gap::Blank);
    let opens = at == 0
        || at == 1 && tokens.first().is_some_and(|token| token.word == "a")
        || tokens.get(at).is_some_and(|token| token.before == Gap::Break);
    let follows = |token: &Token<'_>| {
        token.before == Gap::Break || token.before == Gap::Blank && is_in(token, &["will", "is", "to"])
    };
    is_other && is_when && opens && tokens.get(at + 2).is_some_and(follows)
}

/// Returns whether use is made of a window held in reserve.
fn is_reserve(tokens: &[Token<'_>], at: usize) -> bool {
    let is_reserve = tokens.get(at).is_some_and(|token| is_in(token, RESERVES));
    let is_when = tokens.get(at + 1).is_some_and(|token| is_in(token, WHEN) && token.before == Gap::Blank);
    let around = tokens.get(at.saturating_sub(USE_REACH)..(at + 2 + USE_REACH).min(tokens.len())).unwrap_or_default();
    is_reserve
        && is_when
        && around.iter().any(|token| begins(token, USES))
        && !tokens.iter().any(|token| is_in(token, HELD))
}
