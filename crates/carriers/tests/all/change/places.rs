//! Places of a sentence in a notice's own text.

use crate::rewrite::{self, Charset, Encoding, Message};

/// The places, each of which most notices have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Before the words of the subject, with a dash.
    SubjectStart,
    /// After the words of the subject.
    SubjectEnd,
    /// Above all else, as a paragraph.
    Top,
    /// Above all else, as a heading, without the full stop.
    Heading,
    /// In the middle: after the first paragraph or table that ends in the second third.
    Middle,
    /// At the end of the body.
    End,
    /// In a cell of a table of its own.
    Cell,
    /// In the summary of each calendar entry.
    Summary,
    /// In the description of each calendar entry.
    Description,
}

pub(crate) const PLACES: [Place; 9] = [
    Place::SubjectStart,
    Place::SubjectEnd,
    Place::Top,
    Place::Heading,
    Place::Middle,
    Place::End,
    Place::Cell,
    Place::Summary,
    Place::Description,
];

/// Returns the mail with the sentence there; `None` where it has no such place.
pub(crate) fn with(mail: &[u8], sentence: &str, place: Place) -> Option<Vec<u8>> {
    let plain = sentence.trim_end_matches(['.', '!']);
    match place {
        Place::SubjectStart => {
            Some(Message::of(mail).with_subject_encoded_as(|subject| format!("{plain} - {subject}")))
        }
        Place::SubjectEnd => Some(Message::of(mail).with_subject_encoded_as(|subject| format!("{subject} - {plain}"))),
        Place::Top | Place::Heading | Place::Middle | Place::End | Place::Cell => {
            in_bodies(mail, sentence, plain, place)
        }
        Place::Summary => in_calendars(mail, |line| {
            line.strip_prefix("SUMMARY:").map(|summary| format!("SUMMARY:{plain} - {summary}"))
        }),
        Place::Description => {
            in_calendars(mail, |line| (line == "BEGIN:VEVENT").then(|| format!("{line}\nDESCRIPTION:{sentence}")))
        }
    }
}

fn changed(mail: &[u8], change: impl Fn(&str, &str) -> Option<String>) -> Option<Vec<u8>> {
    let is_changed = std::cell::Cell::new(false);
    let write = |text: &str, kind: &str| {
        let changed = change(text, kind);
        is_changed.set(is_changed.get() || changed.is_some());
        changed.unwrap_or_else(|| text.to_owned())
    };
    let mail = rewrite::written(mail, Encoding::QuotedPrintable, Charset::Utf8, write)?;
    is_changed.get().then_some(mail)
}

fn in_bodies(mail: &[u8], sentence: &str, plain: &str, place: Place) -> Option<Vec<u8>> {
    changed(mail, |text, kind| match (kind, place) {
        ("plain", Place::Cell) => Some(format!("Remark | {plain}\n\n{text}")),
        ("plain", Place::Heading) => Some(format!("{plain}\n\n{text}")),
        ("plain", Place::Top) => Some(format!("{sentence}\n\n{text}")),
        ("plain", Place::End) => Some(format!("{}\n\n{sentence}\n", text.trim_end())),
        ("plain", _) => {
            let at = after(text, "\n\n")?;
            Some(format!("{}{sentence}\n\n{}", &text[..at], &text[at..]))
        }
        ("html", Place::Middle) => {
            let at = ["</p>", "</div>", "<br><br>", "<br>", "</table>"].iter().find_map(|end| after(text, end))?;
            let is_line = text[..at].ends_with("<br>");
            let written = if is_line { format!("{sentence}<br><br>") } else { format!("<p>{sentence}</p>") };
            Some(format!("{}{written}{}", &text[..at], &text[at..]))
        }
        ("html", Place::End) => {
            let end = text.to_ascii_lowercase().rfind("</body").unwrap_or(text.len());
            Some(format!("{}<p>{sentence}</p>\n{}", &text[..end], &text[end..]))
        }
        ("html", _) => {
            let lower = text.to_ascii_lowercase();
            let start = lower.find("<body").and_then(|at| text[at..].find('>').map(|end| at + end + 1)).unwrap_or(0);
            let written = match place {
                Place::Cell => format!("<table><tr><td>Remark</td><td>{plain}</td></tr></table>"),
                Place::Heading => format!("<h2>{plain}</h2>"),
                _ => format!("<p>{sentence}</p>"),
            };
            Some(format!("{}{written}{}", &text[..start], &text[start..]))
        }
        _ => None,
    })
}

/// Behind the first of these ends in the second third of a text that is no part of a table.
fn after(text: &str, end: &str) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    let opened = |at: usize, name: &str| {
        lower[..at].matches(&format!("<{name}")).count() > lower[..at].matches(&format!("</{name}")).count()
    };
    let is_inside = |at: usize| ["table", "style", "head", "s", "h1", "h2"].iter().any(|name| opened(at, name));
    let mut ends = text.match_indices(end).map(|(at, end)| at + end.len());
    // Within a table it would be a part of some row.
    ends.find(|at| *at > text.len() / 3 && *at < text.len() * 2 / 3 && !is_inside(*at))
}

fn in_calendars(mail: &[u8], change: impl Fn(&str) -> Option<String>) -> Option<Vec<u8>> {
    changed(mail, |text, kind| {
        let lines: Vec<_> = text.lines().map(|line| change(line).ok_or(line)).collect();
        let is_changed = kind == "calendar" && lines.iter().any(Result::is_ok);
        let lines = lines.into_iter().map(|line| line.unwrap_or_else(str::to_owned) + "\n");
        is_changed.then(|| lines.collect())
    })
}
