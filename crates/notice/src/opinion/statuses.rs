//! Do the words of the mail say the statuses that were read? A change that was read must be told somewhere; a plan is none where the
//! title tells of a change.

use super::{Answer, said::Said};
use crate::{
    change::{Change, Statement},
    failure::Failure,
    model::{Maintenance, Status},
    source::Source,
};

/// The words of a status, as beginnings, in the languages of carriers.
struct Words {
    status: Status,
    stems: &'static [&'static str],
}

#[rustfmt::skip]
const WORDS: &[Words] = &[
    Words { status: Status::Cancelled, stems: &["cancel", "annul", "storn", "abgesagt", "geannuleerd", "anulad", "iptal", "withdraw", "called off", "abort", "abandon", "not go ahead", "not take place", "no longer", "stood down", "vervallen", "entfällt"] },
    Words { status: Status::Completed, stems: &["complet", "conclu", "finish", "ended", "closed", "closure", "abgeschlossen", "beendet", "afgerond", "voltooid", "finaliz", "tamamlan", "terminad", "terminé", "is over", "is now over", "maintenance end", "done", "restored", "successful"] },
    Words { status: Status::ReScheduled, stems: &["resched", "re-sched", "postpon", "moved", "new date", "new time", "date change", "time change", "change of date", "schedule change", "verschoben", "verplaatst", "uitgesteld", "reprogram", "aplaza", "remarca", "reagend", "adiad", "rinvia", "posticip", "report", "ertele", "delay", "amend", "revis", "defer", "changed", "new schedule", "update", "correct"] },
    Words { status: Status::InProcess, stems: &["started", "start notification", "start maintenance", "to start", "begun", "began", "commenc", "in progress", "in process", "inprogress", "ongoing", "underway", "under way", "begonnen", "gestart", "iniciad", "en curso", "em curso", "em andamento", "in corso", "en cours", "başla", "basla", "extend", "extension", "implement"] },
    Words { status: Status::Tentative, stems: &["tentativ", "provision", "propos", "unconfirm", "not confirmed", "not yet confirmed", "draft", "preliminar", "vorläufig", "voorlopig", "pending", "to be confirmed"] },
];

pub(super) fn judge(source: &Source<'_>, said: &Said<'_>, maintenances: &[Maintenance]) -> Answer {
    let mut statuses: Vec<Status> = maintenances.iter().map(Maintenance::status).collect();
    statuses.sort_unstable_by_key(|status| status.word());
    statuses.dedup();
    let told: Vec<&Statement> = source.told().iter().flat_map(|told| &told.statements).collect();
    for status in &statuses {
        if let Some(objection) = against(said, &told, *status) {
            return Answer::Objects(objection);
        }
    }
    Answer::Agrees(statuses.len())
}

fn against(said: &Said<'_>, told: &[&Statement], status: Status) -> Option<Failure> {
    let titles = || said.lines.iter().copied().take(said.subjects);
    let told = || told.iter().copied().filter(|statement| !statement.is_negated);
    let other = || told().find(|statement| is_final(statement.change) && !tells(statement.change, status));
    let stems = WORDS.iter().find(|words| words.status == status).map_or(&[][..], |words| words.stems);
    let says = |line: &str| {
        let lower = line.to_lowercase();
        stems.iter().any(|stem| begins_word(&lower, stem))
    };
    let is_told = || told().any(|statement| tells(statement.change, status)) || titles().any(says);
    let first_title = said.lines.first().copied().unwrap_or_default();
    match status {
        Status::NoChange => None,
        // A word alone may be of one row: the gate reads those.
        Status::Confirmed => {
            other().filter(|told| told.sentence.trim().contains(' ')).map(|told| objection(status, &told.sentence))
        }
        Status::Tentative => {
            let is_said = || said.lines.iter().any(|line| says(line));
            let told = other().map(|statement| statement.sentence.as_str());
            told.or_else(|| (!is_said()).then_some(first_title)).map(|quote| objection(status, quote))
        }
        _ => {
            let mut cells =
                said.lines.iter().skip(said.subjects).filter(|line| (1..=LONGEST_HEADING).contains(&line.len()));
            let is_said = is_told() || cells.any(|cell| says(cell));
            let quote = || other().map_or(first_title, |statement| statement.sentence.as_str());
            (!is_said).then(|| objection(status, quote()))
        }
    }
}

/// Returns `true` if the change is what this status says.
fn tells(change: Change, status: Status) -> bool {
    match change {
        Change::Cancelled => status == Status::Cancelled,
        Change::Completed | Change::Ended => status == Status::Completed,
        // Nobody knows when it takes place: some carriers' format has no other word for it.
        Change::Postponed | Change::Unfinished | Change::Unclear => {
            matches!(status, Status::ReScheduled | Status::Cancelled)
        }
        Change::Extended => matches!(status, Status::InProcess | Status::ReScheduled),
        Change::Started => status == Status::InProcess,
    }
}

/// Returns `true` if the change leaves no other status.
fn is_final(change: Change) -> bool {
    matches!(change, Change::Cancelled | Change::Completed | Change::Postponed)
}

/// A heading or a cell has at most so many bytes.
const LONGEST_HEADING: usize = 32;

fn begins_word(text: &str, stem: &str) -> bool {
    text.match_indices(stem).any(|(at, _)| text.get(..at).is_none_or(|before| !before.ends_with(char::is_alphanumeric)))
}

fn objection(status: Status, quote: &str) -> Failure {
    let expected = format!("one status: {status} is read, and the mail, read in another way, does not say so");
    Failure::ambiguous(expected).with_quote(quote)
}
