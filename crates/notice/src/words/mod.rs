//! The words in which carriers say where a maintenance stands and what it does to a circuit.
//!
//! Most formats have no field for the status: a title says "Planned", "CANCELLED - Scheduled …" or "Completed". The vocabulary
//! is the same everywhere, so it stands here once; a format whose words mean something else keeps a table of its own.
//! Words that contradict each other, or are negated, are a failure: they are for a person.

mod announced;
mod impact;

pub use announced::announced;
pub use impact::{impact, impact_or_hit};

use super::{
    change::{self, Change, Statement},
    failure::Failure,
    found::{Found, Place},
    model::Status,
};

type Vocabulary = &'static [(Status, &'static [&'static str])];

/// Changes of a planned maintenance; at most one of them can be true.
const CHANGES: Vocabulary = &[
    (
        Status::Cancelled,
        &["cancelled", "canceled", "cancellation", "cancelation", "cancel", "withdrawn", "called off", "aborted"],
    ),
    (
        Status::Completed,
        &["completed", "complete", "completion", "concluded", "finished", "ended", "closed", "closure", "is now over"],
    ),
    (
        Status::ReScheduled,
        &[
            "rescheduled",
            "reschedule",
            "rescheduling",
            "postponed",
            "postponement",
            "postpone",
            "new date",
            "date change",
            "time change",
            "change of date",
            "schedule change",
        ],
    ),
    (
        Status::InProcess,
        &[
            "started",
            "begun",
            "commenced",
            "in progress",
            "in process",
            "inprogress",
            "ongoing",
            "underway",
            "under way",
        ],
    ),
];

const TENTATIVE: &[&str] = &["tentative", "provisional", "unconfirmed"];

const CONFIRMED: &[&str] = &[
    "scheduled",
    "planned",
    "confirmed",
    "emergency",
    "urgent",
    "unplanned",
    "reminder",
    "update",
    "updated",
    "revised",
    "amended",
    "demand",
    "upcoming",
    "new",
];

/// Shortly before a word they take it back: "could not be completed", "partially completed".
const NEGATIONS: &[&str] = &["not", "never", "cannot", "partial", "partially", "unable"];

/// Maximum distance of a negation before its word, in words.
const NEGATION_REACH: usize = 4;

/// Words after which a sentence tells what could happen, not what is planned.
const CONDITIONS: &[&str] =
    &["if", "may", "might", "should", "could", "would", "whether", "unless", "can", "cannot", "must", "ensure"];

/// Returns the status that a title, a subject or a status field says; `None` where it has no such word. "Cancelled" and its like
/// stand above "planned": a cancelled planned work is cancelled.
pub fn status(title: &Found<String>) -> Result<Option<Found<Status>>, Failure> {
    // A sentence that stands where a title does may have a word of change and tell of none; what stands beside it is a title still.
    let lower = lower(&title.value);
    let whole = words(&lower);
    if !is_sentence(&whole) || !change::statements(&title.value).is_empty() {
        return status_in(CHANGES, &whole, title);
    }
    let parts = lower.split([':', '|']).flat_map(|part| part.split(" - "));
    let statuses = parts.filter_map(|part| {
        let words = words(part);
        status_in(if is_sentence(&words) { &[] } else { CHANGES }, &words, title).transpose()
    });
    strongest(statuses.collect::<Result<Vec<_>, _>>()?)
}

/// Titles of fewer words are no sentences.
const SENTENCE: usize = 6;

/// First words of sentences, which titles do not begin with.
const OPENERS: &[&str] =
    &["this", "the", "we", "our", "it", "if", "in", "you", "your", "should", "any", "after", "once", "until", "please"];

/// Verbs of sentences, which titles leave out.
const VERBS: &[&str] = &["is", "are", "was", "were", "be", "been", "has", "have", "will", "may", "can"];

/// Returns whether the words are those of a sentence, which has a verb and some length.
fn is_sentence(words: &[&str]) -> bool {
    let has_verb = words.first().is_some_and(|first| OPENERS.contains(first)) || has_any(words, VERBS);
    has_verb && words.len() >= SENTENCE
}

/// Returns the status that these words of the title say.
fn status_in(vocabulary: Vocabulary, words: &[&str], title: &Found<String>) -> Result<Option<Found<Status>>, Failure> {
    let mut changes = vocabulary.iter().filter_map(|(status, phrases)| Some((*status, first(words, phrases)?)));
    let found = match (changes.next(), changes.next()) {
        (Some(_), Some(_)) => return Err(contradiction("one status", title)),
        (Some((_, at)), None) if is_negated(words, at) => {
            return Err(contradiction("a status that is not negated", title));
        }
        (Some((status, _)), None) => Some(status),
        (None, _) if has_any(words, TENTATIVE) => Some(Status::Tentative),
        (None, _) if has_any(words, CONFIRMED) => Some(Status::Confirmed),
        (None, _) => None,
    };
    Ok(found.map(|status| title.with(status)))
}

/// Returns the status that running text tells: the change of its sentences, by [`change::statements`], else the plan that they
/// speak of. `None` where no sentence tells. A change that is not told of this maintenance in so many words is for a person: "a temporary
/// repair has been completed". What leaves the maintenance unclear is no status: the gate holds it against the one that is read.
pub fn status_told(prose: &Found<String>) -> Result<Option<Found<Status>>, Failure> {
    let mut told: Option<Found<Status>> = None;
    let mut doubted: Option<(Change, String)> = None;
    for Statement { change, sentence, is_of_this, .. } in
        change::statements(&prose.value).into_iter().filter(|statement| !statement.is_negated)
    {
        if change == Change::Unfinished {
            return Err(contradiction("a status that is stated plainly", &prose.with(sentence)));
        }
        let Some(status) = change.status() else { continue };
        if !is_of_this {
            doubted = doubted.or(Some((change, sentence)));
            continue;
        }
        let found = Found { quote: super::found::quote(&sentence), ..prose.clone() }.map(|_| status);
        // "It is cancelled and will be rescheduled" tells that it is cancelled.
        told = match told {
            Some(before) if change.is_explained_by(before.value) => Some(before),
            before => Some(join(before, found)?),
        };
    }
    if let Some((change, sentence)) = doubted
        && !told.as_ref().is_some_and(|told| change.is_explained_by(told.value))
    {
        return Err(contradiction("a status that is told of this maintenance", &prose.with(sentence)));
    }
    if told.is_some() {
        return Ok(told);
    }
    for sentence in prose.value.split(['!', '?', ';', '\n']).flat_map(|part| part.split(". ")) {
        let lower = lower(sentence);
        let mut words = words(&lower);
        words.truncate(first(&words, CONDITIONS).unwrap_or(words.len()));
        let plan = if has_any(&words, TENTATIVE) {
            Status::Tentative
        } else if has_any(&words, CONFIRMED) {
            Status::Confirmed
        } else {
            continue;
        };
        let found = Found { quote: super::found::quote(sentence), ..prose.clone() }.map(|_| plan);
        told = Some(join(told, found)?);
    }
    Ok(told)
}

/// Reads as [`status_told`] does, of a body in lines. A sentence may be wrapped.
pub fn status_told_in<'body>(
    lines: impl Iterator<Item = (Place, &'body str)>,
) -> Result<Option<Found<Status>>, Failure> {
    let mut told: Option<Found<Status>> = None;
    for (place, paragraph) in change::paragraphs(lines) {
        if let Some(status) = status_told(&Found::text(&paragraph, place))? {
            told = Some(join(told, status)?);
        }
    }
    Ok(told)
}

/// Returns the status of a notice: the first title that tells of a change (cancelled, completed, …), else the change that the body
/// tells, else the plan that a title tells. `None` where neither says so: the body of every notice speaks of planned work, which
/// proves nothing beside a title with a word that nobody knows.
pub fn status_of<'body>(
    titles: impl IntoIterator<Item = Found<String>>,
    body: impl Iterator<Item = (Place, &'body str)>,
) -> Result<Option<Found<Status>>, Failure> {
    let mut planned = None;
    for title in titles {
        match status(&title)? {
            Some(status) if is_change(status.value) => return Ok(Some(status)),
            status => planned = planned.or(status),
        }
    }
    Ok(status_told_in(body)?.filter(|told| is_change(told.value)).or(planned))
}

/// Returns the one of several statements that counts: a change stands above a plan, and two changes contradict each other.
pub fn strongest(statements: impl IntoIterator<Item = Found<Status>>) -> Result<Option<Found<Status>>, Failure> {
    statements.into_iter().try_fold(None, |before, status| join(before, status).map(Some))
}

/// Joins two statuses of consecutive texts: a change counts more than a plan; two changes contradict each other.
fn join(before: Option<Found<Status>>, status: Found<Status>) -> Result<Found<Status>, Failure> {
    match before {
        Some(before) if is_change(before.value) && is_change(status.value) && before.value != status.value => {
            let quote = format!("{} … {}", before.quote, status.quote);
            Err(Failure { place: Some(status.place), ..Failure::ambiguous("one status").with_quote(&quote) })
        }
        Some(before) if is_change(before.value) || !is_change(status.value) => Ok(before),
        _ => Ok(status),
    }
}

/// Returns whether it is more than the announcement of a plan.
const fn is_change(status: Status) -> bool {
    !matches!(status, Status::Confirmed | Status::Tentative | Status::NoChange)
}

fn contradiction(expected: &str, found: &Found<String>) -> Failure {
    Failure { place: Some(found.place.clone()), ..Failure::ambiguous(expected).with_quote(&found.quote) }
}

fn is_negated(words: &[&str], at: usize) -> bool {
    words.get(at.saturating_sub(NEGATION_REACH)..at).is_some_and(|before| has_any(before, NEGATIONS))
}

/// Returns the text in lower case, of which [`words`] are taken. `re-scheduled` is one word.
fn lower(text: &str) -> String {
    let lower = text.to_lowercase();
    if lower.contains("re-sch") { lower.replace("re-sch", "resch") } else { lower }
}

/// Returns the words of a text in lower case: every mark separates them.
fn words(lower: &str) -> Vec<&str> {
    lower.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()).collect()
}

