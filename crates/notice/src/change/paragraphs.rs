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

/// Joins the lines that were broken within a sentence; marks of quotation are left out, and the footer of a mailing list, which is
/// nobody's word on the notice.
pub(crate) fn paragraphs<'body>(lines: impl Iterator<Item = (Place, &'body str)>) -> Vec<(Place, Cow<'body, str>)> {
    let mut paragraphs: Vec<(Place, Cow<'body, str>)> = Vec::new();
    let mut last = "";
    let mut footer = Footer::default();
    for (place, line) in lines {
        let is_quoted = line.starts_with('>');
        let line = line.trim_start_matches(['>', ' ']);
        footer.read(line, is_quoted, paragraphs.len());
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
    paragraphs.truncate(footer.start(paragraphs.len()).unwrap_or(paragraphs.len()));
    paragraphs
}

/// The footers that mailing lists put at the end of a body: a rule, the list's name, the way to leave it. One list may stand behind
/// another.
#[derive(Default)]
struct Footer {
    /// Number of paragraphs above the first rule.
    above: usize,
    /// Number of paragraphs above the last rule.
    above_last: usize,
    /// `true` if the last rule is quoted; `None` where there is none.
    is_quoted: Option<bool>,
    /// `true` if a list is named below the last rule.
    names_list: bool,
}

impl Footer {
    /// Fewest consecutive marks of a rule.
    const SHORTEST_RULE: usize = 20;
    /// Paragraphs from the rule on in which a footer names its list.
    const MOST_TO_NAME: usize = 4;
    /// Paragraphs of the longest footer. What goes on for longer, or below it, may be an answer.
    const LONGEST: usize = 9;
    /// Words of footers, in lower case.
    const NAMES: [&str; 12] = [
        "mailing list",
        "mailman",
        "listinfo",
        "unsubscribe",
        "you are subscribed to",
        "google groups",
        "mailingliste",
        "mailinglist",
        "lista de correo",
        "lista de discuss",
        "liste de diffusion",
        "abbestellen",
    ];

    fn read(&mut self, line: &str, is_quoted: bool, paragraphs: usize) {
        if is_rule(line) {
            let above = if self.start(paragraphs).is_some() { self.above } else { paragraphs };
            *self = Self { above, above_last: paragraphs, is_quoted: Some(is_quoted), names_list: false };
        } else if !line.is_empty() && self.is_quoted.is_some_and(|own| own != is_quoted) {
            *self = Self::default();
        } else if self.is_quoted.is_some() && !self.names_list && paragraphs <= self.above_last + Self::MOST_TO_NAME {
            let lower = line.to_lowercase();
            self.names_list = Self::NAMES.iter().any(|name| lower.contains(name));
        }
    }

    /// Returns the number of paragraphs above the footers; `None` if there is none.
    fn start(&self, paragraphs: usize) -> Option<usize> {
        (self.names_list && paragraphs <= self.above_last + Self::LONGEST).then_some(self.above)
    }
}

fn is_rule(line: &str) -> bool {
    let is_drawn = |mark: &u8| matches!(mark, b'_' | b'-' | b'=');
    let bytes = line.as_bytes();
    bytes.first().is_some_and(is_drawn)
        && (line == "--" || bytes.len() >= Footer::SHORTEST_RULE && bytes.iter().all(is_drawn))
}

/// Returns whether the sentence at the end of a line goes on in the next one.
fn goes_on(last: &str, line: &str) -> bool {
    let is_open = !last.is_empty() && !last.ends_with(['.', '!', '?', ':', ';']);
    let Some(first) = line.chars().next().filter(|_| is_open) else { return false };
    let word = line.split(' ').next().unwrap_or_default();
    let is_wrapped = last.len() >= WRAPPED && first.is_alphanumeric();
    first.is_lowercase() || is_wrapped && !OPENERS.contains(&word) && !line.contains(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Vec<String> {
        let lines = lines.iter().map(|line| (Place::Text { line: 1 }, *line));
        paragraphs(lines).into_iter().map(|(_, text)| text.into_owned()).collect()
    }

    const RULE: &str = "_______________________________________________";

    #[test]
    fn a_lists_footer_is_no_paragraph() {
        for footer in [
            &[RULE, "netops mailing list -- netops@lists.example", "Cancelled tickets do not belong here."][..],
            &[
                RULE,
                "Netops mailing list",
                "",
                "https://lists.example/mailman/listinfo/netops",
                "Works that were moved stay.",
            ],
            &[
                "--",
                "You received this message because you are subscribed to the Google Groups \"netops\" group.",
                "Completed.",
            ],
            &[
                "----------------------------------------",
                "To unsubscribe, write to leave@lists.example.",
                "Postponed? No.",
            ],
        ] {
            let lines: Vec<&str> = ["Dear customer,", "", "We work on it."].iter().chain(footer).copied().collect();
            assert_eq!(read(&lines), ["Dear customer,", "We work on it."], "{footer:?}");
            let twice: Vec<&str> = lines.iter().chain(footer).copied().collect();
            assert_eq!(read(&twice), ["Dear customer,", "We work on it."], "{footer:?}");
            let quoted: Vec<String> = lines.iter().map(|line| format!("> {line}")).collect();
            let mut quoted: Vec<&str> = quoted.iter().map(String::as_str).collect();
            assert_eq!(read(&quoted).len(), 2, "{footer:?}");
            // Whoever answers below a quotation that ends with a footer says it himself.
            quoted.extend(["", "This one is cancelled."]);
            assert!(read(&quoted).contains(&"This one is cancelled.".to_owned()), "{footer:?}");
        }
    }

    #[test]
    fn a_rule_above_something_else_is_no_footer() {
        for below in [
            &["The work has been cancelled."][..],
            &["Circuits:", "A 1", "A 2", "A 3", "A 4", "Our mailing list has a new address."],
            &["netops mailing list", "1.", "2.", "3.", "4.", "5.", "6.", "7.", "8.", "The work has been cancelled."],
        ] {
            let lines: Vec<&str> = std::iter::once(&RULE).chain(below).copied().collect();
            assert_eq!(read(&lines).last().map(String::as_str), below.last().copied(), "{below:?}");
        }
    }
}
