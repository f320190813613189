//! The notice's own text in passages: subjects, paragraphs of every body, texts of calendar entries.

use std::{borrow::Cow, collections::HashSet};

use super::{
    calendar::Content,
    change::{self, Statement},
    found::Place,
    lines::Lines,
    model::Status,
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

/// Returns the passages that tell of changes, in every form of the notice: the subjects of its mail, its bodies and its calendars.
pub(super) fn told<'mail>(
    mail: &'mail Mail,
    bodies: impl Iterator<Item = &'mail Lines>,
    calendars: &[Content],
) -> Vec<Told> {
    let of_bodies = of_bodies(mail, bodies).into_iter().map(|passage| (passage, Entry::None));
    let of_calendars = of_calendars(calendars).into_iter().map(|(passage, status)| (passage, Entry::Of(status)));
    of_bodies
        .chain(of_calendars)
        .filter_map(|(Passage { text, place }, entry)| {
            let statements = change::statements(&text);
            (!statements.is_empty()).then(|| Told { text: text.into_owned(), place, entry, statements })
        })
        .collect()
}

/// Text that is read as one piece: a sentence does not go on beyond it.
struct Passage<'mail> {
    text: Cow<'mail, str>,
    place: Place,
}

/// Returns the subjects and the paragraphs of the bodies. What page and text say in the same words counts once.
fn of_bodies<'mail>(mail: &'mail Mail, bodies: impl Iterator<Item = &'mail Lines>) -> Vec<Passage<'mail>> {
    let mut subjects: Vec<&str> = mail.layers().iter().map(Layer::bare_subject).collect();
    subjects.dedup();
    let subject = |text| Passage { text: Cow::Borrowed(text), place: Place::Header("Subject") };
    let mut passages: Vec<Passage<'_>> = subjects.into_iter().map(subject).collect();
    let mut known = HashSet::new();
    for lines in bodies {
        let paragraphs = change::paragraphs(lines.iter());
        let new = paragraphs.into_iter().filter(|(_, text)| known.insert(text.clone()));
        passages.extend(new.map(|(place, text)| Passage { text, place }));
    }
    passages
}

/// The properties of an entry that people read.
const READ_BY_PEOPLE: [&str; 3] = ["SUMMARY", "DESCRIPTION", "COMMENT"];

/// Returns the texts of the calendars, each with the status of its entry; `None` if the entry has none.
fn of_calendars(calendars: &[Content]) -> Vec<(Passage<'static>, Option<Status>)> {
    let mut passages = Vec::new();
    let mut event = 0;
    for calendar in calendars {
        for entry in calendar.entries() {
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
                    passages.push((Passage { text: Cow::Owned(text.to_owned()), place }, status));
                }
            }
        }
    }
    passages
}
