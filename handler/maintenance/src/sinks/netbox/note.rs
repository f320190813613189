//! The note in an event's comments: one line for the machine, which says what the event stands for and what the last notice said of each
//! field, and below it lines for people. All text around that is theirs, and stays as it is.
//!
//! The line is an HTML comment, which NetBox does not show. What a mail says never stands at the start of a line, so that
//! no mail can write such a line.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{claim::Claims, ids::CircuitId};
use notice::model::{Impact, Window};
use schedule::{EventStatus, Lifecycle, Version};

const OPEN: &str = "<!-- provision ";
const SHUT: &str = " -->";
const END: &str = "<!-- /provision -->";

/// The machine line of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Id that the provider gave the maintenance, uncut (the event's name may be cut).
    pub id: String,
    /// Number of the window within the maintenance, from 1, whatever people call the event.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub number: usize,
    /// Highest number that a window of the maintenance is known to have: so an event that is missing is noticed.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub last: usize,
    /// Version of the notice that the event shows.
    pub version: Version,
    /// Last value of each field in the notices: a value in NetBox that differs from it is a person's doing.
    pub said: LastValues,
    /// Impacts that the notices have stated last. What differs from these in NetBox is a person's doing, except on those that
    /// are `pending`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub impacts: BTreeMap<CircuitId, Impact>,
    /// Circuits whose impacts have yet to be written.
    #[serde(default, skip_serializing_if = "Pending::is_empty")]
    pub pending: Pending,
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

/// The last values of an event's fields in the notices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastValues {
    /// Status, or the one that follows from what they said.
    pub status: EventStatus,
    /// Start of the window.
    pub start: Timestamp,
    /// End of the window.
    pub end: Timestamp,
    /// Digest of the summary.
    pub summary: String,
    /// Time zone in which they state the window; `None` if they name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// Impacts that are brought in line with the note. They are written after the note, one call later, and NetBox has no condition for that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Circuits; the impacts on those that [`Note::impacts`] does not have are removed.
    pub circuits: BTreeSet<CircuitId>,
    /// Time until which a delivery that has read an earlier note may still write what it says.
    pub until: Timestamp,
    /// Evidence that everything was written.
    pub evidence: Evidence,
}

/// Evidence that the impacts of a note were written, so that a difference from then on is a person's doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// None so far: another change of the note will tell.
    #[default]
    Missing,
    /// This mail, if it is stored with the event: that is done last. A new event needs no other evidence, which would cost a call.
    Mail(String),
    /// They were all seen.
    Seen,
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.circuits.is_empty()
    }
}

fn first() -> usize {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_first(number: &usize) -> bool {
    *number == 1
}

impl Note {
    /// Reads the note in the comments; `None` if there is none, or a person has changed the line so that it cannot be read. A line that
    /// only looks like it is a person's text.
    pub fn read(comments: &str) -> Option<Self> {
        comments.lines().find_map(Self::read_line)
    }

    fn read_line(line: &str) -> Option<Self> {
        serde_json::from_str(line.trim_end().strip_prefix(OPEN)?.strip_suffix(SHUT)?).ok()
    }

    /// Returns the state that the notices have left the event in, whatever people have made of it.
    pub fn lifecycle(&self) -> Lifecycle {
        Lifecycle { status: self.said.status, is_left_out: self.left }
    }

    /// Returns the window that the notices have stated last.
    pub fn window(&self) -> Option<Window> {
        Window::new(self.said.start, self.said.end)
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
    let lines: Vec<_> = comments.lines().collect();
    let [_, remarks @ .., last] = split(&lines).1 else { return Vec::new() };
    let remarks = if last.trim_end() == END { remarks } else { &[] };
    remarks.iter().map(|line| line.trim_start_matches("> ").to_owned()).filter(|line| !line.is_empty()).collect()
}

/// Returns the lines of the comments that are people's.
pub fn lines_of_people(comments: &str) -> Vec<&str> {
    let lines: Vec<_> = comments.lines().collect();
    let (before, _, after) = split(&lines);
    [before, after].concat()
}

/// Splits comments into what people wrote above the note, the note with its remarks, and what people wrote below. A line that begins
/// like a note counts as one that a person has damaged, if there is no other.
fn split<'lines, 'text>(
    lines: &'lines [&'text str],
) -> (&'lines [&'text str], &'lines [&'text str], &'lines [&'text str]) {
    let readable = lines.iter().position(|line| Note::read_line(line).is_some());
    let is_damaged = |line: &&str| line.strip_prefix(OPEN).is_some_and(|rest| rest.starts_with('{'));
    let Some(start) = readable.or_else(|| lines.iter().position(is_damaged)) else { return (lines, &[], &[]) };
    let (before, rest) = lines.split_at(start);
    // Without its last line (a person has removed it) only the first one is known to be ours.
    let length = rest.iter().position(|line| line.trim_end() == END).unwrap_or(0) + 1;
    let (note, after) = rest.split_at(length);
    (before, note, after)
}

fn replace(comments: &str, line: &str, remarks: &[String]) -> String {
    let lines: Vec<_> = comments.lines().collect();
    let (before, _, after) = split(&lines);
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
            number: 2,
            last: 3,
            version,
            said: LastValues {
                status: EventStatus::Completed,
                start: Timestamp::UNIX_EPOCH,
                end: Timestamp::MAX,
                summary: "ab".to_owned(),
                zone: Some("Europe/Paris".to_owned()),
            },
            impacts: [(CircuitId::new(7), Impact::Outage)].into(),
            pending: Pending {
                circuits: [CircuitId::new(9)].into(),
                until: Timestamp::MAX,
                evidence: Evidence::Mail("ab".to_owned()),
            },
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
        // A line of a person that looks like a note neither hides ours nor is lost.
        for line in ["<!-- provision is great -->", "<!-- provision {} -->"] {
            let odd = format!("{line}\n\n{whole}");
            assert_eq!(Note::read(&odd), Some(note("a")), "{odd}");
            assert_eq!(note("b").write(&odd, &[]), format!("{line}\n\n{}", note("b").write("", &[])));
        }
        let open = whole.replace(END, "a person's line");
        let again = note("b").write(&open, &[]);
        assert_eq!(Note::read(&again), Some(note("b")));
        assert!(again.ends_with("> of the mail\na person's line"), "{again}");
    }
}
