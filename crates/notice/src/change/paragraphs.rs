//! The paragraphs of a body in lines: a sentence may be wrapped, and a heading, a cell or a label stands for itself.

use std::borrow::Cow;

use crate::found::Place;

/// A line of at least this many bytes may have been broken within a sentence.
const WRAPPED: usize = 60;

/// Words that open a sentence, and hardly ever stand in its midst with a capital.
#[rustfmt::skip]
const OPENERS: &[&str] = &[
    "The", "This", "These", "We", "Please", "It", "Our", "Your", "Due", "All", "Status", "There", "Note", "Dear", "As", "In", "Any", "If", "Die", "Diese", "Das",
    "Wir", "Bitte", "De", "Het", "Deze", "Dit", "Wij", "El", "La", "Los", "Este", "Esta", "O", "A", "Il", "Le", "Questo", "Questa", "Cette", "Nous", "Bu",
];

/// Joins the lines that were broken within a sentence; marks of quotation are left out.
pub(crate) fn paragraphs<'body>(lines: impl Iterator<Item = (Place, &'body str)>) -> Vec<(Place, Cow<'body, str>)> {
    let mut paragraphs: Vec<(Place, Cow<'body, str>)> = Vec::new();
    let mut last = "";
    for (place, line) in lines {
        let line = line.trim_start_matches(['>', ' ']);
        match paragraphs.last_mut().filter(|_| goes_on(last, line)) {
            Some((_, paragraph)) => {
                let paragraph = paragraph.to_mut();
                paragraph.push(' ');
                paragraph.push_str(line);
            }
            None if line.is_empty() => {}
            None => paragraphs.push((place, Cow::Borrowed(line))),
        }
        last = line;
    }
    paragraphs
}

/// Returns whether the sentence at the end of a line goes on in the next one.
fn goes_on(last: &str, line: &str) -> bool {
    let is_open = !last.is_empty() && !last.ends_with(['.', '!', '?', ':', ';']);
    let Some(first) = line.chars().next().filter(|_| is_open) else { return false };
    let word = line.split(' ').next().unwrap_or_default();
    let is_wrapped = last.len() >= WRAPPED && first.is_alphanumeric();
    first.is_lowercase() || is_wrapped && !OPENERS.contains(&word) && !line.contains(": ")
}
