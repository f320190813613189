//! Looks for windows that stand beside those that were read: in another zone, in a sentence above the table, in a form of the mail
//! that nobody read, or as another length. Each that has its own dates and its own zone must be one that was read.

use jiff::Timestamp;

use super::{
    clock,
    labels::{self, Label},
    said::Said,
    scan::TimeMention,
    tokens::{self, Token},
    windows::{Bound, Comparison, MAX_COMPARED},
};
use crate::{
    failure::Failure,
    model::{Maintenance, Status, Window},
};

/// Bytes before a time that may be its label.
const MAX_BEFORE: usize = 80;
/// Lines above a window that may be its label.
const LINES_OF_LABEL: usize = 4;
/// Lines above a window that name it whatever else they say.
const LINES_OF_NAME: usize = 2;
/// Bytes of a line that may be a label.
const MAX_LABEL: usize = 60;
/// Bytes of a cell that holds one moment.
const MAX_CELL: usize = 60;
/// Bytes before the moment of a cell: a weekday.
const MAX_BEFORE_MOMENT: usize = 11;
/// Bytes between the start and the end of a range: date, zone and the word that joins them.
const MAX_BETWEEN: usize = 60;

/// Beginning of the label of the new end of a window.
const EXTENDED: &str = "Extended";
/// Seconds by which two readings of one moment may differ: some carriers begin a day at 00:01.
const TOLERANCE: i64 = 60;
/// Seconds of a window that stands for several nights.
const SEVERAL_NIGHTS: i64 = 24 * 3600;

fn is_same(one: Timestamp, other: Timestamp) -> bool {
    (one.as_second() - other.as_second()).abs() <= TOLERANCE
}

/// Returns whether a moment is within a window that stands for several nights, each of which the mail may state.
fn is_long_around(window: &Window, at: Timestamp) -> bool {
    let is_long = window.end().as_second() - window.start().as_second() > SEVERAL_NIGHTS;
    is_long && window.start() < at && at < window.end()
}

/// Returns the failure of a window that the lines state beside those that were read.
pub(super) fn other(said: &Said<'_>, maintenances: &[Maintenance]) -> Option<Failure> {
    let windows: Vec<Window> = maintenances.iter().filter_map(Maintenance::window).collect();
    let first = *windows.first()?;
    let stated = said.stated();
    let counts = [windows.len(), stated.times.len(), stated.dates.len(), stated.zones.len()];
    if counts.iter().any(|count| *count > MAX_COMPARED) {
        return None;
    }
    let is_plan = |one: &Maintenance| matches!(one.status(), Status::Confirmed | Status::Tentative | Status::NoChange);
    let is_over = |one: &Maintenance| one.status().is_final();
    let ranges =
        Ranges { compared: Comparison { said, stated, windows: &windows }, is_plan: maintenances.iter().all(is_plan) };
    let moment = || if maintenances.iter().any(is_over) { None } else { ranges.other_moment() };
    let time = ranges.other_range().or_else(moment);
    let expected = "states another one as well";
    let length = || ranges.other_length().map(|line| ranges.objection_of_length(first, line));
    time.map(|time| ranges.compared.objection(first, expected, Some(&time))).or_else(length)
}

struct Ranges<'said> {
    compared: Comparison<'said>,
    /// `false` for a notice of a change: it may state the window before the change as well.
    is_plan: bool,
}

