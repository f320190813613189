//! The notice's own text in passages: subjects, paragraphs of every body, texts of calendar entries.

use icalendar::parser::unfold;

use super::in_calendar;
use crate::{change, found::Place, lines::Lines, model::Status, page::Page, source::Source};
use mail::{Layer, Mail};

/// Text that is read as one piece: a sentence does not go on beyond it.
pub(super) struct Passage {
    pub(super) text: String,
    pub(super) place: Option<Place>,
}

/// Returns the subjects and the paragraphs of the bodies.
pub(super) fn passages(source: &Source<'_>) -> Vec<Passage> {
    let mail = source.mail();
    let mut passages = Vec::new();
    let mut subjects: Vec<&str> = mail.layers().iter().map(Layer::bare_subject).collect();
    subjects.dedup();
    passages.extend(
        subjects.into_iter().map(|subject| Passage { text: subject.to_owned(), place: Some(Place::Header("Subject")) }),
    );
    if let Ok(text) = source.text() {
        of_lines(text, &mut passages);
    }
    if let Ok(page) = source.page() {
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
    passages.extend(paragraphs.into_iter().map(|(place, text)| Passage { text, place: Some(place) }));
}

/// The properties of an entry that people read.
const READ_BY_PEOPLE: [&str; 3] = ["SUMMARY", "DESCRIPTION", "COMMENT"];

/// Returns the texts of the calendars, each with the status of its entry; `None` if the entry has none.
pub(super) fn passages_of_calendars(mail: &Mail) -> Vec<(Passage, Option<Status>)> {
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
                    let place = Some(in_calendar(event, property));
                    passages.push((Passage { text: text.to_owned(), place }, status));
                }
            }
        }
    }
    passages
}
