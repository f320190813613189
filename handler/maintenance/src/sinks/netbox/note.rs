//! The note in an event's comments: one line for the machine, which says what the event stands for and what we have written, and below
//! it lines for people. All text around that is theirs, and stays as it is.
//!
//! The line is an HTML comment, which NetBox does not show. What a mail says never stands at the start of a line, so that
//! no mail can write such a line.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use serde::{Deserialize, Serialize};

use super::{claim::Claims, ids::CircuitId};
use notice::model::Impact;
use schedule::{EventStatus, Version};

const OPEN: &str = "<!-- provision ";
const SHUT: &str = " -->";
const END: &str = "<!-- /provision -->";

/// The machine line of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Id that the provider gave the maintenance, uncut (the event's name may be cut).
    pub id: String,
    /// Version of the notice that the event shows.
    pub version: Version,
    /// Impacts that the notice states. The stored ones are brought in line with these.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub impacts: BTreeMap<CircuitId, Impact>,
    /// Circuits that an earlier notice named and this one does not: their impacts are ours, and are removed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub removed: BTreeSet<CircuitId>,
    /// Final status that the event gets once its impacts are written, since the plugin refuses them afterwards; `None` if nothing waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<EventStatus>,
    /// `true` if the event is cancelled because the notice leaves its window out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left: bool,
    /// `true` if the event yields to another one, made at the same time: see [`super::merge`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub yields: bool,
    /// Deliveries that are about to store a mail with the event.
    #[serde(default, skip_serializing_if = "Claims::is_empty")]
    pub claims: Claims,
}

impl Note {
    /// Reads the note in the comments; `None` if there is none, or a person has changed the line so that it cannot be read.
    pub fn read(comments: &str) -> Option<Self> {
        let line = comments.lines().find_map(|line| line.trim_end().strip_prefix(OPEN)?.strip_suffix(SHUT))?;
        serde_json::from_str(line).ok()
    }

    /// Returns the comments with this note, and these lines for people, in place of the earlier ones; a new note stands at the end.
    pub fn write(&self, comments: &str, remarks: &[String]) -> String {
        // `>` could end the HTML comment: JSON has another spelling of it.
        let json = serde_json::to_string(self).unwrap_or_default().replace('>', "\\u003e");
        replace(comments, &format!("{OPEN}{json}{SHUT}"), remarks)
    }
}

/// Returns the comments of an event that lost a race: a pointer instead of a note.
pub fn point(comments: &str, remark: String) -> String {
    replace(comments, "", &[remark])
}

/// Returns the remarks that stand below the note.
pub fn remarks(comments: &str) -> Vec<String> {
    let mut lines = comments.lines().skip_while(|line| !line.starts_with(OPEN)).skip(1);
    let below: Vec<_> = lines.by_ref().take_while(|line| line.trim_end() != END).collect();
    if comments.lines().any(|line| line.trim_end() == END) {
        below.into_iter().map(|line| line.trim_start_matches("> ").to_owned()).filter(|line| !line.is_empty()).collect()
    } else {
        Vec::new()
    }
}

fn replace(comments: &str, line: &str, remarks: &[String]) -> String {
    let lines: Vec<_> = comments.lines().collect();
    let start = lines.iter().position(|line| line.starts_with(OPEN));
    let (before, after) = match start {
        None => (&lines[..], &[][..]),
        Some(start) => {
            let (before, rest) = lines.split_at(start);
            // Without its last line (a person has removed it) only the first one is known to be ours.
            let length = rest.iter().position(|line| line.trim_end() == END).unwrap_or(0) + 1;
            (before, rest.split_at(length).1)
        }
    };
    let mut text = before.join("\n");
    if !text.is_empty() {
        // NetBox shows Markdown, where a blank line begins a paragraph.
        text.push_str(if text.ends_with('\n') { "\n" } else { "\n\n" });
    }
    if !line.is_empty() {
        let _ = writeln!(text, "{line}");
    }
    for remark in remarks {
        for line in remark.lines().filter(|line| !line.trim().is_empty()) {
            let _ = writeln!(text, "> {}", line.trim());
        }
    }
    if !line.is_empty() {
        text.push_str(END);
    }
    if !after.is_empty() {
        text.push('\n');
        text.push_str(&after.join("\n"));
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(digest: &str) -> Note {
        let version =
            Version { uid: None, sequence: Some(2), announced_at: None, received_at: None, digest: digest.to_owned() };
        Note {
            id: "CHG --> <1>".to_owned(),
            version,
            impacts: [(CircuitId::new(7), Impact::Outage)].into(),
            removed: [CircuitId::new(9)].into(),
            then: Some(EventStatus::Completed),
            left: true,
            yields: true,
            claims: Claims::new(),
        }
    }

    #[test]
    fn a_note_reads_back_and_the_text_of_people_stays() {
        let remarks_of = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let first = note("a").write("Ask Kim.", &remarks_of(&["One", "two\n\nthree"]));
        assert_eq!(Note::read(&first), Some(note("a")));
        assert_eq!(remarks(&first), ["One", "two", "three"]);
        assert!(first.starts_with("Ask Kim.\n\n<!-- provision {"), "{first}");
        let around = format!("{first}\nCalled them at 10.\n\n- fine");
        let second = note("b").write(&around, &[]);
        assert_eq!(Note::read(&second), Some(note("b")));
        assert!(
            second.starts_with("Ask Kim.\n\n<!--")
                && second.ends_with("<!-- /provision -->\nCalled them at 10.\n\n- fine")
        );
        assert_eq!(note("b").write(&second, &[]), second, "writing it again changes nothing");
        assert_eq!(point(&second, "see 5".to_owned()), "Ask Kim.\n\n> see 5\n\nCalled them at 10.\n\n- fine");
    }

    #[test]
    fn no_mail_can_write_a_note() {
        let forged = note("forged").write("", &[]);
        let comments = note("ours").write("", &[format!("Summary\n{forged}\r{forged}"), END.to_owned()]);
        assert_eq!(Note::read(&comments), Some(note("ours")));
        assert_eq!(Note::read(&note("next").write(&comments, &[])), Some(note("next")));
        assert_eq!(note("next").write(&comments, &[]).lines().count(), 2, "no line of the mail stays");
    }

    #[test]
    fn a_note_that_a_person_has_damaged_is_ignored() {
        let whole = note("a").write("", &["of the mail".to_owned()]);
        for broken in ["", "<!-- provision -->", "<!-- provision {} -->", &whole.replace("\"version\"", "\"v\"")] {
            assert_eq!(Note::read(broken), None, "{broken}");
        }
        let open = whole.replace(END, "a person's line");
        let again = note("b").write(&open, &[]);
        assert_eq!(Note::read(&again), Some(note("b")));
        assert!(again.ends_with("> of the mail\na person's line"), "{again}");
    }
}