/// Returns whether one of the phrases stands in the words.
fn has_any(words: &[&str], phrases: &[&str]) -> bool {
    first(words, phrases).is_some()
}

/// Returns where the first of the phrases stands in the words.
fn first(words: &[&str], phrases: &[&str]) -> Option<usize> {
    (0..words.len()).find(|at| {
        let behind = words.get(*at..).unwrap_or_default();
        phrases.iter().any(|phrase| begins(behind, phrase))
    })
}

/// Returns whether words begin with those of a phrase.
fn begins(words: &[&str], phrase: &str) -> bool {
    // Most phrases begin with another letter: they need not be taken apart.
    if words.first().and_then(|word| word.bytes().next()) != phrase.bytes().next() {
        return false;
    }
    let mut words = words.iter();
    phrase.split(' ').all(|part| words.next() == Some(&part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::FailureKind;

    fn title(text: &str) -> Found<String> {
        Found::text(text, Place::Header("Subject"))
    }

    fn says(text: &str) -> Option<Status> {
        status(&title(text)).unwrap().map(|found| found.value)
    }

    #[test]
    fn titles() {
        for (text, expected) in [
            ("Planned Outage", Some(Status::Confirmed)),
            ("EMERGENCY work", Some(Status::Confirmed)),
            ("Reminder: scheduled work", Some(Status::Confirmed)),
            ("CANCELLED - Scheduled work", Some(Status::Cancelled)),
            ("Cancellation Notice", Some(Status::Cancelled)),
            ("Completed: no impact was seen", Some(Status::Completed)),
            ("Cancelled - will not take place", Some(Status::Cancelled)),
            ("Planned work completed", Some(Status::Completed)),
            ("Re-Scheduled: planned work", Some(Status::ReScheduled)),
            ("Postponed maintenance", Some(Status::ReScheduled)),
            ("Maintenance In-Progress", Some(Status::InProcess)),
            ("Tentative: planned work", Some(Status::Tentative)),
            ("Your invoice", None),
            ("", None),
        ] {
            assert_eq!(says(text), expected, "{text}");
        }
    }

    #[test]
    fn a_contradiction_is_for_a_person() {
        for text in
            ["Cancelled and completed", "Maintenance not completed", "Partially completed", "Cancelled / rescheduled"]
        {
            assert_eq!(status(&title(text)).unwrap_err().kind, FailureKind::Ambiguous, "{text}");
        }
    }

    #[test]
    fn prose_states_facts_and_not_possibilities() {
        let told = |text: &str| status_told(&title(text)).unwrap().map(|found| found.value);
        assert_eq!(told("If the work is cancelled we will tell you."), None);
        assert_eq!(told("We will inform you once the work is completed."), None);
        assert_eq!(told("Expect a complete outage, as part of our ongoing work."), None);
        assert_eq!(told("It has been cancelled and will not take place."), Some(Status::Cancelled));
        assert_eq!(told("The works will be completed within the window."), None);
        assert_eq!(told("Please be advised that this is cancelled."), Some(Status::Cancelled));
        assert_eq!(told("Once it is completed, please test."), None);
        assert_eq!(told("This work cannot be rescheduled."), None);
        assert_eq!(told("This work has been cancelled and may be rescheduled."), Some(Status::Cancelled));
        assert_eq!(told("This work is cancelled and will be rescheduled."), Some(Status::Cancelled));
        assert_eq!(told("The planned work has been cancelled. It may be rescheduled."), Some(Status::Cancelled));
        assert_eq!(told("Planned work. The work is now completed."), Some(Status::Completed));
        assert!(status_told(&title("It was cancelled. It was completed.")).is_err());
    }

    #[test]
    fn a_change_of_another_maintenance_is_no_status() {
        let told = |text: &str| status_told(&title(text)).map(|found| found.map(|found| found.value));
        for text in
            ["Cancelled tickets are kept for a month.", "Kindly send no postponed or cancelled works to this list."]
        {
            assert_eq!(told(text).unwrap(), None, "{text}");
        }
        for text in [
            "A temporary repair has been completed.",
            "The first half of the project was completed in May.",
            "The work is partly completed.",
        ] {
            assert_eq!(told(text).unwrap_err().kind, FailureKind::Ambiguous, "{text}");
        }
        assert_eq!(told("A temporary repair was completed. This work is completed.").unwrap(), Some(Status::Completed));
        assert!(told("A temporary repair was completed. This work is cancelled.").is_err());
    }

    #[test]
    fn a_sentence_may_be_wrapped() {
        let text = ["Planned work.", "", "When the work is", "completed, traffic returns.", "", "It was", "cancelled."];
        let told = |lines: &[&'static str]| {
            let lines: Vec<_> = lines.iter().map(|line| (Place::Text { line: 1 }, *line)).collect();
            status_told_in(lines.into_iter()).unwrap().map(|found| found.value)
        };
        assert_eq!(told(&text), Some(Status::Cancelled));
        assert_eq!(told(&text[..4]), Some(Status::Confirmed));
        assert_eq!(told(&text[1..4]), None);
    }

    #[test]
    fn a_title_stands_above_the_body_but_not_its_silence() {
        let read = |titles: &[&str], body: &'static str| {
            let body = [(Place::Text { line: 1 }, body)];
            status_of(titles.iter().map(|text| title(text)), body.into_iter()).unwrap().map(|found| found.value)
        };
        assert_eq!(read(&["Planned work", "Cancelled"], "It was completed."), Some(Status::Cancelled));
        assert_eq!(read(&["Planned work"], "It was completed."), Some(Status::Completed));
        assert_eq!(read(&["Planned work"], "Hello."), Some(Status::Confirmed));
        assert_eq!(read(&["Work"], "Planned work."), None);
    }

    #[test]
    fn of_several_statements_a_change_counts() {
        let strongest = |statuses: &[Status]| {
            let found = strongest(statuses.iter().map(|status| title("").map(|_| *status)));
            found.map(|found| found.map(|found| found.value)).ok()
        };
        assert_eq!(strongest(&[]), Some(None));
        assert_eq!(strongest(&[Status::Tentative, Status::Confirmed]), Some(Some(Status::Tentative)));
        assert_eq!(
            strongest(&[Status::Confirmed, Status::Cancelled, Status::Confirmed]),
            Some(Some(Status::Cancelled))
        );
        assert_eq!(strongest(&[Status::Completed, Status::Cancelled]), None);
    }
}