impl Ranges<'_> {
    fn times(&self) -> &[TimeMention] {
        &self.compared.stated.times
    }

    fn line(&self, line: usize) -> &str {
        self.compared.said.lines.get(line).copied().unwrap_or_default()
    }

    fn is_first_of_line(&self, index: usize) -> bool {
        let line = |index: usize| self.times().get(index).map(|time| time.line);
        index.checked_sub(1).is_none_or(|before| line(before) != line(index))
    }

    /// Returns the number of times of day in the line of the first one.
    fn times_of_line(&self, first: usize) -> usize {
        let own = self.times().get(first..).unwrap_or_default();
        own.iter().take_while(|time| own.first().is_some_and(|first| first.line == time.line)).count()
    }

    /// Returns the instants of a time whose line names date and zone; none for any other time.
    fn instants(&self, index: usize, bound: Bound) -> Vec<Timestamp> {
        let stated = self.compared.stated;
        let is_whole = self.times().get(index).is_some_and(|time| {
            stated.zones.iter().any(|(line, _)| *line == time.line)
                && stated.dates.iter().any(|date| date.line == time.line)
        });
        if is_whole { self.compared.instants(index, bound) } else { Vec::new() }
    }

    /// Returns whether a line holds one moment and hardly anything else.
    fn is_cell(&self, index: usize) -> bool {
        let Some(time) = self.times().get(index) else { return false };
        let dates = self.compared.stated.dates.iter().filter(|date| date.line == time.line);
        let start = dates.map(|date| date.start).chain([time.start]).min().unwrap_or_default();
        // "05:00:30 GMT - Work has begun." is an entry of a log.
        let is_log = self.line(time.line).get(time.end..).is_some_and(|behind| behind.contains(" - "));
        !is_log
            && start <= MAX_BEFORE_MOMENT
            && self.line(time.line).len() <= MAX_CELL
            && self.times_of_line(index) == 1
    }

    /// Returns the pairs of times that state a range: two in one line, or in two cells one after the other.
    fn pairs(&self) -> Vec<(usize, usize)> {
        let mut pairs = Vec::new();
        let mut index = 0;
        while let Some(time) = self.times().get(index) {
            let count = self.times_of_line(index);
            let next = self.times().get(index + 1);
            if count.is_multiple_of(2) {
                pairs.extend((index..index + count).step_by(2).map(|first| (first, first + 1)));
            } else if self.is_cell(index)
                && self.is_cell(index + 1)
                && next.is_some_and(|next| next.line == time.line + 1)
            {
                pairs.push((index, index + 1));
                index += 2;
                continue;
            }
            index += count.max(1);
        }
        pairs
    }

    /// Returns whether a time stands under a label of another window or of a part of one.
    fn is_of_another(&self, first: usize, last: usize) -> bool {
        let (Some(start), Some(end)) = (self.times().get(first), self.times().get(last)) else { return true };
        let line = self.line(start.line);
        let from = line.ceil_char_boundary(start.start.saturating_sub(MAX_BEFORE));
        let before = line.get(from..start.start).unwrap_or_default();
        let behind = self.line(end.line).get(end.end..).unwrap_or_default();
        let behind = behind.get(..behind.floor_char_boundary(MAX_LABEL)).unwrap_or_default();
        let is_label = |above: usize| {
            let Some(at) = start.line.checked_sub(above).filter(|at| *at >= self.compared.said.subjects) else {
                return false;
            };
            let text = self.line(at);
            let is_part =
                || labels::names_part(text) && (above <= LINES_OF_NAME || labels::label(text) != Label::Unknown);
            text.len() <= MAX_LABEL && (labels::names_other_window(text) || is_part())
        };
        labels::names_other_window(before)
            || labels::names_part(before)
            || labels::marks_other_window(behind)
            || (1..=LINES_OF_LABEL).any(is_label)
    }

    /// Returns the start of a range that was not read.
    fn other_range(&self) -> Option<usize> {
        let is_other = |(start, end): &(usize, usize)| {
            let starts = self.instants(*start, Bound::Start);
            let ends = self.instants(*end, Bound::End);
            if starts.is_empty() || ends.is_empty() || !self.is_joined(*start, *end) {
                return false;
            }
            let is_read = |window: &Window| {
                let is_start = |at: &Timestamp| is_same(*at, window.start()) || is_long_around(window, *at);
                let is_end = |at: &Timestamp| {
                    is_same(*at, window.end()) || is_long_around(window, *at) || !self.is_plan && *at < window.end()
                };
                starts.iter().any(is_start) && ends.iter().any(is_end)
            };
            !self.compared.windows.iter().any(is_read) && !self.is_of_another(*start, *end)
        };
        self.pairs().into_iter().find(is_other).map(|(start, _)| start)
    }

    /// Returns whether two times of one line may be the ends of one range.
    fn is_joined(&self, start: usize, end: usize) -> bool {
        let (Some(first), Some(last)) = (self.times().get(start), self.times().get(end)) else { return false };
        if first.line != last.line {
            return true;
        }
        let between = self.line(first.line).get(first.end..last.start).unwrap_or_default();
        let words = || between.split(|mark: char| !mark.is_alphabetic());
        let is_word =
            |word: &str| matches!(word.to_lowercase().as_str(), "to" | "until" | "till" | "and" | "bis" | "a");
        between.len() <= MAX_BETWEEN && (between.contains(['-', '–', '—']) || words().any(is_word))
    }

    /// Returns a moment under the label of a start or an end at which no window that was read starts or ends.
    fn other_moment(&self) -> Option<usize> {
        (0..self.times().len()).filter(|index| self.is_first_of_line(*index)).find(|index| {
            let Some(bound) = self.bound(*index) else { return false };
            let instants = self.instants(*index, bound);
            let is_read = |at: &Timestamp| {
                self.compared.windows.iter().any(|window| match bound {
                    Bound::Start => is_same(window.start(), *at),
                    Bound::End => is_same(window.end(), *at),
                })
            };
            let is_inside = |at: &Timestamp| self.compared.windows.iter().any(|window| is_long_around(window, *at));
            !instants.is_empty()
                && !instants.iter().any(|at| is_read(at) || is_inside(at))
                && !self.is_of_another(*index, *index)
        })
    }

    /// Returns whether a time that is alone in its line is labelled as a start or an end.
    fn bound(&self, index: usize) -> Option<Bound> {
        let time = self.times().get(index).filter(|_| self.times_of_line(index) == 1)?;
        let line = self.line(time.line);
        if line.len() > MAX_CELL + MAX_LABEL || time.line < self.compared.said.subjects {
            return None;
        }
        let above = time.line.checked_sub(1).map(|above| self.line(above)).filter(|above| above.len() <= MAX_LABEL);
        // The label above a cell may be that of the cell beside it, unless it says that the window is longer now.
        if self.is_cell(index) {
            return above.filter(|above| above.starts_with(EXTENDED)).map(|_| Bound::End);
        }
        match self.compared.label_of_time(index) {
            Label::Start if self.is_plan => Some(Bound::Start),
            Label::End if self.is_plan => Some(Bound::End),
            _ => None,
        }
    }

    /// Returns a line that states the length of the window, and no window that was read has it.
    fn other_length(&self) -> Option<usize> {
        let lengths: Vec<i64> =
            self.compared.windows.iter().map(|window| window.end().duration_since(window.start()).as_secs()).collect();
        let mut tokens = Vec::new();
        (self.compared.said.subjects..self.compared.said.lines.len()).find(|line| {
            let text = self.line(*line);
            let is_label = text.get(..DURATION.len()).is_some_and(|start| start.eq_ignore_ascii_case(DURATION));
            let has_range = || {
                let own = self.times().iter().position(|time| time.line == *line);
                text.contains(" for ") && own.is_some_and(|first| self.times_of_line(first) == 2)
            };
            if !is_label && !has_range() {
                return false;
            }
            tokens::split(text, &mut tokens);
            stated_length(&tokens, is_label).is_some_and(|length| !lengths.contains(&length))
        })
    }

    fn objection_of_length(&self, window: Window, line: usize) -> Failure {
        let failure = self.compared.objection(window, "states another length", None);
        Failure { place: Some(self.compared.said.place(line)), ..failure.with_quote(self.line(line)) }
    }
}

/// The label of the length of a window; that of an outage says so before it.
const DURATION: &str = "Duration:";

/// Returns the length in seconds that follows the label or "for", which may have several parts: `8h10m0s`.
fn stated_length(tokens: &[Token<'_>], is_label: bool) -> Option<i64> {
    let from = if is_label {
        tokens.iter().position(|token| token.is_punctuation(':'))?
    } else {
        let is_for =
            |pair: &[Token<'_>]| matches!(pair, [word, number] if word.text == "for" && number.number().is_some());
        tokens.windows(2).position(is_for)?
    };
    let (mut at, mut seconds) = (from + 1, None);
    while let Some(length) = tokens.get(at..).and_then(clock::length) {
        seconds = Some(seconds.unwrap_or(0) + length.seconds);
        at += length.tokens;
    }
    // "4 hours within the window" is that of a part.
    let goes_on = tokens.get(at).is_some_and(|next| next.is_any_of(&["within", "during", "in", "per", "each"]));
    seconds.filter(|seconds| *seconds > 0 && !goes_on)
}
