//! The notice's own text in passages: subjects, paragraphs of every body, texts of calendar entries.

use icalendar::parser::unfold;

use super::{
    change::{self, Statement},
    found::Place,
    lines::Lines,
    model::Status,
    page::Page,
};
use mail::{Layer, Mail};

/// A passage of the notice that tells of changes.
pub(super) struct Told {
    pub(super) text: String,
    pub(super) place: Place,
    pub(super) entry: Entry,
    /// The changes, at least one.
    pub(super) statements: Vec<Statement>,
}

/// The entry of a calendar that a passage is of.
#[derive(Clone, Copy)]
pub(super) enum Entry {
    /// It is no calendar's.
    None,
    /// It is of an entry with this status; `None` if the entry has none.
    Of(Option<Status>),
}

/// Returns the passages of the notice that tell of changes, in every form of it. `text` and `page` are the mail's first bodies,
/// where it has them.
pub(super) fn told(mail: &Mail, text: Option<&Lines>, page: Option<&Page>) -> Vec<Told> {
    let of_bodies = of_bodies(mail, text, page).into_iter().map(|passage| (passage, Entry::None));
    let of_calendars = of_calendars(mail).into_iter().map(|(passage, status)| (passage, Entry::Of(status)));
    of_bodies
        .chain(of_calendars)
        .filter_map(|(Passage { text, place }, entry)| {
            let statements = change::statements(&text);
            (!statements.is_empty()).then_some(Told { text, place, entry, statements })
        })
        .collect()
}

/// Text that is read as one piece: a sentence does not go on beyond it.
struct Passage {
    text: String,
    place: Place,
}

/// Returns the subjects and the paragraphs of the bodies.
fn of_bodies(mail: &Mail, text: Option<&Lines>, page: Option<&Page>) -> Vec<Passage> {
    let mut passages = Vec::new();
    let mut subjects: Vec<&str> = mail.layers().iter().map(Layer::bare_subject).collect();
    subjects.dedup();
    passages.extend(
        subjects.into_iter().map(|subject| Passage { text: subject.to_owned(), place: Place::Header("Subject") }),
    );
    if let Some(text) = text {
        of_lines(text, &mut passages);
    }
    if let Some(page) = page {
        of_lines(page.lines(), &mut passages);
    }
    for text in mail.texts.iter().skip(1) {
        of_lines(&Lines::of_text(text), &mut passages);
    }
    for page in mail.pages.iter().skip(1).filter_map(|page| Page::parse(page).ok()) {
        of_lines(page.lines(), &mut passages);
    }
    for text in &mail.cover.texts {
        of_lines(&Lines::of_text(text), &mut passages);
    }
    for page in mail.cover.pages.iter().filter_map(|page| Page::parse(page).ok()) {
        of_lines(page.lines(), &mut passages);
    }
    passages
}

fn of_lines(lines: &Lines, passages: &mut Vec<Passage>) {
    let paragraphs = change::paragraphs(lines.iter());
    passages.extend(paragraphs.into_iter().map(|(place, text)| Passage { text, place }));
}

/// The properties of an entry that people read.
const READ_BY_PEOPLE: [&str; 3] = ["SUMMARY", "DESCRIPTION", "COMMENT"];

/// Returns the texts of the calendars, each with the status of its entry; `None` if the entry has none.
fn of_calendars(mail: &Mail) -> Vec<(Passage, Option<Status>)> {
    let mut passages = Vec::new();
    let mut event = 0;
    for calendar in &mail.calendars {
        let unfolded = unfold(calendar);
        for entry in unfolded.split("BEGIN:VEVENT").skip(1) {
            event += 1;
            let value_of = |line: &str, name: &str| {
                let (property, value) = line.split_once(':')?;
                let is_named = property.split(';').next().is_some_and(|own| own.trim().eq_ignore_ascii_case(name));
                is_named.then(|| value.trim().to_owned())
            };
            let status = entry.lines().find_map(|line| value_of(line, "X-MAINTNOTE-STATUS"));
            let status = status.and_then(|status| Status::from_word(&status));
            for line in entry.lines() {
                let found = READ_BY_PEOPLE.iter().find_map(|name| Some((*name, value_of(line, name)?)));
                let Some((property, value)) = found else { continue };
                let text = value.replace("\\n", "\n").replace("\\N", "\n").replace("\\,", ",").replace("\\;", ";");
                for text in text.lines().map(str::trim).filter(|text| !text.is_empty()) {
                    let place = Place::Calendar { event, property };
                    passages.push((Passage { text: text.to_owned(), place }, status));
                }
            }
        }
    }
    passages
}
